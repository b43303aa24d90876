//! The provider as applications and clients see it: in one process, over its real endpoints.

mod authorize;
mod support;
