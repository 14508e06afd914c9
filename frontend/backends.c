/* Character devices, QMP and the monitor from options. */
#include <stdlib.h>
#include <string.h>
#include "frontend/monitor.h"
#include "frontend/qmp.h"
#include "frontend/setup.h"

/* ---- parsing ---------------------------------------------------------------------------------------------------------- */

static const char *keep(struct setup_chardev *d, const char *text, size_t n)
{
    for (unsigned i = 0; i < 4; i++)
        if (!d->strings[i]) return d->strings[i] = strndup(text, n);
    return NULL;
}

/* The value of a key, kept in d; NULL where the key is absent. */
static const char *keep_value(struct subopts *o, struct setup_chardev *d, const char *key)
{
    const char *v = subopts_get(o, key);
    return v ? keep(d, v, strlen(v)) : NULL;
}

void setup_free_chardev(struct setup_chardev *d)
{
    for (unsigned i = 0; i < 4; i++) free(d->strings[i]);
    free(d->id);
    *d = (struct setup_chardev){ 0 };
}

static enum host_status parse_stdio(struct subopts *o, struct setup_chardev *d, struct error *e)
{
    d->cfg.signals = true;
    return subopts_bool(o, "signal", &d->cfg.signals, e);
}

static enum host_status parse_file(struct subopts *o, struct setup_chardev *d, struct error *e)
{
    d->cfg.path = keep_value(o, d, "path");
    if (!d->cfg.path || !*d->cfg.path) return error_set(e, HOST_REFUSED, "-chardev: a file wants path=");
    return subopts_bool(o, "append", &d->cfg.append, e);
}

static enum host_status parse_socket(struct subopts *o, struct setup_chardev *d, struct error *e)
{
    bool ignored;
    d->cfg.wait = true;
    d->cfg.path = keep_value(o, d, "path");
    d->cfg.host = keep_value(o, d, "host");
    d->cfg.port = keep_value(o, d, "port");
    enum host_status st = subopts_bool(o, "server", &d->cfg.server, e);
    if (st == HOST_OK) st = subopts_bool(o, "wait", &d->cfg.wait, e);
    if (st == HOST_OK) st = subopts_bool(o, "delay", &ignored, e);
    bool local = d->cfg.path && *d->cfg.path, tcp = d->cfg.port && *d->cfg.port;
    if (st == HOST_OK && local == tcp)
        return error_set(e, HOST_REFUSED, "-chardev: a socket wants path=, or host= and port=");
    return st;
}

static enum host_status parse_none(struct subopts *o, struct setup_chardev *d, struct error *e)
{
    (void)o, (void)d, (void)e;
    return HOST_OK;
}

static const struct backend_kind {
    const char *name;
    int kind;
    enum host_status (*parse)(struct subopts *o, struct setup_chardev *d, struct error *e);
} backend_kinds[] = {
    { "socket", CHARDEV_SOCKET, parse_socket }, { "file", CHARDEV_FILE, parse_file }, { "stdio", CHARDEV_STDIO, parse_stdio },
    { "pty", CHARDEV_PTY, parse_none }, { "null", CHARDEV_NULL, parse_none },
};
enum { BACKEND_KINDS = sizeof backend_kinds / sizeof backend_kinds[0] };

static enum host_status parse_chardev(struct subopts *o, struct setup_chardev *d, struct error *e)
{
    const char *kind = subopts_get(o, "backend"), *id = subopts_get(o, "id");
    const struct backend_kind *k = backend_kinds;
    while (kind && k < backend_kinds + BACKEND_KINDS && strcmp(k->name, kind) != 0) k++;
    if (!kind || k == backend_kinds + BACKEND_KINDS)
        return error_set(e, HOST_REFUSED, "-chardev: unknown kind '%s' (socket, file, stdio, pty, null)", kind ? kind : "");
    if (!id) return error_set(e, HOST_REFUSED, "-chardev: %s wants id=", kind);
    d->id = strdup(id);
    d->cfg.kind = k->kind;
    d->cfg.logfile = keep_value(o, d, "logfile");
    enum host_status st = subopts_bool(o, "logappend", &d->cfg.logappend, e);
    if (st == HOST_OK) st = subopts_bool(o, "mux", &d->mux, e);
    if (st == HOST_OK) st = k->parse(o, d, e);
    return st == HOST_OK ? subopts_done(o, e) : st;
}

enum host_status setup_add_chardev(struct setup *u, const char *text, struct error *e)
{
    struct subopts o;
    struct setup_chardev d = { 0 };
    if (u->chardevs == SETUP_CHARDEVS) return error_set(e, HOST_REFUSED, "at most %d", SETUP_CHARDEVS);
    enum host_status st = subopts_parse(&o, "-chardev", text, "backend", e);
    if (st == HOST_OK) st = parse_chardev(&o, &d, e);
    for (unsigned i = 0; st == HOST_OK && i < u->chardevs; i++)
        if (strcmp(u->chardev[i].id, d.id) == 0) st = error_set(e, HOST_REFUSED, "-chardev: id=%s is named twice", d.id);
    if (st == HOST_OK) u->chardev[u->chardevs++] = d;
    else setup_free_chardev(&d);
    subopts_fini(&o);
    return st;
}

/* The short forms: stdio, mon:stdio, file:P, tcp:H:P[,server,nowait], unix:P[,...], pty, null. */
static bool parse_short(const char *text, struct setup_chardev *d, struct error *e)
{
    const char *p = text, *comma;
    *d = (struct setup_chardev){ .cfg.wait = true };
    if (strncmp(p, "mon:", 4) == 0) {
        d->mux = true;
        p += 4;
    }
    if (strcmp(p, "stdio") == 0) {
        d->cfg.kind = CHARDEV_STDIO;
        d->cfg.signals = !d->mux;
        return true;
    }
    if (strcmp(p, "null") == 0 || strcmp(p, "pty") == 0) {
        d->cfg.kind = p[0] == 'n' ? CHARDEV_NULL : CHARDEV_PTY;
        return true;
    }
    if (strncmp(p, "file:", 5) == 0 && p[5]) {
        d->cfg.kind = CHARDEV_FILE;
        d->cfg.path = keep(d, p + 5, strlen(p + 5));
        return true;
    }
    bool tcp = strncmp(p, "tcp:", 4) == 0, local = strncmp(p, "unix:", 5) == 0;
    if (!tcp && !local) {
        error_set(e, HOST_REFUSED, "'%s' is no character device (stdio, mon:stdio, file:PATH, tcp:HOST:PORT, unix:PATH, "
                  "pty, null, none, chardev:ID)", text);
        return false;
    }
    d->cfg.kind = CHARDEV_SOCKET;
    p += tcp ? 4 : 5;
    comma = p + strcspn(p, ",");
    if (tcp) {
        const char *bracket = *p == '[' ? memchr(p, ']', (size_t)(comma - p)) : NULL;      /* [::1]:4444 */
        const char *colon = memchr(bracket ? bracket : p, ':', (size_t)(comma - (bracket ? bracket : p)));
        if (!colon || colon + 1 == comma || (bracket && colon != bracket + 1)) {
            error_set(e, HOST_REFUSED, "'%s': tcp wants HOST:PORT", text);
            return false;
        }
        if (bracket) d->cfg.host = keep(d, p + 1, (size_t)(bracket - p - 1));
        else d->cfg.host = keep(d, p, (size_t)(colon - p));
        d->cfg.port = keep(d, colon + 1, (size_t)(comma - colon - 1));
    } else {
        if (comma == p) {
            error_set(e, HOST_REFUSED, "'%s': unix wants PATH", text);
            return false;
        }
        d->cfg.path = keep(d, p, (size_t)(comma - p));
    }
    while (*comma) {
        const char *word = comma + 1;
        size_t n = strcspn(word, ",");
#define WORD(w) (n == sizeof(w) - 1 && strncmp(word, w, n) == 0)
        if (WORD("server") || WORD("server=on")) d->cfg.server = true;
        else if (WORD("nowait") || WORD("wait=off")) d->cfg.wait = false;
        else if (WORD("wait=on")) d->cfg.wait = true;
        else if (!WORD("server=off") && !WORD("nodelay")) {
            error_set(e, HOST_REFUSED, "'%s': unknown word '%.*s' (server, wait=off)", text, (int)n, word);
            return false;
        }
#undef WORD
        comma = word + n;
    }
    return true;
}

enum host_status setup_check_chardev(const char *text, struct error *e)
{
    struct setup_chardev d;
    if (strcmp(text, "none") == 0 || strncmp(text, "chardev:", 8) == 0) return HOST_OK;
    bool ok = parse_short(text, &d, e);
    setup_free_chardev(&d);
    return ok ? HOST_OK : HOST_REFUSED;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static struct chardev *open_one(struct setup *u, const char *id, const struct setup_chardev *d, struct error *e)
{
    struct session *s = u->s;
    if (s->chardev_count == SESSION_CHARDEVS) {
        error_set(e, HOST_REFUSED, "%s: at most %d character devices", id, SESSION_CHARDEVS);
        return NULL;
    }
    struct chardev *c = chardev_open(&s->loop, id, &d->cfg, e);
    if (!c) return NULL;
    s->chardevs[s->chardev_count++] = c;
    struct monitor *m = d->mux ? terminal_mux(s, c) : NULL;
    if (m && s->monitor_count < SESSION_MONITORS) s->monitor[s->monitor_count++] = m;
    return c;
}

/* A -chardev by its id, for `user`. */
static struct chardev *take_named(struct setup *u, const char *user, const char *id, int use, struct error *e)
{
    struct session *s = u->s;
    for (unsigned i = 0; i < s->chardev_count; i++) {
        if (strcmp(chardev_id(s->chardevs[i]), id) != 0) continue;
        if (s->chardev_use[i] != CHARDEV_FREE) {
            error_set(e, HOST_BUSY, "-chardev: '%s' cannot serve %s, it has a user already", id, user);
            return NULL;
        }
        s->chardev_use[i] = use;
        return s->chardevs[i];
    }
    error_set(e, HOST_MISSING, "-chardev: there is none with id=%s (for %s)", id, user);
    return NULL;
}

/* "chardev:ID", or a short form that is opened under the name of its user. */
static struct chardev *take(struct setup *u, const char *user, const char *text, int use, struct error *e)
{
    struct setup_chardev d;
    if (strncmp(text, "chardev:", 8) == 0) return take_named(u, user, text + 8, use, e);
    bool ok = parse_short(text, &d, e);
    if (use != CHARDEV_PORT) d.mux = false;
    if (use == CHARDEV_MONITOR) d.cfg.signals = false;     /* Ctrl-C gives up a line, it does not end the emulator */
    struct chardev *c = ok ? open_one(u, user, &d, e) : NULL;
    setup_free_chardev(&d);
    if (c) u->s->chardev_use[u->s->chardev_count - 1] = use;
    return c;
}

static struct chr *backend(struct setup *u, const char *id, const char *text, struct error *e)
{
    struct chardev *c = take(u, id, text, CHARDEV_PORT, e);
    return c ? chardev_chr(c) : NULL;
}

static bool open_ports(struct setup *u, struct error *e)
{
    struct machine_config *c = &u->s->config;
    char id[32];
    /* By default COM1 and LPT1 are there with nothing plugged in. -nographic puts COM1 on the terminal. */
    if (!u->serials && !u->nodefaults) u->serial[u->serials++] = strdup(u->nographic ? "mon:stdio" : "null");
    if (!u->parallels && !u->nodefaults) u->parallel[u->parallels++] = strdup("null");
    for (unsigned i = 0; i < u->serials; i++) {
        snprintf(id, sizeof id, "serial%u", i);
        if (strcmp(u->serial[i], "none") != 0 && !(c->serial[i] = backend(u, id, u->serial[i], e))) return false;
    }
    for (unsigned i = 0; i < u->parallels; i++) {
        snprintf(id, sizeof id, "parallel%u", i);
        if (strcmp(u->parallel[i], "none") != 0 && !(c->parallel[i] = backend(u, id, u->parallel[i], e))) return false;
    }
    for (unsigned i = 0; i < u->debugcons; i++) {
        snprintf(id, sizeof id, "debugcon%u", i);
        c->debugcon[i].iobase = u->debugcon[i].iobase;
        if (!(c->debugcon[i].chr = backend(u, id, u->debugcon[i].backend, e))) return false;
        c->debugcons++;
    }
    return true;
}

/* A chardev that is multiplexed (mux=on) carries a monitor already: naming it again is QEMU's way to say so. */
static bool is_mux(const struct setup *u, const char *text)
{
    for (unsigned i = 0; i < u->chardevs; i++)
        if (u->chardev[i].mux && strncmp(text, "chardev:", 8) == 0 && strcmp(text + 8, u->chardev[i].id) == 0) return true;
    return false;
}

static bool open_monitors(struct setup *u, struct error *e)
{
    struct session *s = u->s;
    char user[32];
    for (unsigned i = 0; i < u->monitors; i++) {
        if (!u->monitor[i].control && is_mux(u, u->monitor[i].dev)) continue;
        snprintf(user, sizeof user, "compat_monitor%u", i);          /* QEMU's name for it */
        struct chardev *c = take(u, user, u->monitor[i].dev, u->monitor[i].control ? CHARDEV_QMP : CHARDEV_MONITOR, e);
        if (!c) return false;
        if (u->monitor[i].control) {
            struct qmp_server *q = qmp_create(s, c, u->monitor[i].pretty);
            if (q) s->qmp[s->qmp_count++] = q;
        } else {
            struct monitor *m = monitor_create(s, c);
            if (m && s->monitor_count < SESSION_MONITORS) s->monitor[s->monitor_count++] = m;
        }
    }
    return true;
}

bool setup_backends(struct setup *u, struct error *e)
{
    for (unsigned i = 0; i < u->chardevs; i++)
        if (!open_one(u, u->chardev[i].id, &u->chardev[i], e)) return false;
    return open_ports(u, e) && open_monitors(u, e);
}

/* ---- the machine's side ----------------------------------------------------------------------------------------------- */

static size_t client_room(void *opaque, struct chr *c)
{
    struct session *s = opaque;
    return s->state == RUN_RUNNING ? machine_chr_room(s->machine, c) : 0;
}

static void client_input(void *opaque, struct chr *c, const uint8_t *data, size_t len)
{
    machine_chr_input(((struct session *)opaque)->machine, c, data, len);
}

static void client_event(void *opaque, struct chr *c, int what)
{
    machine_chr_event(((struct session *)opaque)->machine, c, what);
}

void setup_attach(struct setup *u)
{
    struct chardev_client client = { .room = client_room, .input = client_input, .event = client_event, .opaque = u->s };
    for (unsigned i = 0; i < u->s->chardev_count; i++)
        if (u->s->chardev_use[i] == CHARDEV_PORT) chardev_attach(u->s->chardevs[i], &client);
}

bool setup_interactive(const struct setup *u)
{
    if (u->s->qmp_count || u->s->monitor_count) return true;
    for (unsigned i = 0; i < u->s->chardev_count; i++)
        if (chardev_interactive(u->s->chardevs[i])) return true;
    return false;
}
