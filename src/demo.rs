//! Focus stacks rendered from scenes whose sharp image, depth and transforms
//! are known: for `parfocal demo`, for tests and for benches.

/// What to render.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneOptions {
    /// Which scene.
    pub scene: Scene,
    /// Width of a frame in pixels.
    pub width: usize,
    /// Height of a frame in pixels.
    pub height: usize,
    /// Number of frames.
    pub frames: usize,
    /// Decides everything that is random.
    pub seed: u64,
}

/// The scenes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scene {
    /// A tilted plane with print, leaf, checker and a smooth patch.
    #[default]
    Plane,
}
