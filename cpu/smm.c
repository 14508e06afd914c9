/* System management mode: SMI and RSM.
 *
 * Source: Intel SDM vol. 3 ch. 34 (table 34-1, the 32-bit state save map); what that table calls reserved is laid out as
 * in the P6 (published by R. Collins, Dr. Dobb's Journal, and on sandpile.org): hidden parts of the segment registers as
 * {selector, rights, limit, base}. The oddest behaviour is that the program may edit the map: EIP, the registers,
 * SMBASE, and whether RSM halts again or repeats the I/O instruction that raised the SMI. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

enum { /* offsets from SMBASE + 8000h */
    MAP_SMBASE = 0x7ef8, MAP_REVISION = 0x7efc, MAP_IO_RESTART = 0x7f00, MAP_HALT_RESTART = 0x7f02,
    MAP_IO_EDI = 0x7f04, MAP_IO_ECX = 0x7f08, MAP_IO_ESI = 0x7f0c, MAP_IO_EIP = 0x7f10, MAP_CR4 = 0x7f14,
    MAP_CPL = 0x7f20, MAP_SHADOW = 0x7f28,
    MAP_DS = 0x7f2c, MAP_FS = 0x7f38, MAP_GS = 0x7f44, MAP_IDTR = 0x7f50, MAP_TR = 0x7f5c, MAP_GDTR = 0x7f6c,
    MAP_LDTR = 0x7f78, MAP_ES = 0x7f84, MAP_CS = 0x7f90, MAP_SS = 0x7f9c,
    MAP_SELECTORS = 0x7fa8 /* ES CS SS DS FS GS */, MAP_LDT_SEL = 0x7fc0, MAP_TR_SEL = 0x7fc4,
    MAP_DR7 = 0x7fc8, MAP_DR6 = 0x7fcc, MAP_EAX = 0x7fd0 /* up to EDI at 7FECh */, MAP_EIP = 0x7ff0, MAP_EFLAGS = 0x7ff4,
    MAP_CR3 = 0x7ff8, MAP_CR0 = 0x7ffc,
};
enum { SMM_REVISION = 0x30000 /* SMBASE relocation and I/O restart, 32-bit map */, SHADOW_STI = 1, SHADOW_SS = 2,
       NMI_BLOCKED = 4, REP_OPEN = 8, DR6_PENDING = 16 /* bits 16 to 31 */, DR6_TRAPS = 0xe00f };
static const uint16_t seg_at[SEG_COUNT] = { MAP_ES, MAP_CS, MAP_SS, MAP_DS, MAP_FS, MAP_GS };

/* The save map is addressed as SMBASE + 8000h + offset, with the SMM attribute (c->smm is true). */
static void save(struct cpu *c, unsigned off, uint32_t v, unsigned size)
{
    cpu_phys_store(c, (uint32_t)(c->smbase + 0x8000 + off), v, size);
}

static uint32_t restore(struct cpu *c, unsigned off, unsigned size)
{
    return (uint32_t)cpu_phys_load(c, (uint32_t)(c->smbase + 0x8000 + off), size);
}

static void save_seg(struct cpu *c, unsigned off, const struct seg *s)
{
    save(c, off, s->sel, 2);
    save(c, off + 2, s->attr, 2);
    save(c, off + 4, s->limit, 4);
    save(c, off + 8, (uint32_t)s->base, 4);
}

static struct seg restore_seg(struct cpu *c, unsigned off)
{
    return (struct seg){ .sel = (uint16_t)restore(c, off, 2), .attr = (uint16_t)(restore(c, off + 2, 2) & 0xf0ff),
                         .limit = restore(c, off + 4, 4), .base = restore(c, off + 8, 4) };
}

static void save_table(struct cpu *c, unsigned off, const struct desc_table *t)
{
    struct seg s = { .base = t->base, .limit = t->limit };
    save_seg(c, off, &s);
}

static void restore_table(struct cpu *c, unsigned off, struct desc_table *t)
{
    struct seg s = restore_seg(c, off);
    t->base = s.base;
    t->limit = (uint16_t)s.limit;
}

static void enter_smm_space(struct cpu *c, bool inside)
{
    c->smm = inside;
    tlb_flush(c, true);
    if (c->pins.smm) c->pins.smm(c->pins.opaque, inside);
}

static void save_state(struct cpu *c)
{
    /* Repeatable: the SMI came directly after an I/O instruction (SDM vol. 3 ch. 34.12). */
    bool after_io = c->io_count + 1 == c->clock->icount;
    for (unsigned n = 0; n < 8; n++) save(c, MAP_EAX + 4 * n, reg32(c, n), 4);
    save(c, MAP_CR0, c->cr0, 4);
    save(c, MAP_CR3, (uint32_t)c->cr3, 4);
    save(c, MAP_CR4, c->cr4, 4);
    save(c, MAP_EFLAGS, eflags_get(c), 4);
    save(c, MAP_EIP, (uint32_t)c->rip, 4);
    save(c, MAP_DR6, (uint32_t)c->dr[6], 4);
    save(c, MAP_DR7, (uint32_t)c->dr[7], 4);
    save(c, MAP_TR_SEL, c->tr.sel, 4);
    save(c, MAP_LDT_SEL, c->ldtr.sel, 4);
    save(c, MAP_CPL, c->cpl, 1);
    save(c, MAP_SHADOW, (c->shadow_sti ? SHADOW_STI : 0u) | (c->shadow_ss ? SHADOW_SS : 0u) |
         (c->nmi_blocked ? NMI_BLOCKED : 0u) | (c->rep_open ? REP_OPEN : 0u) | (uint32_t)c->dr6_pending << DR6_PENDING, 4);
    for (unsigned n = 0; n < SEG_COUNT; n++) {
        save(c, MAP_SELECTORS + 4 * n, c->seg[n].sel, 4);
        save_seg(c, seg_at[n], &c->seg[n]);
    }
    save_seg(c, MAP_TR, &c->tr);
    save_seg(c, MAP_LDTR, &c->ldtr);
    save_table(c, MAP_GDTR, &c->gdtr);
    save_table(c, MAP_IDTR, &c->idtr);
    save(c, MAP_IO_EIP, after_io ? c->io_eip : (uint32_t)c->rip, 4);
    save(c, MAP_IO_ECX, after_io ? c->io_ecx : reg32(c, R_CX), 4);
    save(c, MAP_IO_ESI, after_io ? c->io_esi : reg32(c, R_SI), 4);
    save(c, MAP_IO_EDI, after_io ? c->io_edi : reg32(c, R_DI), 4);
    save(c, MAP_IO_RESTART, 0, 2);
    save(c, MAP_HALT_RESTART, c->activity == ACT_HALTED, 2);
    save(c, MAP_REVISION, SMM_REVISION, 4);
    save(c, MAP_SMBASE, c->smbase, 4);
}

/* SDM vol. 3 table 34-4. */
void smm_enter(struct cpu *c)
{
    cpu_publish(c);
    trace(c->log, cpu_smm_enter, (uint64_t)c->smbase, (uint64_t)c->seg[SEG_CS].sel, c->rip);
    enter_smm_space(c, true);
    save_state(c);
    c->activity = ACT_RUNNING;
    c->nmi_blocked = true;
    c->shadow_ss = c->shadow_sti = c->rep_open = false;
    c->dr6_pending = 0;
    c->attention &= ~(uint32_t)(ATT_SHADOW | ATT_TRAP);
    c->cr0 &= ~(uint32_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    c->cr4 = 0;
    c->dr[7] = 0x400;
    c->cpl = 0;
    for (unsigned n = 0; n < SEG_COUNT; n++)
        c->seg[n] = (struct seg){ .limit = 0xffffffff, .attr = SEG_G | SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED };
    c->seg[SEG_CS].base = c->smbase;
    /* GAP: below the P6 the selector is 3000h wherever SMBASE has moved (SDM vol. 3 table 34-4). SeaBIOS finds its save area by
     * it, so the 486 and the Pentium get the P6's value: with the real one this firmware could not start them. */
    c->seg[SEG_CS].sel = (uint16_t)(c->smbase >> 4);
    c->rip = 0x8000;
    eflags_set(c, c->model->flags_fixed_one | FL_1);
    cpu_mode_changed(c);
}

/* What makes RSM shut down (SDM vol. 3 ch. 34.3.2). */
static bool restorable(const struct cpu *c, uint32_t cr0, uint32_t cr4)
{
    if ((cr0 & CR0_PG) && !(cr0 & CR0_PE)) return false;
    if ((cr0 & CR0_NW) && !(cr0 & CR0_CD)) return false;
    return !(cr4 & ~sys_cr4_bits(c));
}

enum status op_rsm(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!c->smm) cpu_ud(c);
    uint32_t cr0 = restore(c, MAP_CR0, 4), cr4 = restore(c, MAP_CR4, 4);
    if (!restorable(c, cr0, cr4)) {
        trace(c->log, cpu_shutdown, (uint64_t)c->seg[SEG_CS].sel, c->rip);
        c->activity = ACT_SHUTDOWN;
        c->attention |= ATT_KICK;
        if (c->pins.shutdown) c->pins.shutdown(c->pins.opaque);
        c->rip = c->next_rip;
        return BODY_JUMP;
    }
    bool repeat_io = (restore(c, MAP_IO_RESTART, 2) & 0xff) == 0xff;
    bool halt = restore(c, MAP_HALT_RESTART, 2) & 1;
    for (unsigned n = 0; n < 8; n++) set_reg32(c, n, restore(c, MAP_EAX + 4 * n, 4));
    uint32_t eip = restore(c, MAP_EIP, 4);
    if (repeat_io) {
        eip = restore(c, MAP_IO_EIP, 4);
        set_reg32(c, R_CX, restore(c, MAP_IO_ECX, 4));
        set_reg32(c, R_SI, restore(c, MAP_IO_ESI, 4));
        set_reg32(c, R_DI, restore(c, MAP_IO_EDI, 4));
    }
    uint32_t eflags = restore(c, MAP_EFLAGS, 4), shadow = restore(c, MAP_SHADOW, 4);
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = restore_seg(c, seg_at[n]);
    c->tr = restore_seg(c, MAP_TR);
    c->ldtr = restore_seg(c, MAP_LDTR);
    restore_table(c, MAP_GDTR, &c->gdtr);
    restore_table(c, MAP_IDTR, &c->idtr);
    c->dr[6] = (restore(c, MAP_DR6, 4) & 0xe00f) | 0xffff0ff0;
    c->dr[7] = (restore(c, MAP_DR7, 4) & 0xffff23ff) | 0x400;
    c->cr0 = cr0 & sys_cr0_bits(c);
    c->cr4 = cr4;
    c->cr3 = restore(c, MAP_CR3, 4);
    c->cpl = restore(c, MAP_CPL, 1) & 3;
    if (!(cr0 & CR0_PE)) c->cpl = 0;
    c->shadow_sti = shadow & SHADOW_STI;
    c->shadow_ss = shadow & SHADOW_SS;
    c->nmi_blocked = shadow & NMI_BLOCKED;
    c->rep_open = shadow & REP_OPEN;
    c->dr6_pending = shadow >> DR6_PENDING & DR6_TRAPS;    /* a trap that the SMI came before is still due */
    if (shadow & (SHADOW_STI | SHADOW_SS)) c->attention |= ATT_SHADOW;
    if (c->dr6_pending) c->attention |= ATT_TRAP;
    c->smbase = restore(c, MAP_SMBASE, 4);
    enter_smm_space(c, false);
    if ((cr0 & CR0_PG) && (cr4 & CR4_PAE)) {
        for (unsigned n = 0; n < 4; n++) c->pdpte[n] = cpu_phys_load(c, (c->cr3 & 0xffffffe0) + n * 8, 8);
    }
    if (cpu_real(c)) eflags &= ~(uint32_t)FL_VM;
    c->rip = eip;
    eflags_set(c, (eflags & c->model->flags_mask) | c->model->flags_fixed_one);
    if (eflags & FL_VM) c->cpl = 3;
    cpu_mode_changed(c);
    trace(c->log, cpu_smm_leave, (uint64_t)c->smbase, (uint64_t)c->seg[SEG_CS].sel, c->rip);
    if (halt) {
        c->activity = ACT_HALTED;
        c->attention |= ATT_KICK;
    }
    return BODY_JUMP;
}
