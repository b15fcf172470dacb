//! Which message and which press goes to whom: the whole bot on one page.

use anyhow::Error;
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree::case;
use teloxide::prelude::*;

use crate::button::Button;
use crate::dialogue::State;
use crate::dialogue_storage::DialogueStorage;
use crate::menu::{self, Command};
use crate::{apology, moderation, order_form, order_status, referrals, reviews};

/// Everything but the backups.
pub(crate) fn all() -> UpdateHandler<Error> {
    dptree::entry()
        .branch(messages())
        .branch(presses())
        .branch(Update::filter_callback_query().endpoint(menu::stale))
        .branch(private_messages().endpoint(apology::unhandled))
}

fn private_messages() -> UpdateHandler<Error> {
    Update::filter_message().filter(|message: Message| message.chat.is_private())
}

fn messages() -> UpdateHandler<Error> {
    private_messages()
        .enter_dialogue::<Message, DialogueStorage, State>()
        .branch(
            dptree::entry()
                .filter_command::<Command>()
                .branch(case![Command::Start(link)].endpoint(menu::start))
                .branch(case![Command::Menu].endpoint(menu::show)),
        )
        .branch(label(menu::CANCEL).endpoint(menu::cancel))
        .branch(case![State::Order(form)].endpoint(order_form::answer))
        .branch(label(menu::ORDER).endpoint(order_form::begin))
        .branch(label(menu::STATUS).endpoint(order_status::list))
        .branch(label(menu::REVIEWS).endpoint(reviews::list))
        .branch(label(menu::BONUSES).endpoint(referrals::show))
        .branch(case![State::OrderNumber].endpoint(order_status::find))
        .branch(case![State::Review(stars)].endpoint(reviews::write))
        .endpoint(menu::puzzled)
}

fn presses() -> UpdateHandler<Error> {
    Update::filter_callback_query()
        .filter_map(Button::of)
        .branch(case![Button::PublishReview(id)].endpoint(moderation::publish))
        .branch(case![Button::RejectReview(id)].endpoint(moderation::reject))
        .branch(case![Button::ShowOrder(id)].endpoint(order_status::show))
        .branch(
            dptree::entry()
                .enter_dialogue::<CallbackQuery, DialogueStorage, State>()
                .branch(
                    case![State::Order(form)]
                        .branch(case![Button::SendOrder(form)].endpoint(order_form::send_order))
                        .branch(case![Button::DropOrder(form)].endpoint(order_form::drop_order))
                        .endpoint(order_form::order_first),
                )
                .branch(case![Button::WriteReview].endpoint(reviews::ask_stars))
                .branch(case![Button::Rate(stars)].endpoint(reviews::ask_text))
                .endpoint(menu::stale),
        )
}

/// A button of the keyboard below the input field.
fn label(label: &'static str) -> UpdateHandler<Error> {
    dptree::filter(move |message: Message| message.text() == Some(label))
}
