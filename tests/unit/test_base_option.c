/* Options, sub-options, numbers, help and the manual page. */
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "tests/suite.h"

struct seen { char log[256]; };

static enum host_status note(void *ctx, const struct option *o, const char *value, struct error *e)
{
    struct seen *s = ctx;
    (void)e;
    size_t n = strlen(s->log);
    snprintf(s->log + n, sizeof s->log - n, "%s=%s;", o ? o->name : "file", value ? value : "");
    return HOST_OK;
}

static enum host_status refuse(void *ctx, const struct option *o, const char *value, struct error *e)
{
    (void)ctx, (void)o;
    return error_set(e, HOST_REFUSED, strcmp(value, "who") == 0 ? "-display: %s?" : "'%s' is not for us", value);
}

static const struct option table[] = {
    { .name = "m", .metavar = "SIZE", .group = "Machine", .help = "RAM", .apply = note },
    { .name = "machine", .alias = "M", .metavar = "TYPE", .group = "Machine", .help = "the board: only pc exists and this "
      "sentence is long enough to be wrapped at the right margin of the help text", .apply = note },
    { .name = "snapshot", .group = "Drives", .help = "write nothing to any image", .apply = note },
    { .name = "display", .metavar = "KIND", .group = "Screen", .help = ".sdl or none", .apply = refuse },
    { .name = "vnc", .metavar = "ADDRESS", .group = "Screen", .help = "not there", .apply = NULL },
};
enum { TABLE = sizeof table / sizeof table[0] };

static enum host_status parse(struct seen *s, struct error *e, const char *line)
{
    static char copy[256];
    char *argv[16];
    int argc = 0;
    s->log[0] = '\0';
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " ")) argv[argc++] = w;
    return option_parse(table, TABLE, argc, argv, s, note, e);
}

START_TEST(one_and_two_dashes_and_equals_are_the_same)
{
    struct seen s;
    struct error e = { "" };
    ck_assert_int_eq(parse(&s, &e, "-m 64M --m 64M --m=64M -m=64M -M pc --snapshot"), HOST_OK);
    ck_assert_str_eq(s.log, "m=64M;m=64M;m=64M;m=64M;machine=pc;snapshot=;");
}
END_TEST

START_TEST(files_stand_anywhere_and_a_double_dash_ends_options)
{
    struct seen s;
    struct error e = { "" };
    ck_assert_int_eq(parse(&s, &e, "a.img -snapshot - -- -m"), HOST_OK);
    ck_assert_str_eq(s.log, "file=a.img;snapshot=;file=-;file=-m;");
}
END_TEST

START_TEST(unknown_option_names_the_nearest)
{
    struct seen s;
    struct error e = { "" };
    ck_assert_int_eq(parse(&s, &e, "-snapshto"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "unknown option '-snapshto'; the nearest is '-snapshot'");
    parse(&s, &e, "--disp none");
    ck_assert_str_eq(e.text, "unknown option '--disp'; the nearest is '-display'");
}
END_TEST

START_TEST(each_misuse_has_its_message)
{
    struct seen s;
    struct error e = { "" };
    ck_assert_int_eq(parse(&s, &e, "-m"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "option '-m' needs a value: -m SIZE");
    ck_assert_int_eq(parse(&s, &e, "-snapshot=on"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "option '-snapshot' takes no value");
    ck_assert_int_eq(parse(&s, &e, "-vnc :1"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "option '-vnc' is not built yet");
    ck_assert_int_eq(parse(&s, &e, "-display gtk"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "-display: 'gtk' is not for us");
    ck_assert_int_eq(parse(&s, &e, "-display who"), HOST_REFUSED);
    ck_assert_str_eq(e.text, "-display: who?");          /* named once */
    char *argv[] = { (char *)"x" };
    ck_assert_int_eq(option_parse(table, TABLE, 1, argv, &s, NULL, &e), HOST_REFUSED);
    ck_assert_str_eq(e.text, "'x' is not an option, and nothing else is expected here");
}
END_TEST

/* Everything a printer writes, as a string that the caller frees. */
static char *printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    print(f);
    fclose(f);
    return text;
}

static void print_help(FILE *f) { option_help(table, TABLE, f); }

START_TEST(help_is_grouped_wrapped_and_leaves_out_what_is_not_built)
{
    char *text = printed(print_help);
    ck_assert_ptr_nonnull(strstr(text, "Machine:\n  -m SIZE                 RAM\n  -machine, -M TYPE       the board"));
    ck_assert_ptr_nonnull(strstr(text, "\n\nDrives:\n"));
    ck_assert_ptr_null(strstr(text, "vnc"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) ck_assert_uint_le(strlen(line), 79);
    free(text);
}
END_TEST

static void print_man(FILE *f)
{
    static const struct option_section before[] = { { "DESCRIPTION", "A PC.\n\n    beige -m 64M\n\n.dotted" }, { NULL, NULL } };
    struct option_manual man = { .program = "beige", .version = "0.1", .date = "2026-01-01", .summary = "a PC in software",
                                 .synopsis = "[options] [file]", .before = before };
    option_man(&man, table, TABLE, f);
}

START_TEST(manual_page_is_troff)
{
    char *text = printed(print_man);
    ck_assert_ptr_nonnull(strstr(text, ".TH beige 1 \"2026-01-01\" \"beige 0.1\"\n"));
    ck_assert_ptr_nonnull(strstr(text, ".TP\n\\fB\\-machine\\fR, \\fB\\-M\\fR \\fITYPE\\fR\n"));
    ck_assert_ptr_nonnull(strstr(text, "beige \\-m 64M"));
    ck_assert_ptr_nonnull(strstr(text, "\n\\&.sdl or none"));
    ck_assert_ptr_nonnull(strstr(text, "\n\\&.dotted"));
    ck_assert_ptr_null(strstr(text, "vnc"));
    free(text);
}
END_TEST

START_TEST(doubled_comma_is_a_comma)
{
    struct subopts s;
    struct error e = { "" };
    ck_assert_int_eq(subopts_parse(&s, "-drive", "file=a,,b=c.img,if=ide,readonly", NULL, &e), HOST_OK);
    ck_assert_str_eq(subopts_get(&s, "file"), "a,b=c.img");
    ck_assert_str_eq(subopts_get(&s, "if"), "ide");
    ck_assert_str_eq(subopts_get(&s, "readonly"), "on");
    ck_assert_ptr_null(subopts_get(&s, "format"));
    ck_assert_int_eq(subopts_done(&s, &e), HOST_OK);
    subopts_fini(&s);
}
END_TEST

START_TEST(first_item_may_leave_its_key_away)
{
    struct subopts s;
    struct error e = { "" };
    bool server = false, wait = true;
    ck_assert_int_eq(subopts_parse(&s, "-chardev", "socket,server,nowait,id=c0", "backend", &e), HOST_OK);
    ck_assert_str_eq(subopts_get(&s, "backend"), "socket");
    ck_assert_int_eq(subopts_bool(&s, "server", &server, &e), HOST_OK);
    ck_assert_int_eq(subopts_bool(&s, "wait", &wait, &e), HOST_OK);
    ck_assert(server && !wait);
    ck_assert_int_eq(subopts_done(&s, &e), HOST_REFUSED);
    ck_assert_str_eq(e.text, "-chardev: unknown property 'id'; the nearest is 'wait'");
    subopts_fini(&s);
}
END_TEST

START_TEST(last_of_two_equal_keys_counts)
{
    struct subopts s;
    struct error e = { "" };
    uint64_t v = 7;
    ck_assert_int_eq(subopts_parse(&s, "-x", "n=1,n=0x20", NULL, &e), HOST_OK);
    ck_assert_int_eq(subopts_int(&s, "n", 0, 100, &v, &e), HOST_OK);
    ck_assert_uint_eq(v, 32);
    ck_assert_int_eq(subopts_int(&s, "n", 0, 31, &v, &e), HOST_REFUSED);
    ck_assert_int_eq(subopts_int(&s, "absent", 0, 31, &v, &e), HOST_OK);
    ck_assert_uint_eq(v, 32);
    ck_assert_int_eq(subopts_done(&s, &e), HOST_OK);
    subopts_fini(&s);
}
END_TEST

START_TEST(bad_suboptions_are_refused)
{
    struct subopts s;
    struct error e = { "" };
    bool b = false;
    uint64_t v = 0;
    ck_assert_int_eq(subopts_parse(&s, "-x", "=1", NULL, &e), HOST_REFUSED);
    subopts_fini(&s);
    ck_assert_int_eq(subopts_parse(&s, "-x", "b=maybe,s=1X,i=12z", NULL, &e), HOST_OK);
    ck_assert_int_eq(subopts_bool(&s, "b", &b, &e), HOST_REFUSED);
    ck_assert_int_eq(subopts_size(&s, "s", 1, &v, &e), HOST_REFUSED);
    ck_assert_int_eq(subopts_int(&s, "i", 0, 99, &v, &e), HOST_REFUSED);
    subopts_fini(&s);
    char many[400] = "";
    for (unsigned i = 0; i < SUBOPTS_MAX + 1; i++) strcat(many, "a=1,");
    ck_assert_int_eq(subopts_parse(&s, "-x", many, NULL, &e), HOST_REFUSED);
    subopts_fini(&s);
    ck_assert_int_eq(subopts_parse(&s, "-x", "", NULL, &e), HOST_OK);
    ck_assert_uint_eq(s.num, 0);
    subopts_fini(&s);
}
END_TEST

START_TEST(sizes_take_suffixes_fractions_and_a_default_unit)
{
    uint64_t v;
    ck_assert(parse_size("64", 1 << 20, &v) && v == 64ull << 20);
    ck_assert(parse_size("64M", 1, &v) && v == 64ull << 20);
    ck_assert(parse_size("1g", 1, &v) && v == 1ull << 30);
    ck_assert(parse_size("1.5G", 1, &v) && v == 3ull << 29);
    ck_assert(parse_size("512B", 1 << 20, &v) && v == 512);
    ck_assert(parse_size("0x100k", 1, &v) && v == 256 << 10);
    ck_assert(parse_size("15.9999T", 1, &v));
    static const char *const bad[] = { "", "M", "64MM", "64X", "1.", ".5G", "-1", "99999999999999999999", "99999999999T", " 1" };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) ck_assert_msg(!parse_size(bad[i], 1, &v), "%s", bad[i]);
}
END_TEST

START_TEST(numbers_are_whole_texts)
{
    uint64_t v;
    ck_assert(parse_u64("18446744073709551615", &v) && v == UINT64_MAX);
    ck_assert(parse_u64("0xFf", &v) && v == 255);
    ck_assert(!parse_u64("18446744073709551616", &v));
    ck_assert(!parse_u64("0x", &v));
    ck_assert(!parse_u64("12 ", &v));
}
END_TEST

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(text_distance("", "abc"), 3);
    ck_assert_uint_eq(text_distance("abc", "abc"), 0);
    ck_assert_uint_eq(text_distance("abc", "acb"), 1);
    ck_assert_uint_eq(text_distance("kitten", "sitting"), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("option");
    TCase *t = tcase_create("command line");
    tcase_add_test(t, one_and_two_dashes_and_equals_are_the_same);
    tcase_add_test(t, files_stand_anywhere_and_a_double_dash_ends_options);
    tcase_add_test(t, unknown_option_names_the_nearest);
    tcase_add_test(t, each_misuse_has_its_message);
    tcase_add_test(t, help_is_grouped_wrapped_and_leaves_out_what_is_not_built);
    tcase_add_test(t, manual_page_is_troff);
    suite_add_tcase(s, t);
    t = tcase_create("sub-options");
    tcase_add_test(t, doubled_comma_is_a_comma);
    tcase_add_test(t, first_item_may_leave_its_key_away);
    tcase_add_test(t, last_of_two_equal_keys_counts);
    tcase_add_test(t, bad_suboptions_are_refused);
    suite_add_tcase(s, t);
    t = tcase_create("values");
    tcase_add_test(t, sizes_take_suffixes_fractions_and_a_default_unit);
    tcase_add_test(t, numbers_are_whole_texts);
    tcase_add_test(t, distance_counts_edits);
    suite_add_tcase(s, t);
    return suite_main(s);
}
