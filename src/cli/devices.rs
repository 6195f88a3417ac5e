//! `parfocal devices`: what pixels can be worked on.

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::{print, text};
use crate::Result;
use crate::core::device::{OpenClDevice, automatic, opencl_devices};

/// Prints the table of devices.
pub fn run() -> Result<()> {
    print(&table(&opencl_devices()))
}

fn table(devices: &[OpenClDevice]) -> String {
    let chosen = automatic(devices).map(|device| device.index);
    let mark = |yes: bool| (if yes { "chosen by auto" } else { "" }).to_owned();
    let mut rows = vec![
        ["DEVICE", "NAME", "VENDOR", "MEMORY"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut processor = processor().to_vec();
    processor.push(mark(chosen.is_none()));
    rows.push(processor);
    for device in devices {
        rows.push(vec![
            format!("opencl:{}", device.index),
            format!("{} ({})", device.name, device.platform),
            device.vendor.clone(),
            text::bytes(device.memory),
            mark(chosen == Some(device.index)),
        ]);
    }
    text::table(&rows)
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
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
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

    #[test]
    fn without_opencl_there_is_the_processor() {
        let table = table(&[]);
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
        let device = OpenClDevice {
            index: 0,
            name: "Fast".into(),
            vendor: "Maker".into(),
            platform: "Driver".into(),
            version: "OpenCL 3.0".into(),
            driver: "1.2".into(),
            is_gpu: true,
            memory: 8 << 30,
            compute_units: 40,
        };
        let table = table(&[device]);
        let lines: Vec<_> = table.lines().collect();
        assert!(!lines[1].contains("chosen"));
        for part in ["opencl:0", "Fast", "Maker", "8.00 GiB", "chosen by auto"] {
            assert!(lines[2].contains(part), "{}", lines[2]);
        }
    }
}
