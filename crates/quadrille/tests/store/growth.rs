//! A year of a busy server leaves a bounded store, and a family that turns is one row.

use std::{collections::BTreeMap, time::Duration};

use quadrille::{
    Actor, Scopes, Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, CodeRecord, Consent, DeviceCode, FamilyRecord, Grant,
        Identifier, Issue, IssuerId, Outcome, PendingKind, PendingRecord, PendingState, Redeemed,
        RevokeAll, Rotated, Rotation, RowId, Store, StoredTable, TicketUse, Transfer,
    },
    testing::ManualClock,
};

const CLIENT: &str = "app";
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// The users, each of whom lets the client in about every second week.
const USERS: usize = 100;
/// The dances of a day.
const DANCES: usize = 8;

/// A server's clock and the next number of a row.
struct Server<'s, S> {
    store: &'s S,
    clock: &'s ManualClock,
    issuer: IssuerId,
    next: i64,
}

/// The number of rows of each table.
async fn rows<S: Transfer>(store: &S, issuer: IssuerId) -> BTreeMap<&'static str, usize> {
    let mut all = BTreeMap::new();
    for table in StoredTable::ALL {
        let (mut count, mut after) = (0, None);
        loop {
            let page = store.rows(issuer, table, after, 5000).await.unwrap();
            let Some(last) = page.last() else { break };
            count += page.len();
            after = Some(last.clone());
        }
        all.insert(table.name(), count);
    }
    all
}

/// A year of dances, refreshes, devices, machines, nonces and revocations, twelve months of thirty
/// days. `bytes` is the size of the database after a month.
pub(crate) async fn a_year_leaves_a_bounded_store<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
    bytes: impl AsyncFn() -> u64,
) {
    let mut server = Server::new(store, clock).await;
    let mut months = Vec::new();
    for _ in 0..12 {
        for day in 0..30 {
            server.day(day).await;
        }
        months.push((rows(store, server.issuer).await, bytes().await));
    }
    // Nothing here lives longer than a month, so after three it is as much as there will ever be.
    let total = |month: &BTreeMap<_, usize>| month.values().sum::<usize>();
    let ((third, bytes_then), (last, bytes_now)) = (&months[2], &months[11]);
    assert!(total(third) > 500, "the server was busy: {third:?}");
    assert!(total(last) <= total(third) + total(third) / 5, "{third:#?}\n{last:#?}");
    let sizes: Vec<_> = months.iter().map(|(_, bytes)| bytes).collect();
    assert!(*bytes_now <= bytes_then + bytes_then / 2, "{sizes:?}");
}

/// A refresh token that is used every ten minutes, so many times.
pub(crate) async fn a_family_that_turns_is_one_row<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
    times: u32,
) {
    let mut server = Server::new(store, clock).await;
    let row = server.row();
    let mut family = server.family(row, server.grant(row, 0), 30 * DAY);
    let access = server.access(server.grant(row, 0));
    let issue = Issue { access, family: Some(family.clone()) };
    assert!(store.issue(server.issuer, issue).await.unwrap());
    for _ in 0..times {
        clock.advance(Duration::from_secs(600));
        family = server.rotate(family).await;
    }
    let left = rows(store, server.issuer).await;
    assert_eq!((left["families"], left["grants"]), (1, 1), "{left:?}");
    // Six of them are valid.
    assert!(left["access_tokens"] < 500, "{left:?}");
    let kept = store.family(server.issuer, family.row).await.unwrap().unwrap();
    assert_eq!((kept.generation, kept.current), (times, family.current));
}

impl<'s, S: Store> Server<'s, S> {
    async fn new(store: &'s S, clock: &'s ManualClock) -> Self {
        let issuer = store.issuer("https://id.example").await.unwrap();
        store.know_client(issuer, Some(RowId(1)), CLIENT).await.unwrap();
        Self { store, clock, issuer, next: 1000 }
    }

    fn row(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn later(&self, seconds: u64) -> Timestamp {
        self.clock.now() + Duration::from_secs(seconds)
    }

    fn grant(&self, id: i64, user: usize) -> Grant {
        Grant {
            id: RowId(id),
            client: CLIENT.into(),
            actor: Actor::User(format!("user {user}").into()),
            scopes: Scopes::of(["photos", "profile"]),
            resources: Resources::EMPTY,
            authentication: None,
            details: None,
        }
    }

    fn access(&mut self, grant: Grant) -> AccessRecord {
        let row = self.row();
        AccessRecord {
            row: RowId(row),
            hash: hash(row),
            grant,
            expires: self.later(HOUR),
            binding: None,
            exchange: None,
        }
    }

    fn family(&self, row: i64, grant: Grant, idle: u64) -> FamilyRecord {
        FamilyRecord {
            row: RowId(row),
            grant,
            generation: 0,
            current: hash(row),
            previous: None,
            rotated: self.clock.now(),
            expires: self.later(idle),
            ends: self.later(3650 * DAY),
        }
    }

    /// The family after a refresh.
    async fn rotate(&mut self, family: FamilyRecord) -> FamilyRecord {
        let access = self.access(family.grant.clone());
        let successor = hash(access.row.0 + (1 << 40));
        let expires = family.expires.max(self.later(30 * DAY));
        let rotation = Rotation {
            family: family.row,
            generation: family.generation,
            presented: family.current,
            successor: Some(successor),
            rotated: self.clock.now(),
            expires,
            access,
        };
        let rotated = self.store.rotate(self.issuer, rotation).await.unwrap();
        assert!(matches!(rotated, Rotated::Issued), "{rotated:?}");
        FamilyRecord { generation: family.generation + 1, current: successor, expires, ..family }
    }

    /// A user lets the client in. Its tokens are refreshed twice, and then forgotten.
    async fn dance(&mut self, user: usize) -> RowId {
        let row = self.row();
        let grant = self.grant(row, user);
        let code = CodeRecord {
            row: RowId(row),
            hash: hash(row),
            grant: grant.clone(),
            redirect_uri: Some("https://app.example/back".into()),
            challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
            expires: self.later(60),
            redeemed: false,
        };
        let mut ticket = [0; 16];
        ticket[..8].copy_from_slice(&row.to_be_bytes());
        let consent = Consent {
            subject: format!("user {user}").into(),
            client: CLIENT.into(),
            resources: Resources::EMPTY,
            scopes: grant.scopes.clone(),
            given: self.clock.now(),
            data: serde_json::Map::new(),
        };
        let answer = Answer {
            outcome: Outcome::Ticket(TicketUse { ticket, until: self.later(600) }, Some(code)),
            asked: grant.scopes.clone(),
            consent: Some(consent),
        };
        let answered = self.store.answer(self.issuer, answer).await.unwrap();
        assert!(matches!(answered, Answered::First), "{answered:?}");
        let family_row = self.row();
        let mut family = self.family(family_row, grant.clone(), 30 * DAY);
        family.ends = family.expires;
        let issue = Issue { access: self.access(grant.clone()), family: Some(family.clone()) };
        let redeemed = self.store.redeem(self.issuer, RowId(row), issue).await.unwrap();
        assert_eq!(redeemed, Redeemed::Issued);
        let turned = self.rotate(family).await;
        self.rotate(turned).await;
        grant.id
    }

    async fn day(&mut self, day: usize) {
        for dance in 0..DANCES {
            let grant = self.dance((day * DANCES + dance) % USERS).await;
            if dance == 0 {
                let until = self.later(31 * DAY);
                self.store.revoke_grant(self.issuer, grant, until).await.unwrap();
            }
            // Machines, nonces, devices that nobody lets in, and tokens of another server.
            let (row, key) = (self.row(), self.row());
            let mut machine = self.grant(row, 0);
            machine.actor = Actor::Client(CLIENT.into());
            let issue = Issue { access: self.access(machine), family: None };
            assert!(self.store.issue(self.issuer, issue).await.unwrap());
            let until = self.later(300);
            self.store.remember_once(self.issuer, "nonce", hash(key), until).await.unwrap();
            let waiting = self.pending();
            assert!(self.store.put_pending(self.issuer, waiting).await.unwrap());
            let imported = self.access(self.grant(row, 0));
            self.store.import(self.issuer, imported).await.unwrap();
            self.clock.advance(Duration::from_secs(DAY / DANCES as u64));
        }
        let subject = format!("user {}", day % USERS).into();
        let what = RevokeAll::Consent { subject, client: CLIENT.into() };
        let last = RowId(self.row());
        self.store.revoke_all(self.issuer, what, last).await.unwrap();
    }

    fn pending(&mut self) -> PendingRecord {
        let row = self.row();
        PendingRecord {
            row: RowId(row),
            identifier: Identifier::Row(hash(row)),
            user_code: Some(hash(-row)),
            client: CLIENT.into(),
            scopes: Scopes::of(["photos"]),
            resources: Resources::EMPTY,
            expires: self.later(900),
            state: PendingState::Pending,
            kind: PendingKind::Device(DeviceCode { from: None }),
        }
    }
}

fn hash(of: i64) -> [u8; 32] {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&of.to_be_bytes());
    hash
}
