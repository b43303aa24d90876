//! The photos of the demo's user: small landscapes, drawn by a few lines of code.

use std::fmt::Write as _;

use serde::Serialize;

/// A photo, as the API returns it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Photo {
    pub(super) title: &'static str,
    pub(super) svg: String,
}

struct Scene {
    title: &'static str,
    sky: [&'static str; 2],
    sun: (i32, i32, i32, &'static str),
    /// The ridges from far to near: color, height, steepness, phase.
    hills: &'static [(&'static str, f64, f64, f64)],
    extra: Extra,
}

#[derive(Clone, Copy)]
enum Extra {
    Boat,
    Lighthouse,
    Stars,
    Birds,
    Trees,
    Balloon,
}

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;

/// All photos.
pub(super) fn all() -> Vec<Photo> {
    SCENES.iter().map(|scene| Photo { title: scene.title, svg: draw(scene) }).collect()
}

fn draw(scene: &Scene) -> String {
    let mut svg = String::from(
        "<svg xmlns='http://www.w3.org/2000/svg' width='320' height='240' viewBox='0 0 320 240'>",
    );
    let [top, bottom] = scene.sky;
    let (x, y, radius, color) = scene.sun;
    let _ = write!(
        svg,
        "<defs><linearGradient id='s' x1='0' y1='0' x2='0' y2='1'><stop offset='0' \
         stop-color='{top}'/><stop offset='1' stop-color='{bottom}'/></linearGradient></defs>\
         <rect width='320' height='240' fill='url(#s)'/>"
    );
    if matches!(scene.extra, Extra::Stars) {
        for star in 0..40_i32 {
            let (sx, sy) = ((star * 97 + 13) % 320, (star * 53 + 7) % 130);
            let size = if star % 7 == 0 { 1.4 } else { 0.7 };
            let _ = write!(svg, r##"<circle cx="{sx}" cy="{sy}" r="{size}" fill="#fff"/>"##);
        }
    }
    let halo = radius * 2;
    let _ = write!(
        svg,
        "<circle cx='{x}' cy='{y}' r='{halo}' fill='{color}' opacity='.18'/><circle cx='{x}' \
         cy='{y}' r='{radius}' fill='{color}'/>"
    );
    for (index, hill) in scene.hills.iter().enumerate() {
        svg.push_str(&ridge(hill));
        // An object in the landscape is in front of all ridges but the last.
        if index + 2 == scene.hills.len() {
            svg.push_str(extra(scene.extra));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn ridge(&(color, height, steepness, phase): &(&str, f64, f64, f64)) -> String {
    let mut path = format!("M0 {HEIGHT}");
    for step in 0..=32 {
        let x = WIDTH * f64::from(step) / 32.0;
        let wave = (x / 47.0 + phase).sin() + 0.5 * (x / 19.0 + 2.3 * phase).sin();
        let y = HEIGHT - height - steepness * wave;
        let _ = write!(path, "L{x:.0} {y:.1}");
    }
    format!(r#"<path d="{path}L{WIDTH} {HEIGHT}z" fill="{color}"/>"#)
}

const fn extra(extra: Extra) -> &'static str {
    match extra {
        Extra::Stars => "",
        Extra::Boat => {
            "<path d='M196 176h52l-8 12h-36z' fill='#5b3a29'/><path d='M222 172V120l26 48z' \
             fill='#fff6e5'/><path d='M218 172v-42l-20 38z' fill='#f0d9b8'/>"
        }
        Extra::Lighthouse => {
            "<path d='M232 70L330 40v44z' fill='#fff3c4' opacity='.5'/><path d='M216 \
             232l8-158h16l8 158z' fill='#f4f1ea'/><path d='M222 106h20l1.5 24h-23zM219.500 \
             154h25l1.500 24h-28z' fill='#c8452f'/><rect x='222' y='60' width='20' height='14' \
             rx='2' fill='#2b3442'/><circle cx='232' cy='67' r='4.500' fill='#ffe38a'/>"
        }
        Extra::Birds => {
            "<path d='M70 70q8-9 16 0q8-9 16 0M116 52q6-7 12 0q6-7 12 0M142 82q5-6 10 0q5-6 10 0' \
             fill='none' stroke='#30323f' stroke-width='2.400' stroke-linecap='round'/>"
        }
        Extra::Trees => {
            "<path d='M44 196l18-58 18 58zM84 200l15-48 15 48zM246 200l20-64 20 64z' \
             fill='#17402f'/>"
        }
        Extra::Balloon => {
            "<path d='M92 64a34 34 0 0 1 68 0c0 24-20 36-26 50h-16c-6-14-26-26-26-50z' \
             fill='#e4572e'/><path d='M112 36c-8 30-4 54 8 78h12c12-24 16-48 8-78-8-8-20-8-28 0z' \
             fill='#f3a712'/><path d='M119 116h14v11h-14z' fill='#6b4a2f'/>"
        }
    }
}

const SCENES: &[Scene] = &[
    Scene {
        title: "The lake at six",
        sky: ["#f7b267", "#fde8c9"],
        sun: (92, 118, 24, "#fff3d6"),
        hills: &[
            ("#c98a6b", 104.0, 14.0, 0.4),
            ("#8f6f7a", 78.0, 9.0, 2.1),
            ("#4d6c8a", 62.0, 1.2, 0.9),
            ("#34526e", 26.0, 1.6, 3.4),
        ],
        extra: Extra::Boat,
    },
    Scene {
        title: "Keeper’s night off",
        sky: ["#17233f", "#4e5f8c"],
        sun: (62, 58, 15, "#f5f0d8"),
        hills: &[
            ("#34456f", 80.0, 4.0, 1.0),
            ("#263358", 62.0, 3.0, 4.0),
            ("#121a30", 40.0, 9.0, 0.2),
        ],
        extra: Extra::Lighthouse,
    },
    Scene {
        title: "Above the morning",
        sky: ["#8ecae6", "#eaf6fb"],
        sun: (256, 62, 20, "#fff7d1"),
        hills: &[
            ("#a9cdbb", 74.0, 12.0, 5.1),
            ("#6fa886", 52.0, 9.0, 1.7),
            ("#3f7d5c", 26.0, 7.0, 3.0),
        ],
        extra: Extra::Balloon,
    },
    Scene {
        title: "Where the road ends",
        sky: ["#b8c6db", "#f5f7fa"],
        sun: (160, 84, 18, "#ffffff"),
        hills: &[
            ("#8fa3b8", 112.0, 20.0, 2.8),
            ("#5f7f83", 80.0, 12.0, 0.6),
            ("#2d5a4a", 46.0, 6.0, 4.4),
            ("#1d4436", 20.0, 5.0, 2.0),
        ],
        extra: Extra::Trees,
    },
    Scene {
        title: "Going south",
        sky: ["#d76d77", "#ffd194"],
        sun: (222, 112, 28, "#ffe9c2"),
        hills: &[
            ("#a4586b", 84.0, 10.0, 3.8),
            ("#6d3f5b", 56.0, 9.0, 1.2),
            ("#3b2441", 28.0, 6.0, 5.0),
        ],
        extra: Extra::Birds,
    },
    Scene {
        title: "No lamp for miles",
        sky: ["#0b1026", "#2b3a67"],
        sun: (246, 54, 17, "#f3ecd2"),
        hills: &[
            ("#26305a", 86.0, 16.0, 0.9),
            ("#1a2145", 58.0, 10.0, 3.3),
            ("#0d1129", 30.0, 7.0, 5.6),
        ],
        extra: Extra::Stars,
    },
];
