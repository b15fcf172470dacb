//! Every other kind of update, with a command or a button of ours in each of its texts.

use serde_json::{Value, json};

use crate::row::{
    Passed, Row, Rows, Unreadable, Who, bare, channel, group, own_chat, typed, user, with,
};

const TEXT: &str = "/backup";
const DATA: &str = "bkp:p:0";
const DATE: i64 = 1_769_945_425;

pub(crate) fn rows(who: Who) -> Vec<Row> {
    let mut rows = Rows::of(who);
    for (kind, update) in written(who).into_iter().chain(asked(who)).chain(happened(who)) {
        rows.add(&format!("of the kind {kind}"), json!({ kind: update }), Passed);
    }
    let deleted = json!({
        "business_connection_id": "b", "chat": own_chat(who), "message_ids": [1],
    });
    // teloxide 0.17 expects other numbers in it than Telegram sends
    let deleted = json!({ "deleted_business_messages": deleted });
    rows.add("of the kind deleted_business_messages", deleted, Unreadable);
    rows.add("a message of nothing", json!({ "message": null }), Unreadable);
    rows.add("a press of nothing", json!({ "callback_query": null }), Unreadable);
    rows.add("nothing at all", json!({}), Unreadable);
    rows.done()
}

fn written(who: Who) -> Vec<(&'static str, Value)> {
    let own = || typed(who, own_chat(who), TEXT);
    let edited = || with(own(), json!({ "edit_date": DATE }));
    let post = || {
        json!({
            "message_id": 1, "date": DATE, "chat": channel(), "sender_chat": channel(), "text": TEXT,
        })
    };
    let business = json!({ "business_connection_id": "b" });
    vec![
        ("edited_message", edited()),
        ("channel_post", post()),
        ("edited_channel_post", with(post(), json!({ "edit_date": DATE }))),
        ("business_message", with(own(), business.clone())),
        ("edited_business_message", with(edited(), business)),
    ]
}

fn asked(who: Who) -> Vec<(&'static str, Value)> {
    let address = json!({
        "country_code": "DE", "state": "", "city": TEXT, "street_line1": "", "street_line2": "",
        "post_code": "",
    });
    vec![
        ("inline_query", json!({ "id": "1", "from": user(who), "query": TEXT, "offset": DATA })),
        ("chosen_inline_result", json!({ "result_id": DATA, "from": user(who), "query": TEXT })),
        (
            "shipping_query",
            json!({
                "id": "1", "from": user(who), "invoice_payload": DATA, "shipping_address": address,
            }),
        ),
        (
            "pre_checkout_query",
            json!({
                "id": "1", "from": user(who), "currency": "XTR", "total_amount": 1,
                "invoice_payload": DATA,
            }),
        ),
        ("purchased_paid_media", json!({ "from": user(who), "paid_media_payload": DATA })),
        (
            "poll",
            json!({
                "id": "1", "question": TEXT, "options": [], "total_voter_count": 0,
                "type": "regular", "is_closed": false, "is_anonymous": true,
                "allows_multiple_answers": false,
            }),
        ),
        ("poll_answer", json!({ "poll_id": "1", "user": user(who), "option_ids": [0] })),
    ]
}

fn happened(who: Who) -> Vec<(&'static str, Value)> {
    let connection = json!({
        "id": "b", "user": user(who), "user_chat_id": 42, "date": DATE, "can_reply": true,
        "is_enabled": true,
    });
    let emoji = json!({ "type": "emoji", "emoji": "👍" });
    let place = with(bare(who, own_chat(who)), json!({ "user": user(who) }));
    let reaction = with(place, json!({ "old_reaction": [], "new_reaction": [emoji] }));
    let count = json!({
        "chat": group(), "message_id": 1, "date": DATE,
        "reactions": [{ "type": emoji, "total_count": 1 }],
    });
    let mut updates = vec![
        ("business_connection", connection),
        ("message_reaction", reaction),
        ("message_reaction_count", count),
    ];
    updates.extend(joined(who));
    updates
}

fn joined(who: Who) -> Vec<(&'static str, Value)> {
    let member = |status: &str| json!({ "user": user(who), "status": status });
    let joined = || {
        json!({
            "chat": group(), "from": user(who), "date": DATE, "old_chat_member": member("left"),
            "new_chat_member": member("member"),
        })
    };
    let boost_source = json!({ "source": "premium", "user": user(who) });
    vec![
        ("my_chat_member", joined()),
        ("chat_member", joined()),
        (
            "chat_join_request",
            json!({
                "chat": group(), "from": user(who), "user_chat_id": 42, "date": DATE, "bio": TEXT,
            }),
        ),
        (
            "chat_boost",
            json!({
                "chat": channel(),
                "boost": {
                    "boost_id": DATA, "add_date": DATE, "expiration_date": DATE,
                    "source": boost_source,
                },
            }),
        ),
        (
            "removed_chat_boost",
            json!({
                "chat": channel(), "boost_id": DATA, "remove_date": DATE, "source": boost_source,
            }),
        ),
    ]
}
