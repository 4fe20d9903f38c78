#ifndef HYDRANT_CXXHASH_SHIM_H
#define HYDRANT_CXXHASH_SHIM_H
#include <xxhash.h>
#endif
