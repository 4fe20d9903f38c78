#define _GNU_SOURCE
#include "CLinux.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int clinux_window_size(int fd, uint16_t *columns, uint16_t *rows) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -1;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

static volatile sig_atomic_t was_continued;

static void note_continue(int number) {
    (void)number;
    was_continued = 1;
}

int clinux_watch_continue(void) {
    struct sigaction action = {.sa_handler = note_continue, .sa_flags = SA_RESTART};
    return sigaction(SIGCONT, &action, NULL);
}

int clinux_take_continued(void) {
    int was = was_continued;
    was_continued = 0;
    return was;
}
