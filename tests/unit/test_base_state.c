/* State tables: what is written, what is read back, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fifo.h"
#include "base/state.h"
#include "tests/suite.h"

/* ---- a chip with one of everything */

struct channel {
    uint16_t count;
    uint8_t mode;
    bool gate;
};
static const struct state_field channel_fields[] = {
    FIELD(struct channel, count, "counting element"),
    FIELD_RANGE(struct channel, mode, 0, 5, "counting mode"),
    FIELD(struct channel, gate, "GATE input"),
};
static const struct state_desc channel_desc = STATE_DESC(struct channel, "channel", channel_fields);

struct chip {
    struct clock *clock;
    void (*handle)(void);
    vtime since;
    struct timer timer;
    struct irq_line out;
    uint64_t wide, wides[2];
    uint32_t word, words[3];
    uint16_t half;
    uint8_t byte;
    bool flag;
    uint32_t cached;
    struct channel ch[3], one;
    struct fifo fifo;
    uint8_t bytes[5];
    bool flags[3];
    uint8_t unused[12];
};
static const struct state_field chip_fields[] = {
    FIELD_WIRING(struct chip, clock),
    FIELD_HOST(struct chip, handle),
    FIELD(struct chip, since, "start of counting"),
    FIELD(struct chip, timer, "next edge of OUT"),
    FIELD(struct chip, out, "OUT"),
    FIELD(struct chip, wide, "a wide register"),
    FIELD_ARRAY(struct chip, wides, NULL),
    FIELD(struct chip, word, "a word"),
    FIELD_ARRAY_RANGE(struct chip, words, 0, 1000, "words"),
    FIELD(struct chip, half, NULL),
    FIELD(struct chip, byte, "a byte"),
    FIELD(struct chip, flag, "a flag"),
    FIELD_DERIVED(struct chip, cached),
    FIELD_STRUCTS(struct chip, ch, &channel_desc, "channels"),
    FIELD_STRUCT(struct chip, one, &channel_desc, "one more"),
    FIELD_STRUCT(struct chip, fifo, &fifo_state, "queue"),
    FIELD_ARRAY(struct chip, bytes, "bytes"),
    FIELD_ARRAY(struct chip, flags, "flags"),
    FIELD_WIRING(struct chip, unused),
};
static const struct state_desc chip_desc = STATE_DESC(struct chip, "chip", chip_fields);

static void nothing(void *opaque, vtime due) { (void)opaque, (void)due; }

static void chip_init(struct chip *c, struct clock *clock)
{
    memset(c, 0, sizeof *c);
    clock_init(clock, 1000000);
    c->clock = clock;
    timer_init(&c->timer, clock, "chip.timer", nothing, c);
    fifo_init(&c->fifo, 16);
}

static void chip_fill(struct chip *c)
{
    c->since = VTIME_SEC(3) + 7;
    timer_arm(&c->timer, VTIME_MS(12));
    c->out.level = true;
    c->wide = 0x1122334455667788u;
    c->wides[1] = 99;
    c->word = 0xdeadbeef;
    c->words[2] = 1000;
    c->half = 0xabcd;
    c->byte = 200;
    c->flag = true;
    c->ch[2] = (struct channel){ 0x1234, 5, true };
    c->one.count = 7;
    for (unsigned i = 0; i < 4; i++) fifo_push(&c->fifo, (uint8_t)(i + 65));
    memcpy(c->bytes, "bytes", 5);
    c->flags[1] = true;
}

static void chip_fini(struct chip *c)
{
    struct clock *clock = c->clock;
    timer_fini(&c->timer);
    clock_fini(clock);
}

static struct state_buf written(const struct chip *c)
{
    struct state_buf b = { 0 };
    state_write(&chip_desc, c, &b);
    ck_assert(!b.failed);
    return b;
}

static bool same_bytes(const struct state_buf *a, const struct state_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* ---- writing and reading */

START_TEST(every_byte_is_named)
{
    ck_assert_uint_eq(state_uncovered(&chip_desc, stderr), 0);
    ck_assert_uint_eq(state_uncovered(&fifo_state, stderr), 0);
}
END_TEST

START_TEST(written_state_reads_back_the_same)
{
    struct clock ka, kb;
    struct chip a, b;
    chip_init(&a, &ka);
    chip_init(&b, &kb);
    chip_fill(&a);
    struct state_buf first = written(&a);
    struct error e = { "" };
    size_t used = 0;
    ck_assert_int_eq(state_read(&chip_desc, &b, first.data, first.len, &used, &e), HOST_OK);
    ck_assert_uint_eq(used, first.len);
    ck_assert_uint_eq(state_compare(&chip_desc, &a, &b, stderr, "chip"), 0);
    ck_assert(timer_armed(&b.timer) && clock_deadline(&kb) == VTIME_MS(12));
    ck_assert_ptr_eq(b.timer.clock, &kb);
    ck_assert_ptr_eq(b.clock, &kb);
    ck_assert_uint_eq(b.fifo.size, 16);
    struct state_buf second = written(&b);
    ck_assert(same_bytes(&first, &second));
    state_buf_fini(&first);
    state_buf_fini(&second);
    chip_fini(&a);
    chip_fini(&b);
}
END_TEST

START_TEST(loading_disarms_a_timer_that_was_not_armed)
{
    struct clock ka, kb;
    struct chip a, b;
    chip_init(&a, &ka);
    chip_init(&b, &kb);
    chip_fill(&b);
    struct state_buf buf = written(&a);
    ck_assert_int_eq(state_read(&chip_desc, &b, buf.data, buf.len, NULL, NULL), HOST_OK);
    ck_assert(!timer_armed(&b.timer));
    ck_assert_uint_eq(state_compare(&chip_desc, &a, &b, stderr, ""), 0);
    ck_assert_uint_eq(b.fifo.data[0], 0);                /* elements out of use are cleared */
    state_buf_fini(&buf);
    chip_fini(&a);
    chip_fini(&b);
}
END_TEST

/* The bytes themselves: this is the format that files of other hosts and versions have. */
START_TEST(format_is_little_endian_and_names_its_fields)
{
    static const uint8_t expect[] = {
        3, 0, 0, 0,
        5, 'c', 'o', 'u', 'n', 't', STATE_U16, 1, 0, 0, 0, 2, 0, 0, 0, 0x34, 0x12,
        4, 'm', 'o', 'd', 'e', STATE_U8, 1, 0, 0, 0, 1, 0, 0, 0, 5,
        4, 'g', 'a', 't', 'e', STATE_BOOL, 1, 0, 0, 0, 1, 0, 0, 0, 1,
    };
    struct channel c = { 0x1234, 5, true };
    struct state_buf b = { 0 };
    state_write(&channel_desc, &c, &b);
    ck_assert_uint_eq(b.len, sizeof expect);
    ck_assert_mem_eq(b.data, expect, sizeof expect);
    state_buf_fini(&b);
}
END_TEST

/* Changes one byte of every STATE member in turn: other bytes, and state_compare sees it; the rest: neither. */
START_TEST(each_state_byte_counts_and_no_other)
{
    struct clock k;
    struct chip c, before;
    chip_init(&c, &k);
    chip_fill(&c);
    struct state_buf base = written(&c);
    for (uint32_t i = 0; i < chip_desc.num; i++) {
        const struct state_field *f = &chip_fields[i];
        for (uint32_t at = f->off; at < f->off + f->size; at++) {
            uint8_t *p = (uint8_t *)&c + at;
            bool counts = f->kind == KIND_STATE;
            if (f->type == STATE_TIMER) counts = at - f->off < sizeof(vtime);
            if (f->type == STATE_IRQ) counts = at - f->off == offsetof(struct irq_line, level);
            if (f->sub == &fifo_state) {                  /* its length, not its size; bytes in use only */
                uint32_t o = at - f->off;
                counts = o < 2 || (o >= 4 && o < 4u + c.fifo.len);
                if (o < 2) continue;                      /* changes how many bytes count: tested by the fuzz below */
            }
            before = c;
            *p ^= 1;
            struct state_buf now = written(&c);
            ck_assert_msg(same_bytes(&base, &now) != counts, "%s byte %u", f->name, at - f->off);
            ck_assert_msg((state_compare(&chip_desc, &before, &c, NULL, "") != 0) == counts, "%s byte %u", f->name, at - f->off);
            state_buf_fini(&now);
            *p ^= 1;
        }
    }
    state_buf_fini(&base);
    chip_fini(&c);
}
END_TEST

/* ---- hostile input */

static enum host_status read_channel(struct channel *c, const struct state_buf *b, struct error *e)
{
    return state_read(&channel_desc, c, b->data, b->len, NULL, e);
}

static void put_field(struct state_buf *b, const char *name, uint8_t type, uint32_t count, uint32_t len, const void *payload)
{
    uint8_t head[8], n = (uint8_t)strlen(name);
    state_buf_put(b, &n, 1);
    state_buf_put(b, name, n);
    state_buf_put(b, &type, 1);
    st32(head, count);
    st32(head + 4, len);
    state_buf_put(b, head, 8);
    state_buf_put(b, payload, len);
}

static struct state_buf fields(uint32_t n)
{
    struct state_buf b = { 0 };
    uint8_t raw[4];
    st32(raw, n);
    state_buf_put(&b, raw, 4);
    return b;
}

START_TEST(absent_field_keeps_its_default_and_order_does_not_matter)
{
    struct channel c = { .count = 1, .mode = 2, .gate = false };
    struct state_buf b = fields(2);
    put_field(&b, "gate", STATE_BOOL, 1, 1, "\1");
    put_field(&b, "count", STATE_U16, 1, 2, "\7\0");
    ck_assert_int_eq(read_channel(&c, &b, NULL), HOST_OK);
    ck_assert(c.count == 7 && c.mode == 2 && c.gate);
    state_buf_fini(&b);
}
END_TEST

static const struct { const char *name; uint8_t type; uint32_t count, len; const char *payload, *why; } refused[] = {
    { "speed", STATE_U8, 1, 1, "\1", "a field that this version does not have" },
    { "mod", STATE_U8, 1, 1, "\1", "a field that this version does not have" },
    { "modes", STATE_U8, 1, 1, "\1", "a field that this version does not have" },
    { "", STATE_U8, 1, 1, "\1", "a field that this version does not have" },
    { "mode", STATE_U16, 1, 2, "\1\0", "of another type" },
    { "mode", 0xff, 1, 1, "\1", "of another type" },
    { "mode", STATE_U8, 2, 2, "\1\1", "of another length" },
    { "mode", STATE_U8, 0, 0, "", "of another length" },
    { "mode", STATE_U8, 1, 2, "\1\1", "of another size" },
    { "mode", STATE_U8, 1, 0, "", "of another size" },
    { "mode", STATE_U8, 1, 1, "\6", "out of range" },
    { "gate", STATE_BOOL, 1, 1, "\2", "a bool that is neither 0 nor 1" },
};

START_TEST(each_wrong_field_is_refused)
{
    struct channel c = { 0 };
    struct error e;
    struct state_buf b = fields(1);
    put_field(&b, refused[_i].name, refused[_i].type, refused[_i].count, refused[_i].len, refused[_i].payload);
    ck_assert_int_eq(read_channel(&c, &b, &e), HOST_BAD_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.text, refused[_i].why));
    state_buf_fini(&b);
}
END_TEST

START_TEST(field_present_twice_is_refused)
{
    struct channel c = { 0 };
    struct error e;
    struct state_buf b = fields(2);
    put_field(&b, "mode", STATE_U8, 1, 1, "\1");
    put_field(&b, "mode", STATE_U8, 1, 1, "\1");
    ck_assert_int_eq(read_channel(&c, &b, &e), HOST_BAD_FORMAT);
    ck_assert_str_eq(e.text, "saved state of channel.mode: present twice");
    state_buf_fini(&b);
}
END_TEST

START_TEST(huge_numbers_of_fields_and_lengths_end_at_once)
{
    struct channel c = { 0 };
    struct state_buf b = fields(0xffffffff);
    put_field(&b, "mode", STATE_U8, 1, 1, "\1");
    ck_assert_int_eq(read_channel(&c, &b, NULL), HOST_BAD_FORMAT);
    state_buf_fini(&b);
    b = fields(1);
    put_field(&b, "mode", STATE_U8, 1, 1, "\1");
    st32(b.data + 4 + 5 + 5, 0xffffffff);                /* the payload's length */
    ck_assert_int_eq(read_channel(&c, &b, NULL), HOST_BAD_FORMAT);
    state_buf_fini(&b);
}
END_TEST

/* Bytes of the fifo with its counter n and m elements. */
static enum host_status read_fifo(uint16_t n, uint32_t m, bool with_data)
{
    static const uint8_t bytes[FIFO_MAX + 1];
    struct fifo f;
    uint8_t raw[2];
    fifo_init(&f, 16);
    struct state_buf b = fields(with_data ? 2 : 1);
    if (with_data) put_field(&b, "data", STATE_U8, m, m, bytes);   /* before its counter: order must not matter */
    st16(raw, n);
    put_field(&b, "len", STATE_U16, 1, 2, raw);
    enum host_status st = state_read(&fifo_state, &f, b.data, b.len, NULL, NULL);
    state_buf_fini(&b);
    return st;
}

START_TEST(counter_must_agree_with_its_array)
{
    ck_assert_int_eq(read_fifo(3, 3, true), HOST_OK);
    ck_assert_int_eq(read_fifo(0, 0, true), HOST_OK);
    ck_assert_int_eq(read_fifo(FIFO_MAX, FIFO_MAX, true), HOST_OK);
    ck_assert_int_eq(read_fifo(3, 4, true), HOST_BAD_FORMAT);
    ck_assert_int_eq(read_fifo(4, 3, true), HOST_BAD_FORMAT);
    ck_assert_int_eq(read_fifo(FIFO_MAX + 1, FIFO_MAX + 1, true), HOST_BAD_FORMAT);
    ck_assert_int_eq(read_fifo(5, 0, false), HOST_OK);
    ck_assert_int_eq(read_fifo(FIFO_MAX + 1, 0, false), HOST_BAD_FORMAT);
}
END_TEST

/* A table that contains itself: only a file can nest without end. */
struct nest { uint8_t a; };
static const struct state_desc nest_desc;
static const struct state_field nest_fields[] = { FIELD_STRUCT(struct nest, a, &nest_desc, NULL) };
static const struct state_desc nest_desc = STATE_DESC(struct nest, "nest", nest_fields);

START_TEST(nesting_is_bounded)
{
    struct nest n;
    struct error e;
    struct state_buf inner = fields(0);
    for (unsigned depth = 1; depth < 1000; depth++) {
        struct state_buf outer = fields(1);
        put_field(&outer, "a", STATE_STRUCT, 1, (uint32_t)inner.len, inner.data);
        state_buf_fini(&inner);
        inner = outer;
        enum host_status st = state_read(&nest_desc, &n, inner.data, inner.len, NULL, &e);
        ck_assert_int_eq(st, depth < 16 ? HOST_OK : HOST_BAD_FORMAT);
    }
    ck_assert_ptr_nonnull(strstr(e.text, "nested too deeply"));
    state_buf_fini(&inner);
}
END_TEST

/* The data in a block of exactly its length, so that a sanitizer sees a read behind its end. */
static enum host_status read_exact(struct chip *c, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    struct error e;
    enum host_status st = state_read(&chip_desc, c, copy, len, NULL, &e);
    free(copy);
    return st;
}

START_TEST(truncation_at_every_length_is_refused)
{
    struct clock k, kb;
    struct chip c, victim;
    chip_init(&c, &k);
    chip_init(&victim, &kb);
    chip_fill(&c);
    struct state_buf b = written(&c);
    for (size_t len = 0; len < b.len; len++) ck_assert_int_eq(read_exact(&victim, b.data, len), HOST_BAD_FORMAT);
    ck_assert_int_eq(read_exact(&victim, b.data, b.len), HOST_OK);
    state_buf_fini(&b);
    chip_fini(&c);
    chip_fini(&victim);
}
END_TEST

START_TEST(random_damage_never_crashes_and_what_loads_is_sound)
{
    struct clock k, kb;
    struct chip c, victim;
    chip_init(&c, &k);
    chip_init(&victim, &kb);
    chip_fill(&c);
    struct state_buf b = written(&c);
    uint64_t seed = 5;
    unsigned loaded = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *damaged = malloc(b.len);
        memcpy(damaged, b.data, b.len);
        for (uint64_t n = 1 + random64(&seed) % 4; n; n--) {
            uint64_t r = random64(&seed);
            damaged[r % b.len] = r & (1ull << 40) ? (uint8_t)(r >> 48) : (uint8_t)(damaged[r % b.len] ^ (1 << (r >> 61)));
        }
        if (read_exact(&victim, damaged, b.len) == HOST_OK) {
            loaded++;
            ck_assert_uint_le(victim.fifo.len, FIFO_MAX);
            ck_assert_uint_le(victim.ch[0].mode, 5);
            ck_assert_uint_le(victim.words[0], 1000);
            struct state_buf again = written(&victim);
            ck_assert_uint_gt(again.len, 0);
            state_buf_fini(&again);
        }
        free(damaged);
    }
    ck_assert_uint_gt(loaded, 100);                       /* flips in values load, or the damage tests nothing */
    state_buf_fini(&b);
    chip_fini(&c);
    chip_fini(&victim);
}
END_TEST

/* ---- for people */

static char *shown(const struct chip *c, const struct chip *other)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (other) state_compare(&chip_desc, c, other, f, "chip");
    else state_print(&chip_desc, c, f, 2);
    fclose(f);
    return text;
}

START_TEST(print_names_values_and_helps)
{
    struct clock k;
    struct chip c;
    chip_init(&c, &k);
    chip_fill(&c);
    char *text = shown(&c, NULL);
    ck_assert_ptr_nonnull(strstr(text, "  since = 3.000000000 s + 0x00000007/2^32 ns  ; start of counting\n"));
    ck_assert_ptr_nonnull(strstr(text, "  timer = 0.012000000 s  ; next edge of OUT\n"));
    ck_assert_ptr_nonnull(strstr(text, "  out   = high  ; OUT\n"));
    ck_assert_ptr_nonnull(strstr(text, "  word  = 0xdeadbeef (3735928559)  ; a word\n"));
    ck_assert_ptr_nonnull(strstr(text, "  ch[2]  ; channels\n"
                                       "    count = 0x1234 (4660)  ; counting element\n    mode  = 5  ; counting mode\n"));
    ck_assert_ptr_nonnull(strstr(text, "    data[4]  ; oldest first\n         0: 41 42 43 44\n"));
    ck_assert_ptr_null(strstr(text, "cached"));
    ck_assert_ptr_null(strstr(text, "unused"));
    free(text);
    chip_fini(&c);
}
END_TEST

START_TEST(comparison_names_the_path_and_both_values)
{
    struct clock ka, kb;
    struct chip a, b;
    chip_init(&a, &ka);
    chip_init(&b, &kb);
    chip_fill(&a);
    chip_fill(&b);
    b.ch[1].mode = 3;
    b.flags[1] = false;
    timer_disarm(&b.timer);
    char *text = shown(&a, &b);
    ck_assert_str_eq(text, "chip.timer: 0.012000000 s -> never\nchip.ch[1].mode: 0 -> 3\nchip.flags[1]: yes -> no\n");
    free(text);
    chip_fini(&a);
    chip_fini(&b);
}
END_TEST

START_TEST(values_are_found_by_path)
{
    struct clock k;
    struct chip c;
    uint64_t v = 0;
    chip_init(&c, &k);
    chip_fill(&c);
    ck_assert(state_get(&chip_desc, &c, "word", &v) && v == 0xdeadbeef);
    ck_assert(state_get(&chip_desc, &c, "ch[2].count", &v) && v == 0x1234);
    ck_assert(state_get(&chip_desc, &c, "one.count", &v) && v == 7);
    ck_assert(state_get(&chip_desc, &c, "one[0].count", &v) && v == 7);
    ck_assert(state_get(&chip_desc, &c, "fifo.data[1]", &v) && v == 66);
    ck_assert(state_get(&chip_desc, &c, "flags[1]", &v) && v == 1);
    ck_assert(state_get(&chip_desc, &c, "out", &v) && v == 1);
    ck_assert(state_get(&chip_desc, &c, "timer", &v) && v == 12000000);
    static const char *const absent[] = { "", "wor", "words", "words[3]", "words[x]", "words[1", "word.x", "ch[3].mode", "ch.mode",
                                          "ch[2]", "ch[2].", "cached", "clock", "one.", "word[0]x", "words[99999999999999999999]",
                                          "words[-1]", "words[ 1]" };
    for (unsigned i = 0; i < sizeof absent / sizeof absent[0]; i++)
        ck_assert_msg(!state_get(&chip_desc, &c, absent[i], &v), "'%s'", absent[i]);
    chip_fini(&c);
}
END_TEST

START_TEST(poison_reaches_derived_fields_only)
{
    struct clock k;
    struct chip c, before;
    chip_init(&c, &k);
    chip_fill(&c);
    before = c;
    state_poison(&chip_desc, &c, 0xa5);
    ck_assert_uint_eq(c.cached, 0xa5a5a5a5u);
    c.cached = before.cached;
    ck_assert_mem_eq(&c, &before, sizeof c);
    chip_fini(&c);
}
END_TEST

/* ---- wrong tables */

struct holes { uint8_t a; uint32_t b; uint8_t n, list[4]; };

START_TEST(padding_and_forgotten_members_are_found)
{
    static const struct state_field some[] = { FIELD(struct holes, a, NULL), FIELD(struct holes, b, NULL) };
    static const struct state_desc d = STATE_DESC(struct holes, "holes", some);
    ck_assert_uint_eq(state_uncovered(&d, NULL), sizeof(struct holes) - 5);
}
END_TEST

START_TEST(member_named_twice_is_found)
{
    static const struct state_field twice[] = { FIELD(struct channel, count, NULL), FIELD(struct channel, count, NULL),
                                                FIELD(struct channel, mode, NULL), FIELD(struct channel, gate, NULL) };
    static const struct state_desc d = STATE_DESC(struct channel, "twice", twice);
    ck_assert_uint_eq(state_uncovered(&d, NULL), 2);
}
END_TEST

START_TEST(counter_behind_its_array_is_found)
{
    static const struct state_field late[] = { FIELD_COUNTED(struct fifo, data, len, NULL), FIELD(struct fifo, len, NULL),
                                               FIELD_WIRING(struct fifo, size) };
    static const struct state_desc d = STATE_DESC(struct fifo, "late", late);
    ck_assert_uint_gt(state_uncovered(&d, NULL), 0);
}
END_TEST

/* ---- the queue of bytes */

START_TEST(fifo_keeps_order_and_its_bound)
{
    struct fifo f;
    fifo_init(&f, 3);
    ck_assert(fifo_empty(&f) && fifo_room(&f) == 3 && fifo_pop(&f) == 0 && fifo_peek(&f) == 0);
    ck_assert(fifo_push(&f, 1) && fifo_push(&f, 2) && fifo_push(&f, 3) && !fifo_push(&f, 4));
    ck_assert(fifo_full(&f) && fifo_peek(&f) == 1 && fifo_pop(&f) == 1 && fifo_pop(&f) == 2);
    ck_assert(fifo_push(&f, 5) && fifo_pop(&f) == 3 && fifo_pop(&f) == 5 && fifo_empty(&f));
    struct fifo fresh;
    fifo_init(&fresh, 3);
    ck_assert_mem_eq(&f, &fresh, sizeof f);               /* nothing of the past remains */
    f.len = 200;                                          /* as a damaged file may have it */
    ck_assert(fifo_full(&f) && fifo_room(&f) == 0 && !fifo_push(&f, 1));
    fifo_clear(&f);
    ck_assert(fifo_empty(&f));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state");
    TCase *t = tcase_create("write and read");
    tcase_add_test(t, every_byte_is_named);
    tcase_add_test(t, written_state_reads_back_the_same);
    tcase_add_test(t, loading_disarms_a_timer_that_was_not_armed);
    tcase_add_test(t, format_is_little_endian_and_names_its_fields);
    tcase_add_test(t, each_state_byte_counts_and_no_other);
    suite_add_tcase(s, t);
    t = tcase_create("hostile input");
    tcase_add_test(t, absent_field_keeps_its_default_and_order_does_not_matter);
    tcase_add_loop_test(t, each_wrong_field_is_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(t, field_present_twice_is_refused);
    tcase_add_test(t, huge_numbers_of_fields_and_lengths_end_at_once);
    tcase_add_test(t, counter_must_agree_with_its_array);
    tcase_add_test(t, nesting_is_bounded);
    tcase_add_test(t, truncation_at_every_length_is_refused);
    tcase_add_test(t, random_damage_never_crashes_and_what_loads_is_sound);
    suite_add_tcase(s, t);
    t = tcase_create("for people");
    tcase_add_test(t, print_names_values_and_helps);
    tcase_add_test(t, comparison_names_the_path_and_both_values);
    tcase_add_test(t, values_are_found_by_path);
    tcase_add_test(t, poison_reaches_derived_fields_only);
    suite_add_tcase(s, t);
    t = tcase_create("wrong tables");
    tcase_add_test(t, padding_and_forgotten_members_are_found);
    tcase_add_test(t, member_named_twice_is_found);
    tcase_add_test(t, counter_behind_its_array_is_found);
    suite_add_tcase(s, t);
    t = tcase_create("fifo");
    tcase_add_test(t, fifo_keeps_order_and_its_bound);
    suite_add_tcase(s, t);
    return suite_main(s);
}
