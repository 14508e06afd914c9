/* A character device: the far end of a serial or parallel port, a debug console. Chips include this file only.
 *
 * Guest to host: chr_send always accepts everything; the backend buffers or drops. Host to guest: bytes are inputs of the
 * machine; the frontend polls the backend and the machine delivers them, stamped, through `received`. */
#ifndef HOST_CHAR_H
#define HOST_CHAR_H

#include <stddef.h>
#include <stdint.h>

struct chr {
    void (*send)(struct chr *c, const uint8_t *data, size_t len);    /* set by the backend */
    void (*signal)(struct chr *c, int what);                         /* set by a backend that can pass on CHR_BREAK and
                                                                      * CHR_BREAK_END of the guest; else NULL */
    /* Set by the chip at create: */
    size_t (*room)(void *dev);                                       /* bytes the chip can take now */
    void (*received)(void *dev, const uint8_t *data, size_t len);    /* len <= room(dev) */
    void (*event)(void *dev, int what);                              /* CHR_BREAK, CHR_OPENED, CHR_CLOSED; may be NULL */
    void *dev;
    const char *id;                                                  /* "serial0" */
};

enum { CHR_BREAK, CHR_OPENED, CHR_CLOSED, CHR_BREAK_END };

static inline void chr_send(struct chr *c, const uint8_t *data, size_t len)
{
    if (c && c->send) c->send(c, data, len);
}

/* The guest holds the line low (CHR_BREAK) or lets it go. */
static inline void chr_signal(struct chr *c, int what)
{
    if (c && c->signal) c->signal(c, what);
}

#endif
