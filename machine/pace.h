/* How virtual time goes with the wall clock: the one place where the two meet.
 *
 * Two settings. rate: the model's, a number, or adapted to what this host reaches. idle: a halted machine skips to its next
 * timer, or waits for the wall clock. See docs/time.md. Only the machine's thread. */
#ifndef MACHINE_PACE_H
#define MACHINE_PACE_H

#include "machine/machine.h"

enum pace_mode {
    PACE_MAX,        /* the given rate, idle skipped: as fast as the host can, always the same */
    PACE_REAL,       /* adapted rate, idle waits: a second inside is a second outside where the host is fast enough */
};

struct pace {
    struct machine *m;
    enum pace_mode mode;
    struct log *log;
    uint64_t rate, rate_max;          /* instructions a virtual second now, and at most (PACE_REAL) */
    uint64_t wall_origin;             /* host ns ... */
    vtime virtual_origin;             /* ... that belongs to this virtual time */
    uint64_t busy_ns, busy_insns;     /* measured since the rate was last set */
    uint64_t window_wall, window_ns;  /* for pace_speed */
    double speed;
};

/* rate: the rate the machine was created with; rate_max: upper bound for PACE_REAL, 0 for none. */
void pace_init(struct pace *p, struct machine *m, enum pace_mode mode, uint64_t rate, uint64_t rate_max, struct log *log);
/* After the machine was stopped for a while (monitor, QMP stop): the wall time in between does not count. */
void pace_resume(struct pace *p);
/* Runs a slice of at most about 10 ms of the host's time, and no further than the limits. *wait_ns: how long the caller may
 * sleep (while watching its inputs) before it calls again; 0: not at all, ~0: until an input comes. Returns STOP_LIMIT
 * when the slice ended, STOP_IDLE never. */
enum stop_reason pace_run(struct pace *p, vtime until_time, uint64_t until_count, uint64_t *wait_ns);
/* Virtual seconds per wall second over the last second or so, for a window's title. */
double pace_speed(const struct pace *p);
/* Host's monotonic clock in ns, for the frontend's own waits. */
uint64_t pace_wall_ns(void);

#endif
