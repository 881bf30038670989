//! What streams, follows and cursors are to C: something of a store that is polled, and may be freed
//! while other threads poll it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use revwatch_core::{Error, StreamOptions};

use crate::notify::{Notifier, Polled};
use crate::status::Failure;
use crate::store::{Shared, StoreObject};

/// The core's name for something that responses come from.
pub(crate) trait SourceId: Copy + Send + Sync {
    /// What C calls it.
    const NAME: &'static str;
    fn has_response(self, store: &Shared) -> Result<bool, Error>;
    fn set_waker(self, store: &Shared, waker: &Waker) -> Result<(), Error>;
    fn close(self, store: &Shared);
}

/// What a handle of it stands for.
pub(crate) struct Source<I> {
    pub(crate) store: Arc<StoreObject>,
    pub(crate) id: I,
    freed: AtomicBool,
    notifier: Arc<Notifier>,
}

impl<I: SourceId> Source<I> {
    pub(crate) fn new(store: Arc<StoreObject>, id: I, options: StreamOptions) -> Arc<Self> {
        let notifier = Arc::new(if options.early {
            Notifier::waking(Arc::clone(&store.signal))
        } else {
            Notifier::default()
        });
        if options.early {
            store.add_notifier(&notifier);
        }
        Arc::new(Self {
            store,
            id,
            freed: AtomicBool::new(false),
            notifier,
        })
    }

    /// Closes it. Who polls it meanwhile is told so.
    pub(crate) fn free(&self) {
        self.freed.store(true, Ordering::Release);
        self.notifier.silence();
        // A closed store has closed it already. Either way, who waits is woken.
        let _ = self.store.write(|store| {
            self.id.close(store);
            Ok(())
        });
    }
}

impl<I: SourceId> Polled for Source<I> {
    fn store(&self) -> &StoreObject {
        &self.store
    }

    fn notifier(&self) -> &Arc<Notifier> {
        &self.notifier
    }

    fn check_open(&self) -> Result<(), Failure> {
        if self.freed.load(Ordering::Acquire) {
            Err(Failure::closed(I::NAME))
        } else {
            Ok(())
        }
    }

    fn has_response(&self, store: &Shared) -> Result<bool, Error> {
        self.id.has_response(store)
    }

    fn set_waker(&self, store: &Shared, waker: &Waker) -> Result<(), Error> {
        self.id.set_waker(store, waker)
    }
}
