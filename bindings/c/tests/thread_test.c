/* Handles used from several threads at a time. */

#include <pthread.h>

#include "test.h"

enum { WRITERS = 4, WRITES = 500 };

static revwatch_store *shared;
static revwatch_stream *shared_stream;
static revwatch_follow *shared_follow;

/* Checks in other threads than the first only count; the first looks at the count. */
static int failures;

static void note(bool ok) {
    if (!ok) __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

static void *write_many(void *name) {
    for (int i = 0; i < WRITES; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s/%d", (const char *)name, i % 10);
        note(revwatch_store_put(shared, S(key), S("v"), NULL) == REVWATCH_OK);
        revwatch_get_result *found = NULL;
        note(revwatch_store_get(shared, S(key), &found) == REVWATCH_OK);
        revwatch_get_result_free(found);
    }
    return NULL;
}

/* Every revision once and in order, however the writers take turns. */
static void *poll_all(void *unused) {
    (void)unused;
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    int64_t expected = 2;
    while (expected <= WRITERS * WRITES + 1) {
        revwatch_watch_responses *responses = NULL;
        if (revwatch_stream_poll(shared_stream, &wait, &responses) != REVWATCH_OK) {
            note(false);
            return NULL;
        }
        for (size_t i = 0; i < responses->responses_len; i++) {
            for (size_t j = 0; j < responses->responses[i].events_len; j++) {
                note(responses->responses[i].events[j].kv.mod_revision == expected++);
            }
        }
        revwatch_watch_responses_free(responses);
    }
    return NULL;
}

static void writers_and_a_poller_share_a_store(void) {
    const char *names[WRITERS] = {"a", "b", "c", "d"};
    pthread_t writers[WRITERS], poller;
    failures = 0;
    revwatch_open_options options = {.struct_size = sizeof options,
                                     .durability = REVWATCH_DURABILITY_BATCH,
                                     .batch_ms = 1,
                                     .stream_queue_responses = 4};
    CHECK_OK(revwatch_store_open(fresh_path(), &options, &shared));
    shared_stream = watch_all(shared, 0);
    REQUIRE(pthread_create(&poller, NULL, poll_all, NULL) == 0);
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&writers[i], NULL, write_many, (void *)(uintptr_t)names[i]) == 0);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
    pthread_join(poller, NULL);
    CHECK_INT(failures, 0);
    revwatch_stream_free(shared_stream);
    CHECK_OK(revwatch_store_close(shared));
}

static void *poll_until_closed(void *unused) {
    (void)unused;
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    revwatch_watch_responses *responses = NULL;
    note(revwatch_stream_poll(shared_stream, &wait, &responses) == REVWATCH_ERROR_CLOSED);
    note(!responses);
    return NULL;
}

static void *follow_until_closed(void *unused) {
    (void)unused;
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    revwatch_status status = REVWATCH_OK;
    while (status == REVWATCH_OK) {
        revwatch_follow_responses *responses = NULL;
        status = revwatch_follow_poll(shared_follow, &wait, &responses);
        revwatch_follow_responses_free(responses);
    }
    note(status == REVWATCH_ERROR_CLOSED);
    return NULL;
}

static void *wait_until_closed(void *unused) {
    (void)unused;
    note(revwatch_store_wait(shared, INT64_MAX, -1, NULL) == REVWATCH_ERROR_CLOSED);
    return NULL;
}

/* Whether the threads wait already or come later, they are told. */
static void closing_wakes_who_waits(void) {
    for (int free_first = 0; free_first < 2; free_first++) {
        pthread_t threads[3];
        failures = 0;
        /* On a file with each commit synced nothing else is due that would wake anybody. */
        shared = open_file(fresh_path());
        shared_stream = watch_all(shared, 0);
        CHECK_OK(revwatch_follow_new(shared, S("k"), REST, NULL, &shared_follow));
        REQUIRE(pthread_create(&threads[0], NULL, poll_until_closed, NULL) == 0);
        REQUIRE(pthread_create(&threads[1], NULL, follow_until_closed, NULL) == 0);
        REQUIRE(pthread_create(&threads[2], NULL, wait_until_closed, NULL) == 0);
        if (free_first) {
            revwatch_stream_free(shared_stream);
            revwatch_follow_free(shared_follow);
            pthread_join(threads[0], NULL);
            pthread_join(threads[1], NULL);
        }
        CHECK_OK(revwatch_store_close(shared));
        if (!free_first) {
            pthread_join(threads[0], NULL);
            pthread_join(threads[1], NULL);
        }
        pthread_join(threads[2], NULL);
        CHECK_INT(failures, 0);
        revwatch_stream_free(shared_stream);
        revwatch_follow_free(shared_follow);
    }
}

static void *write_until_closed(void *unused) {
    (void)unused;
    revwatch_status status = REVWATCH_OK;
    while (status == REVWATCH_OK) status = revwatch_store_put(shared, S("k"), S("v"), NULL);
    note(status == REVWATCH_ERROR_CLOSED);
    return NULL;
}

static void a_store_may_be_closed_while_others_write(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    pthread_t threads[WRITERS];
    failures = 0;
    shared = open_file(path);
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, write_until_closed, NULL) == 0);
    }
    CHECK_OK(revwatch_store_wait(shared, 20, -1, NULL));
    CHECK_OK(revwatch_store_close(shared));
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    CHECK_INT(failures, 0);
    /* It was a clean end. */
    revwatch_store *again = open_file(path);
    revwatch_resume_token token;
    CHECK_OK(revwatch_store_resume_token(again, &token));
    CHECK_INT(token.epoch, 1);
    CHECK_OK(revwatch_store_check(again));
    CHECK_OK(revwatch_store_close(again));
}

static void *fail_here(void *unused) {
    (void)unused;
    note(strcmp(revwatch_last_error_message(), "") == 0);
    note(revwatch_store_put(NULL, S("k"), S("v"), NULL) == REVWATCH_ERROR_NULL_POINTER);
    note(strstr(revwatch_last_error_message(), "NULL") != NULL);
    return NULL;
}

static void the_last_error_is_the_threads_own(void) {
    failures = 0;
    CHECK_ERROR(revwatch_store_flush((revwatch_store *)(uintptr_t)1), REVWATCH_ERROR_CLOSED);
    char before[256];
    snprintf(before, sizeof before, "%s", revwatch_last_error_message());
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, fail_here, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(strcmp(before, revwatch_last_error_message()) == 0);
    CHECK_INT(failures, 0);
}

enum { ROUNDS = 2000 };

/* Puts to `mine` each time that something was put to the other. */
static void play(const char *mine, const char *other, bool begins) {
    revwatch_stream *stream = NULL;
    revwatch_watch_options from_the_first = {.struct_size = sizeof from_the_first,
                                             .start_revision = 2};
    note(revwatch_stream_new(shared, NULL, &stream) == REVWATCH_OK);
    note(revwatch_stream_watch(stream, S(other), NONE, &from_the_first, NULL) == REVWATCH_OK);
    if (begins) put(shared, mine, "");
    revwatch_poll_options wait = {.struct_size = sizeof wait, .timeout_ms = -1};
    for (int round = 0; round < ROUNDS;) {
        revwatch_watch_responses *responses = NULL;
        if (revwatch_stream_poll(stream, &wait, &responses) != REVWATCH_OK) {
            note(false);
            break;
        }
        for (size_t i = 0; i < responses->responses_len; i++) {
            for (size_t j = 0; j < responses->responses[i].events_len; j++, round++) {
                put(shared, mine, "");
            }
        }
        revwatch_watch_responses_free(responses);
    }
    revwatch_stream_free(stream);
}

static void *play_the_second(void *unused) {
    (void)unused;
    play("pong", "ping", false);
    return NULL;
}

/* A wakeup that is lost leaves both waiting for ever; see the alarm in test.c. */
static void what_happens_between_looking_and_waiting_wakes(void) {
    pthread_t second;
    failures = 0;
    revwatch_open_options options = {.struct_size = sizeof options, .manual_clock = 1};
    CHECK_OK(revwatch_store_open(NULL, &options, &shared));
    REQUIRE(pthread_create(&second, NULL, play_the_second, NULL) == 0);
    play("ping", "pong", true);
    pthread_join(second, NULL);
    CHECK_INT(failures, 0);
    CHECK_OK(revwatch_store_close(shared));
}

static void *put_three(void *unused) {
    (void)unused;
    for (int i = 0; i < 3; i++) put(shared, "k", "v");
    return NULL;
}

static void waiting_with_the_revision_seen_misses_nothing(void) {
    pthread_t thread;
    shared = open_memory();
    REQUIRE(pthread_create(&thread, NULL, put_three, NULL) == 0);
    int64_t revision = 1;
    while (revision < 4) {
        int64_t before = revision;
        CHECK_OK(revwatch_store_wait(shared, revision, -1, &revision));
        CHECK(revision > before);
    }
    pthread_join(thread, NULL);
    CHECK_STATUS(revwatch_store_wait(shared, revision, 1, &revision), REVWATCH_IDLE);
    CHECK_INT(revision, 4);
    CHECK_OK(revwatch_store_close(shared));
}

const struct test thread_tests[] = {
    {"writers_and_a_poller_share_a_store", writers_and_a_poller_share_a_store},
    {"closing_wakes_who_waits", closing_wakes_who_waits},
    {"a_store_may_be_closed_while_others_write", a_store_may_be_closed_while_others_write},
    {"the_last_error_is_the_threads_own", the_last_error_is_the_threads_own},
    {"what_happens_between_looking_and_waiting_wakes",
     what_happens_between_looking_and_waiting_wakes},
    {"waiting_with_the_revision_seen_misses_nothing",
     waiting_with_the_revision_seen_misses_nothing},
    {NULL, NULL},
};
