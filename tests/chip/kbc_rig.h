/* A keyboard controller with a keyboard and a mouse behind it, for the tests of the three. */
#ifndef TESTS_CHIP_KBC_RIG_H
#define TESTS_CHIP_KBC_RIG_H

#include "devices/i8042.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "tests/chip/rig.h"

enum { IRQ1, IRQ12, A20, INIT };                      /* probes */

/* "kbc" on ports 60h and 64h, "kbd" and "mouse". */
struct device *kbc_make(struct rig *r);
/* As a PC's BIOS leaves it: both ports on, interrupts on, translation on. */
struct device *kbc_setup(struct rig *r);
/* Writes, and waits until the controller has taken the byte out of its input buffer. */
void kbc_write(struct rig *r, uint16_t port, uint8_t v);
/* The next byte, waiting up to 20 ms; -1: none came. Mouse bytes have bit 8 set. */
int kbc_next(struct rig *r);
/* Everything that comes, as hex text: "e0 48", mouse bytes as "m08". Good until the next call. */
const char *kbc_all(struct rig *r);
/* What a byte to the mouse is answered with. */
const char *kbc_to_mouse(struct rig *r, uint8_t v);

#endif
