//! Polling: as much as the caller wants in one call, after waiting for the first of it.

use revwatch_core::Error;

use crate::input::{Options, or_default};
use crate::notify::{self, Polled};
use crate::status::Failure;
use crate::store::{Shared, deadline};

/// How much one poll gives, and how long it waits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_poll_options {
    /// sizeof(revwatch_poll_options).
    pub struct_size: usize,
    /// Stop once there are so many events or keys; 0: 10000. A revision is never split, so one that
    /// is larger is given whole.
    pub max_events: usize,
    /// Stop once there are about so many bytes of keys and values; 0: 4 MiB.
    pub max_bytes: usize,
    /// Stop once there are so many responses; 0: no limit.
    pub max_responses: usize,
    /// How long to wait while there is nothing, in milliseconds; 0: not at all, negative: without
    /// end.
    pub timeout_ms: i64,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_poll_options {}

/// What a response takes of the limits of a poll.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Gathers responses of what is polled until `options` says that it is enough or `next` answers
/// none; waits while there is not even one. Empty: the time is over. Where `next` answers several at
/// once, there must be no limit of responses.
pub(crate) fn gather<R, I: IntoIterator<Item = (R, Size)>>(
    polled: &impl Polled,
    options: &revwatch_poll_options,
    next: impl Fn(&Shared, usize, usize) -> Result<I, Error>,
) -> Result<Vec<R>, Failure> {
    let deadline = deadline(options.timeout_ms);
    let store = polled.store();
    loop {
        polled.check_open()?;
        let seen = store.signal.count();
        let responses = store.read(|store| {
            let responses = take(store, options, &next)?;
            notify::settle(polled, store);
            Ok(responses)
        })?;
        if !responses.is_empty() {
            return Ok(responses);
        }
        notify::make_calls();
        if !store.sleep(seen, deadline) {
            return Ok(responses);
        }
    }
}

fn take<R, I: IntoIterator<Item = (R, Size)>>(
    store: &Shared,
    options: &revwatch_poll_options,
    next: impl Fn(&Shared, usize, usize) -> Result<I, Error>,
) -> Result<Vec<R>, Error> {
    let mut events = or_default(options.max_events, 10_000);
    let mut bytes = or_default(options.max_bytes, 4 << 20);
    let most = or_default(options.max_responses, usize::MAX);
    let mut responses = Vec::new();
    while responses.len() < most && events > 0 && bytes > 0 {
        let before = responses.len();
        match next(store, events, bytes) {
            Ok(more) => responses.extend(more.into_iter().map(|(response, size)| {
                events = events.saturating_sub(size.events);
                bytes = bytes.saturating_sub(size.bytes);
                response
            })),
            Err(error) if responses.is_empty() => return Err(error),
            // What was taken from the queue must reach the caller; the error is met again.
            Err(_) => break,
        }
        if responses.len() == before {
            break;
        }
    }
    Ok(responses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Notifier;
    use crate::store::{Clock, Pages, StoreObject};
    use revwatch_core::page::MemoryPages;
    use revwatch_core::{Durability, Options, SharedStore};
    use std::cell::Cell;
    use std::sync::Arc;
    use std::task::Waker;

    struct Probe(StoreObject, Arc<Notifier>);

    impl Polled for Probe {
        fn store(&self) -> &StoreObject {
            &self.0
        }
        fn notifier(&self) -> &Arc<Notifier> {
            &self.1
        }
        fn check_open(&self) -> Result<(), Failure> {
            Ok(())
        }
        fn has_response(&self, _: &Shared) -> Result<bool, Error> {
            Ok(false)
        }
        fn set_waker(&self, _: &Shared, _: &Waker) -> Result<(), Error> {
            Ok(())
        }
    }

    fn probe() -> Probe {
        let pages: Pages = Box::new(MemoryPages::new(4096));
        let store = SharedStore::open(pages, Options::default()).unwrap();
        let store = StoreObject::new(store, Clock::Manual, false, Durability::ETCD);
        Probe(store, Arc::default())
    }

    #[test]
    fn what_happens_just_after_looking_is_looked_at_again() {
        let probe = probe();
        let options = revwatch_poll_options {
            struct_size: 0,
            max_events: 0,
            max_bytes: 0,
            max_responses: 1,
            timeout_ms: 600_000,
        };
        let looked = Cell::new(0);
        let next = |_: &Shared, _, _| {
            looked.set(looked.get() + 1);
            if looked.get() == 1 {
                probe.0.signal.raise();
                return Ok(None);
            }
            Ok(Some((
                (),
                Size {
                    events: 1,
                    bytes: 1,
                },
            )))
        };
        // Were this slept through, the test would take ten minutes.
        assert_eq!(gather(&probe, &options, next).unwrap().len(), 1);
        assert_eq!(looked.get(), 2);
    }

    #[test]
    fn an_error_does_not_take_away_what_was_polled_before_it() {
        let probe = probe();
        let options = revwatch_poll_options {
            struct_size: 0,
            max_events: 0,
            max_bytes: 0,
            max_responses: 0,
            timeout_ms: 0,
        };
        let polled = Cell::new(0);
        let next = |_: &Shared, _, _| {
            polled.set(polled.get() + 1);
            if polled.get() < 3 {
                Ok(Some((
                    polled.get(),
                    Size {
                        events: 1,
                        bytes: 1,
                    },
                )))
            } else {
                Err(Error::StreamNotFound)
            }
        };
        assert_eq!(gather(&probe, &options, next).unwrap(), [1, 2]);
        assert!(gather(&probe, &options, next).is_err());
    }
}
