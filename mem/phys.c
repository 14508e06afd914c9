/* The physical address map.
 *
 * Regions are few (some forty) and change seldom (BARs, PAM, SMRAM); look-ups are many. So every change rebuilds four
 * flat views, one per [SMM][direction]: sorted ranges without overlap that cover all addresses, searched by halving. The
 * oddest consequence of the hardware is that reads and writes of one address may have different answers: PAM can read
 * ROM and write the RAM under it. */
#include "mem/phys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ---- building the views */

static uint64_t region_end(const struct region *r)
{
    return r->size > UINT64_MAX - r->base ? UINT64_MAX : r->base + r->size;
}

static bool answers(const struct region *r, bool smm, bool write)
{
    return r->enabled && r->size && (write ? r->writes : r->reads) && (smm || !r->smm_only);
}

/* The region that answers at addr: highest priority, and of those the last added. */
static struct region *winner(struct phys_map *m, uint64_t addr, bool smm, bool write)
{
    struct region *best = NULL;
    for (struct region *r = m->regions; r; r = r->next)
        if (answers(r, smm, write) && addr >= r->base && addr < region_end(r) && (!best || r->prio >= best->prio)) best = r;
    return best;
}

static void view_append(struct phys_view *v, uint64_t start, uint64_t end, struct region *r)
{
    if (v->len && v->ranges[v->len - 1].r == r) {
        v->ranges[v->len - 1].end = end;
        return;
    }
    if (v->len == v->cap) {
        uint32_t cap = v->cap ? 2 * v->cap : 64;
        struct phys_range *ranges = realloc(v->ranges, cap * sizeof *ranges);
        if (!ranges) abort();                           /* a few KiB; there is no map to go on with */
        v->ranges = ranges;
        v->cap = cap;
    }
    v->ranges[v->len++] = (struct phys_range){ start, end, r };
}

/* The next address above `from` where any region begins or ends, at most `limit`. */
static uint64_t next_edge(struct phys_map *m, uint64_t from, uint64_t limit)
{
    uint64_t edge = limit;
    for (struct region *r = m->regions; r; r = r->next) {
        if (!r->enabled) continue;
        uint64_t end = region_end(r);
        if (r->base > from && r->base < edge) edge = r->base;
        if (end > from && end < edge) edge = end;
    }
    return edge;
}

static void rebuild(struct phys_map *m)
{
    uint64_t limit = m->addr_mask + 1;
    for (unsigned smm = 0; smm < 2; smm++)
        for (unsigned write = 0; write < 2; write++) m->view[smm][write].len = 0;
    for (uint64_t from = 0, to; from < limit; from = to) {
        to = next_edge(m, from, limit);
        for (unsigned smm = 0; smm < 2; smm++)
            for (unsigned write = 0; write < 2; write++)
                view_append(&m->view[smm][write], from, to, winner(m, from, smm, write));
    }
}

/* ---- changes */

static void changed(struct phys_map *m, uint64_t from, uint64_t to)
{
    phys_begin(m);
    if (!m->stale || from < m->changed_from) m->changed_from = from;
    if (!m->stale || to > m->changed_to) m->changed_to = to;
    m->stale = true;
    phys_end(m);
}

void phys_begin(struct phys_map *m)
{
    m->batch++;
}

void phys_end(struct phys_map *m)
{
    assert(m->batch > 0);
    if (--m->batch || !m->stale) return;
    m->stale = false;
    rebuild(m);
    for (struct phys_listener *l = m->listeners; l; l = l->next)
        l->map_changed(l->opaque, m->changed_from, m->changed_to - m->changed_from);
}

void phys_init(struct phys_map *m, struct ram_space *ram, struct log *log, uint64_t addr_mask)
{
    assert(addr_mask < UINT64_MAX && (addr_mask & (addr_mask + 1)) == 0);
    memset(m, 0, sizeof *m);
    m->ram = ram;
    m->log = log;
    m->addr_mask = addr_mask;
    rebuild(m);
}

void phys_fini(struct phys_map *m)
{
    for (unsigned smm = 0; smm < 2; smm++)
        for (unsigned write = 0; write < 2; write++) free(m->view[smm][write].ranges);
    memset(m, 0, sizeof *m);
}

void region_add(struct phys_map *m, struct region *r)
{
    assert(!r->block || (r->block_offset <= r->block->size && r->size <= r->block->size - r->block_offset));
    assert(r->block || r->io);
    struct region **end = &m->regions;
    while (*end) end = &(*end)->next;
    r->log = m->log;
    r->next = NULL;
    *end = r;
    if (r->enabled && r->size) changed(m, r->base, region_end(r));
}

void region_remove(struct phys_map *m, struct region *r)
{
    struct region **p = &m->regions;
    while (*p && *p != r) p = &(*p)->next;
    if (!*p) return;
    *p = r->next;
    r->next = NULL;
    if (r->enabled && r->size) changed(m, r->base, region_end(r));
}

void region_set(struct phys_map *m, struct region *r, bool enabled, uint64_t base, uint64_t size)
{
    assert(!r->block || size <= r->block->size - r->block_offset);
    if (r->enabled == enabled && r->base == base && r->size == size) return;
    phys_begin(m);
    if (r->enabled && r->size) changed(m, r->base, region_end(r));
    r->enabled = enabled;
    r->base = base;
    r->size = size;
    if (r->enabled && r->size) changed(m, r->base, region_end(r));
    phys_end(m);
}

void region_set_access(struct phys_map *m, struct region *r, bool reads, bool writes)
{
    if (r->reads == reads && r->writes == writes) return;
    r->reads = reads;
    r->writes = writes;
    if (r->enabled && r->size) changed(m, r->base, region_end(r));
}

void phys_add_listener(struct phys_map *m, struct phys_listener *l)
{
    struct phys_listener **end = &m->listeners;
    while (*end) end = &(*end)->next;
    l->next = NULL;
    *end = l;
}

/* ---- look-up */

struct phys_hit phys_lookup(struct phys_map *m, uint64_t addr, bool smm, bool write)
{
    const struct phys_view *v = &m->view[smm][write];
    addr &= m->addr_mask;
    uint32_t low = 0, high = v->len;                    /* the range is in [low, high) */
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (v->ranges[middle].start <= addr) low = middle;
        else high = middle;
    }
    const struct phys_range *range = &v->ranges[low];
    struct region *r = range->r;
    struct phys_hit hit = { .region = r, .left = range->end - addr };
    if (r) {
        hit.block = r->block;
        hit.offset = addr - r->base + (r->block ? r->block_offset : 0);
    }
    return hit;
}

static void log_unclaimed(struct phys_map *m, uint64_t addr, bool write)
{
    addr &= m->addr_mask;
    log_once(m->log, LOG_UNIMP, write ? "memory write" : "memory read", addr >> PAGE_SHIFT,
             "nothing answers at 0x%llx", (unsigned long long)addr);
}

/* ---- chips */

/* Largest power of two, at most `most`, that divides addr and fits into len. */
static unsigned aligned_piece(uint64_t addr, uint64_t len, unsigned most)
{
    unsigned piece = most;
    while (piece > 1 && ((addr & (piece - 1)) || piece > len)) piece /= 2;
    return piece;
}

/* As one cycle or several: lower address first, and the whole register where the chip has wide ones only. */
static uint64_t io_load(struct region *r, uint64_t off, unsigned size)
{
    const struct io_ops *io = r->io;
    if (size >= io->min_size && size <= io->max_size && (off & (size - 1)) == 0) return io->read(r->dev, off, size) & ones(size);
    uint64_t value = 0;
    for (unsigned done = 0; done < size;) {
        unsigned piece = aligned_piece(off + done, size - done, io->max_size);
        uint64_t part;
        if (piece < io->min_size) {                     /* read the whole register, take our lanes */
            uint64_t lane = (off + done) & (io->min_size - 1u);
            part = io->read(r->dev, off + done - lane, io->min_size) >> (8 * lane);
        } else {
            part = io->read(r->dev, off + done, piece);
        }
        value |= (part & ones(piece)) << (8 * done);
        done += piece;
    }
    return value;
}

uint64_t region_load(struct region *r, uint64_t off, unsigned size)
{
    if (!r->io->read) return ones(size);
    uint64_t value = io_load(r, off, size);
    trace(r->log, mmio_read, r->name, off, (uint64_t)size, value);
    return value;
}

void region_store(struct region *r, uint64_t off, uint64_t val, unsigned size)
{
    const struct io_ops *io = r->io;
    if (!io->write) return;
    trace(r->log, mmio_write, r->name, off, (uint64_t)size, val & ones(size));
    if (size >= io->min_size && size <= io->max_size && (off & (size - 1)) == 0) {
        io->write(r->dev, off, val & ones(size), size);
        return;
    }
    for (unsigned done = 0; done < size;) {
        unsigned piece = aligned_piece(off + done, size - done, io->max_size);
        uint64_t part = (val >> (8 * done)) & ones(piece);
        if (piece < io->min_size) {                     /* the other lanes carry zeros */
            uint64_t lane = (off + done) & (io->min_size - 1u);
            io->write(r->dev, off + done - lane, part << (8 * lane), io->min_size);
        } else {
            io->write(r->dev, off + done, part, piece);
        }
        done += piece;
    }
}

/* ---- one access */

uint64_t phys_load(struct phys_map *m, uint64_t addr, unsigned size, bool smm)
{
    struct phys_hit hit = phys_lookup(m, addr, smm, false);
    if (hit.left < size) {                              /* a region that ends within a page: byte by byte */
        uint64_t value = 0;
        for (unsigned i = 0; i < size; i++) value |= phys_load(m, addr + i, 1, smm) << (8 * i);
        return value;
    }
    if (hit.block) return ld_size(hit.block->data + hit.offset, size);
    if (hit.region) return region_load(hit.region, hit.offset, size);
    log_unclaimed(m, addr, false);
    return ones(size);
}

void phys_store(struct phys_map *m, uint64_t addr, uint64_t val, unsigned size, bool smm)
{
    struct phys_hit hit = phys_lookup(m, addr, smm, true);
    if (hit.left < size) {
        for (unsigned i = 0; i < size; i++) phys_store(m, addr + i, val >> (8 * i), 1, smm);
    } else if (hit.block) {
        if (hit.block->rom) return;
        st_size(hit.block->data + hit.offset, val, size);
        ram_written(hit.block, hit.offset, size);
    } else if (hit.region) {
        region_store(hit.region, hit.offset, val, size);
    } else {
        log_unclaimed(m, addr, true);
    }
}

/* ---- any length. Everything below goes answer by answer, so its cost follows the number of regions and of chip accesses
 * and not the length of unclaimed space. */

/* Bytes of this answer that belong to the request. */
static uint64_t span(const struct phys_hit *hit, uint64_t len)
{
    return hit->left < len ? hit->left : len;
}

void phys_read(struct phys_map *m, uint64_t addr, void *buf, uint64_t len, bool smm)
{
    uint8_t *to = buf;
    while (len) {
        struct phys_hit hit = phys_lookup(m, addr, smm, false);
        uint64_t n = span(&hit, len);
        if (hit.block) {
            memcpy(to, hit.block->data + hit.offset, n);
        } else if (hit.region) {
            uint8_t raw[8];
            n = aligned_piece(addr, n, 8);
            st64(raw, region_load(hit.region, hit.offset, (unsigned)n));
            memcpy(to, raw, n);
        } else {
            log_unclaimed(m, addr, false);
            memset(to, 0xff, n);
        }
        addr += n;
        to += n;
        len -= n;
    }
}

void phys_write(struct phys_map *m, uint64_t addr, const void *buf, uint64_t len, bool smm)
{
    const uint8_t *from = buf;
    while (len) {
        struct phys_hit hit = phys_lookup(m, addr, smm, true);
        uint64_t n = span(&hit, len);
        if (hit.block) {
            if (!hit.block->rom) {
                memcpy(hit.block->data + hit.offset, from, n);
                ram_written(hit.block, hit.offset, n);
            }
        } else if (hit.region) {
            n = aligned_piece(addr, n, 8);
            region_store(hit.region, hit.offset, ld_size(from, (unsigned)n), (unsigned)n);
        } else {
            log_unclaimed(m, addr, true);
        }
        addr += n;
        from += n;
        len -= n;
    }
}

uint64_t phys_peek(struct phys_map *m, uint64_t addr, void *buf, uint64_t len)
{
    uint64_t done = 0;
    while (done < len) {
        struct phys_hit hit = phys_lookup(m, addr + done, false, false);
        uint64_t n = span(&hit, len - done);
        if (hit.block) {
            memcpy((uint8_t *)buf + done, hit.block->data + hit.offset, n);
        } else if (hit.region && hit.region->peek) {
            for (uint64_t i = 0; i < n; i++) ((uint8_t *)buf)[done + i] = hit.region->peek(hit.region->dev, hit.offset + i);
        } else {
            break;
        }
        done += n;
    }
    return done;
}

uint64_t phys_poke(struct phys_map *m, uint64_t addr, const void *buf, uint64_t len)
{
    uint64_t done = 0;
    while (done < len) {
        struct phys_hit hit = phys_lookup(m, addr + done, false, false);   /* what reads there is what shall change */
        if (!hit.block) break;
        uint64_t n = span(&hit, len - done);
        memcpy(hit.block->data + hit.offset, (const uint8_t *)buf + done, n);
        ram_written(hit.block, hit.offset, n);
        done += n;
    }
    return done;
}
