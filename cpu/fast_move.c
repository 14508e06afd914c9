/* Fast handlers of data movement: MOV, MOVZX, MOVSX, LEA, PUSH, POP, XCHG, SETcc, CMOVcc. */
#include "cpu/step.h"

#define FORMS(H) { H##s, H##f, H##b }
#define SIZES(H) { H##_8, H##_16, H##_32 }
#define SIZES_FORMS(H) { FORMS(H##_8), FORMS(H##_16), FORMS(H##_32) }
#define EACH_FORM(M, ...) M(__VA_ARGS__, s, EA_SEGMENT) M(__VA_ARGS__, f, EA_FLAT) M(__VA_ARGS__, b, EA_BASE)

#define MOV_SIZE(BITS) \
    static HANDLER(mov_rr_##BITS) \
    { \
        fast_set_reg(c, i->rm, fast_reg(c, i->reg, BITS / 8), BITS / 8); \
        NEXT; \
    } \
    static HANDLER(mov_ri_##BITS) \
    { \
        fast_set_reg(c, i->rm, (uint32_t)i->imm, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(xchg_rr_##BITS) \
    { \
        uint64_t a = fast_reg(c, i->rm, BITS / 8), b = fast_reg(c, i->reg, BITS / 8); \
        fast_set_reg(c, i->rm, b, BITS / 8); \
        fast_set_reg(c, i->reg, a, BITS / 8); \
        NEXT; \
    } \
    EACH_FORM(MOV_MEM, BITS)
#define MOV_MEM(BITS, F, EA) \
    static HANDLER(load_##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        fast_set_reg(c, i->reg, host_load(p, BITS / 8), BITS / 8); \
        NEXT; \
    } \
    static HANDLER(store_##BITS##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, fast_reg(c, i->reg, BITS / 8), BITS / 8); \
        NEXT; \
    } \
    static HANDLER(store_imm_##BITS##F) \
    { \
        uint8_t *p = mem_host(c, i, EA, BITS / 8, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, (uint32_t)i->imm, BITS / 8); \
        NEXT; \
    }
MOV_SIZE(8)
MOV_SIZE(16)
MOV_SIZE(32)
insn_handler *const fast_mov_rr[3] = SIZES(mov_rr);
insn_handler *const fast_mov_ri[3] = SIZES(mov_ri);
insn_handler *const fast_xchg_rr[3] = SIZES(xchg_rr);
insn_handler *const fast_load[3][EA_FORMS] = SIZES_FORMS(load);
insn_handler *const fast_store[3][EA_FORMS] = SIZES_FORMS(store);
insn_handler *const fast_store_imm[3][EA_FORMS] = SIZES_FORMS(store_imm);

/* ---- MOVZX, MOVSX to 32 bits */
#define MOVX(NAME, BITS, TYPE) \
    static HANDLER(NAME##_rr_##BITS) \
    { \
        c->r[i->reg] = (uint32_t)(TYPE)fast_reg(c, i->rm, BITS / 8); \
        NEXT; \
    } \
    EACH_FORM(MOVX_MEM, NAME, BITS, TYPE)
#define MOVX_MEM(NAME, BITS, TYPE, F, EA) \
    static HANDLER(NAME##_rm_##BITS##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        c->r[i->reg] = (uint32_t)(TYPE)host_load(p, BITS / 8); \
        NEXT; \
    }
MOVX(movzx, 8, uint8_t)
MOVX(movzx, 16, uint16_t)
MOVX(movsx, 8, int8_t)
MOVX(movsx, 16, int16_t)
insn_handler *const fast_movx_rr[2][2] = { { movzx_rr_8, movzx_rr_16 }, { movsx_rr_8, movsx_rr_16 } };
insn_handler *const fast_movx_rm[2][2][EA_FORMS] = {
    { FORMS(movzx_rm_8), FORMS(movzx_rm_16) }, { FORMS(movsx_rm_8), FORMS(movsx_rm_16) },
};

/* ---- LEA of 32 bits with 32-bit addresses */
static HANDLER(lea_any)
{
    c->r[i->reg] = lea_address(c, i);
    NEXT;
}
static HANDLER(lea_base)
{
    c->r[i->reg] = (uint32_t)(c->r[i->base] + (uint64_t)(int64_t)i->disp);
    NEXT;
}
insn_handler *const fast_lea[2] = { lea_any, lea_base };

/* ---- stack. SUFFIX names size and whether the stack segment is flat and 32 bits wide. */
#define STACK(SUFFIX, SIZE, FLAT) \
    static HANDLER(push_r##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        uint8_t *p = stack_host(c, -SIZE, SIZE, FLAT, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, c->r[i->rm], SIZE); \
        fast_stack_add(c, old, -SIZE, FLAT); \
        NEXT; \
    } \
    static HANDLER(push_i##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        uint8_t *p = stack_host(c, -SIZE, SIZE, FLAT, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, (uint32_t)i->imm, SIZE); \
        fast_stack_add(c, old, -SIZE, FLAT); \
        NEXT; \
    } \
    static HANDLER(pop_r##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        const uint8_t *p = stack_host(c, 0, SIZE, FLAT, false); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t v = host_load(p, SIZE); \
        fast_stack_add(c, old, SIZE, FLAT); \
        fast_set_reg(c, i->rm, v, SIZE); \
        NEXT; \
    }
STACK(16s, 2, false)
STACK(16f, 2, true)
STACK(32s, 4, false)
STACK(32f, 4, true)
#define STACK_TABLE(H) { { H##16s, H##16f }, { H##32s, H##32f } }
insn_handler *const fast_push_r[2][2] = STACK_TABLE(push_r);
insn_handler *const fast_push_i[2][2] = STACK_TABLE(push_i);
insn_handler *const fast_pop_r[2][2] = STACK_TABLE(pop_r);

#define PUSH_MEM(NAME, F, EA) \
    static HANDLER(NAME##F) \
    { \
        const uint8_t *from = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!from)) SLOW; \
        uint64_t old = c->r[R_SP]; \
        uint8_t *p = stack_host(c, -4, 4, true, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, host_load(from, 4), 4); \
        fast_stack_add(c, old, -4, true); \
        NEXT; \
    }
EACH_FORM(PUSH_MEM, push_m_)
insn_handler *const fast_push_m[EA_FORMS] = FORMS(push_m_);

static HANDLER(leave_32f)
{
    const uint8_t *p = tlb_hit(c->tlb_read, (uint32_t)c->r[R_BP], 4);
    if (UNLIKELY(!p)) SLOW;
    c->r[R_SP] = (uint32_t)(c->r[R_BP] + 4);
    c->r[R_BP] = host_load(p, 4);
    NEXT;
}
insn_handler *const fast_leave = leave_32f;

/* ---- small ones */
static HANDLER(cdq)
{
    c->r[R_DX] = (uint32_t)((int32_t)c->r[R_AX] >> 31);
    NEXT;
}
static HANDLER(cwde)
{
    c->r[R_AX] = (uint32_t)(int16_t)c->r[R_AX];
    NEXT;
}
static HANDLER(nop)
{
    NEXT;
}
static HANDLER(cld)
{
    c->eflags &= ~(uint32_t)FL_DF;
    NEXT;
}
static HANDLER(std)
{
    c->eflags |= FL_DF;
    NEXT;
}
insn_handler *const fast_cdq = cdq, *const fast_cwde = cwde, *const fast_nop = nop, *const fast_cld = cld,
    *const fast_std = std;

#define CONDITIONS(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#define CMOV_MEM(CC, F, EA) \
    static HANDLER(cmov_m_##CC##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p)) SLOW; \
        if (flags_condition(c, CC)) c->r[i->reg] = host_load(p, 4); \
        NEXT; \
    }
#define CONDITIONAL(CC) \
    EACH_FORM(CMOV_MEM, CC) \
    static HANDLER(setcc_##CC) \
    { \
        *byte_reg(c, i->rm) = flags_condition(c, CC); \
        NEXT; \
    } \
    static HANDLER(cmov_##CC) \
    { \
        if (flags_condition(c, CC)) c->r[i->reg] = (uint32_t)c->r[i->rm]; \
        NEXT; \
    }
CONDITIONS(CONDITIONAL)
#define SETCC(CC) setcc_##CC,
#define CMOV(CC) cmov_##CC,
insn_handler *const fast_setcc[16] = { CONDITIONS(SETCC) };
insn_handler *const fast_cmov_rr[16] = { CONDITIONS(CMOV) };
#define CMOV_FORMS(CC) FORMS(cmov_m_##CC),
insn_handler *const fast_cmov_rm[16][EA_FORMS] = { CONDITIONS(CMOV_FORMS) };

/* ---- single string instructions, any address size and segment */

/* Host address of the element at `reg` of a segment, or NULL. */
FAST_INLINE uint8_t *string_host(struct cpu *c, const struct insn *i, unsigned seg, unsigned reg, unsigned size, bool write)
{
    uint64_t off = c->r[reg] & (i->flags & INSN_ADDR32 ? 0xffffffff : 0xffff);
    if (UNLIKELY(off + size > (write ? c->seg_write_end : c->seg_read_end)[seg])) return NULL;
    return tlb_hit(write ? c->tlb_write : c->tlb_read, (uint32_t)(c->seg[seg].base + off), size);
}
FAST_INLINE void string_advance(struct cpu *c, const struct insn *i, unsigned reg, unsigned size)
{
    uint64_t next = c->r[reg] + (c->eflags & FL_DF ? 0 - (uint64_t)size : size);
    if (i->flags & INSN_ADDR32) c->r[reg] = (uint32_t)next;
    else c->r[reg] = (c->r[reg] & ~0xffffull) | (uint16_t)next;
}
FAST_INLINE void set_accumulator(struct cpu *c, uint64_t v, unsigned size)
{
    if (size == 1) set_al(c, (uint8_t)v);
    else fast_set_reg(c, R_AX, v, size);
}
#define STRING_SIZE(BITS, LOG2) \
    static HANDLER(lods_##BITS) \
    { \
        const uint8_t *p = string_host(c, i, insn_seg(i), R_SI, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        set_accumulator(c, host_load(p, BITS / 8), BITS / 8); \
        string_advance(c, i, R_SI, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(stos_##BITS) \
    { \
        uint8_t *p = string_host(c, i, SEG_ES, R_DI, BITS / 8, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, c->r[R_AX], BITS / 8); \
        string_advance(c, i, R_DI, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(movs_##BITS) \
    { \
        const uint8_t *from = string_host(c, i, insn_seg(i), R_SI, BITS / 8, false); \
        if (UNLIKELY(!from)) SLOW; \
        uint8_t *p = string_host(c, i, SEG_ES, R_DI, BITS / 8, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, host_load(from, BITS / 8), BITS / 8); \
        string_advance(c, i, R_SI, BITS / 8); \
        string_advance(c, i, R_DI, BITS / 8); \
        NEXT; \
    } \
    static HANDLER(scas_##BITS) \
    { \
        const uint8_t *p = string_host(c, i, SEG_ES, R_DI, BITS / 8, false); \
        if (UNLIKELY(!p)) SLOW; \
        flags_put(c, ALU_CMP, alu(ALU_CMP, c->r[R_AX] & size_mask(LOG2), host_load(p, BITS / 8), LOG2, false)); \
        string_advance(c, i, R_DI, BITS / 8); \
        NEXT; \
    }
STRING_SIZE(8, 0)
STRING_SIZE(16, 1)
STRING_SIZE(32, 2)
insn_handler *const fast_lods[3] = SIZES(lods), *const fast_stos[3] = SIZES(stos), *const fast_movs[3] = SIZES(movs),
    *const fast_scas[3] = SIZES(scas);
