//! The lock: one that parks where there is an operating system, one that spins where there is none.

#[cfg(feature = "std")]
pub(crate) use parking::Lock;
#[cfg(not(feature = "std"))]
pub(crate) use spinning::Lock;

#[cfg(feature = "std")]
mod parking {
    use core::ops::DerefMut;
    use core::time::Duration;
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    /// A value behind a lock, and a bell that rings when the value may have changed.
    #[derive(Debug, Default)]
    pub(crate) struct Lock<T> {
        value: Mutex<T>,
        bell: Mutex<Bell>,
        rung: Condvar,
    }

    #[derive(Debug, Default)]
    struct Bell {
        /// Counts rings, so that one that comes just before a wait is not missed.
        rings: u64,
        /// Who waits. Waking nobody would cost a system call all the same.
        sleepers: usize,
    }

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                value: Mutex::new(value),
                bell: Mutex::default(),
                rung: Condvar::new(),
            }
        }

        /// A thread that panicked while it held the lock leaves the value as its last complete
        /// operation made it, or poisoned by its own account: later ones go on.
        pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
            self.value.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn ring(&self) {
            let mut bell = self.bell();
            bell.rings += 1;
            if bell.sleepers > 0 {
                self.rung.notify_all();
            }
        }

        /// How often the bell has rung.
        pub(crate) fn rings(&self) -> u64 {
            self.bell().rings
        }

        /// Waits until the bell has rung more than `seen` times; whether it has.
        pub(crate) fn wait(&self, seen: u64, timeout: Duration) -> bool {
            let mut bell = self.bell();
            bell.sleepers += 1;
            let (mut bell, _) = self
                .rung
                .wait_timeout_while(bell, timeout, |bell| bell.rings <= seen)
                .unwrap_or_else(PoisonError::into_inner);
            bell.sleepers -= 1;
            bell.rings > seen
        }

        fn bell(&self) -> MutexGuard<'_, Bell> {
            self.bell.lock().unwrap_or_else(PoisonError::into_inner)
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
