//! Stores as objects, so that their users are not generic.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

#[cfg(feature = "metrics")]
use tracing::{Instrument as _, field::Empty};

#[cfg(feature = "metrics")]
use crate::provider::meter::{self, Stopwatch};
use crate::{Env, Timestamp, oauth2::Resources, provider::client::record::Client};

use super::{
    AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients, CodeRecord,
    Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue, IssuerId, Issuers,
    KnownSince, LiveGrant, OnceKeys, Part, PendingRecord, PendingRef, Redeemed, Registrations,
    RevokeAll, Rotated, Rotation, RowId, SecretHash, Store, StoreError, TokenRef, UnusedClient,
    Worker,
};

/// The future of an [`ErasedStore`]'s verb.
pub(crate) type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store whose verbs are measured.
#[cfg(feature = "metrics")]
struct Measured {
    store: Arc<dyn ErasedStore>,
    env: Env,
}

#[cfg(feature = "metrics")]
impl Measured {
    async fn measure<T>(
        &self,
        name: &'static str,
        verb: Answering<'_, T>,
    ) -> Result<T, StoreError> {
        let began = Stopwatch::start(&self.env);
        let span = tracing::trace_span!(
            target: "quadrille::span",
            "store",
            otel.name = name,
            otel.kind = "client",
            "error.type" = Empty,
        );
        let outcome = verb.instrument(span.clone()).await;
        if let Err(error) = &outcome {
            span.record("error.type", error.kind());
        }
        meter::verb(&self.env, name, began, outcome.as_ref().err().map(StoreError::kind));
        outcome
    }
}

/// The store with its verbs measured, if anything is.
pub(super) fn measured(store: Arc<dyn ErasedStore>, env: &Env) -> Arc<dyn ErasedStore> {
    #[cfg(feature = "metrics")]
    let store: Arc<dyn ErasedStore> = Arc::new(Measured { store, env: env.clone() });
    #[cfg(not(feature = "metrics"))]
    let _ = env;
    store
}

/// The verbs, named once: the erased trait, its implementation for every store, and the parts behind
/// `Arc` follow from this list. Borrowed arguments stand behind a semicolon.
macro_rules! verbs {
    ($(
        $part:ident [$($more:tt)*] {$(
            fn $verb:ident($($argument:ident: $type:ty),* $(; $($borrowed:ident: $of:ty),+)?)
                -> $output:ty;
        )*}
    )*) => {
        /// A [`Store`] as an object.
        pub(crate) trait ErasedStore: Send + Sync + 'static {
            /// See [`Part::is_cacheable`].
            fn is_cacheable(&self) -> bool;
            /// See [`Part::heard`].
            fn heard(&self) -> u64;
            /// See [`Grants::longest_rotation`].
            fn longest_rotation(&self) -> Duration;
            $($(
                #[doc = concat!("See [`", stringify!($part), "::", stringify!($verb), "`].")]
                fn $verb<'a>(
                    &'a self,
                    $($argument: $type,)*
                    $($($borrowed: &'a $of),+)?
                ) -> Answering<'a, $output>;
            )*)*
        }

        impl<S: Store> ErasedStore for S {
            fn is_cacheable(&self) -> bool {
                Part::is_cacheable(self)
            }
            fn heard(&self) -> u64 {
                Part::heard(self)
            }
            fn longest_rotation(&self) -> Duration {
                Grants::longest_rotation(self)
            }
            $($(
                fn $verb<'a>(
                    &'a self,
                    $($argument: $type,)*
                    $($($borrowed: &'a $of),+)?
                ) -> Answering<'a, $output> {
                    Box::pin($part::$verb(self, $($argument,)* $($($borrowed),+)?))
                }
            )*)*
        }

        #[cfg(feature = "metrics")]
        impl ErasedStore for Measured {
            fn is_cacheable(&self) -> bool {
                self.store.is_cacheable()
            }
            fn heard(&self) -> u64 {
                self.store.heard()
            }
            fn longest_rotation(&self) -> Duration {
                self.store.longest_rotation()
            }
            $($(
                fn $verb<'a>(
                    &'a self,
                    $($argument: $type,)*
                    $($($borrowed: &'a $of),+)?
                ) -> Answering<'a, $output> {
                    let verb = self.store.$verb($($argument,)* $($($borrowed),+)?);
                    Box::pin(self.measure(stringify!($verb), verb))
                }
            )*)*
        }

        $(
            /// Lets a program keep the part that it lends.
            impl<S: $part> $part for Arc<S> {
                $($more)*
                $(
                    fn $verb(
                        &self,
                        $($argument: $type,)*
                        $($($borrowed: &$of),+)?
                    ) -> impl Future<Output = Result<$output, StoreError>> + Send {
                        $part::$verb(&**self, $($argument,)* $($($borrowed),+)?)
                    }
                )*
            }
        )*
    };
}

verbs! {
    Part [
        fn is_cacheable(&self) -> bool { Part::is_cacheable(&**self) }
        fn heard(&self) -> u64 { Part::heard(&**self) }
    ] {
        fn newest() -> RowId;
        fn floor() -> RowId;
        fn changes(issuer: IssuerId, position: i64) -> Changes;
        fn sweep(now: Timestamp) -> u64;
    }
    Issuers [] {
        fn issuer(; issuer: str) -> IssuerId;
        fn lease(renew: Option<Worker>, holder: [u8; 16], now: Timestamp, expires: Timestamp) -> Worker;
    }
    Clients [] {
        fn client(issuer: IssuerId; id: str) -> Option<Arc<Client>>;
        fn clients(issuer: IssuerId) -> Vec<Arc<Client>>;
        fn put_client(issuer: IssuerId, client: Client, before: Option<Arc<Client>>) -> bool;
        fn add_clients(issuer: IssuerId, clients: Vec<Client>) -> Option<Arc<str>>;
        fn remove_client(issuer: IssuerId; id: str) -> bool;
    }
    Registrations [] {
        fn unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        fn admit(issuer: IssuerId, admission: Admission) -> Admitted;
        fn put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        fn initial_token(issuer: IssuerId; hash: SecretHash) -> Option<InitialTokenRecord>;
        fn initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        fn remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
    Grants [fn longest_rotation(&self) -> Duration { Grants::longest_rotation(&**self) }] {
        fn known_client(issuer: IssuerId; id: str) -> Option<RowId>;
        fn know_client(issuer: IssuerId, number: Option<RowId>; id: str) -> bool;
        fn answer(issuer: IssuerId, answer: Answer) -> Answered;
        fn put_code(issuer: IssuerId, code: CodeRecord) -> ();
        fn code(issuer: IssuerId, row: RowId) -> Option<Arc<CodeRecord>>;
        fn redeem(issuer: IssuerId, code: RowId, issue: Issue) -> Redeemed;
        fn issue(issuer: IssuerId, issue: Issue) -> bool;
        fn import(issuer: IssuerId, access: AccessRecord) -> ();
        fn access(issuer: IssuerId; token: TokenRef) -> Option<Arc<AccessRecord>>;
        fn family(issuer: IssuerId, row: RowId) -> Option<Arc<FamilyRecord>>;
        fn family_of(issuer: IssuerId, row: RowId, presented: SecretHash) -> Option<Arc<FamilyRecord>>;
        fn rotate(issuer: IssuerId, rotation: Rotation) -> Rotated;
        fn put_pending(issuer: IssuerId, pending: PendingRecord) -> bool;
        fn pending(issuer: IssuerId; reference: PendingRef) -> Option<Arc<PendingRecord>>;
        fn redeem_pending(issuer: IssuerId, pending: RowId, bought: Bought) -> Redeemed;
        fn credential(issuer: IssuerId; token: TokenRef) -> Option<Arc<CredentialRecord>>;
        fn revoke_grant(issuer: IssuerId, grant: RowId, until: Timestamp) -> bool;
        fn revoke_all(issuer: IssuerId, what: RevokeAll, last: RowId) -> ();
        fn subject_since(issuer: IssuerId; subject: str) -> Option<RowId>;
        fn uses_known_since() -> KnownSince;
        fn consent(issuer: IssuerId; subject: str, client: str, resources: Resources)
                -> Option<Consent>;
        fn consents(issuer: IssuerId; subject: str) -> Vec<Consent>;
        fn grants(issuer: IssuerId; subject: str) -> Vec<LiveGrant>;
    }
    OnceKeys [] {
        fn remember_once(issuer: IssuerId, space: &'static str, key: SecretHash, expires: Timestamp)
                -> bool;
        fn keys_known_since() -> KnownSince;
    }
}

impl fmt::Debug for dyn ErasedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
