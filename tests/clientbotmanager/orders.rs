//! The order form and the status of orders.

use telegram_sandbox::{FileKind, ReplyKeyboard};

use crate::steps::{ANSWERS, ORDER, STATUS, fill_in, order_id, place, review};
use crate::world::World;

#[tokio::test]
async fn an_order_goes_from_the_first_question_to_the_administrator() {
    let world = World::new().await;
    let anna = world.sandbox.newcomer(42, "Анна <&>").await;
    let _bot = world.start();
    anna.send("/start").await;
    let greeting = anna.wait_for("Здравствуйте, Анна <&>!").await;
    assert!(greeting.reply_keyboard.is_some());

    fill_in(&anna).await;
    anna.send_document("план.txt", b"plan", "").await;
    anna.wait_for("работать").await;
    anna.send("мой сервер").await;
    let summary = anna.wait_for("Проверьте заказ").await;
    assert!(summary.plain.contains("Имя: O'Brien <Test> & Co 😀"), "{summary}");
    assert!(summary.plain.contains("Файл: приложен"), "{summary}");
    assert_eq!(anna.press("✅ Отправить заказ").await.text.as_deref(), Some("Заказ отправлен"));
    let id = order_id(&anna.wait_for("принят").await);

    let told = world.admin.wait_for(&format!("Новый заказ {id}")).await;
    for part in ["ID: 42", "Имя: O'Brien <Test> & Co 😀", "Хостинг: мой сервер", "Срок: 2 недели"]
    {
        assert!(told.plain.contains(part), "{told}");
    }
    let file = world.admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;
    assert_eq!(world.sandbox.file(&file.file_id).as_deref(), Some(&b"plan"[..]));

    let again = anna.press_on(summary.id, "✅ Отправить заказ").await;
    assert!(again.text.expect("an answer").contains("уже не действует"));
    anna.send(STATUS).await;
    let list = anna.wait_for("Ваши заказы").await;
    assert_eq!(list.plain.matches(" — новый").count(), 1, "{list}");
    anna.press(&id).await;
    anna.wait_for("Статус: новый").await;
    anna.send(&id).await;
    anna.wait_for("Пожелания: нет").await;
    anna.send("deadbeef").await;
    anna.wait_for("такого номера нет").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn wrong_turns_get_a_friendly_answer() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("привет").await;
    anna.wait_for("Не понял вас").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("Отменять нечего").await;
    anna.send(STATUS).await;
    anna.wait_for("Заказов у вас пока нет").await;
    assert!(anna.press_data(1, r#"{"SendOrder":"deadbeef"}"#).await.text.is_some());
    assert!(anna.press_data(1, "что-то").await.text.is_some());

    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    anna.send_file(FileKind::Photo, "план.png", b"plan", "").await;
    anna.wait_for("нужен ответ текстом").await;
    anna.send(STATUS).await;
    anna.wait_for("Сначала закончим заказ").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("заказ не отправлен").await;

    fill_in(&anna).await;
    anna.send("файла не будет").await;
    anna.wait_for("Жду файл или слово «нет»").await;
    anna.send_file(FileKind::Photo, "план.png", b"plan", "").await;
    anna.wait_for("пришлите его, пожалуйста, как документ").await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("Проверьте заказ").await;
    anna.send("да").await;
    anna.wait_for("Остался один шаг").await;
    anna.press("❌ Отмена").await;
    anna.wait_for("заказ не отправлен").await;
    let orders = world.database().query_row("SELECT count(*) FROM orders", [], |row| row.get(0));
    assert_eq!(orders, Ok(0));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn an_administrator_out_of_reach_loses_no_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    world.admin.block_bot().await;
    let _bot = world.start();
    let order = place(&anna).await;
    review(&anna, "5 ⭐️", "Всё хорошо").await;
    anna.send(STATUS).await;
    anna.wait_for(&order).await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_press_from_before_the_start_still_places_the_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    fill_in(&anna).await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("Проверьте заказ").await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let press = anna.press("✅ Отправить заказ");
    world.sandbox.expire_callbacks();
    let _bot = world.start();
    let id = order_id(&anna.wait_for("принят").await);
    world.admin.wait_for(&format!("Новый заказ {id}")).await;
    drop(press);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn long_answers_break_nothing_and_reach_the_administrator_whole() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, &"<&>".repeat(20)).await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    for (_, question) in ANSWERS {
        anna.send(&"<&😀".repeat(1000)).await;
        anna.wait_for(question).await;
    }
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send(&"&".repeat(4096)).await;
    anna.wait_for("Проверьте заказ").await;
    anna.press("✅ Отправить заказ").await;
    let id = order_id(&anna.wait_for("принят").await);
    world.admin.wait_for("Хостинг").await;
    world.sandbox.settled().await;
    let told = world.admin.chat();
    let smiles: usize = told.messages.iter().map(|page| page.plain.matches('😀').count()).sum();
    assert_eq!(smiles, 8000);
    anna.send(STATUS).await;
    anna.press(&id).await;
    anna.wait_for("Статус: новый").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_the_form_goes_on() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    fill_in(&anna).await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    let summary = anna.wait_for("Проверьте заказ").await;
    assert!(summary.plain.contains("Бюджет: 50000"), "{summary}");
    anna.press("✅ Отправить заказ").await;
    anna.wait_for("принят").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_form_can_be_left_at_each_step() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    let gift = "INSERT INTO bonuses (user_id, roubles) VALUES (42, 300)";
    world.database().execute_batch(gift).expect("a gift");
    let last =
        [("нет", "работать"), ("ваш сервер", "На вашем счёте 300 ₽"), ("Нет", "Проверьте заказ")];
    let steps: Vec<_> = ANSWERS.into_iter().chain(last).collect();
    for step in 0..=steps.len() {
        anna.send(ORDER).await;
        anna.wait_for("Как вас зовут").await;
        for (answer, question) in &steps[..step] {
            anna.send(answer).await;
            anna.wait_for(question).await;
        }
        // neither a command that there is not nor a button of the menu is an answer
        for text in ["/help", STATUS] {
            anna.send(text).await;
            anna.wait_for("Сначала закончим заказ").await;
        }
        anna.send("❌ Отмена").await;
        anna.wait_for("заказ не отправлен").await;
    }
    anna.send(STATUS).await;
    anna.wait_for("Заказов у вас пока нет").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restart_at_each_step_of_the_form_goes_on() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    world.sandbox.settled().await;
    bot.stop().await;
    for (answer, question) in ANSWERS.into_iter().chain([("нет", "работать")]) {
        anna.send(answer).await;
        let bot = world.start();
        anna.wait_for(question).await;
        world.sandbox.settled().await;
        assert_eq!(bot.stop().await.code(), Some(0));
    }
    let _bot = world.start();
    anna.send("ваш сервер").await;
    let summary = anna.wait_for("Проверьте заказ").await;
    for part in ["Имя: O'Brien <Test> & Co 😀", "Контакт: +79990001122", "Хостинг: ваш сервер"]
    {
        assert!(summary.plain.contains(part), "{summary}");
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn buttons_of_another_form_do_nothing() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    let to_the_summary = async || {
        fill_in(&anna).await;
        anna.send("нет").await;
        anna.wait_for("работать").await;
        anna.send("ваш сервер").await;
        anna.wait_for("Проверьте заказ").await
    };
    let first = to_the_summary().await;
    anna.press_on(first.id, "❌ Отмена").await;
    let second = to_the_summary().await;
    for button in ["✅ Отправить заказ", "❌ Отмена"] {
        let stale = anna.press_on(first.id, button).await;
        assert!(stale.text.expect("a word").contains("уже не действует"), "{button}");
    }
    anna.press_on(second.id, "✅ Отправить заказ").await;
    anna.wait_for("принят").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn an_order_is_asked_for_by_its_number_also_after_a_restart() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.person(43, "Борис").await;
    let bot = world.start();
    let (annas, boriss) = (place(&anna).await, place(&boris).await);
    anna.send(STATUS).await;
    anna.wait_for("пришлите номер заказа").await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.send(&format!("  {annas} ")).await;
    anna.wait_for("Статус: новый").await;
    // somebody else's, or nobody's
    for wrong in [boriss, "<&😀".repeat(1000), "' OR 1=1 --".to_owned()] {
        anna.send(&wrong).await;
        anna.wait_for("такого номера нет").await;
    }
    anna.send_file(FileKind::Photo, "photo.png", b"photo", "").await;
    anna.wait_for("Не понял вас").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("вернулись в меню").await;
    anna.send(&annas).await;
    anna.wait_for("Не понял вас").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_keyboard_of_the_last_question_goes_with_it() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    fill_in(&anna).await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    let done = anna.wait_for("осталось проверить").await;
    anna.wait_for("Проверьте заказ").await;
    anna.send("Да").await;
    // a restore may have brought the form back below another keyboard
    let again = anna.wait_for("Остался один шаг").await;
    for told in [done, again] {
        let Some(ReplyKeyboard::Buttons(rows)) = told.reply_keyboard else { panic!("no way out") };
        assert_eq!(rows, [["❌ Отмена"]]);
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_time_of_an_old_order_is_read_to_the_second() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    let add = "INSERT INTO orders (user_id, order_id, timestamp, status, data)
               VALUES (42, 'order_1', '2026-02-01T10:00:00.123456', 'новый', '{}')";
    world.database().execute_batch(add).expect("an order of Python");
    anna.send(STATUS).await;
    anna.press("order_1").await;
    let order = anna.wait_for("Создан").await;
    assert!(order.plain.ends_with("Создан: 2026-02-01 10:00:00"), "{order}");
    world.sandbox.finish().await;
}
