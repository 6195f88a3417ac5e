//! The bar that runs through the frames.

use iced::widget::{container, pick_list, row, slider, text, toggler, tooltip};
use iced::{Center, Element, Fill};
use std::time::{Duration, Instant};

use super::icon::Icon;
use super::theme::{self, size, space as gap};
use super::widget;

/// How many frames in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// To look at each.
    Slow,
    /// To see what moves.
    #[default]
    Steady,
    /// As a film.
    Fast,
}

impl Pace {
    const ALL: [Self; 3] = [Self::Slow, Self::Steady, Self::Fast];

    /// From one frame to the next.
    pub fn pause(self) -> Duration {
        Duration::from_millis(match self {
            Self::Slow => 500,
            Self::Steady => 200,
            Self::Fast => 67,
        })
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Slow => "2 per second",
            Self::Steady => "5 per second",
            Self::Fast => "15 per second",
        })
    }
}

/// How frames run by.
#[derive(Debug)]
pub struct State {
    /// Whether they run by themselves.
    pub is_playing: bool,
    /// Whether the slider is being moved.
    pub is_dragged: bool,
    /// When it was moved last.
    moved: Instant,
    /// Whether the first follows the last.
    pub is_loop: bool,
    /// How fast.
    pub pace: Pace,
    /// Whether frames are shown as they lie on the reference.
    pub is_aligned: bool,
}

/// What happens in the bar.
#[derive(Debug, Clone)]
pub enum Message {
    /// Start or stop.
    PlayPressed,
    /// The slider went to the frame of this place.
    Scrubbed(u32),
    /// The slider was let go.
    Released,
    /// Begin again after the last, or stop there.
    LoopPressed,
    /// Another speed.
    PacePicked(Pace),
    /// Frames are to be shown as they lie on the reference, or as they are.
    AlignedToggled(bool),
}

/// What the bar wants of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Go to the frame of this place.
    Go(u32),
    /// Let the frames run, or stop.
    Play(bool),
    /// Show the frame anew: another way, or whole.
    Show,
}

impl Default for State {
    fn default() -> Self {
        Self {
            is_playing: false,
            is_dragged: false,
            moved: Instant::now(),
            is_loop: true,
            pace: Pace::default(),
            is_aligned: false,
        }
    }
}

impl State {
    /// Whether frames run by, so that a glance at each is enough.
    pub fn is_moving(&self) -> bool {
        self.is_playing || self.is_dragged
    }

    /// The slider rests when it was not moved for a while: a wheel or a key
    /// moves it without ever letting go. Answers whether it did not rest before.
    pub fn rest(&mut self, now: Instant) -> bool {
        let rests = self.is_dragged && now.duration_since(self.moved) > Duration::from_secs(1);
        self.is_dragged &= !rests;
        rests
    }

    /// Answers what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::PlayPressed => return Action::Play(!self.is_playing),
            Message::Scrubbed(place) => {
                self.is_dragged = true;
                self.moved = Instant::now();
                return Action::Go(place);
            }
            Message::Released => {
                self.is_dragged = false;
                return Action::Show;
            }
            Message::LoopPressed => self.is_loop = !self.is_loop,
            Message::PacePicked(pace) => self.pace = pace,
            Message::AlignedToggled(is_aligned) => {
                self.is_aligned = is_aligned;
                return Action::Show;
            }
        }
        Action::None
    }

    /// The bar for `frames` frames, of which the one at the place `at` is
    /// shown; perhaps they can be shown aligned or not.
    pub fn view(
        &self,
        at: usize,
        frames: usize,
        is_alignment_chosen: bool,
    ) -> Element<'_, Message> {
        let (icon, words) = if self.is_playing {
            (Icon::Pause, "Stop here (P)")
        } else {
            (Icon::Play, "Run through the frames (P)")
        };
        let play = widget::icon_button(icon, words, Some(Message::PlayPressed));
        let last = (frames.max(1) - 1) as u32;
        let slide = slider(0..=last, at as u32, Message::Scrubbed)
            .on_release(Message::Released)
            .style(theme::slide);
        let place = text(format!("{} / {frames}", at + 1))
            .size(size::SMALL)
            .style(theme::muted)
            .wrapping(text::Wrapping::None);
        let again = widget::toggle_button(
            Icon::Repeat,
            "Begin again after the last frame",
            self.is_loop,
            Message::LoopPressed,
        );
        let pace = pick_list(Pace::ALL, Some(self.pace), Message::PacePicked)
            .text_size(size::SMALL)
            .padding([gap::TINY, gap::SMALL])
            .style(theme::pick)
            .menu_style(theme::menu);
        let mut bar = row![play, slide, place, again, pace]
            .spacing(gap::SMALL)
            .align_y(Center);
        if is_alignment_chosen {
            bar = bar.push(widget::tip(
                toggler(self.is_aligned)
                    .label("Aligned")
                    .size(18)
                    .text_size(size::BODY)
                    .style(theme::switch)
                    .on_toggle(Message::AlignedToggled),
                "Shows frames as they lie on the reference: run through them, and nothing but \
                 the focus should move (A)",
                tooltip::Position::Top,
            ));
        }
        container(bar)
            .padding([0.0, gap::SMALL])
            .height(40)
            .align_y(Center)
            .width(Fill)
            .style(theme::panel)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_rests_when_it_is_let_go_or_was_not_moved_for_a_while() {
        let mut state = State::default();
        assert_eq!(state.update(Message::Scrubbed(3)), Action::Go(3));
        assert!(state.is_moving());
        assert_eq!(state.update(Message::Released), Action::Show);
        assert!(!state.is_moving());
        let _ = state.update(Message::Scrubbed(4));
        assert!(!state.rest(Instant::now()), "moved just now");
        assert!(state.rest(Instant::now() + Duration::from_secs(2)));
        assert!(!state.is_moving());
        assert!(
            !state.rest(Instant::now() + Duration::from_secs(4)),
            "only once"
        );
    }
}
