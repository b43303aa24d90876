//! Tests of the demo, `quadrille serve` and small applications in Chromium. The tests are in
//! `tests/browser/`, their helpers in `tests/browser/support/`. Screenshots go to
//! `test-output/browser/`; `make pictures` also puts those of the guide and of the README into
//! `docs/`.
