//! Messages: commands that are none, in places that are not the private chat, in borrowed names.

use serde_json::{Value, json};

use crate::row::{
    BORIS, FORUM, GROUP, Outcome, Passed, Row, Rows, Unreadable, Who, bare, channel, forum, group,
    list, own_chat, private, private_only, told, typed, user, with, without,
};
use crate::support::ADMIN;

const LIST: &str = "/backup_list";

pub(crate) fn rows(who: Who) -> Vec<Row> {
    let mut rows = Rows::of(who);
    spellings(&mut rows);
    lengths(&mut rows);
    places(&mut rows);
    names(&mut rows);
    forwards(&mut rows);
    fields(&mut rows);
    captions(&mut rows);
    contents(&mut rows);
    rows.done()
}

fn message(message: Value) -> Value {
    Value::Object([("message".to_owned(), message)].into_iter().collect())
}

fn spellings(rows: &mut Rows) {
    let settings = told("⚙️ Настройки автоматического бекапа:");
    let help =
        "📎 Чтобы восстановить данные из файла, пришлите его сюда с подписью /backup_restore";
    let cases: [(&str, &str, Outcome); 30] = [
        ("typed in the private chat", LIST, list()),
        ("the settings", "/backup_settings", settings),
        ("a restore without a file", "/backup_restore", told(help)),
        ("named", "/backup_list@sandbox_bot", list()),
        ("named in capitals", "/backup_list@SANDBOX_BOT", list()),
        ("followed by a line", "/backup_list\n/backup", list()),
        ("followed by a space that does not break", "/backup_list\u{a0}x", list()),
        ("of another bot", "/backup@otherbot", Passed),
        ("of nobody", "/backup@", Passed),
        ("of a longer name", "/backup@sandbox_bot_2", Passed),
        ("named twice", "/backup@sandbox_bot@sandbox_bot", Passed),
        ("a name of look-alikes", "/backup@sаndbox_bot", Passed),
        ("in capitals", "/BACKUP", Passed),
        ("in title case", "/Backup", Passed),
        ("a line before", "\n/backup", Passed),
        ("spaces before", "  /backup", Passed),
        ("a space after the slash", "/ backup", Passed),
        ("two slashes", "//backup", Passed),
        ("a slash after", "/backup/", Passed),
        ("a hyphen", "/backup-list", Passed),
        ("look-alike letters", "/bаckuр", Passed),
        ("full width", "／ｂａｃｋｕｐ", Passed),
        ("a combining accent", "/backup\u{301}", Passed),
        ("a space of no width", "/backup\u{200b}", Passed),
        ("a joiner inside", "/back\u{200d}up", Passed),
        ("right to left", "\u{202e}/backup", Passed),
        ("a byte order mark", "\u{feff}/backup", Passed),
        ("a zero byte", "/backup\0", Passed),
        ("in a sentence", "please /backup", Passed),
        ("an option", "/backup=now", Passed),
    ];
    for (name, text, outcome) in cases {
        rows.add(name, message(typed(rows.who, own_chat(rows.who), text)), outcome);
    }
}

fn lengths(rows: &mut Rows) {
    let who = rows.who;
    let own = |text: &str| message(typed(who, own_chat(who), text));
    rows.add("no text", own(""), Passed);
    rows.add("only blanks", own(" \n\t\u{a0}"), Passed);
    rows.add("a megabyte after it", own(&format!("{LIST} {}", "ж".repeat(500_000))), list());
    rows.add("a word of a megabyte", own(&format!("/backup{}", "p".repeat(1 << 20))), Passed);
    rows.add("a name of a megabyte", own(&format!("/backup@{}", "a".repeat(1 << 20))), Passed);
    rows.add("a hundred thousand slashes", own(&"/".repeat(100_000)), Passed);
}

fn places(rows: &mut Rows) {
    let named = "/backup_list@sandbox_bot";
    let topic = json!({ "message_thread_id": 7, "is_topic_message": true });
    let who = rows.who;
    for (name, id, chat) in [("a group", GROUP, group()), ("a forum", FORUM, forum())] {
        let plain = message(typed(who, chat.clone(), "/backup"));
        rows.add(&format!("in {name}"), plain, Passed);
        let named = message(typed(who, chat, named));
        rows.add(&format!("named, in {name}"), named, private_only(id));
    }
    let in_topic = with(typed(who, forum(), "/backup"), topic.clone());
    rows.add("in a topic", message(in_topic), Passed);
    let in_topic = with(typed(who, forum(), named), topic);
    rows.add("named, in a topic", message(in_topic), private_only(FORUM));
    let elsewhere = [
        ("a channel", channel()),
        ("another administrator's chat", private(BORIS)),
        ("the administrator's number below zero", private(-ADMIN)),
        ("the largest number", private(i64::MAX)),
        ("the least number", private(i64::MIN)),
        ("number zero", private(0)),
        ("a user's number of a supergroup", private(-1_997_852_516_353)),
    ];
    for (name, chat) in elsewhere {
        rows.add(&format!("in {name}"), message(typed(who, chat, "/backup")), Passed);
    }
    let disguised = json!({ "id": ADMIN, "type": "group", "title": "A group" });
    rows.add(
        "in a group of the administrator's number",
        message(typed(who, disguised, "/backup")),
        Passed,
    );
}

fn names(rows: &mut Rows) {
    let who = rows.who;
    let own = |more| message(with(typed(who, own_chat(who), "/backup"), more));
    let bot = json!({ "id": 99, "is_bot": true, "first_name": "Inline", "username": "inline_bot" });
    rows.add("by an inline bot", own(json!({ "via_bot": bot })), Passed);
    rows.add("by a business bot", own(json!({ "sender_business_bot": bot })), Passed);
    rows.add("in the name of a channel", own(json!({ "sender_chat": channel() })), Passed);
    rows.add("in the name of a group", own(json!({ "sender_chat": group() })), Passed);
    rows.add("in the name of a person", own(json!({ "sender_chat": private(ADMIN) })), Passed);
    for (name, id, is_bot) in [
        ("the service account", 777_000_i64, false),
        ("the channel bot", 136_817_688, true),
        ("the anonymous bot", 1_087_968_824, true),
        ("the largest user", i64::MAX, false),
        ("nobody", 0, false),
        ("the bot itself", 7_000_000_001, true),
        ("the administrator as a bot", ADMIN, true),
    ] {
        let from = json!({ "id": id, "is_bot": is_bot, "first_name": "X", "username": "admin" });
        let in_own = with(typed(who, private(id), "/backup"), json!({ "from": from.clone() }));
        rows.add(&format!("from {name}"), message(in_own), Passed);
        let sent = json!({ "from": from, "sender_chat": group() });
        let grouped = with(typed(who, group(), "/backup@sandbox_bot"), sent);
        rows.add(&format!("named, in a group, from {name}"), message(grouped), Passed);
    }
    let anonymous = without(typed(who, own_chat(who), "/backup"), "from");
    rows.add("from no one", message(anonymous), Passed);
}

fn forwards(rows: &mut Rows) {
    let who = rows.who;
    let origins = [
        ("a person", json!({ "type": "user", "sender_user": user(who), "date": 1 })),
        ("somebody hidden", json!({ "type": "hidden_user", "sender_user_name": "A", "date": 1 })),
        ("a chat", json!({ "type": "chat", "sender_chat": group(), "date": 1 })),
        ("a channel", json!({ "type": "channel", "chat": channel(), "message_id": 1, "date": 1 })),
    ];
    for (name, origin) in origins {
        let own = typed(who, own_chat(who), "/backup");
        let forwarded = with(own, json!({ "forward_origin": origin }));
        rows.add(&format!("forwarded from {name}"), message(forwarded), Passed);
    }
    let linked = json!({
        "is_automatic_forward": true, "sender_chat": channel(),
        "from": { "id": 777_000, "is_bot": false, "first_name": "Telegram" },
    });
    let linked = with(typed(who, forum(), "/backup@sandbox_bot"), linked);
    rows.add("from the linked channel", message(linked), Passed);
}

fn fields(rows: &mut Rows) {
    let who = rows.who;
    let own = |text| typed(who, own_chat(who), text);
    let command = json!([{ "type": "bot_command", "offset": 0, "length": 5 }]);
    let lying = json!({ "entities": command });
    rows.add("marked as a command", message(with(own("hello"), lying)), Passed);
    let past = json!({ "entities": [{ "type": "bold", "offset": 9999, "length": 9999 }] });
    rows.add("marked beyond its end", message(with(own(LIST), past)), list());
    let below = json!({ "entities": [{ "type": "bold", "offset": -1, "length": -1 }] });
    rows.add("marked before its beginning", message(with(own(LIST), below)), Passed);
    let reply = json!({ "reply_to_message": own("/backup"), "quote": { "text": "/backup", "position": 0 } });
    rows.add("a word about a command", message(with(own("yes"), reply.clone())), Passed);
    rows.add("a command about a command", message(with(own(LIST), reply)), list());
    for (name, id) in [("zero", 0), ("below zero", -5), ("the largest", i32::MAX)] {
        let numbered = with(own(LIST), json!({ "message_id": id }));
        rows.add(&format!("message number {name}"), message(numbered), list());
    }
    let early = with(own(LIST), json!({ "date": 0, "unheard_of": { "deep": [null] } }));
    rows.add("of 1970, with unknown fields", message(early), list());
    let late = with(own(LIST), json!({ "date": i64::MAX }));
    rows.add("of the end of time", message(late), Unreadable);
    let negative = json!({ "from": { "id": -42, "is_bot": false, "first_name": "X" } });
    rows.add("from a number below zero", message(with(own(LIST), negative)), Unreadable);
    let word = json!({ "from": { "id": "42", "is_bot": false, "first_name": "X" } });
    rows.add("from a word", message(with(own(LIST), word)), Unreadable);
    rows.add("in no chat", message(without(own(LIST), "chat")), Unreadable);
    rows.add("text of another type", message(with(own(LIST), json!({ "text": 7 }))), Passed);
    rows.add("a message that is none", message(json!([LIST])), Unreadable);
}

fn captions(rows: &mut Rows) {
    let who = rows.who;
    let file = json!({ "file_id": "a", "file_unique_id": "b", "file_size": 20_971_521 });
    let named = |name: &str| with(file.clone(), json!({ "file_name": name }));
    let picture = with(file.clone(), json!({ "width": 1, "height": 1 }));
    let moving = with(picture.clone(), json!({ "duration": 1 }));
    let sound = with(file.clone(), json!({ "duration": 1 }));
    let attached = [
        ("a document", json!({ "document": named("backup_20260201_143025.zip") })),
        ("a path as a name", json!({ "document": named("../../../etc/passwd") })),
        ("a name of markup", json!({ "document": named("<b>&{$x}</b>\n*_`.zip") })),
        ("a name right to left", json!({ "document": named("\u{202e}piz.\0backup") })),
        ("an endless name", json!({ "document": named(&"z".repeat(100_000)) })),
        ("no name and no size", json!({ "document": without(file.clone(), "file_size") })),
        (
            "a type that lies",
            json!({ "document": with(named("a.zip"), json!({ "mime_type": "text/html" })) }),
        ),
        ("a photo", json!({ "photo": [picture] })),
        ("a video", json!({ "video": moving })),
        ("an animation", json!({ "animation": moving, "document": file })),
        ("a voice message", json!({ "voice": sound })),
    ];
    for (name, content) in attached {
        for caption in ["/backup", "/backup_list@sandbox_bot"] {
            let content = with(content.clone(), json!({ "caption": caption }));
            let update = message(with(bare(who, own_chat(who)), content));
            rows.add(&format!("«{caption}» below {name}"), update, Passed);
        }
    }
}

fn contents(rows: &mut Rows) {
    let who = rows.who;
    let poll = json!({
        "id": "1", "question": "/backup", "options": [], "total_voter_count": 0, "type": "regular",
        "is_closed": false, "is_anonymous": true, "allows_multiple_answers": false,
    });
    let contents = [
        ("a contact", json!({ "contact": { "phone_number": "1", "first_name": "/backup" } })),
        ("a place", json!({ "location": { "longitude": 0.0, "latitude": 0.0 } })),
        ("a die", json!({ "dice": { "emoji": "🎲", "value": 6 } })),
        ("a poll", json!({ "poll": poll })),
        ("data of a web app", json!({ "web_app_data": { "data": "/backup", "button_text": "x" } })),
        ("a title", json!({ "new_chat_title": "/backup" })),
        ("new members", json!({ "new_chat_members": [user(who)] })),
        ("a member who left", json!({ "left_chat_member": user(who) })),
        ("a pinned command", json!({ "pinned_message": typed(who, own_chat(who), "/backup") })),
        (
            "a topic",
            json!({ "forum_topic_created": { "name": "/backup", "icon_color": 7_322_096 } }),
        ),
        ("a move to a supergroup", json!({ "migrate_to_chat_id": -1_009_i64 })),
        ("a game", json!({ "game": { "title": "/backup", "description": "x", "photo": [] } })),
    ];
    for (name, content) in contents {
        let update = message(with(bare(who, own_chat(who)), content));
        rows.add(name, update, Passed);
    }
}
