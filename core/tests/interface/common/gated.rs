//! A store whose syncs and reads a test holds up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use revwatch::page::fault::{Call, Hook, HookedPages};
use revwatch::page::{MemoryPages, PageError};
use revwatch::{Durability, Options, SharedStore};

/// Whoever waits so long waits for ever.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Pages in memory whose syncs are counted, and wait while the gate is shut; of which a read may be held up
/// too.
pub(crate) type GatedPages = HookedPages<MemoryPages, Arc<Gate>>;

#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    moved: Condvar,
}

#[derive(Default)]
pub(crate) struct GateState {
    is_shut: bool,
    /// Syncs that wait at the gate.
    waiting: usize,
    /// Syncs that came there.
    pub(crate) syncs: usize,
    then: Then,
    /// Reads that came there.
    pub(crate) read_count: usize,
    reads: Reads,
}

/// What becomes of reads.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Reads {
    #[default]
    Pass,
    /// One is held up after so many.
    HoldAfter(usize),
    /// One is; others pass.
    OneIsHeld,
}

/// What becomes of a sync behind the gate.
#[derive(Clone, Copy, Default)]
pub(crate) enum Then {
    #[default]
    Succeed,
    Fail,
    Panic,
}

impl Gate {
    pub(crate) fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap()
    }

    pub(crate) fn shut(&self) {
        self.state().is_shut = true;
    }

    pub(crate) fn open(&self, then: Then) {
        let mut state = self.state();
        state.is_shut = false;
        state.then = then;
        self.moved.notify_all();
    }

    pub(crate) fn wait_for_a_sync(&self) {
        let waits = |state: &mut GateState| state.waiting == 0;
        let (state, _) = self
            .moved
            .wait_timeout_while(self.state(), LONG, waits)
            .unwrap();
        assert_eq!(state.waiting, 1, "one sync at a time");
    }

    /// Lets so many reads pass, holds up the next, whoever comes for it, and lets all others pass.
    pub(crate) fn hold_a_read_after(&self, reads: usize) {
        self.state().reads = Reads::HoldAfter(reads);
    }

    pub(crate) fn wait_for_a_read(&self) {
        let waits = |state: &mut GateState| state.reads != Reads::OneIsHeld;
        let (state, timeout) = self
            .moved
            .wait_timeout_while(self.state(), LONG, waits)
            .unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "nobody came to read");
    }

    pub(crate) fn let_reads_pass(&self) {
        self.state().reads = Reads::Pass;
        self.moved.notify_all();
    }

    fn pass_read(&self) {
        let mut state = self.state();
        state.read_count += 1;
        match state.reads {
            Reads::Pass | Reads::OneIsHeld => {}
            Reads::HoldAfter(0) => {
                state.reads = Reads::OneIsHeld;
                self.moved.notify_all();
                let is_held = |state: &mut GateState| state.reads == Reads::OneIsHeld;
                drop(self.moved.wait_while(state, is_held).unwrap());
            }
            Reads::HoldAfter(reads) => state.reads = Reads::HoldAfter(reads - 1),
        }
    }

    fn pass(&self) -> Result<(), PageError> {
        let mut state = self.state();
        state.syncs += 1;
        state.waiting += 1;
        self.moved.notify_all();
        let mut state = self.moved.wait_while(state, |state| state.is_shut).unwrap();
        state.waiting -= 1;
        let then = state.then;
        drop(state);
        match then {
            Then::Succeed => Ok(()),
            Then::Fail => Err(PageError::other("the disk has gone")),
            Then::Panic => panic!("the page store has a defect"),
        }
    }
}

impl Hook for Gate {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        match call {
            Call::Read { .. } => self.pass_read(),
            Call::Sync => self.pass()?,
            Call::SetLen { .. } | Call::Write { .. } => {}
        }
        Ok(())
    }
}

/// A store behind a gate, with a key in it. It needs no more room for a while.
pub(crate) fn gated(durability: Durability) -> (SharedStore<GatedPages>, Arc<Gate>) {
    let options = Options {
        durability,
        ..Options::default()
    };
    let (store, gate) = behind_a_gate(options);
    store.put(b"k", b"old").unwrap();
    store.flush().unwrap();
    (store, gate)
}

/// An empty store behind a gate.
pub(crate) fn behind_a_gate(options: Options) -> (SharedStore<GatedPages>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let pages = HookedPages::new(MemoryPages::new(4096), Arc::clone(&gate)).promising_no_zeros();
    (SharedStore::open(pages, options).unwrap(), gate)
}
