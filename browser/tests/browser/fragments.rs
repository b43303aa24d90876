//! Access tokens in the fragment of a redirect, as a script reads them.

use axum::{Router, response::Html, routing::get};
use serde_json::Value;

use crate::support::{Provider, Site, decide, element, heading, in_a_browser, sign_in};

/// The page of an old application: its script takes the token out of the address, and asks the API.
const PAGE: &str = "<!doctype html><title>Old app</title><h1>Old app</h1><output></output><script>
    const answer = new URLSearchParams(location.hash.slice(1));
    history.replaceState(null, '', location.pathname);
    const show = text => document.querySelector('output').textContent = text;
    const api = answer.get('iss') + '/api/me';
    const headers = { authorization: 'Bearer ' + answer.get('access_token') };
    if (answer.get('state') !== 's' || location.search) show('a wrong answer');
    else if (answer.has('error')) show(answer.get('error'));
    else fetch(api, { headers }).then(it => it.text()).then(show, show);
</script>";

#[tokio::test(flavor = "multi_thread")]
async fn a_script_takes_the_token_out_of_the_address_and_calls_the_api() {
    in_a_browser("fragments", async |browser| {
        let on = "send_access_tokens_in_redirects_so_that_they_can_leak=true";
        let provider = Provider::start(&["--set", on]);
        let site =
            Site::start(async |_| Router::new().route("/app", get(|| async { Html(PAGE) }))).await;
        let app = site.far("/app");
        let client = provider.add("Old app", &app, &["--public", "--grant", "implicit"]);
        let question = client.question().replace("response_type=code", "response_type=token");
        let told = async || {
            heading(browser, "Old app").await;
            let told = element(browser, "//output[text()]").await.text().await.unwrap();
            assert_eq!(browser.place().await, app, "the token is in the address no longer");
            told
        };
        browser.goto(&question).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        let me: Value = serde_json::from_str(&told().await).unwrap();
        assert_eq!(me["client_id"], *client.id, "{me}");
        assert_eq!(me["scope"], "photos:read", "{me}");

        let anew = format!("{question}&prompt=consent");
        browser.goto(&anew).await.unwrap();
        decide(browser, "deny").await;
        assert_eq!(told().await, "access_denied");
    })
    .await;
}
