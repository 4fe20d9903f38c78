#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int clinux_memfd_create(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_accept4_nonblocking(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_set_process_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int clinux_open(const char *path, int flags, unsigned mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

int clinux_set_cloexec(int fd, int on) { return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int clinux_set_socket_buffers(int fd, int bytes) {
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) < 0) return -1;
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int clinux_flock_exclusive(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

int clinux_map_blocks_from(int bytes) { return mallopt(M_MMAP_THRESHOLD, bytes); }

void clinux_ignore_write_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    // A file at RLIMIT_FSIZE: the write fails with EFBIG instead.
    signal(SIGXFSZ, SIG_IGN);
}

void clinux_ignore_stray_signals(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGALRM, SIG_IGN);
}

ssize_t clinux_send_fds(int socket, const void *bytes, size_t count, const int *fds, int fd_count) {
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(CLINUX_FDS_MAX * sizeof(int))];
    } control;
    if (fd_count > CLINUX_FDS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t clinux_recv_fds(int socket, void *bytes, size_t count, int *fds, int *fd_count) {
    struct iovec part = {bytes, count};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(CLINUX_FDS_MAX * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    int capacity = *fd_count;
    *fd_count = 0;
    ssize_t got;
    do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return got;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        int arrived = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        const int *list = (const int *)CMSG_DATA(head);
        for (int i = 0; i < arrived; i++) {
            if (*fd_count < capacity) fds[(*fd_count)++] = list[i];
            else close(list[i]);
        }
    }
    return got;
}

int clinux_tcp_bind(const char *address, uint16_t port, int reuse_port, const char **step) {
    struct sockaddr_storage at;
    socklen_t length;
    memset(&at, 0, sizeof at);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;
    *step = "inet_pton";
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        length = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        length = sizeof *v6;
    } else {
        errno = EINVAL;
        return -1;
    }
    *step = "socket";
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int on = 1;
    *step = "setsockopt";
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) goto failed;
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) goto failed;
    *step = "bind";
    if (bind(fd, (struct sockaddr *)&at, length) < 0) goto failed;
    return fd;
failed: {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}
}

int clinux_socketpair(int packets, int out[2]) {
    int type = packets ? SOCK_SEQPACKET : SOCK_STREAM;
    return socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, out);
}

int clinux_unix_socket(int nonblocking) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
}

int clinux_socket_type_stream(void) { return SOCK_STREAM; }

int clinux_peer_address(int fd, uint8_t out[16]) {
    struct sockaddr_storage at;
    socklen_t length = sizeof at;
    memset(out, 0, 16);
    if (getpeername(fd, (struct sockaddr *)&at, &length) < 0) return -1;
    if (at.ss_family == AF_INET) {
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &((struct sockaddr_in *)&at)->sin_addr, 4);
        return 0;
    }
    if (at.ss_family == AF_INET6) {
        memcpy(out, &((struct sockaddr_in6 *)&at)->sin6_addr, 16);
        return 0;
    }
    errno = EAFNOSUPPORT;
    return -1;
}

uint64_t clinux_realtime_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t clinux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int clinux_random(void *bytes, size_t count) {
    uint8_t *at = bytes;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        at += got;
        count -= (size_t)got;
    }
    return 0;
}

int clinux_timerfd_create(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

int clinux_timerfd_set(int fd, uint64_t monotonic_ns) {
    struct itimerspec once = {.it_value = {.tv_sec = (time_t)(monotonic_ns / 1000000000u),
                                           .tv_nsec = (long)(monotonic_ns % 1000000000u)}};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &once, NULL);
}
