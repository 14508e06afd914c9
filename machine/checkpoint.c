/* Checkpoints: a machine's state kept in memory, to come back to in no time.
 *
 * The tables of the chips are written as for a file (docs/snapshot.md). Memory is shared: a checkpoint holds pages, each
 * counted, and has one of its own only where memory was written since the checkpoint before, or came back to last, which the
 * snapshot's dirty marks tell (mem/ram.h). So the first copies all pages that are not zero, and the next ones what has
 * changed. Coming back copies the pages that differ from what is there.
 *
 * The oddest thing is the drives. What the guest wrote under -snapshot is copied whole; an image that is written to directly
 * is the host's and cannot be taken back, so there are no checkpoints with one. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "machine/pc.h"

struct page { unsigned users; uint8_t data[PAGE_SIZE]; };

struct memory { struct ram_block *block; struct page **page; };       /* a page of zeros: NULL */

enum { DRIVES = MACHINE_IDE + MACHINE_FLOPPIES };

struct machine_checkpoint {
    struct machine *m;
    struct clock_time { vtime now; uint64_t icount, step; } time;
    struct state_buf cpu, chips, changes[DRIVES];
    struct blk *medium[DRIVES];
    struct memory *memory;
    unsigned blocks;
    uint64_t own;                        /* bytes of pages that were copied for it */
};

/* ---- memory */

static void page_release(struct page *p)
{
    if (p && --p->users == 0) free(p);
}

static bool keep_page(struct machine_checkpoint *p, struct memory *k, const struct page *const *before, uint64_t i)
{
    const uint8_t *data = k->block->data + (i << PAGE_SHIFT);
    bool changed = ram_test_clear_dirty(k->block, DIRTY_SNAPSHOT, i << PAGE_SHIFT, PAGE_SIZE);
    if (before && !changed) {
        k->page[i] = (struct page *)(uintptr_t)before[i];
        if (k->page[i]) k->page[i]->users++;
        return true;
    }
    if (bytes_are_zero(data, PAGE_SIZE)) return true;
    if (!(k->page[i] = malloc(sizeof *k->page[i]))) return false;
    k->page[i]->users = 1;
    memcpy(k->page[i]->data, data, PAGE_SIZE);
    p->own += PAGE_SIZE;
    return true;
}

/* Without a checkpoint to share with, the marks start here. */
static bool keep_memory(struct machine_checkpoint *p, const struct machine_checkpoint *base)
{
    for (struct ram_block *b = p->m->ram.blocks; b; b = b->next) p->blocks += b->saved;
    if (!(p->memory = calloc(p->blocks, sizeof *p->memory))) return false;
    unsigned n = 0;
    for (struct ram_block *b = p->m->ram.blocks; b; b = b->next) {
        if (!b->saved) continue;
        struct memory *k = &p->memory[n];
        uint64_t pages = b->size >> PAGE_SHIFT;
        k->block = b;
        if (!(k->page = calloc(pages, sizeof *k->page))) return false;
        if (!base) ram_watch(b, DIRTY_SNAPSHOT, true);
        for (uint64_t i = 0; i < pages; i++)
            if (!keep_page(p, k, base ? (const struct page *const *)base->memory[n].page : NULL, i)) return false;
        n++;
    }
    return true;
}

static void restore_memory(const struct machine_checkpoint *p, const struct machine_checkpoint *base)
{
    for (unsigned n = 0; n < p->blocks; n++) {
        struct ram_block *b = p->memory[n].block;
        for (uint64_t i = 0; i < b->size >> PAGE_SHIFT; i++) {
            const struct page *want = p->memory[n].page[i];
            uint8_t *data = b->data + (i << PAGE_SHIFT);
            bool changed = ram_test_clear_dirty(b, DIRTY_SNAPSHOT, i << PAGE_SHIFT, PAGE_SIZE);
            if (base && !changed && base->memory[n].page[i] == want) continue;
            if (want) memcpy(data, want->data, PAGE_SIZE);
            else if (!bytes_are_zero(data, PAGE_SIZE)) memset(data, 0, PAGE_SIZE);
            ram_written(b, i << PAGE_SHIFT, PAGE_SIZE);
            ram_test_clear_dirty(b, DIRTY_SNAPSHOT, i << PAGE_SHIFT, PAGE_SIZE);
        }
    }
}

/* ---- drives */

static bool keep_change(void *opaque, uint64_t off, const uint8_t *data, uint32_t len)
{
    uint8_t head[12];
    st64(head, off);
    st32(head + 8, len);
    state_buf_put(opaque, head, sizeof head);
    state_buf_put(opaque, data, len);
    return !((struct state_buf *)opaque)->failed;
}

static enum host_status keep_drives(struct machine_checkpoint *p, struct error *e)
{
    struct machine_block list[DRIVES];
    unsigned n = machine_blocks(p->m, list, DRIVES);
    for (unsigned i = 0; i < n; i++) {
        struct blk *b = p->medium[i] = list[i].blk;
        if (!b || (b->read_only && !b->ops->changes)) continue;
        if (!b->ops->changes)
            return error_set(e, HOST_REFUSED, "%s: %s is written to directly, which cannot be taken back; -snapshot keeps changes "
                             "in memory", list[i].id, b->path);
        if (!b->ops->changes(b, keep_change, &p->changes[i]))
            return error_set(e, HOST_NO_MEMORY, "out of memory for a checkpoint");
    }
    return HOST_OK;
}

static enum host_status same_media(const struct machine_checkpoint *p, struct error *e)
{
    struct machine_block list[DRIVES];
    unsigned n = machine_blocks(p->m, list, DRIVES);
    for (unsigned i = 0; i < n; i++)
        if (list[i].blk != p->medium[i])
            return error_set(e, HOST_REFUSED, "the medium in %s has been changed since the checkpoint", list[i].id);
    return HOST_OK;
}

static enum host_status restore_drives(const struct machine_checkpoint *p, struct error *e)
{
    for (unsigned i = 0; i < DRIVES; i++) {
        struct blk *b = p->medium[i];
        if (!b || !b->ops->forget) continue;
        b->ops->forget(b);
        for (size_t at = 0; at < p->changes[i].len;) {
            const uint8_t *c = p->changes[i].data + at;
            enum host_status st = b->ops->write(b, ld64(c), c + 12, ld32(c + 8), e);
            if (st != HOST_OK) return st;
            at += 12 + ld32(c + 8);
        }
    }
    return HOST_OK;
}

/* ---- checkpoints */

void machine_checkpoint_free(struct machine_checkpoint *p)
{
    if (!p) return;
    if (p->m->checkpoint == p) p->m->checkpoint = NULL;
    for (unsigned n = 0; p->memory && n < p->blocks; n++) {
        struct memory *k = &p->memory[n];
        if (!p->m->checkpoint && k->block) ram_watch(k->block, DIRTY_SNAPSHOT, false);
        for (uint64_t i = 0; k->page && i < k->block->size >> PAGE_SHIFT; i++) page_release(k->page[i]);
        free(k->page);
    }
    for (unsigned i = 0; i < DRIVES; i++) state_buf_fini(&p->changes[i]);
    state_buf_fini(&p->cpu);
    state_buf_fini(&p->chips);
    free(p->memory);
    free(p);
}

enum host_status machine_checkpoint(struct machine *m, struct machine_checkpoint **out, struct error *e)
{
    struct machine_checkpoint *p = calloc(1, sizeof *p), *base = m->checkpoint;
    if (!p) return error_set(e, HOST_NO_MEMORY, "out of memory for a checkpoint");
    p->m = m;
    p->time = (struct clock_time){ m->clock.now, m->clock.icount, m->clock.step };
    enum host_status st = keep_drives(p, e);
    if (st != HOST_OK) {
        machine_checkpoint_free(p);
        return st;
    }
    cpu_canonical(m->cpu);
    state_write(&cpu_state, cpu_state_object(m->cpu), &p->cpu);
    for (struct device *d = m->board.devices; d; d = d->next) state_write(d->class->state, d, &p->chips);
    m->checkpoint = NULL;                /* from here on the marks are this one's */
    if (!keep_memory(p, base) || p->cpu.failed || p->chips.failed) {
        machine_checkpoint_free(p);
        return error_set(e, HOST_NO_MEMORY, "out of memory for a checkpoint");
    }
    m->checkpoint = *out = p;
    return HOST_OK;
}

enum host_status machine_restore(struct machine_checkpoint *p, struct error *e)
{
    struct machine *m = p->m;
    size_t used, at = 0;
    enum host_status st = same_media(p, e);
    if (st != HOST_OK || (st = restore_drives(p, e)) != HOST_OK) return st;
    if (!m->checkpoint)
        for (unsigned n = 0; n < p->blocks; n++) ram_watch(p->memory[n].block, DIRTY_SNAPSHOT, true);
    m->clock.now = p->time.now;
    m->clock.icount = p->time.icount;
    m->clock.step = p->time.step;
    restore_memory(p, m->checkpoint);
    m->checkpoint = p;
    if ((st = state_read(&cpu_state, cpu_state_object(m->cpu), p->cpu.data, p->cpu.len, &used, e)) != HOST_OK) return st;
    for (struct device *d = m->board.devices; d; d = d->next, at += used)
        if ((st = state_read(d->class->state, d, p->chips.data + at, p->chips.len - at, &used, e)) != HOST_OK) return st;
    for (struct device *d = m->board.devices; d; d = d->next)
        if (d->class->loaded) d->class->loaded(d);
    return cpu_loaded(m->cpu, e);
}

uint64_t machine_checkpoint_size(const struct machine_checkpoint *p)
{
    uint64_t size = p->own + p->cpu.len + p->chips.len;
    for (unsigned i = 0; i < DRIVES; i++) size += p->changes[i].len;
    return size;
}
