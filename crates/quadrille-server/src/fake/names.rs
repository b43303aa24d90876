//! The names of services and faults.

use quadrille::testing::{Fault, Row, SERVICES};

use crate::words::nearest;

/// The service of this name, else the nearest name.
///
/// # Errors
/// The name that is nearest, if one is near.
pub fn service(name: &str) -> Result<&'static Row, Option<&'static str>> {
    let found = SERVICES.iter().find(|row| row.spec.name == name);
    found.ok_or_else(|| nearest(name, SERVICES.iter().map(|row| row.spec.name)))
}

/// The fault of this name.
///
/// # Errors
/// The name that is nearest, if one is near.
pub fn fault(name: &str) -> Result<Fault, Option<&'static str>> {
    let found = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    found.ok_or_else(|| nearest(name, Fault::ALL.iter().map(|fault| fault.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_and_each_fault_has_a_name_and_a_mistyped_one_the_nearest() {
        for row in SERVICES {
            assert_eq!(service(row.spec.name).unwrap().type_name, row.type_name);
        }
        for known in Fault::ALL {
            assert_eq!(fault(known.name()), Ok(known));
        }
        assert_eq!(service("gihtub").unwrap_err(), Some("github"));
        assert_eq!(fault("denid").unwrap_err(), Some("denied"));
    }
}
