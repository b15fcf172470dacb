//! Taking in an archive that comes from elsewhere.

use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

use super::notebook::Received;
use super::turn::let_go;
use super::{Parts, Service};
use crate::backup::BackupId;
use crate::error::{Error, ErrorKind, Result};
use crate::source::AllSaved;

/// What was sent, which is in memory once, whoever reads it.
#[derive(Clone)]
struct Sent(Arc<Vec<u8>>);

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Service {
    /// Checks an archive, and puts it among the others. Gives the name that it has there.
    pub(crate) async fn receive(&self, archive: Vec<u8>) -> Result<BackupId> {
        self.changing(move |parts| parts.receive(&Sent(archive.into()))).await
    }
}

impl Parts {
    fn receive(&self, sent: &Sent) -> Result<BackupId> {
        let bytes = sent.as_ref();
        let file = Box::new(Cursor::new(sent.clone()));
        let mut archive = self.read(file, &self.upload_limits)?;
        self.check(&mut archive, &mut AllSaved::new())?;
        if let Some(id) = self.find(bytes)? {
            let received = Received { at: self.clock.now(), new: false };
            self.note("a file that was sent was not noted", |notebook| {
                notebook.receive(&id, received);
                true
            });
            return Ok(id);
        }
        let step = "save the archive to disk";
        let mut draft = self.draft()?;
        draft.write_all(bytes).map_err(|error| Error::storage(step, error))?;
        let mut written = draft.reopen().map_err(|error| Error::storage(step, error))?;
        if !same(&mut written, bytes)? {
            let step = "what was read back is not what was written";
            return Err(Error::new(ErrorKind::Storage, step));
        }
        drop(written);
        let id = self.name(draft.as_mut(), archive.metadata.created_at)?;
        let_go(draft);
        let received = Received { at: self.clock.now(), new: true };
        // without the note it may go with the next backup, or count as one that this bot has made
        self.note("a file that was sent was not noted", |notebook| {
            self.prove(notebook, &id, bytes.len() as u64, &archive.summary.sha256);
            notebook.receive(&id, received);
            true
        });
        tracing::info!(backup = %id, size_bytes = bytes.len(), "took in an archive");
        Ok(id)
    }

    /// The name under which the very same archive is there already.
    fn find(&self, bytes: &[u8]) -> Result<Option<BackupId>> {
        let mut found = self.newest_first()?;
        found.retain(|found| found.size_bytes == bytes.len() as u64);
        for found in found {
            if same(&mut self.open(&found.id)?, bytes)? {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }
}

/// Whether a file holds exactly these bytes.
fn same(file: &mut impl Read, bytes: &[u8]) -> Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    let mut rest = bytes;
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|error| Error::storage("read the backup", error))?,
        };
        let Some(after) = rest.strip_prefix(buffer.get(..read).unwrap_or_default()) else {
            return Ok(false);
        };
        if read == 0 {
            return Ok(after.is_empty());
        }
        rest = after;
    }
}
