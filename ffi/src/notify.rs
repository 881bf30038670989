//! Telling a program that there is something to poll, without its waiting in a poll.
//!
//! What is polled has one [`Notifier`], which the core wakes as it would wake a task. It shows itself
//! by a mark on a file descriptor, which is level-triggered, and by a call. Each poll that takes all
//! there is removes the mark and has the core wake the notifier again, in that order, so that what
//! comes between the two is marked again and nothing is lost:
//!
//! ```text
//!   armed ── the core wakes ──► rung (marked, called once) ── a poll leaves something ──► rung again
//!     ▲                            │
//!     └────── a poll takes all ────┘
//! ```
//!
//! Calls are made on the thread whose call of the library gave cause, once that holds no lock of the
//! library: until then they wait in [`CALLS`].

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use revwatch_core::Error;

use crate::handle::{self, Handle};
use crate::mark::Mark;
use crate::signal::Signal;
use crate::status::Failure;
use crate::store::{Shared, StoreObject};

/// What is called when there is something to poll; see revwatch_stream_set_callback().
pub type revwatch_callback = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// Something that responses come from.
pub(crate) trait Polled: Send + Sync {
    fn store(&self) -> &StoreObject;
    fn notifier(&self) -> &Arc<Notifier>;
    /// Refuses what was freed.
    fn check_open(&self) -> Result<(), Failure>;
    fn has_response(&self, store: &Shared) -> Result<bool, Error>;
    fn set_waker(&self, store: &Shared, waker: &Waker) -> Result<(), Error>;
}

/// What the program gave to be called.
#[derive(Clone, Copy)]
struct Callback {
    call: unsafe extern "C" fn(*mut c_void),
    context: *mut c_void,
}

// SAFETY: the library never looks at what the context points to, and the program was told that the
// call comes on any thread.
unsafe impl Send for Callback {}

/// Tells a program that one stream, follow or cursor has something to say.
#[derive(Default)]
pub(crate) struct Notifier {
    /// Whether there was a descriptor or a callback ever: most are polled without.
    wanted: AtomicBool,
    /// Until when the program was told that it need not poll, by the store's clock; 0 if it was told
    /// nothing, or was told otherwise since.
    promised_ms: AtomicI64,
    state: Mutex<State>,
    /// A call has ended.
    ended: Condvar,
    /// Wakes those who sleep in a poll, if they are to be told before the call returns that gave cause.
    signal: Option<Arc<Signal>>,
}

#[derive(Default)]
struct State {
    callback: Option<Callback>,
    /// A thread is in the callback.
    calling: bool,
    /// There was cause for another call meanwhile.
    again: bool,
    mark: Option<Mark>,
}

thread_local! {
    /// Who is to be called by this thread.
    static CALLS: RefCell<VecDeque<Arc<Notifier>>> = const { RefCell::new(VecDeque::new()) };
    /// Functions of the library that this thread is in, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Whether this thread is in a callback.
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

impl Wake for Notifier {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

impl Notifier {
    /// For what is told early: a change is to wake those who sleep in a poll while its own call still
    /// waits for a sync.
    pub(crate) fn waking(signal: Arc<Signal>) -> Self {
        Self {
            wanted: AtomicBool::new(true),
            signal: Some(signal),
            ..Self::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to poll.
    pub(crate) fn ring(self: &Arc<Self>) {
        let mut state = self.lock();
        if let Some(mark) = &mut state.mark {
            mark.show();
        }
        if let Some(signal) = &self.signal {
            signal.raise();
        }
        if state.callback.is_some() {
            CALLS.with_borrow_mut(|calls| calls.push_back(Arc::clone(self)));
        }
    }

    /// Nothing is left to poll.
    fn unring(&self) {
        if let Some(mark) = &mut self.lock().mark {
            mark.hide();
        }
    }

    /// Calls the program, on one thread at a time: who comes meanwhile has that one call once more.
    fn call(&self) {
        let mut state = self.lock();
        if state.calling {
            state.again = true;
            return;
        }
        while let Some(Callback { call, context }) = state.callback {
            state.calling = true;
            drop(state);
            // SAFETY: the program gave both, and keeps the context until it takes the callback back.
            unsafe { call(context) };
            state = self.lock();
            state.calling = false;
            if !std::mem::take(&mut state.again) {
                break;
            }
        }
        drop(state);
        self.ended.notify_all();
    }

    /// Sets the callback. The one before has returned for good afterwards, unless this thread is in a
    /// callback itself: then waiting could be without end.
    fn set_callback(&self, callback: Option<Callback>) {
        let mut state = self.lock();
        state.callback = callback;
        state.again = false;
        if !IN_CALLBACK.get() {
            let calling = |state: &mut State| state.calling;
            drop(self.ended.wait_while(state, calling));
        }
    }

    /// What it tells of was freed: calls nobody any more. The descriptor stays until nobody polls.
    pub(crate) fn silence(self: &Arc<Self>) {
        self.set_callback(None);
        self.ring();
    }

    /// Rings if the program was told to come back later than at `due_ms`; answers what it was told.
    pub(crate) fn keep_promise(self: &Arc<Self>, due_ms: i64) -> i64 {
        let promised_ms = self.promised_ms.load(Ordering::SeqCst);
        if due_ms >= promised_ms {
            return promised_ms;
        }
        self.promised_ms.store(0, Ordering::SeqCst);
        self.ring();
        0
    }
}

/// After a poll, and when somebody begins to be told: rings if something is left, else has the core
/// wake the notifier when something comes.
pub(crate) fn settle(polled: &impl Polled, store: &Shared) {
    let notifier = polled.notifier();
    if !notifier.wanted.load(Ordering::SeqCst) {
        return;
    }
    // Of what was closed meanwhile nothing is to be told: whoever closed it has rung.
    match polled.has_response(store) {
        Ok(true) => notifier.ring(),
        Ok(false) => {
            notifier.unring();
            let _ = polled.set_waker(store, &Waker::from(Arc::clone(notifier)));
        }
        Err(_) => {}
    }
}

/// Has the store tell this notifier, also when it is closed.
fn begin(polled: &impl Polled) -> Result<(), Failure> {
    let notifier = polled.notifier();
    if !notifier.wanted.swap(true, Ordering::SeqCst) {
        polled.store().add_notifier(notifier);
    }
    polled.store().read(|store| {
        settle(polled, store);
        Ok(())
    })
}

pub(crate) fn set_callback<H: Handle<Object: Polled>>(
    polled: *mut H,
    callback: revwatch_callback,
    context: *mut c_void,
) -> Result<(), Failure> {
    let polled = handle::get(polled)?;
    polled.check_open()?;
    let callback = callback.map(|call| Callback { call, context });
    polled.notifier().set_callback(callback);
    match callback {
        Some(_) => begin(&*polled),
        None => Ok(()),
    }
}

/// The descriptor, which the first call makes.
pub(crate) fn fd<H: Handle<Object: Polled>>(polled: *mut H) -> Result<i32, Failure> {
    let polled = handle::get(polled)?;
    polled.check_open()?;
    let mut state = polled.notifier().lock();
    let fd = match &mut state.mark {
        Some(mark) => mark.fd(),
        none => none.insert(Mark::new()?).fd(),
    };
    drop(state);
    begin(&*polled)?;
    Ok(fd)
}

/// In how many milliseconds to poll again if nothing rings before, or -1 for never; by the program's
/// own clock if it has one.
pub(crate) fn next_poll_ms<H: Handle<Object: Polled>>(polled: *mut H) -> Result<i64, Failure> {
    let polled = handle::get(polled)?;
    polled.check_open()?;
    let notifier = polled.notifier();
    let promised_ms = &notifier.promised_ms;
    polled.store().read(|store| {
        if polled.has_response(store)? {
            return Ok(0);
        }
        // Promised before it is looked up, so that what becomes due just after that is noticed.
        promised_ms.store(i64::MAX, Ordering::SeqCst);
        polled.store().note_promise();
        let due_ms = store.next_step_ms().unwrap_or(i64::MAX);
        let still = (Ordering::SeqCst, Ordering::SeqCst);
        let _ = promised_ms.compare_exchange(i64::MAX, due_ms, still.0, still.1);
        Ok(polled.store().pause_until(due_ms))
    })
}

/// This thread is in a function of the library until [`leave`].
pub(crate) fn enter() {
    DEPTH.set(DEPTH.get() + 1);
}

/// See [`enter`].
pub(crate) fn leave() {
    DEPTH.set(DEPTH.get() - 1);
}

/// Makes the calls that wait, if this thread holds no lock: it is in one function of the library, and
/// whoever calls this has let go of all that it held.
pub(crate) fn make_calls() {
    if DEPTH.get() != 1 {
        return;
    }
    while let Some(notifier) = CALLS.with_borrow_mut(VecDeque::pop_front) {
        IN_CALLBACK.set(true);
        notifier.call();
        IN_CALLBACK.set(false);
    }
}
