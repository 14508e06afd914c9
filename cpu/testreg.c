/* The test registers TR3 to TR7 of the 386 and 486, by which a power-on self-test reaches into the chip.
 *
 * Source: Intel 80386 Programmer's Reference Manual ch. 12.3 (TLB testing: TR6, TR7), Intel 486 Microprocessor data sheet ch. 8
 * (TLB and cache testing: TR3 to TR7). A write to TR6 is a command: C clear writes the entry that TR6 and TR7 describe, C set
 * looks for TR6's linear address and answers in TR7. The oddest behaviour: each attribute of a looked-for entry is given as the
 * bit and its complement, so that both clear match nothing and both set anything.
 *
 * GAP: the entries are a store of their own: neither does translation use what is written here nor does a look-up find what
 * translation has loaded. TR3 to TR5 hold what is written and reach no cache. */
#include "cpu/model.h"
#include "cpu/system.h"

enum { TR6_C = 1, TR6_V = 1 << 11, TR7_REP = 0x0c, TR7_PL = 1 << 4, PAGE = 0xfffff000 };
enum { SETS = 8, WAYS = 4 };

static unsigned tr_operand(struct cpu *c, const struct insn *i)
{
    unsigned first = cpu_level(c) == LEVEL_386 ? 6 : 3;
    if (i->reg < first) cpu_ud(c);
    if (c->cpl != 0) cpu_gp0(c);
    return i->reg - 3;
}

/* Entry of a linear address: the set by its lowest bits, the way as TR7 says. Low half TR6, high half TR7. */
static uint64_t *entry(struct cpu *c, uint32_t linear, unsigned way) { return &c->test_tlb[(linear >> 12) % SETS * WAYS + way]; }

static bool pair_matches(uint32_t asked, uint32_t stored)
{
    for (unsigned bit = 5; bit <= 9; bit += 2)              /* W# W U# U D# D */
        if (!(asked >> bit & stored >> bit & 3)) return false;
    return true;
}

static void tlb_command(struct cpu *c)
{
    uint32_t tr6 = c->test_reg[3], tr7 = c->test_reg[4];
    if (!(tr6 & TR6_C)) {
        *entry(c, tr6, (tr7 & TR7_REP) >> 2) = (uint64_t)tr7 << 32 | tr6;
        return;
    }
    c->test_reg[4] = tr7 & ~(uint32_t)TR7_PL;
    for (unsigned way = 0; way < WAYS; way++) {
        uint64_t e = *entry(c, tr6, way);
        if (!(e & TR6_V) || (((uint32_t)e ^ tr6) & PAGE) || !pair_matches(tr6, (uint32_t)e)) continue;
        c->test_reg[4] = ((uint32_t)(e >> 32) & ~(uint32_t)TR7_REP) | TR7_PL | way << 2;
        return;
    }
}

enum status op_mov_Rd_Td(struct cpu *c, const struct insn *i)
{
    set_reg32(c, i->rm, c->test_reg[tr_operand(c, i)]);
    return BODY_NEXT;
}

enum status op_mov_Td_Rd(struct cpu *c, const struct insn *i)
{
    unsigned n = tr_operand(c, i);
    c->test_reg[n] = reg32(c, i->rm);
    if (n == 3) tlb_command(c);
    return BODY_NEXT;
}
