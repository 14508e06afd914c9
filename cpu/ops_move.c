/* MOV, MOVZX, MOVSX, CMOVcc, XCHG, LEA, XLAT, BSWAP, sign extensions, and the flag instructions (SDM vol. 2).
 *
 * The oddest behaviour: CMOVcc reads its memory operand, and faults, whether or not the condition holds. */
#include "cpu/ops.h"

static enum status store_reg(struct cpu *c, const struct insn *i, unsigned size)
{
    rm_write(c, i, reg_read(c, i, size), 1u << size);
    return BODY_NEXT;
}
BODY(mov_Eb_Gb) { return store_reg(c, i, 0); }
BODY(mov_Ev_Gv) { return store_reg(c, i, size_of(i)); }
BODY(mov_Ob_AL) { return store_reg(c, i, 0); }
BODY(mov_Ov_eAX) { return store_reg(c, i, size_of(i)); }

static enum status load_reg(struct cpu *c, const struct insn *i, unsigned size)
{
    reg_write(c, i, rm_read(c, i, 1u << size), size);
    return BODY_NEXT;
}
BODY(mov_Gb_Eb) { return load_reg(c, i, 0); }
BODY(mov_Gv_Ev) { return load_reg(c, i, size_of(i)); }
BODY(mov_AL_Ob) { return load_reg(c, i, 0); }
BODY(mov_eAX_Ov) { return load_reg(c, i, size_of(i)); }

static enum status store_imm(struct cpu *c, const struct insn *i, unsigned size)
{
    rm_write(c, i, (uint64_t)(int64_t)i->imm & size_mask(size), 1u << size);
    return BODY_NEXT;
}
BODY(mov_Eb_Ib) { return store_imm(c, i, 0); }
BODY(mov_Ev_Iz) { return store_imm(c, i, size_of(i)); }
BODY(mov_Zb_Ib) { return store_imm(c, i, 0); }
BODY(mov_Zv_Iv) { return store_imm(c, i, size_of(i)); }

static enum status extend(struct cpu *c, const struct insn *i, unsigned from, bool sign)
{
    uint64_t v = rm_read(c, i, 1u << from);
    if (sign) v = (v ^ size_sign(from)) - size_sign(from);
    reg_write(c, i, v, size_of(i));
    return BODY_NEXT;
}
BODY(movzx_Gv_Eb) { return extend(c, i, 0, false); }
BODY(movzx_Gv_Ew) { return extend(c, i, 1, false); }
BODY(movsx_Gv_Eb) { return extend(c, i, 0, true); }
BODY(movsx_Gv_Ew) { return extend(c, i, 1, true); }

BODY(cmovcc_Gv_Ev)
{
    uint64_t v = rm_read(c, i, insn_opsize(i));
    if (flags_condition(c, (unsigned)i->imm)) reg_write(c, i, v, size_of(i));
    return BODY_NEXT;
}

static enum status exchange(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t a = rmw_read(c, i, size), b = reg_read(c, i, size);
    rm_write(c, i, b, 1u << size);
    reg_write(c, i, a, size);
    return BODY_NEXT;
}
BODY(xchg_Eb_Gb) { return exchange(c, i, 0); }
BODY(xchg_Ev_Gv) { return exchange(c, i, size_of(i)); }
BODY(xchg_eAX_Zv) { return exchange(c, i, size_of(i)); }

BODY(lea_Gv_M)
{
    reg_write(c, i, insn_ea_inline(c, i), size_of(i));
    return BODY_NEXT;
}

BODY(xlat)
{
    set_al(c, mem_read8(c, insn_seg(i), addr_cut(i, c->r[R_BX] + get_al(c))));
    return BODY_NEXT;
}

/* The 16-bit form is undefined; the chips clear the register's low half. */
BODY(bswap_Zv)
{
    if (size_of(i) == 1) set_reg16(c, i->rm, 0);
    else set_reg32(c, i->rm, __builtin_bswap32(reg32(c, i->rm)));
    return BODY_NEXT;
}

BODY(cbw)
{
    if (size_of(i) == 1) set_reg16(c, R_AX, (uint16_t)(int8_t)get_al(c));
    else set_reg32(c, R_AX, (uint32_t)(int32_t)(int16_t)reg16(c, R_AX));
    return BODY_NEXT;
}

BODY(cwd)
{
    if (size_of(i) == 1) set_reg16(c, R_DX, reg16(c, R_AX) & 0x8000 ? 0xffff : 0);
    else set_reg32(c, R_DX, reg32(c, R_AX) & 0x80000000 ? 0xffffffff : 0);
    return BODY_NEXT;
}

/* ---- flags */

BODY(lahf)
{
    (void)i;
    set_ah(c, (uint8_t)(eflags_get(c) | FL_1));
    return BODY_NEXT;
}

BODY(sahf)
{
    (void)i;
    flags_change(c, FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF, get_ah(c));
    return BODY_NEXT;
}

BODY(salc)
{
    (void)i;
    set_al(c, flag_cf(c) ? 0xff : 0);
    return BODY_NEXT;
}

BODY(clc) { (void)i; flags_change(c, FL_CF, 0); return BODY_NEXT; }
BODY(stc) { (void)i; flags_change(c, FL_CF, FL_CF); return BODY_NEXT; }
BODY(cmc) { (void)i; flags_change(c, FL_CF, flag_cf(c) ? 0 : FL_CF); return BODY_NEXT; }
BODY(cld) { (void)i; c->eflags &= ~(uint32_t)FL_DF; return BODY_NEXT; }
BODY(std) { (void)i; c->eflags |= FL_DF; return BODY_NEXT; }

/* ---- nothing, and what must not be executed */

BODY(nop) { (void)c; (void)i; return BODY_NEXT; }
BODY(nop_Ev) { (void)c; (void)i; return BODY_NEXT; }
BODY(pause) { (void)c; (void)i; return BODY_NEXT; }
BODY(ud2) { (void)i; cpu_ud(c); }
BODY(ud1) { (void)i; cpu_ud(c); }
BODY(bad) { (void)i; cpu_ud(c); }
BODY(too_long)
{
    (void)i;
    if (cpu_level(c) != LEVEL_8086) cpu_gp0(c);
    return BODY_NEXT;
}
