/* Character devices from both ends: a chip with little room on one, a file, socket or terminal on the other. */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include "host/chardev.h"
#include "host/tty.h"
#include "tests/unit/host_rig.h"

static struct loop l;
static struct error e;

/* ---- the chip's end: takes `room` bytes between two rounds of the loop --------------------------------------------------- */

struct guest { char got[20000]; size_t len, room, most; int last_event; unsigned events; };
static struct guest g;

static size_t guest_room(void *opaque, struct chr *c)
{
    (void)c;
    return ((struct guest *)opaque)->room;
}

static void guest_input(void *opaque, struct chr *c, const uint8_t *data, size_t len)
{
    struct guest *u = opaque;
    (void)c;
    ck_assert_uint_le(len, u->room);
    ck_assert_uint_le(u->len + len, sizeof u->got);
    memcpy(u->got + u->len, data, len);
    u->len += len;
    if (len > u->most) u->most = len;
    u->room -= len;
}

static void guest_event(void *opaque, struct chr *c, int what)
{
    struct guest *u = opaque;
    (void)c;
    u->last_event = what;
    u->events++;
}

static struct chardev *open_dev(const struct chardev_config *cfg)
{
    e.text[0] = 0;
    memset(&g, 0, sizeof g);
    g.last_event = -1;
    struct chardev *c = chardev_open(&l, "serial0", cfg, &e);
    if (c) chardev_attach(c, &(struct chardev_client){ guest_room, guest_input, guest_event, &g });
    return c;
}

static struct chardev *must_open(const struct chardev_config *cfg)
{
    struct chardev *c = open_dev(cfg);
    ck_assert_msg(c != NULL, "%s", e.text);
    return c;
}

static void guest_says(struct chardev *c, const char *text)
{
    chr_send(chardev_chr(c), (const uint8_t *)text, strlen(text));
}

/* Rounds of the main loop; the chip makes room before each. */
static void rounds(unsigned n, size_t room)
{
    while (n--) {
        g.room = room;
        loop_wait(&l, 2000000);
    }
}

/* ---- the far end -------------------------------------------------------------------------------------------------------- */

static int dial(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    fd_set_nonblocking(fd);
    return fd;
}

static void far_end_hears(int fd, const char *want)
{
    char got[4096];
    size_t n = 0, len = strlen(want);
    for (unsigned i = 0; i < 100 && n < len; i++) {
        struct pollfd f = { .fd = fd, .events = POLLIN };
        poll(&f, 1, 10);
        ssize_t r = read(fd, got + n, sizeof got - n);
        if (r > 0) n += (size_t)r;
        loop_wait(&l, 0);
    }
    ck_assert_uint_eq(n, len);
    ck_assert_mem_eq(got, want, len);
}

static const struct chardev_config unix_server = { .kind = CHARDEV_SOCKET, .path = "s", .server = true };

/* ---- files, null -------------------------------------------------------------------------------------------------------- */

START_TEST(file_holds_what_the_guest_sent)
{
    char got[64] = "";
    struct chardev *c = must_open(&(struct chardev_config){ .kind = CHARDEV_FILE, .path = "out", .logfile = "log" });
    guest_says(c, "first ");
    rounds(1, 0);
    ck_assert_uint_eq(rig_read("out", got, sizeof got), 6);
    guest_says(c, "second");
    chardev_close(c);                                    /* pushes out what is left */
    rig_read("out", got, sizeof got);
    ck_assert_str_eq(got, "first second");
    memset(got, 0, sizeof got);
    rig_read("log", got, sizeof got);
    ck_assert_str_eq(got, "first second");
}
END_TEST

START_TEST(file_is_cut_or_appended_to)
{
    char got[64] = "";
    rig_file("out", "old ", 4);
    rig_file("log", "old ", 4);
    struct chardev_config cfg = { .kind = CHARDEV_FILE, .path = "out", .append = true, .logfile = "log", .logappend = true };
    struct chardev *c = must_open(&cfg);
    guest_says(c, "new");
    chardev_close(c);
    rig_read("out", got, sizeof got);
    ck_assert_str_eq(got, "old new");
    rig_read("log", got, sizeof got);
    ck_assert_str_eq(got, "old new");
    cfg.append = cfg.logappend = false;
    chardev_close(must_open(&cfg));
    ck_assert_uint_eq(rig_read("out", got, sizeof got), 0);
    ck_assert_uint_eq(rig_read("log", got, sizeof got), 0);
}
END_TEST

START_TEST(file_in_no_folder_is_an_error_that_names_both_ends)
{
    ck_assert_ptr_null(open_dev(&(struct chardev_config){ .kind = CHARDEV_FILE, .path = "no/where" }));
    ck_assert_str_eq(e.text, "serial0: no/where: No such file or directory");
    ck_assert_ptr_null(open_dev(&(struct chardev_config){ .kind = CHARDEV_NULL, .logfile = "no/log" }));
    ck_assert_str_eq(e.text, "serial0: no/log: No such file or directory");
}
END_TEST

START_TEST(full_disk_loses_bytes_and_says_so_once)
{
    char said[512] = "", got[64];
    int told[2];
    ck_assert_int_eq(pipe(told), 0);
    pid_t child = fork();                                /* the limit would hit Check's own files */
    if (child == 0) {
        dup2(told[1], 2);
        rig_full_disk_beyond(8);
        struct chardev *c = chardev_open(&l, "serial0", &(struct chardev_config){ .kind = CHARDEV_FILE, .path = "out" }, &e);
        for (unsigned i = 0; i < 3 && c; i++) {
            guest_says(c, "12345");
            rounds(1, 0);
        }
        chardev_close(c);
        _exit(0);
    }
    close(told[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_gt(read(told[0], said, sizeof said - 1), 0);
    ck_assert_str_eq(said, "beige: serial0: cannot write to file:out: File too large; output is lost\n");
    ck_assert_uint_eq(rig_read("out", got, sizeof got), 8);
}
END_TEST

START_TEST(null_swallows_everything)
{
    struct chardev *c = must_open(&(struct chardev_config){ .kind = CHARDEV_NULL });
    ck_assert_str_eq(chardev_filename(c), "null");
    ck_assert(!chardev_interactive(c));
    for (unsigned i = 0; i < 300000; i++) guest_says(c, "0123456789");
    chardev_close(c);
}
END_TEST

/* ---- sockets ------------------------------------------------------------------------------------------------------------ */

START_TEST(bytes_go_both_ways_through_a_unix_socket)
{
    struct chardev *c = must_open(&unix_server);
    ck_assert(!chardev_connected(c));
    ck_assert_str_eq(chardev_filename(c), "disconnected:unix:s,server=on");
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_str_eq(chardev_filename(c), "unix:s,server=on");
    ck_assert_int_eq(g.last_event, CHR_OPENED);
    guest_says(c, "login: ");
    far_end_hears(fd, "login: ");
    ck_assert_int_eq(write(fd, "root\n", 5), 5);
    rounds(2, 64);
    ck_assert_uint_eq(g.len, 5);
    ck_assert_mem_eq(g.got, "root\n", 5);
    chardev_close(c);
    ck_assert_int_ne(access("s", F_OK), 0);              /* the socket is gone from the folder */
    close(fd);
}
END_TEST

START_TEST(chip_gets_no_more_than_it_has_room_for_and_nothing_is_lost)
{
    char paste[15000];
    for (size_t i = 0; i < sizeof paste; i++) paste[i] = (char)('a' + i % 26);
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_int_eq(write(fd, paste, sizeof paste), sizeof paste);
    rounds(20, 0);
    ck_assert_uint_eq(g.len, 0);
    rounds(2000, 16);
    ck_assert_uint_eq(g.len, sizeof paste);
    ck_assert_uint_eq(g.most, 16);
    ck_assert_mem_eq(g.got, paste, sizeof paste);
    chardev_close(c);
    close(fd);
}
END_TEST

START_TEST(held_bytes_keep_the_loop_awake)
{
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_int_eq(write(fd, "abc", 3), 3);
    alarm(10);
    g.room = 1;
    loop_wait(&l, ~0ull);                                /* reads all, hands over one byte */
    for (unsigned i = 0; i < 2; i++) {
        g.room = 1;
        loop_wait(&l, ~0ull);                            /* the rest is work to do: it must not sleep */
    }
    ck_assert_uint_eq(g.len, 3);
    chardev_close(c);
    close(fd);
}
END_TEST

START_TEST(last_words_arrive_before_the_hang_up)
{
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_int_eq(write(fd, "bye", 3), 3);
    close(fd);
    rounds(3, 64);
    ck_assert_mem_eq(g.got, "bye", 3);
    ck_assert_int_eq(g.last_event, CHR_CLOSED);
    ck_assert(!chardev_connected(c));
    chardev_close(c);
}
END_TEST

static uint64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

START_TEST(last_words_wait_for_a_slow_chip)
{
    static const char words[5000] = "a client that says more than fits, and leaves";
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_int_eq(write(fd, words, sizeof words), sizeof words);
    close(fd);
    rounds(5, 0);
    guest_says(c, "anybody there?");
    uint64_t start = wall_ms();
    rounds(20, 0);                                       /* there is nothing to do: each round takes its 2 ms */
    ck_assert_uint_ge(wall_ms() - start, 35);
    ck_assert_uint_eq(g.len, 0);
    ck_assert_uint_eq(g.events, 1);
    rounds(500, 16);
    ck_assert_uint_eq(g.len, sizeof words);
    ck_assert_mem_eq(g.got, words, sizeof words);
    ck_assert_int_eq(g.last_event, CHR_CLOSED);
    ck_assert(!chardev_connected(c));
    chardev_close(c);
}
END_TEST

START_TEST(next_client_does_not_wait_for_a_guest_that_never_reads)
{
    struct chardev *c = must_open(&unix_server);
    int first = dial("s"), second = dial("s");
    rounds(2, 0);
    ck_assert_int_eq(write(first, "unheard", 7), 7);
    close(first);
    rounds(4, 0);
    ck_assert_uint_eq(g.events, 3);                      /* opened, closed, opened */
    ck_assert_int_eq(g.last_event, CHR_OPENED);
    guest_says(c, "two");
    far_end_hears(second, "two");
    rounds(3, 64);
    ck_assert_uint_eq(g.len, 0);
    chardev_close(c);
    close(second);
}
END_TEST

START_TEST(next_client_waits_its_turn_and_hears_nothing_old)
{
    struct chardev *c = must_open(&unix_server);
    int first = dial("s"), second = dial("s");
    rounds(2, 64);
    guest_says(c, "one");
    far_end_hears(first, "one");
    ck_assert_int_eq(write(second, "early", 5), 5);
    rounds(2, 64);
    ck_assert_uint_eq(g.len, 0);                         /* not connected yet */
    close(first);
    guest_says(c, "to nobody");
    rounds(3, 64);
    ck_assert_int_eq(g.last_event, CHR_OPENED);
    ck_assert_mem_eq(g.got, "early", 5);
    guest_says(c, "two");
    far_end_hears(second, "two");
    chardev_close(c);
    close(second);
}
END_TEST

START_TEST(sending_to_a_client_that_hung_up_is_harmless)
{
    struct chardev *c = must_open(&unix_server);
    signal(SIGPIPE, SIG_DFL);                            /* would kill */
    int fd = dial("s");
    rounds(1, 0);
    close(fd);
    for (unsigned i = 0; i < 5; i++) {
        guest_says(c, "anybody there?");
        rounds(1, 0);
    }
    ck_assert(!chardev_connected(c));
    ck_assert_uint_eq(g.events, 2);
    chardev_close(c);
}
END_TEST

START_TEST(reader_that_stops_costs_bytes_but_no_time)
{
    char block[65536];
    memset(block, 'x', sizeof block);
    ck_assert_ptr_nonnull(freopen("stderr", "w+", stderr));
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    for (unsigned i = 0; i < 64; i++) {                  /* 4 MiB into a socket that nobody reads */
        chr_send(chardev_chr(c), (const uint8_t *)block, sizeof block);
        loop_wait(&l, 0);
    }
    char line[256];
    rewind(stderr);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, stderr));
    ck_assert_contains(line, "serial0: the reader of unix:s,server=on does not keep up; output is lost");
    ck_assert_ptr_null(fgets(line, sizeof line, stderr));
    size_t total = 0;
    for (unsigned i = 0; i < 1000; i++) {
        ssize_t n = read(fd, block, sizeof block);
        if (n > 0) total += (size_t)n;
        loop_wait(&l, 0);
    }
    ck_assert_uint_ge(total, 1 << 20);
    ck_assert_uint_lt(total, 4 << 20);
    chardev_close(c);
    close(fd);
}
END_TEST

START_TEST(our_own_answers_are_never_cut)
{
    enum { SIZE = 3 << 20 };
    char *answer = malloc(SIZE), block[65536];
    memset(answer, 'y', SIZE);
    struct chardev *c = must_open(&unix_server);
    int fd = dial("s");
    rounds(1, 0);
    chardev_write(c, answer, SIZE);
    size_t total = 0;
    for (unsigned i = 0; i < 1000 && total < SIZE; i++) {
        loop_wait(&l, 0);
        ssize_t n = read(fd, block, sizeof block);
        if (n > 0) total += (size_t)n;
    }
    ck_assert_uint_eq(total, SIZE);
    chardev_close(c);
    close(fd);
    free(answer);
}
END_TEST

START_TEST(leftover_socket_is_replaced_and_one_in_use_is_not)
{
    struct chardev *c = must_open(&unix_server), *other;
    memset(&e, 0, sizeof e);
    other = chardev_open(&l, "serial1", &unix_server, &e);
    ck_assert_ptr_null(other);
    ck_assert_str_eq(e.text, "unix:s: in use by another process");
    ck_assert_int_eq(rename("s", "kept"), 0);            /* so that closing cannot remove it, as after a crash */
    chardev_close(c);
    ck_assert_int_eq(rename("kept", "s"), 0);
    c = must_open(&unix_server);
    int fd = dial("s");
    close(fd);
    chardev_close(c);
}
END_TEST

START_TEST(file_with_the_name_of_a_socket_is_never_removed)
{
    char got[16] = "";
    rig_file("s", "precious", 8);
    ck_assert_ptr_null(open_dev(&unix_server));
    ck_assert_str_eq(e.text, "unix:s: there is a file of that name, and it is no socket");
    rig_read("s", got, sizeof got);
    ck_assert_str_eq(got, "precious");
}
END_TEST

START_TEST(unix_path_too_long_is_told)
{
    char path[300];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = 0;
    ck_assert_ptr_null(open_dev(&(struct chardev_config){ .kind = CHARDEV_SOCKET, .path = path, .server = true }));
    ck_assert_contains(e.text, "too long for a unix socket");
}
END_TEST

START_TEST(tcp_port_in_use_is_told)
{
    struct chardev_config cfg = { .kind = CHARDEV_SOCKET, .host = "127.0.0.1", .port = "0", .server = true };
    struct chardev *c = must_open(&cfg);
    unsigned port;
    char text[16], want[64];
    ck_assert_int_eq(sscanf(chardev_filename(c), "disconnected:tcp:127.0.0.1:%u,server=on", &port), 1);
    ck_assert_uint_ne(port, 0);                          /* 0 asks for any: the name tells which */
    snprintf(text, sizeof text, "%u", port);
    snprintf(want, sizeof want, "tcp:127.0.0.1:%u: cannot listen: Address already in use", port);
    cfg.port = text;
    ck_assert_ptr_null(chardev_open(&l, "serial1", &cfg, &e));
    ck_assert_str_eq(e.text, want);
    /* and it can be dialled */
    cfg.server = false;
    struct chardev *far = chardev_open(&l, "serial1", &cfg, &e);
    ck_assert_msg(far != NULL, "%s", e.text);
    rounds(1, 64);
    chardev_write(far, "over", 4);
    rounds(3, 64);
    ck_assert_uint_eq(g.len, 4);
    ck_assert_mem_eq(g.got, "over", 4);
    chardev_close(far);
    chardev_close(c);
}
END_TEST

START_TEST(nobody_listens_is_told)
{
    ck_assert_ptr_null(open_dev(&(struct chardev_config){ .kind = CHARDEV_SOCKET, .path = "nobody" }));
    ck_assert_str_eq(e.text, "unix:nobody: cannot connect: No such file or directory");
    ck_assert_ptr_null(open_dev(&(struct chardev_config){ .kind = CHARDEV_SOCKET, .host = "127.0.0.1", .port = "1" }));
    ck_assert_str_eq(e.text, "tcp:127.0.0.1:1: cannot connect: Connection refused");
}
END_TEST

/* ---- pty ---------------------------------------------------------------------------------------------------------------- */

START_TEST(pty_can_be_opened_and_left_again_and_again)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    struct chardev *c = must_open(&(struct chardev_config){ .kind = CHARDEV_PTY });
    ck_assert_contains(chardev_filename(c), "pty:/dev/");
    guest_says(c, "before anybody came");
    for (unsigned i = 0; i < 3; i++) {
        int fd = open(chardev_filename(c) + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
        ck_assert_int_ge(fd, 0);
        far_end_hears(fd, i ? "again" : "before anybody came");
        ck_assert_int_eq(write(fd, "x\r", 2), 2);
        rounds(2, 16);
        ck_assert_uint_eq(g.len, 2 * (i + 1));
        ck_assert_mem_eq(g.got + 2 * i, "x\r", 2);       /* raw: nothing is translated */
        close(fd);
        rounds(2, 16);
        guest_says(c, "again");
    }
    chardev_close(c);
}
END_TEST

/* ---- standard input and output ------------------------------------------------------------------------------------------- */

static int make_stdio(int *out)
{
    int in[2], o[2];
    ck_assert_int_eq(pipe(in) | pipe(o), 0);
    ck_assert_int_eq(dup2(in[0], 0), 0);
    ck_assert_int_eq(dup2(o[1], 1), 1);
    fd_set_nonblocking(o[0]);
    *out = o[0];
    return in[1];
}

START_TEST(output_goes_on_after_the_end_of_input)
{
    int out, in = make_stdio(&out);
    struct chardev *c = must_open(&(struct chardev_config){ .kind = CHARDEV_STDIO });
    ck_assert_int_eq(write(in, "typed", 5), 5);
    close(in);
    ck_assert_int_eq(close(0), 0);
    ck_assert_int_eq(open("/dev/null", O_RDONLY), 0);
    rounds(3, 16);
    for (unsigned i = 0; i < 3; i++) {
        guest_says(c, "still here");
        far_end_hears(out, "still here");
    }
    chardev_close(c);
}
END_TEST

START_TEST(stdio_cannot_be_used_twice)
{
    struct chardev_config cfg = { .kind = CHARDEV_STDIO };
    struct chardev *c = must_open(&cfg);
    ck_assert_ptr_null(chardev_open(&l, "monitor", &cfg, &e));
    ck_assert_contains(e.text, "monitor: stdio is taken by another character device");
    chardev_close(c);
}
END_TEST

/* Takes what follows a '!' (the escape key), leaves the rest. */
struct taker { unsigned taken; bool prefix; };
static size_t take(void *opaque, uint8_t *data, size_t len)
{
    struct taker *t = opaque;
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (t->prefix) t->taken++;
        else if (data[i] != '!') data[kept++] = data[i];
        t->prefix = !t->prefix && data[i] == '!';
    }
    return kept;
}

START_TEST(escape_key_works_while_the_guest_does_not_listen)
{
    struct taker t = { 0 };
    struct chardev *c = must_open(&unix_server);
    chardev_set_filter(c, take, &t);
    int fd = dial("s");
    rounds(1, 0);
    ck_assert_int_eq(write(fd, "ab!xcd!", 7), 7);
    rounds(2, 0);
    ck_assert_uint_eq(t.taken, 1);
    ck_assert_int_eq(write(fd, "xef", 3), 3);
    rounds(2, 0);
    ck_assert_uint_eq(t.taken, 2);                       /* a prefix in one packet, its letter in the next */
    ck_assert_uint_eq(g.len, 0);
    rounds(8, 1);
    ck_assert_uint_eq(g.len, 6);
    ck_assert_mem_eq(g.got, "abcdef", 6);                /* and nothing typed meanwhile is lost */
    chardev_close(c);
    close(fd);
}
END_TEST

static struct termios terminal_now(void)
{
    struct termios t;
    ck_assert_int_eq(tcgetattr(0, &t), 0);
    return t;
}

START_TEST(terminal_is_raw_in_between_and_given_back)
{
    int master, slave;
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    ck_assert_int_eq(dup2(slave, 0) | dup2(slave, 1), 1);
    struct termios before = terminal_now(), now;
    ck_assert(before.c_lflag & ICANON);
    struct chardev *c = must_open(&(struct chardev_config){ .kind = CHARDEV_STDIO });
    ck_assert(chardev_interactive(c));
    now = terminal_now();
    ck_assert(!(now.c_lflag & (ICANON | ECHO | ISIG)) && (now.c_oflag & OPOST));
    chardev_close(c);
    now = terminal_now();
    ck_assert_uint_eq(now.c_lflag, before.c_lflag);
    ck_assert_uint_eq(now.c_iflag, before.c_iflag);
    c = must_open(&(struct chardev_config){ .kind = CHARDEV_STDIO, .signals = true });
    ck_assert(terminal_now().c_lflag & ISIG);            /* Ctrl-C is ours */
    chardev_close(c);
}
END_TEST

START_TEST(terminal_is_given_back_when_the_program_dies_of_a_defect)
{
    int master, slave, status;
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    ck_assert_int_eq(dup2(slave, 0), 0);
    struct termios before = terminal_now();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);                        /* no handler of a sanitizer's in the way */
        tty_guard();
        tty_raw(false);
        abort();
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_uint_eq(terminal_now().c_lflag, before.c_lflag);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("host chardev");
    TCase *t = tcase_create("character devices");
    tcase_add_checked_fixture(t, rig_enter, rig_leave);
    tcase_add_test(t, file_holds_what_the_guest_sent);
    tcase_add_test(t, file_is_cut_or_appended_to);
    tcase_add_test(t, file_in_no_folder_is_an_error_that_names_both_ends);
    tcase_add_test(t, full_disk_loses_bytes_and_says_so_once);
    tcase_add_test(t, null_swallows_everything);
    tcase_add_test(t, bytes_go_both_ways_through_a_unix_socket);
    tcase_add_test(t, chip_gets_no_more_than_it_has_room_for_and_nothing_is_lost);
    tcase_add_test(t, held_bytes_keep_the_loop_awake);
    tcase_add_test(t, last_words_arrive_before_the_hang_up);
    tcase_add_test(t, last_words_wait_for_a_slow_chip);
    tcase_add_test(t, next_client_does_not_wait_for_a_guest_that_never_reads);
    tcase_add_test(t, next_client_waits_its_turn_and_hears_nothing_old);
    tcase_add_test(t, sending_to_a_client_that_hung_up_is_harmless);
    tcase_add_test(t, reader_that_stops_costs_bytes_but_no_time);
    tcase_add_test(t, our_own_answers_are_never_cut);
    tcase_add_test(t, leftover_socket_is_replaced_and_one_in_use_is_not);
    tcase_add_test(t, file_with_the_name_of_a_socket_is_never_removed);
    tcase_add_test(t, unix_path_too_long_is_told);
    tcase_add_test(t, tcp_port_in_use_is_told);
    tcase_add_test(t, nobody_listens_is_told);
    tcase_add_test(t, pty_can_be_opened_and_left_again_and_again);
    tcase_add_test(t, output_goes_on_after_the_end_of_input);
    tcase_add_test(t, stdio_cannot_be_used_twice);
    tcase_add_test(t, escape_key_works_while_the_guest_does_not_listen);
    tcase_add_test(t, terminal_is_raw_in_between_and_given_back);
    tcase_add_test(t, terminal_is_given_back_when_the_program_dies_of_a_defect);
    suite_add_tcase(s, t);
    return suite_main(s);
}
