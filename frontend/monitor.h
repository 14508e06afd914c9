/* The text monitor: commands for a person, on a terminal, a socket, or through QMP's human-monitor-command. */
#ifndef FRONTEND_MONITOR_H
#define FRONTEND_MONITOR_H

#include "frontend/session.h"

/* ---- on a terminal (terminal.c) */
struct monitor;

/* A monitor with a prompt and line editing on a chardev, which stays the session's. NULL only without memory. */
struct monitor *monitor_create(struct session *s, struct chardev *dev);
/* The escape key of a terminal that a serial port and a monitor share (-nographic, mon:stdio, mux=on): Ctrl-A x quits,
 * Ctrl-A c switches, Ctrl-A h lists the rest. */
struct monitor *terminal_mux(struct session *s, struct chardev *dev);
void monitor_destroy(struct monitor *m);

/* ---- commands (monitor.c, monitor_info.c, monitor_memory.c) */

/* Runs one command line and prints its answer to out. */
void monitor_execute(struct session *s, const char *line, FILE *out);
/* The same as text with CR LF at its line ends, as terminals and QMP clients want it; the caller frees it. */
char *monitor_answer(struct session *s, const char *line);
/* Tab: calls add for each word that may stand at the end of text. */
void monitor_complete(struct session *s, const char *text, void (*add)(void *ctx, const char *word), void *ctx);

enum { MONITOR_WORDS = 8 };
struct monitor_call {
    struct session *s;
    FILE *out;
    char *word[MONITOR_WORDS];     /* word[0] is the command, without /FORMAT */
    unsigned words;
    const char *rest;              /* the line from word[1] on, uncut */
    const char *format;            /* "8xb" of x/8xb, or NULL */
};
struct monitor_command {
    const char *name, *args, *help;
    unsigned min_words;
    void (*run)(struct monitor_call *c);
};
/* "0x10 * 4 + $ss.base": numbers, 'c', $registers, + - ~ ( ) * / % & | ^ as in QEMU, where & | ^ bind tighter than + and -.
 * False, and a line to c->out. (monitor_memory.c) */
bool monitor_value(struct monitor_call *c, const char *text, uint64_t *value);
/* monitor_memory.c: the commands about memory and ports. */
extern const struct monitor_command monitor_memory[];
/* True for commands that take a /FORMAT, which may touch their name or stand by itself. */
bool monitor_takes_format(const char *command);
extern const struct monitor_command monitor_infos[];       /* ends with a NULL name; min_words counts "info" too */

#endif
