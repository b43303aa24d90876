//! A database that is slow, while the program has two connections to it.

use std::time::Duration;

use quadrille::Env;
use reqwest::{Method, StatusCode};

use crate::{
    browser::Browser,
    me::me,
    moving::psql,
    outage::{SECONDS, add_machine, is_unavailable, issues, join_all, request_token},
    postgres::{field, stage},
    process::eventually,
    servers,
};

/// Each statement that stores access tokens takes so long.
fn takes(url: &str, seconds: &str) {
    psql(
        url,
        &format!(
            "CREATE OR REPLACE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
            CREATE OR REPLACE TRIGGER takes_long BEFORE INSERT ON quadrille_access_tokens
                FOR EACH STATEMENT EXECUTE FUNCTION takes_long()"
        ),
    );
}

/// Sixty requests for tokens, and reads beside them until they are answered. Returns the statuses of the
/// requests for tokens, and the longest time of a read.
async fn load(
    stage: &crate::flow::Stage,
    machine: &serde_json::Value,
    access: &str,
) -> (Vec<StatusCode>, Duration) {
    let writes = async {
        let answers = join_all((0..60).map(|_| request_token(&stage.program, machine))).await;
        for answer in &answers {
            assert!(answer.took < Duration::from_secs(9), "{:?}", answer.took);
            if answer.status != StatusCode::OK {
                is_unavailable(answer);
            }
        }
        answers.into_iter().map(|answer| answer.status).collect()
    };
    let mut longest = Duration::ZERO;
    let reads = async {
        let browser = Browser::new();
        loop {
            let began = Env::system().steady();
            assert_eq!(me(&stage.program, Method::GET, access).await.0, StatusCode::OK);
            let between = Env::system().steady();
            let page = browser.get(&stage.program.url("/sign-in")).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.html);
            let both = [between.since(began), Env::system().steady().since(between)];
            longest = both.into_iter().fold(longest, Duration::max);
        }
    };
    let statuses = tokio::select! {
        statuses = writes => statuses,
        () = reads => Vec::new(),
    };
    (statuses, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_answers_all_and_one_that_hangs_is_503_in_time_while_reads_go_on() {
    let url = servers::postgres_database();
    let settings =
        [["--set", "database_connections=2"], ["--set", "database_statement_timeout=2s"]];
    let stage = stage(&url, settings.as_flattened());
    let machine = add_machine(&stage.program.data, &url);
    let tokens = stage.dance(&Browser::new()).await;
    let access = field(&tokens, "access_token");

    takes(&url, "0.5");
    let (statuses, longest) = load(&stage, &machine, &access).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    assert!(longest < Duration::from_secs(9), "{longest:?}");

    takes(&url, "60");
    let (statuses, longest) = load(&stage, &machine, &access).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::SERVICE_UNAVAILABLE));
    assert!(longest < Duration::from_secs(9), "{longest:?}");

    psql(&url, "DROP TRIGGER takes_long ON quadrille_access_tokens");
    assert!(eventually(SECONDS, || issues(&stage.program, &machine)).await);
    stage.program.stop();
}
