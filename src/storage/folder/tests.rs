//! What some file systems do not know: a folder on one of them must do all the same.

use super::*;

#[test]
fn a_file_system_without_locks_is_told_from_a_lock_that_fails() {
    let number = io::Error::from_raw_os_error;
    for unknown in [rustix::io::Errno::NOLCK, rustix::io::Errno::INVAL, rustix::io::Errno::NOTSUP] {
        assert!(knows_no_locks(&number(unknown.raw_os_error())), "{unknown}");
    }
    for failure in [rustix::io::Errno::IO, rustix::io::Errno::BADF, rustix::io::Errno::ACCESS] {
        assert!(!knows_no_locks(&number(failure.raw_os_error())), "{failure}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_flushed_is_no_error_and_one_that_is_gone_is() {
    // nothing there lies on a disk
    let unknown = File::open("/proc").and_then(|folder| folder.sync_all());
    assert_eq!(unknown.expect_err("no such call").kind(), io::ErrorKind::InvalidInput);
    sync_folder(Path::new("/proc")).expect("that is enough");
    let place = tempfile::tempdir().expect("a folder");
    sync_folder(place.path()).expect("flushed");
    let gone = sync_folder(&place.path().join("gone")).expect_err("there is none");
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
}
