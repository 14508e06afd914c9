/* Runs CPU tests captured from real chips: a folder of MOO files with their masks beside them (metadata.json or 80386.csv), or
 * one such file.
 *
 *   vectors DIR|FILE [--cpu MODEL] [--every N] [--only FORM] [--verbose] [--unmasked]
 *
 * Each test gives the registers and memory before and after one instruction. On the 80286 and 386 the instruction was
 * followed by a HLT, which is run too; on the 8086 exactly one instruction is run (REP to its end). FLAGS are compared under
 * the form's mask, and so is the FLAGS word that an exception pushed; --unmasked compares undefined flags too. For each
 * failing form the first difference is printed. Without --cpu the model is the one that the file names. The last line is
 * "N passed, N failed"; status 1 if any failed, 2 if a file cannot be read. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/bytes.h"
#include "cpu/state.h"
#include "tests/insn/moo.h"

enum { FORM_LEN = 64, STEPS_MAX = 300000, SKIPPED = 77, FILES_MAX = 4096 };

static const char *const wide_names[M_COUNT] = {
    "cr0", "cr3", "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "cs", "ds", "es", "fs", "gs", "ss", "eip", "eflags",
    "dr6", "dr7",
};

/* The chips that MOO files name: the model that is one, and how a test ends. */
static const struct chip { const char *id, *model; bool halts; uint16_t flags; } chips[] = {
    { "8086", "8086", false, 0xffff }, { "8088", "8086", false, 0xffff },
    { "C286", "286", true, 0x0fff },          /* the top four bits are random in the capture */
    { "386E", "386", true, 0x7fd5 },
    { "186", NULL, false, 0xffff }, { "V20", NULL, false, 0xffff }, { "V30", NULL, false, 0xffff },
};

/* Bits of a register that the chip defines: the 386 shows ones in those that it reserves. */
static uint32_t defined_bits(enum moo_reg r, const struct chip *chip, bool wide)
{
    switch (r) {
    case M_CR0: return CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_PG;
    case M_CR3: return 0xfffff000;
    case M_CS: case M_DS: case M_ES: case M_FS: case M_GS: case M_SS: return 0xffff;
    case M_EFLAGS: return wide ? chip->flags | FL_RF | FL_VM : chip->flags;
    case M_DR6: return 0xe00f;
    case M_DR7: return 0xffff23ff;
    default: return wide ? 0xffffffff : 0xffff;
    }
}

struct rig {
    struct ram_space ram;
    struct phys_map mem;
    struct port_map ports;
    struct clock clock;
    struct log log;
    struct cpu *cpu;
    struct ram_block *block;
    struct region region;
    const struct chip *chip;
    uint32_t addr_mask;
};

/* ---- the machine ------------------------------------------------------------------------------------------------------ */

static bool rig_init(struct rig *g, const char *model, const struct chip *chip)
{
    struct error e = { "" };
    memset(g, 0, sizeof *g);
    g->chip = chip;
    clock_init(&g->clock, 1000000);
    ram_space_init(&g->ram);
    phys_init(&g->mem, &g->ram, &g->log, 0xffffffff);
    port_init(&g->ports, &g->log);
    g->cpu = cpu_create(&(struct cpu_config){ .model = model, .mem = &g->mem, .ports = &g->ports, .clock = &g->clock,
                                              .log = &g->log }, &e);
    if (!g->cpu) {
        fprintf(stderr, "vectors: %s\n", e.text);
        return false;
    }
    g->addr_mask = (uint32_t)cpu_phys_mask(g->cpu) & 0xffffff;     /* no capture has more than 24 address lines */
    g->mem.addr_mask = g->addr_mask;
    g->block = ram_create(&g->ram, "ram", g->addr_mask + 1, false, true);
    g->region = (struct region){ .name = "ram", .size = g->block->size, .prio = PRIO_RAM, .enabled = true, .reads = true,
                                 .writes = true, .block = g->block };
    region_add(&g->mem, &g->region);
    return true;
}

static void rig_fini(struct rig *g)
{
    if (!g->cpu) return;
    cpu_destroy(g->cpu);
    port_fini(&g->ports);
    phys_fini(&g->mem);
    ram_space_fini(&g->ram);
    clock_fini(&g->clock);
    g->cpu = NULL;
}

static void poke(struct rig *g, uint32_t addr, uint8_t value)
{
    addr &= g->addr_mask;
    g->block->data[addr] = value;
    ram_written(g->block, addr, 1);
}

/* Where our registers are, for both directions. */
static const uint8_t gpr[8] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP };
static const uint8_t segs[6] = { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS };

static void rig_load(struct rig *g, const struct moo_test *t)
{
    struct cpu *c = g->cpu;
    const uint32_t *v = t->init.regs.value;
    cpu_reset(c, true);
    for (unsigned n = 0; n < 8; n++) c->r[gpr[n]] = v[M_EAX + n];
    for (unsigned n = 0; n < 6; n++) seg_load_real(c, segs[n], (uint16_t)v[M_CS + n]);
    c->rip = v[M_EIP];
    eflags_set(c, v[M_EFLAGS] & defined_bits(M_EFLAGS, g->chip, t->init.regs.wide));
    if (t->init.regs.wide) {
        c->cr0 = (c->cr0 & CR0_ET) | (v[M_CR0] & defined_bits(M_CR0, g->chip, true));
        c->cr3 = v[M_CR3] & defined_bits(M_CR3, g->chip, true);
        c->dr[6] = v[M_DR6];
        c->dr[7] = v[M_DR7];
        tlb_flush(c, true);
    }
    cpu_mode_changed(c);
    for (uint32_t n = 0; n < t->init.cells; n++) poke(g, moo_cell(&t->init, n).addr, moo_cell(&t->init, n).value);
}

static bool is_repeated(const struct moo_test *t)
{
    for (uint32_t n = 0; n < t->len; n++) {
        uint8_t b = t->bytes[n];
        if (b == 0xf2 || b == 0xf3) return true;
        if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0xf0 && b != 0xf1) return false;
    }
    return false;
}

static void rig_run(struct rig *g, const struct moo_test *t)
{
    if (g->chip->halts) {
        cpu_run(g->cpu, STEPS_MAX);
        return;
    }
    uint64_t cs = g->cpu->seg[SEG_CS].sel, ip = g->cpu->rip;
    unsigned steps = 0;
    do cpu_run(g->cpu, 1);
    while (is_repeated(t) && g->cpu->rip == ip && g->cpu->seg[SEG_CS].sel == cs && ++steps < STEPS_MAX);
}

static void rig_regs(struct rig *g, uint32_t out[M_COUNT])
{
    struct cpu *c = g->cpu;
    out[M_CR0] = c->cr0;
    out[M_CR3] = (uint32_t)c->cr3;
    for (unsigned n = 0; n < 8; n++) out[M_EAX + n] = (uint32_t)c->r[gpr[n]];
    for (unsigned n = 0; n < 6; n++) out[M_CS + n] = c->seg[segs[n]].sel;
    out[M_EIP] = (uint32_t)c->rip;
    out[M_EFLAGS] = eflags_get(c);
    out[M_DR6] = (uint32_t)c->dr[6];
    out[M_DR7] = (uint32_t)c->dr[7];
}

/* ---- comparison ------------------------------------------------------------------------------------------------------- */

/* Does a FLAGS word lie in memory that an exception pushed? Then at *addr and *addr + 1. */
static bool pushed_flags(const struct rig *g, const struct moo_test *t, const uint32_t want[M_COUNT], bool divide, uint32_t *addr)
{
    uint32_t ss = want[M_SS] & 0xffff, sp = want[M_ESP] & 0xffff;
    if (t->excp) {                       /* the capture gives the bus address, which is even where SP is odd */
        *addr = t->flags_addr | ((ss * 16 + sp) & 1);
        return true;
    }
    if (g->chip->halts || !divide || sp == (t->init.regs.value[M_ESP] & 0xffff)) return false;
    *addr = (ss * 16 + ((sp + 4) & 0xffff)) & g->addr_mask;        /* INT 0 frame of the 8086 set */
    return true;
}

static uint32_t mask_of(const struct moo_regs *m, unsigned r) { return m->given >> r & 1 ? m->value[r] : 0xffffffff; }

/* NULL if the chip and we agree; else what differs. flags: the form's mask. */
static const char *rig_compare(struct rig *g, const struct moo_file *f, const struct moo_test *t, uint32_t flags, bool divide)
{
    static char text[128];
    uint32_t have[M_COUNT], want[M_COUNT], flags_at = 0;
    bool wide = t->init.regs.wide;
    rig_regs(g, have);
    flags &= mask_of(&f->mask, M_EFLAGS) & mask_of(&t->mask, M_EFLAGS) & defined_bits(M_EFLAGS, g->chip, wide);
    for (unsigned r = 0; r < M_COUNT; r++) {
        if (!(t->init.regs.given >> r & 1)) continue;
        want[r] = t->fina.regs.given >> r & 1 ? t->fina.regs.value[r] : t->init.regs.value[r];
        uint32_t mask = mask_of(&f->mask, r) & mask_of(&t->mask, r) & defined_bits((enum moo_reg)r, g->chip, wide);
        if (r == M_EFLAGS) mask = flags;
        if ((have[r] & mask) == (want[r] & mask)) continue;
        const char *name = wide_names[r] + (!wide && wide_names[r][0] == 'e' && r != M_ES);
        int digits = wide ? 8 : 4;
        snprintf(text, sizeof text, "%s is %0*x, the chip has %0*x (mask %0*x)", name, digits,
                 have[r] & defined_bits((enum moo_reg)r, g->chip, wide), digits, want[r], digits, mask);
        return text;
    }
    bool pushed = pushed_flags(g, t, want, divide, &flags_at);
    for (uint32_t n = 0; n < t->fina.cells; n++) {
        struct moo_cell w = moo_cell(&t->fina, n);
        uint8_t mask = 0xff, v = g->block->data[w.addr & g->addr_mask];
        if (pushed && w.addr == flags_at) mask = (uint8_t)flags;
        if (pushed && w.addr == flags_at + 1) mask = (uint8_t)(flags >> 8);
        if ((v & mask) == (w.value & mask)) continue;
        snprintf(text, sizeof text, "byte %05x is %02x, the chip has %02x (mask %02x)", w.addr, v, w.value, mask);
        return text;
    }
    return NULL;
}

static void rig_clean(struct rig *g, const struct moo_test *t, bool failed)
{
    if (failed) {                        /* it may have written anywhere */
        memset(g->block->data, 0, g->block->size);
        ram_written(g->block, 0, g->block->size);
        return;
    }
    for (uint32_t n = 0; n < t->init.cells; n++) poke(g, moo_cell(&t->init, n).addr, 0);
    for (uint32_t n = 0; n < t->fina.cells; n++) poke(g, moo_cell(&t->fina, n).addr, 0);
}

/* ---- forms: "00", "F6.7", "0FBA.4", and on the 386 with size prefixes in front, "676601" ------------------------------- */

struct masks { cJSON *json; char *csv; };

static void masks_load(struct masks *m, const char *dir)
{
    char path[4400], error[160];
    size_t len;
    memset(m, 0, sizeof *m);
    snprintf(path, sizeof path, "%s/metadata.json", dir);
    uint8_t *text = moo_read_all(path, &len, error, sizeof error);
    if (text) m->json = cJSON_ParseWithLength((char *)text, len);
    free(text);
    snprintf(path, sizeof path, "%s/80386.csv", dir);
    m->csv = (char *)moo_read_all(path, &len, error, sizeof error);
}

static void masks_free(struct masks *m)
{
    cJSON_Delete(m->json);
    free(m->csv);
}

/* The form's opcode without size prefixes, and the reg field ("" if none). */
static void form_parts(const char *form, char opcode[16], char reg[8])
{
    while ((strncmp(form, "66", 2) == 0 || strncmp(form, "67", 2) == 0) && strcspn(form, ".") > 2) form += 2;
    size_t n = strcspn(form, ".");
    snprintf(opcode, 16, "%.*s", (int)(n < 15 ? n : 15), form);
    snprintf(reg, 8, "%s", form[n] == '.' ? form + n + 1 : "");
}

static uint32_t json_mask(const cJSON *meta, const char *opcode, const char *reg)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(meta, "opcodes"), opcode);
    if (*reg) o = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "reg"), reg);
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, "flags-mask");
    return cJSON_IsNumber(m) ? 0xffff0000 | (uint32_t)m->valueint : 0xffffffff;
}

static int csv_field(const char *line, const char *name)
{
    size_t n = strlen(name);
    for (int k = 0; *line && *line != '\n'; k++) {
        size_t len = strcspn(line, ",\r\n");
        if (len == n && strncmp(line, name, n) == 0) return k;
        line += len;
        if (*line == ',') line++;
        else break;
    }
    return -1;
}

static bool csv_get(const char *line, int field, char out[16])
{
    for (; field > 0; field--) {
        line += strcspn(line, ",\n");
        if (*line != ',') return false;
        line++;
    }
    size_t len = strcspn(line, ",\r\n");
    snprintf(out, 16, "%.*s", (int)(len < 15 ? len : 15), line);
    return field == 0;
}

static uint32_t csv_mask(const char *csv, const char *opcode, const char *reg)
{
    int op = csv_field(csv, "op"), ex = csv_field(csv, "ex"), mask = csv_field(csv, "f_umask");
    if (op < 0 || ex < 0 || mask < 0) return 0xffffffff;
    for (const char *line = strchr(csv, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char o[16], e[16], m[16];
        if (!csv_get(line + 1, op, o) || !csv_get(line + 1, ex, e) || !csv_get(line + 1, mask, m)) continue;
        if (strcasecmp(o, opcode) || strcmp(e, reg) || !*m) continue;
        uint32_t v = (uint32_t)strtoul(m, NULL, 16) & 0xffff;
        return v & 2 ? 0xffff0000 | v : ~v;      /* bit 1 of FLAGS is never undefined: so it tells which way it is meant */
    }
    return 0xffffffff;
}

static uint32_t form_mask(const struct masks *m, const char *form)
{
    char opcode[16], reg[8];
    form_parts(form, opcode, reg);
    return m->json ? json_mask(m->json, opcode, reg) : m->csv ? csv_mask(m->csv, opcode, reg) : 0xffffffff;
}

static bool form_divides(const char *form)
{
    static const char *const divides[] = { "F6.6", "F6.7", "F7.6", "F7.7", "D4" };
    for (unsigned n = 0; n < sizeof divides / sizeof divides[0]; n++)
        if (strcmp(form, divides[n]) == 0) return true;
    return false;
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

struct run {
    const char *model;                   /* --cpu, or NULL */
    unsigned every;
    bool verbose, unmasked;
    struct masks masks;
    struct rig rig;
    unsigned long passed, failed, unread;
};

/* A machine for the file's chip; the last one where that fits. */
static bool rig_for(struct run *r, const struct moo_file *f)
{
    const struct chip *chip = NULL;
    for (unsigned n = 0; n < sizeof chips / sizeof chips[0]; n++)
        if (strcmp(chips[n].id, f->cpu) == 0) chip = &chips[n];
    if (!chip || (!r->model && !chip->model)) {
        fprintf(stderr, "vectors: there is no model of the chip \"%s\"%s\n", f->cpu, chip ? "; try --cpu" : "");
        return false;
    }
    if (r->rig.cpu && r->rig.chip == chip) return true;
    rig_fini(&r->rig);
    return rig_init(&r->rig, r->model ? r->model : chip->model, chip);
}

static void run_file(struct run *r, const char *path, const char *form)
{
    struct moo_file f;
    struct moo_test t;
    unsigned long passed = 0, failed = 0;
    uint32_t mask = r->unmasked ? 0xffffffff : form_mask(&r->masks, form);
    bool ok = moo_open(&f, path) && rig_for(r, &f);
    while (ok && moo_next(&f, &t)) {
        if ((f.seen - 1) % r->every) continue;
        if (r->unmasked) f.mask.given = t.mask.given = 0;
        rig_load(&r->rig, &t);
        rig_run(&r->rig, &t);
        const char *why = rig_compare(&r->rig, &f, &t, mask, form_divides(form));
        if (why && (!failed || r->verbose)) {
            printf("%-6s test %u (%s", form, (unsigned)f.seen - 1, t.name);
            for (uint32_t n = 0; n < t.len; n++) printf(" %02x", t.bytes[n]);
            printf("): %s\n", why);
        }
        failed += why != NULL;
        passed += why == NULL;
        rig_clean(&r->rig, &t, why != NULL);
    }
    if (f.error[0]) fprintf(stderr, "vectors: %s %s\n", path, f.error);
    if (!ok || f.error[0]) r->unread++;
    if (failed) printf("%-6s %lu of %lu failed\n", form, failed, passed + failed);
    r->passed += passed;
    r->failed += failed;
    moo_close(&f);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool is_moo(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot && strcasecmp(dot, ".gz") == 0) {
        size_t n = (size_t)(dot - name);
        return n > 4 && strncasecmp(dot - 4, ".moo", 4) == 0;
    }
    return dot && strcasecmp(dot, ".moo") == 0;
}

static unsigned list_files(const char *dir, char **names, unsigned max)
{
    DIR *d = opendir(dir);
    unsigned n = 0;
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d)) && n < max;)
        if (is_moo(e->d_name)) names[n++] = strdup(e->d_name);
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

/* "path/F6.7.MOO.gz" -> "F6.7" */
static void form_of(const char *path, char form[FORM_LEN])
{
    const char *name = strrchr(path, '/');
    snprintf(form, FORM_LEN, "%s", name ? name + 1 : path);
    for (char *p = form; *p; p++)
        if (strncasecmp(p, ".moo", 4) == 0) *p = 0;
}

static unsigned run_folder(struct run *r, const char *dir, const char *only)
{
    char *names[FILES_MAX], path[4400], form[FORM_LEN];
    unsigned n = list_files(dir, names, FILES_MAX);
    masks_load(&r->masks, dir);
    if (n && !r->masks.json && !r->masks.csv && !r->unmasked)
        printf("no metadata.json or 80386.csv in %s: without masks in the files, undefined flags are compared too\n", dir);
    for (unsigned k = 0; k < n; k++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[k]);
        form_of(path, form);
        if (!only || strcasecmp(only, form) == 0) run_file(r, path, form);
        free(names[k]);
    }
    masks_free(&r->masks);
    return n;
}

static void run_single(struct run *r, const char *path)
{
    char dir[4400], form[FORM_LEN];
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    masks_load(&r->masks, dir);
    form_of(path, form);
    run_file(r, path, form);
    masks_free(&r->masks);
}

int main(int argc, char **argv)
{
    const char *where = NULL, *only = NULL;
    struct run r = { .every = 1 };
    struct stat st;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--cpu") == 0 && i + 1 < argc) r.model = argv[++i];
        else if (strcmp(argv[i], "--every") == 0 && i + 1 < argc) r.every = (unsigned)strtoul(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
        else if (strcmp(argv[i], "--verbose") == 0) r.verbose = true;
        else if (strcmp(argv[i], "--unmasked") == 0) r.unmasked = true;
        else if (argv[i][0] != '-' && !where) where = argv[i];
        else where = NULL, i = argc;
    }
    if (!where || !r.every) {
        fprintf(stderr, "usage: vectors DIR|FILE [--cpu MODEL] [--every N] [--only FORM] [--verbose] [--unmasked]\n");
        return 2;
    }
    if (stat(where, &st) == 0 && S_ISREG(st.st_mode)) run_single(&r, where);
    else if (!run_folder(&r, where, only)) {
        printf("skipped: there are no vectors in %s\n", where);
        return SKIPPED;
    }
    rig_fini(&r.rig);
    if (r.unread) printf("%lu files could not be read to the end\n", r.unread);
    printf("%lu passed, %lu failed\n", r.passed, r.failed);
    return r.unread ? 2 : r.failed != 0;
}
