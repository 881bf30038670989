//! Creating a store, and the power going meanwhile.

use std::rc::Rc;

use revwatch::page::fault::{FaultPages, Random};
use revwatch::{Durability, Store};

use crate::history::History;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::{Standing, Tape, recorded};

const CUT_IN_CREATION: &str = "power cut in the creation";

/// On a device whose new pages are zero, such as a file, an interrupted creation leaves a place
/// where a store can be created.
fn interrupt_creation(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let page_size = 512 << random.below(4);
    let setup = Setup {
        seed,
        durability: Durability::Commit,
        page_size,
        capacity: 100,
    };
    let blank = vec![0; page_size * random.below(4)];
    let disk = FaultPages::from_bytes(page_size, seed, &blank).unwrap();
    let promised = Rc::new(Standing::of_nothing(History::new(0)));
    let tape = Rc::new(Tape::default());
    tape.promise(Rc::clone(&promised));
    let pages = recorded(disk, Rc::clone(&tape));
    drop(Store::open(pages, setup.options()).unwrap());
    for (position, point) in tape.take_points().iter().enumerate() {
        let _position = note(position);
        for crash in point.disk.every_crash() {
            let _crash = note(&crash);
            if crash.len as usize * page_size > blank.len() {
                // What lies in the pages gained is noise, where a file has zeros.
                continue;
            }
            tally.count(CUT_IN_CREATION);
            let left = point.disk.crash_as(&crash);
            let session = match Session::recover(&setup, left, &promised) {
                Ok(session) => session,
                Err(error) => panic!("the store can be neither opened nor created: {error}"),
            };
            assert_eq!(session.standing().epoch, 1);
        }
    }
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let tally = Tally::new("an_interrupted_creation", &[CUT_IN_CREATION]);
    tally.run(interrupt_creation);
}
