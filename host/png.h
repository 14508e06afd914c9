/* Pictures as files. Any thread. */
#ifndef HOST_PNG_H
#define HOST_PNG_H

#include "base/status.h"
#include "host/surface.h"

/* Written to a temporary name and renamed, so that a reader never sees half a picture. */
enum host_status picture_write_ppm(const struct surface *s, const char *path, struct error *e);
/* HOST_REFUSED in a build without libpng. */
enum host_status picture_write_png(const struct surface *s, const char *path, struct error *e);

#endif
