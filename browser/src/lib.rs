//! Tests of the demo, `quadrille serve` and small applications in Chromium. The tests are in
//! `tests/browser/`, their helpers in `tests/browser/support/`. Screenshots go to
//! `test-output/browser/`. With `QUADRILLE_README_PICTURE=1` in the environment, the tests also
//! replace the picture in the README.
