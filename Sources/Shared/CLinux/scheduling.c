#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

_Static_assert(sizeof(struct clinux_cpus) == sizeof(cpu_set_t), "cpu_set_t holds other CPUs");

int clinux_renice(int nice_value) { return setpriority(PRIO_PROCESS, 0, nice_value); }

static int schedule(int policy) {
    struct sched_param none = {0};
    return sched_setscheduler(0, policy, &none);
}

int clinux_schedule_batch(void) { return schedule(SCHED_BATCH); }

int clinux_schedule_idle(void) { return schedule(SCHED_IDLE); }

int clinux_allowed_cpus(struct clinux_cpus *cpus) {
    return sched_getaffinity(0, sizeof *cpus, (cpu_set_t *)cpus);
}

int clinux_place(pid_t pid, const struct clinux_cpus *cpus) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL) return -1;
    int failure = 0;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        pid_t id = (pid_t)atoi(thread->d_name);
        if (id <= 0) continue;
        // A thread may end between the two calls.
        if (sched_setaffinity(id, sizeof *cpus, (const cpu_set_t *)cpus) < 0 && errno != ESRCH) {
            failure = errno;
        }
    }
    closedir(threads);
    errno = failure;
    return failure ? -1 : 0;
}
