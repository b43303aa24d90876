//! expected `Authentication`, found integer

use quadrille::provider::{Decision, Reply};

pub async fn answer(decision: Decision<()>) -> Reply {
    decision.by(7).all().await
}
