//! Chromium goes through the demo, `quadrille serve` and small applications, as people do:
//! the tests are in `tests/browser/`, what they share is in `tests/browser/support/`. Screenshots are
//! kept in `test-output/browser/`; with `QUADRILLE_README_PICTURE=1` in the environment, the README's
//! picture is taken anew, too.
