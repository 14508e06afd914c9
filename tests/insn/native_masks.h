/* What is not compared, each with the reason and the manual's page. The tables are in native_masks.c. */
#ifndef TESTS_INSN_NATIVE_MASKS_H
#define TESTS_INSN_NATIVE_MASKS_H

#include "tests/insn/native.h"

/* Why no case of this row is run, or NULL. */
const char *row_skipped(const char *name);
/* Why this case's outcomes say nothing, or NULL. */
const char *case_skipped(const struct test_case *t, const struct outcome *ours);
/* Makes alike in both outcomes what the manual leaves undefined or the host is known to do otherwise. */
void mask_outcomes(const struct test_case *t, struct outcome *host, struct outcome *ours);
/* Prints both tables. */
void print_masks(void);

#endif
