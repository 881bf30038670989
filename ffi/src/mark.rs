//! A file descriptor that is readable while a mark is shown.

#[cfg(unix)]
pub(crate) use unix::Mark;

#[cfg(not(unix))]
pub(crate) use elsewhere::Mark;

#[cfg(unix)]
mod unix {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use revwatch_core::ErrorCode;

    use crate::status::Failure;

    /// Two ends of a socket, between which there is one byte or none. Neither ever blocks, so that a
    /// program which reads from its end by mistake makes nobody wait.
    pub(crate) struct Mark {
        programs: UnixStream,
        ours: UnixStream,
        shown: bool,
    }

    impl Mark {
        pub(crate) fn new() -> Result<Self, Failure> {
            let make = || {
                let (programs, ours) = UnixStream::pair()?;
                programs.set_nonblocking(true)?;
                ours.set_nonblocking(true)?;
                Ok((programs, ours))
            };
            let (programs, ours) = make().map_err(|error: std::io::Error| {
                let message = format!(
                    "a file descriptor to wait on could not be made: {error}; free some, or raise the \
                     limit of the process"
                );
                Failure::Boundary(ErrorCode::Io, message)
            })?;
            Ok(Self {
                programs,
                ours,
                shown: false,
            })
        }

        pub(crate) fn fd(&self) -> i32 {
            self.programs.as_raw_fd()
        }

        /// Costs a system call only if it was not shown.
        pub(crate) fn show(&mut self) {
            if !self.shown {
                self.shown = self.ours.write(&[0]).is_ok();
            }
        }

        /// Costs a system call only if it was shown.
        pub(crate) fn hide(&mut self) {
            if self.shown {
                let _ = self.programs.read(&mut [0]);
                self.shown = false;
            }
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::status::Failure;

    pub(crate) enum Mark {}

    impl Mark {
        pub(crate) fn new() -> Result<Self, Failure> {
            Err(Failure::argument(
                "this system has no file descriptors to wait on: set a callback, or poll with a timeout",
            ))
        }

        pub(crate) fn fd(&self) -> i32 {
            match *self {}
        }

        pub(crate) fn show(&mut self) {
            match *self {}
        }

        pub(crate) fn hide(&mut self) {
            match *self {}
        }
    }
}
