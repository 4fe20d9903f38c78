#ifndef HYDRANT_CLINUX_H
#define HYDRANT_CLINUX_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What glibc hides behind _GNU_SOURCE, variadics or macros, so that Swift's Glibc module lacks it.
// Each returns what the call returns; errno is left as the call set it.

int clinux_memfd_create(const char *name);
int clinux_accept4_nonblocking(int listener);
int clinux_set_process_name(const char *name);
int clinux_open(const char *path, int flags, unsigned mode);
int clinux_set_cloexec(int fd, int on);
int clinux_set_nonblocking(int fd);
/// How many bytes the kernel may hold in one direction of a Unix socket.
int clinux_set_socket_buffers(int fd, int bytes);
/// Exclusive, non-blocking flock; 0, or -1 with errno EWOULDBLOCK when another holds it.
int clinux_flock_exclusive(int fd);
int clinux_renice(int nice);
/// SCHED_BATCH for this process: it no longer preempts others when it wakes.
int clinux_schedule_batch(void);
/// SCHED_IDLE for this process: it runs when nobody else wants to, and is preempted at once.
int clinux_schedule_idle(void);
/// A set of CPUs as the kernel has it: bit i of word i / 64.
#define CLINUX_CPUS_MAX 1024
struct clinux_cpus { uint64_t words[CLINUX_CPUS_MAX / 64]; };
/// Where this process may run. Fails on machines with more CPUs than the set has room for.
int clinux_allowed_cpus(struct clinux_cpus *cpus);
/// Lets a process, with all its threads, run on these only.
int clinux_place(pid_t pid, const struct clinux_cpus *cpus);
/// Blocks of that size and more are mapped one by one; nonzero on success.
int clinux_map_blocks_from(int bytes);
/// SIGPIPE and SIGXFSZ to ignored, signal mask emptied.
void clinux_ignore_write_signals(void);
/// Ignores SIGINT, SIGHUP and SIGQUIT, which a terminal sends to a whole process group, and SIGUSR1,
/// SIGUSR2 and SIGALRM, which scripts send to every process of a name; their default is death.
void clinux_ignore_stray_signals(void);

#define CLINUX_FDS_MAX 4
/// One datagram with up to CLINUX_FDS_MAX descriptors (SCM_RIGHTS).
ssize_t clinux_send_fds(int socket, const void *bytes, size_t count, const int *fds, int fd_count);
/// Receives one datagram; descriptors arrive close-on-exec; *fd_count is capacity in, count out.
ssize_t clinux_recv_fds(int socket, void *bytes, size_t count, int *fds, int *fd_count);

/// A listening-capable TCP socket, bound but not listening; -1 with errno. Non-blocking, cloexec.
/// `reuse_port` sets SO_REUSEPORT; SO_REUSEADDR is always set. `*step` names the failed call.
int clinux_tcp_bind(const char *address, uint16_t port, int reuse_port, const char **step);
/// A socketpair, close-on-exec, non-blocking: SOCK_STREAM, or SOCK_SEQPACKET when `packets`.
int clinux_socketpair(int packets, int out[2]);
/// A Unix stream socket, close-on-exec. (The SOCK_ constants belong to whichever module the compiler
/// met first, so Swift code cannot name them reliably.)
int clinux_unix_socket(int nonblocking);
int clinux_socket_type_stream(void);
/// Peer address as 16 bytes (IPv4 mapped into IPv6); 0, or -1.
int clinux_peer_address(int fd, uint8_t out[16]);
/// CLOCK_REALTIME in microseconds; CLOCK_MONOTONIC in nanoseconds.
uint64_t clinux_realtime_us(void);
uint64_t clinux_monotonic_ns(void);
int clinux_random(void *bytes, size_t count);
/// A timer to be polled: CLOCK_MONOTONIC, non-blocking, close-on-exec.
int clinux_timerfd_create(void);
/// It becomes readable once at that time (past: at once) and is unreadable from now until then; 0
/// takes it back.
int clinux_timerfd_set(int fd, uint64_t monotonic_ns);

/// A terminal's size in characters; 0, or -1 where there is none. (ioctl is variadic.)
int clinux_window_size(int fd, uint16_t *columns, uint16_t *rows);
/// From then on the next call knows whether the process was stopped and continued (Ctrl-Z, fg).
int clinux_watch_continue(void);
int clinux_take_continued(void);
#endif
