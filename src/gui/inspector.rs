//! The options of the stack: presets, alignment, fusion, output.

use iced::widget::{Column, button, column, container, pick_list, row, scrollable, slider, text};
use iced::widget::{text_input, toggler};
use iced::{Center, Element, Fill};

use super::finish;
use super::icon::Icon;
use super::presets::{Named, in_force, presets};
use super::theme::{self, size, space as gap};
use super::{output, widget};
use crate::core::align::{Detector, Method as AlignMethod, Model};
use crate::core::finish::Finish;
use crate::core::fuse::{Method, Prefer};
use crate::core::veil::Unveil;
use crate::handlers::{AlignOptions, FuseOptions};
use crate::photo::Compression;
use crate::settings::{Preset, Settings};

/// What the panel remembers of itself; the options live in the settings.
#[derive(Debug, Default)]
pub struct State {
    is_expert: bool,
    is_fusion_expert: bool,
    finish: finish::State,
    naming: Option<String>,
}

/// What happens in the panel.
#[derive(Debug, Clone)]
pub enum Message {
    /// A preset was chosen.
    PresetPicked(Named),
    /// The options are to be kept as a preset.
    PresetNaming,
    /// The name of the preset so far.
    PresetNamed(String),
    /// The name is complete.
    PresetSaved,
    /// The preset in force is to be forgotten.
    PresetForgotten,
    /// All options are to be the usual ones.
    Reset,
    /// Frames are to be aligned, or taken as they are.
    AlignToggled(bool),
    /// What a pose may do.
    ModelPicked(Model),
    /// Whether exposure is matched.
    ExposureToggled(bool),
    /// The expert options are to be seen.
    ExpertToggled,
    /// Largest shift, in percent of the width.
    ShiftMoved(f64),
    /// Largest change of size, in percent.
    ScaleMoved(f64),
    /// Largest turn, in degrees.
    RotationMoved(f64),
    /// How poses are found.
    AlignMethodPicked(AlignMethod),
    /// The way of fusing.
    MethodPicked(Method),
    /// Whether the result is cut to what all frames cover.
    CropToggled(bool),
    /// Levels of the pyramid; 0 is automatic.
    LevelsMoved(u8),
    /// How softly frames give way to each other, 0 to 100.
    SmoothnessMoved(u8),
    /// How strong noise is taken to be, in percent of what is measured.
    NoiseStrengthMoved(u16),
    /// The expert options of fusing are to be seen.
    FusionExpertToggled,
    /// Which of two sharp depths wins.
    PreferPicked(Prefer),
    UnveilPicked(Unveil),
    /// Whether what moved is taken from the reference.
    GhostCheckToggled(bool),
    /// Whether the result keeps to the range of its sources.
    ClampToggled(bool),
    /// What is done to the finished picture.
    Finish(finish::Message),
    /// How results are written.
    Output(output::Message),
}

fn model_name(model: Model) -> &'static str {
    match model {
        Model::Auto => "Automatic",
        Model::Translation => "Shift",
        Model::Euclidean => "Shift, rotation",
        Model::Similarity => "Shift, rotation, scale",
        Model::Affine => "Affine",
        Model::Homography => "Perspective",
    }
}

fn align_method_name(method: AlignMethod) -> &'static str {
    match method {
        AlignMethod::Auto => "Automatic",
        AlignMethod::Ecc => "Windows (ECC)",
        AlignMethod::Orb => "Key points (ORB)",
        AlignMethod::Sift => "Key points (SIFT)",
        AlignMethod::Akaze => "Key points (AKAZE)",
        AlignMethod::Hybrid => "Key points, then windows",
        AlignMethod::None => "None",
    }
}

/// How the place of a frame is found, by what the installed OpenCV has.
fn align_method(chosen: AlignMethod) -> Element<'static, Message> {
    let methods: Vec<AlignMethod> = [
        AlignMethod::Auto,
        AlignMethod::Ecc,
        AlignMethod::Orb,
        AlignMethod::Sift,
        AlignMethod::Akaze,
        AlignMethod::Hybrid,
    ]
    .into_iter()
    .filter(|method| method.detector().is_none_or(Detector::is_available))
    .collect();
    widget::option(
        "Method",
        "How the place of a frame is found. Automatic compares windows, and starts from key \
         points where that fails; choose one of the key points if frames are turned or far apart.",
        pick(
            &methods,
            chosen,
            align_method_name,
            Message::AlignMethodPicked,
        ),
    )
}

/// A method in words.
pub fn method_name(method: Method) -> &'static str {
    match method {
        Method::Hybrid => "Hybrid",
        Method::Pyramid => "Pyramid",
        Method::Depth => "Depth map",
        Method::Average => "Weighted average",
    }
}

fn unveil_name(unveil: Unveil) -> &'static str {
    match unveil {
        Unveil::Auto => "Automatic",
        Unveil::First => "First is nearest",
        Unveil::Last => "Last is nearest",
        Unveil::Off => "Leave it",
    }
}

fn prefer_name(prefer: Prefer) -> &'static str {
    match prefer {
        Prefer::Auto => "The sharper",
        Prefer::Front => "Front (first frames)",
        Prefer::Back => "Back (last frames)",
    }
}

fn compression_name(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "None",
        Compression::Deflate => "Deflate",
        Compression::Lzw => "LZW",
    }
}

/// A value with the word that a list shows for it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Worded<T>(T, &'static str);

impl<T> std::fmt::Display for Worded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.1)
    }
}

fn pick<'a, T: Copy + PartialEq + 'static, M: Clone + 'a>(
    all: &[T],
    chosen: T,
    word: impl Fn(T) -> &'static str,
    message: impl Fn(T) -> M + 'a,
) -> Element<'a, M> {
    let all: Vec<Worded<T>> = all
        .iter()
        .map(|&value| Worded(value, word(value)))
        .collect();
    let chosen = Worded(chosen, word(chosen));
    pick_list(all, Some(chosen), move |picked| message(picked.0))
        .text_size(size::BODY)
        .padding([gap::TINY + 1.0, gap::SMALL])
        .width(Fill)
        .style(theme::pick)
        .menu_style(theme::menu)
        .into()
}

/// The choice of a TIFF's compression, here and in the export dialog.
pub fn compression_list<'a, M: Clone + 'a>(
    chosen: Compression,
    message: impl Fn(Compression) -> M + 'a,
) -> Element<'a, M> {
    let all = [Compression::Deflate, Compression::Lzw, Compression::None];
    pick(&all, chosen, compression_name, message)
}

impl State {
    /// Takes over what was chosen.
    pub fn update(&mut self, message: Message, settings: &mut Settings) {
        let Settings { align, fuse, .. } = settings;
        match message {
            Message::PresetPicked(Named(preset)) => {
                *align = preset.align;
                *fuse = preset.fuse;
            }
            Message::PresetNaming => self.naming = Some(String::new()),
            Message::PresetNamed(name) => self.naming = Some(name),
            Message::PresetSaved => {
                let name = self.naming.take().unwrap_or_default().trim().to_owned();
                if !name.is_empty() {
                    let preset = Preset {
                        name,
                        align: align.clone(),
                        fuse: fuse.clone(),
                    };
                    settings.presets.retain(|old| old.name != preset.name);
                    settings.presets.push(preset);
                }
            }
            Message::PresetForgotten => {
                let in_force = in_force(settings).map(|preset| preset.name);
                settings
                    .presets
                    .retain(|old| Some(&old.name) != in_force.as_ref());
            }
            Message::Reset => {
                *align = AlignOptions::default();
                *fuse = FuseOptions::default();
                settings.finish = Finish::default();
            }
            Message::AlignToggled(true) => align.method = AlignMethod::Auto,
            Message::AlignToggled(false) => align.method = AlignMethod::None,
            Message::ModelPicked(model) => align.model = model,
            Message::ExposureToggled(wanted) => align.match_exposure = wanted,
            Message::ExpertToggled => self.is_expert = !self.is_expert,
            Message::ShiftMoved(percent) => align.max_shift = percent / 100.0,
            Message::ScaleMoved(percent) => align.max_scale = percent / 100.0,
            Message::RotationMoved(degrees) => align.max_rotation = degrees,
            Message::AlignMethodPicked(method) => align.method = method,
            Message::MethodPicked(method) => fuse.method = method,
            Message::CropToggled(wanted) => fuse.crop = wanted,
            Message::LevelsMoved(levels) => {
                fuse.levels = (levels > 0).then_some(usize::from(levels));
            }
            Message::SmoothnessMoved(smoothness) => fuse.smoothness = smoothness,
            Message::NoiseStrengthMoved(percent) => fuse.noise_strength = percent,
            Message::FusionExpertToggled => self.is_fusion_expert = !self.is_fusion_expert,
            Message::PreferPicked(prefer) => fuse.prefer = prefer,
            Message::UnveilPicked(unveil) => fuse.unveil = unveil,
            Message::GhostCheckToggled(wanted) => fuse.ghost_check = wanted,
            Message::ClampToggled(wanted) => fuse.clamp = wanted,
            Message::Finish(message) => self.finish.update(message, &mut settings.finish),
            Message::Output(message) => output::update(message, settings),
        }
    }

    /// The panel, `width` logical pixels wide.
    pub fn view<'a>(&'a self, settings: &'a Settings, width: f32) -> Element<'a, Message> {
        let content = column![
            self.presets(settings),
            self.alignment(settings),
            self.fusion(settings),
            self.finish.view(&settings.finish).map(Message::Finish),
            output::section(settings).map(Message::Output),
        ]
        .spacing(gap::LARGE)
        .padding(gap::MEDIUM);
        scrollable(content)
            .style(theme::scroll)
            .width(width)
            .height(Fill)
            .into()
    }

    fn presets<'a>(&'a self, settings: &'a Settings) -> Element<'a, Message> {
        let mut all = presets();
        all.extend(settings.presets.iter().cloned());
        let chosen = in_force(settings);
        let is_own = chosen
            .as_ref()
            .is_some_and(|chosen| settings.presets.iter().any(|own| own.name == chosen.name));
        let all: Vec<Named> = all.into_iter().map(Named).collect();
        let list = pick_list(all, chosen.map(Named), Message::PresetPicked)
            .placeholder("Own options")
            .text_size(size::BODY)
            .padding([gap::TINY + 1.0, gap::SMALL])
            .width(Fill)
            .style(theme::pick)
            .menu_style(theme::menu);
        let mut line = row![list].spacing(gap::TINY).align_y(Center);
        line = line.push(widget::icon_button(
            Icon::BookmarkPlus,
            "Keep these options as a preset",
            Some(Message::PresetNaming),
        ));
        if is_own {
            line = line.push(widget::icon_button(
                Icon::BookmarkMinus,
                "Forget this preset",
                Some(Message::PresetForgotten),
            ));
        }
        line = line.push(widget::icon_button(
            Icon::RotateCcw,
            "Back to the usual options",
            Some(Message::Reset),
        ));
        let mut content = column![line];
        if let Some(name) = &self.naming {
            content = content.push(
                row![
                    text_input("Name of the preset", name)
                        .size(size::BODY)
                        .style(theme::input)
                        .on_input(Message::PresetNamed)
                        .on_submit(Message::PresetSaved),
                    button(text("Save").size(size::BODY))
                        .style(theme::secondary)
                        .on_press(Message::PresetSaved)
                ]
                .spacing(gap::SMALL),
            );
        }
        widget::section("Preset", content)
    }

    fn alignment<'a>(&'a self, settings: &'a Settings) -> Element<'a, Message> {
        let align = &settings.align;
        let is_on = align.method != AlignMethod::None;
        let mut content = column![widget::option(
            "Align frames",
            "Finds how the frames lie on each other. Turn it off only if they were aligned before: \
             even a good rail moves by a few pixels.",
            switch(is_on, Message::AlignToggled)
        )];
        if is_on {
            let models = [
                Model::Auto,
                Model::Translation,
                Model::Euclidean,
                Model::Similarity,
                Model::Affine,
                Model::Homography,
            ];
            content = content.push(widget::option(
                "Movement",
                "What a frame may do against the others. Automatic takes the simplest that \
                 explains the frames; choose Affine or Perspective for handheld stacks that stay \
                 soft towards the corners.",
                pick(&models, align.model, model_name, Message::ModelPicked),
            ));
        }
        content = content.push(widget::option(
            "Match exposure",
            "Makes all frames as bright as the reference. Turn it off if the brightness of the \
             frames is meant to differ.",
            switch(align.match_exposure, Message::ExposureToggled),
        ));
        if is_on {
            content = content.push(widget::fold(
                "Method and limits",
                self.is_expert,
                Message::ExpertToggled,
            ));
            if self.is_expert {
                content = content
                    .push(align_method(align.method))
                    .push(widget::tall_option(
                        "Largest shift",
                        format!("{:.0} % of the width", align.max_shift * 100.0),
                        "A frame that seems to lie farther off is left out. Raise it if frames \
                         are reported as shifted too far.",
                        slide(
                            1.0..=100.0,
                            align.max_shift * 100.0,
                            1.0,
                            Message::ShiftMoved,
                        ),
                    ))
                    .push(widget::tall_option(
                        "Largest change of size",
                        format!("{:.0} %", align.max_scale * 100.0),
                        "A frame that seems larger or smaller than this is left out. Raise it for \
                         strong focus breathing.",
                        slide(
                            1.0..=100.0,
                            align.max_scale * 100.0,
                            1.0,
                            Message::ScaleMoved,
                        ),
                    ))
                    .push(widget::tall_option(
                        "Largest rotation",
                        format!("{:.0}°", align.max_rotation),
                        "A frame that seems turned further is left out.",
                        slide(1.0..=45.0, align.max_rotation, 1.0, Message::RotationMoved),
                    ));
            }
        }
        widget::section("Alignment", content)
    }

    fn fusion<'a>(&'a self, settings: &'a Settings) -> Element<'a, Message> {
        let fuse = &settings.fuse;
        let mut content = column![
            widget::option(
                "Method",
                "Hybrid blends frames by their finest detail, without halos or noise: right for \
                 most. Pyramid takes the strongest detail at each scale: the most contrast where \
                 thin things cross. Depth map keeps the colours of smooth surfaces best. Weighted \
                 average is soft and quiet. Changing it does not align again.",
                pick(
                    &[
                        Method::Hybrid,
                        Method::Pyramid,
                        Method::Depth,
                        Method::Average
                    ],
                    fuse.method,
                    method_name,
                    Message::MethodPicked
                ),
            ),
            widget::option(
                "Crop the borders",
                "Cuts the result to what every frame covers. Turn it off to keep the whole \
                 reference frame; its borders then come from fewer frames.",
                switch(fuse.crop, Message::CropToggled),
            ),
        ];
        if matches!(fuse.method, Method::Hybrid | Method::Pyramid) {
            let levels = fuse.levels.unwrap_or(0).min(12) as u8;
            let value = match fuse.levels {
                None => "automatic".to_owned(),
                Some(levels) => levels.to_string(),
            };
            content = content.push(widget::tall_option(
                "Pyramid levels",
                value,
                "Fewer levels keep halos narrower around hard edges; more blend smooth parts \
                 better. At the far left the size of the picture decides.",
                slider(0..=12, levels, Message::LevelsMoved).style(theme::slide),
            ));
        }
        content = content.push(widget::fold(
            "Depths and movement",
            self.is_fusion_expert,
            Message::FusionExpertToggled,
        ));
        if self.is_fusion_expert {
            content = content
                .push(widget::option(
                    "Prefer",
                    "Which depth wins where two are sharp, as where a hair crosses a background. \
                     Front is the first frame: choose Back if the stack was taken from back to \
                     front.",
                    pick(
                        &[Prefer::Auto, Prefer::Front, Prefer::Back],
                        fuse.prefer,
                        prefer_name,
                        Message::PreferPicked,
                    ),
                ))
                .push(widget::option(
                    "Find what moved",
                    "Shows a leg or a leaf that moved between frames as the reference shows it. \
                     Turn it off if the report names places where nothing moved.",
                    switch(fuse.ghost_check, Message::GhostCheckToggled),
                ));
            if fuse.method == Method::Hybrid {
                content = content.push(widget::option(
                    "Blur of near things",
                    "Beside an outline the blur of the nearer thing lies over what is behind \
                     it. Lifted, no halo is left; that takes a second look at all frames. \
                     Unless you say which frame is focused nearest it is done where the \
                     frames show that clearly.",
                    pick(
                        &[Unveil::Auto, Unveil::First, Unveil::Last, Unveil::Off],
                        fuse.unveil,
                        unveil_name,
                        Message::UnveilPicked,
                    ),
                ));
            }
            content = softness(content, fuse);
            if fuse.method != Method::Average {
                content = content.push(widget::option(
                    "Keep to the frames' tones",
                    "No place becomes brighter or darker than the frames are there. Turn it off \
                     for a little more contrast, at the risk of glow beside bright edges.",
                    switch(fuse.clamp, Message::ClampToggled),
                ));
            }
        }
        widget::section("Fusion", content)
    }
}

/// How softly frames are blended, and what counts as noise.
fn softness<'a>(content: Column<'a, Message>, fuse: &FuseOptions) -> Column<'a, Message> {
    let content = content.push(widget::tall_option(
        "Smoothness",
        fuse.smoothness.to_string(),
        "How softly frames give way to each other. Less follows fine edges more closely, more \
         is quieter.",
        slider(0..=100, fuse.smoothness, Message::SmoothnessMoved).style(theme::slide),
    ));
    if !matches!(fuse.method, Method::Hybrid | Method::Depth) {
        return content;
    }
    content.push(widget::tall_option(
        "Noise strength",
        format!("{} %", fuse.noise_strength),
        "How strong noise is taken to be, beside what is measured. Raise it where noise shows as \
         mottle, lower it where faint texture is lost.",
        slider(0..=400, fuse.noise_strength, Message::NoiseStrengthMoved)
            .step(10u16)
            .style(theme::slide),
    ))
}

fn switch<'a>(is_on: bool, message: impl Fn(bool) -> Message + 'a) -> Element<'a, Message> {
    container(
        toggler(is_on)
            .size(20)
            .style(theme::switch)
            .on_toggle(message),
    )
    .into()
}

fn slide<'a>(
    range: std::ops::RangeInclusive<f64>,
    value: f64,
    step: f64,
    message: impl Fn(f64) -> Message + 'a,
) -> Element<'a, Message> {
    slider(range, value, message)
        .step(step)
        .style(theme::slide)
        .into()
}
