//! Transactions: a builder, and its execution.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::{Op, TxnRequest};

use crate::delete_range::revwatch_delete_range_options;
use crate::handle::{self, Handle};
use crate::input::{self, Out};
use crate::open::{REVWATCH_DURABILITY_DEFAULT, check_durability};
use crate::owned;
use crate::put::revwatch_put_options;
use crate::range::revwatch_range_options;
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;
use crate::txn_result::{self, revwatch_txn_result};

/// A transaction that is being put together: if all comparisons hold, then these operations, else
/// those.
pub struct revwatch_txn(());

/// What is put together.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    request: TxnRequest,
    /// A `REVWATCH_DURABILITY_*`.
    durability: i32,
}

impl Handle for revwatch_txn {
    type Object = Mutex<Draft>;
    const NAME: &'static str = "txn";
}

/// Which list an operation goes to.
#[derive(Clone, Copy)]
enum Branch {
    Then,
    Else,
}

/// A key or a range, as it comes in.
pub(crate) type Keys = (*const u8, usize, *const u8, usize);

pub(crate) fn edit(
    txn: *mut revwatch_txn,
    change: impl FnOnce(&mut TxnRequest),
) -> Result<i32, Failure> {
    let draft = handle::get(txn)?;
    let mut draft = draft.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut draft.request);
    Ok(REVWATCH_OK)
}

fn add(txn: *mut revwatch_txn, branch: Branch, op: Op) -> Result<i32, Failure> {
    edit(txn, |request| match branch {
        Branch::Then => request.success.push(op),
        Branch::Else => request.failure.push(op),
    })
}

fn copy(txn: *const revwatch_txn) -> Result<Draft, Failure> {
    Ok(handle::get(txn)?
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone())
}

/// Begins a transaction without comparisons and operations, to be freed with revwatch_txn_free().
/// It belongs to no store until revwatch_store_txn(), which may be called for it any number of times.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_new(txn: *mut *mut revwatch_txn) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let txn = unsafe { Out::required("txn", txn)? };
        txn.write(handle::insert(Arc::new(Mutex::default()))?);
        Ok(REVWATCH_OK)
    })
}

/// Gives a transaction a REVWATCH_DURABILITY_* of its own; REVWATCH_DURABILITY_DEFAULT: the store's.
/// Without meaning for one that is nested in another.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_txn_set_durability(
    txn: *mut revwatch_txn,
    durability: i32,
) -> revwatch_status {
    guard(|| {
        let draft = handle::get(txn)?;
        check_durability(durability)?;
        let mut draft = draft.lock().unwrap_or_else(PoisonError::into_inner);
        draft.durability = durability;
        Ok(REVWATCH_OK)
    })
}

/// A transaction is durable as a whole.
fn refuse_durability(given: i32) -> Result<(), Failure> {
    if given == REVWATCH_DURABILITY_DEFAULT {
        Ok(())
    } else {
        Err(Failure::option(
            "an operation of a transaction has no durability of its own: use revwatch_txn_set_durability()",
        ))
    }
}

/// Frees a transaction.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_txn_free(txn: *mut revwatch_txn) {
    guard(|| {
        drop(handle::remove(txn));
        Ok(REVWATCH_OK)
    });
}

/// # Safety
///
/// The conventions, for the key, the value and the options.
unsafe fn put(
    txn: *mut revwatch_txn,
    branch: Branch,
    key: (*const u8, usize),
    value: (*const u8, usize),
    options: *const revwatch_put_options,
) -> revwatch_status {
    guard(|| {
        // SAFETY: as for this function.
        let request = unsafe {
            let key = input::bytes("key", key.0, key.1)?;
            let options = input::options(options)?;
            refuse_durability(options.durability)?;
            options.request(key, input::bytes("value", value.0, value.1)?)
        };
        add(txn, branch, Op::Put(request))
    })
}

/// # Safety
///
/// The conventions, for the key, range_end and the options.
unsafe fn range(
    txn: *mut revwatch_txn,
    branch: Branch,
    keys: Keys,
    options: *const revwatch_range_options,
) -> revwatch_status {
    guard(|| {
        // SAFETY: as for this function.
        let request = unsafe {
            let key = input::bytes("key", keys.0, keys.1)?;
            input::options(options)?.request(key, input::bytes("range_end", keys.2, keys.3)?)?
        };
        add(txn, branch, Op::Range(request))
    })
}

/// # Safety
///
/// The conventions, for the key, range_end and the options.
unsafe fn delete_range(
    txn: *mut revwatch_txn,
    branch: Branch,
    keys: Keys,
    options: *const revwatch_delete_range_options,
) -> revwatch_status {
    guard(|| {
        // SAFETY: as for this function.
        let request = unsafe {
            let key = input::bytes("key", keys.0, keys.1)?;
            let options = input::options(options)?;
            refuse_durability(options.durability)?;
            options.request(key, input::bytes("range_end", keys.2, keys.3)?)?
        };
        add(txn, branch, Op::DeleteRange(request))
    })
}

/// A copy is added, so a transaction may even be nested in itself as it was.
fn nested(txn: *mut revwatch_txn, branch: Branch, nested: *const revwatch_txn) -> revwatch_status {
    guard(|| add(txn, branch, Op::Txn(copy(nested)?.request)))
}

/// Adds a put to what is done if the comparisons hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_then_put(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    options: *const revwatch_put_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        put(
            txn,
            Branch::Then,
            (key, key_len),
            (value, value_len),
            options,
        )
    }
}

/// Adds a range to what is done if the comparisons hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_then_range(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_range_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        range(
            txn,
            Branch::Then,
            (key, key_len, range_end, range_end_len),
            options,
        )
    }
}

/// Adds a delete to what is done if the comparisons hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_then_delete_range(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_delete_range_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        delete_range(
            txn,
            Branch::Then,
            (key, key_len, range_end, range_end_len),
            options,
        )
    }
}

/// Adds a copy of `nested`, as it is now, to what is done if the comparisons hold.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_txn_then_txn(
    txn: *mut revwatch_txn,
    nested: *const revwatch_txn,
) -> revwatch_status {
    self::nested(txn, Branch::Then, nested)
}

/// Adds a put to what is done if the comparisons do not hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_else_put(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    options: *const revwatch_put_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        put(
            txn,
            Branch::Else,
            (key, key_len),
            (value, value_len),
            options,
        )
    }
}

/// Adds a range to what is done if the comparisons do not hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_else_range(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_range_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        range(
            txn,
            Branch::Else,
            (key, key_len, range_end, range_end_len),
            options,
        )
    }
}

/// Adds a delete to what is done if the comparisons do not hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_else_delete_range(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_delete_range_options,
) -> revwatch_status {
    // SAFETY: the conventions.
    unsafe {
        delete_range(
            txn,
            Branch::Else,
            (key, key_len, range_end, range_end_len),
            options,
        )
    }
}

/// Adds a copy of `nested`, as it is now, to what is done if the comparisons do not hold.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_txn_else_txn(
    txn: *mut revwatch_txn,
    nested: *const revwatch_txn,
) -> revwatch_status {
    self::nested(txn, Branch::Else, nested)
}

/// Executes a transaction, atomically and at one revision. The answer goes to `result`, which may be
/// NULL, and is to be freed with revwatch_txn_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_txn(
    store: *mut revwatch_store,
    txn: *const revwatch_txn,
    result: *mut *mut revwatch_txn_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let result = unsafe { Out::optional(result) };
        let draft = copy(txn)?;
        let response =
            handle::get(store)?.write_at(draft.durability, |store| store.txn(&draft.request))?;
        if result.is_wanted() {
            let (seen, backing) = txn_result::of(response);
            result.write(owned::give(seen, backing));
        }
        Ok(REVWATCH_OK)
    })
}
