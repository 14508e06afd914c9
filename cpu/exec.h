/* How records run one after the other.
 *
 * A handler ends by continuing with another record: DISPATCH(c, to, budget, spare), written as
 *     MUSTTAIL return DISPATCH(c, i + 1, budget, spare);
 * In the fast form that is a jump to the next handler, with cpu, record and budget in registers (-foptimize-sibling-calls,
 * musttail where the compiler has it). In the portable form (BEIGE_PORTABLE: -O0, sanitizers, hosts without sibling
 * calls) it notes the next record and returns to a plain loop. The bodies are the same, and so is every result.
 *
 * What a handler may do: read its record, registers and guest memory by a TLB hit, write registers, lazy flags and guest
 * memory by a TLB hit. For anything else, or if anything is unusual, it continues with run_body *before* it changed a
 * thing: that calls the operation's slow body, which is complete. */
#ifndef CPU_EXEC_H
#define CPU_EXEC_H

#include "cpu/block.h"
#include "cpu/flags.h"
#include "cpu/modrm.h"
#include "cpu/state.h"
#include "cpu/tlb.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HANDLER(name) void name(struct cpu *c, const struct insn *i, int64_t budget, uint64_t spare)

#ifdef BEIGE_PORTABLE
#define MUSTTAIL
static inline void exec_note(struct cpu *c, const struct insn *to, int64_t budget, uint64_t spare)
{
    c->go = to;
    c->go_budget = budget;
    c->go_spare = spare;
}
#define DISPATCH(c, to, budget, spare) exec_note((c), (to), (budget), (spare))
#else
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define MUSTTAIL __attribute__((musttail))
#endif
#endif
#ifndef MUSTTAIL
#define MUSTTAIL
#endif
#define DISPATCH(c, to, budget, spare) (to)->run((c), (to), (budget), (spare))
#endif

/* ---- exec.c */
HANDLER(run_body);                            /* the slow body of the record's operation */
HANDLER(run_body_time);                       /* the same, with the clock published first */
HANDLER(run_body_branch);                     /* the same for a branch that is run alone and recorded */
HANDLER(run_body_rep);                        /* the same for bodies that count iterations themselves */
HANDLER(run_end);                             /* last record of a block: leaves */
/* Last record of a block that was full, or of one that ends with its page: goes on where it knows how (fast_branch.c). */
HANDLER(run_full);
HANDLER(run_page_end);
HANDLER(run_unlinked);                        /* first record of the arena: where untaken jumps are linked to */
HANDLER(run_stale);                           /* first record of a block that was overwritten */

/* Runs records from `first` until one leaves; c->rip and c->budget say where and with how much left. */
void exec_run(struct cpu *c, const struct insn *first);

/* Leaves the block with `left` of the block-relative budget; c->rip is set. */
static inline void exec_leave(struct cpu *c, int64_t left)
{
    c->budget = left + BLOCK_MAX;
    c->go = NULL;
}

/* Where an instruction that ends the page or jumps goes on: the cached block at EIP, or NULL. *page_eip is set with it. */
static inline const struct insn *jump_target(struct cpu *c, uint64_t eip, uint64_t *page_eip)
{
    uint64_t linear = (uint32_t)(c->seg[SEG_CS].base + eip);
    const struct jump_entry *e = &c->jump_cache[jump_index(linear)];
    *page_eip = eip - (linear & (PAGE_SIZE - 1));
    if (UNLIKELY(e->linear != linear || e->context != c->jump_context || *page_eip > c->page_eip_max)) return NULL;
    return e->first;
}

#endif
