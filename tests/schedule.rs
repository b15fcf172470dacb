//! When backups are made by themselves: years pass here in seconds, on a paused clock.

#[path = "support/canary.rs"]
mod canary;
#[path = "support/clock.rs"]
mod clock;
#[path = "schedule/failures.rs"]
mod failures;
#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "schedule/newest.rs"]
mod newest;
#[path = "schedule/notebook.rs"]
mod notebook;
#[path = "schedule/stops.rs"]
mod stops;
#[path = "schedule/times.rs"]
mod times;
#[path = "schedule/unheard.rs"]
mod unheard;
#[path = "schedule/world.rs"]
mod world;
