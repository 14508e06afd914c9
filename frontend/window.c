/* The SDL2 window: the screen at its right shape, the keyboard by scan code, the mouse by relative motion.
 *
 * Keys go by the position of the key, not by what the host's layout prints on it, so the guest's own layout applies. Clicking
 * grabs the mouse; Ctrl+Alt+G lets it go (the title says so while it is grabbed). Ctrl+Alt+F is full screen, Ctrl+Alt+Q
 * quits. The picture is rendered at most 60 times a second, and only rows that changed are shown (window_show.c). */
#include "frontend/window.h"

#include <stdlib.h>
#include <string.h>
#ifndef BEIGE_MINIMAL
#include <SDL.h>
#include "frontend/sdl_keys.h"
#include "frontend/window_show.h"

enum { FRAME_NS = 16666667, IDLE_FRAME_NS = 33333333, TITLE_NS = 1000000000 };

struct window {
    struct session *s;
    SDL_Window *win;
    struct show show;
    char *name;
    unsigned mode_w, mode_h;
    uint64_t generation;
    uint64_t next_frame, next_title;
    bool grabbed, fullscreen, expose;
    bool down[KEY_COUNT];
};

static void window_title(struct window *w)
{
    char text[256];
    const char *state = w->s->state == RUN_RUNNING ? "" : w->s->state == RUN_IO_ERROR ? " [host error]" : " [stopped]";
    double speed = pace_speed(&w->s->pace);
    if (w->grabbed) snprintf(text, sizeof text, "%s%s - Ctrl+Alt+G releases the mouse", w->name, state);
    else if (*state) snprintf(text, sizeof text, "%s%s", w->name, state);
    else if (speed > 0) snprintf(text, sizeof text, "%s - %.0f%%", w->name, speed * 100);
    else snprintf(text, sizeof text, "%s", w->name);
    SDL_SetWindowTitle(w->win, text);
}

static void window_release_keys(struct window *w)
{
    for (unsigned k = 1; k < KEY_COUNT; k++)
        if (w->down[k]) machine_key(w->s->machine, (enum key)k, false);
    memset(w->down, 0, sizeof w->down);
}

static void window_grab(struct window *w, bool on)
{
    if (on == w->grabbed) return;
    w->grabbed = on;
    SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowKeyboardGrab(w->win, on ? SDL_TRUE : SDL_FALSE);
    window_title(w);
}

static void window_fullscreen(struct window *w, bool on)
{
    w->fullscreen = on;
    SDL_SetWindowFullscreen(w->win, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    window_grab(w, on);
    w->expose = true;
}

/* Ctrl+Alt+letter is the emulator's; everything else the guest's. */
static bool window_hotkey(struct window *w, const SDL_KeyboardEvent *ev)
{
    const Uint16 mods = ev->keysym.mod;                /* when it was pressed: SDL_GetModState may be ahead */
    if (!(mods & KMOD_CTRL) || !(mods & KMOD_ALT)) return false;
    switch (ev->keysym.scancode) {
    case SDL_SCANCODE_G:
        window_release_keys(w);
        window_grab(w, !w->grabbed);
        return true;
    case SDL_SCANCODE_F:
        window_release_keys(w);
        window_fullscreen(w, !w->fullscreen);
        return true;
    case SDL_SCANCODE_Q:
        session_quit(w->s, EXIT_GUEST_OFF, "quit by Ctrl+Alt+Q");
        return true;
    default:
        return false;
    }
}

static void window_key(struct window *w, const SDL_KeyboardEvent *ev)
{
    bool down = ev->type == SDL_KEYDOWN;
    enum key k = sdl_key(ev->keysym.scancode);
    if (ev->repeat || (down && window_hotkey(w, ev))) return;      /* the guest's keyboard repeats by itself */
    if (k == KEY_NONE || (!down && !w->down[k])) return;
    w->down[k] = down;
    machine_key(w->s->machine, k, down);
}

static void window_button(struct window *w, const SDL_MouseButtonEvent *ev)
{
    static const uint32_t bits[] = { [SDL_BUTTON_LEFT] = 1, [SDL_BUTTON_RIGHT] = 2, [SDL_BUTTON_MIDDLE] = 4 };
    uint32_t bit = ev->button <= SDL_BUTTON_RIGHT ? bits[ev->button] : 0, *buttons = &w->s->mouse_buttons;
    if (!w->grabbed) {
        if (ev->type == SDL_MOUSEBUTTONDOWN && machine_mouse_wanted(w->s->machine)) window_grab(w, true);
        return;
    }
    *buttons = ev->type == SDL_MOUSEBUTTONDOWN ? *buttons | bit : *buttons & ~bit;
    machine_mouse(w->s->machine, 0, 0, 0, *buttons);
}

static void window_event(struct window *w, const SDL_Event *ev)
{
    switch (ev->type) {
    case SDL_QUIT:
        session_quit(w->s, EXIT_GUEST_OFF, "the window was closed");
        return;
    case SDL_KEYDOWN: case SDL_KEYUP:
        window_key(w, &ev->key);
        return;
    case SDL_MOUSEMOTION:
        if (w->grabbed) machine_mouse(w->s->machine, ev->motion.xrel, ev->motion.yrel, 0, w->s->mouse_buttons);
        return;
    case SDL_MOUSEWHEEL:
        if (w->grabbed) machine_mouse(w->s->machine, 0, 0, -ev->wheel.y, w->s->mouse_buttons);
        return;
    case SDL_MOUSEBUTTONDOWN: case SDL_MOUSEBUTTONUP:
        window_button(w, &ev->button);
        return;
    case SDL_WINDOWEVENT:
        if (ev->window.event == SDL_WINDOWEVENT_FOCUS_LOST) {
            window_release_keys(w);                    /* a key let go elsewhere would hang in the guest */
            window_grab(w, false);
        }
        if (ev->window.event == SDL_WINDOWEVENT_EXPOSED || ev->window.event == SDL_WINDOWEVENT_SIZE_CHANGED) w->expose = true;
        return;
    }
}

/* The window follows the guest's mode, at the shape the monitor would show, unless the person made it larger. */
static void window_follow(struct window *w, const struct surface *f)
{
    bool large = w->fullscreen || SDL_GetWindowFlags(w->win) & SDL_WINDOW_MAXIMIZED;
    if (!large && (f->width != w->mode_w || f->height != w->mode_h)) {
        unsigned h = f->height < 400 ? f->height * 2 : f->height, width = f->width < 500 ? f->width * 2 : f->width;
        if (f->aspect_w && f->aspect_h) h = width * f->aspect_h / f->aspect_w;
        SDL_SetWindowSize(w->win, (int)width, (int)h);
    }
    w->mode_w = f->width;
    w->mode_h = f->height;
}

static void window_draw(struct window *w)
{
    const struct surface *f = machine_display(w->s->machine);
    if (!f || !f->pixels || !f->width || !f->height) return;
    bool all = w->expose || w->s->picture_shared || f->generation != w->generation;
    if (f->generation != w->generation) window_follow(w, f);
    if (all) w->show.shown = false;
    show_picture(&w->show, f, all);
    w->generation = f->generation;
    w->s->picture_shared = w->expose = false;
}

uint64_t window_service(struct window *w)
{
    SDL_Event ev;
    uint64_t now = pace_wall_ns();
    while (!w->s->quit && SDL_PollEvent(&ev)) {
        window_event(w, &ev);
        if (w->next_frame > now + FRAME_NS) w->next_frame = now + FRAME_NS;    /* somebody wants to see what it does */
    }
    if (now >= w->next_frame) {
        window_draw(w);
        now = pace_wall_ns();
        w->next_frame = now + (machine_halted(w->s->machine) ? IDLE_FRAME_NS : FRAME_NS);
    }
    if (now >= w->next_title) {
        window_title(w);
        w->next_title = now + TITLE_NS;
    }
    return w->next_frame > now ? w->next_frame - now : 0;
}

/* SDL would otherwise fall back to a driver that shows nothing. */
static bool have_display(void)
{
#ifdef __linux__
    return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || getenv("SDL_VIDEODRIVER");
#else
    return true;
#endif
}

struct window *window_create(struct session *s, const char *title, bool fullscreen, struct error *e)
{
    if (!have_display()) {
        error_set(e, HOST_MISSING, "no display for a window (neither DISPLAY nor WAYLAND_DISPLAY is set); use -display none or "
                  "-nographic");
        return NULL;
    }
    struct window *w = calloc(1, sizeof *w);
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    if (!w || !(w->name = strdup(title))) goto out_memory;
    w->s = s;
    if (SDL_Init(SDL_INIT_VIDEO) != 0) goto out_sdl;
    /* On X11 the window's memory is shared with the server; SDL would put OpenGL in between. */
    if (strcmp(SDL_GetCurrentVideoDriver(), "x11") == 0) SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    SDL_EnableScreenSaver();
    SDL_StopTextInput();                               /* keys, not text: no input method in between */
    w->win = SDL_CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 720, 540,
                              SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (!w->win) goto out_sdl;
    w->show.win = w->win;
    if (!SDL_GetWindowSurface(w->win)) goto out_sdl;
    if (fullscreen) window_fullscreen(w, true);
    return w;
out_sdl:
    error_set(e, HOST_MISSING, "cannot open a window: %s; use -display none or -nographic", SDL_GetError());
    window_destroy(w);
    return NULL;
out_memory:
    error_set(e, HOST_NO_MEMORY, "out of memory");
    free(w);
    return NULL;
}

void window_destroy(struct window *w)
{
    if (!w) return;
    show_fini(&w->show);
    if (w->win) SDL_DestroyWindow(w->win);
    SDL_Quit();
    free(w->name);
    free(w);
}

#else

struct window *window_create(struct session *s, const char *title, bool fullscreen, struct error *e)
{
    (void)s, (void)title, (void)fullscreen;
    error_set(e, HOST_REFUSED, "this build has no window; use -display none or -nographic");
    return NULL;
}

void window_destroy(struct window *w) { (void)w; }

uint64_t window_service(struct window *w)
{
    (void)w;
    return ~0ull;
}
#endif
