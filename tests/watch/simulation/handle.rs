//! A store as a process holds it: by itself, or shared, as threads hold it.
//!
//! What is shared syncs after it was applied, and may take out of sight what its early streams were
//! told; a store by itself syncs before anybody is told.

use revwatch::page::PageStore;
use revwatch::{
    CompactResponse, DeleteRangeRequest, DeleteRangeResponse, FollowId, FollowResponse, KeyRange,
    LeaseGrantResponse, LeaseRevokeResponse, PutRequest, PutResponse, Result, ResumeToken,
    SharedStore, Status, Step, Store, StreamId, StreamOptions, TxnRequest, TxnResponse,
    WatchRequest, WatchResponse, WatcherReport,
};

pub(super) enum Handle<P: PageStore> {
    Own(Box<Store<P>>),
    Shared(SharedStore<P>),
}

macro_rules! both {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        impl<P: PageStore> Handle<P> {
            $(
                pub(super) fn $name(&mut self, $($arg: $type),*) -> $result {
                    match self {
                        Self::Own(store) => store.$name($($arg),*),
                        Self::Shared(store) => store.$name($($arg),*),
                    }
                }
            )+
        }
    };
}

both! {
    cancel_watch(stream: StreamId, watch_id: i64) -> Result<()>;
    close() -> Result<()>;
    close_follow(follow: FollowId) -> ();
    close_stream(stream: StreamId) -> ();
    compact(revision: i64) -> Result<CompactResponse>;
    delete_range(request: &DeleteRangeRequest) -> Result<DeleteRangeResponse>;
    flush() -> Result<()>;
    follow_resume_token(follow: FollowId) -> Result<Option<ResumeToken>>;
    follow_with(range: KeyRange, resume: Option<ResumeToken>, options: StreamOptions) -> Result<FollowId>;
    has_follow_response(follow: FollowId) -> Result<bool>;
    has_response(stream: StreamId) -> Result<bool>;
    lease_grant(id: i64, ttl_ms: i64) -> Result<LeaseGrantResponse>;
    lease_revoke(id: i64) -> Result<LeaseRevokeResponse>;
    leases() -> Vec<i64>;
    poll(stream: StreamId, max_events: usize, max_bytes: usize) -> Result<WatchResponse>;
    poll_follow(follow: FollowId, max_events: usize, max_bytes: usize) -> Result<FollowResponse>;
    put_with(request: &PutRequest) -> Result<PutResponse>;
    request_progress(stream: StreamId) -> Result<bool>;
    revision() -> i64;
    status() -> Status;
    step(now_ms: i64, budget_bytes: usize) -> Result<Step>;
    txn(request: &TxnRequest) -> Result<TxnResponse>;
    watch(stream: StreamId, request: &WatchRequest) -> Result<i64>;
    watch_stream_with(options: StreamOptions) -> StreamId;
    watchers() -> Vec<WatcherReport>;
}
