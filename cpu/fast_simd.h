/* What the fast handlers of SSE, MMX and the x87 share: registers as vectors of lanes, and the forms of an instruction.
 *
 * GCC's and clang's vector types give every host what it has. Operations on each lane for itself need no care for byte
 * order: the two words of an XMM register are in the host's order, and so is every lane in them. Where lanes change places,
 * LANE8 and its kin name them by their number in the guest.
 *
 * A table holds four handlers for an operation: with a register, and with memory by address form (enum ea). Whatever is
 * unusual goes to the slow body before anything was written: CR0 or CR4 forbid SSE, the operand is not plain memory or not
 * aligned. */
#ifndef CPU_FAST_SIMD_H
#define CPU_FAST_SIMD_H

#include <float.h>
#include "cpu/fast.h"

/* The host's float and double are IEEE 754's, and an operation rounds once; or floats are computed as doubles and rounded a
 * second time (FLT_EVAL_METHOD 1), which changes no sum, product, quotient or root: 53 bits are more than 2 * 24 + 1
 * (Figueroa, "When is double rounding innocuous?", 1995). Elsewhere the bodies compute, in integers. */
enum {
    HOST_FLOATS = (FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1) && FLT_RADIX == 2 && FLT_MANT_DIG == 24 &&
                  FLT_MAX_EXP == 128 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024
};

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t s8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int16_t s16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef int32_t s32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

union vec {
    union xmm x;
    u8x16 u8; s8x16 s8; u16x8 u16; s16x8 s16; u32x4 u32; s32x4 s32; u64x2 u64; f32x4 f32; f64x2 f64;
};

/* Where lane n of the guest stands in a vector. */
#define LANE8(n) ((n) ^ (HOST_BIG_ENDIAN ? 7 : 0))
#define LANE16(n) ((n) ^ (HOST_BIG_ENDIAN ? 3 : 0))
#define LANE32(n) ((n) ^ (HOST_BIG_ENDIAN ? 1 : 0))

FAST_INLINE union vec vec_get(const struct cpu *c, unsigned n) { return (union vec){ .x = c->xmm[n] }; }
FAST_INLINE void vec_set(struct cpu *c, unsigned n, union vec v) { c->xmm[n] = v.x; }
/* Two words in the guest's order. On a host that shares it a copy, which compilers make one instruction. */
FAST_INLINE union vec vec_load(const uint8_t *p)
{
    union vec v;
    memcpy(&v, p, 16);
    if (HOST_BIG_ENDIAN) v.u64 = (u64x2){ ld64(p), ld64(p + 8) };
    return v;
}
FAST_INLINE void vec_store(uint8_t *p, union vec v)
{
    if (HOST_BIG_ENDIAN) v.u64 = (u64x2){ bytes_le64(v.u64[0]), bytes_le64(v.u64[1]) };
    memcpy(p, &v, 16);
}
FAST_INLINE bool misaligned(const uint8_t *p) { return (uintptr_t)p & 15; }    /* host pages start on guest pages */

/* #UD or #NM instead of any SSE instruction. */
FAST_INLINE bool sse_stops(const struct cpu *c)
{
    return ((c->cr0 & (CR0_EM | CR0_TS)) | (~c->cr4 & CR4_OSFXSR)) != 0;
}

#define SIMD_EACH_FORM(M, ...) M(__VA_ARGS__, s, EA_SEGMENT) M(__VA_ARGS__, f, EA_FLAT) M(__VA_ARGS__, b, EA_BASE)
enum { SIMD_FORMS = 1 + EA_FORMS };                           /* register, then memory by enum ea */
#define SIMD_ROW(H) { H##_r, H##_s, H##_f, H##_b }

/* V op= W: NAME(a, b) gives the new V. */
#define SSE_BINARY_MEM(NAME, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 16, false); \
        if (UNLIKELY(!p || misaligned(p) || sse_stops(c))) SLOW; \
        vec_set(c, i->reg, NAME(vec_get(c, i->reg), vec_load(p), (uint8_t)i->imm)); \
        NEXT; \
    }
#define SSE_BINARY(NAME) \
    static HANDLER(NAME##_r) \
    { \
        if (UNLIKELY(sse_stops(c))) SLOW; \
        vec_set(c, i->reg, NAME(vec_get(c, i->reg), vec_get(c, i->rm), (uint8_t)i->imm)); \
        NEXT; \
    } \
    SIMD_EACH_FORM(SSE_BINARY_MEM, NAME)

/* ---- tables, by enum op */
extern insn_handler *const fast_sse_move[OP_COUNT][SIMD_FORMS], *const fast_sse_int[OP_COUNT][SIMD_FORMS],
    *const fast_sse_fp[OP_COUNT][SIMD_FORMS], *const fast_mmx[OP_COUNT][SIMD_FORMS];
/* The x87's rows share bodies, so its tables go by them; the last has none. */
struct fast_x87 { insn_body *body; insn_handler *run[SIMD_FORMS]; };
extern const struct fast_x87 fast_x87_move[], fast_x87_arith[];

/* The handler of an x87, MMX or SSE instruction, or NULL. ea counts only for memory operands. */
static inline insn_handler *fast_simd(const struct insn *i, enum ea ea)
{
    unsigned form = insn_is_mem(i) ? 1 + (unsigned)ea : 0;
    insn_handler *const (*const tables[])[SIMD_FORMS] = { fast_sse_move, fast_sse_int, fast_mmx, fast_sse_fp };
    for (unsigned n = 0; n < sizeof tables / sizeof tables[0] - !HOST_FLOATS; n++)
        if (tables[n][i->op][form]) return tables[n][i->op][form];
    const struct fast_x87 *const x87[] = { fast_x87_move, fast_x87_arith };
    for (unsigned n = 0; n < sizeof x87 / sizeof x87[0]; n++)
        for (const struct fast_x87 *row = x87[n]; row->body; row++)
            if (row->body == optable[i->op].body) return row->run[form];
    return NULL;
}
/* The handler for i and the x87 instruction after it together, or NULL. */
insn_handler *fast_x87_pair(const struct insn *i, enum ea ea, const struct insn *second, enum ea second_ea);

#endif
