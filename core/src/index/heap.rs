//! Where the index keeps its bytes: a heap of blocks with small addresses.
//!
//! A record per key from the global allocator would cost an eight-byte pointer wherever the key is
//! named, and the allocator's own header at every key. Blocks of this heap have four-byte addresses
//! and no headers: whoever holds an address knows the block's length.
//!
//! Blocks are cut off the end of chunks of 64 KiB. A block that is given back goes to the list of
//! its size and serves the next request of exactly that size; it is never joined with another.
//! This fits an index: few sizes, each asked for again and again. The heap is therefore at most as
//! large as the sum, over the sizes, of what each held at its most.
//!
//! A block of more than 8 KiB has a chunk to itself, which goes back to the global allocator.

use alloc::vec::Vec;

/// The size of a block is a multiple of this, and addresses count in it.
const UNIT_BYTES: usize = 4;
const CHUNK_BYTES: usize = 64 * 1024;
/// The low bits of an address: the unit within the chunk.
const UNIT_BITS: u32 = (CHUNK_BYTES / UNIT_BYTES).ilog2();
/// The largest block that shares a chunk, so that a chunk's unused end is at most an eighth of it.
const LARGEST_SHARED_BYTES: usize = CHUNK_BYTES / 8;
/// The first chunk begins with this and grows, so that a small index is small.
const FIRST_BYTES: usize = 512;
const MAX_CHUNKS: usize = 1 << (u32::BITS - UNIT_BITS);

/// Names a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) u32);

impl Address {
    /// No block: the last unit of the last chunk, and blocks are longer than a unit.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The block behind this one, which has so many bytes and was allocated together with it.
    pub(crate) fn behind(self, bytes: usize) -> Self {
        Self(self.0 + (bytes / UNIT_BYTES) as u32)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Heap {
    chunks: Vec<Vec<u8>>,
    /// The chunk that blocks are cut off, and how far it is used; what lies behind is zero.
    filling: Option<usize>,
    filled: usize,
    /// By size in units, the first unused block of that size. It begins with the address of the
    /// next.
    unused: Vec<Address>,
    /// Chunks that were a large block.
    unused_chunks: Vec<usize>,
}

impl Heap {
    /// A block of `bytes`, with any content. It is longer than a unit, so that it holds an address
    /// while it is not used, and so that `Address::NONE` is none.
    ///
    /// # Panics
    ///
    /// If addresses run out: at 16 GiB of blocks, or 2^18 that are larger than 8 KiB.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Address {
        debug_assert!(bytes > UNIT_BYTES);
        if bytes > LARGEST_SHARED_BYTES {
            let chunk = self.add_chunk(alloc::vec![0; bytes]);
            return address_of(chunk, 0);
        }
        let units = bytes.div_ceil(UNIT_BYTES);
        match self.unused.get(units) {
            Some(&block) if block != Address::NONE => {
                self.unused[units] = self.next_unused(block);
                block
            }
            _ => self.cut_off(units * UNIT_BYTES),
        }
    }

    /// Room for blocks that lie one behind the other, of so many bytes together, each of which is a
    /// multiple of a unit. Each is given back by itself.
    pub(crate) fn allocate_together(&mut self, bytes: usize) -> Address {
        debug_assert!(bytes <= LARGEST_SHARED_BYTES && bytes.is_multiple_of(UNIT_BYTES));
        self.cut_off(bytes)
    }

    /// Gives back a block that was allocated with the same `bytes`.
    pub(crate) fn free(&mut self, block: Address, bytes: usize) {
        if bytes > LARGEST_SHARED_BYTES {
            let (chunk, _) = parts_of(block);
            self.chunks[chunk] = Vec::new();
            self.unused_chunks.push(chunk);
            return;
        }
        let units = bytes.div_ceil(UNIT_BYTES);
        if self.unused.len() <= units {
            self.unused.resize(units + 1, Address::NONE);
        }
        let next = self.unused[units].0.to_le_bytes();
        self.bytes_mut(block)[..next.len()].copy_from_slice(&next);
        self.unused[units] = block;
    }

    /// A block's bytes, and whatever follows them in its chunk.
    #[inline]
    pub(crate) fn bytes(&self, block: Address) -> &[u8] {
        let (chunk, at) = parts_of(block);
        &self.chunks[chunk][at..]
    }

    /// The first bytes of a block that is no shorter. One look at where its chunk ends suffices here,
    /// so this is for blocks that are read often.
    #[inline]
    pub(crate) fn first_bytes<const N: usize>(&self, block: Address) -> &[u8; N] {
        let (chunk, at) = parts_of(block);
        let bytes = self.chunks[chunk][at..at + N].first_chunk();
        bytes.expect("a slice of N bytes")
    }

    /// A block's bytes, and whatever follows them in its chunk.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, block: Address) -> &mut [u8] {
        let (chunk, at) = parts_of(block);
        &mut self.chunks[chunk][at..]
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        let all: usize = self.chunks.iter().map(Vec::len).sum();
        let filling = self.filling.map_or(0, |chunk| self.chunks[chunk].len());
        all - filling + self.filled
    }

    fn next_unused(&self, block: Address) -> Address {
        let next = self.bytes(block).first_chunk();
        Address(u32::from_le_bytes(
            *next.expect("no block is shorter than an address"),
        ))
    }

    fn cut_off(&mut self, bytes: usize) -> Address {
        let chunk = match self.filling {
            Some(chunk) if self.filled + bytes <= self.chunks[chunk].len() => chunk,
            _ => self.make_room(bytes),
        };
        let at = self.filled;
        self.filled += bytes;
        address_of(chunk, at)
    }

    /// A chunk that so many bytes can be cut off.
    #[cold]
    fn make_room(&mut self, bytes: usize) -> usize {
        let is_first = self.filling.is_none();
        if let Some(chunk) = self.filling
            && self.filled + bytes <= CHUNK_BYTES
        {
            let content = &mut self.chunks[chunk];
            let grown = (self.filled + bytes).max((2 * content.len()).min(CHUNK_BYTES));
            content.reserve_exact(grown - content.len());
            content.resize(grown, 0);
            return chunk;
        }
        let length = if is_first { FIRST_BYTES } else { CHUNK_BYTES };
        let chunk = self.add_chunk(alloc::vec![0; length.max(bytes)]);
        self.filling = Some(chunk);
        self.filled = 0;
        chunk
    }

    fn add_chunk(&mut self, content: Vec<u8>) -> usize {
        if let Some(chunk) = self.unused_chunks.pop() {
            self.chunks[chunk] = content;
            return chunk;
        }
        assert!(
            self.chunks.len() < MAX_CHUNKS,
            "no addresses are left: there are 16 GiB of keys, or {MAX_CHUNKS} long ones"
        );
        self.chunks.push(content);
        self.chunks.len() - 1
    }
}

fn address_of(chunk: usize, at: usize) -> Address {
    Address(((chunk << UNIT_BITS) | (at / UNIT_BYTES)) as u32)
}

#[inline]
fn parts_of(block: Address) -> (usize, usize) {
    let unit = block.0 & ((1 << UNIT_BITS) - 1);
    ((block.0 >> UNIT_BITS) as usize, unit as usize * UNIT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(heap: &mut Heap, block: Address, bytes: usize, with: u8) {
        heap.bytes_mut(block)[..bytes].fill(with);
    }

    #[test]
    fn blocks_do_not_overlap() {
        let mut heap = Heap::default();
        let sizes = [8, 24, 52, 53, 5, 8192, 8193, 100_000, 5000];
        let mut blocks = Vec::new();
        for i in 0..200_u8 {
            let bytes = sizes[usize::from(i) % sizes.len()];
            let block = heap.allocate(bytes);
            fill(&mut heap, block, bytes, i);
            blocks.push((block, bytes, i));
            if i % 3 == 2 {
                let (block, bytes, _) = blocks.swap_remove(usize::from(i) / 7);
                fill(&mut heap, block, bytes, 0xee);
                heap.free(block, bytes);
            }
        }
        for (block, bytes, with) in blocks {
            assert!(heap.bytes(block)[..bytes].iter().all(|&byte| byte == with));
        }
    }

    #[test]
    fn what_was_given_back_is_used_again() {
        let mut heap = Heap::default();
        for bytes in [8, 24, 51, 20_000] {
            let first: Vec<_> = (0..1000).map(|_| heap.allocate(bytes)).collect();
            for &block in &first {
                heap.free(block, bytes);
            }
            let mut second: Vec<_> = (0..1000).map(|_| heap.allocate(bytes)).collect();
            second.sort();
            assert_eq!(second, first);
        }
    }

    #[test]
    fn a_small_heap_is_small() {
        let mut heap = Heap::default();
        heap.allocate(56);
        assert!(heap.chunks[0].capacity() <= FIRST_BYTES);
        for _ in 0..100 {
            heap.allocate(56);
        }
        assert!(heap.chunks[0].capacity() <= 2 * 101 * 56);
        for _ in 0..10_000 {
            heap.allocate(56);
        }
        assert!(
            heap.chunks
                .iter()
                .all(|chunk| chunk.capacity() <= CHUNK_BYTES)
        );
    }
}
