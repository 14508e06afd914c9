/* Virtual time: the only time that exists inside the machine.
 *
 * Time is nanoseconds with a 32-bit binary fraction in one 128-bit integer. It advances by a fixed 32.32 step per
 * counted instruction, so it depends on what the guest executed and on nothing else. Chips with a crystal of their own
 * convert with struct clk, which is exact: a tick number gives a time and that time gives the same tick number back.
 *
 * Only the thread that runs the machine may call these. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 vtime;              /* units of 2^-32 ns since power-on */

#define VTIME_NS(n)  ((vtime)(n) << 32)
#define VTIME_US(n)  VTIME_NS((vtime)(n) * 1000u)
#define VTIME_MS(n)  VTIME_NS((vtime)(n) * 1000000u)
#define VTIME_SEC(n) VTIME_NS((vtime)(n) * 1000000000u)
#define VTIME_NEVER  (~(vtime)0)

static inline uint64_t vtime_ns(vtime t) { return (uint64_t)(t >> 32); }

/* A crystal or a divided one: num/den Hz, below 1 GHz. The 8254's input is { 13125000, 11 }. */
struct clk { uint64_t num, den; };

/* Number of the last tick at or before t (tick 0 is at time 0). */
uint64_t clk_ticks_at(struct clk c, vtime t);
/* Earliest time at which tick n has happened: clk_ticks_at(c, clk_time_of(c, n)) == n and not before. */
vtime clk_time_of(struct clk c, uint64_t n);

struct clock;

/* A chip's alarm. It is embedded in the chip's struct and named in its state table (STATE_TIMER saves `due`). */
struct timer {
    vtime due;                                /* VTIME_NEVER: not armed */
    void (*fire)(void *opaque, vtime due);    /* runs between instructions; the timer is disarmed before the call */
    void *opaque;
    const char *name;
    struct clock *clock;
    struct timer *next;                       /* the clock's list, in creation order */
    uint32_t order;                           /* position at creation: breaks ties */
    uint32_t heap_pos;                        /* place in the clock's queue + 1; 0 is not armed */
};

struct clock {
    vtime now;                                /* exact only where the CPU has published (before I/O and between slices) */
    uint64_t icount;                          /* instructions counted since power-on, published likewise */
    uint64_t step;                            /* 32.32 ns per instruction */
    struct timer *timers, **timers_end;       /* all timers in creation order */
    struct timer **heap;                      /* armed ones, earliest first */
    uint32_t heap_len, heap_cap;
    uint32_t next_order;
    uint32_t unused[3];                       /* fills the struct up to its alignment: a table names every byte */
    void (*earlier)(void *opaque);            /* called when a timer becomes the earliest: the CPU must look again */
    void *earlier_opaque;
};

/* insns_per_sec: 1 to 10^10. */
void clock_init(struct clock *c, uint64_t insns_per_sec);
void clock_fini(struct clock *c);
/* Changes the rate from now on. */
void clock_set_rate(struct clock *c, uint64_t insns_per_sec);

static inline vtime clock_now(const struct clock *c) { return c->now; }

/* n instructions have been executed. The CPU calls this before any I/O and when it returns. */
static inline void clock_advance(struct clock *c, uint64_t n)
{
    c->icount += n;
    c->now += (vtime)n * c->step;
}

/* The CPU is halted and time jumps to t (>= now). Counts no instruction. */
void clock_skip_to(struct clock *c, vtime t);
/* Earliest due time, or VTIME_NEVER. */
vtime clock_deadline(const struct clock *c);
/* Instructions that start before t: the budget that makes the CPU stop exactly there (0 if t <= now). Saturates. */
uint64_t clock_insns_until(const struct clock *c, vtime t);
/* Fires, in (due, order), every timer with due <= now; one that re-arms itself at or before now fires again in the same
 * call. Bounded: after 1,024 fires without time moving on, or 65,536 in all, what is still due waits a microsecond. */
void clock_run_due(struct clock *c);

struct state_desc;
/* Time, count and rate. Load it before any timer; timers are saved by their chips. */
extern const struct state_desc clock_state;

/* Once, by the chip's create function. `name` must outlive the timer ("pit.ch0"). */
void timer_init(struct timer *t, struct clock *c, const char *name, void (*fire)(void *opaque, vtime due), void *opaque);
/* Takes the timer off its clock; for destroy functions. Accepts a timer that was never initialised (all zero). */
void timer_fini(struct timer *t);
/* Arms or re-arms. A due time in the past fires at the next instruction boundary. A periodic chip re-arms from `due`. */
void timer_arm(struct timer *t, vtime due);
void timer_disarm(struct timer *t);
static inline bool timer_armed(const struct timer *t) { return t->heap_pos != 0; }

#endif
