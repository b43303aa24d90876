//! A check of passwords of an application's own.

use std::sync::Arc;

use crate::{
    Authentication, RemoteAddress, Scopes, Secret, Timestamp,
    oauth2::Resources,
    provider::{
        Client, GrantType, NewClient, PasswordAttempt, PasswordNotChecked, PasswordVerifier,
    },
    testing::{ManualClock, rules::worked},
};

use super::{
    checked::{holds, same},
    tables::near,
};

/// The waits that a verifier may demand in a row. One that counts failures asks for a few.
const WAITS: usize = 20;

fn client() -> Arc<Client> {
    let new = NewClient::public("A client that sees passwords");
    let new = new.id("contract").grant_types([GrantType::Password, GrantType::RefreshToken]);
    Arc::new(new.in_table(Timestamp::from_seconds(1_700_000_000)).unwrap())
}

/// The answer to a name and a password, after the waits that the verifier demands.
async fn verify<V: PasswordVerifier>(
    verifier: &V,
    clock: &ManualClock,
    name: &str,
    password: &str,
) -> Option<Authentication> {
    for _ in 0..WAITS {
        let attempt = PasswordAttempt {
            user_name: name.to_owned(),
            password: Secret::from(password),
            client: client(),
            scopes: Scopes::default(),
            resources: Resources::default(),
            from: Some(RemoteAddress([192, 0, 2, 7].into())),
        };
        match verifier.verify(attempt).await {
            Err(PasswordNotChecked::TooMany(wait) | PasswordNotChecked::Busy(wait)) => {
                clock.advance(wait);
            }
            answer => return worked("verify", answer),
        }
    }
    holds(format!("`verify` checks the password of {name:?} after the time that it names"), false);
    None
}

/// The subject is the same each time.
pub async fn the_right_password_tells_the_subject<V: PasswordVerifier>(
    verifier: &V,
    users: &[(&str, &str)],
    clock: &ManualClock,
) {
    let mut subjects: Vec<Arc<str>> = Vec::new();
    for (name, password) in users {
        let found = verify(verifier, clock, name, password).await;
        let rule = format!("`verify` accepts the right password of {name:?}");
        holds(rule, found.is_some());
        let Some(found) = found else { continue };
        let rule = format!("`verify` tells a time of the sign-in of {name:?} that is not to come");
        holds(rule, found.auth_time <= clock.now());
        holds(format!("the subject of {name:?} is not empty"), !found.subject.is_empty());
        let again = verify(verifier, clock, name, password).await;
        let rule = format!("`verify` tells the same subject for {name:?} each time");
        same(rule, again.map(|again| again.subject), Some(Arc::clone(&found.subject)));
        let rule = format!("`verify` tells a subject for {name:?} that no other user has");
        holds(rule, !subjects.contains(&found.subject));
        subjects.push(found.subject);
    }
}

/// Passwords are compared to the last byte.
pub async fn any_other_password_is_refused<V: PasswordVerifier>(
    verifier: &V,
    users: &[(&str, &str)],
    clock: &ManualClock,
) {
    for (name, password) in users {
        let others = users.iter().map(|(_, other)| (*other).to_owned());
        let cut = password.chars().take(password.chars().count() - 1).collect();
        let longer = [format!("{password}\0"), format!("{password}\0x"), cut];
        for wrong in near(password).into_iter().chain(longer).chain(others) {
            if wrong == *password {
                continue;
            }
            let found = verify(verifier, clock, name, &wrong).await;
            let rule = format!("`verify` refuses {wrong:?}, which is not the password of {name:?}");
            holds(rule, found.is_none());
        }
    }
}

/// A name in another spelling may be that of the same user, and of no other one.
pub async fn a_name_leads_to_one_user<V: PasswordVerifier>(
    verifier: &V,
    users: &[(&str, &str)],
    clock: &ManualClock,
) {
    for (name, password) in users {
        let subject = verify(verifier, clock, name, password).await.map(|found| found.subject);
        for other in near(name) {
            if users.iter().any(|(name, _)| *name == other) {
                continue;
            }
            let found = verify(verifier, clock, &other, password).await;
            let rule = format!("`verify` finds nobody or {name:?} by {other:?}");
            holds(rule, found.is_none_or(|found| Some(found.subject) == subject));
        }
        for nobody in ["", "' OR ''='", "%", "nobody-has-this-name"] {
            let found = verify(verifier, clock, nobody, password).await;
            let rule = format!("`verify` finds no user by {nobody:?} and the password of {name:?}");
            holds(rule, found.is_none());
        }
    }
}

/// A client sends any text. An error would be an answer of 503, and would say that the database
/// failed.
pub async fn any_text_is_a_name_and_a_password<V: PasswordVerifier>(
    verifier: &V,
    users: &[(&str, &str)],
    clock: &ManualClock,
) {
    let long = "n".repeat(10_000);
    for odd in ["\0", "\u{7f}\r\n", "\u{202e}\u{1f469}\u{200d}", "\u{fffd}", &long] {
        let found = verify(verifier, clock, odd, odd).await;
        holds("`verify` refuses any name that no user has", found.is_none());
        for (name, _) in users {
            let found = verify(verifier, clock, name, odd).await;
            holds("`verify` refuses any wrong password", found.is_none());
        }
    }
}
