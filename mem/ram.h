/* Memory that is there: RAM, ROM and video memory, in blocks of 4 KiB pages.
 *
 * Each page of every block has a number of its own in the machine (block->first_page + offset / 4096), its *backing
 * page*. Decoded code is keyed by it, so the physical map may change without making code stale. Each page has a byte of
 * dirty bits, one bit a client (display, snapshot, code), and pages that hold decoded code have a bitmap of 128-byte lines.
 *
 * Host memory is taken only when touched: ram_create asks calloc for zeros and writes none (see ram.c). */
#ifndef MEM_RAM_H
#define MEM_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define CODE_LINE_SHIFT 7                     /* 32 lines of 128 bytes a page */

/* Clients of dirty marks: bit set means "written since the client last cleared it". */
enum { DIRTY_DISPLAY = 1, DIRTY_SNAPSHOT = 2, DIRTY_MIGRATION = 4, DIRTY_ALL = 7 };

struct ram_block {
    const char *name;
    uint8_t *data;                            /* starts on a page of the host */
    void *storage;                            /* what calloc returned */
    uint64_t size;                            /* a multiple of PAGE_SIZE */
    uint32_t first_page;                      /* backing number of its first page */
    bool rom;                                 /* guest writes are ignored */
    bool saved;                               /* part of a snapshot and of the state hash */
    uint8_t watched;                          /* DIRTY_* clients that want marks from this block */
    uint8_t *dirty;                           /* a byte a page, DIRTY_* bits; a page is born dirty for nobody */
    uint32_t *code_lines;                     /* a word a page: lines that hold decoded code; owned by mem, set by cpu */
    struct ram_block *next;
    struct ram_space *space;
};

/* Told when bytes change under decoded code by something that is not the CPU's own store (DMA, a loader), or when
 * dirty marks of a client are cleared and write shortcuts (TLB tags) to those pages must go. */
struct ram_listener {
    void (*code_written)(void *opaque, struct ram_block *b, uint64_t offset, uint64_t len);
    void (*watch_changed)(void *opaque, struct ram_block *b, uint64_t first_page_index, uint64_t pages);
    void *opaque;
    struct ram_listener *next;
};

/* All blocks of one machine. */
struct ram_space {
    struct ram_block *blocks;                 /* in creation order */
    uint32_t pages;                           /* backing pages given out so far */
    struct ram_listener *listeners;
};

void ram_space_init(struct ram_space *s);
void ram_space_fini(struct ram_space *s);     /* frees all blocks */
/* A block of zeros. size is rounded up to a page. NULL if the host has no address space for it. `name` must outlive it. */
struct ram_block *ram_create(struct ram_space *s, const char *name, uint64_t size, bool rom, bool saved);
void ram_add_listener(struct ram_space *s, struct ram_listener *l);
/* Block that owns a backing page, or NULL. */
struct ram_block *ram_of_page(struct ram_space *s, uint32_t backing_page);

static inline uint32_t ram_page_of(const struct ram_block *b, uint64_t offset)
{
    return b->first_page + (uint32_t)(offset >> PAGE_SHIFT);
}

/* Must be called after [offset, offset+len) was changed by anything but the CPU's store path: sets dirty marks and tells
 * listeners if a code line was hit. */
void ram_written(struct ram_block *b, uint64_t offset, uint64_t len);
/* Marks only (the CPU's store path looks at code lines itself). */
void ram_mark_dirty(struct ram_block *b, uint64_t offset, uint64_t len);
/* Starts or stops marks for a client over the whole block; starting clears its bits. */
void ram_watch(struct ram_block *b, uint8_t client, bool on);
/* Was any byte of these pages written since the last clear? Then clears the client's bits. */
bool ram_test_clear_dirty(struct ram_block *b, uint8_t client, uint64_t offset, uint64_t len);
/* True if the page may be written without telling anybody: not ROM, no code lines, all watching clients' bits set. */
static inline bool ram_page_quiet(const struct ram_block *b, uint64_t offset)
{
    uint64_t i = offset >> PAGE_SHIFT;
    return !b->rom && b->code_lines[i] == 0 && (b->dirty[i] & b->watched) == b->watched;
}

#endif
