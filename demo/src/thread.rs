//! The thread of one login among all messages of a visitor.
//!
//! A login is identified by values that belong to it alone: its `state`, its code, its tokens. Two
//! exchanges that share such a value belong together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dance::Dance,
    message::{Exchange, Head, Message, Party},
    value::{Protocol, ValueId},
};

type Values = BTreeMap<Exchange, BTreeSet<ValueId>>;

/// The dance that just happened: of all messages of this visitor, perhaps in twenty tabs, those of
/// the login that was active last, and the pages around it. With `protocol`, the last login of that
/// protocol.
pub(super) fn latest(dance: &Dance, protocol: Option<Protocol>) -> Dance {
    let values = values(dance);
    let mut looked_at = BTreeSet::new();
    let found = values.values().rev().filter(|values| !values.is_empty()).find_map(|start| {
        if !start.is_disjoint(&looked_at) {
            return None;
        }
        let thread = thread(&values, start.clone());
        looked_at.extend(thread.iter().copied());
        let danced = thread.iter().find_map(|id| dance.value(*id)?.kind.protocol());
        (protocol.is_none() || danced == protocol).then_some((thread, danced))
    });
    match found {
        Some((thread, danced)) => pick(dance, &values, &thread, danced),
        None if protocol.is_none() => dance.only(|_| true),
        None => dance.only(|_| false),
    }
}

/// The values in each exchange that belong to one login only.
fn values(dance: &Dance) -> Values {
    let mut values = Values::new();
    for message in dance.messages() {
        let of_one_login =
            |id: &ValueId| dance.value(*id).is_some_and(|value| value.kind.is_of_one_login());
        let carried = message.carries().into_iter().filter(of_one_login);
        values.entry(message.exchange).or_default().extend(carried);
    }
    values
}

/// The values that are connected with `thread` by exchanges, forwards and backwards.
fn thread(values: &Values, mut thread: BTreeSet<ValueId>) -> BTreeSet<ValueId> {
    loop {
        let known = thread.len();
        for tied in values.values() {
            if !tied.is_disjoint(&thread) {
                thread.extend(tied);
            }
        }
        if thread.len() == known {
            return thread;
        }
    }
}

fn pick(
    dance: &Dance,
    values: &Values,
    thread: &BTreeSet<ValueId>,
    danced: Option<Protocol>,
) -> Dance {
    let is_of_it = |exchange: &Exchange| {
        values.get(exchange).is_some_and(|values| !values.is_disjoint(thread))
    };
    // Pages have no values, but each dance has pages of its own.
    let pages_of_another: BTreeSet<Exchange> = dance
        .messages()
        .filter(|message| page_of(message).is_some_and(|page| danced.is_some_and(|it| it != page)))
        .map(|message| message.exchange)
        .collect();
    let is_of_another = |exchange: &Exchange| {
        !is_of_it(exchange)
            && (pages_of_another.contains(exchange)
                || values.get(exchange).is_some_and(|values| !values.is_empty()))
    };
    let first = dance.messages().find(|message| is_of_it(&message.exchange));
    let first = first.map(|message| message.exchange);
    // The page that began the dance has no values yet.
    let page = dance
        .messages()
        .take_while(|message| Some(message.exchange) != first)
        .filter(|message| message.is_request() && message.to == Party::Website)
        .filter(|message| !is_of_another(&message.exchange))
        .last()
        .map(|message| message.exchange);
    let start = page.or(first);
    dance.only(|message| Some(message.exchange) >= start && !is_of_another(&message.exchange))
}

/// The dance that a page of the website belongs to.
fn page_of(request: &Message) -> Option<Protocol> {
    match (&request.head, request.to) {
        (Head::Request { path, .. }, Party::Website) if path.starts_with("/oauth1/") => {
            Some(Protocol::OAuth1)
        }
        (Head::Request { path, .. }, Party::Website) if !path.starts_with("/login/") => {
            Some(Protocol::OAuth2)
        }
        _ => None,
    }
}
