/* Sine, cosine, tangent, arctangent, exponential and logarithms in the 80-bit format, computed in integers so that every
 * host gives the same bits.
 *
 * Each function is a series in 128-bit arithmetic, rounded once by the rounding control: the result is within a hair over
 * half a unit of the last place, where Intel promises less than one unit (SDM vol. 1 8.3.10). The argument of sine, cosine
 * and tangent is reduced with a pi of 66 significant bits, as SDM vol. 1 8.3.8 documents and programs can see: near
 * multiples of pi the results are those of the reduced argument, not of the real sine. Special operands: SDM vol. 2, tables
 * of each instruction. */
#include "cpu/softfloat_wide.h"

enum { TRIG_LIMIT = F80_BIAS + 63 };

/* Horner: sum of terms[k] * (-x)^k or x^k, Q1.127; x Q0.128. */
static u128 series(const struct pair *terms, unsigned n, u128 x, bool alternate)
{
    u128 p = pair_value(terms[--n]);
    while (n--) {
        u128 t = mulhi(p, x);
        p = alternate ? pair_value(terms[n]) - t : pair_value(terms[n]) + t;
    }
    return p;
}

/* ---- sine, cosine, tangent */

/* x = quadrant * pi66 / 2 + r, |r| at most pi66 / 4. Exact. */
static struct wide reduce(struct f80 x, unsigned *quadrant)
{
    struct wide w = wide_from(x);
    *quadrant = 0;
    if (w.exp < -1) return w;
    const u128 half_pi = (u128)3 << 64 | 0x243f6a8885a308d3;  /* pi66 / 2 in units of 2^-65: 3243F6A8885A308D3h */
    u128 n = (w.m >> 64) << (w.exp + 2);
    u128 q = n / half_pi, r = n - q * half_pi;
    bool sign = w.sign;
    if (r > half_pi >> 1) {
        r = half_pi - r;
        q++;
        sign = !sign;
    }
    *quadrant = w.sign ? -(unsigned)q & 3 : (unsigned)q & 3;
    return wide_norm(sign, 62, r);
}

static u128 squared(struct wide r)
{
    u128 f = wide_fixed(r, 128);
    return mulhi(f, f);
}

/* For |r| <= pi / 4. Both stay a hair below the true value, as the functions of tiny arguments do. */
static struct wide sin_reduced(struct wide r)
{
    u128 p = series(sin_terms, 14, squared(r), true) - 1;
    return wide_norm(r.sign, r.exp + 1, mulhi(r.m, p));
}

static struct wide cos_reduced(struct wide r)
{
    return wide_norm(false, 0, series(cos_terms, 14, squared(r), true) - 1);
}

static struct wide sin_quadrant(struct wide r, unsigned quadrant)
{
    struct wide v = quadrant & 1 ? cos_reduced(r) : sin_reduced(r);
    if (quadrant & 2) v.sign = !v.sign;
    return v;
}

/* Answers NaN, infinity, zero, denormal and out-of-range arguments: true if *x is the result. */
static bool trig_special(struct f80 *x, bool *in_range, struct f80 at_zero, struct sf *s)
{
    *in_range = true;
    if (f80_is_nan(*x)) *x = f80_nan_result(*x, *x, s);
    else if (f80_is_inf(*x)) *x = f80_invalid(s);
    else if (f80_is_zero(*x)) *x = at_zero;
    else if (f80_exp(*x) >= TRIG_LIMIT) *in_range = false;
    else return f80_denormal_stops(*x, *x, s);
    return true;
}

struct f80 f80_sin(struct f80 x, bool *in_range, struct sf *s)
{
    if (trig_special(&x, in_range, x, s)) return x;
    unsigned quadrant;
    struct wide r = reduce(x, &quadrant);
    return wide_round(sin_quadrant(r, quadrant), s);
}

struct f80 f80_cos(struct f80 x, bool *in_range, struct sf *s)
{
    if (trig_special(&x, in_range, f80_make(false, F80_BIAS, F80_TOP), s)) return x;
    unsigned quadrant;
    struct wide r = reduce(x, &quadrant);
    return wide_round(sin_quadrant(r, quadrant + 1), s);
}

struct f80 f80_tan(struct f80 x, bool *in_range, struct sf *s)
{
    if (trig_special(&x, in_range, x, s)) return x;
    unsigned quadrant;
    struct wide r = reduce(x, &quadrant);
    struct wide v = r;                                        /* tiny: a hair above r, or below its reciprocal */
    if (r.exp >= -60) {
        struct wide sn = sin_reduced(r), cs = cos_reduced(r);
        v = quadrant & 1 ? wide_div(cs, sn) : wide_div(sn, cs);
    } else if (quadrant & 1) {
        v = wide_div((struct wide){ (u128)1 << 127, 0, false }, r);
        v = wide_norm(v.sign, v.exp, v.m - 16);
    }
    if (quadrant & 1) v.sign = !v.sign;
    return wide_round(v, s);
}

/* ---- arctangent */

/* atan(t) for 0 < t <= 1. The table takes t to within 1/64 of a multiple of 1/32. */
static struct wide atan_unit(struct wide t)
{
    u128 fixed = t.exp == 0 ? (u128)1 << 127 : wide_fixed(t, 127);
    unsigned k = (unsigned)((fixed + ((u128)1 << 121)) >> 122);
    struct wide u = t;
    bool minus = false;
    if (k) {
        u128 c = (u128)k << 122;
        minus = fixed < c;
        u128 top = minus ? c - fixed : fixed - c;
        if (!top) return wide_norm(false, 0, pair_value(atan_table[k]));
        /* 1 + t c below 2 unless both are 1, which has no top. */
        u128 bottom = ((u128)1 << 127) + (mulhi(fixed, c) << 1);
        u = wide_div(wide_norm(false, 0, top), wide_norm(false, 0, bottom));
    }
    u128 p = series(odd_terms, 9, squared(u), true) - 1;
    struct wide a = wide_norm(false, u.exp + 1, mulhi(u.m, p));
    if (!k) return a;
    u128 base = pair_value(atan_table[k]), delta = wide_fixed(a, 127);
    return wide_norm(false, 0, minus ? base - delta : base + delta);
}

/* k * pi / 4, rounded, with the sign. */
static struct f80 quarter_pis(unsigned k, bool sign, struct sf *s)
{
    struct wide w = { pair_value(pi), 1, sign };
    if (k == 3) w = wide_norm(sign, 1, (pair_value(pi) >> 2) * 3);
    else w.exp -= k == 2 ? 1 : k == 1 ? 2 : 0;
    return wide_round(w, s);
}

struct f80 f80_atan2(struct f80 y, struct f80 x, struct sf *s)
{
    if (f80_is_nan(x) || f80_is_nan(y)) return f80_nan_result(x, y, s);
    bool sign = f80_sign(y), left = f80_sign(x);
    if (f80_denormal_stops(x, y, s)) return y;
    if (f80_is_inf(y)) return quarter_pis(f80_is_inf(x) ? (left ? 3 : 1) : 2, sign, s);
    if (f80_is_inf(x) || f80_is_zero(y)) return left ? quarter_pis(4, sign, s) : f80_zero(sign);
    if (f80_is_zero(x)) return quarter_pis(2, sign, s);

    struct wide wy = wide_from(y), wx = wide_from(x);
    wy.sign = wx.sign = false;
    bool steep = wy.exp > wx.exp || (wy.exp == wx.exp && wy.m > wx.m);
    struct wide t = steep ? wide_div(wx, wy) : wide_div(wy, wx);
    if (wy.exp == wx.exp && wy.m == wx.m) t = (struct wide){ (u128)1 << 127, 0, false };
    else if (t.exp >= 0) t = (struct wide){ ~(u128)0, -1, false };
    struct wide a = t.exp < -66 ? wide_norm(false, t.exp, t.m - 16) : atan_unit(t);   /* tiny: a hair below it */
    if (steep || left) {
        u128 base = steep ? pair_value(pi) >> 1 : pair_value(pi), delta = wide_fixed(a, 126);
        a = wide_norm(false, 1, steep && left ? base + delta : base - delta);
    }
    a.sign = sign;
    return wide_round(a, s);
}

/* ---- exponential and logarithms */
struct f80 f80_2xm1(struct f80 x, struct sf *s)
{
    if (f80_is_nan(x)) return f80_nan_result(x, x, s);
    if (f80_is_inf(x)) return f80_sign(x) ? f80_make(true, F80_BIAS, F80_TOP) : x;
    if (f80_is_zero(x)) return x;
    if (f80_denormal_stops(x, x, s)) return x;
    if (f80_exp(x) >= F80_BIAS) {
        if (x.mant == F80_TOP && f80_exp(x) == F80_BIAS)
            return f80_sign(x) ? f80_make(true, F80_BIAS - 1, F80_TOP) : x;
        s->flags |= SF_PE;                                    /* |x| > 1: undefined; measured on an AMD EPYC */
        return x;
    }
    struct wide w = wide_from(x);
    struct wide t = wide_norm(w.sign, w.exp, mulhi(w.m, pair_value(ln2)));
    u128 p = series(exp_terms, 24, wide_fixed(t, 128), w.sign);
    return wide_round(wide_norm(w.sign, t.exp + 1, mulhi(t.m, p)), s);
}

/* log2((1 + s) / (1 - s)) = 2 / ln 2 * (s + s^3 / 3 + ...), |s| below 0.172. */
static struct wide log2_series(struct wide r)
{
    u128 p = series(odd_terms, 18, squared(r), false);
    struct wide w = wide_norm(r.sign, r.exp + 1, mulhi(r.m, p));
    return wide_norm(w.sign, w.exp + 2, mulhi(w.m, pair_value(two_over_ln2)));
}

/* log2 of a positive number; *exact for powers of two. A zero has m == 0. */
static struct wide log2_wide(struct wide v, bool *exact)
{
    const u128 one = (u128)1 << 127;
    int32_t e = v.exp;
    *exact = v.m == one;
    struct wide l = { 0, 0, false };
    if (v.m > (u128)0xb504f333f9de6484 << 64) {               /* over the square root of 2: m / 2 is nearer to one */
        u128 half = v.m >> 1;
        e++;
        l = log2_series(wide_div(wide_norm(true, 0, one - half), wide_norm(false, 0, one + half)));
    } else if (!*exact) {
        u128 f = v.m - one;                                   /* (m - 1) / (m + 1) */
        l = log2_series(wide_div(wide_norm(false, 0, f), wide_norm(false, 1, one + (f >> 1))));
    }
    if (e == 0) return l;
    u128 whole = (u128)(uint32_t)(e < 0 ? -e : e) << 108, part = *exact ? 0 : wide_fixed(l, 108);
    return wide_norm(e < 0, 19, (e < 0) == l.sign ? whole + part : whole - part);
}

/* y times a logarithm. */
static struct f80 times_log(struct f80 y, struct wide l, bool exact, struct sf *s)
{
    struct wide wy = wide_from(y);
    if (!exact) return wide_round(wide_mul(wy, l), s);
    s->flags |= SF_PE;                                        /* measured: exact results are called inexact, too */
    /* A whole number: a product of 64 and 15 bits. */
    u128 p = (wy.m >> 64) * (l.m >> 64);
    struct wide w = wide_norm(wy.sign != l.sign, wy.exp + l.exp + 1, p);
    uint8_t prec = s->prec;
    s->prec = 64;
    struct f80 r = f80_round_pack(w.sign, w.exp + F80_BIAS, (uint64_t)(w.m >> 64), (uint64_t)w.m, s);
    s->prec = prec;
    if (!f80_exp(r)) s->flags |= SF_UE;
    return r;
}

struct f80 f80_yl2x(struct f80 x, struct f80 y, struct sf *s)
{
    if (f80_is_nan(x) || f80_is_nan(y)) return f80_nan_result(x, y, s);
    bool sign = f80_sign(y);
    if (f80_is_zero(x)) {
        if (f80_is_zero(y)) return f80_invalid(s);
        if (!f80_is_inf(y)) s->flags |= SF_ZE;
        return f80_inf(!sign);
    }
    if (f80_sign(x)) return f80_invalid(s);
    bool one = f80_exp(x) == F80_BIAS && x.mant == F80_TOP, below = f80_exp(x) < F80_BIAS;
    if ((f80_is_inf(x) && f80_is_zero(y)) || (one && f80_is_inf(y))) return f80_invalid(s);
    if (f80_denormal_stops(x, y, s)) return y;
    if (f80_is_inf(x)) return f80_inf(sign);
    if (f80_is_inf(y)) return f80_inf(sign != below);
    if (one || f80_is_zero(y)) return f80_zero(sign != below);
    bool exact;
    struct wide l = log2_wide(wide_from(x), &exact);
    return times_log(y, l, exact, s);
}

struct f80 f80_yl2xp1(struct f80 x, struct f80 y, struct sf *s)
{
    if (f80_is_nan(x) || f80_is_nan(y)) return f80_nan_result(x, y, s);
    bool sign = f80_sign(x) != f80_sign(y);
    if ((f80_is_zero(x) && f80_is_inf(y)) || (f80_is_inf(x) && (f80_is_zero(y) || f80_sign(x)))) return f80_invalid(s);
    if (f80_denormal_stops(x, y, s)) return y;
    if (f80_is_inf(x) || f80_is_inf(y)) return f80_inf(sign);
    if (f80_is_zero(x) || f80_is_zero(y)) return f80_zero(sign);
    if (f80_sign(x) && f80_exp(x) >= F80_BIAS) {              /* x <= -1: undefined; measured on an AMD EPYC */
        s->flags |= SF_PE;
        return x;
    }
    struct wide w = wide_from(x);
    const u128 one = (u128)1 << 127;
    if (w.exp < -2) {
        /* x / (2 + x), with 2 + x as Q2.126 */
        u128 part = wide_fixed(w, 126), sum = w.sign ? one - part : one + part;
        return times_log(y, log2_series(wide_div(w, wide_norm(false, 1, sum))), false, s);
    }
    struct wide sum;
    if (w.exp >= 64) {
        sum = w;                                              /* far outside the documented range */
    } else if (w.sign) {
        sum = wide_norm(false, 0, one - wide_fixed(w, 127));
    } else {
        int32_t frac = 126 - (w.exp < 0 ? 0 : w.exp);
        sum = wide_norm(false, 127 - frac, wide_fixed(w, frac) + ((u128)1 << frac));
    }
    bool exact;
    struct wide l = log2_wide(sum, &exact);
    if (exact && w.exp >= 64) exact = false;
    return times_log(y, l, exact, s);
}
