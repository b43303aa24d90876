//! The consumer as its users see it: an application, a browser, a service.

mod support;

mod visit;
