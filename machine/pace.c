/* Pacing: the only file of the machine that reads the host's clock. */
#define _GNU_SOURCE
#include <time.h>
#include "machine/pace.h"

enum { SLICE_NS = 10 * 1000 * 1000, LAG_MAX_NS = 100 * 1000 * 1000, ADAPT_NS = 50 * 1000 * 1000,
       IDLE_STEP_NS = 16 * 1000 * 1000, MAX_SLICE_INSNS = 2 * 1000 * 1000 };
static const uint64_t rate_floor = 20 * 1000 * 1000;

uint64_t pace_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void pace_init(struct pace *p, struct machine *m, enum pace_mode mode, uint64_t rate, uint64_t rate_max, struct log *log)
{
    *p = (struct pace){ .m = m, .mode = mode, .rate = rate, .rate_max = rate_max, .log = log };
    pace_resume(p);
}

void pace_resume(struct pace *p)
{
    p->wall_origin = p->window_wall = pace_wall_ns();
    p->virtual_origin = machine_time(p->m);
    p->window_ns = vtime_ns(p->virtual_origin);
}

static void pace_measure_speed(struct pace *p, uint64_t wall)
{
    uint64_t passed = wall - p->window_wall;
    if (passed < 1000000000u) return;
    uint64_t ns = vtime_ns(machine_time(p->m));
    p->speed = (double)(ns - p->window_ns) / (double)passed;
    p->window_wall = wall;
    p->window_ns = ns;
}

double pace_speed(const struct pace *p) { return p->speed; }

/* The rate follows what the host was measured to reach, so that a busy guest sees its clock keep wall time. Changes are
 * made in steps of at least 5%, since each is an input of the machine. */
static void pace_adapt(struct pace *p)
{
    if (p->busy_ns < ADAPT_NS) return;
    uint64_t rate = (uint64_t)((double)p->busy_insns * 0.95e9 / (double)p->busy_ns);
    p->busy_ns = p->busy_insns = 0;
    if (rate < rate_floor) rate = rate_floor;
    if (p->rate_max && rate > p->rate_max) rate = p->rate_max;
    if (rate > p->rate + p->rate / 20 || rate < p->rate - p->rate / 20) {
        machine_set_rate(p->m, rate);
        p->rate = rate;
    }
}

static enum stop_reason pace_run_max(struct pace *p, vtime until_time, uint64_t until_count, uint64_t *wait_ns)
{
    uint64_t start = pace_wall_ns(), wall = start;
    enum stop_reason why;
    *wait_ns = 0;
    do {
        uint64_t stop = machine_icount(p->m) + MAX_SLICE_INSNS;
        vtime until = machine_time(p->m) + VTIME_SEC(1);     /* a halted machine must come back, too */
        why = machine_run(p->m, until < until_time ? until : until_time, stop < until_count ? stop : until_count, true, NULL);
        if (why == STOP_IDLE) {                              /* nothing will ever wake it but an input */
            if (until_time == VTIME_NEVER) *wait_ns = ~0ull;
            else machine_skip(p->m, until_time);
            return STOP_LIMIT;
        }
        wall = pace_wall_ns();
    } while (why == STOP_LIMIT && wall - start < SLICE_NS && machine_time(p->m) < until_time &&
             machine_icount(p->m) < until_count);
    pace_measure_speed(p, wall);
    return why;
}

static enum stop_reason pace_run_real(struct pace *p, vtime until_time, uint64_t until_count, uint64_t *wait_ns)
{
    uint64_t start = pace_wall_ns(), wall = start;
    vtime target = p->virtual_origin + VTIME_NS(start - p->wall_origin);
    vtime now = machine_time(p->m);
    enum stop_reason why = STOP_LIMIT;
    *wait_ns = 0;
    if (target > now + VTIME_NS(LAG_MAX_NS)) {
        log_line(p->log, LOG_GUEST, "pace", "behind by %llu ms: dropped",
                 (unsigned long long)(vtime_ns(target - now) / 1000000));
        p->wall_origin += vtime_ns(target - now);
        target = now;
    }
    vtime limit = target + VTIME_NS(SLICE_NS / 10);          /* a little ahead, so that sleeps have room to be late */
    if (limit > until_time) limit = until_time;
    while (why == STOP_LIMIT && machine_time(p->m) < limit && machine_icount(p->m) < until_count && wall - start < SLICE_NS) {
        vtime idle_until = VTIME_NEVER;
        uint64_t insns = machine_icount(p->m), before = wall;
        uint64_t stop = insns + MAX_SLICE_INSNS / 4;
        why = machine_run(p->m, limit, stop < until_count ? stop : until_count, false, &idle_until);
        wall = pace_wall_ns();
        insns = machine_icount(p->m) - insns;
        if (insns > 100000) {                                /* a busy stretch: worth a measurement */
            p->busy_ns += wall - before;
            p->busy_insns += insns;
        }
        if (why != STOP_IDLE) continue;
        why = STOP_LIMIT;
        vtime reached = p->virtual_origin + VTIME_NS(wall - p->wall_origin);
        if (idle_until <= reached) {
            machine_skip(p->m, idle_until);
            continue;
        }
        machine_skip(p->m, reached < limit ? reached : limit);
        *wait_ns = idle_until == VTIME_NEVER ? ~0ull : vtime_ns(idle_until - reached) + 1;
        /* A wake-up costs the host more than a timer's tick costs the guest. So those of some ms are made up for together, each
         * at its virtual time; an input does not wait. */
        if (*wait_ns < IDLE_STEP_NS) *wait_ns = IDLE_STEP_NS;
        break;
    }
    pace_adapt(p);
    pace_measure_speed(p, wall);
    now = machine_time(p->m);
    vtime reached = p->virtual_origin + VTIME_NS(wall - p->wall_origin);
    if (why == STOP_LIMIT && *wait_ns == 0 && now > reached) *wait_ns = vtime_ns(now - reached);
    return why;
}

enum stop_reason pace_run(struct pace *p, vtime until_time, uint64_t until_count, uint64_t *wait_ns)
{
    return p->mode == PACE_REAL ? pace_run_real(p, until_time, until_count, wait_ns)
                                : pace_run_max(p, until_time, until_count, wait_ns);
}
