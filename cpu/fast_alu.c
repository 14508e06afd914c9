/* Fast handlers of arithmetic: `ADD Ev,Gv` and its relatives, generated for every operation, size and form. */
#include "cpu/step.h"

/* One operation at one size. OP is enum alu_op, LOG2 the log2 of the size in bytes, KEEP as in compute (step.h). */
#define ALU_REG(NAME, OP, BITS, LOG2, Q, KEEP) \
    static HANDLER(NAME##_rr##Q##_##BITS) \
    { \
        uint64_t r = compute(c, OP, fast_reg(c, i->rm, BITS / 8), fast_reg(c, i->reg, BITS / 8), LOG2, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->rm, r, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(NAME##_ri##Q##_##BITS) \
    { \
        uint64_t b = (uint32_t)i->imm & size_mask(LOG2); \
        uint64_t r = compute(c, OP, fast_reg(c, i->rm, BITS / 8), b, LOG2, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->rm, r, BITS / 8); \
        NEXT; \
    }

#define ALU_LOAD(NAME, OP, BITS, LOG2, Q, KEEP, F, EA) \
    static HANDLER(NAME##_rm##Q##_##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t r = compute(c, OP, fast_reg(c, i->reg, BITS / 8), host_load(p, BITS / 8), LOG2, KEEP); \
        if (OP != ALU_CMP) fast_set_reg(c, i->reg, r, BITS / 8); \
        NEXT; \
    }

/* CMP only reads its destination. */
#define ALU_STORE(NAME, OP, BITS, LOG2, F, EA) \
    static HANDLER(NAME##_mr_##BITS##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, OP != ALU_CMP); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t r = compute(c, OP, host_load(p, BITS / 8), fast_reg(c, i->reg, BITS / 8), LOG2, true); \
        if (OP != ALU_CMP) host_store(p, r, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(NAME##_mi_##BITS##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, OP != ALU_CMP); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t r = compute(c, OP, host_load(p, BITS / 8), (uint32_t)i->imm & size_mask(LOG2), LOG2, true); \
        if (OP != ALU_CMP) host_store(p, r, BITS / 8); \
        NEXT; \
    }

#define ALU_SIZE(NAME, OP, BITS, LOG2) \
    ALU_REG(NAME, OP, BITS, LOG2, , true) \
    ALU_REG(NAME, OP, BITS, LOG2, q, false) \
    ALU_LOAD(NAME, OP, BITS, LOG2, , true, s, EA_SEGMENT) \
    ALU_LOAD(NAME, OP, BITS, LOG2, , true, f, EA_FLAT) \
    ALU_LOAD(NAME, OP, BITS, LOG2, , true, b, EA_BASE) \
    ALU_LOAD(NAME, OP, BITS, LOG2, q, false, s, EA_SEGMENT) \
    ALU_LOAD(NAME, OP, BITS, LOG2, q, false, f, EA_FLAT) \
    ALU_LOAD(NAME, OP, BITS, LOG2, q, false, b, EA_BASE) \
    ALU_STORE(NAME, OP, BITS, LOG2, s, EA_SEGMENT) \
    ALU_STORE(NAME, OP, BITS, LOG2, f, EA_FLAT) \
    ALU_STORE(NAME, OP, BITS, LOG2, b, EA_BASE)
#define ALU(NAME, OP) ALU_SIZE(NAME, OP, 8, 0) ALU_SIZE(NAME, OP, 16, 1) ALU_SIZE(NAME, OP, 32, 2)
ALU(add, ALU_ADD)
ALU(or, ALU_OR)
ALU(adc, ALU_ADC)
ALU(sbb, ALU_SBB)
ALU(and, ALU_AND)
ALU(sub, ALU_SUB)
ALU(xor, ALU_XOR)
ALU(cmp, ALU_CMP)

#define FORMS(H) { H##s, H##f, H##b }
#define SIZES(H) { H##_8, H##_16, H##_32 }
#define SIZES_FORMS(H) { FORMS(H##_8), FORMS(H##_16), FORMS(H##_32) }
#define ALU_ROW(NAME) { \
    .rr = SIZES(NAME##_rr), .rrq = SIZES(NAME##_rrq), .ri = SIZES(NAME##_ri), .riq = SIZES(NAME##_riq), \
    .rm = SIZES_FORMS(NAME##_rm), .rmq = SIZES_FORMS(NAME##_rmq), .mr = SIZES_FORMS(NAME##_mr), .mi = SIZES_FORMS(NAME##_mi) }
const struct fast_alu fast_alu[8] = {
    [ALU_ADD] = ALU_ROW(add), [ALU_OR] = ALU_ROW(or), [ALU_ADC] = ALU_ROW(adc), [ALU_SBB] = ALU_ROW(sbb),
    [ALU_AND] = ALU_ROW(and), [ALU_SUB] = ALU_ROW(sub), [ALU_XOR] = ALU_ROW(xor), [ALU_CMP] = ALU_ROW(cmp),
};

/* ---- TEST: AND that keeps the flags only. */
#define TEST_SIZE(BITS, LOG2) \
    static HANDLER(test_rr_##BITS) \
    { \
        flags_logic(c, fast_reg(c, i->rm, BITS / 8) & fast_reg(c, i->reg, BITS / 8), LOG2); \
        NEXT; \
    } \
    static HANDLER(test_ri_##BITS) \
    { \
        flags_logic(c, fast_reg(c, i->rm, BITS / 8) & (uint32_t)i->imm, LOG2); \
        NEXT; \
    } \
    TEST_MEM(BITS, LOG2, s, EA_SEGMENT) TEST_MEM(BITS, LOG2, f, EA_FLAT) TEST_MEM(BITS, LOG2, b, EA_BASE)
#define TEST_MEM(BITS, LOG2, F, EA) \
    static HANDLER(test_rm_##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        flags_logic(c, fast_reg(c, i->reg, BITS / 8) & host_load(p, BITS / 8), LOG2); \
        NEXT; \
    } \
    static HANDLER(test_mi_##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        flags_logic(c, (uint32_t)i->imm & host_load(p, BITS / 8), LOG2); \
        NEXT; \
    }
TEST_SIZE(8, 0)
TEST_SIZE(16, 1)
TEST_SIZE(32, 2)
const struct fast_alu fast_test = {
    .rr = SIZES(test_rr), .ri = SIZES(test_ri), .rm = SIZES_FORMS(test_rm), .mi = SIZES_FORMS(test_mi),
};

/* ---- INC, DEC, NEG, NOT */
#define INC_SIZE(NAME, BITS, LOG2, BY, WHICH) \
    static HANDLER(NAME##_##BITS) \
    { \
        uint64_t r = (fast_reg(c, i->rm, BITS / 8) + BY) & size_mask(LOG2); \
        fast_set_reg(c, i->rm, r, BITS / 8); \
        flags_inc(c, r, LOG2, WHICH); \
        NEXT; \
    } \
    static HANDLER(NAME##q_##BITS) \
    { \
        fast_set_reg(c, i->rm, fast_reg(c, i->rm, BITS / 8) + BY, BITS / 8); \
        NEXT; \
    } \
    INC_MEM(NAME, BITS, LOG2, BY, WHICH, s, EA_SEGMENT) INC_MEM(NAME, BITS, LOG2, BY, WHICH, f, EA_FLAT) \
    INC_MEM(NAME, BITS, LOG2, BY, WHICH, b, EA_BASE)
#define INC_MEM(NAME, BITS, LOG2, BY, WHICH, F, EA) \
    static HANDLER(NAME##_m_##BITS##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, true); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t r = (host_load(p, BITS / 8) + BY) & size_mask(LOG2); \
        host_store(p, r, BITS / 8); \
        flags_inc(c, r, LOG2, WHICH); \
        NEXT; \
    }
#define INC(NAME, BY, WHICH) \
    INC_SIZE(NAME, 8, 0, BY, WHICH) INC_SIZE(NAME, 16, 1, BY, WHICH) INC_SIZE(NAME, 32, 2, BY, WHICH)
INC(inc, 1, CC_INC)
INC(dec, ~0ull, CC_DEC)
insn_handler *const fast_inc[2][3] = { SIZES(inc), SIZES(dec) };
insn_handler *const fast_incq[2][3] = { SIZES(incq), SIZES(decq) };
insn_handler *const fast_inc_m[2][3][EA_FORMS] = { SIZES_FORMS(inc_m), SIZES_FORMS(dec_m) };

#define NEG_SIZE(BITS, LOG2) \
    static HANDLER(neg_##BITS) \
    { \
        fast_set_reg(c, i->rm, compute(c, ALU_SUB, 0, fast_reg(c, i->rm, BITS / 8), LOG2, true), BITS / 8); \
        NEXT; \
    } \
    static HANDLER(not_##BITS) \
    { \
        fast_set_reg(c, i->rm, ~fast_reg(c, i->rm, BITS / 8), BITS / 8); \
        NEXT; \
    }
NEG_SIZE(8, 0)
NEG_SIZE(16, 1)
NEG_SIZE(32, 2)
insn_handler *const fast_neg[3] = SIZES(neg);
insn_handler *const fast_not[3] = SIZES(not);

/* ---- shifts and rotates of registers, by an immediate that is not 0 and by CL */
#define SHIFT_SIZE(NAME, OP, BITS, LOG2) \
    static HANDLER(NAME##_ri_##BITS) \
    { \
        struct shift_out o = shift_by(c, OP, fast_reg(c, i->rm, BITS / 8), (unsigned)i->imm & 31, LOG2); \
        fast_set_reg(c, i->rm, o.result, BITS / 8); \
        shift_flags(c, OP, o, LOG2); \
        NEXT; \
    } \
    static HANDLER(NAME##_riq_##BITS) \
    { \
        uint64_t r = shift_by(c, OP, fast_reg(c, i->rm, BITS / 8), (unsigned)i->imm & 31, LOG2).result; \
        fast_set_reg(c, i->rm, r, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(NAME##_rc_##BITS) \
    { \
        unsigned count = (unsigned)c->r[R_CX] & 31; \
        if (count) { \
            struct shift_out o = shift_by(c, OP, fast_reg(c, i->rm, BITS / 8), count, LOG2); \
            fast_set_reg(c, i->rm, o.result, BITS / 8); \
            shift_flags(c, OP, o, LOG2); \
        } \
        NEXT; \
    }
#define SHIFT(NAME, OP) SHIFT_SIZE(NAME, OP, 8, 0) SHIFT_SIZE(NAME, OP, 16, 1) SHIFT_SIZE(NAME, OP, 32, 2)
SHIFT(rol, SHIFT_ROL)
SHIFT(ror, SHIFT_ROR)
SHIFT(rcl, SHIFT_RCL)
SHIFT(rcr, SHIFT_RCR)
SHIFT(shl, SHIFT_SHL)
SHIFT(shr, SHIFT_SHR)
SHIFT(sar, SHIFT_SAR)
#define SHIFTS(S) { SIZES(rol_##S), SIZES(ror_##S), SIZES(rcl_##S), SIZES(rcr_##S), SIZES(shl_##S), SIZES(shr_##S), \
    SIZES(shl_##S), SIZES(sar_##S) }
insn_handler *const fast_shift_ri[8][3] = SHIFTS(ri);
insn_handler *const fast_shift_riq[8][3] = SHIFTS(riq);
insn_handler *const fast_shift_rc[8][3] = SHIFTS(rc);

/* SHLD and SHRD of 32-bit registers. */
FAST_INLINE void double_shift(struct cpu *c, const struct insn *i, bool left, unsigned count)
{
    if (count == 0) return;
    uint64_t a = (uint32_t)c->r[i->rm], b = (uint32_t)c->r[i->reg];
    struct shift_out o = left ? alu_shld(a, b, count, 2) : alu_shrd(a, b, count, 2);
    c->r[i->rm] = o.result;
    flags_known(c, o.result, 2, o.cf_of);
}
#define DOUBLE_SHIFT(NAME, LEFT) \
    static HANDLER(NAME##_rri) \
    { \
        double_shift(c, i, LEFT, (unsigned)i->imm & 31); \
        NEXT; \
    } \
    static HANDLER(NAME##_rrc) \
    { \
        double_shift(c, i, LEFT, (unsigned)c->r[R_CX] & 31); \
        NEXT; \
    }
DOUBLE_SHIFT(shld, true)
DOUBLE_SHIFT(shrd, false)
insn_handler *const fast_double_shift[2][2] = { { shrd_rri, shrd_rrc }, { shld_rri, shld_rrc } };

/* ---- BT of 32-bit registers; BSF, BSR */
static HANDLER(bt_rr)
{
    flags_change(c, FL_CF, c->r[i->rm] >> (c->r[i->reg] & 31) & 1);
    NEXT;
}
static HANDLER(bt_ri)
{
    flags_change(c, FL_CF, c->r[i->rm] >> (i->imm & 31) & 1);
    NEXT;
}
insn_handler *const fast_bt[2] = { bt_rr, bt_ri };

static HANDLER(bsf_rr)
{
    uint32_t v = (uint32_t)c->r[i->rm];
    if (v) c->r[i->reg] = (uint32_t)__builtin_ctz(v);
    flags_logic(c, v, 2);
    NEXT;
}
static HANDLER(bsr_rr)
{
    uint32_t v = (uint32_t)c->r[i->rm];
    if (v) c->r[i->reg] = 31 - (uint32_t)__builtin_clz(v);
    flags_logic(c, v, 2);
    NEXT;
}
insn_handler *const fast_bit_scan[2] = { bsf_rr, bsr_rr };

/* ---- IMUL, 32 bits */
static HANDLER(imul_rr)
{
    imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)c->r[i->rm]);
    NEXT;
}
static HANDLER(imul_rri)
{
    imul_32(c, i->reg, (uint32_t)c->r[i->rm], (uint32_t)i->imm);
    NEXT;
}
insn_handler *const fast_imul_rr = imul_rr, *const fast_imul_rri = imul_rri;

#define IMUL_MEM(F, EA) \
    static HANDLER(imul_rm##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) SLOW; \
        imul_32(c, i->reg, (uint32_t)c->r[i->reg], (uint32_t)host_load(p, 4)); \
        NEXT; \
    } \
    static HANDLER(mul_m##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) SLOW; \
        mul_32(c, (uint32_t)host_load(p, 4)); \
        NEXT; \
    }
FAST_INLINE void mul_32(struct cpu *c, uint32_t b)
{
    uint64_t p = (uint64_t)(uint32_t)c->r[R_AX] * b;
    c->r[R_AX] = (uint32_t)p;
    c->r[R_DX] = p >> 32;
    flags_known(c, (uint32_t)p, 2, p >> 32 ? FL_CF | FL_OF : 0);
}
static HANDLER(mul_r)
{
    mul_32(c, (uint32_t)c->r[i->rm]);
    NEXT;
}
IMUL_MEM(s, EA_SEGMENT)
IMUL_MEM(f, EA_FLAT)
IMUL_MEM(b, EA_BASE)
insn_handler *const fast_imul_rm[EA_FORMS] = FORMS(imul_rm);
insn_handler *const fast_mul_r = mul_r, *const fast_mul_m[EA_FORMS] = FORMS(mul_m);

/* DIV r32. The divide error is the slow body's. */
static HANDLER(div_r)
{
    uint64_t a = (uint64_t)(uint32_t)c->r[R_DX] << 32 | (uint32_t)c->r[R_AX];
    uint32_t b = (uint32_t)c->r[i->rm];
    if (UNLIKELY(a >> 32 >= b)) SLOW;         /* the quotient needs more than 32 bits, or b is 0 */
    c->r[R_AX] = a / b;
    c->r[R_DX] = a % b;
    flags_known(c, 1, 2, FL_AF);              /* ops_muldiv.c */
    NEXT;
}
insn_handler *const fast_div_r = div_r;
