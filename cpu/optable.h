/* The instruction table as C: enum op, operand letters, attributes, and one struct op_row a line of optable.def. */
#ifndef CPU_OPTABLE_H
#define CPU_OPTABLE_H

#include "cpu/insn.h"
#include "cpu/model.h"

#define OP_PASTE_(a, b) a##b
#define OP_PASTE(a, b) OP_PASTE_(a, b)

#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) OP_##body,
#define OP_Z OP
#define OP_C OP
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) OP_##body,
#define OP_R OP_N
#define OP_X87(code, n, first, num, body, mnemonic, operand, level, feature) OP_PASTE(OP_X87_ROW_, __LINE__),
#define OP_PSEUDO(text, body) OP_##body,
#define AS(code, body, needs)
#define AS_C AS
#define AS_N(code, n, body, needs)
enum op {
    OP_NONE,                      /* empty slot of a decode map */
#include "cpu/optable.def"
    OP_COUNT
};
#undef OP
#undef OP_Z
#undef OP_C
#undef OP_N
#undef OP_R
#undef OP_X87
#undef OP_PSEUDO
#undef AS
#undef AS_C
#undef AS_N

/* Operand letters of the SDM and what they decode to. */
enum operand {
    O__, O_NONE = O__,
    O_Eb, O_Ew, O_Ed, O_Ev, O_Gb, O_Gw, O_Gd, O_Gv,          /* ModRM r/m; ModRM reg */
    O_M, O_Ma, O_Mp, O_Mb, O_Mw, O_Md, O_Mq, O_Mt, O_Ms,     /* ModRM r/m, memory only; p far pointer, s table pointer */
    O_Zb, O_Zv,                                              /* opcode bits 0-2, left in insn.rm */
    O_AL, O_AX, O_eAX, O_CL, O_DX,                           /* fixed: AL, AX and eAX decode as insn.rm or insn.reg = 0 */
    O_Ib, O_Ibs, O_Iw, O_Iz, O_Iv, O_I1,                     /* insn.imm; a second immediate is in insn.disp */
    O_Jb, O_Jz, O_Ap,                                        /* insn.imm: displacement; far: offset, selector in insn.disp */
    O_Ob, O_Ov,                                              /* insn.disp, no registers */
    O_Sw, O_Sop,                                             /* segment register: ModRM reg; opcode bits 3-5 */
    O_Ry, O_Cy, O_Dy, O_Ty,                                  /* ModRM r/m whatever mod says; control, debug, test registers */
    O_Xb, O_Xv, O_Xz, O_Yb, O_Yv, O_Yz,                      /* strings; insn.scale_seg holds X's segment */
    O_hES, O_hSS, O_hDS, O_hFS, O_hGS,                       /* insn.imm = SEG_*, not written */
    O_STi, O_ST0_STi, O_STi_ST0,                             /* insn.rm = i */
    O_Pq, O_Qq, O_Qd, O_Vx, O_Wx, O_Wd, O_Wq,                /* MMX and XMM registers and their r/m */
    O_Nq, O_Ux,                                              /* the same, r/m a register only */
};

enum op_attr {
    OPA_LOCK = 1, OPA_FW = 2, OPA_FP = 4, OPA_FR = 8, OPA_END = 16, OPA_TIME = 32, OPA_REP = 64, OPA_PURE = 128, OPA_STK = 256,
    OPA_MEM = 512,                /* set by optable.c: an operand may be memory */
};

/* A level range and a feature, all of which the model must have. */
struct op_needs { uint8_t least, most, feature; };
enum { NO_FEATURE = 0xff };

struct op_row {
    const char *mnemonic;         /* upper case; "cc" stands for the condition */
    uint8_t operand[3];           /* enum operand */
    uint16_t attr;
    insn_body *body;
};
extern const struct op_row optable[OP_COUNT];

/* Where a row stands in the opcode map. */
struct op_code {
    uint32_t code;                /* mandatory prefix, 0F, opcode */
    uint16_t op;
    int8_t n;                     /* ModRM reg field, -1: any */
    uint8_t rm, rm_count;         /* rm_count > 0: ModRM bytes rm to rm + rm_count - 1 */
    uint8_t span;                 /* opcodes: 1, 8 or 16 */
    struct op_needs needs;
};
extern const struct op_code op_codes[];
extern const unsigned op_codes_count;

static inline bool operand_is_register_only(enum operand o) { return o == O_Nq || o == O_Ux; }
static inline bool operand_is_memory_only(enum operand o) { return o >= O_M && o <= O_Ms; }

#endif
