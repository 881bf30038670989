//! The header of a log page: its fields, where they lie, and when a page is believed.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::pieces;
use crate::seeded_bug::is_seeded;

/// Written where a slot could stand and none is meant.
pub(in crate::log) const NO_SLOT: u32 = u32::MAX;
/// Written where the place of a first frame could stand and no frame begins in the page.
pub(in crate::log) const NO_FRAME: u32 = u32::MAX;

// Each field begins where the one before it ends.
const CHECKSUM: usize = 0;
const NUMBER: usize = CHECKSUM + size_of::<u64>();
const FROM: usize = NUMBER + size_of::<u64>();
const TO: usize = FROM + size_of::<u64>();
const END: usize = TO + size_of::<u64>();
const EPOCH: usize = END + size_of::<u64>();
const MARK_NUMBER: usize = EPOCH + size_of::<u64>();
const MARK_END: usize = MARK_NUMBER + size_of::<u64>();
const MARK_CENSUS: usize = MARK_END + size_of::<u64>();
const NEXT_SLOT: usize = MARK_CENSUS + size_of::<u64>();
const PREDECESSOR_SLOT: usize = NEXT_SLOT + size_of::<u32>();
const FLAGS: usize = PREDECESSOR_SLOT + size_of::<u32>();
const USED: usize = FLAGS + size_of::<u32>();
const FIRST_FRAME: usize = USED + size_of::<u32>();
const PIECES: usize = FIRST_FRAME + size_of::<u32>();
/// Where the contents begin.
pub(in crate::log) const HEADER_BYTES: usize = PIECES + size_of::<u32>();

const FLAG_CLEAN: u32 = 1;
const FLAG_SPARSE: u32 = 1 << 1;

/// Numbers and positions stay below this, so that adding to one cannot overflow: at a million
/// writes a second a log would reach it in 146,000 years.
pub(in crate::log) const NUMBER_LIMIT: u64 = 1 << 62;

/// What makes a page this store's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) struct Identity {
    pub(in crate::log) store_id: [u8; 16],
    pub(in crate::log) page_size: usize,
}

impl Identity {
    /// Bytes of the log that a dense page holds.
    pub(in crate::log) fn capacity(self) -> usize {
        self.page_size - HEADER_BYTES
    }

    /// A page is sealed for its store and its slot: one of another store, or one that was written
    /// to the wrong place, is not valid.
    fn seed(self, slot: u32) -> u64 {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.store_id);
        bytes[16..].copy_from_slice(&slot.to_le_bytes());
        xxh3_64(&bytes)
    }

    /// Of all that follows the checksum itself in a page that lies in `slot`.
    pub(in crate::log) fn checksum(self, page: &[u8], slot: u32) -> u64 {
        xxh3_64_with_seed(&page[NUMBER..], self.seed(slot))
    }
}

/// A statement about the past, true wherever it stands: all page writes up to `number` were synced,
/// the log then ended at `end`, and the pages that it consisted of had this `census`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::log) struct Mark {
    pub(in crate::log) number: u64,
    pub(in crate::log) end: u64,
    pub(in crate::log) census: u64,
}

/// All that a page says besides its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) struct PageHeader {
    /// Of all that follows it in the page; set by [`PageHeader::seal`].
    pub(in crate::log) checksum: u64,
    /// Page writes are numbered consecutively from 1.
    pub(in crate::log) number: u64,
    /// The positions of the log that the page stands for, from here …
    pub(in crate::log) from: u64,
    /// … up to, but without, this one.
    pub(in crate::log) to: u64,
    /// Where the log ended with this write; what lay behind it no longer counts.
    pub(in crate::log) end: u64,
    /// The epoch of the writer.
    pub(in crate::log) epoch: u64,
    pub(in crate::log) mark: Mark,
    /// Where the next page write is going to be.
    pub(in crate::log) next_slot: u32,
    /// Where the page lies that holds the positions before `from`.
    pub(in crate::log) predecessor_slot: u32,
    /// The writer closed the store with this page.
    pub(in crate::log) clean: bool,
    /// The page holds pieces of its interval, listed in a table, and not all of it.
    pub(in crate::log) sparse: bool,
    /// Bytes of contents, with the table of pieces.
    pub(in crate::log) used: u32,
    /// Where in the contents the first frame begins that does not begin on an earlier page.
    pub(in crate::log) first_frame: u32,
    /// How many pieces the table lists.
    pub(in crate::log) pieces: u32,
}

impl PageHeader {
    /// Writes the header into `page`, whose contents are in place, and seals the page for `slot`.
    pub(in crate::log) fn seal(&mut self, page: &mut [u8], identity: Identity, slot: u32) {
        put_u64(page, NUMBER, self.number);
        put_u64(page, FROM, self.from);
        put_u64(page, TO, self.to);
        put_u64(page, END, self.end);
        put_u64(page, EPOCH, self.epoch);
        put_u64(page, MARK_NUMBER, self.mark.number);
        put_u64(page, MARK_END, self.mark.end);
        put_u64(page, MARK_CENSUS, self.mark.census);
        put_u32(page, NEXT_SLOT, self.next_slot);
        put_u32(page, PREDECESSOR_SLOT, self.predecessor_slot);
        let clean = if self.clean { FLAG_CLEAN } else { 0 };
        let sparse = if self.sparse { FLAG_SPARSE } else { 0 };
        put_u32(page, FLAGS, clean | sparse);
        put_u32(page, USED, self.used);
        put_u32(page, FIRST_FRAME, self.first_frame);
        put_u32(page, PIECES, self.pieces);
        self.checksum = identity.checksum(page, slot);
        put_u64(page, CHECKSUM, self.checksum);
    }

    /// Reads a page that lies in `slot`. `None` unless it is valid: sealed for this store and this
    /// slot, and with fields that nothing else has to be asked about.
    pub(in crate::log) fn verify(page: &[u8], identity: Identity, slot: u32) -> Option<Self> {
        if page.len() != identity.page_size || page.len() < HEADER_BYTES {
            return None;
        }
        // Most slots that are not valid are still all zeros.
        if get_u64(page, NUMBER) == 0 {
            return None;
        }
        if get_u64(page, CHECKSUM) != identity.checksum(page, slot) && !is_seeded!(IgnoreChecksum) {
            return None;
        }
        let flags = get_u32(page, FLAGS);
        if flags & !(FLAG_CLEAN | FLAG_SPARSE) != 0 {
            return None;
        }
        let header = Self::fields(page);
        header.is_sane(page).then_some(header)
    }

    /// Reads the header of a page that was verified before.
    pub(in crate::log) fn fields(page: &[u8]) -> Self {
        let flags = get_u32(page, FLAGS);
        Self {
            checksum: get_u64(page, CHECKSUM),
            number: get_u64(page, NUMBER),
            from: get_u64(page, FROM),
            to: get_u64(page, TO),
            end: get_u64(page, END),
            epoch: get_u64(page, EPOCH),
            mark: Mark {
                number: get_u64(page, MARK_NUMBER),
                end: get_u64(page, MARK_END),
                census: get_u64(page, MARK_CENSUS),
            },
            next_slot: get_u32(page, NEXT_SLOT),
            predecessor_slot: get_u32(page, PREDECESSOR_SLOT),
            clean: flags & FLAG_CLEAN != 0,
            sparse: flags & FLAG_SPARSE != 0,
            used: get_u32(page, USED),
            first_frame: get_u32(page, FIRST_FRAME),
            pieces: get_u32(page, PIECES),
        }
    }

    fn is_sane(&self, page: &[u8]) -> bool {
        let contents = &page[HEADER_BYTES..];
        let limits = [self.number, self.end, self.epoch, self.mark.end];
        limits.iter().all(|&value| value < NUMBER_LIMIT)
            && self.from <= self.to
            && self.to <= self.end
            && self.mark.number < self.number
            && self.used as usize <= contents.len()
            && (self.first_frame == NO_FRAME || self.first_frame < self.used)
            && if self.sparse {
                self.from < self.to && pieces::are_sane(self, contents)
            } else {
                self.pieces == 0 && self.to - self.from == u64::from(self.used)
            }
    }

    /// What the page adds to the census: a number that no other page of the store has.
    pub(in crate::log) fn census_term(&self) -> u64 {
        let mut bytes = [0; 32];
        put_u64(&mut bytes, 0, self.number);
        put_u64(&mut bytes, 8, self.from);
        put_u64(&mut bytes, 16, self.to);
        put_u64(&mut bytes, 24, self.checksum);
        xxh3_64(&bytes)
    }

    /// Whether the page was not written as the tail of the log, but again and in its middle.
    pub(in crate::log) fn is_rewritten(&self) -> bool {
        self.to != self.end
    }

    /// Whether the page stands for no position at all: it only carries a mark or a flag.
    pub(in crate::log) fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

pub(in crate::log) fn get_u64(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}

pub(in crate::log) fn get_u32(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(field)
}

pub(in crate::log) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

pub(in crate::log) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
