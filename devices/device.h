/* What every chip is: a class with a state table, and a place on a board.
 *
 * A chip's struct begins with struct device. Its create function takes the board and its pins, claims its ports and
 * regions, registers its timers, and leaves the chip as after power-on. Order of creation = order of reset = order in a
 * snapshot. Chips know mem, base and host interfaces; never the CPU, never the machine, never another chip's header
 * except the bus they sit on. All calls come from the machine's thread. */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include "base/clock.h"
#include "base/irq.h"
#include "base/log.h"
#include "base/state.h"
#include "mem/phys.h"
#include "mem/port.h"

struct device;

enum reset_kind { RESET_POWER_ON, RESET_HARD };   /* power applied; the RESET# line pulsed (port 92h/CF9h/64h) */

struct device_class {
    const char *name;                             /* the part number: "i8254" */
    const char *title;                            /* "Programmable interval timer" */
    void (*reset)(struct device *d, enum reset_kind kind);   /* both directions of all outputs included */
    void (*loaded)(struct device *d);             /* after a state was read: rebuild DERIVED, re-apply mappings; may be NULL */
    void (*destroy)(struct device *d);            /* frees; accepts a half-built object */
    const struct state_desc *state;               /* covers the whole chip struct */
};

struct device {
    const struct device_class *class;
    const char *id;                               /* "pit"; unique on the board; owned by the caller of create */
    struct board *board;
    struct device *next;                          /* creation order */
};

/* What a chip may ask of the machine. None acts inside the callback: the run loop does, between instructions. */
enum board_request {
    BOARD_RESET,             /* the whole board */
    BOARD_POWER_OFF,         /* ACPI S5 */
    BOARD_DEBUG_EXIT,        /* value is the exit status */
    BOARD_HOST_FAILED,       /* a backend failed: value is enum host_status; the machine stops with an event */
};

struct board {
    struct clock *clock;
    struct log *log;
    struct phys_map *mem;
    struct port_map *ports;
    struct device *devices, **devices_end;        /* in creation order */
    void (*request)(void *opaque, struct device *from, enum board_request what, uint64_t value);
    void *request_opaque;
    struct error host_error;                      /* what failed, in words; set before BOARD_HOST_FAILED */
};

/* Called first by every create: puts the chip on the board. */
void device_init(struct device *d, const struct device_class *class, struct board *b, const char *id);
/* Resets all, in order. */
void board_reset(struct board *b, enum reset_kind kind);
/* Destroys all, in reverse order. */
void board_destroy(struct board *b);
/* For the monitor and tests; chips never look each other up. */
struct device *board_find(struct board *b, const char *id);
void device_request(struct device *d, enum board_request what, uint64_t value);
/* A backend failed: leaves e's words in the board and requests BOARD_HOST_FAILED. The chip keeps its command pending and
 * tries again when the machine goes on. */
void device_host_failed(struct device *d, enum host_status st, const struct error *e);

/* Shorthand: claims ports for a chip; an overlap is a bug of the board and asserts after logging both names. */
void device_claim_ports(struct device *d, uint16_t base, uint32_t count, const struct io_ops *ops);

#endif
