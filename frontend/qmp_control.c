/* QMP commands that run, stop and look into the machine. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/monitor.h"
#include "frontend/qmp.h"

static void cmd_stop(struct session *s, const cJSON *args, struct qmp_reply *r) { (void)args, (void)r; session_stop(s); }

static void cmd_cont(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    if (s->state == RUN_SHUTDOWN) qmp_error(r, "GenericError", "Resetting the Virtual Machine is required");
    else session_cont(s);
}

static void cmd_quit(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    session_event(s, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}");
    session_quit(s, EXIT_GUEST_OFF, "quit by QMP");
}

static void cmd_reset(struct session *s, const cJSON *args, struct qmp_reply *r) { (void)args, (void)r; session_reset(s); }

static void cmd_powerdown(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    machine_powerdown(s->machine);
    session_event(s, "POWERDOWN", NULL);
}

static void cmd_nmi(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    machine_nmi(s->machine);
}

static void cmd_nothing(struct session *s, const cJSON *args, struct qmp_reply *r) { (void)s, (void)args, (void)r; }

static void cmd_screendump(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *path = qmp_string(args, "filename"), *format = qmp_string(args, "format");
    struct error e = { "" };
    if (cJSON_HasObjectItem(args, "head") && !cJSON_HasObjectItem(args, "device"))
        qmp_error(r, "GenericError", "'head' must be specified together with 'device'");
    else if (session_screendump(s, path, format && strcmp(format, "png") == 0, &e) != HOST_OK)
        qmp_error(r, "GenericError", "%s", e.text);
}

static void save_memory(struct session *s, const cJSON *args, bool physical, struct qmp_reply *r)
{
    const char *path = qmp_string(args, "filename");
    const uint64_t start = qmp_integer(args, "val", 0), size = qmp_integer(args, "size", 0);
    uint8_t buf[4096];
    if (qmp_integer(args, "cpu-index", 0) != 0) {
        qmp_error(r, "GenericError", "Parameter 'cpu-index' expects a CPU number");
        return;
    }
    FILE *f = fopen(path, "wb");
    if (!f) {
        qmp_error(r, "GenericError", "Could not open '%s': %s", path, strerror(errno));
        return;
    }
    bool ok = true;
    for (uint64_t at = 0; at < size && ok && !r->error_class;) {
        uint64_t n = size - at < sizeof buf ? size - at : sizeof buf;
        uint64_t got = physical ? machine_phys_read(s->machine, start + at, buf, n)
                                : machine_virt_read(s->machine, start + at, buf, n);
        if (physical) memset(buf + got, 0xff, n - got);                /* holes read as the bus does */
        else if (got < n) qmp_error(r, "GenericError", "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", start, size);
        if (physical || got == n) ok = fwrite(buf, 1, n, f) == n;
        at += n;
    }
    if (fclose(f) != 0) ok = false;
    if (!ok) qmp_error(r, "GenericError", "writing memory to '%s' failed: %s", path, strerror(errno));
}

static void cmd_pmemsave(struct session *s, const cJSON *args, struct qmp_reply *r) { save_memory(s, args, true, r); }
static void cmd_memsave(struct session *s, const cJSON *args, struct qmp_reply *r) { save_memory(s, args, false, r); }

static void cmd_hmp(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    char *text = monitor_answer(s, qmp_string(args, "command-line"));
    r->value = cJSON_CreateString(text ? text : "");
    free(text);
}

const struct qmp_command qmp_control[] = {
    { "stop", "", cmd_stop },
    { "cont", "", cmd_cont },
    { "quit", "", cmd_quit },
    { "system_reset", "", cmd_reset },
    { "system_powerdown", "", cmd_powerdown },
    { "inject-nmi", "", cmd_nmi },
    { "rtc-reset-reinjection", "", cmd_nothing },          /* our clock drops no ticks */
    { "screendump", "filename:s device:s? head:i? format:e(ppm|png)?", cmd_screendump },
    { "pmemsave", "val:i size:i filename:s", cmd_pmemsave },
    { "memsave", "val:i size:i filename:s cpu-index:i?", cmd_memsave },
    { "human-monitor-command", "command-line:s cpu-index:i?", cmd_hmp },
    { NULL, NULL, NULL },
};
