/* The host CPU as judge: every row of optable.def that user code can run, on the processor and in Beige.
 *
 *   native [CASES [SEED [BODY]]] [--all] [--quiet]
 *   native --fragments DIR
 *
 * Each form gets CASES cases (default 1000; --all: ten million in all). A case is a whole register state with memory and
 * one instruction, in 32-bit code or, through an LDT, in 16-bit code and with small, expand-down, read-only, shifted and
 * absent segments. The host runs it in a process of its own (native_host.c), Beige in a CPU of its own, half of the cases
 * inside a block and half alone. Everything is compared: registers, flags, segments, x87, MMX and XMM state, memory, the
 * vector with error code and CR2. What is not compared stands in native_masks.c. A failure is reduced (state that does
 * not matter is cleared, prefixes are dropped) and printed as a fragment (native_fragment.h). The last line is "N passed, N
 * failed". */
#define _GNU_SOURCE
#include "tests/insn/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { SKIPPED = 77 };

#ifdef __x86_64__

#include <dirent.h>
#include <libgen.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cpu/model.h"
#include "tests/insn/native_beige.h"
#include "tests/insn/native_fragment.h"
#include "tests/insn/native_gen.h"
#include "tests/insn/native_masks.h"

enum { REASONS = 32, SHOWN = 3, FX_ST = 32, FX_XMM = 160 };

struct judge {
    struct batch *b;
    struct generator gen;
    struct beige *beige;
    pid_t child;
    int fd, to, from;
    unsigned long passed, failed, skipped, faulted;
    struct skip_count reason[REASONS];
    unsigned reasons;
    bool quiet;
    uint64_t seed;
};

/* ---- the host process */

static bool host_start(struct judge *j)
{
    int in[2], out[2];
    char path[4096], arg[3][16];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    if (n < 0 || pipe(in) || pipe(out)) return false;
    path[n] = 0;
    dirname(path);
    strcat(path, "/native_host");
    snprintf(arg[0], 16, "%d", j->fd);
    snprintf(arg[1], 16, "%d", in[0]);
    snprintf(arg[2], 16, "%d", out[1]);
    j->child = fork();
    if (j->child == 0) {
        close(in[1]);
        close(out[0]);
        execl(path, path, arg[0], arg[1], arg[2], (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    j->to = in[1];
    j->from = out[0];
    char c = 0;
    return read(j->from, &c, 1) == 1 && c == 'r';
}

static int host_stop(struct judge *j)
{
    int status = 0;
    close(j->to);
    close(j->from);
    waitpid(j->child, &status, 0);
    return status;
}

static void host_post(struct judge *j)
{
    j->b->next = 0;
    if (write(j->to, "g", 1) != 1) j->b->next = 0;
}

/* Waits for the batch. A case that ends the host process is marked, and the rest goes to a new one. */
static void host_wait(struct judge *j)
{
    char c;
    while (read(j->from, &c, 1) != 1) {
        int status = host_stop(j);
        printf("case %u ended the host process (status %x)\n", j->b->next, (unsigned)status);
        struct test_case *t = &j->b->test[j->b->next];
        memset(&t->host, 0, sizeof t->host);
        t->host.image.vector = 0xdead;
        j->b->next++;
        if (!host_start(j) || write(j->to, "g", 1) != 1) {
            printf("native: the host process does not start again\n");
            exit(1);
        }
    }
}

/* ---- comparison */

/* Beige's outcome and the masked difference, or NULL. */
static const char *judge_case(struct judge *j, const struct test_case *t, bool in_block, struct outcome *ours)
{
    beige_run(j->beige, t, in_block, ours);
    struct outcome host = t->host, o = *ours;
    mask_outcomes(t, &host, &o);
    return outcome_difference(&host, &o);
}

/* ---- reduction and report */

static bool still_fails(struct judge *j, const struct test_case *t, bool in_block)
{
    struct outcome ours;
    j->b->test[0] = *t;
    j->b->count = 1;
    host_post(j);
    host_wait(j);
    const struct test_case *done = &j->b->test[0];
    return done->host.image.vector != 0xdead && judge_case(j, done, in_block, &ours) && !case_skipped(done, &ours);
}

static void try_change(struct judge *j, struct test_case *t, const struct test_case *with, bool in_block)
{
    if (still_fails(j, with, in_block)) *t = j->b->test[0];
}

/* Clears what does not matter. */
static void reduce(struct judge *j, struct test_case *t, bool in_block)
{
    struct test_case c;
    for (unsigned n = 0; n < t->len && t->len > 1; n++) {
        c = *t;
        memmove(c.bytes + n, c.bytes + n + 1, STEP_MAX - n);
        c.len--;
        uint8_t b = t->bytes[n];
        if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x64 && b != 0x65 && b != 0x67 && b != 0xf0) break;
        if (!still_fails(j, &c, in_block)) continue;
        *t = j->b->test[0];
        n--;
    }
    for (unsigned n = 0; n < 8; n++) {
        c = *t;
        c.in.r[n] = 0;
        if (n != R_SP) try_change(j, t, &c, in_block);
    }
    for (unsigned n = 0; n < 22; n++) {
        c = *t;
        c.in.eflags &= ~(1u << n) | 0x202;
        if (c.in.eflags != t->in.eflags) try_change(j, t, &c, in_block);
    }
    for (unsigned n = 0; n < 6; n++) {
        c = *t;
        c.in.seg[n] = SEL_DATA;
        if (n != N_CS) try_change(j, t, &c, in_block);
    }
    for (unsigned n = 0; n < PATCHES; n++) {
        c = *t;
        c.patch[n].len = 0;
        try_change(j, t, &c, in_block);
    }
    /* Memory that is read, or written in part, belongs to the reproducer. */
    bool access = t->host.image.vector != 6 && t->host.image.vector != 13 && t->host.image.vector != 14;
    uint32_t places[2] = { t->ea - WINDOW - DATA, t->host.changes ? t->host.change[0].at & ~15u : DATA_SIZE };
    for (unsigned n = 0; n < PATCHES; n++) {
        if (!access || t->patch[n].len || places[n] > DATA_SIZE - PATCH_MAX) continue;
        c = *t;
        c.patch[n] = (struct patch){ .at = (uint16_t)places[n], .len = PATCH_MAX };
        if (still_fails(j, &c, in_block)) {
            *t = j->b->test[0];
            continue;
        }
        memcpy(c.patch[n].bytes, j->b->data + places[n], PATCH_MAX);
        try_change(j, t, &c, in_block);
    }
    c = *t;
    memset(c.in.fx, 0, sizeof c.in.fx);
    st16(c.in.fx, 0x37f);
    st32(c.in.fx + 24, 0x1f80);
    try_change(j, t, &c, in_block);
}

static void print_image(const char *who, const struct image *i, const struct image *base)
{
    printf("  %s ", who);
    if (i->vector != NO_VECTOR) printf("vector %u(%x) cr2 %08x ", i->vector, i->error, i->cr2);
    printf("eip %08x fl %06x eax %08x ecx %08x edx %08x ebx %08x esp %08x ebp %08x esi %08x edi %08x\n", i->eip, i->eflags,
           i->r[0], i->r[1], i->r[2], i->r[3], i->r[4], i->r[5], i->r[6], i->r[7]);
    printf("       cs %04x ss %04x ds %04x es %04x fs %04x gs %04x\n", i->seg[N_CS], i->seg[N_SS], i->seg[N_DS], i->seg[N_ES],
           i->seg[N_FS], i->seg[N_GS]);
    if (base && !memcmp(base->fx, i->fx, 5) && !memcmp(base->fx + 24, i->fx + 24, 4) && !memcmp(base->fx + 32, i->fx + 32, 256))
        return;
    printf("       cw %04x sw %04x tags %02x mxcsr %04x", ld16(i->fx), ld16(i->fx + 2), i->fx[4], ld32(i->fx + 24));
    for (unsigned n = 0; n < 8; n++) {
        if (n % 4 == 0) printf("\n      ");
        printf(" st%u %04x.%016llx", n, ld16(i->fx + FX_ST + 16 * n + 8), (unsigned long long)ld64(i->fx + FX_ST + 16 * n));
    }
    for (unsigned n = 0; n < 8; n++) {
        if (n % 2 == 0) printf("\n      ");
        printf(" xmm%u %016llx%016llx", n, (unsigned long long)ld64(i->fx + FX_XMM + 16 * n + 8),
               (unsigned long long)ld64(i->fx + FX_XMM + 16 * n));
    }
    printf("\n");
}

static void print_changes(const char *who, const struct outcome *o)
{
    if (!o->changes) return;
    printf("  %s wrote", who);
    for (unsigned n = 0; n < o->changes && n < 10; n++) printf(" [%x]=%08x", WINDOW + DATA + o->change[n].at, o->change[n].value);
    printf("%s\n", o->changes > 10 ? " ..." : "");
}

static void report(struct judge *j, struct test_case t, bool in_block)
{
    struct outcome ours;
    char text[128] = "";
    reduce(j, &t, in_block);
    const char *why = judge_case(j, &t, in_block, &ours);
    unsigned mode = t.in.seg[N_CS] == LDT_SEL(LDT_CODE16) ? 16 : 32;
    cpu_disasm(t.bytes, t.len, mode, t.in.eip, text, sizeof text);
    printf("# %s differs (%s%s): %s\n", case_name(&t), why ? why : "only before reduction", in_block ? ", in a block" : "", text);
    fragment_print(stdout, &t);
    print_image("# ours", &ours.image, &t.in);
    print_changes("# ours", &ours);
}

/* ---- rows */

static void count_skip(struct judge *j, const char *why)
{
    unsigned n = 0;
    while (n < j->reasons && strcmp(j->reason[n].why, why)) n++;
    if (n == REASONS) return;
    if (n == j->reasons) j->reason[j->reasons++] = (struct skip_count){ .why = why };
    j->reason[n].count++;
}

/* Until `cases` are compared; what says nothing is made up for, up to a limit. */
static void run_row(struct judge *j, unsigned row, unsigned long cases)
{
    static struct test_case failing[SHOWN];
    bool block[SHOWN];
    unsigned long failed = 0, faulted = 0, skipped = 0, done = 0;
    const char *name = row_name((enum op)op_codes[row].op);
    generator_seed(&j->gen, j->seed + row);   /* the same cases when run alone */
    while (done - skipped < cases && done < 4 * cases) {
        unsigned long left = cases - (done - skipped);
        unsigned count = left < BATCH ? (unsigned)left : BATCH;
        for (unsigned n = 0; n < count; n++) generate_case(&j->gen, row, &j->b->test[n]);
        j->b->count = count;
        host_post(j);
        host_wait(j);
        for (unsigned n = 0; n < count; n++) {
            const struct test_case *t = &j->b->test[n];
            bool in_block = n & 1 && case_may_run_in_block(t);
            struct outcome ours;
            const char *why = judge_case(j, t, in_block, &ours);
            const char *skip = why ? case_skipped(t, &ours) : NULL;
            if (t->host.image.vector == 0xdead) skip = "the case ended the host's process";
            if (skip) {
                count_skip(j, skip);
                skipped++;
                continue;
            }
            faulted += t->host.image.vector != NO_VECTOR;
            if (!why) continue;
            if (failed < SHOWN) {
                failing[failed] = *t;
                block[failed] = in_block;
            }
            failed++;
        }
        done += count;
    }
    for (unsigned n = 0; n < failed && n < SHOWN && !j->quiet; n++) report(j, failing[n], block[n]);
    printf("%08x/%d %-18s %lu cases, %lu faulted, %lu skipped, %lu failed\n", op_codes[row].code, op_codes[row].n, name,
           done - skipped, faulted, skipped, failed);
    j->failed += failed;
    j->skipped += skipped;
    j->faulted += faulted;
    j->passed += done - failed - skipped;
}

/* ---- fragments: what the host does is what they say */

static void run_fragment(struct judge *j, const char *path)
{
    char error[80] = "cannot be read";
    struct test_case t;
    FILE *f = fopen(path, "r");
    bool ok = f && fragment_read(f, &t, error, sizeof error);
    if (f) fclose(f);
    if (!ok) {
        printf("%s %s\n", path, error);
        j->failed++;
        return;
    }
    j->b->test[0] = t;
    j->b->count = 1;
    host_post(j);
    host_wait(j);
    struct outcome host = j->b->test[0].host, said = t.host, ours;
    for (unsigned n = 0; n < said.changes; n++)
        for (unsigned k = 0; k < host.changes && k < CHANGES; k++)
            if (host.change[k].at == said.change[n].at) said.change[n].before = host.change[k].before;
    mask_outcomes(&t, &host, &said);
    const char *why = outcome_difference(&host, &said), *here = judge_case(j, &j->b->test[0], false, &ours);
    if (why) printf("%s: the host's %s differs\n", path, why);
    if (here) printf("%s: Beige's %s differs\n", path, here);
    j->passed += !why && !here;
    j->failed += why || here;
}

static void run_fragments(struct judge *j, const char *dir)
{
    char path[4400];
    DIR *d = opendir(dir);
    if (!d) printf("%s cannot be read\n", dir);
    j->failed += !d;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strstr(e->d_name, ".txt")) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        run_fragment(j, path);
    }
    if (d) closedir(d);
}

static bool row_runs(const struct judge *j, unsigned row)
{
    const struct op_needs *n = &op_codes[row].needs;
    const struct cpu *c = beige_cpu(j->beige);
    if ((unsigned)cpu_level(c) < n->least || (unsigned)cpu_level(c) > n->most) return false;
    return n->feature == NO_FEATURE || cpu_has(c, (enum feature)n->feature);
}

int main(int argc, char **argv)
{
    unsigned long number[2] = { 1000, 1 };
    const char *only = NULL, *fragments = NULL;
    unsigned numbers = 0, rows = 0;
    bool all = getenv("BEIGE_TEST_ALL") != NULL;
    struct judge j = { .quiet = false };
    for (int n = 1; n < argc; n++) {
        if (!strcmp(argv[n], "--all")) all = true;
        else if (!strcmp(argv[n], "--quiet")) j.quiet = true;
        else if (!strcmp(argv[n], "--fragments") && n + 1 < argc) fragments = argv[++n];
        else if (argv[n][0] >= '0' && argv[n][0] <= '9' && numbers < 2) number[numbers++] = strtoul(argv[n], NULL, 0);
        else only = argv[n];
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    j.fd = memfd_create("cases", 0);
    if (j.fd < 0 || ftruncate(j.fd, sizeof *j.b)) return 1;
    j.b = mmap(NULL, sizeof *j.b, PROT_READ | PROT_WRITE, MAP_SHARED, j.fd, 0);
    if (j.b == MAP_FAILED) return 1;
    j.seed = (uint64_t)number[1] << 32;
    generator_seed(&j.gen, j.seed);
    generate_memory(&j.gen, j.b->data, DATA_SIZE);
    generate_memory(&j.gen, j.b->constant, PAGE);
    static struct batch memory;
    memcpy(&memory, j.b, offsetof(struct batch, count));
    if (!host_start(&j)) {
        printf("native: skipped: the host has no modify_ldt, or does not run 32-bit code\n0 passed, 0 failed\n");
        return SKIPPED;
    }
    memcpy(memory.access, j.b->access, sizeof memory.access);
    memcpy(memory.limit, j.b->limit, sizeof memory.limit);
    j.beige = beige_create(&memory);

    for (unsigned n = 0; n < op_codes_count; n++) rows += row_runs(&j, n) && !row_skipped(row_name((enum op)op_codes[n].op));
    unsigned long cases = all ? 10000000 / rows + 1 : number[0];
    for (unsigned n = 0; n < op_codes_count; n++) {
        const char *name = row_name((enum op)op_codes[n].op);
        if (!fragments && row_runs(&j, n) && !row_skipped(name) && (!only || !strcmp(only, name))) run_row(&j, n, cases);
    }
    if (fragments) run_fragments(&j, fragments);
    else print_masks(j.reason, j.reasons);
    host_stop(&j);
    beige_destroy(j.beige);
    if (!fragments) printf("%u forms, %lu cases skipped, %lu faulted on the host\n", rows, j.skipped, j.faulted);
    printf("%lu passed, %lu failed\n", j.passed, j.failed);
    return j.failed != 0;
}

#else

int main(void)
{
    printf("native: skipped: the host is not x86-64\n0 passed, 0 failed\n");
    return SKIPPED;
}

#endif
