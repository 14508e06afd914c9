/* Hardware task switches.
 *
 * Source: Intel SDM vol. 3 ch. 7.3 and table 7-1 (what is checked, and which fault). The oddest behaviour is the point of
 * no return in the middle: faults before it belong to the old task and leave no trace; after it the new task's
 * registers are loaded, its segment registers hold selectors whose descriptors have not been looked at, and a bad one
 * faults in the new task, before its first instruction. */
#include "cpu/desc.h"

#include "cpu/model.h"

struct tss_image {
    uint32_t cr3, eip, eflags, r[8];
    uint16_t seg[SEG_COUNT], ldt;
    bool trap;
};

/* Offsets of the two layouts (SDM vol. 3 fig. 7-2 and 7-10). Registers stand in encoding order, segments likewise. */
struct tss_layout { uint8_t limit, word, eip, eflags, reg0, seg0, segs, ldt; };
static const struct tss_layout layouts[2] = {
    { .limit = 0x2b, .word = 2, .eip = 0x0e, .eflags = 0x10, .reg0 = 0x12, .seg0 = 0x22, .segs = 4, .ldt = 0x2a },
    { .limit = 0x67, .word = 4, .eip = 0x20, .eflags = 0x24, .reg0 = 0x28, .seg0 = 0x48, .segs = 6, .ldt = 0x60 },
};
enum { TSS_CR3 = 0x1c, TSS_T = 0x64, DR6_BT = 0x8000, DR7_LOCAL = 0x155 };

static const struct tss_layout *layout_of(const struct seg *tss) { return &layouts[(tss->attr & SYS_32) != 0]; }

static void read_image(struct cpu *c, const struct seg *tss, struct tss_image *t)
{
    const struct tss_layout *l = layout_of(tss);
    bool wide = l->word == 4;
    uint64_t base = tss->base;
    /* A 16-bit TSS leaves the upper halves of the registers all ones. Unverified on silicon. */
    uint32_t high = wide || cpu_level(c) == LEVEL_286 ? 0 : 0xffff0000;
    *t = (struct tss_image){ 0 };
    t->eip = (uint32_t)lin_read_sys(c, (uint32_t)(base + l->eip), l->word);
    t->eflags = (uint32_t)lin_read_sys(c, (uint32_t)(base + l->eflags), l->word);
    for (unsigned n = 0; n < 8; n++)
        t->r[n] = (uint32_t)lin_read_sys(c, (uint32_t)(base + l->reg0 + n * l->word), l->word) | high;
    for (unsigned n = 0; n < l->segs; n++)
        t->seg[n] = (uint16_t)lin_read_sys(c, (uint32_t)(base + l->seg0 + n * l->word), 2);
    t->ldt = (uint16_t)lin_read_sys(c, (uint32_t)(base + l->ldt), 2);
    if (!wide) return;
    t->cr3 = (uint32_t)lin_read_sys(c, (uint32_t)(base + TSS_CR3), 4);
    t->trap = lin_read_sys(c, (uint32_t)(base + TSS_T), 1) & 1;
}

static void write_image(struct cpu *c, const struct seg *tss, uint32_t eip, uint32_t eflags)
{
    const struct tss_layout *l = layout_of(tss);
    uint64_t base = tss->base;
    lin_write_sys(c, (uint32_t)(base + l->eip), eip, l->word);
    lin_write_sys(c, (uint32_t)(base + l->eflags), eflags, l->word);
    for (unsigned n = 0; n < 8; n++)
        lin_write_sys(c, (uint32_t)(base + l->reg0 + n * l->word), reg32(c, n), l->word);
    for (unsigned n = 0; n < l->segs; n++)
        lin_write_sys(c, (uint32_t)(base + l->seg0 + n * l->word), c->seg[n].sel, 2);
}

uint16_t task_gate_tss(struct cpu *c, const struct desc *gate, uint32_t ext, struct desc *tss)
{
    uint16_t sel = gate_sel(gate);
    if (sel_null(sel) || (sel & SEL_TI)) cpu_fault(c, V_GP, sel_error(sel, ext));
    desc_fetch(c, sel, tss, V_GP, ext);
    if (!desc_tss(tss, false) || (desc_type(tss) == SYS_TSS32 && cpu_level(c) < LEVEL_386))
        cpu_fault(c, V_GP, sel_error(sel, ext));
    if (!desc_present(tss)) cpu_fault(c, V_NP, sel_error(sel, ext));
    return sel;
}

/* ---- The new task's descriptors, after the point of no return: table 7-1 from "LDT selector" on. */

static void load_ldt(struct cpu *c, uint16_t sel, uint32_t ext)
{
    struct desc d;
    c->ldtr = (struct seg){ .sel = sel };
    if (sel_null(sel)) return;
    uint32_t error = sel_error(sel, ext);
    if ((sel & SEL_TI) || !desc_read(c, sel, &d) || !desc_system(&d) || desc_type(&d) != SYS_LDT || !desc_present(&d))
        cpu_fault(c, V_TS, error);
    c->ldtr = desc_seg(&d, sel);
}

static void load_cs(struct cpu *c, uint16_t sel, uint32_t ext)
{
    struct desc d;
    uint32_t error = sel_error(sel, ext);
    if (sel_null(sel) || !desc_read(c, sel, &d) || !desc_code(&d) ||
        (desc_conforming(&d) ? desc_dpl(&d) > sel_rpl(sel) : desc_dpl(&d) != sel_rpl(sel)))
        cpu_fault(c, V_TS, error);
    if (!desc_present(&d)) cpu_fault(c, V_NP, error);
    desc_probe_accessed(c, &d);
    desc_mark_accessed(c, &d);
    c->seg[SEG_CS] = desc_seg(&d, sel);
}

static void load_ss(struct cpu *c, uint16_t sel, uint32_t ext)
{
    struct desc d;
    uint32_t error = sel_error(sel, ext);
    if (sel_null(sel) || !desc_read(c, sel, &d) || !desc_writable(&d)) cpu_fault(c, V_TS, error);
    if (!desc_present(&d)) cpu_fault(c, V_SS, error);
    if (desc_dpl(&d) != c->cpl || sel_rpl(sel) != c->cpl) cpu_fault(c, V_TS, error);
    desc_probe_accessed(c, &d);
    desc_mark_accessed(c, &d);
    c->seg[SEG_SS] = desc_seg(&d, sel);
}

static void load_data(struct cpu *c, unsigned seg, uint16_t sel, uint32_t ext)
{
    struct desc d;
    if (sel_null(sel)) return;
    uint32_t error = sel_error(sel, ext);
    if (!desc_read(c, sel, &d) || !desc_readable(&d)) cpu_fault(c, V_TS, error);
    if (!desc_conforming(&d) && (sel_rpl(sel) > desc_dpl(&d) || c->cpl > desc_dpl(&d))) cpu_fault(c, V_TS, error);
    if (!desc_present(&d)) cpu_fault(c, V_NP, error);
    desc_probe_accessed(c, &d);
    desc_mark_accessed(c, &d);
    c->seg[seg] = desc_seg(&d, sel);
}

static void load_segments(struct cpu *c, const struct tss_image *t, uint32_t ext)
{
    load_ldt(c, t->ldt, ext);
    if (cpu_v86(c)) {
        for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = seg_v86(t->seg[n]);
        cpu_mode_changed(c);
        return;
    }
    load_cs(c, t->seg[SEG_CS], ext);
    load_ss(c, t->seg[SEG_SS], ext);
    cpu_mode_changed(c);
    static const uint8_t data[] = { SEG_DS, SEG_ES, SEG_FS, SEG_GS };
    for (unsigned n = 0; n < 4; n++) load_data(c, data[n], t->seg[data[n]], ext);
    cpu_mode_changed(c);
}

/* ---- The switch. */

void task_switch(struct cpu *c, uint16_t sel, const struct desc *desc, enum task_source source, uint32_t ip, uint32_t ext,
                 bool has_error, uint32_t error)
{
    struct seg new_tr = desc_seg(desc, sel);
    const struct tss_layout *from = layout_of(&c->tr), *to = layout_of(&new_tr);
    bool nested = source == TASK_CALL || source == TASK_EVENT;
    if (new_tr.limit < to->limit) cpu_fault(c, V_TS, sel_error(sel, ext));
    if (c->tr.limit < from->limit) cpu_fault(c, V_TS, sel_error(c->tr.sel, ext));

    /* Everything the switch touches must be there: both TSSs and both descriptors. */
    uint64_t old_desc = (uint32_t)(c->gdtr.base + (c->tr.sel & ~7u));
    bool has_old = !sel_null(c->tr.sel);
    struct tss_image t;
    read_image(c, &new_tr, &t);
    lin_probe_write_sys(c, (uint32_t)(c->tr.base + from->eip), from->ldt - from->eip);
    if (!nested && has_old) lin_probe_write_sys(c, old_desc + 5, 1);
    if (source != TASK_IRET) lin_probe_write_sys(c, desc->addr + 5, 1);
    if (nested) lin_probe_write_sys(c, new_tr.base, 2);

    /* The old task goes to its TSS. */
    uint32_t flags = eflags_get(c);
    if (source == TASK_IRET) flags &= ~(uint32_t)FL_NT;
    if (!nested && has_old) desc_set_busy(c, old_desc, false);
    write_image(c, &c->tr, ip, flags);
    if (nested) {
        lin_write_sys(c, new_tr.base, c->tr.sel, 2);
        t.eflags |= FL_NT;
    }
    if (source != TASK_IRET) desc_set_busy(c, desc->addr, true);

    /* The point of no return: the new task's registers. */
    trace(c->log, cpu_task_switch, (uint64_t)c->tr.sel, (uint64_t)sel, (uint64_t)c->seg[SEG_CS].sel, (uint64_t)ip);
    c->tr = new_tr;
    c->tr.attr |= SYS_BUSY;
    c->cr0 |= CR0_TS;
    c->dr[7] &= ~(uint64_t)DR7_LOCAL;
    for (unsigned n = 0; n < 8; n++) c->r[n] = t.r[n];
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = (struct seg){ .sel = t.seg[n] };
    c->ldtr = (struct seg){ .sel = t.ldt };
    c->rip = t.eip;
    c->next_rip = t.eip;
    eflags_set(c, (t.eflags & c->model->flags_mask) | c->model->flags_fixed_one);
    c->cpl = cpu_v86(c) ? 3 : (uint8_t)sel_rpl(t.seg[SEG_CS]);
    if (to->word == 4 && (c->cr0 & CR0_PG)) {
        if (c->cr4 & CR4_PAE) paging_load_pdptes(c, t.cr3);
        c->cr3 = t.cr3;
        tlb_flush(c, false);
    }
    cpu_mode_changed(c);

    load_segments(c, &t, ext);
    if (t.trap) {                                          /* #DB before its first instruction, DR6.BT set */
        c->dr6_pending |= DR6_BT;
        c->attention |= ATT_TRAP;
    }
    if (has_error) {
        struct frame f;
        frame_init(&f, &c->seg[SEG_SS], reg32(c, R_SP), c->cpl);
        frame_check(c, &f, 1, to->word, ext);
        frame_push(c, &f, error, to->word);
        frame_commit_sp(c, &f);
    }
    if (c->rip > c->seg[SEG_CS].limit) cpu_fault(c, V_GP, ext);
}
