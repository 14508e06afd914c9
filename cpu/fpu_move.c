/* x87 data transfer: loads, stores, constants, exchanges, conditional moves and the stack pointer.
 *
 * SDM vol. 1 8.3.3, 8.3.4. A store converts first, checks or does its memory access next, and only then changes the unit's
 * state; an unmasked invalid, overflow or underflow exception stores nothing but checks the access all the same. */
#include "base/bytes.h"
#include "cpu/fpu.h"

/* Pushes a loaded value with what loading it raised. */
FPU_INLINE enum status push(struct cpu *c, struct f80 v, const struct sf *s)
{
    if (FPU_UNLIKELY(!fpu_empty(c, 7))) {
        if (fpu_overflow(c)) fpu_push(c, f80_indefinite());
        return BODY_NEXT;
    }
    fpu_raise(c, s->flags);
    /* Measured: an unmasked denormal exception of FLD m32 and m64 is reported, but the value is loaded. */
    if (!(s->flags & ~s->masks & SF_IE)) fpu_push(c, v);
    return BODY_NEXT;
}

FPU_OP(fld_STi)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    struct sf s = fpu_env(c);
    unsigned n = i->rm & 7;
    if (FPU_UNLIKELY(fpu_empty(c, n))) {
        if (fpu_underflow(c)) fpu_push(c, f80_indefinite());
        return BODY_NEXT;
    }
    return push(c, fpu_st(c, n), &s);
}

FPU_OP(fld_Md)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint32_t v = mem_read32(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct sf s = fpu_env(c);
    struct f80 r = f80_from_f32(v, &s);
    return push(c, r, &s);
}

FPU_OP(fld_Mq)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint64_t v = mem_read64(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct sf s = fpu_env(c);
    struct f80 r = f80_from_f64(v, &s);
    return push(c, r, &s);
}

FPU_OP(fld_Mt)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint8_t b[10];
    mem_read_bytes(c, insn_seg(i), ea, b, sizeof b);
    fpu_note_mem(c, i, ea);
    struct sf s = fpu_env(c);
    return push(c, (struct f80){ .mant = ld64(b), .se = ld16(b + 8) }, &s);
}

static enum status load_int(struct cpu *c, const struct insn *i, unsigned size)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    int64_t v;
    if (size == 2) v = (int16_t)mem_read16(c, insn_seg(i), ea);
    else if (size == 4) v = (int32_t)mem_read32(c, insn_seg(i), ea);
    else v = (int64_t)mem_read64(c, insn_seg(i), ea);
    fpu_note_mem(c, i, ea);
    struct sf s = fpu_env(c);
    return push(c, f80_from_i64(v), &s);
}
FPU_OP(fild_Mw) { return load_int(c, i, 2); }
FPU_OP(fild_Md) { return load_int(c, i, 4); }
FPU_OP(fild_Mq) { return load_int(c, i, 8); }

FPU_OP(fbld_Mt)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint64_t ea = insn_ea(c, i);
    uint8_t b[10];
    mem_read_bytes(c, insn_seg(i), ea, b, sizeof b);
    fpu_note_mem(c, i, ea);
    struct sf s = fpu_env(c);
    return push(c, f80_from_bcd(b), &s);
}

/* Constants have 66 bits in the chip, so the last place depends on the rounding control (SDM vol. 2, FLD1): `extra` is
 * +1 where rounding up, or -1 where rounding down or chopping, differs from the nearest value. All are positive. The 8087
 * and 287 always give the nearest (SDM vol. 3 22.18.6). */
FPU_INLINE enum status constant(struct cpu *c, const struct insn *i, unsigned exp, uint64_t nearest, int extra)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    struct sf s = fpu_env(c);
    if (cpu_level(c) < LEVEL_386) s.rc = SF_NEAREST;
    if (extra > 0 && s.rc == SF_UP) nearest++;
    if (extra < 0 && (s.rc == SF_DOWN || s.rc == SF_CHOP)) nearest--;
    return push(c, f80_make(false, exp, nearest), &s);
}
FPU_OP(fld1) { return constant(c, i, 0x3fff, 0x8000000000000000, 0); }
FPU_OP(fldl2t) { return constant(c, i, 0x4000, 0xd49a784bcd1b8afe, 1); }       /* ...AFE.4B */
FPU_OP(fldl2e) { return constant(c, i, 0x3fff, 0xb8aa3b295c17f0bc, -1); }      /* ...0BB.BE */
FPU_OP(fldpi) { return constant(c, i, 0x4000, 0xc90fdaa22168c235, -1); }       /* ...234.C4 */
FPU_OP(fldlg2) { return constant(c, i, 0x3ffd, 0x9a209a84fbcff799, -1); }      /* ...798.8F */
FPU_OP(fldln2) { return constant(c, i, 0x3ffe, 0xb17217f7d1cf79ac, -1); }      /* ...9AB.C9 */
FPU_OP(fldz) { return constant(c, i, 0, 0, 0); }

/* ---- stores */
FPU_INLINE enum status store_reg(struct cpu *c, const struct insn *i, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    struct f80 v = fpu_st(c, 0);
    if (FPU_UNLIKELY(fpu_empty(c, 0))) {
        if (!fpu_underflow(c)) return BODY_NEXT;
        v = f80_indefinite();
    } else {
        fpu_raise(c, 0);
    }
    fpu_set(c, i->rm & 7, v);
    if (pop) fpu_pop(c);
    return BODY_NEXT;
}
/* D9 D8+i: as FSTP, but an empty ST(0) is no exception; then it only pops. Measured on an AMD EPYC. */
FPU_OP(fstpnce_STi)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    fpu_raise(c, 0);
    if (!fpu_empty(c, 0)) fpu_set(c, i->rm & 7, fpu_st(c, 0));
    fpu_pop(c);
    return BODY_NEXT;
}

FPU_OP(fst_STi) { return store_reg(c, i, false); }
FPU_OP(fstp_STi) { return store_reg(c, i, true); }

/* What a store does once value and flags are known: access first, then status, then pop. */
FPU_INLINE enum status store_mem(struct cpu *c, const struct insn *i, uint64_t v, unsigned size, const struct sf *s, bool pop)
{
    uint64_t ea = insn_ea(c, i);
    bool stored = !sf_no_store(s);
    if (!stored) access_probe_write(c, insn_seg(i), ea, size);
    else if (size == 2) mem_write16(c, insn_seg(i), ea, (uint16_t)v);
    else if (size == 4) mem_write32(c, insn_seg(i), ea, (uint32_t)v);
    else mem_write64(c, insn_seg(i), ea, v);
    fpu_note_mem(c, i, ea);
    fpu_raise(c, s->flags);
    if (stored && pop) fpu_pop(c);
    return BODY_NEXT;
}

FPU_INLINE enum status store_f32(struct cpu *c, const struct insn *i, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    struct sf s = fpu_env(c);
    uint32_t v = 0xffc00000;
    if (FPU_UNLIKELY(fpu_empty(c, 0))) s.flags = (uint16_t)fpu_stack_fault(c);
    else v = f80_to_f32(fpu_st(c, 0), &s);
    return store_mem(c, i, v, 4, &s, pop);
}
FPU_OP(fst_Md) { return store_f32(c, i, false); }
FPU_OP(fstp_Md) { return store_f32(c, i, true); }

FPU_INLINE enum status store_f64(struct cpu *c, const struct insn *i, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    struct sf s = fpu_env(c);
    uint64_t v = 0xfff8000000000000;
    if (FPU_UNLIKELY(fpu_empty(c, 0))) s.flags = (uint16_t)fpu_stack_fault(c);
    else v = f80_to_f64(fpu_st(c, 0), &s);
    return store_mem(c, i, v, 8, &s, pop);
}
FPU_OP(fst_Mq) { return store_f64(c, i, false); }
FPU_OP(fstp_Mq) { return store_f64(c, i, true); }

FPU_INLINE enum status store_int(struct cpu *c, const struct insn *i, unsigned size, bool chop, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    struct sf s = fpu_env(c);
    int64_t v = (int64_t)-(1ull << (8 * size - 1));
    if (FPU_UNLIKELY(fpu_empty(c, 0))) s.flags = (uint16_t)fpu_stack_fault(c);
    else v = f80_to_int(fpu_st(c, 0), 8 * size, chop, &s);
    return store_mem(c, i, (uint64_t)v, size, &s, pop);
}
FPU_OP(fist_Mw) { return store_int(c, i, 2, false, false); }
FPU_OP(fistp_Mw) { return store_int(c, i, 2, false, true); }
FPU_OP(fist_Md) { return store_int(c, i, 4, false, false); }
FPU_OP(fistp_Md) { return store_int(c, i, 4, false, true); }
FPU_OP(fistp_Mq) { return store_int(c, i, 8, false, true); }
FPU_OP(fisttp_Mw) { return store_int(c, i, 2, true, true); }
FPU_OP(fisttp_Md) { return store_int(c, i, 4, true, true); }
FPU_OP(fisttp_Mq) { return store_int(c, i, 8, true, true); }

static enum status store_ten(struct cpu *c, const struct insn *i, const uint8_t b[10], const struct sf *s)
{
    uint64_t ea = insn_ea(c, i);
    bool stored = !sf_no_store(s);
    access_probe_write(c, insn_seg(i), ea, 10);
    if (stored) mem_write_bytes(c, insn_seg(i), ea, b, 10);
    fpu_note_mem(c, i, ea);
    fpu_raise(c, s->flags);
    if (stored) fpu_pop(c);
    return BODY_NEXT;
}

FPU_OP(fstp_Mt)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    struct sf s = fpu_env(c);
    struct f80 v = fpu_st(c, 0);
    if (FPU_UNLIKELY(fpu_empty(c, 0))) {
        s.flags = (uint16_t)fpu_stack_fault(c);
        v = f80_indefinite();
    }
    uint8_t b[10];
    st64(b, v.mant);
    st16(b + 8, v.se);
    return store_ten(c, i, b, &s);
}

FPU_OP(fbstp_Mt)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    struct sf s = fpu_env(c);
    uint8_t b[10];
    f80_to_bcd(fpu_empty(c, 0) ? f80_indefinite() : fpu_st(c, 0), b, &s);
    if (fpu_empty(c, 0)) s.flags = (uint16_t)fpu_stack_fault(c);
    return store_ten(c, i, b, &s);
}

/* ---- registers */
FPU_OP(fxch_STi)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    unsigned n = i->rm & 7;
    struct f80 a = fpu_st(c, 0), b = fpu_st(c, n);
    if (FPU_UNLIKELY(fpu_empty(c, 0) || fpu_empty(c, n))) {
        if (!fpu_underflow(c)) return BODY_NEXT;
        if (fpu_empty(c, 0)) a = f80_indefinite();
        if (fpu_empty(c, n)) b = f80_indefinite();
    } else {
        fpu_raise(c, 0);
    }
    fpu_set(c, 0, b);
    fpu_set(c, n, a);
    return BODY_NEXT;
}

FPU_INLINE enum status move_if(struct cpu *c, const struct insn *i, uint32_t flags, bool set)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    unsigned n = i->rm & 7;
    if (FPU_UNLIKELY(fpu_empty(c, 0) || fpu_empty(c, n))) {
        if (fpu_underflow(c)) fpu_set(c, 0, f80_indefinite());
        return BODY_NEXT;
    }
    if (((eflags_get(c) & flags) != 0) == set) fpu_set_reg(c, c->ftop, fpu_st(c, n));   /* C1 keeps its value */
    return BODY_NEXT;
}
FPU_OP(fcmovb_STi) { return move_if(c, i, FL_CF, true); }
FPU_OP(fcmove_STi) { return move_if(c, i, FL_ZF, true); }
FPU_OP(fcmovbe_STi) { return move_if(c, i, FL_CF | FL_ZF, true); }
FPU_OP(fcmovu_STi) { return move_if(c, i, FL_PF, true); }
FPU_OP(fcmovnb_STi) { return move_if(c, i, FL_CF, false); }
FPU_OP(fcmovne_STi) { return move_if(c, i, FL_ZF, false); }
FPU_OP(fcmovnbe_STi) { return move_if(c, i, FL_CF | FL_ZF, false); }
FPU_OP(fcmovnu_STi) { return move_if(c, i, FL_PF, false); }

FPU_INLINE enum status free_reg(struct cpu *c, const struct insn *i, bool pop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    c->ftag &= (uint8_t)~(1u << fpu_reg(c, i->rm & 7));
    fpu_raise(c, 0);
    if (pop) fpu_pop(c);
    return BODY_NEXT;
}
FPU_OP(ffree_STi) { return free_reg(c, i, false); }
FPU_OP(ffreep_STi) { return free_reg(c, i, true); }

FPU_INLINE enum status move_top(struct cpu *c, const struct insn *i, unsigned delta)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    c->ftop = (c->ftop + delta) & 7;
    fpu_raise(c, 0);
    return BODY_NEXT;
}
FPU_OP(fincstp) { return move_top(c, i, 1); }
FPU_OP(fdecstp) { return move_top(c, i, 7); }
