/* The line editor, typed into; what it sends is shown on a model of a terminal, which must look like the line. */
#include <string.h>
#include "frontend/lineedit.h"
#include "tests/suite.h"

enum { WIDTH = 2000 };

static struct { char row[WIDTH + 1]; size_t col, end; unsigned bells, rows; } tty;
static char lines[16][LINEEDIT_MAX];
static unsigned line_count;
static struct lineedit l;

/* A check that is made for every byte: Check's own would report each one that holds. */
#define demand(cond) do { if (!(cond)) ck_abort_msg("%s", #cond); } while (0)

/* Printable text, CR, LF, BS, BEL and "ESC [ K": all that may be sent. */
static void show(void *opaque, const char *text, size_t len)
{
    (void)opaque;
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '\r': tty.col = 0; break;
        case '\n':
            memset(&tty.row, 0, sizeof tty.row);
            tty.end = 0;
            tty.rows++;
            break;
        case '\b': demand(tty.col > 0); tty.col--; break;
        case '\a': tty.bells++; break;
        case 27:
            demand(i + 2 < len && text[i + 1] == '[' && text[i + 2] == 'K');
            memset(tty.row + tty.col, 0, WIDTH - tty.col);
            tty.end = tty.col;
            i += 2;
            break;
        default:
            demand(text[i] >= 32 || text[i] < 0);
            demand(tty.col < WIDTH);
            tty.row[tty.col++] = text[i];
            if (tty.col > tty.end) tty.end = tty.col;
        }
    }
}

static void take_line(void *opaque, const char *text)
{
    (void)opaque;
    snprintf(lines[line_count++ % 16], LINEEDIT_MAX, "%s", text);
    lineedit_prompt(&l);
}

static void complete(void *opaque, const char *text, void (*add)(void *, const char *), void *ctx)
{
    static const char *const words[] = { "info", "inject", "stop", "system_reset", "system_powerdown" };
    const char *blank = strrchr(text, ' '), *begin = blank ? blank + 1 : text;
    (void)opaque;
    for (unsigned i = 0; i < 5; i++)
        if (strncmp(words[i], begin, strlen(begin)) == 0) add(ctx, words[i]);
}

static void setup(void)
{
    memset(&tty, 0, sizeof tty);
    line_count = 0;
    l = (struct lineedit){ .prompt = "> ", .put = show, .line = take_line, .complete = complete };
    lineedit_prompt(&l);
}

static void teardown(void) { lineedit_fini(&l); }

static void type_bytes(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) lineedit_byte(&l, (uint8_t)text[i]);
}

static void type(const char *text) { type_bytes(text, strlen(text)); }

/* The terminal shows prompt and line, and its cursor is where the editor thinks. */
static void looks_right(void)
{
    char want[LINEEDIT_MAX + 2];
    int n = snprintf(want, sizeof want, "> %s", l.text);
    demand(l.len == strlen(l.text));
    demand(tty.end == (size_t)n);
    demand(memcmp(tty.row, want, (size_t)n) == 0);
    demand(tty.col == l.pos + 2);
}

static void expect_line(const char *keys, const char *want)
{
    type(keys);
    looks_right();
    unsigned before = line_count;
    type("\r");
    ck_assert_uint_eq(line_count, before + 1);
    ck_assert_str_eq(lines[before % 16], want);
}

START_TEST(keys_edit_the_line)
{
    expect_line("stop", "stop");
    expect_line("stpp\x1b[D\x7fo", "stop");                       /* left, backspace */
    expect_line("top\x01s\x05!", "stop!");                        /* begin, end */
    expect_line("top\x1b[Hs\x1b[F!", "stop!");
    expect_line("top\x1b[1~s\x1b[4~!", "stop!");
    expect_line("top\x1bOHs\x1bOF!", "stop!");
    expect_line("sstop\x01\x1b[3~", "stop");                      /* delete */
    expect_line("sstop\x01\x04", "stop");
    expect_line("stop it\x02\x02\x02\x0b", "stop");               /* back, cut to the end */
    expect_line("go stop\x02\x02\x02\x02\x15", "stop");           /* cut to the begin */
    expect_line("stop  it  \x17", "stop  ");                      /* cut a word */
    expect_line("abc\x02\x02\x06X", "abXc");
}
END_TEST

START_TEST(edges_of_the_line_hold)
{
    expect_line("\x7f\x1b[D\x1b[3~\x04\x15\x17\x0b", "");
    expect_line("a\x1b[C\x1b[C\x05\x06" "b", "ab");
    expect_line("\x1b[99;5Zok\x1bx", "ok");                       /* keys it does not know */
    for (unsigned i = 0; i < LINEEDIT_MAX + 10; i++) type("z");
    looks_right();
    ck_assert_uint_eq(l.len, LINEEDIT_MAX - 1);
    ck_assert_uint_gt(tty.bells, 0);
}
END_TEST

START_TEST(history_goes_back_and_forth)
{
    expect_line("one", "one");
    expect_line("two", "two");
    expect_line("two", "two");                                    /* kept once */
    type("unfinished\x1b[A\x1b[A");
    looks_right();
    ck_assert_str_eq(l.text, "one");
    type("\x1b[A");
    ck_assert_uint_eq(tty.bells, 1);
    type("\x0e\x0e");                                             /* Ctrl-N, twice: back to what was begun */
    looks_right();
    ck_assert_str_eq(l.text, "unfinished");
    type("\x03");
    expect_line("\x10\x10!", "one!");
    char line[8];
    for (unsigned i = 0; i < 100; i++) {                          /* the oldest are forgotten */
        snprintf(line, sizeof line, "%u", i);
        expect_line(line, line);
    }
    for (unsigned i = 0; i < 200; i++) type("\x10");
    ck_assert_str_eq(l.text, "36");
}
END_TEST

START_TEST(tab_completes_lists_and_rings)
{
    type("sto\t");
    ck_assert_str_eq(l.text, "stop ");
    looks_right();
    type("\x15sy\t");
    ck_assert_str_eq(l.text, "system_");
    unsigned rows = tty.rows;
    type("\t");
    ck_assert_uint_eq(tty.rows, rows + 2);
    ck_assert_str_eq(l.text, "system_");
    looks_right();
    type("x\t");
    ck_assert_uint_eq(tty.bells, 1);
    type("\x15now inf\t");                                        /* a later word, in the middle of a line */
    ck_assert_str_eq(l.text, "now info ");
    type("\x15inf now\x01\x06\x06\x06\t");
    ck_assert_str_eq(l.text, "info  now");
    looks_right();
}
END_TEST

START_TEST(line_ends_of_all_kinds_end_one_line)
{
    type("a\rb\nc\r\nd\r");
    ck_assert_uint_eq(line_count, 4);
    ck_assert_str_eq(lines[3], "d");
    type("half\x03");
    ck_assert_uint_eq(line_count, 4);                             /* given up */
    looks_right();
    type("x\x0c");
    looks_right();                                                /* drawn anew */
}
END_TEST

START_TEST(any_bytes_at_all_leave_terminal_and_line_agreed)
{
    uint64_t seed = (uint64_t)_i;
    for (unsigned n = 0; n < 3000; n++) {
        uint64_t r = random64(&seed);
        char ch = (char)(r % 4 ? 32 + r / 4 % 95 : r / 4 % 32);
        if (r / 1024 % 16 == 0) type(r / 16384 % 2 ? "\x1b[D" : "\x1b[A");
        type_bytes(&ch, 1);
        if (!l.escape) looks_right();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lineedit");
    TCase *t = tcase_create("lineedit");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, keys_edit_the_line);
    tcase_add_test(t, edges_of_the_line_hold);
    tcase_add_test(t, history_goes_back_and_forth);
    tcase_add_test(t, tab_completes_lists_and_rings);
    tcase_add_test(t, line_ends_of_all_kinds_end_one_line);
    tcase_add_loop_test(t, any_bytes_at_all_leave_terminal_and_line_agreed, 0, 20);
    suite_add_tcase(s, t);
    return suite_main(s);
}
