/* The process's terminal.
 *
 * A terminal outlives the process: one that is left raw shows no echo and no line ends to the shell. It is therefore put
 * back by chardev_close on the usual way out, and by signal handlers on the others. The flags are remembered one by one in
 * `volatile sig_atomic_t`, the only data that a handler may rely on; VMIN and VTIME, which raw mode also sets, have no
 * meaning in line mode. */
#define _GNU_SOURCE
#include "host/tty.h"

#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t raw, raw_signals, saved_iflag, saved_oflag, saved_cflag, saved_lflag;

static bool make_raw(bool signals)
{
    struct termios t;
    if (tcgetattr(STDIN_FILENO, &t) != 0) return false;
    saved_iflag = (sig_atomic_t)t.c_iflag;
    saved_oflag = (sig_atomic_t)t.c_oflag;
    saved_cflag = (sig_atomic_t)t.c_cflag;
    saved_lflag = (sig_atomic_t)t.c_lflag;
    cfmakeraw(&t);
    t.c_oflag |= OPOST;                        /* "\n" still begins a new line */
    if (signals) t.c_lflag |= ISIG;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &t) != 0) return false;
    raw_signals = signals;
    raw = 1;
    return true;
}

bool tty_raw(bool signals) { return isatty(STDIN_FILENO) && make_raw(signals); }

void tty_restore(void)
{
    struct termios t;
    if (!raw) return;
    raw = 0;
    if (tcgetattr(STDIN_FILENO, &t) != 0) return;
    t.c_iflag = (tcflag_t)saved_iflag;
    t.c_oflag = (tcflag_t)saved_oflag;
    t.c_cflag = (tcflag_t)saved_cflag;
    t.c_lflag = (tcflag_t)saved_lflag;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

/* Ctrl-Z: stops with a sane terminal and takes it again in the foreground. */
static void on_stop(int n)
{
    bool was_raw = raw;
    (void)n;
    tty_restore();
    kill(getpid(), SIGSTOP);
    if (was_raw) make_raw(raw_signals);
}

static void on_defect(int n)
{
    tty_restore();
    raise(n);                                  /* the default action: SA_RESETHAND */
}

void tty_guard(void)
{
    static const int defects[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    struct sigaction old, stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
    struct sigaction defect = { .sa_handler = on_defect, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++)
        if (sigaction(defects[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) sigaction(defects[i], &defect, NULL);
    if (sigaction(SIGTSTP, NULL, &old) == 0 && old.sa_handler == SIG_DFL) sigaction(SIGTSTP, &stop, NULL);
}
