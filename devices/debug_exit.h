/* isa-debug-exit: a port whose write ends the emulator. */
#ifndef DEVICES_DEBUG_EXIT_H
#define DEVICES_DEBUG_EXIT_H

#include "devices/device.h"

struct debug_exit_pins {
    uint16_t iobase;                  /* 501h */
    uint16_t iosize;                  /* ports claimed: 1 to 4, usually 2 or 4 */
};

struct device *debug_exit_create(struct board *b, const char *id, const struct debug_exit_pins *pins);

#endif
