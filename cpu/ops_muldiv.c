/* MUL, IMUL, DIV, IDIV (SDM vol. 2).
 *
 * CF and OF of a product say that the upper half is significant; the other flags are undefined: here they follow the lower
 * half, AF is 0. All flags of a quotient are undefined: Intel's divisions change them, which programs look for (a Cyrix 486 leaves
 * them alone after 5 / 2), so AF is set and the others are clear. The 8086, the 80286 and in part the 80386 show the work of
 * their arithmetic unit instead (alu_early.h). The oddest behaviour is the 8086's #DE: it
 * is an interrupt, whose frame holds the address of the next instruction, and a quotient of -128 or -32768 counts as an
 * overflow; and a REP prefix inverts the sign of an 8086 IDIV's quotient, because its microcode keeps the sign in the
 * flag that remembers the prefix. */
#include "cpu/alu_early.h"
#include "cpu/ops.h"

#include "cpu/system.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

static int64_t sign_extend(uint64_t v, unsigned size)
{
    unsigned shift = 64 - (8u << size);
    return (int64_t)(v << shift) >> shift;
}

static void early_known(struct cpu *c, struct early_flags f, unsigned size) { flags_known(c, f.result, size, f.cf_af_of); }

/* The double-width result in AX, DX:AX, EDX:EAX. */
static void put_wide(struct cpu *c, uint64_t low, uint64_t high, unsigned size)
{
    if (size == 0) {
        set_reg16(c, R_AX, (uint16_t)(low | high << 8));
    } else {
        set_reg(c, R_AX, low, 1u << size);
        set_reg(c, R_DX, high, 1u << size);
    }
}

static void product_flags(struct cpu *c, uint64_t low, uint64_t high, bool is_signed, bool significant, unsigned size)
{
    if (cpu_level(c) <= LEVEL_286)
        early_known(c, early_product(low, high, is_signed, significant, cpu_level(c) == LEVEL_8086, size), size);
    else flags_known(c, low, size, significant ? FL_CF | FL_OF : 0);
}

static enum status mul(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t mask = size_mask(size), b = rm_read(c, i, 1u << size);
    u128 p = (u128)(c->r[R_AX] & mask) * b;
    uint64_t low = (uint64_t)p & mask, high = (uint64_t)(p >> (8u << size)) & mask;
    put_wide(c, low, high, size);
    product_flags(c, low, high, false, high != 0, size);
    return BODY_NEXT;
}
BODY(mul_Eb) { return mul(c, i, 0); }
BODY(mul_Ev) { return mul(c, i, size_of(i)); }

/* Lower half of a signed product and whether the upper one is more than its sign. */
static uint64_t signed_product(uint64_t a, uint64_t b, unsigned size, uint64_t *high, bool *significant)
{
    uint64_t mask = size_mask(size);
    i128 p = (i128)sign_extend(a, size) * sign_extend(b, size);
    uint64_t low = (uint64_t)p & mask;
    *high = (uint64_t)((u128)p >> (8u << size)) & mask;
    *significant = p != sign_extend(low, size);
    return low;
}

static enum status imul_wide(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t b = rm_read(c, i, 1u << size), high;
    bool significant;
    uint64_t low = signed_product(c->r[R_AX], b, size, &high, &significant);
    put_wide(c, low, high, size);
    product_flags(c, low, high, true, significant, size);
    return BODY_NEXT;
}
BODY(imul_Eb) { return imul_wide(c, i, 0); }
BODY(imul_Ev) { return imul_wide(c, i, size_of(i)); }

/* b is the multiplier. */
static enum status imul_reg(struct cpu *c, const struct insn *i, uint64_t a, uint64_t b)
{
    unsigned size = size_of(i);
    uint64_t high;
    bool significant;
    uint64_t low = signed_product(a, b, size, &high, &significant);
    reg_write(c, i, low, size);
    if (cpu_level(c) != LEVEL_386) {
        product_flags(c, low, high, true, significant, size);
    } else {
        struct early_flags f = early_386_imul(a, b, size);
        flags_known(c, f.result, size, f.cf_af_of | (significant ? FL_CF | FL_OF : 0));
    }
    return BODY_NEXT;
}
BODY(imul_Gv_Ev) { return imul_reg(c, i, reg_read(c, i, size_of(i)), rm_read(c, i, insn_opsize(i))); }
BODY(imul_Gv_Ev_Iz) { return imul_reg(c, i, rm_read(c, i, insn_opsize(i)), (uint64_t)(int64_t)i->imm); }
BODY(imul_Gv_Ev_Ib) { return imul_reg(c, i, rm_read(c, i, insn_opsize(i)), (uint64_t)(int64_t)i->imm); }

enum status op_divide_error(struct cpu *c)
{
    if (cpu_level(c) != LEVEL_8086) cpu_fault(c, V_DE, 0);
    event_deliver_at(c, V_DE, EVENT_EXCEPTION, false, 0, c->next_rip);
    return BODY_JUMP;
}

static u128 dividend(const struct cpu *c, unsigned size)
{
    if (size == 0) return reg16(c, R_AX);
    uint64_t mask = size_mask(size);
    return (u128)(c->r[R_DX] & mask) << (8u << size) | (c->r[R_AX] & mask);
}

static void put_quotient(struct cpu *c, uint64_t quotient, uint64_t remainder, unsigned size)
{
    if (size == 0) set_reg16(c, R_AX, (uint16_t)((quotient & 0xff) | (remainder & 0xff) << 8));
    else put_wide(c, quotient, remainder, size);
}

/* What the first two chips leave in the flags, with and without #DE. */
static void early_quotient_flags(struct cpu *c, u128 a, uint64_t b, bool is_signed, unsigned size)
{
    if (cpu_level(c) > LEVEL_286) return;
    uint64_t mask = size_mask(size);
    bool negative = is_signed && (i128)a < 0, negative_b = is_signed && (int64_t)b < 0;
    if (negative) a = 0 - a;
    if (negative_b) b = 0 - b;
    uint64_t high = (uint64_t)(a >> (8u << size)) & mask, low = (uint64_t)a & mask;
    b &= mask;
    if (cpu_level(c) == LEVEL_8086) early_known(c, early_div_8086(high, low, b, is_signed, size), size);
    else if (is_signed) early_known(c, early_idiv_286(high, low, b, negative, negative_b, size), size);
    else early_known(c, early_div_286(high, low, b, size), size);
}

/* What a division leaves on later models. On the 386 ZF tells of the number, not of what was there before (the NexGen Nx586 was
 * told from it by that): here of the remainder, as on the 80286. */
static void quotient_flags(struct cpu *c, uint64_t remainder, unsigned size)
{
    if (cpu_level(c) >= LEVEL_386) flags_known(c, cpu_level(c) == LEVEL_386 ? remainder & size_mask(size) : 1, size, FL_AF);
}

static enum status div(struct cpu *c, const struct insn *i, unsigned size)
{
    uint64_t b = rm_read(c, i, 1u << size);
    u128 a = dividend(c, size);
    early_quotient_flags(c, a, b, false, size);
    if (b == 0 || a / b > size_mask(size)) return op_divide_error(c);
    put_quotient(c, (uint64_t)(a / b), (uint64_t)(a % b), size);
    quotient_flags(c, (uint64_t)(a % b), size);
    return BODY_NEXT;
}
BODY(div_Eb) { return div(c, i, 0); }
BODY(div_Ev) { return div(c, i, size_of(i)); }

/* The 386 does not see that the quotient of bytes overflows where it is negative and the steps end with exactly 80h: it stores
 * -128 and what is left (captured from a 386EX). */
static bool quotient_of_128(i128 a, int64_t b, i128 *remainder)
{
    bool negative = a < 0;
    i128 dividend = negative ? -a : a, divisor = b < 0 ? -b : b, left = dividend - 128 * (divisor + 128);
    if (negative == (b < 0) || left < 0 || left >= divisor) return false;
    *remainder = negative ? -left : left;
    return true;
}

static enum status idiv(struct cpu *c, const struct insn *i, unsigned size)
{
    unsigned bits = 8u << size;
    int64_t b = sign_extend(rm_read(c, i, 1u << size), size);
    i128 a = (i128)(dividend(c, size) << (128 - 2 * bits)) >> (128 - 2 * bits);
    early_quotient_flags(c, (u128)a, (uint64_t)b, true, size);
    if (b == 0 || (size == 3 && a == (i128)1 << 127)) return op_divide_error(c);
    i128 q = a / b, r = a % b, most = (i128)(size_mask(size) >> 1);
    if (cpu_level(c) == LEVEL_8086) {
        if (q < -most || q > most) return op_divide_error(c);
        if (i->flags & (INSN_REP | INSN_REPNE)) q = -q;
    }
    if (q < -most - 1 || q > most) {
        if (cpu_level(c) != LEVEL_386 || size != 0 || !quotient_of_128(a, b, &r)) return op_divide_error(c);
        q = -128;
    }
    put_quotient(c, (uint64_t)q & size_mask(size), (uint64_t)r & size_mask(size), size);
    quotient_flags(c, (uint64_t)r, size);
    return BODY_NEXT;
}
BODY(idiv_Eb) { return idiv(c, i, 0); }
BODY(idiv_Ev) { return idiv(c, i, size_of(i)); }
