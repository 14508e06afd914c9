/* Instructions that look at a selector without loading a segment register, and the loads of LDTR and TR.
 *
 * Source: Intel SDM vol. 2 "ARPL", "LAR", "LSL", "VERR", "LLDT", "LTR". The oddest behaviour: LAR, LSL and VERx never
 * fault on a bad selector, they clear ZF; only reading the table itself may fault. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

static void require_protected(struct cpu *c)
{
    if (!cpu_protected(c)) cpu_ud(c);
}

static enum status set_zf(struct cpu *c, bool zf)
{
    uint32_t flags = eflags_get(c);
    eflags_set(c, zf ? flags | FL_ZF : flags & ~(uint32_t)FL_ZF);
    return BODY_NEXT;
}

/* Is the descriptor visible at CPL and RPL? Conforming code always is. */
static bool visible(const struct cpu *c, const struct desc *d, uint16_t sel)
{
    return desc_conforming(d) || (desc_dpl(d) >= c->cpl && desc_dpl(d) >= sel_rpl(sel));
}

enum status op_arpl(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    uint16_t dst = (uint16_t)rm_read(c, i, 2), src = reg16(c, i->reg);
    bool raise = sel_rpl(dst) < sel_rpl(src);
    if (raise) rm_write(c, i, (dst & ~SEL_RPL) | sel_rpl(src), 2);
    return set_zf(c, raise);
}

/* System descriptor types that LAR and LSL accept, a bit per type (SDM vol. 2 tables 3-51 and 3-57). */
enum { LAR_TYPES = 0x1a3e /* 1 2 3 4 5 9 B C */, LSL_TYPES = 0x0a0e /* 1 2 3 9 B */ };

static bool describe(struct cpu *c, uint16_t sel, unsigned types, struct desc *d)
{
    if (sel_null(sel) || !desc_read(c, sel, d)) return false;
    if (cpu_level(c) == LEVEL_286) types &= 0xff;
    if (desc_system(d) && !(types >> desc_type(d) & 1)) return false;
    return visible(c, d, sel);
}

enum status op_lar(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    struct desc d;
    if (!describe(c, (uint16_t)rm_read(c, i, 2), LAR_TYPES, &d)) return set_zf(c, false);
    /* Bits 16 to 19 are undefined (SDM vol. 2, LAR); chips show the limit there. Measured on an AMD EPYC. */
    set_reg(c, i->reg, d.hi & 0x00ffff00, insn_opsize(i));
    return set_zf(c, true);
}

enum status op_lsl(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    struct desc d;
    if (!describe(c, (uint16_t)rm_read(c, i, 2), LSL_TYPES, &d)) return set_zf(c, false);
    set_reg(c, i->reg, desc_seg(&d, 0).limit, insn_opsize(i));
    return set_zf(c, true);
}

enum status op_verr(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    struct desc d;
    uint16_t sel = (uint16_t)rm_read(c, i, 2);
    return set_zf(c, describe(c, sel, 0, &d) && desc_readable(&d));
}

enum status op_verw(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    struct desc d;
    uint16_t sel = (uint16_t)rm_read(c, i, 2);
    return set_zf(c, describe(c, sel, 0, &d) && desc_writable(&d));
}

/* ---- LDTR and TR. */

static enum status store_sel(struct cpu *c, const struct insn *i, uint16_t sel)
{
    require_protected(c);
    rm_write(c, i, sel, insn_is_mem(i) ? 2 : insn_opsize(i));
    return BODY_NEXT;
}

enum status op_sldt(struct cpu *c, const struct insn *i) { return store_sel(c, i, c->ldtr.sel); }
enum status op_str(struct cpu *c, const struct insn *i) { return store_sel(c, i, c->tr.sel); }

enum status op_lldt(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    if (c->cpl != 0) cpu_gp0(c);
    uint16_t sel = (uint16_t)rm_read(c, i, 2);
    struct desc d;
    if (sel_null(sel)) {
        c->ldtr = (struct seg){ .sel = sel };
        return BODY_NEXT;
    }
    if (sel & SEL_TI) cpu_fault(c, V_GP, sel_error(sel, 0));
    desc_fetch(c, sel, &d, V_GP, 0);
    if (!desc_system(&d) || desc_type(&d) != SYS_LDT) cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(&d)) cpu_fault(c, V_NP, sel_error(sel, 0));
    c->ldtr = desc_seg(&d, sel);
    return BODY_NEXT;
}

enum status op_ltr(struct cpu *c, const struct insn *i)
{
    require_protected(c);
    if (c->cpl != 0) cpu_gp0(c);
    uint16_t sel = (uint16_t)rm_read(c, i, 2);
    struct desc d;
    if (sel_null(sel)) cpu_gp0(c);
    if (sel & SEL_TI) cpu_fault(c, V_GP, sel_error(sel, 0));
    desc_fetch(c, sel, &d, V_GP, 0);
    if (!desc_tss(&d, false) || (desc_type(&d) == SYS_TSS32 && cpu_level(c) < LEVEL_386))
        cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(&d)) cpu_fault(c, V_NP, sel_error(sel, 0));
    lin_probe_write_sys(c, d.addr + 5, 1);
    desc_set_busy(c, d.addr, true);
    c->tr = desc_seg(&d, sel);
    c->tr.attr |= SYS_BUSY;
    return BODY_NEXT;
}
