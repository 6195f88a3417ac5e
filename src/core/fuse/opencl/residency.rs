//! Between the upload of a photograph and the download of the picture nothing
//! leaves the device, and nothing is done by anything but the kernels.

use std::fs;

use clap::ValueEnum;

use super::session::{Copies, copies};
use super::{Orders, Pixels, Sent, Task, work};
use crate::core::{ALWAYS, Transform};
use crate::core::device::{OpenClDevice, opencl_devices};
use crate::core::fuse::bench::texture;
use crate::core::fuse::{Fused, Method, Options};
use crate::core::warp::{Area, Exposure};
use crate::photo::{Decoded, Photo, Samples};

const AREA: Area = Area {
    x: 0,
    y: 0,
    width: 96,
    height: 64,
};
/// What belongs to no frame: the weights of the warp.
const TABLES: usize = 1;

/// Fuses photographs on this thread, as the device's thread does; gives what
/// was copied meanwhile.
fn fuse(device: &OpenClDevice, method: Method, photos: &[Photo]) -> (Copies, Fused) {
    let sent = |(index, photo): (u16, &Photo)| Sent {
        index,
        pixels: Pixels::Decoded(Decoded::Photo(photo.clone())),
        // A hole shows where no frame is whole.
        pose: Transform::similarity(1.0, 0.01, [0.0, 0.0], [0.3, 1.5]),
        exposure: Exposure::default(),
    };
    let (messages, orders) = Orders::to_fuse((0..).zip(photos).map(sent));
    let before = copies();
    let fused = work(
        Task::Look(Options::from(method), None),
        AREA,
        device,
        messages,
        &orders,
    );
    let after = copies();
    let copied = Copies {
        uploads: after.uploads - before.uploads,
        downloads: after.downloads - before.downloads,
        downloaded: after.downloaded - before.downloaded,
    };
    (copied, fused.unwrap().unwrap()(ALWAYS).unwrap())
}

#[test]
fn a_frame_is_uploaded_once_and_only_results_come_back() {
    let eight = texture(AREA, Samples::Eight);
    let sixteen = texture(AREA, Samples::Sixteen);
    let clear = Photo {
        alpha: Some(vec![255; AREA.width * AREA.height]),
        ..eight.clone()
    };
    for device in opencl_devices() {
        for &method in Method::value_variants() {
            let of = |photos: &[Photo]| fuse(&device, method, photos);
            let (two, fused) = of(&[eight.clone(), eight.clone()]);
            assert_eq!(two.uploads, TABLES + 2, "{method:?}");
            let pixels = fused.index.len() as u64;
            assert!(fused.alpha.is_some(), "{method:?}");
            // Three channels of 16 bits, but where a second look makes the picture;
            // the index, how sure it is, and where there is anything; for depth
            // four floats and a number at half the size.
            let channels = if method.looks() > 1 { 0 } else { 6 };
            let depth = if method == Method::Pyramid { 0 } else { 18 };
            let bytes = pixels * (channels + 2 + 1 + 1) + pixels / 4 * depth;
            assert_eq!(two.downloaded, bytes, "{method:?}");
            // More frames bring their uploads and nothing else.
            let (more, _) = of(&[
                eight.clone(),
                eight.clone(),
                sixteen.clone(),
                eight.clone(),
                clear.clone(),
            ]);
            assert_eq!(more.uploads, two.uploads + 3 + 1, "{method:?}");
            assert_eq!(more.downloads, two.downloads, "{method:?}");
            assert_eq!(more.downloaded, two.downloaded, "{method:?}");
        }
    }
}

/// What of a source speaks to OpenCV other than by way of the session.
fn trespasses(source: &str) -> Vec<&str> {
    const ALLOWED: [&str; 3] = [
        "opencv::Result",
        "opencv::Error",
        "opencv::opencv_has_inherent_feature_opencl!",
    ];
    let mut found = Vec::new();
    for line in source.lines().map(str::trim) {
        let mut rest = line.to_owned();
        ALLOWED
            .iter()
            .for_each(|allowed| rest = rest.replace(allowed, ""));
        let words: Vec<_> = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let speaks = ["opencv", "Mat", "UMat", "imgproc"];
        if !line.starts_with("//") && speaks.iter().any(|word| words.contains(word)) {
            found.push(line);
        }
    }
    found
}

#[test]
fn only_the_session_speaks_to_opencv() {
    let bad =
        "use opencv::imgproc::pyr_down;\nlet a = UMat::new_def();\n// UMat\nuse opencv::Result;";
    assert_eq!(trespasses(bad).len(), 2);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/core/fuse/opencl");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).unwrap();
        let found = trespasses(&source);
        match name.as_str() {
            "residency.rs" => (),
            "session.rs" => {
                assert!(found.len() > 5, "{found:?}");
                // One way there, one way back, both counted, and no kernel of OpenCV's
                // own.
                let times = |call: &str| source.matches(call).count();
                assert_eq!(times(".copy_to("), 2);
                assert_eq!(times(".set_to"), 0);
                assert_eq!(times("count(|copies|"), 2);
                assert_eq!(times("imgproc") + times("get_mat") + times("get_umat"), 0);
            }
            _ => assert_eq!(found, [""; 0], "{name}"),
        }
        seen += 1;
    }
    assert!(seen >= 7);
}
