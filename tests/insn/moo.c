/* MOO files: chunks of a four-letter name, a length and a payload, some within others. What is not known is skipped by its
 * length. A file may be cut off or damaged anywhere: nothing outside of its bytes is read, and the reader says what is wrong. */
#include "tests/insn/moo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/bytes.h"

enum { FILE_MAX = 1 << 30 };

struct chunk { const uint8_t *id, *p; uint32_t len; };

uint8_t *moo_read_all(const char *path, size_t *len, char *error, size_t error_size)
{
    gzFile f = gzopen(path, "rb");
    size_t cap = 1 << 20;
    uint8_t *p = f ? malloc(cap + 1) : NULL;
    int n = 0, status = Z_OK;
    *len = 0;
    error[0] = 0;
    while (p && (n = gzread(f, p + *len, (unsigned)(cap - *len))) > 0) {
        *len += (size_t)n;
        if (*len < cap) continue;
        uint8_t *more = cap < FILE_MAX ? realloc(p, 2 * cap + 1) : NULL;
        if (!more) break;
        p = more;
        cap *= 2;
    }
    if (f) (void)gzerror(f, &status);
    if (!p) snprintf(error, error_size, "cannot be read");
    else if (*len == cap) snprintf(error, error_size, "is too large");
    else if (n < 0 || (status != Z_OK && status != Z_STREAM_END)) snprintf(error, error_size, "is damaged (gzip)");
    if (f && gzclose_r(f) == Z_BUF_ERROR && !error[0]) snprintf(error, error_size, "is cut off (gzip)");
    if (error[0]) {
        free(p);
        return NULL;
    }
    p[*len] = 0;
    return p;
}

/* The chunk at *p, which moves behind it. False where there is none, or not all of it. */
static bool next_chunk(const uint8_t **p, const uint8_t *end, struct chunk *c)
{
    if (end - *p < 8) return false;
    uint32_t n = ld32(*p + 4);
    if (n > (size_t)(end - *p - 8)) return false;
    *c = (struct chunk){ *p, *p + 8, n };
    *p += 8 + (size_t)n;
    return true;
}

static bool is(const struct chunk *c, const char *id) { return memcmp(c->id, id, 4) == 0; }

/* REGS and RMSK: 16-bit registers; RG32 and RM32: 32-bit ones. */
static bool read_regs(const struct chunk *c, struct moo_regs *r)
{
    static const uint8_t narrow[] = { M_EAX, M_EBX, M_ECX, M_EDX, M_CS, M_SS, M_DS, M_ES, M_ESP, M_EBP, M_ESI, M_EDI, M_EIP,
                                      M_EFLAGS };
    bool wide = is(c, "RG32") || is(c, "RM32");
    unsigned size = wide ? 4 : 2, count = wide ? M_COUNT : sizeof narrow, at = size;
    if (c->len < size) return false;
    uint32_t given = wide ? ld32(c->p) : ld16(c->p);
    memset(r, 0, sizeof *r);
    r->wide = wide;
    for (unsigned n = 0; n < count; n++) {
        if (!(given >> n & 1)) continue;
        if (at + size > c->len) return false;
        unsigned reg = wide ? n : narrow[n];
        r->given |= 1u << reg;
        r->value[reg] = wide ? ld32(c->p + at) : ld16(c->p + at);
        at += size;
    }
    return true;
}

static bool read_snapshot(const struct chunk *whole, struct moo_snapshot *s, struct moo_regs *mask)
{
    const uint8_t *p = whole->p, *end = p + whole->len;
    for (struct chunk c; next_chunk(&p, end, &c);) {
        if ((is(&c, "REGS") || is(&c, "RG32")) && !read_regs(&c, &s->regs)) return false;
        if ((is(&c, "RMSK") || is(&c, "RM32")) && !read_regs(&c, mask)) return false;
        if (!is(&c, "RAM ")) continue;
        if (c.len < 4 || ld32(c.p) > (c.len - 4) / 5) return false;
        s->cells = ld32(c.p);
        s->ram = c.p + 4;
    }
    return p == end;
}

static bool read_test(const struct chunk *whole, struct moo_test *t)
{
    memset(t, 0, sizeof *t);
    if (whole->len < 4) return false;
    const uint8_t *p = whole->p + 4, *end = whole->p + whole->len;
    bool init = false, fina = false;
    for (struct chunk c; next_chunk(&p, end, &c);) {
        bool counted = (is(&c, "NAME") || is(&c, "BYTS"));
        if (counted && (c.len < 4 || ld32(c.p) > c.len - 4)) return false;
        if (is(&c, "NAME")) snprintf(t->name, sizeof t->name, "%.*s", (int)ld32(c.p), (const char *)c.p + 4);
        if (is(&c, "BYTS")) {
            t->len = ld32(c.p);
            t->bytes = c.p + 4;
        }
        if (is(&c, "EXCP")) {
            if (c.len < 5) return false;
            t->excp = true;
            t->vector = c.p[0];
            t->flags_addr = ld32(c.p + 1);
        }
        if (is(&c, "INIT") && !(init = read_snapshot(&c, &t->init, &t->mask))) return false;
        if (is(&c, "FINA") && !(fina = read_snapshot(&c, &t->fina, &t->mask))) return false;
    }
    return p == end && init && fina;
}

struct moo_cell moo_cell(const struct moo_snapshot *s, uint32_t i)
{
    return (struct moo_cell){ .addr = ld32(s->ram + 5 * (size_t)i), .value = s->ram[5 * (size_t)i + 4] };
}

bool moo_open(struct moo_file *f, const char *path)
{
    struct chunk c;
    memset(f, 0, sizeof *f);
    f->data = moo_read_all(path, &f->len, f->error, sizeof f->error);
    if (!f->data) return false;
    const uint8_t *p = f->data;
    if (!next_chunk(&p, f->data + f->len, &c) || !is(&c, "MOO ") || c.len < 12) {
        snprintf(f->error, sizeof f->error, "is not a MOO file");
        return false;
    }
    if (c.p[0] != 1) {
        snprintf(f->error, sizeof f->error, "is of version %u.%u, this reads 1.x", c.p[0], c.p[1]);
        return false;
    }
    f->declared = ld32(c.p + 4);
    memcpy(f->cpu, c.p + 8, 4);
    for (unsigned n = 4; n && f->cpu[n - 1] == ' '; n--) f->cpu[n - 1] = 0;
    f->next = (size_t)(p - f->data);
    return true;
}

void moo_close(struct moo_file *f)
{
    free(f->data);
    f->data = NULL;
}

bool moo_next(struct moo_file *f, struct moo_test *t)
{
    const uint8_t *p = f->data + f->next, *end = f->data + f->len;
    for (struct chunk c; next_chunk(&p, end, &c);) {
        f->next = (size_t)(p - f->data);
        if ((is(&c, "RMSK") || is(&c, "RM32")) && !read_regs(&c, &f->mask)) {
            snprintf(f->error, sizeof f->error, "has a damaged mask");
            return false;
        }
        if (!is(&c, "TEST")) continue;
        if (!read_test(&c, t)) {
            snprintf(f->error, sizeof f->error, "has a damaged test %u", (unsigned)f->seen);
            return false;
        }
        f->seen++;
        return true;
    }
    if (p != end) snprintf(f->error, sizeof f->error, "ends within a chunk, after test %u", (unsigned)f->seen);
    else if (f->seen != f->declared)
        snprintf(f->error, sizeof f->error, "has %u tests, and says %u", (unsigned)f->seen, (unsigned)f->declared);
    return false;
}
