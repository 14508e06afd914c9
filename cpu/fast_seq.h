/* Handlers of several instructions: the cost of an interpreter is the jump to the next handler, so frequent neighbours share one.
 *
 * A step is an instruction that goes on with the next record (step.h); an end is one that jumps: a jump, a return, a
 * comparison fused with its jump. A_then_B is step A on this record, B on the next one, and a jump to the handler after. Every
 * two of the most frequent steps have a handler (fast_pair.c), some steps have one with an end behind them (fast_branch.c), and
 * so has every sequence that fast_seq.def lists (fast_seq.c; those with an end: fast_branch.c). select.c first chooses single
 * handlers; then seq_share goes through the block. The records behind the first of a sequence keep their own, for whoever
 * enters there.
 *
 * The oddest thing about them is what happens if an operand is not plain memory. Until that step everything before it is done
 * and nothing of it has begun: its slow body does it, and goes on with the next record's own handler. Each instruction has run
 * once. */
#ifndef CPU_FAST_SEQ_H
#define CPU_FAST_SEQ_H

#include "cpu/block.h"

enum seq_number {
    SEQ_NONE,
#define SEQ_STEP(NAME, SINGLE) SEQ_##NAME,
#define SEQ_END(NAME, SINGLE) SEQ_##NAME,
#include "cpu/fast_step.def"
#undef SEQ_STEP
#undef SEQ_END
    SEQ_NUMBERS
};
_Static_assert(SEQ_NUMBERS <= UINT8_MAX, "numbers are bytes");

enum { SEQ_MAX = 4 };
struct seq { uint8_t number[SEQ_MAX]; insn_handler *run; };
struct seq_list { const struct seq *seq; unsigned count; };
extern const struct seq_list fast_pairs, fast_pair_ends, fast_seqs, fast_seq_ends;

/* How they are found: numbers of single handlers by address, and the sequences as a tree, each node in a hash by its parent and
 * its last number. A slot of either with number 0 is free. */
enum { SEQ_SINGLES = 512, SEQ_NODES = 8192 };
struct seq_node { insn_handler *run; uint16_t parent /* slot + 1, 0: none */; uint8_t number; };
struct seq_map {
    struct { insn_handler *run; uint8_t number; } single[SEQ_SINGLES];
    struct seq_node node[SEQ_NODES];
};

/* NULL: no memory. Freed with free(). */
struct seq_map *seq_map_create(void);
/* Gives each record the handler that leaves the fewest to run from it to the end of the block. */
void seq_share(const struct seq_map *m, struct insn *first, unsigned count);

/* ---- how handlers are made: i is the first record. */
#define SEQ_DO(A, N) \
    if (UNLIKELY(!step_##A(c, i + N))) MUSTTAIL return run_body(c, i + N, budget, spare & 0);
#define SEQ_ON(N) MUSTTAIL return DISPATCH(c, i + N, budget, spare & 0);
#define SEQ_JUMP(B, N) MUSTTAIL return B(c, i + N, budget, spare & 0);

#endif
