/* The picture is scaled here, not by a graphics library. The screen of a guest at its prompt changes in the few rows of its
 * cursor, nine times a second; scaling just those costs nothing, where an OpenGL that is emulated by the CPU (virtual
 * machines, remote desktops) would draw and copy the whole window and take 50 MiB for itself.
 *
 * A pixel of 720x400 is no whole number of points on the screen, since the picture is 4:3. Points that lie in one pixel
 * take its colour, those on an edge are blended by what they cover of each: text stays sharp, and no column is wider than
 * its neighbour. */
#ifndef BEIGE_MINIMAL
#include "frontend/window_show.h"

#include <stdlib.h>
#include <string.h>

enum { ONE = 256, RECTS = 64 };

SDL_Rect show_place(const struct surface *f, int width, int height)
{
    int64_t aw = f->aspect_w ? f->aspect_w : f->width, ah = f->aspect_h ? f->aspect_h : f->height;
    SDL_Rect r = { 0, 0, width, height };
    if (width * ah > height * aw) r.w = (int)((height * aw + ah / 2) / ah);
    else r.h = (int)((width * ah + aw / 2) / aw);
    if (r.w < 1) r.w = 1;
    if (r.h < 1) r.h = 1;
    r.x = (width - r.w) / 2;
    r.y = (height - r.h) / 2;
    return r;
}

bool show_axis_set(struct show_axis *a, unsigned from, unsigned to)
{
    if (a->at && a->from == from && a->to == to) return true;
    free(a->at);
    free(a->share);
    *a = (struct show_axis){ .from = from, .to = to, .at = malloc(to * sizeof *a->at), .share = malloc(to * sizeof *a->share) };
    if (!a->at || !a->share) return false;
    for (unsigned i = 0; i < to; i++) {
        /* The point covers from b to b + from of a line in which a pixel is `to` long; downwards a point is one pixel. */
        uint64_t b = (uint64_t)i * from, pixel = b / to, edge = (pixel + 1) * to, end = b + (from < to ? from : to);
        a->at[i] = (uint32_t)pixel;
        a->share[i] = end > edge && pixel + 1 < from ? (uint16_t)((end - edge) * ONE / (end - b)) : 0;
    }
    return true;
}

/* Both colours of 0x00RRGGBB at once: red and blue lie 16 bits apart. */
static uint32_t blend(uint32_t a, uint32_t b, unsigned share)
{
    uint32_t rb = ((a & 0xff00ff) * (ONE - share) + (b & 0xff00ff) * share) >> 8 & 0xff00ff;
    uint32_t g = ((a & 0x00ff00) * (ONE - share) + (b & 0x00ff00) * share) >> 8 & 0x00ff00;
    return rb | g;
}

void show_row(const struct show *v, const struct surface *f, unsigned row, uint32_t *out)
{
    const uint32_t *src = f->pixels + (size_t)v->y.at[row] * f->stride;
    if (v->y.share[row]) {
        for (unsigned i = 0; i < f->width; i++) v->line[i] = blend(src[i], src[i + f->stride], v->y.share[row]);
        src = v->line;
    }
    if (v->x.from == v->x.to) {
        memcpy(out, src, v->x.to * sizeof *out);
        return;
    }
    for (unsigned i = 0; i < v->x.to; i++) {
        const uint32_t *p = src + v->x.at[i];
        out[i] = v->x.share[i] ? blend(p[0], p[1], v->x.share[i]) : p[0];
    }
}

/* Makes ready for this picture in this window; sets *all if everything has to be drawn. False without memory. */
static bool show_prepare(struct show *v, const struct surface *f, SDL_Surface *s, bool *all)
{
    SDL_Rect place = show_place(f, s->w, s->h);
    if (!v->shown || memcmp(&place, &v->place, sizeof place) != 0 || v->x.from != f->width || v->y.from != f->height) {
        v->shown = false;
        *all = true;
    }
    v->place = place;
    if (v->x.from != f->width || !v->line) {
        free(v->line);
        v->line = malloc(f->width * sizeof *v->line);
    }
    return v->line && show_axis_set(&v->x, f->width, (unsigned)place.w) && show_axis_set(&v->y, f->height, (unsigned)place.h);
}

/* Draws the rows of the target that show dirty rows; returns the stretches in r. */
static int show_rows(struct show *v, const struct surface *f, SDL_Surface *s, bool all, SDL_Rect r[RECTS])
{
    int n = 0;
    for (unsigned row = 0; row < v->y.to; row++) {
        unsigned at = v->y.at[row];
        int y = v->place.y + (int)row;
        if (!all && !f->dirty_rows[at] && !(v->y.share[row] && f->dirty_rows[at + 1])) continue;
        show_row(v, f, row, (uint32_t *)(void *)((uint8_t *)s->pixels + (size_t)y * (size_t)s->pitch) + v->place.x);
        if (n && (r[n - 1].y + r[n - 1].h == y || n == RECTS)) r[n - 1].h = y + 1 - r[n - 1].y;
        else r[n++] = (SDL_Rect){ v->place.x, y, v->place.w, 1 };
    }
    return n;
}

bool show_picture(struct show *v, const struct surface *f, bool all)
{
    SDL_Rect rects[RECTS];
    SDL_Surface *win = SDL_GetWindowSurface(v->win), *s = win;
    if (!win || win->w < 1 || win->h < 1) return false;
    bool other = win->format->format != SDL_PIXELFORMAT_RGB888;     /* SDL's name of 0x00RRGGBB */
    if (other) {
        s = SDL_CreateRGBSurfaceWithFormat(0, win->w, win->h, 32, SDL_PIXELFORMAT_RGB888);
        all = true;
    }
    if (!s || !show_prepare(v, f, s, &all)) return false;
    if (SDL_MUSTLOCK(s)) SDL_LockSurface(s);
    if (!v->shown || other) SDL_FillRect(s, NULL, 0);
    int n = show_rows(v, f, s, all, rects);
    if (SDL_MUSTLOCK(s)) SDL_UnlockSurface(s);
    if (other) {
        SDL_BlitSurface(s, NULL, win, NULL);
        SDL_FreeSurface(s);
    }
    if (!v->shown || other) SDL_UpdateWindowSurface(v->win);
    else if (n) SDL_UpdateWindowSurfaceRects(v->win, rects, n);
    v->shown = true;
    return n > 0;
}

void show_fini(struct show *v)
{
    free(v->x.at);
    free(v->x.share);
    free(v->y.at);
    free(v->y.share);
    free(v->line);
}
#endif
