#ifndef HYDRANT_CBYTES_H
#define HYDRANT_CBYTES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "HeadLines.h"

// Byte work that Swift has no instruction for: 16-byte searches, CRC-32C, base64.
// The searches are `static inline`, so they are inlined into the Swift callers.

#if defined(__SSE2__)
#include <emmintrin.h>
#define CBYTES_SSE2 1
#endif

/// True when 16 bytes may be loaded at `p` without touching another page than its own. That page
/// must be ours: `p` points at a byte of the text, not behind an empty one.
static inline int cbytes_may_load16(const uint8_t *p) { return ((uintptr_t)p & 4095) <= 4080; }

#define CBYTES_SEARCH(NAME, SCALAR_TEST, VECTOR_MASK)                                              \
    static inline __attribute__((no_sanitize("address"))) size_t NAME(const uint8_t *p, size_t n) { \
        size_t i = 0;                                                                              \
        CBYTES_VECTOR_PART(VECTOR_MASK)                                                            \
        for (; i < n; i++) {                                                                       \
            uint8_t c = p[i];                                                                      \
            if (SCALAR_TEST) return i;                                                             \
        }                                                                                          \
        return n;                                                                                  \
    }

#if CBYTES_SSE2
#define CBYTES_VECTOR_PART(MASK)                                                                   \
    while (i < n && (i + 16 <= n || cbytes_may_load16(p + i))) {                                   \
        const __m128i x = _mm_loadu_si128((const __m128i *)(p + i));                               \
        unsigned m = (unsigned)_mm_movemask_epi8(MASK);                                            \
        if (m) {                                                                                   \
            size_t at = i + (size_t)__builtin_ctz(m);                                              \
            return at < n ? at : n;                                                                \
        }                                                                                          \
        i += 16;                                                                                   \
    }
#define CB_EQ(C) _mm_cmpeq_epi8(x, _mm_set1_epi8((char)(C)))
#define CB_AT_MOST(C) _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(C))), x)
#define CB_OR(A, B) _mm_or_si128(A, B)
// Controls, DEL and non-ASCII in two instructions: one added, they are the signed bytes below 0x21.
#define CB_NOT_PRINTABLE _mm_cmpgt_epi8(_mm_set1_epi8(0x21), _mm_add_epi8(x, _mm_set1_epi8(1)))
#define CB_JSON_SPECIAL CB_OR(CB_NOT_PRINTABLE, CB_OR(CB_EQ('"'), CB_EQ('\\')))
#define CB_FORM_SPECIAL CB_OR(CB_JSON_SPECIAL, CB_OR(CB_EQ('%'), CB_EQ('+')))
#else
#define CBYTES_VECTOR_PART(MASK)
#endif

/// First byte that is a control (0x00-0x1f or 0x7f): ends a header line, or is forbidden in it.
CBYTES_SEARCH(cbytes_find_control, (c < 0x20 || c == 0x7f), CB_OR(CB_AT_MOST(0x1f), CB_EQ(0x7f)))
/// First byte that is a control or a space: ends a request target.
CBYTES_SEARCH(cbytes_find_target_end, (c <= 0x20 || c == 0x7f), CB_OR(CB_AT_MOST(0x20), CB_EQ(0x7f)))
/// First '?' of a request target: its query follows.
CBYTES_SEARCH(cbytes_find_question, (c == '?'), CB_EQ('?'))
/// First '&' of a query string.
CBYTES_SEARCH(cbytes_find_ampersand, (c == '&'), CB_EQ('&'))
/// First byte of a form value that cannot go into a JSON string as it stands: control, '"', '\\',
/// '%', '+', or non-ASCII.
CBYTES_SEARCH(cbytes_find_form_special,
              (c < 0x20 || c == '"' || c == '\\' || c == '%' || c == '+' || c >= 0x7f),
              CB_FORM_SPECIAL)
/// First byte of plain text that cannot go into a JSON string as it stands: control, '"', '\\', or
/// non-ASCII.
CBYTES_SEARCH(cbytes_find_json_special, (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f),
              CB_JSON_SPECIAL)

/// How many bytes from `p` on are token characters (RFC 9110, 5.6.2).
static inline size_t cbytes_token_length(const uint8_t *p, size_t n) {
    static const uint8_t is_token[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
        ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1,
        ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
    };
    size_t i = 0;
    while (i < n && is_token[p[i]]) i++;
    return i;
}

// The row encoder's searches. They store as they go: `to` needs 16 bytes more room than the count
// they return, and what lies there afterwards is rubbish to be written over.

#define CBYTES_COPY(NAME, SCALAR_TEST, VECTOR_MASK)                                                \
    static inline __attribute__((no_sanitize("address"))) size_t NAME(                             \
        uint8_t *to, const uint8_t *p, size_t n) {                                                 \
        size_t i = 0;                                                                              \
        CBYTES_VECTOR_COPY(VECTOR_MASK)                                                            \
        for (; i < n; i++) {                                                                       \
            uint8_t c = p[i];                                                                      \
            if (SCALAR_TEST) return i;                                                             \
            to[i] = c;                                                                             \
        }                                                                                          \
        return n;                                                                                  \
    }

#if CBYTES_SSE2
// From 16 bytes on, the last step reaches back over bytes already copied, so that it ends where the
// text ends: nothing beyond is read, and there is no remainder to treat byte by byte.
#define CBYTES_VECTOR_COPY(MASK)                                                                   \
    if (n >= 16) {                                                                                 \
        for (;;) {                                                                                 \
            const __m128i x = _mm_loadu_si128((const __m128i *)(p + i));                           \
            const unsigned m = (unsigned)_mm_movemask_epi8(MASK);                                  \
            _mm_storeu_si128((__m128i *)(to + i), x);                                              \
            if (m) return i + (size_t)__builtin_ctz(m);                                            \
            i += 16;                                                                               \
            if (i + 16 <= n) continue;                                                             \
            if (i == n) return n;                                                                  \
            i = n - 16;                                                                            \
        }                                                                                          \
    }                                                                                              \
    if (n && cbytes_may_load16(p)) {                                                               \
        const __m128i x = _mm_loadu_si128((const __m128i *)p);                                     \
        _mm_storeu_si128((__m128i *)to, x);                                                        \
        return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(MASK) | 1u << n);                 \
    }
#else
#define CBYTES_VECTOR_COPY(MASK)
#endif

/// Copies up to the first byte that cbytes_find_form_special would stop at; returns how many.
CBYTES_COPY(cbytes_copy_form_clean,
            (c < 0x20 || c == '"' || c == '\\' || c == '%' || c == '+' || c >= 0x7f),
            CB_FORM_SPECIAL)
/// Copies up to the first byte that cbytes_find_json_special would stop at; returns how many.
CBYTES_COPY(cbytes_copy_json_clean, (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f),
            CB_JSON_SPECIAL)

/// memcpy for short runs, in steps of 16 of which the last reaches back. Of fewer bytes than 16, all
/// 16 are copied where the source's page allows it.
static inline __attribute__((no_sanitize("address"))) void cbytes_copy_short(uint8_t *to,
                                                                             const uint8_t *p,
                                                                             size_t n) {
#if CBYTES_SSE2
    if (n > 16) {
        for (size_t i = 0; i + 16 < n; i += 16)
            _mm_storeu_si128((__m128i *)(to + i), _mm_loadu_si128((const __m128i *)(p + i)));
        to += n - 16;
        p += n - 16;
        n = 16;
    }
    if (n == 16 || (n && cbytes_may_load16(p))) {
        _mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)p));
        return;
    }
#endif
    memcpy(to, p, n);
}

/// memcpy of a text that has at least 32 bytes of readable memory from its start on, and 15 behind
/// its end: most literals are shorter, so that it takes two steps and no question.
static inline void cbytes_copy_literal(uint8_t *to, const uint8_t *p, size_t n) {
#if CBYTES_SSE2
    _mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)p));
    _mm_storeu_si128((__m128i *)(to + 16), _mm_loadu_si128((const __m128i *)(p + 16)));
    for (size_t i = 32; i < n; i += 16)
        _mm_storeu_si128((__m128i *)(to + i), _mm_loadu_si128((const __m128i *)(p + i)));
#else
    memcpy(to, p, n);
#endif
}

/// One "key=value" of a query string, as offsets into it.
typedef struct {
    uint16_t key_at, key_bytes, value_at, value_bytes;
    /// Bit 0: the key holds a byte that cbytes_find_form_special would stop at; bit 1: the value.
    uint16_t dirty;
} cbytes_form_pair;

static inline uint64_t cbytes_form_masks(const uint8_t *p, size_t n, uint64_t *special) {
#if CBYTES_SSE2
    uint64_t separators = 0, specials = 0;
    for (unsigned at = 0; at < 64 && at < n; at += 16) {
        uint8_t tail[16];
        const uint8_t *q = p + at;
        if (at + 16 > n && !cbytes_may_load16(q)) {
            memcpy(tail, q, n - at);
            q = tail;
        }
        const __m128i x = _mm_loadu_si128((const __m128i *)q);
        const __m128i s = CB_OR(CB_EQ('&'), CB_EQ('='));
        const __m128i d = CB_FORM_SPECIAL;
        separators |= (uint64_t)(unsigned)_mm_movemask_epi8(s) << at;
        specials |= (uint64_t)(unsigned)_mm_movemask_epi8(d) << at;
    }
#else
    uint64_t separators = 0, specials = 0;
    for (unsigned i = 0; i < 64 && i < n; i++) {
        uint8_t c = p[i];
        separators |= (uint64_t)(c == '&' || c == '=') << i;
        specials |=
            (uint64_t)(c < 0x20 || c == '"' || c == '\\' || c == '%' || c == '+' || c >= 0x7f) << i;
    }
#endif
    const uint64_t valid = n >= 64 ? ~0ull : (1ull << n) - 1;
    *special = specials & valid;
    return separators & valid;
}

/// Cuts a query string of fewer than 65,536 bytes at '&' and each piece at its first '='. Empty
/// pieces are left out. Returns the number of pairs, at most `max`; `*rest_at` is where the part
/// begins that was not cut because there were more (else `n`).
static inline __attribute__((no_sanitize("address"))) size_t cbytes_form_pairs(
    const uint8_t *p, size_t n, cbytes_form_pair *pairs, size_t max, size_t *rest_at) {
    size_t count = 0, start = 0, value_at = 0;
    int in_value = 0;
    unsigned key_dirty = 0, dirty = 0;
    *rest_at = n;
    for (size_t i = 0; i <= n; i += 64) {
        uint64_t special = 0;
        uint64_t separators = i < n ? cbytes_form_masks(p + i, n - i, &special) : 0;
        // The end of the string ends a pair as '&' does.
        if (n - i < 64) separators |= 1ull << (n - i);
        while (separators) {
            const unsigned bit = (unsigned)__builtin_ctzll(separators);
            const size_t at = i + bit;
            separators &= separators - 1;
            // Most queries hold nothing special.
            if (special) {
                const uint64_t below = (1ull << bit) - 1;
                dirty |= (special & below) != 0;
                special &= ~below;
            }
            if (at < n && p[at] == '=') {
                if (!in_value) {
                    in_value = 1;
                    value_at = at + 1;
                    key_dirty = dirty;
                    dirty = 0;
                }
                continue;
            }
            if (in_value || at > start) {
                cbytes_form_pair *pair = pairs + count++;
                pair->key_at = (uint16_t)start;
                if (in_value) {
                    pair->key_bytes = (uint16_t)(value_at - 1 - start);
                    pair->value_at = (uint16_t)value_at;
                    pair->value_bytes = (uint16_t)(at - value_at);
                    pair->dirty = (uint16_t)(key_dirty | dirty << 1);
                } else {
                    pair->key_bytes = (uint16_t)(at - start);
                    pair->value_at = (uint16_t)at;
                    pair->value_bytes = 0;
                    pair->dirty = (uint16_t)dirty;
                }
                if (count == max) {
                    if (at < n) *rest_at = at + 1;
                    return count;
                }
            }
            start = at + 1;
            in_value = 0;
            dirty = 0;
        }
        dirty |= special != 0;
    }
    return count;
}

/// The 32 lower-case hexadecimal digits of 16 bytes, with a UUID's dashes: 36 bytes.
static inline void cbytes_uuid_text(const uint8_t *in, uint8_t *out) {
    uint8_t digits[32];
#if CBYTES_SSE2
    const __m128i x = _mm_loadu_si128((const __m128i *)in);
    const __m128i low = _mm_and_si128(x, _mm_set1_epi8(15));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(x, 4), _mm_set1_epi8(15));
    const __m128i nine = _mm_set1_epi8(9), zero = _mm_set1_epi8('0');
    const __m128i letters = _mm_set1_epi8('a' - '9' - 1);
    __m128i first = _mm_unpacklo_epi8(high, low), second = _mm_unpackhi_epi8(high, low);
    first = _mm_add_epi8(_mm_add_epi8(first, zero),
                         _mm_and_si128(_mm_cmpgt_epi8(first, nine), letters));
    second = _mm_add_epi8(_mm_add_epi8(second, zero),
                          _mm_and_si128(_mm_cmpgt_epi8(second, nine), letters));
    _mm_storeu_si128((__m128i *)digits, first);
    _mm_storeu_si128((__m128i *)(digits + 16), second);
#else
    for (int i = 0; i < 16; i++) {
        digits[2 * i] = (uint8_t) "0123456789abcdef"[in[i] >> 4];
        digits[2 * i + 1] = (uint8_t) "0123456789abcdef"[in[i] & 15];
    }
#endif
    memcpy(out, digits, 8);
    out[8] = '-';
    memcpy(out + 9, digits + 8, 4);
    out[13] = '-';
    memcpy(out + 14, digits + 12, 4);
    out[18] = '-';
    memcpy(out + 19, digits + 16, 4);
    out[23] = '-';
    memcpy(out + 24, digits + 20, 12);
}

/// "00" to "99".
static const char cbytes_two_digits[200] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/// Two decimal digits of a number below 100.
static inline void cbytes_two(uint32_t value, uint8_t *out) {
    memcpy(out, cbytes_two_digits + 2 * value, 2);
}

/// Six decimal digits of a number below 1,000,000.
static inline void cbytes_six(uint32_t value, uint8_t *out) {
    cbytes_two(value / 10000, out);
    cbytes_two(value / 100 % 100, out + 2);
    cbytes_two(value % 100, out + 4);
}

/// An octet's decimal digits and a dot, and in `byte_count` how many bytes that is.
typedef struct {
    uint8_t text[4];
    uint32_t byte_count;
} cbytes_octet;
/// Of every octet. Hidden: read without the detour that a symbol of another library would take.
extern __attribute__((visibility("hidden"))) cbytes_octet cbytes_octets[256];

/// The dotted decimal text of four octets, at most 15 bytes; returns how many. Stores one more.
static inline size_t cbytes_dotted_text(const uint8_t *octets, uint8_t *out) {
    uint8_t *at = out;
    for (int i = 0; i < 4; i++) {
        const cbytes_octet *octet = cbytes_octets + octets[i];
        memcpy(at, octet->text, 4);
        at += octet->byte_count;
    }
    return (size_t)(at - out) - 1;
}

/// CRC-32C (Castagnoli), continued from `crc` (0 to begin). Hardware where there is SSE 4.2.
uint32_t cbytes_crc32c(uint32_t crc, const void *bytes, size_t count);

/// Standard base64 with padding for a count not divisible by three; returns bytes written,
/// ((count + 2) / 3) * 4. Vectorized where there is AVX2.
size_t cbytes_base64_encode(const uint8_t *in, size_t count, uint8_t *out);
/// Decodes standard base64 (padding required, no white space). Returns bytes written, or -1.
ptrdiff_t cbytes_base64_decode(const uint8_t *in, size_t count, uint8_t *out);
#endif
