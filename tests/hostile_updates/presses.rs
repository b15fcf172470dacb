//! Presses of buttons: forged, replayed, foreign, and below messages that are none.

use serde_json::{Value, json};

use crate::crowd::Tokens;
use crate::row::{
    BORIS, Passed, Row, Rows, Unreadable, Who, channel, dismissed, forum, group, list_anew,
    own_chat, private, stale, user, with, without,
};
use crate::support::ADMIN;

const PAGE: &str = "bkp:p:0";

pub(crate) fn rows(who: Who, tokens: &Tokens) -> Vec<Row> {
    let mut rows = Rows::of(who);
    places(&mut rows);
    forged(&mut rows);
    replayed(&mut rows, tokens);
    fields(&mut rows);
    rows.done()
}

/// A press below a message of the bot.
fn press(who: Who, chat: Value, data: &str) -> Value {
    query(who, data, json!({ "message": below(chat) }))
}

fn below(chat: Value) -> Value {
    let bot = json!({ "id": 7_000_000_001_i64, "is_bot": true, "first_name": "Bot" });
    let mut message =
        json!({ "message_id": number(), "date": 1_769_945_425, "from": bot, "text": "?" });
    message["chat"] = chat;
    message
}

/// Each press is below a message of its own: two below one message are one tap.
fn number() -> i32 {
    i32::try_from(uuid::Uuid::new_v4().as_u128() >> 98).expect("30 bits")
}

fn query(who: Who, data: &str, place: Value) -> Value {
    let id = (uuid::Uuid::new_v4().as_u128() >> 64).to_string();
    let query = json!({ "id": id, "from": user(who), "chat_instance": "1", "data": data });
    json!({ "callback_query": with(query, place) })
}

fn places(rows: &mut Rows) {
    let who = rows.who;
    rows.add("a page of the list", press(who, own_chat(who), PAGE), list_anew());
    for (name, chat) in [
        ("a group", group()),
        ("a forum", forum()),
        ("a channel", channel()),
        ("another administrator's chat", private(BORIS)),
        ("the chat of the least number", private(i64::MIN)),
        ("the chat of the largest number", private(i64::MAX)),
        (
            "a group of the administrator's number",
            json!({ "id": ADMIN, "type": "group", "title": "x" }),
        ),
    ] {
        rows.add(&format!("a page in {name}"), press(who, chat, PAGE), dismissed());
    }
    let gone =
        |chat: Value| json!({ "message": { "message_id": number(), "date": 0, "chat": chat } });
    let inline = json!({ "inline_message_id": "AgAAAPx" });
    rows.add("below an old message", query(who, PAGE, gone(own_chat(who))), list_anew());
    rows.add("below an old message of a group", query(who, PAGE, gone(group())), dismissed());
    rows.add("below an inline message", query(who, PAGE, inline.clone()), dismissed());
    rows.add("below an inline message, of the host", query(who, "buy:1", inline.clone()), Passed);
    rows.add("below nothing", query(who, PAGE, Value::Null), dismissed());
    let both = with(json!({ "message": below(group()) }), inline);
    rows.add("below two messages", query(who, PAGE, both), dismissed());
}

fn forged(rows: &mut Rows) {
    let who = rows.who;
    let own = |data: &str| press(who, own_chat(who), data);
    let token = "0123456789abcdef0123456789abcdef";
    let random = "\u{1}ÿqЖ\"'<b>&%s\\\u{202e}{}[]$;--../..\n01234567890123456789012345678901";
    let ours = [
        "bkp:".to_owned(),
        "bkp:p".to_owned(),
        "bkp:p:".to_owned(),
        "bkp:p:-1".to_owned(),
        "bkp:p:+1".to_owned(),
        "bkp:p:0x10".to_owned(),
        "bkp:p:0 ".to_owned(),
        "bkp:p:٣".to_owned(),
        "bkp:p:99999999999999999999".to_owned(),
        "bkp:b:../../etc/passwd".to_owned(),
        "bkp:b:/etc/passwd".to_owned(),
        "bkp:b:backup_20260201_143025.zip".to_owned(),
        "bkp:b:20260230_143025".to_owned(),
        "bkp:b:20260201_143025_0".to_owned(),
        "bkp:b:20260201_143025\0".to_owned(),
        "bkp:d:../state.json".to_owned(),
        "bkp:d:.lock".to_owned(),
        format!("bkp:y:{token}"),
        format!("bkp:n:{token}"),
        format!("bkp:u:{token}"),
        "bkp:y:".to_owned(),
        "bkp:u:".to_owned(),
        "bkp:z:1".to_owned(),
        "bkp::".to_owned(),
        format!("bkp:{random}"),
        format!("bkp:y:{}", "a".repeat(100_000)),
    ];
    for data in ours {
        let name: String = data.chars().take(40).collect();
        rows.add(&format!("forged: {name:?}"), own(&data), stale());
    }
    for data in ["", "bkp", "BKP:p:0", " bkp:p:0", "bкp:p:0", "\u{feff}bkp:p:0", "buy:1", random] {
        rows.add(&format!("not ours: {data:?}"), own(data), Passed);
    }
}

fn replayed(rows: &mut Rows, tokens: &Tokens) {
    let who = rows.who;
    let yes = |token: &str| format!("bkp:y:{token}");
    let own = |data: &str| press(who, own_chat(who), data);
    rows.add("yes, said already", own(&yes(&tokens.used)), stale());
    rows.add("no, after yes", own(&format!("bkp:n:{}", tokens.used)), stale());
    rows.add("undo with a yes", own(&format!("bkp:u:{}", tokens.open)), stale());
    rows.add("another administrator's yes", own(&yes(&tokens.of_boris)), stale());
    rows.add("an open yes in capitals", own(&yes(&tokens.open.to_uppercase())), stale());
    rows.add("an open yes and more", own(&yes(&format!("{}0", tokens.open))), stale());
    rows.add("an open yes, cut", own(&yes(&tokens.open[1..])), stale());
    rows.add("an open yes in a group", press(who, group(), &yes(&tokens.open)), dismissed());
    let elsewhere = press(who, private(BORIS), &yes(&tokens.open));
    rows.add("an open yes in another's chat", elsewhere, dismissed());
    let undo = format!("bkp:u:{}", tokens.undo);
    rows.add("an open undo in a group", press(who, group(), &undo), dismissed());
    if who != Who::Admin {
        // whoever was asked may say so; that is no attack
        rows.add("an open yes", own(&yes(&tokens.open)), Passed);
        rows.add("in the very chat", press(who, private(ADMIN), &yes(&tokens.open)), Passed);
        rows.add("an open no", own(&format!("bkp:n:{}", tokens.open)), Passed);
        rows.add("an open undo", own(&undo), Passed);
        rows.add("a backup's archive", own(&format!("bkp:d:{}", tokens.backup)), Passed);
        rows.add("a backup", own(&format!("bkp:b:{}", tokens.backup)), Passed);
    }
}

fn fields(rows: &mut Rows) {
    let who = rows.who;
    let own = || press(who, own_chat(who), PAGE)["callback_query"].clone();
    let pressed = |query: Value| json!({ "callback_query": query });
    rows.add("no data", pressed(without(own(), "data")), Passed);
    let game = with(without(own(), "data"), json!({ "game_short_name": PAGE }));
    rows.add("a game of our button's name", pressed(game), Passed);
    let both = with(own(), json!({ "game_short_name": "chess" }));
    rows.add("a game and data", pressed(both), list_anew());
    rows.add("pressed by no one", pressed(without(own(), "from")), Unreadable);
    let word = json!({ "from": { "id": "42", "is_bot": false, "first_name": "x" } });
    rows.add("pressed by a word", pressed(with(own(), word)), Unreadable);
    let huge = json!({ "from": { "id": u64::MAX, "is_bot": false, "first_name": "x" } });
    rows.add("pressed by the largest user", pressed(with(own(), huge)), Passed);
    rows.add("without a number of its own", pressed(without(own(), "id")), Unreadable);
    rows.add("data of another type", pressed(with(own(), json!({ "data": 7 }))), Unreadable);
    rows.add("a press that is none", pressed(json!(PAGE)), Unreadable);
}
