//! `quadrille serve`, with one user.

use quadrille_demo::{PASSWORD, USER};

use super::{
    Client,
    process::{Folder, Program, json},
};

/// The setting for addresses of clients on this machine.
pub(crate) const TO_THIS_MACHINE: &str =
    "fetch_from_this_machine_so_that_strangers_can_send_to_its_services=true";

/// A running provider with the demo's user.
pub(crate) struct Provider {
    program: Program,
    folder: Folder,
}

impl Provider {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with_scopes("scopes=photos:read=See your photos;photos:write=Add photos", arguments)
    }

    /// Starts with other scopes.
    pub(crate) fn with_scopes(setting: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&["--set", setting], arguments].concat());
        program.add_user(USER, PASSWORD);
        Self { program, folder }
    }

    /// The URL of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        self.program.url(path)
    }

    /// Registers a client, whose addresses may be on this machine.
    pub(crate) fn add(&self, name: &str, redirect_uri: &str, arguments: &[&str]) -> Client {
        let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
        self.add_with(name, redirect_uri, &[&scopes, arguments].concat())
    }

    /// Registers a client with other scopes.
    pub(crate) fn add_with(&self, name: &str, redirect_uri: &str, arguments: &[&str]) -> Client {
        let add = ["client", "add", name, "--redirect-uri", redirect_uri];
        let here = ["--set", TO_THIS_MACHINE];
        let added = self.program.json(&[&add[..], &here, arguments].concat());
        let (id, secret) = (added["client_id"].as_str().unwrap(), added["client_secret"].as_str());
        Client::new(&self.program.issuer, id, secret, redirect_uri)
    }

    /// Registers a client on a device without a browser. Returns its id.
    pub(crate) fn add_device(&self, name: &str) -> String {
        let add = ["client", "add", name, "--public", "--grant", "device_code"];
        let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
        let added = self.program.json(&[&add[..], &scopes].concat());
        added["client_id"].as_str().unwrap().to_owned()
    }

    /// Registers a client that signs its requests (OAuth 1.0a), and has no callback. Returns its id and secret.
    pub(crate) fn add_terminal(&self, name: &str) -> (String, String) {
        let add = ["client", "add", name, "--oauth1", "--oob", "--scope", "photos:read"];
        let added = self.program.json(&add);
        let text = |name: &str| added[name].as_str().unwrap().to_owned();
        (text("client_id"), text("oauth1_secret"))
    }

    /// Makes a personal access token of the user, as the operator.
    pub(crate) fn add_token(&self, name: &str, arguments: &[&str]) {
        let add = ["user", "token", "add", USER, name];
        self.program.json(&[&add[..], arguments].concat());
    }

    /// Sets the user's password, as the operator.
    pub(crate) fn set_password(&self, password: &str) {
        let set = ["user", "set-password", USER, "--password-stdin"];
        json(&self.program.data, &set, &format!("{password}\n"));
    }

    /// Writes down a claim about the user, as the operator.
    pub(crate) fn claim(&self, claim: &str) {
        self.program.json(&["user", "edit", USER, "--claim", claim]);
    }

    /// Makes a client authenticate by these public keys alone, a JWK Set.
    pub(crate) fn believe(&self, client: &Client, keys: &str) {
        let file = self.folder.path().join("keys.json");
        std::fs::write(&file, keys).unwrap();
        let (file, id) = (file.to_str().unwrap(), &*client.id);
        self.program.json(&["client", "edit", id, "--private-key-jwt", "--jwks", file]);
    }

    /// Removes a client, as the operator.
    pub(crate) fn remove(&self, client: &Client) {
        self.program.json(&["client", "remove", &client.id, "--yes"]);
    }

    /// The claims of the user of an access token.
    pub(crate) async fn who(&self, token: &str) -> serde_json::Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(self.url("/oauth/userinfo")).bearer_auth(token).send().await.unwrap();
        answer.json().await.unwrap()
    }
}
