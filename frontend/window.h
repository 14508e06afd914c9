/* The SDL2 window. Only the main thread. In a build without SDL2 window_create says so. */
#ifndef FRONTEND_WINDOW_H
#define FRONTEND_WINDOW_H

#include "frontend/session.h"

struct window;

/* NULL and *e if there is no display. */
struct window *window_create(struct session *s, const char *title, bool fullscreen, struct error *e);
void window_destroy(struct window *w);
/* Takes the host's events, shows what changed. Returns how long (ns) the caller can wait before the next call. */
uint64_t window_service(struct window *w);

#endif
