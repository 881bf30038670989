//! Pages in a file of the operating system.

mod existing;
mod holder;
mod open;
mod options;
mod pages;
mod positioned;
mod system_error;
#[cfg(test)]
mod tests;

pub use options::FileOptions;
pub use pages::FilePages;
