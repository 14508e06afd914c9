/* Intel 8254 programmable interval timer (datasheet 231164).
 *
 * Three 16-bit down counters run from one crystal, 14.31818 MHz / 12, which is exactly 13125000/11 Hz. Nothing here
 * ticks: a channel remembers its counting element as it was at one tick of the crystal, and channel_advance carries
 * it to any later tick in closed form. That happens when a port is touched, when GATE moves, and, where OUT is wired
 * to something, when a timer says that OUT changes.
 *
 * Two things surprise everybody. A count is loaded into the counting element by the clock pulse after the write, so
 * everything starts one tick late and `null_count` tells when. And mode 3 counts down by two, twice a period; with
 * an odd count the high half takes one tick more than the low half (see count_square).
 *
 * The counting element is kept as a plain number: a BCD counter counts modulo 10,000 and is converted when read. A
 * digit above nine in a BCD count weighs what the hardware makes it weigh (0Ah counts ten times before it borrows) and
 * stays one digit until it has counted down (see shown_digits). The count 0 stands for the modulus. */
#include "devices/i8254.h"

#include <assert.h>
#include <stdlib.h>

static const struct clk pit_clk = { 13125000, 11 };

/* Control word (43h), and the low six bits of the status byte. */
enum {
    CONTROL_BCD = 0x01, CONTROL_MODE = 0x0e, CONTROL_RW = 0x30, CONTROL_RW_LATCH = 0x00, CONTROL_RW_LSB = 0x10,
    CONTROL_RW_MSB = 0x20, CONTROL_RW_BOTH = 0x30, CONTROL_SELECT = 0xc0, CONTROL_READ_BACK = 0xc0,
    READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10,
    STATUS_NULL_COUNT = 0x40, STATUS_OUT = 0x80,
};

struct i8254;

struct channel {
    struct i8254 *chip;
    uint64_t tick;                /* everything below is as of this tick */
    uint32_t ce;                  /* counting element; a fresh count of 0 is the modulus itself */
    uint32_t rises;               /* rising edges of OUT so far */
    uint32_t rises_told;          /* of those, how many the wire has shown */
    uint16_t cr;                  /* count register, as written */
    uint16_t latch;
    uint16_t start;               /* what the counting element was loaded with; 0 once it has gone through zero */
    uint8_t control;              /* low six bits of the last control word */
    uint8_t status_latch;
    uint8_t latch_left;           /* bytes of `latch` still to be read */
    uint8_t cr_low;               /* first byte of a count in two bytes */
    bool status_latched;
    bool write_msb, read_msb;     /* flip-flops of two-byte access */
    bool null_count;              /* cr has not reached the counting element yet */
    bool cr_valid;                /* a count was written since the control word */
    bool loaded;                  /* the counting element was loaded since the control word */
    bool load_pending;            /* the next clock pulse loads it */
    bool armed;                   /* modes 0, 1, 4, 5: terminal count lies ahead */
    bool odd;                     /* mode 3: the loaded count was odd */
    bool inhibited;               /* mode 0: between the two bytes of a count */
    bool gate, out;
    uint8_t number;
    uint8_t unused[5];
};

struct i8254 {
    struct device dev;
    struct channel ch[3];
    struct irq_line out[3];
    struct timer edge[3];         /* next change of an OUT that is wired */
};

static const struct state_field channel_fields[] = {
    FIELD_WIRING(struct channel, chip),
    FIELD(struct channel, tick, "crystal tick of this state"),
    FIELD_RANGE(struct channel, ce, 0, 65536, "counting element"),
    FIELD(struct channel, rises, "rising edges of OUT"),
    FIELD(struct channel, rises_told, "rising edges shown on the wire"),
    FIELD(struct channel, cr, "count register"),
    FIELD(struct channel, latch, "latched count"),
    FIELD(struct channel, start, "count last loaded"),
    FIELD_RANGE(struct channel, control, 0, 0x3f, "RW, mode and BCD bits"),
    FIELD(struct channel, status_latch, "latched status"),
    FIELD_RANGE(struct channel, latch_left, 0, 2, "bytes of the latched count to read"),
    FIELD(struct channel, cr_low, "low byte of a count half written"),
    FIELD(struct channel, status_latched, "status waits to be read"),
    FIELD(struct channel, write_msb, "next write is the high byte"),
    FIELD(struct channel, read_msb, "next read is the high byte"),
    FIELD(struct channel, null_count, "count register not loaded yet"),
    FIELD(struct channel, cr_valid, "a count was written"),
    FIELD(struct channel, loaded, "counting element was loaded"),
    FIELD(struct channel, load_pending, "loads at the next tick"),
    FIELD(struct channel, armed, "terminal count ahead"),
    FIELD(struct channel, odd, "mode 3: odd count"),
    FIELD(struct channel, inhibited, "mode 0: count half written"),
    FIELD(struct channel, gate, "GATE"),
    FIELD(struct channel, out, "OUT"),
    FIELD_WIRING(struct channel, number),
    FIELD_WIRING(struct channel, unused),
};
static const struct state_desc channel_state = STATE_DESC(struct channel, "i8254 channel", channel_fields);

static const struct state_field i8254_fields[] = {
    FIELD_WIRING(struct i8254, dev),
    FIELD_STRUCTS(struct i8254, ch, &channel_state, "channels"),
    FIELD_ARRAY(struct i8254, out, "OUT wires"),
    FIELD_ARRAY(struct i8254, edge, "next change of OUT"),
};
static const struct state_desc i8254_state = STATE_DESC(struct i8254, "i8254", i8254_fields);

/* ---- counts ---- */

/* Modes 6 and 7 are 2 and 3 (datasheet, control word format: X10, X11). */
static unsigned mode_of(const struct channel *c)
{
    unsigned m = (c->control & CONTROL_MODE) >> 1;
    return m > 5 ? m - 4 : m;
}

static uint32_t modulus(const struct channel *c)
{
    return c->control & CONTROL_BCD ? 10000 : 65536;
}

static uint32_t bcd_value(uint32_t digits)
{
    return (digits >> 12) * 1000 + (digits >> 8 & 15) * 100 + (digits >> 4 & 15) * 10 + (digits & 15);
}

/* The count register as a number, 1 to 65536. */
static uint32_t count_of(const struct channel *c)
{
    uint32_t n = c->cr;
    if (c->control & CONTROL_BCD) n = bcd_value(n);
    return n ? n : modulus(c);
}

/* n in four digits, counted down from `start`: a digit that has not borrowed yet is what is left of the one loaded, even
 * if that was above nine; from its first borrow on it is decimal. */
static uint16_t shown_digits(uint32_t n, uint32_t start)
{
    uint32_t shown = 0;
    for (unsigned shift = 0; shift < 16; shift += 4) {
        uint32_t digits = start >> shift, fallen = bcd_value(digits) - n;      /* huge if there is nothing to go by */
        if (fallen <= (digits & 15)) return (uint16_t)(shown | (digits - fallen) << shift);
        shown |= n % 10 << shift;
        n /= 10;
    }
    return (uint16_t)shown;
}

/* The counting element as the data bus shows it. */
static uint16_t shown_count(const struct channel *c)
{
    return c->control & CONTROL_BCD ? shown_digits(c->ce, c->start) : (uint16_t)c->ce;
}

static bool counting(const struct channel *c)
{
    unsigned mode = mode_of(c);
    return c->loaded && !c->inhibited && (mode == 1 || mode == 5 || c->gate);
}

static void set_out(struct channel *c, bool level)
{
    if (level && !c->out) c->rises++;
    c->out = level;
}

/* The counting element reaches 0 after this many ticks. */
static uint32_t to_zero(const struct channel *c)
{
    return c->ce ? c->ce : modulus(c);
}

/* Mode 3: ticks left in this half period. An odd count is loaded less one, and its high half lasts a tick longer. */
static uint32_t half_left(const struct channel *c)
{
    return c->ce / 2 + (c->odd && c->out);
}

/* ---- time ---- */

static void load_square(struct channel *c)
{
    uint32_t n = count_of(c);
    c->ce = n & ~1u;
    c->start = c->cr & 0xfffe;
    c->odd = n & 1;
    c->null_count = false;
}

/* The clock pulse that loads the counting element. */
static void load(struct channel *c)
{
    unsigned mode = mode_of(c);
    c->load_pending = false;
    c->loaded = c->armed = true;
    if (mode == 3) {
        load_square(c);
    } else {
        c->ce = count_of(c);
        c->start = c->cr;
        c->null_count = false;
    }
    if (mode == 1) set_out(c, false);
    else if (mode != 0) set_out(c, true);
}

/* Modes 0, 1, 4, 5: down to zero once, then on through the modulus without further effect. In modes 4 and 5 OUT is
 * low for the one tick at which zero is reached. */
static void count_once(struct channel *c, uint64_t ticks)
{
    bool strobe = mode_of(c) >= 4;
    uint32_t zero = to_zero(c), m = modulus(c);
    if (c->armed && ticks >= zero) {
        c->armed = false;
        if (strobe) set_out(c, false);
        if (!strobe || ticks > zero) set_out(c, true);
    }
    if (ticks >= zero) c->start = 0;
    c->ce = ticks < zero ? (uint32_t)(zero - ticks) : (uint32_t)((m - (ticks - zero) % m) % m);
}

/* Mode 2: down to one, where OUT is low; the next tick loads the count register again. */
static void count_rate(struct channel *c, uint64_t ticks)
{
    if (ticks >= c->ce) {
        uint32_t n = count_of(c);
        ticks -= c->ce;
        c->null_count = false;
        if (n > 1) {
            if (c->ce > 1) c->out = false;             /* passed through one on the way */
            set_out(c, true);
            c->rises += (uint32_t)(ticks / n);
        }
        ticks %= n;
        c->ce = n;
        c->start = c->cr;
    }
    c->ce -= (uint32_t)ticks;
    c->out = c->ce != 1;
}

static void end_half(struct channel *c)
{
    load_square(c);
    /* A count of 1 is illegal; its low half would last no time at all, so OUT stays high. */
    set_out(c, count_of(c) == 1 || !c->out);
}

/* Mode 3: N = 4 counts 4 2 | 4 2 |, N = 5 counts 4 2 0 | 4 2 | (high half first; datasheet figure 18). */
static void count_square(struct channel *c, uint64_t ticks)
{
    if (ticks >= half_left(c)) {
        ticks -= half_left(c);
        end_half(c);
        uint32_t n = count_of(c);
        if (n > 1) c->rises += (uint32_t)(ticks / n);
        ticks %= n;
        if (ticks && ticks >= half_left(c)) {
            ticks -= half_left(c);
            end_half(c);
        }
    }
    c->ce -= (uint32_t)(2 * ticks < c->ce ? 2 * ticks : c->ce);
}

static void channel_advance(struct channel *c, uint64_t to)
{
    if (to <= c->tick) return;
    uint64_t ticks = to - c->tick;
    unsigned mode = mode_of(c);
    c->tick = to;
    if (mode >= 4) set_out(c, true);                  /* the strobe lasts one tick, whatever GATE does */
    if (c->load_pending) {
        load(c);
        if (--ticks == 0) return;
    }
    if (!counting(c)) return;
    if (mode == 2) count_rate(c, ticks);
    else if (mode == 3) count_square(c, ticks);
    else count_once(c, ticks);
}

/* Ticks from c->tick until OUT changes, 0 if it will not by itself. */
static uint64_t next_change(const struct channel *c)
{
    unsigned mode = mode_of(c);
    if (c->load_pending) {
        struct channel after = *c;
        channel_advance(&after, c->tick + 1);
        if (after.out != c->out) return 1;
        uint64_t more = next_change(&after);
        return more ? more + 1 : 0;
    }
    if (mode >= 4 && !c->out) return 1;
    if (!counting(c)) return 0;
    switch (mode) {
    case 2: return c->ce > 1 ? c->ce - 1 : count_of(c) > 1 ? 1 : 0;
    case 3: return c->out && count_of(c) == 1 ? 0 : half_left(c);
    default: return c->armed ? to_zero(c) : 0;
    }
}

/* Shows OUT on its wire and arms the timer for the next change. If OUT came and went since the wire was last told
 * (the CPU took longer over an instruction), the wire sees a pulse. */
static void drive(struct channel *c)
{
    struct i8254 *p = c->chip;
    struct irq_line *wire = &p->out[c->number];
    if (!wire->set) return;
    if (c->out == wire->level && c->rises != c->rises_told) irq_set(wire, !c->out);
    c->rises_told = c->rises;
    irq_set(wire, c->out);
    uint64_t ticks = next_change(c);
    if (ticks) timer_arm(&p->edge[c->number], clk_time_of(pit_clk, c->tick + ticks));
    else timer_disarm(&p->edge[c->number]);
}

/* The channel as it is now. */
static struct channel *channel_now(struct i8254 *p, unsigned n)
{
    channel_advance(&p->ch[n], clk_ticks_at(pit_clk, p->dev.board->clock->now));
    return &p->ch[n];
}

static void edge_due(void *opaque, vtime due)
{
    struct channel *c = opaque;
    (void)due;
    drive(channel_now(c->chip, c->number));
}

/* ---- GATE ---- */

/* Datasheet, "Gate pin operations summary". A level that disables counting also lifts OUT in modes 2 and 3; a rising
 * edge triggers modes 1, 2, 3 and 5: the next tick loads the count. */
static void gate_wire(void *opaque, unsigned n, bool level)
{
    struct channel *c = channel_now(opaque, n);
    unsigned mode = mode_of(c);
    bool rose = level && !c->gate;
    c->gate = level;
    if (!level && (mode == 2 || mode == 3)) set_out(c, true);
    if (rose && c->cr_valid && mode != 0 && mode != 4) c->load_pending = true;
    drive(c);
}

/* ---- ports ---- */

static void latch_count(struct channel *c)
{
    if (c->latch_left) return;                        /* held until read */
    c->latch = shown_count(c);
    c->latch_left = (c->control & CONTROL_RW) == CONTROL_RW_BOTH ? 2 : 1;
    c->read_msb = false;                              /* low byte first (unverified after one byte was read live) */
}

static void latch_status(struct channel *c)
{
    if (c->status_latched) return;
    c->status_latch = (uint8_t)(c->control | (c->null_count ? STATUS_NULL_COUNT : 0) | (c->out ? STATUS_OUT : 0));
    c->status_latched = true;
}

/* Datasheet, "Mode definitions": a control word resets the control logic and OUT goes to its initial level without a
 * clock. */
static void write_mode(struct channel *c, uint8_t control)
{
    c->control = control & 0x3f;
    c->null_count = true;
    c->cr_valid = c->loaded = c->load_pending = c->armed = c->odd = c->inhibited = false;
    c->write_msb = c->read_msb = c->status_latched = false;
    c->latch_left = 0;
    set_out(c, mode_of(c) != 0);
}

static void write_control(struct i8254 *p, uint8_t v)
{
    if ((v & CONTROL_SELECT) == CONTROL_READ_BACK) {
        for (unsigned n = 0; n < 3; n++) {
            if (!(v >> (n + 1) & 1)) continue;
            struct channel *c = channel_now(p, n);
            if (!(v & READ_BACK_NO_COUNT)) latch_count(c);
            if (!(v & READ_BACK_NO_STATUS)) latch_status(c);
        }
        return;
    }
    struct channel *c = channel_now(p, v >> 6);
    if ((v & CONTROL_RW) == CONTROL_RW_LATCH) {
        latch_count(c);
        return;
    }
    write_mode(c, v);
    drive(c);
}

/* The last byte of a count has arrived. */
static void write_count(struct channel *c, uint16_t count)
{
    unsigned mode = mode_of(c);
    c->cr = count;
    c->cr_valid = c->null_count = true;
    switch (mode) {
    case 0:
        c->inhibited = false;
        set_out(c, false);
        c->load_pending = true;
        break;
    case 4:
        c->load_pending = true;
        break;
    case 2:
    case 3:                                           /* a running counter takes it at the end of its period */
        if (!c->loaded) c->load_pending = true;
        break;
    default:                                          /* 1 and 5 wait for a trigger */
        break;
    }
    trace(c->chip->dev.board->log, pit_load, (uint64_t)c->number, (uint64_t)mode, (uint64_t)count_of(c));
}

static void write_counter(struct channel *c, uint8_t v)
{
    switch (c->control & CONTROL_RW) {
    case CONTROL_RW_LSB:
        write_count(c, v);
        break;
    case CONTROL_RW_MSB:
        write_count(c, (uint16_t)(v << 8));
        break;
    case CONTROL_RW_BOTH:
        if (c->write_msb) {
            write_count(c, (uint16_t)(v << 8 | c->cr_low));
        } else {
            c->cr_low = v;
            if (mode_of(c) == 0) {                    /* the first byte stops the counter and drops OUT */
                c->inhibited = true;
                c->load_pending = false;
                set_out(c, false);
            }
        }
        c->write_msb = !c->write_msb;
        break;
    default:                                          /* no control word since power-on */
        break;
    }
    drive(c);
}

static uint8_t read_counter(struct channel *c)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status_latch;
    }
    uint16_t count = c->latch_left ? c->latch : shown_count(c);
    bool high = (c->control & CONTROL_RW) == CONTROL_RW_MSB || c->read_msb;
    if ((c->control & CONTROL_RW) == CONTROL_RW_BOTH) c->read_msb = !c->read_msb;
    if (c->latch_left) c->latch_left--;
    return (uint8_t)(high ? count >> 8 : count);
}

static uint64_t i8254_read(void *dev, uint64_t off, unsigned size)
{
    struct i8254 *p = dev;
    (void)size;
    if (off == 3) return 0xff;                        /* datasheet, "read operations": 43h does not answer */
    return read_counter(channel_now(p, (unsigned)off));
}

static void i8254_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8254 *p = dev;
    (void)size;
    if (off == 3) write_control(p, (uint8_t)val);
    else write_counter(channel_now(p, (unsigned)off), (uint8_t)val);
}

static const struct io_ops i8254_ops = { i8254_read, i8254_write, 1, 1 };

/* ---- class and create ---- */

/* The chip has no reset pin and an undefined state after power-on. This one wakes with channel 1 running as the AT's
 * BIOS sets it up, 18 ticks in mode 2, because SeaBIOS leaves the refresh to the board and programs watch port 61h
 * for it. */
static void i8254_reset(struct device *d, enum reset_kind kind)
{
    struct i8254 *p = (struct i8254 *)d;
    if (kind != RESET_POWER_ON) return;
    for (unsigned n = 0; n < 3; n++) {
        struct channel *c = channel_now(p, n);
        write_mode(c, n == 1 ? CONTROL_RW_LSB | 2 << 1 : CONTROL_RW_BOTH);
        c->cr = 0;
        c->latch = c->cr_low = c->status_latch = 0;
        c->ce = 0;
        if (n == 1) write_count(c, 18);
        drive(c);
    }
}

static void i8254_destroy(struct device *d)
{
    struct i8254 *p = (struct i8254 *)d;
    for (unsigned n = 0; n < 3; n++) timer_fini(&p->edge[n]);
    free(p);
}

static const struct device_class i8254_class = {
    .name = "i8254", .title = "8254 interval timer", .reset = i8254_reset, .destroy = i8254_destroy,
    .state = &i8254_state,
};

struct device *i8254_create(struct board *b, const char *id, const struct i8254_pins *pins)
{
    static const char *const timer_names[3] = { "i8254 out0", "i8254 out1", "i8254 out2" };
    struct i8254 *p = calloc(1, sizeof *p);
    if (!p) abort();
    device_init(&p->dev, &i8254_class, b, id);
    for (unsigned n = 0; n < 3; n++) {
        struct channel *c = &p->ch[n];
        c->chip = p;
        c->number = (uint8_t)n;
        c->gate = true;
        p->out[n] = pins->out[n];
        timer_init(&p->edge[n], b->clock, timer_names[n], edge_due, c);
    }
    device_claim_ports(&p->dev, pins->base, 4, &i8254_ops);
    i8254_reset(&p->dev, RESET_POWER_ON);
    return &p->dev;
}

struct irq_line i8254_gate(struct device *d, unsigned n)
{
    assert(n < 3);
    gate_wire(d, n, false);
    return IRQ_LINE(gate_wire, d, n);
}

static bool out_level(void *opaque, unsigned n)
{
    return channel_now(opaque, n)->out;
}

static bool toggle_level(void *opaque, unsigned n)
{
    return channel_now(opaque, n)->rises & 1;
}

struct irq_sense i8254_out_sense(struct device *d, unsigned n)
{
    assert(n < 3);
    return (struct irq_sense){ .level = out_level, .opaque = d, .pin = n };
}

struct irq_sense i8254_toggle_sense(struct device *d, unsigned n)
{
    assert(n < 3);
    return (struct irq_sense){ .level = toggle_level, .opaque = d, .pin = n };
}
