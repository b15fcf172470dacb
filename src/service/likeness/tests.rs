//! What counts as the same and what does not.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::*;

fn likeness(json: &str) -> Likeness {
    serde_json::from_str(json).expect(json)
}

fn of(value: &Value) -> Likeness {
    likeness(&value.to_string())
}

#[test]
fn spelling_and_order_do_not_count() {
    for (one, other) in [
        (r#"{"a":1,"b":[1,2,3]}"#, " { \"b\" : [3, 1,\n2], \"a\": 1.0 } "),
        (r#""Ж\/\u0041\n""#, "\"\\u0416/A\\u000a\""),
        ("1e3", "1000"),
        ("-0.0", "0"),
        ("0.1", "1.0e-1"),
        ("18446744073709551615", "18446744073709551615"),
        ("9223372036854775808", "9223372036854775808.0"),
        ("[[1,2],[3]]", "[[3],[2,1]]"),
    ] {
        assert_eq!(likeness(one), likeness(other), "{one} and {other}");
    }
}

#[test]
fn a_member_that_says_nothing_is_as_good_as_none() {
    let record = likeness(r#"{"id":7}"#);
    for nothing in ["null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}", r#"{"a":{"b":null}}"#]
    {
        assert_eq!(likeness(&format!(r#"{{"new":{nothing},"id":7}}"#)), record, "{nothing}");
        assert!(likeness(nothing).is_empty(), "{nothing}");
        // an item is a record, whatever it says
        assert_ne!(likeness(&format!("[{nothing}]")), likeness("[]"), "{nothing}");
    }
    for something in ["true", "1", "0.5", "\" \"", "[null]", r#"{"a":1}"#] {
        assert_ne!(likeness(&format!(r#"{{"new":{something},"id":7}}"#)), record, "{something}");
        assert!(!likeness(something).is_empty(), "{something}");
    }
}

#[test]
fn what_says_something_else_differs() {
    let all = [
        "1",
        "2",
        "-1",
        "1.5",
        "\"1\"",
        "true",
        "[1]",
        "[1,1]",
        "[[1]]",
        "[[1],[1]]",
        "[[1,1]]",
        r#"{"a":1}"#,
        r#"{"a":2}"#,
        r#"{"b":1}"#,
        r#"{"a":[1]}"#,
        r#"{"a":{"a":1}}"#,
        r#"{"a":1,"b":1}"#,
        r#"[{"a":1},{"b":1}]"#,
        r#"[{"a":1,"b":1}]"#,
        "\"a\"",
        "\"A\"",
        "\"a \"",
        "\"ab\"",
        "[\"a\",\"b\"]",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616",
        "0.1",
        "0.10000000000000002",
        "\"\\u0000\"",
        "\"[1]\"",
        "\"true\"",
        // what is swapped between two records
        r#"[{"id":1,"to":"a"},{"id":2,"to":"b"}]"#,
        r#"[{"id":1,"to":"b"},{"id":2,"to":"a"}]"#,
        r#"{"1":{"to":"a"},"2":{"to":"b"}}"#,
        r#"{"1":{"to":"b"},"2":{"to":"a"}}"#,
    ];
    for (number, one) in all.iter().enumerate() {
        for other in &all[..number] {
            assert_ne!(likeness(one), likeness(other), "{one} and {other}");
        }
    }
}

#[test]
fn a_number_of_any_length_is_a_number() {
    // as `serde_json` shows it where its `arbitrary_precision` is on
    let shown = |digits: &str| likeness(&json!({ NUMBER: digits }).to_string());
    for digits in ["0", "-0.0", "1", "1.0", "1e3", "0.5", "18446744073709551615"] {
        assert_eq!(shown(digits), likeness(digits), "{digits}");
    }
    let long = "340282366920938463463374607431768211455000";
    assert_eq!(shown(long), shown(long));
    assert_ne!(
        shown("170141183460469231731687303715884105726"),
        shown("170141183460469231731687303715884105727")
    );
    assert_ne!(shown("1e400"), shown("1e401"));
}

#[test]
fn only_the_members_that_are_asked_for_are_read() {
    let names = BTreeSet::from(["a".to_owned(), "none".to_owned()]);
    let json = r#"{"b":[1,2],"a":{"x":1},"c":null}"#;
    let found = Members(&names).deserialize(&mut serde_json::Deserializer::from_str(json));
    let found = found.expect("an object");
    assert_eq!(found, BTreeMap::from([("a".to_owned(), likeness(r#"{"x":1}"#))]));
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (u64::MAX - 3..).prop_map(Value::from),
        (-1000.0..1000.0).prop_map(|number: f64| Value::from(number)),
        "[a-cЖ\"\\\\]{0,3}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-d]{1,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same in another order, with new members that hold defaults.
fn another_spelling(value: &Value, defaults: &[Value], turn: usize) -> Value {
    let again = |value| another_spelling(value, defaults, turn + 1);
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(again).collect();
            if !items.is_empty() {
                let by = turn % items.len();
                items.rotate_left(by);
            }
            Value::from(items)
        }
        Value::Object(members) => {
            let mut members: Map<_, _> =
                members.iter().map(|(key, value)| (key.clone(), again(value))).collect();
            let new = |default: (usize, &Value)| (format!("new{}", default.0), default.1.clone());
            members.extend(defaults.iter().enumerate().map(new));
            Value::Object(members)
        }
        leaf => leaf.clone(),
    }
}

/// All places in a value, as ways to them.
fn places(value: &Value, way: &str, found: &mut Vec<String>) {
    found.push(way.to_owned());
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(number, item)| places(item, &format!("{way}/{number}"), found)),
        Value::Object(members) => {
            members.iter().for_each(|(key, item)| places(item, &format!("{way}/{key}"), found));
        }
        _ => {}
    }
}

/// A change that says something else, whatever was there.
fn change(value: &mut Value) {
    *value = match value.take() {
        Value::Array(mut items) => {
            items.push("one more".into());
            items.into()
        }
        Value::Object(mut members) => {
            members.insert("one more".to_owned(), true.into());
            members.into()
        }
        Value::String(text) => format!("{text}!").into(),
        Value::Number(number) => format!("{number}").into(),
        Value::Bool(_) | Value::Null => "a word".into(),
    };
}

/// Takes a record away from a container that holds something.
fn lose(value: &mut Value, which: Index) -> bool {
    let says_something = |value: &Value| !of(value).is_empty();
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.remove(which.index(items.len()));
            true
        }
        Value::Object(members) => {
            let keys: Vec<String> = members
                .iter()
                .filter(|(_, value)| says_something(value))
                .map(|(key, _)| key.clone())
                .collect();
            let key = (!keys.is_empty()).then(|| &keys[which.index(keys.len())]);
            key.is_some_and(|key| members.remove(key).is_some())
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn another_order_and_new_defaults_are_the_same(value in value(), turn in 0_usize..7) {
        let nothing = [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!({"x": 0})];
        let other = another_spelling(&value, &nothing[..turn], turn);
        prop_assert_eq!(of(&value), of(&other));
        let pretty = serde_json::to_string_pretty(&other).expect("JSON");
        prop_assert_eq!(of(&value), likeness(&pretty));
    }

    #[test]
    fn any_change_of_one_place_differs(value in value(), place: Index) {
        let mut ways = Vec::new();
        places(&value, "", &mut ways);
        let mut other = value.clone();
        change(other.pointer_mut(&ways[place.index(ways.len())]).expect("a place"));
        prop_assert_ne!(of(&value), of(&other));
    }

    #[test]
    fn any_lost_record_differs(value in prop::collection::vec(value(), 1..4).prop_map(Value::from), place: Index, which: Index) {
        let mut ways = Vec::new();
        places(&value, "", &mut ways);
        let mut other = value.clone();
        // from a place on, the first that has something to lose
        let first = place.index(ways.len());
        ways.rotate_left(first);
        let mut losing = |way: &String| lose(other.pointer_mut(way).expect("a place"), which);
        prop_assume!(ways.iter().any(|way| losing(way)));
        prop_assert_ne!(of(&value), of(&other));
    }
}
