use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::*;

/// The texts of a file: their variables, and the other texts that they name, by key.
fn shape(file: &str) -> BTreeMap<&str, BTreeSet<String>> {
    let mut shape = BTreeMap::<&str, BTreeSet<String>>::new();
    let mut key = "";
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if let Some(begun) = language::keys(line).next() {
            assert!(shape.insert(begun, BTreeSet::new()).is_none(), "{begun} is there twice");
            key = begun;
        }
        for variable in line.split("{ ").skip(1) {
            let name: String = variable
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "$-".contains(*c))
                .collect();
            shape.get_mut(key).unwrap().insert(name);
        }
    }
    shape
}

fn program(tag: &str) -> &'static str {
    PROGRAM.iter().find(|(known, _)| *known == tag).unwrap().1
}

#[test]
fn no_language_lacks_a_text_or_a_value_in_one() {
    let tags: Vec<_> = BuiltIn::all().map(BuiltIn::tag).collect();
    assert_eq!(tags, ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "ja", "zh", "ar"]);
    for language in BuiltIn::all() {
        let tag = language.tag();
        assert_eq!(shape(program(tag)), shape(program("en")), "{tag}");
        for file in [program(tag), language.provider_texts()] {
            let valid = fluent_bundle::FluentResource::try_new(file.to_owned());
            assert!(valid.is_ok(), "{tag}: {:?}", valid.err());
        }
    }
}

/// All files in a folder and those below.
fn read(folder: &Path, into: &mut String) {
    for path in entries(folder).unwrap() {
        match path.is_dir() {
            true => read(&path, into),
            false => into.push_str(&fs::read_to_string(&path).unwrap_or_default()),
        }
    }
}

#[test]
fn every_text_is_on_a_page_and_every_text_of_a_page_exists() {
    let (mut pages, here) = (String::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
    read(&here.join("templates"), &mut pages);
    let texts = Texts::built_in();
    assert_eq!(keys::unknown_keys(&texts, &pages), Vec::<&str>::new());
    read(&here.join("src"), &mut pages);
    // Those whose keys are made of a name, and those in other texts.
    let made = ["scope-", "claim-", "address-", "ago-", "duration-"];
    let named: BTreeSet<String> = shape(program("en")).into_values().flatten().collect();
    for key in shape(program("en")).into_keys().filter(|key| !named.contains(*key)) {
        let is_made = made.iter().any(|prefix| key.starts_with(prefix));
        assert!(is_made || pages.contains(&format!("\"{key}\"")), "{key} is on no page");
    }
}

#[test]
fn the_library_and_the_program_read_the_same_file_alike() {
    let texts = Texts::built_in();
    for (language, here) in BuiltIn::all().zip(&texts.languages) {
        for key in language::keys(language.provider_texts()) {
            let names = ["client", "destination"];
            let values = names.iter().map(|name| (*name, format!("{{ ${name} }}"))).collect();
            let line = language
                .provider_texts()
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            assert_eq!(here.text(key, &values, Markup::None).as_deref(), line, "{key}");
        }
    }
}

/// The text in a language, with a number.
fn with_number(tag: &str, key: &str, name: &'static str, number: i64) -> String {
    let texts = Texts::load(None, tag).unwrap();
    let values = [(name, number), ("minutes", if name == "seconds" { 0 } else { number })];
    texts.text(key, &values.into_iter().collect(), Markup::None)
}

#[test]
fn numbers_have_the_forms_of_the_language() {
    for (tag, number, expected) in [
        ("en", 1, "1 day ago"),
        ("de", 3, "vor 3 Tagen"),
        ("pl", 1, "1 dzień temu"),
        ("ja", 1, "1 日前"),
        ("ar", 2, "قبل يومين"),
        ("ar", 3, "قبل 3 أيام"),
        ("ar", 11, "قبل 11 يومًا"),
    ] {
        assert_eq!(with_number(tag, "ago-day", "count", number), expected);
    }
    for (tag, name, number, expected) in [
        ("en", "seconds", 1, "Wait a second, then"),
        ("en", "minutes", 5, "Wait 5 minutes, then"),
        ("de", "minutes", 1, "Warten Sie eine Minute, und"),
        ("pl", "seconds", 3, "Odczekaj 3 sekundy i"),
        ("pl", "seconds", 25, "Odczekaj 25 sekund i"),
        ("ar", "minutes", 2, "انتظر دقيقتين،"),
    ] {
        let text = with_number(tag, "sign-in-too-many", name, number);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn an_operators_file_replaces_texts_and_adds_languages_and_english_has_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    for (tag, text) in [
        ("de", "sign-in = Los\nscope-photos-read = Ihre Fotos sehen"),
        ("sv", "sign-in = Logga in"),
    ] {
        fs::create_dir(folder.path().join(tag)).unwrap();
        fs::write(folder.path().join(tag).join("own.ftl"), text).unwrap();
    }
    let load = |default| Texts::load(Some(folder.path()), default).unwrap();
    let (german, swedish) = (load("de"), load("sv"));
    assert_eq!(
        (german.plain("sign-in"), german.plain("password")),
        ("Los".into(), "Passwort".into())
    );
    assert_eq!(swedish.plain("sign-in"), "Logga in");
    assert_eq!(swedish.plain("password"), "Password");
    assert_eq!(swedish.tags().next(), Some("sv"));
    let scope = |texts: &Texts| texts.words_for("scope", "photos:read", "See your photos");
    assert_eq!(scope(&german), "Ihre Fotos sehen");
    assert_eq!(scope(&swedish), "See your photos");
    // A description that the operator wrote is not replaced by the built-in one.
    let email = |words| german.words_for("scope", "email", words);
    assert_eq!(email("See your e-mail address"), "Ihre E-Mail-Adresse sehen");
    assert_eq!(email("Write to you"), "Write to you");
}

#[test]
fn nothing_of_an_operators_text_is_markup_but_the_values() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("en")).unwrap();
    let own = "-term = <i>{ \"<term>\" }\n\
        own = <b> { \"<u>\" } { \"\\u003Cs>\" } { -term } { other } { other.more } { $name } { $missing }\n\
        other = { \"&amp;\" }\n    .more = { \"<a href='x'>\" }\n\
        chosen = { $count ->\n    [one] { \"<one>\" }\n   *[other] { \"<other>\" } { $name }\n }\n\
        marks = { \"\u{fdd0}0\u{fdd1}\u{fdd0}7\u{fdd1}\u{fdd0}\" }";
    fs::write(folder.path().join("en/own.ftl"), own).unwrap();
    let texts = Texts::load(Some(folder.path()), "en").unwrap();
    let html = |key: &str, count: i64| {
        let mut values: FluentArgs<'_> = [("name", "<bdi>&lt;Ada</bdi>")].into_iter().collect();
        values.set("count", count);
        texts.text(key, &values, Markup::Html)
    };
    let own = html("own", 1);
    assert_eq!(own.matches('<').count(), 2, "{own}");
    assert!(own.starts_with("&lt;b&gt; &lt;u&gt; &lt;s&gt; &lt;i&gt;&lt;term&gt; "), "{own}");
    assert!(own.contains("&amp;amp; &lt;a href="), "{own}");
    assert!(own.ends_with(" <bdi>&lt;Ada</bdi> {$missing}"), "{own}");
    assert_eq!(html("chosen", 1), "&lt;one&gt;");
    assert_eq!(html("chosen", 2), "&lt;other&gt; <bdi>&lt;Ada</bdi>");
    // A text with characters that no text should have shows values, which are safe everywhere.
    assert_eq!(html("marks", 1), "<bdi>&lt;Ada</bdi>");
}

#[test]
fn a_wrong_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let fault = || Texts::load(Some(folder.path()), "en").unwrap_err().to_string();
    fs::create_dir(folder.path().join("en")).unwrap();
    fs::write(folder.path().join("en/own.ftl"), "a = A\nb = { $b\n").unwrap();
    assert!(fault().contains("own.ftl: line 2"), "{}", fault());
    fs::remove_file(folder.path().join("en/own.ftl")).unwrap();
    fs::create_dir(folder.path().join("not a tag")).unwrap();
    assert!(fault().contains("not a tag"), "{}", fault());
    let none = Texts::load(None, "sv").unwrap_err().to_string();
    assert_eq!(none, "there are no texts in sv, the default language");
}
