/* Wires. A wire has one driver and carries a level; edges are seen by the receiver.
 *
 * A chip holds its output as a struct irq_line in its pins, given at create. irq_or joins several drivers into one
 * wire (one bit of state per source); irq_split feeds one driver to several inputs. Only the machine's thread. */
#ifndef BASE_IRQ_H
#define BASE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_line {
    void (*set)(void *opaque, unsigned pin, bool level);   /* NULL: the pin is not connected */
    void *opaque;
    uint32_t pin;
    bool level;                                            /* STATE: saved with its driver, not propagated on load */
    uint8_t unused[3];
};

#define IRQ_LINE(fn, op, n) ((struct irq_line){ .set = (fn), .opaque = (op), .pin = (n) })

/* Drives the wire; does nothing if it is not connected or already at that level. */
static inline void irq_set(struct irq_line *l, bool level)
{
    if (l->level == level) return;
    l->level = level;
    if (l->set) l->set(l->opaque, l->pin, level);
}

/* A rising edge followed by a falling one. */
static inline void irq_pulse(struct irq_line *l) { irq_set(l, true); irq_set(l, false); }

struct irq_or { uint64_t sources; struct irq_line out; };
/* The input wire for source n (0 to 63). */
struct irq_line irq_or_input(struct irq_or *o, unsigned n);

#define IRQ_SPLIT_MAX 4
struct irq_split { struct irq_line out[IRQ_SPLIT_MAX]; };
/* The input wire; every connected output follows it. */
struct irq_line irq_split_input(struct irq_split *s);

/* A wire that is looked at instead of listened to: its driver computes the level when asked, so that a fast one (the
 * timer's refresh output) costs nothing while nobody looks. An unconnected one is low. */
struct irq_sense { bool (*level)(void *opaque, unsigned pin); void *opaque; uint32_t pin; uint8_t unused[4]; };

static inline bool irq_look(const struct irq_sense *s) { return s->level && s->level(s->opaque, s->pin); }

struct state_desc;
extern const struct state_desc irq_or_state, irq_split_state;

#endif
