/* Files for tests of host/: a folder of its own for each test, in which names are short, removed afterwards. */
#ifndef TESTS_UNIT_HOST_RIG_H
#define TESTS_UNIT_HOST_RIG_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/status.h"
#include "tests/suite.h"

static char rig_folder[PATH_MAX];

/* The test runs in a fresh folder. */
static inline void rig_enter(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(rig_folder, sizeof rig_folder, "%s/beige-test-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(rig_folder));
    ck_assert_int_eq(chmod(rig_folder, 0755), 0);
    ck_assert_int_eq(chdir(rig_folder), 0);
}

static inline void rig_leave(void)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", rig_folder);
    ck_assert_int_eq(chdir("/"), 0);
    if (system(command) != 0) fprintf(stderr, "%s is left over\n", rig_folder);
}

static inline void rig_file(const char *name, const void *data, size_t len)
{
    FILE *f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

/* Reads at most max bytes; returns how many there are. */
static inline size_t rig_read(const char *name, void *data, size_t max)
{
    FILE *f = fopen(name, "rb");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(data, 1, max, f);
    fclose(f);
    return n;
}

/* From here on no file may grow beyond len bytes: the nearest thing to a full disk that needs no privileges. */
static inline void rig_full_disk_beyond(size_t len)
{
    struct rlimit l = { .rlim_cur = len, .rlim_max = RLIM_INFINITY };
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Runs fn as nobody in particular, also when the tests run as root; true if it returned true. It must not assert: it runs
 * in a process of its own, which ends without the checks for leaks (they need rights). */
static inline bool rig_as_nobody(bool (*fn)(void))
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) _exit((geteuid() != 0 || seteuid(65534) == 0) && fn() ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define ck_assert_contains(text, part) ck_assert_msg(strstr((text), (part)), "'%s' does not say '%s'", (text), (part))

#endif
