/* Backends of character devices.
 *
 * All kinds are one thing: a descriptor to read from, one to write to, and for servers one to listen on. What the guest
 * sends is collected and written before each wait; a reader that does not keep up is waited for on stdio, files and logs,
 * and loses bytes (told once) on sockets and ptys beyond 1 MiB. Nothing is read from the host that the chip has no room
 * for, so a paste into a serial console arrives whole. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include "host/chardev.h"

enum { OUT_MAX = 1 << 20 };

struct chardev {
    struct chr chr;
    struct loop *loop;
    struct loop_source data, listen;
    struct chardev_client client;
    int in, out, log;
    bool lossy;                        /* drops instead of waiting */
    bool told_loss;
    bool interactive;
    bool restore_tty;
    struct termios tty;
    uint8_t *buf;
    size_t len, cap;
    size_t (*filter)(void *opaque, uint8_t *data, size_t len);
    void *filter_opaque;
    char *id, *filename, *unlink_path;
};

struct chr *chardev_chr(struct chardev *c) { return &c->chr; }
const char *chardev_filename(const struct chardev *c) { return c->filename; }
const char *chardev_id(const struct chardev *c) { return c->id; }
bool chardev_connected(const struct chardev *c) { return c->out >= 0; }
bool chardev_interactive(const struct chardev *c) { return c->interactive; }
void chardev_attach(struct chardev *c, const struct chardev_client *client) { c->client = *client; }

void chardev_set_filter(struct chardev *c, size_t (*filter)(void *, uint8_t *, size_t), void *opaque)
{
    c->filter = filter;
    c->filter_opaque = opaque;
}

static void write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EAGAIN) {
            struct pollfd f = { .fd = fd, .events = POLLOUT };
            poll(&f, 1, 1000);
        } else if (w < 0 && errno != EINTR) {
            return;                    /* the reader has gone */
        } else if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
    }
}

static void chardev_flush(void *opaque)
{
    struct chardev *c = opaque;
    if (c->len == 0) return;
    if (c->out < 0) {
        c->len = 0;                    /* nobody is connected: as a cable with nothing on its end */
    } else if (!c->lossy) {
        write_all(c->out, c->buf, c->len);
        c->len = 0;
    } else {
        ssize_t n = send(c->out, c->buf, c->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == ENOTSOCK) n = write(c->out, c->buf, c->len);
        if (n > 0) {
            memmove(c->buf, c->buf + n, c->len - (size_t)n);
            c->len -= (size_t)n;
        }
    }
}

void chardev_drain(struct chardev *c)
{
    if (c->lossy && c->out >= 0) write_all(c->out, c->buf, c->len);
    else chardev_flush(c);
    c->len = 0;
}

void chardev_write(struct chardev *c, const void *data, size_t n)
{
    if (c->len + n > OUT_MAX) {
        chardev_flush(c);
        if (c->len + n > OUT_MAX) {
            if (!c->told_loss) fprintf(stderr, "beige: %s: the reader does not keep up, output is lost\n", c->filename);
            c->told_loss = true;
            return;
        }
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

static void chardev_send(struct chr *chr, const uint8_t *data, size_t len)
{
    struct chardev *c = (struct chardev *)chr;
    if (c->log >= 0) write_all(c->log, data, len);
    chardev_write(c, data, len);
}

static bool chardev_wants_read(void *opaque)
{
    struct chardev *c = opaque;
    return c->filter || !c->client.room || c->client.room(c->client.opaque, &c->chr) > 0;
}

static bool chardev_wants_write(void *opaque)
{
    const struct chardev *c = opaque;
    return c->lossy && c->len > 0 && c->out >= 0;
}

static void chardev_tell(struct chardev *c, int what)
{
    if (c->client.event) c->client.event(c->client.opaque, &c->chr, what);
}

static void chardev_hang_up(struct chardev *c)
{
    loop_remove(c->loop, &c->data);
    if (c->in > 2) close(c->in);
    if (c->out > 2 && c->out != c->in) close(c->out);
    c->in = c->data.fd = -1;
    if (c->lossy) c->out = -1;
    chardev_tell(c, CHR_CLOSED);
}

static void chardev_ready(void *opaque, bool readable, bool writable)
{
    struct chardev *c = opaque;
    uint8_t buf[4096];
    if (writable) chardev_flush(c);
    if (!readable) return;
    size_t room = c->client.room ? c->client.room(c->client.opaque, &c->chr) : sizeof buf;
    if (c->filter && room == 0) room = 1;             /* the escape key must work even if the guest does not listen */
    if (room == 0) return;
    ssize_t n = read(c->in, buf, room < sizeof buf ? room : sizeof buf);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0 && errno == EIO && c->unlink_path == NULL && c->listen.fd < 0 && c->interactive) return;   /* pty, no client yet */
    if (n <= 0) {
        chardev_hang_up(c);
        return;
    }
    size_t left = c->filter ? c->filter(c->filter_opaque, buf, (size_t)n) : (size_t)n;
    if (left && c->client.input) c->client.input(c->client.opaque, &c->chr, buf, left);
}

static void chardev_start(struct chardev *c, int in, int out)
{
    c->in = in;
    c->out = out;
    c->data = (struct loop_source){ .fd = in, .wants_read = chardev_wants_read, .wants_write = chardev_wants_write,
                                    .ready = chardev_ready, .flush = chardev_flush, .opaque = c };
    loop_add(c->loop, &c->data);
}

static void chardev_accept(void *opaque, bool readable, bool writable)
{
    struct chardev *c = opaque;
    (void)readable, (void)writable;
    int fd = accept(c->listen.fd, NULL, NULL);
    if (fd < 0) return;
    if (c->in >= 0) {                                 /* one client at a time, as in QEMU */
        close(fd);
        return;
    }
    fd_set_nonblocking(fd);
    chardev_start(c, fd, fd);
    chardev_tell(c, CHR_OPENED);
}

static void chardev_raw_tty(struct chardev *c, bool signals)
{
    if (!isatty(0) || tcgetattr(0, &c->tty) != 0) return;
    struct termios t = c->tty;
    cfmakeraw(&t);
    t.c_oflag |= OPOST;
    if (signals) t.c_lflag |= ISIG;
    if (tcsetattr(0, TCSANOW, &t) == 0) c->restore_tty = true;
    c->interactive = true;
}

static bool chardev_open_socket(struct chardev *c, const struct chardev_config *cfg, struct error *e)
{
    char name[512];
    c->lossy = c->interactive = true;
    if (cfg->path) snprintf(name, sizeof name, "unix:%s%s", cfg->path, cfg->server ? ",server=on" : "");
    else snprintf(name, sizeof name, "tcp:%s:%s%s", cfg->host ? cfg->host : "", cfg->port, cfg->server ? ",server=on" : "");
    c->filename = strdup(name);
    if (!cfg->server) {
        int fd = cfg->path ? socket_connect_unix(cfg->path, e) : socket_connect_tcp(cfg->host, cfg->port, e);
        if (fd < 0) return false;
        fd_set_nonblocking(fd);
        chardev_start(c, fd, fd);
        return true;
    }
    int fd = cfg->path ? socket_listen_unix(cfg->path, e) : socket_listen_tcp(cfg->host, cfg->port, e);
    if (fd < 0) return false;
    if (cfg->path) c->unlink_path = strdup(cfg->path);
    c->listen = (struct loop_source){ .fd = fd, .ready = chardev_accept, .opaque = c };
    loop_add(c->loop, &c->listen);
    if (cfg->wait) {
        struct pollfd f = { .fd = fd, .events = POLLIN };
        fprintf(stderr, "beige: waiting for a connection on %s\n", name);
        while (poll(&f, 1, -1) <= 0) {}
        chardev_accept(c, true, false);
    }
    return true;
}

static bool chardev_open_pty(struct chardev *c, struct error *e)
{
    char name[256], text[300];
    int master, slave;
    struct termios t;
    if (openpty(&master, &slave, name, NULL, NULL) < 0) {
        error_set(e, HOST_IO_ERROR, "pty: %s", strerror(errno));
        return false;
    }
    if (tcgetattr(slave, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(slave, TCSANOW, &t);
    }
    fd_set_nonblocking(master);                       /* the slave stays open, so that the master never hangs up */
    snprintf(text, sizeof text, "pty:%s", name);
    c->filename = strdup(text);
    c->lossy = c->interactive = true;
    fprintf(stderr, "beige: char device redirected to %s (label %s)\n", name, c->id);
    chardev_start(c, master, master);
    return true;
}

struct chardev *chardev_open(struct loop *l, const char *id, const struct chardev_config *cfg, struct error *e)
{
    struct chardev *c = calloc(1, sizeof *c);
    if (!c || !(c->id = strdup(id))) {
        error_set(e, HOST_NO_MEMORY, "out of memory");
        free(c);
        return NULL;
    }
    c->chr.send = chardev_send;
    c->chr.id = c->id;
    c->loop = l;
    c->in = c->out = c->log = c->data.fd = c->listen.fd = -1;
    if (cfg->logfile && (c->log = open(cfg->logfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0) {
        error_set(e, HOST_IO_ERROR, "%s: %s", cfg->logfile, strerror(errno));
        goto fail;
    }
    switch (cfg->kind) {
    case CHARDEV_NULL:
        c->filename = strdup("null");
        return c;
    case CHARDEV_STDIO:
        c->filename = strdup("stdio");
        chardev_raw_tty(c, cfg->signals);
        chardev_start(c, 0, 1);
        return c;
    case CHARDEV_FILE: {
        int fd = open(cfg->path, O_WRONLY | O_CREAT | (cfg->append ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0666);
        if (fd < 0) {
            error_set(e, HOST_IO_ERROR, "%s: %s", cfg->path, strerror(errno));
            goto fail;
        }
        c->filename = strdup("file");
        chardev_start(c, -1, fd);
        return c;
    }
    case CHARDEV_SOCKET:
        if (!chardev_open_socket(c, cfg, e)) goto fail;
        return c;
    case CHARDEV_PTY:
        if (!chardev_open_pty(c, e)) goto fail;
        return c;
    }
fail:
    chardev_close(c);
    return NULL;
}

void chardev_close(struct chardev *c)
{
    if (!c) return;
    chardev_drain(c);
    loop_remove(c->loop, &c->data);
    loop_remove(c->loop, &c->listen);
    if (c->restore_tty) tcsetattr(0, TCSANOW, &c->tty);
    if (c->in > 2) close(c->in);
    if (c->out > 2 && c->out != c->in) close(c->out);
    if (c->listen.fd >= 0) close(c->listen.fd);
    if (c->log >= 0) close(c->log);
    if (c->unlink_path) unlink(c->unlink_path);
    free(c->unlink_path);
    free(c->filename);
    free(c->buf);
    free(c->id);
    free(c);
}
