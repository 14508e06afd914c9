/* A handler for every two of the most frequent steps (fast_seq.h). */
#include "cpu/fast_seq.h"

#include "cpu/step.h"

/* The single handlers that Linux programs spent their instructions in, in about 9 of 10. */
#define FIRSTS(X) \
    X(mov_rr) X(mov_ri) X(lea_any) X(lea_base) X(movzx_rr8) X(load_b) X(load_f) X(store_b) X(store_f) X(store_imm_b) \
    X(movzx_rm8_b) X(push_r) X(pop_r) X(add_rr) X(add_rrq) X(add_ri) X(add_riq) X(sub_rr) X(sub_rrq) X(sub_ri) X(and_rrq) \
    X(and_ri) X(and_riq) X(xor_rr) X(xor_rrq) X(shl_riq) X(shr_ri) X(shr_riq) X(inc) X(incq)
/* The same once more, because a macro is not expanded within itself. */
#define SECONDS(X, A) \
    X(A, mov_rr) X(A, mov_ri) X(A, lea_any) X(A, lea_base) X(A, movzx_rr8) X(A, load_b) X(A, load_f) X(A, store_b) \
    X(A, store_f) X(A, store_imm_b) X(A, movzx_rm8_b) X(A, push_r) X(A, pop_r) X(A, add_rr) X(A, add_rrq) X(A, add_ri) \
    X(A, add_riq) X(A, sub_rr) X(A, sub_rrq) X(A, sub_ri) X(A, and_rrq) X(A, and_ri) X(A, and_riq) X(A, xor_rr) \
    X(A, xor_rrq) X(A, shl_riq) X(A, shr_ri) X(A, shr_riq) X(A, inc) X(A, incq)

#define PAIR(A, B) static HANDLER(A##_then_##B) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_ON(2) }
#define ROW(A) SECONDS(PAIR, A)
FIRSTS(ROW)

#define ENTRY(A, B) { { SEQ_##A, SEQ_##B }, A##_then_##B },
#define ENTRIES(A) SECONDS(ENTRY, A)
static const struct seq pairs[] = { FIRSTS(ENTRIES) };
const struct seq_list fast_pairs = { pairs, sizeof pairs / sizeof *pairs };
