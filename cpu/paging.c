/* Paging: from a linear address to a physical one.
 *
 * Source: Intel SDM vol. 3 ch. 4.2 to 4.8. Three forms: 32-bit tables with 4 KiB and (CR4.PSE) 4 MiB pages, PSE-36's four
 * more address bits in the latter, and PAE with 2 MiB pages and four PDPTEs held in the processor. The tables are read
 * through the physical map as any other memory, under A20 and SMM.
 *
 * The oddest behaviour: the accessed bit of a directory entry is set only when the whole walk succeeds, and a missing
 * page is never remembered, so software may make an entry present without telling anyone. */
#include "cpu/desc.h"

#include "base/bytes.h"
#include "cpu/model.h"

enum { /* bits of an entry */
    PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100,
};
enum { /* #PF error code */
    PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_ID = 16,
};
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* One entry on the way. */
struct step { uint64_t addr, entry; };

struct walk {
    struct cpu *c;
    bool peek;                   /* no side effects: memory only, nothing marked */
    unsigned width;              /* 4 or 8 bytes an entry */
    unsigned steps;
    struct step step[3];
    uint32_t error;              /* PF_P or PF_P | PF_RSVD where it failed, or 0: not present */
};

static bool load_entry(struct walk *w, uint64_t addr, uint64_t *entry)
{
    struct cpu *c = w->c;
    if (w->peek) {
        uint8_t raw[8];
        if (phys_peek(c->mem, addr & c->a20_mask, raw, w->width) != w->width) return false;
        *entry = ld_size(raw, w->width);
    } else {
        *entry = cpu_phys_load(c, addr, w->width);
    }
    w->step[w->steps++] = (struct step){ addr, *entry };
    w->error = 0;
    return (*entry & PTE_P) != 0;
}

/* Bits that must be 0 in every PAE entry. */
static uint64_t pae_reserved(const struct cpu *c)
{
    uint64_t mask = 0x7fffffffffffffffull & ~((1ull << c->model->phys_bits) - 1);
    return c->efer & 0x800 ? mask : mask | PTE_NX;
}

/* Bits 12 to 21 of a 4 MiB entry: 12 is PAT, 13 to 16 are address bits 32 to 35 with PSE-36, the rest must be 0. */
static uint32_t pse_reserved(const struct cpu *c)
{
    uint32_t mask = 0x3ff000;
    if (cpu_has(c, F_PAT)) mask &= ~0x1000u;
    if (cpu_has(c, F_PSE36)) mask &= ~0x1e000u;
    return mask;
}

static bool walk_32(struct walk *w, uint32_t linear, struct xlate *x)
{
    struct cpu *c = w->c;
    uint64_t pde, pte;
    x->page_shift = 22;
    if (!load_entry(w, (c->cr3 & 0xfffff000) + (linear >> 22) * 4, &pde)) return false;
    if ((pde & PTE_PS) && (c->cr4 & CR4_PSE)) {
        if (pde & pse_reserved(c)) {
            w->error = PF_P | PF_RSVD;
            return false;
        }
        x->phys = (pde & 0xffc00000) | (pde & 0x1e000) << 19 | (linear & 0x3ff000);
        x->user = pde & PTE_U;
        x->writable = pde & PTE_W;
        return true;
    }
    x->page_shift = 12;
    if (!load_entry(w, (pde & 0xfffff000) + (linear >> 12 & 0x3ff) * 4, &pte)) return false;
    x->phys = pte & 0xfffff000;
    x->user = pde & pte & PTE_U;
    x->writable = pde & pte & PTE_W;
    return true;
}

static bool walk_pae(struct walk *w, uint32_t linear, struct xlate *x)
{
    struct cpu *c = w->c;
    uint64_t pdpte = c->pdpte[linear >> 30], pde, pte, reserved = pae_reserved(c);
    x->page_shift = 30;
    if (!(pdpte & PTE_P)) return false;
    x->page_shift = 21;
    if (!load_entry(w, (pdpte & PTE_ADDR) + (linear >> 21 & 0x1ff) * 8, &pde)) return false;
    bool large = pde & PTE_PS;
    if (pde & (reserved | (large ? (cpu_has(c, F_PAT) ? 0x1fe000ull : 0x1ff000ull) : 0))) {
        w->error = PF_P | PF_RSVD;
        return false;
    }
    if (large) {
        x->phys = (pde & PTE_ADDR & ~0x1fffffull) | (linear & 0x1ff000);
        x->user = pde & PTE_U;
        x->writable = pde & PTE_W;
        x->nx = pde & PTE_NX;
        return true;
    }
    x->page_shift = 12;
    if (!load_entry(w, (pde & PTE_ADDR) + (linear >> 12 & 0x1ff) * 8, &pte)) return false;
    if (pte & reserved) {
        w->error = PF_P | PF_RSVD;
        return false;
    }
    x->phys = pte & PTE_ADDR;
    x->user = pde & pte & PTE_U;
    x->writable = pde & pte & PTE_W;
    x->nx = (pde | pte) & PTE_NX;
    return true;
}

static bool walk_tables(struct walk *w, uint32_t linear, struct xlate *x)
{
    bool pae = w->c->cr4 & CR4_PAE;
    *x = (struct xlate){ 0 };
    w->width = pae ? 8 : 4;
    if (!(pae ? walk_pae(w, linear, x) : walk_32(w, linear, x))) return false;
    uint64_t leaf = w->step[w->steps - 1].entry;
    x->global = (leaf & PTE_G) && (w->c->cr4 & CR4_PGE);
    x->dirty = leaf & PTE_D;
    x->bits = leaf & 0xfff;
    return true;
}

static void identity(const struct cpu *c, uint64_t linear, struct xlate *x)
{
    (void)c;
    *x = (struct xlate){ .phys = linear & 0xfffff000, .user = true, .writable = true, .dirty = true, .page_shift = 12 };
}

void paging_walk(struct cpu *c, uint64_t linear, unsigned kind, bool user, struct xlate *x)
{
    if (!(c->cr0 & CR0_PG)) {
        identity(c, linear, x);
        return;
    }
    struct walk w = { .c = c };
    uint32_t error = (kind == PAGE_WRITE ? PF_W : 0) | (user ? PF_U : 0);
    bool nxe = c->cr4 & CR4_PAE && c->efer & 0x800;
    if (kind == PAGE_FETCH && nxe) error |= PF_ID;
    bool ok = walk_tables(&w, (uint32_t)linear, x);
    if (ok) {
        /* SDM vol. 3 ch. 4.6: user mode needs U/S; a write needs R/W, for the supervisor only with CR0.WP. */
        bool denied = (user && !x->user) || (kind == PAGE_WRITE && !x->writable && (user || c->cr0 & CR0_WP)) ||
                      (kind == PAGE_FETCH && x->nx);
        if (denied) {
            w.error = PF_P;
            ok = false;
        }
    }
    if (!ok) {
        c->cr2 = (uint32_t)linear;
        cpu_fault(c, V_PF, error | w.error);
    }
    for (unsigned n = 0; n < w.steps; n++) {
        uint64_t set = PTE_A | (n == w.steps - 1 && kind == PAGE_WRITE ? PTE_D : 0);
        uint64_t entry = w.step[n].entry;
        if ((entry & set) != set) cpu_phys_store(c, w.step[n].addr, entry | set, w.width);
    }
    x->dirty |= kind == PAGE_WRITE;
}

bool paging_peek(struct cpu *c, uint64_t linear, struct xlate *x)
{
    if (!(c->cr0 & CR0_PG)) {
        identity(c, linear, x);
        return true;
    }
    struct walk w = { .c = c, .peek = true };
    return walk_tables(&w, (uint32_t)linear, x);
}

/* SDM vol. 3 ch. 4.4.1: the PDPTEs are registers, loaded and checked here and nowhere else. */
void paging_load_pdptes(struct cpu *c, uint64_t cr3)
{
    uint64_t entry[4];
    uint64_t reserved = 0x1e6 | ~((1ull << c->model->phys_bits) - 1);
    for (unsigned n = 0; n < 4; n++) {
        entry[n] = cpu_phys_load(c, (cr3 & 0xffffffe0) + n * 8, 8);
        if ((entry[n] & PTE_P) && (entry[n] & reserved)) cpu_gp0(c);
    }
    for (unsigned n = 0; n < 4; n++) c->pdpte[n] = entry[n];
}
