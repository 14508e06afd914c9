/* Drives from options: which image in which drive. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "frontend/demo.h"
#include "frontend/setup.h"

enum { FLOPPY_MAX = 2949120 };

static struct blk *open_as(const struct setup_drive *d, const struct image_options *o, struct error *e)
{
    enum image_use use = d->cdrom ? IMAGE_CD : d->where == WHERE_FLOPPY ? IMAGE_FLOPPY : IMAGE_DISK;
    struct blk *b = image_open(d->file, o, e);
    if (!b || d->format || image_whole(b, use, e)) return b;
    blk_close(b);
    return NULL;
}

/* A file that may not be written is a write-protected floppy; a CD is never written; a hard disk must be writable. */
static struct blk *open_image(const struct setup *u, const struct setup_drive *d, struct error *e)
{
    struct image_options o = { .format = d->format, .read_only = d->read_only || d->cdrom,
                               .snapshot = (d->snapshot || u->snapshot) && !d->cdrom };
    bool protectable = d->where == WHERE_FLOPPY && !o.read_only && !o.snapshot;
    if (protectable && access(d->file, F_OK) == 0 && access(d->file, W_OK) != 0) {
        o.read_only = true;
        fprintf(stderr, "beige: %s is not writable: the floppy is write-protected\n", d->file);
    }
    return open_as(d, &o, e);
}

static bool place_drive(struct setup *u, const struct setup_drive *d, struct error *e)
{
    struct machine_config *c = &u->s->config;
    struct drive_config *list = d->where == WHERE_FLOPPY ? c->floppy : c->ide;
    int max = d->where == WHERE_FLOPPY ? MACHINE_FLOPPIES : MACHINE_IDE, at = d->index;
    const char *bus = d->where == WHERE_FLOPPY ? "floppy" : "ide";
    if (at < 0) {
        /* CD-ROM drives go to the second cable, as in QEMU. */
        for (at = d->cdrom ? 2 : 0; at < max && list[at].present; at++) {}
        if (at == max && d->cdrom) for (at = 0; at < max && list[at].present; at++) {}
    }
    if (at >= max) {
        error_set(e, HOST_REFUSED, "-drive: this board has %d %s drives (index 0 to %d)", max, bus, max - 1);
        return false;
    }
    if (list[at].present) {
        error_set(e, HOST_REFUSED, "-drive: %s drive %d is named twice", bus, at);
        return false;
    }
    list[at].present = true;
    list[at].cdrom = d->cdrom;
    if (d->file && !(list[at].blk = open_image(u, d, e))) return false;
    return true;
}

static bool anything_to_boot(const struct setup *u)
{
    if (u->kernel || u->nodefaults || u->bios) return true;
    for (unsigned i = 0; i < u->drives; i++)
        if (u->drive[i].file) return true;
    return false;
}

bool setup_drives(struct setup *u, struct error *e)
{
    struct machine_config *c = &u->s->config;
    bool demo = !anything_to_boot(u);
    for (int explicit = 1; explicit >= 0; explicit--)            /* those with an index first */
        for (unsigned i = 0; i < u->drives; i++)
            if ((u->drive[i].index >= 0) == explicit && !place_drive(u, &u->drive[i], e)) return false;
    if (u->nodefaults) return true;
    /* What a QEMU user finds by default: one floppy drive and a CD-ROM drive, empty. */
    c->floppy[0].present = true;
    if (!c->ide[2].present) c->ide[2] = (struct drive_config){ .present = true, .cdrom = true };
    if (demo) {
        size_t len;
        const uint8_t *data = demo_floppy(&len);
        c->floppy[0].blk = image_from_memory("(demonstration floppy)", data, len, false);
        if (!c->floppy[0].blk) {
            error_set(e, HOST_NO_MEMORY, "out of memory");
            return false;
        }
        if (!c->boot_order) c->boot_order = "a";
    }
    return true;
}

/* ---- FILE ------------------------------------------------------------------------------------------------------------- */

static bool is_multiboot(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 12 <= len && i < 8192; i += 4)
        if (p[i] == 0x02 && p[i + 1] == 0xb0 && p[i + 2] == 0xad && p[i + 3] == 0x1b) return true;
    return false;
}

enum content content_of(const uint8_t *head, size_t len, uint64_t size)
{
    static const uint8_t iso9660[] = "CD001";
    if (len >= 32774 && memcmp(head + 32769, iso9660, 5) == 0) return CONTENT_CD;
    if (len > 0x206 && memcmp(head + 0x202, "HdrS", 4) == 0) return CONTENT_LINUX;
    if (is_multiboot(head, len)) return CONTENT_MULTIBOOT;
    return size <= FLOPPY_MAX ? CONTENT_FLOPPY : CONTENT_DISK;
}

static void set_kernel(struct setup *u, const char *file)
{
    free(u->kernel);
    u->kernel = strdup(file);
}

/* Sets the drive's kind, or u->kernel, and the boot order's letter (0: none). */
static const char *boot_content(struct setup *u, struct setup_drive *d, enum content c, char *boot)
{
    *boot = 0;
    switch (c) {
    case CONTENT_CD:
        d->cdrom = true;
        *boot = 'd';
        return "ISO 9660 image, boots as CD-ROM";
    case CONTENT_LINUX:
        set_kernel(u, d->file);
        return "Linux kernel, boots directly";
    case CONTENT_MULTIBOOT:
        set_kernel(u, d->file);
        return "multiboot kernel, boots directly";
    case CONTENT_FLOPPY:
        d->where = WHERE_FLOPPY;
        *boot = 'a';
        return "floppy image, boots as drive A";
    case CONTENT_DISK: break;
    }
    *boot = 'c';
    return "raw hard disk image, boots as first disk";
}

bool setup_boot_file(struct setup *u, struct error *e)
{
    const char *path = u->boot_file, *what;
    struct image_options o = { .read_only = true };
    struct blk *b = image_open(path, &o, e);
    uint8_t *head = calloc(1, CONTENT_BYTES);
    bool ok = false;
    char boot[2] = { 0 };
    if (!b || !head) goto out;
    uint64_t size = b->size, n = size < CONTENT_BYTES ? size : CONTENT_BYTES;
    if (blk_read(b, 0, head, n, e) != HOST_OK) goto out;
    if (u->drives == SETUP_DRIVES) {
        error_set(e, HOST_REFUSED, "%s: there are %d drives already", path, SETUP_DRIVES);
        goto out;
    }
    struct setup_drive *d = &u->drive[u->drives];
    *d = (struct setup_drive){ .file = strdup(path), .index = -1 };
    what = boot_content(u, d, content_of(head, n, size), boot);
    if (boot[0]) u->drives++;
    else free(d->file);
    if (boot[0] && !u->boot_order) u->boot_order = strdup(boot);
    fprintf(stderr, "beige: %s: %s\n", path, what);
    ok = true;
out:
    blk_close(b);
    free(head);
    return ok;
}
