//! Numbers and lines as people read them.

use std::io::Write;
use std::time::Duration;

/// Prints a line to standard error. That nobody reads it is no reason to stop.
pub fn to_stderr(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A duration: `0.8 s`, `12.3 s`, `4 min 05 s`, `1 h 02 min`.
pub fn duration(time: Duration) -> String {
    let tenths = (time.as_secs_f64() * 10.0).round() as u64;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (tenths + 5) / 10;
    if seconds < 3600 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
    }
}

/// A size of memory with three significant figures, in powers of 1024.
pub fn bytes(size: u64) -> String {
    let mut value = size as f64;
    let mut unit = 0;
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = match value {
        _ if unit == 0 => 0,
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A number with four significant figures.
pub fn figures(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..9.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - magnitude).max(0.0) as usize;
    format!("{value:.decimals$}")
}

/// A bar of `share` (0 to 1) of `width` characters, in eighths of one.
pub fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Rows in columns two spaces apart, without trailing space. Each column is as
/// wide as its widest cell.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_coarser() {
        let text = |seconds| duration(Duration::from_secs_f64(seconds));
        assert_eq!(text(0.04), "0.0 s");
        assert_eq!(text(12.34), "12.3 s");
        assert_eq!(text(59.96), "1 min 00 s");
        assert_eq!(text(245.0), "4 min 05 s");
        assert_eq!(text(3725.0), "1 h 02 min");
    }

    #[test]
    fn sizes_have_three_figures() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(4 << 30), "4.00 GiB");
        assert_eq!(bytes(150_000_000_000), "140 GiB");
        assert_eq!(bytes(1023 << 20), "1.00 GiB");
    }

    #[test]
    fn scores_have_four_figures() {
        assert_eq!(figures(0.0), "0");
        assert_eq!(figures(0.001_234_56), "0.001235");
        assert_eq!(figures(12.345_67), "12.35");
        assert_eq!(figures(98_765.4), "98765");
        assert_eq!(figures(1.5e-9), "1.500e-9");
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(0.0, 9), "");
        assert_eq!(bar(7.0, 2), "██");
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["é".to_owned(), "1".to_owned()],
            vec!["abc".to_owned(), String::new()],
        ];
        assert_eq!(table(&rows), "é    1\nabc\n");
    }
}
