/* 8254 programmable interval timer. */
#ifndef DEVICES_I8254_H
#define DEVICES_I8254_H

#include "devices/device.h"

struct i8254_pins {
    uint16_t base;                    /* 40h: four ports */
    struct irq_line out[3];           /* OUT0..2; one that is not connected costs no timer */
};

struct device *i8254_create(struct board *b, const char *id, const struct i8254_pins *pins);
/* GATEn. Tied high unless a board asks for this wire; then it is low until driven high. */
struct irq_line i8254_gate(struct device *d, unsigned n);
/* OUTn looked at instead of listened to: the level is computed when asked. For port 61h. */
struct irq_sense i8254_out_sense(struct device *d, unsigned n);
/* A flip-flop behind OUTn that toggles with each rising edge: the refresh bit of port 61h with n = 1. */
struct irq_sense i8254_toggle_sense(struct device *d, unsigned n);

#endif
