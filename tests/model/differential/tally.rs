//! Counting what random histories have done, so that nothing stays untried unnoticed.

use std::collections::BTreeMap;
use std::fmt;

use revwatch::{
    Compare, CompareOp, CompareTarget, KeyRange, Op, OpResponse, PutRequest, RangeRequest,
    SortOrder, SortTarget, TxnRequest, TxnResponse,
};
use revwatch_model::{Answer, Command, Outcome, Watch};

/// How often each operation, option, refusal and noteworthy answer occurred.
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

#[rustfmt::skip]
const WANTED: &[&str] = &[
    "put", "put prev_kv", "put ignore_value", "put ignore_lease", "put lease",
    "delete_range", "delete_range prev_kv", "delete_range of nothing", "delete_range of several",
    "range", "range at a revision", "range limit", "range more", "range sorted by key",
    "range sorted by version", "range sorted by create", "range sorted by mod",
    "range sorted by value", "range ascending", "range descending", "range keys_only",
    "range count_only", "range min_mod", "range max_mod", "range min_create", "range max_create",
    "keys: one", "keys: span", "keys: empty span", "keys: from", "keys: prefix", "keys: all",
    "txn", "txn succeeded", "txn failed", "txn nested", "txn nested twice",
    "txn that put and deleted a key", "compare =", "compare !=", "compare <", "compare >",
    "compare value", "compare version", "compare create", "compare mod", "compare lease",
    "compact", "lease_grant", "lease_grant of any id", "lease_revoke", "lease_revoke of keys",
    "lease_keep_alive", "lease_keep_alive of no lease", "lease_time_to_live",
    "lease_time_to_live of no lease", "lease_time_to_live with keys", "leases", "step", "step that expired keys",
    "history", "watch", "watch of an empty range", "watch prev_kv", "watch no_put",
    "watch no_delete", "live: created", "live: idle", "live: events", "live: compacted",
    "EmptyKey", "RequestTooLarge", "KeyNotFound", "ValueProvided", "LeaseProvided",
    "DuplicateKey", "TooManyOps", "FutureRevision", "Compacted", "LeaseNotFound", "LeaseExists",
    "LeaseTtlTooLarge",
];

const WANTED_OF_PAGES: &[&str] = &["reopen after close", "reopen after a crash"];

impl Tally {
    pub(crate) fn new(has_pages: bool) -> Self {
        let pages = if has_pages { WANTED_OF_PAGES } else { &[] };
        Self(WANTED.iter().chain(pages).map(|&name| (name, 0)).collect())
    }

    /// What never happened.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        self.0
            .iter()
            .filter(|&(_, &count)| count == 0)
            .map(|(&name, _)| name)
            .collect()
    }

    pub(crate) fn count(&mut self, name: &'static str) {
        *self
            .0
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name} is not in the table")) += 1;
    }

    fn count_if(&mut self, happened: bool, name: &'static str) {
        if happened {
            self.count(name);
        }
    }

    /// `changed` says whether it made a revision.
    pub(crate) fn command(&mut self, command: &Command, answer: &Outcome<Answer>, changed: bool) {
        match answer {
            Ok(answer) => self.answered(command, answer),
            Err(code) => self.count(code.name()),
        }
        self.count_if(
            changed && matches!(command, Command::LeaseRevoke { .. }),
            "lease_revoke of keys",
        );
        self.count_if(
            changed && matches!(command, Command::Step { .. }),
            "step that expired keys",
        );
    }

    fn answered(&mut self, command: &Command, answer: &Answer) {
        match (command, answer) {
            (Command::Put(request), _) => self.put(request),
            (Command::DeleteRange(request), Answer::DeleteRange(response)) => {
                self.count("delete_range");
                self.keys(&request.range);
                self.count_if(request.prev_kv, "delete_range prev_kv");
                self.count_if(response.deleted == 0, "delete_range of nothing");
                self.count_if(response.deleted > 1, "delete_range of several");
            }
            (Command::Range(request), Answer::Range(response)) => {
                self.range(request);
                self.count_if(response.more, "range more");
            }
            (Command::Txn(request), Answer::Txn(response)) => self.txn(request, response, 0),
            (Command::LeaseGrant { id, .. }, _) => {
                self.count("lease_grant");
                self.count_if(*id == 0, "lease_grant of any id");
            }
            (Command::LeaseKeepAlive { .. }, Answer::LeaseKeepAlive(response)) => {
                self.count("lease_keep_alive");
                self.count_if(response.ttl_ms == 0, "lease_keep_alive of no lease");
            }
            (Command::LeaseTimeToLive { .. }, Answer::LeaseTimeToLive(response)) => {
                self.count("lease_time_to_live");
                self.count_if(response.ttl_ms == -1, "lease_time_to_live of no lease");
                self.count_if(!response.keys.is_empty(), "lease_time_to_live with keys");
            }
            (Command::Compact { .. }, _) => self.count("compact"),
            (Command::LeaseRevoke { .. }, _) => self.count("lease_revoke"),
            (Command::Leases, _) => self.count("leases"),
            (Command::Step { .. }, _) => self.count("step"),
            _ => panic!("{answer:?} does not answer {command:?}"),
        }
    }

    fn put(&mut self, request: &PutRequest) {
        self.count("put");
        self.count_if(request.prev_kv, "put prev_kv");
        self.count_if(request.ignore_value, "put ignore_value");
        self.count_if(request.ignore_lease, "put ignore_lease");
        self.count_if(request.lease != 0, "put lease");
    }

    fn range(&mut self, request: &RangeRequest) {
        self.count("range");
        self.keys(&request.range);
        self.count_if(request.revision > 0, "range at a revision");
        self.count_if(request.limit > 0, "range limit");
        self.count(match request.sort_target {
            SortTarget::Key => "range sorted by key",
            SortTarget::Version => "range sorted by version",
            SortTarget::Create => "range sorted by create",
            SortTarget::Mod => "range sorted by mod",
            SortTarget::Value => "range sorted by value",
        });
        self.count_if(request.sort_order == SortOrder::Ascend, "range ascending");
        self.count_if(request.sort_order == SortOrder::Descend, "range descending");
        self.count_if(request.keys_only, "range keys_only");
        self.count_if(request.count_only, "range count_only");
        self.count_if(request.min_mod_revision != 0, "range min_mod");
        self.count_if(request.max_mod_revision != 0, "range max_mod");
        self.count_if(request.min_create_revision != 0, "range min_create");
        self.count_if(request.max_create_revision != 0, "range max_create");
    }

    fn keys(&mut self, range: &KeyRange) {
        self.count(match range {
            KeyRange::One(_) => "keys: one",
            KeyRange::Span { start, end } if end <= start => "keys: empty span",
            KeyRange::Span { .. } => "keys: span",
            KeyRange::From(_) => "keys: from",
            KeyRange::Prefix(_) => "keys: prefix",
            KeyRange::All => "keys: all",
        });
    }

    fn txn(&mut self, request: &TxnRequest, response: &TxnResponse, depth: usize) {
        self.count(["txn", "txn nested", "txn nested twice"][depth.min(2)]);
        self.count(if response.succeeded {
            "txn succeeded"
        } else {
            "txn failed"
        });
        request
            .compare
            .iter()
            .for_each(|compare| self.compare(compare));
        let taken = if response.succeeded {
            &request.success
        } else {
            &request.failure
        };
        for (op, response) in taken.iter().zip(&response.responses) {
            match (op, response) {
                (Op::Put(request), _) => self.put(request),
                (Op::Range(request), _) => self.range(request),
                (Op::DeleteRange(request), _) => self.keys(&request.range),
                (Op::Txn(request), OpResponse::Txn(response)) => {
                    self.txn(request, response, depth + 1);
                }
                _ => panic!("{response:?} does not answer {op:?}"),
            }
        }
        self.count_if(
            puts_then_deletes(&response.responses),
            "txn that put and deleted a key",
        );
    }

    fn compare(&mut self, compare: &Compare) {
        self.keys(&compare.range);
        self.count(match compare.op {
            CompareOp::Equal => "compare =",
            CompareOp::NotEqual => "compare !=",
            CompareOp::Less => "compare <",
            CompareOp::Greater => "compare >",
        });
        self.count(match compare.target {
            CompareTarget::Value(_) => "compare value",
            CompareTarget::Version(_) => "compare version",
            CompareTarget::Create(_) => "compare create",
            CompareTarget::Mod(_) => "compare mod",
            CompareTarget::Lease(_) => "compare lease",
        });
    }

    pub(crate) fn watch(&mut self, watch: &Watch, empty: bool) {
        self.count(if empty {
            "watch of an empty range"
        } else {
            "watch"
        });
        self.keys(&watch.range);
        self.count_if(watch.prev_kv, "watch prev_kv");
        self.count_if(watch.no_put, "watch no_put");
        self.count_if(watch.no_delete, "watch no_delete");
    }
}

/// Whether a nested transaction's put is followed by a nested transaction's delete of one key.
fn puts_then_deletes(responses: &[OpResponse]) -> bool {
    let nested = |op: &OpResponse| match op {
        OpResponse::Txn(txn) => txn.responses.first().cloned(),
        _ => None,
    };
    responses.windows(2).any(|pair| {
        matches!(
            (nested(&pair[0]), nested(&pair[1])),
            (Some(OpResponse::Put(_)), Some(OpResponse::DeleteRange(delete))) if delete.deleted == 1
        )
    })
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, count)| writeln!(f, "{count:>9} {name}"))
    }
}
