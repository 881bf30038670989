/* The vectors' operations on leases. */

#include "vectors_world.h"

revwatch_status run_lease_revoke(const struct arguments *args, struct text *answer) {
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

revwatch_status run_lease_grant(const struct arguments *args, struct text *answer) {
    int64_t id = 0, ttl_ms = 0, revision = 0;
    revwatch_status status = revwatch_store_lease_grant(world.store, args->id, args->ttl_ms, &id,
                                                        &ttl_ms, &revision);
    lease_answer(answer, id, ttl_ms, revision);
    return status;
}

/* C says REVWATCH_NOT_FOUND of an unknown lease where others answer a time to live of 0. */
revwatch_status run_lease_keep_alive(const struct arguments *args, struct text *answer) {
    int64_t ttl_ms = 0, revision = 0;
    revwatch_status status =
        revwatch_store_lease_keep_alive(world.store, args->id, &ttl_ms, &revision);
    if (status == REVWATCH_NOT_FOUND) revision = revision_now();
    lease_answer(answer, args->id, ttl_ms, revision);
    return status;
}

/* C says REVWATCH_NOT_FOUND of an unknown lease where others answer a time to live of -1. */
revwatch_status run_lease_time_to_live(const struct arguments *args, struct text *answer) {
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

revwatch_status run_leases(const struct arguments *args, struct text *answer) {
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
