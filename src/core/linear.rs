//! Least squares with few unknowns, or many in a band.

/// The normal equations of a least-squares problem: a symmetric positive
/// definite matrix whose entries vanish beyond `band` from the diagonal, and a
/// right-hand side.
#[derive(Debug, Clone)]
pub struct Normal {
    size: usize,
    band: usize,
    /// Row `i` holds columns `i - band ..= i`.
    lower: Vec<f64>,
    /// The right-hand side.
    right: Vec<f64>,
}

impl Normal {
    /// No equations yet for `size` unknowns, coupled at most `band` apart.
    pub fn new(size: usize, band: usize) -> Self {
        let band = band.min(size.saturating_sub(1));
        Self {
            size,
            band,
            lower: vec![0.0; size * (band + 1)],
            right: vec![0.0; size],
        }
    }

    /// Adds `value` to the entry of row `i` and column `j`, once for both
    /// triangles: call it for `j <= i` only.
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        debug_assert!(j <= i && i - j <= self.band);
        self.lower[i * (self.band + 1) + self.band + j - i] += value;
    }

    /// Adds `value` to row `i` of the right-hand side.
    pub fn add_right(&mut self, i: usize, value: f64) {
        self.right[i] += value;
    }

    /// Solves the equations by Cholesky's decomposition; `None` where they
    /// leave something undetermined.
    pub fn solve(&self) -> Option<Vec<f64>> {
        let factor = self.factor()?;
        Some(self.substitute(&factor, self.right.clone()))
    }

    /// The inverse of the matrix, row by row: the covariance of the unknowns.
    pub fn inverse(&self) -> Option<Vec<Vec<f64>>> {
        let factor = self.factor()?;
        let unit = |i| {
            let mut unit = vec![0.0; self.size];
            unit[i] = 1.0;
            unit
        };
        Some(
            (0..self.size)
                .map(|i| self.substitute(&factor, unit(i)))
                .collect(),
        )
    }

    fn factor(&self) -> Option<Vec<f64>> {
        let (n, b) = (self.size, self.band);
        let at = |i: usize, j: usize| i * (b + 1) + b + j - i;
        let mut l = self.lower.clone();
        for i in 0..n {
            for j in i.saturating_sub(b)..=i {
                let first = i.saturating_sub(b).max(j.saturating_sub(b));
                let dot: f64 = (first..j).map(|k| l[at(i, k)] * l[at(j, k)]).sum();
                let rest = l[at(i, j)] - dot;
                if i != j {
                    l[at(i, j)] = rest / l[at(j, j)];
                } else if rest > self.lower[at(i, i)].abs() * 1e-12 && rest.is_finite() {
                    l[at(i, i)] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(l)
    }

    fn substitute(&self, l: &[f64], mut x: Vec<f64>) -> Vec<f64> {
        let (n, b) = (self.size, self.band);
        let at = |i: usize, j: usize| i * (b + 1) + b + j - i;
        for i in 0..n {
            let dot: f64 = (i.saturating_sub(b)..i).map(|k| l[at(i, k)] * x[k]).sum();
            x[i] = (x[i] - dot) / l[at(i, i)];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n.min(i + b + 1)).map(|k| l[at(k, i)] * x[k]).sum();
            x[i] = (x[i] - dot) / l[at(i, i)];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banded_system_is_solved() {
        // Second differences: the solution of a discrete Poisson problem.
        let mut normal = Normal::new(5, 1);
        for i in 0..5 {
            normal.add(i, i, 2.0);
            if i > 0 {
                normal.add(i, i - 1, -1.0);
            }
            normal.add_right(i, 1.0);
        }
        let x = normal.solve().unwrap();
        for (x, expected) in x.iter().zip([2.5, 4.0, 4.5, 4.0, 2.5]) {
            assert!((x - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_inverse_undoes_the_matrix() {
        let mut normal = Normal::new(2, 1);
        normal.add(0, 0, 4.0);
        normal.add(1, 0, 2.0);
        normal.add(1, 1, 3.0);
        let inverse = normal.inverse().unwrap();
        let expected = [[0.375, -0.25], [-0.25, 0.5]];
        for (row, expected) in inverse.iter().zip(expected) {
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_undetermined_is_refused() {
        let mut normal = Normal::new(2, 1);
        normal.add(0, 0, 1.0);
        assert_eq!(normal.solve(), None);
    }
}
