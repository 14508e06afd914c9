/* Joining and splitting of wires.
 *
 * Levels are state of the driver and are not propagated on load: every receiver saves what it saw. */
#include "base/irq.h"

#include "base/state.h"

static void or_set(void *opaque, unsigned pin, bool level)
{
    struct irq_or *o = opaque;
    uint64_t bit = 1ull << (pin & 63);
    o->sources = level ? o->sources | bit : o->sources & ~bit;
    irq_set(&o->out, o->sources != 0);
}

struct irq_line irq_or_input(struct irq_or *o, unsigned n)
{
    return IRQ_LINE(or_set, o, n);
}

static void split_set(void *opaque, unsigned pin, bool level)
{
    struct irq_split *s = opaque;
    (void)pin;
    for (unsigned i = 0; i < IRQ_SPLIT_MAX; i++) irq_set(&s->out[i], level);
}

struct irq_line irq_split_input(struct irq_split *s)
{
    return IRQ_LINE(split_set, s, 0);
}

static const struct state_field irq_or_fields[] = {
    FIELD(struct irq_or, sources, "a bit per input that is high"),
    FIELD(struct irq_or, out, "the joined wire"),
};
const struct state_desc irq_or_state = STATE_DESC(struct irq_or, "irq_or", irq_or_fields);

static const struct state_field irq_split_fields[] = {
    FIELD_ARRAY(struct irq_split, out, "the branches"),
};
const struct state_desc irq_split_state = STATE_DESC(struct irq_split, "irq_split", irq_split_fields);
