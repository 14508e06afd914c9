/* A picture in host memory: what a display chip renders into and a frontend shows. 0x00RRGGBB in host byte order. */
#ifndef HOST_SURFACE_H
#define HOST_SURFACE_H

#include <stdbool.h>
#include <stdint.h>

struct surface {
    uint32_t *pixels;               /* stride * height; owned by whoever created the surface */
    unsigned width, height;         /* visible pixels */
    unsigned stride;                /* in pixels */
    uint64_t generation;            /* grows when the size changes */
    uint8_t *dirty_rows;            /* height flags: the row changed in the last render */
    unsigned aspect_w, aspect_h;    /* shape of the whole picture on a monitor, 4:3 for the VGA text and graphics modes */
    uint32_t cap_pixels, cap_rows;  /* allocated */
};

/* Makes room for width x height and bumps generation if the size changed. Returns false if out of memory. */
bool surface_resize(struct surface *s, unsigned width, unsigned height);
void surface_fini(struct surface *s);

#endif
