/* Runs CPU tests captured from real chips: a folder of MOO files (MOO 1.x, gzip or not) with metadata.json beside them.
 *
 *   vectors DIR [--cpu MODEL] [--every N] [--only FORM] [--verbose]
 *
 * Each test gives the registers and memory before and after one instruction. On the 80286 the instruction was followed by a
 * HLT, which is run too; on the 8086 exactly one instruction is run (REP to its end). FLAGS are compared under the form's
 * flags-mask, and so is the FLAGS word that an exception pushed. For each failing form the first difference is printed.
 * The last line is "N passed, N failed"; the status is 1 if any failed. docs/testing.md says where the vectors come from. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/bytes.h"
#include "cpu/state.h"

enum { FLAGS = 13, IP = 12, REGS = 14, FORM_LEN = 64, STEPS_MAX = 300000, SKIPPED = 77 };
static const char *const reg_names[REGS] = { "ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip",
                                             "flags" };

struct cell { uint32_t addr; uint8_t value; };
struct snapshot {
    uint32_t mask;                       /* registers given */
    uint16_t reg[REGS];
    const uint8_t *ram;                  /* count entries of 5 bytes */
    uint32_t cells;
};
struct test {
    uint32_t index;
    char name[FORM_LEN];
    struct snapshot init, fina;
    bool excp;
    uint8_t vector;
    uint32_t flags_addr;
    const uint8_t *bytes;
    uint32_t len;
};

struct rig {
    struct ram_space ram;
    struct phys_map mem;
    struct port_map ports;
    struct clock clock;
    struct log log;
    struct cpu *cpu;
    struct ram_block *block;
    struct region region;
    bool halts;                          /* 80286 set: run to HLT */
    uint32_t addr_mask;
};

/* ---- reading files ---------------------------------------------------------------------------------------------------- */

static uint8_t *read_all(const char *path, size_t *len)
{
    gzFile f = gzopen(path, "rb");
    size_t cap = 1 << 20;
    uint8_t *p = malloc(cap + 1);
    *len = 0;
    if (!f || !p) {
        fprintf(stderr, "vectors: cannot read %s\n", path);
        exit(1);
    }
    for (int n; (n = gzread(f, p + *len, (unsigned)(cap - *len))) > 0;) {
        *len += (size_t)n;
        if (*len == cap) p = realloc(p, (cap *= 2) + 1);
    }
    gzclose(f);
    p[*len] = 0;
    return p;
}

/* Looks for a chunk in [p, end); returns its payload and length. */
static const uint8_t *chunk(const uint8_t *p, const uint8_t *end, const char *id, uint32_t *len)
{
    while (end - p >= 8) {
        uint32_t n = ld32(p + 4);
        if (n > (size_t)(end - p - 8)) return NULL;
        if (memcmp(p, id, 4) == 0) {
            *len = n;
            return p + 8;
        }
        p += 8 + n;
    }
    return NULL;
}

static bool read_snapshot(const uint8_t *p, uint32_t len, struct snapshot *s)
{
    uint32_t n;
    const uint8_t *end = p + len, *q = chunk(p, end, "REGS", &n);
    memset(s, 0, sizeof *s);
    if (q && n >= 2) {
        s->mask = ld16(q);
        q += 2;
        for (unsigned r = 0; r < REGS; r++)
            if (s->mask >> r & 1) {
                s->reg[r] = ld16(q);
                q += 2;
            }
    }
    q = chunk(p, end, "RAM ", &n);
    if (q && n >= 4 && ld32(q) <= (n - 4) / 5) {
        s->cells = ld32(q);
        s->ram = q + 4;
    }
    return true;
}

static bool read_test(const uint8_t *p, uint32_t len, struct test *t)
{
    const uint8_t *end = p + len, *q;
    uint32_t n;
    memset(t, 0, sizeof *t);
    t->index = ld32(p);
    p += 4;
    if ((q = chunk(p, end, "NAME", &n)) && n >= 4)
        snprintf(t->name, sizeof t->name, "%.*s", (int)(ld32(q) < n - 4 ? ld32(q) : n - 4), (const char *)q + 4);
    if ((q = chunk(p, end, "BYTS", &n)) && n >= 4) {
        t->len = ld32(q);
        t->bytes = q + 4;
    }
    if ((q = chunk(p, end, "EXCP", &n)) && n >= 5) {
        t->excp = true;
        t->vector = q[0];
        t->flags_addr = ld32(q + 1);
    }
    return (q = chunk(p, end, "INIT", &n)) && read_snapshot(q, n, &t->init) && (q = chunk(p, end, "FINA", &n)) &&
           read_snapshot(q, n, &t->fina);
}

static struct cell cell_at(const struct snapshot *s, uint32_t i)
{
    return (struct cell){ .addr = ld32(s->ram + 5 * (size_t)i), .value = s->ram[5 * (size_t)i + 4] };
}

/* ---- the machine ------------------------------------------------------------------------------------------------------ */

static void rig_init(struct rig *g, const char *model)
{
    struct error e = { "" };
    memset(g, 0, sizeof *g);
    clock_init(&g->clock, 1000000);
    ram_space_init(&g->ram);
    phys_init(&g->mem, &g->ram, &g->log, 0xffffffff);
    port_init(&g->ports, &g->log);
    g->cpu = cpu_create(&(struct cpu_config){ .model = model, .mem = &g->mem, .ports = &g->ports, .clock = &g->clock,
                                              .log = &g->log }, &e);
    if (!g->cpu) {
        fprintf(stderr, "vectors: %s\n", e.text);
        exit(2);
    }
    g->addr_mask = (uint32_t)cpu_phys_mask(g->cpu);
    g->mem.addr_mask = g->addr_mask;
    g->block = ram_create(&g->ram, "ram", (g->addr_mask & 0xffffff) + 1, false, true);
    g->region = (struct region){ .name = "ram", .size = g->block->size, .prio = PRIO_RAM, .enabled = true, .reads = true,
                                 .writes = true, .block = g->block };
    region_add(&g->mem, &g->region);
}

static void rig_fini(struct rig *g)
{
    cpu_destroy(g->cpu);
    port_fini(&g->ports);
    phys_fini(&g->mem);
    ram_space_fini(&g->ram);
    clock_fini(&g->clock);
}

static void poke(struct rig *g, uint32_t addr, uint8_t value)
{
    addr &= g->addr_mask;
    g->block->data[addr] = value;
    ram_written(g->block, addr, 1);
}

static void rig_load(struct rig *g, const struct test *t)
{
    static const uint8_t gpr[8] = { R_AX, R_BX, R_CX, R_DX, R_SP, R_BP, R_SI, R_DI };
    static const uint8_t gpr_at[8] = { 0, 1, 2, 3, 8, 9, 10, 11 }, seg_at[4] = { 4, 5, 6, 7 };
    static const uint8_t seg[4] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES };
    struct cpu *c = g->cpu;
    cpu_reset(c, true);
    for (unsigned i = 0; i < 8; i++) c->r[gpr[i]] = t->init.reg[gpr_at[i]];
    for (unsigned i = 0; i < 4; i++) seg_load_real(c, seg[i], t->init.reg[seg_at[i]]);
    c->rip = t->init.reg[IP];
    eflags_set(c, t->init.reg[FLAGS] & (g->halts ? 0x0fff : 0xffff));
    cpu_mode_changed(c);
    for (uint32_t i = 0; i < t->init.cells; i++) poke(g, cell_at(&t->init, i).addr, cell_at(&t->init, i).value);
}

static bool is_repeated(const struct test *t)
{
    for (uint32_t i = 0; i < t->len; i++) {
        uint8_t b = t->bytes[i];
        if (b == 0xf2 || b == 0xf3) return true;
        if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0xf0 && b != 0xf1) return false;
    }
    return false;
}

static void rig_run(struct rig *g, const struct test *t)
{
    if (g->halts) {
        cpu_run(g->cpu, STEPS_MAX);
        return;
    }
    uint64_t cs = g->cpu->seg[SEG_CS].sel, ip = g->cpu->rip;
    unsigned steps = 0;
    do cpu_run(g->cpu, 1);
    while (is_repeated(t) && g->cpu->rip == ip && g->cpu->seg[SEG_CS].sel == cs && ++steps < STEPS_MAX);
}

static void rig_regs(struct rig *g, uint16_t out[REGS])
{
    struct cpu *c = g->cpu;
    const uint64_t v[REGS] = { c->r[R_AX], c->r[R_BX], c->r[R_CX], c->r[R_DX], c->seg[SEG_CS].sel, c->seg[SEG_SS].sel,
        c->seg[SEG_DS].sel, c->seg[SEG_ES].sel, c->r[R_SP], c->r[R_BP], c->r[R_SI], c->r[R_DI], c->rip, eflags_get(c) };
    for (unsigned i = 0; i < REGS; i++) out[i] = (uint16_t)v[i];
}

/* Mask of the pushed FLAGS word at addr and addr + 1, or FFFFh where there is none. */
static bool pushed_flags(const struct rig *g, const struct test *t, const uint16_t want[REGS], bool divide, uint32_t *addr)
{
    if (t->excp) {                       /* the capture gives the bus address, which is even where SP is odd */
        *addr = t->flags_addr | (((uint32_t)want[5] * 16 + want[8]) & 1);
        return true;
    }
    if (g->halts || !divide || want[8] == t->init.reg[8]) return false;
    *addr = ((uint32_t)want[5] * 16 + ((want[8] + 4u) & 0xffff)) & g->addr_mask;     /* INT 0 frame of the 8086 set */
    return true;
}

/* NULL if the chip and we agree; else what differs. */
static const char *rig_compare(struct rig *g, const struct test *t, uint16_t flags_mask, bool divide)
{
    static char text[128];
    uint16_t have[REGS], want[REGS];
    uint32_t flags_at = 0;
    rig_regs(g, have);
    for (unsigned r = 0; r < REGS; r++) {
        want[r] = t->fina.mask >> r & 1 ? t->fina.reg[r] : t->init.reg[r];
        uint16_t mask = r == FLAGS ? flags_mask & (g->halts ? 0x0fff : 0xffff) : 0xffff;
        if ((have[r] & mask) == (want[r] & mask)) continue;
        snprintf(text, sizeof text, "%s is %04x, the chip has %04x (mask %04x)", reg_names[r], have[r], want[r], mask);
        return text;
    }
    bool pushed = pushed_flags(g, t, want, divide, &flags_at);
    for (uint32_t i = 0; i < t->fina.cells; i++) {
        struct cell w = cell_at(&t->fina, i);
        uint8_t mask = 0xff, v = g->block->data[w.addr & g->addr_mask];
        if (pushed && w.addr == flags_at) mask = (uint8_t)flags_mask;
        if (pushed && w.addr == flags_at + 1) mask = (uint8_t)((flags_mask & (g->halts ? 0x0fff : 0xffff)) >> 8);
        if ((v & mask) == (w.value & mask)) continue;
        snprintf(text, sizeof text, "byte %05x is %02x, the chip has %02x (mask %02x)", w.addr, v, w.value, mask);
        return text;
    }
    return NULL;
}

static void rig_clean(struct rig *g, const struct test *t, bool failed)
{
    if (failed) {                        /* it may have written anywhere */
        memset(g->block->data, 0, g->block->size);
        ram_written(g->block, 0, g->block->size);
        return;
    }
    for (uint32_t i = 0; i < t->init.cells; i++) poke(g, cell_at(&t->init, i).addr, 0);
    for (uint32_t i = 0; i < t->fina.cells; i++) poke(g, cell_at(&t->fina, i).addr, 0);
}

/* ---- forms ------------------------------------------------------------------------------------------------------------ */

static uint16_t form_mask(const cJSON *meta, const char *form)
{
    char opcode[16];
    size_t n = strcspn(form, ".");
    snprintf(opcode, sizeof opcode, "%.*s", (int)(n < 15 ? n : 15), form);
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(meta, "opcodes"), opcode);
    if (form[n] == '.') o = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "reg"), form + n + 1);
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, "flags-mask");
    return cJSON_IsNumber(m) ? (uint16_t)m->valueint : 0xffff;
}

static bool form_divides(const char *form)
{
    static const char *const divides[] = { "F6.6", "F6.7", "F7.6", "F7.7", "D4" };
    for (unsigned i = 0; i < sizeof divides / sizeof divides[0]; i++)
        if (strcmp(form, divides[i]) == 0) return true;
    return false;
}

struct totals { unsigned long passed, failed; unsigned every; bool verbose; };

static void run_file(struct rig *g, const char *path, const char *form, uint16_t mask, struct totals *sum)
{
    size_t len;
    uint8_t *data = read_all(path, &len);
    unsigned long passed = 0, failed = 0, seen = 0;
    const uint8_t *p = data, *end = data + len;
    while (end - p >= 8) {
        uint32_t n = ld32(p + 4);
        struct test t;
        if (n > (size_t)(end - p - 8)) break;
        if (memcmp(p, "MOO ", 4) == 0 && n >= 12) g->halts = memcmp(p + 16, "C286", 4) == 0;
        if (memcmp(p, "TEST", 4) == 0 && n > 4 && seen++ % sum->every == 0 && read_test(p + 8, n, &t)) {
            rig_load(g, &t);
            rig_run(g, &t);
            const char *why = rig_compare(g, &t, mask, form_divides(form));
            if (why && (!failed || sum->verbose)) {
                printf("%-6s test %lu (%s", form, seen - 1, t.name);
                for (uint32_t i = 0; i < t.len; i++) printf(" %02x", t.bytes[i]);
                printf("): %s\n", why);
            }
            failed += why != NULL;
            passed += why == NULL;
            rig_clean(g, &t, why != NULL);
        }
        p += 8 + n;
    }
    if (failed) printf("%-6s %lu of %lu failed\n", form, failed, passed + failed);
    sum->passed += passed;
    sum->failed += failed;
    free(data);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static unsigned list_files(const char *dir, char **names, unsigned max)
{
    DIR *d = opendir(dir);
    unsigned n = 0;
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d)) && n < max;) {
        const char *dot = strstr(e->d_name, ".MOO");
        if (dot && (strcmp(dot, ".MOO") == 0 || strcmp(dot, ".MOO.gz") == 0)) names[n++] = strdup(e->d_name);
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

int main(int argc, char **argv)
{
    const char *dir = NULL, *model = "286", *only = NULL;
    struct totals sum = { .every = 1 };
    char *names[4096], path[4400];
    struct rig g;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--cpu") == 0 && i + 1 < argc) model = argv[++i];
        else if (strcmp(argv[i], "--every") == 0 && i + 1 < argc) sum.every = (unsigned)strtoul(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
        else if (strcmp(argv[i], "--verbose") == 0) sum.verbose = true;
        else if (argv[i][0] != '-' && !dir) dir = argv[i];
        else dir = NULL, i = argc;
    }
    if (!dir || !sum.every) {
        fprintf(stderr, "usage: vectors DIR [--cpu MODEL] [--every N] [--only FORM] [--verbose]\n");
        return 2;
    }
    unsigned n = list_files(dir, names, 4096);
    if (!n) {
        printf("skipped: there are no vectors in %s\n", dir);
        return SKIPPED;
    }
    snprintf(path, sizeof path, "%s/metadata.json", dir);
    size_t len;
    uint8_t *text = read_all(path, &len);
    cJSON *meta = cJSON_Parse((char *)text);
    rig_init(&g, model);
    for (unsigned i = 0; i < n; i++) {
        char form[FORM_LEN];
        snprintf(form, sizeof form, "%.*s", (int)(strstr(names[i], ".MOO") - names[i]), names[i]);
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (!only || strcmp(only, form) == 0) run_file(&g, path, form, form_mask(meta, form), &sum);
        free(names[i]);
    }
    rig_fini(&g);
    cJSON_Delete(meta);
    free(text);
    printf("%lu passed, %lu failed\n", sum.passed, sum.failed);
    return sum.failed != 0;
}
