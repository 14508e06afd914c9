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

enum host_status setup_add_chardev(struct setup *u, const char *text, struct error *e)
{
    struct subopts o;
    enum host_status st = subopts_parse(&o, "-chardev", text, "backend", e);
    struct setup_chardev *d = &u->chardev[u->chardevs];
    const char *v;
    if (st != HOST_OK) goto out;
    if (u->chardevs == SETUP_CHARDEVS) {
        st = error_set(e, HOST_REFUSED, "-chardev: at most %d", SETUP_CHARDEVS);
        goto out;
    }
    *d = (struct setup_chardev){ .text = strdup(text) };
    const char *kind = subopts_get(&o, "backend"), *id = subopts_get(&o, "id");
    if (!kind || !id) {
        st = error_set(e, HOST_REFUSED, "-chardev %s: wants a kind and id=", text);
        goto out;
    }
    d->id = strdup(id);
    if ((v = subopts_get(&o, "logfile"))) d->cfg.logfile = keep(d, v, strlen(v));
    if ((v = subopts_get(&o, "path"))) d->cfg.path = keep(d, v, strlen(v));
    st = subopts_bool(&o, "mux", &d->mux, e);
    if (strcmp(kind, "null") == 0) d->cfg.kind = CHARDEV_NULL;
    else if (strcmp(kind, "pty") == 0) d->cfg.kind = CHARDEV_PTY;
    else if (strcmp(kind, "stdio") == 0) {
        d->cfg.kind = CHARDEV_STDIO;
        d->cfg.signals = true;
        if (st == HOST_OK) st = subopts_bool(&o, "signal", &d->cfg.signals, e);
    } else if (strcmp(kind, "file") == 0) {
        d->cfg.kind = CHARDEV_FILE;
        if (st == HOST_OK) st = subopts_bool(&o, "append", &d->cfg.append, e);
        if (!d->cfg.path) st = error_set(e, HOST_REFUSED, "-chardev %s: wants path=", text);
    } else if (strcmp(kind, "socket") == 0) {
        bool ignored;
        d->cfg.kind = CHARDEV_SOCKET;
        d->cfg.wait = true;
        if ((v = subopts_get(&o, "host"))) d->cfg.host = keep(d, v, strlen(v));
        if ((v = subopts_get(&o, "port"))) d->cfg.port = keep(d, v, strlen(v));
        if (st == HOST_OK) st = subopts_bool(&o, "server", &d->cfg.server, e);
        if (st == HOST_OK) st = subopts_bool(&o, "wait", &d->cfg.wait, e);
        if (st == HOST_OK) st = subopts_bool(&o, "nodelay", &ignored, e);
        if (!d->cfg.path && !d->cfg.port) st = error_set(e, HOST_REFUSED, "-chardev %s: wants path= or port=", text);
    } else {
        st = error_set(e, HOST_REFUSED, "-chardev %s: unknown kind '%s' (socket, file, stdio, pty, null)", text, kind);
    }
    if (st == HOST_OK) st = subopts_done(&o, e);
    if (st == HOST_OK) u->chardevs++;
out:
    subopts_fini(&o);
    return st;
}

/* The short forms: stdio, mon:stdio, file:P, tcp:H:P[,server,nowait], unix:P[,...], pty, null, telnet-less. */
static bool parse_short(const char *text, struct setup_chardev *d, struct error *e)
{
    const char *p = text, *comma;
    *d = (struct setup_chardev){ .text = strdup(text), .cfg.wait = true };
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
        error_set(e, HOST_REFUSED, "'%s' is not a character device (stdio, mon:stdio, file:PATH, tcp:HOST:PORT, unix:PATH, pty, "
                  "null, none, chardev:ID)", text);
        return false;
    }
    d->cfg.kind = CHARDEV_SOCKET;
    p += tcp ? 4 : 5;
    comma = p + strcspn(p, ",");
    if (tcp) {
        const char *colon = memchr(p, ':', (size_t)(comma - p));
        if (!colon || colon + 1 == comma) {
            error_set(e, HOST_REFUSED, "'%s': tcp wants HOST:PORT", text);
            return false;
        }
        d->cfg.host = keep(d, p, (size_t)(colon - p));
        d->cfg.port = keep(d, colon + 1, (size_t)(comma - colon - 1));
    } else {
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

static void free_chardev(struct setup_chardev *d)
{
    for (unsigned i = 0; i < 4; i++) free(d->strings[i]);
    free(d->id);
    free(d->text);
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static struct chardev *session_find_chardev(struct session *s, const char *id, unsigned *index)
{
    for (unsigned i = 0; i < s->chardev_count; i++)
        if (strcmp(chardev_id(s->chardevs[i]), id) == 0) {
            *index = i;
            return s->chardevs[i];
        }
    return NULL;
}

static struct chardev *open_one(struct setup *u, const char *id, const struct setup_chardev *d, struct error *e)
{
    struct session *s = u->s;
    if (s->chardev_count == SESSION_CHARDEVS) {
        error_set(e, HOST_REFUSED, "too many character devices");
        return NULL;
    }
    struct chardev *c = chardev_open(&s->loop, id, &d->cfg, e);
    if (!c) return NULL;
    s->chardevs[s->chardev_count++] = c;
    if (d->mux) terminal_mux(s, c);
    return c;
}

/* A backend for a port: "chardev:ID" or a short form. */
static struct chr *backend(struct setup *u, const char *id, const char *text, struct error *e)
{
    struct session *s = u->s;
    struct setup_chardev d;
    unsigned at = 0;
    if (strncmp(text, "chardev:", 8) == 0) {
        struct chardev *c = session_find_chardev(s, text + 8, &at);
        if (!c) {
            error_set(e, HOST_MISSING, "%s: there is no -chardev with id=%s", id, text + 8);
            return NULL;
        }
        if (s->chardev_used[at]) {
            error_set(e, HOST_BUSY, "%s: chardev '%s' is in use", id, text + 8);
            return NULL;
        }
        s->chardev_used[at] = true;
        return chardev_chr(c);
    }
    struct chardev *c = parse_short(text, &d, e) ? open_one(u, id, &d, e) : NULL;
    free_chardev(&d);
    if (!c) return NULL;
    s->chardev_used[s->chardev_count - 1] = true;
    return chardev_chr(c);
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

static bool open_monitor(struct setup *u, struct error *e)
{
    struct setup_chardev d;
    if (!u->monitor || strcmp(u->monitor, "none") == 0 || strcmp(u->monitor, "null") == 0) return true;
    if (!parse_short(u->monitor, &d, e)) {
        free_chardev(&d);
        return false;
    }
    d.mux = false;
    struct chardev *c = chardev_open(&u->s->loop, "monitor", &d.cfg, e);
    free_chardev(&d);
    if (c) u->s->monitor = monitor_create(u->s, c, true);
    return c != NULL;
}

bool setup_backends(struct setup *u, struct error *e)
{
    for (unsigned i = 0; i < u->chardevs; i++)
        if (!open_one(u, u->chardev[i].id, &u->chardev[i], e)) return false;
    if (!open_ports(u, e) || !open_monitor(u, e)) return false;
    for (unsigned i = 0; i < u->qmps; i++) {
        struct setup_chardev d;
        char id[32];
        snprintf(id, sizeof id, "qmp%u", i);
        struct qmp_server *q = parse_short(u->qmp[i], &d, e) ? qmp_create(u->s, &d.cfg, id, e) : NULL;
        free_chardev(&d);
        if (!q) return false;
        u->s->qmp[u->s->qmp_count++] = q;
    }
    return true;
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
        if (u->s->chardev_used[i]) chardev_attach(u->s->chardevs[i], &client);
}

bool setup_interactive(const struct setup *u)
{
    if (u->s->qmp_count || u->s->monitor) return true;
    for (unsigned i = 0; i < u->s->chardev_count; i++)
        if (chardev_interactive(u->s->chardevs[i])) return true;
    return false;
}
