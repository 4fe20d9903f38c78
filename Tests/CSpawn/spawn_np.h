#ifndef HYDRANT_TESTS_SPAWN_NP_H
#define HYDRANT_TESTS_SPAWN_NP_H
#include <spawn.h>

// What glibc has but declares only under _GNU_SOURCE, so that Swift's Glibc module lacks it.

// Since 2.29 and 2.34.
int posix_spawn_file_actions_addchdir_np(
    posix_spawn_file_actions_t *__restrict actions, const char *__restrict path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// A pseudo terminal (pty(7)).
int posix_openpt(int flags);
int grantpt(int controller);
int unlockpt(int controller);
int ptsname_r(int controller, char *name, size_t byte_count);
#endif
