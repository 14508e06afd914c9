/* The decoder: prefixes, opcode, ModRM and SIB, displacement, immediates (SDM vol. 2 ch. 2 and appendix A).
 *
 * Everything about single instructions comes from optable.def by way of a decode_map, which is built once for a model, so
 * that what a model lacks is simply not in its map. The oddest behaviour is the 8086's: it has no invalid opcodes, only
 * ones that repeat others (60-6F are 70-7F), which the table lists for that model. */
#include "cpu/decode.h"

#include <assert.h>
#include <string.h>

#include "cpu/model.h"

/* ---- opcode maps */

static bool model_has(const struct op_needs *n, enum cpu_level level, uint64_t features)
{
    if ((unsigned)level < n->least || (unsigned)level > n->most) return false;
    return n->feature == NO_FEATURE || (features >> n->feature & 1);
}

static uint16_t *new_group(struct decode_map *m, uint16_t *slot)
{
    if (!(*slot & DECODE_GROUP)) {
        if (*slot != OP_NONE) return NULL;                  /* a plain row came first and owns the opcode */
        assert(m->groups < DECODE_GROUPS);
        *slot = (uint16_t)(DECODE_GROUP | m->groups++);
    }
    return m->group[*slot & ~DECODE_GROUP];
}

static void put(uint16_t *slot, uint16_t op)
{
    if (*slot == OP_NONE) *slot = op;
}

/* May the row's ModRM operand be memory, or a register? */
static void row_forms(uint16_t op, bool *memory, bool *reg)
{
    *memory = *reg = true;
    for (unsigned n = 0; n < 3; n++)
        if (operand_is_memory_only(optable[op].operand[n])) *reg = false;
}

static void put_row(struct decode_map *m, uint16_t *slot, const struct op_code *row)
{
    bool memory, reg;
    row_forms(row->op, &memory, &reg);
    if (row->n < 0 && row->rm_count == 0) {
        if (!(*slot & DECODE_GROUP)) {
            put(slot, row->op);
            return;
        }
        for (unsigned k = 0; k < 72; k++) put(&m->group[*slot & ~DECODE_GROUP][k], row->op);
        return;
    }
    uint16_t *group = new_group(m, slot);
    if (!group) return;
    if (row->rm_count) {
        for (unsigned k = 0; k < row->rm_count; k++) put(&group[8 + ((row->rm + k) & 0x3f)], row->op);
        return;
    }
    unsigned n = (unsigned)row->n;
    if (memory) put(&group[n], row->op);
    /* x87 rows with a reg field are the memory forms; their register forms are listed by ModRM byte. */
    if (reg && !(row->code >= 0xd8 && row->code <= 0xdf))
        for (unsigned k = 0; k < 8; k++) put(&group[8 + n * 8 + k], row->op);
}

/* MMX and SSE: 66, F2 and F3 are part of the opcode, and one that no row asks for is #UD (SDM vol. 2 3.1.1.1, "NP"; so it is
 * on silicon). Only the PREFETCHes ignore them. */
static bool prefix_counts(const struct op_code *row)
{
    switch (row->needs.feature) {
    case F_MMX: case F_FXSR: case F_SSE: case F_SSE2: case F_SSE3: case F_CLFLUSH: return row->code > 0xff && row->code != 0xf18;
    default: return false;
    }
}

void decode_map_build(struct decode_map *m, enum cpu_level level, uint64_t features)
{
    memset(m, 0, sizeof *m);
    m->level = (uint8_t)level;
    m->fpu = features >> F_FPU & 1;
    /* 80286 manual, exception 13: "more than 10 bytes". */
    m->max_len = level == LEVEL_8086 ? INSN_MAX_8086 : level == LEVEL_286 ? 10 : INSN_MAX;
    for (unsigned k = 0; k < op_codes_count; k++) {
        const struct op_code *row = &op_codes[k];
        if (!model_has(&row->needs, level, features)) continue;
        unsigned opcode = row->code & 0xff, map, prefix = row->code >> 16;
        if (row->code == 0xf390) { map = 0; prefix = 0xf3; }
        else map = (row->code >> 8 & 0xff) == 0x0f && row->code > 0xff;
        for (unsigned n = 0; n < row->span; n++) {
            static const uint8_t prefixes[4] = { 0, 0x66, 0xf3, 0xf2 };
            for (unsigned p = 0; p < 4; p++)
                if (prefix == prefixes[p] || (prefix == 0 && !prefix_counts(row))) put_row(m, &m->slot[map][p][opcode + n], row);
        }
    }
}

/* ---- one instruction */

static bool needs_modrm(enum operand o)
{
    return (o >= O_Eb && o <= O_Ms) || o == O_Sw || (o >= O_Ry && o <= O_Ty) || o >= O_Pq;
}

static bool row_needs_modrm(const struct op_row *row)
{
    return needs_modrm(row->operand[0]) || needs_modrm(row->operand[1]) || needs_modrm(row->operand[2]);
}

struct reader {
    const uint8_t *b;
    unsigned pos, avail, max;
    bool more, too_long;                      /* ran out of what the caller has; of what the model takes */
};

static const uint8_t *take(struct reader *r, unsigned n)
{
    static const uint8_t zeros[8];
    if (r->more || r->too_long || r->pos + n > r->max || r->pos + n > r->avail) {
        /* A byte that cannot be fetched faults before the length does. */
        if (r->pos + n > r->max && r->avail >= r->max && !r->more) r->too_long = true;
        else if (!r->too_long) r->more = true;
        return zeros;
    }
    const uint8_t *p = r->b + r->pos;
    r->pos += n;
    return p;
}

static uint8_t take8(struct reader *r) { return *take(r, 1); }
static uint16_t take16(struct reader *r) { return ld16(take(r, 2)); }
static uint32_t take32(struct reader *r) { return ld32(take(r, 4)); }

struct prefixes {
    unsigned seg;                             /* SEG_NONE: the default */
    bool opsize, addrsize, lock;
    uint8_t rep;                              /* 0, F2 or F3: the last one counts */
};

static uint8_t take_prefixes(const struct decode_map *m, struct reader *r, struct prefixes *p)
{
    for (;;) {
        uint8_t b = take8(r);
        switch (b) {
        case 0x26: p->seg = SEG_ES; break;
        case 0x2e: p->seg = SEG_CS; break;
        case 0x36: p->seg = SEG_SS; break;
        case 0x3e: p->seg = SEG_DS; break;
        case 0x64: case 0x65:
            if (m->level < LEVEL_386) return b;
            p->seg = b == 0x64 ? SEG_FS : SEG_GS;
            break;
        case 0x66:
            if (m->level < LEVEL_386) return b;
            p->opsize = true;
            break;
        case 0x67:
            if (m->level < LEVEL_386) return b;
            p->addrsize = true;
            break;
        case 0xf0: p->lock = true; break;
        case 0xf1:                            /* the 8086 takes it for F0, the 286 for a prefix without effect */
            if (m->level >= LEVEL_386) return b;
            p->lock |= m->level == LEVEL_8086;
            break;
        case 0xf2: case 0xf3: p->rep = b; break;
        default: return b;
        }
        if (r->more || r->too_long) return 0;
    }
}

/* Memory operand of a ModRM byte (SDM vol. 2 tables 2-1 to 2-3). Returns the default segment. */
static unsigned address16(struct reader *r, uint8_t modrm, struct insn *i)
{
    static const uint8_t base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const uint8_t index[8] = { R_SI, R_DI, R_SI, R_DI, R_NONE, R_NONE, R_NONE, R_NONE };
    unsigned mod = modrm >> 6, rm = modrm & 7;
    if (mod == 0 && rm == 6) {
        i->disp = take16(r);
        return SEG_DS;
    }
    i->base = base[rm];
    i->index = index[rm];
    if (mod == 1) i->disp = (int8_t)take8(r);
    if (mod == 2) i->disp = (int16_t)take16(r);
    return i->base == R_BP ? SEG_SS : SEG_DS;
}

/* The oddest form is a scale without an index: the 386 scales the base instead (captured from a 386EX), later models take
 * no notice of it. */
static unsigned address32(struct reader *r, const struct decode_map *m, uint8_t modrm, struct insn *i)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;
    bool scaled_base = false;
    if (rm == 4) {
        uint8_t sib = take8(r);
        i->base = sib & 7;
        if ((sib >> 3 & 7) != 4) {
            i->index = sib >> 3 & 7;
            i->scale_seg = sib >> 6;
        } else if (m->level == LEVEL_386 && sib >> 6) {
            scaled_base = true;
            i->scale_seg = sib >> 6;
        }
    } else {
        i->base = (uint8_t)rm;
    }
    if (mod == 0 && i->base == R_BP) {
        i->base = R_NONE;
        i->disp = (int32_t)take32(r);
        return SEG_DS;
    }
    if (mod == 1) i->disp = (int8_t)take8(r);
    if (mod == 2) i->disp = (int32_t)take32(r);
    unsigned seg = i->base == R_BP || i->base == R_SP ? SEG_SS : SEG_DS;
    if (scaled_base) {
        i->index = i->base;
        i->base = R_NONE;
    }
    return seg;
}

static void decode_operand(struct reader *r, enum operand o, uint8_t modrm, uint8_t opcode, bool *have_imm, struct insn *i)
{
    unsigned size = insn_opsize(i);
    int32_t imm;
    switch (o) {
    case O_Eb:
        if (!insn_is_mem(i)) i->rm = byte_reg_offset(modrm & 7);
        return;
    case O_Gb: i->reg = byte_reg_offset(modrm >> 3 & 7); return;
    case O_Zb: i->rm = byte_reg_offset(opcode & 7); return;
    case O_Zv: i->rm = opcode & 7; return;
    case O_AL: i->reg = i->rm = byte_reg_offset(0); return;
    case O_Sop: i->reg = opcode >> 3 & 7; return;
    case O_Ob: case O_Ov:
        i->flags |= INSN_MEM;
        i->disp = (i->flags & INSN_ADDRSIZE) == INSN_ADDR16 ? take16(r) : (int32_t)take32(r);
        return;
    case O_Ap:
        i->imm = size == 2 ? take16(r) : (int32_t)take32(r);
        i->disp = take16(r);
        return;
    case O_hES: i->imm = SEG_ES; return;
    case O_hSS: i->imm = SEG_SS; return;
    case O_hDS: i->imm = SEG_DS; return;
    case O_hFS: i->imm = SEG_FS; return;
    case O_hGS: i->imm = SEG_GS; return;
    case O_Ib: imm = take8(r); break;
    case O_Ibs: case O_Jb: imm = (int8_t)take8(r); break;
    case O_Iw: imm = take16(r); break;
    case O_Jz: imm = size == 2 ? (int16_t)take16(r) : (int32_t)take32(r); break;
    case O_Iz: case O_Iv: imm = size == 2 ? (int32_t)take16(r) : (int32_t)take32(r); break;
    case O_I1: imm = 1; break;
    default: return;
    }
    if (*have_imm) i->disp = imm;
    else i->imm = imm;
    *have_imm = true;
}

bool decode_insn(const struct decode_map *m, const uint8_t *b, unsigned avail, unsigned code_size, struct insn *i)
{
    struct reader r = { .b = b, .avail = avail, .max = m->max_len };
    struct prefixes p = { .seg = SEG_NONE };
    memset(i, 0, sizeof *i);
    i->base = i->index = R_NONE;

    uint8_t opcode = take_prefixes(m, &r, &p);
    unsigned map = 0;
    if (opcode == 0x0f && m->level != LEVEL_8086) {
        map = 1;
        opcode = take8(&r);
    }
    bool wide = (code_size == CODE_32) != p.opsize, wide_address = (code_size == CODE_32) != p.addrsize;
    i->flags = (uint8_t)((wide ? 2 : 1) | (wide_address ? INSN_ADDR32 : INSN_ADDR16));
    if (p.rep) i->flags |= p.rep == 0xf3 ? INSN_REP : INSN_REPNE;
    if (p.lock) i->flags |= INSN_LOCK;

    unsigned prefix = p.rep == 0xf2 ? 3 : p.rep == 0xf3 ? 2 : p.opsize ? 1 : 0;
    bool esc = map == 0 && opcode >= 0xd8 && opcode <= 0xdf;
    uint16_t op = m->slot[map][prefix][opcode];
    uint8_t modrm = 0;
    bool have_modrm = false;
    if (op & DECODE_GROUP) {
        have_modrm = true;
        modrm = take8(&r);
        op = m->group[op & ~DECODE_GROUP][modrm >= 0xc0 ? 8 + (modrm & 0x3f) : modrm >> 3 & 7];
    } else if (esc) {                         /* no coprocessor: the address is still formed */
        have_modrm = true;
        modrm = take8(&r);
    }
    if (esc && !m->fpu) op = OP_fpu_absent;

    const struct op_row *row = &optable[op];
    unsigned seg = SEG_DS;
    if (!have_modrm && row_needs_modrm(row)) {
        have_modrm = true;
        modrm = take8(&r);
    }
    if (have_modrm) {
        bool reg_form = modrm >= 0xc0 || row->operand[0] == O_Ry || row->operand[1] == O_Ry;
        i->reg = modrm >> 3 & 7;
        if (reg_form) {
            i->rm = modrm & 7;
            for (unsigned n = 0; n < 3; n++)
                if (operand_is_memory_only(row->operand[n]) && m->level != LEVEL_8086) op = OP_bad;
        } else {
            for (unsigned n = 0; n < 3; n++)
                if (operand_is_register_only(row->operand[n])) op = OP_bad;
            i->flags |= INSN_MEM;
            seg = wide_address ? address32(&r, m, modrm, i) : address16(&r, modrm, i);
        }
    }
    bool have_imm = false;
    for (unsigned n = 0; n < 3; n++) decode_operand(&r, row->operand[n], modrm, opcode, &have_imm, i);
    i->scale_seg |= (uint8_t)((p.seg == SEG_NONE ? seg : p.seg) << 4);
    if (op == OP_jcc_Jb || op == OP_jcc_Jz) i->reg = opcode & 15;
    else if (op == OP_setcc_Eb || op == OP_cmovcc_Gv_Ev) i->imm = opcode & 15;
    else if (esc) i->imm = (opcode & 7) << 8 | modrm;

    if (r.more) return false;
    if (op == OP_NONE) op = OP_bad;
    /* LOCK: SDM vol. 2; the 8086 and 286 lock whatever it is. */
    if (p.lock && m->level >= LEVEL_386 && !(row->attr & OPA_LOCK && insn_is_mem(i))) op = OP_bad;
    if (r.too_long) {
        op = OP_too_long;
        /* The 8086's body goes on in the middle of the prefixes, so that the later half still counts. */
        r.pos = m->level == LEVEL_8086 ? INSN_MAX_8086 / 2 : m->max_len;
    }
    i->op = op;
    i->len = (uint8_t)r.pos;
    return true;
}
