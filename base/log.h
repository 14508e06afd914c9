/* What the machine has to say about itself. One struct log per machine; no global.
 *
 * Levels: what the user must know (error, warn, info), what the guest did wrong or what is not modelled (guest, unimp;
 * shown with -d guest_errors,unimp as in QEMU), and trace events (trace.def; shown with -trace PATTERN).
 * Logging never changes machine state. Only the machine's thread, except log_line with LOG_ERROR. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_GUEST, LOG_UNIMP, LOG_TRACE, LOG_LEVELS };

#define TRACE_EVENT(id, fmt) TRACE_##id,
enum trace_id {
#include "base/trace.def"
    TRACE_COUNT
};
#undef TRACE_EVENT

struct log {
    FILE *out;                        /* stderr, or -D FILE */
    const struct clock *clock;        /* stamps lines with virtual time; NULL while the machine is being built */
    bool enabled[LOG_LEVELS];
    bool trace[TRACE_COUNT];
    struct log_seen *seen;            /* keys of log_once */
    uint32_t seen_len, seen_cap;
};

/* Errors, warnings and infos are on; the rest off. */
void log_init(struct log *l, FILE *out);
void log_fini(struct log *l);
/* One line: "[ 1.234567890] who: text". `who` is a device id or a part of the program. l may be NULL (drops it). */
void log_line(struct log *l, enum log_level lv, const char *who, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same, but only the first time for this (who, key): unmodelled registers, unclaimed ports. */
void log_once(struct log *l, enum log_level lv, const char *who, uint64_t key, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#define log_guest(l, who, ...) log_line((l), LOG_GUEST, (who), __VA_ARGS__)
#define log_unimp(l, who, key, ...) log_once((l), LOG_UNIMP, (who), (key), __VA_ARGS__)

/* "-d guest_errors,unimp"; false names the unknown item in *bad. */
bool log_enable_items(struct log *l, const char *items, const char **bad);
/* Turns on the trace events whose name matches a shell pattern; returns how many. */
unsigned log_enable_trace(struct log *l, const char *pattern);
/* Name of an event ("pit_load"), for `-trace help`. */
const char *trace_name(enum trace_id id);

void trace_emit(struct log *l, enum trace_id id, ...);
/* trace(l, pit_load, channel, count): the arguments follow the format in trace.def and must be 64-bit
 * (cast to uint64_t; formats use %llx, %llu) or const char *. Costs one test when off. */
#define trace(l, id, ...) do { if ((l) && (l)->trace[TRACE_##id]) trace_emit((l), TRACE_##id, __VA_ARGS__); } while (0)

#endif
