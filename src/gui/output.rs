//! How results are written: the same controls in the inspector and in the
//! settings.

use iced::Element;
use iced::widget::{column, slider, text_input};

use super::inspector::compression_list;
use super::theme::{self, size};
use super::widget;
use crate::photo::Compression;
use crate::settings::{ExportFormat, Settings};

/// What is chosen of it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The format offered first.
    FormatPicked(ExportFormat),
    /// Bits per sample.
    BitsPicked(u8),
    /// Compression of a TIFF.
    CompressionPicked(Compression),
    /// Quality of a JPEG.
    QualityMoved(u8),
    /// The name offered on export.
    TemplateChanged(String),
}

/// Takes over what was chosen.
pub fn update(message: Message, settings: &mut Settings) {
    let output = &mut settings.output;
    match message {
        Message::FormatPicked(format) => settings.format = format,
        Message::BitsPicked(bits) => output.bits = bits,
        Message::CompressionPicked(compression) => output.compression = compression,
        Message::QualityMoved(quality) => output.quality = quality,
        Message::TemplateChanged(template) => settings.name_template = template,
    }
}

/// The controls of it.
pub fn section(settings: &Settings) -> Element<'_, Message> {
    let output = &settings.output;
    let mut content = column![widget::option(
        "Format",
        "What Export offers first. TIFF keeps everything for further editing.",
        widget::choices(
            ExportFormat::ALL.map(|format| (
                format,
                match format {
                    ExportFormat::Tiff => "TIFF",
                    ExportFormat::Png => "PNG",
                    ExportFormat::Jpeg => "JPEG",
                }
            )),
            settings.format,
            Message::FormatPicked
        ),
    )];
    if settings.format != ExportFormat::Jpeg {
        content = content.push(widget::option(
            "Bits per sample",
            "16 keeps room for changing tones afterwards; 8 is half as large.",
            widget::choices([(16u8, "16"), (8, "8")], output.bits, Message::BitsPicked),
        ));
    }
    if settings.format == ExportFormat::Tiff {
        content = content.push(widget::option(
            "Compression",
            "Always without loss. LZW is for old programs, None is quickest to write.",
            compression_list(output.compression, Message::CompressionPicked),
        ));
    }
    if settings.format == ExportFormat::Jpeg {
        content = content.push(widget::tall_option(
            "Quality",
            output.quality.to_string(),
            "Above 90 colour keeps its full resolution.",
            slider(1..=100, output.quality, Message::QualityMoved).style(theme::slide),
        ));
    }
    content = content.push(widget::tall_option(
        "Name",
        String::new(),
        "The name that Export offers. {folder}, {method}, {date} and {n} stand for what they say.",
        text_input("{folder}-{method}", &settings.name_template)
            .size(size::BODY)
            .style(theme::input)
            .on_input(Message::TemplateChanged),
    ));
    widget::section("Output", content)
}
