/* 8042 keyboard controller with its PS/2 mouse port. */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "devices/device.h"
#include "devices/ps2.h"

struct i8042_pins {
    uint16_t data;                    /* 60h */
    uint16_t command;                 /* 64h */
    struct irq_line irq_kbd;          /* IRQ1 */
    struct irq_line irq_aux;          /* IRQ12 */
    struct irq_line a20;              /* output port bit 1 */
    struct irq_line init;             /* output port bit 0, pulsed high when the pin goes low: resets the CPU */
};

struct device *i8042_create(struct board *b, const char *id, const struct i8042_pins *pins);
/* Connector 0 (keyboard) or 1 (auxiliary: mouse). Lives as long as the device. */
struct ps2_port *i8042_port(struct device *d, unsigned n);

#endif
