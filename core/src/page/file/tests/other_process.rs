//! What only a process of its own can show: its lock, its death, its limits.

use core::time::Duration;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::string::String;
use std::time::Instant;
use std::{env, format, io, thread};

use super::lock::refused_because_of;
use super::{Folder, impatient, reading, write};
use crate::page::{FileOptions, FilePages, PageError, PageStore};

/// Runs the test `name` of this file in a process of its own, on `path`. The process runs with the
/// limits that the shell commands in `setting` give it.
fn in_another_process(name: &str, path: &Path, setting: &str) -> Command {
    let mut command = Command::new("sh");
    let (_, module) = module_path!().split_once("::").unwrap();
    command
        .args(["-c", &format!("{setting} exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{name}"), "--nocapture"])
        .env("REVWATCH_TEST_PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    command
}

/// The path given to a test that runs in a process of its own; `None` in the usual run.
fn path_given() -> Option<PathBuf> {
    env::var_os("REVWATCH_TEST_PATH").map(PathBuf::from)
}

/// The other process of the tests of the lock: holds it until its input ends.
#[test]
fn holds_the_lock_until_its_input_ends() {
    if let Some(path) = path_given() {
        let _pages = write(&path).unwrap();
        File::create(path.with_extension("held")).unwrap();
        let _ = io::stdin().read_line(&mut String::new());
    }
}

fn start_holder(path: &Path) -> Child {
    let mut holder = in_another_process("holds_the_lock_until_its_input_ends", path, "");
    let holder = holder.spawn().unwrap();
    let start = Instant::now();
    while !path.with_extension("held").exists() {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(5));
    }
    holder
}

#[test]
fn a_writer_in_another_process_is_named_waited_for_and_does_not_keep_readers_out() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let pages = write(&path).unwrap();
    pages.set_len(1).unwrap();
    drop(pages);

    let mut holder = start_holder(&path);
    refused_because_of(FilePages::open(&path, &impatient()), holder.id());
    let start = Instant::now();
    let patience = FileOptions {
        lock_timeout: Duration::from_millis(120),
        ..impatient()
    };
    refused_because_of(FilePages::open(&path, &patience), holder.id());
    assert!(start.elapsed() >= Duration::from_millis(120));

    let reader = FilePages::open(&path, &reading()).unwrap();
    assert_eq!(reader.len().unwrap(), 1);
    reader.read(0, &mut [0; 4096]).unwrap();

    let waiting = thread::spawn(move || FilePages::open(&path, &FileOptions::default()));
    thread::sleep(Duration::from_millis(50));
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    waiting.join().unwrap().unwrap();
}

#[test]
fn a_writer_that_is_killed_holds_no_lock() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let mut holder = start_holder(&path);
    assert!(FilePages::open(&path, &impatient()).is_err());
    holder.kill().unwrap();
    holder.wait().unwrap();
    write(&path).unwrap();
}

/// The other process of the next test: its files cannot grow beyond 64 blocks.
#[test]
fn fills_a_disk() {
    let Some(path) = path_given() else { return };
    let pages = write(&path).unwrap();
    pages.set_len(5).unwrap();
    pages.write(4, &[5; 4096]).unwrap();
    for len in [6, 100, 1_000_000] {
        let fits = pages.set_len(len).is_ok();
        assert_eq!(fits, len == 6);
        assert_eq!(pages.len().unwrap(), 6);
        assert_eq!(fs::metadata(&path).unwrap().len(), 6 * 4096);
    }
    assert!(matches!(pages.set_len(100), Err(PageError::NoSpace)));
    pages.set_len(7).unwrap();
    pages.write(6, &[7; 4096]).unwrap();
}

#[test]
fn a_growth_for_which_there_is_no_room_is_refused_and_takes_none() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let setting = "trap '' XFSZ; ulimit -f 64;";
    let mut filling = in_another_process("fills_a_disk", &path, setting)
        .spawn()
        .unwrap();
    assert!(filling.wait().unwrap().success());
    assert_eq!(fs::metadata(&path).unwrap().len(), 7 * 4096);
}
