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
