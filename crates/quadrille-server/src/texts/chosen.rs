//! The language of a request: by the application's wish, or by what the browser accepts.

use std::future::Future;

/// The parameter with which applications name languages, and pages of this site that follow them.
pub(crate) const UI_LOCALES: &str = "ui_locales";

tokio::task_local! {
    static CURRENT: Chosen;
}

/// The language of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen {
    /// The place among the languages.
    pub(super) at: Option<usize>,
    /// Whether an application wished for it.
    pub(super) is_wished: bool,
}

/// The language of the request that this task answers.
pub(super) fn current() -> Chosen {
    CURRENT.try_with(|chosen| *chosen).unwrap_or_default()
}

impl Chosen {
    /// Runs `work`, whose pages are in this language.
    pub(crate) async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Runs `work` outside of a request, whose page is in this language.
    pub(crate) fn sync_scope<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }
}
