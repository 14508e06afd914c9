/* High precision event timer: a 64-bit counter at 100 MHz and three comparators. IA-PC HPET Specification 1.0a.
 *
 * The counter is computed from virtual time. A comparator is an alarm for the moment at which the counter equals it; in
 * periodic mode the comparator then moves on by its period. A comparator that may not interrupt has no alarm: `synced`
 * remembers the count up to which its matches are accounted for, so that reading it gives what hardware would have made
 * of it. A period below a microsecond is served once a microsecond, with the comparator exact.
 *
 * The oddest rule is how software loads a periodic comparator (2.3.9.2.2): a write with VAL_SET set goes to the
 * comparator and the period, and clears VAL_SET; the next write sets the period alone.
 *
 * Edge-triggered outputs are left high until the next match lowers and raises them, as the 8254's is: an 8259A would
 * take a short pulse for a spurious request. */
#include "devices/hpet.h"

#include <stdlib.h>

enum { TIMERS = 3, LINES = 8 };
enum { REG_CAPABILITIES = 0x000, REG_CONFIG = 0x010, REG_STATUS = 0x020, REG_COUNTER = 0x0f0, REG_TIMERS = 0x100,
       TIMER_STRIDE = 0x20 };
enum { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_FSB = 0x10 };
#define PERIOD_FS 10000000ull                 /* 10 ns */
#define CAPABILITIES (PERIOD_FS << 32 | 0x8086u << 16 | 1u << 15 | 1u << 13 | (TIMERS - 1) << 8 | 1)
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
enum { T_LEVEL = 0x0002, T_INTERRUPT = 0x0004, T_PERIODIC = 0x0008, T_PERIODIC_CAP = 0x0010, T_64BIT_CAP = 0x0020,
       T_VAL_SET = 0x0040, T_32BIT = 0x0100, T_ROUTE = 0x3e00, T_ROUTE_SHIFT = 9, T_WRITABLE = 0x014e };
#define ROUTE_CAP (0xffull << HPET_FIRST_PIN)
static const struct clk hpet_clock = { 100000000, 1 };
enum { MICROSECOND = 100 };                   /* in ticks */

struct comparator {
    uint64_t comparator, period;
    uint64_t synced;                          /* counter value up to which matches are accounted for */
    struct hpet *hpet;
    struct timer alarm;
    uint32_t config;                          /* low half; the high half is constant */
    uint32_t index;
    uint64_t unused;
};

struct hpet {
    struct device dev;
    struct { _Alignas(16) struct region region; } window;   /* aligned: no padding of ours depends on its size */
    struct irq_line irq[LINES], irq0, irq8;
    struct comparator t[TIMERS];
    uint64_t counter;                         /* main counter when it was last set or stopped */
    uint64_t started;                         /* tick of the clock at which it went on from there */
    uint32_t config, status;
    bool pit, rtc;                            /* levels of the inputs */
    bool out[TIMERS];                         /* levels of the comparators' outputs */
    uint8_t unused[3];
};

static const struct state_field comparator_fields[] = {
    FIELD(struct comparator, comparator, "comparator"),
    FIELD(struct comparator, period, "period"),
    FIELD(struct comparator, synced, "main counter up to which matches are accounted for"),
    FIELD(struct comparator, alarm, "next match"),
    FIELD_WIRING(struct comparator, hpet),
    FIELD(struct comparator, config, "configuration"),
    FIELD_WIRING(struct comparator, index),
    FIELD_WIRING(struct comparator, unused),
};
static const struct state_desc comparator_state = STATE_DESC(struct comparator, "hpet_timer", comparator_fields);

static const struct state_field hpet_fields[] = {
    FIELD_WIRING(struct hpet, dev),
    FIELD_WIRING(struct hpet, window),
    FIELD_ARRAY(struct hpet, irq, "I/O APIC outputs"),
    FIELD(struct hpet, irq0, "IRQ0 output"),
    FIELD(struct hpet, irq8, "IRQ8 output"),
    FIELD_STRUCTS(struct hpet, t, &comparator_state, "timers"),
    FIELD(struct hpet, counter, "main counter when last set or stopped"),
    FIELD(struct hpet, started, "clock tick at which it went on from there"),
    FIELD(struct hpet, config, "general configuration"),
    FIELD(struct hpet, status, "general interrupt status"),
    FIELD(struct hpet, pit, "8254 input"),
    FIELD(struct hpet, rtc, "RTC input"),
    FIELD_ARRAY(struct hpet, out, "timer outputs"),
    FIELD_WIRING(struct hpet, unused),
};
static const struct state_desc hpet_state = STATE_DESC(struct hpet, "hpet", hpet_fields);

/* ---- counter and comparators */

static uint64_t clock_ticks(const struct hpet *h) { return clk_ticks_at(hpet_clock, clock_now(h->dev.board->clock)); }

static uint64_t main_counter(const struct hpet *h)
{
    return h->config & CONFIG_ENABLE ? h->counter + (clock_ticks(h) - h->started) : h->counter;
}

/* Width of the comparison, as a mask. */
static uint64_t width(const struct comparator *t) { return t->config & T_32BIT ? 0xffffffffu : ~0ull; }

/* Ticks from count `from` to the next match: 1 to 2^32, or to 2^64 - 1 where 2^64 is meant. */
static uint64_t distance(const struct comparator *t, uint64_t from)
{
    uint64_t d = (t->comparator - from) & width(t);
    return d ? d : t->config & T_32BIT ? 1ull << 32 : ~0ull;
}

static bool periodic(const struct comparator *t) { return (t->config & T_PERIODIC) && (t->period & width(t)); }

/* What the comparator holds now; *matched (may be NULL) says whether it matched since it was last accounted for. */
static uint64_t current_comparator(const struct comparator *t, bool *matched)
{
    uint64_t passed = main_counter(t->hpet) - t->synced, d = distance(t, t->synced);
    if (matched) *matched = passed >= d;
    if (passed < d || !periodic(t)) return t->comparator;
    uint64_t period = t->period & width(t);
    return (t->comparator + ((passed - d) / period + 1) * period) & width(t);
}

/* Accounts for the matches up to now; true if there were any. */
static bool sync(struct comparator *t)
{
    bool matched;
    t->comparator = current_comparator(t, &matched);
    t->synced = main_counter(t->hpet);
    return matched;
}

static void schedule(struct comparator *t)
{
    struct hpet *h = t->hpet;
    timer_disarm(&t->alarm);
    if (!(h->config & CONFIG_ENABLE) || !(t->config & T_INTERRUPT)) return;
    uint64_t d = distance(t, t->synced);
    if (periodic(t) && d < MICROSECOND) {
        uint64_t period = t->period & width(t);
        if (period < MICROSECOND) d += (MICROSECOND - d + period - 1) / period * period;
    }
    if (d > 1ull << 62) return;               /* centuries away */
    uint64_t synced_tick = h->started + (t->synced - h->counter);
    timer_arm(&t->alarm, clk_time_of(hpet_clock, synced_tick + d));
}

/* ---- interrupts */

/* The wire a timer drives now, or NULL. */
static struct irq_line *output(struct hpet *h, unsigned n)
{
    if ((h->config & CONFIG_LEGACY) && n < 2) return n == 0 ? &h->irq0 : &h->irq8;
    unsigned route = (h->t[n].config & T_ROUTE) >> T_ROUTE_SHIFT;
    return route >= HPET_FIRST_PIN && route < HPET_FIRST_PIN + LINES ? &h->irq[route - HPET_FIRST_PIN] : NULL;
}

/* Drives every wire from the timers that are routed to it and, outside legacy replacement, from the two inputs. */
static void update(struct hpet *h)
{
    bool level[LINES + 2] = { false };
    bool legacy = h->config & CONFIG_LEGACY;
    level[LINES] = !legacy && h->pit;
    level[LINES + 1] = !legacy && h->rtc;
    for (unsigned n = 0; n < TIMERS; n++) {
        const struct irq_line *o = output(h, n);
        if (!h->out[n] || !o || !(h->t[n].config & T_INTERRUPT)) continue;
        if (o == &h->irq0) level[LINES] = true;
        else if (o == &h->irq8) level[LINES + 1] = true;
        else level[o - h->irq] = true;
    }
    for (unsigned i = 0; i < LINES; i++) irq_set(&h->irq[i], level[i]);
    irq_set(&h->irq0, level[LINES]);
    irq_set(&h->irq8, level[LINES + 1]);
}

static void alarm_due(void *opaque, vtime due)
{
    (void)due;
    struct comparator *t = opaque;
    struct hpet *h = t->hpet;
    if (sync(t)) {
        trace(h->dev.board->log, hpet_fire, (uint64_t)t->index);
        if (t->config & T_LEVEL) {
            h->status |= 1u << t->index;
        } else {
            h->out[t->index] = false;
            update(h);
        }
        h->out[t->index] = true;
        update(h);
    }
    schedule(t);
}

static void pit_changed(void *opaque, unsigned pin, bool level)
{
    (void)pin;
    struct hpet *h = opaque;
    h->pit = level;
    update(h);
}

static void rtc_changed(void *opaque, unsigned pin, bool level)
{
    (void)pin;
    struct hpet *h = opaque;
    h->rtc = level;
    update(h);
}

struct irq_line hpet_pit_in(struct device *d) { return IRQ_LINE(pit_changed, d, 0); }
struct irq_line hpet_rtc_in(struct device *d) { return IRQ_LINE(rtc_changed, d, 0); }

/* ---- registers: dwords, or both at once */

static uint64_t read_timer(struct comparator *t, unsigned reg)
{
    switch (reg) {
    case TIMER_CONFIG: return t->config | T_PERIODIC_CAP | T_64BIT_CAP | ROUTE_CAP << 32;
    case TIMER_COMPARATOR: return current_comparator(t, NULL);
    default: return 0;                        /* no FSB interrupts */
    }
}

static uint64_t read_register(struct hpet *h, unsigned reg)
{
    switch (reg) {
    case REG_CAPABILITIES: return CAPABILITIES;
    case REG_CONFIG: return h->config;
    case REG_STATUS: return h->status;
    case REG_COUNTER: return main_counter(h);
    default: break;
    }
    unsigned n = (reg - REG_TIMERS) / TIMER_STRIDE;
    return reg >= REG_TIMERS && n < TIMERS ? read_timer(&h->t[n], (reg - REG_TIMERS) % TIMER_STRIDE) : 0;
}

/* val replaces the bits of mask. */
static uint64_t merge(uint64_t old, uint64_t val, uint64_t mask) { return (old & ~mask) | (val & mask); }

static void write_comparator(struct comparator *t, uint64_t val, uint64_t mask)
{
    if (t->hpet->config & CONFIG_ENABLE) sync(t);
    if (!(t->config & T_PERIODIC) || (t->config & T_VAL_SET))
        t->comparator = merge(t->comparator, val, mask) & width(t);
    if (t->config & T_PERIODIC) t->period = merge(t->period, val, mask) & width(t);
    t->config &= ~(uint32_t)T_VAL_SET;
    trace(t->hpet->dev.board->log, hpet_timer, (uint64_t)t->index, (uint64_t)t->config, t->comparator);
    schedule(t);
}

static void write_timer_config(struct comparator *t, uint64_t val, uint64_t mask)
{
    struct hpet *h = t->hpet;
    if (h->config & CONFIG_ENABLE) sync(t);
    uint32_t config = (uint32_t)merge(t->config, val, mask & (T_WRITABLE | T_ROUTE));
    if (!(ROUTE_CAP >> ((config & T_ROUTE) >> T_ROUTE_SHIFT) & 1) && (config & T_ROUTE))
        config = (config & ~(uint32_t)T_ROUTE) | (t->config & T_ROUTE);   /* an input it cannot reach does not stick */
    t->config = config;
    if (config & T_32BIT) {
        t->comparator &= width(t);
        t->period &= width(t);
    }
    if (!(config & T_LEVEL)) h->status &= ~(1u << t->index);
    if ((config & T_LEVEL) && !(h->status >> t->index & 1)) h->out[t->index] = false;
    if (!(config & T_INTERRUPT)) h->out[t->index] = false;
    update(h);
    schedule(t);
}

static void write_config(struct hpet *h, uint32_t val)
{
    bool was = h->config & CONFIG_ENABLE, is = val & CONFIG_ENABLE;
    if (was && !is) {
        for (unsigned n = 0; n < TIMERS; n++) sync(&h->t[n]);
        h->counter = main_counter(h);
    }
    h->config = val & (CONFIG_ENABLE | CONFIG_LEGACY);
    trace(h->dev.board->log, hpet_config, (uint64_t)h->config);
    if (!was && is) h->started = clock_ticks(h);
    for (unsigned n = 0; n < TIMERS; n++) {
        if (!was && is) h->t[n].synced = h->counter;
        schedule(&h->t[n]);
    }
    update(h);
}

static void write_register(struct hpet *h, unsigned reg, uint64_t val, uint64_t mask)
{
    switch (reg) {
    case REG_CAPABILITIES: return;
    case REG_CONFIG:
        if (mask & 0xffffffffu) write_config(h, (uint32_t)merge(h->config, val, mask));
        return;
    case REG_STATUS:                          /* a written 1 clears, and lowers a level-triggered output */
        for (unsigned n = 0; n < TIMERS; n++) {
            if (!(val & mask & (1u << n)) || !(h->status >> n & 1)) continue;
            h->status &= ~(1u << n);
            h->out[n] = false;
        }
        update(h);
        return;
    case REG_COUNTER:                         /* meant to be written while stopped; matches so far stay accounted for */
        h->counter = merge(main_counter(h), val, mask);
        h->started = clock_ticks(h);
        for (unsigned n = 0; n < TIMERS; n++) {
            h->t[n].synced = h->counter;
            schedule(&h->t[n]);
        }
        return;
    default: break;
    }
    unsigned n = (reg - REG_TIMERS) / TIMER_STRIDE;
    if (reg < REG_TIMERS || n >= TIMERS) return;
    if ((reg - REG_TIMERS) % TIMER_STRIDE == TIMER_CONFIG) write_timer_config(&h->t[n], val, mask);
    else if ((reg - REG_TIMERS) % TIMER_STRIDE == TIMER_COMPARATOR) write_comparator(&h->t[n], val, mask);
}

static uint64_t hpet_read(void *dev, uint64_t off, unsigned size)
{
    uint64_t v = read_register(dev, (unsigned)off & ~7u);
    return size == 8 ? v : (off & 4 ? v >> 32 : v & 0xffffffffu);
}

static void hpet_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    unsigned reg = (unsigned)off & ~7u;
    if (size == 8) write_register(dev, reg, val, ~0ull);
    else if (off & 4) write_register(dev, reg, val << 32, 0xffffffff00000000ull);
    else write_register(dev, reg, val, 0xffffffffull);
}

static const struct io_ops hpet_ops = { hpet_read, hpet_write, 4, 8 };

/* ---- device */

static void hpet_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct hpet *h = (struct hpet *)d;
    h->config = h->status = 0;
    h->counter = h->started = 0;
    for (unsigned n = 0; n < TIMERS; n++) {
        struct comparator *t = &h->t[n];
        timer_disarm(&t->alarm);
        t->comparator = ~0ull;
        t->period = t->synced = 0;
        t->config = 0;
        h->out[n] = false;
    }
    update(h);
}

static void hpet_destroy(struct device *d)
{
    struct hpet *h = (struct hpet *)d;
    for (unsigned n = 0; n < TIMERS; n++) timer_fini(&h->t[n].alarm);
    free(h);
}

static const struct device_class hpet_class = {
    .name = "hpet", .title = "High precision event timer", .reset = hpet_reset, .destroy = hpet_destroy,
    .state = &hpet_state,
};

struct device *hpet_create(struct board *b, const char *id, const struct hpet_pins *pins)
{
    struct hpet *h = calloc(1, sizeof *h);
    if (!h) abort();
    device_init(&h->dev, &hpet_class, b, id);
    for (unsigned i = 0; i < LINES; i++) h->irq[i] = pins->irq[i];
    h->irq0 = pins->irq0;
    h->irq8 = pins->irq8;
    static const char *const names[TIMERS] = { "hpet.timer0", "hpet.timer1", "hpet.timer2" };
    for (unsigned n = 0; n < TIMERS; n++) {
        h->t[n].hpet = h;
        h->t[n].index = n;
        timer_init(&h->t[n].alarm, b->clock, names[n], alarm_due, &h->t[n]);
    }
    h->window.region = (struct region){ .name = id, .base = pins->base, .size = PAGE_SIZE, .prio = PRIO_MMIO,
                                        .enabled = true, .reads = true, .writes = true, .io = &hpet_ops, .dev = h };
    region_add(b->mem, &h->window.region);
    hpet_reset(&h->dev, RESET_POWER_ON);
    return &h->dev;
}
