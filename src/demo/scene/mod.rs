//! What there is to see.

use super::grid::Grid;
use super::layer::Blur;
use super::render::Element;
use super::{Scene, SceneOptions};

mod bumpy;
mod plane;

/// The things of a scene, from back to front.
pub(super) fn build(options: &SceneOptions, grid: &Grid, blur: &Blur) -> Vec<Element> {
    match options.scene {
        Scene::Plane => plane::build(options.seed, grid, blur),
        Scene::Bumpy => bumpy::build(options.seed, grid, blur),
    }
}
