//! The devices that pixels can be worked on.

/// An OpenCL device, as the system describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenClDevice {
    /// Its number for `--device opencl:N`.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// The platform (driver) it belongs to.
    pub platform: String,
    /// What it understands, such as `OpenCL 3.0`.
    pub version: String,
    /// True for a graphics processor, false for a processor that only plays one.
    pub is_gpu: bool,
    /// Global memory in bytes.
    pub memory: u64,
    /// Compute units.
    pub compute_units: usize,
}

/// The OpenCL devices of this machine, numbered in the order in which the
/// drivers name them; none where OpenCL is missing or fails.
pub fn opencl_devices() -> Vec<OpenClDevice> {
    opencv::opencv_has_inherent_feature_opencl! {
        { opencl::devices().unwrap_or_default() } else { Vec::new() }
    }
}

/// The device that `--device auto` tries first: the graphics processor with
/// the most compute units, the first of equals. A processor that only plays an
/// OpenCL device is never chosen: the plain way is faster on it.
pub fn automatic(devices: &[OpenClDevice]) -> Option<&OpenClDevice> {
    devices
        .iter()
        .filter(|device| device.is_gpu)
        .max_by_key(|device| (device.compute_units, std::cmp::Reverse(device.index)))
}

opencv::opencv_has_inherent_feature_opencl! {
mod opencl {
    use super::OpenClDevice;
    use opencv::core::{self, Vector};
    use opencv::prelude::*;

    pub fn devices() -> opencv::Result<Vec<OpenClDevice>> {
        let mut found = Vec::new();
        if !core::have_opencl()? {
            return Ok(found);
        }
        let mut platforms = Vector::new();
        core::get_platfoms_info(&mut platforms)?;
        for platform in &platforms {
            for number in 0..platform.device_number()? {
                // A device that its driver cannot describe costs that device,
                // not the list.
                if let Ok(device) = describe(&platform, number, found.len()) {
                    found.push(device);
                }
            }
        }
        Ok(found)
    }

    fn describe(
        platform: &core::PlatformInfo,
        number: i32,
        index: usize,
    ) -> opencv::Result<OpenClDevice> {
        let mut device = core::Device::default();
        platform.get_device(&mut device, number)?;
        Ok(OpenClDevice {
            index,
            name: device.name()?.trim().to_owned(),
            vendor: device.vendor_name()?.trim().to_owned(),
            platform: platform.name()?.trim().to_owned(),
            version: device.version()?.trim().to_owned(),
            is_gpu: device.typ()? & core::Device_TYPE_GPU != 0,
            memory: device.global_mem_size()? as u64,
            compute_units: device.max_compute_units()?.max(0) as usize,
        })
    }
}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: usize, is_gpu: bool, compute_units: usize) -> OpenClDevice {
        OpenClDevice {
            index,
            name: format!("device {index}"),
            vendor: "maker".into(),
            platform: "driver".into(),
            version: "OpenCL 3.0".into(),
            is_gpu,
            memory: 1 << 30,
            compute_units,
        }
    }

    #[test]
    fn automatic_takes_the_largest_gpu_and_never_a_processor() {
        let devices = [
            device(0, false, 256),
            device(1, true, 20),
            device(2, true, 80),
            device(3, true, 80),
        ];
        assert_eq!(automatic(&devices).unwrap().index, 2);
        assert_eq!(automatic(&devices[..1]), None);
        assert_eq!(automatic(&[]), None);
    }

    #[test]
    fn devices_are_numbered_from_zero() {
        for (number, device) in opencl_devices().iter().enumerate() {
            assert_eq!(device.index, number);
            assert!(!device.name.is_empty());
        }
    }
}
