//! The cursors that a store has.

use revwatch_core::CursorReport;

use crate::handle;
use crate::input::{self, Out};
use crate::owned::{self, Owned, parts};
use crate::status::{REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// What there is to know about a cursor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_cursor_report {
    /// Its name.
    pub name: *const u8,
    /// Bytes in the name.
    pub name_len: usize,
    /// Its range, see Ranges.
    pub key: *const u8,
    /// Bytes in `key`.
    pub key_len: usize,
    /// Its range, see Ranges.
    pub range_end: *const u8,
    /// Bytes in `range_end`.
    pub range_end_len: usize,
    /// Everything up to and including this revision was acknowledged.
    pub acked_revision: i64,
    /// How many revisions the store has come beyond that.
    pub lag_revisions: i64,
    /// 1 if it holds back compaction, otherwise 0.
    pub hold: i32,
    /// 1 if it is open in this store, otherwise 0.
    pub open: i32,
}

/// All cursors of a store, in the order of their names.
#[repr(C)]
pub struct revwatch_cursors_result {
    /// The cursors.
    pub cursors: *const revwatch_cursor_report,
    /// How many `cursors`.
    pub cursors_len: usize,
}

/// What a report points into.
type Text = (Vec<u8>, Vec<u8>, Vec<u8>);

impl Owned for revwatch_cursors_result {
    type Backing = (Vec<revwatch_cursor_report>, Vec<Text>);
}

/// Lists all cursors. The answer is to be freed with revwatch_cursors_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_cursors(
    store: *mut revwatch_store,
    result: *mut *mut revwatch_cursors_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("result", result)? };
        let reports = handle::get(store)?.read(|store| Ok(store.cursors()))?;
        let (seen, backing): (Vec<_>, Vec<_>) = reports.into_iter().map(report).unzip();
        let (cursors, cursors_len) = parts(&seen);
        let answer = revwatch_cursors_result {
            cursors,
            cursors_len,
        };
        out.write(owned::give(answer, (seen, backing)));
        Ok(REVWATCH_OK)
    })
}

/// A report for C, with what it points into: on the heap, so that it can be moved.
fn report(report: CursorReport) -> (revwatch_cursor_report, Text) {
    let (key, range_end) = report.range.to_etcd();
    let seen = revwatch_cursor_report {
        name: report.name.as_ptr(),
        name_len: report.name.len(),
        key: key.as_ptr(),
        key_len: key.len(),
        range_end: range_end.as_ptr(),
        range_end_len: range_end.len(),
        acked_revision: report.acked_revision,
        lag_revisions: report.lag_revisions,
        hold: i32::from(report.hold),
        open: i32::from(report.open),
    };
    (seen, (report.name, key, range_end))
}

/// Frees the list of cursors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursors_result_free(result: *mut revwatch_cursors_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}

/// Deletes the cursor of a name, open or not; REVWATCH_ERROR_CURSOR_NOT_FOUND if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_delete_cursor(
    store: *mut revwatch_store,
    name: *const u8,
    name_len: usize,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let name = unsafe { input::bytes("name", name, name_len)? };
        handle::get(store)?.write(|store| store.delete_cursor(name))?;
        Ok(REVWATCH_OK)
    })
}
