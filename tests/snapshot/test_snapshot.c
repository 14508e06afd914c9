/* Saved machines: the same end whatever the way there, and no damage to a file can do harm.
 *
 * BEIGE_TEST_ALL=1 runs every count as issue and documentation state it; otherwise a sample. */
#include <check.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/bytes.h"
#include "tests/snapshot/busy.h"
#include "tests/suite.h"

enum { HEADER = 96 };
static const uint64_t end_count = 3000000;

static bool whole(void) { return getenv("BEIGE_TEST_ALL") != NULL; }

static void save_path(char path[64]) { snprintf(path, 64, "/tmp/beige-save-%ld", (long)getpid()); }

static void hash_straight(uint64_t count, char hash[65])
{
    struct busy b;
    busy_create(&b, 0);
    busy_run(&b, count);
    busy_hash(&b, hash);
    busy_destroy(&b);
}

START_TEST(the_rom_keeps_the_machine_busy)
{
    struct busy b;
    uint8_t data[0x20];
    busy_create(&b, 0);
    busy_run(&b, end_count);
    ck_assert_uint_eq(machine_icount(b.m), end_count);
    ck_assert_uint_eq(machine_phys_read(b.m, 0x500, data, sizeof data), sizeof data);
    ck_assert_uint_gt(ld32(data), 2);              /* timer interrupts */
    ck_assert_uint_gt(ld32(data + 4), 2);          /* RTC interrupts */
    ck_assert_uint_gt(ld32(data + 0xc), 100);      /* rounds */
    ck_assert_uint_gt(b.sent, 100);
    busy_destroy(&b);
}
END_TEST

START_TEST(two_machines_in_one_process_do_not_meet)
{
    struct busy a, b;
    char ha[65], hb[65], straight[65];
    hash_straight(end_count, straight);
    busy_create(&a, 0);
    busy_create(&b, 1);
    for (uint64_t n = 0; n < end_count; n += 100000) {
        busy_run(&a, n + 100000 < end_count ? n + 100000 : end_count);
        busy_run(&b, n + 77777 < end_count ? n + 77777 : end_count);
    }
    busy_run(&b, end_count);
    busy_hash(&a, ha);
    busy_hash(&b, hb);
    ck_assert_str_eq(ha, hb);
    ck_assert_str_eq(ha, straight);
    busy_destroy(&a);
    busy_destroy(&b);
}
END_TEST

START_TEST(slices_of_time_and_count_change_nothing)
{
    struct busy b;
    char hash[65], straight[65];
    hash_straight(end_count, straight);
    busy_create(&b, 0);
    uint64_t r = 12345;
    while (machine_icount(b.m) < end_count) {
        uint64_t x = random64(&r);
        uint64_t stop = machine_icount(b.m) + 1 + (x >> 40) % 5000;
        machine_run(b.m, machine_time(b.m) + VTIME_NS((x >> 20) % 3000000), stop < end_count ? stop : end_count, true, NULL);
    }
    busy_hash(&b, hash);
    ck_assert_str_eq(hash, straight);
    busy_destroy(&b);
}
END_TEST

START_TEST(a_machine_that_is_traced_ends_in_the_same_state)
{
    struct busy b;
    char hash[65], straight[65], line[512];
    uint64_t count = whole() ? end_count : end_count / 10;
    bool seen[TRACE_COUNT] = { false };
    unsigned different = 0;
    hash_straight(count, straight);
    busy_create(&b, 0);
    b.log.out = tmpfile();
    ck_assert_ptr_nonnull(b.log.out);
    b.log.enabled[LOG_GUEST] = b.log.enabled[LOG_UNIMP] = true;
    ck_assert_uint_eq(log_enable_trace(&b.log, "*"), TRACE_COUNT);
    busy_run(&b, count);
    busy_hash(&b, hash);
    ck_assert_str_eq(hash, straight);
    rewind(b.log.out);
    while (fgets(line, sizeof line, b.log.out)) {              /* "[  0.001234567] name: text" */
        char *name = strchr(line, ']');
        name = name ? name + 2 : line;
        name[strcspn(name, ":")] = '\0';
        for (unsigned i = 0; i < TRACE_COUNT; i++)
            if (strcmp(name, trace_name((enum trace_id)i)) == 0) seen[i] = true;
    }
    fclose(b.log.out);
    for (unsigned i = 0; i < TRACE_COUNT; i++) different += seen[i];
    ck_assert(seen[TRACE_port_write] && seen[TRACE_pic_irq] && seen[TRACE_pit_load] && seen[TRACE_uart_send]);
    ck_assert_uint_gt(different, 12);
    busy_destroy(&b);
}
END_TEST

START_TEST(saved_at_any_instruction_and_loaded_it_ends_the_same)
{
    char straight[65], path[64];
    save_path(path);
    hash_straight(end_count, straight);
    uint64_t r = 99;
    for (unsigned i = 0; i < (whole() ? 200u : 12u); i++) {
        struct busy a, b;
        struct error e = { "" };
        char hash[65], saved[65], loaded[65];
        uint64_t x = random64(&r);
        busy_create(&a, 0);
        busy_run(&a, (x >> 33) % end_count);
        ck_assert_msg(machine_save(a.m, path, &e) == HOST_OK, "%s", e.text);
        busy_hash(&a, saved);
        busy_run(&a, end_count);                   /* saving must not disturb the one that goes on */
        busy_hash(&a, hash);
        ck_assert_str_eq(hash, straight);
        busy_create(&b, 1);
        ck_assert_msg(machine_load(b.m, path, &e) == HOST_OK, "%s", e.text);
        busy_hash(&b, loaded);
        ck_assert_str_eq(loaded, saved);
        busy_run(&b, end_count);
        busy_hash(&b, hash);
        ck_assert_str_eq(hash, straight);
        busy_destroy(&a);
        busy_destroy(&b);
    }
    unlink(path);
}
END_TEST

/* ---- damage ----------------------------------------------------------------------------------------------------------- */

struct file { uint8_t *data; size_t len; };

static struct file save_bytes(void)
{
    struct busy a;
    struct error e = { "" };
    struct file f;
    char path[64];
    save_path(path);
    busy_create(&a, 0);
    busy_run(&a, 1234567);
    ck_assert_msg(machine_save(a.m, path, &e) == HOST_OK, "%s", e.text);
    busy_destroy(&a);
    FILE *in = fopen(path, "rb");
    ck_assert_ptr_nonnull(in);
    fseek(in, 0, SEEK_END);
    f.len = (size_t)ftell(in);
    rewind(in);
    f.data = malloc(f.len);
    ck_assert_uint_eq(fread(f.data, 1, f.len, in), f.len);
    fclose(in);
    unlink(path);
    return f;
}

/* Loads these bytes; if they are taken, runs on. Returns whether they were taken. */
static bool load_bytes(const uint8_t *data, size_t len, uint64_t insns)
{
    struct busy b;
    struct error e = { "" };
    char path[64];
    save_path(path);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, len, out), len);
    fclose(out);
    busy_create(&b, 0);
    bool ok = machine_load(b.m, path, &e) == HOST_OK;
    if (ok) machine_run(b.m, machine_time(b.m) + VTIME_SEC(1), machine_icount(b.m) + insns, true, NULL);
    else ck_assert_str_ne(e.text, "");
    busy_destroy(&b);
    unlink(path);
    return ok;
}

START_TEST(every_flipped_header_byte_is_refused)
{
    struct file f = save_bytes();
    for (unsigned i = 0; i < HEADER; i++) {
        f.data[i] ^= 0x41;
        ck_assert_msg(!load_bytes(f.data, f.len, 0), "byte %u", i);
        f.data[i] ^= 0x41;
    }
    ck_assert(load_bytes(f.data, f.len, 1000));
    free(f.data);
}
END_TEST

START_TEST(damage_to_the_body_is_refused)
{
    struct file f = save_bytes();
    uint64_t r = 7;
    for (unsigned i = 0; i < (whole() ? 10000u : 300u); i++) {
        uint64_t x = random64(&r);
        size_t at = HEADER + (size_t)(x >> 20) % (f.len - HEADER);
        uint8_t bit = (uint8_t)(1u << (x >> 61));
        f.data[at] ^= bit;
        ck_assert_msg(!load_bytes(f.data, f.len, 0), "byte %zu", at);
        f.data[at] ^= bit;
    }
    for (size_t n = 0; n < f.len; n += f.len / 50 + 1) ck_assert(!load_bytes(f.data, n, 0));
    free(f.data);
}
END_TEST

/* Packs a body with sums that fit: what somebody does who wants the file to be taken. */
static struct file seal(const struct file *head, const uint8_t *body, size_t len)
{
    struct sha256_ctx sha;
    uLongf packed = compressBound(len);
    struct file f = { malloc(HEADER + packed), 0 };
    memcpy(f.data, head->data, HEADER);
    ck_assert_int_eq(compress2(f.data + HEADER, &packed, body, len, 1), Z_OK);
    sha256_init(&sha);
    sha256_update(&sha, len, body);
    st64(f.data + 16, len);
    sha256_digest(&sha, 32, f.data + 24);
    st64(f.data + 56, packed);
    st32(f.data + 64, (uint32_t)crc32(0, f.data + HEADER, (uInt)packed));
    st32(f.data + HEADER - 4, (uint32_t)crc32(0, f.data, HEADER - 4));
    f.len = HEADER + packed;
    return f;
}

START_TEST(a_forged_body_is_refused_or_runs_without_harm)
{
    struct file f = save_bytes();
    size_t len = ld64(f.data + 16);
    uint8_t *body = malloc(len);
    uLongf n = len;
    ck_assert_int_eq(uncompress(body, &n, f.data + HEADER, f.len - HEADER), Z_OK);
    ck_assert_uint_eq(n, len);
    uint64_t r = 31, taken = 0;
    size_t tables = 200000 < len ? 200000 : len;               /* the chips stand before the memory */
    for (unsigned i = 0; i < (whole() ? 10000u : 150u); i++) {
        uint8_t old[4];
        size_t at[4];
        for (unsigned k = 0; k < 4; k++) {
            uint64_t x = random64(&r);
            at[k] = (size_t)(x >> 20) % (i % 4 ? tables : len);
            old[k] = body[at[k]];
            body[at[k]] ^= (uint8_t)(x >> 50) | 1;
        }
        struct file forged = seal(&f, body, len);
        taken += load_bytes(forged.data, forged.len, whole() ? 10000000 : 300000);
        free(forged.data);
        for (unsigned k = 4; k-- > 0;) body[at[k]] = old[k];
    }
    ck_assert_uint_gt(taken, 0);                               /* some flips only change values */
    struct file same = seal(&f, body, len);
    ck_assert(load_bytes(same.data, same.len, 1000));
    free(same.data);
    free(body);
    free(f.data);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--hash") == 0) {          /* for comparing builds: hashes along the way */
        static const uint64_t at[] = { 1, 1000, 100000, 1000000, 5000000 };
        for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++) {
            char hash[65];
            hash_straight(at[i], hash);
            printf("%s %llu\n", hash, (unsigned long long)at[i]);
        }
        return 0;
    }
    Suite *s = suite_create("snapshot");
    TCase *t = tcase_create("same state");
    tcase_set_timeout(t, 0);                                   /* ctest has one for the whole program */
    tcase_add_test(t, the_rom_keeps_the_machine_busy);
    tcase_add_test(t, two_machines_in_one_process_do_not_meet);
    tcase_add_test(t, slices_of_time_and_count_change_nothing);
    tcase_add_test(t, a_machine_that_is_traced_ends_in_the_same_state);
    tcase_add_test(t, saved_at_any_instruction_and_loaded_it_ends_the_same);
    suite_add_tcase(s, t);
    t = tcase_create("damage");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, every_flipped_header_byte_is_refused);
    tcase_add_test(t, damage_to_the_body_is_refused);
    tcase_add_test(t, a_forged_body_is_refused_or_runs_without_harm);
    suite_add_tcase(s, t);
    return suite_main(s);
}
