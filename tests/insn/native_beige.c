/* Beige's side of `native`. Tables and handlers are in supervisor pages at SYSTEM, which user code cannot see; the
 * handlers are HLTs, and the one that was reached names the vector. The GDT is the one that the host's LAR and LSL show. */
#include "tests/insn/native_beige.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/block.h"
#include "cpu/fpu.h"
#include "cpu/model.h"

enum { /* physical; linear is SYSTEM higher */
    P_PD = 0, P_PT_WINDOW = 0x1000, P_PT_SYSTEM = 0x2000, P_GDT = 0x3000, P_LDT = 0x3800, P_IDT = 0x4000, P_TSS = 0x5000,
    P_STACK = 0x7000, P_HANDLERS = 0x8000, P_WINDOW = 0x10000, RAM_SIZE = 0x20000,
    GDT_LIMIT = 16 * 8 - 1, SEL_KERNEL_CODE = 0x10, SEL_KERNEL_DATA = 0x18, HANDLER = 16,
    FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160,
};
#define SYSTEM 0xfe000000u

struct beige {
    struct ram_space ram;
    struct phys_map mem;
    struct port_map ports;
    struct clock clock;
    struct log log;
    struct cpu *cpu;
    struct ram_block *block;
    struct region region;
    const struct batch *memory;
    uint8_t data[DATA_SIZE];                  /* before the patches */
    struct seg kernel_cs, kernel_ss;
};

struct cpu *beige_cpu(struct beige *g) { return g->cpu; }

static uint8_t *at(struct beige *g, uint32_t phys) { return g->block->data + phys; }

static void descriptor(uint8_t *p, uint32_t base, uint32_t limit, uint32_t access)
{
    st32(p, (limit & 0xffff) | base << 16);
    st32(p + 4, (base >> 16 & 0xff) | (access & 0xf0ff00) | (limit & 0xf0000) | (base & 0xff000000));
}

static void build_tables(struct beige *g, const struct batch *b)
{
    static const struct ldt_row rows[LDT_COUNT] = LDT_ROWS;
    for (unsigned n = 1; n < 16; n++) {
        uint32_t a = b->access[n], limit = b->limit[n];
        if (a) descriptor(at(g, P_GDT + 8 * n), 0, a & 0x800000 ? limit >> 12 : limit, a);
    }
    descriptor(at(g, P_GDT + SEL_KERNEL_CODE), 0, 0xfffff, 0xc09b00);
    descriptor(at(g, P_GDT + SEL_KERNEL_DATA), 0, 0xfffff, 0xc09300);
    for (unsigned n = 0; n < LDT_COUNT; n++) {
        const struct ldt_row *r = &rows[n];
        uint32_t type = 1u | (r->read_exec_only ? 0 : 2) | r->contents * 4u;
        descriptor(at(g, P_LDT + 8 * n), r->base, r->limit,
                   (type | 0x70u | (r->absent ? 0 : 0x80u)) << 8 | (uint32_t)r->d << 22 | (uint32_t)r->pages << 23);
    }
    for (unsigned v = 0; v < 256; v++) {      /* user code may use 3 and 4 */
        uint32_t entry = SYSTEM + P_HANDLERS + HANDLER * v;
        st32(at(g, P_IDT + 8 * v), (entry & 0xffff) | SEL_KERNEL_CODE << 16);
        st32(at(g, P_IDT + 8 * v + 4), (entry & 0xffff0000) | (v == 3 || v == 4 ? 0xee00 : 0x8e00));
        *at(g, P_HANDLERS + HANDLER * v) = 0xf4;
    }
    st32(at(g, P_TSS + 4), SYSTEM + P_STACK);
    st16(at(g, P_TSS + 8), SEL_KERNEL_DATA);
    st16(at(g, P_TSS + 0x66), 0x68);
}

static void build_paging(struct beige *g)
{
    enum { P = 1, W = 2, U = 4, AD = 0x60 };
    st32(at(g, P_PD + 4 * (WINDOW >> 22)), P_PT_WINDOW | P | W | U | AD);
    st32(at(g, P_PD + 4 * (SYSTEM >> 22)), P_PT_SYSTEM | P | W | AD);
    for (unsigned n = 0; n < 16; n++) st32(at(g, P_PT_SYSTEM + 4 * n), n * PAGE | P | W | AD);
    static const struct { uint32_t from, size, bits; } pages[] = {
        { DATA, DATA_SIZE, P | W | U | AD }, { CONSTANT, PAGE, P | U | AD }, { CODE, CODE_SIZE, P | U | AD },
    };
    for (unsigned k = 0; k < sizeof pages / sizeof pages[0]; k++)
        for (uint32_t p = pages[k].from; p < pages[k].from + pages[k].size; p += PAGE)
            st32(at(g, P_PT_WINDOW + 4 * (p / PAGE)), (P_WINDOW + p) | pages[k].bits);
}

/* What a load of the selector leaves in the hidden part. */
static struct seg loaded(struct beige *g, uint16_t sel)
{
    if (!(sel & ~3u)) return (struct seg){ .sel = sel };
    const uint8_t *p = at(g, (sel & 4 ? P_LDT : P_GDT) + (sel & ~7u));
    uint32_t lo = ld32(p), hi = ld32(p + 4), limit = (lo & 0xffff) | (hi & 0xf0000);
    if (hi & 0x800000) limit = limit << 12 | 0xfff;
    return (struct seg){ .sel = sel, .base = lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000), .limit = limit,
                         .attr = (uint16_t)(hi >> 8 & 0xf0ff) };
}

static void enable_all(struct cpu *c)
{
    static const uint8_t newer[] = { F_MMX, F_FXSR, F_SSE, F_SSE2, F_SSE3, F_CLFLUSH };
    for (unsigned n = 0; n < sizeof newer; n++) c->features[0] |= 1ull << newer[n];
    decode_map_build(&c->blocks->map, cpu_level(c), c->features[0]);
}

struct beige *beige_create(const struct batch *b)
{
    struct beige *g = calloc(1, sizeof *g);
    struct error e = { "" };
    g->memory = b;
    log_init(&g->log, stderr);
    clock_init(&g->clock, 100000000);
    ram_space_init(&g->ram);
    phys_init(&g->mem, &g->ram, &g->log, 0xffffffff);
    port_init(&g->ports, &g->log);
    g->cpu = cpu_create(&(struct cpu_config){ .model = "pentium3", .mem = &g->mem, .ports = &g->ports, .clock = &g->clock,
                                              .log = &g->log }, &e);
    if (!g->cpu) {
        fprintf(stderr, "native: %s\n", e.text);
        exit(2);
    }
    g->mem.addr_mask = cpu_phys_mask(g->cpu);
    g->block = ram_create(&g->ram, "ram", RAM_SIZE, false, true);
    g->region = (struct region){ .name = "ram", .size = RAM_SIZE, .prio = PRIO_RAM, .enabled = true, .reads = true,
                                 .writes = true, .block = g->block };
    region_add(&g->mem, &g->region);
    memcpy(g->data, b->data, DATA_SIZE);
    memcpy(at(g, P_WINDOW + DATA), b->data, DATA_SIZE);
    memcpy(at(g, P_WINDOW + CONSTANT), b->constant, PAGE);
    memset(at(g, P_WINDOW + CODE), 0x90, CODE_SIZE);
    build_tables(g, b);
    build_paging(g);

    struct cpu *c = g->cpu;
    enable_all(c);
    c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    c->cr3 = P_PD;
    c->gdtr = (struct desc_table){ .base = SYSTEM + P_GDT, .limit = GDT_LIMIT };
    c->idtr = (struct desc_table){ .base = SYSTEM + P_IDT, .limit = 0x7ff };
    c->ldtr = (struct seg){ .sel = 0x50, .base = SYSTEM + P_LDT, .limit = LDT_COUNT * 8 - 1, .attr = 0x82 };
    c->tr = (struct seg){ .sel = 0x40, .base = SYSTEM + P_TSS, .limit = 0x67, .attr = 0x8b };
    g->kernel_cs = loaded(g, SEL_KERNEL_CODE);
    g->kernel_ss = loaded(g, SEL_KERNEL_DATA);
    tlb_flush(c, true);
    return g;
}

void beige_destroy(struct beige *g)
{
    cpu_destroy(g->cpu);
    port_fini(&g->ports);
    phys_fini(&g->mem);
    ram_space_fini(&g->ram);
    clock_fini(&g->clock);
    log_fini(&g->log);
    free(g);
}

static void load_image(struct beige *g, const struct image *in)
{
    struct cpu *c = g->cpu;
    c->cpl = 3;
    c->activity = ACT_RUNNING;
    c->shadow_ss = c->shadow_sti = c->in_exception = false;
    c->dr6_pending = 0;
    c->dr[6] = 0xffff0ff0;
    c->attention = 0;
    c->cr2 = 0;
    for (unsigned n = 0; n < 8; n++) c->r[n] = in->r[n];
    for (unsigned n = 0; n < SEG_COUNT; n++) c->seg[n] = loaded(g, in->seg[n]);
    c->rip = c->next_rip = in->eip;
    eflags_set(c, in->eflags);
    c->fcw = ld16(in->fx);
    c->fsw = ld16(in->fx + 2) & (uint16_t)~FSW_TOP;
    c->ftop = ld16(in->fx + 2) >> 11 & 7;
    c->ftag = in->fx[4];
    c->ferr = false;
    c->fop = c->fcs = c->fds = 0;
    c->fip = c->fdp = 0;
    c->mxcsr = ld32(in->fx + FX_MXCSR);
    for (unsigned n = 0; n < 8; n++) {
        const uint8_t *st = in->fx + FX_ST + 16 * n, *x = in->fx + FX_XMM + 16 * n;
        c->st[fpu_reg(c, n)] = (struct f80){ .mant = ld64(st), .se = ld16(st + 8) };
        c->xmm[n] = (union xmm){ { ld64(x), ld64(x + 8) } };
    }
    cpu_mode_changed(c);
}

static void store_image(struct beige *g, struct image *o)
{
    struct cpu *c = g->cpu;
    memset(o, 0, sizeof *o);
    for (unsigned n = 0; n < 8; n++) o->r[n] = (uint32_t)c->r[n];
    for (unsigned n = 0; n < SEG_COUNT; n++) o->seg[n] = c->seg[n].sel;
    o->eip = (uint32_t)c->rip;
    o->eflags = eflags_get(c);
    o->vector = NO_VECTOR;
    if (c->cpl == 0) {                        /* in a handler; the frame ends at the top of the stack */
        const uint8_t *f = at(g, P_STACK - 20);
        o->vector = ((uint32_t)(c->rip - SYSTEM - P_HANDLERS)) / HANDLER;
        o->eip = ld32(f);
        o->seg[N_CS] = ld16(f + 4);
        o->eflags = ld32(f + 8);
        o->r[4] = ld32(f + 12);
        o->seg[N_SS] = ld16(f + 16);
        if (o->vector == V_PF || (o->vector >= V_TS && o->vector <= V_GP)) o->error = ld32(at(g, P_STACK - 24));
        if (o->vector == V_PF) o->cr2 = (uint32_t)c->cr2;
        if (o->vector == V_DB) o->vector = NO_VECTOR;
    }
    st16(o->fx, c->fcw);
    st16(o->fx + 2, fpu_status_word(c));
    o->fx[4] = c->ftag;
    st32(o->fx + FX_MXCSR, c->mxcsr);
    for (unsigned n = 0; n < 8; n++) {
        uint8_t *st = o->fx + FX_ST + 16 * n, *x = o->fx + FX_XMM + 16 * n;
        st64(st, fpu_st(c, n).mant);
        st16(st + 8, (uint16_t)fpu_st(c, n).se);
        st64(x, c->xmm[n].q[0]);
        st64(x + 8, c->xmm[n].q[1]);
    }
}

/* Notes what differs from the memory before, and puts that back. */
static void store_changes(struct beige *g, const struct test_case *t, struct outcome *o)
{
    uint8_t *now = at(g, P_WINDOW + DATA);
    for (unsigned n = 0; n < PATCHES; n++) memcpy(g->data + t->patch[n].at, t->patch[n].bytes, t->patch[n].len);
    o->changes = 0;
    for (unsigned k = 0; k < DATA_SIZE; k += 256) {
        if (!memcmp(now + k, g->data + k, 256)) continue;
        for (unsigned j = k; j < k + 256; j += 4) {
            struct change c = { j, ld32(g->data + j), ld32(now + j) };
            if (c.value == c.before) continue;
            if (o->changes < CHANGES) o->change[o->changes] = c;
            o->changes++;
        }
        memcpy(now + k, g->data + k, 256);
    }
    for (unsigned n = 0; n < PATCHES; n++) {
        const struct patch *p = &t->patch[n];
        memcpy(g->data + p->at, g->memory->data + p->at, p->len);
        memcpy(now + p->at, g->memory->data + p->at, p->len);
    }
}

void beige_run(struct beige *g, const struct test_case *t, bool in_block, struct outcome *o)
{
    enum { INT3 = 0xcc };
    struct cpu *c = g->cpu;
    uint32_t code = P_WINDOW + t->in.eip + (t->in.seg[N_CS] == SEL_CODE ? 0 : WINDOW) - WINDOW;
    uint32_t room = P_WINDOW + CODE + CODE_SIZE - code, len = t->len < room ? t->len : room;
    in_block = in_block && len < room;
    memcpy(at(g, code), t->bytes, len);
    if (in_block) *at(g, code + len) = INT3;
    ram_written(g->block, code, len + in_block);
    for (unsigned n = 0; n < PATCHES; n++) memcpy(at(g, P_WINDOW + DATA + t->patch[n].at), t->patch[n].bytes, t->patch[n].len);
    load_image(g, &t->in);

    uint64_t left = in_block ? t->steps + 1u : t->steps;
    while (left && c->cpl == 3 && !(c->activity == ACT_HALTED)) left -= cpu_run(c, left);
    store_image(g, &o->image);
    if (in_block && o->image.vector == V_BP) {
        o->image.vector = NO_VECTOR;
        o->image.eip--;
    }
    store_changes(g, t, o);
    memset(at(g, code), 0x90, len + in_block);
}
