/* beige: from the command line to an exit status. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "frontend/monitor.h"
#include "frontend/qmp.h"
#include "frontend/setup.h"
#include "frontend/window.h"
#include "host/tty.h"

enum { FW_FILE_MAX = 16 << 20 };

/* The only thing a signal handler may touch: the machine is asked to end at the next slice. If it does not, because the
 * host keeps us (a pipe that nobody reads), the second signal ends us at once; and before there is a machine (a socket that
 * nobody connects to) the first one does. */
static volatile sig_atomic_t signalled, running;
static void on_signal(int n)
{
    if (signalled || !running) {
        static const char text[] = "beige: interrupted\n";
        tty_restore();
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {}
        _exit(EXIT_OURS);
    }
    signalled = n;
}

/* Seconds since 1970 for -rtc base=; false if it is not a date. */
static bool parse_date(const char *text, int64_t *out)
{
    struct tm t = { 0 };
    time_t now = time(NULL);
    if (strcmp(text, "utc") == 0) {
        *out = (int64_t)now;
        return true;
    }
    if (strcmp(text, "localtime") == 0) {
        localtime_r(&now, &t);
        *out = (int64_t)timegm(&t);
        return true;
    }
    char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);
    if (!end) {
        memset(&t, 0, sizeof t);
        end = strptime(text, "%Y-%m-%d", &t);
    }
    if (!end || *end) return false;
    *out = (int64_t)timegm(&t);
    return true;
}

static bool wants_window(const struct setup *u)
{
    return u->display == DISPLAY_SDL || (u->display == DISPLAY_DEFAULT && !u->nographic);
}

static char *read_file(const char *path, size_t max, size_t *len, struct error *e)
{
    FILE *f = fopen(path, "rb");
    char *data = f ? malloc(max + 1) : NULL;
    *len = data ? fread(data, 1, max + 1, f) : 0;
    bool ok = data && !ferror(f) && *len <= max;
    if (f && !ok && *len > max) error_set(e, HOST_REFUSED, "%s: larger than %zu bytes", path, max);
    else if (!ok) error_set(e, HOST_MISSING, "%s: %s", path, strerror(errno));
    if (f) fclose(f);
    if (ok) return data;
    free(data);
    return NULL;
}

static bool setup_fw_files(struct setup *u, struct machine_fw_file *out, struct error *e)
{
    for (unsigned i = 0; i < u->fw_files; i++) {
        char *text = u->fw_file[i].text;
        size_t len = strlen(text);
        if (u->fw_file[i].is_path && !(text = u->fw_file[i].data = read_file(text, FW_FILE_MAX, &len, e))) return false;
        out[i] = (struct machine_fw_file){ u->fw_file[i].name, text, (uint32_t)len };
    }
    return true;
}

static bool setup_load(struct session *s, const char *path, struct error *e)
{
    vtime saved;
    if (machine_saved_time(path, &saved, e) != HOST_OK || !session_replay_media(s, saved, e)) return false;
    if (machine_load(s->machine, path, e) != HOST_OK) return false;
    session_drop_past(s);
    return true;
}

static bool setup_machine(struct setup *u, struct error *e)
{
    struct session *s = u->s;
    struct machine_config *c = &s->config;
    c->cpu = u->cpu;
    c->bios = u->bios;
    c->lib_dir = u->lib_dir;
    c->kernel = u->kernel;
    c->initrd = u->initrd;
    c->append = u->append;
    c->uuid = u->uuid;
    c->name = u->name;
    c->log = &s->log;
    if (u->boot_order) c->boot_order = u->boot_order;
    c->boot_once = u->boot_once;
    bool real = u->speed_given ? u->speed_real : wants_window(u) || setup_interactive(u) || isatty(0);
    s->pace_mode = real ? PACE_REAL : PACE_MAX;
    c->rate = u->speed_rate;
    if (real) parse_date("utc", &c->rtc_base);
    if (u->rtc && !parse_date(u->rtc, &c->rtc_base)) {
        error_set(e, HOST_REFUSED, "-rtc base=%s: utc, localtime, or a date like 2000-12-31T23:59:59", u->rtc);
        return false;
    }
    struct machine_fw_file files[SETUP_FW_FILES];
    if (!setup_fw_files(u, files, e)) return false;
    c->fw_file = files;
    c->fw_files = u->fw_files;
    s->machine = machine_create(c, e);
    c->fw_files = 0;
    memset(c->ide, 0, sizeof c->ide);                 /* the images are the machine's now, also after a failure */
    memset(c->floppy, 0, sizeof c->floppy);
    if (!s->machine) return false;
    if (u->input && !session_read_inputs(s, u->input, e)) return false;
    if (u->load && !setup_load(s, u->load, e)) return false;
    pace_init(&s->pace, s->machine, s->pace_mode, machine_rate(s->machine), machine_rate_cap(s->machine), &s->log);
    setup_attach(u);
    return true;
}

static bool write_pidfile(const char *path, struct error *e)
{
    FILE *f = fopen(path, "w");
    if (!f || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0) {
        error_set(e, HOST_IO_ERROR, "%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static bool setup_all(struct setup *u, struct error *e)
{
    if (u->boot_file && !setup_boot_file(u, e)) return false;
    if (!setup_drives(u, e) || !setup_backends(u, e) || !setup_machine(u, e)) return false;
    if (u->pidfile && !write_pidfile(u->pidfile, e)) return false;
    if (!wants_window(u)) return true;
    u->s->window = window_create(u->s, u->name ? u->name : "Beige", u->fullscreen, e);
    return u->s->window != NULL;
}

/* At exit: what was asked for, then what must not be lost. Returns false and *e if anything failed. */
static bool finish(struct setup *u, struct error *e)
{
    struct session *s = u->s;
    bool ok = true;
    if (u->save && machine_save(s->machine, u->save, e) != HOST_OK) ok = false;
    if (u->state_hash) {
        uint8_t h[32];
        machine_hash(s->machine, h);
        fflush(stdout);
        for (unsigned i = 0; i < 32; i++) printf("%02x", h[i]);
        printf(" %" PRIu64 "\n", machine_icount(s->machine));
        if (fflush(stdout) != 0 && ok) {
            error_set(e, HOST_IO_ERROR, "--state-hash: cannot write to standard output: %s", strerror(errno));
            ok = false;
        }
    }
    if (machine_flush(s->machine, ok ? e : NULL) != HOST_OK) ok = false;
    return ok;
}

static void tear_down(struct setup *u)
{
    struct session *s = u->s;
    window_destroy(s->window);
    for (unsigned i = 0; i < s->qmp_count; i++) qmp_destroy(s->qmp[i]);
    for (unsigned i = 0; i < s->monitor_count; i++) monitor_destroy(s->monitor[i]);
    session_free_queue(s);
    session_free_checkpoints(s);
    for (unsigned i = 0; i < MACHINE_IDE; i++) blk_close(s->config.ide[i].blk);
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) blk_close(s->config.floppy[i].blk);
    machine_destroy(s->machine);
    for (unsigned i = 0; i < s->chardev_count; i++) chardev_close(s->chardevs[i]);
    if (u->pidfile) unlink(u->pidfile);
    FILE *log = s->log.out;
    log_fini(&s->log);
    if (log && log != stderr) fclose(log);
    setup_fini(u);
}

static void check_signal(struct session *s)
{
    if (!signalled) return;
    session_event(s, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-signal\"}");
    session_quit(s, EXIT_GUEST_OFF, "asked to quit by signal %d (%s)", (int)signalled, strsignal((int)signalled));
}

/* The usual signals are requests. */
static void take_signals(void)
{
    static const int requests[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction request = { .sa_handler = on_signal };
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) sigaction(requests[i], &request, NULL);
    signal(SIGPIPE, SIG_IGN);
    tty_guard();
}

static int help(const char *topic)
{
    if (!topic) help_all(stdout);
    else if (!help_topic(topic, stdout)) {
        fprintf(stderr, "beige: there is no help on '%s'; an option's name, input, images, keys, exit or examples\n", topic);
        return EXIT_USAGE;
    }
    return EXIT_GUEST_OFF;
}

int main(int argc, char **argv)
{
    struct session session = { .limit_insns = ~0ull, .limit_time = VTIME_NEVER, .check = check_signal };
    struct setup setup = { .s = &session, .program = argv[0] };
    struct error e = { "" };
    int status = EXIT_OURS;
    signal(SIGXFSZ, SIG_IGN);                         /* the files' limit is an error of write() like a full disk */
    if (argc > 1 && strcmp(argv[1], "help") == 0) return help(argc > 2 ? argv[2] : NULL);
    if (argc > 1 && strcmp(argv[1], "image") == 0) return image_verb(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "run") == 0) argc--, argv++;
    log_init(&session.log, stderr);
    machine_config_default(&session.config);
    if (option_parse(options, option_count, argc - 1, argv + 1, &setup, setup_positional, &e) != HOST_OK) {
        tear_down(&setup);
        fprintf(stderr, "beige: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (setup.action_done) {
        tear_down(&setup);
        return EXIT_GUEST_OFF;
    }
    take_signals();
    if (!setup_all(&setup, &e)) {
        if (e.text[0] == '-') status = EXIT_USAGE;    /* the message is about an option, not about a file */
        goto out;
    }
    running = 1;
    status = session_run(&session);
    if (!finish(&setup, &e)) status = EXIT_OURS;
    else snprintf(e.text, sizeof e.text, "%s", session.last_line);
out:
    tear_down(&setup);
    fprintf(stderr, "beige: %s\n", e.text);
    return status;
}
