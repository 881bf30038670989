/* What the operations of the vectors share, and one function for each of them. */

#ifndef REVWATCH_VECTORS_WORLD_H
#define REVWATCH_VECTORS_WORLD_H

#include "test.h"
#include "text.h"
#include "vectors.h"

enum { NAMES = 64, ROOM = 1 << 20, TRIES_WHEN_IDLE = 4 };

/* What a vector runs in. */
struct world {
    const struct vector *vector;
    const char *path; /* NULL: in memory */
    char path_chars[600];
    revwatch_store *store;
    int64_t now_ms;
    const char *stream_names[NAMES], *follow_names[NAMES];
    revwatch_stream *streams[NAMES];
    revwatch_follow *follows[NAMES];
    const char *range_stream_names[NAMES];
    revwatch_range_stream *range_streams[NAMES];
};
extern struct world world;

/* The bytes of a blob, until the end of the step. */
const uint8_t *bytes(const struct blob *blob, size_t *len);

/* The key, range_end and value of the arguments, in variables of these names. */
#define TAKE_BYTES(args)                                         \
    size_t key_len, end_len, value_len;                          \
    const uint8_t *key = bytes(&(args)->key, &key_len);          \
    const uint8_t *end = bytes(&(args)->range_end, &end_len);    \
    const uint8_t *value = bytes(&(args)->value, &value_len);    \
    (void)key, (void)end, (void)value

revwatch_put_options put_options(const struct arguments *args);
revwatch_range_options range_options(const struct arguments *args);
revwatch_delete_range_options delete_range_options(const struct arguments *args);

revwatch_poll_options poll_options(const struct arguments *args);
revwatch_stream **stream_of(const struct arguments *args);
/* The next response of a stream or follow; while there is none, a step may make one. */
revwatch_status poll_stream(revwatch_stream *stream, const revwatch_poll_options *options,
                            revwatch_watch_responses **responses);
revwatch_status poll_follow(revwatch_follow *follow, const revwatch_poll_options *options,
                            revwatch_follow_responses **responses);

/* Each does one operation, writes the answer and gives the status. */
typedef revwatch_status operation_runner(const struct arguments *args, struct text *answer);
operation_runner run_put, run_range, run_delete_range, run_txn, run_compact, run_lease_grant,
    run_lease_revoke, run_lease_keep_alive, run_lease_time_to_live, run_leases, run_step,
    run_history, run_status, run_watch, run_cancel_watch, run_request_progress, run_poll,
    run_follow, run_poll_follow, run_reopen, run_fresh, run_hash_kv, run_range_stream,
    run_next_kvs, run_drain, run_drain_follow;

/* The place of a name among the names, a new one if it was not there. */
size_t place_of(const char **names, const char *name);

/* Runs a vector as one test. */
void run_vector_on_a_file(const struct vector *vector);

/* An answer that is a revision. */
revwatch_status revision_answer(revwatch_status status, int64_t revision, struct text *answer);

#endif
