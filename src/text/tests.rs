use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

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
fn the_texts_of_both_languages_are_sound() {
    for language in [Language::Russian, Language::English] {
        assert!(parse(language.resource()).is_ok(), "{language:?}");
    }
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
        ["0.0 KB", "0.4 KB", "1.0 KB", "45.3 KB", "1.0 MB", "1.0 MB", "5.2 MB", "16777216.0 TB"]
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
    let chain: Vec<String> = (0..500).map(|n| format!("a{n} = {{ a{} }}\n", n + 1)).collect();
    let laughs: Vec<String> =
        (0..30).map(|n| format!("b{n} = {{ b{0} }}{{ b{0} }}\n", n + 1)).collect();
    let (chain, laughs) = (chain.concat(), laughs.concat());
    let nines = "9".repeat(400);
    vec![
        ("a circle of one", "list-empty = { list-empty }".to_owned()),
        ("a circle of two", "list-empty = { back }\nback = { list-empty }".to_owned()),
        ("a circle of terms", "list-empty = { -a }\n-a = { -b }\n-b = { -a }".to_owned()),
        ("a chain", format!("list-empty = {{ a0 }}\n{chain}a500 = end")),
        ("a billion laughs", format!("list-empty = {{ b0 }}\n{laughs}b30 = {}", "ha".repeat(99))),
        ("functions in a chain", {
            let [open, close] = ["A(", ")"].map(|part| part.repeat(DEEPEST - 1));
            let link = |n: usize| format!("f{n} = {{ {open}f{}{close} }}\n", n + 1);
            let links: String = (0..99).map(link).collect();
            format!("list-empty = {{ f0 }}\n{links}f99 = end")
        }),
        ("a megabyte", format!("list-empty = {}", "ж".repeat(500_000))),
        ("no such value", "list-empty = { $nobody } { nobody } { -nobody }".to_owned()),
        ("no such function", "list-empty = { NOBODY(1, x: 2) }".to_owned()),
        ("a function", "list-empty = { NUMBER($x, minimumFractionDigits: 999999999) }".to_owned()),
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
    // Fluent goes on over lines, whatever they begin with
    for deep in [
        "{\n",
        "{ A(\n",
        "{\n a ->\n*[b] ",
        "{ $a ->\n*[b] \" ) ",
        "{ \"}\" ->\n*[b] \"",
        "{ $a ->\n *[b] z\n \t[\" ",
        "{ $a ->\n *[b] z\n\r[\" ",
        "{ $a ->\n *[b] z\n \u{a0}* \" ",
    ] {
        let nested = format!("x = {{\n{}", deep.repeat(10_000));
        assert!(Text::new(Language::Russian, &[nested], vec![]).is_err(), "{deep}");
    }
}

/// Something between braces, and how deep it is nested.
fn code() -> impl Strategy<Value = (String, usize)> {
    const LITERALS: [&str; 8] =
        ["$a", "1", "\"\"", "\"{\"", "\"}}\"", "\")(\"", "\"\\\\\\\" {\"", "\"[b]\""];
    let literal = select(&LITERALS[..]).prop_map(|literal| (literal.to_owned(), 1));
    literal.prop_recursive(8, 40, 3, |inner| {
        const LETTERS: [&str; 10] = ["", "x", "\"", " ( ", ") ", "[c] ", "* ", "] \"", "->", "# "];
        let piece = (select(&LETTERS[..]), inner.clone())
            .prop_map(|(before, (code, depth))| (format!("{before}{{ {code} }}"), depth));
        let pattern = vec(piece, 1..3).prop_map(|pieces| {
            let depth = pieces.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
            let text: String = pieces.into_iter().map(|(text, _)| text).collect();
            (text, depth)
        });
        prop_oneof![
            inner.clone().prop_map(|(code, depth)| (format!("{{ {code} }}"), depth + 1)),
            inner.prop_map(|(code, depth)| (format!("NUMBER({{ {code} }},\n 1)"), depth + 2)),
            vec(pattern, 1..3).prop_map(|patterns| {
                let depth = patterns.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
                let variants = patterns.iter().map(|(text, _)| {
                    format!(
                        "\n  [one] {text}\n    z{text}\n \t[{text}\n\r[\" {text}\n \u{a0}*{text}"
                    )
                });
                let variants: String = variants.collect();
                (format!("\"}}\" -> {variants}\n *[other] x\"\n"), depth + 1)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nesting_is_never_overlooked((code, nested) in code()) {
        let fluent = format!("x = \" ( {{ {code} }} )\n    .y = \"{{ {code} }}\n# {{{{{{\n");
        prop_assert!(FluentResource::try_new(fluent.clone()).is_ok(), "{fluent}");
        let counted = depth(&fluent);
        // each of them, and the variants between them
        prop_assert!((nested..=2 * nested).contains(&counted), "{nested}, {counted}: {fluent}");
    }
}

#[test]
fn names_of_clients_cannot_break_a_message() {
    let text = Text::new(Language::English, &[], vec![]).expect("texts");
    let counts: Counts = [("<b>&".to_owned(), 1)].into_iter().collect();
    assert_eq!(text.records(&counts), "&lt;b&gt;&amp;: 1");
    let many: Counts = (0..20).map(|n| (format!("s{n}"), n + 1)).collect();
    assert!(text.records(&many).ends_with("s7: 8, and 12 more"));
}
