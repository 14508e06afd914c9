/* What the fast handlers of the x87 share: when they may run at all, the stack, operands from memory.
 *
 * What they take: normal numbers and zeros in registers that are not empty, results away from the ends of the exponent
 * range, and a masked precision exception; so PE and C1 are all that can come up, and nothing stops the instruction.
 * Significands are computed in integers by the same inline functions that softfloat uses (softfloat_core.h), so there is
 * one place that rounds. Everything else goes to the body before anything was written. */
#ifndef CPU_FAST_X87_H
#define CPU_FAST_X87_H

#include "cpu/fast_simd.h"
#include "cpu/fpu.h"

/* #NM, #MF or the freeze instead of any waiting instruction. */
FAST_INLINE bool x87_stops(const struct cpu *c) { return ((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES)) != 0; }
/* As NEXT and SLOW, but what came in `spare` is not handed on (it means something only inside fused handlers): that leaves
 * its register to the arithmetic. */
#define NEXT_X87 MUSTTAIL return DISPATCH(c, i + 1, budget, spare & 0)
#define SLOW_X87 MUSTTAIL return run_body(c, i, budget, spare & 0)
#define ELSE_X87(HANDLER_NAME) MUSTTAIL return HANDLER_NAME(c, i, budget, spare & 0)

FAST_INLINE bool precision_masked(const struct cpu *c) { return c->fcw & SF_PE; }
FAST_INLINE bool may_round(const struct cpu *c) { return (c->fcw & (FCW_RC | SF_PE)) == SF_PE; }    /* and to nearest */
FAST_INLINE bool rounds_to_64(const struct cpu *c) { return (c->fcw & (FCW_PC | FCW_RC | SF_PE)) == (FCW_PC | SF_PE); }

FAST_INLINE bool filled(const struct cpu *c, unsigned r) { return c->ftag >> r & 1; }
FAST_INLINE bool normal(struct f80 a) { return ((uint32_t)a.se & 0x7fff) - 1 < 0x7ffe && a.mant >> 63; }
FAST_INLINE bool zero(struct f80 a) { return !(a.mant | (a.se & 0x7fff)); }
FAST_INLINE bool plain(struct f80 a) { return normal(a) || zero(a); }

/* The last-instruction pointers. The operand's offset is worked out a second time, which compilers see in flat segments. */
FAST_INLINE void note(struct cpu *c, const struct insn *i)
{
    c->fop = (uint16_t)i->imm;
    c->fip = c->page_eip + i->off;
    c->fcs = c->seg[SEG_CS].sel;
}
FAST_INLINE void note_data(struct cpu *c, const struct insn *i, enum ea ea)
{
    if (ea == EA_BASE) c->fdp = (uint32_t)(c->r[i->base] + (uint64_t)(int64_t)i->disp);
    else if (ea == EA_FLAT) c->fdp = (uint32_t)(c->r[i->base] + (c->r[i->index] << insn_scale(i)) + (uint64_t)(int64_t)i->disp);
    else c->fdp = insn_ea_inline(c, i);
    c->fds = c->seg[insn_seg(i)].sel;
}
FAST_INLINE void note_mem(struct cpu *c, const struct insn *i, enum ea ea)
{
    note(c, i);
    note_data(c, i, ea);
}

FAST_INLINE void set_flags(struct cpu *c, unsigned flags) { c->fsw = (uint16_t)((c->fsw & ~FSW_C1) | flags); }
FAST_INLINE void set_order(struct cpu *c, unsigned cc) { c->fsw = (uint16_t)((c->fsw & ~(FSW_C1 | FSW_CC)) | cc); }
FAST_INLINE void pop(struct cpu *c, unsigned top)
{
    c->ftag &= (uint8_t)~(1u << top);
    c->ftop = (top + 1) & 7;
}

FAST_INLINE void push(struct cpu *c, unsigned top, struct f80 v)
{
    c->ftop = (uint8_t)top;
    c->ftag |= (uint8_t)(1u << top);
    fpu_set_reg(c, top, v);
    set_flags(c, 0);
}

/* ---- memory operands; false if they are more than plain numbers */
FAST_INLINE bool load32(const uint8_t *p, struct f80 *v)
{
    uint32_t b = ld32(p), exp = b >> 23 & 0xff;
    *v = (struct f80){ .mant = F80_TOP | (uint64_t)b << 40, .se = (b >> 31 << 15) | (exp + (F80_BIAS - 0x7f)) };
    if (LIKELY(exp - 1 < 0xfe)) return true;
    *v = (struct f80){ .mant = 0, .se = b >> 31 << 15 };
    return !(b << 1);
}
FAST_INLINE bool load64(const uint8_t *p, struct f80 *v)
{
    uint64_t b = ld64(p);
    uint32_t exp = b >> 52 & 0x7ff;
    *v = (struct f80){ .mant = F80_TOP | b << 11, .se = (b >> 63 << 15) | (exp + (F80_BIAS - 0x3ff)) };
    if (LIKELY(exp - 1 < 0x7fe)) return true;
    *v = (struct f80){ .mant = 0, .se = b >> 63 << 15 };
    return !(b << 1);
}
FAST_INLINE bool load80(const uint8_t *p, struct f80 *v) { return *v = (struct f80){ .mant = ld64(p), .se = ld16(p + 8) }, true; }
FAST_INLINE struct f80 from_int(int64_t v)
{
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;
    if (UNLIKELY(!m)) return (struct f80){ .mant = 0, .se = 0 };
    unsigned n = clz64(m);
    return (struct f80){ .mant = m << n, .se = (v < 0 ? 0x8000u : 0) | (F80_BIAS + 63 - n) };
}
FAST_INLINE bool load_int16(const uint8_t *p, struct f80 *v) { return *v = from_int((int16_t)ld16(p)), true; }
FAST_INLINE bool load_int32(const uint8_t *p, struct f80 *v) { return *v = from_int((int32_t)ld32(p)), true; }
FAST_INLINE bool load_int64(const uint8_t *p, struct f80 *v) { return *v = from_int((int64_t)ld64(p)), true; }

/* ---- the four operations */
enum arith { ADD, MUL, SUB, SUBR, DIV, DIVR };

/* Exponents so near the middle that no result of two such operands comes near the ends of the range: 2^-4095 to 2^4096. As
 * in fast_sse_fp.c, adding 3000h brings the exponent fields of that range, and no others, to those with both bits of 6000h;
 * what the sign adds above them does no harm. */
FAST_INLINE bool middling(struct f80 a, struct f80 b)
{
    return (((uint32_t)a.se + 0x3000) & ((uint32_t)b.se + 0x3000) & 0x6000) == 0x6000 && (a.mant & b.mant) >> 63;
}
FAST_INLINE struct f80_raw arith_raw(enum arith op, struct f80 a, struct f80 b)
{
    const uint32_t sa = (uint32_t)a.se, sb = (uint32_t)b.se;
    switch (op) {
    case ADD: return f80_add_raw(a.mant, sa, b.mant, sb);
    case MUL: return f80_mul_raw(a.mant, sa, b.mant, sb);
    case SUB: return f80_add_raw(a.mant, sa, b.mant, sb ^ 0x8000);
    case SUBR: return f80_add_raw(b.mant, sb, a.mant, sa ^ 0x8000);
    case DIV: return f80_div_raw(a.mant, sa, b.mant, sb);
    default: return f80_div_raw(b.mant, sb, a.mant, sa);
    }
}
/* a op b; false: not here. The quick one is for the control word that nearly all programs have, whole precision and to
 * nearest. */
FAST_INLINE bool quick_arith(const struct cpu *c, enum arith op, struct f80 a, struct f80 b, struct f80_result *r)
{
    if (UNLIKELY(!rounds_to_64(c) || !middling(a, b))) return false;
    const struct f80_raw raw = arith_raw(op, a, b);
    if (op != MUL && op != DIV && op != DIVR && UNLIKELY(!raw.hi)) return false;
    *r = f80_round_near(raw.sign, raw.exp, raw.hi, raw.lo, FCW_PC);
    return true;
}
FAST_INLINE void set_result(struct cpu *c, unsigned reg, struct f80_result r)
{
    c->st[reg].mant = r.mant;
    c->st[reg].se = r.se;
    set_flags(c, r.flags);
}

/* ---- comparison of plain numbers: as integers of 80 bits and sign */
__extension__ typedef __int128 s128;
FAST_INLINE s128 ordinal(struct f80 a)
{
    s128 v = (s128)((u128)(a.se & 0x7fff) << 64 | a.mant);
    return a.se & 0x8000 ? -v : v;
}
FAST_INLINE void compare_eflags(struct cpu *c, struct f80 a, struct f80 b)
{
    const s128 x = ordinal(a), y = ordinal(b);
    flags_set_arith(c, (x < y ? FL_CF : 0) | (x == y ? FL_ZF : 0));
}

/* ---- conversions of stores: the bits, and PE and C1; false: more than a plain number */
FAST_INLINE bool to_float(const struct cpu *c, struct f80 a, unsigned fraction, unsigned exp_max, uint64_t *bits, unsigned *flags)
{
    const unsigned drop = 63 - fraction, sign_place = fraction == 52 ? 63 : 31;
    const uint32_t exp = ((uint32_t)a.se & 0x7fff) - (F80_BIAS - exp_max / 2);
    const uint64_t sign = (a.se >> 15) << sign_place;
    if (UNLIKELY(exp - 1 >= exp_max - 2 || !(a.mant >> 63))) {
        *bits = sign;
        *flags = 0;
        return zero(a);
    }
    const uint64_t kept = a.mant >> drop, frac = a.mant << (64 - drop);
    const uint64_t up = sf_round_up(SF_NEAREST, false, kept & 1, frac);
    *bits = sign | (((uint64_t)exp << fraction) + (kept & ((1ull << fraction) - 1)) + up);       /* may carry into exp */
    *flags = (frac ? SF_PE : 0u) | (unsigned)up * SF_C1;
    return may_round(c);
}
FAST_INLINE bool to_m32(const struct cpu *c, struct f80 a, uint64_t *bits, unsigned *flags)
{
    return to_float(c, a, 23, 0xff, bits, flags);
}
FAST_INLINE bool to_m64(const struct cpu *c, struct f80 a, uint64_t *bits, unsigned *flags)
{
    return to_float(c, a, 52, 0x7ff, bits, flags);
}

#endif
