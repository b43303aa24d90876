//! Checks of Ed25519 public keys (RFC 8032, section 5.1).

use super::KeyError;

/// 2^255 - 19 in little-endian order.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    p
};

/// The y-coordinates of the points of order 1, 2 and 4, in little-endian order, and the two of the
/// points of order 8. The sign of x makes no difference to the order.
const SMALL: [[u8; 32]; 5] = [
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = P;
        minus_one[0] = 0xec;
        minus_one
    },
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Refuses a point whose y-coordinate is not reduced (RFC 8032, section 5.1.3, step 1), and one of
/// small order: signatures of such a key can be made without a private key.
pub(super) fn check(point: &[u8]) -> Result<(), KeyError> {
    let mut y: [u8; 32] = point.try_into().map_err(|_| KeyError::Invalid)?;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let is_reduced = y.iter().rev().lt(P.iter().rev());
    if is_reduced && !SMALL.contains(&y) { Ok(()) } else { Err(KeyError::Invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All encodings of the eight points of small order that decoders accept.
    const ENCODINGS: [&str; 14] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    fn point(hex: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn points_of_small_order_are_refused_in_every_encoding() {
        for hex in ENCODINGS {
            assert_eq!(check(&point(hex)), Err(KeyError::Invalid), "{hex}");
        }
        // y = p + 3 is not reduced, and not of small order.
        let long = "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
        assert_eq!(check(&point(long)), Err(KeyError::Invalid));
        assert_eq!(check(&[1; 31]), Err(KeyError::Invalid));
    }

    #[test]
    fn the_keys_of_rfc_8032_are_accepted() {
        // RFC 8032, section 7.1: tests 1 to 3, and the base point.
        for hex in [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "5866666666666666666666666666666666666666666666666666666666666666",
        ] {
            assert_eq!(check(&point(hex)), Ok(()), "{hex}");
        }
    }
}
