//! Bytes written and syncs, counted alike for every subject, whatever it is written in.
//!
//! Bytes are those handed to the system by write calls of this process, as the kernel counts them.
//! Syncs are calls of the C library's functions for that, which all subjects go through: this program
//! puts its own in front of them. What a subject writes through a memory map would not be counted;
//! none of them does so as it is used here.

use std::ffi::c_int;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

static SYNCS: AtomicU64 = AtomicU64::new(0);

fn counted(call: libc::c_long, file: c_int) -> c_int {
    SYNCS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the system call takes a number and no memory; a bad one makes it fail.
    unsafe { libc::syscall(call, file) as c_int }
}

// SAFETY: these replace the C library's functions of the same names, signatures and meanings.
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    counted(libc::SYS_fdatasync, file)
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    counted(libc::SYS_fsync, file)
}

/// What was written and synced since some moment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    pub(crate) syncs: u64,
}

impl Counts {
    /// Since the program began.
    pub(crate) fn now() -> Self {
        Self {
            bytes: written_bytes(),
            syncs: SYNCS.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            syncs: self.syncs - before.syncs,
        }
    }
}

fn written_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/io").expect("Linux counts what a process writes");
    text.lines()
        .find_map(|line| line.strip_prefix("wchar: "))
        .and_then(|count| count.parse().ok())
        .expect("Linux counts what a process writes")
}

/// Processor time of all threads of this process so far: on a machine that others use, it tells more
/// than what the clock says.
pub(crate) fn processor_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes to the place that it is given and nowhere else.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(outcome, 0, "Linux has this clock");
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Bytes that the files of a folder occupy, holes not counted.
pub(crate) fn occupied_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(folder).expect("the folder exists");
    entries
        .map(|entry| {
            let entry = entry.expect("the folder can be read");
            let metadata = entry.metadata().expect("nobody else changes the folder");
            if metadata.is_dir() {
                occupied_bytes(&entry.path())
            } else {
                metadata.blocks() * 512
            }
        })
        .sum()
}
