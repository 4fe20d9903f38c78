#include "CBytes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx2,bmi,bmi2")))
#define INLINE_WIDE WIDE static inline __attribute__((always_inline))

INLINE_WIDE __m256i load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

// The last 32 bytes of the buffer, when fewer than 32 are left from `at` on: what lies before `at`
// has to be shifted out of every mask, and zero bits then stand for the bytes that are not there.
// Asks for at < n < at + 32 and n >= 32.
INLINE_WIDE __m256i load_last(const uint8_t *p, size_t n, size_t at, unsigned *shift) {
    *shift = (unsigned)(at + 32 - n);
    return load(p + n - 32);
}

static inline uint16_t load16(const uint8_t *p) {
    uint16_t two;
    memcpy(&two, p, 2);
    return two;
}

// Bytes that are not printable ASCII. One more than each, as a signed number, is at most 0x20:
// controls become 1 ... 0x20, DEL becomes -128, non-ASCII -127 ... 0.
INLINE_WIDE unsigned not_printable(__m256i x) {
    const __m256i next = _mm256_add_epi8(x, _mm256_set1_epi8(1));
    return (unsigned)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), next));
}

// Bytes that are not token characters (RFC 9110, 5.6.2). Each half of a byte picks a set of rows
// of the ASCII table: the upper half its own row (bit 0 for 0x2_, bit 5 for 0x7_), the lower half
// the rows in which its column is a token character. A byte is one where the two sets meet.
INLINE_WIDE unsigned not_token(__m256i x) {
    const __m256i columns = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0x3a, 0x3f, 0x3e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3e, 0x3e, 0x3d, 0x15, 0x34,
                      0x15, 0x3d, 0x1c));
    const __m256i rows = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15));
    const __m256i meet =
        _mm256_and_si256(_mm256_shuffle_epi8(columns, x), _mm256_shuffle_epi8(rows, upper));
    return (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(meet, _mm256_setzero_si256()));
}

// The same for the 32 bytes from `at` < n on, or as many as are left.
INLINE_WIDE unsigned not_printable32(const uint8_t *p, size_t n, size_t at) {
    if (at + 32 <= n) return not_printable(load(p + at));
    unsigned shift;
    const __m256i x = load_last(p, n, at, &shift);
    return not_printable(x) >> shift;
}

INLINE_WIDE uint64_t not_printable64(const uint8_t *p, size_t n, size_t at) {
    if (at + 64 <= n)
        return not_printable(load(p + at)) | (uint64_t)not_printable(load(p + at + 32)) << 32;
    uint64_t mask = not_printable32(p, n, at);
    if (at + 32 < n) mask |= (uint64_t)not_printable32(p, n, at + 32) << 32;
    return mask;
}

INLINE_WIDE unsigned not_token32(const uint8_t *p, size_t n, size_t at) {
    if (at + 32 <= n) return not_token(load(p + at));
    unsigned shift;
    const __m256i x = load_last(p, n, at, &shift);
    return not_token(x) >> shift;
}

// Describes the line from `at` to its CR at `end`; false when it is not plain.
INLINE_WIDE int describe(const uint8_t *p, size_t n, size_t at, size_t end,
                         cbytes_head_line *line) {
    if (end + 2 > n || load16(p + end) != load16((const uint8_t *)"\r\n")) return 0;
    const unsigned name_bytes = _tzcnt_u32(not_token32(p, n, at));
    if (name_bytes - 1 > 30 || p[at + name_bytes] != ':') return 0;
    // The CR ends the first of these loops, the colon the second.
    size_t value = at + name_bytes + 1;
    while (p[value] == ' ') value++;
    while (p[end - 1] == ' ') end--;
    line->name_at = (uint16_t)at;
    line->name_bytes = (uint16_t)name_bytes;
    line->value_at = (uint16_t)value;
    line->value_bytes = (uint16_t)(end > value ? end - value : 0);
    return 1;
}

// Ends of lines are found in blocks at fixed distances, not from the end of one line to the end of
// the next: so no load waits for what the one before it found, and the processor has several lines
// in hand at once.
WIDE static size_t plain_lines(const uint8_t *p, size_t n, size_t *start, cbytes_head_line *lines,
                               size_t room) {
    size_t at = *start, count = 0;
    uint64_t last = 0;
    for (size_t block = at; block < n; block += 64) {
        const uint64_t mask = not_printable64(p, n, block);
        // Where a run of such bytes begins: the LF after a CR, or the empty line, begins none.
        uint64_t ends = mask & ~(mask << 1 | last);
        last = mask >> 63;
        for (; ends != 0; ends &= ends - 1) {
            const size_t end = block + _tzcnt_u64(ends);
            if (count == room || !describe(p, n, at, end, lines + count)) goto stop;
            count++;
            at = end + 2;
            // The empty line: what follows is the next request's.
            if (at < n && p[at] == '\r') goto stop;
        }
    }
stop:
    *start = at;
    return count;
}

// Controls and spaces.
INLINE_WIDE unsigned not_target(__m256i x) {
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x20)), x);
    const __m256i del = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x7f));
    return (unsigned)_mm256_movemask_epi8(_mm256_or_si256(low, del));
}

WIDE static size_t target_end(const uint8_t *p, size_t n, size_t at) {
    for (; at + 32 <= n; at += 32) {
        const unsigned mask = not_target(load(p + at));
        if (mask) return at + _tzcnt_u32(mask);
    }
    if (at >= n) return n;
    unsigned shift;
    const __m256i x = load_last(p, n, at, &shift);
    const unsigned mask = not_target(x) >> shift;
    return mask ? at + _tzcnt_u32(mask) : n;
}

static inline int is_wide(size_t n) {
    return n >= 32 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}
#endif

size_t cbytes_plain_head_lines(const uint8_t *p, size_t n, size_t *at, cbytes_head_line *lines,
                               size_t room) {
#if defined(__x86_64__)
    if (is_wide(n)) return plain_lines(p, n, at, lines, room);
#endif
    return 0;
}

size_t cbytes_head_target_end(const uint8_t *p, size_t n, size_t at) {
#if defined(__x86_64__)
    if (is_wide(n)) return target_end(p, n, at);
#endif
    return at + cbytes_find_target_end(p + at, n - at);
}
