/* Blocks of memory, their dirty marks and code lines.
 *
 * Host memory: a large calloc comes from fresh zero pages of the host, which hands out real memory only at the first
 * touch (glibc, musl and the BSDs all do; it is what "guest RAM is taken from the host only when touched" rests on). So a
 * block is never cleared or filled here, and reading an untouched page costs the host at most its shared zero page.
 *
 * Dirty marks are inverted from what one may expect: a bit set means that its client need not be told again, which is
 * when a page may be written without telling anybody (ram_page_quiet). */
#include "mem/ram.h"

#include <stdlib.h>
#include <string.h>

void ram_space_init(struct ram_space *s)
{
    memset(s, 0, sizeof *s);
}

void ram_space_fini(struct ram_space *s)
{
    for (struct ram_block *b = s->blocks, *next; b; b = next) {
        next = b->next;
        free(b->storage);
        free(b->dirty);
        free(b->code_lines);
        free(b);
    }
    memset(s, 0, sizeof *s);
}

struct ram_block *ram_create(struct ram_space *s, const char *name, uint64_t size, bool rom, bool saved)
{
    if (size > UINT64_MAX - PAGE_SIZE || size > SIZE_MAX - 2 * PAGE_SIZE) return NULL;
    uint64_t pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (pages == 0 || pages > UINT32_MAX - s->pages) return NULL;
    struct ram_block *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->storage = calloc(1, (size_t)(pages << PAGE_SHIFT) + PAGE_SIZE - 1);
    b->dirty = calloc((size_t)pages, sizeof *b->dirty);
    b->code_lines = calloc((size_t)pages, sizeof *b->code_lines);
    if (!b->storage || !b->dirty || !b->code_lines) goto out_free;
    b->name = name;
    b->data = (uint8_t *)(((uintptr_t)b->storage + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1));
    b->size = pages << PAGE_SHIFT;
    b->first_page = s->pages;
    b->rom = rom;
    b->saved = saved;
    b->space = s;
    s->pages += (uint32_t)pages;

    struct ram_block **end = &s->blocks;
    while (*end) end = &(*end)->next;
    *end = b;
    return b;

out_free:
    free(b->storage);
    free(b->dirty);
    free(b->code_lines);
    free(b);
    return NULL;
}

void ram_add_listener(struct ram_space *s, struct ram_listener *l)
{
    struct ram_listener **end = &s->listeners;
    while (*end) end = &(*end)->next;
    l->next = NULL;
    *end = l;
}

struct ram_block *ram_of_page(struct ram_space *s, uint32_t backing_page)
{
    for (struct ram_block *b = s->blocks; b; b = b->next)
        if (backing_page >= b->first_page && backing_page - b->first_page < b->size >> PAGE_SHIFT) return b;
    return NULL;
}

/* Cuts a range to the block; false if nothing remains. */
static bool clip(const struct ram_block *b, uint64_t offset, uint64_t *len)
{
    if (offset >= b->size || *len == 0) return false;
    if (*len > b->size - offset) *len = b->size - offset;
    return true;
}

void ram_mark_dirty(struct ram_block *b, uint64_t offset, uint64_t len)
{
    if (!b->watched || !clip(b, offset, &len)) return;
    uint64_t last = (offset + len - 1) >> PAGE_SHIFT;
    for (uint64_t i = offset >> PAGE_SHIFT; i <= last; i++) b->dirty[i] |= b->watched;
}

/* Bits of the code lines that [from, to] of one page touches, both in bytes within the page. */
static uint32_t lines_of(uint32_t from, uint32_t to)
{
    uint32_t first = from >> CODE_LINE_SHIFT, last = to >> CODE_LINE_SHIFT;
    return (~0u << first) & (~0u >> (31 - last));
}

void ram_written(struct ram_block *b, uint64_t offset, uint64_t len)
{
    if (!clip(b, offset, &len)) return;
    ram_mark_dirty(b, offset, len);
    uint64_t end = offset + len;
    while (offset < end) {
        uint64_t page_end = (offset | (PAGE_SIZE - 1)) + 1, stop = end < page_end ? end : page_end;
        uint32_t code = b->code_lines[offset >> PAGE_SHIFT];
        if (code & lines_of((uint32_t)(offset & (PAGE_SIZE - 1)), (uint32_t)((stop - 1) & (PAGE_SIZE - 1))))
            for (struct ram_listener *l = b->space->listeners; l; l = l->next)
                if (l->code_written) l->code_written(l->opaque, b, offset, stop - offset);
        offset = stop;
    }
}

static void tell_watch_changed(struct ram_block *b, uint64_t first_page_index, uint64_t pages)
{
    for (struct ram_listener *l = b->space->listeners; l; l = l->next)
        if (l->watch_changed) l->watch_changed(l->opaque, b, first_page_index, pages);
}

void ram_watch(struct ram_block *b, uint8_t client, bool on)
{
    uint64_t pages = b->size >> PAGE_SHIFT;
    if (!on) {
        b->watched &= (uint8_t)~client;
        return;
    }
    b->watched |= client;
    for (uint64_t i = 0; i < pages; i++) b->dirty[i] &= (uint8_t)~client;
    tell_watch_changed(b, 0, pages);
}

bool ram_test_clear_dirty(struct ram_block *b, uint8_t client, uint64_t offset, uint64_t len)
{
    if (!clip(b, offset, &len)) return false;
    uint64_t first = offset >> PAGE_SHIFT, last = (offset + len - 1) >> PAGE_SHIFT;
    bool any = false;
    for (uint64_t i = first; i <= last; i++) {
        if (!(b->dirty[i] & client)) continue;
        uint64_t run = i;                               /* one call per run of pages that change */
        while (i <= last && (b->dirty[i] & client)) b->dirty[i++] &= (uint8_t)~client;
        tell_watch_changed(b, run, i - run);
        any = true;
    }
    return any;
}
