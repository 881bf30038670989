/* Stores on pages that the program keeps. Here they are in memory, and forget what was not synced. */

#include <pthread.h>
#include <unistd.h>

#include "test.h"

enum { PAGE = 512, PAGES = 64 };

struct chip {
    uint8_t now[PAGES][PAGE];
    uint8_t synced[PAGES][PAGE];
    uint32_t len;
    uint32_t synced_len;
    uint32_t capacity;
    int answer; /* of syncs, if it is not 0 */
    int syncs;
    int released;
    void (*before_sync)(void); /* if there is one */
    revwatch_store *store; /* asked from inside, if there is one */
    revwatch_status inside;
};

static int32_t chip_len(void *context, uint32_t *pages) {
    *pages = ((struct chip *)context)->len;
    return 0;
}

static int32_t chip_set_len(void *context, uint32_t pages) {
    struct chip *chip = context;
    if (pages > chip->capacity) return REVWATCH_ERROR_NO_SPACE;
    for (uint32_t page = chip->len; page < pages; page++) memset(chip->now[page], 0xa5, PAGE);
    chip->len = pages;
    return 0;
}

static int32_t chip_read(void *context, uint32_t page, uint8_t *bytes) {
    memcpy(bytes, ((struct chip *)context)->now[page], PAGE);
    return 0;
}

static int32_t chip_write(void *context, uint32_t page, const uint8_t *bytes) {
    struct chip *chip = context;
    if (chip->store) chip->inside = revwatch_store_put(chip->store, S("inside"), S(""), NULL);
    memcpy(chip->now[page], bytes, PAGE);
    return 0;
}

static int32_t chip_sync(void *context) {
    struct chip *chip = context;
    if (chip->before_sync) chip->before_sync();
    if (chip->answer) return chip->answer;
    memcpy(chip->synced, chip->now, sizeof chip->now);
    chip->synced_len = chip->len;
    chip->syncs++;
    return 0;
}

static void chip_release(void *context) { ((struct chip *)context)->released++; }

static void chip_loses_power(struct chip *chip) {
    memcpy(chip->now, chip->synced, sizeof chip->now);
    chip->len = chip->synced_len;
}

static struct chip *new_chip(void) {
    struct chip *chip = calloc(1, sizeof *chip);
    chip->capacity = PAGES;
    return chip;
}

static revwatch_page_store pages_of(struct chip *chip) {
    revwatch_page_store pages = {.struct_size = sizeof pages};
    pages.context = chip;
    pages.page_size = PAGE;
    pages.len = chip_len;
    pages.set_len = chip_set_len;
    pages.read = chip_read;
    pages.write = chip_write;
    pages.sync = chip_sync;
    pages.release = chip_release;
    return pages;
}

static revwatch_store *open_chip(struct chip *chip) {
    revwatch_page_store pages = pages_of(chip);
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open_pages(&pages, NULL, &store));
    return store;
}

static void a_write_that_was_answered_survives_a_loss_of_power(void) {
    struct chip *chip = new_chip();
    revwatch_store *store = open_chip(chip);
    for (int turn = 0; turn < 300; turn++) {
        char value[32];
        snprintf(value, sizeof value, "value %d", turn);
        int syncs = chip->syncs;
        int64_t revision = put(store, turn % 2 ? "odd" : "even", value);
        CHECK(chip->syncs > syncs);
        if (turn % 50 == 0) CHECK(revwatch_store_compact(store, revision, NULL) == REVWATCH_OK);
        if (turn % 7 == 0) {
            /* Closing would sync what was written to the last: that is not to be. */
            chip->answer = 5;
            CHECK(revwatch_store_close(store) < 0);
            chip->answer = 0;
            chip_loses_power(chip);
            store = open_chip(chip);
            CHECK(strcmp(value_of(store, turn % 2 ? "odd" : "even"), value) == 0);
            CHECK_OK(revwatch_store_check(store));
        }
    }
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

static void a_full_page_store_is_no_space_and_deletes_go_through(void) {
    struct chip *chip = new_chip();
    revwatch_store *store = open_chip(chip);
    revwatch_status status = REVWATCH_OK;
    int64_t revision = 0;
    for (int turn = 0; status == REVWATCH_OK && turn < 10000; turn++) {
        char key[32];
        snprintf(key, sizeof key, "key %d", turn % 20);
        status = revwatch_store_put(store, S(key), S("some value"), &revision);
    }
    CHECK_ERROR(status, REVWATCH_ERROR_NO_SPACE);
    CHECK_OK(revwatch_store_delete_range(store, S("key"), S("kez"), NULL, NULL));
    CHECK_OK(revwatch_store_compact(store, revision + 1, NULL));
    for (int turn = 0; turn < 100; turn++) {
        CHECK(revwatch_store_step(store, -1, 1 << 20, NULL) >= 0);
    }
    CHECK_OK(revwatch_store_put(store, S("key"), S("there is room again"), NULL));
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

static void the_answer_of_a_failed_function_is_in_the_message(void) {
    struct chip *chip = new_chip();
    revwatch_store *store = open_chip(chip);
    put(store, "key", "value");
    chip->answer = 4711;
    CHECK_ERROR(revwatch_store_put(store, S("key"), S("lost"), NULL), REVWATCH_ERROR_IO);
    CHECK(strstr(revwatch_last_error_message(), "4711") != NULL);
    chip->answer = 0;
    /* Nothing is known any more of what reached the chip: the store takes no more writes. */
    CHECK_ERROR(revwatch_store_put(store, S("key"), S("late"), NULL), REVWATCH_ERROR_POISONED);
    CHECK(strcmp(value_of(store, "key"), "value") == 0);
    revwatch_store_free(store);
    chip_loses_power(chip);
    store = open_chip(chip);
    CHECK(strcmp(value_of(store, "key"), "value") == 0);
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

static void the_pages_are_released_once(void) {
    struct chip *chip = new_chip();
    revwatch_store_free(open_chip(chip));
    CHECK_INT(chip->released, 1);
    /* Also if they hold no store. */
    memset(chip->now, 0x11, sizeof chip->now);
    revwatch_page_store pages = pages_of(chip);
    revwatch_store *store = NULL;
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_NOT_A_STORE);
    CHECK_INT(chip->released, 2);
    pages.release = NULL;
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_NOT_A_STORE);
    CHECK(store == NULL);
    free(chip);
}

static void a_function_that_calls_the_library_is_refused_and_nothing_hangs(void) {
    struct chip *chip = new_chip();
    chip->store = open_chip(chip);
    put(chip->store, "key", "value");
    CHECK_ERROR(chip->inside, REVWATCH_ERROR_INVALID_ARGUMENT);
    CHECK(strcmp(value_of(chip->store, "inside"), "(none)") == 0);
    CHECK_OK(revwatch_store_close(chip->store));
    free(chip);
}

static void pages_that_cannot_be_are_refused(void) {
    struct chip *chip = new_chip();
    revwatch_page_store pages = pages_of(chip);
    revwatch_store *store = NULL;
    CHECK_ERROR(revwatch_store_open_pages(NULL, NULL, &store), REVWATCH_ERROR_NULL_POINTER);
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, NULL), REVWATCH_ERROR_NULL_POINTER);
    pages.page_size = 700;
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_INVALID_OPTION);
    pages = pages_of(chip);
    pages.struct_size = 0;
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_INVALID_OPTION);
    pages = pages_of(chip);
    pages.sync = NULL;
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_NULL_POINTER);
    pages = pages_of(chip);
    revwatch_open_options options = {.struct_size = sizeof options, .page_size = 4096};
    CHECK_ERROR(revwatch_store_open_pages(&pages, &options, &store),
                REVWATCH_ERROR_INVALID_OPTION);
    options.page_size = PAGE;
    CHECK_OK(revwatch_store_open_pages(&pages, &options, &store));
    revwatch_store_free(store);
    free(chip);
}

/* A snapshot of a store with a few keys, in one chunk. */
static revwatch_chunk_result *snapshot_chunk(void) {
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, NULL, &store));
    for (int i = 0; i < 40; i++) put(store, i % 2 ? "odd" : "even", "a value of some length");
    revwatch_snapshot *snapshot = NULL;
    revwatch_chunk_result *chunk = NULL;
    CHECK_OK(revwatch_snapshot_new(store, 0, &snapshot));
    CHECK_OK(revwatch_snapshot_next_chunk(snapshot, 0, &chunk));
    revwatch_snapshot_free(snapshot);
    CHECK_OK(revwatch_store_close(store));
    return chunk;
}

static void an_import_is_whole_on_pages_of_your_own_or_no_store(void) {
    struct chip *chip = new_chip();
    revwatch_chunk_result *chunk = snapshot_chunk();
    revwatch_page_store pages = pages_of(chip);
    revwatch_store *store = NULL;
    revwatch_import *import = NULL;
    CHECK_OK(revwatch_import_new_pages(&pages, NULL, &import));
    CHECK_OK(revwatch_import_feed(import, chunk->data, chunk->len));
    revwatch_import_free(import);
    CHECK_INT(chip->released, 1);
    chip_loses_power(chip);
    CHECK_ERROR(revwatch_store_open_pages(&pages, NULL, &store), REVWATCH_ERROR_IMPORT_INCOMPLETE);

    import = NULL;
    CHECK_OK(revwatch_import_new_pages(&pages, NULL, &import));
    CHECK_OK(revwatch_import_feed(import, chunk->data, chunk->len));
    CHECK_OK(revwatch_import_finish(import, &store));
    revwatch_import_free(import);
    chip->answer = 5;
    CHECK_ERROR(revwatch_store_put(store, S("odd"), S("never synced"), NULL), REVWATCH_ERROR_IO);
    revwatch_store_free(store);
    chip->answer = 0;
    chip_loses_power(chip);
    store = open_chip(chip);
    CHECK_OK(revwatch_store_check(store));
    CHECK(strcmp(value_of(store, "odd"), "a value of some length") == 0);
    CHECK_OK(revwatch_store_close(store));
    import = NULL;
    CHECK_ERROR(revwatch_import_new_pages(&pages, NULL, &import), REVWATCH_ERROR_STORE_EXISTS);
    CHECK_ERROR(revwatch_import_new_pages(NULL, NULL, &import), REVWATCH_ERROR_NULL_POINTER);
    revwatch_chunk_result_free(chunk);
    free(chip);
}

static void an_opening_in_steps_releases_the_pages_if_it_is_given_up(void) {
    struct chip *chip = new_chip();
    revwatch_store *store = open_chip(chip);
    for (int i = 0; i < 40; i++) put(store, i % 2 ? "odd" : "even", "a value of some length");
    chip->answer = 5; /* so that it is not closed, and all is read */
    CHECK_ERROR(revwatch_store_put(store, S("odd"), S("never synced"), NULL), REVWATCH_ERROR_IO);
    revwatch_store_free(store);
    chip->answer = 0;
    chip_loses_power(chip);
    chip->released = 0;

    revwatch_page_store pages = pages_of(chip);
    revwatch_opening *opening = NULL;
    CHECK_OK(revwatch_opening_new_pages(&pages, NULL, &opening));
    revwatch_progress progress = {.done = 0};
    CHECK_INT(revwatch_opening_step(opening, PAGE, &progress), REVWATCH_IDLE);
    CHECK(progress.done > 0 && progress.done < progress.total);
    CHECK_INT(chip->released, 0);
    revwatch_opening_free(opening);
    CHECK_INT(chip->released, 1);

    opening = NULL;
    store = NULL;
    CHECK_OK(revwatch_opening_new_pages(&pages, NULL, &opening));
    uint64_t before = 0;
    int steps = 0;
    while (revwatch_opening_step(opening, PAGE, &progress) == REVWATCH_IDLE) {
        CHECK(progress.done >= before && progress.done <= progress.total);
        before = progress.done;
        steps++;
    }
    CHECK(steps > 3 && progress.done == progress.total);
    CHECK_OK(revwatch_opening_finish(opening, &store));
    CHECK_ERROR(revwatch_opening_step(opening, 0, NULL), REVWATCH_ERROR_INVALID_ARGUMENT);
    CHECK_ERROR(revwatch_opening_finish(opening, &store), REVWATCH_ERROR_INVALID_ARGUMENT);
    revwatch_opening_free(opening);
    CHECK_ERROR(revwatch_opening_step(opening, 0, NULL), REVWATCH_ERROR_CLOSED);
    CHECK(strcmp(value_of(store, "odd"), "a value of some length") == 0);
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

static revwatch_stream *watch_told(revwatch_store *store, int early) {
    revwatch_stream_options options = {.struct_size = sizeof options, .early = early};
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, &options, &stream));
    CHECK_OK(revwatch_stream_watch(stream, S(""), REST, NULL, NULL));
    revwatch_watch_responses *created = poll_one(stream);
    CHECK(created && created->responses[0].type == REVWATCH_RESPONSE_CREATED);
    revwatch_watch_responses_free(created);
    return stream;
}

/* Whether the next response is of this type and revision. */
static bool tells(revwatch_stream *stream, int32_t type, int64_t revision) {
    revwatch_watch_responses *responses = poll_one(stream);
    bool told = responses && responses->responses[0].type == type &&
                responses->responses[0].revision == revision;
    revwatch_watch_responses_free(responses);
    return told;
}

static bool has_nothing(revwatch_stream *stream) {
    revwatch_watch_responses *responses = poll_one(stream);
    revwatch_watch_responses_free(responses);
    return !responses;
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool was_told;
    int told_in_time; /* syncs before whose end it was */
} news = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void *poll_once(void *stream) {
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    revwatch_watch_responses *responses = NULL;
    revwatch_status status = revwatch_stream_poll(stream, &wait, &responses);
    revwatch_watch_responses_free(responses);
    pthread_mutex_lock(&news.lock);
    news.was_told = status == REVWATCH_OK;
    pthread_cond_signal(&news.moved);
    pthread_mutex_unlock(&news.lock);
    return NULL;
}

/* Holds the sync up until the news is there; not for ever. */
static void wait_for_the_news(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&news.lock);
    int timed_out = 0;
    while (!news.was_told && !timed_out) {
        timed_out = pthread_cond_timedwait(&news.moved, &news.lock, &until);
    }
    news.told_in_time += news.was_told;
    pthread_mutex_unlock(&news.lock);
}

static void who_waits_on_an_early_stream_is_told_while_the_sync_runs(void) {
    struct chip *chip = new_chip();
    revwatch_page_store pages = pages_of(chip);
    /* With a clock of its own nobody wakes because time passes. */
    revwatch_open_options manual = {.struct_size = sizeof manual, .manual_clock = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open_pages(&pages, &manual, &store));
    put(store, "key", "before");
    revwatch_stream *early = watch_told(store, 1), *other = watch_told(store, 0);
    pthread_t poller;
    REQUIRE(pthread_create(&poller, NULL, poll_once, early) == 0);
    usleep(20000); /* most often it sleeps by then */
    chip->before_sync = wait_for_the_news;
    CHECK_INT(put(store, "key", "now"), 3);
    chip->before_sync = NULL;
    pthread_join(poller, NULL);
    CHECK_INT(news.told_in_time, 1);
    CHECK(tells(other, REVWATCH_RESPONSE_EVENTS, 3));
    revwatch_stream_free(early);
    revwatch_stream_free(other);
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

static void who_was_told_early_what_a_failed_sync_takes_is_told_so(void) {
    struct chip *chip = new_chip();
    revwatch_store *store = open_chip(chip);
    /* So that there is room for one more change without a sync of its own. */
    int64_t kept = 0;
    for (int i = 0; i < 8; i++) kept = put(store, "key", "kept");
    revwatch_stream *early = watch_told(store, 1), *other = watch_told(store, 0);
    revwatch_follow_options options = {
        .struct_size = sizeof options, .prefix = 1, .early = 1};
    revwatch_follow *follow = NULL;
    CHECK_OK(revwatch_follow_new(store, S(""), NONE, &options, &follow));
    revwatch_follow_responses *told = NULL;
    CHECK_OK(revwatch_follow_poll(follow, NULL, &told));
    revwatch_follow_responses_free(told);
    chip->answer = 5;
    CHECK_ERROR(revwatch_store_put(store, S("key"), S("lost"), NULL), REVWATCH_ERROR_IO);
    CHECK(tells(early, REVWATCH_RESPONSE_EVENTS, kept + 1));
    CHECK(tells(early, REVWATCH_RESPONSE_REWOUND, kept));
    CHECK(has_nothing(early));
    CHECK(has_nothing(other));
    CHECK_OK(revwatch_follow_poll(follow, NULL, &told));
    REQUIRE(told && told->responses_len >= 2);
    CHECK_INT(told->responses[0].type, REVWATCH_FOLLOW_EVENTS);
    CHECK_INT(told->responses[1].type, REVWATCH_FOLLOW_RESET);
    CHECK_INT(told->responses[1].revision, kept);
    revwatch_follow_responses_free(told);
    revwatch_follow_free(follow);
    revwatch_stream_free(early);
    revwatch_stream_free(other);
    revwatch_store_free(store);
    free(chip);
}

static void a_batch_is_told_early_before_it_is_durable(void) {
    struct chip *chip = new_chip();
    revwatch_page_store pages = pages_of(chip);
    revwatch_open_options batched = {.struct_size = sizeof batched,
                                     .durability = REVWATCH_DURABILITY_BATCH,
                                     .manual_clock = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open_pages(&pages, &batched, &store));
    revwatch_stream *early = watch_told(store, 1), *other = watch_told(store, 0);
    put(store, "key", "value");
    CHECK(tells(early, REVWATCH_RESPONSE_EVENTS, 2));
    CHECK(has_nothing(other));
    CHECK_OK(revwatch_store_flush(store));
    CHECK(tells(other, REVWATCH_RESPONSE_EVENTS, 2));
    CHECK(has_nothing(early));
    revwatch_stream_free(early);
    revwatch_stream_free(other);
    CHECK_OK(revwatch_store_close(store));
    free(chip);
}

const struct test page_store_tests[] = {
    {"an_import_is_whole_on_pages_of_your_own_or_no_store",
     an_import_is_whole_on_pages_of_your_own_or_no_store},
    {"an_opening_in_steps_releases_the_pages_if_it_is_given_up",
     an_opening_in_steps_releases_the_pages_if_it_is_given_up},
    {"a_write_that_was_answered_survives_a_loss_of_power",
     a_write_that_was_answered_survives_a_loss_of_power},
    {"a_full_page_store_is_no_space_and_deletes_go_through",
     a_full_page_store_is_no_space_and_deletes_go_through},
    {"the_answer_of_a_failed_function_is_in_the_message",
     the_answer_of_a_failed_function_is_in_the_message},
    {"the_pages_are_released_once", the_pages_are_released_once},
    {"a_function_that_calls_the_library_is_refused_and_nothing_hangs",
     a_function_that_calls_the_library_is_refused_and_nothing_hangs},
    {"pages_that_cannot_be_are_refused", pages_that_cannot_be_are_refused},
    {"who_waits_on_an_early_stream_is_told_while_the_sync_runs",
     who_waits_on_an_early_stream_is_told_while_the_sync_runs},
    {"who_was_told_early_what_a_failed_sync_takes_is_told_so",
     who_was_told_early_what_a_failed_sync_takes_is_told_so},
    {"a_batch_is_told_early_before_it_is_durable", a_batch_is_told_early_before_it_is_durable},
    {NULL, NULL},
};
