/* MMX, and what SSE added to it (PSHUFW, PINSRW, PEXTRW, PMOVMSKB, PAVG, PMIN, PMAX, PMULHUW, PSADBW, MASKMOVQ, MOVNTQ).
 *
 * SDM vol. 1 chapter 9, vol. 2. The oddity is that all this happens in the x87's registers: see simd.h. */
#include "cpu/simd.h"

#define MMX_LANES(name) \
    FPU_OP(name##_Pq_Qq) \
    { \
        if (mmx_begin(c)) return BODY_AGAIN; \
        uint64_t b = mmx_source(c, i); \
        mmx_enter(c); \
        mmx_set(c, i->reg, simd_##name(mmx_get(c, i->reg), b)); \
        return BODY_NEXT; \
    }
MMX_LANES(paddb) MMX_LANES(paddw) MMX_LANES(paddd) MMX_LANES(paddq)
MMX_LANES(psubb) MMX_LANES(psubw) MMX_LANES(psubd) MMX_LANES(psubq)
MMX_LANES(paddsb) MMX_LANES(paddsw) MMX_LANES(paddusb) MMX_LANES(paddusw)
MMX_LANES(psubsb) MMX_LANES(psubsw) MMX_LANES(psubusb) MMX_LANES(psubusw)
MMX_LANES(pcmpeqb) MMX_LANES(pcmpeqw) MMX_LANES(pcmpeqd)
MMX_LANES(pcmpgtb) MMX_LANES(pcmpgtw) MMX_LANES(pcmpgtd)
MMX_LANES(pmullw) MMX_LANES(pmulhw) MMX_LANES(pmulhuw) MMX_LANES(pmaddwd) MMX_LANES(pmuludq)
MMX_LANES(pminub) MMX_LANES(pmaxub) MMX_LANES(pminsw) MMX_LANES(pmaxsw)
MMX_LANES(pavgb) MMX_LANES(pavgw) MMX_LANES(psadbw)
MMX_LANES(pand) MMX_LANES(pandn) MMX_LANES(por) MMX_LANES(pxor)

/* ---- shifts: by a register or memory, or by an immediate byte */
FPU_INLINE enum status shift(struct cpu *c, const struct insn *i, bool by_imm, unsigned width,
                             uint64_t (*f)(uint64_t, unsigned, uint64_t))
{
    if (by_imm && insn_is_mem(i)) cpu_ud(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t n = by_imm ? (uint8_t)i->imm : mmx_source(c, i);
    unsigned reg = by_imm ? i->rm : i->reg;
    mmx_enter(c);
    mmx_set(c, reg, f(mmx_get(c, reg), width, n));
    return BODY_NEXT;
}
#define MMX_SHIFT(name, width, f) \
    FPU_OP(name##_Pq_Qq) { return shift(c, i, false, width, f); } \
    FPU_OP(name##_Nq_Ib) { return shift(c, i, true, width, f); }
SIMD_SHIFTS(MMX_SHIFT)

/* ---- packing and interleaving. The low forms read 32 bits of memory. */
FPU_INLINE enum status pack(struct cpu *c, const struct insn *i, unsigned width, bool to_unsigned)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t b = mmx_source(c, i);
    mmx_enter(c);
    mmx_set(c, i->reg, simd_pack(mmx_get(c, i->reg), width, to_unsigned) | (uint64_t)simd_pack(b, width, to_unsigned) << 32);
    return BODY_NEXT;
}
FPU_OP(packsswb_Pq_Qq) { return pack(c, i, 16, false); }
FPU_OP(packuswb_Pq_Qq) { return pack(c, i, 16, true); }
FPU_OP(packssdw_Pq_Qq) { return pack(c, i, 32, false); }

FPU_INLINE enum status unpack(struct cpu *c, const struct insn *i, unsigned width, bool high)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t b;
    if (high || !insn_is_mem(i)) b = mmx_source(c, i);
    else b = mem_read32(c, insn_seg(i), insn_ea(c, i));
    mmx_enter(c);
    uint64_t a = mmx_get(c, i->reg);
    mmx_set(c, i->reg, simd_interleave((uint32_t)(high ? a >> 32 : a), (uint32_t)(high ? b >> 32 : b), width));
    return BODY_NEXT;
}
FPU_OP(punpcklbw_Pq_Qd) { return unpack(c, i, 8, false); }
FPU_OP(punpcklwd_Pq_Qd) { return unpack(c, i, 16, false); }
FPU_OP(punpckldq_Pq_Qd) { return unpack(c, i, 32, false); }
FPU_OP(punpckhbw_Pq_Qq) { return unpack(c, i, 8, true); }
FPU_OP(punpckhwd_Pq_Qq) { return unpack(c, i, 16, true); }
FPU_OP(punpckhdq_Pq_Qq) { return unpack(c, i, 32, true); }

/* ---- moves */
FPU_OP(movd_Pq_Ed)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t v = rm_read(c, i, 4);
    mmx_enter(c);
    mmx_set(c, i->reg, (uint32_t)v);
    return BODY_NEXT;
}

FPU_OP(movd_Ed_Pq)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    rm_write(c, i, (uint32_t)mmx_get(c, i->reg), 4);
    mmx_enter(c);
    return BODY_NEXT;
}

FPU_OP(movq_Pq_Qq)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t v = mmx_source(c, i);
    mmx_enter(c);
    mmx_set(c, i->reg, v);
    return BODY_NEXT;
}

FPU_OP(movq_Qq_Pq)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t v = mmx_get(c, i->reg);
    if (insn_is_mem(i)) mem_write64(c, insn_seg(i), insn_ea(c, i), v);
    else mmx_set(c, i->rm, v);
    mmx_enter(c);
    return BODY_NEXT;
}

FPU_OP(movntq_Mq_Pq)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    mem_write64(c, insn_seg(i), insn_ea(c, i), mmx_get(c, i->reg));
    mmx_enter(c);
    return BODY_NEXT;
}

FPU_OP(emms)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    (void)i;
    c->ftag = 0;
    c->ftop = 0;
    return BODY_NEXT;
}

/* ---- what SSE added */
FPU_OP(pshufw_Pq_Qq_Ib)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t b = mmx_source(c, i), r = 0;
    for (unsigned k = 0; k < 4; k++) r |= (b >> (16 * (i->imm >> (2 * k) & 3)) & 0xffff) << (16 * k);
    mmx_enter(c);
    mmx_set(c, i->reg, r);
    return BODY_NEXT;
}

FPU_OP(pinsrw_Pq_Ed_Ib)
{
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t v = insn_is_mem(i) ? mem_read16(c, insn_seg(i), insn_ea(c, i)) : reg16(c, i->rm);
    unsigned k = 16 * (i->imm & 3);
    mmx_enter(c);
    mmx_set(c, i->reg, (mmx_get(c, i->reg) & ~(0xffffull << k)) | v << k);
    return BODY_NEXT;
}

FPU_OP(pextrw_Gd_Nq_Ib)
{
    if (insn_is_mem(i)) cpu_ud(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    mmx_enter(c);
    set_reg32(c, i->reg, mmx_get(c, i->rm) >> (16 * (i->imm & 3)) & 0xffff);
    return BODY_NEXT;
}

FPU_OP(pmovmskb_Gd_Nq)
{
    if (insn_is_mem(i)) cpu_ud(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    mmx_enter(c);
    uint64_t v = mmx_get(c, i->rm);
    uint32_t r = 0;
    for (unsigned k = 0; k < 8; k++) r |= (uint32_t)(v >> (8 * k + 7) & 1) << k;
    set_reg32(c, i->reg, r);
    return BODY_NEXT;
}

/* Bytes whose mask byte is negative go to DS:(E)DI. All are checked, whatever the mask (SDM: may fault on none). */
FPU_OP(maskmovq_Pq_Nq)
{
    if (insn_is_mem(i)) cpu_ud(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    uint64_t v = mmx_get(c, i->reg), mask = mmx_get(c, i->rm);
    uint64_t at = insn_addrsize(i) == 2 ? reg16(c, R_DI) : insn_addrsize(i) == 4 ? reg32(c, R_DI) : c->r[R_DI];
    access_probe_write(c, insn_seg(i), at, 8);
    for (unsigned k = 0; k < 8; k++)
        if (mask >> (8 * k + 7) & 1) mem_write8(c, insn_seg(i), at + k, (uint8_t)(v >> (8 * k)));
    mmx_enter(c);
    return BODY_NEXT;
}
