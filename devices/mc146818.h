/* MC146818 real-time clock with 256 bytes of CMOS memory. */
#ifndef DEVICES_MC146818_H
#define DEVICES_MC146818_H

#include "devices/device.h"

struct mc146818_pins {
    uint16_t base;                    /* 70h: four ports (70h/71h, and 72h/73h for bytes 128-255) */
    int64_t date;                     /* at power-on, seconds since 1970 UTC */
    uint8_t century;                  /* CMOS byte that counts centuries (32h); 0: none */
    struct irq_line irq;              /* IRQ8, active high here */
    struct irq_line wake;             /* the same wire, to the power management */
    struct irq_line nmi_mask;         /* bit 7 of port 70h: high blocks NMI */
};

struct device *mc146818_create(struct board *b, const char *id, const struct mc146818_pins *pins);
/* CMOS bytes, for the board: before power-on, or an inspector's look. Registers 0 to 0Dh are the clock's; setting
 * those does what a guest's write does. index 0 to 255. */
void mc146818_set_cmos(struct device *d, unsigned index, uint8_t value);
uint8_t mc146818_cmos(struct device *d, unsigned index);
/* Sums bytes 10h-2Dh into 2Eh (high) and 2Fh, as the AT's BIOS checks them. Call after the last mc146818_set_cmos. */
void mc146818_set_checksum(struct device *d);

#endif
