//! What has happened: calls of the bot and the rules it broke.

use std::{
    env, fmt,
    fs::File,
    io::Write as _,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::refusal::Refusal;

/// Names the file that every call is written into, beside the records of its test.
const CALLS_FILE: &str = "TELEGRAM_SANDBOX_CALLS";

/// A call of a Bot API method by the bot.
#[derive(Debug, Clone)]
pub struct Call {
    /// Name of the method as documented, like `sendMessage`.
    pub method: String,
    /// The fields of the request; an uploaded file is shown as its name and size.
    pub fields: Value,
    /// The whole body of the answer; null while the call runs or when it was cut off.
    pub answer: Value,
    /// HTTP status of the answer; 0 while the call runs or when it was cut off.
    pub status: u16,
    /// When the request came.
    pub started: SystemTime,
    /// How long the answer took.
    pub took: Duration,
    pub(crate) number: u64,
    /// The bot still waits for the answer.
    pub(crate) open: bool,
    /// The answer is a [`Violation`].
    pub(crate) violation: bool,
    /// Number of the last change.
    pub(crate) revision: u64,
}

/// A rule of the Bot API that the bot broke.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Name of the method.
    pub method: String,
    /// What the bot was told.
    pub description: String,
    /// The fields of the request.
    pub fields: Value,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = self.fields.to_string();
        if let Some((end, _)) = fields.char_indices().nth(600) {
            fields.truncate(end);
            fields.push('…');
        }
        write!(formatter, "{}: {} <- {fields}", self.method, self.description)
    }
}

/// Records of a whole test.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) calls: Vec<Call>,
    pub(crate) violations: Vec<Violation>,
    /// Refusals that may happen.
    pub(crate) allowed: Vec<String>,
    /// Refusals that have to happen.
    pub(crate) expected: Vec<String>,
    /// Every refusal that the bot was given.
    pub(crate) refusals: Vec<String>,
    /// Requests, other than `getUpdates`, that are being answered.
    pub(crate) in_progress: usize,
    /// Grows with everything that happens between the bot and the people.
    pub(crate) activity: u64,
    last_call: u64,
}

impl Journal {
    /// Records that a request came; gives its number.
    pub(crate) fn begin(&mut self, method: &str, fields: Value, revision: u64) -> u64 {
        write_down(method, &fields);
        self.last_call += 1;
        self.calls.push(Call {
            method: method.to_owned(),
            fields,
            answer: Value::Null,
            status: 0,
            started: SystemTime::now(),
            took: Duration::ZERO,
            number: self.last_call,
            open: true,
            violation: false,
            revision,
        });
        self.last_call
    }

    /// Records the answer to a request.
    pub(crate) fn end(&mut self, number: u64, status: u16, answer: &Value) {
        if let Some(call) = self.call(number) {
            call.status = status;
            call.answer = answer.clone();
        }
    }

    /// Records that the bot waits no more, answered or not.
    pub(crate) fn close(&mut self, number: u64, revision: u64) {
        if let Some(call) = self.call(number) {
            call.took = call.started.elapsed().unwrap_or_default();
            call.open = false;
            call.revision = revision;
        }
    }

    fn call(&mut self, number: u64) -> Option<&mut Call> {
        self.calls.iter_mut().rev().find(|call| call.number == number)
    }

    /// Records an error answer, and a violation if it is one.
    pub(crate) fn refuse(&mut self, number: u64, method: &str, fields: &Value, refusal: &Refusal) {
        self.refusals.push(refusal.description.clone());
        if let Some(call) = self.call(number) {
            call.violation = refusal.violation;
        }
        if refusal.violation {
            self.violations.push(Violation {
                method: method.to_owned(),
                description: refusal.description.clone(),
                fields: fields.clone(),
            });
        }
    }

    /// Violations that nobody allowed or expected.
    pub(crate) fn unexcused(&self) -> Vec<Violation> {
        let excuses = || self.allowed.iter().chain(&self.expected);
        let broken = self.violations.iter();
        broken
            .filter(|violation| !excuses().any(|text| violation.description.contains(text)))
            .cloned()
            .collect()
    }

    /// Expected refusals that never came.
    pub(crate) fn missing(&self) -> Vec<String> {
        let expected = self.expected.iter();
        expected
            .filter(|text| !self.refusals.iter().any(|refusal| refusal.contains(*text)))
            .cloned()
            .collect()
    }
}

/// Adds a line to the file of all calls, where there is one: `CALL`, the program, the method, the fields.
fn write_down(method: &str, fields: &Value) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = env::var_os(CALLS_FILE)?;
        Some(File::options().create(true).append(true).open(path).expect("the file of all calls"))
    });
    if let Some(mut file) = file.as_ref() {
        // in one piece: other programs write beside it
        let line = format!("CALL {} {method} {fields}\n", program());
        file.write_all(line.as_bytes()).expect("a line in the file of all calls");
    }
}

/// The name of this program, without what cargo puts behind that of a test.
fn program() -> String {
    let path = env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match name.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name.to_owned(),
        _ => name,
    }
}
