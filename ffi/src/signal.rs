//! A counter that threads can sleep on.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts what happened. Who reads the counter before looking for something new, and then waits for
/// the counter to go beyond what was read, misses nothing.
#[derive(Default)]
pub(crate) struct Signal {
    count: AtomicU64,
    /// Threads that wait, or are about to: they count themselves before they look at `count`, and
    /// `raise` looks at this after it has counted, so that one of the two sees the other.
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    raised: Condvar,
}

impl Signal {
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Something happened. Costs neither a lock nor a system call while nobody sleeps.
    pub(crate) fn raise(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            // Whoever has looked at the count but does not sleep yet still holds the lock.
            drop(self.lock.lock());
            self.raised.notify_all();
        }
    }

    /// Returns when the count differs from `seen`, at the latest after `pause` (`None`: never).
    pub(crate) fn wait(&self, seen: u64, pause: Option<Duration>) {
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |(): &mut ()| self.count() == seen;
        if let Some(pause) = pause {
            drop(self.raised.wait_timeout_while(guard, pause, unchanged));
        } else {
            drop(self.raised.wait_while(guard, unchanged));
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_happened_between_looking_and_sleeping_is_not_slept_through() {
        let signal = Signal::default();
        let seen = signal.count();
        signal.raise();
        signal.wait(seen, None);
    }

    #[test]
    fn all_sleepers_wake() {
        let signal = Arc::new(Signal::default());
        let seen = signal.count();
        let sleepers: Vec<_> = (0..4)
            .map(|_| {
                let signal = Arc::clone(&signal);
                std::thread::spawn(move || signal.wait(seen, None))
            })
            .collect();
        signal.raise();
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
        assert_eq!(signal.sleepers.load(Ordering::SeqCst), 0);
    }
}
