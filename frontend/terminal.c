/* The monitor's prompt on a character device, and the escape key that shares a terminal between it and a serial port. */
#include <stdlib.h>
#include <string.h>
#include "frontend/lineedit.h"
#include "frontend/monitor.h"

enum { CTRL_A = 1 };

struct monitor {
    struct session *s;
    struct chardev *dev;
    struct lineedit edit;
    bool in_monitor, prefix;       /* as a multiplexer */
};

static const char banner[] = "Beige " BEIGE_VERSION " monitor - type 'help' for more information\r\n";

static void monitor_put(void *opaque, const char *text, size_t len)
{
    chardev_write(((struct monitor *)opaque)->dev, text, len);
}

static void monitor_puts(struct monitor *m, const char *text) { monitor_put(m, text, strlen(text)); }

static void monitor_line(void *opaque, const char *line)
{
    struct monitor *m = opaque;
    char *answer = monitor_answer(m->s, line);
    if (answer) monitor_puts(m, answer);
    free(answer);
    if (!m->s->quit) lineedit_prompt(&m->edit);
}

static void monitor_tab(void *opaque, const char *text, void (*add)(void *, const char *), void *ctx)
{
    monitor_complete(((struct monitor *)opaque)->s, text, add, ctx);
}

static void monitor_input(void *opaque, struct chr *c, const uint8_t *data, size_t len)
{
    struct monitor *m = opaque;
    (void)c;
    for (size_t i = 0; i < len && !m->s->quit; i++) lineedit_byte(&m->edit, data[i]);
}

static void monitor_event(void *opaque, struct chr *c, int what)
{
    struct monitor *m = opaque;
    (void)c;
    if (what != CHR_OPENED) return;
    monitor_puts(m, banner);
    lineedit_prompt(&m->edit);
}

static struct monitor *monitor_new(struct session *s, struct chardev *dev)
{
    struct monitor *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->s = s;
    m->dev = dev;
    m->edit = (struct lineedit){ .prompt = "(beige) ", .put = monitor_put, .line = monitor_line, .complete = monitor_tab,
                                 .opaque = m };
    return m;
}

struct monitor *monitor_create(struct session *s, struct chardev *dev)
{
    struct monitor *m = monitor_new(s, dev);
    if (!m) return NULL;
    struct chardev_client client = { .input = monitor_input, .event = monitor_event, .opaque = m };
    chardev_attach(dev, &client);
    if (chardev_connected(dev)) monitor_event(m, NULL, CHR_OPENED);
    return m;
}

void monitor_destroy(struct monitor *m)
{
    if (!m) return;
    lineedit_fini(&m->edit);
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
        if (m->in_monitor) monitor_event(m, NULL, CHR_OPENED);
        return;
    case 'b':
        machine_chr_event(m->s->machine, chardev_chr(m->dev), CHR_BREAK);
        return;
    case 'h': case '?':
        monitor_puts(m, "\r\nCtrl-A x  quit the emulator\r\nCtrl-A c  switch between serial port and monitor\r\n"
                        "Ctrl-A b  send a break\r\nCtrl-A a  send Ctrl-A\r\nCtrl-A h  this help\r\n");
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
        if (m->in_monitor) monitor_input(m, NULL, &ch, 1);
        else data[kept++] = ch;
    }
    return kept;
}

struct monitor *terminal_mux(struct session *s, struct chardev *dev)
{
    struct monitor *m = monitor_new(s, dev);
    if (m) chardev_set_filter(dev, mux_filter, m);
    return m;
}
