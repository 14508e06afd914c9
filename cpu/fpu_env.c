/* x87 control: FINIT, FCLEX, the control and status words, and the environment and state images in memory.
 *
 * SDM vol. 1 8.1.10, figures 8-9 to 8-12. The image has four shapes, by operand size and by whether segments have
 * selectors: in real and virtual-8086 mode the pointers are linear addresses, and the opcode shares a word with the
 * instruction pointer's upper bits. The unit itself keeps selector and offset. None of these instructions moves the
 * pointers; those written with N do not wait for pending errors.
 *
 * GAP: the Pentium 4 keeps FOP for every instruction, as it does with IA32_MISC_ENABLE bit 2 set; without, FOP is of the
 * last instruction with an unmasked exception (SDM vol. 1 8.1.9.1). */
#include "base/bytes.h"
#include "cpu/fpu.h"

enum { ENV16_SIZE = 14, ENV32_SIZE = 28, STATE_REGS_SIZE = 80 };

static unsigned env_size(const struct insn *i) { return insn_opsize(i) == 2 ? ENV16_SIZE : ENV32_SIZE; }

static void put_env(const struct cpu *c, uint8_t *b, bool wide)
{
    bool prot = cpu_protected(c);
    uint32_t ip = (uint32_t)c->fip, dp = (uint32_t)c->fdp;
    if (!prot) {
        ip += (uint32_t)c->fcs << 4;
        dp += (uint32_t)c->fds << 4;
    }
    if (!wide) {
        st16(b, c->fcw);
        st16(b + 2, fpu_status_word(c));
        st16(b + 4, fpu_tag_word(c));
        st16(b + 6, (uint16_t)ip);
        st16(b + 8, prot ? c->fcs : (uint16_t)((ip >> 16 & 15) << 12 | c->fop));
        st16(b + 10, (uint16_t)dp);
        st16(b + 12, prot ? c->fds : (uint16_t)((dp >> 16 & 15) << 12));
        return;
    }
    st32(b, 0xffff0000 | c->fcw);
    st32(b + 4, 0xffff0000 | fpu_status_word(c));
    st32(b + 8, 0xffff0000 | fpu_tag_word(c));
    if (prot) {
        st32(b + 12, ip);
        st32(b + 16, (uint32_t)c->fop << 16 | c->fcs);
        st32(b + 20, dp);
        st32(b + 24, 0xffff0000 | c->fds);
    } else {
        st32(b + 12, 0xffff0000 | (uint16_t)ip);
        st32(b + 16, (ip >> 16) << 12 | c->fop);
        st32(b + 20, 0xffff0000 | (uint16_t)dp);
        st32(b + 24, (dp >> 16) << 12);
    }
}

static void get_env(struct cpu *c, const uint8_t *b, bool wide)
{
    const unsigned step = wide ? 4 : 2;
    uint16_t tags = ld16(b + 2 * step);
    c->ftag = 0;
    for (unsigned r = 0; r < 8; r++) c->ftag |= (uint8_t)(((tags >> (2 * r) & 3) != 3) << r);
    uint32_t ip = wide ? ld32(b + 12) : ld16(b + 6), dp = wide ? ld32(b + 20) : ld16(b + 10);
    uint32_t ip_high = wide ? ld32(b + 16) : ld16(b + 8), dp_high = wide ? ld32(b + 24) : ld16(b + 12);
    if (cpu_protected(c)) {
        c->fcs = (uint16_t)ip_high;
        c->fds = (uint16_t)dp_high;
        if (wide) c->fop = ip_high >> 16 & 0x7ff;
    } else {
        ip = (ip & 0xffff) | (ip_high >> 12 & 0xffff) << 16;
        dp = (dp & 0xffff) | (dp_high >> 12 & 0xffff) << 16;
        c->fcs = c->fds = 0;
        c->fop = ip_high & 0x7ff;
    }
    c->fip = ip;
    c->fdp = dp;
    c->fcw = ld16(b);
    fpu_set_status_word(c, ld16(b + step));
    fpu_set_control_word(c, c->fcw);
}

/* FNSTENV masks all exceptions once the image is out (SDM vol. 2, FSTENV). */
FPU_OP(fnstenv_M)
{
    fpu_begin_nowait(c);
    uint64_t ea = insn_ea(c, i);
    uint8_t b[ENV32_SIZE];
    unsigned size = env_size(i);
    put_env(c, b, size == ENV32_SIZE);
    access_probe_write(c, insn_seg(i), ea, size);
    mem_write_bytes(c, insn_seg(i), ea, b, size);
    c->fcw |= FCW_MASKS;
    fpu_update_es(c);
    return BODY_NEXT;
}

FPU_OP(fldenv_M)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint8_t b[ENV32_SIZE];
    unsigned size = env_size(i);
    mem_read_bytes(c, insn_seg(i), insn_ea(c, i), b, size);
    get_env(c, b, size == ENV32_SIZE);
    return BODY_NEXT;
}

FPU_OP(fnsave_M)
{
    fpu_begin_nowait(c);
    uint64_t ea = insn_ea(c, i);
    uint8_t b[ENV32_SIZE + STATE_REGS_SIZE];
    unsigned size = env_size(i);
    put_env(c, b, size == ENV32_SIZE);
    for (unsigned n = 0; n < 8; n++) {
        struct f80 v = fpu_st(c, n);
        st64(b + size + 10 * n, v.mant);
        st16(b + size + 10 * n + 8, v.se);
    }
    access_probe_write(c, insn_seg(i), ea, size + STATE_REGS_SIZE);
    mem_write_bytes(c, insn_seg(i), ea, b, size + STATE_REGS_SIZE);
    fpu_reset(c, true);
    return BODY_NEXT;
}

FPU_OP(frstor_M)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    uint8_t b[ENV32_SIZE + STATE_REGS_SIZE];
    unsigned size = env_size(i);
    mem_read_bytes(c, insn_seg(i), insn_ea(c, i), b, size + STATE_REGS_SIZE);
    get_env(c, b, size == ENV32_SIZE);
    for (unsigned n = 0; n < 8; n++)
        fpu_set_reg(c, fpu_reg(c, n), (struct f80){ .mant = ld64(b + size + 10 * n), .se = ld16(b + size + 10 * n + 8) });
    return BODY_NEXT;
}

FPU_OP(fninit)
{
    (void)i;
    fpu_begin_nowait(c);
    fpu_reset(c, true);
    return BODY_NEXT;
}

FPU_OP(fnclex)
{
    (void)i;
    fpu_begin_nowait(c);
    c->fsw &= (uint16_t)~(SF_EXCEPTIONS | FSW_SF);
    fpu_update_es(c);
    return BODY_NEXT;
}

FPU_OP(fldcw_Mw)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_set_control_word(c, mem_read16(c, insn_seg(i), insn_ea(c, i)));
    return BODY_NEXT;
}

FPU_OP(fnstcw_Mw)
{
    fpu_begin_nowait(c);
    mem_write16(c, insn_seg(i), insn_ea(c, i), c->fcw);
    return BODY_NEXT;
}

FPU_OP(fnstsw_Mw)
{
    fpu_begin_nowait(c);
    mem_write16(c, insn_seg(i), insn_ea(c, i), fpu_status_word(c));
    return BODY_NEXT;
}

FPU_OP(fnstsw_AX)
{
    (void)i;
    fpu_begin_nowait(c);
    set_reg16(c, R_AX, fpu_status_word(c));
    return BODY_NEXT;
}
