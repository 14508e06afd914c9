/* Performance counters of the Pentium and the P6 family.
 *
 * Source: Intel SDM vol. 3 ch. 18.6.3 (P6: PerfEvtSel0 and 1), 18.6.4 (Pentium: CESR), ch. 19 (events); vol. 4 for the MSRs. A
 * counter is never stepped: what it counts runs freely (instructions, clocks, interrupts), and the difference is taken when
 * somebody looks, when the selection changes, or when the privilege level changes to one that it does not count at. The
 * oddest behaviour is the overflow interrupt: it is a timer for the earliest moment at which the counter can overflow, one
 * count an instruction, which looks again if it did not.
 *
 * Counted: instructions retired (C0h), unhalted clocks (79h) and interrupts received (C8h) of the P6; instructions executed
 * (16h, also as clocks) and hardware interrupts (27h) of the Pentium.
 *
 * GAP: other events stay where they are: a machine without cache, bus and pipeline has none of most, and branches and memory
 * references are not counted because that would cost time in every one. Edge detection, inversion and thresholds (CMASK)
 * count nothing, and the pins PM0 and PM1 do not exist. The Pentium 4 has no counters and says so in IA32_MISC_ENABLE. */
#include <string.h>
#include "cpu/model.h"
#include "cpu/system.h"

enum { SEL_EVENT = 0xff, SEL_UNIT = 0xff00, SEL_USER = 1 << 16, SEL_SYSTEM = 1 << 17, SEL_EDGE = 1 << 18, SEL_INTERRUPT = 1 << 20,
       SEL_ENABLE = 1 << 22, SEL_INVERT = 1 << 23 };
#define SEL_THRESHOLD 0xff000000u
enum { CES_EVENT = 0x3f, CES_SYSTEM = 1 << 6, CES_USER = 1 << 7, CES_CLOCKS = 1 << 8 };
#define CESR_BITS 0x03ff03ffu
#define COUNT_MASK 0xffffffffffull

enum source { NOTHING, INSTRUCTIONS, CLOCKS, INTERRUPTS };

/* What counter n counts, and at which levels. */
struct selection { enum source source; bool user, system, interrupts; };

static enum source unknown(struct cpu *c, unsigned event)
{
    log_unimp(c->log, "cpu", 0x18600 + event, "performance event %02x is not counted", event);
    return NOTHING;
}

static struct selection selection_p6(struct cpu *c, unsigned n)
{
    uint32_t v = (uint32_t)c->evntsel[n];
    struct selection s = { NOTHING, v & SEL_USER, v & SEL_SYSTEM, v & SEL_INTERRUPT };
    if (!(c->evntsel[0] & SEL_ENABLE)) return s;           /* one enable for both (SDM vol. 3 ch. 18.6.3.1) */
    bool plain = !(v & (SEL_UNIT | SEL_EDGE | SEL_INVERT | SEL_THRESHOLD));
    switch (plain ? v & SEL_EVENT : 0x100) {
    case 0x00: break;
    case 0x79: s.source = CLOCKS; break;
    case 0xc0: s.source = INSTRUCTIONS; break;
    case 0xc8: s.source = INTERRUPTS; break;
    default: s.source = unknown(c, v & SEL_EVENT); break;
    }
    return s;
}

static struct selection selection_p5(struct cpu *c, unsigned n)
{
    uint32_t v = (uint32_t)(c->evntsel[0] >> (16 * n));
    struct selection s = { NOTHING, v & CES_USER, v & CES_SYSTEM, false };
    if (!s.user && !s.system) return s;
    if ((v & CES_EVENT) == 0x16) s.source = v & CES_CLOCKS ? CLOCKS : INSTRUCTIONS;
    else if ((v & CES_EVENT) == 0x27 && !(v & CES_CLOCKS)) s.source = INTERRUPTS;
    else s.source = unknown(c, v & CES_EVENT);
    return s;
}

static struct selection selected(struct cpu *c, unsigned n)
{
    if (cpu_level(c) == LEVEL_686) return selection_p6(c, n);
    if (cpu_level(c) == LEVEL_586) return selection_p5(c, n);
    return (struct selection){ NOTHING, false, false, false };
}

static struct clk tsc_clk(const struct cpu *c) { return (struct clk){ c->model->tsc_hz, 1 }; }

static uint64_t source_count(const struct cpu *c, enum source s)
{
    switch (s) {
    case NOTHING: break;
    case INSTRUCTIONS: return c->clock->icount;
    case CLOCKS: return clk_ticks_at(tsc_clk(c), clock_now(c->clock));
    case INTERRUPTS: return c->interrupts;
    }
    return 0;
}

static uint64_t raw(struct cpu *c, unsigned n)
{
    if (!(c->pmc_live >> n & 1)) return c->pmc[n];
    return c->pmc[n] + source_count(c, selected(c, n).source) - c->pmc_start[n];
}

uint64_t perf_read(struct cpu *c, unsigned n) { return raw(c, n) & COUNT_MASK; }

/* Brings the counters up to date; true if one that interrupts went over its top. */
static bool settle(struct cpu *c)
{
    bool over = false;
    for (unsigned n = 0; n < 2; n++) {
        uint64_t v = raw(c, n);
        struct selection s = selected(c, n);
        over |= v > COUNT_MASK && s.interrupts;
        c->pmc[n] = v & COUNT_MASK;
        c->pmc_start[n] = source_count(c, s.source);
    }
    return over;
}

/* Which counters count from here on, and when the first of them can overflow. The counters are settled. */
static void resume(struct cpu *c)
{
    vtime due = VTIME_NEVER;
    c->pmc_live = 0;
    for (unsigned n = 0; n < 2; n++) {
        struct selection s = selected(c, n);
        if (s.source == NOTHING || !(c->cpl == 3 ? s.user : s.system)) continue;
        c->pmc_live |= (uint8_t)(1u << n);
        c->pmc_start[n] = source_count(c, s.source);
        if (!s.interrupts || s.source == INTERRUPTS) continue;
        uint64_t left = COUNT_MASK + 1 - c->pmc[n];
        vtime at = s.source == CLOCKS ? clk_time_of(tsc_clk(c), c->pmc_start[n] + left)
                                      : clock_now(c->clock) + (vtime)left * c->clock->step;
        if (at < due) due = at;
    }
    if (due != VTIME_NEVER) timer_arm(&c->pmi_timer, due);
    else timer_disarm(&c->pmi_timer);
    perf_derive(c);
}

static void pulse(struct cpu *c, bool over)
{
    if (!over) return;
    irq_set(&c->pins.pmi, true);
    irq_set(&c->pins.pmi, false);
}

static void fire(void *opaque, vtime due)
{
    (void)due;
    struct cpu *c = opaque;
    bool over = settle(c);
    resume(c);
    pulse(c, over);
}

void perf_write(struct cpu *c, unsigned n, uint64_t v)
{
    settle(c);
    c->pmc[n] = v & COUNT_MASK;
    resume(c);
}

void perf_select(struct cpu *c, unsigned n, uint64_t v)
{
    settle(c);
    c->evntsel[n] = cpu_level(c) == LEVEL_586 ? v & CESR_BITS : v & 0xffffffff;
    resume(c);
}

void perf_level_changed(struct cpu *c)
{
    cpu_publish(c);
    bool over = settle(c);
    resume(c);
    pulse(c, over);
}

void perf_interrupt_taken(struct cpu *c)
{
    c->interrupts++;
    if (!(c->pmc_live & 3)) return;
    bool over = settle(c);
    resume(c);
    pulse(c, over);
}

void perf_init(struct cpu *c) { timer_init(&c->pmi_timer, c->clock, "cpu.pmi", fire, c); }

void perf_reset(struct cpu *c)
{
    memset(c->evntsel, 0, sizeof c->evntsel);
    memset(c->pmc, 0, sizeof c->pmc);
    memset(c->pmc_start, 0, sizeof c->pmc_start);
    c->interrupts = 0;
    resume(c);
}

void perf_derive(struct cpu *c)
{
    c->pmc_levels = false;
    for (unsigned n = 0; n < 2; n++) {
        struct selection s = selected(c, n);
        c->pmc_levels |= s.source != NOTHING && s.user != s.system;
    }
}
