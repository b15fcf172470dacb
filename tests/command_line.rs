//! The backups without Telegram: the reference example's commands, as processes of their own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};
use telegram_sandbox::Sandbox;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

#[path = "support/canary.rs"]
mod canary;
#[path = "command_line/inside.rs"]
mod inside;

const ADMIN: i64 = 42;
const PYTHON: &str = "tests/fixtures/python-archives/backup_20260201_143025.zip";

/// A folder with a bot's settings, and no bot that runs.
struct Server(TempDir);

/// What a command has said, and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    results: String,
    reasons: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let said = Self {
            code: output.status.code(),
            results: text(output.stdout),
            reasons: text(output.stderr),
        };
        canary::note(&said.results);
        canary::note(&said.reasons);
        said
    }
}

impl Server {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    /// A server with the orders of the Python bot.
    fn with_orders() -> Self {
        let server = Self::new();
        let said = server.run(&["restore", &fixture()]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(server.orders(), 24);
        server
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(words)
            .current_dir(self.0.path())
            .env_clear()
            .env("ADMIN_USER_ID", ADMIN.to_string())
            .env("BACKUP_KEEP_COUNT", "100")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = self.command(words);
        let Some(everything) = canary::everything() else {
            return command.output().expect("it runs").into();
        };
        let mut said = Said::from(command.env("RUST_LOG", everything).output().expect("it runs"));
        // what it does not log by itself was for the listener
        let details = [" TRACE ", " DEBUG ", " INFO "];
        let is_said = |line: &&str| !details.iter().any(|level| line.contains(level));
        said.reasons = said.reasons.split_inclusive('\n').filter(is_said).collect();
        said
    }

    /// The same as a person at a terminal, who types this line.
    fn at_terminal(&self, words: &str, answer: &str) -> Said {
        let mut command = Command::new("script");
        let line = format!("{} {words}", program().display());
        command
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .current_dir(self.0.path())
            .env("ADMIN_USER_ID", ADMIN.to_string())
            .env_remove("TELOXIDE_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("script, of util-linux");
        io::Write::write_all(&mut child.stdin.take().expect("a keyboard"), answer.as_bytes())
            .expect("typed");
        child.wait_with_output().expect("it ends").into()
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("backups")
    }

    fn archives(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|kind| kind == "zip"));
        names.sort();
        names
    }

    fn database(&self) -> Connection {
        Connection::open(self.0.path().join("clientbotmanager.db")).expect("a database")
    }

    fn orders(&self) -> i64 {
        let query = "SELECT count(*) FROM orders";
        self.database().query_row(query, [], |row| row.get(0)).expect("a count")
    }

    fn lose_orders(&self) {
        self.database().execute("DELETE FROM orders", []).expect("deleted");
    }
}

fn fixture() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PYTHON);
    path.to_str().expect("text").to_owned()
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.parent().and_then(Path::parent).expect("the target folder");
    let program =
        target.join("examples").join(format!("clientbotmanager{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build --example clientbotmanager");
    program
}

#[test]
fn a_backup_is_made_listed_checked_and_restored() {
    let server = Server::with_orders();
    let made = server.run(&["backup"]);
    assert_eq!((made.code, made.reasons.as_str()), (Some(0), ""));
    let path = PathBuf::from(made.results.lines().last().expect("a path"));
    assert!(path.is_absolute() && path.is_file(), "{path:?}");
    let name = path.file_name().expect("a name").to_str().expect("text");
    let unzip = Command::new("unzip").arg("-tq").arg(&path).status().expect("unzip");
    assert!(unzip.success());

    let listed = server.run(&["list"]);
    assert_eq!((listed.code, listed.reasons.as_str()), (Some(0), ""));
    let lines: Vec<&str> = listed.results.lines().collect();
    assert_eq!(lines.len(), 2, "and what was there before the first restore: {lines:?}");
    assert_eq!(lines[0].split_whitespace().next(), Some(name));
    assert!(lines[0].ends_with("24 заказа, 5 отзывов"), "{}", lines[0]);
    assert!(lines[1].ends_with("(сохранён перед восстановлением)"), "{}", lines[1]);

    let checked = server.run(&["verify", name]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.results.contains("24 заказа"), "{checked:?}");
    assert_eq!(server.run(&["verify"]).results.lines().count(), 2);

    server.lose_orders();
    let restored = server.run(&["restore", name]);
    assert_eq!((restored.code, restored.reasons.as_str()), (Some(0), ""));
    assert_eq!(server.orders(), 24);
    // the way back is the line that it prints
    let back = restored.results.lines().last().expect("a way back").trim();
    let words: Vec<&str> = back.split_whitespace().collect();
    // as it was called, so that the line can be copied
    assert_eq!(words[..2], [program().to_str().expect("text"), "restore"]);
    assert_eq!(server.run(&words[1..]).code, Some(0));
    assert_eq!(server.orders(), 0);
}

#[test]
fn a_restore_that_loses_an_order_is_taken_back() {
    let server = Server::with_orders();
    let made = server.run(&["backup"]).results;
    let path = Path::new(made.lines().last().expect("a path").trim());
    let name = path.file_name().expect("a name").to_str().expect("text");
    // somebody else's rule in the database: this order does not come back
    let rule = "CREATE TABLE lost AS SELECT order_id FROM orders LIMIT 1;
                DELETE FROM orders WHERE order_id IN lost;
                CREATE TRIGGER lose AFTER INSERT ON orders WHEN new.order_id IN lost
                BEGIN DELETE FROM orders WHERE order_id = new.order_id; END";
    server.database().execute_batch(rule).expect("a rule");
    let said = server.run(&["restore", name]);
    assert_eq!((said.code, said.results.as_str()), (Some(1), ""), "{said:?}");
    for line in [
        "❌ После восстановления данные не такие, как в бекапе. Всё возвращено, как было.",
        "В бекапе: 24 заказа\nПосле восстановления: 23 заказа",
        "остановите его и повторите.",
    ] {
        assert!(said.reasons.contains(line), "{said:?}");
    }
    assert_eq!(server.orders(), 23);
    // it is no restore that was cut off, and what had come of it can be had
    let keep: Vec<&str> = said.reasons.lines().last().expect("a way").split_whitespace().collect();
    let kept = server.run(&keep[1..]);
    assert_eq!((kept.code, kept.reasons.as_str()), (Some(0), ""), "{kept:?}");
}

#[test]
fn a_file_from_anywhere_is_restored_whatever_its_name() {
    let server = Server::new();
    let elsewhere = TempDir::new().expect("a folder");
    let download = elsewhere.path().join("backup (1) & co.zip");
    fs::copy(fixture(), &download).expect("copied");
    let path = download.to_str().expect("text");
    assert_eq!(server.run(&["verify", path]).code, Some(0));
    let said = server.run(&["restore", path]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.results.contains("24 заказа") && said.results.contains(path), "{said:?}");
    assert_eq!(server.orders(), 24);
    assert_eq!(fs::read(&download).expect("still there"), fs::read(fixture()).expect("read"));
    assert_eq!(server.archives().len(), 1, "what was live before, and no copy");
}

#[cfg(unix)]
#[test]
fn a_link_means_the_file_that_it_leads_to() {
    let server = Server::new();
    std::os::unix::fs::symlink(fixture(), server.0.path().join("newest.zip")).expect("a link");
    assert_eq!(server.run(&["verify", "newest.zip"]).code, Some(0));
}

#[test]
fn what_is_damaged_or_missing_changes_nothing() {
    let server = Server::with_orders();
    let whole = fs::read(fixture()).expect("read");
    let cut = server.0.path().join("cut.zip");
    fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    let before = server.archives();
    for (words, code, reason) in [
        (["verify", "cut.zip"], 3, "Архив повреждён"),
        (["restore", "cut.zip"], 3, "Архив повреждён"),
        (["verify", "none.zip"], 1, "Такого бекапа нет"),
        (["restore", "none.zip"], 1, "Такого бекапа нет"),
        (["restore", "backup_20200101_000000.zip"], 1, "Такого бекапа нет"),
        (["restore", "."], 1, "Такого бекапа нет"),
    ] {
        let said = server.run(&words);
        assert_eq!((said.code, said.results.as_str()), (Some(code), ""), "{words:?} {said:?}");
        assert!(said.reasons.contains(reason), "{words:?} {said:?}");
    }
    assert_eq!((server.orders(), server.archives()), (24, before));

    // one bad archive among good ones is named, and the others are checked all the same
    fs::rename(&cut, server.folder().join("backup_20200101_000000.zip")).expect("moved");
    let said = server.run(&["verify"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert_eq!((said.results.lines().count(), said.reasons.lines().count()), (1, 1), "{said:?}");
    assert!(said.reasons.starts_with("❌ backup_20200101_000000.zip"), "{said:?}");
    assert_eq!(server.run(&["list"]).code, Some(0));
}

#[test]
fn a_place_that_cannot_be_read_is_not_an_empty_one() {
    let server = Server::new();
    fs::write(server.folder(), "no folder").expect("written");
    let said = server.run(&["verify", "backup_20260201_143025.zip"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.reasons.contains("Такого бекапа нет"), "{said:?}");
    for (words, reason) in [
        (&["backup"][..], "❌ Бекап не создан."),
        (&["restore", &fixture()], "❌ Восстановить не получилось. Данные бота не изменены."),
    ] {
        let said = server.run(words);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.reasons.starts_with(reason), "{said:?}");
        assert!(said.reasons.contains("backups"), "{said:?}");
    }
}

#[test]
fn a_script_that_relies_on_backups_hears_that_there_is_none() {
    let server = Server::new();
    let said = server.run(&["verify"]);
    assert_eq!((said.code, said.results.as_str()), (Some(1), ""), "{said:?}");
    let folder = server.folder();
    let named = folder.to_str().expect("text");
    assert!(said.reasons.contains(named), "a folder that is missing is named: {said:?}");
    assert!(!folder.exists(), "looking makes no folder");
    fs::create_dir(&folder).expect("made");
    let said = server.run(&["verify"]);
    assert_eq!((said.code, said.reasons.as_str()), (Some(1), "Бекапов пока нет.\n"));
    let said = server.run(&["list"]);
    assert_eq!((said.code, said.results.as_str()), (Some(0), ""));
}

#[test]
fn wrong_words_explain_the_right_ones() {
    let server = Server::new();
    // before the settings are looked at, which may be what is wrong
    let bare = |words: &[&str]| {
        let command = &mut server.command(words);
        Said::from(command.env_remove("ADMIN_USER_ID").output().expect("it runs"))
    };
    for words in [&["restor"][..], &["backup", "now"], &["restore"], &["--version"]] {
        let said = bare(words);
        assert_eq!((said.code, said.results.as_str()), (Some(2), ""), "{words:?}");
        assert!(said.reasons.contains("clientbotmanager КОМАНДА"), "{words:?} {said:?}");
    }
    let said = bare(&["help"]);
    assert_eq!((said.code, said.reasons.as_str()), (Some(0), ""));
    assert!(said.results.contains("restore ФАЙЛ"), "{said:?}");
    assert_eq!(fs::read_dir(server.0.path()).expect("a folder").count(), 0, "nothing was made");
}

/// What a client has written, as a marker.
const CLIENT: &str = "canary-of-a-client";

/// Runs a command with all that it can log; neither the client's words nor the token are in it.
fn run_unheard(server: &Server, words: &[&str]) -> Said {
    const SECRET: &str = "canary-of-the-token";
    let mut command = server.command(words);
    command.env("RUST_LOG", "trace").env("TELOXIDE_TOKEN", format!("123456:{SECRET}"));
    let said = Said::from(command.output().expect("it runs"));
    for marker in [CLIENT, SECRET] {
        let told = format!("{}{}", said.results, said.reasons);
        assert!(!told.contains(marker), "{words:?}: {told}");
    }
    said
}

fn write_archive(path: &Path, data: &Value) {
    let metadata = json!({ "created_at": "2026-03-01T10:00:00", "backup_version": "1.0" });
    let mut zip = ZipWriter::new(File::create(path).expect("a file"));
    for (name, json) in [("data.json", data), ("metadata.json", &metadata)] {
        zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
        serde_json::to_writer(&mut zip, json).expect("written");
    }
    zip.finish().expect("an archive");
}

#[test]
fn no_command_says_or_logs_the_token_or_what_a_client_has_written() {
    let server = Server::with_orders();
    let marks = format!(
        "UPDATE orders SET status = '{CLIENT}', data = json_set(data, '$.idea', '{CLIENT}');
         UPDATE reviews SET author = '{CLIENT}', text = '{CLIENT}'"
    );
    server.database().execute_batch(&marks).expect("marked");
    let made = run_unheard(&server, &["backup"]);
    assert!(made.code == Some(0) && made.reasons.contains("made a backup"), "{made:?}");
    let path = made.results.lines().last().expect("a path").to_owned();
    let data = fs::read(&path).expect("the archive");
    for words in [&["list"][..], &["verify"], &["verify", &path], &["restore", &path]] {
        assert_eq!(run_unheard(&server, words).code, Some(0), "{words:?}");
    }

    // cut off, and with such a word where something else should be
    let broken = server.folder().join("backup_20260301_100000.zip");
    fs::write(&broken, &data[..data.len() - 100]).expect("written");
    assert_eq!(run_unheard(&server, &["verify"]).code, Some(3));
    for tickets in [json!({ "42": { "0": CLIENT } }), json!({ CLIENT: {} }), json!([CLIENT])] {
        let data = json!({ "tickets": tickets, "referrals": {}, "bonuses": {}, "reviews": [] });
        write_archive(&broken, &data);
        for word in ["verify", "restore"] {
            let said = run_unheard(&server, &[word, broken.to_str().expect("text")]);
            assert_eq!(said.code, Some(3), "{word} {said:?}");
            assert!(said.reasons.contains("❌"), "{word} {said:?}");
        }
    }
    assert_eq!(server.orders(), 24);
}

#[test]
fn a_person_at_a_terminal_is_asked_first() {
    let server = Server::with_orders();
    assert_eq!(server.run(&["backup"]).code, Some(0));
    let name = server.archives().pop().expect("a backup");
    server.lose_orders();
    for no in ["н\n", "\n", "no\n", "что?\n"] {
        let said = server.at_terminal(&format!("restore {name}"), no);
        assert_eq!((said.code, server.orders()), (Some(1), 0), "{no} {said:?}");
        assert!(said.results.contains("Сейчас в боте: 0 заказов"), "{said:?}");
        assert!(said.results.contains("Отменено. Данные бота не изменены."), "{said:?}");
    }
    let said = server.at_terminal(&format!("restore {name}"), "да\n");
    assert_eq!((said.code, server.orders()), (Some(0), 24), "{said:?}");
    server.lose_orders();
    let said = server.at_terminal(&format!("restore --yes {name}"), "");
    assert_eq!((said.code, server.orders()), (Some(0), 24), "{said:?}");
    assert!(!said.results.contains("Продолжить?"), "{said:?}");
}

#[test]
fn data_that_cannot_be_saved_are_given_up_by_force_alone() {
    let server = Server::with_orders();
    server.database().execute("UPDATE orders SET data = 'не JSON'", []).expect("damaged");
    let before = server.archives();
    let said = server.run(&["restore", &fixture()]);
    assert_eq!((said.code, said.results.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.reasons.contains("--force"), "{said:?}");
    assert_eq!(server.archives(), before);
    let said = server.run(&["restore", "--force", &fixture()]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.results.contains("Вернуть"), "there is no way back: {said:?}");
    let query = "SELECT count(*) FROM orders WHERE json_valid(data)";
    let sound: i64 = server.database().query_row(query, [], |row| row.get(0)).expect("a count");
    assert_eq!(sound, 24);
}

#[test]
fn many_at_once_wait_for_one_another() {
    let server = Server::with_orders();
    let running: Vec<_> = (0..8)
        .map(|_| server.command(&["backup"]).stdout(Stdio::piped()).spawn().expect("it runs"))
        .collect();
    let mut paths: Vec<String> = running
        .into_iter()
        .map(|child| Said::from(child.wait_with_output().expect("it ends")))
        .map(|said| {
            assert_eq!(said.code, Some(0), "{said:?}");
            said.results.lines().last().expect("a path").to_owned()
        })
        .collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 8, "each has one of its own");
    let said = server.run(&["verify"]);
    assert_eq!((said.code, said.results.lines().count()), (Some(0), 9), "{said:?}");
    // no program has written over another's notes
    let notes = fs::read(server.folder().join("state.json")).expect("a notebook");
    let notes: Value = serde_json::from_slice(&notes).expect("JSON");
    assert_eq!(notes["proofs"].as_object().expect("proofs").len(), 9);
}

#[test]
fn an_archive_beside_a_person_is_checked_though_there_is_no_folder() {
    let server = Server::with_orders();
    assert_eq!(server.run(&["backup"]).code, Some(0));
    let name = server.archives().remove(0);
    let beside = server.0.path().join(&name);
    fs::rename(server.folder().join(&name), &beside).expect("moved");
    fs::remove_dir_all(server.folder()).expect("removed");
    let said = server.run(&["verify", &name]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_command_waits_for_what_runs() {
    let server = Server::with_orders();
    let lock = File::options().write(true).open(server.folder().join(".lock")).expect("a lock");
    lock.lock().expect("taken");
    let before = server.archives();
    let mut child = server
        .command(&["backup"])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let log = io::BufReader::new(child.stderr.take().expect("a log"));
    let lines = io::BufRead::lines(log).map_while(Result::ok);
    let mut lines = lines.inspect(|line| canary::note(line));
    assert!(lines.any(|line| line.contains("waiting for another program")), "it did not wait");
    assert_eq!(server.archives(), before);
    drop(lock);
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(server.archives().len(), before.len() + 1);
}

#[tokio::test]
async fn a_bot_that_runs_sees_what_a_command_restored() {
    let server = Server::new();
    let sandbox = Sandbox::start().await;
    let admin = sandbox.person(ADMIN, "Админ").await;
    let mut bot = server
        .command(&[])
        .env("TELOXIDE_TOKEN", sandbox.token())
        .env("TELOXIDE_API_URL", sandbox.url())
        .env("RUST_LOG", canary::everything().unwrap_or("off"))
        .stderr(canary::log().map_or_else(Stdio::null, Stdio::from))
        .spawn()
        .expect("it runs");
    // its first backup is due at once
    admin.wait_for("Бекап по расписанию создан").await;
    let restore = server.command(&["restore", &fixture()]).output();
    assert_eq!(Said::from(restore.expect("it runs")).code, Some(0));
    admin.send("/backup").await;
    admin.wait_for("Бекап создан успешно").await;
    admin.send("/backup_list").await;
    let list = admin.wait_for("Список бекапов").await;
    assert!(list.plain.contains("Записей: 24 заказа, 5 отзывов"), "{list}");
    assert!(list.plain.contains("Сохранён перед восстановлением"), "{list}");
    bot.kill().expect("it runs");
    bot.wait().expect("it ends");
    sandbox.finish().await;
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let server = Server::with_orders();
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line, "sh"]).arg(program()).current_dir(server.0.path());
        command.env("ADMIN_USER_ID", ADMIN.to_string());
        Said::from(command.output().expect("sh"))
    };
    for line in [r#""$1" list >&-"#, r#""$1" help >/dev/full"#, r#""$1" restor 2>&-"#] {
        let said = shell(line);
        assert!(matches!(said.code, Some(0 | 2)), "{line} {said:?}");
        assert!(!said.reasons.contains("panicked"), "{line} {said:?}");
    }
}

#[test]
fn cron_makes_no_folder_where_a_disk_may_be_missing() {
    let server = Server::new();
    let said = server.run(&["backup"]);
    assert_eq!((said.code, said.results.as_str()), (Some(1), ""), "{said:?}");
    let folder = server.folder();
    assert!(said.reasons.contains(folder.to_str().expect("text")), "{said:?}");
    assert!(!folder.exists());
    let said = server.at_terminal("backup", "");
    assert_eq!(said.code, Some(0), "a person sees where it is made: {said:?}");
    assert_eq!(server.archives().len(), 1);
}

#[test]
fn a_person_who_cannot_be_asked_is_not_taken_for_a_script() {
    let server = Server::with_orders();
    server.lose_orders();
    let said = server.at_terminal(&format!("restore {} 2>/dev/null", fixture()), "");
    assert_eq!((said.code, server.orders()), (Some(1), 0), "{said:?}");
    let said = server.at_terminal(&format!("restore --yes {} 2>/dev/null", fixture()), "");
    assert_eq!((said.code, server.orders()), (Some(0), 24), "{said:?}");
}

#[cfg(unix)]
#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    use std::os::unix::fs::{MetadataExt, chown};
    const NOBODY: u32 = 65534;
    let server = Server::with_orders();
    if chown(server.folder(), Some(NOBODY), Some(NOBODY)).is_err() {
        // only root can do what this is about
        return;
    }
    // a folder in a folder of that user's too
    let own = server.0.path().join("own");
    fs::create_dir(&own).expect("made");
    chown(&own, Some(NOBODY), Some(NOBODY)).expect("given");
    let restore =
        server.command(&["restore", &fixture()]).env("BACKUP_DIR", "own/backups").output();
    assert_eq!(Said::from(restore.expect("it runs")).code, Some(0));
    assert_eq!(fs::metadata(own.join("backups")).expect("a folder").uid(), NOBODY);
    // what was there before is given to nobody
    fs::remove_file(server.folder().join(".lock")).expect("removed");
    assert_eq!(server.run(&["backup"]).code, Some(0));
    let newest = server.archives().pop().expect("a backup");
    for file in [newest.as_str(), "state.json", ".lock"] {
        let found = fs::metadata(server.folder().join(file)).expect(file);
        assert_eq!((found.uid(), found.mode() & 0o777), (NOBODY, 0o600), "{file}");
    }
}
