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
