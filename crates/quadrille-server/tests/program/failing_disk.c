/* A disk that is full, or read-only, or broken, for any user and at a chosen moment: put before the
 * C library (LD_PRELOAD), it fails what the program writes to its database with the number of the
 * error that is in the file named by FAILING_DISK, for as long as that file exists. The database is
 * quadrille.db, or what has FAILING_FILES in its path. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int fd) {
  char link[64], path[4096], number[8];
  const char *trigger = getenv("FAILING_DISK");
  if (!trigger) return 0;
  int file = open(trigger, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t length = read(file, number, sizeof number - 1);
  close(file);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t end = readlink(link, path, sizeof path - 1);
  if (length <= 0 || end <= 0) return 0;
  number[length] = path[end] = 0;
  const char *name = strrchr(path, '/'), *part = getenv("FAILING_FILES");
  if (part ? !strstr(path, part) : !name || strncmp(name, "/quadrille.db", 13) || strstr(name, "-shm"))
    return 0;
  errno = atoi(number);
  return 1;
}

ssize_t write(int fd, const void *from, size_t length) {
  return fails(fd) ? -1 : syscall(SYS_write, fd, from, length);
}

ssize_t pwrite(int fd, const void *from, size_t length, off_t at) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, from, length, at);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, from, length, at);
}
