/* High precision event timer: three comparators on one 64-bit counter at 100 MHz. Registers at FED00000h. Machine's
 * thread only. IA-PC HPET Specification 1.0a. */
#ifndef DEVICES_HPET_H
#define DEVICES_HPET_H

#include "devices/device.h"

#define HPET_FIRST_PIN 16                     /* timers can be routed to I/O APIC inputs 16 to 23 */

struct hpet_pins {
    uint64_t base;                            /* 0xfed00000 */
    struct irq_line irq[8];                   /* I/O APIC inputs 16 to 23 */
    struct irq_line irq0, irq8;               /* where the 8254's and the RTC's interrupts go on to */
};

struct device *hpet_create(struct board *b, const char *id, const struct hpet_pins *pins);
/* Inputs for the 8254's channel 0 and the RTC: passed on to irq0 and irq8 except under legacy replacement. */
struct irq_line hpet_pit_in(struct device *d);
struct irq_line hpet_rtc_in(struct device *d);

#endif
