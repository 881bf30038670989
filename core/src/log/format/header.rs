//! The first two pages: what this image is, written once, in two copies of which one suffices.
//!
//! Both are synced before anything else is written. They fill the front of their page, with a
//! checksum of their own, so that they can be recognised whatever page size they are read with.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::layout::{Identity, get_u32, get_u64, put_u32, put_u64};
use crate::error::{Error, Result};
use crate::page::{MAX_PAGE_SIZE, MIN_PAGE_SIZE, PageError, PageStore};
use crate::seeded_bug::is_seeded;

/// The format that this version writes, and the only one that it reads.
pub(super) const FORMAT_VERSION: u32 = 1;
/// How many pages hold a copy of the header; the log begins behind them.
pub(in crate::log) const COPIES: u32 = 2;

/// Ends in bytes that a transfer as text would change.
const MAGIC: &[u8; 12] = b"revwatch\r\n\x1a\n";
/// In the place of the magic for as long as an import is not complete. All else is the same.
const IMPORT_MAGIC: &[u8; 12] = b"rvimport\r\n\x1a\n";
const VERSION: usize = MAGIC.len();
const PAGE_SIZE: usize = VERSION + size_of::<u32>();
const STORE_ID: usize = PAGE_SIZE + size_of::<u32>();
const CHECKSUM: usize = STORE_ID + size_of::<[u8; 16]>();
const HEADER_BYTES: usize = CHECKSUM + size_of::<u64>();

/// What the first two pages say.
pub(in crate::log) enum Image {
    /// There is no store yet: no page at all, or a creation that was cut off by a crash.
    Blank,
    /// An import that was cut off, or goes on.
    Importing,
    /// A store. `damaged` are the copies that have to be written again.
    Store {
        identity: Identity,
        damaged: Vec<u32>,
    },
}

/// Looks at the first two pages of an image.
pub(in crate::log) fn inspect<P: PageStore>(pages: &P) -> Result<Image> {
    let page_size = checked_page_size(pages)?;
    let length = pages.len()?;
    if length == 0 {
        return Ok(Image::Blank);
    }
    let mut copies = [const { None }; COPIES as usize];
    let mut failure = None;
    for page in 0..COPIES.min(length) {
        let mut bytes = vec![0; page_size];
        match pages.read(page, &mut bytes) {
            Ok(()) => copies[page as usize] = Some(bytes),
            Err(error) => failure = Some(error),
        }
    }
    if let (None, None, Some(error)) = (&copies[0], &copies[1], failure) {
        return Err(error.into());
    }
    let ids = [&copies[0], &copies[1]].map(|copy| copy.as_deref().and_then(read));
    match ids {
        [Some(first), Some(second)] if first != second => Err(Error::Corrupt {
            page: 1,
            what: "the two copies of the header differ".into(),
        }),
        [Some(header), _] | [_, Some(header)] => {
            let identity = accept(&header, page_size)?;
            let is_whole = |copy: &Option<Vec<u8>>| {
                copy.as_deref().is_some_and(|page| is_copy(page, identity))
            };
            let damaged = (0..COPIES).filter(|&copy| !is_whole(&copies[copy as usize]));
            Ok(Image::Store {
                identity,
                damaged: damaged.collect(),
            })
        }
        [None, None] if copies.iter().flatten().any(|copy| is_import(copy)) => Ok(Image::Importing),
        [None, None] if is_unfinished_creation(pages, &copies, length)? => Ok(Image::Blank),
        [None, None] => Err(unreadable(&copies)),
    }
}

/// What any copy of the header says that can be read.
pub(in crate::log) fn any_identity<P: PageStore>(pages: &P) -> Option<Identity> {
    let page_size = checked_page_size(pages).ok()?;
    let mut page = vec![0; page_size];
    (0..COPIES).find_map(|copy| {
        pages.read(copy, &mut page).ok()?;
        accept(&read(&page)?, page_size).ok()
    })
}

/// Writes both copies into an image that [`inspect`] found blank, and syncs.
pub(in crate::log) fn create<P: PageStore>(pages: &P, store_id: [u8; 16]) -> Result<Identity> {
    let identity = Identity {
        store_id,
        page_size: checked_page_size(pages)?,
    };
    if pages.len()? != COPIES {
        pages.set_len(COPIES)?;
    }
    for copy in 0..COPIES {
        write(pages, identity, copy)?;
    }
    pages.sync()?;
    Ok(identity)
}

/// Says in an image that an import into it begins, of which nothing counts until it is complete.
/// What was there of an earlier one is gone then.
pub(in crate::log) fn begin_import<P: PageStore>(
    pages: &P,
    store_id: [u8; 16],
) -> Result<Identity> {
    let identity = Identity {
        store_id,
        page_size: checked_page_size(pages)?,
    };
    if pages.len()? < COPIES {
        pages.set_len(COPIES)?;
    }
    let mut page = vec![0; identity.page_size];
    encode(&mut page, IMPORT_MAGIC, identity);
    // One after the other: one of them says so at any time.
    for copy in (0..COPIES).filter(|_| !is_seeded!(BeginImportInSilence)) {
        pages.write(copy, &page)?;
        pages.sync()?;
    }
    if pages.len()? != COPIES {
        pages.set_len(COPIES)?;
        pages.sync()?;
    }
    Ok(identity)
}

/// Makes a complete import, which is durable, a store.
pub(in crate::log) fn finish_import<P: PageStore>(pages: &P, identity: Identity) -> Result<()> {
    for copy in 0..COPIES {
        write(pages, identity, copy)?;
        pages.sync()?;
    }
    Ok(())
}

/// Writes one copy.
pub(in crate::log) fn write<P: PageStore>(pages: &P, identity: Identity, copy: u32) -> Result<()> {
    if pages.len()? < COPIES {
        pages.set_len(COPIES)?;
    }
    let mut page = vec![0; identity.page_size];
    encode(&mut page, MAGIC, identity);
    Ok(pages.write(copy, &page)?)
}

/// Whether this page is a copy of the header of this very store.
pub(in crate::log) fn is_copy(page: &[u8], identity: Identity) -> bool {
    let mut expected = vec![0; identity.page_size];
    encode(&mut expected, MAGIC, identity);
    page == expected
}

/// The page size that an image says it has, from its first bytes: for page stores that must know it
/// before they can be read in pages.
#[cfg(feature = "std")]
pub(crate) fn page_size_of(first_bytes: &[u8]) -> Option<usize> {
    let header = read(first_bytes).or_else(|| read_with(IMPORT_MAGIC, first_bytes))?;
    (header.version == FORMAT_VERSION).then_some(header.page_size as usize)
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Header {
    version: u32,
    page_size: u32,
    store_id: [u8; 16],
}

fn encode(page: &mut [u8], magic: &[u8; 12], identity: Identity) {
    page[..magic.len()].copy_from_slice(magic);
    put_u32(page, VERSION, FORMAT_VERSION);
    put_u32(page, PAGE_SIZE, identity.page_size as u32);
    page[STORE_ID..CHECKSUM].copy_from_slice(&identity.store_id);
    let checksum = xxh3_64(&page[..CHECKSUM]);
    put_u64(page, CHECKSUM, checksum);
}

fn read(page: &[u8]) -> Option<Header> {
    read_with(MAGIC, page)
}

fn is_import(page: &[u8]) -> bool {
    read_with(IMPORT_MAGIC, page).is_some()
}

fn read_with(magic: &[u8; 12], page: &[u8]) -> Option<Header> {
    if page.len() < HEADER_BYTES || !page.starts_with(magic) {
        return None;
    }
    if get_u64(page, CHECKSUM) != xxh3_64(&page[..CHECKSUM]) {
        return None;
    }
    let mut store_id = [0; 16];
    store_id.copy_from_slice(&page[STORE_ID..CHECKSUM]);
    Some(Header {
        version: get_u32(page, VERSION),
        page_size: get_u32(page, PAGE_SIZE),
        store_id,
    })
}

fn accept(header: &Header, page_size: usize) -> Result<Identity> {
    if header.version != FORMAT_VERSION {
        return Err(Error::UnsupportedFormat {
            version: header.version,
        });
    }
    if header.page_size as usize != page_size {
        return Err(Error::Page(PageError::BadSize(format!(
            "the store has pages of {} bytes and was opened with pages of {page_size}: open it with its own page size",
            header.page_size
        ))));
    }
    Ok(Identity {
        store_id: header.store_id,
        page_size,
    })
}

/// A later format may keep its header elsewhere; if both copies say so, believe them.
fn unreadable(copies: &[Option<Vec<u8>>]) -> Error {
    let mut versions = copies.iter().flatten().map(|page| {
        let known = page.len() >= HEADER_BYTES && page.starts_with(MAGIC);
        known.then(|| get_u32(page, VERSION))
    });
    match (versions.next().flatten(), versions.next().flatten()) {
        (Some(first), Some(second)) if first == second && first > FORMAT_VERSION => {
            Error::UnsupportedFormat { version: first }
        }
        _ => Error::NotAStore,
    }
}

/// Whether a crash during [`create`] or [`begin_import`] can have left this: nothing was synced yet,
/// so each header may be torn, with zeros where its bytes, or on flash its bits, are missing. Anything
/// else belongs to another program.
fn is_unfinished_creation<P: PageStore>(
    pages: &P,
    copies: &[Option<Vec<u8>>],
    length: u32,
) -> Result<bool> {
    let is_torn = |magic| copies.iter().flatten().all(|page| is_torn(page, magic));
    if !is_torn(MAGIC) && !is_torn(IMPORT_MAGIC) {
        return Ok(false);
    }
    let mut bytes = vec![0; pages.page_size()];
    for page in COPIES..length {
        pages.read(page, &mut bytes)?;
        if bytes.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_torn(page: &[u8], magic: &[u8; 12]) -> bool {
    let mut expected = vec![0; page.len()];
    let identity = Identity {
        store_id: [0; 16],
        page_size: page.len(),
    };
    encode(&mut expected, magic, identity);
    // The id that the creation had is not known, and so neither is its checksum.
    let bytes = page.iter().zip(&expected).enumerate();
    bytes
        .into_iter()
        .all(|(at, (&byte, &wanted))| byte & !wanted == 0 || (STORE_ID..HEADER_BYTES).contains(&at))
}

fn checked_page_size<P: PageStore>(pages: &P) -> Result<usize> {
    let page_size = pages.page_size();
    if page_size.is_power_of_two() && (MIN_PAGE_SIZE..=MAX_PAGE_SIZE).contains(&page_size) {
        return Ok(page_size);
    }
    Err(Error::InvalidOption(format!(
        "a page size of {page_size} bytes: give a power of two from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}"
    )))
}
