/* SSE, SSE2 and SSE3 floating-point arithmetic, comparison and conversion.
 *
 * SDM vol. 1 10.4, 11.4, 11.5. All lanes of an instruction are computed first; their exceptions are joined in MXCSR, and if
 * one is unmasked the instruction faults with #XM (#UD without CR4.OSXMMEXCPT) and writes no register. If an unmasked
 * exception is of the kind found before computing (IE, DE, ZE), those found after rounding are not reported
 * (SDM vol. 1 11.5.3). RCP and RSQRT never raise anything.
 *
 * GAP: the 12 bits of RCPSS and RSQRTSS are the correctly rounded ones; silicon's tables differ in the last of them. */
#include "cpu/simd.h"

enum { MXCSR_DAZ = 0x40, MXCSR_FTZ = 0x8000, BEFORE = SF_IE | SF_DE | SF_ZE };

static struct sf sse_env(const struct cpu *c)
{
    uint8_t masks = c->mxcsr >> 7 & SF_EXCEPTIONS;
    return (struct sf){ .rc = c->mxcsr >> 13 & 3, .masks = masks, .daz = c->mxcsr & MXCSR_DAZ,
                        .ftz = c->mxcsr & MXCSR_FTZ && masks & SF_UE };
}

/* Joins the exceptions of a whole instruction into MXCSR. Faults if one is unmasked. */
static void sse_finish(struct cpu *c, const struct sf *s)
{
    unsigned flags = s->flags & SF_EXCEPTIONS;
    if (flags & BEFORE & ~s->masks) flags &= BEFORE;
    c->mxcsr |= flags;
    if (FPU_UNLIKELY(flags & ~s->masks)) {
        if (c->cr4 & CR4_OSXMMEXCPT) cpu_fault(c, V_XM, 0);
        cpu_ud(c);
    }
}

typedef uint32_t op32(uint32_t a, uint32_t b, struct sf *s);
typedef uint64_t op64(uint64_t a, uint64_t b, struct sf *s);

/* Two single-precision lanes of a word. */
FPU_INLINE uint64_t pair32(op32 *f, uint64_t a, uint64_t b, struct sf *s)
{
    uint64_t low = f((uint32_t)a, (uint32_t)b, s);
    return low | (uint64_t)f((uint32_t)(a >> 32), (uint32_t)(b >> 32), s) << 32;
}

FPU_INLINE enum status packed32(struct cpu *c, const struct insn *i, op32 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    r.q[0] = pair32(f, a.q[0], b.q[0], &s);
    r.q[1] = pair32(f, a.q[1], b.q[1], &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_INLINE enum status packed64(struct cpu *c, const struct insn *i, op64 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    r.q[0] = f(a.q[0], b.q[0], &s);
    r.q[1] = f(a.q[1], b.q[1], &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_INLINE enum status scalar32(struct cpu *c, const struct insn *i, op32 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint32_t b = sse_source32(c, i), r = f((uint32_t)c->xmm[i->reg].q[0], b, &s);
    sse_finish(c, &s);
    sse_set_low32(c, i->reg, r);
    return BODY_NEXT;
}
FPU_INLINE enum status scalar64(struct cpu *c, const struct insn *i, op64 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t b = sse_source64(c, i), r = f(c->xmm[i->reg].q[0], b, &s);
    sse_finish(c, &s);
    c->xmm[i->reg].q[0] = r;
    return BODY_NEXT;
}

/* MIN and MAX: the second operand if either is a NaN or both are zero. */
FPU_INLINE bool take_first(int order, bool max) { return order == (max ? SF_GREATER : SF_LESS); }
static uint32_t daz32(uint32_t v, const struct sf *s) { return s->daz && !(v & 0x7f800000) ? v & 0x80000000 : v; }
static uint64_t daz64(uint64_t v, const struct sf *s) { return s->daz && !(v & 0x7ffull << 52) ? v & 1ull << 63 : v; }
#define MIN_MAX(name, max) \
    static uint32_t f32_##name(uint32_t a, uint32_t b, struct sf *s) \
    { \
        return daz32(take_first(f32_compare(a, b, false, s), max) ? a : b, s); \
    } \
    static uint64_t f64_##name(uint64_t a, uint64_t b, struct sf *s) \
    { \
        return daz64(take_first(f64_compare(a, b, false, s), max) ? a : b, s); \
    }
MIN_MAX(min, false)
MIN_MAX(max, true)

static uint32_t f32_root(uint32_t a, uint32_t b, struct sf *s) { (void)a; return f32_sqrt(b, s); }
static uint64_t f64_root(uint64_t a, uint64_t b, struct sf *s) { (void)a; return f64_sqrt(b, s); }

#define ARITHMETIC(name, f) \
    FPU_OP(name##ps_Vx_Wx) { return packed32(c, i, f32_##f); } \
    FPU_OP(name##pd_Vx_Wx) { return packed64(c, i, f64_##f); } \
    FPU_OP(name##ss_Vx_Wd) { return scalar32(c, i, f32_##f); } \
    FPU_OP(name##sd_Vx_Wq) { return scalar64(c, i, f64_##f); }
ARITHMETIC(add, add)
ARITHMETIC(mul, mul)
ARITHMETIC(sub, sub)
ARITHMETIC(div, div)
ARITHMETIC(min, min)
ARITHMETIC(max, max)
ARITHMETIC(sqrt, root)

/* ---- SSE3: alternate and horizontal */
FPU_OP(addsubps_Vx_Wx)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    for (unsigned n = 0; n < 2; n++) {
        uint64_t low = f32_sub((uint32_t)a.q[n], (uint32_t)b.q[n], &s);
        r.q[n] = low | (uint64_t)f32_add((uint32_t)(a.q[n] >> 32), (uint32_t)(b.q[n] >> 32), &s) << 32;
    }
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(addsubpd_Vx_Wx)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    r.q[0] = f64_sub(a.q[0], b.q[0], &s);
    r.q[1] = f64_add(a.q[1], b.q[1], &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_INLINE enum status horizontal32(struct cpu *c, const struct insn *i, op32 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    r.q[0] = f((uint32_t)a.q[0], (uint32_t)(a.q[0] >> 32), &s);
    r.q[0] |= (uint64_t)f((uint32_t)a.q[1], (uint32_t)(a.q[1] >> 32), &s) << 32;
    r.q[1] = f((uint32_t)b.q[0], (uint32_t)(b.q[0] >> 32), &s);
    r.q[1] |= (uint64_t)f((uint32_t)b.q[1], (uint32_t)(b.q[1] >> 32), &s) << 32;
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_INLINE enum status horizontal64(struct cpu *c, const struct insn *i, op64 *f)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    r.q[0] = f(a.q[0], a.q[1], &s);
    r.q[1] = f(b.q[0], b.q[1], &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(haddps_Vx_Wx) { return horizontal32(c, i, f32_add); }
FPU_OP(hsubps_Vx_Wx) { return horizontal32(c, i, f32_sub); }
FPU_OP(haddpd_Vx_Wx) { return horizontal64(c, i, f64_add); }
FPU_OP(hsubpd_Vx_Wx) { return horizontal64(c, i, f64_sub); }

/* ---- approximations: 12 bits, denormals count as zero, no exceptions */
static uint32_t keep_12_bits(uint32_t v)
{
    if ((v & 0x7f800000) == 0x7f800000) return v;
    return !(v & 0x7f800000) ? v & 0x80000000 : (v + 0x400) & 0xfffff800;
}
static uint32_t reciprocal(uint32_t a, uint32_t b, struct sf *unused)
{
    (void)a, (void)unused;
    struct sf s = { .masks = SF_EXCEPTIONS, .daz = true, .ftz = true };
    return keep_12_bits(f32_div(0x3f800000, b, &s));
}
static uint32_t reciprocal_root(uint32_t a, uint32_t b, struct sf *unused)
{
    (void)a, (void)unused;
    struct sf s = { .masks = SF_EXCEPTIONS, .daz = true, .ftz = true };
    if (!(b & 0x7f800000)) return (b & 0x80000000) | 0x7f800000;
    return keep_12_bits(f32_div(0x3f800000, f32_sqrt(b, &s), &s));
}
FPU_OP(rcpps_Vx_Wx) { return packed32(c, i, reciprocal); }
FPU_OP(rcpss_Vx_Wd) { return scalar32(c, i, reciprocal); }
FPU_OP(rsqrtps_Vx_Wx) { return packed32(c, i, reciprocal_root); }
FPU_OP(rsqrtss_Vx_Wd) { return scalar32(c, i, reciprocal_root); }

/* ---- comparison. Predicates 0-7: EQ LT LE UNORD NEQ NLT NLE ORD; LT, LE and their negations signal quiet NaNs. */
static bool quiet_predicate(unsigned p) { return !(p & 3) || (p & 3) == 3; }
static bool holds(unsigned p, int order)
{
    static const uint8_t truth[4] = { 1 << SF_EQUAL, 1 << 3, 1 << SF_EQUAL | 1 << 3, 1 << SF_UNORDERED };
    unsigned bit = order == SF_LESS ? 3 : (unsigned)order;    /* 0 equal, 1 greater, 2 unordered, 3 less */
    return (truth[p & 3] >> bit & 1) != (p >> 2 & 1);
}
static uint64_t compare32(uint64_t a, uint64_t b, unsigned p, struct sf *s)
{
    return holds(p, f32_compare((uint32_t)a, (uint32_t)b, quiet_predicate(p), s)) ? 0xffffffff : 0;
}
static uint64_t compare64(uint64_t a, uint64_t b, unsigned p, struct sf *s)
{
    return holds(p, f64_compare(a, b, quiet_predicate(p), s)) ? ~0ull : 0;
}
FPU_OP(cmpps_Vx_Wx_Ib)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    unsigned p = i->imm & 7;
    for (unsigned n = 0; n < 2; n++)
        r.q[n] = compare32(a.q[n], b.q[n], p, &s) | compare32(a.q[n] >> 32, b.q[n] >> 32, p, &s) << 32;
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(cmppd_Vx_Wx_Ib)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm a = c->xmm[i->reg], b = sse_source(c, i), r;
    for (unsigned n = 0; n < 2; n++) r.q[n] = compare64(a.q[n], b.q[n], i->imm & 7, &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(cmpss_Vx_Wd_Ib)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint32_t b = sse_source32(c, i), r = (uint32_t)compare32(c->xmm[i->reg].q[0], b, i->imm & 7, &s);
    sse_finish(c, &s);
    sse_set_low32(c, i->reg, r);
    return BODY_NEXT;
}
FPU_OP(cmpsd_Vx_Wq_Ib)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t b = sse_source64(c, i), r = compare64(c->xmm[i->reg].q[0], b, i->imm & 7, &s);
    sse_finish(c, &s);
    c->xmm[i->reg].q[0] = r;
    return BODY_NEXT;
}

FPU_INLINE enum status compare_eflags(struct cpu *c, const struct insn *i, bool wide, bool quiet)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t a = c->xmm[i->reg].q[0], b = wide ? sse_source64(c, i) : sse_source32(c, i);
    int order = wide ? f64_compare(a, b, quiet, &s) : f32_compare((uint32_t)a, (uint32_t)b, quiet, &s);
    sse_finish(c, &s);
    uint32_t f = order == SF_UNORDERED ? FL_ZF | FL_PF | FL_CF : order == SF_LESS ? FL_CF : order == SF_EQUAL ? FL_ZF : 0;
    eflags_set(c, (eflags_get(c) & ~(uint32_t)FL_ARITH) | f);
    return BODY_NEXT;
}
FPU_OP(comiss_Vx_Wd) { return compare_eflags(c, i, false, false); }
FPU_OP(ucomiss_Vx_Wd) { return compare_eflags(c, i, false, true); }
FPU_OP(comisd_Vx_Wq) { return compare_eflags(c, i, true, false); }
FPU_OP(ucomisd_Vx_Wq) { return compare_eflags(c, i, true, true); }

/* ---- conversion. To integers: out of range is invalid and gives 80000000h. */
static uint64_t to_i32_pair(uint64_t v, bool chop, struct sf *s)
{
    uint64_t low = (uint32_t)f32_to_int((uint32_t)v, 32, chop, s);
    return low | (uint64_t)(uint32_t)f32_to_int((uint32_t)(v >> 32), 32, chop, s) << 32;
}
static uint64_t from_i32_pair(uint64_t v, struct sf *s)
{
    uint64_t low = f32_from_i64((int32_t)v, s);
    return low | (uint64_t)f32_from_i64((int32_t)(v >> 32), s) << 32;
}

FPU_OP(cvtdq2ps_Vx_Wx)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm b = sse_source(c, i), r = { { from_i32_pair(b.q[0], &s), from_i32_pair(b.q[1], &s) } };
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_INLINE enum status ps_to_dq(struct cpu *c, const struct insn *i, bool chop)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm b = sse_source(c, i), r = { { to_i32_pair(b.q[0], chop, &s), to_i32_pair(b.q[1], chop, &s) } };
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(cvtps2dq_Vx_Wx) { return ps_to_dq(c, i, false); }
FPU_OP(cvttps2dq_Vx_Wx) { return ps_to_dq(c, i, true); }

FPU_OP(cvtdq2pd_Vx_Wq)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t b = sse_source64(c, i);
    c->xmm[i->reg] = (union xmm){ { f64_from_i64((int32_t)b, &s), f64_from_i64((int32_t)(b >> 32), &s) } };
    return BODY_NEXT;
}
static uint64_t pd_to_i32(union xmm b, bool chop, struct sf *s)
{
    uint64_t low = (uint32_t)f64_to_int(b.q[0], 32, chop, s);
    return low | (uint64_t)(uint32_t)f64_to_int(b.q[1], 32, chop, s) << 32;
}
FPU_INLINE enum status pd_to_dq(struct cpu *c, const struct insn *i, bool chop)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t r = pd_to_i32(sse_source(c, i), chop, &s);
    sse_finish(c, &s);
    c->xmm[i->reg] = (union xmm){ { r, 0 } };
    return BODY_NEXT;
}
FPU_OP(cvtpd2dq_Vx_Wx) { return pd_to_dq(c, i, false); }
FPU_OP(cvttpd2dq_Vx_Wx) { return pd_to_dq(c, i, true); }

FPU_OP(cvtps2pd_Vx_Wq)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t b = sse_source64(c, i);
    union xmm r = { { f32_to_f64((uint32_t)b, &s), f32_to_f64((uint32_t)(b >> 32), &s) } };
    sse_finish(c, &s);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(cvtpd2ps_Vx_Wx)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    union xmm b = sse_source(c, i);
    uint64_t low = f64_to_f32(b.q[0], &s), r = low | (uint64_t)f64_to_f32(b.q[1], &s) << 32;
    sse_finish(c, &s);
    c->xmm[i->reg] = (union xmm){ { r, 0 } };
    return BODY_NEXT;
}
FPU_OP(cvtss2sd_Vx_Wd)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint64_t r = f32_to_f64(sse_source32(c, i), &s);
    sse_finish(c, &s);
    c->xmm[i->reg].q[0] = r;
    return BODY_NEXT;
}
FPU_OP(cvtsd2ss_Vx_Wq)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint32_t r = f64_to_f32(sse_source64(c, i), &s);
    sse_finish(c, &s);
    sse_set_low32(c, i->reg, r);
    return BODY_NEXT;
}
FPU_OP(cvtsi2ss_Vx_Ed)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    uint32_t r = f32_from_i64((int32_t)rm_read(c, i, 4), &s);
    sse_finish(c, &s);
    sse_set_low32(c, i->reg, r);
    return BODY_NEXT;
}
FPU_OP(cvtsi2sd_Vx_Ed)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    c->xmm[i->reg].q[0] = f64_from_i64((int32_t)rm_read(c, i, 4), &s);
    return BODY_NEXT;
}
FPU_INLINE enum status to_register(struct cpu *c, const struct insn *i, bool wide, bool chop)
{
    sse_begin(c);
    struct sf s = sse_env(c);
    int64_t r = wide ? f64_to_int(sse_source64(c, i), 32, chop, &s) : f32_to_int(sse_source32(c, i), 32, chop, &s);
    sse_finish(c, &s);
    set_reg32(c, i->reg, (uint32_t)r);
    return BODY_NEXT;
}
FPU_OP(cvtss2si_Gd_Wd) { return to_register(c, i, false, false); }
FPU_OP(cvttss2si_Gd_Wd) { return to_register(c, i, false, true); }
FPU_OP(cvtsd2si_Gd_Wq) { return to_register(c, i, true, false); }
FPU_OP(cvttsd2si_Gd_Wq) { return to_register(c, i, true, true); }

/* With MMX registers: they switch the x87 to MMX use, CVTPI2PD only for a register operand (SDM vol. 2). */
FPU_INLINE enum status from_mmx(struct cpu *c, const struct insn *i, bool wide)
{
    sse_begin(c);
    bool reg = !insn_is_mem(i);
    if ((reg || !wide) && mmx_begin(c)) return BODY_AGAIN;
    struct sf s = sse_env(c);
    uint64_t b = mmx_source(c, i);
    union xmm r = c->xmm[i->reg];
    if (wide) r = (union xmm){ { f64_from_i64((int32_t)b, &s), f64_from_i64((int32_t)(b >> 32), &s) } };
    else r.q[0] = from_i32_pair(b, &s);
    sse_finish(c, &s);
    if (reg || !wide) mmx_enter(c);
    c->xmm[i->reg] = r;
    return BODY_NEXT;
}
FPU_OP(cvtpi2ps_Vx_Qq) { return from_mmx(c, i, false); }
FPU_OP(cvtpi2pd_Vx_Qq) { return from_mmx(c, i, true); }

FPU_INLINE enum status to_mmx(struct cpu *c, const struct insn *i, bool wide, bool chop)
{
    sse_begin(c);
    if (mmx_begin(c)) return BODY_AGAIN;
    struct sf s = sse_env(c);
    uint64_t r = wide ? pd_to_i32(sse_source(c, i), chop, &s) : to_i32_pair(sse_source64(c, i), chop, &s);
    sse_finish(c, &s);
    mmx_enter(c);
    mmx_set(c, i->reg, r);
    return BODY_NEXT;
}
FPU_OP(cvtps2pi_Pq_Wq) { return to_mmx(c, i, false, false); }
FPU_OP(cvttps2pi_Pq_Wq) { return to_mmx(c, i, false, true); }
FPU_OP(cvtpd2pi_Pq_Wx) { return to_mmx(c, i, true, false); }
FPU_OP(cvttpd2pi_Pq_Wx) { return to_mmx(c, i, true, true); }
