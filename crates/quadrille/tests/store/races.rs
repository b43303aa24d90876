//! Of any number who try at once, one wins.

use std::sync::Arc;

use quadrille::{
    Env, Scopes,
    oauth2::Resources,
    provider::store::{
        Answer, Answered, Approval, Bought, CredentialRecord, Grants as _, Identifier, IssuerId,
        Issuers as _, MemoryStore, Outcome, PendingKind, PendingRecord, PendingState, Redeemed,
        Rotated, RowId, Store, TemporaryCredentials, TicketUse,
    },
    testing::cached,
};

use crate::{
    process::{Process, argument, folder, ready, tell, told},
    world::{
        CLIENT, access, code, family, grant, hash, is_good, issue, issuer, open, rotation, sqlite,
    },
};

const ROUNDS: i64 = 50;
const RACERS: i64 = 200;

const CODES: i64 = 1_000_000;
const FAMILIES: i64 = 2_000_000;
const PENDING: i64 = 3_000_000;
const APPROVED: i64 = 4_000_000;
const DEVICES: i64 = 5_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_200_wins_in_memory() {
    let store = Arc::new(MemoryStore::new(Env::system()));
    one_of_200_wins(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_200_wins_on_sqlite() {
    let (store, _folder) = sqlite(Env::system());
    one_of_200_wins(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_200_wins_through_the_cache() {
    let (store, _folder) = sqlite(Env::system());
    one_of_200_wins(Arc::new(cached(store, Env::system()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_200_in_two_processes_wins() {
    let (store, folder) = sqlite(Env::system());
    let store = Arc::new(store);
    let issuer = issuer(&*store).await;
    lay_out(&*store, issuer).await;
    let mut other = Process::start("races::second_process", folder.path(), 1);
    other.go();
    let here = race(&store, issuer, 0, RACERS / 2).await;
    let there: Vec<Won> = other.told().iter().map(|line| parse(line)).collect();
    assert_eq!(there.len(), here.len());
    for (round, (here, there)) in here.into_iter().zip(there).enumerate() {
        for (here, there) in here.into_iter().zip(there) {
            assert_eq!(here + there, 1, "round {round}");
        }
    }
    check(&*store, issuer).await;
}

/// Half of the racers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "the second process of another test"]
async fn second_process() {
    let store = Arc::new(open(&folder(), Env::system()));
    let issuer = store.issuer("https://id.example").await.unwrap();
    ready();
    for won in race(&store, issuer, 1, RACERS / 2).await {
        tell(&format!("{won:?}"));
    }
}

#[test]
fn several_processes_make_one_new_file() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let start = |_| Process::start("races::opening_process", folder.path(), 0);
        let mut processes: Vec<_> = (0..4).map(start).collect();
        processes.iter_mut().for_each(Process::go);
        let told: Vec<_> = processes.into_iter().flat_map(Process::told).collect();
        assert_eq!(told, ["IssuerId(1)"; 4]);
    }
}

/// Opens the file, and says the number of the issuer.
#[tokio::test]
#[ignore = "one of the processes of another test"]
async fn opening_process() {
    assert_eq!(argument(), 0);
    ready();
    let store = open(&folder(), Env::system());
    tell(&format!("{:?}", store.issuer("https://id.example").await.unwrap()));
}

/// How many won: a code, a refresh token, a key, a page, an approval of a pending request, and what
/// such a request buys, token credentials and tokens.
type Won = [u32; 7];

fn parse(line: &str) -> Won {
    serde_json::from_str(line).unwrap()
}

async fn one_of_200_wins<S: Store>(store: Arc<S>) {
    let issuer = issuer(&*store).await;
    lay_out(&*store, issuer).await;
    for (round, won) in race(&store, issuer, 0, RACERS).await.into_iter().enumerate() {
        assert_eq!(won, [1; 7], "round {round}");
    }
    check(&*store, issuer).await;
}

/// A code, a refresh token and pending requests for each round.
async fn lay_out(store: &impl Store, issuer: IssuerId) {
    let now = Env::system().now();
    for round in 0..ROUNDS {
        store.put_code(issuer, code(CODES + round, now)).await.unwrap();
        let grant = grant(FAMILIES + round, "alice");
        let mut first = issue(FAMILIES + round + 1000, grant.id.0, now);
        first.family = Some(family(FAMILIES + round, grant, now));
        store.issue(issuer, first).await.unwrap();
        let approved = |row| PendingState::Approved(approval(row));
        for (row, state) in [
            (PENDING + round, PendingState::Pending),
            (APPROVED + round, approved(APPROVED + round)),
            (DEVICES + round, approved(DEVICES + round)),
        ] {
            let secret = [7; 8].into();
            let pending = PendingRecord {
                row: RowId(row),
                identifier: Identifier::Row(hash(row)),
                user_code: Some(hash(-row)),
                client: CLIENT.into(),
                scopes: Scopes::EMPTY,
                resources: Resources::EMPTY,
                expires: now + std::time::Duration::from_secs(3600),
                state,
                kind: PendingKind::Temporary(TemporaryCredentials { secret, callback: None }),
            };
            assert!(store.put_pending(issuer, pending).await.unwrap());
        }
    }
}

fn approval(number: i64) -> Approval {
    Approval { proof: Some(hash(number)), grant: grant(number, "alice") }
}

/// The rows of what racers of this process issue.
fn row(kind: i64, process: i64, round: i64, racer: i64) -> i64 {
    (((kind * 2 + process) * ROUNDS + round) * RACERS + racer) + 10_000_000
}

async fn race<S: Store>(store: &Arc<S>, issuer: IssuerId, process: i64, racers: i64) -> Vec<Won> {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let tasks: Vec<_> = (0..racers)
            .map(|racer| tokio::spawn(run(Arc::clone(store), issuer, process, round, racer)))
            .collect();
        let mut won = [0; 7];
        for task in tasks {
            for (won, wins) in won.iter_mut().zip(task.await.unwrap()) {
                *won += u32::from(wins);
            }
        }
        rounds.push(won);
    }
    rounds
}

/// One tries to win each of the seven.
async fn run<S: Store>(
    store: Arc<S>,
    issuer: IssuerId,
    process: i64,
    round: i64,
    racer: i64,
) -> [bool; 7] {
    let now = Env::system().now();
    let bought = issue(row(0, process, round, racer), CODES + round, now);
    let redeemed = store.redeem(issuer, RowId(CODES + round), bought).await.unwrap();
    assert!(matches!(redeemed, Redeemed::Issued | Redeemed::Replayed(_)), "{redeemed:?}");

    // As everyone read it before anyone turned it.
    let first = family(FAMILIES + round, grant(FAMILIES + round, "alice"), now);
    let rotation = rotation(&first, row(1, process, round, racer), now);
    let rotated = store.rotate(issuer, rotation).await.unwrap();
    assert!(matches!(rotated, Rotated::Issued | Rotated::Lost(_)), "{rotated:?}");

    let later = now + std::time::Duration::from_secs(3600);
    let remembered = store.remember_once(issuer, "jti", hash(round), later).await.unwrap();

    let used = TicketUse { ticket: [round.try_into().unwrap(); 16], until: later };
    let code = code(row(2, process, round, racer), now);
    let outcome = Outcome::Ticket(used, Some(code));
    let answer = Answer { outcome, asked: Scopes::EMPTY, consent: None };
    let answered = store.answer(issuer, answer).await.unwrap();
    assert!(matches!(answered, Answered::First | Answered::Code(_)), "{answered:?}");

    let approval = approval(row(3, process, round, racer));
    let outcome = Outcome::Pending(RowId(PENDING + round), Some(approval));
    let answer = Answer { outcome, asked: Scopes::EMPTY, consent: None };
    let approved = store.answer(issuer, answer).await.unwrap();
    assert!(matches!(approved, Answered::First | Answered::Pending(_)), "{approved:?}");

    let credential = CredentialRecord {
        access: Arc::new(access(APPROVED + round, grant(APPROVED + round, "alice"), now)),
        is_foreign: false,
        secret: racer.to_be_bytes().into(),
    };
    let bought = Bought::Credential(credential);
    let exchanged = store.redeem_pending(issuer, RowId(APPROVED + round), bought).await.unwrap();
    assert!(matches!(exchanged, Redeemed::Issued | Redeemed::Replayed(_)), "{exchanged:?}");

    let tokens = issue(row(4, process, round, racer), DEVICES + round, now);
    let bought = Bought::Tokens(Box::new(tokens));
    let polled = store.redeem_pending(issuer, RowId(DEVICES + round), bought).await.unwrap();
    assert!(matches!(polled, Redeemed::Issued | Redeemed::Replayed(_)), "{polled:?}");
    [
        redeemed == Redeemed::Issued,
        rotated == Rotated::Issued,
        remembered,
        answered == Answered::First,
        approved == Answered::First,
        exchanged == Redeemed::Issued,
        polled == Redeemed::Issued,
    ]
}

/// That the losers left nothing behind.
async fn check(store: &impl Store, issuer: IssuerId) {
    for round in 0..ROUNDS {
        let mut found = [0; 4];
        for process in 0..2 {
            for racer in 0..RACERS {
                let row = |kind| row(kind, process, round, racer);
                found[0] += u32::from(is_good(store, issuer, row(0)).await);
                found[1] += u32::from(is_good(store, issuer, row(1)).await);
                let code = store.code(issuer, RowId(row(2))).await.unwrap();
                found[2] += u32::from(code.is_some());
                found[3] += u32::from(is_good(store, issuer, row(4)).await);
            }
        }
        assert_eq!(found, [1; 4], "round {round}");
        let family = store.family(issuer, RowId(FAMILIES + round)).await.unwrap().unwrap();
        assert_eq!(family.generation, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_survives_a_kill_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for round in 0..20 {
        let mut process = Process::start("races::killed_process", folder.path(), round);
        process.go();
        // Somewhere in the middle of its work, each time elsewhere.
        let mut lines: Vec<_> =
            process.lines.by_ref().take(100 + round * 17).map_while(Result::ok).collect();
        process.kill();
        // The last may have been cut off.
        let rest: Vec<_> = process.lines.by_ref().map_while(Result::ok).collect();
        lines.extend(rest.split_last().map(|(_, whole)| whole).unwrap_or_default().to_vec());

        let store = open(folder.path(), Env::system());
        let issuer = store.issuer("https://id.example").await.unwrap();
        let mut last = 0;
        for row in lines.iter().filter_map(|line| told(line)) {
            let row = row.parse().unwrap();
            assert!(is_good(&store, issuer, row).await, "row {row} was answered, and is lost");
            last = row.max(last);
            answered += 1;
        }
        // What was under way is there with all that belongs to it, or not at all.
        for row in last - 100..last + 100 {
            let family = store.family(issuer, RowId(row + FAMILY)).await.unwrap();
            assert_eq!(is_good(&store, issuer, row).await, family.is_some(), "half of row {row}");
        }
    }
    assert!(answered >= 20 * 100, "{answered}");
}

const FAMILY: i64 = 1_000_000_000;

fn row_of(round: usize, number: i64) -> i64 {
    i64::try_from(round).unwrap() * 1_000_000 + number + 100
}

/// Issues, says what, and does not stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that another test kills"]
async fn killed_process() {
    let store = Arc::new(open(&folder(), Env::system()));
    let issuer = issuer(&*store).await;
    ready();
    let next = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            tokio::spawn(async move {
                let draw = || next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                for number in std::iter::repeat_with(draw) {
                    let row = row_of(argument(), number);
                    let now = Env::system().now();
                    let mut issue = issue(row, row, now);
                    issue.family = Some(family(row + FAMILY, grant(row, "alice"), now));
                    store.issue(issuer, issue).await.unwrap();
                    tell(&row.to_string());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
