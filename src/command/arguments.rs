//! What the words of a command line mean.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser};

/// Every word that a command line may begin with.
const WORDS: [&str; 7] = ["backup", "list", "verify", "restore", "help", "--help", "-h"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    BackUp,
    List,
    Verify(Option<PathBuf>),
    Restore { file: PathBuf, yes: bool, force: bool },
    Explain(Question),
}

/// What needs an explanation and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Help,
    Unknown(String),
    NoFile,
}

/// Reads the arguments that follow the program's name; `None` where there are none.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Request> {
    let mut parser = Parser::from_args(arguments);
    Some(match parser.next() {
        Ok(None) => return None,
        Ok(Some(first)) => {
            let first = owned(&first);
            request(&first, &mut parser)
        }
        Err(error) => unknown(refused(error)),
    })
}

fn unknown(word: impl Into<String>) -> Request {
    Request::Explain(Question::Unknown(word.into()))
}

fn owned(argument: &Arg<'_>) -> String {
    match argument {
        Arg::Short(letter) => format!("-{letter}"),
        Arg::Long(word) => format!("--{word}"),
        Arg::Value(word) => word.to_string_lossy().into_owned(),
    }
}

/// The argument as it was typed, where the parser's own words are English.
fn refused(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => {
            format!("{option}={}", value.to_string_lossy())
        }
        other => other.to_string(),
    }
}

fn request(first: &str, parser: &mut Parser) -> Request {
    if !WORDS.contains(&first) {
        return unknown(first);
    }
    let (mut file, mut yes, mut force) = (None, false, false);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Long("help") | Arg::Short('h'))) => {
                return Request::Explain(Question::Help);
            }
            Ok(Some(Arg::Long("yes") | Arg::Short('y'))) if first == "restore" => yes = true,
            Ok(Some(Arg::Long("force"))) if first == "restore" => force = true,
            Ok(Some(Arg::Value(word)))
                if file.is_none() && matches!(first, "verify" | "restore") =>
            {
                file = Some(PathBuf::from(word));
            }
            Ok(Some(other)) => return unknown(owned(&other)),
            Err(error) => return unknown(refused(error)),
        }
    }
    match (first, file) {
        ("backup", _) => Request::BackUp,
        ("list", _) => Request::List,
        ("verify", file) => Request::Verify(file),
        ("restore", Some(file)) => Request::Restore { file, yes, force },
        ("restore", None) => Request::Explain(Question::NoFile),
        _ => Request::Explain(Question::Help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Request> {
        let words = line.split_whitespace().map(OsString::from);
        read(words)
    }

    #[test]
    fn each_command_is_understood() {
        let restore = |yes, force| Request::Restore { file: "a.zip".into(), yes, force };
        assert_eq!(parse(""), None);
        assert_eq!(parse("backup"), Some(Request::BackUp));
        assert_eq!(parse("list"), Some(Request::List));
        assert_eq!(parse("verify"), Some(Request::Verify(None)));
        assert_eq!(parse("verify a.zip"), Some(Request::Verify(Some("a.zip".into()))));
        assert_eq!(parse("restore a.zip"), Some(restore(false, false)));
        assert_eq!(parse("restore --yes a.zip --force"), Some(restore(true, true)));
        assert_eq!(parse("restore -y a.zip"), Some(restore(true, false)));
        assert_eq!(
            parse("restore -- -a.zip"),
            Some(Request::Restore { file: "-a.zip".into(), yes: false, force: false })
        );
        for help in ["help", "--help", "-h", "backup --help", "restore -h"] {
            assert_eq!(parse(help), Some(Request::Explain(Question::Help)), "{help}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (line, word) in [
            ("restor a.zip", "restor"),
            ("backup now", "now"),
            ("list --yes", "--yes"),
            ("verify a.zip b.zip", "b.zip"),
            ("verify --force", "--force"),
            ("restore a.zip -f", "-f"),
            ("--version", "--version"),
            ("restore --yes=no a.zip", "--yes=no"),
        ] {
            assert_eq!(parse(line), Some(unknown(word)), "{line}");
        }
        assert_eq!(parse("restore"), Some(Request::Explain(Question::NoFile)));
        assert_eq!(parse("restore --yes"), Some(Request::Explain(Question::NoFile)));
    }
}
