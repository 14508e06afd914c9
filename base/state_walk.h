/* What state.c (the serialised form) and state_show.c (everything for people) share: reading a member through its table
 * entry. Private to base/. */
#ifndef BASE_STATE_WALK_H
#define BASE_STATE_WALK_H

#include <string.h>
#include "base/state.h"

enum { STATE_DEPTH_MAX = 16 };               /* structs within structs; deeper is not one of ours */

/* Bytes of one element in memory. */
static inline uint32_t state_elem_size(const struct state_field *f)
{
    return f->count ? f->size / f->count : 0;
}

static inline bool state_is_int(enum state_type t)
{
    return t >= STATE_U8 && t <= STATE_BOOL;
}

/* An integer or bool member, in the host's byte order. */
static inline uint64_t state_int_get(enum state_type t, const void *p)
{
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    switch (t) {
    case STATE_U16: memcpy(&v16, p, 2); return v16;
    case STATE_U32: memcpy(&v32, p, 4); return v32;
    case STATE_U64: memcpy(&v64, p, 8); return v64;
    case STATE_BOOL: return *(const uint8_t *)p != 0;
    default: return *(const uint8_t *)p;
    }
}

static inline void state_int_set(enum state_type t, void *p, uint64_t v)
{
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;
    switch (t) {
    case STATE_U16: memcpy(p, &v16, 2); return;
    case STATE_U32: memcpy(p, &v32, 4); return;
    case STATE_U64: memcpy(p, &v, 8); return;
    default: *(uint8_t *)p = (uint8_t)v; return;
    }
}

/* STATE_VTIME or STATE_TIMER. */
static inline vtime state_time_get(enum state_type t, const void *p)
{
    vtime v;
    memcpy(&v, t == STATE_TIMER ? (const char *)p + offsetof(struct timer, due) : (const char *)p, sizeof v);
    return v;
}

static inline const struct state_field *state_field_named(const struct state_desc *d, const char *name, size_t len)
{
    for (uint32_t i = 0; i < d->num; i++)
        if (strncmp(d->fields[i].name, name, len) == 0 && d->fields[i].name[len] == '\0') return &d->fields[i];
    return NULL;
}

/* Elements of f that are in use in obj: what its counter says, at most all. */
static inline uint32_t state_used(const struct state_desc *d, const void *obj, const struct state_field *f)
{
    if (!f->counter) return f->count;
    const struct state_field *c = state_field_named(d, f->counter, strlen(f->counter));
    if (!c) return f->count;
    uint64_t n = state_int_get(c->type, (const char *)obj + c->off);
    return n < f->count ? (uint32_t)n : f->count;
}

#endif
