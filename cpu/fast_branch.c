/* Fast handlers of jumps, calls and returns, and of comparisons fused with the conditional jump that follows.
 *
 * A jump inside its page is linked: insn.link leads straight to the record of its target, or, as long as it has not been
 * taken, to the arena's first record, run_unlinked, which asks the run loop to find the target and set the link. A jump out
 * of the page goes through the jump cache. Either way the budget is charged with the instructions of the block up to
 * here, and a negative one leaves to the run loop, which sees how much really is left. */
#include "cpu/fast_seq.h"
#include "cpu/step.h"

/* These helpers are inlined into handlers; they have other parameters, so musttail may not stand in them. */

/* insn.disp of a relative jump is the target's offset from the page's start. */
FAST_INLINE void take_near(struct cpu *c, const struct insn *j, int64_t budget)
{
    budget -= j->count + 1;
    if (LIKELY(budget >= 0)) return DISPATCH(c, j + j->link, budget, (uintptr_t)j);
    c->rip = c->page_eip + (uint64_t)(int64_t)j->disp;
    exec_leave(c, budget);
}

/* Goes on at `to`, the cached block at eip. */
FAST_INLINE void take_found(struct cpu *c, const struct insn *j, int64_t budget, const struct insn *to, uint64_t page_eip,
                            uint64_t eip)
{
    budget -= j->count + 1;
    c->page_eip = page_eip;
    if (LIKELY(budget >= 0)) return DISPATCH(c, to, budget, 0);
    c->rip = eip;
    exec_leave(c, budget);
}

FAST_INLINE uint64_t eip_cut(const struct insn *i, uint64_t eip)
{
    return (i->flags & INSN_OPSIZE) == 1 ? (uint16_t)eip : (uint32_t)eip;
}
FAST_INLINE uint64_t far_eip(const struct cpu *c, const struct insn *j)
{
    return eip_cut(j, c->page_eip + (uint64_t)(int64_t)j->disp);
}

FAST_INLINE void take_far(struct cpu *c, const struct insn *j, int64_t budget)
{
    uint64_t page_eip, eip = far_eip(c, j);
    const struct insn *to = jump_target(c, eip, &page_eip);
    if (UNLIKELY(!to)) return run_body(c, j, budget, 0);
    return take_found(c, j, budget, to, page_eip, eip);
}

FAST_INLINE void take(struct cpu *c, const struct insn *j, int64_t budget, bool near)
{
    if (near) return take_near(c, j, budget);
    return take_far(c, j, budget);
}

/* spare: the jump. Its target may be one that is not linked to: an instruction that crosses a page. */
HANDLER(run_unlinked)
{
    struct insn *j = (struct insn *)(uintptr_t)spare;
    uint64_t page_eip, eip = c->page_eip + (uint64_t)(int64_t)j->disp;
    const struct insn *to = jump_target(c, eip, &page_eip);
    if (to && to[1].run == run_page_end && to[1].off > PAGE_SIZE) MUSTTAIL return DISPATCH(c, to, budget, 0);
    (void)i;
    c->rip = eip;
    c->link_from = j;
    exec_leave(c, budget);
}

/* The block goes on in the next one, as after a jump that is no instruction. insn.disp is its offset in the page. */
HANDLER(run_full)
{
    (void)spare;
    budget -= i->count;
    if (LIKELY(budget >= 0)) MUSTTAIL return DISPATCH(c, i + i->link, budget, (uintptr_t)i);
    c->rip = c->page_eip + i->off;
    exec_leave(c, budget);
}

HANDLER(run_page_end)
{
    uint64_t page_eip, eip = (c->page_eip + i->off) & c->ip_mask;
    const struct insn *to = jump_target(c, eip, &page_eip);
    budget -= i->count;
    if (LIKELY(to && budget >= 0)) {
        c->page_eip = page_eip;
        MUSTTAIL return DISPATCH(c, to, budget, spare);
    }
    c->rip = eip;
    exec_leave(c, budget);
}

#define CONDITIONS(M, ...) \
    M(0, __VA_ARGS__) M(1, __VA_ARGS__) M(2, __VA_ARGS__) M(3, __VA_ARGS__) M(4, __VA_ARGS__) M(5, __VA_ARGS__) \
    M(6, __VA_ARGS__) M(7, __VA_ARGS__) M(8, __VA_ARGS__) M(9, __VA_ARGS__) M(10, __VA_ARGS__) M(11, __VA_ARGS__) \
    M(12, __VA_ARGS__) M(13, __VA_ARGS__) M(14, __VA_ARGS__) M(15, __VA_ARGS__)

#define JCC(CC, NAME, NEAR) \
    static HANDLER(NAME##_##CC) \
    { \
        if (!flags_condition(c, CC)) NEXT; \
        return take(c, i, budget, NEAR); \
    }
CONDITIONS(JCC, jcc_near, true)
CONDITIONS(JCC, jcc_far, false)
#define ENTRY(CC, NAME) NAME##_##CC,
insn_handler *const fast_jcc[2][16] = { { CONDITIONS(ENTRY, jcc_far) }, { CONDITIONS(ENTRY, jcc_near) } };

static HANDLER(jmp_near)
{
    (void)spare;
    return take_near(c, i, budget);
}
static HANDLER(jmp_far)
{
    (void)spare;
    return take_far(c, i, budget);
}
insn_handler *const fast_jmp[2] = { jmp_far, jmp_near };

/* The counter changes only when the target is known to be good: a fault leaves LOOP undone. */
static HANDLER(loop_near)
{
    c->r[R_CX] = (uint32_t)(c->r[R_CX] - 1);
    if (c->r[R_CX] == 0) NEXT;
    return take_near(c, i, budget);
}
static HANDLER(loop_far)
{
    if ((uint32_t)c->r[R_CX] == 1) {
        c->r[R_CX] = 0;
        NEXT;
    }
    uint64_t page_eip, eip = far_eip(c, i);
    const struct insn *to = jump_target(c, eip, &page_eip);
    if (UNLIKELY(!to)) SLOW;
    c->r[R_CX] = (uint32_t)(c->r[R_CX] - 1);
    return take_found(c, i, budget, to, page_eip, eip);
}
static HANDLER(jcxz_near)
{
    if ((uint32_t)c->r[R_CX] != 0) NEXT;
    return take_near(c, i, budget);
}
static HANDLER(jcxz_far)
{
    if ((uint32_t)c->r[R_CX] != 0) NEXT;
    return take_far(c, i, budget);
}
insn_handler *const fast_loop[2] = { loop_far, loop_near }, *const fast_jcxz[2] = { jcxz_far, jcxz_near };

/* ---- calls and returns */

FAST_INLINE uint64_t return_eip(const struct cpu *c, const struct insn *i) { return c->page_eip + i->off + i->len; }

#define CALL(SUFFIX, SIZE, FLAT) \
    static HANDLER(call_near##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        uint8_t *p = stack_host(c, -SIZE, SIZE, FLAT, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, return_eip(c, i), SIZE); \
        fast_stack_add(c, old, -SIZE, FLAT); \
        return take_near(c, i, budget); \
    } \
    static HANDLER(call_far##SUFFIX) \
    { \
        uint64_t page_eip, eip = far_eip(c, i); \
        const struct insn *to = jump_target(c, eip, &page_eip); \
        if (UNLIKELY(!to)) SLOW; \
        uint64_t old = c->r[R_SP]; \
        uint8_t *p = stack_host(c, -SIZE, SIZE, FLAT, true); \
        if (UNLIKELY(!p)) SLOW; \
        host_store(p, return_eip(c, i), SIZE); \
        fast_stack_add(c, old, -SIZE, FLAT); \
        return take_found(c, i, budget, to, page_eip, eip); \
    } \
    static HANDLER(ret##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        const uint8_t *p = stack_host(c, 0, SIZE, FLAT, false); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t page_eip, eip = host_load(p, SIZE); \
        const struct insn *to = jump_target(c, eip, &page_eip); \
        if (UNLIKELY(!to)) SLOW; \
        fast_stack_add(c, old, SIZE, FLAT); \
        return take_found(c, i, budget, to, page_eip, eip); \
    } \
    static HANDLER(ret_i##SUFFIX) \
    { \
        uint64_t old = c->r[R_SP]; \
        const uint8_t *p = stack_host(c, 0, SIZE, FLAT, false); \
        if (UNLIKELY(!p)) SLOW; \
        uint64_t page_eip, eip = host_load(p, SIZE); \
        const struct insn *to = jump_target(c, eip, &page_eip); \
        if (UNLIKELY(!to)) SLOW; \
        fast_stack_add(c, old, SIZE + (uint16_t)i->imm, FLAT); \
        return take_found(c, i, budget, to, page_eip, eip); \
    }
CALL(16s, 2, false)
CALL(16f, 2, true)
CALL(32s, 4, false)
CALL(32f, 4, true)
#define STACK_TABLE(H) { { H##16s, H##16f }, { H##32s, H##32f } }
insn_handler *const fast_call[2][2][2] = { STACK_TABLE(call_far), STACK_TABLE(call_near) };
insn_handler *const fast_ret[2][2] = STACK_TABLE(ret);
insn_handler *const fast_ret_i[2][2] = STACK_TABLE(ret_i);

/* ---- indirect, 32 bits; calls with a flat stack */
#define INDIRECT(SUFFIX, TARGET) \
    static HANDLER(jmp_##SUFFIX) \
    { \
        TARGET \
        const struct insn *to = jump_target(c, eip, &page_eip); \
        if (UNLIKELY(!to)) SLOW; \
        return take_found(c, i, budget, to, page_eip, eip); \
    } \
    static HANDLER(call_##SUFFIX) \
    { \
        TARGET \
        const struct insn *to = jump_target(c, eip, &page_eip); \
        if (UNLIKELY(!to)) SLOW; \
        uint64_t old = c->r[R_SP]; \
        uint8_t *slot = stack_host(c, -4, 4, true, true); \
        if (UNLIKELY(!slot)) SLOW; \
        host_store(slot, return_eip(c, i), 4); \
        fast_stack_add(c, old, -4, true); \
        return take_found(c, i, budget, to, page_eip, eip); \
    }
#define TARGET_REG uint64_t page_eip, eip = (uint32_t)c->r[i->rm];
#define TARGET_MEM(EA) \
    const uint8_t *p = mem_host(c, i, EA, 4, false); \
    if (UNLIKELY(!p)) SLOW; \
    uint64_t page_eip, eip = host_load(p, 4);
INDIRECT(r, TARGET_REG)
INDIRECT(ms, TARGET_MEM(EA_SEGMENT))
INDIRECT(mf, TARGET_MEM(EA_FLAT))
INDIRECT(mb, TARGET_MEM(EA_BASE))
insn_handler *const fast_jmp_r = jmp_r, *const fast_jmp_m[EA_FORMS] = { jmp_ms, jmp_mf, jmp_mb };
insn_handler *const fast_call_r = call_r, *const fast_call_m[EA_FORMS] = { call_ms, call_mf, call_mb };

/* ---- fusion. The flags are stored as by the comparison alone, because somebody may look at the target; the condition comes
 * straight from the operands. */

FAST_INLINE bool cmp_condition(unsigned cc, uint64_t a, uint64_t b, unsigned log2)
{
    unsigned shift = 64 - (8u << log2);
    int64_t sa = (int64_t)(a << shift), sb = (int64_t)(b << shift);
    bool yes;
    switch (cc >> 1) {
    case 1: yes = a < b; break;
    case 2: yes = a == b; break;
    case 3: yes = a <= b; break;
    case 4: yes = (a - b) & size_sign(log2); break;
    case 6: yes = sa < sb; break;
    default: yes = sa <= sb; break;
    }
    return yes != (cc & 1);
}

/* After TEST: CF and OF are 0. */
FAST_INLINE bool test_condition(unsigned cc, uint64_t r, unsigned log2)
{
    bool sign = r & size_sign(log2), yes;
    switch (cc >> 1) {
    case 1: yes = false; break;
    case 2: case 3: yes = r == 0; break;
    case 4: case 6: yes = sign; break;
    default: yes = r == 0 || sign; break;
    }
    return yes != (cc & 1);
}

#define FUSE_CMP(CC, NAME, NEAR, LOG2, ...) \
    static HANDLER(NAME##_##CC) \
    { \
        __VA_ARGS__ \
        flags_put(c, ALU_CMP, alu(ALU_CMP, a, b, LOG2, false)); \
        if (!cmp_condition(CC, a, b, LOG2)) MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
        return take(c, i + 1, budget, NEAR); \
    }
#define FUSE_TEST(CC, NAME, NEAR, LOG2, ...) \
    static HANDLER(NAME##_##CC) \
    { \
        __VA_ARGS__ \
        uint64_t r = a & b; \
        flags_logic(c, r, LOG2); \
        if (!test_condition(CC, r, LOG2)) MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
        return take(c, i + 1, budget, NEAR); \
    }
/* Conditions but those on OF and PF. */
#define USUAL(M, ...) \
    M(2, __VA_ARGS__) M(3, __VA_ARGS__) M(4, __VA_ARGS__) M(5, __VA_ARGS__) M(6, __VA_ARGS__) M(7, __VA_ARGS__) \
    M(8, __VA_ARGS__) M(9, __VA_ARGS__) M(12, __VA_ARGS__) M(13, __VA_ARGS__) M(14, __VA_ARGS__) M(15, __VA_ARGS__)
#define USUAL_TABLE(NAME) { [2] = NAME##_2, NAME##_3, NAME##_4, NAME##_5, NAME##_6, NAME##_7, NAME##_8, NAME##_9, \
    [12] = NAME##_12, NAME##_13, NAME##_14, NAME##_15 }
#define BOTH(M, NAME, LOG2, ...) \
    USUAL(M, NAME##_near, true, LOG2, __VA_ARGS__) USUAL(M, NAME##_far, false, LOG2, __VA_ARGS__)
#define BOTH_TABLE(NAME) { USUAL_TABLE(NAME##_far), USUAL_TABLE(NAME##_near) }

#define OPERANDS_RR(SIZE) uint64_t a = fast_reg(c, i->rm, SIZE), b = fast_reg(c, i->reg, SIZE);
#define OPERANDS_RI(SIZE) uint64_t a = fast_reg(c, i->rm, SIZE), b = (uint32_t)i->imm & ones(SIZE);
#define OPERANDS_RM(SIZE, EA) \
    const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
    if (UNLIKELY(!p)) SLOW; \
    uint64_t a = fast_reg(c, i->reg, SIZE), b = host_load(p, SIZE);
#define OPERANDS_MR(SIZE, EA) \
    const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
    if (UNLIKELY(!p)) SLOW; \
    uint64_t a = host_load(p, SIZE), b = fast_reg(c, i->reg, SIZE);
#define OPERANDS_MI(SIZE, EA) \
    const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
    if (UNLIKELY(!p)) SLOW; \
    uint64_t a = host_load(p, SIZE), b = (uint32_t)i->imm & ones(SIZE);

BOTH(FUSE_CMP, cmp_rr, 2, OPERANDS_RR(4))
BOTH(FUSE_CMP, cmp_ri, 2, OPERANDS_RI(4))
BOTH(FUSE_CMP, cmp_ri8, 0, OPERANDS_RI(1))
BOTH(FUSE_TEST, test_rr, 2, OPERANDS_RR(4))
BOTH(FUSE_TEST, test_ri, 2, OPERANDS_RI(4))
BOTH(FUSE_TEST, test_ri8, 0, OPERANDS_RI(1))
insn_handler *const fuse_cmp_rr[2][16] = BOTH_TABLE(cmp_rr);
insn_handler *const fuse_cmp_ri[2][16] = BOTH_TABLE(cmp_ri);
insn_handler *const fuse_cmp_ri8[2][16] = BOTH_TABLE(cmp_ri8);
insn_handler *const fuse_test_rr[2][16] = BOTH_TABLE(test_rr);
insn_handler *const fuse_test_ri[2][16] = BOTH_TABLE(test_ri);
insn_handler *const fuse_test_ri8[2][16] = BOTH_TABLE(test_ri8);
BOTH(FUSE_CMP, cmp_rr8, 0, OPERANDS_RR(1))
BOTH(FUSE_TEST, test_rr8, 0, OPERANDS_RR(1))
insn_handler *const fuse_cmp_rr8[2][16] = BOTH_TABLE(cmp_rr8);
insn_handler *const fuse_test_rr8[2][16] = BOTH_TABLE(test_rr8);

#define MEM_FAMILY(M, NAME, LOG2, OPERANDS, SIZE) \
    BOTH(M, NAME##_s, LOG2, OPERANDS(SIZE, EA_SEGMENT)) \
    BOTH(M, NAME##_f, LOG2, OPERANDS(SIZE, EA_FLAT)) \
    BOTH(M, NAME##_b, LOG2, OPERANDS(SIZE, EA_BASE))
#define MEM_FORMS(NAME, WAY, CC) [CC] = { NAME##_s_##WAY##_##CC, NAME##_f_##WAY##_##CC, NAME##_b_##WAY##_##CC }
#define MEM_WAY(NAME, WAY) { \
    MEM_FORMS(NAME, WAY, 2), MEM_FORMS(NAME, WAY, 3), MEM_FORMS(NAME, WAY, 4), MEM_FORMS(NAME, WAY, 5), \
    MEM_FORMS(NAME, WAY, 6), MEM_FORMS(NAME, WAY, 7), MEM_FORMS(NAME, WAY, 8), MEM_FORMS(NAME, WAY, 9), \
    MEM_FORMS(NAME, WAY, 12), MEM_FORMS(NAME, WAY, 13), MEM_FORMS(NAME, WAY, 14), MEM_FORMS(NAME, WAY, 15) }
#define MEM_TABLE(NAME) { MEM_WAY(NAME, far), MEM_WAY(NAME, near) }
MEM_FAMILY(FUSE_CMP, cmp_rm, 2, OPERANDS_RM, 4)
MEM_FAMILY(FUSE_CMP, cmp_mi, 2, OPERANDS_MI, 4)
MEM_FAMILY(FUSE_CMP, cmp_mi8, 0, OPERANDS_MI, 1)
MEM_FAMILY(FUSE_TEST, test_mi8, 0, OPERANDS_MI, 1)
MEM_FAMILY(FUSE_CMP, cmp_mr, 2, OPERANDS_MR, 4)
insn_handler *const fuse_cmp_rm[2][16][EA_FORMS] = MEM_TABLE(cmp_rm);
insn_handler *const fuse_cmp_mr[2][16][EA_FORMS] = MEM_TABLE(cmp_mr);
insn_handler *const fuse_cmp_mi[2][16][EA_FORMS] = MEM_TABLE(cmp_mi);
insn_handler *const fuse_cmp_mi8[2][16][EA_FORMS] = MEM_TABLE(cmp_mi8);
insn_handler *const fuse_test_mi8[2][16][EA_FORMS] = MEM_TABLE(test_mi8);

/* DEC r32 and the jump on ZF or SF that closes a counted loop. */
#define FUSE_DEC(CC, NAME, NEAR, unused) \
    static HANDLER(NAME##_##CC) \
    { \
        uint64_t r = (uint32_t)(c->r[i->rm] - 1); \
        c->r[i->rm] = r; \
        flags_inc(c, r, 2, CC_DEC); \
        if (!test_condition(CC, r, 2)) MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
        return take(c, i + 1, budget, NEAR); \
    }
#define DEC_CONDITIONS(M, ...) M(4, __VA_ARGS__) M(5, __VA_ARGS__) M(8, __VA_ARGS__) M(9, __VA_ARGS__)
DEC_CONDITIONS(FUSE_DEC, dec_near, true, )
DEC_CONDITIONS(FUSE_DEC, dec_far, false, )
insn_handler *const fuse_dec[2][16] = {
    { [4] = dec_far_4, dec_far_5, [8] = dec_far_8, dec_far_9 }, { [4] = dec_near_4, dec_near_5, [8] = dec_near_8, dec_near_9 },
};

/* ---- steps with an end behind them (fast_seq.h): the steps, then a jump to the end's own handler. */
#define WITH_END(A, B) static HANDLER(A##_then_##B) { SEQ_DO(A, 0) SEQ_JUMP(B, 1) }
#define END_FUSED(X, A, NAME) \
    X(A, NAME##_near_2) X(A, NAME##_near_3) X(A, NAME##_near_4) X(A, NAME##_near_5) X(A, NAME##_near_6) X(A, NAME##_near_7) \
    X(A, NAME##_near_8) X(A, NAME##_near_9) X(A, NAME##_near_12) X(A, NAME##_near_13) X(A, NAME##_near_14) X(A, NAME##_near_15)
#define ENDS(X, A) \
    END_FUSED(X, A, cmp_rr) END_FUSED(X, A, cmp_ri) END_FUSED(X, A, test_rr) X(A, jmp_near) X(A, ret32f) X(A, call_near32f)
#define END_FIRSTS(X) \
    X(mov_rr) X(mov_ri) X(load_b) X(load_f) X(store_b) X(lea_base) X(add_rrq) X(add_riq) X(sub_rrq) X(and_riq) X(xor_rrq) \
    X(incq) X(decq) X(push_r) X(pop_r) X(movzx_rm8_b) X(add_ri)
#define END_ROW(A) ENDS(WITH_END, A)
END_FIRSTS(END_ROW)
#define END_ENTRY(A, B) { { SEQ_##A, SEQ_##B }, A##_then_##B },
#define END_ENTRIES(A) ENDS(END_ENTRY, A)
static const struct seq pair_ends[] = { END_FIRSTS(END_ENTRIES) };
const struct seq_list fast_pair_ends = { pair_ends, sizeof pair_ends / sizeof *pair_ends };

#define SEQ2(A, B)
#define SEQ3(A, B, C)
#define SEQ4(A, B, C, D)
#define END_SEQ2(A, B) static HANDLER(A##_then_##B) { SEQ_DO(A, 0) SEQ_JUMP(B, 1) }
#define END_SEQ3(A, B, C) static HANDLER(A##_then_##B##_then_##C) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_JUMP(C, 2) }
#define END_SEQ4(A, B, C, D) \
    static HANDLER(A##_then_##B##_then_##C##_then_##D) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_DO(C, 2) SEQ_JUMP(D, 3) }
#include "cpu/fast_seq.def"
#undef END_SEQ2
#undef END_SEQ3
#undef END_SEQ4
#define END_SEQ2(A, B) { { SEQ_##A, SEQ_##B }, A##_then_##B },
#define END_SEQ3(A, B, C) { { SEQ_##A, SEQ_##B, SEQ_##C }, A##_then_##B##_then_##C },
#define END_SEQ4(A, B, C, D) { { SEQ_##A, SEQ_##B, SEQ_##C, SEQ_##D }, A##_then_##B##_then_##C##_then_##D },
static const struct seq seq_ends[] = {
#include "cpu/fast_seq.def"
};
const struct seq_list fast_seq_ends = { seq_ends, sizeof seq_ends / sizeof *seq_ends };
