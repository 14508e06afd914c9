/* Log lines, once-only messages and trace events. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "tests/suite.h"

struct page { FILE *f; char *text; size_t len; struct log log; };

static void page_open(struct page *p)
{
    memset(p, 0, sizeof *p);
    p->f = open_memstream(&p->text, &p->len);
    log_init(&p->log, p->f);
}

static const char *page_text(struct page *p)
{
    fflush(p->f);
    return p->text;
}

static void page_close(struct page *p)
{
    fclose(p->f);
    free(p->text);
    log_fini(&p->log);
}

START_TEST(line_has_time_and_speaker)
{
    struct page p;
    struct clock c;
    page_open(&p);
    clock_init(&c, 1000000);
    clock_skip_to(&c, VTIME_NS(1234567890));
    log_line(&p.log, LOG_INFO, "beige", "starting");
    p.log.clock = &c;
    log_line(&p.log, LOG_WARN, "fd0", "no %s", "medium");
    log_line(&p.log, LOG_ERROR, "fd0", "lost");
    log_guest(&p.log, "pit", "not shown");
    ck_assert_str_eq(page_text(&p), "beige: starting\n[  1.234567890] fd0: warning: no medium\nfd0: error: lost\n");
    clock_fini(&c);
    page_close(&p);
}
END_TEST

START_TEST(absent_log_drops_everything)
{
    log_line(NULL, LOG_ERROR, "x", "y");
    log_once(NULL, LOG_ERROR, "x", 1, "y");
    trace((struct log *)NULL, port_read, "kbc", (uint64_t)1, (uint64_t)2, (uint64_t)3);
}
END_TEST

START_TEST(long_line_is_cut_and_ends)
{
    struct page p;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    page_open(&p);
    log_line(&p.log, LOG_INFO, text, "%s", text);
    const char *line = page_text(&p);
    ck_assert_uint_lt(strlen(line), 1024);
    ck_assert_int_eq(line[strlen(line) - 1], '\n');
    page_close(&p);
}
END_TEST

START_TEST(unmodelled_register_is_named_once)
{
    struct page p;
    const char *bad = NULL;
    page_open(&p);
    log_unimp(&p.log, "vga", 3, "not yet enabled");       /* not recorded while the level is off */
    ck_assert(log_enable_items(&p.log, "guest_errors,unimp", &bad));
    for (unsigned i = 0; i < 3; i++) log_unimp(&p.log, "vga", 3, "register 3");
    log_unimp(&p.log, "vga", 4, "register 4");
    log_unimp(&p.log, "pic", 3, "register 3");
    log_guest(&p.log, "pic", "bad ICW");
    ck_assert_str_eq(page_text(&p), "vga: not modelled: register 3\nvga: not modelled: register 4\npic: not modelled: register 3\n"
                                    "pic: guest error: bad ICW\n");
    page_close(&p);
}
END_TEST

START_TEST(guest_cannot_fill_memory_with_messages)
{
    struct page p;
    page_open(&p);
    p.log.enabled[LOG_UNIMP] = true;
    for (uint64_t i = 0; i < 70000; i++) log_unimp(&p.log, "mem", i, "x");
    for (uint64_t i = 0; i < 70000; i++) log_unimp(&p.log, "mem", i, "x");
    ck_assert_uint_eq(p.log.seen_len, 65536);
    unsigned lines = 0;
    for (const char *s = page_text(&p); *s; s++) lines += *s == '\n';
    ck_assert_uint_eq(lines, 65536);
    page_close(&p);
}
END_TEST

START_TEST(trace_events_are_chosen_by_pattern)
{
    struct page p;
    page_open(&p);
    ck_assert_uint_eq(log_enable_trace(&p.log, "nothing_like_this"), 0);
    ck_assert_uint_eq(log_enable_trace(&p.log, "port_*d"), 1);
    trace(&p.log, port_read, "kbc", (uint64_t)0x60, (uint64_t)1, (uint64_t)0xfa);
    trace(&p.log, port_write, "kbc", (uint64_t)0x60, (uint64_t)1, (uint64_t)0xfa);
    ck_assert_str_eq(page_text(&p), "port_read: kbc port 60 size 1 -> fa\n");
    ck_assert_uint_ge(log_enable_trace(&p.log, "*p?rt_*rit*"), 1);
    ck_assert(p.log.trace[TRACE_port_write]);
    ck_assert_uint_eq(log_enable_trace(&p.log, "*"), TRACE_COUNT);
    ck_assert_str_eq(trace_name(TRACE_port_read), "port_read");
    page_close(&p);
}
END_TEST

START_TEST(unknown_item_is_pointed_at)
{
    struct page p;
    const char *bad = NULL;
    page_open(&p);
    ck_assert(!log_enable_items(&p.log, "unimp,fnord,guest_errors", &bad));
    ck_assert_str_eq(bad, "fnord,guest_errors");
    ck_assert(log_enable_items(&p.log, "trace:cpu_*", &bad));
    ck_assert(!log_enable_items(&p.log, "trace:nope", &bad));
    ck_assert(log_enable_items(&p.log, "", &bad));
    page_close(&p);
}
END_TEST

START_TEST(statuses_have_words_and_errors_are_cut)
{
    for (int st = HOST_OK; st <= HOST_BUSY; st++) ck_assert_str_ne(host_status_text((enum host_status)st), "unknown error");
    struct error e;
    ck_assert_int_eq(error_set(&e, HOST_BUSY, "%0*d", 1000, 7), HOST_BUSY);
    ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
    ck_assert_int_eq(error_set(NULL, HOST_NO_SPACE, "x"), HOST_NO_SPACE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("log");
    tcase_add_test(t, line_has_time_and_speaker);
    tcase_add_test(t, absent_log_drops_everything);
    tcase_add_test(t, long_line_is_cut_and_ends);
    tcase_add_test(t, unmodelled_register_is_named_once);
    tcase_add_test(t, guest_cannot_fill_memory_with_messages);
    tcase_add_test(t, trace_events_are_chosen_by_pattern);
    tcase_add_test(t, unknown_item_is_pointed_at);
    tcase_add_test(t, statuses_have_words_and_errors_are_cut);
    suite_add_tcase(s, t);
    return suite_main(s);
}
