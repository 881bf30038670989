//! Verifying that what is in memory is what the log adds up to.

use super::store::Store;
use crate::cursor::Cursors;
use crate::error::{Error, Result};
use crate::lease::Lessor;
use crate::page::PageStore;

impl<P: PageStore> Store<P> {
    /// Compares keys, leases and cursors with what the whole log says of them; the pages were
    /// verified before. After a failed write the log may hold what never counted, so nothing is
    /// compared then.
    pub(super) fn audit(&self) -> Result<()> {
        if self.revisions.log().is_poisoned() {
            return Ok(());
        }
        let mut lessor = Lessor::default();
        let mut cursors = Cursors::default();
        self.revisions.audit(&mut |entry| {
            lessor.replay(entry);
            cursors.replay(entry);
        })?;
        if self.revisions.log().is_outdated() {
            return Ok(());
        }
        let differs = |what: alloc::string::String| Error::Corrupt {
            page: self.revisions.log().last_slot(),
            what,
        };
        if let Some(id) = lessor.first_difference(&self.lessor) {
            let what = "is another in memory than in the log";
            return Err(differs(alloc::format!("the lease {id:x} {what}")));
        }
        if cursors.iter().ne(self.cursors.iter()) {
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
    use crate::log::{Entry, Record};
    use crate::range::KeyRange;
    use crate::revision::Revision;
    use crate::store::PutRequest;

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
        let put = |key, version| Record::Put {
            key,
            value: b"",
            age: 0,
            version,
            lease: 0,
        };
        assert!(
            appended(put(b"new", 1)).contains("the key \"new\" at revision 5.0: the index lacks")
        );
        assert!(appended(put(b"a", 9)).contains("\"a\" at revision 5.0"));
        assert!(appended(Record::Delete { key: b"a" }).contains("\"a\" at revision 5.0"));
    }

    #[test]
    fn keys_that_only_the_index_has_are_noticed() {
        let mut store = filled();
        store.revisions.index_a_key_for_tests(b"ghost");
        assert!(named(&store).contains("the log has 2 keys, the index 3"));
    }
}
