//! The guide's page of each service, against the service's row: what the row knows stands on the
//! page as it follows from the row, between marks.

use std::{fs, path::PathBuf};

use quadrille::{
    Spec,
    consumer::{ClientAuthentication, OpenIdAccount, Protocol, Revocation},
    scope::ScopeSeparator,
    testing::{Refresh, Row, SERVICES},
};
use serde_json::Value;

/// With this variable set, the tests write what they otherwise compare.
const WRITE: &str = "QUADRILLE_WRITE_GUIDE";
type Render = fn(&Row) -> String;

/// The place of the table of options on the page of a service that has none.
const NO_OPTIONS: &str = "Options: [those of every service](../settings.md#keys-of-every-service), \
                          and none of its own.";

/// The marked parts of a page, in their order.
const PARTS: [(&str, Render); 4] =
    [("registration", registration), ("options", options), ("facts", facts), ("checked", checked)];

fn docs(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(docs(path)).unwrap_or_else(|error| panic!("docs/src/{path}: {error}"))
}

fn oauth2(row: &Row) -> Option<quadrille::consumer::OAuth2> {
    match row.spec.protocol {
        Protocol::OAuth2(oauth2) => Some(oauth2),
        _ => None,
    }
}

/// A table of two columns without a head.
fn table(rows: &[(&str, String)]) -> String {
    let lines: String = rows.iter().map(|(name, text)| format!("| {name} | {text} |\n")).collect();
    format!("| | |\n|---|---|\n{lines}")
}

/// Texts as code, separated by commas.
fn code<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn registration(row: &Row) -> String {
    let protocol = match oauth2(row) {
        Some(oauth2) if oauth2.openid.issuer.is_some() && oauth2.pkce => {
            "OpenID Connect, with PKCE"
        }
        Some(oauth2) if oauth2.openid.issuer.is_some() => "OpenID Connect, without PKCE",
        Some(oauth2) if oauth2.pkce => "OAuth 2, with PKCE",
        Some(_) => "OAuth 2, without PKCE",
        None => "OAuth 1.0a",
    };
    table(&[
        (
            "callback to register",
            format!("`https://app.example/login/{}/authorized`", row.spec.name),
        ),
        ("variables", code(row.variables.iter().copied())),
        ("type", format!("`{}`, by {protocol}", row.type_name)),
    ])
}

fn facts(row: &Row) -> String {
    let mut rows = vec![("scopes", scopes(row))];
    if !row.spec.parameters.is_empty() {
        let pairs: Vec<_> =
            row.spec.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        rows.push(("further parameters", code(pairs.iter().map(|pair| &**pair))));
    }
    rows.push(("identifier of an account", identifier(row)));
    if let Some(tokens) = id_tokens(row) {
        rows.push(("ID tokens", tokens));
    }
    rows.push(("profile", profile(&row.spec)));
    if let Some(oauth2) = oauth2(row) {
        rows.push(("refresh tokens", refresh(row, oauth2.rotates_refresh_tokens)));
    }
    rows.push(("logging out", revocation(row)));
    rows.push(("base of calls", api(row)));
    if !row.spec.call_headers.is_empty() {
        let headers: Vec<_> =
            row.spec.call_headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        rows.push(("headers of calls", code(headers.iter().map(|header| &**header))));
    }
    rows.extend(endpoints(row));
    table(&rows)
}

fn scopes(row: &Row) -> String {
    let default = match row.spec.scopes {
        "" => "none by default".to_owned(),
        scopes => format!("{} by default", code(scopes.split(' '))),
    };
    let separator = |separator| match separator {
        ScopeSeparator::Comma => "commas",
        ScopeSeparator::Space => "spaces",
    };
    match oauth2(row) {
        None if row.spec.scopes.is_empty() => "the service has none".to_owned(),
        None => default,
        Some(oauth2) => {
            let asked = separator(oauth2.scope_separator);
            let granted = separator(oauth2.granted_scope_separator);
            let apart = match asked == granted {
                true => String::new(),
                false => format!(", by {granted} in responses"),
            };
            let callback =
                if oauth2.scopes_in_callback { "; the callback has those granted" } else { "" };
            format!("{default}; sent separated by {asked}{apart}{callback}")
        }
    }
}

fn identifier(row: &Row) -> String {
    let openid = oauth2(row).map(|oauth2| oauth2.openid);
    if let Some(openid) = openid.filter(|openid| openid.issuer.is_some()) {
        return match openid.account {
            OpenIdAccount::Subject => "`sub` of the ID token".to_owned(),
            OpenIdAccount::IssuerAndSubject => {
                "`iss` and `sub` of the ID token, joined by `#`".to_owned()
            }
            _ => panic!("{}: name its identifier", row.type_name),
        };
    }
    let in_token = oauth2(row).and_then(|oauth2| oauth2.subject_in_token);
    match (in_token, row.spec.identity) {
        (Some(member), _) => format!("`{member}` of the token response"),
        (None, Some((path, member))) => format!("`{member}` of `{path}`"),
        (None, None) => "none: an owner has one account".to_owned(),
    }
}

fn id_tokens(row: &Row) -> Option<String> {
    let openid = oauth2(row)?.openid;
    let (issuer, keys) = (openid.issuer?, openid.keys.unwrap_or("its metadata"));
    let nonce = if openid.forgets_nonce { "; without `nonce`" } else { "" };
    Some(format!("of `{issuer}`, with the keys at `{keys}`{nonce}"))
}

fn profile(spec: &Spec) -> String {
    if spec.profile.is_empty() {
        return "none".to_owned();
    }
    let has = |claim: &str| spec.profile.iter().any(|(name, _)| *name == claim);
    let members: Vec<_> = [
        ("preferred_username", "`user_name`"),
        ("name", "`name`"),
        ("email", "`email`"),
        ("email_verified", "`email_verified`"),
        ("picture", "`picture`"),
    ]
    .into_iter()
    .filter(|(claim, _)| has(claim) || (*claim == "email_verified" && spec.email_list.is_some()))
    .map(|(_, member)| member)
    .collect();
    let verified = match (spec.email_list, has("email"), has("email_verified")) {
        (Some(path), ..) => format!("; the address is the primary one of `{path}`"),
        (None, true, false) => "; no address is said to be verified".to_owned(),
        (None, true, true) => "; an address is verified only if the service says so".to_owned(),
        (None, false, _) => "; no e-mail address".to_owned(),
    };
    format!("{}{verified}", members.join(", "))
}

fn refresh(row: &Row, rotates: bool) -> String {
    let wants = match row.manners.refresh_wants.split_once('=') {
        Some(("scope", scope)) if is_default(row, row.manners.refresh_wants) => {
            format!("with the scope `{scope}`, a default one; ")
        }
        Some(("scope", scope)) => format!("with the scope `{scope}`; "),
        Some((name, value)) => format!("only if requested (`{name}={value}`); "),
        None => String::new(),
    };
    match (row.manners.refresh, rotates) {
        (Refresh::Never, _) => "none as a rule; one that comes is used".to_owned(),
        (_, true) => format!("{wants}each is used once"),
        (_, false) => format!("{wants}each stays valid"),
    }
}

/// Whether a request has this scope (`scope=offline_access`) without an option.
fn is_default(row: &Row, wants: &str) -> bool {
    let scope = wants.strip_prefix("scope=");
    scope.is_some_and(|scope| row.spec.scopes.split(' ').any(|known| known == scope))
}

fn revocation(row: &Row) -> String {
    let Some((endpoint, request)) = oauth2(row).and_then(|oauth2| oauth2.revocation) else {
        return "`Unsupported`: the token stays valid at the service, and the account is removed here"
            .to_owned();
    };
    let request = match request {
        Revocation::Standard => "RFC 7009",
        Revocation::WithoutSecret => "RFC 7009, without the secret",
        Revocation::DeleteByClient => "a DELETE with the application's credentials",
        Revocation::PostAccessToken => "a POST of the access token",
        Revocation::PostBearer => "a POST with the access token",
        Revocation::DeleteBearer => "a DELETE with the access token",
        _ => panic!("{}: name the request of its revocation", row.type_name),
    };
    format!("`Revoked`: {request}, at `{endpoint}`")
}

fn api(row: &Row) -> String {
    let base = match row.spec.api {
        "" => "the URL of the installation".to_owned(),
        api => format!("`{api}`"),
    };
    match oauth2(row).and_then(|oauth2| oauth2.api_in_token) {
        Some((member, _)) => format!("{base}, or the host in `{member}` of the token response"),
        None => base,
    }
}

fn endpoints(row: &Row) -> Vec<(&'static str, String)> {
    let spec = &row.spec;
    match spec.protocol {
        Protocol::OAuth2(oauth2) => {
            let secret = match oauth2.authentication {
                ClientAuthentication::Basic => "the secret by HTTP Basic",
                ClientAuthentication::Post => "the secret in the body",
                ClientAuthentication::Json => "the secret in a body of JSON",
                _ => panic!("{}: name its authentication", row.type_name),
            };
            let scheme = match oauth2.token_scheme {
                "Bearer" => String::new(),
                scheme => format!("; calls have the scheme `{scheme}`"),
            };
            vec![
                ("authorization endpoint", format!("`{}`", spec.authorize)),
                ("token endpoint", format!("`{}`, {secret}{scheme}", spec.token)),
            ]
        }
        Protocol::OAuth1(oauth1) => vec![
            ("temporary credentials", format!("`{}`", oauth1.temporary)),
            ("authorization", format!("`{}`", spec.authorize)),
            ("token", format!("`{}`", spec.token)),
            ("signatures", oauth1.signature_method.as_str().to_owned()),
        ],
        _ => panic!("{}: name its endpoints", row.type_name),
    }
}

/// The source of a service's row, and of the whole file.
fn source(row: &Row) -> (String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/consumer/presets");
    let start = format!("\n    {},\n    new: ", row.type_name);
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        if let Some(at) = text.find(&start) {
            let own = &text[at..];
            return (own[..own.find("\n}\n").unwrap()].to_owned(), text);
        }
    }
    panic!("{} has no file", row.type_name)
}

/// The service's own options with their documentation.
fn options(row: &Row) -> String {
    let (source, file) = source(row);
    let mut documented = Vec::new();
    let mut doc = Vec::new();
    let own = source.split_once("    options: {\n").map_or("", |(_, own)| own);
    for line in own.split("\n    },").next().unwrap_or_default().lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.trim());
        } else if let Some((signature, _)) = line.split_once(" =>")
            && !doc.is_empty()
        {
            let mut effect = plain(&std::mem::take(&mut doc).join(" "));
            let signature = match signature.trim_end_matches(')').split_once('(') {
                Some((name, argument)) => {
                    let (argument, kind) = argument.split_once(": ").unwrap();
                    let words = words(&file, kind);
                    if !words.is_empty() {
                        effect.push_str(&format!(" One of {}.", code(words)));
                    }
                    format!("{name}({argument})")
                }
                None => signature.to_owned(),
            };
            documented.push((signature, effect));
        }
    }
    let names: Vec<_> =
        documented.iter().map(|(signature, _)| signature.split('(').next().unwrap()).collect();
    assert_eq!(names, row.options, "{}: each option has a documented line", row.type_name);
    if documented.is_empty() {
        return format!("{NO_OPTIONS}\n");
    }
    let lines: String = documented
        .iter()
        .map(|(signature, doc)| {
            let name = signature.split('(').next().unwrap();
            format!("| `{signature}` | {} | {doc} |\n", on_the_wire(row, name))
        })
        .collect();
    format!("| option | sent, for example | effect |\n|---|---|---|\n{lines}")
}

/// The effect of an option on requests, from the table that the tests of options walk.
fn on_the_wire(row: &Row, option: &str) -> String {
    let table: Value =
        serde_json::from_str(include_str!("../vectors/service_options.json")).unwrap();
    let lines = table["rows"].as_array().unwrap();
    let line = lines.iter().find(|line| {
        let settings = line["settings"].as_object().unwrap();
        let is_on = settings.get(option).is_some_and(|value| *value != Value::Bool(false));
        line["service"] == row.spec.name && settings.len() == 1 && is_on
    });
    let line = line.unwrap_or_else(|| panic!("{}: no line for {option}", row.spec.name));
    let mut sent: Vec<String> = Vec::new();
    for parameter in line["parameters"].as_array().into_iter().flatten() {
        let parameter = parameter.as_str().unwrap();
        let usual = row.spec.parameters.iter();
        if !usual.map(|(name, value)| format!("{name}={value}")).any(|usual| usual == parameter) {
            sent.push(parameter.to_owned());
        }
    }
    for (name, value) in line["headers"].as_object().into_iter().flatten() {
        sent.push(format!("{name}: {}", value.as_str().unwrap()));
    }
    if sent.is_empty() {
        let places = ["authorize", "token", "api"].map(|place| line[place].as_str());
        let usual = [row.spec.authorize, row.spec.token, row.spec.api];
        let moved = places.into_iter().zip(usual).filter(|(place, usual)| *place != Some(*usual));
        sent.extend(
            moved.filter_map(|(place, _)| {
                Some(place?.strip_suffix("/anything").or(place)?.to_owned())
            }),
        );
    }
    assert!(!sent.is_empty(), "{}: {option} has no effect: {line}", row.spec.name);
    code(sent.iter().map(|sent| &**sent))
}

/// The words of an option that has few.
fn words<'a>(file: &'a str, kind: &str) -> Vec<&'a str> {
    let list = file.split_once(&format!("\n    {kind} {{\n")).map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| *line != "    }");
    lines.filter_map(|line| Some(line.split_once(" = \"")?.1.trim_end_matches("\","))).collect()
}

/// Documentation without the addresses of links to the reference.
fn plain(doc: &str) -> String {
    let mut out = String::new();
    let mut rest = doc;
    while let Some(at) = rest.find("[`") {
        out.push_str(&rest[..at]);
        let (name, after) = rest[at + 1..].split_once(']').unwrap();
        out.push_str(name);
        rest = match after.strip_prefix('(') {
            Some(address) => address.split_once(')').unwrap().1,
            None => after,
        };
    }
    out.push_str(rest);
    out
}

fn checked(row: &Row) -> String {
    format!("Checked {}.\n", row.checked)
}

/// The page with its marked parts as they follow from the row.
fn rendered(page: &str, row: &Row) -> String {
    let mut out = String::new();
    let mut rest = page;
    for (part, render) in PARTS {
        let start = format!("<!-- row: {part} -->\n");
        let (before, after) =
            rest.split_once(&start).unwrap_or_else(|| panic!("{}: lacks {start}", row.spec.name));
        let (_, after) = after.split_once("<!-- end -->\n").expect("each part has an end");
        if part == "checked" {
            assert!(row.checked.contains(" against "), "{}: {}", row.spec.name, row.checked);
        }
        out.push_str(before);
        let text = render(row);
        let text = if text.is_empty() { text } else { format!("\n{text}\n") };
        out.push_str(&format!("{start}{text}<!-- end -->\n"));
        rest = after;
    }
    out + rest
}

#[test]
fn each_service_has_a_page_that_says_what_its_row_says() {
    let summary = read("SUMMARY.md");
    let compiled = include_str!("../../src/guide.rs");
    let mut pages: Vec<_> = fs::read_dir(docs("consumer/services"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    for row in SERVICES {
        let name = format!("{}.md", row.spec.name);
        let path = format!("consumer/services/{name}");
        let page = read(&path);
        let expected = rendered(&page, row);
        if std::env::var_os(WRITE).is_some() {
            fs::write(docs(&path), &expected).unwrap();
        } else {
            assert_eq!(page, expected, "{path} is not what its row says: {WRITE}=1 writes it");
        }
        assert!(summary.contains(&format!("]({path})")), "SUMMARY.md lacks {path}");
        assert!(compiled.contains(&format!("docs/src/{path}")), "guide.rs does not compile {path}");
        for text in ["Linked<{}>", "{}::from_env()?"].map(|text| text.replace("{}", row.type_name))
        {
            assert!(expected.contains(&text), "the program of {path} lacks {text}");
        }
        pages.retain(|page| *page != name);
    }
    if cfg!(feature = "rsa-sha1") {
        assert!(pages.is_empty(), "no service has these pages: {pages:?}");
    }
}

/// The line of a service in the table of all.
fn line(row: &Row) -> String {
    let spec = &row.spec;
    let has = |claim: &str| spec.profile.iter().any(|(name, _)| *name == claim);
    let email = match (has("email"), has("email_verified") || spec.email_list.is_some()) {
        (true, true) => "yes, and whether it is verified",
        (true, false) => "yes",
        (false, _) => "no",
    };
    let (protocol, revokes) = match oauth2(row) {
        Some(oauth2) if oauth2.openid.issuer.is_some() => {
            ("OpenID Connect", oauth2.revocation.is_some())
        }
        Some(oauth2) => ("OAuth 2", oauth2.revocation.is_some()),
        None => ("OAuth 1.0a", false),
    };
    let refresh = match (row.manners.refresh, row.manners.refresh_wants) {
        (Refresh::Never, _) => "no",
        (_, wants) if wants.is_empty() || is_default(row, wants) => "yes",
        _ => "on request",
    };
    let revokes = if revokes { "yes" } else { "no" };
    let page = format!("[{}](services/{}.md)", spec.title, spec.name);
    format!("| {page} | `{}` | {protocol} | {email} | {refresh} | {revokes} |\n", row.type_name)
}

#[test]
fn the_table_of_services_has_each_of_them() {
    const HEAD: &str = "| service | type | protocol | e-mail address | refresh tokens | revocation |\n\
                        |---|---|---|---|---|---|\n";
    let page = read("consumer/services.md");
    let (before, rest) = page.split_once(HEAD).expect("the page has the table");
    let (_, after) = rest.split_once("\n\n").unwrap();
    let lines: String = SERVICES.iter().map(line).collect();
    let expected = format!("{before}{HEAD}{lines}\n{after}");
    if cfg!(not(feature = "rsa-sha1")) {
        for row in SERVICES {
            assert!(page.contains(&line(row)), "the table lacks\n{}", line(row));
        }
    } else if std::env::var_os(WRITE).is_some() {
        fs::write(docs("consumer/services.md"), &expected).unwrap();
    } else {
        assert_eq!(page, expected, "the table is not what the rows say: {WRITE}=1 writes it");
    }
}
