/* What the slow bodies of the integer instructions share. */
#ifndef CPU_OPS_H
#define CPU_OPS_H

#include "cpu/alu.h"
#include "cpu/model.h"
#include "cpu/modrm.h"
#include "base/bytes.h"

#define BODY(name) enum status op_##name(struct cpu *c, const struct insn *i)

/* log2 of the operand size of v operands, for alu.h. */
static inline unsigned size_of(const struct insn *i) { return i->flags & INSN_OPSIZE; }

/* Register in insn.reg of an operation of 1 << size bytes. */
static inline uint64_t reg_read(struct cpu *c, const struct insn *i, unsigned size)
{
    return size == 0 ? *byte_reg(c, i->reg) : c->r[i->reg] & size_mask(size);
}
static inline void reg_write(struct cpu *c, const struct insn *i, uint64_t v, unsigned size)
{
    if (size == 0) *byte_reg(c, i->reg) = (uint8_t)v;
    else set_reg(c, i->reg, v, 1u << size);
}

/* r/m that will be written too: every fault of the write comes before the read. */
static inline uint64_t rmw_read(struct cpu *c, const struct insn *i, unsigned size)
{
    if (insn_is_mem(i)) access_probe_write(c, insn_seg(i), insn_ea_inline(c, i), 1u << size);
    return rm_read(c, i, 1u << size);
}

/* Continues at a near target, which is cut to the operand size and must lie within CS. The check comes before anything
 * else the instruction does (SDM vol. 2, CALL: "IF tempEIP is not within code segment limit THEN #GP(0)"). */
static inline uint64_t near_target(struct cpu *c, const struct insn *i, uint64_t target)
{
    target &= size_mask(size_of(i));
    if (target > c->seg[SEG_CS].limit) cpu_gp0(c);
    return target;
}
static inline enum status jump_near(struct cpu *c, const struct insn *i, uint64_t target)
{
    c->rip = near_target(c, i, target);
    return BODY_JUMP;
}
static inline uint64_t relative(const struct cpu *c, const struct insn *i) { return c->next_rip + (uint64_t)(int64_t)i->imm; }

/* #DE as the model raises it. (ops_muldiv.c) */
enum status op_divide_error(struct cpu *c);

#endif
