/* The 64 Ki I/O ports. Who claims a port is in machine/pc.c; two claims of one port are an error that names both.
 * An unclaimed port reads all ones and swallows writes, logged once. Only the machine's thread. */
#ifndef MEM_PORT_H
#define MEM_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "base/status.h"
#include "mem/phys.h"

struct port_window {
    const char *name;                         /* the chip's id, for errors and logs */
    uint16_t base;
    uint32_t count;                           /* 1 to 65536 */
    const struct io_ops *ops;                 /* off passed to it is port - base */
    void *dev;
    bool shared;                              /* may lie over another window and wins where it does (PCI BARs); of two
                                                 shared ones the smaller wins, then the name that sorts first: the winner
                                                 never depends on the order of claims, which a loaded state does not know */
};

struct port_map {
    struct log *log;
    struct port_slot *slot;                   /* 65536 entries */
    struct port_window *windows;              /* claimed ones */
    uint32_t len, cap;
};

void port_init(struct port_map *m, struct log *log);
void port_fini(struct port_map *m);
/* 0, or -1 with *e naming both owners. The window is copied. */
int port_claim(struct port_map *m, const struct port_window *w, struct error *e);
/* Gives back what `dev` claimed at base (BARs that move). No-op if absent. */
void port_release(struct port_map *m, uint16_t base, uint32_t count, const void *dev);
/* size 1, 2 or 4. An access that no single window covers, or wider than the chip takes, is split into smaller cycles as the
 * bus does. */
uint32_t port_in(struct port_map *m, uint16_t port, unsigned size);
void port_out(struct port_map *m, uint16_t port, uint32_t val, unsigned size);
/* Name of the window that answers, or NULL. */
const char *port_owner(const struct port_map *m, uint16_t port);

#endif
