//! A store at work, beside the history of what was done to it.

use std::rc::Rc;

use revwatch::page::PageStore;
use revwatch::page::fault::{FaultPages, OperationCounts};
use revwatch::{Durability, Error, KeyRange, Store, StreamId, WatchRequest, WatchResponse};

use crate::command::Command;
use crate::cursors::{Acked, acked, check_delivery};
use crate::durable::Durable;
use crate::history::History;
use crate::inspect::{check_past, check_token, find_moment};
use crate::perform::{perform, remaining_ms};
use crate::setup::Setup;
use crate::tape::{Operation, Point, RecordedPages, Standing, Tape, Token, recorded};

const PLENTY: usize = usize::MAX;
/// Tokens that are kept and tried after each crash.
const TOKENS: usize = 5;

/// A store, and what is known of it from outside.
pub struct Session {
    setup: Setup,
    disk: FaultPages,
    tape: Rc<Tape>,
    store: Store<RecordedPages>,
    stream: StreamId,
    history: Rc<History>,
    durable: Durable,
    /// What cursors have acknowledged that is durable, whatever else is.
    acked: Rc<Acked>,
    /// The newest moment when the store was opened.
    opened_at: usize,
    opened_clean: bool,
    opened_by_checkpoint: bool,
    shown: i64,
    tokens: Rc<Vec<Token>>,
    epoch: i64,
    doubtful: Option<Rc<Standing>>,
}

impl Session {
    /// A new store on a new disk. Recording begins once it is created.
    pub fn create(setup: &Setup) -> Self {
        let mut disk = FaultPages::new(setup.page_size, setup.seed);
        if setup.gains_zeros() {
            disk = disk.gaining_zeros();
        }
        disk = match setup.wearing_pages() {
            Some(pages) => disk.wearing(pages),
            None => disk,
        };
        disk.set_capacity_limit(setup.capacity);
        let tape = Rc::new(Tape::default());
        let pages = recorded(disk.clone(), Rc::clone(&tape));
        let store = Store::open(pages, setup.options()).unwrap();
        let history = Rc::new(History::new(1_000_000));
        Self::over(setup, disk, tape, store, history, true)
    }

    fn over(
        setup: &Setup,
        disk: FaultPages,
        tape: Rc<Tape>,
        mut store: Store<RecordedPages>,
        history: Rc<History>,
        opened_clean: bool,
    ) -> Self {
        let newest = history.newest();
        let stream = store.watch_stream();
        let mut session = Self {
            setup: setup.clone(),
            disk,
            tape,
            stream,
            durable: Durable::at(newest, setup.durability),
            opened_at: newest,
            opened_clean,
            acked: Rc::clone(history.acked()),
            opened_by_checkpoint: false,
            shown: history.last().revision,
            tokens: Rc::default(),
            epoch: store.status().epoch,
            doubtful: None,
            history,
            store,
        };
        session.watch();
        session.run(&Command::Step { elapsed_ms: 0 }).unwrap();
        session
    }

    /// Opens what a crash has left, and checks it against what was promised. The disk is recorded
    /// meanwhile, since the power can go again.
    ///
    /// Fails if the store cannot be opened, which is not for this to judge.
    pub fn recover(setup: &Setup, disk: FaultPages, promised: &Standing) -> Result<Self, Error> {
        let tape = Rc::new(Tape::default());
        tape.promise(Rc::new(Standing {
            epoch_limit: promised.epoch_limit + 1,
            ..promised.clone()
        }));
        let pages = recorded(disk.clone(), Rc::clone(&tape));
        let reads = disk.counts().reads;
        let store = Store::open(pages, setup.options())?;
        // Otherwise every page was read at least once.
        let opened_by_checkpoint = disk.counts().reads - reads < u64::from(disk.len()?);
        // What a checkpoint spares from being read may be damaged where that is allowed.
        store.check()?;
        let promised = promised.as_found(&store);
        let allowed = promised.floor..=promised.ceiling;
        let index = find_moment(&store, &promised.history, allowed);

        let status = store.status();
        assert_eq!(status.published_revision, status.revision);
        assert!(!status.poisoned);
        assert!(
            status.revision >= promised.shown,
            "watchers were shown {}, and now the store is at {}",
            promised.shown,
            status.revision
        );
        let oldest_epoch = promised.epoch + i64::from(promised.must_advance);
        let newest_epoch = promised.epoch_limit + i64::from(!promised.is_closed);
        let epochs = oldest_epoch..=newest_epoch;
        assert!(
            epochs.contains(&status.epoch),
            "epoch {} is not one of {epochs:?}",
            status.epoch
        );

        let mut history = promised.history.as_ref().clone();
        history.cut(index);
        history.set_remaining(remaining_ms(&store));
        history.set_acked(acked(&store));
        for (name, found) in history.acked().iter() {
            let durable = promised.acked.get(name).copied().unwrap_or(0);
            assert!(
                *found >= durable,
                "the cursor {name} fell back to {found}, and {durable} was durable"
            );
        }
        check_past(&store, &history);
        let opened_clean = status.epoch == promised.epoch;
        let history = Rc::new(history);
        let mut session = Self::over(setup, disk, tape, store, history, opened_clean);
        let mut tokens = promised.tokens.as_ref().clone();
        for token in &mut tokens {
            token.lost |= token.token.revision > status.revision;
            check_token(&mut session.store, &session.history, token);
        }
        session.tokens = Rc::new(tokens);
        check_delivery(&mut session.store, &session.history);
        session.store.check().unwrap();
        session.opened_by_checkpoint = opened_by_checkpoint;
        Ok(session)
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    pub fn disk(&self) -> &FaultPages {
        &self.disk
    }

    /// A write has failed before the store was opened, and the page that it was for reads as before.
    /// A crash may yet leave it written, until the store writes and syncs another page there.
    pub fn doubt(&mut self, failed: &Rc<Standing>) {
        self.doubtful = Some(Rc::clone(failed));
    }

    /// The newest revision that a watcher was shown.
    pub fn shown(&self) -> i64 {
        self.shown
    }

    /// Whether it was found by its checkpoint, so that not all pages were read.
    pub fn was_opened_by_checkpoint(&self) -> bool {
        self.opened_by_checkpoint
    }

    /// How many commands have synced pages of the log.
    pub fn syncs(&self) -> u64 {
        self.durable.syncs()
    }

    /// How the store was opened.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    pub fn store(&mut self) -> &mut Store<RecordedPages> {
        &mut self.store
    }

    /// What holds if the power goes now.
    pub fn standing(&self) -> Standing {
        let never = self.setup.durability == Durability::Never;
        let floors = self.durable.floors();
        Standing {
            history: Rc::clone(&self.history),
            floor: floors[0],
            floor_without_last_sync: floors[1],
            floor_without_last_two_syncs: floors[2],
            ceiling: self.history.newest(),
            acked: Rc::clone(&self.acked),
            shown: if never { 0 } else { self.shown },
            tokens: Rc::clone(&self.tokens),
            epoch: self.epoch,
            epoch_limit: self.epoch,
            is_closed: false,
            must_advance: !self.opened_clean || floors[0] > self.opened_at,
            doubtful: self.doubtful.clone().filter(|_| self.syncs() == 0),
        }
    }

    /// The moments at which the power could have gone since this was last asked, the present one
    /// included.
    pub fn take_points(&mut self) -> Vec<Point> {
        let mut points = self.tape.take_points();
        points.push(Point {
            operation: Operation::Sync,
            disk: self.disk.fork(),
            standing: Rc::new(self.standing()),
        });
        points
    }

    /// What was promised when the last command was under way.
    pub fn promised(&self) -> Rc<Standing> {
        self.tape.promised()
    }

    /// Carries out a command. If it fails, the store is checked to be where it was before, or after
    /// a whole part of what the command does.
    pub fn run(&mut self, command: &Command) -> Result<(), Error> {
        let ahead = self.look_ahead(command);
        let before = self.disk.counts();
        let outcome = self.carry_out(command, &ahead);
        match &outcome {
            Ok(()) => {
                assert_eq!(
                    self.store.revision(),
                    ahead.last().revision,
                    "after {command:?}"
                );
                self.acknowledge(command, ahead, before);
            }
            Err(_) => self.settle_after_failure(command, &ahead),
        }
        self.watch();
        outcome
    }

    /// Carries out a command on a store that may be damaged, and looks at nothing.
    pub fn run_blindly(&mut self, command: &Command) -> Result<(), Error> {
        let ahead = self.look_ahead(command);
        let before = self.disk.counts();
        self.carry_out(command, &ahead)?;
        self.acknowledge(command, ahead, before);
        Ok(())
    }

    /// The history after a command, which is promised to hold at most when the power goes meanwhile.
    fn look_ahead(&self, command: &Command) -> Rc<History> {
        let mut ahead = self.history.as_ref().clone();
        command.apply(&mut ahead);
        let ahead = Rc::new(ahead);
        let standing = self.standing();
        self.tape.promise(Rc::new(Standing {
            ceiling: ahead.newest(),
            history: Rc::clone(&ahead),
            must_advance: standing.must_advance && !matches!(command, Command::Close),
            ..standing
        }));
        ahead
    }

    fn carry_out(&mut self, command: &Command, ahead: &History) -> Result<(), Error> {
        match command {
            Command::Close => self.close_and_open(),
            command => perform(&mut self.store, command, ahead.now_ms()),
        }
    }

    fn close_and_open(&mut self) -> Result<(), Error> {
        let before = self.disk.counts();
        self.store.close()?;
        let newest = self.history.newest();
        let synced = self.disk.counts().syncs > before.syncs;
        self.durable.close(newest, synced);
        self.acked = Rc::clone(self.history.acked());
        let standing = self.standing();
        self.tape.promise(Rc::new(Standing {
            must_advance: false,
            // What an earlier process closed it may have left to be synced.
            is_closed: synced,
            ..standing
        }));
        self.tape.record(Operation::Sync, &self.disk);
        let operations = self.disk.counts();
        let pages = recorded(self.disk.clone(), Rc::clone(&self.tape));
        self.store = Store::open(pages, self.setup.options())?;
        let found = self.disk.counts();
        assert_eq!(
            (found.writes, found.syncs, found.set_lens),
            (operations.writes, operations.syncs, operations.set_lens),
            "opening a store that was closed changed it"
        );
        assert_eq!(
            self.store.status().epoch,
            self.epoch,
            "a clean close began an epoch"
        );
        find_moment(&self.store, &self.history, newest..=newest);
        Rc::make_mut(&mut self.history).set_remaining(remaining_ms(&self.store));
        assert_eq!(acked(&self.store), **self.history.acked());
        self.opened_at = newest;
        self.opened_clean = true;
        self.stream = self.store.watch_stream();
        self.shown = self.history.last().revision;
        // Time goes on from here, and leases with it.
        perform(
            &mut self.store,
            &Command::Step { elapsed_ms: 0 },
            self.history.now_ms(),
        )
    }

    /// A command was answered: what that promises.
    fn acknowledge(&mut self, command: &Command, ahead: Rc<History>, before: OperationCounts) {
        if !matches!(command, Command::Close) {
            let changes = ahead.newest() - self.history.newest();
            self.history = ahead;
            let after = self.disk.counts();
            self.durable
                .acknowledge(command, changes, &self.history, before, after);
            self.note_acked(command, before, after);
        }
        if self.setup.durability == Durability::Commit {
            let status = self.store.status();
            assert_eq!(status.published_revision, status.revision);
        }
        self.keep_token();
    }

    /// A sync makes durable what was acknowledged before the command that it was part of. One of a
    /// growth covers no page of the log.
    fn note_acked(&mut self, command: &Command, before: OperationCounts, after: OperationCounts) {
        let found = acked(&self.store);
        if matches!(command, Command::Consume(..)) {
            Rc::make_mut(&mut self.history).set_acked(found);
            return;
        }
        assert_eq!(found, **self.history.acked(), "after {command:?}");
        let synced = after.syncs > before.syncs && after.set_lens == before.set_lens;
        if synced || matches!(command, Command::Flush) {
            self.acked = Rc::clone(self.history.acked());
        }
    }

    fn keep_token(&mut self) {
        let token = self.store.resume_token();
        if self.tokens.last().is_none_or(|last| last.token != token) {
            let tokens = Rc::make_mut(&mut self.tokens);
            tokens.push(Token { token, lost: false });
            if tokens.len() > TOKENS {
                tokens.remove(0);
            }
        }
    }

    /// A command failed: nothing of it happened, or only whole parts, if it had several.
    fn settle_after_failure(&mut self, command: &Command, ahead: &History) {
        let before = self.history.newest();
        let after = match command {
            Command::Step { .. } => ahead.newest(),
            // A batch that could not be synced is still there to be read.
            _ if matches!(self.setup.durability, Durability::Batch { .. }) => ahead.newest(),
            _ => before,
        };
        let index = find_moment(&self.store, ahead, before..=after);
        let mut history = ahead.clone();
        history.cut(index);
        history.set_remaining(remaining_ms(&self.store));
        history.set_acked(acked(&self.store));
        check_past(&self.store, &history);
        self.history = Rc::new(history);
    }

    /// Takes what watchers are shown: every event once, in order, none before it is published.
    fn watch(&mut self) {
        if self.store.status().watchers == 0 {
            let everything = WatchRequest::new(KeyRange::All);
            self.store.watch(self.stream, &everything).unwrap();
        }
        loop {
            match self.store.poll(self.stream, PLENTY, PLENTY).unwrap() {
                WatchResponse::Created { .. } => {}
                WatchResponse::Idle => break,
                WatchResponse::Events { events, .. } => {
                    let newest = self.history.newest();
                    let expected = self.history.events_from(newest, self.shown + 1);
                    let expected = expected.iter().take(events.len());
                    assert!(
                        events
                            .iter()
                            .map(|event| event.to_owned())
                            .eq(expected.map(|event| event.as_ref().clone())),
                        "after {} a watcher was shown {events:#?}",
                        self.shown
                    );
                    self.shown = events
                        .iter()
                        .last()
                        .map_or(self.shown, |event| event.kv.mod_revision);
                }
                told => panic!("a watcher that is not behind was told {told:?}"),
            }
        }
        assert!(self.shown <= self.store.status().published_revision);
    }
}
