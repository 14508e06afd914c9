/* One decoded instruction: what the decoder makes from the table and what every handler reads.
 *
 * 32 bytes. It holds its offset in the page, never EIP: one physical byte is reached through many CS:IP pairs. */
#ifndef CPU_INSN_H
#define CPU_INSN_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct insn;

/* Runs i and continues with its successor (exec.h). budget: instructions left at the block's start, less BLOCK_MAX, so that
 * a negative one means "the next block may not fit"; spare: a scratch register for fused handlers. */
typedef void insn_handler(struct cpu *c, const struct insn *i, int64_t budget, uint64_t spare);

enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT, SEG_NONE = 7 };   /* ModRM sreg order */
enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_NONE = 16 /* reads as zero */ };

enum { /* insn.flags */
    INSN_OPSIZE = 0x03,      /* log2 of the operand size of v operands: 1 = 16, 2 = 32, 3 = 64 bits */
    INSN_ADDR16 = 0x00, INSN_ADDR32 = 0x04, INSN_ADDR64 = 0x08, INSN_ADDRSIZE = 0x0c,
    INSN_MEM = 0x10,         /* ModRM names memory */
    INSN_REP = 0x20,         /* F3 */
    INSN_REPNE = 0x40,       /* F2 */
    INSN_LOCK = 0x80,
};

struct insn {
    insn_handler *run;
    int32_t imm;             /* immediate, sign- or zero-extended as the table says; far pointer: the offset;
                                x87 (D8-DF): the FOP value, (opcode & 7) << 8 | ModRM byte, prefixes ignored */
    int32_t disp;            /* displacement; without a memory operand: second immediate (far selector, ENTER level);
                                near relative jumps: offset of the target from the page's start */
    int32_t link;            /* jumps in the page: records from here to the target's; owned by block.c */
    uint16_t op;             /* enum op, the row of optable.def */
    uint16_t off;            /* offset of its first byte in the page */
    uint8_t len;             /* 1 to 15; on the 8086 to INSN_MAX_8086 */
    uint8_t flags;
    uint8_t reg, rm;         /* ModRM reg and r/m register numbers (REX applied); byte forms: see byte_reg() */
    uint8_t base, index;     /* address: register numbers, R_NONE where absent */
    uint8_t scale_seg;       /* bits 0-1 log2 scale, bits 4-6 SEG_* after overrides and defaults */
    uint8_t count;           /* instructions of the block that come before this one */
};
_Static_assert(sizeof(struct insn) == 32, "struct insn is two per cache line");

static inline unsigned insn_opsize(const struct insn *i) { return 1u << (i->flags & INSN_OPSIZE); }   /* 2, 4 or 8 bytes */
static inline unsigned insn_addrsize(const struct insn *i) { return 2u << ((i->flags & INSN_ADDRSIZE) >> 2); }
static inline bool insn_is_mem(const struct insn *i) { return i->flags & INSN_MEM; }
static inline unsigned insn_seg(const struct insn *i) { return i->scale_seg >> 4; }
static inline unsigned insn_scale(const struct insn *i) { return i->scale_seg & 3; }

/* What a slow body tells its caller. Each operation's slow body is one function `enum status op_NAME(c, i)`: the
 * interpreter wraps it in a tail call, a JIT calls it. On entry c->rip is this instruction's IP, c->next_rip the next
 * one's, and time is published. A fault leaves by cpu_fault() (longjmp) with no architectural state written. */
enum status {
    BODY_NEXT,               /* done: go on at next_rip */
    BODY_JUMP,               /* done: c->rip holds the new IP (CS may have changed); leave the block */
    BODY_AGAIN,              /* one REP iteration done: the same instruction again (counts one), rip unchanged */
};
typedef enum status insn_body(struct cpu *c, const struct insn *i);

#endif
