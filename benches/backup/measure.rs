//! One line of the table: a job, done some times, and what it cost.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use teloxide::Bot;
use teloxide_backup::{BackupCommand, BackupPlugin, BackupPluginBuilder, Compression, DataSource};
use tokio::runtime::{Builder, Runtime};

use crate::data::{Crm, Source, Taking};
use crate::{bot, multiply, pause};

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) task: String,
    pub(crate) size: usize,
    runs: usize,
    pub(crate) folder: PathBuf,
    archives: usize,
    workers: Option<usize>,
    /// How many of a hundred clients change something between two backups.
    changed: u64,
    /// Of the bot's runtime; the one that is current, if it is one.
    pub(crate) threads: usize,
    compression: Compression,
}

impl Job {
    pub(crate) fn parse(words: &[String]) -> io::Result<Self> {
        let mut job = Self {
            task: words.first().cloned().unwrap_or_default(),
            size: 50_000,
            runs: 3,
            folder: std::env::temp_dir(),
            archives: 10,
            workers: None,
            changed: 1,
            threads: 2,
            compression: Compression::Default,
        };
        for pair in words.get(1..).unwrap_or_default().chunks(2) {
            let [name, value] = pair else { return Err(io::Error::other("a value is missing")) };
            let number = || value.parse().map_err(io::Error::other);
            match name.as_str() {
                "--size" => job.size = number()?,
                "--runs" => job.runs = number()?,
                "--archives" => job.archives = number()?,
                "--changed" => job.changed = number()? as u64,
                "--threads" => job.threads = number()?,
                "--workers" => job.workers = Some(number()?),
                "--compression" => job.compression = compression(value)?,
                "--folder" => job.folder = PathBuf::from(value),
                _ => return Err(io::Error::other(format!("nobody knows {name}"))),
            }
        }
        Ok(job)
    }

    pub(crate) fn builder(&self, source: impl DataSource, folder: &Path) -> BackupPluginBuilder {
        self.builder_of(Bot::new("1:bench"), source, folder)
    }

    pub(crate) fn builder_of(
        &self,
        bot: Bot,
        source: impl DataSource,
        folder: &Path,
    ) -> BackupPluginBuilder {
        let builder = BackupPlugin::builder(bot, source);
        let builder = builder.folder(folder).keep(100_000).compression(self.compression);
        if let Some(workers) = self.workers { builder.workers(workers) } else { builder }
    }
}

fn compression(word: &str) -> io::Result<Compression> {
    match word {
        "fast" => Ok(Compression::Fast),
        "default" => Ok(Compression::Default),
        "small" => Ok(Compression::Small),
        _ => Err(io::Error::other(format!("nobody knows {word}"))),
    }
}

/// What one time of it has cost.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    cpu: f64,
    extra_kb: u64,
    /// What more was in memory afterwards than before.
    resident_kb: u64,
}

/// Does the job, and prints what it has cost as one line of JSON on standard error.
pub(crate) fn run(job: &Job) -> io::Result<()> {
    if job.task == "data" {
        let file = io::BufWriter::new(fs::File::create(&job.folder)?);
        return serde_json::to_writer(file, &Crm::of_size(job.size)).map_err(io::Error::other);
    }
    let runtime = match job.threads {
        1 => Builder::new_current_thread().enable_all().build()?,
        more => Builder::new_multi_thread().worker_threads(more).enable_all().build()?,
    };
    match job.task.strip_prefix("pause-") {
        Some("bot") => return bot::run(job, &runtime),
        Some(state) => return pause::run(job, state, &runtime),
        None => {}
    }
    let place = tempfile::tempdir_in(&job.folder)?;
    let (archive, made) = match job.task.as_str() {
        "create-again" => create_again(job, &runtime, place.path())?,
        _ => create(job, &runtime, place.path())?,
    };
    let (bytes, size) = (length_of_data(&archive)?, fs::metadata(&archive)?.len());
    let costs = match job.task.as_str() {
        "create" | "create-again" => made,
        "serialise" => serialise(job)?,
        "verify" => again(job, &runtime, place.path(), &["verify", &text(&archive)])?,
        "list" => {
            multiply(&archive, place.path(), job.archives)?;
            again(job, &runtime, place.path(), &["list"])?
        }
        "restore" => restore(job, &runtime, &archive, Taking::Whole)?,
        "restore-each" => restore(job, &runtime, &archive, Taking::EachAlone)?,
        other => return Err(io::Error::other(format!("nobody knows {other}"))),
    };
    tell(job, (bytes, size), &costs, stat(place.path())?);
    Ok(())
}

fn tell(job: &Job, (bytes, size): (u64, u64), costs: &[Cost], stat_seconds: f64) {
    let median = |of: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let line = json!({
        "task": job.task, "bytes": bytes, "archive": size,
        "seconds": median(|cost| cost.seconds), "cpu": median(|cost| cost.cpu),
        "extra_kb": costs.iter().map(|cost| cost.extra_kb).max(),
        "resident_kb": costs.first().map(|cost| cost.resident_kb),
        "stat_seconds": stat_seconds,
    });
    eprintln!("{line}");
}

/// Makes archives: as many as are to be measured, or one to go on with. Gives where the last lies.
fn create(job: &Job, runtime: &Runtime, place: &Path) -> io::Result<(PathBuf, Vec<Cost>)> {
    let live = Arc::new(Crm::of_size(job.size));
    // no name of a backup's, so that no list shows it
    let kept = place.join("kept.archive");
    let mut costs = Vec::new();
    for _ in 0..if job.task == "create" { job.runs } else { 1 } {
        let source = Source::of(Arc::clone(&live), Taking::Whole);
        let builder = job.builder(source, place);
        costs.push(measured(|| command(runtime, builder, &["backup"]))?);
        for archive in archives(place)? {
            fs::rename(archive, &kept)?;
        }
    }
    Ok((kept, costs))
}

/// Makes archives one after the other, of two states in turn: some clients are not the same in them.
fn create_again(job: &Job, runtime: &Runtime, place: &Path) -> io::Result<(PathBuf, Vec<Cost>)> {
    let states = [0, job.changed].map(|percent| {
        let mut crm = Crm::of_size(job.size);
        crm.change(percent);
        Arc::new(crm)
    });
    let mut costs = Vec::new();
    for live in states.iter().cycle().take(job.runs + 1) {
        let source = Source::of(Arc::clone(live), Taking::Whole);
        costs.push(measured(|| command(runtime, job.builder(source, place), &["backup"]))?);
    }
    // the first had nothing to take over
    costs.remove(0);
    let newest = archives(place)?.into_iter().max().ok_or(io::ErrorKind::NotFound)?;
    Ok((newest, costs))
}

/// To nowhere.
fn serialise(job: &Job) -> io::Result<Vec<Cost>> {
    let crm = Crm::of_size(job.size);
    let write = || serde_json::to_writer(io::sink(), &crm).map_err(io::Error::other);
    (0..job.runs).map(|_| measured(write)).collect()
}

fn length_of_data(archive: &Path) -> io::Result<u64> {
    let mut zip = zip::ZipArchive::new(fs::File::open(archive)?)?;
    Ok(zip.by_name("data.json")?.size())
}

/// Runs a command that changes nothing.
fn again(job: &Job, runtime: &Runtime, place: &Path, words: &[&str]) -> io::Result<Vec<Cost>> {
    (0..job.runs)
        .map(|_| {
            let builder = job.builder(Source::new(Crm::default(), Taking::Whole), place);
            measured(|| command(runtime, builder, words))
        })
        .collect()
}

/// The host's part of a restore alone: the command also checks the archive and saves what is live.
fn restore(job: &Job, runtime: &Runtime, archive: &Path, taking: Taking) -> io::Result<Vec<Cost>> {
    let mut costs = Vec::new();
    for _ in 0..job.runs {
        let place = tempfile::tempdir_in(&job.folder)?;
        // one that keeps nothing itself has its data elsewhere: here, those that are restored
        let live = match taking {
            Taking::Whole => Crm::default(),
            Taking::EachAlone => Crm::of_size(job.size),
        };
        let source = Source::new(live, taking);
        let watch: Arc<Mutex<Duration>> = source.watch();
        // held, so that what is resident in the end is what the bot has then
        let _live = source.live();
        let builder = job.builder(source, place.path());
        let whole = measured(|| command(runtime, builder, &["restore", &text(archive)]))?;
        let seconds = watch.lock().map(|watch| watch.as_secs_f64()).unwrap_or_default();
        costs.push(Cost { seconds, ..whole });
    }
    Ok(costs)
}

fn command(runtime: &Runtime, builder: BackupPluginBuilder, words: &[&str]) -> io::Result<()> {
    runtime.block_on(commanded(builder, words))
}

pub(crate) async fn commanded(builder: BackupPluginBuilder, words: &[&str]) -> io::Result<()> {
    let command = BackupCommand::parse(words.iter().map(OsString::from));
    let command = command.ok_or_else(|| io::Error::other("no command"))?;
    let code = builder.run(command).await;
    // an exit code keeps its number to itself
    let done = format!("{code:?}") == format!("{:?}", std::process::ExitCode::SUCCESS);
    if done { Ok(()) } else { Err(io::Error::other(format!("{words:?} failed"))) }
}

fn archives(place: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(place)?.map(|entry| Ok(entry?.path()));
    let paths: io::Result<Vec<PathBuf>> = paths.collect();
    let is_zip = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "zip");
    Ok(paths?.into_iter().filter(is_zip).collect())
}

/// What it costs to look at every archive without opening it: the median of some times.
fn stat(place: &Path) -> io::Result<f64> {
    let mut costs = [0.0; 9];
    for cost in &mut costs {
        let begin = Instant::now();
        for entry in fs::read_dir(place)? {
            fs::symlink_metadata(entry?.path())?;
        }
        *cost = begin.elapsed().as_secs_f64();
    }
    costs.sort_by(f64::total_cmp);
    Ok(costs[costs.len() / 2])
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn measured(work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    // from here on the peak is counted anew, where the kernel can do that
    let _ = fs::write("/proc/self/clear_refs", "5");
    let resident = status_kb("VmRSS:");
    let (cpu, begin) = (cpu_seconds(), Instant::now());
    work()?;
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let more_kb = |name| status_kb(name).saturating_sub(resident);
    Ok(Cost { seconds, cpu, extra_kb: more_kb("VmHWM:"), resident_kb: more_kb("VmRSS:") })
}

fn status_kb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// User and system time of all threads, in the kernel's steps of a hundredth.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
