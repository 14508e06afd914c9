/* Fast handlers of SSE's and SSE2's integer and logic operations on XMM registers, shuffles and shifts included. */
#include "cpu/fast_simd.h"

/* ---- lane by lane */
#define LANE(NAME, EXPR) \
    FAST_INLINE union vec NAME(union vec a, union vec b, unsigned imm) \
    { \
        (void)a, (void)imm; \
        return (union vec)(EXPR); \
    } \
    SSE_BINARY(NAME)
/* Each lane of x where the mask has ones, of y elsewhere. */
#define CHOOSE(MASK, X, Y) (((MASK) & (X)) | (~(MASK) & (Y)))

LANE(paddb, a.u8 + b.u8)
LANE(paddw, a.u16 + b.u16)
LANE(paddd, a.u32 + b.u32)
LANE(paddq, a.u64 + b.u64)
LANE(psubb, a.u8 - b.u8)
LANE(psubw, a.u16 - b.u16)
LANE(psubd, a.u32 - b.u32)
LANE(psubq, a.u64 - b.u64)
LANE(pand, a.u64 & b.u64)
LANE(pandn, ~a.u64 & b.u64)
LANE(por, a.u64 | b.u64)
LANE(pxor, a.u64 ^ b.u64)
LANE(pcmpeqb, (u8x16)(a.u8 == b.u8))
LANE(pcmpeqw, (u16x8)(a.u16 == b.u16))
LANE(pcmpeqd, (u32x4)(a.u32 == b.u32))
LANE(pcmpgtb, (u8x16)(a.s8 > b.s8))
LANE(pcmpgtw, (u16x8)(a.s16 > b.s16))
LANE(pcmpgtd, (u32x4)(a.s32 > b.s32))
LANE(pminub, CHOOSE((u8x16)(a.u8 < b.u8), a.u8, b.u8))
LANE(pmaxub, CHOOSE((u8x16)(a.u8 > b.u8), a.u8, b.u8))
LANE(pminsw, CHOOSE((u16x8)(a.s16 < b.s16), a.u16, b.u16))
LANE(pmaxsw, CHOOSE((u16x8)(a.s16 > b.s16), a.u16, b.u16))
LANE(pmullw, a.u16 * b.u16)
LANE(pmuludq, (a.u64 & 0xffffffff) * (b.u64 & 0xffffffff))
/* Half sum rounded up: the common bits, and half of the others. */
LANE(pavgb, (a.u8 | b.u8) - ((a.u8 ^ b.u8) >> 1))
LANE(pavgw, (a.u16 | b.u16) - ((a.u16 ^ b.u16) >> 1))
/* Unsigned saturation: a sum that wrapped becomes all ones, a difference that wrapped zero. */
LANE(paddusb, (a.u8 + b.u8) | (u8x16)(a.u8 + b.u8 < a.u8))
LANE(paddusw, (a.u16 + b.u16) | (u16x8)(a.u16 + b.u16 < a.u16))
LANE(psubusb, (a.u8 - b.u8) & (u8x16)(a.u8 > b.u8))
LANE(psubusw, (a.u16 - b.u16) & (u16x8)(a.u16 > b.u16))
/* Products of the 16-bit halves of each 32-bit lane. */
#define LOW_HALVES(v) ((s32x4)((v).u32 << 16) >> 16)
#define HIGH_HALVES(v) ((v).s32 >> 16)
LANE(pmaddwd, (u32x4)(LOW_HALVES(a) * LOW_HALVES(b)) + (u32x4)(HIGH_HALVES(a) * HIGH_HALVES(b)))
LANE(pmulhw, ((u32x4)(LOW_HALVES(a) * LOW_HALVES(b)) >> 16) | ((u32x4)(HIGH_HALVES(a) * HIGH_HALVES(b)) & 0xffff0000))
LANE(pmulhuw, ((a.u32 & 0xffff) * (b.u32 & 0xffff) >> 16) | ((a.u32 >> 16) * (b.u32 >> 16) & 0xffff0000))

/* ---- lanes that change places. x: a list of sixteen lane numbers of a then b, in the guest's order. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE8(A, B, ...) __builtin_shufflevector((A).u8, (B).u8, __VA_ARGS__)
#define SHUFFLE16(A, B, ...) __builtin_shufflevector((A).u16, (B).u16, __VA_ARGS__)
#endif
#endif
#ifndef SHUFFLE8
#define SHUFFLE8(A, B, ...) __builtin_shuffle((A).u8, (B).u8, (u8x16){ __VA_ARGS__ })
#define SHUFFLE16(A, B, ...) __builtin_shuffle((A).u16, (B).u16, (u16x8){ __VA_ARGS__ })
#endif
/* Place n of the result takes lane FROM(n); both in the host's numbering. */
#define PLACES8(FROM) FROM(0), FROM(1), FROM(2), FROM(3), FROM(4), FROM(5), FROM(6), FROM(7), FROM(8), FROM(9), FROM(10), \
    FROM(11), FROM(12), FROM(13), FROM(14), FROM(15)
#define PLACES16(FROM) FROM(0), FROM(1), FROM(2), FROM(3), FROM(4), FROM(5), FROM(6), FROM(7)
#define TURN(n, lanes) (((n) & 1 ? lanes : 0) + (n) / 2)      /* a, b, a, b ... */
#define LOW8(n) LANE8(TURN(LANE8(n), 16))
#define HIGH8(n) LANE8(TURN(LANE8(n), 16) + 8)
#define LOW16(n) LANE16(TURN(LANE16(n), 8))
#define HIGH16(n) LANE16(TURN(LANE16(n), 8) + 4)
LANE(punpcklbw, SHUFFLE8(a, b, PLACES8(LOW8)))
LANE(punpckhbw, SHUFFLE8(a, b, PLACES8(HIGH8)))
LANE(punpcklwd, SHUFFLE16(a, b, PLACES16(LOW16)))
LANE(punpckhwd, SHUFFLE16(a, b, PLACES16(HIGH16)))
LANE(punpcklqdq, ((u64x2){ a.u64[0], b.u64[0] }))
LANE(punpckhqdq, ((u64x2){ a.u64[1], b.u64[1] }))
LANE(punpckldq, ((u64x2){ (uint32_t)a.u64[0] | b.u64[0] << 32, a.u64[0] >> 32 | (b.u64[0] & 0xffffffff00000000) }))
LANE(punpckhdq, ((u64x2){ (uint32_t)a.u64[1] | b.u64[1] << 32, a.u64[1] >> 32 | (b.u64[1] & 0xffffffff00000000) }))

FAST_INLINE uint64_t pick32(union vec v, unsigned n) { return v.u32[LANE32(n & 3)]; }
LANE(pshufd, ((u64x2){ pick32(b, imm) | pick32(b, imm >> 2) << 32, pick32(b, imm >> 4) | pick32(b, imm >> 6) << 32 }))
LANE(shufps, ((u64x2){ pick32(a, imm) | pick32(a, imm >> 2) << 32, pick32(b, imm >> 4) | pick32(b, imm >> 6) << 32 }))
LANE(shufpd, ((u64x2){ imm & 1 ? a.u64[1] : a.u64[0], imm & 2 ? b.u64[1] : b.u64[0] }))

/* ---- shifts. Counts beyond the width give zeros, or copies of the sign. */
FAST_INLINE union vec shift_psllw(union vec v, uint64_t n) { return n > 15 ? (union vec){ 0 } : (union vec)(v.u16 << (uint16_t)n); }
FAST_INLINE union vec shift_psrlw(union vec v, uint64_t n) { return n > 15 ? (union vec){ 0 } : (union vec)(v.u16 >> (uint16_t)n); }
FAST_INLINE union vec shift_pslld(union vec v, uint64_t n) { return n > 31 ? (union vec){ 0 } : (union vec)(v.u32 << (uint32_t)n); }
FAST_INLINE union vec shift_psrld(union vec v, uint64_t n) { return n > 31 ? (union vec){ 0 } : (union vec)(v.u32 >> (uint32_t)n); }
FAST_INLINE union vec shift_psllq(union vec v, uint64_t n) { return n > 63 ? (union vec){ 0 } : (union vec)(v.u64 << n); }
FAST_INLINE union vec shift_psrlq(union vec v, uint64_t n) { return n > 63 ? (union vec){ 0 } : (union vec)(v.u64 >> n); }
FAST_INLINE union vec shift_psraw(union vec v, uint64_t n) { return (union vec)(v.s16 >> (int16_t)(n > 15 ? 15 : n)); }
FAST_INLINE union vec shift_psrad(union vec v, uint64_t n) { return (union vec)(v.s32 >> (int32_t)(n > 31 ? 31 : n)); }
#define SHIFT(NAME) \
    static HANDLER(NAME##_imm) \
    { \
        if (UNLIKELY(sse_stops(c))) SLOW; \
        vec_set(c, i->rm, shift_##NAME(vec_get(c, i->rm), (uint8_t)i->imm)); \
        NEXT; \
    } \
    FAST_INLINE union vec NAME(union vec a, union vec b, unsigned imm) \
    { \
        (void)imm; \
        return shift_##NAME(a, b.u64[0]); \
    } \
    SSE_BINARY(NAME)
SHIFT(psllw)
SHIFT(psrlw)
SHIFT(pslld)
SHIFT(psrld)
SHIFT(psllq)
SHIFT(psrlq)
SHIFT(psraw)
SHIFT(psrad)

/* The register as one number of 128 bits, moved by bytes. */
#define SHIFT_BYTES(NAME, NEAR, FAR) \
    static HANDLER(NAME##_imm) \
    { \
        if (UNLIKELY(sse_stops(c))) SLOW; \
        unsigned n = (uint8_t)i->imm * 8u; \
        uint64_t low = c->xmm[i->rm].q[0], high = c->xmm[i->rm].q[1]; \
        u64x2 v = { 0, 0 }; \
        if (n == 0) v = (u64x2){ low, high }; \
        else if (n < 64) v = (u64x2)NEAR; \
        else if (n < 128) v = (u64x2)FAR; \
        vec_set(c, i->rm, (union vec)v); \
        NEXT; \
    }
#define PAIR(...) { __VA_ARGS__ }
SHIFT_BYTES(psrldq, PAIR(low >> n | high << (64 - n), high >> n), PAIR(high >> (n - 64), 0))
SHIFT_BYTES(pslldq, PAIR(low << n, high << n | low >> (64 - n)), PAIR(0, low << (n - 64)))

/* ---- the top bit of each byte: gathered by a multiplication that moves bit 8k to bit 56 + k */
FAST_INLINE uint64_t byte_signs(uint64_t v) { return (v >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56; }
static HANDLER(pmovmskb)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    c->r[i->reg] = byte_signs(c->xmm[i->rm].q[0]) | byte_signs(c->xmm[i->rm].q[1]) << 8;
    NEXT;
}

#define ROW(NAME) [OP_##NAME##_Vx_Wx] = SIMD_ROW(NAME)
#define ROW_IMM(NAME) [OP_##NAME##_Vx_Wx_Ib] = SIMD_ROW(NAME)
#define ROW_SHIFT(NAME) ROW(NAME), [OP_##NAME##_Ux_Ib] = { NAME##_imm }
insn_handler *const fast_sse_int[OP_COUNT][SIMD_FORMS] = {
    ROW(paddb), ROW(paddw), ROW(paddd), ROW(paddq), ROW(psubb), ROW(psubw), ROW(psubd), ROW(psubq),
    ROW(pand), ROW(pandn), ROW(por), ROW(pxor),
    [OP_andps_Vx_Wx] = SIMD_ROW(pand), [OP_andpd_Vx_Wx] = SIMD_ROW(pand),
    [OP_andnps_Vx_Wx] = SIMD_ROW(pandn), [OP_andnpd_Vx_Wx] = SIMD_ROW(pandn),
    [OP_orps_Vx_Wx] = SIMD_ROW(por), [OP_orpd_Vx_Wx] = SIMD_ROW(por),
    [OP_xorps_Vx_Wx] = SIMD_ROW(pxor), [OP_xorpd_Vx_Wx] = SIMD_ROW(pxor),
    ROW(pcmpeqb), ROW(pcmpeqw), ROW(pcmpeqd), ROW(pcmpgtb), ROW(pcmpgtw), ROW(pcmpgtd),
    ROW(pminub), ROW(pmaxub), ROW(pminsw), ROW(pmaxsw), ROW(pavgb), ROW(pavgw),
    ROW(paddusb), ROW(paddusw), ROW(psubusb), ROW(psubusw),
    ROW(pmullw), ROW(pmulhw), ROW(pmulhuw), ROW(pmuludq), ROW(pmaddwd),
    ROW(punpcklbw), ROW(punpckhbw), ROW(punpcklwd), ROW(punpckhwd), ROW(punpckldq), ROW(punpckhdq),
    ROW(punpcklqdq), ROW(punpckhqdq),
    [OP_unpcklps_Vx_Wx] = SIMD_ROW(punpckldq), [OP_unpckhps_Vx_Wx] = SIMD_ROW(punpckhdq),
    [OP_unpcklpd_Vx_Wx] = SIMD_ROW(punpcklqdq), [OP_unpckhpd_Vx_Wx] = SIMD_ROW(punpckhqdq),
    ROW_IMM(pshufd), ROW_IMM(shufps), ROW_IMM(shufpd),
    ROW_SHIFT(psllw), ROW_SHIFT(psrlw), ROW_SHIFT(pslld), ROW_SHIFT(psrld), ROW_SHIFT(psllq), ROW_SHIFT(psrlq),
    ROW_SHIFT(psraw), ROW_SHIFT(psrad),
    [OP_psrldq_Ux_Ib] = { psrldq_imm }, [OP_pslldq_Ux_Ib] = { pslldq_imm },
    [OP_pmovmskb_Gd_Ux] = { pmovmskb },
};
