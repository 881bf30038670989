/* Polling until nothing comes. Where one response ends and the next begins is a matter of room, except
 * that a revision is never split: so the events of one watcher are written together, and the parts of
 * a state. */

#include "vectors_world.h"

enum { NONE_OPEN, EVENTS_OPEN, STATE_OPEN };

struct drain {
    struct text *answer;
    size_t responses;
    int open;          /* which list may go on */
    int64_t watch_id;  /* of whose events */
    int64_t revision;  /* the last of them */
};

/* A response is to come that does not belong to the one before. */
static void begin(struct drain *drain) {
    if (drain->open) text_add(drain->answer, "]}");
    drain->open = NONE_OPEN;
    text_add(drain->answer, drain->responses++ ? " " : "{responses=[");
}

static void drain_events(struct drain *drain, int64_t watch_id, const revwatch_event *events,
                         size_t len) {
    bool goes_on = drain->open == EVENTS_OPEN && drain->watch_id == watch_id;
    if (goes_on && len && events[0].kv.mod_revision <= drain->revision) {
        fail(__FILE__, __LINE__, "revision %" PRId64 " is split or out of order", drain->revision);
    }
    if (!goes_on) {
        begin(drain);
        text_add(drain->answer, "events{");
        text_number(drain->answer, "watch_id", watch_id);
        text_name(drain->answer, "events");
        text_add(drain->answer, "[");
    }
    for (size_t i = 0; i < len; i++) {
        if (goes_on || i) text_add(drain->answer, " ");
        text_event(drain->answer, &events[i]);
        drain->revision = events[i].kv.mod_revision;
    }
    drain->open = EVENTS_OPEN;
    drain->watch_id = watch_id;
}

static void drain_state(struct drain *drain, const revwatch_key_value *kvs, size_t len) {
    bool goes_on = drain->open == STATE_OPEN;
    if (!goes_on) {
        begin(drain);
        text_add(drain->answer, "state{kvs=[");
    }
    for (size_t i = 0; i < len; i++) {
        if (goes_on || i) text_add(drain->answer, " ");
        text_kv(drain->answer, &kvs[i]);
    }
    drain->open = STATE_OPEN;
}

static void end(struct drain *drain) {
    if (drain->open) text_add(drain->answer, "]}");
    text_add(drain->answer, drain->responses ? "]}" : "{}");
}

revwatch_status run_drain(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    struct drain drain = {.answer = answer};
    revwatch_watch_responses *responses = NULL;
    revwatch_status status;
    while ((status = poll_stream(*stream_of(args), &options, &responses)) == REVWATCH_OK) {
        const revwatch_watch_response *response = &responses->responses[0];
        if (response->type == REVWATCH_RESPONSE_EVENTS) {
            drain_events(&drain, response->watch_id, response->events, response->events_len);
        } else {
            begin(&drain);
            text_watch_response(answer, response);
        }
        revwatch_watch_responses_free(responses);
    }
    end(&drain);
    return status;
}

revwatch_status run_drain_follow(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    revwatch_follow *follow = world.follows[place_of(world.follow_names, args->name)];
    struct drain drain = {.answer = answer};
    revwatch_follow_responses *responses = NULL;
    revwatch_status status;
    while ((status = poll_follow(follow, &options, &responses)) == REVWATCH_OK) {
        const revwatch_follow_response *response = &responses->responses[0];
        if (response->type == REVWATCH_FOLLOW_EVENTS) {
            drain_events(&drain, 0, response->events, response->events_len);
        } else if (response->type == REVWATCH_FOLLOW_STATE) {
            drain_state(&drain, response->kvs, response->kvs_len);
        } else {
            begin(&drain);
            text_follow_response(answer, response);
        }
        revwatch_follow_responses_free(responses);
    }
    end(&drain);
    return status;
}
