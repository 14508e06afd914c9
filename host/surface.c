/* Storage of a rendered picture. */
#include "host/surface.h"

#include <stdlib.h>
#include <string.h>

bool surface_resize(struct surface *s, unsigned width, unsigned height)
{
    if (s->pixels && s->width == width && s->height == height) return true;
    uint32_t need = width * height;
    if (need > s->cap_pixels) {
        uint32_t *p = realloc(s->pixels, (size_t)need * sizeof *p);
        if (!p) return false;
        s->pixels = p;
        s->cap_pixels = need;
    }
    if (height > s->cap_rows) {
        uint8_t *r = realloc(s->dirty_rows, height);
        if (!r) return false;
        s->dirty_rows = r;
        s->cap_rows = height;
    }
    s->width = s->stride = width;
    s->height = height;
    s->generation++;
    memset(s->dirty_rows, 1, height);
    return true;
}

void surface_fini(struct surface *s)
{
    free(s->pixels);
    free(s->dirty_rows);
    memset(s, 0, sizeof *s);
}
