/* The reviewed table of what `native` does not compare. */
#include "tests/insn/native_masks.h"

#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "cpu/state.h"
#include "tests/insn/native_gen.h"

enum { FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_END = 288 };

static bool starts(const char *name, const char *with) { return !strncmp(name, with, strlen(with)); }

/* ---- rows that are not run */

static const struct { const char *name, *why; } skips[] = {
    { "sgdt", "UMIP: Linux emulates it with made-up values (SDM vol. 3 ch. 2.5, CR4.UMIP)" },
    { "sidt", "as SGDT" },
    { "smsw", "as SGDT" },
    { "sldt", "as SGDT" },
    { "str", "as SGDT" },
    { "sysenter", "enters the host's kernel" },
    { "icebp", "a hypervisor reports it as a fault, with the instruction's own address" },
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

/* ---- cases that say nothing: both sides fault, but the manual does not say which fault comes first, or makers differ */

static bool is_image(const char *name)
{
    static const char *const images[] = { "fxsave", "fxrstor", "fldenv", "fnstenv", "frstor", "fnsave", "fld_Mt", "fstp_Mt", "fbld",
                                          "fbstp" };
    for (unsigned n = 0; n < sizeof images / sizeof images[0]; n++)
        if (starts(name, images[n])) return true;
    return false;
}

static bool has_prefix(const struct test_case *t, uint8_t prefix)
{
    for (unsigned n = 0; n < t->len; n++) {
        uint8_t b = t->bytes[n];
        if (b == prefix) return true;
        if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x64 && b != 0x65 && b != 0x66 && b != 0x67 && b != 0xf0 &&
            b != 0xf2 && b != 0xf3)
            return false;
    }
    return false;
}

static uint32_t base_of(uint16_t sel)
{
    static const struct ldt_row rows[LDT_COUNT] = LDT_ROWS;
    return sel & 4 && (sel >> 3) < LDT_COUNT ? rows[sel >> 3].base : 0;
}

static uint32_t stack_top(const struct image *i)
{
    uint32_t sp = i->r[R_SP];
    if (i->seg[N_SS] == LDT_SEL(LDT_DATA16) || i->seg[N_SS] == LDT_SEL(LDT_DOWN16)) sp &= 0xffff;
    return sp + base_of(i->seg[N_SS]);
}

/* Instructions that take 16 bytes and more at any address (SDM vol. 2 table 2-21), and FXSAVE's image. */
static bool is_unaligned_16(const char *name)
{
    static const char *const names[] = { "movups_", "movupd_", "movdqu_", "lddqu_", "maskmovdqu_", "fxsave_", "fxrstor_" };
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++)
        if (starts(name, names[n])) return true;
    return false;
}

const char *case_skipped(const struct test_case *t, const struct outcome *ours)
{
    const char *name = case_name(t);
    const struct image *h = &t->host.image, *o = &ours->image;
    bool faults = h->vector != NO_VECTOR && o->vector != NO_VECTOR, string = (starts(name, "ins_") || starts(name, "outs_"));
    if (h->seg[N_CS] >> 3 == SEL_CODE64 >> 3) return "a far transfer to 64-bit code, which the model does not have";
    if (h->vector == 14 && h->cr2 >> 16 == 0xfe00) return "a random address hit Beige's own tables";
    if ((starts(name, "shld") || starts(name, "shrd")) && !t->wide && shift_count(t, name) > 16)
        return "SHLD, SHRD of 16 bits by more than 16: the result is undefined (SDM vol. 2)";
    if (string && (has_prefix(t, 0xf2) || has_prefix(t, 0xf3)) && h->vector == 13 && o->vector == NO_VECTOR)
        return "REP INS, OUTS with a count of 0: AMD's checks the port first, the SDM's pseudo code does nothing";
    if (starts(name, "fbld") && t->ea != (uint32_t)WINDOW + DATA + t->patch[0].at)
        return "FBLD of what are not decimal digits: undefined (SDM vol. 2 FBLD)";
    if (starts(name, "cmps_") && faults) return "CMPS: the manual does not say which operand is read first";
    if (faults && (h->vector == 14 || h->vector == 12 || h->vector == 17) && (starts(name, "retf") || starts(name, "iret")))
        return "far returns: AMD's reads SS:ESP of an outer return before it looks at CS (SDM vol. 2 RET: after)";
    if (faults && starts(name, "call_") && (h->vector == 14 || h->vector == 12 || h->vector == 17) && o->vector == 13)
        return "CALL: AMD's writes the stack before it checks the target's limit (SDM vol. 2 CALL: after)";
    if (starts(name, "verw") && has_prefix(t, 0xf0)) return "LOCK VERW: AMD's takes it (SDM vol. 2 LOCK: #UD)";
    if (starts(name, "push_Sw") && t->wide && (stack_top(&t->in) & 3) && (o->vector == NO_VECTOR || o->vector == 14) &&
        (h->vector == 12 || h->vector == 14 || h->vector == 17))
        return "PUSH of a segment register: the store is 2 or 4 bytes wide, and aligned accordingly (SDM vol. 2 PUSH)";
    if (faults && h->vector == 6 && starts(name, "ud1"))
        return "UD1: AMD's does not fetch the ModRM byte (SDM vol. 2 UD: it may)";
    if (h->vector == 17 && is_unaligned_16(name))
        return "16-byte operands: whether #AC is raised depends on the processor (SDM vol. 2 MOVUPS, FXSAVE)";
    if (faults && is_image(name) && (o->vector == 12 || o->vector == 13) && (h->vector == 12 || h->vector == 14 || h->vector == 17))
        return "images: whether alignment or limit is looked at first is not said, nor the wrap at 4 GiB (SDM vol. 2 FXSAVE)";
    return NULL;
}

/* ---- values */

/* Memory that is not compared: as if it had not been written. */
static void forget_memory(struct outcome *o, uint32_t linear, unsigned len)
{
    uint32_t from = linear - WINDOW - DATA, kept = 0;
    unsigned count = o->changes < CHANGES ? o->changes : CHANGES;
    for (unsigned n = 0; n < count; n++) {
        struct change c = o->change[n];
        for (unsigned k = 0; k < 4; k++) {
            uint32_t bits = 0xffu << (8 * k);
            if (c.at + k - from < len) c.value = (c.value & ~bits) | (c.before & bits);
        }
        if (c.value != c.before) o->change[kept++] = c;
    }
    o->changes = kept;
}

static void forget_both(struct outcome *a, struct outcome *b, uint32_t linear, unsigned len)
{
    forget_memory(a, linear, len);
    forget_memory(b, linear, len);
}

static bool is_transcendental(const char *name)
{
    static const char *const names[] = { "f2xm1", "fyl2x", "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos" };
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++)
        if (!strcmp(name, names[n])) return true;
    return false;
}

/* Within two units in the last place; test_fpu_trans judges the value itself. */
static bool near(const uint8_t *a, const uint8_t *b)
{
    int exponents = (ld16(a + 8) & 0x7fff) - (ld16(b + 8) & 0x7fff);
    if ((ld16(a + 8) ^ ld16(b + 8)) >> 15 || exponents < -1 || exponents > 1) return false;
    uint64_t x = (uint64_t)(ld16(a + 8) & 3) << 63 ^ (ld64(a) & ~(1ull << 63));
    uint64_t y = (uint64_t)(ld16(b + 8) & 3) << 63 ^ (ld64(b) & ~(1ull << 63));
    return x - y + 2 <= 4;
}

static void mask_x87(const char *name, struct image *h, const struct image *o)
{
    uint16_t status = ld16(h->fx + 2), ours = ld16(o->fx + 2), bits = 0;
    if (is_transcendental(name)) {
        bits |= 0x200;
        for (unsigned n = 0; n < 2; n++)
            if (near(h->fx + FX_ST + 16 * n, o->fx + FX_ST + 16 * n)) memcpy(h->fx + FX_ST + 16 * n, o->fx + FX_ST + 16 * n, 10);
        if (!strcmp(name, "f2xm1")) bits |= 0x80a0;           /* the host calls 2^1 - 1 and 2^-1 - 1 inexact */
    }
    /* SDM vol. 2: FCOMI clears C1; AMD's leaves it. */
    if (starts(name, "fcomi") || starts(name, "fucomi")) bits |= 0x200;
    st16(h->fx + 2, (uint16_t)((status & ~bits) | (ours & bits)));
}

/* RCP and RSQRT: both within 1.5 * 2^-12 of the exact value; a result near 2^-126 may be flushed to 0 (SDM vol. 2). */
static void mask_approximation(struct image *h, const struct image *o)
{
    for (unsigned k = FX_XMM; k < FX_END; k += 4) {
        uint32_t a = ld32(h->fx + k), b = ld32(o->fx + k);
        bool tiny = (a & 0x7fffffff) < 0x804000 && (b & 0x7fffffff) < 0x804000;
        if ((a ^ b) >> 31 == 0 && (tiny || a - b + 0x4000 <= 0x8000)) st32(h->fx + k, b);
    }
}

static void mask_fault(const char *name, struct outcome *host, struct outcome *ours)
{
    struct image *h = &host->image, *o = &ours->image;
    /* What was stored before the fault: only registers are restored (SDM vol. 3 ch. 6.5). Beige stores nothing. */
    host->changes = 0;
    if (h->vector == 14) {                    /* the model has no NX: bit 4, instruction fetch, is not reported */
        h->error &= ~16u;
        o->error &= ~16u;
    }
    if (starts(name, "popa"))                 /* AMD's has loaded some registers; ESP is restored, so it can restart */
        for (unsigned n = 0; n < 8; n++) if (n != R_SP) h->r[n] = o->r[n];
    if (starts(name, "iret") || starts(name, "retf")) h->cr2 = o->cr2;       /* order of pops */
    /* Whole images: the host looks at the last byte first. */
    if (h->vector == 14 && o->vector == 14 && is_image(name)) {
        h->cr2 = o->cr2;
        h->error = o->error;
    }
    if (strstr(name, "2pi_") || strstr(name, "cvtpi2") || starts(name, "maskmovq")) {    /* AMD's is in MMX use by then */
        memcpy(h->fx + 2, o->fx + 2, 3);
        memcpy(h->fx + FX_ST, o->fx + FX_ST, FX_XMM - FX_ST);
    }
}

void mask_outcomes(const struct test_case *t, struct outcome *host, struct outcome *ours)
{
    const char *name = case_name(t);
    struct image *h = &host->image, *o = &ours->image;
    uint32_t flags = FL_TF;                   /* set on the host for the trap */
    if (h->vector == NO_VECTOR || h->vector == 4) flags |= undefined_flags(t);
    /* Between two iterations the host keeps RF (SDM vol. 3 ch. 17.3.1.1); and a hypervisor that emulates CPUID does. */
    if ((h->eip == t->in.eip && h->vector == NO_VECTOR) || starts(name, "cpuid")) flags |= FL_RF;
    h->eflags &= ~flags;
    o->eflags &= ~flags;
    /* Last-instruction pointers: newer hosts store zeros. */
    memset(h->fx + 5, 0, 19);
    memset(h->fx + 28, 0, 4);
    memset(h->fx + FX_END, 0, sizeof h->fx - FX_END);
    for (unsigned n = 0; n < 8; n++) memset(h->fx + FX_ST + 16 * n + 10, 0, 6);
    /* The host's kernel returns to the signal handler by IRET, which makes any null selector 0 (SDM vol. 2, IRET). */
    for (unsigned n = 0; n < 6; n++) {
        if (h->seg[n] < 4) h->seg[n] = 0;
        if (o->seg[n] < 4) o->seg[n] = 0;
    }
    if (h->vector != NO_VECTOR) {
        mask_fault(name, host, ours);
        return;
    }
    if (starts(name, "pushf")) forget_both(host, ours, stack_top(h) + 1, 1);  /* TF */
    /* Bits 16 to 31 of a pushed selector: zeros or left alone (SDM vol. 2, PUSH). */
    if (starts(name, "push_Sw") && t->wide) forget_both(host, ours, stack_top(h) + 2, 2);
    if (starts(name, "call_Ap") || starts(name, "call_Mp")) if (t->wide) forget_both(host, ours, stack_top(h) + 6, 2);
    if (starts(name, "lar"))                  /* bits 16 to 19 are undefined (SDM vol. 2, LAR: 00FxFF00h) */
        for (unsigned n = 0; n < 8; n++) if ((h->r[n] ^ o->r[n]) == (h->r[n] & 0xf0000)) h->r[n] = o->r[n];
    if (starts(name, "cpuid")) for (unsigned n = 0; n < 4; n++) h->r[n] = o->r[n];
    if (starts(name, "rdtsc")) h->r[R_AX] = o->r[R_AX], h->r[R_DX] = o->r[R_DX];
    if (starts(name, "rcp") || starts(name, "rsqrt")) mask_approximation(h, o);
    if (name[0] == 'f') mask_x87(name, h, o);
    if (starts(name, "fnstenv") || starts(name, "fnsave"))
        forget_both(host, ours, t->ea + (t->wide ? 12 : 6), t->wide ? 16 : 8);
    if (starts(name, "fxsave")) {
        forget_both(host, ours, t->ea + 5, 19);
        forget_both(host, ours, t->ea + 28, 4);
        forget_both(host, ours, t->ea + FX_END, 512 - FX_END);
    }
}

/* ---- comparison */

const char *outcome_difference(const struct outcome *h, const struct outcome *o)
{
    static const char *const r[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    static const char *const s[6] = { "es", "cs", "ss", "ds", "fs", "gs" };
    static char text[96];
    const struct image *a = &h->image, *b = &o->image;
    text[0] = 0;
    if (a->vector != b->vector) snprintf(text, sizeof text, "vector");
    else if (a->vector != NO_VECTOR && a->error != b->error) snprintf(text, sizeof text, "error code");
    else if (a->vector == 14 && a->cr2 != b->cr2) snprintf(text, sizeof text, "cr2");
    else if (a->eip != b->eip) snprintf(text, sizeof text, "eip");
    else if (a->eflags != b->eflags) snprintf(text, sizeof text, "eflags");
    for (unsigned n = 0; n < 8 && !text[0]; n++)
        if (a->r[n] != b->r[n]) snprintf(text, sizeof text, "%s", r[n]);
    for (unsigned n = 0; n < 6 && !text[0]; n++)
        if (a->seg[n] != b->seg[n]) snprintf(text, sizeof text, "%s", s[n]);
    for (unsigned n = 0; n < 288 && !text[0]; n++)
        if (a->fx[n] != b->fx[n]) snprintf(text, sizeof text, "FXSAVE byte %u", n);
    if (!text[0] && h->changes != o->changes) snprintf(text, sizeof text, "dwords written");
    for (unsigned n = 0; n < h->changes && n < CHANGES && !text[0]; n++)
        if (memcmp(&h->change[n], &o->change[n], sizeof h->change[n])) snprintf(text, sizeof text, "memory");
    return text[0] ? text : NULL;
}

bool case_may_run_in_block(const struct test_case *t)
{
    const struct op_row *r = case_row(t);
    enum operand o = (enum operand)r->operand[0];
    if (r->attr & (OPA_END | OPA_REP) || t->steps != 1) return false;
    return o != O_Jb && o != O_Jz && o != O_Ap && t->len <= 15;
}

void print_masks(const struct skip_count *reasons, unsigned reasons_count)
{
    for (unsigned n = 0; n < sizeof skips / sizeof skips[0]; n++) printf("not run: %-10s %s\n", skips[n].name, skips[n].why);
    for (unsigned n = 0; n < sizeof undefined / sizeof undefined[0]; n++)
        printf("flags %03x undefined: %s* (SDM vol. 2, \"Flags Affected\")\n", (unsigned)undefined[n].flags, undefined[n].prefix);
    for (unsigned n = 0; n < reasons_count; n++) printf("%lu skipped: %s\n", reasons[n].count, reasons[n].why);
}
