/* The vectors' transactions. */

#include "vectors_world.h"

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

revwatch_status run_txn(const struct arguments *args, struct text *answer) {
    revwatch_txn *txn = NULL;
    revwatch_txn_result *result = NULL;
    revwatch_status status = build_txn(args, &txn);
    if (status == REVWATCH_OK) status = revwatch_store_txn(world.store, txn, &result);
    if (status == REVWATCH_OK) text_txn(answer, result);
    revwatch_txn_result_free(result);
    revwatch_txn_free(txn);
    return status;
}
