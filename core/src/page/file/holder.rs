//! Which process holds the lock of a file, where the system tells it.

use std::path::Path;

/// The process that has the file at `path` open for writing; `None` if the system does not say.
#[cfg(target_os = "linux")]
pub(super) fn holder_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::metadata(path).ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let (major, minor) = device_numbers(file.dev());
    // The table names a file by its device, in hexadecimal, and its inode, in decimal.
    let name = std::format!("{major:02x}:{minor:02x}:{}", file.ino());
    locks.lines().find_map(|line| holder_in(line, &name))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holder_of(_path: &Path) -> Option<u32> {
    None
}

/// The holder that one line of the table gives for the file `name`. Lines look like
/// `1: FLOCK  ADVISORY  WRITE 1234 fe:00:567 0 EOF`; who waits has `->` before `FLOCK`. A holder
/// that this process may not know of is given as 0 or less.
#[cfg(any(target_os = "linux", test))]
pub(super) fn holder_in(line: &str, name: &str) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    if fields.next() != Some("FLOCK") || fields.nth(1) != Some("WRITE") {
        return None;
    }
    let holder = fields.next()?.parse().ok().filter(|pid| *pid > 0)?;
    (fields.next() == Some(name)).then_some(holder)
}

/// Splits a device as `stat` gives it into the numbers that the kernel prints, each of which lies
/// in two places.
#[cfg(any(target_os = "linux", test))]
pub(super) fn device_numbers(device: u64) -> (u64, u64) {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & 0xffff_f000);
    let minor = (device & 0xff) | ((device >> 12) & 0xffff_ff00);
    (major, minor)
}
