/* Handlers of two steps each, and how select.c finds them (fast_pair.h).
 *
 * The oddest thing about them is what happens if an operand is not plain memory. In the first step the whole pair has not
 * begun: the slow body does the first instruction, and goes on with the second record's own handler. In the second step the
 * first is done: the slow body starts at the second record. Either way each instruction has run once. */
#include "cpu/fast_pair.h"

#include <stdlib.h>

#include "cpu/step.h"

#define PAIR(A, B) \
    static HANDLER(A##_then_##B) \
    { \
        if (UNLIKELY(!step_##A(c, i))) SLOW; \
        if (UNLIKELY(!step_##B(c, i + 1))) MUSTTAIL return run_body(c, i + 1, budget, spare & 0); \
        MUSTTAIL return DISPATCH(c, i + 2, budget, spare & 0); \
    }
#define NAME_OF(A, B) A##_then_##B,

/* All pairs with one first step: STEP_NAMES cannot be expanded within itself, so the inner list is written once more. */
#define SECONDS(X, A) \
    X(A, mov_rr) X(A, mov_ri) X(A, lea_any) X(A, lea_base) X(A, movzx_rr8) X(A, load_b) X(A, load_f) X(A, store_b) \
    X(A, store_f) X(A, store_imm_b) X(A, movzx_rm8_b) X(A, movzx_rm8_f) X(A, push_r) X(A, pop_r) X(A, add_rr) X(A, add_rrq) \
    X(A, add_ri) X(A, add_riq) X(A, add_rm_b) X(A, add_mr_b) X(A, sub_rr) X(A, sub_rrq) X(A, sub_ri) X(A, sub_riq) \
    X(A, and_rr) X(A, and_rrq) X(A, and_ri) X(A, and_riq) X(A, or_rr) X(A, or_rrq) X(A, xor_rr) X(A, xor_rrq) \
    X(A, xor_rm_b) X(A, xor_rm_f) X(A, rol_riq) X(A, ror_riq) X(A, shl_ri) X(A, shl_riq) X(A, shr_ri) X(A, shr_riq) \
    X(A, sar_riq) X(A, inc) X(A, incq) X(A, decq) X(A, imul_rr) X(A, imul_rm_b)
#define ROW(unused, A) SECONDS(PAIR, A)
STEP_NAMES(ROW, )
#define ROW_OF_NAMES(unused, A) [STEP_##A] = { SECONDS(NAME_OF, A) },
insn_handler *const fast_pair[STEP_COUNT][STEP_COUNT] = { STEP_NAMES(ROW_OF_NAMES, ) };

static struct pair_map *add(struct pair_map *m, insn_handler *run, unsigned number)
{
    unsigned n = (unsigned)((uintptr_t)run >> 4) & (PAIR_SLOTS - 1);
    while (m->slot[n].run) n = (n + 1) & (PAIR_SLOTS - 1);
    m->slot[n].run = run;
    m->slot[n].number = (uint8_t)number;
    return m;
}

static unsigned number_of(const struct pair_map *m, insn_handler *run)
{
    unsigned n = (unsigned)((uintptr_t)run >> 4) & (PAIR_SLOTS - 1);
    while (m->slot[n].run && m->slot[n].run != run) n = (n + 1) & (PAIR_SLOTS - 1);
    return m->slot[n].run ? m->slot[n].number : PAIR_NONE;
}

struct pair_map *pair_map_create(void)
{
    struct pair_map *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    insn_handler *const single[STEP_COUNT] = {
        [STEP_mov_rr] = fast_mov_rr[2], [STEP_mov_ri] = fast_mov_ri[2], [STEP_lea_any] = fast_lea[0],
        [STEP_lea_base] = fast_lea[1], [STEP_movzx_rr8] = fast_movx_rr[0][0],
        [STEP_load_b] = fast_load[2][EA_BASE], [STEP_load_f] = fast_load[2][EA_FLAT],
        [STEP_store_b] = fast_store[2][EA_BASE], [STEP_store_f] = fast_store[2][EA_FLAT],
        [STEP_store_imm_b] = fast_store_imm[2][EA_BASE], [STEP_movzx_rm8_b] = fast_movx_rm[0][0][EA_BASE],
        [STEP_movzx_rm8_f] = fast_movx_rm[0][0][EA_FLAT], [STEP_push_r] = fast_push_r[1][1], [STEP_pop_r] = fast_pop_r[1][1],
        [STEP_add_rr] = fast_alu[ALU_ADD].rr[2], [STEP_add_rrq] = fast_alu[ALU_ADD].rrq[2],
        [STEP_add_ri] = fast_alu[ALU_ADD].ri[2], [STEP_add_riq] = fast_alu[ALU_ADD].riq[2],
        [STEP_add_rm_b] = fast_alu[ALU_ADD].rm[2][EA_BASE], [STEP_add_mr_b] = fast_alu[ALU_ADD].mr[2][EA_BASE],
        [STEP_sub_rr] = fast_alu[ALU_SUB].rr[2], [STEP_sub_rrq] = fast_alu[ALU_SUB].rrq[2],
        [STEP_sub_ri] = fast_alu[ALU_SUB].ri[2], [STEP_sub_riq] = fast_alu[ALU_SUB].riq[2],
        [STEP_and_rr] = fast_alu[ALU_AND].rr[2], [STEP_and_rrq] = fast_alu[ALU_AND].rrq[2],
        [STEP_and_ri] = fast_alu[ALU_AND].ri[2], [STEP_and_riq] = fast_alu[ALU_AND].riq[2],
        [STEP_or_rr] = fast_alu[ALU_OR].rr[2], [STEP_or_rrq] = fast_alu[ALU_OR].rrq[2],
        [STEP_xor_rr] = fast_alu[ALU_XOR].rr[2], [STEP_xor_rrq] = fast_alu[ALU_XOR].rrq[2],
        [STEP_xor_rm_b] = fast_alu[ALU_XOR].rm[2][EA_BASE], [STEP_xor_rm_f] = fast_alu[ALU_XOR].rm[2][EA_FLAT],
        [STEP_rol_riq] = fast_shift_riq[SHIFT_ROL][2], [STEP_ror_riq] = fast_shift_riq[SHIFT_ROR][2],
        [STEP_shl_ri] = fast_shift_ri[SHIFT_SHL][2], [STEP_shl_riq] = fast_shift_riq[SHIFT_SHL][2],
        [STEP_shr_ri] = fast_shift_ri[SHIFT_SHR][2], [STEP_shr_riq] = fast_shift_riq[SHIFT_SHR][2],
        [STEP_sar_riq] = fast_shift_riq[SHIFT_SAR][2], [STEP_inc] = fast_inc[0][2], [STEP_incq] = fast_incq[0][2],
        [STEP_decq] = fast_incq[1][2], [STEP_imul_rr] = fast_imul_rr, [STEP_imul_rm_b] = fast_imul_rm[EA_BASE],
    };
    for (unsigned n = 0; n < STEP_COUNT; n++) add(m, single[n], n);
    for (unsigned n = 0; n < END_COUNT; n++) add(m, fast_ends[n], STEP_COUNT + n);
    return m;
}

insn_handler *pair_find(const struct pair_map *m, insn_handler *first, insn_handler *second)
{
    unsigned a = number_of(m, first), b = number_of(m, second);
    if (a >= STEP_COUNT || b == PAIR_NONE) return NULL;
    return b < STEP_COUNT ? fast_pair[a][b] : fast_pair_end[a][b - STEP_COUNT];
}
