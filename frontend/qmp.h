/* QMP: the JSON control protocol of QEMU, as its 7.2 clients expect it. */
#ifndef FRONTEND_QMP_H
#define FRONTEND_QMP_H

#include <cjson/cJSON.h>
#include "frontend/session.h"

struct qmp_server;

/* Serves a chardev that is open; it stays the session's. NULL only without memory. */
struct qmp_server *qmp_create(struct session *s, struct chardev *dev, bool pretty);
void qmp_destroy(struct qmp_server *q);

/* ---- within QMP ------------------------------------------------------------------------------------------------------- */

/* What a command gives back: a value to send (NULL: {}), or an error class and text. */
struct qmp_reply { cJSON *value; const char *error_class; char desc[600]; };
typedef void qmp_command_fn(struct session *s, const cJSON *args, struct qmp_reply *r);

/* args: "NAME:TYPE" by blanks, "?" behind an optional one. Types: s string, i integer, b boolean, a array, o object,
 * e(one|of|these). They are checked before run is called. */
struct qmp_command { const char *name, *args; qmp_command_fn *run; };

/* Tables that end with a NULL name. */
extern const struct qmp_command qmp_control[], qmp_input[], qmp_blocks[], qmp_queries[];
/* Queries whose answer is always the same: JSON text. */
struct qmp_constant { const char *name, *json; };
extern const struct qmp_constant qmp_constants[];

void qmp_error(struct qmp_reply *r, const char *error_class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- parameters (qmp_args.c): false and an error in QEMU's words */
bool qmp_check_args(const char *schema, const cJSON *args, const char *prefix, struct qmp_reply *r);
const char *qmp_string(const cJSON *args, const char *name);                  /* NULL where absent */
uint64_t qmp_integer(const cJSON *args, const char *name, uint64_t absent);
bool qmp_flag(const cJSON *args, const char *name);

#endif
