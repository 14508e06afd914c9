/* The board's own wires: interrupt lines that several chips share, and the A20 gate. A device, because levels are state. */
#ifndef MACHINE_WIRES_H
#define MACHINE_WIRES_H

#include "devices/device.h"

enum { WIRES_ISA_IRQS = 16 };

/* Sources of each ISA interrupt line; each driver has its own, so that one chip's low does not hide another's high. */
enum wire_source { WIRE_CHIP, WIRE_PCI, WIRE_SCI, WIRE_SECOND, WIRE_SOURCES };
enum a20_source { A20_KBC, A20_PORT92 };

struct wires_pins {
    struct irq_line pic[WIRES_ISA_IRQS];       /* the 8259A inputs */
    struct irq_line ioapic[WIRES_ISA_IRQS];    /* the I/O APIC inputs; not connected on boards without one */
    struct irq_line a20m;                      /* A20M# of the CPU: true masks address line 20 */
};

struct device *wires_create(struct board *b, const char *id, const struct wires_pins *pins);
/* The wire a chip drives as ISA interrupt n. */
struct irq_line wires_irq(struct device *d, unsigned n, enum wire_source source);
/* The wire of an A20 gate: high lets the line through. */
struct irq_line wires_a20(struct device *d, enum a20_source source);

#endif
