/* Operands of a decoded instruction: effective addresses and byte registers. */
#ifndef CPU_MODRM_H
#define CPU_MODRM_H

#include "base/bytes.h"
#include "cpu/state.h"

/* Byte register operand: insn.reg or insn.rm of a byte form is its offset in cpu.r (decode.h, byte_reg_offset). */
static inline uint8_t *byte_reg(struct cpu *c, unsigned offset) { return (uint8_t *)c->r + offset; }

/* AL and AH as such. */
static inline unsigned byte_reg_al(void) { return HOST_BIG_ENDIAN ? 7 : 0; }
static inline uint8_t get_al(const struct cpu *c) { return (uint8_t)c->r[R_AX]; }
static inline uint8_t get_ah(const struct cpu *c) { return (uint8_t)(c->r[R_AX] >> 8); }
static inline void set_al(struct cpu *c, uint8_t v) { c->r[R_AX] = (c->r[R_AX] & ~0xffull) | v; }
static inline void set_ah(struct cpu *c, uint8_t v) { c->r[R_AX] = (c->r[R_AX] & ~0xff00ull) | (uint64_t)v << 8; }

/* Cuts an offset to the instruction's address size. */
static inline uint64_t addr_cut(const struct insn *i, uint64_t off)
{
    switch (i->flags & INSN_ADDRSIZE) {
    case INSN_ADDR16: return (uint16_t)off;
    case INSN_ADDR32: return (uint32_t)off;
    default: return off;
    }
}

static inline uint64_t insn_ea_inline(const struct cpu *c, const struct insn *i)
{
    return addr_cut(i, c->r[i->base] + (c->r[i->index] << insn_scale(i)) + (uint64_t)(int64_t)i->disp);
}

/* A register as an address or counter of the address size (SI, CX, ...). */
static inline uint64_t addr_reg(const struct cpu *c, const struct insn *i, unsigned n) { return addr_cut(i, c->r[n]); }
static inline void set_addr_reg(struct cpu *c, const struct insn *i, unsigned n, uint64_t v)
{
    set_reg(c, n, v, insn_addrsize(i));
}

#endif
