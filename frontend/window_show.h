/* Putting a picture of any size into a window of any size, by the CPU. Pure but for the SDL window. */
#ifndef FRONTEND_WINDOW_SHOW_H
#define FRONTEND_WINDOW_SHOW_H

#include <SDL.h>
#include "host/surface.h"

/* One direction of the scaling: for each point of the target the source point left of it and the share of the next one,
 * 0 to 256. */
struct show_axis { unsigned from, to; uint32_t *at; uint16_t *share; };

struct show {
    SDL_Window *win;
    SDL_Rect place;                    /* of the picture in the window */
    struct show_axis x, y;
    uint32_t *line;                    /* a source row, blended */
    bool shown;                        /* the window holds a picture made with these */
};

/* Shows the rows of f that are marked dirty, or all. False if nothing had to be. */
bool show_picture(struct show *v, const struct surface *f, bool all);
void show_fini(struct show *v);

/* The largest rectangle of f's shape (4:3 for all VGA modes) in the middle of width x height. */
SDL_Rect show_place(const struct surface *f, int width, int height);
/* False without memory. */
bool show_axis_set(struct show_axis *a, unsigned from, unsigned to);
/* Row `row` of the target into out (x.to pixels). */
void show_row(const struct show *v, const struct surface *f, unsigned row, uint32_t *out);

#endif
