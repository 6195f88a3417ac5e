//! How much of the window the panels at the sides take.

use super::App;
use crate::settings::Window;

/// The least and the most that the library may be wide.
const LIBRARY: [f32; 2] = [240.0, 720.0];
/// The same of the inspector.
const INSPECTOR: [f32; 2] = [260.0, 520.0];
/// What is left for the picture.
const PICTURE: f32 = 320.0;

/// A panel at a side of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// On the left.
    Library,
    /// On the right.
    Inspector,
}

impl App {
    /// Makes a panel that wide, or as wide as usual, within what makes sense.
    pub(super) fn widen(&mut self, panel: Panel, wanted: Option<f32>) {
        let usual = Window::default();
        let window = &mut self.settings.window;
        match panel {
            Panel::Library => {
                let room = room(window, window.inspector.then_some(INSPECTOR[0]));
                let wanted = wanted.unwrap_or(usual.library_width);
                window.library_width = within(wanted, LIBRARY, room);
            }
            Panel::Inspector => {
                let room = room(window, window.library.then_some(LIBRARY[0]));
                let wanted = wanted.unwrap_or(usual.inspector_width);
                window.inspector_width = within(wanted, INSPECTOR, room);
            }
        }
    }
}

/// How wide the library and the inspector are in this window: what was chosen,
/// or less where it is narrow.
pub fn widths(window: &Window) -> [f32; 2] {
    let least = room(window, window.library.then_some(LIBRARY[0]));
    let inspector = within(window.inspector_width, INSPECTOR, least);
    let room = room(window, window.inspector.then_some(inspector));
    [within(window.library_width, LIBRARY, room), inspector]
}

/// What a panel may take beside the picture and the other panel.
fn room(window: &Window, other: Option<f32>) -> f32 {
    window.width - PICTURE - other.unwrap_or(0.0)
}

fn within(wanted: f32, [least, most]: [f32; 2], room: f32) -> f32 {
    // Settings that were edited may hold anything.
    let wanted = if wanted.is_finite() { wanted } else { least };
    wanted.clamp(least, most.min(room).max(least)).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_its_room_and_panels_what_they_need() {
        let mut window = Window::default();
        assert_eq!(
            widths(&window),
            [window.library_width, window.inspector_width]
        );
        window.library_width = 1e9;
        window.inspector_width = f32::NAN;
        assert_eq!(
            widths(&window),
            [LIBRARY[1].min(1280.0 - PICTURE - 260.0), 260.0]
        );
        window.width = 900.0;
        let [library, inspector] = widths(&window);
        assert_eq!(library + inspector + PICTURE, 900.0);
        window.library_width = -3.0;
        assert_eq!(widths(&window)[0], LIBRARY[0]);
        window.width = 100.0;
        assert_eq!(widths(&window), [LIBRARY[0], INSPECTOR[0]]);
    }
}
