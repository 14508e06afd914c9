/* System control port A (92h): fast A20 gate and fast CPU reset. */
#ifndef DEVICES_PORT92_H
#define DEVICES_PORT92_H

#include "devices/device.h"

struct port92_pins {
    uint16_t base;                    /* 92h */
    struct irq_line a20;              /* high: address line 20 works. The board joins it with the 8042's (irq_or) */
    struct irq_line init;             /* pulsed: resets the CPU (INIT#), not the board */
};

struct device *port92_create(struct board *b, const char *id, const struct port92_pins *pins);

#endif
