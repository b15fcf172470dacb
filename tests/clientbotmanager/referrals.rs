//! Friends and bonuses.

use crate::steps::fill_in;
use crate::world::World;

#[tokio::test]
async fn a_friend_counts_once_and_the_bonus_pays_for_an_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.newcomer(43, "Борис").await;
    let _bot = world.start();
    anna.send("/start ref42").await;
    let link = format!("https://t.me/{}?start=ref42", world.sandbox.bot_username());
    anna.wait_for(&link).await;
    boris.send("/start ref42").await;
    boris.wait_for("Здравствуйте, Борис").await;
    anna.wait_for("Вам начислено 100 ₽").await;
    boris.send("/start ref42").await;
    boris.wait_for("Здравствуйте, Борис").await;
    anna.send("/start ref43").await;
    anna.wait_for("Здравствуйте, Анна").await;
    anna.send("🎁 Бонусы и друзья").await;
    let page = anna.wait_for("На вашем счёте: 100 ₽").await;
    assert!(page.plain.contains("по вашей ссылке: 1") && page.plain.contains(&link), "{page}");

    fill_in(&anna).await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("На вашем счёте 100 ₽. Потратить бонусы на этот заказ?").await;
    anna.send("может быть").await;
    anna.wait_for("Ответьте «Да» или «Нет»").await;
    anna.wait_for("Потратить бонусы на этот заказ?").await;
    anna.send("Да").await;
    anna.wait_for("Бонусы: 100 ₽").await;
    anna.press("✅ Отправить заказ").await;
    world.admin.wait_for("Бонусы: 100 ₽").await;
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("На вашем счёте: 0 ₽").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn wrong_links_give_nobody_anything() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start ref42").await;
    anna.wait_for("Здравствуйте").await;
    let wrong = [
        // nobody with this id was ever here
        "ref777",
        "ref-42",
        "ref0",
        "ref",
        "42",
        "ref42x",
        "REF42",
        "ref99999999999999999999999",
        "ref9223372036854775807",
        "<b>&😀",
    ];
    for (number, link) in (100..).zip(wrong) {
        let newcomer = world.sandbox.newcomer(number, "Новый").await;
        newcomer.send(&format!("/start {link}")).await;
        newcomer.wait_for("Здравствуйте, Новый!").await;
        // too late: they are known by now
        newcomer.open_link("ref42").await;
        newcomer.wait_for("Здравствуйте, Новый!").await;
    }
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("На вашем счёте: 0 ₽").await;
    let count = |table: &str| {
        let count = format!("SELECT count(*) FROM {table}");
        world.database().query_row(&count, [], |row| row.get::<_, i64>(0))
    };
    assert_eq!((count("referrals"), count("bonuses")), (Ok(0), Ok(0)));
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_friend_counts_though_the_inviter_has_blocked_the_bot() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.newcomer(43, "Борис").await;
    let bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    anna.block_bot().await;
    boris.open_link("ref42").await;
    boris.wait_for("Здравствуйте").await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    // a restart makes nobody new
    boris.open_link("ref42").await;
    boris.wait_for("Здравствуйте").await;
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("На вашем счёте: 100 ₽").await;
    world.sandbox.finish().await;
}
