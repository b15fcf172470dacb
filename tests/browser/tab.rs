//! A person at a tab of the page: reads, writes, presses, and waits for the bot.

use std::path::Path;
use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions, MouseActions, PointerAction};
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::picture;

/// How long is waited on a busy machine before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(40);

pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const SHIFT: char = '\u{e008}';
pub(crate) const TAB: char = '\u{e004}';

/// The messages of the bot since the person wrote, the newest last.
const ANSWERS: &str = "
    const all = [...document.querySelectorAll('#messages .message')];
    const answers = all.slice(all.findLastIndex((one) => one.dataset.from === 'person') + 1);";

/// A tab with the page.
#[derive(Debug)]
pub(crate) struct Tab {
    client: Client,
    window: WindowHandle,
}

/// Looks until there is something to see.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "never: {what}");
        sleep(GLANCE).await;
    }
}

impl Tab {
    pub(crate) async fn open(client: &Client, window: WindowHandle, address: &str) -> Self {
        let tab = Self { client: client.clone(), window };
        tab.turn_here().await;
        tab.client.goto(address).await.expect("the page");
        tab.connected().await;
        tab
    }

    /// Commands go to this tab from now on.
    async fn turn_here(&self) {
        self.client.switch_to_window(self.window.clone()).await.expect("the tab");
    }

    async fn connected(&self) {
        self.see("the connection", "return document.body?.dataset.live === 'yes'", &[]).await;
    }

    pub(crate) async fn reload(&self) {
        self.turn_here().await;
        self.client.refresh().await.expect("the page");
        self.connected().await;
    }

    /// What a script finds on the page now.
    pub(crate) async fn ask(&self, script: &str, given: &[Value]) -> Value {
        self.turn_here().await;
        self.client.execute(script, given.to_vec()).await.expect(script)
    }

    /// Waits until a script finds something.
    pub(crate) async fn see(&self, what: &str, script: &str, given: &[Value]) -> Value {
        let end = Instant::now() + PATIENCE;
        self.turn_here().await;
        loop {
            let found = self.client.execute(script, given.to_vec()).await.unwrap_or_default();
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            let shown = async || self.text_of("#app").await;
            assert!(Instant::now() < end, "never: {what}\n--- the page ---\n{}", shown().await);
            sleep(GLANCE).await;
        }
    }

    /// Waits until an element is in sight.
    pub(crate) async fn sees(&self, selector: &str) {
        let script = "return Boolean(document.querySelector(arguments[0])?.checkVisibility())";
        self.see(selector, script, &[selector.into()]).await;
    }

    pub(crate) async fn text_of(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.ask(script, &[selector.into()]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks as soon as it can be clicked.
    pub(crate) async fn click(&self, selector: &str) {
        self.click_on(Locator::Css(selector), selector).await;
    }

    async fn click_on(&self, place: Locator<'_>, name: &str) {
        self.turn_here().await;
        let clicked = async || {
            let found = self.client.find(place).await.ok()?;
            found.click().await.ok()
        };
        until(&format!("a click on {name}"), clicked).await;
    }

    /// Types on the keyboard, wherever the focus is.
    pub(crate) async fn types(&self, text: &str) {
        let chords = text.chars().map(|key| vec![key]).collect::<Vec<_>>();
        self.strike(&chords).await;
    }

    /// Holds down all of these keys at once.
    pub(crate) async fn chord(&self, keys: &[char]) {
        self.strike(&[keys.to_vec()]).await;
    }

    async fn strike(&self, chords: &[Vec<char>]) {
        self.turn_here().await;
        let mut all = KeyActions::new("keys".into());
        for keys in chords {
            all = keys.iter().fold(all, |all, &value| all.then(KeyAction::Down { value }));
            all = keys.iter().rev().fold(all, |all, &value| all.then(KeyAction::Up { value }));
        }
        self.client.perform_actions(all).await.expect("keys");
    }

    /// Goes on with these keys until the focus is on a button with these words.
    pub(crate) async fn walks_to(&self, label: &str, keys: &[char]) {
        let script = "return document.activeElement.matches('button')
            && document.activeElement.innerText.includes(arguments[0])";
        for _ in 0..40 {
            if self.ask(script, &[label.into()]).await == json!(true) {
                return;
            }
            self.chord(keys).await;
        }
        panic!("{keys:?} do not lead to {label}");
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        self.sees(selector).await;
        let field = self.client.find(Locator::Css(selector)).await.expect(selector);
        field.send_keys(text).await.expect(text);
    }

    /// Writes to the bot; it is done when the message is in the chat.
    pub(crate) async fn write(&self, text: &str) {
        let before = self.own_messages().await;
        self.fill("#composer", &format!("{text}{ENTER}")).await;
        self.wrote_after(before).await;
    }

    /// Presses a button of the keyboard below the input field.
    pub(crate) async fn tap(&self, label: &str) {
        let before = self.own_messages().await;
        let place = format!("//*[@id='reply-keyboard']//button[normalize-space()='{label}']");
        self.click_on(Locator::XPath(&place), label).await;
        self.wrote_after(before).await;
    }

    /// Sends a file as a document.
    pub(crate) async fn attach(&self, file: &Path) {
        let before = self.own_messages().await;
        let input = self.client.find(Locator::Css("#file-input")).await.expect("files");
        input.send_keys(&file.to_string_lossy()).await.expect("chosen");
        self.click("#file-send").await;
        self.wrote_after(before).await;
    }

    pub(crate) async fn own_messages(&self) -> Value {
        let script = "return document.querySelectorAll('[data-from=person]').length";
        self.ask(script, &[]).await
    }

    pub(crate) async fn wrote_after(&self, before: Value) {
        let script = "return document.querySelectorAll('[data-from=person]').length > arguments[0]";
        self.see("the own message", script, &[before]).await;
    }

    /// Presses the newest inline button whose label has these words.
    pub(crate) async fn press(&self, label: &str) {
        let place = format!(
            "(//*[@id='messages']//button[@data-inline][contains(normalize-space(), '{label}')])[last()]"
        );
        self.click_on(Locator::XPath(&place), label).await;
    }

    /// Waits for these words of the bot; gives the whole message.
    pub(crate) async fn hears(&self, words: &str) -> String {
        let script = format!(
            "{ANSWERS}
            const found = answers.findLast((one) => one.innerText.includes(arguments[0]));
            return found && (found.querySelector('.text') ?? found).innerText"
        );
        let heard = self.see(words, &script, &[words.into()]).await;
        heard.as_str().expect("text").to_owned()
    }

    /// Waits until this person has so many unread messages.
    pub(crate) async fn sees_unread(&self, person: i64, count: u64) {
        let row = format!("#person-list [data-person='{person}']");
        self.sees(&format!("{row}[data-unread='{count}'] .badge")).await;
    }

    /// All that the tab has fetched since it was loaded: from the page alone, and all of it is there.
    pub(crate) async fn fetched_only_from(&self, address: &str) {
        let script = "return performance.getEntriesByType('resource').concat(
            performance.getEntriesByType('navigation')).map((one) => [one.name, one.responseStatus])";
        let fetched = self.ask(script, &[]).await;
        let fetched = fetched.as_array().expect("a list");
        assert!(fetched.len() > 10, "{fetched:?}");
        for one in fetched {
            let name = one[0].as_str().unwrap_or_default();
            assert!(name.starts_with(address) && one[1].as_u64() < Some(400), "{one}");
        }
    }

    /// Nothing is cut off at the side, and this is wholly in sight.
    pub(crate) async fn fits(&self, selector: &str) {
        let script = "
            const { left, top, right, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();
            const { clientWidth, clientHeight, scrollWidth } = document.documentElement;
            const fits = scrollWidth <= clientWidth && left >= 0 && top >= 0 && right > left;
            return { fits: fits && right <= clientWidth && bottom <= clientHeight,
                place: [left, top, right, bottom], window: [clientWidth, clientHeight, scrollWidth] }";
        let found = self.ask(script, &[selector.into()]).await;
        assert_eq!(found["fits"], json!(true), "{selector}: {found}");
    }

    /// Keeps a picture of what is in the window.
    pub(crate) async fn picture(&self, name: &str) {
        self.turn_here().await;
        let corner = PointerAction::MoveTo { duration: None, x: 0.0, y: 0.0 };
        let away = MouseActions::new("mouse".into()).then(corner);
        self.client.perform_actions(away).await.expect("the mouse");
        let png = self.client.screenshot().await.expect("a picture");
        picture::keep(name, &png);
    }
}
