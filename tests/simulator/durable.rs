//! What a store has promised to be durable.

use revwatch::Durability;
use revwatch::page::fault::OperationCounts;

use crate::command::Command;
use crate::history::History;

/// The promise, from what was asked and answered, whatever the store may have done beyond it.
pub struct Durable {
    durability: Durability,
    /// The durable moment, and what it was before each of the last two syncs.
    floors: [usize; 3],
    /// How many commands have synced pages of the log.
    syncs: u64,
    /// Changes that wait for a batch to be synced, and when it is due.
    waiting: u32,
    due_ms: Option<i64>,
}

impl Durable {
    /// All is durable up to this moment.
    pub fn at(moment: usize, durability: Durability) -> Self {
        Self {
            durability,
            floors: [moment; 3],
            syncs: 0,
            waiting: 0,
            due_ms: None,
        }
    }

    pub fn floors(&self) -> [usize; 3] {
        self.floors
    }

    /// How many commands have synced pages of the log.
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// A command that made so many changes was answered, after such operations.
    pub fn acknowledge(
        &mut self,
        command: &Command,
        changes: usize,
        history: &History,
        before: OperationCounts,
        after: OperationCounts,
    ) {
        let synced = after.syncs > before.syncs;
        // A growth is synced too, which makes no page of the log durable.
        let grew = after.set_lens > before.set_lens;
        let durable = self.is_promised(command, changes, history.now_ms());
        let floor = if durable {
            history.newest()
        } else {
            self.floors[0]
        };
        if synced && (floor > self.floors[0] || !grew) {
            self.floors = [floor, self.floors[0], self.floors[1]];
            self.syncs += 1;
        }
        self.floors[0] = floor;
        // A sync that nothing was promised of may have come before the command's own change (the first
        // after the store was closed, or a compaction of what was not published), or after it. Then
        // less is waiting than could be thought.
        if durable || synced {
            self.waiting = 0;
            self.due_ms = None;
        }
    }

    fn is_promised(&mut self, command: &Command, changes: usize, now_ms: i64) -> bool {
        if matches!(command, Command::Compact { .. }) {
            self.waiting = 0;
            self.due_ms = None;
        }
        match self.durability {
            _ if matches!(command, Command::Flush) => true,
            Durability::Commit => true,
            Durability::Never => false,
            Durability::Batch { max_ms, max_writes } => {
                self.waiting += changes as u32;
                if self.waiting > 0 {
                    self.due_ms.get_or_insert(now_ms + max_ms);
                }
                let is_due = self.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
                is_due && matches!(command, Command::Step { .. }) || self.waiting >= max_writes
            }
        }
    }

    /// The store was closed, which syncs what there is, if anything, and then a page that says so;
    /// one that was closed already is left as it is.
    pub fn close(&mut self, moment: usize, synced: bool) {
        self.waiting = 0;
        self.due_ms = None;
        if !synced {
            assert_eq!(self.floors[0], moment, "the store was not closed before");
            return;
        }
        let all_was_durable = self.floors[0] == moment;
        let before = self.floors[usize::from(all_was_durable)];
        self.floors = [moment, moment, before];
        self.syncs += 2;
    }
}
