/* isa-debug-exit: a port whose write ends the emulator, for test kernels. QEMU's invention; no hardware has it.
 *
 * Its oddest behaviour: the emulator's exit status is (value << 1) | 1, never 0, so that a test can tell "the guest
 * said 0" from "the guest powered off". The machine computes it; this file passes the value on. A guest that writes
 * a word or a doubleword means one value, so the port takes every width. */
#include "devices/debug_exit.h"

#include <assert.h>
#include <stdlib.h>

struct debug_exit {
    struct device dev;
};

static const struct state_field debug_exit_fields[] = {
    FIELD_WIRING(struct debug_exit, dev),
};
static const struct state_desc debug_exit_state = STATE_DESC(struct debug_exit, "debug_exit", debug_exit_fields);

static uint64_t debug_exit_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev;
    (void)off;
    (void)size;
    return 0;
}

static void debug_exit_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)off;
    (void)size;
    trace(((struct device *)dev)->board->log, debug_exit, val);
    device_request(dev, BOARD_DEBUG_EXIT, val);
}

static const struct io_ops debug_exit_ops = { debug_exit_read, debug_exit_write, 1, 4 };

static void debug_exit_destroy(struct device *d)
{
    free(d);
}

static const struct device_class debug_exit_class = {
    .name = "debug_exit", .title = "isa-debug-exit port", .destroy = debug_exit_destroy, .state = &debug_exit_state,
};

struct device *debug_exit_create(struct board *b, const char *id, const struct debug_exit_pins *pins)
{
    assert(pins->iosize >= 1 && pins->iosize <= 4);
    struct debug_exit *e = calloc(1, sizeof *e);
    if (!e) abort();
    device_init(&e->dev, &debug_exit_class, b, id);
    device_claim_ports(&e->dev, pins->iobase, pins->iosize, &debug_exit_ops);
    return &e->dev;
}
