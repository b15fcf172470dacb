//! Every word that people read, from the Fluent files in `text/`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
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

    fn id(self) -> LanguageIdentifier {
        let tag = match self {
            Self::Russian => "ru",
            Self::English => "en",
        };
        tag.parse().unwrap_or_default()
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

pub(crate) struct Text {
    language: Language,
    bundle: FluentBundle<FluentResource>,
    /// The plugin's own words, where the host's give nothing.
    own: FluentBundle<FluentResource>,
    sections: Vec<Section>,
    /// For a terminal: nothing is escaped.
    plain: bool,
}

impl Text {
    /// The texts of a language, with the host's own in the place of some.
    pub(crate) fn new(
        language: Language,
        overrides: &[String],
        sections: Vec<Section>,
    ) -> Result<Self> {
        let (mut bundle, own) = (bundle(language)?, bundle(language)?);
        for text in overrides {
            bundle.add_resource_overriding(parse(text)?);
        }
        Ok(Self { language, bundle, own, sections, plain: false })
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
        let said = format(&self.bundle, id, &args).or_else(|| format(&self.own, id, &args));
        said.unwrap_or_else(|| id.to_owned())
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

fn bundle(language: Language) -> Result<FluentBundle<FluentResource>> {
    let mut bundle = FluentBundle::new_concurrent(vec![language.id()]);
    // marks of direction around every value would stand in paths that people copy
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(parse(language.resource())?);
    Ok(bundle)
}

/// `None` where there is no such text, or one that fluent cannot format: it panics over some numbers.
fn format(bundle: &FluentBundle<FluentResource>, id: &str, args: &FluentArgs) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    let mut errors = Vec::new();
    let format = || bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
    let Ok(text) = catch_unwind(AssertUnwindSafe(format)) else {
        tracing::warn!(id, "a text cannot be formatted");
        return None;
    };
    if !errors.is_empty() {
        tracing::warn!(id, "a text names a value that is not there");
    }
    Some(text)
}

/// How deep a text may be nested: fluent descends with it, and its stack has an end.
const DEEPEST: usize = 50;

fn parse(text: &str) -> Result<FluentResource> {
    if depth(text) > DEEPEST {
        let step = "the texts are not valid Fluent";
        return Err(Error::new(ErrorKind::Config, step)
            .because(format!("braces are nested more than {DEEPEST} deep")));
    }
    FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Error::new(ErrorKind::Config, "the texts are not valid Fluent").because(first)
    })
}

/// How deep braces, and the brackets within them, are nested at most.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for line in text.lines() {
        if !line.starts_with([' ', '}']) {
            // another text begins
            depth = 0;
        }
        let (mut quoted, mut escaped) = (false, false);
        for symbol in line.chars() {
            match symbol {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' if depth > 0 => quoted = !quoted,
                _ if quoted => {}
                '{' => depth += 1,
                '(' if depth > 0 => depth += 1,
                '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
    }
    deepest
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
mod tests {
    use super::*;

    fn ids(language: Language) -> Vec<&'static str> {
        let lines = language.resource().lines();
        lines
            .filter_map(|line| line.split_once(" = ").or(line.split_once(" =")))
            .map(|(id, _)| id)
            .filter(|id| !id.starts_with([' ', '#']))
            .collect()
    }

    #[test]
    fn both_languages_have_every_text() {
        assert_eq!(ids(Language::Russian), ids(Language::English));
        assert!(ids(Language::Russian).len() > 30);
    }

    #[test]
    fn russian_counts_rightly() {
        let section = Section::new("tickets").ru("заказ", "заказа", "заказов");
        let text = Text::new(Language::Russian, &[], vec![section]).expect("texts");
        let say = |n| text.records(&[("tickets".to_owned(), n)].into_iter().collect());
        for n in [1, 21, 31, 101, 121, 1001] {
            assert_eq!(say(n), format!("{n} заказ"));
        }
        for n in [2, 3, 4, 22, 33, 104, 1002] {
            assert_eq!(say(n), format!("{n} заказа"));
        }
        for n in [0, 5, 10, 11, 12, 13, 14, 19, 20, 25, 100, 111, 112, 114, 1011, 1_000_000] {
            assert_eq!(say(n), format!("{n} заказов"));
        }
    }

    #[test]
    fn sizes_have_one_decimal() {
        let text = Text::new(Language::Russian, &[], vec![]).expect("texts");
        let shown = [0, 388, 1024, 46_387, 1_048_575, 1_048_576, 5_452_595, u64::MAX];
        let shown = shown.map(|bytes| text.size(bytes));
        assert_eq!(
            shown,
            [
                "0.0 KB",
                "0.4 KB",
                "1.0 KB",
                "45.3 KB",
                "1.0 MB",
                "1.0 MB",
                "5.2 MB",
                "16777216.0 TB"
            ]
        );
    }

    #[test]
    fn a_host_may_say_it_differently() {
        let own = "list-empty = Пусто!".to_owned();
        let text = Text::new(Language::Russian, &[own], vec![]).expect("texts");
        assert_eq!(text.say("list-empty", &[]), "Пусто!");
        let Err(error) = Text::new(Language::Russian, &["= what".to_owned()], vec![]) else {
            panic!("that is not Fluent")
        };
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    /// Texts that are Fluent, and that no reader can want.
    fn hostile() -> Vec<(&'static str, String)> {
        let chain: String = (0..500).map(|n| format!("a{n} = {{ a{} }}\n", n + 1)).collect();
        let laughs: String =
            (0..30).map(|n| format!("b{n} = {{ b{0} }}{{ b{0} }}\n", n + 1)).collect();
        let nines = "9".repeat(400);
        vec![
            ("a circle of one", "list-empty = { list-empty }".to_owned()),
            ("a circle of two", "list-empty = { back }\nback = { list-empty }".to_owned()),
            ("a circle of terms", "list-empty = { -a }\n-a = { -b }\n-b = { -a }".to_owned()),
            ("a chain", format!("list-empty = {{ a0 }}\n{chain}a500 = end")),
            (
                "a billion laughs",
                format!("list-empty = {{ b0 }}\n{laughs}b30 = {}", "ha".repeat(99)),
            ),
            ("a megabyte", format!("list-empty = {}", "ж".repeat(500_000))),
            ("no such value", "list-empty = { $nobody } { nobody } { -nobody }".to_owned()),
            ("no such function", "list-empty = { NOBODY(1, x: 2) }".to_owned()),
            (
                "a function",
                "list-empty = { NUMBER($x, minimumFractionDigits: 999999999) }".to_owned(),
            ),
            ("a date", "list-empty = { DATETIME($x) }".to_owned()),
            ("no value", "list-empty =\n    .attribute = x".to_owned()),
            ("no such attribute", "list-empty = { list-title.nobody }".to_owned()),
            (
                "a number of no size",
                format!("list-empty = {{ {nines} ->\n    [one] x\n   *[other] y\n }}"),
            ),
            (
                "a long fraction",
                format!("list-empty = {{ 1.{nines} ->\n    [one] x\n   *[other] y\n }}"),
            ),
            (
                "less than nothing",
                "list-empty = { -9223372036854775809 ->\n   *[other] y\n }".to_owned(),
            ),
            ("a wrong escape", "list-empty = { \"\\UFFFFFF\" }{ \"\\uD800\" }".to_owned()),
            ("nothing", "list-empty = { \"\" }".to_owned()),
        ]
    }

    #[test]
    fn no_text_of_a_host_ends_the_bot() {
        for (name, fluent) in hostile() {
            let text = Text::new(Language::Russian, std::slice::from_ref(&fluent), vec![]);
            // refused with a reason, or said in some way
            match text {
                Ok(text) => drop(text.say("list-empty", &[])),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Config, "{name}"),
            }
        }
    }

    #[test]
    fn where_a_hosts_text_gives_nothing_the_plugins_own_is_said() {
        let mut texts = vec!["list-empty =\n    .attribute = x".to_owned()];
        if cfg!(debug_assertions) {
            // fluent counts these digits with a number that overflows, which panics in such a build
            let nines = "9".repeat(400);
            texts.push(format!("list-empty = {{ 1.{nines} ->\n    [one] x\n   *[other] y\n }}"));
        }
        for fluent in texts {
            let text = Text::new(Language::English, std::slice::from_ref(&fluent), vec![]);
            let said = text.expect("texts").say("list-empty", &[]);
            assert!(said.starts_with("📂 "), "{fluent}: {said}");
        }
    }

    #[test]
    fn a_text_nested_too_deeply_is_refused() {
        for nested in [["{ ", " }"], ["{ NUMBER(", ") }"]] {
            let [open, close] = nested.map(|part| part.repeat(100_000));
            let fluent = format!("list-empty = {open} 1 {close}");
            let refused = Text::new(Language::Russian, &[fluent], vec![]).map(|_| ());
            assert_eq!(refused.expect_err("too deep").kind(), ErrorKind::Config);
        }
        let braces = "list-empty = {\"{\"}".to_owned() + &"{\"{\"} ( :( ".repeat(100);
        assert!(Text::new(Language::Russian, &[braces], vec![]).is_ok(), "braces as letters");
    }

    #[test]
    fn names_of_clients_cannot_break_a_message() {
        let text = Text::new(Language::English, &[], vec![]).expect("texts");
        let counts: Counts = [("<b>&".to_owned(), 1)].into_iter().collect();
        assert_eq!(text.records(&counts), "&lt;b&gt;&amp;: 1");
        let many: Counts = (0..20).map(|n| (format!("s{n}"), n + 1)).collect();
        assert!(text.records(&many).ends_with("s7: 8, and 12 more"));
    }
}
