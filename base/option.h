/* Command-line options as data: one table gives the parser, the help text and the manual page.
 *
 *   static const struct option options[] = {
 *       { .name = "m", .metavar = "SIZE", .group = "Machine", .help = "RAM, default 128M", .apply = set_ram },
 *       { .name = "vnc", .metavar = "ADDRESS", .group = "Screen", .help = "..." },          known, not built: an error
 *   };
 *
 * -name and --name are the same; a value follows as the next argument or after "=". Any thread; nothing is kept. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

struct option;

/* value is NULL for an option without a metavar. On failure sets *e, which need not name the option. */
typedef enum host_status option_apply(void *ctx, const struct option *o, const char *value, struct error *e);

struct option {
    const char *name;                         /* without dashes */
    const char *alias;                        /* a second spelling, or NULL */
    const char *metavar;                      /* what its value is called in the help; NULL: it takes none */
    const char *group;                        /* heading; options of one group stand together */
    const char *help;                         /* a sentence or more, without line breaks */
    option_apply *apply;                      /* NULL: known, but not built: naming it is an error that says so */
    int id;                                   /* for the handler's own use */
};

/* Applies each argument in order; stops at the first error. An argument without a dash, "-" alone, and everything after
 * "--" goes to `positional` (o is NULL), which may be NULL: then it is an error. argv does not hold the program's name. */
enum host_status option_parse(const struct option *table, unsigned num, int argc, char *const argv[], void *ctx,
                              option_apply *positional, struct error *e) MUST_CHECK;
/* What is built, by group, wrapped at 79 columns. */
void option_help(const struct option *table, unsigned num, FILE *out);

struct option_section { const char *title, *text; };     /* blank lines part paragraphs; lines with 4 blanks are examples */
struct option_manual {
    const char *program, *version, *date, *summary, *synopsis;
    const struct option_section *before, *after;         /* around the options; end with a NULL title */
};
/* The manual page (troff, man macros) from the same table. */
void option_man(const struct option_manual *man, const struct option *table, unsigned num, FILE *out);

/* ---- "file=disk.img,if=ide": the values of -drive, -chardev, -device and others */

enum { SUBOPTS_MAX = 64 };

struct subopts {
    const char *what;                         /* "-drive", for messages */
    char *storage;
    struct { const char *key, *value; bool used; } item[SUBOPTS_MAX];
    unsigned num;
    const char *asked[SUBOPTS_MAX];           /* every key the caller knows: from these the nearest is named */
    unsigned num_asked;
};

/* Splits text at commas; ",," is a comma within a value. A first item without "=" is the value of key `implied` (if not
 * NULL); any other item without "=" is a switch that is on. Free with subopts_fini also after an error. */
enum host_status subopts_parse(struct subopts *s, const char *what, const char *text, const char *implied,
                               struct error *e) MUST_CHECK;
void subopts_fini(struct subopts *s);
/* Value of a key (the last one counts) or NULL. Asking also tells subopts_done that the key exists. */
const char *subopts_get(struct subopts *s, const char *key);
/* The rest leave *out alone where the key is absent. Bool: on/off, yes/no, true/false, 1/0; "noKEY" alone is off. */
enum host_status subopts_bool(struct subopts *s, const char *key, bool *out, struct error *e) MUST_CHECK;
enum host_status subopts_int(struct subopts *s, const char *key, uint64_t min, uint64_t max, uint64_t *out,
                             struct error *e) MUST_CHECK;
enum host_status subopts_size(struct subopts *s, const char *key, uint64_t unit, uint64_t *out, struct error *e) MUST_CHECK;
/* After all keys were asked for: an error for a key nobody asked for, naming the nearest. */
enum host_status subopts_done(struct subopts *s, struct error *e) MUST_CHECK;

/* ---- values */

/* The whole text: decimal, or hexadecimal after 0x. */
bool parse_u64(const char *text, uint64_t *out);
/* "64", "64M", "1.5G", "0x10000": suffix B, K, M, G or T of either case; without one the number counts `unit` bytes. */
bool parse_size(const char *text, uint64_t unit, uint64_t *out);
/* Letters to insert, delete, change or swap to turn a into b. */
unsigned text_distance(const char *a, const char *b);
/* Nearest of num names; each is the `const char *` at first + n * stride bytes. NULL if num is 0. */
const char *text_nearest(const char *word, const char *const *first, size_t stride, unsigned num);

#endif
