/* The x87 unit against the host's own: every row of optable_x87.def with random and boundary operands.
 *
 *   x87_native [CASES [SEED [BODY]]]
 *
 * A case is a whole unit state (control, status, tags, registers), EFLAGS, AX and a memory operand. The host runs FRSTOR,
 * the instruction, FNSAVE from a page of code; Beige's slow body runs on the same state. Everything is compared: registers
 * (empty ones too), FCW, FSW with C0-C3 and TOP, tags, memory, EFLAGS, AX. Unmasked exceptions are included: nothing that
 * waits follows, so the host never takes SIGFPE. Not compared: pointers and FOP (newer hosts store zeros), and the value of
 * a transcendental function beyond two units in the last place, which test_fpu_trans judges. What the hosts are known to
 * do differently stands in `excused`, each with its reason. On other hosts than x86-64 the program says that it is skipped.
 * The last line is "N passed, N failed". */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "tests/insn/fpu_bench.h"

enum { MEM_SIZE = BENCH_MEM, MEM_AT = BENCH_EA, ENV = 28, IMAGE = 108, SHOWN = 4, SKIPPED = 77 };

struct row {
    const char *name;
    uint8_t opcode, modrm, count;
    bool mem;
    char operand[8];
    insn_body *body;
};
static const struct row rows[] = {
#define X87_M(op, reg, body, mn, operand, level, feature) { #body, op, reg, 1, true, #operand, op_##body },
#define X87_R(op, modrm, count, body, mn, operands, level, feature) { #body, op, modrm, count, false, #operands, op_##body },
#include "cpu/optable_x87.def"
#undef X87_M
#undef X87_R
};

#ifdef __x86_64__

struct image { uint8_t b[IMAGE]; };
struct outcome { struct image image; uint8_t mem[MEM_SIZE]; uint64_t ax, flags; };

static uint64_t random_state;
static uint64_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull;
}
static unsigned pick(unsigned n) { return (unsigned)((rnd() >> 33) % n); }

static uint64_t random_mant(void)
{
    switch (pick(8)) {
    case 0: return 1ull << 63;
    case 1: return ~0ull;
    case 2: return 1ull << 63 | 1;
    case 3: return 1ull << 63 | rnd() >> 33 << 40;            /* 24 bits */
    case 4: return 1ull << 63 | (rnd() >> 12 << 11);          /* 53 bits */
    case 5: return 1ull << 63 | rnd() >> (pick(63) + 1);
    case 6: return -(1ull << pick(63)) | 1ull << 63;
    default: return 1ull << 63 | rnd();
    }
}

static struct f80 random_f80(void)
{
    static const uint16_t centres[] = { 0, 1, 0x3fff, 0x3fff, 0x3fff, 0x3ffe, 0x4000, 0x7ffe, 0x3f80, 0x407f, 0x3c00, 0x43ff,
                                        0x400f, 0x401f, 0x403f, 0x2000, 0x5fff, 0x3f6a, 0x3bcd, 0x403b };
    struct f80 r = { .mant = random_mant(), .se = (uint16_t)(rnd() & 0x8000) };
    switch (pick(16)) {
    case 0: r.mant = 0; break;
    case 1: r.se |= 0x7fff; r.mant = 1ull << 63; break;
    case 2: r.se |= 0x7fff; r.mant |= 1ull << 62; break;
    case 3: r.se |= 0x7fff; r.mant &= ~(1ull << 62); break;
    case 4: r.mant = rnd() >> (pick(63) + 1); break;          /* denormal */
    case 5: if (pick(2)) r.mant |= 1ull << 63; break;         /* pseudo-denormal */
    case 6: r.se |= rnd() & 0x7fff; r.mant &= ~(1ull << 63); break;   /* unsupported */
    case 7: r.se |= rnd() & 0x7fff; break;
    case 8: { /* small integer or so */
        struct f80 v = f80_from_i64((int64_t)rnd() >> pick(64));
        return v;
    }
    default: {
        unsigned e = centres[pick(sizeof centres / sizeof centres[0])] + pick(9) - 4;
        r.se |= (uint16_t)(e & 0x8000 ? 0 : e & 0x7fff);
        if (!(r.se & 0x7fff)) r.mant >>= pick(3);
    }
    }
    return r;
}

static uint32_t random_f32(void)
{
    uint32_t v = (uint32_t)rnd();
    switch (pick(8)) {
    case 0: return v & 0x80000000;
    case 1: return (v & 0x80000000) | 0x7f800000;
    case 2: return v | 0x7f800000;
    case 3: return v & 0x807fffff;
    case 4: return (v & 0x807fffff) | (0x3e800000 + (pick(6) << 23));
    case 5: return (v & 0xff800000) | (pick(2) ? 0x7fffff : 0);
    default: return v;
    }
}

static uint64_t random_f64(void)
{
    uint64_t v = rnd();
    switch (pick(8)) {
    case 0: return v & 1ull << 63;
    case 1: return (v & 1ull << 63) | 0x7ffull << 52;
    case 2: return v | 0x7ffull << 52;
    case 3: return v & 0x800fffffffffffff;
    case 4: return (v & 0x800fffffffffffff) | (0x3fdull + pick(6)) << 52;
    case 5: return (v & 0xfff0000000000000) | (pick(2) ? 0xfffffffffffff : 0);
    default: return v;
    }
}

static void random_bcd(uint8_t *b)
{
    for (unsigned k = 0; k < 9; k++) b[k] = (uint8_t)(pick(10) << 4 | pick(10));
    b[9] = (uint8_t)(pick(2) << 7);
}

static void random_case(struct image *im, uint8_t *mem, const struct row *r, unsigned long number)
{
    static const uint16_t precision[4] = { 0x300, 0x300, 0x200, 0x000 };
    memset(mem, 0, MEM_SIZE);
    memset(im, 0, sizeof *im);
    unsigned masks = pick(2) ? 0x3f : (unsigned)rnd() & 0x3f;
    st16(im->b, (uint16_t)(0x40 | masks | precision[pick(4)] | pick(4) << 10));
    unsigned top = pick(8);
    st16(im->b + 4, (uint16_t)((rnd() & 0x4700) | (rnd() & rnd() & masks) | top << 11 | (pick(8) ? 0 : 0x40)));
    uint16_t tags = (uint16_t)(pick(4) ? 0 : rnd());
    /* Pushes need an empty register, most of the time. */
    if (!tags && number & 1) tags = (uint16_t)(3u << (2 * ((top + 7) & 7)));
    st16(im->b + 8, tags);
    struct f80 st0 = random_f80();
    for (unsigned n = 0; n < 8; n++) {
        struct f80 v = n ? random_f80() : st0;
        if (n && !pick(6)) {                                  /* near ST(0): cancellation, ties, equality */
            v = st0;
            v.se ^= (uint16_t)(rnd() & 0x8000);
            v.se = (uint16_t)(v.se + pick(3));
            v.mant ^= pick(3) ? 0 : 1ull << pick(64);
        }
        st64(im->b + ENV + 10 * n, v.mant);
        st16(im->b + ENV + 10 * n + 8, v.se);
    }
    for (unsigned k = 0; k < 128; k += 8) st64(mem + MEM_AT + k, rnd());
    uint8_t *m = mem + MEM_AT;
    bool integer = r->name[1] == 'i' && strcmp(r->name, "fincstp");
    if (!strcmp(r->operand, "Md") && !integer) st32(m, random_f32());
    if (!strcmp(r->operand, "Mq") && !integer) st64(m, random_f64());
    if (integer && pick(2)) st64(m, (uint64_t)((int64_t)rnd() >> pick(64)));
    if (!strcmp(r->operand, "Mt")) {
        struct f80 v = random_f80();
        st64(m, v.mant);
        st16(m + 8, v.se);
        if (r->name[1] == 'b') random_bcd(m);
    }
    if (!strcmp(r->operand, "M")) {                           /* an image: another random state */
        for (unsigned n = 0; n < 8; n++) {
            struct f80 v = random_f80();
            st64(m + ENV + 10 * n, v.mant);
            st16(m + ENV + 10 * n + 8, v.se);
        }
    }
}

/* frstor [rsi]; push r8; popfq; INSN [rdi]; pushfq; fnsave [rdx]; pop [r9]; ret. AX passes through in RAX. */
static void run_native(uint8_t *code, const uint8_t *insn, unsigned len, const struct image *in, struct outcome *o)
{
    static const uint8_t before[] = { 0xdd, 0x26, 0x41, 0x50, 0x9d };
    static const uint8_t after[] = { 0x9c, 0xdd, 0x32, 0x41, 0x8f, 0x01, 0xc3 };
    memcpy(code, before, sizeof before);
    memcpy(code + sizeof before, insn, len);
    memcpy(code + sizeof before + len, after, sizeof after);
    uint64_t flags = o->flags | 0x202;
    register uint64_t r8 __asm__("r8") = flags;
    register uint64_t *r9 __asm__("r9") = &o->flags;
    uint64_t ax = o->ax;
    __asm__ volatile("sub $256, %%rsp; call *%[code]; add $256, %%rsp; fninit"
                     : "+a"(ax) : [code] "b"(code), "S"(in->b), "D"(o->mem + MEM_AT), "d"(o->image.b), "r"(r8), "r"(r9)
                     : "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    o->ax = ax;
}

static void load_image(struct cpu *c, const struct image *im)
{
    const uint8_t *b = im->b;
    c->fcw = ld16(b);
    c->fsw = ld16(b + 4) & (uint16_t)~FSW_TOP;
    c->ftop = ld16(b + 4) >> 11 & 7;
    uint16_t tags = ld16(b + 8);
    c->ftag = 0;
    for (unsigned r = 0; r < 8; r++) c->ftag |= (uint8_t)(((tags >> (2 * r) & 3) != 3) << r);
    for (unsigned n = 0; n < 8; n++)
        c->st[fpu_reg(c, n)] = (struct f80){ .mant = ld64(b + ENV + 10 * n), .se = ld16(b + ENV + 10 * n + 8) };
}

static void store_image(const struct cpu *c, struct image *im)
{
    uint8_t *b = im->b;
    memset(b, 0, IMAGE);
    st32(b, 0xffff0000 | c->fcw);
    st32(b + 4, 0xffff0000 | fpu_status_word(c));
    st32(b + 8, 0xffff0000 | fpu_tag_word(c));
    for (unsigned n = 0; n < 8; n++) {
        st64(b + ENV + 10 * n, fpu_st(c, n).mant);
        st16(b + ENV + 10 * n + 8, fpu_st(c, n).se);
    }
}

static bool is_transcendental(const struct row *r)
{
    static const char *const names[] = { "f2xm1", "fyl2x", "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos" };
    for (unsigned k = 0; k < sizeof names / sizeof names[0]; k++)
        if (!strcmp(r->name, names[k])) return true;
    return false;
}

static void forget_pointers(uint8_t *env, unsigned opsize)
{
    if (opsize == 4) memset(env + 12, 0, 16);
    else memset(env + 6, 0, 8);
}

static void print_image(const char *who, const struct outcome *o)
{
    const uint8_t *b = o->image.b;
    printf("    %s cw %04x sw %04x tw %04x fl %03x ax %04x mem %016llx%016llx\n       ", who, ld16(b), ld16(b + 4), ld16(b + 8),
           (unsigned)o->flags & FL_ARITH, (unsigned)o->ax & 0xffff, (unsigned long long)ld64(o->mem + MEM_AT + 8),
           (unsigned long long)ld64(o->mem + MEM_AT));
    for (unsigned n = 0; n < 8; n++)
        printf(" %04x.%016llx", ld16(b + ENV + 10 * n + 8), (unsigned long long)ld64(b + ENV + 10 * n));
    printf("\n");
}

/* Place of a value among all values of its sign. */
static uint64_t ordinal_low(const uint8_t *v) { return (uint64_t)(ld16(v + 8) & 3) << 63 ^ (ld64(v) & ~(1ull << 63)); }
static bool near(const uint8_t *a, const uint8_t *b)
{
    int exponents = (ld16(a + 8) & 0x7fff) - (ld16(b + 8) & 0x7fff);
    if ((ld16(a + 8) ^ ld16(b + 8)) >> 15 || exponents < -1 || exponents > 1) return false;
    return ordinal_low(a) - ordinal_low(b) + 2 <= 4;
}

static void copy_bits(uint8_t *to, const uint8_t *from, unsigned bits)
{
    st16(to, (uint16_t)((ld16(to) & ~bits) | (ld16(from) & bits)));
}

/* Known differences of hosts from the manuals, or of one maker from another. */
static bool excused(const struct row *r, struct outcome *host, struct outcome *ours)
{
    uint8_t *status = host->image.b + 4, *our_status = ours->image.b + 4;
    if (is_transcendental(r)) {
        /* Values within two units in the last place, with their C1; the host calls 2^1 - 1 and 2^-1 - 1 inexact. */
        for (unsigned n = 0; n < 2; n++) {
            uint8_t *h = host->image.b + ENV + 10 * n, *m = ours->image.b + ENV + 10 * n;
            if (near(h, m)) memcpy(h, m, 10);
        }
        copy_bits(status, our_status, FSW_C1);
        if (!strcmp(r->name, "f2xm1") && ld64(ours->image.b + ENV) == 1ull << 63)
            copy_bits(status, our_status, SF_PE | FSW_ES | FSW_B);
    }
    /* SDM vol. 2: FCOMI clears C1; AMD's leaves it. */
    if (strstr(r->name, "comi") == r->name + 1 || strstr(r->name, "ucomi") == r->name + 1) copy_bits(status, our_status, FSW_C1);
    return !memcmp(host, ours, sizeof *host);
}

static unsigned long run_row(uint8_t *code, const struct row *r, unsigned long cases, unsigned long *passed)
{
    unsigned long failed = 0;
    for (unsigned long n = 0; n < cases; n++) {
        struct image in;
        uint8_t mem[MEM_SIZE];
        random_case(&in, mem, r, n);
        uint8_t modrm = (uint8_t)(r->mem ? r->modrm * 8u | 7 : r->modrm + pick(r->count));
        bool narrow = !strcmp(r->operand, "M") && pick(2);
        uint8_t bytes[3] = { 0x66, r->opcode, modrm };
        struct outcome host = { .ax = rnd() & 0xffff, .flags = rnd() & FL_ARITH };
        memcpy(host.mem, mem, MEM_SIZE);
        if (!strcmp(r->operand, "M")) {                       /* no pending exception may reach a waiting instruction */
            struct image other;
            uint8_t dummy[MEM_SIZE];
            random_case(&other, dummy, &rows[0], n);
            unsigned step = narrow ? 2 : 4;
            uint16_t any = (uint16_t)rnd();
            st16(host.mem + MEM_AT, ld16(other.b));
            st16(host.mem + MEM_AT + step, (uint16_t)((ld16(other.b + 4) & 0x7fff) | (any & 0x80bf)));
            st16(host.mem + MEM_AT + 2 * step, ld16(other.b + 8));
            if (narrow) for (unsigned k = 0; k < 80; k++) host.mem[MEM_AT + 14 + k] = host.mem[MEM_AT + 28 + k];
        }
        struct bench bench;
        bench_init(&bench, LEVEL_686);
        memcpy(bench.mem, host.mem, MEM_SIZE);
        struct cpu *c = &bench.c;
        c->eflags = (uint32_t)host.flags | 2;
        c->r[R_AX] = host.ax;
        load_image(c, &in);
        struct outcome before = host;
        before.image = in;

        run_native(code, bytes + !narrow, narrow ? 3 : 2, &in, &host);
        struct insn i = { .imm = (r->opcode & 7) << 8 | modrm, .rm = modrm & 7,
                          .flags = (uint8_t)((r->mem ? INSN_MEM : 0) | (narrow ? 1 : 2)), .scale_seg = SEG_DS << 4 };
        if (bench_run(&bench, r->body, &i) != BODY_NEXT) {
            printf("%s: did not complete\n", r->name);
            return cases;
        }
        struct outcome ours = { .ax = c->r[R_AX], .flags = c->eflags };
        store_image(c, &ours.image);
        memcpy(ours.mem, bench.mem, MEM_SIZE);

        forget_pointers(host.image.b, 4);
        if (!strcmp(r->name, "fnstenv_M") || !strcmp(r->name, "fnsave_M")) {
            forget_pointers(host.mem + MEM_AT, narrow ? 2 : 4);
            forget_pointers(ours.mem + MEM_AT, narrow ? 2 : 4);
        }
        host.flags &= FL_ARITH;
        ours.flags &= FL_ARITH;
        host.ax &= 0xffff;
        ours.ax &= 0xffff;
        struct outcome shown = host;
        if (!memcmp(&host, &ours, sizeof host) || excused(r, &host, &ours)) {
            ++*passed;
        } else if (failed++ < SHOWN) {
            printf("%s (%02x %02x) case %lu\n", r->name, r->opcode, modrm, n);
            print_image("in  ", &before);
            print_image("host", &shown);
            print_image("ours", &ours);
        }
    }
    if (failed) printf("%s: %lu of %lu failed\n", r->name, failed, cases);
    return failed;
}

/* Whole reductions by FPREM or FPREM1: exponents up to 4,000 apart, each step's value, quotient bits and C2. How far one step
 * goes is the implementation's choice between 32 and 63 bits (SDM vol. 2, FPREM). Returns how many differed. */
static unsigned long run_reductions(unsigned long cases, unsigned long *passed)
{
    unsigned long failed = 0;
    for (unsigned long k = 0; k < cases; k++) {
        bool nearest = k & 1, part = true;
        unsigned apart = pick(4) ? 64 + pick(200) : pick(4000), exp = 1 + pick(0x7ffd - apart);
        struct f80 a = f80_make(pick(2), exp + apart, random_mant()), b = f80_make(pick(2), exp, random_mant());
        for (unsigned step = 0; part && step < 200; step++) {
            struct sf s = { .prec = 64, .masks = 0x3f };
            uint8_t x[10], y[10], z[10];
            unsigned q;
            uint16_t status;
            st64(x, a.mant), st16(x + 8, a.se);
            st64(y, b.mant), st16(y + 8, b.se);
            struct f80 r = f80_rem(a, b, nearest, &q, &part, &s);
            if (nearest) __asm__ volatile("fninit; fldt %2; fldt %3; fprem1; fnstsw %0; fstpt %1; fstp %%st(0)"
                                          : "=m"(status), "=m"(z) : "m"(y), "m"(x));
            else __asm__ volatile("fninit; fldt %2; fldt %3; fprem; fnstsw %0; fstpt %1; fstp %%st(0)"
                                  : "=m"(status), "=m"(z) : "m"(y), "m"(x));
            unsigned cc = (part ? FSW_C2 : 0u) | (q & 4 ? FSW_C0 : 0u) | (q & 2 ? FSW_C3 : 0u) | (q & 1 ? FSW_C1 : 0u);
            bool same = ld64(z) == r.mant && ld16(z + 8) == (uint16_t)r.se && (status & (FSW_CC | FSW_C1)) == cc;
            if (!same && failed < SHOWN)
                printf("reduction %lu, step %u: host %04x %016llx status %04x, ours %04x %016llx %04x\n", k, step, ld16(z + 8),
                       (unsigned long long)ld64(z), status, (unsigned)r.se, (unsigned long long)r.mant, cc);
            *(same ? passed : &failed) += 1;
            a = r;
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000, passed = 0, failed = 0;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    random_state = random_state * 0x9e3779b97f4a7c15ull + 1;
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        printf("x87_native: skipped: no executable memory\n0 passed, 0 failed\n");
        return SKIPPED;
    }
    for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (argc <= 3 || !strcmp(argv[3], rows[k].name)) failed += run_row(code, &rows[k], cases, &passed);
    if (argc <= 3) failed += run_reductions(cases, &passed);
    munmap(code, 4096);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed != 0;
}

#else

int main(void)
{
    (void)rows;
    printf("x87_native: skipped: the host is not x86-64\n0 passed, 0 failed\n");
    return SKIPPED;
}

#endif
