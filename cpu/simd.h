/* What the MMX and SSE bodies share: when they may run, where their operands are, and integer operations on lanes.
 *
 * An MMX register is the significand of a physical x87 register: every MMX instruction but EMMS makes TOP 0 and all tags
 * valid, and writing one sets the sign and exponent to ones (SDM vol. 1 9.5, vol. 3 12.2). XMM registers are two 64-bit
 * words, the low one first on every host; lanes are taken out of them by shifting, never by pointers. Operations on 64
 * bits serve both register files. */
#ifndef CPU_SIMD_H
#define CPU_SIMD_H

#include "cpu/fpu.h"

#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) enum status op_##body(struct cpu *c, const struct insn *i);
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) OP(code, mnemonic, o1, o2, o3, body, needs, attr)
#define OP_R OP_N
#include "cpu/optable_sse.def"
#include "cpu/optable_mmx.def"
#undef OP
#undef OP_N
#undef OP_R

/* MMX: #UD with EM, #NM with TS, #MF for a pending x87 error or the freeze: true, and the body returns BODY_AGAIN. */
static inline bool mmx_begin(struct cpu *c)
{
    if (FPU_UNLIKELY((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES))) {
        if (c->cr0 & CR0_EM) cpu_ud(c);
        return fpu_begin_slow(c);
    }
    return false;
}
/* After the last possible fault: the unit is in MMX use. */
static inline void mmx_enter(struct cpu *c)
{
    c->ftop = 0;
    c->ftag = 0xff;
}
static inline uint64_t mmx_get(const struct cpu *c, unsigned n) { return c->st[n & 7].mant; }
static inline void mmx_set(struct cpu *c, unsigned n, uint64_t v)
{
    c->st[n & 7].mant = v;
    c->st[n & 7].se = 0xffff;
}
static inline uint64_t mmx_source(struct cpu *c, const struct insn *i)
{
    return insn_is_mem(i) ? mem_read64(c, insn_seg(i), insn_ea(c, i)) : mmx_get(c, i->rm);
}

/* SSE: #UD with EM or without CR4.OSFXSR, #NM with TS. */
static inline void sse_begin(struct cpu *c)
{
    if (FPU_UNLIKELY((c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr4 & CR4_OSFXSR))) {
        if (c->cr0 & CR0_EM || !(c->cr4 & CR4_OSFXSR)) cpu_ud(c);
        cpu_fault(c, V_NM, 0);
    }
}
/* Address of a 16-byte operand that must be aligned: #GP(0) otherwise. */
static inline uint64_t sse_ea(struct cpu *c, const struct insn *i, bool aligned)
{
    uint64_t ea = insn_ea(c, i);
    if (aligned && (c->seg[insn_seg(i)].base + ea) & 15) cpu_gp0(c);
    return ea;
}
static inline union xmm sse_load(struct cpu *c, const struct insn *i, bool aligned)
{
    uint64_t ea = sse_ea(c, i, aligned);
    access_probe_read(c, insn_seg(i), ea, 16);
    union xmm v;
    v.q[0] = mem_read64(c, insn_seg(i), ea);
    v.q[1] = mem_read64(c, insn_seg(i), ea + 8);
    return v;
}
static inline void sse_store(struct cpu *c, const struct insn *i, union xmm v, bool aligned)
{
    uint64_t ea = sse_ea(c, i, aligned);
    access_probe_write(c, insn_seg(i), ea, 16);
    mem_write64(c, insn_seg(i), ea, v.q[0]);
    mem_write64(c, insn_seg(i), ea + 8, v.q[1]);
}
/* W operands: 16 aligned bytes, or the low 8 or 4. */
static inline union xmm sse_source(struct cpu *c, const struct insn *i)
{
    return insn_is_mem(i) ? sse_load(c, i, true) : c->xmm[i->rm];
}
static inline uint64_t sse_source64(struct cpu *c, const struct insn *i)
{
    return insn_is_mem(i) ? mem_read64(c, insn_seg(i), insn_ea(c, i)) : c->xmm[i->rm].q[0];
}
static inline uint32_t sse_source32(struct cpu *c, const struct insn *i)
{
    return insn_is_mem(i) ? mem_read32(c, insn_seg(i), insn_ea(c, i)) : (uint32_t)c->xmm[i->rm].q[0];
}
static inline void sse_set_low32(struct cpu *c, unsigned n, uint32_t v)
{
    c->xmm[n].q[0] = (c->xmm[n].q[0] & 0xffffffff00000000) | v;
}

/* ---- lanes. LANES(name, bits, type, result): result of x and y in each lane. */
#define LANES(name, W, T, expr) \
    static inline uint64_t simd_##name(uint64_t a, uint64_t b) \
    { \
        uint64_t r = 0; \
        for (unsigned k = 0; k < 64; k += W) { \
            T x = (T)(a >> k), y = (T)(b >> k); \
            r |= (uint64_t)(uint##W##_t)(expr) << k; \
        } \
        return r; \
    }

static inline int simd_clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

LANES(paddb, 8, uint8_t, x + y)
LANES(paddw, 16, uint16_t, x + y)
LANES(paddd, 32, uint32_t, x + y)
LANES(psubb, 8, uint8_t, x - y)
LANES(psubw, 16, uint16_t, x - y)
LANES(psubd, 32, uint32_t, x - y)
LANES(paddsb, 8, int8_t, simd_clamp(x + y, -128, 127))
LANES(paddsw, 16, int16_t, simd_clamp(x + y, -32768, 32767))
LANES(paddusb, 8, uint8_t, simd_clamp(x + y, 0, 255))
LANES(paddusw, 16, uint16_t, simd_clamp(x + y, 0, 65535))
LANES(psubsb, 8, int8_t, simd_clamp(x - y, -128, 127))
LANES(psubsw, 16, int16_t, simd_clamp(x - y, -32768, 32767))
LANES(psubusb, 8, uint8_t, simd_clamp(x - y, 0, 255))
LANES(psubusw, 16, uint16_t, simd_clamp(x - y, 0, 65535))
LANES(pcmpeqb, 8, uint8_t, x == y ? -1 : 0)
LANES(pcmpeqw, 16, uint16_t, x == y ? -1 : 0)
LANES(pcmpeqd, 32, uint32_t, x == y ? -1 : 0)
LANES(pcmpgtb, 8, int8_t, x > y ? -1 : 0)
LANES(pcmpgtw, 16, int16_t, x > y ? -1 : 0)
LANES(pcmpgtd, 32, int32_t, x > y ? -1 : 0)
LANES(pmullw, 16, int16_t, (uint32_t)(x * y))
LANES(pmulhw, 16, int16_t, (uint32_t)(x * y) >> 16)
LANES(pmulhuw, 16, uint16_t, (uint32_t)x * y >> 16)
LANES(pminub, 8, uint8_t, x < y ? x : y)
LANES(pmaxub, 8, uint8_t, x > y ? x : y)
LANES(pminsw, 16, int16_t, x < y ? x : y)
LANES(pmaxsw, 16, int16_t, x > y ? x : y)
LANES(pavgb, 8, uint8_t, (x + y + 1) >> 1)
LANES(pavgw, 16, uint16_t, (x + y + 1) >> 1)
static inline uint64_t simd_paddq(uint64_t a, uint64_t b) { return a + b; }
static inline uint64_t simd_psubq(uint64_t a, uint64_t b) { return a - b; }
static inline uint64_t simd_pand(uint64_t a, uint64_t b) { return a & b; }
static inline uint64_t simd_pandn(uint64_t a, uint64_t b) { return ~a & b; }
static inline uint64_t simd_por(uint64_t a, uint64_t b) { return a | b; }
static inline uint64_t simd_pxor(uint64_t a, uint64_t b) { return a ^ b; }
static inline uint64_t simd_pmuludq(uint64_t a, uint64_t b) { return (a & 0xffffffff) * (b & 0xffffffff); }
static inline uint64_t simd_pmaddwd(uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    for (unsigned k = 0; k < 64; k += 32) {
        uint32_t low = (uint32_t)((int16_t)(a >> k) * (int16_t)(b >> k));
        uint32_t high = (uint32_t)((int16_t)(a >> (k + 16)) * (int16_t)(b >> (k + 16)));
        r |= (uint64_t)(low + high) << k;
    }
    return r;
}
static inline uint64_t simd_psadbw(uint64_t a, uint64_t b)
{
    unsigned sum = 0;
    for (unsigned k = 0; k < 64; k += 8) {
        int d = (int)(a >> k & 0xff) - (int)(b >> k & 0xff);
        sum += (unsigned)(d < 0 ? -d : d);
    }
    return sum;
}

/* Shifts of every lane of `width` bits; counts beyond the width give zero, or the sign. */
static inline uint64_t simd_shift_left(uint64_t v, unsigned width, uint64_t n)
{
    if (n >= width) return 0;
    uint64_t r = 0, mask = width == 64 ? ~0ull : (1ull << width) - 1;
    for (unsigned k = 0; k < 64; k += width) r |= ((v >> k & mask) << n & mask) << k;
    return r;
}
static inline uint64_t simd_shift_right(uint64_t v, unsigned width, uint64_t n)
{
    if (n >= width) return 0;
    uint64_t r = 0, mask = width == 64 ? ~0ull : (1ull << width) - 1;
    for (unsigned k = 0; k < 64; k += width) r |= ((v >> k & mask) >> n) << k;
    return r;
}
static inline uint64_t simd_shift_arithmetic(uint64_t v, unsigned width, uint64_t n)
{
    if (n >= width) n = width - 1;
    uint64_t r = 0, mask = (1ull << width) - 1;
    for (unsigned k = 0; k < 64; k += width) {
        int64_t x = (int64_t)(v << (64 - width - k)) >> (64 - width);
        r |= ((uint64_t)(x >> n) & mask) << k;
    }
    return r;
}

/* X(name, width of an element, function) for each shift that MMX and SSE2 have. */
#define SIMD_SHIFTS(X) \
    X(psllw, 16, simd_shift_left) X(pslld, 32, simd_shift_left) X(psllq, 64, simd_shift_left) \
    X(psrlw, 16, simd_shift_right) X(psrld, 32, simd_shift_right) X(psrlq, 64, simd_shift_right) \
    X(psraw, 16, simd_shift_arithmetic) X(psrad, 32, simd_shift_arithmetic)

/* Lanes of `width` bits from the low halves of a and b, taken in turn; and of their high halves. */
static inline uint64_t simd_interleave(uint32_t a, uint32_t b, unsigned width)
{
    uint64_t r = 0, mask = (1ull << width) - 1;
    for (unsigned k = 0; k < 32; k += width) r |= (a >> k & mask) << (2 * k) | (b >> k & mask) << (2 * k + width);
    return r;
}

/* Lanes of v, saturated to half their width, in 32 bits. */
static inline uint32_t simd_pack(uint64_t v, unsigned width, bool to_unsigned)
{
    const unsigned half = width / 2;
    const int32_t high = to_unsigned ? (1 << half) - 1 : (1 << (half - 1)) - 1, low = to_unsigned ? 0 : -high - 1;
    uint32_t r = 0, mask = (1u << half) - 1;
    for (unsigned k = 0; k < 64 / width; k++) {
        int32_t x = width == 16 ? (int16_t)(v >> (16 * k)) : (int32_t)(v >> (32 * k));
        r |= ((uint32_t)simd_clamp(x, low, high) & mask) << (half * k);
    }
    return r;
}

#endif
