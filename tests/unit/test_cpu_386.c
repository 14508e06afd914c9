/* What only the 386 does: results and flags that the manuals leave undefined, and how far an instruction has got when it faults.
 * Source: what is published of the captures of an Intel 386EX and of a test ROM's results on a 386SX (docs/accuracy.md). Expected
 * values are computed here one bit at a time. */
#include "tests/unit/cpu_rig.h"

enum { CF = FL_CF, PF = FL_PF, AF = FL_AF, ZF = FL_ZF, SF = FL_SF, OF = FL_OF, CODE = 0x10000, HANDLER = 0x7000 };

/* A model in real mode at 1000:0000 with DS at 2000h, SS at 3000h, SP at 4000h, vector n at 0000:7000 + 16 n. */
static struct rig *real_mode(const char *model, const uint8_t *code, unsigned len)
{
    struct rig *r = rig_create(model);
    memset(rig_at(r, CODE), 0x90, 64);
    memcpy(rig_at(r, CODE), code, len);
    for (unsigned v = 0; v < 256; v++) st32(rig_at(r, 4 * v), HANDLER + 16 * v);
    seg_load_real(r->c, SEG_CS, 0x1000);
    seg_load_real(r->c, SEG_DS, 0x2000);
    seg_load_real(r->c, SEG_SS, 0x3000);
    r->c->rip = 0;
    r->c->r[R_SP] = 0x4000;
    cpu_mode_changed(r->c);
    return r;
}

static uint32_t flags_of(struct rig *r) { return eflags_get(r->c) & FL_ARITH; }
static unsigned went_to(const struct rig *r) { return r->c->rip < HANDLER ? 0x100 : (unsigned)(r->c->rip - HANDLER) / 16; }

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525 + 1013904223; }

/* Numbers with long runs of equal bits, as the ends of ranges have them. */
static uint32_t odd_number(uint32_t *state)
{
    uint32_t v = next_random(state) ^ next_random(state) >> 16, how = next_random(state) >> 28;
    if (how < 5) return v;
    if (how < 8) return v >> (v & 31);
    if (how < 11) return ~(v >> (v & 31));
    if (how < 14) return 1u << (v & 31);
    return how == 14 ? 0 : 0xffffffff;
}

static uint32_t parity(uint32_t v)
{
    unsigned ones = 0;
    for (unsigned n = 0; n < 8; n++) ones += v >> n & 1;
    return ones & 1 ? 0 : PF;
}
static uint32_t szp(uint32_t v, unsigned bits)
{
    v &= bits == 16 ? 0xffff : 0xffffffff;
    return (v == 0 ? ZF : 0) | (v >> (bits - 1) & 1 ? SF : 0) | parity(v);
}

/* Runs `code` behind 66h for 32 bits with EAX, EBX and CL; NOPs follow, so that it runs in a block. */
static struct rig *run_pair(const char *model, const uint8_t *code, unsigned len, bool wide,
                            uint32_t eax, uint32_t ebx, uint32_t ecx)
{
    uint8_t b[16] = { 0x66 };
    memcpy(b + wide, code, len);
    struct rig *r = real_mode(model, b, len + wide);
    r->c->r[R_AX] = eax;
    r->c->r[R_BX] = ebx;
    r->c->r[R_CX] = ecx;
    cpu_run(r->c, 4);
    return r;
}

/* ---- addresses */

START_TEST(a_scale_without_an_index_is_the_bases)
{
    static const struct { const char *model; uint8_t sib; uint32_t eax; } rows[] = {
        { "386", 0x61, 0x222 }, { "386", 0xa1, 0x444 }, { "386", 0xe1, 0x888 }, { "386", 0x21, 0x111 }, { "386", 0x63, 0x1002 },
        { "386", 0xe5, 0x12345678 }, { "386", 0x49, 0x333 }, { "486", 0x61, 0x111 }, { "pentium3", 0xe3, 0x801 },
    };
    for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        /* lea eax, [...] */
        uint8_t code[] = { 0x67, 0x8d, 0x04, rows[n].sib, 0x78, 0x56, 0x34, 0x12 };
        bool disp = (rows[n].sib & 7) == 5;
        struct rig *r = run_pair(rows[n].model, code, disp ? 8 : 4, true, 0, 0x801, 0x111);
        ck_assert_msg((uint32_t)r->c->r[R_AX] == rows[n].eax, "%s: SIB %02x gives %x", rows[n].model, rows[n].sib,
                      (uint32_t)r->c->r[R_AX]);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(a_scaled_stack_pointer_still_means_ss)
{
    static const uint8_t code[] = { 0x67, 0x8b, 0x04, 0x64 };                        /* mov ax, [esp*2] */
    struct rig *r = real_mode("386", code, sizeof code);
    st16(rig_at(r, 0x38000), 0xbeef);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->r[R_AX], 0xbeef);
    rig_destroy(r);
}
END_TEST

/* ---- SHLD, SHRD, BT, BSF, BSR */

START_TEST(double_shifts_take_in_the_source_again)
{
    uint32_t seed = 1;
    for (unsigned n = 0; n < 600; n++) {
        bool left = n & 1, wide = n & 2;
        unsigned bits = wide ? 32 : 16, count = next_random(&seed) >> 27;
        uint32_t mask = wide ? 0xffffffff : 0xffff, a = odd_number(&seed) & mask, b = odd_number(&seed) & mask;
        uint8_t code[] = { 0x0f, left ? 0xa5 : 0xad, 0xd8 };                         /* shld/shrd ax, bx, cl */
        struct rig *r = run_pair("386", code, 3, wide, a, b, count);
        uint32_t v = a, ring = b, f = 0;
        for (unsigned k = 0; k < count; k++) {
            uint32_t in, out, old = v >> (bits - 1);
            if (left) {
                in = ring >> (bits - 1), out = v >> (bits - 1);
                v = (v << 1 | in) & mask, ring = (ring << 1 | in) & mask;
            } else {
                in = ring & 1, out = v & 1;
                v = v >> 1 | in << (bits - 1), ring = ring >> 1 | in << (bits - 1);
            }
            f = (out ? CF : 0) | (old != v >> (bits - 1) ? OF : 0);
        }
        ck_assert_msg(((uint32_t)r->c->r[R_AX] & mask) == v, "%u bits, %s by %u: %x", bits, left ? "left" : "right", count,
                      (uint32_t)r->c->r[R_AX]);
        if (count) ck_assert_uint_eq(flags_of(r), f | AF | szp(v, bits));
        rig_destroy(r);
    }
}
END_TEST

START_TEST(later_chips_take_in_the_destination)
{
    static const uint8_t code[] = { 0x0f, 0xa4, 0xd8, 20 };                          /* shld ax, bx, 20 */
    static const struct { const char *model; uint16_t ax; } rows[] = {
        { "386", 0x6785 }, { "486", 0x6781 }, { "pentium3", 0x6781 },
    };
    for (unsigned n = 0; n < 3; n++) {
        struct rig *r = run_pair(rows[n].model, code, 4, false, 0x1234, 0x5678, 0);
        ck_assert_uint_eq(r->c->r[R_AX], rows[n].ax);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(a_bit_is_looked_at_by_rotating)
{
    uint32_t seed = 2;
    for (unsigned n = 0; n < 300; n++) {
        bool wide = n & 1;
        unsigned bits = wide ? 32 : 16, bit = next_random(&seed) >> 27 & (bits - 1);
        uint32_t v = odd_number(&seed) & (wide ? 0xffffffff : 0xffff), turned = v;
        uint8_t code[] = { 0x0f, 0xba, 0xe0, (uint8_t)bit };                         /* bt ax, imm8 */
        for (unsigned k = 0; k < bit; k++) turned = turned >> 1 | (turned & 1) << (bits - 1);
        struct rig *r = run_pair("386", code, 4, wide, v, 0, 0);
        bool of = (turned >> (bits - 1) ^ turned >> (bits - 2)) & 1;
        ck_assert_uint_eq(flags_of(r), (turned & 1 ? CF : 0) | (of ? OF : 0));
        rig_destroy(r);
    }
}
END_TEST

START_TEST(a_bit_scan_negates_first)
{
    uint32_t seed = 3;
    for (unsigned n = 0; n < 400; n++) {
        bool wide = n & 1, back = n & 2;
        unsigned bits = wide ? 32 : 16, at = 0;
        uint32_t mask = wide ? 0xffffffff : 0xffff, v = odd_number(&seed) & mask, f = ZF | PF, ebx = 0x55aa55aa;
        if (v && !back) {
            while (!(v >> at & 1)) at++;
            f = at ? szp(at, bits) : szp(0 - v, bits) | AF | (v & 2 ? CF : 0) | (v >> (bits - 1) ? OF : 0);
        } else if (v) {
            at = bits - 1;
            while (!(v >> at & 1)) at--;
            unsigned one = at >= 1 ? v >> (at - 1) & 1 : 0, two = at >= 2 ? v >> (at - 2) & 1 : 0;
            f = szp(0 - v, bits) | (v & 15 ? AF : 0) | (one ? CF : 0) | (at == 0 || one != two ? OF : 0);
        }
        uint8_t code[] = { 0x0f, back ? 0xbd : 0xbc, 0xd8 };                         /* bsf/bsr bx, ax */
        struct rig *r = run_pair("386", code, 3, wide, v, ebx, 0);
        ck_assert_msg(flags_of(r) == f, "%s of %x: flags %x, not %x", back ? "bsr" : "bsf", v, flags_of(r), f);
        if (v) ebx = wide ? at : (ebx & 0xffff0000) | at;
        ck_assert_uint_eq((uint32_t)r->c->r[R_BX], ebx);
        rig_destroy(r);
    }
}
END_TEST

/* ---- products and quotients */

START_TEST(a_product_shows_its_last_addition)
{
    uint32_t seed = 4;
    for (unsigned n = 0; n < 600; n++) {
        bool wide = n & 1;
        unsigned bits = wide ? 32 : 16;
        uint32_t mask = wide ? 0xffffffff : 0xffff, a = odd_number(&seed) & mask, b = odd_number(&seed) & mask;
        bool negative = b >> (bits - 1);
        uint32_t by = (negative ? 0 - b : b) & mask, added = (negative ? 0 - a : a) & mask;
        /* The adder is one bit wider than the operands; the sum is shifted right with its sign after each step. */
        int64_t addend = wide ? (int32_t)added : (int16_t)added, sum = 0, last = addend;
        for (unsigned k = 0; k < bits; k++) {
            if (by >> k & 1) last = sum += addend;
            sum = (sum - (sum & 1)) / 2;
        }
        int64_t product = (int64_t)(wide ? (int32_t)a : (int16_t)a) * (wide ? (int32_t)b : (int16_t)b);
        bool fits = product == (wide ? (int32_t)product : (int16_t)product);
        uint32_t f = szp((uint32_t)last & mask, bits) | (fits ? 0 : CF | OF);
        struct rig *r = run_pair("386", (uint8_t[]){ 0x0f, 0xaf, 0xc3 }, 3, wide, a, b, 0);      /* imul ax, bx */
        ck_assert_uint_eq((uint32_t)r->c->r[R_AX] & mask, (uint32_t)product & mask);
        ck_assert_msg((flags_of(r) & ~(uint32_t)AF) == f, "%x by %x: flags %x, not %x", a, b, flags_of(r), f);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(a_byte_quotient_of_minus_128_may_overflow_unseen)
{
    /* AX, divisor, AX afterwards; 0: #DE. |AX| is 128 (|divisor| + 128) and less than |divisor| more. */
    static const struct { uint16_t ax; uint8_t by; uint16_t after; } rows[] = {
        { (uint16_t)-(128 * 131), 3, 0x0080 }, { (uint16_t)-(128 * 131 + 1), 3, 0xff80 }, { (uint16_t)-(128 * 131 + 2), 3, 0xfe80 },
        { (uint16_t)-(128 * 131 + 3), 3, 0 }, { (uint16_t)-(128 * 131 - 1), 3, 0 }, { 128 * 133 + 4, (uint8_t)-5, 0x0480 },
        { 128 * 133 + 5, (uint8_t)-5, 0 }, { 128 * 133, 5, 0 }, { (uint16_t)-(128 * 131), (uint8_t)-3, 0 },
        { (uint16_t)-384, 3, 0x0080 },
    };
    for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct rig *r = run_pair("386", (uint8_t[]){ 0xf6, 0xfb }, 2, false, rows[n].ax, rows[n].by, 0);      /* idiv bl */
        ck_assert_msg((went_to(r) == V_DE) == (rows[n].after == 0), "%04x by %02x", rows[n].ax, rows[n].by);
        ck_assert_uint_eq(r->c->r[R_AX], rows[n].after ? rows[n].after : rows[n].ax);
        rig_destroy(r);
        r = run_pair("486", (uint8_t[]){ 0xf6, 0xfb }, 2, false, rows[n].ax, rows[n].by, 0);
        ck_assert_uint_eq(went_to(r) == V_DE, n != 9);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(no_division_leaves_the_flags_alone)
{
    /* 5 / 2 tells a Cyrix 486: flags of 02h stay. ZF after 5555h / 2 tells a NexGen Nx586 from a 386. */
    static const char *const names[] = { "386", "486", "pentium", "pentium3", "pentium4" };
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct rig *r = run_pair(names[n], (uint8_t[]){ 0xf6, 0xf3 }, 2, false, 5, 2, 0);        /* div bl */
        ck_assert_uint_eq(r->c->r[R_AX], 0x0102);
        ck_assert_msg(flags_of(r) & 0xff, "%s", names[n]);
        rig_destroy(r);
        r = run_pair(names[n], (uint8_t[]){ 0x31, 0xd2, 0xf7, 0xf3 }, 4, false, 0x5555, 2, 0);   /* xor dx, dx; div bx */
        ck_assert_msg(!(flags_of(r) & ZF), "%s", names[n]);
        rig_destroy(r);
        r = real_mode(names[n], (uint8_t[]){ 0x66, 0x31, 0xd2, 0x66, 0xf7, 0xf3 }, 6);           /* 32 bits, in a block */
        r->c->r[R_AX] = 0x5555;
        r->c->r[R_BX] = 2;
        cpu_run(r->c, 6);
        ck_assert_uint_eq(r->c->r[R_AX], 0x2aaa);
        ck_assert_msg((flags_of(r) & (ZF | AF)) == AF, "%s", names[n]);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(aam_by_0_has_shifted_once)
{
    for (unsigned al = 0; al < 256; al += 5) {
        struct rig *r = run_pair("386", (uint8_t[]){ 0xd4, 0x00 }, 2, false, al, 0, 0);
        ck_assert_uint_eq(went_to(r), V_DE);
        ck_assert_uint_eq(ld16(rig_at(r, 0x33ffe)) & (SF | ZF | PF), szp(al >> 1, 16));
        rig_destroy(r);
    }
}
END_TEST

/* ---- the stack */

START_TEST(popad_from_a_16_bit_stack_loads_the_upper_half_of_esp)
{
    for (unsigned n = 0; n < 2; n++) {
        struct rig *r = real_mode(n ? "486" : "386", (uint8_t[]){ 0x66, 0x61 }, 2);
        for (unsigned k = 0; k < 8; k++) st32(rig_at(r, 0x34000 + 4 * k), 0x11110000 * (k + 1) + k);
        cpu_run(r->c, 1);
        ck_assert_uint_eq((uint32_t)r->c->r[R_SP], n ? 0x4020 : 0x44444020);
        ck_assert_uint_eq((uint32_t)r->c->r[R_DI], 0x11110000);
        ck_assert_uint_eq((uint32_t)r->c->r[R_AX], 0x88880007);
        rig_destroy(r);
    }
}
END_TEST

START_TEST(popa_keeps_what_it_has_loaded)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0x61 }, 1);
    r->c->r[R_SP] = 0xfff9;
    r->c->r[R_BX] = 0x4321;
    for (unsigned k = 0; k < 3; k++) st16(rig_at(r, 0x3fff9 + 2 * k), (uint16_t)(0x1001 + k));
    cpu_run(r->c, 1);
    ck_assert_uint_eq(went_to(r), V_SS);
    ck_assert_uint_eq(r->c->r[R_DI], 0x1001);
    ck_assert_uint_eq(r->c->r[R_SI], 0x1002);
    ck_assert_uint_eq(r->c->r[R_BP], 0x1003);
    ck_assert_uint_eq(r->c->r[R_BX], 0x4321);
    ck_assert_uint_eq(r->c->r[R_SP], 0xfff3);                /* below the old SP: the exception's frame */
    rig_destroy(r);
}
END_TEST

START_TEST(pusha_writes_upwards_until_it_faults)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0x60 }, 1);
    for (unsigned k = 0; k < 8; k++) r->c->r[k] = 0x2000 + k;
    r->c->r[R_SP] = 0x000b;
    cpu_run(r->c, 1);
    ck_assert_uint_eq(went_to(r), V_SS);
    ck_assert_uint_eq(r->c->r[R_SP], 5);
    ck_assert_uint_eq(ld16(rig_at(r, 0x3fffb)), 0x2000 + R_DI);
    ck_assert_uint_eq(ld16(rig_at(r, 0x3fffd)), 0x2000 + R_SI);
    ck_assert_uint_eq(*rig_at(r, 0x3ffff), 0);
    rig_destroy(r);
}
END_TEST

START_TEST(enter_pushes_until_it_faults)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0x66, 0xc8, 0, 0, 4 }, 5);        /* enter 0, 4 with 32 bits */
    r->c->r[R_BP] = 9;                                       /* reads at 5, 1 and FFFDh: the third one faults */
    st32(rig_at(r, 0x30005), 0x11223344);
    st32(rig_at(r, 0x30001), 0x55667788);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(went_to(r), V_SS);
    ck_assert_uint_eq(r->c->r[R_BP], 9);
    ck_assert_uint_eq(r->c->r[R_SP], 0x3ffa);
    ck_assert_uint_eq(ld16(rig_at(r, 0x33ff8)), 0x3344);
    ck_assert_uint_eq(ld32(rig_at(r, 0x33ff4)), 0x55667788);
    rig_destroy(r);
}
END_TEST

START_TEST(enter_may_end_with_sp_at_the_top)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0xc8, 0xff, 0x3f, 0 }, 4);        /* enter 3fffh, 0: SP becomes FFFFh */
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->rip, 4);
    ck_assert_uint_eq(r->c->r[R_SP], 0xffff);
    rig_destroy(r);
}
END_TEST

START_TEST(a_selector_is_popped_as_a_word)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0x66, 0x0f, 0xa1 }, 3);           /* pop fs with 32 bits */
    r->c->r[R_SP] = 0xfffe;
    st16(rig_at(r, 0x3fffe), 0x1234);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->rip, 3);
    ck_assert_uint_eq(r->c->seg[SEG_FS].sel, 0x1234);
    ck_assert_uint_eq(r->c->r[R_SP], 2);
    rig_destroy(r);
}
END_TEST

/* ---- the end of the segment */

START_TEST(the_instruction_after_ffff_is_beyond_the_limit)
{
    struct rig *r = real_mode("386", (uint8_t[]){ 0x90 }, 1);
    r->c->rip = 0xffff;
    *rig_at(r, 0x1ffff) = 0x40;                              /* inc ax */
    cpu_run(r->c, 2);
    ck_assert_uint_eq(r->c->r[R_AX], 1);
    ck_assert_uint_eq(went_to(r), V_GP);
    ck_assert_uint_eq(ld16(rig_at(r, 0x33ffa)), 0);
    rig_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu 386");
    TCase *t = tcase_create("386");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_scale_without_an_index_is_the_bases);
    tcase_add_test(t, a_scaled_stack_pointer_still_means_ss);
    tcase_add_test(t, double_shifts_take_in_the_source_again);
    tcase_add_test(t, later_chips_take_in_the_destination);
    tcase_add_test(t, a_bit_is_looked_at_by_rotating);
    tcase_add_test(t, a_bit_scan_negates_first);
    tcase_add_test(t, a_product_shows_its_last_addition);
    tcase_add_test(t, a_byte_quotient_of_minus_128_may_overflow_unseen);
    tcase_add_test(t, no_division_leaves_the_flags_alone);
    tcase_add_test(t, aam_by_0_has_shifted_once);
    tcase_add_test(t, popad_from_a_16_bit_stack_loads_the_upper_half_of_esp);
    tcase_add_test(t, popa_keeps_what_it_has_loaded);
    tcase_add_test(t, pusha_writes_upwards_until_it_faults);
    tcase_add_test(t, enter_pushes_until_it_faults);
    tcase_add_test(t, enter_may_end_with_sp_at_the_top);
    tcase_add_test(t, a_selector_is_popped_as_a_word);
    tcase_add_test(t, the_instruction_after_ffff_is_beyond_the_limit);
    suite_add_tcase(s, t);
    return suite_main(s);
}
