//! The program as a shell or a script sees it.

mod common;

use common::{StackFolder, json, names, parfocal, run, small, stack_folder, stack_unaligned};
use parfocal::photo::{self, Limits};
use std::fs;

fn help(command: &str) -> String {
    run(parfocal().args([command, "--help"])).done().stdout
}

#[test]
fn help_names_every_option() {
    let align = "--align --model --reference --match-exposure --no-match-exposure --max-shift \
                 --max-scale --max-rotation";
    let resources = "--device --threads --memory --device-memory --lanes --max-pixels --overwrite --quiet --verbose";
    let fuse = "--method --levels --crop --no-crop --prefer --clamp --no-clamp --ghost-check \
                --no-ghost-check --unveil";
    for (command, options) in [
        (
            "stack",
            [
                align,
                resources,
                fuse,
                "--out --bits --compression --quality --depth-map --confidence --surface \
                 --surface-depth --report",
                "--denoise --sharpen --brightness --contrast --saturation",
            ]
            .as_slice(),
        ),
        ("align", &[align, resources, "--out"]),
        ("sharpness", &[resources, "--grid --json"]),
        (
            "demo",
            &[
                align,
                fuse,
                resources,
                "--out --scene --size --frames --seed",
            ],
        ),
        ("devices", &["--help --bench --device"]),
    ] {
        let help = help(command);
        for option in options.iter().flat_map(|list| list.split_whitespace()) {
            let found = help
                .split(|c: char| c.is_whitespace() || c == ',')
                .any(|word| word == option);
            assert!(found, "{command} --help has no {option}:\n{help}");
        }
    }
}

#[test]
fn help_gives_values_and_defaults() {
    let help = help("stack");
    for text in [
        "pyramid",
        "average",
        "homography",
        "deflate",
        "lzw",
        "<8|16>",
        "[default: 95]",
        "[default: 500000000]",
        "[default: 25]",
        "[default: 50]",
        "[default: 20]",
        "counted from 0",
        "<folder>-stacked.tif",
    ] {
        assert!(help.contains(text), "no {text:?} in:\n{help}");
    }
}

#[test]
fn the_version_is_the_crates() {
    let version = run(parfocal().arg("--version")).done().stdout;
    assert_eq!(
        version,
        concat!("parfocal ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn without_a_display_there_is_no_window() {
    let windowless = || {
        let mut command = parfocal();
        for variable in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(variable);
        }
        command
    };
    if cfg!(target_os = "linux") {
        run(&mut windowless()).ended(1).says(&["display", "--help"]);
    }
    run(windowless().arg("stak")).ended(2).says(&["stak"]);
}

#[test]
fn wrong_use_ends_with_2() {
    for args in [
        &["stack"] as &[&str],
        &["stack", "src", "--bits", "12"],
        &["stack", "src", "--method", "magic"],
        &["stack", "src", "--frobnicate"],
        &["stack", "src", "-o", "out.gif"],
        &["stack", "src", "-o", "out.tif", "--depth-map", "out.tif"],
        &["stack", "src", "--quiet", "--verbose"],
        &["align", "src"],
        &["sharpness", "src", "--grid", "0"],
        &["demo", "--size", "big"],
        &["demo", "--scene", "nowhere"],
        &["devices", "more"],
        &["devices", "--device", "cpu"],
    ] {
        let outcome = run(parfocal().args(args)).ended(2);
        assert!(!outcome.stderr.is_empty() && outcome.stdout.is_empty());
    }
}

#[test]
fn a_job_that_fails_ends_with_1() {
    let outcome = run(parfocal().args(["stack", "no-such-folder"])).ended(1);
    assert!(outcome.stderr.starts_with("parfocal: no-such-folder: "));
    assert!(outcome.stdout.is_empty());
}

#[test]
fn the_processor_is_always_a_device() {
    // With whatever OpenCL there is, with none, and with OpenCV's turned off.
    run(parfocal().arg("devices")).done();
    for (name, value) in [
        ("OCL_ICD_VENDORS", "/nowhere"),
        ("OPENCV_OPENCL_RUNTIME", "disabled"),
    ] {
        let outcome = run(parfocal().arg("devices").env(name, value)).done();
        let line = outcome.stdout.lines().nth(1).unwrap();
        assert!(line.starts_with("cpu ") && line.ends_with("chosen by auto"));
        assert!(!outcome.stdout.contains("opencl:0"));
    }
}

#[test]
fn a_folder_is_stacked_beside_itself() {
    let folder = stack_folder(&small(3));
    let outcome = run(&mut stack_unaligned(&folder)).done();
    let out = folder.beside("stack-stacked.tif");
    let line = format!("wrote {} (", out.display());
    assert!(outcome.stdout.starts_with(&line), "{outcome:?}");
    assert!(outcome.stdout.contains("300×200, 3 of 3 frames, "));
    assert_eq!(outcome.stdout.lines().count(), 1);
    assert_eq!(photo::probe(&out, &Limits::default()).unwrap().bits, 16);
    assert_eq!(folder.frames().len(), 3);

    run(&mut stack_unaligned(&folder)).done();
    let files = ["frame_00.tif", "frame_02.tif"].map(|name| folder.frame(name));
    run(parfocal().arg("stack").args(files)).done();
    assert_eq!(
        folder.results(),
        [
            "stack-stacked-2.tif",
            "stack-stacked-3.tif",
            "stack-stacked.tif"
        ]
    );
}

#[test]
fn the_extension_decides_the_format() {
    let folder = stack_folder(&small(2));
    for (name, bits, expected_bits, start) in [
        ("out.tiff", "8", 8, b"II*\0".as_slice()),
        ("out.png", "16", 16, b"\x89PNG"),
        ("out-8.png", "8", 8, b"\x89PNG"),
        ("out.JPG", "16", 8, b"\xff\xd8"),
    ] {
        let out = folder.beside(name);
        run(stack_unaligned(&folder)
            .arg("-o")
            .arg(&out)
            .args(["--bits", bits]))
        .done();
        assert!(fs::read(&out).unwrap().starts_with(start), "{name}");
        let probe = photo::probe(&out, &Limits::default()).unwrap();
        assert_eq!((probe.width, probe.height), (300, 200));
        assert_eq!(probe.bits, expected_bits, "{name}");
    }
}

#[test]
fn quiet_is_silent_and_verbose_tells_more() {
    let folder = stack_folder(&small(2));
    fs::write(folder.frame("notes.txt"), "taken on Sunday").unwrap();
    let quiet = run(stack_unaligned(&folder).arg("--quiet")).done();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));

    let normal = run(&mut stack_unaligned(&folder)).done();
    assert!(!normal.stderr.contains("notes.txt"), "{normal:?}");
    for line in ["Listing: 0 of 2", "Fusing: 0 of 2", "Fusing: done in "] {
        assert!(normal.stderr.contains(line), "{normal:?}");
    }

    let verbose = run(stack_unaligned(&folder).arg("--verbose")).done();
    for part in ["notes.txt", "Read frames: ", "Fuse frames: "] {
        assert!(verbose.stderr.contains(part), "{verbose:?}");
    }
}

#[test]
fn the_log_is_there_for_those_who_ask() {
    let folder = stack_folder(&small(1));
    let mut command = stack_unaligned(&folder);
    let outcome = run(command.arg("--quiet").env("PARFOCAL_LOG", "warn")).done();
    assert!(outcome.stderr.contains("WARN"), "{outcome:?}");

    let mut command = stack_unaligned(&folder);
    run(command.env("PARFOCAL_LOG", "loud"))
        .done()
        .says(&["PARFOCAL_LOG is loud"]);
}

#[test]
fn the_report_tells_everything() {
    let folder = stack_folder(&small(4));
    let (out, path) = (folder.beside("out.tif"), folder.beside("report.json"));
    run(parfocal()
        .args([
            "stack",
            "--levels",
            "4",
            "--threads",
            "2",
            "--device",
            "cpu",
        ])
        .arg(&folder.path)
        .arg("-o")
        .arg(&out)
        .arg("--report")
        .arg(&path))
    .done();
    let report = json(&path);

    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["options"]["fuse"]["levels"], 4);
    assert_eq!(report["options"]["fuse"]["method"], "hybrid");
    assert_eq!(report["options"]["align"]["method"], "auto");
    assert_eq!(report["options"]["resources"]["threads"], 2);
    assert!(
        report["device"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
    );
    assert_eq!(report["reference"], 2);
    assert_eq!(report["output"], out.to_str().unwrap());
    assert!(
        report["peak_memory"]
            .as_u64()
            .is_none_or(|bytes| bytes > 1 << 20)
    );
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(0));

    let probe = photo::probe(&out, &Limits::default()).unwrap();
    assert_eq!(report["size"][0], probe.width);
    assert_eq!(report["size"][1], probe.height);
    let crop = |name: &str| report["crop"][name].as_u64().unwrap() as usize;
    assert_eq!((crop("width"), crop("height")), (probe.width, probe.height));
    assert!(crop("x") + crop("width") <= 300 && crop("y") + crop("height") <= 200);

    let timings = report["timings"].as_array().unwrap();
    for phase in ["listing", "aligning", "fusing", "writing"] {
        let timing = timings.iter().find(|timing| timing["phase"] == phase);
        let seconds = timing.and_then(|timing| timing["seconds"].as_f64());
        assert!(seconds.is_some_and(|s| s >= 0.0), "{phase}: {timings:?}");
    }

    let frames = report["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 4);
    for (index, frame) in frames.iter().enumerate() {
        let path = folder.frame(&format!("frame_{index:02}.tif"));
        assert_eq!(frame["path"], path.to_str().unwrap());
        assert_eq!(frame["status"], "used", "{frame}");
        assert!(frame.get("reason").is_some());
        assert!(frame["sharpness"].as_f64().is_some_and(|s| s > 0.0));
        assert!(frame["alignment_score"].as_f64().is_none_or(|s| s <= 1.0));
        assert_eq!(frame["transform"].as_array().map(Vec::len), Some(3));
        assert_eq!(frame["gain"].as_array().map(Vec::len), Some(3));
        assert_eq!(frame["offset"].as_array().map(Vec::len), Some(3));
    }
    let identity = serde_json::json!([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(frames[2]["transform"], identity);
    assert_eq!(frames[2]["gain"], serde_json::json!([1.0, 1.0, 1.0]));
}

#[test]
fn the_reference_is_counted_from_0() {
    let folder = stack_folder(&small(3));
    let path = folder.beside("report.json");
    run(stack_unaligned(&folder)
        .args(["--reference", "0", "--report"])
        .arg(&path))
    .done();
    assert_eq!(json(&path)["reference"], 0);
    let outcome = run(stack_unaligned(&folder).args(["--reference", "3"]));
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
    assert!(outcome.stderr.contains('3'), "{outcome:?}");
}

#[test]
fn any_number_of_threads_gives_one_result() {
    let folder = stack_folder(&small(4));
    let pictures = ["1", "3"].map(|threads| {
        let out = folder.beside(&format!("{threads}.tif"));
        run(parfocal()
            .arg("stack")
            .arg(&folder.path)
            .args(["--quiet", "--threads", threads, "-o"])
            .arg(&out))
        .done();
        fs::read(out).unwrap()
    });
    assert!(pictures[0] == pictures[1]);
}

#[test]
fn aligned_frames_are_written_with_a_report() {
    let folder = stack_folder(&small(3));
    let out = folder.beside("aligned");
    let outcome = run(parfocal()
        .arg("align")
        .arg(&folder.path)
        .arg("-o")
        .arg(&out))
    .done();
    assert!(
        outcome
            .stdout
            .starts_with(&format!("wrote {}", out.display()))
    );

    let (reports, frames): (Vec<_>, Vec<_>) = names(&out)
        .into_iter()
        .partition(|name| name.ends_with(".json"));
    assert_eq!(
        (reports.len(), frames.len()),
        (1, 3),
        "{reports:?} {frames:?}"
    );
    let sizes: Vec<_> = frames
        .iter()
        .map(|name| {
            let probe = photo::probe(&out.join(name), &Limits::default()).unwrap();
            assert_eq!(probe.bits, 16);
            (probe.width, probe.height)
        })
        .collect();
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    let report = json(&out.join(&reports[0]));
    assert_eq!(report["frames"].as_array().map(Vec::len), Some(3));

    // A second run keeps what is there, unless it is told otherwise.
    let mut again = parfocal();
    again.arg("align").arg(&folder.path).arg("-o").arg(&out);
    run(&mut again).ended(1).says(&["--overwrite"]);
    run(again.arg("--overwrite")).done();
}

#[test]
fn sharpness_is_a_table_and_json() {
    let folder = stack_folder(&small(3));
    let path = folder.beside("scores.json");
    let outcome = run(parfocal()
        .arg("sharpness")
        .arg(&folder.path)
        .args(["--grid", "5", "--json"])
        .arg(&path))
    .done();
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{outcome:?}");
    let marked = lines.iter().filter(|line| line.ends_with("sharpest"));
    assert_eq!(marked.count(), 1, "{outcome:?}");

    let scores = json(&path);
    assert_eq!(scores["grid"], 5);
    let frames = scores["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 3);
    let mut best = (f64::NEG_INFINITY, 0);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame["cells"].as_array().map(Vec::len), Some(25));
        let score = frame["score"].as_f64().unwrap();
        if score > best.0 {
            best = (score, index);
        }
        let name = format!("frame_{index:02}.tif");
        assert!(frame["path"].as_str().unwrap().ends_with(&name));
        assert!(lines[index + 1].starts_with(&name));
    }
    assert!(lines[best.1 + 1].ends_with("sharpest"));
}

#[test]
fn the_demo_shows_how_good_it_is() {
    let folder = StackFolder::empty();
    let out = folder.beside("demo");
    let mut demo = parfocal();
    demo.args([
        "demo", "--size", "300x200", "--frames", "5", "--seed", "3", "-o",
    ])
    .arg(&out);
    let outcome = run(&mut demo).done();
    let picture = out.join("stacked.tif");
    assert!(outcome.stdout.contains(picture.to_str().unwrap()));
    assert_eq!(names(&out.join("frames")).len(), 5);

    let decibels: Vec<f64> = outcome
        .stdout
        .split(" dB")
        .filter_map(|before| before.split_whitespace().last()?.parse().ok())
        .collect();
    let [result, best_frame] = decibels[..] else {
        panic!("{outcome:?}");
    };
    assert!(result > best_frame, "{outcome:?}");

    // The rendered frames are a stack like any other.
    let again = folder.beside("again.tif");
    run(parfocal()
        .arg("stack")
        .arg(out.join("frames"))
        .arg("-o")
        .arg(&again))
    .done();
    assert!(again.exists());

    // What is there is kept, unless it may be replaced.
    let before = fs::read(&picture).unwrap();
    run(&mut demo).ended(1).says(&["--overwrite"]);
    assert!(fs::read(&picture).unwrap() == before);
    run(demo.arg("--overwrite")).done();
}
