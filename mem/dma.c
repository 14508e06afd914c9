/* Bus masters: how chips reach memory by themselves.
 *
 * They see the map without SMM and without A20, and only its memory: a bus master that aims at another chip's registers
 * reads ones and writes nothing (a chip's callback is never entered from another's). Copies go straight between the
 * caller and guest RAM; marks and the code listener are served by ram_written. */
#include "mem/phys.h"

#include <string.h>

static void log_missed(const struct dma_port *p, uint64_t addr)
{
    log_once(p->map->log, LOG_GUEST, p->who, addr >> PAGE_SHIFT, "bus master aims at 0x%llx, which is not memory",
             (unsigned long long)addr);
}

static bool off(const struct dma_port *p)
{
    return p->enabled && !*p->enabled;
}

void dma_read(const struct dma_port *p, uint64_t addr, void *buf, uint64_t len)
{
    uint8_t *to = buf;
    if (off(p)) {
        if (len) memset(to, 0xff, len);
        return;
    }
    while (len) {
        struct phys_hit hit = phys_lookup(p->map, addr, false, false);
        uint64_t n = hit.left < len ? hit.left : len;
        if (hit.block) {
            memcpy(to, hit.block->data + hit.offset, n);
        } else {
            memset(to, 0xff, n);
            log_missed(p, addr);
        }
        addr += n;
        to += n;
        len -= n;
    }
}

void dma_write(const struct dma_port *p, uint64_t addr, const void *buf, uint64_t len)
{
    const uint8_t *from = buf;
    if (off(p)) return;
    while (len) {
        struct phys_hit hit = phys_lookup(p->map, addr, false, true);
        uint64_t n = hit.left < len ? hit.left : len;
        if (!hit.block) {
            log_missed(p, addr);
        } else if (!hit.block->rom) {
            memcpy(hit.block->data + hit.offset, from, n);
            ram_written(hit.block, hit.offset, n);
        }
        addr += n;
        from += n;
        len -= n;
    }
}

void *dma_map(const struct dma_port *p, uint64_t addr, uint64_t *len, bool write)
{
    if (off(p)) return NULL;
    struct phys_hit hit = phys_lookup(p->map, addr, false, write);
    if (!hit.block || (write && hit.block->rom)) return NULL;
    if (hit.left < *len) *len = hit.left;
    return hit.block->data + hit.offset;
}

void dma_unmap(const struct dma_port *p, uint64_t addr, uint64_t written)
{
    if (!written) return;
    struct phys_hit hit = phys_lookup(p->map, addr, false, true);
    if (hit.block) ram_written(hit.block, hit.offset, written < hit.left ? written : hit.left);
}
