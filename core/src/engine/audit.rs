//! Comparing what is in memory with what the log adds up to.

use super::store::Store;
use crate::cursor::Cursors;
use crate::error::{Error, Result};
use crate::lease::Lessor;
use crate::log::{Entry, Position};
use crate::page::PageStore;
use crate::store::Audit;

/// Everything that the entries of the log up to some place say.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    keys: Audit,
    lessor: Lessor,
    cursors: Cursors,
    /// How often something was reclaimed when it began.
    reclaimed: u64,
}

impl<P: PageStore> Store<P> {
    pub(super) fn begin_comparison(&self) -> Comparison {
        Comparison {
            keys: self.revisions.begin_audit(),
            lessor: Lessor::with_seed(self.options.seed),
            cursors: Cursors::default(),
            reclaimed: self.reclaim.slices(),
        }
    }

    /// Compares the next entry of the log with what is known of its key. After a failed write the log
    /// may hold what never counted, and what a writer in another process has moved is not what it was:
    /// nothing is said of such logs.
    pub(super) fn compare_next(
        &self,
        comparison: &mut Comparison,
        position: Position,
        entry: &Entry<'_>,
    ) -> Result<()> {
        let log = self.revisions.log();
        if log.is_poisoned() {
            return Ok(());
        }
        comparison.lessor.replay(entry);
        comparison.cursors.replay(entry);
        let outcome = self.revisions.audit(&mut comparison.keys, position, entry);
        if log.is_outdated() {
            return Ok(());
        }
        outcome
    }

    /// After the last entry, compares what all of them add up to. If something was reclaimed since it
    /// began, what was read before and what was read after it do not add up, and nothing is said.
    pub(super) fn compare_all(&self, comparison: &Comparison) -> Result<()> {
        let log = self.revisions.log();
        let was_reclaimed = comparison.reclaimed != self.reclaim.slices();
        if log.is_poisoned() || log.is_outdated() || was_reclaimed {
            return Ok(());
        }
        self.revisions.finish_audit(&comparison.keys)?;
        let differs = |what: alloc::string::String| Error::Corrupt {
            page: log.last_slot(),
            what,
        };
        if let Some(id) = comparison.lessor.first_difference(&self.lessor) {
            let what = "is another in memory than in the log";
            return Err(differs(alloc::format!("the lease {id:x} {what}")));
        }
        if comparison.cursors.iter().ne(self.cursors.iter()) {
            return Err(differs(
                "the cursors are others in memory than in the log".into(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::CursorRequest;
    use crate::engine::Options;
    use crate::error::ErrorCode;
    use crate::log::Record;
    use crate::page::MemoryPages;
    use crate::range::KeyRange;
    use crate::revision::Revision;
    use crate::store::{DeleteRangeRequest, PutRequest};

    fn filled() -> Store {
        let mut store = Store::in_memory(Options::default());
        store.put(b"a", b"1").unwrap();
        store.put(b"a", b"2").unwrap();
        store.lease_grant(7, 5_000).unwrap();
        let put = PutRequest {
            lease: 7,
            ..PutRequest::new(b"b", b"")
        };
        store.put_with(&put).unwrap();
        store
            .cursor(&CursorRequest::new(b"c", KeyRange::All))
            .unwrap();
        store.check().unwrap();
        store
    }

    fn named(store: &Store) -> alloc::string::String {
        let error = store.check().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Corrupt);
        alloc::format!("{error}")
    }

    #[test]
    fn a_lease_or_cursor_that_the_log_lacks_is_named() {
        let mut store = filled();
        store.lessor.attach(b"b", 0);
        assert!(named(&store).contains("the lease 7 is another"));
        let mut store = filled();
        store.lessor.grant(0x1f, 5_000);
        assert!(named(&store).contains("the lease 1f is another"));
        let mut store = filled();
        store.cursors.ack(1, 1);
        assert!(named(&store).contains("the cursors are others"));
    }

    #[test]
    fn a_change_that_the_index_lacks_or_has_otherwise_is_named_with_its_key() {
        let appended = |record| {
            let mut store = filled();
            let revision = Revision::first_of(store.revision() + 1);
            let entry = Entry {
                revision,
                last: true,
                record,
            };
            store.revisions.log_mut().append(&entry).unwrap();
            named(&store)
        };
        assert!(
            appended(put(b"new", 0, 1))
                .contains("the key \"new\" at revision 5.0: the index lacks")
        );
        assert!(appended(put(b"a", 0, 9)).contains("\"a\" at revision 5.0"));
        assert!(appended(Record::Delete { key: b"a" }).contains("\"a\" at revision 5.0"));
    }

    /// What check says of a store whose log goes on with these changes, and that has learned them from
    /// it: at revisions 10.0, 10.1 and so on, after a delete of the key `gone` at 8 and the second put of
    /// the key `here` at 9.
    fn verdict(records: &[Record<'_>], compact_revision: i64) -> Result<()> {
        let pages = MemoryPages::new(512);
        let mut store = Store::open(pages.clone(), Options::default()).unwrap();
        while store.revision() < 6 {
            store.put(b"other", b"").unwrap();
        }
        store.put(b"gone", b"").unwrap();
        store
            .delete_range(&DeleteRangeRequest::new(KeyRange::one(b"gone")))
            .unwrap();
        store.put(b"here", b"").unwrap();
        if compact_revision > 0 {
            store.compact(compact_revision).unwrap();
            store.step(0, 1 << 20).unwrap();
        }
        for (sub, record) in (0..).zip(records) {
            let entry = Entry {
                revision: Revision { main: 10, sub },
                last: sub as usize + 1 == records.len(),
                record: *record,
            };
            store.revisions.log_mut().append(&entry).unwrap();
        }
        store.flush().unwrap();
        drop(store);
        let mut store = Store::open(pages, Options::default()).unwrap();
        assert_eq!(store.revision(), 10);
        store.check()?;
        // The index forgets what was compacted; the log has too little of it to be swept.
        while store.status().compacting {
            store.step(0, 1 << 20)?;
        }
        store.check()
    }

    fn put(key: &[u8], age: u64, version: u64) -> Record<'_> {
        Record::Put {
            key,
            value: b"",
            age,
            version,
            lease: 0,
        }
    }

    #[test]
    fn a_put_that_does_not_follow_from_the_change_before_it_is_named() {
        for (record, is_right) in [
            (put(b"here", 1, 2), true),
            (put(b"here", 1, 1), false),
            (put(b"here", 1, 3), false),
            (put(b"gone", 0, 1), true),
            (put(b"gone", 3, 2), false),
            (put(b"new", 0, 1), true),
            (put(b"new", 2, 2), false),
            (put(b"new", 2, 1), false),
        ] {
            let verdict = verdict(&[record], 0);
            assert_eq!(verdict.is_ok(), is_right, "{record:?}: {verdict:?}");
            if let Err(error) = verdict {
                assert!(alloc::format!("{error}").contains("at revision 10.0"));
            }
        }
    }

    #[test]
    fn a_change_in_the_middle_of_a_transaction_is_compared_with_the_one_before_it() {
        let delete = Record::Delete { key: b"here" };
        verdict(&[delete, put(b"here", 0, 1)], 0).unwrap();
        verdict(&[put(b"here", 1, 2), delete, put(b"new", 0, 1)], 0).unwrap();
        let put_of_two_lives = [delete, put(b"here", 1, 2)];
        assert!(verdict(&put_of_two_lives, 0).is_err());
        // What the index says is right, for the last change of the key is.
        let hidden = [put(b"here", 1, 5), delete];
        assert!(verdict(&hidden, 0).is_err());
    }

    #[test]
    fn what_compaction_has_dropped_is_not_missed() {
        // All puts of `other` but the last, and the delete of `gone`, may be gone.
        for compacted in 1..10 {
            verdict(&[put(b"other", 8, 6), put(b"gone", 0, 1)], compacted).unwrap();
        }
        assert!(verdict(&[put(b"other", 8, 7)], 9).is_err());
        assert!(verdict(&[put(b"gone", 0, 2)], 9).is_err());
    }

    #[test]
    fn keys_that_only_the_index_has_are_noticed() {
        let mut store = filled();
        let (revision, end) = (Revision::first_of(4), store.revisions.log().end());
        store
            .revisions
            .index_a_put_for_tests(b"ghost", revision, end, 1);
        assert!(named(&store).contains("the log has 2 keys, the index 3"));
    }

    #[test]
    fn a_put_that_the_index_has_otherwise_is_named() {
        let revision = Revision::first_of(5);
        let indexed = |key: &[u8], version, is_elsewhere| {
            let mut store = filled();
            let entry = Entry {
                revision,
                last: true,
                record: put(b"new", 0, 1),
            };
            let position = store.revisions.log_mut().append(&entry).unwrap();
            let position = Position(position.0 + u64::from(is_elsewhere));
            store
                .revisions
                .index_a_put_for_tests(key, revision, position, version);
            store
        };
        indexed(b"new", 1, false).check().unwrap();
        assert!(
            named(&indexed(b"new", 2, false)).contains("\"new\" at revision 5.0: the index has")
        );
        assert!(named(&indexed(b"new", 1, true)).contains("at another place"));
        assert!(named(&indexed(b"old", 1, false)).contains("the index lacks it"));
    }

    #[test]
    fn a_check_ends_at_its_total_though_the_newest_entries_are_on_no_page_yet() {
        let store = filled();
        let mut check = store.begin_check();
        while !store.check_step(&mut check, 16).unwrap() {}
        let progress = store.check_progress(&check);
        assert!(progress.done > 0 && progress.done == progress.total);
    }
}
