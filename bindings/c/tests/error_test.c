/* The table of errors, and how each of them comes about. */

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* {"EMPTY_KEY", REVWATCH_ERROR_EMPTY_KEY}, … as the header has them. */
static const struct {
    const char *name;
    revwatch_status status;
} constants[] = {
#include "errors_table.h"
};
enum { CONSTANTS = sizeof constants / sizeof *constants };

/* `EmptyKey` for `EMPTY_KEY`. */
static void camel(const char *upper_snake, char *name) {
    bool begins = true;
    for (; *upper_snake; upper_snake++) {
        if (*upper_snake == '_') {
            begins = true;
        } else {
            *name++ = (char)(begins ? *upper_snake : *upper_snake - 'A' + 'a');
            begins = false;
        }
    }
    *name = 0;
}

static void the_header_has_the_librarys_table(void) {
    CHECK_INT((int64_t)revwatch_error_count(), CONSTANTS);
    for (size_t i = 0; i < CONSTANTS; i++) {
        char name[64];
        camel(constants[i].name, name);
        CHECK_INT(revwatch_error_code(i), constants[i].status);
        const char *its_name = revwatch_error_name(constants[i].status);
        REQUIRE(its_name);
        CHECK_BYTES((const uint8_t *)its_name, strlen(its_name), name);
        CHECK(strlen(revwatch_error_meaning(constants[i].status)) > 10);
    }
}

static void what_is_no_error_has_no_name(void) {
    CHECK_INT(revwatch_error_code(CONSTANTS), 0);
    CHECK_INT(revwatch_error_code(SIZE_MAX), 0);
    const revwatch_status others[] = {REVWATCH_OK, REVWATCH_NOT_FOUND, REVWATCH_IDLE, 100, -99,
                                      INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(!revwatch_error_name(others[i]));
        CHECK(!revwatch_error_meaning(others[i]));
    }
}

static void the_version_is_that_of_the_package(void) {
    const char *version = revwatch_version();
    CHECK_BYTES((const uint8_t *)version, strlen(version), PACKAGE_VERSION);
}

static void requests_are_refused_for_what_is_wrong_with_them(void) {
    revwatch_store *store = open_memory();
    revwatch_put_options keep_value = {.struct_size = sizeof keep_value, .ignore_value = 1};
    revwatch_put_options keep_lease = {.struct_size = sizeof keep_lease, .ignore_lease = 1};
    CHECK_ERROR(revwatch_store_put(store, S(""), S("v"), NULL), REVWATCH_ERROR_EMPTY_KEY);
    uint8_t *large = calloc(1, 2 << 20);
    REQUIRE(large);
    CHECK_ERROR(revwatch_store_put(store, S("k"), large, 2 << 20, NULL),
                REVWATCH_ERROR_REQUEST_TOO_LARGE);
    free(large);
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), NONE, &keep_value, NULL),
                REVWATCH_ERROR_KEY_NOT_FOUND);
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), &keep_value, NULL),
                REVWATCH_ERROR_VALUE_PROVIDED);
    keep_lease.lease = 7;
    CHECK_ERROR(revwatch_store_put_with(store, S("k"), S("v"), &keep_lease, NULL),
                REVWATCH_ERROR_LEASE_PROVIDED);
    revwatch_range_options sort = {.struct_size = sizeof sort, .sort_order = 3};
    revwatch_range_result *range = NULL;
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, &sort, &range),
                REVWATCH_ERROR_INVALID_SORT_OPTION);
    sort.sort_order = 0, sort.sort_target = 5;
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, &sort, &range),
                REVWATCH_ERROR_INVALID_SORT_OPTION);
    CHECK(!range);
    CHECK_INT(put(store, "k", "v"), 2);
    CHECK_OK(revwatch_store_close(store));
}

static void transactions_are_refused_for_what_is_wrong_with_them(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_txn_then_put(txn, S("k"), S("1"), NULL));
    CHECK_OK(revwatch_txn_then_put(txn, S("k"), S("2"), NULL));
    CHECK_ERROR(revwatch_store_txn(store, txn, NULL), REVWATCH_ERROR_DUPLICATE_KEY);
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_txn_new(&txn));
    for (int i = 0; i < 129; i++) CHECK_OK(revwatch_txn_then_range(txn, S("k"), NONE, NULL));
    CHECK_ERROR(revwatch_store_txn(store, txn, NULL), REVWATCH_ERROR_TOO_MANY_OPS);
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_store_close(store));
}

static void revisions_that_are_not_kept_are_refused_with_the_one_to_use(void) {
    revwatch_store *store = open_memory();
    for (int i = 0; i < 4; i++) put(store, "k", "v");
    CHECK_OK(revwatch_store_compact(store, 3, NULL));
    revwatch_range_options at = {.struct_size = sizeof at, .revision = 9};
    revwatch_range_result *range = NULL;
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, &at, &range),
                REVWATCH_ERROR_FUTURE_REVISION);
    CHECK_INT(revwatch_last_error_revision(), 5);
    at.revision = 2;
    CHECK_ERROR(revwatch_store_range(store, S("k"), NONE, &at, &range), REVWATCH_ERROR_COMPACTED);
    CHECK_INT(revwatch_last_error_revision(), 3);
    CHECK_ERROR(revwatch_store_compact(store, 3, NULL), REVWATCH_ERROR_COMPACTED);
    CHECK_ERROR(revwatch_store_put(NULL, S("k"), S("v"), NULL), REVWATCH_ERROR_NULL_POINTER);
    CHECK_INT(revwatch_last_error_revision(), 0);
    CHECK(!range);
    CHECK_OK(revwatch_store_close(store));
}

static void leases_and_watches_are_refused_for_what_is_wrong_with_them(void) {
    revwatch_store *store = open_memory();
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    CHECK_ERROR(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL),
                REVWATCH_ERROR_LEASE_EXISTS);
    CHECK_ERROR(revwatch_store_lease_grant(store, 8, INT64_MAX, NULL, NULL, NULL),
                REVWATCH_ERROR_LEASE_TTL_TOO_LARGE);
    CHECK_ERROR(revwatch_store_lease_revoke(store, 8, NULL), REVWATCH_ERROR_LEASE_NOT_FOUND);
    revwatch_stream *stream = NULL;
    CHECK_OK(revwatch_stream_new(store, NULL, &stream));
    CHECK_ERROR(revwatch_stream_watch(stream, S("b"), S("a"), NULL, NULL),
                REVWATCH_ERROR_EMPTY_WATCH_RANGE);
    revwatch_watch_options five = {.struct_size = sizeof five, .watch_id = 5};
    CHECK_OK(revwatch_stream_watch(stream, S("k"), NONE, &five, NULL));
    CHECK_ERROR(revwatch_stream_watch(stream, S("k"), NONE, &five, NULL),
                REVWATCH_ERROR_DUPLICATE_WATCH_ID);
    revwatch_stream_free(stream);
    CHECK_OK(revwatch_store_close(store));
}

static revwatch_status open_status(const char *path, int32_t read_only) {
    revwatch_open_options options = {
        .struct_size = sizeof options, .read_only = read_only, .lock_timeout_ms = -1};
    revwatch_store *store = NULL;
    revwatch_status status = revwatch_store_open(path, &options, &store);
    if (status == REVWATCH_OK) CHECK_OK(revwatch_store_close(store));
    return status;
}

/* Replaces bytes of a file; those at an offset from the end if it is negative. */
static void overwrite(const char *path, long offset, const void *bytes, size_t len) {
    FILE *file = fopen(path, "r+b");
    REQUIRE(file);
    CHECK(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET) == 0);
    CHECK(fwrite(bytes, 1, len, file) == len);
    CHECK(fclose(file) == 0);
}

static void files_that_are_no_store_are_refused_unchanged(void) {
    char path[600];
    path_in_folder(path, sizeof path, "missing");
    CHECK_ERROR(open_status(path, 1), REVWATCH_ERROR_STORE_NOT_FOUND);
    path_in_folder(path, sizeof path, "missing/store");
    CHECK_ERROR(open_status(path, 0), REVWATCH_ERROR_STORE_NOT_FOUND);
    path_in_folder(path, sizeof path, ".");
    CHECK_ERROR(open_status(path, 0), REVWATCH_ERROR_NOT_A_STORE);
    path_in_folder(path, sizeof path, "letter");
    FILE *file = fopen(path, "wb");
    REQUIRE(file);
    for (int i = 0; i < 2000; i++) fputs("Dear reader, ", file);
    CHECK(fclose(file) == 0);
    CHECK_ERROR(open_status(path, 0), REVWATCH_ERROR_NOT_A_STORE);
    struct stat now;
    CHECK(stat(path, &now) == 0 && now.st_size == 26000);
    char long_path[6000];
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = 0;
    CHECK_ERROR(open_status(long_path, 0), REVWATCH_ERROR_IO);
}

static void a_damaged_or_newer_store_is_refused(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    for (int i = 0; i < 1000; i++) put(store, "key", "a value that fills some pages in the end");
    /* A page from the middle: beyond the header, before the end. */
    CHECK_OK(revwatch_store_flush(store));
    const uint8_t zeros[64] = {0};
    overwrite(path, 4 * 4096 + 200, zeros, sizeof zeros);
    revwatch_status checked = revwatch_store_check(store);
    revwatch_store_free(store);
    CHECK(checked == REVWATCH_OK || checked == REVWATCH_ERROR_CORRUPT);
    /* A store that opens by its checkpoint reads its pages later. */
    if (open_status(path, 0) != REVWATCH_ERROR_CORRUPT) {
        store = open_file(path);
        CHECK_ERROR(revwatch_store_check(store), REVWATCH_ERROR_CORRUPT);
        revwatch_store_free(store);
    }

    snprintf(path, sizeof path, "%s", fresh_path());
    CHECK_OK(open_status(path, 0));
    const uint8_t version_99[4] = {99, 0, 0, 0};
    overwrite(path, 12, version_99, sizeof version_99);
    overwrite(path, 4096 + 12, version_99, sizeof version_99);
    CHECK_ERROR(open_status(path, 0), REVWATCH_ERROR_UNSUPPORTED_FORMAT);
}

static void access_that_the_system_denies_is_told(void) {
    char path[600];
    path_in_folder(path, sizeof path, "closed-folder");
    CHECK(mkdir(path, 0) == 0);
    bool root = geteuid() == 0;
    if (root) CHECK(seteuid(65534) == 0);
    strcat(path, "/store");
    CHECK_ERROR(open_status(path, 0), REVWATCH_ERROR_PERMISSION_DENIED);
    if (root) CHECK(seteuid(0) == 0);
}

/* A limit on the size of files stands for a full disk. */
static void a_store_without_room_goes_on_reading(void) {
    char path[600];
    snprintf(path, sizeof path, "%s", fresh_path());
    revwatch_store *store = open_file(path);
    put(store, "kept", "v");
    struct rlimit before, none;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    none = before;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    revwatch_status status = revwatch_store_put(store, S("k"), S("v"), NULL);
    CHECK_ERROR(status, REVWATCH_ERROR_NO_SPACE);
    CHECK_ERROR(revwatch_store_put(store, S("k"), S("v"), NULL), REVWATCH_ERROR_POISONED);
    CHECK(strcmp(value_of(store, "kept"), "v") == 0);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    revwatch_store_free(store);
    store = open_file(path);
    CHECK(strcmp(value_of(store, "kept"), "v") == 0);
    put(store, "k", "v");
    CHECK_OK(revwatch_store_close(store));
}

const struct test error_tests[] = {
    {"the_header_has_the_librarys_table", the_header_has_the_librarys_table},
    {"what_is_no_error_has_no_name", what_is_no_error_has_no_name},
    {"the_version_is_that_of_the_package", the_version_is_that_of_the_package},
    {"requests_are_refused_for_what_is_wrong_with_them",
     requests_are_refused_for_what_is_wrong_with_them},
    {"transactions_are_refused_for_what_is_wrong_with_them",
     transactions_are_refused_for_what_is_wrong_with_them},
    {"revisions_that_are_not_kept_are_refused_with_the_one_to_use",
     revisions_that_are_not_kept_are_refused_with_the_one_to_use},
    {"leases_and_watches_are_refused_for_what_is_wrong_with_them",
     leases_and_watches_are_refused_for_what_is_wrong_with_them},
    {"files_that_are_no_store_are_refused_unchanged",
     files_that_are_no_store_are_refused_unchanged},
    {"a_damaged_or_newer_store_is_refused", a_damaged_or_newer_store_is_refused},
    {"access_that_the_system_denies_is_told", access_that_the_system_denies_is_told},
    {"a_store_without_room_goes_on_reading", a_store_without_room_goes_on_reading},
    {NULL, NULL},
};

/* Each error was the answer of some function during this run, but for those that none can give. */
void every_error_that_can_be_was_met(void) {
    static const revwatch_status never[] = {
        REVWATCH_ERROR_REWOUND,          /* comes as a response, REVWATCH_RESPONSE_REWOUND */
        REVWATCH_ERROR_STREAM_NOT_FOUND, /* REVWATCH_ERROR_CLOSED comes before it */
        REVWATCH_ERROR_SYNC_PENDING,     /* operations of C wait until the sync has ended */
        REVWATCH_ERROR_INTERNAL,         /* no defect is known; tested in ffi/src/status.rs */
    };
    for (size_t i = 0; i < CONSTANTS; i++) {
        bool expected = true;
        for (size_t j = 0; j < sizeof never / sizeof *never; j++) {
            expected = expected && never[j] != constants[i].status;
        }
        if (error_was_met(constants[i].status) != expected) {
            fail(__FILE__, __LINE__, "%s was %smet", constants[i].name, expected ? "not " : "");
        }
    }
}
