/* Arithmetic as pure functions: values in, value and flags out. They know no CPU.
 *
 * Sizes are log2 of bytes (0 to 3). Operands are zero-extended to 64 bits, and so are results. With constant operation
 * and size the compiler folds each to a few instructions; the hot handlers depend on that. */
#ifndef CPU_ALU_H
#define CPU_ALU_H

#include "cpu/flags.h"

#define ALU_INLINE static inline __attribute__((always_inline))

enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };   /* as in opcode bits 3-5 */

struct alu_out { uint64_t result, operand; uint32_t kind; };   /* operand and kind: for lazy flags (flags.h) */

ALU_INLINE struct alu_out alu(enum alu_op op, uint64_t a, uint64_t b, unsigned size, bool carry)
{
    uint64_t mask = size_mask(size);
    switch (op) {
    case ALU_ADD: return (struct alu_out){ (a + b) & mask, b, CC_KIND(CC_ADD, size) };
    case ALU_ADC: return (struct alu_out){ (a + b + carry) & mask, b, CC_KIND(carry ? CC_ADC : CC_ADD, size) };
    case ALU_SUB: case ALU_CMP: return (struct alu_out){ (a - b) & mask, b, CC_KIND(CC_SUB, size) };
    case ALU_SBB: return (struct alu_out){ (a - b - carry) & mask, b, CC_KIND(carry ? CC_SBB : CC_SUB, size) };
    case ALU_OR: return (struct alu_out){ a | b, 0, CC_KIND(CC_LOGIC, size) };
    case ALU_AND: return (struct alu_out){ a & b, 0, CC_KIND(CC_LOGIC, size) };
    default: return (struct alu_out){ a ^ b, 0, CC_KIND(CC_LOGIC, size) };
    }
}

ALU_INLINE void flags_put(struct cpu *c, enum alu_op op, struct alu_out o)
{
    c->cc_result = o.result;
    if (op != ALU_OR && op != ALU_AND && op != ALU_XOR) c->cc_operand = o.operand;
    c->cc_kind = o.kind;
}

/* CF, AF, OF known, the rest from the result. */
ALU_INLINE void flags_known(struct cpu *c, uint64_t result, unsigned size, uint32_t cf_af_of)
{
    c->cc_result = result;
    c->cc_operand = cf_af_of;
    c->cc_kind = CC_KIND(CC_KNOWN, size);
}

ALU_INLINE void flags_logic(struct cpu *c, uint64_t result, unsigned size)
{
    c->cc_result = result;
    c->cc_kind = CC_KIND(CC_LOGIC, size);
}

/* INC and DEC: an overlay that keeps what CF comes from. */
ALU_INLINE void flags_inc(struct cpu *c, uint64_t result, unsigned size, uint32_t which)
{
    c->cc_inc = result;
    c->cc_kind = (c->cc_kind & (CC_BASE | CC_SIZE)) | which | size << 12;
}

/* ---- shifts and rotates. count is what the model makes of it (masked, or not on the 8086) and not 0. OF for counts above
 * 1 is undefined; here it is what the last of single steps would give. AF of shifts is undefined: 0. */

enum shift_op { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SETMO, SHIFT_SAR };

struct shift_out { uint64_t result; uint32_t cf_of; };

ALU_INLINE uint32_t cf_of(bool cf, bool of) { return (cf ? FL_CF : 0) | (of ? FL_OF : 0); }

ALU_INLINE struct shift_out alu_rol(uint64_t a, unsigned count, unsigned size)
{
    unsigned bits = 8u << size, n = count & (bits - 1);
    uint64_t r = size == 2 ? (uint32_t)a << n | (uint32_t)a >> (-n & 31)      /* compilers know this for a rotation */
                           : n ? ((a << n) | (a >> (bits - n))) & size_mask(size) : a;
    return (struct shift_out){ r, cf_of(r & 1, (r ^ r >> (bits - 1)) & 1) };
}

ALU_INLINE struct shift_out alu_ror(uint64_t a, unsigned count, unsigned size)
{
    unsigned bits = 8u << size, n = count & (bits - 1);
    uint64_t r = size == 2 ? (uint32_t)a >> n | (uint32_t)a << (-n & 31)
                           : n ? ((a >> n) | (a << (bits - n))) & size_mask(size) : a;
    return (struct shift_out){ r, cf_of(r >> (bits - 1) & 1, (r >> (bits - 1) ^ r >> (bits - 2)) & 1) };
}

/* Through carry: a ring of bits + 1. */
ALU_INLINE struct shift_out alu_rcl(uint64_t a, unsigned count, unsigned size, bool carry)
{
    unsigned bits = 8u << size, n = count % (bits + 1);
    uint64_t r = a, mask = size_mask(size);
    bool cf = carry;
    if (n) {
        cf = a >> (bits - n) & 1;
        r = (n < bits ? a << n : 0) | (uint64_t)carry << (n - 1) | (n > 1 ? a >> (bits + 1 - n) : 0);
    }
    r &= mask;
    return (struct shift_out){ r, cf_of(cf, (r >> (bits - 1) & 1) != cf) };
}

ALU_INLINE struct shift_out alu_rcr(uint64_t a, unsigned count, unsigned size, bool carry)
{
    unsigned bits = 8u << size, n = count % (bits + 1);
    uint64_t r = a, mask = size_mask(size);
    bool cf = carry;
    if (n) {
        cf = a >> (n - 1) & 1;
        r = (n < bits ? a >> n : 0) | (uint64_t)carry << (bits - n) | (n > 1 ? a << (bits + 1 - n) : 0);
    }
    r &= mask;
    return (struct shift_out){ r, cf_of(cf, (r >> (bits - 1) ^ r >> (bits - 2)) & 1) };
}

ALU_INLINE struct shift_out alu_shl(uint64_t a, unsigned count, unsigned size)
{
    unsigned bits = 8u << size;
    uint64_t r = count < bits ? (a << count) & size_mask(size) : 0;
    bool cf = count <= bits && (a >> (bits - count) & 1);
    return (struct shift_out){ r, cf_of(cf, (r >> (bits - 1) & 1) != cf) };
}

ALU_INLINE struct shift_out alu_shr(uint64_t a, unsigned count, unsigned size)
{
    unsigned bits = 8u << size;
    uint64_t r = count < bits ? a >> count : 0;
    bool cf = count <= bits && (a >> (count - 1) & 1);
    /* One step moves the sign bit to the one below it and clears it: OF is the bit below the top of the result. */
    return (struct shift_out){ r, cf_of(cf, r >> (bits - 2) & 1) };
}

ALU_INLINE struct shift_out alu_sar(uint64_t a, unsigned count, unsigned size)
{
    unsigned bits = 8u << size, n = count < bits ? count : bits - 1;
    int64_t wide = (int64_t)(a << (64 - bits)) >> (64 - bits);
    uint64_t r = (uint64_t)(wide >> n) & size_mask(size);
    bool cf = count >= bits ? wide < 0 : (wide >> (count - 1) & 1);
    return (struct shift_out){ r, cf_of(cf, false) };
}

/* Double shifts (SHLD, SHRD): count 1 to 31. A 16-bit one with a count above 16 has an undefined result; the P6 goes on
 * with the bits of the destination again (measured on several Intel processors). */
ALU_INLINE struct shift_out alu_shld(uint64_t a, uint64_t b, unsigned count, unsigned size)
{
    unsigned bits = 8u << size;
    uint64_t r;
    bool cf;
    if (size == 1) {
        uint64_t ring = a << 32 | b << 16 | a;                  /* 48 bits: destination, source, destination */
        r = ring >> (32 - count) & 0xffff;
        cf = ring >> (48 - count) & 1;
    } else {
        r = (a << count | b >> (bits - count)) & size_mask(size);
        cf = a >> (bits - count) & 1;
    }
    return (struct shift_out){ r, cf_of(cf, ((r ^ a) >> (bits - 1)) & 1) };
}

ALU_INLINE struct shift_out alu_shrd(uint64_t a, uint64_t b, unsigned count, unsigned size)
{
    unsigned bits = 8u << size;
    uint64_t r;
    bool cf;
    if (size == 1) {
        uint64_t ring = a << 32 | b << 16 | a;
        r = ring >> count & 0xffff;
        cf = ring >> (count - 1) & 1;
    } else {
        r = (a >> count | b << (bits - count)) & size_mask(size);
        cf = a >> (count - 1) & 1;
    }
    return (struct shift_out){ r, cf_of(cf, ((r ^ a) >> (bits - 1)) & 1) };
}

#endif
