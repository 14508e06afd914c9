/* Intel 8259A programmable interrupt controller (datasheet 231468), as built into the 82371SB (PIIX3, 290550) with
 * an edge/level register (ELCR) for each input.
 *
 * Its oddest behaviour is the spurious interrupt: an edge-triggered request lives only as long as its wire is high.
 * If the wire falls, or the request is masked, between INT and INTA, the chip has nothing left to offer, answers
 * with the vector of IR7 and sets no in-service bit. That is why the request register here is `edge_latch`, which a
 * falling wire clears, and why i8259_intack asks for the best request anew instead of remembering which one raised
 * INT.
 *
 * The second oddity: a slave answers to the identity in its ICW3, not to the wire it sits on. The master puts the
 * number of the input on the CAS lines and whoever has that number replies; if nobody does, the CPU reads an empty
 * bus. */
#include "devices/i8259.h"

#include <assert.h>
#include <stdlib.h>

/* What is written at A0 = 0. */
enum {
    ICW1_IC4 = 0x01, ICW1_SNGL = 0x02, ICW1_ADI = 0x04, ICW1_LTIM = 0x08, ICW1_SELECT = 0x10,
    OCW3_SELECT = 0x08, OCW3_RIS = 0x01, OCW3_RR = 0x02, OCW3_POLL = 0x04, OCW3_SMM = 0x20, OCW3_ESMM = 0x40,
    OCW2_LEVEL = 0x07, OCW2_EOI = 0x20, OCW2_SL = 0x40, OCW2_R = 0x80,
};
/* Written at A0 = 1 as the last initialisation word. */
enum { ICW4_UPM = 0x01, ICW4_AEOI = 0x02, ICW4_MS = 0x04, ICW4_BUF = 0x08, ICW4_SFNM = 0x10 };

#define POLL_PENDING 0x80
#define SPURIOUS_LEVEL 7
#define SLAVES 8

struct i8259 {
    struct device dev;
    struct irq_line intr;
    struct i8259 *slave[SLAVES];
    uint32_t slaves;
    bool sp;                      /* the SP#/EN# pin: strapped as master */
    bool has_elcr;
    uint8_t elcr_mask;

    uint8_t lines;                /* levels of IR0-7 */
    uint8_t edge_latch;           /* edge-triggered requests: rose, not acknowledged, still high */
    uint8_t isr, imr, elcr;
    uint8_t icw1, icw2, icw3, icw4;
    uint8_t init_step;            /* next word expected: 0 none, 2, 3, 4 */
    uint8_t lowest;               /* input with the lowest priority */
    bool ready;                   /* initialised: INT may rise */
    bool read_isr;                /* A0 = 0 reads ISR, else IRR */
    bool poll;                    /* the next read is an acknowledge */
    bool special_mask;
    bool rotate_aeoi;
    uint8_t unused;
};

static const struct state_field i8259_fields[] = {
    FIELD_WIRING(struct i8259, dev),
    FIELD(struct i8259, intr, "INT output"),
    FIELD_WIRING(struct i8259, slave),
    FIELD_WIRING(struct i8259, slaves),
    FIELD_WIRING(struct i8259, sp),
    FIELD_WIRING(struct i8259, has_elcr),
    FIELD_WIRING(struct i8259, elcr_mask),
    FIELD(struct i8259, lines, "levels of IR7-IR0"),
    FIELD(struct i8259, edge_latch, "edge-triggered requests"),
    FIELD(struct i8259, isr, "in service"),
    FIELD(struct i8259, imr, "masked"),
    FIELD(struct i8259, elcr, "1: level-triggered"),
    FIELD(struct i8259, icw1, "initialisation word 1"),
    FIELD(struct i8259, icw2, "initialisation word 2: vector base"),
    FIELD(struct i8259, icw3, "initialisation word 3: slave inputs or slave identity"),
    FIELD(struct i8259, icw4, "initialisation word 4"),
    FIELD_RANGE(struct i8259, init_step, 0, 4, "initialisation word expected next, 0: none"),
    FIELD_RANGE(struct i8259, lowest, 0, 7, "input of lowest priority"),
    FIELD(struct i8259, ready, "initialised"),
    FIELD(struct i8259, read_isr, "A0 = 0 reads ISR, not IRR"),
    FIELD(struct i8259, poll, "poll command given"),
    FIELD(struct i8259, special_mask, "special mask mode"),
    FIELD(struct i8259, rotate_aeoi, "rotate in automatic EOI mode"),
    FIELD_WIRING(struct i8259, unused),
};
static const struct state_desc i8259_state = STATE_DESC(struct i8259, "i8259", i8259_fields);

/* ---- priority ---- */

/* PIIX3 datasheet, ICW1: LTIM is disabled, "its function is replaced by the ELCR". */
static uint8_t level_mask(const struct i8259 *p)
{
    return p->has_elcr ? p->elcr : p->icw1 & ICW1_LTIM ? 0xff : 0;
}

static uint8_t irr(const struct i8259 *p)
{
    uint8_t level = level_mask(p);
    return (uint8_t)((p->edge_latch & ~level) | (p->lines & level));
}

static bool is_master(const struct i8259 *p)
{
    return p->icw4 & ICW4_BUF ? p->icw4 & ICW4_MS : p->sp;
}

static bool has_slave_on(const struct i8259 *p, unsigned n)
{
    return is_master(p) && !(p->icw1 & ICW1_SNGL) && p->icw3 >> n & 1;
}

/* The input that INT stands for, or -1. */
static int pending(const struct i8259 *p)
{
    if (!p->ready) return -1;
    uint8_t requests = irr(p) & (uint8_t)~p->imr;
    /* Special mask mode: a masked level in service holds nobody back. */
    uint8_t blocking = p->special_mask ? p->isr & (uint8_t)~p->imr : p->isr;
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (p->lowest + i) & 7;
        bool request = requests >> n & 1;
        /* Special fully nested mode: a slave in service may interrupt itself with something more important. */
        if (request && p->icw4 & ICW4_SFNM && has_slave_on(p, n)) return (int)n;
        if (blocking >> n & 1) return -1;
        if (request) return (int)n;
    }
    return -1;
}

static void update(struct i8259 *p)
{
    irq_set(&p->intr, pending(p) >= 0);
}

/* Highest-priority level in service that a non-specific EOI ends, or -1. Datasheet, "Special mask mode": one that is
 * masked is passed over. */
static int in_service(const struct i8259 *p)
{
    uint8_t isr = p->special_mask ? p->isr & (uint8_t)~p->imr : p->isr;
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (p->lowest + i) & 7;
        if (isr >> n & 1) return (int)n;
    }
    return -1;
}

/* ---- acknowledge ---- */

/* First INTA or a poll: the request moves from IRR to ISR. Level or -1 (nothing there). */
static int accept(struct i8259 *p)
{
    int n = pending(p);
    if (n < 0) return -1;
    p->edge_latch &= (uint8_t)~(1u << n);
    p->isr |= (uint8_t)(1u << n);
    return n;
}

/* End of the last INTA. INT falls for a moment even if more is pending, so that a master sees a new edge from its
 * slave. */
static void finish(struct i8259 *p, int n)
{
    if (n >= 0 && p->icw4 & ICW4_AEOI) {
        p->isr &= (uint8_t)~(1u << n);
        if (p->rotate_aeoi) p->lowest = (uint8_t)n;
    }
    irq_set(&p->intr, false);
    update(p);
}

/* What the chip puts on the bus in the second INTA cycle. In MCS-80/85 mode that is the low address byte of a CALL;
 * an x86 takes it for the vector. */
static uint8_t vector(const struct i8259 *p, unsigned n)
{
    if (p->icw4 & ICW4_UPM) return (uint8_t)((p->icw2 & 0xf8) | n);
    return (uint8_t)(p->icw1 & ICW1_ADI ? (p->icw1 & 0xe0) | n << 2 : (p->icw1 & 0xc0) | n << 3);
}

static struct i8259 *slave_at(const struct i8259 *p, unsigned cas)
{
    for (unsigned i = 0; i < p->slaves; i++)
        if (!is_master(p->slave[i]) && (p->slave[i]->icw3 & 7) == cas) return p->slave[i];
    return NULL;
}

uint8_t i8259_intack(struct device *master)
{
    struct i8259 *p = (struct i8259 *)master;
    int n = accept(p);
    unsigned level = n < 0 ? SPURIOUS_LEVEL : (unsigned)n;
    uint8_t v = vector(p, level);
    if (has_slave_on(p, level)) {
        struct i8259 *s = slave_at(p, level);
        v = 0xff;                                    /* nobody drives the bus */
        if (s) {
            int sn = accept(s);
            v = vector(s, sn < 0 ? SPURIOUS_LEVEL : (unsigned)sn);
            finish(s, sn);
        }
    }
    finish(p, n);
    trace(p->dev.board->log, pic_intack, (uint64_t)level, (uint64_t)v);
    return v;
}

/* The read after a poll command: acknowledges like INTA and gives the level instead of a vector. Without a request
 * bit 7 is 0 and the level reads as IR7's (unverified). */
static uint8_t poll_read(struct i8259 *p)
{
    p->poll = false;
    int n = accept(p);
    finish(p, n);
    return n < 0 ? SPURIOUS_LEVEL : (uint8_t)(POLL_PENDING | n);
}

/* ---- command words ---- */

/* Datasheet, "Initialization command words": clears the edge sense circuit and the mask, IR7 gets the lowest
 * priority, special mask mode and the status read are reset, and without IC4 all functions of ICW4 are off. */
static void write_icw1(struct i8259 *p, uint8_t v)
{
    p->icw1 = v;
    p->edge_latch = p->imr = p->isr = 0;
    p->lowest = 7;
    p->special_mask = p->read_isr = p->poll = p->rotate_aeoi = false;
    if (!(v & ICW1_IC4)) p->icw4 = 0;
    p->icw3 = 0;
    p->ready = false;
    p->init_step = 2;
    trace(p->dev.board->log, pic_init, p->dev.id, (uint64_t)1, (uint64_t)v);
}

static void write_icw(struct i8259 *p, uint8_t v)
{
    trace(p->dev.board->log, pic_init, p->dev.id, (uint64_t)p->init_step, (uint64_t)v);
    switch (p->init_step) {
    case 2:
        p->icw2 = v;
        p->init_step = !(p->icw1 & ICW1_SNGL) ? 3 : p->icw1 & ICW1_IC4 ? 4 : 0;
        break;
    case 3:
        p->icw3 = v;
        p->init_step = p->icw1 & ICW1_IC4 ? 4 : 0;
        break;
    default:
        p->icw4 = v & 0x1f;
        p->init_step = 0;
        break;
    }
    if (p->init_step == 0) p->ready = true;
}

static void write_ocw2(struct i8259 *p, uint8_t v)
{
    int n = v & OCW2_SL ? v & OCW2_LEVEL : in_service(p);
    trace(p->dev.board->log, pic_eoi, p->dev.id, (uint64_t)v, (int64_t)n);
    switch (v & (OCW2_R | OCW2_SL | OCW2_EOI)) {
    case OCW2_EOI:                                   /* non-specific EOI */
    case OCW2_SL | OCW2_EOI:                         /* specific EOI */
        if (n >= 0) p->isr &= (uint8_t)~(1u << n);
        break;
    case OCW2_R | OCW2_EOI:                          /* the same, and the level gets the lowest priority */
    case OCW2_R | OCW2_SL | OCW2_EOI:
        if (n < 0) break;
        p->isr &= (uint8_t)~(1u << n);
        p->lowest = (uint8_t)n;
        break;
    case OCW2_R | OCW2_SL:                           /* set priority */
        p->lowest = v & OCW2_LEVEL;
        break;
    case OCW2_R:
        p->rotate_aeoi = true;
        break;
    case 0:
        p->rotate_aeoi = false;
        break;
    case OCW2_SL:                                    /* no operation */
        break;
    }
}

static void write_ocw3(struct i8259 *p, uint8_t v)
{
    if (v & OCW3_ESMM) p->special_mask = v & OCW3_SMM;
    if (v & OCW3_POLL) p->poll = true;
    else if (v & OCW3_RR) p->read_isr = v & OCW3_RIS;
}

/* ---- ports and wires ---- */

static uint64_t i8259_read(void *dev, uint64_t off, unsigned size)
{
    struct i8259 *p = dev;
    (void)size;
    if (p->poll) return poll_read(p);
    if (off) return p->imr;
    return p->read_isr ? p->isr : irr(p);
}

static void i8259_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259 *p = dev;
    uint8_t v = (uint8_t)val;
    (void)size;
    if (off == 0) {
        if (v & ICW1_SELECT) write_icw1(p, v);
        else if (v & OCW3_SELECT) write_ocw3(p, v);
        else write_ocw2(p, v);
    } else if (p->init_step) {
        write_icw(p, v);
    } else {
        p->imr = v;                                  /* OCW1 */
        trace(p->dev.board->log, pic_mask, p->dev.id, (uint64_t)v);
    }
    update(p);
}

static uint64_t elcr_read(void *dev, uint64_t off, unsigned size)
{
    struct i8259 *p = dev;
    (void)off;
    (void)size;
    return p->elcr;
}

static void elcr_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259 *p = dev;
    (void)off;
    (void)size;
    p->elcr = (uint8_t)val & p->elcr_mask;
    p->edge_latch &= (uint8_t)~p->elcr;
    update(p);
}

static void i8259_wire(void *opaque, unsigned n, bool level)
{
    struct i8259 *p = opaque;
    uint8_t bit = (uint8_t)(1u << n);
    bool rose = level && !(p->lines & bit);
    trace(p->dev.board->log, pic_irq, p->dev.id, (uint64_t)n, (uint64_t)level);
    p->lines = (uint8_t)(level ? p->lines | bit : p->lines & ~bit);
    if (rose && !(level_mask(p) & bit)) p->edge_latch |= bit;
    if (!level) p->edge_latch &= (uint8_t)~bit;
    update(p);
}

static const struct io_ops i8259_ops = { i8259_read, i8259_write, 1, 1 };
static const struct io_ops elcr_ops = { elcr_read, elcr_write, 1, 1 };

/* ---- class and create ---- */

/* The discrete chip has no reset pin; in the chipset RESET leaves it waiting for its initialisation words. */
static void i8259_reset(struct device *d, enum reset_kind kind)
{
    struct i8259 *p = (struct i8259 *)d;
    (void)kind;
    p->edge_latch = p->isr = p->imr = p->elcr = 0;
    p->icw1 = p->icw2 = p->icw3 = p->icw4 = p->init_step = 0;
    p->lowest = 7;
    p->ready = p->read_isr = p->poll = p->special_mask = p->rotate_aeoi = false;
    update(p);
}

static void i8259_destroy(struct device *d)
{
    free(d);
}

static const struct device_class i8259_class = {
    .name = "i8259", .title = "8259A interrupt controller", .reset = i8259_reset, .destroy = i8259_destroy,
    .state = &i8259_state,
};

struct device *i8259_create(struct board *b, const char *id, const struct i8259_pins *pins)
{
    struct i8259 *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &i8259_class, b, id);
    p->intr = pins->intr;
    p->sp = pins->master;
    p->has_elcr = pins->elcr != 0;
    p->elcr_mask = pins->elcr_mask;
    device_claim_ports(&p->dev, pins->base, 2, &i8259_ops);
    if (p->has_elcr) device_claim_ports(&p->dev, pins->elcr, 1, &elcr_ops);
    i8259_reset(&p->dev, RESET_POWER_ON);
    return &p->dev;
}

struct irq_line i8259_input(struct device *d, unsigned n)
{
    assert(n < 8);
    return IRQ_LINE(i8259_wire, d, n);
}

void i8259_connect_slave(struct device *master, struct device *slave)
{
    struct i8259 *p = (struct i8259 *)master;
    assert(p->slaves < SLAVES && slave->class == &i8259_class);
    p->slave[p->slaves++] = (struct i8259 *)slave;
}
