/* The x87 unit's parts that every fpu_*.c file shares: status bits, the register stack, how an instruction begins and ends.
 *
 * Registers are kept in physical order (c->st, c->ftag, c->ftop), so pushing moves TOP and nothing else; c->fsw never
 * holds TOP. An instruction checks CR0 and pending exceptions, then memory, then computes without touching the CPU, and
 * commits last: pointers, result, status, TOP. */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "cpu/insn.h"
#include "cpu/model.h"
#include "cpu/softfloat_core.h"
#include "cpu/state.h"

enum { /* status word; the exception bits are SF_* */
    FSW_SF = 0x40, FSW_ES = 0x80, FSW_C0 = 0x100, FSW_C1 = 0x200, FSW_C2 = 0x400, FSW_TOP = 0x3800, FSW_C3 = 0x4000,
    FSW_B = 0x8000, FSW_CC = FSW_C0 | FSW_C2 | FSW_C3,
};
enum { FCW_MASKS = 0x3f, FCW_IEM = 0x80 /* 8087 only */, FCW_PC = 0x300, FCW_RC = 0xc00,
       FCW_X = 0x1000 /* infinity control: affine; without effect from the 387 on */ };

#define FPU_INLINE static inline __attribute__((always_inline))
#define FPU_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* #NM, #MF or, where CR0.NE is 0, the freeze before the next waiting instruction: true, and the body returns
 * BODY_AGAIN, so that interrupts are taken at the boundary and the instruction is tried again (SDM vol. 1 D.2.1.1). */
bool fpu_begin_slow(struct cpu *c);
static inline bool fpu_begin(struct cpu *c)
{
    if (FPU_UNLIKELY((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES))) return fpu_begin_slow(c);
    return false;
}
/* The same for no-wait instructions: only #NM. */
static inline void fpu_begin_nowait(struct cpu *c)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) cpu_fault(c, V_NM, 0);
}

/* Last instruction and operand pointers (SDM vol. 1 8.1.8), for every instruction but the control ones. */
static inline void fpu_note(struct cpu *c, const struct insn *i)
{
    c->fop = (uint16_t)i->imm;
    c->fip = c->rip;
    c->fcs = c->seg[SEG_CS].sel;
}
static inline void fpu_note_mem(struct cpu *c, const struct insn *i, uint64_t ea)
{
    fpu_note(c, i);
    c->fdp = ea;
    c->fds = c->seg[insn_seg(i)].sel;
}

/* ---- the stack. n counts from the top. */
static inline unsigned fpu_reg(const struct cpu *c, unsigned n) { return (c->ftop + n) & 7; }
/* Registers are moved by their two parts: a 16-byte copy would wait for the narrower stores before it. */
static inline struct f80 fpu_get_reg(const struct cpu *c, unsigned r)
{
    return (struct f80){ .mant = c->st[r].mant, .se = c->st[r].se };
}
static inline void fpu_set_reg(struct cpu *c, unsigned r, struct f80 v)
{
    c->st[r].mant = v.mant;
    c->st[r].se = v.se;
}
static inline struct f80 fpu_st(const struct cpu *c, unsigned n) { return fpu_get_reg(c, fpu_reg(c, n)); }
static inline bool fpu_empty(const struct cpu *c, unsigned n) { return !(c->ftag >> fpu_reg(c, n) & 1); }
static inline void fpu_set(struct cpu *c, unsigned n, struct f80 v)
{
    unsigned r = fpu_reg(c, n);
    fpu_set_reg(c, r, v);
    c->ftag |= (uint8_t)(1u << r);
}
static inline void fpu_pop(struct cpu *c)
{
    c->ftag &= (uint8_t)~(1u << c->ftop);
    c->ftop = (c->ftop + 1) & 7;
}
static inline void fpu_push(struct cpu *c, struct f80 v)
{
    c->ftop = (c->ftop - 1) & 7;
    fpu_set(c, 0, v);
}

/* ---- controls and exceptions. */
static inline struct sf fpu_env(const struct cpu *c)
{
    static const uint8_t precision[4] = { 24, 64, 53, 64 };   /* 01 is reserved */
    bool early = cpu_level(c) < LEVEL_386;
    return (struct sf){ .rc = c->fcw >> 10 & 3, .prec = precision[c->fcw >> 8 & 3], .masks = c->fcw & FCW_MASKS,
                        .early = early, .projective = early && !(c->fcw & FCW_X) };
}
/* An unmasked exception was flagged: sets ES and B, and FERR# where the model reports at once. */
void fpu_exception(struct cpu *c);
/* ORs exceptions (and C1) into the status word; C1 is replaced. */
static inline void fpu_raise(struct cpu *c, unsigned flags)
{
    c->fsw = (uint16_t)((c->fsw & ~FSW_C1) | flags);
    if (FPU_UNLIKELY(flags & ~c->fcw & SF_EXCEPTIONS)) fpu_exception(c);
}
/* Flags or masks were loaded: ES, B and FERR# follow. */
void fpu_update_es(struct cpu *c);
static inline void fpu_set_cc(struct cpu *c, unsigned cc) { c->fsw = (uint16_t)((c->fsw & ~FSW_CC) | cc); }

/* Stack faults. True if the exception is masked and the masked response must be given. The 8087 and 80287 do not tell them
 * from other invalid operations (SDM vol. 3 22.18.3). */
static inline unsigned fpu_stack_fault(const struct cpu *c) { return cpu_level(c) < LEVEL_386 ? SF_IE : SF_IE | FSW_SF; }
static inline bool fpu_underflow(struct cpu *c)
{
    fpu_raise(c, fpu_stack_fault(c));
    return c->fcw & SF_IE;
}
static inline bool fpu_overflow(struct cpu *c)
{
    fpu_raise(c, fpu_stack_fault(c) | FSW_C1);
    return c->fcw & SF_IE;
}

static inline uint16_t fpu_status_word(const struct cpu *c) { return (uint16_t)(c->fsw | c->ftop << 11); }
void fpu_set_status_word(struct cpu *c, uint16_t v);
void fpu_set_control_word(struct cpu *c, uint16_t v);
/* The two-bit tags of FSTENV, computed from the registers; and back. */
uint16_t fpu_tag_word(const struct cpu *c);

/* ---- the bodies. */
#define X87_M(opcode, reg, body, mnemonic, operand, level, feature) \
    enum status op_##body(struct cpu *c, const struct insn *i);
#define X87_R(opcode, modrm, count, body, mnemonic, operands, level, feature) X87_M(opcode, 0, body, mnemonic, operands, 0, 0)
#include "cpu/optable_x87.def"
#undef X87_M
#undef X87_R
enum status op_fwait(struct cpu *c, const struct insn *i);
enum status op_fpu_absent(struct cpu *c, const struct insn *i);
#define FPU_OP(name) enum status op_##name(struct cpu *c, const struct insn *i)

#endif
