//! A window without a display: its tasks are carried out, and it is clicked
//! and typed into as a user would.

// Every test binary has its own copy of this module and uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::keyboard::{self, Key, Modifiers, key};
use iced::{Event, Point, Size, Task, mouse, window};
use iced_test::runtime::{Action, task};
use iced_test::selector::Candidate;
use iced_test::simulator::click;
use iced_test::{Simulator, simulator};
use tempfile::TempDir;

use parfocal::core::thumbnail::Rgba;
use parfocal::gui::{self, App, Message};
use parfocal::photo::{self, Limits};
use parfocal::settings::{Folders, Settings};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The window, and where it keeps things.
pub struct Window {
    pub app: App,
    pub folders: Folders,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    /// How long the window took to answer each message.
    pub answers: Vec<Duration>,
    /// What of that time the processor worked for it: others may have had it
    /// for the rest.
    pub efforts: Vec<Duration>,
    _kept: TempDir,
}

impl Window {
    /// Opens the window with these files or folders, and usual settings.
    pub fn open(inputs: &[PathBuf]) -> Self {
        Self::open_with(inputs, |_| {})
    }

    /// Opens the window; `prepare` may put something into its folders first.
    pub fn open_with(inputs: &[PathBuf], prepare: impl FnOnce(&Folders)) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folders = Folders::within(kept.path());
        prepare(&folders);
        let (settings, fault) = Settings::load(&folders.settings);
        let (app, task) = App::new(folders.clone(), settings, fault, inputs);
        let (sender, messages) = channel();
        let window = Self {
            app,
            folders,
            messages,
            sender,
            answers: Vec::new(),
            efforts: Vec::new(),
            _kept: kept,
        };
        window.carry_out(task);
        window
    }

    /// Carries a task out on a thread of its own. What only a real window can
    /// do is passed over.
    fn carry_out(&self, task: Task<Message>) {
        let Some(mut stream) = task::into_stream(task) else {
            return;
        };
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            block_on(async {
                while let Some(action) = stream.next().await {
                    if let Action::Output(message) = action
                        && sender.send(message).is_err()
                    {
                        return;
                    }
                }
            });
        });
    }

    fn update(&mut self, message: Message) {
        let (before, asked) = (worked(), Instant::now());
        let task = self.app.update(message);
        let answer = asked.elapsed();
        self.answers.push(answer);
        let effort = worked()
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before));
        self.efforts.push(effort.unwrap_or(answer));
        self.carry_out(task);
    }

    /// Lets the window go on until `until` holds.
    pub fn wait(&mut self, what: &str, until: impl Fn(&App) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !until(&self.app) {
            assert!(
                Instant::now() < end,
                "waited in vain for {what}; notices: {:?}",
                self.app.notices().collect::<Vec<_>>()
            );
            if let Ok(message) = self.messages.recv_timeout(Duration::from_millis(50)) {
                self.update(message);
            }
        }
    }

    /// The same, while messages that are `late` come only after all that.
    pub fn wait_before(
        &mut self,
        late: impl Fn(&Message) -> bool,
        what: &str,
        until: impl Fn(&App) -> bool,
    ) {
        let (end, mut kept) = (Instant::now() + PATIENCE, Vec::new());
        while !until(&self.app) || kept.is_empty() {
            assert!(Instant::now() < end, "waited in vain for {what}");
            match self.messages.recv_timeout(Duration::from_millis(50)) {
                Ok(message) if late(&message) => kept.push(message),
                Ok(message) => self.update(message),
                Err(_) => {}
            }
        }
        kept.into_iter().for_each(|message| self.update(message));
    }

    /// Lets the window take in what has come so far.
    pub fn settle(&mut self) {
        while let Ok(message) = self.messages.recv_timeout(Duration::from_millis(300)) {
            self.update(message);
        }
    }

    /// Lets the window take in what comes for a while.
    pub fn settle_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Ok(message) = self.messages.recv_timeout(left) {
                self.update(message);
            }
        }
    }

    /// Lets the window look after its settings and files.
    pub fn tick(&mut self) {
        self.update(Message::Ticked(Instant::now()));
    }

    /// Lets something happen that no control does.
    pub fn send(&mut self, message: Message) {
        self.update(message);
    }

    /// Draws the window as it is when nothing more happens by itself, at two
    /// device pixels to one of the layout.
    pub fn picture(&mut self) -> Rgba {
        for _ in 0..3 {
            let mut simulator = self.simulator();
            let redraw = window::Event::RedrawRequested(Instant::now());
            simulator.simulate([
                Event::Window(window::Event::Rescaled(2.0)),
                Event::Window(redraw),
            ]);
            let messages: Vec<Message> = simulator.into_messages().collect();
            messages
                .into_iter()
                .for_each(|message| self.update(message));
            self.settle();
        }
        let theme = self.app.theme();
        let folder = tempfile::tempdir().unwrap();
        let snapshot = self.simulator().snapshot(&theme).unwrap();
        assert!(
            snapshot
                .matches_image(folder.path().join("window"))
                .unwrap()
        );
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
        let photo = photo::read(&file.unwrap().path(), &Limits::default()).unwrap();
        Rgba::of(&photo)
    }

    fn simulator(&self) -> Simulator<'_, Message> {
        Simulator::with_size(
            gui::iced_settings(),
            Size::new(1280.0, 800.0),
            self.app.view(),
        )
    }

    /// Clicks what bears these words.
    pub fn click(&mut self, words: &str) {
        let mut simulator = self.simulator();
        if let Err(fault) = simulator.click(words) {
            panic!("cannot click “{words}”: {fault:?}");
        }
        let messages: Vec<Message> = simulator.into_messages().collect();
        messages
            .into_iter()
            .for_each(|message| self.update(message));
    }

    /// Clicks what bears these words with the other button.
    pub fn right_click(&mut self, words: &str) {
        let mut simulator = self.simulator();
        simulator.click(words).expect("something to click");
        let button = mouse::Button::Right;
        let _ = simulator.simulate([
            Event::Mouse(mouse::Event::ButtonPressed(button)),
            Event::Mouse(mouse::Event::ButtonReleased(button)),
        ]);
        self.take(simulator.into_messages().collect());
    }

    /// Drags from one place of the window to another.
    pub fn drag(&mut self, from: [f32; 2], to: [f32; 2]) {
        let mut simulator = self.simulator();
        let mut at = |position: [f32; 2], event| {
            simulator.point_at(Point::from(position));
            let _ = simulator.simulate([Event::Mouse(event)]);
        };
        at(from, mouse::Event::ButtonPressed(mouse::Button::Left));
        let position = Point::from(to);
        at(to, mouse::Event::CursorMoved { position });
        at(to, mouse::Event::ButtonReleased(mouse::Button::Left));
        self.take(simulator.into_messages().collect());
    }

    /// Clicks twice at a place of the window.
    pub fn double_click(&mut self, at: [f32; 2]) {
        let mut simulator = self.simulator();
        simulator.point_at(Point::from(at));
        let _ = simulator.simulate(click().chain(click()));
        self.take(simulator.into_messages().collect());
    }

    /// Lets something happen to the window itself.
    pub fn happen(&mut self, event: window::Event) {
        self.update(Message::Window(event));
    }

    fn take(&mut self, messages: Vec<Message>) {
        messages
            .into_iter()
            .for_each(|message| self.update(message));
    }

    /// Clicks into the line that holds `old` and types `new` at its end.
    pub fn type_after(&mut self, old: &str, new: &str) {
        self.in_line(old, |simulator| {
            simulator.tap_key(Key::Named(key::Named::End));
            simulator.typewrite(new);
        });
    }

    /// Presses return in the line that holds `text`.
    pub fn submit(&mut self, text: &str) {
        self.in_line(text, |simulator| {
            simulator.tap_key(Key::Named(key::Named::Enter));
        });
    }

    /// Clicks the topmost of those that bear these words.
    pub fn click_last(&mut self, words: &str) {
        self.in_line(words, |_| {});
    }

    /// Clicks the topmost text or line of text with these words, and goes on
    /// from there.
    fn in_line(&mut self, words: &str, go_on: impl FnOnce(&mut Simulator<'_, Message>)) {
        let mut simulator = self.simulator();
        let mut top = None;
        let _ = simulator.find(|candidate: Candidate<'_>| -> Option<()> {
            let visible_bounds = candidate.visible_bounds();
            match candidate {
                Candidate::Text { content, .. } if content == words => top = visible_bounds,
                Candidate::TextInput { state, .. } if state.text() == words => {
                    top = visible_bounds;
                }
                _ => {}
            }
            None
        });
        let top = top.unwrap_or_else(|| panic!("nothing says “{words}”"));
        simulator.point_at(top.center());
        simulator.simulate(simulator::click());
        go_on(&mut simulator);
        let messages: Vec<Message> = simulator.into_messages().collect();
        messages
            .into_iter()
            .for_each(|message| self.update(message));
    }

    /// Moves the slider below these words in the inspector, which is scrolled to
    /// its end, to a share of its way.
    pub fn slide(&mut self, words: &str, share: f32) {
        let mut simulator = self.simulator();
        simulator.point_at(Point::new(1130.0, 400.0));
        let delta = mouse::ScrollDelta::Pixels { x: 0.0, y: -5000.0 };
        simulator.simulate([Event::Mouse(mouse::Event::WheelScrolled { delta })]);
        let label = simulator.find(words).expect("a slider");
        let label = label.visible_bounds().expect("a slider in sight");
        let (left, right) = (label.x, 1268.0);
        simulator.point_at(Point::new(left + share * (right - left), label.y + 28.0));
        simulator.simulate(click());
        self.take(simulator.into_messages().collect());
    }

    /// How long it takes to say what the window shows.
    pub fn view_time(&self) -> Duration {
        let begun = Instant::now();
        let view = self.app.view();
        let took = begun.elapsed();
        drop(view);
        took
    }

    /// Whether these words are to be seen.
    pub fn sees(&self, words: &str) -> bool {
        self.simulator().find(words).is_ok()
    }

    /// Whether these words are to be seen, alone or among others.
    pub fn sees_part(&self, words: &str) -> bool {
        let part = |candidate: Candidate<'_>| match candidate {
            Candidate::Text { content, .. } => content.contains(words).then_some(()),
            _ => None,
        };
        self.simulator().find(part).is_ok()
    }

    /// Lets the window go on until these words are to be seen.
    pub fn wait_for_part(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.sees_part(words) {
            assert!(Instant::now() < end, "waited in vain for “{words}”");
            self.settle();
        }
    }

    /// Presses a key that no control takes.
    pub fn press(&mut self, key: Key, modifiers: Modifiers) {
        self.update(Message::Key(keyboard::Event::KeyPressed {
            modified_key: key.clone(),
            key,
            physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
            location: keyboard::Location::Standard,
            modifiers,
            text: None,
            repeat: false,
        }));
    }

    /// The names of the frames that take part.
    pub fn included(&self) -> Vec<String> {
        let included = self.app.frames().filter(|(_, is_included)| *is_included);
        included.map(|(name, _)| name.to_owned()).collect()
    }
}

/// How long the processor has worked for this thread, where the system tells.
fn worked() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = told.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// The key of a letter.
pub fn letter(letter: &str) -> Key {
    Key::Character(letter.into())
}

/// The files of a folder with their contents, to see that nothing changes.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}
