//! One watcher that is there all the time, reads slowly, and is overtaken by compaction.

use revwatch::page::MemoryPages;
use revwatch::{KeyRange, Store, StreamId, WatchRequest, WatchResponse};
use revwatch_model::Model;

use crate::pair::{BUDGET_BYTES, Verdict, same};
use crate::tally::Tally;

pub(crate) struct Live {
    stream: StreamId,
    /// How many of the model's changes it has been told of, or need not be.
    told: usize,
}

impl Live {
    /// Watches everything from now on; so many changes there are by now.
    pub(crate) fn open(store: &mut Store<MemoryPages>, told: usize) -> Self {
        let stream = store.watch_stream();
        let request = WatchRequest::new(KeyRange::All);
        store
            .watch(stream, &request)
            .expect("everything can be watched");
        Self { stream, told }
    }

    pub(crate) fn poll(
        &mut self,
        store: &mut Store<MemoryPages>,
        model: &Model,
        polls: usize,
        max_events: usize,
        mut tally: Option<&mut Tally>,
    ) -> Verdict {
        for _ in 0..polls {
            let response = store.poll(self.stream, max_events, BUDGET_BYTES);
            let name = match response.map_err(|error| error.to_string())? {
                WatchResponse::Created { .. } => "live: created",
                WatchResponse::Idle => "live: idle",
                WatchResponse::Events { events, .. } => {
                    for event in events.iter() {
                        self.told_of(model, &event.to_owned())?;
                    }
                    self.whole_revisions(model)?;
                    "live: events"
                }
                WatchResponse::Compacted {
                    compact_revision, ..
                } => {
                    self.compacted(store, model, compact_revision)?;
                    "live: compacted"
                }
                other => return Err(format!("the live watcher was told {other:?}")),
            };
            if let Some(tally) = &mut tally {
                tally.count(name);
            }
        }
        Ok(())
    }

    /// The event must be the next change. Passed over may only be what compaction at exactly that
    /// revision took because a later change of the same transaction replaced it.
    fn told_of(&mut self, model: &Model, event: &revwatch::Event) -> Verdict {
        for change in &model.changes()[self.told..] {
            self.told += 1;
            if (change.kind, &change.kv) == (event.kind, &event.kv) {
                return Ok(());
            }
            if !model.was_compacted_at_its_revision(change) {
                return Err(format!(
                    "the live watcher was told {event:?}, but not {change:?}"
                ));
            }
        }
        Err(format!(
            "the live watcher was told {event:?}, which never happened or was told before"
        ))
    }

    fn whole_revisions(&mut self, model: &Model) -> Verdict {
        let changes = model.changes();
        let last = changes[self.told - 1].revision.main;
        while let Some(next) = changes
            .get(self.told)
            .filter(|next| next.revision.main == last)
        {
            if !model.was_compacted_at_its_revision(next) {
                return Err(format!(
                    "the live watcher was told revision {last} in parts"
                ));
            }
            self.told += 1;
        }
        Ok(())
    }

    /// History was lost to the watcher only if it needed it. It goes on where history begins.
    fn compacted(
        &mut self,
        store: &mut Store<MemoryPages>,
        model: &Model,
        compact_revision: i64,
    ) -> Verdict {
        let changes = model.changes();
        let wanted = changes
            .get(self.told)
            .map_or(i64::MAX, |change| change.revision.main);
        same(
            "the compacted watcher had lost something",
            &(wanted < compact_revision),
            &true,
        )?;
        let start_revision = model.compact_revision();
        store.close_stream(self.stream);
        self.stream = store.watch_stream();
        let request = WatchRequest {
            start_revision,
            ..WatchRequest::new(KeyRange::All)
        };
        store
            .watch(self.stream, &request)
            .map_err(|error| error.to_string())?;
        self.told = changes.partition_point(|change| change.revision.main < start_revision);
        Ok(())
    }
}
