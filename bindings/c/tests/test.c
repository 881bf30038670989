#include "test.h"

#include <stdarg.h>
#include <unistd.h>

static int passed;
static int failed;
static int skipped;
static const char *running;
static bool running_failed;
static char folder[512];
/* By the number of the error. */
static bool met[1000];

bool error_was_met(revwatch_status error) { return met[-error]; }

void fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: %s:%d: ", running, file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    running_failed = true;
}

void run_test(const char *name, void (*run)(void)) {
    running = name;
    running_failed = false;
    run();
    /* Whatever a test opened, it has closed. */
    size_t handles = revwatch_handle_count();
    static size_t leaked;
    if (handles != leaked) fail(__FILE__, __LINE__, "%zu handles were not freed", handles - leaked);
    leaked = handles;
    if (running_failed) {
        failed++;
        printf("FAILED %s\n", name);
    } else {
        passed++;
    }
}

void skip_test(const char *name, const char *reason) {
    skipped++;
    printf("SKIP %s: %s\n", name, reason);
}

void check_int(const char *file, int line, const char *what, int64_t actual, int64_t expected) {
    if (actual != expected) {
        fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, actual, expected);
    }
}

void check_bytes(const char *file, int line, const char *what, const uint8_t *data, size_t len,
                 const char *expected) {
    if (len != strlen(expected) || memcmp(data, expected, len) != 0) {
        fail(file, line, "%s is \"%.*s\", not \"%s\"", what, (int)len, (const char *)data, expected);
    }
}

void check_error(const char *file, int line, const char *call, revwatch_status status,
                 revwatch_status error) {
    check_status(file, line, call, status, error);
    if (status < 0 && strlen(revwatch_last_error_message()) < 20) {
        fail(file, line, "%s says too little: \"%s\"", call, revwatch_last_error_message());
    }
}

void check_status(const char *file, int line, const char *call, revwatch_status status,
                  revwatch_status expected) {
    if (status < 0 && status > -1000) met[-status] = true;
    if (status == expected) return;
    if (status < 0) {
        fail(file, line, "%s answers %d (%s: %s), not %d", call, (int)status,
             revwatch_error_name(status), revwatch_last_error_message(), (int)expected);
    } else {
        fail(file, line, "%s answers %d, not %d", call, (int)status, (int)expected);
    }
}

void path_in_folder(char *path, size_t size, const char *name) {
    snprintf(path, size, "%s/%s", folder, name);
}

const char *fresh_path(void) {
    static _Thread_local char path[600];
    static int number;
    char name[32];
    snprintf(name, sizeof name, "store-%d", __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    path_in_folder(path, sizeof path, name);
    return path;
}

revwatch_store *open_memory(void) {
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, NULL, &store));
    return store;
}

revwatch_store *open_manual(void) {
    revwatch_open_options options = {.struct_size = sizeof options};
    options.manual_clock = 1;
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    CHECK(revwatch_store_step(store, 0, 0, NULL) >= 0);
    return store;
}

revwatch_store *open_file(const char *path) {
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(path, NULL, &store));
    return store;
}

int64_t put(revwatch_store *store, const char *key, const char *value) {
    int64_t revision = -1;
    CHECK_OK(revwatch_store_put(store, S(key), S(value), &revision));
    return revision;
}

const char *value_of(revwatch_store *store, const char *key) {
    static _Thread_local char value[256];
    revwatch_get_result *result = NULL;
    revwatch_status status = revwatch_store_get(store, S(key), &result);
    if (status == REVWATCH_NOT_FOUND) return "(none)";
    if (status != REVWATCH_OK) return "(error)";
    size_t len = result->kv.value_len < sizeof value ? result->kv.value_len : sizeof value - 1;
    memcpy(value, result->kv.value, len);
    value[len] = 0;
    revwatch_get_result_free(result);
    return value;
}

revwatch_watch_responses *poll_one(revwatch_stream *stream) {
    revwatch_poll_options options = {.struct_size = sizeof options};
    options.max_responses = 1;
    revwatch_watch_responses *responses = NULL;
    revwatch_status status = revwatch_stream_poll(stream, &options, &responses);
    CHECK(status == REVWATCH_OK || status == REVWATCH_IDLE);
    return responses;
}

revwatch_stream *watch_all(revwatch_store *store, int64_t start_revision) {
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options options = {.struct_size = sizeof options};
    options.start_revision = start_revision;
    CHECK_OK(revwatch_stream_watch(stream, S(""), REST, &options, NULL));
    revwatch_watch_responses *created = poll_one(stream);
    CHECK(created && created->responses[0].type == REVWATCH_RESPONSE_CREATED);
    revwatch_watch_responses_free(created);
    return stream;
}

static void run_list(const struct test *tests) {
    for (; tests->name; tests++) run_test(tests->name, tests->run);
}

static void run_all(void) {
    run_list(error_tests);
    run_list(null_tests);
    run_list(misuse_tests);
    run_list(store_tests);
    run_list(page_store_tests);
    run_list(progress_tests);
    run_list(range_stream_tests);
    run_list(txn_tests);
    run_list(kill_tests);
    run_list(lease_tests);
    run_list(watch_tests);
    run_list(watch_options_tests);
    run_list(notify_tests);
    run_list(follow_tests);
    run_list(cursor_tests);
    run_list(changes_tests);
    run_list(snapshot_tests);
    run_list(thread_tests);
    run_vectors();
    run_test("every_error_that_can_be_was_met", every_error_that_can_be_was_met);
}

/* test [histories] FOLDER: runs all tests but the histories, or these, with their files in FOLDER. */
int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "give an empty folder for the files of the tests\n");
        return 2;
    }
    bool histories = argc > 2 && strcmp(argv[1], "histories") == 0;
    snprintf(folder, sizeof folder, "%s", argv[argc - 1]);
    /* A test that would wait for ever ends the run instead. */
    alarm(300);
    /* A process that is forked must not have lines left to write. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    (histories ? run_histories : run_all)();
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}
