/* BT BTS BTR BTC, BSF BSR, SETcc (SDM vol. 2).
 *
 * The oddest behaviour: with a register as bit offset, a memory operand is a bit string of 4 Gbit, and the offset is
 * signed: the access goes to the word or dword that holds the bit. */
#include "cpu/alu_early.h"
#include "cpu/ops.h"

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static uint64_t bit_apply(uint64_t v, unsigned bit, enum bit_op op)
{
    uint64_t mask = 1ull << bit;
    switch (op) {
    case BIT_SET: return v | mask;
    case BIT_RESET: return v & ~mask;
    case BIT_COMPLEMENT: return v ^ mask;
    default: return v;
    }
}

/* OF is undefined; the 386 looks at the bit by rotating the operand. */
static void bit_flags(struct cpu *c, uint64_t v, unsigned bit, unsigned size)
{
    uint32_t cf = v >> bit & 1 ? FL_CF : 0;
    if (cpu_level(c) == LEVEL_386) flags_change(c, FL_CF | FL_OF, cf | early_386_bit_of(v, bit, size));
    else flags_change(c, FL_CF, cf);
}

static enum status bit_rm(struct cpu *c, const struct insn *i, uint64_t offset, enum bit_op op)
{
    unsigned size = size_of(i), bit = offset & ((8u << size) - 1);
    uint64_t v = op == BIT_TEST ? rm_read(c, i, 1u << size) : rmw_read(c, i, size);
    if (op != BIT_TEST) rm_write(c, i, bit_apply(v, bit, op), 1u << size);
    bit_flags(c, v, bit, size);
    return BODY_NEXT;
}

static enum status bit_string(struct cpu *c, const struct insn *i, enum bit_op op)
{
    unsigned size = size_of(i), shift = 64 - (8u << size), seg = insn_seg(i);
    uint64_t raw = reg_read(c, i, size);
    if (!insn_is_mem(i)) return bit_rm(c, i, raw, op);
    int64_t offset = (int64_t)(raw << shift) >> shift;
    unsigned bit = (unsigned)offset & ((8u << size) - 1);
    uint64_t ea = addr_cut(i, insn_ea_inline(c, i) + (uint64_t)(offset >> (3 + size)) * (1u << size));
    if (op != BIT_TEST) access_probe_write(c, seg, ea, 1u << size);
    uint64_t v = mem_read(c, seg, ea, 1u << size);
    if (op != BIT_TEST) mem_write(c, seg, ea, bit_apply(v, bit, op), 1u << size);
    bit_flags(c, v, bit, size);
    return BODY_NEXT;
}
BODY(bt_Ev_Gv) { return bit_string(c, i, BIT_TEST); }
BODY(bts_Ev_Gv) { return bit_string(c, i, BIT_SET); }
BODY(btr_Ev_Gv) { return bit_string(c, i, BIT_RESET); }
BODY(btc_Ev_Gv) { return bit_string(c, i, BIT_COMPLEMENT); }
BODY(bt_Ev_Ib) { return bit_rm(c, i, (uint64_t)i->imm, BIT_TEST); }
BODY(bts_Ev_Ib) { return bit_rm(c, i, (uint64_t)i->imm, BIT_SET); }
BODY(btr_Ev_Ib) { return bit_rm(c, i, (uint64_t)i->imm, BIT_RESET); }
BODY(btc_Ev_Ib) { return bit_rm(c, i, (uint64_t)i->imm, BIT_COMPLEMENT); }

/* A source of 0 leaves the destination alone (undefined in the manual up to the P6, what the chips do). The flags but ZF
 * are undefined: those of the 386 are in alu_early.h, on later models they follow the source as after TEST. */
static enum status bit_scan(struct cpu *c, const struct insn *i, bool reverse)
{
    unsigned size = size_of(i);
    uint64_t v = rm_read(c, i, 1u << size);
    unsigned bit = v == 0 ? 0 : (unsigned)(reverse ? 63 - __builtin_clzll(v) : __builtin_ctzll(v));
    if (v) reg_write(c, i, bit, size);
    if (cpu_level(c) == LEVEL_386) {
        struct early_flags f = reverse ? early_386_bsr(v, bit, size) : early_386_bsf(v, bit, size);
        flags_known(c, f.result, size, f.cf_af_of);
    } else {
        flags_logic(c, v, size);
    }
    return BODY_NEXT;
}
BODY(bsf_Gv_Ev) { return bit_scan(c, i, false); }
BODY(bsr_Gv_Ev) { return bit_scan(c, i, true); }

BODY(setcc_Eb)
{
    rm_write(c, i, flags_condition(c, (unsigned)i->imm), 1);
    return BODY_NEXT;
}
