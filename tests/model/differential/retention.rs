//! What a store may compact by itself, and by when it must have.

use revwatch::Retention;

/// The window is divided so often, and may exceed its bound by one part.
const PARTS: i64 = 16;

/// What was current when, since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Window {
    steps: Vec<(i64, i64)>,
}

impl Window {
    /// Notes a step at `now_ms` with `revision` current, and gives the least and the greatest revision
    /// that the store may be compacted at after it: what a bound keeps is still there, and what all
    /// bounds let go for longer than a part of the window is gone. None where nothing is let go.
    pub(crate) fn step(
        &mut self,
        retention: Retention,
        now_ms: i64,
        revision: i64,
    ) -> Option<(i64, i64)> {
        self.steps.push((now_ms, revision));
        let mut bounds = Vec::new();
        if retention.revisions > 0 {
            let newest = revision - retention.revisions;
            bounds.push((newest - retention.revisions / PARTS, newest));
        }
        if retention.ms > 0 {
            let part_ms = (retention.ms / PARTS).max(1);
            let last_before = |ms: i64| {
                let old = self.steps.iter().rev().find(|&&(then_ms, _)| then_ms <= ms);
                old.copied().unwrap_or((ms, -1))
            };
            // The store learns in steps how old a revision is, and looks once in a part.
            let (seen_ms, greatest) = last_before(now_ms - retention.ms);
            let (_, least) = last_before(seen_ms - part_ms);
            bounds.push((least, greatest));
        }
        let least = bounds.iter().map(|&(least, _)| least).min()?;
        let greatest = bounds.iter().map(|&(_, greatest)| greatest).min()?;
        Some((least, greatest))
    }
}
