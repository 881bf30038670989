/* Answers as text, in the form that vectors_to_c.py gives to expected ones: fields in a fixed order,
 * those with the value zero left out. */

#ifndef REVWATCH_TEXT_H
#define REVWATCH_TEXT_H

#include "revwatch.h"

/* A string that grows. Zeros are an empty one. */
struct text {
    char *chars;
    size_t len, capacity;
};

void text_free(struct text *text);
void text_add(struct text *text, const char *format, ...);
/* `{` ... `}` around fields, and a field that is a number. */
void text_open(struct text *text);
void text_close(struct text *text);
void text_number(struct text *text, const char *name, int64_t number);
/* The name of a field that is not left out. */
void text_name(struct text *text, const char *name);
void text_bytes(struct text *text, const uint8_t *data, size_t len);

void text_kv(struct text *text, const revwatch_key_value *kv);
void text_kvs(struct text *text, const char *name, const revwatch_key_value *kvs, size_t len);
void text_event(struct text *text, const revwatch_event *event);
void text_events(struct text *text, const revwatch_event *events, size_t len);
void text_put(struct text *text, const revwatch_put_result *put);
void text_range(struct text *text, const revwatch_range_result *range);
void text_delete_range(struct text *text, const revwatch_delete_range_result *deleted);
void text_txn(struct text *text, const revwatch_txn_result *txn);
void text_watch_response(struct text *text, const revwatch_watch_response *response);
void text_follow_response(struct text *text, const revwatch_follow_response *response);

#endif
