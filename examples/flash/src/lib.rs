//! A page store over NOR flash: an example for firmware, to copy and adapt.
//!
//! Flash is erased in units of a few kilobytes, to ones, and then programmed, ones to zeros only; each
//! erasure wears its unit out a little, after some ten thousand for good. [`FlashPages`] makes a
//! [`PageStore`](revwatch::page::PageStore) of that. What it needs of a chip is [`NorFlash`]; here that
//! is a [`SimulatedNor`], whose power can go in the middle of anything.
//!
//! ```
//! use revwatch::{Options, Store};
//! use revwatch_flash::{FlashPages, SimulatedNor};
//!
//! let chip = SimulatedNor::new(4096, 64);
//! let mut store = Store::open(FlashPages::mount(chip.clone())?, Options::default())?;
//! store.put(b"boot/count", b"1")?;
//! drop(store); // the power goes
//!
//! let store = Store::open(FlashPages::mount(chip)?, Options::default())?;
//! assert_eq!(store.get(b"boot/count")?.unwrap().value, b"1");
//! # Ok::<(), revwatch::Error>(())
//! ```
//!
//! # What to know before writing one
//!
//! - **A page is an erase unit.** A page is replaced as a whole, and an interrupted write may leave
//!   anything in it, but nothing in any other page: so pages cannot share a unit. A chip with units that
//!   are smaller than a page is erased several at a time; one with units above 64 KiB cannot be used.
//! - **How large.** A store needs 3 pages for itself, keeps back 14 of 4 KiB (20 of 512 bytes) for
//!   recovery and reclaiming, and wants half as many again as its records fill. The more pages are free,
//!   the longer the chip lives: with *n* pages of which *f* are free, each is erased once in *f* commits.
//! - **Wear** is spread because [`wearing_pages`](revwatch::page::PageStore::wearing_pages) says that
//!   pages wear. The header is written once, and there is no checkpoint. A small commit is one page
//!   write: durability in batches, or several changes in a transaction, save erasures.
//! - **What is never overwritten** keeps its pages, which then take no part. A program that has much of
//!   it and writes much beside it might rewrite those keys now and then.
//! - **Power.** What `sync` has answered must be there whatever happens next. Here a write is done when
//!   it returns, so `sync` has nothing to do; a driver that queues writes waits for them there. Torn
//!   pages are found by their checksums. A write that fails because a unit is worn out ends writing; the
//!   store can be read, and exported to another chip.
//! - **Bits are stored inverted**, so that an erased unit reads as zeros: pages that were never written
//!   then are what the store expects of new ones, and growth costs no writing.
//! - **The length** of the store, which is set a few times in its life, is appended to a journal in two
//!   units of its own.
//! - **Memory.** An open store keeps its keys in memory, some 70 bytes for each beside the key, and a
//!   page cache of `Options::cache_bytes`. Nothing needs the standard library: give the store a clock by
//!   `step`, and a seed by `Options::seed`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod journal;
mod nor;
mod pages;
mod simulated;

pub use nor::NorFlash;
pub use pages::FlashPages;
pub use simulated::{NorError, SimulatedNor};
