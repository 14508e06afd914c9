/* Which handler runs a record: the general one, which calls the operation's slow body, or one made for its form. */
#include "cpu/exec.h"

#include "cpu/optable.h"

insn_handler *select_handler(const struct cpu *c, const struct insn *i, unsigned mode)
{
    (void)c;
    (void)mode;
    uint16_t attr = optable[i->op].attr;
    if (attr & OPA_REP) return run_body_rep;
    return attr & OPA_TIME ? run_body_time : run_body;
}
