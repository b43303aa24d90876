//! Chromium goes through `quadrille demo`, as people do: the tests are in `tests/`, what they share
//! is in `tests/demo/support/`. Screenshots are kept in `test-output/browser/`; with
//! `QUADRILLE_README_PICTURE=1` in the environment, the README's picture is taken anew, too.
