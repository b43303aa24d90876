//! The common part of the behaviours: a store with contents, and records to store.

use std::{sync::Arc, time::Duration};

use crate::{
    Actor, Authentication, Binding, Scopes, Timestamp,
    jose::Algorithm,
    oauth2::Resources,
    oidc::{ClaimRequest, ClaimsRequest},
    provider::{
        AccessTokenFormat, Client, ClientOpenId, ClientType, GrantType, Lifetimes,
        store::{
            AccessRecord, Answer, Approval, CodeRecord, Consent, CredentialRecord, FamilyRecord,
            Grant, GrantDetails, Identifier, IssuerId, OpenIdDetails, Outcome, PendingKind,
            PendingRecord, PendingState, Rotation, RowId, SecretHash, Store, TemporaryCredentials,
            TicketUse, TokenRef,
        },
    },
    testing::ManualClock,
};

use super::checked::Checked;

pub(super) const CLIENT: &str = "app";

/// Ids that differ only in case and trailing space.
pub(super) const EXACT: [&str; 5] = ["abc", "Abc", "ABC", "abc ", "abc\u{e9}"];

/// A store with an issuer and a client.
pub(super) struct World<'s, S> {
    pub(super) store: Checked<'s, S>,
    clock: &'s ManualClock,
    pub(super) issuer: IssuerId,
}

impl<'s, S: Store> World<'s, S> {
    pub(super) async fn of(store: &'s S, clock: &'s ManualClock) -> Self {
        let store = Checked(store);
        let issuer = store.issuer("https://id.example").await;
        store.replace_client(issuer, client(CLIENT, 1)).await;
        Self { store, clock, issuer }
    }

    /// The access token in this row.
    pub(super) async fn issued(&self, row: i64) -> Option<AccessRecord> {
        self.store.access(self.issuer, &ours(row)).await.map(Arc::unwrap_or_clone)
    }
}

impl<'s, S> World<'s, S> {
    /// A part of a store, to which another part gives the numbers of issuers.
    pub(super) fn of_part(part: &'s S, clock: &'s ManualClock) -> Self {
        Self { store: Checked(part), clock, issuer: IssuerId(1) }
    }

    /// The time after this many seconds. The clock is at a whole second.
    pub(super) fn later(&self, seconds: u64) -> Timestamp {
        self.clock.now() + Duration::from_secs(seconds)
    }

    pub(super) fn grant(&self, id: i64) -> Grant {
        let mut authentication = Authentication::new("alice", self.clock.now());
        authentication.amr = vec!["pwd".into()];
        let data = [("album".to_owned(), "7".into())].into_iter().collect();
        let details =
            GrantDetails { name: Some("a name".into()), data, openid: Some(Box::new(claims())) };
        Grant {
            id: RowId(id),
            client: CLIENT.into(),
            actor: Actor::User("alice".into()),
            scopes: Scopes::of(["photos", "profile"]),
            resources: resources("https://api.example https://mail.example/?a=b%20c"),
            authentication: Some(Arc::new(authentication)),
            details: Some(Arc::new(details)),
        }
    }

    pub(super) fn code(&self, row: i64) -> CodeRecord {
        CodeRecord {
            row: RowId(row),
            hash: hash(row),
            grant: self.grant(row),
            redirect_uri: Some("https://app.example/back?a=b%20c".into()),
            challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
            expires: self.later(60),
            redeemed: false,
        }
    }

    pub(super) fn access(&self, row: i64, grant: Grant) -> AccessRecord {
        AccessRecord {
            row: RowId(row),
            hash: hash(row),
            grant,
            expires: self.later(3600),
            binding: None,
            exchange: None,
        }
    }

    pub(super) fn family(&self, row: i64, grant: Grant) -> FamilyRecord {
        FamilyRecord {
            row: RowId(row),
            grant,
            generation: 0,
            current: hash(row),
            previous: None,
            rotated: self.clock.now(),
            expires: self.later(3600),
            ends: self.later(36_000),
        }
    }

    /// A rotation of `family` in its current state, with an access token in this row.
    pub(super) fn rotation(&self, family: &FamilyRecord, row: i64) -> Rotation {
        let (scopes, resources) = (Scopes::of(["photos"]), resources("https://api.example"));
        let grant = Grant { scopes, resources, ..family.grant.clone() };
        Rotation {
            family: family.row,
            generation: family.generation,
            presented: family.current,
            successor: Some(hash(row + 1)),
            rotated: self.clock.now(),
            expires: self.later(7200),
            access: self.access(row, grant),
        }
    }

    pub(super) fn consent(&self, subject: &str, client: &str, scopes: &str) -> Consent {
        Consent {
            subject: subject.into(),
            client: client.into(),
            resources: Resources::EMPTY,
            scopes: Scopes::of(scopes.split(' ')),
            given: self.clock.now(),
            data: [("album".to_owned(), 7.into())].into_iter().collect(),
        }
    }

    /// A refusal on the page with this ticket, which asked for this consent.
    pub(super) fn denial(&self, ticket: u8, consent: Consent) -> Answer {
        Answer {
            outcome: Outcome::Ticket(self.ticket(ticket), None),
            asked: consent.scopes.clone(),
            consent: Some(consent),
        }
    }

    pub(super) fn ticket(&self, ticket: u8) -> TicketUse {
        TicketUse { ticket: [ticket; 16], until: self.later(60) }
    }

    /// A pending request.
    pub(super) fn pending(&self, row: i64) -> PendingRecord {
        PendingRecord {
            row: RowId(row),
            identifier: Identifier::Row(hash(row)),
            user_code: None,
            client: CLIENT.into(),
            scopes: Scopes::of(["photos", "profile"]),
            resources: resources("https://api.example https://mail.example/?a=b%20c"),
            expires: self.later(600),
            state: PendingState::Pending,
            kind: PendingKind::Temporary(TemporaryCredentials {
                secret: b"\x00sealed\xff".as_slice().into(),
                callback: Some("https://app.example/back?a=b%20c".parse().unwrap()),
            }),
        }
    }

    pub(super) fn approval(&self, grant: i64) -> Approval {
        Approval { proof: Some(hash(grant + 1)), grant: self.grant(grant) }
    }

    /// The token credentials of a grant.
    pub(super) fn credential(&self, grant: &Grant) -> CredentialRecord {
        let mut access = self.access(grant.id.0, grant.clone());
        access.expires = Timestamp::NEVER;
        access.binding = Some(Binding::Certificate([5; 32]));
        let secret = b"\x00other\xff".as_slice().into();
        CredentialRecord { access: Arc::new(access), is_foreign: false, secret }
    }
}

/// The token in this row.
pub(super) fn ours(row: i64) -> TokenRef {
    TokenRef::Row { row: RowId(row), hash: hash(row) }
}

pub(super) fn client(id: &str, number: i64) -> Client {
    Client {
        id: id.into(),
        number: RowId(number),
        name: "An application".to_owned(),
        client_type: ClientType::Confidential,
        auth: None,
        secrets: Vec::new(),
        redirect_uris: vec!["https://app.example/back".parse().unwrap()],
        scopes: Scopes::of(["photos", "profile"]),
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        first_party: false,
        oauth1: None,
        resource_server: Some(resources("https://api.example")),
        from_document: true,
        without_pkce: true,
        registration: None,
        redirect_patterns: vec!["https://*.preview.example.com/back".parse().unwrap()],
        default_scopes: Some(Scopes::of(["profile"])),
        requires_pkce: true,
        lifetimes: Lifetimes { code: Some(Duration::from_secs(30)), ..Lifetimes::default() },
        without_rotation: true,
        longest_use_before: Some(Duration::from_secs(40)),
        access_token_format: Some(AccessTokenFormat::Jwt),
        openid: openid(),
        about: None,
        is_in_table: false,
        created: Timestamp::from_seconds(1_700_000_000),
    }
}

fn openid() -> ClientOpenId {
    let id_token_signed_response_alg = Some(Algorithm::Es256);
    ClientOpenId { id_token_signed_response_alg, ..ClientOpenId::default() }
}

/// The part of OpenID Connect of a grant.
fn claims() -> OpenIdDetails {
    let mut claims = ClaimsRequest::default();
    claims.userinfo.insert("name#ja".to_owned(), ClaimRequest::essential());
    OpenIdDetails {
        nonce: Some("n-0S6_WzA2Mj".into()),
        claims,
        claims_locales: vec!["de-CH".into(), "fr".into()],
    }
}

pub(super) fn resources(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

pub(super) fn hash(of: i64) -> SecretHash {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&of.to_be_bytes());
    hash
}
