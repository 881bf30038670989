//! An open log: what it knows of its pages, and what can be asked without reading one.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use super::checkpoint::format::FIRST_LOG_SLOT;
use super::checkpoint::write::Checkpoint;
use super::format::header::COPIES;
use super::format::layout::{Identity, Mark, NO_SLOT, PageHeader};
use super::live::cache::PageCache;
use super::live::directory::Directory;
use super::live::lend::Lender;
use super::live::slots::Slots;
use super::live::tail::Tail;
use super::read::moved::Moved;
use crate::error::Result;
use crate::page::PageStore;
use crate::revision::Revision;

/// A byte offset in the log. An entry keeps its position for as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Position(pub(crate) u64);

/// How to open a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogOptions {
    pub(crate) read_only: bool,
    /// Used if the store has to be created; an existing one has its own.
    pub(crate) store_id: [u8; 16],
    /// The budget of the page cache. Page stores that share their pages need none.
    pub(crate) cache_bytes: usize,
}

/// What opening found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Opened {
    /// The last writer closed the log, or never wrote to it: nothing was lost.
    pub(crate) clean: bool,
    /// There was no store before.
    pub(crate) created: bool,
}

/// The start of an epoch but the first: revisions after `cut` that were seen in earlier epochs were
/// lost, and their numbers may have been used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EpochStart {
    pub(crate) epoch: i64,
    pub(crate) cut: i64,
}

/// So many epochs are remembered, and their records kept. Whether something was lost to one that
/// began earlier than all of them is no longer known.
pub(crate) const EPOCHS_REMEMBERED: usize = 64;

/// The last page write, as far as the next one and readers depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastWrite {
    pub(super) number: u64,
    pub(super) slot: u32,
    pub(super) term: u64,
    /// The number of the mark that it carries.
    pub(super) carries: u64,
    /// Its epoch, and where it says that the next write goes.
    pub(super) epoch: u64,
    pub(super) next_slot: u32,
    /// It has the clean flag.
    pub(super) clean: bool,
    /// It stands for no position, so it is in no census and in no directory.
    pub(super) empty: bool,
}

impl LastWrite {
    pub(super) const NONE: Self = Self {
        number: 0,
        slot: NO_SLOT,
        term: 0,
        carries: 0,
        epoch: 1,
        // The first page of a new store goes to its first slot.
        next_slot: FIRST_LOG_SLOT,
        clean: true,
        empty: true,
    };

    pub(super) fn of(header: &PageHeader, slot: u32) -> Self {
        Self {
            number: header.number,
            slot,
            term: header.census_term(),
            carries: header.mark.number,
            epoch: header.epoch,
            next_slot: header.next_slot,
            clean: header.clean,
            empty: header.is_empty(),
        }
    }
}

/// The revision log over a page store.
///
/// One writer at a time. Everything that takes `&self` may run in many threads at once.
pub(crate) struct Log<P> {
    /// Shared with the syncs that run beside the log.
    pub(super) pages: Arc<P>,
    pub(super) identity: Identity,
    pub(super) read_only: bool,
    /// A page write or a sync failed, or a transaction did: nothing more is written.
    pub(super) poisoned: bool,
    pub(super) directory: Directory,
    pub(super) slots: Slots,
    pub(super) checkpoint: Checkpoint,
    /// For a reader, empty at the end of what is written.
    pub(super) tail: Tail,
    pub(super) last_write: LastWrite,
    /// The last write that changed what the log consists of, and not only a mark or a flag.
    pub(super) last_content: u64,
    /// The newest mark that is known to be true: what the next page will carry.
    pub(super) mark: Mark,
    /// All writes up to this one are durable, or were so when the log was opened.
    pub(super) synced: u64,
    /// The newest mark that a page carries which is durable by a sync of this session.
    pub(super) carried: u64,
    /// Syncs are carried out by whoever drives the log, not by itself.
    pub(super) is_synced_by_caller: bool,
    /// The ticket of the sync that was begun and not finished.
    pub(super) running_sync: Option<Weak<()>>,
    /// The length that the page store has, if a sync is needed before its last slots can be used.
    pub(super) growing: Option<u32>,
    /// The last write of earlier sessions.
    pub(super) opened_at: u64,
    /// Pages that a clean close left beyond the mark. They are written again with the first write, and
    /// the length is set again, because what was read may not have reached the disk.
    pub(super) unconfirmed: Option<Vec<u32>>,
    /// Where the last whole entry ends; for a reader, the last whole transaction.
    pub(super) readable_end: u64,
    /// The revision of the last entry.
    pub(super) newest: Option<Revision>,
    pub(super) epoch: i64,
    pub(super) epochs: Vec<EpochStart>,
    /// Shared with windows.
    pub(super) cache: Arc<spin::Mutex<PageCache>>,
    pub(super) lender: Lender,
    /// Frames are encoded here.
    pub(super) scratch: Vec<u8>,
    /// How often a reader has looked for news in vain.
    pub(super) idle_polls: u32,
    /// What a reader knows of pages that the writer has moved.
    pub(super) moved: Moved,
}

impl<P: PageStore> Log<P> {
    /// A log without entries.
    pub(super) fn empty(pages: P, identity: Identity, options: &LogOptions) -> Result<Self> {
        let slots = Slots::new(pages.len()?, pages.wearing_pages().is_some());
        let (lender, cache_bytes) = Lender::with_part_of(options.cache_bytes, identity.page_size);
        Ok(Self {
            pages: Arc::new(pages),
            identity,
            read_only: options.read_only,
            poisoned: false,
            directory: Directory::default(),
            slots,
            checkpoint: Checkpoint::default(),
            opened_at: 0,
            tail: Tail::new(identity.page_size, 0, NEVER),
            last_write: LastWrite::NONE,
            last_content: 0,
            mark: Mark::default(),
            synced: 0,
            carried: 0,
            is_synced_by_caller: false,
            running_sync: None,
            growing: None,
            unconfirmed: None,
            readable_end: 0,
            newest: None,
            epoch: 1,
            epochs: Vec::new(),
            cache: Arc::new(spin::Mutex::new(PageCache::new(
                cache_bytes,
                identity.page_size,
            ))),
            lender,
            scratch: Vec::new(),
            idle_polls: 0,
            moved: Moved::default(),
        })
    }

    /// The present epoch, from 1.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The newest epochs, oldest first, without the first of all.
    pub(crate) fn epochs(&self) -> &[EpochStart] {
        &self.epochs
    }

    pub(crate) fn store_id(&self) -> [u8; 16] {
        self.identity.store_id
    }

    /// Bytes in a page.
    pub(crate) fn page_size(&self) -> usize {
        self.identity.page_size
    }

    /// Bytes of the pages that the store consists of.
    pub(crate) fn size_in_use(&self) -> u64 {
        let tail_has_no_page_yet =
            self.tail.end() > self.directory.end() && self.tail.from() >= self.directory.end();
        let live = self.directory.pages().len() as u64 + u64::from(tail_has_no_page_yet);
        (u64::from(COPIES) + live) * self.identity.page_size as u64
    }

    /// Bytes that the page store has for them.
    pub(crate) fn size_allocated(&self) -> u64 {
        u64::from(self.slots.length()) * self.identity.page_size as u64
    }

    /// Takes no more entries if the last transaction was left unfinished: what follows it would make
    /// its first half count. Recovery cuts it off.
    pub(crate) fn refuse_unfinished(&mut self) {
        self.poisoned |= self.tail.is_within_transaction;
    }

    /// Whether a page write or a sync has failed, so that nothing more can be written.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    pub(super) fn remember_epoch(&mut self, start: EpochStart) {
        if self.epochs.len() >= EPOCHS_REMEMBERED {
            self.epochs.remove(0);
        }
        self.epochs.push(start);
    }

    /// Where the next entry will begin.
    pub(crate) fn end(&self) -> Position {
        Position(self.readable_end)
    }
}

/// Below every revision that an entry has.
pub(super) const NEVER: Revision = Revision { main: 0, sub: 0 };
