//! Texts: long ones, and those of any script.

use std::sync::Arc;

use crate::{
    Actor, Scopes,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            Consent, Grant, GrantDetails, Issue, PendingRecord, PendingRef, RevokeAll, RowId, Store,
        },
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client, hash, ours},
};

/// The bytes of a text that is part of a key: of an id chosen for a client, and of a subject.
const KEY: usize = 255;

/// A database that shortens what its columns do not hold would store something else than it says.
pub async fn long_texts_come_back_whole<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let id = "i".repeat(KEY);
    let mut long = Client { name: "\u{1f5bc}\u{e9}".repeat(20_000), ..client(&id, 2) };
    long.redirect_uris =
        vec![format!("https://app.example/{}", "b".repeat(1900)).parse().unwrap(); 30];
    let scopes: Vec<_> = (0..2000).map(|scope| format!("scope:{scope}")).collect();
    long.scopes = Scopes::of(scopes.iter().map(String::as_str));
    store.replace_client(issuer, long.clone()).await;
    let found = store.client(issuer, &id).await;
    holds("`client` gives back long texts whole", found.as_deref() == Some(&long));

    let subject: Arc<str> = "\u{1f9d1}s\u{e9}\u{4e2d}".repeat(25).into();
    let resources = format!("https://api.example/{}", "r".repeat(2000));
    let resources = Resources::parse(&resources).unwrap();
    let data = [("text".to_owned(), "\u{1f5bc}\u{e9}".repeat(5000).into())];
    let details =
        GrantDetails { data: data.clone().into_iter().collect(), ..GrantDetails::default() };
    let grant = Grant {
        client: Arc::clone(&long.id),
        actor: Actor::User(Arc::clone(&subject)),
        scopes: long.scopes.clone(),
        resources: resources.clone(),
        details: Some(Arc::new(details)),
        ..world.grant(500)
    };
    let access = world.access(501, grant.clone());
    let family = world.family(502, grant.clone());
    let issue = Issue { access: access.clone(), family: Some(family.clone()) };
    store.issue(issuer, issue).await;
    holds("`access` gives back long texts whole", world.issued(501).await == Some(access));
    let found = store.family(issuer, RowId(502)).await;
    holds("`family` gives back long texts whole", found.as_deref() == Some(&family));
    let listed = store.grants(issuer, &subject).await;
    holds("`grants` gives back long texts whole", listed.iter().any(|it| it.grant == grant));
    let mut code = world.code(510);
    code.grant = Grant { id: RowId(510), ..grant };
    code.redirect_uri = Some(format!("https://app.example/{}", "c".repeat(1900)).into());
    store.put_code(issuer, code.clone()).await;
    let found = store.code(issuer, code.row).await;
    holds("`code` gives back long texts whole", found.as_deref() == Some(&code));

    let consent = Consent {
        subject: Arc::clone(&subject),
        client: Arc::clone(&long.id),
        resources: resources.clone(),
        scopes: long.scopes.clone(),
        data: data.into_iter().collect(),
        ..world.consent("", CLIENT, "photos")
    };
    store.answer(issuer, world.denial(1, consent.clone())).await;
    let found = store.consent_at(issuer, &subject, &id, &resources).await;
    holds("`consent` gives back long texts whole", found == Some(consent));
    let pending = PendingRecord {
        client: Arc::clone(&long.id),
        scopes: long.scopes,
        resources,
        ..world.pending(520)
    };
    store.put_pending(issuer, pending.clone()).await;
    let found = store.pending(issuer, &PendingRef::Identifier(ours(520))).await;
    holds("`pending` gives back long texts whole", found.as_deref() == Some(&pending));
}

/// In their case, their last byte, an accent, or the way in which it is written.
pub async fn texts_that_differ_anywhere_are_different<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let long = "s".repeat(KEY - 1);
    let subjects = [
        "zo\u{eb}".to_owned(),
        "zoe\u{308}".to_owned(),
        "zoe".to_owned(),
        "zoe\t".to_owned(),
        "\u{1f9d1}".to_owned(),
        "\u{1f469}".to_owned(),
        "%".to_owned(),
        "_".to_owned(),
        "'; --".to_owned(),
        format!("{long}a"),
        format!("{long}b"),
    ];
    for (number, subject) in (0..).zip(&subjects) {
        let row = 1000 + 10 * number;
        let actor = Actor::User(subject.as_str().into());
        let access = world.access(row + 1, Grant { actor, ..world.grant(row) });
        store.issue(issuer, Issue { access, family: None }).await;
        let consent = world.consent(subject, CLIENT, &format!("scope:{number}"));
        store.answer(issuer, world.denial(number.try_into().unwrap(), consent)).await;
    }
    for (number, subject) in (0..).zip(&subjects) {
        let listed = store.grants(issuer, subject).await;
        let listed: Vec<_> = listed.iter().map(|listed| listed.grant.id.0).collect();
        let rule = format!("`grants` lists those of exactly {subject:?}");
        same(rule, listed, vec![1000 + 10 * number]);
        let consents = store.consents(issuer, subject).await;
        let consents: Vec<_> = consents.iter().map(|it| it.scopes.to_string()).collect();
        let rule = format!("`consents` tells those of exactly {subject:?}");
        same(rule, consents, vec![format!("scope:{number}")]);
    }
    for (number, subject) in (0..).zip(&subjects) {
        let what = RevokeAll::Subject(subject.as_str().into());
        store.revoke_all(issuer, what, RowId(9000)).await;
        for (other, of) in (0..).zip(&subjects) {
            let rule = format!("`revoke_all` of {subject:?} ends what is of exactly this user");
            let lives = world.issued(1001 + 10 * other).await.is_some();
            same(format_args!("{rule}: {of:?}"), lives, other > number);
        }
    }
    let spaces = ["nonce", "Nonce", "nonce "];
    for space in spaces {
        let rule = format!("`remember_once` knows a key in exactly the space {space:?}");
        holds(rule, store.remember_once(issuer, space, hash(1), world.later(60)).await);
    }
    // An API's last letter, beyond the length of many an index.
    let api = format!("https://api.example/{}", "r".repeat(1500));
    let at = |last: &str| Resources::parse(&format!("{api}{last}")).unwrap();
    let consent = Consent {
        resources: at("a"),
        scopes: Scopes::of(["photos"]),
        ..world.consent("ada", CLIENT, "photos")
    };
    store.answer(issuer, world.denial(100, consent.clone())).await;
    for (last, is_found) in [("a", true), ("b", false), ("", false), ("A", false)] {
        let found = store.consent_at(issuer, "ada", CLIENT, &at(last)).await;
        let rule =
            "`consent` finds that at exactly these APIs, also where they differ at their end";
        holds(rule, found.is_some() == is_found);
    }
}
