/* SSE to SSE3 moves, and the state instructions: LDMXCSR, STMXCSR, FXSAVE, FXRSTOR, fences and prefetches.
 *
 * SDM vol. 1 10.4.1, 10.5, 11.4.1. One opcode often is two instructions: 0F 12 is MOVLPS from memory and MOVHLPS from a
 * register. FXSAVE keeps the x87 in its own order, tags abridged to one bit each, pointers as offset and selector in every
 * mode; it does not look at pending errors. */
#include "base/bytes.h"
#include "cpu/simd.h"

#define MXCSR_MASK 0xffbfu       /* without DAZ; with it FFFFh. SDM vol. 1 11.6.6 */

/* ---- whole registers */
FPU_INLINE enum status load(struct cpu *c, const struct insn *i, bool aligned)
{
    sse_begin(c);
    union xmm v = insn_is_mem(i) ? sse_load(c, i, aligned) : c->xmm[i->rm];
    c->xmm[i->reg] = v;
    return BODY_NEXT;
}
FPU_INLINE enum status store(struct cpu *c, const struct insn *i, bool aligned)
{
    sse_begin(c);
    if (insn_is_mem(i)) sse_store(c, i, c->xmm[i->reg], aligned);
    else c->xmm[i->rm] = c->xmm[i->reg];
    return BODY_NEXT;
}
FPU_OP(movaps_Vx_Wx) { return load(c, i, true); }
FPU_OP(movapd_Vx_Wx) { return load(c, i, true); }
FPU_OP(movdqa_Vx_Wx) { return load(c, i, true); }
FPU_OP(movups_Vx_Wx) { return load(c, i, false); }
FPU_OP(movupd_Vx_Wx) { return load(c, i, false); }
FPU_OP(movdqu_Vx_Wx) { return load(c, i, false); }
FPU_OP(lddqu_Vx_Mx) { return load(c, i, false); }
FPU_OP(movaps_Wx_Vx) { return store(c, i, true); }
FPU_OP(movapd_Wx_Vx) { return store(c, i, true); }
FPU_OP(movdqa_Wx_Vx) { return store(c, i, true); }
FPU_OP(movups_Wx_Vx) { return store(c, i, false); }
FPU_OP(movupd_Wx_Vx) { return store(c, i, false); }
FPU_OP(movdqu_Wx_Vx) { return store(c, i, false); }
FPU_OP(movntps_Mx_Vx) { return store(c, i, true); }
FPU_OP(movntpd_Mx_Vx) { return store(c, i, true); }
FPU_OP(movntdq_Mx_Vx) { return store(c, i, true); }

FPU_OP(movnti_Md_Gd)
{
    mem_write32(c, insn_seg(i), insn_ea(c, i), reg32(c, i->reg));
    return BODY_NEXT;
}

/* ---- scalars: loads from memory clear the rest, moves between registers keep it */
FPU_OP(movss_Vx_Wd)
{
    sse_begin(c);
    uint32_t v = sse_source32(c, i);
    if (insn_is_mem(i)) c->xmm[i->reg] = (union xmm){ { v, 0 } };
    else sse_set_low32(c, i->reg, v);
    return BODY_NEXT;
}
FPU_OP(movss_Wd_Vx)
{
    sse_begin(c);
    uint32_t v = (uint32_t)c->xmm[i->reg].q[0];
    if (insn_is_mem(i)) mem_write32(c, insn_seg(i), insn_ea(c, i), v);
    else sse_set_low32(c, i->rm, v);
    return BODY_NEXT;
}
FPU_OP(movsd_Vx_Wq)
{
    sse_begin(c);
    uint64_t v = sse_source64(c, i);
    c->xmm[i->reg].q[0] = v;
    if (insn_is_mem(i)) c->xmm[i->reg].q[1] = 0;
    return BODY_NEXT;
}
FPU_OP(movsd_Wq_Vx)
{
    sse_begin(c);
    uint64_t v = c->xmm[i->reg].q[0];
    if (insn_is_mem(i)) mem_write64(c, insn_seg(i), insn_ea(c, i), v);
    else c->xmm[i->rm].q[0] = v;
    return BODY_NEXT;
}
FPU_OP(movq_Vx_Wq)
{
    sse_begin(c);
    c->xmm[i->reg] = (union xmm){ { sse_source64(c, i), 0 } };
    return BODY_NEXT;
}
FPU_OP(movq_Wq_Vx)
{
    sse_begin(c);
    uint64_t v = c->xmm[i->reg].q[0];
    if (insn_is_mem(i)) mem_write64(c, insn_seg(i), insn_ea(c, i), v);
    else c->xmm[i->rm] = (union xmm){ { v, 0 } };
    return BODY_NEXT;
}
FPU_OP(movd_Vx_Ed)
{
    sse_begin(c);
    c->xmm[i->reg] = (union xmm){ { (uint32_t)rm_read(c, i, 4), 0 } };
    return BODY_NEXT;
}
FPU_OP(movd_Ed_Vx)
{
    sse_begin(c);
    rm_write(c, i, (uint32_t)c->xmm[i->reg].q[0], 4);
    return BODY_NEXT;
}
FPU_OP(movq2dq_Vx_Nq)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    mmx_enter(c);
    c->xmm[i->reg] = (union xmm){ { mmx_get(c, i->rm), 0 } };
    return BODY_NEXT;
}
FPU_OP(movdq2q_Pq_Ux)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    mmx_enter(c);
    mmx_set(c, i->reg, c->xmm[i->rm].q[0]);
    return BODY_NEXT;
}

/* ---- halves */
FPU_OP(movlps_Vx_Wq)                                          /* registers: MOVHLPS */
{
    sse_begin(c);
    c->xmm[i->reg].q[0] = insn_is_mem(i) ? mem_read64(c, insn_seg(i), insn_ea(c, i)) : c->xmm[i->rm].q[1];
    return BODY_NEXT;
}
FPU_OP(movhps_Vx_Wq)                                          /* registers: MOVLHPS */
{
    sse_begin(c);
    c->xmm[i->reg].q[1] = insn_is_mem(i) ? mem_read64(c, insn_seg(i), insn_ea(c, i)) : c->xmm[i->rm].q[0];
    return BODY_NEXT;
}
FPU_INLINE enum status half(struct cpu *c, const struct insn *i, unsigned n, bool to_memory)
{
    sse_begin(c);
    uint64_t ea = insn_ea(c, i);
    if (to_memory) mem_write64(c, insn_seg(i), ea, c->xmm[i->reg].q[n]);
    else c->xmm[i->reg].q[n] = mem_read64(c, insn_seg(i), ea);
    return BODY_NEXT;
}
FPU_OP(movlps_Mq_Vx) { return half(c, i, 0, true); }
FPU_OP(movhps_Mq_Vx) { return half(c, i, 1, true); }
FPU_OP(movlpd_Vx_Mq) { return half(c, i, 0, false); }
FPU_OP(movhpd_Vx_Mq) { return half(c, i, 1, false); }
FPU_OP(movlpd_Mq_Vx) { return half(c, i, 0, true); }
FPU_OP(movhpd_Mq_Vx) { return half(c, i, 1, true); }

FPU_OP(movmskps_Gd_Ux)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    union xmm v = c->xmm[i->rm];
    set_reg32(c, i->reg, (uint32_t)((v.q[0] >> 31 & 1) | (v.q[0] >> 63) << 1 | (v.q[1] >> 31 & 1) << 2 | (v.q[1] >> 63) << 3));
    return BODY_NEXT;
}
FPU_OP(movmskpd_Gd_Ux)
{
    if (insn_is_mem(i)) cpu_ud(c);
    sse_begin(c);
    set_reg32(c, i->reg, (uint32_t)(c->xmm[i->rm].q[0] >> 63 | (c->xmm[i->rm].q[1] >> 63) << 1));
    return BODY_NEXT;
}

/* ---- SSE3 duplicates */
FPU_OP(movddup_Vx_Wq)
{
    sse_begin(c);
    uint64_t v = sse_source64(c, i);
    c->xmm[i->reg] = (union xmm){ { v, v } };
    return BODY_NEXT;
}
FPU_OP(movsldup_Vx_Wx)
{
    sse_begin(c);
    union xmm v = sse_source(c, i);
    for (unsigned n = 0; n < 2; n++) c->xmm[i->reg].q[n] = (v.q[n] & 0xffffffff) | v.q[n] << 32;
    return BODY_NEXT;
}
FPU_OP(movshdup_Vx_Wx)
{
    sse_begin(c);
    union xmm v = sse_source(c, i);
    for (unsigned n = 0; n < 2; n++) c->xmm[i->reg].q[n] = v.q[n] >> 32 | (v.q[n] & 0xffffffff00000000);
    return BODY_NEXT;
}

/* ---- state */
static uint32_t mxcsr_mask(const struct cpu *c) { return cpu_has(c, F_SSE2) ? 0xffff : MXCSR_MASK; }

FPU_OP(ldmxcsr_Md)
{
    sse_begin(c);
    uint32_t v = mem_read32(c, insn_seg(i), insn_ea(c, i));
    if (v & ~mxcsr_mask(c)) cpu_gp0(c);
    c->mxcsr = v;
    return BODY_NEXT;
}
FPU_OP(stmxcsr_Md)
{
    sse_begin(c);
    mem_write32(c, insn_seg(i), insn_ea(c, i), c->mxcsr);
    return BODY_NEXT;
}

enum { FX_SIZE = 512, FX_ST = 32, FX_XMM = 160, FX_XMM_END = 288, FX_USED = 288 };

static uint64_t fx_begin(struct cpu *c, const struct insn *i)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) cpu_fault(c, V_NM, 0);    /* SDM vol. 2, FXSAVE */
    return sse_ea(c, i, true);
}

FPU_OP(fxsave_M)
{
    uint64_t ea = fx_begin(c, i);
    uint8_t b[FX_XMM_END] = { 0 };
    unsigned size = c->cr4 & CR4_OSFXSR ? FX_XMM_END : FX_XMM;
    st16(b, c->fcw);
    st16(b + 2, fpu_status_word(c));
    b[4] = c->ftag;
    st16(b + 6, c->fop);
    st32(b + 8, (uint32_t)c->fip);
    st16(b + 12, c->fcs);
    st32(b + 16, (uint32_t)c->fdp);
    st16(b + 20, c->fds);
    if (cpu_has(c, F_SSE)) {
        st32(b + 24, c->mxcsr);
        st32(b + 28, mxcsr_mask(c));
    }
    for (unsigned n = 0; n < 8; n++) {
        struct f80 v = fpu_st(c, n);
        st64(b + FX_ST + 16 * n, v.mant);
        st16(b + FX_ST + 16 * n + 8, (uint16_t)v.se);
        st64(b + FX_XMM + 16 * n, c->xmm[n].q[0]);
        st64(b + FX_XMM + 16 * n + 8, c->xmm[n].q[1]);
    }
    access_probe_write(c, insn_seg(i), ea, FX_SIZE);
    mem_write_bytes(c, insn_seg(i), ea, b, cpu_has(c, F_SSE) ? size : FX_XMM);
    return BODY_NEXT;
}

FPU_OP(fxrstor_M)
{
    uint64_t ea = fx_begin(c, i);
    uint8_t b[FX_XMM_END];
    access_probe_read(c, insn_seg(i), ea, FX_SIZE);
    mem_read_bytes(c, insn_seg(i), ea, b, sizeof b);
    bool sse = cpu_has(c, F_SSE) && c->cr4 & CR4_OSFXSR;
    if (sse && ld32(b + 24) & ~mxcsr_mask(c)) cpu_gp0(c);
    c->ftag = b[4];
    c->fop = ld16(b + 6) & 0x7ff;
    c->fip = ld32(b + 8);
    c->fcs = ld16(b + 12);
    c->fdp = ld32(b + 16);
    c->fds = ld16(b + 20);
    c->fcw = ld16(b);
    fpu_set_status_word(c, ld16(b + 2));
    fpu_set_control_word(c, c->fcw);
    for (unsigned n = 0; n < 8; n++) {
        fpu_set_reg(c, fpu_reg(c, n), (struct f80){ .mant = ld64(b + FX_ST + 16 * n), .se = ld16(b + FX_ST + 16 * n + 8) });
        if (sse) c->xmm[n] = (union xmm){ { ld64(b + FX_XMM + 16 * n), ld64(b + FX_XMM + 16 * n + 8) } };
    }
    if (sse) c->mxcsr = ld32(b + 24);
    return BODY_NEXT;
}

/* ---- ordering and caches: this processor does everything in order and at once */
FPU_INLINE enum status nothing(struct cpu *c, const struct insn *i)
{
    (void)c, (void)i;
    return BODY_NEXT;
}
FPU_OP(sfence) { return nothing(c, i); }
FPU_OP(lfence) { return nothing(c, i); }
FPU_OP(mfence) { return nothing(c, i); }
FPU_OP(prefetchnta_M) { return nothing(c, i); }
FPU_OP(prefetcht0_M) { return nothing(c, i); }
FPU_OP(prefetcht1_M) { return nothing(c, i); }
FPU_OP(prefetcht2_M) { return nothing(c, i); }
FPU_OP(clflush_M)
{
    access_probe_read(c, insn_seg(i), insn_ea(c, i), 1);
    return BODY_NEXT;
}
