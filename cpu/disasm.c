/* The disassembler: Intel syntax, from the same table as the decoder, so it knows what the CPU knows.
 *
 * The record that the decoder makes says everything but the prefixes' text. Spellings follow the assemblers: numbers are
 * hexadecimal from 10 up, sizes are written with memory operands, conditions are spelt b, ae, e, ne, be, a, ... The oddest
 * cases are instructions whose name depends on the operand size (CBW and CWDE) or the address size (JCXZ and JECXZ). */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"

struct text { char *at; size_t left; };

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *fmt, ...)
{
    if (t->left <= 1) return;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->at, t->left, fmt, args);
    va_end(args);
    if (n < 0) return;
    size_t used = (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += used;
    t->left -= used;
}

static const char *const reg8[8] = { "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" };
static const char *const reg16_names[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const seg_names[8] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };
static const char *const conditions[16] = { "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge",
                                            "le", "g" };

static void put_number(struct text *t, uint64_t v) { put(t, v < 10 ? "%llu" : "0x%llx", (unsigned long long)v); }

static void put_signed(struct text *t, int64_t v)
{
    if (v < 0) put(t, "-");
    put_number(t, v < 0 ? (uint64_t)-v : (uint64_t)v);
}

static void put_reg(struct text *t, unsigned n, unsigned size)
{
    if (size == 1) {                          /* n is an offset in cpu.r */
        for (unsigned r = 0; r < 8; r++)
            if (byte_reg_offset(r) == n) put(t, "%s", reg8[r]);
    } else {
        put(t, "%s%s", size == 4 ? "e" : "", reg16_names[n & 7]);
    }
}

static const char *size_name(unsigned size)
{
    switch (size) {
    case 1: return "byte ptr ";
    case 2: return "word ptr ";
    case 4: return "dword ptr ";
    case 6: return "fword ptr ";
    case 8: return "qword ptr ";
    case 10: return "xword ptr ";
    case 16: return "xmmword ptr ";
    default: return "";
    }
}

static unsigned default_segment(const struct insn *i)
{
    return i->base == R_BP || (i->base == R_SP && insn_addrsize(i) == 4) ? SEG_SS : SEG_DS;
}

static void put_memory(struct text *t, const struct insn *i, unsigned size)
{
    unsigned bytes = insn_addrsize(i);
    put(t, "%s", size_name(size));
    if (insn_seg(i) != default_segment(i)) put(t, "%s:", seg_names[insn_seg(i)]);
    put(t, "[");
    bool any = i->base != R_NONE || i->index != R_NONE;
    if (i->base != R_NONE) put_reg(t, i->base, bytes);
    if (i->index != R_NONE) {
        if (i->base != R_NONE) put(t, " + ");
        put_reg(t, i->index, bytes);
        if (insn_scale(i)) put(t, "*%u", 1u << insn_scale(i));
    }
    if (!any) {
        put_number(t, bytes == 2 ? (uint16_t)i->disp : (uint32_t)i->disp);
    } else if (i->disp) {
        put(t, i->disp < 0 ? " - " : " + ");
        put_number(t, i->disp < 0 ? (uint64_t)-(int64_t)i->disp : (uint64_t)i->disp);
    }
    put(t, "]");
}

static void put_rm(struct text *t, const struct insn *i, unsigned size)
{
    if (insn_is_mem(i)) put_memory(t, i, size);
    else put_reg(t, i->rm, size);
}

static void put_vector(struct text *t, const struct insn *i, const char *file, unsigned size)
{
    if (insn_is_mem(i)) put_memory(t, i, size);
    else put(t, "%s%u", file, i->rm);
}

static void put_string(struct text *t, const struct insn *i, bool destination, unsigned size)
{
    put(t, "%s", size_name(size));
    if (destination) put(t, "es:");
    else if (insn_seg(i) != SEG_DS) put(t, "%s:", seg_names[insn_seg(i)]);
    put(t, "[%s%s]", insn_addrsize(i) == 4 ? "e" : "", destination ? "di" : "si");
}

/* Immediates: the second one is in disp. */
static void put_imm(struct text *t, int32_t v, unsigned size, bool sign)
{
    if (sign) put_signed(t, v);
    else put_number(t, (uint32_t)v & ones(size));
}

static void put_operand(struct text *t, const struct insn *i, enum operand o, uint64_t next, bool second_imm)
{
    unsigned v = insn_opsize(i);
    int32_t imm = second_imm ? i->disp : i->imm;
    switch (o) {
    case O_Eb: case O_Mb: put_rm(t, i, 1); return;
    case O_Ew:
        if ((i->op == OP_mov_Ew_Sw || i->op == OP_mov_Sw_Ew) && !insn_is_mem(i)) put_reg(t, i->rm, v);
        else put_rm(t, i, 2);
        return;
    case O_Mw: put_rm(t, i, 2); return;
    case O_Ed: case O_Md: put_rm(t, i, 4); return;
    case O_Ev: put_rm(t, i, v); return;
    case O_Mq: put_rm(t, i, 8); return;
    case O_Mt: put_rm(t, i, 10); return;
    case O_Mp: put_rm(t, i, v == 2 ? 4 : 6); return;
    case O_M: case O_Ma: case O_Ms: put_rm(t, i, 0); return;
    case O_Gb: put_reg(t, i->reg, 1); return;
    case O_Gw: put_reg(t, i->reg, 2); return;
    case O_Gd: put_reg(t, i->reg, 4); return;
    case O_Gv: put_reg(t, i->reg, v); return;
    case O_Zb: put_reg(t, i->rm, 1); return;
    case O_Zv: put_reg(t, i->rm, v); return;
    case O_AL: put(t, "al"); return;
    case O_AX: put(t, "ax"); return;
    case O_eAX: put_reg(t, R_AX, v); return;
    case O_CL: put(t, "cl"); return;
    case O_DX: put(t, "dx"); return;
    case O_Ib: put_imm(t, imm, 1, false); return;
    case O_Ibs: put_imm(t, imm, 4, true); return;
    case O_Iw: put_imm(t, imm, 2, false); return;
    case O_Iz: case O_Iv: put_imm(t, imm, v, false); return;
    case O_I1: put(t, "1"); return;
    case O_Jb: case O_Jz: put_number(t, (next + (uint64_t)(int64_t)i->imm) & ones(v)); return;
    case O_Ap:
        put_number(t, (uint16_t)i->disp);
        put(t, ":");
        put_number(t, (uint32_t)i->imm);
        return;
    case O_Ob: put_memory(t, i, 1); return;
    case O_Ov: put_memory(t, i, v); return;
    case O_Sw: case O_Sop: put(t, "%s", seg_names[i->reg & 7]); return;
    case O_Ry: put_reg(t, i->rm, 4); return;
    case O_Cy: put(t, "cr%u", i->reg); return;
    case O_Dy: put(t, "dr%u", i->reg); return;
    case O_Ty: put(t, "tr%u", i->reg); return;
    case O_Xb: put_string(t, i, false, 1); return;
    case O_Xv: put_string(t, i, false, v); return;
    case O_Xz: put_string(t, i, false, v); return;
    case O_Yb: put_string(t, i, true, 1); return;
    case O_Yv: put_string(t, i, true, v); return;
    case O_Yz: put_string(t, i, true, v); return;
    case O_STi: put(t, "st(%u)", i->rm); return;
    case O_ST0_STi: put(t, "st(0), st(%u)", i->rm); return;
    case O_STi_ST0: put(t, "st(%u), st(0)", i->rm); return;
    case O_Pq: put(t, "mm%u", i->reg); return;
    case O_Vx: put(t, "xmm%u", i->reg); return;
    case O_Nq: put(t, "mm%u", i->rm); return;
    case O_Ux: put(t, "xmm%u", i->rm); return;
    case O_Qq: case O_Qd: put_vector(t, i, "mm", o == O_Qq ? 8 : 4); return;
    case O_Wx: case O_Wd: case O_Wq: put_vector(t, i, "xmm", o == O_Wx ? 16 : o == O_Wq ? 8 : 4); return;
    default: return;
    }
}

static bool is_string(const struct op_row *row)
{
    return (row->attr & OPA_REP) != 0;
}

/* Names that depend on a size or a form. */
static const char *sized_name(const struct insn *i)
{
    static const struct { uint16_t op; const char *name16, *name32; } names[] = {
        { OP_cbw, "cbw", "cwde" }, { OP_cwd, "cwd", "cdq" }, { OP_pusha, "pushaw", "pushal" }, { OP_popa, "popaw", "popal" },
        { OP_pushf, "pushf", "pushfd" }, { OP_popf, "popf", "popfd" }, { OP_iret, "iret", "iretd" },
        { OP_call_Ap, "lcall", "lcall" }, { OP_jmp_Ap, "ljmp", "ljmp" }, { OP_call_Mp, "lcall", "lcall" },
        { OP_jmp_Mp, "ljmp", "ljmp" }, { OP_icebp, "int1", "int1" }, { OP_fwait, "wait", "wait" },
    };
    if (i->op == OP_movlps_Vx_Wq && !insn_is_mem(i)) return "movhlps";
    if (i->op == OP_movhps_Vx_Wq && !insn_is_mem(i)) return "movlhps";
    if (i->op == OP_jcxz_Jb) return insn_addrsize(i) == 2 ? "jcxz" : "jecxz";
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++)
        if (names[n].op == i->op) return insn_opsize(i) == 2 ? names[n].name16 : names[n].name32;
    return NULL;
}

static void put_mnemonic(struct text *t, const struct insn *i, const struct op_row *row)
{
    const char *name = sized_name(i);
    if ((i->flags & INSN_LOCK) && i->op != OP_bad) put(t, "lock ");
    if (is_string(row)) {
        if (i->flags & INSN_REP) put(t, row->attr & OPA_FP ? "repe " : "rep ");
        else if (i->flags & INSN_REPNE) put(t, "repne ");
    }
    if (name) {
        put(t, "%s", name);
        return;
    }
    for (const char *p = row->mnemonic; *p; p++) {
        if (p[0] == 'c' && p[1] == 'c') {
            put(t, "%s", conditions[(row->operand[0] == O_Jb || row->operand[0] == O_Jz ? i->reg : (unsigned)i->imm) & 15]);
            break;
        }
        put(t, "%c", tolower((unsigned char)*p));
    }
    if (is_string(row)) {
        bool byte = false;
        for (unsigned n = 0; n < 3; n++) byte |= row->operand[n] == O_Xb || row->operand[n] == O_Yb;
        put(t, "%s", byte ? "b" : insn_opsize(i) == 2 ? "w" : "d");
    }
}

static bool hidden(enum operand o) { return o == O__ || (o >= O_hES && o <= O_hGS); }
static bool is_imm(enum operand o) { return o == O_Ib || o == O_Ibs || o == O_Iw || o == O_Iz || o == O_Iv; }

unsigned disasm_insn(const struct decode_map *map, const uint8_t *buf, size_t len, unsigned mode, uint64_t ip, char *text,
                     size_t text_size)
{
    struct insn i;
    struct text t = { text, text_size };
    if (text_size) text[0] = 0;
    if (!decode_insn(map, buf, len < INSN_MAX ? (unsigned)len : INSN_MAX, mode == 16 ? CODE_16 : CODE_32, &i)) return 0;
    const struct op_row *row = &optable[i.op];
    put_mnemonic(&t, &i, row);
    bool any = false, imm = false;
    for (unsigned n = 0; n < 3; n++) {
        enum operand o = (enum operand)row->operand[n];
        if (hidden(o)) continue;
        put(&t, any ? ", " : " ");
        put_operand(&t, &i, o, ip + i.len, is_imm(o) && imm);
        imm |= is_imm(o);
        any = true;
    }
    return i.len;
}

unsigned cpu_disasm(const uint8_t *buf, size_t len, unsigned mode, uint64_t ip, char *text, size_t text_size)
{
    struct decode_map map;                    /* of a processor that has everything; 40 KiB, for a moment */
    decode_map_build(&map, LEVEL_X64, ~0ull);
    return disasm_insn(&map, buf, len, mode, ip, text, text_size);
}
