/* Fragments as text: see native_fragment.h. */
#include "tests/insn/native_fragment.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "tests/insn/native_gen.h"

enum { FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, LINE = 400 };

/* Registers of struct image: host integers, or bytes of the FXSAVE image. */
enum kind { K32, K16, KBYTES };
struct field { char name[8]; uint8_t kind, size; uint16_t off; };
#define R32(n, member) { n, K32, 4, (uint16_t)offsetof(struct image, member) }
#define SREG(n, k) { n, K16, 2, (uint16_t)(offsetof(struct image, seg) + 2 * (k)) }
#define GPR(n, k) { n, K32, 4, (uint16_t)(offsetof(struct image, r) + 4 * (k)) }
#define FX(n, at, len) { n, KBYTES, len, at }
#define ST(n) FX("st" #n, FX_ST + 16 * n, 10)
#define XMM(n) FX("xmm" #n, FX_XMM + 16 * n, 16)
static const struct field fields[] = {
    R32("vector", vector), R32("error", error), R32("cr2", cr2), R32("eip", eip), R32("eflags", eflags),
    GPR("eax", 0), GPR("ecx", 1), GPR("edx", 2), GPR("ebx", 3), GPR("esp", 4), GPR("ebp", 5), GPR("esi", 6), GPR("edi", 7),
    SREG("cs", N_CS), SREG("ss", N_SS), SREG("ds", N_DS), SREG("es", N_ES), SREG("fs", N_FS), SREG("gs", N_GS),
    FX("fcw", 0, 2), FX("fsw", 2, 2), FX("ftag", 4, 1), FX("mxcsr", FX_MXCSR, 4),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static void image_default(struct image *i, unsigned mode)
{
    memset(i, 0, sizeof *i);
    i->vector = NO_VECTOR;
    i->eflags = 0x202;
    i->r[4] = WINDOW + DATA + PAGE;
    for (unsigned n = 0; n < 6; n++) i->seg[n] = SEL_DATA;
    i->seg[N_CS] = mode == 16 ? LDT_SEL(LDT_CODE16) : SEL_CODE;
    st16(i->fx, 0x37f);
    st32(i->fx + FX_MXCSR, 0x1f80);
}

/* Most significant byte first. */
static void field_get(const struct image *i, const struct field *f, uint8_t v[16])
{
    const uint8_t *p = (const uint8_t *)i + f->off;
    uint32_t word = 0;
    if (f->kind == K32) memcpy(&word, p, 4);
    if (f->kind == K16) {
        uint16_t half;
        memcpy(&half, p, 2);
        word = half;
    }
    for (unsigned n = 0; n < f->size; n++)
        v[f->size - 1 - n] = f->kind == KBYTES ? p[n] : (uint8_t)(word >> (8 * n));
}

static void field_set(struct image *i, const struct field *f, const uint8_t v[16])
{
    uint8_t *p = (uint8_t *)i + f->off;
    uint32_t word = 0;
    for (unsigned n = 0; n < f->size; n++) {
        if (f->kind == KBYTES) p[n] = v[f->size - 1 - n];
        else word = word << 8 | v[n];
    }
    uint16_t half = (uint16_t)word;
    if (f->kind == K32) memcpy(p, &word, 4);
    if (f->kind == K16) memcpy(p, &half, 2);
}

/* ---- writing */

static void print_fields(FILE *out, const char *name, const struct image *i, const struct image *base)
{
    unsigned on_line = 0;
    for (unsigned k = 0; k < FIELDS; k++) {
        uint8_t v[16], was[16];
        field_get(i, &fields[k], v);
        field_get(base, &fields[k], was);
        if (!memcmp(v, was, fields[k].size)) continue;
        fprintf(out, "%s %s=", on_line++ % 6 ? "" : name, fields[k].name);
        unsigned n = 0;
        while (n + 1u < fields[k].size && !v[n]) n++;
        fprintf(out, "%x", v[n]);
        while (++n < fields[k].size) fprintf(out, "%02x", v[n]);
        if (on_line % 6 == 0) fprintf(out, "\n");
    }
    if (on_line % 6) fprintf(out, "\n");
}

void fragment_print(FILE *out, const struct test_case *t)
{
    struct image base;
    unsigned mode = t->in.seg[N_CS] == LDT_SEL(LDT_CODE16) ? 16 : 32;
    image_default(&base, mode);
    fprintf(out, "form %s", case_name(t));
    if (t->wide) fprintf(out, " wide=1");
    if (t->steps != 1) fprintf(out, " steps=%u", t->steps);
    if (t->ea) fprintf(out, " ea=%x", t->ea);
    fprintf(out, "\ncode %u", mode);
    for (unsigned n = 0; n < t->len; n++) fprintf(out, " %02x", t->bytes[n]);
    fprintf(out, "\n");
    print_fields(out, "in", &t->in, &base);
    for (unsigned n = 0; n < PATCHES; n++) {
        if (!t->patch[n].len) continue;
        fprintf(out, "at %x", WINDOW + DATA + t->patch[n].at);
        for (unsigned k = 0; k < t->patch[n].len; k++) fprintf(out, " %02x", t->patch[n].bytes[k]);
        fprintf(out, "\n");
    }
    print_fields(out, "out", &t->host.image, &t->in);
    for (unsigned n = 0; n < t->host.changes && n < CHANGES; n++)
        fprintf(out, "mem %x %x\n", WINDOW + DATA + t->host.change[n].at, t->host.change[n].value);
}

/* ---- reading */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* name=hex */
static bool read_field(struct image *i, const char *word)
{
    const char *eq = strchr(word, '=');
    for (unsigned k = 0; eq && k < FIELDS; k++) {
        if (strncmp(word, fields[k].name, (size_t)(eq - word)) || fields[k].name[eq - word]) continue;
        uint8_t v[16] = { 0 };
        size_t len = strlen(eq + 1);
        if (!len || len > 2u * fields[k].size) return false;
        for (size_t n = 0; n < len; n++) {
            int d = hex_digit(eq[len - n]);
            if (d < 0) return false;
            v[fields[k].size - 1 - n / 2] |= (uint8_t)(n & 1 ? d << 4 : d);
        }
        field_set(i, &fields[k], v);
        return true;
    }
    return false;
}

static bool read_form(struct test_case *t, char *words)
{
    char *name = strtok(words, " \n");
    unsigned row = 0;
    while (name && row < op_codes_count && strcmp(row_name((enum op)op_codes[row].op), name)) row++;
    if (!name || row == op_codes_count) return false;
    t->row = (uint16_t)row;
    for (char *w; (w = strtok(NULL, " \n")) != NULL;) {
        if (!strcmp(w, "wide=1")) t->wide = true;
        else if (!strncmp(w, "steps=", 6)) t->steps = (uint8_t)strtoul(w + 6, NULL, 10);
        else if (!strncmp(w, "ea=", 3)) t->ea = (uint32_t)strtoul(w + 3, NULL, 16);
        else return false;
    }
    return t->steps == 1 || t->steps == 2;
}

static bool read_code(struct test_case *t, char *words)
{
    char *w = strtok(words, " \n");
    if (!w || (strcmp(w, "16") && strcmp(w, "32"))) return false;
    image_default(&t->in, (unsigned)atoi(w));
    while ((w = strtok(NULL, " \n")) != NULL) {
        if (t->len == STEP_MAX) return false;
        t->bytes[t->len++] = (uint8_t)strtoul(w, NULL, 16);
    }
    return t->len > 0;
}

static bool read_at(struct test_case *t, char *words)
{
    struct patch *p = t->patch[0].len ? &t->patch[1] : &t->patch[0];
    char *w = strtok(words, " \n");
    uint32_t at = (w ? (uint32_t)strtoul(w, NULL, 16) : 0) - WINDOW - DATA;
    if (p->len || at >= DATA_SIZE) return false;
    p->at = (uint16_t)at;
    while ((w = strtok(NULL, " \n")) != NULL) {
        if (p->len == PATCH_MAX || at + p->len >= DATA_SIZE) return false;
        p->bytes[p->len++] = (uint8_t)strtoul(w, NULL, 16);
    }
    return p->len > 0;
}

static bool read_mem(struct test_case *t, char *words)
{
    char *at = strtok(words, " \n"), *value = strtok(NULL, " \n");
    struct outcome *o = &t->host;
    if (!at || !value || o->changes == CHANGES) return false;
    o->change[o->changes++] = (struct change){ .at = (uint32_t)strtoul(at, NULL, 16) - WINDOW - DATA,
                                               .value = (uint32_t)strtoul(value, NULL, 16) };
    return true;
}

static bool read_fields(struct image *i, char *words)
{
    for (char *w = strtok(words, " \n"); w; w = strtok(NULL, " \n"))
        if (!read_field(i, w)) return false;
    return true;
}

bool fragment_read(FILE *in, struct test_case *t, char *error, size_t error_size)
{
    char line[LINE], word[8];
    unsigned number = 0;
    bool code = false, out = false, ok = true;
    memset(t, 0, sizeof *t);
    t->steps = 1;
    while (ok && fgets(line, sizeof line, in)) {
        number++;
        int skip = 0;
        if (line[0] == '#' || line[0] == '\n') continue;
        ok = sscanf(line, "%7s%n", word, &skip) == 1;
        if (!ok) break;
        if (!strcmp(word, "form")) ok = read_form(t, line + skip);
        else if (!strcmp(word, "code")) ok = code = read_code(t, line + skip);
        else if (!strcmp(word, "in")) ok = code && !out && read_fields(&t->in, line + skip);
        else if (!strcmp(word, "at")) ok = read_at(t, line + skip);
        else if (!strcmp(word, "mem")) ok = read_mem(t, line + skip);
        else if (!strcmp(word, "out")) {
            if (!out) t->host.image = t->in;
            out = true;
            ok = code && read_fields(&t->host.image, line + skip);
        } else {
            ok = false;
        }
    }
    if (ok && code && out && t->in.eip) return true;
    snprintf(error, error_size, ok ? "has no code, in or out" : "line %u is wrong", number);
    return false;
}
