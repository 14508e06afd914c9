/* PUSH, POP, PUSHA, POPA, ENTER, LEAVE, BOUND (SDM vol. 2).
 *
 * The stack's width is SS.B, the operand's the operand size. The oddest behaviours: PUSH SP stores the new value on the
 * 8086 and the old one ever since; POP to memory forms an address based on ESP after the increment. */
#include "cpu/ops.h"

static enum status push(struct cpu *c, const struct insn *i, uint64_t v)
{
    stack_push(c, v & size_mask(size_of(i)), insn_opsize(i));
    return BODY_NEXT;
}

static uint64_t pushed_register(struct cpu *c, const struct insn *i)
{
    if (i->rm == R_SP && cpu_level(c) == LEVEL_8086) return (uint16_t)(reg16(c, R_SP) - 2);
    return c->r[i->rm];
}

BODY(push_Zv) { return push(c, i, pushed_register(c, i)); }
BODY(push_Iz) { return push(c, i, (uint64_t)(int64_t)i->imm); }
BODY(push_Ib) { return push(c, i, (uint64_t)(int64_t)i->imm); }
BODY(push_Ev) { return push(c, i, insn_is_mem(i) ? rm_read(c, i, insn_opsize(i)) : pushed_register(c, i)); }

/* With a 32-bit operand the stack moves by four bytes but only the selector is written (SDM vol. 2, PUSH). */
BODY(push_Sw)
{
    unsigned size = insn_opsize(i);
    uint64_t sp = c->r[R_SP] - size;
    mem_write16(c, SEG_SS, cpu_ss32(c) ? (uint32_t)sp : (uint16_t)sp, c->seg[i->reg].sel);
    stack_add(c, -(int64_t)size);
    return BODY_NEXT;
}

BODY(pop_Zv)
{
    uint64_t v = stack_pop(c, insn_opsize(i));
    set_reg(c, i->rm, v, insn_opsize(i));
    return BODY_NEXT;
}

BODY(pop_Ev)
{
    unsigned size = insn_opsize(i);
    uint64_t v = stack_peek(c, 0, size);
    if (insn_is_mem(i)) {
        uint64_t sp = c->r[R_SP];
        stack_add(c, size);
        uint64_t ea = insn_ea_inline(c, i);
        if (cpu_level(c) != LEVEL_286) c->r[R_SP] = sp;   /* the write may still fault; a 286 has moved SP by then */
        mem_write(c, insn_seg(i), ea, v, size);
        c->r[R_SP] = sp;
        stack_add(c, size);
    } else {
        stack_add(c, size);
        set_reg(c, i->rm, v, size);
    }
    return BODY_NEXT;
}

static uint64_t stack_cut(const struct cpu *c, uint64_t sp) { return cpu_ss32(c) ? (uint32_t)sp : (uint16_t)sp; }

/* The 386 writes from the lowest address up and finds a fault when it comes to it: what lies below is in memory by then (captured
 * from a 386EX). The manual's order is that of eight pushes, and later models are given all or nothing. */
BODY(pusha)
{
    unsigned size = insn_opsize(i);
    uint64_t sp = c->r[R_SP];
    if (cpu_level(c) == LEVEL_386) {
        for (unsigned n = 8; n-- > 0;)
            mem_write(c, SEG_SS, stack_cut(c, sp - (n + 1) * size), (n == R_SP ? sp : c->r[n]) & size_mask(size_of(i)), size);
        stack_add(c, -8 * (int64_t)size);
        return BODY_NEXT;
    }
    for (unsigned n = 1; n <= 8; n++) access_probe_write(c, SEG_SS, stack_cut(c, sp - n * size), size);
    for (unsigned n = 0; n < 8; n++)
        mem_write(c, SEG_SS, stack_cut(c, sp - (n + 1) * size), (n == R_SP ? sp : c->r[n]) & size_mask(size_of(i)), size);
    stack_add(c, -8 * (int64_t)size);
    return BODY_NEXT;
}

/* The 386 loads each register as it comes, also if a later one faults, and POPAD from a 16-bit stack the upper half of ESP too
 * (captured from a 386EX). */
static enum status popa_386(struct cpu *c, unsigned size)
{
    uint64_t image = 0;
    for (unsigned n = 0; n < 8; n++) {
        uint64_t v = stack_peek(c, n * size, size);
        if (7 - n == R_SP) image = v;
        else set_reg(c, 7 - n, v, size);
    }
    stack_add(c, 8 * (int64_t)size);
    if (size == 4 && !cpu_ss32(c)) set_reg32(c, R_SP, (uint32_t)(image & 0xffff0000) | reg16(c, R_SP));
    return BODY_NEXT;
}

BODY(popa)
{
    unsigned size = insn_opsize(i);
    uint64_t v[8];
    if (cpu_level(c) == LEVEL_386) return popa_386(c, size);
    for (unsigned n = 0; n < 8; n++) v[n] = stack_peek(c, n * size, size);
    stack_add(c, 8 * (int64_t)size);
    for (unsigned n = 0; n < 8; n++)
        if (7 - n != R_SP) set_reg(c, 7 - n, v[n], size);
    return BODY_NEXT;
}

/* Frame pointers of the enclosing procedures are copied for levels above 1, and may overlap what is pushed. Everything is
 * probed first, in the order of the pushes; last where the new stack pointer points (SDM vol. 2, ENTER: #PF if a write
 * there would fault). On a 16-bit stack the frame pointer is all of ESP after the push (measured on a host). The 386 pushes
 * until it comes to the fault (captured from a 386EX), and looks at one byte of the new top. */
BODY(enter_Iw_Ib)
{
    unsigned size = insn_opsize(i), level = (unsigned)i->disp & 31, pushes = level == 0 ? 1 : level + 1;
    uint64_t sp = c->r[R_SP], bp = c->r[R_BP];
    bool is_386 = cpu_level(c) == LEVEL_386;
    for (unsigned n = 1; n <= pushes && !is_386; n++) {
        if (n > 1 && n <= level) access_probe_read(c, SEG_SS, stack_cut(c, bp - (n - 1) * size), size);
        access_probe_write(c, SEG_SS, stack_cut(c, sp - n * size), size);
    }
    uint64_t top = stack_cut(c, sp - pushes * size - (uint16_t)i->imm);
    if (cpu_level(c) > LEVEL_386) access_probe_write(c, SEG_SS, top, size);

    uint64_t mask = size_mask(size_of(i)), low = stack_cut(c, ~0ull), frame = (sp & ~low) | ((sp - size) & low);
    mem_write(c, SEG_SS, frame & low, bp & mask, size);
    for (unsigned n = 1; n < level; n++) {
        uint64_t v = mem_read(c, SEG_SS, stack_cut(c, bp - n * size), size);
        mem_write(c, SEG_SS, stack_cut(c, sp - (n + 1) * size), v, size);
    }
    if (level) mem_write(c, SEG_SS, stack_cut(c, sp - (level + 1) * size), frame & mask, size);
    if (is_386) access_probe_write(c, SEG_SS, top, 1);
    set_reg(c, R_BP, frame, size);
    stack_add(c, -(int64_t)(pushes * size) - (int64_t)(uint16_t)i->imm);
    return BODY_NEXT;
}

BODY(leave)
{
    unsigned size = insn_opsize(i);
    uint64_t bp = stack_cut(c, c->r[R_BP]);
    uint64_t v = mem_read(c, SEG_SS, bp, size);
    if (cpu_ss32(c)) set_reg32(c, R_SP, (uint32_t)(bp + size));
    else set_reg16(c, R_SP, (uint16_t)(bp + size));
    set_reg(c, R_BP, v, size);
    return BODY_NEXT;
}

BODY(bound_Gv_Ma)
{
    unsigned size = size_of(i), seg = insn_seg(i), shift = 64 - (8u << size);
    uint64_t ea = insn_ea_inline(c, i);
    int64_t low = (int64_t)(mem_read(c, seg, ea, 1u << size) << shift);
    int64_t high = (int64_t)(mem_read(c, seg, addr_cut(i, ea + (1u << size)), 1u << size) << shift);
    int64_t v = (int64_t)(reg_read(c, i, size) << shift);
    if (v < low || v > high) cpu_fault(c, V_BR, 0);
    return BODY_NEXT;
}
