//! The dptree branch: which updates are ours, and what they ask for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use dptree::HandlerSignature;
use dptree::di::DependencyMap;
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::types::{
    CallbackQuery, CallbackQueryId, ChatId, FileId, InlineKeyboardButton, MaybeInaccessibleMessage,
    Me, Message, MessageId, Update, UpdateId, UpdateKind, UserId,
};

use super::Chat;
use super::access::{Access, Strangers, author, is_private_chat_of};
use super::button::Button;

/// How many updates are remembered, to know one that Telegram sends again.
const REMEMBERED: usize = 256;

/// What an update asks of the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Command(Command, ChatId),
    /// An archive was sent, to be restored.
    Receive(Sent),
    /// A command that named this bot, where its answer would be read by others.
    NotHere(ChatId),
    Press(Press),
    /// A button of ours that belongs to nothing: forged, or in a place of its own.
    Dismiss(CallbackQueryId),
    RefuseCommand(ChatId),
    RefusePress(CallbackQueryId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    BackUp,
    List,
    Restore,
    Settings,
}

/// A file that an administrator sent into the private chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) admin: UserId,
    pub(crate) chat: ChatId,
    pub(crate) file: FileId,
    /// As Telegram says it; the highest number where it does not.
    pub(crate) bytes: u32,
}

/// A button that an administrator pressed in the private chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    pub(crate) query: CallbackQueryId,
    pub(crate) admin: UserId,
    pub(crate) chat: ChatId,
    pub(crate) message: MessageId,
    /// `None` where the data is not a button's, however it came about.
    pub(crate) button: Option<Button>,
    /// The other ways back in the same message.
    pub(crate) beside: Vec<InlineKeyboardButton>,
}

/// The branch. It asks the container for nothing but the `Update`, lets everything that is not ours
/// go on, never fails, and does its work on tasks of its own.
pub(crate) fn branch<E: Send + Sync + 'static>(chat: Chat) -> UpdateHandler<E> {
    // two branches that only say which kinds of updates are wanted and what they need
    let kinds: UpdateHandler<E> = dptree::entry()
        .branch(Update::filter_message().endpoint(|| async { Ok(()) }))
        .branch(Update::filter_callback_query().endpoint(|| async { Ok(()) }));
    let obligations = match kinds.sig() {
        HandlerSignature::Other { obligations, .. } => obligations.clone(),
        HandlerSignature::Entry => BTreeMap::new(),
    };
    // sealed: nothing of ours is promised to the host's handlers, and the chain goes on after us
    let signature = HandlerSignature::Other {
        obligations,
        guaranteed_outcomes: BTreeSet::new(),
        conditional_outcomes: BTreeSet::new(),
        continues: true,
    };
    let seen = Arc::new(Seen::default());
    dptree::from_fn_with_description(
        kinds.description().clone(),
        move |deps: DependencyMap, next| {
            let chat = chat.clone();
            let seen = Arc::clone(&seen);
            async move {
                let update: Option<Arc<Update>> = deps.try_get();
                let me: Option<Arc<Me>> = deps.try_get();
                let action = update.as_ref().and_then(|update| {
                    let name = me.as_deref().and_then(|me| me.username.as_deref());
                    read(update, chat.access(), name).map(|action| (update.id, action))
                });
                let Some((id, action)) = action else {
                    return next(passed(deps, update, &chat).await).await;
                };
                if seen.is_new(id) {
                    chat.act(action);
                }
                ControlFlow::Break(Ok(()))
            }
        },
        signature,
    )
}

/// Lets an update go on to the host's handlers, after the restore that runs. Among their
/// dependencies it is marked: it is with them until the last of these is dropped.
async fn passed(
    mut deps: DependencyMap,
    update: Option<Arc<Update>>,
    chat: &Chat,
) -> DependencyMap {
    let gate = chat.gate();
    let passed = loop {
        match gate.pass() {
            Ok(passed) => break passed,
            Err(restore) => {
                if let Some(person) = update.as_deref().and_then(waiting_person) {
                    chat.ask_to_wait(restore, person);
                }
                gate.opened(restore).await;
            }
        }
    };
    deps.insert(passed);
    deps
}

/// Whoever wrote this in a private chat waits for an answer.
fn waiting_person(update: &Update) -> Option<ChatId> {
    let UpdateKind::Message(message) = &update.kind else { return None };
    let person = message.from.as_ref().is_some_and(|user| !user.is_bot);
    (person && message.chat.is_private()).then_some(message.chat.id)
}

/// The last updates that were ours.
#[derive(Default)]
struct Seen(Mutex<VecDeque<UpdateId>>);

impl Seen {
    fn is_new(&self, id: UpdateId) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = !last.contains(&id);
        if new {
            last.push_back(id);
            if last.len() > REMEMBERED {
                last.pop_front();
            }
        }
        new
    }
}

/// What an update asks for; `None` where it is none of our business.
pub(crate) fn read(update: &Update, access: &Access, bot_name: Option<&str>) -> Option<Action> {
    match &update.kind {
        UpdateKind::Message(message) => read_message(message, access, bot_name),
        UpdateKind::CallbackQuery(query) => read_press(query, access),
        _ => None,
    }
}

fn read_message(message: &Message, access: &Access, bot_name: Option<&str>) -> Option<Action> {
    let file = message.document().map(|document| &document.file);
    let words = if file.is_some() { message.caption() } else { message.text() };
    let (command, addressed) = read_command(words?, bot_name)?;
    if file.is_some() && command != Command::Restore {
        // the other commands are never written under a file
        return None;
    }
    let user = author(message)?;
    let chat = message.chat.id;
    match (access.is_admin(user), is_private_chat_of(&message.chat, user)) {
        (true, true) => Some(file.map_or(Action::Command(command, chat), |file| {
            Action::Receive(Sent { admin: user, chat, file: file.id.clone(), bytes: file.size })
        })),
        (true, false) if addressed => Some(Action::NotHere(chat)),
        (false, true) if access.strangers == Strangers::Refuse => Some(Action::RefuseCommand(chat)),
        _ => None,
    }
}

/// The command in a text, and whether it names this bot: `/backup` or `/backup@this_bot`.
pub(crate) fn read_command(text: &str, bot_name: Option<&str>) -> Option<(Command, bool)> {
    let word = text.split_whitespace().next()?;
    if !text.starts_with('/') {
        return None;
    }
    let (command, addressee) = match word.split_once('@') {
        None => (word, None),
        Some((command, name)) => (command, Some(name)),
    };
    let command = match command {
        "/backup" => Command::BackUp,
        "/backup_list" => Command::List,
        "/backup_restore" => Command::Restore,
        "/backup_settings" => Command::Settings,
        _ => return None,
    };
    match addressee {
        None => Some((command, false)),
        Some(name) => bot_name?.eq_ignore_ascii_case(name).then_some((command, true)),
    }
}

fn read_press(query: &CallbackQuery, access: &Access) -> Option<Action> {
    let data = query.data.as_deref().filter(|data| Button::is_ours(data))?;
    let user = query.from.id;
    if !access.is_admin(user) {
        let refuse = access.strangers == Strangers::Refuse;
        return refuse.then(|| Action::RefusePress(query.id.clone()));
    }
    let message = query.message.as_ref();
    let Some(message) = message.filter(|message| is_private_chat_of(message.chat(), user)) else {
        return Some(Action::Dismiss(query.id.clone()));
    };
    Some(Action::Press(Press {
        query: query.id.clone(),
        admin: user,
        chat: message.chat().id,
        message: message.id(),
        button: Button::decode(data),
        beside: ways_beside(message, data),
    }))
}

fn ways_beside(message: &MaybeInaccessibleMessage, pressed: &str) -> Vec<InlineKeyboardButton> {
    let keyboard = message.regular_message().and_then(Message::reply_markup);
    let buttons =
        keyboard.into_iter().flat_map(|keyboard| keyboard.inline_keyboard.iter().flatten());
    let pressed = Button::decode(pressed);
    let is_another = |button: &&InlineKeyboardButton| Button::of(button) != pressed;
    let leads_back = |button: &&InlineKeyboardButton| Button::way_back(button).is_some();
    buttons.filter(is_another).filter(leads_back).cloned().collect()
}
