/* The local APIC. Intel SDM vol. 3, chapter 10.
 *
 * It stands between all interrupt sources and the CPU's INTR pin. Requests wait in IRR until their class (vector / 16)
 * exceeds the processor priority, move to ISR when the CPU acknowledges, and leave at EOI. Interrupts of the 8259A come
 * in on LINT0 as ExtINT: then the acknowledge cycle is passed on and the 8259A gives the vector.
 *
 * The oddest state is before anybody has set it up. Two switches disable it. With IA32_APIC_BASE's the pins LINT0 and
 * LINT1 are INTR and NMI as on a CPU without APIC; with the spurious vector register's, which is how reset leaves it, the
 * SDM masks every LVT entry. That would cut off the 8259A until the firmware has made LINT0 an ExtINT input, and ROMs that
 * know of no APIC, of which a PC of this age has many, would never see an interrupt.
 * GAP: so the pins pass straight to INTR and NMI while the APIC is disabled by either switch (MP specification 3.6.2.1,
 * PIC mode).
 *
 * The timer is not ticked: its count is computed from virtual time on reading, and an alarm runs only while an unmasked
 * entry can be reached by it.
 *
 * Which it is, version and number of LVT entries tell: 10h and four in a Pentium, 11h and five in the P6 family (no
 * thermal entry), 14h and six in a Pentium 4.
 *
 * GAP: messages arrive at once; the delivery status bits read idle, and the focus processor and arbitration rotation do
 * not exist. It never gets too hot: thermal interrupts do not come. */
#include "devices/lapic.h"

#include <stdlib.h>
#include <string.h>

enum {                                        /* register offsets (table 10-1) */
    REG_ID = 0x020, REG_VERSION = 0x030, REG_TPR = 0x080, REG_APR = 0x090, REG_PPR = 0x0a0, REG_EOI = 0x0b0,
    REG_RRD = 0x0c0, REG_LDR = 0x0d0, REG_DFR = 0x0e0, REG_SVR = 0x0f0, REG_ISR = 0x100, REG_TMR = 0x180, REG_IRR = 0x200,
    REG_ESR = 0x280, REG_ICR_LOW = 0x300, REG_ICR_HIGH = 0x310, REG_LVT = 0x320, REG_LVT_END = 0x370, REG_INITIAL = 0x380,
    REG_CURRENT = 0x390, REG_DIVIDE = 0x3e0,
};
enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVTS };
enum { LVT_POLARITY = 0x2000, LVT_REMOTE_IRR = 0x4000, LVT_LEVEL = 0x8000, LVT_MASKED = 0x10000,
       LVT_PERIODIC = 0x20000 };
enum { SVR_ENABLE = 0x100, DFR_FLAT = 0xf };
enum { ESR_SEND_ILLEGAL = 0x20, ESR_RECEIVE_ILLEGAL = 0x40, ESR_ILLEGAL_REGISTER = 0x80 };
enum { ICR_LOGICAL = 0x800, ICR_ASSERT = 0x4000, ICR_LEVEL = 0x8000, ICR_BITS = 0xccfff };
enum { BASE_ENABLE = 0x800 };
static const uint32_t lvt_writable[LVTS] = {
    [LVT_TIMER] = 0x300ff, [LVT_THERMAL] = 0x107ff, [LVT_PERF] = 0x107ff, [LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff,
    [LVT_ERROR] = 0x100ff,
};

/* Entries that a version of the APIC has (10.4.1, figure 10-8 with its table of entries). */
static unsigned lvt_bits(uint8_t version)
{
    unsigned pentium = 1u << LVT_TIMER | 1u << LVT_LINT0 | 1u << LVT_LINT1 | 1u << LVT_ERROR;
    if (version < LAPIC_P6) return pentium;
    return version < LAPIC_PENTIUM4 ? pentium | 1u << LVT_PERF : pentium | 1u << LVT_PERF | 1u << LVT_THERMAL;
}

struct lapic {
    struct device dev;
    struct { _Alignas(16) struct region region; } window;   /* aligned: no padding of ours depends on its size */
    struct apic_bus *bus;
    struct clk bus_clock;
    struct irq_line intr, nmi, smi, init;
    void (*sipi)(void *opaque, uint8_t vector);
    uint8_t (*extint)(void *opaque);
    void *sipi_opaque, *extint_opaque;
    uint64_t base;                            /* IA32_APIC_BASE */
    uint64_t timer_base;                      /* bus clock tick at which the count was the initial count */
    uint64_t unused1;
    struct timer timer;
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t lvt[LVTS];
    uint32_t svr, ldr, dfr, icr_low, icr_high, esr, esr_pending, initial_count, divide;
    uint8_t initial_id, id, tpr;
    bool lint[2];                             /* levels of the inputs */
    bool extint_message;                      /* an ExtINT came over the bus and has not been acknowledged */
    uint8_t version;
    uint8_t unused[13];
};

static const struct state_field lapic_fields[] = {
    FIELD_WIRING(struct lapic, dev),
    FIELD_WIRING(struct lapic, window),
    FIELD_WIRING(struct lapic, bus),
    FIELD_WIRING(struct lapic, bus_clock),
    FIELD(struct lapic, intr, "INTR output"),
    FIELD(struct lapic, nmi, "NMI output"),
    FIELD(struct lapic, smi, "SMI output"),
    FIELD(struct lapic, init, "INIT output"),
    FIELD_WIRING(struct lapic, sipi),
    FIELD_WIRING(struct lapic, extint),
    FIELD_WIRING(struct lapic, sipi_opaque),
    FIELD_WIRING(struct lapic, extint_opaque),
    FIELD(struct lapic, base, "IA32_APIC_BASE"),
    FIELD(struct lapic, timer_base, "bus clock tick at which the timer held its initial count"),
    FIELD_WIRING(struct lapic, unused1),
    FIELD(struct lapic, timer, "next interrupt of the timer"),
    FIELD_ARRAY(struct lapic, isr, "in service"),
    FIELD_ARRAY(struct lapic, tmr, "trigger mode: level"),
    FIELD_ARRAY(struct lapic, irr, "requested"),
    FIELD_ARRAY(struct lapic, lvt, "local vectors: timer, thermal, counters, LINT0, LINT1, error"),
    FIELD(struct lapic, svr, "spurious vector and enable"),
    FIELD(struct lapic, ldr, "logical destination"),
    FIELD(struct lapic, dfr, "destination format"),
    FIELD(struct lapic, icr_low, "interrupt command, low"),
    FIELD(struct lapic, icr_high, "interrupt command, high"),
    FIELD(struct lapic, esr, "errors, as last latched by a write"),
    FIELD(struct lapic, esr_pending, "errors since"),
    FIELD(struct lapic, initial_count, "timer's initial count"),
    FIELD(struct lapic, divide, "timer's divide configuration"),
    FIELD_WIRING(struct lapic, initial_id),
    FIELD(struct lapic, id, "APIC id"),
    FIELD(struct lapic, tpr, "task priority"),
    FIELD_ARRAY(struct lapic, lint, "LINT0 and LINT1 inputs"),
    FIELD(struct lapic, extint_message, "ExtINT message waiting for its acknowledge"),
    FIELD_WIRING(struct lapic, version),
    FIELD_WIRING(struct lapic, unused),
};
static const struct state_desc lapic_state = STATE_DESC(struct lapic, "lapic", lapic_fields);

/* ---- 256-bit vectors */

static bool get_bit(const uint32_t v[8], unsigned n) { return v[n >> 5] >> (n & 31) & 1; }
static void set_bit(uint32_t v[8], unsigned n) { v[n >> 5] |= 1u << (n & 31); }
static void clear_bit(uint32_t v[8], unsigned n) { v[n >> 5] &= ~(1u << (n & 31)); }

static int highest(const uint32_t v[8])
{
    for (int i = 7; i >= 0; i--)
        if (v[i]) return i * 32 + 31 - __builtin_clz(v[i]);
    return -1;
}

/* ---- priorities and the INTR output */

static bool hardware_enabled(const struct lapic *l) { return l->base & BASE_ENABLE; }
static bool enabled(const struct lapic *l) { return hardware_enabled(l) && (l->svr & SVR_ENABLE); }

static uint8_t ppr(const struct lapic *l)
{
    int isr = highest(l->isr);
    uint8_t service = isr < 0 ? 0 : (uint8_t)(isr & 0xf0);
    return (l->tpr & 0xf0) >= service ? l->tpr : service;
}

/* The vector that would be delivered now, or -1. */
static int deliverable(const struct lapic *l)
{
    int irr = highest(l->irr);
    return enabled(l) && irr >= 0 && (irr & 0xf0) > (ppr(l) & 0xf0) ? irr : -1;
}

/* Does the 8259A reach the CPU now? */
static bool extint_asserted(const struct lapic *l)
{
    if (!enabled(l)) return l->lint[0];
    uint32_t lvt = l->lvt[LVT_LINT0];
    return l->extint_message || (l->lint[0] && !(lvt & LVT_MASKED) && (lvt >> 8 & 7) == APIC_EXTINT);
}

static void update(struct lapic *l) { irq_set(&l->intr, deliverable(l) >= 0 || extint_asserted(l)); }

static void local_interrupt(struct lapic *l, unsigned entry);

static void error(struct lapic *l, uint32_t bit)
{
    if (l->esr_pending & bit) return;
    l->esr_pending |= bit;
    local_interrupt(l, LVT_ERROR);
}

static void request(struct lapic *l, uint8_t vector, bool level)
{
    if (!enabled(l)) return;
    if (vector < 16) {
        /* The error's own vector may be illegal too: error() stops there, since its bit is set by then. */
        error(l, ESR_RECEIVE_ILLEGAL);
        return;
    }
    set_bit(l->irr, vector);
    if (level) set_bit(l->tmr, vector);
    else clear_bit(l->tmr, vector);
    update(l);
}

/* ---- local vector table */

static void reset_registers(struct lapic *l);

/* INIT, by message or by pin, reaches the CPU and resets the APIC in it (10.4.7.3). */
static void init(struct lapic *l)
{
    reset_registers(l);
    irq_pulse(&l->init);
}

/* A local source fires its entry. Delivery modes of an LVT entry (10.5.1); ExtINT is a level, see extint_asserted. */
static void local_interrupt(struct lapic *l, unsigned entry)
{
    uint32_t lvt = l->lvt[entry];
    if (lvt & LVT_MASKED) return;
    unsigned mode = entry == LVT_TIMER || entry == LVT_ERROR ? APIC_FIXED : lvt >> 8 & 7;
    switch (mode) {
    case APIC_FIXED: request(l, (uint8_t)lvt, (lvt & LVT_REMOTE_IRR) != 0); break;
    case APIC_SMI: irq_pulse(&l->smi); break;
    case APIC_NMI: irq_pulse(&l->nmi); break;
    case APIC_INIT: init(l); break;
    default: break;
    }
}

/* A level-triggered fixed LINT entry: delivers while asserted and not yet in service. */
static void lint_level(struct lapic *l, unsigned n)
{
    uint32_t *lvt = &l->lvt[LVT_LINT0 + n];
    if ((*lvt >> 8 & 7) != APIC_FIXED || !(*lvt & LVT_LEVEL) || (*lvt & (LVT_MASKED | LVT_REMOTE_IRR))) return;
    if (!l->lint[n] || !enabled(l)) return;
    *lvt |= LVT_REMOTE_IRR;
    local_interrupt(l, LVT_LINT0 + n);
}

static void lint_changed(void *opaque, unsigned pin, bool level)
{
    struct lapic *l = opaque;
    bool rising = level && !l->lint[pin & 1];
    l->lint[pin & 1] = level;
    uint32_t lvt = l->lvt[LVT_LINT0 + (pin & 1)];
    if (!enabled(l)) {
        if (pin == 1 && rising) irq_pulse(&l->nmi);
    } else if ((lvt >> 8 & 7) == APIC_FIXED && (lvt & LVT_LEVEL)) {
        lint_level(l, pin & 1);
    } else if (rising) {
        local_interrupt(l, LVT_LINT0 + (pin & 1));
    }
    update(l);
}

struct irq_line lapic_lint(struct device *d, unsigned n) { return IRQ_LINE(lint_changed, d, n & 1); }

/* The entry masks itself as it fires (10.5.1). */
static void perf_changed(void *opaque, unsigned pin, bool level)
{
    (void)pin;
    struct lapic *l = opaque;
    if (!level || !enabled(l) || (l->lvt[LVT_PERF] & LVT_MASKED)) return;
    local_interrupt(l, LVT_PERF);
    l->lvt[LVT_PERF] |= LVT_MASKED;
    update(l);
}

struct irq_line lapic_perf(struct device *d) { return IRQ_LINE(perf_changed, d, 0); }

/* ---- acknowledge and end of interrupt */

uint8_t lapic_intack(void *d)
{
    struct lapic *l = d;
    int vector = deliverable(l);
    if (vector >= 0) {
        clear_bit(l->irr, (unsigned)vector);
        set_bit(l->isr, (unsigned)vector);
        trace(l->dev.board->log, lapic_intack, (uint64_t)vector);
        update(l);
        return (uint8_t)vector;
    }
    if (extint_asserted(l) && l->extint) {
        l->extint_message = false;
        uint8_t v = l->extint(l->extint_opaque);
        update(l);
        return v;
    }
    return (uint8_t)l->svr;                   /* the request went away: spurious, no ISR bit (10.9) */
}

static void end_of_interrupt(struct lapic *l)
{
    int vector = highest(l->isr);
    if (vector < 0) return;
    clear_bit(l->isr, (unsigned)vector);
    trace(l->dev.board->log, lapic_eoi, (uint64_t)vector);
    if (get_bit(l->tmr, (unsigned)vector)) {
        for (unsigned n = 0; n < 2; n++) {
            uint32_t *lvt = &l->lvt[LVT_LINT0 + n];
            if ((*lvt & LVT_REMOTE_IRR) && (uint8_t)*lvt == vector) *lvt &= ~(uint32_t)LVT_REMOTE_IRR;
            lint_level(l, n);
        }
        apic_bus_eoi(l->bus, (uint8_t)vector);
    }
    update(l);
}

/* ---- timer */

static uint64_t bus_ticks(const struct lapic *l) { return clk_ticks_at(l->bus_clock, clock_now(l->dev.board->clock)); }

/* Divide configuration: bits 3, 1, 0 are 0 to 6 for 2 to 128, and 7 for 1. */
static unsigned timer_shift(const struct lapic *l) { return (((l->divide >> 1 & 4) | (l->divide & 3)) + 1) & 7; }

/* Counts since the timer held its initial count, where it does not wrap. */
static uint64_t timer_elapsed(const struct lapic *l) { return (bus_ticks(l) - l->timer_base) >> timer_shift(l); }

static uint32_t timer_current(const struct lapic *l)
{
    uint64_t elapsed = timer_elapsed(l);
    if (l->initial_count == 0) return 0;
    if (l->lvt[LVT_TIMER] & LVT_PERIODIC) return l->initial_count - (uint32_t)(elapsed % l->initial_count);
    return elapsed >= l->initial_count ? 0 : l->initial_count - (uint32_t)elapsed;
}

/* Arms the alarm for the next time the count reaches zero, if that interrupts. A period below a microsecond is served
 * at the first multiple that is one. */
static void timer_schedule(struct lapic *l)
{
    timer_disarm(&l->timer);
    if (l->initial_count == 0 || (l->lvt[LVT_TIMER] & LVT_MASKED) || !enabled(l)) return;
    uint64_t elapsed = timer_elapsed(l), periods = 1;
    if (l->lvt[LVT_TIMER] & LVT_PERIODIC) {
        uint64_t microsecond = (l->bus_clock.num / l->bus_clock.den / 1000000) >> timer_shift(l);
        periods = elapsed / l->initial_count + 1 + microsecond / l->initial_count;
    } else if (elapsed >= l->initial_count) {
        return;
    }
    uint64_t tick = l->timer_base + ((periods * l->initial_count) << timer_shift(l));
    timer_arm(&l->timer, clk_time_of(l->bus_clock, tick));
}

static void timer_due(void *opaque, vtime due)
{
    (void)due;
    struct lapic *l = opaque;
    /* Keep the base near: whole periods that are over are forgotten. */
    if (l->initial_count && (l->lvt[LVT_TIMER] & LVT_PERIODIC))
        l->timer_base += (timer_elapsed(l) / l->initial_count * l->initial_count) << timer_shift(l);
    local_interrupt(l, LVT_TIMER);
    timer_schedule(l);
}

/* A new divisor takes over at the current count. */
static void set_divide(struct lapic *l, uint32_t val)
{
    uint64_t counted = l->initial_count - timer_current(l);
    bool ran_out = l->initial_count && timer_current(l) == 0;
    l->divide = val & 0x0b;
    if (!ran_out) l->timer_base = bus_ticks(l) - (counted << timer_shift(l));
    timer_schedule(l);
}

/* ---- messages */

static bool lapic_matches(void *apic, uint8_t dest, bool logical)
{
    struct lapic *l = apic;
    if (!hardware_enabled(l)) return false;
    if (dest == 0xff) return true;
    if (!logical) return dest == l->id;
    uint8_t ldr = (uint8_t)(l->ldr >> 24);
    if (l->dfr >> 28 == DFR_FLAT) return dest & ldr;
    return (dest >> 4 == ldr >> 4 || dest >> 4 == 0xf) && (dest & ldr & 0x0f);   /* cluster model */
}

static uint8_t lapic_priority(void *apic)
{
    struct lapic *l = apic;
    int irr = highest(l->irr), isr = highest(l->isr);
    int p = irr > isr ? irr : isr;
    return p > l->tpr ? (uint8_t)(p & 0xf0) : l->tpr;
}

static void lapic_accept(void *apic, const struct apic_message *m)
{
    struct lapic *l = apic;
    if (!hardware_enabled(l)) return;
    trace(l->dev.board->log, lapic_accept, (uint64_t)m->mode, (uint64_t)m->vector, (uint64_t)m->level);
    switch (m->mode) {
    case APIC_FIXED: case APIC_LOWEST: request(l, m->vector, m->level); break;
    case APIC_SMI: irq_pulse(&l->smi); break;
    case APIC_NMI: irq_pulse(&l->nmi); break;
    case APIC_INIT: init(l); break;
    case APIC_STARTUP:
        if (l->sipi) l->sipi(l->sipi_opaque, m->vector);
        break;
    case APIC_EXTINT:
        l->extint_message = true;
        update(l);
        break;
    default: break;
    }
}

/* A write to ICR's low half sends. */
static void send(struct lapic *l)
{
    uint32_t icr = l->icr_low;
    struct apic_message m = {
        .dest = (uint8_t)(l->icr_high >> 24), .logical = icr & ICR_LOGICAL, .mode = icr >> 8 & 7,
        .vector = (uint8_t)icr,
        .level = icr & ICR_LEVEL,
    };
    if (m.mode == APIC_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT)) return;   /* INIT level de-assert: only ids */
    if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < 16) {
        error(l, ESR_SEND_ILLEGAL);
        return;
    }
    if (m.mode == APIC_REMOTE_READ || m.mode == APIC_EXTINT) {
        log_guest(l->dev.board->log, l->dev.id, "ICR with delivery mode %u", m.mode);
        return;
    }
    trace(l->dev.board->log, lapic_send, (uint64_t)icr, (uint64_t)l->icr_high >> 24);
    if (m.mode != APIC_INIT) m.level = false; /* only INIT can be sent as a level (10.6.1) */
    switch (icr >> 18 & 3) {
    case 0: apic_bus_send(l->bus, &m); break;
    case 1: apic_bus_send_to(l->bus, l, &m); break;
    case 2: apic_bus_send_all(l->bus, NULL, &m); break;
    default: apic_bus_send_all(l->bus, l, &m); break;
    }
}

/* ---- registers */

static bool has_lvt(const struct lapic *l, uint64_t off) { return lvt_bits(l->version) >> ((off - REG_LVT) >> 4) & 1; }

static uint64_t lapic_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    struct lapic *l = dev;
    if (off & 0x0c) return 0;                 /* only the first dword of each 16 bytes is a register */
    if (off >= REG_ISR && off < REG_ESR) {
        unsigned word = (unsigned)(off >> 4) & 7;
        return off < REG_TMR ? l->isr[word] : off < REG_IRR ? l->tmr[word] : l->irr[word];
    }
    if (off >= REG_LVT && off <= REG_LVT_END && has_lvt(l, off)) return l->lvt[(off - REG_LVT) >> 4];
    switch (off) {
    case REG_ID: return (uint32_t)l->id << 24;
    case REG_VERSION: return (unsigned)(__builtin_popcount(lvt_bits(l->version)) - 1) << 16 | l->version;
    case REG_TPR: return l->tpr;
    case REG_APR: return lapic_priority(l);
    case REG_PPR: return ppr(l);
    case REG_EOI: return 0;
    case REG_RRD: return 0;
    case REG_LDR: return l->ldr;
    case REG_DFR: return l->dfr;
    case REG_SVR: return l->svr;
    case REG_ESR: return l->esr;
    case REG_ICR_LOW: return l->icr_low;
    case REG_ICR_HIGH: return l->icr_high;
    case REG_INITIAL: return l->initial_count;
    case REG_CURRENT: return timer_current(l);
    case REG_DIVIDE: return l->divide;
    default:
        error(l, ESR_ILLEGAL_REGISTER);
        return 0;
    }
}

static void write_lvt(struct lapic *l, unsigned entry, uint32_t val)
{
    uint32_t keep = l->lvt[entry] & LVT_REMOTE_IRR & ((val & LVT_LEVEL) ? ~0u : 0);
    if (entry == LVT_TIMER && l->initial_count && ((val ^ l->lvt[entry]) & LVT_PERIODIC)) {
        /* A change between one-shot and periodic goes on from the current count. */
        l->timer_base = bus_ticks(l) - ((uint64_t)(l->initial_count - timer_current(l)) << timer_shift(l));
    }
    l->lvt[entry] = (val & lvt_writable[entry]) | keep;
    if (!(l->svr & SVR_ENABLE)) l->lvt[entry] |= LVT_MASKED;
    if (entry == LVT_TIMER) timer_schedule(l);
    if (entry == LVT_LINT0 || entry == LVT_LINT1) lint_level(l, entry - LVT_LINT0);
    update(l);
}

static void write_svr(struct lapic *l, uint32_t val)
{
    l->svr = val & 0x3ff;
    if (!(l->svr & SVR_ENABLE))               /* 10.4.7.2: all entries are masked while software-disabled */
        for (unsigned i = 0; i < LVTS; i++) l->lvt[i] |= LVT_MASKED;
    timer_schedule(l);
    update(l);
}

static void lapic_write(void *dev, uint64_t off, uint64_t val64, unsigned size)
{
    (void)size;
    struct lapic *l = dev;
    uint32_t val = (uint32_t)val64;
    if (off & 0x0c) return;
    if (off >= REG_LVT && off <= REG_LVT_END && has_lvt(l, off)) {
        write_lvt(l, (unsigned)(off - REG_LVT) >> 4, val);
        return;
    }
    switch (off) {
    case REG_ID: l->id = (uint8_t)(val >> 24); break;
    case REG_TPR:
        l->tpr = (uint8_t)val;
        update(l);
        break;
    case REG_EOI: end_of_interrupt(l); break;
    case REG_LDR: l->ldr = val & 0xff000000u; break;
    case REG_DFR: l->dfr = val | 0x0fffffffu; break;
    case REG_SVR: write_svr(l, val); break;
    case REG_ESR:                             /* a write shows what has gathered since the last one (10.5.3) */
        l->esr = l->esr_pending;
        l->esr_pending = 0;
        break;
    case REG_ICR_LOW:
        l->icr_low = val & ICR_BITS;
        send(l);
        break;
    case REG_ICR_HIGH: l->icr_high = val & 0xff000000u; break;
    case REG_INITIAL:
        l->initial_count = val;
        l->timer_base = bus_ticks(l);
        trace(l->dev.board->log, lapic_timer, (uint64_t)val, (uint64_t)l->divide, (uint64_t)l->lvt[LVT_TIMER]);
        timer_schedule(l);
        break;
    case REG_DIVIDE: set_divide(l, val); break;
    case REG_VERSION: case REG_APR: case REG_PPR: case REG_RRD: case REG_CURRENT: break;   /* read only */
    default:
        if (off < REG_ISR || off >= REG_ESR) error(l, ESR_ILLEGAL_REGISTER);
        break;
    }
}

static const struct io_ops lapic_ops = { lapic_read, lapic_write, 4, 4 };

struct region *lapic_region(struct device *d) { return &((struct lapic *)d)->window.region; }

/* ---- reset and IA32_APIC_BASE */

/* State after INIT; the id survives, as do the inputs' levels (10.4.7.3). */
static void reset_registers(struct lapic *l)
{
    memset(l->isr, 0, sizeof l->isr);
    memset(l->tmr, 0, sizeof l->tmr);
    memset(l->irr, 0, sizeof l->irr);
    for (unsigned i = 0; i < LVTS; i++) l->lvt[i] = LVT_MASKED;
    l->svr = 0xff;
    l->dfr = 0xffffffffu;
    l->ldr = l->icr_low = l->icr_high = l->esr = l->esr_pending = l->initial_count = l->divide = 0;
    l->timer_base = 0;
    l->tpr = 0;
    l->extint_message = false;
    timer_disarm(&l->timer);
    update(l);
}

static void place_region(struct lapic *l)
{
    l->window.region.base = l->base & 0xffffff000ull;
    l->window.region.enabled = hardware_enabled(l);
}

void lapic_set_base(void *d, uint64_t msr)
{
    struct lapic *l = d;
    bool was = hardware_enabled(l);
    l->base = msr;
    place_region(l);
    if (was && !hardware_enabled(l)) reset_registers(l);
    update(l);
}

static void init_changed(void *opaque, unsigned pin, bool level)
{
    (void)pin;
    if (level) init(opaque);
}

struct irq_line lapic_init_pin(struct device *d) { return IRQ_LINE(init_changed, d, 0); }

static void lapic_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct lapic *l = (struct lapic *)d;
    l->id = l->initial_id;
    l->base = 0xfee00000u | BASE_ENABLE | (l->initial_id == 0 ? 0x100 : 0);
    irq_set(&l->nmi, false);
    irq_set(&l->smi, false);
    irq_set(&l->init, false);
    place_region(l);
    reset_registers(l);
}

static void lapic_loaded(struct device *d) { place_region((struct lapic *)d); }

static void lapic_destroy(struct device *d)
{
    struct lapic *l = (struct lapic *)d;
    timer_fini(&l->timer);
    free(l);
}

static const struct device_class lapic_class = {
    .name = "lapic", .title = "Local APIC", .reset = lapic_reset, .loaded = lapic_loaded, .destroy = lapic_destroy,
    .state = &lapic_state,
};

struct device *lapic_create(struct board *b, const char *id, const struct lapic_pins *pins)
{
    struct lapic *l = calloc(1, sizeof *l);
    if (!l) abort();
    device_init(&l->dev, &lapic_class, b, id);
    l->bus = pins->bus;
    l->initial_id = pins->id;
    l->version = pins->version ? pins->version : LAPIC_PENTIUM4;
    l->bus_clock = pins->bus_clock;
    l->intr = pins->intr;
    l->nmi = pins->nmi;
    l->smi = pins->smi;
    l->init = pins->init;
    l->sipi = pins->sipi;
    l->sipi_opaque = pins->sipi_opaque;
    l->extint = pins->extint;
    l->extint_opaque = pins->extint_opaque;
    l->window.region = (struct region){ .name = id, .size = PAGE_SIZE, .prio = PRIO_MMIO, .reads = true, .writes = true,
                                        .io = &lapic_ops, .dev = l };
    timer_init(&l->timer, b->clock, id, timer_due, l);
    apic_bus_join(pins->bus, &(struct apic_unit){ l, lapic_matches, lapic_priority, lapic_accept });
    lapic_reset(&l->dev, RESET_POWER_ON);
    return &l->dev;
}
