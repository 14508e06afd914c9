/* Editing of one line on a terminal that may be anywhere: bytes go in as they come, what the terminal is to show comes out
 * through a callback. No library's line editor does: they own the process's terminal, and a monitor may sit on a socket, a
 * pty, and a terminal that it shares with a serial port, all at once. Pure; one thread. */
#ifndef FRONTEND_LINEEDIT_H
#define FRONTEND_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINEEDIT_MAX = 1024, LINEEDIT_HISTORY = 64 };

struct lineedit {
    const char *prompt;
    void (*put)(void *opaque, const char *text, size_t len);         /* to the terminal */
    void (*line)(void *opaque, const char *text);                    /* Enter was pressed; the next prompt follows */
    /* Words that text (up to the cursor) may go on with: calls add(ctx, word) for each. Part of the word at the end of text
     * is what they begin with. */
    void (*complete)(void *opaque, const char *text, void (*add)(void *ctx, const char *word), void *ctx);
    void *opaque;

    char text[LINEEDIT_MAX];
    size_t len, pos;
    char *history[LINEEDIT_HISTORY], *kept;                          /* oldest first; what was typed before looking back */
    unsigned entries, at;                                            /* at == entries: not looking back */
    unsigned escape, parameter;                                      /* of an ESC [ sequence */
    bool after_cr;
};

/* After prompt and callbacks are set. */
void lineedit_prompt(struct lineedit *l);
void lineedit_byte(struct lineedit *l, uint8_t ch);
void lineedit_fini(struct lineedit *l);

#endif
