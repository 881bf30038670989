/* Transactions and what they answer. */

#include "test.h"

/* If `key` does not exist, then put it, else read it. */
static revwatch_txn *take(const char *key, const char *value) {
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_txn_compare_version(txn, S(key), NONE, REVWATCH_COMPARE_EQUAL, 0));
    CHECK_OK(revwatch_txn_then_put(txn, S(key), S(value), NULL));
    CHECK_OK(revwatch_txn_else_range(txn, S(key), NONE, NULL));
    return txn;
}

static void a_transaction_takes_one_branch_and_may_be_executed_again(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = take("lock", "me");
    revwatch_txn_result *result = NULL;
    CHECK_OK(revwatch_store_txn(store, txn, &result));
    REQUIRE(result);
    CHECK_INT(result->succeeded, 1);
    CHECK_INT(result->revision, 2);
    CHECK_INT((int64_t)result->responses_len, 1);
    CHECK(result->responses[0].put && result->responses[0].put->revision == 2);
    CHECK(!result->responses[0].range && !result->responses[0].txn);
    revwatch_txn_result_free(result);

    CHECK_OK(revwatch_store_txn(store, txn, &result));
    CHECK_INT(result->succeeded, 0);
    CHECK_INT(result->revision, 2);
    const revwatch_range_result *range = result->responses[0].range;
    REQUIRE(range && range->kvs_len == 1);
    CHECK_BYTES(range->kvs[0].value, range->kvs[0].value_len, "me");
    /* The answer outlives the store and the transaction. */
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_store_close(store));
    CHECK_BYTES(range->kvs[0].key, range->kvs[0].key_len, "lock");
    revwatch_txn_result_free(result);
}

static void comparisons_read_each_attribute(void) {
    revwatch_store *store = open_memory();
    CHECK_OK(revwatch_store_lease_grant(store, 7, 60000, NULL, NULL, NULL));
    put(store, "k", "old");
    revwatch_put_options options = {.struct_size = sizeof options, .lease = 7};
    CHECK_OK(revwatch_store_put_with(store, S("k"), S("v"), &options, NULL));
    for (int wrong = -1; wrong < 5; wrong++) {
        revwatch_txn *txn = NULL;
        revwatch_txn_result *result = NULL;
        CHECK_OK(revwatch_txn_new(&txn));
        CHECK_OK(revwatch_txn_compare_value(txn, S("k"), NONE, REVWATCH_COMPARE_EQUAL,
                                            S(wrong == 0 ? "x" : "v")));
        CHECK_OK(revwatch_txn_compare_version(txn, S("k"), NONE, REVWATCH_COMPARE_GREATER,
                                              wrong == 1 ? 2 : 1));
        CHECK_OK(revwatch_txn_compare_create(txn, S("k"), NONE, REVWATCH_COMPARE_LESS,
                                             wrong == 2 ? 2 : 3));
        CHECK_OK(revwatch_txn_compare_mod(txn, S("k"), NONE, REVWATCH_COMPARE_EQUAL,
                                          wrong == 3 ? 4 : 3));
        CHECK_OK(revwatch_txn_compare_lease(txn, S("k"), NONE, REVWATCH_COMPARE_NOT_EQUAL,
                                            wrong == 4 ? 7 : 0));
        CHECK_OK(revwatch_store_txn(store, txn, &result));
        CHECK_INT(result ? result->succeeded : -1, wrong == -1);
        revwatch_txn_result_free(result);
        revwatch_txn_free(txn);
    }
    CHECK_OK(revwatch_store_close(store));
}

static void a_nested_transaction_is_a_copy(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *outer = NULL;
    revwatch_txn *inner = take("a", "1");
    CHECK_OK(revwatch_txn_new(&outer));
    CHECK_OK(revwatch_txn_then_txn(outer, inner));
    /* Neither a change nor the end of what was copied matters. */
    CHECK_OK(revwatch_txn_then_put(inner, S("late"), S("x"), NULL));
    revwatch_txn_free(inner);
    revwatch_delete_range_options deletes = {.struct_size = sizeof deletes, .prev_kv = 1};
    CHECK_OK(revwatch_txn_then_delete_range(outer, S("b"), NONE, &deletes));
    put(store, "b", "2");
    revwatch_txn_result *result = NULL;
    CHECK_OK(revwatch_store_txn(store, outer, &result));
    REQUIRE(result && result->responses_len == 2);
    const revwatch_txn_result *nested = result->responses[0].txn;
    REQUIRE(nested);
    CHECK(nested->succeeded == 1 && nested->revision == 0 && nested->responses_len == 1);
    CHECK(nested->responses[0].put && nested->responses[0].put->revision == 3);
    const revwatch_delete_range_result *deleted = result->responses[1].delete_range;
    REQUIRE(deleted && deleted->prev_kvs_len == 1);
    CHECK_BYTES(deleted->prev_kvs[0].value, deleted->prev_kvs[0].value_len, "2");
    CHECK_INT(result->revision, 3);
    CHECK(strcmp(value_of(store, "late"), "(none)") == 0);
    revwatch_txn_result_free(result);
    revwatch_txn_free(outer);
    CHECK_OK(revwatch_store_close(store));
}

static void a_transaction_nested_in_itself_is_what_it_was(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_txn_then_range(txn, S("k"), NONE, NULL));
    CHECK_OK(revwatch_txn_then_txn(txn, txn));
    CHECK_OK(revwatch_txn_else_txn(txn, txn));
    revwatch_txn_result *result = NULL;
    CHECK_OK(revwatch_store_txn(store, txn, &result));
    REQUIRE(result && result->responses_len == 2);
    CHECK(result->responses[1].txn && result->responses[1].txn->responses_len == 1);
    revwatch_txn_result_free(result);
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_store_close(store));
}

static void a_transaction_that_fails_changes_nothing(void) {
    revwatch_store *store = open_memory();
    revwatch_txn *txn = NULL;
    CHECK_OK(revwatch_txn_new(&txn));
    CHECK_OK(revwatch_txn_then_put(txn, S("a"), S("1"), NULL));
    revwatch_put_options keep = {.struct_size = sizeof keep, .ignore_value = 1};
    CHECK_OK(revwatch_txn_then_put(txn, S("none"), NONE, &keep));
    revwatch_txn_result *result = NULL;
    CHECK_ERROR(revwatch_store_txn(store, txn, &result), REVWATCH_ERROR_KEY_NOT_FOUND);
    CHECK(!result);
    CHECK(strcmp(value_of(store, "a"), "(none)") == 0);
    CHECK_INT(put(store, "a", "2"), 2);
    revwatch_txn_free(txn);
    CHECK_OK(revwatch_store_close(store));
}

const struct test txn_tests[] = {
    {"a_transaction_takes_one_branch_and_may_be_executed_again",
     a_transaction_takes_one_branch_and_may_be_executed_again},
    {"comparisons_read_each_attribute", comparisons_read_each_attribute},
    {"a_nested_transaction_is_a_copy", a_nested_transaction_is_a_copy},
    {"a_transaction_nested_in_itself_is_what_it_was",
     a_transaction_nested_in_itself_is_what_it_was},
    {"a_transaction_that_fails_changes_nothing", a_transaction_that_fails_changes_nothing},
    {NULL, NULL},
};
