//! A document that changes, is removed, or is asked for too often.

use super::*;

#[tokio::test]
async fn a_document_is_kept_as_long_as_it_says_within_bounds() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (says, kept) in [
        (None, minutes(5)),
        (Some(Duration::ZERO), minutes(5)),
        (Some(minutes(60)), minutes(60)),
        (Some(Duration::MAX), minutes(24 * 60)),
    ] {
        let web = Web::default();
        let mut good = Fetched::new(document(&json!({})));
        good.max_age = says;
        web.answers(Ok(good));
        let world = world(&web).await;
        let second = Duration::from_secs(1);
        for (wait, fetched) in [(Duration::ZERO, 1), (kept - second, 1), (second, 2)] {
            world.clock.advance(wait);
            assert_eq!(page(&world, &mut Browser::default()).await.status(), 200);
            assert_eq!(web.fetched(), fetched, "{says:?}, {wait:?}");
        }
    }
}

#[tokio::test]
async fn what_changed_in_the_document_is_stored_when_somebody_says_yes_again() {
    let web = Web::with(&json!({}));
    let world = world(&web).await;
    let tokens = world.tokens("ada").await;
    let before = world.server.client(ID).await.unwrap().unwrap();
    web.put(&json!({"client_name": "Better photo app"}));
    world.clock.advance(Duration::from_secs(301));
    let mut browser = Browser::default();
    world.sign_in("bob");
    let asked = world.ask(&mut browser, &world.asking()).await;
    assert!(asked.text().contains("client=Better photo app"));
    assert_eq!(world.server.client(ID).await.unwrap().unwrap().name, "Photo app");
    browser.answer(&world, &asked, "decision=all").await.query("code");
    let after = world.server.client(ID).await.unwrap().unwrap();
    assert_eq!(after.name, "Better photo app");
    assert_eq!((after.number, after.created), (before.number, before.created));
    assert!(world.is_good(&tokens.access).await, "it is the same client");
}

#[tokio::test]
async fn a_page_whose_redirect_uri_is_gone_from_the_document_is_not_granted() {
    let web = Web::with(&json!({}));
    let world = world(&web).await;
    let mut browser = Browser::default();
    let asked = page(&world, &mut browser).await;
    web.put(&json!({"redirect_uris": ["https://app.example/other"]}));
    world.clock.advance(Duration::from_secs(301));
    let answer = browser.answer(&world, &asked, "decision=all").await;
    assert_eq!(answer.reason(), "client_changed");
    assert!(world.server.client(ID).await.unwrap().is_none());
}

#[tokio::test]
async fn a_double_click_gets_the_same_code_and_two_people_the_same_client() {
    let world = world(&Web::with(&json!({}))).await;
    let (mut ada, mut bob) = (Browser::default(), Browser::default());
    let asked = page(&world, &mut ada).await;
    world.sign_in("bob");
    let other = world.ask(&mut bob, &world.asking()).await;
    world.sign_in("ada");
    let first = ada.answer(&world, &asked, "decision=all").await;
    let second = ada.answer(&world, &asked, "decision=all").await;
    assert_eq!(first.location(), second.location());
    world.sign_in("bob");
    let code = bob.answer(&world, &other, "decision=all").await.query("code");
    for code in [first.query("code"), code] {
        assert!(world.is_good(&world.redeem(&code).await.tokens().access).await);
    }
}

#[tokio::test]
async fn removing_it_ends_what_it_was_granted_and_open_pages_and_it_asks_anew() {
    let world = world(&Web::with(&json!({}))).await;
    let tokens = world.tokens("ada").await;
    let mut browser = Browser::default();
    world.sign_in("bob");
    let open = world.ask(&mut browser, &world.asking()).await;
    assert!(world.server.remove_client(ID).await.unwrap());
    assert!(!world.is_good(&tokens.access).await);
    let answer = browser.answer(&world, &open, "decision=all").await;
    assert_eq!(answer.reason(), "client_changed");
    let asked = page(&world, &mut Browser::default()).await;
    assert!(asked.text().contains("field=ticket="), "the earlier consent does not count");
    let again = world.tokens("ada").await;
    assert!(world.is_good(&again.access).await && !world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn once_it_is_off_again_who_was_let_in_keeps_tokens_and_gets_no_more() {
    let clock = ManualClock::new();
    let store = Arc::new(MemoryStore::new(clock.env()));
    let web = Web::with(&json!({}));
    let documents = ClientMetadataDocuments::fetched_by(web.clone());
    let new = || NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    let on = |server: AuthorizationServer| server.client_metadata_documents(documents);
    let mut world = World::build(store.clone(), clock.clone(), Policy::safe(), new(), on).await;
    as_the_client(&mut world);
    let tokens = world.tokens("ada").await;
    // As when the process starts again without it, on the same store.
    let mut off = World::build(store, clock, Policy::safe(), new(), |server| server).await;
    as_the_client(&mut off);
    assert!(off.is_good(&tokens.access).await);
    off.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert_eq!(page(&off, &mut Browser::default()).await.reason(), "unknown_client");
    assert_eq!(web.fetched(), 1);
}

#[tokio::test]
async fn who_names_documents_that_are_no_good_must_wait_and_keeps_no_known_client_out() {
    let web = Web::with(&json!({}));
    let mut world = world(&web).await;
    world.tokens("ada").await;
    world.clock.advance(Duration::from_secs(301));
    // By host, for every browser.
    world.client.id = "https://app.example/other.json".into();
    for _ in 0..30 {
        assert_refused(&page(&world, &mut Browser::default()).await, 400);
    }
    let fetched = web.fetched();
    assert_refused(&page(&world, &mut Browser::default()).await, 429);
    assert_eq!(web.fetched(), fetched, "nothing is fetched for it");
    // Whom people let in before is not kept out by that.
    world.client.id = ID.into();
    assert!(!page(&world, &mut Browser::default()).await.query("code").is_empty());
    world.client.id = "https://app.example/other.json".into();
    world.clock.advance(Duration::from_secs(10));
    assert_refused(&page(&world, &mut Browser::default()).await, 400);
    // By address: whatever is asked for.
    web.answers(Err(FetchError::Unreachable));
    let from = RemoteAddress([192, 0, 2, 1].into());
    for n in 0..31 {
        let id = format!("https://app{n}.example/client.json");
        let mut asking = world.asking();
        asking.client_id = id.into();
        let url = asking.to_url("https://id.example/oauth/authorize").unwrap();
        let request = Request::get(url).extension(from).body(Body::empty()).unwrap();
        assert_refused(&world.send(request).await, if n < 30 { 400 } else { 429 });
    }
}

#[tokio::test]
async fn one_address_cannot_keep_the_documents_of_a_host_from_others() {
    let web = Web::default();
    let mut world = world(&web).await;
    let ask = async |world: &World, from: [u8; 4], path: &str| {
        let id = format!("https://app.example/{path}");
        let mut asking = world.asking();
        asking.client_id = id.into();
        let url = asking.to_url("https://id.example/oauth/authorize").unwrap();
        let from = RemoteAddress(from.into());
        let request = Request::get(url).extension(from).body(Body::empty()).unwrap();
        world.send(request).await.status()
    };
    for n in 0..40 {
        let status = ask(&world, [192, 0, 2, 1], &format!("missing{n}.json")).await;
        assert_eq!(status, if n < 30 { 400 } else { 429 });
    }
    // Ten addresses more, until the host's own limit is reached and beyond it.
    for last in 10..20 {
        for n in 0..30 {
            ask(&world, [192, 0, 2, last], &format!("missing{n}.json")).await;
        }
    }
    assert_eq!(ask(&world, [192, 0, 2, 19], "other.json").await, 429);
    world.sign_in("ada");
    web.put(&json!({}));
    assert_eq!(ask(&world, [198, 51, 100, 7], "client.json").await, 200, "it has done nothing");
    // What is remembered, and who was let in, is there for the address that failed, too.
    assert_eq!(ask(&world, [192, 0, 2, 1], "client.json").await, 200);
    as_the_client(&mut world);
    world.tokens("ada").await;
    world.clock.advance(Duration::from_secs(301));
    for n in 0..31 {
        ask(&world, [192, 0, 2, 1], &format!("missing{n}.json")).await;
    }
    assert_eq!(ask(&world, [192, 0, 2, 1], "client.json").await, 303, "remembered consent");
}

#[tokio::test]
async fn metadata_says_whether_it_is_offered() {
    let path = "/.well-known/oauth-authorization-server";
    let get = || Request::get(path).body(Body::empty()).unwrap();
    let on = world(&Web::default()).await.send(get()).await.json();
    assert_eq!(on["client_id_metadata_document_supported"], true);
    let off = World::new().await.send(get()).await.json();
    assert!(off.get("client_id_metadata_document_supported").is_none());
}
