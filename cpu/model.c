/* The models: what each processor is, as data.
 *
 * Sources: the processors' datasheets and specification updates (signatures, cache descriptors), SDM vol. 3 ch. 22
 * (which flag and which control bit came with which processor), table 9-1 (state after RESET and INIT). The rate is
 * what virtual time counts per second, about what the chip did on compiled code; it is a choice, not a property. */
#include "cpu/model.h"

#include <stdlib.h>
#include <string.h>
#include "cpu/system.h"

/* ---- Features: names, and where CPUID shows them. */

enum { NOWHERE = 0xff };
static const struct { const char *name; uint8_t word, bit; } features[F_COUNT] = {   /* word: 0 EDX, 1 ECX of leaf 1 */
    [F_FPU] = { "fpu", 0, 0 },      [F_VME] = { "vme", 0, 1 },      [F_DE] = { "de", 0, 2 },
    [F_PSE] = { "pse", 0, 3 },      [F_TSC] = { "tsc", 0, 4 },      [F_MSR] = { "msr", 0, 5 },
    [F_PAE] = { "pae", 0, 6 },      [F_MCE] = { "mce", 0, 7 },      [F_CX8] = { "cx8", 0, 8 },
    [F_APIC] = { "apic", 0, 9 },    [F_SEP] = { "sep", 0, 11 },     [F_MTRR] = { "mtrr", 0, 12 },
    [F_PGE] = { "pge", 0, 13 },     [F_MCA] = { "mca", 0, 14 },     [F_CMOV] = { "cmov", 0, 15 },
    [F_PAT] = { "pat", 0, 16 },     [F_PSE36] = { "pse36", 0, 17 }, [F_CLFLUSH] = { "clflush", 0, 19 },
    [F_MMX] = { "mmx", 0, 23 },     [F_FXSR] = { "fxsr", 0, 24 },   [F_SSE] = { "sse", 0, 25 },
    [F_SSE2] = { "sse2", 0, 26 },   [F_SSE3] = { "sse3", 1, 0 },
    [F_SYSCALL] = { "syscall", NOWHERE, 0 }, [F_NX] = { "nx", NOWHERE, 0 },       [F_LM] = { "lm", NOWHERE, 0 },
    [F_CPUID] = { "cpuid", NOWHERE, 0 },     [F_RDPMC] = { "rdpmc", NOWHERE, 0 }, [F_NOPL] = { "nopl", NOWHERE, 0 },
    [F_UCODE] = { "ucode", NOWHERE, 0 },     [F_SMM] = { "smm", NOWHERE, 0 },
};

#define F(name) (1ull << F_##name)
#define FEATURES_486 (F(FPU) | F(VME) | F(CPUID) | F(SMM))
#define FEATURES_PENTIUM (FEATURES_486 | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(MCE) | F(CX8))
#define FEATURES_PENTIUM2 (FEATURES_PENTIUM | F(PAE) | F(APIC) | F(SEP) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) | F(PAT) | \
                           F(PSE36) | F(MMX) | F(FXSR) | F(RDPMC) | F(NOPL) | F(UCODE))
#define FEATURES_PENTIUM3 (FEATURES_PENTIUM2 | F(SSE))
#define FEATURES_PENTIUM4 (FEATURES_PENTIUM3 | F(CLFLUSH) | F(SSE2) | F(SSE3))

/* What the engine executes. A feature of a row that is not here is neither announced nor decoded. */
#define IMPLEMENTED (~(F(SYSCALL) | F(NX) | F(LM)))

/* A feature that needs another goes when that one goes. */
static const struct { enum feature feature, needs; } dependence[] = {
    { F_MMX, F_FPU }, { F_FXSR, F_FPU }, { F_SSE, F_FXSR }, { F_SSE2, F_SSE }, { F_SSE3, F_SSE2 },    /* what is needed first */
};

/* ---- The rows. */

#define FLAGS_8086 (FL_ARITH | FL_TF | FL_IF | FL_DF)
#define FLAGS_286 (FLAGS_8086 | FL_IOPL | FL_NT)
#define FLAGS_386 (FLAGS_286 | FL_RF | FL_VM)
#define FLAGS_486 (FLAGS_386 | FL_AC | FL_ID)
#define FLAGS_586 (FLAGS_486 | FL_VIF | FL_VIP)

/* SDM vol. 2 table 3-12: 01h 4 KiB instruction TLB, 02h 4 MiB instruction TLB, 03h 4 KiB data TLB, 04h 4 MiB data TLB,
 * 08h/0Ch 16 KiB L1 code/data, 43h 512 KiB L2, 82h 256 KiB L2. The low byte of EAX counts the calls needed. */
static const uint32_t cache_pentium2[4] = { 0x03020101, 0, 0, 0x0c040843 };
static const uint32_t cache_pentium3[4] = { 0x03020101, 0, 0, 0x0c040882 };
/* 50h and 5Bh 64-entry TLBs, 60h 16 KiB L1 data, 70h trace cache of 12 K micro-operations, 7Ch 1 MiB L2, 40h no L3. */
static const uint32_t cache_pentium4[4] = { 0x605b5001, 0, 0, 0x007c7040 };

const struct model models[] = {
    { .name = "8086", .title = "Intel 8086, 4.77 MHz", .level = LEVEL_8086, .features = 0, .phys_bits = 20,
      .tsc_hz = 4772727, .rate = 400000, .flags_mask = FLAGS_8086, .flags_fixed_one = 0xf002, .vendor = "" },
    { .name = "286", .title = "Intel 80286, 12 MHz", .level = LEVEL_286, .features = F(FPU), .phys_bits = 24,
      .tsc_hz = 12000000, .rate = 2000000, .flags_mask = FLAGS_286, .flags_fixed_one = 2, .vendor = "" },
    { .name = "386", .title = "Intel 80386DX, 33 MHz", .level = LEVEL_386, .features = F(FPU), .phys_bits = 32,
      .family_model_stepping = 0x0308, .tsc_hz = 33000000, .rate = 8000000, .flags_mask = FLAGS_386,
      .flags_fixed_one = 2, .vendor = "" },
    { .name = "486", .title = "Intel 486DX4, 100 MHz", .level = LEVEL_486, .features = FEATURES_486, .phys_bits = 32,
      .family_model_stepping = 0x0480, .vendor = "GenuineIntel", .cpuid_max = 1, .tsc_hz = 100000000, .rate = 50000000,
      .flags_mask = FLAGS_586, .flags_fixed_one = 2 },
    { .name = "pentium", .title = "Intel Pentium (P54C), 133 MHz", .level = LEVEL_586, .features = FEATURES_PENTIUM,
      .phys_bits = 32, .family_model_stepping = 0x052c, .vendor = "GenuineIntel", .cpuid_max = 1, .tsc_hz = 133333333,
      .rate = 100000000, .flags_mask = FLAGS_586, .flags_fixed_one = 2 },
    { .name = "pentium-mmx", .title = "Intel Pentium with MMX (P55C), 233 MHz", .level = LEVEL_586,
      .features = FEATURES_PENTIUM | F(MMX) | F(RDPMC), .phys_bits = 32, .family_model_stepping = 0x0543,
      .vendor = "GenuineIntel", .cpuid_max = 1, .tsc_hz = 233333333, .rate = 150000000, .flags_mask = FLAGS_586,
      .flags_fixed_one = 2 },
    { .name = "pentium2", .title = "Intel Pentium II (Deschutes), 400 MHz", .level = LEVEL_686,
      .features = FEATURES_PENTIUM2, .phys_bits = 36, .family_model_stepping = 0x0652, .vendor = "GenuineIntel",
      .cpuid_max = 2, .cache_desc = cache_pentium2, .ucode = 0x2a, .tsc_hz = 400000000, .rate = 200000000,
      .flags_mask = FLAGS_586, .flags_fixed_one = 2 },
    { .name = "pentium3", .title = "Intel Pentium III (Coppermine), 500 MHz", .level = LEVEL_686,
      .features = FEATURES_PENTIUM3, .phys_bits = 36, .family_model_stepping = 0x0683, .vendor = "GenuineIntel",
      .cpuid_max = 2, .cache_desc = cache_pentium3, .brand_index = 2, .ucode = 0x14, .tsc_hz = 500000000,
      .rate = 250000000, .flags_mask = FLAGS_586, .flags_fixed_one = 2 },
    { .name = "pentium4", .title = "Intel Pentium 4 (Prescott), 2.8 GHz", .level = LEVEL_P4,
      .features = FEATURES_PENTIUM4, .phys_bits = 36, .family_model_stepping = 0x0f34, .vendor = "GenuineIntel",
      .brand = "              Intel(R) Pentium(R) 4 CPU 2.80GHz", .cpuid_max = 4, .cache_desc = cache_pentium4,
      .ucode = 0x17, .tsc_hz = 2800000000, .rate = 250000000, .flags_mask = FLAGS_586, .flags_fixed_one = 2 },
};
const unsigned models_count = sizeof models / sizeof models[0];

void model_derive(struct cpu *c)
{
    uint64_t f = c->model->features & IMPLEMENTED;
    for (unsigned n = 0; n < sizeof dependence / sizeof dependence[0]; n++)
        if (!(f >> dependence[n].needs & 1)) f &= ~(1ull << dependence[n].feature);
    memset(c->features, 0, sizeof c->features);
    c->features[0] = f;
}

uint32_t model_cpuid_bits(const struct cpu *c, unsigned word)
{
    uint32_t bits = 0;
    for (unsigned n = 0; n < F_COUNT; n++)
        if (features[n].word == word && cpu_has(c, (enum feature)n)) bits |= 1u << features[n].bit;
    return bits;
}

/* ---- Names from the command line. */

/* Edits that turn a into b (Levenshtein), for names of at most 31 characters. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t la = strlen(a), lb = strlen(b);
    if (la > 31 || lb > 31) return 99;
    for (unsigned j = 0; j <= lb; j++) row[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < change) change = row[j] + 1;
            if (row[j - 1] + 1 < change) change = row[j - 1] + 1;
            row[j] = change;
        }
    }
    return row[lb];
}

static const struct model *find_row(const char *name)
{
    for (unsigned n = 0; n < models_count; n++)
        if (!strcmp(models[n].name, name)) return &models[n];
    return NULL;
}

static const char *nearest_model(const char *name)
{
    unsigned best = 0;
    for (unsigned n = 1; n < models_count; n++)
        if (distance(name, models[n].name) < distance(name, models[best].name)) best = n;
    return models[best].name;
}

static int find_feature(const char *name, const char **nearest)
{
    unsigned best = 0;
    for (unsigned n = 0; n < F_COUNT; n++) {
        if (!strcmp(features[n].name, name)) return (int)n;
        if (distance(name, features[n].name) < distance(name, features[best].name)) best = n;
    }
    *nearest = features[best].name;
    return -1;
}

/* One "+name" or "-name". */
static bool apply_feature(struct model *m, const char *word, struct error *e)
{
    const char *nearest = "";
    int f = word[0] == '+' || word[0] == '-' ? find_feature(word + 1, &nearest) : -2;
    if (f == -2) {
        error_set(e, HOST_REFUSED, "-cpu: \"%s\" is not +feature or -feature", word);
        return false;
    }
    if (f < 0) {
        error_set(e, HOST_REFUSED, "-cpu: unknown feature \"%s\", did you mean \"%s\"?", word + 1, nearest);
        return false;
    }
    if (word[0] == '-') {
        m->features &= ~(1ull << f);
        return true;
    }
    if (!(IMPLEMENTED >> f & 1)) {
        error_set(e, HOST_REFUSED, "-cpu: feature \"%s\" is not built yet", word + 1);
        return false;
    }
    m->features |= 1ull << f;
    return true;
}

const struct model *model_find(const char *spec, struct model **own, struct error *e)
{
    char text[256];
    if (own) *own = NULL;
    if (!spec || !*spec) spec = MODEL_DEFAULT;
    if (strlen(spec) >= sizeof text) {
        error_set(e, HOST_REFUSED, "-cpu: the model's name is too long");
        return NULL;
    }
    strcpy(text, spec);
    char *rest = strchr(text, ',');
    if (rest) *rest++ = 0;
    const struct model *row = find_row(text);
    if (!row) {
        error_set(e, HOST_REFUSED, "-cpu: unknown model \"%s\", did you mean \"%s\"?", text, nearest_model(text));
        return NULL;
    }
    if (!rest || !own) return row;
    struct model *copy = malloc(sizeof *copy);
    if (!copy) {
        error_set(e, HOST_NO_MEMORY, "-cpu: out of memory");
        return NULL;
    }
    *copy = *row;
    while (rest) {
        char *next = strchr(rest, ',');
        if (next) *next++ = 0;
        if (!apply_feature(copy, rest, e)) {
            free(copy);
            return NULL;
        }
        rest = next;
    }
    *own = copy;
    return copy;
}

/* ---- RESET and INIT. */

static void reset_segments(struct cpu *c)
{
    const uint16_t data = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = (struct seg){ .limit = 0xffff, .attr = data };
    struct seg *cs = &c->seg[SEG_CS];
    c->rip = 0xfff0;
    cs->sel = 0xf000;
    switch (cpu_level(c)) {
    case LEVEL_8086:
        cs->sel = 0xffff;
        cs->base = 0xffff0;
        c->rip = 0;
        break;
    case LEVEL_286: cs->base = 0xff0000; break;
    default: cs->base = 0xffff0000; break;
    }
    c->ldtr = (struct seg){ .limit = 0xffff, .attr = SEG_P | 2 };
    c->tr = (struct seg){ .limit = 0xffff, .attr = cpu_level(c) >= LEVEL_386 ? SEG_P | 11 : SEG_P | 3 };
    c->gdtr = (struct desc_table){ .limit = 0xffff };
    /* The SDM's processors leave FFFFh; up to the 386 the table has its real-mode size of 3FFh. */
    c->idtr = (struct desc_table){ .limit = cpu_level(c) <= LEVEL_386 ? 0x3ff : 0xffff };
}

/* Registers that INIT leaves alone (SDM vol. 3 table 9-1). */
static void reset_hard(struct cpu *c)
{
    c->cr0 = 0;
    c->smbase = 0x30000;
    c->tsc_offset = 0 - clk_ticks_at((struct clk){ c->model->tsc_hz, 1 }, clock_now(c->clock));
    c->tsc_last = 0;
    c->pat = 0x0007040600070406;
    c->mtrr_def = 0;
    memset(c->mtrr_fix, 0, sizeof c->mtrr_fix);
    memset(c->mtrr_var, 0, sizeof c->mtrr_var);
    memset(c->mc_bank, 0, sizeof c->mc_bank);
    perf_reset(c);
    c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
    c->ucode_rev = 0;
    /* Fast strings; no branch trace and no event sampling (SDM vol. 4 table 2-54). */
    c->misc_enable = cpu_level(c) == LEVEL_P4 ? MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS : 0;
    c->mcg_status = 0;
    c->debugctl = 0;
    memset(c->branch_from, 0, sizeof c->branch_from);
    memset(c->branch_to, 0, sizeof c->branch_to);
    memset(c->last_int, 0, sizeof c->last_int);
    c->lbr_top = 0;
    c->ebl_cr_poweron = 0;
    c->apic_base = c->has_apic ? 0xfee00900 : 0;           /* enabled, bootstrap processor */
    memset(c->xmm, 0, sizeof c->xmm);
    c->mxcsr = 0x1f80;
    fpu_reset(c, false);
}

void model_reset_registers(struct cpu *c, bool hard)
{
    if (hard) reset_hard(c);
    memset(c->r, 0, sizeof c->r);
    c->r[R_DX] = c->model->family_model_stepping;
    if (c->smm) {
        c->smm = false;
        if (c->pins.smm) c->pins.smm(c->pins.opaque, false);
    }
    uint32_t cache = hard ? CR0_CD | CR0_NW : c->cr0 & (CR0_CD | CR0_NW);
    c->cr0 = cpu_level(c) >= LEVEL_486 ? cache | CR0_ET : cpu_level(c) == LEVEL_386 ? CR0_ET : 0;
    c->cr2 = c->cr3 = 0;
    c->cr4 = 0;
    c->efer = 0;
    memset(c->pdpte, 0, sizeof c->pdpte);
    memset(c->dr, 0, sizeof c->dr);
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = dr7_fixed(c);
    c->dr6_pending = 0;
    memset(c->test_tlb, 0, sizeof c->test_tlb);
    memset(c->test_reg, 0, sizeof c->test_reg);
    c->cpl = 0;
    c->activity = ACT_RUNNING;
    c->shadow_ss = c->shadow_sti = c->nmi_blocked = c->in_exception = c->rep_open = false;
    c->exception_vector = 0;
    c->io_count = ~0ull;
    c->io_eip = c->io_ecx = c->io_esi = c->io_edi = 0;
    reset_segments(c);
    c->next_rip = c->rip;
    eflags_set(c, c->model->flags_fixed_one);
    tlb_flush(c, true);
    cpu_mode_changed(c);
}
