/* IN and OUT.
 *
 * Source: Intel SDM vol. 1 ch. 19 (protection: IOPL and the I/O permission bit map), vol. 3 ch. 34.7 and 34.12 (I/O
 * restart). The oddest behaviour is that V86 code is never judged by IOPL, only by the map, and that the CPU always
 * reads two bytes of the map, so a map that ends without its FFh byte denies the last ports. */
#include "cpu/desc.h"

#include "cpu/system.h"

/* The access may be undone by RSM: keep what the instruction started from. */
static void remember(struct cpu *c)
{
    c->io_count = c->clock->icount;
    c->io_eip = (uint32_t)c->rip;
    c->io_ecx = reg32(c, R_CX);
    c->io_esi = reg32(c, R_SI);
    c->io_edi = reg32(c, R_DI);
}

void io_check(struct cpu *c, uint16_t port, unsigned size)
{
    if (!cpu_real(c) && (c->cpl > cpu_iopl(c) || cpu_v86(c))) {
        uint16_t map;
        if (!(c->tr.attr & SYS_32) || c->tr.limit < 0x67) cpu_gp0(c);
        if (!tss_map_word(c, port >> 3, &map)) cpu_gp0(c);
        if (map >> (port & 7) & ((1u << size) - 1)) cpu_gp0(c);
    }
    remember(c);
    debug_io(c, port, size);
}

static enum status in(struct cpu *c, uint16_t port, unsigned size)
{
    io_check(c, port, size);
    uint32_t v = port_in(c->ports, port, size);
    if (size == 1) c->r[R_AX] = (c->r[R_AX] & ~0xffull) | (v & 0xff);
    else set_reg(c, R_AX, v, size);
    return BODY_NEXT;
}

static enum status out(struct cpu *c, uint16_t port, unsigned size)
{
    io_check(c, port, size);
    port_out(c->ports, port, reg32(c, R_AX) & (uint32_t)(size == 4 ? 0xffffffffu : (1u << 8 * size) - 1), size);
    return BODY_NEXT;
}

enum status op_in_AL_Ib(struct cpu *c, const struct insn *i) { return in(c, i->imm & 0xff, 1); }
enum status op_in_eAX_Ib(struct cpu *c, const struct insn *i) { return in(c, i->imm & 0xff, insn_opsize(i)); }
enum status op_in_AL_DX(struct cpu *c, const struct insn *i) { (void)i; return in(c, reg16(c, R_DX), 1); }
enum status op_in_eAX_DX(struct cpu *c, const struct insn *i) { return in(c, reg16(c, R_DX), insn_opsize(i)); }
enum status op_out_Ib_AL(struct cpu *c, const struct insn *i) { return out(c, i->imm & 0xff, 1); }
enum status op_out_Ib_eAX(struct cpu *c, const struct insn *i) { return out(c, i->imm & 0xff, insn_opsize(i)); }
enum status op_out_DX_AL(struct cpu *c, const struct insn *i) { (void)i; return out(c, reg16(c, R_DX), 1); }
enum status op_out_DX_eAX(struct cpu *c, const struct insn *i) { return out(c, reg16(c, R_DX), insn_opsize(i)); }
