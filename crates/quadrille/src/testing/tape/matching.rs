//! The exchange on a tape that answers a request.

use url::Url;

use super::{
    content::{Content, pairs_difference},
    exchange::{Exchange, Sent},
    secrets::is_alike,
};

/// The result of a search for the exchange that answers a request.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// The exchange with this number.
    Exchange(usize),
    /// No exchange: this is the first difference of one with the same method and URL.
    OtherBody(String),
    /// No exchange: this is the nearest, and its difference.
    Nothing(Option<String>),
    /// An exchange that is not the next.
    OutOfOrder {
        /// The number of the next.
        next: usize,
    },
}

/// Looks for the exchange that answers a request. `plays` is how often each was played.
pub(super) fn find(exchanges: &[Exchange], plays: &[u32], sent: &Sent, is_in_order: bool) -> Found {
    let same = |(_, exchange): &(usize, &Exchange)| difference(&exchange.request, sent).is_none();
    let played = |number: usize| plays.get(number).is_some_and(|plays| *plays > 0);
    let all = || exchanges.iter().enumerate();
    let unplayed = all().filter(same).find(|(number, _)| !played(*number));
    if is_in_order {
        let next = (0..exchanges.len()).find(|number| !played(*number));
        return match (next, unplayed) {
            (Some(next), Some((found, _))) if found == next => Found::Exchange(found),
            (Some(next), _) if all().any(|one| same(&one)) => Found::OutOfOrder { next },
            _ => nearest(exchanges, sent),
        };
    }
    if let Some((number, _)) = unplayed {
        return Found::Exchange(number);
    }
    // A request that changes nothing may be repeated: it gets the last answer again.
    match all().filter(same).last() {
        Some((number, _)) if matches!(&*sent.method, "GET" | "HEAD") => Found::Exchange(number),
        Some(_) => {
            Found::Nothing(Some("the same request, which has been played already".to_owned()))
        }
        None => nearest(exchanges, sent),
    }
}

fn nearest(exchanges: &[Exchange], sent: &Sent) -> Found {
    let alike = exchanges.iter().max_by_key(|exchange| likeness(&exchange.request, sent));
    let Some(Exchange { request, .. }) = alike else { return Found::Nothing(None) };
    let is_place =
        request.method == sent.method && url_difference(&request.url, &sent.url).is_none();
    match difference(request, sent) {
        Some(difference) if is_place => Found::OtherBody(difference),
        Some(difference) => Found::Nothing(Some(format!("{request}: {difference}"))),
        None => Found::Nothing(Some("the same request, which has been played already".to_owned())),
    }
}

/// The first difference of two requests; `None` if they are the same but for secrets.
fn difference(on_tape: &Sent, sent: &Sent) -> Option<String> {
    if on_tape.method != sent.method {
        return Some(format!("the method is {} on the tape", on_tape.method));
    }
    url_difference(&on_tape.url, &sent.url)
        .or_else(|| Content::difference(on_tape.body.as_ref(), sent.body.as_ref()))
}

fn url_difference(on_tape: &str, sent: &str) -> Option<String> {
    let (Ok(one), Ok(other)) = (Url::parse(on_tape), Url::parse(sent)) else {
        return (on_tape != sent).then(|| "the URL is another one".to_owned());
    };
    if one.origin() != other.origin() {
        let origin = one.origin().ascii_serialization();
        return Some(format!("the server is {origin} on the tape"));
    }
    if !is_alike(one.path(), other.path()) {
        return Some(format!("the path is {} on the tape", one.path()));
    }
    let (one, other) = (pairs(&one), pairs(&other));
    let one: Vec<_> = one.iter().map(|(name, value)| (&**name, &**value)).collect();
    let other: Vec<_> = other.iter().map(|(name, value)| (&**name, &**value)).collect();
    pairs_difference(&one, &other, "query parameter")
}

/// The parameters of a query, in the order of their names.
fn pairs(url: &Url) -> Vec<(String, String)> {
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs
}

/// How much two requests have in common.
fn likeness(one: &Sent, other: &Sent) -> usize {
    let path = |url: &str| Url::parse(url).map(|url| (url.origin(), url.path().to_owned())).ok();
    let (here, there) = (path(&one.url), path(&other.url));
    let is_server = match (&here, &there) {
        (Some((here, _)), Some((there, _))) => here == there,
        _ => false,
    };
    let common = match (&here, &there) {
        (Some((_, here)), Some((_, there))) => {
            here.split('/').zip(there.split('/')).take_while(|(one, other)| one == other).count()
        }
        _ => 0,
    };
    let is_url = url_difference(&one.url, &other.url).is_none();
    usize::from(is_url) * 32
        + usize::from(is_server) * 16
        + usize::from(here == there) * 8
        + usize::from(one.method == other.method) * 4
        + common.min(3)
}
