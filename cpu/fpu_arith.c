/* x87 basic arithmetic and comparison: D8, DA, DC, DE and their register forms; FSQRT, FPREM, FRNDINT, FSCALE, FXTRACT,
 * FABS, FCHS, FTST, FXAM.
 *
 * SDM vol. 1 8.3.5 to 8.3.7. The arithmetic of normal operands is expanded in place; everything else calls softfloat. The
 * encoding's oddity: in DC and DE the register is the destination, and the two subtractions and divisions change names
 * there, because both still compute from ST(0) and ST(i) in the order of the D8 form. */
#include "cpu/fpu.h"

enum arith { A_ADD, A_MUL, A_SUB, A_SUBR, A_DIV, A_DIVR };

/* Two normal operands. */
FPU_INLINE struct f80_result arith_core(enum arith op, uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb, unsigned control)
{
    switch (op) {
    case A_ADD: return f80_add_core(ma, sea, mb, seb, control);
    case A_MUL: return f80_mul_core(ma, sea, mb, seb, control);
    case A_SUB: return f80_add_core(ma, sea, mb, seb ^ 0x8000, control);
    case A_SUBR: return f80_add_core(mb, seb, ma, sea ^ 0x8000, control);
    case A_DIV: return f80_div_core(ma, sea, mb, seb, control);
    case A_DIVR: break;
    }
    return f80_div_core(mb, seb, ma, sea, control);
}

/* Any operands. */
static struct f80 arith_any(enum arith op, struct f80 a, struct f80 b, struct sf *s)
{
    switch (op) {
    case A_ADD: return f80_add(a, b, s);
    case A_MUL: return f80_mul(a, b, s);
    case A_SUB: return f80_sub(a, b, s);
    case A_SUBR: return f80_sub(b, a, s);
    case A_DIV: return f80_div(a, b, s);
    case A_DIVR: break;
    }
    return f80_div(b, a, s);
}

FPU_INLINE bool is_normal(uint64_t mant, uint32_t se) { return (se & 0x7fff) - 1 < 0x7ffe && mant >> 63; }

/* Stores result and status. True if the instruction completed (and may pop). */
static bool commit(struct cpu *c, unsigned dst, struct f80 r, const struct sf *s)
{
    bool done = !sf_no_result(s);
    if (done) fpu_set_reg(c, dst, r);
    fpu_raise(c, s->flags);
    return done;
}

/* The same for a result of arith_core, which is always stored. */
FPU_INLINE void commit_core(struct cpu *c, unsigned dst, struct f80_result r)
{
    c->st[dst].mant = r.mant;
    c->st[dst].se = (uint16_t)r.se;
    fpu_raise(c, r.flags);
}

/* Stack underflow of an instruction with a register result. */
static enum status underflow(struct cpu *c, unsigned n, bool pop)
{
    if (fpu_underflow(c)) {
        fpu_set(c, n, f80_indefinite());
        if (pop) fpu_pop(c);
    }
    return BODY_NEXT;
}

static __attribute__((noinline)) enum status arith_reg_slow(struct cpu *c, unsigned n, enum arith op, bool to_sti, bool pop)
{
    if (fpu_empty(c, 0) || fpu_empty(c, n)) return underflow(c, to_sti ? n : 0, pop);
    struct sf s = fpu_env(c);
    struct f80 r = arith_any(op, fpu_st(c, 0), fpu_st(c, n), &s);
    if (commit(c, fpu_reg(c, to_sti ? n : 0), r, &s) && pop) fpu_pop(c);
    return BODY_NEXT;
}

FPU_INLINE enum status arith_reg(struct cpu *c, const struct insn *i, enum arith op, bool to_sti, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    unsigned n = i->rm & 7, ra = c->ftop, rb = fpu_reg(c, n);
    uint64_t ma = c->st[ra].mant, mb = c->st[rb].mant;
    uint32_t sea = c->st[ra].se, seb = c->st[rb].se;
    bool valid = c->ftag >> ra & c->ftag >> rb & 1;
    if (FPU_UNLIKELY(!valid || !is_normal(ma, sea) || !is_normal(mb, seb))) return arith_reg_slow(c, n, op, to_sti, pop);
    commit_core(c, to_sti ? rb : ra, arith_core(op, ma, sea, mb, seb, c->fcw));
    if (pop) fpu_pop(c);
    return BODY_NEXT;
}

/* A denormal memory operand was normalised by its conversion, so DE is raised here, where nothing has precedence over it:
 * no NaN, no division by zero. True if it is unmasked. */
static bool memory_denormal_stops(struct f80 a, bool zero_divides, struct sf *s)
{
    if (f80_is_nan(a) || (zero_divides && f80_is_zero(a))) return false;
    s->flags |= SF_DE;
    return !(s->masks & SF_DE);
}

static __attribute__((noinline)) enum status arith_mem_slow(struct cpu *c, enum arith op, struct f80 b, bool denormal)
{
    if (fpu_empty(c, 0)) return underflow(c, 0, false);
    struct sf s = fpu_env(c);
    struct f80 a = fpu_st(c, 0), r = a;
    if (!denormal || !memory_denormal_stops(a, op == A_DIVR, &s)) r = arith_any(op, a, b, &s);
    commit(c, c->ftop, r, &s);
    return BODY_NEXT;
}

FPU_INLINE enum status arith_mem(struct cpu *c, enum arith op, uint64_t mb, uint32_t seb, bool denormal)
{
    unsigned top = c->ftop;
    uint64_t ma = c->st[top].mant;
    uint32_t sea = c->st[top].se;
    if (FPU_UNLIKELY(denormal || !(c->ftag >> top & 1) || !is_normal(ma, sea) || !is_normal(mb, seb)))
        return arith_mem_slow(c, op, (struct f80){ .mant = mb, .se = (uint16_t)seb }, denormal);
    commit_core(c, top, arith_core(op, ma, sea, mb, seb, c->fcw));
    return BODY_NEXT;
}

static inline bool is_denormal32(uint32_t v) { return !(v & 0x7f800000) && v & 0x7fffff; }
static inline bool is_denormal64(uint64_t v) { return !(v >> 52 & 0x7ff) && v << 12; }

typedef enum status arith_mem_body(struct cpu *c, uint64_t mb, uint32_t seb, bool denormal);

FPU_INLINE enum status arith_m32(struct cpu *c, const struct insn *i, arith_mem_body *body)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint32_t v = mem_read32(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct f80 b = f80_operand_f32(v);
    return body(c, b.mant, b.se, is_denormal32(v));
}

FPU_INLINE enum status arith_m64(struct cpu *c, const struct insn *i, arith_mem_body *body)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint64_t v = mem_read64(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct f80 b = f80_operand_f64(v);
    return body(c, b.mant, b.se, is_denormal64(v));
}

FPU_INLINE enum status arith_int(struct cpu *c, const struct insn *i, unsigned size, arith_mem_body *body)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    int64_t v = size == 2 ? (int16_t)mem_read16(c, insn_seg(i), ea) : (int32_t)mem_read32(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct f80 b = f80_from_i64(v);
    return body(c, b.mant, b.se, false);
}

#define ARITH_FORMS(name, A, name_to, name_pop) \
    static __attribute__((noinline)) enum status mem_##name(struct cpu *c, uint64_t mb, uint32_t seb, bool denormal) \
    { \
        return arith_mem(c, A, mb, seb, denormal); \
    } \
    FPU_OP(f##name##_ST0_STi) { return arith_reg(c, i, A, false, false); } \
    FPU_OP(f##name_to##_STi_ST0) { return arith_reg(c, i, A, true, false); } \
    FPU_OP(f##name_pop##_STi_ST0) { return arith_reg(c, i, A, true, true); } \
    FPU_OP(f##name##_Md) { return arith_m32(c, i, mem_##name); } \
    FPU_OP(f##name##_Mq) { return arith_m64(c, i, mem_##name); } \
    FPU_OP(fi##name##_Md) { return arith_int(c, i, 4, mem_##name); } \
    FPU_OP(fi##name##_Mw) { return arith_int(c, i, 2, mem_##name); }
ARITH_FORMS(add, A_ADD, add, addp)
ARITH_FORMS(mul, A_MUL, mul, mulp)
ARITH_FORMS(sub, A_SUB, subr, subrp)
ARITH_FORMS(subr, A_SUBR, sub, subp)
ARITH_FORMS(div, A_DIV, divr, divrp)
ARITH_FORMS(divr, A_DIVR, div, divp)

/* ---- comparison */
static inline unsigned condition(int order)
{
    return order == SF_UNORDERED ? FSW_CC : order == SF_LESS ? FSW_C0 : order == SF_EQUAL ? FSW_C3 : 0;
}

/* Stack underflow of a comparison: unordered. */
static enum status compare_underflow(struct cpu *c, unsigned pops)
{
    bool masked = fpu_underflow(c);
    fpu_set_cc(c, FSW_CC);
    while (masked && pops--) fpu_pop(c);
    return BODY_NEXT;
}

static enum status compare(struct cpu *c, struct f80 b, bool denormal, bool quiet, unsigned pops)
{
    struct sf s = fpu_env(c);
    struct f80 a = fpu_st(c, 0);
    int order = f80_compare(a, b, quiet, &s);
    if (denormal && !f80_is_nan(a)) s.flags |= SF_DE;
    fpu_raise(c, s.flags);
    fpu_set_cc(c, condition(order));                          /* measured: even where an unmasked exception stops the pop */
    if (sf_no_result(&s)) return BODY_NEXT;
    while (pops--) fpu_pop(c);
    return BODY_NEXT;
}

FPU_INLINE enum status compare_reg(struct cpu *c, const struct insn *i, bool quiet, unsigned pops)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    unsigned n = i->rm & 7;
    if (fpu_empty(c, 0) || fpu_empty(c, n)) return compare_underflow(c, pops);
    return compare(c, fpu_st(c, n), false, quiet, pops);
}

FPU_OP(fcom_STi) { return compare_reg(c, i, false, 0); }
FPU_OP(fcomp_STi) { return compare_reg(c, i, false, 1); }
FPU_OP(fcompp) { return compare_reg(c, i, false, 2); }
FPU_OP(fucom_STi) { return compare_reg(c, i, true, 0); }
FPU_OP(fucomp_STi) { return compare_reg(c, i, true, 1); }
FPU_OP(fucompp) { return compare_reg(c, i, true, 2); }

static enum status compare_m32(struct cpu *c, const struct insn *i, unsigned pops)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint32_t v = mem_read32(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    if (fpu_empty(c, 0)) return compare_underflow(c, pops);
    return compare(c, f80_operand_f32(v), is_denormal32(v), false, pops);
}

static enum status compare_m64(struct cpu *c, const struct insn *i, unsigned pops)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint64_t v = mem_read64(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    if (fpu_empty(c, 0)) return compare_underflow(c, pops);
    return compare(c, f80_operand_f64(v), is_denormal64(v), false, pops);
}

static enum status compare_int(struct cpu *c, const struct insn *i, unsigned size, unsigned pops)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    int64_t v = size == 2 ? (int16_t)mem_read16(c, insn_seg(i), ea) : (int32_t)mem_read32(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    if (fpu_empty(c, 0)) return compare_underflow(c, pops);
    return compare(c, f80_from_i64(v), false, false, pops);
}

FPU_OP(fcom_Md) { return compare_m32(c, i, 0); }
FPU_OP(fcomp_Md) { return compare_m32(c, i, 1); }
FPU_OP(fcom_Mq) { return compare_m64(c, i, 0); }
FPU_OP(fcomp_Mq) { return compare_m64(c, i, 1); }
FPU_OP(ficom_Md) { return compare_int(c, i, 4, 0); }
FPU_OP(ficomp_Md) { return compare_int(c, i, 4, 1); }
FPU_OP(ficom_Mw) { return compare_int(c, i, 2, 0); }
FPU_OP(ficomp_Mw) { return compare_int(c, i, 2, 1); }

/* FCOMI and kin: the order goes to ZF, PF, CF; OF, SF and AF are cleared (SDM vol. 2, FCOMI). */
FPU_INLINE enum status compare_eflags(struct cpu *c, const struct insn *i, bool quiet, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    unsigned n = i->rm & 7;
    int order = SF_UNORDERED;
    if (fpu_empty(c, 0) || fpu_empty(c, n)) {
        if (!fpu_underflow(c)) pop = false;
    } else {
        struct sf s = fpu_env(c);
        order = f80_compare(fpu_st(c, 0), fpu_st(c, n), quiet, &s);
        fpu_raise(c, s.flags);
        if (sf_no_result(&s)) pop = false;
    }
    uint32_t f = order == SF_UNORDERED ? FL_ZF | FL_PF | FL_CF : order == SF_LESS ? FL_CF : order == SF_EQUAL ? FL_ZF : 0;
    eflags_set(c, (eflags_get(c) & ~(uint32_t)FL_ARITH) | f);
    if (pop) fpu_pop(c);
    return BODY_NEXT;
}

FPU_OP(fcomi_STi) { return compare_eflags(c, i, false, false); }
FPU_OP(fcomip_STi) { return compare_eflags(c, i, false, true); }
FPU_OP(fucomi_STi) { return compare_eflags(c, i, true, false); }
FPU_OP(fucomip_STi) { return compare_eflags(c, i, true, true); }

FPU_OP(ftst)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0)) return compare_underflow(c, 0);
    return compare(c, f80_zero(false), false, false, 0);
}

FPU_OP(fxam)
{
    static const uint16_t codes[] = {
        [SF_UNSUPPORTED] = 0, [SF_NAN] = FSW_C0, [SF_NORMAL] = FSW_C2, [SF_INFINITY] = FSW_C2 | FSW_C0,
        [SF_ZERO] = FSW_C3, [SF_DENORMAL] = FSW_C3 | FSW_C2,
    };
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    struct f80 a = fpu_st(c, 0);
    unsigned cc = fpu_empty(c, 0) ? FSW_C3 | FSW_C0 : codes[f80_class(a)];
    fpu_raise(c, f80_sign(a) ? FSW_C1 : 0);
    fpu_set_cc(c, cc);
    return BODY_NEXT;
}

/* ---- one operand */
FPU_INLINE enum status change_sign(struct cpu *c, const struct insn *i, uint16_t and, uint16_t xor)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0)) return underflow(c, 0, false);
    c->st[c->ftop].se = (uint16_t)((c->st[c->ftop].se & and) ^ xor);
    fpu_raise(c, 0);
    return BODY_NEXT;
}
FPU_OP(fchs) { return change_sign(c, i, 0xffff, 0x8000); }
FPU_OP(fabs) { return change_sign(c, i, 0x7fff, 0); }

static enum status unary(struct cpu *c, const struct insn *i, struct f80 (*f)(struct f80, struct sf *))
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0)) return underflow(c, 0, false);
    struct sf s = fpu_env(c);
    struct f80 r = f(fpu_st(c, 0), &s);
    commit(c, c->ftop, r, &s);
    return BODY_NEXT;
}
FPU_OP(fsqrt) { return unary(c, i, f80_sqrt); }
FPU_OP(frndint) { return unary(c, i, f80_round); }

FPU_OP(fscale)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0) || fpu_empty(c, 1)) return underflow(c, 0, false);
    struct sf s = fpu_env(c);
    struct f80 r = f80_scale(fpu_st(c, 0), fpu_st(c, 1), &s);
    commit(c, c->ftop, r, &s);
    return BODY_NEXT;
}

FPU_OP(fxtract)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    bool empty = fpu_empty(c, 0);
    if (empty || !fpu_empty(c, 7)) {
        if (empty ? fpu_underflow(c) : fpu_overflow(c)) {
            fpu_set(c, 0, f80_indefinite());
            fpu_push(c, f80_indefinite());
        }
        return BODY_NEXT;
    }
    struct sf s = fpu_env(c);
    struct f80 significand, exponent = f80_extract(fpu_st(c, 0), &significand, &s);
    fpu_raise(c, s.flags);
    if (sf_no_result(&s)) return BODY_NEXT;
    fpu_set(c, 0, exponent);
    fpu_push(c, significand);
    return BODY_NEXT;
}

/* Quotient bits go to C0 (bit 2), C3 (bit 1), C1 (bit 0); C2 says that the reduction is not complete. */
static enum status remainder_step(struct cpu *c, const struct insn *i, bool nearest)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    c->fsw &= (uint16_t)~FSW_C2;                              /* the reduction does not go on, whatever happens */
    if (fpu_empty(c, 0) || fpu_empty(c, 1)) return underflow(c, 0, false);
    struct sf s = fpu_env(c);
    unsigned q;
    bool partial;
    struct f80 r = f80_rem(fpu_st(c, 0), fpu_st(c, 1), nearest, &q, &partial, &s);
    if (!commit(c, c->ftop, r, &s) || s.flags & SF_IE || f80_is_nan(r)) return BODY_NEXT;
    c->fsw &= (uint16_t)~(FSW_CC | FSW_C1);
    c->fsw |= (uint16_t)((partial ? FSW_C2 : 0) | (q & 4 ? FSW_C0 : 0) | (q & 2 ? FSW_C3 : 0) | (q & 1 ? FSW_C1 : 0));
    return BODY_NEXT;
}
FPU_OP(fprem) { return remainder_step(c, i, false); }
FPU_OP(fprem1) { return remainder_step(c, i, true); }
