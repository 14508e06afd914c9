/* Inside softfloat: taking 80-bit numbers apart, and the one place where results are rounded.
 *
 * A number under way is sign, exponent and a 128-bit significand hi:lo whose top bit is set; its value is
 * hi.lo * 2^(exp - 16383) with the binary point after hi's top bit. lo need only be right in its top bit and in
 * whether the rest is zero ("sticky"). */
#ifndef CPU_SOFTFLOAT_CORE_H
#define CPU_SOFTFLOAT_CORE_H

#include "cpu/softfloat.h"
#include "cpu/state.h"

#define F80_TOP (1ull << 63)
#define F80_QUIET (1ull << 62)
enum { F80_EXP_MAX = 0x7fff, F80_BIAS = 16383, F80_WRAP = 24576 };

__extension__ typedef unsigned __int128 u128;

static inline struct f80 f80_make(bool sign, unsigned exp, uint64_t mant)
{
    return (struct f80){ .mant = mant, .se = (uint16_t)((unsigned)sign << 15 | exp) };
}
static inline struct f80 f80_indefinite(void) { return f80_make(true, F80_EXP_MAX, F80_TOP | F80_QUIET); }
static inline struct f80 f80_zero(bool sign) { return f80_make(sign, 0, 0); }
static inline struct f80 f80_inf(bool sign) { return f80_make(sign, F80_EXP_MAX, F80_TOP); }
static inline bool f80_sign(struct f80 a) { return a.se >> 15; }
static inline int f80_exp(struct f80 a) { return a.se & 0x7fff; }

/* Exponent field 1 to 7FFEh with the integer bit: the case that everything is fast for. */
static inline bool f80_is_normal(struct f80 a)
{
    return (unsigned)(f80_exp(a) - 1) < 0x7ffe && a.mant >> 63;
}
static inline bool f80_is_zero(struct f80 a) { return f80_exp(a) == 0 && a.mant == 0; }
static inline bool f80_is_inf(struct f80 a) { return f80_exp(a) == F80_EXP_MAX && a.mant == F80_TOP; }
static inline bool f80_is_unsupported(struct f80 a) { return f80_exp(a) && !(a.mant >> 63); }
/* NaN or unsupported: what f80_nan_result answers for. */
static inline bool f80_is_nan(struct f80 a)
{
    return (f80_exp(a) == F80_EXP_MAX && a.mant != F80_TOP) || f80_is_unsupported(a);
}
static inline bool f80_is_snan(struct f80 a)
{
    return f80_exp(a) == F80_EXP_MAX && (a.mant & (F80_TOP | F80_QUIET)) == F80_TOP && a.mant != F80_TOP;
}
/* Denormal or pseudo-denormal. */
static inline bool f80_is_denormal(struct f80 a) { return f80_exp(a) == 0 && a.mant; }

static inline unsigned clz64(uint64_t v) { return (unsigned)__builtin_clzll(v); }

/* A finite non-zero number with its top bit brought up; denormals get exponents of zero and below. */
struct sf_num { uint64_t mant; int32_t exp; bool sign; };
static inline struct sf_num f80_unpack(struct f80 a)
{
    struct sf_num n = { a.mant, f80_exp(a), f80_sign(a) };
    if (n.exp == 0) {
        unsigned shift = clz64(n.mant | 1);
        n.mant <<= shift;
        n.exp = 1 - (int32_t)shift;
    }
    return n;
}

static inline struct f80 f80_invalid(struct sf *s)
{
    s->flags |= SF_IE;
    return f80_indefinite();
}

/* Does rounding go up (away from zero)? frac: the bits below the last place, aligned to the top of the word. */
static inline bool sf_round_up(unsigned rc, bool sign, bool odd, uint64_t frac)
{
    if (rc == SF_NEAREST) return frac > F80_TOP || (frac == F80_TOP && odd);
    return frac && rc == (sign ? SF_DOWN : SF_UP);
}

struct f80 f80_round_pack_far(bool sign, int32_t exp, uint64_t hi, uint64_t lo, struct sf *s);

/* Rounds to the environment's precision and packs. hi's top bit is set. */
static inline struct f80 f80_round_pack(bool sign, int32_t exp, uint64_t hi, uint64_t lo, struct sf *s)
{
    if ((uint32_t)(exp - 1) >= 0x7ffd) return f80_round_pack_far(sign, exp, hi, lo, s);   /* near a limit */
    uint64_t ulp = 1, frac = lo;
    if (s->prec != 64) {
        ulp = 1ull << (64 - s->prec);
        frac = hi << s->prec | (lo != 0);
        hi &= -ulp;
    }
    if (frac) {
        s->flags |= SF_PE;
        if (sf_round_up(s->rc, sign, hi & ulp, frac)) {
            s->flags |= SF_C1;
            hi += ulp;
            if (!hi) {
                hi = F80_TOP;
                exp++;
            }
        }
    }
    return f80_make(sign, (unsigned)exp, hi);
}

/* a + b or, if `negate`, a - b for two normal numbers. */
static inline struct f80 f80_add_normal(struct f80 a, struct f80 b, bool negate, struct sf *s)
{
    bool sa = f80_sign(a), sb = f80_sign(b) != negate;
    int32_t ea = f80_exp(a), eb = f80_exp(b);
    uint64_t ma = a.mant, mb = b.mant;
    if (ea < eb || (ea == eb && ma < mb)) {                   /* let a be the larger */
        uint64_t m = ma;
        int32_t e = ea;
        bool sg = sa;
        ma = mb, ea = eb, sa = sb;
        mb = m, eb = e, sb = sg;
    }
    unsigned d = (unsigned)(ea - eb);
    uint64_t bh, bl;                                          /* mb shifted right by d into 128 bits */
    if (d == 0) bh = mb, bl = 0;
    else if (d < 64) bh = mb >> d, bl = mb << (64 - d);
    else if (d == 64) bh = 0, bl = mb;
    else if (d == 65) bh = 0, bl = mb >> 1 | (mb & 1);
    else bh = 0, bl = mb >> 2 | 1;                            /* under a quarter of the last place: only sticky */
    if (sa == sb) {
        uint64_t hi = ma + bh;
        if (hi < ma) {
            bl = bl >> 1 | (bl & 1) | hi << 63;
            hi = hi >> 1 | F80_TOP;
            ea++;
        }
        return f80_round_pack(sa, ea, hi, bl, s);
    }
    uint64_t lo = -bl, hi = ma - bh - (bl != 0);
    if (!(hi >> 63)) {
        if (!hi) {
            if (!lo) return f80_zero(s->rc == SF_DOWN);
            hi = lo, lo = 0, ea -= 64;                        /* only after a shift by one: exact */
        }
        unsigned n = clz64(hi);
        if (n) {
            hi = hi << n | lo >> (64 - n);
            lo <<= n;
            ea -= (int32_t)n;
        }
    }
    return f80_round_pack(sa, ea, hi, lo, s);
}

static inline struct f80 f80_mul_normal(struct f80 a, struct f80 b, struct sf *s)
{
    u128 p = (u128)a.mant * b.mant;
    int32_t exp = f80_exp(a) + f80_exp(b) - (F80_BIAS - 1);
    if (!(p >> 127)) p <<= 1, exp--;
    return f80_round_pack((a.se ^ b.se) >> 15, exp, (uint64_t)(p >> 64), (uint64_t)p, s);
}

/* Quotient of two significands with their top bits set: 64 bits and a guard word. Returns 1 if ma < mb. */
static inline unsigned sf_div_mant(uint64_t ma, uint64_t mb, uint64_t *hi, uint64_t *lo)
{
    unsigned less = ma < mb;
    u128 n = (u128)ma << (63 + less);
    uint64_t q = (uint64_t)(n / mb), r = (uint64_t)n - q * mb;
    *hi = q;
    *lo = r == 0 ? 0 : r > mb - r ? F80_TOP | 1 : r == mb - r ? F80_TOP : 1;
    return less;
}

static inline struct f80 f80_div_normal(struct f80 a, struct f80 b, struct sf *s)
{
    uint64_t hi, lo;
    int32_t exp = f80_exp(a) - f80_exp(b) + F80_BIAS;
    exp -= (int32_t)sf_div_mant(a.mant, b.mant, &hi, &lo);
    return f80_round_pack((a.se ^ b.se) >> 15, exp, hi, lo, s);
}

#endif
