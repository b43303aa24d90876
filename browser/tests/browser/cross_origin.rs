//! Scripts of another origin, as applications in a browser are: they register, redeem, call the API,
//! and read each refusal.

use serde_json::{Value, json};

use crate::support::{Browser, Provider, Site, in_a_browser};

const OPEN: &str = "registration=open-to-anybody-so-that-strangers-add-clients";

/// The result of `fetch` in the page: status, one header and the body.
async fn fetch(browser: &Browser, url: &str, options: Value) -> Value {
    let script = "const [url, options, done] = arguments;
        if (options.long) options.body = 'x'.repeat(options.long);
        fetch(url, options).then(async (answer) => done({
            status: answer.status,
            challenge: answer.headers.get('www-authenticate'),
            body: await answer.text(),
        })).catch((error) => done({ failed: String(error) }));";
    let arguments = vec![json!(url), options];
    browser.execute_async(script, arguments).await.unwrap().json().clone()
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_another_origin_registers_calls_and_reads_every_refusal() {
    in_a_browser("cross-origin", async |browser| {
        let provider = Provider::start(&["--set", OPEN]);
        let site = Site::blank().await;
        browser.goto(site.far("/")).await.unwrap();
        let ask = async |path: &str, options: Value| {
            let answer = fetch(browser, &provider.url(path), options).await;
            assert!(answer["failed"].is_null(), "{path}: {answer}");
            answer
        };
        let post = |metadata: Value, token: Option<&str>| {
            let mut headers = json!({ "content-type": "application/json" });
            if let Some(token) = token {
                headers["authorization"] = format!("Bearer {token}").into();
            }
            json!({ "method": "POST", "headers": headers, "body": metadata.to_string() })
        };

        let metadata = ask("/.well-known/oauth-authorization-server", json!({})).await;
        assert!(body(&metadata)["registration_endpoint"].is_string());
        let good = json!({ "redirect_uris": [site.far("/callback")] });
        let registered = ask("/oauth/register", post(good.clone(), None)).await;
        assert_eq!(registered["status"], 201, "{registered}");
        let client = body(&registered);
        let uri = client["registration_client_uri"].as_str().unwrap();
        let token = client["registration_access_token"].as_str().unwrap();
        for (method, status) in [("GET", 200), ("DELETE", 204), ("GET", 401)] {
            let bearer = json!({ "authorization": format!("Bearer {token}") });
            let answer = fetch(browser, uri, json!({ "method": method, "headers": bearer })).await;
            assert_eq!(answer["status"], status, "{method}: {answer}");
        }
        let wrong = ask("/oauth/register", post(json!({ "redirect_uris": ["x"] }), None)).await;
        assert_eq!(body(&wrong)["error"], "invalid_redirect_uri");
        let wrong = ask("/oauth/register", post(good, Some("wrong"))).await;
        assert_eq!(wrong["status"], 401);
        assert!(wrong["challenge"].as_str().unwrap().starts_with("Bearer"), "{wrong}");

        let me = ask("/api/me", json!({ "headers": { "authorization": "Bearer wrong" } })).await;
        assert_eq!(me["status"], 401);
        assert!(me["challenge"].as_str().unwrap().contains("invalid_token"), "{me}");
        let form = json!({ "content-type": "application/x-www-form-urlencoded" });
        let token =
            json!({ "method": "POST", "headers": form, "body": "grant_type=x&client_id=y" });
        let token = ask("/oauth/token", token).await;
        assert!(body(&token)["error"].is_string(), "{token}");
        // Refused before any handler sees them.
        for path in ["/api/me", "/oauth/token", "/oauth/register"] {
            let long = json!({ "method": "POST", "headers": form, "long": 70_000 });
            assert_eq!(ask(path, long).await["status"], 413, "{path}");
        }
    })
    .await;
}
