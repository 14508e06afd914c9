/* Filling and emptying the translation caches (SDM vol. 3 ch. 4.10).
 *
 * The oddest rule: a page born of a 4 MiB translation is cached as 4 KiB pieces, and INVLPG anywhere in the large page
 * must invalidate all of them. Large pages are rare in what calls INVLPG, so the whole cache goes. */
#include "cpu/tlb.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/block.h"

static void clear_array(struct tlb_entry *e, size_t count)
{
    for (size_t n = 0; n < count; n++) e[n].tag = TLB_EMPTY;
}

static void clear_fast(struct tlb *t)
{
    clear_array(t->read[0], TLB_CONTEXTS * TLB_SIZE);
    clear_array(t->write[0], TLB_CONTEXTS * TLB_SIZE);
    t->filled_len[0] = t->filled_len[1] = 0;
}

struct tlb *tlb_create(void)
{
    struct tlb *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    clear_fast(t);
    clear_array(t->none, TLB_SIZE);
    t->generation = t->generation_global = 1;
    return t;
}

static void clear_filled(struct tlb *t, unsigned global)
{
    for (uint32_t n = 0; n < t->filled_len[global]; n++) {
        uint16_t f = t->filled[global][n];
        struct tlb_entry *array = f >> 12 & 1 ? t->write[f >> 13] : t->read[f >> 13];
        array[f & (TLB_SIZE - 1)].tag = TLB_EMPTY;
    }
    t->filled_len[global] = 0;
}

void tlb_flush(struct cpu *c, bool global)
{
    struct tlb *t = c->tlb;
    if (t->filled_len[0] >= TLB_FILLED_MAX || t->filled_len[1] >= TLB_FILLED_MAX) {
        clear_fast(t);
        global = true;
    }
    clear_filled(t, 0);
    if (global) clear_filled(t, 1);
    if (++t->generation == 0 || (global && ++t->generation_global == 0)) {   /* wrapped: forget for good */
        memset(t->page, 0, sizeof t->page);
        t->generation = t->generation_global = 1;
    }
    t->large_pages = t->large_pages && !global;
    jump_cache_flush(c);
}

void tlb_flush_page(struct cpu *c, uint64_t linear)
{
    struct tlb *t = c->tlb;
    if (t->large_pages) {
        tlb_flush(c, true);
        return;
    }
    linear &= PAGE_MASK;
    for (unsigned ctx = 0; ctx < TLB_CONTEXTS; ctx++) {
        struct tlb_entry *r = &t->read[ctx][tlb_index(linear)], *w = &t->write[ctx][tlb_index(linear)];
        if (r->tag == linear) r->tag = TLB_EMPTY;
        if (w->tag == linear) w->tag = TLB_EMPTY;
        for (unsigned kind = 0; kind < 3; kind++) {
            struct tlb_page *p = &t->page[kind][ctx][(linear >> PAGE_SHIFT) & (TLB_PAGES - 1)];
            if (p->linear == linear) p->generation = 0;
        }
    }
    jump_cache_flush(c);
}

static bool is_apic_page(const struct cpu *c, uint64_t phys)
{
    return c->apic_region && (c->apic_base & 0x800) && phys == (c->apic_base & 0xffffff000) && c->apic_region->enabled;
}

struct tlb_page *tlb_translate(struct cpu *c, uint64_t linear, unsigned kind, bool user)
{
    struct tlb *t = c->tlb;
    uint64_t address = linear;                              /* CR2, should it fault */
    linear &= PAGE_MASK;
    struct tlb_page *p = &t->page[kind][user][(linear >> PAGE_SHIFT) & (TLB_PAGES - 1)];
    if (p->linear == linear && p->generation == (p->global ? t->generation_global : t->generation)) return p;

    struct xlate x;
    paging_walk(c, address, kind, user, &x);
    if (x.page_shift > PAGE_SHIFT) t->large_pages = true;
    *p = (struct tlb_page){ .linear = linear, .phys = x.phys & c->a20_mask, .global = x.global };
    p->generation = x.global ? t->generation_global : t->generation;
    if (is_apic_page(c, p->phys)) {
        p->region = c->apic_region;
        return p;
    }
    struct phys_hit hit = phys_lookup(c->mem, p->phys, c->smm, kind == PAGE_WRITE);
    p->block = hit.block;
    p->offset = hit.offset;
    p->region = hit.region;
    if (hit.block) {
        p->host = hit.block->data + hit.offset;
        p->backing = ram_page_of(hit.block, hit.offset);
    }
    return p;
}

void tlb_fill(struct cpu *c, struct tlb_page *p, unsigned kind, bool user)
{
    struct tlb *t = c->tlb;
    if (!p->host) return;
    if (kind == PAGE_WRITE && !ram_page_quiet(p->block, p->offset)) return;
    if ((c->dr[7] & 0xff) && debug_page_watched(c, p->linear, false)) return;
    bool write = kind == PAGE_WRITE;
    unsigned index = tlb_index(p->linear);
    struct tlb_entry *e = &(write ? t->write : t->read)[user][index];
    e->tag = p->linear;
    e->addend = (uintptr_t)p->host - (uintptr_t)p->linear;
    if (t->filled_len[p->global] < TLB_FILLED_MAX)
        t->filled[p->global][t->filled_len[p->global]++] = (uint16_t)((unsigned)user << 13 | (unsigned)write << 12 | index);
}

void tlb_forbid_writes(struct cpu *c, const struct ram_block *b, uint64_t offset, uint64_t len)
{
    struct tlb *t = c->tlb;
    uintptr_t from = (uintptr_t)b->data + (uintptr_t)(offset & PAGE_MASK), to = (uintptr_t)b->data + (uintptr_t)(offset + len);
    for (unsigned global = 0; global < 2; global++) {
        if (t->filled_len[global] >= TLB_FILLED_MAX) {          /* the list is not complete */
            clear_fast(t);
            return;
        }
        for (uint32_t n = 0; n < t->filled_len[global]; n++) {
            uint16_t f = t->filled[global][n];
            if (!(f >> 12 & 1)) continue;
            struct tlb_entry *e = &t->write[f >> 13][f & (TLB_SIZE - 1)];
            uintptr_t host = (uintptr_t)e->tag + e->addend;
            if (e->tag != TLB_EMPTY && host >= from && host < to) e->tag = TLB_EMPTY;
        }
    }
}
