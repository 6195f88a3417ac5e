//! Options for the usual kinds of stacks.

use crate::core::align::Model;
use crate::handlers::{AlignOptions, FuseOptions};
use crate::settings::{Preset, Settings};

/// A preset in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Named(pub Preset);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0.name)
    }
}

/// The presets that are always there.
pub fn presets() -> Vec<Preset> {
    let preset = |name: &str, align: AlignOptions| Preset {
        name: name.to_owned(),
        align,
        fuse: FuseOptions::default(),
    };
    let usual = AlignOptions::default();
    vec![
        preset("Macro on a rail", usual.clone()),
        preset(
            "Handheld",
            AlignOptions {
                model: Model::Affine,
                max_shift: 0.4,
                ..usual.clone()
            },
        ),
        preset(
            "Microscope",
            AlignOptions {
                model: Model::Similarity,
                max_scale: 0.1,
                max_rotation: 5.0,
                ..usual.clone()
            },
        ),
        preset(
            "Landscape",
            AlignOptions {
                model: Model::Homography,
                max_shift: 0.1,
                max_scale: 0.2,
                ..usual
            },
        ),
    ]
}

/// The preset that the options are those of.
pub fn in_force(settings: &Settings) -> Option<Preset> {
    let same = |preset: &Preset| preset.align == settings.align && preset.fuse == settings.fuse;
    settings.presets.iter().cloned().chain(presets()).find(same)
}
