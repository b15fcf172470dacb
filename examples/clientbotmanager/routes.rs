//! Which message and which press goes to whom: the whole bot on one page.

use anyhow::Error;
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree::{self, case};
use teloxide::prelude::*;

use crate::button::{Button, Task};
use crate::commands::{AdminCommand, Command};
use crate::dialogue::State;
use crate::dialogue_storage::DialogueStorage;
use crate::menu::{self, Entry};
use crate::{
    admin, apology, editing, moderation, order_desk, order_form, order_status, press, price,
    referrals, reviews, showcase, statistics, support,
};

/// Everything but the backups.
pub(crate) fn all() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(private_messages().branch(messages()).endpoint(apology::unhandled))
        .branch(Update::filter_edited_message().branch(corrections()))
        .branch(Update::filter_callback_query().branch(presses()).endpoint(menu::stale))
}

fn private_messages() -> UpdateHandler<Error> {
    Update::filter_message().filter(|message: Message| message.chat.is_private())
}

fn messages() -> UpdateHandler<Error> {
    dptree::map(|message: Message| message.chat.id)
        .enter_dialogue::<Message, DialogueStorage, State>()
        .branch(commands())
        .branch(admin::only().branch(admin_messages()))
        .branch(label(menu::CANCEL).endpoint(menu::cancel))
        .branch(label(menu::LEAVE).endpoint(menu::cancel))
        .branch(case![State::Order(form)].endpoint(order_form::answer))
        .branch(dptree::filter_map(|message: Message| Entry::of(&message)).branch(entries()))
        .branch(case![State::Support].endpoint(support::pass_on))
        .branch(unknown_command().endpoint(menu::pass_over))
        .branch(case![State::OrderNumber].endpoint(order_status::find))
        .branch(case![State::Review(stars)].endpoint(reviews::write))
        .branch(admin::only().branch(admin_answers()))
        .endpoint(menu::puzzled)
}

/// What was changed after it was sent: another person has it already as it was.
fn corrections() -> UpdateHandler<Error> {
    dptree::filter(|message: Message| message.chat.is_private())
        .filter(|message: Message| message.text().or(message.caption()).is_some())
        .map(|message: Message| message.chat.id)
        .enter_dialogue::<Message, DialogueStorage, State>()
        .branch(case![State::Support].endpoint(support::ask_to_send_anew))
        .branch(case![State::Reply(client)].endpoint(support::ask_to_send_anew))
}

fn commands() -> UpdateHandler<Error> {
    dptree::entry()
        .filter_command::<Command>()
        .branch(case![Command::Start(link)].inspect_async(referrals::meet).endpoint(menu::greet))
        .branch(case![Command::Menu].endpoint(menu::greet))
}

/// What the administrator alone may write.
fn admin_messages() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(
            dptree::entry()
                .filter_command::<AdminCommand>()
                .branch(case![AdminCommand::Admin].endpoint(admin::open))
                .branch(case![AdminCommand::Reply(words)].endpoint(support::reply)),
        )
        .branch(dptree::filter_map_async(support::answered_client).endpoint(support::answer))
}

/// What the administrator alone may be in the middle of; a former one no longer is.
fn admin_answers() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(case![State::Reply(client)].endpoint(support::answer))
        .branch(case![State::Editing(draft)].endpoint(editing::write))
}

/// The menu, whether below the input field or below the greeting.
fn entries() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(case![Entry::Order].endpoint(order_form::begin))
        .branch(case![Entry::Price].endpoint(price::begin))
        .branch(case![Entry::Contents(topic)].endpoint(showcase::open))
        .branch(case![Entry::Support].endpoint(support::enter))
        .branch(case![Entry::Status].endpoint(order_status::list))
        .branch(case![Entry::Reviews].endpoint(reviews::list))
        .branch(case![Entry::Bonuses].endpoint(referrals::show))
}

fn presses() -> UpdateHandler<Error> {
    dptree::filter_map(Button::of)
        .branch(case![Button::Admin(task)].branch(tasks()))
        .filter_map(|query: CallbackQuery| press::chat(&query))
        .branch(case![Button::ShowOrder(id)].endpoint(order_status::show))
        .branch(case![Button::Price(answers)].endpoint(price::go_on))
        .branch(case![Button::ClosePrice].endpoint(price::close))
        .branch(case![Button::Topic(topic, page)].endpoint(showcase::turn))
        .branch(case![Button::Reviews(page)].endpoint(reviews::turn))
        .branch(case![Button::Piece(id)].endpoint(showcase::show))
        .enter_dialogue::<CallbackQuery, DialogueStorage, State>()
        .branch(
            case![State::Order(form)]
                .branch(case![Button::SendOrder(form)].endpoint(order_form::send_order))
                .branch(case![Button::DropOrder(form)].endpoint(order_form::drop_order))
                .endpoint(order_form::order_first),
        )
        .branch(case![Button::WriteReview].endpoint(reviews::ask_stars))
        .branch(case![Button::Rate(stars)].endpoint(reviews::ask_text))
        .branch(case![Button::Open(entry)].inspect_async(press::answered).branch(entries()))
}

/// The buttons of the administrator.
fn tasks() -> UpdateHandler<Error> {
    dptree::map(|query: CallbackQuery| ChatId::from(query.from.id))
        .branch(admin::only().branch(admin_tasks()).endpoint(menu::stale))
        .endpoint(admin::refuse)
}

fn admin_tasks() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(case![Task::Menu].endpoint(admin::menu))
        .branch(case![Task::Backups].endpoint(admin::backups))
        .branch(case![Task::Statistics].endpoint(statistics::show))
        .branch(case![Task::Reviews].endpoint(moderation::show_queue))
        .branch(case![Task::PublishReview(id)].endpoint(moderation::publish))
        .branch(case![Task::RejectReview(id)].endpoint(moderation::reject))
        .branch(case![Task::Orders(status, page)].endpoint(order_desk::list))
        .branch(case![Task::Order(client, id)].endpoint(order_desk::open))
        .branch(case![Task::Panel(client, id)].endpoint(order_desk::show_panel))
        .branch(case![Task::OrderFile(client, id)].endpoint(order_desk::send_file))
        .branch(case![Task::SetStatus(client, id, status)].endpoint(order_desk::set_status))
        .branch(case![Task::AskDeleteOrder(client, id)].endpoint(order_desk::ask_delete))
        .branch(case![Task::DeleteOrder(client, id)].endpoint(order_desk::delete))
        .branch(case![Task::Contents].endpoint(editing::topics))
        .branch(case![Task::Topic(topic, page)].endpoint(editing::topic))
        .branch(case![Task::Piece(id)].endpoint(editing::piece))
        .branch(case![Task::AskDeletePiece(id)].endpoint(editing::ask_delete))
        .branch(case![Task::DeletePiece(id)].endpoint(editing::delete))
        .enter_dialogue::<CallbackQuery, DialogueStorage, State>()
        .branch(case![Task::Add(topic)].endpoint(editing::add))
        .branch(case![Task::Change(id, field)].endpoint(editing::change))
        .branch(case![Task::Reply(client)].endpoint(support::reply_by_button))
}

/// A mistyped command, which is no answer to a question.
fn unknown_command() -> UpdateHandler<Error> {
    dptree::filter(|message: Message, state: State| {
        !matches!(state, State::Menu) && message.text().is_some_and(|text| text.starts_with('/'))
    })
}

/// A button of the keyboard below the input field.
fn label(label: &'static str) -> UpdateHandler<Error> {
    dptree::filter(move |message: Message| message.text() == Some(label))
}
