/* The x87 unit's surroundings: what the host cannot be asked. Pending errors and FERR#, #NM, faults on memory, the four
 * shapes of the environment, pointers, reset. Arithmetic is judged by tests/insn. */
#include "tests/insn/fpu_bench.h"
#include "tests/suite.h"

static const struct insn reg1 = { .rm = 1, .imm = 0xc1 };
static const struct insn mem32 = { .flags = INSN_MEM | 2, .scale_seg = SEG_DS << 4, .imm = 0x107 };
static const struct insn mem16 = { .flags = INSN_MEM | 1, .scale_seg = SEG_DS << 4, .imm = 0x107 };

/* ST(0) = 1, ST(1) = 0 and an unmasked division by zero pending. */
static void pend(struct bench *b)
{
    bench_run(b, op_fldz, &reg1);
    bench_run(b, op_fld1, &reg1);
    fpu_set_control_word(&b->c, 0x37b);
    ck_assert_int_eq(bench_run(b, op_fdiv_ST0_STi, &reg1), BODY_NEXT);
    ck_assert_uint_eq(b->c.fsw & (FSW_ES | FSW_B | SF_ZE), FSW_ES | FSW_B | SF_ZE);
    ck_assert(f80_class(fpu_st(&b->c, 0)) == SF_NORMAL);      /* no result */
}

START_TEST(pending_error_faults_at_the_next_waiting_instruction)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    pend(&b);
    ck_assert_int_eq(bench_run(&b, op_fnstsw_AX, &reg1), BODY_NEXT);
    ck_assert_int_eq(bench_run(&b, op_fnop, &reg1), BENCH_FAULT + V_MF);
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BENCH_FAULT + V_MF);
    ck_assert_int_eq(bench_run(&b, op_fnclex, &reg1), BODY_NEXT);
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BODY_NEXT);
}
END_TEST

START_TEST(without_ne_the_processor_freezes_and_asserts_ferr)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    b.c.cr0 &= ~(uint32_t)CR0_NE;
    pend(&b);
    ck_assert(!b.c.pins.ferr.level);                          /* deferred, SDM vol. 1 D.2.1.1 */
    ck_assert_int_eq(bench_run(&b, op_fnop, &reg1), BODY_AGAIN);
    ck_assert(b.c.pins.ferr.level && b.c.ferr);
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BODY_AGAIN);
    b.c.ignne = true;
    ck_assert_int_eq(bench_run(&b, op_fnop, &reg1), BODY_NEXT);
    b.c.ignne = false;
    ck_assert_int_eq(bench_run(&b, op_fnclex, &reg1), BODY_NEXT);
    ck_assert(!b.c.pins.ferr.level && !b.c.ferr);
}
END_TEST

START_TEST(a_387_asserts_error_at_once)
{
    struct bench b;
    bench_init(&b, LEVEL_386);
    b.c.cr0 &= ~(uint32_t)CR0_NE;
    pend(&b);
    ck_assert(b.c.pins.ferr.level);
}
END_TEST

START_TEST(the_8087_interrupt_obeys_its_enable_mask_and_never_freezes)
{
    struct bench b;
    bench_init(&b, LEVEL_8086);
    b.c.cr0 = 0;
    ck_assert_uint_eq(b.c.fcw, 0x3ff);
    bench_run(&b, op_fldz, &reg1);
    bench_run(&b, op_fld1, &reg1);
    fpu_set_control_word(&b.c, 0x3fb);                        /* IEM set: masked */
    bench_run(&b, op_fdiv_ST0_STi, &reg1);
    ck_assert(!b.c.pins.ferr.level);
    ck_assert_int_eq(bench_run(&b, op_fnop, &reg1), BODY_NEXT);
    bench_run(&b, op_fneni, &reg1);
    ck_assert(b.c.pins.ferr.level);
    bench_run(&b, op_fndisi, &reg1);
    ck_assert(!b.c.pins.ferr.level);
}
END_TEST

START_TEST(em_and_ts_make_esc_unavailable_and_wait_looks_at_mp_with_ts)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    b.c.cr0 |= CR0_EM;
    ck_assert_int_eq(bench_run(&b, op_fnop, &reg1), BENCH_FAULT + V_NM);
    ck_assert_int_eq(bench_run(&b, op_fninit, &reg1), BENCH_FAULT + V_NM);
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BODY_NEXT);
    b.c.cr0 = CR0_PE | CR0_NE | CR0_TS;
    ck_assert_int_eq(bench_run(&b, op_fnstsw_AX, &reg1), BENCH_FAULT + V_NM);
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BODY_NEXT);
    b.c.cr0 |= CR0_MP;
    ck_assert_int_eq(bench_run(&b, op_fwait, &reg1), BENCH_FAULT + V_NM);
}
END_TEST

START_TEST(a_memory_fault_leaves_the_unit_as_it_was)
{
    static const struct { insn_body *body; unsigned size; } ops[] = {
        { op_fadd_Md, 4 }, { op_fdiv_Mq, 8 }, { op_fld_Md, 4 }, { op_fld_Mt, 10 }, { op_fbld_Mt, 10 }, { op_fild_Mq, 8 },
        { op_fstp_Md, 4 }, { op_fstp_Mq, 8 }, { op_fstp_Mt, 10 }, { op_fbstp_Mt, 10 }, { op_fistp_Mw, 2 }, { op_fistp_Mq, 8 },
        { op_fcomp_Mq, 8 }, { op_fldcw_Mw, 2 }, { op_fnstcw_Mw, 2 }, { op_fnstenv_M, 28 }, { op_fldenv_M, 28 },
        { op_fnsave_M, 108 }, { op_frstor_M, 108 }, { op_fisttp_Md, 4 }, { op_ficom_Mw, 2 },
    };
    for (unsigned k = 0; k < sizeof ops / sizeof ops[0]; k++) {
        struct bench b;
        bench_init(&b, LEVEL_686);
        bench_run(&b, op_fldpi, &reg1);
        bench_run(&b, op_fldl2e, &reg1);
        for (unsigned n = 0; n < 256; n++) b.mem[BENCH_EA + n] = (uint8_t)(n * 37);
        b.c.rip = 0x1234;
        b.limit = BENCH_EA + ops[k].size - 1;
        struct bench before = b;
        ck_assert_int_eq(bench_run(&b, ops[k].body, &mem32), BENCH_FAULT + V_PF);
        ck_assert_mem_eq(b.mem, before.mem, BENCH_MEM);
        ck_assert_mem_eq(b.c.st, before.c.st, sizeof b.c.st);
        ck_assert(b.c.fcw == before.c.fcw && b.c.fsw == before.c.fsw && b.c.ftag == before.c.ftag &&
                  b.c.ftop == before.c.ftop && b.c.fip == before.c.fip && b.c.fdp == before.c.fdp && b.c.fop == before.c.fop);
        b.limit = BENCH_MEM;
        ck_assert_int_eq(bench_run(&b, ops[k].body, &mem32), BODY_NEXT);
    }
}
END_TEST

START_TEST(an_unmasked_store_still_checks_its_access)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    bench_run(&b, op_fldpi, &reg1);
    fpu_set(&b.c, 0, f80_make(false, 0x7ffe, F80_TOP));
    fpu_set_control_word(&b.c, 0x340);
    b.limit = BENCH_EA + 3;
    ck_assert_int_eq(bench_run(&b, op_fstp_Md, &mem32), BENCH_FAULT + V_PF);
    ck_assert_uint_eq(b.c.fsw, 0);
    b.limit = BENCH_MEM;
    st32(b.mem + BENCH_EA, 0x12345678);
    ck_assert_int_eq(bench_run(&b, op_fstp_Md, &mem32), BODY_NEXT);
    ck_assert_uint_eq(ld32(b.mem + BENCH_EA), 0x12345678);
    ck_assert_uint_eq(b.c.fsw, FSW_ES | FSW_B | SF_OE);
    ck_assert(!fpu_empty(&b.c, 0));
}
END_TEST

static void set_pointers(struct cpu *c)
{
    c->fcw = 0x27f;
    c->ftop = 3;
    c->fop = 0x5a5;
    c->fip = 0x89abcdef;
    c->fcs = 0x1234;
    c->fdp = 0x13579bdf;
    c->fds = 0x4321;
}

START_TEST(environment_in_protected_mode_has_selectors)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    set_pointers(&b.c);
    bench_run(&b, op_fnstenv_M, &mem32);
    const uint8_t *m = b.mem + BENCH_EA;
    const uint32_t want[7] = { 0xffff027f, 0xffff1800, 0xffffffff, 0x89abcdef, 0x05a51234, 0x13579bdf, 0xffff4321 };
    for (unsigned k = 0; k < 7; k++) ck_assert_uint_eq(ld32(m + 4 * k), want[k]);
    ck_assert_uint_eq(b.c.fcw, 0x27f);
    struct bench loaded;
    bench_init(&loaded, LEVEL_686);
    memcpy(loaded.mem, b.mem, BENCH_MEM);
    bench_run(&loaded, op_fldenv_M, &mem32);
    ck_assert(loaded.c.fip == 0x89abcdef && loaded.c.fcs == 0x1234 && loaded.c.fdp == 0x13579bdf && loaded.c.fds == 0x4321 &&
              loaded.c.fop == 0x5a5 && loaded.c.ftop == 3 && loaded.c.fcw == 0x27f);
    bench_run(&b, op_fnstenv_M, &mem16);
    const uint16_t want16[7] = { 0x27f, 0x1800, 0xffff, 0xcdef, 0x1234, 0x9bdf, 0x4321 };
    for (unsigned k = 0; k < 7; k++) ck_assert_uint_eq(ld16(m + 2 * k), want16[k]);
}
END_TEST

START_TEST(environment_in_real_and_v86_mode_has_linear_addresses)
{
    for (unsigned v86 = 0; v86 < 2; v86++) {
        struct bench b;
        bench_init(&b, LEVEL_686);
        if (v86) b.c.eflags |= FL_VM;
        else b.c.cr0 &= ~(uint32_t)CR0_PE;
        set_pointers(&b.c);
        b.c.fip = 0xbeef;
        b.c.fcs = 0xf123;                                     /* FD11Fh */
        b.c.fdp = 0x9876;
        b.c.fds = 0xabcd;                                     /* B5546h */
        bench_run(&b, op_fnstenv_M, &mem32);
        const uint8_t *m = b.mem + BENCH_EA;
        const uint32_t want[7] = { 0xffff027f, 0xffff1800, 0xffffffff, 0xffffd11f, 0x0000f5a5, 0xffff5546, 0x0000b000 };
        for (unsigned k = 0; k < 7; k++) ck_assert_uint_eq(ld32(m + 4 * k), want[k]);
        bench_run(&b, op_fnstenv_M, &mem16);
        const uint16_t want16[7] = { 0x27f, 0x1800, 0xffff, 0xd11f, 0xf5a5, 0x5546, 0xb000 };
        for (unsigned k = 0; k < 7; k++) ck_assert_uint_eq(ld16(m + 2 * k), want16[k]);
        bench_run(&b, op_fldenv_M, &mem16);
        ck_assert(b.c.fip == 0xfd11f && b.c.fcs == 0 && b.c.fdp == 0xb5546 && b.c.fop == 0x5a5);
    }
}
END_TEST

START_TEST(fsave_stores_from_the_top_and_initialises)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    bench_run(&b, op_fldpi, &reg1);
    bench_run(&b, op_fld1, &reg1);
    struct cpu before = b.c;
    bench_run(&b, op_fnsave_M, &mem16);
    const uint8_t *m = b.mem + BENCH_EA + 14;
    ck_assert_uint_eq(ld64(m), 0x8000000000000000);
    ck_assert_uint_eq(ld16(m + 8), 0x3fff);
    ck_assert_uint_eq(ld64(m + 10), 0xc90fdaa22168c235);
    ck_assert(b.c.fcw == 0x37f && b.c.fsw == 0 && b.c.ftop == 0 && b.c.ftag == 0);
    bench_run(&b, op_frstor_M, &mem16);
    ck_assert(b.c.ftop == before.ftop && b.c.ftag == before.ftag);
    ck_assert_mem_eq(b.c.st, before.st, sizeof b.c.st);
}
END_TEST

START_TEST(pointers_follow_all_but_control_instructions)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    b.c.rip = 0x100;
    b.c.seg[SEG_CS].sel = 8;
    b.c.seg[SEG_DS].sel = 0x10;
    bench_run(&b, op_fld_Md, &mem32);
    ck_assert(b.c.fip == 0x100 && b.c.fcs == 8 && b.c.fdp == BENCH_EA && b.c.fds == 0x10 && b.c.fop == 0x107);
    b.c.rip = 0x200;
    b.ea = BENCH_EA + 8;
    bench_run(&b, op_fldcw_Mw, &mem32);
    bench_run(&b, op_fnstsw_Mw, &mem32);
    bench_run(&b, op_fwait, &reg1);
    ck_assert(b.c.fip == 0x100 && b.c.fdp == BENCH_EA);
    bench_run(&b, op_fnop, &reg1);
    ck_assert(b.c.fip == 0x200 && b.c.fdp == BENCH_EA && b.c.fop == 0xc1);
}
END_TEST

START_TEST(power_on_and_finit_differ)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    fpu_reset(&b.c, false);
    ck_assert(b.c.fcw == 0x40 && fpu_tag_word(&b.c) == 0x5555);
    bench_run(&b, op_fninit, &reg1);
    ck_assert(b.c.fcw == 0x37f && fpu_tag_word(&b.c) == 0xffff);
}
END_TEST

START_TEST(fldenv_with_unmasked_flags_sets_the_summary)
{
    struct bench b;
    bench_init(&b, LEVEL_686);
    uint8_t *m = b.mem + BENCH_EA;
    memset(m, 0, 28);
    st16(m, 0x37e);
    st16(m + 4, SF_IE);
    bench_run(&b, op_fldenv_M, &mem32);
    ck_assert_uint_eq(b.c.fsw, SF_IE | FSW_ES | FSW_B);
    bench_run(&b, op_fnstenv_M, &mem32);                      /* masks all, so nothing is pending */
    ck_assert_uint_eq(b.c.fcw, 0x37f);
    ck_assert_uint_eq(b.c.fsw, SF_IE);
}
END_TEST

START_TEST(without_a_coprocessor_esc_does_nothing)
{
    struct bench b;
    bench_init(&b, LEVEL_286);
    st16(b.mem + BENCH_EA, 0x5a5a);
    ck_assert_int_eq(bench_run(&b, op_fpu_absent, &mem16), BODY_NEXT);
    ck_assert_uint_eq(ld16(b.mem + BENCH_EA), 0x5a5a);
    b.c.cr0 |= CR0_EM;
    ck_assert_int_eq(bench_run(&b, op_fpu_absent, &mem16), BENCH_FAULT + V_NM);
}
END_TEST

START_TEST(constants_obey_the_rounding_control_from_the_387_on)
{
    struct bench b;
    bench_init(&b, LEVEL_386);
    fpu_set_control_word(&b.c, 0x37f | SF_UP << 10);
    bench_run(&b, op_fldpi, &reg1);
    ck_assert_uint_eq(fpu_st(&b.c, 0).mant, 0xc90fdaa22168c235);
    fpu_set_control_word(&b.c, 0x37f | SF_CHOP << 10);
    bench_run(&b, op_fldpi, &reg1);
    ck_assert_uint_eq(fpu_st(&b.c, 0).mant, 0xc90fdaa22168c234);
    bench_init(&b, LEVEL_286);
    fpu_set_control_word(&b.c, 0x37f | SF_CHOP << 10);
    bench_run(&b, op_fldpi, &reg1);
    ck_assert_uint_eq(fpu_st(&b.c, 0).mant, 0xc90fdaa22168c235);
}
END_TEST

/* Programs tell a 287 from a 387 so: the 387 has two infinities, which differ. */
static unsigned order_of_infinities(struct bench *b)
{
    static const struct insn reg0 = { .imm = 0xc0 };
    bench_run(b, op_fld1, &reg1);
    bench_run(b, op_fldz, &reg1);
    bench_run(b, op_fdivp_STi_ST0, &reg1);
    bench_run(b, op_fld_STi, &reg0);
    bench_run(b, op_fchs, &reg1);
    bench_run(b, op_fcompp, &reg1);
    return b->c.fsw & FSW_CC;
}

START_TEST(the_8087_and_287_have_one_infinity_until_told_otherwise)
{
    static const enum cpu_level early[] = { LEVEL_8086, LEVEL_286 }, late[] = { LEVEL_386, LEVEL_486, LEVEL_686 };
    struct bench b;
    for (unsigned n = 0; n < 2; n++) {
        bench_init(&b, early[n]);
        ck_assert_uint_eq(order_of_infinities(&b), FSW_C3);
        ck_assert_uint_eq(b.c.fsw & SF_EXCEPTIONS, SF_ZE);
        bench_init(&b, early[n]);
        fpu_set_control_word(&b.c, b.c.fcw | FCW_X);
        ck_assert_uint_eq(order_of_infinities(&b), FSW_C0);
    }
    for (unsigned n = 0; n < 3; n++) {
        bench_init(&b, late[n]);
        ck_assert_uint_eq(order_of_infinities(&b), FSW_C0);
        fpu_set_control_word(&b.c, b.c.fcw | FCW_X);
        ck_assert_uint_eq(order_of_infinities(&b), FSW_C0);
    }
}
END_TEST

/* 80287 manual, table 1-12: what is invalid with an infinity, by closure; the last column is the 387's. */
START_TEST(operations_with_infinities_follow_the_closure)
{
    const struct f80 inf = f80_inf(false), minus = f80_inf(true), one = f80_make(false, F80_BIAS, F80_TOP), zero = f80_zero(false);
    const struct { insn_body *body; struct f80 st1, st0; bool invalid[3]; } rows[] = {      /* projective, affine, 387 */
        { op_fadd_ST0_STi, inf, inf, { true, false, false } },       { op_fadd_ST0_STi, minus, minus, { true, false, false } },
        { op_fadd_ST0_STi, inf, minus, { true, true, true } },       { op_fadd_ST0_STi, inf, one, { false, false, false } },
        { op_fsub_ST0_STi, inf, minus, { true, false, false } },     { op_fsub_ST0_STi, inf, inf, { true, true, true } },
        { op_fmul_ST0_STi, inf, minus, { false, false, false } },    { op_fmul_ST0_STi, zero, inf, { true, true, true } },
        { op_fdiv_ST0_STi, inf, inf, { true, true, true } },         { op_fdiv_ST0_STi, inf, one, { false, false, false } },
        { op_fsqrt, one, inf, { true, false, false } },              { op_fsqrt, one, minus, { true, true, true } },
        { op_fcom_STi, one, inf, { true, false, false } },           { op_fcom_STi, inf, minus, { false, false, false } },
        { op_ftst, one, inf, { true, false, false } },               { op_fxtract, one, inf, { true, true, false } },
        { op_fscale, inf, one, { true, true, false } },              { op_fscale, inf, zero, { false, false, true } },
        { op_fscale, one, inf, { false, false, false } },            { op_frndint, one, inf, { false, false, false } },
        { op_fprem, inf, one, { false, false, false } },             { op_fprem, one, inf, { true, true, true } },
    };
    for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        for (unsigned how = 0; how < 3; how++) {
            struct bench b;
            bench_init(&b, how == 2 ? LEVEL_386 : LEVEL_286);
            fpu_set_control_word(&b.c, how == 1 ? 0x137f : 0x37f);
            fpu_push(&b.c, rows[n].st1);
            fpu_push(&b.c, rows[n].st0);
            ck_assert_int_eq(bench_run(&b, rows[n].body, &reg1), BODY_NEXT);
            ck_assert_msg((b.c.fsw & SF_IE) == rows[n].invalid[how], "row %u, %u", n, how);
        }
    }
}
END_TEST

START_TEST(the_287_calls_every_nan_invalid_and_has_no_stack_fault_bit)
{
    for (unsigned n = 0; n < 2; n++) {
        struct bench b;
        bool early = n == 0;
        bench_init(&b, early ? LEVEL_286 : LEVEL_386);
        fpu_push(&b.c, f80_make(false, F80_BIAS, F80_TOP));
        fpu_push(&b.c, f80_make(false, F80_EXP_MAX, F80_TOP | F80_QUIET | 5));
        bench_run(&b, op_fadd_ST0_STi, &reg1);
        ck_assert_uint_eq(b.c.fsw & SF_EXCEPTIONS, early ? SF_IE : 0);
        ck_assert_uint_eq(fpu_st(&b.c, 0).mant, F80_TOP | F80_QUIET | 5);
        bench_init(&b, early ? LEVEL_286 : LEVEL_386);
        bench_run(&b, op_fchs, &reg1);
        ck_assert_uint_eq(b.c.fsw & (SF_IE | FSW_SF), early ? SF_IE : SF_IE | FSW_SF);
        bench_init(&b, early ? LEVEL_286 : LEVEL_386);
        st32(b.mem + BENCH_EA, 0x7f800001);                   /* a signaling NaN of the 387 */
        bench_run(&b, op_fld_Md, &mem32);
        ck_assert_uint_eq(b.c.fsw & SF_IE, early ? 0 : SF_IE);
        bench_init(&b, early ? LEVEL_286 : LEVEL_386);
        bench_run(&b, op_fldz, &reg1);
        bench_run(&b, op_fxtract, &reg1);
        ck_assert_uint_eq(b.c.fsw & SF_EXCEPTIONS, early ? 0 : SF_ZE);
        ck_assert(f80_class(fpu_st(&b.c, 1)) == (early ? SF_ZERO : SF_INFINITY));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("x87 unit");
    TCase *t = tcase_create("surroundings");
    tcase_add_test(t, pending_error_faults_at_the_next_waiting_instruction);
    tcase_add_test(t, without_ne_the_processor_freezes_and_asserts_ferr);
    tcase_add_test(t, a_387_asserts_error_at_once);
    tcase_add_test(t, the_8087_interrupt_obeys_its_enable_mask_and_never_freezes);
    tcase_add_test(t, em_and_ts_make_esc_unavailable_and_wait_looks_at_mp_with_ts);
    tcase_add_test(t, a_memory_fault_leaves_the_unit_as_it_was);
    tcase_add_test(t, an_unmasked_store_still_checks_its_access);
    tcase_add_test(t, environment_in_protected_mode_has_selectors);
    tcase_add_test(t, environment_in_real_and_v86_mode_has_linear_addresses);
    tcase_add_test(t, fsave_stores_from_the_top_and_initialises);
    tcase_add_test(t, pointers_follow_all_but_control_instructions);
    tcase_add_test(t, power_on_and_finit_differ);
    tcase_add_test(t, fldenv_with_unmasked_flags_sets_the_summary);
    tcase_add_test(t, without_a_coprocessor_esc_does_nothing);
    tcase_add_test(t, constants_obey_the_rounding_control_from_the_387_on);
    tcase_add_test(t, the_8087_and_287_have_one_infinity_until_told_otherwise);
    tcase_add_test(t, operations_with_infinities_follow_the_closure);
    tcase_add_test(t, the_287_calls_every_nan_invalid_and_has_no_stack_fault_bit);
    suite_add_tcase(s, t);
    return suite_main(s);
}
