/* Cases for `native`, made from the instruction table: every row, any prefixes, operands that matter. */
#ifndef TESTS_INSN_NATIVE_GEN_H
#define TESTS_INSN_NATIVE_GEN_H

#include "cpu/optable.h"
#include "tests/insn/native.h"

/* Name of a row: its body in optable.def ("add_Eb_Gb"). */
const char *row_name(enum op op);
static inline const char *case_name(const struct test_case *t) { return row_name((enum op)op_codes[t->row].op); }
static inline const struct op_row *case_row(const struct test_case *t) { return &optable[op_codes[t->row].op]; }

struct generator { uint64_t state; };
void generator_seed(struct generator *g, uint64_t seed);
/* Memory before a batch's patches. */
void generate_memory(struct generator *g, uint8_t *data, unsigned len);
/* A case of row `row` of op_codes. */
void generate_case(struct generator *g, unsigned row, struct test_case *t);

#endif
