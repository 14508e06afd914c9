/* The store of decoded blocks. */
#include "cpu/block.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/exec.h"
#include "cpu/fast_seq.h"
#include "cpu/tlb.h"

struct block_store *block_store_create(void)
{
    struct block_store *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->arena = calloc(ARENA_RECORDS, sizeof *s->arena);       /* the host gives pages only as they are used */
    s->blocks = calloc(BLOCKS_MAX, sizeof *s->blocks);
    s->seqs = seq_map_create();
    if (!s->arena || !s->blocks || !s->seqs) {
        block_store_destroy(s);
        return NULL;
    }
    s->arena[0].run = run_unlinked;
    s->arena_used = 1;
    return s;
}

void block_store_destroy(struct block_store *s)
{
    if (!s) return;
    free(s->seqs);
    free(s->arena);
    free(s->blocks);
    free(s->pages);
    free(s->page_blocks);
    free(s->code_pages);
    free(s);
}

static uint32_t *hash_slot(struct block_store *s, uint32_t page, unsigned off, unsigned mode)
{
    uint32_t h = (page * 0x9e3779b1u) ^ (off * 0x85ebca6bu) ^ mode;
    return &s->hash[(h ^ h >> 15) & (BLOCK_HASH - 1)];
}

/* Backing pages appear as memory is added to the machine. */
static struct code_page *code_page(struct block_store *s, uint32_t page)
{
    if (page < s->page_count) return &s->pages[page];
    uint32_t count = page + 1 + page / 4;
    struct code_page *pages = realloc(s->pages, count * sizeof *pages);
    if (!pages) return NULL;
    memset(pages + s->page_count, 0, (count - s->page_count) * sizeof *pages);
    s->pages = pages;
    s->page_count = count;
    return &s->pages[page];
}

static bool remember(struct block_store *s, uint32_t page)
{
    struct code_page *p = code_page(s, page);
    if (!p) return false;
    if (p->listed) return true;
    if (s->code_pages_len == s->code_pages_cap) {
        uint32_t cap = s->code_pages_cap ? 2 * s->code_pages_cap : 256;
        uint32_t *pages = realloc(s->code_pages, cap * sizeof *pages);
        if (!pages) return false;
        s->code_pages = pages;
        s->code_pages_cap = cap;
    }
    s->code_pages[s->code_pages_len++] = page;
    p->listed = true;
    return true;
}

/* NULL: no memory. */
static struct page_blocks *page_blocks(struct block_store *s, uint32_t page)
{
    struct code_page *p = &s->pages[page];
    if (p->blocks) return &s->page_blocks[p->blocks - 1];
    if (s->page_blocks_len == s->page_blocks_cap) {
        uint32_t cap = s->page_blocks_cap ? 2 * s->page_blocks_cap : 64;
        struct page_blocks *all = realloc(s->page_blocks, cap * sizeof *all);
        if (!all) return NULL;
        s->page_blocks = all;
        s->page_blocks_cap = cap;
    }
    struct page_blocks *b = &s->page_blocks[s->page_blocks_len++];
    memset(b, 0, sizeof *b);
    p->blocks = s->page_blocks_len;
    return b;
}

bool block_mark_code(struct cpu *c, struct ram_block *ram, uint64_t offset, unsigned len)
{
    uint32_t *lines = &ram->code_lines[offset >> PAGE_SHIFT];
    unsigned first = (unsigned)(offset & (PAGE_SIZE - 1)) >> CODE_LINE_SHIFT;
    unsigned last = (unsigned)((offset + len - 1) & (PAGE_SIZE - 1)) >> CODE_LINE_SHIFT;
    if (!remember(c->blocks, ram_page_of(ram, offset))) return false;
    if (*lines == 0) tlb_forbid_writes(c, ram, offset & PAGE_MASK, PAGE_SIZE);
    *lines |= (~0u << first) & (~0u >> (31 - last));
    return true;
}

/* Decodes from page_bytes[off] on into the arena. Returns the number of instructions, 0 if the first leaves the page. */
static unsigned decode_block(struct cpu *c, const uint8_t *page_bytes, uint32_t page, unsigned off, unsigned mode,
                             struct insn *out, unsigned *bytes)
{
    const struct decode_map *map = &c->blocks->map;
    unsigned count = 0, at = off;
    while (count < BLOCK_MAX && at < PAGE_SIZE) {
        unsigned avail = PAGE_SIZE - at < INSN_MAX ? PAGE_SIZE - at : INSN_MAX;
        struct insn *i = &out[count];
        if (!decode_insn(map, page_bytes + at, avail, mode & MODE_D32 ? CODE_32 : CODE_16, i)) break;
        i->off = (uint16_t)at;
        i->count = (uint8_t)count;
        i->link = (int32_t)(c->blocks->arena - i);   /* run_unlinked */
        at += i->len;
        count++;
        if (optable[i->op].attr & OPA_END) break;
    }
    if (!count) return 0;
    insn_handler *end = count == BLOCK_MAX && at < PAGE_SIZE ? run_full : run_page_end;   /* the latter also before a cross */
    if ((mode & MODE_EDGE) || (optable[out[count - 1].op].attr & OPA_END)) end = run_end;
    out[count] = (struct insn){ .run = end, .op = OP_NONE, .off = (uint16_t)at, .count = (uint8_t)count, .imm = (int32_t)page,
                                .disp = (int32_t)at, .link = (int32_t)(c->blocks->arena - &out[count]) };
    select_handlers(c, out, count, mode);
    *bytes = at - off;
    return count;
}

struct block *block_get(struct cpu *c, struct ram_block *ram, uint64_t page_offset, unsigned off, unsigned mode)
{
    struct block_store *s = c->blocks;
    uint32_t page = ram_page_of(ram, page_offset), *slot = hash_slot(s, page, off, mode);
    for (uint32_t n = *slot; n; n = s->blocks[n - 1].hash_next) {
        struct block *b = &s->blocks[n - 1];
        if (b->page == page && b->off == off && b->mode == mode) return b;
    }

    struct insn *out = &s->arena[s->arena_used];
    unsigned bytes, count = decode_block(c, ram->data + page_offset, page, off, mode, out, &bytes);
    if (!count || !block_mark_code(c, ram, page_offset + off, bytes)) return NULL;
    struct page_blocks *of_page = page_blocks(s, page);
    if (!of_page) return NULL;
    struct block *b = &s->blocks[s->blocks_used++];
    *b = (struct block){ .page = page, .off = (uint16_t)off, .mode = (uint16_t)mode, .first = s->arena_used,
                         .bytes = (uint16_t)bytes, .count = (uint8_t)count };
    s->arena_used += count + 1;
    b->hash_next = *slot;
    *slot = s->blocks_used;
    b->line_next = of_page->head[off >> CODE_LINE_SHIFT];
    of_page->head[off >> CODE_LINE_SHIFT] = s->blocks_used;
    of_page->live++;
    if (bytes > of_page->longest) of_page->longest = bytes;
    return b;
}

void block_evict_all(struct cpu *c)
{
    struct block_store *s = c->blocks;
    for (uint32_t n = 0; n < s->code_pages_len; n++) {
        struct ram_block *b = ram_of_page(c->mem->ram, s->code_pages[n]);
        if (b) b->code_lines[s->code_pages[n] - b->first_page] = 0;
    }
    s->code_pages_len = 0;
    memset(s->hash, 0, sizeof s->hash);
    if (s->pages) memset(s->pages, 0, s->page_count * sizeof *s->pages);
    for (unsigned n = 0; n < CROSS_CACHE; n++) s->cross[n].valid = false;      /* the jump cache goes, too */
    s->page_blocks_len = 0;
    s->arena_used = 1;
    s->blocks_used = 0;
    c->link_from = NULL;
    memset(c->jump_cache, 0xff, JUMP_CACHE * sizeof *c->jump_cache);
}

void jump_cache_flush(struct cpu *c)
{
    c->jump_context += 1ull << 32;
    if (c->jump_context >> 32 == 0 && c->jump_cache) memset(c->jump_cache, 0xff, JUMP_CACHE * sizeof *c->jump_cache);
}

void jump_cache_drop(struct cpu *c, struct cross *x)
{
    struct jump_entry *e = &c->jump_cache[jump_index(x->linear)];
    if (e->first == x->insn) *e = (struct jump_entry){ .context = ~0ull };
}

void cross_forget(struct cpu *c, struct cross *x)
{
    x->valid = false;
    jump_cache_drop(c, x);
}
