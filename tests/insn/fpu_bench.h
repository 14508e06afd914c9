/* The x87 and SIMD bodies alone on a bench: a struct cpu, 1 KiB of memory behind every segment, and the access functions
 * that the bodies call. Include it in one file of a program; it defines the functions of access.c and run.c that are used,
 * so nothing else of the CPU is linked. Accesses at or above `limit` take #PF; cpu_fault() comes back to bench_run(). */
#ifndef TESTS_FPU_BENCH_H
#define TESTS_FPU_BENCH_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/fpu.h"

enum { BENCH_MEM = 1024, BENCH_EA = 256 };

struct bench {
    struct cpu c;                    /* first: the access functions find the bench by it */
    uint8_t mem[BENCH_MEM];
    uint64_t limit, ea;
    jmp_buf landing;
    struct model model;
};

static struct bench *bench_of(struct cpu *c) { return (struct bench *)(void *)c; }

static uint8_t *bench_at(struct cpu *c, uint64_t off, unsigned len)
{
    if (off + len > bench_of(c)->limit) cpu_fault(c, V_PF, 0);
    return bench_of(c)->mem + off;
}

uint8_t mem_read8(struct cpu *c, unsigned seg, uint64_t off) { (void)seg; return *bench_at(c, off, 1); }
uint16_t mem_read16(struct cpu *c, unsigned seg, uint64_t off) { (void)seg; return ld16(bench_at(c, off, 2)); }
uint32_t mem_read32(struct cpu *c, unsigned seg, uint64_t off) { (void)seg; return ld32(bench_at(c, off, 4)); }
uint64_t mem_read64(struct cpu *c, unsigned seg, uint64_t off) { (void)seg; return ld64(bench_at(c, off, 8)); }
void mem_write8(struct cpu *c, unsigned seg, uint64_t off, uint8_t v) { (void)seg; *bench_at(c, off, 1) = v; }
void mem_write16(struct cpu *c, unsigned seg, uint64_t off, uint16_t v) { (void)seg; st16(bench_at(c, off, 2), v); }
void mem_write32(struct cpu *c, unsigned seg, uint64_t off, uint32_t v) { (void)seg; st32(bench_at(c, off, 4), v); }
void mem_write64(struct cpu *c, unsigned seg, uint64_t off, uint64_t v) { (void)seg; st64(bench_at(c, off, 8), v); }
void mem_read_bytes(struct cpu *c, unsigned seg, uint64_t off, void *b, unsigned n)
{
    (void)seg;
    memcpy(b, bench_at(c, off, n), n);
}
void mem_write_bytes(struct cpu *c, unsigned seg, uint64_t off, const void *b, unsigned n)
{
    (void)seg;
    memcpy(bench_at(c, off, n), b, n);
}
void access_probe_read(struct cpu *c, unsigned seg, uint64_t off, unsigned n) { (void)seg, (void)bench_at(c, off, n); }
void access_probe_write(struct cpu *c, unsigned seg, uint64_t off, unsigned n) { (void)seg, (void)bench_at(c, off, n); }
uint64_t rm_read(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t v = insn_is_mem(i) ? ld_size(bench_at(c, bench_of(c)->ea, size), size) : c->r[i->rm];
    return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}
void rm_write(struct cpu *c, const struct insn *i, uint64_t v, unsigned size)
{
    if (insn_is_mem(i)) st_size(bench_at(c, bench_of(c)->ea, size), v, size);
    else set_reg(c, i->rm, v, size);
}
uint64_t insn_ea(struct cpu *c, const struct insn *i) { (void)i; return bench_of(c)->ea; }
uint32_t eflags_get(struct cpu *c) { return c->eflags; }
void eflags_set(struct cpu *c, uint32_t v) { c->eflags = v; }
_Noreturn void cpu_fault(struct cpu *c, enum vector v, uint32_t error)
{
    c->fault_vector = v;
    c->fault_error = error;
    longjmp(bench_of(c)->landing, 1);
}

/* A unit after FNINIT, CR0.NE set, protected mode. */
static inline void bench_init(struct bench *b, enum cpu_level level)
{
    memset(b, 0, sizeof *b);
    b->model = (struct model){ .name = "bench", .level = level };
    b->c.model = &b->model;
    b->c.features[0] = 1ull << F_FPU;
    b->c.cr0 = CR0_PE | CR0_NE;
    b->limit = BENCH_MEM;
    b->ea = BENCH_EA;
    fpu_reset(&b->c, true);
}

enum { BENCH_FAULT = 100 };          /* bench_run: BENCH_FAULT + vector where the body faulted */

static inline int bench_run(struct bench *b, insn_body *body, const struct insn *i)
{
    if (setjmp(b->landing)) return BENCH_FAULT + (int)b->c.fault_vector;
    return (int)body(&b->c, i);
}

#endif
