/* Fast handlers of the common MMX instructions: moves, lanes, logic, shifts by a constant.
 *
 * Each makes TOP 0 and all tags valid, as its body does (simd.h). */
#include "cpu/fast_simd.h"
#include "cpu/simd.h"

/* #UD, #NM, #MF or the freeze instead of any MMX instruction. */
FAST_INLINE bool mmx_stops(const struct cpu *c) { return ((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES)) != 0; }

/* P op= Q: FUNCTION(a, b) of 64 bits each. */
#define MMX_BINARY_MEM(NAME, FUNCTION, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 8, false); \
        if (UNLIKELY(!p || mmx_stops(c))) SLOW; \
        mmx_enter(c); \
        mmx_set(c, i->reg, FUNCTION(mmx_get(c, i->reg), ld64(p))); \
        NEXT; \
    }
#define MMX_BINARY(NAME, FUNCTION) \
    static HANDLER(NAME##_r) \
    { \
        if (UNLIKELY(mmx_stops(c))) SLOW; \
        mmx_enter(c); \
        mmx_set(c, i->reg, FUNCTION(mmx_get(c, i->reg), mmx_get(c, i->rm))); \
        NEXT; \
    } \
    SIMD_EACH_FORM(MMX_BINARY_MEM, NAME, FUNCTION)
#define MMX_LANES(NAME) MMX_BINARY(NAME, simd_##NAME)
#define EACH_LANES(M) \
    M(paddb) M(paddw) M(paddd) M(paddq) M(psubb) M(psubw) M(psubd) M(psubq) M(paddsb) M(paddsw) M(paddusb) M(paddusw) \
    M(psubsb) M(psubsw) M(psubusb) M(psubusw) M(pcmpeqb) M(pcmpeqw) M(pcmpeqd) M(pcmpgtb) M(pcmpgtw) M(pcmpgtd) \
    M(pmullw) M(pmulhw) M(pmulhuw) M(pmaddwd) M(pmuludq) M(pminub) M(pmaxub) M(pminsw) M(pmaxsw) M(pavgb) M(pavgw) \
    M(pand) M(pandn) M(por) M(pxor)
EACH_LANES(MMX_LANES)
FAST_INLINE uint64_t second(uint64_t a, uint64_t b)
{
    (void)a;
    return b;
}
MMX_BINARY(movq_load, second)

/* ---- stores, and moves from and to general registers */
#define MMX_STORE_MEM(NAME, SIZE, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, SIZE, true); \
        if (UNLIKELY(!p || mmx_stops(c))) SLOW; \
        mmx_enter(c); \
        host_store(p, mmx_get(c, i->reg), SIZE); \
        NEXT; \
    }
#define MMX_LOAD32_MEM(NAME, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p || mmx_stops(c))) SLOW; \
        mmx_enter(c); \
        mmx_set(c, i->reg, ld32(p)); \
        NEXT; \
    }
static HANDLER(movq_store_r)
{
    if (UNLIKELY(mmx_stops(c))) SLOW;
    mmx_enter(c);
    mmx_set(c, i->rm, mmx_get(c, i->reg));
    NEXT;
}
static HANDLER(movd_load_r)
{
    if (UNLIKELY(mmx_stops(c))) SLOW;
    mmx_enter(c);
    mmx_set(c, i->reg, (uint32_t)c->r[i->rm]);
    NEXT;
}
static HANDLER(movd_store_r)
{
    if (UNLIKELY(mmx_stops(c))) SLOW;
    mmx_enter(c);
    c->r[i->rm] = (uint32_t)mmx_get(c, i->reg);
    NEXT;
}
SIMD_EACH_FORM(MMX_STORE_MEM, movq_store, 8)
SIMD_EACH_FORM(MMX_STORE_MEM, movd_store, 4)
SIMD_EACH_FORM(MMX_LOAD32_MEM, movd_load)

#define MMX_SHIFT(NAME, WIDTH, FUNCTION) \
    static HANDLER(NAME) \
    { \
        if (UNLIKELY(mmx_stops(c))) SLOW; \
        mmx_enter(c); \
        mmx_set(c, i->rm, FUNCTION(mmx_get(c, i->rm), WIDTH, (uint8_t)i->imm)); \
        NEXT; \
    }
SIMD_SHIFTS(MMX_SHIFT)

static HANDLER(emms)
{
    if (UNLIKELY(mmx_stops(c))) SLOW;
    c->ftag = 0;
    c->ftop = 0;
    NEXT;
}

#define ROW(NAME) [OP_##NAME##_Pq_Qq] = SIMD_ROW(NAME),
#define ROW_SHIFT(NAME) [OP_##NAME##_Nq_Ib] = { NAME }
insn_handler *const fast_mmx[OP_COUNT][SIMD_FORMS] = {
    EACH_LANES(ROW)
    [OP_movq_Pq_Qq] = SIMD_ROW(movq_load), [OP_movq_Qq_Pq] = SIMD_ROW(movq_store),
    [OP_movntq_Mq_Pq] = { NULL, movq_store_s, movq_store_f, movq_store_b },
    [OP_movd_Pq_Ed] = SIMD_ROW(movd_load), [OP_movd_Ed_Pq] = SIMD_ROW(movd_store),
    ROW_SHIFT(psllw), ROW_SHIFT(pslld), ROW_SHIFT(psllq), ROW_SHIFT(psrlw), ROW_SHIFT(psrld), ROW_SHIFT(psrlq),
    ROW_SHIFT(psraw), ROW_SHIFT(psrad),
    [OP_emms] = { emms },
};
