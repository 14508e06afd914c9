/* Control registers, descriptor table registers, HLT, cache control, and LOADALL.
 *
 * Source: Intel SDM vol. 2, vol. 3 ch. 2.5 to 2.8; LOADALL: Intel's undocumented layouts as published by R. Collins
 * ("The LOADALL instruction", Tech Specialist, 1991). The oddest behaviour: which bits exist depends on the model; a
 * reserved bit of CR0 is ignored, one of CR4 faults. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

static void require_cpl0(struct cpu *c)
{
    if (c->cpl != 0) cpu_gp0(c);
}

/* The instruction changed how the next one is fetched: go on through the run loop. */
static enum status refetch(struct cpu *c)
{
    c->rip = c->next_rip;
    return BODY_JUMP;
}

/* ---- CR0, CR3, CR4. */

uint32_t sys_cr0_bits(const struct cpu *c)
{
    uint32_t bits = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
    if (cpu_level(c) >= LEVEL_386) bits |= CR0_ET | CR0_PG;
    if (cpu_level(c) >= LEVEL_486) bits |= CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD;
    return bits;
}

uint32_t sys_cr4_bits(const struct cpu *c)
{
    static const struct { enum feature f; uint32_t bits; } row[] = {
        { F_VME, CR4_VME | CR4_PVI }, { F_TSC, CR4_TSD }, { F_DE, CR4_DE }, { F_PSE, CR4_PSE }, { F_PAE, CR4_PAE },
        { F_MCE, CR4_MCE }, { F_PGE, CR4_PGE }, { F_RDPMC, CR4_PCE }, { F_FXSR, CR4_OSFXSR }, { F_SSE, CR4_OSXMMEXCPT },
    };
    uint32_t bits = 0;
    for (unsigned n = 0; n < sizeof row / sizeof row[0]; n++)
        if (cpu_has(c, row[n].f)) bits |= row[n].bits;
    return bits;
}

static void write_cr0(struct cpu *c, uint32_t v)
{
    v &= sys_cr0_bits(c);
    if (cpu_level(c) >= LEVEL_486) v |= CR0_ET;            /* hardwired since the FPU came on the die */
    if ((v & CR0_PG) && !(v & CR0_PE)) cpu_gp0(c);
    if ((v & CR0_NW) && !(v & CR0_CD)) cpu_gp0(c);
    uint32_t changed = c->cr0 ^ v;
    /* SDM vol. 3 ch. 4.4.1: PDPTEs are loaded anew where PAE paging will be on and one of these bits changes. */
    if ((v & CR0_PG) && (changed & (CR0_PG | CR0_CD | CR0_NW)) && (c->cr4 & CR4_PAE)) paging_load_pdptes(c, c->cr3);
    if (changed) trace(c->log, cpu_control, (uint64_t)0, (uint64_t)c->cr0, (uint64_t)v);
    c->cr0 = v;
    if (changed & (CR0_PG | CR0_WP)) tlb_flush(c, true);   /* PE alone translates nothing: DOS extenders toggle it often */
    cpu_mode_changed(c);
}

static void write_cr3(struct cpu *c, uint32_t v)
{
    if (cpu_level(c) == LEVEL_386) v &= 0xfffff000;
    else if (cpu_level(c) == LEVEL_486) v &= 0xfffff018;   /* PCD and PWT */
    if ((c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE)) paging_load_pdptes(c, v);
    trace(c->log, cpu_control, (uint64_t)3, c->cr3, (uint64_t)v);
    c->cr3 = v;
    tlb_flush(c, false);
}

static void write_cr4(struct cpu *c, uint32_t v)
{
    if (v & ~sys_cr4_bits(c)) cpu_gp0(c);
    uint32_t changed = c->cr4 ^ v;
    if ((v & CR4_PAE) && (changed & (CR4_PAE | CR4_PSE | CR4_PGE)) && (c->cr0 & CR0_PG)) paging_load_pdptes(c, c->cr3);
    trace(c->log, cpu_control, (uint64_t)4, (uint64_t)c->cr4, (uint64_t)v);
    c->cr4 = v;
    if (changed & (CR4_PAE | CR4_PSE | CR4_PGE)) tlb_flush(c, true);
    cpu_mode_changed(c);
}

static unsigned cr_operand(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg;
    if (n == 1 || n > 4 || (n == 4 && sys_cr4_bits(c) == 0)) cpu_ud(c);
    require_cpl0(c);
    return n;
}

/* The 286 and the 386 read bits that do not exist as ones (captured from an 80C286 and a 386EX, which leaves out bit 16). */
static uint32_t visible_cr0(const struct cpu *c)
{
    switch (cpu_level(c)) {
    case LEVEL_286: return c->cr0 | 0xfff0;
    case LEVEL_386: return c->cr0 | 0x7ffeffe0;
    default: return c->cr0;
    }
}

enum status op_mov_Rd_Cd(struct cpu *c, const struct insn *i)
{
    switch (cr_operand(c, i)) {
    case 0: set_reg32(c, i->rm, visible_cr0(c)); break;
    case 2: set_reg32(c, i->rm, (uint32_t)c->cr2); break;
    case 3: set_reg32(c, i->rm, (uint32_t)c->cr3); break;
    default: set_reg32(c, i->rm, c->cr4); break;
    }
    return BODY_NEXT;
}

enum status op_mov_Cd_Rd(struct cpu *c, const struct insn *i)
{
    uint32_t v = reg32(c, i->rm);
    switch (cr_operand(c, i)) {
    case 0: write_cr0(c, v); return refetch(c);
    case 2: c->cr2 = v; return BODY_NEXT;
    case 3: write_cr3(c, v); return refetch(c);
    default: write_cr4(c, v); return refetch(c);
    }
}

enum status op_smsw(struct cpu *c, const struct insn *i)
{
    rm_write(c, i, visible_cr0(c), insn_is_mem(i) ? 2 : insn_opsize(i));
    return BODY_NEXT;
}

/* PE can be set this way but not cleared. */
enum status op_lmsw(struct cpu *c, const struct insn *i)
{
    require_cpl0(c);
    uint32_t v = (uint32_t)rm_read(c, i, 2);
    write_cr0(c, (c->cr0 & ~(uint32_t)(CR0_MP | CR0_EM | CR0_TS)) | (v & (CR0_PE | CR0_MP | CR0_EM | CR0_TS)));
    return refetch(c);
}

enum status op_clts(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    c->cr0 &= ~(uint32_t)CR0_TS;
    cpu_mode_changed(c);
    return BODY_NEXT;
}

/* ---- GDTR and IDTR. */

static enum status store_table(struct cpu *c, const struct insn *i, const struct desc_table *t)
{
    if (!insn_is_mem(i)) cpu_ud(c);
    uint64_t ea = insn_ea(c, i);
    /* All 32 bits of the base are stored with either operand size; the 286 stores FFh above its 24 bits (SDM vol. 2, SGDT,
     * "IA-32 Architecture Compatibility"). */
    uint32_t base = cpu_level(c) == LEVEL_286 ? (uint32_t)t->base | 0xff000000 : (uint32_t)t->base;
    access_probe_write(c, insn_seg(i), ea, 6);
    mem_write16(c, insn_seg(i), ea, t->limit);
    mem_write32(c, insn_seg(i), ea + 2, base);
    return BODY_NEXT;
}

static enum status load_table(struct cpu *c, const struct insn *i, struct desc_table *t)
{
    if (!insn_is_mem(i)) cpu_ud(c);
    require_cpl0(c);
    uint64_t ea = insn_ea(c, i);
    uint16_t limit = mem_read16(c, insn_seg(i), ea);
    uint32_t base = mem_read32(c, insn_seg(i), ea + 2);
    t->limit = limit;
    t->base = insn_opsize(i) == 2 ? base & 0xffffff : base;
    return BODY_NEXT;
}

enum status op_sgdt(struct cpu *c, const struct insn *i) { return store_table(c, i, &c->gdtr); }
enum status op_sidt(struct cpu *c, const struct insn *i) { return store_table(c, i, &c->idtr); }
enum status op_lgdt(struct cpu *c, const struct insn *i) { return load_table(c, i, &c->gdtr); }
enum status op_lidt(struct cpu *c, const struct insn *i) { return load_table(c, i, &c->idtr); }

/* ---- HLT and caches. */

enum status op_hlt(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    trace(c->log, cpu_halt, (uint64_t)c->seg[SEG_CS].sel, c->rip, (uint64_t)!!(c->eflags & FL_IF));
    c->activity = ACT_HALTED;
    c->attention |= ATT_KICK;
    return refetch(c);
}

/* No segment check: INVLPG takes any address (SDM vol. 2). */
enum status op_invlpg(struct cpu *c, const struct insn *i)
{
    if (!insn_is_mem(i)) cpu_ud(c);
    require_cpl0(c);
    tlb_flush_page(c, (uint32_t)(c->seg[insn_seg(i)].base + insn_ea(c, i)));
    return refetch(c);
}

/* Caches are not modelled; memory is always what they would write back. */
enum status op_invd(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    return BODY_NEXT;
}

enum status op_wbinvd(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    return BODY_NEXT;
}

/* ---- LOADALL: every register and every hidden part from a table, nothing checked. */

static struct seg loadall286_cache(struct cpu *c, uint64_t at, uint16_t sel)
{
    uint64_t raw = cpu_phys_load(c, at, 4);
    return (struct seg){ .base = raw & 0xffffff, .attr = (uint16_t)(raw >> 24 & 0xff), .sel = sel,
                         .limit = (uint32_t)cpu_phys_load(c, at + 4, 2) };
}

/* 102 bytes at physical 800h. */
enum status op_loadall286(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    enum { AT = 0x800, MSW = 0x06, TR = 0x16, FLAGS = 0x18, IP = 0x1a, LDT = 0x1c, DS = 0x1e, SS = 0x20, CS = 0x22,
           ES = 0x24, DI = 0x26 /* down to AX at 34h */, ES_CACHE = 0x36, CS_CACHE = 0x3c, SS_CACHE = 0x42,
           DS_CACHE = 0x48, GDT_CACHE = 0x4e, LDT_CACHE = 0x54, IDT_CACHE = 0x5a, TSS_CACHE = 0x60 };
    uint16_t word[0x36 / 2];
    for (unsigned n = 0; n < 0x36 / 2; n++) word[n] = (uint16_t)cpu_phys_load(c, AT + 2 * n, 2);
    for (unsigned n = 0; n < 8; n++) set_reg16(c, 7 - n, word[DI / 2 + n]);
    c->seg[SEG_ES] = loadall286_cache(c, AT + ES_CACHE, word[ES / 2]);
    c->seg[SEG_CS] = loadall286_cache(c, AT + CS_CACHE, word[CS / 2]);
    c->seg[SEG_SS] = loadall286_cache(c, AT + SS_CACHE, word[SS / 2]);
    c->seg[SEG_DS] = loadall286_cache(c, AT + DS_CACHE, word[DS / 2]);
    c->ldtr = loadall286_cache(c, AT + LDT_CACHE, word[LDT / 2]);
    c->tr = loadall286_cache(c, AT + TSS_CACHE, word[TR / 2]);
    struct seg gdt = loadall286_cache(c, AT + GDT_CACHE, 0), idt = loadall286_cache(c, AT + IDT_CACHE, 0);
    c->gdtr.base = gdt.base;
    c->gdtr.limit = (uint16_t)gdt.limit;
    c->idtr.base = idt.base;
    c->idtr.limit = (uint16_t)idt.limit;
    c->cr0 = (word[MSW / 2] & 0xe) | ((word[MSW / 2] | c->cr0) & CR0_PE);   /* it cannot leave protected mode either */
    c->cpl = cpu_real(c) ? 0 : (c->seg[SEG_SS].attr >> 5) & 3;
    c->rip = word[IP / 2];
    eflags_set(c, (word[FLAGS / 2] & c->model->flags_mask) | c->model->flags_fixed_one);
    cpu_mode_changed(c);
    return BODY_JUMP;
}

/* Access rights, base, limit: three dwords; the rights as in the second dword of a descriptor. */
static struct seg loadall386_cache(struct cpu *c, uint64_t at, uint16_t sel)
{
    return (struct seg){ .attr = (uint16_t)(mem_read32(c, SEG_ES, at) >> 8 & 0xf0ff), .base = mem_read32(c, SEG_ES, at + 4),
                         .limit = mem_read32(c, SEG_ES, at + 8), .sel = sel };
}

/* 204 bytes at ES:EDI. */
enum status op_loadall386(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
    enum { CR0 = 0x00, EFLAGS = 0x04, EIP = 0x08, EDI = 0x0c /* down to EAX at 28h */, DR6 = 0x2c, DR7 = 0x30, TR = 0x34,
           LDTR = 0x38, SELECTORS = 0x3c /* GS FS DS SS CS ES */, TSS_CACHE = 0x54, IDT_CACHE = 0x60, GDT_CACHE = 0x6c,
           LDT_CACHE = 0x78, CACHES = 0x84 /* GS FS DS SS CS ES */, SIZE = 0xcc };
    static const uint8_t order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_SS, SEG_CS, SEG_ES };
    uint64_t at = reg32(c, R_DI);
    access_probe_read(c, SEG_ES, at, SIZE);
    uint32_t word[0x54 / 4];
    for (unsigned n = 0; n < 0x54 / 4; n++) word[n] = mem_read32(c, SEG_ES, at + 4 * n);
    struct seg seg[SEG_COUNT];
    for (unsigned n = 0; n < SEG_COUNT; n++)
        seg[order[n]] = loadall386_cache(c, at + CACHES + 12 * n, (uint16_t)word[SELECTORS / 4 + n]);
    struct seg tr = loadall386_cache(c, at + TSS_CACHE, (uint16_t)word[TR / 4]);
    struct seg ldtr = loadall386_cache(c, at + LDT_CACHE, (uint16_t)word[LDTR / 4]);
    struct seg gdt = loadall386_cache(c, at + GDT_CACHE, 0), idt = loadall386_cache(c, at + IDT_CACHE, 0);
    for (unsigned n = 0; n < 8; n++) set_reg32(c, 7 - n, word[EDI / 4 + n]);
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = seg[n];
    c->tr = tr;
    c->ldtr = ldtr;
    c->gdtr.base = gdt.base;
    c->gdtr.limit = (uint16_t)gdt.limit;
    c->idtr.base = idt.base;
    c->idtr.limit = (uint16_t)idt.limit;
    c->dr[6] = word[DR6 / 4] | 0xffff0ff0;
    c->dr[7] = (word[DR7 / 4] & 0xffff23ff) | dr7_fixed(c);
    c->cr0 = word[CR0 / 4] & sys_cr0_bits(c);
    c->rip = word[EIP / 4];
    if (cpu_real(c)) word[EFLAGS / 4] &= ~(uint32_t)FL_VM;
    eflags_set(c, (word[EFLAGS / 4] & c->model->flags_mask) | c->model->flags_fixed_one);
    c->cpl = cpu_real(c) ? 0 : cpu_v86(c) ? 3 : (c->seg[SEG_SS].attr >> 5) & 3;
    tlb_flush(c, true);
    cpu_mode_changed(c);
    return BODY_JUMP;
}
