/* A machine that runs rom.asm: busy with interrupts, paging, strings, the FPU and most chips, without other firmware. */
#ifndef TESTS_BUSY_H
#define TESTS_BUSY_H

#include "machine/machine.h"

struct busy { struct machine *m; struct chr serial; uint64_t sent; struct log log; };

/* Writes the ROM to a file of its own and builds the machine. slot: 0 to 7, for several at once. Fails the test on error. */
void busy_create(struct busy *b, unsigned slot);
void busy_destroy(struct busy *b);
void busy_run(struct busy *b, uint64_t until_count);
/* The state hash as 64 hex digits. */
void busy_hash(struct busy *b, char text[65]);

#endif
