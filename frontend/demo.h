/* The demonstration floppy that is linked into the program (images/demo). */
#ifndef FRONTEND_DEMO_H
#define FRONTEND_DEMO_H

#include <stddef.h>
#include <stdint.h>

/* The image, shorter than a floppy if its end is empty. Never NULL. */
const uint8_t *demo_floppy(size_t *len);

#endif
