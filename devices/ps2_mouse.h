/* PS/2 mouse with wheel (IntelliMouse) and five buttons (IntelliMouse Explorer). */
#ifndef DEVICES_PS2_MOUSE_H
#define DEVICES_PS2_MOUSE_H

#include "devices/device.h"
#include "devices/ps2.h"

struct ps2_mouse_pins { struct ps2_port *port; };

struct device *ps2_mouse_create(struct board *b, const char *id, const struct ps2_mouse_pins *pins);
/* An input of the machine. dx right, dy down (as screens count), dz wheel towards the user; buttons: bit 0 left, 1
 * right, 2 middle, 3 and 4 the side buttons. */
void ps2_mouse_move(struct device *d, int dx, int dy, int dz, unsigned buttons);
/* True while the guest listens (stream mode with data reporting on). */
bool ps2_mouse_reporting(struct device *d);

#endif
