/* Floppy formats by image size.
 *
 * The oddest behaviour: a drive for 1.2M disks turns at 360 instead of 300 revolutions a minute and has 96 tracks an
 * inch. A 360K disk in it passes at 300 instead of 250 kbit/s, and its tracks lie under every second position of the
 * head. */
#include "devices/i82077_formats.h"

static const struct floppy_geometry formats[] = {
    /* 5.25 inch */
    { 40, 1, 8, DENSITY_DOUBLE, false },       /* 160K */
    { 40, 1, 9, DENSITY_DOUBLE, false },       /* 180K */
    { 40, 2, 8, DENSITY_DOUBLE, false },       /* 320K */
    { 40, 2, 9, DENSITY_DOUBLE, false },       /* 360K */
    { 40, 2, 10, DENSITY_DOUBLE, false },      /* 400K */
    { 80, 2, 15, DENSITY_HIGH, false },        /* 1.2M */
    /* 3.5 inch */
    { 80, 2, 8, DENSITY_DOUBLE, true },        /* 640K */
    { 80, 2, 9, DENSITY_DOUBLE, true },        /* 720K */
    { 80, 2, 10, DENSITY_DOUBLE, true },       /* 800K */
    { 82, 2, 10, DENSITY_DOUBLE, true },       /* 820K */
    { 83, 2, 10, DENSITY_DOUBLE, true },       /* 830K */
    { 80, 2, 18, DENSITY_HIGH, true },         /* 1.44M */
    { 82, 2, 18, DENSITY_HIGH, true },         /* 1.48M */
    { 80, 2, 20, DENSITY_HIGH, true },         /* 1.6M */
    { 80, 2, 21, DENSITY_HIGH, true },         /* 1.68M, DMF */
    { 82, 2, 21, DENSITY_HIGH, true },         /* 1.72M */
    { 83, 2, 21, DENSITY_HIGH, true },         /* 1.74M */
    { 80, 2, 22, DENSITY_HIGH, true },         /* 1.76M */
    { 80, 2, 23, DENSITY_HIGH, true },         /* 1.84M */
    { 80, 2, 24, DENSITY_HIGH, true },         /* 1.92M */
    { 80, 2, 36, DENSITY_EXTRA, true },        /* 2.88M */
};

static uint64_t bytes_of(const struct floppy_geometry *g)
{
    return (uint64_t)g->cylinders * g->heads * g->sectors * 512;
}

bool floppy_geometry_of(uint64_t bytes, struct floppy_geometry *g)
{
    static const struct floppy_geometry high = { 80, 2, 18, DENSITY_HIGH, true };
    static const struct floppy_geometry extra = { 80, 2, 36, DENSITY_EXTRA, true };
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (bytes == bytes_of(&formats[i])) {
            *g = formats[i];
            return true;
        }
    if (bytes == 0 || bytes > bytes_of(&extra)) return false;
    *g = bytes <= bytes_of(&high) ? high : extra;
    return true;
}

enum floppy_drive_type floppy_drive_for(const struct floppy_geometry *g)
{
    if (g->density == DENSITY_EXTRA) return DRIVE_2880K;
    if (g->small) return DRIVE_1440K;
    return g->density == DENSITY_HIGH ? DRIVE_1200K : DRIVE_360K;
}

bool floppy_track_at(const struct floppy_geometry *g, enum floppy_drive_type drive, unsigned cylinder, unsigned *track,
                     enum floppy_rate *rate)
{
    bool wide_tracks = g->cylinders <= 42;
    if (g->density == DENSITY_EXTRA && drive != DRIVE_2880K) return false;
    if (g->density == DENSITY_HIGH && (drive == DRIVE_360K || drive == DRIVE_720K)) return false;
    if (!wide_tracks && drive == DRIVE_360K) return false;
    *track = cylinder;
    if (wide_tracks && drive == DRIVE_1200K) {
        if (cylinder & 1) return false;
        *track = cylinder / 2;
    }
    if (g->density == DENSITY_EXTRA) *rate = RATE_1M;
    else if (g->density == DENSITY_HIGH) *rate = RATE_500K;
    else *rate = drive == DRIVE_1200K ? RATE_300K : RATE_250K;
    return *track < g->cylinders;
}
