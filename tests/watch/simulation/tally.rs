//! Counting what histories have done, so that nothing stays untried unnoticed.

use std::fmt;
use std::ops::AddAssign;

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// How often what happened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$doc])* pub $name: u64,)+
            /// Watchers of the history that had fewest.
            pub fewest_watchers: u64,
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, other: Self) {
                self.fewest_watchers = if self.histories == 0 {
                    other.fewest_watchers
                } else {
                    self.fewest_watchers.min(other.fewest_watchers)
                };
                $(self.$name += other.$name;)+
            }
        }

        impl Tally {
            /// What never happened.
            pub fn missing(&self) -> Vec<&'static str> {
                let counts = [$((stringify!($name), self.$name),)+];
                let missing = counts.into_iter().filter(|&(_, count)| count == 0);
                missing.map(|(name, _)| name).collect()
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:>10} {}", self.$name, stringify!($name).replace('_', " "))?;)+
                write!(f, "{:>10} watchers at least in each", self.fewest_watchers)
            }
        }
    };
}

tally! {
    histories,
    watchers,
    writes,
    events,
    events_told_live,
    events_of_victims,
    events_caught_up_with,
    events_to_readers,
    events_told_early,
    events_conflated,
    fragments,
    progress_of_watchers,
    progress_of_streams,
    prev_kvs,
    canceled,
    compacted,
    rewound,
    /// In the process that was told early, after a failed sync.
    rewound_in_sight,
    resumed,
    drained,
    compactions,
    expired_leases,
    failed_writes,
    losses_of_power,
    ends_of_the_process,
    closings,
    losses_of_writes,
    followers,
    states,
    changes,
    resets,
}
