//! A page store that loses, tears and refuses writes on purpose, for tests.
//!
//! [`FaultPages`] keeps all that the power-loss contract of [`PageStore`](super::PageStore) leaves
//! open: what the last sync made durable, and every write since. From that it makes the image that
//! a loss of power leaves, as a [`Crash`] says: drawn from a seed, or one after the other through
//! all that can happen. A [`Fault`] can strike any operation before. [`HookedPages`] has a test look
//! into any page store, call by call.
//!
//! Nothing here depends on a clock, an address or the system: the same calls with the same seeds
//! give the same bytes everywhere.
//!
//! ```
//! use revwatch::page::PageStore;
//! use revwatch::page::fault::{Fault, FaultPages, Random};
//!
//! let pages = FaultPages::new(512, 1);
//! pages.set_len(1).unwrap();
//! pages.write(0, &[1; 512]).unwrap();
//! pages.sync().unwrap();
//! pages.fail_after(0, Fault::PowerCut);
//! assert!(pages.write(0, &[2; 512]).is_err());
//!
//! let mut random = Random::new(7);
//! for _ in 0..100 {
//!     let survivor = pages.crash(&mut random);
//!     let mut page = [0; 512];
//!     survivor.read(0, &mut page).unwrap(); // old, new or torn
//! }
//! ```

mod crash;
mod disk;
mod every_crash;
mod hooked;
mod medium;
mod pages;
mod random;
mod script;
#[cfg(test)]
mod tests;
mod unsettled;

pub use crash::{Crash, Fate};
pub use disk::FaultDisk;
pub use every_crash::EveryCrash;
pub use hooked::{Call, Hook, HookedPages};
pub use pages::{FaultPages, OperationCounts, SyncBegun};
pub use random::Random;
pub use script::{Fault, Struck};
