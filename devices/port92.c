/* System control port A, 92h (IBM PS/2 Hardware Interface Technical Reference; 82371SB datasheet, "Port 92
 * register").
 *
 * Bit 1 opens the A20 gate without the slow 8042; the board joins both gates, either of which lets address line 20
 * through. Bit 0 resets the CPU on its rising edge only: it stays 1 until software clears it, and writing 1 again
 * does nothing. */
#include "devices/port92.h"

#include <stdlib.h>

enum { PORT92_FAST_INIT = 0x01, PORT92_A20 = 0x02 };

struct port92 {
    struct device dev;
    struct irq_line a20, init;
    uint8_t value;
    uint8_t unused[7];
};

static const struct state_field port92_fields[] = {
    FIELD_WIRING(struct port92, dev),
    FIELD(struct port92, a20, "A20 gate"),
    FIELD(struct port92, init, "INIT pulse"),
    FIELD_RANGE(struct port92, value, 0, 3, "bit 1 A20, bit 0 reset"),
    FIELD_WIRING(struct port92, unused),
};
static const struct state_desc port92_state = STATE_DESC(struct port92, "port92", port92_fields);

static uint64_t port92_read(void *dev, uint64_t off, unsigned size)
{
    struct port92 *p = dev;
    (void)off;
    (void)size;
    return p->value;
}

static void port92_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct port92 *p = dev;
    bool init = val & PORT92_FAST_INIT && !(p->value & PORT92_FAST_INIT);
    (void)off;
    (void)size;
    p->value = (uint8_t)val & (PORT92_FAST_INIT | PORT92_A20);
    irq_set(&p->a20, p->value & PORT92_A20);
    if (init) irq_pulse(&p->init);
}

static const struct io_ops port92_ops = { port92_read, port92_write, 1, 1 };

static void port92_reset(struct device *d, enum reset_kind kind)
{
    struct port92 *p = (struct port92 *)d;
    (void)kind;
    p->value = 0;
    irq_set(&p->a20, false);
    irq_set(&p->init, false);
}

static void port92_destroy(struct device *d)
{
    free(d);
}

static const struct device_class port92_class = {
    .name = "port92", .title = "System control port A", .reset = port92_reset, .destroy = port92_destroy,
    .state = &port92_state,
};

struct device *port92_create(struct board *b, const char *id, const struct port92_pins *pins)
{
    struct port92 *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &port92_class, b, id);
    p->a20 = pins->a20;
    p->init = pins->init;
    device_claim_ports(&p->dev, pins->base, 1, &port92_ops);
    return &p->dev;
}
