/* The demonstration floppy: bytes made from images/demo at build time. */
#include "frontend/demo.h"

extern const unsigned char demo_image[];
extern const unsigned long demo_image_size;

const uint8_t *demo_floppy(size_t *len)
{
    *len = demo_image_size;
    return demo_image;
}
