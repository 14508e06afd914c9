/* A queue of bytes as small chips have them (UART, keyboard, floppy controller).
 *
 * The oldest byte is always data[0], so equal contents are equal state whatever was queued before; at these sizes moving
 * the rest on a pop costs nothing. Only the machine's thread.
 *
 *   struct ns16550 { ... struct fifo rx; };          FIELD_STRUCT(struct ns16550, rx, &fifo_state, "receive FIFO")
 *   fifo_init(&n->rx, 16);
 */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FIFO_MAX = 256 };

struct fifo {
    uint16_t len;                             /* bytes in the queue */
    uint16_t size;                            /* what the chip has; WIRING */
    uint8_t data[FIFO_MAX];
};

struct state_desc;
extern const struct state_desc fifo_state;    /* fifo.c */

/* size: 1 to FIFO_MAX. */
static inline void fifo_init(struct fifo *f, uint16_t size)
{
    memset(f, 0, sizeof *f);
    f->size = size;
}

static inline void fifo_clear(struct fifo *f)
{
    memset(f->data, 0, sizeof f->data);
    f->len = 0;
}

/* After a load the length can be anything up to FIFO_MAX; a chip with less never sees more than it has. */
static inline bool fifo_full(const struct fifo *f) { return f->len >= f->size; }
static inline bool fifo_empty(const struct fifo *f) { return f->len == 0; }
static inline uint16_t fifo_room(const struct fifo *f) { return fifo_full(f) ? 0 : (uint16_t)(f->size - f->len); }

/* False (and nothing queued) if full. */
static inline bool fifo_push(struct fifo *f, uint8_t byte)
{
    if (fifo_full(f)) return false;
    f->data[f->len++] = byte;
    return true;
}

/* The oldest byte without taking it; 0 if empty. */
static inline uint8_t fifo_peek(const struct fifo *f) { return f->len ? f->data[0] : 0; }

/* The oldest byte; 0 if empty. */
static inline uint8_t fifo_pop(struct fifo *f)
{
    if (!f->len) return 0;
    uint8_t byte = f->data[0];
    f->len--;
    memmove(f->data, f->data + 1, f->len);
    f->data[f->len] = 0;
    return byte;
}

#endif
