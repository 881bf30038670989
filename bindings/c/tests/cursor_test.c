/* Durable cursors: events from where their consumer has come, after reopening too. */

#include "test.h"

static revwatch_cursor *open_from(revwatch_store *store, int64_t start_revision, int32_t hold) {
    revwatch_cursor_options options = {.struct_size = sizeof options};
    options.start_revision = start_revision;
    options.hold = hold;
    revwatch_cursor *cursor = NULL;
    CHECK_OK(revwatch_cursor_open(store, S("c"), S("k"), NONE, &options, &cursor));
    return cursor;
}

/* The revisions of the events that there are, as "2 3 ", and what else is told. */
static const char *told_by(revwatch_cursor *cursor) {
    static char told[256];
    told[0] = 0;
    revwatch_poll_options one = {.struct_size = sizeof one, .max_responses = 1};
    revwatch_cursor_responses *responses = NULL;
    while (revwatch_cursor_poll(cursor, &one, &responses) == REVWATCH_OK) {
        CHECK_INT((int64_t)responses->responses_len, 1);
        const revwatch_cursor_response *response = responses->responses;
        for (size_t i = 0; i < response->events_len; i++) {
            snprintf(told + strlen(told), sizeof told - strlen(told), "%" PRId64 " ",
                     response->events[i].kv.mod_revision);
        }
        if (response->type != REVWATCH_CURSOR_EVENTS) {
            snprintf(told + strlen(told), sizeof told - strlen(told), "%s:%" PRId64 " ",
                     response->type == REVWATCH_CURSOR_COMPACTED ? "compacted" : "rewound",
                     response->revision);
        }
        revwatch_cursor_responses_free(responses);
    }
    return told;
}

#define CHECK_TOLD(cursor, expected)                                \
    do {                                                            \
        const char *told = told_by(cursor);                         \
        CHECK_BYTES((const uint8_t *)told, strlen(told), expected); \
    } while (0)

static void delivery_goes_on_after_the_last_acknowledgement_also_after_reopening(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    put(store, "k", "1");
    put(store, "k", "2");
    put(store, "other", "3");
    revwatch_cursor *cursor = open_from(store, 1, 0);
    CHECK_TOLD(cursor, "2 3 ");
    int64_t revision = 0;
    CHECK_OK(revwatch_cursor_revision(cursor, &revision));
    CHECK_INT(revision, 4);
    CHECK_OK(revwatch_cursor_ack(cursor, 2));
    CHECK_ERROR(revwatch_cursor_ack(cursor, 5), REVWATCH_ERROR_ACK_NOT_DELIVERED);
    CHECK_INT(revwatch_last_error_revision(), 4);
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));

    store = open_file(path);
    cursor = open_from(store, 1, 0);
    CHECK_TOLD(cursor, "3 ");
    CHECK_OK(revwatch_cursor_seek(cursor, 2));
    CHECK_TOLD(cursor, "2 3 ");
    CHECK_ERROR(revwatch_cursor_seek(cursor, 9), REVWATCH_ERROR_FUTURE_REVISION);
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void a_hold_keeps_history_until_it_is_acknowledged(void) {
    revwatch_store *store = open_memory();
    revwatch_cursor *cursor = open_from(store, 1, 1);
    for (int i = 0; i < 5; i++) put(store, "k", "v");
    CHECK_ERROR(revwatch_store_compact(store, 5, NULL), REVWATCH_ERROR_HELD_BY_CURSOR);
    CHECK_INT(revwatch_last_error_revision(), 1);
    CHECK_TOLD(cursor, "2 3 4 5 6 ");
    CHECK_OK(revwatch_cursor_ack(cursor, 4));
    CHECK_OK(revwatch_store_compact(store, 5, NULL));
    /* Without the hold it is told, once. */
    revwatch_cursor_free(cursor);
    cursor = open_from(store, 1, 0);
    CHECK_OK(revwatch_store_compact(store, 6, NULL));
    CHECK_TOLD(cursor, "compacted:6 6 ");
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void cursors_are_listed_and_deleted_by_name(void) {
    revwatch_store *store = open_memory();
    put(store, "k", "v");
    revwatch_cursor *cursor = open_from(store, 1, 1);
    revwatch_cursors_result *list = NULL;
    CHECK_OK(revwatch_store_cursors(store, &list));
    REQUIRE(list && list->cursors_len == 1);
    const revwatch_cursor_report *report = list->cursors;
    CHECK_BYTES(report->name, report->name_len, "c");
    CHECK_BYTES(report->key, report->key_len, "k");
    CHECK(report->range_end_len == 0 && report->hold == 1 && report->open == 1);
    CHECK(report->acked_revision == 0 && report->lag_revisions == 2);
    revwatch_cursors_result_free(list);
    CHECK_OK(revwatch_store_delete_cursor(store, S("c")));
    CHECK_ERROR(revwatch_store_delete_cursor(store, S("c")), REVWATCH_ERROR_CURSOR_NOT_FOUND);
    CHECK_ERROR(revwatch_cursor_ack(cursor, 1), REVWATCH_ERROR_CURSOR_NOT_FOUND);
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void a_cursor_that_cannot_be_is_refused(void) {
    revwatch_open_options options = {.struct_size = sizeof options, .cursors = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    revwatch_cursor *cursor = open_from(store, 1, 0), *other = NULL;
    CHECK_ERROR(revwatch_cursor_open(store, S("c"), S("z"), NONE, NULL, &other),
                REVWATCH_ERROR_CURSOR_EXISTS);
    CHECK_ERROR(revwatch_cursor_open(store, S("d"), S("k"), NONE, NULL, &other),
                REVWATCH_ERROR_TOO_MANY_CURSORS);
    CHECK_ERROR(revwatch_cursor_open(store, NONE, S("k"), NONE, NULL, &other),
                REVWATCH_ERROR_INVALID_OPTION);
    options.max_hold_revisions = -1;
    revwatch_store *none = NULL;
    CHECK_ERROR(revwatch_store_open(NULL, &options, &none), REVWATCH_ERROR_INVALID_OPTION);
    CHECK(!other && !none);
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void a_consumer_that_saw_what_is_not_there_is_told(void) {
    revwatch_store *store = open_memory();
    put(store, "k", "v");
    revwatch_resume_token seen = {.epoch = 1, .revision = 9};
    revwatch_cursor_options options = {.struct_size = sizeof options, .start_revision = 1};
    options.seen = &seen;
    revwatch_cursor *cursor = NULL;
    CHECK_OK(revwatch_cursor_open(store, S("c"), S("k"), NONE, &options, &cursor));
    CHECK_TOLD(cursor, "rewound:2 2 ");
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void misuse_of_cursors_is_an_error(void) {
    revwatch_store *store = open_memory();
    revwatch_cursor *cursor = NULL;
    CHECK_ERROR(revwatch_cursor_open(NULL, S("c"), S("k"), NONE, NULL, &cursor),
                REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_open(store, NULL, 1, S("k"), NONE, NULL, &cursor),
                REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_open(store, S("c"), NULL, 1, NONE, NULL, &cursor),
                REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_open(store, S("c"), S("k"), NULL, 1, NULL, &cursor),
                REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_open(store, S("c"), S("k"), NONE, NULL, NULL),
                REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_cursors(store, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_delete_cursor(store, NULL, 1), REVWATCH_ERROR_NULL_POINTER);
    CHECK(!cursor);
    cursor = open_from(store, 1, 0);
    revwatch_cursor_responses *responses = NULL;
    int64_t revision = 0;
    CHECK_ERROR(revwatch_cursor_poll(cursor, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_cursor_revision(cursor, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_OK(revwatch_store_close(store));
    CHECK_ERROR(revwatch_cursor_poll(cursor, NULL, &responses), REVWATCH_ERROR_CLOSED);
    revwatch_cursor_free(cursor);
    revwatch_cursor_free(cursor);
    revwatch_cursor *const gone[] = {cursor, NULL};
    for (int i = 0; i < 2; i++) {
        revwatch_status expected = gone[i] ? REVWATCH_ERROR_CLOSED : REVWATCH_ERROR_NULL_POINTER;
        CHECK_ERROR(revwatch_cursor_poll(gone[i], NULL, &responses), expected);
        CHECK_ERROR(revwatch_cursor_ack(gone[i], 1), expected);
        CHECK_ERROR(revwatch_cursor_seek(gone[i], 1), expected);
        CHECK_ERROR(revwatch_cursor_revision(gone[i], &revision), expected);
    }
    CHECK(!responses);
    revwatch_cursor_free(NULL);
    revwatch_cursor_responses_free(NULL);
    revwatch_cursors_result_free(NULL);
}

const struct test cursor_tests[] = {
    {"delivery_goes_on_after_the_last_acknowledgement_also_after_reopening",
     delivery_goes_on_after_the_last_acknowledgement_also_after_reopening},
    {"a_hold_keeps_history_until_it_is_acknowledged",
     a_hold_keeps_history_until_it_is_acknowledged},
    {"cursors_are_listed_and_deleted_by_name", cursors_are_listed_and_deleted_by_name},
    {"a_cursor_that_cannot_be_is_refused", a_cursor_that_cannot_be_is_refused},
    {"a_consumer_that_saw_what_is_not_there_is_told",
     a_consumer_that_saw_what_is_not_there_is_told},
    {"misuse_of_cursors_is_an_error", misuse_of_cursors_is_an_error},
    {NULL, NULL},
};
