/* NULL for each pointer of each function: an error, or what the header says that it means. */

#include "test.h"

static revwatch_store *store;
static revwatch_txn *txn;
static revwatch_stream *stream;
static revwatch_follow *follow;
static revwatch_range_stream *range_stream;

#define NULL_POINTER REVWATCH_ERROR_NULL_POINTER

static void freeing_null_does_nothing(void) {
    CHECK_OK(revwatch_store_close(NULL));
    revwatch_store_free(NULL);
    revwatch_txn_free(NULL);
    revwatch_stream_free(NULL);
    revwatch_watchers_result_free(NULL);
    revwatch_follow_free(NULL);
    revwatch_range_stream_free(NULL);
    revwatch_put_result_free(NULL);
    revwatch_get_result_free(NULL);
    revwatch_range_result_free(NULL);
    revwatch_kvs_result_free(NULL);
    revwatch_delete_range_result_free(NULL);
    revwatch_txn_result_free(NULL);
    revwatch_lease_result_free(NULL);
    revwatch_leases_result_free(NULL);
    revwatch_history_result_free(NULL);
    revwatch_status_result_free(NULL);
    revwatch_watch_responses_free(NULL);
    revwatch_follow_responses_free(NULL);
}

static void check_null_stores(void) {
    CHECK_ERROR(revwatch_store_put(NULL, S("k"), S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_put_with(NULL, S("k"), S("v"), NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_get(NULL, S("k"), NULL), NULL_POINTER);
    revwatch_range_result *range = NULL;
    CHECK_ERROR(revwatch_store_range(NULL, S("k"), NONE, NULL, &range), NULL_POINTER);
    CHECK_ERROR(revwatch_store_delete_range(NULL, S("k"), NONE, NULL, NULL), NULL_POINTER);
    revwatch_history_result *history = NULL;
    CHECK_ERROR(revwatch_store_history(NULL, S("k"), NONE, NULL, &history), NULL_POINTER);
    CHECK_ERROR(revwatch_store_txn(NULL, txn, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_compact(NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_check(NULL), NULL_POINTER);
    revwatch_hash_kv hash;
    CHECK_ERROR(revwatch_store_hash_kv(NULL, 0, &hash), NULL_POINTER);
    CHECK_ERROR(revwatch_store_flush(NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_step(NULL, 0, 0, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_wait(NULL, 0, 0, NULL), NULL_POINTER);
    revwatch_status_result *status = NULL;
    CHECK_ERROR(revwatch_store_status(NULL, &status), NULL_POINTER);
    revwatch_resume_token token;
    CHECK_ERROR(revwatch_store_resume_token(NULL, &token), NULL_POINTER);
    CHECK_ERROR(revwatch_store_lease_grant(NULL, 0, 1, NULL, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_lease_revoke(NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_lease_keep_alive(NULL, 1, NULL, NULL), NULL_POINTER);
    revwatch_lease_result *lease = NULL;
    CHECK_ERROR(revwatch_store_lease_time_to_live(NULL, 1, 0, &lease), NULL_POINTER);
    revwatch_leases_result *leases = NULL;
    CHECK_ERROR(revwatch_store_leases(NULL, &leases), NULL_POINTER);
    CHECK(!range && !history && !status && !lease && !leases);
}

static void check_null_others(void) {
    revwatch_stream *new_stream = NULL;
    CHECK_ERROR(revwatch_stream_new(NULL, NULL, &new_stream), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_watch(NULL, S("k"), NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_cancel(NULL, 0), NULL_POINTER);
    revwatch_watch_responses *responses = NULL;
    CHECK_ERROR(revwatch_stream_poll(NULL, NULL, &responses), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_request_progress(NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_set_callback(NULL, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_set_callback(NULL, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_set_callback(NULL, NULL, NULL), NULL_POINTER);
    int32_t fd = -7;
    CHECK_ERROR(revwatch_stream_fd(NULL, &fd), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_fd(NULL, &fd), NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_fd(NULL, &fd), NULL_POINTER);
    int64_t next_ms = -7;
    CHECK_ERROR(revwatch_stream_next_poll_ms(NULL, &next_ms), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_next_poll_ms(NULL, &next_ms), NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_next_poll_ms(NULL, &next_ms), NULL_POINTER);
    uint64_t stream_id = 7;
    CHECK_ERROR(revwatch_stream_id(NULL, &stream_id), NULL_POINTER);
    revwatch_watchers_result *watchers = NULL;
    CHECK_ERROR(revwatch_store_watchers(NULL, &watchers), NULL_POINTER);
    CHECK(fd == -7 && next_ms == -7 && stream_id == 7 && !watchers);
    revwatch_follow *new_follow = NULL;
    CHECK_ERROR(revwatch_follow_new(NULL, S("k"), NONE, NULL, &new_follow), NULL_POINTER);
    revwatch_range_stream *new_range = NULL;
    CHECK_ERROR(revwatch_range_stream_new(NULL, S("k"), NONE, NULL, &new_range, NULL), NULL_POINTER);
    revwatch_kvs_result *kvs = NULL;
    CHECK_ERROR(revwatch_range_stream_next(NULL, NULL, &kvs), NULL_POINTER);
    revwatch_resume_token token;
    CHECK_ERROR(revwatch_follow_resume_token(NULL, &token), NULL_POINTER);
    revwatch_follow_responses *followed = NULL;
    CHECK_ERROR(revwatch_follow_poll(NULL, NULL, &followed), NULL_POINTER);
    CHECK_ERROR(revwatch_store_txn(store, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_value(NULL, S("k"), NONE, 0, NONE), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_version(NULL, S("k"), NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_create(NULL, S("k"), NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_mod(NULL, S("k"), NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_lease(NULL, S("k"), NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_put(NULL, S("k"), S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_range(NULL, S("k"), NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_delete_range(NULL, S("k"), NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_txn(NULL, txn), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_txn(txn, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_put(NULL, S("k"), S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_range(NULL, S("k"), NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_delete_range(NULL, S("k"), NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_txn(NULL, txn), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_txn(txn, NULL), NULL_POINTER);
    CHECK(!new_stream && !new_follow && !new_range && !responses && !followed && !kvs);
}

static void check_null_outputs(void) {
    CHECK_ERROR(revwatch_store_open(NULL, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_history(store, S("k"), NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_status(store, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_resume_token(store, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_lease_time_to_live(store, 1, 0, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_leases(store, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_new(store, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_poll(stream, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_fd(stream, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_next_poll_ms(stream, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_id(stream, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_watchers(store, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_new(store, S("k"), NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_range_stream_new(store, S("k"), NONE, NULL, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_range_stream_next(range_stream, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_hash_kv(store, 0, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_poll(follow, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_resume_token(follow, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_new(NULL), NULL_POINTER);
}

static void check_null_bytes(void) {
    revwatch_range_result *range = NULL;
    revwatch_history_result *history = NULL;
    CHECK_ERROR(revwatch_store_put(store, NULL, 1, S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_put(store, S("k"), NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_put_with(store, NULL, 1, S("v"), NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), NULL, 1, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_get(store, NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_range(store, NULL, 1, NONE, NULL, &range), NULL_POINTER);
    CHECK_ERROR(revwatch_store_range(store, S("k"), NULL, 1, NULL, &range), NULL_POINTER);
    CHECK_ERROR(revwatch_store_delete_range(store, NULL, 1, NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_delete_range(store, S("k"), NULL, 1, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_store_history(store, NULL, 1, NONE, NULL, &history), NULL_POINTER);
    CHECK_ERROR(revwatch_store_history(store, S("k"), NULL, 1, NULL, &history), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_watch(stream, NULL, 1, NONE, NULL, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NULL, 1, NULL, NULL), NULL_POINTER);
    revwatch_follow *new_follow = NULL;
    CHECK_ERROR(revwatch_follow_new(store, NULL, 1, NONE, NULL, &new_follow), NULL_POINTER);
    CHECK_ERROR(revwatch_follow_new(store, S("k"), NULL, 1, NULL, &new_follow), NULL_POINTER);
    revwatch_range_stream *new_range = NULL;
    CHECK_ERROR(revwatch_range_stream_new(store, NULL, 1, NONE, NULL, &new_range, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_range_stream_new(store, S("k"), NULL, 1, NULL, &new_range, NULL), NULL_POINTER);
    CHECK(!range && !history && !new_follow && !new_range);
}

static void check_null_bytes_in_transactions(void) {
    CHECK_ERROR(revwatch_txn_compare_value(txn, NULL, 1, NONE, 0, NONE), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_value(txn, S("k"), NULL, 1, 0, NONE), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_value(txn, S("k"), NONE, 0, NULL, 1), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_version(txn, NULL, 1, NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_version(txn, S("k"), NULL, 1, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_create(txn, NULL, 1, NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_mod(txn, NULL, 1, NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_compare_lease(txn, NULL, 1, NONE, 0, 0), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_put(txn, NULL, 1, S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_put(txn, S("k"), NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_range(txn, NULL, 1, NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_range(txn, S("k"), NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_then_delete_range(txn, NULL, 1, NONE, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_put(txn, NULL, 1, S("v"), NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_range(txn, S("k"), NULL, 1, NULL), NULL_POINTER);
    CHECK_ERROR(revwatch_txn_else_delete_range(txn, NULL, 1, NONE, NULL), NULL_POINTER);
    /* What was refused is not in the transaction. */
    revwatch_txn_result *result = NULL;
    CHECK_OK(revwatch_store_txn(store, txn, &result));
    CHECK(result && result->succeeded == 1 && result->responses_len == 0);
    revwatch_txn_result_free(result);
}

static void with_handles(void (*check)(void)) {
    store = open_memory();
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    CHECK_OK(revwatch_follow_new(store, S("k"), NONE, NULL, &follow));
    CHECK_OK(revwatch_range_stream_new(store, S("k"), NONE, NULL, &range_stream, NULL));
    check();
    revwatch_status_result *status = NULL;
    CHECK_OK(revwatch_store_status(store, &status));
    CHECK(status && status->revision == 1 && status->watchers == 0);
    revwatch_status_result_free(status);
    revwatch_txn_free(txn);
    revwatch_stream_free(stream);
    revwatch_follow_free(follow);
    revwatch_range_stream_free(range_stream);
    CHECK_OK(revwatch_store_close(store));
}

static void a_null_store_is_an_error_of_each_function(void) { with_handles(check_null_stores); }

static void a_null_handle_of_another_type_is_an_error_of_each_function(void) {
    with_handles(check_null_others);
}

static void a_null_output_that_is_needed_is_an_error(void) { with_handles(check_null_outputs); }

static void null_with_a_length_is_an_error(void) { with_handles(check_null_bytes); }

static void null_with_a_length_is_an_error_in_transactions(void) {
    with_handles(check_null_bytes_in_transactions);
}

static void null_without_a_length_is_no_bytes(void) {
    revwatch_store *memory = open_memory();
    CHECK_OK(revwatch_store_put(memory, S("k"), NONE, NULL));
    revwatch_get_result *result = NULL;
    CHECK_OK(revwatch_store_get(memory, S("k"), &result));
    CHECK(result && result->kv.value_len == 0);
    revwatch_get_result_free(result);
    CHECK_ERROR(revwatch_store_put(memory, NONE, S("v"), NULL), REVWATCH_ERROR_EMPTY_KEY);
    CHECK_OK(revwatch_store_close(memory));
}

static void outputs_that_are_not_wanted_may_be_null(void) {
    revwatch_store *memory = open_memory();
    revwatch_txn *empty = NULL;
    CHECK_OK(revwatch_txn_new(&empty));
    CHECK_OK(revwatch_store_put(memory, S("k"), S("v"), NULL));
    CHECK_OK(revwatch_store_put_with(memory, S("k"), S("v"), NULL, NULL));
    CHECK_OK(revwatch_store_get(memory, S("k"), NULL));
    CHECK_STATUS(revwatch_store_get(memory, S("none"), NULL), REVWATCH_NOT_FOUND);
    CHECK_OK(revwatch_store_delete_range(memory, S("k"), NONE, NULL, NULL));
    CHECK_OK(revwatch_store_txn(memory, empty, NULL));
    CHECK_OK(revwatch_store_compact(memory, 3, NULL));
    CHECK_OK(revwatch_store_lease_grant(memory, 7, 60000, NULL, NULL, NULL));
    CHECK_OK(revwatch_store_lease_keep_alive(memory, 7, NULL, NULL));
    CHECK_OK(revwatch_store_lease_revoke(memory, 7, NULL));
    CHECK_OK(revwatch_store_wait(memory, 0, 0, NULL));
    CHECK(revwatch_store_step(memory, -1, 0, NULL) >= 0);
    revwatch_txn_free(empty);
    CHECK_OK(revwatch_store_close(memory));
}

const struct test null_tests[] = {
    {"freeing_null_does_nothing", freeing_null_does_nothing},
    {"a_null_store_is_an_error_of_each_function", a_null_store_is_an_error_of_each_function},
    {"a_null_handle_of_another_type_is_an_error_of_each_function",
     a_null_handle_of_another_type_is_an_error_of_each_function},
    {"a_null_output_that_is_needed_is_an_error", a_null_output_that_is_needed_is_an_error},
    {"null_with_a_length_is_an_error", null_with_a_length_is_an_error},
    {"null_with_a_length_is_an_error_in_transactions",
     null_with_a_length_is_an_error_in_transactions},
    {"null_without_a_length_is_no_bytes", null_without_a_length_is_no_bytes},
    {"outputs_that_are_not_wanted_may_be_null", outputs_that_are_not_wanted_may_be_null},
    {NULL, NULL},
};
