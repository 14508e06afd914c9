/* Loads of segment registers and far transfers: each row is a descriptor, a privilege and the manual's verdict. */
#include "tests/unit/cpu_rig.h"

/* ---- MOV Sreg: SDM vol. 2 "MOV", protected mode exceptions. */

struct load_row {
    const char *what;
    unsigned seg, cpl, sel;
    unsigned access;             /* of the descriptor at S_FREE */
    int vector;
    uint32_t error;
};

static const struct load_row loads[] = {
    { "null into DS", SEG_DS, 0, 0x0003, 0, NO_FAULT, 0 },
    { "null into SS", SEG_SS, 0, 0x0000, 0, V_GP, 0 },
    { "null with RPL into SS", SEG_SS, 0, 0x0003, 0, V_GP, 0 },
    { "outside the GDT", SEG_DS, 0, 0x0107, 0, V_GP, 0x0104 },
    { "outside the GDT, global", SEG_ES, 0, 0x0100, 0, V_GP, 0x0100 },
    { "data", SEG_DS, 0, S_FREE, A_DATA, NO_FAULT, 0 },
    { "read-only data", SEG_ES, 0, S_FREE, 0x91, NO_FAULT, 0 },
    { "execute-only code", SEG_DS, 0, S_FREE, 0x99, V_GP, S_FREE },
    { "readable code", SEG_DS, 0, S_FREE, A_CODE, NO_FAULT, 0 },
    { "system segment", SEG_DS, 0, S_FREE, A_LDT, V_GP, S_FREE },
    { "gate", SEG_FS, 0, S_FREE, A_CALL32, V_GP, S_FREE },
    { "not present data", SEG_GS, 0, S_FREE, 0x13, V_NP, S_FREE },
    { "wrong type before not present", SEG_GS, 0, S_FREE, 0x19, V_GP, S_FREE },
    { "DPL 0 from CPL 3", SEG_DS, 3, S_FREE, A_DATA, V_GP, S_FREE },
    { "DPL 3 from CPL 3", SEG_DS, 3, S_FREE | 3, A_DATA3, NO_FAULT, 0 },
    { "RPL 3 on DPL 0", SEG_DS, 0, S_FREE | 3, A_DATA, V_GP, S_FREE },
    { "conforming code of DPL 0 from CPL 3", SEG_DS, 3, S_FREE | 3, 0x9f, NO_FAULT, 0 },
    { "not present is later than privilege", SEG_DS, 3, S_FREE, 0x13, V_GP, S_FREE },
    { "stack", SEG_SS, 0, S_FREE, A_DATA, NO_FAULT, 0 },
    { "stack with another RPL", SEG_SS, 0, S_FREE | 1, A_DATA, V_GP, S_FREE },
    { "stack with another DPL", SEG_SS, 0, S_FREE, A_DATA3, V_GP, S_FREE },
    { "read-only stack", SEG_SS, 0, S_FREE, 0x91, V_GP, S_FREE },
    { "code as stack", SEG_SS, 0, S_FREE, A_CODE, V_GP, S_FREE },
    { "stack not present", SEG_SS, 0, S_FREE, 0x13, V_SS, S_FREE },
    { "expand-down stack", SEG_SS, 0, S_FREE, 0x97, NO_FAULT, 0 },
};

START_TEST(segment_load_faults_as_the_manual_says)
{
    const struct load_row *row = &loads[_i];
    struct rig *r = rig_create("pentium3");
    rig_protected(r, row->cpl);
    rig_gdt(r, S_FREE, 0x1234567, 0x89abc, row->access, 0x4);
    struct seg before = r->c->seg[row->seg];
    r->c->r[R_AX] = row->sel;
    struct insn i = rig_reg(row->seg, R_AX, INSN_O32);
    ck_assert_msg(rig_body(r, op_mov_Sw_Ew, &i) == row->vector, "%s: vector", row->what);
    if (row->vector != NO_FAULT) {
        ck_assert_msg(r->error == row->error, "%s: error code %x", row->what, r->error);
        ck_assert_msg(!memcmp(&before, &r->c->seg[row->seg], sizeof before), "%s: register changed", row->what);
    } else {
        ck_assert_uint_eq(r->c->seg[row->seg].sel, row->sel);
        if (row->sel > 3) {
            ck_assert_uint_eq(r->c->seg[row->seg].base, 0x1234567);
            ck_assert_uint_eq(r->c->seg[row->seg].limit, 0x89abc);
        } else {
            ck_assert_uint_eq(r->c->seg[row->seg].attr, 0);
        }
    }
    rig_destroy(r);
}
END_TEST

START_TEST(load_sets_the_accessed_bit_once)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    rig_gdt(r, S_FREE, 0, 0xfffff, 0x92, 0xc);
    r->c->r[R_CX] = S_FREE;
    struct insn i = rig_reg(SEG_ES, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), NO_FAULT);
    ck_assert_uint_eq(*rig_at(r, RIG_GDT + S_FREE + 5), 0x93);
    ck_assert_uint_eq(r->c->seg[SEG_ES].attr, 0xc093);
    ck_assert_uint_eq(r->c->seg[SEG_ES].limit, 0xffffffff);
    rig_destroy(r);
}
END_TEST

START_TEST(ldt_selector_is_looked_up_in_the_ldt)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    rig_desc(r, RIG_LDT + 8, 0x777000, 0xfff, A_DATA, 0);
    r->c->r[R_CX] = 0x0c;
    struct insn i = rig_reg(SEG_DS, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->seg[SEG_DS].base, 0x777000);
    r->c->ldtr = (struct seg){ 0 };                        /* no LDT: every selector is outside */
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), V_GP);
    ck_assert_uint_eq(r->error, 0x0c);
    rig_destroy(r);
}
END_TEST

START_TEST(real_mode_load_keeps_the_limit)
{
    struct rig *r = rig_create("pentium3");
    r->c->seg[SEG_DS].limit = 0xffffffff;                  /* as "unreal" mode leaves it */
    r->c->r[R_CX] = 0x1234;
    struct insn i = rig_reg(SEG_DS, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->seg[SEG_DS].base, 0x12340);
    ck_assert_uint_eq(r->c->seg[SEG_DS].limit, 0xffffffff);
    rig_destroy(r);
}
END_TEST

START_TEST(mov_to_ss_opens_the_shadow)
{
    struct rig *r = rig_create("pentium3");
    struct insn i = rig_reg(SEG_SS, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), NO_FAULT);
    ck_assert(shadow_is_open(r->c));
    r->c->intr_level = true;                                       /* somebody waits: the run loop must know */
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), NO_FAULT);
    ck_assert(r->c->attention & ATT_SHADOW);
    i = rig_reg(SEG_CS, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_mov_Sw_Ew, &i), V_UD);
    rig_destroy(r);
}
END_TEST

/* ---- Far JMP and CALL: SDM vol. 2 "JMP", "CALL". */

struct far_row {
    const char *what;
    bool call;
    unsigned cpl, sel;
    unsigned access;             /* of the code segment or gate at S_FREE */
    unsigned target;             /* of a gate: its selector */
    uint32_t off, limit;
    int vector;
    uint32_t error;
    unsigned cs;                 /* after success */
};

static const struct far_row fars[] = {
    { "null", false, 0, 0, 0, 0, 0, 0, V_GP, 0, 0 },
    { "outside", false, 0, 0x108, 0, 0, 0, 0, V_GP, 0x108, 0 },
    { "data segment", false, 0, S_FREE, A_DATA, 0, 0, 0xfff, V_GP, S_FREE, 0 },
    { "same level", false, 0, S_FREE, A_CODE, 0, 0x10, 0xfff, NO_FAULT, 0, S_FREE },
    { "EIP above the limit", false, 0, S_FREE, A_CODE, 0, 0x1000, 0xfff, V_GP, 0, 0 },
    { "EIP at the limit", false, 0, S_FREE, A_CODE, 0, 0xfff, 0xfff, NO_FAULT, 0, S_FREE },
    { "not present", false, 0, S_FREE, 0x1b, 0, 0, 0xfff, V_NP, S_FREE, 0 },
    { "RPL above CPL", false, 0, S_FREE | 3, A_CODE, 0, 0, 0xfff, V_GP, S_FREE, 0 },
    { "RPL below CPL is replaced", false, 3, S_FREE, A_CODE3, 0, 0, 0xfff, NO_FAULT, 0, S_FREE | 3 },
    { "inner level without a gate", false, 3, S_FREE | 3, A_CODE, 0, 0, 0xfff, V_GP, S_FREE, 0 },
    { "outer level", false, 0, S_FREE, A_CODE3, 0, 0, 0xfff, V_GP, S_FREE, 0 },
    { "conforming from outside", false, 3, S_FREE | 3, 0x9f, 0, 0, 0xfff, NO_FAULT, 0, S_FREE | 3 },
    { "conforming of an outer level", false, 0, S_FREE, 0xff, 0, 0, 0xfff, V_GP, S_FREE, 0 },
    { "gate of DPL 0 from CPL 3", true, 3, S_FREE | 3, A_CALL32, K_CODE, 0, 0, V_GP, S_FREE, 0 },
    { "gate not present", true, 3, S_FREE | 3, 0x6c, K_CODE, 0, 0, V_NP, S_FREE, 0 },
    { "gate with null target", true, 0, S_FREE, A_CALL32, 0, 0, 0, V_GP, 0, 0 },
    { "gate to data", true, 0, S_FREE, A_CALL32, K_DATA, 0, 0, V_GP, K_DATA, 0 },
    { "gate to an outer level", true, 0, S_FREE, A_CALL32, U_CODE, 0, 0, V_GP, U_CODE & ~3, 0 },
    { "gate outside", true, 0, S_FREE, A_CALL32, 0x200, 0, 0, V_GP, 0x200, 0 },
    { "call through a gate inwards", true, 3, S_FREE | 3, 0xec, K_CODE, 0x12340, 0, NO_FAULT, 0, K_CODE },
    { "jump through a gate inwards", false, 3, S_FREE | 3, 0xec, K_CODE, 0, 0, V_GP, K_CODE, 0 },
    { "jump through a gate, same level", false, 0, S_FREE, A_CALL32, K_CODE | 3, 0x40, 0, NO_FAULT, 0, K_CODE },
    { "busy TSS", false, 0, S_TSS, 0, 0, 0, 0, V_GP, S_TSS, 0 },
    { "interrupt gate", false, 0, S_FREE, A_INT32, K_CODE, 0, 0, V_GP, S_FREE, 0 },
};

START_TEST(far_transfer_faults_as_the_manual_says)
{
    const struct far_row *row = &fars[_i];
    struct rig *r = rig_create("pentium3");
    rig_protected(r, row->cpl);
    bool gate = row->access && !(row->access & 0x10);
    if (gate) rig_gate(r, RIG_GDT + S_FREE, row->target, row->off, row->access, 0);
    else rig_gdt(r, S_FREE, 0x10000, row->limit, row->access, 0x4);
    struct insn i = rig_far(row->sel, gate ? 0xdeadbeef : row->off, INSN_O32);
    ck_assert_msg(rig_body(r, row->call ? op_call_Ap : op_jmp_Ap, &i) == row->vector, "%s: vector", row->what);
    if (row->vector != NO_FAULT) {
        ck_assert_msg(r->error == row->error, "%s: error code %x", row->what, r->error);
        ck_assert_uint_eq(r->c->cpl, row->cpl);
        ck_assert_uint_eq(r->c->rip, RIG_CODE);
    } else {
        ck_assert_msg(r->c->seg[SEG_CS].sel == row->cs, "%s: CS %x", row->what, r->c->seg[SEG_CS].sel);
        ck_assert_uint_eq(r->c->rip, row->off);
        ck_assert_uint_eq(r->c->cpl, row->cs & 3);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(call_gate_copies_parameters_to_the_inner_stack)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 3);
    rig_gate(r, RIG_GDT + S_FREE, K_CODE, 0x12345678, 0xec, 2);
    rig_w32(r, RIG_STACK3, 0x11111111);
    rig_w32(r, RIG_STACK3 + 4, 0x22222222);
    struct insn i = rig_far(S_FREE | 3, 0, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_call_Ap, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->r[R_SP], RIG_STACK0 - 24);
    static const uint32_t want[] = { RIG_CODE + 2, U_CODE, 0x11111111, 0x22222222, RIG_STACK3, U_DATA };
    for (unsigned n = 0; n < 6; n++) ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 24 + 4 * n), want[n]);
    ck_assert_uint_eq(r->c->seg[SEG_SS].sel, K_DATA);
    ck_assert_uint_eq(r->c->cpl, 0);

    /* And back: RETF 8 releases the parameters on both stacks and nulls what CPL 3 may not hold. */
    r->c->seg[SEG_DS] = rig_seg(K_DATA, 0, 0xffffffff, A_DATA, 0xc);
    i = rig_plain(INSN_O32);
    i.imm = 8;
    ck_assert_int_eq(rig_body(r, op_retf_Iw, &i), NO_FAULT);
    ck_assert_uint_eq(r->c->cpl, 3);
    ck_assert_uint_eq(r->c->rip, RIG_CODE + 2);
    ck_assert_uint_eq(r->c->r[R_SP], RIG_STACK3 + 8);
    ck_assert_uint_eq(r->c->seg[SEG_SS].sel, U_DATA);
    ck_assert_uint_eq(r->c->seg[SEG_DS].sel, 0);
    ck_assert_uint_eq(r->c->seg[SEG_DS].attr, 0);
    ck_assert_uint_eq(r->c->seg[SEG_ES].sel, U_DATA);
    rig_destroy(r);
}
END_TEST

/* What the TSS offers as inner stack. */
static const struct { const char *what; unsigned ss, access; uint32_t tr_limit, esp; int vector; uint32_t error; } inner[] = {
    { "null SS", 0, 0, 0x67, RIG_STACK0, V_TS, 0 },
    { "SS outside", 0x200, 0, 0x67, RIG_STACK0, V_TS, 0x200 },
    { "SS with RPL 3", S_FREE2 | 3, A_DATA, 0x67, RIG_STACK0, V_TS, S_FREE2 },
    { "SS with DPL 3", S_FREE2, A_DATA3, 0x67, RIG_STACK0, V_TS, S_FREE2 },
    { "read-only SS", S_FREE2, 0x91, 0x67, RIG_STACK0, V_TS, S_FREE2 },
    { "SS not present", S_FREE2, 0x13, 0x67, RIG_STACK0, V_SS, S_FREE2 },
    { "no room", S_FREE2, A_DATA, 0x67, 8, V_SS, S_FREE2 },
    { "TSS too short", S_FREE2, A_DATA, 8, RIG_STACK0, V_TS, S_TSS },
    { "good", S_FREE2, A_DATA, 0x67, RIG_STACK0, NO_FAULT, 0 },
};

START_TEST(inner_stack_is_checked_before_anything_is_pushed)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 3);
    rig_gate(r, RIG_GDT + S_FREE, K_CODE, 0x100, 0xec, 0);
    rig_gdt(r, S_FREE2, 0, 0xffff, inner[_i].access, 0x4);
    rig_w16(r, RIG_TSS + 8, (uint16_t)inner[_i].ss);
    rig_w32(r, RIG_TSS + 4, inner[_i].esp);
    r->c->tr.limit = inner[_i].tr_limit;
    struct insn i = rig_far(S_FREE | 3, 0, INSN_O32);
    ck_assert_msg(rig_body(r, op_call_Ap, &i) == inner[_i].vector, "%s", inner[_i].what);
    if (inner[_i].vector != NO_FAULT) {
        ck_assert_msg(r->error == inner[_i].error, "%s: error code %x", inner[_i].what, r->error);
        ck_assert_uint_eq(r->c->cpl, 3);
        ck_assert_uint_eq(r->c->r[R_SP], RIG_STACK3);
        ck_assert_uint_eq(rig_r32(r, RIG_STACK0 - 4), 0);
    }
    rig_destroy(r);
}
END_TEST

START_TEST(real_mode_far_call_and_return)
{
    struct rig *r = rig_create("pentium3");
    struct cpu *c = r->c;
    c->r[R_SP] = 0x1000;
    c->seg[SEG_CS].sel = 0x800;
    c->rip = 0x20;
    c->next_rip = 0x25;
    struct insn i = rig_far(0x1234, 0x5678, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_call_Ap, &i), NO_FAULT);
    ck_assert_uint_eq(c->seg[SEG_CS].base, 0x12340);
    ck_assert_uint_eq(c->rip, 0x5678);
    ck_assert_uint_eq(c->r[R_SP], 0xffc);
    ck_assert_uint_eq(rig_r16(r, 0xffc), 0x25);
    ck_assert_uint_eq(rig_r16(r, 0xffe), 0x800);
    i = rig_plain(INSN_O16);
    ck_assert_int_eq(rig_body(r, op_retf, &i), NO_FAULT);
    ck_assert_uint_eq(c->seg[SEG_CS].base, 0x8000);
    ck_assert_uint_eq(c->rip, 0x25);
    ck_assert_uint_eq(c->r[R_SP], 0x1000);
    i = rig_far(0x1234, 0x10000, INSN_O32);
    ck_assert_int_eq(rig_body(r, op_jmp_Ap, &i), V_GP);
    rig_destroy(r);
}
END_TEST

/* ---- LAR, LSL, VERR, VERW. */

START_TEST(lsl_and_lar_see_what_they_may)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 3);
    rig_gdt(r, S_FREE, 0, 0xfffff, A_DATA3, 0xc);
    rig_gdt(r, S_FREE2, 0, 0x123, A_DATA, 0x4);
    rig_gate(r, RIG_GDT + S_FREE3, K_CODE, 0, 0xec, 0);
    struct insn i = rig_reg(R_AX, R_CX, INSN_O32);
    r->c->r[R_CX] = S_FREE;
    rig_body(r, op_lsl, &i);
    ck_assert(eflags_get(r->c) & FL_ZF);
    ck_assert_uint_eq(r->c->r[R_AX], 0xffffffff);
    rig_body(r, op_lar, &i);
    ck_assert_uint_eq(r->c->r[R_AX] & 0x00f0ff00, 0x00c0f300);   /* bits 16 to 19 are undefined */
    r->c->r[R_CX] = S_FREE2;                               /* DPL 0 */
    rig_body(r, op_lsl, &i);
    ck_assert(!(eflags_get(r->c) & FL_ZF));
    ck_assert_uint_eq(r->c->r[R_AX] & 0x00f0ff00, 0x00c0f300);   /* bits 16 to 19 are undefined */
    r->c->r[R_CX] = S_FREE3;                               /* a gate has rights but no limit */
    rig_body(r, op_lar, &i);
    ck_assert(eflags_get(r->c) & FL_ZF);
    rig_body(r, op_lsl, &i);
    ck_assert(!(eflags_get(r->c) & FL_ZF));
    r->c->r[R_CX] = 0x200;
    ck_assert_int_eq(rig_body(r, op_lar, &i), NO_FAULT);
    ck_assert(!(eflags_get(r->c) & FL_ZF));
    rig_destroy(r);
}
END_TEST

START_TEST(ltr_marks_the_tss_busy_and_lldt_checks_its_type)
{
    struct rig *r = rig_create("pentium3");
    rig_protected(r, 0);
    r->c->r[R_CX] = S_TSS2;
    struct insn i = rig_reg(3, R_CX, INSN_O16);
    ck_assert_int_eq(rig_body(r, op_ltr, &i), NO_FAULT);
    ck_assert_uint_eq(*rig_at(r, RIG_GDT + S_TSS2 + 5), A_TSS32 | 2);
    ck_assert_int_eq(rig_body(r, op_ltr, &i), V_GP);       /* busy now */
    ck_assert_uint_eq(r->error, S_TSS2);
    ck_assert_int_eq(rig_body(r, op_lldt, &i), V_GP);
    r->c->r[R_CX] = 0;
    ck_assert_int_eq(rig_body(r, op_lldt, &i), NO_FAULT);
    ck_assert_int_eq(rig_body(r, op_ltr, &i), V_GP);
    ck_assert_uint_eq(r->error, 0);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("segments");
    TCase *t = tcase_create("loads");
    tcase_add_loop_test(t, segment_load_faults_as_the_manual_says, 0, sizeof loads / sizeof loads[0]);
    tcase_add_test(t, load_sets_the_accessed_bit_once);
    tcase_add_test(t, ldt_selector_is_looked_up_in_the_ldt);
    tcase_add_test(t, real_mode_load_keeps_the_limit);
    tcase_add_test(t, mov_to_ss_opens_the_shadow);
    tcase_add_test(t, lsl_and_lar_see_what_they_may);
    tcase_add_test(t, ltr_marks_the_tss_busy_and_lldt_checks_its_type);
    suite_add_tcase(s, t);
    t = tcase_create("transfers");
    tcase_add_loop_test(t, far_transfer_faults_as_the_manual_says, 0, sizeof fars / sizeof fars[0]);
    tcase_add_loop_test(t, inner_stack_is_checked_before_anything_is_pushed, 0, sizeof inner / sizeof inner[0]);
    tcase_add_test(t, call_gate_copies_parameters_to_the_inner_stack);
    tcase_add_test(t, real_mode_far_call_and_return);
    suite_add_tcase(s, t);
    return suite_main(s);
}
