//! Argon2id (RFC 9106), for secrets that people choose.
//!
//! A guess must be slow, and slow work must not delay everything else: it runs on threads of its
//! own, one for each processor, with bounded queues in front (`jobs.rs`). Generated secrets need
//! none of it (`provider::SecretVerifier::Sha256`).

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::oneshot;

use crate::{Env, Secret};

use super::{
    imported::Imported,
    jobs::{Jobs, Order},
};

/// The cost of one Argon2id hash (RFC 9106, section 4).
///
/// ```
/// use quadrille::provider::guessing::Cost;
///
/// let slower = Cost { iterations: 3, ..Cost::RECOMMENDED };
/// assert_eq!(slower.memory_kib, 19 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB (the parameter *m*).
    pub memory_kib: u32,
    /// Passes over the memory (*t*).
    pub iterations: u32,
    /// Lanes (*p*).
    pub lanes: u32,
}

impl Cost {
    /// The recommendation of OWASP: 19 MiB, two passes, one lane; some 10 ms.
    pub const RECOMMENDED: Self = Self { memory_kib: 19 * 1024, iterations: 2, lanes: 1 };

    /// Almost no cost, for fast tests. A secret hashed so can be guessed.
    pub const TRIVIAL_FOR_TESTS_ONLY: Self = Self { memory_kib: 8, iterations: 1, lanes: 1 };

    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    fn is_more_than(self, params: &Params) -> bool {
        self.memory_kib > params.m_cost()
            || self.iterations > params.t_cost()
            || self.lanes > params.p_cost()
    }
}

/// The result of comparing a secret with a stored hash.
///
/// ```
/// use quadrille::provider::guessing::Verdict;
///
/// fn is_right(verdict: &Verdict) -> bool {
///     !matches!(verdict, Verdict::Wrong)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The secret is wrong.
    Wrong,
    /// The secret is right.
    Right,
    /// The secret is right, but was hashed at a lower cost than today's, or by another function:
    /// store this hash instead.
    Outgrown(Arc<str>),
}

/// The reason why a secret was not hashed.
///
/// ```
/// use quadrille::provider::guessing::KdfError;
///
/// fn status(error: &KdfError) -> u16 {
///     if matches!(error, KdfError::Busy) { 503 } else { 500 }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KdfError {
    /// The queue is full. Try again in a second.
    #[error("too many secrets are waiting to be hashed")]
    Busy,
    /// The stored hash is neither Argon2id in PHC form nor another known form.
    #[error("the stored hash is neither Argon2id in PHC form nor another known form")]
    Malformed,
    /// The cost is outside the range of Argon2id.
    #[error("the cost is outside the range of Argon2id")]
    Cost,
}

/// Argon2id on its own bounded threads, which start at first use. Cheap to clone; clones share
/// threads and queue.
///
/// ```
/// use quadrille::{Env, Secret, provider::guessing::{Cost, Kdf, Verdict}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), quadrille::provider::guessing::KdfError> {
/// let (env, kdf) = (Env::system(), Kdf::new(Cost::RECOMMENDED));
/// let stored = kdf.hash(&env, Secret::from("correct horse")).await?;
/// assert!(stored.starts_with("$argon2id$"));
/// let verdict = kdf.verify(&env, Secret::from("correct horse"), stored.clone()).await?;
/// assert_eq!(verdict, Verdict::Right);
/// assert_eq!(kdf.verify(&env, Secret::from("battery staple"), stored).await?, Verdict::Wrong);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Kdf(Arc<Inner>);

/// The terms of a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// `true` if the client has authenticated from this network: it is before all others that wait.
    pub(crate) is_known: bool,
    /// `true` if an outgrown hash is replaced, for which the right secret is hashed again.
    pub(crate) is_renewed: bool,
}

struct Inner {
    cost: Cost,
    threads: NonZeroUsize,
    queue: usize,
    jobs: OnceLock<Jobs>,
}

impl Kdf {
    /// Hashes at this cost, on one thread for each processor, with a queue of 64 for each.
    pub fn new(cost: Cost) -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::with_threads(cost, threads, threads.get().saturating_mul(64))
    }

    /// Hashes at this cost on `threads` threads, each of which needs the memory of the cost while
    /// it works, with a queue of `queue`. Verifiers of other programs that cost much more have a
    /// queue of their own and half of the threads, so guesses at them do not delay the others.
    pub fn with_threads(cost: Cost, threads: NonZeroUsize, queue: usize) -> Self {
        Self(Arc::new(Inner { cost, threads, queue, jobs: OnceLock::new() }))
    }

    /// Hashes a secret, to be stored: Argon2id in PHC form.
    ///
    /// # Errors
    /// [`KdfError::Busy`] or [`KdfError::Cost`].
    pub async fn hash(&self, env: &Env, secret: Secret) -> Result<Arc<str>, KdfError> {
        let (cost, salt) = (self.0.cost, env.random());
        self.run(Order::default(), move || hash(cost, &secret, salt)).await?
    }

    /// Compares a secret with a stored hash of any cost: Argon2id, or another form that
    /// [`SecretVerifier::parse`](crate::provider::SecretVerifier::parse) accepts, which is outgrown.
    ///
    /// # Errors
    /// [`KdfError::Busy`], or [`KdfError::Malformed`] for the stored hash.
    pub async fn verify(
        &self,
        env: &Env,
        secret: Secret,
        stored: Arc<str>,
    ) -> Result<Verdict, KdfError> {
        self.verify_on(Terms { is_known: false, is_renewed: true }, env, secret, stored).await
    }

    /// [`Kdf::verify`] on these terms.
    pub(crate) async fn verify_on(
        &self,
        terms: Terms,
        env: &Env,
        secret: Secret,
        stored: Arc<str>,
    ) -> Result<Verdict, KdfError> {
        let (cost, salt) = (self.0.cost, terms.is_renewed.then(|| env.random()));
        let order = Order { is_first: terms.is_known, is_costly: self.is_costly(&stored) };
        self.run(order, move || verify(cost, &secret, &stored, salt)).await?
    }

    /// `true` if a comparison with this stored hash takes much longer than one with a hash of
    /// today's cost.
    pub(crate) fn is_costly(&self, stored: &str) -> bool {
        if !stored.starts_with("$argon2") {
            return Imported::parse(stored).is_ok_and(|imported| imported.is_costly());
        }
        let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
        let own = self.0.cost.work().max(Cost::RECOMMENDED.work());
        params
            .is_some_and(|params| u64::from(params.m_cost()) * u64::from(params.t_cost()) > 2 * own)
    }

    /// Spends the time of [`Kdf::verify`] for an unknown client or user, so the time does not
    /// reveal that they are unknown.
    ///
    /// # Errors
    /// As [`Kdf::verify`].
    pub async fn verify_for_nobody(&self, secret: Secret) -> Result<Verdict, KdfError> {
        let cost = self.0.cost;
        let order = Order::default();
        self.run(order, move || hash(cost, &secret, [0; 16]).map(|_| Verdict::Wrong)).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        order: Order,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KdfError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            // The caller may have left while this waited.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        let jobs = self.0.jobs.get_or_init(|| Jobs::on(self.0.threads, self.0.queue));
        jobs.push(order, job).map_err(|_| KdfError::Busy)?;
        answer.await.map_err(|_| KdfError::Busy)
    }
}

impl Default for Kdf {
    fn default() -> Self {
        Self::new(Cost::RECOMMENDED)
    }
}

impl fmt::Debug for Kdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kdf({:?}, {} threads)", self.0.cost, self.0.threads)
    }
}

fn hash(cost: Cost, secret: &Secret, salt: [u8; 16]) -> Result<Arc<str>, KdfError> {
    let params = Params::new(cost.memory_kib, cost.iterations, cost.lanes, None)
        .map_err(|_| KdfError::Cost)?;
    let written = ParamsString::try_from(&params).map_err(|_| KdfError::Cost)?;
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    derive(Version::V0x13, params, secret, &salt, &mut out).map_err(|_| KdfError::Cost)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: written,
        salt: Some(Salt::new(&salt).map_err(|_| KdfError::Cost)?),
        hash: Some(Output::new(&out).map_err(|_| KdfError::Cost)?),
    };
    Ok(hash.to_string().into())
}

/// Compares a secret with a stored hash. The salt is that of the hash in place of an outgrown one.
fn verify(
    cost: Cost,
    secret: &Secret,
    stored: &str,
    salt: Option<[u8; 16]>,
) -> Result<Verdict, KdfError> {
    let outgrown = || match salt {
        Some(salt) => hash(cost, secret, salt).map(Verdict::Outgrown),
        None => Ok(Verdict::Right),
    };
    if !stored.starts_with("$argon2") {
        let imported = Imported::parse(stored).map_err(|_| KdfError::Malformed)?;
        return match imported.is_of(secret) {
            true => outgrown(),
            false => Ok(Verdict::Wrong),
        };
    }
    let stored = PasswordHash::new(stored).map_err(|_| KdfError::Malformed)?;
    let params = Params::try_from(&stored).map_err(|_| KdfError::Malformed)?;
    let version = stored.version.map_or(Ok(Version::default()), Version::try_from);
    let version = version.map_err(|_| KdfError::Malformed)?;
    let (Some(known_salt), Some(known)) = (&stored.salt, &stored.hash) else {
        return Err(KdfError::Malformed);
    };
    if stored.algorithm.as_str() != "argon2id" {
        return Err(KdfError::Malformed);
    }
    let is_outgrown = cost.is_more_than(&params);
    let mut out = vec![0; known.len()];
    derive(version, params, secret, known_salt, &mut out).map_err(|_| KdfError::Malformed)?;
    match verify_slices_are_equal(&out, known.as_ref()) {
        Ok(()) if is_outgrown => outgrown(),
        Ok(()) => Ok(Verdict::Right),
        Err(_) => Ok(Verdict::Wrong),
    }
}

/// The fewest blocks to allocate: more than the allocator keeps for later (glibc keeps up to 32
/// MiB, several times on each thread). Untouched blocks cost nothing.
const GIVEN_BACK: usize = 33 * 1024 * 1024 / Block::SIZE;

fn derive(
    version: Version,
    params: Params,
    secret: &Secret,
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), argon2::Error> {
    let count = params.block_count();
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(count.max(GIVEN_BACK)).map_err(|_| argon2::Error::OutOfMemory)?;
    memory.resize(count, Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
    argon2.hash_password_into_with_memory(secret.expose().as_bytes(), salt, out, &mut memory[..])
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn cheap() -> Kdf {
        Kdf::new(Cost::TRIVIAL_FOR_TESTS_ONLY)
    }

    #[tokio::test]
    async fn a_hash_of_a_lower_cost_is_replaced_when_the_secret_is_right() {
        let env = Env::system();
        let stored = cheap().hash(&env, Secret::from("secret")).await.unwrap();
        let grown = Kdf::new(Cost { iterations: 2, ..Cost::TRIVIAL_FOR_TESTS_ONLY });
        assert_eq!(
            grown.verify(&env, Secret::from("guess"), stored.clone()).await,
            Ok(Verdict::Wrong)
        );
        let terms = Terms { is_known: false, is_renewed: false };
        let kept = grown.verify_on(terms, &env, Secret::from("secret"), stored.clone()).await;
        assert_eq!(kept, Ok(Verdict::Right), "nothing is hashed that nobody stores");
        let verdict = grown.verify(&env, Secret::from("secret"), stored).await.unwrap();
        let Verdict::Outgrown(better) = verdict else { panic!("{verdict:?}") };
        assert_eq!(
            grown.verify(&env, Secret::from("secret"), better.clone()).await,
            Ok(Verdict::Right)
        );
        assert_eq!(cheap().verify(&env, Secret::from("secret"), better).await, Ok(Verdict::Right));
    }

    /// From the test suite of the reference implementation.
    #[tokio::test]
    async fn hashes_that_others_made_are_understood() {
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let verify = |secret: &str| {
            let secret = Secret::from(secret);
            async move { cheap().verify(&Env::system(), secret, stored.into()).await }
        };
        assert_eq!(verify("password").await, Ok(Verdict::Right));
        assert_eq!(verify("Password").await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_none_is_the_operators_error() {
        let env = Env::system();
        for stored in ["", "secret", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"]
        {
            let verdict = cheap().verify(&env, Secret::from("secret"), stored.into()).await;
            assert_eq!(verdict, Err(KdfError::Malformed), "{stored}");
        }
        assert_eq!(cheap().verify_for_nobody(Secret::from("x")).await, Ok(Verdict::Wrong));
    }

    /// Keeps one thread at work until the sender is dropped.
    async fn keep_busy(kdf: &Kdf, order: Order) -> mpsc::Sender<()> {
        let (started, has_started) = oneshot::channel();
        let (release, held) = mpsc::channel::<()>();
        let kdf = kdf.clone();
        tokio::spawn(async move {
            let work = move || {
                started.send(()).unwrap();
                let _ = held.recv();
            };
            kdf.run(order, work).await
        });
        has_started.await.unwrap();
        release
    }

    const ORDINARY: Order = Order { is_first: false, is_costly: false };
    const COSTLY: Order = Order { is_first: false, is_costly: true };

    #[tokio::test]
    async fn more_than_the_queue_holds_is_refused_at_once() {
        let kdf = Kdf::with_threads(Cost::TRIVIAL_FOR_TESTS_ONLY, NonZeroUsize::MIN, 1);
        let busy = keep_busy(&kdf, ORDINARY).await;
        let mut waits = Box::pin(kdf.run(ORDINARY, || 7));
        assert!(futures_now(&mut waits).await.is_none(), "it waits in the queue");
        assert_eq!(kdf.run(ORDINARY, || 8).await, Err(KdfError::Busy));
        drop(busy);
        assert_eq!(waits.await, Ok(7));
    }

    #[tokio::test]
    async fn costly_work_has_half_of_the_threads_and_a_queue_of_its_own() {
        let two = NonZeroUsize::MIN.saturating_add(1);
        let kdf = Kdf::with_threads(Cost::TRIVIAL_FOR_TESTS_ONLY, two, 2);
        let busy = keep_busy(&kdf, COSTLY).await;
        let mut costly: Vec<_> = (0..2).map(|n| Box::pin(kdf.run(COSTLY, move || n))).collect();
        for waits in &mut costly {
            assert!(futures_now(waits).await.is_none());
        }
        assert_eq!(kdf.run(COSTLY, || 3).await, Err(KdfError::Busy));
        for _ in 0..10 {
            assert_eq!(kdf.run(ORDINARY, || 7).await, Ok(7));
        }
        drop(busy);
        for (number, waits) in costly.into_iter().enumerate() {
            assert_eq!(waits.await, Ok(number));
        }
    }

    #[tokio::test]
    async fn a_known_client_is_before_all_strangers() {
        let kdf = Kdf::with_threads(Cost::TRIVIAL_FOR_TESTS_ONLY, NonZeroUsize::MIN, 8);
        let (tell, served) = mpsc::channel();
        let busy = keep_busy(&kdf, ORDINARY).await;
        let known = |order| Order { is_first: true, ..order };
        let orders =
            [COSTLY, ORDINARY, ORDINARY, known(COSTLY), known(ORDINARY), ORDINARY].into_iter();
        let mut all: Vec<_> = orders
            .enumerate()
            .map(|(number, order)| {
                let tell = tell.clone();
                Box::pin(kdf.run(order, move || tell.send(number).unwrap()))
            })
            .collect();
        for waits in &mut all {
            assert!(futures_now(waits).await.is_none());
        }
        drop((busy, tell));
        for waits in all {
            waits.await.unwrap();
        }
        assert_eq!(served.iter().collect::<Vec<_>>(), [4, 1, 2, 5, 3, 0]);
    }

    #[test]
    fn a_verifier_above_twice_the_usual_cost_is_costly() {
        let argon2id = |m: u32| {
            format!(
                "$argon2id$v=19$m={m},t=2,p=1$TmFDbE5hQ2xOYUNs$OrZOu81uOqcifggpYbxMJG7T2zGWgb1jfKj+ax9QJKU"
            )
        };
        assert!(!cheap().is_costly(&argon2id(19 * 1024)));
        assert!(cheap().is_costly(&argon2id(65536)));
        let grown = Kdf::new(Cost { memory_kib: 65536, ..Cost::RECOMMENDED });
        assert!(!grown.is_costly(&argon2id(65536)));
        assert!(cheap().is_costly("$2b$12$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2"));
    }

    /// The result, if the future is ready.
    async fn futures_now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
