//! The bytes of a key's older changes: a stack in small blocks.
//!
//! Keys have few changes, and all of them get their next one at about the same time. A block that
//! grows would leave blocks of every earlier size behind; a chain of blocks leaves none. The first
//! holds 8 bytes, enough for one change; each further one 16, behind the address of the one before.
//! All but the newest block are full, so the length of the whole says where each byte is. A change
//! may begin in one block and end in the next.

use super::heap::{Address, Heap};

const FIRST_BYTES: usize = 8;
const LINK_BYTES: usize = 4;
const FURTHER_BYTES: usize = 20;
const FURTHER_CONTENT: usize = FURTHER_BYTES - LINK_BYTES;

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
            let (at, end) = match used_of_newest(self.len) {
                Used::First(used) if used < FIRST_BYTES => (used, FIRST_BYTES),
                Used::Further(used) if used < FURTHER_BYTES => (used, FURTHER_BYTES),
                Used::Nothing => {
                    self.newest = heap.allocate(FIRST_BYTES);
                    (0, FIRST_BYTES)
                }
                Used::First(_) | Used::Further(_) => {
                    let block = heap.allocate(FURTHER_BYTES);
                    let link = self.newest.0.to_le_bytes();
                    heap.bytes_mut(block)[..LINK_BYTES].copy_from_slice(&link);
                    self.newest = block;
                    (LINK_BYTES, FURTHER_BYTES)
                }
            };
            let (now, later) = bytes.split_at(bytes.len().min(end - at));
            let room = &mut heap.bytes_mut(self.newest)[at..end];
            // Few bytes: a loop is faster than a call.
            room.iter_mut().zip(now).for_each(|(to, &from)| *to = from);
            self.len += now.len() as u8;
            bytes = later;
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
        loop {
            match used_of_newest(self.len) {
                Used::Nothing => break,
                Used::First(used) => {
                    heap.free(self.newest, FIRST_BYTES);
                    self.len -= used as u8;
                }
                Used::Further(used) => {
                    let before = link_of(heap.bytes(self.newest));
                    heap.free(self.newest, FURTHER_BYTES);
                    self.newest = before;
                    self.len -= (used - LINK_BYTES) as u8;
                }
            }
        }
        *self = Self::EMPTY;
    }
}

/// How much of the newest block is used, its link included.
enum Used {
    Nothing,
    First(usize),
    Further(usize),
}

#[inline]
fn used_of_newest(len: u8) -> Used {
    match usize::from(len) {
        0 => Used::Nothing,
        len @ 1..=FIRST_BYTES => Used::First(len),
        len => Used::Further(LINK_BYTES + (len - FIRST_BYTES - 1) % FURTHER_CONTENT + 1),
    }
}

fn link_of(block: &[u8]) -> Address {
    let link = block
        .first_chunk()
        .expect("a further block begins with one");
    Address(u32::from_le_bytes(*link))
}

/// Reads a chain from its newest byte on.
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

    /// The next byte; there must be one.
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        if self.used == 0 {
            self.next_block();
        }
        self.used -= 1;
        self.block[self.used]
    }

    fn next_block(&mut self) {
        let block = self.heap.bytes(self.rest.newest);
        match used_of_newest(self.rest.len) {
            Used::Nothing => unreachable!("a change ends before its chain does"),
            Used::First(used) => {
                self.block = block;
                self.used = used;
                self.rest = Chain::EMPTY;
            }
            Used::Further(used) => {
                self.block = &block[LINK_BYTES..];
                self.used = used - LINK_BYTES;
                self.rest.newest = link_of(block);
                self.rest.len -= self.used as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

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
        while chain.len > FIRST_BYTES as u8 {
            blocks.push(chain.newest);
            let Used::Further(used) = used_of_newest(chain.len) else {
                unreachable!()
            };
            chain.newest = link_of(heap.bytes(chain.newest));
            chain.len -= (used - LINK_BYTES) as u8;
        }
        blocks.push(chain.newest);
        assert_eq!(blocks.len(), 7);
        assert!(blocks.iter().all(|&block| block < end));
    }
}
