/* x87 transcendental instructions: FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1.
 *
 * SDM vol. 1 8.3.7. The functions themselves are in softfloat_trans.c; here are the stack, C2, and what an unmasked
 * exception keeps from being stored. FPTAN pushes 1.0 and FSINCOS the cosine, so both can overflow the stack. */
#include "cpu/fpu.h"

static enum status store_top(struct cpu *c, struct f80 r, const struct sf *s)
{
    fpu_raise(c, s->flags);
    if (!sf_no_result(s)) fpu_set(c, 0, r);
    return BODY_NEXT;
}

/* ST(0) = f(ST(0)); C2 where the argument is out of range. */
static enum status trig(struct cpu *c, const struct insn *i, struct f80 (*f)(struct f80, bool *, struct sf *))
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    c->fsw &= (uint16_t)~FSW_C2;
    if (fpu_empty(c, 0)) {
        if (fpu_underflow(c)) fpu_set(c, 0, f80_indefinite());
        return BODY_NEXT;
    }
    struct sf s = fpu_env(c);
    bool in_range;
    struct f80 r = f(fpu_st(c, 0), &in_range, &s);
    if (!in_range) {
        c->fsw |= FSW_C2;
        fpu_raise(c, 0);
        return BODY_NEXT;
    }
    return store_top(c, r, &s);
}
FPU_OP(fsin) { return trig(c, i, f80_sin); }
FPU_OP(fcos) { return trig(c, i, f80_cos); }

/* FSINCOS and FPTAN replace ST(0) and push a second value. */
static enum status trig_pair(struct cpu *c, const struct insn *i, bool tangent)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    c->fsw &= (uint16_t)~FSW_C2;
    bool empty = fpu_empty(c, 0);
    if (empty || !fpu_empty(c, 7)) {
        if (empty ? fpu_underflow(c) : fpu_overflow(c)) {
            fpu_set(c, 0, f80_indefinite());
            fpu_push(c, f80_indefinite());
        }
        return BODY_NEXT;
    }
    struct sf s = fpu_env(c), second_env = s;
    bool in_range;
    struct f80 x = fpu_st(c, 0), first = tangent ? f80_tan(x, &in_range, &s) : f80_sin(x, &in_range, &s);
    struct f80 second = f80_make(false, F80_BIAS, F80_TOP);
    if (!in_range) {
        c->fsw |= FSW_C2;
        fpu_raise(c, 0);
        return BODY_NEXT;
    }
    if (f80_is_nan(first)) {
        second = first;
    } else if (!tangent) {
        second = f80_cos(x, &in_range, &second_env);
        s.flags = (uint16_t)((s.flags & ~SF_C1) | second_env.flags);
    }
    fpu_raise(c, s.flags);
    if (sf_no_result(&s)) return BODY_NEXT;
    fpu_set(c, 0, first);
    fpu_push(c, second);
    return BODY_NEXT;
}
FPU_OP(fsincos) { return trig_pair(c, i, false); }
FPU_OP(fptan) { return trig_pair(c, i, true); }

FPU_OP(f2xm1)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0)) {
        if (fpu_underflow(c)) fpu_set(c, 0, f80_indefinite());
        return BODY_NEXT;
    }
    struct sf s = fpu_env(c);
    struct f80 r = f80_2xm1(fpu_st(c, 0), &s);
    return store_top(c, r, &s);
}

/* ST(1) = f(ST(0), ST(1)), then pop. */
static enum status two_operands(struct cpu *c, const struct insn *i, struct f80 (*f)(struct f80, struct f80, struct sf *),
                                bool st1_first)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    if (fpu_empty(c, 0) || fpu_empty(c, 1)) {
        if (fpu_underflow(c)) {
            fpu_set(c, 1, f80_indefinite());
            fpu_pop(c);
        }
        return BODY_NEXT;
    }
    struct sf s = fpu_env(c);
    struct f80 a = fpu_st(c, 0), b = fpu_st(c, 1), r = st1_first ? f(b, a, &s) : f(a, b, &s);
    fpu_raise(c, s.flags);
    if (sf_no_result(&s)) return BODY_NEXT;
    fpu_set(c, 1, r);
    fpu_pop(c);
    return BODY_NEXT;
}
FPU_OP(fpatan) { return two_operands(c, i, f80_atan2, true); }
FPU_OP(fyl2x) { return two_operands(c, i, f80_yl2x, false); }
FPU_OP(fyl2xp1) { return two_operands(c, i, f80_yl2xp1, false); }
