//! Files that settings name: keys, certificates and pages.

use quadrille::jose::{DecryptingKey, KeyManagement};

use crate::process::{Folder, failure};

const ON: [&str; 6] = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--set",
    "openid=true",
    "--set=openid_request_objects=true",
];

#[cfg(unix)]
#[test]
fn a_file_of_a_setting_has_an_end() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for file in ["/dev/zero", pipe.to_str().unwrap()] {
        for (setting, code) in [
            ("openid_request_object_keys", 3),
            ("certificate_authorities", 3),
            ("keys_file", 3),
            ("signing_keys_file", 3),
        ] {
            let set = format!("--set={setting}={file}");
            let (found, said) = failure(&folder.data(), &[&ON[..], &[&set]].concat());
            assert_eq!(found, code, "{set}: {said}");
            assert!(said.contains("it is a device or a pipe, not a file"), "{set}: {said}");
        }
    }
    // A command waits for the end of a pipe that it is given, and does not read without end.
    let add = ["client", "add", "Robot", "--private-key-jwt", "--jwks", "/dev/zero"];
    let (code, said) = failure(&folder.data(), &add);
    assert!(code == 4 && said.contains("it is larger than a mebibyte"), "{said}");
}

#[test]
fn keys_to_which_clients_encrypt_have_identifiers_that_tell_them_apart() {
    let folder = Folder::new();
    let write = |name: &str, kid: &str| {
        let path = folder.path().join(name);
        let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap().with_kid(kid);
        std::fs::write(&path, key.to_private_jwk().unwrap().expose()).unwrap();
        path.display().to_string()
    };
    let refused = |files: &str| {
        let set = format!("--set=openid_request_object_keys={files}");
        failure(&folder.data(), &[&ON[..], &[&set]].concat())
    };
    let (one, same) = (write("one.jwk", "2026"), write("same.jwk", "2026"));
    let (code, said) = refused(&format!("{one},{same}"));
    assert!(code == 2 && said.contains("same.jwk: another key"), "{said}");
    assert_eq!(refused(&format!("{one},{one}")).0, 2);
    for kid in ["", "two words", "\u{202e}", "\u{e9}", &"x".repeat(256)] {
        let (code, said) = refused(&write("odd.jwk", kid));
        assert!(code == 2 && said.contains("odd.jwk: the kid of the key"), "{kid:?}: {said}");
    }
}
