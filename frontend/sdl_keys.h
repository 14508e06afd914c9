/* SDL scan codes (USB HID usage numbers) to keys of the PC keyboard, by position. */
#ifndef FRONTEND_SDL_KEYS_H
#define FRONTEND_SDL_KEYS_H

#include <SDL.h>
#include "base/key.h"

/* KEY_NONE for a key that a PC keyboard does not have. Pure. */
enum key sdl_key(SDL_Scancode code);

#endif
