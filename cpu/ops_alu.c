/* ADD OR ADC SBB AND SUB XOR CMP, TEST, INC, DEC, NEG, NOT, CMPXCHG, XADD (SDM vol. 2).
 *
 * All follow one pattern: read both operands, compute with alu() which knows no CPU, write the result, note the flags. The
 * oddest behaviour: CMPXCHG always writes its destination, with what was there if the comparison failed, so it faults on a
 * read-only page either way. */
#include "cpu/ops.h"

/* Destination r/m. */
static inline __attribute__((always_inline)) enum status to_rm(struct cpu *c, const struct insn *i, enum alu_op op,
                                                                uint64_t b, unsigned size)
{
    uint64_t a = op == ALU_CMP ? rm_read(c, i, 1u << size) : rmw_read(c, i, size);
    struct alu_out o = alu(op, a, b & size_mask(size), size, flag_cf(c));
    if (op != ALU_CMP) rm_write(c, i, o.result, 1u << size);
    flags_put(c, op, o);
    return BODY_NEXT;
}

/* Destination register. */
static inline __attribute__((always_inline)) enum status to_reg(struct cpu *c, const struct insn *i, enum alu_op op,
                                                                 unsigned size)
{
    struct alu_out o = alu(op, reg_read(c, i, size), rm_read(c, i, 1u << size), size, flag_cf(c));
    if (op != ALU_CMP) reg_write(c, i, o.result, size);
    flags_put(c, op, o);
    return BODY_NEXT;
}

/* The nine forms of one operation. AL,Ib and eAX,Iz decode as r/m = register 0. */
#define ALU_BODIES(name, op) \
    BODY(name##_Eb_Gb) { return to_rm(c, i, op, reg_read(c, i, 0), 0); } \
    BODY(name##_Ev_Gv) { return to_rm(c, i, op, reg_read(c, i, size_of(i)), size_of(i)); } \
    BODY(name##_Gb_Eb) { return to_reg(c, i, op, 0); } \
    BODY(name##_Gv_Ev) { return to_reg(c, i, op, size_of(i)); } \
    BODY(name##_Eb_Ib) { return to_rm(c, i, op, (uint64_t)(int64_t)i->imm, 0); } \
    BODY(name##_Ev_Iz) { return to_rm(c, i, op, (uint64_t)(int64_t)i->imm, size_of(i)); } \
    BODY(name##_Ev_Ib) { return to_rm(c, i, op, (uint64_t)(int64_t)i->imm, size_of(i)); } \
    BODY(name##_AL_Ib) { return to_rm(c, i, op, (uint64_t)(int64_t)i->imm, 0); } \
    BODY(name##_eAX_Iz) { return to_rm(c, i, op, (uint64_t)(int64_t)i->imm, size_of(i)); }
ALU_BODIES(add, ALU_ADD)
ALU_BODIES(or, ALU_OR)
ALU_BODIES(adc, ALU_ADC)
ALU_BODIES(sbb, ALU_SBB)
ALU_BODIES(and, ALU_AND)
ALU_BODIES(sub, ALU_SUB)
ALU_BODIES(xor, ALU_XOR)
ALU_BODIES(cmp, ALU_CMP)

static enum status test(struct cpu *c, const struct insn *i, uint64_t b, unsigned size)
{
    flags_logic(c, rm_read(c, i, 1u << size) & b & size_mask(size), size);
    return BODY_NEXT;
}
BODY(test_Eb_Gb) { return test(c, i, reg_read(c, i, 0), 0); }
BODY(test_Ev_Gv) { return test(c, i, reg_read(c, i, size_of(i)), size_of(i)); }
BODY(test_Eb_Ib) { return test(c, i, (uint64_t)(int64_t)i->imm, 0); }
BODY(test_Ev_Iz) { return test(c, i, (uint64_t)(int64_t)i->imm, size_of(i)); }
BODY(test_AL_Ib) { return test(c, i, (uint64_t)(int64_t)i->imm, 0); }
BODY(test_eAX_Iz) { return test(c, i, (uint64_t)(int64_t)i->imm, size_of(i)); }

static enum status increment(struct cpu *c, const struct insn *i, unsigned size, uint64_t by, uint32_t which)
{
    uint64_t r = (rmw_read(c, i, size) + by) & size_mask(size);
    rm_write(c, i, r, 1u << size);
    flags_inc(c, r, size, which);
    return BODY_NEXT;
}
BODY(inc_Zv) { return increment(c, i, size_of(i), 1, CC_INC); }
BODY(dec_Zv) { return increment(c, i, size_of(i), ~0ull, CC_DEC); }
BODY(inc_Eb) { return increment(c, i, 0, 1, CC_INC); }
BODY(dec_Eb) { return increment(c, i, 0, ~0ull, CC_DEC); }
BODY(inc_Ev) { return increment(c, i, size_of(i), 1, CC_INC); }
BODY(dec_Ev) { return increment(c, i, size_of(i), ~0ull, CC_DEC); }

static enum status negate(struct cpu *c, const struct insn *i, unsigned size)
{
    struct alu_out o = alu(ALU_SUB, 0, rmw_read(c, i, size), size, false);
    rm_write(c, i, o.result, 1u << size);
    flags_put(c, ALU_SUB, o);
    return BODY_NEXT;
}
BODY(neg_Eb) { return negate(c, i, 0); }
BODY(neg_Ev) { return negate(c, i, size_of(i)); }

static enum status complement(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t a = rmw_read(c, i, size);
    rm_write(c, i, ~a & size_mask(size), 1u << size);
    return BODY_NEXT;
}
BODY(not_Eb) { return complement(c, i, 0); }
BODY(not_Ev) { return complement(c, i, size_of(i)); }

static enum status cmpxchg(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t dest = rmw_read(c, i, size), mask = size_mask(size);
    uint64_t acc = size == 0 ? *byte_reg(c, byte_reg_al()) : c->r[R_AX] & mask;
    struct alu_out o = alu(ALU_CMP, acc, dest, size, false);
    if (o.result == 0) {
        rm_write(c, i, reg_read(c, i, size), 1u << size);
    } else {
        rm_write(c, i, dest, 1u << size);
        if (size == 0) *byte_reg(c, byte_reg_al()) = (uint8_t)dest;
        else set_reg(c, R_AX, dest, 1u << size);
    }
    flags_put(c, ALU_CMP, o);
    return BODY_NEXT;
}
BODY(cmpxchg_Eb_Gb) { return cmpxchg(c, i, 0); }
BODY(cmpxchg_Ev_Gv) { return cmpxchg(c, i, size_of(i)); }

BODY(cmpxchg8b_Mq)
{
    unsigned seg = insn_seg(i);
    uint64_t ea = insn_ea_inline(c, i);
    access_probe_write(c, seg, ea, 8);
    uint64_t dest = mem_read64(c, seg, ea);
    bool equal = dest == ((uint64_t)reg32(c, R_DX) << 32 | reg32(c, R_AX));
    mem_write64(c, seg, ea, equal ? (uint64_t)reg32(c, R_CX) << 32 | reg32(c, R_BX) : dest);
    if (!equal) {
        set_reg32(c, R_AX, (uint32_t)dest);
        set_reg32(c, R_DX, (uint32_t)(dest >> 32));
    }
    flags_change(c, FL_ZF, equal ? FL_ZF : 0);
    return BODY_NEXT;
}

static enum status xadd(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t dest = rmw_read(c, i, size), src = reg_read(c, i, size);
    struct alu_out o = alu(ALU_ADD, dest, src, size, false);
    if (insn_is_mem(i)) {
        rm_write(c, i, o.result, 1u << size);
        reg_write(c, i, dest, size);
    } else {                                  /* XADD r, r of one register: the sum stays */
        reg_write(c, i, dest, size);
        rm_write(c, i, o.result, 1u << size);
    }
    flags_put(c, ALU_ADD, o);
    return BODY_NEXT;
}
BODY(xadd_Eb_Gb) { return xadd(c, i, 0); }
BODY(xadd_Ev_Gv) { return xadd(c, i, size_of(i)); }
