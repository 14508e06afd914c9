/* State tables: one per struct, naming every byte of it.
 *
 * A table serves five readers: the snapshot writer, the snapshot reader, `info` in the monitor, the comparison of two
 * states, and the state hash. Nothing else describes a chip's state, so nothing can drift from it.
 *
 * Kinds: STATE is what the chip is (saved, hashed, compared). WIRING is set by create. DERIVED is computed from STATE
 * and rebuilt by the device's loaded(). HOST is a handle of the host's. A pointer is never STATE.
 *
 *   static const struct state_field i8254_fields[] = {
 *       FIELD_WIRING(struct i8254, dev),
 *       FIELD_STRUCTS(struct i8254, ch, &i8254_channel_state, "channels"),
 *       FIELD(struct i8254, latch, "count latched by the last latch command"),
 *       FIELD_RANGE(struct i8254, mode, 0, 5, "counting mode"),
 *   };
 *   const struct state_desc i8254_state = STATE_DESC(struct i8254, "i8254", i8254_fields);
 *
 * Serialised form (little-endian, self-describing): see state.c. Readers match fields by name; an absent field keeps the
 * value it had (its reset default); the input is hostile and every length, type and range is checked. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/irq.h"
#include "base/status.h"

enum state_type {
    STATE_U8 = 1, STATE_U16, STATE_U32, STATE_U64, STATE_BOOL,
    STATE_VTIME,     /* 16 bytes */
    STATE_TIMER,     /* its due time; loading re-arms or disarms it */
    STATE_IRQ,       /* the level of an output wire */
    STATE_STRUCT,    /* described by `sub` */
    STATE_OPAQUE,    /* bytes that are not state: WIRING, DERIVED and HOST only */
};

enum state_kind { KIND_STATE, KIND_WIRING, KIND_DERIVED, KIND_HOST };

struct state_desc;

struct state_field {
    const char *name, *help;
    uint32_t off, size;          /* of the whole member, in bytes */
    uint32_t count;              /* elements; 1 for a scalar */
    enum state_type type;
    enum state_kind kind;
    uint64_t min, max;           /* the reader refuses integers outside; 0, 0 means any */
    const struct state_desc *sub;
    const char *counter;         /* name of the integer field that says how many elements are in use, or NULL */
};

struct state_desc {
    const char *name;
    uint32_t size, num;
    const struct state_field *fields;
};

#define STATE_DESC(T, nm, arr) { .name = (nm), .size = sizeof(T), .num = sizeof(arr) / sizeof(arr)[0], .fields = (arr) }

#define STATE_TYPE_OF(x) _Generic((x), \
    bool: STATE_BOOL, uint8_t: STATE_U8, int8_t: STATE_U8, char: STATE_U8, uint16_t: STATE_U16, int16_t: STATE_U16, \
    uint32_t: STATE_U32, int32_t: STATE_U32, uint64_t: STATE_U64, int64_t: STATE_U64, vtime: STATE_VTIME, \
    struct timer: STATE_TIMER, struct irq_line: STATE_IRQ)

#define FIELD_ANY_(T, f, ty, cnt, k, lo, hi, sb, ctr, h) { .name = #f, .help = (h), .off = offsetof(T, f), \
    .size = sizeof(((T *)0)->f), .count = (cnt), .type = (ty), .kind = (k), .min = (lo), .max = (hi), .sub = (sb), \
    .counter = (ctr) }
#define FIELD_N_(T, f) (sizeof(((T *)0)->f) / sizeof(((T *)0)->f[0]))

/* A scalar: integer, bool, vtime, struct timer or struct irq_line. The type comes from the member. */
#define FIELD(T, f, help) FIELD_RANGE(T, f, 0, 0, help)
#define FIELD_RANGE(T, f, lo, hi, help) \
    FIELD_ANY_(T, f, STATE_TYPE_OF(((T *)0)->f), 1, KIND_STATE, lo, hi, NULL, NULL, help)
/* A one-dimensional array of such scalars. */
#define FIELD_ARRAY(T, f, help) FIELD_ARRAY_RANGE(T, f, 0, 0, help)
#define FIELD_ARRAY_RANGE(T, f, lo, hi, help) \
    FIELD_ANY_(T, f, STATE_TYPE_OF(((T *)0)->f[0]), FIELD_N_(T, f), KIND_STATE, lo, hi, NULL, NULL, help)
/* An array whose first `ctr` elements are in use (ctr: an integer member of the same struct, listed before it, with a
 * range of at most the array's length). */
#define FIELD_COUNTED(T, f, ctr, help) \
    FIELD_ANY_(T, f, STATE_TYPE_OF(((T *)0)->f[0]), FIELD_N_(T, f), KIND_STATE, 0, 0, NULL, #ctr, help)
#define FIELD_COUNTED_STRUCTS(T, f, ctr, desc, help) \
    FIELD_ANY_(T, f, STATE_STRUCT, FIELD_N_(T, f), KIND_STATE, 0, 0, desc, #ctr, help)
/* A struct, or an array of structs, with a table of its own (const struct state_desc *). */
#define FIELD_STRUCT(T, f, desc, help) FIELD_ANY_(T, f, STATE_STRUCT, 1, KIND_STATE, 0, 0, desc, NULL, help)
#define FIELD_STRUCTS(T, f, desc, help) \
    FIELD_ANY_(T, f, STATE_STRUCT, FIELD_N_(T, f), KIND_STATE, 0, 0, desc, NULL, help)
/* Not state. Any type. */
#define FIELD_WIRING(T, f)  FIELD_ANY_(T, f, STATE_OPAQUE, 1, KIND_WIRING, 0, 0, NULL, NULL, NULL)
#define FIELD_DERIVED(T, f) FIELD_ANY_(T, f, STATE_OPAQUE, 1, KIND_DERIVED, 0, 0, NULL, NULL, NULL)
#define FIELD_HOST(T, f)    FIELD_ANY_(T, f, STATE_OPAQUE, 1, KIND_HOST, 0, 0, NULL, NULL, NULL)

/* A growing byte buffer: what a writer fills. Zero-initialise; free with state_buf_fini. Where memory runs out it sets
 * `failed` and takes nothing more: whoever writes it to a file looks once, at the end. */
struct state_buf { uint8_t *data; size_t len, cap; bool failed; };
void state_buf_put(struct state_buf *b, const void *p, size_t n);
void state_buf_fini(struct state_buf *b);

/* Appends the STATE fields of obj. The same state gives the same bytes on every host. */
void state_write(const struct state_desc *d, const void *obj, struct state_buf *out);
/* Reads what state_write made, for this table. On error obj may be half-changed: the caller discards the machine.
 * `used` (may be NULL) is set to the bytes consumed. */
enum host_status state_read(const struct state_desc *d, void *obj, const uint8_t *data, size_t len, size_t *used,
                            struct error *e) MUST_CHECK;
/* One field a line, "name = value  help", nested structs indented; `info` in the monitor. */
void state_print(const struct state_desc *d, const void *obj, FILE *out, unsigned indent);
/* Prints each STATE field that differs as "path: a -> b"; returns how many. `out` may be NULL. */
unsigned state_compare(const struct state_desc *d, const void *a, const void *b, FILE *out, const char *path);
/* Bytes of the struct that no field names (padding included). Tests demand 0. Prints the gaps where out is not NULL. */
unsigned state_uncovered(const struct state_desc *d, FILE *out);
/* Fills every DERIVED field with `byte`: tests do this before a load, to prove that loaded() rebuilds them. */
void state_poison(const struct state_desc *d, void *obj, uint8_t byte);
/* Value of a STATE field by path ("ch[1].mode"); false if there is none. Integers, bools, levels; times in nanoseconds
 * (all ones: never). For the monitor and tests. */
bool state_get(const struct state_desc *d, const void *obj, const char *path, uint64_t *value);

#endif
