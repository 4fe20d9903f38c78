#ifndef HYDRANT_CLIBUV_SHIM_H
#define HYDRANT_CLIBUV_SHIM_H
#include <uv.h>

// Room for either kind of stream.
typedef union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
} uv_any_stream;

// libuv's handles "inherit" by layout; C casts between them, Swift cannot. Each shim is that cast.
static inline uv_tcp_t *uvx_any_tcp(uv_stream_t *stream) { return (uv_tcp_t *)stream; }
static inline uv_pipe_t *uvx_any_pipe(uv_stream_t *stream) { return (uv_pipe_t *)stream; }
static inline uv_handle_t *uvx_handle(void *any) { return (uv_handle_t *)any; }
static inline uv_stream_t *uvx_stream(void *any) { return (uv_stream_t *)any; }
#endif
