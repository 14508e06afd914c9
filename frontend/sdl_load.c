/* SDL2, loaded when the first window opens: its functions that the window uses, passed on.
 *
 * Linked the usual way SDL2 brings some fifty libraries (X11, Wayland, PulseAudio) into every run, also of a machine without
 * a window, which cost a fifth of the time to the first byte of a boot sector, and 3 MiB. The functions here have SDL's names
 * and types, as its header demands, and look the real ones up by name. Each look-up is a fraction of a microsecond, and
 * the window calls a few functions a frame. Without the library SDL_Init fails and SDL_GetError says why. */
#ifndef BEIGE_MINIMAL
#include <SDL.h>
#include <dlfcn.h>
#include <stddef.h>

#define LIBRARY "libSDL2-2.0.so.0"

static void *function(const char *name)
{
    void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return NULL;
    void *f = dlsym(library, name);
    dlclose(library);                         /* stays in memory: RTLD_NODELETE */
    return f;
}

#define PASS(TYPE, NAME, PARAMETERS, ARGUMENTS, MISSING) \
    TYPE NAME PARAMETERS \
    { \
        TYPE (*f) PARAMETERS = (TYPE (*) PARAMETERS)function(#NAME); \
        return f ? f ARGUMENTS : MISSING; \
    }
#define PASS_VOID(NAME, PARAMETERS, ARGUMENTS) \
    void NAME PARAMETERS \
    { \
        void (*f) PARAMETERS = (void (*) PARAMETERS)function(#NAME); \
        if (f) f ARGUMENTS; \
    }

PASS(int, SDL_Init, (Uint32 flags), (flags), -1)
PASS(const char *, SDL_GetError, (void), (), LIBRARY " is not installed")
PASS(const char *, SDL_GetCurrentVideoDriver, (void), (), NULL)
PASS(SDL_bool, SDL_SetHint, (const char *name, const char *value), (name, value), SDL_FALSE)
PASS(int, SDL_PollEvent, (SDL_Event *event), (event), 0)
PASS(int, SDL_SetRelativeMouseMode, (SDL_bool on), (on), -1)
PASS(SDL_Window *, SDL_CreateWindow, (const char *title, int x, int y, int w, int h, Uint32 flags),
     (title, x, y, w, h, flags), NULL)
PASS(Uint32, SDL_GetWindowFlags, (SDL_Window *window), (window), 0)
PASS(SDL_Surface *, SDL_GetWindowSurface, (SDL_Window *window), (window), NULL)
PASS(int, SDL_SetWindowFullscreen, (SDL_Window *window, Uint32 flags), (window, flags), -1)
PASS(int, SDL_UpdateWindowSurface, (SDL_Window *window), (window), -1)
PASS(int, SDL_UpdateWindowSurfaceRects, (SDL_Window *window, const SDL_Rect *rects, int count), (window, rects, count), -1)
PASS(SDL_Surface *, SDL_CreateRGBSurfaceWithFormat, (Uint32 flags, int w, int h, int depth, Uint32 format),
     (flags, w, h, depth, format), NULL)
PASS(int, SDL_FillRect, (SDL_Surface *to, const SDL_Rect *rect, Uint32 color), (to, rect, color), -1)
PASS(int, SDL_LockSurface, (SDL_Surface *surface), (surface), -1)
PASS(int, SDL_UpperBlit, (SDL_Surface *from, const SDL_Rect *from_rect, SDL_Surface *to, SDL_Rect *to_rect),
     (from, from_rect, to, to_rect), -1)
PASS_VOID(SDL_UnlockSurface, (SDL_Surface *surface), (surface))
PASS_VOID(SDL_FreeSurface, (SDL_Surface *surface), (surface))
PASS_VOID(SDL_DestroyWindow, (SDL_Window *window), (window))
PASS_VOID(SDL_SetWindowKeyboardGrab, (SDL_Window *window, SDL_bool grabbed), (window, grabbed))
PASS_VOID(SDL_SetWindowSize, (SDL_Window *window, int w, int h), (window, w, h))
PASS_VOID(SDL_SetWindowTitle, (SDL_Window *window, const char *title), (window, title))
PASS_VOID(SDL_EnableScreenSaver, (void), ())
PASS_VOID(SDL_StopTextInput, (void), ())
PASS_VOID(SDL_Quit, (void), ())
#endif
