//! The three commands: what the administrator reads, to the letter.

mod support;

use std::fs;
use std::io;

use chrono::TimeDelta;
use support::{
    ADMIN, DOWNLOAD, Flaky, NO, Place, REDO, STALE, Scene, Step, Trouble, UNDO, YES, shop, size,
};
use telegram_sandbox::{Fault, File, Shown};
use teloxide_backup::Language;

fn labels(message: &Shown) -> Vec<Vec<&str>> {
    let rows = message.buttons.iter();
    rows.map(|row| row.iter().map(|button| button.text.as_str()).collect()).collect()
}

#[tokio::test]
async fn a_backup_is_where_the_answer_says() {
    let scene = Scene::start().await;
    scene.admin.send("/backup").await;
    let begun = scene.admin.wait_for("⏳ Создаю бекап…").await;
    let done = scene.admin.wait_for("✅").await;
    // one message, which becomes the result
    assert_eq!((begun.edits, done.edits, done.id), (0, 1, begun.id));
    let path = scene.folder().join("backup_20260201_143025.zip");
    assert_eq!(done.plain, format!("✅ Бекап создан успешно:\n{}", path.display()));
    // so that a tap copies the path
    assert_eq!(done.entities[0]["type"], "code");
    assert!(done.buttons.is_empty());
    assert!(path.is_file());
    assert_eq!(scene.files(), ["backup_20260201_143025.zip", "state.json"]);
    let methods: Vec<_> = scene.calls().into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, ["sendMessage", "editMessageText"]);
    assert_eq!(scene.host.take(), [""; 0]);
    scene.finish().await;
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_reads_a_backup() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    let mode = |path: &std::path::Path| {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&scene.folder()), 0o700);
    assert_eq!(mode(&scene.folder().join(name)), 0o600);
    assert_eq!(mode(&scene.folder().join("state.json")), 0o600);
    scene.finish().await;
}

#[tokio::test]
async fn a_second_backup_of_the_same_second_has_its_own_name() {
    let scene = Scene::start().await;
    assert_eq!(scene.back_up().await, "backup_20260201_143025.zip");
    assert_eq!(scene.back_up().await, "backup_20260201_143025_2.zip");
    scene.finish().await;
}

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let scene = Scene::start().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    assert_eq!(
        list.plain,
        "📂 Бекапов пока нет.\n\nСоздать первый: /backup\nВосстановить из файла: /backup_restore"
    );
    assert!(list.buttons.is_empty());
    scene.finish().await;
}

#[tokio::test]
async fn the_list_has_the_shape_of_the_specification() {
    let scene = Scene::start().await;
    scene.clock.set("2026-01-25 10:00:00");
    scene.set_shop(shop(10, 4)).await;
    let old = scene.back_up().await;
    scene.clock.set("2026-02-01 14:30:25");
    scene.set_shop(shop(12, 5)).await;
    let new = scene.back_up().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂 Список бекапов:").await;
    let expected = format!(
        "📂 Список бекапов:\n\
        \n\
        1. backup_20260201_143025.zip\n\
        \x20  Размер: {}\n\
        \x20  Создан: 2026-02-01T14:30:25\n\
        \x20  Записей: 12 заказов, 5 отзывов\n\
        \n\
        2. backup_20260125_100000.zip\n\
        \x20  Размер: {}\n\
        \x20  Создан: 2026-01-25T10:00:00\n\
        \x20  Записей: 10 заказов, 4 отзыва",
        size(&scene.folder().join(new)),
        size(&scene.folder().join(old)),
    );
    assert_eq!(list.plain, expected);
    assert_eq!(labels(&list), [["🔄 1. 2026-02-01 14:30"], ["🔄 2. 2026-01-25 10:00"]]);
    scene.finish().await;
}

/// The numbers before the entries of a page.
fn numbers(list: &Shown) -> Vec<usize> {
    let entries = list.plain.lines().filter(|line| line.contains(". backup_"));
    entries.map(|line| line.split('.').next().unwrap_or_default().parse().expect(line)).collect()
}

#[tokio::test]
async fn twelve_backups_are_three_pages_of_one_message() {
    let scene = Scene::with(|builder| builder.keep(100)).await;
    for _ in 0..12 {
        scene.back_up().await;
        scene.clock.forward(TimeDelta::days(1));
    }
    scene.admin.send("/backup_list").await;
    let first = scene.admin.wait_for("Страница 1 из 3").await;
    assert_eq!(numbers(&first), [1, 2, 3, 4, 5]);
    assert_eq!(labels(&first)[0], ["🔄 1. 2026-02-12 14:30"]);
    assert_eq!(labels(&first)[5..], [["▶️"]]);

    assert_eq!(scene.admin.press("▶️").await.text, None);
    let second = scene.admin.wait_for("Страница 2 из 3").await;
    assert_eq!(numbers(&second), [6, 7, 8, 9, 10]);
    assert_eq!(labels(&second)[0], ["🔄 6. 2026-02-07 14:30"]);
    assert_eq!(labels(&second)[5..], [["◀️", "▶️"]]);

    scene.admin.press("▶️").await;
    let third = scene.admin.wait_for("Страница 3 из 3").await;
    assert_eq!(numbers(&third), [11, 12]);
    assert_eq!(labels(&third)[2..], [["◀️"]]);

    scene.admin.press("◀️").await;
    let back = scene.admin.wait_for("Страница 2 из 3").await;
    assert_eq!(back.plain, second.plain);
    assert_eq!([second.id, third.id, back.id], [first.id; 3]);
    scene.finish().await;
}

#[tokio::test]
async fn a_page_that_is_gone_shows_the_last_one() {
    let scene = Scene::with(|builder| builder.keep(100)).await;
    for _ in 0..6 {
        scene.back_up().await;
        scene.clock.forward(TimeDelta::days(1));
    }
    scene.admin.send("/backup_list").await;
    let first = scene.admin.wait_for("Страница 1 из 2").await;
    fs::remove_file(scene.folder().join("backup_20260201_143025.zip")).expect("removed");
    // the button was shown while there was a second page
    scene.admin.press_on(first.id, "▶️").await;
    let last = scene.admin.wait_for("Список бекапов").await;
    assert_eq!(numbers(&last), [1, 2, 3, 4, 5]);
    assert_eq!(labels(&last).len(), 5);
    scene.finish().await;
}

#[tokio::test]
async fn a_damaged_archive_hides_no_other() {
    let scene = Scene::start().await;
    let good = scene.back_up().await;
    let damaged = scene.folder().join("backup_20260202_000000.zip");
    fs::write(&damaged, "<b>not a ZIP file").expect("written");
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let begin = format!(
        "📂 Список бекапов:\n\n1. backup_20260202_000000.zip\n   Размер: 0.0 KB\n   ⚠️ Повреждён, \
        восстановить из него нельзя\n\n2. {good}\n"
    );
    assert!(list.plain.starts_with(&begin), "{list}");
    assert_eq!(labels(&list), [["⚠️ 1. 2026-02-02 00:00"], ["🔄 2. 2026-02-01 14:30"]]);

    scene.admin.press("⚠️ 1. 2026-02-02 00:00").await;
    let refused = scene.admin.wait_for("❌").await;
    let begin = "❌ Из backup_20260202_000000.zip восстановить нельзя. Данные бота не изменены.\n\n\
        Архив повреждён. Выберите другой: /backup_list\n\n";
    assert!(refused.plain.starts_with(begin), "{refused}");
    assert_eq!(labels(&refused), [["📥 Скачать архив"], ["📂 К списку"]]);
    scene.admin.press("📂 К списку").await;
    let again = scene.admin.wait_for("📂 Список бекапов:").await;
    assert_eq!((again.id, again.plain), (list.id, list.plain));
    assert!(damaged.is_file());
    scene.finish().await;
}

#[tokio::test]
async fn what_is_not_a_backup_is_left_alone() {
    let mut scene = Scene::prepare(|builder| builder.keep(1)).await;
    let folder = scene.folder();
    fs::create_dir(&folder).expect("made");
    let foreign = [
        "notes.txt",
        "backup.zip",
        "backup_20260201_143025.zip.part",
        "backup_20260231_000000.zip",
    ];
    for name in foreign {
        fs::write(folder.join(name), name).expect("written");
    }
    fs::create_dir(folder.join("backup_20200101_000000.zip")).expect("made");
    #[cfg(unix)]
    std::os::unix::fs::symlink("notes.txt", folder.join("backup_20200102_000000.zip"))
        .expect("linked");
    let before = scene.files();
    scene.begin();
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("Бекапов пока нет").await;
    let first = scene.back_up().await;
    scene.clock.forward(TimeDelta::days(1));
    let second = scene.back_up().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    assert_eq!(list.buttons.len(), 1, "{list}");
    assert!(!scene.files().contains(&first));
    let mut expected = before;
    expected.extend([second, "state.json".to_owned()]);
    expected.sort();
    assert_eq!(scene.files(), expected);
    for name in foreign {
        assert_eq!(fs::read_to_string(folder.join(name)).expect("read"), name);
    }
    scene.finish().await;
}

fn settings(scene: &Scene, enabled: &str, last: &str, next: &str) -> String {
    format!(
        "⚙️ Настройки автоматического бекапа:\n\
        \n\
        Включено: {enabled}\n\
        Интервал: 7 дней\n\
        Директория: {}\n\
        Хранить бекапов: 10 шт.\n\
        \n\
        Последний бекап: {last}\n\
        Следующий бекап: {next}\n\
        \n\
        💡 Для изменения настроек отредактируйте файл config.toml",
        scene.folder().display()
    )
}

async fn settings_of(scene: &Scene) -> String {
    scene.admin.send("/backup_settings").await;
    let shown = scene.admin.wait_for("⚙️").await;
    assert!(shown.buttons.is_empty());
    shown.plain
}

#[tokio::test]
async fn the_settings_have_the_shape_of_the_specification() {
    let mut scene =
        Scene::prepare(|builder| builder.enabled(true).settings_file("config.toml")).await;
    // without any backup the schedule makes one at once: hold it, to see the time before
    scene.source.hold();
    scene.begin();
    scene.source.reached(Step::Export, 1).await;
    let before = settings(&scene, "✅", "ещё не было", "в ближайшие минуты");
    assert_eq!(settings_of(&scene).await, before);

    scene.source.release();
    let done = scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    let path = scene.folder().join("backup_20260201_143025.zip");
    let told = format!(
        "✅ Бекап по расписанию создан:\n{}\n\nРазмер: {}\nЗаписей: 12 заказов, 5 отзывов",
        path.display(),
        size(&path)
    );
    assert_eq!(done.plain, told);
    let after = settings(&scene, "✅", "2026-02-01 14:30:25", "2026-02-08 14:30:25");
    assert_eq!(settings_of(&scene).await, after);
    scene.finish().await;
}

#[tokio::test]
async fn the_settings_without_a_schedule() {
    let scene = Scene::with(|builder| builder.settings_file("config.toml")).await;
    let off = settings(&scene, "❌", "ещё не было", "по расписанию не будет");
    assert_eq!(settings_of(&scene).await, off);
    // the commands work all the same
    scene.back_up().await;
    let off = settings(&scene, "❌", "2026-02-01 14:30:25", "по расписанию не будет");
    assert_eq!(settings_of(&scene).await, off);
    scene.finish().await;
}

#[tokio::test]
async fn the_settings_say_that_the_host_forgot_to_start_the_schedule() {
    let mut scene =
        Scene::prepare(|builder| builder.enabled(true).settings_file("config.toml")).await;
    let plugin = scene.plugin();
    scene.mount(&plugin);
    let next = "расписание не запущено (в программе бота нет spawn)";
    assert_eq!(settings_of(&scene).await, settings(&scene, "✅", "ещё не было", next));
    scene.finish().await;
}

#[tokio::test]
async fn the_settings_of_a_host_without_a_settings_file() {
    let scene = Scene::with(|builder| builder.every(teloxide_backup::Days::new(1)).keep(3)).await;
    let shown = settings_of(&scene).await;
    assert!(shown.contains("Интервал: 1 день\n"), "{shown}");
    assert!(shown.contains("Хранить бекапов: 3 шт.\n"), "{shown}");
    assert!(shown.ends_with("💡 Настройки заданы в программе бота"), "{shown}");
    scene.finish().await;
}

#[tokio::test]
async fn the_administrator_may_speak_english() {
    let scene = Scene::with(|builder| builder.language(Language::English)).await;
    scene.admin.send("/backup_settings").await;
    let shown = scene.admin.wait_for("⚙️ Automatic backups:").await;
    assert!(shown.plain.contains("Interval: 7 days\n"), "{shown}");
    scene.admin.send("/backup").await;
    scene.admin.wait_for("⏳ Making a backup…").await;
    scene.admin.wait_for("✅ Backup made:").await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂 Backups:").await;
    assert!(list.plain.ends_with("   Records: 12 orders, 5 reviews"), "{list}");
    scene.admin.press("🔄 1. 2026-02-01 14:30").await;
    let question = scene.admin.wait_for("🔄 Restore the data from this backup?").await;
    assert_eq!(
        labels(&question),
        [["✅ Yes, restore"], ["❌ Cancel"], ["📥 Download the archive"]]
    );
    scene.admin.press("✅ Yes, restore").await;
    let done = scene.admin.wait_for("✅ Done! All data are loaded from the backup:").await;
    assert_eq!(labels(&done), [["↩️ Undo the restore"]]);
    for (method, text) in scene.calls() {
        let russian = text.chars().any(|symbol| ('а'..='я').contains(&symbol));
        assert!(!russian, "{method}: {text}");
    }
    scene.finish().await;
}

#[tokio::test]
async fn a_host_says_it_in_its_own_words() {
    let own = "list-empty = Пусто! <b>Сделайте</b> первый: /backup\nbackup-started = Минутку…";
    let scene = Scene::with(move |builder| builder.text(own)).await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Пусто!").await;
    assert_eq!(list.plain, "Пусто! Сделайте первый: /backup");
    assert_eq!(list.entities[0]["type"], "bold");
    scene.admin.send("/backup").await;
    scene.admin.wait_for("Минутку…").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.finish().await;
}

/// Fluent panics at the first where overflows are looked for, and has nothing to say for the second.
#[tokio::test]
async fn a_host_whose_words_fail_hears_the_plugins_own() {
    let nines = "9".repeat(400);
    let own = format!(
        "backup-started = {{ 1.{nines} ->\n    [one] x\n   *[other] y\n }}\n\
         backup-done =\n    .attribute = x\nlist-title = Вот:\n\
         records = {{ $count ->\n    [one] одна штука\n   *[other] {{ $count }} шт.\n }}"
    );
    let scene = Scene::with(move |builder| builder.text(own.clone())).await;
    scene.admin.send("/backup").await;
    if cfg!(debug_assertions) {
        scene.admin.wait_for("⏳ Создаю бекап…").await;
    }
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Вот:").await;
    assert!(list.plain.contains("12 шт."), "one that is sound is said: {list}");
    scene.sandbox.settled().await;
    let chat = scene.admin.chat();
    let told = chat.messages.iter().filter(|it| it.plain.contains("заданный в этом боте"));
    let told: Vec<_> = told.map(|message| message.plain.as_str()).collect();
    let first = if cfg!(debug_assertions) { "backup-started" } else { "backup-done" };
    assert!(told.len() == 1 && told[0].contains(first), "once: {told:?}");
    scene.finish().await;
}

#[tokio::test]
async fn a_message_of_broken_html_arrives_as_plain_text() {
    let own = "list-empty = <b>Пусто &amp; тихо\nbackup-done = <i>Готово</b>: { $path }";
    let scene = Scene::with(move |builder| builder.text(own)).await;
    scene.sandbox.expect_refusal("can't parse entities");
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Пусто").await;
    assert_eq!((list.plain.as_str(), list.parse_mode), ("Пусто & тихо", None));
    scene.admin.send("/backup").await;
    let begun = scene.admin.wait_for("⏳").await;
    let done = scene.admin.wait_for("Готово").await;
    let path = scene.folder().join("backup_20260201_143025.zip");
    assert_eq!((done.id, done.plain), (begun.id, format!("Готово: {}", path.display())));
    scene.finish().await;
}

#[tokio::test]
async fn a_failure_of_the_source_is_told_with_its_reason() {
    let scene = Scene::start().await;
    scene.source.break_at(Step::Export, Trouble::Fails);
    scene.admin.send("/backup").await;
    let begun = scene.admin.wait_for("⏳").await;
    let failed = scene.admin.wait_for("❌").await;
    let expected = "❌ Бекап не создан.\n\nНе получилось прочитать или записать данные бота. \
        Старые бекапы на месте.\n\nread the bot's data: the database is <away>";
    assert_eq!((failed.id, failed.plain.as_str()), (begun.id, expected));
    assert_eq!(scene.archives(), [""; 0]);
    // and the next one works
    scene.source.mend();
    scene.back_up().await;
    scene.finish().await;
}

#[tokio::test]
async fn what_happens_meanwhile_is_answered() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.source.reached(Step::Export, 2).await;
    // the bot goes on answering while the backup takes its time
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("📂 Список бекапов:").await;
    scene.admin.send("hello").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: hello"]);
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_second_administrator_is_told_to_wait() {
    let scene = Scene::with(|builder| builder.admin(teloxide::types::UserId(43))).await;
    let boris = scene.sandbox.person(43, "Борис").await;
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.source.reached(Step::Export, 1).await;
    boris.send("/backup").await;
    let busy = boris.wait_for("❌").await;
    let expected = "❌ Бекап не создан.\n\nСейчас идёт другой бекап или восстановление. \
        Подождите, пока закончится, и повторите.";
    assert_eq!(busy.plain, expected);
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    assert_eq!(scene.archives().len(), 1);
    scene.finish().await;
}

#[tokio::test]
async fn the_whole_way_there_and_back_again() {
    let scene = Scene::start().await;
    let (old, new) = (shop(12, 5), shop(21, 1));
    let name = scene.back_up().await;
    scene.set_shop(new.clone()).await;
    scene.clock.forward(TimeDelta::hours(1));
    let question = scene.choose_newest().await;
    let expected = format!(
        "🔄 Восстановить данные из этого бекапа?\n\n{name}\nРазмер: {}\nСоздан: \
        2026-02-01T14:30:25\n\nВ бекапе: 12 заказов, 5 отзывов\nСейчас в боте: 21 заказ, 1 отзыв\
        \n\nСначала я сохраню текущие данные, поэтому восстановление можно будет отменить.\n\n\
        Кнопки действуют 2 минуты.",
        size(&scene.folder().join(&name))
    );
    assert_eq!(question.plain, expected);
    assert_eq!(labels(&question), [[YES], [NO], [DOWNLOAD]]);
    assert_eq!(scene.shop().await, new);

    assert_eq!(scene.admin.press(YES).await.text, None);
    let done = scene.admin.wait_for("✅ Готово!").await;
    let expected = format!(
        "✅ Готово! Все данные загружены из бекапа:\n{name}\n\nВосстановлено: 12 заказов, 5 отзывов"
    );
    assert_eq!((done.id, done.plain.as_str()), (question.id, expected.as_str()));
    assert_eq!(labels(&done), [[UNDO]]);
    assert_eq!(scene.shop().await, old);

    assert_eq!(scene.admin.press(UNDO).await.text, None);
    let undone = scene.admin.wait_for("↩️ Восстановление отменено").await;
    let expected = "↩️ Восстановление отменено, данные снова такие, как до него.\n\nВозвращено: \
        21 заказ, 1 отзыв";
    assert_eq!((undone.id, undone.plain.as_str()), (done.id, expected));
    assert_eq!(labels(&undone), [[REDO]]);
    assert_eq!(scene.shop().await, new);
    redo(&scene, undone.id).await;
    assert_eq!(scene.shop().await, old);
    scene.finish().await;
}

async fn redo(scene: &Scene, message: i64) {
    let undo = scene.sandbox.chat(ADMIN);
    let data = undo.last_from_bot().and_then(|shown| shown.button(REDO)?.data.clone());
    assert_eq!(scene.admin.press(REDO).await.text, None);
    let again = scene.admin.wait_for("↩️ Готово").await;
    let expected = "↩️ Готово, данные снова такие, как до отмены.\n\nВозвращено: \
        12 заказов, 5 отзывов";
    assert_eq!((again.id, again.plain.as_str()), (message, expected));
    // and so on, for whoever cannot decide
    assert_eq!(labels(&again), [[UNDO]]);
    // the button of before leads nowhere any more
    let stale = scene.admin.press_data(message, data.expect("a button")).await;
    assert_eq!(stale.text.as_deref(), Some(STALE));
}

#[tokio::test]
async fn the_archive_comes_into_the_chat_and_the_question_stays() {
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    let question = scene.choose_newest().await;
    assert_eq!(scene.admin.press_on(question.id, DOWNLOAD).await.text, None);
    let sent = scene.admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;
    assert_eq!(sent.file_name, name);
    let lying = std::fs::read(scene.folder().join(&name)).expect("read");
    assert_eq!(scene.sandbox.file(&sent.file_id), Some(lying));
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    scene.finish().await;
}

#[tokio::test]
async fn an_archive_that_cannot_be_sent_is_told() {
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    let question = scene.choose_newest().await;
    scene
        .sandbox
        .inject(Fault::Refuse { status: 400, description: "Bad Request: no" }.on("sendDocument"));
    scene.admin.press_on(question.id, DOWNLOAD).await;
    let told = scene.admin.wait_for("Telegram сейчас не принял архив").await;
    assert!(told.plain.contains(&name), "{told}");
    std::fs::remove_file(scene.folder().join(&name)).expect("removed");
    scene.admin.press_on(question.id, DOWNLOAD).await;
    scene.admin.wait_for("Такого бекапа больше нет").await;
    scene.finish().await;
}

/// A download asks of an archive only how long it is: a hole on the disk is as long as any data.
#[tokio::test]
async fn what_is_too_large_for_telegram_is_told_with_its_place() {
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    let question = scene.choose_newest().await;
    let path = scene.folder().join(&name);
    let lengthen = |bytes| {
        let archive = std::fs::File::options().write(true).open(&path).expect("the archive");
        archive.set_len(bytes).expect("a longer one");
    };
    // what can be sent, and whether the bot could be given it back
    for (bytes, returns) in [(20 << 20, true), ((20 << 20) + 1, false), (50_000_000, false)] {
        lengthen(bytes as u64);
        scene.admin.press_on(question.id, DOWNLOAD).await;
        let of_that_length = |document: &File| document.size == bytes;
        let sent = scene.admin.wait_until(|chat| {
            let last = chat.last_from_bot()?;
            last.document.as_ref().is_some_and(of_that_length).then(|| last.clone())
        });
        let sent = sent.await;
        assert_eq!(sent.document.as_ref().map(|file| &file.file_name), Some(&name));
        let folder = scene.folder().display().to_string();
        let note = sent.plain.starts_with("Больше 20 МБ") && sent.plain.ends_with(&folder);
        assert_eq!((note, sent.plain.is_empty()), (!returns, returns), "{sent}");
    }

    lengthen(50_000_001);
    scene.sandbox.settled().await;
    scene.sandbox.clear_calls();
    assert_eq!(scene.admin.press_on(question.id, DOWNLOAD).await.text, None);
    let told = scene.admin.wait_for("Архив больше 50 МБ").await;
    assert!(told.plain.ends_with(&format!("\n{}", path.display())), "{told}");
    let methods: Vec<_> = scene.called(2).await.into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, ["answerCallbackQuery", "sendMessage"], "and it was not sent");
    scene.finish().await;
}

#[tokio::test]
async fn a_safety_backup_is_marked_in_the_list() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.restore_newest().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let safety = "1. backup_20260201_153025.zip\n";
    assert!(list.plain.contains(safety), "{list}");
    let marks = list.plain.matches("\n   🛟 Сохранён перед восстановлением").count();
    assert_eq!(marks, 1, "{list}");
    scene.finish().await;
}

#[tokio::test]
async fn a_folder_may_have_any_name() {
    let home = tempfile::TempDir::new().expect("a folder");
    let folder = home.path().join("Бекапы <b>& Co</b> {$x} 50%_*");
    let chosen = folder.clone();
    let scene = Scene::with(move |builder| builder.folder(chosen.clone())).await;
    scene.admin.send("/backup").await;
    let done = scene.admin.wait_for("✅").await;
    let path = folder.join("backup_20260201_143025.zip");
    assert_eq!(done.plain, format!("✅ Бекап создан успешно:\n{}", path.display()));
    assert!(path.is_file());
    let shown = settings_of(&scene).await;
    assert!(shown.contains(&format!("\nДиректория: {}\n", folder.display())), "{shown}");
    scene.finish().await;
}

#[tokio::test]
async fn a_folder_that_vanished_is_told_and_not_made_anew() {
    let scene = Scene::start().await;
    scene.back_up().await;
    // as a disk that is no longer mounted: what were written in its place would be lost
    fs::remove_dir_all(scene.folder()).expect("removed");
    for command in ["/backup_list", "/backup_settings", "/backup"] {
        scene.admin.send(command).await;
        let failed = scene.admin.wait_for("❌").await;
        assert!(failed.plain.contains("Папка бекапов не работает."), "{command}: {failed}");
    }
    assert!(!scene.folder().exists());
    fs::create_dir(scene.folder()).expect("made");
    scene.back_up().await;
    scene.finish().await;
}

#[tokio::test]
async fn a_page_of_any_number_is_a_page() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.admin.send("/backup_settings").await;
    let message = scene.admin.wait_for("⚙️").await;
    scene.admin.press_data(message.id, format!("bkp:p:{}", usize::MAX)).await;
    let list = scene.admin.wait_for("📂 Список бекапов:").await;
    assert_eq!((list.id, numbers(&list)), (message.id, vec![1]));
    scene.finish().await;
}

#[tokio::test]
async fn an_alert_is_plain_and_short_whatever_the_host_writes() {
    let long = format!("stale = <b>Поздно</b> &amp; {}", "очень ".repeat(60));
    let scene = Scene::with(move |builder| builder.text(long.clone())).await;
    scene.back_up().await;
    let list = scene.choose_newest().await;
    // an answer that is refused never comes: no use in waiting for it
    scene.sandbox.set_patience(std::time::Duration::from_secs(5));
    // Telegram takes 200 characters, and shows tags as they are
    let alert = scene.admin.press_data(list.id, "bkp:y:1").await.text.expect("an alert");
    assert!(alert.starts_with("Поздно & очень"), "{alert}");
    scene.finish().await;
}

/// A scene whose storage fails when it is told to.
async fn flaky() -> (Scene, Flaky) {
    let storage = Flaky::new();
    let own = storage.clone();
    (Scene::with(move |builder| builder.keep(1).storage(own.clone())).await, storage)
}

#[tokio::test]
async fn a_storage_that_fails_is_told_with_what_to_do() {
    let (scene, storage) = flaky().await;
    let words = [
        (io::ErrorKind::StorageFull, "На диске кончилось место."),
        (io::ErrorKind::PermissionDenied, "Нет доступа к папке бекапов."),
        (io::ErrorKind::TimedOut, "Папка бекапов не работает."),
    ];
    for (kind, words) in words {
        storage.break_at(Place::Draft, 0, kind);
        scene.admin.send("/backup").await;
        let failed = scene.admin.wait_for("❌").await;
        assert!(failed.plain.starts_with(&format!("❌ Бекап не создан.\n\n{words}")), "{failed}");
        storage.break_at(Place::List, 0, kind);
        scene.admin.send("/backup_list").await;
        let failed = scene.admin.wait_for("❌").await;
        let begin = format!("❌ Не получилось прочитать список бекапов.\n\n{words}");
        assert!(failed.plain.starts_with(&begin), "{failed}");
    }
    storage.mend();
    scene.back_up().await;
    scene.finish().await;
}

#[tokio::test]
async fn an_old_backup_that_stays_is_told_and_is_no_failure() {
    let (scene, storage) = flaky().await;
    scene.back_up().await;
    scene.clock.forward(TimeDelta::days(1));
    storage.break_at(Place::Delete, 0, io::ErrorKind::PermissionDenied);
    scene.admin.send("/backup").await;
    let done = scene.admin.wait_for("✅ Бекап создан успешно").await;
    let line = "\n\n⚠️ Старые бекапы удалить не получилось, новый на месте.\n\nНет доступа";
    assert!(done.plain.contains(line), "{done}");
    storage.mend();
    scene.clock.forward(TimeDelta::days(1));
    scene.back_up().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    assert_eq!(numbers(&list), [1]);
    scene.finish().await;
}
