/* What the program says about itself: --help, `beige help TOPIC`, and the manual page, all from the table of options and the
 * sections below. */
#include <string.h>
#include <strings.h>
#include "frontend/setup.h"

static const struct option_section before[] = {
    { "DESCRIPTION",
      "Beige is an x86 PC built entirely in software. It boots FILE, which may be a floppy, hard disk or CD image or a Linux "
      "or multiboot kernel, with SeaBIOS as the firmware. Without FILE and drives it boots a demonstration. No hardware "
      "virtualization is used; the same inputs give the same run on every host." },
    { NULL, NULL },
};

static const struct option_section after[] = {
    { "INPUT FILES",
      "--input FILE reads what is to happen at which virtual time, one line each: a time in seconds since power-on, an action, "
      "its arguments. With --speed max (or N) the same file gives the same run, instruction by instruction, on every host. "
      "After --load, lines up to the saved time have happened already and are passed over. Empty lines and lines that begin "
      "with # are comments.\n\n"
      "    key KEYS                 press keys together, e.g. ctrl-alt-delete\n"
      "    type \"TEXT\"              type on a US keyboard\n"
      "    serialN \"TEXT\"           send bytes to serial port N (0 to 3)\n"
      "    mouse DX DY [DZ]         move the mouse, turn its wheel\n"
      "    button left|middle|right down|up\n"
      "    change DRIVE FILE        put a medium in (drives: info block)\n"
      "    eject DRIVE              take it out\n"
      "    screendump FILE          write the screen as .png or .ppm\n"
      "    reset, powerdown, nmi    press a button, pulse the line\n"
      "    quit                     end the emulator, status 0\n\n"
      "Typing takes 80 ms a key, serial bytes 1 ms; a text that begins before the one above it is through waits for it. "
      "TEXT may hold \\n \\t \\r \\e \\\\ \\\" and \\xHH. Keys have the names of QEMU's sendkey. An example:\n\n"
      "    1.5 key esc\n"
      "    4.0 type \"root\\n\"\n"
      "    6.0 serial0 \"uname -a\\n\"\n"
      "    9.0 screendump login.png" },
    { "IMAGES",
      "beige image create FILE SIZE makes an empty disk, of 2G or a floppy's 1.44M. beige image info FILE tells what a file is "
      "and shows its partitions (--output=json for programs). beige image convert FROM TO copies an image; zeros take no room in "
      "the copy. beige image check FILE reads all of it and sees whether it was cut. The format is raw.\n\n"
      "    beige image create disk.img 2G\n    beige image info disk.img" },
    { "KEYS", "In the window, Ctrl+Alt+G grabs and releases the mouse (a click grabs it, too), Ctrl+Alt+F switches full screen, "
      "Ctrl+Alt+Q quits. Keys go by their place, so the guest's own keyboard layout applies. On a terminal (-nographic, "
      "mon:stdio) Ctrl-A x quits, Ctrl-A c switches to the monitor and back, Ctrl-A b sends a break, Ctrl-A a sends Ctrl-A, "
      "Ctrl-A h helps." },
    { "EXIT STATUS", "0: the guest powered off, or the emulator was asked to quit. 1: an error of the emulator's or the host's. "
      "2: usage. 3: the guest crashed (triple fault with -no-reboot). 4: a limit was reached. (value << 1) | 1: from the "
      "debug-exit port. The last line on standard error names the cause." },
    { "EXAMPLES", "    beige -hda disk.img\n    beige -cdrom install.iso -hda disk.img -boot d -m 256\n"
      "    beige -kernel vmlinuz -initrd initrd.gz -append console=ttyS0 -nographic\n"
      "    beige -hda disk.img -snapshot -display none --limit-insns 1000000000 --state-hash" },
    { NULL, NULL },
};

const struct option_manual manual = {
    .program = "beige", .version = BEIGE_VERSION, .date = "2026-11-21", .summary = "x86 PC emulator",
    .synopsis = "[OPTION]... [FILE]", .before = before, .after = after,
};

/* Words of one paragraph, wrapped at 79 columns. */
static void put_wrapped(const char *text, size_t len, FILE *out)
{
    size_t at = 0;
    while (len) {
        size_t word = 0;
        while (word < len && text[word] != ' ') word++;
        if (at && at + 1 + word > 79) {
            fputc('\n', out);
            at = 0;
        }
        at += (size_t)fprintf(out, "%s%.*s", at ? " " : "", (int)word, text);
        text += word;
        len -= word;
        while (len && *text == ' ') text++, len--;
    }
    fputc('\n', out);
}

static void put_section(const struct option_section *s, FILE *out)
{
    fprintf(out, "%s\n\n", s->title);
    for (const char *line = s->text; *line;) {
        size_t len = strcspn(line, "\n");
        if (strncmp(line, "    ", 4) == 0) fprintf(out, "%.*s\n", (int)len, line);
        else put_wrapped(line, len, out);
        line += len + (line[len] == '\n');
    }
}

void help_all(FILE *out)
{
    fputs("usage: beige [OPTION]... [FILE]\n\n"
          "Boots FILE (a floppy, disk or CD image, or a kernel) in a PC made of software;\n"
          "without FILE and drives, a demonstration. \"beige run\" is the same as \"beige\".\n"
          "\"beige image\" makes and examines disk images.\n"
          "More: \"beige help TOPIC\", with an option or one of: input, images, keys, exit,\nexamples.\n\n", out);
    option_help(options, option_count, out);
}

bool help_topic(const char *topic, FILE *out)
{
    topic += strspn(topic, "-");
    for (const struct option_section *s = after; s->title; s++)
        if (*topic && strncasecmp(s->title, topic, strlen(topic)) == 0) {
            put_section(s, out);
            return true;
        }
    for (unsigned i = 0; i < option_count; i++) {
        const struct option *o = &options[i];
        if (!o->apply || (strcmp(o->name, topic) != 0 && (!o->alias || strcmp(o->alias, topic) != 0))) continue;
        option_help(o, 1, out);
        return true;
    }
    return false;
}
