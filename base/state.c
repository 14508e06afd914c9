/* The serialised form of state tables.
 *
 *   struct:  u32 number of fields, then each field
 *   field:   u8 length of the name, the name, u8 type (enum state_type), u32 elements, u32 payload bytes, payload
 *   payload: the elements one after the other; integers in 1, 2, 4 or 8 bytes, bool and IRQ level one byte 0 or 1,
 *            vtime and a timer's due time 16 bytes (all ones: not armed), a struct as above
 *
 * All little-endian, and nothing depends on the host, so equal states are equal bytes and their hash is the state's hash.
 * A field that the table does not have is an error and not skipped: it would be state that we silently lose. An absent
 * field keeps the value it has. The reader trusts nothing: the file may come from anybody. */
#include "base/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/state_walk.h"

/* ---- writing */

void state_buf_put(struct state_buf *b, const void *p, size_t n)
{
    if (b->failed) return;
    if (n > b->cap - b->len) {
        size_t cap = b->cap ? b->cap : 4096;
        while (cap - b->len < n) {
            if (cap > SIZE_MAX / 2) goto out_failed;
            cap *= 2;
        }
        uint8_t *data = realloc(b->data, cap);
        if (!data) goto out_failed;
        b->data = data;
        b->cap = cap;
    }
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
    return;

out_failed:
    b->failed = true;
}

void state_buf_fini(struct state_buf *b)
{
    free(b->data);
    memset(b, 0, sizeof *b);
}

static void put_u8(struct state_buf *b, uint8_t v)
{
    state_buf_put(b, &v, 1);
}

static void put_u32(struct state_buf *b, uint32_t v)
{
    uint8_t raw[4];
    st32(raw, v);
    state_buf_put(b, raw, sizeof raw);
}

/* Bytes of one element in the file; 0 for a struct, whose length varies. */
static uint32_t wire_size(enum state_type t)
{
    switch (t) {
    case STATE_U8: case STATE_BOOL: case STATE_IRQ: return 1;
    case STATE_U16: return 2;
    case STATE_U32: return 4;
    case STATE_U64: return 8;
    case STATE_VTIME: case STATE_TIMER: return 16;
    case STATE_STRUCT: case STATE_OPAQUE: break;
    }
    return 0;
}

static void write_elem(const struct state_field *f, const char *p, struct state_buf *out)
{
    uint8_t raw[16];
    if (f->type == STATE_STRUCT) {
        state_write(f->sub, p, out);
        return;
    }
    if (f->type == STATE_VTIME || f->type == STATE_TIMER) {
        vtime v = state_time_get(f->type, p);
        st64(raw, (uint64_t)v);
        st64(raw + 8, (uint64_t)(v >> 64));
    } else if (f->type == STATE_IRQ) {
        raw[0] = ((const struct irq_line *)(const void *)p)->level;
    } else {
        st_size(raw, state_int_get(f->type, p), wire_size(f->type));
    }
    state_buf_put(out, raw, wire_size(f->type));
}

void state_write(const struct state_desc *d, const void *obj, struct state_buf *out)
{
    uint32_t fields = 0;
    for (uint32_t i = 0; i < d->num; i++) fields += d->fields[i].kind == KIND_STATE;
    put_u32(out, fields);
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind != KIND_STATE) continue;
        const char *p = (const char *)obj + f->off;
        uint32_t used = state_used(d, obj, f), step = state_elem_size(f);
        size_t name_len = strlen(f->name);
        assert(name_len >= 1 && name_len <= 255);
        put_u8(out, (uint8_t)name_len);
        state_buf_put(out, f->name, name_len);
        put_u8(out, (uint8_t)f->type);
        put_u32(out, used);
        size_t length_at = out->len;
        put_u32(out, 0);
        if (f->type == STATE_U8) {
            state_buf_put(out, p, used);
        } else {
            for (uint32_t k = 0; k < used; k++) write_elem(f, p + (size_t)k * step, out);
        }
        if (!out->failed) st32(out->data + length_at, (uint32_t)(out->len - length_at - 4));
    }
}

/* ---- reading */

struct reader {
    const uint8_t *p, *end;
    struct error *e;
    unsigned depth;
};

static enum host_status read_struct(const struct state_desc *d, void *obj, struct reader *r);

static bool have(const struct reader *r, size_t n)
{
    return (size_t)(r->end - r->p) >= n;
}

static enum host_status bad(const struct reader *r, const struct state_desc *d, const char *field, int len, const char *why)
{
    return error_set(r->e, HOST_BAD_FORMAT, "saved state of %s%s%.*s: %s", d->name, len ? "." : "", len, field, why);
}

static enum host_status read_elem(const struct state_desc *d, const struct state_field *f, char *p, struct reader *r)
{
    int name_len = (int)strlen(f->name);
    if (f->type == STATE_STRUCT) return read_struct(f->sub, p, r);
    uint32_t size = wire_size(f->type);
    const uint8_t *raw = r->p;
    r->p += size;                                       /* the caller has checked that it is there */
    switch (f->type) {
    case STATE_VTIME:
    case STATE_TIMER: {
        vtime v = (vtime)ld64(raw + 8) << 64 | ld64(raw);
        if (f->type == STATE_VTIME) {
            memcpy(p, &v, sizeof v);
        } else {
            struct timer *t = (struct timer *)(void *)p;
            if (t->clock) timer_arm(t, v);              /* VTIME_NEVER disarms */
            else t->due = v;
        }
        return HOST_OK;
    }
    case STATE_IRQ:
        if (raw[0] > 1) return bad(r, d, f->name, name_len, "a level that is neither 0 nor 1");
        ((struct irq_line *)(void *)p)->level = raw[0] != 0;
        return HOST_OK;
    case STATE_BOOL:
        if (raw[0] > 1) return bad(r, d, f->name, name_len, "a bool that is neither 0 nor 1");
        *(bool *)p = raw[0] != 0;
        return HOST_OK;
    default: {
        uint64_t v = ld_size(raw, size);
        if ((f->min || f->max) && (v < f->min || v > f->max)) return bad(r, d, f->name, name_len, "out of range");
        state_int_set(f->type, p, v);
        return HOST_OK;
    }
    }
}

/* One field, header and payload; notes in `seen` how many elements it had. */
static enum host_status read_field(const struct state_desc *d, void *obj, struct reader *r, uint32_t *seen)
{
    if (!have(r, 1) || !have(r, 1 + (size_t)r->p[0] + 9)) return bad(r, d, "", 0, "the data ends too early");
    unsigned name_len = r->p[0];
    const char *name = (const char *)r->p + 1;
    r->p += 1 + name_len;
    unsigned type = r->p[0];
    uint32_t count = ld32(r->p + 1), length = ld32(r->p + 5);
    r->p += 9;

    /* A name in the message has to be printable; only a name of ours is sure to be. */
    const struct state_field *f = memchr(name, 0, name_len) ? NULL : state_field_named(d, name, name_len);
    if (!f || f->kind != KIND_STATE) return bad(r, d, "", 0, "a field that this version does not have");
    if (seen[f - d->fields]) return bad(r, d, f->name, (int)name_len, "present twice");
    if (type != f->type) return bad(r, d, f->name, (int)name_len, "of another type");
    if (f->counter ? count > f->count : count != f->count) return bad(r, d, f->name, (int)name_len, "of another length");
    if (!have(r, length)) return bad(r, d, f->name, (int)name_len, "the data ends too early");
    if (f->type != STATE_STRUCT && length != (uint64_t)count * wire_size(f->type))
        return bad(r, d, f->name, (int)name_len, "of another size");
    seen[f - d->fields] = count + 1;

    struct reader payload = { .p = r->p, .end = r->p + length, .e = r->e, .depth = r->depth };
    r->p += length;
    char *p = (char *)obj + f->off;
    uint32_t step = state_elem_size(f);
    for (uint32_t k = 0; k < count; k++) {
        enum host_status st = read_elem(d, f, p + (size_t)k * step, &payload);
        if (st) return st;
    }
    if (payload.p != payload.end) return bad(r, d, f->name, (int)name_len, "bytes left over");
    /* Elements out of use are not state; cleared, they cannot differ between a live and a loaded machine either. Timers
     * and structs stay as create made them. */
    if (f->counter && (state_is_int(f->type) || f->type == STATE_VTIME))
        memset(p + (size_t)count * step, 0, (size_t)(f->count - count) * step);
    return HOST_OK;
}

/* A counter must agree with what was read of its array, and never exceed the array even where that was absent. */
static enum host_status check_counters(const struct state_desc *d, const void *obj, struct reader *r, const uint32_t *seen)
{
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind != KIND_STATE || !f->counter) continue;
        const struct state_field *c = state_field_named(d, f->counter, strlen(f->counter));
        uint64_t n = c ? state_int_get(c->type, (const char *)obj + c->off) : 0;
        if (n > f->count || (seen[i] && seen[i] - 1 != n))
            return bad(r, d, f->name, (int)strlen(f->name), "its length disagrees with its counter");
    }
    return HOST_OK;
}

static enum host_status read_struct(const struct state_desc *d, void *obj, struct reader *r)
{
    if (++r->depth > STATE_DEPTH_MAX) return bad(r, d, "", 0, "nested too deeply");
    if (!have(r, 4)) return bad(r, d, "", 0, "the data ends too early");
    uint32_t fields = ld32(r->p);
    r->p += 4;
    uint32_t *seen = calloc(d->num + 1, sizeof *seen);  /* per table entry: elements read + 1 */
    if (!seen) return error_set(r->e, HOST_NO_MEMORY, "saved state of %s: out of memory", d->name);
    enum host_status st = HOST_OK;
    /* Each round consumes at least ten bytes or fails, so a huge number of fields ends by itself. */
    for (uint32_t i = 0; i < fields && st == HOST_OK; i++) st = read_field(d, obj, r, seen);
    if (st == HOST_OK) st = check_counters(d, obj, r, seen);
    free(seen);
    r->depth--;
    return st;
}

enum host_status state_read(const struct state_desc *d, void *obj, const uint8_t *data, size_t len, size_t *used,
                            struct error *e)
{
    struct reader r = { .p = data, .end = data + len, .e = e };
    enum host_status st = read_struct(d, obj, &r);
    if (used) *used = (size_t)(r.p - data);
    return st;
}
