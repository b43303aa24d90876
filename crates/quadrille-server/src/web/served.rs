//! The pages, as far as the server before the router has to know them.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::page::accepted_languages;

use crate::http::ServedPages;

use super::{app::App, pages::Message};

/// The paths of pages. All other paths are for programs and answer in JSON.
#[derive(Debug)]
struct PagePaths {
    app: App,
    paths: Vec<String>,
}

impl ServedPages for PagePaths {
    fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|page| page == path)
    }

    fn refused(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        key: &'static str,
    ) -> Response<Body> {
        let pages = &self.app.pages;
        let refused = || {
            pages.message(
                status,
                &Message {
                    title: "refused-title",
                    key,
                    client: None,
                    code: Some("invalid_request"),
                    link: None,
                    alert: true,
                },
            )
        };
        pages.texts().accepted(accepted_languages(headers)).sync_scope(refused)
    }
}

impl App {
    /// The pages of this provider.
    pub fn served_pages(&self) -> Arc<dyn ServedPages> {
        Arc::new(PagePaths { app: self.clone(), paths: self.page_paths() })
    }

    /// The paths of pages.
    fn page_paths(&self) -> Vec<String> {
        let site = self.pages.site();
        let mut paths = vec![
            self.server.authorize_path(),
            self.server.consent_path(),
            &site.sign_in,
            &site.continue_as,
            &site.sign_out,
            &site.home,
            &site.withdraw,
            &site.end_session,
            &site.end_other_sessions,
            &site.password,
            &site.export,
            &site.revoke_token,
            &site.make_token,
            &site.profile,
            &site.sign_out_everywhere,
        ];
        paths.extend(self.server.device_path());
        paths.extend(self.server.end_session_path());
        paths.extend(self.users_delete_their_accounts.then_some(&*site.delete_account));
        if !self.issuer.path().is_empty() {
            paths.push(self.issuer.path());
        }
        paths.into_iter().map(str::to_owned).collect()
    }
}
