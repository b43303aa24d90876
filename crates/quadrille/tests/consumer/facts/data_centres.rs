//! A service with data centres, of which a callback names one.

use super::*;

/// A login at Zoho whose callback names this authorization server.
async fn at_zoho(server: &str) -> (FakeService, ManualClock, Login, quadrille::Result<Account>) {
    let fake = FakeService::of::<Zoho>("our-id", SECRET);
    let origin = match server {
        "https://accounts.zoho.eu" => "https://www.zohoapis.eu",
        "https://accounts.zohocloud.ca" => "https://www.zohoapis.ca",
        _ => "https://www.zohoapis.com",
    };
    fake.change(|manners| manners.api_origin = Some(origin));
    let clock = ManualClock::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Zoho::new("our-id", SECRET).offline())
        .storage(MemoryStorage::new())
        .http(fake.clone())
        .env(clock.env());
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("zoho").owner(&Owner::user(1))).await.unwrap();
    let query = fake.consent(&url, 7).unwrap();
    let query = format!("{query}&location=x&accounts-server={}", server.replace(':', "%3A"));
    let jar = Jar::new(&carry(&jar));
    let done = login.finish(&jar, "zoho", &query, &Owner::user(1)).await;
    (fake, clock, login, done.map(|done| done.account))
}

#[tokio::test]
async fn the_account_is_served_by_the_data_centre_that_the_callback_names() {
    for (server, host, api) in [
        ("https://accounts.zoho.com", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("https://accounts.zoho.eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        (
            "https://accounts.zohocloud.ca",
            "https://accounts.zohocloud.ca",
            "https://www.zohoapis.ca",
        ),
    ] {
        let (fake, clock, login, done) = at_zoho(server).await;
        let account = done.unwrap();
        fake.ends_access_tokens();
        clock.advance(Duration::from_secs(7200));
        let zoho = login.linked::<Zoho>(&account).await.unwrap();
        zoho.get::<serde_json::Value>("crm/v8/users").await.unwrap();
        assert_eq!(zoho.revoke_at_service().await, RevokedAtService::Revoked);
        let urls: Vec<_> = fake.asked().iter().map(url).collect();
        let expected = [
            format!("{host}/oauth/v2/token"),
            format!("{host}/oauth/user/info"),
            format!("{host}/oauth/v2/token"),
            format!("{api}/crm/v8/users"),
            format!("{host}/oauth/v2/token/revoke"),
        ];
        assert_eq!(urls, expected, "{server}");
    }
}

#[tokio::test]
async fn no_code_goes_to_a_data_centre_that_is_not_the_services() {
    for server in [
        "https://evil.example",
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.eu.evil.example/",
        "https://accounts.zoho.com@evil.example",
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu:444",
        "accounts.zoho.eu",
    ] {
        let (fake, _, _, done) = at_zoho(server).await;
        assert_eq!(done.unwrap_err(), BrowserError::WrongIssuer.into(), "{server}");
        assert!(fake.asked().is_empty(), "{server}");
    }
    let twice = "https://accounts.zoho.eu&accounts-server=https://accounts.zoho.com";
    let (_, _, _, done) = at_zoho(twice).await;
    assert_eq!(done.unwrap_err(), BrowserError::CallbackMalformed.into());
}
