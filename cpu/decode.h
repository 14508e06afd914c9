/* From bytes to a decoded record. The decoder knows the table and a model's opcode map; it knows no CPU state. */
#ifndef CPU_DECODE_H
#define CPU_DECODE_H

#include <stddef.h>
#include "base/bytes.h"
#include "cpu/optable.h"

enum { INSN_MAX = 15,                         /* bytes the decoder may need to see, but on the 8086: */
       INSN_MAX_8086 = 240,                   /* it has no limit, its prefixes go on */
       DECODE_GROUPS = 256, DECODE_GROUP = 0x8000 };

/* Opcode maps of one model: op numbers, or DECODE_GROUP | group. What the model lacks is OP_NONE. */
struct decode_map {
    uint16_t slot[2][4][256];                 /* [0F map][mandatory prefix: none, 66, F3, F2][opcode] */
    uint16_t group[DECODE_GROUPS][72];        /* memory forms by reg, then register forms by the low six ModRM bits */
    uint32_t groups;
    uint8_t level;
    bool fpu;
    uint8_t max_len;                          /* longer is #GP(0); on the 8086 early prefixes are forgotten */
};

void decode_map_build(struct decode_map *m, enum cpu_level level, uint64_t features);

enum { CODE_16, CODE_32, CODE_64 };           /* default operand and address size */

/* Decodes the instruction at b into *i (all but run, link, off and count). False if it needs more than avail bytes. */
bool decode_insn(const struct decode_map *m, const uint8_t *b, unsigned avail, unsigned code_size, struct insn *i);

/* cpu_disasm() with a map that the caller keeps, for many instructions (disasm.c). */
unsigned disasm_insn(const struct decode_map *m, const uint8_t *buf, size_t len, unsigned mode, uint64_t ip, char *text,
                     size_t text_size);

/* Where a byte register lives in cpu.r, from its register number without REX: AL CL DL BL AH CH DH BH. */
static inline uint8_t byte_reg_offset(unsigned n)
{
    unsigned low = HOST_BIG_ENDIAN ? 7 : 0;
    return (uint8_t)((n & 3) * 8 + (n & 4 ? low ^ 1 : low));
}

#endif
