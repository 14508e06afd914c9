/* The monitor's prompt on a character device, and the escape key that shares a terminal between it and a serial port.
 *
 * The device delivers bytes as they come, so the line is edited here: backspace, Ctrl-U, Ctrl-C, and the last line by
 * Ctrl-P or cursor up. */
#include <stdlib.h>
#include <string.h>
#include "frontend/monitor.h"

enum { LINE_MAX_LEN = 1024, CTRL_A = 1 };

struct monitor {
    struct session *s;
    struct chardev *dev;
    bool own;
    char line[LINE_MAX_LEN], last[LINE_MAX_LEN];
    size_t len;
    unsigned escape;               /* bytes of an ESC [ sequence seen */
    /* As a multiplexer: */
    bool mux, in_monitor, prefix;
};

static void monitor_puts(struct monitor *m, const char *text) { chardev_write(m->dev, text, strlen(text)); }

void monitor_prompt(struct monitor *m)
{
    m->len = 0;
    monitor_puts(m, "(beige) ");
}

static void monitor_line(struct monitor *m)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    m->line[m->len] = 0;
    monitor_puts(m, "\r\n");
    if (m->len) memcpy(m->last, m->line, m->len + 1);
    if (out) {
        monitor_execute(m->s, m->line, out);
        fclose(out);
        for (char *p = text; *p;) {                    /* a raw terminal needs both */
            size_t n = strcspn(p, "\n");
            chardev_write(m->dev, p, n);
            p += n;
            if (*p++ != '\n') break;
            monitor_puts(m, "\r\n");
        }
        free(text);
    }
    if (!m->s->quit) monitor_prompt(m);
}

static void monitor_erase(struct monitor *m, size_t keep)
{
    while (m->len > keep) {
        monitor_puts(m, "\b \b");
        m->len--;
    }
}

static void monitor_byte(struct monitor *m, uint8_t ch)
{
    if (m->escape == 1 && ch == '[') {
        m->escape = 2;
        return;
    }
    if (m->escape == 2 && ch == 'A') ch = 'P' - '@';
    else if (m->escape) ch = 0;
    m->escape = ch == 27;
    switch (ch) {
    case '\r': case '\n': monitor_line(m); return;
    case 8: case 127: if (m->len) monitor_erase(m, m->len - 1); return;
    case 'U' - '@': case 'C' - '@': monitor_erase(m, 0); return;
    case 'P' - '@':
        monitor_erase(m, 0);
        m->len = strlen(m->last);
        memcpy(m->line, m->last, m->len);
        monitor_puts(m, m->last);
        return;
    default:
        if (ch < 32 || m->len + 1 >= LINE_MAX_LEN) return;
        m->line[m->len++] = (char)ch;
        chardev_write(m->dev, &ch, 1);
    }
}

void monitor_type(struct monitor *m, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && !m->s->quit; i++) monitor_byte(m, data[i]);
}

static void monitor_input(void *opaque, struct chr *c, const uint8_t *data, size_t len)
{
    (void)c;
    monitor_type(opaque, data, len);
}

static void monitor_event(void *opaque, struct chr *c, int what)
{
    (void)c;
    if (what != CHR_OPENED) return;
    monitor_puts(opaque, "Beige " BEIGE_VERSION " monitor - type 'help' for more information\r\n");
    monitor_prompt(opaque);
}

struct monitor *monitor_create(struct session *s, struct chardev *dev, bool own)
{
    struct monitor *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->s = s;
    m->dev = dev;
    m->own = own;
    if (own) {
        struct chardev_client client = { .input = monitor_input, .event = monitor_event, .opaque = m };
        chardev_attach(dev, &client);
        if (chardev_connected(dev)) monitor_event(m, NULL, CHR_OPENED);
    }
    return m;
}

void monitor_destroy(struct monitor *m)
{
    if (!m) return;
    if (m->own) chardev_close(m->dev);
    free(m);
}

/* ---- the shared terminal ---------------------------------------------------------------------------------------------- */

static void mux_command(struct monitor *m, uint8_t ch)
{
    switch (ch) {
    case 'x':
        session_quit(m->s, EXIT_GUEST_OFF, "quit by Ctrl-A x");
        return;
    case 'c':
        m->in_monitor = !m->in_monitor;
        monitor_puts(m, "\r\n");
        if (m->in_monitor) {
            monitor_puts(m, "Beige " BEIGE_VERSION " monitor - Ctrl-A c goes back to the serial port\r\n");
            monitor_prompt(m);
        }
        return;
    case 'h': case '?':
        monitor_puts(m, "\r\nCtrl-A x  quit the emulator\r\nCtrl-A c  switch between serial port and monitor\r\n"
                        "Ctrl-A a  send Ctrl-A\r\nCtrl-A h  this help\r\n");
        return;
    }
}

/* Keeps in data what is the guest's; the rest is acted on. */
static size_t mux_filter(void *opaque, uint8_t *data, size_t len)
{
    struct monitor *m = opaque;
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t ch = data[i];
        if (m->prefix) {
            m->prefix = false;
            if (ch != 'a' && ch != CTRL_A) {
                mux_command(m, ch);
                continue;
            }
            ch = CTRL_A;
        } else if (ch == CTRL_A) {
            m->prefix = true;
            continue;
        }
        if (m->in_monitor) monitor_type(m, &ch, 1);
        else data[kept++] = ch;
    }
    return kept;
}

void terminal_mux(struct session *s, struct chardev *dev)
{
    struct monitor *m = monitor_create(s, dev, false);
    if (!m) return;
    m->mux = true;
    s->monitor = m;
    chardev_set_filter(dev, mux_filter, m);
}
