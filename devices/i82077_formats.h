/* Floppy formats and what can read them. Pure; any thread. */
#ifndef DEVICES_I82077_FORMATS_H
#define DEVICES_I82077_FORMATS_H

#include <stdbool.h>
#include <stdint.h>

enum floppy_density { DENSITY_DOUBLE, DENSITY_HIGH, DENSITY_EXTRA };
/* As in CMOS register 10h. */
enum floppy_drive_type { DRIVE_NONE, DRIVE_360K, DRIVE_1200K, DRIVE_720K, DRIVE_1440K, DRIVE_2880K };
/* Data rates as the controller's two bits have them. */
enum floppy_rate { RATE_500K, RATE_300K, RATE_250K, RATE_1M };

struct floppy_geometry {
    uint8_t cylinders, heads, sectors;         /* sectors a track, of 512 bytes, numbered from 1 */
    uint8_t density;                           /* enum floppy_density */
    bool small;                                /* 3.5 inch */
};

/* False: larger than any floppy, or empty. */
bool floppy_geometry_of(uint64_t bytes, struct floppy_geometry *g);
/* The drive that a disk of this kind is usually put into. */
enum floppy_drive_type floppy_drive_for(const struct floppy_geometry *g);
/* Which track of the disk lies under the head, and at which rate it passes; false if this drive cannot read it there.
 */
bool floppy_track_at(const struct floppy_geometry *g, enum floppy_drive_type drive, unsigned cylinder, unsigned *track,
                     enum floppy_rate *rate);

#endif
