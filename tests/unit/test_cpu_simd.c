/* MMX and SSE: what the host cannot be asked from user mode. Availability, alignment, unmasked exceptions, FXSAVE. Results
 * and flags are judged by tests/insn/simd_native. */
#include "tests/insn/fpu_bench.h"
#include "cpu/simd.h"
#include "tests/suite.h"

static const struct insn regs = { .reg = 0, .rm = 1 };
static const struct insn mem = { .reg = 0, .flags = INSN_MEM | 2, .scale_seg = SEG_DS << 4 };

static void sse_init(struct bench *b)
{
    bench_init(b, LEVEL_686);
    b->c.features[0] |= 1ull << F_SSE | 1ull << F_SSE2 | 1ull << F_MMX | 1ull << F_FXSR;
    b->c.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    b->c.mxcsr = 0x1f80;
}

START_TEST(sse_wants_osfxsr_and_no_em_or_ts)
{
    struct bench b;
    sse_init(&b);
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &regs), BODY_NEXT);
    b.c.cr0 |= CR0_TS;
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &regs), BENCH_FAULT + V_NM);
    b.c.cr0 |= CR0_EM;
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &regs), BENCH_FAULT + V_UD);
    b.c.cr0 = CR0_PE | CR0_NE | CR0_TS;
    b.c.cr4 = 0;
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &regs), BENCH_FAULT + V_UD);
}
END_TEST

START_TEST(mmx_is_undefined_with_em_and_reports_x87_errors)
{
    struct bench b;
    sse_init(&b);
    b.c.cr0 |= CR0_EM;
    ck_assert_int_eq(bench_run(&b, op_paddb_Pq_Qq, &regs), BENCH_FAULT + V_UD);
    b.c.cr0 = CR0_PE | CR0_NE | CR0_TS;
    ck_assert_int_eq(bench_run(&b, op_paddb_Pq_Qq, &regs), BENCH_FAULT + V_NM);
    b.c.cr0 = CR0_PE | CR0_NE;
    b.c.fcw = 0x37e;
    fpu_set_status_word(&b.c, SF_IE);
    ck_assert_int_eq(bench_run(&b, op_paddb_Pq_Qq, &regs), BENCH_FAULT + V_MF);
    ck_assert_int_eq(bench_run(&b, op_paddb_Vx_Wx, &regs), BODY_NEXT);
    b.c.cr0 = CR0_PE;
    ck_assert_int_eq(bench_run(&b, op_emms, &regs), BODY_AGAIN);
}
END_TEST

START_TEST(mmx_makes_the_stack_valid_and_writes_ones_to_the_exponent)
{
    struct bench b;
    sse_init(&b);
    b.c.ftop = 5;
    b.c.st[1].mant = 0x0102030405060708;
    bench_run(&b, op_movq_Pq_Qq, &regs);
    ck_assert(b.c.ftop == 0 && b.c.ftag == 0xff);
    ck_assert(b.c.st[0].mant == 0x0102030405060708 && b.c.st[0].se == 0xffff && b.c.st[1].se == 0);
    bench_run(&b, op_emms, &regs);
    ck_assert_uint_eq(b.c.ftag, 0);
}
END_TEST

START_TEST(packed_memory_operands_are_aligned_by_linear_address)
{
    struct bench b;
    sse_init(&b);
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &mem), BODY_NEXT);
    b.c.seg[SEG_DS].base = 8;
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &mem), BENCH_FAULT + V_GP);
    ck_assert_int_eq(bench_run(&b, op_movaps_Wx_Vx, &mem), BENCH_FAULT + V_GP);
    ck_assert_int_eq(bench_run(&b, op_movntdq_Mx_Vx, &mem), BENCH_FAULT + V_GP);
    ck_assert_int_eq(bench_run(&b, op_fxsave_M, &mem), BENCH_FAULT + V_GP);
    ck_assert_int_eq(bench_run(&b, op_movups_Vx_Wx, &mem), BODY_NEXT);
    ck_assert_int_eq(bench_run(&b, op_movdqu_Wx_Vx, &mem), BODY_NEXT);
    ck_assert_int_eq(bench_run(&b, op_addss_Vx_Wd, &mem), BODY_NEXT);
    b.ea += 8;
    ck_assert_int_eq(bench_run(&b, op_addps_Vx_Wx, &mem), BODY_NEXT);
}
END_TEST

/* Two lanes of DIVPS in the low word, and what a Zen processor leaves in MXCSR. */
START_TEST(unmasked_exceptions_are_reported_before_rounding_ones)
{
    static const struct { uint32_t a0, b0, a1, b1, mask, flags; } cases[] = {
        { 0, 0, 0x3f800000, 0x40400000, SF_IE, SF_IE },                                   /* 0/0, 1/3 */
        { 0x3f800000, 0x40400000, 0x3f800000, 0, SF_ZE, SF_ZE },                          /* 1/3, 1/0 */
        { 0x3f800000, 0x40400000, 0, 0, SF_PE, SF_PE | SF_IE },
        { 0x000116c2, 0x40400000, 0x3f800000, 0x40400000, SF_DE, SF_DE },
        { 0, 0, 0x3f800000, 0, SF_IE, SF_IE | SF_ZE },
        { 0x0da24260, 0x7149f2ca, 0x3f800000, 0x40400000, SF_UE, SF_UE | SF_PE },         /* 1e-30 / 1e30 */
        { 0x006ce3ee, 0x40800000, 0x3f800000, 0x40000000, SF_UE, SF_UE | SF_DE },         /* exact but tiny */
    };
    for (unsigned k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct bench b;
        sse_init(&b);
        b.c.mxcsr = 0x1f80 & ~(cases[k].mask << 7);
        b.c.xmm[0].q[0] = cases[k].a0 | (uint64_t)cases[k].a1 << 32;
        b.c.xmm[1].q[0] = cases[k].b0 | (uint64_t)cases[k].b1 << 32;
        b.c.xmm[0].q[1] = b.c.xmm[1].q[1] = 0x3f8000003f800000;
        union xmm before = b.c.xmm[0];
        ck_assert_int_eq(bench_run(&b, op_divps_Vx_Wx, &regs), BENCH_FAULT + V_XM);
        ck_assert_uint_eq(b.c.mxcsr & SF_EXCEPTIONS, cases[k].flags);
        ck_assert_mem_eq(&b.c.xmm[0], &before, sizeof before);
        b.c.cr4 = CR4_OSFXSR;
        ck_assert_int_eq(bench_run(&b, op_divps_Vx_Wx, &regs), BENCH_FAULT + V_UD);
    }
}
END_TEST

START_TEST(ldmxcsr_refuses_reserved_bits)
{
    struct bench b;
    sse_init(&b);
    st32(b.mem + BENCH_EA, 0x10000);
    ck_assert_int_eq(bench_run(&b, op_ldmxcsr_Md, &mem), BENCH_FAULT + V_GP);
    st32(b.mem + BENCH_EA, 0x1fc0);
    ck_assert_int_eq(bench_run(&b, op_ldmxcsr_Md, &mem), BODY_NEXT);
    b.c.features[0] &= ~(1ull << F_SSE2);                     /* a Pentium III has no DAZ */
    ck_assert_int_eq(bench_run(&b, op_ldmxcsr_Md, &mem), BENCH_FAULT + V_GP);
    ck_assert_uint_eq(b.c.mxcsr, 0x1fc0);
}
END_TEST

static void fill(struct cpu *c, uint64_t seed)
{
    for (unsigned n = 0; n < 8; n++) {
        c->st[n] = (struct f80){ .mant = random64(&seed), .se = random64(&seed) & 0xffff };
        c->xmm[n] = (union xmm){ { random64(&seed), random64(&seed) } };
    }
    c->fcw = 0x27f;
    c->fsw = FSW_C3 | SF_PE;
    c->ftop = 6;
    c->ftag = 0x5a;
    c->fop = 0x123;
    c->fip = 0x89abcdef;
    c->fcs = 0x1b;
    c->fdp = 0x12345678;
    c->fds = 0x23;
    c->mxcsr = 0x1fa1;
}

START_TEST(fxsave_and_fxrstor_carry_the_whole_state)
{
    struct bench b;
    sse_init(&b);
    fill(&b.c, 1);
    memset(b.mem, 0xcc, BENCH_MEM);
    struct cpu before = b.c;
    ck_assert_int_eq(bench_run(&b, op_fxsave_M, &mem), BODY_NEXT);
    const uint8_t *m = b.mem + BENCH_EA;
    ck_assert_uint_eq(ld16(m + 2), (FSW_C3 | SF_PE) + (6 << 11));
    ck_assert_uint_eq(m[4], 0x5a);
    ck_assert_uint_eq(ld64(m + 32), before.st[6].mant);       /* ST(0) first */
    ck_assert_uint_eq(ld32(m + 28), 0xffff);
    ck_assert_uint_eq(m[288], 0xcc);
    ck_assert_mem_eq(b.c.st, before.st, sizeof before.st);
    fill(&b.c, 2);
    b.c.ftop = 1;
    b.c.ftag = b.c.fop = 0;
    b.c.mxcsr = 0x1f80;
    ck_assert_int_eq(bench_run(&b, op_fxrstor_M, &mem), BODY_NEXT);
    ck_assert_mem_eq(b.c.st, before.st, sizeof before.st);
    ck_assert_mem_eq(b.c.xmm, before.xmm, sizeof before.xmm);
    ck_assert(b.c.ftop == 6 && b.c.ftag == 0x5a && b.c.fop == 0x123 && b.c.fip == 0x89abcdef && b.c.mxcsr == 0x1fa1);
    b.limit = BENCH_EA + 511;
    ck_assert_int_eq(bench_run(&b, op_fxrstor_M, &mem), BENCH_FAULT + V_PF);
}
END_TEST

START_TEST(fxrstor_without_osfxsr_leaves_xmm_alone)
{
    struct bench b;
    sse_init(&b);
    fill(&b.c, 1);
    bench_run(&b, op_fxsave_M, &mem);
    fill(&b.c, 2);
    b.c.mxcsr = 0x1f80;
    b.c.cr4 = 0;
    struct cpu before = b.c;
    ck_assert_int_eq(bench_run(&b, op_fxrstor_M, &mem), BODY_NEXT);
    ck_assert_mem_eq(b.c.xmm, before.xmm, sizeof before.xmm);
    ck_assert_uint_eq(b.c.mxcsr, 0x1f80);
    ck_assert(b.c.st[0].mant != before.st[0].mant);
}
END_TEST

START_TEST(masked_stores_write_only_chosen_bytes_and_check_all)
{
    struct bench b;
    sse_init(&b);
    memset(b.mem, 0xee, BENCH_MEM);
    b.c.xmm[0] = (union xmm){ { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
    b.c.xmm[1] = (union xmm){ { 0x8000000000000080, 0x80 } };
    struct insn i = { .rm = 1, .flags = INSN_ADDR32 | 2, .scale_seg = SEG_DS << 4 };
    b.c.r[R_DI] = BENCH_EA;
    ck_assert_int_eq(bench_run(&b, op_maskmovdqu_Vx_Ux, &i), BODY_NEXT);
    for (unsigned k = 0; k < 16; k++) ck_assert_uint_eq(b.mem[BENCH_EA + k], k == 0 || k == 7 || k == 8 ? k : 0xee);
    b.limit = BENCH_EA + 15;
    b.mem[BENCH_EA] = 0xee;
    ck_assert_int_eq(bench_run(&b, op_maskmovdqu_Vx_Ux, &i), BENCH_FAULT + V_PF);
    ck_assert_uint_eq(b.mem[BENCH_EA], 0xee);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("MMX and SSE");
    TCase *t = tcase_create("surroundings");
    tcase_add_test(t, sse_wants_osfxsr_and_no_em_or_ts);
    tcase_add_test(t, mmx_is_undefined_with_em_and_reports_x87_errors);
    tcase_add_test(t, mmx_makes_the_stack_valid_and_writes_ones_to_the_exponent);
    tcase_add_test(t, packed_memory_operands_are_aligned_by_linear_address);
    tcase_add_test(t, unmasked_exceptions_are_reported_before_rounding_ones);
    tcase_add_test(t, ldmxcsr_refuses_reserved_bits);
    tcase_add_test(t, fxsave_and_fxrstor_carry_the_whole_state);
    tcase_add_test(t, fxrstor_without_osfxsr_leaves_xmm_alone);
    tcase_add_test(t, masked_stores_write_only_chosen_bytes_and_check_all);
    suite_add_tcase(s, t);
    return suite_main(s);
}
