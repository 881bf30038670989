//! What durable cursors are promised.

mod delivery;
mod durable;
mod hold;
