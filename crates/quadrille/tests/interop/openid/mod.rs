//! npm's oidc-provider as an OpenID Provider, of which the application knows the issuer alone: each
//! feature that both sides have, in its default and its other forms.

mod algorithms;
mod answers;
mod asked;
mod clients;
mod organizations;
mod requests;
mod sessions;
mod world;
