/* Decimal arithmetic: AAA AAS AAM AAD DAA DAS (SDM vol. 2; the 8086 Family User's Manual ch. 2).
 *
 * The oddest behaviour: what happens with operands that are not decimal differs between the chips. The 8086 corrects AL
 * and AH separately; later ones add 106h to AX, so AL's carry reaches AH. Up to the 386 the undefined flags are those of the
 * addition inside (alu_early.h). */
#include "cpu/alu_early.h"
#include "cpu/ops.h"

static void flags_bcd(struct cpu *c, uint8_t result, bool cf, bool af, bool of)
{
    flags_known(c, result, 0, (cf ? FL_CF : 0) | (af ? FL_AF : 0) | (of ? FL_OF : 0));
}

static struct early_flags early_adjust(uint8_t al, uint8_t by, bool subtract)
{
    return subtract ? early_sub(al, by, 0) : early_add(al, by, 0);
}

static enum status ascii_adjust(struct cpu *c, bool subtract)
{
    uint8_t al = get_al(c);
    bool adjust = (al & 15) > 9 || flag_af(c);
    uint16_t ax = reg16(c, R_AX);
    if (adjust) {
        if (cpu_level(c) == LEVEL_8086) {
            uint8_t low = (uint8_t)(subtract ? al - 6 : al + 6), high = (uint8_t)(subtract ? get_ah(c) - 1 : get_ah(c) + 1);
            ax = (uint16_t)(high << 8 | low);
        } else if (subtract) {
            ax = (uint16_t)(ax - 0x106);
        } else {
            ax = (uint16_t)(ax + 0x106);
        }
    }
    ax &= 0xff0f;
    set_reg16(c, R_AX, ax);
    struct early_flags f = early_adjust(al, adjust ? 6 : 0, subtract);
    if (cpu_level(c) <= LEVEL_386) flags_bcd(c, (uint8_t)f.result, adjust, adjust, f.cf_af_of & FL_OF);
    else flags_bcd(c, (uint8_t)ax, adjust, adjust, false);
    return BODY_NEXT;
}
BODY(aaa) { (void)i; return ascii_adjust(c, false); }
BODY(aas) { (void)i; return ascii_adjust(c, true); }

static enum status decimal_adjust(struct cpu *c, bool subtract)
{
    uint8_t old = get_al(c), al = old;
    bool cf = flag_cf(c), af = flag_af(c), low = (old & 15) > 9 || af;
    bool high = cf || old > (cpu_level(c) == LEVEL_8086 && af ? 0x9f : 0x99);
    bool borrow = false;
    if (low) {
        borrow = subtract && old < 6 && cpu_level(c) != LEVEL_8086;
        al = (uint8_t)(subtract ? al - 6 : al + 6);
    }
    if (high) al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
    set_al(c, al);
    bool of = early_adjust(old, (uint8_t)((low ? 6 : 0) + (high ? 0x60 : 0)), subtract).cf_af_of & FL_OF;
    flags_bcd(c, al, high || (borrow && low), low, of && cpu_level(c) <= LEVEL_386);
    return BODY_NEXT;
}
BODY(daa) { (void)i; return decimal_adjust(c, false); }
BODY(das) { (void)i; return decimal_adjust(c, true); }

BODY(aam_Ib)
{
    uint8_t base = (uint8_t)i->imm, al = get_al(c);
    if (base == 0) {
        if (cpu_level(c) == LEVEL_8086) flags_bcd(c, 0, false, false, false);   /* captured from the chips */
        else if (cpu_level(c) <= LEVEL_386) flags_bcd(c, al >> 1, false, false, false);
        return op_divide_error(c);
    }
    set_reg16(c, R_AX, (uint16_t)((al / base) << 8 | al % base));
    flags_bcd(c, al % base, false, false, false);
    return BODY_NEXT;
}

BODY(aad_Ib)
{
    struct early_flags f = early_add(get_al(c), (uint8_t)(get_ah(c) * (uint8_t)i->imm), 0);
    uint8_t al = (uint8_t)f.result;
    bool cf = f.cf_af_of & FL_CF, of = cpu_level(c) == LEVEL_286 ? cf : (f.cf_af_of & FL_OF) != 0;
    set_reg16(c, R_AX, al);
    if (cpu_level(c) <= LEVEL_386) flags_bcd(c, al, cf, f.cf_af_of & FL_AF, of);
    else flags_bcd(c, al, false, false, false);
    return BODY_NEXT;
}
