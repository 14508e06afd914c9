/* QMP queries about the machine as a whole, and what clients ask first. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "frontend/qmp.h"
#include "frontend/setup.h"

static void query_status(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    cJSON_AddStringToObject(r->value, "status", session_state_name(s));
    cJSON_AddBoolToObject(r->value, "singlestep", false);
    cJSON_AddBoolToObject(r->value, "running", s->state == RUN_RUNNING);
}

static void query_name(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    if (s->config.name) cJSON_AddStringToObject(r->value, "name", s->config.name);
}

static void query_uuid(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    cJSON_AddStringToObject(r->value, "UUID", s->config.uuid ? s->config.uuid : "00000000-0000-0000-0000-000000000000");
}

static void add_name(cJSON *list, const char *name)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddItemToArray(list, o);
}

static void query_commands(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const struct qmp_command *const tables[] = { qmp_control, qmp_input, qmp_blocks, qmp_queries };
    (void)s, (void)args;
    r->value = cJSON_CreateArray();
    add_name(r->value, "qmp_capabilities");
    for (unsigned t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct qmp_command *c = tables[t]; c->name; c++) add_name(r->value, c->name);
    for (const struct qmp_constant *k = qmp_constants; k->name; k++) add_name(r->value, k->name);
}

static void query_chardev(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < s->chardev_count; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddBoolToObject(o, "frontend-open", s->chardev_use[i] != CHARDEV_FREE);
        cJSON_AddStringToObject(o, "filename", chardev_filename(s->chardevs[i]));
        cJSON_AddStringToObject(o, "label", chardev_id(s->chardevs[i]));
        cJSON_AddItemToArray(r->value, o);
    }
}

static void query_cpus_fast(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)s, (void)args;
    r->value = cJSON_Parse("[{\"props\":{\"core-id\":0,\"thread-id\":0,\"socket-id\":0},"
                           "\"qom-path\":\"/machine/unattached/cpu\",\"cpu-index\":0,\"target\":\"i386\"}]");
    cJSON_AddNumberToObject(cJSON_GetArrayItem(r->value, 0), "thread-id", (double)getpid());
}

static void query_memory(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    cJSON_AddNumberToObject(r->value, "base-memory", (double)machine_ram_size(s->machine));
    cJSON_AddNumberToObject(r->value, "plugged-memory", 0);
}

/* From the list that -cpu help prints: the first word of a line is the model. */
static void query_cpu_definitions(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    char *text = NULL, *save = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    (void)s, (void)args;
    r->value = cJSON_CreateArray();
    if (!out) return;
    machine_cpu_help(out);
    fclose(out);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char name[32], type[48];
        if (line[0] == ' ' || sscanf(line, "%31s", name) != 1) continue;
        cJSON *o = cJSON_CreateObject();
        snprintf(type, sizeof type, "%s-i386-cpu", name);
        cJSON_AddStringToObject(o, "name", name);
        cJSON_AddStringToObject(o, "typename", type);
        cJSON_AddItemToObject(o, "unavailable-features", cJSON_CreateArray());
        cJSON_AddBoolToObject(o, "static", true);
        cJSON_AddBoolToObject(o, "migration-safe", true);
        cJSON_AddBoolToObject(o, "deprecated", false);
        cJSON_AddItemToArray(r->value, o);
    }
    free(text);
}

static void query_command_line_options(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *only = qmp_string(args, "option");
    (void)s;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < option_count; i++) {
        if (!options[i].apply || (only && strcmp(only, options[i].name) != 0)) continue;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToObject(o, "parameters", cJSON_CreateArray());
        cJSON_AddStringToObject(o, "option", options[i].name);
        cJSON_AddItemToArray(r->value, o);
    }
    if (only && !cJSON_GetArraySize(r->value)) qmp_error(r, "GenericError", "invalid option name: %s", only);
}

static void query_balloon(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)s, (void)args;
    qmp_error(r, "DeviceNotActive", "No balloon device has been activated");
}

static void query_display(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    cJSON_AddStringToObject(r->value, "type", s->window ? "sdl" : "none");
}

const struct qmp_command qmp_queries[] = {
    { "query-status", "", query_status },
    { "query-name", "", query_name },
    { "query-uuid", "", query_uuid },
    { "query-commands", "", query_commands },
    { "query-chardev", "", query_chardev },
    { "query-cpus-fast", "", query_cpus_fast },
    { "query-memory-size-summary", "", query_memory },
    { "query-cpu-definitions", "", query_cpu_definitions },
    { "query-command-line-options", "option:s?", query_command_line_options },
    { "query-balloon", "", query_balloon },
    { "query-display-options", "", query_display },
    { NULL, NULL, NULL },
};

const struct qmp_constant qmp_constants[] = {
    { "query-version", "{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},\"package\":\"Beige " BEIGE_VERSION "\"}" },
    { "query-kvm", "{\"enabled\":false,\"present\":false}" },
    { "query-target", "{\"arch\":\"i386\"}" },
    { "query-machines", "[{\"hotpluggable-cpus\":false,\"name\":\"pc\",\"numa-mem-supported\":false,\"cpu-max\":1,"
      "\"deprecated\":false,\"is-default\":true}]" },
    { "query-mice", "[{\"index\":0,\"name\":\"PS/2 mouse\",\"current\":true,\"absolute\":false}]" },
    { "query-hotpluggable-cpus", "[{\"props\":{\"core-id\":0,\"thread-id\":0,\"socket-id\":0},\"vcpus-count\":1,"
      "\"qom-path\":\"/machine/unattached/cpu\",\"type\":\"i386-cpu\"}]" },
    { "query-current-machine", "{\"wakeup-suspend-support\":false}" },
    { "query-chardev-backends", "[{\"name\":\"socket\"},{\"name\":\"file\"},{\"name\":\"stdio\"},{\"name\":\"pty\"},"
      "{\"name\":\"null\"}]" },
    { "query-vnc", "{\"enabled\":false}" },
    { "query-migrate", "{}" },
    { "query-block-jobs", "[]" }, { "query-jobs", "[]" }, { "query-iothreads", "[]" }, { "query-rx-filter", "[]" },
    { "query-memory-devices", "[]" }, { "query-fdsets", "[]" }, { "query-acpi-ospm-status", "[]" },
    { NULL, NULL },
};
