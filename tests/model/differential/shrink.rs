//! Making a failing history short enough to read.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::action::Action;
use crate::pair::{Pair, Setup, Verdict};

/// Runs `act`; a panic in the store is a difference like any other.
pub(crate) fn without_panic(act: impl FnOnce() -> Verdict) -> Verdict {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("of an unknown kind")))
    })
}

/// Leaves out what is not needed for the difference to remain, and describes what is left.
pub(crate) fn shrink(setup: Setup, mut actions: Vec<Action>, what: &str) -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let mut part = actions.len().div_ceil(2);
    let mut attempts = 3_000;
    while part > 0 && attempts > 0 {
        let mut start = 0;
        let mut shorter = false;
        while start < actions.len() && attempts > 0 {
            attempts -= 1;
            let mut fewer = actions.clone();
            fewer.drain(start..actions.len().min(start + part));
            if let Some((end, _)) =
                difference(setup, &fewer).filter(|(_, other)| is_alike(what, other))
            {
                fewer.truncate(end + 1);
                actions = fewer;
                shorter = true;
            } else {
                start += part;
            }
        }
        part = if shorter {
            part.min(actions.len())
        } else {
            part / 2
        };
    }
    let what = difference(setup, &actions);
    drop(std::panic::take_hook());
    let mut text = String::new();
    for action in &actions {
        writeln!(text, "  {}", readable(&format!("{action:?}"))).expect("a string takes all");
    }
    text + &what.map_or("no difference the second time".into(), |(_, what)| what)
}

/// A request as short as it can be said: without what it leaves at its default, and with bytes as
/// text.
fn readable(debug: &str) -> String {
    let mut text = String::new();
    let mut rest = debug;
    while let Some(start) = rest.find('[') {
        let end = start + rest[start..].find(']').unwrap_or(rest.len() - start - 1);
        let bytes: Result<Vec<u8>, _> = rest[start + 1..end].split(", ").map(str::parse).collect();
        match bytes {
            Ok(bytes) if bytes.len() > 40 => {
                write!(text, "{}[{} bytes]", &rest[..start], bytes.len())
            }
            Ok(bytes) => write!(text, "{}\"{}\"", &rest[..start], bytes.escape_ascii()),
            Err(_) => write!(text, "{}", &rest[..=start]),
        }
        .expect("a string takes all");
        rest = if text.ends_with('[') {
            &rest[start + 1..]
        } else {
            &rest[end + 1..]
        };
    }
    text.push_str(rest);
    for default in [
        ", prev_kv: false",
        ", ignore_value: false",
        ", ignore_lease: false",
        ", keys_only: false",
        ", count_only: false",
        ", revision: 0",
        ", limit: 0",
        ", lease: 0",
        ", min_mod_revision: 0",
        ", max_mod_revision: 0",
        ", min_create_revision: 0",
        ", max_create_revision: 0",
        ", sort_order: None",
        ", sort_target: Key",
    ] {
        text = text.replace(default, "");
    }
    text
}

/// Whether two differences are of one kind: in the same thing, and if it is about refusals, the
/// same ones.
fn is_alike(one: &str, other: &str) -> bool {
    let kind = |what: &str| -> Vec<String> {
        let refusals = what.lines().skip(1).filter(|line| line.contains("Err("));
        what.lines()
            .take(1)
            .chain(refusals)
            .map(String::from)
            .collect()
    };
    kind(one) == kind(other)
}

/// Where the first difference is, and what it is.
fn difference(setup: Setup, actions: &[Action]) -> Option<(usize, String)> {
    let mut pair = Pair::new(setup);
    actions.iter().enumerate().find_map(|(i, action)| {
        without_panic(|| pair.act(action, None).map(drop))
            .err()
            .map(|what| (i, what))
    })
}
