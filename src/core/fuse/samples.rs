//! Frames for the tests of this room.

use crate::core::plane::Plane;
use crate::core::warp::Warped;

/// A frame whose green and blue are 0.8 and 0.6 of its red, `value(x, y)`.
pub fn frame(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Warped {
    let plane = |factor: f32| Plane {
        width,
        height,
        data: (0..width * height)
            .map(|i| factor * value(i % width, i / width))
            .collect(),
    };
    Warped {
        channels: [plane(1.0), plane(0.8), plane(0.6)],
        mask: None,
    }
}

/// A board of checks of two pixels.
pub fn checks(x: usize, y: usize) -> f32 {
    if (x / 2 + y / 2).is_multiple_of(2) {
        0.8
    } else {
        0.2
    }
}
