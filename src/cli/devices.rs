//! `parfocal devices`: what pixels can be worked on.

use clap::Args;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::args::{self, Verbosity};
use super::{print, session, text};
use crate::Result;
use crate::core::device::{OpenClDevice, candidates, opencl_devices};
use crate::core::fuse::Method;
use crate::handlers::bench::{self, Bench};
use crate::handlers::choice::{Verdict, Verdicts};
use crate::handlers::{Device, Resources};

/// The arguments of `parfocal devices`.
#[derive(Debug, Args)]
pub struct Devices {
    /// Measure every step of fusing on each device, for a frame of 24
    /// megapixels; takes minutes on a slow one
    #[arg(long)]
    bench: bool,
    /// What is measured beside the processor: all devices (auto), none (cpu),
    /// or opencl:N
    #[arg(long, value_name = "auto|cpu|opencl[:N]", default_value = "auto",
          value_parser = args::device, requires = "bench")]
    device: Device,
}

impl Devices {
    /// Prints the table of devices, or what they do.
    pub fn run(self) -> Result<()> {
        if self.bench {
            let bench = session::run(Verbosity::Normal, &Resources::default(), |job| {
                bench::measure(self.device, job)
            })?;
            return print(&measured(&bench));
        }
        let verdicts = Verdicts::of_platform();
        let threads = threads();
        print(&table(&opencl_devices(), |device| {
            verdicts.recall(device, threads)
        }))
    }
}

/// Which device automatic takes, as far as `verdict` knows.
fn table(devices: &[OpenClDevice], verdict: impl Fn(&OpenClDevice) -> Option<Verdict>) -> String {
    let chosen = candidates(devices)
        .into_iter()
        .find(|device| verdict(device).is_none_or(Verdict::is_good));
    let mark = |device: Option<&OpenClDevice>| {
        match (device, device.and_then(&verdict)) {
            _ if device != chosen => match device.and_then(&verdict) {
                Some(Verdict::Wrong) => "gives wrong pictures",
                Some(verdict) if !verdict.is_good() => "slower than the processor",
                _ => "",
            },
            (Some(_), None) => "chosen by auto if it is faster",
            _ => "chosen by auto",
        }
        .to_owned()
    };
    let mut rows = vec![
        ["DEVICE", "NAME", "VENDOR", "MEMORY"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut processor = processor().to_vec();
    processor.push(mark(None));
    rows.push(processor);
    for device in devices {
        rows.push(vec![
            format!("opencl:{}", device.index),
            format!("{} ({})", device.name, device.platform),
            device.vendor.clone(),
            text::bytes(device.memory),
            mark(Some(device)),
        ]);
    }
    text::table(&rows)
}

/// What was measured: for each device its steps, then the speeds of all.
fn measured(bench: &Bench) -> String {
    let [width, height] = bench.size;
    let mut told = format!("One frame of {width}×{height} pixels; medians of several runs.\n");
    let milliseconds = |seconds: f64| text::figures(1e3 * seconds);
    let on_processor = |name: &str| {
        let step = bench.processor.iter().find(|(step, _)| *step == name);
        step.map_or_else(String::new, |&(_, seconds)| milliseconds(seconds))
    };
    if bench.devices.is_empty() {
        let mut rows = vec![row(["STEP", "MS"])];
        let steps = bench.processor.iter();
        rows.extend(steps.map(|&(name, seconds)| row([name, &milliseconds(seconds)])));
        told += &format!("\n{}", text::table(&rows));
    }
    for (device, measured) in &bench.devices {
        told += &format!("\nopencl:{} {}\n", device.index, device.name);
        let measured = match measured {
            Ok(measured) => measured,
            Err(fault) => {
                told += &format!("{fault}\n");
                continue;
            }
        };
        let mut rows = vec![row(["STEP", "MS", "GB/S", "PROCESSOR MS"])];
        for step in &measured.steps {
            rows.push(row([
                step.name,
                &milliseconds(step.seconds),
                &text::figures(step.bytes as f64 / step.seconds / 1e9),
                &on_processor(step.name),
            ]));
        }
        told += &text::table(&rows);
        let mut rows = vec![row(["LANES", "MEGAPIXELS/S"])];
        for (count, speed) in &measured.lanes {
            rows.push(row([&count.to_string(), &text::figures(speed / 1e6)]));
        }
        told += &format!("\n{}", text::table(&rows));
    }
    told + "\n" + &speeds(bench)
}

/// Whole fusions, in megapixels of frames per second.
fn speeds(bench: &Bench) -> String {
    let mut head = row(["MEGAPIXELS/S", "cpu"]);
    let indices = bench.devices.iter().map(|(device, _)| device.index);
    head.extend(indices.map(|index| format!("opencl:{index}")));
    let mut rows = vec![head];
    for (method, speed) in &bench.speeds {
        let of = |speeds: &[(Method, f64)]| {
            let found = speeds.iter().find(|(known, _)| known == method);
            found.map_or_else(String::new, |(_, speed)| text::figures(speed / 1e6))
        };
        let mut line = row([
            &format!("{method:?}").to_lowercase(),
            &text::figures(speed / 1e6),
        ]);
        let devices = bench.devices.iter();
        line.extend(devices.map(|(_, measured)| match measured {
            Ok(measured) => of(&measured.speeds),
            Err(_) => String::new(),
        }));
        rows.push(line);
    }
    text::table(&rows)
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Threads of the processor.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// The processor's row up to its memory.
fn processor() -> [String; 4] {
    let system = System::new_with_specifics(
        RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram()),
    )
    .ok();
    let system = system.as_ref();
    let cpu = system.and_then(|system| system.cpus().first());
    let trimmed = |text: Option<&str>| text.unwrap_or_default().trim().to_owned();
    let threads = threads();
    [
        "cpu".into(),
        format!(
            "{} ({threads} threads)",
            trimmed(cpu.map(|cpu| cpu.brand()))
        ),
        trimmed(cpu.map(|cpu| cpu.vendor_id())),
        system.map_or_else(String::new, |system| text::bytes(system.total_memory())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fuse::bench::Step;
    use crate::handlers::bench::OnDevice;

    fn gpu() -> OpenClDevice {
        OpenClDevice {
            index: 0,
            name: "Fast".into(),
            vendor: "Maker".into(),
            platform: "Driver".into(),
            version: "OpenCL 3.0".into(),
            driver: "1.2".into(),
            is_gpu: true,
            memory: 8 << 30,
            compute_units: 40,
            shares_memory: false,
        }
    }

    #[test]
    fn without_opencl_there_is_the_processor() {
        let table = table(&[], |_| None);
        assert_eq!(table.lines().count(), 2);
        assert!(
            table
                .lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("cpu") && line.ends_with("chosen by auto"))
        );
    }

    #[test]
    fn a_graphics_processor_is_chosen_before_the_processor() {
        let table = table(&[gpu()], |_| None);
        let lines: Vec<_> = table.lines().collect();
        assert!(!lines[1].contains("chosen"));
        for part in ["opencl:0", "Fast", "Maker", "8.00 GiB", "chosen by auto"] {
            assert!(lines[2].contains(part), "{}", lines[2]);
        }
    }

    #[test]
    fn what_was_found_out_of_a_device_is_told() {
        let right = |speed| Verdict::Right {
            speed,
            processor: 1e7,
        };
        for (verdict, own, cpu) in [
            (right(5e7), "chosen by auto", ""),
            (right(5e6), "slower than the processor", "chosen by auto"),
            (Verdict::Wrong, "gives wrong pictures", "chosen by auto"),
        ] {
            let table = table(&[gpu()], |_| Some(verdict));
            let lines: Vec<_> = table.lines().collect();
            assert!(
                lines[1].ends_with(cpu) && lines[2].ends_with(own),
                "{table}"
            );
            assert_eq!(table.matches("chosen").count(), 1, "{table}");
        }
    }

    #[test]
    fn measures_are_a_table_for_each_device() {
        let step = |name, seconds| Step {
            name,
            bytes: 3_000_000,
            seconds,
        };
        let on_device = OnDevice {
            steps: vec![step("window", 0.001), step("take", 0.002)],
            speeds: vec![(Method::Pyramid, 5e8)],
            lanes: vec![(1, 1e8), (2, 2e8)],
        };
        let broken = crate::Error::job("it is cracked", "mend it");
        let bench = Bench {
            size: [6000, 4000],
            processor: vec![("window", 0.01)],
            speeds: vec![(Method::Pyramid, 2e7), (Method::Depth, 1e7)],
            devices: vec![
                (gpu(), Ok(on_device)),
                (OpenClDevice { index: 1, ..gpu() }, Err(broken)),
            ],
        };
        let told = measured(&bench);
        let words = |start: &str| -> Vec<&str> {
            let line = told.lines().find(|line| line.starts_with(start));
            line.unwrap_or_default().split_whitespace().collect()
        };
        assert!(told.contains("6000×4000"));
        assert_eq!(words("window"), ["window", "1.000", "3.000", "10.00"]);
        assert_eq!(words("take"), ["take", "2.000", "1.500"]);
        assert_eq!(words("it is"), ["it", "is", "cracked;", "mend", "it"]);
        assert_eq!(words("2"), ["2", "200.0"]);
        assert_eq!(words("MEGA")[1..], ["cpu", "opencl:0", "opencl:1"]);
        assert_eq!(words("pyramid"), ["pyramid", "20.00", "500.0"]);
        assert_eq!(words("depth"), ["depth", "10.00"]);
        let alone = measured(&Bench {
            devices: Vec::new(),
            ..bench
        });
        assert!(alone.contains("window") && !alone.contains("opencl"));
    }
}
