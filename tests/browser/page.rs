//! What the page itself promises: live tabs, a phone, the keyboard alone, the calls and the faults.

use crate::chromium::{Chromium, View};
use crate::tab::{ENTER, SHIFT, TAB};
use crate::trial::Trial;
use crate::{ADMIN, ANNA, BORIS};

/// Ctrl-A and Backspace.
const EMPTY: &str = "\u{e009}a\u{e000}\u{e003}";

/// An order of Boris in the samples.
const SAMPLE: &str = "714699bd";

#[tokio::test]
async fn tabs_change_without_reloading_and_people_stay_who_they_are() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let admin = chromium.first_tab(&trial.page_of(ADMIN)).await;
    let boris = chromium.tab(&trial.page_of(BORIS)).await;
    boris.hears("Здравствуйте, Борис!").await;
    admin.write("/admin").await;
    admin.press("📦 Заказы").await;
    admin.press(SAMPLE).await;
    admin.hears("Статус: новый").await;
    admin.press("🔧 в работе").await;
    boris.hears(&format!("Новый статус заказа {SAMPLE}: «в работе»")).await;
    boris.reload().await;
    assert_eq!(boris.text_of("#acting").await, "Вы — Борис");
    boris.hears(": «в работе».").await;

    boris.click("#add-person").await;
    boris.fill("#ask-name", "Вера").await;
    boris.click("dialog .main").await;
    boris.click("#start").await;
    boris.hears("Здравствуйте, Вера!").await;
    assert_eq!(boris.text_of("#acting").await, "Вы — Вера");
    let listed = "return document.querySelector('#person-list').innerText.includes('Вера')";
    admin.see("Вера in the list", listed, &[]).await;
    for tab in [admin, boris] {
        tab.fetched_only_from(trial.address()).await;
    }
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn a_phone_shows_one_thing_at_a_time() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Phone).await;
    let phone = chromium.first_tab(trial.address()).await;
    phone.sees("#note").await;
    phone.fits("#people").await;
    phone.click(&format!("[data-person='{ANNA}']")).await;
    phone.write("🙂 Привет").await;
    phone.hears("Не понял вас").await;
    phone.tap("🧮 Рассчитать цену").await;
    phone.hears("магазин").await;
    for part in ["#chat", "#composer-form", "#reply-keyboard", ".message:last-child"] {
        phone.fits(part).await;
    }
    phone.picture("phone").await;
    phone.click("#panel-toggle").await;
    phone.sees("#calls [data-method=sendMessage]").await;
    phone.fits("#panel").await;
    phone.click("#panel-close").await;
    phone.click("#back").await;
    phone.click(&format!("[data-person='{BORIS}']")).await;
    phone.hears("Здравствуйте, Борис!").await;
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let admin = chromium.first_tab(&trial.page_of(ADMIN)).await;
    let before = admin.own_messages().await;
    // the menu of commands completes it
    admin.types(&format!("/adm{ENTER}")).await;
    admin.wrote_after(before).await;
    admin.hears("Что посмотрим?").await;
    admin.walks_to("💾 Бекапы", &[SHIFT, TAB]).await;
    admin.types(&ENTER.to_string()).await;
    admin.hears("сделать бекап сейчас").await;
    admin.walks_to("« Управление", &[TAB]).await;
    admin.types(&ENTER.to_string()).await;
    admin.hears("Что посмотрим?").await;
    let before = admin.own_messages().await;
    admin.walks_to("🎁 Бонусы и друзья", &[TAB]).await;
    admin.types(&ENTER.to_string()).await;
    admin.wrote_after(before).await;
    admin.hears("₽").await;
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn a_chat_opens_at_its_end() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let client = chromium.first_tab(&trial.page_of(ANNA)).await;
    for _ in 0..4 {
        client.write("/start").await;
        client.hears("С чего начнём?").await;
    }
    client.reload().await;
    client.sees("#reply-keyboard").await;
    let end = "return !document.querySelector('#to-end').checkVisibility()
        && document.querySelector('.message:last-child').getBoundingClientRect().bottom
            <= document.querySelector('#foot').getBoundingClientRect().top";
    client.see("the end of the chat", end, &[]).await;
    let name = "const last = document.querySelector('.message:last-child');
        return document.getElementById(last.getAttribute('aria-labelledby')).innerText";
    let name = client.ask(name, &[]).await;
    assert!(name.as_str().is_some_and(|name| name.contains("С чего начнём?")), "{name}");

    // the way back to it by the keyboard leaves the focus in the chat
    let top = "document.querySelector('#messages').scrollTop = 0";
    client.ask(top, &[]).await;
    client.sees("#to-end").await;
    client.ask("document.querySelector('#to-end').focus()", &[]).await;
    client.types(&ENTER.to_string()).await;
    client.see("the end of the chat", end, &[]).await;
    assert_eq!(client.ask("return document.activeElement.id", &[]).await, "messages");
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn who_blocks_the_bot_writes_to_it_no_more() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let client = chromium.first_tab(&trial.page_of(ANNA)).await;
    client.sees("#reply-keyboard").await;
    client.click("#block").await;
    client.sees("#start").await;
    let ways = "return [...document.querySelectorAll('#composer, #reply-keyboard')]
        .filter((one) => one.checkVisibility()).length";
    assert_eq!(client.ask(ways, &[]).await, 0);
    client.click("#start").await;
    client.sees("#reply-keyboard").await;
    client.write("/start").await;
    client.hears("С чего начнём?").await;
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn a_stopped_trial_is_said() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let client = chromium.first_tab(&trial.page_of(ANNA)).await;
    let line = "return document.querySelector('#connection').checkVisibility()";
    // what a screen reader is to read out must be there before there are words in it
    assert_eq!(client.ask(line, &[]).await, true);
    assert_eq!(client.text_of("#connection").await, "");
    trial.end().await;
    client.sees("[data-live=no] #connection:not(:empty)").await;
    client.fill("#composer", &format!("Есть кто?{ENTER}")).await;
    client.sees(".toast").await;
    assert_eq!(client.text_of(".toast").await, "Не получилось: нет связи");
    let kept = "return document.querySelector('#composer').value";
    assert_eq!(client.ask(kept, &[]).await, "Есть кто?");
}

#[tokio::test]
async fn the_calls_are_listed_and_a_fault_is_got_over() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let admin = chromium.first_tab(&trial.page_of(ADMIN)).await;
    admin.click("#panel-toggle").await;
    admin.fill("#call-search", "sendMessage").await;
    let row = "#calls [data-method=sendMessage][data-status='200']";
    admin.sees(row).await;
    let listed = admin.text_of(row).await;
    assert!(listed.contains(':') && listed.contains(" мс"), "no time, or not how long: {listed}");
    admin.click(&format!("{row} summary")).await;
    admin.sees(&format!("{row} pre")).await;
    assert!(admin.text_of(row).await.contains("\"chat_id\""));
    admin.click(&format!("{row} summary")).await;
    admin.fill("#call-search", EMPTY).await;

    admin.fill("[data-fault=busy] + input", &format!("{EMPTY}1")).await;
    admin.click("[data-fault=busy]").await;
    admin.sees("[data-fault=busy][aria-pressed=true]").await;
    admin.write("/backup").await;
    admin.sees("#calls [data-method=sendMessage][data-status='429']").await;
    admin.picture("panel").await;
    admin.click("#end-faults").await;
    admin.hears("✅ Бекап создан успешно").await;
    chromium.close().await;
    trial.end().await;
}

#[tokio::test]
async fn it_may_be_dark() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let client = chromium.first_tab(&trial.page_of(ANNA)).await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    assert_eq!(client.ask(ground, &[]).await, "rgb(255, 255, 255)");
    client.click("#theme").await;
    client.reload().await;
    assert_eq!(client.ask(ground, &[]).await, "rgb(33, 33, 33)");
    client.tap("⭐️ Отзывы").await;
    client.hears("⭐️ Отзыв").await;
    client.picture("dark").await;
    chromium.close().await;
    trial.end().await;
}
