/* CPUID: the model's row as the instruction shows it.
 *
 * Source: Intel SDM vol. 2 "CPUID", AP-485. The oddest behaviour: a leaf above the last basic one, extended leaves of
 * processors without any included, answers as the last basic leaf does; and leaf 1 leaves the microcode revision in
 * BIOS_SIGN_ID, which is how software learns it. */
#include "base/bytes.h"
#include "cpu/model.h"
#include "cpu/system.h"

static void leaf_features(struct cpu *c, uint32_t out[4])
{
    out[0] = c->model->family_model_stepping;
    out[1] = c->model->brand_index | (cpu_has(c, F_CLFLUSH) ? 8u << 8 : 0);
    out[2] = model_cpuid_bits(c, 1);
    out[3] = model_cpuid_bits(c, 0);
    /* No local APIC on the board, or switched off in IA32_APIC_BASE. */
    if (!c->has_apic || !(c->apic_base & 0x800)) out[3] &= ~(1u << 9);
}

static void leaf_brand(const char *brand, unsigned part, uint32_t out[4])
{
    char text[48] = { 0 };
    for (unsigned n = 0; n < 47 && brand[n]; n++) text[n] = brand[n];
    for (unsigned n = 0; n < 4; n++) out[n] = ld32(text + 16 * part + 4 * n);
}

/* Prescott's deterministic cache parameters (SDM vol. 2, table "CPUID leaf 04h"): type, level, self-initialising; ways - 1,
 * sectors - 1, line - 1; sets - 1. 16 KiB of data in 8 ways; 1 MiB in 8 ways of two-line sectors. */
static void leaf_caches(uint32_t subleaf, uint32_t out[4])
{
    static const uint32_t cache[2][4] = { { 0x121, 0x01c0003f, 0x1f, 0 }, { 0x143, 0x01c0103f, 0x3ff, 0 } };
    for (unsigned n = 0; n < 4 && subleaf < 2; n++) out[n] = cache[subleaf][n];
}

void cpuid_query(struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    const struct model *m = c->model;
    out[0] = out[1] = out[2] = out[3] = 0;
    if (!cpu_has(c, F_CPUID)) return;
    if (m->brand && leaf >= 0x80000000 && leaf <= 0x80000004) {
        if (leaf == 0x80000000) out[0] = 0x80000004;
        else if (leaf >= 0x80000002) leaf_brand(m->brand, leaf - 0x80000002, out);
        return;
    }
    uint32_t max = m->cpuid_max;
    if (c->misc_enable & MISC_LIMIT_CPUID && max > 3) max = 3;       /* for Windows NT, SDM vol. 4 on IA32_MISC_ENABLE */
    if (leaf > max) leaf = max;
    switch (leaf) {
    case 0:
        out[0] = max;
        out[1] = ld32(m->vendor);
        out[3] = ld32(m->vendor + 4);
        out[2] = ld32(m->vendor + 8);
        return;
    case 1: leaf_features(c, out); return;
    case 2:
        for (unsigned n = 0; n < 4 && m->cache_desc; n++) out[n] = m->cache_desc[n];
        return;
    case 4: leaf_caches(subleaf, out); return;
    default: return;
    }
}

enum status op_cpuid(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint32_t leaf = reg32(c, R_AX), out[4];
    cpuid_query(c, leaf, reg32(c, R_CX), out);
    if (leaf == 1 && cpu_has(c, F_UCODE)) c->ucode_rev = (uint64_t)c->model->ucode << 32;
    set_reg32(c, R_AX, out[0]);
    set_reg32(c, R_BX, out[1]);
    set_reg32(c, R_CX, out[2]);
    set_reg32(c, R_DX, out[3]);
    return BODY_NEXT;
}
