//! A provider for clients that describe themselves. The program fetches documents from the public
//! Internet only, where no test goes. So this provider has the program's parts, and a fetcher with
//! one document.

use axum::Extension;
use quadrille::{
    RemoteAddress,
    provider::{ClientMetadataDocuments, FetchError, Fetched, Fetcher},
};
use quadrille_server::{
    Issuer,
    config::{Flags, Settings},
    data::Data,
    web::{App, Pages, Parts},
};
use reqwest::Url;

use super::{Site, process::Folder};

/// The document for every URL.
struct Document(String);

impl Fetcher for Document {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        Ok(Fetched::new(self.0.clone()))
    }
}

/// A provider that gets this document for every client, with its data in `folder`.
pub(crate) async fn provider(folder: &Folder, document: &serde_json::Value) -> Site {
    let mut flags = Flags::default();
    flags.give("data_dir", "--data-dir", folder.data().to_str());
    flags.set("scopes=photos:read=See your photos").unwrap();
    let (settings, _) = Settings::load(flags, std::iter::empty(), None).unwrap();
    let data = Data::open_or_make(&settings).await.unwrap();
    let keys = data.keys(&settings).await.unwrap();
    let documents = ClientMetadataDocuments::fetched_by(Document(document.to_string()));
    Site::start(async |port| {
        let issuer = Issuer::localhost(port);
        let pages = Pages::load("Quadrille", &issuer, None).unwrap();
        let app = App::new(Parts {
            scopes: settings.scopes.clone(),
            client_documents: Some(documents),
            ..Parts::new(issuer, data.backend().clone(), keys, pages)
        });
        let address = RemoteAddress("127.0.0.1".parse().unwrap());
        app.await.unwrap().router().layer(Extension(address))
    })
    .await
}
