/* Runs the arithmetic vectors: every file of a folder named OPERATION[_rROUNDING][_pPRECISION].txt.xz.
 *
 *   fpvectors [DIR [EVERY]]        DIR: $BEIGE_VECTORS/fp, ../shared/vectors/fp
 *
 * One test a line, in hex: operands, result, exception flags (1 inexact, 2 underflow, 4 overflow, 8 divide by zero, 10h
 * invalid). The vectors do not know the denormal-operand flag. EVERY runs one test in so many. The last line of the output
 * is "N passed, N failed"; the status is 1 if any failed. extF80_rem is the full remainder: FPREM1 is iterated. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/softfloat.h"
#include "cpu/state.h"

enum { FAILURES_SHOWN = 3, SKIPPED = 77 };

struct value { uint64_t lo; uint16_t hi; };                   /* up to 80 bits */

struct operation {
    const char *name;
    unsigned operands;
    struct value (*run)(const struct value *in, struct sf *s);
};

static struct f80 to_f80(struct value v) { return (struct f80){ .mant = v.lo, .se = v.hi }; }
static struct value of_f80(struct f80 a) { return (struct value){ a.mant, a.se }; }
static struct value of_int(uint64_t v) { return (struct value){ v, 0 }; }

#define BINARY(op) static struct value ext_##op(const struct value *in, struct sf *s) \
    { return of_f80(f80_##op(to_f80(in[0]), to_f80(in[1]), s)); }
BINARY(add) BINARY(sub) BINARY(mul) BINARY(div)
#define SSE(w, op) static struct value f##w##_##op##_(const struct value *in, struct sf *s) \
    { return of_int(f##w##_##op((uint##w##_t)in[0].lo, (uint##w##_t)in[1].lo, s)); }
SSE(32, add) SSE(32, mul) SSE(32, div) SSE(64, add) SSE(64, mul) SSE(64, div)
static struct value f32_sqrt_(const struct value *in, struct sf *s) { return of_int(f32_sqrt((uint32_t)in[0].lo, s)); }
static struct value f64_sqrt_(const struct value *in, struct sf *s) { return of_int(f64_sqrt(in[0].lo, s)); }
static struct value ext_sqrt(const struct value *in, struct sf *s) { return of_f80(f80_sqrt(to_f80(in[0]), s)); }
static struct value ext_round(const struct value *in, struct sf *s) { return of_f80(f80_round(to_f80(in[0]), s)); }

static struct value ext_rem(const struct value *in, struct sf *s)
{
    struct f80 a = to_f80(in[0]);
    bool partial;
    unsigned quotient;
    do a = f80_rem(a, to_f80(in[1]), true, &quotient, &partial, s);
    while (partial);
    return of_f80(a);
}

static int compare(const struct value *in, bool quiet, struct sf *s)
{
    return f80_compare(to_f80(in[0]), to_f80(in[1]), quiet, s);
}
static struct value ext_eq(const struct value *in, struct sf *s) { return of_int(compare(in, true, s) == SF_EQUAL); }
static struct value ext_eq_sig(const struct value *in, struct sf *s) { return of_int(compare(in, false, s) == SF_EQUAL); }
static struct value ext_le(const struct value *in, struct sf *s) { return of_int(compare(in, false, s) <= SF_EQUAL); }
static struct value ext_lt(const struct value *in, struct sf *s) { return of_int(compare(in, false, s) == SF_LESS); }
static struct value ext_lt_quiet(const struct value *in, struct sf *s) { return of_int(compare(in, true, s) == SF_LESS); }
static struct value ext_to_f32(const struct value *in, struct sf *s) { return of_int(f80_to_f32(to_f80(in[0]), s)); }
static struct value ext_to_f64(const struct value *in, struct sf *s) { return of_int(f80_to_f64(to_f80(in[0]), s)); }
static struct value ext_to_i32(const struct value *in, struct sf *s)
{
    return of_int((uint32_t)f80_to_int(to_f80(in[0]), 32, false, s));
}
static struct value ext_to_i64(const struct value *in, struct sf *s)
{
    return of_int((uint64_t)f80_to_int(to_f80(in[0]), 64, false, s));
}
static struct value f32_to_ext(const struct value *in, struct sf *s) { return of_f80(f80_from_f32((uint32_t)in[0].lo, s)); }
static struct value f64_to_ext(const struct value *in, struct sf *s) { return of_f80(f80_from_f64(in[0].lo, s)); }
static struct value i32_to_ext(const struct value *in, struct sf *s)
{
    (void)s;
    return of_f80(f80_from_i64((int32_t)in[0].lo));
}
static struct value i64_to_ext(const struct value *in, struct sf *s)
{
    (void)s;
    return of_f80(f80_from_i64((int64_t)in[0].lo));
}

static const struct operation operations[] = {
    { "extF80_add", 2, ext_add }, { "extF80_sub", 2, ext_sub }, { "extF80_mul", 2, ext_mul }, { "extF80_div", 2, ext_div },
    { "extF80_sqrt", 1, ext_sqrt }, { "extF80_rem", 2, ext_rem }, { "extF80_roundToInt", 1, ext_round },
    { "extF80_eq_signaling", 2, ext_eq_sig }, { "extF80_eq", 2, ext_eq }, { "extF80_le", 2, ext_le },
    { "extF80_lt_quiet", 2, ext_lt_quiet }, { "extF80_lt", 2, ext_lt },
    { "extF80_to_f32", 1, ext_to_f32 }, { "extF80_to_f64", 1, ext_to_f64 },
    { "extF80_to_i32", 1, ext_to_i32 }, { "extF80_to_i64", 1, ext_to_i64 },
    { "f32_to_extF80", 1, f32_to_ext }, { "f64_to_extF80", 1, f64_to_ext },
    { "i32_to_extF80", 1, i32_to_ext }, { "i64_to_extF80", 1, i64_to_ext },
    { "f32_add", 2, f32_add_ }, { "f32_mul", 2, f32_mul_ }, { "f32_div", 2, f32_div_ }, { "f32_sqrt", 1, f32_sqrt_ },
    { "f64_add", 2, f64_add_ }, { "f64_mul", 2, f64_mul_ }, { "f64_div", 2, f64_div_ }, { "f64_sqrt", 1, f64_sqrt_ },
};

/* The operation that the file name begins with, and the environment that its suffixes name. */
static const struct operation *parse_name(const char *name, struct sf *s)
{
    static const struct { const char *suffix; uint8_t rc; } roundings[] = {
        { "_rnear_even", SF_NEAREST }, { "_rminMag", SF_CHOP }, { "_rmin", SF_DOWN }, { "_rmax", SF_UP },
    };
    *s = (struct sf){ .prec = 64, .masks = SF_EXCEPTIONS };
    const char *rest = name;
    const struct operation *op = NULL;
    for (unsigned k = 0; k < sizeof operations / sizeof operations[0] && !op; k++) {
        size_t len = strlen(operations[k].name);
        if (!strncmp(name, operations[k].name, len) && (name[len] == '.' || !strncmp(name + len, "_r", 2))) {
            op = &operations[k];
            rest = name + len;
        }
    }
    for (unsigned k = 0; k < 4; k++) {
        size_t len = strlen(roundings[k].suffix);
        if (!strncmp(rest, roundings[k].suffix, len)) {
            s->rc = roundings[k].rc;
            rest += len;
            break;
        }
    }
    if (!strncmp(rest, "_p32", 4)) s->prec = 24;
    if (!strncmp(rest, "_p64", 4)) s->prec = 53;
    return op;
}

static bool parse_value(char **line, struct value *v)
{
    char *p = *line + strspn(*line, " ");
    size_t len = strspn(p, "0123456789ABCDEFabcdef");
    if (!len || len > 20) return false;
    char digits[24];
    memcpy(digits, p, len);
    digits[len] = 0;
    *line = p + len;
    if (len == 20) {
        v->lo = strtoull(digits + 4, NULL, 16);
        digits[4] = 0;
        v->hi = (uint16_t)strtoul(digits, NULL, 16);
    } else {
        v->lo = strtoull(digits, NULL, 16);
        v->hi = 0;
    }
    return true;
}

static unsigned vector_flags(unsigned flags)
{
    return (flags & SF_PE ? 1u : 0) | (flags & SF_UE ? 2u : 0) | (flags & SF_OE ? 4u : 0) | (flags & SF_ZE ? 8u : 0) |
           (flags & SF_IE ? 16u : 0);
}

static int run_file(const char *dir, const char *name, unsigned every, unsigned long *passed, unsigned long *failed)
{
    struct sf env;
    const struct operation *op = parse_name(name, &env);
    if (!op) {
        fprintf(stderr, "fpvectors: %s: unknown operation\n", name);
        return 1;
    }
    char command[1024], line[256];
    if ((size_t)snprintf(command, sizeof command, "xz -dc '%s/%s'", dir, name) >= sizeof command) return 1;
    FILE *in = popen(command, "r");
    if (!in) {
        perror("fpvectors: xz");
        return 1;
    }
    unsigned long bad = 0, good = 0, number = 0;
    while (fgets(line, sizeof line, in)) {
        if (number++ % every) continue;
        struct value v[4] = { { 0, 0 } };
        char *p = line;
        bool ok = true;
        for (unsigned k = 0; k < op->operands + 2; k++) ok = ok && parse_value(&p, &v[k]);
        struct sf s = env;
        struct value r = op->run(v, &s);
        const struct value *want = &v[op->operands], *flags = want + 1;
        if (ok && r.lo == want->lo && r.hi == want->hi && vector_flags(s.flags) == flags->lo) {
            good++;
        } else if (bad++ < FAILURES_SHOWN) {
            printf("%s: %.*s: got %04x%016llx %02x\n", name, (int)strcspn(line, "\n"), line, r.hi,
                   (unsigned long long)r.lo, vector_flags(s.flags));
        }
    }
    if (pclose(in) || !number) {
        fprintf(stderr, "fpvectors: %s: cannot be read\n", name);
        return 1;
    }
    if (bad) printf("%s: %lu passed, %lu failed\n", name, good, bad);
    *passed += good;
    *failed += bad;
    return 0;
}

int main(int argc, char **argv)
{
    const char *root = getenv("BEIGE_VECTORS");
    char dir[512];
    if (argc > 1) snprintf(dir, sizeof dir, "%s", argv[1]);
    else snprintf(dir, sizeof dir, "%s/fp", root ? root : "../shared/vectors");
    unsigned every = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    if (!every || argc > 3) {
        fprintf(stderr, "usage: fpvectors [DIR [EVERY]]\n");
        return 2;
    }
    DIR *d = opendir(dir);
    if (!d) {
        printf("fpvectors: skipped: no vectors in %s\n0 passed, 0 failed\n", dir);
        return argc > 1 ? 2 : SKIPPED;
    }
    unsigned long passed = 0, failed = 0;
    int status = 0;
    for (struct dirent *e; (e = readdir(d));) {
        const char *end = strstr(e->d_name, ".txt.xz");
        if (end && !end[7] && !strchr(e->d_name, '\'')) status |= run_file(dir, e->d_name, every, &passed, &failed);
    }
    closedir(d);
    printf("%lu passed, %lu failed\n", passed, failed);
    return status || failed || !passed;
}
