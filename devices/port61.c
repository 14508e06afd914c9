/* System control port B, 61h (IBM PC/AT Technical Reference; 82371SB datasheet, "NMI status and control register").
 *
 * Four bits go out: the gate of timer channel 2, the speaker's data bit, and the two that forget and forbid the NMI
 * sources. Four come in. Its oddest bit is number 4: it toggles with every refresh of the memory, about 15 us, and
 * half of all old programs time their delays by it. The refresh is timer channel 1, so both timer bits are computed
 * from the 8254 when the port is read and cost nothing otherwise.
 *
 * The system's NMI leaves from here: an enabled source, unless bit 7 of port 70h (a wire from the clock chip) masks
 * it. */
#include "devices/port61.h"

#include <assert.h>
#include <stdlib.h>

enum {                                            /* both directions */
    PORT61_GATE2 = 0x01, PORT61_SPEAKER = 0x02, PORT61_SERR_OFF = 0x04, PORT61_IOCHK_OFF = 0x08,
    PORT61_WRITABLE = 0x0f,
};
enum {                                            /* read only */
    PORT61_REFRESH = 0x10, PORT61_OUT2 = 0x20, PORT61_IOCHK_STATUS = 0x40, PORT61_SERR_STATUS = 0x80,
};

struct port61 {
    struct device dev;
    struct irq_line gate2, nmi;
    struct irq_sense out2, refresh;
    uint8_t control;
    bool serr, iochk;                             /* latched sources */
    bool nmi_mask;
    uint8_t unused[4];
};

static const struct state_field port61_fields[] = {
    FIELD_WIRING(struct port61, dev),
    FIELD(struct port61, gate2, "GATE of timer channel 2"),
    FIELD(struct port61, nmi, "NMI to the CPU"),
    FIELD_WIRING(struct port61, out2),
    FIELD_WIRING(struct port61, refresh),
    FIELD_RANGE(struct port61, control, 0, PORT61_WRITABLE, "gate 2, speaker data, SERR# off, IOCHK# off"),
    FIELD(struct port61, serr, "a system error was seen"),
    FIELD(struct port61, iochk, "a channel check was seen"),
    FIELD(struct port61, nmi_mask, "bit 7 of port 70h"),
    FIELD_WIRING(struct port61, unused),
};
static const struct state_desc port61_state = STATE_DESC(struct port61, "port61", port61_fields);

static void update(struct port61 *p)
{
    irq_set(&p->gate2, p->control & PORT61_GATE2);
    irq_set(&p->nmi, (p->serr || p->iochk) && !p->nmi_mask);
}

static uint64_t port61_read(void *dev, uint64_t off, unsigned size)
{
    struct port61 *p = dev;
    uint8_t v = p->control;
    (void)off;
    (void)size;
    if (irq_look(&p->refresh)) v |= PORT61_REFRESH;
    if (irq_look(&p->out2)) v |= PORT61_OUT2;
    if (p->iochk) v |= PORT61_IOCHK_STATUS;
    if (p->serr) v |= PORT61_SERR_STATUS;
    return v;
}

static void port61_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct port61 *p = dev;
    (void)off;
    (void)size;
    p->control = (uint8_t)val & PORT61_WRITABLE;
    if (p->control & PORT61_SERR_OFF) p->serr = false;
    if (p->control & PORT61_IOCHK_OFF) p->iochk = false;
    update(p);
}

static const struct io_ops port61_ops = { port61_read, port61_write, 1, 1 };

/* A source sets its status bit if its disable bit is 0; only that bit clears it. */
static void port61_wire(void *opaque, unsigned n, bool level)
{
    struct port61 *p = opaque;
    switch (n) {
    case PORT61_SERR:
        if (level && !(p->control & PORT61_SERR_OFF)) p->serr = true;
        break;
    case PORT61_IOCHK:
        if (level && !(p->control & PORT61_IOCHK_OFF)) p->iochk = true;
        break;
    default:
        p->nmi_mask = level;
        break;
    }
    update(p);
}

static void port61_reset(struct device *d, enum reset_kind kind)
{
    struct port61 *p = (struct port61 *)d;
    (void)kind;
    p->control = 0;
    p->serr = p->iochk = false;
    update(p);
}

static void port61_destroy(struct device *d)
{
    free(d);
}

static const struct device_class port61_class = {
    .name = "port61", .title = "System control port B", .reset = port61_reset, .destroy = port61_destroy,
    .state = &port61_state,
};

struct device *port61_create(struct board *b, const char *id, const struct port61_pins *pins)
{
    struct port61 *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &port61_class, b, id);
    p->gate2 = pins->gate2;
    p->nmi = pins->nmi;
    p->out2 = pins->out2;
    p->refresh = pins->refresh;
    device_claim_ports(&p->dev, pins->base, 1, &port61_ops);
    return &p->dev;
}

struct irq_line port61_input(struct device *d, unsigned n)
{
    assert(n <= PORT61_NMI_MASK);
    return IRQ_LINE(port61_wire, d, n);
}
