/* The body of the DSDT (without the table header). Private to bios/. */
#ifndef BIOS_DSDT_H
#define BIOS_DSDT_H

#include "bios/aml.h"
#include "bios/bios.h"

void bios_build_dsdt(const struct bios_config *c, struct aml *a);

#endif
