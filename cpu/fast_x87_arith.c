/* Fast handlers of the x87's arithmetic: the four operations, square root, comparisons, signs.
 *
 * An operation of two normal numbers is rounded in place. With a zero operand, or where the result comes near the ends of
 * the exponent range, the body computes it. */
#include "cpu/fast_x87.h"

/* ---- the four operations. For any precision and rounding: */
FAST_INLINE bool arith(const struct cpu *c, enum arith op, struct f80 a, struct f80 b, struct f80_result *r)
{
    if (!precision_masked(c) || !normal(a) || !normal(b)) return false;
    const struct f80_raw raw = arith_raw(op, a, b);
    if (!raw.hi || sf_near_limit(raw.exp)) return false;
    *r = f80_round_near(raw.sign, raw.exp, raw.hi, raw.lo, c->fcw);
    return true;
}

/* Of ST(0) and ST(i), in this order whichever is the destination. */
#define NOINLINE __attribute__((noinline))                     /* or the rare handlers cost the quick ones registers */
#define ARITH_REG(NAME, COMPUTE, OP, TO_STI, POP, ELSE) \
    static NOINLINE HANDLER(NAME) \
    { \
        const unsigned top = c->ftop, other = fpu_reg(c, i->rm); \
        struct f80_result r; \
        if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, other))) SLOW_X87; \
        if (UNLIKELY(!COMPUTE(c, OP, fpu_get_reg(c, top), fpu_get_reg(c, other), &r))) ELSE_X87(ELSE); \
        note(c, i); \
        set_result(c, TO_STI ? other : top, r); \
        if (POP) pop(c, top); \
        NEXT_X87; \
    }
#define ARITH_MEM(NAME, COMPUTE, OP, SIZE, LOAD, ELSE, F, EA) \
    static NOINLINE HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
        const unsigned top = c->ftop; \
        struct f80 v; \
        struct f80_result r; \
        if (UNLIKELY(!p || x87_stops(c) || !filled(c, top) || !LOAD(p, &v))) SLOW_X87; \
        if (UNLIKELY(!COMPUTE(c, OP, fpu_get_reg(c, top), v, &r))) ELSE_X87(ELSE##_##F); \
        note_mem(c, i, EA); \
        set_result(c, top, r); \
        NEXT_X87; \
    }
#define body_s run_body
#define body_f run_body
#define body_b run_body
/* Two for each form: the quick one, and the one that it goes on with. */
#define ARITH_REGS(NAME, OP, TO_STI, POP) \
    ARITH_REG(rare_##NAME, arith, OP, TO_STI, POP, run_body) \
    ARITH_REG(NAME, quick_arith, OP, TO_STI, POP, rare_##NAME)
#define ARITH_MEMS(NAME, OP, SIZE, LOAD) \
    SIMD_EACH_FORM(ARITH_MEM, rare_##NAME, arith, OP, SIZE, LOAD, body) \
    SIMD_EACH_FORM(ARITH_MEM, NAME, quick_arith, OP, SIZE, LOAD, rare_##NAME)
#define ARITH(NAME, OP) \
    ARITH_REGS(NAME##_r, OP, false, false) \
    ARITH_REGS(NAME##_to_r, OP, true, false) \
    ARITH_REGS(NAME##_pop_r, OP, true, true) \
    ARITH_MEMS(NAME##_m32, OP, 4, load32) \
    ARITH_MEMS(NAME##_m64, OP, 8, load64) \
    ARITH_MEMS(NAME##_i16, OP, 2, load_int16) \
    ARITH_MEMS(NAME##_i32, OP, 4, load_int32)
ARITH(add, ADD)
ARITH(mul, MUL)
ARITH(sub, SUB)
ARITH(subr, SUBR)
ARITH(div, DIV)
ARITH(divr, DIVR)

/* ---- comparison */
FAST_INLINE unsigned order(struct f80 a, struct f80 b)
{
    s128 x = ordinal(a), y = ordinal(b);
    return (x < y ? FSW_C0 : 0u) | (x == y ? FSW_C3 : 0u);
}
#define COMPARE_REG(NAME, OTHER, POPS) \
    static HANDLER(NAME) \
    { \
        const unsigned top = c->ftop, other = fpu_reg(c, OTHER); \
        if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, other))) SLOW_X87; \
        const struct f80 a = fpu_get_reg(c, top), b = fpu_get_reg(c, other); \
        if (UNLIKELY(!plain(a) || !plain(b))) SLOW_X87; \
        note(c, i); \
        set_order(c, order(a, b)); \
        if (POPS > 0) pop(c, top); \
        if (POPS > 1) pop(c, (top + 1) & 7); \
        NEXT_X87; \
    }
#define COMPARE_EFLAGS(NAME, POPS) \
    static HANDLER(NAME) \
    { \
        const unsigned top = c->ftop, other = fpu_reg(c, i->rm); \
        if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, other))) SLOW_X87; \
        const struct f80 a = fpu_get_reg(c, top), b = fpu_get_reg(c, other); \
        if (UNLIKELY(!plain(a) || !plain(b))) SLOW_X87; \
        note(c, i); \
        set_flags(c, 0); \
        compare_eflags(c, a, b); \
        if (POPS > 0) pop(c, top); \
        NEXT_X87; \
    }
#define COMPARE_MEM(NAME, SIZE, LOAD, POPS, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
        const unsigned top = c->ftop; \
        struct f80 v; \
        if (UNLIKELY(!p || x87_stops(c) || !filled(c, top) || !LOAD(p, &v))) SLOW_X87; \
        const struct f80 a = fpu_get_reg(c, top); \
        if (UNLIKELY(!plain(a))) SLOW_X87; \
        note_mem(c, i, EA); \
        set_order(c, order(a, v)); \
        if (POPS > 0) pop(c, top); \
        NEXT_X87; \
    }
COMPARE_REG(com_r, i->rm, 0)
COMPARE_REG(comp_r, i->rm, 1)
COMPARE_REG(compp_r, i->rm, 2)
COMPARE_EFLAGS(comi_r, 0)
COMPARE_EFLAGS(comip_r, 1)
SIMD_EACH_FORM(COMPARE_MEM, com_m32, 4, load32, 0)
SIMD_EACH_FORM(COMPARE_MEM, comp_m32, 4, load32, 1)
SIMD_EACH_FORM(COMPARE_MEM, com_m64, 8, load64, 0)
SIMD_EACH_FORM(COMPARE_MEM, comp_m64, 8, load64, 1)

static HANDLER(tst)
{
    const unsigned top = c->ftop;
    if (UNLIKELY(x87_stops(c) || !filled(c, top) || !plain(fpu_get_reg(c, top)))) SLOW_X87;
    note(c, i);
    set_order(c, order(fpu_get_reg(c, top), (struct f80){ 0, 0 }));
    NEXT_X87;
}

/* ---- one operand */
#define SIGN(NAME, SE) \
    static HANDLER(NAME) \
    { \
        const unsigned top = c->ftop; \
        if (UNLIKELY(x87_stops(c) || !filled(c, top))) SLOW_X87; \
        const uint64_t se = c->st[top].se; \
        note(c, i); \
        c->st[top].se = SE; \
        set_flags(c, 0); \
        NEXT_X87; \
    }
SIGN(change_sign, se ^ 0x8000)
SIGN(absolute, se & 0x7fff)

static HANDLER(sqrt_r)
{
    const unsigned top = c->ftop;
    const struct f80 a = fpu_get_reg(c, top);
    if (UNLIKELY(x87_stops(c) || !filled(c, top) || !normal(a) || a.se & 0x8000 || !may_round(c))) SLOW_X87;
    const struct f80_raw raw = f80_sqrt_raw(a.mant, (int32_t)a.se);
    note(c, i);
    set_result(c, top, f80_round_near(false, raw.exp, raw.hi, raw.lo, c->fcw & ~(unsigned)FCW_RC));
    NEXT_X87;
}

#define REG(BODY, H) { BODY, { H } }
#define MEM(BODY, H) { BODY, { NULL, H##_s, H##_f, H##_b } }
/* The subtractions and divisions change names with ST(i) as destination (fpu_arith.c). */
#define ROWS(NAME, TO) \
    REG(op_f##NAME##_ST0_STi, NAME##_r), REG(op_f##TO##_STi_ST0, NAME##_to_r), REG(op_f##TO##p_STi_ST0, NAME##_pop_r), \
    MEM(op_f##NAME##_Md, NAME##_m32), MEM(op_f##NAME##_Mq, NAME##_m64), \
    MEM(op_fi##NAME##_Mw, NAME##_i16), MEM(op_fi##NAME##_Md, NAME##_i32)
const struct fast_x87 fast_x87_arith[] = {
    ROWS(add, add), ROWS(mul, mul), ROWS(sub, subr), ROWS(subr, sub), ROWS(div, divr), ROWS(divr, div),
    REG(op_fcom_STi, com_r), REG(op_fucom_STi, com_r), REG(op_fcomp_STi, comp_r), REG(op_fucomp_STi, comp_r),
    REG(op_fcompp, compp_r), REG(op_fucompp, compp_r),
    REG(op_fcomi_STi, comi_r), REG(op_fucomi_STi, comi_r), REG(op_fcomip_STi, comip_r), REG(op_fucomip_STi, comip_r),
    MEM(op_fcom_Md, com_m32), MEM(op_fcomp_Md, comp_m32), MEM(op_fcom_Mq, com_m64), MEM(op_fcomp_Mq, comp_m64),
    REG(op_ftst, tst), REG(op_fchs, change_sign), REG(op_fabs, absolute), REG(op_fsqrt, sqrt_r),
    { NULL, { NULL } },
};
