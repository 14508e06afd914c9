/* Debug registers and #DB.
 *
 * Source: Intel SDM vol. 3 ch. 17.2 and 17.3. Instruction breakpoints fault before the instruction; data and I/O
 * breakpoints and the single step trap after it and meet in one #DB (dr6_pending collects them). The oddest behaviour:
 * DR6 also shows breakpoints that matched but are not enabled, so a match is computed first and only then judged.
 *
 * Branch records (ch. 17.4, 17.12, 17.13): while DEBUGCTL.LBR is set the run loop runs every instruction alone and tells of each
 * taken branch. The P6 keeps the last one, and the last one before an exception or interrupt, as offsets; the Pentium 4 a ring
 * of them as linear addresses. A debug exception is not recorded, and clears LBR and BTF. */
#include "cpu/desc.h"

#include "cpu/model.h"
#include "cpu/system.h"

enum { DR6_HITS = 0x000f, DR6_BD = 0x2000, DR6_BS = 0x4000, DR6_BT = 0x8000, DR7_GD = 0x2000 };
#define DR6_ONES 0xffff0ff0u
#define DR7_BITS 0xffff23ffu
enum { BREAK_EXEC, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

static bool dr_enabled(const struct cpu *c, unsigned n) { return c->dr[7] >> (2 * n) & 3; }
static unsigned dr_kind(const struct cpu *c, unsigned n) { return c->dr[7] >> (16 + 4 * n) & 3; }
static unsigned dr_len(const struct cpu *c, unsigned n)
{
    static const uint8_t len[4] = { 1, 2, 8, 4 };
    return len[c->dr[7] >> (18 + 4 * n) & 3];
}

/* Bits of the breakpoints of the kinds in `kinds` (a bit per BREAK_*) that overlap [at, at + len): all of them if one of them is
 * enabled, else none. */
static unsigned matches(const struct cpu *c, unsigned kinds, uint32_t at, unsigned len)
{
    unsigned hit = 0;
    bool armed = false;
    for (unsigned n = 0; n < 4; n++) {
        unsigned size = dr_len(c, n);
        uint32_t base = (uint32_t)c->dr[n] & ~(size - 1);
        if (!(kinds >> dr_kind(c, n) & 1)) continue;
        if (dr_kind(c, n) == BREAK_EXEC ? at != (uint32_t)c->dr[n]
                                        : at + (uint64_t)len <= base || base + (uint64_t)size <= at) continue;
        hit |= 1u << n;
        armed |= dr_enabled(c, n);
    }
    return armed ? hit : 0;
}

void debug_check_fetch(struct cpu *c)
{
    if (c->eflags & FL_RF) return;
    unsigned hit = matches(c, 1u << BREAK_EXEC, (uint32_t)(c->seg[SEG_CS].base + c->rip), 1);
    if (!hit) return;
    c->dr[6] = (c->dr[6] & ~(uint64_t)DR6_HITS) | hit;
    cpu_fault(c, V_DB, 0);
}

static void note(struct cpu *c, unsigned hit)
{
    if (!hit) return;
    c->dr6_pending |= hit;
    c->attention |= ATT_TRAP;
}

void debug_check_data(struct cpu *c, uint64_t linear, unsigned len, bool write)
{
    note(c, matches(c, write ? 1u << BREAK_WRITE | 1u << BREAK_ACCESS : 1u << BREAK_ACCESS, (uint32_t)linear, len));
}

void debug_io(struct cpu *c, uint16_t port, unsigned size)
{
    if ((c->dr[7] & 0xff) && (c->cr4 & CR4_DE)) note(c, matches(c, 1u << BREAK_IO, port, size));
}

bool debug_page_watched(struct cpu *c, uint64_t linear, bool fetch)
{
    if (!(c->dr[7] & 0xff)) return false;
    for (unsigned n = 0; n < 4; n++) {
        unsigned kind = dr_kind(c, n);
        if (!dr_enabled(c, n) || kind == BREAK_IO || (kind == BREAK_EXEC) != fetch) continue;
        if ((uint32_t)c->dr[n] >> 12 == (uint32_t)linear >> 12) return true;
    }
    return false;
}

void debug_trap(struct cpu *c, bool step)
{
    uint64_t hits = c->dr6_pending | (step ? DR6_BS : 0);
    c->dr6_pending = 0;
    c->attention &= ~(uint32_t)ATT_TRAP;
    if (!hits) return;
    c->dr[6] = (c->dr[6] & ~(uint64_t)DR6_HITS) | hits;
    c->in_exception = true;
    c->exception_vector = V_DB;
    event_deliver(c, V_DB, EVENT_EXCEPTION, false, 0);
}

/* ---- Branch records. */

uint64_t debug_place(const struct cpu *c)
{
    return (uint32_t)(c->rip + (cpu_level(c) >= LEVEL_P4 ? c->seg[SEG_CS].base : 0));
}

void debug_branch(struct cpu *c, uint64_t from)
{
    if (!(c->debugctl & DEBUGCTL_LBR)) return;
    if (cpu_level(c) >= LEVEL_P4) c->lbr_top = (c->lbr_top + 1) & (LBR_MOST - 1);
    c->branch_from[c->lbr_top] = from;
    c->branch_to[c->lbr_top] = debug_place(c);
}

void debug_event(struct cpu *c, uint64_t from, bool trap)
{
    if (trap) {
        c->debugctl &= ~(uint64_t)(DEBUGCTL_LBR | DEBUGCTL_BTF | DEBUGCTL_TR);
        return;
    }
    if (!(c->debugctl & DEBUGCTL_LBR)) return;
    c->last_int[0] = c->branch_from[c->lbr_top];
    c->last_int[1] = c->branch_to[c->lbr_top];
    debug_branch(c, from);
}

/* ---- MOV to and from DRn (DR in insn.reg, the general register in insn.rm). */

static unsigned dr_operand(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg;
    if (n > 7 || ((n == 4 || n == 5) && (c->cr4 & CR4_DE))) cpu_ud(c);
    if (c->cpl != 0) cpu_gp0(c);
    if (c->dr[7] & DR7_GD) {
        c->dr[6] |= DR6_BD;
        c->eflags |= FL_RF;                                /* a fault, though of vector 1 */
        cpu_fault(c, V_DB, 0);
    }
    return n == 4 || n == 5 ? n + 2 : n;                   /* DR4 and DR5 are DR6 and DR7 without CR4.DE */
}

enum status op_mov_Rd_Dd(struct cpu *c, const struct insn *i)
{
    unsigned n = dr_operand(c, i);
    set_reg32(c, i->rm, (uint32_t)c->dr[n]);
    return BODY_NEXT;
}

enum status op_mov_Dd_Rd(struct cpu *c, const struct insn *i)
{
    unsigned n = dr_operand(c, i);
    uint32_t v = reg32(c, i->rm);
    if (n == 6) v = (v & (DR6_HITS | DR6_BD | DR6_BS | DR6_BT)) | DR6_ONES;
    if (n == 7) v = (v & DR7_BITS) | dr7_fixed(c);
    c->dr[n] = v;
    if (n == 6) return BODY_NEXT;
    tlb_flush(c, true);                                    /* watched pages have no fast path */
    cpu_mode_changed(c);
    c->rip = c->next_rip;
    return BODY_JUMP;
}
