/* Coprocessor error logic, port F0h (82371SB datasheet, "Coprocessor error register", FERR# and IGNNE#; IBM PC/AT Technical
 * Reference, "Math coprocessor").
 *
 * An x87 exception with CR0.NE clear reaches software as IRQ13. The processor stands still before its next waiting x87
 * instruction and would do so for ever, because the handler's own FNCLEX may stand behind one: so a write of anything to F0h
 * takes the interrupt back and asserts IGNNE#, which lets the processor go on until FERR# falls. The interrupt is latched: it
 * stays although FERR# has fallen. A write while there is no error asserts nothing.
 *
 * GAP: the 82371SB does this only where bit 5 of XBCS allows it; SeaBIOS leaves that bit clear, so it is not asked here. */
#include "devices/portf0.h"

#include <stdlib.h>

struct portf0 {
    struct device dev;
    struct irq_line irq, ignne;
    bool ferr;
    uint8_t unused[7];
};

static const struct state_field portf0_fields[] = {
    FIELD_WIRING(struct portf0, dev),
    FIELD(struct portf0, irq, "IRQ13, latched"),
    FIELD(struct portf0, ignne, "IGNNE#"),
    FIELD(struct portf0, ferr, "FERR# input"),
    FIELD_WIRING(struct portf0, unused),
};
static const struct state_desc portf0_state = STATE_DESC(struct portf0, "portf0", portf0_fields);

static void ferr_changed(void *opaque, unsigned pin, bool level)
{
    struct portf0 *p = opaque;
    (void)pin;
    bool rising = level && !p->ferr;
    p->ferr = level;
    if (rising) irq_set(&p->irq, true);
    if (!level) irq_set(&p->ignne, false);
}

struct irq_line portf0_ferr(struct device *d) { return IRQ_LINE(ferr_changed, d, 0); }

/* Only writes are decoded. */
static uint64_t portf0_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev, (void)off, (void)size;
    return 0xff;
}

static void portf0_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct portf0 *p = dev;
    (void)off, (void)val, (void)size;
    irq_set(&p->irq, false);
    if (p->ferr) irq_set(&p->ignne, true);
}

static const struct io_ops portf0_ops = { portf0_read, portf0_write, 1, 1 };

/* FERR# is the processor's, which has its own reset. */
static void portf0_reset(struct device *d, enum reset_kind kind)
{
    struct portf0 *p = (struct portf0 *)d;
    (void)kind;
    irq_set(&p->irq, false);
    irq_set(&p->ignne, false);
}

static void portf0_destroy(struct device *d) { free(d); }

static const struct device_class portf0_class = {
    .name = "portf0", .title = "Coprocessor error logic", .reset = portf0_reset, .destroy = portf0_destroy, .state = &portf0_state,
};

struct device *portf0_create(struct board *b, const char *id, const struct portf0_pins *pins)
{
    struct portf0 *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &portf0_class, b, id);
    p->irq = pins->irq;
    p->ignne = pins->ignne;
    device_claim_ports(&p->dev, pins->base, 1, &portf0_ops);
    return &p->dev;
}
