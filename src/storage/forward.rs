//! Writes out what a storage of the tests passes on to the one inside it.

/// Operations of a `Storage` that are those of a field: `forward!(0: name path)`.
macro_rules! forward {
    ($($field:tt).+:) => {};
    ($($field:tt).+: $operation:ident $($more:ident)*) => {
        forward!(@$operation ($($field).+));
        forward!($($field).+: $($more)*);
    };
    (@name ($($field:tt)+)) => {
        fn name(&self) -> String {
            self.$($field)+.name()
        }
    };
    (@path ($($field:tt)+)) => {
        fn path(&self, id: &BackupId) -> String {
            self.$($field)+.path(id)
        }
    };
    (@prepare ($($field:tt)+)) => {
        fn prepare(&self) -> std::io::Result<()> {
            self.$($field)+.prepare()
        }
    };
    (@lock ($($field:tt)+)) => {
        fn lock(&self) -> std::io::Result<Option<Box<dyn std::any::Any + Send>>> {
            self.$($field)+.lock()
        }
    };
    (@claim ($($field:tt)+)) => {
        fn claim(&self, part: &str) -> std::io::Result<Option<Box<dyn std::any::Any + Send>>> {
            self.$($field)+.claim(part)
        }
    };
    (@list ($($field:tt)+)) => {
        fn list(&self) -> std::io::Result<Vec<(BackupId, u64)>> {
            self.$($field)+.list()
        }
    };
    (@list_stamped ($($field:tt)+)) => {
        fn list_stamped(&self) -> std::io::Result<Vec<(BackupId, u64, Option<Stamp>)>> {
            self.$($field)+.list_stamped()
        }
    };
    (@open ($($field:tt)+)) => {
        fn open(&self, id: &BackupId) -> std::io::Result<Option<Box<dyn Readable>>> {
            self.$($field)+.open(id)
        }
    };
    (@free ($($field:tt)+)) => {
        fn free(&self) -> std::io::Result<Option<u64>> {
            self.$($field)+.free()
        }
    };
    (@draft ($($field:tt)+)) => {
        fn draft(&self) -> std::io::Result<Box<dyn Draft>> {
            self.$($field)+.draft()
        }
    };
    (@delete ($($field:tt)+)) => {
        fn delete(&self, id: &BackupId) -> std::io::Result<()> {
            self.$($field)+.delete(id)
        }
    };
    (@read_state ($($field:tt)+)) => {
        fn read_state(&self) -> std::io::Result<Option<Vec<u8>>> {
            self.$($field)+.read_state()
        }
    };
    (@write_state ($($field:tt)+)) => {
        fn write_state(&self, state: &[u8]) -> std::io::Result<()> {
            self.$($field)+.write_state(state)
        }
    };
    (@read_index ($($field:tt)+)) => {
        fn read_index(&self) -> std::io::Result<Option<Vec<u8>>> {
            self.$($field)+.read_index()
        }
    };
    (@write_index ($($field:tt)+)) => {
        fn write_index(&self, index: &[u8]) -> std::io::Result<()> {
            self.$($field)+.write_index(index)
        }
    };
    // the bytes of a draft
    (@bytes ($($field:tt)+) $draft:ty) => {
        impl std::io::Write for $draft {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.$($field)+.write(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                self.$($field)+.flush()
            }
        }

        impl std::io::Seek for $draft {
            fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
                self.$($field)+.seek(to)
            }
        }
    };
}

pub(crate) use forward;
