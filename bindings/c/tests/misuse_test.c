/* Closed handles, handles of other types, bad lengths and sizes, options that cannot be. */

#include "test.h"

#define CLOSED REVWATCH_ERROR_CLOSED
#define INVALID_OPTION REVWATCH_ERROR_INVALID_OPTION
#define INVALID_ARGUMENT REVWATCH_ERROR_INVALID_ARGUMENT

static void check_closed_store(revwatch_store *store) {
    revwatch_range_result *range = NULL;
    revwatch_history_result *history = NULL;
    revwatch_status_result *status = NULL;
    revwatch_lease_result *lease = NULL;
    revwatch_leases_result *leases = NULL;
    revwatch_resume_token token = {-7, -7};
    int64_t number = -7;
    CHECK_ERROR(revwatch_store_put(store, S("k"), S("v"), &number), CLOSED);
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), NULL, NULL), CLOSED);
    CHECK_ERROR(revwatch_store_get(store, S("k"), NULL), CLOSED);
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, NULL, &range), CLOSED);
    CHECK_ERROR(revwatch_store_delete_range(store, S("k"), NONE, NULL, NULL), CLOSED);
    CHECK_ERROR(revwatch_store_history(store, S("k"), NONE, NULL, &history), CLOSED);
    CHECK_ERROR(revwatch_store_compact(store, 1, &number), CLOSED);
    CHECK_ERROR(revwatch_store_check(store), CLOSED);
    revwatch_hash_kv hash = {.hash = 7};
    CHECK_ERROR(revwatch_store_hash_kv(store, 0, &hash), CLOSED);
    CHECK_INT(hash.hash, 7);
    CHECK_ERROR(revwatch_store_flush(store), CLOSED);
    CHECK_ERROR(revwatch_store_step(store, 0, 0, &number), CLOSED);
    CHECK_ERROR(revwatch_store_wait(store, 0, 0, &number), CLOSED);
    CHECK_ERROR(revwatch_store_status(store, &status), CLOSED);
    CHECK_ERROR(revwatch_store_resume_token(store, &token), CLOSED);
    CHECK_ERROR(revwatch_store_lease_grant(store, 0, 1, &number, &number, &number), CLOSED);
    CHECK_ERROR(revwatch_store_lease_revoke(store, 1, &number), CLOSED);
    CHECK_ERROR(revwatch_store_lease_keep_alive(store, 1, &number, &number), CLOSED);
    CHECK_ERROR(revwatch_store_lease_time_to_live(store, 1, 0, &lease), CLOSED);
    CHECK_ERROR(revwatch_store_leases(store, &leases), CLOSED);
    CHECK_ERROR(revwatch_store_close(store), CLOSED);
    revwatch_store_free(store);
    CHECK(!range && !history && !status && !lease && !leases);
    CHECK(number == -7 && token.epoch == -7 && token.revision == -7);
}

static void a_closed_store_answers_closed_to_each_function(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    revwatch_stream *stream = NULL;
    revwatch_follow *follow = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_store_close(store));
    check_closed_store(store);
    CHECK_ERROR(revwatch_store_txn(store, txn, NULL), CLOSED);
    CHECK_ERROR(revwatch_stream_new(store, NULL, &stream), CLOSED);
    CHECK_ERROR(revwatch_follow_new(store, S("k"), NONE, NULL, &follow), CLOSED);
    revwatch_range_stream *range = NULL;
    CHECK_ERROR(revwatch_range_stream_new(store, S("k"), NONE, NULL, &range, NULL), CLOSED);
    CHECK(!stream && !follow && !range);
    revwatch_txn_free(txn);
}

static void what_was_made_from_a_store_answers_closed_when_the_store_is(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_all(store, 0);
    revwatch_follow *follow = NULL;
    CHECK_OK(revwatch_follow_new(store, S("k"), REST, NULL, &follow));
    put(store, "k", "v");
    revwatch_range_stream *range = NULL;
    CHECK_OK(revwatch_range_stream_new(store, S("k"), REST, NULL, &range, NULL));
    CHECK_OK(revwatch_store_close(store));
    revwatch_watch_responses *responses = NULL;
    revwatch_kvs_result *kvs = NULL;
    CHECK_ERROR(revwatch_range_stream_next(range, NULL, &kvs), CLOSED);
    revwatch_range_stream_free(range);
    CHECK_ERROR(revwatch_range_stream_next(range, NULL, &kvs), CLOSED);
    revwatch_follow_responses *followed = NULL;
    CHECK_ERROR(revwatch_stream_poll(stream, NULL, &responses), CLOSED);
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NONE, NULL, NULL), CLOSED);
    CHECK_ERROR(revwatch_stream_cancel(stream, 0), CLOSED);
    CHECK_ERROR(revwatch_follow_poll(follow, NULL, &followed), CLOSED);
    revwatch_resume_token token;
    CHECK_ERROR(revwatch_follow_resume_token(follow, &token), CLOSED);
    CHECK(!responses && !followed && !kvs);
    revwatch_stream_free(stream);
    revwatch_follow_free(follow);
    CHECK_ERROR(revwatch_stream_poll(stream, NULL, &responses), CLOSED);
    CHECK_ERROR(revwatch_follow_poll(follow, NULL, &followed), CLOSED);
}

static void freeing_a_handle_twice_does_nothing(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_all(store, 0);
    revwatch_follow *follow = NULL;
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_follow_new(store, S("k"), REST, NULL, &follow));
    CHECK_OK(revwatch_txn_new(&txn));
    revwatch_range_stream *range = NULL;
    CHECK_OK(revwatch_range_stream_new(store, S("k"), NONE, NULL, &range, NULL));
    for (int i = 0; i < 2; i++) {
        revwatch_stream_free(stream);
        revwatch_follow_free(follow);
        revwatch_txn_free(txn);
        revwatch_range_stream_free(range);
    }
    CHECK_ERROR(revwatch_txn_then_put(txn, S("k"), S("v"), NULL), CLOSED);
    /* The slots are used again; the old handles do not name what is there now. */
    revwatch_stream *next[4];
    revwatch_watch_responses *responses = NULL;
    for (int i = 0; i < 4; i++) next[i] = watch_all(store, 0);
    CHECK_ERROR(revwatch_stream_poll(stream, NULL, &responses), CLOSED);
    revwatch_stream_free(stream);
    for (int i = 0; i < 4; i++) {
        CHECK_STATUS(revwatch_stream_poll(next[i], NULL, &responses), REVWATCH_IDLE);
        revwatch_stream_free(next[i]);
    }
    revwatch_store_free(store);
    revwatch_store_free(store);
}

static void a_handle_of_another_type_is_refused(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_ERROR(revwatch_store_put((revwatch_store *)txn, S("k"), S("v"), NULL), CLOSED);
    CHECK_ERROR(revwatch_stream_cancel((revwatch_stream *)store, 0), CLOSED);
    CHECK_ERROR(revwatch_store_close((revwatch_store *)txn), CLOSED);
    revwatch_txn_free((revwatch_txn *)store);
    put(store, "k", "v");
    int on_the_stack = 0;
    CHECK_ERROR(revwatch_store_flush((revwatch_store *)&on_the_stack), CLOSED);
    CHECK_ERROR(revwatch_store_flush((revwatch_store *)(uintptr_t)1), CLOSED);
    CHECK_ERROR(revwatch_store_flush((revwatch_store *)UINTPTR_MAX), CLOSED);
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_store_close(store));
}

static void a_length_beyond_all_memory_is_refused_unread(void) {
    revwatch_store *store = open_memory();
    const uint8_t byte = 'k';
    for (size_t len = SIZE_MAX; len > SIZE_MAX / 2; len = len / 2 + len / 4) {
        CHECK_ERROR(revwatch_store_put(store, &byte, len, NONE, NULL), INVALID_ARGUMENT);
        CHECK_ERROR(revwatch_store_put(store, &byte, 1, &byte, len, NULL), INVALID_ARGUMENT);
        CHECK_ERROR(revwatch_store_get(store, &byte, len, NULL), INVALID_ARGUMENT);
    }
    CHECK_OK(revwatch_store_close(store));
}

static void a_wrong_struct_size_is_refused(void) {
    revwatch_store *store = open_memory();
    const size_t sizes[] = {0, 1, sizeof(size_t) - 1, 5000, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        revwatch_put_options put_options = {.struct_size = sizes[i]};
        CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), &put_options, NULL),
                    INVALID_OPTION);
        revwatch_open_options open_options = {.struct_size = sizes[i]};
        revwatch_store *other = NULL;
        CHECK_ERROR(revwatch_store_open(NULL, &open_options, &other), INVALID_OPTION);
        CHECK(!other);
    }
    CHECK_OK(revwatch_store_close(store));
}

/* A program built against an older or newer header. */
static void options_of_another_version_are_understood_or_refused(void) {
    revwatch_store *store = open_memory();
    struct {
        revwatch_put_options known;
        int64_t unknown;
    } newer = {.known = {.struct_size = sizeof newer}};
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("v"), &newer.known, NULL));
    newer.unknown = 1;
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), &newer.known, NULL),
                INVALID_OPTION);
    struct {
        size_t struct_size;
        int64_t lease;
    } older = {.struct_size = sizeof older, .lease = 7};
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"),
                                        (const revwatch_put_options *)(const void *)&older, NULL),
                REVWATCH_ERROR_LEASE_NOT_FOUND);
    CHECK_OK(revwatch_store_close(store));
}

static revwatch_status open_with(const revwatch_open_options *options) {
    revwatch_store *store = NULL;
    revwatch_status status = revwatch_store_open(NULL, options, &store);
    CHECK((status == REVWATCH_OK) == (store != NULL));
    revwatch_store_free(store);
    return status;
}

static void options_that_cannot_be_are_refused(void) {
    revwatch_open_options options = {.struct_size = sizeof options};
    CHECK_OK(open_with(&options));
    const size_t page_sizes[] = {1, 511, 513, 131072, SIZE_MAX};
    for (size_t i = 0; i < sizeof page_sizes / sizeof *page_sizes; i++) {
        options.page_size = page_sizes[i];
        CHECK_ERROR(open_with(&options), INVALID_OPTION);
    }
    options = (revwatch_open_options){.struct_size = sizeof options, .durability = 4};
    CHECK_ERROR(open_with(&options), INVALID_OPTION);
    options.durability = -1;
    CHECK_ERROR(open_with(&options), INVALID_OPTION);
    options = (revwatch_open_options){
        .struct_size = sizeof options, .durability = REVWATCH_DURABILITY_BATCH, .batch_ms = -1};
    CHECK_ERROR(open_with(&options), INVALID_OPTION);
    options = (revwatch_open_options){.struct_size = sizeof options, .lease_min_ttl_ms = -1};
    CHECK_ERROR(open_with(&options), INVALID_OPTION);
    options = (revwatch_open_options){.struct_size = sizeof options, .read_only = 1};
    CHECK_ERROR(open_with(&options), INVALID_OPTION);
}

static void arguments_that_contradict_each_other_are_refused(void) {
    revwatch_store *store = open_memory();
    revwatch_range_options range = {.struct_size = sizeof range, .prefix = 1};
    revwatch_range_result *result = NULL;
    CHECK_ERROR(revwatch_store_range(store, S("a"), S("b"), &range, &result), INVALID_ARGUMENT);
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_ERROR(revwatch_txn_compare_version(txn, S("a"), NONE, 4, 0), INVALID_ARGUMENT);
    CHECK_ERROR(revwatch_txn_compare_version(txn, S("a"), NONE, -1, 0), INVALID_ARGUMENT);
    revwatch_txn_free(txn);
    CHECK(!result);
    CHECK_OK(revwatch_store_close(store));
}

static void time_is_told_to_stores_with_a_manual_clock_only(void) {
    revwatch_store *system = open_memory();
    revwatch_store *manual = open_manual();
    int64_t next = -7;
    CHECK_ERROR(revwatch_store_step(system, 0, 0, &next), INVALID_ARGUMENT);
    CHECK_ERROR(revwatch_store_step(manual, -1, 0, &next), INVALID_ARGUMENT);
    CHECK(revwatch_store_step(system, -1, 0, &next) == REVWATCH_IDLE);
    CHECK(revwatch_store_step(manual, 5, 0, &next) == REVWATCH_IDLE);
    CHECK_INT(next, -7);
    CHECK_OK(revwatch_store_close(system));
    CHECK_OK(revwatch_store_close(manual));
}

const struct test misuse_tests[] = {
    {"a_closed_store_answers_closed_to_each_function",
     a_closed_store_answers_closed_to_each_function},
    {"what_was_made_from_a_store_answers_closed_when_the_store_is",
     what_was_made_from_a_store_answers_closed_when_the_store_is},
    {"freeing_a_handle_twice_does_nothing", freeing_a_handle_twice_does_nothing},
    {"a_handle_of_another_type_is_refused", a_handle_of_another_type_is_refused},
    {"a_length_beyond_all_memory_is_refused_unread", a_length_beyond_all_memory_is_refused_unread},
    {"a_wrong_struct_size_is_refused", a_wrong_struct_size_is_refused},
    {"options_of_another_version_are_understood_or_refused",
     options_of_another_version_are_understood_or_refused},
    {"options_that_cannot_be_are_refused", options_that_cannot_be_are_refused},
    {"arguments_that_contradict_each_other_are_refused",
     arguments_that_contradict_each_other_are_refused},
    {"time_is_told_to_stores_with_a_manual_clock_only",
     time_is_told_to_stores_with_a_manual_clock_only},
    {NULL, NULL},
};
