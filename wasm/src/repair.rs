//! Repair: a new store out of what is left of a damaged image.

use revwatch::page::MemoryPages;
use revwatch::{Error, RepairReport, Store};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::store::{Opened, PAGE_SIZE, RawStore, new_pages, options_of};
use crate::wire::Writer;

/// Saves what can be saved of an image into a new store. The answer says what could not be.
#[wasm_bindgen]
pub fn repair(options: &[u8], image: &[u8]) -> Opened {
    Opened::of(|writer| {
        // The end of an image may be what it lacks.
        let mut whole_pages = image.to_vec();
        whole_pages.resize(image.len().next_multiple_of(PAGE_SIZE), 0);
        let damaged = MemoryPages::from_bytes(PAGE_SIZE, &whole_pages).map_err(Error::from)?;
        let pages = new_pages();
        let (store, report) = Store::repair(&damaged, pages.clone(), options_of(options)?)?;
        write_report(writer, &report);
        Ok(RawStore::new(store, pages))
    })
}

fn write_report(writer: &mut Writer, report: &RepairReport) {
    writer
        .flag(report.is_whole())
        .int(report.revision)
        .int(report.compact_revision)
        .int(report.saved_changes.cast_signed())
        .int(i64::from(report.pages))
        .int(i64::from(report.valid_pages))
        .list(report.damaged_pages.iter(), |writer, page| {
            writer.int(i64::from(*page));
        })
        .list(report.lost_between.iter(), |writer, (after, before)| {
            writer.int(*after).int(*before);
        })
        .flag(report.lost_the_newest)
        .list(report.uncertain_keys.iter(), |writer, key| {
            writer.bytes(key);
        })
        .list(report.affected_keys.iter(), |writer, key| {
            writer.bytes(key);
        })
        .list(report.uncertain_leases.iter(), |writer, lease| {
            writer.int(*lease);
        });
}
