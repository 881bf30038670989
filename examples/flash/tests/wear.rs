//! Erasures are spread over the chip, and over all the years of a device.

#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]

use revwatch::page::{PageError, PageStore};
use revwatch::{Options, Retention, Store};
use revwatch_flash::{FlashPages, SimulatedNor};

const UNIT_BYTES: usize = 4096;
const UNITS: u32 = 96;
/// The journal of the length, and the pages that have their place: two copies of the header, and where
/// other page stores have the root of a checkpoint.
const FIXED_UNITS: usize = 5;
const PUTS_PER_SESSION: usize = 500;
const SESSIONS: usize = 40;

/// The same pages, which do not say that they wear.
struct Unaware(FlashPages<SimulatedNor>);

impl PageStore for Unaware {
    fn page_size(&self) -> usize {
        self.0.page_size()
    }
    fn len(&self) -> Result<u32, PageError> {
        self.0.len()
    }
    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.0.set_len(len)
    }
    fn gains_zeros(&self) -> bool {
        self.0.gains_zeros()
    }
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.0.read(page, buffer)
    }
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.0.write(page, bytes)
    }
    fn sync(&self) -> Result<(), PageError> {
        self.0.sync()
    }
}

/// Overwrites the same keys for many sessions, of which half end with a loss of power. Answers the most
/// pages that were in use.
fn live_long<P: PageStore>(mount: impl Fn() -> P) -> u64 {
    let mut in_use = 0;
    let mut now_ms = 0;
    for session in 0..SESSIONS {
        let retention = Retention {
            revisions: 50,
            ..Retention::default()
        };
        let options = Options {
            retention,
            ..Options::default()
        };
        let mut store = Store::open(mount(), options).unwrap();
        for put in 0..PUTS_PER_SESSION {
            let key = [(put % 40) as u8];
            store.put(&key, &[session as u8; 300]).unwrap();
            now_ms += 10;
            store.step(now_ms, 8 * UNIT_BYTES).unwrap();
            in_use = in_use.max(store.status().size_in_use / UNIT_BYTES as u64);
        }
        if session % 2 == 0 {
            store.close().unwrap();
        }
    }
    in_use
}

fn most_and_mean(erasures: &[u32]) -> (f64, f64) {
    let most = erasures.iter().copied().max().unwrap_or(0);
    let sum: u32 = erasures.iter().sum();
    (f64::from(most), f64::from(sum) / erasures.len() as f64)
}

/// A page is taken again once all others that were free have been taken. So with `n` pages of which no
/// more than `u` are in use or wait to be free again, none is erased more often than once in `n - u`
/// page writes: `n / (n - u)` times the mean.
#[test]
fn wear_is_spread_over_all_pages_that_are_free() {
    let chip = SimulatedNor::new(UNIT_BYTES, UNITS);
    let in_use = live_long(|| FlashPages::mount(chip.clone()).unwrap()) as f64;
    let erasures = chip.erasures();
    let (most, mean) = most_and_mean(&erasures[FIXED_UNITS..]);
    let pages = (erasures.len() - FIXED_UNITS) as f64;
    let waiting = 20.0;
    println!("{most} erasures at most, {mean:.0} on average, {in_use} pages in use");
    assert!(mean > 100.0);
    assert!(
        most <= mean * pages / (pages - in_use - waiting),
        "{erasures:?}"
    );
    assert!(
        erasures[..FIXED_UNITS].iter().all(|&count| count <= 2),
        "{erasures:?}"
    );
}

#[test]
fn without_the_word_that_pages_wear_a_few_of_them_would_wear_out() {
    let chip = SimulatedNor::new(UNIT_BYTES, UNITS);
    live_long(|| Unaware(FlashPages::mount(chip.clone()).unwrap()));
    let erasures = chip.erasures();
    let (most, mean) = most_and_mean(&erasures[FIXED_UNITS..]);
    println!("{most} erasures at most, {mean:.0} on average");
    assert!(most > 4.0 * mean, "{erasures:?}");
}
