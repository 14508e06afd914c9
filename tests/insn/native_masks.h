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
/* NULL if alike, else what differs first. */
const char *outcome_difference(const struct outcome *h, const struct outcome *o);
/* The instruction goes on to the next, so that it may stand in a block. */
bool case_may_run_in_block(const struct test_case *t);
/* Prints the tables: rows not run, undefined flags, and what was skipped how often. */
struct skip_count { const char *why; unsigned long count; };
void print_masks(const struct skip_count *reasons, unsigned reasons_count);

#endif
