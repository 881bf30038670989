/* Runs the vectors: each file as one test in memory and one on a file. */

#include "vectors_world.h"
#include "vectors_table.h"

struct world world;

/* The bytes of a blob; those of a repeated one are in memory that the next step frees. */
static void *scratch[512];
static size_t scratch_len;

const uint8_t *bytes(const struct blob *blob, size_t *len) {
    *len = blob->len * blob->times;
    if (blob->times <= 1) return (const uint8_t *)blob->text;
    char *repeated = malloc(*len);
    if (!repeated || scratch_len == sizeof scratch / sizeof *scratch) abort();
    for (size_t i = 0; i < blob->times; i++) memcpy(repeated + i * blob->len, blob->text, blob->len);
    scratch[scratch_len++] = repeated;
    return (const uint8_t *)repeated;
}

static void open_world(void) {
    revwatch_open_options options = world.vector->options;
    options.struct_size = sizeof options;
    options.manual_clock = 1;
    options.durability = REVWATCH_DURABILITY_NEVER;
    CHECK_OK(revwatch_store_open(world.path, &options, &world.store));
    CHECK(revwatch_store_step(world.store, world.now_ms, ROOM, NULL) >= 0);
}

static void close_world(void) {
    for (size_t i = 0; i < NAMES; i++) {
        revwatch_stream_free(world.streams[i]);
        revwatch_follow_free(world.follows[i]);
        revwatch_range_stream_free(world.range_streams[i]);
        world.stream_names[i] = world.follow_names[i] = world.range_stream_names[i] = NULL;
        world.range_streams[i] = NULL;
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

revwatch_status run_reopen(const struct arguments *args, struct text *answer) {
    (void)args, (void)answer;
    close_world();
    open_world();
    return REVWATCH_OK;
}

revwatch_status run_fresh(const struct arguments *args, struct text *answer) {
    (void)args, (void)answer;
    close_world();
    fresh_world();
    return REVWATCH_OK;
}

static const struct {
    const char *op;
    operation_runner *run;
} operations[] = {
    {"put", run_put},
    {"range", run_range},
    {"delete_range", run_delete_range},
    {"txn", run_txn},
    {"compact", run_compact},
    {"hash_kv", run_hash_kv},
    {"range_stream", run_range_stream},
    {"next_kvs", run_next_kvs},
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
    {"request_progress", run_request_progress},
    {"poll", run_poll},
    {"drain", run_drain},
    {"drain_follow", run_drain_follow},
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

void run_vector_on_a_file(const struct vector *vector) {
    char name[128];
    world.vector = vector;
    snprintf(name, sizeof name, "vector %s on a file", vector->name);
    world.path = world.path_chars;
    run_test(name, run_vector);
}

void run_vectors(void) {
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char name[128];
        run_vector_on_a_file(&vectors[i]);
        if (vectors[i].reopens) continue; /* what is in memory cannot be opened again */
        snprintf(name, sizeof name, "vector %s in memory", vectors[i].name);
        world.path = NULL;
        run_test(name, run_vector);
    }
}
