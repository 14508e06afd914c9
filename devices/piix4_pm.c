/* Intel 82371AB (PIIX4) power management function: ACPI fixed registers, PM timer, SMI, and the SMBus host controller.
 * 82371AB datasheet (290562), chapters 7.1 (configuration), 7.2 (SMBus I/O), 7.3 (power management I/O), 11
 * (functions).
 *
 * The PM timer counts 3.579545 MHz in 24 bits and sets TMROF_STS each time its top bit changes, every 2.34 s. Both are
 * computed from virtual time when somebody looks; an alarm runs only while the overflow may interrupt.
 *
 * Ports B2h/B3h (APMC, APMS) are how software calls the SMM code: a write to B2h raises SMI# if DEVACTB's APMC_EN is
 * set. SeaBIOS's SMM code does not handle the two ACPI commands of our FADT (F1h enables, F0h disables ACPI mode),
 * which a board's firmware would; so, as on the board that SeaBIOS is written for, the chip itself sets SCI_EN on them.
 *
 * GAP: EOS (GLBCTL bit 16) does not hold back the next SMI, since SeaBIOS never sets it. SMI_EN likewise gates only
 * SMIs other than APMC's: releases of SeaBIOS before 1.16.3 do not set it.
 * GAP: device activity monitors, throttling, C2/C3 and the sleep states other than S5 have registers and no effect.
 * The bits of GLBSTS and GLBEN other than APM_STS are unverified. No slave is on the SMBus: no address is acknowledged. */
#include "devices/piix4_pm.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {                                        /* configuration space */
    PMBA = 0x40, CNTA = 0x44, DEVRESD = 0x50, DEVACTB = 0x58, DEVRES_END = 0x7f, PMREGMISC = 0x80, SMBBA = 0x90,
    SMBHSTCFG = 0xd2, SMBSLVC = 0xd3, SMBSHDW1 = 0xd4, SMBSHDW2 = 0xd5, SMBREV = 0xd6,
};
enum { PMIOSE = 1, SMB_HST_EN = 1, SMB_INTRSEL = 0x0e, SMB_IRQ9 = 0x08 };
enum { APMC_EN = 1u << 25 };
enum { PM_PORTS = 64, SMB_PORTS = 16, APM_PORT = 0xb2 };

enum {                                        /* PM I/O, offsets from PMBA, one dword each */
    PMSTS_PMEN = 0x00, PMCNTRL = 0x04, PMTMR = 0x08, GPSTS_GPEN = 0x0c, PCNTRL = 0x10, PLVL = 0x14, GLBSTS = 0x18,
    DEVSTS = 0x1c, GLBEN = 0x20, GLBCTL = 0x28, DEVCTL = 0x2c, GPIREG = 0x30, GPOREG = 0x34,
};
enum { TMROF_STS = 1, GBL_STS = 0x20, PWRBTN_STS = 0x100, RTC_STS = 0x400, PMSTS_BITS = 0x8d31, PMEN_BITS = 0x0521 };
enum { SCI_EN = 1, GBL_RLS = 4, SUS_TYP_SHIFT = 10, SUS_EN = 0x2000, PMCNTRL_BITS = 0x1c03 };
enum { SUS_SOFT_OFF = 0 };
enum { BIOS_STS = 2, APM_STS = 0x20, GLBSTS_BITS = 0x0df2, BIOS_EN = 2, GLBEN_BITS = 0x0fff };
enum { SMI_EN = 1, BIOS_RLS = 2, GLBCTL_BITS = 0x0601ff0d };
enum { GPSTS_BITS = 0x0f81, GPEN_BITS = 0x0f01 };
enum { PCNTRL_BITS = 0x00023e1e, DEVSTS_BITS = 0x3fff3fff, DEVCTL_BITS = 0x3fffffff };

enum {                                        /* SMBus I/O, offsets from SMBBA */
    SMBHSTSTS, SMBSLVSTS, SMBHSTCNT, SMBHSTCMD, SMBHSTADD, SMBHSTDAT0, SMBHSTDAT1, SMBBLKDAT, SMBSLVCNT, SMBSHDWCMD,
    SMBSLVEVT, SMBSLVDAT = 0x0c,
};
enum { SMB_BUSY = 1, SMB_DEV_ERR = 4, SMB_FAILED = 0x10, HSTSTS_W1C = 0x1e, INTREN = 1, KILL = 2, SMB_START = 0x40 };
/* Start, address and missing acknowledge at the 16 kHz of the default clock */
#define SMB_NACK_TIME VTIME_US(600)

enum { ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 };
static const struct clk pm_clock = { 39375000, 11 };      /* 3.579545.. MHz: a quarter of 14.31818 */
enum { TMR_BITS = 24 };
#define UNMAPPED 0xffffffffu

struct piix4_pm {
    struct pci_function pci;
    struct irq_line sci, smi;
    struct timer overflow;                    /* runs while TMROF_EN is set and the status is not */
    struct timer smb_done;
    uint64_t half_seen;                       /* half periods of the PM timer whose overflow is accounted for */
    uint32_t pcntrl, devsts, glbctl, devctl, gpo;
    uint16_t pmsts, pmen, pmcntrl, gpsts, gpen, glbsts, glben;
    uint8_t apmc, apms;
    uint8_t smb_sts, smb_cnt, smb_cmd, smb_add, smb_dat0, smb_dat1, smb_slvcnt, smb_shdwcmd;
    uint8_t smb_blkdat[32], smb_slvevt[2], smb_blkpos;
    uint8_t unused[1];
    uint32_t pm_at, smb_at;                   /* where the port map has us now */
    uint32_t unused2[4];
};

static const struct state_field piix4_pm_fields[] = {
    FIELD_STRUCT(struct piix4_pm, pci, &pci_function_state, "PCI function"),
    FIELD(struct piix4_pm, sci, "SCI output"),
    FIELD(struct piix4_pm, smi, "SMI# output"),
    FIELD(struct piix4_pm, overflow, "next overflow of the PM timer"),
    FIELD(struct piix4_pm, smb_done, "end of the SMBus transaction"),
    FIELD(struct piix4_pm, half_seen, "half periods of the PM timer accounted for"),
    FIELD(struct piix4_pm, pcntrl, "processor control"),
    FIELD(struct piix4_pm, devsts, "device status"),
    FIELD(struct piix4_pm, glbctl, "global control"),
    FIELD(struct piix4_pm, devctl, "device control"),
    FIELD(struct piix4_pm, gpo, "general purpose outputs"),
    FIELD(struct piix4_pm, pmsts, "power management status (PM1)"),
    FIELD(struct piix4_pm, pmen, "power management enable (PM1)"),
    FIELD(struct piix4_pm, pmcntrl, "power management control (PM1)"),
    FIELD(struct piix4_pm, gpsts, "general purpose status (GPE0)"),
    FIELD(struct piix4_pm, gpen, "general purpose enable (GPE0)"),
    FIELD(struct piix4_pm, glbsts, "global status"),
    FIELD(struct piix4_pm, glben, "global enable"),
    FIELD(struct piix4_pm, apmc, "APM control (port B2h)"),
    FIELD(struct piix4_pm, apms, "APM status (port B3h)"),
    FIELD(struct piix4_pm, smb_sts, "SMBus host status"),
    FIELD(struct piix4_pm, smb_cnt, "SMBus host control"),
    FIELD(struct piix4_pm, smb_cmd, "SMBus host command"),
    FIELD(struct piix4_pm, smb_add, "SMBus host address"),
    FIELD(struct piix4_pm, smb_dat0, "SMBus host data 0"),
    FIELD(struct piix4_pm, smb_dat1, "SMBus host data 1"),
    FIELD(struct piix4_pm, smb_slvcnt, "SMBus slave control"),
    FIELD(struct piix4_pm, smb_shdwcmd, "SMBus shadow command"),
    FIELD_ARRAY(struct piix4_pm, smb_blkdat, "SMBus block data"),
    FIELD_ARRAY(struct piix4_pm, smb_slvevt, "SMBus slave event enable"),
    FIELD_RANGE(struct piix4_pm, smb_blkpos, 0, 31, "next byte of the SMBus block data"),
    FIELD_WIRING(struct piix4_pm, unused),
    FIELD_HOST(struct piix4_pm, pm_at),
    FIELD_HOST(struct piix4_pm, smb_at),
    FIELD_WIRING(struct piix4_pm, unused2),
};
static const struct state_desc piix4_pm_state = STATE_DESC(struct piix4_pm, "piix4_pm", piix4_pm_fields);

static struct clock *clock_of(struct piix4_pm *p) { return p->pci.dev.board->clock; }

/* ---- timer and events */

static uint64_t timer_ticks(struct piix4_pm *p) { return clk_ticks_at(pm_clock, clock_now(clock_of(p))); }

/* Accounts for changes of the timer's top bit up to now. */
static void note_overflow(struct piix4_pm *p)
{
    uint64_t half = timer_ticks(p) >> (TMR_BITS - 1);
    if (half != p->half_seen) p->pmsts |= TMROF_STS;
    p->half_seen = half;
}

static void raise_smi(struct piix4_pm *p) { irq_pulse(&p->smi); }

static bool smbus_interrupts(const struct piix4_pm *p)
{
    return (p->smb_cnt & INTREN) && (p->smb_sts & HSTSTS_W1C) && (p->pci.config[SMBHSTCFG] & SMB_INTRSEL) == SMB_IRQ9;
}

/* Drives SCI, and keeps the overflow alarm running exactly while it can be seen. */
static void update(struct piix4_pm *p)
{
    bool event = (p->pmsts & p->pmen & PMEN_BITS) || (p->gpsts & p->gpen & GPEN_BITS);
    irq_set(&p->sci, ((p->pmcntrl & SCI_EN) && event) || smbus_interrupts(p));
    if ((p->pmen & TMROF_STS) && !(p->pmsts & TMROF_STS))
        timer_arm(&p->overflow, clk_time_of(pm_clock, (p->half_seen + 1) << (TMR_BITS - 1)));
    else timer_disarm(&p->overflow);
}

/* Sets status bits. With SCI_EN clear an enabled event calls SMM instead of the ACPI driver (11.6.2). */
static void set_pmsts(struct piix4_pm *p, uint16_t bits)
{
    uint16_t fresh = (uint16_t)(bits & ~p->pmsts);
    p->pmsts |= bits;
    if (fresh) trace(p->pci.dev.board->log, pm_event, (uint64_t)p->pmsts);
    if ((fresh & p->pmen) && !(p->pmcntrl & SCI_EN) && (p->glbctl & SMI_EN)) raise_smi(p);
    update(p);
}

static void overflow_due(void *opaque, vtime due)
{
    (void)due;
    struct piix4_pm *p = opaque;
    bool was = p->pmsts & TMROF_STS;
    note_overflow(p);
    if (!was && (p->pmsts & TMROF_STS)) {
        p->pmsts &= (uint16_t)~TMROF_STS;
        set_pmsts(p, TMROF_STS);
    } else {
        update(p);
    }
}

/* 7.3.1, RTC_STS. */
void piix4_pm_rtc(struct device *d) { set_pmsts((struct piix4_pm *)d, RTC_STS); }

void piix4_pm_power_button(struct device *d) { set_pmsts((struct piix4_pm *)d, PWRBTN_STS); }

/* ---- PM I/O */

static uint32_t pm_read_dword(struct piix4_pm *p, unsigned off)
{
    switch (off) {
    case PMSTS_PMEN:
        note_overflow(p);
        update(p);
        return p->pmsts | (uint32_t)p->pmen << 16;
    case PMCNTRL: return p->pmcntrl;
    case PMTMR: return (uint32_t)timer_ticks(p) & ((1u << TMR_BITS) - 1);
    case GPSTS_GPEN: return p->gpsts | (uint32_t)p->gpen << 16;
    case PCNTRL: return p->pcntrl;
    case PLVL: return 0;                      /* a read would stop the CPU's clock: see GAP */
    case GLBSTS: return p->glbsts;
    case DEVSTS: return p->devsts;
    case GLBEN: return p->glben;
    case GLBCTL: return p->glbctl;
    case DEVCTL: return p->devctl;
    case GPIREG: return 0;
    case GPOREG: return p->gpo;
    default: return 0;
    }
}

static void write_pmcntrl(struct piix4_pm *p, uint16_t val)
{
    p->pmcntrl = val & PMCNTRL_BITS;
    if (val & GBL_RLS) {
        p->glbsts |= BIOS_STS;
        if ((p->glben & BIOS_EN) && (p->glbctl & SMI_EN)) raise_smi(p);
    }
    if (val & SUS_EN) {
        unsigned type = (val >> SUS_TYP_SHIFT) & 7;
        trace(p->pci.dev.board->log, pm_sleep, (uint64_t)type);
        if (type == SUS_SOFT_OFF) device_request(&p->pci.dev, BOARD_POWER_OFF, 0);
        else log_unimp(p->pci.dev.board->log, p->pci.dev.id, type, "suspend type %u is not modelled", type);
    }
    update(p);
}

static uint32_t merge(uint32_t old, uint32_t val, uint32_t mask, uint32_t writable)
{
    return (old & ~(mask & writable)) | (val & mask & writable);
}

/* mask: the byte lanes that are written. */
static void pm_write_dword(struct piix4_pm *p, unsigned off, uint32_t val, uint32_t mask)
{
    uint32_t on = val & mask;
    switch (off) {
    case PMSTS_PMEN:
        note_overflow(p);
        p->pmsts &= (uint16_t)~(on & PMSTS_BITS);
        p->pmen = (uint16_t)merge(p->pmen, val >> 16, mask >> 16, PMEN_BITS);
        break;
    case PMCNTRL:
        if (mask & 0xffff) write_pmcntrl(p, (uint16_t)merge(p->pmcntrl, val, mask, 0xffff));
        break;
    case GPSTS_GPEN:
        p->gpsts &= (uint16_t)~(on & GPSTS_BITS);
        p->gpen = (uint16_t)merge(p->gpen, val >> 16, mask >> 16, GPEN_BITS);
        break;
    case PCNTRL: p->pcntrl = merge(p->pcntrl, val, mask, PCNTRL_BITS); break;
    case GLBSTS: p->glbsts &= (uint16_t)~(on & GLBSTS_BITS); break;
    case DEVSTS: p->devsts &= ~(on & DEVSTS_BITS); break;
    case GLBEN: p->glben = (uint16_t)merge(p->glben, val, mask, GLBEN_BITS); break;
    case GLBCTL:
        p->glbctl = merge(p->glbctl, val, mask, GLBCTL_BITS);
        if (on & BIOS_RLS) set_pmsts(p, GBL_STS);
        break;
    case DEVCTL: p->devctl = merge(p->devctl, val, mask, DEVCTL_BITS); break;
    case GPOREG: p->gpo = merge(p->gpo, val, mask, 0x7fffffff); break;
    default: log_guest(p->pci.dev.board->log, p->pci.dev.id, "write to PM I/O offset %#x", off); break;
    }
    update(p);
}

static uint64_t pm_read(void *dev, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size;) {         /* one step for each dword that the access touches */
        unsigned lane = (off + i) & 3, n = 4 - lane < size - i ? 4 - lane : size - i;
        uint64_t part = (pm_read_dword(dev, (unsigned)(off + i) & ~3u) >> (8 * lane)) & ones(n);
        v |= part << (8 * i);
        i += n;
    }
    return v;
}

static void pm_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    for (unsigned i = 0; i < size;) {
        unsigned lane = (off + i) & 3, n = 4 - lane < size - i ? 4 - lane : size - i;
        uint32_t part = (uint32_t)((val >> (8 * i)) & ones(n));
        pm_write_dword(dev, (unsigned)(off + i) & ~3u, part << (8 * lane), (uint32_t)ones(n) << (8 * lane));
        i += n;
    }
}

static const struct io_ops pm_ops = { pm_read, pm_write, 1, 4 };

/* ---- ports B2h, B3h */

static uint64_t apm_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    struct piix4_pm *p = dev;
    return off == 0 ? p->apmc : p->apms;
}

static void apm_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    struct piix4_pm *p = dev;
    if (off == 1) {
        p->apms = (uint8_t)val;
        return;
    }
    p->apmc = (uint8_t)val;
    if (val == ACPI_ENABLE) p->pmcntrl |= SCI_EN;
    if (val == ACPI_DISABLE) p->pmcntrl &= (uint16_t)~SCI_EN;
    update(p);
    bool smi = ld32(p->pci.config + DEVACTB) & APMC_EN;
    trace(p->pci.dev.board->log, pm_smi_command, val, (uint64_t)smi);
    if (smi) {
        p->glbsts |= APM_STS;
        raise_smi(p);
    }
}

static const struct io_ops apm_ops = { apm_read, apm_write, 1, 1 };

/* ---- SMBus host controller */

static void smb_finish(struct piix4_pm *p, uint8_t status)
{
    p->smb_sts = (uint8_t)((p->smb_sts & ~SMB_BUSY) | status);
    if ((p->smb_cnt & INTREN) && (p->pci.config[SMBHSTCFG] & SMB_INTRSEL) == 0) raise_smi(p);
    update(p);
}

static void smb_done_due(void *opaque, vtime due)
{
    (void)due;
    smb_finish(opaque, SMB_DEV_ERR);              /* nobody acknowledged the address */
}

static uint64_t smb_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    struct piix4_pm *p = dev;
    switch (off) {
    case SMBHSTSTS: return p->smb_sts;
    case SMBSLVSTS: return 0;
    case SMBHSTCNT:                           /* a read starts the block data over (7.2.3) */
        p->smb_blkpos = 0;
        return p->smb_cnt;
    case SMBHSTCMD: return p->smb_cmd;
    case SMBHSTADD: return p->smb_add;
    case SMBHSTDAT0: return p->smb_dat0;
    case SMBHSTDAT1: return p->smb_dat1;
    case SMBBLKDAT: {                         /* a read moves to the next byte */
        uint8_t v = p->smb_blkdat[p->smb_blkpos];
        p->smb_blkpos = (p->smb_blkpos + 1) & 31;
        return v;
    }
    case SMBSLVCNT: return p->smb_slvcnt;
    case SMBSHDWCMD: return p->smb_shdwcmd;
    case SMBSLVEVT: case SMBSLVEVT + 1: return p->smb_slvevt[off - SMBSLVEVT];
    default: return 0;
    }
}

static void smb_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    struct piix4_pm *p = dev;
    uint8_t v = (uint8_t)val;
    switch (off) {
    case SMBHSTSTS:
        p->smb_sts &= (uint8_t)~(v & HSTSTS_W1C);
        update(p);
        break;
    case SMBHSTCNT:
        p->smb_cnt = v & 0x1d;                /* START and KILL read as 0 */
        if ((v & KILL) && (p->smb_sts & SMB_BUSY)) {
            timer_disarm(&p->smb_done);
            smb_finish(p, SMB_FAILED);
        } else if ((v & SMB_START) && !(p->smb_sts & SMB_BUSY)) {
            p->smb_sts |= SMB_BUSY;
            timer_arm(&p->smb_done, clock_now(clock_of(p)) + SMB_NACK_TIME);
        }
        update(p);
        break;
    case SMBHSTCMD: p->smb_cmd = v; break;
    case SMBHSTADD: p->smb_add = v; break;
    case SMBHSTDAT0: p->smb_dat0 = v; break;
    case SMBHSTDAT1: p->smb_dat1 = v; break;
    case SMBBLKDAT:
        p->smb_blkdat[p->smb_blkpos] = v;
        p->smb_blkpos = (p->smb_blkpos + 1) & 31;
        break;
    case SMBSLVCNT: p->smb_slvcnt = v & 0x0f; break;
    case SMBSLVEVT: case SMBSLVEVT + 1: p->smb_slvevt[off - SMBSLVEVT] = v; break;
    default: break;
    }
}

static const struct io_ops smb_ops = { smb_read, smb_write, 1, 1 };

/* ---- configuration */

static void move_ports(struct piix4_pm *p, uint32_t *at, uint32_t to, uint32_t count, const struct io_ops *ops)
{
    struct port_map *ports = p->pci.dev.board->ports;
    if (*at == to) return;
    if (*at != UNMAPPED) port_release(ports, (uint16_t)*at, count, p);
    *at = UNMAPPED;
    if (to == UNMAPPED) return;
    struct port_window w = { .name = p->pci.dev.id, .base = (uint16_t)to, .count = count, .ops = ops, .dev = p,
                             .shared = true };
    struct error e = { "" };
    if (port_claim(ports, &w, &e) == 0) *at = to;
    else log_guest(p->pci.dev.board->log, p->pci.dev.id, "%s", e.text);
}

/* PMBA is decoded by PMIOSE alone, SMBBA by the I/O enable of the command register and SMB_HST_EN (7.1.2, 7.1.19). */
static void apply(struct piix4_pm *p)
{
    const uint8_t *config = p->pci.config;
    uint32_t pm = ld16(config + PMBA) & 0xffc0, smb = ld16(config + SMBBA) & 0xfff0;
    bool pm_on = (config[PMREGMISC] & PMIOSE) && pm;
    bool smb_on = (config[SMBHSTCFG] & SMB_HST_EN) && (config[PCI_COMMAND] & PCI_COMMAND_IO) && smb;
    move_ports(p, &p->pm_at, pm_on ? pm : UNMAPPED, PM_PORTS, &pm_ops);
    move_ports(p, &p->smb_at, smb_on ? smb : UNMAPPED, SMB_PORTS, &smb_ops);
}

static void piix4_pm_config_written(struct pci_function *f, unsigned off, unsigned size)
{
    (void)off, (void)size;
    apply((struct piix4_pm *)f);
    update((struct piix4_pm *)f);
}

static void piix4_pm_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct piix4_pm *p = (struct piix4_pm *)d;
    uint8_t *config = p->pci.config;
    pci_function_reset(&p->pci);
    st16(config + PCI_STATUS, 0x0280);
    for (unsigned i = PMBA; i < 256; i++) config[i] = 0;
    config[PMBA] = config[SMBBA] = 1;         /* I/O space indicators, hardwired */
    timer_disarm(&p->overflow);
    timer_disarm(&p->smb_done);
    p->half_seen = timer_ticks(p) >> (TMR_BITS - 1);
    p->pcntrl = p->devsts = p->glbctl = p->devctl = 0;
    p->gpo = 0x7fffbfff;
    p->pmsts = p->pmen = p->pmcntrl = p->gpsts = p->gpen = p->glbsts = p->glben = 0;
    p->apmc = p->apms = 0;
    p->smb_sts = p->smb_cnt = p->smb_cmd = p->smb_add = p->smb_dat0 = p->smb_dat1 = p->smb_slvcnt = p->smb_shdwcmd = 0;
    memset(p->smb_blkdat, 0, sizeof p->smb_blkdat);
    memset(p->smb_slvevt, 0, sizeof p->smb_slvevt);
    p->smb_blkpos = 0;
    irq_set(&p->smi, false);
    apply(p);
    update(p);
}

static void piix4_pm_loaded(struct device *d)
{
    struct piix4_pm *p = (struct piix4_pm *)d;
    pci_function_loaded(&p->pci);
    apply(p);
}

static void piix4_pm_destroy(struct device *d)
{
    struct piix4_pm *p = (struct piix4_pm *)d;
    timer_fini(&p->overflow);
    timer_fini(&p->smb_done);
    free(p);
}

static const struct device_class piix4_pm_class = {
    .name = "piix4_pm", .title = "PIIX4 power management", .reset = piix4_pm_reset, .loaded = piix4_pm_loaded,
    .destroy = piix4_pm_destroy, .state = &piix4_pm_state,
};

struct device *piix4_pm_create(struct board *b, const char *id, const struct piix4_pm_pins *pins)
{
    struct piix4_pm *p = calloc(1, sizeof *p);
    if (!p) abort();
    pci_function_init(&p->pci, pins->bus, &piix4_pm_class, id, 1, 3, 0x8086, 0x7113, 0x068000, 3);
    pci_set_subsystem(&p->pci, 0x1af4, 0x1100);
    p->pci.config_written = piix4_pm_config_written;
    p->pci.config[PCI_INT_PIN] = 1;
    st16(p->pci.wmask + PCI_COMMAND, 0x0001); /* only I/O decoding (of the SMBus block) can be switched */
    p->pci.wmask[PCI_CACHE_LINE] = p->pci.wmask[PCI_LATENCY] = 0;
    st16(p->pci.wmask + PMBA, 0xffc0);
    st16(p->pci.wmask + SMBBA, 0xfff0);
    for (unsigned i = CNTA; i <= DEVRES_END; i++) p->pci.wmask[i] = 0xff;
    p->pci.wmask[DEVRESD + 3] = 0;
    p->pci.wmask[PMREGMISC] = PMIOSE;
    p->pci.wmask[SMBHSTCFG] = 0x0f;
    p->pci.wmask[SMBSLVC] = p->pci.wmask[SMBSHDW1] = p->pci.wmask[SMBSHDW2] = 0xff;
    p->sci = pins->sci;
    p->smi = pins->smi;
    p->pm_at = p->smb_at = UNMAPPED;
    timer_init(&p->overflow, b->clock, "piix4_pm.overflow", overflow_due, p);
    timer_init(&p->smb_done, b->clock, "piix4_pm.smbus", smb_done_due, p);
    device_claim_ports(&p->pci.dev, APM_PORT, 2, &apm_ops);
    piix4_pm_reset(&p->pci.dev, RESET_POWER_ON);
    return &p->pci.dev;
}
