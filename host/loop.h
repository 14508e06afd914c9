/* Waiting for the host: file descriptors that the frontend watches between slices of the machine.
 * One loop per process, one thread. */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_source {
    int fd;                                                        /* -1: not watched */
    bool (*wants_read)(void *opaque);                              /* NULL: always */
    bool (*wants_write)(void *opaque);                             /* NULL: never */
    void (*ready)(void *opaque, bool readable, bool writable);     /* readable also on hang-up and error */
    bool (*flush)(void *opaque);       /* before every wait; true: it gave the machine work, do not sleep. May be NULL */
    void *opaque;
    struct loop_source *next;
};

struct loop { struct loop_source *sources; };

void loop_add(struct loop *l, struct loop_source *s);
/* No-op if it is not there. May be called from ready(). */
void loop_remove(struct loop *l, struct loop_source *s);
/* Waits up to timeout_ns (~0: for ever) and serves what is ready. Returns early on a signal. */
void loop_wait(struct loop *l, uint64_t timeout_ns);

#endif
