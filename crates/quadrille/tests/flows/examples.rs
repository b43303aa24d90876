//! The example with both sides, run as it is.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/oauth1.rs"]
mod oauth1;

use quadrille::{Env, KeyRing, Login, Service as _};

use crate::{wire::Wire, world::Browser};

const ALBUM: &str = "http://127.0.0.1:8080";
const PRINTER: &str = "http://localhost:3000";

#[tokio::test]
async fn an_album_and_a_printer() {
    let (server, id, secret) = oauth1::server(Env::system()).await.unwrap();
    let album = oauth1::album(&server);
    let login = Login::new(KeyRing::ephemeral(), PRINTER)
        .with(oauth1::TheAlbum::client(id, secret))
        .http(Wire::to(album.clone()));
    let printer = oauth1::printer(&login);
    let mut browser = Browser::of([(ALBUM, album), (PRINTER, printer)]);
    let asked = browser.open(PRINTER).await;
    assert!(asked.text.contains("May Photo printer see your photos?"), "{asked:?}");
    let denied = browser.decide(&asked, "deny").await;
    assert!(denied.has_code("access_denied"), "{denied:?}");
    let asked = browser.open(PRINTER).await;
    let page = browser.decide(&asked, "allow").await;
    assert_eq!(page.text, "Printing ada at the sea and ada in the mountains.");
    assert_eq!(page.url, format!("{PRINTER}/"));
}
