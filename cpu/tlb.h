/* Translation caches: what makes a guest's load a compare, an add and a load of ours.
 *
 * Two levels. The fast one is for the handlers: arrays of {tag, addend}, one for reads and one for writes, for each
 * privilege. An entry stands only where an access needs nothing but the bytes: ordinary memory, no breakpoint on the page,
 * and for writes: not ROM, D already set, no decoded code on the page, dirty marks made. Whatever must be noticed withholds
 * the tag and costs nothing on the fast path. The comparison is with all of the access's bytes, so one that crosses a
 * page never hits. The second level remembers whole translations for the slow path, chips included. */
#ifndef CPU_TLB_H
#define CPU_TLB_H

#include "cpu/state.h"

enum { TLB_BITS = 12, TLB_SIZE = 1 << TLB_BITS, TLB_PAGES = 512 /* second level */, TLB_FILLED_MAX = 2048 };
#define TLB_EMPTY (1ull << 63)                /* no canonical address is less than a page above this */
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))

struct tlb_entry { uint64_t tag; uintptr_t addend; };   /* addend + linear address = host address */

/* One translated page: 64 bytes. */
struct tlb_page {
    uint64_t linear;                          /* of the page; with generation: valid or not */
    uint64_t phys;
    uint8_t *host;                            /* NULL: a chip, or nothing */
    struct ram_block *block;
    uint64_t offset;                          /* of the page in its block, or in the chip's region */
    struct region *region;
    uint32_t backing;                         /* backing page number, where block is set */
    uint32_t generation;
    bool global;
    uint8_t unused[7];
};

enum { TLB_SUPERVISOR, TLB_USER, TLB_CONTEXTS };

struct tlb {
    struct tlb_entry read[TLB_CONTEXTS][TLB_SIZE], write[TLB_CONTEXTS][TLB_SIZE];
    struct tlb_entry none[TLB_SIZE];          /* always empty: alignment checking looks at every access */
    struct tlb_page page[3][TLB_CONTEXTS][TLB_PAGES];   /* by PAGE_READ, PAGE_WRITE, PAGE_FETCH */
    /* Filled fast entries, context << 13 | write << 12 | index; [1]: those of global pages. Overfull: clear everything. */
    uint16_t filled[2][TLB_FILLED_MAX];
    uint32_t filled_len[2];
    uint32_t generation, generation_global;
    bool large_pages;                         /* some entry came from a page larger than 4 KiB */
};

static inline unsigned tlb_index(uint64_t linear) { return (linear >> PAGE_SHIFT) & (TLB_SIZE - 1); }

/* Host address of a plain access of `size` bytes, or NULL: take the slow path. All bytes must lie in the entry's page. */
static inline uint8_t *tlb_hit(const struct tlb_entry *array, uint64_t linear, unsigned size)
{
    const struct tlb_entry *e = &array[tlb_index(linear)];
    if (__builtin_expect(linear - e->tag > PAGE_SIZE - size, 0)) return NULL;
    uint8_t *host = (uint8_t *)(uintptr_t)(linear + e->addend);
    if (!host) __builtin_unreachable();       /* spares the callers' second test */
    return host;
}

struct tlb *tlb_create(void);
/* Translates the page of `linear` for PAGE_*; faults like the hardware. Never NULL; valid until the next call. */
struct tlb_page *tlb_translate(struct cpu *c, uint64_t linear, unsigned kind, bool user);
/* Makes a fast entry for a page if it is allowed one. */
void tlb_fill(struct cpu *c, struct tlb_page *p, unsigned kind, bool user);
/* No fast writes to these backing pages any more: they got code, or a client of dirty marks starts anew. */
void tlb_forbid_writes(struct cpu *c, const struct ram_block *b, uint64_t offset, uint64_t len);

#endif
