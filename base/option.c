/* Options of the command line, sub-options of their values, and the values themselves.
 *
 * The spelling is QEMU's, oddities included: a comma within a value is doubled, an item without "=" switches something on
 * and "noKEY" switches it off, and the first item may leave its key away. */
#include "base/option.h"

#include <stdlib.h>
#include <string.h>

/* ---- words */

static unsigned length_up_to(const char *s, unsigned most)
{
    unsigned n = 0;
    while (n < most && s[n]) n++;
    return n;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned text_distance(const char *a, const char *b)
{
    enum { LONG = 64 };                                 /* letters beyond count as equal; no option is that long */
    unsigned row[3][LONG + 1];
    unsigned la = length_up_to(a, LONG), lb = length_up_to(b, LONG);
    unsigned *above2 = row[0], *above = row[1], *now = row[2];
    for (unsigned j = 0; j <= lb; j++) above[j] = above2[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            now[j] = min3(above[j] + 1, now[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < now[j])
                now[j] = above2[j - 2] + 1;             /* two neighbours swapped */
        }
        unsigned *free_row = above2;
        above2 = above;
        above = now;
        now = free_row;
    }
    return above[lb];
}

const char *text_nearest(const char *word, const char *const *first, size_t stride, unsigned num)
{
    const char *best = NULL;
    unsigned best_score = 0;
    for (unsigned i = 0; i < num; i++) {
        const char *name = *(const char *const *)(const void *)((const char *)first + i * stride);
        /* A word cut short or carried on is nearer than letters changed: "disp" means display. */
        size_t shorter = strlen(word) < strlen(name) ? strlen(word) : strlen(name);
        bool prefix = shorter >= 2 && strncmp(word, name, shorter) == 0;
        unsigned score = prefix ? 1 : 2 * text_distance(word, name);
        if (best && score >= best_score) continue;
        best = name;
        best_score = score;
    }
    return best;
}

/* ---- numbers */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

/* Digits from *text on, which is moved behind them; false if there are none or they do not fit. */
static bool parse_digits(const char **text, uint64_t *out)
{
    const char *p = *text;
    unsigned base = 10;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    }
    uint64_t v = 0;
    bool any = false;
    for (; (unsigned)digit_of(*p) < base; p++) {
        unsigned digit = (unsigned)digit_of(*p);
        if (v > (UINT64_MAX - digit) / base) return false;
        v = v * base + digit;
        any = true;
    }
    *text = p;
    *out = v;
    return any;
}

bool parse_u64(const char *text, uint64_t *out)
{
    uint64_t v;
    if (!parse_digits(&text, &v) || *text) return false;
    *out = v;
    return true;
}

bool parse_size(const char *text, uint64_t unit, uint64_t *out)
{
    enum { FRACTION_DIGITS = 9 };
    uint64_t whole, fraction = 0, scale = 1;
    if (!parse_digits(&text, &whole)) return false;
    if (*text == '.') {
        const char *digits = ++text;
        for (; *text >= '0' && *text <= '9'; text++) {
            if (text - digits >= FRACTION_DIGITS) return false;
            fraction = fraction * 10 + (uint64_t)(*text - '0');
            scale *= 10;
        }
        if (text == digits) return false;
    }
    switch (*text) {
    case 'b': case 'B': unit = 1; break;
    case 'k': case 'K': unit = 1ull << 10; break;
    case 'm': case 'M': unit = 1ull << 20; break;
    case 'g': case 'G': unit = 1ull << 30; break;
    case 't': case 'T': unit = 1ull << 40; break;
    case '\0': text--; break;                           /* stay on the end below */
    default: return false;
    }
    if (text[1]) return false;
    unsigned __int128 bytes = (unsigned __int128)whole * unit + (unsigned __int128)fraction * unit / scale;
    if (bytes >> 64) return false;
    *out = (uint64_t)bytes;
    return true;
}

/* ---- the command line */

static const struct option *find(const struct option *table, unsigned num, const char *name, size_t len)
{
    for (unsigned i = 0; i < num; i++) {
        const struct option *o = &table[i];
        if (strncmp(o->name, name, len) == 0 && !o->name[len]) return o;
        if (o->alias && strncmp(o->alias, name, len) == 0 && !o->alias[len]) return o;
    }
    return NULL;
}

/* "-drive: unknown property": the message of a sub-option says already whose it is. */
static bool names_option(const char *text, const struct option *o)
{
    size_t len = strlen(o->name);
    return text[0] == '-' && strncmp(text + 1, o->name, len) == 0 && strchr(": =", text[1 + len]) != NULL;
}

enum host_status option_parse(const struct option *table, unsigned num, int argc, char *const argv[], void *ctx,
                              option_apply *positional, struct error *e)
{
    bool only_positional = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (!only_positional && strcmp(arg, "--") == 0) {
            only_positional = true;
            continue;
        }
        if (only_positional || arg[0] != '-' || !arg[1]) {
            if (!positional) return error_set(e, HOST_REFUSED, "'%s' is not an option, and nothing else is expected here", arg);
            enum host_status st = positional(ctx, NULL, arg, e);
            if (st) return st;
            continue;
        }
        const char *name = arg + (arg[1] == '-' ? 2 : 1), *value = strchr(name, '=');
        size_t len = value ? (size_t)(value - name) : strlen(name);
        const struct option *o = len ? find(table, num, name, len) : NULL;
        if (!o) {
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), name);
            const char *nearest = num ? text_nearest(word, &table[0].name, sizeof table[0], num) : NULL;
            return error_set(e, HOST_REFUSED, "unknown option '%s'%s%s%s", arg, nearest ? "; the nearest is '-" : "",
                             nearest ? nearest : "", nearest ? "'" : "");
        }
        if (!o->apply) return error_set(e, HOST_REFUSED, "option '-%s' is not built yet", o->name);
        if (o->metavar) {
            if (value) value++;
            else if (i + 1 < argc) value = argv[++i];
            else return error_set(e, HOST_REFUSED, "option '-%s' needs a value: -%s %s", o->name, o->name, o->metavar);
        } else if (value) {
            return error_set(e, HOST_REFUSED, "option '-%s' takes no value", o->name);
        }
        struct error why = { "" };
        enum host_status st = o->apply(ctx, o, value, &why);
        if (!st) continue;
        if (names_option(why.text, o)) return error_set(e, st, "%s", why.text);
        return error_set(e, st, "-%s: %s", o->name, why.text[0] ? why.text : host_status_text(st));
    }
    return HOST_OK;
}

/* ---- help */

enum { HELP_COLUMN = 26, HELP_WIDTH = 79 };

/* Words of text from column `at` on, wrapped to lines that begin at HELP_COLUMN. */
static void print_wrapped(const char *text, int at, FILE *out)
{
    bool first = true;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (!first && at + 1 + word > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", word, text);
        at += word + !first;
        first = false;
        text += word;
        while (*text == ' ') text++;
    }
    fputc('\n', out);
}

void option_help(const struct option *table, unsigned num, FILE *out)
{
    const char *group = NULL;
    for (unsigned i = 0; i < num; i++) {
        const struct option *o = &table[i];
        if (!o->apply) continue;
        if (!group || strcmp(group, o->group) != 0) {
            fprintf(out, "%s%s:\n", group ? "\n" : "", o->group);
            group = o->group;
        }
        int at = fprintf(out, "  -%s", o->name);
        if (o->alias) at += fprintf(out, ", -%s", o->alias);
        if (o->metavar) at += fprintf(out, " %s", o->metavar);
        if (at > HELP_COLUMN - 2) {
            fputc('\n', out);
            at = 0;
        }
        fprintf(out, "%*s", HELP_COLUMN - at, "");
        print_wrapped(o->help, HELP_COLUMN, out);
    }
}

/* ---- the manual page */

/* Text for troff: a backslash and a minus are escaped, and a line never begins with a control character. */
static void put_troff(const char *text, size_t len, FILE *out)
{
    if (len && (text[0] == '.' || text[0] == '\'')) fputs("\\&", out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\') fputs("\\e", out);
        else if (text[i] == '-') fputs("\\-", out);
        else fputc(text[i], out);
    }
}

static void put_line(const char *text, FILE *out)
{
    put_troff(text, strlen(text), out);
    fputc('\n', out);
}

static void put_sections(const struct option_section *s, FILE *out)
{
    for (; s && s->title; s++) {
        fprintf(out, ".SH %s\n", s->title);
        bool example = false;
        for (const char *line = s->text; *line;) {
            size_t len = strcspn(line, "\n");
            bool indented = strncmp(line, "    ", 4) == 0;
            if (indented != example) fputs(indented ? ".PP\n.RS\n.nf\n" : ".fi\n.RE\n", out);
            example = indented;
            if (len == 0) {
                fputs(".PP\n", out);
            } else {
                put_troff(line + (indented ? 4 : 0), len - (indented ? 4 : 0), out);
                fputc('\n', out);
            }
            line += len + (line[len] == '\n');
        }
        if (example) fputs(".fi\n.RE\n", out);
    }
}

void option_man(const struct option_manual *man, const struct option *table, unsigned num, FILE *out)
{
    fprintf(out, ".TH %s 1 \"%s\" \"%s %s\"\n.SH NAME\n", man->program, man->date, man->program, man->version);
    fprintf(out, "%s \\- ", man->program);
    put_line(man->summary, out);
    fprintf(out, ".SH SYNOPSIS\n.B %s\n", man->program);
    put_line(man->synopsis, out);
    put_sections(man->before, out);
    fputs(".SH OPTIONS\n", out);
    const char *group = NULL;
    for (unsigned i = 0; i < num; i++) {
        const struct option *o = &table[i];
        if (!o->apply) continue;
        if (!group || strcmp(group, o->group) != 0) {
            fprintf(out, ".SS %s\n", o->group);
            group = o->group;
        }
        fputs(".TP\n\\fB\\-", out);
        put_troff(o->name, strlen(o->name), out);
        if (o->alias) {
            fputs("\\fR, \\fB\\-", out);
            put_troff(o->alias, strlen(o->alias), out);
        }
        fputs("\\fR", out);
        if (o->metavar) {
            fputs(" \\fI", out);
            put_troff(o->metavar, strlen(o->metavar), out);
            fputs("\\fR", out);
        }
        fputc('\n', out);
        put_line(o->help, out);
    }
    put_sections(man->after, out);
}

/* ---- sub-options */

enum host_status subopts_parse(struct subopts *s, const char *what, const char *text, const char *implied, struct error *e)
{
    memset(s, 0, sizeof *s);
    s->what = what;
    size_t len = strlen(text);
    char *to = s->storage = malloc(len + 2);            /* every item ends in a 0; the last needs one more */
    if (!to) return error_set(e, HOST_NO_MEMORY, "%s: out of memory", what);
    const char *from = text;
    while (*from) {
        if (s->num == SUBOPTS_MAX) return error_set(e, HOST_REFUSED, "%s: more than %d properties", what, SUBOPTS_MAX);
        char *key = to, *value = NULL;
        for (; *from; from++) {
            if (*from == ',') {
                if (from[1] != ',') break;
                from++;
            } else if (*from == '=' && !value) {
                *to++ = '\0';
                value = to;
                continue;
            }
            *to++ = *from;
        }
        *to++ = '\0';
        if (*from == ',') from++;
        if (!value && s->num == 0 && implied) {
            s->item[0].key = implied;
            s->item[0].value = key;
        } else {
            if (!*key) return error_set(e, HOST_REFUSED, "%s: a property without a name in '%s'", what, text);
            s->item[s->num].key = key;
            s->item[s->num].value = value ? value : "on";
        }
        s->num++;
    }
    return HOST_OK;
}

void subopts_fini(struct subopts *s)
{
    free(s->storage);
    memset(s, 0, sizeof *s);
}

/* The last item with this key, all of them marked used. */
static const char *take(struct subopts *s, const char *key)
{
    const char *value = NULL;
    for (unsigned i = 0; i < s->num; i++) {
        if (strcmp(s->item[i].key, key) != 0) continue;
        s->item[i].used = true;
        value = s->item[i].value;
    }
    return value;
}

const char *subopts_get(struct subopts *s, const char *key)
{
    if (s->num_asked < SUBOPTS_MAX) s->asked[s->num_asked++] = key;
    return take(s, key);
}

enum host_status subopts_bool(struct subopts *s, const char *key, bool *out, struct error *e)
{
    static const char *const words[2][4] = { { "off", "no", "false", "0" }, { "on", "yes", "true", "1" } };
    char negated[64];
    snprintf(negated, sizeof negated, "no%s", key);
    const char *value = subopts_get(s, key), *no = take(s, negated);
    if (no && strcmp(no, "on") == 0) *out = false;
    if (!value) return HOST_OK;
    for (unsigned b = 0; b < 2; b++)
        for (unsigned i = 0; i < 4; i++)
            if (strcmp(value, words[b][i]) == 0) {
                *out = b != 0;
                return HOST_OK;
            }
    return error_set(e, HOST_REFUSED, "%s: %s=%s is neither on nor off", s->what, key, value);
}

enum host_status subopts_int(struct subopts *s, const char *key, uint64_t min, uint64_t max, uint64_t *out, struct error *e)
{
    const char *value = subopts_get(s, key);
    uint64_t v;
    if (!value) return HOST_OK;
    if (!parse_u64(value, &v)) return error_set(e, HOST_REFUSED, "%s: %s=%s is not a number", s->what, key, value);
    if (v < min || v > max)
        return error_set(e, HOST_REFUSED, "%s: %s=%s is not between %llu and %llu", s->what, key, value,
                         (unsigned long long)min, (unsigned long long)max);
    *out = v;
    return HOST_OK;
}

enum host_status subopts_size(struct subopts *s, const char *key, uint64_t unit, uint64_t *out, struct error *e)
{
    const char *value = subopts_get(s, key);
    if (!value || parse_size(value, unit, out)) return HOST_OK;
    return error_set(e, HOST_REFUSED, "%s: %s=%s is not a size", s->what, key, value);
}

enum host_status subopts_done(struct subopts *s, struct error *e)
{
    for (unsigned i = 0; i < s->num; i++) {
        if (s->item[i].used) continue;
        const char *nearest = text_nearest(s->item[i].key, s->asked, sizeof s->asked[0], s->num_asked);
        return error_set(e, HOST_REFUSED, "%s: unknown property '%s'%s%s%s", s->what, s->item[i].key,
                         nearest ? "; the nearest is '" : "", nearest ? nearest : "", nearest ? "'" : "");
    }
    return HOST_OK;
}
