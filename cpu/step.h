/* One instruction as an inline function: what a handler of several instructions is made of.
 *
 * step_FORM(c, i) does all of the instruction of record i, or returns false before it has changed anything: its operand is
 * not plain memory. It is the middle of the handler of that name (fast_alu.c, fast_move.c); fast_pair.c and fast_seq.c put
 * several of them into one handler. They are 32 bits wide where the name has no other number; names are those of fast.h. */
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
STEP(nop)
{
    (void)c;
    (void)i;
    return true;
}

/* To 32 bits. */
#define MOVX_STEPS(NAME, BITS, TYPE) \
    STEP(NAME##_rr##BITS) \
    { \
        c->r[i->reg] = (uint32_t)(TYPE)fast_reg(c, i->rm, BITS / 8); \
        return true; \
    } \
    MOVX_STEP_MEM(NAME, BITS, TYPE, _f, EA_FLAT) MOVX_STEP_MEM(NAME, BITS, TYPE, _b, EA_BASE)
#define MOVX_STEP_MEM(NAME, BITS, TYPE, F, EA) \
    STEP(NAME##_rm##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) return false; \
        c->r[i->reg] = (uint32_t)(TYPE)host_load(p, BITS / 8); \
        return true; \
    }
MOVX_STEPS(movzx, 8, uint8_t)
MOVX_STEPS(movzx, 16, uint16_t)
MOVX_STEPS(movsx, 8, int8_t)
MOVX_STEPS(movsx, 16, int16_t)

/* By size and address form; 32 bits have no number in their names. */
#define MEMORY_STEPS(BITS, SUFFIX, EA) \
    STEP(load##SUFFIX) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) return false; \
        fast_set_reg(c, i->reg, host_load(p, BITS / 8), BITS / 8); \
        return true; \
    } \
    STEP(store##SUFFIX) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, true); \
        if (UNLIKELY(!p)) return false; \
        host_store(p, fast_reg(c, i->reg, BITS / 8), BITS / 8); \
        return true; \
    } \
    STEP(store_imm##SUFFIX) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, true); \
        if (UNLIKELY(!p)) return false; \
        host_store(p, (uint32_t)i->imm, BITS / 8); \
        return true; \
    }
MEMORY_STEPS(8, 8_f, EA_FLAT)
MEMORY_STEPS(8, 8_b, EA_BASE)
MEMORY_STEPS(16, 16_f, EA_FLAT)
MEMORY_STEPS(16, 16_b, EA_BASE)
MEMORY_STEPS(32, _f, EA_FLAT)
MEMORY_STEPS(32, _b, EA_BASE)
MEMORY_STEPS(32, _s, EA_SEGMENT)

FAST_INLINE bool push_value(struct cpu *c, uint64_t v)
{
    uint64_t old = c->r[R_SP];
    uint8_t *p = stack_host(c, -4, 4, true, true);
    if (UNLIKELY(!p)) return false;
    host_store(p, v, 4);
    fast_stack_add(c, old, -4, true);
    return true;
}
STEP(push_r) { return push_value(c, c->r[i->rm]); }
STEP(push_i) { return push_value(c, (uint32_t)i->imm); }
STEP(push_m_b)
{
    const uint8_t *from = mem_host(c, i, EA_BASE, 4, false);
    return LIKELY(from) && push_value(c, host_load(from, 4));
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

/* ---- arithmetic; a trailing q leaves no flags. CMP writes no result. */
#define ALU_STEPS_REG(NAME, OP, BITS, SUFFIX, KEEP) \
    STEP(NAME##_rr##SUFFIX) \
    { \
        uint64_t r = compute(c, OP, fast_reg(c, i->rm, BITS / 8), fast_reg(c, i->reg, BITS / 8), BITS / 16, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->rm, r, BITS / 8); \
        return true; \
    } \
    STEP(NAME##_ri##SUFFIX) \
    { \
        uint64_t b = (uint32_t)i->imm & size_mask(BITS / 16); \
        uint64_t r = compute(c, OP, fast_reg(c, i->rm, BITS / 8), b, BITS / 16, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->rm, r, BITS / 8); \
        return true; \
    }
#define ALU_STEPS_LOAD(NAME, OP, BITS, SUFFIX, KEEP, EA) \
    STEP(NAME##_rm##SUFFIX) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) return false; \
        uint64_t r = compute(c, OP, fast_reg(c, i->reg, BITS / 8), host_load(p, BITS / 8), BITS / 16, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->reg, r, BITS / 8); \
        return true; \
    }
#define ALU_STEPS_STORE(NAME, OP, BITS, SUFFIX, EA) \
    STEP(NAME##_mr##SUFFIX) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, OP != ALU_CMP); \
        if (UNLIKELY(!p)) return false; \
        uint64_t r = compute(c, OP, host_load(p, BITS / 8), fast_reg(c, i->reg, BITS / 8), BITS / 16, true); \
        if (OP != ALU_CMP) host_store(p, r, BITS / 8); \
        return true; \
    } \
    STEP(NAME##_mi##SUFFIX) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, OP != ALU_CMP); \
        if (UNLIKELY(!p)) return false; \
        uint64_t b = (uint32_t)i->imm & size_mask(BITS / 16); \
        uint64_t r = compute(c, OP, host_load(p, BITS / 8), b, BITS / 16, true); \
        if (OP != ALU_CMP) host_store(p, r, BITS / 8); \
        return true; \
    }
/* BITS / 16 is the log2 of the size in bytes for 8, 16 and 32. */
#define ALU_STEPS(NAME, OP) \
    ALU_STEPS_REG(NAME, OP, 32, , true) ALU_STEPS_REG(NAME, OP, 32, q, false) \
    ALU_STEPS_REG(NAME, OP, 8, 8, true) ALU_STEPS_REG(NAME, OP, 8, q8, false) \
    ALU_STEPS_LOAD(NAME, OP, 32, _f, true, EA_FLAT) ALU_STEPS_LOAD(NAME, OP, 32, _b, true, EA_BASE) \
    ALU_STEPS_LOAD(NAME, OP, 32, q_f, false, EA_FLAT) ALU_STEPS_LOAD(NAME, OP, 32, q_b, false, EA_BASE) \
    ALU_STEPS_LOAD(NAME, OP, 8, 8_b, true, EA_BASE) \
    ALU_STEPS_STORE(NAME, OP, 32, _f, EA_FLAT) ALU_STEPS_STORE(NAME, OP, 32, _b, EA_BASE)
ALU_STEPS(add, ALU_ADD)
ALU_STEPS(or, ALU_OR)
ALU_STEPS(adc, ALU_ADC)
ALU_STEPS(sbb, ALU_SBB)
ALU_STEPS(and, ALU_AND)
ALU_STEPS(sub, ALU_SUB)
ALU_STEPS(xor, ALU_XOR)
ALU_STEPS(cmp, ALU_CMP)

STEP(test_rr)
{
    flags_logic(c, (uint32_t)c->r[i->rm] & (uint32_t)c->r[i->reg], 2);
    return true;
}
STEP(not)
{
    c->r[i->rm] = (uint32_t)~c->r[i->rm];
    return true;
}
STEP(neg)
{
    c->r[i->rm] = compute(c, ALU_SUB, 0, (uint32_t)c->r[i->rm], 2, true);
    return true;
}

#define SHIFT_STEPS_SIZE(NAME, OP, BITS, SUFFIX) \
    STEP(NAME##_ri##SUFFIX) \
    { \
        struct shift_out o = shift_by(c, OP, fast_reg(c, i->rm, BITS / 8), (unsigned)i->imm & 31, BITS / 16); \
        fast_set_reg(c, i->rm, o.result, BITS / 8); \
        shift_flags(c, OP, o, BITS / 16); \
        return true; \
    } \
    STEP(NAME##_riq##SUFFIX) \
    { \
        uint64_t r = shift_by(c, OP, fast_reg(c, i->rm, BITS / 8), (unsigned)i->imm & 31, BITS / 16).result; \
        fast_set_reg(c, i->rm, r, BITS / 8); \
        return true; \
    }
#define SHIFT_STEPS(NAME, OP) \
    SHIFT_STEPS_SIZE(NAME, OP, 32, ) SHIFT_STEPS_SIZE(NAME, OP, 16, 16) \
    STEP(NAME##_rc) \
    { \
        unsigned count = (unsigned)c->r[R_CX] & 31; \
        if (!count) return true; \
        struct shift_out o = shift_by(c, OP, (uint32_t)c->r[i->rm], count, 2); \
        c->r[i->rm] = o.result; \
        shift_flags(c, OP, o, 2); \
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
    } \
    STEP(NAME##_m_b) \
    { \
        uint8_t *p = mem_host(c, i, EA_BASE, 4, true); \
        if (UNLIKELY(!p)) return false; \
        uint64_t r = (uint32_t)(host_load(p, 4) + (BY)); \
        host_store(p, r, 4); \
        flags_inc(c, r, 2, WHICH); \
        return true; \
    }
INC_STEPS(inc, 1, CC_INC)
INC_STEPS(dec, ~0ull, CC_DEC)

STEP(imul_rr)
{
    imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)c->r[i->rm]);
    return true;
}
STEP(imul_rri)
{
    imul_32(c, i->reg, (uint32_t)c->r[i->rm], (uint32_t)i->imm);
    return true;
}
#define IMUL_STEP_MEM(F, EA) \
    STEP(imul_rm##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) return false; \
        imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)host_load(p, 4)); \
        return true; \
    }
IMUL_STEP_MEM(_f, EA_FLAT)
IMUL_STEP_MEM(_b, EA_BASE)

#endif
