//! The unit file, as systemd's own tools judge it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const UNIT: &str = "clientbotmanager.service";

/// The exposure that the operations guide names; 0 is none, 10 is all.
const EXPOSURE: f32 = 1.1;

/// What the tool says of the unit, whose program is one that exists here.
fn analyze(arguments: &[&str]) -> Output {
    let folder = TempDir::new().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clientbotmanager").join(UNIT);
    let unit = fs::read_to_string(source).expect("the unit");
    let program = super::service::program();
    let here = format!("ExecStart={}", program.display());
    let unit = unit.replace("ExecStart=/usr/local/bin/clientbotmanager", &here);
    assert!(unit.contains(&here), "the unit starts another program");
    let copy = folder.path().join(UNIT);
    fs::write(&copy, unit).expect("a copy");
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(copy).env("LC_ALL", "C.UTF-8");
    command.output().expect("systemd-analyze, of Debian's package systemd")
}

#[test]
fn systemd_finds_no_fault_in_the_unit() {
    let Output { status, stdout, stderr } = analyze(&["verify"]);
    let told = [stdout, stderr].concat();
    assert!(status.success() && told.is_empty(), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn the_service_may_do_little() {
    let Output { stdout, .. } = analyze(&["security", "--offline=true", "--no-pager"]);
    let told = String::from_utf8_lossy(&stdout).into_owned();
    let verdict = told.lines().last().unwrap_or_default();
    let exposure = verdict.split_once(".service: ").expect(verdict).1.split(' ').next();
    let exposure: f32 = exposure.expect(verdict).parse().expect(verdict);
    assert!(exposure <= EXPOSURE, "{told}");
    for guide in ["operations.md", "operations.ru.md"] {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(guide);
        let guide = fs::read_to_string(guide).expect("the guide");
        assert!(guide.contains(&format!("{exposure:.1}")), "the guide names another number");
    }
}
