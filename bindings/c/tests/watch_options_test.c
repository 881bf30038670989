/* What a watcher may ask for beside a range, and the report on all of them. */

#include "test.h"

static revwatch_stream *watch_with(revwatch_store *store, const char *key,
                                   const revwatch_watch_options *options) {
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    CHECK_OK(revwatch_stream_watch(stream, S(key), NONE, options, NULL));
    revwatch_watch_responses *created = poll_one(stream);
    CHECK(created && created->responses[0].type == REVWATCH_RESPONSE_CREATED);
    revwatch_watch_responses_free(created);
    return stream;
}

static void a_watcher_of_several_ranges_sees_each_change_once(void) {
    revwatch_store *store = open_memory();
    const uint8_t x[] = "x", b[] = "b", d[] = "d", k[] = "k";
    const revwatch_key_range ranges[] = {
        {.key = x, .key_len = 1, .prefix = 1},
        {.key = b, .key_len = 1, .range_end = d, .range_end_len = 1},
        {.key = k, .key_len = 1},
    };
    revwatch_watch_options options = {
        .struct_size = sizeof options, .ranges = ranges, .ranges_len = 3};
    revwatch_stream *stream = watch_with(store, "k", &options);
    const char *keys[] = {"a", "b", "c", "d", "k", "ka", "x", "xyz", "y"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) put(store, keys[i], "v");
    const char *expected[] = {"b", "c", "k", "x", "xyz"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        revwatch_watch_responses *responses = poll_one(stream);
        REQUIRE(responses && responses->responses[0].events_len == 1);
        const revwatch_key_value *kv = &responses->responses[0].events[0].kv;
        CHECK_BYTES(kv->key, kv->key_len, expected[i]);
        revwatch_watch_responses_free(responses);
    }
    CHECK(!poll_one(stream));
    options.ranges = NULL;
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NONE, &options, NULL),
                REVWATCH_ERROR_NULL_POINTER);
    options.ranges = ranges;
    options.ranges_len = SIZE_MAX;
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NONE, &options, NULL),
                REVWATCH_ERROR_INVALID_ARGUMENT);
    revwatch_key_range both = ranges[1];
    both.prefix = 1;
    options.ranges = &both;
    options.ranges_len = 1;
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NONE, &options, NULL),
                REVWATCH_ERROR_INVALID_ARGUMENT);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void keys_only_leaves_out_values_also_the_previous(void) {
    revwatch_store *store = open_memory();
    put(store, "k", "1");
    revwatch_watch_options options = {.struct_size = sizeof options, .prev_kv = 1, .keys_only = 1};
    revwatch_stream *stream = watch_with(store, "k", &options);
    put(store, "k", "2");
    revwatch_watch_responses *responses = poll_one(stream);
    REQUIRE(responses && responses->responses[0].events_len == 1);
    const revwatch_event *event = responses->responses[0].events;
    CHECK(event->kv.value_len == 0 && event->kv.mod_revision == 3);
    CHECK(event->has_prev_kv && event->prev_kv.value_len == 0);
    CHECK_INT(event->prev_kv.mod_revision, 2);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void put_ten_in_one_revision(revwatch_store *store) {
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    for (int i = 0; i < 10; i++) {
        char key[3] = {'k', (char)('0' + i), 0};
        CHECK_OK(revwatch_txn_then_put(txn, S(key), S("0123456789"), NULL));
    }
    CHECK_OK(revwatch_store_txn(store, txn, NULL));
    revwatch_txn_free(txn);
}

static void a_revision_comes_in_marked_fragments_to_who_asked(void) {
    revwatch_store *store = open_memory();
    revwatch_watch_options options = {.struct_size = sizeof options, .prefix = 1, .fragment = 1};
    revwatch_stream *stream = watch_with(store, "k", &options);
    put_ten_in_one_revision(store);
    revwatch_poll_options four = {.struct_size = sizeof four, .max_events = 4, .max_responses = 1};
    const int64_t events[] = {4, 4, 2};
    for (int i = 0; i < 3; i++) {
        revwatch_watch_responses *responses = NULL;
        CHECK_OK(revwatch_stream_poll(stream, &four, &responses));
        REQUIRE(responses);
        CHECK_INT((int64_t)responses->responses[0].events_len, events[i]);
        CHECK_INT(responses->responses[0].fragment, i < 2);
        revwatch_watch_responses_free(responses);
    }
    CHECK(!poll_one(stream));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void progress_is_told_when_asked_for(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_all(store, 0);
    put(store, "k", "v");
    CHECK_OK(revwatch_stream_request_progress(stream));
    revwatch_watch_responses_free(poll_one(stream));
    revwatch_watch_responses *responses = poll_one(stream);
    REQUIRE(responses);
    CHECK_INT(responses->responses[0].type, REVWATCH_RESPONSE_PROGRESS);
    CHECK_INT(responses->responses[0].watch_id, REVWATCH_PROGRESS_OF_STREAM);
    CHECK_INT(responses->responses[0].revision, 2);
    revwatch_watch_responses_free(responses);
    revwatch_watch_options past = {.struct_size = sizeof past, .start_revision = 1};
    CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &past, NULL));
    CHECK_STATUS(revwatch_stream_request_progress(stream), REVWATCH_IDLE);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void progress_is_told_by_interval(void) {
    revwatch_open_options open = {
        .struct_size = sizeof open, .manual_clock = 1, .progress_notify_ms = 1000};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &open, &store));
    CHECK(revwatch_store_step(store, 0, 0, NULL) >= 0);
    revwatch_watch_options options = {.struct_size = sizeof options, .progress_notify = 1};
    revwatch_stream *stream = watch_with(store, "k", &options);
    put(store, "other", "v");
    CHECK(revwatch_store_step(store, 10, 0, NULL) >= 0);
    /* Who polls when told to, and not before, is told in time. */
    revwatch_watch_responses *responses;
    int64_t next_ms = 10;
    while (!(responses = poll_one(stream))) {
        int64_t before_ms = next_ms;
        CHECK_OK(revwatch_stream_next_poll_ms(stream, &next_ms));
        REQUIRE(next_ms > before_ms);
        CHECK(revwatch_store_step(store, next_ms, 0, NULL) >= 0);
    }
    CHECK_INT(next_ms, 1010);
    CHECK_INT(responses->responses[0].type, REVWATCH_RESPONSE_PROGRESS);
    CHECK_INT(responses->responses[0].watch_id, 0);
    CHECK_INT(responses->responses[0].revision, 2);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void who_conflates_sees_only_the_newest_of_each_key_when_behind(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 20; i++) put(store, i % 2 ? "a" : "b", "v");
    revwatch_watch_options options = {
        .struct_size = sizeof options, .prefix = 1, .start_revision = 2, .conflate = 1};
    revwatch_stream *stream = watch_with(store, "", &options);
    revwatch_watch_responses *responses = poll_one(stream);
    REQUIRE(responses && responses->responses[0].events_len == 2);
    CHECK_INT(responses->responses[0].events[0].kv.mod_revision, 20);
    CHECK_INT(responses->responses[0].events[1].kv.mod_revision, 21);
    revwatch_watch_responses_free(responses);
    CHECK(!poll_one(stream));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void the_report_tells_where_each_watcher_stands(void) {
    revwatch_store *store = open_memory();
    revwatch_watchers_result *report = NULL;
    CHECK_OK(revwatch_store_watchers(store, &report));
    CHECK(report && report->watchers_len == 0);
    revwatch_watchers_result_free(report);
    put(store, "a", "1");
    revwatch_stream *stream = watch_all(store, 0), *other = NULL;
    const revwatch_key_range more = {.key = (const uint8_t *)"b", .key_len = 1, .prefix = 1};
    revwatch_watch_options options = {
        .struct_size = sizeof options, .watch_id = 9, .ranges = &more, .ranges_len = 1};
    CHECK_OK(revwatch_stream_watch(stream, S("a"), NONE, &options, NULL));
    options = (revwatch_watch_options){.struct_size = sizeof options, .start_revision = 1};
    CHECK_OK(revwatch_stream_new(store, NULL, &other));
    CHECK_OK(revwatch_stream_watch(other, S("a"), NONE, &options, NULL));
    put(store, "a", "22");
    uint64_t ids[2] = {0, 0};
    CHECK_OK(revwatch_stream_id(stream, &ids[0]));
    CHECK_OK(revwatch_stream_id(other, &ids[1]));
    CHECK(ids[0] != ids[1]);
    CHECK_OK(revwatch_store_watchers(store, &report));
    REQUIRE(report && report->watchers_len == 3);
    int seen = 0;
    for (size_t i = 0; i < 3; i++) {
        const revwatch_watcher_report *watcher = &report->watchers[i];
        if (watcher->stream_id == ids[0] && watcher->watch_id == 9) {
            seen++;
            CHECK_INT(watcher->state, REVWATCH_WATCHER_SYNCED);
            REQUIRE(watcher->ranges_len == 2);
            CHECK_BYTES(watcher->ranges[0].key, watcher->ranges[0].key_len, "a");
            CHECK_BYTES(watcher->ranges[1].key, watcher->ranges[1].key_len, "b");
            CHECK_BYTES(watcher->ranges[1].range_end, watcher->ranges[1].range_end_len, "c");
            CHECK(watcher->queued_responses == 1 && watcher->queued_bytes == 3);
            CHECK(watcher->next_revision == 4 && watcher->lag == 0);
        }
        if (watcher->stream_id == ids[1]) {
            seen++;
            CHECK_INT(watcher->state, REVWATCH_WATCHER_UNSYNCED);
            CHECK(watcher->next_revision == 1 && watcher->lag == 3);
        }
    }
    CHECK_INT(seen, 2);
    revwatch_stream_free(stream);
    revwatch_stream_free(other);
    CHECK_OK(revwatch_store_close(store));
    /* A report outlives what it is of. */
    CHECK(report->watchers[0].ranges_len > 0 && report->watchers[0].ranges[0].key_len > 0);
    revwatch_watchers_result_free(report);
}

const struct test watch_options_tests[] = {
    {"a_watcher_of_several_ranges_sees_each_change_once",
     a_watcher_of_several_ranges_sees_each_change_once},
    {"keys_only_leaves_out_values_also_the_previous", keys_only_leaves_out_values_also_the_previous},
    {"a_revision_comes_in_marked_fragments_to_who_asked",
     a_revision_comes_in_marked_fragments_to_who_asked},
    {"progress_is_told_when_asked_for", progress_is_told_when_asked_for},
    {"progress_is_told_by_interval", progress_is_told_by_interval},
    {"who_conflates_sees_only_the_newest_of_each_key_when_behind",
     who_conflates_sees_only_the_newest_of_each_key_when_behind},
    {"the_report_tells_where_each_watcher_stands", the_report_tells_where_each_watcher_stands},
    {NULL, NULL},
};
