/* State tables for people and tests: printing, comparing, looking up by path, and the check that a table names every
 * byte of its struct. */
#include "base/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/state_walk.h"

enum { PATH_MAX_LEN = 256, NAME_COLUMN_MAX = 24 };

/* ---- one value as text */

static void format_time(char *buf, size_t size, vtime t)
{
    if (t == VTIME_NEVER) {
        snprintf(buf, size, "never");
        return;
    }
    uint64_t ns = vtime_ns(t);
    int n = snprintf(buf, size, "%" PRIu64 ".%09" PRIu64 " s", ns / 1000000000u, ns % 1000000000u);
    if ((uint32_t)t && n > 0 && (size_t)n < size) snprintf(buf + n, size - (size_t)n, " + 0x%08" PRIx32 "/2^32 ns", (uint32_t)t);
}

/* Small numbers in decimal, others in hexadecimal with the decimal value behind. */
static void format_value(char *buf, size_t size, enum state_type type, const void *p)
{
    switch (type) {
    case STATE_BOOL:
        snprintf(buf, size, "%s", state_int_get(type, p) ? "yes" : "no");
        break;
    case STATE_IRQ:
        snprintf(buf, size, "%s", ((const struct irq_line *)p)->level ? "high" : "low");
        break;
    case STATE_VTIME:
    case STATE_TIMER:
        format_time(buf, size, state_time_get(type, p));
        break;
    default: {
        uint64_t v = state_int_get(type, p);
        if (v < 10) snprintf(buf, size, "%" PRIu64, v);
        else snprintf(buf, size, "0x%" PRIx64 " (%" PRIu64 ")", v, v);
    }
    }
}

/* ---- printing */

static void print_help(FILE *out, const struct state_field *f)
{
    if (f->help) fprintf(out, "  ; %s", f->help);
    fputc('\n', out);
}

/* Rows of 16 elements with the index in front; rows equal to the one before are folded into one "*". */
static void print_array(const struct state_field *f, const char *p, uint32_t used, FILE *out, unsigned indent)
{
    uint32_t step = state_elem_size(f);
    unsigned per_row = f->type == STATE_U64 ? 4 : f->type == STATE_U32 ? 8 : 16;
    bool folded = false;
    for (uint32_t k = 0; k < used; k += per_row) {
        uint32_t n = used - k < per_row ? used - k : per_row;
        const char *row = p + (size_t)k * step;
        if (k >= per_row && n == per_row && memcmp(row, row - (size_t)per_row * step, (size_t)n * step) == 0) {
            if (!folded) fprintf(out, "%*s*\n", (int)indent, "");
            folded = true;
            continue;
        }
        folded = false;
        fprintf(out, "%*s%4" PRIu32 ":", (int)indent, "", k);
        for (uint32_t j = 0; j < n; j++)
            fprintf(out, " %0*" PRIx64, (int)(f->type == STATE_BOOL ? 1 : 2 * step),
                    state_int_get(f->type, row + (size_t)j * step));
        fputc('\n', out);
    }
}

static int name_column(const struct state_desc *d)
{
    size_t width = 0;
    for (uint32_t i = 0; i < d->num; i++) {
        size_t n = strlen(d->fields[i].name);
        if (d->fields[i].kind == KIND_STATE && d->fields[i].count == 1 && n > width && n <= NAME_COLUMN_MAX) width = n;
    }
    return (int)width;
}

void state_print(const struct state_desc *d, const void *obj, FILE *out, unsigned indent)
{
    int column = name_column(d);
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind != KIND_STATE) continue;
        const char *p = (const char *)obj + f->off;
        uint32_t used = state_used(d, obj, f), step = state_elem_size(f);
        char text[96];
        if (f->type != STATE_STRUCT && f->count == 1 && !f->counter) {
            format_value(text, sizeof text, f->type, p);
            fprintf(out, "%*s%-*s = %s", (int)indent, "", column, f->name, text);
            print_help(out, f);
        } else if (f->type == STATE_STRUCT || !state_is_int(f->type)) {
            for (uint32_t k = 0; k < used; k++) {
                fprintf(out, "%*s%s", (int)indent, "", f->name);
                if (f->count > 1) fprintf(out, "[%" PRIu32 "]", k);
                if (f->type == STATE_STRUCT) {
                    print_help(out, f);
                    state_print(f->sub, p + (size_t)k * step, out, indent + 2);
                } else {
                    format_value(text, sizeof text, f->type, p + (size_t)k * step);
                    fprintf(out, " = %s", text);
                    print_help(out, f);
                }
            }
        } else {
            fprintf(out, "%*s%s[%" PRIu32 "]", (int)indent, "", f->name, used);
            print_help(out, f);
            print_array(f, p, used, out, indent + 2);
        }
    }
}

/* ---- comparing */

static bool value_equal(enum state_type type, const void *a, const void *b)
{
    if (type == STATE_VTIME || type == STATE_TIMER) return state_time_get(type, a) == state_time_get(type, b);
    if (type == STATE_IRQ) return ((const struct irq_line *)a)->level == ((const struct irq_line *)b)->level;
    return state_int_get(type, a) == state_int_get(type, b);
}

unsigned state_compare(const struct state_desc *d, const void *a, const void *b, FILE *out, const char *path)
{
    unsigned differences = 0;
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind != KIND_STATE) continue;
        uint32_t used_a = state_used(d, a, f), used_b = state_used(d, b, f), step = state_elem_size(f);
        uint32_t both = used_a < used_b ? used_a : used_b;
        char where[PATH_MAX_LEN];
        for (uint32_t k = 0; k < both; k++) {
            const char *pa = (const char *)a + f->off + (size_t)k * step;
            const char *pb = (const char *)b + f->off + (size_t)k * step;
            if (f->type != STATE_STRUCT && value_equal(f->type, pa, pb)) continue;
            const char *dot = path[0] ? "." : "";
            if (f->count > 1) snprintf(where, sizeof where, "%s%s%s[%" PRIu32 "]", path, dot, f->name, k);
            else snprintf(where, sizeof where, "%s%s%s", path, dot, f->name);
            if (f->type == STATE_STRUCT) {
                differences += state_compare(f->sub, pa, pb, out, where);
                continue;
            }
            differences++;
            if (!out) continue;
            char ta[96], tb[96];
            format_value(ta, sizeof ta, f->type, pa);
            format_value(tb, sizeof tb, f->type, pb);
            fprintf(out, "%s: %s -> %s\n", where, ta, tb);
        }
        /* Elements that only one side uses show as a difference of the counter, which is a field of its own. */
    }
    return differences;
}

/* ---- coverage */

/* Marks in `map` how often each byte of the struct at `base` is named. Returns the number of errors in the table itself. */
static unsigned cover(const struct state_desc *d, uint8_t *map, size_t base, size_t size, FILE *out, unsigned depth)
{
    unsigned errors = 0;
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        const char *wrong = NULL;
        const struct state_field *c = f->counter ? state_field_named(d, f->counter, strlen(f->counter)) : NULL;
        if (!f->count || f->size % f->count) wrong = "is not a whole number of elements";
        else if ((size_t)f->off + f->size > size) wrong = "lies outside the struct";
        else if (f->type == STATE_OPAQUE && f->kind == KIND_STATE) wrong = "is opaque but STATE";
        else if (f->type == STATE_STRUCT && (!f->sub || f->sub->size != state_elem_size(f))) wrong = "has a table of another size";
        else if (f->counter && (!c || c > f || c->kind != KIND_STATE || !state_is_int(c->type))) wrong = "has no counter before it";
        else if (depth > STATE_DEPTH_MAX) wrong = "is nested too deeply";
        if (wrong) {
            errors++;
            if (out) fprintf(out, "%s.%s %s\n", d->name, f->name, wrong);
            continue;
        }
        for (uint32_t k = 0; k < f->count; k++) {
            size_t at = base + f->off + (size_t)k * state_elem_size(f);
            if (f->type == STATE_STRUCT) {
                errors += cover(f->sub, map, at, f->sub->size, out, depth + 1);
                continue;
            }
            for (uint32_t j = 0; j < state_elem_size(f); j++)
                if (map[at + j] < 2) map[at + j]++;
        }
    }
    return errors;
}

unsigned state_uncovered(const struct state_desc *d, FILE *out)
{
    uint8_t *map = calloc(d->size + 1u, 1);
    if (!map) return d->size;
    unsigned wrong = cover(d, map, 0, d->size, out, 0);
    for (uint32_t i = 0; i < d->size;) {
        uint32_t end = i;
        while (end < d->size && map[end] == map[i]) end++;
        if (map[i] != 1) {
            wrong += end - i;
            if (out)
                fprintf(out, "%s: bytes %" PRIu32 " to %" PRIu32 " are named by %s\n", d->name, i, end - 1,
                        map[i] ? "two fields" : "no field");
        }
        i = end;
    }
    free(map);
    return wrong;
}

/* ---- tests and the monitor */

void state_poison(const struct state_desc *d, void *obj, uint8_t byte)
{
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        char *p = (char *)obj + f->off;
        if (f->kind == KIND_DERIVED) memset(p, byte, f->size);
        if (f->kind != KIND_STATE || f->type != STATE_STRUCT) continue;
        for (uint32_t k = 0; k < f->count; k++) state_poison(f->sub, p + (size_t)k * state_elem_size(f), byte);
    }
}

/* The field that `path` begins with; the rest of the path in *rest. A name may itself hold dots (FIELD(T, regs.mode)). */
static const struct state_field *field_at(const struct state_desc *d, const char *path, const char **rest)
{
    for (uint32_t i = 0; i < d->num; i++) {
        const struct state_field *f = &d->fields[i];
        size_t n = strlen(f->name);
        if (f->kind != KIND_STATE || strncmp(path, f->name, n) != 0) continue;
        if (path[n] && path[n] != '[' && path[n] != '.') continue;
        *rest = path + n;
        return f;
    }
    return NULL;
}

bool state_get(const struct state_desc *d, const void *obj, const char *path, uint64_t *value)
{
    for (;;) {
        const struct state_field *f = field_at(d, path, &path);
        if (!f) return false;
        unsigned long k = 0;
        if (*path == '[') {
            char *end;
            if (path[1] < '0' || path[1] > '9') return false;
            k = strtoul(path + 1, &end, 10);
            if (*end != ']') return false;
            path = end + 1;
        } else if (f->count != 1) {
            return false;
        }
        if (k >= f->count) return false;
        obj = (const char *)obj + f->off + k * state_elem_size(f);
        if (f->type == STATE_STRUCT) {
            if (*path != '.') return false;
            path++;
            d = f->sub;
            continue;
        }
        if (*path) return false;
        if (state_is_int(f->type)) {
            *value = state_int_get(f->type, obj);
        } else if (f->type == STATE_IRQ) {
            *value = ((const struct irq_line *)obj)->level;
        } else {
            vtime t = state_time_get(f->type, obj);
            *value = t == VTIME_NEVER ? UINT64_MAX : vtime_ns(t);
        }
        return true;
    }
}
