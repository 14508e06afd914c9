/* The terminal that this process was started from (standard input). It belongs to the process, not to a machine, and must
 * be given back on every way out, so what a signal handler needs lies in `volatile sig_atomic_t`. */
#ifndef HOST_TTY_H
#define HOST_TTY_H

#include <stdbool.h>

/* Turns off line editing and echo; with signals, Ctrl-C and Ctrl-Z keep their meaning. No-op (false) if standard input is
 * no terminal. */
bool tty_raw(bool signals);
/* Puts back what tty_raw found; no-op if it is not raw. Any number of times; allowed in a signal handler. */
void tty_restore(void);
/* Handlers that give the terminal back before the process stops (Ctrl-Z) or dies of a defect (abort, segmentation fault);
 * a handler that is there already, such as a sanitizer's, is left alone. */
void tty_guard(void);

#endif
