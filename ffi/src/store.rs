//! What a store handle stands for.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use revwatch_core::page::PageStore;
use revwatch_core::{Durability, Error, SharedStore, Step};

use crate::handle::Handle;
use crate::notify::Notifier;
use crate::open;
use crate::signal::Signal;
use crate::status::Failure;

/// A store: revisions, transactions, leases and watches over one file or memory.
pub struct revwatch_store(());

impl Handle for revwatch_store {
    type Object = StoreObject;
    const NAME: &'static str = "store";
}

/// File stores and memory stores are one type to C.
pub(crate) type Pages = Box<dyn PageStore + Send + Sync>;
pub(crate) type Shared = SharedStore<Pages>;

/// Bytes that background work may move inside one operation, so that none takes long because of
/// work that others left.
const STEP_BYTES: usize = 256 * 1024;

/// When background work that failed is tried again.
const RETRY_MS: i64 = 1000;

/// How often a read-only store looks for what another process wrote.
const REFRESH: Duration = Duration::from_millis(10);

/// Who says what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The system's monotonic clock.
    System,
    /// The program, by stepping.
    Manual,
}

/// A store that may be closed while streams, follows and other threads still hold it.
pub(crate) struct StoreObject {
    /// `None` once closed. Operations hold the lock for reading, so that closing waits for them and
    /// they never see half a store.
    state: RwLock<Option<Shared>>,
    /// Tells those who wait that there may be something new.
    pub(crate) signal: Arc<Signal>,
    pub(crate) clock: Clock,
    read_only: bool,
    /// What REVWATCH_DURABILITY_BATCH means for a single write.
    batch: Durability,
    /// When background work is due, as a step found that saw the signal's count at `due_as_of`:
    /// whatever happened since may have made some that is due sooner.
    due_ms: AtomicI64,
    due_as_of: AtomicU64,
    /// Who tells the program what there is to poll.
    notifiers: Mutex<Vec<Weak<Notifier>>>,
    /// No notifier has promised that nothing happens until later than this; 0 if none has promised.
    promised_ms: AtomicI64,
}

impl StoreObject {
    pub(crate) fn new(store: Shared, clock: Clock, read_only: bool, batch: Durability) -> Self {
        Self {
            state: RwLock::new(Some(store)),
            signal: Arc::default(),
            clock,
            read_only,
            batch,
            due_ms: AtomicI64::new(i64::MIN),
            due_as_of: AtomicU64::new(0),
            notifiers: Mutex::default(),
            promised_ms: AtomicI64::new(0),
        }
    }

    /// Does an operation that changes nothing.
    pub(crate) fn read<R>(
        &self,
        op: impl FnOnce(&Shared) -> Result<R, Error>,
    ) -> Result<R, Failure> {
        self.with(|store| {
            if let Some(now) = self.is_due() {
                let before = store.resume_token().revision;
                self.step_quietly(store, now);
                if store.resume_token().revision != before {
                    self.signal.raise();
                }
            }
            op(store)
        })
    }

    /// Does an operation that may change something, at the time that it is now.
    pub(crate) fn write<R>(
        &self,
        op: impl FnOnce(&Shared) -> Result<R, Error>,
    ) -> Result<R, Failure> {
        let done = self.with(|store| {
            if self.clock == Clock::System {
                self.step_quietly(store, now_ms());
            }
            let done = op(store);
            self.keep_promises(store);
            done
        });
        self.signal.raise();
        done
    }

    /// The same with a `REVWATCH_DURABILITY_*` for what is changed.
    pub(crate) fn write_at<R>(
        &self,
        durability: i32,
        op: impl FnOnce(&Shared) -> Result<R, Error>,
    ) -> Result<R, Failure> {
        match open::durability(durability, self.batch)? {
            None => self.write(op),
            Some(durability) => self.write(|store| op(&store.with_durability(durability))),
        }
    }

    fn with<R>(&self, op: impl FnOnce(&Shared) -> Result<R, Error>) -> Result<R, Failure> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let store = state.as_ref().ok_or_else(|| Failure::closed("store"))?;
        Ok(op(store)?)
    }

    /// The time, if background work is due now.
    fn is_due(&self) -> Option<i64> {
        let now = now_ms();
        let changed = self.due_as_of.load(Ordering::Acquire) != self.signal.count();
        // What another process writes is due whenever somebody looks.
        let due = self.read_only || changed || now >= self.due_ms.load(Ordering::Relaxed);
        (due && self.clock == Clock::System).then_some(now)
    }

    /// Background work that fails is told by the next write or flush; reading goes on.
    fn step_quietly(&self, store: &Shared, now: i64) {
        let as_of = self.signal.count();
        if self.step_store(store, now, STEP_BYTES).is_err() {
            self.note_due(as_of, now.saturating_add(RETRY_MS));
        }
    }

    fn step_store(&self, store: &Shared, now: i64, budget_bytes: usize) -> Result<Step, Error> {
        let as_of = self.signal.count();
        let step = store.step(now, budget_bytes)?;
        self.note_due(as_of, step.next_ms.unwrap_or(i64::MAX));
        Ok(step)
    }

    fn note_due(&self, as_of: u64, due_ms: i64) {
        self.due_ms.store(due_ms, Ordering::Relaxed);
        self.due_as_of.store(as_of, Ordering::Release);
    }

    /// One slice of background work, asked for by the program.
    pub(crate) fn step(&self, now: i64, budget_bytes: usize) -> Result<Step, Failure> {
        let budget_bytes = if budget_bytes == 0 {
            STEP_BYTES
        } else {
            budget_bytes
        };
        let step = self.with(|store| self.step_store(store, now, budget_bytes))?;
        self.signal.raise();
        Ok(step)
    }

    /// Rings this notifier when the store is closed, or when its promise cannot be kept.
    pub(crate) fn add_notifier(&self, notifier: &Arc<Notifier>) {
        let mut notifiers = self.lock_notifiers();
        if notifiers.len() == notifiers.capacity() {
            notifiers.retain(|notifier| notifier.strong_count() > 0);
        }
        notifiers.push(Arc::downgrade(notifier));
    }

    fn lock_notifiers(&self) -> MutexGuard<'_, Vec<Weak<Notifier>>> {
        self.notifiers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A notifier is about to promise something.
    pub(crate) fn note_promise(&self) {
        let _notifiers = self.lock_notifiers();
        self.promised_ms.store(i64::MAX, Ordering::SeqCst);
    }

    /// Background work may be due sooner than some were told who wait outside of the library.
    fn keep_promises(&self, store: &Shared) {
        if self.promised_ms.load(Ordering::SeqCst) == 0 {
            return;
        }
        let due_ms = store.next_step_ms().unwrap_or(i64::MAX);
        if due_ms >= self.promised_ms.load(Ordering::SeqCst) {
            return;
        }
        let notifiers = self.lock_notifiers();
        let notifiers_left = notifiers.iter().filter_map(Weak::upgrade);
        let promised_ms = notifiers_left.map(|notifier| notifier.keep_promise(due_ms));
        let latest_ms = promised_ms.max().unwrap_or(0);
        self.promised_ms.store(latest_ms, Ordering::SeqCst);
    }

    /// How long a program may leave the store alone if background work is due at `due_ms`, in
    /// milliseconds; -1 for ever. With a clock of its own: when.
    pub(crate) fn pause_until(&self, due_ms: i64) -> i64 {
        if self.clock == Clock::Manual {
            return if due_ms == i64::MAX { -1 } else { due_ms };
        }
        let now = now_ms();
        let refresh_ms = i64::try_from(REFRESH.as_millis()).unwrap_or(i64::MAX);
        let pause = match due_ms {
            i64::MAX if self.read_only => refresh_ms,
            i64::MAX => return -1,
            // What could not be done when it was due is tried again, but not in a busy loop.
            _ if due_ms <= now => {
                let retry_ms = self.due_ms.load(Ordering::Relaxed);
                retry_ms.saturating_sub(now).clamp(1, RETRY_MS)
            }
            _ => due_ms - now,
        };
        if self.read_only {
            pause.min(refresh_ms)
        } else {
            pause
        }
    }

    /// Sleeps until the signal has gone beyond `seen`, background work is due, or `deadline` (never,
    /// if `None`) has come. Answers whether the deadline is still to come.
    pub(crate) fn sleep(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let now = Instant::now();
        let mut pause = deadline.map(|deadline| deadline.saturating_duration_since(now));
        if pause == Some(Duration::ZERO) {
            return false;
        }
        if self.clock == Clock::System {
            let due = self.due_ms.load(Ordering::Relaxed);
            if due != i64::MAX {
                let until_due = u64::try_from(due.saturating_sub(now_ms()))
                    .unwrap_or(0)
                    .max(1);
                shorten(&mut pause, Duration::from_millis(until_due));
            }
            if self.read_only {
                shorten(&mut pause, REFRESH);
            }
        }
        self.signal.wait(seen, pause);
        true
    }

    /// Closes the store once the operations under way have returned. Closing twice is no error.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        let store = self
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.signal.raise();
        for notifier in self.lock_notifiers().drain(..) {
            if let Some(notifier) = notifier.upgrade() {
                notifier.ring();
            }
        }
        match store {
            Some(store) => Ok(store.close()?),
            None => Ok(()),
        }
    }
}

impl Drop for StoreObject {
    fn drop(&mut self) {
        // Only reached unclosed when a handle could not be made for it.
        let _ = self.close();
    }
}

fn shorten(pause: &mut Option<Duration>, limit: Duration) {
    *pause = Some(pause.map_or(limit, |pause| pause.min(limit)));
}

/// Milliseconds since this library was first asked, by a clock that never goes back.
pub(crate) fn now_ms() -> i64 {
    static START: OnceLock<Instant> = OnceLock::new();
    i64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// When a wait of `timeout_ms` ends: `None` for never, which negative timeouts mean.
pub(crate) fn deadline(timeout_ms: i64) -> Option<Instant> {
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).ok()?);
    Instant::now().checked_add(timeout)
}
