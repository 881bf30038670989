//! Revisions: the numbers that order every change.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The position of one change in the history of a store.
///
/// `main` counts transactions, `sub` counts the changes inside one of them. An empty store is at
/// `main` 1; the first transaction that changes something makes 2.
///
/// ```
/// use revwatch::Revision;
///
/// let put = Revision { main: 7, sub: 0 };
/// let next_change_of_the_same_transaction = Revision { main: 7, sub: 1 };
/// assert!(put < next_change_of_the_same_transaction);
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Revision {
    /// The transaction: what etcd calls *the* revision.
    pub main: i64,
    /// The change within the transaction, from 0, in the order of execution.
    pub sub: u32,
}

impl Revision {
    /// The first change of transaction `main`.
    pub const fn first_of(main: i64) -> Self {
        Self { main, sub: 0 }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.main, self.sub)
    }
}

/// A point in history that stays meaningful after a crash.
///
/// A crash may lose revisions that were not yet durable, and their numbers are then used again.
/// Each unclean opening starts a new epoch, so a token taken from revisions that were lost is
/// recognised and answered with `Rewound` instead of a silent gap.
///
/// ```
/// use revwatch::{Store, Options};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value").unwrap();
/// let token = store.resume_token();
/// assert_eq!((token.epoch, token.revision), (1, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResumeToken {
    /// The epoch in which `revision` was seen.
    pub epoch: i64,
    /// The last revision that was seen; what follows it is still wanted.
    pub revision: i64,
}
