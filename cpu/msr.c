/* Model-specific registers and the time-stamp counter.
 *
 * Source: Intel SDM vol. 4 ch. 2 (P6 family, Pentium and Pentium 4 tables), vol. 3 ch. 11.11 (MTRRs), 17.17 (TSC), 17.12 and 17.13
 * (branch records: the P6 has one, the Prescott 16). The counters themselves are in perfmon.c. An MSR that the model lacks is
 * #GP(0), logged once. The oddest behaviour: up to the P6, WRMSR to the TSC writes its low half and clears the high one. MTRRs
 * and PAT are registers without effect: there is no cache to steer.
 *
 * GAP: DEBUGCTL's branch trace messages (TR) do not exist: nobody listens on the bus.
 * GAP: a microcode update (MSR 79h) is accepted and changes nothing but the revision. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

enum {
    MSR_P5_MC_ADDR = 0x00, MSR_P5_MC_TYPE = 0x01, MSR_TSC = 0x10, MSR_P5_CESR = 0x11, MSR_P5_CTR0 = 0x12,
    MSR_P5_CTR1 = 0x13, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1b, MSR_EBL_CR_POWERON = 0x2a, MSR_EBC_FREQUENCY_ID = 0x2c,
    MSR_BIOS_UPDT_TRIG = 0x79, MSR_BIOS_SIGN_ID = 0x8b, MSR_PERFCTR0 = 0xc1, MSR_PERFCTR1 = 0xc2, MSR_MTRR_CAP = 0xfe,
    MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS = 0x17a, MSR_EVNTSEL0 = 0x186, MSR_EVNTSEL1 = 0x187, MSR_MISC_ENABLE = 0x1a0, MSR_LER_FROM = 0x1d7,
    MSR_LER_TO = 0x1d8, MSR_DEBUGCTL = 0x1d9, MSR_LASTBRANCH_TOS = 0x1da, MSR_LASTBRANCHFROMIP = 0x1db, MSR_LASTBRANCHTOIP = 0x1dc,
    MSR_LASTINTFROMIP = 0x1dd, MSR_LASTINTTOIP = 0x1de, MSR_LASTBRANCH_FROM = 0x680, MSR_LASTBRANCH_TO = 0x6c0,
    MSR_MTRR_VAR = 0x200, MSR_MTRR_VAR_LAST = 0x20f,
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

/* The Pentium 4's branch record behind this index, or NULL. */
static uint64_t *branch_record(struct cpu *c, uint32_t index)
{
    if (index >= MSR_LASTBRANCH_FROM && index < MSR_LASTBRANCH_FROM + LBR_MOST) return &c->branch_from[index - MSR_LASTBRANCH_FROM];
    if (index >= MSR_LASTBRANCH_TO && index < MSR_LASTBRANCH_TO + LBR_MOST) return &c->branch_to[index - MSR_LASTBRANCH_TO];
    return NULL;
}

/* The model has this MSR. */
static bool msr_exists(struct cpu *c, uint32_t index)
{
    bool p6 = cpu_level(c) >= LEVEL_686;
    if (mtrr_fixed(index) >= 0 || (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST)) return cpu_has(c, F_MTRR);
    if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) return cpu_has(c, F_MCA);
    if (index >= MSR_LASTBRANCHFROMIP && index <= MSR_LASTINTTOIP) return cpu_level(c) == LEVEL_686;
    if (branch_record(c, index)) return cpu_level(c) == LEVEL_P4;
    switch (index) {
    case MSR_P5_MC_ADDR: case MSR_P5_MC_TYPE: return true;
    case MSR_TSC: return cpu_has(c, F_TSC);
    case MSR_P5_CESR: case MSR_P5_CTR0: case MSR_P5_CTR1: return cpu_level(c) == LEVEL_586;
    case MSR_APIC_BASE: return p6 && c->has_apic;
    case MSR_PLATFORM_ID: case MSR_BIOS_UPDT_TRIG: case MSR_BIOS_SIGN_ID: return cpu_has(c, F_UCODE);
    case MSR_EBL_CR_POWERON: case MSR_DEBUGCTL: return p6;
    case MSR_PERFCTR0: case MSR_PERFCTR1: case MSR_EVNTSEL0: case MSR_EVNTSEL1: return cpu_level(c) == LEVEL_686;
    case MSR_EBC_FREQUENCY_ID: case MSR_MISC_ENABLE: case MSR_LER_FROM: case MSR_LER_TO: case MSR_LASTBRANCH_TOS:
        return cpu_level(c) == LEVEL_P4;
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
    else if (branch_record(c, index)) *v = *branch_record(c, index);
    else if (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST) *v = c->mtrr_var[index - MSR_MTRR_VAR];
    else if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) *v = c->mc_bank[index - MSR_MC_BANK];
    else switch (index) {
    case MSR_TSC: *v = tsc_read(c); break;
    case MSR_P5_CESR: *v = c->evntsel[0]; break;
    case MSR_P5_CTR0: case MSR_P5_CTR1: *v = perf_read(c, index - MSR_P5_CTR0); break;
    case MSR_APIC_BASE: *v = c->apic_base; break;
    case MSR_EBL_CR_POWERON: *v = c->ebl_cr_poweron; break;
    case MSR_BIOS_SIGN_ID: *v = c->ucode_rev; break;
    case MSR_PERFCTR0: case MSR_PERFCTR1: *v = perf_read(c, index - MSR_PERFCTR0); break;
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
    case MSR_LASTBRANCH_TOS: *v = c->lbr_top; break;
    case MSR_LASTBRANCHFROMIP: *v = c->branch_from[0]; break;
    case MSR_LASTBRANCHTOIP: *v = c->branch_to[0]; break;
    case MSR_LASTINTFROMIP: case MSR_LER_FROM: *v = c->last_int[0]; break;
    case MSR_LASTINTTOIP: case MSR_LER_TO: *v = c->last_int[1]; break;
    case MSR_PAT: *v = c->pat; break;
    default: *v = 0; break;                                /* machine check of the Pentium, platform id */
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
    if (branch_record(c, index)) {
        *branch_record(c, index) = v & 0xffffffff;
        return true;
    }
    if (index >= MSR_MC_BANK && index <= MSR_MC_BANK_LAST) {
        if ((index & 3) && v) return false;                /* STATUS, ADDR and MISC: only zero may be written */
        c->mc_bank[index - MSR_MC_BANK] = v;
        return true;
    }
    switch (index) {
    case MSR_TSC: tsc_write(c, v); return true;
    case MSR_P5_CESR: perf_select(c, 0, v); return true;
    case MSR_P5_CTR0: case MSR_P5_CTR1: perf_write(c, index - MSR_P5_CTR0, v); return true;
    case MSR_APIC_BASE: return apic_base_write(c, v);
    case MSR_EBL_CR_POWERON: c->ebl_cr_poweron = v & 0xffffffff; return true;
    case MSR_BIOS_UPDT_TRIG: return true;                  /* an update is taken without effect: the revision stays */
    case MSR_BIOS_SIGN_ID: c->ucode_rev = v; return true;
    case MSR_PERFCTR0: case MSR_PERFCTR1:                  /* 32 bits, sign-extended to 40 */
        perf_write(c, index - MSR_PERFCTR0, (uint64_t)(int64_t)(int32_t)(uint32_t)v);
        return true;
    case MSR_EVNTSEL0: case MSR_EVNTSEL1: perf_select(c, index - MSR_EVNTSEL0, v); return true;
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
    case MSR_LASTBRANCH_TOS: c->lbr_top = v & (LBR_MOST - 1); return true;
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
    uint64_t v = perf_read(c, n);
    set_reg32(c, R_AX, (uint32_t)v);
    set_reg32(c, R_DX, (uint32_t)(v >> 32) & 0xff);
    return BODY_NEXT;
}
