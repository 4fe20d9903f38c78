#ifndef HYDRANT_CZLIB_SHIM_H
#define HYDRANT_CZLIB_SHIM_H
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros that add the version and the structure's size.
static inline int zlibx_gzip_init(z_stream *s, int level) {
    return deflateInit2(s, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
static inline int zlibx_gunzip_init(z_stream *s) { return inflateInit2(s, 15 + 16); }
#endif
