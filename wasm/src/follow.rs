//! Following: the state, then every change after it.

use revwatch::{FollowId, FollowResponse};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, answer};
use crate::record::{read_resume_token, write_kvs};
use crate::request::read_key_range;
use crate::store::RawStore;
use crate::watch::write_events;
use crate::wire::{Reader, Writer};

#[wasm_bindgen]
impl RawStore {
    /// A new follower.
    #[wasm_bindgen(js_name = openFollow)]
    pub fn open_follow(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let mut reader = Reader::new(request);
            let range = read_key_range(&mut reader)?;
            let resume = read_resume_token(&mut reader)?;
            let follow = self.store.follow(range, resume)?;
            writer.length(self.follows.insert(follow) as usize);
            Ok(())
        })
    }

    /// Ends a follower; nothing happens if it has ended before.
    #[wasm_bindgen(js_name = closeFollow)]
    pub fn close_follow(&mut self, follow: u32) {
        if let Some(id) = self.follows.remove(follow) {
            self.store.close_follow(id);
        }
    }

    /// The next response of a follower.
    #[wasm_bindgen(js_name = pollFollow)]
    pub fn poll_follow(&mut self, follow: u32, max_events: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let id = self.follow(follow)?;
            write_response(writer, &self.store.poll_follow(id, max_events, max_bytes)?);
            Ok(())
        })
    }
}

impl RawStore {
    fn follow(&self, handle: u32) -> Result<FollowId, Failure> {
        self.follows
            .get(handle)
            .ok_or_else(|| Failure::closed("follower"))
    }
}

fn write_response(writer: &mut Writer, response: &FollowResponse) {
    match response {
        FollowResponse::Idle => {
            writer.byte(0);
        }
        FollowResponse::State { kvs } => write_kvs(writer.byte(1), kvs),
        FollowResponse::Synced { revision } => {
            writer.byte(2).int(*revision);
        }
        FollowResponse::Events { revision, events } => {
            write_events(writer.byte(3).int(*revision), events);
        }
        FollowResponse::Reset { revision } => {
            writer.byte(4).int(*revision);
        }
    }
}
