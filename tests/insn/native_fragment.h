/* Fragments: single cases of `native` as text, in tests/insn/fragments/. A failure prints its reproducer in this form.
 *
 *   # what it shows
 *   form cmpxchg8b_Mq                       row of optable.def, whose masks apply
 *   code 32 0f c7 c8                        16- or 32-bit code, and its bytes
 *   in eip=40006000 eax=1 st0=3fff8000000000000000
 *   at 40001000 00 11 22                    memory before
 *   out vector=6 error=0                    what changes: vector ff, none, is not written
 *   mem 40001000 12345678                   dwords that change, ascending
 *
 * What `in` does not name is 0, but esp 40002000, eflags 202, selectors 23 (code) and 2b, fcw 37f, mxcsr 1f80. Words that
 * concern the runner stand on `form`: wide=1 (32-bit operands), steps=2, ea=ADDRESS (of the operand, for the masks). */
#ifndef TESTS_INSN_NATIVE_FRAGMENT_H
#define TESTS_INSN_NATIVE_FRAGMENT_H

#include <stddef.h>
#include <stdio.h>
#include "tests/insn/native.h"

/* Prints t with t->host as what is right. */
void fragment_print(FILE *out, const struct test_case *t);
/* False: error says which line is wrong. */
bool fragment_read(FILE *in, struct test_case *t, char *error, size_t error_size);

#endif
