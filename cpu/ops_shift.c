/* Rotates, shifts and double shifts (SDM vol. 2, "RCL/RCR/ROL/ROR", "SAL/SAR/SHL/SHR", "SHLD", "SHRD").
 *
 * The 80286 and later take five bits of the count; the 8086 takes all eight and really steps that often. The oddest
 * behaviour is the 8086's D0-D3 /6, SETMO ("set minus one"): the operand becomes all ones (SETMOC with CL leaves it
 * alone where CL is 0). Later models take /6 for SHL. What the first models leave in undefined flags is in alu_early.h. */
#include "cpu/alu_early.h"
#include "cpu/ops.h"

static unsigned effective_count(const struct cpu *c, unsigned count)
{
    return cpu_level(c) == LEVEL_8086 ? count & 0xff : count & 31;
}

/* CF, AF and OF of a shift, undefined ones too. */
static uint32_t shift_flags(const struct cpu *c, enum shift_op op, uint64_t a, struct shift_out o, unsigned count, unsigned size)
{
    uint32_t f = o.cf_of | early_shift_af(op, o.result, cpu_level(c));
    if (cpu_level(c) != LEVEL_386 || !early_386_turns(count, size)) return f;
    if (op == SHIFT_SHL && (a & 1)) f |= FL_CF | FL_OF;
    if (op == SHIFT_SHR && (a & size_sign(size))) f |= FL_CF;
    return f;
}

static inline __attribute__((always_inline)) enum status shift(struct cpu *c, const struct insn *i, enum shift_op op,
                                                                unsigned count, unsigned size)
{
    uint64_t a = rmw_read(c, i, size);
    struct shift_out o;
    count = effective_count(c, count);
    if (count == 0) return BODY_NEXT;
    switch (op) {
    case SHIFT_ROL: o = alu_rol(a, count, size); break;
    case SHIFT_ROR: o = alu_ror(a, count, size); break;
    case SHIFT_RCL: o = alu_rcl(a, count, size, flag_cf(c)); break;
    case SHIFT_RCR: o = alu_rcr(a, count, size, flag_cf(c)); break;
    case SHIFT_SHL: o = alu_shl(a, count, size); break;
    case SHIFT_SHR: o = alu_shr(a, count, size); break;
    case SHIFT_SETMO: o = (struct shift_out){ size_mask(size), 0 }; break;
    default: o = alu_sar(a, count, size); break;
    }
    rm_write(c, i, o.result, 1u << size);
    if (op <= SHIFT_RCR) flags_change(c, FL_CF | FL_OF, o.cf_of);
    else flags_known(c, o.result, size, op == SHIFT_SETMO ? o.cf_of : shift_flags(c, op, a, o, count, size));
    return BODY_NEXT;
}

static inline uint8_t get_cl(const struct cpu *c) { return (uint8_t)c->r[R_CX]; }

#define SHIFT_BODIES(name, op) \
    BODY(name##_Eb_1) { return shift(c, i, op, 1, 0); } \
    BODY(name##_Ev_1) { return shift(c, i, op, 1, size_of(i)); } \
    BODY(name##_Eb_CL) { return shift(c, i, op, get_cl(c), 0); } \
    BODY(name##_Ev_CL) { return shift(c, i, op, get_cl(c), size_of(i)); }
#define SHIFT_BODIES_IMM(name, op) SHIFT_BODIES(name, op) \
    BODY(name##_Eb_Ib) { return shift(c, i, op, (unsigned)i->imm, 0); } \
    BODY(name##_Ev_Ib) { return shift(c, i, op, (unsigned)i->imm, size_of(i)); }
SHIFT_BODIES_IMM(rol, SHIFT_ROL)
SHIFT_BODIES_IMM(ror, SHIFT_ROR)
SHIFT_BODIES_IMM(rcl, SHIFT_RCL)
SHIFT_BODIES_IMM(rcr, SHIFT_RCR)
SHIFT_BODIES_IMM(shl, SHIFT_SHL)
SHIFT_BODIES_IMM(shr, SHIFT_SHR)
SHIFT_BODIES_IMM(sar, SHIFT_SAR)
SHIFT_BODIES(setmo, SHIFT_SETMO)

static enum status double_shift(struct cpu *c, const struct insn *i, bool left, unsigned count)
{
    unsigned size = size_of(i);
    uint64_t a = rmw_read(c, i, size), b = reg_read(c, i, size);
    count &= 31;
    if (count == 0) return BODY_NEXT;
    bool is_386 = cpu_level(c) == LEVEL_386;
    struct shift_out o = is_386 ? left ? early_386_shld(a, b, count, size) : early_386_shrd(a, b, count, size)
                                : left ? alu_shld(a, b, count, size) : alu_shrd(a, b, count, size);
    rm_write(c, i, o.result, 1u << size);
    flags_known(c, o.result, size, o.cf_of | (is_386 ? FL_AF : 0));
    return BODY_NEXT;
}
BODY(shld_Ev_Gv_Ib) { return double_shift(c, i, true, (unsigned)i->imm); }
BODY(shld_Ev_Gv_CL) { return double_shift(c, i, true, get_cl(c)); }
BODY(shrd_Ev_Gv_Ib) { return double_shift(c, i, false, (unsigned)i->imm); }
BODY(shrd_Ev_Gv_CL) { return double_shift(c, i, false, get_cl(c)); }
