/* Floating-point arithmetic in integers: the 80-bit format of the x87 and the 32- and 64-bit formats of SSE.
 *
 * Pure functions: values in, value out, on any host. The environment (struct sf) carries the controls in and the
 * exceptions out; exceptions have their positions in the x87 status word, so a caller ORs them in. The functions know no
 * CPU. Sources: SDM vol. 1 chapters 4.8, 4.9, 8.5; IEEE 754.
 *
 * The x87's oddities that live here: the precision control shortens the significand but never the exponent range; an
 * unmasked overflow or underflow wraps the exponent by 24576 instead of saturating; tininess is detected after rounding;
 * with two NaNs the larger significand wins; encodings with exponent but without integer bit are invalid operands, while
 * a zero exponent with integer bit ("pseudo-denormal") is read as exponent 1. */
#ifndef CPU_SOFTFLOAT_H
#define CPU_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

struct f80;

enum { /* positions of the x87 status word; SF_C1 says that rounding increased the magnitude */
    SF_IE = 1, SF_DE = 2, SF_ZE = 4, SF_OE = 8, SF_UE = 16, SF_PE = 32, SF_SF = 64, SF_C0 = 0x100, SF_C1 = 0x200,
    SF_C2 = 0x400, SF_C3 = 0x4000, SF_EXCEPTIONS = 0x3f,
};
enum { SF_NEAREST, SF_DOWN, SF_UP, SF_CHOP };                 /* the RC field of FCW and MXCSR */

/* Rounding, masks and precision of one operation, and what it raised. */
struct sf {
    uint16_t flags;              /* out: SF_*, added to what is there */
    uint8_t rc;
    uint8_t prec;                /* bits of significand of f80 results: 24, 53 or 64 */
    uint8_t masks;               /* SF_IE...: 1 = masked; an unmasked exception may change the result */
    bool daz, ftz;               /* MXCSR: denormal operands are zero, tiny results are zero (f32 and f64 only) */
    bool early;                  /* an 8087 or 80287: every NaN operand is invalid and stays as it is (f80 only) */
    bool projective;             /* theirs: there is one infinity, whatever its sign, and it has no order */
};

enum { /* classes, as FXAM tells them apart */
    SF_UNSUPPORTED, SF_NAN, SF_NORMAL, SF_INFINITY, SF_ZERO, SF_DENORMAL,
};
enum { SF_LESS = -1, SF_EQUAL = 0, SF_GREATER = 1, SF_UNORDERED = 2 };

/* True if one of IE, DE, ZE was raised and is unmasked: the result must not be stored. */
static inline bool sf_no_result(const struct sf *s) { return s->flags & ~s->masks & (SF_IE | SF_DE | SF_ZE); }
/* The same for a store to memory, where unmasked overflow and underflow store nothing either. */
static inline bool sf_no_store(const struct sf *s)
{
    return s->flags & ~s->masks & (SF_IE | SF_DE | SF_ZE | SF_OE | SF_UE);
}

/* ---- f80 arithmetic (softfloat_arith.c, softfloat_rem.c) */
struct f80 f80_add(struct f80 a, struct f80 b, struct sf *s);
struct f80 f80_sub(struct f80 a, struct f80 b, struct sf *s);
struct f80 f80_mul(struct f80 a, struct f80 b, struct sf *s);
struct f80 f80_div(struct f80 a, struct f80 b, struct sf *s);
struct f80 f80_sqrt(struct f80 a, struct sf *s);
/* One step of FPREM (nearest false) or FPREM1: *quotient is set to the low three bits of the integer quotient, and
 * *partial to true if the exponents were 64 or more apart and the remainder is not complete. */
struct f80 f80_rem(struct f80 a, struct f80 b, bool nearest, unsigned *quotient, bool *partial, struct sf *s);
struct f80 f80_round(struct f80 a, struct sf *s);                              /* FRNDINT */
struct f80 f80_scale(struct f80 a, struct f80 b, struct sf *s);                /* FSCALE */
/* FXTRACT: returns the exponent, *significand the rest. */
struct f80 f80_extract(struct f80 a, struct f80 *significand, struct sf *s);
/* SF_LESS ...; any NaN is invalid, or only a signaling one if quiet. */
int f80_compare(struct f80 a, struct f80 b, bool quiet, struct sf *s);
unsigned f80_class(struct f80 a);
/* Result of an operation with at least one NaN or unsupported operand. */
struct f80 f80_nan_result(struct f80 a, struct f80 b, struct sf *s);

/* ---- conversions (softfloat_conv.c). The f80_from ones are exact and raise IE for signaling NaNs and DE. */
struct f80 f80_from_f32(uint32_t v, struct sf *s);
struct f80 f80_from_f64(uint64_t v, struct sf *s);
/* An operand of FADD m32 and the like: signaling NaNs stay signaling, nothing is raised. */
struct f80 f80_operand_f32(uint32_t v);
struct f80 f80_operand_f64(uint64_t v);
struct f80 f80_from_i64(int64_t v);
uint32_t f80_to_f32(struct f80 a, struct sf *s);
uint64_t f80_to_f64(struct f80 a, struct sf *s);
/* To a signed integer of `bits` 16, 32 or 64; out of range is invalid and gives the integer indefinite. chop: FISTTP. */
int64_t f80_to_int(struct f80 a, unsigned bits, bool chop, struct sf *s);
/* Packed BCD, 18 digits and sign, little-endian; invalid gives FFFFC000000000000000h. */
void f80_to_bcd(struct f80 a, uint8_t bcd[10], struct sf *s);
struct f80 f80_from_bcd(const uint8_t bcd[10]);

/* ---- transcendental functions (softfloat_trans.c). The precision control does not apply to them. *in_range is false for
 * arguments of 2^63 and more, which have no result. */
struct f80 f80_sin(struct f80 x, bool *in_range, struct sf *s);
struct f80 f80_cos(struct f80 x, bool *in_range, struct sf *s);
struct f80 f80_tan(struct f80 x, bool *in_range, struct sf *s);
struct f80 f80_atan2(struct f80 y, struct f80 x, struct sf *s);       /* FPATAN: y = ST(1), x = ST(0) */
struct f80 f80_2xm1(struct f80 x, struct sf *s);
struct f80 f80_yl2x(struct f80 x, struct f80 y, struct sf *s);        /* y log2 x */
struct f80 f80_yl2xp1(struct f80 x, struct f80 y, struct sf *s);      /* y log2 (x + 1) */

/* ---- f32 and f64 as SSE computes them (softfloat_sse.c): the first NaN operand wins, every result has its format's
 * exponent range, and an unmasked exception leaves the destination to the caller (flags tell). */
uint32_t f32_add(uint32_t a, uint32_t b, struct sf *s);
uint32_t f32_sub(uint32_t a, uint32_t b, struct sf *s);
uint32_t f32_mul(uint32_t a, uint32_t b, struct sf *s);
uint32_t f32_div(uint32_t a, uint32_t b, struct sf *s);
uint32_t f32_sqrt(uint32_t a, struct sf *s);
uint64_t f64_add(uint64_t a, uint64_t b, struct sf *s);
uint64_t f64_sub(uint64_t a, uint64_t b, struct sf *s);
uint64_t f64_mul(uint64_t a, uint64_t b, struct sf *s);
uint64_t f64_div(uint64_t a, uint64_t b, struct sf *s);
uint64_t f64_sqrt(uint64_t a, struct sf *s);
int f32_compare(uint32_t a, uint32_t b, bool quiet, struct sf *s);
int f64_compare(uint64_t a, uint64_t b, bool quiet, struct sf *s);
uint64_t f32_to_f64(uint32_t a, struct sf *s);
uint32_t f64_to_f32(uint64_t a, struct sf *s);
/* To a signed 32- or 64-bit integer; out of range and NaN are invalid and give the integer indefinite. */
int64_t f32_to_int(uint32_t a, unsigned bits, bool chop, struct sf *s);
int64_t f64_to_int(uint64_t a, unsigned bits, bool chop, struct sf *s);
uint32_t f32_from_i64(int64_t v, struct sf *s);
uint64_t f64_from_i64(int64_t v, struct sf *s);

#endif
