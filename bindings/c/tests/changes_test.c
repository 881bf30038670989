/* Changes between two revisions, as events and as bytes for another store. */

#include "test.h"

static uint32_t hash_of(revwatch_store *store) {
    revwatch_hash_kv hash = {.hash = 0};
    CHECK_OK(revwatch_store_hash_kv(store, 0, &hash));
    return hash.hash;
}

static revwatch_changes *changes_of(revwatch_store *store, int64_t from, int64_t to) {
    revwatch_changes *changes = NULL;
    CHECK_OK(revwatch_changes_new(store, from, to, &changes));
    return changes;
}

static void a_store_that_applied_all_changes_is_the_same_store(void) {
    revwatch_store *source = open_memory(), *copy = open_memory();
    put(source, "a", "1");
    put(source, "b", "2");
    CHECK_OK(revwatch_store_delete_range(source, S("a"), NONE, NULL, NULL));
    revwatch_changes *changes = changes_of(source, 1, 0);
    revwatch_chunk_result *chunk = NULL;
    int64_t revision = 1, chunks = 0;
    revwatch_status status;
    while ((status = revwatch_changes_next_chunk(changes, 1, &chunk)) == REVWATCH_OK) {
        CHECK_ERROR(revwatch_store_apply_changes(copy, chunk->data, chunk->len - 1, NULL),
                    REVWATCH_ERROR_INVALID_CHANGES);
        CHECK_OK(revwatch_store_apply_changes(copy, chunk->data, chunk->len, &revision));
        CHECK_INT(revision, chunk->revision);
        CHECK_ERROR(revwatch_store_apply_changes(copy, chunk->data, chunk->len, NULL),
                    REVWATCH_ERROR_CHANGES_OUT_OF_PLACE);
        CHECK_INT(revwatch_last_error_revision(), revision);
        revwatch_chunk_result_free(chunk);
        chunks++;
    }
    CHECK_INT(status, REVWATCH_IDLE);
    CHECK(revision == 4 && chunks == 3);
    CHECK_INT(hash_of(copy), hash_of(source));
    revwatch_changes_free(changes);
    CHECK_OK(revwatch_store_close(source));
    CHECK_OK(revwatch_store_close(copy));
}

static void a_store_with_another_history_refuses_changes(void) {
    revwatch_store *source = open_memory(), *other = open_memory();
    put(source, "a", "1");
    put(other, "a", "2");
    put(source, "a", "3");
    revwatch_changes *changes = changes_of(source, 2, 0);
    revwatch_chunk_result *chunk = NULL;
    CHECK_OK(revwatch_changes_next_chunk(changes, 0, &chunk));
    REQUIRE(chunk);
    CHECK_ERROR(revwatch_store_apply_changes(other, chunk->data, chunk->len, NULL),
                REVWATCH_ERROR_CHANGES_DIVERGE);
    revwatch_chunk_result_free(chunk);
    revwatch_changes_free(changes);
    CHECK_OK(revwatch_store_close(source));
    CHECK_OK(revwatch_store_close(other));
}

static void a_walk_gives_every_event_once(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 5; i++) put(store, "k", "v");
    revwatch_changes *changes = changes_of(store, 2, 5);
    revwatch_changes_result *part = NULL;
    for (int64_t expected = 3; expected <= 5; expected++) {
        CHECK_OK(revwatch_changes_next(changes, 1, 0, &part));
        REQUIRE(part);
        CHECK(part->revision == expected && part->events_len == 1);
        CHECK_INT(part->events[0].kv.mod_revision, expected);
        revwatch_changes_result_free(part);
        part = NULL;
    }
    CHECK_STATUS(revwatch_changes_next(changes, 1, 0, &part), REVWATCH_IDLE);
    revwatch_changes_free(changes);
    CHECK_OK(revwatch_store_compact(store, 4, NULL));
    CHECK_ERROR(revwatch_changes_new(store, 3, 0, &changes), REVWATCH_ERROR_COMPACTED);
    CHECK_OK(revwatch_store_close(store));
}

static void misuse_of_changes_is_an_error(void) {
    revwatch_store *store = open_memory();
    revwatch_changes *changes = NULL;
    revwatch_changes_result *part = NULL;
    revwatch_chunk_result *chunk = NULL;
    CHECK_ERROR(revwatch_changes_new(NULL, 1, 0, &changes), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_changes_new(store, 1, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_apply_changes(store, NULL, 1, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_apply_changes(NULL, NONE, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_apply_changes(store, NONE, NULL), REVWATCH_ERROR_INVALID_CHANGES);
    CHECK(!changes);
    changes = changes_of(store, 1, 0);
    CHECK_ERROR(revwatch_changes_next(changes, 0, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_changes_next_chunk(changes, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_OK(revwatch_store_close(store));
    CHECK_ERROR(revwatch_changes_next(changes, 0, 0, &part), REVWATCH_ERROR_CLOSED);
    revwatch_changes_free(changes);
    revwatch_changes_free(changes);
    CHECK_ERROR(revwatch_changes_next(changes, 0, 0, &part), REVWATCH_ERROR_CLOSED);
    CHECK_ERROR(revwatch_changes_next_chunk(NULL, 0, &chunk), REVWATCH_ERROR_NULL_POINTER);
    CHECK(!part && !chunk);
    revwatch_changes_free(NULL);
    revwatch_changes_result_free(NULL);
    revwatch_chunk_result_free(NULL);
}

const struct test changes_tests[] = {
    {"a_store_that_applied_all_changes_is_the_same_store",
     a_store_that_applied_all_changes_is_the_same_store},
    {"a_store_with_another_history_refuses_changes",
     a_store_with_another_history_refuses_changes},
    {"a_walk_gives_every_event_once", a_walk_gives_every_event_once},
    {"misuse_of_changes_is_an_error", misuse_of_changes_is_an_error},
    {NULL, NULL},
};
