/* Pairs of x87 instructions in one handler.
 *
 * A stack machine spends much of its time bringing operands to the top: compilers put FXCH or a load before the operation,
 * and a store behind it. A pair saves one dispatch, one round of checks, and the way of a result through memory.
 *
 * Both instructions have happened, in order, when the handler ends. If the second turns out not to be plain, the first is
 * complete by then, and the second goes on with its body as if it had been dispatched. */
#include "cpu/fast_x87.h"

/* ---- first instructions that leave a new ST(0): in *top and *a. They write the stack, but neither status nor pointers. */
FAST_INLINE bool first_xch(struct cpu *c, const struct insn *i, enum ea ea, unsigned *top, struct f80 *a)
{
    (void)ea;
    const unsigned other = fpu_reg(c, i->rm);
    *top = c->ftop;
    if (UNLIKELY(!filled(c, *top) || !filled(c, other))) return false;
    const struct f80 down = fpu_get_reg(c, *top);
    *a = fpu_get_reg(c, other);
    fpu_set_reg(c, *top, *a);
    fpu_set_reg(c, other, down);
    return true;
}
FAST_INLINE void raise(struct cpu *c, unsigned top, struct f80 a)
{
    c->ftop = (uint8_t)top;
    c->ftag |= (uint8_t)(1u << top);
    fpu_set_reg(c, top, a);
}
FAST_INLINE bool first_ld(struct cpu *c, const struct insn *i, enum ea ea, unsigned *top, struct f80 *a)
{
    (void)ea;
    const unsigned from = fpu_reg(c, i->rm);
    *top = (c->ftop - 1u) & 7;
    if (UNLIKELY(filled(c, *top) || !filled(c, from))) return false;
    *a = fpu_get_reg(c, from);
    raise(c, *top, *a);
    return true;
}
FAST_INLINE bool first_ld32(struct cpu *c, const struct insn *i, enum ea ea, unsigned *top, struct f80 *a)
{
    const uint8_t *p = mem_host(c, i, ea, 4, false);
    *top = (c->ftop - 1u) & 7;
    if (UNLIKELY(!p || filled(c, *top) || !load32(p, a))) return false;
    note_data(c, i, ea);
    raise(c, *top, *a);
    return true;
}
FAST_INLINE bool first_ld64(struct cpu *c, const struct insn *i, enum ea ea, unsigned *top, struct f80 *a)
{
    const uint8_t *p = mem_host(c, i, ea, 8, false);
    *top = (c->ftop - 1u) & 7;
    if (UNLIKELY(!p || filled(c, *top) || !load64(p, a))) return false;
    note_data(c, i, ea);
    raise(c, *top, *a);
    return true;
}

#define THEN_ARITH(NAME, FIRST, EA, OP, TO_STI, POP) \
    static HANDLER(NAME) \
    { \
        unsigned top; \
        struct f80 a; \
        struct f80_result r; \
        if (UNLIKELY(x87_stops(c) || !FIRST(c, i, EA, &top, &a))) SLOW_X87; \
        const struct insn *const second = i + 1; \
        const unsigned other = (top + second->rm) & 7; \
        if (UNLIKELY(!filled(c, other) || !quick_arith(c, OP, a, fpu_get_reg(c, other), &r))) { \
            note(c, i); \
            set_flags(c, 0); \
            MUSTTAIL return run_body(c, second, budget, spare & 0); \
        } \
        note(c, second); \
        set_result(c, TO_STI ? other : top, r); \
        if (POP) pop(c, top); \
        MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
    }
#define THEN_FORMS(NAME, FIRST, EA, OP) \
    THEN_ARITH(NAME##_r, FIRST, EA, OP, false, false) \
    THEN_ARITH(NAME##_to, FIRST, EA, OP, true, false) \
    THEN_ARITH(NAME##_pop, FIRST, EA, OP, true, true)
#define THEN(NAME, FIRST, EA) \
    THEN_FORMS(NAME##_add, FIRST, EA, ADD) THEN_FORMS(NAME##_mul, FIRST, EA, MUL) \
    THEN_FORMS(NAME##_sub, FIRST, EA, SUB) THEN_FORMS(NAME##_subr, FIRST, EA, SUBR)
THEN(xch, first_xch, EA_SEGMENT)
THEN(ld, first_ld, EA_SEGMENT)
THEN(ld32_s, first_ld32, EA_SEGMENT)
THEN(ld32_f, first_ld32, EA_FLAT)
THEN(ld32_b, first_ld32, EA_BASE)
THEN(ld64_s, first_ld64, EA_SEGMENT)
THEN(ld64_f, first_ld64, EA_FLAT)
THEN(ld64_b, first_ld64, EA_BASE)

/* ---- an operation whose result is stored next: to ST(0), or to ST(1), which popping makes ST(0) */
#define STORED(NAME, OP, POP, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const unsigned top = c->ftop, other = fpu_reg(c, i->rm), dst = POP ? other : top; \
        struct f80_result r; \
        if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, other))) SLOW_X87; \
        if (UNLIKELY(!quick_arith(c, OP, fpu_get_reg(c, top), fpu_get_reg(c, other), &r))) SLOW_X87; \
        set_result(c, dst, r); \
        if (POP) pop(c, top); \
        const struct insn *const second = i + 1; \
        uint8_t *p = mem_host(c, second, EA, 8, true); \
        uint64_t bits; \
        unsigned flags; \
        if (UNLIKELY(!p || !to_m64(c, (struct f80){ .mant = r.mant, .se = r.se }, &bits, &flags))) { \
            note(c, i); \
            MUSTTAIL return run_body(c, second, budget, spare & 0); \
        } \
        note_mem(c, second, EA); \
        st64(p, bits); \
        set_flags(c, flags); \
        pop(c, dst); \
        MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
    }
#define STORED_FORMS(NAME, OP) SIMD_EACH_FORM(STORED, NAME##_r_st, OP, false) SIMD_EACH_FORM(STORED, NAME##_pop_st, OP, true)
STORED_FORMS(add, ADD)
STORED_FORMS(mul, MUL)
STORED_FORMS(sub, SUB)
STORED_FORMS(subr, SUBR)

/* ---- FCOMIP, FUCOMIP and the FSTP ST(0) that throws the other operand away */
static HANDLER(comip_stp)
{
    const unsigned top = c->ftop, next = (top + 1) & 7;
    if (UNLIKELY(x87_stops(c) || i->rm != 1 || !filled(c, top) || !filled(c, next))) SLOW_X87;
    const struct f80 a = fpu_get_reg(c, top), b = fpu_get_reg(c, next);
    if (UNLIKELY(!plain(a) || !plain(b))) SLOW_X87;
    note(c, i + 1);
    set_flags(c, 0);
    compare_eflags(c, a, b);
    c->ftag &= (uint8_t)~(1u << top | 1u << next);
    c->ftop = (top + 2) & 7;
    MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0);
}

/* ---- which pair it is */
#define OPS 12
static insn_body *const operation[OPS] = {                    /* in the order of the rows below */
    op_fadd_ST0_STi, op_fadd_STi_ST0, op_faddp_STi_ST0, op_fmul_ST0_STi, op_fmul_STi_ST0, op_fmulp_STi_ST0,
    op_fsub_ST0_STi, op_fsubr_STi_ST0, op_fsubrp_STi_ST0, op_fsubr_ST0_STi, op_fsub_STi_ST0, op_fsubp_STi_ST0,
};
#define ROW3(NAME) NAME##_r, NAME##_to, NAME##_pop
#define ROW(NAME) { ROW3(NAME##_add), ROW3(NAME##_mul), ROW3(NAME##_sub), ROW3(NAME##_subr) }
#define NO_ROW { NULL }
static const struct { insn_body *body; insn_handler *then[SIMD_FORMS][OPS]; } first[] = {
    { op_fxch_STi, { ROW(xch), NO_ROW, NO_ROW, NO_ROW } },
    { op_fld_STi, { ROW(ld), NO_ROW, NO_ROW, NO_ROW } },
    { op_fld_Md, { NO_ROW, ROW(ld32_s), ROW(ld32_f), ROW(ld32_b) } },
    { op_fld_Mq, { NO_ROW, ROW(ld64_s), ROW(ld64_f), ROW(ld64_b) } },
};
#define STORED_ROW(NAME) { NAME##_s, NAME##_f, NAME##_b }
#define STORED_ROWS(NAME) STORED_ROW(NAME##_r_st), { NULL }, STORED_ROW(NAME##_pop_st)
static insn_handler *const stored[OPS][EA_FORMS] = { STORED_ROWS(add), STORED_ROWS(mul), STORED_ROWS(sub), STORED_ROWS(subr) };

insn_handler *fast_x87_pair(const struct insn *i, enum ea ea, const struct insn *second, enum ea second_ea)
{
    insn_body *a = optable[i->op].body, *b = optable[second->op].body;
    for (unsigned n = 0; n < sizeof first / sizeof first[0]; n++) {
        if (first[n].body != a) continue;
        for (unsigned k = 0; k < OPS; k++)
            if (operation[k] == b) return first[n].then[insn_is_mem(i) ? 1 + (unsigned)ea : 0][k];
    }
    if (b == op_fstp_Mq)
        for (unsigned k = 0; k < OPS; k++)
            if (operation[k] == a && (k % 3 != 2 || i->rm == 1)) return stored[k][second_ea];
    if (b == op_fstp_STi && second->rm == 0 && (a == op_fcomip_STi || a == op_fucomip_STi) && i->rm == 1) return comip_stp;
    return NULL;
}
