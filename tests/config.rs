//! Settings as users write them: what is read, and what a mistake is told.

use std::fs;

use otpanel::config::{Config, ConfigError, Glyphs, Log, Method, parse};

fn told(text: &str) -> String {
    parse(text).expect_err("a mistake").to_string()
}

fn read(text: &str) -> Config {
    parse(text).unwrap_or_else(|mistake| panic!("{mistake}"))
}

#[test]
fn a_file_says_only_what_differs() {
    let config = read("(idle_lock_secs: 0, clipboard: (clear_secs: 10), glyphs: Ascii, log: Info,)");
    let mut expected = Config { idle_lock_secs: 0, glyphs: Glyphs::Ascii, log: Log::Info, ..Config::default() };
    expected.clipboard.clear_secs = 10;
    assert_eq!(config, expected);
}

#[test]
fn an_empty_file_a_comment_and_empty_brackets_are_the_defaults() {
    for text in ["", "\n\n", "// nothing yet\n", "/* nothing */", "()", "Config()", "(\n)\n"] {
        assert_eq!(read(text), Config::default(), "{text:?}");
    }
}

#[test]
fn values_with_arguments_and_lists_are_read() {
    let config = read(r#"(clipboard: (method: Command(["wl-copy", "-n"])), keys: {"copy": ["enter", "y"]})"#);
    assert_eq!(config.clipboard.method, Method::Command(vec!["wl-copy".into(), "-n".into()]));
    assert_eq!(config.clipboard.clear_secs, 30);
    assert_eq!(config.keys["copy"], ["enter", "y"]);
}

#[test]
fn the_ends_of_every_bound_are_allowed_and_what_lies_beyond_is_not() {
    let bounds: [(&str, i64, i64); 10] = [
        ("(idle_lock_secs: #)", 0, 86_400),
        ("(clipboard: (clear_secs: #))", 0, 3_600),
        ("(warn_secs: #)", 0, 60),
        ("(trash_days: #)", 0, 3_650),
        ("(clock_offset_secs: #)", -86_400, 86_400),
        ("(history: (saves: #))", 1, 1_000),
        ("(history: (days: #))", 0, 3_650),
        ("(history: (months: #))", 0, 120),
        ("(history: (max_mib: #))", 1, 10_240),
        ("(kdf: (target_ms: #))", 50, 10_000),
    ];
    for (pattern, low, high) in bounds {
        for good in [low, high] {
            read(&pattern.replace('#', &good.to_string()));
        }
        for bad in [low - 1, high + 1] {
            let text = pattern.replace('#', &bad.to_string());
            assert!(told(&text).ends_with(&format!("expected a whole number from {low} to {high}")), "{}", told(&text));
        }
    }
}

#[test]
fn a_profile_lays_its_section_over_the_rest() {
    let text = r#"(
        theme: "dark",
        clipboard: (method: Osc52),
        keys: {"copy": ["c"], "lock": ["L"]},
        profiles: {"work": (idle_lock_secs: 60, clipboard: (clear_secs: 10), keys: {"lock": ["l"]})},
    )"#;
    let work = read(text).profile("work");
    assert_eq!((work.idle_lock_secs, work.theme.as_str()), (60, "dark"));
    assert_eq!((work.clipboard.clear_secs, &work.clipboard.method), (10, &Method::Osc52));
    assert_eq!((&work.keys["copy"][..], &work.keys["lock"][..]), (&["c".to_owned()][..], &["l".to_owned()][..]));

    let other = read(text).profile("home");
    assert_eq!((other.idle_lock_secs, other.clipboard.clear_secs), (300, 30));
}

#[test]
fn a_misspelt_setting_is_told_its_place_and_the_nearest_name() {
    assert_eq!(told("(\n    idle_lock: 60,\n)"), "2:5: `idle_lock` is not a setting; did you mean `idle_lock_secs`?");
    assert_eq!(told("(moose: true)"), "1:2: `moose` is not a setting; did you mean `mouse`?");
    assert_eq!(
        told("(clipboard: (clear: 3))"),
        "1:14: `clear` is not a setting of `clipboard`; did you mean `clear_secs`?"
    );
    assert_eq!(
        told("(profiles: {\"work\": (themes: \"dark\")})"),
        "1:22: `themes` is not a setting; did you mean `theme`?"
    );
    let far = parse("(colour: \"red\")").expect_err("no such setting");
    assert_eq!(far.nearest, None);
    assert!(far.to_string().contains("expected `idle_lock_secs`, `lock_unlocks_with`"), "{far}");
}

#[test]
fn a_misspelt_choice_is_told_the_choices() {
    let told_of = told("(clipboard: (method: nativ))");
    assert_eq!(told_of, "1:22: `nativ` is not a choice for `method`; did you mean `Native`?");
    assert_eq!(told("(log: Loud)"), "1:7: `Loud` is not a choice for `log`; expected `Off`, `Info` or `Debug`");
}

#[test]
fn every_other_mistake_says_where_it_is_and_what_was_expected() {
    let mistakes = [
        (
            "(\n  idle_lock_secs: 99999999,\n)",
            "2:19: `idle_lock_secs` cannot be `99999999`; expected a whole number from 0 to 86400",
        ),
        ("(warn_secs: -1)", "1:13: `warn_secs` cannot be `-1`; expected a whole number from 0 to 60"),
        (
            "(warn_secs: 99999999999999999999)",
            "1:13: `warn_secs` cannot be `99999999999999999999`; expected a smaller whole number",
        ),
        ("(warn_secs: 1.5)", "1:14: `.5` does not belong here; expected a comma after the value before"),
        ("(warn_secs: \"5\")", "1:13: `warn_secs` cannot be `\"5\"`; expected a whole number"),
        ("(mouse: yes)", "1:9: `mouse` cannot be `yes`; expected `true` or `false`"),
        ("(theme: dark)", "1:9: `theme` cannot be `dark`; expected text in double quotes"),
        ("(glyphs: \"Ascii\")", "1:10: `glyphs` cannot be `\"Ascii\"`; expected one of its choices, without quotes"),
        ("(clipboard: 30)", "1:13: `30` does not belong here; expected `(`"),
        ("(keys: {\"copy\": \"c\"})", "1:17: `\"c\"` does not belong here; expected a list: `[…]`"),
        ("(keys: [])", "1:8: `keys` cannot be `[`; expected names with values: `{ \"name\": … }`"),
        ("(mouse: true\n mouse: true)", "2:2: `mouse` does not belong here; expected a comma after the value before"),
        ("(mouse: true, mouse: true)", "1:15: `mouse` is set a second time; expected each setting once"),
        ("(mouse = true)", "1:8: `=` does not belong here; expected a colon after the name"),
        ("(mouse: true", "1:13: the file ends here; expected a comma after the value before"),
        ("(mouse: true) x", "1:15: `x` does not belong here; expected nothing after the last `)`"),
        (
            "mouse: true",
            "1:1: `mouse` does not belong here; expected `(` before the first setting and `)` after the last",
        ),
        (
            "{mouse: true}",
            "1:1: `{` does not belong here; expected `(` before the first setting and `)` after the last",
        ),
        ("(theme: \"dark)", "1:9: a text begins here and does not end; expected a closing double quote"),
        (
            "(profiles: {\"a\": (profiles: {\"b\": ()})})",
            "1:19: a profile cannot have profiles; expected the settings that differ in the profile",
        ),
    ];
    for (text, expected) in mistakes {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn places_count_characters_and_not_bytes() {
    assert_eq!(told("/* 設定 */ (moose: true)"), "1:11: `moose` is not a setting; did you mean `mouse`?");
}

#[test]
fn text_of_any_kind_is_refused_without_a_panic() {
    let example = Config::example();
    for cut in (0..example.len()).filter(|cut| example.is_char_boundary(*cut)) {
        if let Err(mistake) = parse(&example[..cut]) {
            assert!(mistake.line >= 1 && mistake.column >= 1);
        }
        let _ = parse(&format!("{}\u{0}é{}", &example[..cut], &example[cut..]));
    }
}

#[test]
fn a_file_that_is_missing_is_the_defaults_and_one_that_cannot_be_read_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.ron");
    assert_eq!(Config::load(&path).expect("missing"), Config::default());

    fs::write(&path, "(mouse: false)").expect("written");
    assert!(!Config::load(&path).expect("good").mouse);

    fs::write(&path, b"(theme: \"\xff\")").expect("written");
    let error = Config::load(&path).expect_err("no text");
    assert_eq!(error.to_string(), format!("{}:1:10: this is not UTF-8 text; expected text", path.display()));

    assert!(matches!(Config::load(folder.path()), Err(ConfigError::Read { .. })));
}

#[test]
fn each_profile_is_what_it_is_by_its_name_however_many_there_are() {
    let section = |n: u32| format!("\"p{n}\": (trash_days: {}), ", n % 90 + 1);
    let many = (0..20_000).map(section).collect::<Vec<_>>().concat();
    let config = read(&format!("(theme: \"dark\", profiles: {{{many}}})"));
    let started = std::time::Instant::now();
    let all: Vec<u32> = config.each_profile().map(|(_, own)| own.trash_days).collect();
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(all.len(), 20_000);
    let (name, own) = config.each_profile().next().expect("a profile");
    assert_eq!(own, Config { profiles: own.profiles.clone(), ..config.clone().profile(name) });
}
