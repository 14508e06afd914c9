/* Conversions between the 80-bit format and the 32- and 64-bit formats, integers and packed decimal.
 *
 * Loads are exact. Stores round to the destination's own precision whatever the precision control says, and denormalise
 * at the destination's exponent range (SDM vol. 1 4.8.3, 8.5). */
#include "cpu/softfloat_core.h"

/* frac: the format's fraction bits. sign, exponent and fraction of v, left to the caller to classify. */
static struct f80 widen(bool sign, unsigned exp, uint64_t frac, unsigned exp_max, unsigned frac_bits)
{
    const int32_t rebias = F80_BIAS - (int32_t)(exp_max >> 1);
    uint64_t mant = frac << (63 - frac_bits);
    if (exp == exp_max) return f80_make(sign, F80_EXP_MAX, F80_TOP | mant);
    if (exp) return f80_make(sign, exp + (unsigned)rebias, F80_TOP | mant);
    if (!mant) return f80_zero(sign);
    unsigned shift = clz64(mant);
    return f80_make(sign, (unsigned)(1 + rebias - (int32_t)shift), mant << shift);
}

struct f80 f80_operand_f32(uint32_t v)
{
    return widen(v >> 31, v >> 23 & 0xff, v & 0x7fffff, 0xff, 23);
}

struct f80 f80_operand_f64(uint64_t v)
{
    return widen(v >> 63, v >> 52 & 0x7ff, v & 0xfffffffffffffull, 0x7ff, 52);
}

struct f80 f80_from_f32(uint32_t v, struct sf *s)
{
    struct f80 r = f80_operand_f32(v);
    if (f80_is_snan(r) && !s->early) {
        s->flags |= SF_IE;
        r.mant |= F80_QUIET;
    } else if (!(v >> 23 & 0xff) && v & 0x7fffff) {
        s->flags |= SF_DE;
    }
    return r;
}

struct f80 f80_from_f64(uint64_t v, struct sf *s)
{
    struct f80 r = f80_operand_f64(v);
    if (f80_is_snan(r) && !s->early) {
        s->flags |= SF_IE;
        r.mant |= F80_QUIET;
    } else if (!(v >> 52 & 0x7ff) && v << 12) {
        s->flags |= SF_DE;
    }
    return r;
}

struct f80 f80_from_i64(int64_t v)
{
    if (!v) return f80_zero(false);
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;
    unsigned n = clz64(m);
    return f80_make(v < 0, F80_BIAS + 63 - n, m << n);
}

/* Rounds a finite f80 to a format with frac_bits of fraction. The result is sign, exponent and fraction in the low bits. */
static uint64_t narrow(struct f80 a, unsigned exp_max, unsigned frac_bits, struct sf *s)
{
    const unsigned drop = 63 - frac_bits;                     /* bits of the 64-bit significand that go */
    const int32_t rebias = F80_BIAS - (int32_t)(exp_max >> 1);
    const uint64_t sign = (uint64_t)f80_sign(a), hidden = 1ull << frac_bits;
    const unsigned total = frac_bits;
    const unsigned exp_bits = exp_max == 0xff ? 8 : 11;
    const uint64_t sign_bit = sign << (total + exp_bits);
    if (f80_is_zero(a)) return sign_bit;
    struct sf_num n = f80_unpack(a);
    int32_t exp = n.exp - rebias;

    uint64_t kept = n.mant >> drop, frac = n.mant << (64 - drop);
    bool up = sf_round_up(s->rc, sign, kept & 1, frac);
    uint64_t rounded = kept + up;
    bool carry = rounded >> (frac_bits + 1);
    if (exp + carry < 1) {                                    /* tiny after rounding */
        if (!(s->masks & SF_UE)) {
            s->flags |= SF_UE;                                /* nothing will be stored */
            return sign_bit;
        }
        unsigned shift = (unsigned)(1 - exp) < 64 ? (unsigned)(1 - exp) : 64;
        uint64_t m = shift < 64 ? n.mant >> shift : 0;
        uint64_t lost = shift < 64 ? n.mant << (64 - shift) : n.mant;
        kept = m >> drop;
        frac = m << (64 - drop) | (lost != 0);
        if (frac) {
            s->flags |= SF_UE | SF_PE;
            if (sf_round_up(s->rc, sign, kept & 1, frac)) {
                s->flags |= SF_C1;
                kept++;
            }
        }
        return sign_bit | kept;                               /* a carry into the exponent field is right */
    }
    if (carry) {
        rounded >>= 1;
        exp++;
    }
    if (exp >= (int32_t)exp_max) {
        s->flags |= SF_OE;
        if (!(s->masks & SF_OE)) return sign_bit;
        s->flags |= SF_PE;
        if (s->rc == SF_NEAREST || s->rc == (sign ? SF_DOWN : SF_UP)) {
            s->flags |= SF_C1;
            return sign_bit | (uint64_t)exp_max << frac_bits;
        }
        return sign_bit | (((uint64_t)exp_max << frac_bits) - 1);
    }
    if (frac) s->flags |= SF_PE;
    if (up) s->flags |= SF_C1;
    return sign_bit | (uint64_t)exp << frac_bits | (rounded & (hidden - 1));
}

uint32_t f80_to_f32(struct f80 a, struct sf *s)
{
    if (f80_is_nan(a) && (!s->early || f80_is_unsupported(a))) a = f80_nan_result(a, a, s);
    if (f80_exp(a) == F80_EXP_MAX) return (uint32_t)f80_sign(a) << 31 | 0x7f800000 | (uint32_t)(a.mant << 1 >> 41);
    return (uint32_t)narrow(a, 0xff, 23, s);
}

uint64_t f80_to_f64(struct f80 a, struct sf *s)
{
    if (f80_is_nan(a) && (!s->early || f80_is_unsupported(a))) a = f80_nan_result(a, a, s);
    if (f80_exp(a) == F80_EXP_MAX) return (uint64_t)f80_sign(a) << 63 | 0x7ffull << 52 | a.mant << 1 >> 12;
    return narrow(a, 0x7ff, 52, s);
}

/* Magnitude as an integer, rounded; *fits false at 2^64 and above, for NaN and infinity. */
static uint64_t to_magnitude(struct f80 a, unsigned rc, bool *fits, bool *inexact, bool *up)
{
    int32_t e = f80_exp(a) - F80_BIAS;
    *inexact = *up = false;
    *fits = true;
    if (f80_is_zero(a)) return 0;
    if (f80_is_nan(a) || e > 63) {
        *fits = false;
        return 0;
    }
    if (e == 63) return a.mant;
    uint64_t whole = e < 0 ? 0 : a.mant >> (63 - e);
    uint64_t frac = e < -1 ? 1 : e == -1 ? a.mant : a.mant << (e + 1);
    *inexact = frac != 0;
    *up = sf_round_up(rc, f80_sign(a), whole & 1, frac);
    return whole + *up;
}

int64_t f80_to_int(struct f80 a, unsigned bits, bool chop, struct sf *s)
{
    bool fits, inexact, up, sign = f80_sign(a);
    uint64_t m = to_magnitude(a, chop ? SF_CHOP : s->rc, &fits, &inexact, &up);
    uint64_t limit = 1ull << (bits - 1);
    if (!fits || m > limit || (m == limit && !sign)) {
        s->flags |= SF_IE;
        return (int64_t)-limit;
    }
    if (inexact) s->flags |= SF_PE;
    if (up) s->flags |= SF_C1;
    return (int64_t)(sign ? -m : m);
}

void f80_to_bcd(struct f80 a, uint8_t bcd[10], struct sf *s)
{
    bool fits, inexact, up;
    uint64_t m = to_magnitude(a, s->rc, &fits, &inexact, &up);
    if (!fits || m > 999999999999999999ull) {
        s->flags |= SF_IE;
        for (unsigned k = 0; k < 7; k++) bcd[k] = 0;
        bcd[7] = 0xc0;
        bcd[8] = bcd[9] = 0xff;
        return;
    }
    if (inexact) s->flags |= SF_PE;
    if (up) s->flags |= SF_C1;
    for (unsigned k = 0; k < 9; k++) {
        unsigned two = (unsigned)(m % 100);
        m /= 100;
        bcd[k] = (uint8_t)(two / 10 << 4 | two % 10);
    }
    bcd[9] = f80_sign(a) ? 0x80 : 0;
}

struct f80 f80_from_bcd(const uint8_t bcd[10])
{
    uint64_t m = 0;
    for (unsigned k = 9; k-- > 0;) m = m * 100 + (bcd[k] >> 4) * 10u + (bcd[k] & 15);
    struct f80 r = f80_from_i64((int64_t)m);
    r.se |= (uint16_t)((bcd[9] & 0x80) << 8);
    return r;
}
