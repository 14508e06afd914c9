/* The state table of byte queues. */
#include "base/fifo.h"

#include "base/state.h"

static const struct state_field fifo_fields[] = {
    FIELD_RANGE(struct fifo, len, 0, FIFO_MAX, "bytes queued"),
    FIELD_WIRING(struct fifo, size),
    FIELD_COUNTED(struct fifo, data, len, "oldest first"),
};
const struct state_desc fifo_state = STATE_DESC(struct fifo, "fifo", fifo_fields);
