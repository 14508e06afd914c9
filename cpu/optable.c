/* optable.def as constant data. The only file that sees the attribute and requirement columns by their short names. */
#include "cpu/optable.h"

#include "cpu/system.h"

/* LES, LDS, LSS, LFS and LGS are one body: the segment is in insn.imm. */
#define op_les_Gv_Mp op_lxs_Gv_Mp
#define op_lds_Gv_Mp op_lxs_Gv_Mp
#define op_lss_Gv_Mp op_lxs_Gv_Mp
#define op_lfs_Gv_Mp op_lxs_Gv_Mp
#define op_lgs_Gv_Mp op_lxs_Gv_Mp
/* UMOV is MOV where there is no in-circuit emulator. */
#define op_umov_Eb_Gb op_mov_Eb_Gb
#define op_umov_Ev_Gv op_mov_Ev_Gv
#define op_umov_Gb_Eb op_mov_Gb_Eb
#define op_umov_Gv_Ev op_mov_Gv_Ev

/* ---- declarations of all bodies */
#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) insn_body op_##body;
#define OP_Z OP
#define OP_C OP
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) insn_body op_##body;
#define OP_R OP_N
#define OP_X87(code, n, first, num, body, mnemonic, operand, level, feature) insn_body op_##body;
#define OP_PSEUDO(text, body) insn_body op_##body;
#define AS(code, body, needs)
#define AS_C AS
#define AS_N(code, n, body, needs)
#include "cpu/optable.def"
#undef OP
#undef OP_N
#undef OP_X87
#undef OP_PSEUDO
#undef AS
#undef AS_N

enum {
    LOCK = OPA_LOCK, FW = OPA_FW, FP = OPA_FP, FR = OPA_FR, END = OPA_END, TIME = OPA_TIME, REP = OPA_REP, PURE = OPA_PURE,
    STK = OPA_STK,
};

#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) { #mnemonic, { O_##o1, O_##o2, O_##o3 }, attr, op_##body },
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) { #mnemonic, { O_##o1, O_##o2, O_##o3 }, attr, op_##body },
/* x87: FCOMI and FCMOV use EFLAGS, and any of them may fault; so all count as readers of flags. */
#define OP_X87(code, n, first, num, body, mnemonic, operand, level, feature) \
    { mnemonic, { operand, O__, O__ }, FP | FR, op_##body },
#define OP_PSEUDO(text, body) { text, { O__, O__, O__ }, END, op_##body },
#define AS(code, body, needs)
#define AS_N(code, n, body, needs)
const struct op_row optable[OP_COUNT] = {
    [OP_NONE] = { "(bad)", { O__, O__, O__ }, END, op_bad },
#include "cpu/optable.def"
};
#undef OP
#undef OP_N
#undef OP_X87
#undef OP_PSEUDO
#undef AS
#undef AS_N
#undef OP_Z
#undef OP_C
#undef OP_R
#undef AS_C

#define NEED_ALL  { LEVEL_8086, LEVEL_X64, NO_FEATURE }
#define NEED_L286 { LEVEL_286, LEVEL_X64, NO_FEATURE }
#define NEED_L386 { LEVEL_386, LEVEL_X64, NO_FEATURE }
#define NEED_L486 { LEVEL_486, LEVEL_X64, NO_FEATURE }
#define NEED_L586 { LEVEL_586, LEVEL_X64, NO_FEATURE }
#define NEED_L686 { LEVEL_686, LEVEL_X64, NO_FEATURE }
#define NEED_ONLY_8086 { LEVEL_8086, LEVEL_8086, NO_FEATURE }
#define NEED_ONLY_286  { LEVEL_286, LEVEL_286, NO_FEATURE }
#define NEED_386_486   { LEVEL_386, LEVEL_486, NO_FEATURE }
#define NEED_ONLY_386  { LEVEL_386, LEVEL_386, NO_FEATURE }
#define NEED_CMOV  { LEVEL_386, LEVEL_X64, F_CMOV }
#define NEED_MMX   { LEVEL_386, LEVEL_X64, F_MMX }
#define NEED_FXSR  { LEVEL_386, LEVEL_X64, F_FXSR }
#define NEED_SSE   { LEVEL_386, LEVEL_X64, F_SSE }
#define NEED_SSE2  { LEVEL_386, LEVEL_X64, F_SSE2 }
#define NEED_SSE3  { LEVEL_386, LEVEL_X64, F_SSE3 }
#define NEED_CLFLUSH { LEVEL_386, LEVEL_X64, F_CLFLUSH }
#define NEED_CX8   { LEVEL_386, LEVEL_X64, F_CX8 }
#define NEED_CPUID { LEVEL_386, LEVEL_X64, F_CPUID }
#define NEED_MSR   { LEVEL_386, LEVEL_X64, F_MSR }
#define NEED_NOPL  { LEVEL_386, LEVEL_X64, F_NOPL }
#define NEED_RDPMC { LEVEL_386, LEVEL_X64, F_RDPMC }
#define NEED_SEP   { LEVEL_386, LEVEL_X64, F_SEP }
#define NEED_SMM   { LEVEL_386, LEVEL_X64, F_SMM }
#define NEED_TSC   { LEVEL_386, LEVEL_X64, F_TSC }

#define OP(code, mnemonic, o1, o2, o3, body, needs, attr) { code, OP_##body, -1, 0, 0, 1, NEED_##needs },
#define OP_Z(code, mnemonic, o1, o2, o3, body, needs, attr) { code, OP_##body, -1, 0, 0, 8, NEED_##needs },
#define OP_C(code, mnemonic, o1, o2, o3, body, needs, attr) { code, OP_##body, -1, 0, 0, 16, NEED_##needs },
#define OP_N(code, n, mnemonic, o1, o2, o3, body, needs, attr) { code, OP_##body, n, 0, 0, 1, NEED_##needs },
#define OP_R(code, rm, mnemonic, o1, o2, o3, body, needs, attr) { code, OP_##body, -1, rm, 8, 1, NEED_##needs },
#define OP_X87(code, n, first, num, body, mnemonic, operand, level, feature) \
    { code, OP_PASTE(OP_X87_ROW_, __LINE__), n, first, num, 1, { level, LEVEL_X64, feature } },
#define OP_PSEUDO(text, body)
#define AS(code, body, needs) { code, OP_##body, -1, 0, 0, 1, NEED_##needs },
#define AS_C(code, body, needs) { code, OP_##body, -1, 0, 0, 16, NEED_##needs },
#define AS_N(code, n, body, needs) { code, OP_##body, n, 0, 0, 1, NEED_##needs },
const struct op_code op_codes[] = {
#include "cpu/optable.def"
};
const unsigned op_codes_count = sizeof op_codes / sizeof op_codes[0];
