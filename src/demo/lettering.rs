//! Letters drawn with a pen of one width, as engravers and board makers do.

use super::colour::Rgb;
use super::paint::{Form, Point, Shape};

/// The strokes of a character on a grid four wide and six high: pairs of
/// digits are points, a space lifts the pen.
fn strokes(letter: char) -> &'static str {
    match letter {
        'A' => "062046 1434",
        'B' => "00063645443303 3342413000",
        'C' => "4130100105163645",
        'D' => "00062645412000",
        'E' => "40000646 0333",
        'F' => "400006 0333",
        'G' => "4130100105163645 454323",
        'H' => "0006 4046 0343",
        'I' => "2026 1030 1636",
        'J' => "4045361605",
        'K' => "0006 4004 1346",
        'L' => "000646",
        'M' => "0600234046",
        'N' => "06004640",
        'O' => "103041453616050110",
        'P' => "06003041423303",
        'Q' => "103041453616050110 2446",
        'R' => "06003041423303 2346",
        'S' => "413010010213334445361605",
        'T' => "0040 2026",
        'U' => "000516364540",
        'V' => "002640",
        'W' => "0016233640",
        'X' => "0046 4006",
        'Y' => "002340 2326",
        'Z' => "00400646",
        '0' => "103041453616050110 1531",
        '1' => "112026 1636",
        '2' => "01103041420646",
        '3' => "0040234445361605",
        '4' => "36300444",
        '5' => "400002324345361605",
        '6' => "413010010516364544331304",
        '7' => "004016",
        '8' => "130201103041423313 1304051636454433",
        '9' => "423313020110304145361605",
        '-' => "1333",
        '+' => "1333 2224",
        '/' => "0640",
        '.' => "2526",
        _ => "",
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    /// Height of a capital letter in design units.
    pub height: f32,
    /// Width of the stroke in design units.
    pub width: f32,
    /// Angle of the baseline, in radians, clockwise.
    pub angle: f32,
    pub colour: Rgb,
    pub opacity: f32,
}

impl Pen {
    /// The length of `text` in design units.
    pub fn length(&self, text: &str) -> f32 {
        text.chars().count() as f32 * self.height * 0.95
    }

    /// Writes `text` with the top left corner of its first letter at `start`.
    pub fn write(&self, shapes: &mut Vec<Shape>, start: Point, text: &str) {
        let (sin, cos) = self.angle.sin_cos();
        let unit = self.height / 6.0;
        for (i, letter) in text.chars().enumerate() {
            let left = i as f32 * self.height * 0.95;
            for stroke in strokes(letter.to_ascii_uppercase()).split(' ') {
                let points: Vec<Point> = stroke
                    .as_bytes()
                    .chunks_exact(2)
                    .map(|pair| {
                        let [x, y] = [pair[0], pair[1]].map(|d| f32::from(d - b'0') * unit);
                        let x = x + left;
                        [start[0] + x * cos - y * sin, start[1] + x * sin + y * cos]
                    })
                    .collect();
                for ends in points.windows(2) {
                    let form = Form::Line {
                        from: ends[0],
                        to: ends[1],
                        half: self.width / 2.0,
                    };
                    shapes.push(Shape::flat(form, self.colour, self.opacity));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_and_digit_has_strokes_inside_its_cell() {
        for letter in ('A'..='Z').chain('0'..='9') {
            let strokes = strokes(letter);
            assert!(strokes.len() >= 6, "{letter}");
            for stroke in strokes.split(' ') {
                assert!(stroke.len() % 2 == 0, "{letter}: {stroke}");
                for pair in stroke.as_bytes().chunks(2) {
                    assert!(pair[0] <= b'4' && pair[1] <= b'6', "{letter}: {stroke}");
                }
            }
        }
    }
}
