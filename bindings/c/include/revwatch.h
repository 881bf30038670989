// revwatch: etcd's data model in a library. Every change has a revision; whoever watches sees every
// change once, in order, whole transactions at a time.
//
// This file is generated (`make header`). What holds for all of it:
//
// Status.    A function that can fail returns a revwatch_status: 0 (REVWATCH_OK), a positive outcome
//            that is not an error (REVWATCH_NOT_FOUND, REVWATCH_IDLE), or a negative
//            REVWATCH_ERROR_*. revwatch_last_error_message() then says, for this thread, what was
//            asked, what was wrong and what to do.
// Outputs.   They are written on success only (for REVWATCH_NOT_FOUND and REVWATCH_IDLE as well as
//            for errors they stay as they were). No parameter is read and written. An output that
//            "may be NULL" is then not written.
// Bytes in.  `const uint8_t *` with a `size_t` length, copied before the function returns. NULL is
//            allowed when the length is 0. Keys and values may hold any bytes, zeros too.
// Bytes out. They belong to the result that they were found in and live until that is freed. A
//            pointer with the length 0 is not to be read.
// Ranges.    etcd's convention: with an empty range_end, the one key; with the single byte 0, all
//            keys from `key` on; otherwise from `key` up to, but without, range_end. The key "\0"
//            with the range_end "\0" means all keys. Where options have `prefix`, setting it means
//            all keys that begin with `key` (all, if that is empty); range_end must then be empty.
// Options.   A structure whose first member, struct_size, is set to its sizeof: this keeps programs
//            working when members are added. In all other members zero means the default, so
//            `revwatch_range_options options = {.struct_size = sizeof options};` is a good
//            start. NULL in place of the structure means that all is default. A flag is set by any
//            value but 0.
// Handles.   The types without members, such as revwatch_store and revwatch_stream, are names of things
//            in the library, not addresses to look at. Only the functions that end in _free or _close consume one, and freeing NULL
//            does nothing. A handle that was closed, or never was one, is recognised: functions answer
//            REVWATCH_ERROR_CLOSED, _free does nothing.
//            When a store is closed, the streams, follows, cursors, changes, range streams, snapshots,
//            updates and checks made from it answer REVWATCH_ERROR_CLOSED and are still to be freed.
// Results.   Structures named *_result and *_responses are made by the library, read by you, and
//            freed once by the function of their name, which does nothing for NULL. Results inside
//            other results are freed with these. They stay valid when the store is closed.
// Threads.   Every handle may be used from several threads at a time, also while another thread
//            closes it. A result belongs to whoever received it. The last error is the thread's own.
//            After fork(), a store belongs to the parent: the child must not use its handles.
// Time.      A store does its background work (expiring leases, syncing batches, catching watchers
//            up) inside the calls made to it, by the system's monotonic clock. With the option
//            manual_clock, time is what revwatch_store_step() says.
// Waiting.   Whoever waits for a stream, a follow or a cursor polls it with a timeout, or is called
//            (revwatch_stream_set_callback()), or waits for a file descriptor together with others
//            (revwatch_stream_fd()), at most as long as revwatch_stream_next_poll_ms() says.
// Defects.   A panic inside the library is caught and answered with REVWATCH_ERROR_INTERNAL.

#ifndef REVWATCH_H
#define REVWATCH_H

#include <stddef.h>
#include <stdint.h>

// A key is empty; give at least one byte.
#define REVWATCH_ERROR_EMPTY_KEY -100

// The keys and values of a request together exceed the store's limit.
#define REVWATCH_ERROR_REQUEST_TOO_LARGE -101

// `ignore_value` or `ignore_lease` was asked for a key that does not exist.
#define REVWATCH_ERROR_KEY_NOT_FOUND -102

// A value was given together with `ignore_value`.
#define REVWATCH_ERROR_VALUE_PROVIDED -103

// A lease was given together with `ignore_lease`.
#define REVWATCH_ERROR_LEASE_PROVIDED -104

// A transaction would change the same key twice in one branch.
#define REVWATCH_ERROR_DUPLICATE_KEY -105

// A transaction has more comparisons or operations than the store's limit.
#define REVWATCH_ERROR_TOO_MANY_OPS -106

// A sort order or sort target is not one of those that exist.
#define REVWATCH_ERROR_INVALID_SORT_OPTION -107

// An option has a value that it cannot have.
#define REVWATCH_ERROR_INVALID_OPTION -108

// The revision asked for has not happened yet.
#define REVWATCH_ERROR_FUTURE_REVISION -200

// The revision asked for was compacted away.
#define REVWATCH_ERROR_COMPACTED -201

// The revision asked for was lost in a crash before it was durable.
#define REVWATCH_ERROR_REWOUND -202

// The bytes are not whole chunks of changes, or are damaged.
#define REVWATCH_ERROR_INVALID_CHANGES -210

// The store does not stand at the revision that the changes begin after.
#define REVWATCH_ERROR_CHANGES_OUT_OF_PLACE -211

// The store came to where the changes begin by another history.
#define REVWATCH_ERROR_CHANGES_DIVERGE -212

// The bytes are not a snapshot, are damaged, or not all of one.
#define REVWATCH_ERROR_INVALID_SNAPSHOT -220

// The store does not stand at the revision that the snapshot begins after.
#define REVWATCH_ERROR_SNAPSHOT_OUT_OF_PLACE -221

// What a snapshot had yet to read was reclaimed meanwhile.
#define REVWATCH_ERROR_SNAPSHOT_OVERTAKEN -222

// There is no lease with this id: never granted, revoked or expired.
#define REVWATCH_ERROR_LEASE_NOT_FOUND -300

// A lease with this id is there already.
#define REVWATCH_ERROR_LEASE_EXISTS -301

// The time-to-live exceeds the store's limit.
#define REVWATCH_ERROR_LEASE_TTL_TOO_LARGE -302

// The range to watch ends before it starts.
#define REVWATCH_ERROR_EMPTY_WATCH_RANGE -400

// The stream has a watcher with this id already.
#define REVWATCH_ERROR_DUPLICATE_WATCH_ID -401

// There is no such watch stream: never opened, or closed.
#define REVWATCH_ERROR_STREAM_NOT_FOUND -402

// There is no such cursor: never made, deleted, closed, or opened anew since.
#define REVWATCH_ERROR_CURSOR_NOT_FOUND -410

// A cursor of this name is there already, for another range.
#define REVWATCH_ERROR_CURSOR_EXISTS -411

// The store has as many cursors as its limit allows.
#define REVWATCH_ERROR_TOO_MANY_CURSORS -412

// The revision to acknowledge was not delivered yet.
#define REVWATCH_ERROR_ACK_NOT_DELIVERED -413

// A cursor with `hold` has yet to see what compaction would take.
#define REVWATCH_ERROR_HELD_BY_CURSOR -414

// The image is damaged; the message names the page.
#define REVWATCH_ERROR_CORRUPT -500

// The image was not written by revwatch.
#define REVWATCH_ERROR_NOT_A_STORE -501

// The image was written in a format that this version cannot read.
#define REVWATCH_ERROR_UNSUPPORTED_FORMAT -502

// An earlier write or sync failed; reading goes on, reopen the store to write again.
#define REVWATCH_ERROR_POISONED -503

// A sync that was begun is not finished yet; finish it, then try again.
#define REVWATCH_ERROR_SYNC_PENDING -504

// An import into this image was begun and is not complete.
#define REVWATCH_ERROR_IMPORT_INCOMPLETE -505

// The page store failed; the message carries its own error.
#define REVWATCH_ERROR_IO -600

// The page store cannot grow; deletes and compaction still work.
#define REVWATCH_ERROR_NO_SPACE -601

// Another process has the store open for writing.
#define REVWATCH_ERROR_LOCKED -602

// The store is open for reading only.
#define REVWATCH_ERROR_READ_ONLY -603

// There is no store at this path.
#define REVWATCH_ERROR_STORE_NOT_FOUND -604

// The system does not permit access to the store's file or folder.
#define REVWATCH_ERROR_PERMISSION_DENIED -605

// There is a store already where a new one is to be.
#define REVWATCH_ERROR_STORE_EXISTS -606

// A pointer that must not be NULL was NULL.
#define REVWATCH_ERROR_NULL_POINTER -700

// The handle was closed, or never was one.
#define REVWATCH_ERROR_CLOSED -701

// An argument has a length, encoding or value that the function cannot take.
#define REVWATCH_ERROR_INVALID_ARGUMENT -702

// A defect in revwatch itself; the store is left as the last committed operation made it.
#define REVWATCH_ERROR_INTERNAL -703


// Done; outputs are written.
#define REVWATCH_OK 0

// Nothing is wrong, but there is no such key, or no further one.
#define REVWATCH_NOT_FOUND 1

// Nothing is wrong, but there is nothing to report now.
#define REVWATCH_IDLE 2

// In a file and on pages of your own: REVWATCH_DURABILITY_COMMIT; in memory: REVWATCH_DURABILITY_NEVER.
#define REVWATCH_DURABILITY_DEFAULT 0

// Each write returns when it will survive a loss of power.
#define REVWATCH_DURABILITY_COMMIT 1

// Writes return at once and are made durable together, at most batch_ms later.
#define REVWATCH_DURABILITY_BATCH 2

// Writes are made durable by revwatch_store_flush() and revwatch_store_close() only.
#define REVWATCH_DURABILITY_NEVER 3

// The type of an event: the key was created or changed; `kv` is all of it.
#define REVWATCH_EVENT_PUT 0

// The type of an event: the key was deleted; `kv` has its key and mod_revision only.
#define REVWATCH_EVENT_DELETE 1

// Sort by key, or ascending if the target is not the key.
#define REVWATCH_SORT_NONE 0

// Smallest first.
#define REVWATCH_SORT_ASCEND 1

// Largest first.
#define REVWATCH_SORT_DESCEND 2

// Sort by the key, bytewise.
#define REVWATCH_SORT_BY_KEY 0

// Sort by version.
#define REVWATCH_SORT_BY_VERSION 1

// Sort by create_revision.
#define REVWATCH_SORT_BY_CREATE 2

// Sort by mod_revision.
#define REVWATCH_SORT_BY_MOD 3

// Sort by the value, bytewise.
#define REVWATCH_SORT_BY_VALUE 4

// The attribute is the same as the operand.
#define REVWATCH_COMPARE_EQUAL 0

// The attribute is greater than the operand.
#define REVWATCH_COMPARE_GREATER 1

// The attribute is less than the operand.
#define REVWATCH_COMPARE_LESS 2

// The attribute is another than the operand.
#define REVWATCH_COMPARE_NOT_EQUAL 3

// The type of a response: the watcher is there; `revision` is the store's.
#define REVWATCH_RESPONSE_CREATED 1

// The type of a response: events; `revision` is the store's when they were taken.
#define REVWATCH_RESPONSE_EVENTS 2

// The type of a response: no event up to `revision` is to come, for the watcher if it asked for
// progress_notify, or for all of the stream, with REVWATCH_PROGRESS_OF_STREAM, if it was requested.
#define REVWATCH_RESPONSE_PROGRESS 3

// The type of a response: the watcher ended because it was canceled.
#define REVWATCH_RESPONSE_CANCELED 4

// The type of a response: the watcher ended because compaction took revisions that it had not
// seen; `compact_revision` is the oldest to go on from.
#define REVWATCH_RESPONSE_COMPACTED 5

// The type of a response: the watcher ended because revisions that its reader saw were lost in a
// crash, or that it may have been told early with a failed sync; those up to `revision` were not.
#define REVWATCH_RESPONSE_REWOUND 6

// The watch_id of progress that was asked for with revwatch_stream_request_progress().
#define REVWATCH_PROGRESS_OF_STREAM -1

// The state of a watcher: it waits for the next change.
#define REVWATCH_WATCHER_SYNCED 1

// The state of a watcher: it is behind, and reads history when its stream is polled.
#define REVWATCH_WATCHER_UNSYNCED 2

// The state of a watcher: it holds what found no room in its stream's queue, and goes on when that is
// polled.
#define REVWATCH_WATCHER_VICTIM 3

// The type of a response: `events` happened, up to and including `revision`.
#define REVWATCH_CURSOR_EVENTS 1

// The type of a response: compaction took changes that the consumer had yet to see; those that are
// kept follow, from `revision` on. Who needs the state reads the range as of that revision first.
#define REVWATCH_CURSOR_COMPACTED 2

// The type of a response: a crash took what the consumer has seen after `revision`; what follows the
// last acknowledgement comes next.
#define REVWATCH_CURSOR_REWOUND 3

// The type of a response: `kvs` are part of the state, in key order.
#define REVWATCH_FOLLOW_STATE 1

// The type of a response: that was all of the state, as of `revision`.
#define REVWATCH_FOLLOW_SYNCED 2

// The type of a response: `events` came after, up to and including `revision`.
#define REVWATCH_FOLLOW_EVENTS 3

// The type of a response: forget the state, it comes again, because what happened until `revision`
// is no longer known one by one.
#define REVWATCH_FOLLOW_RESET 4

// A walk over the changes between two revisions of a store.
typedef struct revwatch_changes revwatch_changes;

// A check of a store that is under way.
typedef struct revwatch_check revwatch_check;

// An opening of a cursor of a store.
typedef struct revwatch_cursor revwatch_cursor;

// A follow of a range of a store.
typedef struct revwatch_follow revwatch_follow;

// A store that is being imported from a snapshot. Nothing counts before revwatch_import_finish().
typedef struct revwatch_import revwatch_import;

// A store that is being opened in steps. Its file is locked from the beginning on.
typedef struct revwatch_opening revwatch_opening;

// A walk over a range of a store.
typedef struct revwatch_range_stream revwatch_range_stream;

// A snapshot that is being taken. Until it is freed or read to its end, space of the store is not
// reclaimed, within snapshot_hold_bytes.
typedef struct revwatch_snapshot revwatch_snapshot;

// A snapshot of what happened since a revision, that is being applied to a copy which stands there.
typedef struct revwatch_snapshot_update revwatch_snapshot_update;

// A snapshot that is read through to see whether it is whole, and what it is of.
typedef struct revwatch_snapshot_verifier revwatch_snapshot_verifier;

// A store: revisions, transactions, leases and watches over one file or memory.
typedef struct revwatch_store revwatch_store;

// A watch stream of a store.
typedef struct revwatch_stream revwatch_stream;

// A transaction that is being put together: if all comparisons hold, then these operations, else
// those.
typedef struct revwatch_txn revwatch_txn;

// What a function answers: 0, a positive outcome, or a negative error.
typedef int32_t revwatch_status;

// How a store is opened.
typedef struct revwatch_open_options {
    // sizeof(revwatch_open_options).
    size_t struct_size;
    // Flag: only read and watch, also while another process writes. The file must exist.
    int32_t read_only;
    // A REVWATCH_DURABILITY_*.
    int32_t durability;
    // REVWATCH_DURABILITY_BATCH: the longest time until a write is durable, in milliseconds; 0: 100.
    int64_t batch_ms;
    // REVWATCH_DURABILITY_BATCH: the most writes that wait for it; 0: 10000.
    uint32_t batch_writes;
    // Flag: time passes only in revwatch_store_step().
    int32_t manual_clock;
    // How long to wait while somebody else has the file open for writing, in milliseconds; 0: 5000,
    // negative: not at all.
    int64_t lock_timeout_ms;
    // Bytes in a page of a store that is created: a power of two from 512 to 65536; 0: 4096 in a
    // file, 16384 in memory.
    size_t page_size;
    // Bytes of verified pages kept in memory; 0: the library's choice.
    size_t cache_bytes;
    // Keys and values of one request together, in bytes; 0: 1.5 MiB.
    size_t request_bytes;
    // Puts are refused once the pages in use hold so many bytes; 0: no limit.
    uint64_t quota_bytes;
    // Keep only the last so many revisions of history without being told to compact; 0: all.
    int64_t retain_revisions;
    // Keep only what is younger than so many milliseconds of history; 0: all.
    int64_t retain_ms;
    // Comparisons, and operations in each branch, of one transaction; 0: 128.
    size_t txn_ops;
    // Shorter times to live are raised to this, in milliseconds; 0: 2000.
    int64_t lease_min_ttl_ms;
    // Longer times to live are refused, in milliseconds; 0: 9000000000000.
    int64_t lease_max_ttl_ms;
    // Leases that one step may expire; 0: 500.
    size_t lease_expiries_per_step;
    // Responses that wait in one stream before its watchers read history instead; 0: 128.
    size_t stream_queue_responses;
    // Distinct revisions in one response to a watcher that catches up; 0: 1000.
    size_t catch_up_revisions;
    // Bytes of events that one stream may hold before its watchers read history instead; 0: 8 MiB.
    size_t stream_queue_bytes;
    // Bytes of events that all streams together may hold; 0: 64 MiB.
    size_t watch_queue_bytes;
    // Bytes of keys and values in one fragment of a revision, for watchers who asked for fragments;
    // 0: 2 MiB.
    size_t fragment_bytes;
    // Milliseconds without an event after which a watcher who asked for it is told its progress; 0:
    // 600000.
    int64_t progress_notify_ms;
    // Seed of the hash tables and of chosen lease ids; 0: random.
    uint64_t seed;
    // 16 bytes that tell a store that is created from all others; NULL: random.
    const uint8_t *store_id;
    // Durable cursors that there may be; 0: 1000.
    size_t cursors;
    // Bytes in a cursor's name; 0: 255.
    size_t cursor_name_bytes;
    // The newest revisions, so many, that cursors with a hold may keep from being compacted; 0:
    // 1000000.
    int64_t max_hold_revisions;
    // Bytes that may be written while a snapshot is being taken before what it has yet to read may be
    // reclaimed; 0: 1 GiB.
    uint64_t snapshot_hold_bytes;
} revwatch_open_options;

// Where a store keeps its bytes, if not in a file: pages of equal size, numbered from 0, in flash, in
// a file of your own, over a wire.
//
// What may be lost when the power goes: until `sync` returns, each page written since the last sync
// may be old, new or torn, independently of all others and in any order; afterwards it is what was
// last written. A change of length may be lost until then, and pages gained may hold anything.
// Nothing else is assumed.
//
// All functions but `release` answer 0, or REVWATCH_ERROR_NO_SPACE when there is no room, or any other
// number, which the message of the error then repeats. They are called by whichever thread uses
// the store: `write` and `set_len` by one at a time, `read` and `sync` also beside them. What `read`
// gives of a page that is being written may be any mixture of old and new. They must not call this library, which answers
// REVWATCH_ERROR_INVALID_ARGUMENT if they do, and must not throw. `context` is handed to each of them.
typedef struct revwatch_page_store {
    // sizeof(revwatch_page_store).
    size_t struct_size;
    // Yours.
    void *context;
    // Bytes in a page: a power of two from 512 to 65536.
    size_t page_size;
    // Tells how many pages there are.
    int32_t (*len)(void *context, uint32_t *pages);
    // Grows or shrinks to so many pages; when it refuses, the length is what it was.
    int32_t (*set_len)(void *context, uint32_t pages);
    // Fills `bytes` with the page.
    int32_t (*read)(void *context, uint32_t page, uint8_t *bytes);
    // Replaces the page.
    int32_t (*write)(void *context, uint32_t page, const uint8_t *bytes);
    // Returns when all that was written before will survive a loss of power.
    int32_t (*sync)(void *context);
    // Called once, when the library needs the pages no more: when the store is closed, or when it
    // could not be opened. May be NULL.
    void (*release)(void *context);
} revwatch_page_store;

// How a store stands.
typedef struct revwatch_status_result {
    // The newest revision; 1 for an empty store.
    int64_t revision;
    // The newest revision that watchers may see: durable as the store promises.
    int64_t published_revision;
    // History before this revision was compacted; -1 before any compaction.
    int64_t compact_revision;
    // Counts the openings after which revisions may have been lost.
    int64_t epoch;
    // Keys that exist.
    uint64_t keys;
    // Bytes that are needed for what is kept.
    uint64_t size_in_use;
    // Bytes of the file, or of memory.
    uint64_t size_allocated;
    // Leases that exist.
    uint64_t leases;
    // Watch streams that are open.
    uint64_t watch_streams;
    // Watchers in all streams.
    uint64_t watchers;
    // Those of them that are behind and read history.
    uint64_t unsynced_watchers;
    // Those of them that hold a batch because their stream is full.
    uint64_t victim_watchers;
    // 1 while something that was compacted waits to be reclaimed, otherwise 0.
    int32_t compacting;
    // 1 if opened for reading only, otherwise 0.
    int32_t read_only;
    // 1 if a write or sync failed, so that the store must be reopened to write again; otherwise 0.
    int32_t poisoned;
} revwatch_status_result;

// A point in history that stays meaningful after a crash, which may lose revisions and use their
// numbers again.
typedef struct revwatch_resume_token {
    // The epoch in which `revision` was seen.
    int64_t epoch;
    // The last revision that was seen; what follows it is still wanted.
    int64_t revision;
} revwatch_resume_token;

// How far something has come that takes long.
typedef struct revwatch_progress {
    // Bytes that are done.
    uint64_t done;
    // About how many there are; exactly as many as are done at the end.
    uint64_t total;
} revwatch_progress;

// A hash of what is kept, the same as that of an etcd with the same history.
typedef struct revwatch_hash_kv {
    // The store's current revision.
    int64_t revision;
    // Changes up to this revision were hashed.
    int64_t hash_revision;
    // History before this revision was compacted; -1 before any compaction.
    int64_t compact_revision;
    // The hash.
    uint32_t hash;
} revwatch_hash_kv;

// How a key is put.
typedef struct revwatch_put_options {
    // sizeof(revwatch_put_options).
    size_t struct_size;
    // The lease to attach the key to; 0 detaches it from any.
    int64_t lease;
    // Flag: answer with what the key was before.
    int32_t prev_kv;
    // Flag: keep the value that the key has. The key must exist, the value given must be empty.
    int32_t ignore_value;
    // Flag: keep the lease that the key has. The key must exist, the lease given must be 0.
    int32_t ignore_lease;
    // A REVWATCH_DURABILITY_* for this put; REVWATCH_DURABILITY_DEFAULT: the store's own, and in a
    // transaction nothing else.
    int32_t durability;
} revwatch_put_options;

// A key with its value and the revisions that made it.
typedef struct revwatch_key_value {
    // The key, never empty.
    const uint8_t *key;
    // Bytes in the key.
    size_t key_len;
    // The value; empty is a value too.
    const uint8_t *value;
    // Bytes in the value.
    size_t value_len;
    // The revision of the put that created the key (0 in the event of a delete).
    int64_t create_revision;
    // The revision of the change that this is the result of.
    int64_t mod_revision;
    // How many puts the key has seen since it was created (0 in the event of a delete).
    int64_t version;
    // The lease that the key is attached to, or 0.
    int64_t lease;
} revwatch_key_value;

// The answer to a put.
typedef struct revwatch_put_result {
    // The revision that the put made.
    int64_t revision;
    // What the key was before; NULL if that was not asked for or it did not exist.
    const struct revwatch_key_value *prev_kv;
    // 1 if the put, and all before it, is safe from a loss of power already, otherwise 0. To an
    // operation of a transaction always 0.
    int32_t durable;
} revwatch_put_result;

// One key that was found.
typedef struct revwatch_get_result {
    // The key with its value.
    struct revwatch_key_value kv;
} revwatch_get_result;

// How keys are asked for. Evaluated in this order: the revision bounds filter, then comes the sort,
// then the limit, and keys_only takes the values away last.
typedef struct revwatch_range_options {
    // sizeof(revwatch_range_options).
    size_t struct_size;
    // As of which revision; 0 or negative for the current one.
    int64_t revision;
    // At most so many; 0 or negative for all.
    int64_t limit;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
    // REVWATCH_SORT_NONE, REVWATCH_SORT_ASCEND or REVWATCH_SORT_DESCEND.
    int32_t sort_order;
    // A REVWATCH_SORT_BY_*.
    int32_t sort_target;
    // Flag: leave the values out.
    int32_t keys_only;
    // Flag: only count; the limit and the revision bounds do not matter then.
    int32_t count_only;
    // Leave out keys changed before this revision; 0 for no bound.
    int64_t min_mod_revision;
    // Leave out keys changed after this revision; 0 for no bound.
    int64_t max_mod_revision;
    // Leave out keys created before this revision; 0 for no bound.
    int64_t min_create_revision;
    // Leave out keys created after this revision; 0 for no bound.
    int64_t max_create_revision;
} revwatch_range_options;

// The answer to a range.
typedef struct revwatch_range_result {
    // The store's current revision, also when an older one was read.
    int64_t revision;
    // How many keys are in the range at that revision, whatever the limit and revision bounds.
    int64_t count;
    // 1 if the limit left some out, otherwise 0.
    int32_t more;
    // The keys, in the order asked for.
    const struct revwatch_key_value *kvs;
    // How many `kvs`.
    size_t kvs_len;
} revwatch_range_result;

// What a range stream walks over.
typedef struct revwatch_range_stream_options {
    // sizeof(revwatch_range_stream_options).
    size_t struct_size;
    // As of which revision; 0 or negative for the current one.
    int64_t revision;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
} revwatch_range_stream_options;

// How much one call gives; at least one key, even above both limits.
typedef struct revwatch_next_options {
    // sizeof(revwatch_next_options).
    size_t struct_size;
    // Stop once there are so many keys; 0: 1000.
    size_t max_keys;
    // Stop once there are so many bytes of keys and values; 0: 1 MiB.
    size_t max_bytes;
} revwatch_next_options;

// A part of a range, in key order.
typedef struct revwatch_kvs_result {
    // The keys.
    const struct revwatch_key_value *kvs;
    // How many `kvs`, at least 1.
    size_t kvs_len;
} revwatch_kvs_result;

// How keys are deleted.
typedef struct revwatch_delete_range_options {
    // sizeof(revwatch_delete_range_options).
    size_t struct_size;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
    // Flag: answer with what was deleted.
    int32_t prev_kv;
    // A REVWATCH_DURABILITY_* for this delete; REVWATCH_DURABILITY_DEFAULT: the store's own, and in a
    // transaction nothing else.
    int32_t durability;
} revwatch_delete_range_options;

// The answer to a delete.
typedef struct revwatch_delete_range_result {
    // The store's revision after the delete; one higher than before if it deleted something.
    int64_t revision;
    // How many keys were deleted.
    int64_t deleted;
    // What was deleted, in key order, if that was asked for.
    const struct revwatch_key_value *prev_kvs;
    // How many `prev_kvs`.
    size_t prev_kvs_len;
    // 1 if the delete, and all before it, is safe from a loss of power already, otherwise 0. To an
    // operation of a transaction always 0.
    int32_t durable;
} revwatch_delete_range_result;

// What of history is asked for.
typedef struct revwatch_history_options {
    // sizeof(revwatch_history_options).
    size_t struct_size;
    // The first revision; 0: the oldest that is kept.
    int64_t start_revision;
    // Stop at the end of the revision that reaches so many events; 0: 1000.
    size_t max_events;
    // Flag: events of all keys that begin with `key`.
    int32_t prefix;
} revwatch_history_options;

// One change of one key.
typedef struct revwatch_event {
    // REVWATCH_EVENT_PUT or REVWATCH_EVENT_DELETE.
    int32_t type;
    // 1 if prev_kv was asked for, the key existed and compaction has not taken it; otherwise 0,
    // and prev_kv is all zeros.
    int32_t has_prev_kv;
    // The key's state after the change.
    struct revwatch_key_value kv;
    // The key's state before the transaction.
    struct revwatch_key_value prev_kv;
} revwatch_event;

// Events in the order of their revisions.
typedef struct revwatch_history_result {
    // The start_revision to go on with; 0 if this reached the newest revision.
    int64_t next_revision;
    // The events, by revision and in the order of execution within one.
    const struct revwatch_event *events;
    // How many `events`.
    size_t events_len;
} revwatch_history_result;

// The answer to one operation of a transaction: exactly one of these is not NULL.
typedef struct revwatch_op_result {
    // To a put.
    const struct revwatch_put_result *put;
    // To a range.
    const struct revwatch_range_result *range;
    // To a delete.
    const struct revwatch_delete_range_result *delete_range;
    // To a nested transaction.
    const struct revwatch_txn_result *txn;
} revwatch_op_result;

// The answer to a transaction.
typedef struct revwatch_txn_result {
    // The store's revision after the transaction; 0 in the answer to a nested one.
    int64_t revision;
    // 1 if all comparisons held, otherwise 0.
    int32_t succeeded;
    // An answer for each operation of the branch that was taken.
    const struct revwatch_op_result *responses;
    // How many `responses`.
    size_t responses_len;
    // 1 if the transaction, and all before it, is safe from a loss of power already, otherwise 0; 0 in
    // the answer to a nested one.
    int32_t durable;
} revwatch_txn_result;

// Some bytes.
typedef struct revwatch_bytes {
    // Where they are.
    const uint8_t *data;
    // How many.
    size_t len;
} revwatch_bytes;

// How a lease stands.
typedef struct revwatch_lease_result {
    // The lease.
    int64_t id;
    // How long it lives without a keep-alive, in milliseconds.
    int64_t ttl_ms;
    // How long it lived when it was granted or last kept alive, in milliseconds.
    int64_t granted_ttl_ms;
    // The store's revision.
    int64_t revision;
    // The keys attached to it, in order, if they were asked for.
    const struct revwatch_bytes *keys;
    // How many `keys`.
    size_t keys_len;
} revwatch_lease_result;

// All leases.
typedef struct revwatch_leases_result {
    // Their ids, ascending.
    const int64_t *ids;
    // How many `ids`.
    size_t ids_len;
} revwatch_leases_result;

// What a watch stream is like.
typedef struct revwatch_stream_options {
    // sizeof(revwatch_stream_options).
    size_t struct_size;
    // Flag: tell of changes when they are applied, before they are durable, as revwatch_store_get() sees
    // them. A watcher that may have been told what a failed sync then takes back is told
    // REVWATCH_RESPONSE_REWOUND, as is one that comes back with the epoch and revision of what a crash
    // took. A poll that waits and a descriptor tell of it at once; a callback when the call has returned
    // that made the change. Without meaning in memory, with REVWATCH_DURABILITY_NEVER and in a store
    // opened read-only: there all are told at once.
    int32_t early;
} revwatch_stream_options;

// A range of keys, see Ranges.
typedef struct revwatch_key_range {
    // The first key; the empty one means the first there can be.
    const uint8_t *key;
    // Bytes in `key`.
    size_t key_len;
    // See Ranges.
    const uint8_t *range_end;
    // Bytes in `range_end`.
    size_t range_end_len;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
} revwatch_key_range;

// What a watcher wants.
typedef struct revwatch_watch_options {
    // sizeof(revwatch_watch_options).
    size_t struct_size;
    // The first revision; 0: the one after the current.
    int64_t start_revision;
    // The id of the watcher within its stream; 0: chosen.
    int64_t watch_id;
    // The epoch in which start_revision - 1 was seen, from a revwatch_resume_token; 0: not checked.
    int64_t epoch;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
    // Flag: give each event's prev_kv.
    int32_t prev_kv;
    // Flag: leave out the events of puts.
    int32_t no_put;
    // Flag: leave out the events of deletes.
    int32_t no_delete;
    // Flag: leave out values, also those that keys had before.
    int32_t keys_only;
    // Flag: a revision too large for the limits of a poll, or for the open option fragment_bytes, may
    // come in several responses, all but the last of which have `fragment`. Otherwise it comes whole.
    int32_t fragment;
    // Flag: tell REVWATCH_RESPONSE_PROGRESS when nothing else was told for the time that the open
    // option progress_notify_ms says.
    int32_t progress_notify;
    // Flag: when behind, only the newest state of each key. Revisions are then skipped, and those that
    // come may lack keys that have changed again since; the last event of each key always comes.
    int32_t conflate;
    // Ranges to be watched beside that of `key`, by the same watcher: a change of a key in several of
    // them comes once. NULL: none.
    const struct revwatch_key_range *ranges;
    // How many `ranges`.
    size_t ranges_len;
} revwatch_watch_options;

// How much one poll gives, and how long it waits.
typedef struct revwatch_poll_options {
    // sizeof(revwatch_poll_options).
    size_t struct_size;
    // Stop once there are so many events or keys; 0: 10000. A revision is never split, so one that
    // is larger is given whole.
    size_t max_events;
    // Stop once there are about so many bytes of keys and values; 0: 4 MiB.
    size_t max_bytes;
    // Stop once there are so many responses; 0: no limit.
    size_t max_responses;
    // How long to wait while there is nothing, in milliseconds; 0: not at all, negative: without
    // end.
    int64_t timeout_ms;
} revwatch_poll_options;

// What one watcher is told.
typedef struct revwatch_watch_response {
    // A REVWATCH_RESPONSE_*.
    int32_t type;
    // 1 if the watcher's next response goes on with the revision of the last event here, as only
    // those who asked for fragments are told; otherwise 0.
    int32_t fragment;
    // The watcher that is told.
    int64_t watch_id;
    // See the type; 0 where it says nothing.
    int64_t revision;
    // See the type; 0 where it says nothing.
    int64_t compact_revision;
    // Events by revision, and in the order of execution within one.
    const struct revwatch_event *events;
    // How many `events`.
    size_t events_len;
} revwatch_watch_response;

// What the watchers of a stream are told, in order.
typedef struct revwatch_watch_responses {
    // The responses.
    const struct revwatch_watch_response *responses;
    // How many `responses`, at least 1.
    size_t responses_len;
} revwatch_watch_responses;

// What is called when there is something to poll; see revwatch_stream_set_callback().
typedef void (*revwatch_callback)(void *context);

// One watcher at one moment.
typedef struct revwatch_watcher_report {
    // Its stream, see revwatch_stream_id(). Follows and open cursors have a stream of their own each,
    // with one watcher.
    uint64_t stream_id;
    // Its id there.
    int64_t watch_id;
    // A REVWATCH_WATCHER_*.
    int32_t state;
    // What it watches, sorted; `prefix` is 0, as all ranges are written with a range_end.
    const struct revwatch_key_range *ranges;
    // How many `ranges`.
    size_t ranges_len;
    // The first revision that it has been given nothing of yet.
    int64_t next_revision;
    // Responses with events that wait to be polled.
    uint64_t queued_responses;
    // Bytes of keys and values in those, and in what a victim holds.
    uint64_t queued_bytes;
    // Published revisions that it has not been given yet.
    int64_t lag;
} revwatch_watcher_report;

// All watchers of a store, by stream and id.
typedef struct revwatch_watchers_result {
    // The watchers.
    const struct revwatch_watcher_report *watchers;
    // How many `watchers`.
    size_t watchers_len;
} revwatch_watchers_result;

// What a cursor is to be.
typedef struct revwatch_cursor_options {
    // sizeof(revwatch_cursor_options).
    size_t struct_size;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
    // Flag: compaction is refused that would take what the cursor has yet to see. A cursor that is
    // there is changed to this.
    int32_t hold;
    // Where a cursor that is made begins: its first revision; 0: the next one. One that is there goes
    // on after what was acknowledged.
    int64_t start_revision;
    // Flag: events carry what the key was before.
    int32_t prev_kv;
    // The last that the consumer has seen by its own account; NULL: it has none. If a crash took
    // that, the first poll tells REVWATCH_CURSOR_REWOUND.
    const struct revwatch_resume_token *seen;
} revwatch_cursor_options;

// What a cursor's consumer is told.
typedef struct revwatch_cursor_response {
    // A REVWATCH_CURSOR_*.
    int32_t type;
    // See the type.
    int64_t revision;
    // See the type; none where it says nothing.
    const struct revwatch_event *events;
    // How many `events`.
    size_t events_len;
} revwatch_cursor_response;

// What a cursor's consumer is told, in order.
typedef struct revwatch_cursor_responses {
    // The responses.
    const struct revwatch_cursor_response *responses;
    // How many `responses`, at least 1.
    size_t responses_len;
} revwatch_cursor_responses;

// What there is to know about a cursor.
typedef struct revwatch_cursor_report {
    // Its name.
    const uint8_t *name;
    // Bytes in the name.
    size_t name_len;
    // Its range, see Ranges.
    const uint8_t *key;
    // Bytes in `key`.
    size_t key_len;
    // Its range, see Ranges.
    const uint8_t *range_end;
    // Bytes in `range_end`.
    size_t range_end_len;
    // Everything up to and including this revision was acknowledged.
    int64_t acked_revision;
    // How many revisions the store has come beyond that.
    int64_t lag_revisions;
    // 1 if it holds back compaction, otherwise 0.
    int32_t hold;
    // 1 if it is open in this store, otherwise 0.
    int32_t open;
} revwatch_cursor_report;

// All cursors of a store, in the order of their names.
typedef struct revwatch_cursors_result {
    // The cursors.
    const struct revwatch_cursor_report *cursors;
    // How many `cursors`.
    size_t cursors_len;
} revwatch_cursors_result;

// What a follow wants.
typedef struct revwatch_follow_options {
    // sizeof(revwatch_follow_options).
    size_t struct_size;
    // Flag: all keys that begin with `key`.
    int32_t prefix;
    // Go on after this point without the state; NULL: the state first.
    const struct revwatch_resume_token *resume;
    // Flag: tell the state and its changes before they are durable, as revwatch_stream_options has it;
    // REVWATCH_FOLLOW_RESET if a failed sync takes back what may have been told.
    int32_t early;
} revwatch_follow_options;

// What a follow is told.
typedef struct revwatch_follow_response {
    // A REVWATCH_FOLLOW_*.
    int32_t type;
    // See the type; 0 where it says nothing.
    int64_t revision;
    // See the type; none where it says nothing.
    const struct revwatch_key_value *kvs;
    // How many `kvs`.
    size_t kvs_len;
    // See the type; none where it says nothing.
    const struct revwatch_event *events;
    // How many `events`.
    size_t events_len;
} revwatch_follow_response;

// What a follow is told, in order.
typedef struct revwatch_follow_responses {
    // The responses.
    const struct revwatch_follow_response *responses;
    // How many `responses`, at least 1.
    size_t responses_len;
} revwatch_follow_responses;

// Events of whole revisions.
typedef struct revwatch_changes_result {
    // Everything up to and including this revision was handed out.
    int64_t revision;
    // The events, by revision and in the order of execution within one.
    const struct revwatch_event *events;
    // How many `events`, at least 1.
    size_t events_len;
} revwatch_changes_result;

// Changes as bytes, or a part of a snapshot.
typedef struct revwatch_chunk_result {
    // Everything up to and including this revision was handed out; for a snapshot, the revision that
    // it is of.
    int64_t revision;
    // The bytes.
    const uint8_t *data;
    // How many.
    size_t len;
} revwatch_chunk_result;

// What a snapshot is of.
typedef struct revwatch_snapshot_head {
    // The revision that a store must stand at to take it; 0 if it is a whole store.
    int64_t since;
    // The revision that the store stands at afterwards.
    int64_t revision;
    // History before this is not in it; -1 if none was compacted.
    int64_t compact_revision;
    // The epoch that its store was in.
    int64_t epoch;
    // About how many bytes of contents it has.
    uint64_t extent_bytes;
    // The id of its store.
    uint8_t store_id[16];
} revwatch_snapshot_head;

// Two revisions between which, without themselves, something is missing.
typedef struct revwatch_lost {
    // The last revision before.
    int64_t after;
    // The first revision behind.
    int64_t before;
} revwatch_lost;

// What repair saved of a damaged store, and what it could not.
typedef struct revwatch_repair_result {
    // The revision that the new store is at.
    int64_t revision;
    // The new store has no history before this; -1 if it has all.
    int64_t compact_revision;
    // Changes of keys that were saved.
    uint64_t saved_changes;
    // Pages of the damaged store.
    uint32_t pages;
    // Those of them that held a valid page of the log.
    uint32_t valid_pages;
    // 1 if changes after `revision` are missing, otherwise 0. How many is not known.
    int32_t lost_the_newest;
    // The pages that held something else: damage, or a write that was cut short.
    const uint32_t *damaged_pages;
    // How many `damaged_pages`.
    size_t damaged_pages_len;
    // Where changes are missing. Keys that were last changed there are missing too.
    const struct revwatch_lost *lost_between;
    // How many `lost_between`.
    size_t lost_between_len;
    // Keys that may have been changed or deleted in what was lost: they are as last known.
    const struct revwatch_bytes *uncertain_keys;
    // How many `uncertain_keys`.
    size_t uncertain_keys_len;
    // Keys of which a change was lost that is known to have been: they are as after it.
    const struct revwatch_bytes *affected_keys;
    // How many `affected_keys`.
    size_t affected_keys_len;
    // Leases that may have been revoked or renewed in what was lost.
    const int64_t *uncertain_leases;
    // How many `uncertain_leases`.
    size_t uncertain_leases_len;
} revwatch_repair_result;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What was asked, what was wrong and what to do: the last error of this thread as UTF-8, or "" if
// there was none. Meaningful after a negative status only. It lives until the next function of
// this library fails in this thread.
const char *revwatch_last_error_message(void);

// The revision that belongs to the last error of this thread: the compact revision for
// REVWATCH_ERROR_COMPACTED, the current one for REVWATCH_ERROR_FUTURE_REVISION, the end of the lost
// epoch for REVWATCH_ERROR_REWOUND, the last revision that can be compacted for
// REVWATCH_ERROR_HELD_BY_CURSOR, the last that was delivered for REVWATCH_ERROR_ACK_NOT_DELIVERED, the
// current one for REVWATCH_ERROR_CHANGES_OUT_OF_PLACE, and 0 for all others.
int64_t revwatch_last_error_revision(void);

// How many errors there are.
size_t revwatch_error_count(void);

// The status that stands for the error at `index`, from 0, in the order of their numbers; 0 if
// `index` is revwatch_error_count() or more.
revwatch_status revwatch_error_code(size_t index);

// The name of the error that a status stands for, such as "EmptyKey"; NULL if it stands for none.
// Lives as long as the program.
const char *revwatch_error_name(revwatch_status status);

// What the error that a status stands for means, in a sentence; NULL if it stands for none. Lives
// as long as the program.
const char *revwatch_error_meaning(revwatch_status status);

// The version of the library, such as "0.1.0". Lives as long as the program.
const char *revwatch_version(void);

// How many handles are open now: stores, streams, follows, range streams and transactions that were
// not freed. For tests that look for leaks.
size_t revwatch_handle_count(void);

// Opens the store in the file `path`, creates it if there is none, and gives its handle, to be
// closed with revwatch_store_close(). The path is a string ending in a zero byte, in UTF-8 where
// the system does not take any bytes. With NULL the store is in memory and ends when it is closed.
revwatch_status revwatch_store_open(const char *path,
                                    const struct revwatch_open_options *options,
                                    struct revwatch_store **store);

// Makes all writes durable, ends what was made from the store (see Handles), releases the file and
// consumes the handle, also if it answers an error: then some writes may not be durable.
// REVWATCH_OK for NULL.
revwatch_status revwatch_store_close(struct revwatch_store *store);

// revwatch_store_close() for those who cannot do anything about an error.
void revwatch_store_free(struct revwatch_store *store);

// Opens the store on `pages`, as revwatch_store_open() does that in a file, and creates it if there
// are no pages or only zeros. At most one program may have the pages open for writing: see to that
// yourself. The option page_size is 0 or that of the pages.
revwatch_status revwatch_store_open_pages(const struct revwatch_page_store *pages,
                                          const struct revwatch_open_options *options,
                                          struct revwatch_store **store);

// Asks how a store stands. The answer is to be freed with revwatch_status_result_free().
revwatch_status revwatch_store_status(struct revwatch_store *store,
                                      struct revwatch_status_result **result);

// Frees the answer about a store.
void revwatch_status_result_free(struct revwatch_status_result *result);

// Gives the token from which a follow, or with its numbers a watch, goes on after all that has
// happened until now.
revwatch_status revwatch_store_resume_token(struct revwatch_store *store,
                                            struct revwatch_resume_token *token);

// Begins a revwatch_store_check() in steps: others use the store between them, and what they write is
// checked too. To be freed with revwatch_check_free().
revwatch_status revwatch_check_new(struct revwatch_store *store,
                                   struct revwatch_check **check);

// Ends a check.
void revwatch_check_free(struct revwatch_check *check);

// Reads about `budget_bytes` more (0: 1 MiB). REVWATCH_OK once all was verified, REVWATCH_IDLE while
// there is more, REVWATCH_ERROR_CORRUPT if something is damaged. How far it has come goes to
// `progress`, which may be NULL: every byte of the log is read twice.
revwatch_status revwatch_check_step(struct revwatch_check *check,
                                    size_t budget_bytes,
                                    struct revwatch_progress *progress);

// Forgets history before `revision`: the newest state of each key as of it stays, and all after it.
// The store's current revision goes to `current`, which may be NULL.
revwatch_status revwatch_store_compact(struct revwatch_store *store,
                                       int64_t revision,
                                       int64_t *current);

// Hashes all that is kept up to `revision` (0: the current one). Reads the whole history.
revwatch_status revwatch_store_hash_kv(struct revwatch_store *store,
                                       int64_t revision,
                                       struct revwatch_hash_kv *hash);

// Verifies all that is stored; REVWATCH_ERROR_CORRUPT if something is damaged.
revwatch_status revwatch_store_check(struct revwatch_store *store);

// Makes all that was written until now durable, whatever the store's durability is.
revwatch_status revwatch_store_flush(struct revwatch_store *store);

// Does background work of about `budget_bytes` (0: the library's choice): expires leases, syncs
// batches, catches watchers up. A store with manual_clock takes `now_ms`, which does not go back,
// as the time; all others know the time and want -1. When the next step is due goes to `next_ms`,
// which may be NULL, by the same clock (without manual_clock: milliseconds from now);
// REVWATCH_IDLE if none is due until something else happens. Needed with manual_clock, and
// otherwise only by programs that do not call the store for long.
revwatch_status revwatch_store_step(struct revwatch_store *store,
                                    int64_t now_ms,
                                    size_t budget_bytes,
                                    int64_t *next_ms);

// Waits until the store has published a revision after `seen_revision`, at most `timeout_ms`
// milliseconds (negative: without end); REVWATCH_IDLE if it has not. The newest published revision
// goes to `revision`, which may be NULL: give it as seen_revision the next time, after polling, and
// nothing is missed. Background work is done meanwhile. Streams and follows can also wait by
// themselves, see revwatch_poll_options.
revwatch_status revwatch_store_wait(struct revwatch_store *store,
                                    int64_t seen_revision,
                                    int64_t timeout_ms,
                                    int64_t *revision);

// Begins to open a store as revwatch_store_open() does, for a program that wants to show how far that
// has come, or to do other things meanwhile. A store that was closed opens by its checkpoint, in one
// step; any other is read from its first page to its last. To be freed with revwatch_opening_free().
revwatch_status revwatch_opening_new(const char *path,
                                     const struct revwatch_open_options *options,
                                     struct revwatch_opening **opening);

// The same for a store on pages of your own, see revwatch_store_open_pages().
revwatch_status revwatch_opening_new_pages(const struct revwatch_page_store *pages,
                                           const struct revwatch_open_options *options,
                                           struct revwatch_opening **opening);

// Ends an opening. If it was not finished the file is released, and nothing was changed but what
// a later opening would change too.
void revwatch_opening_free(struct revwatch_opening *opening);

// Reads about `budget_bytes` more (0: 1 MiB). REVWATCH_OK once revwatch_opening_finish() has nothing
// left to do, REVWATCH_IDLE while there is more. How far it has come goes to `progress`, which may be
// NULL. Errors are those of revwatch_store_open(); the next step begins anew then.
revwatch_status revwatch_opening_step(struct revwatch_opening *opening,
                                      size_t budget_bytes,
                                      struct revwatch_progress *progress);

// Does what is left to do and gives the store's handle, to be closed with revwatch_store_close(). The
// opening is over, also after an error, and is still to be freed.
revwatch_status revwatch_opening_finish(struct revwatch_opening *opening,
                                        struct revwatch_store **store);

// Creates or changes a key and detaches it from any lease. The revision that this made goes to
// `revision`, which may be NULL.
revwatch_status revwatch_store_put(struct revwatch_store *store,
                                   const uint8_t *key,
                                   size_t key_len,
                                   const uint8_t *value,
                                   size_t value_len,
                                   int64_t *revision);

// Creates or changes a key. The answer goes to `result`, which may be NULL, and is to be freed with
// revwatch_put_result_free().
revwatch_status revwatch_store_put_with(struct revwatch_store *store,
                                        const uint8_t *key,
                                        size_t key_len,
                                        const uint8_t *value,
                                        size_t value_len,
                                        const struct revwatch_put_options *options,
                                        struct revwatch_put_result **result);

// Frees the answer to a put.
void revwatch_put_result_free(struct revwatch_put_result *result);

// Finds a key as it is now; REVWATCH_NOT_FOUND if there is none. The answer goes to `result`, which
// may be NULL, and is to be freed with revwatch_get_result_free().
revwatch_status revwatch_store_get(struct revwatch_store *store,
                                   const uint8_t *key,
                                   size_t key_len,
                                   struct revwatch_get_result **result);

// Frees a key that was found.
void revwatch_get_result_free(struct revwatch_get_result *result);

// Asks for the keys of a range (see Ranges). The answer goes to `result` and is to be freed with
// revwatch_range_result_free().
revwatch_status revwatch_store_range(struct revwatch_store *store,
                                     const uint8_t *key,
                                     size_t key_len,
                                     const uint8_t *range_end,
                                     size_t range_end_len,
                                     const struct revwatch_range_options *options,
                                     struct revwatch_range_result **result);

// Frees the answer to a range.
void revwatch_range_result_free(struct revwatch_range_result *result);

// Begins a walk over a range (see Ranges) as of one revision, whatever is written meanwhile; which one
// goes to `revision`, which may be NULL. The walk holds no more of the store than a key. To be freed
// with revwatch_range_stream_free().
revwatch_status revwatch_range_stream_new(struct revwatch_store *store,
                                          const uint8_t *key,
                                          size_t key_len,
                                          const uint8_t *range_end,
                                          size_t range_end_len,
                                          const struct revwatch_range_stream_options *options,
                                          struct revwatch_range_stream **stream,
                                          int64_t *revision);

// Gives the next keys of a walk; REVWATCH_NOT_FOUND at its end, and REVWATCH_ERROR_COMPACTED once
// compaction has overtaken its revision. The answer is to be freed with
// revwatch_kvs_result_free().
revwatch_status revwatch_range_stream_next(struct revwatch_range_stream *stream,
                                           const struct revwatch_next_options *options,
                                           struct revwatch_kvs_result **result);

// Frees a part of a range.
void revwatch_kvs_result_free(struct revwatch_kvs_result *result);

// Ends a walk.
void revwatch_range_stream_free(struct revwatch_range_stream *stream);

// Deletes the keys of a range (see Ranges), all at one revision. The answer goes to `result`, which
// may be NULL, and is to be freed with revwatch_delete_range_result_free().
revwatch_status revwatch_store_delete_range(struct revwatch_store *store,
                                            const uint8_t *key,
                                            size_t key_len,
                                            const uint8_t *range_end,
                                            size_t range_end_len,
                                            const struct revwatch_delete_range_options *options,
                                            struct revwatch_delete_range_result **result);

// Frees the answer to a delete.
void revwatch_delete_range_result_free(struct revwatch_delete_range_result *result);

// Asks for past events of a range (see Ranges), whole revisions at a time. The answer is to be freed
// with revwatch_history_result_free().
revwatch_status revwatch_store_history(struct revwatch_store *store,
                                       const uint8_t *key,
                                       size_t key_len,
                                       const uint8_t *range_end,
                                       size_t range_end_len,
                                       const struct revwatch_history_options *options,
                                       struct revwatch_history_result **result);

// Frees past events.
void revwatch_history_result_free(struct revwatch_history_result *result);

// Begins a transaction without comparisons and operations, to be freed with revwatch_txn_free().
// It belongs to no store until revwatch_store_txn(), which may be called for it any number of times.
revwatch_status revwatch_txn_new(struct revwatch_txn **txn);

// Gives a transaction a REVWATCH_DURABILITY_* of its own; REVWATCH_DURABILITY_DEFAULT: the store's.
// Without meaning for one that is nested in another.
revwatch_status revwatch_txn_set_durability(struct revwatch_txn *txn, int32_t durability);

// Frees a transaction.
void revwatch_txn_free(struct revwatch_txn *txn);

// Adds a put to what is done if the comparisons hold.
revwatch_status revwatch_txn_then_put(struct revwatch_txn *txn,
                                      const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *value,
                                      size_t value_len,
                                      const struct revwatch_put_options *options);

// Adds a range to what is done if the comparisons hold.
revwatch_status revwatch_txn_then_range(struct revwatch_txn *txn,
                                        const uint8_t *key,
                                        size_t key_len,
                                        const uint8_t *range_end,
                                        size_t range_end_len,
                                        const struct revwatch_range_options *options);

// Adds a delete to what is done if the comparisons hold.
revwatch_status revwatch_txn_then_delete_range(struct revwatch_txn *txn,
                                               const uint8_t *key,
                                               size_t key_len,
                                               const uint8_t *range_end,
                                               size_t range_end_len,
                                               const struct revwatch_delete_range_options *options);

// Adds a copy of `nested`, as it is now, to what is done if the comparisons hold.
revwatch_status revwatch_txn_then_txn(struct revwatch_txn *txn, const struct revwatch_txn *nested);

// Adds a put to what is done if the comparisons do not hold.
revwatch_status revwatch_txn_else_put(struct revwatch_txn *txn,
                                      const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *value,
                                      size_t value_len,
                                      const struct revwatch_put_options *options);

// Adds a range to what is done if the comparisons do not hold.
revwatch_status revwatch_txn_else_range(struct revwatch_txn *txn,
                                        const uint8_t *key,
                                        size_t key_len,
                                        const uint8_t *range_end,
                                        size_t range_end_len,
                                        const struct revwatch_range_options *options);

// Adds a delete to what is done if the comparisons do not hold.
revwatch_status revwatch_txn_else_delete_range(struct revwatch_txn *txn,
                                               const uint8_t *key,
                                               size_t key_len,
                                               const uint8_t *range_end,
                                               size_t range_end_len,
                                               const struct revwatch_delete_range_options *options);

// Adds a copy of `nested`, as it is now, to what is done if the comparisons do not hold.
revwatch_status revwatch_txn_else_txn(struct revwatch_txn *txn, const struct revwatch_txn *nested);

// Executes a transaction, atomically and at one revision. The answer goes to `result`, which may be
// NULL, and is to be freed with revwatch_txn_result_free().
revwatch_status revwatch_store_txn(struct revwatch_store *store,
                                   const struct revwatch_txn *txn,
                                   struct revwatch_txn_result **result);

// Adds the condition that the value of every key in the range relates to `operand` as `op`, a
// REVWATCH_COMPARE_*, says. It is false for a key that does not exist, whatever `op` is.
revwatch_status revwatch_txn_compare_value(struct revwatch_txn *txn,
                                           const uint8_t *key,
                                           size_t key_len,
                                           const uint8_t *range_end,
                                           size_t range_end_len,
                                           int32_t op,
                                           const uint8_t *operand,
                                           size_t operand_len);

// Adds the condition that the version of every key in the range relates to `operand` as `op`, a
// REVWATCH_COMPARE_*, says. A key that does not exist has version 0.
revwatch_status revwatch_txn_compare_version(struct revwatch_txn *txn,
                                             const uint8_t *key,
                                             size_t key_len,
                                             const uint8_t *range_end,
                                             size_t range_end_len,
                                             int32_t op,
                                             int64_t operand);

// The same for create_revision, which is 0 for a key that does not exist.
revwatch_status revwatch_txn_compare_create(struct revwatch_txn *txn,
                                            const uint8_t *key,
                                            size_t key_len,
                                            const uint8_t *range_end,
                                            size_t range_end_len,
                                            int32_t op,
                                            int64_t operand);

// The same for mod_revision, which is 0 for a key that does not exist.
revwatch_status revwatch_txn_compare_mod(struct revwatch_txn *txn,
                                         const uint8_t *key,
                                         size_t key_len,
                                         const uint8_t *range_end,
                                         size_t range_end_len,
                                         int32_t op,
                                         int64_t operand);

// The same for the lease, which is 0 for a key without one and for a key that does not exist.
revwatch_status revwatch_txn_compare_lease(struct revwatch_txn *txn,
                                           const uint8_t *key,
                                           size_t key_len,
                                           const uint8_t *range_end,
                                           size_t range_end_len,
                                           int32_t op,
                                           int64_t operand);

// Frees the answer to a transaction with all answers in it.
void revwatch_txn_result_free(struct revwatch_txn_result *result);

// Grants a lease of `ttl_ms` milliseconds, which may be raised to the store's minimum, under `id`,
// or under a free id if that is 0. The id and the time to live go to `granted_id` and
// `granted_ttl_ms`, the store's revision to `revision`; all three may be NULL.
revwatch_status revwatch_store_lease_grant(struct revwatch_store *store,
                                           int64_t id,
                                           int64_t ttl_ms,
                                           int64_t *granted_id,
                                           int64_t *granted_ttl_ms,
                                           int64_t *revision);

// Ends a lease and deletes the keys attached to it, at one revision. The store's revision then goes
// to `revision`, which may be NULL.
revwatch_status revwatch_store_lease_revoke(struct revwatch_store *store,
                                            int64_t id,
                                            int64_t *revision);

// Gives a lease its full time to live again. That goes to `ttl_ms`, the store's revision to
// `revision`; both may be NULL. REVWATCH_NOT_FOUND if there is no such lease, or no longer.
revwatch_status revwatch_store_lease_keep_alive(struct revwatch_store *store,
                                                int64_t id,
                                                int64_t *ttl_ms,
                                                int64_t *revision);

// Asks how a lease stands, with the keys attached to it if the flag `keys` is set.
// REVWATCH_NOT_FOUND if there is no such lease, or no longer. The answer is to be freed with
// revwatch_lease_result_free().
revwatch_status revwatch_store_lease_time_to_live(struct revwatch_store *store,
                                                  int64_t id,
                                                  int32_t keys,
                                                  struct revwatch_lease_result **result);

// Lists all leases. The answer is to be freed with revwatch_leases_result_free().
revwatch_status revwatch_store_leases(struct revwatch_store *store,
                                      struct revwatch_leases_result **result);

// Frees the answer about a lease.
void revwatch_lease_result_free(struct revwatch_lease_result *result);

// Frees the list of leases.
void revwatch_leases_result_free(struct revwatch_leases_result *result);

// Opens a watch stream on a store, to be freed with revwatch_stream_free().
revwatch_status revwatch_stream_new(struct revwatch_store *store,
                                    const struct revwatch_stream_options *options,
                                    struct revwatch_stream **stream);

// Closes a stream with all its watchers. Whoever polls it meanwhile is answered
// REVWATCH_ERROR_CLOSED.
void revwatch_stream_free(struct revwatch_stream *stream);

// Adds a watcher of a range (see Ranges; the empty key means the first one), and of those in the
// options, to a stream. Its id within the stream goes to `watch_id`, which may be NULL, and comes with
// each of its responses.
revwatch_status revwatch_stream_watch(struct revwatch_stream *stream,
                                      const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *range_end,
                                      size_t range_end_len,
                                      const struct revwatch_watch_options *options,
                                      int64_t *watch_id);

// Ends a watcher. What was queued for it may still come; the last is
// REVWATCH_RESPONSE_CANCELED. An unknown id is no error and has no response.
revwatch_status revwatch_stream_cancel(struct revwatch_stream *stream, int64_t watch_id);

// Asks to be told how far a stream is: once all that is queued now was polled, it tells
// REVWATCH_RESPONSE_PROGRESS with REVWATCH_PROGRESS_OF_STREAM. REVWATCH_IDLE, and nothing is told,
// while one of its watchers is behind or waits for a start in the future: poll, and ask again.
revwatch_status revwatch_stream_request_progress(struct revwatch_stream *stream);

// Gives the number that revwatch_watcher_report has for this stream; no other stream of the store has
// the same at any time.
revwatch_status revwatch_stream_id(struct revwatch_stream *stream,
                                   uint64_t *stream_id);

// Takes what there is for the watchers of a stream, after waiting for it if the options say so;
// REVWATCH_IDLE if there is nothing. The answer is to be freed with
// revwatch_watch_responses_free().
revwatch_status revwatch_stream_poll(struct revwatch_stream *stream,
                                     const struct revwatch_poll_options *options,
                                     struct revwatch_watch_responses **responses);

// Has `callback` called with `context` when the stream has something to say: from now on, at once if
// it has something now, and after each poll anew, at once if that left something. So a program that
// polls once for each call misses nothing. It is also called when the store is closed, and when
// something happens sooner than revwatch_stream_next_poll_ms() said; a poll may then find nothing.
// After a poll that fails it is not called until the next one. NULL in place of the callback ends this.
//
// The call is made by the thread whose call of the library gave cause, after the library has let go
// of all its locks and before that call returns; never by two threads at a time for one stream. It
// may call every function of the library, also to poll or free this stream, but must not wait, for
// the thread has other things to do, and must return. What it gives cause for, such as a call for
// another stream, comes after it has returned.
//
// When this function or revwatch_stream_free() has returned, the callback of before is not running
// and is not called any more, so that its context may be freed: they wait for it to return, and must
// not be called with a lock held that it needs. Within a callback they do not wait.
revwatch_status revwatch_stream_set_callback(struct revwatch_stream *stream,
                                             revwatch_callback callback,
                                             void *context);

// Gives a file descriptor that is readable while the stream has something to say, for poll(),
// select(), epoll and what builds on them. Where there are none (Windows), REVWATCH_ERROR_INVALID_ARGUMENT.
//
// It is level-triggered: readable from when there is something until a poll has taken all. It may be
// readable when there is nothing to say, among others for the reasons that the callback has, and when
// the stream or the store is closed; a poll that answers REVWATCH_IDLE then makes it unreadable. Wait
// at most as long as revwatch_stream_next_poll_ms() says, since nothing happens in a store that nobody calls.
//
// Each call gives the same one. It belongs to the stream and is closed with it: take it out of what
// waits for it before. Do not read from it. It takes two of the process's descriptors.
revwatch_status revwatch_stream_fd(struct revwatch_stream *stream,
                                   int32_t *fd);

// Gives the milliseconds after which to poll again if neither the descriptor nor the callback says so
// before: 0 for now, -1 for never. These can be given to poll() as they are. A lease may expire then, a
// batch become durable, progress be due, or another process have written. With manual_clock: the time
// to step to and poll, by that clock, where 0 also means now.
revwatch_status revwatch_stream_next_poll_ms(struct revwatch_stream *stream,
                                             int64_t *next_ms);

// Frees responses with their events.
void revwatch_watch_responses_free(struct revwatch_watch_responses *responses);

// Reports on all watchers, those of follows and cursors too. Costs by the watchers and by what is
// queued for them. The answer is to be freed with revwatch_watchers_result_free().
revwatch_status revwatch_store_watchers(struct revwatch_store *store,
                                        struct revwatch_watchers_result **result);

// Frees the report of watchers.
void revwatch_watchers_result_free(struct revwatch_watchers_result *result);

// Opens the cursor of a name (any bytes, at least one) on a range (see Ranges), and makes it if
// there is none. Delivery begins after what was acknowledged. Who had the cursor open before no
// longer has: its calls answer REVWATCH_ERROR_CURSOR_NOT_FOUND. To be freed with
// revwatch_cursor_free().
revwatch_status revwatch_cursor_open(struct revwatch_store *store,
                                     const uint8_t *name,
                                     size_t name_len,
                                     const uint8_t *key,
                                     size_t key_len,
                                     const uint8_t *range_end,
                                     size_t range_end_len,
                                     const struct revwatch_cursor_options *options,
                                     struct revwatch_cursor **cursor);

// Ends an opening; the cursor stays in the store, with what it holds. Who polls it meanwhile is
// answered REVWATCH_ERROR_CLOSED.
void revwatch_cursor_free(struct revwatch_cursor *cursor);

// Takes what there is for a cursor, after waiting for it if the options say so; REVWATCH_IDLE if
// there is nothing. The answer is to be freed with revwatch_cursor_responses_free().
revwatch_status revwatch_cursor_poll(struct revwatch_cursor *cursor,
                                     const struct revwatch_poll_options *options,
                                     struct revwatch_cursor_responses **responses);

// Frees responses with their events.
void revwatch_cursor_responses_free(struct revwatch_cursor_responses *responses);

// Gives the revision up to which everything was told, and can be acknowledged, also where nothing
// in it was for this cursor.
revwatch_status revwatch_cursor_revision(struct revwatch_cursor *cursor, int64_t *revision);

// Takes note that everything up to `revision` was dealt with: the next opening goes on after it.
// Waits for no sync; the acknowledgement is durable with the next write that is, with a flush or a
// close, or about a tenth of a second later, and a crash before means that what it covered comes
// again. REVWATCH_ERROR_ACK_NOT_DELIVERED if so much was not told yet.
revwatch_status revwatch_cursor_ack(struct revwatch_cursor *cursor, int64_t revision);

// Moves a cursor, forward or back: it goes on with `start_revision`, or for 0 with the next one.
revwatch_status revwatch_cursor_seek(struct revwatch_cursor *cursor, int64_t start_revision);

// Has `callback` called when the cursor has something to say; see revwatch_stream_set_callback().
revwatch_status revwatch_cursor_set_callback(struct revwatch_cursor *cursor,
                                             revwatch_callback callback,
                                             void *context);

// Gives a file descriptor that is readable while the cursor has something to say; see
// revwatch_stream_fd().
revwatch_status revwatch_cursor_fd(struct revwatch_cursor *cursor, int32_t *fd);

// Gives the milliseconds after which to poll again; see revwatch_stream_next_poll_ms().
revwatch_status revwatch_cursor_next_poll_ms(struct revwatch_cursor *cursor, int64_t *next_ms);

// Lists all cursors. The answer is to be freed with revwatch_cursors_result_free().
revwatch_status revwatch_store_cursors(struct revwatch_store *store,
                                       struct revwatch_cursors_result **result);

// Frees the list of cursors.
void revwatch_cursors_result_free(struct revwatch_cursors_result *result);

// Deletes the cursor of a name, open or not; REVWATCH_ERROR_CURSOR_NOT_FOUND if there is none.
revwatch_status revwatch_store_delete_cursor(struct revwatch_store *store,
                                             const uint8_t *name,
                                             size_t name_len);

// Follows a range (see Ranges) of a store: its state at one revision, then every change after that.
// To be freed with revwatch_follow_free().
revwatch_status revwatch_follow_new(struct revwatch_store *store,
                                    const uint8_t *key,
                                    size_t key_len,
                                    const uint8_t *range_end,
                                    size_t range_end_len,
                                    const struct revwatch_follow_options *options,
                                    struct revwatch_follow **follow);

// Ends a follow. Whoever polls it meanwhile is answered REVWATCH_ERROR_CLOSED.
void revwatch_follow_free(struct revwatch_follow *follow);

// Takes what there is for a follow, after waiting for it if the options say so; REVWATCH_IDLE if
// there is nothing. The answer is to be freed with revwatch_follow_responses_free().
revwatch_status revwatch_follow_poll(struct revwatch_follow *follow,
                                     const struct revwatch_poll_options *options,
                                     struct revwatch_follow_responses **responses);

// Gives the token from which another follow goes on after all that this one was told, also after a
// crash: record it together with what was done. REVWATCH_NOT_FOUND until all of the state was told,
// as only the whole of it can be gone on from.
revwatch_status revwatch_follow_resume_token(struct revwatch_follow *follow,
                                             struct revwatch_resume_token *token);

// Frees responses with their keys and events.
void revwatch_follow_responses_free(struct revwatch_follow_responses *responses);

// Has `callback` called when the follow has something to say; see revwatch_stream_set_callback().
revwatch_status revwatch_follow_set_callback(struct revwatch_follow *follow,
                                             revwatch_callback callback,
                                             void *context);

// Gives a file descriptor that is readable while the follow has something to say; see
// revwatch_stream_fd().
revwatch_status revwatch_follow_fd(struct revwatch_follow *follow, int32_t *fd);

// Gives the milliseconds after which to poll again; see revwatch_stream_next_poll_ms().
revwatch_status revwatch_follow_next_poll_ms(struct revwatch_follow *follow, int64_t *next_ms);

// Begins a walk over every change after revision `from` up to and including `to` (0: the newest
// that is published), of all keys. REVWATCH_ERROR_COMPACTED if they are not all kept. To be freed
// with revwatch_changes_free().
revwatch_status revwatch_changes_new(struct revwatch_store *store,
                                     int64_t from,
                                     int64_t to,
                                     struct revwatch_changes **changes);

// Ends a walk.
void revwatch_changes_free(struct revwatch_changes *changes);

// Takes the next events: whole revisions, no further one once there are `max_events` (0: 10000) or
// `max_bytes` of keys and values (0: 4 MiB). REVWATCH_IDLE at the end. The answer is to be freed with
// revwatch_changes_result_free().
revwatch_status revwatch_changes_next(struct revwatch_changes *changes,
                                      size_t max_events,
                                      size_t max_bytes,
                                      struct revwatch_changes_result **result);

// Takes the next changes as bytes, for revwatch_store_apply_changes(): whole revisions, no further
// one once there are `max_bytes` (0: 4 MiB). REVWATCH_IDLE at the end. What the bytes are stands in
// FORMAT.md; they may be put one behind the other. The answer is to be freed with
// revwatch_chunk_result_free().
revwatch_status revwatch_changes_next_chunk(struct revwatch_changes *changes,
                                            size_t max_bytes,
                                            struct revwatch_chunk_result **chunk);

// Applies changes as bytes: the store then has the same revisions, keys and hash as the one that
// they are from, if it had the same before. Each transaction is applied whole or not at all, and
// nothing is if the bytes are damaged or cut short. The store's revision then goes to `revision`,
// which may be NULL.
revwatch_status revwatch_store_apply_changes(struct revwatch_store *store,
                                             const uint8_t *data,
                                             size_t len,
                                             int64_t *revision);

// Frees events.
void revwatch_changes_result_free(struct revwatch_changes_result *result);

// Frees changes as bytes.
void revwatch_chunk_result_free(struct revwatch_chunk_result *chunk);

// Begins an import to the file `path`, where there is no store, or an import that was cut off; with
// NULL to memory. REVWATCH_ERROR_STORE_EXISTS if there is one. The options are those that the store
// is opened with then. To be freed with revwatch_import_free().
revwatch_status revwatch_import_new(const char *path,
                                    const struct revwatch_open_options *options,
                                    struct revwatch_import **import);

// Begins an import to pages of your own that are blank, or hold an import that was cut off; see
// revwatch_store_open_pages().
revwatch_status revwatch_import_new_pages(const struct revwatch_page_store *pages,
                                          const struct revwatch_open_options *options,
                                          struct revwatch_import **import);

// Ends an import. If it was not finished there is no store.
void revwatch_import_free(struct revwatch_import *import);

// Takes in the next bytes of a snapshot of a whole store, wherever they were cut. REVWATCH_OK once
// its last chunk was taken in, REVWATCH_IDLE while more is to come.
// REVWATCH_ERROR_INVALID_SNAPSHOT if they are damaged or do not follow; nothing more is taken then.
revwatch_status revwatch_import_feed(struct revwatch_import *import,
                                     const uint8_t *data,
                                     size_t len);

// Says what the snapshot is of and how far its import has come; REVWATCH_IDLE, and no head, before
// its first chunk was taken in. Either output may be NULL.
revwatch_status revwatch_import_status(struct revwatch_import *import,
                                       struct revwatch_snapshot_head *head,
                                       struct revwatch_progress *progress);

// Makes what was imported durable, then a store, and opens it: its handle is to be closed with
// revwatch_store_close(). REVWATCH_ERROR_INVALID_SNAPSHOT if something of the snapshot is missing.
// The import is over, also after an error, and is still to be freed.
revwatch_status revwatch_import_finish(struct revwatch_import *import,
                                       struct revwatch_store **store);

// Saves what can be saved of the damaged store in the file `path` into a new store in the file
// `to_path`, where there is none. The damaged one is only read. The options are those of both files:
// page_size is needed if the first page of the damaged one is, and it had another than 4096. The
// report is to be freed with revwatch_repair_result_free().
revwatch_status revwatch_repair(const char *path,
                                const char *to_path,
                                const struct revwatch_open_options *options,
                                struct revwatch_repair_result **result);

// Frees a report.
void revwatch_repair_result_free(struct revwatch_repair_result *result);

// Begins a snapshot of a store: of all of it with `since` 0, otherwise of what happened after that
// revision; REVWATCH_ERROR_COMPACTED if that is not all kept. Writing goes on meanwhile, and is not
// in it. To be freed with revwatch_snapshot_free().
revwatch_status revwatch_snapshot_new(struct revwatch_store *store,
                                      int64_t since,
                                      struct revwatch_snapshot **snapshot);

// Lets go of a snapshot.
void revwatch_snapshot_free(struct revwatch_snapshot *snapshot);

// Takes the next bytes of a snapshot, at most `max_bytes` (0: 1 MiB; 512 at least). REVWATCH_IDLE at
// the end. What the bytes are stands in FORMAT.md; put one behind the other they are a snapshot's
// file. REVWATCH_ERROR_SNAPSHOT_OVERTAKEN if what it had yet to read was reclaimed. The answer is to
// be freed with revwatch_chunk_result_free().
revwatch_status revwatch_snapshot_next_chunk(struct revwatch_snapshot *snapshot,
                                             size_t max_bytes,
                                             struct revwatch_chunk_result **chunk);

// Says what a snapshot is of, and how far it has come. Either output may be NULL.
revwatch_status revwatch_snapshot_status(struct revwatch_snapshot *snapshot,
                                         struct revwatch_snapshot_head *head,
                                         struct revwatch_progress *progress);

// Begins to verify a snapshot. To be freed with revwatch_snapshot_verifier_free().
revwatch_status revwatch_snapshot_verifier_new(struct revwatch_snapshot_verifier **verifier);

// Frees a verifier.
void revwatch_snapshot_verifier_free(struct revwatch_snapshot_verifier *verifier);

// Takes in the next bytes, wherever they were cut. REVWATCH_OK once the snapshot is whole,
// REVWATCH_IDLE while more is to come; REVWATCH_ERROR_INVALID_SNAPSHOT if they are damaged or do not
// follow.
revwatch_status revwatch_snapshot_verifier_feed(struct revwatch_snapshot_verifier *verifier,
                                                const uint8_t *data,
                                                size_t len);

// Says what the snapshot is of and how many changes of keys have arrived; REVWATCH_IDLE, and nothing,
// before its first chunk was taken in. Either output may be NULL.
revwatch_status revwatch_snapshot_verifier_status(struct revwatch_snapshot_verifier *verifier,
                                                  struct revwatch_snapshot_head *head,
                                                  uint64_t *changes);

// Begins to apply a snapshot to a store. A lease that runs out there deletes its keys there, and then
// the store is no copy any more: one that is open for long between two snapshots wants manual_clock.
// To be freed with revwatch_snapshot_update_free().
revwatch_status revwatch_snapshot_update_new(struct revwatch_store *store,
                                             struct revwatch_snapshot_update **update);

// Ends an update. What was applied stays.
void revwatch_snapshot_update_free(struct revwatch_snapshot_update *update);

// Takes in the next bytes of the snapshot, wherever they were cut, and applies the transactions that
// are whole with them. REVWATCH_OK once all is applied, REVWATCH_IDLE while more is to come.
// REVWATCH_ERROR_SNAPSHOT_OUT_OF_PLACE if the store does not stand where it begins; what was applied
// before an error stays, in whole transactions.
revwatch_status revwatch_snapshot_update_feed(struct revwatch_snapshot_update *update,
                                              const uint8_t *data,
                                              size_t len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* REVWATCH_H */
