//! Reading the past, in pages and by watching.

use revwatch::{ErrorCode, Event, EventKind, KeyRange, StreamId, WatchRequest, WatchResponse};
use revwatch_model::{Watch, watched};

use crate::pair::{BUDGET_BYTES, Pair, Verdict, same};
use crate::tally::Tally;

impl Pair {
    /// Reads all pages of the past. Where one ends is the store's choice, between two revisions.
    pub(crate) fn history(
        &self,
        range: &KeyRange,
        start_revision: i64,
        max_events: usize,
        tally: Option<&mut Tally>,
    ) -> Verdict {
        if let Some(tally) = tally {
            tally.count("history");
        }
        let mut events = Vec::new();
        let mut next = Some(start_revision);
        while let Some(start) = next {
            let page = match self.store.history(range, start, max_events) {
                Ok(page) => page,
                Err(error) => return self.history_refused(error.code(), start_revision),
            };
            let last = page.events.last().map_or(0, |event| event.kv.mod_revision);
            let before = page
                .events
                .iter()
                .filter(|event| event.kv.mod_revision < last)
                .count();
            if before >= max_events {
                return Err(format!(
                    "a page goes on after {before} events, {max_events} asked for"
                ));
            }
            if let Some(next) = page.next_revision {
                same("the page ends between revisions", &true, &(next > start))?;
                let last = page
                    .events
                    .last()
                    .map_or(start, |event| event.kv.mod_revision);
                same("the page goes on after its end", &true, &(next > last))?;
            }
            events.extend(page.events);
            next = page.next_revision;
        }
        if self.is_gone(start_revision) {
            return Err(format!(
                "history from {start_revision}, which is gone, was answered"
            ));
        }
        let oldest = self.model.compact_revision().max(start_revision);
        let mut expected = self.model.events(range, oldest);
        for event in &mut expected {
            event.prev_kv = None;
        }
        same("history", &events, &expected)
    }

    /// As reading a range is: not before the compact revision, and not after the current one.
    fn history_refused(&self, code: ErrorCode, start_revision: i64) -> Verdict {
        let expected = if start_revision > self.model.revision() {
            Some(ErrorCode::FutureRevision)
        } else if self.is_gone(start_revision) {
            Some(ErrorCode::Compacted)
        } else {
            None
        };
        same("the refusal of history", &Some(code), &expected)
    }

    /// Whether history from there is no longer there, or never was; 0 means the oldest there is.
    fn is_gone(&self, start_revision: i64) -> bool {
        start_revision < 0 || (start_revision > 0 && start_revision < self.model.compact_revision())
    }

    /// Watches from a revision that is there up to the present, and then cancels.
    pub(crate) fn watch(&mut self, watch: &Watch, tally: Option<&mut Tally>) -> Verdict {
        // What retention lets go, goes before the watch begins and not in its midst.
        self.step()?;
        let start_revision = watch.start_revision.max(self.model.compact_revision());
        let watch = &Watch {
            start_revision,
            ..watch.clone()
        };
        let stream = self.store.watch_stream();
        let request = WatchRequest {
            start_revision: watch.start_revision,
            prev_kv: watch.prev_kv,
            no_put: watch.no_put,
            no_delete: watch.no_delete,
            ..WatchRequest::new(watch.range.clone())
        };
        let answer = self
            .store
            .watch(stream, &request)
            .map_err(|error| error.code());
        let empty = matches!(watched(&watch.range), KeyRange::Span { start, end } if end <= start);
        let expected = if empty {
            Err(ErrorCode::EmptyWatchRange)
        } else {
            Ok(0)
        };
        same("the answer to watch", &answer, &expected)?;
        if let Some(tally) = tally {
            tally.watch(watch, empty);
        }
        if answer.is_ok() {
            let events = self.drain(stream)?;
            same("the events watched", &events, &self.expected(watch))?;
            self.store
                .cancel_watch(stream, 0)
                .map_err(|error| error.to_string())?;
            let canceled = self.store.poll(stream, 10, BUDGET_BYTES);
            if !matches!(canceled, Ok(WatchResponse::Canceled { watch_id: 0 })) {
                return Err(format!("canceled, but was told {canceled:?}"));
            }
        }
        self.store.close_stream(stream);
        Ok(())
    }

    fn expected(&self, watch: &Watch) -> Vec<Event> {
        let mut events = self
            .model
            .events(&watched(&watch.range), watch.start_revision);
        events.retain(|event| match event.kind {
            EventKind::Put => !watch.no_put,
            EventKind::Delete => !watch.no_delete,
        });
        for event in &mut events {
            event.prev_kv = event.prev_kv.take().filter(|_| watch.prev_kv);
        }
        events
    }

    /// All events of a stream with one watcher, until nothing more comes however often it steps.
    fn drain(&mut self, stream: StreamId) -> Result<Vec<Event>, String> {
        let mut events: Vec<Event> = Vec::new();
        let (mut idle, mut created) = (0, false);
        while idle < 3 {
            if idle > 0 {
                self.step()?;
            }
            let response = self.store.poll(stream, 7, BUDGET_BYTES);
            match response.map_err(|error| error.to_string())? {
                WatchResponse::Created {
                    watch_id: 0,
                    revision,
                } => {
                    same(
                        "the revision of creation",
                        &revision,
                        &self.model.revision(),
                    )?;
                    created = true;
                }
                WatchResponse::Events {
                    watch_id: 0,
                    events: more,
                    ..
                } if created => {
                    let first = more.iter().next().map(|event| event.kv.mod_revision);
                    let last = events.last().map(|event| event.kv.mod_revision);
                    same("whole revisions", &(first > last), &true)?;
                    events.extend(more.iter().map(|event| event.to_owned()));
                }
                WatchResponse::Idle => idle += 1,
                other => return Err(format!("a watcher was told {other:?}")),
            }
        }
        Ok(events)
    }
}
