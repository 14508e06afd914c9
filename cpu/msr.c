/* Model-specific registers, the time-stamp counter and the performance counters.
 *
 * Source: Intel SDM vol. 4 ch. 2 (P6 family and Pentium tables), vol. 3 ch. 11.11 (MTRRs), 17.17 (TSC), 18.6 (P6
 * counters). An MSR that the model lacks is #GP(0), logged once. The oddest behaviour: up to the P6, WRMSR to the TSC writes
 * its low half and clears the high one. MTRRs and PAT are registers without effect: there is no cache to steer.
 *
 * GAP: DEBUGCTL holds its value, but last branches are not recorded and BTF does not step by branches.
 * GAP: the counters count instructions retired and unhalted clocks at every privilege level; other events stay 0, and a
 * counter's overflow raises no interrupt. The Pentium's counters (CESR) hold what is written and do not count.
 * The Pentium 4 has none and says so in IA32_MISC_ENABLE.
 * GAP: a microcode update (MSR 79h) is accepted and changes nothing but the revision. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

enum {
    MSR_P5_MC_ADDR = 0x00, MSR_P5_MC_TYPE = 0x01, MSR_TSC = 0x10, MSR_P5_CESR = 0x11, MSR_P5_CTR0 = 0x12,
    MSR_P5_CTR1 = 0x13, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1b, MSR_EBL_CR_POWERON = 0x2a, MSR_EBC_FREQUENCY_ID = 0x2c,
    MSR_BIOS_UPDT_TRIG = 0x79, MSR_BIOS_SIGN_ID = 0x8b, MSR_PERFCTR0 = 0xc1, MSR_PERFCTR1 = 0xc2, MSR_MTRR_CAP = 0xfe,
    MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS = 0x17a, MSR_EVNTSEL0 = 0x186, MSR_EVNTSEL1 = 0x187, MSR_MISC_ENABLE = 0x1a0, MSR_DEBUGCTL = 0x1d9,
    MSR_LASTBRANCHFROMIP = 0x1db, MSR_LASTINTTOIP = 0x1de, MSR_MTRR_VAR = 0x200, MSR_MTRR_VAR_LAST = 0x20f,
    MSR_MTRR_FIX64K = 0x250, MSR_MTRR_FIX16K = 0x258, MSR_MTRR_FIX4K = 0x268, MSR_PAT = 0x277, MSR_MTRR_DEF = 0x2ff,
    MSR_MC_BANK = 0x400, MSR_MC_BANK_LAST = 0x413,
};
enum { MTRR_CAP_P6 = 0x508 /* eight variable ranges, fixed ranges, write-combining */, MCG_CAP_P6 = 5 /* banks */, MCG_CAP_P4 = 4 };

/* ---- TSC. */

uint64_t tsc_read(struct cpu *c)
{
    uint64_t now = clk_ticks_at((struct clk){ c->model->tsc_hz, 1 }, clock_now(c->clock)) + c->tsc_offset;
    if ((int64_t)(now - c->tsc_last) <= 0) now = c->tsc_last + 1;
    c->tsc_last = now;
    return now;
}

static void tsc_write(struct cpu *c, uint64_t v)
{
    if (cpu_level(c) <= LEVEL_686) v &= 0xffffffff;
    c->tsc_offset = v - clk_ticks_at((struct clk){ c->model->tsc_hz, 1 }, clock_now(c->clock));
    c->tsc_last = v - 1;
}

/* ---- P6 performance counters: computed when looked at. */

enum { EVNTSEL_EN = 1 << 22, EVENT_CLOCKS = 0x79, EVENT_INSTRUCTIONS = 0xc0 };
#define PMC_MASK 0xffffffffffull

static uint64_t event_count(struct cpu *c, unsigned n)
{
    if (!(c->evntsel[0] & EVNTSEL_EN)) return 0;           /* one enable for both (SDM vol. 3 ch. 18.6.1.1) */
    switch (c->evntsel[n] & 0xff) {
    case 0: return 0;
    case EVENT_CLOCKS: return clk_ticks_at((struct clk){ c->model->tsc_hz, 1 }, clock_now(c->clock));
    case EVENT_INSTRUCTIONS: return c->clock->icount;
    default:
        log_unimp(c->log, "cpu", 0x18600 + (c->evntsel[n] & 0xff), "performance event %02x is not counted",
                  (unsigned)(c->evntsel[n] & 0xff));
        return 0;
    }
}

static uint64_t pmc_read(struct cpu *c, unsigned n)
{
    if (cpu_level(c) != LEVEL_686) return c->pmc[n];
    return (c->pmc[n] + event_count(c, n) - c->pmc_start[n]) & PMC_MASK;
}

static void pmc_write(struct cpu *c, unsigned n, uint64_t v)
{
    c->pmc[n] = v & PMC_MASK;
    c->pmc_start[n] = event_count(c, n);
}

static void evntsel_write(struct cpu *c, unsigned n, uint64_t v)
{
    uint64_t old[2] = { pmc_read(c, 0), pmc_read(c, 1) };
    c->evntsel[n] = v & 0xffffffff;
    pmc_write(c, 0, old[0]);
    pmc_write(c, 1, old[1]);
}

/* ---- MTRRs: SDM vol. 3 ch. 11.11. */

static bool memory_type(unsigned t) { return t == 0 || t == 1 || t == 4 || t == 5 || t == 6; }

static bool memory_types(uint64_t v, bool pat)
{
    for (unsigned n = 0; n < 8; n++, v >>= 8)
        if (!memory_type(v & 0xff) && !(pat && (v & 0xff) == 7)) return false;
    return true;
}

/* Index into mtrr_fix, or -1. */
static int mtrr_fixed(uint32_t index)
{
    if (index == MSR_MTRR_FIX64K) return 0;
    if (index == MSR_MTRR_FIX16K || index == MSR_MTRR_FIX16K + 1) return 1 + (int)(index - MSR_MTRR_FIX16K);
    if (index >= MSR_MTRR_FIX4K && index < MSR_MTRR_FIX4K + 8) return 3 + (int)(index - MSR_MTRR_FIX4K);
    return -1;
}

static bool mtrr_var_write(struct cpu *c, unsigned n, uint64_t v)
{
    uint64_t above = ~((1ull << c->model->phys_bits) - 1);
    if (v & above) return false;
    if (n & 1 ? v & 0x7ff : (v & 0xf00) || !memory_type(v & 0xff)) return false;
    c->mtrr_var[n] = v;
    return true;
}

/* ---- The registers: which feature they come with, read and write. */

/* The model has this MSR. */
static bool msr_exists(const struct cpu *c, uint32_t index)
{
    bool p6 = cpu_level(c) >= LEVEL_686;
    if (mtrr_fixed(index) >= 0 || (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST)) return cpu_has(c, F_MTRR);
    if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) return cpu_has(c, F_MCA);
    if (index >= MSR_LASTBRANCHFROMIP && index <= MSR_LASTINTTOIP) return cpu_level(c) == LEVEL_686;
    switch (index) {
    case MSR_P5_MC_ADDR: case MSR_P5_MC_TYPE: return true;
    case MSR_TSC: return cpu_has(c, F_TSC);
    case MSR_P5_CESR: case MSR_P5_CTR0: case MSR_P5_CTR1: return cpu_level(c) == LEVEL_586;
    case MSR_APIC_BASE: return p6 && c->has_apic;
    case MSR_PLATFORM_ID: case MSR_BIOS_UPDT_TRIG: case MSR_BIOS_SIGN_ID: return cpu_has(c, F_UCODE);
    case MSR_EBL_CR_POWERON: case MSR_DEBUGCTL: return p6;
    case MSR_PERFCTR0: case MSR_PERFCTR1: case MSR_EVNTSEL0: case MSR_EVNTSEL1: return cpu_level(c) == LEVEL_686;
    case MSR_EBC_FREQUENCY_ID: case MSR_MISC_ENABLE: return cpu_level(c) == LEVEL_P4;
    case MSR_MTRR_CAP: case MSR_MTRR_DEF: return cpu_has(c, F_MTRR);
    case MSR_SYSENTER_CS: case MSR_SYSENTER_ESP: case MSR_SYSENTER_EIP: return cpu_has(c, F_SEP);
    case MSR_MCG_CAP: case MSR_MCG_STATUS: return cpu_has(c, F_MCA);
    case MSR_PAT: return cpu_has(c, F_PAT);
    default: return false;
    }
}

bool msr_read(struct cpu *c, uint32_t index, uint64_t *v)
{
    if (!msr_exists(c, index)) return false;
    int fixed = mtrr_fixed(index);
    if (fixed >= 0) *v = c->mtrr_fix[fixed];
    else if (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST) *v = c->mtrr_var[index - MSR_MTRR_VAR];
    else if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) *v = c->mc_bank[index - MSR_MC_BANK];
    else switch (index) {
    case MSR_TSC: *v = tsc_read(c); break;
    case MSR_P5_CESR: *v = c->evntsel[0]; break;
    case MSR_P5_CTR0: *v = c->pmc[0]; break;
    case MSR_P5_CTR1: *v = c->pmc[1]; break;
    case MSR_APIC_BASE: *v = c->apic_base; break;
    case MSR_EBL_CR_POWERON: *v = c->ebl_cr_poweron; break;
    case MSR_BIOS_SIGN_ID: *v = c->ucode_rev; break;
    case MSR_PERFCTR0: case MSR_PERFCTR1: *v = pmc_read(c, index - MSR_PERFCTR0); break;
    case MSR_EVNTSEL0: case MSR_EVNTSEL1: *v = c->evntsel[index - MSR_EVNTSEL0]; break;
    case MSR_MTRR_CAP: *v = MTRR_CAP_P6; break;
    case MSR_MTRR_DEF: *v = c->mtrr_def; break;
    case MSR_SYSENTER_CS: *v = c->sysenter_cs; break;
    case MSR_SYSENTER_ESP: *v = c->sysenter_esp; break;
    case MSR_SYSENTER_EIP: *v = c->sysenter_eip; break;
    case MSR_MCG_CAP: *v = cpu_level(c) == LEVEL_P4 ? MCG_CAP_P4 : MCG_CAP_P6; break;
    case MSR_MISC_ENABLE: *v = c->misc_enable; break;
    case MSR_EBC_FREQUENCY_ID: *v = c->model->tsc_hz / 200000000 << 24 | 2 << 16; break;     /* multiples of 200 MHz */
    case MSR_MCG_STATUS: *v = c->mcg_status; break;
    case MSR_DEBUGCTL: *v = c->debugctl; break;
    case MSR_PAT: *v = c->pat; break;
    default: *v = 0; break;                                /* machine check of the Pentium, platform id, last branches */
    }
    return true;
}

static bool apic_base_write(struct cpu *c, uint64_t v)
{
    uint64_t bits = (((1ull << c->model->phys_bits) - 1) & ~0xfffull) | 0x900;
    if (v & ~bits) return false;
    c->apic_base = (v & ~0x100ull) | (c->apic_base & 0x100);     /* BSP is read-only */
    if (c->pins.apic_base) c->pins.apic_base(c->pins.opaque, c->apic_base);
    tlb_flush(c, true);
    return true;
}

bool msr_write(struct cpu *c, uint32_t index, uint64_t v)
{
    if (!msr_exists(c, index)) return false;
    int fixed = mtrr_fixed(index);
    if (fixed >= 0) {
        if (!memory_types(v, false)) return false;
        c->mtrr_fix[fixed] = v;
        return true;
    }
    if (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST) return mtrr_var_write(c, index - MSR_MTRR_VAR, v);
    if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) {
        if ((index & 3) && v) return false;                /* STATUS, ADDR and MISC: only zero may be written */
        c->mc_bank[index - MSR_MC_BANK] = v;
        return true;
    }
    switch (index) {
    case MSR_TSC: tsc_write(c, v); return true;
    case MSR_P5_CESR: c->evntsel[0] = v & 0x03ff03ff; return true;
    case MSR_P5_CTR0: c->pmc[0] = v & PMC_MASK; return true;
    case MSR_P5_CTR1: c->pmc[1] = v & PMC_MASK; return true;
    case MSR_APIC_BASE: return apic_base_write(c, v);
    case MSR_EBL_CR_POWERON: c->ebl_cr_poweron = v & 0xffffffff; return true;
    case MSR_BIOS_UPDT_TRIG: return true;                  /* an update is taken without effect: the revision stays */
    case MSR_BIOS_SIGN_ID: c->ucode_rev = v; return true;
    case MSR_PERFCTR0: case MSR_PERFCTR1:                  /* 32 bits, sign-extended to 40 */
        pmc_write(c, index - MSR_PERFCTR0, (uint64_t)(int64_t)(int32_t)(uint32_t)v);
        return true;
    case MSR_EVNTSEL0: case MSR_EVNTSEL1: evntsel_write(c, index - MSR_EVNTSEL0, v); return true;
    case MSR_MTRR_DEF:
        if ((v & ~0xcffull) || !memory_type(v & 0xff)) return false;
        c->mtrr_def = v;
        return true;
    case MSR_SYSENTER_CS: c->sysenter_cs = v & 0xffff; return true;
    case MSR_SYSENTER_ESP: c->sysenter_esp = v & 0xffffffff; return true;
    case MSR_SYSENTER_EIP: c->sysenter_eip = v & 0xffffffff; return true;
    case MSR_MCG_STATUS: c->mcg_status = v & 7; return true;
    case MSR_MISC_ENABLE:
        c->misc_enable = (v & (MISC_FAST_STRINGS | MISC_LIMIT_CPUID)) | MISC_NO_BTS | MISC_NO_PEBS;
        return true;
    case MSR_DEBUGCTL: c->debugctl = v & 0x7f; return true;
    case MSR_PAT:
        if (!memory_types(v, true)) return false;
        c->pat = v;
        return true;
    case MSR_P5_MC_ADDR: case MSR_P5_MC_TYPE: return true;
    default: return false;                                 /* read-only */
    }
}

/* ---- Instructions. */

enum status op_rdmsr(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint32_t index = reg32(c, R_CX);
    uint64_t v;
    if (c->cpl != 0) cpu_gp0(c);
    if (!msr_read(c, index, &v)) {
        log_unimp(c->log, "cpu", index, "RDMSR %08x: the model has no such register", index);
        cpu_gp0(c);
    }
    trace(c->log, cpu_msr_read, (uint64_t)index, v);
    set_reg32(c, R_AX, (uint32_t)v);
    set_reg32(c, R_DX, (uint32_t)(v >> 32));
    return BODY_NEXT;
}

enum status op_wrmsr(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint32_t index = reg32(c, R_CX);
    uint64_t v = (uint64_t)reg32(c, R_DX) << 32 | reg32(c, R_AX);
    if (c->cpl != 0) cpu_gp0(c);
    if (!msr_write(c, index, v)) {
        log_unimp(c->log, "cpu", (uint64_t)index | 1ull << 32, "WRMSR %08x <- %016llx refused", index,
                  (unsigned long long)v);
        cpu_gp0(c);
    }
    trace(c->log, cpu_msr_write, (uint64_t)index, v);
    c->rip = c->next_rip;
    return BODY_JUMP;
}

enum status op_rdtsc(struct cpu *c, const struct insn *i)
{
    (void)i;
    if ((c->cr4 & CR4_TSD) && c->cpl != 0) cpu_gp0(c);
    uint64_t v = tsc_read(c);
    set_reg32(c, R_AX, (uint32_t)v);
    set_reg32(c, R_DX, (uint32_t)(v >> 32));
    return BODY_NEXT;
}

enum status op_rdpmc(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint32_t n = reg32(c, R_CX);
    if ((!(c->cr4 & CR4_PCE) && c->cpl != 0) || n > 1) cpu_gp0(c);
    uint64_t v = pmc_read(c, n);
    set_reg32(c, R_AX, (uint32_t)v);
    set_reg32(c, R_DX, (uint32_t)(v >> 32) & 0xff);
    return BODY_NEXT;
}
