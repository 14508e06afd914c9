/* Waiting for the host: one poll() over everything that is watched. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include "host/loop.h"

enum { LOOP_MAX = 64 };

void loop_add(struct loop *l, struct loop_source *s)
{
    struct loop_source **p = &l->sources;
    while (*p && *p != s) p = &(*p)->next;
    if (*p) return;
    s->next = NULL;
    *p = s;
}

void loop_remove(struct loop *l, struct loop_source *s)
{
    for (struct loop_source **p = &l->sources; *p; p = &(*p)->next)
        if (*p == s) {
            *p = s->next;
            return;
        }
}

static bool loop_has(struct loop *l, struct loop_source *s)
{
    for (struct loop_source *p = l->sources; p; p = p->next)
        if (p == s) return true;
    return false;
}

void loop_wait(struct loop *l, uint64_t timeout_ns)
{
    struct pollfd fds[LOOP_MAX];
    struct loop_source *who[LOOP_MAX];
    nfds_t n = 0;
    for (struct loop_source *s = l->sources, *next; s; s = next) {
        next = s->next;
        if (s->flush && s->flush(s->opaque)) timeout_ns = 0;
    }
    for (struct loop_source *s = l->sources; s && n < LOOP_MAX; s = s->next) {
        if (s->fd < 0) continue;
        short events = 0;
        if (!s->wants_read || s->wants_read(s->opaque)) events |= POLLIN;
        if (s->wants_write && s->wants_write(s->opaque)) events |= POLLOUT;
        if (!events) continue;
        fds[n] = (struct pollfd){ .fd = s->fd, .events = events };
        who[n++] = s;
    }
    struct timespec t = { .tv_sec = (time_t)(timeout_ns / 1000000000u), .tv_nsec = (long)(timeout_ns % 1000000000u) };
    if (ppoll(fds, n, timeout_ns == ~0ull ? NULL : &t, NULL) <= 0) return;
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents && loop_has(l, who[i]))
            who[i]->ready(who[i]->opaque, fds[i].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL), fds[i].revents & POLLOUT);
}
