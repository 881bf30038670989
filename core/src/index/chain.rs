//! The bytes of a key's older changes: a stack in small blocks.
//!
//! Keys have few changes, and all of them get their next one at about the same time. A block that
//! grows would leave blocks of every earlier size behind; a chain of blocks leaves none. The first
//! holds 8 bytes, enough for one change; each further one holds bytes behind the address of the one
//! before, 8 while the chain is short, so that a key with a few changes has no half-empty block, and
//! then 16, so that one with many has few addresses. All but the newest block are full, so the length
//! of the whole says where each byte is. A change may begin in one block and end in the next.

use alloc::vec::Vec;

use super::heap::{Address, Heap};

const FIRST_BYTES: usize = 8;
const LINK_BYTES: usize = 4;
/// What a further block holds in a chain of so many bytes, and in one that is longer.
const SHORT_BYTES: usize = 56;
const SMALL_CONTENT: usize = 8;
const LARGE_CONTENT: usize = 16;

/// A stack of at most 255 bytes. It does not free itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The block with the newest byte, if there is any.
    pub(super) newest: Address,
    pub(super) len: u8,
}

impl Chain {
    pub(super) const EMPTY: Self = Self {
        newest: Address::NONE,
        len: 0,
    };

    pub(super) fn has_room_for(self, bytes: usize) -> bool {
        u8::try_from(usize::from(self.len) + bytes).is_ok()
    }

    /// Pushes bytes, of which the last will be read first. The caller has asked for room.
    #[inline]
    pub(super) fn push(&mut self, heap: &mut Heap, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut newest = newest_block(self.len);
            if newest.used == newest.bytes {
                newest = next_block(self.len);
                let block = heap.allocate(newest.bytes);
                if newest.link_bytes > 0 {
                    let link = self.newest.0.to_le_bytes();
                    heap.bytes_mut(block)[..LINK_BYTES].copy_from_slice(&link);
                }
                self.newest = block;
            }
            let (now, later) = bytes.split_at(bytes.len().min(newest.bytes - newest.used));
            let room = &mut heap.bytes_mut(self.newest)[newest.used..newest.bytes];
            // Few bytes: a loop is faster than a call.
            room.iter_mut().zip(now).for_each(|(to, &from)| *to = from);
            self.len += now.len() as u8;
            bytes = later;
        }
    }

    /// A chain of bytes that were pushed to one before, at most 255.
    pub(super) fn of(mut bytes: &[u8], heap: &mut Heap) -> Self {
        let mut chain = Self::EMPTY;
        if bytes.is_empty() {
            return chain;
        }
        let mut address = heap.allocate_together(bytes_of_blocks(bytes.len()));
        while !bytes.is_empty() {
            let Block {
                bytes: length,
                link_bytes,
                ..
            } = next_block(chain.len);
            let (now, later) = bytes.split_at(bytes.len().min(length - link_bytes));
            let block = heap.bytes_mut(address);
            if link_bytes > 0 {
                block[..LINK_BYTES].copy_from_slice(&chain.newest.0.to_le_bytes());
            }
            block[link_bytes..][..now.len()].copy_from_slice(now);
            chain.newest = address;
            chain.len += now.len() as u8;
            address = address.behind(length);
            bytes = later;
        }
        chain
    }

    /// Appends all bytes to `out`, in the order in which they were pushed.
    pub(super) fn copy_to(self, heap: &Heap, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + usize::from(self.len), 0);
        let mut rest = self;
        while rest.len > 0 {
            let newest = newest_block(rest.len);
            let bytes = &heap.bytes(rest.newest)[newest.link_bytes..newest.used];
            rest = rest.before(&newest, heap);
            out[start + usize::from(rest.len)..][..bytes.len()].copy_from_slice(bytes);
        }
    }

    /// Reads from the byte pushed last to the first.
    pub(super) fn read(self, heap: &Heap) -> Reader<'_> {
        Reader {
            heap,
            block: &[],
            used: 0,
            rest: self,
        }
    }

    /// Gives all blocks back.
    pub(super) fn free(&mut self, heap: &mut Heap) {
        while self.len > 0 {
            let newest = newest_block(self.len);
            let before = self.before(&newest, heap);
            heap.free(self.newest, newest.bytes);
            *self = before;
        }
    }

    /// The chain without its newest block.
    #[inline]
    fn before(self, newest: &Block, heap: &Heap) -> Self {
        if newest.link_bytes == 0 {
            return Self::EMPTY;
        }
        Self {
            newest: link_of(heap.bytes(self.newest)),
            len: self.len - (newest.used - LINK_BYTES) as u8,
        }
    }
}

/// A block, which begins with an address unless it is the first.
struct Block {
    bytes: usize,
    link_bytes: usize,
    /// Bytes that are used, the address included.
    used: usize,
}

/// The newest block of a chain of `len` bytes; as if it were full, if there is none.
#[inline]
fn newest_block(len: u8) -> Block {
    let len = usize::from(len);
    let (content, link_bytes, used) = if len <= FIRST_BYTES {
        let used = if len == 0 { FIRST_BYTES } else { len };
        (FIRST_BYTES, 0, used)
    } else if len <= SHORT_BYTES {
        (
            SMALL_CONTENT,
            LINK_BYTES,
            (len - FIRST_BYTES - 1) % SMALL_CONTENT + 1,
        )
    } else {
        (
            LARGE_CONTENT,
            LINK_BYTES,
            (len - SHORT_BYTES - 1) % LARGE_CONTENT + 1,
        )
    };
    Block {
        bytes: link_bytes + content,
        link_bytes,
        used: link_bytes + used,
    }
}

/// The block that follows in a chain of `len` bytes, whose blocks are full.
#[inline]
fn next_block(len: u8) -> Block {
    let len = usize::from(len);
    let (content, link_bytes) = match len {
        0 => (FIRST_BYTES, 0),
        FIRST_BYTES..SHORT_BYTES => (SMALL_CONTENT, LINK_BYTES),
        _ => (LARGE_CONTENT, LINK_BYTES),
    };
    Block {
        bytes: link_bytes + content,
        link_bytes,
        used: link_bytes,
    }
}

/// What the blocks of a chain of `len` bytes take.
fn bytes_of_blocks(len: usize) -> usize {
    let small = len.clamp(FIRST_BYTES, SHORT_BYTES) - FIRST_BYTES;
    let large = len.saturating_sub(SHORT_BYTES);
    FIRST_BYTES
        + small.div_ceil(SMALL_CONTENT) * (LINK_BYTES + SMALL_CONTENT)
        + large.div_ceil(LARGE_CONTENT) * (LINK_BYTES + LARGE_CONTENT)
}

fn link_of(block: &[u8]) -> Address {
    let link = block
        .first_chunk()
        .expect("a further block begins with one");
    Address(u32::from_le_bytes(*link))
}

/// Reads a chain from its newest byte on. Behind the last there are zeros: a chain that somebody else
/// has made need not hold whole changes.
pub(super) struct Reader<'a> {
    heap: &'a Heap,
    /// The content of the block that is being read, of which `used` bytes are not read yet.
    block: &'a [u8],
    used: usize,
    /// The blocks that follow.
    rest: Chain,
}

impl Reader<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0 && self.rest.len == 0
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        if self.used == 0 {
            self.next_block();
        }
        self.used -= 1;
        self.block[self.used]
    }

    fn next_block(&mut self) {
        if self.rest.len == 0 {
            (self.block, self.used) = (&[0], 1);
            return;
        }
        let newest = newest_block(self.rest.len);
        let block = self.heap.bytes(self.rest.newest);
        self.block = &block[newest.link_bytes..];
        self.used = newest.used - newest.link_bytes;
        self.rest = self.rest.before(&newest, self.heap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(chain: Chain, heap: &Heap) -> Vec<u8> {
        let mut reader = chain.read(heap);
        let mut bytes = Vec::new();
        while !reader.is_empty() {
            bytes.push(reader.byte());
        }
        bytes
    }

    #[test]
    fn bytes_are_read_newest_first_at_every_length() {
        let mut heap = Heap::default();
        let mut chain = Chain::EMPTY;
        let mut expected = Vec::new();
        for byte in 0..u8::MAX {
            assert_eq!(read_all(chain, &heap), expected);
            assert!(chain.has_room_for(1));
            chain.push(&mut heap, &[byte]);
            expected.insert(0, byte);
        }
        assert!(!chain.has_room_for(1));
        assert_eq!(read_all(chain, &heap), expected);
    }

    #[test]
    fn a_pushed_piece_is_read_from_its_end() {
        let mut heap = Heap::default();
        let mut chain = Chain::EMPTY;
        for piece in [&[1, 2, 3, 4, 5][..], &[6, 7, 8, 9], &[10; 30]] {
            chain.push(&mut heap, piece);
        }
        let mut expected = alloc::vec![10; 30];
        expected.extend([9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(read_all(chain, &heap), expected);
    }

    #[test]
    fn a_chain_made_at_once_is_the_one_whose_bytes_were_pushed() {
        let bytes: Vec<u8> = (0..u8::MAX).collect();
        for len in 0..=bytes.len() {
            let (mut pushed_to, mut heap) = (Heap::default(), Heap::default());
            let mut pushed = Chain::EMPTY;
            pushed.push(&mut pushed_to, &bytes[..len]);
            let mut made = Chain::of(&bytes[..len], &mut heap);
            let mut copy = Vec::from([7]);
            made.copy_to(&heap, &mut copy);
            assert_eq!(copy[1..], bytes[..len]);
            assert_eq!(heap.size(), pushed_to.size());
            // It grows and goes like any other.
            if made.has_room_for(1) {
                made.push(&mut heap, &[255]);
                pushed.push(&mut pushed_to, &[255]);
            }
            assert_eq!(read_all(made, &heap), read_all(pushed, &pushed_to));
            made.free(&mut heap);
            let again = Chain::of(&bytes[..len], &mut heap);
            assert_eq!(read_all(again, &heap).len(), len);
        }
    }

    #[test]
    fn behind_the_last_byte_there_are_zeros() {
        let mut heap = Heap::default();
        let chain = Chain::of(&[1, 2], &mut heap);
        let mut reader = chain.read(&heap);
        let bytes: Vec<u8> = (0..5).map(|_| reader.byte()).collect();
        assert_eq!(bytes, [2, 1, 0, 0, 0]);
        assert!(reader.is_empty());
    }

    #[test]
    fn a_freed_chain_leaves_all_its_blocks() {
        let mut heap = Heap::default();
        let fill = |heap: &mut Heap| {
            let mut chain = Chain::EMPTY;
            chain.push(heap, &[7; 100]);
            chain
        };
        let mut first = fill(&mut heap);
        let end = heap.allocate(100);
        first.free(&mut heap);
        assert_eq!(first, Chain::EMPTY);
        let mut blocks = Vec::new();
        let mut chain = fill(&mut heap);
        while chain.len > 0 {
            blocks.push(chain.newest);
            chain = chain.before(&newest_block(chain.len), &heap);
        }
        assert_eq!(blocks.len(), 10);
        assert!(blocks.iter().all(|&block| block < end));
    }

    #[test]
    fn changes_of_seven_bytes_take_twelve_at_most() {
        let mut heap = Heap::default();
        let mut chain = Chain::EMPTY;
        for changes in 1..=36 {
            chain.push(&mut heap, &[0; 7]);
            assert!(heap.size() <= 12 * changes, "{} of {changes}", heap.size());
        }
    }
}
