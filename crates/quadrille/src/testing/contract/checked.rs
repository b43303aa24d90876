//! A store whose failing verbs name themselves.

use std::sync::Arc;

use crate::{
    Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, CodeRecord,
            Consent, CredentialRecord, FamilyRecord, InitialTokenRecord, Issue, IssuerId,
            KnownSince, LiveGrant, PendingRecord, PendingRef, Redeemed, RevokeAll, Rotated,
            Rotation, RowId, SecretHash, Store, TokenRef, UnusedClient, Worker,
        },
    },
    testing::rules::worked,
};

pub(super) use crate::testing::rules::{holds, same};

/// A [`Store`] all of whose verbs must succeed.
pub(super) struct Checked<'s, S>(pub(super) &'s S);

impl<S> Clone for Checked<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Checked<'_, S> {}

/// Wraps each verb of [`Store`], with a failure that names it.
macro_rules! verbs {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: Store> Checked<'_, S> {
            $(
                pub(super) async fn $name(self, $($argument: $type),*) -> $answer {
                    worked(stringify!($name), self.0.$name($($argument),*).await)
                }
            )*
        }
    };
}

verbs! {
    issuer(issuer: &str) -> IssuerId;
    lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp) -> Worker;
    newest() -> RowId;
    floor() -> RowId;
    changes(issuer: IssuerId, position: i64) -> Changes;
    client(issuer: IssuerId, id: &str) -> Option<Arc<Client>>;
    clients(issuer: IssuerId) -> Vec<Arc<Client>>;
    put_client(issuer: IssuerId, client: Client, before: Option<Arc<Client>>) -> bool;
    add_clients(issuer: IssuerId, clients: Vec<Client>) -> Option<Arc<str>>;
    remove_client(issuer: IssuerId, id: &str) -> bool;
    unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
    admit(issuer: IssuerId, admission: Admission) -> Admitted;
    put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
    initial_token(issuer: IssuerId, hash: &SecretHash) -> Option<InitialTokenRecord>;
    initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
    remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
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
    redeem_pending(issuer: IssuerId, row: RowId, bought: Bought) -> Redeemed;
    credential(issuer: IssuerId, token: &TokenRef) -> Option<Arc<CredentialRecord>>;
    revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
    revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
    subject_since(issuer: IssuerId, subject: &str) -> Option<RowId>;
    uses_known_since() -> KnownSince;
    consents(issuer: IssuerId, subject: &str) -> Vec<Consent>;
    grants(issuer: IssuerId, subject: &str) -> Vec<LiveGrant>;
    remember_once(
        issuer: IssuerId, space: &'static str, key: SecretHash, expires: Timestamp
    ) -> bool;
    keys_known_since() -> KnownSince;
    sweep(now: Timestamp) -> u64;
}

impl<S: Store> Checked<'_, S> {
    /// A user's consent for the server's own API.
    pub(super) async fn consent(
        self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
    ) -> Option<Consent> {
        self.consent_at(issuer, subject, client, &Resources::EMPTY).await
    }

    pub(super) async fn consent_at(
        self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Option<Consent> {
        worked("consent", self.0.consent(issuer, subject, client, resources).await)
    }

    /// Stores a client, replacing any other.
    pub(super) async fn replace_client(self, issuer: IssuerId, client: Client) {
        let before = self.client(issuer, &client.id).await;
        let rule = format!("`put_client` takes the place of what the store holds: {}", client.id);
        holds(rule, self.put_client(issuer, client, before).await);
    }

    /// Sweeps until nothing is removed any more. Returns the number of rows removed.
    pub(super) async fn sweep_all(self, now: Timestamp) -> u64 {
        let mut all = 0;
        for _ in 0..1000 {
            match self.sweep(now).await {
                0 => return all,
                gone => all += gone,
            }
        }
        holds("`sweep` says zero when there is no more to give back", false);
        all
    }
}
