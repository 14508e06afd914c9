/* Interrupts and exceptions: from a vector to its handler.
 *
 * Source: Intel SDM vol. 3 ch. 6, vol. 2 "INT n", and ch. 20 for real and V86 mode. The order of checks is the manual's
 * pseudo code; each fault's error code carries EXT, which tells an event of the machine from an INT of the program.
 *
 * The oddest behaviour is what happens when delivery itself faults. The second fault arrives like any other by
 * cpu_fault(), run.c lands, and event_fault() finds `in_exception` still set: table 6-5 then makes it a double fault, or
 * a shutdown if a double fault was being delivered. Delivery commits last, so the machine is as it was before the first
 * fault and the saved EIP is still right. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

struct event {
    enum vector v;
    enum event_kind kind;
    bool has_error;
    uint32_t error;
    uint32_t ip;                 /* to save */
    uint32_t flags;              /* to save */
    uint32_t ext;
};

/* INT n, INT3 and INTO are the program's own; ICEBP counts as the machine's (SDM vol. 3 ch. 6.13). */
static bool event_soft(const struct event *e) { return e->kind == EVENT_SOFT || e->kind == EVENT_INT3_INTO; }

/* ---- Real mode. */

static void deliver_real(struct cpu *c, const struct event *e)
{
    uint32_t entry = (uint32_t)e->v * 4;
    if (cpu_level(c) > LEVEL_8086 && entry + 3 > c->idtr.limit) {
        /* 80286 and 80386 manuals, real-address mode exceptions: vector 8, "interrupt table limit too small". The SDM's
         * processors take #GP, which delivery then makes a double fault where an exception was on its way. */
        if (cpu_level(c) <= LEVEL_386) cpu_fault(c, V_DF, 0);
        cpu_fault(c, V_GP, entry * 2 + 2 + e->ext);
    }
    uint32_t vector = (uint32_t)lin_read_sys(c, (uint32_t)(c->idtr.base + entry), 4);
    struct frame f;
    frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), 0);
    frame_check(c, &f, 3, 2, e->ext);
    frame_push(c, &f, (uint16_t)e->flags, 2);
    frame_push(c, &f, c->seg[SEG_CS].sel, 2);
    frame_push(c, &f, (uint16_t)e->ip, 2);
    frame_commit_sp(c, &f);
    eflags_set(c, e->flags & ~(uint32_t)(FL_IF | FL_TF | FL_AC | FL_RF));
    seg_load_real(c, SEG_CS, (uint16_t)(vector >> 16));
    c->rip = vector & 0xffff;
}

/* ---- Protected mode. */

static void read_gate(struct cpu *c, const struct event *e, struct desc *gate)
{
    uint32_t entry = (uint32_t)e->v * 8, error = entry + 2 + e->ext;
    if (entry + 7 > c->idtr.limit) cpu_fault(c, V_GP, error);
    uint64_t raw = lin_read_sys(c, (uint32_t)(c->idtr.base + entry), 8);
    gate->lo = (uint32_t)raw;
    gate->hi = (uint32_t)(raw >> 32);
    gate->attr = (uint16_t)((gate->hi >> 8) & 0xff);
    if (!desc_system(gate)) cpu_fault(c, V_GP, error);
    switch (desc_type(gate)) {
    case SYS_TASK_GATE: case SYS_INT16: case SYS_TRAP16: break;
    case SYS_INT32: case SYS_TRAP32:
        if (cpu_level(c) >= LEVEL_386) break;
        /* fall through */
    default: cpu_fault(c, V_GP, error);
    }
    if (event_soft(e) && desc_dpl(gate) < c->cpl) cpu_fault(c, V_GP, error);
    if (!desc_present(gate)) cpu_fault(c, V_NP, error);
}

static void push_return(struct cpu *c, struct frame *f, const struct event *e, unsigned size)
{
    frame_push(c, f, e->flags, size);
    frame_push(c, f, c->seg[SEG_CS].sel, size);
    frame_push(c, f, e->ip, size);
    if (e->has_error) frame_push(c, f, e->error, size);
}

/* To a more privileged level, from V86 mode always level 0: the new stack is checked as a whole before the first push. */
static void deliver_inner(struct cpu *c, const struct event *e, const struct desc *gate, struct desc *cs, uint16_t sel)
{
    unsigned size = gate_32(gate) ? 4 : 2, dpl = desc_dpl(cs);
    bool v86 = cpu_v86(c);
    uint16_t ss_sel;
    uint32_t esp;
    struct desc ss;
    tss_stack(c, dpl, e->ext, &ss_sel, &esp);
    tss_stack_seg(c, ss_sel, dpl, e->ext, &ss);
    struct seg new_ss = desc_seg(&ss, ss_sel);
    struct frame f;
    frame_init(&f, &new_ss, esp, dpl);
    frame_check(c, &f, (v86 ? 9 : 5) + e->has_error, size, sel_error(ss_sel, e->ext));
    cs_check_eip(c, cs, gate_offset(gate), e->ext);
    desc_probe_accessed(c, cs);
    desc_mark_accessed(c, &ss);
    new_ss.attr = ss.attr;

    if (v86) {
        static const uint8_t order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
        for (unsigned n = 0; n < 4; n++) frame_push(c, &f, c->seg[order[n]].sel, size);
    }
    frame_push(c, &f, c->seg[SEG_SS].sel, size);
    frame_push(c, &f, reg32(c, R_SP), size);
    push_return(c, &f, e, size);
    if (v86) {
        /* GS, FS, DS and ES hold real-mode selectors, which mean nothing to the handler (SDM vol. 3 ch. 20.3.1). */
        c->eflags &= ~(uint32_t)FL_VM;
        seg_load_null(c, SEG_ES, 0);
        seg_load_null(c, SEG_DS, 0);
        seg_load_null(c, SEG_FS, 0);
        seg_load_null(c, SEG_GS, 0);
    }
    c->seg[SEG_SS] = new_ss;
    frame_commit_sp(c, &f);
    cs_commit(c, cs, sel, dpl, gate_offset(gate));
}

static void deliver_same(struct cpu *c, const struct event *e, const struct desc *gate, struct desc *cs, uint16_t sel)
{
    unsigned size = gate_32(gate) ? 4 : 2;
    struct frame f;
    frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), c->cpl);
    frame_check(c, &f, 3 + e->has_error, size, e->ext);
    cs_check_eip(c, cs, gate_offset(gate), e->ext);
    desc_probe_accessed(c, cs);
    push_return(c, &f, e, size);
    frame_commit_sp(c, &f);
    cs_commit(c, cs, sel, c->cpl, gate_offset(gate));
}

static void deliver_protected(struct cpu *c, const struct event *e)
{
    struct desc gate, cs;
    read_gate(c, e, &gate);
    if (desc_type(&gate) == SYS_TASK_GATE) {
        struct desc tss;
        uint16_t sel = task_gate_tss(c, &gate, e->ext, &tss);
        task_switch(c, sel, &tss, TASK_EVENT, e->ip, e->ext, e->has_error, e->error);
        return;
    }
    uint16_t sel = gate_sel(&gate);
    if (sel_null(sel)) cpu_fault(c, V_GP, e->ext);
    desc_fetch(c, sel, &cs, V_GP, e->ext);
    if (!desc_code(&cs) || desc_dpl(&cs) > c->cpl) cpu_fault(c, V_GP, sel_error(sel, e->ext));
    if (!desc_present(&cs)) cpu_fault(c, V_NP, sel_error(sel, e->ext));
    bool inner = !desc_conforming(&cs) && desc_dpl(&cs) < c->cpl;
    if (cpu_v86(c) && (!inner || desc_dpl(&cs) != 0)) cpu_fault(c, V_GP, sel_error(sel, e->ext));
    if (inner) deliver_inner(c, e, &gate, &cs, sel);
    else deliver_same(c, e, &gate, &cs, sel);

    uint32_t clear = FL_TF | FL_NT | FL_RF | FL_VM;
    if (desc_type(&gate) == SYS_INT16 || desc_type(&gate) == SYS_INT32) clear |= FL_IF;
    eflags_set(c, e->flags & ~clear);
}

void event_deliver_at(struct cpu *c, enum vector v, enum event_kind kind, bool has_error, uint32_t error, uint64_t ip)
{
    struct event e = { .v = v, .kind = kind, .has_error = has_error, .error = error, .ip = (uint32_t)ip,
                       .flags = eflags_get(c) };
    e.ext = !event_soft(&e);
    uint64_t from = debug_place(c);
    if (cpu_real(c)) deliver_real(c, &e);
    else deliver_protected(c, &e);

    /* Reached only if delivery did not fault. */
    if (v == V_NMI && kind == EVENT_EXTERNAL) c->nmi_blocked = true;
    if (v == V_DB) c->dr[7] &= ~(uint64_t)0x2000;         /* GD: the handler may use the debug registers */
    c->in_exception = c->rep_open = false;
    if (c->debugctl) debug_event(c, from, v == V_DB && kind != EVENT_SOFT);
    if (!c->dr6_pending) c->attention &= ~(uint32_t)ATT_TRAP;      /* TF is clear now: INT n itself is not stepped */
    uint64_t handler = c->seg[SEG_CS].sel;
    if (kind == EVENT_EXTERNAL) trace(c->log, cpu_interrupt, (uint64_t)v, handler, c->rip);
    if (kind == EVENT_SOFT) trace(c->log, cpu_int, (uint64_t)v, (uint64_t)reg32(c, R_AX), handler, c->rip);
}

/* Between two iterations of a repetition RF is saved as 1: it goes on without meeting its own breakpoint (SDM vol. 3 ch.
 * 17.3.1.1). */
void event_deliver(struct cpu *c, enum vector v, enum event_kind kind, bool has_error, uint32_t error)
{
    if (c->rep_open && cpu_level(c) >= LEVEL_386) c->eflags |= FL_RF;
    event_deliver_at(c, v, kind, has_error, error, c->rip);
}

/* ---- A fault, and a fault during delivery: SDM vol. 3 tables 6-4 and 6-5. */

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum fault_class fault_class(unsigned v)
{
    switch (v) {
    case V_DE: case V_TS: case V_NP: case V_SS: case V_GP: return CONTRIBUTORY;
    case V_PF: return PAGE_FAULT;
    default: return BENIGN;
    }
}

static bool makes_double_fault(unsigned first, unsigned second)
{
    switch (fault_class(first)) {
    case CONTRIBUTORY: return fault_class(second) == CONTRIBUTORY;
    case PAGE_FAULT: return fault_class(second) != BENIGN;
    default: return false;
    }
}

static void shutdown(struct cpu *c)
{
    trace(c->log, cpu_shutdown, (uint64_t)c->seg[SEG_CS].sel, c->rip);
    c->in_exception = false;
    c->activity = ACT_SHUTDOWN;
    c->attention |= ATT_KICK;
    if (c->pins.shutdown) c->pins.shutdown(c->pins.opaque);
}

/* Faults save RF = 1 so that the instruction restarts without meeting its own breakpoint again; the #DB of an
 * instruction breakpoint, traps and aborts save RF as it is (SDM vol. 3 ch. 17.3.1.1). */
static bool saves_rf(const struct cpu *c, unsigned v)
{
    return cpu_level(c) >= LEVEL_386 && v != V_DB && v != V_DF && v != V_MC;
}

void event_fault(struct cpu *c, enum vector v, uint32_t error)
{
    if (c->in_exception) {
        if (c->exception_vector == V_DF) {
            shutdown(c);
            return;
        }
        if (makes_double_fault(c->exception_vector, v)) {
            v = V_DF;
            error = 0;
        }
    }
    c->dr6_pending = 0;                                   /* the instruction will run again and hit them again */
    trace(c->log, cpu_exception, (uint64_t)v, (uint64_t)error, (uint64_t)c->seg[SEG_CS].sel, c->rip);
    c->in_exception = true;
    c->exception_vector = (uint8_t)v;
    if (saves_rf(c, v)) c->eflags |= FL_RF;
    uint64_t ip = c->rip;
    if (cpu_level(c) == LEVEL_8086 && v == V_DE) ip = c->next_rip;      /* the 8086 saves the next instruction's IP */
    event_deliver_at(c, v, EVENT_EXCEPTION, vector_has_error(v), error, ip);
}

/* ---- INT, INTO, INT3, ICEBP. */

enum status op_int_Ib(struct cpu *c, const struct insn *i)
{
    unsigned v = i->imm & 0xff;
    if (cpu_v86(c) && v86_soft_int(c, v, c->next_rip)) return BODY_JUMP;
    event_deliver_at(c, (enum vector)v, EVENT_SOFT, false, 0, c->next_rip);
    return BODY_JUMP;
}

/* The one-byte form: no IOPL check in V86 mode and never redirected (SDM vol. 2, INT3). */
enum status op_int3(struct cpu *c, const struct insn *i)
{
    (void)i;
    event_deliver_at(c, V_BP, EVENT_INT3_INTO, false, 0, c->next_rip);
    return BODY_JUMP;
}

enum status op_into(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!(eflags_get(c) & FL_OF)) return BODY_NEXT;
    event_deliver_at(c, V_OF, EVENT_INT3_INTO, false, 0, c->next_rip);
    return BODY_JUMP;
}

/* F1: #DB without any bit in DR6, no privilege check of the gate (SDM vol. 2, INT1). */
enum status op_icebp(struct cpu *c, const struct insn *i)
{
    (void)i;
    event_deliver_at(c, V_DB, EVENT_ICEBP, false, 0, c->next_rip);
    return BODY_JUMP;
}
