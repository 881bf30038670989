/* An agent in C: follows its tasks in the store that another process writes, and does each once.
 *
 *     agent STORE NAME RECORD
 *
 * It prints each task as it works on it. Its record is what record.py describes: the tasks that it
 * has done with the token to go on from, in one file that is only ever replaced as a whole. */

#define _POSIX_C_SOURCE 200809L /* fsync */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "revwatch.h"

static const int64_t LONGEST_WAIT_MS = 60000;
static const char *const GO_HOME = "go home";

/* Ends the agent, which may begin again where its record ends. */
static void give_up(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void check(revwatch_status status) {
    if (status >= 0) return;
    give_up("%s: %s", revwatch_error_name(status), revwatch_last_error_message());
}

/* What is on disk, and behind it in `tasks` what was done since. */
typedef struct {
    char path[4096];
    char new_path[4096 + 4];
    int has_token;
    revwatch_resume_token token;
    char *tasks;
    size_t len;
    size_t capacity;
} record;

static void record_append(record *record, const char *text, size_t len) {
    if (record->len + len > record->capacity) {
        record->capacity = 2 * (record->len + len);
        record->tasks = realloc(record->tasks, record->capacity);
        if (record->tasks == NULL) give_up("there is no memory for the record");
    }
    memcpy(record->tasks + record->len, text, len);
    record->len += len;
}

/* Reads what an agent before this one has recorded; nothing, if there was none. */
static void record_open(record *record, const char *path) {
    if (strlen(path) >= sizeof record->path) give_up("%s: the path is too long", path);
    strcpy(record->path, path);
    sprintf(record->new_path, "%s.new", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return;
    if (fscanf(file, "epoch %" SCNd64 " revision %" SCNd64, &record->token.epoch,
               &record->token.revision) != 2 ||
        fgetc(file) != '\n') {
        give_up("%s is not a record", path);
    }
    record->has_token = 1;
    char part[4096];
    size_t len;
    while ((len = fread(part, 1, sizeof part, file)) > 0) record_append(record, part, len);
    fclose(file);
}

/* Puts on disk what was done until now, and with it that history after `token` is still to come.
 * The new file is whole and on disk before it takes the old one's place. */
static void record_save(record *record, revwatch_resume_token token) {
    record->has_token = 1;
    record->token = token;
    FILE *file = fopen(record->new_path, "wb");
    if (file == NULL) give_up("%s cannot be written", record->new_path);
    fprintf(file, "epoch %" PRId64 " revision %" PRId64 "\n", token.epoch, token.revision);
    fwrite(record->tasks, 1, record->len, file);
    int failed = fflush(file) != 0 || fsync(fileno(file)) != 0;
    failed |= fclose(file) != 0;
    if (failed || rename(record->new_path, record->path) != 0) {
        give_up("%s cannot be written", record->path);
    }
}

/* Does one task, and answers whether it was the last. */
static int work(record *record, const revwatch_key_value *task) {
    printf("%.*s %.*s\n", (int)task->key_len, (const char *)task->key, (int)task->value_len,
           (const char *)task->value);
    fflush(stdout);
    record_append(record, (const char *)task->key, task->key_len);
    record_append(record, " ", 1);
    record_append(record, (const char *)task->value, task->value_len);
    record_append(record, "\n", 1);
    return task->value_len == strlen(GO_HOME) &&
           memcmp(task->value, GO_HOME, task->value_len) == 0;
}

/* Does what a response says. Answers whether the last task was in it. */
static int work_on(record *record, const revwatch_follow_response *response) {
    int was_last = 0;
    if (response->type == REVWATCH_FOLLOW_RESET) {
        give_up("history was lost, but nobody compacted it and nobody crashed writing it");
    }
    for (size_t i = 0; i < response->kvs_len; i++) was_last |= work(record, &response->kvs[i]);
    for (size_t i = 0; i < response->events_len; i++) {
        was_last |= work(record, &response->events[i].kv);
    }
    return was_last;
}

/* Does what the next poll answers: a part of the state, its end, or one revision of changes.
 * Answers whether the last task was in it. */
static int take(record *record, revwatch_follow *follow) {
    revwatch_poll_options options = {
        .struct_size = sizeof options,
        .max_events = 1,
        .max_responses = 1,
        .timeout_ms = LONGEST_WAIT_MS,
    };
    revwatch_follow_responses *answer = NULL;
    revwatch_status status = revwatch_follow_poll(follow, &options, &answer);
    check(status);
    if (status == REVWATCH_IDLE) give_up("no task for a minute: has the writer gone?");
    int was_last = work_on(record, &answer->responses[0]);
    revwatch_follow_responses_free(answer);
    return was_last;
}

/* Works and records until the last task is done, and is on disk. */
static void work_until_told_to_go_home(record *record, revwatch_follow *follow) {
    int may_go_home = 0;
    for (;;) {
        may_go_home |= take(record, follow);
        revwatch_resume_token token;
        revwatch_status status = revwatch_follow_resume_token(follow, &token);
        check(status);
        /* There is no token from which to go on in the middle of the state: an agent that is killed
         * there follows anew, so nothing of the state is recorded until it is complete. */
        if (status == REVWATCH_NOT_FOUND) continue;
        record_save(record, token);
        if (may_go_home) return;
    }
}

/* Follows the tasks: from where the record ends, or from the beginning if there is none. */
static revwatch_follow *follow_tasks(revwatch_store *store, const char *name,
                                     const record *record) {
    char prefix[256];
    int len = snprintf(prefix, sizeof prefix, "/task/%s/", name);
    if (len < 0 || (size_t)len >= sizeof prefix) give_up("%s: the name is too long", name);
    revwatch_follow_options options = {
        .struct_size = sizeof options,
        .prefix = 1,
        .resume = record->has_token ? &record->token : NULL,
    };
    revwatch_follow *follow = NULL;
    check(revwatch_follow_new(store, (const uint8_t *)prefix, (size_t)len, NULL, 0, &options,
                              &follow));
    return follow;
}

int main(int argc, char **argv) {
    if (argc != 4) give_up("usage: agent STORE NAME RECORD");
    static record record;
    record_open(&record, argv[3]);
    revwatch_open_options options = {.struct_size = sizeof options, .read_only = 1};
    revwatch_store *store = NULL;
    check(revwatch_store_open(argv[1], &options, &store));
    revwatch_follow *follow = follow_tasks(store, argv[2], &record);

    work_until_told_to_go_home(&record, follow);

    revwatch_follow_free(follow);
    free(record.tasks);
    check(revwatch_store_close(store));
    return 0;
}
