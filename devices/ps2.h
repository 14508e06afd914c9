/* A PS/2 connector: the cable between the keyboard controller and a keyboard or mouse.
 *
 * The device keeps its bytes until the controller clocks them in, one at a time; the controller decides when (it
 * holds the clock low while its own buffer is full or the port is disabled). Only the machine's thread. */
#ifndef DEVICES_PS2_H
#define DEVICES_PS2_H

#include <stdbool.h>
#include <stdint.h>

struct ps2_port {
    /* Set by the device that is plugged in; NULL: nothing is. */
    bool (*take)(void *dev, uint8_t *byte);       /* the controller clocks the next byte in; false: nothing to send */
    bool (*pending)(void *dev);                   /* is there a byte to send? */
    void (*command)(void *dev, uint8_t byte);     /* a byte from the host has arrived */
    void *dev;
    /* Set by the controller. */
    void (*ready)(void *host, unsigned n);        /* the device calls it when `pending` becomes true */
    void *host;
    unsigned n;
};

static inline void ps2_ready(struct ps2_port *p) { p->ready(p->host, p->n); }

#endif
