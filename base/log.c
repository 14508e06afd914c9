/* Log lines and trace events.
 *
 * A guest can provoke messages without end, so everything it can trigger by address or register goes through log_once,
 * which remembers (who, key) as a 64-bit hash in an open-addressed set of bounded size. */
#include "base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct log_seen { uint64_t hash; };           /* 0: free */

enum { SEEN_FIRST = 256, SEEN_MAX = 65536 };  /* a guest that touches more places than this is not logged further */

#define TRACE_EVENT(id, fmt) { #id, fmt },
static const struct { const char *name, *fmt; } trace_events[] = {
#include "base/trace.def"
};
#undef TRACE_EVENT

void log_init(struct log *l, FILE *out)
{
    memset(l, 0, sizeof *l);
    l->out = out;
    l->enabled[LOG_ERROR] = l->enabled[LOG_WARN] = l->enabled[LOG_INFO] = true;
}

void log_fini(struct log *l)
{
    free(l->seen);
    l->seen = NULL;
    l->seen_len = l->seen_cap = 0;
}

/* The whole line is made first and written by one call, so that lines of two threads do not mix. Errors may come from any
 * thread and are not stamped: the clock belongs to the machine's thread. */
static void emit(struct log *l, enum log_level lv, const char *who, const char *fmt, va_list ap)
{
    static const char *const label[LOG_LEVELS] = {
        [LOG_ERROR] = "error: ", [LOG_WARN] = "warning: ", [LOG_INFO] = "", [LOG_GUEST] = "guest error: ",
        [LOG_UNIMP] = "not modelled: ", [LOG_TRACE] = "",
    };
    char line[1024];
    int n = 0;
    if (l->clock && lv != LOG_ERROR) {
        uint64_t ns = vtime_ns(l->clock->now);
        n = snprintf(line, sizeof line, "[%3llu.%09llu] ", (unsigned long long)(ns / 1000000000u),
                     (unsigned long long)(ns % 1000000000u));
    }
    n += snprintf(line + n, sizeof line - (size_t)n, "%.64s: %s", who, label[lv]);
    int text = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    if (text > 0) n += text;
    if (n > (int)sizeof line - 2) n = (int)sizeof line - 2;
    line[n] = '\n';
    line[n + 1] = '\0';
    fputs(line, l->out);
}

void log_line(struct log *l, enum log_level lv, const char *who, const char *fmt, ...)
{
    if (!l || !l->enabled[lv]) return;
    va_list ap;
    va_start(ap, fmt);
    emit(l, lv, who, fmt, ap);
    va_end(ap);
}

static uint64_t seen_hash(const char *who, uint64_t key)
{
    uint64_t h = 0xcbf29ce484222325u;                   /* FNV-1a over the name, then the key */
    for (; *who; who++) h = (h ^ (uint8_t)*who) * 0x100000001b3u;
    for (unsigned i = 0; i < 8; i++) h = (h ^ (uint8_t)(key >> (8 * i))) * 0x100000001b3u;
    return h ? h : 1;
}

static void seen_insert(struct log_seen *table, uint32_t cap, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (cap - 1);
    while (table[i].hash) i = (i + 1) & (cap - 1);
    table[i].hash = hash;
}

/* True the first time. */
static bool seen_add(struct log *l, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash; l->seen_cap; i++) {
        uint64_t other = l->seen[i & (l->seen_cap - 1)].hash;
        if (other == hash) return false;
        if (!other) break;
    }
    if (l->seen_len >= SEEN_MAX) return false;
    if (2 * (l->seen_len + 1) > l->seen_cap) {
        uint32_t cap = l->seen_cap ? 2 * l->seen_cap : SEEN_FIRST;
        struct log_seen *table = calloc(cap, sizeof *table);
        if (!table) return false;
        for (uint32_t i = 0; i < l->seen_cap; i++)
            if (l->seen[i].hash) seen_insert(table, cap, l->seen[i].hash);
        free(l->seen);
        l->seen = table;
        l->seen_cap = cap;
    }
    seen_insert(l->seen, l->seen_cap, hash);
    l->seen_len++;
    return true;
}

void log_once(struct log *l, enum log_level lv, const char *who, uint64_t key, const char *fmt, ...)
{
    if (!l || !l->enabled[lv] || !seen_add(l, seen_hash(who, key))) return;
    va_list ap;
    va_start(ap, fmt);
    emit(l, lv, who, fmt, ap);
    va_end(ap);
}

/* Shell pattern with * and ?; on a mismatch the last star takes one character more. */
static bool glob_match(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (*pattern == '*') {
            star = pattern++;
            retry = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

unsigned log_enable_trace(struct log *l, const char *pattern)
{
    unsigned n = 0;
    for (unsigned id = 0; id < TRACE_COUNT; id++) {
        if (!glob_match(pattern, trace_events[id].name)) continue;
        l->trace[id] = true;
        n++;
    }
    return n;
}

bool log_enable_items(struct log *l, const char *items, const char **bad)
{
    while (*items) {
        size_t len = strcspn(items, ",");
        char item[64];
        snprintf(item, sizeof item, "%.*s", (int)(len < sizeof item ? len : sizeof item - 1), items);
        if (strcmp(item, "guest_errors") == 0) {
            l->enabled[LOG_GUEST] = true;
        } else if (strcmp(item, "unimp") == 0) {
            l->enabled[LOG_UNIMP] = true;
        } else if (strncmp(item, "trace:", 6) != 0 || log_enable_trace(l, item + 6) == 0) {
            *bad = items;
            return false;
        }
        items += len;
        if (*items == ',') items++;
    }
    return true;
}

const char *trace_name(enum trace_id id)
{
    return trace_events[id].name;
}

void trace_emit(struct log *l, enum trace_id id, ...)
{
    va_list ap;
    va_start(ap, id);
    emit(l, LOG_TRACE, trace_events[id].name, trace_events[id].fmt, ap);
    va_end(ap);
}
