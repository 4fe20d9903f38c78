// The floor: what a libuv process must spend on a request whatever it does with it. It looks for
// the end of each request head and answers a fixed GIF; nothing is parsed, kept or written.
//
//     cc -O2 floor.c -luv -o floor && ./floor PORT
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define CARRY 3  // a terminator cut by a read leaves at most this much behind
#define READ_BYTES (64 * 1024)
#define ANSWERS_MAX (READ_BYTES / 4 + 1)

static const char answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: image/gif\r\n"
    "Content-Length: 43\r\n"
    "Cache-Control: no-store\r\n"
    "\r\n"
    "GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02"
    "D\x01\0;";
enum { answer_bytes = sizeof answer - 1 };

typedef struct {
    uv_tcp_t tcp;
    int carried;
    char carry[CARRY];
} client_t;

static char input[CARRY + READ_BYTES];
static char output[ANSWERS_MAX * answer_bytes];

static void on_close(uv_handle_t *handle) { free(handle); }

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(input + CARRY, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    (void)buffer;
    client_t *client = (client_t *)stream;
    if (count <= 0) {
        if (count < 0) uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    char *at = input + CARRY - client->carried;
    char *const end = input + CARRY + count;
    memcpy(at, client->carry, client->carried);

    size_t filled = 0;
    for (char *found; (found = memmem(at, end - at, "\r\n\r\n", 4)) != NULL; at = found + 4) {
        memcpy(output + filled, answer, answer_bytes);
        filled += answer_bytes;
    }
    client->carried = end - at < CARRY ? (int)(end - at) : CARRY;
    memcpy(client->carry, end - client->carried, client->carried);

    if (filled == 0) return;
    uv_buf_t all = uv_buf_init(output, filled);
    // A client that does not read its answers is no load generator: let it go.
    if (uv_try_write(stream, &all, 1) != (int)filled) {
        uv_close((uv_handle_t *)stream, on_close);
    }
}

static void on_connection(uv_stream_t *server, int status) {
    if (status < 0) return;
    client_t *client = calloc(1, sizeof *client);
    if (client == NULL) abort();
    uv_tcp_init(server->loop, &client->tcp);
    if (uv_accept(server, (uv_stream_t *)client) != 0) {
        uv_close((uv_handle_t *)client, on_close);
        return;
    }
    uv_tcp_nodelay(&client->tcp, 1);
    uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
    uv_tcp_init(loop, &server);
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    int failed = uv_listen((uv_stream_t *)&server, 4096, on_connection);
    if (failed) {
        fprintf(stderr, "floor: listen: %s\n", uv_strerror(failed));
        return 1;
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
