/* 32- and 64-bit arithmetic as SSE and SSE2 define it.
 *
 * One set of inline functions takes the format as a constant, so that the compiler makes two of each. A number under way
 * is sign, exponent and a 64-bit significand with its top bit set and a sticky lowest bit. SDM vol. 1 11.5.2, table 4-7:
 * the first NaN operand wins; tininess is detected after rounding; a masked underflow is flagged only if inexact, an
 * unmasked one always. */
#include "cpu/softfloat_core.h"

struct format { unsigned frac_bits, exp_max; };
static const struct format F32 = { 23, 0xff }, F64 = { 52, 0x7ff };
#define FMT_INLINE static inline __attribute__((always_inline))

struct num { uint64_t mant; int32_t exp; bool sign; };        /* exp: biased as the format's */

FMT_INLINE uint64_t fmt_frac(uint64_t v, struct format f) { return v & ((1ull << f.frac_bits) - 1); }
FMT_INLINE unsigned fmt_exp(uint64_t v, struct format f) { return (unsigned)(v >> f.frac_bits) & f.exp_max; }
FMT_INLINE uint64_t fmt_sign_bit(struct format f) { return (f.exp_max + 1ull) << f.frac_bits; }
FMT_INLINE bool fmt_sign(uint64_t v, struct format f) { return (v & fmt_sign_bit(f)) != 0; }
FMT_INLINE uint64_t fmt_inf(struct format f) { return (uint64_t)f.exp_max << f.frac_bits; }
FMT_INLINE uint64_t fmt_quiet(struct format f) { return 1ull << (f.frac_bits - 1); }
FMT_INLINE uint64_t fmt_indefinite(struct format f) { return fmt_sign_bit(f) | fmt_inf(f) | fmt_quiet(f); }
FMT_INLINE bool fmt_is_nan(uint64_t v, struct format f) { return fmt_exp(v, f) == f.exp_max && fmt_frac(v, f); }
FMT_INLINE bool fmt_is_snan(uint64_t v, struct format f) { return fmt_is_nan(v, f) && !(v & fmt_quiet(f)); }
FMT_INLINE bool fmt_is_inf(uint64_t v, struct format f) { return fmt_exp(v, f) == f.exp_max && !fmt_frac(v, f); }
FMT_INLINE bool fmt_is_zero(uint64_t v, struct format f) { return !(v & ~fmt_sign_bit(f)); }
FMT_INLINE bool fmt_is_denormal(uint64_t v, struct format f) { return !fmt_exp(v, f) && fmt_frac(v, f); }

FMT_INLINE uint64_t fmt_invalid(struct format f, struct sf *s)
{
    s->flags |= SF_IE;
    return fmt_indefinite(f);
}

FMT_INLINE uint64_t fmt_nan(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    if (fmt_is_snan(a, f) || fmt_is_snan(b, f)) s->flags |= SF_IE;
    return (fmt_is_nan(a, f) ? a : b) | fmt_quiet(f);
}

/* Denormals become zero under DAZ, before anything looks at them. */
FMT_INLINE uint64_t fmt_daz(uint64_t v, struct format f, const struct sf *s)
{
    return s->daz && fmt_is_denormal(v, f) ? v & fmt_sign_bit(f) : v;
}

FMT_INLINE struct num fmt_unpack(uint64_t v, struct format f)
{
    struct num n = { fmt_frac(v, f) << (63 - f.frac_bits), (int32_t)fmt_exp(v, f), fmt_sign(v, f) };
    if (n.exp) {
        n.mant |= F80_TOP;
    } else if (n.mant) {
        unsigned shift = clz64(n.mant);
        n.mant <<= shift;
        n.exp = 1 - (int32_t)shift;
    }
    return n;
}

FMT_INLINE uint64_t shift_sticky(uint64_t m, unsigned n)
{
    if (!n) return m;
    return n < 64 ? m >> n | (m << (64 - n) != 0) : m != 0;
}

/* mant: top bit set, bit 0 sticky. */
FMT_INLINE uint64_t fmt_pack(bool sign, int32_t exp, uint64_t mant, struct format f, struct sf *s)
{
    const unsigned drop = 63 - f.frac_bits;
    const uint64_t sign_bit = sign ? fmt_sign_bit(f) : 0;
    uint64_t kept = mant >> drop, frac = mant << (64 - drop);
    bool up = sf_round_up(s->rc, sign, kept & 1, frac);
    uint64_t rounded = kept + up;
    unsigned carry = (unsigned)(rounded >> (f.frac_bits + 1));
    if (exp + (int32_t)carry < 1) {
        if (!(s->masks & SF_UE)) {
            s->flags |= SF_UE;
            if (frac) s->flags |= SF_PE;
            return sign_bit;
        }
        if (s->ftz) {                                         /* SDM vol. 1 10.2.3.3 */
            s->flags |= SF_UE | SF_PE;
            return sign_bit;
        }
        mant = shift_sticky(mant, (unsigned)(1 - exp));
        kept = mant >> drop;
        frac = mant << (64 - drop);
        if (frac) {
            s->flags |= SF_UE | SF_PE;
            kept += sf_round_up(s->rc, sign, kept & 1, frac);
        }
        return sign_bit | kept;
    }
    exp += (int32_t)carry;
    rounded >>= carry;
    if (frac) s->flags |= SF_PE;
    if (exp >= (int32_t)f.exp_max) {
        s->flags |= s->masks & SF_OE ? SF_OE | SF_PE : SF_OE;   /* the unmasked response is not inexact by itself */
        if (s->rc == SF_NEAREST || s->rc == (sign ? SF_DOWN : SF_UP)) return sign_bit | fmt_inf(f);
        return sign_bit | (fmt_inf(f) - 1);
    }
    return sign_bit | (uint64_t)exp << f.frac_bits | fmt_frac(rounded, f);
}

/* True: *r is the answer. Otherwise both operands are finite. */
FMT_INLINE bool fmt_denormal_stops(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    if (!fmt_is_denormal(a, f) && !fmt_is_denormal(b, f)) return false;
    s->flags |= SF_DE;
    return !(s->masks & SF_DE);
}

FMT_INLINE uint64_t fmt_add(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s), b = fmt_daz(b, f, s);
    if (fmt_is_nan(a, f) || fmt_is_nan(b, f)) return fmt_nan(a, b, f, s);
    bool sa = fmt_sign(a, f), sb = fmt_sign(b, f);
    if (fmt_is_inf(a, f) && fmt_is_inf(b, f)) return sa == sb ? a : fmt_invalid(f, s);
    if (fmt_denormal_stops(a, b, f, s)) return a;
    if (fmt_is_inf(a, f)) return a;
    if (fmt_is_inf(b, f)) return b;
    if (fmt_is_zero(a, f) && fmt_is_zero(b, f)) return sa == sb ? a : s->rc == SF_DOWN ? fmt_sign_bit(f) : 0;
    struct num x = fmt_unpack(a, f), y = fmt_unpack(b, f);
    if (fmt_is_zero(b, f)) return fmt_pack(x.sign, x.exp, x.mant, f, s);
    if (fmt_is_zero(a, f)) return fmt_pack(y.sign, y.exp, y.mant, f, s);
    if (x.exp < y.exp || (x.exp == y.exp && x.mant < y.mant)) {
        struct num t = x;
        x = y, y = t;
    }
    /* One bit of headroom; 10 or more bits below the fraction hold guard and sticky. */
    uint64_t m = x.mant >> 1, n = shift_sticky(y.mant >> 1, (unsigned)(x.exp - y.exp));
    m = x.sign == y.sign ? m + n : m - n;
    if (!m) return s->rc == SF_DOWN ? fmt_sign_bit(f) : 0;
    unsigned z = clz64(m);
    return fmt_pack(x.sign, x.exp + 1 - (int32_t)z, m << z, f, s);
}

FMT_INLINE uint64_t fmt_sub(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    return fmt_add(a, fmt_is_nan(b, f) ? b : b ^ fmt_sign_bit(f), f, s);
}

FMT_INLINE uint64_t fmt_mul(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s), b = fmt_daz(b, f, s);
    if (fmt_is_nan(a, f) || fmt_is_nan(b, f)) return fmt_nan(a, b, f, s);
    uint64_t sign_bit = (a ^ b) & fmt_sign_bit(f);
    if ((fmt_is_inf(a, f) && fmt_is_zero(b, f)) || (fmt_is_zero(a, f) && fmt_is_inf(b, f))) return fmt_invalid(f, s);
    if (fmt_denormal_stops(a, b, f, s)) return a;
    if (fmt_is_inf(a, f) || fmt_is_inf(b, f)) return sign_bit | fmt_inf(f);
    if (fmt_is_zero(a, f) || fmt_is_zero(b, f)) return sign_bit;
    struct num x = fmt_unpack(a, f), y = fmt_unpack(b, f);
    u128 p = (u128)x.mant * y.mant;
    int32_t exp = x.exp + y.exp - (int32_t)(f.exp_max >> 1) + 1;
    if (!(p >> 127)) p <<= 1, exp--;
    return fmt_pack(sign_bit != 0, exp, (uint64_t)(p >> 64) | ((uint64_t)p != 0), f, s);
}

FMT_INLINE uint64_t fmt_div(uint64_t a, uint64_t b, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s), b = fmt_daz(b, f, s);
    if (fmt_is_nan(a, f) || fmt_is_nan(b, f)) return fmt_nan(a, b, f, s);
    uint64_t sign_bit = (a ^ b) & fmt_sign_bit(f);
    if ((fmt_is_inf(a, f) && fmt_is_inf(b, f)) || (fmt_is_zero(a, f) && fmt_is_zero(b, f))) return fmt_invalid(f, s);
    if (fmt_is_zero(b, f) && !fmt_is_inf(a, f)) {
        s->flags |= SF_ZE;
        return sign_bit | fmt_inf(f);
    }
    if (fmt_denormal_stops(a, b, f, s)) return a;
    if (fmt_is_inf(a, f)) return sign_bit | fmt_inf(f);
    if (fmt_is_inf(b, f) || fmt_is_zero(a, f)) return sign_bit;
    struct num x = fmt_unpack(a, f), y = fmt_unpack(b, f);
    uint64_t hi, lo;
    int32_t exp = x.exp - y.exp + (int32_t)(f.exp_max >> 1);
    exp -= (int32_t)sf_div_mant(x.mant, y.mant, &hi, &lo);
    return fmt_pack(sign_bit != 0, exp, hi | (lo != 0), f, s);
}

FMT_INLINE uint64_t fmt_sqrt(uint64_t a, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s);
    if (fmt_is_nan(a, f)) return fmt_nan(a, a, f, s);
    if (fmt_is_zero(a, f)) return a;
    if (fmt_sign(a, f)) return fmt_invalid(f, s);
    if (fmt_is_inf(a, f)) return a;
    if (fmt_denormal_stops(a, a, f, s)) return a;
    struct num n = fmt_unpack(a, f);
    /* The 80-bit root rounded to odd: chopped, with a sticky bit, is what a second rounding needs. */
    struct sf chop = { .rc = SF_CHOP, .prec = 64, .masks = SF_EXCEPTIONS };
    int32_t e = n.exp - (int32_t)(f.exp_max >> 1);
    struct f80 r = f80_sqrt(f80_make(false, (unsigned)(e + F80_BIAS), n.mant), &chop);
    return fmt_pack(false, f80_exp(r) - F80_BIAS + (int32_t)(f.exp_max >> 1), r.mant | (chop.flags & SF_PE ? 1 : 0), f, s);
}

FMT_INLINE int fmt_compare(uint64_t a, uint64_t b, bool quiet, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s), b = fmt_daz(b, f, s);
    if (fmt_is_nan(a, f) || fmt_is_nan(b, f)) {
        if (!quiet || fmt_is_snan(a, f) || fmt_is_snan(b, f)) s->flags |= SF_IE;
        return SF_UNORDERED;
    }
    if (fmt_is_denormal(a, f) || fmt_is_denormal(b, f)) s->flags |= SF_DE;
    if (fmt_is_zero(a, f) && fmt_is_zero(b, f)) return SF_EQUAL;
    bool sa = fmt_sign(a, f), sb = fmt_sign(b, f);
    if (sa != sb) return sa ? SF_LESS : SF_GREATER;
    if (a == b) return SF_EQUAL;
    return (a < b) != sa ? SF_LESS : SF_GREATER;
}

FMT_INLINE int64_t fmt_to_int(uint64_t a, unsigned bits, bool chop, struct format f, struct sf *s)
{
    a = fmt_daz(a, f, s);                                     /* no DE from conversions to integer */
    struct f80 w = f.frac_bits == 23 ? f80_operand_f32((uint32_t)a) : f80_operand_f64(a);
    s->flags &= (uint16_t)~SF_C1;
    int64_t r = f80_to_int(w, bits, chop, s);
    s->flags &= (uint16_t)~SF_C1;
    return r;
}

FMT_INLINE uint64_t fmt_from_i64(int64_t v, struct format f, struct sf *s)
{
    if (!v) return 0;
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;
    unsigned n = clz64(m);
    return fmt_pack(v < 0, (int32_t)(f.exp_max >> 1) + 63 - (int32_t)n, m << n, f, s);
}

uint32_t f32_add(uint32_t a, uint32_t b, struct sf *s) { return (uint32_t)fmt_add(a, b, F32, s); }
uint32_t f32_sub(uint32_t a, uint32_t b, struct sf *s) { return (uint32_t)fmt_sub(a, b, F32, s); }
uint32_t f32_mul(uint32_t a, uint32_t b, struct sf *s) { return (uint32_t)fmt_mul(a, b, F32, s); }
uint32_t f32_div(uint32_t a, uint32_t b, struct sf *s) { return (uint32_t)fmt_div(a, b, F32, s); }
uint32_t f32_sqrt(uint32_t a, struct sf *s) { return (uint32_t)fmt_sqrt(a, F32, s); }
uint64_t f64_add(uint64_t a, uint64_t b, struct sf *s) { return fmt_add(a, b, F64, s); }
uint64_t f64_sub(uint64_t a, uint64_t b, struct sf *s) { return fmt_sub(a, b, F64, s); }
uint64_t f64_mul(uint64_t a, uint64_t b, struct sf *s) { return fmt_mul(a, b, F64, s); }
uint64_t f64_div(uint64_t a, uint64_t b, struct sf *s) { return fmt_div(a, b, F64, s); }
uint64_t f64_sqrt(uint64_t a, struct sf *s) { return fmt_sqrt(a, F64, s); }
int f32_compare(uint32_t a, uint32_t b, bool quiet, struct sf *s) { return fmt_compare(a, b, quiet, F32, s); }
int f64_compare(uint64_t a, uint64_t b, bool quiet, struct sf *s) { return fmt_compare(a, b, quiet, F64, s); }
int64_t f32_to_int(uint32_t a, unsigned bits, bool chop, struct sf *s) { return fmt_to_int(a, bits, chop, F32, s); }
int64_t f64_to_int(uint64_t a, unsigned bits, bool chop, struct sf *s) { return fmt_to_int(a, bits, chop, F64, s); }
uint32_t f32_from_i64(int64_t v, struct sf *s) { return (uint32_t)fmt_from_i64(v, F32, s); }
uint64_t f64_from_i64(int64_t v, struct sf *s) { return fmt_from_i64(v, F64, s); }

uint64_t f32_to_f64(uint32_t a, struct sf *s)
{
    a = (uint32_t)fmt_daz(a, F32, s);
    bool sign = a >> 31;
    if (fmt_is_nan(a, F32)) {
        if (fmt_is_snan(a, F32)) s->flags |= SF_IE;
        return (uint64_t)sign << 63 | fmt_inf(F64) | fmt_quiet(F64) | fmt_frac(a, F32) << 29;
    }
    if (fmt_is_inf(a, F32)) return (uint64_t)sign << 63 | fmt_inf(F64);
    if (fmt_denormal_stops(a, a, F32, s)) return 0;
    if (fmt_is_zero(a, F32)) return (uint64_t)sign << 63;
    struct num n = fmt_unpack(a, F32);
    return fmt_pack(sign, n.exp + 1023 - 127, n.mant, F64, s);
}

uint32_t f64_to_f32(uint64_t a, struct sf *s)
{
    a = fmt_daz(a, F64, s);
    bool sign = a >> 63;
    if (fmt_is_nan(a, F64)) {
        if (fmt_is_snan(a, F64)) s->flags |= SF_IE;
        return (uint32_t)((uint64_t)sign << 31 | fmt_inf(F32) | fmt_quiet(F32) | fmt_frac(a, F64) >> 29);
    }
    if (fmt_is_inf(a, F64)) return (uint32_t)((uint64_t)sign << 31 | fmt_inf(F32));
    if (fmt_denormal_stops(a, a, F64, s)) return 0;
    if (fmt_is_zero(a, F64)) return (uint32_t)sign << 31;
    struct num n = fmt_unpack(a, F64);
    return (uint32_t)fmt_pack(sign, n.exp + 127 - 1023, n.mant, F32, s);
}
