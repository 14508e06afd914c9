/* The handlers that call slow bodies, the plain call loop, and leaving a block. */
#include "cpu/exec.h"

#include "cpu/optable.h"
#include "cpu/system.h"

void exec_run(struct cpu *c, const struct insn *first)
{
#ifdef BEIGE_PORTABLE
    exec_note(c, first, c->budget - BLOCK_MAX, 0);
    while (c->go) c->go->run(c, c->go, c->go_budget, c->go_spare);
#else
    first->run(c, first, c->budget - BLOCK_MAX, 0);
#endif
}

/* What a body may look at: where it is, where the next instruction is, what is left. */
static inline void publish(struct cpu *c, const struct insn *i, int64_t budget)
{
    c->rip = c->page_eip + i->off;
    c->next_rip = (c->rip + i->len) & c->ip_mask;
    c->budget = budget + BLOCK_MAX - i->count;
}

/* The instruction is complete (or one iteration of it) and the block is left. */
static inline void leave_after(struct cpu *c, enum status s)
{
    c->budget--;
    if (s == BODY_NEXT) c->rip = c->next_rip;
    c->go = NULL;
}

HANDLER(run_body)
{
    publish(c, i, budget);
    enum status s = optable[i->op].body(c, i);
    if (LIKELY(s == BODY_NEXT && !c->attention)) MUSTTAIL return DISPATCH(c, i + 1, budget, spare);
    leave_after(c, s);
}

/* A branch that run.c runs alone because DEBUGCTL wants to know of it. */
HANDLER(run_body_branch)
{
    (void)spare;
    publish(c, i, budget);
    uint64_t from = debug_place(c);
    enum status s = optable[i->op].body(c, i);
    c->branched = s == BODY_JUMP;
    if (c->branched) debug_branch(c, from);
    leave_after(c, s);
}

HANDLER(run_body_time)
{
    publish(c, i, budget);
    cpu_publish(c);
    enum status s = optable[i->op].body(c, i);
    if (LIKELY(s == BODY_NEXT && !c->attention)) MUSTTAIL return DISPATCH(c, i + 1, budget, spare);
    leave_after(c, s);
}

/* The body has lowered c->budget by its iterations but the last. */
HANDLER(run_body_rep)
{
    publish(c, i, budget);
    if (optable[i->op].attr & OPA_TIME) cpu_publish(c);
    enum status s = optable[i->op].body(c, i);
    c->rep_open = s == BODY_AGAIN;
    budget = c->budget - BLOCK_MAX + i->count;
    if (LIKELY(s == BODY_NEXT && !c->attention && budget >= 0)) MUSTTAIL return DISPATCH(c, i + 1, budget, spare);
    leave_after(c, s);
}

HANDLER(run_end)
{
    (void)spare;
    c->rip = (c->page_eip + i->off) & c->ip_mask;
    exec_leave(c, budget - i->count);
}

/* Comes first in a block, so its count is 0 and nothing of the block has run. */
HANDLER(run_stale)
{
    (void)spare;
    c->rip = c->page_eip + i->off;
    exec_leave(c, budget);
}
