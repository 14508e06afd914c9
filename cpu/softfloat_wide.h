/* Arithmetic with 128-bit significands for the transcendental functions, and the constants of their series.
 *
 * A wide number is m / 2^127 * 2^exp with the top bit of m set. Products drop their lower halves: errors stay near
 * 2^-125, far below the last place of a 64-bit result. The tables are the values named beside them, rounded. */
#ifndef CPU_SOFTFLOAT_WIDE_H
#define CPU_SOFTFLOAT_WIDE_H

#include "cpu/softfloat_core.h"

struct wide { u128 m; int32_t exp; bool sign; };
struct pair { uint64_t hi, lo; };

static inline u128 pair_value(struct pair p) { return (u128)p.hi << 64 | p.lo; }

static inline unsigned clz128(u128 v)
{
    return v >> 64 ? clz64((uint64_t)(v >> 64)) : 64 + clz64((uint64_t)v);
}

/* Upper half of a product: Qa.b times Qc.d gives Q(a+c).(b+d-128). */
static inline u128 mulhi(u128 a, u128 b)
{
    uint64_t ah = (uint64_t)(a >> 64), al = (uint64_t)a, bh = (uint64_t)(b >> 64), bl = (uint64_t)b;
    u128 x = (u128)ah * bl, y = (u128)al * bh;
    u128 mid = (u128)(uint64_t)x + (uint64_t)y + (uint64_t)((u128)al * bl >> 64);
    return (u128)ah * bh + (x >> 64) + (y >> 64) + (mid >> 64);
}

static inline u128 shift_right(u128 v, int32_t n) { return n < 128 ? v >> n : 0; }

/* v * 2^exp / 2^127 for any non-zero v. */
static inline struct wide wide_norm(bool sign, int32_t exp, u128 v)
{
    unsigned n = clz128(v);
    return (struct wide){ v << n, exp - (int32_t)n, sign };
}

/* A finite non-zero f80. */
static inline struct wide wide_from(struct f80 a)
{
    struct sf_num n = f80_unpack(a);
    return (struct wide){ (u128)n.mant << 64, n.exp - F80_BIAS, n.sign };
}

static inline struct wide wide_mul(struct wide a, struct wide b)
{
    return wide_norm(a.sign != b.sign, a.exp + b.exp + 1, mulhi(a.m, b.m));
}

/* Through a reciprocal: 63 bits by division, the rest by one Newton step. */
static inline struct wide wide_div(struct wide a, struct wide b)
{
    u128 r = ~(u128)0 / (uint64_t)(b.m >> 64);                /* 2^128 / b's upper half */
    r <<= 62;                                                 /* 1 / (b.m / 2^128) as Q2.126 */
    u128 t = mulhi(b.m, r), one = (u128)1 << 126;
    if (t > one) r -= mulhi(r, t - one) << 2;
    else r += mulhi(r, one - t) << 2;
    return wide_norm(a.sign != b.sign, a.exp - b.exp + 1, mulhi(a.m, r));
}

/* Fixed point with `frac` fraction bits of a wide number below 2^(128 - frac); sticky at the bottom is not kept. */
static inline u128 wide_fixed(struct wide a, int32_t frac) { return shift_right(a.m, 127 - frac - a.exp); }

/* Rounds an inexact result: what is below the 128 bits is not zero. Precision control does not apply. */
static inline struct f80 wide_round(struct wide a, struct sf *s)
{
    uint8_t prec = s->prec;
    s->prec = 64;
    struct f80 r = f80_round_pack(a.sign, a.exp + F80_BIAS, (uint64_t)(a.m >> 64), (uint64_t)a.m | 1, s);
    s->prec = prec;
    return r;
}

/* 1 / (2k + 1)!, Q1.127 */
static const struct pair sin_terms[] = {
    { 0x8000000000000000, 0x0000000000000000 }, { 0x1555555555555555, 0x5555555555555555 },
    { 0x0111111111111111, 0x1111111111111111 }, { 0x0006806806806806, 0x8068068068068068 },
    { 0x0000171de3a556c7, 0x338faac1c88e5001 }, { 0x00000035cc8acfea, 0x89c71fce8fc97070 },
    { 0x000000005849184e, 0xa1b425f28e0cc749 }, { 0x00000000006b9fcf, 0x9ccee07c476195ac },
    { 0x000000000000654b, 0x1dc0c2b529ac9814 }, { 0x000000000000004b, 0xd26d1a05055c9328 },
    { 0x0000000000000000, 0x2e371dedb9eae318 }, { 0x0000000000000000, 0x001761b41316381a },
    { 0x0000000000000000, 0x000009f9e66e8b30 }, { 0x0000000000000000, 0x00000003a356385c },
};

/* 1 / (2k)!, Q1.127 */
static const struct pair cos_terms[] = {
    { 0x8000000000000000, 0x0000000000000000 }, { 0x4000000000000000, 0x0000000000000000 },
    { 0x0555555555555555, 0x5555555555555555 }, { 0x002d82d82d82d82d, 0x82d82d82d82d82d8 },
    { 0x0000d00d00d00d00, 0xd00d00d00d00d00d }, { 0x0000024fc9f6ef13, 0xeb8e5de02da7d4cd },
    { 0x000000047bb63bfe, 0x3625ed5136a61eb4 }, { 0x00000000064e5d2a, 0x301f27482eb7c517 },
    { 0x000000000006b9fc, 0xf9ccee07c476195b }, { 0x00000000000005a0, 0x9e18ee5f65deec01 },
    { 0x0000000000000003, 0xca8574804044a0f5 }, { 0x0000000000000000, 0x0219c72db6ff0a53 },
    { 0x0000000000000000, 0x0000f96780cb97ac }, { 0x0000000000000000, 0x000000623a17f1a9 },
};

/* 1 / (k + 1)!, Q1.127 */
static const struct pair exp_terms[] = {
    { 0x8000000000000000, 0x0000000000000000 }, { 0x4000000000000000, 0x0000000000000000 },
    { 0x1555555555555555, 0x5555555555555555 }, { 0x0555555555555555, 0x5555555555555555 },
    { 0x0111111111111111, 0x1111111111111111 }, { 0x002d82d82d82d82d, 0x82d82d82d82d82d8 },
    { 0x0006806806806806, 0x8068068068068068 }, { 0x0000d00d00d00d00, 0xd00d00d00d00d00d },
    { 0x0000171de3a556c7, 0x338faac1c88e5001 }, { 0x0000024fc9f6ef13, 0xeb8e5de02da7d4cd },
    { 0x00000035cc8acfea, 0x89c71fce8fc97070 }, { 0x000000047bb63bfe, 0x3625ed5136a61eb4 },
    { 0x000000005849184e, 0xa1b425f28e0cc749 }, { 0x00000000064e5d2a, 0x301f27482eb7c517 },
    { 0x00000000006b9fcf, 0x9ccee07c476195ac }, { 0x000000000006b9fc, 0xf9ccee07c476195b },
    { 0x000000000000654b, 0x1dc0c2b529ac9814 }, { 0x00000000000005a0, 0x9e18ee5f65deec01 },
    { 0x000000000000004b, 0xd26d1a05055c9328 }, { 0x0000000000000003, 0xca8574804044a0f5 },
    { 0x0000000000000000, 0x2e371dedb9eae318 }, { 0x0000000000000000, 0x0219c72db6ff0a53 },
    { 0x0000000000000000, 0x001761b41316381a }, { 0x0000000000000000, 0x0000f96780cb97ac },
};

/* 1 / (2k + 1), Q1.127 */
static const struct pair odd_terms[] = {
    { 0x8000000000000000, 0x0000000000000000 }, { 0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab },
    { 0x1999999999999999, 0x999999999999999a }, { 0x1249249249249249, 0x2492492492492492 },
    { 0x0e38e38e38e38e38, 0xe38e38e38e38e38e }, { 0x0ba2e8ba2e8ba2e8, 0xba2e8ba2e8ba2e8c },
    { 0x09d89d89d89d89d8, 0x9d89d89d89d89d8a }, { 0x0888888888888888, 0x8888888888888889 },
    { 0x0787878787878787, 0x8787878787878788 }, { 0x06bca1af286bca1a, 0xf286bca1af286bca },
    { 0x0618618618618618, 0x6186186186186186 }, { 0x0590b21642c8590b, 0x21642c8590b21643 },
    { 0x051eb851eb851eb8, 0x51eb851eb851eb85 }, { 0x04bda12f684bda12, 0xf684bda12f684bda },
    { 0x0469ee58469ee584, 0x69ee58469ee5846a }, { 0x0421084210842108, 0x4210842108421084 },
    { 0x03e0f83e0f83e0f8, 0x3e0f83e0f83e0f84 }, { 0x03a83a83a83a83a8, 0x3a83a83a83a83a84 },
};

/* atan(k / 32), Q1.127 */
static const struct pair atan_table[] = {
    { 0x0000000000000000, 0x0000000000000000 }, { 0x03ffaab7752ec495, 0x09de75ddb76a3188 },
    { 0x07fd56edcb3f7a71, 0xb6593c96e071706b }, { 0x0bf70c1301788746, 0x093567e784cf8367 },
    { 0x0feadd4d5617b6e3, 0x2c897989f3e888ef }, { 0x13d6eee8c6626c58, 0x68ec33a4a06c1fd1 },
    { 0x17b97b4bce5b0226, 0x8f6169f103938e91 }, { 0x1b90d7529260a204, 0x5ec434b8396aa5e0 },
    { 0x1f5b75f92c80dd62, 0xadb8f3debef442fd }, { 0x2317eb4617e2f04c, 0x3291d22c6fe20a63 },
    { 0x26c4ee6e0fd7979a, 0x716aed26349ebcca }, { 0x2a615b32a39a93b6, 0xa66dfddefdf67a30 },
    { 0x2dec3283c9bde11c, 0xe2a8c848b73f9121 }, { 0x31649a7294364adb, 0x685d1ba47d428a37 },
    { 0x34c9dd879847f96d, 0x909f257a40079c4e }, { 0x381b69929d93df19, 0xf18c7b659e632e01 },
    { 0x3b58ce0ac3769ed1, 0x5bf9117b2f0ea341 }, { 0x3e81ba16a8282f97, 0x19b48f1f57723b31 },
    { 0x4195fa536cc33f15, 0x25b504e5b0d28ae0 }, { 0x4495766fef4aa3da, 0x84a23c7e2395a57e },
    { 0x47802eaf7bfacfcd, 0xae41af0b32e21ba4 }, { 0x4a563964c238c37b, 0x0c6279c9fbc5197c },
    { 0x4d17c07338deed10, 0x21137c711027f9de }, { 0x4fc4fee27a5bd0f6, 0x7c5a4932278380f0 },
    { 0x525e3e8c9a7b8492, 0x0cd43f9522bed64f }, { 0x54e3d5ee24187ae4, 0x48b5425adf3c99fb },
    { 0x5756261c5a6c6040, 0x0a392f179f290385 }, { 0x59b598e48f821b48, 0xac80a0ba22317c9d },
    { 0x5c029f15e118cf39, 0xe596d2a90852221f }, { 0x5e3daef574c57940, 0x6a0898037407d948 },
    { 0x606742dc56293320, 0x44eeb16237497d12 }, { 0x627fd7fd5fc7deaa, 0x465a1e885e4f0111 },
    { 0x6487ed5110b4611a, 0x62633145c06e0e69 },
};

static const struct pair two_over_ln2 = { 0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89 };   /* Q2.126 */
static const struct pair ln2 = { 0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af };            /* Q0.128 */
static const struct pair pi = { 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1 };             /* Q2.126 */

#endif
