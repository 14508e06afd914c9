/* Lazy flags. Arithmetic stores what it did ({result, operand, kind}) and whoever needs a flag works it out.
 *
 * kind is CC_* in bits 0-3 and log2 of the operand size in bits 4-5. Results and operands are zero-extended to 64 bits.
 * INC and DEC leave CF alone, so they do not replace the description of what set CF: they lay a second one over it (bits
 * 8-9: CC_INC or CC_DEC, bits 12-13 their size, cc_inc their result), which gives all flags but CF. */
#ifndef CPU_FLAGS_H
#define CPU_FLAGS_H

#include "cpu/state.h"

enum {
    CC_EFLAGS,                   /* the six flags are in c->eflags */
    CC_LOGIC,                    /* CF OF AF = 0 */
    CC_ADD, CC_ADC,              /* result = a + operand (+ 1): ADC is used only where the carry in was 1 */
    CC_SUB, CC_SBB,              /* result = a - operand (- 1) */
    CC_KNOWN,                    /* CF AF OF are in the operand at their EFLAGS positions; the rest follows the result */
    CC_BASE = 0x0f, CC_SIZE = 0x30, CC_INC = 0x100, CC_DEC = 0x200, CC_OVERLAY = 0x300, CC_INC_SIZE = 0x3000,
};
#define CC_KIND(base, log2size) ((uint32_t)(base) | (uint32_t)(log2size) << 4)

#define FLAGS_INLINE static inline __attribute__((always_inline))   /* hot handlers must not call */

static inline uint64_t size_mask(unsigned log2size) { return log2size >= 3 ? ~0ull : (1ull << (8u << log2size)) - 1; }
static inline uint64_t size_sign(unsigned log2size) { return 1ull << ((8u << log2size) - 1); }

static inline uint32_t parity_flag(uint64_t result) { return __builtin_parity((unsigned)result & 0xff) ? 0 : FL_PF; }

/* Without a branch for each kind: ADC and SBB, the odd ones, differ by one from ADD and SUB. */
FLAGS_INLINE bool flag_cf(const struct cpu *c)
{
    unsigned kind = c->cc_kind & CC_BASE, one = kind & 1;
    uint64_t r = c->cc_result, b = c->cc_operand;
    if (kind - CC_ADD <= CC_SBB - CC_ADD) {
        uint64_t a = kind >= CC_SUB ? (r + b + one) & size_mask((c->cc_kind & CC_SIZE) >> 4) : r;
        return (a < b) | (one & (a == b));
    }
    return (kind == CC_KNOWN ? b : kind == CC_EFLAGS ? c->eflags : 0) & FL_CF;
}

/* The result that ZF, SF and PF follow, and the log2 of its size; not for CC_EFLAGS without overlay. */
static inline bool flags_have_result(const struct cpu *c) { return (c->cc_kind & (CC_OVERLAY | CC_BASE)) != CC_EFLAGS; }
static inline uint64_t flags_result(const struct cpu *c) { return c->cc_kind & CC_OVERLAY ? c->cc_inc : c->cc_result; }
static inline unsigned flags_size(const struct cpu *c)
{
    return c->cc_kind & CC_OVERLAY ? (c->cc_kind & CC_INC_SIZE) >> 12 : (c->cc_kind & CC_SIZE) >> 4;
}

static inline bool flag_zf(const struct cpu *c)
{
    return flags_have_result(c) ? flags_result(c) == 0 : (c->eflags & FL_ZF) != 0;
}
static inline bool flag_sf(const struct cpu *c)
{
    return flags_have_result(c) ? (flags_result(c) & size_sign(flags_size(c))) != 0 : (c->eflags & FL_SF) != 0;
}
static inline bool flag_pf(const struct cpu *c)
{
    return flags_have_result(c) ? parity_flag(flags_result(c)) != 0 : (c->eflags & FL_PF) != 0;
}

static inline bool flag_of(const struct cpu *c)
{
    if (c->cc_kind & CC_OVERLAY) {
        uint64_t sign = size_sign((c->cc_kind & CC_INC_SIZE) >> 12);
        return c->cc_inc == (c->cc_kind & CC_INC ? sign : sign - 1);
    }
    uint64_t r = c->cc_result, b = c->cc_operand, sign = size_sign((c->cc_kind & CC_SIZE) >> 4);
    switch (c->cc_kind & CC_BASE) {
    case CC_EFLAGS: return c->eflags & FL_OF;
    case CC_LOGIC: return false;
    case CC_ADD: return ((r - b) ^ r) & (b ^ r) & sign;
    case CC_ADC: return ((r - b - 1) ^ r) & (b ^ r) & sign;
    case CC_SUB: return ((r + b) ^ b) & ((r + b) ^ r) & sign;
    case CC_SBB: return ((r + b + 1) ^ b) & ((r + b + 1) ^ r) & sign;
    default: return b & FL_OF;
    }
}

FLAGS_INLINE bool flag_af(const struct cpu *c)
{
    if (c->cc_kind & CC_OVERLAY) return (c->cc_inc & 15) == (c->cc_kind & CC_INC ? 0u : 15u);
    unsigned kind = c->cc_kind & CC_BASE, one = kind & 1;
    uint64_t r = c->cc_result, b = c->cc_operand;
    if (kind - CC_ADD <= CC_SBB - CC_ADD) {
        uint64_t a = kind >= CC_SUB ? r + b + one : r - b - one;
        return (a ^ b ^ r) & FL_AF;
    }
    return (kind == CC_KNOWN ? b : kind == CC_EFLAGS ? c->eflags : 0) & FL_AF;
}

/* The six arithmetic flags at their EFLAGS positions. */
static inline uint32_t flags_arith(const struct cpu *c)
{
    if (c->cc_kind == CC_EFLAGS) return c->eflags & FL_ARITH;
    return (flag_cf(c) ? FL_CF : 0) | (flag_pf(c) ? FL_PF : 0) | (flag_af(c) ? FL_AF : 0) | (flag_zf(c) ? FL_ZF : 0) |
           (flag_sf(c) ? FL_SF : 0) | (flag_of(c) ? FL_OF : 0);
}

/* Sets the six flags as a word. */
static inline void flags_set_arith(struct cpu *c, uint32_t flags)
{
    c->eflags = (c->eflags & ~(uint32_t)FL_ARITH) | (flags & FL_ARITH);
    c->cc_kind = CC_EFLAGS;
}

/* Replaces some of the six. */
static inline void flags_change(struct cpu *c, uint32_t mask, uint32_t flags)
{
    flags_set_arith(c, (flags_arith(c) & ~mask) | (flags & mask));
}

/* Replaces CF and OF, as rotations do; cheaper than flags_change. */
FLAGS_INLINE void flags_change_cf_of(struct cpu *c, uint32_t cf_of)
{
    if (!flags_have_result(c)) {
        c->eflags = (c->eflags & ~(uint32_t)(FL_CF | FL_OF)) | cf_of;
        return;
    }
    uint32_t af = flag_af(c) ? FL_AF : 0;
    unsigned size = flags_size(c);
    c->cc_result = flags_result(c);
    c->cc_operand = cf_of | af;
    c->cc_kind = CC_KIND(CC_KNOWN, size);
}

/* ZF, SF and PF of a result (zero-extended to 64 bits). */
static inline uint32_t flags_zsp(uint64_t result, unsigned log2size)
{
    return (result ? 0 : FL_ZF) | (result & size_sign(log2size) ? FL_SF : 0) | parity_flag(result);
}

/* Condition code of Jcc, SETcc, CMOVcc (SDM vol. 1 appendix B). */
static inline bool flags_condition(const struct cpu *c, unsigned cc)
{
    bool yes;
    switch (cc >> 1) {
    case 0: yes = flag_of(c); break;
    case 1: yes = flag_cf(c); break;
    case 2: yes = flag_zf(c); break;
    case 3: yes = flag_cf(c) || flag_zf(c); break;
    case 4: yes = flag_sf(c); break;
    case 5: yes = flag_pf(c); break;
    case 6: yes = flag_sf(c) != flag_of(c); break;
    default: yes = flag_zf(c) || flag_sf(c) != flag_of(c); break;
    }
    return yes != (cc & 1);
}

#endif
