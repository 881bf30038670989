//! Opening and closing stores.

use std::ffi::{CStr, c_char};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use revwatch_core::page::{FileOptions, FilePages, MemoryPages, is_page_size};
use revwatch_core::{Durability, Error, Limits, Options, Retention, SharedStore, Store};

use crate::handle;
use crate::input::{self, Out, or_default};
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Clock, Pages, Shared, StoreObject, revwatch_store};

/// In a file and on pages of your own: REVWATCH_DURABILITY_COMMIT; in memory: REVWATCH_DURABILITY_NEVER.
pub const REVWATCH_DURABILITY_DEFAULT: i32 = 0;
/// Each write returns when it will survive a loss of power.
pub const REVWATCH_DURABILITY_COMMIT: i32 = 1;
/// Writes return at once and are made durable together, at most batch_ms later.
pub const REVWATCH_DURABILITY_BATCH: i32 = 2;
/// Writes are made durable by revwatch_store_flush() and revwatch_store_close() only.
pub const REVWATCH_DURABILITY_NEVER: i32 = 3;

/// How a store is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_open_options {
    /// sizeof(revwatch_open_options).
    pub struct_size: usize,
    /// Flag: only read and watch, also while another process writes. The file must exist.
    pub read_only: i32,
    /// A REVWATCH_DURABILITY_*.
    pub durability: i32,
    /// REVWATCH_DURABILITY_BATCH: the longest time until a write is durable, in milliseconds; 0: 100.
    pub batch_ms: i64,
    /// REVWATCH_DURABILITY_BATCH: the most writes that wait for it; 0: 10000.
    pub batch_writes: u32,
    /// Flag: time passes only in revwatch_store_step().
    pub manual_clock: i32,
    /// How long to wait while somebody else has the file open for writing, in milliseconds; 0: 5000,
    /// negative: not at all.
    pub lock_timeout_ms: i64,
    /// Bytes in a page of a store that is created: a power of two from 512 to 65536; 0: 4096 in a
    /// file, 16384 in memory.
    pub page_size: usize,
    /// Bytes of verified pages kept in memory; 0: the library's choice.
    pub cache_bytes: usize,
    /// Keys and values of one request together, in bytes; 0: 1.5 MiB.
    pub request_bytes: usize,
    /// Puts are refused once the pages in use hold so many bytes; 0: no limit.
    pub quota_bytes: u64,
    /// Keep only the last so many revisions of history without being told to compact; 0: all.
    pub retain_revisions: i64,
    /// Keep only what is younger than so many milliseconds of history; 0: all.
    pub retain_ms: i64,
    /// Comparisons, and operations in each branch, of one transaction; 0: 128.
    pub txn_ops: usize,
    /// Shorter times to live are raised to this, in milliseconds; 0: 2000.
    pub lease_min_ttl_ms: i64,
    /// Longer times to live are refused, in milliseconds; 0: 9000000000000.
    pub lease_max_ttl_ms: i64,
    /// Leases that one step may expire; 0: 500.
    pub lease_expiries_per_step: usize,
    /// Responses that wait in one stream before its watchers read history instead; 0: 128.
    pub stream_queue_responses: usize,
    /// Distinct revisions in one response to a watcher that catches up; 0: 1000.
    pub catch_up_revisions: usize,
    /// Bytes of events that one stream may hold before its watchers read history instead; 0: 8 MiB.
    pub stream_queue_bytes: usize,
    /// Bytes of events that all streams together may hold; 0: 64 MiB.
    pub watch_queue_bytes: usize,
    /// Bytes of keys and values in one fragment of a revision, for watchers who asked for fragments;
    /// 0: 2 MiB.
    pub fragment_bytes: usize,
    /// Milliseconds without an event after which a watcher who asked for it is told its progress; 0:
    /// 600000.
    pub progress_notify_ms: i64,
    /// Seed of the hash tables and of chosen lease ids; 0: random.
    pub seed: u64,
    /// 16 bytes that tell a store that is created from all others; NULL: random.
    pub store_id: *const u8,
    /// Durable cursors that there may be; 0: 1000.
    pub cursors: usize,
    /// Bytes in a cursor's name; 0: 255.
    pub cursor_name_bytes: usize,
    /// The newest revisions, so many, that cursors with a hold may keep from being compacted; 0:
    /// 1000000.
    pub max_hold_revisions: i64,
    /// Bytes that may be written while a snapshot is being taken before what it has yet to read may be
    /// reclaimed; 0: 1 GiB.
    pub snapshot_hold_bytes: u64,
}

// SAFETY: numbers and a pointer, and the size is first.
unsafe impl input::Options for revwatch_open_options {}

impl revwatch_open_options {
    /// The bytes of the store's id; none if it is to be chosen.
    ///
    /// # Safety
    ///
    /// `store_id` is NULL or points to 16 bytes.
    pub(crate) unsafe fn store_id<'a>(&self) -> Result<&'a [u8], Failure> {
        let len = if self.store_id.is_null() { 0 } else { 16 };
        // SAFETY: the caller promises as many bytes.
        unsafe { input::bytes("store_id", self.store_id, len) }
    }
}

/// Opens the store in the file `path`, creates it if there is none, and gives its handle, to be
/// closed with revwatch_store_close(). The path is a string ending in a zero byte, in UTF-8 where
/// the system does not take any bytes. With NULL the store is in memory and ends when it is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_open(
    path: *const c_char,
    options: *const revwatch_open_options,
    store: *mut *mut revwatch_store,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: a string or NULL, options or NULL, and an output.
        let (place, store) = unsafe {
            let place = Place::of(path, options)?;
            (place, Out::required("store", store)?)
        };
        let object = open_on(place.pages()?, place.options()?, &place.given)?;
        store.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// Makes all writes durable, ends what was made from the store (see Handles), releases the file and
/// consumes the handle, also if it answers an error: then some writes may not be durable.
/// REVWATCH_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_store_close(store: *mut revwatch_store) -> revwatch_status {
    guard(|| {
        if store.is_null() {
            return Ok(REVWATCH_OK);
        }
        let object = handle::remove(store).ok_or_else(|| Failure::closed("store"))?;
        object.close()?;
        Ok(REVWATCH_OK)
    })
}

/// revwatch_store_close() for those who cannot do anything about an error.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_store_free(store: *mut revwatch_store) {
    guard(|| {
        if let Some(object) = handle::remove(store) {
            object.close()?;
        }
        Ok(REVWATCH_OK)
    });
}

/// Where a store is or is to be, and how it is opened.
pub(crate) struct Place {
    path: Option<PathBuf>,
    pub(crate) given: revwatch_open_options,
    id: Vec<u8>,
}

impl Place {
    /// # Safety
    ///
    /// The conventions: `path` is a string or NULL, `options` are options or NULL.
    pub(crate) unsafe fn of(
        path: *const c_char,
        options: *const revwatch_open_options,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller promises it.
        unsafe {
            let given = input::options(options)?;
            let id = given.store_id()?.to_vec();
            let path = if path.is_null() {
                None
            } else {
                Some(path_of(CStr::from_ptr(path))?)
            };
            Ok(Self { path, given, id })
        }
    }

    pub(crate) fn options(&self) -> Result<Options, Failure> {
        core_options(&self.given, self.path.is_some(), &self.id)
    }

    pub(crate) fn pages(&self) -> Result<Pages, Failure> {
        let default_page_size = if self.path.is_some() { 4096 } else { 16_384 };
        let page_size = or_default(self.given.page_size, default_page_size);
        if !is_page_size(page_size) {
            return Err(Failure::option(format!(
                "page_size is {page_size}: give a power of two from 512 to 65536, or 0"
            )));
        }
        if self.path.is_none() && self.given.read_only != 0 {
            return Err(Failure::option(
                "a store in memory cannot be read_only: give a path",
            ));
        }
        // Refused before anything is created.
        self.options()?;
        Ok(match &self.path {
            None => Box::new(MemoryPages::new(page_size)),
            Some(path) => {
                let options = file_options(&self.given, page_size);
                Box::new(FilePages::open(path, &options).map_err(Error::from)?)
            }
        })
    }

    /// The pages of a store that is not changed.
    pub(crate) fn pages_to_read(&self) -> Result<Pages, Failure> {
        let mut reading = Self {
            path: self.path.clone(),
            id: self.id.clone(),
            ..*self
        };
        reading.given.read_only = 1;
        reading.pages()
    }
}

/// Options whose pointers are not looked at any more.
pub(crate) struct GivenOptions(pub(crate) revwatch_open_options);

// SAFETY: the one pointer in it is not followed.
unsafe impl Send for GivenOptions {}
// SAFETY: the same.
unsafe impl Sync for GivenOptions {}

/// Opens the store on `pages`.
pub(crate) fn open_on(
    pages: Pages,
    options: Options,
    given: &revwatch_open_options,
) -> Result<StoreObject, Failure> {
    object_of(SharedStore::new(Store::open(pages, options)?), given)
}

/// What a handle to the store stands for.
pub(crate) fn object_of(
    store: Shared,
    given: &revwatch_open_options,
) -> Result<StoreObject, Failure> {
    let clock = if given.manual_clock == 0 {
        Clock::System
    } else {
        Clock::Manual
    };
    let batch = batch(given)?;
    Ok(StoreObject::new(store, clock, given.read_only != 0, batch))
}

/// What batches of a store are.
fn batch(given: &revwatch_open_options) -> Result<Durability, Failure> {
    Ok(Durability::Batch {
        max_ms: positive("batch_ms", given.batch_ms, 100)?,
        max_writes: if given.batch_writes == 0 {
            10_000
        } else {
            given.batch_writes
        },
    })
}

/// The durability that a number stands for; `None`: the default.
pub(crate) fn durability(given: i32, batch: Durability) -> Result<Option<Durability>, Failure> {
    check_durability(given)?;
    Ok(match given {
        REVWATCH_DURABILITY_COMMIT => Some(Durability::Commit),
        REVWATCH_DURABILITY_BATCH => Some(batch),
        REVWATCH_DURABILITY_NEVER => Some(Durability::Never),
        _ => None,
    })
}

pub(crate) fn check_durability(given: i32) -> Result<(), Failure> {
    if (REVWATCH_DURABILITY_DEFAULT..=REVWATCH_DURABILITY_NEVER).contains(&given) {
        Ok(())
    } else {
        Err(Failure::option(format!(
            "durability is {given}: give one of the REVWATCH_DURABILITY_*"
        )))
    }
}

/// `lasting`: what is written outlives the program.
pub(crate) fn core_options(
    given: &revwatch_open_options,
    lasting: bool,
    id: &[u8],
) -> Result<Options, Failure> {
    let default = if lasting {
        Durability::Commit
    } else {
        Durability::Never
    };
    let durability = durability(given.durability, batch(given)?)?.unwrap_or(default);
    let default = Options::default();
    let mut store_id = [0; 16];
    match id {
        [] => {
            store_id[..8].copy_from_slice(&random().to_le_bytes());
            store_id[8..].copy_from_slice(&random().to_le_bytes());
        }
        id => store_id.copy_from_slice(id),
    }
    Ok(Options {
        durability,
        limits: limits(given)?,
        retention: Retention {
            revisions: positive("retain_revisions", given.retain_revisions, 0)?,
            ms: positive("retain_ms", given.retain_ms, 0)?,
        },
        seed: if given.seed == 0 {
            random()
        } else {
            given.seed
        },
        store_id,
        cache_bytes: or_default(given.cache_bytes, default.cache_bytes),
        read_only: given.read_only != 0,
    })
}

fn limits(given: &revwatch_open_options) -> Result<Limits, Failure> {
    let default = Limits::default();
    Ok(Limits {
        request_bytes: or_default(given.request_bytes, default.request_bytes),
        quota_bytes: match given.quota_bytes {
            0 => default.quota_bytes,
            bytes => bytes,
        },
        txn_ops: or_default(given.txn_ops, default.txn_ops),
        lease_min_ttl_ms: positive(
            "lease_min_ttl_ms",
            given.lease_min_ttl_ms,
            default.lease_min_ttl_ms,
        )?,
        lease_max_ttl_ms: positive(
            "lease_max_ttl_ms",
            given.lease_max_ttl_ms,
            default.lease_max_ttl_ms,
        )?,
        lease_expiries_per_step: or_default(
            given.lease_expiries_per_step,
            default.lease_expiries_per_step,
        ),
        stream_queue_responses: or_default(
            given.stream_queue_responses,
            default.stream_queue_responses,
        ),
        catch_up_revisions: or_default(given.catch_up_revisions, default.catch_up_revisions),
        stream_queue_bytes: or_default(given.stream_queue_bytes, default.stream_queue_bytes),
        watch_queue_bytes: or_default(given.watch_queue_bytes, default.watch_queue_bytes),
        fragment_bytes: or_default(given.fragment_bytes, default.fragment_bytes),
        progress_notify_ms: positive(
            "progress_notify_ms",
            given.progress_notify_ms,
            default.progress_notify_ms,
        )?,
        cursors: or_default(given.cursors, default.cursors),
        cursor_name_bytes: or_default(given.cursor_name_bytes, default.cursor_name_bytes),
        max_hold_revisions: positive(
            "max_hold_revisions",
            given.max_hold_revisions,
            default.max_hold_revisions,
        )?,
        snapshot_hold_bytes: match given.snapshot_hold_bytes {
            0 => default.snapshot_hold_bytes,
            bytes => bytes,
        },
    })
}

fn file_options(given: &revwatch_open_options, page_size: usize) -> FileOptions {
    let default = FileOptions::default();
    let lock_timeout = match u64::try_from(given.lock_timeout_ms) {
        Ok(0) => default.lock_timeout,
        Ok(ms) => Duration::from_millis(ms),
        Err(_) => Duration::ZERO,
    };
    FileOptions {
        page_size,
        read_only: given.read_only != 0,
        lock_timeout,
        ..default
    }
}

fn positive(what: &str, value: i64, default: i64) -> Result<i64, Failure> {
    match value {
        0 => Ok(default),
        1.. => Ok(value),
        _ => Err(Failure::option(format!(
            "{what} is {value}: give a positive number, or 0"
        ))),
    }
}

/// A number that other processes do not guess: the standard library's hash keys come from the
/// system.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a path can be invalid")]
fn path_of(path: &CStr) -> Result<PathBuf, Failure> {
    use std::os::unix::ffi::OsStrExt;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes())))
}

#[cfg(not(unix))]
fn path_of(path: &CStr) -> Result<PathBuf, Failure> {
    let path = path
        .to_str()
        .map_err(|_| Failure::argument("the path is not UTF-8: convert it"))?;
    Ok(PathBuf::from(path))
}
