/* A first program with revwatch: opens a store, writes, watches, and reads what changed.
 *
 *     make -C bindings/c && cc -std=c11 -Ibindings/c/include examples/c/watch.c \
 *         -Ltarget/release -lrevwatch -Wl,-rpath,target/release -o watch && ./watch store
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "revwatch.h"

/* Functions answer a status; a negative one is an error, and the library says in words what was
 * wrong and what to do about it. */
static void check(revwatch_status status) {
    if (status >= 0) return;
    fprintf(stderr, "%s: %s\n", revwatch_error_name(status), revwatch_last_error_message());
    exit(1);
}

/* Keys and values are bytes with a length. For strings, this gives both as arguments. */
#define BYTES(text) (const uint8_t *)(text), strlen(text)

static void print_event(const revwatch_event *event) {
    const revwatch_key_value *kv = &event->kv;
    printf("  revision %" PRId64 ": ", kv->mod_revision);
    if (event->type == REVWATCH_EVENT_PUT) {
        printf("%.*s is now \"%.*s\"", (int)kv->key_len, (const char *)kv->key, (int)kv->value_len,
               (const char *)kv->value);
    } else {
        printf("%.*s was deleted", (int)kv->key_len, (const char *)kv->key);
    }
    if (event->has_prev_kv) {
        printf(" (it was \"%.*s\")", (int)event->prev_kv.value_len,
               (const char *)event->prev_kv.value);
    }
    printf("\n");
}

/* Moves a task from one worker to another, but only if nobody else was faster: the comparison and
 * both changes are one transaction, at one revision. */
static void hand_over(revwatch_store *store) {
    revwatch_txn *txn = NULL;
    check(revwatch_txn_new(&txn));
    check(revwatch_txn_compare_value(txn, BYTES("task/1"), NULL, 0, REVWATCH_COMPARE_EQUAL,
                                     BYTES("worker a")));
    check(revwatch_txn_then_put(txn, BYTES("task/1"), BYTES("worker b"), NULL));
    check(revwatch_txn_then_put(txn, BYTES("task/2"), BYTES("worker b"), NULL));
    revwatch_txn_result *result = NULL;
    check(revwatch_store_txn(store, txn, &result));
    printf("handed over: %s\n", result->succeeded ? "yes" : "no");
    revwatch_txn_result_free(result);
    revwatch_txn_free(txn);
}

/* Watches all keys that begin with "task/". */
static revwatch_stream *watch_tasks(revwatch_store *store) {
    revwatch_stream *stream = NULL;
    check(revwatch_stream_new(store, NULL, &stream));
    revwatch_watch_options options = {.struct_size = sizeof options, .prefix = 1, .prev_kv = 1};
    check(revwatch_stream_watch(stream, BYTES("task/"), NULL, 0, &options, NULL));
    return stream;
}

/* Takes out what has happened. A program that has nothing else to do sets timeout_ms to -1, and
 * revwatch_stream_poll() then waits until there is something. */
static void print_changes(revwatch_stream *stream) {
    revwatch_poll_options options = {.struct_size = sizeof options, .timeout_ms = 0};
    revwatch_watch_responses *responses = NULL;
    revwatch_status status = revwatch_stream_poll(stream, &options, &responses);
    check(status);
    if (status == REVWATCH_IDLE) return;
    for (size_t i = 0; i < responses->responses_len; i++) {
        const revwatch_watch_response *response = &responses->responses[i];
        if (response->type == REVWATCH_RESPONSE_CREATED) {
            printf("watching, from after revision %" PRId64 "\n", response->revision);
        }
        for (size_t j = 0; j < response->events_len; j++) print_event(&response->events[j]);
    }
    /* All that the responses point to goes with them. */
    revwatch_watch_responses_free(responses);
}

int main(int argc, char **argv) {
    /* Without a path the store is in memory. */
    revwatch_store *store = NULL;
    check(revwatch_store_open(argc > 1 ? argv[1] : NULL, NULL, &store));
    revwatch_stream *stream = watch_tasks(store);

    int64_t revision = 0;
    check(revwatch_store_put(store, BYTES("task/1"), BYTES("worker a"), &revision));
    printf("put at revision %" PRId64 ", safe on disk\n", revision);
    hand_over(store);
    check(revwatch_store_delete_range(store, BYTES("task/1"), NULL, 0, NULL, NULL));
    print_changes(stream);

    /* Nothing was overwritten: the store can be read as it was. */
    revwatch_range_options options = {.struct_size = sizeof options, .revision = revision};
    revwatch_range_result *range = NULL;
    check(revwatch_store_range(store, BYTES("task/1"), NULL, 0, &options, &range));
    for (size_t i = 0; i < range->kvs_len; i++) {
        printf("at revision %" PRId64 " it was with %.*s\n", revision, (int)range->kvs[i].value_len,
               (const char *)range->kvs[i].value);
    }
    revwatch_range_result_free(range);

    revwatch_stream_free(stream);
    check(revwatch_store_close(store));
    return 0;
}
