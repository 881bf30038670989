//! A chip in memory, which wears, insists on being erased, and whose power can go.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use revwatch::page::fault::Random;

use crate::nor::NorFlash;

/// Bytes that are programmed between two moments at which the power can go, and so many such moments an
/// erasure has.
const BYTES_PER_STEP: usize = 64;
const STEPS_PER_ERASURE: u64 = 4;

/// A handle of a simulated chip: a clone is the same chip, so that a test can look at what a store did.
#[derive(Clone)]
pub struct SimulatedNor {
    unit_bytes: usize,
    chip: Rc<RefCell<Chip>>,
}

struct Chip {
    bytes: Vec<u8>,
    erasures: Vec<u32>,
    steps_left: Option<u64>,
    is_off: bool,
    random: Random,
}

/// Why the simulated chip refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NorError {
    /// The power is gone.
    NoPower,
    /// A bit was to be set that only an erasure can set.
    NotErased,
}

impl fmt::Display for NorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPower => "the chip has no power",
            Self::NotErased => "the unit was not erased before it was programmed",
        })
    }
}

impl core::error::Error for NorError {}

impl SimulatedNor {
    /// A new chip: erased, and not worn.
    pub fn new(unit_bytes: usize, units: u32) -> Self {
        Self {
            unit_bytes,
            chip: Rc::new(RefCell::new(Chip {
                bytes: vec![0xff; unit_bytes * units as usize],
                erasures: vec![0; units as usize],
                steps_left: None,
                is_off: false,
                random: Random::new(1),
            })),
        }
    }

    /// How often each unit was erased.
    pub fn erasures(&self) -> Vec<u32> {
        self.chip.borrow().erasures.clone()
    }

    /// Lets the power go after so many steps: an erasure takes four, 64 bytes that are programmed one.
    pub fn cut_after(&self, steps: u64) {
        let mut chip = self.chip.borrow_mut();
        chip.steps_left = Some(steps);
        chip.random = Random::new(steps);
    }

    /// Ends a power cut, also one that has not struck yet. Answers whether it has.
    pub fn power_on(&self) -> bool {
        let mut chip = self.chip.borrow_mut();
        chip.steps_left = None;
        core::mem::take(&mut chip.is_off)
    }
}

impl Chip {
    /// One step more. `false` if the power goes in it.
    fn step(&mut self) -> bool {
        match &mut self.steps_left {
            None => true,
            Some(0) => {
                self.is_off = true;
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn powered(&self) -> Result<(), NorError> {
        if self.is_off {
            Err(NorError::NoPower)
        } else {
            Ok(())
        }
    }
}

impl NorFlash for SimulatedNor {
    type Error = NorError;

    fn unit_bytes(&self) -> usize {
        self.unit_bytes
    }

    fn units(&self) -> u32 {
        self.chip.borrow().erasures.len() as u32
    }

    fn read(&self, unit: u32, offset: usize, buffer: &mut [u8]) -> Result<(), NorError> {
        let chip = self.chip.borrow();
        chip.powered()?;
        let at = unit as usize * self.unit_bytes + offset;
        buffer.copy_from_slice(&chip.bytes[at..][..buffer.len()]);
        Ok(())
    }

    fn erase(&mut self, unit: u32) -> Result<(), NorError> {
        let chip = &mut *self.chip.borrow_mut();
        chip.powered()?;
        chip.erasures[unit as usize] += 1;
        let is_whole = (0..STEPS_PER_ERASURE).all(|_| chip.step());
        let bytes = &mut chip.bytes[unit as usize * self.unit_bytes..][..self.unit_bytes];
        if is_whole {
            bytes.fill(0xff);
            return Ok(());
        }
        for byte in bytes {
            *byte |= chip.random.next_u64() as u8;
        }
        Err(NorError::NoPower)
    }

    fn program(&mut self, unit: u32, offset: usize, bytes: &[u8]) -> Result<(), NorError> {
        let chip = &mut *self.chip.borrow_mut();
        chip.powered()?;
        let mut at = unit as usize * self.unit_bytes + offset;
        for part in bytes.chunks(BYTES_PER_STEP) {
            let is_whole = chip.step();
            for &byte in part {
                let before = chip.bytes[at];
                if !before & byte != 0 {
                    return Err(NorError::NotErased);
                }
                let spared = if is_whole {
                    0
                } else {
                    chip.random.next_u64() as u8
                };
                chip.bytes[at] = byte | before & spared;
                at += 1;
            }
            if !is_whole {
                return Err(NorError::NoPower);
            }
        }
        Ok(())
    }
}
