/* 80-bit remainder, rounding to an integer, scaling, taking apart, comparison and class.
 *
 * FPREM and FPREM1 reduce the exponent by at most 63 in one step and say so in C2, so that software can be interrupted
 * between steps (SDM vol. 2, FPREM); the result is always exact. */
#include "cpu/softfloat_core.h"

/* An exact result of any exponent: precision control does not apply. */
static struct f80 pack_exact(bool sign, int32_t exp, uint64_t mant, struct sf *s)
{
    if (!mant) return f80_zero(sign);
    unsigned n = clz64(mant);
    uint8_t prec = s->prec;
    s->prec = 64;
    struct f80 r = f80_round_pack(sign, exp - (int32_t)n, mant << n, 0, s);
    s->prec = prec;
    return r;
}

struct f80 f80_rem(struct f80 a, struct f80 b, bool nearest, unsigned *quotient, bool *partial, struct sf *s)
{
    *quotient = 0;
    *partial = false;
    if (f80_is_nan(a) || f80_is_nan(b)) return f80_nan_result(a, b, s);
    if (f80_is_inf(a) || f80_is_zero(b)) return f80_invalid(s);
    if (f80_denormal_stops(a, b, s)) return a;
    if (f80_is_zero(a)) return a;
    bool sign = f80_sign(a);
    struct sf_num na = f80_unpack(a), nb = f80_unpack(b);
    if (f80_is_inf(b)) return pack_exact(sign, na.exp, na.mant, s);

    int32_t d = na.exp - nb.exp;
    if (d < -1) return pack_exact(sign, na.exp, na.mant, s);
    if (d >= 64) {
        /* Partial: subtract the largest multiple of b * 2^(d-n) with n in 32 to 63. */
        unsigned n = ((unsigned)d & 31) | 32;
        *partial = true;
        u128 x = (u128)na.mant << n;
        uint64_t r = (uint64_t)(x % nb.mant);
        return pack_exact(sign, na.exp - (int32_t)n, r, s);
    }
    uint64_t q = 0, r = na.mant;
    int32_t exp = nb.exp;
    if (d >= 0) {
        u128 x = (u128)na.mant << d;
        q = (uint64_t)(x / nb.mant);                          /* below 2^64: both top bits are set, d <= 63 */
        r = (uint64_t)(x - (u128)q * nb.mant);
    }
    if (nearest) {
        /* d == -1: a is between a quarter of b and b. Compare twice the remainder with b, at b's exponent. */
        bool greater, tie;
        if (d < 0) greater = r > nb.mant, tie = r == nb.mant;
        else greater = r > nb.mant - r, tie = r == nb.mant - r;
        if (greater || (tie && (q & 1))) {
            q++;
            sign = !sign;
            if (d < 0) {
                /* b - a at a's exponent: 2b - a fits, since a > b / 2. */
                exp = na.exp;
                r = nb.mant + (nb.mant - r);
            } else {
                r = nb.mant - r;
            }
        } else if (d < 0) {
            exp = na.exp;
        }
    } else if (d < 0) {
        exp = na.exp;
    }
    *quotient = (unsigned)q & 7;
    if (!r) return f80_zero(f80_sign(a));
    return pack_exact(sign, exp, r, s);
}

struct f80 f80_round(struct f80 a, struct sf *s)
{
    if (f80_is_nan(a)) return f80_nan_result(a, a, s);
    if (f80_is_inf(a) || f80_is_zero(a)) return a;
    if (f80_denormal_stops(a, a, s)) return a;
    int32_t e = f80_exp(a) - F80_BIAS;
    bool sign = f80_sign(a);
    if (e >= 63) return a;
    if (e < 0) {                                              /* below one: zero or one */
        uint64_t frac = e == -1 ? a.mant : 1;
        s->flags |= SF_PE;
        if (!sf_round_up(s->rc, sign, false, frac)) return f80_zero(sign);
        s->flags |= SF_C1;
        return f80_make(sign, F80_BIAS, F80_TOP);
    }
    uint64_t ulp = 1ull << (63 - e), frac = e == 63 ? 0 : a.mant << (e + 1);
    if (!frac) return a;
    s->flags |= SF_PE;
    uint64_t mant = a.mant & -ulp;
    if (sf_round_up(s->rc, sign, mant & ulp, frac)) {
        s->flags |= SF_C1;
        mant += ulp;
        if (!mant) {
            mant = F80_TOP;
            e++;
        }
    }
    return f80_make(sign, (unsigned)(e + F80_BIAS), mant);
}

/* ST(0) * 2^trunc(ST(1)). SDM table 3-33. */
struct f80 f80_scale(struct f80 a, struct f80 b, struct sf *s)
{
    if (f80_is_nan(a) || f80_is_nan(b)) return f80_nan_result(a, b, s);
    bool sign = f80_sign(a);
    if (f80_is_inf(b)) {
        if (s->early) return f80_is_zero(a) ? a : f80_invalid(s);       /* 80287 manual, table 1-12 */
        bool down = f80_sign(b);
        if ((f80_is_inf(a) && down) || (f80_is_zero(a) && !down)) return f80_invalid(s);
        if (f80_denormal_stops(a, a, s)) return a;
        return down ? f80_zero(sign) : f80_inf(sign);
    }
    if (f80_is_inf(a)) {
        f80_denormal_stops(b, b, s);
        return a;
    }
    if (f80_denormal_stops(a, b, s)) return a;
    if (f80_is_zero(a)) return a;
    struct sf_num n = f80_unpack(a);
    int32_t e = f80_exp(b) - F80_BIAS, scale = 0;
    if (e >= 0) {
        /* More than 2^17 leaves the range of any wrapped result. */
        scale = e > 16 ? 0x20000 : (int32_t)(b.mant >> (63 - e));
        if (f80_sign(b)) scale = -scale;
    }
    int32_t exp = n.exp + scale;
    /* A wrapped exponent that is still out of range: infinity or zero (SDM vol. 1 8.5.4, 8.5.5). */
    if (!(s->masks & SF_OE) && exp - F80_WRAP >= F80_EXP_MAX) {
        s->flags |= SF_OE | SF_PE | SF_C1;
        return f80_inf(sign);
    }
    if (!(s->masks & SF_UE) && exp + F80_WRAP < 1) {
        s->flags |= SF_UE | SF_PE;
        return f80_zero(sign);
    }
    uint8_t prec = s->prec;
    s->prec = 64;
    struct f80 r = f80_round_pack(sign, exp, n.mant, 0, s);
    s->prec = prec;
    return r;
}

struct f80 f80_extract(struct f80 a, struct f80 *significand, struct sf *s)
{
    *significand = a;
    if (f80_is_nan(a)) return *significand = f80_nan_result(a, a, s);
    if (f80_is_inf(a)) return s->early ? *significand = f80_invalid(s) : f80_inf(false);
    if (f80_is_zero(a)) {
        if (s->early) return a;                               /* the 387 made it a division by zero */
        s->flags |= SF_ZE;
        return f80_inf(true);
    }
    if (f80_denormal_stops(a, a, s)) return a;
    struct sf_num n = f80_unpack(a);
    *significand = f80_make(n.sign, F80_BIAS, n.mant);
    return f80_from_i64(n.exp - F80_BIAS);
}

int f80_compare(struct f80 a, struct f80 b, bool quiet, struct sf *s)
{
    if (f80_is_nan(a) || f80_is_nan(b)) {
        if (!quiet || f80_is_snan(a) || f80_is_snan(b) || f80_is_unsupported(a) || f80_is_unsupported(b))
            s->flags |= SF_IE;
        return SF_UNORDERED;
    }
    if (f80_is_denormal(a) || f80_is_denormal(b)) s->flags |= SF_DE;
    if (s->projective && (f80_is_inf(a) || f80_is_inf(b))) {
        if (f80_is_inf(a) && f80_is_inf(b)) return SF_EQUAL;
        s->flags |= SF_IE;
        return SF_UNORDERED;
    }
    if (!(a.mant | b.mant)) return SF_EQUAL;                  /* +0 and -0 */
    bool sa = f80_sign(a), sb = f80_sign(b);
    if (sa != sb) return sa ? SF_LESS : SF_GREATER;
    int ea = f80_exp(a), eb = f80_exp(b);
    if (ea == 0 && a.mant) ea = 1;                            /* pseudo-denormals equal their normal twins */
    if (eb == 0 && b.mant) eb = 1;
    if (ea == eb && a.mant == b.mant) return SF_EQUAL;
    bool less = ea < eb || (ea == eb && a.mant < b.mant);
    return less != sa ? SF_LESS : SF_GREATER;
}

unsigned f80_class(struct f80 a)
{
    if (f80_is_unsupported(a)) return SF_UNSUPPORTED;
    if (f80_exp(a) == F80_EXP_MAX) return a.mant == F80_TOP ? SF_INFINITY : SF_NAN;
    if (f80_exp(a)) return SF_NORMAL;
    return a.mant ? SF_DENORMAL : SF_ZERO;
}
