//! Opaque handles as checked names.
//!
//! What C holds as a `revwatch_store *` is not an address but a slot of the table below together
//! with the slot's generation, which changes when the slot is emptied. So a handle that was closed,
//! one of another type and a made-up one are all recognised, and a handle closed by one thread while
//! another uses it stays alive until that call returns.

use std::any::Any;
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::status::Failure;

/// A C type of which there are handles.
pub(crate) trait Handle: Sized {
    /// What a handle stands for.
    type Object: Any + Send + Sync;
    /// How messages call it.
    const NAME: &'static str;
}

/// Slots are counted in the lower bits of a handle, generations in the rest.
const SLOT_BITS: u32 = if usize::BITS == 64 { 32 } else { 20 };
const SLOT_MASK: usize = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: usize = usize::MAX >> SLOT_BITS;

struct Slot {
    /// Never 0, so that no handle is NULL.
    generation: usize,
    object: Option<Arc<dyn Any + Send + Sync>>,
}

struct Table {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

static TABLE: RwLock<Table> = RwLock::new(Table {
    slots: Vec::new(),
    free: Vec::new(),
});

impl Table {
    /// The slot that a handle names, if the handle is the slot's present one.
    fn find(&self, handle: usize) -> Option<usize> {
        let slot = handle & SLOT_MASK;
        let found = self.slots.get(slot)?;
        (found.object.is_some() && found.generation == handle >> SLOT_BITS).then_some(slot)
    }
}

/// Keeps `object` until its handle is removed.
pub(crate) fn insert<H: Handle>(object: Arc<H::Object>) -> Result<*mut H, Failure> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let slot = match table.free.pop() {
        Some(slot) => slot,
        None if table.slots.len() > SLOT_MASK => {
            return Err(Failure::argument(
                "there are too many open handles: free some",
            ));
        }
        None => {
            table.slots.push(Slot {
                generation: 1,
                object: None,
            });
            table.slots.len() - 1
        }
    };
    table.slots[slot].object = Some(object);
    let handle = table.slots[slot].generation << SLOT_BITS | slot;
    Ok(ptr::without_provenance_mut(handle))
}

/// What `handle` stands for.
pub(crate) fn get<H: Handle>(handle: *const H) -> Result<Arc<H::Object>, Failure> {
    if handle.is_null() {
        return Err(Failure::null(H::NAME));
    }
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let object = table
        .find(handle.addr())
        .and_then(|slot| table.slots[slot].object.clone());
    drop(table);
    object
        .and_then(|object| object.downcast().ok())
        .ok_or_else(|| Failure::closed(H::NAME))
}

/// Makes `handle` stale and answers what it stood for; NULL and stale handles stood for nothing.
pub(crate) fn remove<H: Handle>(handle: *mut H) -> Option<Arc<H::Object>> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let slot = table.find(handle.addr())?;
    let object = table.slots[slot].object.clone()?.downcast().ok()?;
    let generation = (table.slots[slot].generation + 1) & GENERATION_MASK;
    table.slots[slot] = Slot {
        generation: generation.max(1),
        object: None,
    };
    table.free.push(slot);
    Some(object)
}

/// How many handles are open now: stores, streams, follows, range streams and transactions that were
/// not freed. For tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_handle_count() -> usize {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.slots.len() - table.free.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Apple;
    struct Pear;

    impl Handle for Apple {
        type Object = u32;
        const NAME: &'static str = "apple";
    }

    impl Handle for Pear {
        type Object = String;
        const NAME: &'static str = "pear";
    }

    #[test]
    fn a_handle_finds_its_object_until_it_is_removed() {
        let apple = insert::<Apple>(Arc::new(7)).unwrap();
        assert_eq!(*get(apple).unwrap(), 7);
        assert_eq!(*remove(apple).unwrap(), 7);
        assert!(get(apple).is_err());
        assert!(remove(apple).is_none());
    }

    #[test]
    fn a_stale_handle_does_not_find_the_next_object_in_its_slot() {
        let old = insert::<Apple>(Arc::new(1)).unwrap();
        remove(old).unwrap();
        let new: Vec<_> = (0..8)
            .map(|i| insert::<Apple>(Arc::new(i)).unwrap())
            .collect();
        assert!(get(old).is_err());
        assert!(
            new.iter()
                .all(|handle| *handle != old && remove(*handle).is_some())
        );
    }

    #[test]
    fn a_handle_of_another_type_and_a_made_up_one_are_refused() {
        let apple = insert::<Apple>(Arc::new(3)).unwrap();
        assert!(get(apple.cast::<Pear>()).is_err());
        assert!(remove(apple.cast::<Pear>()).is_none());
        for address in [1, 8, SLOT_MASK, usize::MAX, ptr::from_ref(&apple).addr()] {
            assert!(get(ptr::without_provenance::<Pear>(address)).is_err());
        }
        assert!(remove(apple).is_some());
    }
}
