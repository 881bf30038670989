/* Being told that there is something to poll: by a file descriptor and by a callback. */

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "test.h"

static bool is_readable(int fd) {
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 0) == 1;
}

/* Polls until nothing is left, and counts the events. */
static int drain(revwatch_stream *stream) {
    int events = 0;
    revwatch_watch_responses *responses;
    while ((responses = poll_one(stream))) {
        events += (int)responses->responses[0].events_len;
        revwatch_watch_responses_free(responses);
    }
    return events;
}

static int fd_of(revwatch_stream *stream) {
    int32_t fd = -1;
    CHECK_OK(revwatch_stream_fd(stream, &fd));
    return fd;
}

static int64_t next_of(revwatch_stream *stream) {
    int64_t next_ms = -7;
    CHECK_OK(revwatch_stream_next_poll_ms(stream, &next_ms));
    return next_ms;
}

struct told {
    revwatch_store *store;
    revwatch_stream *stream;
    int calls, events;
};

static void count_call(void *context) {
    struct told *told = context;
    told->calls++;
}

static revwatch_stream *watch_key(revwatch_store *store, const char *key) {
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    CHECK_OK(revwatch_stream_watch(stream, S(key), NONE, NULL, NULL));
    return stream;
}

static void a_descriptor_is_readable_while_there_is_something_to_say(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_key(store, "k");
    int fd = fd_of(stream);
    CHECK(is_readable(fd)); /* created */
    CHECK_INT(fd_of(stream), fd);
    CHECK_INT(drain(stream), 0);
    CHECK(!is_readable(fd));
    put(store, "other", "v");
    CHECK(!is_readable(fd));
    put(store, "k", "1");
    CHECK(is_readable(fd));
    put(store, "k", "2");
    CHECK_INT(next_of(stream), 0);
    revwatch_watch_responses_free(poll_one(stream));
    CHECK(is_readable(fd)); /* one is left */
    CHECK_INT(drain(stream), 1);
    CHECK(!is_readable(fd));
    CHECK_OK(revwatch_stream_cancel(stream, 0));
    CHECK(is_readable(fd));
    drain(stream);
    CHECK_OK(revwatch_stream_request_progress(stream));
    CHECK(is_readable(fd));
    drain(stream);
    CHECK(!is_readable(fd));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void a_descriptor_is_readable_until_a_long_history_was_read(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 2500; i++) put(store, "k", "v");
    revwatch_stream *stream = watch_all(store, 2);
    int fd = fd_of(stream), events = 0;
    while (is_readable(fd)) {
        revwatch_watch_responses *responses = poll_one(stream);
        for (size_t i = 0; responses && i < responses->responses_len; i++) {
            events += (int)responses->responses[i].events_len;
        }
        revwatch_watch_responses_free(responses);
    }
    CHECK_INT(events, 2500);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void a_descriptor_is_readable_when_the_store_is_closed(void) {
    revwatch_store *store = open_memory();
    revwatch_stream *stream = watch_all(store, 0);
    int fd = fd_of(stream);
    CHECK(!is_readable(fd));
    CHECK_OK(revwatch_store_close(store));
    CHECK(is_readable(fd));
    revwatch_watch_responses *responses = NULL;
    int32_t other = -1;
    CHECK_ERROR(revwatch_stream_poll(stream, NULL, &responses), REVWATCH_ERROR_CLOSED);
    CHECK_ERROR(revwatch_stream_fd(stream, &other), REVWATCH_ERROR_CLOSED);
    int64_t next_ms = -7;
    CHECK_ERROR(revwatch_stream_next_poll_ms(stream, &next_ms), REVWATCH_ERROR_CLOSED);
    CHECK_ERROR(revwatch_stream_set_callback(stream, count_call, NULL), REVWATCH_ERROR_CLOSED);
    CHECK(!responses && other == -1 && next_ms == -7);
    revwatch_stream_free(stream);
}

static void who_was_told_a_later_time_is_told_when_something_comes_sooner(void) {
    revwatch_store *store = open_manual();
    revwatch_stream *stream = watch_all(store, 0);
    int fd = fd_of(stream);
    CHECK_INT(next_of(stream), -1);
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    CHECK(is_readable(fd));
    CHECK(!poll_one(stream) && !is_readable(fd));
    int64_t next_ms = next_of(stream);
    CHECK(0 < next_ms && next_ms <= 60000);
    /* Later than what is due already: no reason to wake anybody. */
    CHECK_OK(revwatch_store_lease_grant(store, 8, 90000, NULL, NULL, NULL));
    CHECK(!is_readable(fd));
    revwatch_put_options leased = {.struct_size = sizeof leased, .lease = 7};
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("v"), &leased, NULL));
    CHECK_INT(drain(stream), 1);
    CHECK(revwatch_store_step(store, 60000, 0, NULL) >= 0);
    CHECK(is_readable(fd)); /* the lease has expired */
    CHECK_INT(drain(stream), 1);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

/* A loop as programs have it: nobody else calls the store, and what is written comes all the same. */
static void waiting_as_long_as_said_misses_no_batch(void) {
    revwatch_open_options options = {.struct_size = sizeof options,
                                     .durability = REVWATCH_DURABILITY_BATCH,
                                     .batch_ms = 20};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(fresh_path(), &options, &store));
    revwatch_stream *stream = watch_all(store, 0);
    struct pollfd wanted = {.fd = fd_of(stream), .events = POLLIN};
    CHECK(next_of(stream) != 0);
    put(store, "k", "v");
    for (int events = 0; events < 1;) {
        poll(&wanted, 1, (int)next_of(stream));
        events += drain(stream);
    }
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void follows_and_cursors_have_descriptors_too(void) {
    revwatch_store *store = open_memory();
    revwatch_follow *follow = NULL;
    revwatch_cursor *cursor = NULL;
    CHECK_OK(revwatch_follow_new(store, S("k"), NONE, NULL, &follow));
    CHECK_OK(revwatch_cursor_open(store, S("c"), S("k"), NONE, NULL, &cursor));
    int32_t followed = -1, read = -1;
    CHECK_OK(revwatch_follow_fd(follow, &followed));
    CHECK_OK(revwatch_cursor_fd(cursor, &read));
    revwatch_follow_responses *told = NULL;
    revwatch_cursor_responses *seen = NULL;
    CHECK(is_readable(followed) && is_readable(read));
    CHECK_OK(revwatch_follow_poll(follow, NULL, &told));
    revwatch_follow_responses_free(told);
    CHECK_STATUS(revwatch_cursor_poll(cursor, NULL, &seen), REVWATCH_IDLE);
    CHECK(!is_readable(followed) && !is_readable(read));
    int64_t next_ms = 0;
    CHECK_OK(revwatch_follow_next_poll_ms(follow, &next_ms));
    CHECK(next_ms != 0);
    put(store, "k", "v");
    CHECK(is_readable(followed) && is_readable(read));
    CHECK_OK(revwatch_cursor_next_poll_ms(cursor, &next_ms));
    CHECK_INT(next_ms, 0);
    CHECK_OK(revwatch_follow_poll(follow, NULL, &told));
    CHECK_OK(revwatch_cursor_poll(cursor, NULL, &seen));
    CHECK(!is_readable(followed) && !is_readable(read));
    CHECK_OK(revwatch_cursor_seek(cursor, 2));
    CHECK(is_readable(read)); /* it comes again */
    revwatch_follow_responses_free(told);
    revwatch_cursor_responses_free(seen);
    revwatch_follow_free(follow);
    revwatch_cursor_free(cursor);
    CHECK_OK(revwatch_store_close(store));
}

static void a_callback_comes_once_until_a_poll_and_after_each_that_leaves_something(void) {
    revwatch_store *store = open_memory();
    struct told told = {.stream = watch_all(store, 0)};
    CHECK_OK(revwatch_stream_set_callback(told.stream, count_call, &told));
    CHECK_INT(told.calls, 0);
    put(store, "k", "1");
    CHECK_INT(told.calls, 1);
    put(store, "k", "2");
    CHECK_INT(told.calls, 1);
    revwatch_watch_responses_free(poll_one(told.stream));
    CHECK_INT(told.calls, 2);
    revwatch_watch_responses_free(poll_one(told.stream));
    CHECK_INT(told.calls, 2);
    put(store, "k", "3");
    CHECK_INT(told.calls, 3);
    /* Who comes late is told of what is there. */
    CHECK_OK(revwatch_stream_set_callback(told.stream, NULL, NULL));
    CHECK_OK(revwatch_stream_set_callback(told.stream, count_call, &told));
    CHECK_INT(told.calls, 4);
    CHECK_OK(revwatch_stream_set_callback(told.stream, NULL, NULL));
    drain(told.stream);
    put(store, "k", "4");
    CHECK_INT(told.calls, 4);
    drain(told.stream);
    CHECK_OK(revwatch_stream_set_callback(told.stream, count_call, &told));
    CHECK_OK(revwatch_store_close(store));
    CHECK_INT(told.calls, 5);
    revwatch_stream_free(told.stream);
    CHECK_INT(told.calls, 5);
}

/* Takes one response, writes while there are few, and at the tenth event frees its own stream and closes the
 * store. */
static void use_everything(void *context) {
    struct told *told = context;
    told->calls++;
    revwatch_watch_responses *responses = poll_one(told->stream);
    if (!responses) return;
    told->events += (int)responses->responses[0].events_len;
    revwatch_watch_responses_free(responses);
    if (told->events < 10) {
        put(told->store, "k", "again");
    } else {
        revwatch_stream_free(told->stream);
        CHECK_OK(revwatch_store_close(told->store));
    }
}

static void a_callback_may_call_everything(void) {
    revwatch_store *store = open_memory();
    struct told told = {.store = store, .stream = watch_all(store, 0)};
    CHECK_OK(revwatch_stream_set_callback(told.stream, use_everything, &told));
    put(store, "k", "first");
    CHECK_INT(told.events, 10);
    CHECK_ERROR(revwatch_store_put(store, S("k"), S("v"), NULL), REVWATCH_ERROR_CLOSED);
}

enum { WRITERS = 3, WRITES = 400 };

static revwatch_store *shared;

static void *write_many(void *unused) {
    (void)unused;
    for (int i = 0; i < WRITES; i++) revwatch_store_put(shared, S("k"), S("v"), NULL);
    return NULL;
}

/* Waits without end for the descriptor alone: were one wake-up lost, this would not come to an end. */
static void no_wake_up_of_a_descriptor_is_lost(void) {
    shared = open_memory();
    revwatch_stream *stream = watch_all(shared, 0);
    struct pollfd wanted = {.fd = fd_of(stream), .events = POLLIN};
    pthread_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&writers[i], NULL, write_many, NULL) == 0);
    }
    for (int events = 0; events < WRITERS * WRITES;) {
        CHECK(poll(&wanted, 1, -1) == 1);
        revwatch_watch_responses *responses = poll_one(stream);
        if (responses) events += (int)responses->responses[0].events_len;
        revwatch_watch_responses_free(responses);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
    drain(stream);
    CHECK(!is_readable(wanted.fd));
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(shared));
}

struct shared_told {
    revwatch_stream *stream;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int calls, inside, overlaps;
};

static void wake(void *context) {
    struct shared_told *told = context;
    if (__atomic_add_fetch(&told->inside, 1, __ATOMIC_SEQ_CST) > 1) told->overlaps++;
    pthread_mutex_lock(&told->lock);
    told->calls++;
    pthread_cond_signal(&told->woken);
    pthread_mutex_unlock(&told->lock);
    __atomic_sub_fetch(&told->inside, 1, __ATOMIC_SEQ_CST);
}

static void no_call_is_lost_and_none_overlaps_another(void) {
    shared = open_memory();
    struct shared_told told = {.stream = watch_all(shared, 0),
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .woken = PTHREAD_COND_INITIALIZER};
    CHECK_OK(revwatch_stream_set_callback(told.stream, wake, &told));
    pthread_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&writers[i], NULL, write_many, NULL) == 0);
    }
    for (int events = 0, seen = 0; events < WRITERS * WRITES;) {
        pthread_mutex_lock(&told.lock);
        while (told.calls == seen) pthread_cond_wait(&told.woken, &told.lock);
        seen = told.calls;
        pthread_mutex_unlock(&told.lock);
        /* One poll for each call is enough. */
        revwatch_watch_responses *responses = poll_one(told.stream);
        if (responses) events += (int)responses->responses[0].events_len;
        revwatch_watch_responses_free(responses);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
    CHECK_INT(told.overlaps, 0);
    revwatch_stream_free(told.stream);
    CHECK_OK(revwatch_store_close(shared));
}

struct held {
    revwatch_stream *stream;
    int calls, entered, may_leave, left;
};

static void wait_for(const int *flag) {
    while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST)) sched_yield();
}

static void raise_flag(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST); }

/* The first call stays until it may leave, and a little longer. */
static void hold(void *context) {
    struct held *held = context;
    if (__atomic_add_fetch(&held->calls, 1, __ATOMIC_SEQ_CST) > 1) return;
    raise_flag(&held->entered);
    wait_for(&held->may_leave);
    usleep(20000);
    raise_flag(&held->left);
}

static void *put_one(void *unused) {
    (void)unused;
    revwatch_store_put(shared, S("k"), S("v"), NULL);
    return NULL;
}

static void cause_for_a_call_during_another_is_neither_lost_nor_overlaps(void) {
    shared = open_memory();
    struct held held = {.stream = watch_all(shared, 0)};
    CHECK_OK(revwatch_stream_set_callback(held.stream, hold, &held));
    pthread_t writer;
    REQUIRE(pthread_create(&writer, NULL, put_one, NULL) == 0);
    wait_for(&held.entered);
    put(shared, "k", "v");
    revwatch_watch_responses_free(poll_one(held.stream)); /* and leaves the other */
    CHECK_INT(held.calls, 1);
    raise_flag(&held.may_leave);
    pthread_join(writer, NULL);
    CHECK_INT(held.calls, 2);
    revwatch_stream_free(held.stream);
    CHECK_OK(revwatch_store_close(shared));
}

static void who_takes_a_callback_back_waits_until_it_has_returned(void) {
    for (int frees = 0; frees < 2; frees++) {
        shared = open_memory();
        struct held held = {.stream = watch_all(shared, 0)};
        CHECK_OK(revwatch_stream_set_callback(held.stream, hold, &held));
        pthread_t writer;
        REQUIRE(pthread_create(&writer, NULL, put_one, NULL) == 0);
        wait_for(&held.entered);
        raise_flag(&held.may_leave);
        if (!frees) CHECK_OK(revwatch_stream_set_callback(held.stream, NULL, NULL));
        if (frees) revwatch_stream_free(held.stream);
        CHECK(__atomic_load_n(&held.left, __ATOMIC_SEQ_CST));
        pthread_join(writer, NULL);
        put(shared, "k", "v");
        CHECK_INT(held.calls, 1);
        revwatch_stream_free(held.stream);
        CHECK_OK(revwatch_store_close(shared));
    }
}

static void poll_what_there_is(void *context) {
    struct told *told = context;
    told->calls++;
    drain(told->stream);
}

/* valgrind sees it if the context is used once it was freed. */
static void a_callback_that_was_taken_back_is_over(void) {
    shared = open_memory();
    revwatch_stream *stream = watch_all(shared, 0);
    pthread_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&writers[i], NULL, write_many, NULL) == 0);
    }
    for (int i = 0; i < 100; i++) {
        struct told *told = calloc(1, sizeof *told);
        told->stream = stream;
        CHECK_OK(revwatch_stream_set_callback(stream, poll_what_there_is, told));
        if (i % 2) sched_yield();
        CHECK_OK(revwatch_stream_set_callback(stream, NULL, NULL));
        memset(told, 0, sizeof *told);
        free(told);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(shared));
}

const struct test notify_tests[] = {
    {"a_descriptor_is_readable_while_there_is_something_to_say",
     a_descriptor_is_readable_while_there_is_something_to_say},
    {"a_descriptor_is_readable_until_a_long_history_was_read",
     a_descriptor_is_readable_until_a_long_history_was_read},
    {"a_descriptor_is_readable_when_the_store_is_closed",
     a_descriptor_is_readable_when_the_store_is_closed},
    {"who_was_told_a_later_time_is_told_when_something_comes_sooner",
     who_was_told_a_later_time_is_told_when_something_comes_sooner},
    {"waiting_as_long_as_said_misses_no_batch", waiting_as_long_as_said_misses_no_batch},
    {"follows_and_cursors_have_descriptors_too", follows_and_cursors_have_descriptors_too},
    {"a_callback_comes_once_until_a_poll_and_after_each_that_leaves_something",
     a_callback_comes_once_until_a_poll_and_after_each_that_leaves_something},
    {"a_callback_may_call_everything", a_callback_may_call_everything},
    {"no_wake_up_of_a_descriptor_is_lost", no_wake_up_of_a_descriptor_is_lost},
    {"no_call_is_lost_and_none_overlaps_another", no_call_is_lost_and_none_overlaps_another},
    {"cause_for_a_call_during_another_is_neither_lost_nor_overlaps",
     cause_for_a_call_during_another_is_neither_lost_nor_overlaps},
    {"who_takes_a_callback_back_waits_until_it_has_returned",
     who_takes_a_callback_back_waits_until_it_has_returned},
    {"a_callback_that_was_taken_back_is_over", a_callback_that_was_taken_back_is_over},
    {NULL, NULL},
};
