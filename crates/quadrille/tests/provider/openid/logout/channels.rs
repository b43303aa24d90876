//! How the clients of a session learn of its end (OpenID Connect Front-Channel Logout 1.0 and
//! Back-Channel Logout 1.0).

use std::time::Duration;

use axum::body::Body;
use http::Request;
use quadrille::{
    Authentication,
    provider::{ClientOpenId, FetchError, LogoutUriError, NewClient, RegistrationError},
};

use super::{BACK, BYE, FRONT, stage};
use crate::support::{Answer, Browser};

/// Front-Channel Logout, sections 2 and 3.
#[tokio::test]
async fn a_client_with_a_frame_learns_of_the_logout_from_a_page_that_goes_on() {
    let stage = stage(|metadata| {
        metadata.backchannel_logout_uri = None;
        metadata.frontchannel_logout_uri = Some(FRONT.parse().unwrap());
    })
    .await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    let answer = stage.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(answer.status(), 200);
    assert!(!stage.is_signed_in());
    let sid = stage.sid_in(&hint).await.unwrap();
    let frame = format!("{FRONT}&amp;iss=https%3A%2F%2Fid.example&amp;sid={sid}\"");
    assert!(answer.text().contains(&frame), "{frame}: {answer:?}");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("frame-src https://app.example;"), "{policy}");
    assert_eq!(answer.header("refresh"), format!("5; url={BYE}"));
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Front-Channel Logout, section 3: another user's sign-in ends the session as well.
#[tokio::test]
async fn the_next_user_of_a_browser_gets_the_frames_on_the_way() {
    for (has_frame, has_logout_token) in [(true, true), (false, true), (true, false)] {
        let mut stage = stage(|metadata| {
            metadata.frontchannel_logout_uri = has_frame.then(|| FRONT.parse().unwrap());
            metadata.backchannel_logout_uri = has_logout_token.then(|| BACK.parse().unwrap());
        })
        .await;
        stage.sign_in("ada", "a");
        let sid = stage.sid_in(&stage.id_token().await).await.unwrap();
        let ada = stage.world.signed_in.lock().unwrap().clone().unwrap();
        let sign_out = stage.world.server.sign_out(ada);
        let page = sign_out.frames("/album?of=bob").await.unwrap();
        assert_eq!(page.is_some(), has_frame);
        if let Some(page) = page {
            let page = Answer::of(page.into());
            assert_eq!(page.header("refresh"), "5; url=/album?of=bob");
            assert!(page.text().contains("You are signed in") && page.text().contains(&sid));
            assert!(
                page.header("content-security-policy").contains("frame-src https://app.example")
            );
        }
        stage.nobody_is_told();
        sign_out.tell_clients().await.unwrap();
        if has_logout_token {
            assert_eq!(stage.token().await.1.sid, Some(sid));
        }
    }
}

/// Back-Channel Logout, section 2.3: the clients of the session, and no others.
#[tokio::test]
async fn the_clients_of_other_sessions_and_of_other_users_learn_of_nothing() {
    let mut stage = stage(|_| {}).await;
    for (subject, session) in [("ada", "other"), ("bob", "b")] {
        stage.sign_in(subject, session);
        stage.id_token().await;
    }
    stage.sign_in("ada", "a");
    let page = stage.get(&[]).await;
    assert_eq!(stage.confirm(&page).await.status(), 200);
    tokio::task::yield_now().await;
    stage.nobody_is_told();
    // The application ends one of them, from elsewhere.
    let mut ended = Authentication::new("ada", stage.world.env.now());
    ended.session = Some("other".into());
    stage.world.server.sign_out(ended).tell_clients().await.unwrap();
    assert_eq!(stage.token().await.1.subject.as_deref(), Some("ada"));
    stage.nobody_is_told();
}

/// A client whose tokens have expired, and one that never had any, has a session of its own.
#[tokio::test]
async fn a_browser_knows_the_clients_of_its_session_when_no_token_says_so() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let mut browser = Browser::default();
    let hint = stage.id_token_in(&mut browser).await;
    stage.world.clock.advance(Duration::from_secs(365 * 24 * 3600));
    let cookies: Vec<String> = browser.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let leave = |cookies: String| {
        let url = format!("/oauth/logout?id_token_hint={hint}");
        let request = Request::get(url).header("cookie", cookies).body(Body::empty()).unwrap();
        Answer::of_app(stage.app.clone(), request)
    };
    // Another browser knows nothing.
    let ada = stage.world.signed_in.lock().unwrap().clone();
    assert_eq!(leave(String::new()).await.status(), 200);
    assert!(!stage.is_signed_in());
    *stage.world.signed_in.lock().unwrap() = ada;
    assert_eq!(leave(cookies.join("; ")).await.status(), 200);
    assert_eq!(stage.token().await.1.subject.as_deref(), Some("ada"));
    stage.nobody_is_told();
}

/// Back-Channel Logout, section 2.8.
#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_reached_is_told_once_more_and_one_that_refuses_is_not() {
    let mut stage = stage(|_| {}).await;
    for (answers, times) in [
        (&[FetchError::Unreachable][..], 2),
        (&[FetchError::Status(503), FetchError::TimedOut], 2),
        (&[FetchError::Status(400)], 1),
        (&[FetchError::NotPublic], 1),
        (&[], 1),
    ] {
        stage.sign_in("ada", &format!("{answers:?}"));
        stage.id_token().await;
        *stage.answers.lock().unwrap() = answers.iter().copied().collect();
        let page = stage.get(&[]).await;
        assert_eq!(stage.confirm(&page).await.status(), 200);
        // Time moves on only while nothing else is to be done.
        tokio::time::sleep(Duration::from_secs(60)).await;
        for _ in 0..times {
            assert!(stage.told.try_recv().is_ok(), "{answers:?}");
        }
        stage.nobody_is_told();
    }
}

/// A new sign-in in the session, with a later time, is the same session.
#[tokio::test]
async fn the_clients_of_a_session_learn_of_its_end_also_if_the_user_has_signed_in_once_more() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    stage.world.clock.advance(Duration::from_secs(60));
    stage.sign_in("ada", "a");
    let answer = stage.get(&[("id_token_hint", &hint)]).await;
    assert_eq!((answer.status(), stage.is_signed_in()), (200, false), "without a question");
    assert_eq!(stage.token().await.1.sid, stage.sid_in(&hint).await);
}

/// The grants of a user who is removed are gone.
#[tokio::test]
async fn clients_that_were_remembered_learn_of_a_logout_after_the_grants_are_gone() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    stage.id_token().await;
    let ada = stage.world.signed_in.lock().unwrap().clone().unwrap();
    let (server, clients) = (&stage.world.server, [stage.world.client.id.clone()]);
    server.revoke_consent("ada", &stage.world.client.id).await.unwrap();
    server.sign_out(ada.clone()).tell_clients().await.unwrap();
    tokio::task::yield_now().await;
    stage.nobody_is_told();
    stage.world.server.sign_out(ada).with_clients(clients).tell_clients().await.unwrap();
    assert_eq!(stage.token().await.1.subject.as_deref(), Some("ada"));
}

/// Back-Channel Logout, section 2.2: such addresses would never get a token.
#[tokio::test]
async fn a_client_with_an_address_that_is_not_reached_is_not_registered() {
    let stage = stage(|_| {}).await;
    let new = |change: &dyn Fn(&mut ClientOpenId)| {
        let mut metadata = ClientOpenId::default();
        change(&mut metadata);
        let new = NewClient::confidential("Shop").redirect_uri("http://127.0.0.1:7/cb");
        stage.world.server.register(new.redirect_uri("https://10.0.0.1/cb").openid(metadata))
    };
    for inward in ["https://10.0.0.1/out", "https://localhost/out", "http://127.0.0.1:7/out"] {
        let uri = || Some(inward.parse().unwrap());
        let error = new(&|it| it.backchannel_logout_uri = uri()).await.unwrap_err();
        let expected = LogoutUriError::Inward("backchannel_logout_uri");
        assert!(matches!(error, RegistrationError::LogoutUri(why) if why == expected), "{inward}");
    }
    for inward in ["https://10.0.0.1/out", "http://127.0.0.1:7/out"] {
        let uri = || Some(inward.parse().unwrap());
        let error = new(&|it| it.frontchannel_logout_uri = uri()).await.unwrap_err();
        let expected = LogoutUriError::Inward("frontchannel_logout_uri");
        assert!(matches!(error, RegistrationError::LogoutUri(why) if why == expected), "{inward}");
    }
    assert!(new(&|it| it.backchannel_logout_uri = Some(BACK.parse().unwrap())).await.is_ok());
}

/// A program that stops waits for tokens that are sent once more.
#[tokio::test(start_paused = true)]
async fn a_token_is_under_way_until_its_client_has_it_or_it_is_given_up() {
    let stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    stage.id_token().await;
    *stage.answers.lock().unwrap() = [FetchError::Unreachable].into();
    let page = stage.get(&[]).await;
    assert_eq!(stage.confirm(&page).await.status(), 200);
    let server = &stage.world.server;
    let under_way = [(stage.world.client.id.clone(), 1)];
    assert_eq!(server.logout_tokens_under_way(), under_way);
    let moment = tokio::time::timeout(Duration::from_secs(1), server.logout_tokens_sent());
    assert!(moment.await.is_err(), "it is sent once more");
    assert_eq!(server.logout_tokens_under_way(), under_way);
    server.logout_tokens_sent().await;
    assert!(server.logout_tokens_under_way().is_empty());
}

#[tokio::test]
async fn a_client_that_needs_the_session_is_not_told_without_one() {
    let mut stage = stage(|metadata| {
        metadata.backchannel_logout_session_required = true;
        metadata.frontchannel_logout_uri = Some(FRONT.parse().unwrap());
        metadata.frontchannel_logout_session_required = true;
    })
    .await;
    stage.world.sign_in("ada");
    let token = stage.id_token().await;
    assert_eq!(stage.sid_in(&token).await, None);
    let page = stage.get(&[]).await;
    let page = stage.confirm(&page).await;
    assert!(!page.text().contains("<iframe"), "{page:?}");
    tokio::task::yield_now().await;
    stage.nobody_is_told();
}
