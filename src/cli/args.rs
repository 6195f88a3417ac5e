//! Options that several commands share, and how their values are read.

use clap::builder::{RangedI64ValueParser, RangedU64ValueParser};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

use crate::core::align::{Method as AlignMethod, Model};
use crate::core::finish::Finish;
use crate::core::fuse::{Lanes, Method, Prefer};
use crate::core::veil::Unveil;
use crate::handlers::{
    AlignOptions, Device, FuseOptions, OutputOptions, Reference, Resources, Sort,
};
use crate::photo::{Compression, Limits};

/// How frames are laid on top of each other.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alignment")]
pub struct AlignArgs {
    /// How the pose of a frame is found: auto, ecc (windows compared), orb, sift
    /// or akaze (key points), hybrid (sift, then ecc), none; or the report of
    /// an earlier run on these photographs, whose alignment is used again
    #[arg(long, value_name = "METHOD|REPORT.json", default_value = "auto", value_parser = way)]
    align: Way,
    /// In which order the frames make the stack
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// Lift the local contrast of dark frames before key points are looked for
    #[arg(long)]
    clahe: bool,
    /// What a pose may do to a frame
    #[arg(long, value_enum, default_value_t)]
    model: Model,
    /// The frame that the others are laid upon: its number in stack order,
    /// counted from 0 as in the report, or auto for the middle one
    #[arg(long, value_name = "N|auto", default_value = "auto")]
    reference: Auto<usize>,
    /// Match brightness and colour of every frame to the reference [default]
    #[arg(long, overrides_with = "no_match_exposure")]
    match_exposure: bool,
    /// Leave brightness and colour of the frames as they are
    #[arg(long, overrides_with = "match_exposure")]
    no_match_exposure: bool,
    /// The largest believable shift between a frame and the reference, in
    /// percent of the width; a frame beyond it is left out
    #[arg(long, value_name = "PERCENT", default_value = "25", value_parser = percent)]
    max_shift: f64,
    /// The largest believable change of size, in percent; a frame beyond it is
    /// left out
    #[arg(long, value_name = "PERCENT", default_value = "50", value_parser = percent)]
    max_scale: f64,
    /// The largest believable turn, in degrees; a frame beyond it is left out
    #[arg(long, value_name = "DEGREES", default_value = "20", value_parser = degrees)]
    max_rotation: f64,
}

impl AlignArgs {
    /// The handlers' options.
    pub fn options(&self) -> AlignOptions {
        AlignOptions {
            method: match &self.align {
                Way::Method(method) => *method,
                Way::Report(_) => AlignMethod::default(),
            },
            reuse: match &self.align {
                Way::Method(_) => None,
                Way::Report(path) => Some(path.clone()),
            },
            sort: self.sort,
            clahe: self.clahe,
            model: self.model,
            reference: match self.reference.0 {
                Some(frame) => Reference::Frame(frame),
                None => Reference::Auto,
            },
            match_exposure: !self.no_match_exposure,
            max_shift: self.max_shift / 100.0,
            max_scale: self.max_scale / 100.0,
            max_rotation: self.max_rotation,
        }
    }
}

/// A method of alignment, or the report of an earlier run.
#[derive(Debug, Clone)]
enum Way {
    Method(AlignMethod),
    Report(PathBuf),
}

fn way(text: &str) -> Result<Way, String> {
    if let Ok(method) = AlignMethod::from_str(text, false) {
        return Ok(Way::Method(method));
    }
    if text.to_lowercase().ends_with(".json") {
        return Ok(Way::Report(text.into()));
    }
    let methods: Vec<String> = AlignMethod::value_variants()
        .iter()
        .filter_map(|method| Some(method.to_possible_value()?.get_name().to_owned()))
        .collect();
    Err(format!(
        "expected {}, or a report whose name ends in .json",
        methods.join(", ")
    ))
}

/// How aligned frames become one picture.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fusion")]
pub struct FuseArgs {
    /// The way of fusing
    #[arg(long, value_enum, default_value_t)]
    method: Method,
    /// Levels of the pyramid, or auto to go down to about 16 pixels
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = levels)]
    levels: Auto<usize>,
    /// Cut the result to the area that every used frame covers [default]
    #[arg(long, overrides_with = "no_crop")]
    crop: bool,
    /// Keep the whole area of the reference frame
    #[arg(long, overrides_with = "crop")]
    no_crop: bool,
    /// Which of two depths wins where both are sharp, as where a hair crosses a
    /// background: the sharper one, the one nearer to the first frame (front),
    /// or the one nearer to the last (back)
    #[arg(long, value_enum, default_value_t)]
    prefer: Prefer,
    /// Hold the result within the range of values that the frames show nearby
    /// [default]
    #[arg(long, overrides_with = "no_clamp")]
    clamp: bool,
    /// Keep contrast that adds up beyond that range; glow beside bright edges
    /// may come with it
    #[arg(long, overrides_with = "clamp")]
    no_clamp: bool,
    /// How softly frames give way to each other, 0 to 100: less follows fine
    /// edges more closely, more is quieter
    #[arg(long, value_name = "0..100", default_value = "50", value_parser = amount())]
    smoothness: u8,
    /// How strong noise is taken to be, in percent of what is measured, 0 to
    /// 400: more averages more frames where detail is as faint as noise (hybrid
    /// and depth)
    #[arg(long, value_name = "0..400", default_value = "100",
          value_parser = RangedI64ValueParser::<u16>::new().range(0..=400))]
    noise_strength: u16,
    /// Take what moved between frames from the reference frame
    #[arg(long, overrides_with = "no_ghost_check")]
    ghost_check: bool,
    /// Fuse what moved as if it had not [default]
    #[arg(long, overrides_with = "ghost_check")]
    no_ghost_check: bool,
    /// Which end of the stack is focused nearest: the blur of near things is taken
    /// off what lies behind them, which takes a second look at all frames (hybrid)
    #[arg(long, value_enum, default_value_t, value_name = "NEAREST")]
    unveil: Unveil,
}

impl FuseArgs {
    /// The handlers' options.
    pub fn options(&self) -> FuseOptions {
        FuseOptions {
            method: self.method,
            levels: self.levels.0,
            crop: !self.no_crop,
            prefer: self.prefer,
            clamp: !self.no_clamp,
            smoothness: self.smoothness,
            noise_strength: self.noise_strength,
            ghost_check: self.ghost_check && !self.no_ghost_check,
            unveil: self.unveil,
        }
    }
}

/// What is done to the picture after fusing. Nothing unless asked for.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Finish")]
pub struct FinishArgs {
    /// Take out noise, 0 to 100: 50 removes about all that is noise
    #[arg(long, value_name = "0..100", default_value = "0", value_parser = amount())]
    denoise: u8,
    /// Raise the finest detail, 0 to 100
    #[arg(long, value_name = "0..100", default_value = "0", value_parser = amount())]
    sharpen: u8,
    /// Lift or lower the middle tones, -100 to 100; black and white stay
    #[arg(long, value_name = "-100..100", default_value = "0", allow_negative_numbers = true,
          value_parser = change())]
    brightness: i8,
    /// Steepen or flatten the middle tones, -100 to 100; black and white stay
    #[arg(long, value_name = "-100..100", default_value = "0", allow_negative_numbers = true,
          value_parser = change())]
    contrast: i8,
    /// Strengthen or weaken colour, -100 (grey) to 100 (twice as much)
    #[arg(long, value_name = "-100..100", default_value = "0", allow_negative_numbers = true,
          value_parser = change())]
    saturation: i8,
}

impl FinishArgs {
    /// The steps.
    pub fn options(self) -> Finish {
        Finish {
            denoise: self.denoise,
            sharpen: self.sharpen,
            brightness: self.brightness,
            contrast: self.contrast,
            saturation: self.saturation,
        }
    }
}

fn amount() -> RangedI64ValueParser<u8> {
    RangedI64ValueParser::new().range(0..=100)
}

fn change() -> RangedI64ValueParser<i8> {
    RangedI64ValueParser::new().range(-100..=100)
}

/// How pictures are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Bits per sample; a JPEG always has 8
    #[arg(long, value_name = "8|16", default_value = "16", value_parser = bits)]
    bits: u8,
    /// How a TIFF is compressed, always without loss
    #[arg(long, value_enum, default_value_t)]
    compression: Compression,
    /// Quality of a JPEG, 1 to 100
    #[arg(long, value_name = "1..100", default_value = "95",
          value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
}

impl OutputArgs {
    /// The handlers' options.
    pub fn options(&self, overwrite: Overwrite) -> OutputOptions {
        OutputOptions {
            bits: self.bits,
            compression: self.compression,
            quality: self.quality,
            overwrite: overwrite.overwrite,
        }
    }
}

/// Whether files that exist may be replaced.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct Overwrite {
    /// Replace files that exist [default: keep them and stop]
    #[arg(long)]
    pub overwrite: bool,
}

/// What may be used of the machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Resources")]
pub struct ResourceArgs {
    /// Where pixels are worked on: auto, cpu, or opencl:N with a number from
    /// `parfocal devices` (opencl alone is opencl:0)
    #[arg(long, value_name = "auto|cpu|opencl[:N]", default_value = "auto", value_parser = device)]
    device: Device,
    /// Worker threads [default: one per processor core]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    threads: Option<usize>,
    /// Memory that the job may use, such as 4G, 512M or plain bytes [default:
    /// most of what is free]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<u64>,
    /// The same of an OpenCL device's own memory, which others may need as well
    /// [default: all that it has]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    device_memory: Option<u64>,
    /// Threads that bring photographs to an OpenCL device in turn: with more than
    /// one, the next is uploaded while another is fused
    #[arg(long, value_name = "N", default_value_t = Lanes::USUAL,
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=Lanes::MOST as u64))]
    lanes: usize,
    /// Most pixels in one photograph, against broken and hostile files; 0 lifts
    /// the limit
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_pixels)]
    max_pixels: u64,
}

impl ResourceArgs {
    /// The handlers' options.
    pub fn options(&self) -> Resources {
        Resources {
            device: self.device,
            threads: self.threads,
            memory: self.memory,
            device_memory: self.device_memory,
            lanes: (self.lanes != Lanes::USUAL).then_some(self.lanes),
            limits: Limits {
                max_pixels: self.max_pixels,
            },
        }
    }
}

/// How much the user wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Also warnings, progress and the result.
    Normal,
    /// Also what is merely of interest.
    Verbose,
}

/// The options that say how much the user wants to be told.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Messages")]
pub struct VerbosityArgs {
    /// Print nothing but errors [default: also progress, warnings and the result]
    #[arg(long, conflicts_with = "verbose")]
    quiet: bool,
    /// Also print what is merely of interest, such as files passed over
    #[arg(long)]
    verbose: bool,
}

impl VerbosityArgs {
    /// The two as one.
    pub fn verbosity(self) -> Verbosity {
        match self {
            Self { quiet: true, .. } => Verbosity::Quiet,
            Self { verbose: true, .. } => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// A value, or `auto` for `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auto<T>(pub Option<T>);

impl<T: FromStr> FromStr for Auto<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self(None)),
            _ => match text.parse() {
                Ok(value) => Ok(Self(Some(value))),
                Err(_) => Err("expected a number from 0, or auto".into()),
            },
        }
    }
}

fn levels(text: &str) -> Result<Auto<usize>, String> {
    match text.parse() {
        Ok(Auto(None)) => Ok(Auto(None)),
        // More than 64 halvings are beyond any picture.
        Ok(Auto(Some(levels @ 1..=64))) => Ok(Auto(Some(levels))),
        _ => Err("expected a number from 1 to 64, or auto".into()),
    }
}

fn bits(text: &str) -> Result<u8, String> {
    match text {
        "8" => Ok(8),
        "16" => Ok(16),
        _ => Err("expected 8 or 16".into()),
    }
}

/// A device.
pub fn device(text: &str) -> Result<Device, String> {
    let number = match text {
        "auto" => return Ok(Device::Auto),
        "cpu" => return Ok(Device::Cpu),
        "opencl" => return Ok(Device::OpenCl(None)),
        _ => text.strip_prefix("opencl:").and_then(|n| n.parse().ok()),
    };
    number
        .map(|number| Device::OpenCl(Some(number)))
        .ok_or_else(|| "expected auto, cpu, opencl, or opencl:N with N from 0".into())
}

fn percent(text: &str) -> Result<f64, String> {
    within(text.strip_suffix('%').unwrap_or(text), 100.0)
}

fn degrees(text: &str) -> Result<f64, String> {
    within(text.strip_suffix('°').unwrap_or(text), 180.0)
}

/// A depth in pixels, or `auto`.
pub fn depth(text: &str) -> Result<Auto<f64>, String> {
    match text.parse() {
        Ok(Auto(None)) => Ok(Auto(None)),
        Ok(Auto(Some(depth))) if (0.0..=1e9).contains(&depth) => Ok(Auto(Some(depth))),
        _ => Err("expected a number of pixels from 0, or auto".into()),
    }
}

fn within(text: &str, most: f64) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=most).contains(&value) => Ok(value),
        _ => Err(format!("expected a number from 0 to {most}")),
    }
}

/// Bytes, from a number and perhaps a unit in powers of 1024: `B`, `K`, `M`,
/// `G` or `T`, also as `GB` or `GiB`, in either case.
fn memory(text: &str) -> Result<u64, String> {
    const ADVICE: &str = "expected a size such as 4G, 512M or a number of bytes";
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let exponent = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return Err(ADVICE.into()),
    };
    let number: f64 = number.trim_end().parse().map_err(|_| ADVICE)?;
    let bytes = number * 1024f64.powi(exponent);
    if (1.0..u64::MAX as f64).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err(ADVICE.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    struct Everything {
        #[command(flatten)]
        align: AlignArgs,
        #[command(flatten)]
        fuse: FuseArgs,
        #[command(flatten)]
        finish: FinishArgs,
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        overwrite: Overwrite,
        #[command(flatten)]
        resources: ResourceArgs,
        #[command(flatten)]
        verbosity: VerbosityArgs,
    }

    fn parse(args: &str) -> Result<Everything, clap::Error> {
        Everything::try_parse_from(std::iter::once("test").chain(args.split_whitespace()))
    }

    #[test]
    fn without_options_the_defaults_are_those_of_the_handlers() {
        let args = parse("").unwrap();
        assert_eq!(args.align.options(), AlignOptions::default());
        assert_eq!(args.fuse.options(), FuseOptions::default());
        assert_eq!(args.finish.options(), Finish::default());
        assert_eq!(
            args.output.options(args.overwrite),
            OutputOptions::default()
        );
        assert_eq!(args.resources.options(), Resources::default());
        assert_eq!(args.verbosity.verbosity(), Verbosity::Normal);
    }

    #[test]
    fn what_help_calls_the_default_is() {
        let command = Everything::command();
        let says_default = |arg: &&clap::Arg| {
            let help = arg.get_help().map(ToString::to_string);
            help.is_some_and(|help| help.ends_with("[default]"))
        };
        let flags: Vec<_> = command.get_arguments().filter(says_default).collect();
        assert!(!flags.is_empty());
        for flag in flags {
            let flag = format!("--{}", flag.get_long().unwrap());
            let (args, none) = (parse(&flag).unwrap(), parse("").unwrap());
            assert_eq!(args.align.options(), none.align.options(), "{flag}");
            assert_eq!(args.fuse.options(), none.fuse.options(), "{flag}");
        }
    }

    #[test]
    fn options_reach_the_handlers() {
        let args = parse(
            "--align ecc --sort focus --clahe --model affine --reference 3 --no-match-exposure --max-shift 12.5 \
             --max-scale 5% --max-rotation 90 --method average --levels 4 --no-crop --prefer front \
             --no-clamp --smoothness 20 --noise-strength 200 --no-ghost-check --denoise 40 --sharpen 100 --brightness -20 \
             --contrast 5 --saturation -100 --bits 8 \
             --compression lzw --quality 1 --overwrite --device opencl:2 --threads 3 --memory 4G --device-memory 512M --lanes 4 \
             --max-pixels 0 --verbose",
        )
        .unwrap();
        assert_eq!(
            args.align.options(),
            AlignOptions {
                method: AlignMethod::Ecc,
                reuse: None,
                sort: Sort::Focus,
                clahe: true,
                model: Model::Affine,
                reference: Reference::Frame(3),
                match_exposure: false,
                max_shift: 0.125,
                max_scale: 0.05,
                max_rotation: 90.0,
            }
        );
        assert_eq!(
            args.fuse.options(),
            FuseOptions {
                method: Method::Average,
                levels: Some(4),
                crop: false,
                prefer: Prefer::Front,
                clamp: false,
                smoothness: 20,
                noise_strength: 200,
                ghost_check: false,
                unveil: Unveil::Auto,
            }
        );
        assert_eq!(
            args.finish.options(),
            Finish {
                denoise: 40,
                sharpen: 100,
                brightness: -20,
                contrast: 5,
                saturation: -100,
            }
        );
        assert_eq!(
            args.output.options(args.overwrite),
            OutputOptions {
                bits: 8,
                compression: Compression::Lzw,
                quality: 1,
                overwrite: true
            }
        );
        assert_eq!(
            args.resources.options(),
            Resources {
                device: Device::OpenCl(Some(2)),
                threads: Some(3),
                memory: Some(4 << 30),
                device_memory: Some(512 << 20),
                lanes: Some(4),
                limits: Limits { max_pixels: 0 },
            }
        );
        assert_eq!(args.verbosity.verbosity(), Verbosity::Verbose);
    }

    #[test]
    fn an_alignment_is_a_method_or_a_report() {
        let options = |args| parse(args).unwrap().align.options();
        assert_eq!(options("--align sift").method, AlignMethod::Sift);
        let reused = options("--align out/report.json");
        assert_eq!(reused.reuse, Some("out/report.json".into()));
        assert_eq!(reused.method, AlignMethod::Auto);
    }

    #[test]
    fn of_two_opposite_flags_the_last_one_counts() {
        assert!(parse("--no-crop --crop").unwrap().fuse.options().crop);
        assert!(!parse("--crop --no-crop").unwrap().fuse.options().crop);
        let both = parse("--match-exposure --no-match-exposure").unwrap();
        assert!(!both.align.options().match_exposure);
        let both = parse("--no-ghost-check --ghost-check --clamp --no-clamp").unwrap();
        assert!(both.fuse.options().ghost_check && !both.fuse.options().clamp);
    }

    #[test]
    fn nonsense_is_refused() {
        for args in [
            "--align hope",
            "--model cube",
            "--reference -1",
            "--reference first",
            "--levels 0",
            "--levels 99",
            "--prefer middle",
            "--denoise 101",
            "--sharpen -1",
            "--brightness -101",
            "--saturation much",
            "--bits 12",
            "--quality 0",
            "--quality 101",
            "--compression zip",
            "--lanes 0",
            "--device gpu",
            "--device opencl:x",
            "--threads 0",
            "--memory much",
            "--memory 0",
            "--memory -3G",
            "--max-shift 101",
            "--max-shift NaN",
            "--max-scale -1",
            "--max-rotation 181",
            "--max-pixels -1",
            "--quiet --verbose",
        ] {
            assert!(parse(args).is_err(), "{args} was taken");
        }
    }

    #[test]
    fn sizes_of_memory_are_read() {
        assert_eq!(memory("12345"), Ok(12_345));
        assert_eq!(memory("512M"), Ok(512 << 20));
        assert_eq!(memory("1.5g"), Ok(3 << 29));
        assert_eq!(memory("2 GiB"), Ok(2 << 30));
        assert_eq!(memory("1tb"), Ok(1 << 40));
        assert!(memory("99999999T").is_err());
        assert!(memory("4GG").is_err());
    }

    #[test]
    fn devices_are_read() {
        assert_eq!(device("auto"), Ok(Device::Auto));
        assert_eq!(device("cpu"), Ok(Device::Cpu));
        assert_eq!(device("opencl"), Ok(Device::OpenCl(None)));
        assert_eq!(device("opencl:7"), Ok(Device::OpenCl(Some(7))));
    }
}
