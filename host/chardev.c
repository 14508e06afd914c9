/* Backends of character devices.
 *
 * All kinds are one thing: a descriptor to read from, one to write to, and for servers one to listen on. What the guest
 * sends is collected and written before each wait. A reader that does not keep up is waited for on stdio, files and logs,
 * and loses bytes (told once) on sockets and ptys beyond 1 MiB.
 *
 * The oddest part is the other direction. A UART takes 1 to 16 bytes at a time, the host sends kilobytes, and on a terminal
 * the escape key must be heard even while the guest does not listen. So up to 4 KiB are read ahead, the filter takes its
 * keys out, and the rest is held until the chip has room: a paste into a serial console arrives whole. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include "host/chardev.h"
#include "host/tty.h"

enum {
    GUEST_MAX = 1 << 20,               /* bytes of the guest's that wait for a slow socket */
    OURS_MAX = 64 << 20,               /* and of our own: a QMP reply must not be cut */
    HELD_MAX = 4096,
    DRAIN_MS = 2000,                   /* how long a socket that takes nothing is waited for at exit */
};

static const char away[] = "disconnected:";           /* before the name of a server without a client, as in QEMU */

struct chardev {
    struct chr chr;
    struct loop *loop;
    struct loop_source data, listen;
    struct chardev_client client;
    int in, out, log, slave;
    bool lossy;                        /* drops instead of waiting */
    bool ending;                       /* a socket whose client has gone: what it said last is still held */
    bool told;                         /* that output was lost */
    bool interactive, raw_tty, log_broken;
    uint8_t *buf;                      /* to the host */
    size_t len, cap;
    uint8_t held[HELD_MAX];            /* to the guest */
    size_t held_len;
    size_t (*filter)(void *opaque, uint8_t *data, size_t len);
    void *filter_opaque;
    char *id, *filename, *unlink_path;
};

struct chr *chardev_chr(struct chardev *c) { return &c->chr; }
const char *chardev_id(const struct chardev *c) { return c->id; }
bool chardev_connected(const struct chardev *c) { return c->out >= 0; }
bool chardev_interactive(const struct chardev *c) { return c->interactive; }
void chardev_attach(struct chardev *c, const struct chardev_client *client) { c->client = *client; }

const char *chardev_filename(const struct chardev *c)
{
    return c->listen.fd >= 0 && chardev_connected(c) ? c->filename + sizeof away - 1 : c->filename;
}

void chardev_set_filter(struct chardev *c, size_t (*filter)(void *, uint8_t *, size_t), void *opaque)
{
    c->filter = filter;
    c->filter_opaque = opaque;
}

/* ---- to the host ------------------------------------------------------------------------------------------------------ */

/* Waits for a slow reader, patience_ms at a time (-1: for ever). False with errno if the rest cannot be written. */
static bool write_all(int fd, const uint8_t *p, size_t n, int patience_ms)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w >= 0) {
            p += w;
            n -= (size_t)w;
        } else if (errno == EAGAIN) {
            struct pollfd f = { .fd = fd, .events = POLLOUT };
            if (poll(&f, 1, patience_ms) == 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* A reader that has gone is no loss worth a word; a full disk is. */
static void tell_loss(const struct chardev *c, bool *told, const char *what)
{
    if (!*told && errno != EPIPE && errno != ECONNRESET)
        fprintf(stderr, "beige: %s: cannot write to %s: %s; output is lost\n", c->id, what, strerror(errno));
    *told = true;
}

static void chardev_write_out(struct chardev *c)
{
    if (c->len == 0) return;
    if (c->out < 0) {
        c->len = 0;                    /* nobody is connected: as a cable with nothing on its end */
    } else if (!c->lossy) {
        if (!write_all(c->out, c->buf, c->len, -1)) tell_loss(c, &c->told, chardev_filename(c));
        c->len = 0;
    } else {
        ssize_t n = send(c->out, c->buf, c->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == ENOTSOCK) n = write(c->out, c->buf, c->len);      /* a pty */
        if (n > 0) {
            memmove(c->buf, c->buf + n, c->len - (size_t)n);
            c->len -= (size_t)n;
        } else if (errno != EAGAIN && errno != EINTR) {
            c->len = 0;                /* the other end has gone; reading will say so */
        }
    }
}

void chardev_drain(struct chardev *c)
{
    if (c->lossy && c->out >= 0) write_all(c->out, c->buf, c->len, DRAIN_MS);
    else chardev_write_out(c);
    c->len = 0;
}

static void chardev_collect(struct chardev *c, const void *data, size_t n, size_t max)
{
    if (c->len + n > max) chardev_write_out(c);
    if (c->len + n > max) {
        if (!c->told) fprintf(stderr, "beige: %s: the reader of %s does not keep up; output is lost\n", c->id,
                              chardev_filename(c));
        c->told = true;
        return;
    }
    if (c->len + n > c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 4096;
        while (cap < c->len + n) cap *= 2;
        uint8_t *p = realloc(c->buf, cap);
        if (!p) return;
        c->buf = p;
        c->cap = cap;
    }
    memcpy(c->buf + c->len, data, n);
    c->len += n;
}

void chardev_write(struct chardev *c, const void *data, size_t n) { chardev_collect(c, data, n, OURS_MAX); }

static void chardev_send(struct chr *chr, const uint8_t *data, size_t len)
{
    struct chardev *c = (struct chardev *)chr;
    if (c->log >= 0 && !write_all(c->log, data, len, -1)) tell_loss(c, &c->log_broken, "its logfile");
    chardev_collect(c, data, len, GUEST_MAX);
    /* A whole line goes out at once: whoever reads along sees it when it was written, not at the end of a slice. */
    if (len && data[len - 1] == '\n') chardev_write_out(c);
}

/* ---- to the guest ----------------------------------------------------------------------------------------------------- */

static void chardev_hang_up(struct chardev *c);

/* Hands over what the chip has room for; true if that was anything. */
static bool chardev_deliver(struct chardev *c)
{
    size_t room = c->client.room ? c->client.room(c->client.opaque, &c->chr) : c->held_len;
    size_t n = room < c->held_len ? room : c->held_len;
    if (!n) return false;
    uint8_t now[HELD_MAX];
    memcpy(now, c->held, n);
    c->held_len -= n;
    memmove(c->held, c->held + n, c->held_len);
    if (c->client.input) c->client.input(c->client.opaque, &c->chr, now, n);
    return true;
}

static bool chardev_flush(void *opaque)
{
    struct chardev *c = opaque;
    bool delivered = chardev_deliver(c);
    chardev_write_out(c);
    if (c->ending && !c->held_len) chardev_hang_up(c);
    return delivered;
}

static bool chardev_wants_read(void *opaque)
{
    const struct chardev *c = opaque;
    return c->held_len < HELD_MAX && !c->ending;
}

static bool chardev_wants_write(void *opaque)
{
    const struct chardev *c = opaque;
    return c->lossy && c->len > 0 && c->out >= 0 && !c->ending;
}

static void chardev_tell(struct chardev *c, int what)
{
    if (c->client.event) c->client.event(c->client.opaque, &c->chr, what);
}

/* End of input. A socket is gone in both directions; standard output outlives standard input. */
static void chardev_hang_up(struct chardev *c)
{
    if (c->in > 2) close(c->in);
    c->in = c->data.fd = -1;
    if (!c->lossy) return;
    loop_remove(c->loop, &c->data);
    c->out = -1;
    c->len = 0;
    c->told = c->ending = false;
    chardev_tell(c, CHR_CLOSED);
}

static void chardev_ready(void *opaque, bool readable, bool writable)
{
    struct chardev *c = opaque;
    if (writable) chardev_write_out(c);
    if (!readable || c->held_len == HELD_MAX || c->ending) return;
    uint8_t *at = c->held + c->held_len;
    ssize_t n = read(c->in, at, HELD_MAX - c->held_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        while (chardev_deliver(c)) {}
        c->ending = c->lossy && c->held_len;          /* what it said last comes before its going: a UART takes its time */
        if (!c->ending) chardev_hang_up(c);
        return;
    }
    c->held_len += c->filter ? c->filter(c->filter_opaque, at, (size_t)n) : (size_t)n;
    chardev_deliver(c);
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static void chardev_start(struct chardev *c, int in, int out)
{
    c->in = in;
    c->out = out;
    c->data = (struct loop_source){ .fd = in, .wants_read = chardev_wants_read, .wants_write = chardev_wants_write,
                                    .ready = chardev_ready, .flush = chardev_flush, .opaque = c };
    loop_add(c->loop, &c->data);
}

/* One client at a time: the next one waits in the queue of the listening socket, as in QEMU. */
static bool chardev_wants_client(void *opaque)
{
    const struct chardev *c = opaque;
    return c->out < 0 || c->ending;
}

static void chardev_accept(void *opaque, bool readable, bool writable)
{
    struct chardev *c = opaque;
    (void)readable, (void)writable;
    int fd = accept4(c->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (c->ending) chardev_hang_up(c);                /* the new one does not wait for what the guest will not read */
    c->held_len = 0;
    chardev_start(c, fd, fd);
    chardev_tell(c, CHR_OPENED);
}

static bool chardev_open_stdio(struct chardev *c, bool signals, struct error *e)
{
    for (const struct loop_source *s = c->loop->sources; s; s = s->next)
        if (s->fd == STDIN_FILENO) {
            error_set(e, HOST_BUSY, "%s: stdio is taken by another character device (mon:stdio shares it with the monitor)",
                      c->id);
            return false;
        }
    c->filename = strdup("stdio");
    c->raw_tty = c->interactive = tty_raw(signals);
    chardev_start(c, STDIN_FILENO, STDOUT_FILENO);
    return true;
}

static bool chardev_open_file(struct chardev *c, const struct chardev_config *cfg, struct error *e)
{
    int fd = open(cfg->path, O_WRONLY | O_CREAT | (cfg->append ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(e, HOST_IO_ERROR, "%s: %s: %s", c->id, cfg->path, strerror(errno));
        return false;
    }
    char *name = malloc(strlen(cfg->path) + 6);
    if (name) sprintf(name, "file:%s", cfg->path);
    c->filename = name;
    chardev_start(c, -1, fd);
    return true;
}

/* The port that was bound: what was asked for may be 0, any. */
static unsigned bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) < 0) return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port);
}

static void name_socket(struct chardev *c, const struct chardev_config *cfg, int fd)
{
    char name[512];
    const char *prefix = cfg->server ? away : "", *server = cfg->server ? ",server=on" : "";
    const char *host = cfg->host && *cfg->host ? cfg->host : cfg->server ? "0.0.0.0" : "localhost";
    if (cfg->path) snprintf(name, sizeof name, "%sunix:%s%s", prefix, cfg->path, server);
    else if (cfg->server) snprintf(name, sizeof name, "%stcp:%s:%u%s", prefix, host, bound_port(fd), server);
    else snprintf(name, sizeof name, "tcp:%s:%s", host, cfg->port);
    c->filename = strdup(name);
}

static bool chardev_open_socket(struct chardev *c, const struct chardev_config *cfg, struct error *e)
{
    int fd;
    c->lossy = c->interactive = true;
    if (cfg->server) fd = cfg->path ? socket_listen_unix(cfg->path, e) : socket_listen_tcp(cfg->host, cfg->port, e);
    else fd = cfg->path ? socket_connect_unix(cfg->path, e) : socket_connect_tcp(cfg->host, cfg->port, e);
    if (fd < 0) return false;
    name_socket(c, cfg, fd);
    if (!cfg->server) {
        fd_set_nonblocking(fd);
        chardev_start(c, fd, fd);
        return true;
    }
    if (cfg->path) c->unlink_path = strdup(cfg->path);
    c->listen = (struct loop_source){ .fd = fd, .wants_read = chardev_wants_client, .ready = chardev_accept, .opaque = c };
    loop_add(c->loop, &c->listen);
    if (cfg->wait) {
        struct pollfd f = { .fd = fd, .events = POLLIN };
        fprintf(stderr, "beige: %s: waiting for a connection on %s\n", c->id, c->filename + sizeof away - 1);
        while (poll(&f, 1, -1) <= 0) {}
        chardev_accept(c, true, false);
    }
    return true;
}

/* The slave is kept open: so the master never reports a hang-up, and whoever opens it later finds what was sent before. */
static bool chardev_open_pty(struct chardev *c, struct error *e)
{
    char name[256], text[300];
    int master;
    struct termios t;
    if (openpty(&master, &c->slave, name, NULL, NULL) < 0) {
        error_set(e, HOST_IO_ERROR, "%s: no pseudo-terminal: %s", c->id, strerror(errno));
        return false;
    }
    if (tcgetattr(c->slave, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(c->slave, TCSANOW, &t);
    }
    fd_set_nonblocking(master);
    snprintf(text, sizeof text, "pty:%s", name);
    c->filename = strdup(text);
    c->lossy = c->interactive = true;
    fprintf(stderr, "beige: char device redirected to %s (label %s)\n", name, c->id);
    chardev_start(c, master, master);
    return true;
}

static bool chardev_open_kind(struct chardev *c, const struct chardev_config *cfg, struct error *e)
{
    switch (cfg->kind) {
    case CHARDEV_STDIO: return chardev_open_stdio(c, cfg->signals, e);
    case CHARDEV_FILE: return chardev_open_file(c, cfg, e);
    case CHARDEV_SOCKET: return chardev_open_socket(c, cfg, e);
    case CHARDEV_PTY: return chardev_open_pty(c, e);
    case CHARDEV_NULL: break;
    }
    c->filename = strdup("null");
    return true;
}

struct chardev *chardev_open(struct loop *l, const char *id, const struct chardev_config *cfg, struct error *e)
{
    struct chardev *c = calloc(1, sizeof *c);
    if (!c || !(c->id = strdup(id))) {
        error_set(e, HOST_NO_MEMORY, "%s: out of memory", id);
        free(c);
        return NULL;
    }
    c->chr.send = chardev_send;
    c->chr.id = c->id;
    c->loop = l;
    c->in = c->out = c->log = c->slave = c->data.fd = c->listen.fd = -1;
    int log_flags = O_WRONLY | O_CREAT | (cfg->logappend ? O_APPEND : O_TRUNC) | O_CLOEXEC;
    if (cfg->logfile && (c->log = open(cfg->logfile, log_flags, 0666)) < 0)
        error_set(e, HOST_IO_ERROR, "%s: %s: %s", id, cfg->logfile, strerror(errno));
    else if (chardev_open_kind(c, cfg, e)) return c;
    chardev_close(c);
    return NULL;
}

void chardev_close(struct chardev *c)
{
    if (!c) return;
    chardev_drain(c);
    loop_remove(c->loop, &c->data);
    loop_remove(c->loop, &c->listen);
    if (c->raw_tty) tty_restore();
    if (c->in > 2) close(c->in);
    if (c->out > 2 && c->out != c->in) close(c->out);
    if (c->slave >= 0) close(c->slave);
    if (c->listen.fd >= 0) close(c->listen.fd);
    if (c->log >= 0) close(c->log);
    if (c->unlink_path) unlink(c->unlink_path);
    free(c->unlink_path);
    free(c->filename);
    free(c->buf);
    free(c->id);
    free(c);
}
