/* Descriptors, selectors and stack frames: what the segmentation files share. Private to them.
 *
 * A protected transfer is three steps: read and check descriptors (desc_read, the caller's rules), check the frame it
 * will push (frame_check), commit (desc_mark_accessed, frame_push, registers). Every fault comes before the third, so a
 * faulting transfer leaves registers and memory alone, and the accessed bits with them. */
#ifndef CPU_DESC_H
#define CPU_DESC_H

#include "cpu/state.h"

enum { SEL_RPL = 3, SEL_TI = 4, SEL_MASK = 0xfffc };

enum { /* system descriptor types, SDM vol. 3 table 3-2 */
    SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4, SYS_TASK_GATE = 5, SYS_INT16 = 6, SYS_TRAP16 = 7,
    SYS_TSS32 = 9, SYS_TSS32_BUSY = 11, SYS_CALL32 = 12, SYS_INT32 = 14, SYS_TRAP32 = 15,
    SYS_BUSY = 2, SYS_32 = 8,
};

/* Eight bytes of a descriptor table and where they stand. attr is as in struct seg. */
struct desc {
    uint32_t lo, hi;
    uint64_t addr;
    uint16_t sel;
    uint16_t attr;
};

static inline bool sel_null(uint16_t sel) { return (sel & SEL_MASK) == 0; }
static inline unsigned sel_rpl(uint16_t sel) { return sel & SEL_RPL; }
/* Error code that names a selector (SDM vol. 3 fig. 6-7); ext: 1 while an event external to the program is delivered. */
static inline uint32_t sel_error(uint16_t sel, uint32_t ext) { return (sel & SEL_MASK) | ext; }

static inline bool desc_system(const struct desc *d) { return !(d->attr & SEG_S); }
static inline unsigned desc_type(const struct desc *d) { return d->attr & SEG_TYPE; }
static inline unsigned desc_dpl(const struct desc *d) { return (d->attr >> 5) & 3; }
static inline bool desc_present(const struct desc *d) { return (d->attr & SEG_P) != 0; }
static inline bool desc_code(const struct desc *d) { return (d->attr & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE); }
static inline bool desc_data(const struct desc *d) { return (d->attr & (SEG_S | SEG_CODE)) == SEG_S; }
static inline bool desc_conforming(const struct desc *d) { return desc_code(d) && (d->attr & SEG_CONFORMING); }
static inline bool desc_writable(const struct desc *d) { return desc_data(d) && (d->attr & SEG_WRITABLE); }
static inline bool desc_readable(const struct desc *d) { return desc_data(d) || (desc_code(d) && (d->attr & SEG_READABLE)); }
/* An available TSS of the model's: 16-bit, or 32-bit too. */
static inline bool desc_tss(const struct desc *d, bool busy)
{
    return desc_system(d) && (desc_type(d) & ~(unsigned)SYS_32) == (busy ? SYS_TSS16_BUSY : SYS_TSS16);
}
/* Fields of a gate. */
static inline uint16_t gate_sel(const struct desc *d) { return (uint16_t)(d->lo >> 16); }
static inline bool gate_32(const struct desc *d) { return (desc_type(d) & SYS_32) != 0; }
static inline uint32_t gate_offset(const struct desc *d)
{
    return (d->lo & 0xffff) | (gate_32(d) ? d->hi & 0xffff0000 : 0);
}

/* The descriptor of a non-null selector. False if it lies outside its table (or the LDT is null). */
bool desc_read(struct cpu *c, uint16_t sel, struct desc *d);
/* The same, or the fault: vector v with the selector. */
void desc_fetch(struct cpu *c, uint16_t sel, struct desc *d, enum vector v, uint32_t ext);
/* Hidden part from a code, data, LDT or TSS descriptor; sel as given. */
struct seg desc_seg(const struct desc *d, uint16_t sel);
/* The accessed bit will be set: faults if its table cannot be written. */
void desc_probe_accessed(struct cpu *c, const struct desc *d);
/* Sets it in the table and in *d. */
void desc_mark_accessed(struct cpu *c, struct desc *d);
/* Sets or clears the busy bit of a TSS descriptor in the table. */
void desc_set_busy(struct cpu *c, uint64_t addr, bool busy);
/* A null selector in ES, DS, FS or GS. */
void seg_load_null(struct cpu *c, unsigned seg, uint16_t sel);
/* V86: base from the selector, 64 KiB, writable, DPL 3. */
struct seg seg_v86(uint16_t sel);

/* [off, off + len) is inside the segment's limit. */
bool seg_contains(const struct seg *s, uint32_t off, uint32_t len);

/* A stack to push on, perhaps not yet loaded into SS. */
struct frame {
    struct seg ss;
    uint32_t sp, mask;
    bool user;                   /* rights of the pushes: CPL 3 of the new level */
};
void frame_init(struct frame *f, const struct seg *ss, uint32_t sp, unsigned cpl);
/* count pushes of `size` bytes will fit and their pages can be written; else #SS(error) or #PF. */
void frame_check(struct cpu *c, const struct frame *f, unsigned count, unsigned size, uint32_t error);
void frame_push(struct cpu *c, struct frame *f, uint32_t v, unsigned size);
/* ESP or SP of the CPU from the frame, by the width of its stack. */
void frame_commit_sp(struct cpu *c, const struct frame *f);

/* SS:ESP of an inner level from the current TSS: #TS(TR) if it has none. */
void tss_stack(struct cpu *c, unsigned dpl, uint32_t ext, uint16_t *ss, uint32_t *esp);
/* Checks a stack segment for an inner level: #TS or #SS with the selector. */
void tss_stack_seg(struct cpu *c, uint16_t sel, unsigned dpl, uint32_t ext, struct desc *d);

/* A checked code segment becomes CS. The RPL of sel is replaced by cpl. */
void cs_commit(struct cpu *c, struct desc *d, uint16_t sel, unsigned cpl, uint32_t eip);
/* #GP(0) if eip lies outside the code segment of d. */
void cs_check_eip(struct cpu *c, const struct desc *d, uint32_t eip, uint32_t ext);
/* Real mode and V86: CS:IP, with the limit check. */
void cs_jump_real(struct cpu *c, uint16_t sel, uint32_t eip);

/* ---- task.c */
enum task_source { TASK_JMP, TASK_CALL, TASK_EVENT, TASK_IRET };
/* Switches to the task of a TSS selector. ip: the EIP to save for the old task. ext: EXT bit of error codes.
 * has_error: an error code to push on the new task's stack. (SDM vol. 3 ch. 7.3) */
void task_switch(struct cpu *c, uint16_t sel, const struct desc *tss, enum task_source source, uint32_t ip, uint32_t ext,
                 bool has_error, uint32_t error);
/* Follows a task gate (its own privilege and presence checked by the caller): TSS selector and descriptor, or the fault. */
uint16_t task_gate_tss(struct cpu *c, const struct desc *gate, uint32_t ext, struct desc *tss);

/* ---- v86.c */
/* INT n in V86 mode: true if CR4.VME redirected it through the 8086 vector table (done); #GP(0) where IOPL forbids it. */
bool v86_soft_int(struct cpu *c, unsigned vector, uint64_t ip);
/* Bit of the TSS interrupt redirection or I/O permission map at byte `byte` from the map base at TSS offset 66h; false
 * if it lies outside the TSS. */
bool tss_map_word(struct cpu *c, int32_t byte, uint16_t *value);
/* EFLAGS bits that IRET and POPF may change at a privilege level; operand size 2 or 4. */
uint32_t flags_writable(const struct cpu *c, unsigned size);
/* Replaces the flags in `mask` by those of value. */
void flags_replace(struct cpu *c, uint32_t value, uint32_t mask);

/* ---- sysops.c: the bits of CR0 and CR4 that the model has. */
uint32_t sys_cr0_bits(const struct cpu *c);
uint32_t sys_cr4_bits(const struct cpu *c);

/* ---- debug.c */
void debug_io(struct cpu *c, uint16_t port, unsigned size);

#endif
