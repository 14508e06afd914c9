/* The x87 unit: reset, exceptions, and how errors reach the outside.
 *
 * An unmasked exception sets ES; the next waiting instruction reports it. With CR0.NE that is #MF. Without, the FERR# pin
 * goes to the board, which raises IRQ13, and the processor stands still before the instruction until an interrupt comes or
 * IGNNE# allows it to go on (SDM vol. 1 8.7.2, D.2.1). The 287 and 387 drive their ERROR# pin as the error happens; the
 * 486 and later wait for the next waiting instruction. The 8087's INT goes to NMI, nothing freezes, and FCW bit 7 (IEM)
 * masks it. Sources: SDM vol. 1 chapter 8; 8087 and 80287 data sheets.
 *
 * The 8087 and 80287 differ in their infinities (FCW bit 12), NaNs and stack faults, which softfloat and fpu.h know of; programs
 * find out that they are not on a 387 by comparing +infinity with -infinity.
 *
 * GAP: in all else 8087 and 80287 compute as the 387 does: they normalise denormals and have no unnormals and pseudo zeros as
 * operands, overflow under chopping gives the largest number, FPTAN leaves 1.0 above the tangent and FPTAN, FPATAN, F2XM1
 * and FSCALE take the 387's ranges. The 8087's FIP counts prefixes as the later parts do. */
#include "cpu/fpu.h"

static void set_ferr(struct cpu *c, bool level)
{
    c->ferr = level;
    irq_set(&c->pins.ferr, level);
}

/* ES is set: #MF, or true for the freeze. */
static bool pending_error(struct cpu *c)
{
    if (cpu_level(c) == LEVEL_8086) return false;
    if (c->cr0 & CR0_NE) cpu_fault(c, V_MF, 0);
    if (c->ignne) return false;
    set_ferr(c, true);
    return true;
}

bool fpu_begin_slow(struct cpu *c)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) cpu_fault(c, V_NM, 0);
    return c->fsw & FSW_ES && pending_error(c);
}

void fpu_exception(struct cpu *c)
{
    c->fsw |= FSW_ES | FSW_B;
    bool at_once = cpu_level(c) == LEVEL_8086 ? !(c->fcw & FCW_IEM) : cpu_level(c) <= LEVEL_386;
    if (at_once && !c->ignne) set_ferr(c, true);
}

void fpu_update_es(struct cpu *c)
{
    if (c->fsw & ~c->fcw & SF_EXCEPTIONS) {
        fpu_exception(c);
    } else {
        c->fsw &= (uint16_t)~(FSW_ES | FSW_B);
        set_ferr(c, false);
    }
}

void fpu_set_status_word(struct cpu *c, uint16_t v)
{
    c->fsw = v & (uint16_t)~FSW_TOP;
    c->ftop = v >> 11 & 7;
    fpu_update_es(c);
}

void fpu_set_control_word(struct cpu *c, uint16_t v)
{
    if (cpu_level(c) == LEVEL_8086) c->fcw = v & 0x1fff;
    else c->fcw = (uint16_t)((v & (FCW_MASKS | FCW_PC | FCW_RC | FCW_X)) | 0x40);   /* bit 6 reads as one */
    fpu_update_es(c);
}

uint16_t fpu_tag_word(const struct cpu *c)
{
    unsigned word = 0;
    for (unsigned r = 0; r < 8; r++) {
        unsigned tag = 3;
        if (c->ftag >> r & 1) {
            unsigned class = f80_class(c->st[r]);
            tag = class == SF_NORMAL ? 0 : class == SF_ZERO ? 1 : 2;
        }
        word |= tag << (2 * r);
    }
    return (uint16_t)word;
}

void fpu_reset(struct cpu *c, bool finit)
{
    c->fsw = 0;
    c->ftop = 0;
    c->fop = c->fcs = c->fds = 0;
    c->fip = c->fdp = 0;
    if (finit) {
        c->fcw = cpu_level(c) == LEVEL_8086 ? 0x3ff : 0x37f;
        c->ftag = 0;
    } else {
        c->fcw = 0x40;                                        /* SDM vol. 3 table 9-1: tags 5555h, registers +0 */
        c->ftag = 0xff;
        for (unsigned r = 0; r < 8; r++) c->st[r] = f80_zero(false);
    }
    set_ferr(c, false);
}

/* Registers, tags and TOP are kept in physical order by every engine, and status and pointers eagerly: what is there is
 * the canonical form. TOP must not hide in the status word. */
void fpu_canonical(struct cpu *c)
{
    c->ftop &= 7;
    c->fsw &= (uint16_t)~FSW_TOP;
}

FPU_OP(fwait)
{
    (void)i;
    if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) cpu_fault(c, V_NM, 0);
    return c->fsw & FSW_ES && pending_error(c) ? BODY_AGAIN : BODY_NEXT;
}

/* D8-DF on a machine without coprocessor: nobody answers, and nothing happens but the 8086's read of the operand. */
FPU_OP(fpu_absent)
{
    fpu_begin_nowait(c);
    if (insn_is_mem(i)) (void)mem_read16(c, insn_seg(i), insn_ea(c, i));
    return BODY_NEXT;
}

FPU_OP(fnop)
{
    if (fpu_begin(c)) return BODY_AGAIN;
    fpu_note(c, i);
    return BODY_NEXT;
}

/* FENI, FDISI: the 8087's interrupt mask; later parts do nothing. */
FPU_OP(fneni)
{
    (void)i;
    fpu_begin_nowait(c);
    if (cpu_level(c) == LEVEL_8086) fpu_set_control_word(c, c->fcw & (uint16_t)~FCW_IEM);
    return BODY_NEXT;
}

FPU_OP(fndisi)
{
    (void)i;
    fpu_begin_nowait(c);
    if (cpu_level(c) == LEVEL_8086) {
        c->fcw |= FCW_IEM;
        set_ferr(c, false);
    }
    return BODY_NEXT;
}

/* FSETPM: tells a 287 that the processor entered protected mode. */
FPU_OP(fnsetpm)
{
    (void)i;
    fpu_begin_nowait(c);
    return BODY_NEXT;
}
