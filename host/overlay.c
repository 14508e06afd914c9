/* Writes kept in memory over an image that is not touched: -snapshot, and images that exist in memory only.
 *
 * Changed data is held in chunks of 4 KiB in a two-level table, so that reading and listing in order need no search. */
#include <stdlib.h>
#include <string.h>
#include "host/image.h"

enum { CHUNK = 4096, LEAF = 1024 };

struct overlay {
    struct blk blk;
    struct blk *base;             /* NULL: all zeros */
    uint8_t ***leaf;              /* [chunk / LEAF][chunk % LEAF] */
    uint64_t leaves;
};

static uint8_t **overlay_slot(struct overlay *o, uint64_t chunk, bool make)
{
    uint8_t ***l = &o->leaf[chunk / LEAF];
    if (!*l && make) *l = calloc(LEAF, sizeof **l);
    return *l ? &(*l)[chunk % LEAF] : NULL;
}

static enum host_status overlay_read_base(struct overlay *o, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    if (o->base) return blk_read(o->base, off, buf, len, e);
    memset(buf, 0, len);
    return HOST_OK;
}

static enum host_status overlay_read(struct blk *b, uint64_t off, void *buf, uint64_t len, struct error *e)
{
    struct overlay *o = (struct overlay *)b;
    uint8_t *p = buf;
    while (len) {
        /* Stretches that were never written are read from below in one go. */
        uint64_t run = 0;
        uint8_t **slot = NULL;
        while (run < len) {
            slot = overlay_slot(o, (off + run) / CHUNK, false);
            if (slot && *slot) break;
            uint64_t step = CHUNK - (off + run) % CHUNK;
            run += step < len - run ? step : len - run;
        }
        if (run) {
            enum host_status st = overlay_read_base(o, off, p, run, e);
            if (st != HOST_OK) return st;
        } else {
            run = CHUNK - off % CHUNK < len ? CHUNK - off % CHUNK : len;
            memcpy(p, *slot + off % CHUNK, run);
        }
        p += run;
        off += run;
        len -= run;
    }
    return HOST_OK;
}

static enum host_status overlay_write(struct blk *b, uint64_t off, const void *buf, uint64_t len, struct error *e)
{
    struct overlay *o = (struct overlay *)b;
    const uint8_t *p = buf;
    while (len) {
        uint64_t at = off % CHUNK, n = CHUNK - at < len ? CHUNK - at : len;
        uint8_t **slot = overlay_slot(o, off / CHUNK, true);
        if (!slot) return error_set(e, HOST_NO_MEMORY, "%s: out of memory for changed data", b->path);
        if (!*slot) {
            uint8_t *c = calloc(1, CHUNK);
            if (!c) return error_set(e, HOST_NO_MEMORY, "%s: out of memory for changed data", b->path);
            uint64_t start = off - at, have = b->size - start < CHUNK ? b->size - start : CHUNK;
            enum host_status st = overlay_read_base(o, start, c, have, e);
            if (st != HOST_OK) {
                free(c);
                return st;
            }
            *slot = c;
        }
        memcpy(*slot + at, p, n);
        p += n;
        off += n;
        len -= n;
    }
    return HOST_OK;
}

static bool overlay_changes(struct blk *b, blk_change_fn *fn, void *opaque)
{
    struct overlay *o = (struct overlay *)b;
    for (uint64_t l = 0; l < o->leaves; l++)
        for (uint64_t i = 0; o->leaf[l] && i < LEAF; i++) {
            uint64_t off = (l * LEAF + i) * CHUNK;
            if (!o->leaf[l][i]) continue;
            uint64_t n = b->size - off < CHUNK ? b->size - off : CHUNK;
            if (!fn(opaque, off, o->leaf[l][i], (uint32_t)n)) return false;
        }
    return true;
}

static void overlay_forget(struct blk *b)
{
    struct overlay *o = (struct overlay *)b;
    for (uint64_t l = 0; o->leaf && l < o->leaves; l++) {
        for (unsigned i = 0; o->leaf[l] && i < LEAF; i++) free(o->leaf[l][i]);
        free(o->leaf[l]);
        o->leaf[l] = NULL;
    }
}

static void overlay_close(struct blk *b)
{
    struct overlay *o = (struct overlay *)b;
    overlay_forget(b);
    free(o->leaf);
    blk_close(o->base);
    free(b->path);
    free(o);
}

static const struct blk_ops overlay_ops = {
    .name = "overlay", .read = overlay_read, .write = overlay_write, .close = overlay_close, .changes = overlay_changes,
    .forget = overlay_forget,
};

static struct overlay *overlay_new(const char *path, uint64_t size)
{
    struct overlay *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->leaves = (size + (uint64_t)CHUNK * LEAF - 1) / ((uint64_t)CHUNK * LEAF);
    o->leaf = calloc(o->leaves ? o->leaves : 1, sizeof *o->leaf);
    o->blk = (struct blk){ .ops = &overlay_ops, .size = size, .path = strdup(path), .format = "raw" };
    if (o->leaf && o->blk.path) return o;
    overlay_close(&o->blk);
    return NULL;
}

struct blk *overlay_create(struct blk *base)
{
    struct overlay *o = overlay_new(base->path, base->size);
    if (!o) return NULL;
    o->base = base;
    return &o->blk;
}

struct blk *image_from_memory(const char *name, const void *data, uint64_t size, bool read_only)
{
    struct overlay *o = overlay_new(name, size);
    if (!o) return NULL;
    if (overlay_write(&o->blk, 0, data, size, NULL) != HOST_OK) {
        overlay_close(&o->blk);
        return NULL;
    }
    o->blk.read_only = read_only;
    return &o->blk;
}
