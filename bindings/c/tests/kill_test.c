/* Writers that are killed with SIGKILL, again and again, on one file. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { ROUNDS = 12, LONG_VALUE_BYTES = 9000 };

/* Puts one number after the other, each with a key of its own, and says of each that it is durable. */
static void write_for_ever(const char *path, int64_t number, int acks) {
    static char long_value[LONG_VALUE_BYTES + 1];
    memset(long_value, 'v', LONG_VALUE_BYTES);
    revwatch_store *store = NULL;
    if (revwatch_store_open(path, NULL, &store) != REVWATCH_OK) _exit(1);
    for (;; number++) {
        char key[32];
        snprintf(key, sizeof key, "/%08" PRId64, number);
        /* Some of them continue over pages. */
        const char *value = number % 7 ? "short" : long_value;
        if (revwatch_store_put(store, S(key), S(value), NULL) != REVWATCH_OK) _exit(2);
        if (write(acks, &number, sizeof number) != sizeof number) _exit(3);
    }
}

/* Kills a writer that begins at `number` after so many acknowledgements; the last number of which it
   gave one. */
static int64_t kill_a_writer(const char *path, int64_t number, int after) {
    int ends[2], ended = 0;
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_for_ever(path, number, ends[1]);
    }
    close(ends[1]);
    int64_t acked = number - 1;
    for (int i = 0; i < after && read(ends[0], &acked, sizeof acked) == sizeof acked; i++) {
    }
    kill(child, SIGKILL);
    /* What it said before it died counts, too. */
    while (read(ends[0], &acked, sizeof acked) == sizeof acked) {
    }
    close(ends[0]);
    CHECK(waitpid(child, &ended, 0) == child);
    CHECK(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    return acked;
}

static void what_a_killed_writer_acknowledged_is_there_whenever_it_is_killed(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    int64_t written = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t acked = kill_a_writer(path, written + 1, 1 + round * 5 % 17);
        CHECK(acked > written);
        revwatch_store *store = open_file(path);
        CHECK_OK(revwatch_store_check(store));
        revwatch_range_options count = {.struct_size = sizeof count, .prefix = 1, .count_only = 1};
        revwatch_range_result *result = NULL;
        CHECK_OK(revwatch_store_range(store, S("/"), NONE, &count, &result));
        REQUIRE(result);
        /* The one that it was about to acknowledge may be there; each is a revision. */
        written = result->count;
        CHECK(written == acked || written == acked + 1);
        CHECK_INT(result->revision, written + 1);
        revwatch_range_result_free(result);
        CHECK_OK(revwatch_store_close(store));
    }
}

const struct test kill_tests[] = {
    {"what_a_killed_writer_acknowledged_is_there_whenever_it_is_killed",
     what_a_killed_writer_acknowledged_is_there_whenever_it_is_killed},
    {NULL, NULL},
};
