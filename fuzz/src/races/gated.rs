//! A store that lets other tasks run before and after each of its verbs.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use quadrille::{
    Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients,
            CodeRecord, Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue,
            IssuerId, Issuers, KnownSince, LiveGrant, MemoryStore, OnceKeys, Part, PendingRecord,
            PendingRef, Redeemed, Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash,
            StoreError, TokenRef, UnusedClient, Worker,
        },
    },
};

/// A store in memory whose verbs suspend the calling task during a race. Clones share the store.
#[derive(Clone)]
pub(super) struct Gated {
    store: Arc<MemoryStore>,
    is_race: Arc<AtomicBool>,
    is_cacheable: bool,
}

impl Gated {
    /// `is_cacheable` says whether a server puts its cache in front of the store.
    pub(super) fn new(store: MemoryStore, is_cacheable: bool) -> Self {
        Self { store: Arc::new(store), is_race: Arc::default(), is_cacheable }
    }

    pub(super) fn race(&self, is_race: bool) {
        self.is_race.store(is_race, Ordering::SeqCst);
    }

    fn pass(&self) -> Suspend {
        Suspend(self.is_race.load(Ordering::SeqCst))
    }
}

/// A future that is pending at the first poll.
struct Suspend(bool);

impl Future for Suspend {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::take(&mut self.0) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}

macro_rules! gated {
    ($($part:ident [$($more:tt)*] {$(
        $verb:ident($($name:ident: $type:ty),*) -> $output:ty;
    )*})*) => {
        $(
            impl $part for Gated {
                $($more)*
                $(
                    async fn $verb(&self, $($name: $type),*) -> Result<$output, StoreError> {
                        self.pass().await;
                        let output = self.store.$verb($($name),*).await;
                        self.pass().await;
                        output
                    }
                )*
            }
        )*
    };
}

gated! {
    Part [fn is_cacheable(&self) -> bool { self.is_cacheable }] {
        newest() -> RowId;
        floor() -> RowId;
        changes(issuer: IssuerId, position: i64) -> Changes;
        sweep(now: Timestamp) -> u64;
    }
    Issuers [] {
        issuer(issuer: &str) -> IssuerId;
        lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp) -> Worker;
    }
    Clients [] {
        client(issuer: IssuerId, id: &str) -> Option<Arc<Client>>;
        clients(issuer: IssuerId) -> Vec<Arc<Client>>;
        put_client(issuer: IssuerId, client: Client, before: Option<Arc<Client>>) -> bool;
        add_clients(issuer: IssuerId, clients: Vec<Client>) -> Option<Arc<str>>;
        remove_client(issuer: IssuerId, id: &str) -> bool;
    }
    Registrations [] {
        unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        admit(issuer: IssuerId, admission: Admission) -> Admitted;
        put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        initial_token(issuer: IssuerId, hash: &SecretHash) -> Option<InitialTokenRecord>;
        initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
    Grants [] {
        known_client(issuer: IssuerId, id: &str) -> Option<RowId>;
        know_client(issuer: IssuerId, number: Option<RowId>, id: &str) -> bool;
        answer(issuer: IssuerId, answer: Answer) -> Answered;
        put_code(issuer: IssuerId, code: CodeRecord) -> ();
        code(issuer: IssuerId, row: RowId) -> Option<Arc<CodeRecord>>;
        redeem(issuer: IssuerId, code: RowId, issue: Issue) -> Redeemed;
        issue(issuer: IssuerId, issue: Issue) -> bool;
        import(issuer: IssuerId, access: AccessRecord) -> ();
        access(issuer: IssuerId, token: &TokenRef) -> Option<Arc<AccessRecord>>;
        family(issuer: IssuerId, row: RowId) -> Option<Arc<FamilyRecord>>;
        rotate(issuer: IssuerId, rotation: Rotation) -> Rotated;
        put_pending(issuer: IssuerId, pending: PendingRecord) -> bool;
        pending(issuer: IssuerId, reference: &PendingRef) -> Option<Arc<PendingRecord>>;
        redeem_pending(issuer: IssuerId, pending: RowId, bought: Bought) -> Redeemed;
        credential(issuer: IssuerId, token: &TokenRef) -> Option<Arc<CredentialRecord>>;
        revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
        revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
        subject_since(issuer: IssuerId, subject: &str) -> Option<RowId>;
        uses_known_since() -> KnownSince;
        consent(issuer: IssuerId, subject: &str, client: &str, at: &Resources) -> Option<Consent>;
        consents(issuer: IssuerId, subject: &str) -> Vec<Consent>;
        grants(issuer: IssuerId, subject: &str) -> Vec<LiveGrant>;
    }
    OnceKeys [] {
        remember_once(issuer: IssuerId, space: &'static str, key: SecretHash, end: Timestamp) -> bool;
        keys_known_since() -> KnownSince;
    }
}
