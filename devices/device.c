/* Chips and the board they sit on. */
#include "devices/device.h"

#include <assert.h>
#include <string.h>

void device_init(struct device *d, const struct device_class *class, struct board *b, const char *id)
{
    d->class = class;
    d->id = id;
    d->board = b;
    d->next = NULL;
    if (!b->devices_end) b->devices_end = &b->devices;
    *b->devices_end = d;
    b->devices_end = &d->next;
}

void board_reset(struct board *b, enum reset_kind kind)
{
    for (struct device *d = b->devices; d; d = d->next)
        if (d->class->reset) d->class->reset(d, kind);
}

void board_destroy(struct board *b)
{
    /* Reverse order, so that a chip goes before the bus it sits on: reverse the list, then walk it. */
    struct device *reversed = NULL;
    for (struct device *d = b->devices, *next; d; d = next) {
        next = d->next;
        d->next = reversed;
        reversed = d;
    }
    b->devices = NULL;
    b->devices_end = NULL;
    for (struct device *d = reversed, *next; d; d = next) {
        next = d->next;
        d->class->destroy(d);
    }
}

struct device *board_find(struct board *b, const char *id)
{
    for (struct device *d = b->devices; d; d = d->next)
        if (strcmp(d->id, id) == 0) return d;
    return NULL;
}

void device_request(struct device *d, enum board_request what, uint64_t value)
{
    if (d->board->request) d->board->request(d->board->request_opaque, d, what, value);
}

void device_host_failed(struct device *d, enum host_status st, const struct error *e)
{
    d->board->host_error = *e;
    device_request(d, BOARD_HOST_FAILED, (uint64_t)st);
}

void device_claim_ports(struct device *d, uint16_t base, uint32_t count, const struct io_ops *ops)
{
    struct error e = { "" };
    struct port_window w = { .name = d->id, .base = base, .count = count, .ops = ops, .dev = d };
    int r = port_claim(d->board->ports, &w, &e);
    if (r) log_line(d->board->log, LOG_ERROR, d->id, "%s", e.text);
    assert(r == 0);
    (void)r;
}
