//! Telegram's HTML: from marked-up text to plain text and entities.

use serde_json::{Map, Value, json};

/// Plain text with its entities; offsets count UTF-16 code units.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Formatted {
    pub(crate) plain: String,
    pub(crate) entities: Vec<Value>,
}

/// The length as Telegram counts it.
pub(crate) fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

impl Formatted {
    /// Text without markup.
    pub(crate) fn plain(text: &str) -> Self {
        Self { plain: text.to_owned(), entities: Vec::new() }.trimmed()
    }

    /// What a person typed: commands are marked.
    pub(crate) fn with_commands(text: &str) -> Self {
        let mut formatted = Self::plain(text);
        let mut offset = 0;
        for word in formatted.plain.split_inclusive(char::is_whitespace) {
            let command = word.trim_end();
            let mut letters = command.strip_prefix('/').unwrap_or_default().chars();
            let named = letters.next().is_some_and(|letter| letter.is_ascii_alphanumeric());
            if named
                && letters.all(|letter| letter.is_ascii_alphanumeric() || "_@".contains(letter))
            {
                let length = utf16_len(command);
                formatted
                    .entities
                    .push(json!({ "type": "bot_command", "offset": offset, "length": length }));
            }
            offset += utf16_len(word);
        }
        formatted
    }

    /// Parses Telegram's HTML; the error is the reason without any prefix.
    pub(crate) fn html(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            text,
            at: 0,
            plain: String::new(),
            length: 0,
            open: Vec::new(),
            entities: Vec::new(),
        };
        parser.run()?;
        let mut entities = parser.entities;
        entities.sort_by_key(|entity| {
            (number(entity, "offset"), usize::MAX - number(entity, "length"))
        });
        Ok(Self { plain: parser.plain, entities }.trimmed())
    }

    /// Takes away the white space around the text, as Telegram does.
    fn trimmed(self) -> Self {
        let plain = self.plain.trim();
        let start = self.plain.len() - self.plain.trim_start().len();
        let cut = utf16_len(&self.plain[..start]);
        let length = utf16_len(plain);
        let entities = self.entities.into_iter().filter_map(|mut entity| {
            let from = number(&entity, "offset");
            let end = (from + number(&entity, "length")).saturating_sub(cut).min(length);
            let from = from.saturating_sub(cut);
            entity["offset"] = from.into();
            entity["length"] = end.saturating_sub(from).into();
            (end > from).then_some(entity)
        });
        Self { entities: entities.collect(), plain: plain.to_owned() }
    }
}

fn number(entity: &Value, field: &str) -> usize {
    entity.get(field).and_then(Value::as_u64).and_then(|value| value.try_into().ok()).unwrap_or(0)
}

/// A walk through the marked-up text.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    plain: String,
    length: usize,
    open: Vec<Open>,
    entities: Vec<Value>,
}

/// A tag that is not closed yet.
struct Open {
    name: String,
    offset: usize,
    /// The entity, without offset and length.
    entity: Map<String, Value>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(letter) = self.text[self.at..].chars().next() {
            match letter {
                '<' if self.text[self.at..].starts_with("</") => self.end_tag()?,
                '<' => self.start_tag()?,
                '&' => self.reference(),
                other => self.put(other, other.len_utf8()),
            }
        }
        match self.open.pop() {
            Some(tag) => {
                Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name))
            }
            None => Ok(()),
        }
    }

    /// Adds a letter to the plain text and passes over its source.
    fn put(&mut self, letter: char, source: usize) {
        self.plain.push(letter);
        self.length += letter.len_utf16();
        self.at += source;
    }

    /// Reads `&lt;`, `&#60;` or `&#x3c;`; anything else is a plain `&`.
    fn reference(&mut self) {
        let rest = &self.text[self.at + 1..];
        let known = rest.find(';').and_then(|end| Some((decode(&rest[..end])?, end + 2)));
        let (letter, source) = known.unwrap_or(('&', 1));
        self.put(letter, source);
    }

    /// Takes the source of a tag: from `<` to `>`.
    fn tag(&mut self, kind: &str) -> Result<String, String> {
        let rest = &self.text[self.at..];
        let Some(end) = tag_end(rest) else {
            return Err(format!("Unclosed {kind} tag at byte offset {}", self.at));
        };
        let tag = rest[..=end].to_owned();
        self.at += tag.len();
        Ok(tag)
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let tag = self.tag("start")?;
        let inner = tag[1..tag.len() - 1].trim_end();
        let split = inner.find(char::is_whitespace).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(split);
        let name = name.to_ascii_lowercase();
        let attributes = attributes(rest, begin)?;
        let nested = self.open.last().is_some_and(|tag| tag.name == "pre");
        let entity = entity(&name, &attributes, nested, begin)?;
        self.open.push(Open { name, offset: self.length, entity });
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let tag = self.tag("end")?;
        let name = tag[2..tag.len() - 1].trim().to_ascii_lowercase();
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        if name != open.name {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"",
                open.name
            ));
        }
        self.close(open);
        Ok(())
    }

    fn close(&mut self, open: Open) {
        let mut entity = open.entity;
        let length = self.length - open.offset;
        if length == 0 || entity.is_empty() {
            return;
        }
        entity.insert("offset".into(), open.offset.into());
        entity.insert("length".into(), length.into());
        self.entities.push(entity.into());
    }
}

/// The place of the `>` that ends a tag, outside of quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (place, letter) in tag.char_indices().skip(1) {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (None, '>') => return Some(place),
            (None, '<') => return None,
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn decode(reference: &str) -> Option<char> {
    match reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        _ => {
            let digits = reference.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|letter| *letter != '\0')
        }
    }
}

/// Reads `name="value" name=value name`.
fn attributes(mut rest: &str, begin: usize) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(found);
        }
        let end = rest.find(|letter: char| letter == '=' || letter.is_whitespace());
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag at byte offset {begin}"));
        }
        let mut value = "";
        rest = after;
        if let Some(after) = after.strip_prefix('=') {
            (value, rest) = attribute_value(after).ok_or_else(|| {
                format!("Unclosed attribute value in the tag at byte offset {begin}")
            })?;
        }
        found.push((name.to_ascii_lowercase(), unescape(value)));
    }
}

/// Splits off a value, quoted or not.
fn attribute_value(text: &str) -> Option<(&str, &str)> {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split_once(quote),
        _ => Some(text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))),
    }
}

fn unescape(value: &str) -> String {
    let mut parser = Parser {
        text: value,
        at: 0,
        plain: String::new(),
        length: 0,
        open: Vec::new(),
        entities: Vec::new(),
    };
    while let Some(letter) = parser.text[parser.at..].chars().next() {
        match letter {
            '&' => parser.reference(),
            other => parser.put(other, other.len_utf8()),
        }
    }
    parser.plain
}

/// The entity for a tag; empty where a tag means nothing by itself.
fn entity(
    name: &str,
    attributes: &[(String, String)],
    in_pre: bool,
    begin: usize,
) -> Result<Map<String, Value>, String> {
    let value = |wanted: &str| {
        let found = attributes.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let kind = match name {
        "code" if in_pre => "",
        "span" if value("class") != Some("tg-spoiler") => {
            let problem = "Tag \"span\" must have class \"tg-spoiler\"";
            return Err(format!("{problem} at byte offset {begin}"));
        }
        "blockquote" if value("expandable").is_some() => "expandable_blockquote",
        // Without an address Telegram shows plain text.
        "a" if value("href").is_none() => "",
        _ => kind(name)
            .ok_or_else(|| format!("Unsupported start tag \"{name}\" at byte offset {begin}"))?,
    };
    let mut entity = Map::new();
    if !kind.is_empty() {
        entity.insert("type".into(), kind.into());
    }
    if kind == "text_link" {
        entity.insert("url".into(), value("href").into());
    }
    Ok(entity)
}

/// The type of entity that a tag normally makes.
fn kind(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "pre" => "pre",
        "code" => "code",
        "tg-spoiler" | "span" => "spoiler",
        "blockquote" => "blockquote",
        "a" => "text_link",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_every_tag() {
        let html = "<b>a</b><i>b</i><u>c</u><s>d</s><code>e</code><pre><code class=\"language-rust\">f\
            </code></pre><a href=\"https://example.org/?a=1&amp;b=2\">g</a><tg-spoiler>h</tg-spoiler>\
            <span class='tg-spoiler'>i</span><blockquote expandable>j</blockquote>&lt;&#62;&#x26;&quot;";
        let parsed = Formatted::html(html).expect("good");
        assert_eq!(parsed.plain, "abcdefghij<>&\"");
        assert_eq!(parsed.entities.len(), 10);
        assert_eq!(parsed.entities[6]["url"], "https://example.org/?a=1&b=2");
    }

    #[test]
    fn refuses_bad_markup() {
        for bad in [
            "<b>a",
            "a</b>",
            "<b><i>a</b></i>",
            "<h1>a</h1>",
            "1 < 2",
            "a <",
            "<span>a</span>",
            "<a href=\"x>y</a>",
        ] {
            assert!(Formatted::html(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_utf16_and_trims() {
        let parsed = Formatted::html("  \n🦀<b> ж </b>\n").expect("good");
        assert_eq!(parsed.plain, "🦀 ж");
        assert_eq!(parsed.entities[0]["offset"], 2);
        assert_eq!(parsed.entities[0]["length"], 2);
    }
}
