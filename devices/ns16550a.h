/* NS16550A UART: a serial port. */
#ifndef DEVICES_NS16550A_H
#define DEVICES_NS16550A_H

#include "devices/device.h"
#include "host/char.h"

struct ns16550a_pins {
    uint16_t base;                    /* 3F8h, 2F8h, 3E8h, 2E8h: eight ports */
    struct irq_line irq;              /* INTR behind the OUT2 gate of the PC's serial card */
    struct chr *chr;                  /* the far end, whose room, received and event create fills in; NULL: nothing there */
    bool hurry;                       /* a character leaves within 1 us whatever the divisor says, so that a polled
                                       * console costs the guest no time; false: it takes its ten bit times */
};

struct device *ns16550a_create(struct board *b, const char *id, const struct ns16550a_pins *pins);

#endif
