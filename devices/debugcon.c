/* Debug console: what Bochs has at port E9h and SeaBIOS writes to at 402h. There is no such chip and no datasheet;
 * the convention is that a read gives a fixed byte by which a guest knows that the port is there (E9h at port E9h).
 *
 * Its oddest behaviour is that it has none: a byte written is a byte sent, at once. This is the smallest device
 * there is, and docs/adding-a-device.md walks through it. */
#include "devices/debugcon.h"

#include <stdlib.h>

struct debugcon {
    struct device dev;
    struct chr *chr;
    uint64_t bytes;                   /* sent so far */
    uint8_t last;                     /* the most recent one */
    uint8_t readback;
    uint8_t unused[6];
};

static const struct state_field debugcon_fields[] = {
    FIELD_WIRING(struct debugcon, dev),
    FIELD_WIRING(struct debugcon, chr),
    FIELD(struct debugcon, bytes, "bytes written so far"),
    FIELD(struct debugcon, last, "last byte written"),
    FIELD_WIRING(struct debugcon, readback),
    FIELD_WIRING(struct debugcon, unused),
};
static const struct state_desc debugcon_state = STATE_DESC(struct debugcon, "debugcon", debugcon_fields);

static uint64_t debugcon_read(void *dev, uint64_t off, unsigned size)
{
    struct debugcon *d = dev;
    (void)off;
    (void)size;
    return d->readback;
}

static void debugcon_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct debugcon *d = dev;
    (void)off;
    (void)size;
    d->last = (uint8_t)val;
    d->bytes++;
    chr_send(d->chr, &d->last, 1);
}

static const struct io_ops debugcon_ops = { debugcon_read, debugcon_write, 1, 1 };

static void debugcon_reset(struct device *dev, enum reset_kind kind)
{
    struct debugcon *d = (struct debugcon *)dev;
    if (kind != RESET_POWER_ON) return;
    d->bytes = 0;
    d->last = 0;
}

static void debugcon_destroy(struct device *dev)
{
    free(dev);
}

static const struct device_class debugcon_class = {
    .name = "debugcon", .title = "Debug console", .reset = debugcon_reset, .destroy = debugcon_destroy,
    .state = &debugcon_state,
};

struct device *debugcon_create(struct board *b, const char *id, const struct debugcon_pins *pins)
{
    struct debugcon *d = calloc(1, sizeof *d);
    if (!d) abort();
    device_init(&d->dev, &debugcon_class, b, id);
    d->chr = pins->chr;
    d->readback = pins->readback;
    device_claim_ports(&d->dev, pins->iobase, 1, &debugcon_ops);
    return &d->dev;
}
