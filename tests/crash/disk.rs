//! Small disks of our own: they fill up, turn read-only, and lose their power.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::skip::skipped;

/// A mounted file system, which goes with this.
pub(crate) struct Mount {
    at: PathBuf,
}

impl Mount {
    /// Mounts what these words name.
    pub(crate) fn new(words: &[&str], at: &Path) -> Self {
        fs::create_dir_all(at).expect("a folder");
        succeed(Command::new("mount").args(words).arg(at));
        Self { at: at.to_owned() }
    }

    pub(crate) fn memory(options: &str, at: &Path) -> Self {
        Self::new(&["-t", "tmpfs", "-o", options, "tmpfs"], at)
    }

    pub(crate) fn image(image: &Path, at: &Path) -> Self {
        Self::new(&["-o", "loop", &image.to_string_lossy()], at)
    }

    pub(crate) fn make_read_only(&self) {
        succeed(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.at));
    }

    /// Leaves so many bytes free.
    pub(crate) fn fill(&self, free: u64) {
        let mut filler = fs::File::create(self.at.join("filler")).expect("a file");
        let whole = io::copy(&mut io::repeat(0), &mut filler);
        assert!(whole.is_err(), "it has an end");
        let length = filler.metadata().expect("its length").len();
        filler.set_len(length - free).expect("shortened");
    }

    /// As if the plug were pulled: what was not flushed is gone.
    pub(crate) fn cut(self) {
        let cut = "import fcntl, os, struct, sys\n\
                   disk = os.open(sys.argv[1], os.O_RDONLY)\n\
                   fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))";
        succeed(Command::new("python3").args(["-c", cut]).arg(&self.at));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.at).status();
    }
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("it is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output
}

/// Only root may mount, and not in every container.
pub(crate) fn can_mount(room: &Path) -> bool {
    let at = room.join("probe");
    fs::create_dir_all(&at).expect("a folder");
    let tried = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&at).output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if can {
        drop(Mount { at });
    } else {
        skipped("nothing can be mounted here");
    }
    can
}

/// Whether a file can be mounted as a disk.
pub(crate) fn can_loop() -> bool {
    let can = Command::new("losetup").arg("-f").output().is_ok_and(|found| found.status.success());
    if !can {
        skipped("there are no loop devices here");
    }
    can
}

/// An empty disk in a file.
pub(crate) fn make_image(system: &str, image: &Path) {
    // the smallest that xfs takes
    let size = if system == "xfs" { 300 << 20 } else { 64 << 20 };
    let file = fs::File::create(image).expect("an image");
    file.set_len(size).expect("a length");
    succeed(Command::new(format!("mkfs.{system}")).arg("-q").arg(image));
}

pub(crate) fn copy_image(from: &Path, to: &Path) {
    succeed(Command::new("cp").arg("--sparse=always").arg(from).arg(to));
}
