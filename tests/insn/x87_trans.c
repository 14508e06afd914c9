/* The transcendental functions against MPFR: every result within one unit in the last place of the exact value.
 *
 *   x87_trans [CASES [SEED]]
 *
 * FSIN, FCOS and FPTAN are judged against the function of the argument reduced with the 66-bit pi of SDM vol. 1 8.3.8:
 * x = k * pi66 / 2 + r, then sin(r) and so on. Arguments cover the whole range of exponents. Rounding is checked in all
 * four modes; the largest error seen is printed per function in units of the last place. Last line: "N passed, N failed". */
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/softfloat_core.h"

enum { PRECISION = 512, SHOWN = 4 };

static uint64_t random_state;
static uint64_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull;
}
static unsigned pick(unsigned n) { return (unsigned)((rnd() >> 33) % n); }

static void set_f80(mpfr_t out, struct f80 a)
{
    mpfr_set_ui(out, (unsigned long)(a.mant >> 32), MPFR_RNDN);
    mpfr_mul_2ui(out, out, 32, MPFR_RNDN);
    mpfr_add_ui(out, out, (unsigned long)(a.mant & 0xffffffff), MPFR_RNDN);
    long exp = f80_exp(a) ? f80_exp(a) : 1;
    mpfr_mul_2si(out, out, exp - F80_BIAS - 63, MPFR_RNDN);
    if (f80_sign(a)) mpfr_neg(out, out, MPFR_RNDN);
}

/* Error of a in units of its last place (of the denormal's, where it is one). */
static double error_ulps(struct f80 a, mpfr_t exact)
{
    mpfr_t v, unit;
    mpfr_inits2(PRECISION, v, unit, (mpfr_ptr)0);
    set_f80(v, a);
    mpfr_sub(v, v, exact, MPFR_RNDN);
    long exp = mpfr_zero_p(exact) ? -20000 : mpfr_get_exp(exact) - 1;
    if (exp < -16382) exp = -16382;
    mpfr_set_ui_2exp(unit, 1, exp - 63, MPFR_RNDN);
    mpfr_div(v, v, unit, MPFR_RNDN);
    double e = mpfr_get_d(v, MPFR_RNDN);
    mpfr_clears(v, unit, (mpfr_ptr)0);
    return e < 0 ? -e : e;
}

/* r and the quadrant of x = k * pi66 / 2 + r. */
static unsigned reduce(mpfr_t r, mpfr_t x)
{
    mpfr_t half_pi, k;
    mpfr_inits2(PRECISION, half_pi, k, (mpfr_ptr)0);
    mpfr_set_str(half_pi, "3243f6a8885a308d3", 16, MPFR_RNDN);
    mpfr_div_2ui(half_pi, half_pi, 65, MPFR_RNDN);
    mpfr_div(k, x, half_pi, MPFR_RNDN);
    mpfr_rint(k, k, MPFR_RNDN);
    mpfr_fms(r, k, half_pi, x, MPFR_RNDN);
    mpfr_neg(r, r, MPFR_RNDN);
    mpfr_set_ui(half_pi, 4, MPFR_RNDN);
    mpfr_fmod(k, k, half_pi, MPFR_RNDN);
    long q = mpfr_get_si(k, MPFR_RNDN);
    mpfr_clears(half_pi, k, (mpfr_ptr)0);
    return (unsigned)q & 3;
}

static struct f80 random_arg(int low, int high)
{
    uint64_t m = rnd() | F80_TOP;
    if (!pick(8)) m = F80_TOP | rnd() << 40;
    if (!pick(16)) m = F80_TOP | (uint64_t)pick(4);
    if (!pick(16)) m = ~(uint64_t)pick(4);
    return f80_make(rnd() >> 63, (unsigned)(low + (int)pick((unsigned)(high - low + 1))), m);
}

static void print_f80(const char *before, struct f80 a)
{
    printf("%s %04x.%016llx", before, (unsigned)a.se, (unsigned long long)a.mant);
}

enum function { SIN, COS, TAN, ATAN2, TWOXM1, YL2X, YL2XP1, FUNCTIONS };
static const char *const names[] = { "fsin", "fcos", "fptan", "fpatan", "f2xm1", "fyl2x", "fyl2xp1" };

static struct f80 compute(enum function f, struct f80 x, struct f80 y, struct sf *s)
{
    bool in_range;
    switch (f) {
    case SIN: return f80_sin(x, &in_range, s);
    case COS: return f80_cos(x, &in_range, s);
    case TAN: return f80_tan(x, &in_range, s);
    case ATAN2: return f80_atan2(y, x, s);
    case TWOXM1: return f80_2xm1(x, s);
    case YL2X: return f80_yl2x(x, y, s);
    default: return f80_yl2xp1(x, y, s);
    }
}

static void exact_value(enum function f, mpfr_t v, mpfr_t x, mpfr_t y)
{
    mpfr_t r;
    mpfr_init2(r, PRECISION);
    unsigned quadrant;
    switch (f) {
    case SIN: case COS:
        quadrant = reduce(r, x) + (f == COS);
        if (quadrant & 1) mpfr_cos(v, r, MPFR_RNDN);
        else mpfr_sin(v, r, MPFR_RNDN);
        if (quadrant & 2) mpfr_neg(v, v, MPFR_RNDN);
        break;
    case TAN:
        quadrant = reduce(r, x);
        mpfr_tan(v, r, MPFR_RNDN);
        if (quadrant & 1) {
            mpfr_ui_div(v, 1, v, MPFR_RNDN);
            mpfr_neg(v, v, MPFR_RNDN);
        }
        break;
    case ATAN2: mpfr_atan2(v, y, x, MPFR_RNDN); break;
    case TWOXM1:
        mpfr_const_log2(v, MPFR_RNDN);
        mpfr_mul(v, v, x, MPFR_RNDN);
        mpfr_expm1(v, v, MPFR_RNDN);
        break;
    case YL2X:
        mpfr_log2(v, x, MPFR_RNDN);
        mpfr_mul(v, v, y, MPFR_RNDN);
        break;
    default:
        mpfr_log1p(v, x, MPFR_RNDN);
        mpfr_const_log2(r, MPFR_RNDN);
        mpfr_div(v, v, r, MPFR_RNDN);
        mpfr_mul(v, v, y, MPFR_RNDN);
    }
    mpfr_clear(r);
}

int main(int argc, char **argv)
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000, passed = 0, failed = 0;
    random_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15ull + 1;
    mpfr_t x, y, v;
    mpfr_inits2(PRECISION, x, y, v, (mpfr_ptr)0);
    for (unsigned f = 0; f < FUNCTIONS; f++) {
        double worst = 0, worst_nearest = 0;
        for (unsigned long n = 0; n < cases; n++) {
            struct f80 a, b = random_arg(pick(2) ? 1 : F80_BIAS - 70, pick(2) ? 0x7ffe : F80_BIAS + 70);
            switch (f) {
            case SIN: case COS: case TAN:
                a = random_arg(pick(8) ? F80_BIAS - 40 : 1, F80_BIAS + 62);
                if (!pick(4)) {                               /* near a multiple of pi / 2 */
                    struct sf s = { .prec = 64, .masks = SF_EXCEPTIONS };
                    const struct f80 half_pi = f80_make(false, F80_BIAS, 0xc90fdaa22168c235);
                    a = f80_mul(f80_from_i64((int64_t)(rnd() >> (1 + pick(62)))), half_pi, &s);
                    if (f80_exp(a) >= F80_BIAS + 63 || !a.mant) a = half_pi;
                }
                break;
            case ATAN2:
                a = pick(2) ? random_arg(1, 0x7ffe) : random_arg(f80_exp(b) > 80 ? f80_exp(b) - 80 : 1, f80_exp(b));
                break;
            case TWOXM1: a = random_arg(pick(4) ? F80_BIAS - 20 : 1, F80_BIAS - 1); break;
            case YL2X:
                a = random_arg(pick(2) ? 1 : F80_BIAS - 3, pick(2) ? 0x7ffe : F80_BIAS + 3);
                if (!pick(4)) {                               /* near one */
                    uint64_t m = pick(2) ? F80_TOP | rnd() >> pick(60) : ~(rnd() >> (1 + pick(60)));
                    a = f80_make(false, pick(2) ? F80_BIAS : F80_BIAS - 1, m);
                }
                a.se &= 0x7fff;
                break;
            default:
                a = random_arg(pick(4) ? F80_BIAS - 70 : 1, F80_BIAS - 2);
                if (f80_sign(a) && f80_exp(a) == F80_BIAS - 2 && a.mant > 0x95f619980c4336f7) a.mant = 0x95f619980c4336f7;
            }
            struct sf s = { .prec = (uint8_t)(pick(2) ? 64 : 24), .rc = (uint8_t)pick(4), .masks = SF_EXCEPTIONS };
            struct f80 got = compute((enum function)f, a, b, &s);
            set_f80(x, a);
            set_f80(y, b);
            exact_value((enum function)f, v, x, y);
            bool over = f80_is_inf(got) || (s.flags & SF_OE);
            double e = over ? 0 : error_ulps(got, v);
            if (over && mpfr_get_exp(v) < 16384) e = 1e9;
            if (e > worst) worst = e;
            if (s.rc == SF_NEAREST && e > worst_nearest) worst_nearest = e;
            /* C1 says whether the magnitude grew, unless the exact value is out of any reader's sight. */
            bool side = true;
            if (!over && e > 1e-15 && !(s.flags & ~(SF_PE | SF_C1))) {
                struct f80 g = got;
                mpfr_t w;
                mpfr_init2(w, PRECISION);
                set_f80(w, g);
                int grew = mpfr_cmpabs(w, v);
                if (grew && (grew > 0) != ((s.flags & SF_C1) != 0)) side = false;
                mpfr_clear(w);
            }
            if (e <= 1.0 && side) {
                passed++;
            } else if (failed++ < SHOWN) {
                printf("%s rc %u", names[f], s.rc);
                print_f80(" x", a);
                print_f80(" y", b);
                print_f80(":", got);
                printf(", off by %g, flags %x\n", e, s.flags);
            }
        }
        printf("%-8s worst %.6f, to nearest %.6f\n", names[f], worst, worst_nearest);
    }
    mpfr_clears(x, y, v, (mpfr_ptr)0);
    mpfr_free_cache();
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed != 0;
}
