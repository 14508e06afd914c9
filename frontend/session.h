/* One run of one machine: what main sets up and every user interface works on.
 *
 * The session owns the machine, its pace, the host descriptors that are watched, and the queue of inputs that are due at a
 * virtual time (--input, send-key). User interfaces call session_* and machine_*; they never run the machine themselves.
 * One thread. */
#ifndef FRONTEND_SESSION_H
#define FRONTEND_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "host/chardev.h"
#include "host/image.h"
#include "host/loop.h"
#include "machine/machine.h"
#include "machine/pace.h"

enum { SESSION_CHARDEVS = 24, SESSION_MONITORS = 8, SESSION_CHECKPOINTS = 32 };

/* Exit statuses. A debug exit is (value << 1) | 1. */
enum { EXIT_GUEST_OFF = 0, EXIT_OURS = 1, EXIT_USAGE = 2, EXIT_CRASHED = 3, EXIT_LIMIT = 4 };

enum run_state { RUN_PRELAUNCH, RUN_RUNNING, RUN_PAUSED, RUN_SHUTDOWN, RUN_IO_ERROR };

struct session;

/* An input that waits for its virtual time. */
struct scheduled {
    vtime at;
    void (*fire)(struct session *s, struct scheduled *it);     /* `it` is freed afterwards */
    int a, b, c;
    char *text;
    size_t len;
    struct scheduled *next;
};

/* Told what happens to the machine: QMP turns it into events. data is JSON text or NULL. */
struct session_listener {
    void (*event)(void *opaque, const char *name, const char *data_json);
    void *opaque;
    struct session_listener *next;
};

struct session_checkpoint { char name[32]; vtime time; uint64_t icount; struct machine_checkpoint *state; };

struct session {
    struct machine *machine;
    struct machine_config config;
    struct log log;
    struct loop loop;
    struct pace pace;
    enum pace_mode pace_mode;
    uint64_t rate;                       /* instructions a virtual second; 0: the model's */
    enum run_state state;
    bool quit;                           /* leave the main loop */
    int exit_status;
    char last_line[512];                 /* why the run ended: the last line on standard error */

    struct scheduled *queue, *queue_last;        /* by time, then by arrival; the last is valid if there is a first */

    struct chardev *chardevs[SESSION_CHARDEVS];              /* all of them: ports', monitors', QMP servers', unused ones */
    enum { CHARDEV_FREE, CHARDEV_PORT, CHARDEV_MONITOR, CHARDEV_QMP } chardev_use[SESSION_CHARDEVS];
    unsigned chardev_count;

    struct session_checkpoint checkpoint[SESSION_CHECKPOINTS];
    unsigned checkpoints;

    struct session_listener *listeners;
    struct qmp_server *qmp[SESSION_MONITORS];
    struct monitor *monitor[SESSION_MONITORS];
    unsigned qmp_count, monitor_count;
    struct window *window;

    bool no_shutdown, start_paused;
    uint64_t limit_insns;                /* ~0: none */
    vtime limit_time;                    /* VTIME_NEVER: none */
    uint64_t timeout_ns, started_ns;     /* wall; 0: none */
    void (*check)(struct session *s);    /* called each round of the main loop: signals */
    bool snapshot;                       /* -snapshot: images opened later get it too */
    uint32_t mouse_buttons;
    uint64_t resets_seen;                /* of machine_guest_resets, told by events */
    uint32_t trays_open;                 /* bit i: the tray of IDE drive i was open when last looked at */
    bool picture_shared;                 /* somebody else than the window rendered: its record of dirty rows is not whole */
};

/* ---- control (session.c) */
void session_stop(struct session *s);                    /* pause; event STOP */
void session_cont(struct session *s);                    /* event RESUME */
void session_reset(struct session *s);                   /* event RESET */
void session_quit(struct session *s, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void session_event(struct session *s, const char *name, const char *data_json);
void session_listen(struct session *s, struct session_listener *l);
void session_unlisten(struct session *s, struct session_listener *l);
/* Runs until the guest powers off, a limit is reached or somebody quits. Returns the exit status. */
int session_run(struct session *s);
const char *session_state_name(const struct session *s); /* QMP's RunState */

/* Tells what the guest did by itself since the last call: resets, trays. After each slice. */
void session_watch(struct session *s);
void session_watch_trays(struct session *s);             /* (media.c) */

/* ---- inputs (input.c) */
void session_schedule(struct session *s, vtime at, void (*fire)(struct session *, struct scheduled *), int a, int b, int c,
                      const char *text, size_t len);
vtime session_next_input(const struct session *s);       /* VTIME_NEVER if the queue is empty */
void session_apply_due(struct session *s);
/* For --load: before it, the media changes up to the time of the save are made again, since the file expects what was in the
 * drives then; after it, all inputs up to that time are dropped: their effect is in what was loaded. */
bool session_replay_media(struct session *s, vtime until, struct error *e);
void session_drop_past(struct session *s);
void session_free_queue(struct session *s);
/* Presses all keys at once and releases them hold_ms of virtual time later, in reverse; queued behind earlier ones. */
void session_send_keys(struct session *s, const enum key *keys, unsigned n, unsigned hold_ms);
/* "ctrl-alt-f2" to keys; returns how many, 0 if a name is unknown (copied to bad). */
unsigned session_parse_keys(const char *text, enum key *keys, unsigned max, char *bad, size_t bad_size);
/* Reads an --input file. False and *e names file and line. */
bool session_read_inputs(struct session *s, const char *path, struct error *e);

/* ---- checkpoints (checkpoints.c) */
/* Keeps the machine's state under a name, in place of one that had it. */
enum host_status session_checkpoint(struct session *s, const char *name, struct error *e) MUST_CHECK;
/* Goes back to it. Inputs that wait for a later time go on waiting for it. After another error than HOST_MISSING and
 * HOST_REFUSED the machine is broken. */
enum host_status session_restore(struct session *s, const char *name, struct error *e) MUST_CHECK;
void session_list_checkpoints(const struct session *s, FILE *out);
void session_free_checkpoints(struct session *s);

/* ---- media and the screen (media.c) */
/* Opens FILE and puts it in a drive: the monitor's change, QMP's blockdev-change-medium. format NULL: probe. */
enum host_status session_change(struct session *s, const char *drive, const char *file, const char *format, bool read_only,
                                bool force, struct error *e);
/* Takes it out: the monitor's and QMP's eject. */
enum host_status session_eject(struct session *s, const char *drive, bool force, struct error *e);
enum host_status session_screendump(struct session *s, const char *path, bool png, struct error *e);

#endif
