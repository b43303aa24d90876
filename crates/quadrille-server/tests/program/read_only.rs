//! A database that may not be written when the program starts.

use reqwest::{Method, StatusCode};

use crate::{
    browser::Browser,
    cluster::Cluster,
    me::me,
    outage::{SECONDS, add_machine, becomes, is_unavailable, issues, request_token},
    postgres::{another, field, machine, stage},
    process::eventually,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_starts_at_a_database_that_only_answers_and_issues_as_soon_as_it_may_be_written()
{
    let cluster = Cluster::new();
    let stage = stage(&cluster.url(), &[]);
    let client = add_machine(&stage.program.data, &cluster.url());
    let tokens = stage.dance(&Browser::new()).await;
    let access = field(&tokens, "access_token");
    let standby = cluster.standby();
    let folder = machine(&stage.program);
    stage.program.stop();

    cluster.set("default_transaction_read_only = on");
    for (database, is_standby) in [(&cluster, false), (&standby, true)] {
        let program = another(&folder, &database.url(), &[]);
        becomes(&program, StatusCode::SERVICE_UNAVAILABLE, "read_only").await;
        assert_eq!(me(&program, Method::GET, &access).await.0, StatusCode::OK);
        is_unavailable(&request_token(&program, &client).await);
        let log = program.log();
        assert!(log.contains("until it may, nothing is issued"), "{log}");
        if is_standby {
            database.promote();
        } else {
            database.sql("ALTER SYSTEM RESET default_transaction_read_only");
            database.sql("SELECT pg_reload_conf()");
        }
        assert!(eventually(SECONDS, || issues(&program, &client)).await, "{}", program.log());
        becomes(&program, StatusCode::OK, "ok").await;
        program.stop();
    }
}
