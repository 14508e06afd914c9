/* Virtual time, the conversion to and from crystals, and the queue of timers.
 *
 * The queue is a binary heap ordered by (due, order of creation), so what happens at one instant happens in the order of
 * the board file on every host. Its oddest rule is the guard in clock_run_due: a chip may re-arm its timer at a time that
 * has passed already, and that fires again in the same call; a guest that programs a period of zero must not hang us. */
#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

#include "base/state.h"

#define UNITS_PER_SEC ((uint64_t)1000000000u << 32)     /* a vtime second; 62 bits */

/* One call of clock_run_due serves this many timers, and this many in a row without time moving on, before it puts the
 * rest off by a microsecond. Chips serve a period under 1 us once a microsecond, so real work stays far below. */
enum { FIRES_PER_CALL = 65536, FIRES_PER_INSTANT = 1024 };

/* ---- crystals
 * Both directions split off whole seconds (or whole quotients) first: what remains is below 2^62 and its product with any
 * 64-bit frequency fits in 126 bits, so nothing is ever rounded twice. */

/* The first nine years of crystals below 16 GHz: the same by divisions of 64 bits. */
static uint64_t ticks_at_fast(struct clk c, uint64_t ns, uint32_t fraction)
{
    uint64_t sec = ns / 1000000000u, rest = (ns % 1000000000u) << 32 | fraction;        /* below 2^29, 2^62 */
    uint64_t ticks = sec * c.num + (uint64_t)((vtime)rest * c.num >> 32) / 1000000000u;
    return c.den == 1 ? ticks : ticks / c.den;
}

uint64_t clk_ticks_at(struct clk c, vtime t)
{
    if (!(t >> 90) && c.num < 1ull << 34) return ticks_at_fast(c, (uint64_t)(t >> 32), (uint32_t)t);
    vtime sec = t / UNITS_PER_SEC;                      /* below 2^66 */
    uint64_t rest = (uint64_t)(t % UNITS_PER_SEC);
    /* floor((sec * num + floor(rest * num / UNITS_PER_SEC)) / den): a floor inside a floor loses nothing. */
    vtime high = (sec >> 64) * c.num;
    if (high >> 64) return UINT64_MAX;
    vtime sum = (vtime)(uint64_t)sec * c.num, part = (vtime)rest * c.num / UNITS_PER_SEC;
    if (sum + (high << 64) < sum) return UINT64_MAX;
    sum += high << 64;
    if (sum + part < sum) return UINT64_MAX;
    sum += part;
    if (c.den != 1) sum /= c.den;
    return sum >> 64 ? UINT64_MAX : (uint64_t)sum;
}

vtime clk_time_of(struct clk c, uint64_t n)
{
    vtime product = (vtime)n * c.den;                   /* n * den / num seconds */
    vtime sec = product / c.num;
    uint64_t rest = (uint64_t)(product % c.num);
    if (sec >= VTIME_NEVER / UNITS_PER_SEC) return VTIME_NEVER;
    return sec * UNITS_PER_SEC + ((vtime)rest * UNITS_PER_SEC + c.num - 1) / c.num;
}

/* ---- the heap: heap[0] is the earliest */

static bool before(const struct timer *a, const struct timer *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct clock *c, uint32_t i, struct timer *t)
{
    c->heap[i] = t;
    t->heap_pos = i + 1;
}

static void heap_up(struct clock *c, uint32_t i, struct timer *t)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;
        if (!before(t, c->heap[parent])) break;
        heap_put(c, i, c->heap[parent]);
        i = parent;
    }
    heap_put(c, i, t);
}

static void heap_down(struct clock *c, uint32_t i, struct timer *t)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= c->heap_len) break;
        if (child + 1 < c->heap_len && before(c->heap[child + 1], c->heap[child])) child++;
        if (!before(c->heap[child], t)) break;
        heap_put(c, i, c->heap[child]);
        i = child;
    }
    heap_put(c, i, t);
}

static void heap_remove(struct clock *c, struct timer *t)
{
    uint32_t i = t->heap_pos - 1;
    struct timer *last = c->heap[--c->heap_len];
    t->heap_pos = 0;
    if (last == t) return;
    if (i > 0 && before(last, c->heap[(i - 1) / 2])) heap_up(c, i, last);
    else heap_down(c, i, last);
}

/* ---- the clock */

void clock_init(struct clock *c, uint64_t insns_per_sec)
{
    *c = (struct clock){ .timers = NULL };
    c->timers_end = &c->timers;
    clock_set_rate(c, insns_per_sec);
}

void clock_fini(struct clock *c)
{
    free(c->heap);
    *c = (struct clock){ .timers = NULL };
}

void clock_set_rate(struct clock *c, uint64_t insns_per_sec)
{
    assert(insns_per_sec >= 1 && insns_per_sec <= 10000000000u);
    c->step = UNITS_PER_SEC / insns_per_sec;
}

void clock_skip_to(struct clock *c, vtime t)
{
    if (t > c->now) c->now = t;
}

vtime clock_deadline(const struct clock *c)
{
    return c->heap_len ? c->heap[0]->due : VTIME_NEVER;
}

uint64_t clock_insns_until(const struct clock *c, vtime t)
{
    if (t <= c->now) return 0;
    vtime gap = t - c->now - 1;                         /* floor((gap)/step) + 1 is the ceiling of (t - now)/step */
    if (!(gap >> 64)) return (uint64_t)gap / c->step + (((uint64_t)gap / c->step) != UINT64_MAX);
    vtime n = gap / c->step;
    return n >= UINT64_MAX ? UINT64_MAX : (uint64_t)n + 1;
}

/* Puts off by a microsecond everything that is due. */
static void put_off(struct clock *c)
{
    vtime later = c->now + VTIME_US(1);
    while (c->heap_len && c->heap[0]->due <= c->now) {
        struct timer *t = c->heap[0];
        t->due = later;
        heap_down(c, 0, t);
    }
}

void clock_run_due(struct clock *c)
{
    vtime instant = 0;
    unsigned fires = 0, at_instant = 0;
    while (c->heap_len && c->heap[0]->due <= c->now) {
        struct timer *t = c->heap[0];
        vtime due = t->due;
        if (due > instant) {
            instant = due;
            at_instant = 0;
        }
        if (++fires > FIRES_PER_CALL || ++at_instant > FIRES_PER_INSTANT) {
            put_off(c);
            return;
        }
        timer_disarm(t);
        t->fire(t->opaque, due);
    }
}

/* ---- timers */

void timer_init(struct timer *t, struct clock *c, const char *name, void (*fire)(void *opaque, vtime due), void *opaque)
{
    *t = (struct timer){ .due = VTIME_NEVER, .fire = fire, .opaque = opaque, .name = name, .clock = c,
                         .order = c->next_order++ };
    *c->timers_end = t;
    c->timers_end = &t->next;

    uint32_t count = 0;
    for (struct timer *other = c->timers; other; other = other->next) count++;
    if (count > c->heap_cap) {                          /* room for all of them: arming never allocates */
        uint32_t cap = c->heap_cap ? 2 * c->heap_cap : 32;
        struct timer **heap = realloc(c->heap, cap * sizeof *heap);
        if (!heap) abort();                             /* a few hundred bytes, while the machine is being built */
        c->heap = heap;
        c->heap_cap = cap;
    }
}

void timer_fini(struct timer *t)
{
    struct clock *c = t->clock;
    if (!c) return;
    timer_disarm(t);
    for (struct timer **p = &c->timers; *p; p = &(*p)->next) {
        if (*p != t) continue;
        *p = t->next;
        if (c->timers_end == &t->next) c->timers_end = p;
        break;
    }
    t->clock = NULL;
    t->next = NULL;
}

void timer_arm(struct timer *t, vtime due)
{
    struct clock *c = t->clock;
    if (due == VTIME_NEVER) {
        timer_disarm(t);
        return;
    }
    bool was_armed = t->heap_pos != 0;
    t->due = due;
    if (was_armed) {
        uint32_t i = t->heap_pos - 1;
        if (i > 0 && before(t, c->heap[(i - 1) / 2])) heap_up(c, i, t);
        else heap_down(c, i, t);
    } else {
        heap_up(c, c->heap_len++, t);
    }
    if (c->heap[0] == t && c->earlier) c->earlier(c->earlier_opaque);
}

void timer_disarm(struct timer *t)
{
    t->due = VTIME_NEVER;
    if (t->heap_pos) heap_remove(t->clock, t);
}

static const struct state_field clock_fields[] = {
    FIELD(struct clock, now, "virtual time since power-on"),
    FIELD(struct clock, icount, "instructions counted since power-on"),
    FIELD_RANGE(struct clock, step, 1, UNITS_PER_SEC, "2^-32 ns per instruction"),
    FIELD_WIRING(struct clock, timers),
    FIELD_WIRING(struct clock, timers_end),
    FIELD_WIRING(struct clock, heap),
    FIELD_WIRING(struct clock, heap_len),
    FIELD_WIRING(struct clock, heap_cap),
    FIELD_WIRING(struct clock, next_order),
    FIELD_WIRING(struct clock, unused),
    FIELD_WIRING(struct clock, earlier),
    FIELD_WIRING(struct clock, earlier_opaque),
};
const struct state_desc clock_state = STATE_DESC(struct clock, "clock", clock_fields);
