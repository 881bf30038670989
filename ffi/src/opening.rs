//! Opening stores in steps, for those that are long in opening.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::{Opening, SharedStore, Store};

use crate::handle::{self, Handle};
use crate::input::{Out, or_default};
use crate::open::{self, GivenOptions, Place, revwatch_open_options};
use crate::page_store::{GivenPages, revwatch_page_store};
use crate::progress::{BUDGET_BYTES, revwatch_progress};
use crate::status::{Failure, REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Pages, revwatch_store};

/// A store that is being opened in steps. Its file is locked from the beginning on.
pub struct revwatch_opening(());

impl Handle for revwatch_opening {
    type Object = OpeningObject;
    const NAME: &'static str = "opening";
}

/// An opening, until it is finished, and how its store is opened then.
pub(crate) struct OpeningObject {
    opening: Mutex<Option<Opening<Pages>>>,
    given: GivenOptions,
}

impl OpeningObject {
    fn new(opening: Opening<Pages>, given: &revwatch_open_options) -> Self {
        Self {
            opening: Mutex::new(Some(opening)),
            given: GivenOptions(*given),
        }
    }

    fn with<R>(
        &self,
        act: impl FnOnce(&mut Option<Opening<Pages>>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        act(&mut self.opening.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn finished() -> Failure {
    Failure::argument("the opening was finished: begin another")
}

/// Begins to open a store as revwatch_store_open() does, for a program that wants to show how far that
/// has come, or to do other things meanwhile. A store that was closed opens by its checkpoint, in one
/// step; any other is read from its first page to its last. To be freed with revwatch_opening_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_opening_new(
    path: *const c_char,
    options: *const revwatch_open_options,
    opening: *mut *mut revwatch_opening,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: a string or NULL, options or NULL, and an output.
        let (place, out) = unsafe {
            let place = Place::of(path, options)?;
            (place, Out::required("opening", opening)?)
        };
        let begun = Store::begin_open(place.pages()?, place.options()?)?;
        let object = OpeningObject::new(begun, &place.given);
        out.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// The same for a store on pages of your own, see revwatch_store_open_pages().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_opening_new_pages(
    pages: *const revwatch_page_store,
    options: *const revwatch_open_options,
    opening: *mut *mut revwatch_opening,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: structures that say their size, and an output.
        let (place, out) = unsafe {
            let place = GivenPages::of(pages, options)?;
            (place, Out::required("opening", opening)?)
        };
        let begun = Store::begin_open(place.pages, place.options)?;
        let object = OpeningObject::new(begun, &place.given);
        out.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends an opening. If it was not finished the file is released, and nothing was changed but what
/// a later opening would change too.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_opening_free(opening: *mut revwatch_opening) {
    guard(|| {
        drop(handle::remove(opening));
        Ok(REVWATCH_OK)
    });
}

/// Reads about `budget_bytes` more (0: 1 MiB). REVWATCH_OK once revwatch_opening_finish() has nothing
/// left to do, REVWATCH_IDLE while there is more. How far it has come goes to `progress`, which may be
/// NULL. Errors are those of revwatch_store_open(); the next step begins anew then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_opening_step(
    opening: *mut revwatch_opening,
    budget_bytes: usize,
    progress: *mut revwatch_progress,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::optional(progress) };
        handle::get(opening)?.with(|opening| {
            let opening = opening.as_mut().ok_or_else(finished)?;
            let is_open = opening.step(or_default(budget_bytes, BUDGET_BYTES))?;
            out.write(opening.progress().into());
            Ok(if is_open { REVWATCH_OK } else { REVWATCH_IDLE })
        })
    })
}

/// Does what is left to do and gives the store's handle, to be closed with revwatch_store_close(). The
/// opening is over, also after an error, and is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_opening_finish(
    opening: *mut revwatch_opening,
    store: *mut *mut revwatch_store,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("store", store)? };
        let object = handle::get(opening)?;
        let opening = object.with(|opening| opening.take().ok_or_else(finished))?;
        let store = SharedStore::new(opening.finish()?);
        let store = open::object_of(store, &object.given.0)?;
        out.write(handle::insert(Arc::new(store))?);
        Ok(REVWATCH_OK)
    })
}
