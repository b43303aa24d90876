/* A clock that is set while the program runs, without a right to set the machine's: put before the C
 * library (LD_PRELOAD), it adds the seconds in the file named by SET_CLOCK to the time of day. The
 * clock that nobody sets stays as it is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long ahead(void) {
  char number[32];
  int before = errno;
  long seconds = 0;
  const char *name = getenv("SET_CLOCK");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file >= 0) {
    ssize_t length = read(file, number, sizeof number - 1);
    close(file);
    if (length > 0) {
      number[length] = 0;
      seconds = atol(number);
    }
  }
  errno = before;
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed && clock == CLOCK_REALTIME) now->tv_sec += ahead();
  return failed;
}
