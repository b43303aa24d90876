//! A service that differs by tenant: each customer has a Gitea of their own, registered in a table.
//! Open <http://localhost:3000/codeberg>; the callback to register at a customer's server is
//! `http://localhost:3000/login/gitea~{customer}/authorized`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::Path, routing::get};
use quadrille::{
    KeyRing, Login, Result, SpecBuf, Visitor,
    consumer::{Client, Dynamic},
};
use tokio::net::TcpListener;

/// A row of the table of customers.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The host of the customer's Gitea.
    pub host: String,
    /// The `client_id` of this application there.
    pub client_id: String,
    /// The `client_secret` of this application there.
    pub client_secret: String,
}

/// The table, by customer's name.
pub type Customers = Arc<BTreeMap<String, Customer>>;

#[tokio::main]
async fn main() -> Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let codeberg = Customer {
        host: "codeberg.org".into(),
        client_id: variable("CODEBERG_OAUTH_CLIENT_ID"),
        client_secret: variable("CODEBERG_OAUTH_CLIENT_SECRET"),
    };
    let customers = Arc::new(BTreeMap::from([("codeberg".to_owned(), codeberg)]));
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000");
    let app = app(login, customers);
    Ok(axum::serve(TcpListener::bind("localhost:3000").await?, app).await?)
}

/// The application around a login without services.
pub fn app(login: Login, customers: Customers) -> Router {
    let login = login.with_tenants("gitea", customers, gitea_of);
    login.attach(Router::new().route("/{customer}", get(home)))
}

/// The Gitea of one customer; `None` for an unknown customer.
async fn gitea_of(customers: Customers, customer: String) -> Result<Option<Client<Dynamic>>> {
    let Some(customer) = customers.get(&customer) else { return Ok(None) };
    let Customer { host, client_id, client_secret } = customer;
    let gitea =
        SpecBuf::oauth2("gitea", "login/oauth/authorize", "login/oauth/access_token", "api/v1")
            .identity("user", "id")
            .hosted_at(format!("https://{host}"));
    Ok(Some(gitea.client(client_id, client_secret.as_str())))
}

async fn home(Path(customer): Path<String>, visitor: Visitor) -> Result<String> {
    let gitea = visitor.linked(&format!("gitea~{customer}")).await?;
    let me: serde_json::Value = gitea.get("user").await?;
    Ok(format!("You are {} at {customer}", me["login"]))
}
