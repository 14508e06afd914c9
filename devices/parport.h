/* Parallel printer port, PS/2 type (bidirectional). */
#ifndef DEVICES_PARPORT_H
#define DEVICES_PARPORT_H

#include "devices/device.h"
#include "host/char.h"

struct parport_pins {
    uint16_t base;                    /* 378h, 278h, 3BCh: three ports */
    struct irq_line irq;              /* IRQ7 or IRQ5 */
    struct chr *chr;                  /* the printer: takes each strobed byte; NULL: nothing is plugged in */
};

struct device *parport_create(struct board *b, const char *id, const struct parport_pins *pins);

#endif
