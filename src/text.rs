//! Every word that people read, from the Fluent files in `text/`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use once_cell::sync::Lazy;
use tokio::sync::SetOnce;
use unic_langid::LanguageIdentifier;

use crate::backup::Counts;
use crate::error::{Error, ErrorKind, Result};
use crate::source::Section;

/// The language in which the plugin speaks to the administrator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Русский. The default.
    #[default]
    Russian,
    /// English.
    English,
}

impl Language {
    fn resource(self) -> &'static str {
        match self {
            Self::Russian => include_str!("text/ru.ftl"),
            Self::English => include_str!("text/en.ftl"),
        }
    }

    /// The plugin's own texts.
    fn bundle(self) -> Bundle {
        static RUSSIAN: Lazy<Arc<FluentResource>> = Lazy::new(|| own(Language::Russian));
        static ENGLISH: Lazy<Arc<FluentResource>> = Lazy::new(|| own(Language::English));

        let (tag, texts) = match self {
            Self::Russian => ("ru", &RUSSIAN),
            Self::English => ("en", &ENGLISH),
        };
        let language: LanguageIdentifier = tag.parse().unwrap_or_default();
        let mut bundle = Bundle::new_concurrent(vec![language]);
        // marks of direction around every value would stand in paths that people copy
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(Arc::clone(texts));
        bundle
    }

    /// The same with these words in the place of some.
    fn bundle_with(self, words: &[Arc<FluentResource>]) -> Bundle {
        let mut bundle = self.bundle();
        for words in words {
            bundle.add_resource_overriding(Arc::clone(words));
        }
        bundle
    }
}

/// A value in a text. Whatever comes from outside is escaped for HTML and cut to a bearable length.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    /// Ready HTML, or a text that is shown where there is no HTML.
    Raw(&'a str),
    Number(u64),
}

/// The longest text from outside that is shown.
const LONGEST_VALUE: usize = 900;
/// How many sections a line names.
const MOST_SECTIONS: usize = 8;

/// Texts, some of which are shared.
type Bundle = FluentBundle<Arc<FluentResource>>;

/// The host's words in the place of some of the plugin's.
struct Host {
    language: Language,
    words: Vec<Arc<FluentResource>>,
    /// Locked until it is made afresh: no sound text is said by a spoilt one.
    bundle: Mutex<Bundle>,
}

impl Host {
    fn new(language: Language, words: Vec<Arc<FluentResource>>) -> Self {
        let bundle = Mutex::new(language.bundle_with(&words));
        Self { language, words, bundle }
    }

    fn say(&self, id: &str, args: &FluentArgs) -> Option<String> {
        let mut bundle = self.bundle.lock().unwrap_or_else(PoisonError::into_inner);
        format(&bundle, id, args).unwrap_or_else(|_| {
            // one text that panics spoils what all of a bundle count with
            *bundle = self.language.bundle_with(&self.words);
            None
        })
    }
}

pub(crate) struct Text {
    language: Language,
    /// The host's words.
    host: Option<Host>,
    /// The plugin's own, where the host's give nothing.
    own: Bundle,
    sections: Vec<Section>,
    /// For a terminal: nothing is escaped.
    plain: bool,
    /// The first of the host's words that could not be said.
    unsaid: SetOnce<String>,
}

impl Text {
    /// The texts of a language, with the host's own in the place of some.
    pub(crate) fn new(
        language: Language,
        overrides: &[String],
        sections: Vec<Section>,
    ) -> Result<Self> {
        let words = overrides.iter().map(|text| parse(text).map(Arc::new));
        let words = words.collect::<Result<Vec<_>>>()?;
        let host = (!words.is_empty()).then(|| Host::new(language, words));
        Ok(Self {
            language,
            host,
            own: language.bundle(),
            sections,
            plain: false,
            unsaid: SetOnce::new(),
        })
    }

    /// The same for a terminal: what comes from outside is neither escaped nor cut, but cannot
    /// command the terminal.
    pub(crate) fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    pub(crate) fn say(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            let value: FluentValue<'_> = match value {
                Value::Text(text) => self.safe(text, LONGEST_VALUE).into(),
                Value::Raw(text) => (*text).into(),
                Value::Number(number) => FluentValue::from(*number),
            };
            args.set(*name, value);
        }
        if let Some(host) = &self.host {
            if let Some(said) = host.say(id, &args) {
                return said;
            }
            // whoever was first is enough
            let _ = self.unsaid.set(id.to_owned());
        }
        format(&self.own, id, &args).ok().flatten().unwrap_or_else(|| id.to_owned())
    }

    /// Waits until some of the host's words cannot be said; gives their name.
    pub(crate) async fn unsaid(&self) -> &str {
        self.unsaid.wait().await
    }

    fn safe(&self, text: &str, longest: usize) -> String {
        if self.plain { printable(text) } else { escape(text, longest) }
    }

    /// «12 заказов, 5 отзывов».
    pub(crate) fn records(&self, counts: &Counts) -> String {
        self.count_each(counts, |_| true)
    }

    /// Whether the list shows this section.
    pub(crate) fn lists(&self, name: &str) -> bool {
        self.sections.iter().find(|section| section.name == name).is_none_or(|s| s.listed)
    }

    /// The same for the sections that the list shows.
    pub(crate) fn listed_records(&self, counts: &Counts) -> String {
        self.count_each(counts, |section| section.listed)
    }

    fn count_each(&self, counts: &Counts, shown: impl Fn(&Section) -> bool) -> String {
        let known = self.sections.iter().filter_map(|section| {
            let count = counts.get(&section.name)?;
            // nothing of what matters less is not worth a word
            (shown(section) && (count > 0 || section.listed))
                .then(|| self.count(&section.name, Some(section), count))
        });
        let others = counts.iter().filter_map(|(name, count)| {
            let unknown = self.sections.iter().all(|section| section.name != name);
            // an old name of a field counts nothing, and says nothing to anybody
            (unknown && count > 0).then(|| self.count(name, None, count))
        });
        let parts: Vec<String> = known.chain(others).collect();
        if parts.is_empty() {
            return counts.total().to_string();
        }
        let more = parts.len().saturating_sub(MOST_SECTIONS);
        let mut line = parts[..parts.len() - more].join(", ");
        if more > 0 {
            line.push_str(", ");
            line.push_str(&self.say("and-more", &[("count", Value::Number(more as u64))]));
        }
        line
    }

    fn count(&self, name: &str, section: Option<&Section>, count: u64) -> String {
        const LONGEST_WORD: usize = 40;
        let words: Option<[&str; 3]> = section.and_then(|section| match self.language {
            Language::Russian => {
                section.ru.as_ref().map(|[one, few, many]| [&one[..], &few[..], &many[..]])
            }
            Language::English => {
                section.en.as_ref().map(|[one, other]| [&one[..], &other[..], &other[..]])
            }
        });
        let Some(words) = words else {
            return format!("{}: {count}", self.safe(name, LONGEST_WORD));
        };
        let [one, few, many] = words.map(|word| self.safe(word, LONGEST_WORD));
        let values = [
            ("count", Value::Number(count)),
            ("one", Value::Raw(&one)),
            ("few", Value::Raw(&few)),
            ("many", Value::Raw(&many)),
        ];
        self.say("records", &values)
    }

    /// «45.3 KB»: one decimal, of 1024 bytes.
    pub(crate) fn size(&self, bytes: u64) -> String {
        let (number, unit) = scaled(bytes);
        self.say("size", &[("number", Value::Raw(&number)), ("unit", Value::Raw(unit))])
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn reason(&self, error: &Error) -> String {
        let id = match error.kind() {
            ErrorKind::Busy => "error-busy",
            ErrorKind::NotFound => "error-not-found",
            ErrorKind::Source => "error-source",
            ErrorKind::Damaged => "error-damaged",
            ErrorKind::UnknownVersion => "error-unknown-version",
            ErrorKind::Incompatible => "error-incompatible",
            ErrorKind::TooLarge => "error-too-large",
            ErrorKind::Changed => "error-changed",
            ErrorKind::StorageFull => "error-storage-full",
            ErrorKind::AccessDenied => "error-access-denied",
            ErrorKind::Storage => "error-storage",
            ErrorKind::Config | ErrorKind::Internal => "error-internal",
        };
        self.say(id, &[("detail", Value::Text(&error.chain()))])
    }
}

/// Tenths, rounded half up, without a detour over floating point.
fn scaled(bytes: u64) -> (String, &'static str) {
    let mut unit = 1024_u64;
    let mut name = "KB";
    for next in ["MB", "GB", "TB"] {
        // what would be shown as 1024.0
        if tenths(bytes, unit) < 10_240 {
            break;
        }
        unit <<= 10;
        name = next;
    }
    let tenths = tenths(bytes, unit);
    (format!("{}.{}", tenths / 10, tenths % 10), name)
}

fn tenths(bytes: u64, unit: u64) -> u64 {
    let halves = u128::from(bytes) * 20 / u128::from(unit);
    u64::try_from(halves.div_ceil(2)).unwrap_or(u64::MAX)
}

/// `None` where there is no such text. Fluent panics over some numbers, and the bundle is of no use then.
fn format(bundle: &Bundle, id: &str, args: &FluentArgs) -> thread::Result<Option<String>> {
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    let Some(pattern) = pattern else { return Ok(None) };
    let mut errors = Vec::new();
    let format = || bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
    let text = catch_unwind(AssertUnwindSafe(format))
        .inspect_err(|_| tracing::warn!(id, "a text cannot be formatted"))?;
    if !errors.is_empty() {
        tracing::warn!(id, "a text names a value that is not there");
    }
    Ok(Some(text))
}

/// How deep a text may be nested. Fluent descends with it, a hundred times over where one text says
/// another, and a stack of 2 MB is at its end 1,500 deep: three choices within each other are enough.
const DEEPEST: usize = 8;

/// They are sound, as a test shows.
fn own(language: Language) -> Arc<FluentResource> {
    let texts = FluentResource::try_new(language.resource().to_owned());
    texts.unwrap_or_else(|(sound, _)| sound).into()
}

fn parse(text: &str) -> Result<FluentResource> {
    if depth(text) > DEEPEST {
        let step = format!("a text is nested more than {DEEPEST} deep");
        return Err(Error::new(ErrorKind::Config, step));
    }
    FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Error::new(ErrorKind::Config, "the texts are not valid Fluent").because(first)
    })
}

/// What Fluent is inside of, as it reads a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// `{ … }`
    Placeable,
    /// `( … )` after a function or a term.
    Arguments,
    /// The text after a `[key]`, in which quotes and round brackets are letters.
    Variant,
}

/// How deep a text is nested at most: never less than Fluent descends, whatever is wrong with it.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (Vec::new(), 0);
    for line in text.lines() {
        if line.starts_with('#') || begins_a_text(line) {
            open.clear();
        }
        if line.starts_with('#') {
            continue;
        }
        if open.last() == Some(&Inside::Variant)
            && line.trim_start_matches(' ').starts_with(['[', '*'])
        {
            open.pop();
        }
        let (mut quoted, mut escaped) = (false, false);
        for symbol in line.chars() {
            let code = open.last().is_some_and(|inside| *inside != Inside::Variant);
            match symbol {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' if code => quoted = !quoted,
                _ if quoted => {}
                '{' => open.push(Inside::Placeable),
                '(' if code => open.push(Inside::Arguments),
                ']' if code => open.push(Inside::Variant),
                ')' if code => drop(open.pop()),
                '}' => {
                    if !code {
                        open.pop();
                    }
                    open.pop();
                }
                _ => {}
            }
            deepest = deepest.max(open.len());
        }
    }
    deepest
}

/// «id =» or «-term =»: whatever was open before, Fluent gives it up there.
fn begins_a_text(line: &str) -> bool {
    let id = line.strip_prefix('-').unwrap_or(line);
    let rest =
        id.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || ['-', '_'].contains(&c));
    id.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.trim_start().starts_with('=')
}

/// Makes a text safe on a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|symbol| if symbol.is_control() { '\u{fffd}' } else { symbol }).collect()
}

/// Makes a text safe inside Telegram's HTML, and cuts it.
fn escape(text: &str, longest: usize) -> String {
    let mut safe = String::with_capacity(text.len());
    for (index, symbol) in text.chars().enumerate() {
        if index == longest {
            safe.push('…');
            break;
        }
        match symbol {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
pub(crate) mod snapshot;

#[cfg(test)]
mod tests;
