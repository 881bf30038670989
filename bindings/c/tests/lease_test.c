/* Leases, by a clock that the tests move. */

#include "test.h"

static void attach(revwatch_store *store, const char *key, int64_t lease) {
    revwatch_put_options options = {.struct_size = sizeof options, .lease = lease};
    CHECK_OK(revwatch_store_put_with(store, S(key), S("v"), &options, NULL));
}

static void a_lease_that_is_not_kept_alive_takes_its_keys_with_it(void) {
    revwatch_store *store = open_manual();
    int64_t id = 0, ttl_ms = 0, revision = 0, next_ms = 0;
    CHECK_OK(revwatch_store_lease_grant(store, 0, 1, &id, &ttl_ms, &revision));
    CHECK(id != 0);
    CHECK_INT(ttl_ms, 2000);
    CHECK_INT(revision, 1);
    attach(store, "a", id);
    CHECK_OK(revwatch_store_step(store, 1500, 0, &next_ms));
    CHECK_INT(next_ms, 2000);
    CHECK_OK(revwatch_store_lease_keep_alive(store, id, &ttl_ms, &revision));
    CHECK_INT(ttl_ms, 2000);
    CHECK_INT(revision, 2);
    CHECK_OK(revwatch_store_step(store, 3499, 0, NULL));
    CHECK(strcmp(value_of(store, "a"), "v") == 0);
    CHECK(revwatch_store_step(store, 3500, 0, NULL) >= 0);
    CHECK(strcmp(value_of(store, "a"), "(none)") == 0);
    CHECK_STATUS(revwatch_store_lease_keep_alive(store, id, &ttl_ms, NULL), REVWATCH_NOT_FOUND);
    CHECK_OK(revwatch_store_close(store));
}

static void a_lease_tells_how_it_stands(void) {
    revwatch_store *store = open_manual();
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    CHECK_OK(revwatch_store_lease_grant(store, -3, 5000, NULL, NULL, NULL));
    attach(store, "b", 7);
    attach(store, "a", 7);
    CHECK(revwatch_store_step(store, 1000, 0, NULL) >= 0);
    revwatch_lease_result *lease = NULL;
    CHECK_OK(revwatch_store_lease_time_to_live(store, 7, 1, &lease));
    REQUIRE(lease && lease->keys_len == 2);
    CHECK(lease->id == 7 && lease->ttl_ms == 59000 && lease->granted_ttl_ms == 60000);
    CHECK_BYTES(lease->keys[0].data, lease->keys[0].len, "a");
    CHECK_BYTES(lease->keys[1].data, lease->keys[1].len, "b");
    CHECK_INT(lease->revision, 3);
    revwatch_lease_result_free(lease);
    lease = NULL;
    CHECK_STATUS(revwatch_store_lease_time_to_live(store, 8, 1, &lease), REVWATCH_NOT_FOUND);
    CHECK(!lease);
    revwatch_leases_result *leases = NULL;
    CHECK_OK(revwatch_store_leases(store, &leases));
    REQUIRE(leases && leases->ids_len == 2);
    CHECK(leases->ids[0] == -3 && leases->ids[1] == 7);
    revwatch_leases_result_free(leases);
    CHECK_OK(revwatch_store_close(store));
}

static void revoking_deletes_the_keys_at_one_revision(void) {
    revwatch_store *store = open_manual();
    int64_t revision = 0;
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    attach(store, "a", 7);
    attach(store, "b", 7);
    CHECK_OK(revwatch_store_lease_revoke(store, 7, &revision));
    CHECK_INT(revision, 4);
    CHECK(strcmp(value_of(store, "b"), "(none)") == 0);
    CHECK_ERROR(revwatch_store_lease_revoke(store, 7, NULL), REVWATCH_ERROR_LEASE_NOT_FOUND);
    CHECK_OK(revwatch_store_close(store));
}

static void a_lease_expires_while_somebody_waits(void) {
    revwatch_open_options options = {.struct_size = sizeof options, .lease_min_ttl_ms = 1};
    revwatch_store *store = NULL;
    CHECK_OK(revwatch_store_open(NULL, &options, &store));
    CHECK_OK(revwatch_store_lease_grant(store, 7, 20, NULL, NULL, NULL));
    attach(store, "a", 7);
    revwatch_stream *stream = watch_all(store, 3);
    revwatch_poll_options forever = {.struct_size = sizeof forever, .timeout_ms = -1};
    revwatch_watch_responses *responses = NULL;
    CHECK_OK(revwatch_stream_poll(stream, &forever, &responses));
    REQUIRE(responses && responses->responses[0].events_len == 1);
    CHECK_INT(responses->responses[0].events[0].type, REVWATCH_EVENT_DELETE);
    revwatch_watch_responses_free(responses);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

const struct test lease_tests[] = {
    {"a_lease_that_is_not_kept_alive_takes_its_keys_with_it",
     a_lease_that_is_not_kept_alive_takes_its_keys_with_it},
    {"a_lease_tells_how_it_stands", a_lease_tells_how_it_stands},
    {"revoking_deletes_the_keys_at_one_revision", revoking_deletes_the_keys_at_one_revision},
    {"a_lease_expires_while_somebody_waits", a_lease_expires_while_somebody_waits},
    {NULL, NULL},
};
