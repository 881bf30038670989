//! Durable cursors: opening, delivering, acknowledging, and what they hold back.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::task::Waker;

use super::history::{Turn, take_turns};
use super::options::Durability;
use super::store::Store;
use crate::cursor::{
    ACK_WRITTEN_WITHIN_MS, Cursor, CursorReport, CursorRequest, CursorResponse, Session,
};
use crate::error::{Error, Result};
use crate::log::Record;
use crate::page::PageStore;
use crate::watch::{POLL_BYTES, StreamId, WatchRequest, WatchResponse};

/// Names one opening of a cursor. Never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CursorId(u64);

impl<P: PageStore> Store<P> {
    /// Opens the cursor of a name, and makes it if there is none. Delivery begins after what was
    /// acknowledged. Who had the cursor open before no longer has: its polls and acknowledgements
    /// fail with `CursorNotFound`.
    ///
    /// Fails with `CursorExists` if the cursor is there for another range, with `TooManyCursors`,
    /// and with `Compacted` or `FutureRevision` if a new one cannot begin at `start_revision`.
    pub fn cursor(&mut self, request: &CursorRequest) -> Result<CursorId> {
        self.refuse_if_read_only()?;
        self.check_cursor_request(request)?;
        let rewound_to = match request.seen {
            Some(token) => self.rewound_to(token)?,
            None => None,
        };
        let acked_revision = self.find_or_make_cursor(request)?;
        if let Some((id, _)) = self.cursor_sessions.of(&request.name) {
            self.close_cursor(CursorId(id));
        }
        let session = Session {
            name: request.name.clone(),
            stream: None,
            delivered: acked_revision,
            last_event: acked_revision,
            prev_kv: request.prev_kv,
            rewound_to,
        };
        Ok(CursorId(self.cursor_sessions.insert(session)))
    }

    /// Takes the next thing that a cursor's consumer is told, and never blocks. At most `max_events`
    /// and `max_bytes` of keys and values, but at least one whole revision.
    pub fn poll_cursor(
        &mut self,
        cursor: CursorId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<CursorResponse> {
        let mut left = POLL_BYTES;
        take_turns(self, |store| {
            store.poll_cursor_turn(cursor, max_events, max_bytes, &mut left)
        })
    }

    pub(crate) fn poll_cursor_turn(
        &mut self,
        cursor: CursorId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<CursorResponse, P>> {
        let sessions = &mut self.cursor_sessions.by_id;
        let mut session = sessions.remove(&cursor.0).ok_or(Error::CursorNotFound)?;
        let turn = self.advance_cursor(&mut session, max_events, max_bytes, left);
        self.cursor_sessions.by_id.insert(cursor.0, session);
        turn
    }

    /// Takes note that everything up to `revision` was dealt with: the next opening goes on after
    /// it. Nothing happens if that much was acknowledged before. Fails with `AckNotDelivered` if
    /// this opening was not told of so much yet.
    ///
    /// Waits for no sync. The acknowledgement is durable with the next change that is made durable,
    /// with the next `flush` or `close`, or a tenth of a second later by [`step`](Self::step); a
    /// crash before may take it, and what it covered is delivered again.
    pub fn ack_cursor(&mut self, cursor: CursorId, revision: i64) -> Result<()> {
        let session = self.cursor_session(cursor)?;
        let delivered = session.delivered;
        if revision > delivered {
            return Err(Error::AckNotDelivered {
                requested: revision,
                delivered,
            });
        }
        let found = self.cursors.get(&session.name);
        let Cursor {
            id, acked_revision, ..
        } = *found.ok_or(Error::CursorNotFound)?;
        if revision <= acked_revision {
            return Ok(());
        }
        self.log_ack(id, revision)
    }

    /// Everything up to and including this revision was told to this opening, and can be acknowledged.
    pub fn cursor_revision(&self, cursor: CursorId) -> Result<i64> {
        Ok(self.cursor_session(cursor)?.delivered)
    }

    /// Moves a cursor, forward or back: the next poll delivers from `start_revision` on (0: from the
    /// next revision on), and so does the next opening. What was delivered and not acknowledged
    /// counts for nothing afterwards.
    ///
    /// Fails with `Compacted` or `FutureRevision` if history does not reach from there.
    pub fn seek_cursor(&mut self, cursor: CursorId, start_revision: i64) -> Result<()> {
        let name = self.cursor_session(cursor)?.name.clone();
        let acked_revision = self.acked_before(start_revision)?;
        let found = self.cursors.get(&name).ok_or(Error::CursorNotFound)?;
        let moved = Cursor {
            acked_revision,
            ..found.clone()
        };
        self.define_cursor(&name, moved)?;
        let session = self.cursor_sessions.by_id.get_mut(&cursor.0);
        let session = session.ok_or(Error::CursorNotFound)?;
        session.delivered = acked_revision;
        session.last_event = acked_revision;
        session.rewound_to = None;
        if let Some(stream) = session.stream.take() {
            self.close_stream(stream);
        }
        Ok(())
    }

    /// Closes an opening; the cursor stays, and what it holds. One that is not open is no mistake.
    pub fn close_cursor(&mut self, cursor: CursorId) {
        let session = self.cursor_sessions.by_id.remove(&cursor.0);
        if let Some(stream) = session.and_then(|session| session.stream) {
            self.close_stream(stream);
        }
    }

    /// Deletes a cursor, open or not. Fails with `CursorNotFound` if there is none of this name.
    pub fn delete_cursor(&mut self, name: &[u8]) -> Result<()> {
        self.refuse_if_read_only()?;
        let Cursor { id, .. } = *self.cursors.get(name).ok_or(Error::CursorNotFound)?;
        self.log_state(Record::CursorDelete { id })?;
        self.cursors.delete(id);
        if let Some((id, _)) = self.cursor_sessions.of(name) {
            self.close_cursor(CursorId(id));
        }
        Ok(())
    }

    /// All cursors, in the bytewise order of their names. Also in a store opened read-only.
    ///
    /// ```
    /// use revwatch::{CursorRequest, KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.cursor(&CursorRequest::new(b"mailer", KeyRange::All))?;
    /// store.put(b"key", b"value")?;
    /// let report = &store.cursors()[0];
    /// assert_eq!((report.acked_revision, report.lag_revisions), (1, 1));
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn cursors(&self) -> Vec<CursorReport> {
        let revision = self.revision();
        let report = |(name, cursor): (&[u8], &Cursor)| CursorReport {
            name: name.to_vec(),
            range: cursor.range.clone(),
            acked_revision: cursor.acked_revision,
            lag_revisions: revision.saturating_sub(cursor.acked_revision),
            hold: cursor.hold,
            open: self.cursor_sessions.of(name).is_some(),
        };
        self.cursors.iter().map(report).collect()
    }

    /// Whether [`poll_cursor`](Self::poll_cursor) may have more to say than `Idle`.
    pub fn has_cursor_response(&mut self, cursor: CursorId) -> Result<bool> {
        let session = self.cursor_session(cursor)?;
        match session.stream {
            Some(stream) if session.rewound_to.is_none() => self.has_response(stream),
            _ => Ok(true),
        }
    }

    /// Has a task woken, once, when [`poll_cursor`](Self::poll_cursor) may have something to say; see
    /// [`set_waker`](Self::set_waker).
    pub fn set_cursor_waker(&mut self, cursor: CursorId, waker: &Waker) -> Result<()> {
        let session = self.cursor_session(cursor)?;
        match session.stream {
            Some(stream) if session.rewound_to.is_none() => self.set_waker(stream, waker),
            _ => {
                self.hub.wake_now(waker);
                Ok(())
            }
        }
    }

    fn cursor_session(&self, cursor: CursorId) -> Result<&Session> {
        let sessions = &self.cursor_sessions.by_id;
        sessions.get(&cursor.0).ok_or(Error::CursorNotFound)
    }

    fn check_cursor_request(&self, request: &CursorRequest) -> Result<()> {
        let limits = &self.options.limits;
        if request.name.is_empty() || request.name.len() > limits.cursor_name_bytes {
            return Err(Error::InvalidOption(format!(
                "a cursor's name of {} bytes is not possible: give at least one and at most {} \
                 bytes, or raise `cursor_name_bytes`",
                request.name.len(),
                limits.cursor_name_bytes
            )));
        }
        if let Some(token) = request.seen.filter(|token| token.revision < 0) {
            return Err(Error::InvalidOption(format!(
                "a resume token of revision {} was never given: open the cursor without one",
                token.revision
            )));
        }
        if request.range.lacks_key() {
            return Err(Error::EmptyKey);
        }
        if request.range.is_empty() {
            return Err(Error::EmptyWatchRange);
        }
        let (key, range_end) = request.range.to_etcd();
        let bytes = key.len().saturating_add(range_end.len());
        if bytes > limits.request_bytes {
            return Err(Error::RequestTooLarge {
                bytes,
                limit: limits.request_bytes,
            });
        }
        Ok(())
    }

    /// Answers what the cursor has acknowledged.
    fn find_or_make_cursor(&mut self, request: &CursorRequest) -> Result<i64> {
        let Some(found) = self.cursors.get(&request.name) else {
            let limit = self.options.limits.cursors;
            if self.cursors.len() >= limit {
                return Err(Error::TooManyCursors { limit });
            }
            let cursor = Cursor {
                id: self.cursors.free_id(),
                range: request.range.clone(),
                acked_revision: self.acked_before(request.start_revision)?,
                hold: request.hold,
            };
            let acked_revision = cursor.acked_revision;
            self.define_cursor(&request.name, cursor)?;
            return Ok(acked_revision);
        };
        if found.range.to_etcd() != request.range.to_etcd() {
            return Err(Error::CursorExists {
                name: request.name.as_slice().into(),
            });
        }
        let acked_revision = found.acked_revision;
        if found.hold != request.hold {
            let changed = Cursor {
                hold: request.hold,
                ..found.clone()
            };
            self.define_cursor(&request.name, changed)?;
        }
        Ok(acked_revision)
    }

    /// What counts as acknowledged if delivery is to begin with a revision, or with 0 the next one.
    fn acked_before(&self, start_revision: i64) -> Result<i64> {
        let current = self.revision();
        if start_revision == 0 {
            return Ok(current);
        }
        let compact_revision = self.revisions.compact_revision();
        if start_revision < compact_revision.max(1) {
            return Err(Error::Compacted {
                requested: start_revision,
                compact_revision,
            });
        }
        if start_revision - 1 > current {
            return Err(Error::FutureRevision {
                requested: start_revision,
                current,
            });
        }
        Ok(start_revision - 1)
    }

    /// Logs what a cursor is from now on, as durable as any other change.
    pub(super) fn define_cursor(&mut self, name: &[u8], cursor: Cursor) -> Result<()> {
        let (key, range_end) = cursor.range.to_etcd();
        self.log_state(Record::Cursor {
            id: cursor.id,
            name,
            key: &key,
            range_end: &range_end,
            lag: self.revision().abs_diff(cursor.acked_revision),
            hold: cursor.hold,
        })?;
        self.cursors.define(name, cursor);
        Ok(())
    }

    fn log_ack(&mut self, id: u64, revision: i64) -> Result<()> {
        let lag = self.revision().abs_diff(revision);
        self.revisions.append_state(Record::CursorAck { id, lag })?;
        self.cursors.ack(id, revision);
        self.cursor_sessions.acks_wait = true;
        if self.cursor_sessions.acks_due_ms.is_none() {
            let due_ms = |now_ms: i64| now_ms.saturating_add(ACK_WRITTEN_WITHIN_MS);
            self.cursor_sessions.acks_due_ms = self.now_ms.map(due_ms);
        }
        Ok(())
    }

    /// Acknowledgements ride with other changes, but not for ever.
    pub(super) fn write_acks_if_due(&mut self, now_ms: i64) -> Result<()> {
        let sessions = &mut self.cursor_sessions;
        if !sessions.acks_wait {
            return Ok(());
        }
        let in_time = now_ms.saturating_add(ACK_WRITTEN_WITHIN_MS);
        if now_ms < *sessions.acks_due_ms.get_or_insert(in_time) {
            return Ok(());
        }
        sessions.acks_wait = false;
        sessions.acks_due_ms = None;
        match self.options.durability {
            Durability::Never => self.revisions.log_mut().write_tail(),
            Durability::Commit | Durability::Batch { .. } => self.sync_now(),
        }
    }

    fn advance_cursor(
        &mut self,
        session: &mut Session,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<CursorResponse, P>> {
        if let Some(revision) = session.rewound_to.take() {
            return Ok(Turn::Done(CursorResponse::Rewound { revision }));
        }
        let stream = match session.stream {
            Some(stream) => stream,
            None => self.open_cursor_stream(session)?,
        };
        loop {
            let response = match self.poll_turn(stream, max_events, max_bytes, left)? {
                Turn::Done(response) => response,
                Turn::Read(errand) => return Ok(Turn::Read(errand)),
            };
            let answer = match response {
                WatchResponse::Events { events, .. } => {
                    let last = events.get(events.len().saturating_sub(1));
                    let revision = last.map_or(session.delivered, |last| last.kv.mod_revision);
                    session.delivered = revision;
                    session.last_event = revision;
                    CursorResponse::Events { revision, events }
                }
                WatchResponse::Compacted {
                    compact_revision, ..
                } => {
                    self.close_stream(stream);
                    session.stream = None;
                    session.delivered = session.delivered.max(compact_revision - 1);
                    // Only the consumer may acknowledge that this is lost.
                    session.last_event = session.delivered;
                    CursorResponse::Compacted { compact_revision }
                }
                WatchResponse::Idle => {
                    self.note_delivered(session)?;
                    let revision = session.delivered;
                    CursorResponse::Idle { revision }
                }
                // Nobody else knows the stream, so nothing else is said of its watcher.
                _ => continue,
            };
            return Ok(Turn::Done(answer));
        }
    }

    fn open_cursor_stream(&mut self, session: &mut Session) -> Result<StreamId> {
        let cursor = self.cursors.get(&session.name);
        let range = cursor.ok_or(Error::CursorNotFound)?.range.clone();
        let request = WatchRequest {
            start_revision: session.delivered.saturating_add(1),
            prev_kv: session.prev_kv,
            ..WatchRequest::new(range)
        };
        let stream = self.watch_stream();
        if let Err(error) = self.watch(stream, &request) {
            self.close_stream(stream);
            return Err(error);
        }
        session.stream = Some(stream);
        Ok(stream)
    }

    /// Where a stream has nothing to say and nothing to look for, all that is published was told.
    fn note_delivered(&mut self, session: &mut Session) -> Result<()> {
        if let Some(stream) = session.stream
            && !self.has_response(stream)?
        {
            session.delivered = session.delivered.max(self.published);
        }
        Ok(())
    }

    /// Fails with `HeldByCursor` if a cursor keeps history from being compacted at `revision`.
    pub(super) fn check_holds(&mut self, revision: i64) -> Result<()> {
        if self.held_from(revision)? >= revision {
            return Ok(());
        }
        let max_hold_revisions = self.options.limits.max_hold_revisions;
        let strictest = self
            .cursors
            .strictest_hold(self.revision(), max_hold_revisions);
        let Some((name, cursor, held_from)) = strictest else {
            return Ok(());
        };
        Err(Error::HeldByCursor {
            name: Box::from(name),
            acked_revision: cursor.acked_revision,
            requested: revision,
            held_from,
        })
    }

    /// The last revision, up to `wanted`, at which cursors let history be compacted. A cursor that
    /// has acknowledged all that there was for it first moves on over what was not.
    pub(super) fn held_from(&mut self, wanted: i64) -> Result<i64> {
        if self.strictest_held_from() < wanted {
            self.move_quiet_cursors()?;
        }
        Ok(self.strictest_held_from().min(wanted))
    }

    fn strictest_held_from(&self) -> i64 {
        let max_hold_revisions = self.options.limits.max_hold_revisions;
        let strictest = self
            .cursors
            .strictest_hold(self.revision(), max_hold_revisions);
        strictest.map_or(i64::MAX, |(_, _, held_from)| held_from)
    }

    fn move_quiet_cursors(&mut self) -> Result<()> {
        let ids: Vec<u64> = self.cursor_sessions.by_id.keys().copied().collect();
        for id in ids {
            let Some(mut session) = self.cursor_sessions.by_id.remove(&id) else {
                continue;
            };
            let noted = self.note_delivered(&mut session);
            let found = self.cursors.get(&session.name).map(ToOwned::to_owned);
            let (last_event, delivered) = (session.last_event, session.delivered);
            self.cursor_sessions.by_id.insert(id, session);
            noted?;
            if let Some(cursor) = found
                && cursor.hold
                && last_event <= cursor.acked_revision
                && delivered > cursor.acked_revision
            {
                self.log_ack(cursor.id, delivered)?;
            }
        }
        Ok(())
    }
}
