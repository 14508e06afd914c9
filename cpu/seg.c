/* Segment registers: descriptors, their checks, and the instructions that load DS, ES, FS, GS and SS.
 *
 * Source: Intel SDM vol. 3 ch. 3.4, 3.5 and 5; the 8086 and 80286 user's manuals. The oddest behaviour is that real mode
 * changes the base only: limit and attributes stay as protected mode (or LOADALL) left them, which is what "unreal"
 * mode lives on. The hidden part is therefore always consulted, in every mode, and real mode is not a special case of
 * the limit check. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

/* ---- Descriptors. */

bool desc_read(struct cpu *c, uint16_t sel, struct desc *d)
{
    uint64_t base = c->gdtr.base;
    uint32_t limit = c->gdtr.limit;
    if (sel & SEL_TI) {
        if (!(c->ldtr.attr & SEG_P)) return false;
        base = c->ldtr.base;
        limit = c->ldtr.limit;
    }
    if ((uint32_t)(sel | 7) > limit) return false;
    d->addr = (uint32_t)(base + (sel & ~7u));
    uint64_t raw = lin_read_sys(c, d->addr, 8);
    d->lo = (uint32_t)raw;
    d->hi = (uint32_t)(raw >> 32);
    if (cpu_level(c) == LEVEL_286) d->hi &= 0xffff;        /* the last word is reserved and ignored */
    d->attr = (uint16_t)((d->hi >> 8) & 0xf0ff);
    d->sel = sel;
    return true;
}

void desc_fetch(struct cpu *c, uint16_t sel, struct desc *d, enum vector v, uint32_t ext)
{
    if (!desc_read(c, sel, d)) cpu_fault(c, v, sel_error(sel, ext));
}

struct seg desc_seg(const struct desc *d, uint16_t sel)
{
    uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);
    if (d->attr & SEG_G) limit = limit << 12 | 0xfff;
    return (struct seg){
        .base = (d->lo >> 16) | (d->hi & 0xff) << 16 | (d->hi & 0xff000000),
        .limit = limit, .sel = sel, .attr = d->attr,
    };
}

void desc_probe_accessed(struct cpu *c, const struct desc *d)
{
    if (!(d->attr & SEG_ACCESSED)) lin_probe_write_sys(c, d->addr + 5, 1);
}

void desc_mark_accessed(struct cpu *c, struct desc *d)
{
    if (d->attr & SEG_ACCESSED) return;
    d->attr |= SEG_ACCESSED;
    d->hi |= SEG_ACCESSED << 8;
    lin_write_sys(c, d->addr + 5, d->attr & 0xff, 1);
}

void desc_set_busy(struct cpu *c, uint64_t addr, bool busy)
{
    uint8_t access = (uint8_t)lin_read_sys(c, addr + 5, 1);
    access = busy ? access | SYS_BUSY : access & ~SYS_BUSY;
    lin_write_sys(c, addr + 5, access, 1);
}

bool seg_contains(const struct seg *s, uint32_t off, uint32_t len)
{
    uint64_t last = (uint64_t)off + len - 1;
    if ((s->attr & (SEG_CODE | SEG_EXPAND_DOWN)) == SEG_EXPAND_DOWN)
        return off > s->limit && last <= (s->attr & SEG_D ? 0xffffffffu : 0xffffu);
    return last <= s->limit;
}

/* ---- Stack frames. */

void frame_init(struct frame *f, const struct seg *ss, uint32_t sp, unsigned cpl)
{
    f->ss = *ss;
    f->mask = ss->attr & SEG_D ? 0xffffffffu : 0xffffu;
    f->sp = sp;
    f->user = cpl == 3;
}

/* Pushes go downwards and wrap within the stack's width. The limit is checked for the whole frame, which is one range
 * unless it wraps; then the pages in the order of the pushes, the first of which CR2 names. */
void frame_check(struct cpu *c, const struct frame *f, unsigned count, unsigned size, uint32_t error)
{
    if (cpu_level(c) == LEVEL_8086) return;               /* nothing to fault on: offsets wrap */
    /* The 286 in real mode has one vector for every overrun, 13 (measured: the captured vectors of POP and RETF). */
    enum vector v = cpu_level(c) == LEVEL_286 && cpu_real(c) ? V_GP : V_SS;
    uint32_t len = count * size, low = (f->sp - len) & f->mask;
    if ((uint64_t)low + len - 1 <= f->mask) {
        if (!seg_contains(&f->ss, low, len)) cpu_fault(c, v, error);
        if (((uint32_t)(f->ss.base + low) & 0xfff) + len <= 0x1000) count = 1;           /* in one page */
    }
    for (unsigned n = 1; n <= count; n++) {
        uint32_t off = (f->sp - n * size) & f->mask;
        if (!seg_contains(&f->ss, off, size)) cpu_fault(c, v, error);
        if (f->user && (c->cr0 & CR0_AM) && (c->eflags & FL_AC) && ((f->ss.base + off) & (size - 1))) cpu_fault(c, V_AC, 0);
        lin_probe_write(c, (uint32_t)(f->ss.base + off), size, f->user);
    }
}

void frame_push(struct cpu *c, struct frame *f, uint32_t v, unsigned size)
{
    f->sp = (f->sp & ~f->mask) | ((f->sp - size) & f->mask);
    uint32_t off = f->sp & f->mask;
    if (cpu_level(c) == LEVEL_8086) mem_write16(c, SEG_SS, off, (uint16_t)v);    /* wraps inside the segment */
    else lin_write(c, (uint32_t)(f->ss.base + off), v, size, f->user);
}

void frame_commit_sp(struct cpu *c, const struct frame *f)
{
    if (f->mask == 0xffff) set_reg16(c, R_SP, (uint16_t)f->sp);
    else set_reg32(c, R_SP, f->sp);
}

void tss_stack(struct cpu *c, unsigned dpl, uint32_t ext, uint16_t *ss, uint32_t *esp)
{
    bool wide = (c->tr.attr & SYS_32) != 0;
    uint32_t off = wide ? 4 + 8 * dpl : 2 + 4 * dpl;
    if (off + (wide ? 5 : 3) > c->tr.limit) cpu_fault(c, V_TS, sel_error(c->tr.sel, ext));
    uint64_t addr = (uint32_t)(c->tr.base + off);
    *esp = (uint32_t)lin_read_sys(c, addr, wide ? 4 : 2);
    *ss = (uint16_t)lin_read_sys(c, addr + (wide ? 4 : 2), 2);
}

void tss_stack_seg(struct cpu *c, uint16_t sel, unsigned dpl, uint32_t ext, struct desc *d)
{
    if (sel_null(sel)) cpu_fault(c, V_TS, ext);
    desc_fetch(c, sel, d, V_TS, ext);
    if (sel_rpl(sel) != dpl || desc_dpl(d) != dpl || !desc_writable(d)) cpu_fault(c, V_TS, sel_error(sel, ext));
    if (!desc_present(d)) cpu_fault(c, V_SS, sel_error(sel, ext));
    desc_probe_accessed(c, d);
}

/* ---- CS. */

void cs_check_eip(struct cpu *c, const struct desc *d, uint32_t eip, uint32_t ext)
{
    struct seg s = desc_seg(d, 0);
    if (eip > s.limit) cpu_fault(c, V_GP, ext);
}

void cs_commit(struct cpu *c, struct desc *d, uint16_t sel, unsigned cpl, uint32_t eip)
{
    desc_mark_accessed(c, d);
    struct seg s = desc_seg(d, (uint16_t)((sel & SEL_MASK) | cpl)), *cs = &c->seg[SEG_CS];
    bool same = s.base == cs->base && s.limit == cs->limit && s.attr == cs->attr && c->cpl == cpl;
    *cs = s;
    c->cpl = (uint8_t)cpl;
    c->rip = eip;
    if (!same) cpu_level_changed(c);
}

void cs_jump_real(struct cpu *c, uint16_t sel, uint32_t eip)
{
    if (cpu_level(c) > LEVEL_8086 && eip > (cpu_v86(c) ? 0xffff : c->seg[SEG_CS].limit)) cpu_gp0(c);
    seg_load_real(c, SEG_CS, sel);
    c->rip = eip;
}

/* ---- Loads. */

struct seg seg_v86(uint16_t sel)
{
    return (struct seg){ .base = (uint32_t)sel << 4, .limit = 0xffff, .sel = sel,
                         .attr = SEG_P | SEG_DPL | SEG_S | SEG_WRITABLE | SEG_ACCESSED };
}

void seg_load_real(struct cpu *c, unsigned seg, uint16_t sel)
{
    struct seg *s = &c->seg[seg];
    if (cpu_v86(c)) {
        *s = seg_v86(sel);
    } else {
        s->sel = sel;
        s->base = (uint32_t)sel << 4;
        /* Only the base changes. What a null selector left unusable becomes a present data segment; a CS of real mode may be
         * written through. */
        if (seg == SEG_CS || !(s->attr & SEG_P))
            s->attr = (s->attr & 0xf000) | SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
    }
    cpu_seg_changed(c, seg);
}

void seg_load_null(struct cpu *c, unsigned seg, uint16_t sel)
{
    struct seg *s = &c->seg[seg];
    s->sel = sel;
    s->base = 0;
    s->attr = 0;
    cpu_seg_changed(c, seg);
}

/* SDM vol. 2, MOV: the checks in its order. */
static void load_ss(struct cpu *c, uint16_t sel)
{
    struct desc d;
    if (sel_null(sel)) cpu_gp0(c);
    desc_fetch(c, sel, &d, V_GP, 0);
    if (sel_rpl(sel) != c->cpl || !desc_writable(&d) || desc_dpl(&d) != c->cpl) cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(&d)) cpu_fault(c, V_SS, sel_error(sel, 0));
    desc_probe_accessed(c, &d);
    desc_mark_accessed(c, &d);
    c->seg[SEG_SS] = desc_seg(&d, sel);
    cpu_seg_changed(c, SEG_SS);
}

void seg_load(struct cpu *c, unsigned seg, uint16_t sel)
{
    if (!cpu_protected(c)) {
        seg_load_real(c, seg, sel);
        return;
    }
    if (seg == SEG_SS) {
        load_ss(c, sel);
        return;
    }
    if (sel_null(sel)) {
        seg_load_null(c, seg, sel);
        return;
    }
    struct desc d;
    desc_fetch(c, sel, &d, V_GP, 0);
    if (!desc_readable(&d)) cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_conforming(&d) && (sel_rpl(sel) > desc_dpl(&d) || c->cpl > desc_dpl(&d)))
        cpu_fault(c, V_GP, sel_error(sel, 0));
    if (!desc_present(&d)) cpu_fault(c, V_NP, sel_error(sel, 0));
    desc_probe_accessed(c, &d);
    desc_mark_accessed(c, &d);
    c->seg[seg] = desc_seg(&d, sel);
    cpu_seg_changed(c, seg);
}

/* No interrupt between a load of SS and the next instruction (it loads SP). The later 8086 steppings, which are the
 * ones modelled, hold interrupts after a load of any segment register (8086 errata, "interrupts following MOV SS"). */
static void open_shadow(struct cpu *c, unsigned seg)
{
    if (seg != SEG_SS && cpu_level(c) != LEVEL_8086) return;
    shadow_open(c, true);
}

/* Segment register of a MOV or POP: the 8086 decodes two bits, later models know what does not exist. CS can be loaded
 * on the 8086 only (8E /1 and 0F). */
static unsigned sreg_operand(struct cpu *c, const struct insn *i, bool load)
{
    if (cpu_level(c) == LEVEL_8086) return i->reg & 3;
    unsigned last = cpu_level(c) == LEVEL_286 ? SEG_DS : SEG_GS;
    if (i->reg > last || (load && i->reg == SEG_CS)) cpu_ud(c);
    return i->reg;
}

static enum status loaded(struct cpu *c, unsigned seg)
{
    open_shadow(c, seg);
    if (seg != SEG_CS) return BODY_NEXT;
    c->rip = c->next_rip;                                  /* the 8086 goes on at the same IP in the new segment */
    return BODY_JUMP;
}

enum status op_mov_Sw_Ew(struct cpu *c, const struct insn *i)
{
    unsigned seg = sreg_operand(c, i, true);
    seg_load(c, seg, (uint16_t)rm_read(c, i, 2));
    return loaded(c, seg);
}

/* To a register of 32 bits the P6 zero-extends (SDM vol. 2, MOV, "upper bits"); to memory it is always a word. */
enum status op_mov_Ew_Sw(struct cpu *c, const struct insn *i)
{
    uint16_t sel = c->seg[sreg_operand(c, i, false)].sel;
    rm_write(c, i, sel, insn_is_mem(i) ? 2 : insn_opsize(i));
    return BODY_NEXT;
}

enum status op_pop_Sw(struct cpu *c, const struct insn *i)
{
    unsigned size = insn_opsize(i), seg = i->reg;
    uint16_t sel = (uint16_t)stack_peek(c, 0, cpu_level(c) == LEVEL_386 ? 2 : size);   /* captured from a 386EX */
    bool wide = cpu_ss32(c);                               /* the old SS decides, also where SS is what is popped */
    seg_load(c, seg, sel);
    if (wide) set_reg32(c, R_SP, reg32(c, R_SP) + size);
    else set_reg16(c, R_SP, (uint16_t)(reg16(c, R_SP) + size));
    return loaded(c, seg);
}

/* LDS, LES, LSS, LFS, LGS: m16:16 or m16:32. */
enum status op_lxs_Gv_Mp(struct cpu *c, const struct insn *i)
{
    if (!insn_is_mem(i)) cpu_ud(c);
    unsigned size = insn_opsize(i), from = insn_seg(i);
    uint64_t ea = insn_ea(c, i), ea_sel = ea + size;
    if (insn_addrsize(i) == 2) ea_sel &= 0xffff;           /* two operands: the selector's address wraps by itself */
    uint32_t off = size == 4 ? mem_read32(c, from, ea) : mem_read16(c, from, ea);
    uint16_t sel = mem_read16(c, from, ea_sel);
    seg_load(c, (unsigned)i->imm, sel);
    set_reg(c, i->reg, off, size);
    return BODY_NEXT;
}
