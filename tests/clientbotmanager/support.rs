//! The support chat, both ways.

use telegram_sandbox::{FileKind, Person, ReplyKeyboard, Shown};

use crate::steps::ADMIN;
use crate::world::World;

const SUPPORT: &str = "💬 Поддержка";
const LEAVE: &str = "🚪 Закончить разговор";

async fn enter(client: &Person) {
    client.send(SUPPORT).await;
    let welcome = client.wait_for("Мы на связи").await;
    let Some(ReplyKeyboard::Buttons(rows)) = welcome.reply_keyboard else { panic!("no way out") };
    assert_eq!(rows, [[LEAVE]]);
}

/// The message that another one speaks about.
fn replied_to(person: &Person, title: &Shown) -> Shown {
    let id = title.reply_to.expect("a reply");
    person.chat().messages.into_iter().find(|message| message.id == id).expect("a message")
}

#[tokio::test]
async fn words_go_to_the_administrator_and_the_answer_comes_back() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна <&> 😀").await.with_username("anna_b");
    let _bot = world.start();
    enter(&anna).await;
    anna.send("Сколько <стоит> & когда?").await;
    anna.wait_for("Передано администратору").await;
    let asked = world.admin.wait_for("Сколько <стоит> & когда?").await;
    assert!(asked.plain.starts_with("💬 Анна <&> 😀, ID 42, @anna_b"), "{asked}");

    world.admin.send("/reply 42 Пять тысяч & <завтра>\nЖдём!").await;
    world.admin.wait_for("Отправлено клиенту 42").await;
    let answer = anna.wait_for("Пять тысяч & <завтра>\nЖдём!").await;
    assert!(answer.plain.starts_with("💬 Ответ поддержки"), "{answer}");

    // Telegram's own way to answer
    world.admin.reply(asked.id, "Это ответ на сообщение").await;
    anna.wait_for("Это ответ на сообщение").await;

    world.admin.press_on(asked.id, "↩️ Ответить").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    for word in ["Раз", "Два"] {
        world.admin.send(word).await;
        anna.wait_for(word).await;
    }
    world.admin.send("/backup_lits").await;
    world.admin.wait_for("Такой команды нет").await;
    world.admin.send(LEAVE).await;
    world.admin.wait_for("Разговор с клиентом закончен").await;
    world.admin.send("Три").await;
    world.admin.wait_for("Не понял вас").await;

    anna.send(LEAVE).await;
    anna.wait_for("Разговор с поддержкой закончен").await;
    anna.send("ещё слово").await;
    anna.wait_for("Не понял вас").await;
    world.sandbox.settled().await;
    let (anna, admin) = (anna.chat().to_string(), world.admin.chat().to_string());
    assert!(!admin.contains("ещё слово") && !anna.contains("Три") && !anna.contains("lits"));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn every_kind_of_content_arrives_both_ways() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    enter(&anna).await;
    for kind in FileKind::ALL {
        let bytes = format!("от клиента: {kind:?}").into_bytes();
        let caption = if kind.takes_caption() { "<подпись> & 😀" } else { "" };
        anna.send_file(kind, "file", bytes.clone(), caption).await;
        let title = world.admin.wait_for("Анна, ID 42").await;
        let copy = replied_to(&world.admin, &title);
        let file = copy.file.expect("a file");
        assert_eq!((file.kind, copy.plain.as_str()), (kind, caption));
        assert_eq!(world.sandbox.file(&file.file_id), Some(bytes));
        anna.wait_for("Передано").await;
    }
    anna.send_location(59.9, 30.3).await;
    let title = world.admin.wait_for("Анна, ID 42").await;
    let copy = replied_to(&world.admin, &title);
    assert!(copy.card.is_some() && !copy.forwarded, "{copy}");
    // the copy itself can be answered as well as its title
    world.admin.reply(copy.id, "Вижу на карте").await;
    anna.wait_for("Вижу на карте").await;

    world.admin.send("/reply 42").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    for kind in FileKind::ALL {
        let bytes = format!("от поддержки: {kind:?}").into_bytes();
        world.admin.send_file(kind, "file", bytes.clone(), "").await;
        let title = anna.wait_for("Ответ поддержки").await;
        let file = replied_to(&anna, &title).file.expect("a file");
        assert_eq!((file.kind, world.sandbox.file(&file.file_id)), (kind, Some(bytes)));
        world.admin.wait_for("Отправлено клиенту 42").await;
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_administrator_is_told_plainly_what_was_not_delivered() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    for usage in ["/reply", "/reply Анна привет", "/reply -42 привет", "/reply 0", "/reply 9e9 да"]
    {
        world.admin.send(usage).await;
        world.admin.wait_for("Кому ответить?").await;
    }
    world.admin.send("/reply 99999999999999999999999 привет").await;
    world.admin.wait_for("Кому ответить?").await;
    world.admin.send("/reply 777 привет").await;
    world.admin.wait_for("Не доставлено: человек с таким ID ещё не писал боту").await;
    anna.block_bot().await;
    world.admin.send("/reply 42 привет").await;
    world.admin.wait_for("Не доставлено: клиент заблокировал бота").await;
    world.admin.send("/reply 42").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    world.admin.send_file(FileKind::Voice, "voice", b"voice", "").await;
    world.admin.wait_for("Не доставлено: клиент заблокировал бота").await;
    anna.unblock_bot().await;
    world.admin.send("теперь дойдёт").await;
    anna.wait_for("теперь дойдёт").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_client_learns_that_the_administrator_cannot_be_reached() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    world.admin.block_bot().await;
    let _bot = world.start();
    enter(&anna).await;
    anna.send("Есть кто?").await;
    anna.wait_for("Передать не получилось").await;
    anna.send_file(FileKind::Photo, "photo", b"photo", "").await;
    anna.wait_for("Передать не получилось").await;
    world.admin.unblock_bot().await;
    anna.send("А теперь?").await;
    anna.wait_for("Передано администратору").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn long_words_arrive_whole() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, &"<&😀".repeat(16)).await;
    let _bot = world.start();
    enter(&anna).await;
    let long = "<&😀".repeat(1000);
    anna.send(&long).await;
    anna.wait_for("Передано администратору").await;
    world.sandbox.settled().await;
    let smiles = |person: &Person| -> usize {
        let chat = person.chat();
        let told = chat.messages.iter().filter(|message| message.from_bot);
        told.map(|message| message.plain.matches("<&😀").count()).sum()
    };
    assert_eq!(smiles(&world.admin), 1000 + 16);
    let first = world.admin.chat().messages.into_iter().find(|message| message.from_bot);
    // each page of it can be answered
    world.admin.reply(first.expect("a page").id, "Прочитали").await;
    anna.wait_for("Прочитали").await;
    world.admin.send(&format!("/reply 42 {}", "<&😀".repeat(1020))).await;
    world.admin.wait_for("Отправлено клиенту 42").await;
    world.sandbox.settled().await;
    assert_eq!(smiles(&anna), 1020);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_conversation_goes_on() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    enter(&anna).await;
    anna.send("До перезапуска").await;
    let asked = world.admin.wait_for("До перезапуска").await;
    world.admin.send("/reply 42").await;
    world.admin.wait_for("Пишите клиенту").await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.send("После перезапуска").await;
    world.admin.wait_for("После перезапуска").await;
    world.admin.send("Продолжаем").await;
    anna.wait_for("Продолжаем").await;
    world.admin.send(LEAVE).await;
    world.admin.wait_for("закончен").await;
    world.admin.reply(asked.id, "На старое сообщение").await;
    anna.wait_for("На старое сообщение").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_client_answers_an_answer_and_replies_of_others_reach_nobody() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.person(43, "Борис").await;
    let _bot = world.start();
    world.admin.send("/reply 42 Здравствуйте, Анна!").await;
    let first = anna.wait_for("Здравствуйте, Анна!").await;
    anna.press(SUPPORT).await;
    anna.wait_for("Мы на связи").await;
    anna.send("Здравствуйте!").await;
    let asked = world.admin.wait_for("Здравствуйте!").await;
    anna.send("/start").await;
    anna.wait_for("Разговор с поддержкой закончен").await;
    anna.reply(first.id, "Я уже в меню").await;
    anna.wait_for("Не понял вас").await;
    // a message of the same number in another chat is another message
    boris.reply(asked.id, "Чужой ответ").await;
    boris.wait_for("Не понял вас").await;
    let refused = boris.press_elsewhere(ADMIN, asked.id, "↩️ Ответить").await;
    assert!(refused.text.expect("a refusal").starts_with("⛔️"));
    // nor is one that another bot has sent
    world.database().execute_batch("UPDATE support_messages SET bot_id = 5").expect("a move");
    world.admin.reply(asked.id, "Не туда").await;
    world.admin.wait_for("Не понял вас").await;
    // an answer to a message of no client is no answer
    let greeting = world.admin.wait_until(|chat| chat.last_from_bot().map(|last| last.id)).await;
    world.admin.reply(greeting + 1000, "Никому").await;
    world.admin.wait_for("Не понял вас").await;
    let told = anna.chat().to_string();
    assert!(!told.contains("Чужой") && !told.contains("Не туда"));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_button_of_the_keyboard_is_no_answer_to_a_message() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    enter(&anna).await;
    anna.send("Вопрос").await;
    let asked = world.admin.wait_for("Вопрос").await;
    world.admin.press_on(asked.id, "↩️ Ответить").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    // Telegram sends the label as an answer, if one was begun
    world.admin.reply(asked.id, LEAVE).await;
    world.admin.wait_for("Разговор с клиентом закончен").await;
    world.sandbox.settled().await;
    assert!(!anna.chat().to_string().contains("Ответ поддержки"));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_correction_is_asked_for_anew_on_either_side() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    enter(&anna).await;
    let sent = anna.send("Мой телефон 1").await;
    anna.wait_for("Передано администратору").await;
    anna.edit(sent, "Мой телефон 2").await;
    anna.wait_for("Пришлите его новым сообщением").await;
    world.admin.send("/reply 42").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    let sent = world.admin.send("Завтра").await;
    anna.wait_for("Завтра").await;
    world.admin.edit(sent, "Послезавтра").await;
    world.admin.wait_for("Пришлите его новым сообщением").await;
    // where nobody else has read it, nothing is said
    let left = anna.send(LEAVE).await;
    anna.wait_for("Разговор с поддержкой закончен").await;
    let told = anna.chat().messages.len();
    anna.edit(left, "До свидания").await;
    world.sandbox.settled().await;
    assert_eq!(anna.chat().messages.len(), told);
    world.sandbox.finish().await;
}
