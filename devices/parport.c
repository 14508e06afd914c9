/* Parallel printer port of the PS/2 type: Centronics signals and a data register that can be turned round (IBM PS/2
 * Hardware Interface Technical Reference, "Parallel port"; IEEE 1284 compatibility mode).
 *
 * A byte goes out when the guest pulses STROBE; the printer is busy for some microseconds and then pulses ACK. Its
 * oddest behaviour is the polarity: BUSY and four of the control pins are inverted between register and plug, so a
 * port with nothing in it, all pins pulled up, reads as a printer that is busy and out of paper (7Fh).
 *
 * The interrupt is latched at the end of ACK, shows as a 0 in status bit 2, and goes away when status is read. EPP
 * and ECP registers are not there: ports +3 and up stay unclaimed. */
#include "devices/parport.h"

#include <stdlib.h>

#define PRINT_TIME VTIME_US(10)                   /* BUSY, then */
#define ACK_TIME VTIME_US(5)                      /* ACK# low */

enum { REG_DATA, REG_STATUS, REG_CONTROL, REGISTERS };
enum {                                            /* status; reserved bits read 1 */
    STATUS_RESERVED = 0x03, STATUS_IRQ_IDLE = 0x04, STATUS_ERROR_N = 0x08, STATUS_SELECTED = 0x10,
    STATUS_PAPER_OUT = 0x20, STATUS_ACK_N = 0x40, STATUS_BUSY_N = 0x80,
};
enum { CONTROL_STROBE = 0x01, CONTROL_INIT_N = 0x04, CONTROL_IRQ = 0x10, CONTROL_INPUT = 0x20, CONTROL_WRITABLE = 0x3f,
       CONTROL_RESERVED = 0xc0, CONTROL_RESET = 0x0c };

enum phase { PHASE_IDLE, PHASE_BUSY, PHASE_ACK };

struct parport {
    struct device dev;
    struct chr *chr;
    uint8_t data, control;
    uint8_t phase;                                /* enum phase: what the printer is doing */
    bool irq_latched;
    uint8_t unused[4];
    struct timer printer;                         /* end of the phase */
    struct irq_line irq;
    uint8_t unused_end[8];
};

static const struct state_field parport_fields[] = {
    FIELD_WIRING(struct parport, dev),
    FIELD_WIRING(struct parport, chr),
    FIELD(struct parport, data, "data register"),
    FIELD_RANGE(struct parport, control, 0, CONTROL_WRITABLE, "control register"),
    FIELD_RANGE(struct parport, phase, PHASE_IDLE, PHASE_ACK, "printer: idle, busy, acknowledging"),
    FIELD(struct parport, irq_latched, "interrupt pending"),
    FIELD_WIRING(struct parport, unused),
    FIELD(struct parport, printer, "end of the phase"),
    FIELD(struct parport, irq, "interrupt"),
    FIELD_WIRING(struct parport, unused_end),
};
static const struct state_desc parport_state = STATE_DESC(struct parport, "parport", parport_fields);

static void update_irq(struct parport *p)
{
    irq_set(&p->irq, p->irq_latched && p->control & CONTROL_IRQ);
}

static void enter(struct parport *p, enum phase phase, vtime length)
{
    p->phase = (uint8_t)phase;
    if (phase == PHASE_IDLE) timer_disarm(&p->printer);
    else timer_arm(&p->printer, p->dev.board->clock->now + length);
}

static void printer_due(void *opaque, vtime due)
{
    struct parport *p = opaque;
    (void)due;
    if (p->phase == PHASE_BUSY) {
        enter(p, PHASE_ACK, ACK_TIME);
        return;
    }
    enter(p, PHASE_IDLE, 0);
    p->irq_latched = false;                        /* a driver that never reads status still gets an edge a byte */
    update_irq(p);
    p->irq_latched = p->control & CONTROL_IRQ;
    update_irq(p);
}

static void strobe(struct parport *p)
{
    if (!p->chr || p->phase != PHASE_IDLE) return; /* nobody there, or not listening yet */
    trace(p->dev.board->log, parport_print, p->dev.id, (uint64_t)p->data);
    chr_send(p->chr, &p->data, 1);
    enter(p, PHASE_BUSY, PRINT_TIME);
}

/* A read takes the interrupt back. */
static uint8_t read_status(struct parport *p)
{
    uint8_t v = STATUS_RESERVED | STATUS_ERROR_N | STATUS_SELECTED;
    if (!p->irq_latched) v |= STATUS_IRQ_IDLE;
    if (!p->chr) v |= STATUS_PAPER_OUT;
    else if (p->phase == PHASE_IDLE) v |= STATUS_BUSY_N;
    if (p->phase != PHASE_ACK) v |= STATUS_ACK_N;
    p->irq_latched = false;
    update_irq(p);
    return v;
}

static uint64_t parport_read(void *dev, uint64_t off, unsigned size)
{
    struct parport *p = dev;
    (void)size;
    switch (off) {
    case REG_DATA:                                 /* turned round, the pins are what the printer drives: nothing */
        return p->control & CONTROL_INPUT ? 0xff : p->data;
    case REG_STATUS:
        return read_status(p);
    default:
        return p->control | CONTROL_RESERVED;
    }
}

static void write_control(struct parport *p, uint8_t v)
{
    bool strobed = v & CONTROL_STROBE && !(p->control & CONTROL_STROBE);
    p->control = v & CONTROL_WRITABLE;
    if (!(v & CONTROL_IRQ)) p->irq_latched = false;
    if (!(v & CONTROL_INIT_N)) enter(p, PHASE_IDLE, 0);
    else if (strobed && !(v & CONTROL_INPUT)) strobe(p);
    update_irq(p);
}

static void parport_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct parport *p = dev;
    (void)size;
    switch (off) {
    case REG_DATA:
        p->data = (uint8_t)val;
        break;
    case REG_STATUS:                               /* read only */
        break;
    default:
        write_control(p, (uint8_t)val);
        break;
    }
}

static const struct io_ops parport_ops = { parport_read, parport_write, 1, 1 };

static void parport_reset(struct device *d, enum reset_kind kind)
{
    struct parport *p = (struct parport *)d;
    (void)kind;
    p->data = 0;
    p->control = CONTROL_RESET;
    p->irq_latched = false;
    enter(p, PHASE_IDLE, 0);
    update_irq(p);
}

static void parport_destroy(struct device *d)
{
    struct parport *p = (struct parport *)d;
    timer_fini(&p->printer);
    free(p);
}

static const struct device_class parport_class = {
    .name = "parport", .title = "Parallel port", .reset = parport_reset, .destroy = parport_destroy,
    .state = &parport_state,
};

/* A printer sends nothing. */
static size_t chr_room(void *dev)
{
    (void)dev;
    return 0;
}

struct device *parport_create(struct board *b, const char *id, const struct parport_pins *pins)
{
    struct parport *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &parport_class, b, id);
    p->chr = pins->chr;
    p->irq = pins->irq;
    if (p->chr) {
        p->chr->room = chr_room;
        p->chr->dev = p;
    }
    timer_init(&p->printer, b->clock, "parport printer", printer_due, p);
    device_claim_ports(&p->dev, pins->base, REGISTERS, &parport_ops);
    parport_reset(&p->dev, RESET_POWER_ON);
    return &p->dev;
}
