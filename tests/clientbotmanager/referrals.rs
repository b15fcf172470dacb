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
    anna.wait_for("У вас 100 ₽ бонусов").await;
    anna.send("может быть").await;
    anna.wait_for("Ответьте «Да» или «Нет»").await;
    anna.send("Да").await;
    anna.wait_for("Бонусы, ₽: 100").await;
    anna.press("✅ Отправить заказ").await;
    world.admin.wait_for("Бонусы, ₽: 100").await;
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("На вашем счёте: 0 ₽").await;
    world.sandbox.finish().await;
}
