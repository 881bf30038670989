//! The power goes in the middle of every erasure and every few bytes that are programmed, and again in
//! the recovery: what was acknowledged is there.

use revwatch::page::{PageError, PageStore};
use revwatch::{Error, Options, Store};
use revwatch_flash::{FlashPages, NorFlash, SimulatedNor};

const UNIT_BYTES: usize = 512;
const UNITS: u32 = 64;

fn open(chip: &SimulatedNor) -> Result<Store<FlashPages<SimulatedNor>>, Error> {
    Store::open(FlashPages::mount(chip.clone())?, Options::default())
}

/// Puts until the power goes. Answers how many puts were acknowledged.
fn work(chip: &SimulatedNor) -> (u64, Result<(), Error>) {
    let mut acknowledged = 0;
    let mut put_all = || {
        let mut store = open(chip)?;
        for number in 1..=30_u64 {
            store.put(&[number as u8 % 3], &value(number))?;
            acknowledged = number;
            if number.is_multiple_of(5) {
                store.compact(store.revision())?;
                store.step(number as i64, 10_000)?;
            }
        }
        store.close()
    };
    let outcome = put_all();
    (acknowledged, outcome)
}

/// Some reach over several pages.
fn value(number: u64) -> Vec<u8> {
    vec![number as u8; if number.is_multiple_of(4) { 1_500 } else { 40 }]
}

fn assert_all_is_there(store: &Store<FlashPages<SimulatedNor>>, acknowledged: u64) {
    let puts = store.revision() as u64 - 1;
    assert!(
        (acknowledged..=acknowledged + 1).contains(&puts),
        "{puts} puts, and {acknowledged} were acknowledged"
    );
    for key in 0..3 {
        let newest = (1..=puts).rev().find(|number| number % 3 == key);
        let found = store.get(&[key as u8]).unwrap();
        assert_eq!(found.map(|kv| kv.value), newest.map(value));
    }
    store.check().unwrap();
}

#[test]
fn wherever_the_power_goes_what_was_acknowledged_is_there() {
    let mut cuts = 0;
    for steps in 0.. {
        let chip = SimulatedNor::new(UNIT_BYTES, UNITS);
        chip.cut_after(steps);
        let (acknowledged, outcome) = work(&chip);
        if !chip.power_on() {
            outcome.unwrap();
            break;
        }
        // It goes again while the store is opened, at a later moment each time, until it is open.
        for again in (steps % 7..).step_by(11) {
            chip.cut_after(again);
            drop(open(&chip));
            if !chip.power_on() {
                break;
            }
            cuts += 1;
        }
        let mut store = open(&chip).unwrap();
        assert_all_is_there(&store, acknowledged);
        store.put(b"and", b"it goes on").unwrap();
        store.close().unwrap();
        cuts += 1;
    }
    println!("{cuts} cuts");
    assert!(cuts > 1_000);
}

#[test]
fn the_length_is_what_was_set_last_or_before_wherever_the_power_goes() {
    for steps in 0..3_000 {
        let chip = SimulatedNor::new(UNIT_BYTES, 8);
        chip.cut_after(steps);
        let pages = FlashPages::mount(chip.clone()).unwrap();
        let (mut before, mut attempted) = (0, 0);
        for round in 0..100 {
            attempted = [1, 5, 2, 6][round % 4];
            if pages.set_len(attempted).is_err() {
                break;
            }
            before = attempted;
        }
        chip.power_on();
        let found = FlashPages::mount(chip.clone()).unwrap();
        let len = found.len().unwrap();
        assert!(
            len == before || len == attempted,
            "{len} {before} {attempted}"
        );
        found.set_len(3).unwrap();
        assert_eq!(FlashPages::mount(chip).unwrap().len().unwrap(), 3);
    }
}

#[test]
fn gained_pages_are_zeros_and_what_is_out_of_bounds_is_refused() {
    let mut chip = SimulatedNor::new(UNIT_BYTES, 6);
    chip.program(4, 0, &[0; 16]).unwrap();
    let pages = FlashPages::mount(chip).unwrap();
    pages.set_len(4).unwrap();
    let mut page = [1; UNIT_BYTES];
    for number in 0..4 {
        pages.read(number, &mut page).unwrap();
        assert_eq!(page, [0; UNIT_BYTES]);
    }
    pages.write(1, &[7; UNIT_BYTES]).unwrap();
    pages.set_len(1).unwrap();
    assert!(matches!(
        pages.read(1, &mut page),
        Err(PageError::OutOfBounds { page: 1 })
    ));
    pages.set_len(4).unwrap();
    pages.read(1, &mut page).unwrap();
    assert_eq!(page, [0; UNIT_BYTES]);
    assert!(matches!(pages.set_len(5), Err(PageError::NoSpace)));
    assert!(FlashPages::mount(SimulatedNor::new(500, 8)).is_err());
}
