/* Software floating point: the rules that vectors and hosts do not show one by one, and the same bits on every host. */
#include "cpu/softfloat_core.h"
#include "tests/suite.h"

static struct sf env(unsigned masks) { return (struct sf){ .prec = 64, .masks = (uint8_t)masks }; }
static struct f80 f80(unsigned se, uint64_t mant) { return (struct f80){ .mant = mant, .se = (uint16_t)se }; }
#define ck_f80(v, want_se, want_mant) do { \
    struct f80 got_ = (v); \
    ck_assert_uint_eq(got_.se, (want_se)); \
    ck_assert_uint_eq(got_.mant, (want_mant)); \
} while (0)

START_TEST(unmasked_overflow_wraps_the_exponent)
{
    struct sf s = env(SF_EXCEPTIONS & ~SF_OE);
    ck_f80(f80_mul(f80(0x7ffe, F80_TOP), f80(0x7ffe, F80_TOP), &s), 0x7ffe + 0x7ffe - 0x3fff - 24576, F80_TOP);
    ck_assert_uint_eq(s.flags, SF_OE);
}
END_TEST

START_TEST(unmasked_underflow_wraps_even_if_exact)
{
    struct sf s = env(SF_EXCEPTIONS & ~SF_UE);
    ck_f80(f80_mul(f80(1, F80_TOP), f80(0x3ffe, F80_TOP), &s), 24576, F80_TOP);
    ck_assert_uint_eq(s.flags, SF_UE);
    s = env(SF_EXCEPTIONS);
    ck_f80(f80_mul(f80(1, F80_TOP), f80(0x3ffe, F80_TOP), &s), 0, F80_TOP >> 1);
    ck_assert_uint_eq(s.flags, 0);                            /* masked: only a loss is an underflow */
}
END_TEST

START_TEST(half_the_least_denormal_ties_to_zero)
{
    struct sf s = env(SF_EXCEPTIONS);
    ck_f80(f80_div(f80(1, F80_TOP), f80(0x3fff + 64, F80_TOP), &s), 0, 0);
    ck_assert_uint_eq(s.flags, SF_UE | SF_PE);
}
END_TEST

START_TEST(precision_control_shortens_the_significand_only)
{
    struct sf s = env(SF_EXCEPTIONS);
    s.prec = 24;
    ck_f80(f80_div(f80(0x7000, F80_TOP), f80(0x4000, 0xc000000000000000), &s), 0x6ffe, 0xaaaaab0000000000);
    ck_assert_uint_eq(s.flags, SF_PE | SF_C1);
}
END_TEST

START_TEST(of_two_nans_the_larger_significand_wins_and_quiet_beats_signaling)
{
    struct sf s = env(SF_EXCEPTIONS);
    struct f80 small = f80(0x7fff, 0xc000000000000001), large = f80(0xffff, 0xd000000000000000);
    struct f80 snan = f80(0x7fff, 0xbfffffffffffffff);
    ck_f80(f80_add(small, large, &s), 0xffff, 0xd000000000000000);
    ck_f80(f80_add(large, small, &s), 0xffff, 0xd000000000000000);
    ck_assert_uint_eq(s.flags, 0);
    ck_f80(f80_add(snan, small, &s), 0x7fff, 0xc000000000000001);
    ck_assert_uint_eq(s.flags, SF_IE);
}
END_TEST

START_TEST(encodings_without_integer_bit_are_invalid)
{
    struct sf s = env(SF_EXCEPTIONS);
    ck_f80(f80_add(f80(0x3fff, 0x4000000000000000), f80(0x7fff, 0xc000000000000001), &s), 0xffff, 0xc000000000000000);
    ck_assert_uint_eq(s.flags, SF_IE);
}
END_TEST

START_TEST(an_unmasked_denormal_ends_the_operation)
{
    struct sf s = env(SF_EXCEPTIONS & ~SF_DE);
    f80_div(f80(0, 1), f80(0x3fff, 0xc000000000000000), &s);
    ck_assert_uint_eq(s.flags, SF_DE);
    ck_assert(sf_no_result(&s));
    s = env(SF_EXCEPTIONS & ~SF_DE);
    f80_div(f80(0, 1), f80(0, 0), &s);                        /* division by zero has precedence */
    ck_assert_uint_eq(s.flags, SF_ZE);
}
END_TEST

START_TEST(bcd_indefinite_and_limits)
{
    struct sf s = env(SF_EXCEPTIONS);
    uint8_t b[10];
    f80_to_bcd(f80_from_i64(999999999999999999), b, &s);
    static const uint8_t nines[10] = { 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0 };
    ck_assert_mem_eq(b, nines, 10);
    f80_to_bcd(f80_from_i64(-1000000000000000000), b, &s);
    static const uint8_t indefinite[10] = { 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff };
    ck_assert_mem_eq(b, indefinite, 10);
    ck_assert_uint_eq(s.flags, SF_IE);
}
END_TEST

START_TEST(sine_of_pi_is_what_66_bits_leave)
{
    struct sf s = env(SF_EXCEPTIONS);
    bool in_range;
    /* C90FDAA22168C235h - C90FDAA22168C234.Ch = 1/4 of the last place of pi: 2^-64, and past pi: negative. */
    ck_f80(f80_sin(f80(0x4000, 0xc90fdaa22168c235), &in_range, &s), 0xbfff - 64, F80_TOP);
    f80_sin(f80(0x3fff + 63, F80_TOP), &in_range, &s);
    ck_assert(!in_range);
}
END_TEST

START_TEST(every_host_computes_the_same_bits)
{
    uint64_t seed = 80387, hash = 14695981039346656037u;
#define MIX(v) (hash = (hash ^ (v)) * 1099511628211u)
#define MIX80(v) do { struct f80 r_ = (v); MIX(r_.mant); MIX(r_.se); } while (0)
    for (unsigned n = 0; n < 20000; n++) {
        uint64_t x[5];                                        /* drawn in order: arguments are not */
        for (unsigned k = 0; k < 5; k++) x[k] = random64(&seed);
        struct f80 a = f80((unsigned)x[0] & 0xffff, x[1] | F80_TOP);
        struct f80 b = f80(((unsigned)a.se + (unsigned)(x[2] % 140) - 70) & 0xffff, x[3] | F80_TOP);
        struct f80 t = f80((0x3fff - 40 + (unsigned)(x[4] % 100)) | ((unsigned)a.se & 0x8000), a.mant), u = t;
        u.se = (0x3fff - 1 - (a.se & 31)) | (b.se & 0x8000);
        struct sf s = env(SF_EXCEPTIONS);
        s.rc = n & 3;
        s.prec = (uint8_t)(n & 4 ? 64 : n & 8 ? 53 : 24);
        bool flag;
        unsigned q;
        MIX80(f80_add(a, b, &s));
        MIX80(f80_mul(a, b, &s));
        MIX80(f80_div(a, b, &s));
        MIX80(f80_sqrt(f80(a.se & 0x7fff, a.mant), &s));
        MIX80(f80_rem(a, b, n & 16, &q, &flag, &s));
        MIX(f80_to_f64(t, &s));
        MIX((uint64_t)f80_to_int(t, 64, false, &s));
        if (n % 8 == 0) {
            MIX80(f80_sin(t, &flag, &s));
            MIX80(f80_cos(t, &flag, &s));
            MIX80(f80_tan(t, &flag, &s));
            MIX80(f80_atan2(a, b, &s));
            MIX80(f80_2xm1(u, &s));
            MIX80(f80_yl2x(f80(a.se & 0x7fff, a.mant), t, &s));
            MIX80(f80_yl2xp1(u, t, &s));
        }
        MIX(f64_add(a.mant, b.mant, &s));
        MIX(f64_mul(a.mant >> 2, b.mant >> 2, &s));
        MIX(f64_div(a.mant >> 2, b.mant >> 2, &s));
        MIX(f32_add((uint32_t)a.mant, (uint32_t)b.mant, &s));
        MIX(s.flags);
    }
    /* From x86-64, where tests/insn compares each function with the processor. */
    ck_assert_uint_eq(hash, 13982194215674362410u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("software floating point");
    TCase *t = tcase_create("rules");
    tcase_add_test(t, unmasked_overflow_wraps_the_exponent);
    tcase_add_test(t, unmasked_underflow_wraps_even_if_exact);
    tcase_add_test(t, half_the_least_denormal_ties_to_zero);
    tcase_add_test(t, precision_control_shortens_the_significand_only);
    tcase_add_test(t, of_two_nans_the_larger_significand_wins_and_quiet_beats_signaling);
    tcase_add_test(t, encodings_without_integer_bit_are_invalid);
    tcase_add_test(t, an_unmasked_denormal_ends_the_operation);
    tcase_add_test(t, bcd_indefinite_and_limits);
    tcase_add_test(t, sine_of_pi_is_what_66_bits_leave);
    tcase_add_test(t, every_host_computes_the_same_bits);
    suite_add_tcase(s, t);
    return suite_main(s);
}
