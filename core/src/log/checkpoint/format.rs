//! The checkpoint: what the entries of the log add up to, so that opening need not read them.
//!
//! It is only a cache. A store that has none, or one that is damaged, old, or another store's, is
//! opened by reading all pages, and comes to the same state.
//!
//! ```text
//! slot 2      the root     names the last page write of a closed store, and the body
//! any slots   the body     page directory, key index, leases: as they were when it was written
//! ```
//!
//! The root is written with every clean close that can make use of it, the body only when the log
//! has grown by a quarter since, or pages were moved, and only if it is much less than the log. To
//! open by a checkpoint is to read the root, the page write that it names, and the body; and then
//! those pages that the log has gained since the body was written. Each of these was named by the
//! page after it, and together they must have the census that the root says.
//!
//! What must stay true:
//!
//! - *A root that is valid names the last page write of the store.* A writer overwrites it with its
//!   first page write, and makes both durable before it goes on to a second ([`Log::break_root`]).
//!   That first one goes to the slot which the page write that the root names has named for it, or
//!   the root is durably gone before. So whoever finds a valid root, the page write that it names,
//!   and nothing newer in that one slot, has found the end.
//! - *The pages of a checkpoint are free slots to everybody else.* They are never valid pages of the
//!   log, they are in no census, and a writer that has not opened by the checkpoint uses their slots
//!   as it likes, once the root is durably gone.
//!
//! [`Log::break_root`]: crate::log::handle::Log::break_root

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::log::format::header::COPIES;
use crate::log::format::layout::{Identity, NUMBER_LIMIT, get_u32, get_u64, put_u32, put_u64};

/// Where the root lies. No page of the log is ever here.
pub(in crate::log) const ROOT_SLOT: u32 = COPIES;
/// Where the pages of the log, and the others of a checkpoint, may lie.
pub(in crate::log) const FIRST_LOG_SLOT: u32 = ROOT_SLOT + 1;

// Each field begins where the one before it ends. Both kinds of page begin alike, and with a zero
// where a page of the log has its number, which is never zero.
const CHECKSUM: usize = 0;
const NO_NUMBER: usize = CHECKSUM + size_of::<u64>();
const KIND: usize = NO_NUMBER + size_of::<u64>();
const COUNT: usize = KIND + size_of::<u32>();

const STORE_LENGTH: usize = COUNT + size_of::<u32>();
const LAST_SLOT: usize = STORE_LENGTH + size_of::<u32>();
const LAST_NUMBER: usize = LAST_SLOT + size_of::<u32>();
const LAST_TERM: usize = LAST_NUMBER + size_of::<u64>();
const CENSUS: usize = LAST_TERM + size_of::<u64>();
const BODY_BYTES: usize = CENSUS + size_of::<u64>();
const BODY_DIGEST: usize = BODY_BYTES + size_of::<u64>();
const BODY_SLOT: usize = BODY_DIGEST + size_of::<u64>();
const BODY_PAGES: usize = BODY_SLOT + size_of::<u32>();
const HELD_SLOTS: usize = BODY_PAGES + size_of::<u32>();

const ORDINAL: usize = COUNT + size_of::<u32>();
const NEXT_SLOT: usize = ORDINAL + size_of::<u32>();
const NUMBER: usize = NEXT_SLOT + size_of::<u32>();
/// Where the contents of a page of the body begin.
const CONTENTS: usize = NUMBER + size_of::<u64>();

const KIND_ROOT: u32 = u32::from_le_bytes(*b"root");
const KIND_BODY: u32 = u32::from_le_bytes(*b"bod2");
/// Bodies that said the keys in other words: nobody opens by them, but they are no damage.
const KIND_FIRST_BODY: u32 = u32::from_le_bytes(*b"body");

/// What a body is known by: nothing else has its digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::log) struct BodyName {
    pub(in crate::log) bytes: u64,
    /// Of the checksums of its pages, in their order.
    pub(super) digest: u64,
    pub(super) first_slot: u32,
    pub(in crate::log) pages: u32,
}

/// The root's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::log) struct Root {
    /// How many pages the store has.
    pub(in crate::log) length: u32,
    /// The last page write: its slot, number and census term.
    pub(in crate::log) slot: u32,
    pub(in crate::log) number: u64,
    pub(in crate::log) term: u64,
    /// The sum of the terms of all live pages.
    pub(in crate::log) census: u64,
    pub(in crate::log) body: BodyName,
    /// Slots that are not live, and that a crash could yet make an opening need.
    pub(in crate::log) held: alloc::vec::Vec<u32>,
}

impl Root {
    /// How many held slots there is room for.
    pub(in crate::log) fn most_held(identity: Identity) -> usize {
        (identity.page_size - HELD_SLOTS) / size_of::<u32>()
    }

    /// Fills a blank page.
    pub(in crate::log) fn seal(&self, page: &mut [u8], identity: Identity) {
        put_u32(page, KIND, KIND_ROOT);
        put_u32(page, COUNT, self.held.len() as u32);
        put_u32(page, STORE_LENGTH, self.length);
        put_u32(page, LAST_SLOT, self.slot);
        put_u64(page, LAST_NUMBER, self.number);
        put_u64(page, LAST_TERM, self.term);
        put_u64(page, CENSUS, self.census);
        put_u64(page, BODY_BYTES, self.body.bytes);
        put_u64(page, BODY_DIGEST, self.body.digest);
        put_u32(page, BODY_SLOT, self.body.first_slot);
        put_u32(page, BODY_PAGES, self.body.pages);
        for (index, &slot) in self.held.iter().enumerate() {
            put_u32(page, HELD_SLOTS + index * size_of::<u32>(), slot);
        }
        let checksum = identity.checksum(page, ROOT_SLOT);
        put_u64(page, CHECKSUM, checksum);
    }

    /// Reads the root. `None` unless it is valid, and its slots are slots.
    pub(in crate::log) fn verify(page: &[u8], identity: Identity) -> Option<Self> {
        if !is_valid(page, identity, ROOT_SLOT, KIND_ROOT) {
            return None;
        }
        let count = get_u32(page, COUNT) as usize;
        if count > Self::most_held(identity) {
            return None;
        }
        let held = (0..count).map(|index| get_u32(page, HELD_SLOTS + index * size_of::<u32>()));
        let root = Self {
            length: get_u32(page, STORE_LENGTH),
            slot: get_u32(page, LAST_SLOT),
            number: get_u64(page, LAST_NUMBER),
            term: get_u64(page, LAST_TERM),
            census: get_u64(page, CENSUS),
            body: BodyName {
                bytes: get_u64(page, BODY_BYTES),
                digest: get_u64(page, BODY_DIGEST),
                first_slot: get_u32(page, BODY_SLOT),
                pages: get_u32(page, BODY_PAGES),
            },
            held: held.collect(),
        };
        let is_slot = |slot: u32| (FIRST_LOG_SLOT..root.length).contains(&slot);
        let is_sane = is_slot(root.slot)
            && root.number < NUMBER_LIMIT
            && root.held.iter().all(|&slot| is_slot(slot))
            && root.body.pages < root.length
            && root.body.bytes <= body_capacity(identity) as u64 * u64::from(root.body.pages);
        is_sane.then_some(root)
    }
}

/// Bytes of the body that a page holds.
pub(super) fn body_capacity(identity: Identity) -> usize {
    identity.page_size - CONTENTS
}

/// Where in a page of the body its contents lie: so many bytes of them.
pub(super) fn body_contents(page: &mut [u8]) -> &mut [u8] {
    &mut page[CONTENTS..]
}

/// Seals a page of the body, of which the first `used` bytes of contents are in place and the rest
/// is zero. Answers the digest of the body up to and with this page.
pub(super) fn seal_body(
    page: &mut [u8],
    identity: Identity,
    place: BodyPlace,
    used: usize,
    digest: u64,
) -> u64 {
    put_u64(page, NO_NUMBER, 0);
    put_u32(page, KIND, KIND_BODY);
    put_u32(page, COUNT, used as u32);
    put_u32(page, ORDINAL, place.ordinal);
    put_u32(page, NEXT_SLOT, place.next_slot);
    put_u64(page, NUMBER, place.number);
    let checksum = identity.checksum(page, place.slot);
    put_u64(page, CHECKSUM, checksum);
    digest_with(digest, checksum)
}

/// Where a page of the body lies, which it is, counted from 0, where the next one lies, and the number
/// of the page write that closed the log.
#[derive(Clone, Copy, Debug)]
pub(in crate::log) struct BodyPlace {
    pub(in crate::log) slot: u32,
    pub(super) ordinal: u32,
    pub(in crate::log) next_slot: u32,
    pub(in crate::log) number: u64,
}

/// A page of the body that was read and is valid.
pub(in crate::log) struct BodyPage<'a> {
    pub(in crate::log) contents: &'a [u8],
    pub(in crate::log) next_slot: u32,
    /// Of the body up to and with this page.
    pub(super) digest: u64,
}

impl<'a> BodyPage<'a> {
    /// Reads the page of this ordinal, behind others of this digest.
    pub(in crate::log) fn verify(
        page: &'a [u8],
        identity: Identity,
        slot: u32,
        ordinal: u32,
        digest: u64,
    ) -> Option<Self> {
        if !is_valid(page, identity, slot, KIND_BODY) || get_u32(page, ORDINAL) != ordinal {
            return None;
        }
        Some(Self {
            contents: page[CONTENTS..].get(..get_u32(page, COUNT) as usize)?,
            next_slot: get_u32(page, NEXT_SLOT),
            digest: digest_with(digest, get_u64(page, CHECKSUM)),
        })
    }
}

/// The number of the page write with which this page was written, if it belongs to the body of a
/// checkpoint of this store, now or once.
pub(in crate::log) fn number_of_body(page: &[u8], identity: Identity, slot: u32) -> Option<u64> {
    let is_body = [KIND_BODY, KIND_FIRST_BODY].contains(&get_u32(page, KIND));
    (is_body && is_valid(page, identity, slot, get_u32(page, KIND))).then(|| get_u64(page, NUMBER))
}

fn is_valid(page: &[u8], identity: Identity, slot: u32, kind: u32) -> bool {
    page.len() == identity.page_size
        && get_u64(page, NO_NUMBER) == 0
        && get_u32(page, KIND) == kind
        && get_u64(page, CHECKSUM) == identity.checksum(page, slot)
}

fn digest_with(digest: u64, checksum: u64) -> u64 {
    xxh3_64_with_seed(&checksum.to_le_bytes(), digest)
}
