/* The command line, before there is a machine: what the options said. Filled by options.c, used once by main.c. */
#ifndef FRONTEND_SETUP_H
#define FRONTEND_SETUP_H

#include "base/option.h"
#include "frontend/session.h"

enum { SETUP_DRIVES = 16, SETUP_CHARDEVS = 16, SETUP_FW_FILES = 16, SETUP_MONITORS = SESSION_MONITORS };

struct setup_drive {
    char *file;                          /* NULL: an empty drive */
    char *format;                        /* NULL: probe */
    enum { WHERE_IDE, WHERE_FLOPPY } where;
    int index;                           /* -1: the next free place */
    bool cdrom, read_only, snapshot;
};

/* A named backend of -chardev, or what -serial and friends asked for in short. */
struct setup_chardev {
    char *id;
    struct chardev_config cfg;
    char *strings[4];                    /* what cfg points into */
    bool mux;                            /* mon:, shares the terminal with the monitor */
};

struct setup {
    struct session *s;
    const char *program;
    bool action_done;                    /* --help, --version, -cpu help: nothing is to be run */
    struct setup_drive drive[SETUP_DRIVES];
    unsigned drives;
    struct setup_chardev chardev[SETUP_CHARDEVS];
    unsigned chardevs;
    char *serial[MACHINE_SERIALS], *parallel[MACHINE_PARALLELS];       /* as given; NULL: default */
    unsigned serials, parallels;
    struct { uint16_t iobase; char *backend; } debugcon[MACHINE_DEBUGCONS];
    unsigned debugcons;
    struct { char *dev; bool control, pretty; } monitor[SETUP_MONITORS];   /* control: QMP */
    unsigned monitors;
    struct { char *name, *text, *data; bool is_path; } fw_file[SETUP_FW_FILES];     /* text: a path, or the contents */
    unsigned fw_files;
    char *cpu, *bios, *lib_dir, *kernel, *initrd, *append, *boot_order, *boot_once, *uuid, *name, *rtc;
    char *input, *load, *save, *pidfile;
    char *boot_file;                     /* the FILE argument */
    enum { DISPLAY_DEFAULT, DISPLAY_SDL, DISPLAY_NONE } display;
    bool nographic, nodefaults, fullscreen, snapshot, state_hash;
    bool speed_given, speed_real;
    uint64_t speed_rate;                 /* 0: the model's */
};

extern const struct option options[];
extern const unsigned option_count;

/* manual.c */
extern const struct option_manual manual;
void help_all(FILE *out);
/* One option or one section of the manual; false if there is none of that name. */
bool help_topic(const char *topic, FILE *out);

/* image_verb.c: `beige image ...`; argv begins behind that word. The exit status. */
int image_verb(int argc, char **argv);

/* options.c: the FILE argument and everything that option_parse does not take. */
option_apply setup_positional;
void setup_fini(struct setup *u);

/* drives.c: what a file is, by its first bytes (as many as CONTENT_BYTES, if it has them) and its size. */
enum content { CONTENT_CD, CONTENT_LINUX, CONTENT_MULTIBOOT, CONTENT_FLOPPY, CONTENT_DISK };
enum { CONTENT_BYTES = 36864 };
enum content content_of(const uint8_t *head, size_t len, uint64_t size);
/* Opens the images and places them. False and *e. */
bool setup_drives(struct setup *u, struct error *e);
/* Finds out what FILE is, says so in one line, and turns it into a drive or a kernel. */
bool setup_boot_file(struct setup *u, struct error *e);

/* backends.c: opens character devices, QMP servers and the monitor; before the machine is created. */
bool setup_backends(struct setup *u, struct error *e);
/* Connects them once the machine exists. */
void setup_attach(struct setup *u);
/* "-chardev socket,id=x,path=/tmp/s,server=on" into u->chardev. */
enum host_status setup_add_chardev(struct setup *u, const char *text, struct error *e);
/* Is text a character device in short form, or chardev:ID? For a message at once, with the option's name. */
enum host_status setup_check_chardev(const char *text, struct error *e);
void setup_free_chardev(struct setup_chardev *d);
/* Does the command line name something a person sits at? Decides the default pace. */
bool setup_interactive(const struct setup *u);

#endif
