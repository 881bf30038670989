/* The steps of the vectors, as vectors_to_c.py writes them down. */

#ifndef REVWATCH_VECTORS_H
#define REVWATCH_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "revwatch.h"

/* `text`, of `len` bytes, so many times. */
struct blob {
    const char *text;
    size_t len;
    size_t times;
};

/* The arguments of any operation; each uses its own. */
struct arguments {
    struct blob key, range_end, value;
    int64_t revision, lease, limit, id, ttl_ms, now_ms, keys, max_keys, prefix;
    int64_t prev_kv, ignore_value, ignore_lease, keys_only, count_only, no_put, no_delete;
    int64_t fragment, progress_notify, conflate;
    int64_t min_mod_revision, max_mod_revision, min_create_revision, max_create_revision;
    int64_t start_revision, resume_revision, max_events, watch_id;
    int32_t sort_order, sort_target;
    const char *stream, *name;
    const struct comparison *compare;
    const struct operation *success, *failure;
    size_t compare_len, success_len, failure_len;
    const revwatch_key_range *ranges;
    size_t ranges_len;
};

/* The target is 0 for the value, compared with `bytes`, and then version, create, mod and lease,
 * compared with `number`. */
struct comparison {
    struct blob key, range_end, bytes;
    int64_t number;
    int32_t target, op;
};

struct operation {
    const char *op;
    struct arguments args;
};

/* Both `expect` and `error` may be missing: then the step has to succeed. */
struct step {
    const char *op;
    struct arguments args;
    const char *expect;
    int32_t error;
    const char *note;
};

struct vector {
    const char *name;
    const struct step *steps;
    size_t steps_len;
    int reopens;
    revwatch_open_options options;
};

#endif
