#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *text) {
    free(text->chars);
    memset(text, 0, sizeof *text);
}

void text_add(struct text *text, const char *format, ...) {
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        size_t room = text->capacity - text->len;
        char *end = text->chars ? text->chars + text->len : NULL;
        int len = vsnprintf(end, room, format, arguments);
        va_end(arguments);
        if (len < 0) abort();
        if ((size_t)len < room) {
            text->len += (size_t)len;
            return;
        }
        text->capacity = 2 * (text->len + (size_t)len) + 64;
        text->chars = realloc(text->chars, text->capacity);
        if (!text->chars) abort();
    }
}

void text_open(struct text *text) { text_add(text, "{"); }

void text_close(struct text *text) { text_add(text, "}"); }

void text_name(struct text *text, const char *name) {
    char last = text->chars[text->len - 1];
    text_add(text, "%s%s=", last == '{' ? "" : " ", name);
}

void text_number(struct text *text, const char *name, int64_t number) {
    if (number == 0) return;
    text_name(text, name);
    text_add(text, "%" PRId64, number);
}

static bool is_plain(uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\'' && byte != '\\';
}

void text_bytes(struct text *text, const uint8_t *data, size_t len) {
    bool plain = true;
    uint64_t fnv = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) {
        plain = plain && is_plain(data[i]);
        fnv = (fnv ^ data[i]) * UINT64_C(0x100000001b3);
    }
    if (len > 64) {
        text_add(text, "<%zu bytes %016" PRIx64 ">", len, fnv);
    } else if (plain) {
        text_add(text, "'%.*s'", (int)len, len ? (const char *)data : "");
    } else {
        text_add(text, "x");
        for (size_t i = 0; i < len; i++) text_add(text, "%02x", data[i]);
    }
}

void text_kv(struct text *text, const revwatch_key_value *kv) {
    text_open(text);
    if (kv->key_len) {
        text_name(text, "key");
        text_bytes(text, kv->key, kv->key_len);
    }
    if (kv->value_len) {
        text_name(text, "value");
        text_bytes(text, kv->value, kv->value_len);
    }
    text_number(text, "create_revision", kv->create_revision);
    text_number(text, "mod_revision", kv->mod_revision);
    text_number(text, "version", kv->version);
    text_number(text, "lease", kv->lease);
    text_close(text);
}

void text_kvs(struct text *text, const char *name, const revwatch_key_value *kvs, size_t len) {
    if (len == 0) return;
    text_name(text, name);
    for (size_t i = 0; i < len; i++) {
        text_add(text, i ? " " : "[");
        text_kv(text, &kvs[i]);
    }
    text_add(text, "]");
}

void text_event(struct text *text, const revwatch_event *event) {
    text_add(text, "%s{kv=", event->type == REVWATCH_EVENT_PUT ? "put" : "delete");
    text_kv(text, &event->kv);
    if (event->has_prev_kv) {
        text_name(text, "prev_kv");
        text_kv(text, &event->prev_kv);
    }
    text_close(text);
}

void text_events(struct text *text, const revwatch_event *events, size_t len) {
    if (len == 0) return;
    text_name(text, "events");
    for (size_t i = 0; i < len; i++) {
        text_add(text, i ? " " : "[");
        text_event(text, &events[i]);
    }
    text_add(text, "]");
}

void text_put(struct text *text, const revwatch_put_result *put) {
    text_open(text);
    text_number(text, "revision", put->revision);
    if (put->prev_kv) {
        text_name(text, "prev_kv");
        text_kv(text, put->prev_kv);
    }
    text_close(text);
}

void text_range(struct text *text, const revwatch_range_result *range) {
    text_open(text);
    text_number(text, "revision", range->revision);
    text_number(text, "count", range->count);
    text_number(text, "more", range->more);
    text_kvs(text, "kvs", range->kvs, range->kvs_len);
    text_close(text);
}

void text_delete_range(struct text *text, const revwatch_delete_range_result *deleted) {
    text_open(text);
    text_number(text, "revision", deleted->revision);
    text_number(text, "deleted", deleted->deleted);
    text_kvs(text, "prev_kvs", deleted->prev_kvs, deleted->prev_kvs_len);
    text_close(text);
}

static void text_op(struct text *text, const revwatch_op_result *op) {
    if (op->put) {
        text_add(text, "put");
        text_put(text, op->put);
    }
    if (op->range) {
        text_add(text, "range");
        text_range(text, op->range);
    }
    if (op->delete_range) {
        text_add(text, "delete_range");
        text_delete_range(text, op->delete_range);
    }
    if (op->txn) {
        text_add(text, "txn");
        text_txn(text, op->txn);
    }
}

void text_txn(struct text *text, const revwatch_txn_result *txn) {
    text_open(text);
    text_number(text, "revision", txn->revision);
    text_number(text, "succeeded", txn->succeeded);
    if (txn->responses_len) text_name(text, "responses");
    for (size_t i = 0; i < txn->responses_len; i++) {
        text_add(text, i ? " " : "[");
        text_op(text, &txn->responses[i]);
    }
    if (txn->responses_len) text_add(text, "]");
    text_close(text);
}

void text_watch_response(struct text *text, const revwatch_watch_response *response) {
    static const char *const names[] = {"?",        "created",   "events", "progress",
                                        "canceled", "compacted", "rewound"};
    text_add(text, "%s", names[response->type]);
    text_open(text);
    text_number(text, "watch_id", response->watch_id);
    text_number(text, "revision", response->revision);
    text_number(text, "compact_revision", response->compact_revision);
    text_number(text, "fragment", response->fragment);
    text_events(text, response->events, response->events_len);
    text_close(text);
}

void text_follow_response(struct text *text, const revwatch_follow_response *response) {
    static const char *const names[] = {"?", "state", "synced", "events", "reset"};
    text_add(text, "%s", names[response->type]);
    text_open(text);
    text_number(text, "revision", response->revision);
    text_kvs(text, "kvs", response->kvs, response->kvs_len);
    text_events(text, response->events, response->events_len);
    text_close(text);
}
