/* Cases for `native`: instruction bytes from the table's operand letters, then registers, segments and memory such that
 * most cases get as far as their arithmetic and some fail at each check on the way. */
#include "tests/insn/native_gen.h"

#include <stddef.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/state.h"

/* ---- names */

static const char *const names[OP_COUNT] = {
#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) [OP_##body] = #body,
#define OP_Z OP
#define OP_C OP
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) [OP_##body] = #body,
#define OP_R OP_N
#define OP_X87(code, n, first, num, body, mnemonic, operand, level, feature) [OP_PASTE(OP_X87_ROW_, __LINE__)] = #body,
#define OP_PSEUDO(text, body)
#define AS(code, body, needs)
#define AS_C AS
#define AS_N(code, n, body, needs)
#include "cpu/optable.def"
};

const char *row_name(enum op op) { return names[op] ? names[op] : "?"; }

static bool starts(const char *name, const char *with) { return !strncmp(name, with, strlen(with)); }
static bool contains(const char *name, const char *part) { return strstr(name, part) != NULL; }

/* ---- random values */

static uint64_t rnd(struct generator *g)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return g->state * 0x2545f4914f6cdd1dull;
}

static unsigned pick(struct generator *g, unsigned n) { return (unsigned)((rnd(g) >> 33) % n); }
static bool one_in(struct generator *g, unsigned n) { return pick(g, n) == 0; }

void generator_seed(struct generator *g, uint64_t seed)
{
    g->state = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
    for (unsigned n = 0; n < 8; n++) (void)rnd(g);
}

static uint16_t random_selector(struct generator *g)
{
    static const uint16_t common[] = { SEL_DATA, SEL_CODE, SEL_DATA, SEL_CODE, 0, SEL_DATA & ~3, SEL_CODE & ~3, SEL_CODE64, SEL_CPU,
                                       0x08, 0x10, 0x18, 0x40, 0x50, 0x58, 0x80, 0xfff8 };
    uint16_t sel;
    if (pick(g, 2)) sel = common[pick(g, sizeof common / sizeof common[0])];
    else sel = LDT_SEL(pick(g, LDT_COUNT + 1));
    if (one_in(g, 4)) sel = (uint16_t)((sel & ~3u) | pick(g, 4));
    return sel;
}

/* For far transfers: not to 64-bit code. */
static uint16_t random_code_selector(struct generator *g)
{
    uint16_t sel;
    do sel = random_selector(g);
    while (sel >> 3 == SEL_CODE64 >> 3);
    return sel;
}

static uint32_t random_f32(struct generator *g)
{
    uint32_t v = (uint32_t)rnd(g);
    switch (pick(g, 8)) {
    case 0: return v & 0x80000000;
    case 1: return (v & 0x80000000) | 0x7f800000;
    case 2: return v | 0x7f800000;
    case 3: return v & 0x807fffff;
    case 4: return (v & 0x807fffff) | (0x3e800000 + (pick(g, 6) << 23));
    case 5: return (v & 0xff800000) | (pick(g, 2) ? 0x7fffff : 0);
    default: return v;
    }
}

static uint64_t random_f64(struct generator *g)
{
    uint64_t v = rnd(g);
    switch (pick(g, 8)) {
    case 0: return v & 1ull << 63;
    case 1: return (v & 1ull << 63) | 0x7ffull << 52;
    case 2: return v | 0x7ffull << 52;
    case 3: return v & 0x800fffffffffffff;
    case 4: return (v & 0x800fffffffffffff) | (0x3fdull + pick(g, 6)) << 52;
    case 5: return (v & 0xfff0000000000000) | (pick(g, 2) ? 0xfffffffffffff : 0);
    default: return v;
    }
}

static void random_f80(struct generator *g, uint8_t *p)
{
    uint64_t mant = rnd(g) | 1ull << 63;
    uint16_t se = (uint16_t)(rnd(g) & 0x8000);
    switch (pick(g, 12)) {
    case 0: mant = 0; break;
    case 1: se |= 0x7fff; mant = 1ull << 63; break;
    case 2: se |= 0x7fff; break;
    case 3: mant &= ~(1ull << 63); break;
    case 4: se |= rnd(g) & 0x7fff; mant &= ~(1ull << 63); break;
    case 5: se |= 0x3fff + pick(g, 40); mant = 1ull << 63; break;
    case 6: se |= rnd(g) & 0x7fff; break;
    default: se |= 0x3fff - 8 + pick(g, 72); mant &= ~0ull << pick(g, 64); break;
    }
    st64(p, mant | (se & 0x7fff && pick(g, 8) ? 1ull << 63 : 0));
    st16(p + 8, se);
}

static uint32_t random_value(struct generator *g)
{
    static const uint32_t corners[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
                                        0x80000000, 0x80000001, 0xffffffff, 0xfffffffe, 0xffff8000, 0xffffff80 };
    switch (pick(g, 8)) {
    case 0: case 1: return corners[pick(g, sizeof corners / sizeof corners[0])];
    case 2: return pick(g, 64);
    case 3: return (uint32_t)rnd(g) >> pick(g, 32);
    case 4: return 0u - pick(g, 64);
    case 5: return WINDOW + DATA + pick(g, DATA_SIZE);
    default: return (uint32_t)rnd(g);
    }
}

static void random_bytes(struct generator *g, uint8_t *p, unsigned len)
{
    switch (pick(g, 8)) {
    case 0:
        for (unsigned k = 0; k + 4 <= len; k += 4) st32(p + k, random_f32(g));
        return;
    case 1:
        for (unsigned k = 0; k + 8 <= len; k += 8) st64(p + k, random_f64(g));
        return;
    case 2:
        random_f80(g, p);
        random_f80(g, p + 10);
        return;
    case 3:
        for (unsigned k = 0; k < len; k++) p[k] = (uint8_t)(pick(g, 10) << 4 | pick(g, 10));
        return;
    case 4: memset(p, pick(g, 2) ? 0xff : 0, len); return;
    case 5:
        for (unsigned k = 0; k + 4 <= len; k += 4) st32(p + k, random_value(g));
        return;
    default:
        for (unsigned k = 0; k < len; k++) p[k] = (uint8_t)rnd(g);
    }
}

void generate_memory(struct generator *g, uint8_t *data, unsigned len)
{
    for (unsigned k = 0; k < len; k += 32) {
        memset(data + k, 0, 32);
        random_bytes(g, data + k, 32);
    }
}

/* ---- the instruction's bytes */

struct build {
    struct generator *g;
    struct test_case *t;
    const char *name;
    const struct op_row *row;
    const struct op_code *code;
    bool wide, wide_address;                  /* sizes that hold for this instruction */
    bool memory;
    int seg;                                  /* override, or -1 */
    unsigned default_seg;
    int base, index;                          /* register numbers, -1 */
    unsigned scale, reg;                      /* reg: the ModRM byte's */
    unsigned disp_at, disp_size;              /* place of the displacement in bytes */
    bool strings;
};

static void emit(struct build *b, uint32_t v, unsigned size)
{
    for (unsigned n = 0; n < size && b->t->len < STEP_MAX; n++) b->t->bytes[b->t->len++] = (uint8_t)(v >> (8 * n));
}

static bool operand_has_modrm(enum operand o)
{
    return (o >= O_Eb && o <= O_Ms) || o == O_Sw || (o >= O_Ry && o <= O_Ty) || o >= O_Pq;
}

static bool is_x87(const struct op_code *c) { return c->code >= 0xd8 && c->code <= 0xdf; }

static bool has_modrm(const struct build *b)
{
    if (b->code->n >= 0 || b->code->rm_count || is_x87(b->code)) return true;
    for (unsigned n = 0; n < 3; n++)
        if (operand_has_modrm((enum operand)b->row->operand[n])) return true;
    return false;
}

/* Register forms that are other instructions on newer chips: VEX and EVEX (SDM vol. 2 ch. 2.3, 2.7), 0F 01 /n. */
static bool register_form_taken(const struct build *b)
{
    uint32_t c = b->code->code;
    return c == 0xc4 || c == 0xc5 || c == 0x62 || c == 0x0f01 || c == 0x0fc7;
}

static void choose_form(struct build *b)
{
    bool memory_only = false, register_only = contains(b->name, "_Nq") || contains(b->name, "_Ux"), any = false;
    for (unsigned n = 0; n < 3; n++) {
        enum operand o = (enum operand)b->row->operand[n];
        memory_only |= operand_is_memory_only(o);
        register_only |= o == O_Ry;
        any |= (o >= O_Eb && o <= O_Ev) || o == O_Qq || o == O_Qd || (o >= O_Wx && o <= O_Wq);
    }
    if (is_x87(b->code)) {
        b->memory = !b->code->rm_count;
    } else if (b->code->rm_count || register_only) {
        b->memory = register_only && b->row->operand[0] != O_Ry && b->row->operand[1] != O_Ry && one_in(b->g, 64);
    } else if (memory_only) {
        b->memory = register_form_taken(b) || !one_in(b->g, 64);
    } else {
        b->memory = any && pick(b->g, 3) != 0;
    }
}

/* 66, F2 and F3 are reserved for other instructions (SDM vol. 2 ch. 3.1.1.1, "NP"). F2 and F3 are not used on the two-byte
 * map either, nor on LOOPcc, where they are reserved (SDM vol. 2 ch. 2.1.1) and turn the host's condition around. */
static bool no_prefix(const char *name)
{
    static const char *const names_of[] = { "fxsave", "fxrstor", "ldmxcsr", "stmxcsr", "movnti", "emms", "clflush", "sfence",
                                            "lfence", "mfence" };
    for (unsigned n = 0; n < sizeof names_of / sizeof names_of[0]; n++)
        if (starts(name, names_of[n])) return true;
    return false;
}

static void emit_prefixes(struct build *b)
{
    static const uint8_t segments[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    struct generator *g = b->g;
    bool mandatory = b->code->code > 0xffff || b->code->code == 0xf390, vector = false;
    for (unsigned n = 0; n < 3; n++) vector |= b->row->operand[n] >= O_Pq;
    bool two_byte = (b->code->code >> 8 & 0xff) == 0x0f;
    b->seg = -1;
    if (one_in(g, 6)) {
        b->seg = (int)pick(g, 6);
        emit(b, segments[b->seg], 1);
    }
    if (!mandatory && !vector && !no_prefix(b->name) && one_in(g, 3)) {
        emit(b, 0x66, 1);
        b->wide = !b->wide;
    }
    if (one_in(g, 6)) {
        emit(b, 0x67, 1);
        b->wide_address = !b->wide_address;
    }
    if (b->row->attr & OPA_LOCK ? one_in(g, 6) : one_in(g, 100) && !starts(b->name, "mov_C") && !starts(b->name, "mov_R"))
        emit(b, 0xf0, 1);
    bool repeat = !two_byte && b->code->code != 0x90 && !mandatory && !starts(b->name, "loop");
    if (b->row->attr & OPA_REP ? pick(g, 2) : repeat && one_in(g, 60))
        emit(b, pick(g, 2) ? 0xf2 : 0xf3, 1);
    if (one_in(g, 300)) {                     /* the length limit of 15 */
        unsigned more = 8 + pick(g, 6);
        for (unsigned n = 0; n < more; n++) emit(b, 0x3e, 1);
        b->seg = SEG_DS;
    }
    if (mandatory) emit(b, b->code->code > 0xffff ? b->code->code >> 16 : 0xf3, 1);
}

static void emit_address16(struct build *b, unsigned reg)
{
    static const int8_t base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const int8_t index[8] = { R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1 };
    unsigned mod = pick(b->g, 3), rm = pick(b->g, 8);
    emit(b, mod << 6 | reg << 3 | rm, 1);
    b->base = base[rm];
    b->index = index[rm];
    b->disp_size = mod;
    if (mod == 0 && rm == 6) {
        b->base = -1;
        b->disp_size = 2;
    }
    b->default_seg = b->base == R_BP ? SEG_SS : SEG_DS;
}

static void emit_address32(struct build *b, unsigned reg)
{
    unsigned mod = pick(b->g, 3), rm = pick(b->g, 8);
    emit(b, mod << 6 | reg << 3 | rm, 1);
    b->base = (int)rm;
    b->index = -1;
    if (rm == 4) {
        unsigned sib = (unsigned)rnd(b->g) & 0xff;
        emit(b, sib, 1);
        b->base = sib & 7;
        b->index = (sib >> 3 & 7) == 4 ? -1 : (int)(sib >> 3 & 7);
        b->scale = sib >> 6;
    }
    b->disp_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (mod == 0 && b->base == R_BP) {
        b->base = -1;
        b->disp_size = 4;
    }
    b->default_seg = b->base == R_BP || b->base == R_SP ? SEG_SS : SEG_DS;
}

static void emit_modrm(struct build *b)
{
    unsigned reg = b->code->n >= 0 ? (unsigned)b->code->n : pick(b->g, 8);
    b->reg = reg;
    if (b->code->rm_count) {
        emit(b, b->code->rm + pick(b->g, b->code->rm_count), 1);
        return;
    }
    if (!b->memory) {
        emit(b, 0xc0 | reg << 3 | pick(b->g, 8), 1);
        return;
    }
    if (b->wide_address) emit_address32(b, reg);
    else emit_address16(b, reg);
    b->disp_at = b->t->len;
    emit(b, random_value(b->g), b->disp_size);
}

static void emit_immediates(struct build *b)
{
    for (unsigned n = 0; n < 3; n++) {
        uint32_t v = random_value(b->g);
        switch ((enum operand)b->row->operand[n]) {
        case O_Ib:
            if (starts(b->name, "int_") && ((v & 0xff) == 0x80 || pick(b->g, 2))) v = 3 + pick(b->g, 2);
            if (starts(b->name, "enter") && pick(b->g, 4)) v = pick(b->g, 6);
            if (starts(b->name, "sh") && pick(b->g, 4)) v = pick(b->g, 17);
            if (starts(b->name, "cmp") && contains(b->name, "_V")) v &= 7;
            emit(b, v, 1);
            break;
        case O_Ibs: case O_Jb: emit(b, v, 1); break;
        case O_Iw: emit(b, v, 2); break;
        case O_Iz: case O_Iv: case O_Jz: emit(b, v, b->wide ? 4 : 2); break;
        case O_Ap:
            emit(b, v, b->wide ? 4 : 2);
            emit(b, random_code_selector(b->g), 2);
            break;
        case O_Ob: case O_Ov:
            b->memory = true;
            b->default_seg = SEG_DS;
            b->disp_size = b->wide_address ? 4 : 2;
            b->disp_at = b->t->len;
            emit(b, v, b->disp_size);
            break;
        default: break;
        }
    }
}

static void emit_instruction(struct build *b)
{
    uint32_t opcode = b->code->code;
    b->base = b->index = -1;
    choose_form(b);
    emit_prefixes(b);
    if ((opcode >> 8 & 0xff) == 0x0f) emit(b, 0x0f, 1);
    emit(b, (opcode & 0xff) + (b->code->span > 1 ? pick(b->g, b->code->span) : 0), 1);
    if (has_modrm(b)) emit_modrm(b);
    emit_immediates(b);
}

/* ---- registers, segments, memory */

static uint32_t seg_base(uint16_t sel)
{
    static const struct ldt_row rows[LDT_COUNT] = LDT_ROWS;
    return sel & 4 && (sel >> 3) < LDT_COUNT ? rows[sel >> 3].base : 0;
}

static bool seg_is_32(uint16_t sel) { return sel != LDT_SEL(LDT_DATA16) && sel != LDT_SEL(LDT_DOWN16); }

static uint16_t data_segment(struct build *b)
{
    static const uint8_t near[] = { LDT_DATA16, LDT_DATA32, LDT_DATA16, LDT_CODE32, LDT_DOWN32 };
    static const uint8_t any[] = { LDT_DATA16, LDT_DATA32, LDT_DOWN32, LDT_DOWN16, LDT_CONST, LDT_SHIFTED, LDT_CODE16 };
    if (!b->wide_address && pick(b->g, 8)) return LDT_SEL(near[pick(b->g, sizeof near)]);
    if (pick(b->g, 4)) return SEL_DATA;
    if (one_in(b->g, 12)) return (uint16_t)pick(b->g, 4);
    if (one_in(b->g, 12)) return SEL_CODE;
    return LDT_SEL(any[pick(b->g, sizeof any)]);
}

static uint16_t stack_segment(struct build *b)
{
    static const uint8_t any[] = { LDT_DATA16, LDT_DATA32, LDT_DATA16, LDT_DOWN32, LDT_DOWN16, LDT_SHIFTED };
    if (!b->wide_address && pick(b->g, 2)) return LDT_SEL(LDT_DATA32);
    if (pick(b->g, 4)) return SEL_DATA;
    return LDT_SEL(any[pick(b->g, sizeof any)]);
}

/* A linear address for data. */
static uint32_t random_place(struct build *b)
{
    struct generator *g = b->g;
    switch (pick(g, 24)) {
    case 0: return WINDOW + DATA + PAGE - pick(g, 20);
    case 1: return WINDOW + DATA + DATA_SIZE - pick(g, 20);
    case 2: return WINDOW + CONSTANT + pick(g, PAGE);
    case 3: return one_in(g, 2) ? WINDOW + pick(g, WINDOW_SIZE) : (uint32_t)rnd(g);
    case 4: case 5: case 6: case 7: case 8: return WINDOW + DATA + 64 + pick(g, DATA_SIZE - 128);
    default: return WINDOW + DATA + 64 + (pick(g, DATA_SIZE - 128) & ~15u);
    }
}

static void set_low(uint32_t *r, uint32_t v, bool wide) { *r = wide ? v : (*r & 0xffff0000) | (v & 0xffff); }

/* Makes the memory operand lie at a place of our choice, by displacement or base register. */
static void aim(struct build *b)
{
    struct image *in = &b->t->in;
    unsigned seg = b->seg >= 0 ? (unsigned)b->seg : b->default_seg;
    uint32_t off = random_place(b) - seg_base(in->seg[seg]);
    uint32_t index = b->index >= 0 ? in->r[b->index] << b->scale : 0, base = b->base >= 0 ? in->r[b->base] : 0;
    uint8_t *disp = b->t->bytes + b->disp_at;
    unsigned full = b->wide_address ? 4 : 2;
    if (b->disp_at + b->disp_size > b->t->len) return;
    if (b->disp_size == full && (b->base < 0 || pick(b->g, 2))) {
        uint32_t v = off - base - index;
        for (unsigned n = 0; n < full; n++) disp[n] = (uint8_t)(v >> (8 * n));
        return;
    }
    if (b->base < 0 || b->base == b->index) return;
    uint32_t d = b->disp_size == 1 ? (uint32_t)(int8_t)disp[0] : b->disp_size == 2 ? ld16(disp) : b->disp_size ? ld32(disp) : 0;
    set_low(&in->r[b->base], off - d - index, b->wide_address);
}

/* Where it lies in the end; 0 without a memory operand. */
static uint32_t operand_address(const struct build *b)
{
    const struct image *in = &b->t->in;
    if (!b->memory) return 0;
    const uint8_t *disp = b->t->bytes + b->disp_at;
    uint32_t off = (b->base >= 0 ? in->r[b->base] : 0) + (b->index >= 0 ? in->r[b->index] << b->scale : 0);
    if (b->disp_at + b->disp_size > b->t->len) return 0;
    off += b->disp_size == 1 ? (uint32_t)(int8_t)disp[0] : b->disp_size == 2 ? ld16(disp) : b->disp_size ? ld32(disp) : 0;
    if (!b->wide_address) off &= 0xffff;
    return off + seg_base(in->seg[b->seg >= 0 ? (unsigned)b->seg : b->default_seg]);
}

static void random_unit(struct generator *g, uint8_t *fx)
{
    unsigned masks = pick(g, 3) ? 0x3f : (unsigned)rnd(g) & 0x3f, flags = (unsigned)(rnd(g) & rnd(g)) & 0x3f, top = pick(g, 8);
    static const uint16_t precision[4] = { 0x300, 0x300, 0x200, 0 };
    if (pick(g, 12)) flags &= masks;
    unsigned status = flags | pick(g, 8) << 8 | pick(g, 2) << 14 | top << 11;
    if (flags & ~masks) status |= 0x8080;
    if (flags & 1 && one_in(g, 4)) status |= 0x40;
    st16(fx, (uint16_t)(0x40 | masks | precision[pick(g, 4)] | pick(g, 4) << 10));
    st16(fx + 2, (uint16_t)status);
    fx[4] = pick(g, 4) ? (uint8_t)~(1u << ((top + 7) & 7)) : pick(g, 2) ? 0xff : (uint8_t)rnd(g);
    unsigned unmasked = one_in(g, 4) ? (unsigned)rnd(g) & 0x1f80 : 0x1f80;
    st32(fx + 24, unmasked | pick(g, 4) << 13 | (one_in(g, 8) ? 0x8000 : 0) | ((unsigned)(rnd(g) & rnd(g)) & 0x3f));
    for (unsigned n = 0; n < 8; n++) {
        random_f80(g, fx + 32 + 16 * n);
        if (one_in(g, 4)) {                   /* an MMX value */
            st64(fx + 32 + 16 * n, rnd(g));
            st16(fx + 40 + 16 * n, 0xffff);
        }
        random_bytes(g, fx + 160 + 16 * n, 16);
        if (n && one_in(g, 4)) memcpy(fx + 160 + 16 * n, fx + 144 + 16 * n, 16);
    }
}

static void random_registers(struct build *b)
{
    struct generator *g = b->g;
    struct image *in = &b->t->in;
    for (unsigned n = 0; n < 8; n++) in->r[n] = one_in(g, 6) ? random_selector(g) : random_value(g);
    for (unsigned n = 0; n < 6; n++)
        if (n != N_CS) in->seg[n] = n == N_SS ? stack_segment(b) : data_segment(b);
    in->eflags = 0x202 | ((unsigned)rnd(g) & (FL_ARITH | FL_ID)) | (one_in(g, 4) ? FL_DF : 0) | (one_in(g, 20) ? FL_AC : 0) |
                 (one_in(g, 40) ? FL_RF : 0) | (one_in(g, 30) && !starts(b->name, "iret") ? FL_NT : 0);
    random_unit(g, in->fx);
    uint32_t stack = WINDOW + DATA + 256 + (pick(g, DATA_SIZE - 512) & ~3u);
    if (one_in(g, 24)) stack = WINDOW + DATA + pick(g, 16);
    if (one_in(g, 24)) stack = WINDOW + DATA + DATA_SIZE - pick(g, 16);
    if (one_in(g, 24)) stack += pick(g, 4);
    in->r[R_SP] = stack - seg_base(in->seg[N_SS]);
}

/* Operands that random values would seldom hit. */
static void special_registers(struct build *b)
{
    struct generator *g = b->g;
    struct image *in = &b->t->in;
    const char *name = b->name;
    if (contains(name, "_CL") && pick(g, 4)) in->r[R_CX] = (in->r[R_CX] & ~0xffu) | pick(g, 18);
    if (contains(name, "div_")) {
        if (pick(g, 3)) in->r[R_DX] = pick(g, 2) ? pick(g, 16) : (in->r[R_AX] >> 31 ? 0xffffffff : 0);
        if (one_in(g, 3)) in->r[R_AX] = (in->r[R_AX] & 0xffff) >> pick(g, 12);
    }
    if (starts(name, "enter") || starts(name, "leave")) {
        uint32_t v = random_place(b) - seg_base(in->seg[N_SS]);
        set_low(&in->r[R_BP], v, seg_is_32(in->seg[N_SS]));
    }
    if (b->strings) {
        unsigned seg = b->seg >= 0 ? (unsigned)b->seg : SEG_DS;
        set_low(&in->r[R_SI], random_place(b) - seg_base(in->seg[seg]), b->wide_address);
        set_low(&in->r[R_DI], random_place(b) - seg_base(in->seg[N_ES]), b->wide_address);
        if (pick(g, 4)) set_low(&in->r[R_CX], pick(g, 4), b->wide_address);
    }
    if (starts(name, "xlat")) {
        unsigned seg = b->seg >= 0 ? (unsigned)b->seg : SEG_DS;
        set_low(&in->r[R_BX], random_place(b) - seg_base(in->seg[seg]) - (in->r[R_AX] & 0xff), b->wide_address);
    }
    if (starts(name, "maskmov")) in->r[R_DI] = random_place(b) - seg_base(in->seg[b->seg >= 0 ? b->seg : N_DS]);
    if (starts(name, "loop") || starts(name, "jcxz"))
        if (pick(g, 2)) set_low(&in->r[R_CX], pick(g, 3), b->wide_address);
    if (starts(name, "bt") && contains(name, "_Gv") && pick(g, 4))
        for (unsigned n = 0; n < 8; n++)
            if ((int)n != b->base && (int)n != b->index && n != R_SP) in->r[n] = pick(g, 4096) - 2048;
    if (starts(name, "lar") || starts(name, "lsl") || starts(name, "ver") || starts(name, "mov_Sw") || starts(name, "arpl"))
        for (unsigned n = 0; n < 8; n++)
            if (n != R_SP && pick(g, 2)) in->r[n] = random_selector(g) | (one_in(g, 4) ? (uint32_t)rnd(g) << 16 : 0);
    if (starts(name, "bound") && pick(g, 2))
        for (unsigned n = 0; n < 8; n++) if (n != R_SP) in->r[n] = pick(g, 100);
}

/* Bytes at an address, if it is in the data pages. */
static struct patch *place_patch(struct build *b, unsigned n, uint32_t linear)
{
    struct patch *p = &b->t->patch[n];
    memset(p, 0, sizeof *p);
    uint32_t at = linear - WINDOW - DATA;
    if (at >= DATA_SIZE) return p;
    p->at = (uint16_t)at;
    p->len = (uint16_t)(DATA_SIZE - at < PATCH_MAX ? DATA_SIZE - at : PATCH_MAX);
    random_bytes(b->g, p->bytes, PATCH_MAX);
    return p;
}

static void patch_operand(struct build *b)
{
    struct generator *g = b->g;
    struct image *in = &b->t->in;
    uint32_t at = b->t->ea;
    unsigned size = b->wide ? 4 : 2;
    if (b->strings) at = in->r[R_SI] + seg_base(in->seg[b->seg >= 0 ? b->seg : N_DS]);
    struct patch *p = place_patch(b, 0, at);
    if (contains(b->name, "_Mp")) st16(p->bytes + size, random_code_selector(g));
    if (contains(b->name, "_Ew") || starts(b->name, "lar") || starts(b->name, "lsl") || starts(b->name, "ver") ||
        starts(b->name, "arpl"))
        if (pick(g, 2)) st16(p->bytes, random_selector(g));
    if (starts(b->name, "bound") && pick(g, 2)) {
        st32(p->bytes, 0);
        st32(p->bytes + size, pick(g, 100));
    }
    if (starts(b->name, "cmpxchg") && pick(g, 2)) {
        st32(p->bytes, in->r[R_AX]);
        st32(p->bytes + 4, in->r[R_DX]);
    }
    /* DAZ (bit 6) came after the model, bit 17 is AMD's. */
    if (starts(b->name, "ldmxcsr")) st32(p->bytes, ld32(p->bytes) & (pick(g, 8) ? 0xffbf : ~0x20040u));
    if (starts(b->name, "fxrstor")) st32(p->bytes + 24, ld32(p->bytes + 24) & (pick(g, 8) ? 0xffbf : ~0x20040u));
    if (contains(b->name, "bld_")) for (unsigned k = 0; k < 9; k++) p->bytes[k] = (uint8_t)(pick(g, 10) << 4 | pick(g, 10));
}

static void patch_stack(struct build *b)
{
    struct generator *g = b->g;
    struct image *in = &b->t->in;
    unsigned size = b->wide ? 4 : 2;
    uint32_t off = starts(b->name, "leave") ? in->r[R_BP] : in->r[R_SP];
    if (!seg_is_32(in->seg[N_SS])) off &= 0xffff;
    uint32_t at = off + seg_base(in->seg[N_SS]);
    if (b->strings) at = in->r[R_DI] + seg_base(in->seg[N_ES]);
    struct patch *p = place_patch(b, 1, at);
    if (b->strings) {
        if (pick(g, 2)) memcpy(p->bytes, b->t->patch[0].bytes, PATCH_MAX);
        if (one_in(g, 3)) st32(p->bytes, in->r[R_AX]);
        return;
    }
    if (starts(b->name, "pop_Sw")) st16(p->bytes, random_selector(g));
    if (starts(b->name, "retf") || starts(b->name, "iret")) st16(p->bytes + size, random_code_selector(g));
    if (starts(b->name, "iret")) st32(p->bytes + 2 * size, (uint32_t)rnd(g));
}

/* Place of the code: mostly inside a page, sometimes across the two, sometimes running out of the second. */
static uint32_t random_code(struct build *b)
{
    struct generator *g = b->g;
    if (one_in(g, 16)) return CODE + PAGE - 1 - pick(g, b->t->len);
    if (one_in(g, 40)) return CODE + CODE_SIZE - 1 - pick(g, b->t->len);
    return CODE + pick(g, CODE_SIZE - 32);
}

/* MOV SS and POP SS hold the trap back until after the next instruction, here a NOP (SDM vol. 3 ch. 6.8.3). */
static bool loads_ss(const struct build *b)
{
    return b->code->code == 0x17 || (starts(b->name, "mov_Sw") && b->reg == N_SS);
}

void generate_case(struct generator *g, unsigned row, struct test_case *t)
{
    struct build b = { .g = g, .t = t, .code = &op_codes[row] };
    b.row = &optable[b.code->op];
    b.name = row_name((enum op)b.code->op);
    memset(t, 0, offsetof(struct test_case, host));
    t->row = (uint16_t)row;
    t->steps = 1;
    static const uint16_t codes[] = { SEL_CODE, SEL_CODE, SEL_CODE, SEL_CODE, LDT_SEL(LDT_CODE16), LDT_SEL(LDT_CODE32) };
    t->in.seg[N_CS] = codes[pick(g, sizeof codes / sizeof codes[0])];
    b.wide = b.wide_address = t->in.seg[N_CS] != LDT_SEL(LDT_CODE16);
    for (unsigned n = 0; n < 3; n++) b.strings |= b.row->operand[n] >= O_Xb && b.row->operand[n] <= O_Yz;

    emit_instruction(&b);
    t->wide = b.wide;
    t->memory = b.memory;
    random_registers(&b);
    special_registers(&b);
    if (b.memory) aim(&b);
    if (!seg_is_32(t->in.seg[N_SS])) t->in.r[R_SP] = (t->in.r[R_SP] & 0xffff) | WINDOW;
    t->ea = operand_address(&b);
    patch_operand(&b);
    patch_stack(&b);
    t->in.eip = random_code(&b) + (t->in.seg[N_CS] == SEL_CODE ? WINDOW : 0);
    t->in.vector = NO_VECTOR;
    if (loads_ss(&b)) t->steps = 2;
    if (starts(b.name, "cvtpi2ps") && b.memory) {            /* AMD's does not switch to MMX use from memory: it is so already */
        st16(t->in.fx + 2, 0);
        t->in.fx[4] = 0xff;
    }
}
