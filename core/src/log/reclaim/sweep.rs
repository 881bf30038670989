//! Reclaiming: one sweep over the log from its oldest page to its newest.
//!
//! A layer above says which entries are dead. The sweep reads page after page. Pages without dead
//! entries stay as they are. Where it finds one with dead entries it begins a *run*: it gathers
//! what is kept, from there on, into new pages, each of which takes over all that it was gathered
//! from.
//!
//! ```text
//! before   [ a b c d ][ e f g h ][ i j k l ][ m n o p ]     dead: b c e g h
//! after    [ a d f          ][ i j k l ][ m n o p ]
//! ```
//!
//! What must stay true:
//!
//! - *In order.* A tombstone may be dropped because what it hides was dropped before it, in an
//!   earlier page write. Recovery takes page writes in order, so wherever a crash cuts a sweep off,
//!   no entry is left without what hides it. A sweep that is begun again begins at the oldest page.
//! - *Nothing is dropped before that which makes it dead is written*: each slice writes the tail
//!   first.
//! - *Nothing new is looked at.* The sweep ends where the tail was when it began: what dies while it
//!   is under way may have been passed already, and then what hides it must stay.
//! - *Transactions stay whole.* All that a sweep sees is complete. If the last entry of a transaction
//!   goes, the one before it that stays becomes the last; if that one lies in a page that is not
//!   written again, an [`Record::End`] takes the place of the dropped one.
//! - *No more pages than before.* A run ends only where it has not written more pages than it took
//!   over, and where these are well filled; until then it takes in pages without dead entries too.

use super::gather::Gathered;
use crate::error::Result;
use crate::log::format::frame;
use crate::log::format::layout::PageHeader;
use crate::log::format::record::{Entry, Record};
use crate::log::handle::Log;
use crate::log::read::frames::{Frame, Frames, Stretch};
use crate::log::read::reader::Source;
use crate::page::PageStore;
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;
use alloc::vec::Vec;

/// The pages of a run are filled to so many sixteenths on average, or the run goes on.
const FILL_SIXTEENTHS: u64 = 14;
/// A page that is filled less is taken into a run that reaches it.
const POOR_SIXTEENTHS: u64 = 12;

/// Says which entries stay. It is asked about each entry more than once.
pub(crate) type Keep<'a> = dyn FnMut(&Entry<'_>) -> bool + 'a;

/// A sweep that is under way. To be thrown away when the log is opened anew, or written to by
/// another sweep.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Positions from here on are not looked at.
    limit: u64,
    /// A frame begins here, or began before it was reclaimed. All before it has been dealt with.
    position: u64,
    /// The revision of the last entry that was kept.
    before: Revision,
    /// The last entry that was kept does not end its transaction: where the byte lies that says so.
    open: Option<u64>,
    run: Option<Run>,
    /// Bytes that this slice may still read and write.
    budget: usize,
}

/// Pages that are being gathered into new ones.
#[derive(Debug)]
struct Run {
    page: Gathered,
    /// How many pages it has taken over whole.
    replaced: u64,
    /// How many it has written, and the bytes of their contents.
    written: u64,
    bytes: u64,
}

impl Sweep {
    fn spend(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes);
    }

    /// Takes note of an entry that stays; the byte that says whether it is the last of its transaction
    /// lies at `end_bit`.
    fn kept(&mut self, entry: &Entry<'_>, end_bit: impl FnOnce() -> u64) {
        self.before = entry.revision;
        self.open = (!entry.last).then(end_bit);
    }

    /// Whether the entry goes, behind which the next one begins at `next`.
    fn is_dead(&self, next: u64, entry: &Entry<'_>, keep: &mut Keep<'_>) -> bool {
        if next > self.limit {
            // Its end lies in a page that is not written again.
            return false;
        }
        match entry.record {
            // Its transaction is complete, but must look so too.
            Record::End => self.open.is_none(),
            _ => !keep(entry),
        }
    }
}

impl<P: PageStore> Log<P> {
    /// Begins a sweep over all that is written now. `None` if there is nothing to look at.
    pub(crate) fn begin_sweep(&self) -> Option<Sweep> {
        let last = self.directory.last()?;
        let limit = last.from.min(self.tail.from());
        let middle = &self.directory.pages()[self.directory.pages().len() / 2];
        let position = if is_seeded!(SweepOutOfOrder) {
            middle.first_frame().unwrap_or(0)
        } else {
            0
        };
        (limit > 0).then_some(Sweep {
            limit,
            position,
            before: crate::log::handle::NEVER,
            open: None,
            run: None,
            budget: 0,
        })
    }

    /// Goes on with a sweep until about `budget_bytes` were read and written; at least one entry.
    /// Answers whether it is complete. After `SyncPending` it is to be gone on with once a sync has run,
    /// after another error not; if that was `NoSpace`, another one can be begun.
    pub(crate) fn sweep(
        &mut self,
        sweep: &mut Sweep,
        budget_bytes: usize,
        keep: &mut Keep<'_>,
    ) -> Result<bool> {
        self.check_writable()?;
        if self.tail.is_within_transaction {
            return Ok(false);
        }
        self.make_room_ahead(0)?;
        if !is_seeded!(SweepBeforeWrite) {
            self.write_tail()?;
        }
        sweep.budget = budget_bytes.max(1);
        while sweep.budget > 0 {
            if sweep.position >= sweep.limit && sweep.run.is_none() {
                return Ok(true);
            }
            match sweep.run.take() {
                None => self.look_at_page(sweep, keep)?,
                Some(mut run) => {
                    let outcome = self.gather_frame(sweep, &mut run, keep);
                    if !matches!(outcome, Ok(true)) {
                        sweep.run = Some(run);
                    }
                    outcome?;
                }
            }
        }
        Ok(sweep.position >= sweep.limit && sweep.run.is_none())
    }

    /// Passes over the page at the sweep's position, or begins a run with it.
    fn look_at_page(&mut self, sweep: &mut Sweep, keep: &mut Keep<'_>) -> Result<()> {
        let Some(live) = self.directory.at(sweep.position) else {
            sweep.position = sweep.limit;
            return Ok(());
        };
        let (from, to) = (live.from, live.to);
        self.make_room_ahead(self.identity.capacity() as u64)?;
        sweep.spend(self.identity.page_size);
        if self.pass_over(sweep, to, keep)? {
            return Ok(());
        }
        let mut run = Run {
            page: Gathered::new(from, sweep.before),
            replaced: 0,
            written: 0,
            bytes: 0,
        };
        // The end of an entry that began, and stays, in the page before.
        let outcome = self.gather_bytes(sweep, &mut run, from, sweep.position, sweep.position);
        sweep.run = Some(run);
        outcome
    }

    /// Moves the sweep behind the entries that begin before `to`. `false`, and the sweep is where it
    /// was, if one of them is dead.
    fn pass_over(&self, sweep: &mut Sweep, to: u64, keep: &mut Keep<'_>) -> Result<bool> {
        let to = to.min(sweep.limit);
        let begun = (sweep.position, sweep.before, sweep.open);
        let mut all_stay = true;
        while sweep.position < to && all_stay {
            all_stay = self.pass_over_whole(sweep, to, keep)?;
            if sweep.position >= to || !all_stay {
                break;
            }
            let frame = self.frame_at(sweep.position, self.readable_end)?;
            let Some(frame) = frame.filter(|frame| frame.position < to) else {
                sweep.position = to;
                break;
            };
            let entry = frame.stored.entry();
            all_stay = !sweep.is_dead(frame.next, &entry, keep);
            sweep.kept(&entry, || frame.end_bit_position());
            sweep.position = frame.next;
        }
        if !all_stay {
            (sweep.position, sweep.before, sweep.open) = begun;
        }
        Ok(all_stay)
    }

    /// Moves the sweep behind entries that lie whole in one page and begin before `to`. `false` if one
    /// of them is dead.
    fn pass_over_whole(&self, sweep: &mut Sweep, to: u64, keep: &mut Keep<'_>) -> Result<bool> {
        let stretch = self.stretch_at(sweep.position)?;
        let mut rest = stretch.bytes();
        let end = sweep.position + rest.len() as u64;
        while sweep.position < to
            && let Some((entry, behind)) = frame::take_entry(rest)
        {
            let next = end - behind.len() as u64;
            if sweep.is_dead(next, &entry, keep) {
                return Ok(false);
            }
            let position = sweep.position;
            sweep.kept(&entry, || position + frame::end_bit_at(rest) as u64);
            sweep.position = next;
            rest = behind;
        }
        Ok(true)
    }

    /// Takes the next entry into the run, or leaves it out. Answers whether the run has ended.
    fn gather_frame(
        &mut self,
        sweep: &mut Sweep,
        run: &mut Run,
        keep: &mut Keep<'_>,
    ) -> Result<bool> {
        self.make_room_ahead(0)?;
        let boundary = self.page_end(sweep, sweep.position);
        self.gather_whole(sweep, run, boundary, keep)?;
        if sweep.budget == 0 {
            return Ok(false);
        }
        let frame = self.frame_at(sweep.position, self.readable_end)?;
        let Some(frame) = frame.filter(|frame| frame.position < boundary) else {
            return self.cross(sweep, run, boundary, boundary, keep);
        };
        self.make_room_ahead(frame.next - frame.position)?;
        sweep.spend((frame.next - frame.position) as usize);
        if sweep.is_dead(frame.next, &frame.stored.entry(), keep) {
            return self.leave_out(sweep, run, &frame, keep);
        }
        self.begin_frame(sweep, run, &frame)?;
        sweep.kept(&frame.stored.entry(), || frame.end_bit_position());
        let (mut position, mut boundary) = (frame.position, boundary);
        loop {
            let part = frame.next.min(boundary);
            self.gather_bytes(sweep, run, position, part, frame.next)?;
            sweep.position = part;
            if part == boundary && self.cross(sweep, run, boundary, frame.next, keep)? {
                return Ok(true);
            }
            if part == frame.next {
                return Ok(false);
            }
            position = part;
            boundary = self.page_end(sweep, position);
        }
    }

    /// Deals with entries that lie whole in the page that ends at `boundary`, which nearly all do: drops
    /// them, or takes them into the run. Stops where a page is to be written for that, or an end marked.
    fn gather_whole(
        &self,
        sweep: &mut Sweep,
        run: &mut Run,
        boundary: u64,
        keep: &mut Keep<'_>,
    ) -> Result<()> {
        let from = sweep.position;
        let stretch = self.stretch_at(from)?;
        let mut rest = stretch.bytes();
        let end = from + rest.len() as u64;
        while let Some((entry, behind)) = frame::take_entry(rest)
            && let next = end - behind.len() as u64
            && next < boundary
        {
            let position = sweep.position;
            if sweep.is_dead(next, &entry, keep) {
                let ends_another = entry.last && sweep.open.is_some();
                if ends_another || run.page.is_too_long(next) {
                    break;
                }
            } else {
                let frame = &rest[..rest.len() - behind.len()];
                if run.page.room(position, self.identity.capacity()) < frame.len() {
                    break;
                }
                run.page.begin_frame(position, entry.revision);
                run.page.add(position, frame);
                sweep.kept(&entry, || position + frame::end_bit_at(frame) as u64);
            }
            sweep.position = next;
            rest = behind;
        }
        sweep.spend((sweep.position - from) as usize);
        Ok(())
    }

    /// Drops an entry. Its transaction must not look as if it had not ended.
    fn leave_out(
        &mut self,
        sweep: &mut Sweep,
        run: &mut Run,
        frame: &Frame,
        keep: &mut Keep<'_>,
    ) -> Result<bool> {
        let entry = frame.stored.entry();
        if entry.last
            && !is_seeded!(DropTransactionEnd)
            && let Some(bit) = sweep.open
        {
            if let Some(byte) = run.page.byte_mut(bit) {
                *byte |= 1;
            } else {
                self.gather_end(sweep, run, frame)?;
            }
            sweep.open = None;
        }
        if run.page.is_too_long(frame.next) {
            self.flush(sweep, run, frame.next, frame.next)?;
        }
        loop {
            let boundary = self.page_end(sweep, sweep.position);
            if boundary > frame.next {
                sweep.position = frame.next;
                return Ok(false);
            }
            if boundary == frame.next {
                return self.cross(sweep, run, boundary, boundary, keep);
            }
            run.replaced += 1;
            sweep.position = boundary;
        }
    }

    /// In the place of a dropped entry, which is not shorter, one that says only that its
    /// transaction has ended.
    fn gather_end(&mut self, sweep: &mut Sweep, run: &mut Run, frame: &Frame) -> Result<()> {
        let entry = Entry {
            revision: frame.stored.entry().revision,
            last: true,
            record: Record::End,
        };
        let mut scratch = Vec::new();
        let mut bytes = frame::encode(&entry, &mut scratch)?;
        debug_assert!(bytes.len() as u64 <= frame.next - frame.position);
        self.begin_frame(sweep, run, frame)?;
        let mut position = frame.position;
        while !bytes.is_empty() {
            let count = self
                .room(sweep, run, position, frame.next)?
                .min(bytes.len());
            run.page.add(position, &bytes[..count]);
            position += count as u64;
            bytes = &bytes[count..];
        }
        sweep.before = entry.revision;
        sweep.position = position;
        Ok(())
    }

    fn begin_frame(&mut self, sweep: &mut Sweep, run: &mut Run, frame: &Frame) -> Result<()> {
        self.room(sweep, run, frame.position, frame.position)?;
        let revision = frame.stored.entry().revision;
        run.page.begin_frame(frame.position, revision);
        Ok(())
    }

    /// Adds what the log has in `[from, to)` to the run. Behind it the next frame begins at or after
    /// `next`.
    fn gather_bytes(
        &mut self,
        sweep: &mut Sweep,
        run: &mut Run,
        from: u64,
        to: u64,
        next: u64,
    ) -> Result<()> {
        let mut position = from;
        while position < to {
            let room = self.room(sweep, run, position, next)?;
            match self.stretch_at(position)? {
                Stretch::Page(page, range) => {
                    let left = usize::try_from(to - position).unwrap_or(usize::MAX);
                    let count = range.len().min(room).min(left);
                    run.page.add(position, &page[range.start..][..count]);
                    position += count as u64;
                }
                Stretch::Gap(_) | Stretch::Tail(_) | Stretch::End => {
                    return Err(self.corrupt_at(position, "the rest of an entry is missing"));
                }
            }
        }
        Ok(())
    }

    /// How many bytes the run's page takes from `position` on: at least one, because a page without
    /// room is written.
    fn room(
        &mut self,
        sweep: &mut Sweep,
        run: &mut Run,
        position: u64,
        next: u64,
    ) -> Result<usize> {
        let capacity = self.identity.capacity();
        if run.page.room(position, capacity) == 0 {
            self.flush(sweep, run, position, next)?;
        }
        Ok(run.page.room(position, capacity))
    }

    /// The run has come to the end of a page that it takes over; the sweep goes on at `next`. Ends
    /// the run if it may end here, and says whether it did.
    fn cross(
        &mut self,
        sweep: &mut Sweep,
        run: &mut Run,
        boundary: u64,
        next: u64,
        keep: &mut Keep<'_>,
    ) -> Result<bool> {
        run.replaced += 1;
        sweep.position = boundary;
        if boundary < sweep.limit && !self.may_end(sweep, run, boundary, next, keep)? {
            return Ok(false);
        }
        self.flush(sweep, run, boundary, next)?;
        sweep.position = next;
        Ok(true)
    }

    fn may_end(
        &mut self,
        sweep: &mut Sweep,
        run: &Run,
        boundary: u64,
        next: u64,
        keep: &mut Keep<'_>,
    ) -> Result<bool> {
        if run.page.from() == boundary {
            return Ok(true);
        }
        let capacity = self.identity.capacity() as u64;
        let pages = run.written + 1;
        let bytes = run.bytes + run.page.used() as u64;
        if pages > run.replaced || bytes * 16 < pages * capacity * FILL_SIXTEENTHS {
            return Ok(false);
        }
        let Some(live) = self.directory.at(boundary) else {
            return Ok(true);
        };
        let to = live.to;
        let used = u64::from(PageHeader::fields(&self.page(live, Source::Cached)?).used);
        if used * 16 < capacity * POOR_SIXTEENTHS && to < sweep.limit {
            return Ok(false);
        }
        sweep.spend(self.identity.page_size);
        let here = (sweep.position, sweep.before, sweep.open);
        sweep.position = next;
        let is_clean = self.pass_over(sweep, to, keep)?;
        (sweep.position, sweep.before, sweep.open) = here;
        Ok(is_clean)
    }

    /// Writes what the run has gathered as the page up to `to`. From there on the next frame begins
    /// at or after `next`.
    fn flush(&mut self, sweep: &mut Sweep, run: &mut Run, to: u64, next: u64) -> Result<()> {
        if run.page.from() == to {
            return Ok(());
        }
        self.make_room(1)?;
        let end = self.directory.end();
        self.write_gathered(&run.page, to, end)?;
        sweep.spend(self.identity.page_size);
        run.written += 1;
        run.bytes += run.page.used() as u64;
        run.page = Gathered::new(to, sweep.before);
        self.note_rest(to, next, sweep.before)
    }

    /// Where the page ends that holds `position`, or the sweep.
    fn page_end(&self, sweep: &Sweep, position: u64) -> u64 {
        let live = self.directory.at(position);
        live.map_or(sweep.limit, |live| live.to).min(sweep.limit)
    }
}
