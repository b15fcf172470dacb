//! `data.json` as it unpacks: where it is read, or in a thread that keeps a little ahead.

use std::io::{self, Read, Seek, SeekFrom, Take};
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};
use zip::CompressionMethod;
use zip::read::ZipFile;

use super::{ReadSeek, in_context};

pub(super) type File = Box<dyn ReadSeek>;

/// Up to so much is not worth a thread.
const SMALL: u64 = 1 << 20;
/// How much a thread unpacks at a time,
const CHUNK: usize = 128 << 10;
/// and how many of these it may be ahead.
const CHUNKS: usize = 3;

/// Where `data.json` lies in a file, and what the archive says of it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    start: u64,
    pub(super) compressed: u64,
    pub(super) length: u64,
    checksum: u32,
    deflated: bool,
}

impl Place {
    /// `None` where the file ends before it.
    pub(super) fn of(entry: &ZipFile<'_, File>) -> Option<Self> {
        Some(Self {
            start: entry.data_start()?,
            compressed: entry.compressed_size(),
            length: entry.size(),
            checksum: entry.crc32(),
            deflated: entry.compression() == CompressionMethod::Deflated,
        })
    }

    /// Unpacks from the beginning: in a thread, where `ahead` allows it, and into this hash.
    pub(super) fn open(
        self,
        mut file: File,
        ahead: bool,
        hash: Option<Sha256>,
    ) -> io::Result<Data> {
        file.seek(SeekFrom::Start(self.start))?;
        let packed = file.take(self.compressed);
        let bytes = if self.deflated {
            Bytes::Deflated(Box::new(DeflateDecoder::new(packed)))
        } else {
            Bytes::Stored(packed)
        };
        let (checksum, left, expected) = (Crc::new(), self.length, self.checksum);
        let unpacking = Unpacking { bytes, checksum, expected, left, hash };
        let source = if ahead && self.length > SMALL {
            Ahead::start(unpacking)
        } else {
            Source::Here(unpacking)
        };
        Ok(Data { source, position: 0 })
    }
}

/// What unpacks, and how far it has come.
pub(super) struct Data {
    source: Source,
    position: u64,
}

enum Source {
    Here(Unpacking),
    Ahead(Ahead),
}

impl Data {
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Passes over so much; less where it ends.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        io::copy(&mut self.by_ref().take(bytes), &mut io::sink())
    }

    /// Gives the file back, and the hash of what was unpacked.
    pub(super) fn close(self) -> io::Result<(File, Option<Sha256>)> {
        let unpacking = match self.source {
            Source::Here(unpacking) => unpacking,
            Source::Ahead(ahead) => ahead.stop()?,
        };
        let file = match unpacking.bytes {
            Bytes::Deflated(decoder) => decoder.into_inner().into_inner(),
            Bytes::Stored(bytes) => bytes.into_inner(),
        };
        Ok((file, unpacking.hash))
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::Here(unpacking) => unpacking.read(buffer)?,
            Source::Ahead(ahead) => ahead.read(buffer)?,
        };
        self.position += read as u64;
        Ok(read)
    }
}

/// Unpacks, and follows what comes out: it must have the length and the checksum that the archive says.
struct Unpacking {
    bytes: Bytes,
    checksum: Crc,
    expected: u32,
    /// How much is to come.
    left: u64,
    hash: Option<Sha256>,
}

enum Bytes {
    Deflated(Box<DeflateDecoder<Take<File>>>),
    Stored(Take<File>),
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.bytes {
            Bytes::Deflated(decoder) => decoder.read(buffer)?,
            Bytes::Stored(bytes) => bytes.read(buffer)?,
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        self.checksum.update(bytes);
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        let lie = |what| {
            let reason = format!("data.json has another {what} than the archive says");
            Err(io::Error::new(io::ErrorKind::InvalidData, reason))
        };
        let ended = read == 0 && !buffer.is_empty();
        match self.left.checked_sub(read as u64) {
            Some(left) if !ended || left == 0 => self.left = left,
            _ => return lie("length"),
        }
        if ended && self.checksum.sum() != self.expected { lie("checksum") } else { Ok(read) }
    }
}

type Chunk = Vec<u8>;

/// What a thread unpacks, chunk by chunk. The chunks go round, so that there are never more of them.
struct Ahead {
    /// `None` once no more is wanted, which ends the thread.
    chunks: Option<(Sender<Chunk>, Receiver<io::Result<Chunk>>)>,
    chunk: Chunk,
    /// How much of the chunk was given.
    given: usize,
    ended: bool,
    /// The error that has ended it, which stays.
    failure: Option<(io::ErrorKind, String)>,
    thread: Option<JoinHandle<Option<Unpacking>>>,
}

impl Ahead {
    fn start(unpacking: Unpacking) -> Source {
        // only once there is a thread it is given away
        let (give, take) = mpsc::channel::<Unpacking>();
        let (empty, empties) = mpsc::channel();
        let (filled, full) = mpsc::channel();
        let work = in_context(move || {
            let mut unpacking = take.recv().ok()?;
            unpack(&mut unpacking, &empties, &filled);
            Some(unpacking)
        });
        let Ok(thread) = thread::Builder::new().name("backup".to_owned()).spawn(work) else {
            return Source::Here(unpacking);
        };
        if let Err(mpsc::SendError(unpacking)) = give.send(unpacking) {
            return Source::Here(unpacking);
        }
        for _ in 0..CHUNKS {
            let _ = empty.send(Vec::with_capacity(CHUNK));
        }
        let (chunks, thread) = (Some((empty, full)), Some(thread));
        let (chunk, given, ended, failure) = (Vec::new(), 0, false, None);
        Source::Ahead(Self { chunks, chunk, given, ended, failure, thread })
    }

    /// Gives back what the thread had, once it has ended; its panic goes on here.
    fn stop(mut self) -> io::Result<Unpacking> {
        self.chunks = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Some(unpacking))) => Ok(unpacking),
            Some(Err(panic)) => resume_unwind(panic),
            Some(Ok(None)) | None => Err(died()),
        }
    }

    /// The next chunk; an empty one at the end.
    fn next(&mut self) -> io::Result<()> {
        let given = std::mem::take(&mut self.chunk);
        self.given = 0;
        if self.ended {
            return Ok(());
        }
        if let Some((kind, text)) = &self.failure {
            return Err(io::Error::new(*kind, text.clone()));
        }
        let Some((empty, full)) = &self.chunks else { return Err(died()) };
        // a thread that has ended is noticed when there is no more
        let _ = empty.send(given);
        match full.recv() {
            Ok(Ok(chunk)) => self.chunk = chunk,
            Ok(Err(error)) => {
                self.failure = Some((error.kind(), error.to_string()));
                return Err(error);
            }
            Err(_) => return Err(self.panicked()),
        }
        self.ended = self.chunk.is_empty();
        Ok(())
    }

    /// Why there is no more: a panic goes on here.
    fn panicked(&mut self) -> io::Error {
        self.chunks = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            _ => died(),
        }
    }
}

impl Drop for Ahead {
    /// The file is the host's: nothing of it goes on after this.
    fn drop(&mut self) {
        self.chunks = None;
        if let Some(thread) = self.thread.take() {
            // whoever dropped it wants to know no more
            let _ = thread.join();
        }
    }
}

fn unpack(
    unpacking: &mut Unpacking,
    empties: &Receiver<Chunk>,
    filled: &Sender<io::Result<Chunk>>,
) {
    while let Ok(mut chunk) = empties.recv() {
        chunk.clear();
        let read = unpacking.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        // what came before an error is lost with it, so nothing may follow
        let ended = !matches!(read, Ok(1..));
        // nobody may be waiting any more
        if filled.send(read.map(|_| chunk)).is_err() || ended {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.chunk.len() {
            self.next()?;
        }
        let rest = self.chunk.get(self.given..).unwrap_or_default();
        let given = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..given), rest.get(..given)) {
            to.copy_from_slice(from);
        }
        self.given += given;
        Ok(given)
    }
}

fn died() -> io::Error {
    io::Error::other("the thread that unpacks has ended")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A file that fails, or panics, once so much was read of it.
    struct Ailing(Cursor<Vec<u8>>, u64, bool);

    impl Read for Ailing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.position() >= self.1 {
                assert!(!self.2, "the host's own code");
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.0.read(buffer)
        }
    }

    impl Seek for Ailing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    fn place(bytes: &[u8]) -> Place {
        let mut checksum = Crc::new();
        checksum.update(bytes);
        let length = bytes.len() as u64;
        Place { start: 0, compressed: length, length, checksum: checksum.sum(), deflated: false }
    }

    fn open(bytes: &[u8], ahead: bool) -> Data {
        let file = Box::new(Cursor::new(bytes.to_vec()));
        let data = place(bytes).open(file, ahead, Some(Sha256::new())).expect("opened");
        assert_eq!(matches!(data.source, Source::Ahead(_)), ahead && bytes.len() > 1 << 20);
        data
    }

    #[test]
    fn a_thread_gives_the_same_bytes_the_same_hash_and_the_file() {
        for length in [0, 1, 5000, (1 << 20) + 1, 16 * CHUNK, 16 * CHUNK + 1] {
            let bytes = noise(length);
            for ahead in [false, true] {
                let mut data = open(&bytes, ahead);
                let mut read = vec![0; length.min(3000)];
                data.read_exact(&mut read).expect("read");
                assert_eq!(
                    data.skip(70_000).expect("passed over"),
                    data.position() - 3000.min(length as u64)
                );
                data.read_to_end(&mut read).expect("read");
                assert_eq!(data.position(), length as u64);
                assert!(read[..3000.min(length)] == bytes[..3000.min(length)]);
                assert!(bytes.ends_with(&read[3000.min(length)..]));
                assert_eq!(data.read(&mut [0]).expect("still the end"), 0);
                let (file, hash) = data.close().expect("given back");
                assert_eq!(hash.map(Sha256::finalize), Some(Sha256::digest(&bytes)));
                let mut again = place(&bytes).open(file, ahead, None).expect("opened");
                assert_eq!(again.skip(u64::MAX).expect("read"), length as u64);
            }
        }
    }

    #[test]
    fn what_is_closed_in_the_middle_gives_the_file_back() {
        let bytes = noise(2 << 20);
        let mut data = open(&bytes, true);
        data.skip(300_000).expect("passed over");
        let (file, _) = data.close().expect("given back");
        let mut again = place(&bytes).open(file, true, None).expect("opened");
        assert_eq!(again.skip(u64::MAX).expect("read"), bytes.len() as u64);
        // and one that is dropped leaves nothing behind that waits for ever
        drop(open(&bytes, true));
    }

    #[test]
    fn another_checksum_and_another_length_are_errors() {
        let bytes = noise(2 << 20);
        let right = place(&bytes);
        let lies = [
            Place { checksum: 1, ..right },
            Place { length: right.length - 1, ..right },
            Place { length: right.length + 1, ..right },
        ];
        for lie in lies {
            for ahead in [false, true] {
                let file = Box::new(Cursor::new(bytes.clone()));
                let mut data = lie.open(file, ahead, None).expect("opened");
                let error = data.skip(u64::MAX).expect_err("it is a lie");
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            }
        }
    }

    #[test]
    fn an_error_and_a_panic_of_the_file_come_through() {
        let bytes = noise(2 << 20);
        for ahead in [false, true] {
            let ailing = |panics| Box::new(Ailing(Cursor::new(bytes.clone()), 1 << 20, panics));
            let mut data = place(&bytes).open(ailing(false), ahead, None).expect("opened");
            for _ in 0..3 {
                let error = data.skip(u64::MAX).expect_err("it fails, and that is no end");
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            }
            let mut data = place(&bytes).open(ailing(true), ahead, None).expect("opened");
            let skip = std::panic::AssertUnwindSafe(|| data.skip(u64::MAX));
            let panic = std::panic::catch_unwind(skip).expect_err("it panics");
            assert_eq!(panic.downcast_ref(), Some(&"the host's own code"));
        }
    }
}
