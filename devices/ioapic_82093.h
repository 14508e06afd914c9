/* Intel 82093AA I/O APIC: 24 interrupt inputs, each with a redirection entry. Registers at FEC00000h. Machine's thread
 * only. */
#ifndef DEVICES_IOAPIC_82093_H
#define DEVICES_IOAPIC_82093_H

#include "devices/apic_bus.h"
#include "devices/device.h"

#define IOAPIC_PINS 24

struct ioapic_pins {
    struct apic_bus *bus;
    uint64_t base;                            /* 0xfec00000 */
};

struct device *ioapic_create(struct board *b, const char *id, const struct ioapic_pins *pins);
/* Input n (0-23); true = asserted. IRQ0 belongs on input 2, the other ISA interrupts on the input of their number. */
struct irq_line ioapic_input(struct device *d, unsigned n);

#endif
