//! A page store that a test looks into.

use alloc::rc::Rc;
use alloc::sync::Arc;

use crate::page::{PageError, PageStore};

/// One call of a page store, as a [`Hook`] sees it. What only asks how large the store is, or what it
/// promises, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// [`PageStore::set_len`].
    SetLen {
        /// How many pages are wanted.
        len: u32,
    },
    /// [`PageStore::read`].
    Read {
        /// The page.
        page: u32,
    },
    /// [`PageStore::write`].
    Write {
        /// The page.
        page: u32,
        /// What it is to be.
        bytes: &'a [u8],
    },
    /// [`PageStore::sync`].
    Sync,
}

/// What a test does at each call of a [`HookedPages`]: count it, wait, fail it, or do to the store above
/// what another thread would.
///
/// It is called by whichever thread makes the call, with nothing locked by the page store; and perhaps
/// again while it still runs, if it uses the store itself.
pub trait Hook {
    /// Before a call. An error is the answer to it, and the page store behind is not asked.
    fn before(&self, _call: Call<'_>) -> Result<(), PageError> {
        Ok(())
    }

    /// After a call that the page store behind was asked, whatever it answered.
    fn after(&self, _call: Call<'_>) {}
}

/// Looks at nothing.
impl Hook for () {}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        (**self).before(call)
    }
    fn after(&self, call: Call<'_>) {
        (**self).after(call);
    }
}

impl<H: Hook + ?Sized> Hook for Rc<H> {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        (**self).before(call)
    }
    fn after(&self, call: Call<'_>) {
        (**self).after(call);
    }
}

/// A page store with a [`Hook`] in front of it. It never lends a page, so that nothing is read without
/// the hook; all else it promises as the page store behind it does.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use revwatch::page::{MemoryPages, PageError};
/// use revwatch::page::fault::{Call, Hook, HookedPages};
/// use revwatch::{Options, Store};
///
/// /// Counts syncs, and lets so many succeed.
/// struct Syncs { seen: Cell<u32>, succeed: u32 }
///
/// impl Hook for Syncs {
///     fn before(&self, call: Call<'_>) -> Result<(), PageError> {
///         if call == Call::Sync {
///             self.seen.set(self.seen.get() + 1);
///             if self.seen.get() > self.succeed {
///                 return Err(PageError::other("the disk has gone"));
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let syncs = Rc::new(Syncs { seen: Cell::new(0), succeed: 3 });
/// let pages = HookedPages::new(MemoryPages::new(512), Rc::clone(&syncs));
/// let mut store = Store::open(pages, Options::default())?;
/// while store.put(b"key", b"value").is_ok() {}
/// assert_eq!(syncs.seen.get(), 4);
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HookedPages<P, H> {
    pages: P,
    hook: H,
    keeps_zeros: bool,
}

impl<P: PageStore, H: Hook> HookedPages<P, H> {
    /// These pages behind this hook.
    pub fn new(pages: P, hook: H) -> Self {
        Self {
            pages,
            hook,
            keeps_zeros: true,
        }
    }

    /// Takes back that pages gained are [zeros](PageStore::gains_zeros): growth then writes and syncs,
    /// which the hook sees.
    #[must_use]
    pub fn promising_no_zeros(self) -> Self {
        Self {
            keeps_zeros: false,
            ..self
        }
    }

    fn call<T>(
        &self,
        call: Call<'_>,
        pass_on: impl FnOnce(&P) -> Result<T, PageError>,
    ) -> Result<T, PageError> {
        self.hook.before(call)?;
        let answer = pass_on(&self.pages);
        self.hook.after(call);
        answer
    }
}

impl<P: PageStore, H: Hook> PageStore for HookedPages<P, H> {
    fn page_size(&self) -> usize {
        self.pages.page_size()
    }
    fn len(&self) -> Result<u32, PageError> {
        self.pages.len()
    }
    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.call(Call::SetLen { len }, |pages| pages.set_len(len))
    }
    fn gains_zeros(&self) -> bool {
        self.keeps_zeros && self.pages.gains_zeros()
    }
    fn wearing_pages(&self) -> Option<u32> {
        self.pages.wearing_pages()
    }
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.call(Call::Read { page }, |pages| pages.read(page, buffer))
    }
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        let call = Call::Write { page, bytes };
        self.call(call, |pages| pages.write(page, bytes))
    }
    fn sync(&self) -> Result<(), PageError> {
        self.call(Call::Sync, P::sync)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};

    use super::*;
    use crate::page::MemoryPages;
    use crate::page::contract::page_store_contract;
    use crate::page::fault::FaultPages;

    page_store_contract!(|page_size| HookedPages::new(MemoryPages::new(page_size), ()));

    /// Writes down what it sees, and refuses while it is told to.
    #[derive(Default)]
    struct Notes {
        seen: RefCell<Vec<String>>,
        refuses: Cell<bool>,
    }

    impl Hook for Notes {
        fn before(&self, call: Call<'_>) -> Result<(), PageError> {
            self.seen.borrow_mut().push(format!("before {call:?}"));
            if self.refuses.get() {
                return Err(PageError::NoSpace);
            }
            Ok(())
        }
        fn after(&self, call: Call<'_>) {
            self.seen.borrow_mut().push(format!("after {call:?}"));
        }
    }

    const SIZE: usize = 512;
    const CALLS: [Call<'static>; 4] = [
        Call::SetLen { len: 1 },
        Call::Write {
            page: 0,
            bytes: &[7; SIZE],
        },
        Call::Read { page: 0 },
        Call::Sync,
    ];

    fn make(pages: &impl PageStore, call: Call<'_>) -> Result<(), PageError> {
        match call {
            Call::SetLen { len } => pages.set_len(len),
            Call::Read { page } => pages.read(page, &mut [0; SIZE]),
            Call::Write { page, bytes } => pages.write(page, bytes),
            Call::Sync => pages.sync(),
        }
    }

    #[test]
    fn the_hook_sees_each_call_before_and_after() {
        let notes = Rc::new(Notes::default());
        let pages = HookedPages::new(MemoryPages::new(SIZE), Rc::clone(&notes));
        for call in CALLS {
            make(&pages, call).unwrap();
            let expected = vec![format!("before {call:?}"), format!("after {call:?}")];
            assert_eq!(notes.seen.take(), expected);
        }
    }

    #[test]
    fn what_the_hook_refuses_is_not_passed_on() {
        let notes = Rc::new(Notes::default());
        let behind = FaultPages::new(SIZE, 1);
        let pages = HookedPages::new(behind.clone(), Rc::clone(&notes));
        notes.refuses.set(true);
        for call in CALLS {
            assert!(matches!(make(&pages, call), Err(PageError::NoSpace)));
            assert_eq!(notes.seen.take(), [format!("before {call:?}")]);
        }
        assert_eq!(behind.counts(), FaultPages::new(SIZE, 1).counts());
    }

    #[test]
    fn a_page_that_could_be_lent_is_read() {
        let behind = MemoryPages::new(SIZE);
        behind.set_len(1).unwrap();
        assert!(behind.share(0).is_some());
        assert!(HookedPages::new(behind, ()).share(0).is_none());
    }

    #[test]
    fn what_pages_promise_stays_unless_it_is_taken_back() {
        let zeros = HookedPages::new(MemoryPages::new(SIZE), ());
        assert!(zeros.gains_zeros());
        assert!(!zeros.promising_no_zeros().gains_zeros());
        assert!(!HookedPages::new(FaultPages::new(SIZE, 1), ()).gains_zeros());
        let flash = FaultPages::new(SIZE, 1).wearing(9);
        assert_eq!(HookedPages::new(flash, ()).wearing_pages(), Some(9));
    }
}
