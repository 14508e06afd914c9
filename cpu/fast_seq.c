/* Handlers of the listed sequences (fast_seq.def), and how all handlers of several instructions are found (fast_seq.h). */
#include "cpu/fast_seq.h"

#include <stdlib.h>

#include "cpu/step.h"

#define END_SEQ2(A, B)
#define END_SEQ3(A, B, C)
#define END_SEQ4(A, B, C, D)

#define SEQ2(A, B) static HANDLER(A##_then_##B) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_ON(2) }
#define SEQ3(A, B, C) static HANDLER(A##_then_##B##_then_##C) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_DO(C, 2) SEQ_ON(3) }
#define SEQ4(A, B, C, D) \
    static HANDLER(A##_then_##B##_then_##C##_then_##D) { SEQ_DO(A, 0) SEQ_DO(B, 1) SEQ_DO(C, 2) SEQ_DO(D, 3) SEQ_ON(4) }
#include "cpu/fast_seq.def"
#undef SEQ2
#undef SEQ3
#undef SEQ4

#define SEQ2(A, B) { { SEQ_##A, SEQ_##B }, A##_then_##B },
#define SEQ3(A, B, C) { { SEQ_##A, SEQ_##B, SEQ_##C }, A##_then_##B##_then_##C },
#define SEQ4(A, B, C, D) { { SEQ_##A, SEQ_##B, SEQ_##C, SEQ_##D }, A##_then_##B##_then_##C##_then_##D },
static const struct seq seqs[] = {
#include "cpu/fast_seq.def"
};
const struct seq_list fast_seqs = { seqs, sizeof seqs / sizeof *seqs };

/* ---- numbers of single handlers */

static unsigned single_slot(const struct seq_map *m, insn_handler *run)
{
    unsigned n = (unsigned)((uintptr_t)run >> 4) & (SEQ_SINGLES - 1);
    while (m->single[n].number && m->single[n].run != run) n = (n + 1) & (SEQ_SINGLES - 1);
    return n;
}

static void add_single(struct seq_map *m, insn_handler *run, enum seq_number number)
{
    unsigned n = single_slot(m, run);
    m->single[n].run = run;
    m->single[n].number = (uint8_t)number;
}

/* ---- the tree */

/* Slot of the node or, where there is none, of its place. */
static unsigned node_slot(const struct seq_map *m, unsigned parent, unsigned number)
{
    uint32_t h = (parent << 8 | number) * 0x9e3779b1u;
    unsigned n = h >> 16 & (SEQ_NODES - 1);
    while (m->node[n].number && (m->node[n].parent != parent || m->node[n].number != number)) n = (n + 1) & (SEQ_NODES - 1);
    return n;
}

static void add_list(struct seq_map *m, const struct seq_list *list)
{
    for (unsigned k = 0; k < list->count; k++) {
        const struct seq *s = &list->seq[k];
        unsigned parent = 0, slot = 0;
        for (unsigned n = 0; n < SEQ_MAX && s->number[n]; n++) {
            slot = node_slot(m, parent, s->number[n]);
            m->node[slot].parent = (uint16_t)parent;
            m->node[slot].number = s->number[n];
            parent = slot + 1;
        }
        m->node[slot].run = s->run;
    }
}

struct seq_map *seq_map_create(void)
{
    struct seq_map *m = calloc(1, sizeof *m);
    if (!m) return NULL;
#define SEQ_STEP(NAME, SINGLE) add_single(m, SINGLE, SEQ_##NAME);
#define SEQ_END(NAME, SINGLE) add_single(m, SINGLE, SEQ_##NAME);
#include "cpu/fast_step.def"
    add_list(m, &fast_pairs);
    add_list(m, &fast_pair_ends);
    add_list(m, &fast_seqs);
    add_list(m, &fast_seq_ends);
    return m;
}

void seq_share(const struct seq_map *m, struct insn *first, unsigned count)
{
    uint8_t number[BLOCK_MAX], handlers[BLOCK_MAX + 1];       /* handlers: how many run from this record to the end */
    for (unsigned n = 0; n < count; n++) number[n] = m->single[single_slot(m, first[n].run)].number;
    handlers[count] = 0;
    for (unsigned n = count; n-- > 0;) {
        handlers[n] = (uint8_t)(handlers[n + 1] + 1);
        for (unsigned k = n, parent = 0; k < count && number[k]; k++) {
            unsigned slot = node_slot(m, parent, number[k]);
            const struct seq_node *node = &m->node[slot];
            if (!node->number) break;
            if (node->run && handlers[k + 1] + 1 < handlers[n]) {
                handlers[n] = (uint8_t)(handlers[k + 1] + 1);
                first[n].run = node->run;
            }
            parent = slot + 1;
        }
    }
}
