/* The main loop: the machine and the host take turns.
 *
 * A slice of the machine runs (pace.c says how far), then descriptors are served. Inputs that are due at a virtual time cut
 * slices exactly there, so a script gives the same run on every host. */
#include "frontend/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "frontend/window.h"

enum { WAIT_MAX_NS = 1000000000 };

void session_event(struct session *s, const char *name, const char *data_json)
{
    for (struct session_listener *l = s->listeners, *next; l; l = next) {
        next = l->next;
        l->event(l->opaque, name, data_json);
    }
}

void session_listen(struct session *s, struct session_listener *l)
{
    l->next = s->listeners;
    s->listeners = l;
}

void session_unlisten(struct session *s, struct session_listener *l)
{
    for (struct session_listener **p = &s->listeners; *p; p = &(*p)->next)
        if (*p == l) {
            *p = l->next;
            return;
        }
}

void session_quit(struct session *s, int status, const char *fmt, ...)
{
    va_list ap;
    if (s->quit) return;
    s->quit = true;
    s->exit_status = status;
    va_start(ap, fmt);
    vsnprintf(s->last_line, sizeof s->last_line, fmt, ap);
    va_end(ap);
}

void session_stop(struct session *s)
{
    if (s->state != RUN_RUNNING) return;
    s->state = RUN_PAUSED;
    session_event(s, "STOP", NULL);
}

void session_cont(struct session *s)
{
    if (s->state == RUN_RUNNING || s->state == RUN_SHUTDOWN) return;
    s->state = RUN_RUNNING;
    pace_resume(&s->pace);
    session_event(s, "RESUME", NULL);
}

void session_reset(struct session *s)
{
    machine_reset(s->machine);
    if (s->state == RUN_SHUTDOWN) s->state = RUN_PAUSED;
    session_event(s, "RESET", "{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}");
}

const char *session_state_name(const struct session *s)
{
    static const char *const names[] = { "prelaunch", "running", "paused", "shutdown", "io-error" };
    return names[s->state];
}

void session_watch(struct session *s)
{
    for (uint64_t now = machine_guest_resets(s->machine); s->resets_seen < now; s->resets_seen++)
        session_event(s, "RESET", "{\"guest\":true,\"reason\":\"guest-reset\"}");
    session_watch_trays(s);
}

/* The guest is off: under -no-shutdown the machine stays for inspection. */
static void session_guest_off(struct session *s, const char *reason, const char *text)
{
    char json[80];
    snprintf(json, sizeof json, "{\"guest\":true,\"reason\":\"%s\"}", reason);
    session_event(s, "SHUTDOWN", json);
    if (!s->no_shutdown) {
        session_quit(s, EXIT_GUEST_OFF, "%s", text);
        return;
    }
    s->state = RUN_SHUTDOWN;
    session_event(s, "STOP", NULL);
}

static void session_host_failed(struct session *s, const char *text)
{
    s->state = RUN_IO_ERROR;
    session_event(s, "STOP", NULL);
    if (s->window || s->qmp_count || s->monitor_count) fprintf(stderr, "beige: %s; stopped, \"cont\" tries again\n", text);
    else session_quit(s, EXIT_OURS, "%s", text);
}

static void session_ended(struct session *s, enum stop_reason why)
{
    const char *text = machine_stop_text(s->machine);
    switch (why) {
    case STOP_LIMIT:
    case STOP_IDLE:
        return;
    case STOP_POWER_OFF:
        session_guest_off(s, "guest-shutdown", "the guest powered off");
        return;
    case STOP_RESET:
        session_guest_off(s, "guest-reset", text);
        return;
    case STOP_TRIPLE_FAULT:
        session_event(s, "GUEST_PANICKED", "{\"action\":\"poweroff\"}");
        session_event(s, "SHUTDOWN", "{\"guest\":true,\"reason\":\"guest-panic\"}");
        session_quit(s, EXIT_CRASHED, "%s", text);
        return;
    case STOP_DEBUG_EXIT: {
        unsigned value = machine_exit_value(s->machine);
        session_quit(s, (int)((value << 1 | 1) & 0xff), "the guest wrote %u to the debug-exit port", value);
        return;
    }
    case STOP_HOST_FAILED:
        session_host_failed(s, text);
        return;
    case STOP_REQUESTED:
        session_stop(s);
        return;
    }
}

static bool session_limits(struct session *s)
{
    if (machine_icount(s->machine) >= s->limit_insns)
        session_quit(s, EXIT_LIMIT, "the limit of %" PRIu64 " instructions was reached", s->limit_insns);
    else if (machine_time(s->machine) >= s->limit_time)
        session_quit(s, EXIT_LIMIT, "the limit of %.6f virtual seconds was reached", (double)vtime_ns(s->limit_time) / 1e9);
    else if (s->timeout_ns && pace_wall_ns() - s->started_ns >= s->timeout_ns)
        session_quit(s, EXIT_LIMIT, "the timeout of %.1f seconds was reached", (double)s->timeout_ns / 1e9);
    return s->quit;
}

static uint64_t session_slice(struct session *s)
{
    uint64_t wait = 0;
    vtime next = session_next_input(s);
    session_ended(s, pace_run(&s->pace, next < s->limit_time ? next : s->limit_time, s->limit_insns, &wait));
    session_apply_due(s);
    session_watch(s);
    return wait;
}

int session_run(struct session *s)
{
    s->started_ns = pace_wall_ns();
    pace_resume(&s->pace);
    if (!s->start_paused) s->state = RUN_RUNNING;
    session_apply_due(s);
    while (!s->quit && !session_limits(s)) {
        uint64_t wait = s->state == RUN_RUNNING ? session_slice(s) : ~0ull;
        if (s->quit) break;
        if (s->window) {
            uint64_t w = window_service(s->window);
            if (w < wait) wait = w;
        }
        if (s->timeout_ns) {
            uint64_t passed = pace_wall_ns() - s->started_ns, left = passed < s->timeout_ns ? s->timeout_ns - passed : 0;
            if (left < wait) wait = left;
        }
        /* A signal that comes between the check and the wait is seen a second later at most. */
        loop_wait(&s->loop, wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS);
        if (s->check) s->check(s);
    }
    for (unsigned i = 0; i < s->chardev_count; i++) chardev_drain(s->chardevs[i]);
    return s->exit_status;
}
