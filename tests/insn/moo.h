/* CPU tests captured from real chips, as stored in MOO files (MOO 1.x, docs/testing.md says where they come from). */
#ifndef TESTS_INSN_MOO_H
#define TESTS_INSN_MOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Registers in the order of the RG32 chunk; a REGS chunk fills their low halves. */
enum moo_reg {
    M_CR0, M_CR3, M_EAX, M_EBX, M_ECX, M_EDX, M_ESI, M_EDI, M_EBP, M_ESP, M_CS, M_DS, M_ES, M_FS, M_GS, M_SS, M_EIP, M_EFLAGS,
    M_DR6, M_DR7, M_COUNT,
};

struct moo_regs {
    bool wide;                           /* from an RG32 chunk */
    uint32_t given;                      /* bit per register */
    uint32_t value[M_COUNT];
};

struct moo_cell { uint32_t addr; uint8_t value; };
struct moo_snapshot {
    struct moo_regs regs;
    const uint8_t *ram;                  /* entries of five bytes, see moo_cell() */
    uint32_t cells;
};

enum { MOO_NAME = 64 };
struct moo_test {
    char name[MOO_NAME];
    struct moo_snapshot init, fina;
    struct moo_regs mask;                /* of this test alone */
    bool excp;                           /* an exception came, and pushed FLAGS at flags_addr */
    uint8_t vector;
    uint32_t flags_addr;
    const uint8_t *bytes;
    uint32_t len;
};

struct moo_file {
    uint8_t *data;
    size_t len, next;
    char cpu[5];                         /* "8086", "C286", "386E", ... */
    uint32_t declared, seen;             /* tests by the header, and read so far */
    struct moo_regs mask;                /* of every test in the file */
    char error[160];                     /* what is wrong with it, or "" */
};

/* Reads a file, compressed or not. False: f->error says why; moo_close() in any case. */
bool moo_open(struct moo_file *f, const char *path);
void moo_close(struct moo_file *f);
/* The next test, whose pointers are good until moo_close(). False at the end; then f->error tells a damaged file. */
bool moo_next(struct moo_file *f, struct moo_test *t);
struct moo_cell moo_cell(const struct moo_snapshot *s, uint32_t i);
/* A whole file with a zero byte behind it, to be freed; NULL and a message in error. */
uint8_t *moo_read_all(const char *path, size_t *len, char *error, size_t error_size);

#endif
