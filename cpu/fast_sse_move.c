/* Fast handlers of the SSE moves: whole registers, scalars, halves, to and from general registers.
 *
 * A register is always written whole, with one store, where the instruction leaves that open: a 16-byte load after two
 * 8-byte stores would have to wait for both. */
#include "cpu/fast_simd.h"

/* ---- whole registers. ALIGNED: misaligned addresses fault. */
#define LOAD_MEM(NAME, ALIGNED, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 16, false); \
        if (UNLIKELY(!p || (ALIGNED && misaligned(p)) || sse_stops(c))) SLOW; \
        vec_set(c, i->reg, vec_load(p)); \
        NEXT; \
    }
#define STORE_MEM(NAME, ALIGNED, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 16, true); \
        if (UNLIKELY(!p || (ALIGNED && misaligned(p)) || sse_stops(c))) SLOW; \
        vec_store(p, vec_get(c, i->reg)); \
        NEXT; \
    }
static HANDLER(load_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    c->xmm[i->reg] = c->xmm[i->rm];
    NEXT;
}
static HANDLER(store_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    c->xmm[i->rm] = c->xmm[i->reg];
    NEXT;
}
SIMD_EACH_FORM(LOAD_MEM, aligned_load, true)
SIMD_EACH_FORM(LOAD_MEM, load, false)
SIMD_EACH_FORM(STORE_MEM, aligned_store, true)
SIMD_EACH_FORM(STORE_MEM, store, false)
#define ALIGNED_LOAD { load_r, aligned_load_s, aligned_load_f, aligned_load_b }
#define ALIGNED_STORE { store_r, aligned_store_s, aligned_store_f, aligned_store_b }
#define STREAM_STORE { NULL, aligned_store_s, aligned_store_f, aligned_store_b }

/* ---- scalars. A load clears the rest of the register; between registers MOVSS and MOVSD keep it, MOVQ clears it. */
#define SCALAR_LOAD_MEM(NAME, SIZE, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
        if (UNLIKELY(!p || sse_stops(c))) SLOW; \
        vec_set(c, i->reg, (union vec){ .u64 = { host_load(p, SIZE), 0 } }); \
        NEXT; \
    }
#define SCALAR_STORE_MEM(NAME, SIZE, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, SIZE, true); \
        if (UNLIKELY(!p || sse_stops(c))) SLOW; \
        host_store(p, c->xmm[i->reg].q[0], SIZE); \
        NEXT; \
    }
SIMD_EACH_FORM(SCALAR_LOAD_MEM, load32, 4)
SIMD_EACH_FORM(SCALAR_LOAD_MEM, load64, 8)
SIMD_EACH_FORM(SCALAR_STORE_MEM, store32, 4)
SIMD_EACH_FORM(SCALAR_STORE_MEM, store64, 8)

/* to: the register that changes */
#define MOVE_REGISTERS(NAME, TO, FROM, LOW, HIGH) \
    static HANDLER(NAME) \
    { \
        if (UNLIKELY(sse_stops(c))) SLOW; \
        const union vec to = vec_get(c, TO), from = vec_get(c, FROM); \
        (void)to; \
        vec_set(c, TO, (union vec){ .u64 = { LOW, HIGH } }); \
        NEXT; \
    }
#define LOW32(to, from) ((to).u64[0] & 0xffffffff00000000) | (uint32_t)(from).u64[0]
MOVE_REGISTERS(movss_load_r, i->reg, i->rm, LOW32(to, from), to.u64[1])
MOVE_REGISTERS(movss_store_r, i->rm, i->reg, LOW32(to, from), to.u64[1])
MOVE_REGISTERS(movsd_load_r, i->reg, i->rm, from.u64[0], to.u64[1])
MOVE_REGISTERS(movsd_store_r, i->rm, i->reg, from.u64[0], to.u64[1])
MOVE_REGISTERS(movq_load_r, i->reg, i->rm, from.u64[0], 0)
MOVE_REGISTERS(movq_store_r, i->rm, i->reg, from.u64[0], 0)
MOVE_REGISTERS(movhlps_r, i->reg, i->rm, from.u64[1], to.u64[1])
MOVE_REGISTERS(movlhps_r, i->reg, i->rm, to.u64[0], from.u64[0])
MOVE_REGISTERS(movddup_r, i->reg, i->rm, from.u64[0], from.u64[0])
#define LOAD32(R) { R, load32_s, load32_f, load32_b }
#define LOAD64(R) { R, load64_s, load64_f, load64_b }
#define STORE32(R) { R, store32_s, store32_f, store32_b }
#define STORE64(R) { R, store64_s, store64_f, store64_b }

/* ---- halves */
#define HALF_MEM(NAME, LOW, HIGH, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 8, false); \
        if (UNLIKELY(!p || sse_stops(c))) SLOW; \
        const union vec to = vec_get(c, i->reg); \
        const uint64_t v = ld64(p); \
        (void)to; \
        vec_set(c, i->reg, (union vec){ .u64 = { LOW, HIGH } }); \
        NEXT; \
    }
#define HIGH_STORE_MEM(NAME, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 8, true); \
        if (UNLIKELY(!p || sse_stops(c))) SLOW; \
        st64(p, c->xmm[i->reg].q[1]); \
        NEXT; \
    }
SIMD_EACH_FORM(HALF_MEM, load_low, v, to.u64[1])
SIMD_EACH_FORM(HALF_MEM, load_high, to.u64[0], v)
SIMD_EACH_FORM(HALF_MEM, load_both, v, v)
SIMD_EACH_FORM(HIGH_STORE_MEM, store_high)
#define LOAD_LOW(R) { R, load_low_s, load_low_f, load_low_b }
#define LOAD_HIGH(R) { R, load_high_s, load_high_f, load_high_b }
#define STORE_HIGH { NULL, store_high_s, store_high_f, store_high_b }

/* ---- general registers */
static HANDLER(movd_load_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    vec_set(c, i->reg, (union vec){ .u64 = { (uint32_t)c->r[i->rm], 0 } });
    NEXT;
}
static HANDLER(movd_store_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    c->r[i->rm] = (uint32_t)c->xmm[i->reg].q[0];
    NEXT;
}
static HANDLER(movmskpd_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    c->r[i->reg] = c->xmm[i->rm].q[0] >> 63 | (c->xmm[i->rm].q[1] >> 63) << 1;
    NEXT;
}
static HANDLER(movmskps_r)
{
    if (UNLIKELY(sse_stops(c))) SLOW;
    uint64_t a = c->xmm[i->rm].q[0], b = c->xmm[i->rm].q[1];
    c->r[i->reg] = (a >> 31 & 1) | (a >> 63) << 1 | (b >> 31 & 1) << 2 | (b >> 63) << 3;
    NEXT;
}

insn_handler *const fast_sse_move[OP_COUNT][SIMD_FORMS] = {
    [OP_movaps_Vx_Wx] = ALIGNED_LOAD, [OP_movapd_Vx_Wx] = ALIGNED_LOAD, [OP_movdqa_Vx_Wx] = ALIGNED_LOAD,
    [OP_movups_Vx_Wx] = SIMD_ROW(load), [OP_movupd_Vx_Wx] = SIMD_ROW(load), [OP_movdqu_Vx_Wx] = SIMD_ROW(load),
    [OP_lddqu_Vx_Mx] = SIMD_ROW(load),
    [OP_movaps_Wx_Vx] = ALIGNED_STORE, [OP_movapd_Wx_Vx] = ALIGNED_STORE, [OP_movdqa_Wx_Vx] = ALIGNED_STORE,
    [OP_movups_Wx_Vx] = SIMD_ROW(store), [OP_movupd_Wx_Vx] = SIMD_ROW(store), [OP_movdqu_Wx_Vx] = SIMD_ROW(store),
    [OP_movntps_Mx_Vx] = STREAM_STORE, [OP_movntpd_Mx_Vx] = STREAM_STORE, [OP_movntdq_Mx_Vx] = STREAM_STORE,
    [OP_movss_Vx_Wd] = LOAD32(movss_load_r), [OP_movss_Wd_Vx] = STORE32(movss_store_r),
    [OP_movsd_Vx_Wq] = LOAD64(movsd_load_r), [OP_movsd_Wq_Vx] = STORE64(movsd_store_r),
    [OP_movq_Vx_Wq] = LOAD64(movq_load_r), [OP_movq_Wq_Vx] = STORE64(movq_store_r),
    [OP_movd_Vx_Ed] = LOAD32(movd_load_r), [OP_movd_Ed_Vx] = STORE32(movd_store_r),
    [OP_movlps_Vx_Wq] = LOAD_LOW(movhlps_r), [OP_movhps_Vx_Wq] = LOAD_HIGH(movlhps_r),
    [OP_movlpd_Vx_Mq] = LOAD_LOW(NULL), [OP_movhpd_Vx_Mq] = LOAD_HIGH(NULL),
    [OP_movlps_Mq_Vx] = STORE64(NULL), [OP_movlpd_Mq_Vx] = STORE64(NULL),
    [OP_movhps_Mq_Vx] = STORE_HIGH, [OP_movhpd_Mq_Vx] = STORE_HIGH,
    [OP_movddup_Vx_Wq] = { movddup_r, load_both_s, load_both_f, load_both_b },
    [OP_movmskpd_Gd_Ux] = { movmskpd_r }, [OP_movmskps_Gd_Ux] = { movmskps_r },
};
