/* The run loop: time, timers and the CPU take turns here, and nowhere else.
 *
 * The order at one instant is: inputs (applied between calls of machine_run), then timers that are due, then the CPU. A
 * timer due at t fires before the first instruction that starts at or after t, because the CPU's budget is exactly the
 * number of instructions that start earlier. The loop is the same whatever slices the caller cuts time into: a slice's end
 * moves a halted machine's clock forward and does nothing else. */
#include <string.h>
#include "machine/pc.h"

static void machine_do_reset(struct machine *m)
{
    m->want_reset = false;
    trace(m->log, board_reset, m->clock.icount);
    pc_reset(m);
    board_reset(&m->board, RESET_HARD);
    cpu_reset(m->cpu, true);
}

/* Takes what was asked for. True if the run ends. */
static bool machine_take_requests(struct machine *m, enum stop_reason *why)
{
    if (m->end != STOP_LIMIT) {
        *why = m->end;
        m->end = STOP_LIMIT;
        return true;
    }
    if (m->want_reset) {
        if (m->cfg.no_reboot) {
            m->want_reset = false;
            snprintf(m->stop_text, sizeof m->stop_text, "the guest asked for a reset (-no-reboot)");
            *why = STOP_RESET;
            return true;
        }
        machine_do_reset(m);
        m->guest_resets++;
    }
    if (m->want_stop) {
        m->want_stop = false;
        *why = STOP_REQUESTED;
        return true;
    }
    return false;
}

enum stop_reason machine_run(struct machine *m, vtime until_time, uint64_t until_count, bool skip_idle, vtime *idle_until)
{
    enum stop_reason why;
    for (;;) {
        clock_run_due(&m->clock);
        if (machine_take_requests(m, &why)) return why;
        if (m->clock.now >= until_time || m->clock.icount >= until_count) return STOP_LIMIT;
        vtime due = clock_deadline(&m->clock);
        if (cpu_activity(m->cpu) != CPU_RUNNING && !cpu_would_wake(m->cpu)) {
            if (idle_until) *idle_until = due;
            if (!skip_idle || due == VTIME_NEVER) return STOP_IDLE;
            clock_skip_to(&m->clock, due < until_time ? due : until_time);
            continue;
        }
        uint64_t budget = clock_insns_until(&m->clock, due < until_time ? due : until_time);
        uint64_t left = until_count - m->clock.icount;
        cpu_run(m->cpu, budget < left ? budget : left);
    }
}

void machine_skip(struct machine *m, vtime t)
{
    vtime due = clock_deadline(&m->clock);
    if (due < t) t = due;
    if (t > m->clock.now && cpu_activity(m->cpu) != CPU_RUNNING) clock_skip_to(&m->clock, t);
}

void machine_stop(struct machine *m)
{
    m->want_stop = true;
    cpu_kick(m->cpu);
}

void machine_reset(struct machine *m) { machine_do_reset(m); }
uint64_t machine_guest_resets(const struct machine *m) { return m->guest_resets; }
vtime machine_time(const struct machine *m) { return m->clock.now; }
uint64_t machine_icount(const struct machine *m) { return m->clock.icount; }
void machine_set_rate(struct machine *m, uint64_t insns_per_sec) { clock_set_rate(&m->clock, insns_per_sec); }
uint8_t machine_exit_value(const struct machine *m) { return m->exit_value; }
const char *machine_stop_text(const struct machine *m) { return m->stop_text; }
bool machine_halted(struct machine *m) { return cpu_activity(m->cpu) == CPU_HALTED; }
uint64_t machine_ram_size(struct machine *m) { return m->cfg.ram_size; }
void machine_cpu_help(FILE *out) { cpu_model_help(out); }

uint64_t machine_rate(const struct machine *m) { return m->cfg.rate ? m->cfg.rate : cpu_default_rate(m->cpu); }

uint64_t machine_rate_cap(const struct machine *m)
{
    uint32_t features, family = cpu_signature(m->cpu, &features) >> 8 & 15;
    return family < 6 ? cpu_default_rate(m->cpu) : 0;
}
