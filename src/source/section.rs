//! The words that people read for a part of the data.

/// A part of the data: its name in the archive, and the words for its records.
///
/// ```
/// use teloxide_backup::Section;
///
/// let tickets = Section::new("tickets")
///     .depth(2)
///     .ru("заказ", "заказа", "заказов")
///     .en("order", "orders");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub(crate) name: String,
    pub(crate) depth: u8,
    pub(crate) listed: bool,
    pub(crate) ru: Option<[String; 3]>,
    pub(crate) en: Option<[String; 2]>,
}

impl Section {
    /// A section by its name in the archive, which is its key in `data.json`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), depth: 1, listed: true, ru: None, en: None }
    }

    /// How deep the records lie that people count: 1 for a plain map or list, 2 for orders under
    /// users (`user -> order -> record`). Default: 1.
    #[must_use]
    pub fn depth(mut self, depth: u8) -> Self {
        self.depth = depth.max(1);
        self
    }

    /// Whether the list of backups counts this section's records. Default: it does.
    #[must_use]
    pub fn listed(mut self, listed: bool) -> Self {
        self.listed = listed;
        self
    }

    /// The Russian words for 1, 2 and 5 records: `"заказ", "заказа", "заказов"`. Default: the
    /// section's name.
    #[must_use]
    pub fn ru(
        mut self,
        one: impl Into<String>,
        few: impl Into<String>,
        many: impl Into<String>,
    ) -> Self {
        self.ru = Some([one.into(), few.into(), many.into()]);
        self
    }

    /// The English words for 1 and 2 records: `"order", "orders"`. Default: the section's name.
    #[must_use]
    pub fn en(mut self, one: impl Into<String>, other: impl Into<String>) -> Self {
        self.en = Some([one.into(), other.into()]);
        self
    }
}
