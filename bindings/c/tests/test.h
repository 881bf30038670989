/* What the tests share: checks, counting, temporary files, short ways to say common things. */

#ifndef REVWATCH_TEST_H
#define REVWATCH_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "revwatch.h"

/* A test is a property that holds if the function returns without a failed check. */
struct test {
    const char *name;
    void (*run)(void);
};

/* Each file of tests has one such list, ending in {NULL, NULL}. */
extern const struct test changes_tests[];
extern const struct test snapshot_tests[];
extern const struct test cursor_tests[];
extern const struct test error_tests[];
extern const struct test follow_tests[];
extern const struct test kill_tests[];
extern const struct test lease_tests[];
extern const struct test misuse_tests[];
extern const struct test notify_tests[];
extern const struct test null_tests[];
extern const struct test page_store_tests[];
extern const struct test progress_tests[];
extern const struct test range_stream_tests[];
extern const struct test store_tests[];
extern const struct test thread_tests[];
extern const struct test txn_tests[];
extern const struct test watch_options_tests[];
extern const struct test watch_tests[];

/* The last test, after all others. */
void every_error_that_can_be_was_met(void);

/* Runs the tests of the vectors, which are made from files. */
void run_vectors(void);
/* The same for random histories. */
void run_histories(void);

void run_test(const char *name, void (*run)(void));
void skip_test(const char *name, const char *reason);

/* Notes a failure of the running test and goes on. */
void fail(const char *file, int line, const char *format, ...);

#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition)) fail(__FILE__, __LINE__, #condition); \
    } while (0)

/* Ends the running test if it would make no sense to go on. */
#define REQUIRE(condition)                                   \
    do {                                                     \
        if (!(condition)) {                                  \
            fail(__FILE__, __LINE__, #condition);            \
            return;                                          \
        }                                                    \
    } while (0)

#define CHECK_INT(actual, expected) check_int(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_BYTES(data, len, expected) \
    check_bytes(__FILE__, __LINE__, #data, (data), (len), (expected))
/* An expected error also has a message, and none of the others' names. */
#define CHECK_ERROR(call, error) check_error(__FILE__, __LINE__, #call, (call), (error))
#define CHECK_OK(call) check_status(__FILE__, __LINE__, #call, (call), REVWATCH_OK)
#define CHECK_STATUS(call, status) check_status(__FILE__, __LINE__, #call, (call), (status))

void check_int(const char *file, int line, const char *what, int64_t actual, int64_t expected);
void check_bytes(const char *file, int line, const char *what, const uint8_t *data, size_t len,
                 const char *expected);
void check_error(const char *file, int line, const char *call, revwatch_status status,
                 revwatch_status error);
void check_status(const char *file, int line, const char *call, revwatch_status status,
                  revwatch_status expected);

/* Whether a function whose status was checked has answered this error. */
bool error_was_met(revwatch_status error);

/* The bytes of a literal or other string, without its end, as two arguments. */
#define S(text) (const uint8_t *)(text), strlen(text)
/* No bytes, as two arguments. */
#define NONE NULL, 0
/* The range_end "\0", as two arguments. */
#define REST (const uint8_t *)"\0", 1

/* A path in the folder of this run, free of any file; valid until the next call in this thread. */
const char *fresh_path(void);
/* A path in the folder of this run. */
void path_in_folder(char *path, size_t size, const char *name);

revwatch_store *open_memory(void);
/* In memory, at time 0, which only steps move. */
revwatch_store *open_manual(void);
revwatch_store *open_file(const char *path);
int64_t put(revwatch_store *store, const char *key, const char *value);
/* The value of a key, or "(none)"; valid until the next call in this thread. */
const char *value_of(revwatch_store *store, const char *key);
/* What is in a stream now, one response at most; NULL if it is idle. */
revwatch_watch_responses *poll_one(revwatch_stream *stream);
/* A stream with one watcher of all keys, whose creation was taken out already. */
revwatch_stream *watch_all(revwatch_store *store, int64_t start_revision);

#endif
