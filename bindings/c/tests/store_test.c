/* The main job: what is put into a file is there, now, as it was, and after opening it again. */

#include "test.h"

static void what_is_put_is_found_now_and_as_it_was(void) {
    revwatch_store *store = open_file(fresh_path());
    CHECK_INT(put(store, "hello", "world1"), 2);
    CHECK_INT(put(store, "hello", "world2"), 3);
    revwatch_get_result *found = NULL;
    CHECK_OK(revwatch_store_get(store, S("hello"), &found));
    REQUIRE(found);
    CHECK_BYTES(found->kv.key, found->kv.key_len, "hello");
    CHECK_BYTES(found->kv.value, found->kv.value_len, "world2");
    CHECK_INT(found->kv.create_revision, 2);
    CHECK_INT(found->kv.mod_revision, 3);
    CHECK_INT(found->kv.version, 2);
    CHECK_INT(found->kv.lease, 0);
    revwatch_get_result_free(found);
    revwatch_range_options past = {.struct_size = sizeof past, .revision = 2};
    revwatch_range_result *range = NULL;
    CHECK_OK(revwatch_store_range(store, S("hello"), NONE, &past, &range));
    REQUIRE(range && range->kvs_len == 1);
    CHECK_BYTES(range->kvs[0].value, range->kvs[0].value_len, "world1");
    CHECK_INT(range->revision, 3);
    revwatch_range_result_free(range);
    CHECK_STATUS(revwatch_store_get(store, S("none"), &found), REVWATCH_NOT_FOUND);
    CHECK_OK(revwatch_store_close(store));
}

static void results_outlive_the_store(void) {
    revwatch_store *store = open_file(fresh_path());
    put(store, "a", "1");
    put(store, "b", "2");
    revwatch_range_result *range = NULL;
    CHECK_OK(revwatch_store_range(store, S("a"), REST, NULL, &range));
    put(store, "a", "3");
    CHECK_OK(revwatch_store_close(store));
    REQUIRE(range && range->kvs_len == 2);
    CHECK_BYTES(range->kvs[0].value, range->kvs[0].value_len, "1");
    CHECK_BYTES(range->kvs[1].key, range->kvs[1].key_len, "b");
    revwatch_range_result_free(range);
}

static void keys_and_values_hold_any_bytes(void) {
    revwatch_store *store = open_file(fresh_path());
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++) all[i] = (uint8_t)(255 - i);
    CHECK_OK(revwatch_store_put(store, all, sizeof all, all, sizeof all, NULL));
    revwatch_get_result *found = NULL;
    CHECK_OK(revwatch_store_get(store, all, sizeof all, &found));
    REQUIRE(found && found->kv.value_len == sizeof all);
    CHECK(memcmp(found->kv.key, all, sizeof all) == 0);
    CHECK(memcmp(found->kv.value, all, sizeof all) == 0);
    revwatch_get_result_free(found);
    CHECK_OK(revwatch_store_close(store));
}

static void check_range(revwatch_store *store, const char *key, const char *end, size_t end_len,
                        int32_t prefix, const char *expected) {
    revwatch_range_options options = {.struct_size = sizeof options, .prefix = prefix};
    revwatch_range_result *range = NULL;
    char keys[64] = "";
    CHECK_OK(revwatch_store_range(store, S(key), (const uint8_t *)end, end_len, &options, &range));
    REQUIRE(range);
    for (size_t i = 0; i < range->kvs_len; i++) {
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%.*s ",
                 (int)range->kvs[i].key_len, (const char *)range->kvs[i].key);
    }
    CHECK_BYTES((const uint8_t *)keys, strlen(keys), expected);
    revwatch_range_result_free(range);
}

static void ranges_follow_etcds_convention_and_prefix(void) {
    revwatch_store *store = open_memory();
    const char *keys[] = {"a", "ab", "abc", "b", "\xff", "\xff\xff"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) put(store, keys[i], "");
    check_range(store, "ab", NULL, 0, 0, "ab ");
    check_range(store, "ab", "b", 1, 0, "ab abc ");
    check_range(store, "abc", "\0", 1, 0, "abc b \xff \xff\xff ");
    check_range(store, "ab", NULL, 0, 1, "ab abc ");
    check_range(store, "\xff", NULL, 0, 1, "\xff \xff\xff ");
    check_range(store, "", NULL, 0, 1, "a ab abc b \xff \xff\xff ");
    check_range(store, "b", "a", 1, 0, "");
    CHECK_OK(revwatch_store_close(store));
}

static void range_options_sort_limit_and_count(void) {
    revwatch_store *store = open_memory();
    put(store, "a", "2");
    put(store, "b", "3");
    put(store, "c", "1");
    revwatch_range_options options = {.struct_size = sizeof options,
                                      .prefix = 1,
                                      .limit = 2,
                                      .sort_order = REVWATCH_SORT_DESCEND,
                                      .sort_target = REVWATCH_SORT_BY_VALUE,
                                      .keys_only = 1};
    revwatch_range_result *range = NULL;
    CHECK_OK(revwatch_store_range(store, NONE, NONE, &options, &range));
    REQUIRE(range && range->kvs_len == 2);
    CHECK_BYTES(range->kvs[0].key, range->kvs[0].key_len, "b");
    CHECK_BYTES(range->kvs[1].key, range->kvs[1].key_len, "a");
    CHECK(range->kvs[0].value_len == 0 && range->more == 1 && range->count == 3);
    revwatch_range_result_free(range);
    options.count_only = 1;
    CHECK_OK(revwatch_store_range(store, NONE, NONE, &options, &range));
    CHECK(range->kvs_len == 0 && range->more == 0 && range->count == 3);
    revwatch_range_result_free(range);
    CHECK_OK(revwatch_store_close(store));
}

static void put_and_delete_answer_what_was_before(void) {
    revwatch_store *store = open_file(fresh_path());
    revwatch_put_options puts = {.struct_size = sizeof puts, .prev_kv = 1};
    revwatch_put_result *was = NULL;
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("1"), &puts, &was));
    CHECK(was && was->revision == 2 && !was->prev_kv);
    revwatch_put_result_free(was);
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("2"), &puts, &was));
    REQUIRE(was && was->prev_kv);
    CHECK_BYTES(was->prev_kv->value, was->prev_kv->value_len, "1");
    revwatch_put_result_free(was);
    put(store, "l", "3");
    revwatch_delete_range_options deletes = {.struct_size = sizeof deletes, .prefix = 1, .prev_kv = 1};
    revwatch_delete_range_result *gone = NULL;
    CHECK_OK(revwatch_store_delete_range(store, NONE, NONE, &deletes, &gone));
    REQUIRE(gone && gone->prev_kvs_len == 2);
    CHECK(gone->deleted == 2 && gone->revision == 5);
    CHECK_BYTES(gone->prev_kvs[1].value, gone->prev_kvs[1].value_len, "3");
    revwatch_delete_range_result_free(gone);
    CHECK_OK(revwatch_store_delete_range(store, NONE, NONE, &deletes, &gone));
    CHECK(gone->deleted == 0 && gone->revision == 5 && gone->prev_kvs_len == 0);
    revwatch_delete_range_result_free(gone);
    CHECK_OK(revwatch_store_close(store));
}

static void what_was_put_survives_closing(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i % 100);
        put(store, key, "a value of some bytes");
    }
    CHECK_OK(revwatch_store_compact(store, 300, NULL));
    revwatch_resume_token before, after;
    CHECK_OK(revwatch_store_resume_token(store, &before));
    CHECK_OK(revwatch_store_close(store));
    store = open_file(path);
    CHECK_OK(revwatch_store_check(store));
    CHECK_OK(revwatch_store_resume_token(store, &after));
    CHECK(after.revision == 501 && after.revision == before.revision);
    CHECK(after.epoch == before.epoch);
    CHECK(strcmp(value_of(store, "key99"), "a value of some bytes") == 0);
    revwatch_status_result *status = NULL;
    CHECK_OK(revwatch_store_status(store, &status));
    REQUIRE(status);
    CHECK(status->keys == 100 && status->compact_revision == 300 && !status->poisoned);
    CHECK(status->published_revision == 501 && status->size_in_use <= status->size_allocated);
    revwatch_status_result_free(status);
    CHECK_OK(revwatch_store_close(store));
}

static void history_comes_in_whole_revisions(void) {
    revwatch_store *store = open_file(fresh_path());
    put(store, "a", "1");
    put(store, "b", "2");
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_txn_then_put(txn, S("b"), S("3"), NULL));
    CHECK_OK(revwatch_txn_then_delete_range(txn, S("a"), NONE, NULL));
    CHECK_OK(revwatch_store_txn(store, txn, NULL));
    revwatch_txn_free(txn);
    revwatch_history_options options = {.struct_size = sizeof options, .max_events = 1, .prefix = 1};
    revwatch_history_result *history = NULL;
    CHECK_OK(revwatch_store_history(store, NONE, NONE, &options, &history));
    REQUIRE(history);
    CHECK(history->events_len == 1 && history->next_revision == 3);
    revwatch_history_result_free(history);
    options.start_revision = 4;
    CHECK_OK(revwatch_store_history(store, NONE, NONE, &options, &history));
    REQUIRE(history && history->events_len == 2);
    CHECK_INT(history->next_revision, 0);
    CHECK_INT(history->events[0].type, REVWATCH_EVENT_PUT);
    CHECK_INT(history->events[1].type, REVWATCH_EVENT_DELETE);
    CHECK_BYTES(history->events[1].kv.key, history->events[1].kv.key_len, "a");
    CHECK(history->events[1].kv.mod_revision == 4 && history->events[1].kv.version == 0);
    revwatch_history_result_free(history);
    CHECK_OK(revwatch_store_close(store));
}

static void batched_writes_are_published_by_a_flush(void) {
    revwatch_open_options options = {.struct_size = sizeof options,
                                     .durability = REVWATCH_DURABILITY_BATCH,
                                     .batch_ms = INT64_MAX / 4,
                                     .manual_clock = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(fresh_path(), &options, &store));
    CHECK(revwatch_store_step(store, 0, 0, NULL) >= 0);
    CHECK_INT(put(store, "k", "v"), 2);
    int64_t revision = -7;
    CHECK_STATUS(revwatch_store_wait(store, 1, 0, &revision), REVWATCH_IDLE);
    CHECK_INT(revision, -7);
    CHECK(strcmp(value_of(store, "k"), "v") == 0);
    CHECK_OK(revwatch_store_flush(store));
    CHECK_OK(revwatch_store_wait(store, 1, 0, &revision));
    CHECK_INT(revision, 2);
    CHECK_OK(revwatch_store_close(store));
}

static void a_write_may_have_a_durability_of_its_own(void) {
    revwatch_open_options batched = {.struct_size = sizeof batched,
                                     .durability = REVWATCH_DURABILITY_BATCH,
                                     .manual_clock = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(fresh_path(), &batched, &store));
    revwatch_put_result *put = NULL;
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("v"), NULL, &put));
    CHECK_INT(put->durable, 0);
    revwatch_put_result_free(put);
    revwatch_put_options commit = {.struct_size = sizeof commit,
                                   .durability = REVWATCH_DURABILITY_COMMIT};
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("v"), &commit, &put));
    CHECK_INT(put->durable, 1);
    revwatch_put_result_free(put);

    revwatch_delete_range_options never = {.struct_size = sizeof never,
                                           .durability = REVWATCH_DURABILITY_NEVER};
    revwatch_delete_range_result *deleted = NULL;
    CHECK_OK(revwatch_store_delete_range(store, S("k"), NONE, &never, &deleted));
    CHECK_INT(deleted->durable, 0);
    revwatch_delete_range_result_free(deleted);

    revwatch_txn *txn = NULL;
    revwatch_txn_result *result = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_ERROR(revwatch_txn_then_put(txn, S("k"), S("v"), &commit),
                REVWATCH_ERROR_INVALID_OPTION);
    CHECK_ERROR(revwatch_txn_set_durability(txn, 4), REVWATCH_ERROR_INVALID_OPTION);
    CHECK_OK(revwatch_txn_then_put(txn, S("k"), S("v"), NULL));
    CHECK_OK(revwatch_txn_set_durability(txn, REVWATCH_DURABILITY_COMMIT));
    CHECK_OK(revwatch_store_txn(store, txn, &result));
    CHECK_INT(result->durable, 1);
    CHECK_INT(result->responses[0].put->durable, 0);
    revwatch_txn_result_free(result);
    revwatch_txn_free(txn);

    commit.durability = -1;
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), &commit, NULL),
                REVWATCH_ERROR_INVALID_OPTION);
    CHECK_OK(revwatch_store_close(store));
}

static void batches_are_synced_while_somebody_waits(void) {
    revwatch_open_options options = {
        .struct_size = sizeof options, .durability = REVWATCH_DURABILITY_BATCH, .batch_ms = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(fresh_path(), &options, &store));
    CHECK_INT(put(store, "k", "v"), 2);
    CHECK_OK(revwatch_store_wait(store, 1, -1, NULL));
    CHECK_OK(revwatch_store_close(store));
}

static void a_store_compacts_what_it_need_not_retain(void) {
    revwatch_open_options options = {
        .struct_size = sizeof options, .retain_revisions = 16, .manual_clock = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    for (int i = 0; i < 100; i++) put(store, "k", "v");
    CHECK(revwatch_store_step(store, 0, 0, NULL) >= 0);
    revwatch_status_result *status = NULL;
    CHECK_OK(revwatch_store_status(store, &status));
    CHECK(status && status->revision == 101 && status->compact_revision == 85);
    revwatch_status_result_free(status);
    CHECK_OK(revwatch_store_close(store));
}

static void beyond_its_quota_a_store_takes_deletes_only(void) {
    revwatch_open_options options = {.struct_size = sizeof options, .quota_bytes = 256 * 1024};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    char value[1000];
    memset(value, 'v', sizeof value);
    revwatch_status status = REVWATCH_OK;
    int puts = 0;
    for (; status == REVWATCH_OK && puts < 1000; puts++) {
        status = revwatch_store_put(store, S("k"), (const uint8_t *)value, sizeof value, NULL);
    }
    CHECK_ERROR(status, REVWATCH_ERROR_NO_SPACE);
    CHECK(puts > 100 && puts < 300);
    CHECK_OK(revwatch_store_delete_range(store, S("k"), NONE, NULL, NULL));
    CHECK_OK(revwatch_store_close(store));
}

static void a_reader_sees_what_a_writer_puts(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *writer = open_file(path);
    put(writer, "k", "1");
    revwatch_open_options options = {.struct_size = sizeof options, .read_only = 1};
    revwatch_store *reader = NULL;
    CHECK_OK(revwatch_store_open(path, &options, &reader));
    CHECK(strcmp(value_of(reader, "k"), "1") == 0);
    put(writer, "k", "2");
    int64_t revision = 0;
    CHECK_OK(revwatch_store_wait(reader, 2, -1, &revision));
    CHECK_INT(revision, 3);
    CHECK(strcmp(value_of(reader, "k"), "2") == 0);
    CHECK_ERROR(revwatch_store_put(reader, S("k"), S("3"), NULL), REVWATCH_ERROR_READ_ONLY);
    CHECK_OK(revwatch_store_close(reader));
    CHECK_OK(revwatch_store_close(writer));
}

static void closing_releases_the_file(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_open_options no_wait = {.struct_size = sizeof no_wait, .lock_timeout_ms = -1};
    revwatch_store *store = open_file(path), *second = NULL;
    revwatch_stream *stream = watch_all(store, 0);
    CHECK_ERROR(revwatch_store_open(path, &no_wait, &second), REVWATCH_ERROR_LOCKED);
    CHECK(!second);
    /* Also while what was made from the store is not freed yet. */
    CHECK_OK(revwatch_store_close(store));
    CHECK_OK(revwatch_store_open(path, &no_wait, &second));
    CHECK_OK(revwatch_store_close(second));
    revwatch_stream_free(stream);
}

const struct test store_tests[] = {
    {"what_is_put_is_found_now_and_as_it_was", what_is_put_is_found_now_and_as_it_was},
    {"results_outlive_the_store", results_outlive_the_store},
    {"keys_and_values_hold_any_bytes", keys_and_values_hold_any_bytes},
    {"ranges_follow_etcds_convention_and_prefix", ranges_follow_etcds_convention_and_prefix},
    {"range_options_sort_limit_and_count", range_options_sort_limit_and_count},
    {"put_and_delete_answer_what_was_before", put_and_delete_answer_what_was_before},
    {"what_was_put_survives_closing", what_was_put_survives_closing},
    {"history_comes_in_whole_revisions", history_comes_in_whole_revisions},
    {"batched_writes_are_published_by_a_flush", batched_writes_are_published_by_a_flush},
    {"a_write_may_have_a_durability_of_its_own", a_write_may_have_a_durability_of_its_own},
    {"batches_are_synced_while_somebody_waits", batches_are_synced_while_somebody_waits},
    {"a_store_compacts_what_it_need_not_retain", a_store_compacts_what_it_need_not_retain},
    {"beyond_its_quota_a_store_takes_deletes_only", beyond_its_quota_a_store_takes_deletes_only},
    {"a_reader_sees_what_a_writer_puts", a_reader_sees_what_a_writer_puts},
    {"closing_releases_the_file", closing_releases_the_file},
    {NULL, NULL},
};
