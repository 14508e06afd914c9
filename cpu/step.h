/* One instruction as an inline function: what a handler of two instructions is made of.
 *
 * step_FORM(c, i) does all of the instruction of record i, or returns false before it has changed anything: its operand is
 * not plain memory. It is the middle of the handler of that name (fast_alu.c, fast_move.c); fast_pair.c puts two of them
 * into one handler. All are 32 bits wide, with 32-bit addresses in flat segments; names are those of fast.h. */
#ifndef CPU_STEP_H
#define CPU_STEP_H

#include "cpu/fast.h"

/* ADD, OR, ... of two values. ADC and SBB read the carry; CMP writes no result. `keep` decides about flags: the quiet
 * variants pass false. */
FAST_INLINE uint64_t compute(struct cpu *c, enum alu_op op, uint64_t a, uint64_t b, unsigned log2, bool keep)
{
    bool carry = (op == ALU_ADC || op == ALU_SBB) && flag_cf(c);
    struct alu_out o = alu(op, a, b, log2, carry);
    if (keep) flags_put(c, op, o);
    return o.result;
}

FAST_INLINE struct shift_out shift_by(struct cpu *c, enum shift_op op, uint64_t a, unsigned count, unsigned log2)
{
    switch (op) {
    case SHIFT_ROL: return alu_rol(a, count, log2);
    case SHIFT_ROR: return alu_ror(a, count, log2);
    case SHIFT_RCL: return alu_rcl(a, count, log2, flag_cf(c));
    case SHIFT_RCR: return alu_rcr(a, count, log2, flag_cf(c));
    case SHIFT_SHR: return alu_shr(a, count, log2);
    case SHIFT_SAR: return alu_sar(a, count, log2);
    default: return alu_shl(a, count, log2);
    }
}
FAST_INLINE void shift_flags(struct cpu *c, enum shift_op op, struct shift_out o, unsigned log2)
{
    if (op <= SHIFT_RCR) flags_change_cf_of(c, o.cf_of);
    else flags_known(c, o.result, log2, o.cf_of);
}

FAST_INLINE uint64_t lea_address(const struct cpu *c, const struct insn *i)
{
    return (uint32_t)(c->r[i->base] + (c->r[i->index] << insn_scale(i)) + (uint64_t)(int64_t)i->disp);
}

FAST_INLINE void imul_32(struct cpu *c, unsigned to, uint32_t a, uint32_t b)
{
    int64_t p = (int64_t)(int32_t)a * (int32_t)b;
    c->r[to] = (uint32_t)p;
    flags_known(c, (uint32_t)p, 2, p != (int32_t)p ? FL_CF | FL_OF : 0);
}

#define STEP(NAME) FAST_INLINE bool step_##NAME(struct cpu *c, const struct insn *i)

/* ---- moves */
STEP(mov_rr)
{
    c->r[i->rm] = (uint32_t)c->r[i->reg];
    return true;
}
STEP(mov_ri)
{
    c->r[i->rm] = (uint32_t)i->imm;
    return true;
}
STEP(lea_any)
{
    c->r[i->reg] = lea_address(c, i);
    return true;
}
STEP(lea_base)
{
    c->r[i->reg] = (uint32_t)(c->r[i->base] + (uint64_t)(int64_t)i->disp);
    return true;
}
STEP(movzx_rr8)
{
    c->r[i->reg] = *byte_reg(c, i->rm);
    return true;
}

/* By address form. */
#define MEMORY_STEPS(F, EA) \
    STEP(load##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) return false; \
        c->r[i->reg] = host_load(p, 4); \
        return true; \
    } \
    STEP(store##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 4, true); \
        if (UNLIKELY(!p)) return false; \
        host_store(p, c->r[i->reg], 4); \
        return true; \
    } \
    STEP(store_imm##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 4, true); \
        if (UNLIKELY(!p)) return false; \
        host_store(p, (uint32_t)i->imm, 4); \
        return true; \
    } \
    STEP(movzx_rm8##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 1, false); \
        if (UNLIKELY(!p)) return false; \
        c->r[i->reg] = *p; \
        return true; \
    } \
    STEP(imul_rm##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) return false; \
        imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)host_load(p, 4)); \
        return true; \
    }
MEMORY_STEPS(_f, EA_FLAT)
MEMORY_STEPS(_b, EA_BASE)

STEP(push_r)
{
    uint64_t old = c->r[R_SP];
    uint8_t *p = stack_host(c, -4, 4, true, true);
    if (UNLIKELY(!p)) return false;
    host_store(p, c->r[i->rm], 4);
    fast_stack_add(c, old, -4, true);
    return true;
}
STEP(pop_r)
{
    uint64_t old = c->r[R_SP];
    const uint8_t *p = stack_host(c, 0, 4, true, false);
    if (UNLIKELY(!p)) return false;
    uint64_t v = host_load(p, 4);
    fast_stack_add(c, old, 4, true);
    c->r[i->rm] = v;
    return true;
}

/* ---- arithmetic; a trailing q leaves no flags */
#define ALU_STEPS_Q(NAME, OP, Q, KEEP) \
    STEP(NAME##_rr##Q) \
    { \
        c->r[i->rm] = compute(c, OP, (uint32_t)c->r[i->rm], (uint32_t)c->r[i->reg], 2, KEEP); \
        return true; \
    } \
    STEP(NAME##_ri##Q) \
    { \
        c->r[i->rm] = compute(c, OP, (uint32_t)c->r[i->rm], (uint32_t)i->imm, 2, KEEP); \
        return true; \
    }
#define ALU_STEPS_MEM(NAME, OP, F, EA) \
    STEP(NAME##_rm##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) return false; \
        c->r[i->reg] = compute(c, OP, (uint32_t)c->r[i->reg], host_load(p, 4), 2, true); \
        return true; \
    } \
    STEP(NAME##_mr##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, 4, true); \
        if (UNLIKELY(!p)) return false; \
        host_store(p, compute(c, OP, host_load(p, 4), (uint32_t)c->r[i->reg], 2, true), 4); \
        return true; \
    }
#define ALU_STEPS(NAME, OP) \
    ALU_STEPS_Q(NAME, OP, , true) ALU_STEPS_Q(NAME, OP, q, false) \
    ALU_STEPS_MEM(NAME, OP, _f, EA_FLAT) ALU_STEPS_MEM(NAME, OP, _b, EA_BASE)
ALU_STEPS(add, ALU_ADD)
ALU_STEPS(or, ALU_OR)
ALU_STEPS(and, ALU_AND)
ALU_STEPS(sub, ALU_SUB)
ALU_STEPS(xor, ALU_XOR)

#define SHIFT_STEPS(NAME, OP) \
    STEP(NAME##_ri) \
    { \
        struct shift_out o = shift_by(c, OP, (uint32_t)c->r[i->rm], (unsigned)i->imm & 31, 2); \
        c->r[i->rm] = o.result; \
        shift_flags(c, OP, o, 2); \
        return true; \
    } \
    STEP(NAME##_riq) \
    { \
        c->r[i->rm] = shift_by(c, OP, (uint32_t)c->r[i->rm], (unsigned)i->imm & 31, 2).result; \
        return true; \
    }
SHIFT_STEPS(rol, SHIFT_ROL)
SHIFT_STEPS(ror, SHIFT_ROR)
SHIFT_STEPS(shl, SHIFT_SHL)
SHIFT_STEPS(shr, SHIFT_SHR)
SHIFT_STEPS(sar, SHIFT_SAR)

#define INC_STEPS(NAME, BY, WHICH) \
    STEP(NAME) \
    { \
        uint64_t r = (uint32_t)(c->r[i->rm] + (BY)); \
        c->r[i->rm] = r; \
        flags_inc(c, r, 2, WHICH); \
        return true; \
    } \
    STEP(NAME##q) \
    { \
        c->r[i->rm] = (uint32_t)(c->r[i->rm] + (BY)); \
        return true; \
    }
INC_STEPS(inc, 1, CC_INC)
INC_STEPS(dec, ~0ull, CC_DEC)

STEP(imul_rr)
{
    imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)c->r[i->rm]);
    return true;
}

#endif
