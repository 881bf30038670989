/* The vectors' watches and follows. */

#include "vectors_world.h"

size_t place_of(const char **names, const char *name) {
    if (!name) name = "";
    size_t i = 0;
    while (names[i] && strcmp(names[i], name) != 0) i++;
    if (i == NAMES - 1) abort();
    names[i] = name;
    return i;
}

revwatch_stream **stream_of(const struct arguments *args) {
    revwatch_stream **stream = &world.streams[place_of(world.stream_names, args->stream)];
    if (!*stream) CHECK_OK(revwatch_stream_new(world.store, NULL, stream));
    return stream;
}

revwatch_status run_watch(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_watch_options options = {.struct_size = sizeof options};
    options.start_revision = args->start_revision;
    options.watch_id = args->watch_id;
    options.prefix = args->prefix != 0;
    options.prev_kv = args->prev_kv != 0;
    options.no_put = args->no_put != 0;
    options.no_delete = args->no_delete != 0;
    options.keys_only = args->keys_only != 0;
    options.fragment = args->fragment != 0;
    options.progress_notify = args->progress_notify != 0;
    options.conflate = args->conflate != 0;
    options.ranges = args->ranges;
    options.ranges_len = args->ranges_len;
    int64_t watch_id = 0;
    revwatch_status status =
        revwatch_stream_watch(*stream_of(args), key, key_len, end, end_len, &options, &watch_id);
    text_open(answer);
    text_number(answer, "watch_id", watch_id);
    text_close(answer);
    return status;
}

revwatch_status run_cancel_watch(const struct arguments *args, struct text *answer) {
    (void)answer;
    return revwatch_stream_cancel(*stream_of(args), args->watch_id);
}

revwatch_status run_request_progress(const struct arguments *args, struct text *answer) {
    revwatch_status status = revwatch_stream_request_progress(*stream_of(args));
    text_open(answer);
    text_number(answer, "told", status == REVWATCH_OK);
    text_close(answer);
    return status;
}

revwatch_poll_options poll_options(const struct arguments *args) {
    revwatch_poll_options options = {.struct_size = sizeof options};
    options.max_events = args->max_events ? (size_t)args->max_events : 1000;
    options.max_bytes = ROOM;
    options.max_responses = 1;
    return options;
}

revwatch_status poll_stream(revwatch_stream *stream, const revwatch_poll_options *options,
                            revwatch_watch_responses **responses) {
    revwatch_status status = revwatch_stream_poll(stream, options, responses);
    for (int i = 0; i < TRIES_WHEN_IDLE && status == REVWATCH_IDLE; i++) {
        CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
        status = revwatch_stream_poll(stream, options, responses);
    }
    return status;
}

revwatch_status poll_follow(revwatch_follow *follow, const revwatch_poll_options *options,
                            revwatch_follow_responses **responses) {
    revwatch_status status = revwatch_follow_poll(follow, options, responses);
    for (int i = 0; i < TRIES_WHEN_IDLE && status == REVWATCH_IDLE; i++) {
        CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
        status = revwatch_follow_poll(follow, options, responses);
    }
    return status;
}

revwatch_status run_poll(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    revwatch_stream *stream = *stream_of(args);
    revwatch_watch_responses *responses = NULL;
    revwatch_status status = poll_stream(stream, &options, &responses);
    if (status == REVWATCH_IDLE) text_add(answer, "idle");
    if (status == REVWATCH_OK) text_watch_response(answer, &responses->responses[0]);
    revwatch_watch_responses_free(responses);
    return status;
}

revwatch_status run_follow(const struct arguments *args, struct text *answer) {
    (void)answer;
    TAKE_BYTES(args);
    revwatch_resume_token token;
    revwatch_status status = revwatch_store_resume_token(world.store, &token);
    if (status != REVWATCH_OK) return status;
    token.revision = args->resume_revision;
    revwatch_follow_options options = {.struct_size = sizeof options};
    options.resume = args->resume_revision ? &token : NULL;
    options.prefix = args->prefix != 0;
    size_t place = place_of(world.follow_names, args->name);
    revwatch_follow_free(world.follows[place]);
    world.follows[place] = NULL;
    return revwatch_follow_new(world.store, key, key_len, end, end_len, &options,
                               &world.follows[place]);
}

revwatch_status run_poll_follow(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    revwatch_follow *follow = world.follows[place_of(world.follow_names, args->name)];
    revwatch_follow_responses *responses = NULL;
    revwatch_status status = poll_follow(follow, &options, &responses);
    if (status == REVWATCH_IDLE) text_add(answer, "idle");
    if (status == REVWATCH_OK) text_follow_response(answer, &responses->responses[0]);
    revwatch_follow_responses_free(responses);
    return status;
}
