/* Intel 82371SB (PIIX3) PCI-to-ISA bridge: PIRQ router and reset control. PCI function 01.0. Machine's thread only. */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "devices/pci.h"

struct piix3_pins {
    struct pci_bus *bus;                      /* its PIRQ wires and CF9h are connected to the PIIX3 by create */
    struct irq_line irq[16];                  /* PIRQs routed to ISA interrupts: levels, to be joined with
                                                 the ISA devices' own wires */
    struct irq_line init;                     /* the CPU's INIT pin: soft reset by CF9h */
};

struct device *piix3_create(struct board *b, const char *id, const struct piix3_pins *pins);
/* The PIRQA#..PIRQD# inputs (n = 0 to 3). create has connected them to the bus already. */
struct irq_line piix3_pirq(struct device *d, unsigned n);

#endif
