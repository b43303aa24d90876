//! Starting and stopping, and conditions that prevent them.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    time::Duration,
};

use crate::{
    browser::Browser,
    flow::{PASSWORD, SCOPES, Stage, add_client, token},
    process::{Folder, Program, eventually, failure, json, quadrille, rest_of, run, text},
};

#[tokio::test]
async fn the_first_start_makes_a_private_data_directory_and_says_what_to_do_next() {
    let folder = Folder::new();
    let mut child = quadrille(&["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = [0; 2048];
    let length = child.stdout.as_mut().unwrap().read(&mut said).unwrap();
    let said = text(&said[..length]);
    assert!(said.starts_with("Serving http://localhost:"), "{said}");
    assert!(said.contains("quadrille user add ada --data-dir /"), "{said}");
    assert!(said.contains("quadrille client add "), "{said}");
    let mode = |name: &str| {
        std::fs::metadata(folder.data().join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("keys"), mode("quadrille.db")), (0o700, 0o600, 0o600));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn the_first_steps_of_an_openid_provider_are_those_of_a_site_that_logs_users_in_and_out() {
    let folder = Folder::new();
    let mut child = quadrille(&["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.data())
        .env("QUADRILLE_OPENID", "true")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = [0; 4096];
    let length = child.stdout.as_mut().unwrap().read(&mut said).unwrap();
    let said = text(&said[..length]);
    let site = "http://localhost:3000/login/quadrille";
    assert!(said.contains("--scope openid --scope profile --scope email \\\n"), "{said}");
    assert!(said.contains(&format!("--redirect-uri {site}/authorized ")), "{said}");
    assert!(said.contains(&format!("--post-logout-redirect-uri {site}/logged-out\n")), "{said}");
    let issuer = said.lines().next().unwrap().strip_prefix("Serving ").unwrap();
    for name in ["oauth-authorization-server", "openid-configuration"] {
        assert!(said.contains(&format!("  {issuer}/.well-known/{name}\n")), "{said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn what_was_given_out_before_a_stop_is_good_after_the_next_start() {
    let stage = Stage::new();
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let listen = stage.program.listening.clone();
    let Stage { program, client, folder } = stage;
    program.stop();
    let listen = ["--listen", &*listen];
    let program = Program::start_with(&folder, &[&SCOPES[..], &listen].concat());
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, answer) = token(&program, &client, &fields).await;
    assert_eq!(status, 200, "{answer}");
    let home = browser.get(&program.url("/")).await;
    assert!(home.html.contains("Signed in as <strong><bdi>Ada"), "{}", home.html);
}

#[tokio::test]
async fn on_another_port_people_clients_and_sessions_are_still_there() {
    let stage = Stage::new();
    let browser = Browser::new();
    stage.consent_page(&browser).await;
    let Stage { program, client, folder } = stage;
    let before = program.issuer.clone();
    program.stop();
    let program = Program::start(&folder);
    assert_ne!(program.issuer, before);
    let home = browser.get(&program.url("/")).await;
    assert!(home.html.contains("Signed in as <strong><bdi>Ada"), "{}", home.html);
    let clients = program.json(&["client", "list"]);
    assert_eq!(clients[0]["client_id"], client["client_id"]);
}

#[tokio::test]
async fn a_port_in_use_is_told_from_other_trouble() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&folder.data(), &["serve", "--listen", &address], "");
    assert_eq!(output.status.code(), Some(5));
    let said = text(&output.stderr);
    assert!(said.contains(&address) && said.contains("listens there already"), "{said}");
    assert!(!folder.data().exists(), "nothing is made for nothing");
    let output = run(&folder.data(), &["serve", "--json", "--listen", &address], "");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"], "address_in_use");
}

#[test]
fn a_command_works_as_soon_as_one_can_connect() {
    let folder = Folder::new();
    let address = format!("127.0.0.1:{}", crate::ports::free_port());
    let mut child = quadrille(&["serve", "--listen", &address, "--data-dir"])
        .arg(folder.data())
        .args(["--set", "scopes=photos:read"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while TcpStream::connect(&address).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it serves");
        std::thread::yield_now();
    }
    let add = ["client", "add", "Printer", "--scope", "photos:read"];
    let output = run(&folder.data(), &[&add[..], &["--grant", "client_credentials"]].concat(), "");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test]
async fn an_address_that_others_can_reach_needs_an_https_issuer() {
    let folder = Folder::new();
    let output = run(&folder.data(), &["serve", "--listen", "0.0.0.0:0"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("needs an https issuer"), "{}", text(&output.stderr));
    let arguments = ["--listen", "0.0.0.0:0", "--issuer", "https://id.example"];
    let program = Program::start_with(&folder, &arguments);
    assert_eq!(program.issuer, "https://id.example");
    let port = program.listening.rsplit(':').next().unwrap().to_owned();
    let url = format!("http://127.0.0.1:{port}/sign-in");
    let page = Browser::new().send(reqwest::Method::GET, &url, None).await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-quadrille-id-form-"), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    program.stop();
    // The issuer is recorded: later commands need no flag, and no later start serves localhost by
    // accident.
    assert_eq!(Program::start(&folder).issuer, "https://id.example");
}

#[test]
fn the_first_issuer_that_is_given_ends_the_tokens_of_loopback_and_the_log_says_so() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let before = program.issuer.clone();
    program.stop();
    let program = Program::start_with(&folder, &["--issuer", "https://id.example"]);
    let log = program.log();
    assert!(log.contains("issuer renamed") && log.contains(&before), "{log}");
    program.stop();
    let again = Program::start(&folder).log();
    assert!(!again.contains("issuer renamed"), "{again}");
}

fn serves(folder: &Folder, issuer: &str) -> String {
    format!("serves {} with the issuer {issuer}", folder.data().display())
}

#[tokio::test]
async fn one_data_directory_is_not_served_under_two_names_at_once() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--issuer", "https://id.example"]);
    let other = ["--listen", "127.0.0.1:0", "--issuer", "https://other.example"];
    let renamed = [&["serve", "--rename-issuer"], &other[..]].concat();
    let (code, said) = failure(&folder.data(), &renamed);
    assert!(code == 2 && said.contains(&serves(&folder, "https://id.example")), "{said}");
    program.stop();

    // An issuer that was given changes only with `--rename-issuer`.
    let (code, said) = failure(&folder.data(), &[&["serve"], &other[..]].concat());
    assert!(code == 2 && said.contains("add --rename-issuer"), "{said}");
    let renamed = ["--issuer", "https://other.example", "--rename-issuer"];
    assert_eq!(Program::start_with(&folder, &renamed).issuer, "https://other.example");
    assert_eq!(Program::start(&folder).issuer, "https://other.example");
}

#[test]
fn no_command_but_serve_changes_what_a_data_directory_is_called() {
    let folder = Folder::new();
    let machine = ["client", "add", "Machine", "--grant", "client_credentials"];
    let issuer = ["--issuer", "https://id.example"];
    let client = json(&folder.data(), &[&machine[..], &issuer].concat(), "");
    let id = client["client_id"].as_str().unwrap();
    for command in [&machine[..], &["client", "list"], &["client", "remove", id, "--yes"]] {
        let arguments = [command, &["--issuer", "https://typo.example"]].concat();
        let (code, said) = failure(&folder.data(), &arguments);
        assert_eq!(code, 2, "{said}");
        let has = format!("{} has the issuer https://id.example", folder.data().display());
        assert!(said.contains(&has), "{said}");
    }
    let list = json(&folder.data(), &[&["client", "list"], &issuer[..]].concat(), "");
    assert_eq!(list[0]["client_id"], id);
}

#[test]
fn a_key_ring_that_is_gone_is_asked_for_and_not_replaced() {
    let folder = Folder::new();
    let (data, keys) = (folder.data(), folder.data().join("keys"));
    json(&data, &["client", "add", "Machine", "--grant", "client_credentials"], "");
    let kept = std::fs::read(&keys).unwrap();
    std::fs::remove_file(&keys).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["client", "list"]] {
        let (code, said) = failure(&data, command);
        assert!(code == 3 && said.contains("data/keys") && said.contains("restore"), "{said}");
        assert!(!keys.exists());
    }
    std::fs::write(&keys, kept).unwrap();
    json(&data, &["client", "list"], "");
}

#[tokio::test]
async fn a_folder_is_served_under_its_own_key_ring_until_that_is_given_up() {
    let stage = Stage::new();
    let tokens = stage.dance(&Browser::new()).await;
    let (program, client, folder) = (stage.program, stage.client, stage.folder);
    let (data, keys) = (folder.data(), folder.data().join("keys"));
    let listening = program.listening.clone();
    let give_up = ["keys", "replace-ring-and-end-all-tokens", "--yes"];
    assert_eq!(program.json(&["client", "list"])[0]["client_id"], client["client_id"]);
    let lost = std::fs::read_to_string(&keys).unwrap();
    let lost = lost.lines().last().unwrap().to_owned();
    let new = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    std::fs::write(&keys, new).unwrap();
    let (code, said) = failure(&data, &give_up);
    assert!(code == 2 && said.contains("a process serves"), "{said}");
    program.stop();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["client", "add", "Machine"]] {
        let (code, said) = failure(&data, command);
        assert!(code == 3 && said.contains("is not that of"), "{said}");
    }
    // A rotation, there and back.
    for ring in [format!("{new}\n{lost}"), format!("{lost}\n{new}"), lost.clone()] {
        std::fs::write(&keys, ring).unwrap();
        json(&data, &["client", "add", "Machine", "--grant", "client_credentials"], "");
    }

    std::fs::write(&keys, new).unwrap();
    let (code, said) = failure(&data, &give_up[..2]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    assert_eq!(json(&data, &give_up, "")["replaced"], true);
    std::fs::write(&keys, format!("{new}\n{lost}")).unwrap();
    let (code, said) = failure(&data, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(code == 3 && said.contains("given up"), "{said}");
    std::fs::write(&keys, new).unwrap();
    let serve = [&SCOPES[..], &["--listen", &listening]].concat();
    let stage = Stage { program: Program::start_with(&folder, &serve), client, folder };
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(stage.token(&refresh).await.0, reqwest::StatusCode::BAD_REQUEST);
    let browser = Browser::new();
    let page = browser.get(&stage.authorize_url()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(page.parameter("code").is_some(), "the consent stays: {}", page.html);
    stage.program.stop();
}

#[tokio::test]
async fn a_client_removed_and_a_token_revoked_elsewhere_are_refused_within_a_second() {
    let stage = Stage::new();
    let (program, client) = (&stage.program, &stage.client);
    // A second process serves the same data directory.
    let second = Program::start_with(&stage.folder, &["--issuer", &program.issuer]);
    let refresh = |tokens: &serde_json::Value| tokens["refresh_token"].as_str().unwrap().to_owned();
    let works = async |program: &Program, client: &serde_json::Value, token_text: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token_text)];
        // The second process has the issuer of the first, and its own address.
        let url = format!("http://{}/oauth/token", program.listening);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (id, secret) =
            (client["client_id"].as_str().unwrap(), client["client_secret"].as_str());
        let answer = http.post(url).basic_auth(id, secret).form(&fields).send().await.unwrap();
        answer.status() == 200
    };
    let tokens = stage.dance(&Browser::new()).await;
    let leaked = refresh(&tokens);
    let done = run(&program.data, &["token", "revoke", "--token-stdin"], &leaked);
    assert!(done.status.success(), "{}", text(&done.stderr));
    for process in [program, &second] {
        let refused = || async { !works(process, client, &leaked).await };
        assert!(eventually(Duration::from_secs(1), refused).await);
    }

    let machine = program.json(&["client", "add", "Machine", "--grant", "client_credentials"]);
    let gets_token = async |process: &Program| {
        let url = format!("http://{}/oauth/token", process.listening);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (id, secret) =
            (machine["client_id"].as_str().unwrap(), machine["client_secret"].as_str());
        let fields = [("grant_type", "client_credentials")];
        let answer = http.post(url).basic_auth(id, secret).form(&fields).send().await.unwrap();
        answer.status()
    };
    for process in [program, &second] {
        assert_eq!(gets_token(process).await, 200);
    }
    program.json(&["client", "remove", machine["client_id"].as_str().unwrap(), "--yes"]);
    for process in [program, &second] {
        let refused = || async { gets_token(process).await == 401 };
        assert!(eventually(Duration::from_secs(1), refused).await);
    }
}

#[tokio::test]
async fn a_removed_user_is_signed_out_and_their_applications_are_cut_off() {
    let stage = Stage::new();
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    stage.program.json(&["user", "remove", "ada", "--yes"]);
    let home = browser.get(&stage.program.url("/")).await;
    assert_eq!(home.url.path(), "/sign-in");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(stage.token(&fields).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_takes_nothing_new() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &SCOPES);
    let client = add_client(&program, "Machine");
    let mut half = TcpStream::connect(&program.listening).unwrap();
    let body = "grant_type=client_credentials";
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: \
         application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    half.write_all(head.as_bytes()).unwrap();
    half.write_all(&body.as_bytes()[..10]).unwrap();
    // An idle connection does not delay the stop.
    let mut idle = TcpStream::connect(&program.listening).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 15]).unwrap();
    assert!(
        eventually(Duration::from_secs(5), || async { program.log().contains("/health") }).await
    );

    program.signal("-TERM");
    let address = program.listening.clone();
    let closed = || async { TcpStream::connect(&address).is_err() };
    assert!(eventually(Duration::from_secs(5), closed).await, "nothing new is taken");
    half.write_all(&body.as_bytes()[10..]).unwrap();
    let answer = rest_of(&mut half);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let (status, log) = program.ended();
    assert!(status.success() && log.contains("stopped"), "{log}");
    drop(client);
}

#[tokio::test]
async fn several_processes_share_keys_through_the_environment() {
    let folder = Folder::new();
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let mut command = quadrille(&["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]);
    let mut child = command
        .arg(folder.data())
        .env("QUADRILLE_KEYS", key)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 8]).unwrap();
    assert!(!folder.data().join("keys").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let output = quadrille(&["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.data())
        .env("QUADRILLE_KEYS", "canary")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("QUADRILLE_KEYS") && !said.contains("canary"), "{said}");
}

#[tokio::test]
async fn several_processes_may_start_for_the_first_time_at_once_and_share_one_key_ring() {
    let folder = Folder::new();
    let issuer = ["--issuer", "https://id.example"];
    let programs: Vec<_> = std::thread::scope(|scope| {
        let start = || Program::start_with(&folder, &issuer);
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|program| program.join().unwrap()).collect()
    });
    let machine = programs[0].json(&["client", "add", "Machine", "--grant", "client_credentials"]);
    for program in &programs {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http
            .post(format!("http://{}/oauth/token", program.listening))
            .basic_auth(machine["client_id"].as_str().unwrap(), machine["client_secret"].as_str())
            .form(&[("grant_type", "client_credentials")]);
        assert_eq!(answer.send().await.unwrap().status(), 200);
    }
    let keys = std::fs::read_to_string(folder.data().join("keys")).unwrap();
    assert_eq!(keys.lines().filter(|line| !line.starts_with('#')).count(), 1, "{keys}");
    programs.into_iter().for_each(Program::stop);
    let names: Vec<_> = std::fs::read_dir(folder.data()).unwrap().collect();
    assert!(!names.iter().any(|name| format!("{name:?}").contains(".new")), "{names:?}");
}

#[test]
fn a_key_ring_that_makes_no_sense_is_named_and_not_shown() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    std::fs::write(folder.data().join("keys"), "# a remark\ncanary\n").unwrap();
    let output = run(&folder.data(), &["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("data/keys") && !said.contains("canary"), "{said}");
}
