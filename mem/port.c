/* The 64 Ki I/O ports.
 *
 * A table gives each port the window that answers. Windows keep their place in the list while they exist (a released one
 * leaves a hole), so that a BAR that moves only touches the table entries it covers. */
#include "mem/port.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { PORTS = 65536 };

struct port_slot { uint16_t window; };        /* index in windows + 1; 0: unclaimed */

void port_init(struct port_map *m, struct log *log)
{
    memset(m, 0, sizeof *m);
    m->log = log;
    m->slot = calloc(PORTS, sizeof *m->slot);
    if (!m->slot) abort();                              /* 128 KiB, while the machine is being built */
}

void port_fini(struct port_map *m)
{
    free(m->slot);
    free(m->windows);
    memset(m, 0, sizeof *m);
}

static bool covers(const struct port_window *w, uint32_t port)
{
    return port >= w->base && port - w->base < w->count;
}

/* Does a win over b where both cover a port? */
static bool wins(const struct port_window *a, const struct port_window *b)
{
    if (a->shared != b->shared) return a->shared;
    if (a->count != b->count) return a->count < b->count;
    return strcmp(a->name, b->name) < 0;
}

static void fill_slots(struct port_map *m, uint32_t base, uint32_t count)
{
    for (uint32_t port = base; port < base + count; port++) {
        uint32_t best = 0;
        for (uint32_t i = 0; i < m->len; i++)
            if (covers(&m->windows[i], port) && (!best || wins(&m->windows[i], &m->windows[best - 1]))) best = i + 1;
        m->slot[port].window = (uint16_t)best;
    }
}

/* A free place in the list: a hole left by a released window, or a new one at the end. NULL: out of memory. */
static struct port_window *free_place(struct port_map *m)
{
    for (uint32_t i = 0; i < m->len; i++)
        if (m->windows[i].count == 0) return &m->windows[i];
    if (m->len == m->cap) {
        uint32_t cap = m->cap ? 2 * m->cap : 64;
        struct port_window *windows = cap < PORTS ? realloc(m->windows, cap * sizeof *windows) : NULL;
        if (!windows) return NULL;
        m->windows = windows;
        m->cap = cap;
    }
    return &m->windows[m->len++];
}

int port_claim(struct port_map *m, const struct port_window *w, struct error *e)
{
    assert(w->ops->min_size >= 1 && w->ops->max_size >= w->ops->min_size);
    if (w->count == 0 || w->count > PORTS - (uint32_t)w->base) {
        error_set(e, HOST_REFUSED, "%s: ports 0x%x and %u more do not exist", w->name, w->base, w->count);
        return -1;
    }
    for (uint32_t i = 0; i < m->len; i++) {
        const struct port_window *other = &m->windows[i];
        if (!other->count || other->shared || w->shared) continue;
        if (other->base >= w->base + w->count || w->base >= other->base + other->count) continue;
        uint16_t port = other->base > w->base ? other->base : w->base;
        error_set(e, HOST_BUSY, "port 0x%x is claimed by both %s and %s", port, other->name, w->name);
        return -1;
    }
    struct port_window *place = free_place(m);
    if (!place) {
        error_set(e, HOST_NO_MEMORY, "%s: out of memory for port windows", w->name);
        return -1;
    }
    *place = *w;
    fill_slots(m, w->base, w->count);
    return 0;
}

void port_release(struct port_map *m, uint16_t base, uint32_t count, const void *dev)
{
    for (uint32_t i = 0; i < m->len; i++) {
        struct port_window *w = &m->windows[i];
        if (w->base != base || w->count != count || w->dev != dev || !count) continue;
        w->count = 0;
        fill_slots(m, base, count);
        return;
    }
}

static const struct port_window *window_at(const struct port_map *m, uint16_t port)
{
    uint16_t i = m->slot[port].window;
    return i ? &m->windows[i - 1] : NULL;
}

const char *port_owner(const struct port_map *m, uint16_t port)
{
    const struct port_window *w = window_at(m, port);
    return w ? w->name : NULL;
}

/* The window that takes the whole access at once, or NULL: it must answer every port of it. */
static const struct port_window *whole(const struct port_map *m, uint16_t port, unsigned size)
{
    const struct port_window *w = window_at(m, port);
    if (!w || size > w->ops->max_size || (uint32_t)port + size > PORTS) return NULL;
    for (unsigned i = 1; i < size; i++)
        if (m->slot[port + i].window != m->slot[port].window) return NULL;
    return w;
}

static uint32_t cycle_in(struct port_map *m, uint16_t port, unsigned size)
{
    const struct port_window *w = whole(m, port, size);
    if (!w && size > 1) {                               /* two cycles of half the width, low port first */
        unsigned half = size / 2;
        uint32_t low = cycle_in(m, port, half);
        return low | cycle_in(m, (uint16_t)(port + half), half) << (8 * half);
    }
    if (!w) {
        log_unimp(m->log, "port read", port, "nothing answers at port 0x%x", port);
        return (uint32_t)ones(size);
    }
    if (!w->ops->read) return (uint32_t)ones(size);
    uint32_t off = (uint32_t)port - w->base;
    if (size >= w->ops->min_size) return (uint32_t)(w->ops->read(w->dev, off, size) & ones(size));
    uint32_t lane = off & (w->ops->min_size - 1u);
    uint64_t wide = w->ops->read(w->dev, off - lane, w->ops->min_size);
    return (uint32_t)((wide >> (8 * lane)) & ones(size));
}

static void cycle_out(struct port_map *m, uint16_t port, uint32_t val, unsigned size)
{
    const struct port_window *w = whole(m, port, size);
    if (!w && size > 1) {
        unsigned half = size / 2;
        cycle_out(m, port, val & (uint32_t)ones(half), half);
        cycle_out(m, (uint16_t)(port + half), val >> (8 * half), half);
        return;
    }
    if (!w) {
        log_unimp(m->log, "port write", port, "nothing answers at port 0x%x (0x%x written)", port, val);
        return;
    }
    if (!w->ops->write) return;
    uint32_t off = (uint32_t)port - w->base;
    if (size >= w->ops->min_size) {
        w->ops->write(w->dev, off, val, size);
    } else {
        uint32_t lane = off & (w->ops->min_size - 1u);
        w->ops->write(w->dev, off - lane, (uint64_t)val << (8 * lane), w->ops->min_size);
    }
}

/* For trace events. */
static const char *owner_name(const struct port_map *m, uint16_t port)
{
    const char *name = port_owner(m, port);
    return name ? name : "nobody";
}

uint32_t port_in(struct port_map *m, uint16_t port, unsigned size)
{
    uint32_t val = cycle_in(m, port, size);
    trace(m->log, port_read, owner_name(m, port), (uint64_t)port, (uint64_t)size, (uint64_t)val);
    return val;
}

void port_out(struct port_map *m, uint16_t port, uint32_t val, unsigned size)
{
    val &= (uint32_t)ones(size);
    trace(m->log, port_write, owner_name(m, port), (uint64_t)port, (uint64_t)size, (uint64_t)val);
    cycle_out(m, port, val, size);
}
