//! How much is done.

/// The sizes of the workloads.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// Keys that are loaded, read, scanned and overwritten.
    pub(crate) keys: u32,
    /// Keys that are there before durable puts begin.
    pub(crate) keys_before: u32,
    /// Durable puts of one writer.
    pub(crate) puts: u32,
    /// Durable puts of all concurrent writers together.
    pub(crate) concurrent_puts: u32,
    /// Single keys that are read.
    pub(crate) gets: u32,
    /// Transactions of steady overwriting.
    pub(crate) overwriting_txns: u32,
    /// Revisions of the store that is opened.
    pub(crate) opened_revisions: u32,
}

impl Scale {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "smoke" => Self {
                keys: 10_000,
                keys_before: 1_000,
                puts: 100,
                concurrent_puts: 400,
                gets: 10_000,
                overwriting_txns: 200,
                opened_revisions: 100_000,
            },
            "quick" => Self {
                keys: 100_000,
                keys_before: 20_000,
                puts: 1_000,
                concurrent_puts: 4_000,
                gets: 100_000,
                overwriting_txns: 1_000,
                opened_revisions: 1_000_000,
            },
            "full" => Self {
                keys: 1_000_000,
                keys_before: 100_000,
                puts: 5_000,
                concurrent_puts: 20_000,
                gets: 500_000,
                overwriting_txns: 5_000,
                opened_revisions: 1_000_000,
            },
            other => panic!("no scale is called {other}: smoke, quick or full"),
        }
    }
}
