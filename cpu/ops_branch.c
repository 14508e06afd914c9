/* Near jumps, calls and returns, loops (SDM vol. 2).
 *
 * The target is cut to the operand size and checked against the CS limit by the jump itself, so a fault leaves the jump
 * as the faulting instruction and its stack untouched. */
#include "cpu/ops.h"

BODY(jmp_Jb) { return jump_near(c, i, relative(c, i)); }
BODY(jmp_Jz) { return jump_near(c, i, relative(c, i)); }
BODY(jmp_Ev) { return jump_near(c, i, rm_read(c, i, insn_opsize(i))); }

static enum status jump_if(struct cpu *c, const struct insn *i, bool yes)
{
    return yes ? jump_near(c, i, relative(c, i)) : BODY_NEXT;
}
BODY(jcc_Jb) { return jump_if(c, i, flags_condition(c, i->reg)); }
BODY(jcc_Jz) { return jump_if(c, i, flags_condition(c, i->reg)); }
BODY(jcxz_Jb) { return jump_if(c, i, addr_reg(c, i, R_CX) == 0); }

/* The counter changes only if the jump does not fault. */
static enum status loop(struct cpu *c, const struct insn *i, bool condition)
{
    uint64_t count = addr_cut(i, c->r[R_CX] - 1);
    bool yes = count != 0 && condition;
    uint64_t target = yes ? near_target(c, i, relative(c, i)) : 0;
    set_addr_reg(c, i, R_CX, count);
    if (!yes) return BODY_NEXT;
    c->rip = target;
    return BODY_JUMP;
}
BODY(loop_Jb) { return loop(c, i, true); }
BODY(loope_Jb) { return loop(c, i, flag_zf(c)); }
BODY(loopne_Jb) { return loop(c, i, !flag_zf(c)); }

static enum status call(struct cpu *c, const struct insn *i, uint64_t target)
{
    target = near_target(c, i, target);
    stack_push(c, c->next_rip & size_mask(size_of(i)), insn_opsize(i));
    c->rip = target;
    return BODY_JUMP;
}
BODY(call_Jz) { return call(c, i, relative(c, i)); }
BODY(call_Ev) { return call(c, i, rm_read(c, i, insn_opsize(i))); }

static enum status ret(struct cpu *c, const struct insn *i, unsigned extra)
{
    unsigned size = insn_opsize(i);
    uint64_t target = near_target(c, i, stack_peek(c, 0, size));
    stack_add(c, size + extra);
    c->rip = target;
    return BODY_JUMP;
}
BODY(ret) { return ret(c, i, 0); }
BODY(ret_Iw) { return ret(c, i, (uint16_t)i->imm); }
