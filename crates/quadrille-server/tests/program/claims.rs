//! What is known about users, and what clients learn of it (OpenID Connect Core, section 5).

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    flow::{CHALLENGE, PASSWORD, REDIRECT, VERIFIER, token},
    process::{Folder, Program, failure, run, text},
};

/// A provider with a user, and a client that may learn everything.
struct Stage {
    program: Program,
    client: Value,
    _folder: Folder,
}

const SETTINGS: [&str; 6] = [
    "--set",
    "openid=true",
    "--set",
    "claims=department=Department;groups=Groups",
    "--set",
    "scopes=groups=See your groups",
];

impl Stage {
    fn new(settings: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SETTINGS, settings].concat());
        program.add_user("ada", PASSWORD);
        let mut add = vec!["client", "add", "Shop", "--redirect-uri", REDIRECT];
        for scope in ["openid", "profile", "email", "address", "phone", "groups"] {
            add.extend(["--scope", scope]);
        }
        let client = program.json(&add);
        Self { program, client, _folder: folder }
    }

    fn edit(&self, claims: &[&str]) -> Value {
        let claims: Vec<_> = claims.iter().flat_map(|claim| ["--claim", *claim]).collect();
        self.program.json(&[&["user", "edit", "ada"], &claims[..], &SETTINGS].concat())["claims"]
            .clone()
    }

    async fn consent_page(&self, browser: &Browser, further: &[(&str, &str)]) -> Page {
        let query = [
            ("response_type", "code"),
            ("client_id", self.client["client_id"].as_str().unwrap()),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query = [&query[..], further].concat();
        let url = Url::parse_with_params(&self.program.url("/oauth/authorize"), query).unwrap();
        let page = browser.get(url.as_str()).await;
        if page.url.path() != "/sign-in" {
            return page;
        }
        browser.sign_in(&page, "ada", PASSWORD).await
    }

    /// The answer at the userinfo endpoint, after the user has allowed everything on the page.
    async fn learned(&self, browser: &Browser, page: &Page) -> Value {
        let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
        let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.html));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = token(&self.program, &self.client, &fields).await;
        assert_eq!(status, 200, "{tokens}");
        let access = tokens["access_token"].as_str().unwrap();
        let userinfo = reqwest::Client::new().get(self.program.url("/oauth/userinfo"));
        userinfo.bearer_auth(access).send().await.unwrap().json().await.unwrap()
    }
}

/// The page without the marks that keep the direction of a value to itself.
fn without_marks(html: &str) -> String {
    html.replace("<bdi>", "").replace("</bdi>", "")
}

/// OpenID Connect Core, sections 5.1 and 5.4.
#[tokio::test]
async fn clients_learn_by_scopes_what_the_consent_page_says() {
    let stage = Stage::new(&[]);
    stage.edit(&[
        "name=Ada <Lovelace>",
        "email=ada@example.com",
        "email_verified=true",
        "address={\"locality\":\"London\",\"country\":\"UK\"}",
        "groups=[\"staff\",\"chess\"]",
        "department=Engines",
    ]);
    let browser = Browser::new();
    let page = stage
        .consent_page(&browser, &[("scope", "openid profile email address phone groups")])
        .await;
    let html = without_marks(&page.html);
    for said in [
        "Name: Ada &lt;Lovelace&gt;",
        "User name: ada",
        "E-mail address: ada@example.com",
        "E-mail address was checked: yes",
        "Postal address: London, UK",
        "Groups: staff, chess",
        "See your phone number",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!page.html.contains("Phone number:") && !page.html.contains("Engines"));
    let learned = stage.learned(&browser, &page).await;
    assert_eq!(learned["name"], "Ada <Lovelace>");
    assert_eq!(
        (&learned["email"], &learned["email_verified"]),
        (&json!("ada@example.com"), &json!(true))
    );
    assert_eq!(learned["address"], json!({ "locality": "London", "country": "UK" }));
    assert_eq!(learned["groups"], json!(["staff", "chess"]));
    assert_eq!(learned["preferred_username"], "ada");
    assert!(learned["updated_at"].is_i64() && learned.get("department").is_none(), "{learned}");
}

/// OpenID Connect Core, section 5.5.
#[tokio::test]
async fn clients_learn_claims_by_name_in_the_words_of_the_page() {
    let stage = Stage::new(&[]);
    stage.edit(&["department=Engines", "email=ada@example.com"]);
    let browser = Browser::new();
    let claims = r#"{"userinfo":{"department":null,"email":null,"phone_number":null}}"#;
    let page = stage.consent_page(&browser, &[("scope", "openid"), ("claims", claims)]).await;
    let html = without_marks(&page.html);
    for said in [
        "See Department: Engines",
        "See E-mail address: ada@example.com",
        "See Phone number: not known here",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    let form = page.form("ticket");
    let ticked: Vec<_> = form.fields.iter().filter(|(name, _)| name == "claim").collect();
    assert_eq!(ticked.len(), 3, "{ticked:?}");
    let learned = stage.learned(&browser, &page).await;
    assert_eq!(
        (&learned["department"], &learned["email"]),
        (&json!("Engines"), &json!("ada@example.com"))
    );
    assert!(learned.get("name").is_none());
}

#[tokio::test]
async fn users_edit_their_profile_on_the_account_page_and_nothing_else() {
    let stage = Stage::new(&[]);
    stage.edit(&["email=ada@example.com", "email_verified=true", "name=Ada"]);
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(
        page.html.contains("ada@example.com") && page.html.contains("E-mail address was checked")
    );
    // Sessions come before, and fields without a value are folded.
    let (before, profile) = page.html.split_once("Your profile").unwrap();
    assert!(before.contains("Where you are signed in"), "{before}");
    let (open, folded) = profile.split_once("<details>").unwrap();
    assert!(open.contains("name=\"name\"") && !open.contains("name=\"nickname\""), "{open}");
    assert!(folded.contains("name=\"nickname\""), "{folded}");
    let form = page.form("nickname");
    assert!(form.fields.contains(&("name".to_owned(), "Ada".to_owned())), "{form:?}");
    assert!(!form.fields.iter().any(|(name, _)| name == "email" || name == "groups"));
    let sent = form.with("nickname", "Countess").with("address.country", "UK");
    let sent =
        sent.with("name", "").with("email", "boss@example.com").with("email_verified", "true");
    let page = browser.submit(&sent).await;
    assert!(page.html.contains("Your profile was changed"), "{}", page.html);
    let claims = stage.program.json(&["user", "show", "ada"])["claims"].clone();
    let known = json!({
        "address": { "country": "UK" },
        "email": "ada@example.com",
        "email_verified": true,
        "nickname": "Countess",
        "updated_at": claims["updated_at"],
    });
    assert_eq!(claims, known);
    // A value that does not fit changes nothing.
    let wrong = page.form("nickname").with("website", "javascript:alert(1)").with("nickname", "x");
    let refused = browser.submit(&wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.html.contains("<bdi>Website</bdi>: this must be an address on the web"),
        "{}",
        refused.html
    );
    // The page opens at the field, and keeps what was typed.
    let focused: Vec<_> = refused.html.split('<').filter(|tag| tag.contains("autofocus")).collect();
    assert!(matches!(focused[..], [field] if field.contains(r#"name="website""#)), "{focused:?}");
    let kept = refused.form("nickname").fields;
    for field in [("nickname", "x"), ("website", "javascript:alert(1)"), ("address.country", "UK")]
    {
        let field = (field.0.to_owned(), field.1.to_owned());
        assert!(kept.contains(&field), "{field:?} {kept:?}");
    }
    assert_eq!(stage.program.json(&["user", "show", "ada"])["claims"], claims);
    // Another site's form has no effect.
    let foreign = page.form("nickname").with("form", "x").with("nickname", "x");
    assert_eq!(browser.submit(&foreign).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_list_has_no_field_and_stays_a_list() {
    let stage = Stage::new(&["--set", "claims_that_users_edit=groups,department"]);
    stage.edit(&["groups=[\"admin\",\"dev\"]"]);
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let form = page.form("department");
    assert!(!form.fields.iter().any(|(name, _)| name == "groups"), "{form:?}");
    assert!(page.html.contains("admin, dev"), "{}", page.html);
    let form = form.with("groups", "[\"admin\",\"root\"]").with("department", "Engines");
    browser.submit(&form).await;
    let claims = stage.program.json(&["user", "show", "ada"])["claims"].clone();
    assert_eq!(claims["groups"], json!(["admin", "dev"]));
    assert_eq!(claims["department"], "Engines");
}

#[tokio::test]
async fn an_address_that_a_user_changes_was_not_checked() {
    let stage = Stage::new(&["--set", "claims_that_users_edit=email,department"]);
    stage.edit(&["email=ada@example.com", "email_verified=true", "department=Engines"]);
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let form = page.form("department").with("email", "ada@new.example");
    let form = form.with("email_verified", "true").with("name", "Ada");
    browser.submit(&form).await;
    let claims = stage.program.json(&["user", "show", "ada"])["claims"].clone();
    assert_eq!((&claims["email"], claims.get("email_verified")), (&json!("ada@new.example"), None));
    assert_eq!((&claims["department"], claims.get("name")), (&json!("Engines"), None));
}

#[tokio::test]
async fn users_get_into_another_folder_with_all_that_is_known_about_them() {
    let stage = Stage::new(&[]);
    stage.edit(&["name=Ada", "email=ada@example.com", "email_verified=true", "groups=[\"staff\"]"]);
    let lines = run(&stage.program.data, &["user", "export"], "");
    assert!(lines.status.success(), "{}", text(&lines.stderr));
    let folder = Folder::new();
    let program = Program::start_with(&folder, &SETTINGS);
    let imported = json_of(&program, &text(&lines.stdout));
    assert_eq!(imported, json!({ "added": ["ada"], "known": [] }));
    let shown = |program: &Program| program.json(&["user", "show", "ada"]);
    assert_eq!(shown(&program), shown(&stage.program));
    // With the password, and once.
    let browser = Browser::new();
    let page = browser.get(&program.url("/sign-in")).await;
    let home = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(home.html.contains("Signed in as"), "{}", home.html);
    let again = json_of(&program, &format!("\u{feff}{}", text(&lines.stdout)));
    assert_eq!(again, json!({ "added": [], "known": ["ada"] }));
    // One wrong line, and nobody is added.
    let subject = stage.program.json(&["user", "show", "ada"])["subject"].clone();
    let subject = subject.as_str().unwrap();
    let cy = |other: &str| text(&lines.stdout).replace("\"ada\"", "\"cy\"").replace(subject, other);
    let bob = text(&lines.stdout).replace("\"ada\"", "\"bob\"");
    let without_hash = {
        let (start, rest) = bob.split_once("p=1$").unwrap();
        let (salt, rest) = rest.split_once('$').unwrap();
        [start, "p=1$", salt, &rest[rest.find('"').unwrap()..]].concat()
    };
    let mistyped =
        |from: &str, to: &str| cy("one").replace(&format!("\"{from}\":"), &format!("\"{to}\":"));
    for (wrong, why) in [
        (bob.clone(), "line 1: subject: "),
        (mistyped("created", "creatd"), "no member \"creatd\"; did you mean \"created\"?"),
        (mistyped("email", "e_mail"), "line 1: there is no claim e_mail"),
        (mistyped("email", "emial"), "did you mean \"email\"?"),
        (mistyped("groups", "department "), "line 1: there is no claim department "),
        (mistyped("name", "sub"), "line 1: sub is the subject of the user"),
        (bob.replace("$argon2id$", "$plain$"), "line 1: password: "),
        (bob.replace("m=19456", "m=4194304"), "line 1: password: the verifier costs too much"),
        (without_hash, "line 1: password: the verifier is malformed"),
        (format!("{}{}", cy("one"), cy("two").replace("cy", "Cy")), "line 2: username: "),
        ("[]".to_owned(), "line 1: no JSON object"),
        (cy("a\\u001b[31mb"), "line 1: subject: "),
        (text(&lines.stdout).replace("\"ada@example.com\"", "[]"), "line 1: email: a text"),
        (
            cy("one").replace("\"claims\":{", "\"claims\":{\"email\":\"cy@example.com\","),
            "line 1: the member \"email\" is there twice",
        ),
        (
            cy("one").replace(
                "\"claims\":{",
                "\"claims\":{\"address\":{\"country\":\"UK\",\"country\":\"UK\"},",
            ),
            "line 1: the member \"country\" is there twice",
        ),
        (
            cy("one").replace("\"created\":", "\"created\":-"),
            "line 1: created is no time in seconds",
        ),
        (
            cy("one").replace("\"created\":", "\"created\":999"),
            "line 1: created is in milliseconds",
        ),
        (format!("\n{{\"username\":\"eve\"}}\n{bob}"), "line 2: missing field"),
    ] {
        let import = [&["user", "import", "-"], &SETTINGS[..]].concat();
        let output = run(&program.data, &import, &wrong);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
    }
    assert_eq!(program.json(&["user", "list"]).as_array().unwrap().len(), 1);
}

fn json_of(program: &Program, lines: &str) -> Value {
    let import = [&["user", "import", "-"], &SETTINGS[..]].concat();
    crate::process::json(&program.data, &import, lines)
}

#[test]
fn commands_refuse_claims_that_there_are_not_and_values_that_do_not_fit() {
    let stage = Stage::new(&[]);
    for (claim, said) in [
        ("sub=eve", "sub is the subject of the user"),
        ("favourite=blue", "there is no claim favourite"),
        ("email=ada", "email: an address, such as ada@example.com"),
        ("birthdate=yesterday", "birthdate: a date such as 1815-12-10"),
        ("name", "a claim is NAME=VALUE"),
    ] {
        let (code, error) =
            failure(&stage.program.data, &["user", "edit", "ada", "--claim", claim]);
        assert!(code == 2 && error.contains(said), "{claim}: {error}");
    }
    let (_, error) = failure(&stage.program.data, &["user", "edit", "ada"]);
    assert!(error.contains("--claim"), "{error}");
    let (_, error) = failure(&stage.program.data, &["user", "edit", "eve", "--claim", "name=Eve"]);
    assert!(error.contains("eve"), "{error}");
    let edited = stage.edit(&["name=Ada", "phone_number=+44 20 7946 0000"]);
    assert_eq!(edited["phone_number"], "+44 20 7946 0000");
    let remove = ["user", "edit", "ada", "--remove-claim", "phone_number"];
    assert!(stage.program.json(&remove)["claims"].get("phone_number").is_none());
    let shown = run(&stage.program.data, &["user", "show", "ada"], "");
    assert!(
        text(&shown.stdout).contains("  name                   Ada\n"),
        "{}",
        text(&shown.stdout)
    );
    stage.edit(&["email=ada@example.com", "email_verified=true", "groups=[\"staff\",\"chess\"]"]);
    let shown = text(&run(&stage.program.data, &["user", "show", "ada"], "").stdout);
    // As `--claim` has them.
    assert!(shown.contains("email_verified         true\n"), "{shown}");
    assert!(shown.contains("groups                 [\"staff\",\"chess\"]\n"), "{shown}");
    let updated = shown.split_once("updated_at             ").unwrap().1;
    assert!(updated.starts_with("20") && updated.contains('T'), "a time: {shown}");
    let name = ["user", "edit", "ada", "--claim", "preferred_username=countess"];
    let (_, error) = failure(&stage.program.data, &name);
    assert!(error.contains("preferred_username is the user name, and cannot be set"), "{error}");
    for setting in
        ["claims=email=Mail", "claims_that_users_edit=email_verified", "claims_that_users_edit=nam"]
    {
        let (code, error) = failure(&stage.program.data, &["config", "--set", setting]);
        assert_eq!(code, 3, "{error}");
    }
}
