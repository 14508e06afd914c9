/* Memory as slow bodies see it: segment checks, translation, and what is behind the address.
 *
 * Order of checks (SDM vol. 3 ch. 5.2, 6.15): segment type and limit, alignment, then paging; for an access that crosses
 * a page both pages are translated before a byte moves, so it happens whole or not at all. Fast handlers repeat the common
 * part of mem_read and mem_write inline and come here for the rest. The oddest behaviour is the 8086's: it has no limits,
 * and a word at offset FFFFh has its second byte at offset 0 of the same segment. */
#include <string.h>

#include "base/bytes.h"
#include "cpu/block.h"
#include "cpu/model.h"
#include "cpu/modrm.h"
#include "cpu/tlb.h"

/* ---- segments */

static inline uint64_t linear_cut(const struct cpu *c, uint64_t linear)
{
    return c->mode & MODE_L64 ? linear : (uint32_t)linear;
}

/* The check in full; returns only if the access is allowed. */
static void seg_check(struct cpu *c, unsigned seg, uint64_t off, unsigned len, bool write)
{
    const struct seg *s = &c->seg[seg];
    /* The 80286 in real mode knows exception 13 only (captured from the chip). */
    enum vector v = seg == SEG_SS && !(cpu_level(c) == LEVEL_286 && cpu_real(c)) ? V_SS : V_GP;
    if (c->mode & MODE_L64) return;
    uint64_t last = off + len - 1;
    bool code = s->attr & SEG_CODE;
    if (c->cr0 & CR0_PE) {
        if (!(s->attr & SEG_P)) cpu_fault(c, v, 0);             /* null or unusable */
        if (write ? code || !(s->attr & SEG_WRITABLE) : code && !(s->attr & SEG_READABLE)) cpu_fault(c, v, 0);
    }
    if (!code && (s->attr & SEG_EXPAND_DOWN)) {
        if (off <= s->limit || last > (s->attr & SEG_D ? 0xffffffff : 0xffff)) cpu_fault(c, v, 0);
    } else if (last > s->limit) {
        cpu_fault(c, v, 0);
    }
}

static inline uint64_t seg_linear(struct cpu *c, unsigned seg, uint64_t off, unsigned len, bool write)
{
    uint64_t end = (write ? c->seg_write_end : c->seg_read_end)[seg];
    if (__builtin_expect(off + len > end, 0)) seg_check(c, seg, off, len, write);
    return linear_cut(c, c->seg[seg].base + off);
}

/* ---- one page */

static inline bool is_user(const struct cpu *c) { return c->cpl == 3; }

static void check_alignment(struct cpu *c, uint64_t linear, unsigned size)
{
    if (c->tlb_read == c->tlb->none && (linear & (size - 1))) cpu_fault(c, V_AC, 0);
}

static uint64_t page_load(struct cpu *c, struct tlb_page *p, uint64_t linear, unsigned size)
{
    unsigned off = linear & (PAGE_SIZE - 1);
    if (p->host) return ld_size(p->host + off, size);
    cpu_publish(c);
    if (p->region) return region_load(p->region, p->offset + off, size);
    return phys_load(c->mem, p->phys + off, size, c->smm);
}

static void page_store(struct cpu *c, struct tlb_page *p, uint64_t linear, uint64_t v, unsigned size)
{
    unsigned off = linear & (PAGE_SIZE - 1);
    if (p->host) {
        if (p->block->rom) return;
        st_size(p->host + off, v, size);
        ram_mark_dirty(p->block, p->offset + off, size);
        if (p->block->code_lines[p->offset >> PAGE_SHIFT]) smc_store(c, p->block, p->offset + off, size);
        return;
    }
    cpu_publish(c);
    if (p->region) region_store(p->region, p->offset + off, v, size);
    else phys_store(c->mem, p->phys + off, v, size, c->smm);
}

/* ---- linear addresses */

static bool crosses_page(uint64_t linear, unsigned len) { return (linear & (PAGE_SIZE - 1)) + len > PAGE_SIZE; }

static uint64_t load_crossing(struct cpu *c, uint64_t linear, unsigned size, bool user)
{
    uint64_t second = linear_cut(c, (linear | (PAGE_SIZE - 1)) + 1), v = 0;
    struct tlb_page first = *tlb_translate(c, linear, PAGE_READ, user);
    struct tlb_page *next = tlb_translate(c, second, PAGE_READ, user);
    for (unsigned n = 0; n < size; n++) {
        uint64_t at = linear_cut(c, linear + n);
        v |= page_load(c, at >> PAGE_SHIFT == linear >> PAGE_SHIFT ? &first : next, at, 1) << (8 * n);
    }
    return v;
}

static void store_crossing(struct cpu *c, uint64_t linear, uint64_t v, unsigned size, bool user)
{
    uint64_t second = linear_cut(c, (linear | (PAGE_SIZE - 1)) + 1);
    struct tlb_page first = *tlb_translate(c, linear, PAGE_WRITE, user);
    struct tlb_page next = *tlb_translate(c, second, PAGE_WRITE, user);
    for (unsigned n = 0; n < size; n++) {
        uint64_t at = linear_cut(c, linear + n);
        page_store(c, at >> PAGE_SHIFT == linear >> PAGE_SHIFT ? &first : &next, at, v >> (8 * n), 1);
    }
}

static inline bool watched(const struct cpu *c) { return c->dr[7] & 0xff; }

uint64_t lin_read(struct cpu *c, uint64_t linear, unsigned size, bool user)
{
    const uint8_t *host = tlb_hit(c->tlb->read[user], linear, size);
    if (host) return ld_size(host, size);
    linear = linear_cut(c, linear);
    uint64_t v;
    if (crosses_page(linear, size)) {
        v = load_crossing(c, linear, size, user);
    } else {
        struct tlb_page *p = tlb_translate(c, linear, PAGE_READ, user);
        tlb_fill(c, p, PAGE_READ, user);
        v = page_load(c, p, linear, size);
    }
    if (watched(c)) debug_check_data(c, linear, size, false);
    return v;
}

void lin_write(struct cpu *c, uint64_t linear, uint64_t v, unsigned size, bool user)
{
    uint8_t *host = tlb_hit(c->tlb->write[user], linear, size);
    if (host) {
        st_size(host, v, size);
        return;
    }
    linear = linear_cut(c, linear);
    if (crosses_page(linear, size)) {
        store_crossing(c, linear, v, size, user);
    } else {
        struct tlb_page *p = tlb_translate(c, linear, PAGE_WRITE, user);
        if (p->host) {
            page_store(c, p, linear, v, size);
            tlb_fill(c, p, PAGE_WRITE, user);
        } else {
            page_store(c, p, linear, v, size);              /* a chip may flush the cache: p is gone after it */
        }
    }
    if (watched(c)) debug_check_data(c, linear, size, true);
}

void lin_probe_write(struct cpu *c, uint64_t linear, unsigned len, bool user)
{
    if (len <= PAGE_SIZE && tlb_hit(c->tlb->write[user], linear, len)) return;
    for (uint64_t at = linear; at <= linear + len - 1; at = (at & PAGE_MASK) + PAGE_SIZE)
        tlb_translate(c, linear_cut(c, at), PAGE_WRITE, user);
}

uint64_t lin_read_sys(struct cpu *c, uint64_t linear, unsigned size) { return lin_read(c, linear, size, false); }
void lin_write_sys(struct cpu *c, uint64_t linear, uint64_t v, unsigned size) { lin_write(c, linear, v, size, false); }
void lin_probe_write_sys(struct cpu *c, uint64_t linear, unsigned len) { lin_probe_write(c, linear, len, false); }

/* ---- physical addresses */

static bool apic_hit(const struct cpu *c, uint64_t phys)
{
    return c->apic_region && (c->apic_base & 0x800) && (phys & PAGE_MASK) == (c->apic_base & 0xffffff000) &&
           c->apic_region->enabled;
}

uint64_t cpu_phys_load(struct cpu *c, uint64_t phys, unsigned size)
{
    phys &= c->a20_mask;
    if (apic_hit(c, phys)) {
        cpu_publish(c);
        return region_load(c->apic_region, phys & (PAGE_SIZE - 1), size);
    }
    struct phys_hit hit = phys_lookup(c->mem, phys, c->smm, false);
    if (hit.block && hit.left >= size) return ld_size(hit.block->data + hit.offset, size);
    cpu_publish(c);
    return phys_load(c->mem, phys, size, c->smm);
}

void cpu_phys_store(struct cpu *c, uint64_t phys, uint64_t v, unsigned size)
{
    phys &= c->a20_mask;
    cpu_publish(c);
    if (apic_hit(c, phys)) region_store(c->apic_region, phys & (PAGE_SIZE - 1), v, size);
    else phys_store(c->mem, phys, v, size, c->smm);
}

/* ---- segment:offset */

/* The 8086 at the end of a segment. */
static bool wraps_8086(const struct cpu *c, uint64_t off, unsigned size)
{
    return cpu_level(c) == LEVEL_8086 && off + size > 0x10000;
}

static uint64_t mem_read_slow(struct cpu *c, unsigned seg, uint64_t off, unsigned size)
{
    if (wraps_8086(c, off, size)) {
        uint64_t v = 0;
        for (unsigned n = 0; n < size; n++)
            v |= lin_read(c, c->seg[seg].base + ((off + n) & 0xffff), 1, false) << (8 * n);
        return v;
    }
    uint64_t linear = seg_linear(c, seg, off, size, false);
    check_alignment(c, linear, size);
    return lin_read(c, linear, size, is_user(c));
}

static void mem_write_slow(struct cpu *c, unsigned seg, uint64_t off, uint64_t v, unsigned size)
{
    if (wraps_8086(c, off, size)) {
        for (unsigned n = 0; n < size; n++)
            lin_write(c, c->seg[seg].base + ((off + n) & 0xffff), v >> (8 * n) & 0xff, 1, false);
        return;
    }
    uint64_t linear = seg_linear(c, seg, off, size, true);
    check_alignment(c, linear, size);
    lin_write(c, linear, v, size, is_user(c));
}

#define MEM_ACCESS(bits, type, load, store) \
    type mem_read##bits(struct cpu *c, unsigned seg, uint64_t off) \
    { \
        if (off + sizeof(type) <= c->seg_read_end[seg]) { \
            const uint8_t *host = tlb_hit(c->tlb_read, linear_cut(c, c->seg[seg].base + off), sizeof(type)); \
            if (host) return load(host); \
        } \
        return (type)mem_read_slow(c, seg, off, sizeof(type)); \
    } \
    void mem_write##bits(struct cpu *c, unsigned seg, uint64_t off, type v) \
    { \
        if (off + sizeof(type) <= c->seg_write_end[seg]) { \
            uint8_t *host = tlb_hit(c->tlb_write, linear_cut(c, c->seg[seg].base + off), sizeof(type)); \
            if (host) { \
                store(host, v); \
                return; \
            } \
        } \
        mem_write_slow(c, seg, off, v, sizeof(type)); \
    }
static inline uint8_t ld8(const uint8_t *p) { return *p; }
static inline void st8(uint8_t *p, uint8_t v) { *p = v; }
MEM_ACCESS(8, uint8_t, ld8, st8)
MEM_ACCESS(16, uint16_t, ld16, st16)
MEM_ACCESS(32, uint32_t, ld32, st32)
MEM_ACCESS(64, uint64_t, ld64, st64)
#undef MEM_ACCESS

uint64_t mem_read(struct cpu *c, unsigned seg, uint64_t off, unsigned size)
{
    switch (size) {
    case 1: return mem_read8(c, seg, off);
    case 2: return mem_read16(c, seg, off);
    case 4: return mem_read32(c, seg, off);
    default: return mem_read64(c, seg, off);
    }
}

void mem_write(struct cpu *c, unsigned seg, uint64_t off, uint64_t v, unsigned size)
{
    switch (size) {
    case 1: mem_write8(c, seg, off, (uint8_t)v); return;
    case 2: mem_write16(c, seg, off, (uint16_t)v); return;
    case 4: mem_write32(c, seg, off, (uint32_t)v); return;
    default: mem_write64(c, seg, off, v); return;
    }
}

void mem_read_bytes(struct cpu *c, unsigned seg, uint64_t off, void *buf, unsigned len)
{
    uint8_t *to = buf;
    if (wraps_8086(c, off, len)) {
        for (unsigned n = 0; n < len; n++) to[n] = mem_read8(c, seg, (off + n) & 0xffff);
        return;
    }
    access_probe_read(c, seg, off, len);
    for (unsigned n = 0; n < len; n++) to[n] = mem_read8(c, seg, off + n);
}

void mem_write_bytes(struct cpu *c, unsigned seg, uint64_t off, const void *buf, unsigned len)
{
    const uint8_t *from = buf;
    if (wraps_8086(c, off, len)) {
        for (unsigned n = 0; n < len; n++) mem_write8(c, seg, (off + n) & 0xffff, from[n]);
        return;
    }
    access_probe_write(c, seg, off, len);
    for (unsigned n = 0; n < len; n++) mem_write8(c, seg, off + n, from[n]);
}

/* What an operand of this length must be aligned to (SDM vol. 3 table 6-7): an 80-bit number to 8, x87 environments and
 * states to their words. */
static unsigned alignment_of(unsigned len)
{
    switch (len) {
    case 2: case 14: case 94: return 2;
    case 4: case 28: case 108: return 4;
    case 8: case 10: return 8;
    default: return 1;
    }
}

static void probe(struct cpu *c, unsigned seg, uint64_t off, unsigned len, unsigned kind)
{
    if (len == 0 || wraps_8086(c, off, len)) return;
    uint64_t linear = seg_linear(c, seg, off, len, kind == PAGE_WRITE);
    check_alignment(c, linear, alignment_of(len));
    for (uint64_t at = linear; at <= linear + len - 1; at = (at & PAGE_MASK) + PAGE_SIZE)
        tlb_translate(c, linear_cut(c, at), kind, is_user(c));
}

void access_probe_read(struct cpu *c, unsigned seg, uint64_t off, unsigned len) { probe(c, seg, off, len, PAGE_READ); }

void access_probe_write(struct cpu *c, unsigned seg, uint64_t off, unsigned len)
{
    if (len <= 8 && off + len <= c->seg_write_end[seg] && tlb_hit(c->tlb_write, linear_cut(c, c->seg[seg].base + off), len))
        return;
    probe(c, seg, off, len, PAGE_WRITE);
}

/* ---- operands */

uint64_t insn_ea(struct cpu *c, const struct insn *i) { return insn_ea_inline(c, i); }

uint64_t rm_read(struct cpu *c, const struct insn *i, unsigned size)
{
    if (insn_is_mem(i)) return mem_read(c, insn_seg(i), insn_ea_inline(c, i), size);
    if (size == 1) return *byte_reg(c, i->rm);
    return c->r[i->rm] & ones(size);
}

void rm_write(struct cpu *c, const struct insn *i, uint64_t v, unsigned size)
{
    if (insn_is_mem(i)) mem_write(c, insn_seg(i), insn_ea_inline(c, i), v, size);
    else if (size == 1) *byte_reg(c, i->rm) = (uint8_t)v;
    else set_reg(c, i->rm, v, size);
}

/* ---- the stack */

static uint64_t sp_mask(const struct cpu *c)
{
    return c->mode & MODE_L64 ? ~0ull : cpu_ss32(c) ? 0xffffffff : 0xffff;
}

void stack_push(struct cpu *c, uint64_t v, unsigned size)
{
    mem_write(c, SEG_SS, (c->r[R_SP] - size) & sp_mask(c), v, size);
    stack_add(c, -(int64_t)size);
}

uint64_t stack_peek(struct cpu *c, uint64_t off, unsigned size)
{
    return mem_read(c, SEG_SS, (c->r[R_SP] + off) & sp_mask(c), size);
}

uint64_t stack_pop(struct cpu *c, unsigned size)
{
    uint64_t v = stack_peek(c, 0, size);
    stack_add(c, size);
    return v;
}

void stack_add(struct cpu *c, int64_t delta)
{
    uint64_t sp = c->r[R_SP] + (uint64_t)delta;
    if (c->mode & MODE_L64) c->r[R_SP] = sp;
    else if (cpu_ss32(c)) set_reg32(c, R_SP, (uint32_t)sp);
    else set_reg16(c, R_SP, (uint16_t)sp);
}
