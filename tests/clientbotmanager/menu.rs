//! The greeting, the menu and its commands, and failures.

use telegram_sandbox::{Person, ReplyKeyboard};

use crate::steps::{STATUS, cancel, fill_in, place};
use crate::world::World;

#[tokio::test]
async fn the_menu_closes_the_form_and_a_failure_is_told() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    fill_in(&anna).await;
    anna.press_data(1, r#""WriteReview""#).await;
    anna.send("/menu").await;
    anna.wait_for("заказ не отправлен").await;
    world.database().execute_batch("DROP TABLE orders").expect("a broken database");
    anna.send(STATUS).await;
    anna.wait_for("Что-то пошло не так").await;
    anna.press_data(1, r#"{"ShowOrder":"deadbeef"}"#).await;
    anna.wait_for("Что-то пошло не так").await;
    anna.send("/menu").await;
    anna.wait_for("Здравствуйте, Анна").await;
    world.sandbox.finish().await;
}

/// A label of the menu, and a part of what follows.
const ENTRIES: [(&str, &str); 10] = [
    ("📝 Заказать бота", "Как вас зовут"),
    ("📦 Статус заказа", "Заказов у вас пока нет"),
    ("🧮 Рассчитать цену", "вопрос 1 из 3"),
    ("🖼 Портфолио", "Скоро здесь появятся наши работы"),
    ("❓ Частые вопросы", "Здесь пока пусто"),
    ("💬 Поддержка", "Мы на связи"),
    ("⭐️ Отзывы", "Отзывов пока нет"),
    ("🎁 Бонусы и друзья", "На вашем счёте: 0 ₽"),
    ("ℹ️ О нас", "Подробный рассказ о нас скоро"),
    ("📞 Контакты", "Быстрее всего"),
];

#[tokio::test]
async fn every_entry_of_the_menu_leads_somewhere() {
    let world = World::new().await;
    let anna = world.sandbox.newcomer(42, "<b>&😀").await;
    let _bot = world.start();
    anna.send("/start").await;
    let greeting = anna.wait_for("Здравствуйте, <b>&😀!").await;
    let Some(ReplyKeyboard::Buttons(rows)) = greeting.reply_keyboard else { panic!("no menu") };
    let labels: Vec<_> = rows.iter().flatten().map(String::as_str).collect();
    assert_eq!(labels, ENTRIES.map(|(label, _)| label));
    let shortcuts = anna.wait_for("С чего начнём?").await;
    for (label, answer) in ENTRIES {
        anna.send(label).await;
        anna.wait_for(answer).await;
        cancel(&anna).await;
    }
    for button in shortcuts.buttons.iter().flatten() {
        let (_, answer) = ENTRIES.iter().find(|(label, _)| *label == button.text).expect("known");
        anna.press_on(shortcuts.id, &button.text).await;
        anna.wait_for(answer).await;
        cancel(&anna).await;
    }
    assert_eq!(shortcuts.buttons.iter().flatten().count(), 4);
    world.sandbox.finish().await;
}

fn names(person: &Person) -> Vec<String> {
    person.commands().into_iter().map(|command| command.command).collect()
}

const ADMINS: [&str; 8] = [
    "start",
    "menu",
    "admin",
    "reply",
    "backup",
    "backup_list",
    "backup_restore",
    "backup_settings",
];

#[tokio::test]
async fn everybody_finds_their_own_commands_in_the_menu() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    assert_eq!(names(&anna), ["start", "menu"]);
    assert_eq!(names(&world.admin), ADMINS);
    for command in world.admin.commands() {
        // a doc comment on a command would stand in the menu
        let latin = command.description.replace("ID", "").replace("/reply", "");
        assert!(!latin.is_empty() && !latin.contains(|c: char| c.is_ascii_alphabetic()), "{latin}");
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn an_administrator_who_is_new_gets_their_commands_with_the_first_word() {
    let world = World::of_new_admin().await;
    let _bot = world.start();
    world.sandbox.settled().await;
    world.admin.send("/start").await;
    let greeting = world.admin.wait_for("Вы администратор").await;
    assert!(greeting.plain.contains("/admin") && greeting.plain.contains("/backup_list"));
    world.sandbox.settled().await;
    assert_eq!(names(&world.admin), ADMINS);
    world.admin.press("🛠 Управление").await;
    world.admin.wait_for("Что посмотрим?").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn strangers_get_nothing_of_what_is_the_administrators() {
    let world = World::new().await;
    let stranger = world.sandbox.person(666, "Никто").await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    let order = place(&anna).await;
    stranger.send("/start").await;
    let greeting = stranger.wait_for("С чего начнём?").await;
    assert!(greeting.button("🛠 Управление").is_none());
    for command in ["/admin", "/reply 42 Отдайте деньги", "/reply 42", "/reply"] {
        stranger.send(command).await;
        stranger.wait_for("Не понял вас").await;
    }
    for task in [
        r#""Menu""#.to_owned(),
        r#""Statistics""#.to_owned(),
        r#""Reviews""#.to_owned(),
        r#"{"Orders":[null,0]}"#.to_owned(),
        format!(r#"{{"Order":[42,"{order}"]}}"#),
        format!(r#"{{"SetStatus":[42,"{order}","Done"]}}"#),
        format!(r#"{{"DeleteOrder":[42,"{order}"]}}"#),
        r#"{"Add":"faq"}"#.to_owned(),
        r#"{"Reply":42}"#.to_owned(),
    ] {
        let answer = stranger.press_data(greeting.id, format!(r#"{{"A":{task}}}"#)).await;
        assert!(answer.text.expect("a refusal").starts_with("⛔️"), "{task}");
    }
    // another client's order, by its number
    stranger.press_data(greeting.id, format!(r#"{{"ShowOrder":"{order}"}}"#)).await;
    world.sandbox.settled().await;
    assert!(!stranger.chat().to_string().contains(&order));
    anna.send(STATUS).await;
    anna.wait_for(&format!("{order} — новый")).await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_former_administrator_is_one_no_longer() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let former = world.sandbox.person(666, "Бывший").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    for state in [
        r#"{"Reply":42}"#,
        r#"{"Editing":{"piece":{"id":"a","topic":"about","text":""},"field":"Text","new":true}}"#,
    ] {
        let put = "INSERT OR REPLACE INTO dialogues (chat_id, state) VALUES (666, ?1)";
        world.database().execute(put, [state]).expect("a state of before");
        former.send("Отдайте деньги").await;
        former.wait_for("Не понял вас").await;
    }
    anna.send("ℹ️ О нас").await;
    anna.wait_for("Подробный рассказ о нас скоро").await;
    assert!(!anna.chat().to_string().contains("деньги"));
    world.sandbox.finish().await;
}
