//! The lists of commands that the bot has set, and the one that a person sees.

use serde_json::Value;

use crate::state::State;

/// A command of the `/` menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command without its slash.
    pub command: String,
    /// What the menu says about it.
    pub description: String,
}

/// The key of a list: its scope, the ids of the scope, and its language.
pub(crate) fn place(scope: &str, ids: &[i64], language: &str) -> String {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    format!("{scope} {} {language}", ids.join(" "))
}

impl State {
    /// The commands in the private chat of a person: the first list that there is, in the order
    /// that Telegram documents.
    pub(crate) fn commands_of(&self, person: i64) -> Vec<Command> {
        let language = self.people.get(&person).map_or("", |person| person.language.as_str());
        let language = language.split('-').next().unwrap_or_default();
        let scopes: [(&str, &[i64]); 3] =
            [("chat", &[person]), ("all_private_chats", &[]), ("default", &[])];
        let places = scopes
            .into_iter()
            .flat_map(|(scope, ids)| [place(scope, ids, language), place(scope, ids, "")]);
        let lists = places.filter_map(|place| self.commands.get(&place)?.as_array());
        let first = lists.into_iter().find(|list| !list.is_empty());
        first.into_iter().flatten().map(Command::of).collect()
    }
}

impl Command {
    fn of(command: &Value) -> Self {
        let text = |name: &str| command[name].as_str().unwrap_or_default().to_owned();
        Self { command: text("command"), description: text("description") }
    }
}
