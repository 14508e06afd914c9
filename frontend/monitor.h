/* The text monitor: commands for a person, on a terminal, a socket, or through QMP's human-monitor-command. */
#ifndef FRONTEND_MONITOR_H
#define FRONTEND_MONITOR_H

#include "frontend/session.h"

struct monitor;

/* Runs one command line and prints its answer to out. */
void monitor_execute(struct session *s, const char *line, FILE *out);

/* A monitor with a prompt and line editing on a character device. It owns the chardev if `own`. */
struct monitor *monitor_create(struct session *s, struct chardev *dev, bool own);
void monitor_destroy(struct monitor *m);
/* Bytes typed by the person; the monitor's client callback, and what the terminal's escape key hands over. */
void monitor_type(struct monitor *m, const uint8_t *data, size_t len);
void monitor_prompt(struct monitor *m);

/* The escape key of a multiplexed terminal (-nographic, mon:stdio): Ctrl-A x quits, Ctrl-A c switches between the serial
 * port and the monitor, Ctrl-A h helps, Ctrl-A a sends Ctrl-A. */
void terminal_mux(struct session *s, struct chardev *dev);

#endif
