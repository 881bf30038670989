//! Writing the checkpoint, as the last thing that a session does; and taking it back with the first
//! thing that the next one does.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::format::{
    BodyName, BodyPlace, FIRST_LOG_SLOT, ROOT_SLOT, Root, body_capacity, body_contents, seal_body,
};
use crate::error::{Error, Result};
use crate::log::format::layout::NO_SLOT;
use crate::log::format::varint::put_varint;
use crate::log::handle::Log;
use crate::log::write::writer::SPARE_WRITES;
use crate::page::{PageError, PageStore};
use crate::seeded_bug::is_seeded;

/// A log of fewer pages is read as fast as its checkpoint.
const LEAST_PAGES: usize = 8;
/// The body is written again once the log has grown by this part since.
const PAGES_PER_GROWTH: usize = 4;
/// A body takes no more than this part of the log's pages: it costs space for as long as the store is
/// closed, and has to be much cheaper to read than what it stands for. Of short values that were put
/// once each it would be a third.
const PAGES_PER_BODY_PAGE: usize = 4;

/// Says piece by piece all that the layers above want to find in a checkpoint. It is called more
/// than once and always says the same.
pub(crate) type Contents<'a> = dyn Fn(&mut dyn FnMut(&[u8])) + 'a;

/// What is known of the checkpoint in the page store.
#[derive(Debug, Default)]
pub(in crate::log) struct Checkpoint {
    pub(in crate::log) root: RootState,
    pub(in crate::log) body: Option<Body>,
}

/// Whether an opening could find a root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::log) enum RootState {
    /// No, whatever a crash leaves.
    #[default]
    Gone,
    /// It can.
    Standing,
    /// It is overwritten, and so is the one slot that would tell that it is old; neither may be
    /// durable.
    Going,
}

/// A body that a root to come may name.
#[derive(Clone, Debug)]
pub(in crate::log) struct Body {
    pub(in crate::log) name: BodyName,
    pub(in crate::log) slots: Vec<u32>,
    /// How many pages the log had.
    pub(in crate::log) live_pages: usize,
}

/// Cuts what is written into pages of the body.
struct BodyWriter<'a, P> {
    log: &'a Log<P>,
    slots: &'a [u32],
    page: Vec<u8>,
    used: usize,
    ordinal: usize,
    digest: u64,
    failure: Option<Error>,
}

impl<P: PageStore> Log<P> {
    /// Takes back what a root says, before the page write that is going to `slot`. Nothing that is
    /// written later may become durable while an opening could still find the root.
    pub(in crate::log) fn break_root(&mut self, slot: u32) -> Result<()> {
        match self.checkpoint.root {
            RootState::Gone => return Ok(()),
            _ if is_seeded!(KeepRoot) => return Ok(()),
            RootState::Standing => {
                self.overwrite_root()?;
                if slot == self.last_write.next_slot {
                    // Who finds the root all the same looks there, and finds it old.
                    self.checkpoint.root = RootState::Going;
                    return Ok(());
                }
                self.pages.sync()?;
            }
            RootState::Going => {
                if self.synced <= self.opened_at {
                    self.pages.sync()?;
                }
            }
        }
        self.checkpoint.root = RootState::Gone;
        Ok(())
    }

    /// Where a sync is for somebody else to carry out, a root is overwritten before the page write that
    /// would have to wait for it: nothing of that has changed then.
    pub(in crate::log) fn break_root_ahead(&mut self) -> Result<()> {
        if self.checkpoint.root == RootState::Gone || !self.must_not_sync() {
            return Ok(());
        }
        if self.checkpoint.root == RootState::Standing {
            self.overwrite_root()?;
            self.checkpoint.root = RootState::Going;
        }
        Err(Error::SyncPending)
    }

    fn overwrite_root(&self) -> Result<()> {
        let zeros = vec![0; self.identity.page_size];
        Ok(self.pages.write(ROOT_SLOT, &zeros)?)
    }

    /// Pages were moved, or slots are wanted: no later root can name the body, and its slots are
    /// free. They are not written before the root is gone, as no slot is.
    pub(in crate::log) fn give_up_body(&mut self) {
        if is_seeded!(KeepBodyOfMovedPages) {
            return;
        }
        if let Some(body) = self.checkpoint.body.take() {
            for slot in body.slots {
                self.slots.free(slot);
            }
        }
    }

    /// Grows for the body that is to be written, if one is. Without room nothing is done: the next
    /// opening reads all pages.
    pub(in crate::log) fn make_room_for_checkpoint(
        &mut self,
        contents: &Contents<'_>,
    ) -> Result<()> {
        if !self.is_body_due() {
            return Ok(());
        }
        self.give_up_body();
        let pages = self.pages_for(self.encode_pages().len() + length_of(contents));
        if !self.is_worth(pages) {
            return Ok(());
        }
        // What is kept for other purposes is not taken, nor the slot of the page that closes the log.
        match self.reserve_writes(pages + 1 + self.reserved_writes()) {
            Err(Error::Page(PageError::NoSpace)) => Ok(()),
            outcome => outcome,
        }
    }

    /// Writes what the next opening can begin with, where there is room. The last page write was the
    /// one that closes the log; all before it are durable, and it and this are going to be.
    pub(in crate::log) fn write_checkpoint(&mut self, contents: &Contents<'_>) -> Result<()> {
        if self.is_body_due() && !self.write_body(contents)? {
            return Ok(());
        }
        self.write_root()
    }

    /// Whether there is no body, or the log has grown much since it was written; and is long enough.
    fn is_body_due(&self) -> bool {
        let live_pages = self.directory.pages().len();
        let known = self.checkpoint.body.as_ref().map(|body| body.live_pages);
        known.is_none_or(|known| live_pages * PAGES_PER_GROWTH >= known * (PAGES_PER_GROWTH + 1))
    }

    /// Whether a body of so many pages is much less than the log.
    fn is_worth(&self, body_pages: usize) -> bool {
        let live_pages = self.directory.pages().len();
        live_pages >= LEAST_PAGES && body_pages * PAGES_PER_BODY_PAGE <= live_pages
    }

    fn pages_for(&self, body_bytes: usize) -> usize {
        body_bytes.div_ceil(body_capacity(self.identity))
    }

    fn write_root(&mut self) -> Result<()> {
        let Some(body) = &self.checkpoint.body else {
            return Ok(());
        };
        let held: Vec<u32> = self.slots.held_slots().collect();
        let is_known_whole = self.mark.number + 1 == self.last_write.number;
        if !is_known_whole
            || held.len() > Root::most_held(self.identity)
            || self.has_lost_slots(body.slots.len())
        {
            return Ok(());
        }
        let root = Root {
            length: self.slots.length(),
            slot: self.last_write.slot,
            number: self.last_write.number,
            term: self.last_write.term,
            census: self.directory.census(),
            body: body.name,
            held,
        };
        let mut page = vec![0; self.identity.page_size];
        root.seal(&mut page, self.identity);
        self.checkpoint.root = RootState::Standing;
        Ok(self.pages.write(ROOT_SLOT, &page)?)
    }

    /// Whether there are slots that a recovery has left alone for good: a root cannot say which.
    fn has_lost_slots(&self, of_body: usize) -> bool {
        let used = self.directory.pages().len() + usize::from(self.last_write.empty);
        let known = used + of_body + self.slots.available() + self.slots.held();
        known != (self.slots.length() - FIRST_LOG_SLOT) as usize
    }

    /// Writes the body to free slots. `false` if there is no room, or it is not worth it.
    fn write_body(&mut self, contents: &Contents<'_>) -> Result<bool> {
        let of_log = self.encode_pages();
        let bytes = of_log.len() + length_of(contents);
        let pages = self.pages_for(bytes);
        let has_room = self.slots.available() >= pages + self.reserved_writes() + SPARE_WRITES;
        if !self.is_worth(pages) || !has_room {
            return Ok(false);
        }
        let slots: Vec<u32> = (0..pages).map_while(|_| self.slots.take_free()).collect();
        let mut writer = BodyWriter {
            log: self,
            slots: &slots,
            page: vec![0; self.identity.page_size],
            used: 0,
            ordinal: 0,
            digest: 0,
            failure: None,
        };
        writer.push(&of_log);
        contents(&mut |piece| writer.push(piece));
        let (digest, outcome) = writer.finish();
        outcome?;
        let name = BodyName {
            bytes: bytes as u64,
            digest,
            first_slot: slots.first().copied().unwrap_or(NO_SLOT),
            pages: pages as u32,
        };
        self.checkpoint.body = Some(Body {
            name,
            slots,
            live_pages: self.directory.pages().len(),
        });
        Ok(true)
    }

    /// The log's own part of the body: where it ends, its epochs, and its pages.
    fn encode_pages(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let newest = self.newest_or_never();
        let header = [
            self.readable_end,
            newest.main as u64,
            u64::from(newest.sub),
            self.epoch as u64,
            self.epochs.len() as u64,
        ];
        for number in header {
            put_varint(number, &mut out);
        }
        for start in &self.epochs {
            put_varint(start.epoch as u64, &mut out);
            put_varint(start.cut as u64, &mut out);
        }
        let pages = self.directory.pages();
        put_varint(pages.len() as u64, &mut out);
        let mut main = 0;
        for page in pages {
            page.encode(main, &mut out);
            main = page.revision.main;
        }
        out
    }
}

fn length_of(contents: &Contents<'_>) -> usize {
    let mut bytes = 0;
    contents(&mut |piece| bytes += piece.len());
    bytes
}

impl<P: PageStore> BodyWriter<'_, P> {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = &mut body_contents(&mut self.page)[self.used..];
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            self.used += count;
            bytes = &bytes[count..];
            if self.used == body_capacity(self.log.identity) {
                self.write();
            }
        }
    }

    fn write(&mut self) {
        let mut page = mem::take(&mut self.page);
        let used = mem::take(&mut self.used);
        let slot = self.slots.get(self.ordinal);
        if let (Some(&slot), None) = (slot, &self.failure) {
            let place = BodyPlace {
                slot,
                ordinal: self.ordinal as u32,
                number: self.log.last_write.number,
                next_slot: self
                    .slots
                    .get(self.ordinal + 1)
                    .map_or(NO_SLOT, |&slot| slot),
            };
            self.digest = seal_body(&mut page, self.log.identity, place, used, self.digest);
            self.failure = self.log.pages.write(slot, &page).err().map(Error::from);
        }
        self.ordinal += 1;
        page.fill(0);
        self.page = page;
    }

    fn finish(mut self) -> (u64, Result<()>) {
        if self.used > 0 {
            self.write();
        }
        (self.digest, self.failure.map_or(Ok(()), Err))
    }
}
