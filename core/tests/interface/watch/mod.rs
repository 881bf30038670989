//! What watchers, followers and the threads that share them are promised.

mod beside;
mod early;
mod etcd_bugs;
mod follow;
mod many;
mod promises;
mod requests;
mod shared;
mod tasks;
