/* Far JMP and CALL: same level, conforming code, call gates, task gates, TSS.
 *
 * Source: Intel SDM vol. 2 "CALL" and "JMP", vol. 3 ch. 5.8. The oddest behaviour is that the level of privilege comes
 * from the descriptor, not from the selector: the RPL is checked and then thrown away, and a gate's RPL inside is ignored. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

/* Target of a far transfer as the instruction gives it. */
struct far { uint16_t sel; uint32_t off; unsigned size; };

static struct far far_imm(const struct insn *i)
{
    struct far t = { (uint16_t)i->disp, (uint32_t)i->imm, insn_opsize(i) };
    if (t.size == 2) t.off &= 0xffff;
    return t;
}

static struct far far_mem(struct cpu *c, const struct insn *i)
{
    struct far t = { .size = insn_opsize(i) };
    if (!insn_is_mem(i)) cpu_ud(c);
    uint64_t ea = insn_ea(c, i), ea_sel = ea + t.size;
    if (insn_addrsize(i) == 2) ea_sel &= 0xffff;           /* measured on the 80286: m16:16 at FFFEh has its selector at 0 */
    t.off = t.size == 4 ? mem_read32(c, insn_seg(i), ea) : mem_read16(c, insn_seg(i), ea);
    t.sel = mem_read16(c, insn_seg(i), ea_sel);
    return t;
}

/* A code segment as the direct target of JMP or CALL. */
static void check_code(struct cpu *c, const struct desc *d, uint16_t sel)
{
    if (desc_conforming(d)) {
        if (desc_dpl(d) > c->cpl) cpu_fault(c, V_GP, sel_error(sel, 0));
    } else if (sel_rpl(sel) > c->cpl || desc_dpl(d) != c->cpl) {
        cpu_fault(c, V_GP, sel_error(sel, 0));
    }
    if (!desc_present(d)) cpu_fault(c, V_NP, sel_error(sel, 0));
}

/* A gate or TSS: both DPL >= CPL and DPL >= RPL, then present. */
static void check_system(struct cpu *c, const struct desc *d, uint16_t sel, bool available)
{
    if (desc_dpl(d) < c->cpl || desc_dpl(d) < sel_rpl(sel) || !available) cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(d)) cpu_fault(c, V_NP, sel_error(sel, 0));
}

/* The code segment behind a call gate. */
static uint16_t gate_code(struct cpu *c, const struct desc *gate, bool call, struct desc *cs)
{
    uint16_t sel = gate_sel(gate);
    if (sel_null(sel)) cpu_gp0(c);
    desc_fetch(c, sel, cs, V_GP, 0);
    if (!desc_code(cs) || desc_dpl(cs) > c->cpl || (!call && !desc_conforming(cs) && desc_dpl(cs) != c->cpl))
        cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(cs)) cpu_fault(c, V_NP, sel_error(sel, 0));
    return sel;
}

/* Pushes CS:EIP on the current stack and enters a code segment at the same level. */
static void call_same(struct cpu *c, struct desc *cs, uint16_t sel, uint32_t off, unsigned size)
{
    struct frame f;
    frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), c->cpl);
    frame_check(c, &f, 2, size, 0);
    cs_check_eip(c, cs, off, 0);
    desc_probe_accessed(c, cs);
    frame_push(c, &f, c->seg[SEG_CS].sel, size);
    frame_push(c, &f, (uint32_t)c->next_rip, size);
    frame_commit_sp(c, &f);
    cs_commit(c, cs, sel, c->cpl, off);
}

/* Through a gate to an inner level: the parameters are copied from the old stack (SDM vol. 3 fig. 5-13). */
static void call_inner(struct cpu *c, const struct desc *gate, struct desc *cs, uint16_t sel)
{
    unsigned size = gate_32(gate) ? 4 : 2, params = gate->hi & 0x1f, dpl = desc_dpl(cs);
    uint16_t ss_sel;
    uint32_t esp, param[31];
    struct desc ss;
    tss_stack(c, dpl, 0, &ss_sel, &esp);
    tss_stack_seg(c, ss_sel, dpl, 0, &ss);
    struct seg new_ss = desc_seg(&ss, ss_sel);
    struct frame f;
    frame_init(&f, &new_ss, esp, dpl);
    frame_check(c, &f, 4 + params, size, sel_error(ss_sel, 0));
    cs_check_eip(c, cs, gate_offset(gate), 0);
    desc_probe_accessed(c, cs);
    for (unsigned n = 0; n < params; n++) param[n] = (uint32_t)stack_peek(c, n * size, size);
    desc_mark_accessed(c, &ss);
    new_ss.attr = ss.attr;

    frame_push(c, &f, c->seg[SEG_SS].sel, size);
    frame_push(c, &f, reg32(c, R_SP), size);
    for (unsigned n = params; n-- > 0;) frame_push(c, &f, param[n], size);
    frame_push(c, &f, c->seg[SEG_CS].sel, size);
    frame_push(c, &f, (uint32_t)c->next_rip, size);
    c->seg[SEG_SS] = new_ss;
    frame_commit_sp(c, &f);
    cs_commit(c, cs, sel, dpl, gate_offset(gate));
}

static void far_gate(struct cpu *c, const struct desc *gate, bool call)
{
    struct desc cs;
    uint16_t sel = gate_code(c, gate, call, &cs);
    if (call && !desc_conforming(&cs) && desc_dpl(&cs) < c->cpl) {
        call_inner(c, gate, &cs, sel);
    } else if (call) {
        call_same(c, &cs, sel, gate_offset(gate), gate_32(gate) ? 4 : 2);
    } else {
        cs_check_eip(c, &cs, gate_offset(gate), 0);
        desc_probe_accessed(c, &cs);
        cs_commit(c, &cs, sel, c->cpl, gate_offset(gate));
    }
}

static void far_protected(struct cpu *c, struct far t, bool call)
{
    struct desc d, tss;
    enum task_source source = call ? TASK_CALL : TASK_JMP;
    if (sel_null(t.sel)) cpu_gp0(c);
    desc_fetch(c, t.sel, &d, V_GP, 0);
    if (desc_code(&d)) {
        check_code(c, &d, t.sel);
        if (call) {
            call_same(c, &d, t.sel, t.off, t.size);
        } else {
            cs_check_eip(c, &d, t.off, 0);
            desc_probe_accessed(c, &d);
            cs_commit(c, &d, t.sel, c->cpl, t.off);
        }
        return;
    }
    if (!desc_system(&d)) cpu_fault(c, V_GP, sel_error(t.sel, 0));
    bool has_32 = cpu_level(c) >= LEVEL_386;
    switch (desc_type(&d)) {
    case SYS_CALL32:
        if (!has_32) break;
        /* fall through */
    case SYS_CALL16:
        check_system(c, &d, t.sel, true);
        far_gate(c, &d, call);
        return;
    case SYS_TASK_GATE: {
        check_system(c, &d, t.sel, true);
        uint16_t sel = task_gate_tss(c, &d, 0, &tss);
        task_switch(c, sel, &tss, source, (uint32_t)c->next_rip, 0, false, 0);
        return;
    }
    case SYS_TSS32: case SYS_TSS32_BUSY:
        if (!has_32) break;
        /* fall through */
    case SYS_TSS16: case SYS_TSS16_BUSY:
        /* A TSS descriptor may stand in the GDT only (SDM vol. 3 ch. 7.2.2). */
        check_system(c, &d, t.sel, desc_tss(&d, false) && !(t.sel & SEL_TI));
        task_switch(c, t.sel, &d, source, (uint32_t)c->next_rip, 0, false, 0);
        return;
    default: break;
    }
    cpu_fault(c, V_GP, sel_error(t.sel, 0));
}

static enum status far_transfer(struct cpu *c, struct far t, bool call)
{
    if (cpu_protected(c)) {
        far_protected(c, t, call);
        return BODY_JUMP;
    }
    if (call) {
        struct frame f;
        frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), c->cpl);
        frame_check(c, &f, 2, t.size, 0);
        uint16_t old = c->seg[SEG_CS].sel;
        cs_jump_real(c, t.sel, t.off);
        frame_push(c, &f, old, t.size);
        frame_push(c, &f, (uint32_t)c->next_rip, t.size);
        frame_commit_sp(c, &f);
    } else {
        cs_jump_real(c, t.sel, t.off);
    }
    return BODY_JUMP;
}

enum status op_jmp_Ap(struct cpu *c, const struct insn *i) { return far_transfer(c, far_imm(i), false); }
enum status op_jmp_Mp(struct cpu *c, const struct insn *i) { return far_transfer(c, far_mem(c, i), false); }
enum status op_call_Ap(struct cpu *c, const struct insn *i) { return far_transfer(c, far_imm(i), true); }
enum status op_call_Mp(struct cpu *c, const struct insn *i) { return far_transfer(c, far_mem(c, i), true); }
