/* Named checkpoints of a session: the monitor's checkpoint, restore and info checkpoints. They end with the emulator. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/session.h"

static unsigned find(const struct session *s, const char *name)
{
    unsigned n = 0;
    while (n < s->checkpoints && strcmp(s->checkpoint[n].name, name) != 0) n++;
    return n;
}

enum host_status session_checkpoint(struct session *s, const char *name, struct error *e)
{
    struct machine_checkpoint *p;
    const unsigned n = find(s, name);
    if (strlen(name) >= sizeof s->checkpoint[0].name)
        return error_set(e, HOST_REFUSED, "a checkpoint's name has at most %zu letters", sizeof s->checkpoint[0].name - 1);
    if (n == SESSION_CHECKPOINTS) return error_set(e, HOST_REFUSED, "there are %d checkpoints already", SESSION_CHECKPOINTS);
    enum host_status st = machine_checkpoint(s->machine, &p, e);
    if (st != HOST_OK) return st;
    if (n < s->checkpoints) machine_checkpoint_free(s->checkpoint[n].state);
    else s->checkpoints++;
    struct session_checkpoint *c = &s->checkpoint[n];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->time = machine_time(s->machine);
    c->icount = machine_icount(s->machine);
    c->state = p;
    return HOST_OK;
}

enum host_status session_restore(struct session *s, const char *name, struct error *e)
{
    const unsigned n = find(s, name);
    if (n == s->checkpoints) return error_set(e, HOST_MISSING, "there is no checkpoint '%s'", name);
    enum host_status st = machine_restore(s->checkpoint[n].state, e);
    if (st != HOST_OK) return st;
    if (s->pace_mode == PACE_REAL) machine_set_rate(s->machine, s->pace.rate);     /* the host is as fast as it is now */
    pace_resume(&s->pace);
    if (s->state == RUN_SHUTDOWN) s->state = RUN_PAUSED;
    return HOST_OK;
}

void session_list_checkpoints(const struct session *s, FILE *out)
{
    for (unsigned n = 0; n < s->checkpoints; n++) {
        const struct session_checkpoint *c = &s->checkpoint[n];
        const uint64_t ns = vtime_ns(c->time);
        fprintf(out, "%-16s %" PRIu64 ".%09" PRIu64 " s, %" PRIu64 " instructions, %" PRIu64 " KiB of its own\n", c->name,
                ns / 1000000000, ns % 1000000000, c->icount, machine_checkpoint_size(c->state) / 1024);
    }
}

void session_free_checkpoints(struct session *s)
{
    while (s->checkpoints) machine_checkpoint_free(s->checkpoint[--s->checkpoints].state);
}
