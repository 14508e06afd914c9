/* Code that is overwritten: by a store of this CPU, by a bus master, by a loader.
 *
 * Each page of memory has a bitmap of 128-byte lines that hold decoded code (mem/ram.h). A store that misses those lines
 * costs a slow store and nothing else, so data beside code (DOS programs, boot sectors) does no harm. One that hits kills
 * the blocks it touches: they leave the hash, and their first record becomes run_stale, which catches every link and
 * jump-cache entry that still leads there. The running instruction finishes; then the block is left, and the next bytes
 * are decoded anew. Programs that compile themselves often change nothing but a constant: where only immediates and
 * displacements have changed, the records are brought up to date and the block lives on. The memory of dead blocks is
 * reused only after an eviction. */
#include "cpu/block.h"

#include "cpu/exec.h"
#include "cpu/tlb.h"

static uint32_t lines_of(uint64_t offset, uint64_t len)
{
    unsigned first = (unsigned)(offset & (PAGE_SIZE - 1)) >> CODE_LINE_SHIFT;
    unsigned last = (unsigned)((offset + len - 1) & (PAGE_SIZE - 1)) >> CODE_LINE_SHIFT;
    return (~0u << first) & (~0u >> (31 - last));
}

static void unhash(struct block_store *s, uint32_t number)
{
    struct block *b = &s->blocks[number - 1];
    uint32_t h = (b->page * 0x9e3779b1u) ^ (b->off * 0x85ebca6bu) ^ b->mode;
    uint32_t *p = &s->hash[(h ^ h >> 15) & (BLOCK_HASH - 1)];
    while (*p && *p != number) p = &s->blocks[*p - 1].hash_next;
    if (*p) *p = b->hash_next;
}

/* Bytes [from, to) of the page have changed. True if in this block they were only immediates and displacements, which the
 * records then have anew: what they do, and which handlers do it, stays. */
static bool patch_block(struct cpu *c, const struct ram_block *ram, uint64_t page_offset, const struct block *b, unsigned from,
                        unsigned to)
{
    struct insn *i = &c->blocks->arena[b->first];
    for (unsigned n = 0; n < b->count && i[n].off < to; n++) {
        if (i[n].off + i[n].len <= from) continue;
        struct insn new = { 0 };
        unsigned avail = PAGE_SIZE - i[n].off < INSN_MAX ? PAGE_SIZE - i[n].off : INSN_MAX;
        if (!select_patchable(&i[n])) return false;
        if (!decode_insn(&c->blocks->map, ram->data + page_offset + i[n].off, avail, b->mode & MODE_D32 ? CODE_32 : CODE_16, &new))
            return false;
        if (new.op != i[n].op || new.len != i[n].len || new.flags != i[n].flags || new.reg != i[n].reg || new.rm != i[n].rm ||
            new.base != i[n].base || new.index != i[n].index || new.scale_seg != i[n].scale_seg)
            return false;
        i[n].imm = new.imm;
        i[n].disp = new.disp;
    }
    return true;
}

/* Kills the blocks of one page that have bytes in [offset, offset + len) of it, or patches them. The lines keep their bits,
 * because code that is patched is usually run again; a second hit that finds no block at all on the page frees it for fast
 * stores. */
static void kill_blocks(struct cpu *c, struct ram_block *ram, uint64_t offset, uint64_t len)
{
    struct block_store *s = c->blocks;
    uint32_t page = ram_page_of(ram, offset);
    unsigned from = (unsigned)(offset & (PAGE_SIZE - 1)), to = from + (unsigned)len;
    if (page >= s->page_count) return;
    struct code_page *code = &s->pages[page];
    struct page_blocks *blocks = code->blocks ? &s->page_blocks[code->blocks - 1] : NULL;
    if ((!blocks || !blocks->live) && !code->has_cross) {
        ram->code_lines[offset >> PAGE_SHIFT] = 0;
        return;
    }
    /* A block that reaches to here starts no further back than the longest one is long. */
    unsigned first = blocks && from > blocks->longest ? (from - blocks->longest) >> CODE_LINE_SHIFT : 0;
    for (unsigned line = first; blocks && line <= (to - 1) >> CODE_LINE_SHIFT; line++) {
        for (uint32_t *p = &blocks->head[line]; *p;) {
            struct block *b = &s->blocks[*p - 1];
            if (b->off < to && b->off + b->bytes > from && !patch_block(c, ram, offset & PAGE_MASK, b, from, to)) {
                c->attention |= ATT_MODE;
                unhash(s, *p);
                b->dead = true;
                s->arena[b->first].run = run_stale;
                *p = b->line_next;
                blocks->live--;
            } else {
                p = &b->line_next;
            }
        }
    }
    if (code->has_cross) {
        c->attention |= ATT_MODE;
        for (unsigned n = 0; n < CROSS_CACHE; n++)
            if (s->cross[n].page[0] == page || s->cross[n].page[1] == page) cross_forget(c, &s->cross[n]);
    }
    code->has_cross = false;
}

void smc_store(struct cpu *c, struct ram_block *b, uint64_t offset, uint64_t len)
{
    while (len) {
        uint64_t room = PAGE_SIZE - (offset & (PAGE_SIZE - 1)), n = len < room ? len : room;
        if (b->code_lines[offset >> PAGE_SHIFT] & lines_of(offset, n)) kill_blocks(c, b, offset, n);
        offset += n;
        len -= n;
    }
}

void smc_code_written(void *opaque, struct ram_block *b, uint64_t offset, uint64_t len)
{
    smc_store(opaque, b, offset, len);
}

void smc_watch_changed(void *opaque, struct ram_block *b, uint64_t first_page, uint64_t pages)
{
    tlb_forbid_writes(opaque, b, first_page << PAGE_SHIFT, pages << PAGE_SHIFT);
}

void smc_map_changed(void *opaque, uint64_t base, uint64_t size)
{
    struct cpu *c = opaque;
    (void)base;
    (void)size;
    tlb_flush(c, true);
    c->attention |= ATT_MODE;
}
