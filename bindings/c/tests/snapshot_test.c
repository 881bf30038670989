/* Snapshots, pulled and fed in pieces; imports that are whole or no store; repair. */

#include "test.h"

static uint32_t hash_of(revwatch_store *store) {
    revwatch_hash_kv hash = {.hash = 0};
    CHECK_OK(revwatch_store_hash_kv(store, 0, &hash));
    return hash.hash;
}

static revwatch_snapshot *snapshot_of(revwatch_store *store, int64_t since) {
    revwatch_snapshot *snapshot = NULL;
    CHECK_OK(revwatch_snapshot_new(store, since, &snapshot));
    return snapshot;
}

static void fill(revwatch_store *store, int count) {
    for (int i = 0; i < count; i++) {
        char value[32];
        snprintf(value, sizeof value, "value %d", i);
        put(store, i % 2 ? "a" : "b", value);
    }
}

static void a_store_is_restored_from_what_was_pulled_while_writing_went_on(void) {
    revwatch_store *store = open_memory(), *copy = NULL;
    fill(store, 60);
    uint32_t hash = hash_of(store);
    revwatch_snapshot *snapshot = snapshot_of(store, 0);
    revwatch_import *import = NULL;
    CHECK_OK(revwatch_import_new(NULL, NULL, &import));
    CHECK_INT(revwatch_import_status(import, NULL, NULL), REVWATCH_IDLE);
    revwatch_chunk_result *chunk = NULL;
    revwatch_status pulled, fed = REVWATCH_IDLE;
    revwatch_snapshot_head head = {.revision = 0};
    revwatch_progress progress = {.done = 1};
    while ((pulled = revwatch_snapshot_next_chunk(snapshot, 600, &chunk)) == REVWATCH_OK) {
        CHECK_INT(fed, REVWATCH_IDLE);
        CHECK(chunk->len <= 600 && chunk->revision == 61);
        CHECK_INT(revwatch_import_feed(import, chunk->data, 5), REVWATCH_IDLE);
        fed = revwatch_import_feed(import, chunk->data + 5, chunk->len - 5);
        CHECK_OK(revwatch_import_status(import, &head, &progress));
        CHECK(head.revision == 61 && head.since == 0 && progress.done <= progress.total);
        revwatch_chunk_result_free(chunk);
        put(store, "c", "written meanwhile");
    }
    CHECK_INT(pulled, REVWATCH_IDLE);
    CHECK_OK(fed);
    CHECK_OK(revwatch_snapshot_status(snapshot, &head, &progress));
    CHECK(head.revision == 61 && progress.done == progress.total);
    CHECK_OK(revwatch_import_finish(import, &copy));
    CHECK_INT(hash_of(copy), hash);
    put(copy, "goes", "on");
    CHECK_ERROR(revwatch_import_feed(import, NULL, 0), REVWATCH_ERROR_INVALID_ARGUMENT);
    CHECK_ERROR(revwatch_import_finish(import, &copy), REVWATCH_ERROR_INVALID_ARGUMENT);
    revwatch_import_free(import);
    revwatch_snapshot_free(snapshot);
    CHECK_OK(revwatch_store_close(store));
    CHECK_OK(revwatch_store_close(copy));
}

static void an_import_that_is_not_finished_leaves_no_store(void) {
    revwatch_store *store = open_memory(), *copy = NULL;
    fill(store, 5);
    revwatch_snapshot *snapshot = snapshot_of(store, 0);
    revwatch_chunk_result *chunk = NULL;
    CHECK_OK(revwatch_snapshot_next_chunk(snapshot, 0, &chunk));
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_import *import = NULL;
    CHECK_OK(revwatch_import_new(path, NULL, &import));
    CHECK_INT(revwatch_import_feed(import, chunk->data, chunk->len - 1), REVWATCH_IDLE);
    CHECK_ERROR(revwatch_import_finish(import, &copy), REVWATCH_ERROR_INVALID_SNAPSHOT);
    revwatch_import_free(import);
    CHECK_ERROR(revwatch_store_open(path, NULL, &copy), REVWATCH_ERROR_IMPORT_INCOMPLETE);

    import = NULL;
    CHECK_OK(revwatch_import_new(path, NULL, &import));
    CHECK_OK(revwatch_import_feed(import, chunk->data, chunk->len));
    CHECK_OK(revwatch_import_finish(import, &copy));
    revwatch_import_free(import);
    CHECK_INT(hash_of(copy), hash_of(store));
    CHECK_OK(revwatch_store_close(copy));
    import = NULL;
    CHECK_ERROR(revwatch_import_new(path, NULL, &import), REVWATCH_ERROR_STORE_EXISTS);
    CHECK(import == NULL);
    revwatch_chunk_result_free(chunk);
    revwatch_snapshot_free(snapshot);
    CHECK_OK(revwatch_store_close(store));
}

static void a_copy_takes_what_happened_since(void) {
    revwatch_store *store = open_memory(), *copy = open_memory();
    fill(store, 20);
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    revwatch_snapshot *snapshot = snapshot_of(store, 1);
    revwatch_snapshot_update *update = NULL;
    revwatch_snapshot_verifier *verifier = NULL;
    CHECK_OK(revwatch_snapshot_update_new(copy, &update));
    CHECK_OK(revwatch_snapshot_verifier_new(&verifier));
    revwatch_chunk_result *chunk = NULL;
    revwatch_status fed = REVWATCH_IDLE, verified = REVWATCH_IDLE;
    while (revwatch_snapshot_next_chunk(snapshot, 512, &chunk) == REVWATCH_OK) {
        fed = revwatch_snapshot_update_feed(update, chunk->data, chunk->len);
        verified = revwatch_snapshot_verifier_feed(verifier, chunk->data, chunk->len);
        revwatch_chunk_result_free(chunk);
    }
    CHECK_OK(fed);
    CHECK_OK(verified);
    revwatch_snapshot_head head = {.since = 0};
    uint64_t changes = 0;
    CHECK_OK(revwatch_snapshot_verifier_status(verifier, &head, &changes));
    CHECK(head.since == 1 && head.revision == 21 && changes == 20);
    CHECK_INT(hash_of(copy), hash_of(store));
    revwatch_snapshot_update_free(update);
    revwatch_snapshot_verifier_free(verifier);
    revwatch_snapshot_free(snapshot);

    snapshot = snapshot_of(store, 5);
    update = NULL;
    CHECK_OK(revwatch_snapshot_update_new(copy, &update));
    CHECK_OK(revwatch_snapshot_next_chunk(snapshot, 0, &chunk));
    CHECK_ERROR(revwatch_snapshot_update_feed(update, chunk->data, chunk->len),
                REVWATCH_ERROR_SNAPSHOT_OUT_OF_PLACE);
    CHECK_INT(revwatch_last_error_revision(), 21);
    revwatch_chunk_result_free(chunk);
    revwatch_snapshot_update_free(update);
    revwatch_snapshot_free(snapshot);
    CHECK_OK(revwatch_store_close(store));
    CHECK_OK(revwatch_store_close(copy));
}

static void a_snapshot_that_takes_too_long_is_overtaken(void) {
    revwatch_open_options options = {.struct_size = sizeof options, .page_size = 512};
    options.snapshot_hold_bytes = 1000;
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    fill(store, 100);
    revwatch_snapshot *snapshot = snapshot_of(store, 0);
    fill(store, 200);
    CHECK_OK(revwatch_store_compact(store, 301, NULL));
    CHECK(revwatch_store_step(store, -1, 0, NULL) >= 0);
    revwatch_chunk_result *chunk = NULL;
    CHECK_ERROR(revwatch_snapshot_next_chunk(snapshot, 0, &chunk),
                REVWATCH_ERROR_SNAPSHOT_OVERTAKEN);
    CHECK(chunk == NULL);
    revwatch_snapshot_free(snapshot);
    CHECK_OK(revwatch_store_close(store));
}

static void repair_saves_into_a_new_store_and_reports(void) {
    char path[600], to[620];
    snprintf(path, sizeof path, "%s", fresh_path());
    snprintf(to, sizeof to, "%s.saved", path);
    revwatch_store *store = open_file(path);
    fill(store, 300);
    CHECK_OK(revwatch_store_close(store));
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL);
    /* The first page of the header goes; the second says the same. */
    CHECK(fwrite("damage", 1, 6, file) == 6);
    fclose(file);
    revwatch_repair_result *report = NULL;
    CHECK_OK(revwatch_repair(path, to, NULL, &report));
    CHECK(report->revision == 301 && report->saved_changes == 300 && !report->lost_the_newest);
    CHECK(report->damaged_pages_len == 1 && report->damaged_pages[0] == 0);
    CHECK(report->lost_between_len == 0 && report->uncertain_keys_len == 0);
    revwatch_repair_result_free(report);
    report = NULL;
    CHECK_ERROR(revwatch_repair(path, to, NULL, &report), REVWATCH_ERROR_STORE_EXISTS);
    CHECK(report == NULL);
    store = open_file(to);
    CHECK_OK(revwatch_store_check(store));
    CHECK_OK(revwatch_store_close(store));
}

static void null_is_an_error_by_name(void) {
    revwatch_store *store = open_memory();
    CHECK_ERROR(revwatch_snapshot_new(NULL, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_new(store, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_next_chunk(NULL, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_status(NULL, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_import_new(NULL, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_import_feed(NULL, NULL, 0), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_import_finish(NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_import_status(NULL, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_update_new(store, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_update_feed(NULL, NULL, 0), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_verifier_new(NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_verifier_feed(NULL, NULL, 0), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_snapshot_verifier_status(NULL, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    revwatch_repair_result *report = NULL;
    CHECK_ERROR(revwatch_repair(NULL, "x", NULL, &report), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_repair("x", NULL, NULL, &report), REVWATCH_ERROR_NULL_POINTER);
    revwatch_snapshot_free(NULL);
    revwatch_import_free(NULL);
    revwatch_snapshot_update_free(NULL);
    revwatch_snapshot_verifier_free(NULL);
    revwatch_repair_result_free(NULL);
    CHECK_OK(revwatch_store_close(store));
}

const struct test snapshot_tests[] = {
    {"a_store_is_restored_from_what_was_pulled_while_writing_went_on",
     a_store_is_restored_from_what_was_pulled_while_writing_went_on},
    {"an_import_that_is_not_finished_leaves_no_store",
     an_import_that_is_not_finished_leaves_no_store},
    {"a_copy_takes_what_happened_since", a_copy_takes_what_happened_since},
    {"a_snapshot_that_takes_too_long_is_overtaken",
     a_snapshot_that_takes_too_long_is_overtaken},
    {"repair_saves_into_a_new_store_and_reports",
     repair_saves_into_a_new_store_and_reports},
    {"null_is_an_error_by_name", null_is_an_error_by_name},
    {NULL, NULL},
};
