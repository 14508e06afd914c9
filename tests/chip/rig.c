/* The test bench: see rig.h. */
#include "tests/chip/rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ---- the board ---- */

static void requested(void *opaque, struct device *from, enum board_request what, uint64_t value)
{
    struct rig *r = opaque;
    (void)from;
    r->requests++;
    r->request = what;
    r->request_value = value;
}

void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->sink = tmpfile();
    ck_assert_ptr_nonnull(r->sink);
    clock_init(&r->clock, 100000000);
    log_init(&r->log, r->sink);
    r->log.clock = &r->clock;
    for (unsigned i = 0; i < LOG_LEVELS; i++) r->log.enabled[i] = true;
    ram_space_init(&r->ram);
    phys_init(&r->mem, &r->ram, &r->log, 0xffffffff);
    port_init(&r->ports, &r->log);
    r->block = ram_create(&r->ram, "ram", RIG_RAM, false, true);
    ck_assert_ptr_nonnull(r->block);
    r->region = (struct region){ .name = "ram", .size = RIG_RAM, .prio = PRIO_RAM, .enabled = true, .reads = true,
                                 .writes = true, .block = r->block };
    region_add(&r->mem, &r->region);
    r->board = (struct board){ .clock = &r->clock, .log = &r->log, .mem = &r->mem, .ports = &r->ports,
                               .request = requested, .request_opaque = r };
}

void rig_fini(struct rig *r)
{
    board_destroy(&r->board);
    port_fini(&r->ports);
    phys_fini(&r->mem);
    ram_space_fini(&r->ram);
    clock_fini(&r->clock);
    log_fini(&r->log);
    fclose(r->sink);
}

static void probe_set(void *opaque, unsigned pin, bool level)
{
    struct rig_probe *p = opaque;
    (void)pin;
    p->level = level;
    if (level) {
        p->rises++;
        p->last_rise = p->rig->clock.now;
    } else {
        p->falls++;
        p->last_fall = p->rig->clock.now;
    }
}

struct irq_line rig_probe(struct rig *r, unsigned n)
{
    ck_assert_uint_lt(n, RIG_PROBES);
    r->probe[n].rig = r;
    return IRQ_LINE(probe_set, &r->probe[n], n);
}

static void cable_send(struct chr *chr, const uint8_t *data, size_t len)
{
    struct rig_cable *c = (struct rig_cable *)chr;
    for (size_t i = 0; i < len && c->sent_len < sizeof c->sent - 1; i++) c->sent[c->sent_len++] = (char)data[i];
    c->sent[c->sent_len] = 0;
}

static void cable_signal(struct chr *chr, int what)
{
    cable_send(chr, (const uint8_t *)(what == CHR_BREAK ? "[" : "]"), 1);
}

void rig_cable_init(struct rig_cable *c) { *c = (struct rig_cable){ .chr = { .send = cable_send, .signal = cable_signal } }; }

void rig_arrive(struct rig_cable *c, const char *text) { c->chr.received(c->chr.dev, (const uint8_t *)text, strlen(text)); }

uint8_t rig_in8(struct rig *r, uint16_t port) { return (uint8_t)port_in(&r->ports, port, 1); }
uint16_t rig_in16(struct rig *r, uint16_t port) { return (uint16_t)port_in(&r->ports, port, 2); }
uint32_t rig_in32(struct rig *r, uint16_t port) { return port_in(&r->ports, port, 4); }
void rig_out8(struct rig *r, uint16_t port, uint8_t v) { port_out(&r->ports, port, v, 1); }
void rig_out16(struct rig *r, uint16_t port, uint16_t v) { port_out(&r->ports, port, v, 2); }
void rig_out32(struct rig *r, uint16_t port, uint32_t v) { port_out(&r->ports, port, v, 4); }

/* ---- time ---- */

/* Fires the next timer if it is due by t; false if there is none. */
static bool step_one(struct rig *r, vtime t)
{
    vtime due = clock_deadline(&r->clock);
    if (due > t) return false;
    if (due > r->clock.now) clock_skip_to(&r->clock, due);
    clock_run_due(&r->clock);
    return true;
}

void rig_step_to(struct rig *r, vtime t)
{
    while (step_one(r, t)) { }
    if (t > r->clock.now) clock_skip_to(&r->clock, t);
}

void rig_step_ns(struct rig *r, uint64_t ns)
{
    rig_step_to(r, r->clock.now + VTIME_NS(ns));
}

bool rig_step_until(struct rig *r, unsigned probe, bool level, uint64_t max_ns)
{
    vtime limit = r->clock.now + VTIME_NS(max_ns);
    while (r->probe[probe].level != level)
        if (!step_one(r, limit)) return false;
    return true;
}

/* ---- state ---- */

void rig_save(struct device *d, struct state_buf *out)
{
    *out = (struct state_buf){ 0 };
    state_write(d->class->state, d, out);
    ck_assert(!out->failed);
}

void rig_load(struct device *d, const struct state_buf *in)
{
    struct error e = { "" };
    state_poison(d->class->state, d, 0xa5);
    enum host_status st = state_read(d->class->state, d, in->data, in->len, NULL, &e);
    ck_assert_msg(st == HOST_OK, "%s: %s", d->id, e.text);
    if (d->class->loaded) d->class->loaded(d);
}

uint64_t rig_state(struct device *d, const char *path)
{
    uint64_t v = 0;
    ck_assert_msg(state_get(d->class->state, d, path, &v), "%s has no field %s", d->id, path);
    return v;
}

static bool same(const struct state_buf *a, const struct state_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* What a field of each type has that a save must hold, as offset and size within the element. */
static void element_bytes(const struct state_field *f, uint32_t *off, uint32_t *size)
{
    *off = 0;
    *size = f->size / f->count;
    if (f->type == STATE_IRQ) {
        *off = offsetof(struct irq_line, level);
        *size = 1;
    } else if (f->type == STATE_TIMER) {
        *off = offsetof(struct timer, due);
        *size = sizeof(vtime);
    }
}

static uint64_t counter_value(const struct state_desc *d, const uint8_t *obj, const char *name)
{
    uint64_t v = 0;
    ck_assert(state_get(d, obj, name, &v));
    return v;
}

/* Changes each element of each STATE field of obj, a part of device d, and looks at what is saved. */
static void check_fields(struct device *d, const struct state_desc *desc, uint8_t *obj, const struct state_buf *before)
{
    for (uint32_t i = 0; i < desc->num; i++) {
        const struct state_field *f = &desc->fields[i];
        if (f->kind != KIND_STATE) continue;
        uint64_t used = f->counter ? counter_value(desc, obj, f->counter) : f->count;
        for (uint64_t k = 0; k < used && k < f->count; k++) {
            uint8_t *element = obj + f->off + k * (f->size / f->count);
            if (f->type == STATE_STRUCT) {
                check_fields(d, f->sub, element, before);
                if (k == 3) break;                     /* elements of one array are alike */
                continue;
            }
            uint32_t off, size;
            element_bytes(f, &off, &size);
            uint8_t saved[sizeof(vtime)];
            ck_assert_uint_le(size, sizeof saved);
            memcpy(saved, element + off, size);
            element[off] ^= 1;
            struct state_buf after;
            rig_save(d, &after);
            ck_assert_msg(!same(before, &after), "%s: %s.%s is not saved", d->id, desc->name, f->name);
            state_buf_fini(&after);
            memcpy(element + off, saved, size);
            if (k == 3) break;
        }
    }
}

void rig_check_device(struct device *d)
{
    ck_assert_msg(state_uncovered(d->class->state, stderr) == 0, "%s: bytes without a field", d->id);
    struct state_buf first, second;
    rig_save(d, &first);
    rig_load(d, &first);
    rig_save(d, &second);
    ck_assert_msg(same(&first, &second), "%s: save, load, save differs", d->id);
    check_fields(d, d->class->state, (uint8_t *)d, &first);
    state_buf_fini(&first);
    state_buf_fini(&second);
}

/* ---- fuzz ---- */

uint64_t rig_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void access_port(struct rig *r, uint16_t port, unsigned size, bool write, uint64_t v)
{
    if (size == 8) {                                   /* no processor has one: two cycles of four */
        access_port(r, port, 4, write, v);
        access_port(r, (uint16_t)(port + 4), 4, write, v >> 32);
    } else if (write) {
        port_out(&r->ports, port, (uint32_t)v & (uint32_t)ones(size), size);
    } else {
        port_in(&r->ports, port, size);
    }
}

static void access_memory(struct rig *r, uint64_t addr, unsigned size, bool write, uint64_t v)
{
    if ((addr & (PAGE_SIZE - 1)) + size > PAGE_SIZE) addr &= ~7ull;      /* no single cycle crosses a page */
    if (write) phys_store(&r->mem, addr, v & ones(size), size, false);
    else phys_load(&r->mem, addr, size, false);
}

/* Mostly microseconds, sometimes milliseconds, now and then a second. */
static uint64_t random_pause(uint64_t x)
{
    switch (x & 63) {
    case 0: return x >> 8 & 0x3fffffff;
    case 1: case 2: case 3: return x >> 8 & 0xffffff;
    default: return x >> 8 & 0xfff;
    }
}

/* Values that mean something to chips come up more often than chance would have them. */
static uint64_t random_value(uint64_t x, uint64_t y)
{
    switch (x & 7) {
    case 0: return 0;
    case 1: return ~0ull;
    case 2: return 1ull << (y & 31);
    case 3: return y & 0x0f0f0f0f0f0f0f0f;
    default: return y;
    }
}

static void check_all(struct rig *r)
{
    for (struct device *d = r->board.devices; d; d = d->next) rig_check_device(d);
}

/* `count` random accesses, with pokes and steps of time between them. */
static void accesses(struct rig *r, struct device *d, const struct rig_window *w, unsigned windows, uint64_t seed,
                     unsigned count, void (*poke)(struct rig *r, struct device *d, uint64_t random))
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t x = rig_random(&seed), y = rig_random(&seed);
        const struct rig_window *at = &w[(x >> 32) % windows];
        uint64_t addr = at->base + (x >> 40) % at->count;
        unsigned size = 1u << ((x >> 16 & 7) < 4 ? 0 : x >> 19 & 3);
        bool write = x >> 22 & 1;
        if (at->mmio) access_memory(r, addr, size, write, random_value(x >> 24, y));
        else access_port(r, (uint16_t)addr, size, write, random_value(x >> 24, y));
        uint64_t z = rig_random(&seed);
        if (poke && (z >> 60) == 0) poke(r, d, rig_random(&seed));
        if (z & 1) rig_step_ns(r, random_pause(z >> 1));
    }
}

void rig_fuzz(struct rig *r, struct device *d, const struct rig_window *w, unsigned windows, uint64_t seed,
              unsigned count, void (*poke)(struct rig *r, struct device *d, uint64_t random))
{
    accesses(r, d, w, windows, seed, count, poke);
    check_all(r);
    board_reset(&r->board, RESET_HARD);
    check_all(r);
    rig_step_ns(r, 1000000);
    board_reset(&r->board, RESET_POWER_ON);
    check_all(r);
}

void rig_fuzz_state(struct rig *r, struct device *d, const struct rig_window *w, unsigned windows, uint64_t seed,
                    unsigned count)
{
    struct state_buf good;
    struct error e = { "" };
    rig_save(d, &good);
    for (unsigned i = 0; i < count; i++) {
        struct state_buf bad = { 0 };
        state_buf_put(&bad, good.data, good.len);
        for (uint64_t flips = rig_random(&seed) % 8 + 1; flips; flips--)
            bad.data[rig_random(&seed) % bad.len] = (uint8_t)random_value(rig_random(&seed), rig_random(&seed));
        enum host_status st = state_read(d->class->state, d, bad.data, bad.len, NULL, &e);
        if (st != HOST_OK) st = state_read(d->class->state, d, good.data, good.len, NULL, &e);
        ck_assert_int_eq(st, HOST_OK);
        if (d->class->loaded) d->class->loaded(d);
        accesses(r, d, w, windows, rig_random(&seed), 50, NULL);
        state_buf_fini(&bad);
    }
    state_buf_fini(&good);
}

unsigned long rig_seeds(void)
{
    const char *text = getenv("BEIGE_FUZZ_SEEDS");
    if (text) return strtoul(text, NULL, 10);
    return getenv("BEIGE_TEST_ALL") ? 1000 : 3;
}

void rig_fuzz_seeds(struct device *(*make)(struct rig *r), const struct rig_window *w, unsigned windows,
                    void (*poke)(struct rig *r, struct device *d, uint64_t random))
{
    for (unsigned long seed = 1, seeds = rig_seeds(); seed <= seeds; seed++) {
        struct rig r;
        rig_init(&r);
        struct device *d = make(&r);
        board_reset(&r.board, RESET_POWER_ON);
        rig_fuzz(&r, d, w, windows, seed, 10000, poke);
        rig_fini(&r);
    }
}

int rig_run(const char *suite, void (*setup)(void), void (*teardown)(void), const TTest *const *const *tests,
            unsigned count)
{
    Suite *s = suite_create(suite);
    TCase *t = tcase_create(suite);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 0);                           /* ctest has one for the whole program */
    for (unsigned i = 0; i < count; i++) tcase_add_test(t, *tests[i]);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
