/* 80-bit add, subtract, multiply, divide, square root, and rounding at the ends of the exponent range.
 *
 * SDM vol. 1 4.9.1 and 8.5. The order of checks is the chip's: unsupported encodings and signaling NaNs, quiet NaNs, other
 * invalid operations and division by zero, denormal operands, then what rounding brings. An unmasked denormal exception
 * ends the operation before that last step.
 *
 * The 8087 and 80287 close the numbers with one infinity or with two, as FCW bit 12 says, and know one kind of NaN (80287
 * Programmer's Reference Manual 1987, tables 1-12 and 1-17); `projective` and `early` of struct sf select that. */
#include "cpu/softfloat_core.h"

struct f80 f80_nan_result(struct f80 a, struct f80 b, struct sf *s)
{
    if (f80_is_unsupported(a) || f80_is_unsupported(b)) return f80_invalid(s);
    bool na = f80_is_nan(a), nb = f80_is_nan(b);
    bool sna = f80_is_snan(a) && !s->early, snb = f80_is_snan(b) && !s->early;
    if (s->early) s->flags |= SF_IE;
    if (sna || snb) s->flags |= SF_IE;
    struct f80 r;
    if (!nb) r = a;
    else if (!na) r = b;
    else if (sna != snb) r = sna ? b : a;                     /* SDM table 4-7: the quiet one */
    else if (a.mant != b.mant) r = a.mant > b.mant ? a : b;   /* the larger significand */
    else r = a.se < b.se ? a : b;                             /* measured: the positive one */
    if (!s->early) r.mant |= F80_QUIET;
    return r;
}

/* Overflow and underflow. The exponent is at most 1 or at least 7FFEh before rounding. */
struct f80_result f80_round_far(bool sign, int32_t exp, uint64_t hi, uint64_t lo, unsigned control)
{
    const unsigned rc = control >> 10 & 3;
    const uint64_t ulp = sf_ulp(control);
    const uint32_t sign_bit = (uint32_t)sign << 15;
    uint64_t frac = sf_frac(hi, lo, control), kept = hi & -ulp;
    bool up = sf_round_up(rc, sign, kept & ulp, frac);
    uint64_t rounded = kept + (up ? ulp : 0);
    bool carry = up && !rounded;
    uint32_t flags = 0;

    if (exp + carry < 1) {                                    /* tiny, as seen after rounding */
        if (control & SF_UE) {
            unsigned shift = (unsigned)(1 - exp);
            if (shift < 64) {
                lo = hi << (64 - shift) | (lo != 0);
                hi >>= shift;
            } else {
                lo = shift == 64 ? hi | (lo != 0) : 1;
                hi = 0;
            }
            frac = sf_frac(hi, lo, control);
            hi &= -ulp;
            if (frac) {
                flags = SF_UE | SF_PE;
                if (sf_round_up(rc, sign, hi & ulp, frac)) {
                    flags |= SF_C1;
                    hi += ulp;
                }
            }
            return (struct f80_result){ hi, sign_bit | (uint32_t)(hi >> 63), flags };
        }
        flags = SF_UE;
        exp += F80_WRAP;
    }
    if (carry) {
        rounded = F80_TOP;
        exp++;
    }
    if (exp >= F80_EXP_MAX) {
        flags |= SF_OE;
        if (control & SF_OE) {
            flags |= SF_PE;
            if (rc == SF_NEAREST || rc == (sign ? SF_DOWN : SF_UP))
                return (struct f80_result){ F80_TOP, sign_bit | F80_EXP_MAX, flags | SF_C1 };
            return (struct f80_result){ -ulp, sign_bit | (F80_EXP_MAX - 1), flags };
        }
        exp -= F80_WRAP;
    }
    if (frac) flags |= SF_PE;
    if (up) flags |= SF_C1;
    /* No product or quotient of two numbers leaves the range after wrapping; FSCALE checks before it comes here. */
    return (struct f80_result){ rounded, sign_bit | ((uint32_t)exp & 0x7fff), flags };
}

static struct f80 add_signed(struct f80 a, struct f80 b, bool negate, struct sf *s)
{
    if (f80_is_normal(a) && f80_is_normal(b))
        return f80_take(f80_add_core(a.mant, a.se, b.mant, b.se ^ (negate ? 0x8000u : 0), sf_control(s)), s);
    if (f80_is_nan(a) || f80_is_nan(b)) return f80_nan_result(a, b, s);
    bool sa = f80_sign(a), sb = f80_sign(b) != negate;
    if (f80_is_inf(a) && f80_is_inf(b)) return sa == sb && !s->projective ? a : f80_invalid(s);
    if (f80_denormal_stops(a, b, s)) return a;
    if (f80_is_inf(a)) return a;
    if (f80_is_inf(b)) return f80_inf(sb);
    if (f80_is_zero(a) && f80_is_zero(b)) return f80_zero(sa == sb ? sa : s->rc == SF_DOWN);
    struct sf_num na = f80_unpack(a), nb = f80_unpack(b);
    nb.sign = sb;
    if (f80_is_zero(b)) return f80_round_pack(na.sign, na.exp, na.mant, 0, s);
    if (f80_is_zero(a)) return f80_round_pack(nb.sign, nb.exp, nb.mant, 0, s);
    /* A denormal sum: align at exponent 1 and above, where a carry or cancellation cannot lose bits. */
    if (na.exp < 1 || nb.exp < 1) {
        uint64_t ma = a.mant, mb = b.mant;
        int32_t ea = f80_exp(a) ? f80_exp(a) : 1, eb = f80_exp(b) ? f80_exp(b) : 1;
        bool sx = na.sign, sy = sb;
        if (ea < eb || (ea == eb && ma < mb)) {
            uint64_t m = ma;
            int32_t e = ea;
            ma = mb, ea = eb, mb = m, eb = e;
            sx = sb, sy = na.sign;
        }
        unsigned d = (unsigned)(ea - eb);
        u128 x = (u128)ma << 64, y = d < 64 ? (u128)mb << 64 >> d : d < 128 ? (u128)mb << 64 >> d | 1 : 1;
        unsigned carry = 0;
        if (sx == sy) {
            u128 sum = x + y;
            if (sum < x) {
                carry = 1;
                sum = sum >> 1 | (sum & 1) | (u128)1 << 127;
            }
            x = sum;
        } else {
            x -= y;
            if (!x) return f80_zero(s->rc == SF_DOWN);
        }
        int32_t exp = ea + (int32_t)carry;
        unsigned n = x >> 64 ? clz64((uint64_t)(x >> 64)) : 64 + clz64((uint64_t)x);
        x <<= n;
        return f80_round_pack(sx, exp - (int32_t)n, (uint64_t)(x >> 64), (uint64_t)x, s);
    }
    a = f80_make(na.sign, (unsigned)na.exp, na.mant);         /* pseudo-denormals */
    b = f80_make(nb.sign, (unsigned)nb.exp, nb.mant);
    return f80_take(f80_add_core(a.mant, a.se, b.mant, b.se, sf_control(s)), s);
}

struct f80 f80_add(struct f80 a, struct f80 b, struct sf *s) { return add_signed(a, b, false, s); }
struct f80 f80_sub(struct f80 a, struct f80 b, struct sf *s) { return add_signed(a, b, true, s); }

struct f80 f80_mul(struct f80 a, struct f80 b, struct sf *s)
{
    if (f80_is_normal(a) && f80_is_normal(b))
        return f80_take(f80_mul_core(a.mant, a.se, b.mant, b.se, sf_control(s)), s);
    if (f80_is_nan(a) || f80_is_nan(b)) return f80_nan_result(a, b, s);
    bool sign = f80_sign(a) != f80_sign(b);
    if ((f80_is_inf(a) && f80_is_zero(b)) || (f80_is_zero(a) && f80_is_inf(b))) return f80_invalid(s);
    if (f80_denormal_stops(a, b, s)) return a;
    if (f80_is_inf(a) || f80_is_inf(b)) return f80_inf(sign);
    if (f80_is_zero(a) || f80_is_zero(b)) return f80_zero(sign);
    struct sf_num na = f80_unpack(a), nb = f80_unpack(b);
    u128 p = (u128)na.mant * nb.mant;
    int32_t exp = na.exp + nb.exp - (F80_BIAS - 1);
    if (!(p >> 127)) p <<= 1, exp--;
    return f80_round_pack(sign, exp, (uint64_t)(p >> 64), (uint64_t)p, s);
}

struct f80 f80_div(struct f80 a, struct f80 b, struct sf *s)
{
    if (f80_is_normal(a) && f80_is_normal(b))
        return f80_take(f80_div_core(a.mant, a.se, b.mant, b.se, sf_control(s)), s);
    if (f80_is_nan(a) || f80_is_nan(b)) return f80_nan_result(a, b, s);
    bool sign = f80_sign(a) != f80_sign(b);
    if ((f80_is_inf(a) && f80_is_inf(b)) || (f80_is_zero(a) && f80_is_zero(b))) return f80_invalid(s);
    if (f80_is_zero(b) && !f80_is_inf(a)) {                   /* has precedence over a denormal dividend */
        s->flags |= SF_ZE;
        return f80_inf(sign);
    }
    if (f80_denormal_stops(a, b, s)) return a;
    if (f80_is_inf(a)) return f80_inf(sign);
    if (f80_is_inf(b) || f80_is_zero(a)) return f80_zero(sign);
    struct sf_num na = f80_unpack(a), nb = f80_unpack(b);
    uint64_t hi, lo;
    int32_t exp = na.exp - nb.exp + F80_BIAS;
    exp -= (int32_t)sf_div_mant(na.mant, nb.mant, &hi, &lo);
    return f80_round_pack(sign, exp, hi, lo, s);
}

/* 1 / sqrt(m / 2^64) for m in [2^62, 2^64) as Q2.30, good to about 28 bits: four Newton steps y = y (3 - m y y) / 2 from
 * a straight line. */
static uint64_t rsqrt_estimate(uint64_t m)
{
    uint64_t x = m >> 32;
    uint64_t y = 2437000000u - x / 3;                         /* 2.27 - 4/3 m */
    for (unsigned k = 0; k < 4; k++) {
        uint64_t t = (y * y >> 30) * x >> 32;                 /* m y y, near 1 */
        y = y * ((3ull << 30) - t) >> 31;
    }
    return y;
}

struct f80_raw f80_sqrt_raw(uint64_t mant, int32_t biased)
{
    /* Radicand of 128 bits, top bit at 127 or 126, so that the root has 64 bits. */
    int32_t e = biased - F80_BIAS;
    u128 rad = e & 1 ? (u128)mant << 64 : (u128)mant << 63;
    int32_t exp = (e - (e & 1)) / 2 + F80_BIAS;
    uint64_t top = (uint64_t)(rad >> 64);
    uint64_t y = rsqrt_estimate(top);
    u128 first = (u128)(top >> 1) * y >> 29;
    uint64_t q = first >> 64 ? ~0ull : (uint64_t)first;
    /* q += (rad - q q) y / 2, twice: the error falls to a few units in the last place. */
    for (unsigned k = 0; k < 2; k++) {
        u128 sq = (u128)q * q;
        if (sq <= rad) {
            uint64_t step = (uint64_t)(((rad - sq) >> 32) * y >> 63);
            q = q + step < q ? ~0ull : q + step;
        } else {
            q -= (uint64_t)(((sq - rad) >> 32) * y >> 63);
        }
    }
    while ((u128)q * q > rad) q--;
    while (rad - (u128)q * q > (u128)q * 2) q++;
    u128 rem = rad - (u128)q * q;
    /* Half-way cannot occur: (q + 1/2)^2 is not an integer. */
    uint64_t lo = !rem ? 0 : rem > q ? F80_TOP | 1 : 1;
    return (struct f80_raw){ q, lo, exp, false };
}

struct f80 f80_sqrt(struct f80 a, struct sf *s)
{
    if (f80_is_nan(a)) return f80_nan_result(a, a, s);
    if (f80_is_zero(a)) return a;
    if (f80_sign(a)) return f80_invalid(s);
    if (f80_is_inf(a)) return s->projective ? f80_invalid(s) : a;
    if (f80_denormal_stops(a, a, s)) return a;
    struct sf_num n = f80_unpack(a);
    struct f80_raw r = f80_sqrt_raw(n.mant, n.exp);
    return f80_round_pack(false, r.exp, r.hi, r.lo, s);
}
