#include "CBytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// MARK: octets

cbytes_octet cbytes_octets[256];

static __attribute__((constructor(101))) void make_octets(void) {
    for (unsigned value = 0; value < 256; value++) {
        uint8_t *at = cbytes_octets[value].text;
        if (value >= 100) *at++ = (uint8_t)('0' + value / 100);
        if (value >= 10) *at++ = (uint8_t)('0' + value / 10 % 10);
        *at++ = (uint8_t)('0' + value % 10);
        *at++ = '.';
        cbytes_octets[value].byte_count = (uint32_t)(at - cbytes_octets[value].text);
    }
}

// MARK: CRC-32C

static uint32_t crc_table[256];

static __attribute__((constructor(101))) void make_crc_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
        crc_table[i] = crc;
    }
}

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *at, size_t count) {
    while (count--) crc = (crc >> 8) ^ crc_table[(crc ^ *at++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
// The instruction takes three cycles and a new one can begin every cycle, so three lanes of
// LANE bytes run side by side; then the first two are moved past what follows them by tables of
// the linear map "append LANE zero bytes".
#define LANE 256
static uint32_t shift_table[4][256];

static uint32_t append_zeros(uint32_t crc, size_t count) {
    while (count--) crc = (crc >> 8) ^ crc_table[crc & 0xff];
    return crc;
}

static __attribute__((constructor(102))) void make_shift_table(void) {
    for (int byte = 0; byte < 4; byte++)
        for (uint32_t value = 0; value < 256; value++)
            shift_table[byte][value] = append_zeros(value << (8 * byte), LANE);
}

static inline uint32_t past_lane(uint32_t crc) {
    return shift_table[0][crc & 0xff] ^ shift_table[1][crc >> 8 & 0xff] ^
           shift_table[2][crc >> 16 & 0xff] ^ shift_table[3][crc >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *at,
                                                               size_t count) {
    for (; count >= 3 * LANE; at += 3 * LANE, count -= 3 * LANE) {
        uint64_t a = crc, b = 0, c = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            uint64_t x, y, z;
            memcpy(&x, at + i, 8);
            memcpy(&y, at + LANE + i, 8);
            memcpy(&z, at + 2 * LANE + i, 8);
            a = _mm_crc32_u64(a, x);
            b = _mm_crc32_u64(b, y);
            c = _mm_crc32_u64(c, z);
        }
        crc = past_lane(past_lane((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
    }
    uint64_t wide = crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    while (count--) crc = _mm_crc32_u8(crc, *at++);
    return crc;
}
#endif

uint32_t cbytes_crc32c(uint32_t crc, const void *bytes, size_t count) {
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(crc, bytes, count);
#endif
    return ~crc32c_portable(crc, bytes, count);
}

// MARK: base64

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#if defined(__x86_64__)
// 24 bytes become 32 characters at a time: bytes are spread so that each 32-bit lane holds the
// three it needs, two multiplications move the four 6-bit groups into place, and a 16-entry
// shuffle adds to each group the distance to its part of the alphabet.
__attribute__((target("avx2"))) static size_t base64_encode_avx2(const uint8_t *in, size_t count,
                                                                 uint8_t *out) {
    const __m256i spread =
        _mm256_set_epi8(10, 11, 9, 10, 7, 8, 6, 7, 4, 5, 3, 4, 1, 2, 0, 1, 10, 11, 9, 10, 7, 8, 6, 7,
                        4, 5, 3, 4, 1, 2, 0, 1);
    const __m256i distance = _mm256_setr_epi8(
        'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0, 'a' - 26, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63,
        'A', 0, 0);
    size_t done = 0;
    // The second load reads bytes 12 ..< 28.
    while (count - done >= 28) {
        __m256i x = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(in + done))),
            _mm_loadu_si128((const __m128i *)(in + done + 12)), 1);
        x = _mm256_shuffle_epi8(x, spread);
        __m256i high = _mm256_mulhi_epu16(_mm256_and_si256(x, _mm256_set1_epi32(0x0fc0fc00)),
                                          _mm256_set1_epi32(0x04000040));
        __m256i low = _mm256_mullo_epi16(_mm256_and_si256(x, _mm256_set1_epi32(0x003f03f0)),
                                         _mm256_set1_epi32(0x01000010));
        __m256i index = _mm256_or_si256(high, low);
        __m256i part = _mm256_subs_epu8(index, _mm256_set1_epi8(51));
        __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), index);
        part = _mm256_or_si256(part, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
        _mm256_storeu_si256((__m256i *)out,
                            _mm256_add_epi8(_mm256_shuffle_epi8(distance, part), index));
        out += 32;
        done += 24;
    }
    return done;
}
#endif

size_t cbytes_base64_encode(const uint8_t *in, size_t count, uint8_t *out) {
    const uint8_t *start = out;
    size_t i = 0;
#if defined(__x86_64__)
    if (count >= 28 && __builtin_cpu_supports("avx2")) {
        i = base64_encode_avx2(in, count, out);
        out += i / 3 * 4;
    }
#endif
    for (; i + 3 <= count; i += 3) {
        uint32_t three = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        *out++ = (uint8_t)alphabet[three >> 18];
        *out++ = (uint8_t)alphabet[three >> 12 & 63];
        *out++ = (uint8_t)alphabet[three >> 6 & 63];
        *out++ = (uint8_t)alphabet[three & 63];
    }
    if (i < count) {
        uint32_t rest = (uint32_t)in[i] << 16 | (i + 1 < count ? (uint32_t)in[i + 1] << 8 : 0);
        *out++ = (uint8_t)alphabet[rest >> 18];
        *out++ = (uint8_t)alphabet[rest >> 12 & 63];
        *out++ = i + 1 < count ? (uint8_t)alphabet[rest >> 6 & 63] : '=';
        *out++ = '=';
    }
    return (size_t)(out - start);
}

static int8_t base64_value[256];

static __attribute__((constructor)) void make_base64_values(void) {
    memset(base64_value, -1, sizeof base64_value);
    for (int i = 0; i < 64; i++) base64_value[(uint8_t)alphabet[i]] = (int8_t)i;
}

ptrdiff_t cbytes_base64_decode(const uint8_t *in, size_t count, uint8_t *out) {
    if (count % 4) return -1;
    if (count == 0) return 0;
    size_t padding = (size_t)(in[count - 1] == '=') + (size_t)(in[count - 2] == '=');
    if (padding == 1 && in[count - 2] == '=') return -1;
    if (padding == 2 && in[count - 1] != '=') return -1;
    const uint8_t *start = out;
    size_t whole = count - (padding ? 4 : 0);
    for (size_t i = 0; i < whole; i += 4) {
        int a = base64_value[in[i]], b = base64_value[in[i + 1]];
        int c = base64_value[in[i + 2]], d = base64_value[in[i + 3]];
        if ((a | b | c | d) < 0) return -1;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        *out++ = (uint8_t)(b << 4 | c >> 2);
        *out++ = (uint8_t)(c << 6 | d);
    }
    if (padding) {
        int a = base64_value[in[whole]], b = base64_value[in[whole + 1]];
        int c = padding == 1 ? base64_value[in[whole + 2]] : 0;
        if ((a | b | c) < 0) return -1;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        if (padding == 1) *out++ = (uint8_t)(b << 4 | c >> 2);
    }
    return out - start;
}
