//! The reference example as its clients and its administrator meet it: a process of its own, with a
//! database and backups on a disk, against the strict offline Telegram.

#[path = "clientbotmanager/backups.rs"]
mod backups;
#[path = "support/canary.rs"]
mod canary;
#[path = "clientbotmanager/contents.rs"]
mod contents;
#[path = "clientbotmanager/desk.rs"]
mod desk;
#[path = "clientbotmanager/holding.rs"]
mod holding;
#[path = "clientbotmanager/menu.rs"]
mod menu;
#[path = "clientbotmanager/orders.rs"]
mod orders;
#[path = "clientbotmanager/price.rs"]
mod price;
#[path = "clientbotmanager/referrals.rs"]
mod referrals;
#[path = "clientbotmanager/reviews.rs"]
mod reviews;
#[path = "clientbotmanager/steps.rs"]
mod steps;
#[path = "clientbotmanager/support.rs"]
mod support;
#[path = "clientbotmanager/world.rs"]
mod world;
