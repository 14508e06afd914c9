/* The I/O ports: owners, overlaps, splitting. */
#include <stdlib.h>
#include <string.h>

#include "mem/port.h"
#include "tests/suite.h"

/* All chips write into one log: "name:r2@1". A read gives the offset in each byte. */
struct bus { struct port_map map; struct log log; char text[512]; };
struct chip { struct bus *bus; const char *name; };

static uint64_t chip_read(void *dev, uint64_t off, unsigned size)
{
    struct chip *c = dev;
    size_t n = strlen(c->bus->text);
    snprintf(c->bus->text + n, sizeof c->bus->text - n, "%s:r%u@%llx ", c->name, size, (unsigned long long)off);
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++) v |= (uint64_t)(uint8_t)(off + i) << (8 * i);
    return v;
}

static void chip_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct chip *c = dev;
    size_t n = strlen(c->bus->text);
    snprintf(c->bus->text + n, sizeof c->bus->text - n, "%s:w%u@%llx=%llx ", c->name, size, (unsigned long long)off,
             (unsigned long long)val);
}

static const struct io_ops bytes = { chip_read, chip_write, 1, 1 }, words = { chip_read, chip_write, 1, 2 },
                           any = { chip_read, chip_write, 1, 4 }, dwords = { chip_read, chip_write, 4, 4 };

static struct bus *bus_new(void)
{
    struct bus *b = calloc(1, sizeof *b);
    log_init(&b->log, stderr);
    port_init(&b->map, &b->log);
    return b;
}

static void bus_free(struct bus *b)
{
    port_fini(&b->map);
    log_fini(&b->log);
    free(b);
}

static int claim(struct bus *b, struct chip *c, uint16_t base, uint32_t count, const struct io_ops *ops, bool shared,
                 struct error *e)
{
    c->bus = b;
    struct port_window w = { .name = c->name, .base = base, .count = count, .ops = ops, .dev = c, .shared = shared };
    return port_claim(&b->map, &w, e);
}

static const char *in(struct bus *b, uint16_t port, unsigned size, uint32_t *v)
{
    b->text[0] = '\0';
    *v = port_in(&b->map, port, size);
    return b->text;
}

static const char *out(struct bus *b, uint16_t port, uint32_t v, unsigned size)
{
    b->text[0] = '\0';
    port_out(&b->map, port, v, size);
    return b->text;
}

START_TEST(chip_sees_offsets_in_its_window)
{
    struct bus *b = bus_new();
    struct chip pit = { .name = "pit" };
    uint32_t v;
    ck_assert_int_eq(claim(b, &pit, 0x40, 4, &bytes, false, NULL), 0);
    ck_assert_str_eq(in(b, 0x43, 1, &v), "pit:r1@3 ");
    ck_assert_uint_eq(v, 3);
    ck_assert_str_eq(out(b, 0x42, 0x1ff, 1), "pit:w1@2=ff ");
    ck_assert_str_eq(port_owner(&b->map, 0x41), "pit");
    ck_assert_ptr_null(port_owner(&b->map, 0x44));
    bus_free(b);
}
END_TEST

START_TEST(unclaimed_port_reads_ones)
{
    struct bus *b = bus_new();
    uint32_t v;
    in(b, 0x300, 1, &v);
    ck_assert_uint_eq(v, 0xff);
    in(b, 0x300, 2, &v);
    ck_assert_uint_eq(v, 0xffff);
    in(b, 0xffff, 4, &v);
    ck_assert_uint_eq(v, 0xffffffff);
    out(b, 0xffff, 0x12345678, 4);
    bus_free(b);
}
END_TEST

START_TEST(two_claims_of_a_port_name_both_owners)
{
    struct bus *b = bus_new();
    struct chip com1 = { .name = "com1" }, ide = { .name = "ide" };
    struct error e = { "" };
    ck_assert_int_eq(claim(b, &com1, 0x3f8, 8, &bytes, false, &e), 0);
    ck_assert_int_eq(claim(b, &ide, 0x3f0, 9, &bytes, false, &e), -1);
    ck_assert_str_eq(e.text, "port 0x3f8 is claimed by both com1 and ide");
    ck_assert_int_eq(claim(b, &ide, 0x3ff, 1, &bytes, false, &e), -1);
    ck_assert_int_eq(claim(b, &ide, 0x3f0, 8, &bytes, false, &e), 0);
    ck_assert_int_eq(claim(b, &ide, 0x400, 1, &bytes, false, &e), 0);
    ck_assert_str_eq(port_owner(&b->map, 0x3f8), "com1");
    bus_free(b);
}
END_TEST

START_TEST(window_beyond_the_last_port_is_refused)
{
    struct bus *b = bus_new();
    struct chip c = { .name = "c" };
    struct error e = { "" };
    ck_assert_int_eq(claim(b, &c, 0xfff0, 17, &bytes, false, &e), -1);
    ck_assert_int_eq(claim(b, &c, 0xfff0, 0, &bytes, false, &e), -1);
    ck_assert_int_eq(claim(b, &c, 0xfff0, 16, &bytes, false, &e), 0);
    ck_assert_int_eq(claim(b, &c, 0, 0xfff0, &bytes, false, &e), 0);
    bus_free(b);
}
END_TEST

START_TEST(wide_access_to_a_narrow_chip_is_split_low_first)
{
    struct bus *b = bus_new();
    struct chip c = { .name = "c" };
    uint32_t v;
    claim(b, &c, 0x100, 16, &bytes, false, NULL);
    ck_assert_str_eq(in(b, 0x104, 4, &v), "c:r1@4 c:r1@5 c:r1@6 c:r1@7 ");
    ck_assert_uint_eq(v, 0x07060504);
    ck_assert_str_eq(out(b, 0x104, 0xaabbccdd, 4), "c:w1@4=dd c:w1@5=cc c:w1@6=bb c:w1@7=aa ");
    struct chip w = { .name = "w" };
    claim(b, &w, 0x200, 8, &words, false, NULL);
    ck_assert_str_eq(out(b, 0x200, 0xaabbccdd, 4), "w:w2@0=ccdd w:w2@2=aabb ");
    bus_free(b);
}
END_TEST

START_TEST(access_over_two_windows_is_split_between_them)
{
    struct bus *b = bus_new();
    struct chip a = { .name = "a" }, c = { .name = "c" };
    uint32_t v;
    claim(b, &a, 0x60, 1, &any, false, NULL);
    claim(b, &c, 0x61, 3, &any, false, NULL);
    ck_assert_str_eq(in(b, 0x60, 2, &v), "a:r1@0 c:r1@0 ");
    ck_assert_str_eq(in(b, 0x60, 4, &v), "a:r1@0 c:r1@0 c:r2@1 ");
    ck_assert_uint_eq(v, 0x02010000);
    ck_assert_str_eq(in(b, 0x63, 2, &v), "c:r1@2 ");      /* the second byte belongs to nobody */
    ck_assert_uint_eq(v, 0xff02);
    bus_free(b);
}
END_TEST

/* The VBE data register is a word at 1CFh: an odd port of one window is one cycle. */
START_TEST(odd_port_within_a_window_is_one_cycle)
{
    struct bus *b = bus_new();
    struct chip vbe = { .name = "vbe" };
    uint32_t v;
    claim(b, &vbe, 0x1ce, 3, &words, false, NULL);
    ck_assert_str_eq(in(b, 0x1cf, 2, &v), "vbe:r2@1 ");
    ck_assert_str_eq(out(b, 0x1cf, 0x1234, 2), "vbe:w2@1=1234 ");
    bus_free(b);
}
END_TEST

START_TEST(narrow_access_to_a_wide_register_is_widened)
{
    struct bus *b = bus_new();
    struct chip c = { .name = "c" };
    uint32_t v;
    claim(b, &c, 0xb000, 8, &dwords, false, NULL);
    ck_assert_str_eq(in(b, 0xb006, 1, &v), "c:r4@4 ");
    ck_assert_uint_eq(v, 6);
    ck_assert_str_eq(out(b, 0xb005, 0x77, 1), "c:w4@4=7700 ");
    bus_free(b);
}
END_TEST

START_TEST(shared_window_lies_over_a_fixed_one_until_released)
{
    struct bus *b = bus_new();
    struct chip fixed = { .name = "fixed" }, bar = { .name = "bar" };
    claim(b, &fixed, 0xc000, 0x100, &bytes, false, NULL);
    ck_assert_int_eq(claim(b, &bar, 0xc010, 0x10, &any, true, NULL), 0);
    ck_assert_str_eq(port_owner(&b->map, 0xc00f), "fixed");
    ck_assert_str_eq(port_owner(&b->map, 0xc010), "bar");
    ck_assert_str_eq(port_owner(&b->map, 0xc020), "fixed");
    port_release(&b->map, 0xc010, 0x10, &fixed);          /* not its window */
    ck_assert_str_eq(port_owner(&b->map, 0xc010), "bar");
    port_release(&b->map, 0xc010, 0x10, &bar);
    ck_assert_str_eq(port_owner(&b->map, 0xc010), "fixed");
    port_release(&b->map, 0xc010, 0x10, &bar);
    bus_free(b);
}
END_TEST

START_TEST(overlap_of_shared_windows_does_not_depend_on_claim_order)
{
    for (unsigned order = 0; order < 2; order++) {
        struct bus *b = bus_new();
        struct chip big = { .name = "big" }, ann = { .name = "ann" }, bob = { .name = "bob" };
        if (order) claim(b, &bob, 0xc010, 0x10, &any, true, NULL);
        claim(b, &big, 0xc000, 0x40, &any, true, NULL);
        claim(b, &ann, 0xc018, 0x10, &any, true, NULL);
        if (!order) claim(b, &bob, 0xc010, 0x10, &any, true, NULL);
        ck_assert_str_eq(port_owner(&b->map, 0xc000), "big");
        ck_assert_str_eq(port_owner(&b->map, 0xc010), "bob");
        ck_assert_str_eq(port_owner(&b->map, 0xc018), "ann");
        bus_free(b);
    }
}
END_TEST

/* BARs that move at random, against the rule applied port by port. */
START_TEST(moving_windows_leave_no_trace)
{
    enum { CHIPS = 12 };
    struct bus *b = bus_new();
    struct chip c[CHIPS];
    struct { uint16_t base; uint32_t count; } at[CHIPS];
    static const char *const names[CHIPS] = { "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "ca", "cb" };
    uint64_t seed = 8;
    memset(at, 0, sizeof at);
    for (unsigned round = 0; round < 500; round++) {
        unsigned i = (unsigned)(random64(&seed) % CHIPS);
        c[i].name = names[i];
        port_release(&b->map, at[i].base, at[i].count, &c[i]);
        at[i].count = 0;
        if (random64(&seed) % 4) {
            at[i].base = (uint16_t)(random64(&seed) % 64 * 4);
            at[i].count = 4u << random64(&seed) % 4;
            ck_assert_int_eq(claim(b, &c[i], at[i].base, at[i].count, &any, true, NULL), 0);
        }
        for (unsigned port = 0; port < 400; port++) {
            const char *expect = NULL;
            uint32_t best = 0;
            for (unsigned k = 0; k < CHIPS; k++) {        /* names are in order, so the first of equal size wins */
                if (port < at[k].base || port - at[k].base >= at[k].count || (expect && at[k].count >= best)) continue;
                expect = names[k];
                best = at[k].count;
            }
            ck_assert_ptr_eq(port_owner(&b->map, (uint16_t)port), expect);
        }
    }
    ck_assert_uint_le(b->map.len, CHIPS);
    bus_free(b);
}
END_TEST

START_TEST(one_way_ports_read_ones_or_swallow)
{
    struct bus *b = bus_new();
    struct chip c = { .name = "c" };
    static const struct io_ops deaf = { NULL, NULL, 1, 2 };
    uint32_t v;
    claim(b, &c, 0x80, 2, &deaf, false, NULL);
    in(b, 0x80, 2, &v);
    ck_assert_uint_eq(v, 0xffff);
    out(b, 0x80, 1, 2);
    bus_free(b);
}
END_TEST

START_TEST(accesses_are_traced)
{
    struct bus *b = bus_new();
    struct chip c = { .name = "c" };
    char *text = NULL;
    size_t len = 0;
    uint32_t v;
    b->log.out = open_memstream(&text, &len);
    log_enable_trace(&b->log, "port_*");
    claim(b, &c, 0x40, 4, &bytes, false, NULL);
    in(b, 0x41, 1, &v);
    out(b, 0x42, 0x12, 1);
    fclose(b->log.out);
    ck_assert_str_eq(text, "port_read: c port 41 size 1 -> 1\nport_write: c port 42 size 1 <- 12\n");
    free(text);
    bus_free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("port");
    TCase *t = tcase_create("ports");
    tcase_add_test(t, chip_sees_offsets_in_its_window);
    tcase_add_test(t, unclaimed_port_reads_ones);
    tcase_add_test(t, two_claims_of_a_port_name_both_owners);
    tcase_add_test(t, window_beyond_the_last_port_is_refused);
    tcase_add_test(t, wide_access_to_a_narrow_chip_is_split_low_first);
    tcase_add_test(t, access_over_two_windows_is_split_between_them);
    tcase_add_test(t, odd_port_within_a_window_is_one_cycle);
    tcase_add_test(t, narrow_access_to_a_wide_register_is_widened);
    tcase_add_test(t, shared_window_lies_over_a_fixed_one_until_released);
    tcase_add_test(t, overlap_of_shared_windows_does_not_depend_on_claim_order);
    tcase_add_test(t, moving_windows_leave_no_trace);
    tcase_add_test(t, one_way_ports_read_ones_or_swallow);
    tcase_add_test(t, accesses_are_traced);
    suite_add_tcase(s, t);
    return suite_main(s);
}
