//! Tries a device before it is trusted with a stack.

use super::choice::{Verdict, Verdicts, named};
use super::machine::on_threads;
use super::{Device, Resources};
use crate::Result;
use crate::core::device::{OpenClDevice, automatic, opencl_devices, self_check};
use crate::core::trial::speed;

/// What a trial tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The name of the device that does the work; `None` is the processor.
    pub device: Option<String>,
    /// Pixels of frames per second that it fuses.
    pub speed: f64,
    /// The same of the processor, where that is another one.
    pub processor: Option<f64>,
}

/// Fuses test pictures on the device that `resources` name, checks them
/// against the processor's, and measures its speed.
///
/// # Errors
///
/// If there is no such device, if it fails, and if its pictures are wrong.
pub fn try_out(resources: &Resources) -> Result<Trial> {
    let device = find(resources.device)?;
    on_threads(resources, || {
        let Some(device) = device else {
            return Ok(Trial {
                device: None,
                speed: speed(None)?,
                processor: None,
            });
        };
        self_check(&device)?;
        let (speed, processor) = (speed(Some(&device))?, speed(None)?);
        if device.is_gpu {
            // Automatic goes by what is known last.
            let verdict = Verdict::Right { speed, processor };
            Verdicts::of_platform().keep(&device, rayon::current_num_threads(), verdict);
        }
        Ok(Trial {
            speed,
            processor: Some(processor),
            device: Some(device.name),
        })
    })
}

/// The OpenCL device that is meant; `None` is the processor.
fn find(device: Device) -> Result<Option<OpenClDevice>> {
    let devices = opencl_devices();
    match device {
        Device::Cpu => Ok(None),
        Device::Auto => Ok(automatic(&devices).cloned()),
        Device::OpenCl(number) => Ok(Some(named(number, &devices)?.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(device: Device) -> Result<Trial> {
        try_out(&Resources {
            device,
            ..Resources::default()
        })
    }

    #[test]
    fn the_processor_always_works() {
        let trial = of(Device::Cpu).unwrap();
        assert_eq!((trial.device, trial.processor), (None, None));
        assert!(trial.speed > 0.0);
    }

    #[test]
    fn an_opencl_device_is_measured_against_the_processor() {
        for device in opencl_devices() {
            let trial = of(Device::OpenCl(Some(device.index))).unwrap();
            assert_eq!(trial.device, Some(device.name));
            assert!(trial.processor.is_some_and(|speed| speed > 0.0));
        }
        let fault = of(Device::OpenCl(Some(99))).unwrap_err();
        assert!(fault.to_string().contains("no device opencl:99"), "{fault}");
    }
}
