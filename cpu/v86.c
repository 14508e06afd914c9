/* Flags that the level of privilege guards (IF, IOPL, VM, VIF, VIP), and the interrupts of virtual-8086 mode.
 *
 * Source: Intel SDM vol. 2 "CLI", "STI", "PUSHF", "POPF", "INT n"; vol. 3 ch. 20.3 and 20.4. With CR4.VME, V86 code of
 * IOPL < 3 owns a virtual IF (EFLAGS.VIF), and a bitmap in the TSS sends INT n straight to the 8086 program's own
 * vector table. The oddest behaviour: the pushed flags image shows VIF in the place of IF and IOPL as 3, so the program
 * never notices; the 32-bit forms have no virtual version and fault. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

void flags_replace(struct cpu *c, uint32_t value, uint32_t mask)
{
    uint32_t old = eflags_get(c);
    mask &= c->model->flags_mask;
    eflags_set(c, (old & ~mask) | (value & mask) | c->model->flags_fixed_one);
}

uint32_t flags_writable(const struct cpu *c, unsigned size)
{
    uint32_t mask = FL_ARITH | FL_TF | FL_DF | FL_NT;
    if (cpu_real(c)) {
        mask |= FL_IF | FL_IOPL;
        /* The 286 keeps bits 12 to 15 clear until protected mode is on (80286 Programmer's Reference, POPF). */
        if (cpu_level(c) == LEVEL_286) mask &= ~(uint32_t)(FL_IOPL | FL_NT);
    } else {
        if (c->cpl <= cpu_iopl(c)) mask |= FL_IF;
        if (c->cpl == 0) mask |= FL_IOPL;
    }
    if (size == 4) mask |= FL_RF | FL_AC | FL_ID;
    return mask & c->model->flags_mask;
}

/* IF may be changed by this level. */
static bool if_allowed(const struct cpu *c) { return cpu_real(c) || c->cpl <= cpu_iopl(c); }
/* CLI and STI act on VIF instead: VME in V86 mode, PVI at CPL 3. */
static bool if_virtual(const struct cpu *c)
{
    if (cpu_v86(c)) return (c->cr4 & CR4_VME) != 0;
    return c->cpl == 3 && (c->cr4 & CR4_PVI);
}

enum status op_cli(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (if_allowed(c)) c->eflags &= ~(uint32_t)FL_IF;
    else if (if_virtual(c)) c->eflags &= ~(uint32_t)FL_VIF;
    else cpu_gp0(c);
    return BODY_NEXT;
}

/* Interrupts stay off for one more instruction if they were off (SDM vol. 2, STI). */
enum status op_sti(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (if_allowed(c)) {
        if (c->eflags & FL_IF) return BODY_NEXT;
        c->eflags |= FL_IF;
        shadow_open(c, false);
        if (c->intr_level) c->attention |= ATT_INTR;
    } else if (if_virtual(c) && !(c->eflags & FL_VIP)) {
        c->eflags |= FL_VIF;
    } else {
        cpu_gp0(c);
    }
    return BODY_NEXT;
}

/* The image of EFLAGS that V86 code of IOPL < 3 sees. */
static uint32_t virtual_image(const struct cpu *c, uint32_t flags)
{
    flags = (flags & ~(uint32_t)FL_IF) | FL_IOPL;
    return c->eflags & FL_VIF ? flags | FL_IF : flags;
}

enum status op_pushf(struct cpu *c, const struct insn *i)
{
    unsigned size = insn_opsize(i);
    uint32_t flags = eflags_get(c);
    if (cpu_v86(c) && cpu_iopl(c) < 3) {
        if (!(c->cr4 & CR4_VME) || size != 2) cpu_gp0(c);
        flags = virtual_image(c, flags);
    }
    stack_push(c, flags & ~(uint32_t)(FL_VM | FL_RF), size);
    return BODY_NEXT;
}

/* POPF ends the block where it may have opened an interrupt window: eflags_set raises attention. */
enum status op_popf(struct cpu *c, const struct insn *i)
{
    unsigned size = insn_opsize(i);
    bool virtual_if = cpu_v86(c) && cpu_iopl(c) < 3;
    if (virtual_if && (!(c->cr4 & CR4_VME) || size != 2)) cpu_gp0(c);
    uint32_t flags = (uint32_t)stack_peek(c, 0, size);
    uint32_t mask = flags_writable(c, size);
    if (virtual_if) {
        if ((flags & FL_TF) || ((flags & FL_IF) && (c->eflags & FL_VIP))) cpu_gp0(c);
        mask = (mask & ~(uint32_t)FL_IF) | FL_VIF;
        flags = (flags & ~(uint32_t)FL_VIF) | (flags & FL_IF ? FL_VIF : 0);
    } else if (size == 4) {
        flags &= ~(uint32_t)FL_RF;                         /* cleared; VM, VIF and VIP stay (SDM vol. 2, POPF) */
    }
    stack_add(c, size);
    flags_replace(c, flags, mask);
    return BODY_NEXT;
}

/* ---- The two maps of a 32-bit TSS: I/O permission from the base at offset 66h up, redirection in the 32 bytes below. */

bool tss_map_word(struct cpu *c, int32_t byte, uint16_t *value)
{
    uint32_t base = (uint32_t)lin_read_sys(c, (uint32_t)(c->tr.base + 0x66), 2);
    int64_t at = (int64_t)base + byte;
    if (at < 0 || at + 1 > c->tr.limit) return false;
    *value = (uint16_t)lin_read_sys(c, (uint32_t)(c->tr.base + (uint64_t)at), 2);
    return true;
}

/* SDM vol. 3 table 20-2, the methods of handling INT n. */
bool v86_soft_int(struct cpu *c, unsigned vector, uint64_t ip)
{
    bool redirect = false;
    if (c->cr4 & CR4_VME) {
        uint32_t limit = c->tr.limit;
        if (!(c->tr.attr & SYS_32) || limit < 0x67) cpu_gp0(c);
        uint32_t base = (uint32_t)lin_read_sys(c, (uint32_t)(c->tr.base + 0x66), 2);
        uint32_t at = base - 32 + vector / 8;
        if (base < 32 || at > limit) cpu_gp0(c);
        redirect = !(lin_read_sys(c, (uint32_t)(c->tr.base + at), 1) >> (vector & 7) & 1);
    }
    bool iopl3 = cpu_iopl(c) == 3;
    if (!redirect) {
        if (!iopl3) cpu_gp0(c);
        return false;
    }
    uint32_t flags = eflags_get(c);
    uint32_t entry = (uint32_t)lin_read(c, vector * 4, 4, true);       /* the 8086 program's table, at linear 0 */
    struct frame f;
    frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), 3);
    frame_check(c, &f, 3, 2, 0);
    frame_push(c, &f, iopl3 ? flags : virtual_image(c, flags), 2);
    frame_push(c, &f, c->seg[SEG_CS].sel, 2);
    frame_push(c, &f, (uint32_t)ip, 2);
    frame_commit_sp(c, &f);
    eflags_set(c, flags & ~(uint32_t)(FL_TF | FL_RF | (iopl3 ? FL_IF : FL_VIF)));
    seg_load_real(c, SEG_CS, (uint16_t)(entry >> 16));
    c->rip = entry & 0xffff;
    return true;
}
