//! What a page store needs of a chip.

/// A NOR flash chip, or the part of one that the store may use.
pub trait NorFlash {
    /// How the chip fails.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Bytes in an erase unit: a power of two from 512 to 65,536.
    fn unit_bytes(&self) -> usize;

    /// How many units there are.
    fn units(&self) -> u32;

    /// Copies what begins `offset` bytes into a unit.
    fn read(&self, unit: u32, offset: usize, buffer: &mut [u8]) -> Result<(), Self::Error>;

    /// Sets all bits of a unit. Cut off, it may leave them in any state.
    fn erase(&mut self, unit: u32) -> Result<(), Self::Error>;

    /// Clears bits of a unit: those that are zero in `bytes`. No bit can be set. Cut off, it may have
    /// cleared any of them.
    fn program(&mut self, unit: u32, offset: usize, bytes: &[u8]) -> Result<(), Self::Error>;
}
