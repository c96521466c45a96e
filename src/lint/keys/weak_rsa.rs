//! RSA moduli that can be factored, recognized from the modulus alone.

use std::sync::LazyLock;

use num_bigint::BigUint;

/// Returns whether a modulus has the fingerprint of Infineon's RSALib (ROCA, CVE-2017-15361): its remainders modulo
/// small primes are all powers of 65537, as those of the primes that the library made are.
///
/// Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack" (2017). An honest modulus passes for one
/// once in 200 million times.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    let modulus = BigUint::from_bytes_be(modulus);
    within_bounds(&modulus)
        && SUBGROUPS.iter().all(|subgroup| {
            let remainder = u32::try_from(&modulus % subgroup.prime).unwrap_or(u32::MAX);
            subgroup.powers.contains(&remainder)
        })
}

/// Returns how many rounds of Fermat's method factor a modulus, if they are [`FERMAT_ROUNDS`] at most: its primes are
/// then too close to each other (CVE-2022-26320).
///
/// With p = a - b and q = a + b the modulus is a² - b²; a is looked for from the square root of the modulus upward.
pub(super) fn fermat_rounds(modulus: &[u8]) -> Option<u32> {
    let modulus = BigUint::from_bytes_be(modulus);
    if !within_bounds(&modulus) || !modulus.bit(0) {
        return None;
    }
    let mut first = modulus.sqrt();
    if &first * &first < modulus {
        first += 1u32;
    }
    let mut a = remainder(&first);
    let mut square = remainder(&(&first * &first - &modulus));
    for round in 0..FERMAT_ROUNDS {
        if may_be_square(square) {
            let exact = &first + round;
            let b_squared = &exact * &exact - &modulus;
            let b = b_squared.sqrt();
            if &b * &b == b_squared {
                return Some(round + 1);
            }
        }
        // (a + 1)² - n is 2a + 1 more than a² - n.
        square = (square + 2 * a + 1) % FILTER;
        a = (a + 1) % FILTER;
    }
    None
}

/// Returns whether a number with this remainder modulo [`FILTER`] can be a square; of those that are none, one in 400
/// can.
fn may_be_square(remainder: u64) -> bool {
    RESIDUES.iter().all(|(modulus, squares)| squares >> (remainder % modulus) & 1 == 1)
}

fn remainder(number: &BigUint) -> u64 {
    u64::try_from(number % FILTER).unwrap_or_default()
}

/// Returns whether the length is usual. Other moduli are refused for it, and a file must not make anybody wait.
fn within_bounds(modulus: &BigUint) -> bool {
    (512..=16_384).contains(&modulus.bits())
}

/// Returns the squares modulo `modulus`, one bit for each.
const fn squares(modulus: u64) -> (u64, u128) {
    let (mut bits, mut root) = (0, 0);
    while root < modulus {
        bits |= 1 << (root * root % modulus);
        root += 1;
    }
    (modulus, bits)
}

/// The powers of 65537 modulo a prime.
struct Subgroup {
    prime: u32,
    powers: Vec<u32>,
}

/// Those of the primes for which not every number but zero is a power of 65537.
static SUBGROUPS: LazyLock<Vec<Subgroup>> = LazyLock::new(|| {
    let all = ROCA_PRIMES.iter().map(|prime| {
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime).filter(|next| *next != 1));
        Subgroup { prime: *prime, powers: powers.collect() }
    });
    all.filter(|subgroup| subgroup.powers.len() as u32 + 1 < subgroup.prime).collect()
});

/// As many as any tool that looks for such keys tries; honest primes would take about 2^500 rounds.
pub(super) const FERMAT_ROUNDS: u32 = 100;
/// The product of the moduli of [`RESIDUES`].
const FILTER: u64 = 64 * 63 * 65 * 11 * 17 * 19;
const RESIDUES: [(u64, u128); 6] = [squares(64), squares(63), squares(65), squares(11), squares(17), squares(19)];
/// The primes whose product is in all keys of RSALib, whatever their length, but 2.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the product of two numbers that are so far apart. They need not be prime.
    fn product(p: &BigUint, apart: &BigUint) -> Vec<u8> {
        (p * (p + apart)).to_bytes_be()
    }

    fn seeded(seed: u64, bits: u64) -> BigUint {
        let mut random = fastrand::Rng::with_seed(seed);
        let digits = (0..bits / 32).map(|_| random.u32(..)).collect();
        let mut number = BigUint::new(digits);
        number.set_bit(bits - 1, true);
        number.set_bit(0, true);
        number
    }

    #[test]
    fn primes_of_the_form_k_m_plus_a_power_are_found() {
        let product: BigUint = ROCA_PRIMES.iter().map(|prime| BigUint::from(*prime)).product::<BigUint>() * 2u32;
        let prime = |seed, power| seeded(seed, 700) * &product + BigUint::from(65_537u32).pow(power) % &product;
        assert!(is_roca(&(prime(1, 1234) * prime(2, 99)).to_bytes_be()));
        assert!(!is_roca(&(prime(1, 1234) * prime(2, 99) + 2u32).to_bytes_be()));
        assert!((0..1000).all(|seed| !is_roca(&seeded(seed, 2048).to_bytes_be())));
    }

    #[test]
    fn close_primes_are_found_in_as_many_rounds_as_they_are_apart() {
        // With half of the distance d and the smaller one p, the search begins d² / 2p rounds below their middle.
        let (p, one) = (seeded(7, 1024), BigUint::from(1u32));
        for (apart, rounds) in [(0u32.into(), 1..=1), (2u32.into(), 1..=1), (one.clone() << 516, 20..=100)] {
            let found = fermat_rounds(&product(&p, &apart)).unwrap();
            assert!(rounds.contains(&found), "{found} rounds");
        }
        assert_eq!(fermat_rounds(&product(&p, &(one << 530))), None);
        assert!((0..100).all(|seed| fermat_rounds(&seeded(seed, 2048).to_bytes_be()).is_none()));
    }

    #[test]
    fn squares_always_pass_the_filter() {
        assert!((0..10_000u64).all(|root| may_be_square(root * root % FILTER)));
        let passing = (0..100_000).filter(|number| may_be_square(*number)).count();
        assert!(passing < 1000, "{passing} of 100000 pass");
    }

    #[test]
    fn absurd_moduli_are_left_alone() {
        for modulus in [vec![], vec![0], vec![1], vec![3; 10], vec![0xff; 1 << 20]] {
            assert!(!is_roca(&modulus) && fermat_rounds(&modulus).is_none());
        }
    }
}
