/* Openings and checks in steps. */

#include "test.h"

static void a_file_is_opened_in_steps_and_locked_meanwhile(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_opening *opening = NULL;
    CHECK_OK(revwatch_opening_new(path, NULL, &opening));
    revwatch_open_options options = {.struct_size = sizeof options, .lock_timeout_ms = -1};
    revwatch_store *store = NULL;
    CHECK_ERROR(revwatch_store_open(path, &options, &store), REVWATCH_ERROR_LOCKED);
    CHECK_OK(revwatch_opening_finish(opening, &store));
    revwatch_opening_free(opening);
    CHECK_INT(put(store, "key", "value"), 2);
    CHECK_OK(revwatch_store_close(store));
    opening = NULL;
    CHECK_OK(revwatch_opening_new(path, NULL, &opening));
    revwatch_progress progress = {.done = 0};
    revwatch_status status;
    while ((status = revwatch_opening_step(opening, 0, &progress)) == REVWATCH_IDLE) continue;
    CHECK_OK(status);
    CHECK(progress.done == progress.total && progress.done > 0);
    revwatch_opening_free(opening);
    store = open_file(path);
    CHECK(strcmp(value_of(store, "key"), "value") == 0);
    CHECK_OK(revwatch_store_close(store));
}

static void a_check_in_steps_goes_on_while_others_write(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 2000; i++) put(store, "key", "value");
    revwatch_check *check = NULL;
    CHECK_OK(revwatch_check_new(store, &check));
    revwatch_progress progress = {.done = 0};
    uint64_t before = 0;
    int steps = 0;
    while (revwatch_check_step(check, 1000, &progress) == REVWATCH_IDLE) {
        CHECK(progress.done >= before && progress.done <= progress.total);
        before = progress.done;
        if (steps++ < 3) put(store, "key", "written meanwhile");
    }
    CHECK(steps > 3 && progress.done == progress.total);
    CHECK_OK(revwatch_check_step(check, 0, NULL));
    CHECK_OK(revwatch_store_close(store));
    CHECK_ERROR(revwatch_check_step(check, 0, &progress), REVWATCH_ERROR_CLOSED);
    revwatch_check_free(check);
    CHECK_ERROR(revwatch_check_step(check, 0, &progress), REVWATCH_ERROR_CLOSED);
}

static void damage_is_found_by_the_step_that_comes_to_it(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    for (int i = 0; i < 300; i++) put(store, "key", "a value of some length, so that there are pages");
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL && fseek(file, 4 * 4096 + 1000, SEEK_SET) == 0);
    CHECK(fwrite("damage", 1, 6, file) == 6);
    fclose(file);
    revwatch_check *check = NULL;
    CHECK_OK(revwatch_check_new(store, &check));
    revwatch_status status = REVWATCH_IDLE;
    while (status == REVWATCH_IDLE) status = revwatch_check_step(check, 4096, NULL);
    CHECK_ERROR(status, REVWATCH_ERROR_CORRUPT);
    revwatch_check_free(check);
    revwatch_store_free(store);
}

static void null_is_an_error_by_name(void) {
    CHECK_ERROR(revwatch_opening_new(NULL, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_opening_step(NULL, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_opening_finish(NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_check_new(NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_check_step(NULL, 0, NULL), REVWATCH_ERROR_NULL_POINTER);
    revwatch_opening_free(NULL);
    revwatch_check_free(NULL);
}

const struct test progress_tests[] = {
    {"a_file_is_opened_in_steps_and_locked_meanwhile",
     a_file_is_opened_in_steps_and_locked_meanwhile},
    {"a_check_in_steps_goes_on_while_others_write", a_check_in_steps_goes_on_while_others_write},
    {"damage_is_found_by_the_step_that_comes_to_it", damage_is_found_by_the_step_that_comes_to_it},
    {"null_is_an_error_by_name", null_is_an_error_by_name},
    {NULL, NULL},
};
