//! Pictures of the stages: beside the tests, or into the manual when they are to be renewed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set to anything, the pictures of the manual are made anew; this needs `pngquant`.
const RENEW: &str = "UPDATE_IMAGES";

pub(crate) fn keep(name: &str, png: &[u8]) {
    let renew = std::env::var_os(RENEW).is_some();
    let folder = folder(renew);
    fs::create_dir_all(&folder).expect("a folder for pictures");
    let file = folder.join(name).with_extension("png");
    fs::write(&file, png).expect("a picture");
    if renew {
        shrink(&file);
    }
}

fn folder(renew: bool) -> PathBuf {
    if renew {
        return Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    }
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("images")
}

fn shrink(file: &Path) {
    let mut command = Command::new("pngquant");
    command.args(["--force", "--strip", "--speed=1", "--ext=.png", "64"]).arg(file);
    assert!(command.status().expect("install pngquant").success());
}
