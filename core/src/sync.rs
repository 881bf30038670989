//! The lock and the bell: they park where there is an operating system, and spin where there is none.

#[cfg(feature = "std")]
pub(crate) use parking::{Bell, Lock};
#[cfg(not(feature = "std"))]
pub(crate) use spinning::{Bell, Lock};

#[cfg(feature = "std")]
mod parking {
    use core::ops::{Deref, DerefMut};
    use core::time::Duration;
    use std::sync::PoisonError;
    use std::time::Instant;

    #[cfg(all(loom, test))]
    use loom::sync::{Condvar, Mutex, MutexGuard, RwLock};
    #[cfg(not(all(loom, test)))]
    use std::sync::{Condvar, Mutex, MutexGuard, RwLock};

    /// A value that one thread may change, or many read.
    ///
    /// A thread that panicked while it held the lock leaves the value as its last complete operation
    /// made it, or poisoned by its own account: later ones go on.
    #[derive(Debug)]
    pub(crate) struct Lock<T>(RwLock<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(RwLock::new(value))
        }

        pub(crate) fn read(&self) -> impl Deref<Target = T> {
            self.0.read().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> impl DerefMut<Target = T> {
            self.0.write().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// Wakes those who wait for something. Who takes the count of rings before looking, and then waits
    /// for the next, misses nothing.
    #[derive(Debug)]
    pub(crate) struct Bell {
        state: Mutex<State>,
        rung: Condvar,
    }

    #[derive(Debug, Default)]
    struct State {
        /// Counts rings, so that one that comes just before a wait is not missed.
        rings: u64,
        /// Who waits. Waking nobody would cost a system call all the same.
        sleepers: usize,
    }

    impl Bell {
        pub(crate) fn new() -> Self {
            Self {
                state: Mutex::new(State::default()),
                rung: Condvar::new(),
            }
        }

        pub(crate) fn ring(&self) {
            let mut state = self.state();
            state.rings += 1;
            if state.sleepers > 0 {
                self.rung.notify_all();
            }
        }

        /// How often the bell has rung.
        pub(crate) fn rings(&self) -> u64 {
            self.state().rings
        }

        /// Waits until the bell has rung more than `seen` times.
        pub(crate) fn wait(&self, seen: u64) {
            let mut state = self.state();
            state.sleepers += 1;
            while state.rings <= seen {
                state = self
                    .rung
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.sleepers -= 1;
        }

        /// The same, but no longer than `timeout`.
        pub(crate) fn wait_at_most(&self, seen: u64, timeout: Duration) {
            let Some(deadline) = Instant::now().checked_add(timeout) else {
                return self.wait(seen);
            };
            let mut state = self.state();
            state.sleepers += 1;
            while state.rings <= seen {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                (state, _) = self
                    .rung
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.sleepers -= 1;
        }

        fn state(&self) -> MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(not(feature = "std"))]
mod spinning {
    use core::hint;
    use core::ops::{Deref, DerefMut};
    use core::sync::atomic::{AtomicUsize, Ordering};

    /// A value that one thread may change, or many read.
    #[derive(Debug)]
    pub(crate) struct Lock<T>(spin::RwLock<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(spin::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> impl Deref<Target = T> {
            self.0.read()
        }

        pub(crate) fn write(&self) -> impl DerefMut<Target = T> {
            self.0.write()
        }
    }

    /// Tells those who wait for something. There is nobody who could wake them, so they look on.
    #[derive(Debug)]
    pub(crate) struct Bell(AtomicUsize);

    impl Bell {
        pub(crate) fn new() -> Self {
            Self(AtomicUsize::new(0))
        }

        pub(crate) fn ring(&self) {
            self.0.fetch_add(1, Ordering::Release);
        }

        /// How often the bell has rung.
        pub(crate) fn rings(&self) -> usize {
            self.0.load(Ordering::Acquire)
        }

        /// Waits until the bell has rung again since it had `seen` times.
        pub(crate) fn wait(&self, seen: usize) {
            while self.rings() == seen {
                hint::spin_loop();
            }
        }
    }
}
