//! Whose archive it is, where several bots keep theirs in one place.

/// A bot among those that have archives in one place.
pub(super) struct Owner {
    bot_id: Option<u64>,
    /// Another bot has archives here as well.
    shared: bool,
}

impl Owner {
    /// A bot in a place with archives that name these bots.
    pub(super) fn among(bot_id: Option<u64>, named: impl Iterator<Item = Option<u64>>) -> Self {
        let mut others = named.flatten().chain(bot_id);
        let shared = others.next().is_some_and(|first| others.any(|other| other != first));
        Self { bot_id, shared }
    }

    /// Whether an archive is this bot's. One that names none, as of a program without a token, is the
    /// only bot's; where there are several, nobody can tell, and it is nobody's.
    pub(super) fn owns(&self, bot_id: Option<u64>) -> bool {
        bot_id.map_or(!self.shared, |id| self.bot_id == Some(id))
    }
}

/// Whether an archive that names this bot is certainly not the other's.
pub(crate) fn anothers(bot_id: Option<u64>, reader: Option<u64>) -> bool {
    bot_id.zip(reader).is_some_and(|(made_by, reader)| made_by != reader)
}
