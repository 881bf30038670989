//! New stores out of snapshots and of damaged stores.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::{Import, RepairReport, SharedStore, Store};

use crate::handle::{self, Handle};
use crate::input::{self, Out};
use crate::lease::revwatch_bytes;
use crate::open::{self, GivenOptions, Place, revwatch_open_options};
use crate::owned::{self, Owned, parts};
use crate::page_store::{GivenPages, revwatch_page_store};
use crate::progress::revwatch_progress;
use crate::snapshot::revwatch_snapshot_head;
use crate::status::{Failure, REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Pages, revwatch_store};

/// A store that is being imported from a snapshot. Nothing counts before revwatch_import_finish().
pub struct revwatch_import(());

impl Handle for revwatch_import {
    type Object = ImportObject;
    const NAME: &'static str = "import";
}

/// An import, until it is finished, and how its store is opened then.
pub(crate) struct ImportObject {
    import: Mutex<Option<Import<Pages>>>,
    given: GivenOptions,
}

/// Begins an import to the file `path`, where there is no store, or an import that was cut off; with
/// NULL to memory. REVWATCH_ERROR_STORE_EXISTS if there is one. The options are those that the store
/// is opened with then. To be freed with revwatch_import_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_import_new(
    path: *const c_char,
    options: *const revwatch_open_options,
    import: *mut *mut revwatch_import,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: a string or NULL, options or NULL, and an output.
        let (place, out) = unsafe {
            let place = Place::of(path, options)?;
            (place, Out::required("import", import)?)
        };
        let begun = Import::begin(place.pages()?, place.options()?)?;
        let object = ImportObject::new(begun, &place.given);
        out.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// Begins an import to pages of your own that are blank, or hold an import that was cut off; see
/// revwatch_store_open_pages().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_import_new_pages(
    pages: *const revwatch_page_store,
    options: *const revwatch_open_options,
    import: *mut *mut revwatch_import,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: structures that say their size, and an output.
        let (place, out) = unsafe {
            let place = GivenPages::of(pages, options)?;
            (place, Out::required("import", import)?)
        };
        let begun = Import::begin(place.pages, place.options)?;
        let object = ImportObject::new(begun, &place.given);
        out.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends an import. If it was not finished there is no store.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_import_free(import: *mut revwatch_import) {
    guard(|| {
        drop(handle::remove(import));
        Ok(REVWATCH_OK)
    });
}

impl ImportObject {
    fn new(import: Import<Pages>, given: &revwatch_open_options) -> Self {
        Self {
            import: Mutex::new(Some(import)),
            given: GivenOptions(*given),
        }
    }

    fn with<R>(
        &self,
        act: impl FnOnce(&mut Option<Import<Pages>>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        act(&mut self.import.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn finished() -> Failure {
    Failure::argument("the import was finished: begin another")
}

/// Takes in the next bytes of a snapshot of a whole store, wherever they were cut. REVWATCH_OK once
/// its last chunk was taken in, REVWATCH_IDLE while more is to come.
/// REVWATCH_ERROR_INVALID_SNAPSHOT if they are damaged or do not follow; nothing more is taken then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_import_feed(
    import: *mut revwatch_import,
    data: *const u8,
    len: usize,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let bytes = unsafe { input::bytes("data", data, len)? };
        handle::get(import)?.with(|import| {
            let import = import.as_mut().ok_or_else(finished)?;
            import.feed(bytes)?;
            Ok(if import.is_complete() {
                REVWATCH_OK
            } else {
                REVWATCH_IDLE
            })
        })
    })
}

/// Says what the snapshot is of and how far its import has come; REVWATCH_IDLE, and no head, before
/// its first chunk was taken in. Either output may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_import_status(
    import: *mut revwatch_import,
    head: *mut revwatch_snapshot_head,
    progress: *mut revwatch_progress,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (head, progress) = unsafe { (Out::optional(head), Out::optional(progress)) };
        handle::get(import)?.with(|import| {
            let import = import.as_ref().ok_or_else(finished)?;
            progress.write(import.progress().into());
            let Some(known) = import.head() else {
                return Ok(REVWATCH_IDLE);
            };
            head.write(known.into());
            Ok(REVWATCH_OK)
        })
    })
}

/// Makes what was imported durable, then a store, and opens it: its handle is to be closed with
/// revwatch_store_close(). REVWATCH_ERROR_INVALID_SNAPSHOT if something of the snapshot is missing.
/// The import is over, also after an error, and is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_import_finish(
    import: *mut revwatch_import,
    store: *mut *mut revwatch_store,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("store", store)? };
        let object = handle::get(import)?;
        let import = object.with(|import| import.take().ok_or_else(finished))?;
        let store = SharedStore::new(import.finish()?);
        let store = open::object_of(store, &object.given.0)?;
        out.write(handle::insert(Arc::new(store))?);
        Ok(REVWATCH_OK)
    })
}

/// Two revisions between which, without themselves, something is missing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_lost {
    /// The last revision before.
    pub after: i64,
    /// The first revision behind.
    pub before: i64,
}

/// What repair saved of a damaged store, and what it could not.
#[repr(C)]
pub struct revwatch_repair_result {
    /// The revision that the new store is at.
    pub revision: i64,
    /// The new store has no history before this; -1 if it has all.
    pub compact_revision: i64,
    /// Changes of keys that were saved.
    pub saved_changes: u64,
    /// Pages of the damaged store.
    pub pages: u32,
    /// Those of them that held a valid page of the log.
    pub valid_pages: u32,
    /// 1 if changes after `revision` are missing, otherwise 0. How many is not known.
    pub lost_the_newest: i32,
    /// The pages that held something else: damage, or a write that was cut short.
    pub damaged_pages: *const u32,
    /// How many `damaged_pages`.
    pub damaged_pages_len: usize,
    /// Where changes are missing. Keys that were last changed there are missing too.
    pub lost_between: *const revwatch_lost,
    /// How many `lost_between`.
    pub lost_between_len: usize,
    /// Keys that may have been changed or deleted in what was lost: they are as last known.
    pub uncertain_keys: *const revwatch_bytes,
    /// How many `uncertain_keys`.
    pub uncertain_keys_len: usize,
    /// Keys of which a change was lost that is known to have been: they are as after it.
    pub affected_keys: *const revwatch_bytes,
    /// How many `affected_keys`.
    pub affected_keys_len: usize,
    /// Leases that may have been revoked or renewed in what was lost.
    pub uncertain_leases: *const i64,
    /// How many `uncertain_leases`.
    pub uncertain_leases_len: usize,
}

/// What the arrays of a report lie in.
pub struct ReportBacking {
    report: RepairReport,
    lost: Vec<revwatch_lost>,
    uncertain: Vec<revwatch_bytes>,
    affected: Vec<revwatch_bytes>,
}

impl Owned for revwatch_repair_result {
    type Backing = Box<ReportBacking>;
}

/// Saves what can be saved of the damaged store in the file `path` into a new store in the file
/// `to_path`, where there is none. The damaged one is only read. The options are those of both files:
/// page_size is needed if the first page of the damaged one is, and it had another than 4096. The
/// report is to be freed with revwatch_repair_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_repair(
    path: *const c_char,
    to_path: *const c_char,
    options: *const revwatch_open_options,
    result: *mut *mut revwatch_repair_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: strings, options or NULL, and an output.
        let (from, to, out) = unsafe {
            for (what, path) in [("path", path), ("to_path", to_path)] {
                if path.is_null() {
                    return Err(Failure::null(what));
                }
            }
            let from = Place::of(path, options)?;
            (
                from,
                Place::of(to_path, options)?,
                Out::required("result", result)?,
            )
        };
        let damaged = from.pages_to_read()?;
        let (mut store, report) = Store::repair(&damaged, to.pages()?, to.options()?)?;
        store.close()?;
        out.write(give(report));
        Ok(REVWATCH_OK)
    })
}

fn give(report: RepairReport) -> *mut revwatch_repair_result {
    let bytes = |keys: &[Vec<u8>]| -> Vec<revwatch_bytes> {
        let keys = keys.iter();
        keys.map(|key| revwatch_bytes {
            data: key.as_ptr(),
            len: key.len(),
        })
        .collect()
    };
    let lost = report.lost_between.iter();
    let backing = Box::new(ReportBacking {
        lost: lost
            .map(|&(after, before)| revwatch_lost { after, before })
            .collect(),
        uncertain: bytes(&report.uncertain_keys),
        affected: bytes(&report.affected_keys),
        report,
    });
    let report = &backing.report;
    let (damaged_pages, damaged_pages_len) = parts(&report.damaged_pages);
    let (lost_between, lost_between_len) = parts(&backing.lost);
    let (uncertain_keys, uncertain_keys_len) = parts(&backing.uncertain);
    let (affected_keys, affected_keys_len) = parts(&backing.affected);
    let (uncertain_leases, uncertain_leases_len) = parts(&report.uncertain_leases);
    let answer = revwatch_repair_result {
        revision: report.revision,
        compact_revision: report.compact_revision,
        saved_changes: report.saved_changes,
        pages: report.pages,
        valid_pages: report.valid_pages,
        lost_the_newest: i32::from(report.lost_the_newest),
        damaged_pages,
        damaged_pages_len,
        lost_between,
        lost_between_len,
        uncertain_keys,
        uncertain_keys_len,
        affected_keys,
        affected_keys_len,
        uncertain_leases,
        uncertain_leases_len,
    };
    owned::give(answer, backing)
}

/// Frees a report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_repair_result_free(result: *mut revwatch_repair_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
