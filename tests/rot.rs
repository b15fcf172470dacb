//! Archives that their disk has damaged since they were made: no good one goes for their sake.

mod support;

use std::fs;

use chrono::TimeDelta;
use support::{Scene, YES, shop};

/// A bot that keeps two, with two good backups.
async fn kept() -> (Scene, String, String) {
    let scene = Scene::with(|builder| builder.keep(2)).await;
    let old = scene.back_up().await;
    let new = later(&scene, 1).await;
    (scene, old, new)
}

/// Another backup of other data, some days later.
async fn later(scene: &Scene, days: i64) -> String {
    scene.clock.forward(TimeDelta::days(days));
    let orders = scene.archives().len() as u64;
    scene.set_shop(shop(20 + orders, 1)).await;
    scene.back_up().await
}

/// Turns a bit of an archive, and leaves all that a list looks at as it was.
fn rot(scene: &Scene, name: &str) {
    let path = scene.folder().join(name);
    let before = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a file");
    let mut bytes = fs::read(&path).expect("read");
    // among the compressed data
    bytes[100] ^= 4;
    fs::write(&path, bytes).expect("written");
    let file = fs::File::options().write(true).open(&path).expect("a file");
    file.set_modified(before).expect("set");
}

#[tokio::test]
async fn what_a_check_found_damaged_counts_no_more() {
    let (scene, old, rotten) = kept().await;
    rot(&scene, &rotten);
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    scene.admin.press_on(list.id, &list.buttons[0][0].text.clone()).await;
    scene.admin.wait_for("восстановить нельзя").await;
    let new = later(&scene, 1).await;
    assert_eq!(scene.archives(), [old, rotten.clone(), new.clone()]);
    // it is not one of the two, and it does not go either
    let newest = later(&scene, 1).await;
    assert_eq!(scene.archives(), [rotten, new, newest]);
    scene.finish().await;
}

#[tokio::test]
async fn what_a_restore_found_damaged_counts_no_more() {
    let (scene, old, rotten) = kept().await;
    let question = scene.choose_newest().await;
    rot(&scene, &rotten);
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("❌").await;
    let new = later(&scene, 1).await;
    assert_eq!(scene.archives(), [old, rotten, new]);
    scene.finish().await;
}

#[tokio::test]
async fn what_nobody_has_read_for_a_month_is_read_before_another_goes_for_its_sake() {
    let (scene, old, rotten) = kept().await;
    rot(&scene, &rotten);
    let new = later(&scene, 31).await;
    assert_eq!(scene.archives(), [old, rotten, new]);
    scene.finish().await;
}

#[tokio::test]
async fn what_is_whole_is_one_of_those_that_are_kept() {
    let (scene, _, whole) = kept().await;
    let new = later(&scene, 31).await;
    assert_eq!(scene.archives(), [whole, new]);
    scene.finish().await;
}
