/* The physical address map: which block or chip answers an address.
 *
 * Regions have priorities; the highest enabled one that covers an address answers (SMRAM over VGA over RAM). Reads and
 * writes are mapped separately (PAM can read ROM and write RAM). SMM is an attribute of the access. A20 is applied by the
 * CPU before it comes here; bus masters never see it. Regions start and end on 4 KiB; inside a page a chip answers for
 * itself. Unclaimed memory reads all ones and swallows writes, logged once a page. Only the machine's thread. */
#ifndef MEM_PHYS_H
#define MEM_PHYS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "mem/ram.h"

/* One shape for ports and MMIO. off is relative to the window; size is 1, 2, 4 or 8 within [min_size, max_size]; the bus
 * splits larger accesses (low address first) and widens smaller ones to min_size where the chip has wide registers only
 * (a narrow write to such a chip reads nothing: the other lanes are zero). MMIO is split so that every call is aligned to
 * its size within the region; a port access arrives unaligned where it lies in one window. A NULL read gives ones, a NULL
 * write is swallowed. */
struct io_ops {
    uint64_t (*read)(void *dev, uint64_t off, unsigned size);
    void (*write)(void *dev, uint64_t off, uint64_t val, unsigned size);
    uint8_t min_size, max_size;
};

/* Of two enabled regions with the same priority the one added last answers. */
enum region_prio { PRIO_LOW = 0, PRIO_RAM = 1, PRIO_ROM = 2, PRIO_PAM = 3, PRIO_MMIO = 4, PRIO_VGA = 5, PRIO_SMRAM = 6 };

struct region {
    const char *name;
    uint64_t base, size;
    int prio;
    bool enabled;
    bool reads, writes;                       /* whether it answers reads (and fetches), writes */
    bool smm_only;                            /* answers only accesses with the SMM attribute */
    struct ram_block *block;                  /* memory: offset in it, or NULL for a chip */
    uint64_t block_offset;
    const struct io_ops *io;                  /* a chip */
    void *dev;
    uint8_t (*peek)(void *dev, uint64_t off); /* a byte as a read gives it, without side effects; NULL: not to be seen */
    bool coalesce;                            /* unused by the map; set for linear video memory: bus masters may write it */
    struct log *log;                          /* for trace events; region_add sets it to the map's */
    struct region *next;                      /* the map's list */
};

struct phys_listener {
    /* The answer for [base, base+size) may have changed: flush TLBs and jump caches there. */
    void (*map_changed)(void *opaque, uint64_t base, uint64_t size);
    void *opaque;
    struct phys_listener *next;
};

struct phys_range { uint64_t start, end; struct region *r; };   /* [start, end); r == NULL: unclaimed */
struct phys_view { struct phys_range *ranges; uint32_t len, cap; };

struct phys_map {
    struct ram_space *ram;
    struct log *log;
    uint64_t addr_mask;                       /* physical address lines of the CPU: 20, 24, 32, 36 bits */
    struct region *regions;
    struct phys_listener *listeners;
    struct phys_view view[2][2];              /* [smm][write], rebuilt on change */
    uint32_t batch;                           /* > 0: inside phys_begin/phys_end */
    bool stale;
    uint64_t changed_from, changed_to;        /* what the batch touched */
};

void phys_init(struct phys_map *m, struct ram_space *ram, struct log *log, uint64_t addr_mask);
void phys_fini(struct phys_map *m);
/* The region is owned by the caller and must stay where it is until removed or phys_fini. */
void region_add(struct phys_map *m, struct region *r);
void region_remove(struct phys_map *m, struct region *r);
/* Moves, resizes, enables or disables: sets the fields and tells the map in one go. No-op if nothing changed. */
void region_set(struct phys_map *m, struct region *r, bool enabled, uint64_t base, uint64_t size);
/* Which directions it answers (PAM). */
void region_set_access(struct phys_map *m, struct region *r, bool reads, bool writes);
/* Several changes, one rebuild. Nest freely. */
void phys_begin(struct phys_map *m);
void phys_end(struct phys_map *m);
void phys_add_listener(struct phys_map *m, struct phys_listener *l);

/* What answers one address. */
struct phys_hit {
    struct ram_block *block;                  /* memory, or NULL */
    uint64_t offset;                          /* in the block, or in the chip's region */
    struct region *region;                    /* NULL: unclaimed */
    uint64_t left;                            /* bytes from here to the end of this answer */
};
struct phys_hit phys_lookup(struct phys_map *m, uint64_t addr, bool smm, bool write);

/* Any access through the map, any length, split as needed. size of the io calls follows the alignment of addr. Addresses
 * above addr_mask wrap, here and below. */
void phys_read(struct phys_map *m, uint64_t addr, void *buf, uint64_t len, bool smm);
void phys_write(struct phys_map *m, uint64_t addr, const void *buf, uint64_t len, bool smm);
/* One aligned or unaligned access of 1, 2, 4 or 8 bytes, as the CPU's slow path makes it; may reach a chip. Does not
 * cross a page. */
uint64_t phys_load(struct phys_map *m, uint64_t addr, unsigned size, bool smm);
void phys_store(struct phys_map *m, uint64_t addr, uint64_t val, unsigned size, bool smm);
/* One access to a chip region at an offset. */
uint64_t region_load(struct region *r, uint64_t off, unsigned size);
void region_store(struct region *r, uint64_t off, uint64_t val, unsigned size);

/* For loaders and inspectors: copies from or to memory (RAM, ROM, video); of chips only what they let be peeked. Returns
 * bytes copied before the first address where there is nothing to see. phys_poke writes ROM too, and marks what it changed. */
uint64_t phys_peek(struct phys_map *m, uint64_t addr, void *buf, uint64_t len);
uint64_t phys_poke(struct phys_map *m, uint64_t addr, const void *buf, uint64_t len);

/* Bus masters. Reach RAM, ROM (read) and linear video memory only; the rest reads ones and swallows writes, logged once.
 * `who` names the chip in the log. enabled: the bus-master bit; if false nothing happens and reads give ones. */
struct dma_port { struct phys_map *map; const char *who; const bool *enabled; };   /* enabled may be NULL: always on */
void dma_read(const struct dma_port *p, uint64_t addr, void *buf, uint64_t len);
void dma_write(const struct dma_port *p, uint64_t addr, const void *buf, uint64_t len);
/* Host pointer to guest RAM for up to *len bytes (shortened to what is contiguous), or NULL if it is not RAM.
 * dma_unmap with the bytes actually written marks them. No guest code runs in between. */
void *dma_map(const struct dma_port *p, uint64_t addr, uint64_t *len, bool write);
void dma_unmap(const struct dma_port *p, uint64_t addr, uint64_t written);

#endif
