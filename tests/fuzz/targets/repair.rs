//! Any bytes, given as a damaged store, are repaired or refused: no panic, no endless loop, no
//! allocation larger than the image justifies, and what is saved is a store.
#![no_main]

mod allocation;
mod reseal;

use libfuzzer_sys::fuzz_target;
use revwatch::Options;
use revwatch::Store;
use revwatch::page::MemoryPages;

const PAGE: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((&how, image)) = input.split_first() else {
        return;
    };
    let mut image = image.to_vec();
    image.resize(image.len().next_multiple_of(PAGE), 0);
    reseal::reseal(&mut image, how);
    let used = allocation::peak_of(|| {
        let damaged = MemoryPages::from_bytes(PAGE, &image).unwrap();
        if let Ok((saved, _)) = Store::repair(&damaged, MemoryPages::new(PAGE), Options::default())
        {
            saved.check().unwrap();
        }
        assert_eq!(damaged.to_bytes(), image);
    });
    let justified = (8 << 20) + 256 * image.len();
    assert!(used <= justified, "{used} bytes for {}", image.len());
});
