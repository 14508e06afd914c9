/* What tells one model from another: which instructions it has, what CPUID says of them, flags that the manuals leave undefined,
 * test registers, prefixes without end. */
#include "cpu/decode.h"
#include "cpu/desc.h"
#include "cpu/flags.h"
#include "tests/unit/cpu_rig.h"

enum { CF = FL_CF, PF = FL_PF, AF = FL_AF, ZF = FL_ZF, SF = FL_SF, OF = FL_OF };

/* Runs `count` instructions at 1000:0000 in real mode, with EAX and EFLAGS given; interrupts go to 0000:7000. */
static struct rig *real_mode(const char *model, const uint8_t *code, unsigned len, uint32_t eax, uint32_t ecx, uint32_t flags)
{
    struct rig *r = rig_create(model);
    memcpy(rig_at(r, 0x10000), code, len);
    for (unsigned v = 0; v < 256; v++) st32(rig_at(r, 4 * v), 0x7000);
    seg_load_real(r->c, SEG_CS, 0x1000);
    seg_load_real(r->c, SEG_DS, 0x2000);
    r->c->rip = 0;
    r->c->r[R_AX] = eax;
    r->c->r[R_CX] = ecx;
    r->c->r[R_SP] = 0x4000;
    eflags_set(r->c, flags | r->c->model->flags_fixed_one);
    cpu_mode_changed(r->c);
    return r;
}

/* ---- undefined flags */

/* Instruction bytes, AX, CX and flags before, arithmetic flags after. Source: published results of a test ROM on an Intel
 * 386SX. */
static const struct { uint8_t code[3], len; uint16_t ax, cx; uint32_t before, after; } flags_386[] = {
    { { 0x37 }, 1, 0x0000, 0, 0, PF | ZF },                                          /* AAA */
    { { 0x37 }, 1, 0x0001, 0, PF | ZF | SF | OF, 0 },
    { { 0x37 }, 1, 0x007a, 0, 0, CF | AF | SF | OF },
    { { 0x37 }, 1, 0x007b, 0, AF, CF | PF | AF | SF | OF },
    { { 0xd5, 10 }, 2, 0x0001, 0, CF | AF | OF, 0 },                                 /* AAD */
    { { 0xd5, 10 }, 2, 0x0d8e, 0, 0, CF | AF | OF },
    { { 0xd5, 10 }, 2, 0x0106, 0, 0, AF },
    { { 0xd5, 10 }, 2, 0x01f7, 0, 0, CF | AF },
    { { 0xd4, 10 }, 2, 0x0000, 0, 0, ZF | PF },                                      /* AAM */
    { { 0xd4, 10 }, 2, 0x0000, 0, CF | AF | OF, ZF | PF },
    { { 0x3f }, 1, 0x0000, 0, SF | OF, PF | ZF },                                    /* AAS */
    { { 0x3f }, 1, 0x0000, 0, AF, CF | PF | AF | SF },
    { { 0x3f }, 1, 0x0001, 0, PF | ZF | SF | OF, 0 },
    { { 0x3f }, 1, 0x0680, 0, AF, CF | AF | OF },
    { { 0x27 }, 1, 0x001a, 0, AF | OF, AF },                                         /* DAA */
    { { 0x27 }, 1, 0x001a, 0, CF, CF | AF | SF | OF },
    { { 0x2f }, 1, 0x0080, 0, OF, SF },                                              /* DAS */
    { { 0x2f }, 1, 0x0080, 0, AF, AF | OF },
    { { 0xd2, 0xe8 }, 2, 0x81, 1, 0, CF | AF | OF },                                 /* SHR AL, CL */
    { { 0xd2, 0xe8 }, 2, 0x82, 2, 0, CF | AF },
    { { 0xd2, 0xe8 }, 2, 0x80, 8, 0, CF | PF | AF | ZF },
    { { 0xd2, 0xe8 }, 2, 0x00, 8, CF, PF | AF | ZF },
    { { 0xd2, 0xe8 }, 2, 0x80, 16, 0, CF | PF | AF | ZF },
    { { 0xd2, 0xe8 }, 2, 0x00, 16, CF, PF | AF | ZF },
    { { 0xd2, 0xe8 }, 2, 0x80, 24, 0, CF | PF | AF | ZF },
    { { 0xd2, 0xe8 }, 2, 0x80, 32, 0, 0 },
    { { 0xd3, 0xe8 }, 2, 0x8000, 16, 0, CF | PF | AF | ZF },                         /* SHR AX, CL */
    { { 0xd3, 0xe8 }, 2, 0x0000, 16, CF, PF | AF | ZF },
    { { 0xd2, 0xe0 }, 2, 0x81, 1, 0, CF | AF | OF },                                 /* SHL AL, CL */
    { { 0xd2, 0xe0 }, 2, 0x41, 2, 0, CF | AF | OF },
    { { 0xd2, 0xe0 }, 2, 0x01, 8, 0, CF | PF | AF | ZF | OF },
    { { 0xd2, 0xe0 }, 2, 0x00, 8, CF, PF | AF | ZF },
    { { 0xd2, 0xe0 }, 2, 0x01, 16, 0, CF | PF | AF | ZF | OF },
    { { 0xd2, 0xe0 }, 2, 0x01, 24, 0, CF | PF | AF | ZF | OF },
    { { 0xd3, 0xe0 }, 2, 0x0001, 16, 0, CF | PF | AF | ZF | OF },                    /* SHL AX, CL */
    { { 0x0f, 0xa3, 0xc8 }, 3, 0x01, 0, 0, CF },                                     /* BT AX, CX */
    { { 0x0f, 0xa3, 0xc8 }, 3, 0x01, 1, 0, OF },
    { { 0x0f, 0xa3, 0xc8 }, 3, 0x01, 1, CF, OF },
    { { 0x0f, 0xa3, 0xc8 }, 3, 0x01, 2, 0, OF },
    { { 0x0f, 0xa3, 0xc8 }, 3, 0x01, 3, CF, 0 },
    { { 0xd2, 0xd8 }, 2, 0x00, 9, CF | OF, CF },                                     /* RCR AL, CL */
    { { 0xd2, 0xd8 }, 2, 0x40, 9, 0, OF },
    { { 0xd2, 0xd8 }, 2, 0x40, 9, CF | OF, CF | OF },
    { { 0xd3, 0xd8 }, 2, 0x4000, 17, 0, OF },                                        /* RCR AX, CL */
    { { 0xd2, 0xd0 }, 2, 0x00, 9, CF | OF, CF | OF },                                /* RCL AL, CL */
    { { 0xd2, 0xd0 }, 2, 0x80, 9, 0, OF },
    { { 0xd2, 0xd0 }, 2, 0x80, 9, CF | OF, CF },
    { { 0xd3, 0xd0 }, 2, 0x8000, 17, CF | OF, CF },                                  /* RCL AX, CL */
};

START_TEST(the_386_leaves_in_undefined_flags_what_the_chip_does)
{
    for (unsigned n = 0; n < sizeof flags_386 / sizeof flags_386[0]; n++) {
        unsigned len = flags_386[n].len;
        struct rig *r = real_mode("386", flags_386[n].code, len, flags_386[n].ax, flags_386[n].cx, flags_386[n].before);
        for (unsigned k = 0; k < 8; k++) *rig_at(r, 0x10000 + len + k) = 0x90;      /* so that it runs in a block */
        ck_assert_uint_eq(cpu_run(r->c, 4), 4);
        ck_assert_msg((eflags_get(r->c) & FL_ARITH) == flags_386[n].after, "row %u: flags %x, the chip's %x", n,
                      eflags_get(r->c) & FL_ARITH, flags_386[n].after);
        rig_destroy(r);
    }
}
END_TEST

/* ---- instructions that come with a feature */

static bool decodes(const struct decode_map *m, const struct op_code *row)
{
    uint8_t b[INSN_MAX] = { 0 };
    unsigned n = 0;
    struct insn i;
    uint32_t code = row->code;
    if (code == 0xf390) return true;                         /* PAUSE is a NOP where it is not known */
    if (code > 0xffff) b[n++] = (uint8_t)(code >> 16);
    if (code > 0xff) b[n++] = 0x0f;
    b[n++] = (uint8_t)code;
    bool reg_form = row->rm_count;
    for (unsigned k = 0; k < 3; k++) reg_form |= operand_is_register_only((enum operand)optable[row->op].operand[k]);
    b[n] = row->rm_count ? (uint8_t)(row->rm | 0xc0) : (uint8_t)((reg_form ? 0xc0 : 0x06) | (row->n > 0 ? row->n << 3 : 0));
    return decode_insn(m, b, INSN_MAX, CODE_16, &i) && i.op == row->op;
}

START_TEST(an_instruction_goes_with_its_feature)
{
    static const char *const names[F_COUNT] = {
        [F_TSC] = "tsc", [F_MSR] = "msr", [F_CX8] = "cx8", [F_SEP] = "sep", [F_CMOV] = "cmov", [F_MMX] = "mmx", [F_FXSR] = "fxsr",
        [F_SSE] = "sse", [F_SSE2] = "sse2", [F_SSE3] = "sse3", [F_CLFLUSH] = "clflush", [F_CPUID] = "cpuid", [F_RDPMC] = "rdpmc",
        [F_NOPL] = "nopl", [F_SMM] = "smm",
    };
    unsigned rows[F_COUNT] = { 0 };
    struct rig *with = rig_create("pentium4");
    struct decode_map *map = malloc(sizeof *map), *without = malloc(sizeof *without);
    decode_map_build(map, cpu_level(with->c), with->c->features[0]);
    for (unsigned f = 0; f < F_COUNT; f++) {
        if (!names[f]) continue;
        char model[32];
        snprintf(model, sizeof model, "pentium4,-%s", names[f]);
        struct rig *r = rig_create(model);
        ck_assert(!cpu_has(r->c, (enum feature)f));
        decode_map_build(without, cpu_level(r->c), r->c->features[0]);
        for (unsigned n = 0; n < op_codes_count; n++) {
            if (op_codes[n].needs.feature != f || op_codes[n].needs.least > LEVEL_P4) continue;
            if (op_codes[n].code == 0x0f18) continue;        /* PREFETCH: a NOP with and without SSE */
            rows[f]++;
            ck_assert_msg(decodes(map, &op_codes[n]), "%s: %x is not there", names[f], op_codes[n].code);
            ck_assert_msg(!decodes(without, &op_codes[n]), "%s: %x is there without it", names[f], op_codes[n].code);
        }
        ck_assert_msg(rows[f] > 0, "%s has no instruction", names[f]);
        rig_destroy(r);
    }
    /* Every instruction with a feature was in one of these. */
    for (unsigned n = 0; n < op_codes_count; n++)
        ck_assert(op_codes[n].needs.feature == NO_FEATURE || op_codes[n].needs.feature == F_FPU || rows[op_codes[n].needs.feature]);
    free(map);
    free(without);
    rig_destroy(with);
}
END_TEST

/* Feature, bit of CPUID 1 EDX (or ECX: 32 and up), the control bits and an MSR that come with it. */
static const struct { const char *name; unsigned bit; uint32_t cr4, msr; } cpuid_bits[] = {
    { "fpu", 0, 0, 0 },            { "vme", 1, CR4_VME | CR4_PVI, 0 }, { "de", 2, CR4_DE, 0 },      { "pse", 3, CR4_PSE, 0 },
    { "tsc", 4, CR4_TSD, 0x10 },   { "msr", 5, 0, 0 },                 { "pae", 6, CR4_PAE, 0 },    { "mce", 7, CR4_MCE, 0 },
    { "cx8", 8, 0, 0 },            { "apic", 9, 0, 0x1b },             { "sep", 11, 0, 0x174 },     { "mtrr", 12, 0, 0xfe },
    { "pge", 13, CR4_PGE, 0 },     { "mca", 14, 0, 0x179 },            { "cmov", 15, 0, 0 },        { "pat", 16, 0, 0x277 },
    { "pse36", 17, 0, 0 },         { "clflush", 19, 0, 0 },            { "mmx", 23, 0, 0 },         { "fxsr", 24, CR4_OSFXSR, 0 },
    { "sse", 25, CR4_OSXMMEXCPT, 0 }, { "sse2", 26, 0, 0 },            { "sse3", 32, 0, 0 },
};

static uint64_t cpuid_1(struct cpu *c)
{
    uint32_t out[4];
    cpuid_query(c, 1, 0, out);
    return (uint64_t)out[2] << 32 | out[3];
}

START_TEST(cpuid_agrees_with_what_is_there)
{
    for (unsigned n = 0; n < sizeof cpuid_bits / sizeof cpuid_bits[0]; n++) {
        char model[32];
        uint64_t v;
        snprintf(model, sizeof model, "pentium4,-%s", cpuid_bits[n].name);
        struct rig *with = rig_create("pentium4"), *without = rig_create(model);
        ck_assert_msg(cpuid_1(with->c) >> cpuid_bits[n].bit & 1, "pentium4 has no %s", cpuid_bits[n].name);
        ck_assert_msg(!(cpuid_1(without->c) >> cpuid_bits[n].bit & 1), "%s shows it", model);
        ck_assert_uint_eq(sys_cr4_bits(with->c) & cpuid_bits[n].cr4, cpuid_bits[n].cr4);
        ck_assert_msg(!(sys_cr4_bits(without->c) & cpuid_bits[n].cr4), "%s has its CR4 bits", model);
        if (cpuid_bits[n].msr) {
            ck_assert(msr_read(with->c, cpuid_bits[n].msr, &v));
            ck_assert_msg(!msr_read(without->c, cpuid_bits[n].msr, &v), "%s has its MSR", model);
        }
        rig_destroy(with);
        rig_destroy(without);
    }
}
END_TEST

/* Model, instruction, whether it has it. */
static const struct { const char *model; uint8_t code[4]; bool there; } forms[] = {
    { "8086", { 0x0f }, true },                   { "286", { 0x0f, 0x90, 0xc0 }, false },      /* POP CS; SETO */
    { "8086", { 0x60, 0x00 }, true },             { "8086", { 0xc0, 0, 0 }, true },            /* JO; RET */
    { "8086", { 0xd6 }, true },                   { "pentium4", { 0xd6 }, true },              /* SALC */
    { "286", { 0x0f, 0x05 }, true },              { "386", { 0x0f, 0x05 }, false },            /* LOADALL */
    { "386", { 0x0f, 0x07 }, true },              { "486", { 0x0f, 0x07 }, false },
    { "386", { 0x0f, 0x10, 0xc0 }, true },        { "486", { 0x0f, 0x11, 0xc0 }, true },       /* UMOV */
    { "pentium", { 0x0f, 0x10, 0xc0 }, false },   { "386", { 0x0f, 0xa6, 0xc0 }, false },      /* XBTS: early steppings */
    { "386", { 0x0f, 0x24, 0xf0 }, true },        { "486", { 0x0f, 0x26, 0xd8 }, true },       /* MOV TR */
    { "pentium", { 0x0f, 0x24, 0xf0 }, false },   { "386", { 0xf1 }, true },                   /* ICEBP */
    { "386", { 0x0f, 0xc8 }, false },             { "486", { 0x0f, 0xc8 }, true },             /* BSWAP */
    { "386", { 0x0f, 0xa2 }, false },             { "486", { 0x0f, 0xa2 }, true },             /* CPUID */
    { "486", { 0x0f, 0x31 }, false },             { "pentium", { 0x0f, 0x31 }, true },         /* RDTSC */
    { "pentium", { 0x0f, 0x44, 0xc0 }, false },   { "pentium2", { 0x0f, 0x44, 0xc0 }, true },  /* CMOVE */
    { "pentium2", { 0x0f, 0x58, 0xc0 }, false },  { "pentium3", { 0x0f, 0x58, 0xc0 }, true },  /* ADDPS */
    { "pentium3", { 0x66, 0x0f, 0x58, 0xc0 }, false }, { "pentium4", { 0x66, 0x0f, 0x58, 0xc0 }, true },
    { "pentium-mmx", { 0x0f, 0x77 }, true },      { "pentium", { 0x0f, 0x77 }, false },        /* EMMS */
    { "286", { 0xd0, 0xf0 }, true },              { "pentium4", { 0xc0, 0xf0, 1 }, true },     /* SHL /6 */
    { "pentium4", { 0xf6, 0xc8, 0 }, true },      { "386", { 0x82, 0xc0, 0 }, true },          /* TEST /1; 82h */
    { "286", { 0x8f, 0xc8 }, false },             { "8086", { 0x8f, 0xc8 }, true },            /* POP /1 */
    { "286", { 0xc6, 0xc8 }, false },             { "286", { 0xff, 0xf8 }, false },            /* MOV /1, group 5 /7 */
    { "486", { 0xdc, 0xd0 }, true },              { "486", { 0xdd, 0xc8 }, true },             /* FCOM, FXCH aliases */
};

START_TEST(a_model_has_its_instructions_and_no_others)
{
    struct decode_map *m = malloc(sizeof *m);
    for (unsigned n = 0; n < sizeof forms / sizeof forms[0]; n++) {
        struct rig *r = rig_create(forms[n].model);
        uint8_t b[INSN_MAX] = { 0 };
        struct insn i;
        memcpy(b, forms[n].code, 4);
        decode_map_build(m, cpu_level(r->c), r->c->features[0]);
        ck_assert(decode_insn(m, b, INSN_MAX, CODE_16, &i));
        ck_assert_msg((i.op != OP_bad) == forms[n].there, "%s: %02x %02x %02x", forms[n].model, b[0], b[1], b[2]);
        rig_destroy(r);
    }
    free(m);
}
END_TEST

/* ---- prefixes */

START_TEST(the_8086_takes_prefixes_without_end)
{
    for (unsigned count = 1; count < 600; count += 13) {
        uint8_t code[640];
        memset(code, 0x3e, sizeof code);
        code[count] = 0x26;                                  /* ES: the last one counts */
        memcpy(code + count + 1, (uint8_t[]){ 0xa1, 0x34, 0x12, 0x90, 0x90 }, 5);      /* mov ax, [1234h] */
        struct rig *r = real_mode("8086", code, sizeof code, 0, 0, 0);
        seg_load_real(r->c, SEG_ES, 0x3000);
        st16(rig_at(r, 0x31234), 0xbeef);
        for (unsigned n = 0; n < 10 && r->c->rip < count + 4; n++) cpu_run(r->c, 1);
        ck_assert_uint_eq(r->c->rip, count + 4);
        ck_assert_uint_eq(r->c->r[R_AX], 0xbeef);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(later_chips_have_a_limit)
{
    static const struct { const char *model; unsigned most; } limit[] = { { "286", 10 }, { "386", 15 }, { "pentium4", 15 } };
    for (unsigned n = 0; n < 3; n++)
        for (unsigned over = 0; over < 2; over++) {
            uint8_t code[32];
            unsigned prefixes = limit[n].most - 1 + over;
            memset(code, 0x3e, sizeof code);
            code[prefixes] = 0x40;                           /* inc ax */
            struct rig *r = real_mode(limit[n].model, code, sizeof code, 0, 0, 0);
            *rig_at(r, 0x7000) = 0xf4;
            cpu_run(r->c, 1);
            ck_assert_uint_eq(r->c->r[R_AX], !over);
            ck_assert_uint_eq(r->c->rip, over ? 0x7000 : prefixes + 1);
            rig_destroy(r);
        }
}
END_TEST

/* ---- the end of the stack in real mode */

START_TEST(the_286_shuts_down_without_room_for_a_frame)
{
    /* PUSHA: exception 13 where the words do not fit, shutdown where the exception's frame does not either; PUSH and INT (80286
     * Programmer's Reference Manual, PUSHA and PUSH; exception 13 for the stack: captured from an 80C286). */
    static const struct { uint8_t code[2]; unsigned first_fault, last_fault; } rows[] = {
        { { 0x60 }, 1, 15 }, { { 0x50 }, 1, 1 }, { { 0xcd, 0x20 }, 1, 5 },
    };
    for (unsigned n = 0; n < 3; n++)
        for (unsigned sp = 1; sp < 20; sp += 2) {
            struct rig *r = real_mode("286", rows[n].code, 2, 0, 0, 0);
            seg_load_real(r->c, SEG_SS, 0x3000);
            r->c->r[R_SP] = sp;
            st32(rig_at(r, 4 * 13), 0x7100);
            cpu_run(r->c, 1);
            bool faults = sp >= rows[n].first_fault && sp <= rows[n].last_fault, down = faults && sp <= 5;
            ck_assert_msg(r->shutdowns == down, "%02x with SP %u: %u shutdowns", rows[n].code[0], sp, r->shutdowns);
            if (!down) ck_assert_msg((r->c->rip == 0x7100) == faults, "%02x with SP %u goes to %llx", rows[n].code[0], sp,
                                     (unsigned long long)r->c->rip);
            rig_destroy(r);
        }
}
END_TEST

/* ---- registers of old */

START_TEST(test_registers_find_what_was_written)
{
    static const uint8_t code[] = {
        0x0f, 0x26, 0xf9,                                    /* mov tr7, ecx */
        0x0f, 0x26, 0xf0,                                    /* mov tr6, eax: write */
        0x66, 0x83, 0xc8, 0x01,                              /* or eax, 1 */
        0x0f, 0x26, 0xf0,                                    /* mov tr6, eax: look up */
        0x0f, 0x24, 0xfb,                                    /* mov ebx, tr7 */
        0x66, 0x05, 0x00, 0x10, 0x00, 0x00,                  /* add eax, 1000h */
        0x0f, 0x26, 0xf0,
        0x0f, 0x24, 0xfa,                                    /* mov edx, tr7 */
    };
    struct rig *r = real_mode("386", code, sizeof code, 0x12345000 | 0x800 | 0x2a << 5 /* V, D, U, W */, 0x00abc000 | 2 << 2, 0);
    ck_assert_uint_eq(cpu_run(r->c, 8), 8);
    ck_assert_uint_eq((uint32_t)r->c->r[R_BX], 0x00abc000 | 2 << 2 | 0x10);
    ck_assert_uint_eq(r->c->r[R_DX] & 0x10, 0);
    rig_destroy(r);
}
END_TEST

START_TEST(reserved_bits_of_cr0_read_as_the_chip_has_them)
{
    static const struct { const char *model; uint32_t cr0; } rows[] = { { "386", 0x7ffefff0 }, { "486", 0x60000010 } };
    static const uint8_t code[] = { 0x0f, 0x20, 0xc0 };      /* mov eax, cr0 */
    for (unsigned n = 0; n < 2; n++) {
        struct rig *r = real_mode(rows[n].model, code, sizeof code, 0, 0, 0);
        cpu_run(r->c, 1);
        ck_assert_uint_eq((uint32_t)r->c->r[R_AX], rows[n].cr0);
        rig_destroy(r);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu models");
    TCase *t = tcase_create("models");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_386_leaves_in_undefined_flags_what_the_chip_does);
    tcase_add_test(t, an_instruction_goes_with_its_feature);
    tcase_add_test(t, cpuid_agrees_with_what_is_there);
    tcase_add_test(t, a_model_has_its_instructions_and_no_others);
    tcase_add_test(t, the_8086_takes_prefixes_without_end);
    tcase_add_test(t, later_chips_have_a_limit);
    tcase_add_test(t, the_286_shuts_down_without_room_for_a_frame);
    tcase_add_test(t, test_registers_find_what_was_written);
    tcase_add_test(t, reserved_bits_of_cr0_read_as_the_chip_has_them);
    suite_add_tcase(s, t);
    return suite_main(s);
}
