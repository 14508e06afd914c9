/* Beige's side of `native`: the same window, segments and privilege as the host process has, in a CPU on a little RAM. */
#ifndef TESTS_INSN_NATIVE_BEIGE_H
#define TESTS_INSN_NATIVE_BEIGE_H

#include "cpu/state.h"
#include "tests/insn/native.h"

struct beige;
/* The newest model, with what the engine implements beyond it. */
struct beige *beige_create(const struct batch *b);
void beige_destroy(struct beige *g);
struct cpu *beige_cpu(struct beige *g);
/* Runs a case. in_block: as part of a block that ends with INT3 after it (only for instructions that go on to the next). */
void beige_run(struct beige *g, const struct test_case *t, bool in_block, struct outcome *o);

#endif
