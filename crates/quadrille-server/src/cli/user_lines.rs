//! `quadrille user export` and `quadrille user import`.

use std::{collections::HashMap, ops::RangeInclusive, path::PathBuf, sync::Arc};

use clap::Args;
use quadrille::{
    Timestamp,
    json::read_object,
    provider::{SecretVerifier, UserClaims, guessing::VerifierError},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Failure,
    audit::{Event, record},
    config::{ClaimSettings, Settings},
    data::Data,
    output::Output,
    refused::Refused,
    users::{
        Added, User, UserName,
        claims::{UPDATED_AT, check, check_name},
    },
    words::{Quoted, counted, did_you_mean, nearest},
};

use super::{lines, progress::Progress};

/// Arguments of `quadrille user export`.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// New file for the lines, which only you can read [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Arguments of `quadrille user import`.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// File with a user in JSON on each line; - for standard input
    file: PathBuf,
}

/// The members of a line.
const MEMBERS: [&str; 5] = ["username", "subject", "password", "created", "claims"];

/// The times at which a user may have been created, in seconds: up to the year 9999.
const CREATED: RangeInclusive<i64> = 0..=253_402_300_799;

/// A user on a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    username: String,
    subject: String,
    /// A verifier: see [`verifier`].
    password: String,
    /// Seconds since 1970.
    created: i64,
    #[serde(default)]
    claims: UserClaims,
}

pub(super) async fn export(data: &Data, args: &ExportArgs, output: Output) -> Result<(), Failure> {
    let users = data.backend().users().await.map_err(|error| data.failure(error))?;
    let mut text = Zeroizing::new(String::new());
    for user in &users {
        let line = Line {
            username: user.name.to_string(),
            subject: user.subject.to_string(),
            password: user.password.to_string(),
            created: user.created.seconds(),
            claims: user.claims.clone(),
        };
        let line = serde_json::to_string(&line).map_err(std::io::Error::other)?;
        text.push_str(&line);
        text.push('\n');
        record(&Event::by_operator("user_exported", "a user was exported").about(user));
    }
    if let Some(path) = lines::write(&text, args.output.as_deref())? {
        let count = counted(users.len(), "user was", "users were");
        output.note(&format!("{count} written to {}.", path.display()));
    }
    Ok(())
}

pub(super) async fn import(
    data: &Data,
    args: &ImportArgs,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let text = lines::read(&args.file)?;
    let users = data.backend().users().await.map_err(|error| data.failure(error))?;
    let mut known = Known::default();
    users.iter().for_each(|user| known.add(user));
    let progress = Progress::begin("Importing users", output);
    let (mut added, mut there, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    // Editors on Windows put a byte order mark first (RFC 8259, section 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let numbered = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in numbered {
        match user(line, &known, &settings.openid.claims) {
            Ok((user, Added::Now)) => {
                known.add(&user);
                added.push(user);
            }
            Ok((user, Added::Taken)) => there.push(user.name.to_string()),
            Ok((_, Added::LooksLike(other))) => {
                wrong.push(format!("line {number}: the name looks the same as {other}"));
            }
            Err(reason) => wrong.push(format!("line {number}: {reason}")),
        }
    }
    if !wrong.is_empty() {
        return Err(Refused::Import(wrong.join("\n")).into());
    }
    data.backend().put_users(added.clone()).await.map_err(|error| data.failure(error))?;
    drop(progress);
    for user in &added {
        record(&Event::by_operator("user_added", "a user was imported").about(user));
    }
    let names: Vec<_> = added.iter().map(|user| user.name.as_str()).collect();
    output.result(&json!({ "added": names, "known": there }), || {
        let count = counted(names.len(), "user was", "users were");
        format!("{count} imported; {} there already.", counted(there.len(), "was", "were"))
    })
}

/// The users that are there, and those of the lines before, by what may be there once.
#[derive(Default)]
struct Known {
    subjects_by_key: HashMap<String, Box<str>>,
    keys_by_subject: HashMap<Box<str>, String>,
    names_by_look: [HashMap<String, String>; 2],
}

impl Known {
    fn add(&mut self, user: &User) {
        let (key, subject) = (user.name.key(), &*user.subject);
        self.subjects_by_key.insert(key.to_owned(), subject.into());
        self.keys_by_subject.insert(subject.into(), key.to_owned());
        for (names, look) in self.names_by_look.iter_mut().zip(user.name.looks()) {
            names.insert(look, user.name.to_string());
        }
    }

    /// The outcome of adding this user.
    fn added(&self, user: &User) -> Added {
        if self.subjects_by_key.contains_key(user.name.key()) {
            return Added::Taken;
        }
        let looks = user.name.looks();
        let mut alike = self.names_by_look.iter().zip(&looks);
        let alike = alike.find_map(|(names, look)| names.get(look));
        alike.map_or(Added::Now, |name| Added::LooksLike(name.clone()))
    }
}

/// A verifier of a password as it is stored: of Argon2id, and of the functions that other programs use
/// for passwords, until the user signs in.
fn verifier(text: &str) -> Result<Arc<str>, String> {
    match SecretVerifier::parse(text) {
        Ok(SecretVerifier::Argon2id(verifier)) => Ok(verifier),
        Ok(verifier) if verifier.is_slow() => Ok(text.into()),
        // Those of clients are more.
        Ok(_) | Err(VerifierError::Unknown) => Err(
            "password: the verifier is none of Argon2id in PHC form, bcrypt, and PBKDF2 as passlib, \
             Werkzeug and Django write it"
                .to_owned(),
        ),
        Err(error) => Err(format!("password: {error}")),
    }
}

/// The user of a line, and whether it can be added beside those that are known.
fn user(line: &str, known: &Known, claims: &ClaimSettings) -> Result<(User, Added), String> {
    let members = read_object(line.as_bytes()).map_err(|error| error.to_string())?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let nearest = nearest(name, MEMBERS.into_iter());
        return Err(format!("there is no member {}{}", Quoted(name), did_you_mean(nearest)));
    }
    let line: Line = serde_json::from_value(members.into()).map_err(|error| error.to_string())?;
    let name = UserName::parse_new(&line.username).map_err(|error| error.to_string())?;
    let password = verifier(&line.password)?;
    let same_name = known.subjects_by_key.get(name.key());
    if same_name.is_some_and(|subject| **subject != *line.subject) {
        return Err("username: there is a user of this name with another subject".to_owned());
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let is_subject = (1..=255).contains(&line.subject.len()) && line.subject.bytes().all(is_plain);
    if !is_subject || known.keys_by_subject.get(&*line.subject).is_some_and(|key| key != name.key())
    {
        return Err("subject: 1 to 255 printable characters of ASCII, of no other user".to_owned());
    }
    match line.created {
        created if CREATED.contains(&created) => {}
        created if created > 0 && CREATED.contains(&(created / 1000)) => {
            return Err("created is in milliseconds: times are seconds since 1970".to_owned());
        }
        _ => return Err("created is no time in seconds since 1970".to_owned()),
    }
    for (name, value) in line.claims.iter().filter(|(name, _)| *name != UPDATED_AT) {
        let checked = check_name(name, &claims.own).and_then(|()| check(name, value));
        checked.map_err(|error| error.to_string())?;
    }
    if line.claims.get(UPDATED_AT).is_some_and(|time| !time.is_i64()) {
        return Err(format!("{UPDATED_AT}: a time in seconds"));
    }
    let user = User {
        subject: line.subject.into(),
        name,
        password,
        password_number: 1,
        created: Timestamp::from_seconds(line.created),
        claims: line.claims,
    };
    let added = known.added(&user);
    Ok((user, added))
}
