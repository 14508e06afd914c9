/* x87, MMX and SSE inside the engine: every row is found by its bytes, code runs, pending errors meet interrupts. */
#include "cpu/decode.h"
#include "cpu/fpu.h"
#include "cpu/simd.h"
#include "tests/unit/cpu_rig.h"

struct row { const char *name; insn_body *body; uint32_t code; int n, rm; const char *operand[3]; };

static const struct row x87_rows[] = {
#define X87_M(op, reg, body, mn, operand, level, feature) { #body, op_##body, op, reg, -1, { #operand, "", "" } },
#define X87_R(op, modrm, count, body, mn, operands, level, feature) { #body, op_##body, op, -1, modrm, { "", "", "" } },
#include "cpu/optable_x87.def"
#undef X87_M
#undef X87_R
};
static const struct row simd_rows[] = {
#define OP(code, mn, o1, o2, o3, body, needs, attr) { #body, op_##body, code, -1, -1, { #o1, #o2, #o3 } },
#define OP_N(code, n, mn, o1, o2, o3, body, needs, attr) { #body, op_##body, code, n, -1, { #o1, #o2, #o3 } },
#define OP_R(code, rm, mn, o1, o2, o3, body, needs, attr) { #body, op_##body, code, -1, rm, { #o1, #o2, #o3 } },
#include "cpu/optable_sse.def"
#include "cpu/optable_mmx.def"
#undef OP
#undef OP_N
#undef OP_R
};

static struct decode_map *map(uint64_t features)
{
    static struct decode_map m;
    decode_map_build(&m, LEVEL_686, features);
    return &m;
}

START_TEST(every_x87_row_is_decoded_to_its_body)
{
    const struct decode_map *m = map(~0ull);
    for (unsigned k = 0; k < sizeof x87_rows / sizeof x87_rows[0]; k++) {
        const struct row *r = &x87_rows[k];
        uint8_t b[2] = { (uint8_t)r->code, (uint8_t)(r->rm >= 0 ? r->rm : r->n << 3 | 3) };
        struct insn i = { .base = R_NONE, .index = R_NONE };
        ck_assert(decode_insn(m, b, sizeof b, CODE_32, &i));
        ck_assert_msg(optable[i.op].body == r->body, "%s: %02x %02x", r->name, b[0], b[1]);
        ck_assert_int_eq(i.imm, (b[0] & 7) << 8 | b[1]);
        ck_assert_uint_eq(i.len, 2);
        ck_assert_uint_eq(i.rm & 7, r->rm >= 0 ? b[1] & 7u : i.rm & 7u);
    }
}
END_TEST

START_TEST(every_simd_row_is_decoded_to_its_body_if_the_model_has_it)
{
    for (unsigned with = 0; with < 2; with++) {
        const struct decode_map *m = map(with ? ~(1ull << F_NOPL) : 1ull << F_FPU);
        for (unsigned k = 0; k < sizeof simd_rows / sizeof simd_rows[0]; k++) {
            const struct row *r = &simd_rows[k];
            bool modrm = r->rm >= 0 || r->n >= 0, memory = false, imm = false;
            for (unsigned n = 0; n < 3; n++) {
                modrm |= strchr("EGMPQVW", r->operand[n][0]) != NULL;
                memory |= r->operand[n][0] == 'M';
                imm |= r->operand[n][0] == 'I';
            }
            uint8_t b[8];
            unsigned len = 0;
            if (r->code >> 16) b[len++] = (uint8_t)(r->code >> 16);
            b[len++] = 0x0f;
            b[len++] = (uint8_t)r->code;
            if (modrm) b[len++] = (uint8_t)(r->rm >= 0 ? r->rm : (memory ? 0 : 0xc0) | (r->n >= 0 ? r->n : 5) << 3 | 3);
            if (imm) b[len++] = 0x91;
            struct insn i = { .base = R_NONE, .index = R_NONE };
            ck_assert(decode_insn(m, b, len, CODE_32, &i));
            ck_assert_msg((optable[i.op].body == r->body) == (with != 0), "%s", r->name);
            if (!with) continue;
            ck_assert_uint_eq(i.len, len);
            if (imm) ck_assert_int_eq(i.imm & 0xff, 0x91);
        }
    }
}
END_TEST

/* Code at 1000h in real mode, data at 2000h; vectors lead to HLT at 5000h + vector. */
static struct rig *program(const uint8_t *code, unsigned len)
{
    struct rig *r = rig_create("pentium2");
    memcpy(rig_at(r, 0x1000), code, len);
    for (unsigned v = 0; v < 256; v++) {
        rig_w32(r, 4 * v, 0x5000 + v);
        *rig_at(r, 0x5000 + v) = 0xf4;
    }
    for (unsigned n = 0; n < SEG_COUNT; n++) r->c->seg[n] = rig_seg(0, 0, 0xffff, A_DATA, 0);
    r->c->rip = 0x1000;
    r->c->r[R_SP] = 0x8000;
    cpu_mode_changed(r->c);
    return r;
}
#define PROGRAM(...) program((const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })
static uint64_t run(struct rig *r)
{
    uint64_t done = 0;
    for (unsigned n = 0; n < 100 && cpu_activity(r->c) == CPU_RUNNING; n++) done += cpu_run(r->c, 10);
    return done;
}

START_TEST(a_small_program_computes_the_area_of_a_circle)
{
    /* fninit; fld dword [2000h]; fmul st, st; fldpi; fmulp; fistp word [2010h]; fnstenv [2020h]; hlt */
    struct rig *r = PROGRAM(0xdb, 0xe3, 0xd9, 0x06, 0x00, 0x20, 0xd8, 0xc8, 0xd9, 0xeb, 0xde, 0xc9, 0xdf, 0x1e, 0x10, 0x20,
                            0xd9, 0x36, 0x20, 0x20, 0xf4);
    rig_w32(r, 0x2000, 0x41200000);                           /* 10.0 */
    ck_assert_uint_eq(run(r), 8);
    ck_assert_uint_eq(rig_r16(r, 0x2010), 314);
    ck_assert_uint_eq(rig_r16(r, 0x2020), 0x37f);
    ck_assert_uint_eq(rig_r16(r, 0x2024), 0xffff);
    ck_assert_uint_eq(rig_r16(r, 0x2026), 0x100c);            /* FIP: the FISTP */
    ck_assert_uint_eq(rig_r16(r, 0x2028), 0x71e);             /* FOP */
    ck_assert_uint_eq(rig_r16(r, 0x202a), 0x2010);
    rig_destroy(r);
}
END_TEST

START_TEST(a_pending_error_with_ne_is_vector_16_at_the_next_fpu_instruction)
{
    /* fninit; fldcw [2000h]; fldz; fld1; fdiv st, st(1); nop; fnop; hlt */
    struct rig *r = PROGRAM(0xdb, 0xe3, 0xd9, 0x2e, 0x00, 0x20, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x90, 0xd9, 0xd0, 0xf4);
    rig_w16(r, 0x2000, 0x37b);
    r->c->cr0 |= CR0_NE;
    run(r);
    ck_assert_uint_eq(r->c->rip, 0x5000 + V_MF + 1);
    ck_assert_uint_eq(rig_r16(r, reg16(r->c, R_SP)), 0x100d);
    rig_destroy(r);
}
END_TEST

static uint8_t vector_75(void *opaque)
{
    (void)opaque;
    return 0x75;
}

START_TEST(without_ne_the_cpu_waits_for_the_interrupt_before_the_instruction)
{
    /* sti; fninit; fldcw [2000h]; fldz; fld1; fdiv st, st(1); nop; fnop; hlt */
    struct rig *r = PROGRAM(0xfb, 0xdb, 0xe3, 0xd9, 0x2e, 0x00, 0x20, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x90, 0xd9, 0xd0, 0xf4);
    rig_w16(r, 0x2000, 0x37b);
    r->c->pins.intack = vector_75;
    ck_assert_uint_eq(cpu_run(r->c, 1000), 1000);
    ck_assert_uint_eq(r->c->rip, 0x100e);
    ck_assert(r->c->pins.ferr.level);
    struct irq_line intr = cpu_pin(r->c, CPU_PIN_INTR);
    irq_set(&intr, true);
    run(r);
    ck_assert_uint_eq(r->c->rip, 0x5000 + 0x75 + 1);
    ck_assert_uint_eq(rig_r16(r, reg16(r->c, R_SP)), 0x100e);
    rig_destroy(r);
}
END_TEST

START_TEST(ignne_lets_the_handler_compute)
{
    struct rig *r = PROGRAM(0xdb, 0xe3, 0xd9, 0x2e, 0x00, 0x20, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x90, 0xd9, 0xd0, 0xf4);
    rig_w16(r, 0x2000, 0x37b);
    cpu_run(r->c, 100);
    ck_assert_uint_eq(r->c->rip, 0x100d);
    struct irq_line ignne = cpu_pin(r->c, CPU_PIN_IGNNE);
    irq_set(&ignne, true);
    run(r);
    ck_assert_uint_eq(r->c->rip, 0x1010);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("x87 and SIMD in the engine");
    TCase *t = tcase_create("run");
    tcase_add_test(t, every_x87_row_is_decoded_to_its_body);
    tcase_add_test(t, every_simd_row_is_decoded_to_its_body_if_the_model_has_it);
    tcase_add_test(t, a_small_program_computes_the_area_of_a_circle);
    tcase_add_test(t, a_pending_error_with_ne_is_vector_16_at_the_next_fpu_instruction);
    tcase_add_test(t, without_ne_the_cpu_waits_for_the_interrupt_before_the_instruction);
    tcase_add_test(t, ignne_lets_the_handler_compute);
    suite_add_tcase(s, t);
    return suite_main(s);
}
