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

/* Any checkpoint, in any order, after any run: what comes then is what came the first time. */
START_TEST(a_machine_comes_back_to_its_checkpoints)
{
    enum { CHECKPOINTS = 6, ROUNDS = 24 };
    struct machine_checkpoint *p[CHECKPOINTS] = { NULL };
    struct machine_checkpoint *again;
    uint64_t at[CHECKPOINTS], r = 4711, copied = 0;
    char straight[65], hash[65], then[CHECKPOINTS][65];
    struct error e;
    struct busy b;
    hash_straight(end_count, straight);
    busy_create(&b, 0);
    for (unsigned n = 0; n < CHECKPOINTS; n++) {
        busy_run(&b, at[n] = end_count / CHECKPOINTS * n + random64(&r) % 10000);
        ck_assert_int_eq(machine_checkpoint(b.m, &p[n], &e), HOST_OK);
        busy_hash(&b, then[n]);
        copied += machine_checkpoint_size(p[n]);
    }
    ck_assert_uint_gt(copied, 1 << 20);
    ck_assert_int_eq(machine_checkpoint(b.m, &again, &e), HOST_OK);
    ck_assert_uint_lt(machine_checkpoint_size(again), 1 << 16);      /* no memory was written: the tables only */
    machine_checkpoint_free(again);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned n = (unsigned)(random64(&r) % CHECKPOINTS);
        if (round == ROUNDS / 2) {                       /* the one that is shared most goes, and so do the marks with the last */
            machine_checkpoint_free(p[0]);
            p[0] = NULL;
        }
        if (!p[n]) continue;
        ck_assert_msg(machine_restore(p[n], &e) == HOST_OK, "%s", e.text);
        ck_assert_uint_eq(machine_icount(b.m), at[n]);
        busy_hash(&b, hash);
        ck_assert_str_eq(hash, then[n]);
        busy_run(&b, at[n] + random64(&r) % (end_count - at[n]));
        if (round % 5 == 0) {                            /* a new one in the place of an old one, of the same moment */
            ck_assert_msg(machine_restore(p[n], &e) == HOST_OK, "%s", e.text);
            machine_checkpoint_free(p[n]);
            ck_assert_int_eq(machine_checkpoint(b.m, &p[n], &e), HOST_OK);
        }
    }
    for (unsigned n = 0; n < CHECKPOINTS; n++) {
        if (!p[n]) continue;
        ck_assert_msg(machine_restore(p[n], &e) == HOST_OK, "%s", e.text);
        machine_checkpoint_free(p[n]);
        busy_run(&b, end_count);
        busy_hash(&b, hash);
        ck_assert_str_eq(hash, straight);
    }
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

static void write_bytes(const char *path, const uint8_t *data, size_t len)
{
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, len, out), len);
    fclose(out);
}

/* Loads these bytes into a new machine; if they are taken, runs on. Returns whether they were taken. */
static bool load_bytes(const uint8_t *data, size_t len, uint64_t insns)
{
    struct busy b;
    struct error e = { "" };
    char path[64];
    save_path(path);
    write_bytes(path, data, len);
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

START_TEST(damage_to_the_body_is_refused_before_the_machine_is_touched)
{
    struct file f = save_bytes();
    struct busy b;
    uint64_t r = 7;
    char path[64], before[65], after[65];
    save_path(path);
    write_bytes(path, f.data, f.len);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    setvbuf(file, NULL, _IONBF, 0);
    busy_create(&b, 0);
    busy_run(&b, 1000);
    busy_hash(&b, before);
    for (unsigned i = 0; i < (whole() ? 10000u : 1000u); i++) {
        struct error e = { "" };
        uint64_t x = random64(&r);
        size_t at = HEADER + (size_t)(x >> 20) % (f.len - HEADER);
        fseek(file, (long)at, SEEK_SET);
        fputc(f.data[at] ^ 1 << (x >> 61), file);
        ck_assert_msg(machine_load(b.m, path, &e) == HOST_BAD_FORMAT, "byte %zu", at);
        ck_assert_ptr_nonnull(strstr(e.text, "damaged"));
        fseek(file, (long)at, SEEK_SET);
        fputc(f.data[at], file);
    }
    for (size_t n = f.len - f.len % 50; n; n -= f.len / 50) {
        struct error e = { "" };
        ck_assert_int_eq(ftruncate(fileno(file), (off_t)n - 1), 0);
        ck_assert_int_eq(machine_load(b.m, path, &e), HOST_BAD_FORMAT);
    }
    fclose(file);
    unlink(path);
    busy_hash(&b, after);
    ck_assert_str_eq(after, before);
    busy_destroy(&b);
    free(f.data);
}
END_TEST

/* What somebody does who wants the file to be taken: makes the header's sums fit. f->data has the packed body already. */
static void seal_packed(struct file *f)
{
    st64(f->data + 56, f->len - HEADER);
    st32(f->data + 64, (uint32_t)crc32(0, f->data + HEADER, (uInt)(f->len - HEADER)));
    st32(f->data + HEADER - 4, (uint32_t)crc32(0, f->data, HEADER - 4));
}

static uint8_t *unpack(const struct file *f)
{
    uLongf n = ld64(f->data + 16);
    uint8_t *body = malloc(n);
    ck_assert_int_eq(uncompress(body, &n, f->data + HEADER, f->len - HEADER), Z_OK);
    ck_assert_uint_eq(n, ld64(f->data + 16));
    return body;
}

START_TEST(a_body_that_is_damaged_under_a_fitting_sum_is_refused)
{
    struct file f = save_bytes();
    uint8_t *body = unpack(&f);
    uint64_t r = 8;
    for (unsigned i = 0; i < (whole() ? 1000u : 50u); i++) {
        uint64_t x = random64(&r);
        size_t at = HEADER + (size_t)(x >> 20) % (f.len - HEADER);
        uint8_t bit = (uint8_t)(1u << (x >> 61));
        f.data[at] ^= bit;
        seal_packed(&f);
        bool taken = load_bytes(f.data, f.len, 0);
        uint8_t *damaged = taken ? unpack(&f) : NULL;          /* a bit of padding means nothing */
        ck_assert_msg(!taken || memcmp(damaged, body, ld64(f.data + 16)) == 0, "byte %zu", at);
        free(damaged);
        f.data[at] ^= bit;
    }
    free(body);
    size_t len = f.len;
    for (f.len = HEADER; f.len < len; f.len += len / 50 + 1) {
        seal_packed(&f);
        ck_assert(!load_bytes(f.data, f.len, 0));
    }
    free(f.data);
}
END_TEST

/* Packs a body with sums that fit. */
static struct file seal(const struct file *head, const uint8_t *body, size_t len)
{
    struct sha256_ctx sha;
    uLongf packed = compressBound(len);
    struct file f = { malloc(HEADER + packed), 0 };
    memcpy(f.data, head->data, HEADER);
    ck_assert_int_eq(compress2(f.data + HEADER, &packed, body, len, 0), Z_OK);
    sha256_init(&sha);
    sha256_update(&sha, len, body);
    st64(f.data + 16, len);
    sha256_digest(&sha, 32, f.data + 24);
    f.len = HEADER + packed;
    seal_packed(&f);
    return f;
}

/* Where the first section of this kind begins. */
static size_t section_at(const uint8_t *body, size_t len, const char tag[4])
{
    for (size_t at = 0; at < len; at += 13 + body[at + 4] + ld64(body + at + 5 + body[at + 4]))
        if (memcmp(body + at, tag, 4) == 0) return at;
    ck_abort_msg("no section %.4s", tag);
    return 0;
}

/* Bodies number `first` on with a few bytes changed: most in the tables of CPU and chips, some anywhere. Each tenth runs for
 * `insns`, the others long enough for what was changed to be used. */
static unsigned forge(unsigned first, unsigned count, uint64_t insns)
{
    struct file f = save_bytes();
    size_t len = ld64(f.data + 16);
    uint8_t *body = unpack(&f);
    unsigned taken = 0;
    size_t tables = section_at(body, len, "TIME"), memory = section_at(body, len, "RAMB");
    for (unsigned i = first; i < first + count; i++) {
        uint64_t r = i;
        uint8_t old[4];
        size_t at[4];
        for (unsigned k = 0; k <= i % 4; k++) {
            uint64_t x = random64(&r);
            at[k] = i % 5 ? tables + (size_t)(x >> 20) % (memory - tables) : (size_t)(x >> 20) % len;
            old[k] = body[at[k]];
            body[at[k]] ^= (uint8_t)(x >> 9 & 1 ? 1u << (x & 7) : x & 0xff);
        }
        struct file forged = seal(&f, body, len);
        taken += load_bytes(forged.data, forged.len, i % 10 ? 300000 : insns);
        free(forged.data);
        for (unsigned k = i % 4 + 1; k-- > 0;) body[at[k]] = old[k];
    }
    struct file same = seal(&f, body, len);
    ck_assert(load_bytes(same.data, same.len, 1000));
    free(same.data);
    free(body);
    free(f.data);
    return taken;
}

START_TEST(a_forged_body_is_refused_or_runs_without_harm)
{
    unsigned count = whole() ? 1000 : 150, taken = forge((unsigned)_i * count, count, whole() ? 10000000 : 300000);
    ck_assert_uint_gt(taken, 0);                               /* some flips only change values */
    ck_assert_uint_lt(taken, count);
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
    TCase *t;
    if (argc > 2 && strcmp(argv[1], "--forged") == 0) {        /* one share of ten, which may run side by side */
        int share = atoi(argv[2]);
        t = tcase_create("forged");
        tcase_set_timeout(t, 0);
        tcase_add_loop_test(t, a_forged_body_is_refused_or_runs_without_harm, share, share + 1);
        suite_add_tcase(s, t);
        return suite_main(s);
    }
    t = tcase_create("same state");
    tcase_set_timeout(t, 0);                                   /* ctest has one for the whole program */
    tcase_add_test(t, the_rom_keeps_the_machine_busy);
    tcase_add_test(t, two_machines_in_one_process_do_not_meet);
    tcase_add_test(t, slices_of_time_and_count_change_nothing);
    tcase_add_test(t, a_machine_that_is_traced_ends_in_the_same_state);
    tcase_add_test(t, a_machine_comes_back_to_its_checkpoints);
    tcase_add_test(t, saved_at_any_instruction_and_loaded_it_ends_the_same);
    suite_add_tcase(s, t);
    t = tcase_create("damage");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, every_flipped_header_byte_is_refused);
    tcase_add_test(t, damage_to_the_body_is_refused_before_the_machine_is_touched);
    tcase_add_test(t, a_body_that_is_damaged_under_a_fitting_sum_is_refused);
    if (!whole()) tcase_add_test(t, a_forged_body_is_refused_or_runs_without_harm);
    suite_add_tcase(s, t);
    return suite_main(s);
}
