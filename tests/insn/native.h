/* The host CPU as judge: what the generator, the host side and Beige's side share.
 *
 * A case is a whole register state, up to two patches to memory, and one instruction. It runs in a window of 64 KiB at
 * WINDOW that looks the same on the host (32-bit compatibility mode of a 64-bit process) and in Beige (ring 3 with
 * paging). Everything outside the mapped pages of the window is a page fault on both sides. */
#ifndef TESTS_INSN_NATIVE_H
#define TESTS_INSN_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WINDOW = 0x40000000, WINDOW_SIZE = 0x10000, PAGE = 4096,
    DATA = 0x1000, DATA_SIZE = 2 * PAGE,          /* pages 1 and 2: read, write */
    CONSTANT = 0x4000,                            /* page 4: read only */
    CODE = 0x6000, CODE_SIZE = 2 * PAGE,          /* pages 6 and 7: read, execute */
    STEP_MAX = 17, PATCH_MAX = 32, PATCHES = 2, CHANGES = 160, BATCH = 1024,
};
enum { NO_VECTOR = 0xff };

/* Selectors. The first ones are Linux's GDT; the rest an LDT of our own. */
enum {
    SEL_CODE = 0x23, SEL_DATA = 0x2b, SEL_CODE64 = 0x33, SEL_CPU = 0x7b,
    LDT_CODE16 = 0, LDT_CODE32, LDT_DATA16, LDT_DATA32, LDT_DOWN32, LDT_DOWN16, LDT_CONST, LDT_EXECUTE, LDT_ABSENT,
    LDT_ABSENT_CODE, LDT_SHIFTED, LDT_COUNT,
};
#define LDT_SEL(n) ((uint16_t)((n) << 3 | 7))

/* In the shape of Linux's struct user_desc; contents 0 data, 1 expand-down, 2 code. */
struct ldt_row { uint32_t base, limit; uint8_t contents; bool d, read_exec_only, pages, absent; };
#define LDT_ROWS { \
    [LDT_CODE16] =      { WINDOW, 0xffff, 2, false, false, false, false }, \
    [LDT_CODE32] =      { WINDOW, 0xffff, 2, true, false, false, false }, \
    [LDT_DATA16] =      { WINDOW, 0xffff, 0, false, false, false, false }, \
    [LDT_DATA32] =      { WINDOW, 0x2ffb, 0, true, false, false, false }, \
    [LDT_DOWN32] =      { WINDOW, 0x17ff, 1, true, false, false, false }, \
    [LDT_DOWN16] =      { WINDOW, 0x17ff, 1, false, false, false, false }, \
    [LDT_CONST] =       { 0, 0xfffff, 0, true, true, true, false }, \
    [LDT_EXECUTE] =     { WINDOW, 0xffff, 2, true, true, false, false }, \
    [LDT_ABSENT] =      { WINDOW, 0xffff, 0, true, false, false, true }, \
    [LDT_ABSENT_CODE] = { WINDOW, 0xffff, 2, true, false, false, true }, \
    [LDT_SHIFTED] =     { WINDOW + 0x1001, 0xfffff, 0, true, false, true, false }, \
}

enum { N_ES, N_CS, N_SS, N_DS, N_FS, N_GS };      /* ModRM order, as SEG_* */

struct image {
    uint8_t fx[512];                              /* FXSAVE's layout */
    uint32_t r[8], eip, eflags;
    uint16_t seg[6];
    uint32_t vector, error, cr2;                  /* vector NO_VECTOR: the instruction completed */
};

struct change { uint32_t at, before, value; };    /* a dword of the data pages that is not what it was */
struct outcome {
    struct image image;
    uint32_t changes;
    struct change change[CHANGES];
};

struct patch { uint16_t at, len; uint8_t bytes[PATCH_MAX]; };   /* at: offset in the data pages */

struct test_case {
    struct image in;
    struct patch patch[PATCHES];
    uint8_t bytes[STEP_MAX + 1];
    uint8_t len;
    uint8_t steps;                                /* instructions: 2 where the first one holds back the trap */
    uint16_t row;                                 /* of op_codes */
    uint16_t operand;                             /* bytes at the memory operand that matter to the masks */
    uint32_t ea;                                  /* linear address of the memory operand, or 0 */
    bool wide, memory;                            /* operand size 32; has a memory operand */
    struct outcome host;
} __attribute__((aligned(64)));

/* What the two processes share. */
struct batch {
    uint8_t data[DATA_SIZE], constant[PAGE];      /* memory before the patches */
    uint32_t access[32], limit[32];               /* LAR and LSL of GDT entries that user code sees; 0: it does not */
    uint32_t count, next;                         /* next: the case that runs or waits */
    struct test_case test[BATCH];
};

#endif
