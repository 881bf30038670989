/* The vectors' operations on keys and on the store. */

#include "vectors_world.h"

revwatch_put_options put_options(const struct arguments *args) {
    revwatch_put_options options = {.struct_size = sizeof options};
    options.lease = args->lease;
    options.prev_kv = args->prev_kv != 0;
    options.ignore_value = args->ignore_value != 0;
    options.ignore_lease = args->ignore_lease != 0;
    return options;
}

revwatch_range_options range_options(const struct arguments *args) {
    revwatch_range_options options = {.struct_size = sizeof options};
    options.revision = args->revision;
    options.prefix = args->prefix != 0;
    options.limit = args->limit;
    options.sort_order = args->sort_order;
    options.sort_target = args->sort_target;
    options.keys_only = args->keys_only != 0;
    options.count_only = args->count_only != 0;
    options.min_mod_revision = args->min_mod_revision;
    options.max_mod_revision = args->max_mod_revision;
    options.min_create_revision = args->min_create_revision;
    options.max_create_revision = args->max_create_revision;
    return options;
}

revwatch_delete_range_options delete_range_options(const struct arguments *args) {
    revwatch_delete_range_options options = {.struct_size = sizeof options};
    options.prev_kv = args->prev_kv != 0;
    options.prefix = args->prefix != 0;
    return options;
}

revwatch_status run_put(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_put_options options = put_options(args);
    revwatch_put_result *result = NULL;
    revwatch_status status = revwatch_store_put_with(world.store, key, key_len, value, value_len,
                                                     &options, &result);
    if (status == REVWATCH_OK) text_put(answer, result);
    revwatch_put_result_free(result);
    return status;
}

revwatch_status run_range(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_range_options options = range_options(args);
    revwatch_range_result *result = NULL;
    revwatch_status status =
        revwatch_store_range(world.store, key, key_len, end, end_len, &options, &result);
    if (status == REVWATCH_OK) text_range(answer, result);
    revwatch_range_result_free(result);
    return status;
}

revwatch_status run_delete_range(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_delete_range_options options = delete_range_options(args);
    revwatch_delete_range_result *result = NULL;
    revwatch_status status =
        revwatch_store_delete_range(world.store, key, key_len, end, end_len, &options, &result);
    if (status == REVWATCH_OK) text_delete_range(answer, result);
    revwatch_delete_range_result_free(result);
    return status;
}

revwatch_status revision_answer(revwatch_status status, int64_t revision, struct text *answer) {
    text_open(answer);
    text_number(answer, "revision", revision);
    text_close(answer);
    return status;
}

revwatch_status run_compact(const struct arguments *args, struct text *answer) {
    int64_t revision = 0;
    revwatch_status status = revwatch_store_compact(world.store, args->revision, &revision);
    return revision_answer(status, revision, answer);
}

revwatch_status run_hash_kv(const struct arguments *args, struct text *answer) {
    revwatch_hash_kv hash = {0};
    revwatch_status status = revwatch_store_hash_kv(world.store, args->revision, &hash);
    text_open(answer);
    text_number(answer, "revision", hash.revision);
    text_number(answer, "hash", hash.hash);
    text_number(answer, "compact_revision", hash.compact_revision);
    text_number(answer, "hash_revision", hash.hash_revision);
    text_close(answer);
    return status;
}

revwatch_status run_range_stream(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_range_stream_options options = {.struct_size = sizeof options};
    options.revision = args->revision;
    options.prefix = args->prefix != 0;
    size_t place = place_of(world.range_stream_names, args->name);
    revwatch_range_stream *stream = NULL;
    int64_t revision = 0;
    revwatch_status status = revwatch_range_stream_new(world.store, key, key_len, end, end_len,
                                                       &options, &stream, &revision);
    if (status == REVWATCH_OK) {
        revwatch_range_stream_free(world.range_streams[place]);
        world.range_streams[place] = stream;
    }
    return revision_answer(status, revision, answer);
}

/* C says REVWATCH_NOT_FOUND at the end where others answer no keys. */
revwatch_status run_next_kvs(const struct arguments *args, struct text *answer) {
    revwatch_next_options options = {.struct_size = sizeof options};
    options.max_keys = (size_t)args->max_keys;
    size_t place = place_of(world.range_stream_names, args->name);
    revwatch_kvs_result *part = NULL;
    revwatch_status status =
        revwatch_range_stream_next(world.range_streams[place], &options, &part);
    text_open(answer);
    if (part) text_kvs(answer, "kvs", part->kvs, part->kvs_len);
    text_close(answer);
    revwatch_kvs_result_free(part);
    return status;
}

revwatch_status run_step(const struct arguments *args, struct text *answer) {
    (void)answer;
    if (world.now_ms < args->now_ms) world.now_ms = args->now_ms;
    return revwatch_store_step(world.store, args->now_ms, ROOM, NULL);
}

revwatch_status run_history(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_history_options options = {.struct_size = sizeof options};
    options.start_revision = args->start_revision;
    options.prefix = args->prefix != 0;
    options.max_events = args->max_events ? (size_t)args->max_events : SIZE_MAX;
    revwatch_history_result *history = NULL;
    revwatch_status status =
        revwatch_store_history(world.store, key, key_len, end, end_len, &options, &history);
    if (status == REVWATCH_OK) {
        text_open(answer);
        text_number(answer, "next_revision", history->next_revision);
        text_events(answer, history->events, history->events_len);
        text_close(answer);
    }
    revwatch_history_result_free(history);
    return status;
}

/* All that a vector may ask for; what it expects is looked for in it. */
revwatch_status run_status(const struct arguments *args, struct text *answer) {
    (void)args;
    revwatch_status_result *status = NULL;
    revwatch_status code = revwatch_store_status(world.store, &status);
    if (code == REVWATCH_OK) {
        text_add(answer, "revision=%" PRId64 " compact_revision=%" PRId64, status->revision,
                 status->compact_revision);
        text_add(answer, " keys=%" PRIu64 " leases=%" PRIu64, status->keys, status->leases);
    }
    revwatch_status_result_free(status);
    return code;
}
