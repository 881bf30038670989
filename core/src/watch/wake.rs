//! Waking whoever waits for a stream.

use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use super::history::History;
use super::hub::Hub;
use super::stream::StreamId;
use crate::error::Result;

impl Hub {
    /// Has `waker` woken once the stream may have something to say: at once, if it has now. It
    /// replaces the one before it.
    pub(crate) fn set_waker(
        &mut self,
        stream_id: StreamId,
        waker: &Waker,
        history: &impl History,
    ) -> Result<()> {
        let place = self.find(stream_id)?;
        self.learn_published(history.published());
        let stream = &mut self.streams[place as usize];
        if stream.has_response(history.published()) {
            self.woken.push(waker.clone());
        } else {
            stream.waker = Some(waker.clone());
        }
        Ok(())
    }

    /// Has `waker` woken once more is published than now.
    pub(crate) fn wake_when_published(&mut self, waker: &Waker) {
        let waits = |other: &Waker| other.will_wake(waker);
        if !self.await_publication.iter().any(waits) {
            self.await_publication.push(waker.clone());
        }
    }

    /// Has `waker` woken at once.
    pub(crate) fn wake_now(&mut self, waker: &Waker) {
        self.woken.push(waker.clone());
    }

    /// Takes those who are to be woken. Most often there are none.
    pub(crate) fn take_woken(&mut self, published: i64) -> Vec<Waker> {
        self.learn_published(published);
        mem::take(&mut self.woken)
    }
}
