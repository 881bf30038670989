//! `corpus IMAGES [SNAPSHOTS]` writes the inputs that fuzzing begins with: small stores of each kind,
//! and snapshots of them.

use std::path::Path;
use std::{env, fs};

use revwatch::page::MemoryPages;
use revwatch::{DeleteRangeRequest, Durability, KeyRange, Options, PutRequest, Result, Store};

const PAGE: usize = 512;

type Work = fn(&mut Store<MemoryPages>) -> Result<()>;

const WORKS: [(&str, Work); 5] = [
    ("empty", |_| Ok(())),
    ("changes", |store| {
        for turn in 0..12_u8 {
            store.put(&[b'a' + turn % 3], &[turn; 20])?;
        }
        store.delete_range(&DeleteRangeRequest::new(KeyRange::prefix(b"b")))?;
        store.put(b"b", b"")?;
        Ok(())
    }),
    ("leases", |store| {
        store.lease_grant(7, 60_000)?;
        store.lease_grant(-8, 60_000)?;
        store.put_with(&PutRequest {
            lease: 7,
            ..PutRequest::new(b"a", b"1")
        })?;
        store.lease_revoke(-8)?;
        Ok(())
    }),
    ("long", |store| {
        store.put(b"long", &[7; 1_700])?;
        store.put(&[b'k'; 600], b"")?;
        Ok(())
    }),
    ("reclaimed", |store| {
        for turn in 0..60_u8 {
            store.put(&[b'a' + turn % 7], &[turn; 40])?;
        }
        store.compact(50)?;
        for now_ms in 0..40 {
            store.step(now_ms, 1 << 16)?;
        }
        store.put(b"a", b"after")?;
        Ok(())
    }),
];

fn main() {
    let folder = env::args().nth(1).expect("give a folder");
    for (name, work) in WORKS {
        for (how, closed) in [("closed", true), ("crashed", false)] {
            let image = image_of(work, closed).expect("the work can be done");
            // Believed as it is, with checksums made right, and without marks.
            for (suffix, bits) in [("", 0), ("-sealed", 3), ("-unmarked", 7)] {
                let path = Path::new(&folder).join(format!("{name}-{how}{suffix}"));
                fs::write(path, [&[bits], image.as_slice()].concat()).expect("the folder is there");
            }
        }
    }
    let Some(folder) = env::args().nth(2) else {
        return;
    };
    for (name, work) in WORKS {
        for since in [0, 1] {
            let Ok(bytes) = snapshot_of(work, since) else {
                // Not all of what happened since is kept.
                continue;
            };
            // Believed as it is, and with checksums made right.
            for (suffix, bits) in [("", 0xfe), ("-sealed", 0xff)] {
                let path = Path::new(&folder).join(format!("{name}-{since}{suffix}"));
                fs::write(path, [&[bits], bytes.as_slice()].concat()).expect("the folder is there");
            }
        }
    }
}

fn snapshot_of(work: Work, since: i64) -> Result<Vec<u8>> {
    let mut store = Store::in_memory(Options::default());
    work(&mut store)?;
    let mut snapshot = store.snapshot(since)?;
    let mut bytes = Vec::new();
    loop {
        let chunk = store.next_snapshot_chunk(&mut snapshot, 512)?;
        if chunk.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(chunk);
    }
}

fn image_of(work: Work, closed: bool) -> Result<Vec<u8>> {
    let pages = MemoryPages::new(PAGE);
    let options = Options {
        durability: Durability::Commit,
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options)?;
    work(&mut store)?;
    if closed {
        store.close()?;
    }
    let mut image = pages.to_bytes();
    // Slots that were never written say nothing.
    while image.len() > 2 * PAGE && image[image.len() - PAGE..].iter().all(|&byte| byte == 0) {
        image.truncate(image.len() - PAGE);
    }
    Ok(image)
}
