#ifndef HYDRANT_CBYTES_H
#define HYDRANT_CBYTES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Byte work that Swift has no instruction for: 16-byte searches, CRC-32C, base64.
// The searches are `static inline`, so they are inlined into the Swift callers.

#if defined(__SSE2__)
#include <emmintrin.h>
#define CBYTES_SSE2 1
#endif

/// True when 16 bytes may be loaded at `p` without touching another page than its own.
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
#define CB_AT_LEAST(C) _mm_cmpeq_epi8(_mm_max_epu8(x, _mm_set1_epi8((char)(C))), x)
#define CB_OR(A, B) _mm_or_si128(A, B)
#else
#define CBYTES_VECTOR_PART(MASK)
#endif

/// First byte that is a control (0x00-0x1f or 0x7f): ends a header line, or is forbidden in it.
CBYTES_SEARCH(cbytes_find_control, (c < 0x20 || c == 0x7f), CB_OR(CB_AT_MOST(0x1f), CB_EQ(0x7f)))
/// First byte that is a control or a space: ends a request target.
CBYTES_SEARCH(cbytes_find_target_end, (c <= 0x20 || c == 0x7f), CB_OR(CB_AT_MOST(0x20), CB_EQ(0x7f)))
/// First '&' of a query string.
CBYTES_SEARCH(cbytes_find_ampersand, (c == '&'), CB_EQ('&'))
/// First byte of a form value that cannot go into a JSON string as it stands: control, '"', '\\',
/// '%', '+', or non-ASCII.
CBYTES_SEARCH(cbytes_find_form_special,
              (c < 0x20 || c == '"' || c == '\\' || c == '%' || c == '+' || c >= 0x7f),
              CB_OR(CB_OR(CB_OR(CB_AT_MOST(0x1f), CB_EQ('"')), CB_OR(CB_EQ('\\'), CB_EQ('%'))),
                    CB_OR(CB_EQ('+'), CB_AT_LEAST(0x7f))))
/// First byte of plain text that cannot go into a JSON string as it stands: control, '"', '\\', or
/// non-ASCII.
CBYTES_SEARCH(cbytes_find_json_special, (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f),
              CB_OR(CB_OR(CB_AT_MOST(0x1f), CB_EQ('"')), CB_OR(CB_EQ('\\'), CB_AT_LEAST(0x7f))))

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

/// CRC-32C (Castagnoli), continued from `crc` (0 to begin). Hardware where there is SSE 4.2.
uint32_t cbytes_crc32c(uint32_t crc, const void *bytes, size_t count);

/// Standard base64 with padding for a count not divisible by three; returns bytes written,
/// ((count + 2) / 3) * 4. Vectorized where there is AVX2.
size_t cbytes_base64_encode(const uint8_t *in, size_t count, uint8_t *out);
/// Decodes standard base64 (padding required, no white space). Returns bytes written, or -1.
ptrdiff_t cbytes_base64_decode(const uint8_t *in, size_t count, uint8_t *out);
#endif
