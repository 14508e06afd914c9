/* fw_cfg as the firmware uses it: by port and by DMA (QEMU docs/specs/fw_cfg). */
#include <string.h>

#include "base/bytes.h"
#include "devices/fw_cfg.h"
#include "tests/chip/rig.h"

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16, BLOCK = 0x1000 };

static struct rig r;
static struct device *fw;
static uint16_t hello, scratch;

static struct device *make(struct rig *on)
{
    struct device *d = fw_cfg_create(&on->board, "fw_cfg");
    fw_cfg_add_u16(d, FW_CFG_NB_CPUS, 0x0102);
    fw_cfg_add_u64(d, FW_CFG_RAM_SIZE, 0x1122334455667788);
    hello = fw_cfg_add_file(d, "etc/hello", "hello, world", 12);
    scratch = fw_cfg_add_writable(d, "etc/scratch", "abcdefgh", 8);
    return d;
}

static void setup(void) { rig_init(&r); fw = make(&r); }
static void teardown(void) { rig_fini(&r); }

static void select_key(uint16_t key) { rig_out16(&r, 0x510, key); }

static uint64_t next(unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v |= (uint64_t)rig_in8(&r, 0x511) << (8 * i);
    return v;
}

/* Runs a DMA and returns the control word it leaves. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t to)
{
    uint8_t block[16];
    st32be(block, control);
    st32be(block + 4, len);
    st64be(block + 8, to);
    phys_write(&r.mem, BLOCK, block, 16, false);
    rig_out32(&r, 0x518, __builtin_bswap32(BLOCK));
    phys_read(&r.mem, BLOCK, block, 4, false);
    return ld32be(block);
}

START_TEST(signature_and_revision)
{
    select_key(FW_CFG_SIGNATURE);
    ck_assert_uint_eq(next(4), 0x554d4551);   /* "QEMU" */
    select_key(FW_CFG_ID);
    ck_assert_uint_eq(next(4), 3);
    ck_assert_uint_eq(rig_in32(&r, 0x514), 0x554d4551);
    ck_assert_uint_eq(rig_in32(&r, 0x518), 0x47464320);   /* " CFG" */
}
END_TEST

START_TEST(integers_are_little_endian_whatever_the_host)
{
    select_key(FW_CFG_NB_CPUS);
    ck_assert_uint_eq(next(2), 0x0102);
    select_key(FW_CFG_RAM_SIZE);
    ck_assert_uint_eq(next(8), 0x1122334455667788);
}
END_TEST

START_TEST(selecting_starts_over)
{
    select_key(hello);
    ck_assert_uint_eq(next(2), 'h' | 'e' << 8);
    select_key(hello);
    ck_assert_uint_eq(next(1), 'h');
}
END_TEST

START_TEST(reads_past_the_end_give_zeros)
{
    select_key(FW_CFG_NB_CPUS);
    next(2);
    ck_assert_uint_eq(next(4), 0);
    select_key(0x7777);
    ck_assert_uint_eq(next(4), 0);
}
END_TEST

START_TEST(directory_lists_the_files_big_endian)
{
    uint8_t dir[4 + 2 * 64];
    select_key(FW_CFG_FILE_DIR);
    for (unsigned i = 0; i < sizeof dir; i++) dir[i] = rig_in8(&r, 0x511);
    ck_assert_uint_eq(ld32be(dir), 2);
    ck_assert_uint_eq(ld32be(dir + 4), 12);
    ck_assert_uint_eq(ld16be(dir + 8), hello);
    ck_assert_str_eq((char *)dir + 12, "etc/hello");
    ck_assert_uint_eq(ld32be(dir + 68), 8);
    ck_assert_uint_eq(ld16be(dir + 72), scratch);
    ck_assert_str_eq((char *)dir + 76, "etc/scratch");
    ck_assert_uint_ge(hello, FW_CFG_FILE_FIRST);
}
END_TEST

START_TEST(dma_selects_and_reads)
{
    char text[16] = { 0 };
    ck_assert_uint_eq(dma((uint32_t)hello << 16 | SELECT | READ, 12, 0x2000), 0);
    phys_read(&r.mem, 0x2000, text, 12, false);
    ck_assert_str_eq(text, "hello, world");
}
END_TEST

START_TEST(dma_goes_on_where_the_last_stopped)
{
    char text[8] = { 0 };
    dma((uint32_t)hello << 16 | SELECT | SKIP, 7, 0);
    dma(READ, 5, 0x2000);
    phys_read(&r.mem, 0x2000, text, 5, false);
    ck_assert_str_eq(text, "world");
    ck_assert_uint_eq(next(1), 0);
}
END_TEST

START_TEST(dma_past_the_end_fills_with_zeros)
{
    memset(r.block->data + 0x2000, 0xee, 0x40000);
    ck_assert_uint_eq(dma((uint32_t)hello << 16 | SELECT | READ, 0x30000, 0x2000), 0);
    ck_assert_uint_eq(r.block->data[0x2000 + 11], 'd');
    ck_assert_uint_eq(r.block->data[0x2000 + 12], 0);
    ck_assert_uint_eq(r.block->data[0x2000 + 0x2ffff], 0);
    ck_assert_uint_eq(r.block->data[0x2000 + 0x30000], 0xee);
}
END_TEST

START_TEST(dma_of_a_hostile_length_is_refused)
{
    ck_assert_uint_eq(dma((uint32_t)hello << 16 | SELECT | READ, 0xffffffff, 0x2000), ERROR);
}
END_TEST

START_TEST(writable_file_keeps_what_is_written)
{
    memcpy(r.block->data + 0x3000, "WXYZ", 4);
    dma((uint32_t)scratch << 16 | SELECT | SKIP, 2, 0);
    ck_assert_uint_eq(dma(WRITE, 4, 0x3000), 0);
    select_key(scratch);
    ck_assert_uint_eq(next(8), ld64("abWXYZgh"));
    board_reset(&r.board, RESET_HARD);
    select_key(scratch);
    ck_assert_uint_eq(next(8), ld64("abcdefgh"));
}
END_TEST

START_TEST(writes_elsewhere_are_refused)
{
    ck_assert_uint_eq(dma((uint32_t)hello << 16 | SELECT | WRITE, 4, 0x3000), ERROR);
    ck_assert_uint_eq(dma((uint32_t)scratch << 16 | SELECT | WRITE, 9, 0x3000), ERROR);
    select_key(hello);
    ck_assert_uint_eq(next(1), 'h');
}
END_TEST

START_TEST(replacing_a_file_keeps_its_key)
{
    ck_assert_uint_eq(fw_cfg_add_file(fw, "etc/hello", "bye", 3), hello);
    select_key(hello);
    ck_assert_uint_eq(next(4), 'b' | 'y' << 8 | 'e' << 16);
}
END_TEST

/* What the guest reads of the file, and the directory's word on its length. */
static void sees(uint16_t key, const char *text)
{
    select_key(key);
    for (const char *p = text; *p; p++) ck_assert_uint_eq(next(1), (uint8_t)*p);
    ck_assert_uint_eq(next(1), 0);
    select_key(FW_CFG_FILE_DIR);
    next(4);
    ck_assert_uint_eq(__builtin_bswap32((uint32_t)next(4)), strlen(text));
}

START_TEST(a_file_may_hold_something_else_until_the_first_reset)
{
    struct state_buf saved;
    fw_cfg_until_reset(fw, "etc/hello", "good morning, all", 17);
    sees(hello, "good morning, all");
    rig_save(fw, &saved);
    board_reset(&r.board, RESET_HARD);
    sees(hello, "hello, world");
    board_reset(&r.board, RESET_HARD);
    sees(hello, "hello, world");
    rig_load(fw, &saved);
    sees(hello, "good morning, all");
    state_buf_fini(&saved);
    board_reset(&r.board, RESET_HARD);
    board_reset(&r.board, RESET_POWER_ON);
    sees(hello, "good morning, all");
    rig_check_device(fw);
}
END_TEST

struct seen { unsigned count; char text[256]; };

static void note(void *opaque, const char *name, uint16_t key, const void *data, uint32_t len)
{
    struct seen *s = opaque;
    size_t n = strlen(s->text);
    s->count++;
    if (name[0]) snprintf(s->text + n, sizeof s->text - n, "%s=%.*s;", name, (int)len, (const char *)data);
    else ck_assert_uint_ne(key, FW_CFG_FILE_DIR);
}

START_TEST(contents_are_all_that_was_put_in)
{
    struct seen s = { 0 };
    fw_cfg_until_reset(fw, "etc/hello", "before", 6);
    fw_cfg_contents(fw, note, &s);
    ck_assert_str_eq(s.text, "etc/hello=hello, world;etc/hello=before;");
    ck_assert_uint_eq(s.count, 6);            /* signature, revision, processors, memory, and these two */
}
END_TEST

START_TEST(position_survives_save_and_load)
{
    struct state_buf saved = { 0 };
    select_key(hello);
    next(7);
    rig_save(fw, &saved);
    select_key(scratch);
    rig_load(fw, &saved);
    ck_assert_uint_eq(next(5), ld32("worl") | (uint64_t)'d' << 32);
    state_buf_fini(&saved);
}
END_TEST

START_TEST(state_is_complete) { rig_check_device(fw); }
END_TEST

START_TEST(random_accesses_do_no_harm)
{
    const struct rig_window w[] = { { 0x510, 12, false } };
    rig_fuzz_seeds(make, w, 1, NULL);
}
END_TEST

int main(void)
{
    return rig_run("fw_cfg", setup, teardown, RIG_TESTS(
        &signature_and_revision, &integers_are_little_endian_whatever_the_host, &selecting_starts_over,
        &reads_past_the_end_give_zeros, &directory_lists_the_files_big_endian, &dma_selects_and_reads,
        &dma_goes_on_where_the_last_stopped, &dma_past_the_end_fills_with_zeros, &dma_of_a_hostile_length_is_refused,
        &writable_file_keeps_what_is_written, &writes_elsewhere_are_refused, &replacing_a_file_keeps_its_key,
        &a_file_may_hold_something_else_until_the_first_reset, &contents_are_all_that_was_put_in,
        &position_survives_save_and_load, &state_is_complete, &random_accesses_do_no_harm));
}
