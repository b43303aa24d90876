//! Tables of an application's own.

use crate::{
    provider::store::{ClientTable, UserTable},
    testing::{ManualClock, rules::worked},
};

use super::checked::{holds, same};

/// Texts that are near a text, and are not it.
pub(super) fn near(id: &str) -> Vec<String> {
    let swapped = id.chars().map(|letter| match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    });
    let swapped: String = swapped.collect();
    let mut near = vec![format!("{id} "), format!(" {id}"), format!("{id}%"), "' OR ''='".into()];
    near.extend(Some(swapped).filter(|swapped| swapped != id));
    near.push(String::new());
    near
}

/// Each of the clients `ids` is in the table.
pub async fn a_client_is_found_by_its_exact_id<T: ClientTable>(
    table: &T,
    ids: &[&str],
    _: &ManualClock,
) {
    for id in ids {
        let found = worked("find", table.find(id).await);
        let rule = format!("`find` finds the client {id:?}");
        same(rule, found.map(|client| client.id.to_string()), Some((*id).to_owned()));
        for other in near(id) {
            let found = worked("find", table.find(&other).await);
            let rule = format!("`find` finds no client by {other:?}, which is not {id:?}");
            holds(rule, found.is_none_or(|found| *found.id != **id));
        }
    }
}

/// A client that changes from one look-up to the next would lose its grants.
pub async fn a_client_stays_the_same<T: ClientTable>(table: &T, ids: &[&str], clock: &ManualClock) {
    for id in ids {
        let first = worked("find", table.find(id).await);
        clock.advance(std::time::Duration::from_secs(100));
        let rule = format!("`find` gives the same client each time, with its number: {id:?}");
        same(rule, worked("find", table.find(id).await), first);
    }
}

/// A table that lists clients lists those that it finds.
pub async fn clients_are_listed_once_or_not_at_all<T: ClientTable>(
    table: &T,
    ids: &[&str],
    _: &ManualClock,
) {
    let all = worked("all", table.all().await);
    let count = |id: &str| all.iter().filter(|client| *client.id == *id).count();
    for id in ids {
        let rule = format!("`all` lists each client once, or nothing: {id:?}");
        holds(rule, all.is_empty() || count(id) == 1);
    }
    for client in &all {
        let found = worked("find", table.find(&client.id).await);
        same("`find` finds each client as `all` lists it", found.as_ref(), Some(client));
    }
}

/// Each of `subjects` is a user.
pub async fn a_user_is_found_by_the_exact_subject<T: UserTable>(
    table: &T,
    subjects: &[&str],
    clock: &ManualClock,
) {
    for subject in subjects {
        let since = worked("since", table.since(subject).await);
        let rule = format!("`since` tells a time for the user {subject:?}, which is not to come");
        holds(rule, since.is_some_and(|since| since <= clock.now()));
        clock.advance(std::time::Duration::from_secs(100));
        let rule = format!("`since` tells the same time for {subject:?} each time");
        same(rule, worked("since", table.since(subject).await), since);
        for other in near(subject) {
            let is_user = subjects.contains(&other.as_str());
            let rule = format!("`since` knows no user {other:?}");
            holds(rule, is_user || worked("since", table.since(&other).await).is_none());
        }
    }
}
