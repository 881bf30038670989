//! Counting what random histories have done, so that nothing stays untried unnoticed.

use std::collections::BTreeMap;
use std::fmt;

use revwatch::{
    Compare, CompareOp, CompareTarget, KeyRange, Op, OpResponse, PutRequest, RangeRequest,
    SortOrder, SortTarget, TxnRequest, TxnResponse,
};
use revwatch_model::{Answer, Command, Outcome, Watch};

/// How often each operation, option, refusal and noteworthy answer occurred.
pub(crate) struct Tally(BTreeMap<String, u64>);

#[rustfmt::skip]
const WANTED: &[&str] = &[
    "put", "put prev_kv", "put ignore_value", "put ignore_lease", "put lease",
    "delete_range", "delete_range prev_kv", "delete_range of nothing", "delete_range of several",
    "range", "range at a revision", "range limit", "range more", "range keys_only",
    "range count_only", "range min_mod", "range max_mod", "range min_create", "range max_create",
    "keys: one", "keys: span", "keys: empty span", "keys: from", "keys: prefix", "keys: all",
    "txn", "txn succeeded", "txn failed", "txn nested", "txn nested twice",
    "txn that put and deleted a key",
    "compact", "lease_grant", "lease_grant of any id", "lease_revoke", "lease_revoke of keys",
    "lease_keep_alive", "lease_keep_alive of no lease", "lease_time_to_live",
    "lease_time_to_live of no lease", "lease_time_to_live with keys", "leases", "step",
    "step that expired keys", "hash_kv", "hash_kv of the past", "range_stream",
    "range_stream at its end", "range_stream overtaken by compaction",
    "history", "watch", "watch of an empty range", "watch prev_kv", "watch no_put",
    "watch no_delete", "live: events",
    "EmptyKey", "RequestTooLarge", "KeyNotFound", "ValueProvided", "LeaseProvided",
    "DuplicateKey", "TooManyOps", "FutureRevision", "Compacted", "LeaseNotFound", "LeaseExists",
    "LeaseTtlTooLarge",
];

const SORT_ORDERS: [SortOrder; 3] = [SortOrder::None, SortOrder::Ascend, SortOrder::Descend];
const SORT_TARGETS: [SortTarget; 5] = [
    SortTarget::Key,
    SortTarget::Version,
    SortTarget::Create,
    SortTarget::Mod,
    SortTarget::Value,
];

/// Every target of a sort in every order; every target of a comparison with every operator, over one
/// key and over a range, with either outcome.
fn combinations() -> impl Iterator<Item = String> {
    let sorts = SORT_TARGETS
        .into_iter()
        .flat_map(|target| SORT_ORDERS.map(|order| sort_name(target, order)));
    let compares = ["value", "version", "create", "mod", "lease"]
        .into_iter()
        .flat_map(|target| ["=", "!=", "<", ">"].map(|op| (target, op)))
        .flat_map(|(target, op)| {
            let outcomes = [(true, true), (true, false), (false, true), (false, false)];
            outcomes.map(|(one, holds)| compare_name(target, op, one, holds))
        });
    sorts.chain(compares)
}

fn sort_name(target: SortTarget, order: SortOrder) -> String {
    let words = format!("range sorted by {target:?}, {order:?}");
    words.to_lowercase()
}

fn compare_name(target: &str, op: &str, one: bool, holds: bool) -> String {
    let keys = if one { "a key" } else { "a range" };
    let outcome = if holds { "holds" } else { "does not" };
    format!("compare {target} {op} over {keys}: {outcome}")
}

impl Tally {
    /// Of what is wanted everywhere, and of what is possible only in some histories.
    pub(crate) fn new(besides: &[&str]) -> Self {
        let names = [WANTED, besides].concat().into_iter().map(String::from);
        Self(names.chain(combinations()).map(|name| (name, 0)).collect())
    }

    /// What never happened.
    pub(crate) fn missing(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter(|&(_, &count)| count == 0)
            .map(|(name, _)| name.as_str())
            .collect()
    }

    pub(crate) fn count(&mut self, name: &str) {
        *self
            .0
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name} is not in the table")) += 1;
    }

    fn count_if(&mut self, happened: bool, name: &str) {
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
            (Command::HashKv { revision }, _) => {
                self.count("hash_kv");
                self.count_if(*revision > 0, "hash_kv of the past");
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
        self.count(&sort_name(request.sort_target, request.sort_order));
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

    /// Comparisons with their outcomes.
    pub(crate) fn comparisons(&mut self, comparisons: &[(&Compare, bool)]) {
        for (compare, holds) in comparisons {
            self.comparison(compare, *holds);
        }
    }

    fn comparison(&mut self, compare: &Compare, holds: bool) {
        self.keys(&compare.range);
        let op = match compare.op {
            CompareOp::Equal => "=",
            CompareOp::NotEqual => "!=",
            CompareOp::Less => "<",
            CompareOp::Greater => ">",
        };
        let target = match compare.target {
            CompareTarget::Value(_) => "value",
            CompareTarget::Version(_) => "version",
            CompareTarget::Create(_) => "create",
            CompareTarget::Mod(_) => "mod",
            CompareTarget::Lease(_) => "lease",
        };
        let one = matches!(compare.range, KeyRange::One(_));
        self.count(&compare_name(target, op, one, holds));
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
