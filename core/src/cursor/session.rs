//! Cursors that are open: what was delivered since.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::watch::StreamId;

/// A cursor that somebody has opened.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: Vec<u8>,
    /// Delivers through a stream of its own; none while the consumer is yet to be told something.
    pub(crate) stream: Option<StreamId>,
    /// Everything up to here was told.
    pub(crate) delivered: i64,
    /// The newest revision that was told and had an event.
    pub(crate) last_event: i64,
    pub(crate) prev_kv: bool,
    /// Where the consumer's own past ends, until it was told so.
    pub(crate) rewound_to: Option<i64>,
}

/// All open cursors of a store: of each at most one opening.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) by_id: BTreeMap<u64, Session>,
    next_id: u64,
    /// Something was acknowledged that `step` has not written since, and when it is due by the host's
    /// time.
    pub(crate) acks_wait: bool,
    pub(crate) acks_due_ms: Option<i64>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            by_id: BTreeMap::new(),
            next_id: 1,
            acks_wait: false,
            acks_due_ms: None,
        }
    }
}

impl Sessions {
    /// Adds an opening; answers its id, which none had before.
    pub(crate) fn insert(&mut self, session: Session) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.by_id.insert(id, session);
        id
    }

    /// The opening of a cursor.
    pub(crate) fn of(&self, name: &[u8]) -> Option<(u64, &Session)> {
        let mut sessions = self.by_id.iter();
        let (id, session) = sessions.find(|(_, session)| session.name == name)?;
        Some((*id, session))
    }
}
