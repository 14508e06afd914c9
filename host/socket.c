/* Opening sockets, with messages that name what was asked for. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "host/chardev.h"

void fd_set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int unix_socket(const char *path, struct sockaddr_un *a, struct error *e)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof a->sun_path) {
        error_set(e, HOST_IO_ERROR, "%s: the path is too long for a unix socket (%zu bytes at most)", path,
                  sizeof a->sun_path - 1);
        return -1;
    }
    strcpy(a->sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) error_set(e, HOST_IO_ERROR, "unix:%s: %s", path, strerror(errno));
    return fd;
}

/* A socket that nobody answers is left over from a process that died: it is removed. One that answers is in use. Any other
 * kind of file is the user's (connect() refuses it just the same) and is never touched. */
static bool unix_clear_path(int probe, const char *path, const struct sockaddr_un *a, struct error *e)
{
    struct stat st;
    if (lstat(path, &st) < 0) return true;
    if (!S_ISSOCK(st.st_mode)) {
        error_set(e, HOST_BUSY, "unix:%s: there is a file of that name, and it is no socket", path);
        return false;
    }
    if (connect(probe, (const struct sockaddr *)a, sizeof *a) == 0 || errno == EAGAIN) {
        error_set(e, HOST_BUSY, "unix:%s: in use by another process", path);
        return false;
    }
    if (errno == ECONNREFUSED) unlink(path);
    return true;
}

int socket_listen_unix(const char *path, struct error *e)
{
    struct sockaddr_un a;
    int fd = unix_socket(path, &a, e);
    if (fd < 0) return -1;
    if (!unix_clear_path(fd, path, &a, e)) {
        close(fd);
        return -1;
    }
    close(fd);
    fd = unix_socket(path, &a, e);
    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0) {
        error_set(e, errno == EADDRINUSE ? HOST_BUSY : HOST_IO_ERROR, "unix:%s: cannot listen: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    fd_set_nonblocking(fd);
    return fd;
}

int socket_connect_unix(const char *path, struct error *e)
{
    struct sockaddr_un a;
    int fd = unix_socket(path, &a, e);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        error_set(e, HOST_MISSING, "unix:%s: cannot connect: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static int tcp_open(const char *host, const char *port, bool server, struct error *e)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0 }, *list = NULL;
    const char *shown = host && *host ? host : server ? "*" : "localhost";
    if (strspn(port, "0123456789") == strlen(port) && (strlen(port) > 5 || atoi(port) > 65535)) {     /* libc would wrap it */
        error_set(e, HOST_REFUSED, "tcp:%s:%s: ports go up to 65535", shown, port);
        return -1;
    }
    int r = getaddrinfo(host && *host ? host : server ? NULL : "localhost", port, &hints, &list), fd = -1, cause = 0;
    if (r != 0) {
        error_set(e, HOST_MISSING, "tcp:%s:%s: %s", shown, port, gai_strerror(r));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        int one = 1;
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0) {
            cause = cause ? cause : errno;     /* no IPv6 on this host says less than what the other address said */
            continue;
        }
        if (server) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        else setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (server ? bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 1) < 0
                   : connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            cause = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        error_set(e, cause == EADDRINUSE ? HOST_BUSY : HOST_IO_ERROR, "tcp:%s:%s: cannot %s: %s", shown, port,
                  server ? "listen" : "connect", strerror(cause));
    return fd;
}

int socket_listen_tcp(const char *host, const char *port, struct error *e)
{
    int fd = tcp_open(host, port, true, e);
    if (fd >= 0) fd_set_nonblocking(fd);
    return fd;
}

int socket_connect_tcp(const char *host, const char *port, struct error *e) { return tcp_open(host, port, false, e); }
