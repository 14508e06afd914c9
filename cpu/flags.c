/* EFLAGS as a whole word. */
#include "cpu/flags.h"

uint32_t eflags_get(struct cpu *c)
{
    return (c->eflags & ~(uint32_t)FL_ARITH) | flags_arith(c);
}

void eflags_set(struct cpu *c, uint32_t value)
{
    uint32_t changed = c->eflags ^ value;
    c->eflags = value | FL_1;
    c->cc_kind = CC_EFLAGS;
    /* TF and RF make the run loop look at every instruction; VM and AC change what accesses may do. */
    if ((changed & (FL_VM | FL_AC)) || (value & (FL_TF | FL_RF))) cpu_mode_changed(c);
    if (c->intr_level && (value & FL_IF)) c->attention |= ATT_INTR;
}
