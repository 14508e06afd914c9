/* QMP server: greeting, capabilities negotiation, framing, events. The commands are in qmp_*.c.
 *
 * Clients may send several objects in one packet, or one over several, with or without newlines: objects are cut out by
 * counting braces outside strings. Strings may stand in single quotes, as QEMU takes them. Answers are written as QEMU
 * writes them, blanks included, because shell scripts look for '"return": {}'. */
#include "frontend/qmp.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QMP_MAX = 1 << 20, QMP_DEPTH = 64 };

struct qmp_server {
    struct session *s;
    struct chardev *dev;
    struct session_listener listener;
    bool negotiated, connected, pretty;
    char *buf;
    size_t len, cap;
    unsigned depth;
    char quote;                    /* the one that opened the string we are in, or 0 */
    bool escaped, too_long;
};

void qmp_error(struct qmp_reply *r, const char *error_class, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->desc, sizeof r->desc, fmt, ap);
    va_end(ap);
    r->error_class = error_class;
}

/* ---- answers ---------------------------------------------------------------------------------------------------------- */

/* {"a": 1, "b": [2, 3]}; pretty: a member a line. */
static void put_json(const cJSON *v, FILE *out, bool pretty, unsigned depth)
{
    bool object = cJSON_IsObject(v);
    if (!object && !cJSON_IsArray(v)) {
        char *leaf = cJSON_PrintUnformatted(v);
        fputs(leaf ? leaf : "null", out);
        free(leaf);
        return;
    }
    fputc(object ? '{' : '[', out);
    const cJSON *i;
    cJSON_ArrayForEach(i, v) {
        if (pretty) fprintf(out, "\r\n%*s", (int)depth * 4 + 4, "");
        if (object) fprintf(out, "\"%s\": ", i->string);
        put_json(i, out, pretty, depth + 1);
        if (i->next) fputs(pretty ? "," : ", ", out);
    }
    if (pretty && v->child) fprintf(out, "\r\n%*s", (int)depth * 4, "");
    fputc(object ? '}' : ']', out);
}

static void qmp_send(struct qmp_server *q, cJSON *o)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = q->connected ? open_memstream(&text, &len) : NULL;
    if (out) {
        put_json(o, out, q->pretty, 0);
        fputs("\r\n", out);
        fclose(out);
        chardev_write(q->dev, text, len);
        free(text);
    }
    cJSON_Delete(o);
}

static void qmp_greet(struct qmp_server *q)
{
    /* The version is the QEMU release whose protocol this is: clients decide by it what they may send. */
    qmp_send(q, cJSON_Parse("{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},\"package\":\"Beige "
                            BEIGE_VERSION "\"},\"capabilities\":[]}}"));
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

static void qmp_send_error(struct qmp_server *q, const cJSON *id, const char *error_class, const char *desc)
{
    cJSON *o = cJSON_CreateObject();
    if (id) cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    cJSON *err = cJSON_AddObjectToObject(o, "error");
    cJSON_AddStringToObject(err, "class", error_class);
    cJSON_AddStringToObject(err, "desc", desc);
    qmp_send(q, o);
}

/* ---- requests --------------------------------------------------------------------------------------------------------- */

static const struct qmp_command *find_command(const char *name)
{
    const struct qmp_command *const tables[] = { qmp_control, qmp_input, qmp_blocks, qmp_queries };
    for (unsigned t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct qmp_command *c = tables[t]; c->name; c++)
            if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static void qmp_run(struct qmp_server *q, const char *name, const cJSON *args, struct qmp_reply *r)
{
    const struct qmp_command *c = find_command(name);
    if (c) {
        if (qmp_check_args(c->args, args, "", r)) c->run(q->s, args, r);
        return;
    }
    for (const struct qmp_constant *k = qmp_constants; k->name; k++)
        if (strcmp(k->name, name) == 0) {
            if (qmp_check_args("", args, "", r)) r->value = cJSON_Parse(k->json);
            return;
        }
    qmp_error(r, "CommandNotFound", "The command %s has not been found", name);
}

static void qmp_capabilities(struct qmp_server *q, const cJSON *args, struct qmp_reply *r)
{
    const cJSON *enable = cJSON_GetObjectItemCaseSensitive(args, "enable");
    if (q->negotiated) qmp_error(r, "CommandNotFound", "Capabilities negotiation is already complete, command ignored");
    else if (!qmp_check_args("enable:a?", args, "", r)) return;
    else if (cJSON_GetArraySize(enable) > 0) qmp_error(r, "GenericError", "Capability oob not available");
    else q->negotiated = true;
}

/* Is the request's envelope of the right form? Messages in QEMU's order. */
static bool check_envelope(const cJSON *request, struct qmp_reply *r)
{
    const cJSON *v, *name = cJSON_GetObjectItemCaseSensitive(request, "execute");
    cJSON_ArrayForEach(v, request) {
        if (strcmp(v->string, "execute") == 0) {
            if (cJSON_IsString(v)) continue;
            qmp_error(r, "GenericError", "QMP input member 'execute' must be a string");
        } else if (strcmp(v->string, "arguments") == 0) {
            if (cJSON_IsObject(v)) continue;
            qmp_error(r, "GenericError", "QMP input member 'arguments' must be an object");
        } else if (strcmp(v->string, "id") == 0) {
            continue;
        } else {
            qmp_error(r, "GenericError", "QMP input member '%s' is unexpected", v->string);
        }
        return false;
    }
    if (!name) qmp_error(r, "GenericError", "QMP input lacks member 'execute'");
    return name != NULL;
}

static void qmp_execute(struct qmp_server *q, const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(request, "arguments");
    struct qmp_reply r = { 0 };
    if (check_envelope(request, &r)) {
        const char *name = qmp_string(request, "execute");
        if (strcmp(name, "qmp_capabilities") == 0) qmp_capabilities(q, args, &r);
        else if (q->negotiated) qmp_run(q, name, args, &r);
        else qmp_error(&r, "CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
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

/* ---- framing ---------------------------------------------------------------------------------------------------------- */

static void qmp_reset_parser(struct qmp_server *q)
{
    q->len = q->depth = 0;
    q->quote = 0;
    q->escaped = q->too_long = false;
}

static void qmp_put(struct qmp_server *q, char ch)
{
    if (q->len + 1 >= q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 1024;
        char *p = cap <= QMP_MAX ? realloc(q->buf, cap) : NULL;
        if (!p) {
            q->too_long = true;
            return;
        }
        q->buf = p;
        q->cap = cap;
    }
    q->buf[q->len++] = ch;
    q->buf[q->len] = 0;
}

/* A byte within a string; what stood in single quotes is put into double ones. True if it closed the string. */
static bool qmp_string_byte(struct qmp_server *q, char ch)
{
    if (q->escaped) {
        q->escaped = false;
        if (ch == '\'') q->buf[--q->len] = 0;              /* no escape in JSON */
    } else if (ch == '\\') {
        q->escaped = true;
    } else if (ch == q->quote) {
        q->quote = 0;
        qmp_put(q, '"');
        return true;
    } else if (ch == '"') {
        qmp_put(q, '\\');
    }
    qmp_put(q, ch);
    return false;
}

/* What was collected is a whole value: executes it, or says what is wrong with it. */
static void qmp_complete(struct qmp_server *q)
{
    char text[300];
    cJSON *o = q->too_long ? NULL : cJSON_Parse(q->buf);
    bool word = isalpha((unsigned char)q->buf[0]);
    if (q->too_long) snprintf(text, sizeof text, "JSON token size limit exceeded");
    else if (o) snprintf(text, sizeof text, "QMP input must be a JSON object");
    else if (word) snprintf(text, sizeof text, "JSON parse error, invalid keyword '%.200s'", q->buf);
    else snprintf(text, sizeof text, "JSON parse error, expecting value");
    qmp_reset_parser(q);
    if (cJSON_IsObject(o)) qmp_execute(q, o);
    else qmp_send_error(q, NULL, "GenericError", text);
    cJSON_Delete(o);
}

static void qmp_byte(struct qmp_server *q, uint8_t byte)
{
    char ch = (char)byte;
    if (q->quote) {
        if (qmp_string_byte(q, ch) && q->depth == 0) qmp_complete(q);
        return;
    }
    if (byte >= 0x80) {
        qmp_reset_parser(q);
        qmp_send_error(q, NULL, "GenericError", "JSON parse error, stray '\xef\xbf\xbd'");
        return;
    }
    bool delimiter = isspace(byte) || strchr("{}[],:\"'", ch);
    if (q->depth == 0 && q->len && delimiter) qmp_complete(q);       /* a bare word ended */
    if (q->depth == 0 && isspace(byte)) return;
    if (ch == '"' || ch == '\'') {
        q->quote = ch;
        ch = '"';
    }
    qmp_put(q, ch);
    if ((ch == '{' || ch == '[') && ++q->depth > QMP_DEPTH) q->too_long = true;
    if ((ch == '}' || ch == ']') && q->depth) q->depth--;
    if (q->depth == 0 && strchr("}],:", ch)) qmp_complete(q);
}

static void qmp_input_bytes(void *opaque, struct chr *c, const uint8_t *data, size_t len)
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

struct qmp_server *qmp_create(struct session *s, struct chardev *dev, bool pretty)
{
    struct qmp_server *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->s = s;
    q->dev = dev;
    q->pretty = pretty;
    struct chardev_client client = { .input = qmp_input_bytes, .event = qmp_connection, .opaque = q };
    chardev_attach(q->dev, &client);
    q->listener = (struct session_listener){ .event = qmp_event, .opaque = q };
    session_listen(s, &q->listener);
    if (chardev_connected(q->dev)) qmp_connection(q, NULL, CHR_OPENED);     /* stdio, or the client that was waited for */
    return q;
}

void qmp_destroy(struct qmp_server *q)
{
    if (!q) return;
    session_unlisten(q->s, &q->listener);
    free(q->buf);
    free(q);
}
