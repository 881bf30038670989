/* Runs the vectors: each file as one test in memory and one on a file. */

#include "vectors.h"

#include "test.h"
#include "text.h"
#include "vectors_table.h"

enum { NAMES = 64, ROOM = 1 << 20, TRIES_WHEN_IDLE = 4 };

/* What a vector runs in. */
static struct {
    const struct vector *vector;
    const char *path; /* NULL: in memory */
    char path_chars[600];
    revwatch_store *store;
    int64_t now_ms;
    const char *stream_names[NAMES], *follow_names[NAMES];
    revwatch_stream *streams[NAMES];
    revwatch_follow *follows[NAMES];
} world;

/* The bytes of a blob; those of a repeated one are in memory that the next step frees. */
static void *scratch[512];
static size_t scratch_len;

static const uint8_t *bytes(const struct blob *blob, size_t *len) {
    *len = blob->len * blob->times;
    if (blob->times <= 1) return (const uint8_t *)blob->text;
    char *repeated = malloc(*len);
    if (!repeated || scratch_len == sizeof scratch / sizeof *scratch) abort();
    for (size_t i = 0; i < blob->times; i++) memcpy(repeated + i * blob->len, blob->text, blob->len);
    scratch[scratch_len++] = repeated;
    return (const uint8_t *)repeated;
}

static void open_world(void) {
    revwatch_open_options options = {.struct_size = sizeof options};
    options.manual_clock = 1;
    options.durability = REVWATCH_DURABILITY_NEVER;
    CHECK_OK(revwatch_store_open(world.path, &options, &world.store));
    CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
}

static void close_world(void) {
    for (size_t i = 0; i < NAMES; i++) {
        revwatch_stream_free(world.streams[i]);
        revwatch_follow_free(world.follows[i]);
        world.stream_names[i] = world.follow_names[i] = NULL;
        world.streams[i] = NULL;
        world.follows[i] = NULL;
    }
    CHECK_OK(revwatch_store_close(world.store));
    world.store = NULL;
}

static void fresh_world(void) {
    if (world.path) {
        snprintf(world.path_chars, sizeof world.path_chars, "%s", fresh_path());
        world.path = world.path_chars;
    }
    world.now_ms = 0;
    open_world();
}

/* The place of a name among the names, a new one if it was not there. */
static size_t place_of(const char **names, const char *name) {
    if (!name) name = "";
    size_t i = 0;
    while (names[i] && strcmp(names[i], name) != 0) i++;
    if (i == NAMES - 1) abort();
    names[i] = name;
    return i;
}

static revwatch_stream **stream_of(const struct arguments *args) {
    revwatch_stream **stream = &world.streams[place_of(world.stream_names, args->stream)];
    if (!*stream) CHECK_OK(revwatch_stream_new(world.store, stream));
    return stream;
}

static revwatch_put_options put_options(const struct arguments *args) {
    revwatch_put_options options = {.struct_size = sizeof options};
    options.lease = args->lease;
    options.prev_kv = args->prev_kv != 0;
    options.ignore_value = args->ignore_value != 0;
    options.ignore_lease = args->ignore_lease != 0;
    return options;
}

static revwatch_range_options range_options(const struct arguments *args) {
    revwatch_range_options options = {.struct_size = sizeof options};
    options.revision = args->revision;
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

static revwatch_delete_range_options delete_range_options(const struct arguments *args) {
    revwatch_delete_range_options options = {.struct_size = sizeof options};
    options.prev_kv = args->prev_kv != 0;
    return options;
}

/* The key, range_end and value of the arguments, in variables of these names. */
#define TAKE_BYTES(args)                                         \
    size_t key_len, end_len, value_len;                          \
    const uint8_t *key = bytes(&(args)->key, &key_len);          \
    const uint8_t *end = bytes(&(args)->range_end, &end_len);    \
    const uint8_t *value = bytes(&(args)->value, &value_len);    \
    (void)key, (void)end, (void)value

static revwatch_status run_put(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_put_options options = put_options(args);
    revwatch_put_result *result = NULL;
    revwatch_status status = revwatch_store_put_with(world.store, key, key_len, value, value_len,
                                                     &options, &result);
    if (status == REVWATCH_OK) text_put(answer, result);
    revwatch_put_result_free(result);
    return status;
}

static revwatch_status run_range(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_range_options options = range_options(args);
    revwatch_range_result *result = NULL;
    revwatch_status status =
        revwatch_store_range(world.store, key, key_len, end, end_len, &options, &result);
    if (status == REVWATCH_OK) text_range(answer, result);
    revwatch_range_result_free(result);
    return status;
}

static revwatch_status run_delete_range(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_delete_range_options options = delete_range_options(args);
    revwatch_delete_range_result *result = NULL;
    revwatch_status status =
        revwatch_store_delete_range(world.store, key, key_len, end, end_len, &options, &result);
    if (status == REVWATCH_OK) text_delete_range(answer, result);
    revwatch_delete_range_result_free(result);
    return status;
}

static revwatch_status add_compare(revwatch_txn *txn, const struct comparison *compare) {
    size_t key_len, end_len, operand_len;
    const uint8_t *key = bytes(&compare->key, &key_len);
    const uint8_t *end = bytes(&compare->range_end, &end_len);
    const uint8_t *operand = bytes(&compare->bytes, &operand_len);
    static revwatch_status (*const numbers[])(revwatch_txn *, const uint8_t *, size_t,
                                              const uint8_t *, size_t, int32_t, int64_t) = {
        NULL, revwatch_txn_compare_version, revwatch_txn_compare_create, revwatch_txn_compare_mod,
        revwatch_txn_compare_lease};
    if (compare->target == 0) {
        return revwatch_txn_compare_value(txn, key, key_len, end, end_len, compare->op, operand,
                                          operand_len);
    }
    return numbers[compare->target](txn, key, key_len, end, end_len, compare->op, compare->number);
}

static revwatch_status build_txn(const struct arguments *args, revwatch_txn **txn);

static revwatch_status add_operation(revwatch_txn *txn, bool success,
                                     const struct operation *operation) {
    TAKE_BYTES(&operation->args);
    if (strcmp(operation->op, "put") == 0) {
        revwatch_put_options options = put_options(&operation->args);
        return (success ? revwatch_txn_then_put : revwatch_txn_else_put)(txn, key, key_len, value,
                                                                         value_len, &options);
    }
    if (strcmp(operation->op, "range") == 0) {
        revwatch_range_options options = range_options(&operation->args);
        return (success ? revwatch_txn_then_range : revwatch_txn_else_range)(
            txn, key, key_len, end, end_len, &options);
    }
    if (strcmp(operation->op, "delete_range") == 0) {
        revwatch_delete_range_options options = delete_range_options(&operation->args);
        return (success ? revwatch_txn_then_delete_range : revwatch_txn_else_delete_range)(
            txn, key, key_len, end, end_len, &options);
    }
    revwatch_txn *nested = NULL;
    revwatch_status status = build_txn(&operation->args, &nested);
    if (status == REVWATCH_OK) {
        status = (success ? revwatch_txn_then_txn : revwatch_txn_else_txn)(txn, nested);
    }
    revwatch_txn_free(nested);
    return status;
}

static revwatch_status build_txn(const struct arguments *args, revwatch_txn **txn) {
    revwatch_status status = revwatch_txn_new(txn);
    for (size_t i = 0; status == REVWATCH_OK && i < args->compare_len; i++) {
        status = add_compare(*txn, &args->compare[i]);
    }
    for (size_t i = 0; status == REVWATCH_OK && i < args->success_len; i++) {
        status = add_operation(*txn, true, &args->success[i]);
    }
    for (size_t i = 0; status == REVWATCH_OK && i < args->failure_len; i++) {
        status = add_operation(*txn, false, &args->failure[i]);
    }
    return status;
}

static revwatch_status run_txn(const struct arguments *args, struct text *answer) {
    revwatch_txn *txn = NULL;
    revwatch_txn_result *result = NULL;
    revwatch_status status = build_txn(args, &txn);
    if (status == REVWATCH_OK) status = revwatch_store_txn(world.store, txn, &result);
    if (status == REVWATCH_OK) text_txn(answer, result);
    revwatch_txn_result_free(result);
    revwatch_txn_free(txn);
    return status;
}

static revwatch_status revision_answer(revwatch_status status, int64_t revision,
                                       struct text *answer) {
    text_open(answer);
    text_number(answer, "revision", revision);
    text_close(answer);
    return status;
}

static revwatch_status run_compact(const struct arguments *args, struct text *answer) {
    int64_t revision = 0;
    revwatch_status status = revwatch_store_compact(world.store, args->revision, &revision);
    return revision_answer(status, revision, answer);
}

static revwatch_status run_lease_revoke(const struct arguments *args, struct text *answer) {
    int64_t revision = 0;
    revwatch_status status = revwatch_store_lease_revoke(world.store, args->id, &revision);
    return revision_answer(status, revision, answer);
}

static int64_t revision_now(void) {
    revwatch_status_result *status = NULL;
    CHECK_OK(revwatch_store_status(world.store, &status));
    int64_t revision = status ? status->revision : 0;
    revwatch_status_result_free(status);
    return revision;
}

static void lease_answer(struct text *answer, int64_t id, int64_t ttl_ms, int64_t revision) {
    text_open(answer);
    text_number(answer, "id", id);
    text_number(answer, "ttl_ms", ttl_ms);
    text_number(answer, "revision", revision);
    text_close(answer);
}

static revwatch_status run_lease_grant(const struct arguments *args, struct text *answer) {
    int64_t id = 0, ttl_ms = 0, revision = 0;
    revwatch_status status = revwatch_store_lease_grant(world.store, args->id, args->ttl_ms, &id,
                                                        &ttl_ms, &revision);
    lease_answer(answer, id, ttl_ms, revision);
    return status;
}

/* C says REVWATCH_NOT_FOUND of an unknown lease where others answer a time to live of 0. */
static revwatch_status run_lease_keep_alive(const struct arguments *args, struct text *answer) {
    int64_t ttl_ms = 0, revision = 0;
    revwatch_status status =
        revwatch_store_lease_keep_alive(world.store, args->id, &ttl_ms, &revision);
    if (status == REVWATCH_NOT_FOUND) revision = revision_now();
    lease_answer(answer, args->id, ttl_ms, revision);
    return status;
}

/* C says REVWATCH_NOT_FOUND of an unknown lease where others answer a time to live of -1. */
static revwatch_status run_lease_time_to_live(const struct arguments *args, struct text *answer) {
    revwatch_lease_result *lease = NULL;
    revwatch_status status =
        revwatch_store_lease_time_to_live(world.store, args->id, args->keys != 0, &lease);
    text_open(answer);
    text_number(answer, "id", args->id);
    text_number(answer, "ttl_ms", lease ? lease->ttl_ms : -1);
    text_number(answer, "granted_ttl_ms", lease ? lease->granted_ttl_ms : 0);
    text_number(answer, "revision", lease ? lease->revision : revision_now());
    if (lease && lease->keys_len) {
        text_name(answer, "keys");
        for (size_t i = 0; i < lease->keys_len; i++) {
            text_add(answer, i ? " " : "[");
            text_bytes(answer, lease->keys[i].data, lease->keys[i].len);
        }
        text_add(answer, "]");
    }
    text_close(answer);
    revwatch_lease_result_free(lease);
    return status;
}

static revwatch_status run_leases(const struct arguments *args, struct text *answer) {
    (void)args;
    revwatch_leases_result *leases = NULL;
    revwatch_status status = revwatch_store_leases(world.store, &leases);
    text_open(answer);
    if (leases && leases->ids_len) {
        text_name(answer, "leases");
        for (size_t i = 0; i < leases->ids_len; i++) {
            text_add(answer, "%s%" PRId64, i ? " " : "[", leases->ids[i]);
        }
        text_add(answer, "]");
    }
    text_close(answer);
    revwatch_leases_result_free(leases);
    return status;
}

static revwatch_status run_step(const struct arguments *args, struct text *answer) {
    (void)answer;
    world.now_ms = args->now_ms;
    return revwatch_store_step(world.store, args->now_ms, ROOM, NULL);
}

static revwatch_status run_history(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_history_options options = {.struct_size = sizeof options};
    options.start_revision = args->start_revision;
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
static revwatch_status run_status(const struct arguments *args, struct text *answer) {
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

static revwatch_status run_watch(const struct arguments *args, struct text *answer) {
    TAKE_BYTES(args);
    revwatch_watch_options options = {.struct_size = sizeof options};
    options.start_revision = args->start_revision;
    options.watch_id = args->watch_id;
    options.prev_kv = args->prev_kv != 0;
    options.no_put = args->no_put != 0;
    options.no_delete = args->no_delete != 0;
    int64_t watch_id = 0;
    revwatch_status status =
        revwatch_stream_watch(*stream_of(args), key, key_len, end, end_len, &options, &watch_id);
    text_open(answer);
    text_number(answer, "watch_id", watch_id);
    text_close(answer);
    return status;
}

static revwatch_status run_cancel_watch(const struct arguments *args, struct text *answer) {
    (void)answer;
    return revwatch_stream_cancel(*stream_of(args), args->watch_id);
}

static revwatch_poll_options poll_options(const struct arguments *args) {
    revwatch_poll_options options = {.struct_size = sizeof options};
    options.max_events = args->max_events ? (size_t)args->max_events : 1000;
    options.max_bytes = ROOM;
    options.max_responses = 1;
    return options;
}

static revwatch_status run_poll(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    revwatch_stream *stream = *stream_of(args);
    revwatch_watch_responses *responses = NULL;
    revwatch_status status = revwatch_stream_poll(stream, &options, &responses);
    for (int i = 0; i < TRIES_WHEN_IDLE && status == REVWATCH_IDLE; i++) {
        CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
        status = revwatch_stream_poll(stream, &options, &responses);
    }
    if (status == REVWATCH_IDLE) text_add(answer, "idle");
    if (status == REVWATCH_OK) text_watch_response(answer, &responses->responses[0]);
    revwatch_watch_responses_free(responses);
    return status;
}

static revwatch_status run_follow(const struct arguments *args, struct text *answer) {
    (void)answer;
    TAKE_BYTES(args);
    revwatch_resume_token token;
    revwatch_status status = revwatch_store_resume_token(world.store, &token);
    if (status != REVWATCH_OK) return status;
    token.revision = args->resume_revision;
    revwatch_follow_options options = {.struct_size = sizeof options};
    options.resume = args->resume_revision ? &token : NULL;
    size_t place = place_of(world.follow_names, args->name);
    revwatch_follow_free(world.follows[place]);
    world.follows[place] = NULL;
    return revwatch_follow_new(world.store, key, key_len, end, end_len, &options,
                               &world.follows[place]);
}

static revwatch_status run_poll_follow(const struct arguments *args, struct text *answer) {
    revwatch_poll_options options = poll_options(args);
    revwatch_follow *follow = world.follows[place_of(world.follow_names, args->name)];
    revwatch_follow_responses *responses = NULL;
    revwatch_status status = revwatch_follow_poll(follow, &options, &responses);
    for (int i = 0; i < TRIES_WHEN_IDLE && status == REVWATCH_IDLE; i++) {
        CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
        status = revwatch_follow_poll(follow, &options, &responses);
    }
    if (status == REVWATCH_IDLE) text_add(answer, "idle");
    if (status == REVWATCH_OK) text_follow_response(answer, &responses->responses[0]);
    revwatch_follow_responses_free(responses);
    return status;
}

static revwatch_status run_reopen(const struct arguments *args, struct text *answer) {
    (void)args, (void)answer;
    close_world();
    open_world();
    return REVWATCH_OK;
}

static revwatch_status run_fresh(const struct arguments *args, struct text *answer) {
    (void)args, (void)answer;
    close_world();
    fresh_world();
    return REVWATCH_OK;
}

static const struct {
    const char *op;
    revwatch_status (*run)(const struct arguments *args, struct text *answer);
} operations[] = {
    {"put", run_put},
    {"range", run_range},
    {"delete_range", run_delete_range},
    {"txn", run_txn},
    {"compact", run_compact},
    {"lease_grant", run_lease_grant},
    {"lease_revoke", run_lease_revoke},
    {"lease_keep_alive", run_lease_keep_alive},
    {"lease_time_to_live", run_lease_time_to_live},
    {"leases", run_leases},
    {"step", run_step},
    {"history", run_history},
    {"status", run_status},
    {"watch", run_watch},
    {"cancel_watch", run_cancel_watch},
    {"poll", run_poll},
    {"follow", run_follow},
    {"poll_follow", run_poll_follow},
    {"reopen", run_reopen},
    {"fresh", run_fresh},
};

/* A status is as expected if each field given is in it. */
static bool has_fields(const char *answer, const char *expect) {
    char fields[256], padded[300], field[80];
    snprintf(fields, sizeof fields, "%s", expect);
    snprintf(padded, sizeof padded, " %s ", answer);
    for (char *rest = fields, *name; (name = strtok(rest, " ")); rest = NULL) {
        snprintf(field, sizeof field, " %.70s ", name);
        if (!strstr(padded, field)) return false;
    }
    return true;
}

static void run_vector_step(size_t number) {
    const struct step *step = &world.vector->steps[number];
    struct text answer = {0};
    text_add(&answer, "%s", "");
    size_t i = 0;
    while (i < sizeof operations / sizeof *operations && strcmp(operations[i].op, step->op)) i++;
    if (i == sizeof operations / sizeof *operations) {
        fail(__FILE__, __LINE__, "%s: unknown operation", step->op);
        return;
    }
    revwatch_status status = operations[i].run(&step->args, &answer);
    const char *note = step->note ? step->note : "";
    if (step->error ? status != step->error : status < 0) {
        fail(world.vector->name, (int)number, "%s answers %d, not %d (%s) %s", step->op, (int)status,
             (int)step->error, status < 0 ? revwatch_last_error_message() : "", note);
    } else if (step->expect) {
        bool is_status = strcmp(step->op, "status") == 0;
        bool same = is_status ? has_fields(answer.chars, step->expect)
                              : strcmp(answer.chars, step->expect) == 0;
        if (!same) {
            fail(world.vector->name, (int)number, "%s answers\n  %s\nnot\n  %s\n%s", step->op,
                 answer.chars, step->expect, note);
        }
    }
    text_free(&answer);
    while (scratch_len) free(scratch[--scratch_len]);
}

static void run_vector(void) {
    fresh_world();
    for (size_t i = 0; i < world.vector->steps_len; i++) run_vector_step(i);
    close_world();
}

void run_vectors(void) {
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char name[128];
        world.vector = &vectors[i];
        snprintf(name, sizeof name, "vector %s on a file", vectors[i].name);
        world.path = world.path_chars;
        run_test(name, run_vector);
        if (vectors[i].reopens) continue; /* what is in memory cannot be opened again */
        snprintf(name, sizeof name, "vector %s in memory", vectors[i].name);
        world.path = NULL;
        run_test(name, run_vector);
    }
}
