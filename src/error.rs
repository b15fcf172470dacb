//! The one error of this crate: what could not be done, of which kind, and why.

use std::fmt;
use std::io;

/// Any error of a host's own code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms in which a person can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting makes no sense; the message names it.
    Config,
    /// Another backup or restore is running.
    Busy,
    /// There is no backup of that name.
    NotFound,
    /// The host's own data source failed or panicked.
    Source,
    /// The archive is not whole or not ours.
    Damaged,
    /// The archive is whole, but of a version that this library does not know.
    UnknownVersion,
    /// The archive is whole, but does not fit the host's types.
    Incompatible,
    /// The archive, or the data for one, is over one of the [`Limits`](crate::Limits).
    TooLarge,
    /// The archive is not the one that was shown and confirmed.
    Changed,
    /// There is no room left where the backups live.
    StorageFull,
    /// The place where the backups live may not be read or written.
    AccessDenied,
    /// The place where the backups live failed in another way.
    Storage,
    /// A fault of this library.
    Internal,
}

/// What could not be done.
///
/// `Display` names the step that failed; the reason is in [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    step: String,
    cause: Option<BoxError>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, step: impl Into<String>) -> Self {
        Self { kind, step: step.into(), cause: None }
    }

    pub(crate) fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, what)
    }

    /// An error of the place where the backups live.
    pub(crate) fn storage(step: impl Into<String>, cause: io::Error) -> Self {
        // it may be one of ours that has come through a reader or a writer
        let cause = match cause.downcast::<Self>() {
            Ok(ours) => return ours,
            Err(cause) => cause,
        };
        let kind = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::AccessDenied
            }
            _ => ErrorKind::Storage,
        };
        Self::new(kind, step).because(cause)
    }

    /// For its way through a reader or a writer; [`storage`](Self::storage) takes it out again.
    pub(crate) fn into_io(self) -> io::Error {
        // not one of the kinds that mean a damaged archive
        io::Error::new(io::ErrorKind::FileTooLarge, self)
    }

    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The same error once more. Its causes become their texts, and stay causes: no log shows them.
    pub(crate) fn again(&self) -> Self {
        let again = Self::new(self.kind, self.step.as_str());
        let chain = self.chain();
        match chain.strip_prefix(&self.step).map(|causes| causes.trim_start_matches(": ")) {
            Some(causes) if !causes.is_empty() => again.because(causes),
            _ => again,
        }
    }

    /// The step and all its causes in one line, for the administrator.
    pub(crate) fn chain(&self) -> String {
        let mut line = self.step.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            let text = cause.to_string();
            // many errors repeat their cause in their own text
            if !line.ends_with(&text) {
                line = format!("{line}: {text}");
            }
            next = cause.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.step)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// What the frame of `data.json` says of data of which no reader can make anything: no storage's own
/// error, whatever its kind, is taken for it.
#[derive(Debug)]
pub(crate) struct Unsound(pub(crate) &'static str);

impl Unsound {
    /// For its way through a writer.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }

    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|cause| cause.downcast_ref::<Self>()).is_some()
    }
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unsound {}

const _: () = {
    const fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
};
