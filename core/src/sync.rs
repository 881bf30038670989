//! The lock: one that parks where there is an operating system, one that spins where there is none.

#[cfg(feature = "std")]
pub(crate) use parking::Lock;
#[cfg(not(feature = "std"))]
pub(crate) use spinning::Lock;

#[cfg(feature = "std")]
mod parking {
    use core::ops::DerefMut;
    use core::time::Duration;
    use std::sync::{Condvar, Mutex, PoisonError};

    /// A value behind a lock, and a bell that rings when the value may have changed.
    #[derive(Debug, Default)]
    pub(crate) struct Lock<T> {
        value: Mutex<T>,
        /// Counts rings, so that one that comes just before a wait is not missed.
        rings: Mutex<u64>,
        bell: Condvar,
    }

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                value: Mutex::new(value),
                rings: Mutex::new(0),
                bell: Condvar::new(),
            }
        }

        /// A thread that panicked while it held the lock leaves the value as its last complete
        /// operation made it, or poisoned by its own account: later ones go on.
        pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
            self.value.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn ring(&self) {
            *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.bell.notify_all();
        }

        /// How often the bell has rung.
        pub(crate) fn rings(&self) -> u64 {
            *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Waits until the bell has rung more than `seen` times; whether it has.
        pub(crate) fn wait(&self, seen: u64, timeout: Duration) -> bool {
            let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
            let (rings, _) = self
                .bell
                .wait_timeout_while(rings, timeout, |rings| *rings <= seen)
                .unwrap_or_else(PoisonError::into_inner);
            *rings > seen
        }
    }
}

#[cfg(not(feature = "std"))]
mod spinning {
    use core::ops::DerefMut;

    /// A value behind a lock.
    #[derive(Debug, Default)]
    pub(crate) struct Lock<T> {
        value: spin::Mutex<T>,
    }

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                value: spin::Mutex::new(value),
            }
        }

        pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
            self.value.lock()
        }

        /// There is nobody to wake without an operating system: pollers poll.
        #[expect(clippy::unused_self, reason = "the parking lock has a bell to ring")]
        pub(crate) fn ring(&self) {}
    }
}
