//! A number that is set now and then: appended to a unit until that is full, then to another.
//!
//! An entry is its sequence number, the value and a checksum of both. The newest whole one counts; a torn
//! one is passed over. A unit is erased only while the newest entry is in the other.

use crate::nor::NorFlash;

/// The units of the journal.
pub(crate) const UNITS: u32 = 2;
const ENTRY_BYTES: usize = 16;

/// Where the newest entry is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Journal {
    value: u32,
    sequence: u32,
    unit: u32,
    /// The first entry of the unit that is still erased, as are those behind it.
    next: usize,
}

impl Journal {
    /// Finds the newest entry; without one the value is 0.
    pub(crate) fn find<F: NorFlash>(flash: &F) -> Result<Self, F::Error> {
        let mut newest = Self {
            next: Self::entries(flash),
            ..Self::default()
        };
        for unit in 0..UNITS {
            let mut used = 0;
            let mut found = None;
            for entry in 0..Self::entries(flash) {
                let mut bytes = [0; ENTRY_BYTES];
                flash.read(unit, entry * ENTRY_BYTES, &mut bytes)?;
                if bytes != [0xff; ENTRY_BYTES] {
                    used = entry + 1;
                }
                found = decode(&bytes).or(found);
            }
            if let Some((sequence, value)) = found
                && sequence > newest.sequence
            {
                newest = Self {
                    value,
                    sequence,
                    unit,
                    next: used,
                };
            }
        }
        Ok(newest)
    }

    pub(crate) fn value(&self) -> u32 {
        self.value
    }

    /// Sets the value; it is durable when this returns.
    pub(crate) fn set<F: NorFlash>(&mut self, flash: &mut F, value: u32) -> Result<(), F::Error> {
        let mut changed = *self;
        if changed.next >= Self::entries(flash) {
            changed.unit = (changed.unit + 1) % UNITS;
            changed.next = 0;
            flash.erase(changed.unit)?;
        }
        changed.sequence += 1;
        changed.value = value;
        // Should it be cut off, the entry is not tried again.
        self.next = self.next.max(changed.next + 1);
        let bytes = encode(changed.sequence, value);
        flash.program(changed.unit, changed.next * ENTRY_BYTES, &bytes)?;
        changed.next += 1;
        *self = changed;
        Ok(())
    }

    fn entries<F: NorFlash>(flash: &F) -> usize {
        flash.unit_bytes() / ENTRY_BYTES
    }
}

fn encode(sequence: u32, value: u32) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    bytes[..4].copy_from_slice(&sequence.to_le_bytes());
    bytes[4..8].copy_from_slice(&value.to_le_bytes());
    let sum = checksum(&bytes[..8]);
    bytes[8..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes[at..at + 4].try_into().ok()?));
    let (sequence, value) = (number(0)?, number(4)?);
    (*bytes == encode(sequence, value)).then_some((sequence, value))
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
