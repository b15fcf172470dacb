//! Long lists, a page at a time.

use teloxide::types::InlineKeyboardButton;

use crate::button::Button;

/// How many entries a page has.
pub(crate) const SIZE: usize = 8;

/// One page of a list.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    number: usize,
    count: usize,
}

impl Page {
    /// The wanted page of a list with so many entries, or the nearest one that there is.
    pub(crate) fn of(entries: usize, wanted: usize) -> Self {
        let count = entries.div_ceil(SIZE).max(1);
        Self { number: wanted.min(count - 1), count }
    }

    /// How many entries come before this page.
    pub(crate) fn start(self) -> usize {
        self.number * SIZE
    }

    /// «, страница 2 из 5»; nothing if there is one page.
    pub(crate) fn name(self) -> String {
        match self.count {
            1 => String::new(),
            count => format!(", страница {} из {count}", self.number + 1),
        }
    }

    /// The row of buttons to the pages before and after this one, if there are any.
    pub(crate) fn turns(self, to: impl Fn(usize) -> Button) -> Option<Vec<InlineKeyboardButton>> {
        let before = self.number.checked_sub(1).and_then(|page| to(page).labelled("‹ Назад"));
        let after = Some(self.number + 1).filter(|&page| page < self.count);
        let after = after.and_then(|page| to(page).labelled("Вперёд ›"));
        let turns: Vec<_> = before.into_iter().chain(after).collect();
        (!turns.is_empty()).then_some(turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(entries: usize, wanted: usize) -> Vec<String> {
        let page = Page::of(entries, wanted);
        let turns = page.turns(|page| Button::Price(vec![false; page]));
        turns.into_iter().flatten().map(|button| button.text).collect()
    }

    #[test]
    fn each_page_leads_to_its_neighbours() {
        assert_eq!(turns(0, 0), Vec::<&str>::new());
        assert_eq!(turns(8, 5), Vec::<&str>::new());
        assert_eq!(turns(9, 0), ["Вперёд ›"]);
        assert_eq!(turns(17, 1), ["‹ Назад", "Вперёд ›"]);
        assert_eq!(turns(17, usize::MAX), ["‹ Назад"]);
        assert_eq!(Page::of(17, 7).start(), 16);
    }
}
