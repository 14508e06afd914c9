/* QMP server: greeting, capabilities negotiation, framing, events. The commands are in qmp_commands.c.
 *
 * Clients may send several objects in one packet, or one over several, with or without newlines: objects are cut out by
 * counting braces outside strings. A byte FFh resets the parser, as in QEMU. */
#include "frontend/qmp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QMP_MAX = 1 << 20 };

struct qmp_server {
    struct session *s;
    struct chardev *dev;
    struct session_listener listener;
    bool negotiated, connected;
    char *buf;
    size_t len, cap;
    unsigned depth;
    bool in_string, escaped;
};

void qmp_error(struct qmp_reply *r, const char *error_class, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->desc, sizeof r->desc, fmt, ap);
    va_end(ap);
    r->error_class = error_class;
}

static void qmp_send(struct qmp_server *q, cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);
    if (text && q->connected) {
        chardev_write(q->dev, text, strlen(text));
        chardev_write(q->dev, "\r\n", 2);
    }
    free(text);
    cJSON_Delete(o);
}

static void qmp_greet(struct qmp_server *q)
{
    /* The version is the QEMU release whose protocol this is: clients decide by it what they may send. */
    cJSON *o = cJSON_Parse("{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},\"package\":\"Beige\"},"
                           "\"capabilities\":[]}}");
    qmp_send(q, o);
}

static void qmp_event(void *opaque, const char *name, const char *data_json)
{
    struct qmp_server *q = opaque;
    struct timespec t;
    if (!q->negotiated || !q->connected) return;
    clock_gettime(CLOCK_REALTIME, &t);
    cJSON *o = cJSON_CreateObject(), *stamp = cJSON_AddObjectToObject(o, "timestamp");
    cJSON_AddNumberToObject(stamp, "seconds", (double)t.tv_sec);
    cJSON_AddNumberToObject(stamp, "microseconds", (double)(t.tv_nsec / 1000));
    cJSON_AddStringToObject(o, "event", name);
    if (data_json) cJSON_AddItemToObject(o, "data", cJSON_Parse(data_json));
    qmp_send(q, o);
}

static void qmp_send_error(struct qmp_server *q, cJSON *id, const char *error_class, const char *desc)
{
    cJSON *o = cJSON_CreateObject();
    if (id) cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    cJSON *err = cJSON_AddObjectToObject(o, "error");
    cJSON_AddStringToObject(err, "class", error_class);
    cJSON_AddStringToObject(err, "desc", desc);
    qmp_send(q, o);
}

/* Checks that every parameter named in `required` is there. */
static bool qmp_check_args(const struct qmp_command *c, const cJSON *args, struct qmp_reply *r)
{
    const char *p = c->required;
    while (p && *p) {
        char name[64];
        size_t n = strcspn(p, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        if (!cJSON_GetObjectItemCaseSensitive(args, name)) {
            qmp_error(r, "GenericError", "Parameter '%s' is missing", name);
            return false;
        }
        p += n + (p[n] == ',');
    }
    return true;
}

static void qmp_execute(struct qmp_server *q, cJSON *request)
{
    cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "execute");
    cJSON *args = cJSON_GetObjectItemCaseSensitive(request, "arguments");
    struct qmp_reply r = { 0 };
    if (!cJSON_IsString(name)) {
        qmp_send_error(q, id, "GenericError", "QMP input lacks member 'execute'");
        return;
    }
    if (args && !cJSON_IsObject(args)) {
        qmp_send_error(q, id, "GenericError", "QMP input member 'arguments' must be an object");
        return;
    }
    const char *want = name->valuestring;
    if (strcmp(want, "qmp_capabilities") == 0) {
        if (q->negotiated) {
            qmp_send_error(q, id, "CommandNotFound", "Capabilities negotiation is already complete, command ignored");
            return;
        }
        q->negotiated = true;
        r.value = cJSON_CreateObject();
    } else if (!q->negotiated) {
        qmp_send_error(q, id, "CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
        return;
    } else {
        unsigned i = 0;
        while (i < qmp_command_count && strcmp(qmp_commands[i].name, want) != 0) i++;
        if (i == qmp_command_count) qmp_error(&r, "CommandNotFound", "The command %s has not been found", want);
        else if (qmp_check_args(&qmp_commands[i], args, &r)) qmp_commands[i].run(q->s, args, &r);
    }
    if (r.error_class) {
        qmp_send_error(q, id, r.error_class, r.desc);
        cJSON_Delete(r.value);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "return", r.value ? r.value : cJSON_CreateObject());
    if (id) cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    qmp_send(q, o);
}

static void qmp_reset_parser(struct qmp_server *q)
{
    q->len = q->depth = 0;
    q->in_string = q->escaped = false;
}

static void qmp_byte(struct qmp_server *q, uint8_t ch)
{
    if (ch == 0xff) {
        qmp_reset_parser(q);
        return;
    }
    if (q->depth == 0 && (ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t')) return;
    if (q->len + 1 >= q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 1024;
        char *p = cap <= QMP_MAX ? realloc(q->buf, cap) : NULL;
        if (!p) {
            qmp_reset_parser(q);
            qmp_send_error(q, NULL, "GenericError", "JSON token size limit exceeded");
            return;
        }
        q->buf = p;
        q->cap = cap;
    }
    q->buf[q->len++] = (char)ch;
    if (q->in_string) {
        if (q->escaped) q->escaped = false;
        else if (ch == '\\') q->escaped = true;
        else if (ch == '"') q->in_string = false;
        return;
    }
    if (ch == '"') q->in_string = true;
    if (ch == '{' || ch == '[') q->depth++;
    if ((ch == '}' || ch == ']') && q->depth) q->depth--;
    if (q->depth || q->in_string) return;
    q->buf[q->len] = 0;
    cJSON *o = ch == '}' ? cJSON_Parse(q->buf) : NULL;
    qmp_reset_parser(q);
    if (cJSON_IsObject(o)) qmp_execute(q, o);
    else qmp_send_error(q, NULL, "GenericError", "JSON parse error, expecting value");
    cJSON_Delete(o);
}

static void qmp_input(void *opaque, struct chr *c, const uint8_t *data, size_t len)
{
    (void)c;
    for (size_t i = 0; i < len; i++) qmp_byte(opaque, data[i]);
}

static void qmp_connection(void *opaque, struct chr *c, int what)
{
    struct qmp_server *q = opaque;
    (void)c;
    q->connected = what == CHR_OPENED;
    q->negotiated = false;
    qmp_reset_parser(q);
    if (q->connected) qmp_greet(q);
}

struct qmp_server *qmp_create(struct session *s, const struct chardev_config *cfg, const char *id, struct error *e)
{
    struct qmp_server *q = calloc(1, sizeof *q);
    if (!q) {
        error_set(e, HOST_NO_MEMORY, "out of memory");
        return NULL;
    }
    q->s = s;
    q->dev = chardev_open(&s->loop, id, cfg, e);
    if (!q->dev) {
        free(q);
        return NULL;
    }
    struct chardev_client client = { .input = qmp_input, .event = qmp_connection, .opaque = q };
    chardev_attach(q->dev, &client);
    q->listener = (struct session_listener){ .event = qmp_event, .opaque = q };
    session_listen(s, &q->listener);
    if (chardev_connected(q->dev)) qmp_connection(q, NULL, CHR_OPENED);     /* stdio, or the client that was waited for */
    return q;
}

struct chardev *qmp_chardev(struct qmp_server *q) { return q->dev; }

void qmp_destroy(struct qmp_server *q)
{
    if (!q) return;
    session_unlisten(q->s, &q->listener);
    chardev_close(q->dev);
    free(q->buf);
    free(q);
}
