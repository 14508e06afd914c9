/* Fast handlers of SSE's and SSE2's floating-point operations, on the host's floating point.
 *
 * They are used only where the host's result and the guest's exceptions are provably those of the slow bodies: IEEE 754
 * fixes the bits of +, -, *, / and square root of float and double when rounding to nearest, whatever the host (HOST_FLOATS
 * in fast_simd.h; -ffp-contract=off keeps compilers from joining two operations). So a handler asks for
 *   - round to nearest, and a precision exception that is masked and already flagged in MXCSR; while it is not, the result
 *     must be seen to be exact (exact64, exact32, which may say no of some that are);
 *   - operands of middling size: 2^-256 to 2^256 for double, 2^-32 to 2^32 for float. No sum, product, quotient or root of
 *     two of them overflows or is tiny, so neither the other exceptions nor DAZ and FTZ can come in. Zeros are fine too,
 *     but not as divisors.
 * Everything else goes to the body. The size is seen in the bits: adding BIAS brings the exponents of that range, and no
 * others, to those that have both of the bits in WANTED, and carries out of the word do no harm. */
#include "cpu/fast_simd.h"

enum { MXCSR_PE = 0x20, MXCSR_DAZ = 0x40, MXCSR_PM = 0x1000, MXCSR_RC = 0x6000 };

FAST_INLINE bool to_nearest(const struct cpu *c) { return !(c->mxcsr & MXCSR_RC); }
FAST_INLINE bool may_round(const struct cpu *c)
{
    return (c->mxcsr & (MXCSR_RC | MXCSR_PM | MXCSR_PE)) == (MXCSR_PM | MXCSR_PE);
}

#define BIAS64 (0x301ull << 52)                               /* 600h - (3FFh - 256) */
#define WANTED64 (0x600ull << 52)
#define BIAS32 (0x61u << 23)                                  /* C0h - (7Fh - 32) */
#define WANTED32 (0xc0u << 23)

FAST_INLINE uint64_t bits64(double v)
{
    uint64_t b;
    memcpy(&b, &v, 8);
    return b;
}
FAST_INLINE uint32_t bits32(float v)
{
    uint32_t b;
    memcpy(&b, &v, 4);
    return b;
}
FAST_INLINE double double_of(uint64_t b)
{
    double v;
    memcpy(&v, &b, 8);
    return v;
}
FAST_INLINE float float_of(uint32_t b)
{
    float v;
    memcpy(&v, &b, 4);
    return v;
}

/* Both of middling size. */
FAST_INLINE bool middling64(uint64_t a, uint64_t b) { return ((a + BIAS64) & (b + BIAS64) & WANTED64) == WANTED64; }
FAST_INLINE bool middling32(uint32_t a, uint32_t b) { return ((a + BIAS32) & (b + BIAS32) & WANTED32) == WANTED32; }
FAST_INLINE bool plain64(uint64_t a) { return middling64(a, a) || !(a << 1); }
FAST_INLINE bool plain32(uint32_t a) { return middling32(a, a) || !(a << 1); }

enum arith { ADD, SUB, MUL, DIV, SQRT };

/* May op run on the host? A root has its operand in b. */
FAST_INLINE bool ready64(enum arith op, double x, double y)
{
    uint64_t a = bits64(x), b = bits64(y);
    if (op == SQRT) return LIKELY(((b + BIAS64) & (WANTED64 | 1ull << 63)) == WANTED64) || !(b << 1);
    if (LIKELY(middling64(a, b))) return true;
    return plain64(a) && (op == DIV ? middling64(b, b) : plain64(b));
}
FAST_INLINE bool ready32(enum arith op, float x, float y)
{
    uint32_t a = bits32(x), b = bits32(y);
    if (op == SQRT) return LIKELY(((b + BIAS32) & (WANTED32 | 1u << 31)) == WANTED32) || !(b << 1);
    if (LIKELY(middling32(a, b))) return true;
    return plain32(a) && (op == DIV ? middling32(b, b) : plain32(b));
}

FAST_INLINE double arith64(enum arith op, double a, double b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return __builtin_sqrt(b);
    }
}
FAST_INLINE float arith32(enum arith op, float a, float b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return __builtin_sqrtf(b);
    }
}

/* r was computed from a and b without rounding. Sums: Knuth's two-sum gives the error. Products: the significands' trailing
 * zeros add up. Quotients and roots: multiplied back, without rounding, they give what was divided. Floats: products are
 * exact as doubles, and a sum is exact if it is so as a double and that double is the float. */
FAST_INLINE bool exact_product64(double a, double b)
{
    const uint64_t hidden = 1ull << 52;
    return __builtin_ctzll(bits64(a) | hidden) + __builtin_ctzll(bits64(b) | hidden) >= 53 || a == 0 || b == 0;
}
FAST_INLINE bool exact64(enum arith op, double a, double b, double r)
{
    if (op == SUB) b = -b;
    if (op == MUL) return exact_product64(a, b);
    if (op == DIV) return exact_product64(r, b) && r * b == a;
    if (op == SQRT) return exact_product64(r, r) && r * r == b;
    double part = r - a;
    return (a - (r - part)) + (b - part) == 0;
}
FAST_INLINE bool exact32(enum arith op, float a, float b, float r)
{
    if (op == MUL) return (double)a * (double)b == (double)r;
    if (op == DIV) return (double)r * (double)b == (double)a;
    if (op == SQRT) return (double)r * (double)r == (double)b;
    double sum = arith64(op, a, b);
    return sum == (double)r && exact64(op, a, b, sum);
}

/* Each of these gives in *r the new destination from the old one and the source; false: not here. The quick ones take what
 * nearly every operation is; the others are tried next. */
FAST_INLINE bool quick_scalar64(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    uint64_t first = op == SQRT ? bits64(b.f64[0]) : bits64(a.f64[0]), second = bits64(b.f64[0]);
    bool negative = op == SQRT && second >> 63;
    if (UNLIKELY(!may_round(c) || !middling64(first, second) || negative)) return false;
    *r = a;
    r->f64[0] = arith64(op, a.f64[0], b.f64[0]);
    return true;
}
FAST_INLINE bool scalar64(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    if (!to_nearest(c) || !ready64(op, a.f64[0], b.f64[0])) return false;
    *r = a;
    r->f64[0] = arith64(op, a.f64[0], b.f64[0]);
    return may_round(c) || exact64(op, a.f64[0], b.f64[0], r->f64[0]);
}
FAST_INLINE bool quick_scalar32(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    const unsigned low = LANE32(0);
    uint32_t first = op == SQRT ? bits32(b.f32[low]) : bits32(a.f32[low]), second = bits32(b.f32[low]);
    bool negative = op == SQRT && second >> 31;
    if (UNLIKELY(!may_round(c) || !middling32(first, second) || negative)) return false;
    *r = a;
    r->f32[low] = arith32(op, a.f32[low], b.f32[low]);
    return true;
}
FAST_INLINE bool scalar32(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    const unsigned low = LANE32(0);
    if (!to_nearest(c) || !ready32(op, a.f32[low], b.f32[low])) return false;
    *r = a;
    r->f32[low] = arith32(op, a.f32[low], b.f32[low]);
    return may_round(c) || exact32(op, a.f32[low], b.f32[low], r->f32[low]);
}

FAST_INLINE f64x2 vector64(enum arith op, f64x2 a, f64x2 b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return (f64x2){ __builtin_sqrt(b[0]), __builtin_sqrt(b[1]) };
    }
}
FAST_INLINE bool quick_packed64(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    u64x2 both = (b.u64 + BIAS64) & ((op == SQRT ? b.u64 : a.u64) + BIAS64);
    bool negative = op == SQRT && (b.u64[0] | b.u64[1]) >> 63;
    if (UNLIKELY(!may_round(c) || (both[0] & both[1] & WANTED64) != WANTED64 || negative)) return false;
    r->f64 = vector64(op, a.f64, b.f64);
    return true;
}
FAST_INLINE bool packed64(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    if (!to_nearest(c) || !ready64(op, a.f64[0], b.f64[0]) || !ready64(op, a.f64[1], b.f64[1])) return false;
    r->f64 = vector64(op, a.f64, b.f64);
    return may_round(c) || (exact64(op, a.f64[0], b.f64[0], r->f64[0]) && exact64(op, a.f64[1], b.f64[1], r->f64[1]));
}

FAST_INLINE f32x4 vector32(enum arith op, f32x4 a, f32x4 b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return (f32x4){ __builtin_sqrtf(b[0]), __builtin_sqrtf(b[1]), __builtin_sqrtf(b[2]), __builtin_sqrtf(b[3]) };
    }
}
FAST_INLINE bool quick_packed32(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    union vec both;
    both.u32 = (b.u32 + BIAS32) & ((op == SQRT ? b.u32 : a.u32) + BIAS32);
    const uint64_t wanted = (uint64_t)WANTED32 << 32 | WANTED32;
    bool negative = op == SQRT && ((b.u64[0] | b.u64[1]) & 0x8000000080000000);
    if (UNLIKELY(!may_round(c) || (both.u64[0] & both.u64[1] & wanted) != wanted || negative)) return false;
    r->f32 = vector32(op, a.f32, b.f32);
    return true;
}
FAST_INLINE bool packed32(const struct cpu *c, enum arith op, union vec a, union vec b, union vec *r)
{
    if (!to_nearest(c)) return false;
    for (unsigned n = 0; n < 4; n++)
        if (!ready32(op, a.f32[n], b.f32[n])) return false;
    r->f32 = vector32(op, a.f32, b.f32);
    for (unsigned n = 0; n < 4 && !may_round(c); n++)
        if (!exact32(op, a.f32[n], b.f32[n], r->f32[n])) return false;
    return true;
}

/* MIN, MAX: the source if the two are equal (zeros of either sign). Plain numbers raise nothing. */
FAST_INLINE bool pick64(const struct cpu *c, bool max, union vec a, union vec b, union vec *r)
{
    (void)c;
    if (UNLIKELY(!middling64(a.u64[0], b.u64[0]) && !(plain64(a.u64[0]) && plain64(b.u64[0])))) return false;
    *r = a;
    if (!(max ? a.f64[0] > b.f64[0] : a.f64[0] < b.f64[0])) r->u64[0] = b.u64[0];
    return true;
}
FAST_INLINE bool pick32(const struct cpu *c, bool max, union vec a, union vec b, union vec *r)
{
    const unsigned low = LANE32(0);
    (void)c;
    if (UNLIKELY(!plain32(a.u32[low]) || !plain32(b.u32[low]))) return false;
    *r = a;
    if (!(max ? a.f32[low] > b.f32[low] : a.f32[low] < b.f32[low])) r->u32[low] = b.u32[low];
    return true;
}
FAST_INLINE bool pick_packed64(const struct cpu *c, bool max, union vec a, union vec b, union vec *r)
{
    (void)c;
    for (unsigned n = 0; n < 2; n++)
        if (UNLIKELY(!plain64(a.u64[n]) || !plain64(b.u64[n]))) return false;
    u64x2 first = max ? (u64x2)(a.f64 > b.f64) : (u64x2)(a.f64 < b.f64);
    r->u64 = (first & a.u64) | (~first & b.u64);
    return true;
}
FAST_INLINE bool pick_packed32(const struct cpu *c, bool max, union vec a, union vec b, union vec *r)
{
    (void)c;
    for (unsigned n = 0; n < 4; n++)
        if (UNLIKELY(!plain32(a.u32[n]) || !plain32(b.u32[n]))) return false;
    u32x4 first = max ? (u32x4)(a.f32 > b.f32) : (u32x4)(a.f32 < b.f32);
    r->u32 = (first & a.u32) | (~first & b.u32);
    return true;
}

/* ---- conversions between formats: exact to double, rounded to float, whose range is checked by the double's exponent */
FAST_INLINE bool single_to_double(const struct cpu *c, unsigned unused, union vec a, union vec b, union vec *r)
{
    (void)c, (void)unused;
    if (UNLIKELY(!plain32(b.u32[LANE32(0)]))) return false;
    *r = a;
    r->f64[0] = b.f32[LANE32(0)];
    return true;
}
FAST_INLINE bool double_to_single(const struct cpu *c, unsigned unused, union vec a, union vec b, union vec *r)
{
    (void)unused;
    uint64_t exp = b.u64[0] >> 52 & 0x7ff;
    if (UNLIKELY(!to_nearest(c) || (exp - (0x3ff - 100) > 200 && b.u64[0] << 1))) return false;
    *r = a;
    r->f32[LANE32(0)] = (float)b.f64[0];
    return LIKELY(may_round(c)) || (double)r->f32[LANE32(0)] == b.f64[0];
}
FAST_INLINE bool singles_to_doubles(const struct cpu *c, unsigned unused, union vec a, union vec b, union vec *r)
{
    (void)c, (void)unused, (void)a;
    float low = b.f32[LANE32(0)], high = b.f32[LANE32(1)];
    if (UNLIKELY(!plain32(bits32(low)) || !plain32(bits32(high)))) return false;
    r->f64 = (f64x2){ low, high };
    return true;
}
FAST_INLINE bool integers_to_doubles(const struct cpu *c, unsigned unused, union vec a, union vec b, union vec *r)
{
    (void)c, (void)unused, (void)a;
    r->f64 = (f64x2){ b.s32[LANE32(0)], b.s32[LANE32(1)] };
    return true;
}
FAST_INLINE bool integers_to_singles(const struct cpu *c, unsigned unused, union vec a, union vec b, union vec *r)
{
    (void)unused, (void)a;
    if (UNLIKELY(!to_nearest(c))) return false;
    for (unsigned n = 0; n < 4; n++) {
        r->f32[n] = (float)b.s32[n];
        if (UNLIKELY(!may_round(c)) && (double)r->f32[n] != b.s32[n]) return false;
    }
    return true;
}

/* ---- handlers. FUNCTION(c, WHAT, a, b, &r); SIZE: bytes of a memory operand; ELSE: the handlers to go on with if it says no. */
#define NOINLINE __attribute__((noinline))                     /* or the rare handlers cost the quick ones registers */
#define FP_MEM(NAME, FUNCTION, WHAT, SIZE, ELSE, F, EA) \
    static NOINLINE HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, SIZE, false); \
        union vec r; \
        if (UNLIKELY(!p || (SIZE == 16 && misaligned(p)) || sse_stops(c))) SLOW; \
        union vec b = SIZE == 16 ? vec_load(p) : (union vec){ .u64 = { host_load(p, SIZE < 8 ? SIZE : 8), 0 } }; \
        if (UNLIKELY(!FUNCTION(c, WHAT, vec_get(c, i->reg), b, &r))) MUSTTAIL return ELSE##_##F(c, i, budget, spare); \
        vec_set(c, i->reg, r); \
        NEXT; \
    }
#define FP_TO(NAME, FUNCTION, WHAT, SIZE, ELSE) \
    static NOINLINE HANDLER(NAME##_r) \
    { \
        union vec r; \
        if (UNLIKELY(sse_stops(c))) SLOW; \
        if (UNLIKELY(!FUNCTION(c, WHAT, vec_get(c, i->reg), vec_get(c, i->rm), &r))) \
            MUSTTAIL return ELSE##_r(c, i, budget, spare); \
        vec_set(c, i->reg, r); \
        NEXT; \
    } \
    SIMD_EACH_FORM(FP_MEM, NAME, FUNCTION, WHAT, SIZE, ELSE)
#define body_r run_body
#define body_s run_body
#define body_f run_body
#define body_b run_body
#define FP(NAME, FUNCTION, WHAT, SIZE) FP_TO(NAME, FUNCTION, WHAT, SIZE, body)
/* Two for each form: the quick one, and the one that it goes on with. */
#define FP_ARITH(NAME, FUNCTION, OP, SIZE) \
    FP_TO(rare_##NAME, FUNCTION, OP, SIZE, body) \
    FP_TO(NAME, quick_##FUNCTION, OP, SIZE, rare_##NAME)
#define FP_PICK(NAME, MAX) \
    FP(NAME##pd, pick_packed64, MAX, 16) FP(NAME##ps, pick_packed32, MAX, 16) FP(NAME##sd, pick64, MAX, 8) \
    FP(NAME##ss, pick32, MAX, 4)
FP_ARITH(addpd, packed64, ADD, 16) FP_ARITH(addps, packed32, ADD, 16)
FP_ARITH(addsd, scalar64, ADD, 8) FP_ARITH(addss, scalar32, ADD, 4)
FP_ARITH(subpd, packed64, SUB, 16) FP_ARITH(subps, packed32, SUB, 16)
FP_ARITH(subsd, scalar64, SUB, 8) FP_ARITH(subss, scalar32, SUB, 4)
FP_ARITH(mulpd, packed64, MUL, 16) FP_ARITH(mulps, packed32, MUL, 16)
FP_ARITH(mulsd, scalar64, MUL, 8) FP_ARITH(mulss, scalar32, MUL, 4)
FP_ARITH(divpd, packed64, DIV, 16) FP_ARITH(divps, packed32, DIV, 16)
FP_ARITH(divsd, scalar64, DIV, 8) FP_ARITH(divss, scalar32, DIV, 4)
FP_ARITH(sqrtpd, packed64, SQRT, 16) FP_ARITH(sqrtps, packed32, SQRT, 16)
FP_ARITH(sqrtsd, scalar64, SQRT, 8) FP_ARITH(sqrtss, scalar32, SQRT, 4)
FP_PICK(min, false)
FP_PICK(max, true)
FP(cvtss2sd, single_to_double, 0, 4)
FP(cvtsd2ss, double_to_single, 0, 8)
FP(cvtps2pd, singles_to_doubles, 0, 8)
FP(cvtdq2pd, integers_to_doubles, 0, 8)
FP(cvtdq2ps, integers_to_singles, 0, 16)

/* ---- from a general register or memory */
FAST_INLINE bool from_integer(struct cpu *c, unsigned reg, int32_t v, bool to_double)
{
    union vec r = vec_get(c, reg);
    if (to_double) {
        r.f64[0] = v;
    } else {
        r.f32[LANE32(0)] = (float)v;
        if (UNLIKELY(!to_nearest(c)) || (UNLIKELY(!may_round(c)) && (double)r.f32[LANE32(0)] != v)) return false;
    }
    vec_set(c, reg, r);
    return true;
}
#define FROM_INTEGER_MEM(NAME, TO_DOUBLE, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, 4, false); \
        if (UNLIKELY(!p || sse_stops(c) || !from_integer(c, i->reg, (int32_t)ld32(p), TO_DOUBLE))) SLOW; \
        NEXT; \
    }
#define FROM_INTEGER(NAME, TO_DOUBLE) \
    static HANDLER(NAME##_r) \
    { \
        if (UNLIKELY(sse_stops(c) || !from_integer(c, i->reg, (int32_t)c->r[i->rm], TO_DOUBLE))) SLOW; \
        NEXT; \
    } \
    SIMD_EACH_FORM(FROM_INTEGER_MEM, NAME, TO_DOUBLE)
FROM_INTEGER(cvtsi2sd, true)
FROM_INTEGER(cvtsi2ss, false)

/* ---- to a general register. Adding 1.5 * 2^52 rounds to an integer, which then stands in the low bits. Not exact: the
 * flag must be there already; and under DAZ a denormal would be exact. */
FAST_INLINE bool to_integer(struct cpu *c, unsigned reg, double v, bool chop)
{
    if (UNLIKELY(!(v >= -2147483648.0 && v <= 2147483647.0))) return false;
    if (!chop && UNLIKELY(!to_nearest(c))) return false;
    int32_t r = chop ? (int32_t)v : (int32_t)(uint32_t)bits64(v + 0x1.8p52);
    if ((double)r != v && UNLIKELY((c->mxcsr & (MXCSR_PM | MXCSR_PE | MXCSR_DAZ)) != (MXCSR_PM | MXCSR_PE))) return false;
    c->r[reg] = (uint32_t)r;
    return true;
}
#define TO_INTEGER_MEM(NAME, BITS, OF, CHOP, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p || sse_stops(c) || !to_integer(c, i->reg, OF(ld##BITS(p)), CHOP))) SLOW; \
        NEXT; \
    }
#define TO_INTEGER(NAME, BITS, OF, CHOP) \
    static HANDLER(NAME##_r) \
    { \
        if (UNLIKELY(sse_stops(c) || !to_integer(c, i->reg, OF((uint##BITS##_t)c->xmm[i->rm].q[0]), CHOP))) SLOW; \
        NEXT; \
    } \
    SIMD_EACH_FORM(TO_INTEGER_MEM, NAME, BITS, OF, CHOP)
TO_INTEGER(cvtsd2si, 64, double_of, false)
TO_INTEGER(cvttsd2si, 64, double_of, true)
TO_INTEGER(cvtss2si, 32, float_of, false)
TO_INTEGER(cvttss2si, 32, float_of, true)

/* ---- COMIS, UCOMIS: plain numbers are ordered, so both do the same */
FAST_INLINE void compare_flags(struct cpu *c, bool less, bool equal)
{
    flags_set_arith(c, (less ? FL_CF : 0) | (equal ? FL_ZF : 0));
}
FAST_INLINE bool compare64(struct cpu *c, uint64_t a, uint64_t b)
{
    if (UNLIKELY(!middling64(a, b) && !(plain64(a) && plain64(b)))) return false;
    compare_flags(c, double_of(a) < double_of(b), double_of(a) == double_of(b));
    return true;
}
FAST_INLINE bool compare32(struct cpu *c, uint32_t a, uint32_t b)
{
    if (UNLIKELY(!middling32(a, b) && !(plain32(a) && plain32(b)))) return false;
    compare_flags(c, float_of(a) < float_of(b), float_of(a) == float_of(b));
    return true;
}
#define COMPARE_MEM(NAME, BITS, F, EA) \
    static HANDLER(NAME##_##F) \
    { \
        const uint8_t *p = mem_host(c, i, EA, BITS / 8, false); \
        if (UNLIKELY(!p || sse_stops(c) || !compare##BITS(c, (uint##BITS##_t)c->xmm[i->reg].q[0], ld##BITS(p)))) SLOW; \
        NEXT; \
    }
#define COMPARE(NAME, BITS) \
    static HANDLER(NAME##_r) \
    { \
        uint##BITS##_t a = (uint##BITS##_t)c->xmm[i->reg].q[0], b = (uint##BITS##_t)c->xmm[i->rm].q[0]; \
        if (UNLIKELY(sse_stops(c) || !compare##BITS(c, a, b))) SLOW; \
        NEXT; \
    } \
    SIMD_EACH_FORM(COMPARE_MEM, NAME, BITS)
COMPARE(comisd, 64)
COMPARE(comiss, 32)

#define ROWS(NAME) \
    [OP_##NAME##pd_Vx_Wx] = SIMD_ROW(NAME##pd), [OP_##NAME##ps_Vx_Wx] = SIMD_ROW(NAME##ps), \
    [OP_##NAME##sd_Vx_Wq] = SIMD_ROW(NAME##sd), [OP_##NAME##ss_Vx_Wd] = SIMD_ROW(NAME##ss)
insn_handler *const fast_sse_fp[OP_COUNT][SIMD_FORMS] = {
    ROWS(add), ROWS(sub), ROWS(mul), ROWS(div), ROWS(sqrt), ROWS(min), ROWS(max),
    [OP_cvtss2sd_Vx_Wd] = SIMD_ROW(cvtss2sd), [OP_cvtsd2ss_Vx_Wq] = SIMD_ROW(cvtsd2ss),
    [OP_cvtps2pd_Vx_Wq] = SIMD_ROW(cvtps2pd), [OP_cvtdq2pd_Vx_Wq] = SIMD_ROW(cvtdq2pd),
    [OP_cvtdq2ps_Vx_Wx] = SIMD_ROW(cvtdq2ps),
    [OP_cvtsi2sd_Vx_Ed] = SIMD_ROW(cvtsi2sd), [OP_cvtsi2ss_Vx_Ed] = SIMD_ROW(cvtsi2ss),
    [OP_cvtsd2si_Gd_Wq] = SIMD_ROW(cvtsd2si), [OP_cvttsd2si_Gd_Wq] = SIMD_ROW(cvttsd2si),
    [OP_cvtss2si_Gd_Wd] = SIMD_ROW(cvtss2si), [OP_cvttss2si_Gd_Wd] = SIMD_ROW(cvttss2si),
    [OP_comisd_Vx_Wq] = SIMD_ROW(comisd), [OP_ucomisd_Vx_Wq] = SIMD_ROW(comisd),
    [OP_comiss_Vx_Wd] = SIMD_ROW(comiss), [OP_ucomiss_Vx_Wd] = SIMD_ROW(comiss),
};
