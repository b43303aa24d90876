//! One account for the whole site, which an administrator links and all visitors use.

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderMap, Request, StatusCode, header::COOKIE};
use quadrille::{
    After, Authorized, BeforeLogin, GitHub, Hooks, KeyRing, Login, Owner, Result,
    consumer::{FileStorage, TokenStorage},
    transport::Purpose,
};

use crate::support::{Browser, World};

/// The owner of the site's account.
fn site() -> Owner {
    Owner::user("site")
}

async fn administrators_only(_: BeforeLogin, headers: HeaderMap) -> After {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if cookies.contains("role=administrator") {
        After::go_on()
    } else {
        After::answer(StatusCode::FORBIDDEN.into_response())
    }
}

async fn of_the_site(_: Authorized) -> After {
    After::go_on().for_owner(site())
}

async fn front_page(State(login): State<Login>) -> Result<String> {
    let github = login.linked_of_owner::<GitHub>(&site()).await?;
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("News of {}", me["login"]))
}

fn site_over(world: &World, storage: impl TokenStorage) -> (Login, Router) {
    let login = world
        .login_with(KeyRing::new([&[1; 32]]).unwrap())
        .storage(storage)
        .hooks(Hooks::new(()).before_login(administrators_only).on_authorized(of_the_site));
    let app = login.attach(Router::new().route("/", get(front_page)).with_state(login.clone()));
    (login, app)
}

#[tokio::test]
async fn an_administrator_links_it_and_every_visitor_uses_it() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let hour = std::time::Duration::from_secs(3600);
    world.service.change(|its| its.expire(hour, true));
    let (_, app) = site_over(&world, FileStorage::open(folder.path()).unwrap());
    let (mut visitor, mut administrator) = (Browser::new(app.clone()), Browser::new(app));
    let page = visitor.visit("/").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "nobody has linked it: {page:?}");
    assert_eq!(visitor.visit("/login/github").await.status, StatusCode::FORBIDDEN);

    administrator.cookies.insert("role".to_owned(), "administrator".to_owned());
    administrator.log_in(&world.service, "/login/github?next=/", 1).await;
    for _ in 0..3 {
        assert_eq!(visitor.visit("/").await.text, "News of \"user-1\"");
        world.wait(hour);
        world.service.ends_access_tokens();
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 2);

    // No visitor can take it away, or put another in its place.
    let page = visitor.visit("/login/github").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let log_out = Request::post("/login/github/logout").header("origin", crate::support::SITE);
    visitor.send(log_out.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(visitor.visit("/").await.text, "News of \"user-1\"");
}
