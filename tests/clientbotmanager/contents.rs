//! Portfolio, questions, contacts and «about»: written by the administrator, read by clients.

use telegram_sandbox::{FileKind, Person};

use crate::steps::cancel;
use crate::world::World;

const PORTFOLIO: &str = "🖼 Портфолио";
const FAQ: &str = "❓ Частые вопросы";
const CONTACTS: &str = "📞 Контакты";
const ABOUT: &str = "ℹ️ О нас";

/// Opens one of the four in the administrator's menu.
async fn open(admin: &Person, topic: &str) {
    admin.send("/admin").await;
    admin.wait_for("Что посмотрим?").await;
    admin.press("🗂 Содержимое").await;
    let topics = admin.wait_for("Что изменим?").await;
    admin.press_on(topics.id, topic).await;
    admin.wait_for(topic).await;
}

/// Answers questions one after another.
async fn answer(admin: &Person, answers: &[(&str, &str)]) {
    for (question, answer) in answers {
        admin.wait_for(question).await;
        admin.send(answer).await;
    }
}

const TEXT: &str = "Записывает & <напоминает> 😀";
const LINK: &str = "https://example.org/?a=1&b=<2>";

/// Adds a work that has everything.
async fn add_work(admin: &Person) {
    open(admin, PORTFOLIO).await;
    admin.press("➕ Добавить").await;
    answer(admin, &[("называется", "Бот <салона> & Ко"), ("о ней", TEXT), ("ссылка", LINK)]).await;
    admin.wait_for("фотография").await;
    admin.send_file(FileKind::Photo, "photo.png", b"photo", "").await;
    admin.wait_for("Сохранено").await;
}

/// Presses a button that no longer means anything.
async fn press_stale(person: &Person, message: i64, button: &str) {
    let answer = person.press_on(message, button).await;
    assert!(answer.text.expect("a word").contains("уже не действует"), "{button}");
}

#[tokio::test]
async fn a_work_is_added_shown_and_changed() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    add_work(admin).await;
    anna.send(PORTFOLIO).await;
    anna.wait_for("Выберите работу").await;
    anna.press("Бот <салона> & Ко").await;
    let work = anna.wait_for(TEXT).await;
    let whole = format!("Бот <салона> & Ко\n\n{TEXT}\n\n🔗 {LINK}");
    assert_eq!(work.plain, whole);
    let photo = work.file.expect("a photo");
    assert_eq!(photo.kind, FileKind::Photo);
    assert_eq!(world.sandbox.file(&photo.file_id).as_deref(), Some(&b"photo"[..]));

    for (button, question, new) in [
        ("✏️ Название", "называется", "Салон"),
        ("✏️ Текст", "о ней", "Новый рассказ"),
        ("🔗 Ссылка", "ссылка", "Без ссылки"),
        ("🖼 Фото", "фотография", "Без фото"),
    ] {
        admin.press(button).await;
        answer(admin, &[(question, new)]).await;
        admin.wait_for("Сохранено").await;
    }
    anna.press("Бот <салона> & Ко").await;
    let work = anna.wait_for("Новый рассказ").await;
    assert_eq!((work.plain.as_str(), work.file), ("Салон\n\nНовый рассказ", None));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_work_is_deleted_only_after_a_question() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    add_work(admin).await;
    let screen = admin.wait_for("С фотографией").await;
    anna.send(PORTFOLIO).await;
    let list = anna.wait_for("Выберите работу").await;
    admin.press_on(screen.id, "🗑 Удалить").await;
    admin.wait_for("Удалить «Бот <салона> & Ко»?").await;
    admin.press("Нет, оставить").await;
    admin.wait_for("С фотографией").await;
    open(admin, PORTFOLIO).await;
    admin.press("Бот <салона> & Ко").await;
    let other_screen = admin.wait_for("С фотографией").await;
    admin.press_on(screen.id, "🗑 Удалить").await;
    admin.wait_for("Удалить «Бот <салона> & Ко»?").await;
    admin.press("🗑 Да, удалить").await;
    admin.wait_for("Удалено: «Бот <салона> & Ко»").await;
    for button in ["✏️ Текст", "🗑 Удалить", "👁 Как видят клиенты"]
    {
        press_stale(admin, other_screen.id, button).await;
    }
    press_stale(&anna, list.id, "Бот <салона> & Ко").await;
    admin.press("« Назад").await;
    admin.wait_for("Здесь пока пусто").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn wrong_answers_are_asked_again() {
    let world = World::new().await;
    let admin = &world.admin;
    let _bot = world.start();
    open(admin, PORTFOLIO).await;
    admin.press("➕ Добавить").await;
    admin.wait_for("называется").await;
    admin.send(&"<&😀".repeat(1000)).await;
    admin.wait_for("в 100 знаков").await;
    admin.send_file(FileKind::Photo, "photo.png", b"photo", "подпись").await;
    admin.wait_for("нужен текст").await;
    admin.send(&"😀".repeat(50)).await;
    admin.wait_for("о ней").await;
    admin.send_file(FileKind::Voice, "voice", b"voice", "").await;
    admin.wait_for("нужен текст").await;
    admin.send(&"<&😀".repeat(1000)).await;
    admin.wait_for("ссылка").await;
    for bad in ["салон", "javascript:alert(1)", "https://два слова", "ftp://example.org"]
    {
        admin.send(bad).await;
        admin.wait_for("который начинается с https://").await;
    }
    admin.send("Без ссылки").await;
    admin.wait_for("фотография").await;
    admin.send("картинка").await;
    admin.wait_for("Жду фотографию").await;
    admin.send_document("photo.png", b"photo", "").await;
    admin.wait_for("Жду фотографию").await;
    admin.send_file(FileKind::Photo, "photo.png", b"photo", "").await;
    admin.wait_for("Сохранено").await;

    // more than a caption or a message may have, and yet all of it is shown
    admin.press("👁 Как видят клиенты").await;
    admin.wait_until(|chat| chat.last_from_bot()?.file.is_none().then_some(())).await;
    world.sandbox.settled().await;
    let chat = admin.chat();
    let photo = chat.messages.iter().rposition(|shown| shown.from_bot && shown.file.is_some());
    let pages = chat.messages.iter().skip(photo.expect("a photo") + 1);
    let all: String = pages.map(|page| page.plain.as_str()).collect();
    assert_eq!(all.matches("<&😀").count(), 1000);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_cancelled_change_changes_nothing() {
    let world = World::new().await;
    let admin = &world.admin;
    let _bot = world.start();
    let steps = [("называется", "Работа"), ("о ней", "Текст"), ("ссылка", "Без ссылки")];
    for step in 0..=steps.len() {
        open(admin, PORTFOLIO).await;
        admin.press("➕ Добавить").await;
        answer(admin, &steps[..step]).await;
        admin.wait_for(steps.get(step).map_or("фотография", |(question, _)| question)).await;
        admin.send("❌ Отмена").await;
        admin.wait_for("оставил как было").await;
    }
    open(admin, FAQ).await;
    admin.press("➕ Добавить").await;
    admin.wait_for("Напишите вопрос").await;
    admin.send("/menu").await;
    admin.wait_for("оставил как было").await;
    let left = world.database().query_row("SELECT count(*) FROM contents", [], |row| row.get(0));
    assert_eq!(left, Ok(0));

    open(admin, ABOUT).await;
    admin.press("➕ Добавить").await;
    answer(admin, &[("Что рассказать", "Мы <команда>")]).await;
    admin.wait_for("Сохранено").await;
    admin.press("✏️ Текст").await;
    admin.wait_for("Что рассказать").await;
    cancel(admin).await;
    admin.send(ABOUT).await;
    admin.wait_for("Мы <команда>").await;
    world.sandbox.finish().await;
}

/// Writes 18 questions with names that are too long for a button.
fn add_questions(world: &World) {
    let database = world.database();
    for number in 2..20 {
        let add = "INSERT INTO contents (id, topic, title, text) VALUES (?1, 'faq', ?2, 'Ответ')";
        let title = format!("{number} {}", "😀".repeat(60));
        database.execute(add, (format!("id{number}"), title)).expect("a question");
    }
}

#[tokio::test]
async fn many_questions_are_shown_page_by_page() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    open(admin, FAQ).await;
    for (question, reply) in [("Сколько <стоит> & когда?", "Ответ № 0 & <всё>"), ("Ещё?", "Да")]
    {
        admin.press("➕ Добавить").await;
        answer(admin, &[("Напишите вопрос", question), ("Какой на него ответ", reply)]).await;
        admin.wait_for("Сохранено").await;
        open(admin, FAQ).await;
    }
    add_questions(&world);
    anna.send(FAQ).await;
    let first = anna.wait_for("страница 1 из 3").await;
    anna.press("Вперёд ›").await;
    anna.wait_for("страница 2 из 3").await;
    anna.press("Вперёд ›").await;
    let last = anna.wait_for("страница 3 из 3").await;
    assert_eq!((last.id, last.buttons.len()), (first.id, 5));
    world.sandbox.expect_refusal("message is not modified");
    anna.press_data(first.id, r#"{"Topic":["faq",99999]}"#).await;
    anna.press("‹ Назад").await;
    anna.wait_for("страница 2 из 3").await;
    anna.press("‹ Назад").await;
    anna.wait_for("страница 1 из 3").await;
    anna.press("Сколько <стоит> & когда?").await;
    anna.wait_for("Ответ № 0 & <всё>").await;
    for forged in [r#"{"Topic":["about",0]}"#, r#"{"Topic":["faq",-1]}"#, r#"{"Piece":"нет"}"#] {
        let refused = anna.press_data(first.id, forged).await;
        assert!(refused.text.expect("a word").contains("уже не действует"), "{forged}");
    }
    open(admin, FAQ).await;
    admin.press("Вперёд ›").await;
    admin.wait_for("всего 20, страница 2 из 3").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn contacts_and_about_are_single_texts() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    for (topic, question) in [(CONTACTS, "Как с вами связаться"), (ABOUT, "Что рассказать о вас")]
    {
        open(admin, topic).await;
        admin.press("➕ Добавить").await;
        admin.wait_for(question).await;
        admin.send_file(FileKind::Photo, "photo.png", b"photo", "").await;
        admin.wait_for("нужен текст").await;
        admin.send("Первый <текст>").await;
        admin.wait_for("Сохранено").await;
        anna.send(topic).await;
        anna.wait_for("Первый <текст>").await;
        open(admin, topic).await;
        admin.press("✏️ Текст").await;
        admin.wait_for(question).await;
        admin.send(&"<&😀".repeat(1000)).await;
        admin.wait_for("Сохранено").await;
        anna.send(topic).await;
        anna.wait_for("<&😀").await;
        world.sandbox.settled().await;
        admin.press("🗑 Удалить").await;
        admin.press("🗑 Да, удалить").await;
        admin.wait_for("Удалено").await;
        admin.press("« Назад").await;
        admin.wait_for("Здесь пока пусто").await;
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_new_work_goes_on() {
    let world = World::new().await;
    let admin = &world.admin;
    let bot = world.start();
    open(admin, PORTFOLIO).await;
    admin.press("➕ Добавить").await;
    answer(admin, &[("называется", "Салон"), ("о ней", "Рассказ")]).await;
    admin.wait_for("ссылка").await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    admin.send("https://example.org").await;
    answer(admin, &[("фотография", "Без фото")]).await;
    admin.wait_for("Сохранено").await;
    let work = admin.wait_for("https://example.org").await;
    assert!(work.plain.starts_with("Салон\n\nРассказ"), "{work}");
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_photo_of_another_bot_hides_no_text() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    world.sandbox.expect_refusal("file");
    let _bot = world.start();
    anna.send("/menu").await;
    anna.wait_for("Здравствуйте").await;
    let add = "INSERT INTO contents (id, topic, title, text, photo)
               VALUES ('w', 'portfolio', 'Салон', 'Рассказ', 'foreign')";
    world.database().execute_batch(add).expect("a work");
    anna.send(PORTFOLIO).await;
    anna.press("Салон").await;
    let work = anna.wait_for("Рассказ").await;
    assert_eq!(work.file, None);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_single_text_is_added_once() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    open(admin, ABOUT).await;
    let empty = admin.wait_until(|chat| chat.last_from_bot().map(|screen| screen.id)).await;
    admin.press("➕ Добавить").await;
    answer(admin, &[("Что рассказать о вас", "Первый")]).await;
    admin.wait_for("Сохранено").await;
    press_stale(admin, empty, "➕ Добавить").await;
    anna.send(ABOUT).await;
    anna.wait_for("Первый").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn what_was_deleted_meanwhile_stays_deleted() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    add_work(admin).await;
    admin.press("✏️ Текст").await;
    admin.wait_for("о ней").await;
    admin.press("🗑 Удалить").await;
    admin.press("🗑 Да, удалить").await;
    admin.wait_for("Удалено").await;
    admin.send("Новый рассказ").await;
    admin.wait_for("Сохранять уже некуда").await;
    anna.send(PORTFOLIO).await;
    anna.wait_for("Скоро здесь появятся").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn what_is_left_half_written_is_said() {
    let world = World::new().await;
    let _anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    open(admin, PORTFOLIO).await;
    admin.press("➕ Добавить").await;
    admin.wait_for("называется").await;
    admin.send("/backup_lits").await;
    admin.wait_for("Такой команды нет").await;
    answer_to(admin, "Салон", "о ней").await;
    admin.send("/reply 42").await;
    admin.wait_for("оставил как было.\n\n✍️ Пишите клиенту 42").await;
    admin.send("📝 Заказать бота").await;
    admin.wait_for("Как вас зовут").await;
    open(admin, FAQ).await;
    admin.press("➕ Добавить").await;
    admin.wait_for("заказ не отправлен. Возвращайтесь, когда будете готовы!\n\n❓").await;
    world.sandbox.finish().await;
}

async fn answer_to(admin: &Person, text: &str, next: &str) {
    admin.send(text).await;
    admin.wait_for(next).await;
}
