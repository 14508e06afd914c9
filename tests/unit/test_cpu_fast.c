/* The fast handlers of MMX, SSE and the x87 against the slow bodies: each runs on the same random state, and both must leave
 * the same one behind, faults included. A body is what the other tests judge by silicon and by exact arithmetic. */
#include "cpu/block.h"
#include "cpu/exec.h"
#include "cpu/fast_seq.h"
#include "cpu/fast_simd.h"
#include "cpu/flags.h"
#include "cpu/optable.h"
#include "tests/unit/cpu_rig.h"

enum { CASES = 400, DATA_SIZE = 64, FRESH = 0x5a5a5a5a };

/* ---- operands: the ordinary, and every edge there is */
static uint64_t double_operand(uint64_t *s, bool calm)
{
    static const uint64_t edge[] = {
        0, 1ull << 63, 1, 0xfffffffffffff, 0x10000000000000, 0x7fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
        0x7ff8000000000000, 0x7ff0000000000001, 0xffffffffffffffff, 0x3ff0000000000000, 0xbff0000000000000,
        0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x3fe0000000000000,
        0x2ff0000000000000, 0x2fe0000000000000, 0x4fefffffffffffff, 0x4ff0000000000000, 0x20c0000000000000,
    };
    uint64_t v = random64(s);
    switch (calm ? 2 + random64(s) % 6 : random64(s) % 8) {
    case 0: return edge[v % (sizeof edge / sizeof edge[0])];
    case 1: return v;
    case 2: return (v & 0x8000000000000000) | (0x3ffull + (v & 31)) << 52 | (v & 0x000fffff00000000);    /* short */
    case 3: return (v & 0x8000000000000000) | (0x3ffull + (v & 15)) << 52 | (v & 0x000f800000000000);
    case 4: return (v & 0x800fffffffffffff) | (0x2f0ull + (v >> 52 & 0x1ff)) << 52;
    default: return (v & 0x800fffffffffffff) | (0x3e0ull + (v >> 52 & 0x3f)) << 52;
    }
}

static uint32_t float_operand(uint64_t *s, bool calm)
{
    static const uint32_t edge[] = {
        0, 1u << 31, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff,
        0x3f800000, 0xbf800000, 0x4effffff, 0x4f000000, 0xcf000000, 0x3f000000, 0x2f800000, 0x2f7fffff, 0x4f7fffff, 0x4f800000,
    };
    uint64_t v = random64(s);
    switch (calm ? 2 + random64(s) % 6 : random64(s) % 8) {
    case 0: return edge[v % (sizeof edge / sizeof edge[0])];
    case 1: return (uint32_t)v;
    case 2: return (uint32_t)(v & 0x80000000) | (0x7fu + (v & 15)) << 23 | (uint32_t)(v >> 32 & 0x7f0000);
    case 3: return (uint32_t)(v & 0x807fffff) | (0x58u + (v >> 32 & 0x4f)) << 23;
    default: return (uint32_t)(v & 0x807fffff) | (0x78u + (v >> 32 & 15)) << 23;
    }
}

/* style: bit 0 floats, not doubles; bit 1 only ordinary numbers; 6 and 7 bits without meaning. */
static uint64_t lanes(uint64_t *s, unsigned style)
{
    if (style > 5) return random64(s) & random64(s);
    if (!(style & 1)) return double_operand(s, style & 2);
    uint64_t low = float_operand(s, style & 2);
    return low | (uint64_t)float_operand(s, style & 2) << 32;
}

static struct f80 extended_operand(uint64_t *s)
{
    static const struct f80 edge[] = {
        { 0, 0 }, { 0, 0x8000 }, { 1, 0 }, { 1ull << 63, 0 }, { 1ull << 63, 1 }, { ~0ull, 0x7ffe }, { 1ull << 63, 0x7fff },
        { 1ull << 63, 0xffff }, { 3ull << 62, 0x7fff }, { 0xa000000000000000, 0x7fff }, { 1ull << 62, 0x3fff }, { 0, 0x7fff },
        { 1ull << 63, 0x3fff }, { 1ull << 63, 0xbfff }, { ~0ull, 0x3fff }, { ~0ull, 0x401d }, { 1ull << 63, 0xc01e },
        { 1ull << 63, 0x3c00 }, { 1ull << 63, 0x43ff }, { 1ull << 63, 0x3f80 }, { ~0ull, 0x43fe }, { 1ull << 63, 0x403e },
    };
    uint64_t v = random64(s);
    switch (random64(s) % 8) {
    case 0: return edge[v % (sizeof edge / sizeof edge[0])];
    case 1: return (struct f80){ v, random64(s) & 0xffff };
    case 2: return (struct f80){ v << 63 | 1ull << 63 | (v & 0x7fffff0000000000), (random64(s) & 0x8000) | (0x3fff + (v & 15)) };
    case 3: return (struct f80){ v | 1ull << 63, (random64(s) & 0x8000) | (0x3fff - 70 + (v >> 56) % 140) };
    default: return (struct f80){ v | 1ull << 63, (random64(s) & 0x8000) | (0x3fff - 8 + (v >> 40) % 16) };
    }
}

static void random_state(struct rig *r, uint64_t *s)
{
    static const uint32_t mxcsr[] = { 0x1f80, 0x1fa0, 0x1fbf, 0x3fa0, 0x5fa0, 0x7fa0, 0x0fa0, 0x0f80, 0x1fe0, 0x9fa0, 0x1f00, 0 };
    struct cpu *c = r->c;
    unsigned style = (unsigned)(random64(s) & 7);
    for (unsigned n = 0; n < 8; n++) {
        c->r[n] = (uint32_t)(random64(s) % 4 ? random64(s) : random64(s) % 1000);
        c->xmm[n] = (union xmm){ { lanes(s, style), lanes(s, style) } };
        c->st[n] = extended_operand(s);
    }
    c->r[R_SI] = RIG_DATA + 16;
    c->r[R_DI] = 1;
    unsigned kind = (unsigned)(random64(s) % 24);
    c->mxcsr = kind < 12 ? 0x1fa0 : mxcsr[kind - 12];
    c->ftop = random64(s) & 7;
    c->ftag = random64(s) % 4 ? 0xff : (uint8_t)random64(s);
    c->fcw = random64(s) % 4 ? 0x37f : (uint16_t)((random64(s) & 0xf3f) | 0x40);
    c->fsw = (uint16_t)(random64(s) & 0x477f);
    if (c->fsw & ~c->fcw & 0x3f) c->fsw &= 0xff40;
    c->fop = 0x123, c->fip = 0x4567, c->fcs = 0x89, c->fdp = 0xabcd, c->fds = 0xef;
    c->cr0 = CR0_PE | CR0_NE | CR0_ET | (random64(s) % 32 ? 0 : random64(s) & (CR0_EM | CR0_TS));
    c->cr4 = random64(s) % 32 ? CR4_OSFXSR | CR4_OSXMMEXCPT : (uint32_t)random64(s) & (CR4_OSFXSR | CR4_OSXMMEXCPT);
    flags_set_arith(c, (uint32_t)random64(s) & FL_ARITH);
    uint8_t *data = rig_at(r, RIG_DATA);
    for (unsigned n = 0; n < DATA_SIZE; n += 8) st64(data + n, lanes(s, style));
    if (style == 6) for (unsigned n = 0; n < DATA_SIZE; n += 4) st32(data + n, (uint32_t)random64(s) % 2000 - 1000);
}

struct outcome {
    int vector;
    bool fast;                                /* the body was not called */
    struct cpu cpu;
    uint8_t data[DATA_SIZE];
};

/* handler runs i, or i and `second`, which has its body otherwise. */
static void run(struct rig *r, insn_handler *handler, const struct insn *i, const struct insn *second, struct outcome *o)
{
    struct cpu *c = r->c;
    struct insn record[3] = { *i, { .run = run_end, .op = OP_nop, .off = i->len, .count = 1 } };
    record[0].run = handler;
    if (second) {
        record[2] = record[1];
        record[2].off = (uint16_t)(i->len + second->len);
        record[2].count = 2;
        record[1] = *second;
        record[1].run = run_body;
        record[1].off = i->len;
        record[1].count = 1;
    }
    c->next_rip = FRESH;
    c->budget = 1000;
    c->attention = 0;
    c->fault_vector = 0;
    if (setjmp(c->landing)) {
        o->vector = (int)c->fault_vector;
    } else {
        o->vector = NO_FAULT;
        exec_run(c, record);
    }
    o->fast = c->next_rip == FRESH;
    c->budget = 0;
    c->next_rip = 0;
    eflags_set(c, eflags_get(c));             /* canonical */
    o->cpu = *c;
    memcpy(o->data, rig_at(r, RIG_DATA), DATA_SIZE);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    const struct cpu *x = &a->cpu, *y = &b->cpu;
    for (unsigned n = 0; n < 8; n++) if (x->st[n].mant != y->st[n].mant || x->st[n].se != y->st[n].se) return false;
    return a->vector == b->vector && !memcmp(a->data, b->data, DATA_SIZE) && !memcmp(x->r, y->r, sizeof x->r) &&
           !memcmp(x->xmm, y->xmm, sizeof x->xmm) && x->mxcsr == y->mxcsr && x->eflags == y->eflags && x->rip == y->rip &&
           x->ftop == y->ftop && x->ftag == y->ftag && x->fcw == y->fcw && x->fsw == y->fsw && x->fop == y->fop &&
           x->fip == y->fip && x->fcs == y->fcs && x->fdp == y->fdp && x->fds == y->fds;
}

static void tell(const struct outcome *before, const struct outcome *fast, const struct outcome *slow, unsigned reg, unsigned rm)
{
    const struct outcome *all[3] = { before, fast, slow };
    for (unsigned n = 0; n < 3; n++) {
        const struct cpu *c = &all[n]->cpu;
        fprintf(stderr, "%s: vector %d mxcsr %x eflags %x fsw %x fcw %x top %u tags %x\n", n ? n == 1 ? "fast" : "body" : "in",
                all[n]->vector, c->mxcsr, c->eflags, c->fsw, c->fcw, c->ftop, c->ftag);
        for (unsigned k = 0; k < 2; k++) {
            unsigned x = k ? rm : reg;
            fprintf(stderr, "  r%u %08llx xmm %016llx%016llx st(%u) %04x %016llx\n", x, (unsigned long long)c->r[x],
                    (unsigned long long)c->xmm[x].q[1], (unsigned long long)c->xmm[x].q[0], x,
                    (unsigned)c->st[(c->ftop + x) & 7].se, (unsigned long long)c->st[(c->ftop + x) & 7].mant);
        }
        for (unsigned k = 16; k < 32; k++) fprintf(stderr, "%s%02x", k == 16 ? "  memory " : " ", all[n]->data[k]);
        fprintf(stderr, "\n");
    }
}

/* One operation in one form. */
static void compare(struct rig *r, unsigned op, bool memory, enum ea ea, uint64_t *s)
{
    struct insn i = memory ? rig_mem(0, 0, INSN_O32) : rig_reg(0, 0, INSN_O32);
    i.op = (uint16_t)op;
    i.len = 4;
    insn_handler *handler = fast_simd(&i, ea);
    if (!handler) return;
    static struct outcome before, fast, slow;
    unsigned taken = 0;
    for (unsigned n = 0; n < CASES; n++) {
        i.reg = random64(s) & 7;
        i.rm = random64(s) & 7;
        i.imm = (int32_t)(random64(s) & (random64(s) % 2 ? 0xff : 0x1f));
        if (memory) {
            i.base = R_SI;
            i.index = ea == EA_BASE ? R_NONE : R_DI;
            i.disp = (random64(s) % 4 ? 0 : (int)(random64(s) % 17)) - (ea == EA_BASE ? 0 : 1);
        }
        random_state(r, s);
        struct cpu start = *r->c;
        memcpy(before.data, rig_at(r, RIG_DATA), DATA_SIZE);
        before.cpu = start;
        run(r, handler, &i, NULL, &fast);
        *r->c = start;
        memcpy(rig_at(r, RIG_DATA), before.data, DATA_SIZE);
        run(r, run_body, &i, NULL, &slow);
        taken += fast.fast;
        if (!same(&fast, &slow)) {
            tell(&before, &fast, &slow, i.reg, i.rm);
            ck_abort_msg("%s, form %d, reg %u, rm %u, imm %x: the fast handler differs", optable[op].mnemonic,
                         memory ? 1 + (int)ea : 0, i.reg, i.rm, i.imm);
        }
    }
    ck_assert_msg(taken >= CASES / 200, "%s, form %d: only %u of %u were fast", optable[op].mnemonic, memory ? 1 + (int)ea : 0,
                  taken, CASES);
}

START_TEST(fast_handlers_agree_with_bodies)
{
    struct rig *r = rig_create("pentium4");
    uint64_t s = 0x9e3779b97f4a7c15;
    rig_protected(r, 0);
    (void)mem_read8(r->c, SEG_DS, RIG_DATA);  /* both TLB entries */
    mem_write8(r->c, SEG_DS, RIG_DATA, 0);
    for (unsigned op = 1; op < OP_COUNT; op++) {
        compare(r, op, false, EA_SEGMENT, &s);
        for (unsigned ea = 0; ea < EA_FORMS; ea++) compare(r, op, true, (enum ea)ea, &s);
    }
    rig_destroy(r);
}
END_TEST

static void random_form(struct insn *i, bool memory, enum ea ea, uint64_t *s)
{
    i->rm = random64(s) % 4 ? 1 : random64(s) & 7;
    i->imm = (int32_t)(random64(s) & 0x7ff);
    if (!memory) return;
    i->base = R_SI;
    i->index = ea == EA_BASE ? R_NONE : R_DI;
    i->disp = (int)(random64(s) % 17) - (ea == EA_BASE ? 0 : 1);
}

/* Two x87 instructions that have a handler together. */
static unsigned compare_pair(struct rig *r, unsigned op, bool memory, unsigned op2, bool memory2, enum ea ea, uint64_t *s)
{
    struct insn i = memory ? rig_mem(0, 0, INSN_O32) : rig_reg(0, 0, INSN_O32);
    struct insn j = memory2 ? rig_mem(0, 0, INSN_O32) : rig_reg(0, 0, INSN_O32);
    i.op = (uint16_t)op, i.len = 4, i.rm = 1;
    j.op = (uint16_t)op2, j.len = 3;
    if (!fast_simd(&i, ea) || !fast_simd(&j, ea)) return 0;   /* only handlers are joined */
    insn_handler *handler = fast_x87_pair(&i, ea, &j, ea);
    if (!handler) return 0;
    static struct outcome before, fast, slow;
    unsigned taken = 0;
    for (unsigned n = 0; n < CASES; n++) {
        do {
            random_form(&i, memory, ea, s);
            random_form(&j, memory2, ea, s);
            if (n % 2) j.rm = 0;
        } while (fast_x87_pair(&i, ea, &j, ea) != handler);
        random_state(r, s);
        if (n % 8) r->c->ftag = (uint8_t)~(1u << ((r->c->ftop - 1) & 7));
        struct cpu start = *r->c;
        memcpy(before.data, rig_at(r, RIG_DATA), DATA_SIZE);
        before.cpu = start;
        run(r, handler, &i, &j, &fast);
        *r->c = start;
        memcpy(rig_at(r, RIG_DATA), before.data, DATA_SIZE);
        run(r, run_body, &i, &j, &slow);
        taken += fast.fast;
        if (!same(&fast, &slow)) {
            tell(&before, &fast, &slow, i.rm, j.rm);
            ck_abort_msg("%s, %s, forms %d and %d, %u and %u: the handler of both differs", optable[op].mnemonic,
                         optable[op2].mnemonic, memory ? 1 + (int)ea : 0, memory2 ? 1 + (int)ea : 0, i.rm, j.rm);
        }
    }
    ck_assert_msg(taken >= CASES / 200, "%s, %s: only %u of %u were fast", optable[op].mnemonic, optable[op2].mnemonic, taken,
                  CASES);
    return 1;
}

START_TEST(handlers_of_two_instructions_agree_with_bodies)
{
    struct rig *r = rig_create("pentium4");
    uint64_t s = 0x2545f4914f6cdd1d;
    unsigned pairs = 0;
    rig_protected(r, 0);
    (void)mem_read8(r->c, SEG_DS, RIG_DATA);
    mem_write8(r->c, SEG_DS, RIG_DATA, 0);
    for (unsigned op = 1; op < OP_COUNT; op++)
        for (unsigned op2 = 1; op2 < OP_COUNT; op2++)
            for (unsigned form = 0; form < 4 * EA_FORMS; form++)
                pairs += compare_pair(r, op, form & 1, op2, form & 2, (enum ea)(form >> 2), &s);
    ck_assert_uint_ge(pairs, 100);
    rig_destroy(r);
}
END_TEST

/* Sequences of several instructions in one handler, beside the same records with their handlers alone. The bodies are not asked:
 * the single handlers have been compared with them (here and in test_cpu_engine.c). */
static void compare_sequence(struct rig *r, const struct seq *q, insn_handler *const *single, uint64_t *s)
{
    static struct outcome alone, together;
    struct insn record[SEQ_MAX + 4];
    unsigned len = 0;
    while (len < SEQ_MAX && q->number[len]) len++;
    for (unsigned n = 0; n < SEQ_MAX + 4; n++) {               /* behind the last: the jump of a fused end, and two ways on */
        struct insn *i = &record[n];
        *i = (struct insn){ .op = OP_ret, .flags = INSN_O32 | INSN_MEM, .len = 1, .off = (uint16_t)n, .count = (uint8_t)n };
        i->run = n < len ? single[q->number[n]] : run_end;
        i->reg = random64(s) & 3;
        i->rm = random64(s) & 3;
        i->base = R_SI;
        i->index = random64(s) % 2 ? R_NONE : R_DI;
        i->scale_seg = SEG_DS << 4;
        i->imm = (int32_t)(random64(s) % 4 ? random64(s) & 0x1f : random64(s)) | 1;
        i->disp = (int)(random64(s) % 17);
        i->link = (int32_t)(SEQ_MAX + 3 - n);
    }
    random_state(r, s);
    struct cpu *c = r->c, start = *c;
    uint8_t data[DATA_SIZE];
    memcpy(data, rig_at(r, RIG_DATA), DATA_SIZE);
    start.r[R_SP] = RIG_DATA + 48;
    start.cr0 = CR0_PE | CR0_NE | CR0_ET;
    for (unsigned n = 0; n < 2; n++) {
        struct outcome *o = n ? &together : &alone;
        *c = start;
        memcpy(rig_at(r, RIG_DATA), data, DATA_SIZE);
        if (n) record[0].run = q->run;
        c->budget = 1000;
        c->attention = 0;
        o->vector = NO_FAULT;
        if (setjmp(c->landing)) o->vector = (int)c->fault_vector;
        else exec_run(c, record);
        c->next_rip = 0;
        eflags_set(c, eflags_get(c));
        o->cpu = *c;
        memcpy(o->data, rig_at(r, RIG_DATA), DATA_SIZE);
    }
    ck_assert_msg(same(&alone, &together) && alone.cpu.budget == together.cpu.budget, "sequence %u %u %u %u", q->number[0],
                  q->number[1], q->number[2], q->number[3]);
}

START_TEST(handlers_of_sequences_agree_with_their_parts)
{
    static const struct seq_list *const lists[] = { &fast_pairs, &fast_pair_ends, &fast_seqs, &fast_seq_ends };
    insn_handler *single[SEQ_NUMBERS] = { 0 };
    struct rig *r = rig_create("pentium4");
    uint64_t s = 0x5851f42d4c957f2d;
    rig_protected(r, 0);
    (void)mem_read8(r->c, SEG_DS, RIG_DATA);
    mem_write8(r->c, SEG_DS, RIG_DATA, 0);
    const struct seq_map *m = r->c->blocks->seqs;
    for (unsigned n = 0; n < SEQ_SINGLES; n++) single[m->single[n].number] = m->single[n].run;
    for (unsigned n = 1; n < SEQ_NUMBERS; n++) ck_assert(single[n] != NULL);
    for (unsigned list = 0; list < 4; list++)
        for (unsigned k = 0; k < lists[list]->count; k++)
            for (unsigned n = 0; n < 20; n++) compare_sequence(r, &lists[list]->seq[k], single, &s);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fast handlers");
    TCase *t = tcase_create("fast handlers");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, fast_handlers_agree_with_bodies);
    tcase_add_test(t, handlers_of_two_instructions_agree_with_bodies);
    tcase_add_test(t, handlers_of_sequences_agree_with_their_parts);
    suite_add_tcase(s, t);
    return suite_main(s);
}
