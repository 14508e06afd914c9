/* Far RET, IRET, SYSENTER and SYSEXIT: the ways back, and the fast way in.
 *
 * Source: Intel SDM vol. 2 "RET", "IRET", "SYSENTER", "SYSEXIT", vol. 3 ch. 5.8 and 20.2. The oddest behaviour is that a
 * return to an outer level silently makes null every data segment register that the outer level may not use. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

/* The code segment that a RETF or IRET returns to. */
static void check_return_code(struct cpu *c, uint16_t sel, struct desc *cs)
{
    if (sel_null(sel)) cpu_gp0(c);
    desc_fetch(c, sel, cs, V_GP, 0);
    unsigned rpl = sel_rpl(sel);
    if (!desc_code(cs) || rpl < c->cpl || (desc_conforming(cs) ? desc_dpl(cs) > rpl : desc_dpl(cs) != rpl))
        cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(cs)) cpu_fault(c, V_NP, sel_error(sel, 0));
}

static void check_return_stack(struct cpu *c, uint16_t sel, unsigned rpl, struct desc *ss)
{
    if (sel_null(sel)) cpu_gp0(c);
    desc_fetch(c, sel, ss, V_GP, 0);
    if (sel_rpl(sel) != rpl || !desc_writable(ss) || desc_dpl(ss) != rpl) cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(ss)) cpu_fault(c, V_SS, sel_error(sel, 0));
}

/* SDM vol. 2 "RET", RETURN-OUTER-PRIVILEGE-LEVEL, last step. */
static void drop_inner_segments(struct cpu *c)
{
    static const uint8_t data[] = { SEG_ES, SEG_FS, SEG_GS, SEG_DS };
    for (unsigned n = 0; n < 4; n++) {
        const struct seg *s = &c->seg[data[n]];
        bool conforming = (s->attr & (SEG_S | SEG_CODE | SEG_CONFORMING)) == (SEG_S | SEG_CODE | SEG_CONFORMING);
        if (s->attr && !conforming && ((s->attr & SEG_DPL) >> 5) < c->cpl) seg_load_null(c, data[n], 0);
    }
}

/* Enters CS:EIP at an outer level and pops the outer SS:ESP from `off` bytes above the top of the stack. `release` is added
 * to both stacks. */
static void return_outer(struct cpu *c, struct desc *cs, uint16_t sel, uint32_t eip, unsigned size, uint32_t off,
                         uint32_t release)
{
    unsigned rpl = sel_rpl(sel);
    struct desc ss;
    uint32_t esp = (uint32_t)stack_peek(c, off, size);
    uint16_t ss_sel = (uint16_t)stack_peek(c, off + size, size);
    check_return_stack(c, ss_sel, rpl, &ss);
    cs_check_eip(c, cs, eip, 0);
    desc_probe_accessed(c, cs);
    desc_probe_accessed(c, &ss);
    desc_mark_accessed(c, &ss);
    c->seg[SEG_SS] = desc_seg(&ss, ss_sel);
    if (cpu_ss32(c)) set_reg32(c, R_SP, esp + release);
    else set_reg16(c, R_SP, (uint16_t)(esp + release));
    cs_commit(c, cs, sel, rpl, eip);
    drop_inner_segments(c);
}

static enum status return_far(struct cpu *c, unsigned size, uint32_t release)
{
    uint32_t eip = (uint32_t)stack_peek(c, 0, size);
    uint16_t sel = (uint16_t)stack_peek(c, size, size);
    if (!cpu_protected(c)) {
        cs_jump_real(c, sel, eip);
        stack_add(c, 2 * (int64_t)size + release);
        return BODY_JUMP;
    }
    struct desc cs;
    check_return_code(c, sel, &cs);
    if (sel_rpl(sel) > c->cpl) {
        return_outer(c, &cs, sel, eip, size, 2 * size + release, release);
    } else {
        cs_check_eip(c, &cs, eip, 0);
        desc_probe_accessed(c, &cs);
        stack_add(c, 2 * (int64_t)size + release);
        cs_commit(c, &cs, sel, c->cpl, eip);
    }
    return BODY_JUMP;
}

enum status op_retf(struct cpu *c, const struct insn *i) { return return_far(c, insn_opsize(i), 0); }
enum status op_retf_Iw(struct cpu *c, const struct insn *i) { return return_far(c, insn_opsize(i), i->imm & 0xffff); }

/* ---- IRET. */

static enum status iret_real(struct cpu *c, unsigned size)
{
    uint32_t eip = (uint32_t)stack_peek(c, 0, size);
    uint16_t sel = (uint16_t)stack_peek(c, size, size);
    uint32_t flags = (uint32_t)stack_peek(c, 2 * size, size);
    cs_jump_real(c, sel, eip);
    stack_add(c, 3 * (int64_t)size);
    flags_replace(c, flags, flags_writable(c, size));
    return BODY_JUMP;
}

/* In V86 mode with IOPL 3, or by VME with IOPL < 3 and 16-bit operands, IRET stays in V86 mode: IOPL and VM are out of
 * reach, and VIF stands in for IF (SDM vol. 3 ch. 20.2.7, 20.3.3.4). */
static enum status iret_v86(struct cpu *c, unsigned size)
{
    bool virtual_if = cpu_iopl(c) < 3;
    if (virtual_if && (!(c->cr4 & CR4_VME) || size != 2)) cpu_gp0(c);
    uint32_t eip = (uint32_t)stack_peek(c, 0, size);
    uint16_t sel = (uint16_t)stack_peek(c, size, size);
    uint32_t flags = (uint32_t)stack_peek(c, 2 * size, size);
    uint32_t mask = flags_writable(c, size);
    if (virtual_if) {
        if ((flags & FL_TF) || ((flags & FL_IF) && (c->eflags & FL_VIP))) cpu_gp0(c);
        mask = (mask & ~(uint32_t)FL_IF) | FL_VIF;
        flags = (flags & ~(uint32_t)FL_VIF) | (flags & FL_IF ? FL_VIF : 0);
    }
    cs_jump_real(c, sel, eip);
    stack_add(c, 3 * (int64_t)size);
    flags_replace(c, flags, mask);
    return BODY_JUMP;
}

/* EFLAGS.VM in a 32-bit image popped at CPL 0: nine dwords leave for V86 mode. */
static void iret_to_v86(struct cpu *c, uint32_t eip, uint16_t cs, uint32_t flags)
{
    static const uint8_t order[] = { SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint16_t sel[5];
    uint32_t esp = (uint32_t)stack_peek(c, 12, 4);
    for (unsigned n = 0; n < 5; n++) sel[n] = (uint16_t)stack_peek(c, 16 + 4 * n, 4);
    if (eip > 0xffff) cpu_gp0(c);
    flags_replace(c, flags, flags_writable(c, 4) | FL_VM | FL_VIF | FL_VIP | FL_IOPL | FL_IF);
    for (unsigned n = 0; n < 5; n++) c->seg[order[n]] = seg_v86(sel[n]);
    c->seg[SEG_CS] = seg_v86(cs);
    set_reg32(c, R_SP, esp);
    c->cpl = 3;
    c->rip = eip;
    cpu_mode_changed(c);
}

/* NT: back to the task whose selector the current TSS holds. */
static void iret_task(struct cpu *c)
{
    struct desc tss;
    uint16_t sel = (uint16_t)lin_read_sys(c, c->tr.base, 2);
    if (sel_null(sel) || (sel & SEL_TI)) cpu_fault(c, V_TS, sel_error(sel, 0));
    desc_fetch(c, sel, &tss, V_TS, 0);
    if (!desc_tss(&tss, true)) cpu_fault(c, V_TS, sel_error(sel, 0));
    if (!desc_present(&tss)) cpu_fault(c, V_NP, sel_error(sel, 0));
    task_switch(c, sel, &tss, TASK_IRET, (uint32_t)c->next_rip, 0, false, 0);
}

enum status op_iret(struct cpu *c, const struct insn *i)
{
    unsigned size = insn_opsize(i);
    c->nmi_blocked = false;                                /* even if it faults: SDM vol. 3 ch. 6.7.1 and 25.3 */
    if (cpu_real(c)) return iret_real(c, size);
    if (cpu_v86(c)) return iret_v86(c, size);
    if (c->eflags & FL_NT) {
        iret_task(c);
        return BODY_JUMP;
    }
    uint32_t eip = (uint32_t)stack_peek(c, 0, size);
    uint16_t sel = (uint16_t)stack_peek(c, size, size);
    uint32_t flags = (uint32_t)stack_peek(c, 2 * size, size);
    if (size == 4 && (flags & FL_VM) && c->cpl == 0) {
        iret_to_v86(c, eip, sel, flags);
        return BODY_JUMP;
    }
    struct desc cs;
    uint32_t mask = flags_writable(c, size);               /* by the level that executes the IRET */
    if (c->cpl == 0 && size == 4) mask |= FL_VIF | FL_VIP;
    check_return_code(c, sel, &cs);
    if (sel_rpl(sel) > c->cpl) {
        return_outer(c, &cs, sel, eip, size, 3 * size, 0);
    } else {
        cs_check_eip(c, &cs, eip, 0);
        desc_probe_accessed(c, &cs);
        stack_add(c, 3 * (int64_t)size);
        cs_commit(c, &cs, sel, c->cpl, eip);
    }
    flags_replace(c, flags, mask);
    return BODY_JUMP;
}

/* ---- SYSENTER and SYSEXIT: flat segments without looking at any table. */

static struct seg flat(uint16_t sel, unsigned type, unsigned dpl)
{
    return (struct seg){ .base = 0, .limit = 0xffffffff, .sel = sel,
                         .attr = (uint16_t)(SEG_G | SEG_D | SEG_P | SEG_S | SEG_ACCESSED | type | dpl << 5) };
}

enum status op_sysenter(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint16_t cs = (uint16_t)(c->sysenter_cs & SEL_MASK);
    if (cpu_real(c) || sel_null(cs)) cpu_gp0(c);
    c->seg[SEG_CS] = flat(cs, SEG_CODE | SEG_READABLE, 0);
    c->seg[SEG_SS] = flat((uint16_t)(cs + 8), SEG_WRITABLE, 0);
    c->cpl = 0;
    set_reg32(c, R_SP, (uint32_t)c->sysenter_esp);
    c->rip = (uint32_t)c->sysenter_eip;
    eflags_set(c, eflags_get(c) & ~(uint32_t)(FL_VM | FL_IF | FL_RF));
    cpu_level_changed(c);
    return BODY_JUMP;
}

enum status op_sysexit(struct cpu *c, const struct insn *i)
{
    (void)i;
    uint16_t cs = (uint16_t)(c->sysenter_cs & SEL_MASK);
    if (cpu_real(c) || c->cpl != 0 || sel_null(cs)) cpu_gp0(c);
    c->seg[SEG_CS] = flat((uint16_t)((cs + 16) | 3), SEG_CODE | SEG_READABLE, 3);
    c->seg[SEG_SS] = flat((uint16_t)((cs + 24) | 3), SEG_WRITABLE, 3);
    c->cpl = 3;
    set_reg32(c, R_SP, reg32(c, R_CX));
    c->rip = reg32(c, R_DX);
    cpu_level_changed(c);
    return BODY_JUMP;
}
