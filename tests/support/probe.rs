//! A source that a test watches, holds up and lets fail.

use std::sync::{Arc, Mutex, PoisonError};

use teloxide_backup::{BoxError, DataSource, Export, Import, Section, Shared};
use tokio::sync::watch;

use super::PATIENCE;
use super::shop::{Shop, State, sections};

/// What the plugin asks of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Export,
    Check,
    Restore,
}

/// What goes wrong in the host's own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Fails,
    Panics,
}

/// The shop as a source that a test watches, holds up and lets fail.
#[derive(Clone)]
pub struct Probe {
    state: State,
    shop: Arc<Shared<Shop>>,
    calls: Arc<watch::Sender<[usize; 3]>>,
    held: Arc<watch::Sender<Held>>,
    trouble: Arc<Mutex<Option<(Step, Trouble)>>>,
    /// How many steps run now, and how many ran at once at most.
    at_once: Arc<Mutex<(usize, usize)>>,
}

/// Which steps wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    None,
    At(Step),
    All,
}

/// A step that runs.
struct Inside(Arc<Mutex<(usize, usize)>>);

impl Inside {
    fn new(at_once: &Arc<Mutex<(usize, usize)>>) -> Self {
        let mut numbers = at_once.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.0 += 1;
        numbers.1 = numbers.1.max(numbers.0);
        Self(Arc::clone(at_once))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 -= 1;
    }
}

impl Probe {
    pub fn new(state: &State) -> Self {
        let [orders, reviews] = sections();
        let shop = Shared::new(Arc::clone(state)).section(orders).section(reviews);
        Self {
            state: Arc::clone(state),
            shop: Arc::new(shop),
            calls: Arc::new(watch::Sender::new([0; 3])),
            held: Arc::default(),
            trouble: Arc::default(),
            at_once: Arc::default(),
        }
    }

    /// How often this step was begun.
    pub fn count(&self, step: Step) -> usize {
        self.calls.borrow()[step as usize]
    }

    /// How many steps ran at once at most.
    pub fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Every step waits from now on.
    pub fn hold(&self) {
        self.held.send_replace(Held::All);
    }

    /// This step waits from now on, and no other.
    pub fn hold_at(&self, step: Step) {
        self.held.send_replace(Held::At(step));
    }

    /// What waits goes on.
    pub fn release(&self) {
        self.held.send_replace(Held::None);
    }

    /// Waits until this step was begun so often.
    pub async fn reached(&self, step: Step, times: usize) {
        let mut calls = self.calls.subscribe();
        let reached = calls.wait_for(|calls| calls[step as usize] >= times);
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.expect("the step should begin").expect("the probe lives");
    }

    /// This step goes wrong from now on.
    pub fn break_at(&self, step: Step, trouble: Trouble) {
        self.set_trouble(Some((step, trouble)));
    }

    /// Nothing goes wrong from now on.
    pub fn mend(&self) {
        self.set_trouble(None);
    }

    fn set_trouble(&self, trouble: Option<(Step, Trouble)>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    async fn enter(&self, step: Step) -> Result<Inside, BoxError> {
        let inside = Inside::new(&self.at_once);
        self.calls.send_modify(|calls| calls[step as usize] += 1);
        let waits = |held: &Held| [Held::All, Held::At(step)].contains(held);
        self.held.subscribe().wait_for(|held| !waits(held)).await?;
        let trouble = *self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble.filter(|(at, _)| *at == step).map(|(_, trouble)| trouble) {
            None => Ok(inside),
            Some(Trouble::Fails) => Err("the database is <away>".into()),
            Some(Trouble::Panics) => {
                if step == Step::Restore {
                    // nobody may rely on how far a panic came
                    self.state.write().await.reviews.clear();
                }
                panic!("the host's own code is wrong");
            }
        }
    }
}

impl DataSource for Probe {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        sections().into()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let _inside = self.enter(Step::Export).await?;
        self.shop.export(out).await
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let _inside = self.enter(Step::Check).await?;
        self.shop.check(data).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let _inside = self.enter(Step::Restore).await?;
        self.shop.restore(data).await
    }
}

/// A test that fails while the source is held would wait for its thread for ever.
pub(super) struct Release(pub(super) Probe);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.release();
    }
}
