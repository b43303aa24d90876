//! Chromium goes through `quadrille demo`, as people do: the tests are in `tests/`, what they share
//! is in `tests/support/`. Screenshots are kept in `test-output/browser/`.
