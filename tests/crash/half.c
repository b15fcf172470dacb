/* Loaded before the C library: a read or a write of a file stops half way, as any may. Either each,
   or the one whose number HALF says; at the end, how many were halved stands in the file HALVED. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long seen, halved;

static size_t half(int file, size_t length) {
    struct stat about;
    const char *only = getenv("HALF");
    if (length < 2 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return length;
    seen++;
    if (only && atol(only) != seen) return length;
    halved++;
    return length / 2;
}

ssize_t read(int file, void *bytes, size_t length) {
    return syscall(SYS_read, file, bytes, half(file, length));
}

ssize_t write(int file, const void *bytes, size_t length) {
    return syscall(SYS_write, file, bytes, half(file, length));
}

ssize_t pread64(int file, void *bytes, size_t length, off64_t at) {
    return syscall(SYS_pread64, file, bytes, half(file, length), at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    return syscall(SYS_pwrite64, file, bytes, half(file, length), at);
}

ssize_t pread(int file, void *bytes, size_t length, off_t at) {
    return pread64(file, bytes, length, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    return pwrite64(file, bytes, length, at);
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("HALVED");
    FILE *notes = path ? fopen(path, "w") : NULL;
    if (!notes) return;
    fprintf(notes, "%ld", halved);
    fclose(notes);
}
