/* The QMP commands. A client written for QEMU 7.2 must not see a difference in those that are here. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/monitor.h"
#include "frontend/qmp.h"

static const char *arg_string(const cJSON *args, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, name);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* An integer parameter in range; a wrong type is the client's error, told as QEMU tells it. */
static bool arg_int(const cJSON *args, const char *name, double min, double max, double *out, struct qmp_reply *r)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, name);
    if (!cJSON_IsNumber(v) || v->valuedouble < min || v->valuedouble > max) {
        qmp_error(r, "GenericError", "Invalid parameter type for '%s', expected: integer", name);
        return false;
    }
    *out = v->valuedouble;
    return true;
}

static bool arg_need_string(const cJSON *args, const char *name, const char **out, struct qmp_reply *r)
{
    *out = arg_string(args, name);
    if (!*out) qmp_error(r, "GenericError", "Invalid parameter type for '%s', expected: string", name);
    return *out != NULL;
}

static void qmp_query_status(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    cJSON_AddBoolToObject(r->value, "running", s->state == RUN_RUNNING);
    cJSON_AddBoolToObject(r->value, "singlestep", false);
    cJSON_AddStringToObject(r->value, "status", session_state_name(s));
}

static void qmp_query_version(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)s, (void)args;
    r->value = cJSON_Parse("{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},\"package\":\"Beige\"}");
}

static void qmp_query_commands(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)s, (void)args;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < qmp_command_count; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", qmp_commands[i].name);
        cJSON_AddItemToArray(r->value, o);
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", "qmp_capabilities");
    cJSON_AddItemToArray(r->value, o);
}

static void qmp_query_name(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateObject();
    if (s->config.name) cJSON_AddStringToObject(r->value, "name", s->config.name);
}

static void qmp_stop(struct session *s, const cJSON *args, struct qmp_reply *r) { (void)args, (void)r; session_stop(s); }
static void qmp_cont(struct session *s, const cJSON *args, struct qmp_reply *r) { (void)args, (void)r; session_cont(s); }

static void qmp_quit(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    session_event(s, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}");
    session_quit(s, EXIT_GUEST_OFF, "quit by QMP");
}

static void qmp_system_reset(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    session_reset(s);
}

static void qmp_system_powerdown(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    machine_powerdown(s->machine);
    session_event(s, "POWERDOWN", NULL);
}

static void qmp_inject_nmi(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args, (void)r;
    machine_nmi(s->machine);
}

/* A KeyValue: {"type":"qcode","data":"a"} or {"type":"number","data":30} (a set-1 scan code). */
static enum key key_value(const cJSON *v, struct qmp_reply *r)
{
    const char *type = arg_string(v, "type");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(v, "data");
    if (type && strcmp(type, "qcode") == 0 && cJSON_IsString(data)) {
        enum key k = key_from_name(data->valuestring);
        if (k == KEY_NONE && strcmp(data->valuestring, "unmapped") != 0)
            qmp_error(r, "GenericError", "Invalid parameter '%s'", data->valuestring);
        return k;
    }
    if (type && strcmp(type, "number") == 0 && cJSON_IsNumber(data)) return key_from_set1((unsigned)data->valueint);
    qmp_error(r, "GenericError", "Parameter 'type' is missing");
    return KEY_NONE;
}

static void qmp_send_key(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(args, "keys"), *v;
    enum key list[16];
    unsigned n = 0;
    double hold = 100;
    if (cJSON_GetObjectItemCaseSensitive(args, "hold-time") && !arg_int(args, "hold-time", 0, 1e7, &hold, r)) return;
    if (!cJSON_IsArray(keys)) {
        qmp_error(r, "GenericError", "Invalid parameter type for 'keys', expected: array");
        return;
    }
    cJSON_ArrayForEach(v, keys) {
        enum key k = key_value(v, r);
        if (r->error_class) return;
        if (n < 16 && k != KEY_NONE) list[n++] = k;
    }
    session_send_keys(s, list, n, (unsigned)hold);
}

static void input_event(struct session *s, const cJSON *ev, int move[3], struct qmp_reply *r)
{
    const char *type = arg_string(ev, "type");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(ev, "data");
    const cJSON *down = cJSON_GetObjectItemCaseSensitive(data, "down");
    if (type && strcmp(type, "key") == 0) {
        enum key k = key_value(cJSON_GetObjectItemCaseSensitive(data, "key"), r);
        if (k != KEY_NONE) machine_key(s->machine, k, cJSON_IsTrue(down));
    } else if (type && strcmp(type, "rel") == 0) {
        const char *axis = arg_string(data, "axis");
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(data, "value");
        if (axis && cJSON_IsNumber(v)) move[axis[0] == 'y'] += v->valueint;
        else qmp_error(r, "GenericError", "Parameter 'axis' is missing");
    } else if (type && strcmp(type, "btn") == 0) {
        const char *button = arg_string(data, "button");
        static const struct { const char *name; unsigned bit; } buttons[] = {
            { "left", 1 }, { "right", 2 }, { "middle", 4 }, { "side", 8 }, { "extra", 16 } };
        if (button && strncmp(button, "wheel-", 6) == 0) {
            if (cJSON_IsTrue(down)) move[2] += strcmp(button, "wheel-up") == 0 ? -1 : 1;
            return;
        }
        for (unsigned i = 0; button && i < 5; i++)
            if (strcmp(button, buttons[i].name) == 0) {
                s->mouse_buttons = cJSON_IsTrue(down) ? s->mouse_buttons | buttons[i].bit : s->mouse_buttons & ~buttons[i].bit;
                machine_mouse(s->machine, 0, 0, 0, s->mouse_buttons);
                return;
            }
        qmp_error(r, "GenericError", "Invalid parameter '%s'", button ? button : "button");
    } else {
        qmp_error(r, "GenericError", "input handler not found for event type '%s'", type ? type : "");
    }
}

static void qmp_input_send_event(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const cJSON *ev;
    int move[3] = { 0 };
    cJSON_ArrayForEach(ev, cJSON_GetObjectItemCaseSensitive(args, "events")) {
        input_event(s, ev, move, r);
        if (r->error_class) return;
    }
    if (move[0] || move[1] || move[2]) machine_mouse(s->machine, move[0], move[1], move[2], s->mouse_buttons);
}

static void qmp_screendump(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *path, *format = arg_string(args, "format");
    struct error e = { "" };
    if (!arg_need_string(args, "filename", &path, r)) return;
    if (format && strcmp(format, "png") != 0 && strcmp(format, "ppm") != 0)
        qmp_error(r, "GenericError", "Invalid parameter '%s'", format);
    else if (session_screendump(s, path, format && strcmp(format, "png") == 0, &e) != HOST_OK)
        qmp_error(r, "GenericError", "%s", e.text);
}

static void save_memory(struct session *s, const cJSON *args, bool physical, struct qmp_reply *r)
{
    double at, size;
    const char *path;
    uint8_t buf[4096];
    if (!arg_int(args, "val", 0, 9e15, &at, r) || !arg_int(args, "size", 0, 9e15, &size, r) ||
        !arg_need_string(args, "filename", &path, r)) return;
    FILE *f = fopen(path, "wb");
    if (!f) {
        qmp_error(r, "GenericError", "Could not open '%s'", path);
        return;
    }
    uint64_t addr = (uint64_t)at, left = (uint64_t)size;
    bool ok = true;
    while (left && ok) {
        uint64_t n = left < sizeof buf ? left : sizeof buf;
        uint64_t got = physical ? machine_phys_read(s->machine, addr, buf, n) : machine_virt_read(s->machine, addr, buf, n);
        if (physical && got < n) memset(buf + got, 0xff, n - got);      /* holes read as the bus does */
        else if (got < n) {
            qmp_error(r, "GenericError", "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", (uint64_t)at, (uint64_t)size);
            break;
        }
        ok = fwrite(buf, 1, n, f) == n;
        addr += n;
        left -= n;
    }
    if (fclose(f) != 0 || !ok) qmp_error(r, "GenericError", "%s: cannot write", path);
}

static void qmp_pmemsave(struct session *s, const cJSON *args, struct qmp_reply *r) { save_memory(s, args, true, r); }
static void qmp_memsave(struct session *s, const cJSON *args, struct qmp_reply *r) { save_memory(s, args, false, r); }

static void qmp_hmp(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *line;
    char *text = NULL;
    size_t len = 0;
    if (!arg_need_string(args, "command-line", &line, r)) return;
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        qmp_error(r, "GenericError", "out of memory");
        return;
    }
    monitor_execute(s, line, out);
    fclose(out);
    r->value = cJSON_CreateString(text);
    free(text);
}

static void qmp_query_block(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    struct machine_block list[MACHINE_IDE + MACHINE_FLOPPIES];
    unsigned n = machine_blocks(s->machine, list, MACHINE_IDE + MACHINE_FLOPPIES);
    (void)args;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < n; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "device", list[i].id);
        cJSON_AddStringToObject(o, "type", "unknown");
        cJSON_AddBoolToObject(o, "removable", list[i].removable);
        cJSON_AddBoolToObject(o, "locked", list[i].locked);
        if (list[i].removable) cJSON_AddBoolToObject(o, "tray_open", list[i].tray_open);
        cJSON_AddStringToObject(o, "io-status", s->state == RUN_IO_ERROR ? "failed" : "ok");
        if (list[i].blk) {
            const struct blk *b = list[i].blk;
            cJSON *ins = cJSON_AddObjectToObject(o, "inserted");
            cJSON_AddStringToObject(ins, "file", b->path);
            cJSON_AddStringToObject(ins, "drv", b->format);
            cJSON_AddBoolToObject(ins, "ro", b->read_only);
            cJSON_AddBoolToObject(ins, "encrypted", false);
            cJSON *image = cJSON_AddObjectToObject(ins, "image");
            cJSON_AddStringToObject(image, "filename", b->path);
            cJSON_AddStringToObject(image, "format", b->format);
            cJSON_AddNumberToObject(image, "virtual-size", (double)b->size);
            cJSON_AddNumberToObject(image, "actual-size", (double)b->size);
        }
        cJSON_AddItemToArray(r->value, o);
    }
}

/* "device" is a drive's name, "id" a qdev id: here both name the drive. */
static const char *arg_drive(const cJSON *args, struct qmp_reply *r)
{
    const char *d = arg_string(args, "device") ? arg_string(args, "device") : arg_string(args, "id");
    if (!d) qmp_error(r, "GenericError", "Parameter 'id' is missing");
    return d;
}

static void medium_reply(const char *drive, enum host_status st, const struct error *e, struct qmp_reply *r)
{
    if (st == HOST_MISSING && strstr(e->text, "no drive")) qmp_error(r, "DeviceNotFound", "Device '%s' not found", drive);
    else if (st != HOST_OK) qmp_error(r, "GenericError", "%s", e->text);
}

static void qmp_change_medium(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *drive = arg_drive(args, r), *file, *mode = arg_string(args, "read-only-mode");
    struct error e = { "" };
    if (!drive || !arg_need_string(args, "filename", &file, r)) return;
    bool force = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "force"));
    bool read_only = mode && strcmp(mode, "read-only") == 0;
    medium_reply(drive, session_change(s, drive, file, arg_string(args, "format"), read_only, force, &e), &e, r);
}

static void qmp_eject(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const char *drive = arg_drive(args, r);
    struct error e = { "" };
    if (!drive) return;
    bool force = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "force"));
    medium_reply(drive, machine_change_medium(s->machine, drive, NULL, force, &e), &e, r);
}

static void qmp_query_chardev(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)args;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < s->chardev_count; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "label", chardev_id(s->chardevs[i]));
        cJSON_AddStringToObject(o, "filename", chardev_filename(s->chardevs[i]));
        cJSON_AddBoolToObject(o, "frontend-open", true);
        cJSON_AddItemToArray(r->value, o);
    }
}

static void qmp_query_cpus_fast(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    (void)s, (void)args;
    r->value = cJSON_Parse("[{\"cpu-index\":0,\"qom-path\":\"/machine/unattached/device[0]\",\"thread-id\":0,"
                           "\"target\":\"i386\",\"props\":{\"core-id\":0,\"thread-id\":0,\"socket-id\":0}}]");
}

const struct qmp_command qmp_commands[] = {
    { "query-status", NULL, qmp_query_status },
    { "query-version", NULL, qmp_query_version },
    { "query-commands", NULL, qmp_query_commands },
    { "query-name", NULL, qmp_query_name },
    { "stop", NULL, qmp_stop },
    { "cont", NULL, qmp_cont },
    { "quit", NULL, qmp_quit },
    { "system_reset", NULL, qmp_system_reset },
    { "system_powerdown", NULL, qmp_system_powerdown },
    { "inject-nmi", NULL, qmp_inject_nmi },
    { "send-key", "keys", qmp_send_key },
    { "input-send-event", "events", qmp_input_send_event },
    { "screendump", "filename", qmp_screendump },
    { "pmemsave", "val,size,filename", qmp_pmemsave },
    { "memsave", "val,size,filename", qmp_memsave },
    { "human-monitor-command", "command-line", qmp_hmp },
    { "query-block", NULL, qmp_query_block },
    { "blockdev-change-medium", "filename", qmp_change_medium },
    { "eject", NULL, qmp_eject },
    { "query-chardev", NULL, qmp_query_chardev },
    { "query-cpus-fast", NULL, qmp_query_cpus_fast },
};
const unsigned qmp_command_count = sizeof qmp_commands / sizeof qmp_commands[0];
