/* Follows: the state of a range, then every change after it; and going on after a crash. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* What a follow says now, in short, such as "state:a=1 synced:2 put:a=2 ". */
static const char *told_by(revwatch_follow *follow) {
    static char told[256];
    told[0] = 0;
    revwatch_follow_responses *responses = NULL;
    while (revwatch_follow_poll(follow, NULL, &responses) == REVWATCH_OK) {
        for (size_t i = 0; i < responses->responses_len; i++) {
            const revwatch_follow_response *response = &responses->responses[i];
            size_t used = strlen(told), room = sizeof told - used;
            if (response->type == REVWATCH_FOLLOW_SYNCED) {
                snprintf(told + used, room, "synced:%" PRId64 " ", response->revision);
            } else if (response->type == REVWATCH_FOLLOW_RESET) {
                snprintf(told + used, room, "reset ");
            }
            for (size_t j = 0; j < response->kvs_len; j++) {
                const revwatch_key_value *kv = &response->kvs[j];
                snprintf(told + strlen(told), sizeof told - strlen(told), "state:%.*s=%.*s ",
                         (int)kv->key_len, (const char *)kv->key, (int)kv->value_len,
                         (const char *)kv->value);
            }
            for (size_t j = 0; j < response->events_len; j++) {
                const revwatch_event *event = &response->events[j];
                snprintf(told + strlen(told), sizeof told - strlen(told), "%s:%.*s=%.*s ",
                         event->type == REVWATCH_EVENT_PUT ? "put" : "delete",
                         (int)event->kv.key_len, (const char *)event->kv.key,
                         (int)event->kv.value_len, (const char *)event->kv.value);
            }
        }
        revwatch_follow_responses_free(responses);
    }
    return told;
}

#define CHECK_TOLD(follow, expected)                                         \
    do {                                                                     \
        const char *told = told_by(follow);                                  \
        CHECK_BYTES((const uint8_t *)told, strlen(told), expected);          \
    } while (0)

static revwatch_follow *follow_prefix(revwatch_store *store, const char *prefix,
                                      const revwatch_resume_token *resume) {
    revwatch_follow_options options = {.struct_size = sizeof options, .prefix = 1};
    options.resume = resume;
    revwatch_follow *follow = NULL;
    CHECK_OK(revwatch_follow_new(store, S(prefix), NONE, &options, &follow));
    return follow;
}

static void a_follow_gives_the_state_and_then_every_change(void) {
    revwatch_store *store = open_file(fresh_path());
    put(store, "/a", "1");
    put(store, "/b", "2");
    put(store, "x", "3");
    revwatch_follow *follow = follow_prefix(store, "/", NULL);
    put(store, "/a", "4");
    CHECK_TOLD(follow, "state:/a=1 state:/b=2 synced:4 put:/a=4 ");
    CHECK_OK(revwatch_store_delete_range(store, S("/b"), NONE, NULL, NULL));
    put(store, "x", "5");
    CHECK_TOLD(follow, "delete:/b= ");
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

static void a_follow_resumes_without_the_state_also_after_reopening(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    revwatch_resume_token token;
    put(store, "/a", "1");
    CHECK_OK(revwatch_store_resume_token(store, &token));
    put(store, "/b", "2");
    CHECK_OK(revwatch_store_close(store));
    store = open_file(path);
    revwatch_follow *follow = follow_prefix(store, "/", &token);
    put(store, "/c", "3");
    CHECK_TOLD(follow, "put:/b=2 put:/c=3 ");
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

static void a_follow_that_compaction_overtook_begins_anew(void) {
    revwatch_store *store = open_memory();
    revwatch_resume_token token;
    put(store, "/a", "1");
    CHECK_OK(revwatch_store_resume_token(store, &token));
    put(store, "/a", "2");
    put(store, "/a", "3");
    CHECK_OK(revwatch_store_compact(store, 4, NULL));
    revwatch_follow *follow = follow_prefix(store, "/", &token);
    CHECK_TOLD(follow, "reset state:/a=3 synced:4 ");
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

/* Writes in another process, which is killed without closing; gives the last token it had. */
static revwatch_resume_token crash_writing(const char *path) {
    revwatch_resume_token token = {0, 0};
    int ends[2];
    if (pipe(ends) != 0) return token;
    pid_t child = fork();
    if (child == 0) {
        revwatch_open_options options = {.struct_size = sizeof options,
                                         .durability = REVWATCH_DURABILITY_NEVER,
                                         .manual_clock = 1};
        revwatch_store *store = NULL;
        bool ok = revwatch_store_open(path, &options, &store) == REVWATCH_OK &&
                  revwatch_store_put(store, S("/a"), S("kept"), NULL) == REVWATCH_OK &&
                  revwatch_store_flush(store) == REVWATCH_OK &&
                  revwatch_store_put(store, S("/a"), S("lost"), NULL) == REVWATCH_OK &&
                  revwatch_store_resume_token(store, &token) == REVWATCH_OK &&
                  write(ends[1], &token, sizeof token) == sizeof token;
        if (ok) kill(getpid(), SIGKILL);
        _exit(1);
    }
    close(ends[1]);
    int ended = 0;
    CHECK(read(ends[0], &token, sizeof token) == sizeof token);
    close(ends[0]);
    CHECK(waitpid(child, &ended, 0) == child);
    CHECK(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    return token;
}

static void who_saw_what_a_crash_lost_is_told(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_resume_token token = crash_writing(path), now;
    CHECK(token.epoch == 1 && token.revision == 3);
    revwatch_store *store = open_file(path);
    CHECK(strcmp(value_of(store, "/a"), "kept") == 0);
    CHECK_OK(revwatch_store_resume_token(store, &now));
    CHECK(now.epoch == 2 && now.revision == 2);
    /* The lost number is used again, for something else. */
    CHECK_INT(put(store, "/a", "new"), 3);
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options options = {.struct_size = sizeof options,
                                      .prefix = 1,
                                      .start_revision = token.revision + 1,
                                      .epoch = token.epoch};
    CHECK_OK(revwatch_stream_watch(stream, S("/"), NONE, &options, NULL));
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, NULL, &responses));
    REQUIRE(responses && responses->responses_len == 2);
    CHECK_INT(responses->responses[1].type, REVWATCH_RESPONSE_REWOUND);
    CHECK_INT(responses->responses[1].revision, 2);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    revwatch_follow *follow = follow_prefix(store, "/", &token);
    CHECK_TOLD(follow, "reset state:/a=new synced:3 ");
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

static void a_follow_tells_where_to_go_on_once_its_state_is_complete(void) {
    revwatch_store *store = open_memory();
    put(store, "/a", "1");
    put(store, "/b", "2");
    revwatch_follow *follow = follow_prefix(store, "/", NULL);
    revwatch_resume_token token = {-7, -7};
    revwatch_poll_options one = {.struct_size = sizeof one, .max_responses = 1};
    const revwatch_status known[] = {REVWATCH_NOT_FOUND, REVWATCH_OK, REVWATCH_OK};
    const int64_t revisions[] = {-7, 3, 4};
    for (int i = 0; i < 3; i++) {
        if (i == 2) put(store, "/a", "3");
        revwatch_follow_responses *responses = NULL;
        CHECK_OK(revwatch_follow_poll(follow, &one, &responses));
        revwatch_follow_responses_free(responses);
        CHECK_STATUS(revwatch_follow_resume_token(follow, &token), known[i]);
        CHECK_INT(token.revision, revisions[i]);
    }
    put(store, "/a", "4");
    revwatch_follow *next = follow_prefix(store, "/", &token);
    CHECK_TOLD(next, "put:/a=4 ");
    revwatch_follow_free(next);
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

static void a_large_state_comes_in_parts(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 25; i++) {
        char key[8];
        snprintf(key, sizeof key, "/%02d", i);
        put(store, key, "v");
    }
    revwatch_follow *follow = follow_prefix(store, "/", NULL);
    revwatch_poll_options options = {.struct_size = sizeof options, .max_events = 10};
    const size_t parts[] = {10, 10, 5};
    for (size_t i = 0; i < 3; i++) {
        revwatch_follow_responses *responses = NULL;
        CHECK_OK(revwatch_follow_poll(follow, &options, &responses));
        REQUIRE(responses);
        CHECK_INT(responses->responses[0].type, REVWATCH_FOLLOW_STATE);
        CHECK_INT((int64_t)responses->responses[0].kvs_len, (int64_t)parts[i]);
        revwatch_follow_responses_free(responses);
    }
    revwatch_follow_free(follow);
    CHECK_OK(revwatch_store_close(store));
}

const struct test follow_tests[] = {
    {"a_follow_gives_the_state_and_then_every_change",
     a_follow_gives_the_state_and_then_every_change},
    {"a_follow_resumes_without_the_state_also_after_reopening",
     a_follow_resumes_without_the_state_also_after_reopening},
    {"a_follow_that_compaction_overtook_begins_anew",
     a_follow_that_compaction_overtook_begins_anew},
    {"who_saw_what_a_crash_lost_is_told", who_saw_what_a_crash_lost_is_told},
    {"a_follow_tells_where_to_go_on_once_its_state_is_complete",
     a_follow_tells_where_to_go_on_once_its_state_is_complete},
    {"a_large_state_comes_in_parts", a_large_state_comes_in_parts},
    {NULL, NULL},
};
