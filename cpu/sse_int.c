/* SSE2 integer instructions on XMM registers: the MMX operations on 128 bits, and the shuffles and byte shifts of their own.
 *
 * SDM vol. 1 11.4.2. Memory operands are aligned to 16 bytes, or #GP(0). */
#include "cpu/simd.h"

#define SSE_LANES(name) \
    FPU_OP(name##_Vx_Wx) \
    { \
        sse_begin(c); \
        union xmm b = sse_source(c, i), *a = &c->xmm[i->reg]; \
        a->q[0] = simd_##name(a->q[0], b.q[0]); \
        a->q[1] = simd_##name(a->q[1], b.q[1]); \
        return BODY_NEXT; \
    }
SSE_LANES(paddb) SSE_LANES(paddw) SSE_LANES(paddd) SSE_LANES(paddq)
SSE_LANES(psubb) SSE_LANES(psubw) SSE_LANES(psubd) SSE_LANES(psubq)
SSE_LANES(paddsb) SSE_LANES(paddsw) SSE_LANES(paddusb) SSE_LANES(paddusw)
SSE_LANES(psubsb) SSE_LANES(psubsw) SSE_LANES(psubusb) SSE_LANES(psubusw)
SSE_LANES(pcmpeqb) SSE_LANES(pcmpeqw) SSE_LANES(pcmpeqd)
SSE_LANES(pcmpgtb) SSE_LANES(pcmpgtw) SSE_LANES(pcmpgtd)
SSE_LANES(pmullw) SSE_LANES(pmulhw) SSE_LANES(pmulhuw) SSE_LANES(pmaddwd) SSE_LANES(pmuludq)
SSE_LANES(pminub) SSE_LANES(pmaxub) SSE_LANES(pminsw) SSE_LANES(pmaxsw)
SSE_LANES(pavgb) SSE_LANES(pavgw) SSE_LANES(psadbw)
SSE_LANES(pand) SSE_LANES(pandn) SSE_LANES(por) SSE_LANES(pxor)
/* The floating-point logic operations are the same ones under other names. */
#define SSE_LOGIC(name, op) \
    FPU_OP(name##ps_Vx_Wx) { return op_##op##_Vx_Wx(c, i); } \
    FPU_OP(name##pd_Vx_Wx) { return op_##op##_Vx_Wx(c, i); }
SSE_LOGIC(and, pand)
SSE_LOGIC(andn, pandn)
SSE_LOGIC(or, por)
SSE_LOGIC(xor, pxor)

FPU_INLINE enum status shift(struct cpu *c, const struct insn *i, bool by_imm, unsigned width,
                             uint64_t (*f)(uint64_t, unsigned, uint64_t))
{
    if (by_imm && insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    uint64_t n = by_imm ? (uint8_t)i->imm : sse_source(c, i).q[0];
    union xmm *v = &c->xmm[by_imm ? i->rm : i->reg];
    v->q[0] = f(v->q[0], width, n);
    v->q[1] = f(v->q[1], width, n);
    return BODY_NEXT;
}
#define SSE_SHIFT(name, width, f) \
    FPU_OP(name##_Vx_Wx) { return shift(c, i, false, width, f); } \
    FPU_OP(name##_Ux_Ib) { return shift(c, i, true, width, f); }
SIMD_SHIFTS(SSE_SHIFT)

static enum status shift_bytes(struct cpu *c, const struct insn *i, bool left)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    union xmm v = c->xmm[i->rm];
    unsigned n = 8 * (uint8_t)i->imm;
    if (!left) v = (union xmm){ { v.q[1], v.q[0] } };         /* the same movement, seen from the other end */
    if (n >= 128) v.q[0] = v.q[1] = 0;
    else if (n >= 64) v.q[1] = left ? v.q[0] << (n - 64) : v.q[0] >> (n - 64), v.q[0] = 0;
    else if (n && left) v.q[1] = v.q[1] << n | v.q[0] >> (64 - n), v.q[0] <<= n;
    else if (n) v.q[1] = v.q[1] >> n | v.q[0] << (64 - n), v.q[0] >>= n;
    if (!left) v = (union xmm){ { v.q[1], v.q[0] } };
    c->xmm[i->rm] = v;
    return BODY_NEXT;
}
FPU_OP(pslldq_Ux_Ib) { return shift_bytes(c, i, true); }
FPU_OP(psrldq_Ux_Ib) { return shift_bytes(c, i, false); }

FPU_INLINE enum status pack(struct cpu *c, const struct insn *i, unsigned width, bool to_unsigned)
{
    sse_begin(c);
    union xmm b = sse_source(c, i), *a = &c->xmm[i->reg];
    a->q[0] = simd_pack(a->q[0], width, to_unsigned) | (uint64_t)simd_pack(a->q[1], width, to_unsigned) << 32;
    a->q[1] = simd_pack(b.q[0], width, to_unsigned) | (uint64_t)simd_pack(b.q[1], width, to_unsigned) << 32;
    return BODY_NEXT;
}
FPU_OP(packsswb_Vx_Wx) { return pack(c, i, 16, false); }
FPU_OP(packuswb_Vx_Wx) { return pack(c, i, 16, true); }
FPU_OP(packssdw_Vx_Wx) { return pack(c, i, 32, false); }

FPU_INLINE enum status unpack(struct cpu *c, const struct insn *i, unsigned width, bool high)
{
    sse_begin(c);
    uint64_t b = sse_source(c, i).q[high], a = c->xmm[i->reg].q[high];
    union xmm r = { { a, b } };
    if (width < 64) {
        r.q[0] = simd_interleave((uint32_t)a, (uint32_t)b, width);
        r.q[1] = simd_interleave((uint32_t)(a >> 32), (uint32_t)(b >> 32), width);
    }
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(punpcklbw_Vx_Wx) { return unpack(c, i, 8, false); }
FPU_OP(punpcklwd_Vx_Wx) { return unpack(c, i, 16, false); }
FPU_OP(punpckldq_Vx_Wx) { return unpack(c, i, 32, false); }
FPU_OP(punpcklqdq_Vx_Wx) { return unpack(c, i, 64, false); }
FPU_OP(punpckhbw_Vx_Wx) { return unpack(c, i, 8, true); }
FPU_OP(punpckhwd_Vx_Wx) { return unpack(c, i, 16, true); }
FPU_OP(punpckhdq_Vx_Wx) { return unpack(c, i, 32, true); }
FPU_OP(punpckhqdq_Vx_Wx) { return unpack(c, i, 64, true); }
FPU_OP(unpcklps_Vx_Wx) { return unpack(c, i, 32, false); }
FPU_OP(unpckhps_Vx_Wx) { return unpack(c, i, 32, true); }
FPU_OP(unpcklpd_Vx_Wx) { return unpack(c, i, 64, false); }
FPU_OP(unpckhpd_Vx_Wx) { return unpack(c, i, 64, true); }

/* ---- shuffles */
static uint32_t dword(union xmm v, unsigned k) { return (uint32_t)(v.q[k >> 1 & 1] >> (32 * (k & 1))); }

FPU_OP(pshufd_Vx_Wx_Ib)
{
    sse_begin(c);
    union xmm b = sse_source(c, i);
    unsigned s = (uint8_t)i->imm;
    c->xmm[i->reg].q[0] = dword(b, s & 3) | (uint64_t)dword(b, s >> 2 & 3) << 32;
    c->xmm[i->reg].q[1] = dword(b, s >> 4 & 3) | (uint64_t)dword(b, s >> 6) << 32;
    return BODY_NEXT;
}

FPU_OP(shufps_Vx_Wx_Ib)
{
    sse_begin(c);
    union xmm b = sse_source(c, i), a = c->xmm[i->reg];
    unsigned s = (uint8_t)i->imm;
    c->xmm[i->reg].q[0] = dword(a, s & 3) | (uint64_t)dword(a, s >> 2 & 3) << 32;
    c->xmm[i->reg].q[1] = dword(b, s >> 4 & 3) | (uint64_t)dword(b, s >> 6) << 32;
    return BODY_NEXT;
}

FPU_OP(shufpd_Vx_Wx_Ib)
{
    sse_begin(c);
    union xmm b = sse_source(c, i), a = c->xmm[i->reg];
    c->xmm[i->reg].q[0] = a.q[i->imm & 1];
    c->xmm[i->reg].q[1] = b.q[i->imm >> 1 & 1];
    return BODY_NEXT;
}

static uint64_t shuffle_words(uint64_t v, unsigned s)
{
    uint64_t r = 0;
    for (unsigned k = 0; k < 4; k++) r |= (v >> (16 * (s >> (2 * k) & 3)) & 0xffff) << (16 * k);
    return r;
}

FPU_OP(pshuflw_Vx_Wx_Ib)
{
    sse_begin(c);
    union xmm b = sse_source(c, i);
    c->xmm[i->reg] = (union xmm){ { shuffle_words(b.q[0], (uint8_t)i->imm), b.q[1] } };
    return BODY_NEXT;
}

FPU_OP(pshufhw_Vx_Wx_Ib)
{
    sse_begin(c);
    union xmm b = sse_source(c, i);
    c->xmm[i->reg] = (union xmm){ { b.q[0], shuffle_words(b.q[1], (uint8_t)i->imm) } };
    return BODY_NEXT;
}

FPU_OP(pinsrw_Vx_Ed_Ib)
{
    sse_begin(c);
    uint64_t v = insn_is_mem(i) ? mem_read16(c, insn_seg(i), insn_ea(c, i)) : reg16(c, i->rm);
    uint64_t *q = &c->xmm[i->reg].q[i->imm >> 2 & 1];
    unsigned k = 16 * (i->imm & 3);
    *q = (*q & ~(0xffffull << k)) | v << k;
    return BODY_NEXT;
}

FPU_OP(pextrw_Gd_Ux_Ib)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    set_reg32(c, i->reg, c->xmm[i->rm].q[i->imm >> 2 & 1] >> (16 * (i->imm & 3)) & 0xffff);
    return BODY_NEXT;
}

FPU_OP(pmovmskb_Gd_Ux)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    uint32_t r = 0;
    for (unsigned k = 0; k < 16; k++) r |= (uint32_t)(c->xmm[i->rm].q[k >> 3] >> (8 * (k & 7) + 7) & 1) << k;
    set_reg32(c, i->reg, r);
    return BODY_NEXT;
}

FPU_OP(maskmovdqu_Vx_Ux)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    union xmm v = c->xmm[i->reg], mask = c->xmm[i->rm];
    uint64_t at = insn_addrsize(i) == 2 ? reg16(c, R_DI) : insn_addrsize(i) == 4 ? reg32(c, R_DI) : c->r[R_DI];
    access_probe_write(c, insn_seg(i), at, 16);
    for (unsigned k = 0; k < 16; k++)
        if (mask.q[k >> 3] >> (8 * (k & 7) + 7) & 1)
            mem_write8(c, insn_seg(i), at + k, (uint8_t)(v.q[k >> 3] >> (8 * (k & 7))));
    return BODY_NEXT;
}
