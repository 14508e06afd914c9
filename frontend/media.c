/* Media of the drives, and pictures of the screen. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frontend/session.h"
#include "host/png.h"

enum { BLOCKS = MACHINE_IDE + MACHINE_FLOPPIES };

static bool find_drive(struct session *s, const char *name, struct machine_block *out, struct error *e)
{
    struct machine_block list[BLOCKS];
    unsigned n = machine_blocks(s->machine, list, BLOCKS);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(list[i].id, name) == 0) {
            *out = list[i];
            return true;
        }
    error_set(e, HOST_MISSING, "Device '%s' not found", name);
    return false;
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static bool is_cd(const struct machine_block *b) { return b->removable && strncmp(b->id, "floppy", 6) != 0; }

static void tell_tray(struct session *s, const char *drive, bool open)
{
    char json[200];
    snprintf(json, sizeof json, "{\"device\":\"%s\",\"tray-open\":%s,\"id\":\"/machine/unattached/%s\"}", drive,
             open ? "true" : "false", drive);
    session_event(s, "DEVICE_TRAY_MOVED", json);
}

void session_watch_trays(struct session *s)
{
    struct machine_block list[BLOCKS];
    unsigned n = machine_blocks(s->machine, list, BLOCKS);
    for (unsigned i = 0; i < n; i++) {
        if (!is_cd(&list[i]) || list[i].tray_open == (s->trays_open >> i & 1)) continue;
        s->trays_open ^= 1u << i;
        tell_tray(s, list[i].id, list[i].tray_open);
    }
}

enum host_status session_change(struct session *s, const char *drive, const char *file, const char *format, bool read_only,
                                bool force, struct error *e)
{
    struct machine_block d;
    if (!find_drive(s, drive, &d, e)) return HOST_MISSING;
    if (!d.removable) return error_set(e, HOST_REFUSED, "Device '%s' is not removable", drive);
    /* The same image again, perhaps in another mode: it locks itself out until the old medium is gone. */
    if (d.blk && same_file(d.blk->path, file) && machine_change_medium(s->machine, drive, NULL, force, e) != HOST_OK)
        return HOST_BUSY;
    struct image_options o = { .format = format, .read_only = read_only || is_cd(&d), .snapshot = s->snapshot && !is_cd(&d) };
    /* A floppy image that may not be written is write-protected. */
    if (!o.snapshot && access(file, F_OK) == 0 && access(file, W_OK) != 0) o.read_only = true;
    struct blk *b = image_open(file, &o, e);
    if (b && !format && !image_whole(b, is_cd(&d) ? IMAGE_CD : IMAGE_FLOPPY, e)) {
        blk_close(b);
        b = NULL;
    }
    if (!b) return HOST_BAD_FORMAT;
    enum host_status st = machine_change_medium(s->machine, drive, b, force, e);
    if (st == HOST_OK && is_cd(&d) && !d.tray_open) {       /* in with the new means out with the old */
        tell_tray(s, drive, true);
        tell_tray(s, drive, false);
    }
    session_watch_trays(s);
    return st;
}

enum host_status session_eject(struct session *s, const char *drive, bool force, struct error *e)
{
    struct machine_block d;
    if (!find_drive(s, drive, &d, e)) return HOST_MISSING;
    enum host_status st = machine_change_medium(s->machine, drive, NULL, force, e);
    session_watch_trays(s);
    return st;
}

enum host_status session_screendump(struct session *s, const char *path, bool png, struct error *e)
{
    const struct surface *f = machine_display(s->machine);
    if (!f || !f->pixels) return error_set(e, HOST_MISSING, "this machine has no display");
    s->picture_shared = true;
    return png ? picture_write_png(f, path, e) : picture_write_ppm(f, path, e);
}
