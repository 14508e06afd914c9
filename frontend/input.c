/* Inputs that are due at a virtual time: what send-key and sendkey queue, and --input files (their format: `beige help
 * input`, the table of actions below).
 *
 * Each is applied between two instructions, at the first one that starts at its time or later, so a file gives the same run
 * on every host. Inputs of one time are applied in the order of their arrival. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/option.h"
#include "frontend/session.h"

enum { KEY_HOLD_MS = 40, SERIAL_MS = 1, LINE_SIZE = 4096 };

void session_schedule(struct session *s, vtime at, void (*fire)(struct session *, struct scheduled *), int a, int b, int c,
                      const char *text, size_t len)
{
    struct scheduled *it = calloc(1, sizeof *it), **p = &s->queue;
    if (!it) return;
    *it = (struct scheduled){ .at = at, .fire = fire, .a = a, .b = b, .c = c, .len = len };
    if (text) {
        it->text = malloc(len + 1);
        if (!it->text) {
            free(it);
            return;
        }
        memcpy(it->text, text, len);
        it->text[len] = 0;
    }
    if (s->queue && s->queue_last->at <= at) p = &s->queue_last->next;      /* files are read in the order of time */
    while (*p && (*p)->at <= at) p = &(*p)->next;
    it->next = *p;
    *p = it;
    if (!it->next) s->queue_last = it;
}

vtime session_next_input(const struct session *s) { return s->queue ? s->queue->at : VTIME_NEVER; }

static void session_pop(struct session *s, bool fire)
{
    struct scheduled *it = s->queue;
    s->queue = it->next;
    if (fire) it->fire(s, it);
    free(it->text);
    free(it);
}

void session_apply_due(struct session *s)
{
    while (s->queue && s->queue->at <= machine_time(s->machine) && !s->quit) session_pop(s, true);
}

void session_free_queue(struct session *s)
{
    while (s->queue) session_pop(s, false);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

static void fire_key(struct session *s, struct scheduled *it) { machine_key(s->machine, (enum key)it->a, it->b != 0); }

static void keys_at(struct session *s, vtime at, const enum key *keys, unsigned n, unsigned hold_ms)
{
    for (unsigned i = 0; i < n; i++) session_schedule(s, at, fire_key, (int)keys[i], 1, 0, NULL, 0);
    for (unsigned i = n; i-- > 0;) session_schedule(s, at + VTIME_MS(hold_ms), fire_key, (int)keys[i], 0, 0, NULL, 0);
}

void session_send_keys(struct session *s, const enum key *keys, unsigned n, unsigned hold_ms)
{
    vtime at = machine_time(s->machine);
    for (struct scheduled *it = s->queue; it; it = it->next)       /* behind keys that are still held */
        if (it->fire == fire_key && it->at > at) at = it->at;
    keys_at(s, at, keys, n, hold_ms);
    if (s->state == RUN_RUNNING) session_apply_due(s);
}

unsigned session_parse_keys(const char *text, enum key *keys, unsigned max, char *bad, size_t bad_size)
{
    unsigned n = 0;
    while (*text) {
        char name[32];
        size_t len = strcspn(text, "-");
        if (len == 0) len = 1;                                     /* the minus key itself */
        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), text);
        enum key k = key_from_name(name);
        if (k == KEY_NONE || n == max) {
            snprintf(bad, bad_size, "%s", name);
            return 0;
        }
        keys[n++] = k;
        text += len;
        if (*text == '-') text++;
    }
    return n;
}

/* The US layout, as the firmware and every legacy system assume at start. */
static unsigned keys_for_char(char ch, enum key out[2])
{
    static const char plain[] = "-=[]\\;'`,./ \n\t\b\x1b", shifted[] = "_+{}|:\"~<>?", digits[] = ")!@#$%^&*(";
    static const char *const names[] = { "minus", "equal", "bracket_left", "bracket_right", "backslash", "semicolon",
        "apostrophe", "grave_accent", "comma", "dot", "slash", "spc", "ret", "tab", "backspace", "esc" };
    char name[2] = { (char)tolower((unsigned char)ch), 0 };
    const char *p;
    unsigned n = 0;
    if (!ch) return 0;
    if (isupper((unsigned char)ch) || strchr(shifted, ch) || strchr(digits, ch)) out[n++] = key_from_name("shift");
    if (isalnum((unsigned char)ch)) {
        out[n++] = key_from_name(name);
    } else if ((p = strchr(plain, ch)) != NULL) {
        out[n++] = key_from_name(names[p - plain]);
    } else if ((p = strchr(shifted, ch)) != NULL) {
        out[n++] = key_from_name(names[p - shifted]);
    } else if ((p = strchr(digits, ch)) != NULL) {
        name[0] = (char)('0' + (p - digits));
        out[n++] = key_from_name(name);
    } else {
        return 0;
    }
    return n;
}

/* ---- the file --------------------------------------------------------------------------------------------------------- */

/* One byte, at its time: as on a cable, a port that has no room for it loses it. (Waiting for room instead would hide a
 * position in the text from --save.) */
static void fire_serial(struct session *s, struct scheduled *it)
{
    struct chr *c = s->config.serial[it->a];
    uint8_t byte = (uint8_t)it->b;
    if (machine_chr_room(s->machine, c)) machine_chr_input(s->machine, c, &byte, 1);
    else log_line(&s->log, LOG_WARN, "--input", "serial%d had no room for byte 0x%02x: lost", it->a, byte);
}

static void fire_mouse(struct session *s, struct scheduled *it)
{
    machine_mouse(s->machine, it->a, it->b, it->c, s->mouse_buttons);
}

static void note_button(struct session *s, const struct scheduled *it)
{
    s->mouse_buttons = it->b ? s->mouse_buttons | (uint32_t)it->a : s->mouse_buttons & ~(uint32_t)it->a;
}

static void fire_button(struct session *s, struct scheduled *it)
{
    note_button(s, it);
    machine_mouse(s->machine, 0, 0, 0, s->mouse_buttons);
}

static bool change_now(struct session *s, const struct scheduled *it, struct error *e)
{
    char drive[32];
    size_t n = strcspn(it->text, " ");
    const char *file = it->text[n] ? it->text + n + 1 : NULL;
    snprintf(drive, sizeof drive, "%.*s", (int)(n < sizeof drive ? n : sizeof drive - 1), it->text);
    return (file ? session_change(s, drive, file, NULL, false, true, e) : session_eject(s, drive, true, e)) == HOST_OK;
}

static void fire_change(struct session *s, struct scheduled *it)
{
    struct error e = { "" };
    if (!change_now(s, it, &e)) session_quit(s, EXIT_OURS, "--input: %s", e.text);
}

bool session_replay_media(struct session *s, vtime until, struct error *e)
{
    for (const struct scheduled *it = s->queue; it && it->at <= until; it = it->next)
        if (it->fire == fire_change && !change_now(s, it, e)) return false;
    return true;
}

void session_drop_past(struct session *s)
{
    while (s->queue && s->queue->at <= machine_time(s->machine)) {
        if (s->queue->fire == fire_button) note_button(s, s->queue);
        session_pop(s, false);
    }
}

static void fire_command(struct session *s, struct scheduled *it)
{
    switch (it->a) {
    case 'p': machine_powerdown(s->machine); return;
    case 'r': session_reset(s); return;
    case 'n': machine_nmi(s->machine); return;
    default: session_quit(s, EXIT_GUEST_OFF, "--input asked to quit"); return;
    }
}

static void fire_screendump(struct session *s, struct scheduled *it)
{
    struct error e = { "" };
    size_t n = strlen(it->text);
    bool png = n > 4 && strcmp(it->text + n - 4, ".png") == 0;
    if (session_screendump(s, it->text, png, &e) != HOST_OK) session_quit(s, EXIT_OURS, "--input: %s", e.text);
}

/* A "quoted string" with \n \t \r \e \\ \" \xHH, or the rest of the line. Returns its length; SIZE_MAX if it is not closed. */
static size_t parse_text(const char *in, char *out)
{
    static const char from[] = "ntre\\\"", to[] = "\n\t\r\x1b\\\"";
    size_t n = 0;
    if (*in != '"') {
        n = strlen(in);
        memcpy(out, in, n);
        return n;
    }
    for (in++; *in && *in != '"'; in++) {
        if (*in != '\\') {
            out[n++] = *in;
            continue;
        }
        const char *p = *++in ? strchr(from, *in) : NULL;
        unsigned value;
        if (p) {
            out[n++] = to[p - from];
        } else if (*in == 'x' && isxdigit((unsigned char)in[1]) && sscanf(in + 1, "%2x", &value) == 1) {
            out[n++] = (char)value;
            in += isxdigit((unsigned char)in[2]) ? 2 : 1;
        } else {
            return SIZE_MAX;
        }
    }
    return *in == '"' ? n : SIZE_MAX;
}

static bool schedule_typing(struct session *s, vtime at, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum key k[2];
        unsigned count = keys_for_char(text[i], k);
        if (!count) return false;
        keys_at(s, at, k, count, KEY_HOLD_MS);
        at += VTIME_MS(2 * KEY_HOLD_MS);
    }
    return true;
}

/* ---- actions: each reads its arguments and schedules; false if they are not of its form (or *why says better) ----------- */

/* Texts for one port, and for the keyboard (the last), follow each other: a line that comes before the one above it is
 * through begins later. */
struct busy { vtime until[MACHINE_SERIALS + 1]; };
struct reading { struct session *s; vtime at; const char *args; struct busy *busy; char *why; size_t why_size; };

static vtime begin_text(const struct reading *r, unsigned line, size_t chars, vtime each)
{
    vtime *until = &r->busy->until[line], at = *until > r->at ? *until : r->at;
    *until = at + (vtime)chars * each;
    return at;
}

static bool read_key(const struct reading *r, int unused)
{
    enum key k[8];
    char bad[32] = "";
    unsigned count = session_parse_keys(r->args, k, 8, bad, sizeof bad);
    (void)unused;
    if (count) keys_at(r->s, r->at, k, count, KEY_HOLD_MS);
    else if (bad[0]) snprintf(r->why, r->why_size, "unknown key '%s'", bad);
    return count != 0;
}

static bool read_type(const struct reading *r, int unused)
{
    char text[LINE_SIZE];
    size_t n = parse_text(r->args, text);
    (void)unused;
    if (n == SIZE_MAX || n == 0) return false;
    vtime at = begin_text(r, MACHINE_SERIALS, n, VTIME_MS(2 * KEY_HOLD_MS));
    if (schedule_typing(r->s, at, text, n)) return true;
    snprintf(r->why, r->why_size, "a US keyboard has no key for a character of the text");
    return false;
}

static bool read_serial(const struct reading *r, int port)
{
    char text[LINE_SIZE];
    size_t n = parse_text(r->args, text);
    if (n == SIZE_MAX || n == 0) return false;
    if (!r->s->config.serial[port]) {
        snprintf(r->why, r->why_size, "this machine has no serial port %d", port);
        return false;
    }
    vtime at = begin_text(r, (unsigned)port, n, VTIME_MS(SERIAL_MS));
    for (size_t i = 0; i < n; i++, at += VTIME_MS(SERIAL_MS))
        session_schedule(r->s, at, fire_serial, port, (uint8_t)text[i], 0, NULL, 0);
    return true;
}

static bool read_mouse(const struct reading *r, int unused)
{
    int x, y, z = 0, end = 0;
    (void)unused;
    if (sscanf(r->args, "%d %d %n%d %n", &x, &y, &end, &z, &end) < 2 || r->args[end]) return false;
    session_schedule(r->s, r->at, fire_mouse, x, y, z, NULL, 0);
    return true;
}

static bool read_button(const struct reading *r, int unused)
{
    static const char *const names[] = { "left", "right", "middle" };
    char word[16], how[16];
    int end = 0;
    (void)unused;
    if (sscanf(r->args, "%15s %15s %n", word, how, &end) != 2 || r->args[end]) return false;
    if (strcmp(how, "down") != 0 && strcmp(how, "up") != 0) return false;
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(word, names[i]) == 0) {
            session_schedule(r->s, r->at, fire_button, 1 << i, how[0] == 'd', 0, NULL, 0);
            return true;
        }
    return false;
}

static bool read_medium(const struct reading *r, int change)
{
    if (!*r->args || change != (strchr(r->args, ' ') != NULL)) return false;
    session_schedule(r->s, r->at, fire_change, 0, 0, 0, r->args, strlen(r->args));
    return true;
}

static bool read_screendump(const struct reading *r, int unused)
{
    (void)unused;
    if (*r->args) session_schedule(r->s, r->at, fire_screendump, 0, 0, 0, r->args, strlen(r->args));
    return *r->args != 0;
}

static bool read_command(const struct reading *r, int letter)
{
    if (!*r->args) session_schedule(r->s, r->at, fire_command, letter, 0, 0, NULL, 0);
    return !*r->args;
}

static const struct action {
    const char *name, *form;
    bool (*read)(const struct reading *r, int arg);
    int arg;
} actions[] = {
    { "key", "KEYS", read_key, 0 },                     { "type", "\"TEXT\"", read_type, 0 },
    { "serial0", "\"TEXT\"", read_serial, 0 },          { "serial1", "\"TEXT\"", read_serial, 1 },
    { "serial2", "\"TEXT\"", read_serial, 2 },          { "serial3", "\"TEXT\"", read_serial, 3 },
    { "mouse", "DX DY [DZ]", read_mouse, 0 },           { "button", "left|right|middle down|up", read_button, 0 },
    { "change", "DRIVE FILE", read_medium, true },      { "eject", "DRIVE", read_medium, false },
    { "screendump", "FILE", read_screendump, 0 },       { "powerdown", "", read_command, 'p' },
    { "reset", "", read_command, 'r' },                 { "nmi", "", read_command, 'n' },
    { "quit", "", read_command, 'q' },
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static bool read_action(const struct reading *r, const char *action)
{
    for (unsigned i = 0; i < ACTIONS; i++) {
        if (strcmp(actions[i].name, action) != 0) continue;
        const char *form = actions[i].form;
        if (*form) snprintf(r->why, r->why_size, "%s wants: %s %s", action, action, form);
        else snprintf(r->why, r->why_size, "%s takes no arguments", action);
        return actions[i].read(r, actions[i].arg);
    }
    snprintf(r->why, r->why_size, "unknown action '%s'; the nearest is '%s'", action,
             text_nearest(action, &actions[0].name, sizeof actions[0], ACTIONS));
    return false;
}

static bool read_line(struct session *s, char *line, struct busy *busy, char *why, size_t why_size)
{
    char *end, *action, *args;
    errno = 0;
    double seconds = strtod(line, &end);
    if (end == line || errno || !(seconds >= 0 && seconds < 1e9) || !isspace((unsigned char)*end)) {
        snprintf(why, why_size, "a line begins with a time in seconds and a blank");
        return false;
    }
    action = end + strspn(end, " \t");
    args = action + strcspn(action, " \t");
    if (*args) *args++ = 0;
    args += strspn(args, " \t");
    const struct reading r = { .s = s, .at = VTIME_NS((uint64_t)(seconds * 1e9 + 0.5)), .args = args, .busy = busy, .why = why,
                               .why_size = why_size };
    return read_action(&r, action);
}

bool session_read_inputs(struct session *s, const char *path, struct error *e)
{
    char line[LINE_SIZE], why[128];
    struct busy busy = { { 0 } };
    FILE *f = fopen(path, "r");
    if (!f) {
        error_set(e, HOST_MISSING, "%s: %s", path, strerror(errno));
        return false;
    }
    bool ok = true;
    errno = 0;
    for (unsigned n = 1; ok && fgets(line, sizeof line, f); n++) {
        if (!strchr(line, '\n') && !feof(f)) {
            error_set(e, HOST_BAD_FORMAT, "%s:%u: longer than %d characters", path, n, LINE_SIZE - 2);
            ok = false;
            break;
        }
        line[strcspn(line, "\r\n")] = 0;
        char *p = line + strspn(line, " \t");
        if (!*p || *p == '#') continue;
        ok = read_line(s, p, &busy, why, sizeof why);
        if (!ok) error_set(e, HOST_BAD_FORMAT, "%s:%u: %s", path, n, why);
    }
    if (ok && ferror(f)) {
        error_set(e, HOST_IO_ERROR, "%s: %s", path, strerror(errno));
        ok = false;
    }
    fclose(f);
    return ok;
}
