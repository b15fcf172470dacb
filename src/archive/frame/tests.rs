use super::*;

fn follow(json: &str, chunk: usize, limits: Limits) -> Result<Frame, String> {
    let depth = |name: &str| if name == "deep" { 2 } else { 1 };
    let mut frame = Frame::new(Box::new(depth), limits);
    for bytes in json.as_bytes().chunks(chunk) {
        frame.follow(bytes).map_err(|error| error.to_string())?;
    }
    frame.end()?;
    Ok(frame)
}

fn measure(json: &str) -> Result<Vec<(String, u64, String)>, String> {
    measure_within(json, Limits::folder())
}

fn measure_within(json: &str, limits: Limits) -> Result<Vec<(String, u64, String)>, String> {
    let frame = follow(json, 1, limits);
    // no answer may hang on where a chunk ends
    for chunk in [2, 3, 15, 16, 17, 40, 10_000] {
        match (&frame, follow(json, chunk, limits)) {
            (Ok(frame), Ok(other)) => {
                assert_eq!(frame.sections, other.sections, "{json} by {chunk}");
                assert_eq!(frame.position, other.position, "{json} by {chunk}");
            }
            (Err(reason), Err(other)) => assert_eq!(*reason, other, "{json} by {chunk}"),
            _ => panic!("{json} by {chunk}"),
        }
    }
    let frame = frame?;
    let text = |range: &Range<u64>| {
        let range = usize::try_from(range.start).expect("small")
            ..usize::try_from(range.end).expect("small");
        json[range].to_owned()
    };
    Ok(frame
        .sections
        .iter()
        .map(|section| (section.name.clone(), section.records, text(&section.bytes)))
        .collect())
}

#[test]
fn sections_are_found_and_their_records_counted() {
    let json = r#" { "deep" : {"1":{"a":[1,2],"b":"}]\"{,"},"2":{}, "3":{"c":{}}} ,
        "list":[{"x":1},[],"a,b"], "long":["what stands in no way, over many letters, \\\" and, ",
        1234567890123456789012345678901234567890, "more than sixteen letters{"],"empty":[ ], "n": 12 ,"t":"q\"\\","last":null } "#;
    let found = measure(json).expect("well formed");
    let counts: Vec<_> = found.iter().map(|(name, n, _)| (name.as_str(), *n)).collect();
    assert_eq!(
        counts,
        [("deep", 3), ("list", 3), ("long", 3), ("empty", 0), ("n", 1), ("t", 1), ("last", 1)]
    );
    for (name, _, text) in &found {
        let value: serde_json::Value = serde_json::from_str(text.trim_end()).expect(name);
        let whole: serde_json::Value = serde_json::from_str(json).expect("json");
        assert_eq!(whole[name], value);
    }
    assert_eq!(measure("{}"), Ok(vec![]));
}

#[test]
fn a_broken_frame_is_refused() {
    for json in [
        "",
        "{",
        "[]",
        "null",
        "{}{}",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\":[}",
        "{\"a\":[1}",
        "{\"a\"}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{a:1}",
        "\u{feff}{}",
        "{} x",
        "{\"\\ud800\":1}",
    ] {
        // `1 \"b\":2` and the like are left to the decoder, as long as the frame is whole
        let decoded = serde_json::from_str::<serde_json::Value>(json).is_ok();
        assert!(measure(json).is_err() || !decoded, "{json}");
    }
    assert!(measure("{\"a\":1,\"a\":2}").is_err());
    assert!(measure(&format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))).is_err());
}

#[test]
fn what_serde_can_read_is_not_too_deep() {
    let deepest = (100..140).rev().find(|&n| {
        let json = format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        measure(&json).is_ok()
    });
    let n = deepest.expect("some depth");
    let json = format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{n}");
}

/// What is said of this data within these limits, however it comes.
fn refusal(json: &str, limits: Limits) -> Option<String> {
    measure_within(json, limits).err()
}

#[test]
fn a_text_or_number_is_as_long_as_the_limit_and_no_longer() {
    let limits = Limits::folder().text_bytes(40);
    let long = |letter: &str, length| letter.repeat(length);
    let frames: [&dyn Fn(&str) -> String; 6] = [
        &|it| format!(r#"{{"a":{it}}}"#),
        &|it| format!(r#"{{"a":{it},"b":1}}"#),
        &|it| format!(r#"{{"a":[1,{it}]}}"#),
        &|it| format!(r#"{{"a":[{it},[]]}}"#),
        &|it| format!(r#"{{"a":{{"x":{it}}}}}"#),
        &|it| format!(r#"{{"deep":{{"x":{{"y":{it},"z":2}}}}}}"#),
    ];
    for frame in frames {
        for (fits, over) in [
            (format!("\"{}\"", long("x", 40)), format!("\"{}\"", long("x", 41))),
            (format!("\"{}\"", long("\\\"", 20)), format!("\"{}x\"", long("\\\"", 20))),
            (long("7", 39), long("7", 42)),
        ] {
            assert_eq!(refusal(&frame(&fits), limits), None, "{}", frame(&fits));
            let refused = refusal(&frame(&over), limits).expect("too long");
            assert!(refused.contains("limits, text_bytes"), "{refused}");
        }
    }
    let key = |length| format!(r#"{{"a":{{"{}":1}}}}"#, long("k", length));
    assert_eq!(refusal(&key(40), limits), None);
    assert!(refusal(&key(41), limits).expect("too long").contains("longer than 40 bytes"));
}

#[test]
fn a_text_without_an_end_is_not_waited_for() {
    let limits = Limits::folder().text_bytes(1 << 20);
    for begun in ["{\"a\":\"", "{\"a\":1", "{\"a\":[{\"", "{\"a\":[null,tru"] {
        let mut frame = Frame::new(Box::new(|_| 1), limits);
        frame.follow(begun.as_bytes()).expect("little");
        let chunk = vec![b'7'; 64 << 10];
        let taken = (0..100).take_while(|_| frame.follow(&chunk).is_ok()).count();
        assert!((14..=16).contains(&taken), "{taken} chunks after {begun}");
    }
}

#[test]
fn data_are_as_long_and_as_deep_as_the_limit_and_no_more() {
    let json = r#"{"a":[[1,{"b":"c"}]],"d":2}"#;
    let bytes = json.len() as u64;
    assert_eq!(refusal(json, Limits::folder().data_bytes(bytes).depth(4)), None);
    let longer = refusal(json, Limits::folder().data_bytes(bytes - 1)).expect("too long");
    assert_eq!(longer, "data.json is longer than 26 bytes (setting: limits, data_bytes)");
    let deeper = refusal(json, Limits::upload().depth(3)).expect("too deep");
    assert!(
        deeper.ends_with("more than 3 levels deep (setting: upload_limits, depth)"),
        "{deeper}"
    );
}
