/* Hardware task switches: the four ways in, nesting, busy bits, and the faults of SDM vol. 3 table 7-1. */
#include "tests/unit/cpu_rig.h"

enum { T_LINK = 0, T_CR3 = 0x1c, T_EIP = 0x20, T_EFLAGS = 0x24, T_EAX = 0x28, T_ESP = 0x38, T_ES = 0x48, T_LDT = 0x60,
       T_TRAP = 0x64 };

/* A complete task in RIG_TSS2: runs at 1234h on K segments. */
static void make_task(struct rig *r)
{
    static const uint16_t segs[6] = { K_DATA, K_CODE, K_DATA, K_DATA, 0, 0 };
    for (unsigned n = 0; n < 8; n++) rig_w32(r, RIG_TSS2 + T_EAX + 4 * n, 0xa0a0a000 + n);
    for (unsigned n = 0; n < 6; n++) rig_w16(r, RIG_TSS2 + T_ES + 4 * n, segs[n]);
    rig_w32(r, RIG_TSS2 + T_ESP, 0x7000);
    rig_w32(r, RIG_TSS2 + T_EIP, 0x1234);
    rig_w32(r, RIG_TSS2 + T_EFLAGS, FL_1 | FL_CF);
}

static uint8_t access_of(struct rig *r, unsigned sel) { return *rig_at(r, RIG_GDT + sel + 5); }

START_TEST(call_nests_and_iret_returns)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    make_task(r);
    c->r[R_AX] = 0x11112222;
    eflags_set(c, FL_IF);
    c->dr[7] = 0x7ff;
    struct insn i = rig_far(S_TSS2, 0, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_call_Ap, &i), NO_FAULT);
    ck_assert_uint_eq(c->rip, 0x1234);
    ck_assert_uint_eq(c->r[R_AX], 0xa0a0a000);
    ck_assert_uint_eq(c->r[R_SP], 0x7000);
    ck_assert_uint_eq(eflags_get(c), FL_1 | FL_CF | FL_NT);
    ck_assert_uint_eq(c->tr.sel, S_TSS2);
    ck_assert_uint_eq(c->seg[SEG_FS].attr, 0);
    ck_assert(c->cr0 & CR0_TS);
    ck_assert_uint_eq(c->dr[7], 0x6aa);                    /* local enables are gone */
    ck_assert_uint_eq(rig_r16(r, RIG_TSS2 + T_LINK), S_TSS);
    ck_assert_uint_eq(access_of(r, S_TSS), A_TSS32 | 2);
    ck_assert_uint_eq(access_of(r, S_TSS2), A_TSS32 | 2);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS + T_EIP), RIG_CODE + 2);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS + T_EAX), 0x11112222);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS + T_EFLAGS), FL_IF | FL_1);

    c->r[R_AX] = 0x33334444;
    i = rig_plain(INSN_O32);
    c->next_rip = 0x1235;
    ck_assert_int_eq(rig_body(r, op_iret, &i), NO_FAULT);
    ck_assert_uint_eq(c->rip, RIG_CODE + 2);
    ck_assert_uint_eq(c->r[R_AX], 0x11112222);
    ck_assert_uint_eq(c->tr.sel, S_TSS);
    ck_assert_uint_eq(eflags_get(c), FL_IF | FL_1);
    ck_assert_uint_eq(access_of(r, S_TSS2), A_TSS32);
    ck_assert_uint_eq(access_of(r, S_TSS), A_TSS32 | 2);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS2 + T_EIP), 0x1235);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS2 + T_EFLAGS), FL_1 | FL_CF);   /* NT is cleared in the saved image */
    rig_destroy(r);
}
END_TEST

START_TEST(jump_frees_the_old_task)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    make_task(r);
    struct insn i = rig_far(S_TSS2, 0, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_jmp_Ap, &i), NO_FAULT);
    ck_assert_uint_eq(access_of(r, S_TSS), A_TSS32);
    ck_assert_uint_eq(access_of(r, S_TSS2), A_TSS32 | 2);
    ck_assert(!(eflags_get(r->c) & FL_NT));
    ck_assert_uint_eq(rig_r16(r, RIG_TSS2 + T_LINK), 0);
    rig_destroy(r);
}
END_TEST

START_TEST(task_gate_in_the_idt_pushes_the_error_code_on_the_new_stack)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 3);
    make_task(r);
    rig_gate(r, RIG_IDT + 8 * V_GP, S_TSS2, 0, A_TASK, 0);
    rig_fault(r, V_GP, 0x4321);
    ck_assert_uint_eq(r->c->rip, 0x1234);
    ck_assert_uint_eq(r->c->cpl, 0);
    ck_assert_uint_eq(r->c->r[R_SP], 0x7000 - 4);
    ck_assert_uint_eq(rig_r32(r, 0x7000 - 4), 0x4321);
    ck_assert_uint_eq(rig_r32(r, RIG_TSS + T_EIP), RIG_CODE);
    ck_assert(rig_r32(r, RIG_TSS + T_EFLAGS) & FL_RF);
    rig_destroy(r);
}
END_TEST

START_TEST(task_may_be_virtual_8086)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    make_task(r);
    rig_w32(r, RIG_TSS2 + T_EFLAGS, FL_VM | FL_1);
    for (unsigned n = 0; n < 6; n++) rig_w16(r, RIG_TSS2 + T_ES + 4 * n, (uint16_t)(0x1000 + n));
    struct insn i = rig_far(S_TSS2, 0, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_jmp_Ap, &i), NO_FAULT);
    ck_assert(cpu_v86(r->c));
    ck_assert_uint_eq(r->c->cpl, 3);
    ck_assert_uint_eq(r->c->seg[SEG_GS].base, 0x10050);
    rig_destroy(r);
}
END_TEST

START_TEST(trap_bit_raises_bt_in_the_new_task)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    make_task(r);
    rig_w16(r, RIG_TSS2 + T_TRAP, 1);
    rig_gate(r, RIG_IDT + 8 * V_DB, K_CODE, 0x6666, A_INT32, 0);
    struct insn i = rig_far(S_TSS2, 0, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_jmp_Ap, &i), NO_FAULT);
    ck_assert(r->c->attention & ATT_TRAP);
    debug_trap(r->c, false);
    ck_assert_uint_eq(r->c->rip, 0x6666);
    ck_assert_uint_eq(r->c->dr[6] & 0xe00f, 0x8000);
    ck_assert_uint_eq(rig_r32(r, 0x7000 - 12), 0x1234);
    rig_destroy(r);
}
END_TEST

START_TEST(sixteen_bit_task_has_its_own_layout)
{
    struct rig *r = rig_create("286");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n].limit = 0xffff;
    rig_gdt(r, K_CODE, 0, 0xffff, A_CODE, 0);
    rig_gdt(r, K_DATA, 0, 0xffff, A_DATA, 0);
    rig_gdt(r, S_TSS, RIG_TSS, 0x2b, A_TSS16 | 2, 0);
    rig_gdt(r, S_TSS2, RIG_TSS2, 0x2b, A_TSS16, 0);
    c->tr = rig_seg(S_TSS, RIG_TSS, 0x2b, A_TSS16 | 2, 0);
    static const uint16_t image[] = { 0x1234, FL_1, 1, 2, 3, 4, 0x7000, 6, 7, 8, K_DATA, K_CODE, K_DATA, K_DATA, 0 };
    for (unsigned n = 0; n < 15; n++) rig_w16(r, RIG_TSS2 + 0x0e + 2 * n, image[n]);
    struct insn i = rig_far(S_TSS2, 0, INSN_O16);
    c->rip = 0x100;
    c->next_rip = 0x105;
    ck_assert_int_eq(rig_body(r, op_call_Ap, &i), NO_FAULT);
    ck_assert_uint_eq(c->rip, 0x1234);
    ck_assert_uint_eq(reg16(c, R_CX), 2);
    ck_assert_uint_eq(reg16(c, R_DI), 8);
    ck_assert_uint_eq(rig_r16(r, RIG_TSS + 0x0e), 0x105);
    ck_assert_uint_eq(rig_r16(r, RIG_TSS2), S_TSS);
    ck_assert_uint_eq(access_of(r, S_TSS2), A_TSS16 | 2);
    rig_destroy(r);
}
END_TEST

/* Faults: before the point of no return the old task is untouched, after it TR and CS:EIP are the new task's. */
struct task_row {
    const char *what;
    unsigned at, value;          /* word to change in the new TSS; at 0: nothing */
    unsigned tss_access, tss_limit;
    int vector;
    uint32_t error;
    bool switched;
};
static const struct task_row rows[] = {
    { "TSS not present", 0, 0, 0x09, 0x67, V_NP, S_TSS2, false },
    { "TSS busy", 0, 0, 0x8b, 0x67, V_GP, S_TSS2, false },
    { "TSS too short", 0, 0, 0x89, 0x66, V_TS, S_TSS2, false },
    { "LDT outside", T_LDT, 0x200, 0x89, 0x67, V_TS, 0x200, true },
    { "LDT is not one", T_LDT, K_DATA, 0x89, 0x67, V_TS, K_DATA, true },
    { "CS null", T_ES + 4, 0, 0x89, 0x67, V_TS, 0, true },
    { "CS is data", T_ES + 4, K_DATA, 0x89, 0x67, V_TS, K_DATA, true },
    { "CS of another level", T_ES + 4, K_CODE | 3, 0x89, 0x67, V_TS, K_CODE, true },
    { "CS not present", T_ES + 4, S_FREE, 0x89, 0x67, V_NP, S_FREE, true },
    { "SS null", T_ES + 8, 0, 0x89, 0x67, V_TS, 0, true },
    { "SS of another level", T_ES + 8, U_DATA, 0x89, 0x67, V_TS, U_DATA & ~3, true },
    { "SS not present", T_ES + 8, S_FREE2, 0x89, 0x67, V_SS, S_FREE2, true },
    { "DS is execute-only", T_ES + 12, S_FREE3, 0x89, 0x67, V_TS, S_FREE3, true },
    { "ES not present", T_ES, S_FREE2, 0x89, 0x67, V_NP, S_FREE2, true },
};

START_TEST(task_switch_faults_as_the_manual_says)
{
    const struct task_row *row = &rows[_i];
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    make_task(r);
    rig_gdt(r, S_FREE, 0, 0xfffff, 0x1b, 0xc);
    rig_gdt(r, S_FREE2, 0, 0xfffff, 0x13, 0xc);
    rig_gdt(r, S_FREE3, 0, 0xfffff, 0x99, 0xc);
    rig_gdt(r, S_TSS2, RIG_TSS2, row->tss_limit, row->tss_access, 0);
    if (row->at) rig_w16(r, RIG_TSS2 + row->at, (uint16_t)row->value);
    struct insn i = rig_far(S_TSS2, 0, INSN_O32);
    ck_assert_msg(rig_body(r, op_jmp_Ap, &i) == row->vector, "%s: vector %u", row->what, r->c->fault_vector);
    ck_assert_msg(r->error == row->error, "%s: error code %x", row->what, r->error);
    ck_assert_uint_eq(r->c->tr.sel, row->switched ? S_TSS2 : S_TSS);
    ck_assert_uint_eq(r->c->rip, row->switched ? 0x1234 : RIG_CODE);
    ck_assert_uint_eq(access_of(r, S_TSS), row->switched ? A_TSS32 : A_TSS32 | 2);
    rig_destroy(r);
}
END_TEST

START_TEST(iret_with_nt_wants_a_busy_tss)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    make_task(r);
    struct insn i = rig_plain(INSN_O32);
    eflags_set(r->c, FL_NT);
    rig_w16(r, RIG_TSS + T_LINK, S_TSS2);
    ck_assert_int_eq(rig_body(r, op_iret, &i), V_TS);
    ck_assert_uint_eq(r->error, S_TSS2);
    rig_w16(r, RIG_TSS + T_LINK, 0x204);
    ck_assert_int_eq(rig_body(r, op_iret, &i), V_TS);
    ck_assert_uint_eq(r->error, 0x204);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tasks");
    TCase *t = tcase_create("switches");
    tcase_add_test(t, call_nests_and_iret_returns);
    tcase_add_test(t, jump_frees_the_old_task);
    tcase_add_test(t, task_gate_in_the_idt_pushes_the_error_code_on_the_new_stack);
    tcase_add_test(t, task_may_be_virtual_8086);
    tcase_add_test(t, trap_bit_raises_bt_in_the_new_task);
    tcase_add_test(t, sixteen_bit_task_has_its_own_layout);
    tcase_add_loop_test(t, task_switch_faults_as_the_manual_says, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(t, iret_with_nt_wants_a_busy_tss);
    suite_add_tcase(s, t);
    return suite_main(s);
}
