/* Intel 82371AB (PIIX4) power management function: ACPI registers, SMI, SMBus. PCI function 01.3. Machine's thread
 * only. */
#ifndef DEVICES_PIIX4_PM_H
#define DEVICES_PIIX4_PM_H

#include "devices/pci.h"

struct piix4_pm_pins {
    struct pci_bus *bus;
    struct irq_line sci;                      /* level; IRQ9 on the board */
    struct irq_line smi;                      /* pulses; the CPU's SMI pin */
};

/* Claims ports B2h and B3h; the ACPI and SMBus blocks follow their base registers. */
struct device *piix4_pm_create(struct board *b, const char *id, const struct piix4_pm_pins *pins);
/* IRQ8 of the real-time clock has been asserted. */
void piix4_pm_rtc(struct device *d);
/* The power button is pressed and let go (an input, between instructions). */
void piix4_pm_power_button(struct device *d);

#endif
