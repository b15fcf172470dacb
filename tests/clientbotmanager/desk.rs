//! The administrator's desk: orders, waiting reviews, statistics, the way to the backups.

use telegram_sandbox::{Person, Shown};

use crate::steps::{ORDER, order_id, place, review};
use crate::world::World;

/// Opens one of the buttons of `/admin`.
async fn open(admin: &Person, button: &str) -> Shown {
    admin.send("/admin").await;
    let menu = admin.wait_for("Что посмотрим?").await;
    admin.press_on(menu.id, button).await;
    admin.wait_for("").await
}

/// The label of an order in the list.
fn label(list: &Shown, id: &str) -> String {
    let mut buttons = list.buttons.iter().flatten();
    buttons.find(|button| button.text.contains(id)).expect(id).text.clone()
}

#[tokio::test]
async fn a_status_is_changed_and_the_client_is_told() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    let id = place(&anna).await;
    let list = open(admin, "📦 Заказы").await;
    assert_eq!(label(&list, &id), format!("🆕 {id} · O'Brien <Test> & Co 😀"));
    admin.press(&label(&list, &id)).await;
    let form = admin.wait_for(&format!("Анкета заказа {id}")).await;
    for part in ["Клиент: 42", "Имя: O'Brien <Test> & Co 😀", "Хостинг: ваш сервер"]
    {
        assert!(form.plain.contains(part), "{form}");
    }
    let panel = admin.wait_for("Статус: новый").await;
    assert!(panel.button("📎 Файл").is_none(), "{panel}");
    for (button, status) in [
        ("🔧 в работе", "в работе"),
        ("⏳ ожидает ответа", "ожидает ответа"),
        ("✅ завершено", "завершено"),
        ("🆕 новый", "новый"),
    ] {
        admin.press_on(panel.id, button).await;
        let changed = admin.wait_for(&format!("Статус: {status}")).await;
        assert!(changed.button(&format!("· {button} ·")).is_some(), "{changed}");
        let news = anna.wait_for(&format!("Новый статус заказа {id}: «{status}»")).await;
        anna.press_on(news.id, "Подробнее").await;
        anna.wait_for(&format!("Статус: {status}")).await;
    }
    // once more the same is no news
    let told = anna.chat().messages.len();
    let same = admin.press_on(panel.id, "· 🆕 новый ·").await;
    assert_eq!(same.text.as_deref(), Some("Статус и так «новый»"));
    world.sandbox.settled().await;
    assert_eq!(anna.chat().messages.len(), told);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_status_is_changed_though_the_client_has_left() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    let id = place(&anna).await;
    // an order may be dealt with as soon as it comes
    let panel = admin.wait_for("Статус: новый").await;
    anna.block_bot().await;
    admin.press_on(panel.id, "✅ завершено").await;
    admin.wait_for("клиент не узнал: клиент заблокировал бота").await;
    let orders = open(admin, "📦 Заказы").await;
    assert!(label(&orders, &id).starts_with("✅"), "{orders}");
    admin.press_on(panel.id, "💬 Написать клиенту").await;
    admin.wait_for("Пишите клиенту 42").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_whole_form_is_shown_with_its_file() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    for question in
        ["связаться", "идею", "Какой это бот", "бюджет", "сроку", "тариф", "пожелания", "файл"]
    {
        anna.send(&"<&😀".repeat(1000)).await;
        anna.wait_for(question).await;
    }
    anna.send_document("план.txt", b"plan", "").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.press("✅ Отправить заказ").await;
    let id = order_id(&anna.wait_for("принят").await);
    admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;

    let list = open(admin, "📦 Заказы").await;
    let before = admin.chat().messages.len();
    admin.press(&label(&list, &id)).await;
    admin.wait_for("Статус: новый").await;
    let chat = admin.chat();
    let pages = chat.messages.iter().skip(before);
    let smiles: usize = pages.map(|page| page.plain.matches("<&😀").count()).sum();
    assert_eq!(smiles, 8000);
    admin.press("📎 Файл").await;
    let file = admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;
    assert_eq!(world.sandbox.file(&file.file_id).as_deref(), Some(&b"plan"[..]));

    let forget = "UPDATE orders SET data = json_set(data, '$.file', 'foreign')";
    world.database().execute_batch(forget).expect("another bot's file");
    world.sandbox.expect_refusal("file");
    admin.press("📎 Файл").await;
    admin.wait_for("Файл не открыть").await;
    world.sandbox.finish().await;
}

/// Writes orders of long ago, also with a status of another bot.
fn add_orders(world: &World) {
    let database = world.database();
    for number in 0..20 {
        let add = "INSERT INTO orders (user_id, order_id, timestamp, status, data)
                   VALUES (?1, ?2, ?3, ?4, '{}')";
        let status = ["новый", "в работе", "на <паузе>"][number % 3];
        let order = (42, format!("order_{number}"), format!("2026-01-{:02}", number + 1), status);
        database.execute(add, order).expect("an order");
    }
}

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page_and_by_status() {
    let world = World::new().await;
    let admin = &world.admin;
    let _bot = world.start();
    let empty = open(admin, "📦 Заказы").await;
    assert!(empty.plain.contains("Здесь пока пусто"), "{empty}");
    add_orders(&world);
    let first = open(admin, "📦 Заказы").await;
    assert!(first.plain.contains("страница 1 из 3"), "{first}");
    assert_eq!(first.buttons[0][0].text, "🔧 order_19 · 2026-01-20");
    assert_eq!(first.buttons[2][0].text, "▫️ order_17 · 2026-01-18");
    admin.press("Вперёд ›").await;
    admin.wait_for("страница 2 из 3").await;
    admin.press("Вперёд ›").await;
    let last = admin.wait_for("страница 3 из 3").await;
    assert_eq!((last.id, last.buttons[3][0].text.as_str()), (first.id, "🆕 order_0 · 2026-01-01"));
    admin.press("🔧").await;
    let working = admin.wait_for("Заказы со статусом «в работе»").await;
    let listed = working.buttons.iter().flatten().filter(|button| button.text.contains("order_"));
    assert_eq!(listed.count(), 7);
    admin.press("✅").await;
    admin.wait_for("Здесь пока пусто").await;
    admin.press("Все").await;
    admin.wait_for("страница 1 из 3").await;
    admin.press("« Управление").await;
    admin.wait_for("Что посмотрим?").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn an_order_is_deleted_only_after_a_question() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    let (kept, deleted) = (place(&anna).await, place(&anna).await);
    let list = open(admin, "📦 Заказы").await;
    admin.press(&label(&list, &deleted)).await;
    let panel = admin.wait_for("Статус: новый").await;
    admin.press_on(panel.id, "🗑 Удалить").await;
    admin.wait_for(&format!("Удалить заказ {deleted}?")).await;
    admin.press("Нет, оставить").await;
    admin.wait_for("Статус: новый").await;
    admin.press_on(panel.id, "🗑 Удалить").await;
    let question = admin.wait_for(&format!("Удалить заказ {deleted}?")).await;
    let yes = question.button("🗑 Да, удалить").and_then(|button| button.data.clone());
    admin.press_on(panel.id, "🗑 Да, удалить").await;
    admin.wait_for(&format!("Заказ {deleted} удалён")).await;
    let again = admin.press_data(panel.id, yes.expect("data")).await;
    assert!(again.text.expect("a word").contains("уже не действует"));
    let status = format!(r#"{{"A":{{"SetStatus":[42,"{deleted}","Done"]}}}}"#);
    let gone = admin.press_data(panel.id, status).await;
    assert!(gone.text.expect("a word").contains("уже не действует"));
    admin.press("« Все заказы").await;
    let list = admin.wait_for("Заказы").await;
    assert!(list.to_string().contains(&kept) && !list.to_string().contains(&deleted), "{list}");
    anna.send("📦 Статус заказа").await;
    let own = anna.wait_for("Ваши заказы").await;
    assert!(own.plain.contains(&kept) && !own.plain.contains(&deleted), "{own}");
    world.sandbox.finish().await;
}

#[tokio::test]
async fn waiting_reviews_are_shown_again_and_decided_once() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let admin = &world.admin;
    let _bot = world.start();
    let checked = open(admin, "⭐️ Новые отзывы").await;
    assert!(checked.plain.contains("Все отзывы проверены"), "{checked}");
    review(&anna, "5 ⭐️", "Отзыв 0").await;
    let first = admin.wait_for("Отзыв 0").await;
    for number in 1..7 {
        review(&anna, "4 ⭐️", &format!("Отзыв {number}")).await;
    }
    let queue = open(admin, "⭐️ Новые отзывы").await;
    assert!(queue.plain.contains("Ждут проверки: 7. Вот первые 5"), "{queue}");
    let shown = admin.wait_for("Отзыв 0").await;
    admin.wait_for("Отзыв 4").await;
    admin.press_on(shown.id, "✅ Опубликовать").await;
    anna.wait_for("Ваш отзыв опубликован").await;
    let decided = admin.wait_for("✅ Опубликован").await;
    assert!(decided.id == shown.id && decided.buttons.is_empty(), "{decided}");
    // the same review in an older message
    let again = admin.press_on(first.id, "🚫 Отклонить").await;
    assert!(again.text.expect("a word").contains("уже не действует"));
    anna.send("⭐️ Отзывы").await;
    anna.wait_for("всего 1").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn statistics_count_what_there_is_and_the_backups_are_near() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.newcomer(43, "Борис").await;
    let admin = &world.admin;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    boris.open_link("ref42").await;
    boris.wait_for("Здравствуйте").await;
    add_orders(&world);
    review(&anna, "5 ⭐️", "Отлично").await;
    for client in [&anna, &boris, &anna] {
        client.send("💬 Поддержка").await;
        client.wait_for("Мы на связи").await;
        client.send("Вопрос").await;
        client.wait_for("Передано").await;
    }
    let statistics = open(admin, "📊 Статистика").await;
    for line in [
        "Клиентов: 2",
        "по ссылкам друзей: 1",
        "опубликовано: 0",
        "ждут проверки: 1",
        "Писали в поддержку: 2",
        "Заказов: 20",
        "новый: 7",
        "в работе: 7",
        "на <паузе>: 6",
    ] {
        assert!(statistics.plain.contains(line), "{line} in {statistics}");
    }
    let backups = open(admin, "💾 Бекапы").await;
    for command in ["/backup ", "/backup_list ", "/backup_restore ", "/backup_settings "] {
        assert!(backups.plain.contains(command), "{backups}");
    }
    world.sandbox.finish().await;
}
