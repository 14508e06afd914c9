/* Debug console: a port whose written bytes go to a character device. */
#ifndef DEVICES_DEBUGCON_H
#define DEVICES_DEBUGCON_H

#include "devices/device.h"
#include "host/char.h"

struct debugcon_pins {
    uint16_t iobase;                  /* E9h (Bochs), 402h (SeaBIOS), or any */
    uint8_t readback;                 /* what a read gives, so that a guest can tell it is there: E9h */
    struct chr *chr;                  /* where the bytes go */
};

struct device *debugcon_create(struct board *b, const char *id, const struct debugcon_pins *pins);

#endif
