#ifndef HYDRANT_TESTS_SPAWN_NP_H
#define HYDRANT_TESTS_SPAWN_NP_H
#include <spawn.h>

// Two functions that glibc has (2.29 and 2.34) but declares only under _GNU_SOURCE, so that Swift's
// Glibc module lacks them.

int posix_spawn_file_actions_addchdir_np(
    posix_spawn_file_actions_t *__restrict actions, const char *__restrict path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
#endif
