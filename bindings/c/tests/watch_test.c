/* Watches: each change once, in order, whole transactions at a time. */

#include "test.h"

static void changes_come_in_order_with_what_was_before(void) {
    revwatch_store *store = open_file(fresh_path());
    revwatch_stream *stream = NULL;
    int64_t watch_id = -7;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options options = {
        .struct_size = sizeof options, .watch_id = 5, .prefix = 1, .prev_kv = 1};
    CHECK_OK(revwatch_stream_watch(stream, S("/task/"), NONE, &options, &watch_id));
    CHECK_INT(watch_id, 5);
    put(store, "/task/1", "a");
    put(store, "/other", "x");
    put(store, "/task/1", "b");
    CHECK_OK(revwatch_store_delete_range(store, S("/task/1"), NONE, NULL, NULL));
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    REQUIRE(responses && responses->responses_len == 4);
    const revwatch_watch_response *told = responses->responses;
    CHECK(told[0].type == REVWATCH_RESPONSE_CREATED && told[0].revision == 1);
    const int64_t revisions[] = {2, 4, 5};
    const char *before[] = {NULL, "a", "b"};
    for (int i = 0; i < 3; i++) {
        CHECK_INT(told[i + 1].type, REVWATCH_RESPONSE_EVENTS);
        CHECK_INT(told[i + 1].watch_id, 5);
        CHECK_INT((int64_t)told[i + 1].events_len, 1);
        const revwatch_event *event = told[i + 1].events;
        CHECK_INT(event->kv.mod_revision, revisions[i]);
        CHECK_INT(event->type, i == 2 ? REVWATCH_EVENT_DELETE : REVWATCH_EVENT_PUT);
        CHECK_INT(event->has_prev_kv, before[i] != NULL);
        if (before[i]) CHECK_BYTES(event->prev_kv.value, event->prev_kv.value_len, before[i]);
        if (!before[i]) CHECK(!event->prev_kv.key && !event->prev_kv.value);
    }
    /* Events outlive the stream and the store. */
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
    CHECK_BYTES(told[2].events[0].kv.value, told[2].events[0].kv.value_len, "b");
    revwatch_watch_responses_free(responses);
}

static void a_watch_from_the_past_reads_history_first(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 2500; i++) put(store, "k", "v");
    revwatch_stream *stream = watch_all(store, 2);
    int64_t expected = 2;
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    while (expected <= 2501) {
        revwatch_watch_responses *responses = NULL;
        CHECK_OK(revwatch_stream_poll(stream, &wait, &responses));
        REQUIRE(responses);
        for (size_t i = 0; i < responses->responses_len; i++) {
            const revwatch_watch_response *told = &responses->responses[i];
            for (size_t j = 0; j < told->events_len; j++) {
                CHECK_INT(told->events[j].kv.mod_revision, expected++);
            }
        }
        revwatch_watch_responses_free(responses);
    }
    revwatch_watch_responses *idle = NULL;
    CHECK_STATUS(revwatch_stream_poll(stream, NULL, &idle), REVWATCH_IDLE);
    CHECK(!idle);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void the_limits_of_a_poll_never_split_a_revision(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    for (int i = 0; i < 10; i++) {
        char key[2] = {(char)('a' + i), 0};
        CHECK_OK(revwatch_txn_then_put(txn, S(key), S("0123456789"), NULL));
    }
    for (int i = 0; i < 5; i++) CHECK_OK(revwatch_store_txn(store, txn, NULL));
    revwatch_txn_free(txn);
    for (int limit = 0; limit < 3; limit++) {
        revwatch_stream *stream = watch_all(store, 2);
        revwatch_poll_options options = {.struct_size = sizeof options, .timeout_ms = -1};
        if (limit == 0) options.max_events = 1;
        if (limit == 1) options.max_bytes = 1;
        if (limit == 2) options.max_responses = 1, options.max_events = 1;
        for (int revision = 2; revision <= 6; revision++) {
            revwatch_watch_responses *responses = NULL;
            CHECK_OK(revwatch_stream_poll(stream, &options, &responses));
            REQUIRE(responses && responses->responses_len == 1);
            CHECK_INT((int64_t)responses->responses[0].events_len, 10);
            CHECK_INT(responses->responses[0].events[9].kv.mod_revision, revision);
            revwatch_watch_responses_free(responses);
        }
        revwatch_stream_free(stream);
    }
    CHECK_OK(revwatch_store_close(store));
}

static void filters_leave_out_puts_or_deletes(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options no_put = {.struct_size = sizeof no_put, .no_put = 1};
    revwatch_watch_options no_delete = {.struct_size = sizeof no_delete, .no_delete = 1};
    int64_t deletes = 0, puts = 0;
    CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &no_put, &deletes));
    CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &no_delete, &puts));
    CHECK(deletes != puts);
    put(store, "k", "v");
    CHECK_OK(revwatch_store_delete_range(store, S("k"), NONE, NULL, NULL));
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    REQUIRE(responses && responses->responses_len == 4);
    CHECK_INT(responses->responses[2].watch_id, puts);
    CHECK_INT(responses->responses[2].events[0].type, REVWATCH_EVENT_PUT);
    CHECK_INT(responses->responses[3].watch_id, deletes);
    CHECK_INT(responses->responses[3].events[0].type, REVWATCH_EVENT_DELETE);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void a_watcher_ends_when_it_is_canceled(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_all(store, 0);
    CHECK_OK(revwatch_stream_cancel(stream, 99));
    CHECK(!poll_one(stream));
    CHECK_OK(revwatch_stream_cancel(stream, 0));
    put(store, "k", "v");
    revwatch_watch_responses *responses = poll_one(stream);
    REQUIRE(responses);
    CHECK_INT(responses->responses[0].type, REVWATCH_RESPONSE_CANCELED);
    revwatch_watch_responses_free(responses);
    CHECK(!poll_one(stream));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void lost_history_is_told_with_where_to_go_on(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 5; i++) put(store, "k", "v");
    CHECK_OK(revwatch_store_compact(store, 4, NULL));
    revwatch_stream *stream = watch_all(store, 2);
    revwatch_watch_responses *responses = poll_one(stream);
    REQUIRE(responses);
    CHECK_INT(responses->responses[0].type, REVWATCH_RESPONSE_COMPACTED);
    CHECK_INT(responses->responses[0].compact_revision, 4);
    revwatch_watch_responses_free(responses);
    CHECK(!poll_one(stream));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void the_empty_key_watches_from_the_first(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    CHECK_OK(revwatch_stream_watch(stream, NONE, REST, NULL, NULL));
    CHECK_OK(revwatch_stream_watch(stream, NONE, NONE, NULL, NULL));
    CHECK_OK(revwatch_store_put(store, (const uint8_t *)"\0", 1, NONE, NULL));
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    CHECK(responses && responses->responses_len == 4);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

/* A thousand watchers of one prefix would otherwise have a thousand lists of the same. */
static void watchers_that_are_told_alike_are_given_one_list(void) {
    enum { ALIKE = 20, PUTS = 5 };
    revwatch_store *store = open_memory();
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options alike = {.struct_size = sizeof alike, .prefix = 1};
    revwatch_watch_options other = alike;
    other.keys_only = 1;
    for (int i = 0; i < ALIKE; i++) {
        CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &alike, NULL));
    }
    CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &other, NULL));
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    REQUIRE(responses && responses->responses_len == ALIKE + 1);
    revwatch_watch_responses_free(responses);
    for (int i = 0; i < PUTS; i++) put(store, "k", "value");
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    REQUIRE(responses && responses->responses_len == PUTS * (ALIKE + 1));
    const revwatch_event *lists[PUTS] = {NULL};
    int told[ALIKE + 1] = {0}, others = 0;
    for (size_t i = 0; i < responses->responses_len; i++) {
        const revwatch_watch_response *response = &responses->responses[i];
        REQUIRE(response->events_len == 1 && response->revision >= 2 &&
                response->revision < 2 + PUTS);
        CHECK_INT(response->events[0].kv.mod_revision, response->revision);
        told[response->watch_id]++;
        if (response->watch_id == ALIKE) {
            CHECK_INT((int64_t)response->events[0].kv.value_len, 0);
            continue;
        }
        CHECK_BYTES(response->events[0].kv.value, response->events[0].kv.value_len, "value");
        const revwatch_event **list = &lists[response->revision - 2];
        others += *list && *list != response->events;
        *list = response->events;
    }
    for (int i = 0; i <= ALIKE; i++) CHECK_INT(told[i], PUTS);
    /* The first change or two find that the watchers are always the same. */
    CHECK(others <= 2 * ALIKE);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

const struct test watch_tests[] = {
    {"changes_come_in_order_with_what_was_before", changes_come_in_order_with_what_was_before},
    {"a_watch_from_the_past_reads_history_first", a_watch_from_the_past_reads_history_first},
    {"the_limits_of_a_poll_never_split_a_revision", the_limits_of_a_poll_never_split_a_revision},
    {"filters_leave_out_puts_or_deletes", filters_leave_out_puts_or_deletes},
    {"a_watcher_ends_when_it_is_canceled", a_watcher_ends_when_it_is_canceled},
    {"lost_history_is_told_with_where_to_go_on", lost_history_is_told_with_where_to_go_on},
    {"the_empty_key_watches_from_the_first", the_empty_key_watches_from_the_first},
    {"watchers_that_are_told_alike_are_given_one_list",
     watchers_that_are_told_alike_are_given_one_list},
    {NULL, NULL},
};
