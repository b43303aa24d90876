//! Several services on one page: `cargo run --features testing --example several_services`.
//!
//! With `GITHUB_OAUTH_CLIENT_ID` and `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub, and so
//! on. The callbacks to register are <http://localhost:3000/login/github/authorized> and likewise.

mod shared;

use std::error::Error;

use axum::{Router, extract::State, routing::get};
use quadrille::{
    GitHub, GitLab, KeyRing, Linked, Login, Result, Spotify, consumer::Api, page::Page,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(shared::client::<GitHub>().await?)
        .with(shared::client::<GitLab>().await?)
        .with(shared::client::<Spotify>().await?);
    login.check()?;
    let pages = Router::new().route("/", get(home)).route("/code", get(code));
    let app = login.attach(pages.with_state(login.clone()));
    Ok(axum::serve(listener, app).await?)
}

/// For everybody: the accounts that are linked, and a link for each of the others.
async fn home(
    State(login): State<Login>,
    github: Option<Linked<GitHub>>,
    gitlab: Option<Linked<GitLab>>,
    spotify: Option<Linked<Spotify>>,
) -> Result<Page> {
    let accounts: [Option<&Api>; 3] = [github.as_deref(), gitlab.as_deref(), spotify.as_deref()];
    let mut page = Page::new("Your accounts");
    for ((service, title), account) in login.services().zip(accounts) {
        page = match account {
            Some(account) => {
                let me = account.profile().await?;
                let name = me.name.or(me.user_name).unwrap_or(me.subject);
                let log_out = format!("/login/{service}/logout?next=/");
                page.text(&format!("You are {name} on {title}")).form(
                    &format!("Log out of {title}"),
                    &log_out,
                    &[],
                )
            }
            None => page.link(&format!("Log in with {title}"), &format!("/login/{service}?next=/")),
        };
    }
    Ok(page.link("All your code", "/code"))
}

/// For visitors with both accounts: others log in first, one service after the other.
async fn code(github: Linked<GitHub>, gitlab: Linked<GitLab>) -> Result<Page> {
    let (here, there) = tokio::try_join!(github.profile(), gitlab.profile())?;
    let name = |name: Option<String>| name.unwrap_or_default();
    let page = Page::new("All your code");
    Ok(page.text(&format!("{} and {}", name(here.user_name), name(there.user_name))))
}
