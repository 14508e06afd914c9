/* The keys are those of readline and QEMU's monitor: cursor keys, Home, End, Delete; Ctrl-A and -E (begin, end), -B and -F
 * (back, forward), -P and -N (history), -D (delete), -K, -U, -W (cut to the end, to the begin, a word), -L (draw anew), -C
 * (give the line up), Tab (complete). Only what every terminal does is sent: printable text, CR, LF, BS, BEL and "ESC [ K". */
#include "frontend/lineedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTRL(c) ((c) - '@')

static void put(struct lineedit *l, const char *text, size_t len)
{
    if (len) l->put(l->opaque, text, len);
}

static void put_text(struct lineedit *l, const char *text) { put(l, text, strlen(text)); }

static void back(struct lineedit *l, size_t n)
{
    while (n--) put(l, "\b", 1);
}

void lineedit_prompt(struct lineedit *l)
{
    l->len = l->pos = 0;
    l->text[0] = 0;
    l->at = l->entries;
    put_text(l, l->prompt);
}

/* ---- moving and changing: the terminal's cursor stays at pos -------------------------------------------------------------- */

static void move_to(struct lineedit *l, size_t pos)
{
    if (pos < l->pos) back(l, l->pos - pos);
    else put(l, l->text + l->pos, pos - l->pos);
    l->pos = pos;
}

static void insert(struct lineedit *l, const char *text, size_t n)
{
    if (l->len + n >= LINEEDIT_MAX) {
        put(l, "\a", 1);
        return;
    }
    memmove(l->text + l->pos + n, l->text + l->pos, l->len - l->pos + 1);
    memcpy(l->text + l->pos, text, n);
    l->len += n;
    put(l, l->text + l->pos, l->len - l->pos);
    l->pos += n;
    back(l, l->len - l->pos);
}

/* Takes out what lies between from and to. */
static void cut(struct lineedit *l, size_t from, size_t to)
{
    move_to(l, from);
    memmove(l->text + from, l->text + to, l->len - to + 1);
    l->len -= to - from;
    put(l, l->text + from, l->len - from);
    put_text(l, "\x1b[K");
    back(l, l->len - from);
}

static void replace(struct lineedit *l, const char *text)
{
    cut(l, 0, l->len);
    insert(l, text, strlen(text));
}

static size_t word_begin(const struct lineedit *l)
{
    size_t p = l->pos;
    while (p && l->text[p - 1] == ' ') p--;
    while (p && l->text[p - 1] != ' ') p--;
    return p;
}

/* ---- history -------------------------------------------------------------------------------------------------------------- */

static void remember(struct lineedit *l)
{
    if (!l->len || (l->entries && strcmp(l->history[l->entries - 1], l->text) == 0)) return;
    char *copy = strdup(l->text);
    if (!copy) return;
    if (l->entries == LINEEDIT_HISTORY) {
        free(l->history[0]);
        memmove(l->history, l->history + 1, (LINEEDIT_HISTORY - 1) * sizeof l->history[0]);
        l->entries--;
    }
    l->history[l->entries++] = copy;
}

static void look_back(struct lineedit *l, int step)
{
    if (step < 0 ? l->at == 0 : l->at >= l->entries) {
        put(l, "\a", 1);
        return;
    }
    if (l->at == l->entries) {
        free(l->kept);
        l->kept = strdup(l->text);
    }
    l->at += (unsigned)step;
    replace(l, l->at < l->entries ? l->history[l->at] : l->kept ? l->kept : "");
}

/* ---- completion ------------------------------------------------------------------------------------------------------------ */

struct words { struct lineedit *l; char common[128]; unsigned count; bool list; };

/* First pass: how far the words agree. Second pass: prints them. */
static void take_word(void *ctx, const char *word)
{
    struct words *w = ctx;
    if (w->list) {
        put_text(w->l, word);
        put(w->l, "  ", 2);
    } else if (w->count++ == 0) {
        snprintf(w->common, sizeof w->common, "%s", word);
    } else {
        size_t n = 0;
        while (w->common[n] && w->common[n] == word[n]) n++;
        w->common[n] = 0;
    }
}

static void draw_again(struct lineedit *l)
{
    size_t pos = l->pos;
    put_text(l, l->prompt);
    put(l, l->text, l->len);
    l->pos = l->len;
    move_to(l, pos);
}

static void complete(struct lineedit *l)
{
    struct words w = { .l = l };
    char head[LINEEDIT_MAX];
    if (!l->complete) return;
    memcpy(head, l->text, l->pos);
    head[l->pos] = 0;
    const char *blank = strrchr(head, ' '), *word = blank ? blank + 1 : head;
    l->complete(l->opaque, head, take_word, &w);
    size_t have = strlen(word), common = strlen(w.common);
    if (w.count == 0) {
        put(l, "\a", 1);
    } else if (common > have || w.count == 1) {
        insert(l, w.common + have, common - have);
        if (w.count == 1) insert(l, " ", 1);
    } else {
        w.list = true;
        put(l, "\r\n", 2);
        l->complete(l->opaque, head, take_word, &w);
        put(l, "\r\n", 2);
        draw_again(l);
    }
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------ */

static void enter(struct lineedit *l)
{
    move_to(l, l->len);
    put(l, "\r\n", 2);
    remember(l);
    l->line(l->opaque, l->text);
}

static void give_up(struct lineedit *l)
{
    move_to(l, l->len);
    put_text(l, "^C\r\n");
    lineedit_prompt(l);
}

/* The last byte of an ESC sequence: A to D are the cursor keys, N ~ the keys above them. */
static void escape_key(struct lineedit *l, uint8_t ch)
{
    if (ch == '~') ch = l->parameter == 3 ? 'd' : l->parameter == 1 || l->parameter == 7 ? 'H'
                        : l->parameter == 4 || l->parameter == 8 ? 'F' : 0;
    switch (ch) {
    case 'A': look_back(l, -1); return;
    case 'B': look_back(l, 1); return;
    case 'C': if (l->pos < l->len) move_to(l, l->pos + 1); return;
    case 'D': if (l->pos) move_to(l, l->pos - 1); return;
    case 'H': move_to(l, 0); return;
    case 'F': move_to(l, l->len); return;
    case 'd': if (l->pos < l->len) cut(l, l->pos, l->pos + 1); return;
    }
}

/* True if the byte belongs to an ESC sequence: ESC [ 3 ~, ESC O H, ESC x. */
static bool escape_byte(struct lineedit *l, uint8_t ch)
{
    if (ch == 27) {
        l->escape = 1;
        l->parameter = 0;
        return true;
    }
    switch (l->escape) {
    case 0: return false;
    case 1: l->escape = ch == '[' || ch == 'O' ? 2 : 0; return true;
    default:
        if (ch >= '0' && ch <= '9') {
            l->parameter = (l->parameter * 10 + ch - '0') % 1000;
            return true;
        }
        if (ch == ';') return true;
        l->escape = 0;
        escape_key(l, ch);
        return true;
    }
}

void lineedit_byte(struct lineedit *l, uint8_t ch)
{
    bool after_cr = l->after_cr;
    char c = (char)ch;
    l->after_cr = ch == '\r';
    if (escape_byte(l, ch)) return;
    switch (ch) {
    case '\n': if (!after_cr) enter(l); return;                      /* CR LF is one Enter */
    case '\r': enter(l); return;
    case '\t': complete(l); return;
    case 8: case 127: if (l->pos) cut(l, l->pos - 1, l->pos); return;
    case CTRL('A'): move_to(l, 0); return;
    case CTRL('B'): escape_key(l, 'D'); return;
    case CTRL('C'): give_up(l); return;
    case CTRL('D'): escape_key(l, 'd'); return;
    case CTRL('E'): move_to(l, l->len); return;
    case CTRL('F'): escape_key(l, 'C'); return;
    case CTRL('K'): cut(l, l->pos, l->len); return;
    case CTRL('L'): put(l, "\r\n", 2); draw_again(l); return;
    case CTRL('N'): look_back(l, 1); return;
    case CTRL('P'): look_back(l, -1); return;
    case CTRL('U'): cut(l, 0, l->pos); return;
    case CTRL('W'): cut(l, word_begin(l), l->pos); return;
    default: if (ch >= 32) insert(l, &c, 1); return;
    }
}

void lineedit_fini(struct lineedit *l)
{
    for (unsigned i = 0; i < l->entries; i++) free(l->history[i]);
    free(l->kept);
    l->entries = 0;
    l->kept = NULL;
}
