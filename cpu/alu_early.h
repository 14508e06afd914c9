/* Flags that the manuals call undefined, as the first chips leave them: what their arithmetic unit was last busy with.
 *
 * Source: captures of an Intel 80C86A and a Harris 80C286 (docs/testing.md), of which every undefined flag is explained but for
 * four of the 16-bit IDIVs of the 80286; for the 80386 the published results of a test ROM on an Intel 386SX and what is known of
 * the captures of a 386EX (docs/accuracy.md).
 * The oddest behaviour: division shows the steps. The 8086 compares remainder and divisor only where the step has not shifted a
 * one out at the top, and so leaves the flags of an older comparison; the 80286 goes on dividing after an overflow.
 *
 * Values in, values out, as in alu.h: the result whose SF, ZF and PF are left, and CF, AF, OF. */
#ifndef CPU_ALU_EARLY_H
#define CPU_ALU_EARLY_H

#include "cpu/alu.h"
#include "cpu/model.h"

struct early_flags { uint64_t result; uint32_t cf_af_of; };

static inline struct early_flags early_add(uint64_t a, uint64_t b, unsigned size)
{
    uint64_t r = (a + b) & size_mask(size), sign = size_sign(size);
    uint32_t f = (r < a ? FL_CF : 0) | (uint32_t)((a ^ b ^ r) & FL_AF) | (~(a ^ b) & (a ^ r) & sign ? FL_OF : 0);
    return (struct early_flags){ r, f };
}

static inline struct early_flags early_sub(uint64_t a, uint64_t b, unsigned size)
{
    uint64_t r = (a - b) & size_mask(size), sign = size_sign(size);
    uint32_t f = (a < b ? FL_CF : 0) | (uint32_t)((a ^ b ^ r) & FL_AF) | ((a ^ b) & (a ^ r) & sign ? FL_OF : 0);
    return (struct early_flags){ r, f };
}

/* ---- products. CF and OF say that the upper half counts; the rest follows that half. */

static inline struct early_flags early_product(uint64_t low, uint64_t high, bool is_signed, bool significant, bool is_8086,
                                               unsigned size)
{
    uint32_t cf_of = significant ? FL_CF | FL_OF : 0;
    if (!is_8086) return (struct early_flags){ high, cf_of | FL_AF };
    if (!is_signed) return (struct early_flags){ high, cf_of };
    /* The 8086 adds the lower half's sign to the upper half, to see whether that makes 0. */
    struct early_flags f = early_add(high, (low & size_sign(size)) != 0, size);
    return (struct early_flags){ f.result, cf_of | (f.cf_af_of & FL_AF) };
}

/* ---- quotients. high: the upper half of the dividend, low: the lower; of IDIV both operands' absolute values. */

/* One step to the left; what falls out at the top. */
static inline bool early_step(uint64_t *remainder, uint64_t *low, unsigned size)
{
    bool top = (*remainder & size_sign(size)) != 0;
    *remainder = (*remainder << 1 | ((*low & size_sign(size)) != 0)) & size_mask(size);
    *low = *low << 1 & size_mask(size);
    return top;
}

static inline struct early_flags early_div_8086(uint64_t high, uint64_t low, uint64_t divisor, bool is_signed, unsigned size)
{
    struct early_flags f = early_sub(high, divisor, size);
    if (!(f.cf_af_of & FL_CF)) return f;                    /* the quotient is too large: #DE */
    bool first_bit = false;                                 /* of the quotient */
    for (unsigned n = 0; n < 8u << size; n++) {
        bool top = early_step(&high, &low, size), fits = true;
        if (!top) {
            f = early_sub(high, divisor, size);
            fits = !(f.cf_af_of & FL_CF);
        }
        if (fits) high = (high - divisor) & size_mask(size);
        if (n == 0) first_bit = fits;
    }
    f.cf_af_of = (f.cf_af_of & ~FL_CF) | (first_bit ? 0 : FL_CF);
    if (is_signed && !first_bit) f.cf_af_of &= FL_AF;
    return f;
}

static inline struct early_flags early_div_286(uint64_t high, uint64_t low, uint64_t divisor, unsigned size)
{
    unsigned bits = 8u << size;
    struct early_flags f = early_sub(high, divisor, size);
    bool overflow = !(f.cf_af_of & FL_CF);
    if (overflow) high = f.result;
    for (unsigned n = 0; n < bits; n++) {
        bool top = early_step(&high, &low, size);
        f = early_sub(high, divisor, size);
        if (overflow && n == bits - 2) return f;
        if (top || !(f.cf_af_of & FL_CF)) high = f.result;
    }
    return (struct early_flags){ high, FL_AF | (f.cf_af_of & FL_CF ? FL_CF | FL_OF : 0) };
}

static inline struct early_flags early_idiv_286(uint64_t high, uint64_t low, uint64_t divisor, bool negative, bool negative_divisor,
                                                unsigned size)
{
    for (unsigned n = 0; n < 8u << size; n++) {
        (void)early_step(&high, &low, size);
        if (high >= divisor) high -= divisor;
    }
    bool borrow = (high < divisor) != negative_divisor;
    return (struct early_flags){ (negative ? 0 - high : high) & size_mask(size), FL_AF | (borrow ? FL_CF | FL_OF : 0) };
}

/* ---- shifts, count 1 to 31 (on the 8086 to 255) */

/* AF of SHL, SHR and SAR. The first two chips shift left by adding the operand to itself. */
static inline uint32_t early_shift_af(enum shift_op op, uint64_t result, enum cpu_level level)
{
    switch (level) {
    case LEVEL_8086: return op == SHIFT_SHL ? (uint32_t)(result & FL_AF) : 0;
    case LEVEL_286: return op == SHIFT_SHL ? (uint32_t)(result & FL_AF) : FL_AF;
    case LEVEL_386: return FL_AF;
    default: return 0;
    }
}

/* SHLD and SHRD of the 386, AF set besides. With 16 bits and more than 16 steps the source comes in again from its other end; later
 * chips shift the destination in behind it. OF tells whether the last step changed the sign. */
static inline struct shift_out early_386_shld(uint64_t a, uint64_t b, unsigned count, unsigned size)
{
    unsigned bits = 8u << size;
    uint64_t ring = size == 1 ? a << 32 | b << 16 | b : a << 32 | b, mask = size_mask(size);
    unsigned top = size == 1 ? 48 : 64;
    uint64_t r = ring >> (top - bits - count) & mask, before = ring >> (top - bits - count + 1) & mask;
    return (struct shift_out){ r, (ring >> (top - count) & 1 ? FL_CF : 0) | ((r ^ before) & size_sign(size) ? FL_OF : 0) };
}

static inline struct shift_out early_386_shrd(uint64_t a, uint64_t b, unsigned count, unsigned size)
{
    uint64_t ring = size == 1 ? b << 32 | b << 16 | a : b << 32 | a, mask = size_mask(size);
    uint64_t r = ring >> count & mask, before = ring >> (count - 1) & mask;
    return (struct shift_out){ r, (before & 1 ? FL_CF : 0) | ((r ^ before) & size_sign(size) ? FL_OF : 0) };
}

/* OF of BT and its like on the 386: the operand is rotated right until the bit is its lowest, and the sign changes or not. */
static inline uint32_t early_386_bit_of(uint64_t v, unsigned bit, unsigned size)
{
    unsigned last = (8u << size) - 1;
    return ((v >> ((bit + last) & last)) ^ (v >> ((bit + last - 1) & last))) & 1 ? FL_OF : 0;
}

/* BSF and BSR of the 386: the source is negated first, then a loop looks for the bit. */
static inline struct early_flags early_386_bsf(uint64_t v, unsigned bit, unsigned size)
{
    if (v == 0) return (struct early_flags){ 0, 0 };
    if (bit) return (struct early_flags){ bit, 0 };
    return (struct early_flags){ (0 - v) & size_mask(size), FL_AF | (v & 2 ? FL_CF : 0) | (v & size_sign(size) ? FL_OF : 0) };
}

static inline struct early_flags early_386_bsr(uint64_t v, unsigned bit, unsigned size)
{
    if (v == 0) return (struct early_flags){ 0, 0 };
    bool below = bit >= 1 && (v >> (bit - 1) & 1), next = bit >= 2 && (v >> (bit - 2) & 1), of = bit == 0 || below != next;
    return (struct early_flags){ (0 - v) & size_mask(size), (v & 15 ? FL_AF : 0) | (below ? FL_CF : 0) | (of ? FL_OF : 0) };
}

/* IMUL with two and three operands on the 386, which adds a step for each bit of the multiplier b up to the highest (Intel386 DX
 * data sheet, "early-out multiplication"): the sum that the last addition left. Both operands are negated if b is negative, for
 * AF only b. Captures of a 386EX agree in 96 of 100 cases, as others have found. */
static inline struct early_flags early_386_imul(uint64_t a, uint64_t b, unsigned size)
{
    uint64_t mask = size_mask(size), sign = size_sign(size);
    bool negative = b & sign;
    uint64_t by = (negative ? 0 - b : b) & mask, added = (negative ? 0 - a : a) & mask;
    if (by == 0) return (struct early_flags){ added, 0 };
    unsigned last = 63 - (unsigned)__builtin_clzll(by);
    int64_t addend = (int64_t)(added ^ sign) - (int64_t)sign, plain = (int64_t)((a & mask) ^ sign) - (int64_t)sign;
    int64_t steps = (int64_t)(by ^ (1ull << last));        /* what came before the last addition */
    uint64_t sum = (uint64_t)((__int128)addend * steps >> last) + (uint64_t)addend;
    uint64_t before = (uint64_t)((__int128)plain * steps >> last);
    bool af = steps ? (before & 15) + (a & 15) > 15 : last == 0 && (a & 8);
    return (struct early_flags){ sum & mask, af ? FL_AF : 0 };
}

/* CF of the 386 where all bits have gone by a whole number of turns: that of the first. */
static inline bool early_386_turns(unsigned count, unsigned size)
{
    return count > 8u << size && (count & ((8u << size) - 1)) == 0;
}

#endif
