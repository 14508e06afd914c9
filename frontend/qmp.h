/* QMP: the JSON control protocol of QEMU, as its 7.2 clients expect it. */
#ifndef FRONTEND_QMP_H
#define FRONTEND_QMP_H

#include <cjson/cJSON.h>
#include "frontend/session.h"

struct qmp_server;

/* Listens at "unix:PATH[,server][,nowait]" or "tcp:HOST:PORT[,server][,nowait]", or serves a chardev that is already open.
 * NULL and *e on failure. */
struct qmp_server *qmp_create(struct session *s, const struct chardev_config *cfg, const char *id, struct error *e);
void qmp_destroy(struct qmp_server *q);
/* The chardev it speaks on; not one of the machine's. */
struct chardev *qmp_chardev(struct qmp_server *q);

/* What a command gives back: a value to send, or an error class and text. (qmp_commands.c) */
struct qmp_reply { cJSON *value; const char *error_class; char desc[600]; };
typedef void qmp_command_fn(struct session *s, const cJSON *args, struct qmp_reply *r);
struct qmp_command { const char *name; const char *required; qmp_command_fn *run; };   /* required: "a,b" */
extern const struct qmp_command qmp_commands[];
extern const unsigned qmp_command_count;

void qmp_error(struct qmp_reply *r, const char *error_class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
