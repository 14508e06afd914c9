/* Runs the fragments of a folder in Beige, on any host: single instructions that once went wrong, with what a processor does.
 *
 *   fragments DIR
 *
 * `native --fragments DIR` runs the same on the host's processor. The last line is "N passed, N failed". */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "tests/insn/native_beige.h"
#include "tests/insn/native_fragment.h"
#include "tests/insn/native_masks.h"

enum { MAX = 1024 };

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool run(struct beige *g, const struct test_case *t, const char *name)
{
    bool passed = true;
    for (unsigned in_block = 0; in_block < 2; in_block++) {
        struct outcome expected = t->host, ours;
        if (in_block && !case_may_run_in_block(t)) break;
        beige_run(g, t, in_block, &ours);
        for (unsigned n = 0; n < expected.changes; n++)      /* memory that is not named was zero */
            for (unsigned k = 0; k < ours.changes && k < CHANGES; k++)
                if (ours.change[k].at == expected.change[n].at) expected.change[n].before = ours.change[k].before;
        mask_outcomes(t, &expected, &ours);
        const char *why = outcome_difference(&expected, &ours);
        if (!why) continue;
        printf("%s: %s differs%s\n", name, why, in_block ? ", in a block" : "");
        passed = false;
    }
    return passed;
}

int main(int argc, char **argv)
{
    static struct batch memory;
    static struct test_case t;
    char *names[MAX], path[4400], error[80];
    unsigned count = 0, passed = 0, failed = 0;
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    if (!d) {
        fprintf(stderr, "usage: fragments DIR\n");
        return 2;
    }
    for (struct dirent *e; (e = readdir(d)) && count < MAX;)
        if (strstr(e->d_name, ".txt")) names[count++] = strdup(e->d_name);
    closedir(d);
    qsort(names, count, sizeof *names, by_name);
    memory.access[SEL_CODE >> 3] = 0xcffb00;                 /* flat, as Linux has them */
    memory.access[SEL_DATA >> 3] = 0xcff300;
    memory.limit[SEL_CODE >> 3] = memory.limit[SEL_DATA >> 3] = 0xffffffff;
    struct beige *g = beige_create(&memory);
    for (unsigned n = 0; n < count; n++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], names[n]);
        FILE *f = fopen(path, "r");
        bool ok = f && fragment_read(f, &t, error, sizeof error);
        if (!ok) printf("%s %s\n", path, f ? error : "cannot be read");
        if (f) fclose(f);
        ok = ok && run(g, &t, names[n]);
        passed += ok;
        failed += !ok;
        free(names[n]);
    }
    beige_destroy(g);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
