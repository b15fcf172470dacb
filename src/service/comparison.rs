//! Holds what is live against an archive: did a restore leave what the archive holds?

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Write};
use std::thread;

use serde::de::DeserializeSeed;

use super::Parts;
use super::likeness::{Likeness, Members};
use super::turn::panicked;
use crate::archive::{Archive, Meter, SectionSpan, Summary};
use crate::backup::Counts;
use crate::error::{Error, ErrorKind, Result};
use crate::source::Import;

/// How closely is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closeness {
    /// Each record must be what it was.
    Contents,
    /// Another program, or another version of this one, gave the records their shape.
    Counts,
}

/// In what the live data are not what an archive holds; empty where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The sections of which there are more or less records: how many the archive has,
    pub(crate) archived: Counts,
    /// and how many are live.
    pub(crate) live: Counts,
    /// The sections that have as many records, but not the same.
    pub(crate) altered: Counts,
}

impl Difference {
    pub(super) fn is_none(&self) -> bool {
        self.archived.is_empty() && self.altered.is_empty()
    }
}

/// What some sections say, by their names, and how many records there are.
type Likenesses = (BTreeMap<String, Likeness>, Counts);

/// What is live, measured.
pub(super) struct Live {
    summary: Summary,
    /// The sections that the source has; those that it left out held nothing.
    sections: Vec<String>,
}

impl Live {
    pub(super) fn counts(&self) -> Counts {
        self.summary.counts().with_empty(self.sections.iter())
    }

    /// The sections that an archive does not have by these names.
    fn new_sections(&self, archive: &Archive) -> BTreeSet<String> {
        let names = self.summary.sections.iter().map(|section| &section.name);
        names.filter(|name| archive.summary.section(name).is_none()).cloned().collect()
    }
}

impl Parts {
    /// Compares the sections that were taken from an archive with what is live.
    pub(super) fn compare(
        &self,
        archive: &mut Archive,
        taken: &BTreeSet<String>,
        closeness: Closeness,
    ) -> Result<Difference> {
        let live = self.live()?;
        let counts = live.counts();
        let mut unlike = taken.clone();
        // what the source does not know by this name is live under another
        unlike.retain(|name| counts.get(name).is_some());
        unlike.retain(|name| {
            let archived = archive.summary.section(name);
            !same_bytes(archived, live.summary.section(name))
        });
        if unlike.is_empty() {
            return Ok(Difference::default());
        }
        let new = live.new_sections(archive);
        match closeness {
            Closeness::Contents => self.look_closer(archive, &unlike, &new),
            Closeness::Counts => {
                // one that is gone may be one that is new
                unlike.retain(|name| live.summary.section(name).is_some() || new.is_empty());
                Ok(difference(&unlike, &archive.counts(), &counts, |_| true))
            }
        }
    }

    /// Compares what the sections say, and not how it is written.
    fn look_closer(
        &self,
        archive: &mut Archive,
        unlike: &BTreeSet<String>,
        new: &BTreeSet<String>,
    ) -> Result<Difference> {
        let mut archived = BTreeMap::new();
        let in_order = archive.summary.sections.iter().map(|section| section.name.clone());
        let in_order: Vec<String> = in_order.filter(|name| unlike.contains(name)).collect();
        let mut import = Import::new(archive);
        for name in &in_order {
            archived.extend(import.value::<Likeness>(name)?.map(|likeness| (name, likeness)));
        }
        let (live, counts) = self.live_likenesses(&(unlike | new))?;
        let mut unlike = unlike.clone();
        let says_nothing = |likeness: Option<&Likeness>| likeness.is_none_or(Likeness::is_empty);
        unlike.retain(|name| match (archived.get(name), live.get(name)) {
            (Some(_), Some(_)) => true,
            // an old name may have become a new one
            (Some(old), None) if new.iter().any(|new| live.get(new) == Some(old)) => false,
            // what is left out on one side must say nothing on the other
            (archived, live) => !says_nothing(archived) || !says_nothing(live),
        });
        let same = |name: &String| archived.get(name) == live.get(name);
        Ok(difference(&unlike, &archive.counts(), &counts, same))
    }

    pub(super) fn live(&self) -> Result<Live> {
        let mut meter = self.meter(&self.limits);
        let (sections, _) = self.export(&mut meter)?;
        Ok(Live { summary: measured(meter)?, sections })
    }

    /// Reads what is live while it is written, so that it is never held whole.
    fn live_likenesses(&self, names: &BTreeSet<String>) -> Result<Likenesses> {
        let Ok((reader, writer)) = io::pipe() else { return self.live_likenesses_at_once(names) };
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("backup".to_owned());
            let Ok(reading) = thread.spawn_scoped(scope, || read(reader, names)) else {
                return self.live_likenesses_at_once(names);
            };
            // the reader comes to its end when this is dropped
            let written = self.write_live(writer);
            let read = reading
                .join()
                .unwrap_or_else(|panic| Err(panicked(ErrorKind::Internal, panic.as_ref())));
            match written {
                // nobody reads any more: why not says more
                Err(error) if error.kind() == ErrorKind::Storage => {
                    Err(read.err().unwrap_or(error))
                }
                written => Ok((read?, written?.counts())),
            }
        })
    }

    /// Where there is neither a pipe nor a thread, memory must do: what cannot be compared would be
    /// taken back for nothing.
    fn live_likenesses_at_once(&self, names: &BTreeSet<String>) -> Result<Likenesses> {
        let mut json = Vec::new();
        let live = self.write_live(&mut json)?;
        Ok((read(json.as_slice(), names)?, live.counts()))
    }

    fn write_live(&self, out: impl Write + Send) -> Result<Live> {
        let mut both = Both { meter: self.meter(&self.limits), out };
        let (sections, _) = self.export(&mut both)?;
        both.flush().map_err(|error| Error::storage("compare the live data", error))?;
        Ok(Live { summary: measured(both.meter)?, sections })
    }
}

fn measured(meter: Meter) -> Result<Summary> {
    meter.finish().map_err(|reason| Error::new(ErrorKind::Source, reason))
}

/// Nothing on both sides is the same, too.
fn same_bytes(archived: Option<&SectionSpan>, live: Option<&SectionSpan>) -> bool {
    let content = |span: &SectionSpan| (span.bytes.end - span.bytes.start, span.sha256);
    archived.map(content) == live.map(content)
}

fn read(json: impl Read, names: &BTreeSet<String>) -> Result<BTreeMap<String, Likeness>> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(json));
    // what serde says may quote the data
    Members(names).deserialize(&mut json).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Error::new(ErrorKind::Source, "compare the live data").because(place)
    })
}

/// Of some sections: whose counts differ, and whose contents are not the same.
fn difference(
    names: &BTreeSet<String>,
    archived: &Counts,
    live: &Counts,
    same: impl Fn(&String) -> bool,
) -> Difference {
    let differs = |name: &str| archived.get(name) != live.get(name);
    let of = |counts: &Counts| counts.only(|name, _| names.contains(name) && differs(name));
    let altered = archived.only(|name, _| {
        let name = names.get(name).filter(|name| !differs(name));
        name.is_some_and(|name| !same(name))
    });
    Difference { archived: of(archived), live: of(live), altered }
}

/// Measures what it passes on.
struct Both<W> {
    meter: Meter,
    out: W,
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.write_all(bytes)?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
