/* What `info` shows: one function an item, QEMU's names where QEMU has them. Every chip's state can be shown too, by its id. */
#include <inttypes.h>
#include <string.h>
#include "frontend/monitor.h"

enum { BLOCKS = MACHINE_IDE + MACHINE_FLOPPIES };

static void info_status(struct monitor_call *c)
{
    enum run_state st = c->s->state;
    if (st == RUN_RUNNING || st == RUN_PAUSED) fprintf(c->out, "VM status: %s\n", session_state_name(c->s));
    else fprintf(c->out, "VM status: paused (%s)\n", session_state_name(c->s));
}

/* The views of the CPU have the names of their items. */
static void info_cpu_view(struct monitor_call *c) { machine_print_cpu(c->s->machine, c->word[1], c->out); }
static void info_qtree(struct monitor_call *c) { machine_print_device(c->s->machine, NULL, c->out); }
static void info_mtree(struct monitor_call *c) { machine_print_map(c->s->machine, c->out); }
static void info_pci(struct monitor_call *c)
{
    machine_print_device(c->s->machine, "pci", c->out);
    machine_print_pci(c->s->machine, c->out);
}
static void info_version(struct monitor_call *c) { fprintf(c->out, "%s\n", BEIGE_VERSION); }
static void info_name(struct monitor_call *c) { if (c->s->config.name) fprintf(c->out, "%s\n", c->s->config.name); }
static void info_kvm(struct monitor_call *c) { fprintf(c->out, "kvm support: not compiled\n"); }

static void info_uuid(struct monitor_call *c)
{
    fprintf(c->out, "%s\n", c->s->config.uuid ? c->s->config.uuid : "00000000-0000-0000-0000-000000000000");
}

static void info_cpus(struct monitor_call *c)
{
    fprintf(c->out, "* CPU #0: %s at 0x%08" PRIx64 "\n", machine_halted(c->s->machine) ? "halted" : "running",
            machine_linear_ip(c->s->machine));
}

static void info_mice(struct monitor_call *c)
{
    fprintf(c->out, "* Mouse #0: PS/2 mouse%s\n", machine_mouse_wanted(c->s->machine) ? "" : " (the guest does not listen to it)");
}

static void info_block(struct monitor_call *c)
{
    struct machine_block list[BLOCKS];
    unsigned n = machine_blocks(c->s->machine, list, BLOCKS);
    for (unsigned i = 0; i < n; i++) {
        const struct blk *b = list[i].blk;
        if (b) fprintf(c->out, "%s: %s (%s%s)\n", list[i].id, b->path, b->format, b->read_only ? ", read-only" : "");
        else fprintf(c->out, "%s: [not inserted]\n", list[i].id);
        if (list[i].removable) fprintf(c->out, "    Removable device: %slocked, tray %s\n", list[i].locked ? "" : "not ",
                                       list[i].tray_open ? "open" : "closed");
        if (b && b->ops->changes) fprintf(c->out, "    Changes are kept in memory only\n");
    }
}

static void info_chardev(struct monitor_call *c)
{
    for (unsigned i = 0; i < c->s->chardev_count; i++)
        fprintf(c->out, "%s: filename=%s\n", chardev_id(c->s->chardevs[i]), chardev_filename(c->s->chardevs[i]));
}

static void info_clock(struct monitor_call *c)
{
    uint64_t ns = vtime_ns(machine_time(c->s->machine));
    fprintf(c->out, "virtual time %" PRIu64 ".%09" PRIu64 " s, %" PRIu64 " instructions, %" PRIu64 " M a virtual second, speed "
            "%.0f%%\n", ns / 1000000000, ns % 1000000000, machine_icount(c->s->machine), c->s->pace.rate / 1000000,
            pace_speed(&c->s->pace) * 100);
}

static void info_inputs(struct monitor_call *c)
{
    unsigned n = 0;
    for (const struct scheduled *it = c->s->queue; it; it = it->next) n++;
    fprintf(c->out, "%u inputs wait", n);
    if (n) fprintf(c->out, ", the next for %.9f s", (double)vtime_ns(session_next_input(c->s)) / 1e9);
    fprintf(c->out, "\n");
}

static void info_checkpoints(struct monitor_call *c) { session_list_checkpoints(c->s, c->out); }

const struct monitor_command monitor_infos[] = {
    { "status", "", "running or paused", 2, info_status },
    { "registers", "", "the CPU's registers", 2, info_cpu_view },
    { "mem", "", "what the page tables map, by stretches", 2, info_cpu_view },
    { "tlb", "", "what the page tables map, page by page", 2, info_cpu_view },
    { "gdt", "", "the global descriptor table", 2, info_cpu_view },
    { "ldt", "", "the local descriptor table", 2, info_cpu_view },
    { "idt", "", "the interrupt descriptor table, or the vectors of real mode", 2, info_cpu_view },
    { "tss", "", "the task state segment", 2, info_cpu_view },
    { "cpus", "", "the CPUs", 2, info_cpus },
    { "qtree", "", "all chips: id, part, title", 2, info_qtree },
    { "pci", "", "the PCI bus and its functions", 2, info_pci },
    { "mtree", "", "the memory and port map", 2, info_mtree },
    { "block", "", "drives and their media", 2, info_block },
    { "chardev", "", "character devices", 2, info_chardev },
    { "clock", "", "virtual time, instruction count, speed", 2, info_clock },
    { "checkpoints", "", "states kept in memory", 2, info_checkpoints },
    { "inputs", "", "inputs that wait for their virtual time", 2, info_inputs },
    { "mice", "", "the mouse", 2, info_mice },
    { "kvm", "", "hardware virtualization: none", 2, info_kvm },
    { "version", "", "version", 2, info_version },
    { "name", "", "name of the machine", 2, info_name },
    { "uuid", "", "UUID of the machine", 2, info_uuid },
    { NULL, NULL, NULL, 0, NULL },
};
