/* QMP commands that are a person's hands: keys and mouse. */
#include <stdlib.h>
#include <string.h>
#include "frontend/qmp.h"

enum { KEYS_MAX = 16, HOLD_MS = 100, MOVE_MAX = 32767 };

/* A KeyValue: {"type": "qcode", "data": "a"} or {"type": "number", "data": 30} (a set-1 scan code). `path` with its dot. */
static enum key key_value(const cJSON *v, const char *path, struct qmp_reply *r)
{
    const char *type = qmp_string(v, "type");
    bool number = type && strcmp(type, "number") == 0;
    if (!qmp_check_args(number ? "type:e(number|qcode) data:i" : "type:e(number|qcode) data:s", v, path, r)) return KEY_NONE;
    if (number) return key_from_set1((unsigned)qmp_integer(v, "data", 0));
    enum key k = key_from_name(qmp_string(v, "data"));
    if (k == KEY_NONE && strcmp(qmp_string(v, "data"), "unmapped") != 0)
        qmp_error(r, "GenericError", "Parameter 'data' does not accept value '%s'", qmp_string(v, "data"));
    return k;
}

static bool is_object(const cJSON *v, const char *list, unsigned i, struct qmp_reply *r)
{
    if (cJSON_IsObject(v)) return true;
    qmp_error(r, "GenericError", "Invalid parameter type for '%s[%u]', expected: object", list, i);
    return false;
}

static void cmd_send_key(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    enum key list[KEYS_MAX];
    unsigned n = 0, i = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(args, "keys")) {
        char path[32];
        snprintf(path, sizeof path, "keys[%u].", i);
        enum key k = is_object(v, "keys", i++, r) ? key_value(v, path, r) : KEY_NONE;
        if (r->error_class) return;
        if (n < KEYS_MAX && k != KEY_NONE) list[n++] = k;
    }
    uint64_t hold = qmp_integer(args, "hold-time", HOLD_MS);
    session_send_keys(s, list, n, hold >= 1 && hold < 10000000 ? (unsigned)hold : HOLD_MS);
}

/* ---- input-send-event ------------------------------------------------------------------------------------------------- */

/* One event, read and found to be right. Nothing is done before all of a command's events are. */
struct step { enum { STEP_KEY, STEP_BUTTON, STEP_MOVE, STEP_ABSOLUTE } kind; int what, value; };
enum { AXIS_X, AXIS_Y, AXIS_WHEEL };

static bool read_button(const cJSON *data, const char *path, struct step *st, struct qmp_reply *r)
{
    static const char *const names[] = { "left", "right", "middle", "side", "extra" };
    static const char schema[] = "down:b button:e(left|middle|right|wheel-up|wheel-down|side|extra|wheel-left|wheel-right|touch)";
    if (!qmp_check_args(schema, data, path, r)) return false;
    const char *button = qmp_string(data, "button");
    bool down = qmp_flag(data, "down");
    if (strncmp(button, "wheel-", 6) == 0) {
        int turn = strcmp(button, "wheel-up") == 0 ? -1 : strcmp(button, "wheel-down") == 0;
        *st = (struct step){ STEP_MOVE, AXIS_WHEEL, down ? turn : 0 };
        return true;
    }
    *st = (struct step){ STEP_BUTTON, 0, down };
    for (int i = 0; i < 5; i++)
        if (strcmp(button, names[i]) == 0) st->what = 1 << i;
    return true;
}

/* Nobody moves a mouse further at once, and sums stay far from overflow. */
static int clamp_move(int64_t v) { return (int)(v < -MOVE_MAX ? -MOVE_MAX : v > MOVE_MAX ? MOVE_MAX : v); }

static bool read_motion(const cJSON *data, const char *path, bool relative, struct step *st, struct qmp_reply *r)
{
    if (!qmp_check_args("axis:e(x|y) value:i", data, path, r)) return false;
    int64_t value = (int64_t)qmp_integer(data, "value", 0);
    *st = (struct step){ relative ? STEP_MOVE : STEP_ABSOLUTE, qmp_string(data, "axis")[0] == 'y' ? AXIS_Y : AXIS_X,
                         clamp_move(value) };
    return true;
}

static bool read_key(const cJSON *data, const char *path, struct step *st, struct qmp_reply *r)
{
    char inner[64];
    if (!qmp_check_args("key:o down:b", data, path, r)) return false;
    snprintf(inner, sizeof inner, "%skey.", path);
    enum key k = key_value(cJSON_GetObjectItemCaseSensitive(data, "key"), inner, r);
    *st = (struct step){ STEP_KEY, (int)k, qmp_flag(data, "down") };
    return !r->error_class;
}

static bool read_event(const cJSON *ev, unsigned i, struct step *st, struct qmp_reply *r)
{
    char path[32], inner[48];
    snprintf(path, sizeof path, "events[%u].", i);
    snprintf(inner, sizeof inner, "events[%u].data.", i);
    if (!is_object(ev, "events", i, r) || !qmp_check_args("type:e(key|btn|rel|abs) data:o", ev, path, r)) return false;
    const char *type = qmp_string(ev, "type");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(ev, "data");
    switch (type[0]) {
    case 'k': return read_key(data, inner, st, r);
    case 'b': return read_button(data, inner, st, r);
    default: return read_motion(data, inner, type[0] == 'r', st, r);
    }
}

/* Movements are added up until a button or the end, as one packet of the mouse's. */
static void do_steps(struct session *s, const struct step *st, unsigned n, struct qmp_reply *r)
{
    int move[3] = { 0 };
    for (unsigned i = 0; i < n; i++)
        if (st[i].kind == STEP_ABSOLUTE) {               /* there is no tablet */
            qmp_error(r, "GenericError", "Input handler not found for event type abs");
            return;
        }
    for (; n--; st++) {
        switch (st->kind) {
        case STEP_KEY:
            if (st->what != KEY_NONE) machine_key(s->machine, (enum key)st->what, st->value != 0);
            break;
        case STEP_MOVE:
            move[st->what] = clamp_move((int64_t)move[st->what] + st->value);
            break;
        case STEP_ABSOLUTE:
            break;
        case STEP_BUTTON:
            s->mouse_buttons = st->value ? s->mouse_buttons | (uint32_t)st->what : s->mouse_buttons & ~(uint32_t)st->what;
            machine_mouse(s->machine, move[0], move[1], move[2], s->mouse_buttons);
            memset(move, 0, sizeof move);
            break;
        }
    }
    if (move[0] || move[1] || move[2]) machine_mouse(s->machine, move[0], move[1], move[2], s->mouse_buttons);
}

static void cmd_input_send_event(struct session *s, const cJSON *args, struct qmp_reply *r)
{
    const cJSON *events = cJSON_GetObjectItemCaseSensitive(args, "events"), *ev;
    const char *device = qmp_string(args, "device");
    struct step *steps = calloc((size_t)cJSON_GetArraySize(events) + 1, sizeof *steps);
    unsigned n = 0;
    if (!steps) {
        qmp_error(r, "GenericError", "out of memory");
        return;
    }
    cJSON_ArrayForEach(ev, events) {
        if (!read_event(ev, n, &steps[n], r)) break;
        n++;
    }
    if (r->error_class) {}
    else if (device) qmp_error(r, "DeviceNotFound", "Device '%s' not found", device);
    else if (s->state != RUN_RUNNING) qmp_error(r, "GenericError", "VM not running");
    else do_steps(s, steps, n, r);
    free(steps);
}

const struct qmp_command qmp_input[] = {
    { "send-key", "keys:a hold-time:i?", cmd_send_key },
    { "input-send-event", "device:s? head:i? events:a", cmd_input_send_event },
    { NULL, NULL, NULL },
};
