/* System control port B (61h): speaker, refresh toggle, NMI sources. */
#ifndef DEVICES_PORT61_H
#define DEVICES_PORT61_H

#include "devices/device.h"

struct port61_pins {
    uint16_t base;                    /* 61h */
    struct irq_line gate2;            /* GATE of timer channel 2 */
    struct irq_line nmi;              /* the CPU's NMI: a rising edge interrupts */
    struct irq_sense out2;            /* OUT of timer channel 2 */
    struct irq_sense refresh;         /* toggles with each refresh cycle */
};

enum { PORT61_SERR, PORT61_IOCHK, PORT61_NMI_MASK };   /* inputs: system error, ISA channel check, port 70h bit 7 */

struct device *port61_create(struct board *b, const char *id, const struct port61_pins *pins);
struct irq_line port61_input(struct device *d, unsigned n);

#endif
