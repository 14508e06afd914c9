/* Backends of character devices: stdio, file, TCP and unix sockets, pty, null. Opened by the frontend from options.
 * One thread. */
#ifndef HOST_CHARDEV_H
#define HOST_CHARDEV_H

#include "base/status.h"
#include "host/char.h"
#include "host/loop.h"

struct chardev;

/* How bytes from the host reach the machine: the frontend delivers them as stamped inputs. */
struct chardev_client {
    size_t (*room)(void *opaque, struct chr *c);
    void (*input)(void *opaque, struct chr *c, const uint8_t *data, size_t len);
    void (*event)(void *opaque, struct chr *c, int what);
    void *opaque;
};

struct chardev_config {
    enum { CHARDEV_NULL, CHARDEV_STDIO, CHARDEV_FILE, CHARDEV_SOCKET, CHARDEV_PTY } kind;
    const char *path;              /* file, or unix socket */
    const char *host, *port;       /* TCP */
    bool server, wait, append;
    bool signals;                  /* stdio: Ctrl-C and Ctrl-Z act on this program instead of being sent */
    const char *logfile;           /* everything the guest sends is also written there */
    bool logappend;
};

/* NULL and *e (one sentence) on failure: port in use, no such folder, ... The id is copied. */
struct chardev *chardev_open(struct loop *l, const char *id, const struct chardev_config *cfg, struct error *e);
void chardev_close(struct chardev *c);
/* The end that a chip is given. */
struct chr *chardev_chr(struct chardev *c);
/* Called once the machine exists. */
void chardev_attach(struct chardev *c, const struct chardev_client *client);
/* A filter for bytes from a terminal (escape key of -nographic): takes what is meant for it and returns how many bytes of
 * data are left for the guest. */
void chardev_set_filter(struct chardev *c, size_t (*filter)(void *opaque, uint8_t *data, size_t len), void *opaque);
/* Writes to the host side as if the guest had sent it (monitor and QMP): never dropped below 64 MiB. */
void chardev_write(struct chardev *c, const void *data, size_t len);
/* Pushes buffered output out, waiting if need be (a socket that takes nothing: two seconds): at exit. */
void chardev_drain(struct chardev *c);
/* "pty:/dev/pts/3", "unix:/tmp/s,server=on", "disconnected:unix:/tmp/s,server=on": for query-chardev. */
const char *chardev_filename(const struct chardev *c);
const char *chardev_id(const struct chardev *c);
bool chardev_connected(const struct chardev *c);
/* Is the wall clock of interest to whoever is on the other end? (socket, pty, a terminal) */
bool chardev_interactive(const struct chardev *c);

/* Listening sockets, shared with QMP, monitor and debugger. -1 and *e on failure. */
int socket_listen_unix(const char *path, struct error *e);
int socket_listen_tcp(const char *host, const char *port, struct error *e);
int socket_connect_unix(const char *path, struct error *e);
int socket_connect_tcp(const char *host, const char *port, struct error *e);
void fd_set_nonblocking(int fd);

#endif
