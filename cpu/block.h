/* Decoded blocks: where they are kept, how they are found and how they end.
 *
 * A block is a run of records for instructions that follow each other in one page of backing memory, up to BLOCK_MAX of
 * them, through jumps that are not taken. Its key is the backing page, the offset in it and the mode bits below, so a
 * change of mappings makes no block stale. The last record is one that leaves (run_end), or a jump. */
#ifndef CPU_BLOCK_H
#define CPU_BLOCK_H

#include "cpu/decode.h"
#include "cpu/state.h"

enum {
    BLOCK_MAX = 48,                           /* instructions */
    ARENA_RECORDS = 512 * 1024,               /* 16 MiB; evicted whole */
    BLOCKS_MAX = 64 * 1024,
    BLOCK_HASH = 16 * 1024,
    JUMP_CACHE = 4096,
    CROSS_CACHE = 256,
};

enum { /* cpu.mode: what a record depends on besides its bytes */
    MODE_D32 = 1, MODE_L64 = 2,               /* code segment */
    MODE_SS32 = 4,
    MODE_FLAT_DS = 8, MODE_FLAT_ES = 16, MODE_FLAT_SS = 32, MODE_FLAT_CS = 64,   /* base 0, limit 4 GiB, all rights */
    MODE_EDGE = 128,                          /* of a block's key only: the page is not all within CS limit and IP width */
    MODE_CROSS = 256,                         /* of handler selection only: the record crosses a page, so no jump is linked */
};

struct block {
    uint32_t page;                            /* backing page */
    uint16_t off, mode;
    uint32_t first;                           /* its first record in the arena */
    uint16_t bytes;                           /* of code */
    uint8_t count;                            /* instructions */
    bool dead;
    uint32_t hash_next, line_next;            /* block numbers + 1 */
};

/* Decoded instruction that crosses a page, tied to both. One entry of the jump cache may lead to it. */
struct cross {
    uint32_t page[2];
    uint16_t off, mode;
    bool valid;
    uint64_t linear;                          /* of the jump cache's entry */
    struct insn insn[2];                      /* and the record that leaves */
};

/* The blocks of one page by the line in which they start, so that a store looks at the few that it might have hit. */
struct page_blocks {
    uint32_t head[PAGE_SIZE >> CODE_LINE_SHIFT];   /* block numbers + 1 */
    uint32_t live;                            /* blocks in the lists */
    uint32_t longest;                         /* bytes of the longest there ever was */
};

/* What is known about a backing page. */
struct code_page {
    uint32_t blocks;                          /* number of its page_blocks + 1; 0: never had a block */
    bool listed;                              /* in block_store.code_pages */
    bool has_cross;                           /* some struct cross may be tied to it */
};

struct block_store {
    struct decode_map map;
    struct seq_map *seqs;                     /* fast_seq.h */
    struct insn *arena;
    struct block *blocks;
    uint32_t hash[BLOCK_HASH];                /* block number + 1 */
    struct code_page *pages;                  /* by backing page */
    uint32_t page_count;
    struct page_blocks *page_blocks;
    uint32_t page_blocks_len, page_blocks_cap;
    uint32_t arena_used, blocks_used;
    uint32_t *code_pages;                     /* backing pages whose code_lines we set */
    uint32_t code_pages_len, code_pages_cap;
    struct cross cross[CROSS_CACHE];
    struct insn step[2];                      /* one uncached instruction and the record that leaves */
};

/* Where a jump out of the page went the last time. An entry of an old mapping is good again once its address is known to
 * lead to the same backing page still, which is what most CR3 loads come to. */
#define NO_PAGE UINT32_MAX
struct jump_entry {
    uint64_t linear, context;
    const struct insn *first;
    uint32_t page;                            /* backing; NO_PAGE: tied to two, not to be renewed */
    uint32_t unused;
};

static inline unsigned jump_index(uint64_t linear) { return (unsigned)(linear ^ linear >> 12) & (JUMP_CACHE - 1); }

struct block_store *block_store_create(void);
void block_store_destroy(struct block_store *s);
/* The block at an offset of a page's memory, decoded if it is not there yet; NULL if it starts with an instruction that
 * leaves the page. mode: cpu.mode and perhaps MODE_EDGE. */
struct block *block_get(struct cpu *c, struct ram_block *ram, uint64_t page_offset, unsigned off, unsigned mode);
/* Bytes of a page are decoded: remembers the lines and takes fast writes away. False if memory ran out. */
bool block_mark_code(struct cpu *c, struct ram_block *ram, uint64_t offset, unsigned len);
/* Forgets everything; only from the run loop. */
void block_evict_all(struct cpu *c);
static inline bool block_store_full(const struct block_store *s)
{
    return s->arena_used > ARENA_RECORDS - 2 * BLOCK_MAX || s->blocks_used == BLOCKS_MAX;
}

/* Forgets where jumps went: mappings changed. */
void jump_cache_flush(struct cpu *c);
/* Takes the way to it out of the jump cache. */
void jump_cache_drop(struct cpu *c, struct cross *x);
/* An instruction that crosses a page is not there any more, nor the way that leads to it. */
void cross_forget(struct cpu *c, struct cross *x);

/* ---- smc.c */
/* Bytes under decoded lines may have changed: kills the blocks they belong to. */
void smc_store(struct cpu *c, struct ram_block *b, uint64_t offset, uint64_t len);
void smc_code_written(void *opaque, struct ram_block *b, uint64_t offset, uint64_t len);     /* struct ram_listener */
void smc_watch_changed(void *opaque, struct ram_block *b, uint64_t first_page, uint64_t pages);
void smc_map_changed(void *opaque, uint64_t base, uint64_t size);                            /* struct phys_listener */

/* ---- select.c: handlers for the decoded records of a block; `mode` is the block's. */
void select_handlers(const struct cpu *c, struct insn *first, unsigned count, unsigned mode);
/* Its handler does not depend on its immediate and displacement, and reads them from the record when it runs. */
bool select_patchable(const struct insn *i);

#endif
