/* Range streams: a large range in parts, as of one revision. */

#include "test.h"

static revwatch_range_stream *stream_prefix(revwatch_store *store, const char *prefix,
                                            int64_t revision, int64_t expected) {
    revwatch_range_stream_options options = {
        .struct_size = sizeof options, .revision = revision, .prefix = 1};
    revwatch_range_stream *stream = NULL;
    int64_t pinned = 0;
    CHECK_OK(revwatch_range_stream_new(store, S(prefix), NONE, &options, &stream, &pinned));
    CHECK_INT(pinned, expected);
    return stream;
}

/* The values of the next keys, at most `max_keys` of them; "end" at the end. */
static const char *next_values(revwatch_range_stream *stream, size_t max_keys) {
    static char values[256];
    revwatch_next_options options = {.struct_size = sizeof options, .max_keys = max_keys};
    revwatch_kvs_result *part = NULL;
    if (revwatch_range_stream_next(stream, &options, &part) != REVWATCH_OK) {
        CHECK(!part);
        return "end";
    }
    values[0] = 0;
    for (size_t i = 0; i < part->kvs_len; i++) {
        snprintf(values + strlen(values), sizeof values - strlen(values), "%.*s ",
                 (int)part->kvs[i].value_len, (const char *)part->kvs[i].value);
    }
    revwatch_kvs_result_free(part);
    return values;
}

#define CHECK_NEXT(stream, max_keys, expected)                      \
    do {                                                            \
        const char *next = next_values((stream), (max_keys));       \
        CHECK_BYTES((const uint8_t *)next, strlen(next), expected); \
    } while (0)

static void a_range_comes_in_parts_as_of_one_revision(void) {
    revwatch_store *store = open_file(fresh_path());
    const char *keys[] = {"/a", "/b", "/c", "/d", "x"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) put(store, keys[i], keys[i]);
    revwatch_range_stream *now = stream_prefix(store, "/", 0, 6);
    revwatch_range_stream *before = stream_prefix(store, "/", 4, 4);
    CHECK_NEXT(now, 3, "/a /b /c ");
    put(store, "/d", "changed");
    put(store, "/e", "new");
    CHECK_OK(revwatch_store_delete_range(store, S("/a"), S("/c"), NULL, NULL));
    CHECK_NEXT(now, 0, "/d ");
    CHECK_NEXT(now, 0, "end");
    CHECK_NEXT(now, 0, "end");
    CHECK_NEXT(before, 1, "/a ");
    CHECK_NEXT(before, 0, "/b /c ");
    CHECK_NEXT(before, 0, "end");
    revwatch_range_stream_free(now);
    revwatch_range_stream_free(before);
    CHECK_OK(revwatch_store_close(store));
}

static void a_part_is_bounded_in_bytes_and_has_at_least_one_key(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 6; i++) put(store, (const char *[]){"a", "b", "c", "d", "e", "f"}[i], "123");
    revwatch_range_stream *stream = stream_prefix(store, "", 0, 7);
    revwatch_next_options options = {.struct_size = sizeof options, .max_bytes = 8};
    const size_t expected[] = {2, 2, 1, 1};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (i == 2) options.max_bytes = 1;
        revwatch_kvs_result *part = NULL;
        CHECK_OK(revwatch_range_stream_next(stream, &options, &part));
        REQUIRE(part);
        CHECK_INT((int64_t)part->kvs_len, (int64_t)expected[i]);
        revwatch_kvs_result_free(part);
    }
    CHECK_NEXT(stream, 0, "end");
    revwatch_range_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static void compaction_of_its_revision_ends_a_walk_with_compacted(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 4; i++) put(store, (const char *[]){"a", "b", "c", "d"}[i], "1");
    revwatch_range_stream *stream = stream_prefix(store, "", 4, 4);
    revwatch_kvs_result *part = NULL;
    CHECK_NEXT(stream, 1, "1 ");
    CHECK_OK(revwatch_store_compact(store, 4, NULL));
    CHECK_NEXT(stream, 1, "1 ");
    CHECK_OK(revwatch_store_compact(store, 5, NULL));
    CHECK_ERROR(revwatch_range_stream_next(stream, NULL, &part), REVWATCH_ERROR_COMPACTED);
    CHECK_INT(revwatch_last_error_revision(), 5);
    CHECK(!part);
    revwatch_range_stream_free(stream);
    revwatch_range_stream_options options = {.struct_size = sizeof options, .revision = 4};
    stream = NULL;
    CHECK_ERROR(revwatch_range_stream_new(store, S("a"), NONE, &options, &stream, NULL),
                REVWATCH_ERROR_COMPACTED);
    options.revision = 6;
    CHECK_ERROR(revwatch_range_stream_new(store, S("a"), NONE, &options, &stream, NULL),
                REVWATCH_ERROR_FUTURE_REVISION);
    CHECK_ERROR(revwatch_range_stream_new(store, NONE, NONE, NULL, &stream, NULL),
                REVWATCH_ERROR_EMPTY_KEY);
    CHECK(!stream);
    CHECK_OK(revwatch_store_close(store));
}

const struct test range_stream_tests[] = {
    {"a_range_comes_in_parts_as_of_one_revision", a_range_comes_in_parts_as_of_one_revision},
    {"a_part_is_bounded_in_bytes_and_has_at_least_one_key",
     a_part_is_bounded_in_bytes_and_has_at_least_one_key},
    {"compaction_of_its_revision_ends_a_walk_with_compacted",
     compaction_of_its_revision_ends_a_walk_with_compacted},
    {NULL, NULL},
};
