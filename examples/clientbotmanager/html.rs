//! How texts are written: Telegram's HTML, and never longer than a message may be.

use teloxide::adaptors::DefaultParseMode;
use teloxide::utils::html::escape;

/// The bot of all handlers: its messages are HTML.
pub(crate) type Bot = DefaultParseMode<teloxide::Bot>;

/// How long one part of a long text may be; the longest message is 4096.
const PART: usize = 3500;

/// The client's text, escaped, and cut where it is longer than `limit`.
pub(crate) fn short(text: &str, limit: usize) -> String {
    let head = head(text, limit);
    if head.len() == text.len() { escape(text) } else { format!("{}…", escape(head)) }
}

/// A title and all the fields at full length, on as many pages as they need.
pub(crate) fn pages(title: &str, fields: &[(&str, String)]) -> Vec<String> {
    let mut pages = Pages::new(title);
    for (label, value) in fields {
        pages.write(&format!("\n<b>{label}:</b> "), value);
    }
    pages.done
}

/// A title, if there is one, and a text at full length, on as many pages as they need.
pub(crate) fn story(title: &str, text: &str) -> Vec<String> {
    let mut pages = Pages::new(title);
    pages.write(if title.is_empty() { "" } else { "\n\n" }, text);
    pages.done
}

/// Pages that are being written; the last one has `length`.
struct Pages {
    done: Vec<String>,
    length: usize,
}

impl Pages {
    fn new(title: &str) -> Self {
        Self { done: vec![title.to_owned()], length: units(title) }
    }

    /// Writes HTML that belongs to the text, and the text, escaped.
    fn write(&mut self, label: &str, text: &str) {
        let mut label = label;
        for part in parts(text) {
            let more = units(label) + units(part);
            if self.length + more > PART {
                self.done.push(String::new());
                self.length = 0;
            }
            self.length += more;
            if let Some(page) = self.done.last_mut() {
                *page += std::mem::take(&mut label);
                *page += &escape(part);
            }
        }
    }
}

/// The text in parts, each of which fits on a page of its own.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let part = head(text, PART - 200);
        rest = Some(&text[part.len()..]).filter(|rest| !rest.is_empty());
        Some(part)
    })
}

/// The longest beginning within the limit.
fn head(text: &str, limit: usize) -> &str {
    let mut length = 0;
    let end = text.char_indices().find(|(_, char)| {
        length += char.len_utf16();
        length > limit
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The length as Telegram counts it.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_counts_as_telegram_does_and_splits_no_character() {
        assert_eq!(short("<Анна & Co>", 20), "&lt;Анна &amp; Co&gt;");
        assert_eq!(short("😀😀😀", 4), "😀😀…");
        assert_eq!(short("😀😀😀", 5), "😀😀…");
        assert_eq!(short("😀😀😀", 6), "😀😀😀");
    }

    #[test]
    fn pages_hold_every_character() {
        let fields =
            [("Имя", "&".repeat(4096)), ("Идея", "😀".repeat(2048)), ("Файл", "нет".into())];
        let pages = pages("Заказ", &fields);
        assert!(pages.len() > 2);
        let all = pages.concat();
        assert_eq!((all.matches("&amp;").count(), all.matches('😀').count()), (4096, 2048));
        for page in pages {
            assert!(units(&page.replace("&amp;", "&")) <= 4096);
        }
    }
}
