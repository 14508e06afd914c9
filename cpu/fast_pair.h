/* Handlers of two instructions: the cost of an interpreter is the jump to the next handler, so frequent neighbours share one.
 *
 * A step is an instruction that goes on with the next record (step.h); an end is one that jumps: a jump, a return, a
 * comparison fused with its jump. fast_pair.c has a handler for each two steps of the list below, fast_branch.c one for some
 * steps followed by an end. The second instruction's record keeps its own handler, for whoever enters there.
 * select.c first chooses single handlers, then asks pair_find for each two. */
#ifndef CPU_FAST_PAIR_H
#define CPU_FAST_PAIR_H

#include "cpu/block.h"

/* The steps that can be paired: the single handlers that Linux programs spent their instructions in, in about 19 of 20. */
#define STEP_NAMES(X, ...) \
    X(__VA_ARGS__, mov_rr) X(__VA_ARGS__, mov_ri) X(__VA_ARGS__, lea_any) X(__VA_ARGS__, lea_base) X(__VA_ARGS__, movzx_rr8) \
    X(__VA_ARGS__, load_b) X(__VA_ARGS__, load_f) X(__VA_ARGS__, store_b) X(__VA_ARGS__, store_f) X(__VA_ARGS__, store_imm_b) \
    X(__VA_ARGS__, movzx_rm8_b) X(__VA_ARGS__, movzx_rm8_f) X(__VA_ARGS__, push_r) X(__VA_ARGS__, pop_r) \
    X(__VA_ARGS__, add_rr) X(__VA_ARGS__, add_rrq) X(__VA_ARGS__, add_ri) X(__VA_ARGS__, add_riq) X(__VA_ARGS__, add_rm_b) \
    X(__VA_ARGS__, add_mr_b) X(__VA_ARGS__, sub_rr) X(__VA_ARGS__, sub_rrq) X(__VA_ARGS__, sub_ri) X(__VA_ARGS__, sub_riq) \
    X(__VA_ARGS__, and_rr) X(__VA_ARGS__, and_rrq) X(__VA_ARGS__, and_ri) X(__VA_ARGS__, and_riq) X(__VA_ARGS__, or_rr) \
    X(__VA_ARGS__, or_rrq) X(__VA_ARGS__, xor_rr) X(__VA_ARGS__, xor_rrq) X(__VA_ARGS__, xor_rm_b) X(__VA_ARGS__, xor_rm_f) \
    X(__VA_ARGS__, rol_riq) X(__VA_ARGS__, ror_riq) X(__VA_ARGS__, shl_ri) X(__VA_ARGS__, shl_riq) X(__VA_ARGS__, shr_ri) \
    X(__VA_ARGS__, shr_riq) X(__VA_ARGS__, sar_riq) X(__VA_ARGS__, inc) X(__VA_ARGS__, incq) X(__VA_ARGS__, decq) \
    X(__VA_ARGS__, imul_rr) X(__VA_ARGS__, imul_rm_b)
#define STEP_NUMBER(unused, NAME) STEP_##NAME,
enum { STEP_NAMES(STEP_NUMBER, ) STEP_COUNT, END_COUNT = 12 * 3 + 3, PAIR_NONE = STEP_COUNT + END_COUNT };

extern insn_handler *const fast_pair[STEP_COUNT][STEP_COUNT];
extern insn_handler *const fast_ends[END_COUNT];                        /* which handlers the ends are */
extern insn_handler *const fast_pair_end[STEP_COUNT][END_COUNT];        /* NULL: no such pair */

/* From a single handler to its number: steps from 0, ends from STEP_COUNT. Open hashing by address. */
enum { PAIR_SLOTS = 512 };
struct pair_map { struct { insn_handler *run; uint8_t number; } slot[PAIR_SLOTS]; };

struct pair_map *pair_map_create(void);
/* The handler for both, or NULL. */
insn_handler *pair_find(const struct pair_map *m, insn_handler *first, insn_handler *second);

#endif
