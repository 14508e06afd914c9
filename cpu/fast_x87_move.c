/* Fast handlers of the x87's data transfer: loads, stores, constants, exchanges, conditional moves; and of the control words,
 * which compilers set twice for every cast to an integer. */
#include "cpu/fast_x87.h"

/* ---- loads */
#define LOAD_MEM(NAME, SIZE, LOAD, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
        const unsigned top = (c->ftop - 1u) & 7; \
        struct f80 v; \
        if (UNLIKELY(!p || x87_stops(c) || filled(c, top) || !LOAD(p, &v))) SLOW_X87; \
        note_mem(c, i, EA); \
        push(c, top, v); \
        NEXT_X87; \
    }
SIMD_EACH_FORM(LOAD_MEM, ld_m32, 4, load32)
SIMD_EACH_FORM(LOAD_MEM, ld_m64, 8, load64)
SIMD_EACH_FORM(LOAD_MEM, ld_m80, 10, load80)
SIMD_EACH_FORM(LOAD_MEM, ild_m16, 2, load_int16)
SIMD_EACH_FORM(LOAD_MEM, ild_m32, 4, load_int32)
SIMD_EACH_FORM(LOAD_MEM, ild_m64, 8, load_int64)

static HANDLER(ld_r)
{
    const unsigned from = fpu_reg(c, i->rm), top = (c->ftop - 1u) & 7;
    if (UNLIKELY(x87_stops(c) || filled(c, top) || !filled(c, from))) SLOW_X87;
    note(c, i);
    push(c, top, fpu_get_reg(c, from));
    NEXT_X87;
}
/* Constants as they are when rounding to nearest; FLD1 and FLDZ are exact. */
#define CONSTANT(NAME, EXACT, SE, MANT) \
    static HANDLER(NAME) \
    { \
        const unsigned top = (c->ftop - 1u) & 7; \
        if (UNLIKELY(x87_stops(c) || filled(c, top) || (!EXACT && c->fcw & FCW_RC))) SLOW_X87; \
        note(c, i); \
        push(c, top, (struct f80){ .mant = MANT, .se = SE }); \
        NEXT_X87; \
    }
CONSTANT(ld1, true, F80_BIAS, F80_TOP)
CONSTANT(ldz, true, 0, 0)
CONSTANT(ldpi, false, 0x4000, 0xc90fdaa22168c235)
CONSTANT(ldln2, false, 0x3ffe, 0xb17217f7d1cf79ac)
CONSTANT(ldl2e, false, 0x3fff, 0xb8aa3b295c17f0bc)

/* ---- stores. Each conversion gives the bits and PE and C1 (fast_x87.h); false: to the body. */
/* To an integer, by any rounding. */
FAST_INLINE bool to_int(const struct cpu *c, struct f80 a, unsigned width, bool chop, uint64_t *bits, unsigned *flags)
{
    const int32_t exp = (int32_t)(a.se & 0x7fff) - F80_BIAS;
    const bool sign = a.se >> 15 & 1;
    uint64_t whole = 0, frac = a.mant;                        /* zero has an exponent below -1 */
    if (exp >= 0) {
        if (UNLIKELY(exp > (int32_t)width - 2)) return false;
        whole = a.mant >> (63 - exp);
        frac = a.mant << 1 << exp;
    } else if (exp < -1) {
        frac = frac != 0;
    }
    const uint64_t up = sf_round_up(chop ? SF_CHOP : c->fcw >> 10 & 3, sign, whole & 1, frac);
    whole += up;
    *bits = sign ? -whole : whole;
    *flags = (frac ? SF_PE : 0u) | (unsigned)up * SF_C1;
    return plain(a) && precision_masked(c) && !(whole >> (width - 1));
}
#define TO_INT(NAME, WIDTH, CHOP) \
    FAST_INLINE bool NAME(const struct cpu *c, struct f80 a, uint64_t *bits, unsigned *flags) \
    { \
        return to_int(c, a, WIDTH, CHOP, bits, flags); \
    }
TO_INT(to_i16, 16, false)
TO_INT(to_i32, 32, false)
TO_INT(to_i64, 64, false)
TO_INT(chop_i16, 16, true)
TO_INT(chop_i32, 32, true)
TO_INT(chop_i64, 64, true)

#define STORE_MEM(NAME, SIZE, TO, POP, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, SIZE, true); \
        const unsigned top = c->ftop; \
        uint64_t bits; \
        unsigned flags; \
        if (UNLIKELY(!p || x87_stops(c) || !filled(c, top) || !TO(c, fpu_get_reg(c, top), &bits, &flags))) SLOW_X87; \
        note_mem(c, i, EA); \
        host_store(p, bits, SIZE); \
        set_flags(c, flags); \
        if (POP) pop(c, top); \
        NEXT_X87; \
    }
SIMD_EACH_FORM(STORE_MEM, st_m32, 4, to_m32, false)
SIMD_EACH_FORM(STORE_MEM, stp_m32, 4, to_m32, true)
SIMD_EACH_FORM(STORE_MEM, st_m64, 8, to_m64, false)
SIMD_EACH_FORM(STORE_MEM, stp_m64, 8, to_m64, true)
SIMD_EACH_FORM(STORE_MEM, ist_m16, 2, to_i16, false)
SIMD_EACH_FORM(STORE_MEM, istp_m16, 2, to_i16, true)
SIMD_EACH_FORM(STORE_MEM, ist_m32, 4, to_i32, false)
SIMD_EACH_FORM(STORE_MEM, istp_m32, 4, to_i32, true)
SIMD_EACH_FORM(STORE_MEM, istp_m64, 8, to_i64, true)
SIMD_EACH_FORM(STORE_MEM, isttp_m16, 2, chop_i16, true)
SIMD_EACH_FORM(STORE_MEM, isttp_m32, 4, chop_i32, true)
SIMD_EACH_FORM(STORE_MEM, isttp_m64, 8, chop_i64, true)

#define STORE80_MEM(NAME, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 10, true); \
        const unsigned top = c->ftop; \
        if (UNLIKELY(!p || x87_stops(c) || !filled(c, top))) SLOW_X87; \
        note_mem(c, i, EA); \
        st64(p, c->st[top].mant); \
        st16(p + 8, (uint16_t)c->st[top].se); \
        set_flags(c, 0); \
        pop(c, top); \
        NEXT_X87; \
    }
SIMD_EACH_FORM(STORE80_MEM, stp_m80)

/* ---- registers. FST to an empty register fills it. */
#define STORE_REG(NAME, POP) \
    static HANDLER(NAME) \
    { \
        const unsigned top = c->ftop, to = fpu_reg(c, i->rm); \
        if (UNLIKELY(x87_stops(c) || !filled(c, top))) SLOW_X87; \
        note(c, i); \
        c->ftag |= (uint8_t)(1u << to); \
        fpu_set_reg(c, to, fpu_get_reg(c, top)); \
        set_flags(c, 0); \
        if (POP) pop(c, top); \
        NEXT_X87; \
    }
STORE_REG(st_r, false)
STORE_REG(stp_r, true)

static HANDLER(xch_r)
{
    const unsigned top = c->ftop, other = fpu_reg(c, i->rm);
    if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, other))) SLOW_X87;
    const struct f80 a = fpu_get_reg(c, top), b = fpu_get_reg(c, other);
    note(c, i);
    fpu_set_reg(c, top, b);
    fpu_set_reg(c, other, a);
    set_flags(c, 0);
    NEXT_X87;
}

/* C1 keeps its value. */
#define MOVE_IF(NAME, CONDITION) \
    static HANDLER(NAME) \
    { \
        const unsigned top = c->ftop, from = fpu_reg(c, i->rm); \
        if (UNLIKELY(x87_stops(c) || !filled(c, top) || !filled(c, from))) SLOW_X87; \
        note(c, i); \
        if (CONDITION) fpu_set_reg(c, top, fpu_get_reg(c, from)); \
        NEXT_X87; \
    }
MOVE_IF(cmovb, flag_cf(c))
MOVE_IF(cmovnb, !flag_cf(c))
MOVE_IF(cmove, flag_zf(c))
MOVE_IF(cmovne, !flag_zf(c))
MOVE_IF(cmovbe, flag_cf(c) || flag_zf(c))
MOVE_IF(cmovnbe, !flag_cf(c) && !flag_zf(c))
MOVE_IF(cmovu, flag_pf(c))
MOVE_IF(cmovnu, !flag_pf(c))

/* ---- control words: no-wait instructions only look at CR0, and none of these moves the pointers. */
#define STORE_WORD_MEM(NAME, VALUE, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 2, true); \
        if (UNLIKELY(!p || c->cr0 & (CR0_EM | CR0_TS))) SLOW_X87; \
        st16(p, VALUE); \
        NEXT_X87; \
    }
SIMD_EACH_FORM(STORE_WORD_MEM, stcw, c->fcw)
SIMD_EACH_FORM(STORE_WORD_MEM, stsw, fpu_status_word(c))
static HANDLER(stsw_r)
{
    if (UNLIKELY(c->cr0 & (CR0_EM | CR0_TS))) SLOW_X87;
    c->r[R_AX] = (c->r[R_AX] & ~0xffffull) | fpu_status_word(c);
    NEXT_X87;
}
/* A word that unmasks what is flagged already goes to the body. */
#define LOAD_WORD_MEM(NAME, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 2, false); \
        if (UNLIKELY(!p || x87_stops(c) || c->ferr || cpu_level(c) == LEVEL_8086)) SLOW_X87; \
        const unsigned v = ld16(p); \
        if (UNLIKELY(c->fsw & (FSW_B | (~v & SF_EXCEPTIONS)))) SLOW_X87; \
        c->fcw = (uint16_t)((v & (FCW_MASKS | FCW_PC | FCW_RC | FCW_X)) | 0x40); \
        NEXT_X87; \
    }
SIMD_EACH_FORM(LOAD_WORD_MEM, ldcw)
static HANDLER(wait)
{
    if (UNLIKELY((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS) || c->fsw & FSW_ES)) SLOW_X87;
    NEXT_X87;
}

#define REG(BODY, H) { BODY, { H } }
#define MEM(BODY, H) { BODY, { NULL, H##_s, H##_f, H##_b } }
const struct fast_x87 fast_x87_move[] = {
    MEM(op_fld_Md, ld_m32), MEM(op_fld_Mq, ld_m64), MEM(op_fld_Mt, ld_m80),
    MEM(op_fild_Mw, ild_m16), MEM(op_fild_Md, ild_m32), MEM(op_fild_Mq, ild_m64),
    REG(op_fld_STi, ld_r), REG(op_fld1, ld1), REG(op_fldz, ldz), REG(op_fldpi, ldpi), REG(op_fldln2, ldln2),
    REG(op_fldl2e, ldl2e),
    MEM(op_fst_Md, st_m32), MEM(op_fstp_Md, stp_m32), MEM(op_fst_Mq, st_m64), MEM(op_fstp_Mq, stp_m64), MEM(op_fstp_Mt, stp_m80),
    MEM(op_fist_Mw, ist_m16), MEM(op_fistp_Mw, istp_m16), MEM(op_fist_Md, ist_m32), MEM(op_fistp_Md, istp_m32),
    MEM(op_fistp_Mq, istp_m64), MEM(op_fisttp_Mw, isttp_m16), MEM(op_fisttp_Md, isttp_m32), MEM(op_fisttp_Mq, isttp_m64),
    REG(op_fst_STi, st_r), REG(op_fstp_STi, stp_r), REG(op_fxch_STi, xch_r),
    REG(op_fcmovb_STi, cmovb), REG(op_fcmovnb_STi, cmovnb), REG(op_fcmove_STi, cmove), REG(op_fcmovne_STi, cmovne),
    REG(op_fcmovbe_STi, cmovbe), REG(op_fcmovnbe_STi, cmovnbe), REG(op_fcmovu_STi, cmovu), REG(op_fcmovnu_STi, cmovnu),
    MEM(op_fnstcw_Mw, stcw), MEM(op_fnstsw_Mw, stsw), REG(op_fnstsw_AX, stsw_r), MEM(op_fldcw_Mw, ldcw), REG(op_fwait, wait),
    { NULL, { NULL } },
};
