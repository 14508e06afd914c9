/* Blocks of memory: backing pages, dirty marks, code lines. */
#include <stdlib.h>
#include <string.h>

#include "mem/ram.h"
#include "tests/suite.h"

struct watcher { struct ram_listener l; unsigned calls; uint64_t first, pages, code_bytes; };

static void note_watch(void *opaque, struct ram_block *b, uint64_t first, uint64_t pages)
{
    struct watcher *w = opaque;
    (void)b;
    w->calls++;
    w->first = first;
    w->pages = pages;
}

static void note_code(void *opaque, struct ram_block *b, uint64_t offset, uint64_t len)
{
    struct watcher *w = opaque;
    ck_assert_uint_le(offset + len, b->size);
    ck_assert_uint_eq(offset >> PAGE_SHIFT, (offset + len - 1) >> PAGE_SHIFT);
    w->code_bytes += len;
}

static struct ram_block *block(struct ram_space *s, struct watcher *w, uint64_t size)
{
    ram_space_init(s);
    memset(w, 0, sizeof *w);
    w->l = (struct ram_listener){ .code_written = note_code, .watch_changed = note_watch, .opaque = w };
    ram_add_listener(s, &w->l);
    return ram_create(s, "ram", size, false, true);
}

START_TEST(backing_pages_are_numbered_through_all_blocks)
{
    struct ram_space s;
    ram_space_init(&s);
    struct ram_block *a = ram_create(&s, "a", 5000, false, true), *b = ram_create(&s, "b", 3 * PAGE_SIZE, true, false);
    ck_assert_uint_eq(a->size, 2 * PAGE_SIZE);
    ck_assert_uint_eq(b->first_page, 2);
    ck_assert_uint_eq(s.pages, 5);
    ck_assert_uint_eq(ram_page_of(b, 2 * PAGE_SIZE + 5), 4);
    ck_assert_ptr_eq(ram_of_page(&s, 1), a);
    ck_assert_ptr_eq(ram_of_page(&s, 4), b);
    ck_assert_ptr_null(ram_of_page(&s, 5));
    ck_assert_ptr_eq(s.blocks, a);
    ck_assert_uint_eq((uintptr_t)a->data % PAGE_SIZE, 0);
    for (unsigned i = 0; i < a->size; i++) ck_assert_uint_eq(a->data[i], 0);
    ram_space_fini(&s);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    struct ram_space s;
    ram_space_init(&s);
    ck_assert_ptr_null(ram_create(&s, "none", 0, false, true));
    ck_assert_ptr_null(ram_create(&s, "wraps", UINT64_MAX, false, true));
    ck_assert_ptr_null(ram_create(&s, "too many pages", (uint64_t)UINT32_MAX << (PAGE_SHIFT + 1), false, true));
    ck_assert_ptr_null(s.blocks);
    ck_assert_uint_eq(s.pages, 0);
    ram_space_fini(&s);
}
END_TEST

START_TEST(mark_lasts_until_its_client_clears_it)
{
    struct ram_space s;
    struct watcher w;
    struct ram_block *b = block(&s, &w, 16 * PAGE_SIZE);
    ram_written(b, 0, 16 * PAGE_SIZE);                    /* nobody watches: no marks */
    ck_assert(!ram_test_clear_dirty(b, DIRTY_ALL, 0, b->size));
    ram_watch(b, DIRTY_DISPLAY, true);
    ram_watch(b, DIRTY_SNAPSHOT, true);
    ram_mark_dirty(b, PAGE_SIZE - 1, 2);
    ck_assert(ram_test_clear_dirty(b, DIRTY_DISPLAY, 0, 1));
    ck_assert(!ram_test_clear_dirty(b, DIRTY_DISPLAY, 0, 1));
    ck_assert(ram_test_clear_dirty(b, DIRTY_DISPLAY, PAGE_SIZE, 1));
    ck_assert(ram_test_clear_dirty(b, DIRTY_SNAPSHOT, 0, b->size));
    ck_assert(!ram_test_clear_dirty(b, DIRTY_SNAPSHOT, 0, b->size));
    ram_watch(b, DIRTY_DISPLAY, false);
    ram_mark_dirty(b, 0, 1);
    ck_assert_uint_eq(b->dirty[0], DIRTY_SNAPSHOT);
    ram_space_fini(&s);
}
END_TEST

START_TEST(clearing_tells_which_pages_need_watching_again)
{
    struct ram_space s;
    struct watcher w;
    struct ram_block *b = block(&s, &w, 16 * PAGE_SIZE);
    ram_watch(b, DIRTY_DISPLAY, true);
    ck_assert(w.calls == 1 && w.first == 0 && w.pages == 16);
    ram_mark_dirty(b, 3 * PAGE_SIZE, 4 * PAGE_SIZE);
    ck_assert(ram_test_clear_dirty(b, DIRTY_DISPLAY, 0, b->size));
    ck_assert(w.calls == 2 && w.first == 3 && w.pages == 4);
    ck_assert(!ram_test_clear_dirty(b, DIRTY_DISPLAY, 0, b->size));
    ck_assert_uint_eq(w.calls, 2);
    ram_space_fini(&s);
}
END_TEST

START_TEST(page_is_quiet_when_nobody_need_be_told)
{
    struct ram_space s;
    struct watcher w;
    struct ram_block *b = block(&s, &w, 2 * PAGE_SIZE);
    ck_assert(ram_page_quiet(b, 0));
    ram_watch(b, DIRTY_DISPLAY, true);
    ck_assert(!ram_page_quiet(b, 0));
    ram_mark_dirty(b, 0, 1);
    ck_assert(ram_page_quiet(b, PAGE_SIZE - 1));
    ck_assert(!ram_page_quiet(b, PAGE_SIZE));
    b->code_lines[0] = 1;
    ck_assert(!ram_page_quiet(b, 0));
    b->code_lines[0] = 0;
    b->rom = true;
    ck_assert(!ram_page_quiet(b, 0));
    ram_space_fini(&s);
}
END_TEST

/* Every pair of a code line and a written range, against the plain overlap rule. */
START_TEST(code_is_told_exactly_where_a_line_overlaps)
{
    struct ram_space s;
    struct watcher w;
    struct ram_block *b = block(&s, &w, 3 * PAGE_SIZE);
    uint64_t seed = 7;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t line = random64(&seed) % 32, at = random64(&seed) % (2 * PAGE_SIZE), len = random_bits(&seed) % PAGE_SIZE;
        uint64_t start = PAGE_SIZE + (line << CODE_LINE_SHIFT), end = start + (1 << CODE_LINE_SHIFT);
        b->code_lines[1] = 1u << line;
        w.code_bytes = 0;
        ram_written(b, at, len);
        bool hit = len && at < end && at + len > start;
        ck_assert_uint_eq(w.code_bytes != 0, hit);
    }
    ram_space_fini(&s);
}
END_TEST

START_TEST(ranges_outside_the_block_are_cut)
{
    struct ram_space s;
    struct watcher w;
    struct ram_block *b = block(&s, &w, 2 * PAGE_SIZE);
    ram_watch(b, DIRTY_DISPLAY, true);
    ram_written(b, b->size, 1);
    ram_written(b, UINT64_MAX, UINT64_MAX);
    ck_assert(!ram_test_clear_dirty(b, DIRTY_DISPLAY, 0, UINT64_MAX));
    ram_written(b, b->size - 1, UINT64_MAX);
    ck_assert(ram_test_clear_dirty(b, DIRTY_DISPLAY, PAGE_SIZE, UINT64_MAX));
    ck_assert(!ram_test_clear_dirty(b, DIRTY_DISPLAY, b->size, 1));
    ram_space_fini(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ram");
    TCase *t = tcase_create("blocks");
    tcase_add_test(t, backing_pages_are_numbered_through_all_blocks);
    tcase_add_test(t, impossible_sizes_are_refused);
    tcase_add_test(t, mark_lasts_until_its_client_clears_it);
    tcase_add_test(t, clearing_tells_which_pages_need_watching_again);
    tcase_add_test(t, page_is_quiet_when_nobody_need_be_told);
    tcase_add_test(t, code_is_told_exactly_where_a_line_overlaps);
    tcase_add_test(t, ranges_outside_the_block_are_cut);
    suite_add_tcase(s, t);
    return suite_main(s);
}
