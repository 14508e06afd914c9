/* MMX, SSE, SSE2 and SSE3 against the host's own: every row of optable_mmx.def and optable_sse.def.
 *
 *   simd_native [CASES [SEED [BODY]]]
 *
 * A case is a random FXSAVE image (x87 and MMX registers, tags, TOP, XMM registers, MXCSR with all exceptions masked), four
 * general registers, EFLAGS and memory. The host runs FXRSTOR, the instruction, FXSAVE; Beige's slow body runs on the same
 * state; all is compared but the x87 pointers. RCP and RSQRT, whose last bits are each maker's own, are compared to their
 * documented error. Unmasked exceptions are judged by test_cpu_simd. Last line: "N passed, N failed". */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "tests/insn/fpu_bench.h"
#include "cpu/simd.h"

struct row {
    const char *name;
    uint32_t code;
    int n;                       /* reg field, ModRM byte of OP_R, or -1 */
    const char *operand[3];
    insn_body *body;
};
static const struct row rows[] = {
#define OP(code, mn, o1, o2, o3, body, needs, attr) { #body, code, -1, { #o1, #o2, #o3 }, op_##body },
#define OP_N(code, n, mn, o1, o2, o3, body, needs, attr) { #body, code, n, { #o1, #o2, #o3 }, op_##body },
#define OP_R OP_N
#include "cpu/optable_sse.def"
#include "cpu/optable_mmx.def"
#undef OP
#undef OP_N
#undef OP_R
};

#ifdef __x86_64__

enum { SHOWN = 4, SKIPPED = 77, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_END = 288 };
struct state { _Alignas(16) uint8_t fx[512]; _Alignas(16) uint8_t mem[BENCH_MEM]; uint64_t flags; uint32_t r[4]; };

static uint64_t random_state;
static uint64_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull;
}
static unsigned pick(unsigned n) { return (unsigned)((rnd() >> 33) % n); }

static uint32_t random_f32(void)
{
    uint32_t v = (uint32_t)rnd(), exp = 0x3f800000 + ((pick(9) - 4) << 23);
    switch (pick(12)) {
    case 0: return v & 0x80000000;
    case 1: return (v & 0x80000000) | 0x7f800000;
    case 2: return v | 0x7f800000;
    case 3: return v & 0x807fffff;
    case 4: case 5: return (v & 0x807fffff) | exp;
    case 6: return (v & 0x80000000) | exp;
    case 7: return (v & 0x80000000) | (0x4e000000 + (v & 0x1ffffff));
    case 8: return (v & 0x807fffff) | (pick(40) << 23);
    case 9: return (v & 0x80700000) | exp;
    default: return v;
    }
}
static uint64_t random_f64(void)
{
    uint64_t v = rnd(), exp = (uint64_t)(0x3ff + pick(9) - 4) << 52;
    switch (pick(12)) {
    case 0: return v & 1ull << 63;
    case 1: return (v & 1ull << 63) | 0x7ffull << 52;
    case 2: return v | 0x7ffull << 52;
    case 3: return v & 0x800fffffffffffff;
    case 4: case 5: return (v & 0x800fffffffffffff) | exp;
    case 6: return (v & 1ull << 63) | exp;
    case 7: return (v & 0x800fffffffffffff) | (uint64_t)(0x3ff - 160 + pick(320)) << 52;
    case 8: return (v & 0x800fffffffffffff) | (uint64_t)(0x41c + pick(6)) << 52;
    case 9: return (v & 0x800ff00000000000) | exp;
    default: return v;
    }
}
static uint64_t random_lane(unsigned kind)
{
    if (kind == 0) return random_f32() | (uint64_t)random_f32() << 32;
    if (kind == 1) return random_f64();
    if (kind == 2) return rnd() & rnd() & 0x7f7f7f7f7f7f7f7full;
    if (kind == 3) return (uint64_t)pick(80);
    return rnd();
}

static void random_case(struct state *s)
{
    memset(s, 0, sizeof *s);
    unsigned kind = pick(6);
    st16(s->fx, 0x37f);
    st16(s->fx + 2, (uint16_t)(rnd() & 0x7f3f));
    s->fx[4] = (uint8_t)rnd();
    unsigned mxcsr = 0x1f80 | ((unsigned)rnd() & 0x603f);
    if (!pick(4)) mxcsr |= 0x40;
    if (!pick(4)) mxcsr |= 0x8000;
    st32(s->fx + FX_MXCSR, mxcsr);
    st32(s->fx + 28, 0xffff);
    for (unsigned n = 0; n < 8; n++) {
        st64(s->fx + FX_ST + 16 * n, random_lane(kind));
        st16(s->fx + FX_ST + 16 * n + 8, (uint16_t)rnd());
        for (unsigned k = 0; k < 16; k += 8) st64(s->fx + FX_XMM + 16 * n + k, random_lane(kind));
    }
    for (unsigned k = 0; k < 64; k += 8) st64(s->mem + BENCH_EA + k, random_lane(kind));
    for (unsigned n = 0; n < 4; n++) s->r[n] = (uint32_t)(rnd() >> pick(40));
    s->flags = rnd() & FL_ARITH;
}

/* fxrstor [rsi]; eax, ecx, edx, ebx from [r10]; flags from r8; INSN; flags to [r9]; registers back; fxsave [r11]; ret */
static void run_native(uint8_t *code, const uint8_t *insn, unsigned len, struct state *s)
{
    static const uint8_t before[] = { 0x0f, 0xae, 0x0e, 0x41, 0x8b, 0x02, 0x41, 0x8b, 0x4a, 0x04, 0x41, 0x8b, 0x52, 0x08,
                                      0x41, 0x8b, 0x5a, 0x0c, 0x41, 0x50, 0x9d };
    static const uint8_t after[] = { 0x9c, 0x41, 0x8f, 0x01, 0x41, 0x89, 0x02, 0x41, 0x89, 0x4a, 0x04, 0x41, 0x89, 0x52, 0x08,
                                     0x41, 0x89, 0x5a, 0x0c, 0x41, 0x0f, 0xae, 0x03, 0xc3 };
    memcpy(code, before, sizeof before);
    memcpy(code + sizeof before, insn, len);
    memcpy(code + sizeof before + len, after, sizeof after);
    static _Alignas(16) uint8_t saved[512], clean[512];
    uint64_t flags = s->flags | 0x202, clean_at = (uint64_t)(uintptr_t)clean;
    register uint64_t r8 __asm__("r8") = flags;
    register uint64_t *r9 __asm__("r9") = &s->flags;
    register uint32_t *r10 __asm__("r10") = s->r;
    register uint8_t *r11 __asm__("r11") = saved;
    register uint8_t *r12 __asm__("r12") = code;
    register uint64_t r13 __asm__("r13") = clean_at;
    __asm__ volatile("fxsave (%%r13); sub $256, %%rsp; call *%%r12; add $256, %%rsp; fxrstor (%%r13)"
                     : "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11), "+r"(r12), "+r"(r13)
                     : "S"(s->fx), "D"(s->mem + BENCH_EA)
                     : "rax", "rbx", "rcx", "rdx", "memory", "cc");
    memcpy(s->fx, saved, FX_END);
}

static void load_state(struct bench *b, const struct state *s)
{
    struct cpu *c = &b->c;
    bench_init(b, LEVEL_686);
    c->features[0] |= 1ull << F_SSE | 1ull << F_SSE2;
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    memcpy(b->mem, s->mem, BENCH_MEM);
    c->fcw = ld16(s->fx);
    c->fsw = ld16(s->fx + 2) & (uint16_t)~FSW_TOP;
    c->ftop = ld16(s->fx + 2) >> 11 & 7;
    c->ftag = s->fx[4];
    c->mxcsr = ld32(s->fx + FX_MXCSR);
    for (unsigned n = 0; n < 8; n++) {
        c->st[fpu_reg(c, n)] = (struct f80){ .mant = ld64(s->fx + FX_ST + 16 * n), .se = ld16(s->fx + FX_ST + 16 * n + 8) };
        c->xmm[n] = (union xmm){ { ld64(s->fx + FX_XMM + 16 * n), ld64(s->fx + FX_XMM + 16 * n + 8) } };
    }
    for (unsigned n = 0; n < 4; n++) c->r[n] = s->r[n];
    c->r[R_DI] = BENCH_EA;
    c->eflags = (uint32_t)s->flags | 2;
}

static void store_state(struct bench *b, struct state *s)
{
    struct cpu *c = &b->c;
    memset(s, 0, sizeof *s);
    memcpy(s->mem, b->mem, BENCH_MEM);
    st16(s->fx, c->fcw);
    st16(s->fx + 2, fpu_status_word(c));
    s->fx[4] = c->ftag;
    st32(s->fx + FX_MXCSR, c->mxcsr);
    for (unsigned n = 0; n < 8; n++) {
        st64(s->fx + FX_ST + 16 * n, fpu_st(c, n).mant);
        st16(s->fx + FX_ST + 16 * n + 8, (uint16_t)fpu_st(c, n).se);
        st64(s->fx + FX_XMM + 16 * n, c->xmm[n].q[0]);
        st64(s->fx + FX_XMM + 16 * n + 8, c->xmm[n].q[1]);
    }
    for (unsigned n = 0; n < 4; n++) s->r[n] = (uint32_t)c->r[n];
    s->flags = c->eflags & FL_ARITH;
}

static void print_state(const char *who, const struct state *s, unsigned reg, unsigned rm)
{
    printf("    %s mxcsr %04x sw %04x tags %02x fl %03x r %08x %08x %08x %08x\n", who, ld32(s->fx + FX_MXCSR), ld16(s->fx + 2),
           s->fx[4], (unsigned)s->flags, s->r[0], s->r[1], s->r[2], s->r[3]);
    const unsigned shown[2] = { reg, rm };
    for (unsigned k = 0; k < 2; k++) {
        unsigned n = shown[k] & 7, st = (n - (ld16(s->fx + 2) >> 11)) & 7;
        printf("       xmm%u %016llx%016llx mm%u %016llx\n", n, (unsigned long long)ld64(s->fx + FX_XMM + 16 * n + 8),
               (unsigned long long)ld64(s->fx + FX_XMM + 16 * n), n, (unsigned long long)ld64(s->fx + FX_ST + 16 * st));
    }
    printf("       mem %016llx%016llx\n", (unsigned long long)ld64(s->mem + BENCH_EA + 8),
           (unsigned long long)ld64(s->mem + BENCH_EA));
}

/* Approximations: within 1.5 * 2^-12 of each other's true value, so 3 * 2^-12 apart. */
static void forgive_approximation(const struct row *r, struct state *host, const struct state *ours)
{
    if (strncmp(r->name, "rcp", 3) && strncmp(r->name, "rsqrt", 5)) return;
    for (unsigned k = FX_XMM; k < FX_END; k += 4) {
        uint32_t h = ld32(host->fx + k), m = ld32(ours->fx + k), d = h - m + 0x4000;
        if ((h ^ m) >> 31 == 0 && d <= 0x8000) st32(host->fx + k, m);
    }
}

static bool ends_with(const char *s, const char *end)
{
    return strlen(s) >= strlen(end) && !strcmp(s + strlen(s) - strlen(end), end);
}

static unsigned long run_row(uint8_t *code, const struct row *r, unsigned long cases, unsigned long *passed)
{
    unsigned long failed = 0;
    bool memory_only = false, register_only = strstr(r->name, "_Nq") || strstr(r->name, "_Ux");
    bool has_operand = false, has_imm = false;
    for (unsigned k = 0; k < 3; k++) {
        char c = r->operand[k][0];
        memory_only |= c == 'M';
        has_operand |= strchr("EMNQUW", c) != NULL;
        has_imm |= c == 'I';
    }
    if (!strcmp(r->name, "fxsave_M") || !strcmp(r->name, "fxrstor_M")) return 0;
    for (unsigned long n = 0; n < cases; n++) {
        struct state in, host, ours;
        random_case(&in);
        if (!strcmp(r->name, "ldmxcsr_Md")) st32(in.mem + BENCH_EA, (ld32(in.mem + BENCH_EA) & 0xffff) | 0x1f80);
        bool mem = memory_only || (!register_only && has_operand && pick(2));
        bool gpr_reg = !strcmp(r->operand[0], "Gd") || !strcmp(r->operand[1], "Gd");
        bool gpr_rm = !strcmp(r->operand[0], "Ed") || !strcmp(r->operand[1], "Ed");
        unsigned reg = r->n >= 0 ? (unsigned)r->n : pick(gpr_reg ? 4 : 8), rm = mem ? 7 : pick(gpr_rm ? 4 : 8);
        uint8_t modrm = (uint8_t)((mem ? 0 : 0xc0) | reg << 3 | rm), imm = (uint8_t)rnd();
        if (r->n >= 0xc0) modrm = (uint8_t)r->n;
        if (strstr(r->name, "cmp") == r->name) imm &= 7;
        if (ends_with(r->name, "_Ux_Ib") || ends_with(r->name, "_Nq_Ib")) imm = (uint8_t)(pick(4) ? imm & 31 : imm);
        uint8_t bytes[8];
        unsigned len = 0;
        if (r->code >> 16) bytes[len++] = (uint8_t)(r->code >> 16);
        bytes[len++] = 0x0f;
        bytes[len++] = (uint8_t)r->code;
        if (has_operand || r->n >= 0) bytes[len++] = modrm;
        if (has_imm) bytes[len++] = imm;
        if (mem && !strcmp(r->name, "cvtpi2ps_Vx_Qq")) {      /* SDM vol. 2: switches to MMX use; AMD's not from memory */
            st16(in.fx + 2, ld16(in.fx + 2) & (uint16_t)~FSW_TOP);
            in.fx[4] = 0xff;
        }
        host = in;
        run_native(code, bytes, len, &host);
        memset(host.fx + 6, 0, 18);
        memset(host.fx + 28, 0, 4);
        host.flags &= FL_ARITH;
        struct bench b;
        load_state(&b, &in);
        struct insn i = { .reg = (uint8_t)reg, .rm = (uint8_t)rm, .imm = imm, .scale_seg = SEG_DS << 4,
                          .flags = (uint8_t)((mem ? INSN_MEM : 0) | 2 | INSN_ADDR32) };
        int status = bench_run(&b, r->body, &i);
        store_state(&b, &ours);
        struct state shown = host;
        forgive_approximation(r, &host, &ours);
        if (status == BODY_NEXT && !memcmp(&host, &ours, sizeof host)) {
            ++*passed;
        } else if (failed++ < SHOWN) {
            printf("%s modrm %02x imm %02x case %lu status %d\n", r->name, modrm, imm, n, status);
            print_state("in  ", &in, reg, rm);
            print_state("host", &shown, reg, rm);
            print_state("ours", &ours, reg, rm);
        }
    }
    if (failed) printf("%s: %lu of %lu failed\n", r->name, failed, cases);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000, passed = 0, failed = 0;
    random_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15ull + 1;
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        printf("simd_native: skipped: no executable memory\n0 passed, 0 failed\n");
        return SKIPPED;
    }
    for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (argc <= 3 || !strcmp(argv[3], rows[k].name)) failed += run_row(code, &rows[k], cases, &passed);
    munmap(code, 4096);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed != 0;
}

#else

int main(void)
{
    (void)rows;
    printf("simd_native: skipped: the host is not x86-64\n0 passed, 0 failed\n");
    return 77;
}

#endif
