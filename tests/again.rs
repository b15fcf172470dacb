//! A backup of a large state that has changed little: what is taken over from the last archive.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use support::{Order, Scene, Shop};

/// About 4 MB of orders that do not compress to nothing.
fn large() -> Shop {
    let mut shop = Shop::default();
    let mut state = 1_u64;
    for number in 0..20_000_u64 {
        let mut text = String::new();
        while text.len() < 150 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            text.push_str(["бот ", "заказ ", "магазин ", "для "][(state >> 62) as usize]);
            text.push_str(&(state >> 40).to_string());
        }
        let order = Order { idea: text, status: "новый".to_owned() };
        shop.orders.entry(number / 10).or_default().insert(format!("order_{number}"), order);
    }
    shop
}

/// The state in an archive, as Python reads it.
fn read_by_python(archive: &Path) -> Shop {
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                  assert z.testzip() is None; sys.stdout.buffer.write(z.read('data.json'))";
    let output = Command::new("python3").args(["-c", script]).arg(archive).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a shop")
}

/// How many stretches of 100 bytes, of a hundred looked for, stand in both files.
fn shared(one: &[u8], other: &[u8]) -> usize {
    let pieces = one.chunks_exact(100).step_by((one.len() / 100 / 100).max(1));
    pieces.filter(|piece| other.windows(100).any(|window| window == *piece)).count()
}

#[tokio::test]
async fn a_second_backup_is_whole_and_takes_over_what_is_the_same() {
    let scene = Scene::start().await;
    scene.set_shop(large()).await;
    let first = scene.back_up().await;
    assert!(scene.folder().join(".blocks").is_file());

    let mut changed = large();
    changed.orders.get_mut(&1000).expect("a client").clear();
    scene.set_shop(changed.clone()).await;
    scene.clock.forward(TimeDelta::hours(1));
    let second = scene.back_up().await;
    let read = |name: &str| fs::read(scene.folder().join(name)).expect("an archive");
    assert!(read_by_python(&scene.folder().join(&second)) == changed);
    let same = shared(&read(&first), &read(&second));
    assert!(same > 80, "{same} of 100 pieces are the same");

    // neither the first archive nor what is remembered of it is needed for the second
    fs::remove_file(scene.folder().join(&first)).expect("removed");
    scene.clock.forward(TimeDelta::hours(1));
    fs::write(scene.folder().join(".blocks"), b"nonsense").expect("written");
    let third = scene.back_up().await;
    assert!(read_by_python(&scene.folder().join(&third)) == changed);

    // an archive that is not what it was gives nothing away to the next
    let mut broken = read(&third);
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    fs::write(scene.folder().join(&third), broken).expect("written");
    scene.clock.forward(TimeDelta::hours(1));
    let fourth = scene.back_up().await;
    assert!(read_by_python(&scene.folder().join(&fourth)) == changed);
    fs::remove_file(scene.folder().join(".blocks")).expect("removed");
    scene.finish().await;
}
