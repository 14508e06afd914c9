/* 8259A interrupt controller. A PC has two: create the master, then the slave with `intr` wired to the master's
 * input 2, then i8259_connect_slave. */
#ifndef DEVICES_I8259_H
#define DEVICES_I8259_H

#include "devices/device.h"

struct i8259_pins {
    uint16_t base;                    /* 20h, A0h: two ports */
    uint16_t elcr;                    /* 4D0h, 4D1h; 0: a bare 8259A, whose trigger mode is ICW1's LTIM bit */
    uint8_t elcr_mask;                /* inputs whose trigger mode the guest may choose: F8h master, DEh slave */
    bool master;                      /* level of SP#/EN# */
    struct irq_line intr;             /* INT: the CPU's INTR, or an input of the master */
};

struct device *i8259_create(struct board *b, const char *id, const struct i8259_pins *pins);
/* Input IRn, n 0 to 7. */
struct irq_line i8259_input(struct device *d, unsigned n);
/* Puts a slave on the master's CAS lines. At most 8. It answers to the identity that the guest gives it in ICW3. */
void i8259_connect_slave(struct device *master, struct device *slave);
/* The CPU's two INTA cycles: returns the vector. Asked without a request pending it gives IR7's, as the chip does. */
uint8_t i8259_intack(struct device *master);

#endif
