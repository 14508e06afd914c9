/* Raw images, the overlay of -snapshot, and images in memory. */
#define _GNU_SOURCE
#include <sys/wait.h>
#include "host/image.h"
#include "tests/unit/host_rig.h"

static struct error e;

static struct blk *open_with(const char *path, const struct image_options *o)
{
    e.text[0] = 0;
    return image_open(path, o, &e);
}

static struct blk *open_writable(const char *path) { return open_with(path, &(struct image_options){ 0 }); }
static struct blk *open_snapshot(const char *path) { return open_with(path, &(struct image_options){ .snapshot = true }); }

static void make_pattern(uint8_t *p, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (uint8_t)(seed >> 24);
    }
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

START_TEST(missing_file_is_named)
{
    ck_assert_ptr_null(open_writable("nowhere.img"));
    ck_assert_str_eq(e.text, "nowhere.img: No such file or directory");
}
END_TEST

START_TEST(empty_file_is_refused)
{
    rig_file("empty.img", "", 0);
    ck_assert_ptr_null(open_writable("empty.img"));
    ck_assert_str_eq(e.text, "empty.img: the image is empty");
}
END_TEST

START_TEST(directory_is_refused_for_reading_and_writing)
{
    ck_assert_int_eq(mkdir("folder", 0755), 0);
    ck_assert_ptr_null(open_writable("folder"));
    ck_assert_str_eq(e.text, "folder: a directory, not a disk image");
    ck_assert_ptr_null(open_snapshot("folder"));
    ck_assert_str_eq(e.text, "folder: a directory, not a disk image");
}
END_TEST

START_TEST(pipe_is_refused_at_once)
{
    ck_assert_int_eq(mkfifo("pipe", 0666), 0);
    alarm(5);                                           /* an open() that waits for a writer would end the test */
    ck_assert_ptr_null(open_snapshot("pipe"));
    ck_assert_str_eq(e.text, "pipe: neither a file nor a disk");
    ck_assert_ptr_null(open_snapshot("/dev/null"));
}
END_TEST

START_TEST(file_beyond_what_ata_can_address_is_refused)
{
    int fd = open("/dev/shm/beige-test-huge", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return;                                 /* a sparse file of this size needs tmpfs */
    bool made = ftruncate(fd, (off_t)((1ull << 57) + 512)) == 0;
    struct blk *b = made ? open_snapshot("/dev/shm/beige-test-huge") : NULL;
    unlink("/dev/shm/beige-test-huge");
    close(fd);
    ck_assert_ptr_null(b);
    if (made) ck_assert_contains(e.text, "larger than 2^48 sectors");
}
END_TEST

static bool unwritable_is_refused(void)
{
    return !open_writable("ro.img") &&
           strcmp(e.text, "ro.img: may not be written (Permission denied); use -snapshot or readonly=on") == 0;
}

static bool unwritable_can_be_read(void)
{
    struct blk *b = open_with("ro.img", &(struct image_options){ .read_only = true });
    return b && b->read_only && blk_write(b, 0, "x", 1, &e) == HOST_READ_ONLY &&
           strcmp(e.text, "ro.img: the image is read-only") == 0;
}

static bool unwritable_can_be_snapshot(void)
{
    struct blk *b = open_snapshot("ro.img");
    return b && blk_write(b, 0, "x", 1, &e) == HOST_OK;
}

START_TEST(unwritable_file_needs_readonly_or_snapshot)
{
    rig_file("ro.img", "contents", 8);
    ck_assert_int_eq(chmod("ro.img", 0444), 0);
    ck_assert(rig_as_nobody(unwritable_is_refused));
    ck_assert(rig_as_nobody(unwritable_can_be_read));
    ck_assert(rig_as_nobody(unwritable_can_be_snapshot));
}
END_TEST

/* Opens the image in another process; 0 if that worked. */
static int open_elsewhere(const char *path, const struct image_options *o)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) _exit(image_open(path, o, &e) ? 0 : strstr(e.text, "in use by another process") ? 1 : 2);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(writer_locks_everybody_else_out)
{
    rig_file("disk.img", "x", 1);
    struct blk *b = open_writable("disk.img");
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ 0 }), 1);
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ .read_only = true }), 1);
    ck_assert_ptr_null(open_writable("disk.img"));      /* nor may a second drive of this machine have it */
    ck_assert_contains(e.text, "in use by another process or drive");
    blk_close(b);
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ 0 }), 0);
}
END_TEST

START_TEST(readers_share_and_keep_writers_out)
{
    rig_file("disk.img", "x", 1);
    struct blk *b = open_snapshot("disk.img");
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ .snapshot = true }), 0);
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ .read_only = true }), 0);
    ck_assert_int_eq(open_elsewhere("disk.img", &(struct image_options){ 0 }), 1);
    blk_close(b);
}
END_TEST

/* ---- formats ---------------------------------------------------------------------------------------------------------- */

static const struct { const char *format; unsigned off, len; const char *magic; } formats[] = {
    { "qcow2", 0, 4, "QFI\xfb" }, { "vmdk", 0, 4, "KDMV" }, { "vmdk", 0, 4, "COWD" },
    { "vmdk", 0, 21, "# Disk DescriptorFile" }, { "vhdx", 0, 8, "vhdxfile" }, { "vpc", 0, 8, "conectix" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" }, { "qed", 0, 4, "QED\0" }, { "parallels", 0, 16, "WithoutFreeSpace" },
    { "parallels", 0, 16, "WithouFreSpacExt" }, { "luks", 0, 6, "LUKS\xba\xbe" },
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

START_TEST(other_format_is_named_and_refused_unless_raw_is_asked_for)
{
    uint8_t image[1024] = { 0 };
    memcpy(image + formats[_i].off, formats[_i].magic, formats[_i].len);
    ck_assert_str_eq(image_probe(image, sizeof image), formats[_i].format);
    ck_assert_str_eq(image_probe(image, formats[_i].off + formats[_i].len - 1), "raw");
    rig_file("disk", image, sizeof image);
    ck_assert_ptr_null(open_writable("disk"));
    ck_assert_contains(e.text, formats[_i].format);
    struct blk *b = open_with("disk", &(struct image_options){ .format = "raw" });
    ck_assert_ptr_nonnull(b);
    ck_assert_str_eq(b->format, "raw");
    blk_close(b);
}
END_TEST

START_TEST(guest_cannot_turn_a_probed_image_into_another_format)
{
    uint8_t image[2048], now[2048];
    make_pattern(image, sizeof image, 1);
    rig_file("disk", image, sizeof image);
    struct blk *b = open_writable("disk");
    uint8_t head[1024] = { 0 };
    memcpy(head + formats[_i].off, formats[_i].magic, formats[_i].len);
    ck_assert_int_eq(blk_write(b, 0, head, 512, &e), HOST_REFUSED);
    ck_assert_contains(e.text, "name format=raw to allow it");
    ck_assert_int_eq(blk_write(b, 0, head, 1024, &e), HOST_REFUSED);       /* a longer write is no way around */
    /* nor a write of the magic alone, in two pieces */
    unsigned half = formats[_i].len / 2;
    ck_assert_int_eq(blk_write(b, formats[_i].off, formats[_i].magic, half, &e), HOST_OK);
    ck_assert_int_eq(blk_write(b, formats[_i].off + half, formats[_i].magic + half, formats[_i].len - half, &e), HOST_REFUSED);
    memcpy(image + formats[_i].off, formats[_i].magic, half);
    ck_assert_int_eq(blk_write(b, 512, head, 512, &e), HOST_OK);           /* the second sector is free */
    memcpy(image + 512, head, 512);
    blk_close(b);
    ck_assert_uint_eq(rig_read("disk", now, sizeof now), sizeof now);
    ck_assert_mem_eq(now, image, sizeof now);
    b = open_with("disk", &(struct image_options){ .format = "raw" });
    ck_assert_int_eq(blk_write(b, 0, head, 512, &e), HOST_OK);
    blk_close(b);
}
END_TEST

START_TEST(only_raw_can_be_asked_for)
{
    rig_file("disk", "x", 1);
    ck_assert_ptr_null(open_with("disk", &(struct image_options){ .format = "qcow2" }));
    ck_assert_str_eq(e.text, "disk: format=qcow2 is not supported; only raw images are");
}
END_TEST

/* ---- reading and writing ---------------------------------------------------------------------------------------------- */

START_TEST(writes_are_in_the_file_before_the_call_returns)
{
    uint8_t image[8192] = { 0 }, sector[512], now[8192];
    make_pattern(sector, sizeof sector, 3);
    rig_file("disk", image, sizeof image);
    struct blk *b = open_writable("disk");
    ck_assert_uint_eq(b->size, sizeof image);
    ck_assert_int_eq(blk_write(b, 1024, sector, sizeof sector, &e), HOST_OK);
    memcpy(image + 1024, sector, sizeof sector);
    rig_read("disk", now, sizeof now);
    ck_assert_mem_eq(now, image, sizeof now);
    ck_assert_int_eq(blk_read(b, 0, now, sizeof now, &e), HOST_OK);
    ck_assert_mem_eq(now, image, sizeof now);
    ck_assert_int_eq(blk_flush(b, &e), HOST_OK);
    blk_close(b);
}
END_TEST

START_TEST(short_file_reads_as_zeros_behind_its_end)
{
    uint8_t data[700], now[1024], want[1024] = { 0 };
    make_pattern(data, sizeof data, 4);
    memcpy(want, data, sizeof data);
    rig_file("disk", data, sizeof data);
    struct blk *b = open_writable("disk");
    ck_assert_uint_eq(b->size, 700);
    ck_assert_int_eq(blk_read(b, 0, now, sizeof now, &e), HOST_OK);
    ck_assert_mem_eq(now, want, sizeof now);
    ck_assert_int_eq(truncate("disk", 100), 0);          /* somebody cuts the file while it is in use */
    memset(want + 100, 0, sizeof want - 100);
    ck_assert_int_eq(blk_read(b, 0, now, sizeof now, &e), HOST_OK);
    ck_assert_mem_eq(now, want, sizeof now);
    blk_close(b);
}
END_TEST

START_TEST(full_disk_is_told_with_the_place)
{
    uint8_t data[4096] = { 1 };
    rig_file("disk", data, 1024);
    struct blk *b = open_writable("disk");
    rig_full_disk_beyond(1536);
    ck_assert_int_eq(blk_write(b, 512, data, 1024, &e), HOST_OK);
    ck_assert_int_eq(blk_write(b, 1024, data, 1024, &e), HOST_NO_SPACE);
    ck_assert_contains(e.text, "disk: cannot write at byte 1536: ");
    blk_close(b);
}
END_TEST

/* ---- overlay ---------------------------------------------------------------------------------------------------------- */

struct change_check { const uint8_t *model, *base; size_t size; uint64_t next; unsigned count; };

static bool check_change(void *opaque, uint64_t off, const uint8_t *data, uint32_t len)
{
    struct change_check *c = opaque;
    ck_assert_uint_ge(off, c->next);                     /* in rising order, none twice */
    ck_assert_uint_le(off + len, c->size);
    ck_assert_mem_eq(data, c->model + off, len);
    ck_assert(memcmp(c->model + c->next, c->base + c->next, off - c->next) == 0);    /* nothing is left out */
    c->next = off + len;
    c->count++;
    return true;
}

/* Sizes around the overlay's own: a chunk is 4 KiB, a leaf of its table 4 MiB. */
static const size_t sizes[] = { 1, 511, 512, 4095, 4096, 4097, 70000, (4 << 20) - 1, 4 << 20, (8 << 20) + 5000 };

START_TEST(snapshot_agrees_with_a_model_and_leaves_the_file_alone)
{
    size_t size = sizes[_i];
    uint8_t *base = malloc(size), *model = malloc(size), *got = malloc(size);
    uint64_t seed = size;
    make_pattern(base, size, size);
    memcpy(model, base, size);
    rig_file("disk", base, size);
    struct blk *b = open_snapshot("disk");
    ck_assert_uint_eq(b->size, size);
    for (unsigned i = 0; i < 400; i++) {
        uint64_t off = random64(&seed) % size, max = size - off < 20000 ? size - off : 20000, len = random64(&seed) % max + 1;
        if (i % 2) {
            make_pattern(got, len, seed);
            memcpy(model + off, got, len);
            ck_assert_int_eq(blk_write(b, off, got, len, &e), HOST_OK);
        } else {
            ck_assert_int_eq(blk_read(b, off, got, len, &e), HOST_OK);
            ck_assert(memcmp(got, model + off, len) == 0);
        }
    }
    ck_assert_int_eq(blk_read(b, 0, got, size, &e), HOST_OK);
    ck_assert(memcmp(got, model, size) == 0);
    struct change_check c = { .model = model, .base = base, .size = size };
    ck_assert(b->ops->changes(b, check_change, &c));
    ck_assert_uint_gt(c.count, 0);
    ck_assert(memcmp(model + c.next, base + c.next, size - c.next) == 0);
    blk_close(b);
    ck_assert_uint_eq(rig_read("disk", got, size), size);
    ck_assert(memcmp(got, base, size) == 0);
    free(base);
    free(model);
    free(got);
}
END_TEST

static bool stop_at_second(void *opaque, uint64_t off, const uint8_t *data, uint32_t len)
{
    (void)off, (void)data, (void)len;
    return ++*(unsigned *)opaque < 2;
}

START_TEST(listing_of_changes_stops_when_told)
{
    struct blk *b = image_from_memory("memory", "abc", 3, false);
    unsigned calls = 0;
    ck_assert(b->ops->changes(b, stop_at_second, &calls));
    ck_assert_uint_eq(calls, 1);
    blk_close(b);
    uint8_t big[3 * 4096] = { 0 };
    b = image_from_memory("memory", big, sizeof big, false);
    calls = 0;
    ck_assert(!b->ops->changes(b, stop_at_second, &calls));
    ck_assert_uint_eq(calls, 2);
    blk_close(b);
}
END_TEST

START_TEST(image_in_memory_holds_a_copy)
{
    uint8_t data[5000], got[5000];
    make_pattern(data, sizeof data, 9);
    struct blk *b = image_from_memory("(demo)", data, sizeof data, true);
    ck_assert_str_eq(b->path, "(demo)");
    ck_assert_uint_eq(b->size, sizeof data);
    uint8_t first = data[0]++;
    ck_assert_int_eq(blk_read(b, 0, got, sizeof got, &e), HOST_OK);
    ck_assert_uint_eq(got[0], first);
    ck_assert_mem_eq(got + 1, data + 1, sizeof got - 1);
    ck_assert_int_eq(blk_write(b, 0, data, 1, &e), HOST_READ_ONLY);
    blk_close(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("host image");
    TCase *t = tcase_create("images");
    tcase_add_checked_fixture(t, rig_enter, rig_leave);
    tcase_add_test(t, missing_file_is_named);
    tcase_add_test(t, empty_file_is_refused);
    tcase_add_test(t, directory_is_refused_for_reading_and_writing);
    tcase_add_test(t, pipe_is_refused_at_once);
    tcase_add_test(t, file_beyond_what_ata_can_address_is_refused);
    tcase_add_test(t, unwritable_file_needs_readonly_or_snapshot);
    tcase_add_test(t, writer_locks_everybody_else_out);
    tcase_add_test(t, readers_share_and_keep_writers_out);
    tcase_add_loop_test(t, other_format_is_named_and_refused_unless_raw_is_asked_for, 0, FORMATS);
    tcase_add_loop_test(t, guest_cannot_turn_a_probed_image_into_another_format, 0, FORMATS);
    tcase_add_test(t, only_raw_can_be_asked_for);
    tcase_add_test(t, writes_are_in_the_file_before_the_call_returns);
    tcase_add_test(t, short_file_reads_as_zeros_behind_its_end);
    tcase_add_test(t, full_disk_is_told_with_the_place);
    tcase_add_loop_test(t, snapshot_agrees_with_a_model_and_leaves_the_file_alone, 0, sizeof sizes / sizeof sizes[0]);
    tcase_add_test(t, listing_of_changes_stops_when_told);
    tcase_add_test(t, image_in_memory_holds_a_copy);
    suite_add_tcase(s, t);
    return suite_main(s);
}
