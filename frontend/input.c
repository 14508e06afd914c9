/* Inputs that are due at a virtual time: what send-key and sendkey queue, and --input files.
 *
 * One line of a file:   TIME ACTION ARGUMENTS
 * TIME is seconds since power-on ("12.5"). Actions:
 *   key ctrl-alt-f2            press and release together (held 40 ms)
 *   type "text\n"              one key press a character, 40 ms down and 40 ms up
 *   serial0 "text\n"           bytes to a serial port (to serial3)
 *   mouse DX DY [DZ]           relative movement
 *   button left|right|middle down|up
 *   change DRIVE FILE          put a medium in;  eject DRIVE
 *   powerdown  reset  nmi  quit
 *   screendump FILE.png|.ppm
 * Empty lines and lines that begin with # are skipped. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/session.h"

enum { KEY_HOLD_MS = 40 };

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
    while (*p && (*p)->at <= at) p = &(*p)->next;
    it->next = *p;
    *p = it;
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

void session_drop_past(struct session *s)
{
    while (s->queue && s->queue->at <= machine_time(s->machine)) session_pop(s, false);
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

static void fire_serial(struct session *s, struct scheduled *it)
{
    struct chr *c = s->config.serial[it->a];
    size_t room = c ? machine_chr_room(s->machine, c) : 0, n = it->len < room ? it->len : room;
    if (n) machine_chr_input(s->machine, c, (const uint8_t *)it->text, n);
    /* What the port has no room for is sent a little later, in order. */
    if (c && n < it->len)
        session_schedule(s, machine_time(s->machine) + VTIME_MS(1), fire_serial, it->a, 0, 0, it->text + n, it->len - n);
}

static void fire_mouse(struct session *s, struct scheduled *it)
{
    machine_mouse(s->machine, it->a, it->b, it->c, s->mouse_buttons);
}

static void fire_button(struct session *s, struct scheduled *it)
{
    s->mouse_buttons = it->b ? s->mouse_buttons | (uint32_t)it->a : s->mouse_buttons & ~(uint32_t)it->a;
    machine_mouse(s->machine, 0, 0, 0, s->mouse_buttons);
}

static void fire_change(struct session *s, struct scheduled *it)
{
    struct error e = { "" };
    char *file = strchr(it->text, ' ');
    if (file) *file++ = 0;
    if ((file ? session_change(s, it->text, file, NULL, false, true, &e)
              : machine_change_medium(s->machine, it->text, NULL, true, &e)) != HOST_OK)
        session_quit(s, EXIT_OURS, "--input: %s", e.text);
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
        } else if (*in == 'x' && sscanf(in + 1, "%2x", &value) == 1) {
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

static bool read_button(struct session *s, vtime at, const char *args)
{
    char word[16], how[16];
    if (sscanf(args, "%15s %15s", word, how) != 2 || (strcmp(how, "down") != 0 && strcmp(how, "up") != 0)) return false;
    int bit = strcmp(word, "left") == 0 ? 1 : strcmp(word, "right") == 0 ? 2 : strcmp(word, "middle") == 0 ? 4 : 0;
    if (bit) session_schedule(s, at, fire_button, bit, how[0] == 'd', 0, NULL, 0);
    return bit != 0;
}

/* Schedules one action; false if it is unknown or its arguments are not of its form (`why` says which). */
static bool read_action(struct session *s, vtime at, const char *action, const char *args, char *why, size_t why_size)
{
    static const char *const commands[] = { "powerdown", "reset", "nmi", "quit" };
    char text[4096], bad[32];
    size_t n;
    snprintf(why, why_size, "%s: arguments are not of its form", action);
    if (strcmp(action, "key") == 0) {
        enum key k[8];
        unsigned count = session_parse_keys(args, k, 8, bad, sizeof bad);
        if (count) keys_at(s, at, k, count, KEY_HOLD_MS);
        else snprintf(why, why_size, "unknown key '%s'", bad);
        return count != 0;
    }
    if (strcmp(action, "type") == 0) return (n = parse_text(args, text)) != SIZE_MAX && schedule_typing(s, at, text, n);
    if (strncmp(action, "serial", 6) == 0 && action[6] >= '0' && action[6] < '0' + MACHINE_SERIALS && !action[7]) {
        if ((n = parse_text(args, text)) == SIZE_MAX) return false;
        session_schedule(s, at, fire_serial, action[6] - '0', 0, 0, text, n);
        return true;
    }
    if (strcmp(action, "mouse") == 0) {
        int x, y, z = 0;
        if (sscanf(args, "%d %d %d", &x, &y, &z) < 2) return false;
        session_schedule(s, at, fire_mouse, x, y, z, NULL, 0);
        return true;
    }
    if (strcmp(action, "button") == 0) return read_button(s, at, args);
    if (strcmp(action, "change") == 0 || strcmp(action, "eject") == 0) {
        if (!*args || (action[0] == 'c') != (strchr(args, ' ') != NULL)) return false;
        session_schedule(s, at, fire_change, 0, 0, 0, args, strlen(args));
        return true;
    }
    if (strcmp(action, "screendump") == 0) {
        if (*args) session_schedule(s, at, fire_screendump, 0, 0, 0, args, strlen(args));
        return *args != 0;
    }
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(action, commands[i]) == 0) {
            session_schedule(s, at, fire_command, commands[i][0], 0, 0, NULL, 0);
            return true;
        }
    snprintf(why, why_size, "unknown action '%s'", action);
    return false;
}

static bool read_line(struct session *s, char *line, char *why, size_t why_size)
{
    char *end, *action, *args;
    errno = 0;
    double seconds = strtod(line, &end);
    if (end == line || errno || !(seconds >= 0 && seconds < 1e9) || !isspace((unsigned char)*end)) {
        snprintf(why, why_size, "a line begins with a time in seconds");
        return false;
    }
    action = end + strspn(end, " \t");
    args = action + strcspn(action, " \t");
    if (*args) *args++ = 0;
    args += strspn(args, " \t");
    return read_action(s, VTIME_NS((uint64_t)(seconds * 1e9 + 0.5)), action, args, why, why_size);
}

bool session_read_inputs(struct session *s, const char *path, struct error *e)
{
    char line[4096], why[128];
    FILE *f = fopen(path, "r");
    if (!f) {
        error_set(e, HOST_MISSING, "%s: %s", path, strerror(errno));
        return false;
    }
    bool ok = true;
    for (unsigned n = 1; ok && fgets(line, sizeof line, f); n++) {
        line[strcspn(line, "\r\n")] = 0;
        char *p = line + strspn(line, " \t");
        if (!*p || *p == '#') continue;
        ok = read_line(s, p, why, sizeof why);
        if (!ok) error_set(e, HOST_BAD_FORMAT, "%s:%u: %s", path, n, why);
    }
    fclose(f);
    return ok;
}
