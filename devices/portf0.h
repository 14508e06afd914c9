/* Coprocessor error logic (port F0h): FERR# to IRQ13, and IGNNE# back. */
#ifndef DEVICES_PORTF0_H
#define DEVICES_PORTF0_H

#include "devices/device.h"

struct portf0_pins {
    uint16_t base;                    /* F0h */
    struct irq_line irq;              /* IRQ13 */
    struct irq_line ignne;            /* high: the CPU goes on in spite of the error */
};

struct device *portf0_create(struct board *b, const char *id, const struct portf0_pins *pins);
/* The FERR# input; high: an unmasked x87 exception is pending. */
struct irq_line portf0_ferr(struct device *d);

#endif
