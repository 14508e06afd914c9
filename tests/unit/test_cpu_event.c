/* Interrupts and exceptions: gates, privilege changes, error codes with EXT, double and triple faults, IRET, V86, VME. */
#include "tests/unit/cpu_rig.h"

static void idt(struct rig *r, unsigned v, unsigned sel, uint32_t off, unsigned access)
{
    rig_gate(r, RIG_IDT + 8 * v, sel, off, access, 0);
}

/* ---- INT n and external interrupts through the IDT: SDM vol. 2 "INT n", protected mode exceptions. */

struct int_row {
    const char *what;
    unsigned cpl;
    enum event_kind kind;
    unsigned gate, target;       /* access byte and selector in IDT entry 40h */
    unsigned access;             /* of the code segment at S_FREE */
    int vector;
    uint32_t error;
};
#define VEC 0x40
#define IDT_ERROR (VEC * 8 + 2)

static const struct int_row ints[] = {
    { "same level", 0, EVENT_SOFT, A_INT32, K_CODE, 0, NO_FAULT, 0 },
    { "empty gate", 0, EVENT_SOFT, 0, 0, 0, V_GP, IDT_ERROR },
    { "empty gate, from outside", 0, EVENT_EXTERNAL, 0, 0, 0, V_GP, IDT_ERROR | 1 },
    { "call gate in the IDT", 0, EVENT_SOFT, A_CALL32, K_CODE, 0, V_GP, IDT_ERROR },
    { "code segment in the IDT", 0, EVENT_SOFT, A_CODE, K_CODE, 0, V_GP, IDT_ERROR },
    { "gate not present", 0, EVENT_SOFT, 0x0e, K_CODE, 0, V_NP, IDT_ERROR },
    { "gate not present, from outside", 0, EVENT_EXTERNAL, 0x0e, K_CODE, 0, V_NP, IDT_ERROR | 1 },
    { "INT n through a gate of DPL 0", 3, EVENT_SOFT, A_INT32, K_CODE, 0, V_GP, IDT_ERROR },
    { "INT3 through a gate of DPL 0", 3, EVENT_INT3_INTO, A_INT32, K_CODE, 0, V_GP, IDT_ERROR },
    { "ICEBP ignores the gate's DPL", 3, EVENT_ICEBP, A_INT32, K_CODE, 0, NO_FAULT, 0 },
    { "interrupt ignores the gate's DPL", 3, EVENT_EXTERNAL, A_INT32, K_CODE, 0, NO_FAULT, 0 },
    { "INT n inwards", 3, EVENT_SOFT, 0xee, K_CODE, 0, NO_FAULT, 0 },
    { "null code selector", 0, EVENT_SOFT, A_INT32, 0, 0, V_GP, 0 },
    { "null code selector, from outside", 0, EVENT_EXTERNAL, A_INT32, 0, 0, V_GP, 1 },
    { "code selector outside", 0, EVENT_EXTERNAL, A_INT32, 0x200, 0, V_GP, 0x201 },
    { "data segment", 0, EVENT_SOFT, A_INT32, K_DATA, 0, V_GP, K_DATA },
    { "outer level", 0, EVENT_SOFT, A_INT32, U_CODE, 0, V_GP, U_CODE & ~3 },
    { "code not present", 0, EVENT_SOFT, A_INT32, S_FREE, 0x1b, V_NP, S_FREE },
    { "conforming code stays at its level", 3, EVENT_SOFT, 0xee, S_FREE, 0x9f, NO_FAULT, 0 },
    { "EIP above the limit", 0, EVENT_EXTERNAL, A_INT32, S_FREE2, 0, V_GP, 1 },
};

START_TEST(gate_faults_as_the_manual_says)
{
    const struct int_row *row = &ints[_i];
    struct rig *r = rig_create("pentium3");
    rig_protected(r, row->cpl);
    idt(r, VEC, row->target, 0x12345, row->gate);
    rig_gdt(r, S_FREE, 0, 0xfffff, row->access, 0xc);
    rig_gdt(r, S_FREE2, 0, 0x100, A_CODE, 0x4);
    eflags_set(r->c, FL_IF | FL_TF | FL_NT | FL_CF);
    ck_assert_msg(rig_event(r, VEC, row->kind) == row->vector, "%s: vector", row->what);
    if (row->vector != NO_FAULT) {
        ck_assert_msg(r->error == row->error, "%s: error code %x", row->what, r->error);
        ck_assert_uint_eq(r->c->rip, RIG_CODE);
    } else {
        bool inner = row->cpl == 3 && row->target == K_CODE;
        ck_assert_uint_eq(r->c->rip, 0x12345);
        ck_assert_uint_eq(r->c->cpl, inner ? 0 : row->cpl);
        ck_assert_uint_eq(eflags_get(r->c), FL_1 | FL_CF);
        uint32_t top = inner ? RIG_STACK0 - 20 : (row->cpl ? RIG_STACK3 : RIG_STACK0) - 12;
        ck_assert_uint_eq(r->c->r[R_SP], top);
        ck_assert_uint_eq(rig_r32(r, top), RIG_CODE);
        ck_assert_uint_eq(rig_r32(r, top + 4), row->cpl ? U_CODE : K_CODE);
        ck_assert_uint_eq(rig_r32(r, top + 8), FL_IF | FL_TF | FL_NT | FL_CF | FL_1);
        if (inner) {
            ck_assert_uint_eq(rig_r32(r, top + 12), RIG_STACK3);
            ck_assert_uint_eq(rig_r32(r, top + 16), U_DATA);
        }
    }
    rig_destroy(r);
}
END_TEST

START_TEST(trap_gate_leaves_if_alone_and_16_bit_gate_pushes_words)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    idt(r, VEC, K_CODE, 0x11112222, A_TRAP32);
    idt(r, VEC + 1, K_CODE, 0x11112222, A_INT16);
    eflags_set(r->c, FL_IF);
    ck_assert_int_eq(rig_event(r, VEC, EVENT_EXTERNAL), NO_FAULT);
    ck_assert(eflags_get(r->c) & FL_IF);
    ck_assert_uint_eq(r->c->rip, 0x11112222);
    uint64_t sp = r->c->r[R_SP];
    ck_assert_int_eq(rig_event(r, VEC + 1, EVENT_EXTERNAL), NO_FAULT);
    ck_assert_uint_eq(r->c->rip, 0x2222);
    ck_assert_uint_eq(r->c->r[R_SP], sp - 6);
    ck_assert(!(eflags_get(r->c) & FL_IF));
    rig_destroy(r);
}
END_TEST

START_TEST(stack_limit_during_delivery_is_ss_with_ext)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    idt(r, VEC, K_CODE, 0, A_INT32);
    r->c->seg[SEG_SS].limit = 0x7000;                      /* ESP is above */
    ck_assert_int_eq(rig_event(r, VEC, EVENT_SOFT), V_SS);
    ck_assert_uint_eq(r->error, 0);
    ck_assert_int_eq(rig_event(r, VEC, EVENT_EXTERNAL), V_SS);
    ck_assert_uint_eq(r->error, 1);
    rig_destroy(r);
}
END_TEST

/* ---- Exceptions. */

START_TEST(fault_saves_rf_and_pushes_the_error_code)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 3);
    idt(r, V_GP, K_CODE, 0x5000, A_INT32);
    eflags_set(r->c, FL_IF);
    rig_fault(r, V_GP, 0x1234);
    ck_assert_uint_eq(r->c->rip, 0x5000);
    ck_assert_uint_eq(r->c->r[R_SP], RIG_STACK0 - 24);
    ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 24), 0x1234);
    ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 20), RIG_CODE);
    ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 12), FL_IF | FL_RF | FL_1);
    ck_assert(!(eflags_get(r->c) & FL_RF));
    ck_assert(!r->c->in_exception);
    rig_destroy(r);
}
END_TEST

/* SDM vol. 3 table 6-5. The second fault comes from the gate: it is not present (#NP), or its IDT page is not (#PF). */
static const struct { const char *what; enum vector first; bool second_np; unsigned delivered; uint32_t error; } doubles[] = {
    { "benign, then contributory", V_UD, true, V_NP, V_UD * 8 + 3 },
    { "contributory, then contributory", V_GP, true, V_DF, 0 },
    { "divide error, then contributory", V_DE, true, V_DF, 0 },
    { "page fault, then contributory", V_PF, true, V_DF, 0 },
};

START_TEST(second_fault_follows_the_table)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    for (unsigned v = 0; v < 20; v++) idt(r, v, K_CODE, 0x5000 + v, A_INT32);
    idt(r, doubles[_i].first, K_CODE, 0, 0x0e);            /* not present */
    rig_fault(r, doubles[_i].first, 0x77);
    ck_assert_msg(r->c->rip == 0x5000 + doubles[_i].delivered, "%s: went to %x", doubles[_i].what, (unsigned)r->c->rip);
    ck_assert_uint_eq(rig_r32(r, (uint32_t)r->c->r[R_SP]), doubles[_i].error);
    ck_assert_uint_eq(rig_r32(r, (uint32_t)r->c->r[R_SP] + 4), RIG_CODE);
    ck_assert_uint_eq(r->shutdowns, 0);
    rig_destroy(r);
}
END_TEST

START_TEST(page_fault_after_a_contributory_one_is_served_by_itself)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    idt(r, V_PF, K_CODE, 0x500e, A_INT32);
    r->c->in_exception = true;
    r->c->exception_vector = V_GP;
    rig_fault(r, V_PF, 2);
    ck_assert_uint_eq(r->c->rip, 0x500e);
    r->c->in_exception = true;                             /* but after a page fault it is a double fault */
    r->c->exception_vector = V_PF;
    idt(r, V_DF, K_CODE, 0x5008, A_INT32);
    rig_fault(r, V_PF, 2);
    ck_assert_uint_eq(r->c->rip, 0x5008);
    rig_destroy(r);
}
END_TEST

START_TEST(triple_fault_shuts_down)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    r->c->idtr.limit = 0;
    rig_fault(r, V_GP, 0);
    ck_assert_uint_eq(r->shutdowns, 1);
    ck_assert_int_eq(r->c->activity, ACT_SHUTDOWN);
    rig_destroy(r);
}
END_TEST

/* ---- Real mode. */

START_TEST(real_mode_interrupt_and_return)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    rig_w32(r, 0x21 * 4, 0x12345678);
    c->r[R_SP] = 0x1000;
    c->seg[SEG_CS] = rig_seg(0x100, 0x1000, 0xffff, A_DATA, 0);
    c->rip = 0x10;
    c->next_rip = 0x12;
    eflags_set(c, FL_IF | FL_ZF | FL_TF);
    struct insn i = rig_plain(INSN_O16);
    i.imm = 0x21;
    ck_assert_int_eq(rig_body(r, op_int_Ib, &i), NO_FAULT);
    ck_assert_uint_eq(c->seg[SEG_CS].base, 0x12340);
    ck_assert_uint_eq(c->rip, 0x5678);
    ck_assert_uint_eq(eflags_get(c), FL_ZF | FL_1);
    ck_assert_uint_eq(rig_r16(r, 0xffa), 0x12);
    ck_assert_uint_eq(rig_r16(r, 0xffc), 0x100);
    ck_assert_uint_eq(rig_r16(r, 0xffe), FL_IF | FL_ZF | FL_TF | FL_1);
    ck_assert_int_eq(rig_body(r, op_iret, &i), NO_FAULT);
    ck_assert_uint_eq(c->rip, 0x12);
    ck_assert_uint_eq(eflags_get(c), FL_IF | FL_ZF | FL_TF | FL_1);
    rig_destroy(r);
}
END_TEST

START_TEST(real_mode_vector_outside_the_idt)
{
    struct rig *r = rig_create("pentium3");
    r->c->idtr.limit = 0x80;
    r->c->r[R_SP] = 0x1000;
    ck_assert_int_eq(rig_event(r, 0x21, EVENT_SOFT), V_GP);
    rig_destroy(r);
    r = rig_create("286");
    r->c->idtr.limit = 0x80;
    ck_assert_int_eq(rig_event(r, 0x21, EVENT_SOFT), V_DF);     /* 80286 manual: interrupt 8 */
    rig_destroy(r);
}
END_TEST

START_TEST(stack_pointer_of_one_shuts_a_286_down)
{
    struct rig *r = rig_create("286");
    r->c->r[R_SP] = 1;
    rig_fault(r, V_GP, 0);
    ck_assert_uint_eq(r->shutdowns, 1);
    rig_destroy(r);
}
END_TEST

START_TEST(flags_of_the_8086_and_286_have_their_fixed_bits)
{
    struct rig *r = rig_create("8086");
    struct insn i = rig_plain(INSN_O16);
    r->c->r[R_SP] = 0x100;
    rig_body(r, op_pushf, &i);
    ck_assert_uint_eq(rig_r16(r, 0xfe), 0xf002);
    rig_w16(r, 0xfe, 0);
    rig_body(r, op_popf, &i);
    rig_body(r, op_pushf, &i);
    ck_assert_uint_eq(rig_r16(r, 0xfe), 0xf002);
    rig_destroy(r);
    r = rig_create("286");
    r->c->r[R_SP] = 0xfe;
    rig_w16(r, 0xfe, 0xffff);
    rig_body(r, op_popf, &i);
    rig_body(r, op_pushf, &i);
    ck_assert_uint_eq(rig_r16(r, 0xfe), 0x0fd7);
    rig_destroy(r);
}
END_TEST

/* ---- IRET in protected mode. */

static void push_frame(struct rig *r, const uint32_t *v, unsigned n)
{
    r->c->r[R_SP] = RIG_STACK0 - 4 * n;
    for (unsigned k = 0; k < n; k++) rig_w32(r, RIG_STACK0 - 4 * n + 4 * k, v[k]);
}

struct iret_row { const char *what; unsigned cpl; uint32_t frame[5]; int vector; uint32_t error; };
static const struct iret_row irets[] = {
    { "same level", 0, { 0x1000, K_CODE, FL_1 }, NO_FAULT, 0 },
    { "to CPL 3", 0, { 0x1000, U_CODE, FL_1, RIG_STACK3, U_DATA }, NO_FAULT, 0 },
    { "null CS", 0, { 0x1000, 0, FL_1 }, V_GP, 0 },
    { "CS outside", 0, { 0x1000, 0x300, FL_1 }, V_GP, 0x300 },
    { "CS is data", 0, { 0x1000, K_DATA, FL_1 }, V_GP, K_DATA },
    { "inner level", 3, { 0x1000, K_CODE, FL_1 }, V_GP, K_CODE },
    { "RPL and DPL differ", 0, { 0x1000, K_CODE | 3, FL_1, RIG_STACK3, U_DATA }, V_GP, K_CODE },
    { "CS not present", 0, { 0x1000, S_FREE, FL_1 }, V_NP, S_FREE },
    { "null SS", 0, { 0x1000, U_CODE, FL_1, RIG_STACK3, 0 }, V_GP, 0 },
    { "SS outside", 0, { 0x1000, U_CODE, FL_1, RIG_STACK3, 0x303 }, V_GP, 0x300 },
    { "SS of another level", 0, { 0x1000, U_CODE, FL_1, RIG_STACK3, K_DATA }, V_GP, K_DATA },
    { "SS not present", 0, { 0x1000, U_CODE, FL_1, RIG_STACK3, S_FREE2 | 3 }, V_SS, S_FREE2 },
    { "EIP above the limit", 0, { 0x2000, S_FREE3, FL_1 }, V_GP, 0 },
};

START_TEST(iret_faults_as_the_manual_says)
{
    const struct iret_row *row = &irets[_i];
    struct rig *r = rig_create("pentium3");
    rig_protected(r, row->cpl);
    rig_gdt(r, S_FREE, 0, 0xfffff, 0x1b, 0xc);
    rig_gdt(r, S_FREE2, 0, 0xfffff, 0x73, 0xc);
    rig_gdt(r, S_FREE3, 0, 0xfff, A_CODE, 0x4);
    push_frame(r, row->frame, 5);
    struct insn i = rig_plain(INSN_O32);
    r->c->nmi_blocked = true;
    ck_assert_msg(rig_body(r, op_iret, &i) == row->vector, "%s: vector", row->what);
    ck_assert(!r->c->nmi_blocked);
    if (row->vector != NO_FAULT) {
        ck_assert_msg(r->error == row->error, "%s: error code %x", row->what, r->error);
        ck_assert_uint_eq(r->c->r[R_SP], RIG_STACK0 - 20);
        ck_assert_uint_eq(r->c->cpl, row->cpl);
    } else {
        ck_assert_uint_eq(r->c->rip, 0x1000);
        ck_assert_uint_eq(r->c->cpl, row->frame[1] & 3);
        ck_assert_uint_eq(r->c->r[R_SP], row->frame[1] & 3 ? RIG_STACK3 : RIG_STACK0 - 8);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(iret_changes_only_the_flags_of_its_level)
{
    static const uint32_t frame[] = { 0x1000, U_CODE, ~0u & ~(uint32_t)FL_VM, RIG_STACK3, U_DATA };
    struct rig *r = rig_create("pentium3");
    struct insn i = rig_plain(INSN_O32);
    rig_protected(r, 3);
    eflags_set(r->c, FL_1);
    push_frame(r, frame, 3);
    ck_assert_int_eq(rig_body(r, op_iret, &i), NO_FAULT);  /* CPL 3, IOPL 0: no IF, no IOPL, no VIF */
    ck_assert_uint_eq(eflags_get(r->c), FL_ARITH | FL_1 | FL_TF | FL_DF | FL_NT | FL_RF | FL_AC | FL_ID);
    rig_protected(r, 0);
    eflags_set(r->c, FL_1);
    push_frame(r, frame, 5);
    ck_assert_int_eq(rig_body(r, op_iret, &i), NO_FAULT);
    ck_assert_uint_eq(eflags_get(r->c), FL_ARITH | FL_1 | FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_RF | FL_AC |
                                        FL_VIF | FL_VIP | FL_ID);
    rig_destroy(r);
}
END_TEST

/* ---- Virtual-8086 mode. */

START_TEST(iret_enters_v86_and_an_interrupt_leaves_it)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    static const uint32_t frame[] = { 0x100, 0x1234, FL_VM | FL_IF | FL_1, 0xfff0, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000 };
    push_frame(r, frame, 9);
    struct insn i = rig_plain(INSN_O32);
    ck_assert_int_eq(rig_body(r, op_iret, &i), NO_FAULT);
    ck_assert(cpu_v86(c));
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->seg[SEG_CS].base, 0x12340);
    ck_assert_uint_eq(c->seg[SEG_GS].base, 0x60000);
    ck_assert_uint_eq(c->r[R_SP], 0xfff0);

    idt(r, VEC, K_CODE, 0x7000, A_INT32);
    ck_assert_int_eq(rig_event(r, VEC, EVENT_EXTERNAL), NO_FAULT);
    ck_assert(!cpu_v86(c));
    ck_assert_uint_eq(c->cpl, 0);
    ck_assert_uint_eq(c->r[R_SP], RIG_STACK0 - 36);
    for (unsigned n = 0; n < 9; n++) ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 36 + 4 * n), frame[n]);
    ck_assert_uint_eq(c->seg[SEG_DS].sel, 0);
    ck_assert_uint_eq(c->seg[SEG_DS].attr, 0);
    rig_destroy(r);
}
END_TEST

START_TEST(v86_interrupt_must_go_to_level_0)
{
    struct rig *r = rig_create("pentium3");
    rig_v86(r, 3);
    rig_gdt(r, S_FREE, 0, 0xfffff, 0xbb, 0xc);             /* DPL 1 */
    rig_gdt(r, S_FREE2, 0, 0xfffff, 0x9f, 0xc);            /* conforming */
    idt(r, VEC, S_FREE, 0, 0xee);
    ck_assert_int_eq(rig_event(r, VEC, EVENT_EXTERNAL), V_GP);
    ck_assert_uint_eq(r->error, S_FREE | 1);
    idt(r, VEC, S_FREE2, 0, 0xee);
    ck_assert_int_eq(rig_event(r, VEC, EVENT_EXTERNAL), V_GP);
    ck_assert_uint_eq(r->error, S_FREE2 | 1);
    rig_destroy(r);
}
END_TEST

START_TEST(v86_guards_flags_by_iopl)
{
    static insn_body *const guarded[] = { op_cli, op_sti, op_pushf, op_popf, op_iret, op_int_Ib };
    struct rig *r = rig_create("pentium3");
    struct insn i = rig_plain(INSN_O16);
    i.imm = VEC;
    for (unsigned n = 0; n < 6; n++) {
        rig_v86(r, 2);
        ck_assert_int_eq(rig_body(r, guarded[n], &i), V_GP);
        ck_assert_uint_eq(r->error, 0);
    }
    idt(r, VEC, K_CODE, 0x7000, 0xee);
    for (unsigned n = 0; n < 6; n++) {
        rig_v86(r, 3);
        ck_assert_int_eq(rig_body(r, guarded[n], &i), NO_FAULT);
    }
    idt(r, V_BP, K_CODE, 0x7003, 0xee);
    rig_v86(r, 0);
    ck_assert_int_eq(rig_body(r, op_int3, &i), NO_FAULT);  /* INT3 is not sensitive to IOPL */
    rig_destroy(r);
}
END_TEST

START_TEST(vme_redirects_int_through_the_8086_table)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    struct insn i = rig_plain(INSN_O16);
    i.imm = VEC;
    rig_v86(r, 0);
    c->cr4 = CR4_VME;
    c->tr.limit = 0xff;
    rig_w16(r, RIG_TSS + 0x66, 0x68 + 32);                 /* redirection map at 68h, all clear */
    rig_w32(r, VEC * 4, 0x30004444);
    eflags_set(c, FL_VM | FL_IF | FL_VIF | FL_TF);
    ck_assert_int_eq(rig_body(r, op_int_Ib, &i), NO_FAULT);
    ck_assert(cpu_v86(c));
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x3000);
    ck_assert_uint_eq(c->rip, 0x4444);
    ck_assert_uint_eq(rig_r16(r, 0x8000 + 0xffe), FL_IF | FL_TF | FL_IOPL | FL_1);
    ck_assert_uint_eq(eflags_get(c), FL_VM | FL_IF | FL_1);

    *rig_at(r, RIG_TSS + 0x68 + VEC / 8) = 1 << (VEC & 7); /* redirection off: IOPL < 3 faults */
    ck_assert_int_eq(rig_body(r, op_int_Ib, &i), V_GP);
    rig_destroy(r);
}
END_TEST

START_TEST(vme_and_pvi_work_on_the_virtual_if)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    struct insn i = rig_plain(INSN_O16);
    rig_v86(r, 0);
    c->cr4 = CR4_VME;
    ck_assert_int_eq(rig_body(r, op_sti, &i), NO_FAULT);
    ck_assert(eflags_get(c) & FL_VIF);
    ck_assert_int_eq(rig_body(r, op_pushf, &i), NO_FAULT);
    ck_assert_uint_eq(rig_r16(r, 0x8000 + 0xffe), FL_IF | FL_IOPL | FL_1);
    ck_assert_int_eq(rig_body(r, op_cli, &i), NO_FAULT);
    ck_assert(!(eflags_get(c) & FL_VIF));
    ck_assert(eflags_get(c) & FL_IF);
    ck_assert_int_eq(rig_body(r, op_popf, &i), NO_FAULT);
    ck_assert(eflags_get(c) & FL_VIF);
    ck_assert_uint_eq(cpu_iopl(c), 0);
    eflags_set(c, eflags_get(c) | FL_VIP);
    ck_assert_int_eq(rig_body(r, op_sti, &i), V_GP);
    rig_protected(r, 3);
    eflags_set(c, FL_IF);
    ck_assert_int_eq(rig_body(r, op_cli, &i), V_GP);
    c->cr4 = CR4_PVI;
    ck_assert_int_eq(rig_body(r, op_sti, &i), NO_FAULT);
    ck_assert(eflags_get(c) & FL_VIF);
    rig_destroy(r);
}
END_TEST

START_TEST(sti_opens_a_shadow_only_from_disabled)
{
    struct rig *r = rig_create("pentium3");
    struct insn i = rig_plain(INSN_O16);
    eflags_set(r->c, FL_IF);
    rig_body(r, op_sti, &i);
    ck_assert(!shadow_is_open(r->c));
    rig_body(r, op_cli, &i);
    rig_body(r, op_sti, &i);
    ck_assert(shadow_is_open(r->c));
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("events");
    TCase *t = tcase_create("gates");
    tcase_add_loop_test(t, gate_faults_as_the_manual_says, 0, sizeof ints / sizeof ints[0]);
    tcase_add_test(t, trap_gate_leaves_if_alone_and_16_bit_gate_pushes_words);
    tcase_add_test(t, stack_limit_during_delivery_is_ss_with_ext);
    tcase_add_test(t, fault_saves_rf_and_pushes_the_error_code);
    tcase_add_loop_test(t, second_fault_follows_the_table, 0, sizeof doubles / sizeof doubles[0]);
    tcase_add_test(t, page_fault_after_a_contributory_one_is_served_by_itself);
    tcase_add_test(t, triple_fault_shuts_down);
    suite_add_tcase(s, t);
    t = tcase_create("real mode");
    tcase_add_test(t, real_mode_interrupt_and_return);
    tcase_add_test(t, real_mode_vector_outside_the_idt);
    tcase_add_test(t, stack_pointer_of_one_shuts_a_286_down);
    tcase_add_test(t, flags_of_the_8086_and_286_have_their_fixed_bits);
    suite_add_tcase(s, t);
    t = tcase_create("iret");
    tcase_add_loop_test(t, iret_faults_as_the_manual_says, 0, sizeof irets / sizeof irets[0]);
    tcase_add_test(t, iret_changes_only_the_flags_of_its_level);
    suite_add_tcase(s, t);
    t = tcase_create("v86");
    tcase_add_test(t, iret_enters_v86_and_an_interrupt_leaves_it);
    tcase_add_test(t, v86_interrupt_must_go_to_level_0);
    tcase_add_test(t, v86_guards_flags_by_iopl);
    tcase_add_test(t, vme_redirects_int_through_the_8086_table);
    tcase_add_test(t, vme_and_pvi_work_on_the_virtual_if);
    tcase_add_test(t, sti_opens_a_shadow_only_from_disabled);
    suite_add_tcase(s, t);
    return suite_main(s);
}
