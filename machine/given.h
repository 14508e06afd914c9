/* What a machine was given besides its drives' images: firmware, kernel, fw_cfg files. Private to machine/. */
#ifndef MACHINE_GIVEN_H
#define MACHINE_GIVEN_H

#include "machine/pc.h"

enum { GIVEN_BYTES = 40 };
/* Length (8 bytes) and SHA-256 of one such thing. Its name is a fw_cfg file's, "key 8be1", a ROM's, or "boot". */
struct given { char name[64]; uint8_t id[GIVEN_BYTES]; };

/* All of it, in an order that the configuration fixes; free() it. NULL if the host has no memory. */
struct given *given_list(struct machine *m, unsigned *count);
/* The option that a thing of that name comes from, for a message. */
const char *given_option(const char *name);

#endif
