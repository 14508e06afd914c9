/* A test bench for chips: a bus, a clock and probes, without a CPU.
 *
 *   struct rig r;
 *   rig_init(&r);
 *   struct i8254_pins pins = { .base = 0x40, .out = { rig_probe(&r, 0) } };
 *   struct device *d = i8254_create(&r.board, "pit", &pins);
 *   rig_out8(&r, 0x43, 0x34);
 *   rig_step_ns(&r, 1000);
 *   ck_assert(r.probe[0].level);
 *   rig_check_device(d);
 *   rig_fini(&r);
 *
 * Time stands still between the calls; only rig_step_* move it. The helpers fail the Check test that calls them. */
#ifndef TESTS_CHIP_RIG_H
#define TESTS_CHIP_RIG_H

#include <check.h>
#include "devices/device.h"
#include "host/char.h"

enum { RIG_PROBES = 32, RIG_RAM = 2 << 20 };

/* The far end of an output wire. */
struct rig_probe {
    bool level;
    unsigned rises, falls;
    vtime last_rise, last_fall;
    struct rig *rig;
};

struct rig {
    struct clock clock;
    struct log log;                       /* every message goes to a sink, so that formatting it is tested too */
    FILE *sink;
    struct ram_space ram;
    struct phys_map mem;
    struct port_map ports;
    struct board board;
    struct ram_block *block;              /* RIG_RAM bytes at address 0 */
    struct region region;
    struct rig_probe probe[RIG_PROBES];
    unsigned requests;                    /* device_request calls, and the last of them */
    enum board_request request;
    uint64_t request_value;
};

void rig_init(struct rig *r);
/* Destroys the devices too. */
void rig_fini(struct rig *r);

/* A wire that ends in probe n. Several wires may not share one. */
struct irq_line rig_probe(struct rig *r, unsigned n);

uint8_t rig_in8(struct rig *r, uint16_t port);
uint16_t rig_in16(struct rig *r, uint16_t port);
uint32_t rig_in32(struct rig *r, uint16_t port);
void rig_out8(struct rig *r, uint16_t port, uint8_t v);
void rig_out16(struct rig *r, uint16_t port, uint16_t v);
void rig_out32(struct rig *r, uint16_t port, uint32_t v);

/* Lets time pass; timers fire in order, each exactly when it is due. */
void rig_step_ns(struct rig *r, uint64_t ns);
void rig_step_to(struct rig *r, vtime t);
/* Steps from timer to timer until the probe has that level; false if it has not after max_ns. */
bool rig_step_until(struct rig *r, unsigned probe, bool level, uint64_t max_ns);

/* The far end of a serial or parallel cable, or of a debug console: keeps what the chip sends, as text, as far as it fits. A
 * break shows as "[", its end as "]". Give &c->chr to the chip; what is to arrive goes through rig_arrive. */
struct rig_cable { struct chr chr; char sent[256]; size_t sent_len; };
void rig_cable_init(struct rig_cable *c);
void rig_arrive(struct rig_cable *c, const char *text);

/* The state of one device as a snapshot holds it, and back (poisons DERIVED fields first, calls loaded()). Free with
 * state_buf_fini. */
void rig_save(struct device *d, struct state_buf *out);
void rig_load(struct device *d, const struct state_buf *in);
/* A STATE field's value by path; fails the test if there is none. */
uint64_t rig_state(struct device *d, const char *path);

/* Every byte named; save, load, save gives the same bytes; every STATE field in use changes what is saved. */
void rig_check_device(struct device *d);

/* Where to aim. */
struct rig_window { uint64_t base; uint32_t count; bool mmio; };
/* `count` random reads and writes of 1, 2, 4 and 8 bytes in and just beyond the windows, with random steps of time;
 * then rig_check_device on every device of the board, a reset, and the same again. poke (may be NULL) is called now
 * and then with random bits, to press keys, send bytes or move wires. */
void rig_fuzz(struct rig *r, struct device *d, const struct rig_window *w, unsigned windows, uint64_t seed,
              unsigned count, void (*poke)(struct rig *r, struct device *d, uint64_t random));
/* How many seeds a fuzz test takes: the environment's BEIGE_FUZZ_SEEDS; else 1,000 where BEIGE_TEST_ALL is set (./check
 * --all), 3 where not. */
unsigned long rig_seeds(void);
/* rig_fuzz on a fresh rig for each of them, with 10,000 accesses. */
void rig_fuzz_seeds(struct device *(*make)(struct rig *r), const struct rig_window *w, unsigned windows,
                    void (*poke)(struct rig *r, struct device *d, uint64_t random));

/* A saved state with some of its bytes changed is refused, or runs: 50 accesses as rig_fuzz makes them after each. `d`
 * is left as one of those states left it. */
void rig_fuzz_state(struct rig *r, struct device *d, const struct rig_window *w, unsigned windows, uint64_t seed,
                    unsigned count);

/* main() of a test program: runs each test between setup and teardown. List them as RIG_TESTS(&one, &two). The exit
 * status of the process. */
int rig_run(const char *suite, void (*setup)(void), void (*teardown)(void), const TTest *const *const *tests,
            unsigned count);
#define RIG_TESTS(...) (const TTest *const *const[]){ __VA_ARGS__ }, \
    sizeof((const TTest *const *const[]){ __VA_ARGS__ }) / sizeof(const TTest *const *)

/* splitmix64: the next of a sequence of random numbers. */
uint64_t rig_random(uint64_t *state);

#endif
