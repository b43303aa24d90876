//! The claims about a user: `quadrille user edit` and `quadrille user show`.

use clap::Args;
use quadrille::Timestamp;
use serde_json::{Value, json};

use crate::{
    Failure,
    audit::{Event, record},
    config::Settings,
    data::Data,
    output::Output,
    users::{
        User,
        claims::{Changes, changed, parse, shown},
    },
    words::Plain,
};

use super::{named::user as found, table::when};

/// Arguments of `quadrille user edit`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("changes").required(true).multiple(true)))]
pub(super) struct EditArgs {
    /// The user name
    name: String,
    /// A claim and its value; repeatable. Standard ones are name, given_name, family_name, middle_name,
    /// nickname, profile, picture, website, gender, birthdate, zoneinfo, locale, email, email_verified,
    /// phone_number, phone_number_verified and address; the setting claims adds others
    #[arg(long = "claim", value_name = "NAME=VALUE", group = "changes", value_parser = pair)]
    claims: Vec<(String, String)>,
    /// A claim to remove; repeatable
    #[arg(long = "remove-claim", value_name = "NAME", group = "changes")]
    removed: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    pair.ok_or_else(|| "a claim is NAME=VALUE, such as email=ada@example.com".to_owned())
}

/// Shows a user with all claims.
pub(super) async fn show(data: &Data, name: &str, output: Output) -> Result<(), Failure> {
    write(&found(data, name).await?, output)
}

/// Changes claims.
pub(super) async fn edit(
    data: &Data,
    args: &EditArgs,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let mut changes = Changes::new();
    for (name, text) in &args.claims {
        let value = parse(name, text, &settings.openid.claims.own)?;
        changes.insert(name.clone(), Some(value));
    }
    changes.extend(args.removed.iter().map(|name| (name.clone(), None)));
    let user = found(data, &args.name).await?;
    let now = data.env().now();
    let change = Box::new(move |before: &_| changed(before, &changes, now));
    let edited = data.backend().change_claims(&user.subject, change).await;
    let edited = edited.map_err(|error| data.failure(error))?;
    let not_found = || Failure::NotFound { what: "user", name: args.name.clone() };
    let edited = edited.ok_or_else(not_found)?;
    record(
        &Event::by_operator("profile_changed", "claims about a user were changed").about(&edited),
    );
    write(&edited, output)
}

fn write(user: &User, output: Output) -> Result<(), Failure> {
    let (name, created) = (user.name.as_str(), when(user.created));
    let value = json!({
        "username": name,
        "subject": &*user.subject,
        "created": created,
        "claims": Value::from(user.claims.clone()),
    });
    output.result(&value, || {
        let subject = Plain(&user.subject);
        let mut text = format!("{name}, subject {subject}, added {created}\n");
        for (claim, value) in &user.claims {
            let value = typed(claim, value);
            text += &format!("  {:<22} {}\n", Plain(claim).to_string(), Plain(&value));
        }
        text
    })
}

/// A value as `--claim` has it, or the time of the last change.
fn typed(claim: &str, value: &Value) -> String {
    match (claim, value) {
        ("updated_at", Value::Number(seconds)) => {
            seconds.as_i64().map(Timestamp::from_seconds).map_or_else(|| shown(value), when)
        }
        (_, Value::Bool(is)) => is.to_string(),
        (_, Value::Array(_)) => value.to_string(),
        _ => shown(value),
    }
}
