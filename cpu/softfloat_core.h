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

/* Raises DE for either operand. True if it is unmasked, which ends the operation. */
static inline bool f80_denormal_stops(struct f80 a, struct f80 b, struct sf *s)
{
    if (!f80_is_denormal(a) && !f80_is_denormal(b)) return false;
    s->flags |= SF_DE;
    return !(s->masks & SF_DE);
}

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

/* Does rounding go up (away from zero): 1 or 0. frac: the bits below the last place, aligned to the top of the word. To
 * nearest, that is when adding just under a half, or a half where the kept part is odd, carries out of the word; a carry
 * is not a branch, and whether a result rounds up is as good as random. */
static inline uint64_t sf_round_up(unsigned rc, bool sign, bool odd, uint64_t frac)
{
    if (rc == SF_NEAREST) return (uint64_t)(((u128)frac + (F80_TOP - 1) + odd) >> 64);
    return frac && rc == (sign ? SF_DOWN : SF_UP);
}

/* ---- The hot core works on scalars and takes the control word as FCW has it, so that compilers keep all of it in
 * registers: masks in bits 0-5, precision in 8-9 (bit 8 set: all 64 bits), rounding in 10-11. */
struct f80_result { uint64_t mant; uint32_t se, flags; };

static inline unsigned sf_control(const struct sf *s)
{
    return s->masks | (s->prec == 64 ? 0x300u : s->prec == 53 ? 0x200u : 0) | (unsigned)s->rc << 10;
}
static inline uint64_t sf_ulp(unsigned control)               /* weight of the last place in a normalised significand */
{
    return control & 0x100 ? 1 : control & 0x200 ? 1ull << 11 : 1ull << 40;
}
/* What is below the last place, aligned to the top of a word. */
static inline uint64_t sf_frac(uint64_t hi, uint64_t lo, unsigned control)
{
    return control & 0x100 ? lo : hi << (control & 0x200 ? 53 : 24) | (lo != 0);
}
static inline bool sf_near_limit(int32_t exp) { return (uint32_t)(exp - 1) >= 0x7ffd; }

struct f80_result f80_round_far(bool sign, int32_t exp, uint64_t hi, uint64_t lo, unsigned control);

/* Rounds to the precision and packs, away from the ends of the exponent range. hi's top bit is set. */
static inline struct f80_result f80_round_near(bool sign, int32_t exp, uint64_t hi, uint64_t lo, unsigned control)
{
    uint64_t ulp = 1, frac = lo;
    if (!(control & 0x100)) {
        ulp = sf_ulp(control);
        frac = sf_frac(hi, lo, control);
        hi &= -ulp;
    }
    const uint64_t up = sf_round_up(control >> 10 & 3, sign, hi & ulp, frac);
    hi += -up & ulp;
    if (__builtin_expect(!hi, 0)) {
        hi = F80_TOP;
        exp++;
    }
    return (struct f80_result){ hi, (uint32_t)sign << 15 | (uint32_t)exp, (frac ? SF_PE : 0u) | (uint32_t)up * SF_C1 };
}

static inline struct f80_result f80_round_core(bool sign, int32_t exp, uint64_t hi, uint64_t lo, unsigned control)
{
    if (__builtin_expect(sf_near_limit(exp), 0)) return f80_round_far(sign, exp, hi, lo, control);
    return f80_round_near(sign, exp, hi, lo, control);
}

/* What an operation on two normal numbers gives before rounding. hi is 0 only for a sum that cancelled out. */
struct f80_raw { uint64_t hi, lo; int32_t exp; bool sign; };

/* mask (all ones or zero) ? x : y. Compilers make branches of the other form, and which operand is the larger, whether a sum
 * carries and where a product's top bit falls cannot be predicted. */
static inline uint64_t sf_pick(uint64_t mask, uint64_t x, uint64_t y) { return y ^ ((x ^ y) & mask); }

/* a + b; seb has b's sign as it counts. */
static inline struct f80_raw f80_add_raw(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb)
{
    /* The larger and the smaller: exponent and significand compared as one number. */
    const uint32_t ea = sea & 0x7fff, eb = seb & 0x7fff;
    const uint64_t swap = -(uint64_t)(((u128)ea << 64 | ma) < ((u128)eb << 64 | mb));
    const uint64_t large = sf_pick(swap, mb, ma), small = sf_pick(swap, ma, mb);
    int32_t exp = (int32_t)sf_pick(swap, eb, ea);
    const unsigned d = (unsigned)exp - (uint32_t)sf_pick(swap, ea, eb);
    const bool sign = sf_pick(swap, seb, sea) >> 15 & 1;
    uint64_t hi, lo;                                          /* small, shifted right by d into 128 bits; then the result */
    if (__builtin_expect(d < 64, 1)) hi = small >> d, lo = small << 1 << (63 - d);
    else if (d == 64) hi = 0, lo = small;
    else if (d == 65) hi = 0, lo = small >> 1 | (small & 1);
    else hi = 0, lo = small >> 2 | 1;                         /* under a quarter of the last place: only sticky */
    if (!((sea ^ seb) & 0x8000)) {
        hi += large;
        const uint64_t carry = hi < large;
        lo = sf_pick(-carry, hi << 63 | lo >> 1 | (lo & 1), lo);
        hi = hi >> carry | carry << 63;
        exp += (int32_t)carry;
    } else {
        hi = large - hi - (lo != 0);
        lo = -lo;
        if (__builtin_expect(!hi, 0)) {
            hi = lo, lo = 0, exp -= 64;                       /* only after a shift by one: exact */
            if (!hi) return (struct f80_raw){ 0, 0, 0, false };
        }
        const unsigned n = clz64(hi);
        hi = hi << n | lo >> 1 >> (63 - n);
        lo <<= n;
        exp -= (int32_t)n;
    }
    return (struct f80_raw){ hi, lo, exp, sign };
}

static inline struct f80_raw f80_mul_raw(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb)
{
    const u128 p = (u128)ma * mb;
    uint64_t hi = (uint64_t)(p >> 64), lo = (uint64_t)p;
    const uint64_t low = ~hi >> 63;                           /* the product of two numbers below 2 is itself below 2 */
    hi = hi << low | (lo >> 63 & low);
    lo <<= low;
    int32_t exp = (int32_t)(sea & 0x7fff) + (int32_t)(seb & 0x7fff) - (F80_BIAS - 1) - (int32_t)low;
    return (struct f80_raw){ hi, lo, exp, (sea ^ seb) >> 15 & 1 };
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

static inline struct f80_raw f80_div_raw(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb)
{
    uint64_t hi, lo;
    int32_t exp = (int32_t)(sea & 0x7fff) - (int32_t)(seb & 0x7fff) + F80_BIAS;
    exp -= (int32_t)sf_div_mant(ma, mb, &hi, &lo);
    return (struct f80_raw){ hi, lo, exp, (sea ^ seb) >> 15 & 1 };
}

/* The root of a normal number without sign. */
struct f80_raw f80_sqrt_raw(uint64_t mant, int32_t biased);

static inline struct f80_result f80_raw_round(struct f80_raw r, unsigned control)
{
    if (__builtin_expect(!r.hi, 0)) return (struct f80_result){ 0, (control & 0xc00) == 0x400 ? 0x8000 : 0, 0 };
    return f80_round_core(r.sign, r.exp, r.hi, r.lo, control);
}

static inline struct f80_result f80_add_core(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb, unsigned control)
{
    return f80_raw_round(f80_add_raw(ma, sea, mb, seb), control);
}
static inline struct f80_result f80_mul_core(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb, unsigned control)
{
    return f80_raw_round(f80_mul_raw(ma, sea, mb, seb), control);
}
static inline struct f80_result f80_div_core(uint64_t ma, uint32_t sea, uint64_t mb, uint32_t seb, unsigned control)
{
    return f80_raw_round(f80_div_raw(ma, sea, mb, seb), control);
}

/* The same for everything that is not hot. */
static inline struct f80 f80_take(struct f80_result r, struct sf *s)
{
    s->flags |= (uint16_t)r.flags;
    return (struct f80){ .mant = r.mant, .se = (uint16_t)r.se };
}
static inline struct f80 f80_round_pack(bool sign, int32_t exp, uint64_t hi, uint64_t lo, struct sf *s)
{
    return f80_take(f80_round_core(sign, exp, hi, lo, sf_control(s)), s);
}

#endif
