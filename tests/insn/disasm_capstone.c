/* The disassembler against Capstone: every opcode of both maps, every ModRM byte, SIB forms, prefixes, 16- and 32-bit code.
 *
 *   disasm_capstone [--show N]
 *
 * Lengths must be the same, and mnemonics and operands too but for the spellings listed below. What Capstone decodes and
 * the table does not have must stand in `newer`; what only we decode, in `ours_only`. Prints N differences of each kind
 * (default 3). The last line is "N passed, N failed". */
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/decode.h"
#include "cpu/model.h"

enum { KINDS = 2048, BYTES = 16 };

struct kind { char ours[24], theirs[24]; unsigned long count; };
struct judge {
    struct decode_map map;
    csh handle[2];                            /* 16, 32 bits */
    cs_insn *insn;
    struct kind kind[KINDS];
    unsigned kinds, show;
    unsigned long passed, failed, listed;
};

/* ---- spellings */

/* Where Capstone 4 spells otherwise: a * at the end stands for anything. */
static const struct { const char *ours, *theirs, *why; } spellings[] = {
    { "shl", "sal", "/6 is another encoding of SHL" },
    { "nop", "prefetch*", "hints are NOPs to a model without SSE, and to this emulator" },
    { "nop", "nop", "0F 19 to 0F 1F: one operand (SDM vol. 2, NOP), Capstone prints two" },
    { "nop", "(bad)", "0F 18 to 0F 1F in forms that Capstone does not know" },
    { "nop", "endbr*", "newer meanings of 0F 1E" },
    { "salc", "(bad)", "undocumented" },
    { "bsf", "tzcnt", "newer" },
    { "bsr", "lzcnt", "newer" },
    { "aam", "aam", "an operand of 10 is not printed" },
    { "aad", "aad", "as AAM" },
    { "fstpnce", "fstpnce", "one operand" },
    { "fneni", "feni8087_nop", "undocumented" },
    { "fndisi", "fdisi8087_nop", "undocumented" },
    { "fnsetpm", "fsetpm", "undocumented" },
    { "lar", "lar", "the selector's size" },
    { "lsl", "lsl", "as LAR" },
    { "jcxz", "jecxz", "Capstone overlooks 67 before 66" },
    { "jecxz", "jcxz", "as JCXZ" },
    { "cbw", "cwde", "Capstone overlooks the operand size of 16-bit code" },
    { "cwde", "cbw", "as CBW" },
    { "cwd", "cdq", "as CBW" },
    { "cdq", "cwd", "as CBW" },
    { "cmpps", "cmp*", "the predicate in the name" },
    { "cmppd", "cmp*", "the predicate in the name" },
    { "cmpss", "cmp*", "the predicate in the name" },
    { "cmpsd", "cmp*", "the predicate in the name" },
    { "sldt", "sldt", "a word in memory whatever the operand size" },
    { "str", "str", "as SLDT" },
    { "smsw", "smsw", "as SLDT" },
    { "movntps", "movnts*", "F2 and F3 are reserved here before SSE4A" },
};

/* Instructions that Capstone knows and the models do not have. */
static const char *const newer[] = {
    "lock*", "sysret*", "syscall", "getsec", "femms", "vm*", "ud0", "xsave*", "xrstor*", "prefetchw", "prefetch",
    "popcnt", "rdrand", "rdseed", "insertq", "extrq", "movntss", "movntsd", "rdpid", "wrpkru", "rdpkru", "xgetbv",
    "xsetbv", "monitor*", "mwait*", "stac", "clac", "swapgs", "rdtscp", "encls", "enclu", "skinit", "stgi", "clgi",
    "invlpga", "xtest", "xend", "xabort", "xbegin", "clwb", "clflushopt", "pcommit", "xstore*", "xcrypt*",
    "montmul", "xsha*", "rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase", "pi2f*", "pf*", "pswapd", "pavgusb",
    "pmulhrw", "v*", "bnd*", "movbe", "crc32", "phadd*", "phsub*", "pshufb", "pmaddubsw", "psign*", "pmulhrsw",
    "pabs*", "palignr", "pext*", "pins*", "ptest", "pblend*", "blend*", "round*", "insertps", "dpp*", "mpsadbw",
    "pcmp*", "aes*", "pclmulqdq", "sha*", "movntdqa", "packusdw", "pm*", "ph*", "adcx", "adox", "invept", "invvpid",
    "invpcid", "andn", "bextr*", "bls*", "tzmsk", "t1mskc", "llwpcb", "slwpcb", "lwp*", "kmov*", "kand*", "kor*",
    "kunpck*", "kshift*", "extractps", "data16", "addr32", "repne*", "rep*", "cs", "ds", "es", "ss", "fs", "gs",
};

/* What the table has and Capstone does not: undocumented forms and reserved prefixes. */
static const char *const ours_only[] = {
    "icebp", "int1", "salc", "ud1", "sfence", "lfence", "mfence", "test", "fstp*", "fcom*", "fxch", "ffreep",
    "fneni", "fndisi", "fnsetpm", "loadall*", "pop", "mov", "prefetch*",
};

static bool matches(const char *pattern, const char *word)
{
    size_t n = strlen(pattern);
    return n && pattern[n - 1] == '*' ? !strncmp(pattern, word, n - 1) : !strcmp(pattern, word);
}

static bool listed(const char *const *list, unsigned count, const char *word)
{
    for (unsigned n = 0; n < count; n++)
        if (matches(list[n], word)) return true;
    return false;
}

static bool spelt_otherwise(const char *ours, const char *theirs)
{
    for (unsigned n = 0; n < sizeof spellings / sizeof spellings[0]; n++)
        if (matches(spellings[n].ours, ours) && matches(spellings[n].theirs, theirs)) return true;
    return false;
}

static void word(const char *text, char *out, size_t size)
{
    size_t n = strcspn(text, " ");
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), text);
}

static void drop(char *s, const char *what)
{
    for (char *at; (at = strstr(s, what)) != NULL;) memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

/* Into one form: no spaces, no "ptr" of images and pointers, no implied ST(0), no segment override that changes nothing. */
static void normal(char *s, size_t size, const char *text)
{
    static const char *const unsized[] = {
        "bound", "les", "lds", "lss", "lfs", "lgs", "lcall", "ljmp", "invlpg", "frstor", "fnsave", "fldenv",
        "fnstenv", "fxsave", "fxrstor", "str", "sldt", "smsw", "lar", "lsl", "pinsrw", "punpckl*", "fbld",
        "fbstp", "fld", "fstp", "fnstsw", "cmpxchg8b", "clflush", "sgdt", "sidt", "lgdt", "lidt", "movnt*",
        "comis*", "ucomis*", "cvt*", "movdq2q", "lddqu", "verr", "verw", "lldt", "ltr", "lmsw", "rcpss", "movd",
        "movq", "movddup", "movhps", "movlps",
    };
    static const char *const prefixes[] = { "bnd ", "xacquire ", "xrelease " };
    static const char *const sizes[] = {
        "xmmwordptr", "dwordptr", "fwordptr", "qwordptr", "xwordptr", "tbyteptr", "byteptr", "wordptr", "ptr",
    };
    char name[24];
    for (unsigned n = 0; n < 3; n++)
        if (!strncmp(text, prefixes[n], strlen(prefixes[n]))) text += strlen(prefixes[n]);
    if (!strncmp(text, "repne ", 6) && !strstr(text, "cmps") && !strstr(text, "scas")) text += 6;   /* Capstone drops it */
    word(text, name, sizeof name);
    char *to = s;
    for (const char *p = text; *p && to < s + size - 1; p++)
        if (*p != ' ') *to++ = *p;
    *to = 0;
    if (name[0] == 'f') {
        drop(s, "st(0),");
        if (strlen(name) && name[strlen(name) - 1] == 'p') drop(s, ",st(0)");
    }
    drop(s, "ss:");
    if (listed(unsized, sizeof unsized / sizeof unsized[0], name))
        for (unsigned n = 0; n < sizeof sizes / sizeof sizes[0]; n++) drop(s, sizes[n]);
}

/* Alike, numbers by value: Capstone signs some immediates. mask: the operand size's. */
static bool alike(const char *a, const char *b, uint32_t mask)
{
    while (*a && *b) {
        bool number = (*a == '-' || (*a >= '0' && *a <= '9')) && (*b == '-' || (*b >= '0' && *b <= '9'));
        if (!number) {
            if (*a++ != *b++) return false;
            continue;
        }
        char *end_a, *end_b;
        uint32_t x = (uint32_t)strtoll(a, &end_a, 0), y = (uint32_t)strtoll(b, &end_b, 0);
        if (end_a == a || end_b == b) {
            if (*a++ != *b++) return false;
            continue;
        }
        if ((x ^ y) & mask) return false;
        a = end_a;
        b = end_b;
    }
    return *a == *b;
}

static bool same(const char *ours, const char *theirs, bool narrow)
{
    char a[192], b[352];
    normal(a, sizeof a, ours);
    normal(b, sizeof b, theirs);
    bool byte = strstr(a, "byteptr") || strstr(a, "al,") || strstr(a, "l,-") || strstr(a, "h,-");
    return alike(a, b, byte ? 0xff : narrow ? 0xffff : 0xffffffff);
}

/* ---- counting */

static void differs(struct judge *j, const char *ours, const char *theirs, const uint8_t *b, unsigned len, unsigned mode)
{
    struct kind k = { .count = 0 };
    word(ours, k.ours, sizeof k.ours);
    word(theirs, k.theirs, sizeof k.theirs);
    unsigned n = 0;
    while (n < j->kinds && (strcmp(j->kind[n].ours, k.ours) || strcmp(j->kind[n].theirs, k.theirs))) n++;
    if (n == KINDS) n--;
    if (n == j->kinds) j->kind[j->kinds++] = k;
    j->failed++;
    if (j->kind[n].count++ >= j->show) return;
    printf("%u:", mode);
    for (unsigned i = 0; i < len; i++) printf(" %02x", b[i]);
    printf("  ours: %s | capstone: %s\n", ours, theirs);
}

/* Where Capstone is of no help: 16-bit code with an address size prefix reads as 32-bit code without, which was compared. */
static void compare_with_32(struct judge *j, const uint8_t *b, unsigned avail)
{
    char text16[160], text32[160];
    uint8_t with[BYTES + 1] = { 0x67 };
    memcpy(with + 1, b, BYTES);
    unsigned len16 = disasm_insn(&j->map, with, avail, 16, 0x1000, text16, sizeof text16);
    unsigned len32 = disasm_insn(&j->map, b, avail, 32, 0x1001, text32, sizeof text32);
    if (len16 == len32 + 1 && !strcmp(text16, text32)) j->passed++;
    else differs(j, text16, text32, with, len16, 16);
}

/* The length we make it. */
static unsigned compare(struct judge *j, const uint8_t *b, unsigned avail, unsigned mode)
{
    char ours[160], theirs[352] = "(bad)", our_name[24], their_name[24];
    const uint8_t *code = b;
    size_t left = avail;
    uint64_t address = 0x1000;
    unsigned len = disasm_insn(&j->map, b, avail, mode, 0x1000, ours, sizeof ours), size = 0;
    if (cs_disasm_iter(j->handle[mode == 32], &code, &left, &address, j->insn)) {
        snprintf(theirs, sizeof theirs, "%s %s", j->insn->mnemonic, j->insn->op_str);
        size = j->insn->size;
    }
    word(ours, our_name, sizeof our_name);
    word(theirs, their_name, sizeof their_name);
    bool bad = ours[0] == '(', opsize = memchr(b, 0x66, 2) != NULL, addrsize = memchr(b, 0x67, 2) != NULL;
    bool reserved = opsize || b[0] == 0xf2 || b[0] == 0xf3;
    /* Capstone cuts the targets of jumps with a prefix, and sees no mandatory prefix in 16-bit code. Prefixes that are
     * reserved on the two-byte map are #UD to us (SDM vol. 2 ch. 3.1.1.1, "NP"); it ignores them. */
    bool narrow = (mode == 16) != opsize || !strcmp(our_name, "enter") ||
                  ((opsize || addrsize) && (our_name[0] == 'j' || !strcmp(our_name, "call")));
    if (bad && reserved && size && memchr(b, 0x0f, 3)) j->listed++;
    else if (!strcmp(our_name, "ud1")) j->listed++;         /* Capstone leaves out its ModRM byte */
    else if (mode == 16 && reserved && !addrsize && (strstr(ours, "mm") || strstr(theirs, "mm") || !strcmp(our_name, "pause")))
        compare_with_32(j, b, avail);
    else if (mode == 16 && reserved && (strstr(ours, "mm") || strstr(theirs, "mm") || !strcmp(our_name, "pause"))) j->listed++;
    else if (bad && (!size || listed(newer, sizeof newer / sizeof newer[0], their_name))) j->passed++;
    else if (!size && listed(ours_only, sizeof ours_only / sizeof ours_only[0], our_name)) j->listed++;
    else if ((!size || len == size) && spelt_otherwise(our_name, their_name)) j->listed++;
    else if (len == size && same(ours, theirs, narrow)) j->passed++;
    else differs(j, ours, theirs, b, size ? size : len, mode);
    return len;
}

/* ---- all bytes */

static void all_modrm(struct judge *j, const uint8_t *start, unsigned n, unsigned mode)
{
    static const uint8_t sibs[] = { 0x00, 0x25, 0x4d, 0xa4, 0xe5, 0x98 };
    for (unsigned modrm = 0; modrm < 256; modrm++) {
        bool sib = (modrm & 7) == 4 && modrm < 0xc0;
        for (unsigned s = 0; s < (sib ? sizeof sibs : 1); s++) {
            uint8_t b[BYTES] = { 0 };
            memcpy(b, start, n);
            b[n] = (uint8_t)modrm;
            for (unsigned k = n + 1; k < BYTES; k++) b[k] = (uint8_t)(0x12 + 0x11 * (k - n));
            if (sib) b[n + 1] = sibs[s];
            if (compare(j, b, BYTES - 1, mode) <= n && modrm) return;         /* it has no ModRM byte */
        }
    }
}

static void all_opcodes(struct judge *j, unsigned mode)
{
    static const uint8_t prefixes[][2] = { { 0 }, { 0x66 }, { 0xf3 }, { 0xf2 }, { 0x67 }, { 0x64 }, { 0xf0 }, { 0x67, 0x66 },
                                           { 0x36 }, { 0x67, 0x26 } };
    for (unsigned p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        for (unsigned op = 0; op < 512; op++) {
            uint8_t b[4];
            unsigned n = 0;
            for (unsigned k = 0; k < 2; k++)
                if (prefixes[p][k]) b[n++] = prefixes[p][k];
            if (op >= 256) b[n++] = 0x0f;
            b[n++] = (uint8_t)op;
            static const uint8_t not_opcodes[] = { 0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 };
            if (op < 256 && memchr(not_opcodes, (int)op, sizeof not_opcodes)) continue;
            all_modrm(j, b, n, mode);
        }
    }
}

int main(int argc, char **argv)
{
    static struct judge j;
    j.show = argc > 2 && !strcmp(argv[1], "--show") ? (unsigned)strtoul(argv[2], NULL, 0) : 3;
    decode_map_build(&j.map, LEVEL_X64, ~0ull);
    if (cs_open(CS_ARCH_X86, CS_MODE_16, &j.handle[0]) || cs_open(CS_ARCH_X86, CS_MODE_32, &j.handle[1])) return 1;
    j.insn = cs_malloc(j.handle[0]);
    all_opcodes(&j, 32);
    all_opcodes(&j, 16);
    for (unsigned n = 0; n < j.kinds; n++) printf("%-12s %-12s %lu\n", j.kind[n].ours, j.kind[n].theirs, j.kind[n].count);
    cs_free(j.insn, 1);
    cs_close(&j.handle[0]);
    cs_close(&j.handle[1]);
    printf("%lu listed spellings\n%lu passed, %lu failed\n", j.listed, j.passed, j.failed);
    return j.failed != 0;
}
