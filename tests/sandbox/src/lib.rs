//! A strict offline Telegram for tests of bots.
//!
//! [`Sandbox::start`] serves the Bot API on the loopback address. The bot under
//! test connects to [`Sandbox::url`] with [`Sandbox::token`]. The test acts as
//! people: a [`Person`] writes, sends files, presses buttons and waits for what
//! the bot shows.
//!
//! The sandbox refuses what Telegram refuses. Where a refusal means that the
//! bot is wrong (an unknown field, bad HTML, a text that is too long), it is a
//! [`Violation`] and [`Sandbox::finish`] fails the test. What may happen to any
//! correct bot (a blocked chat, a late answer to a press, a deleted message) is
//! only an answer. [`Sandbox::inject`] adds faults of the network.
//!
//! Where to look:
//! - [`Sandbox`] starts and ends a test, has the records of all [`Call`]s, and makes trouble;
//! - [`Person`] writes, sends files of any [`FileKind`], opens links, presses and waits;
//! - [`Chat`] and [`Shown`] are what a person sees, [`Press`] is a button being pressed;
//! - [`Fault`] is what can go wrong on order;
//! - [`Sandbox::serve_page`] shows it all in a browser: a [`Page`] to try a bot by hand;
//! - [`Sandbox::forgive`] turns it from a test into a place to try a bot by hand.
//!
//! The README has a whole example and says what is checked and what is not covered.
//!
//! ```no_run
//! # async fn example() {
//! use telegram_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await;
//! let anna = sandbox.person(42, "Anna").await;
//! // Start the bot here, with `sandbox.url()` and `sandbox.token()`.
//! anna.send("/start").await;
//! let menu = anna.wait_for("Welcome").await;
//! assert!(menu.button("Settings").is_some());
//! let answer = anna.press("Settings").await;
//! assert_eq!(answer.text, None);
//! sandbox.finish().await;
//! # }
//! ```

mod callback;
mod card;
mod command;
mod connection;
mod core;
mod fault;
mod file_kind;
mod files;
mod group;
mod html;
mod journal;
mod message;
mod methods;
mod page;
mod person;
mod press;
mod refusal;
mod request;
mod sandbox;
mod schema;
mod server;
mod shown;
mod state;
mod update;
mod waiting;

pub use crate::{
    callback::Answer,
    card::Card,
    command::Command,
    fault::{Fault, PlannedFault},
    file_kind::FileKind,
    group::Group,
    journal::{Call, Violation},
    page::Page,
    person::Person,
    press::Press,
    sandbox::Sandbox,
    shown::{Button, Chat, File, ReplyKeyboard, Shown},
};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
