/* QMP commands about drives and media. */
#include <string.h>
#include "frontend/qmp.h"

enum { BLOCKS = MACHINE_IDE + MACHINE_FLOPPIES };

/* The place of a drive in QEMU's tree of objects: an opaque name that clients hand back as "id". */
static const char qdev_path[] = "/machine/unattached/";

static bool find_drive(struct session *s, const char *name, struct machine_block *out)
{
    struct machine_block list[BLOCKS];
    unsigned n = machine_blocks(s->machine, list, BLOCKS);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(list[i].id, name) == 0) {
            *out = list[i];
            return true;
        }
    return false;
}

/* The drive that "device" names, or "id" by its path. */
static bool arg_drive(struct session *s, const cJSON *args, struct machine_block *out, struct qmp_reply *r)
{
    const char *device = qmp_string(args, "device"), *id = qmp_string(args, "id");
    if (!device == !id) {
        qmp_error(r, "GenericError", "Need exactly one of 'device' and 'id'");
        return false;
    }
    const char *name = device ? device : id;
    if (id && strncmp(id, qdev_path, sizeof qdev_path - 1) == 0) name += sizeof qdev_path - 1;
    if (!find_drive(s, name, out)) qmp_error(r, "DeviceNotFound", "Device '%s' not found", name);
    else if (!out->removable) qmp_error(r, "GenericError", "Device '%s' is not removable", name);
    return !r->error_class;
}

static void cmd_change_medium(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    struct machine_block d;
    struct error e = { "" };
    const char *mode = qmp_string(args, "read-only-mode"), *format = qmp_string(args, "format");
    if (!arg_drive(s, args, &d, r)) return;
    if (format && strcmp(format, "raw") != 0) qmp_error(r, "GenericError", "Unknown driver '%s'", format);
    else if (session_change(s, d.id, qmp_string(args, "filename"), format, mode && strcmp(mode, "read-only") == 0,
                            qmp_flag(args, "force"), &e) != HOST_OK) qmp_error(r, "GenericError", "%s", e.text);
}

static void cmd_eject(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    struct machine_block d;
    struct error e = { "" };
    if (arg_drive(s, args, &d, r) && session_eject(s, d.id, qmp_flag(args, "force"), &e) != HOST_OK)
        qmp_error(r, "GenericError", "%s", e.text);
}

static void add_image(cJSON *o, const struct blk *b)
{
    static const char *const limits[] = { "iops", "iops_rd", "iops_wr", "bps", "bps_rd", "bps_wr", "backing_file_depth",
                                          "write_threshold" };
    cJSON *ins = cJSON_AddObjectToObject(o, "inserted"), *image, *cache;
    cJSON_AddStringToObject(ins, "file", b->path);
    cJSON_AddStringToObject(ins, "drv", b->format);
    cJSON_AddBoolToObject(ins, "ro", b->read_only);
    cJSON_AddBoolToObject(ins, "encrypted", false);
    cJSON_AddStringToObject(ins, "detect_zeroes", "off");
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) cJSON_AddNumberToObject(ins, limits[i], 0);
    cache = cJSON_AddObjectToObject(ins, "cache");
    cJSON_AddBoolToObject(cache, "writeback", true);
    cJSON_AddBoolToObject(cache, "direct", false);
    cJSON_AddBoolToObject(cache, "no-flush", false);
    image = cJSON_AddObjectToObject(ins, "image");
    cJSON_AddStringToObject(image, "filename", b->path);
    cJSON_AddStringToObject(image, "format", b->format);
    cJSON_AddNumberToObject(image, "virtual-size", (double)b->size);
    cJSON_AddNumberToObject(image, "actual-size", (double)b->size);
    cJSON_AddBoolToObject(image, "dirty-flag", false);
}

static void query_block(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    struct machine_block list[BLOCKS];
    unsigned n = machine_blocks(s->machine, list, BLOCKS);
    char path[80];
    (void)args;
    r->value = cJSON_CreateArray();
    for (unsigned i = 0; i < n; i++) {
        bool floppy = strncmp(list[i].id, "floppy", 6) == 0;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(r->value, o);
        cJSON_AddStringToObject(o, "device", list[i].id);
        cJSON_AddStringToObject(o, "type", "unknown");
        cJSON_AddBoolToObject(o, "removable", list[i].removable);
        cJSON_AddBoolToObject(o, "locked", list[i].locked);
        snprintf(path, sizeof path, "%s%s", qdev_path, list[i].id);
        cJSON_AddStringToObject(o, "qdev", path);
        if (list[i].removable && !floppy) cJSON_AddBoolToObject(o, "tray_open", list[i].tray_open);
        if (!floppy) cJSON_AddStringToObject(o, "io-status", s->state == RUN_IO_ERROR ? "failed" : "ok");
        if (list[i].blk) add_image(o, list[i].blk);
    }
}

const struct qmp_command qmp_blocks[] = {
    { "query-block", "", query_block },
    { "blockdev-change-medium", "device:s? id:s? filename:s format:s? force:b? read-only-mode:e(retain|read-only|read-write)?",
      cmd_change_medium },
    { "eject", "device:s? id:s? force:b?", cmd_eject },
    { NULL, NULL, NULL },
};
