//! the trait bound `Form: serde::Deserialize<'de>` is not satisfied
//! consider adding `#[derive(serde::Deserialize)]` to your `Form` type

use quadrille::provider::{Decision, Reply};

pub struct Form;

pub async fn answer(_: Decision<Form>) -> Option<Reply> {
    None
}
