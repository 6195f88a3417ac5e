//! The simplest model that explains a stack.
//!
//! A camera on a rail only shifts, or does not even that; focusing changes the
//! size; a hand turns the camera; only a tilted lens or a bent path needs more.
//! Freedom that is not needed only fits noise, and bends the picture with it.

use super::graph::Link;
use super::model::{Model, Normalised};
use crate::core::linear::Normal;

/// A freedom counts as unused where it moves the corners by less than this, in
/// pixels, in every pair.
const UNUSED: f64 = 0.05;

/// The simplest model, and the links in it: `usual` ones are similarities,
/// `richer` ones are there for pairs that a similarity does not explain.
pub fn choose(usual: &[Link], richer: &[Link], frame: Normalised) -> (Model, Vec<Link>) {
    if richer.len() * 2 > usual.len() {
        let model = richer
            .iter()
            .map(|link| link.model)
            .max()
            .unwrap_or_default();
        let links = usual
            .iter()
            .map(|link| {
                let same = |other: &&Link| other.from == link.from && other.to == link.to;
                embedded(richer.iter().find(same).unwrap_or(link), model)
            })
            .collect();
        return (model, links);
    }
    let simplest = [Model::Translation, Model::Euclidean]
        .into_iter()
        .find(|&model| usual.iter().all(|link| is_enough(link, model, frame)));
    match simplest {
        Some(model) => {
            let links = usual
                .iter()
                .filter_map(|link| restricted(link, model, frame))
                .collect();
            (model, links)
        }
        None => (Model::Similarity, usual.to_vec()),
    }
}

/// Whether the freedoms that `model` lacks move nothing in this pair, beyond
/// its error.
fn is_enough(link: &Link, model: Model, frame: Normalised) -> bool {
    let step = Model::Similarity.step(&link.transform, frame);
    step[model.freedoms()..]
        .iter()
        .all(|s| s.abs() < UNUSED.max(2.0 * link.error))
}

/// The same measurement when the freedoms that `model` lacks are known to be
/// unused: what they had taken goes to those that it has.
fn restricted(link: &Link, model: Model, frame: Normalised) -> Option<Link> {
    let n = model.freedoms();
    let step = link.model.step(&link.transform, frame);
    let mut normal = Normal::new(n, n);
    for i in 0..n {
        (0..=i).for_each(|j| normal.add(i, j, link.information[i][j]));
        let rest: f64 = (n..link.model.freedoms())
            .map(|j| link.information[i][j] * step[j])
            .sum();
        normal.add_right(i, rest);
    }
    let given = normal.solve()?;
    let step: Vec<f64> = given
        .iter()
        .zip(step)
        .map(|(given, own)| own + given)
        .collect();
    Some(Link {
        transform: model.small(&step, frame),
        model,
        information: link.information[..n]
            .iter()
            .map(|row| row[..n].to_vec())
            .collect(),
        ..link.clone()
    })
}

/// A link as a member of a richer model, about whose further freedoms it is as
/// sure as about its own.
fn embedded(link: &Link, model: Model) -> Link {
    let (n, own) = (model.freedoms(), link.model.freedoms());
    if n == own {
        return link.clone();
    }
    let sure = (0..own)
        .map(|i| link.information[i][i])
        .fold(f64::INFINITY, f64::min);
    let information = (0..n)
        .map(|i| (0..n).map(|j| if i == j { sure } else { 0.0 }).collect())
        .collect();
    Link {
        model,
        information,
        ..link.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Transform;

    fn link(transform: Transform, model: Model) -> Link {
        let n = model.freedoms();
        let row = |i: usize| (0..n).map(|j| if i == j { 1e4 } else { 10.0 }).collect();
        Link {
            from: 0,
            to: 1,
            transform,
            model,
            information: (0..n).map(row).collect(),
            error: 0.01,
            correlation: 0.9,
        }
    }

    fn chosen(scale: f64, angle: f64) -> Model {
        let transform = Transform::similarity(scale, angle, [299.5, 199.5], [3.0, 1.0]);
        let links = [link(transform, Model::Similarity)];
        choose(&links, &[], Normalised::new(600, 400)).0
    }

    #[test]
    fn unused_freedoms_are_dropped() {
        assert_eq!(chosen(1.0, 0.0), Model::Translation);
        assert_eq!(chosen(1.00001, 0.002), Model::Euclidean);
        assert_eq!(chosen(1.002, 0.0), Model::Similarity);
    }

    #[test]
    fn a_restricted_link_stays_where_it_was() {
        let transform = Transform::translation(3.0, -2.0);
        let frame = Normalised::new(600, 400);
        let less = restricted(
            &link(transform, Model::Similarity),
            Model::Translation,
            frame,
        );
        assert!(less.unwrap().transform.distance(&transform, 600, 400) < 1e-6);
    }

    #[test]
    fn pairs_that_are_bent_ask_for_more() {
        let mut bent = Transform::IDENTITY;
        bent.0[0][1] = 0.01;
        let usual = [link(Transform::IDENTITY, Model::Similarity)];
        let richer = [link(bent, Model::Affine)];
        let (model, links) = choose(&usual, &richer, Normalised::new(600, 400));
        assert_eq!((model, links[0].transform), (Model::Affine, bent));
    }
}
