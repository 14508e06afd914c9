/* Every option, as data. The help text and the manual page are made from this table. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "frontend/setup.h"

#define SETUP struct setup *u = ctx; (void)u; (void)o; (void)value; (void)e

static void set_text(char **where, const char *value)
{
    free(*where);
    *where = strdup(value);
}

/* ---- handlers --------------------------------------------------------------------------------------------------------- */

enum { TEXT_CPU, TEXT_BIOS, TEXT_LIB, TEXT_KERNEL, TEXT_INITRD, TEXT_APPEND, TEXT_UUID, TEXT_INPUT, TEXT_LOAD, TEXT_SAVE,
       TEXT_PIDFILE };

static enum host_status opt_text(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    char **const where[] = { [TEXT_CPU] = &u->cpu, [TEXT_BIOS] = &u->bios, [TEXT_LIB] = &u->lib_dir,
        [TEXT_KERNEL] = &u->kernel, [TEXT_INITRD] = &u->initrd, [TEXT_APPEND] = &u->append, [TEXT_UUID] = &u->uuid,
        [TEXT_INPUT] = &u->input, [TEXT_LOAD] = &u->load, [TEXT_SAVE] = &u->save, [TEXT_PIDFILE] = &u->pidfile };
    if (!*value && o->id != TEXT_APPEND) return error_set(e, HOST_REFUSED, "wants %s", o->metavar);
    set_text(where[o->id], value);
    return HOST_OK;
}

enum { FLAG_NOGRAPHIC, FLAG_NODEFAULTS, FLAG_FULLSCREEN, FLAG_SNAPSHOT, FLAG_HASH, FLAG_NO_REBOOT, FLAG_NO_SHUTDOWN, FLAG_PAUSED,
       FLAG_IGNORED };

static enum host_status opt_flag(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    switch (o->id) {
    case FLAG_NOGRAPHIC: u->nographic = true; break;
    case FLAG_NODEFAULTS: u->nodefaults = true; break;
    case FLAG_FULLSCREEN: u->fullscreen = true; break;
    case FLAG_SNAPSHOT: u->snapshot = u->s->snapshot = true; break;
    case FLAG_HASH: u->state_hash = true; break;
    case FLAG_NO_REBOOT: u->s->config.no_reboot = true; break;
    case FLAG_NO_SHUTDOWN: u->s->no_shutdown = true; break;
    case FLAG_PAUSED: u->s->start_paused = true; break;
    }
    return HOST_OK;
}

static enum host_status opt_help(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    help_all(stdout);
    u->action_done = true;
    return HOST_OK;
}

static enum host_status opt_version(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    printf("beige %s\n", BEIGE_VERSION);
    u->action_done = true;
    return HOST_OK;
}

static enum host_status opt_man(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    option_man(&manual, options, option_count, stdout);
    u->action_done = true;
    return HOST_OK;
}

static enum host_status opt_memory(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    const char *size = strncmp(value, "size=", 5) == 0 ? value + 5 : value;
    if (!parse_size(size, 1 << 20, &u->s->config.ram_size))
        return error_set(e, HOST_REFUSED, "'%s' is not a size (64, 64M, 1G)", value);
    return HOST_OK;
}

static enum host_status opt_cpu(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (strcmp(value, "help") == 0) {
        machine_cpu_help(stdout);
        u->action_done = true;
        return HOST_OK;
    }
    return opt_text(ctx, o, value, e);
}

/* -hda to -hdd: id 0-3; -cdrom: 4; -fda, -fdb: 5, 6. */
static enum host_status opt_disk(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (u->drives == SETUP_DRIVES) return error_set(e, HOST_REFUSED, "at most %d drives", SETUP_DRIVES);
    if (!*value) return error_set(e, HOST_REFUSED, "wants %s", o->metavar);
    u->drive[u->drives++] = (struct setup_drive){
        .file = strdup(value), .index = o->id < 4 ? o->id : o->id == 4 ? 2 : o->id - 5,
        .cdrom = o->id == 4, .where = o->id > 4 ? WHERE_FLOPPY : WHERE_IDE };
    return HOST_OK;
}

/* Everything but the strings of a drive. */
static enum host_status parse_drive(struct subopts *s, struct setup_drive *d, struct error *e)
{
    static const char *const accepted[] = { "id", "cache", "aio", "werror", "rerror", "discard", "bus", "unit" };
    uint64_t index = 0;
    for (unsigned i = 0; i < sizeof accepted / sizeof accepted[0]; i++) subopts_get(s, accepted[i]);
    const char *bus = subopts_get(s, "if"), *media = subopts_get(s, "media");
    if (bus && strcmp(bus, "floppy") == 0) d->where = WHERE_FLOPPY;
    else if (bus && strcmp(bus, "ide") != 0)
        return error_set(e, HOST_REFUSED, "-drive: if=%s is not built (ide, floppy)", bus);
    if (media && strcmp(media, "cdrom") != 0 && strcmp(media, "disk") != 0)
        return error_set(e, HOST_REFUSED, "-drive: media=%s is neither disk nor cdrom", media);
    d->cdrom = media && media[0] == 'c';
    enum host_status st = subopts_int(s, "index", 0, MACHINE_IDE - 1, &index, e);
    if (st == HOST_OK) st = subopts_bool(s, "readonly", &d->read_only, e);
    if (st == HOST_OK) st = subopts_bool(s, "snapshot", &d->snapshot, e);
    if (st != HOST_OK) return st;
    if (subopts_get(s, "index")) d->index = (int)index;
    const char *file = subopts_get(s, "file");
    subopts_get(s, "format");
    st = subopts_done(s, e);
    if (st == HOST_OK && !(file && *file) && !d->cdrom && d->where == WHERE_IDE)
        return error_set(e, HOST_REFUSED, "-drive: a disk wants file=");
    return st;
}

static enum host_status opt_drive(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    struct setup_drive d = { .index = -1 };
    enum host_status st = subopts_parse(&s, "-drive", value, "file", e);
    if (st == HOST_OK) st = parse_drive(&s, &d, e);
    if (st == HOST_OK && u->drives == SETUP_DRIVES) st = error_set(e, HOST_REFUSED, "at most %d drives", SETUP_DRIVES);
    if (st == HOST_OK) {
        const char *file = subopts_get(&s, "file"), *format = subopts_get(&s, "format");
        if (file && *file) d.file = strdup(file);
        if (format) d.format = strdup(format);
        u->drive[u->drives++] = d;
    }
    subopts_fini(&s);
    return st;
}

static enum host_status set_boot_order(char **where, const char *order, struct error *e)
{
    if (!order) return HOST_OK;
    if (!*order || order[strspn(order, "acdn")])
        return error_set(e, HOST_REFUSED, "'%s' is no boot order; letters are a (floppy), c (disk), d (CD), n (network)", order);
    set_text(where, order);
    return HOST_OK;
}

static enum host_status opt_boot(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-boot", value, "order", e);
    if (st == HOST_OK) {
        st = set_boot_order(&u->boot_order, subopts_get(&s, "order"), e);
        if (st == HOST_OK) st = set_boot_order(&u->boot_once, subopts_get(&s, "once"), e);
        subopts_get(&s, "strict");
        if (st == HOST_OK) st = subopts_bool(&s, "menu", &u->s->config.boot_menu, e);
        if (st == HOST_OK) st = subopts_done(&s, e);
    }
    subopts_fini(&s);
    return st;
}

enum { PORT_SERIAL, PORT_PARALLEL, PORT_DEBUGCON };

static enum host_status opt_port(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    static const unsigned max[] = { MACHINE_SERIALS, MACHINE_PARALLELS, MACHINE_DEBUGCONS };
    unsigned *const counts[] = { &u->serials, &u->parallels, &u->debugcons }, *count = counts[o->id];
    if (*count == max[o->id]) return error_set(e, HOST_REFUSED, "at most %u", max[o->id]);
    if (setup_check_chardev(value, e) != HOST_OK) return HOST_REFUSED;
    switch (o->id) {
    case PORT_SERIAL: u->serial[*count] = strdup(value); break;
    case PORT_PARALLEL: u->parallel[*count] = strdup(value); break;
    default:
        u->debugcon[*count].iobase = 0xe9;
        u->debugcon[*count].backend = strdup(value);
    }
    ++*count;
    return HOST_OK;
}

static enum host_status add_monitor(struct setup *u, const char *dev, bool control, bool pretty, struct error *e)
{
    if (strcmp(dev, "none") == 0) return HOST_OK;
    if (u->monitors == SETUP_MONITORS) return error_set(e, HOST_REFUSED, "at most %d", SETUP_MONITORS);
    if (setup_check_chardev(dev, e) != HOST_OK) return HOST_REFUSED;
    u->monitor[u->monitors].control = control;
    u->monitor[u->monitors].pretty = pretty;
    u->monitor[u->monitors++].dev = strdup(dev);
    return HOST_OK;
}

enum { MONITOR_TEXT, MONITOR_QMP, MONITOR_QMP_PRETTY };

static enum host_status opt_monitor(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    return add_monitor(u, value, o->id != MONITOR_TEXT, o->id == MONITOR_QMP_PRETTY, e);
}

static enum host_status opt_mon(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    bool pretty = false;
    char dev[128];
    enum host_status st = subopts_parse(&s, "-mon", value, "chardev", e);
    const char *id = st == HOST_OK ? subopts_get(&s, "chardev") : NULL, *mode = st == HOST_OK ? subopts_get(&s, "mode") : NULL;
    if (st == HOST_OK) {
        subopts_get(&s, "id");
        st = subopts_bool(&s, "pretty", &pretty, e);
    }
    if (st == HOST_OK) st = subopts_done(&s, e);
    if (st == HOST_OK && !id) st = error_set(e, HOST_REFUSED, "wants chardev=ID");
    if (st == HOST_OK && mode && strcmp(mode, "control") != 0 && strcmp(mode, "readline") != 0)
        st = error_set(e, HOST_REFUSED, "mode=%s is neither control nor readline", mode);
    if (st == HOST_OK) {
        snprintf(dev, sizeof dev, "chardev:%s", id);
        st = add_monitor(u, dev, mode && mode[0] == 'c', pretty, e);
    }
    subopts_fini(&s);
    return st;
}

static enum host_status opt_chardev(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    return setup_add_chardev(u, value, e);
}

static enum host_status opt_display(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    size_t n = strcspn(value, ",");
    if (n == 4 && strncmp(value, "none", n) == 0) u->display = DISPLAY_NONE;
    else if (n == 3 && strncmp(value, "sdl", n) == 0) u->display = DISPLAY_SDL;
    else return error_set(e, HOST_REFUSED, "'%s' is not built (sdl, none)", value);
    return HOST_OK;
}

static enum host_status opt_vga(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (strcmp(value, "std") != 0 && strcmp(value, "none") != 0)
        return error_set(e, HOST_REFUSED, "'%s' is not built (std, none)", value);
    u->s->config.vga = value[0] == 's';
    return HOST_OK;
}

static enum host_status opt_net(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    return strcmp(value, "none") == 0 ? HOST_OK : error_set(e, HOST_REFUSED, "networking is not built (none)");
}

static enum host_status opt_smp(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    static const char *const counts[] = { "cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads" };
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-smp", value, "cpus", e);
    for (unsigned i = 0; st == HOST_OK && i < sizeof counts / sizeof counts[0]; i++) {
        uint64_t n = 1;
        st = subopts_int(&s, counts[i], 1, 1 << 20, &n, e);
        if (st == HOST_OK && n != 1) st = error_set(e, HOST_REFUSED, "more than one CPU is not built");
    }
    if (st == HOST_OK) st = subopts_done(&s, e);
    subopts_fini(&s);
    return st;
}

static enum host_status opt_accel(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (strncmp(value, "accel=", 6) == 0) value += 6;
    size_t n = strcspn(value, ",:");
    if (n == 3 && strncmp(value, "tcg", n) == 0) return HOST_OK;
    return error_set(e, HOST_REFUSED, "'%.*s': guests run in software only, on any host; no hardware virtualization is used",
                     (int)n, value);
}

static enum host_status opt_enable_kvm(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    return opt_accel(ctx, o, "kvm", e);
}

static enum host_status opt_machine(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    static const char *const accepted[] = { "usb", "vmport", "smm", "hpet", "acpi", "graphics", "dump-guest-core", "mem-merge",
                                            "kernel-irqchip", "nvdimm", "memory-backend", "smbus", "sata" };
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-machine", value, "type", e);
    if (st == HOST_OK) {
        const char *type = subopts_get(&s, "type"), *accel = subopts_get(&s, "accel");
        for (unsigned i = 0; i < sizeof accepted / sizeof accepted[0]; i++) subopts_get(&s, accepted[i]);
        if (type && strcmp(type, "help") == 0) {
            printf("pc    440FX, PIIX3, PIIX4: the one board there is\n");
            u->action_done = true;
        } else if (type && strcmp(type, "pc") != 0 && strncmp(type, "pc-i440fx", 9) != 0) {
            st = error_set(e, HOST_REFUSED, "'%s' is not built (pc)", type);
        } else if (accel) {
            st = opt_accel(ctx, o, accel, e);
        }
        if (st == HOST_OK) st = subopts_done(&s, e);
    }
    subopts_fini(&s);
    return st;
}

static enum host_status add_debug_exit(struct setup *u, struct subopts *s, struct error *e)
{
    uint64_t iobase = 0x501, iosize = 2;
    struct machine_config *c = &u->s->config;
    enum host_status st = subopts_int(s, "iobase", 0, 0xffff, &iobase, e);
    if (st == HOST_OK) st = subopts_int(s, "iosize", 1, 4, &iosize, e);
    if (st == HOST_OK) st = subopts_done(s, e);
    if (st == HOST_OK && c->debug_exit) st = error_set(e, HOST_REFUSED, "isa-debug-exit: there is one already");
    c->debug_exit = st == HOST_OK;
    c->debug_exit_iobase = (uint16_t)iobase;
    c->debug_exit_iosize = (uint16_t)iosize;
    return st;
}

static enum host_status add_debugcon(struct setup *u, struct subopts *s, struct error *e)
{
    uint64_t iobase = 0xe9;
    enum host_status st = subopts_int(s, "iobase", 0, 0xffff, &iobase, e);
    const char *chardev = subopts_get(s, "chardev");
    subopts_get(s, "readback");
    if (st == HOST_OK) st = subopts_done(s, e);
    if (st != HOST_OK) return st;
    if (!chardev) return error_set(e, HOST_REFUSED, "isa-debugcon wants chardev=ID");
    if (u->debugcons == MACHINE_DEBUGCONS) return error_set(e, HOST_REFUSED, "isa-debugcon: at most %d", MACHINE_DEBUGCONS);
    char *text = malloc(strlen(chardev) + 9);
    if (!text) return HOST_NO_MEMORY;
    sprintf(text, "chardev:%s", chardev);
    u->debugcon[u->debugcons].iobase = (uint16_t)iobase;
    u->debugcon[u->debugcons++].backend = text;
    return HOST_OK;
}

static const struct device_kind {
    const char *name, *help, *properties;
    enum host_status (*add)(struct setup *u, struct subopts *s, struct error *e);
} device_kinds[] = {
    { "isa-debugcon", "a port whose bytes go to a character device",
      "  iobase=PORT    default 0xe9\n  chardev=ID     a -chardev\n", add_debugcon },
    { "isa-debug-exit", "a port whose write ends the emulator with status (value << 1) | 1",
      "  iobase=PORT    default 0x501\n  iosize=BYTES   1 to 4, default 2\n", add_debug_exit },
};
enum { FW_NAME_MAX = 55 };
enum { DEVICE_KINDS = sizeof device_kinds / sizeof device_kinds[0] };

/* {"driver":"NAME","prop":VALUE} as driver=NAME,prop=VALUE. NULL if it is no flat JSON object. The caller frees it. */
static char *device_from_json(const char *text)
{
    cJSON *object = cJSON_Parse(text);
    char *out = NULL;
    size_t size;
    FILE *f = cJSON_IsObject(object) ? open_memstream(&out, &size) : NULL;
    bool ok = f != NULL;
    for (const cJSON *it = f ? object->child : NULL; it && ok; it = it->next) {
        fprintf(f, "%s%s=", it == object->child ? "" : ",", it->string);
        if (cJSON_IsNumber(it)) fprintf(f, "%.0f", it->valuedouble);
        else if (cJSON_IsBool(it)) fputs(cJSON_IsTrue(it) ? "on" : "off", f);
        else if (cJSON_IsString(it)) for (const char *p = it->valuestring; *p; p++) fputs(*p == ',' ? ",," : (char[]){ *p, 0 }, f);
        else ok = false;
    }
    if (f) fclose(f);
    cJSON_Delete(object);
    if (ok) return out;
    free(out);
    return NULL;
}

static enum host_status opt_device(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    char *plain = value[0] == '{' ? device_from_json(value) : strdup(value);
    if (!plain) return error_set(e, HOST_REFUSED, "'%s' is no JSON object of strings, numbers and booleans", value);
    enum host_status st = subopts_parse(&s, "-device", plain, "driver", e);
    const char *driver = st == HOST_OK ? subopts_get(&s, "driver") : NULL;
    const struct device_kind *k = device_kinds;
    if (st != HOST_OK) goto out;
    if (driver && strcmp(driver, "help") == 0) {
        for (unsigned i = 0; i < DEVICE_KINDS; i++) printf("%-16s %s\n", k[i].name, k[i].help);
        u->action_done = true;
        goto out;
    }
    while (driver && k < device_kinds + DEVICE_KINDS && strcmp(k->name, driver) != 0) k++;
    if (!driver || k == device_kinds + DEVICE_KINDS) {
        const char *nearest = text_nearest(driver ? driver : "", &device_kinds[0].name, sizeof *k, DEVICE_KINDS);
        st = error_set(e, HOST_REFUSED, "unknown device '%s'; the nearest is '%s' (-device help lists them)",
                       driver ? driver : "", nearest);
        goto out;
    }
    if (subopts_get(&s, "help")) {
        printf("%s: %s\n%s", k->name, k->help, k->properties);
        u->action_done = true;
        goto out;
    }
    subopts_get(&s, "id");
    st = k->add(u, &s, e);
out:
    subopts_fini(&s);
    free(plain);
    return st;
}

static enum host_status opt_fw_cfg(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-fw_cfg", value, "name", e);
    const char *name = st == HOST_OK ? subopts_get(&s, "name") : NULL, *file = st == HOST_OK ? subopts_get(&s, "file") : NULL;
    const char *string = st == HOST_OK ? subopts_get(&s, "string") : NULL;
    if (st == HOST_OK) st = subopts_done(&s, e);
    if (st == HOST_OK && (!name || !file == !string))
        st = error_set(e, HOST_REFUSED, "wants name=opt/... and file=FILE or string=TEXT");
    if (st == HOST_OK && (strncmp(name, "opt/", 4) != 0 || strlen(name) > FW_NAME_MAX))
        st = error_set(e, HOST_REFUSED, "'%s': a name begins with opt/ and has at most %d characters", name, FW_NAME_MAX);
    if (st == HOST_OK && u->fw_files == SETUP_FW_FILES) st = error_set(e, HOST_REFUSED, "at most %d", SETUP_FW_FILES);
    for (unsigned i = 0; st == HOST_OK && i < u->fw_files; i++)
        if (strcmp(u->fw_file[i].name, name) == 0) st = error_set(e, HOST_REFUSED, "'%s' is given twice", name);
    if (st == HOST_OK) {
        u->fw_file[u->fw_files].name = strdup(name);
        u->fw_file[u->fw_files].text = strdup(file ? file : string);
        u->fw_file[u->fw_files++].is_path = file != NULL;
    }
    subopts_fini(&s);
    return st;
}

/* "NAME", or "guest=NAME,debug-threads=on" as libvirt writes it. */
static enum host_status opt_name(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-name", value, "guest", e);
    if (st == HOST_OK) {
        const char *guest = subopts_get(&s, "guest");
        subopts_get(&s, "debug-threads");
        subopts_get(&s, "process");
        if (guest) set_text(&u->name, guest);
        st = subopts_done(&s, e);
    }
    subopts_fini(&s);
    return st;
}

static enum host_status opt_rtc(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    struct subopts s;
    enum host_status st = subopts_parse(&s, "-rtc", value, NULL, e);
    if (st == HOST_OK) {
        const char *base = subopts_get(&s, "base");
        subopts_get(&s, "clock");
        subopts_get(&s, "driftfix");
        if (base) set_text(&u->rtc, base);
        st = subopts_done(&s, e);
    }
    subopts_fini(&s);
    return st;
}

static enum host_status opt_speed(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    uint64_t n;
    u->speed_given = true;
    u->speed_real = strcmp(value, "real") == 0;
    u->speed_rate = 0;
    if (u->speed_real || strcmp(value, "max") == 0) return HOST_OK;
    if (!parse_u64(value, &n) || n < 1 || n > 10000)
        return error_set(e, HOST_REFUSED, "'%s': max, real, or 1 to 10000 million instructions a second", value);
    u->speed_rate = n * 1000000;
    return HOST_OK;
}

enum { LIMIT_TIMEOUT, LIMIT_TIME, LIMIT_INSNS };

static enum host_status opt_limit(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    char *end;
    errno = 0;
    double seconds = strtod(value, &end);
    if (o->id == LIMIT_INSNS) {
        if (!parse_u64(value, &u->s->limit_insns)) return error_set(e, HOST_REFUSED, "'%s' is not a number", value);
        return HOST_OK;
    }
    if (*end || end == value || errno || !(seconds >= 0 && seconds < 1e9))
        return error_set(e, HOST_REFUSED, "'%s' is not a number of seconds", value);
    if (o->id == LIMIT_TIME) u->s->limit_time = VTIME_NS((uint64_t)(seconds * 1e9 + 0.5));
    else u->s->timeout_ns = (uint64_t)(seconds * 1e9) + 1;
    return HOST_OK;
}

static enum host_status opt_log_file(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    FILE *f = fopen(value, "w"), *before = u->s->log.out;
    if (!f) return error_set(e, HOST_IO_ERROR, "%s: %s", value, strerror(errno));
    if (before != stderr) fclose(before);
    setvbuf(f, NULL, _IOLBF, 0);
    u->s->log.out = f;
    return HOST_OK;
}

static enum host_status opt_log_items(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    const char *bad;
    if (strcmp(value, "help") == 0) {
        printf("guest_errors   what guests do wrong: commands that a chip does not know, impossible settings\n"
               "unimp          registers and features that are not modelled, once each\n");
        u->action_done = true;
        return HOST_OK;
    }
    if (!log_enable_items(&u->s->log, value, &bad))
        return error_set(e, HOST_REFUSED, "unknown item '%s' (guest_errors, unimp)", bad);
    return HOST_OK;
}

static enum host_status opt_trace(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (strcmp(value, "help") == 0) {
        for (unsigned i = 0; i < TRACE_COUNT; i++) printf("%s\n", trace_name((enum trace_id)i));
        u->action_done = true;
        return HOST_OK;
    }
    if (strncmp(value, "enable=", 7) == 0) value += 7;
    return log_enable_trace(&u->s->log, value) ? HOST_OK : error_set(e, HOST_REFUSED, "no trace event matches '%s'", value);
}

static enum host_status opt_loadvm(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    set_text(&u->load, value);
    return HOST_OK;
}

enum host_status setup_positional(void *ctx, const struct option *o, const char *value, struct error *e)
{
    SETUP;
    if (u->boot_file)
        return error_set(e, HOST_REFUSED, "one FILE only ('%s' and '%s'); use -hda, -cdrom, -fda for more", u->boot_file, value);
    set_text(&u->boot_file, value);
    return HOST_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------------- */

#define G_MACHINE "Machine"
#define G_DRIVES "Drives"
#define G_SCREEN "Screen and characters"
#define G_CONTROL "Control"
#define G_RUN "Running"
#define G_OTHER "Known from QEMU, not built"

const struct option options[] = {
    { "m", NULL, "SIZE", G_MACHINE, "RAM in MiB or with a suffix (64M, 1G); default 128M.", opt_memory, 0 },
    { "cpu", NULL, "MODEL", G_MACHINE, "CPU model, with ,+feature,-feature to change it; -cpu help lists them.", opt_cpu,
      TEXT_CPU },
    { "smp", NULL, "N", G_MACHINE, "Number of CPUs: 1.", opt_smp, 0 },
    { "machine", "M", "pc", G_MACHINE, "The board: pc.", opt_machine, 0 },
    { "accel", NULL, "tcg", G_MACHINE, "Accepted for QEMU's sake; guests always run in software.", opt_accel, 0 },
    { "bios", NULL, "FILE", G_MACHINE, "Firmware of 64 to 256 KiB in place of SeaBIOS.", opt_text, TEXT_BIOS },
    { "L", NULL, "DIR", G_MACHINE, "Where firmware is looked for first.", opt_text, TEXT_LIB },
    { "device", NULL, "NAME[,PROP=VALUE]", G_MACHINE, "Adds a device; -device help lists them.", opt_device, 0 },
    { "fw_cfg", NULL, "NAME,file=FILE|string=TEXT", G_MACHINE, "A file that guests find through fw_cfg; NAME begins with opt/.",
      opt_fw_cfg, 0 },
    { "rtc", NULL, "base=BASE", G_MACHINE, "Date at power-on: utc, localtime, or 2000-12-31T23:59:59. Default: the host's with "
      "--speed real, 2000-01-01 otherwise.", opt_rtc, 0 },
    { "name", NULL, "NAME", G_MACHINE, "Name of the machine.", opt_name, 0 },
    { "uuid", NULL, "UUID", G_MACHINE, "UUID that the firmware reports.", opt_text, TEXT_UUID },
    { "nodefaults", NULL, NULL, G_MACHINE, "No drives and ports but those that are named.", opt_flag, FLAG_NODEFAULTS },
    { "no-user-config", NULL, NULL, G_MACHINE, "Accepted for QEMU's sake; there is none.", opt_flag, FLAG_IGNORED },
    { "nic", "net", "none", G_MACHINE, "Networking: none.", opt_net, 0 },

    { "hda", NULL, "FILE", G_DRIVES, "First hard disk.", opt_disk, 0 },
    { "hdb", NULL, "FILE", G_DRIVES, "Second hard disk.", opt_disk, 1 },
    { "hdc", NULL, "FILE", G_DRIVES, "Third hard disk.", opt_disk, 2 },
    { "hdd", NULL, "FILE", G_DRIVES, "Fourth hard disk.", opt_disk, 3 },
    { "cdrom", NULL, "FILE", G_DRIVES, "CD-ROM image.", opt_disk, 4 },
    { "fda", NULL, "FILE", G_DRIVES, "First floppy, 160K to 2.88M.", opt_disk, 5 },
    { "fdb", NULL, "FILE", G_DRIVES, "Second floppy.", opt_disk, 6 },
    { "drive", NULL, "PROP=VALUE,...", G_DRIVES, "A drive in the long form: file=, if=ide|floppy, index=, media=disk|cdrom, "
      "format=raw, readonly=on, snapshot=on.", opt_drive, 0 },
    { "snapshot", NULL, NULL, G_DRIVES, "Writes nothing to any image: changes are kept in memory and forgotten.", opt_flag,
      FLAG_SNAPSHOT },
    { "boot", NULL, "order=acdn,once=d,menu=on", G_DRIVES, "Boot order (a floppy, c disk, d CD), another until the first reset, "
      "and SeaBIOS's boot menu.", opt_boot, 0 },
    { "kernel", NULL, "FILE", G_DRIVES, "Boots a Linux kernel or a multiboot 1 kernel directly.", opt_text, TEXT_KERNEL },
    { "initrd", NULL, "FILE", G_DRIVES, "Its initial RAM disk; for multiboot: modules, 'FILE ARGS,FILE ARGS'.", opt_text,
      TEXT_INITRD },
    { "append", NULL, "TEXT", G_DRIVES, "Its command line.", opt_text, TEXT_APPEND },

    { "display", NULL, "sdl|none", G_SCREEN, "A window (default), or no screen.", opt_display, 0 },
    { "full-screen", NULL, NULL, G_SCREEN, "Starts full screen.", opt_flag, FLAG_FULLSCREEN },
    { "vga", NULL, "std|none", G_SCREEN, "The display adapter.", opt_vga, 0 },
    { "nographic", NULL, NULL, G_SCREEN, "No window; the first serial port on the terminal. Ctrl-A x quits, Ctrl-A c is the "
      "monitor, Ctrl-A h helps.", opt_flag, FLAG_NOGRAPHIC },
    { "serial", NULL, "DEV", G_SCREEN, "A serial port: stdio, mon:stdio, file:PATH, tcp:HOST:PORT[,server,nowait], "
      "unix:PATH[,server,nowait], pty, null, none, chardev:ID. Up to four.", opt_port, PORT_SERIAL },
    { "parallel", NULL, "DEV", G_SCREEN, "A parallel port, to the same kinds of device.", opt_port, PORT_PARALLEL },
    { "debugcon", NULL, "DEV", G_SCREEN, "A debug console at port E9h.", opt_port, PORT_DEBUGCON },
    { "chardev", NULL, "KIND,id=ID,...", G_SCREEN, "A named character device: socket (path= or host=, port=, server=on, wait=off), "
      "file (path=), stdio, pty, null; logfile= keeps a copy.", opt_chardev, 0 },

    { "monitor", NULL, "DEV", G_CONTROL, "The text monitor on a character device, e.g. stdio.", opt_monitor, MONITOR_TEXT },
    { "qmp", NULL, "DEV", G_CONTROL, "A QMP server: unix:PATH,server,nowait or tcp:HOST:PORT,server,nowait.", opt_monitor,
      MONITOR_QMP },
    { "qmp-pretty", NULL, "DEV", G_CONTROL, "The same, with line breaks for a reader.", opt_monitor, MONITOR_QMP_PRETTY },
    { "mon", NULL, "chardev=ID,...", G_CONTROL, "A monitor in the long form: chardev=, mode=readline|control, pretty=on.",
      opt_mon, 0 },
    { "S", NULL, NULL, G_CONTROL, "Starts stopped; cont lets it go.", opt_flag, FLAG_PAUSED },
    { "no-reboot", NULL, NULL, G_CONTROL, "A reset ends the emulator.", opt_flag, FLAG_NO_REBOOT },
    { "no-shutdown", NULL, NULL, G_CONTROL, "Power-off stops the machine but not the emulator.", opt_flag, FLAG_NO_SHUTDOWN },
    { "pidfile", NULL, "FILE", G_CONTROL, "Writes the process id there.", opt_text, TEXT_PIDFILE },
    { "D", NULL, "FILE", G_CONTROL, "Log to a file.", opt_log_file, 0 },
    { "d", NULL, "ITEMS", G_CONTROL, "What is logged: guest_errors, unimp; -d help explains.", opt_log_items, 0 },
    { "trace", NULL, "PATTERN", G_CONTROL, "Trace events by name; -trace help lists them.", opt_trace, 0 },

    { "speed", NULL, "max|real|N", G_RUN, "max: the model's rate, idle time skipped, always the same; real: a second inside is a "
      "second outside (default with a window, a terminal or a socket); N million instructions a virtual second.", opt_speed, 0 },
    { "input", NULL, "FILE", G_RUN, "Keys, mouse, serial bytes and media changes at given virtual times.", opt_text, TEXT_INPUT },
    { "save", NULL, "FILE", G_RUN, "Saves the whole machine at exit.", opt_text, TEXT_SAVE },
    { "load", NULL, "FILE", G_RUN, "Starts from a saved machine; the other options must be the same.", opt_text, TEXT_LOAD },
    { "loadvm", NULL, "FILE", G_RUN, "The same as --load.", opt_loadvm, 0 },
    { "state-hash", NULL, NULL, G_RUN, "Prints the SHA-256 of the machine's state at exit, with the instruction count.", opt_flag,
      FLAG_HASH },
    { "limit-insns", NULL, "N", G_RUN, "Ends the run after N instructions, status 4.", opt_limit, LIMIT_INSNS },
    { "limit-time", NULL, "S", G_RUN, "Ends the run after S virtual seconds, status 4.", opt_limit, LIMIT_TIME },
    { "timeout", NULL, "S", G_RUN, "Ends the run after S seconds of the host's, status 4.", opt_limit, LIMIT_TIMEOUT },
    { "help", "h", NULL, G_RUN, "This list.", opt_help, 0 },
    { "version", NULL, NULL, G_RUN, "The version.", opt_version, 0 },
    { "man", NULL, NULL, G_RUN, "The manual page, as troff.", opt_man, 0 },

    { "enable-kvm", NULL, NULL, G_OTHER, "Refused: guests always run in software.", opt_enable_kvm, 0 },
    { "vnc", NULL, ":N", G_OTHER, "VNC server.", NULL, 0 },
    { "gdb", NULL, "DEV", G_OTHER, "GDB server.", NULL, 0 },
    { "s", NULL, NULL, G_OTHER, "GDB server at port 1234.", NULL, 0 },
    { "netdev", NULL, "...", G_OTHER, "Network backend.", NULL, 0 },
    { "daemonize", NULL, NULL, G_OTHER, "Background.", NULL, 0 },
    { "incoming", NULL, "...", G_OTHER, "Migration.", NULL, 0 },
    { "smbios", NULL, "...", G_OTHER, "SMBIOS tables.", NULL, 0 },
    { "global", NULL, "...", G_OTHER, "Device properties.", NULL, 0 },
    { "audiodev", NULL, "...", G_OTHER, "Sound backend.", NULL, 0 },
};
const unsigned option_count = sizeof options / sizeof options[0];

void setup_fini(struct setup *u)
{
    char *const texts[] = { u->cpu, u->bios, u->lib_dir, u->kernel, u->initrd, u->append, u->boot_order, u->boot_once, u->uuid,
                            u->name, u->rtc, u->input, u->load, u->save, u->pidfile, u->boot_file };
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) free(texts[i]);
    for (unsigned i = 0; i < u->drives; i++) {
        free(u->drive[i].file);
        free(u->drive[i].format);
    }
    for (unsigned i = 0; i < u->fw_files; i++) {
        free(u->fw_file[i].name);
        free(u->fw_file[i].text);
        free(u->fw_file[i].data);
    }
    for (unsigned i = 0; i < u->serials; i++) free(u->serial[i]);
    for (unsigned i = 0; i < u->parallels; i++) free(u->parallel[i]);
    for (unsigned i = 0; i < u->monitors; i++) free(u->monitor[i].dev);
    for (unsigned i = 0; i < u->debugcons; i++) free(u->debugcon[i].backend);
    for (unsigned i = 0; i < u->chardevs; i++) setup_free_chardev(&u->chardev[i]);
}
