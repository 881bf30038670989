//! Transactions.

use revwatch::{Compare, CompareOp, CompareTarget, Op, OpResponse, TxnRequest, TxnResponse};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Malformed, answer};
use crate::request::{
    read_delete_range, read_key_range, read_put, read_range, write_delete_range, write_put,
    write_range,
};
use crate::store::RawStore;
use crate::wire::{Reader, Writer};

#[wasm_bindgen]
impl RawStore {
    /// If, then, else.
    pub fn txn(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let request = read_txn(&mut Reader::new(request))?;
            write_txn(writer, &self.store.txn(&request)?);
            Ok(())
        })
    }
}

/// How deep transactions may be nested is limited where they are encoded, so that neither end runs
/// out of stack.
fn read_txn(reader: &mut Reader<'_>) -> Result<TxnRequest, Malformed> {
    Ok(TxnRequest {
        compare: reader.list(read_compare)?,
        success: reader.list(read_op)?,
        failure: reader.list(read_op)?,
    })
}

fn read_compare(reader: &mut Reader<'_>) -> Result<Compare, Malformed> {
    Ok(Compare {
        range: read_key_range(reader)?,
        op: match reader.byte()? {
            0 => CompareOp::Equal,
            1 => CompareOp::NotEqual,
            2 => CompareOp::Less,
            3 => CompareOp::Greater,
            _ => return Err(Malformed),
        },
        target: match reader.byte()? {
            0 => CompareTarget::Value(reader.bytes()?.to_vec()),
            1 => CompareTarget::Version(reader.int()?),
            2 => CompareTarget::Create(reader.int()?),
            3 => CompareTarget::Mod(reader.int()?),
            4 => CompareTarget::Lease(reader.int()?),
            _ => return Err(Malformed),
        },
    })
}

fn read_op(reader: &mut Reader<'_>) -> Result<Op, Malformed> {
    match reader.byte()? {
        0 => read_put(reader).map(Op::Put),
        1 => read_range(reader).map(Op::Range),
        2 => read_delete_range(reader).map(Op::DeleteRange),
        3 => read_txn(reader).map(Op::Txn),
        _ => Err(Malformed),
    }
}

fn write_txn(writer: &mut Writer, response: &TxnResponse) {
    writer.int(response.revision).flag(response.succeeded);
    writer.list(
        response.responses.iter(),
        |writer, response| match response {
            OpResponse::Put(response) => write_put(writer.byte(0), response),
            OpResponse::Range(response) => write_range(writer.byte(1), response),
            OpResponse::DeleteRange(response) => write_delete_range(writer.byte(2), response),
            OpResponse::Txn(response) => write_txn(writer.byte(3), response),
        },
    );
}
