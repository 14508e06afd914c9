/* The reviewed table of what `native` does not compare. */
#include "tests/insn/native_masks.h"

#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/state.h"
#include "tests/insn/native_gen.h"

enum { FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_END = 288, ANY_COUNT = FL_OF | FL_AF };

static bool starts(const char *name, const char *with) { return !strncmp(name, with, strlen(with)); }

/* ---- rows that are not run */

static const struct { const char *name, *why; } skips[] = {
    { "sgdt", "UMIP: Linux emulates it with made-up values (SDM vol. 3 ch. 2.5, CR4.UMIP)" },
    { "sidt", "as SGDT" },
    { "smsw", "as SGDT" },
    { "sldt", "as SGDT" },
    { "str", "as SGDT" },
    { "sysenter", "enters the host's kernel" },
};

const char *row_skipped(const char *name)
{
    for (unsigned n = 0; n < sizeof skips / sizeof skips[0]; n++)
        if (!strcmp(name, skips[n].name)) return skips[n].why;
    return NULL;
}

/* ---- flags that the manual leaves undefined (SDM vol. 2, "Flags Affected" of each; vol. 1 appendix A) */

static const struct { const char *prefix; uint32_t flags; } undefined[] = {
    { "and_", FL_AF }, { "or_", FL_AF }, { "xor_", FL_AF }, { "test_", FL_AF },
    { "mul_", FL_SF | FL_ZF | FL_AF | FL_PF }, { "imul_", FL_SF | FL_ZF | FL_AF | FL_PF },
    { "div_", FL_ARITH }, { "idiv_", FL_ARITH },
    { "bt_", FL_OF | FL_SF | FL_AF | FL_PF }, { "bts_", FL_OF | FL_SF | FL_AF | FL_PF },
    { "btr_", FL_OF | FL_SF | FL_AF | FL_PF }, { "btc_", FL_OF | FL_SF | FL_AF | FL_PF },
    { "bsf_", FL_CF | FL_OF | FL_SF | FL_AF | FL_PF }, { "bsr_", FL_CF | FL_OF | FL_SF | FL_AF | FL_PF },
    { "aaa", FL_OF | FL_SF | FL_ZF | FL_PF }, { "aas", FL_OF | FL_SF | FL_ZF | FL_PF },
    { "daa", FL_OF }, { "das", FL_OF },
    { "aam_", FL_OF | FL_AF | FL_CF }, { "aad_", FL_OF | FL_AF | FL_CF },
};

static unsigned shift_count(const struct test_case *t, const char *name)
{
    size_t n = strlen(name);
    if (!strcmp(name + n - 3, "_CL")) return t->in.r[R_CX] & 31;
    if (!strcmp(name + n - 2, "_1")) return 1;
    return t->bytes[t->len - 1] & 31;
}

/* Shifts and rotates: OF for counts other than 1; AF of shifts; CF of SHL and SHR when the count reaches the size. */
static uint32_t undefined_of_shift(const struct test_case *t, const char *name)
{
    bool rotate = name[0] == 'r', doubled = starts(name, "shld") || starts(name, "shrd");
    unsigned count = shift_count(t, name), bits = strstr(name, "_Eb") ? 8 : t->wide ? 32 : 16;
    uint32_t flags = 0;
    if (count == 0) return 0;
    if (count != 1) flags |= FL_OF;
    if (!rotate) flags |= FL_AF;
    if ((starts(name, "shl_") || starts(name, "shr_")) && count >= bits) flags |= FL_CF;
    if (doubled && count > bits) flags |= FL_ARITH;
    return flags;
}

static bool is_shift(const char *name)
{
    static const char *const shifts[] = { "rol_", "ror_", "rcl_", "rcr_", "shl_", "shr_", "sar_", "shld_", "shrd_" };
    for (unsigned n = 0; n < sizeof shifts / sizeof shifts[0]; n++)
        if (starts(name, shifts[n])) return true;
    return false;
}

static uint32_t undefined_flags(const struct test_case *t)
{
    const char *name = case_name(t);
    if (is_shift(name)) return undefined_of_shift(t, name);
    for (unsigned n = 0; n < sizeof undefined / sizeof undefined[0]; n++)
        if (starts(name, undefined[n].prefix)) return undefined[n].flags;
    return 0;
}

/* ---- cases that say nothing */

const char *case_skipped(const struct test_case *t, const struct outcome *ours)
{
    const char *name = case_name(t);
    (void)ours;
    if (t->host.image.seg[N_CS] >> 3 == SEL_CODE64 >> 3)
        return "a far transfer to 64-bit code, which the model does not have";
    if ((starts(name, "shld") || starts(name, "shrd")) && !t->wide && shift_count(t, name) > 16)
        return "SHLD, SHRD of 16 bits by more than 16: the result is undefined (SDM vol. 2)";
    return NULL;
}

/* ---- values */

static void copy_dword(struct outcome *to, const struct outcome *from, uint32_t linear, uint32_t bits)
{
    uint32_t at = linear - WINDOW - DATA;
    for (unsigned n = 0; n < to->changes && n < CHANGES; n++)
        for (unsigned m = 0; m < from->changes && m < CHANGES; m++)
            if (to->change[n].at == (at & ~3u) && from->change[m].at == to->change[n].at)
                to->change[n].value = (to->change[n].value & ~bits) | (from->change[m].value & bits);
}

void mask_outcomes(const struct test_case *t, struct outcome *host, struct outcome *ours)
{
    const char *name = case_name(t);
    struct image *h = &host->image, *o = &ours->image;
    uint32_t flags = FL_TF;                   /* set on the host for the trap */
    if (h->vector == NO_VECTOR || h->vector == 4) flags |= undefined_flags(t);
    h->eflags &= ~flags;
    o->eflags &= ~flags;
    /* Last-instruction pointers: newer hosts store zeros. */
    memset(h->fx + 5, 0, 19);
    memset(h->fx + 28, 0, 4);
    memset(h->fx + FX_END, 0, sizeof h->fx - FX_END);
    for (unsigned n = 0; n < 8; n++) memset(h->fx + FX_ST + 16 * n + 10, 0, 6);
    if (h->vector == 14) {                    /* the model has no NX: bit 4, instruction fetch, is not reported */
        h->error &= ~16u;
        o->error &= ~16u;
    }
    /* The host's kernel returns to the signal handler by IRET, which makes any null selector 0 (SDM vol. 2, IRET). */
    for (unsigned n = 0; n < 6; n++) {
        if (h->seg[n] < 4) h->seg[n] = 0;
        if (o->seg[n] < 4) o->seg[n] = 0;
    }
    if (starts(name, "pushf")) copy_dword(host, ours, h->r[R_SP], FL_TF);
    if (starts(name, "cpuid")) for (unsigned n = 0; n < 4; n++) h->r[n] = o->r[n];
    if (starts(name, "rdtsc")) h->r[R_AX] = o->r[R_AX], h->r[R_DX] = o->r[R_DX];
}

void print_masks(void)
{
    for (unsigned n = 0; n < sizeof skips / sizeof skips[0]; n++) printf("not run: %-10s %s\n", skips[n].name, skips[n].why);
}
