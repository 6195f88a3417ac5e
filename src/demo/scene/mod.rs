//! What there is to see.

use super::grid::Grid;
use super::layer::Blur;
use super::render::Element;
use super::{Scene, SceneOptions};

mod board;
mod bumpy;
mod hairs;
mod plane;
mod steps;

/// The things of a scene, from back to front.
pub(super) fn build(options: &SceneOptions, grid: &Grid, blur: &Blur) -> Vec<Element> {
    match options.scene {
        Scene::Plane => plane::build(options.seed, grid, blur),
        Scene::Bumpy => bumpy::build(options.seed, grid, blur),
        Scene::Hairs => hairs::build(options.seed, grid, blur),
        Scene::Steps => steps::build(options.seed, grid, blur),
        Scene::Specular => board::build(options.seed, grid, blur),
    }
}
