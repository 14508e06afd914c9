/* A CPU on 4 MiB of RAM with nothing else: tests of the system half call slow bodies and look at registers, memory and
 * faults. Tables stand at fixed addresses; a test writes descriptors and runs one body. */
#ifndef TESTS_CPU_RIG_H
#define TESTS_CPU_RIG_H

#include <setjmp.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/model.h"
#include "cpu/system.h"
#include "tests/suite.h"

enum { /* linear addresses, all in the first megabyte */
    RIG_GDT = 0x1000, RIG_IDT = 0x2000, RIG_TSS = 0x3000, RIG_TSS2 = 0x4000, RIG_LDT = 0x5000, RIG_STACK0 = 0x8000,
    RIG_STACK3 = 0x9000, RIG_CODE = 0x10000, RIG_DATA = 0x20000, RIG_PD = 0x100000, RIG_PT = 0x101000,
};
enum { /* selectors of the usual GDT */
    K_CODE = 0x08, K_DATA = 0x10, U_CODE = 0x1b, U_DATA = 0x23, S_TSS = 0x28, S_TSS2 = 0x30, S_LDT = 0x38, S_FREE = 0x40,
    S_FREE2 = 0x48, S_FREE3 = 0x50,
};
enum { /* access bytes */
    A_CODE = 0x9b, A_DATA = 0x93, A_CODE3 = 0xfb, A_DATA3 = 0xf3, A_TSS32 = 0x89, A_TSS16 = 0x81, A_LDT = 0x82,
    A_CALL32 = 0x8c, A_CALL16 = 0x84, A_TASK = 0x85, A_INT32 = 0x8e, A_TRAP32 = 0x8f, A_INT16 = 0x86,
};
#define NO_FAULT (-1)

struct rig {
    struct ram_space ram;
    struct ram_block *block;
    struct region region;
    struct phys_map map;
    struct port_map ports;
    struct clock clock;
    struct log log;
    struct cpu *c;
    unsigned shutdowns;
    uint32_t error;              /* code of the last fault */
};

static void rig_shutdown(void *opaque) { ((struct rig *)opaque)->shutdowns++; }

static inline struct rig *rig_create(const char *model)
{
    struct rig *r = calloc(1, sizeof *r);
    struct error e;
    log_init(&r->log, stderr);
    ram_space_init(&r->ram);
    r->block = ram_create(&r->ram, "ram", 4u << 20, false, true);
    phys_init(&r->map, &r->ram, &r->log, 0xfffffffff);
    r->region = (struct region){ .name = "ram", .size = 4u << 20, .prio = PRIO_RAM, .enabled = true, .reads = true,
                                 .writes = true, .block = r->block };
    region_add(&r->map, &r->region);
    port_init(&r->ports, &r->log);
    clock_init(&r->clock, 100000000);
    struct cpu_config cfg = { .model = model, .mem = &r->map, .ports = &r->ports, .clock = &r->clock, .log = &r->log,
                              .pins = { .shutdown = rig_shutdown, .opaque = r }, .apic = true };
    r->c = cpu_create(&cfg, &e);
    ck_assert_msg(r->c != NULL, "cpu_create(%s)", model);
    return r;
}

static inline void rig_destroy(struct rig *r)
{
    cpu_destroy(r->c);
    phys_fini(&r->map);
    port_fini(&r->ports);
    ram_space_fini(&r->ram);
    clock_fini(&r->clock);
    log_fini(&r->log);
    free(r);
}

/* Memory behind the CPU's back (before the first access to it, or of data only). */
static inline uint8_t *rig_at(struct rig *r, uint32_t at) { return r->block->data + at; }
static inline void rig_w16(struct rig *r, uint32_t at, uint16_t v) { st16(rig_at(r, at), v); }
static inline void rig_w32(struct rig *r, uint32_t at, uint32_t v) { st32(rig_at(r, at), v); }
static inline uint16_t rig_r16(struct rig *r, uint32_t at) { return ld16(rig_at(r, at)); }
static inline uint32_t rig_r32(struct rig *r, uint32_t at) { return ld32(rig_at(r, at)); }

/* access: the access byte; flags: 0x4 D/B, 0x8 G. */
static inline void rig_desc(struct rig *r, uint32_t at, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    rig_w32(r, at, (limit & 0xffff) | base << 16);
    rig_w32(r, at + 4, (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000));
}
static inline void rig_gdt(struct rig *r, unsigned sel, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    rig_desc(r, RIG_GDT + (sel & ~7u), base, limit, access, flags);
}
static inline void rig_gate(struct rig *r, uint32_t at, unsigned sel, uint32_t off, unsigned access, unsigned params)
{
    rig_w32(r, at, (off & 0xffff) | sel << 16);
    rig_w32(r, at + 4, (off & 0xffff0000) | access << 8 | params);
}

static inline struct seg rig_seg(unsigned sel, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (struct seg){ .sel = (uint16_t)sel, .base = base, .limit = limit, .attr = (uint16_t)(access | flags << 12) };
}

/* Flat 32-bit protected mode at CPL 0 or 3, with the usual GDT, an empty IDT of 256 gates and a TSS. */
static inline void rig_protected(struct rig *r, unsigned cpl)
{
    struct cpu *c = r->c;
    rig_gdt(r, K_CODE, 0, 0xfffff, A_CODE, 0xc);
    rig_gdt(r, K_DATA, 0, 0xfffff, A_DATA, 0xc);
    rig_gdt(r, U_CODE, 0, 0xfffff, A_CODE3, 0xc);
    rig_gdt(r, U_DATA, 0, 0xfffff, A_DATA3, 0xc);
    rig_gdt(r, S_TSS, RIG_TSS, 0x67, A_TSS32 | 2, 0);
    rig_gdt(r, S_TSS2, RIG_TSS2, 0x67, A_TSS32, 0);
    rig_gdt(r, S_LDT, RIG_LDT, 0xff, A_LDT, 0);
    rig_w32(r, RIG_TSS + 4, RIG_STACK0);
    rig_w16(r, RIG_TSS + 8, K_DATA);
    rig_w16(r, RIG_TSS + 0x66, 0x68);
    c->gdtr = (struct desc_table){ .base = RIG_GDT, .limit = 0xff };
    c->idtr = (struct desc_table){ .base = RIG_IDT, .limit = 0x7ff };
    c->tr = rig_seg(S_TSS, RIG_TSS, 0x67, A_TSS32 | 2, 0);
    c->ldtr = rig_seg(S_LDT, RIG_LDT, 0xff, A_LDT, 0);
    c->cr0 |= CR0_PE;
    c->cpl = (uint8_t)cpl;
    unsigned dpl = cpl << 5;
    for (unsigned n = 0; n < SEG_COUNT; n++)
        c->seg[n] = rig_seg(cpl ? U_DATA : K_DATA, 0, 0xffffffff, A_DATA | dpl, 0xc);
    c->seg[SEG_CS] = rig_seg(cpl ? U_CODE : K_CODE, 0, 0xffffffff, A_CODE | dpl, 0xc);
    c->r[R_SP] = cpl ? RIG_STACK3 : RIG_STACK0;
    c->rip = RIG_CODE;
    c->next_rip = RIG_CODE + 2;
    cpu_mode_changed(c);
}

/* Virtual-8086 mode: CS 1000h, SS 0900h, DS 2000h. */
static inline void rig_v86(struct rig *r, unsigned iopl)
{
    struct cpu *c = r->c;
    static const uint16_t sel[SEG_COUNT] = { 0x2000, 0x1000, 0x0800, 0x2000, 0x2100, 0x2200 };
    rig_protected(r, 0);
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = rig_seg(sel[n], (uint32_t)sel[n] << 4, 0xffff, A_DATA3, 0);
    c->cpl = 3;
    c->r[R_SP] = 0x1000;
    c->rip = 0;
    c->next_rip = 2;
    eflags_set(c, FL_VM | FL_1 | FL_IF | iopl << 12);
    cpu_mode_changed(c);
}

/* Runs one body; the vector it faulted with (r->error its code), or NO_FAULT. */
static inline int rig_body(struct rig *r, insn_body *body, const struct insn *i)
{
    struct cpu *c = r->c;
    if (setjmp(c->landing)) {
        r->error = c->fault_error;
        return (int)c->fault_vector;
    }
    (void)body(c, i);
    return NO_FAULT;
}

/* An exception arrives, with everything that follows, as the run loop does it. */
static inline void rig_fault(struct rig *r, enum vector v, uint32_t error)
{
    struct cpu *c = r->c;
    c->fault_vector = v;
    c->fault_error = error;
    (void)setjmp(c->landing);
    event_fault(c, (enum vector)c->fault_vector, c->fault_error);
}

/* An event from outside or by INT n: the vector of the fault it met, or NO_FAULT. */
static inline int rig_event(struct rig *r, unsigned v, enum event_kind kind)
{
    struct cpu *c = r->c;
    if (setjmp(c->landing)) {
        r->error = c->fault_error;
        return (int)c->fault_vector;
    }
    event_deliver(c, (enum vector)v, kind, false, 0);
    return NO_FAULT;
}

#define INSN_O16 1
#define INSN_O32 2
/* The register form of an instruction. */
static inline struct insn rig_reg(unsigned reg, unsigned rm, unsigned opsize)
{
    return (struct insn){ .reg = (uint8_t)reg, .rm = (uint8_t)rm, .flags = (uint8_t)opsize | INSN_ADDR32, .base = R_NONE,
                          .index = R_NONE, .scale_seg = SEG_DS << 4 };
}
/* The memory form: [disp] in DS. */
static inline struct insn rig_mem(unsigned reg, uint32_t disp, unsigned opsize)
{
    struct insn i = rig_reg(reg, 0, opsize);
    i.flags |= INSN_MEM;
    i.disp = (int32_t)disp;
    return i;
}
static inline struct insn rig_far(unsigned sel, uint32_t off, unsigned opsize)
{
    return (struct insn){ .imm = (int32_t)off, .disp = (int32_t)sel, .flags = (uint8_t)opsize | INSN_ADDR32 };
}
static inline struct insn rig_plain(unsigned opsize) { return rig_reg(0, 0, opsize); }

#endif
