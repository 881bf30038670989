//! Opening: from whatever is in the page store to a log, in slices.
//!
//! 1. The header says whose store this is; where there is none, one is created.
//! 2. If the store was closed and has a checkpoint, that is all ([`checkpoint`](crate::log::checkpoint::format)).
//! 3. Otherwise all slots are read once ([`survey`](super::survey)), and what the page writes add up
//!    to is known.
//! 4. The entries are read in order, and whoever is to learn from them does ([`walk`](crate::log::read::walk)).
//! 5. A writer makes ready to write ([`recovery`](super::recovery)). A reader whose pages did not fit
//!    begins again with step 3, because a writer may be at work.

use super::survey::{Accepted, Survey, Surveying};
use crate::error::{Error, Result};
use crate::log::format::header::{self, Image};
use crate::log::handle::{Log, LogOptions, Opened};
use crate::log::learner::Learner;
use crate::log::read::walk::{Resume, Walker};
use crate::page::{PageError, PageStore};

/// How far a long piece of work has come, in bytes. Neither falls as it goes on, but `total` may be
/// found to be less than it seemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub done: u64,
    /// What is to be done, about: equal to `done` at the end.
    pub total: u64,
}

/// A log that is being opened.
pub(crate) struct Opening<P> {
    log: Log<P>,
    stage: Stage,
    resume: Resume,
    /// Bytes that were read when all was: what progress ends at.
    read_bytes: u64,
}

enum Stage {
    Begin,
    Survey(Surveying),
    Walk {
        survey: Survey,
        accepted: Accepted,
        walker: Walker,
    },
    Done(Opened),
}

impl<P: PageStore> Opening<P> {
    /// Finds out what is in `pages`, and creates a log if there is nothing.
    pub(crate) fn begin(pages: P, options: &LogOptions) -> Result<Self> {
        let (identity, stage) = match header::inspect(&pages)? {
            Image::Store { identity, damaged } => {
                // One after the other: one of them is whole at any time.
                for copy in damaged.into_iter().filter(|_| !options.read_only) {
                    header::write(&pages, identity, copy)?;
                    pages.sync()?;
                }
                (identity, Stage::Begin)
            }
            Image::Importing => return Err(Error::ImportIncomplete),
            Image::Blank if options.read_only => {
                return Err(PageError::NotFound("this place: it is still blank".into()).into());
            }
            Image::Blank => {
                let opened = Opened {
                    clean: true,
                    created: true,
                };
                let identity = header::create(&pages, options.store_id)?;
                (identity, Stage::Done(opened))
            }
        };
        Ok(Self {
            log: Log::empty(pages, identity, options)?,
            stage,
            resume: Resume::START,
            read_bytes: 0,
        })
    }

    /// Reads about `budget_bytes` more; a checkpoint in one piece. Answers whether the log is open.
    /// After an error all begins anew.
    ///
    /// A reader changes nothing in the page store. A writer leaves it so that recovery would come to
    /// the same log again.
    pub(crate) fn go_on(&mut self, budget_bytes: usize, learner: &mut dyn Learner) -> Result<bool> {
        let stage = core::mem::replace(&mut self.stage, Stage::Begin);
        self.stage = match stage {
            Stage::Begin => {
                learner.forget();
                self.resume = Resume::START;
                if self.log.open_by_checkpoint(learner) {
                    Stage::open(true)
                } else {
                    Stage::Survey(Surveying::begin(&*self.log.pages)?)
                }
            }
            Stage::Survey(mut survey) => {
                let slots = budget_bytes / self.log.identity.page_size;
                let slots = u32::try_from(slots).unwrap_or(u32::MAX);
                if survey.go_on(&*self.log.pages, self.log.identity, slots) {
                    let outcome = self.load(survey);
                    self.or_again(outcome, learner)?
                } else {
                    Stage::Survey(survey)
                }
            }
            Stage::Walk {
                survey,
                accepted,
                mut walker,
            } => {
                let log = &mut self.log;
                match log.walk_on(&mut walker, budget_bytes.max(1), &mut self.resume, learner) {
                    Ok(None) => Stage::Walk {
                        survey,
                        accepted,
                        walker,
                    },
                    Ok(Some(_)) if !log.read_only => {
                        Stage::open(log.recover(&survey, &accepted, learner)?)
                    }
                    Ok(Some(_)) => {
                        log.pin_the_last_page()?;
                        Stage::open(log.last_write.clean)
                    }
                    Err(error) => self.or_again(Err(error), learner)?,
                }
            }
            Stage::Done(opened) => Stage::Done(opened),
        };
        let is_open = matches!(self.stage, Stage::Done(_));
        if is_open {
            self.log.moved.is_looked_for = self.log.read_only;
        }
        Ok(is_open)
    }

    /// The log, once it is open; what is left to do for it is done.
    pub(crate) fn finish(mut self, learner: &mut dyn Learner) -> Result<(Log<P>, Opened)> {
        while !self.go_on(usize::MAX, learner)? {}
        match self.stage {
            Stage::Done(opened) => Ok((self.log, opened)),
            _ => unreachable!("what is open is done"),
        }
    }

    /// How much was read of all slots, and then of the log.
    pub(crate) fn progress(&self) -> Progress {
        let page_size = self.log.identity.page_size as u64;
        match &self.stage {
            Stage::Begin => {
                let total = 2 * page_size * u64::from(self.log.slots.length()).max(1);
                Progress { done: 0, total }
            }
            Stage::Survey(survey) => {
                let (read, all) = survey.progress();
                Progress {
                    done: page_size * u64::from(read),
                    total: 2 * page_size * u64::from(all),
                }
            }
            Stage::Walk { survey, walker, .. } => {
                let surveyed = page_size * u64::from(survey.length);
                Progress {
                    done: surveyed + walker.position,
                    total: surveyed + walker.end,
                }
            }
            Stage::Done(_) => {
                let store_bytes = page_size * u64::from(self.log.slots.length());
                let total = self.read_bytes.max(store_bytes);
                Progress { done: total, total }
            }
        }
    }

    fn load(&mut self, survey: Surveying) -> Result<Stage> {
        let survey = survey.finish()?;
        let accepted = survey.accept()?;
        self.log.load(&survey, &accepted);
        let walker = self.log.walker();
        self.read_bytes =
            self.log.identity.page_size as u64 * u64::from(survey.length) + walker.end;
        Ok(Stage::Walk {
            walker,
            survey,
            accepted,
        })
    }

    /// What does not fit may be a writer at work: a reader begins again, and does so until it fits or
    /// no number has gone up meanwhile.
    fn or_again(&mut self, outcome: Result<Stage>, learner: &mut dyn Learner) -> Result<Stage> {
        match outcome {
            Err(Error::Corrupt { .. }) if self.log.read_only && !self.resume.is_within => {
                self.log.survey_until_it_fits(&mut self.resume, learner)?;
                Ok(Stage::open(self.log.last_write.clean))
            }
            outcome => outcome,
        }
    }
}

impl Stage {
    fn open(clean: bool) -> Self {
        Self::Done(Opened {
            clean,
            created: false,
        })
    }
}

impl<P: PageStore> Log<P> {
    /// Opens the log at once.
    #[cfg(test)]
    pub(crate) fn open(
        pages: P,
        options: LogOptions,
        learner: &mut dyn Learner,
    ) -> Result<(Self, Opened)> {
        Opening::begin(pages, &options)?.finish(learner)
    }
}
