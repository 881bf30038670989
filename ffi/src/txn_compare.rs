//! The conditions of a transaction.

use revwatch_core::{Compare, CompareOp, CompareTarget};

use crate::input;
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status};
use crate::txn::{Keys, edit, revwatch_txn};

/// The attribute is the same as the operand.
pub const REVWATCH_COMPARE_EQUAL: i32 = 0;
/// The attribute is greater than the operand.
pub const REVWATCH_COMPARE_GREATER: i32 = 1;
/// The attribute is less than the operand.
pub const REVWATCH_COMPARE_LESS: i32 = 2;
/// The attribute is another than the operand.
pub const REVWATCH_COMPARE_NOT_EQUAL: i32 = 3;

/// # Safety
///
/// The conventions, for the key and range_end.
unsafe fn compare(
    txn: *mut revwatch_txn,
    keys: Keys,
    op: i32,
    target: CompareTarget,
) -> revwatch_status {
    guard(|| {
        // SAFETY: as for this function.
        let (key, range_end) = unsafe {
            (
                input::bytes("key", keys.0, keys.1)?,
                input::bytes("range_end", keys.2, keys.3)?,
            )
        };
        let op = match op {
            REVWATCH_COMPARE_EQUAL => CompareOp::Equal,
            REVWATCH_COMPARE_GREATER => CompareOp::Greater,
            REVWATCH_COMPARE_LESS => CompareOp::Less,
            REVWATCH_COMPARE_NOT_EQUAL => CompareOp::NotEqual,
            _ => {
                return Err(Failure::argument(format!(
                    "the comparison is {op}: give one of the REVWATCH_COMPARE_*"
                )));
            }
        };
        let range = input::key_range(key, range_end, 0)?;
        edit(txn, |request| {
            request.compare.push(Compare { range, op, target });
        })
    })
}

/// Adds the condition that the value of every key in the range relates to `operand` as `op`, a
/// REVWATCH_COMPARE_*, says. It is false for a key that does not exist, whatever `op` is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_compare_value(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    op: i32,
    operand: *const u8,
    operand_len: usize,
) -> revwatch_status {
    let mut target = None;
    let status = guard(|| {
        // SAFETY: the conventions.
        target = Some(unsafe { input::bytes("operand", operand, operand_len)? }.to_vec());
        Ok(REVWATCH_OK)
    });
    match target {
        // SAFETY: the conventions.
        Some(operand) => unsafe {
            compare(
                txn,
                (key, key_len, range_end, range_end_len),
                op,
                CompareTarget::Value(operand),
            )
        },
        None => status,
    }
}

/// Adds the condition that the version of every key in the range relates to `operand` as `op`, a
/// REVWATCH_COMPARE_*, says. A key that does not exist has version 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_compare_version(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    op: i32,
    operand: i64,
) -> revwatch_status {
    let target = CompareTarget::Version(operand);
    // SAFETY: the conventions.
    unsafe { compare(txn, (key, key_len, range_end, range_end_len), op, target) }
}

/// The same for create_revision, which is 0 for a key that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_compare_create(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    op: i32,
    operand: i64,
) -> revwatch_status {
    let target = CompareTarget::Create(operand);
    // SAFETY: the conventions.
    unsafe { compare(txn, (key, key_len, range_end, range_end_len), op, target) }
}

/// The same for mod_revision, which is 0 for a key that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_compare_mod(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    op: i32,
    operand: i64,
) -> revwatch_status {
    let target = CompareTarget::Mod(operand);
    // SAFETY: the conventions.
    unsafe { compare(txn, (key, key_len, range_end, range_end_len), op, target) }
}

/// The same for the lease, which is 0 for a key without one and for a key that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_compare_lease(
    txn: *mut revwatch_txn,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    op: i32,
    operand: i64,
) -> revwatch_status {
    let target = CompareTarget::Lease(operand);
    // SAFETY: the conventions.
    unsafe { compare(txn, (key, key_len, range_end, range_end_len), op, target) }
}
