#ifndef HYDRANT_HEAD_LINES_H
#define HYDRANT_HEAD_LINES_H
#include <stddef.h>
#include <stdint.h>

/// One `name: value` line of a request head, as offsets into it. The value's white space is
/// trimmed.
typedef struct {
    uint16_t name_at, name_bytes, value_at, value_bytes;
} cbytes_head_line;

/// Splits the plain lines of a head of `n` <= 65,535 bytes, from `*at` on; returns how many there
/// were (at most `room`), and in `*at` where it stopped.
///
/// Plain is what nearly every line is: a token of 1 to 31 characters, a colon, printable ASCII,
/// CR LF, and all of it there. It stops before the first line that is anything else: the empty line
/// that ends a head, a cut line, one with a tab or non-ASCII bytes, one that is wrong. Those need a
/// closer look; that a line is not plain says nothing against it. Without AVX2 no line is plain.
///
/// Never reads outside `p ..< p + n`.
size_t cbytes_plain_head_lines(const uint8_t *p, size_t n, size_t *at, cbytes_head_line *lines,
                               size_t room);

/// Where a request target ends that begins at `at` <= `n`: the first control or space from there
/// on, `n` when there is none. Never reads outside `p ..< p + n` where there is AVX2; without, not
/// outside their pages.
size_t cbytes_head_target_end(const uint8_t *p, size_t n, size_t at);
#endif
