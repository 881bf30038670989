//! Which events of a batch are whose.

use alloc::vec::Vec;

use super::batch::Slice;
use super::holder::Holder;

/// Those events of a batch that are in a holder's ranges: a run of them, or of what was picked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected {
    pub(super) holder: Holder,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) picked: bool,
}

impl Selected {
    /// The same as a part of the batch that the events are in.
    pub(super) fn slice_of(self, batch: u32) -> Slice {
        Slice {
            batch,
            start: self.start,
            end: self.end,
            picked: self.picked,
        }
    }
}

/// Its place, plus one, in the matching that is under way: kept with each holder.
pub(super) type Touch = u32;

/// A matching under way. Kept from one to the next for its memory.
#[derive(Debug, Default)]
pub(super) struct Matching {
    pub(super) touched: Vec<Touched>,
    /// The runs of those holders whose events are not neighbours, each with the one before it.
    runs: Vec<Run>,
}

#[derive(Debug)]
pub(super) struct Touched {
    pub(super) holder: Holder,
    /// The newest run.
    run: Run,
    count: u32,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
    /// The place of the run before it.
    before: u32,
}

/// The first run has none before it.
const NO_RUN: u32 = u32::MAX;

impl Matching {
    /// The event at `index` is in one of the holder's ranges.
    #[inline]
    pub(super) fn touch(&mut self, holder: Holder, mark: &mut Touch, index: u32) {
        let one = Run {
            start: index,
            end: index + 1,
            before: NO_RUN,
        };
        if *mark == 0 {
            self.touched.push(Touched {
                holder,
                run: one,
                count: 1,
            });
            *mark = self.touched.len() as u32;
            return;
        }
        let touched = &mut self.touched[*mark as usize - 1];
        if touched.run.end == index + 1 {
            // It is in another one of them too.
            return;
        }
        touched.count += 1;
        if touched.run.end == index {
            touched.run.end += 1;
        } else {
            self.runs.push(touched.run);
            let before = self.runs.len() as u32 - 1;
            touched.run = Run { before, ..one };
        }
    }

    pub(super) fn finish(&self, touched: &Touched, picks: &mut Vec<u32>) -> Selected {
        let (holder, mut run) = (touched.holder, touched.run);
        if run.before == NO_RUN {
            return Selected {
                holder,
                start: run.start,
                end: run.end,
                picked: false,
            };
        }
        let start = picks.len();
        let end = start + touched.count as usize;
        picks.resize(end, 0);
        let mut filled_from = end;
        loop {
            let length = (run.end - run.start) as usize;
            filled_from -= length;
            let places = &mut picks[filled_from..filled_from + length];
            for (place, index) in places.iter_mut().zip(run.start..) {
                *place = index;
            }
            if run.before == NO_RUN {
                break;
            }
            run = self.runs[run.before as usize];
        }
        Selected {
            holder,
            start: start as u32,
            end: end as u32,
            picked: true,
        }
    }

    /// All is told: begins anew.
    pub(super) fn clear(&mut self) {
        self.touched.clear();
        self.runs.clear();
    }
}
