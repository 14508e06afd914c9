/* PS/2 keyboard (IBM enhanced, 102 keys and the usual multimedia ones). */
#ifndef DEVICES_PS2_KBD_H
#define DEVICES_PS2_KBD_H

#include "base/key.h"
#include "devices/device.h"
#include "devices/ps2.h"

struct ps2_kbd_pins { struct ps2_port *port; };

struct device *ps2_kbd_create(struct board *b, const char *id, const struct ps2_kbd_pins *pins);
/* A key goes down or up: an input of the machine. A repeated down or up of the same key is ignored (typematic repeat
 * is the keyboard's own). */
void ps2_kbd_key(struct device *d, enum key k, bool down);
/* Lit lamps: bit 0 scroll lock, 1 num lock, 2 caps lock. */
uint8_t ps2_kbd_leds(struct device *d);

#endif
