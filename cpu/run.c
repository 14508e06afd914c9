/* The run loop: finds the next block and runs it, takes events between instructions, and is where faults land.
 *
 * Order of events at an instruction boundary (SDM vol. 3 table 6-2): RESET, SMI, INIT, traps of the last instruction,
 * NMI, INTR; then the code breakpoint and the fetch of the next instruction. Counting: an instruction counts when it is
 * complete, a REP iteration counts one, a faulting instruction none, the delivery of an interrupt or exception one.
 * Blocks are counted as a whole at their end; where less than a block is left to the deadline, where TF, RF or a code
 * breakpoint want a look at every instruction, or where a block cannot be cached, one instruction at a time is decoded
 * into a scratch record and run the same way.
 *
 * The oddest behaviour is the shadow after STI and MOV SS: one instruction during which no interrupt is taken. It is
 * state like any other, because a snapshot may be taken inside it. */
#include "cpu/exec.h"

#include <string.h>

#include "cpu/model.h"
#include "cpu/optable.h"
#include "cpu/system.h"

enum { DR6_BS = 1 << 14 };

void cpu_fault(struct cpu *c, enum vector v, uint32_t error)
{
    c->fault_vector = v;
    c->fault_error = error;
    longjmp(c->landing, 1);
}

void cpu_publish(struct cpu *c)
{
    clock_advance(c->clock, (uint64_t)(c->budget_published - c->budget));
    c->budget_published = c->budget;
}

/* ---- mode */

/* Bytes that plain accesses may touch from offset 0 up; 0: the slow path decides. */
static void derive_segment(struct cpu *c, unsigned n)
{
    const struct seg *s = &c->seg[n];
    uint64_t end = (uint64_t)s->limit + 1;
    bool code = s->attr & SEG_CODE, protected = c->cr0 & CR0_PE;
    if (!code && (s->attr & SEG_EXPAND_DOWN)) end = 0;
    if (protected && !(s->attr & SEG_P)) end = 0;
    c->seg_read_end[n] = protected && code && !(s->attr & SEG_READABLE) ? 0 : end;
    c->seg_write_end[n] = protected && (code || !(s->attr & SEG_WRITABLE)) ? 0 : end;
}

static bool flat(const struct cpu *c, unsigned n)
{
    return c->seg[n].base == 0 && c->seg_read_end[n] == 1ull << 32 && (n == SEG_CS || c->seg_write_end[n] == 1ull << 32);
}

/* Who finds what in the jump cache: a page of the supervisor's is not for all. */
static void jump_context_derive(struct cpu *c)
{
    c->jump_context = (c->jump_context & ~0xffffffffull) | (c->cpl == 3 ? 1u << 31 : 0u) | c->mode;
}

void cpu_seg_changed(struct cpu *c, unsigned seg)
{
    static const uint8_t flat_bit[SEG_COUNT] = { [SEG_ES] = MODE_FLAT_ES, [SEG_SS] = MODE_FLAT_SS, [SEG_DS] = MODE_FLAT_DS };
    if (seg == SEG_CS) {
        cpu_mode_changed(c);
        return;
    }
    derive_segment(c, seg);
    uint32_t mode = (c->mode & ~(uint32_t)flat_bit[seg]) | (flat(c, seg) ? flat_bit[seg] : 0u);
    if (seg == SEG_SS) mode = (mode & ~(uint32_t)MODE_SS32) | (cpu_ss32(c) ? MODE_SS32 : 0u);
    if (mode == c->mode) return;
    c->attention |= ATT_MODE;
    c->mode = mode;
    jump_context_derive(c);
}

/* The mode from the segments' derived ends, CPL and EFLAGS. */
static void derive_mode(struct cpu *c)
{
    uint32_t mode = 0;
    const struct seg *cs = &c->seg[SEG_CS];
    if (cs->attr & SEG_D) mode |= MODE_D32;
    if (cpu_ss32(c)) mode |= MODE_SS32;
    if (flat(c, SEG_DS)) mode |= MODE_FLAT_DS;
    if (flat(c, SEG_ES)) mode |= MODE_FLAT_ES;
    if (flat(c, SEG_SS)) mode |= MODE_FLAT_SS;
    if (flat(c, SEG_CS)) mode |= MODE_FLAT_CS;
    if (mode != c->mode || (c->eflags & (FL_TF | FL_RF))) c->attention |= ATT_MODE;
    c->mode = mode;
    jump_context_derive(c);
    if (UNLIKELY(c->pmc_levels)) perf_level_changed(c);

    uint64_t last = mode & MODE_D32 || cs->limit < 0xffff ? cs->limit : 0xffff;
    c->page_eip_max = last >= PAGE_SIZE - 1 ? last - (PAGE_SIZE - 1) : 0;
    if (last < PAGE_SIZE - 1) c->page_eip_max = 0;

    bool user = c->cpl == 3;
    if (user && (c->cr0 & CR0_AM) && (c->eflags & FL_AC)) {
        c->tlb_read = c->tlb_write = c->tlb->none;
    } else {
        c->tlb_read = c->tlb->read[user];
        c->tlb_write = c->tlb->write[user];
    }
}

void cpu_mode_changed(struct cpu *c)
{
    for (unsigned n = 0; n < SEG_COUNT; n++) derive_segment(c, n);
    derive_mode(c);
}

void cpu_level_changed(struct cpu *c)
{
    derive_segment(c, SEG_CS);
    derive_segment(c, SEG_SS);
    derive_mode(c);
}

/* ---- finding what runs next */

static uint64_t linear_ip(const struct cpu *c) { return (uint32_t)(c->seg[SEG_CS].base + c->rip); }

/* Bytes of code from the IP on that the CS limit and the IP's width leave. 0: none, which is #GP(0). */
static uint64_t code_left(const struct cpu *c)
{
    uint64_t limit = c->seg[SEG_CS].limit;
    return c->rip > limit ? 0 : limit - c->rip + 1;
}

/* Copies the bytes of the instruction at the IP that lie beyond its first page or wrap around: a piece at a time, so
 * that only a byte that is really needed can fault. Returns how many there are after it. */
static unsigned fetch_more(struct cpu *c, uint8_t *buf, unsigned have)
{
    bool user = c->cpl == 3;
    uint64_t eip = c->rip + have;
    if (cpu_level(c) == LEVEL_8086) eip &= 0xffff;
    else if (have >= code_left(c)) cpu_gp0(c);
    uint64_t linear = (uint32_t)(c->seg[SEG_CS].base + eip);
    struct tlb_page *p = tlb_translate(c, linear, PAGE_FETCH, user);
    unsigned n = PAGE_SIZE - (unsigned)(linear & (PAGE_SIZE - 1));
    if (cpu_level(c) == LEVEL_8086 && n > 0x10000 - eip) n = (unsigned)(0x10000 - eip);
    else if (cpu_level(c) != LEVEL_8086 && n > code_left(c) - have) n = (unsigned)(code_left(c) - have);
    unsigned most = cpu_level(c) == LEVEL_8086 ? INSN_MAX_8086 : INSN_MAX;
    if (n > most - have) n = most - have;
    if (p->host) {
        memcpy(buf + have, p->host + (linear & (PAGE_SIZE - 1)), n);
    } else {
        for (unsigned k = 0; k < n; k++) buf[have + k] = (uint8_t)cpu_phys_load(c, p->phys + ((linear + k) & (PAGE_SIZE - 1)), 1);
    }
    return have + n;
}

/* Decodes the one instruction at the IP into the scratch records. */
static struct insn *decode_step(struct cpu *c)
{
    struct insn *i = c->blocks->step;
    uint8_t buf[INSN_MAX_8086];
    unsigned have = 0;
    do {
        have = fetch_more(c, buf, have);
    } while (!decode_insn(&c->blocks->map, buf, have, c->mode & MODE_D32 ? CODE_32 : CODE_16, i));
    i->off = (uint16_t)(linear_ip(c) & (PAGE_SIZE - 1));
    i->run = optable[i->op].attr & OPA_REP ? run_body_rep : optable[i->op].attr & OPA_TIME ? run_body_time : run_body;
    i[1] = (struct insn){ .run = run_end, .off = (uint16_t)(i->off + i->len), .count = 1 };
    return i;
}

/* The block at the IP, or NULL if it has to be run step by step. May fault. */
static struct block *find_block(struct cpu *c)
{
    if (cpu_level(c) != LEVEL_8086 && code_left(c) == 0) cpu_gp0(c);
    uint64_t linear = linear_ip(c);
    unsigned off = linear & (PAGE_SIZE - 1);
    struct tlb_page *p = tlb_translate(c, linear, PAGE_FETCH, c->cpl == 3);
    if (!p->host) return NULL;
    c->page_eip = c->rip - off;
    bool edge = c->page_eip > c->page_eip_max;
    struct block *b = block_get(c, p->block, p->offset, off, c->mode | (edge ? MODE_EDGE : 0));
    if (!b) return NULL;
    if (edge) {
        uint64_t left = code_left(c);
        if (!(c->mode & MODE_D32) && left > 0x10000 - c->rip) left = 0x10000 - c->rip;
        if (b->bytes > left) return NULL;
        return b;
    }
    struct insn *first = &c->blocks->arena[b->first];
    c->jump_cache[jump_index(linear)] = (struct jump_entry){ linear, c->jump_context, first, b->page, 0 };
    return b;
}

/* What the jump cache knows of the IP, also from before the mapping changed; or NULL. May fault. */
static const struct insn *find_known(struct cpu *c)
{
    uint64_t linear = linear_ip(c);
    struct jump_entry *e = &c->jump_cache[jump_index(linear)];
    uint64_t page_eip = c->rip - (linear & (PAGE_SIZE - 1));
    if (e->linear != linear || (uint32_t)e->context != (uint32_t)c->jump_context || page_eip > c->page_eip_max) return NULL;
    if (e->first->run == run_stale) return NULL;
    if (e->context != c->jump_context) {
        struct tlb_page *p = tlb_translate(c, linear, PAGE_FETCH, c->cpl == 3);
        if (!p->host || p->backing != e->page || ((c->dr[7] & 0xff) && debug_page_watched(c, linear, true))) return NULL;
        e->context = c->jump_context;
    }
    c->page_eip = page_eip;
    return e->first;
}

/* The instruction at the IP, if it crosses into the next page, from a small cache of its own; or NULL. May fault on the
 * second page, which it needs. */
static const struct insn *find_cross(struct cpu *c)
{
    uint64_t linear = linear_ip(c);
    unsigned off = linear & (PAGE_SIZE - 1);
    uint64_t next_page = (uint32_t)(linear + PAGE_SIZE - off);         /* the first byte there is the one that faults */
    bool user = c->cpl == 3;
    if (off + INSN_MAX <= PAGE_SIZE || (c->dr[7] & 0xff)) return NULL;
    if (code_left(c) < INSN_MAX || (!(c->mode & MODE_D32) && c->rip + INSN_MAX > 0x10000)) return NULL;
    struct tlb_page first = *tlb_translate(c, linear, PAGE_FETCH, user);
    if (!first.host) return NULL;
    struct block_store *s = c->blocks;
    struct cross *x = &s->cross[(first.backing ^ off) & (CROSS_CACHE - 1)];
    if (!x->valid || x->page[0] != first.backing || x->off != off || x->mode != c->mode) {
        struct insn *i = decode_step(c);
        if (off + i->len <= PAGE_SIZE) return NULL;
        struct tlb_page *second = tlb_translate(c, next_page, PAGE_FETCH, user);
        if (!second->host || !block_mark_code(c, first.block, first.offset + off, PAGE_SIZE - off) ||
            !block_mark_code(c, second->block, second->offset, off + i->len - PAGE_SIZE))
            return NULL;
        cross_forget(c, x);
        *x = (struct cross){ .page = { first.backing, second->backing }, .off = (uint16_t)off, .mode = (uint16_t)c->mode,
                             .valid = true, .insn = { i[0], i[1] } };
        x->insn[1].run = run_page_end;
        select_handlers(c, x->insn, 1, c->mode | (c->mode & MODE_FLAT_CS ? MODE_CROSS : MODE_EDGE));
        s->pages[first.backing].has_cross = s->pages[second->backing].has_cross = true;
    } else if (tlb_translate(c, next_page, PAGE_FETCH, user)->backing != x->page[1]) {
        cross_forget(c, x);
        return NULL;
    }
    c->page_eip = c->rip - off;
    if (c->mode & MODE_FLAT_CS) {             /* no limit to look at: as long as the mappings stay, it may be jumped to */
        jump_cache_drop(c, x);
        x->linear = linear;
        c->jump_cache[jump_index(linear)] = (struct jump_entry){ linear, c->jump_context, x->insn, NO_PAGE, 0 };
    }
    return x->insn;
}

/* ---- one instruction */

/* What the SDM calls a branch: a taken one is recorded, and stepped to where DEBUGCTL.BTF is set. */
static bool is_branch(unsigned op)
{
    switch (op) {
    case OP_jcc_Jb: case OP_jcc_Jz: case OP_jcxz_Jb: case OP_loop_Jb: case OP_loope_Jb: case OP_loopne_Jb: case OP_jmp_Jb:
    case OP_jmp_Jz: case OP_jmp_Ev: case OP_jmp_Ap: case OP_jmp_Mp: case OP_call_Jz: case OP_call_Ev: case OP_call_Ap:
    case OP_call_Mp: case OP_ret: case OP_ret_Iw: case OP_retf: case OP_retf_Iw: case OP_iret: case OP_sysenter:
    case OP_sysexit: return true;
    default: return false;
    }
}

static bool delivers_event(unsigned op)
{
    return op == OP_int_Ib || op == OP_int3 || op == OP_into || op == OP_icebp;
}

/* A code breakpoint comes before every fault of the fetch. It is not looked for behind a load of SS (`shadow_ss`) and between
 * the iterations of a repetition (SDM vol. 3 ch. 17.3.1.1). */
static void step(struct cpu *c, bool shadow_ss)
{
    bool trap = c->eflags & FL_TF;
    if ((c->dr[7] & 0xff) && !shadow_ss && !c->rep_open && debug_page_watched(c, linear_ip(c), true)) debug_check_fetch(c);
    struct insn *i = decode_step(c);
    c->eflags &= ~(uint32_t)FL_RF;            /* it has done its work (SDM vol. 3 ch. 17.3.1.1) */
    c->page_eip = c->rip - i->off;
    uint16_t op = i->op;
    bool branches = c->debugctl & (DEBUGCTL_LBR | DEBUGCTL_BTF);
    c->branched = false;
    if (UNLIKELY(branches) && is_branch(op)) i->run = run_body_branch;
    exec_run(c, i);
    if (branches && (c->debugctl & DEBUGCTL_BTF) && !c->branched) trap = false;
    if (!trap || c->shadow_ss || (delivers_event(op) && !(c->eflags & FL_TF))) return;
    c->dr6_pending |= DR6_BS;
    c->attention |= ATT_TRAP;
}

/* ---- events between instructions */

static bool intr_enabled(const struct cpu *c) { return c->intr_level && (c->eflags & FL_IF); }

bool cpu_would_wake(const struct cpu *c)
{
    if (c->activity == ACT_RUNNING) return true;
    if (c->reset_pending) return true;
    if (c->activity == ACT_WAIT_SIPI) return false;
    if (c->init_pending || (c->smi_pending && !c->smm) || (c->nmi_pending && !c->nmi_blocked)) return true;
    return c->activity == ACT_HALTED && (intr_enabled(c) || c->dr6_pending);
}

/* Takes at most one event. False if there was none to take. */
static bool take_event(struct cpu *c)
{
    if (c->reset_pending || c->init_pending) {
        cpu_reset(c, c->reset_pending);
        return true;
    }
    if (c->smi_pending && !c->smm) {
        cpu_publish(c);
        c->smi_pending = false;
        smm_enter(c);
        c->budget--;
        return true;
    }
    bool shadow = c->shadow_sti || c->shadow_ss;
    if (c->dr6_pending && !c->shadow_ss) {
        c->activity = ACT_RUNNING;
        debug_trap(c, c->dr6_pending & DR6_BS);
        c->budget--;
        return true;
    }
    if (c->nmi_pending && !c->nmi_blocked && !shadow) {
        c->nmi_pending = false;
        c->activity = ACT_RUNNING;
        event_deliver(c, V_NMI, EVENT_EXTERNAL, false, 0);
        c->budget--;
        return true;
    }
    if (intr_enabled(c) && !shadow && c->pins.intack) {
        cpu_publish(c);
        c->activity = ACT_RUNNING;
        uint8_t vector = c->pins.intack(c->pins.intack_opaque);
        event_deliver(c, (enum vector)vector, EVENT_EXTERNAL, false, 0);
        perf_interrupt_taken(c);
        c->budget--;
        return true;
    }
    return false;
}

/* What must be looked at again before the next instruction may run in a block. */
void attention_derive(struct cpu *c)
{
    uint32_t a = 0;
    if (intr_enabled(c)) a |= ATT_INTR;
    if (c->nmi_pending) a |= ATT_NMI;         /* also while they are blocked: IRET and RSM do not tell */
    if (c->smi_pending) a |= ATT_SMI;
    if (c->init_pending) a |= ATT_INIT;
    if (c->reset_pending) a |= ATT_RESET;
    if (c->dr6_pending) a |= ATT_TRAP;
    if (c->shadow_sti || c->shadow_ss) a |= ATT_SHADOW;
    c->attention = a;
}

/* ---- the loop */

/* Backing page of the block that holds a record: its last one says. */
static uint32_t page_of(const struct insn *i)
{
    while (i->run != run_end && i->run != run_full && i->run != run_page_end) i++;
    return (uint32_t)i->imm;
}

static void run_next(struct cpu *c)
{
    if (UNLIKELY(c->attention & ATT_SHADOW)) {
        bool ss = c->shadow_ss;
        c->shadow_sti = c->shadow_ss = false;
        c->attention &= ~(uint32_t)ATT_SHADOW;
        step(c, ss);
        return;
    }
    if (UNLIKELY((c->eflags & (FL_TF | FL_RF)) || (c->debugctl & DEBUGCTL_LBR) ||
                 ((c->dr[7] & 0xff) && debug_page_watched(c, linear_ip(c), true)))) {
        step(c, false);
        return;
    }
    struct insn *from = c->link_from;
    c->link_from = NULL;
    if (UNLIKELY(block_store_full(c->blocks))) {
        block_evict_all(c);
        from = NULL;
    }
    if (!from && c->budget >= BLOCK_MAX) {
        const struct insn *known = find_known(c);
        if (known) {
            exec_run(c, known);
            return;
        }
    }
    struct block *b = find_block(c);
    if (!b || b->count > c->budget) {
        const struct insn *cross = b ? NULL : find_cross(c);
        if (cross) exec_run(c, cross);
        else step(c, false);
        return;
    }
    struct insn *first = &c->blocks->arena[b->first];
    if (from && !(b->mode & MODE_EDGE) && page_of(from) == b->page) from->link = (int32_t)(first - from);
    exec_run(c, first);
}

static void loop(struct cpu *c)
{
    while (c->budget > 0) {
        if (UNLIKELY(c->attention)) {
            if (c->attention & ATT_KICK) {
                c->attention &= ~(uint32_t)ATT_KICK;
                return;
            }
            if (!cpu_would_wake(c)) return;
            bool taken = take_event(c);
            attention_derive(c);
            if (taken) {
                c->link_from = NULL;
                continue;
            }
        }
        if (UNLIKELY(c->activity != ACT_RUNNING)) return;
        run_next(c);
    }
}

uint64_t cpu_run(struct cpu *c, uint64_t budget)
{
    if (budget == 0) return 0;
    int64_t start = budget > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)budget;
    c->budget = c->budget_published = start;
    c->link_from = NULL;
    c->shadow_mark = INT64_MIN;
    attention_derive(c);
    if (setjmp(c->landing)) {
        c->link_from = NULL;
        event_fault(c, (enum vector)c->fault_vector, c->fault_error);
        c->budget--;
    }
    loop(c);
    if (c->shadow_mark == c->budget + 1) {    /* the run ends in a shadow that nobody has needed so far */
        if (c->shadow_mark_ss) c->shadow_ss = true;
        else c->shadow_sti = true;
    }
    cpu_publish(c);
    return (uint64_t)(start - c->budget);
}
