//! The pixel grid that a scene is painted on.

/// Width in design units: scenes are drawn as if frames were this wide.
pub(super) const DESIGN_WIDTH: f32 = 1500.0;

/// A grid finer than the reference frame and larger than it on every side, so
/// that a frame can be cut from it by resampling once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Canvas pixels across.
    pub width: usize,
    /// Canvas pixels down.
    pub height: usize,
    /// Canvas pixels per pixel of the reference frame.
    pub scale: f64,
    /// Pixels of the reference frame around it.
    pub margin: f64,
    /// Pixels of the reference frame per design unit.
    pub unit: f32,
    /// Height of the reference frame in design units.
    pub design_height: f32,
}

impl Grid {
    /// For a frame of `width`×`height` pixels with `margin` pixels around it.
    pub fn new(width: usize, height: usize, margin: usize) -> Self {
        // A finer canvas where it is cheap; a large frame has memory to mind.
        let scale = if width * height <= 4_000_000 {
            1.5
        } else {
            1.25
        };
        let span = |n: usize| ((n + 2 * margin) as f64 * scale).ceil() as usize;
        let unit = width as f32 / DESIGN_WIDTH;
        Self {
            width: span(width),
            height: span(height),
            scale,
            margin: margin as f64,
            unit,
            design_height: height as f32 / unit,
        }
    }

    /// Where pixel (`x`, `y`) of the reference frame lies on the canvas.
    pub fn to_canvas(self, x: f64, y: f64) -> [f64; 2] {
        [x, y].map(|v| (v + self.margin + 0.5) * self.scale - 0.5)
    }

    /// The design units of a canvas pixel's centre.
    pub fn to_design(self, x: f32, y: f32) -> [f32; 2] {
        let (scale, margin) = (self.scale as f32, self.margin as f32);
        [x, y].map(|v| ((v + 0.5) / scale - 0.5 - margin) / self.unit)
    }

    /// The canvas position of a point in design units.
    pub fn place(self, x: f32, y: f32) -> [f32; 2] {
        let (scale, margin) = (self.scale as f32, self.margin as f32);
        [x, y].map(|v| (v * self.unit + margin + 0.5) * scale - 0.5)
    }

    /// Canvas pixels per design unit.
    pub fn per_unit(self) -> f32 {
        self.unit * self.scale as f32
    }

    /// `pixels` of the reference frame in design units.
    pub fn pixels(self, pixels: f32) -> f32 {
        pixels / self.unit
    }
}

/// A rectangle of canvas pixels; it may reach beyond the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub x: isize,
    pub y: isize,
    pub width: usize,
    pub height: usize,
}

impl Area {
    /// The rectangle between two corners, the second not included; `None`
    /// where there is nothing between them.
    pub fn between(x0: isize, y0: isize, x1: isize, y1: isize) -> Option<Self> {
        (x1 > x0 && y1 > y0).then(|| Self {
            x: x0,
            y: y0,
            width: (x1 - x0) as usize,
            height: (y1 - y0) as usize,
        })
    }

    pub fn right(self) -> isize {
        self.x + self.width as isize
    }

    pub fn bottom(self) -> isize {
        self.y + self.height as isize
    }

    /// What two rectangles share.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::between(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// `by` more pixels on every side.
    pub fn grown(self, by: usize) -> Self {
        Self {
            x: self.x - by as isize,
            y: self.y - by as isize,
            width: self.width + 2 * by,
            height: self.height + 2 * by,
        }
    }
}
