//! Kubernetes' quantities, as far as they count bytes or cores.

/// The bytes of a quantity such as `2Gi`, `512M` or `0.5Gi`; none where it is not one. Parts of a byte are dropped.
///
/// Suffixes as in Kubernetes' `resource.Quantity`: powers of 1,024 (`Ki` to `Pi`) and of 1,000 (`k` to `P`).
#[must_use]
pub fn bytes(quantity: &str) -> Option<u64> {
    const SUFFIXES: [(&str, u64); 10] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
    ];
    let suffix = SUFFIXES.iter().find_map(|(suffix, unit)| Some((quantity.strip_suffix(suffix)?, *unit)));
    let (number, unit) = suffix.unwrap_or((quantity, 1));
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 9 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let digits: u128 = whole.parse::<u64>().ok()?.into();
    let digits = digits * scale + if part.is_empty() { 0 } else { part.parse::<u128>().ok()? };
    u64::try_from(digits * u128::from(unit) / scale).ok()
}

/// The cores of a quantity such as `250m`, `0.5` or `2`; none where it is not one.
///
/// The metrics API writes billionths (`n`) and millionths (`u`) too.
#[must_use]
pub fn cores(quantity: &str) -> Option<f64> {
    const SUFFIXES: [(char, f64); 3] = [('n', 1e-9), ('u', 1e-6), ('m', 1e-3)];
    let suffix = SUFFIXES.iter().find_map(|(suffix, unit)| Some((quantity.strip_suffix(*suffix)?, *unit)));
    let (number, unit) = suffix.unwrap_or((quantity, 1.0));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    number.parse::<f64>().ok().filter(|_| is_number).map(|number| number * unit)
}

#[cfg(test)]
mod tests {
    use super::{bytes, cores};

    #[test]
    fn quantities_are_cores() {
        assert_eq!(cores("2"), Some(2.0));
        assert_eq!(cores("0.5"), Some(0.5));
        assert_eq!(cores("250m"), Some(0.25));
        assert_eq!(cores("1500000000n"), Some(1.5));
        for text in ["", "m", "-1", "1e3", "inf", "two"] {
            assert_eq!(cores(text), None, "{text}");
        }
    }

    #[test]
    fn quantities_are_bytes() {
        assert_eq!(bytes("2Gi"), Some(2 << 30));
        assert_eq!(bytes("1.5Gi"), Some(3 << 29));
        assert_eq!(bytes("512M"), Some(512_000_000));
        assert_eq!(bytes("1024"), Some(1024));
    }

    #[test]
    fn what_is_no_quantity_has_no_bytes() {
        for text in ["", "Gi", "two", "1.Gi.", "-1Gi", "1.x", "99999999999P"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
