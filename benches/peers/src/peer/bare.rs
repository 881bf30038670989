//! Bare loops: the least that durable puts can cost on this disk.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::thread;

use crate::durable::{ONE, THREADS, USER_BYTES_PER_PUT, together};
use crate::measure::{Done, Run, Spent};

const PAGE_BYTES: usize = 4096;
/// revwatch's tail moves through as many.
const SLOTS: u64 = 4;

/// A file of so many slots, all of them on the disk.
fn file_of_slots(folder: &Path) -> File {
    let path = folder.join("slots");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path)
        .expect("the folder can be written to");
    file.write_all_at(&[0; PAGE_BYTES * SLOTS as usize], 0)
        .expect("the file can be written to");
    file.sync_all().expect("a sync succeeds");
    file
}

/// Writes the page of this number to the slot that is its turn, and syncs.
fn commit(file: &File, page: &mut [u8], number: u64) {
    page[..8].copy_from_slice(&number.to_le_bytes());
    let offset = number % SLOTS * PAGE_BYTES as u64;
    file.write_all_at(page, offset).expect("a write succeeds");
    file.sync_data().expect("a sync succeeds");
}

/// One write and one sync for each put; then concurrent threads, who share both.
pub(crate) fn durable(run: &Run) {
    let file = file_of_slots(run.new_folder());
    let mut page = [7; PAGE_BYTES];
    let ((), spent) = Spent::by(|| {
        (0..u64::from(run.scale.puts)).for_each(|number| commit(&file, &mut page, number));
    });
    run.rate(ONE, "puts/s", &spent, done(run.scale.puts));

    let group = Group {
        file,
        state: Mutex::new(State::default()),
        ended: Condvar::new(),
    };
    let each = run.scale.concurrent_puts / THREADS;
    let ((), spent) = Spent::by(|| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..each).for_each(|_| group.put()));
            }
        });
    });
    run.rate(&together(), "puts/s", &spent, done(each * THREADS));
}

fn done(puts: u32) -> Done {
    Done {
        count: puts,
        digest: 0,
        user_bytes: u64::from(puts) * USER_BYTES_PER_PUT,
        commits: puts,
    }
}

/// Threads that commit together: whoever finds no commit under way makes one for all who wait.
struct Group {
    file: File,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    put: u64,
    durable: u64,
    commits: u64,
    is_committing: bool,
}

impl Group {
    fn put(&self) {
        let mut state = self.state.lock().expect("no thread panics");
        state.put += 1;
        let mine = state.put;
        while state.durable < mine {
            if state.is_committing {
                state = self.ended.wait(state).expect("no thread panics");
                continue;
            }
            state.is_committing = true;
            state.commits += 1;
            let (covered, number) = (state.put, state.commits);
            drop(state);
            commit(&self.file, &mut [7; PAGE_BYTES], number);
            state = self.state.lock().expect("no thread panics");
            state.durable = covered;
            state.is_committing = false;
            self.ended.notify_all();
        }
    }
}
