//! What a host implements, so that its data can be backed up and restored.

mod batch;
mod export;
mod import;
mod imprint;
mod records;
mod section;
mod shared;
mod watch;

use std::future::Future;
use std::pin::Pin;

use serde::de::IgnoredAny;

use crate::error::BoxError;

pub use export::{Export, ListWriter, MapWriter};
pub use import::Import;
pub(crate) use import::Sections;
pub(crate) use imprint::AllSaved;
pub use section::Section;
pub use shared::{Shared, SharedState};

/// The data of a bot, as a backup sees it.
///
/// Write plain `async fn`s. They run on a thread of their own, one at a time, so they may block or
/// await, and the bot goes on answering. Whatever panics in here ends that one operation with an
/// error and nothing else.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
/// use teloxide_backup::{BoxError, DataSource, Export, Import, Section};
///
/// #[derive(Default)]
/// struct Notes(Mutex<BTreeMap<u64, Vec<String>>>);
///
/// impl DataSource for Notes {
///     type Error = BoxError;
///
///     fn sections(&self) -> Vec<Section> {
///         // user -> notes: what people count lies on the second level
///         vec![Section::new("notes").depth(2).ru("заметка", "заметки", "заметок").en("note", "notes")]
///     }
///
///     async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
///         let notes = self.0.lock().map_err(|_| "the notes are poisoned")?.clone();
///         out.value("notes", &notes)?;
///         Ok(())
///     }
///
///     async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
///         // the very type of the restore
///         data.value::<BTreeMap<u64, Vec<String>>>("notes")?;
///         Ok(())
///     }
///
///     async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
///         if let Some(notes) = data.value("notes")? {
///             *self.0.lock().map_err(|_| "the notes are poisoned")? = notes;
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait DataSource: Send + Sync + 'static {
    /// What can go wrong in the host's own code. An [`Error`](crate::Error) of this crate must fit
    /// into it, so that `?` works: [`BoxError`] does, and so does `anyhow::Error`.
    type Error: Into<BoxError>;

    /// What a backup of this source consists of, in archive order.
    ///
    /// Each section named here must be exported; a section that is exported without being named is
    /// kept as well, and shown to people under its name in the archive.
    fn sections(&self) -> Vec<Section>;

    /// Writes one consistent picture of the data: take a snapshot first, then write it.
    ///
    /// # Errors
    /// Whatever keeps the data from being read; no backup is made then.
    fn export(&self, out: &mut Export<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Reads a backup as [`restore`](Self::restore) would, and changes nothing.
    ///
    /// Every backup is read in this way before it is called good, so that one that cannot be
    /// restored is found on the day it is made. That is only true of one that decodes each section
    /// into the type that `restore` takes; for a small section this is `data.value::<T>(…)?`, for a
    /// large one [`each`](Import::each) or [`entries`](Import::entries). Default: every section is JSON,
    /// of whatever shape.
    ///
    /// # Errors
    /// Whatever would keep this backup from being restored.
    fn check(&self, data: &mut Import<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let outcome = (|| {
            for name in data.names() {
                data.value::<IgnoredAny>(&name)?;
            }
            Ok::<_, crate::error::Error>(())
        })();
        // a host's error type is only known to take the errors of its own calls
        let _ = data.note(outcome);
        async { Ok(()) }
    }

    /// Replaces the sections that `data` holds: all of them or, on an error, none. A section that
    /// `data` lacks stays as it is.
    ///
    /// # Errors
    /// Whatever kept the data from being replaced; all of it is then as it was.
    fn restore(
        &self,
        data: &mut Import<'_>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The same trait without type parameters, so that the plugin needs none.
pub(crate) trait AnySource: Send + Sync {
    fn sections(&self) -> Vec<Section>;

    fn export<'a, 'b: 'a>(&'a self, out: &'a mut Export<'b>)
    -> BoxFuture<'a, Result<(), BoxError>>;

    fn check<'a, 'b: 'a>(&'a self, data: &'a mut Import<'b>)
    -> BoxFuture<'a, Result<(), BoxError>>;

    fn restore<'a, 'b: 'a>(
        &'a self,
        data: &'a mut Import<'b>,
    ) -> BoxFuture<'a, Result<(), BoxError>>;
}

impl<S: DataSource> AnySource for S {
    fn sections(&self) -> Vec<Section> {
        DataSource::sections(self)
    }

    fn export<'a, 'b: 'a>(
        &'a self,
        out: &'a mut Export<'b>,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move { DataSource::export(self, out).await.map_err(Into::into) })
    }

    fn check<'a, 'b: 'a>(
        &'a self,
        data: &'a mut Import<'b>,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move { DataSource::check(self, data).await.map_err(Into::into) })
    }

    fn restore<'a, 'b: 'a>(
        &'a self,
        data: &'a mut Import<'b>,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move { DataSource::restore(self, data).await.map_err(Into::into) })
    }
}
