/* The board's own wires.
 *
 * Each ISA interrupt line joins its drivers (the ISA chip, PCI interrupts that PIIX3 routes there, the SCI) and feeds both
 * the 8259A pair and the I/O APIC, as PIIX3 boards wire it. A20 works while either gate (8042 output port, port 92h) lets
 * it through. */
#include "machine/wires.h"

#include <stdlib.h>

struct wires {
    struct device dev;
    struct irq_or join[WIRES_ISA_IRQS];
    struct irq_split split[WIRES_ISA_IRQS];
    struct irq_or a20;
    struct irq_line a20m;
};

static const struct state_field wires_fields[] = {
    FIELD_WIRING(struct wires, dev),
    FIELD_STRUCTS(struct wires, join, &irq_or_state, "ISA interrupt lines: who drives each"),
    FIELD_STRUCTS(struct wires, split, &irq_split_state, "the same lines at the 8259A and the I/O APIC"),
    FIELD_STRUCT(struct wires, a20, &irq_or_state, "A20 gates"),
    FIELD(struct wires, a20m, "A20M# (true: line 20 is masked)"),
};
static const struct state_desc wires_state = STATE_DESC(struct wires, "wires", wires_fields);

static void wires_a20_changed(void *opaque, unsigned pin, bool level)
{
    struct wires *w = opaque;
    (void)pin;
    trace(w->dev.board->log, board_a20, (uint64_t)level);
    irq_set(&w->a20m, !level);
}

static void wires_destroy(struct device *d) { free(d); }

static const struct device_class wires_class = {
    .name = "wires", .title = "Interrupt lines and A20 gate of the board", .destroy = wires_destroy, .state = &wires_state,
};

struct device *wires_create(struct board *b, const char *id, const struct wires_pins *pins)
{
    struct wires *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    device_init(&w->dev, &wires_class, b, id);
    for (unsigned n = 0; n < WIRES_ISA_IRQS; n++) {
        w->split[n].out[0] = pins->pic[n];
        w->split[n].out[1] = pins->ioapic[n];
        w->join[n].out = irq_split_input(&w->split[n]);
    }
    w->a20m = pins->a20m;
    w->a20.out = IRQ_LINE(wires_a20_changed, w, 0);
    return &w->dev;
}

struct irq_line wires_irq(struct device *d, unsigned n, enum wire_source source)
{
    return irq_or_input(&((struct wires *)d)->join[n], source);
}

struct irq_line wires_a20(struct device *d, enum a20_source source)
{
    return irq_or_input(&((struct wires *)d)->a20, source);
}
