#ifndef HYDRANT_CJSON_H
#define HYDRANT_CJSON_H
#include <stddef.h>
#include <stdint.h>

// simdjson's document parser behind a C interface, since Swift sees no C++. A parsed document lives
// in its parser until the next parse; values and texts point into it.

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable, not zero, after a text that is parsed.
#define CJSON_PADDING 64

typedef struct cjson_parser cjson_parser;

/// A value of the parser's current document.
typedef struct {
    uintptr_t opaque[2];
} cjson_value;

/// Where an iteration over an object or array stands, and where it ends.
typedef struct {
    uintptr_t opaque[4];
} cjson_cursor;

typedef struct {
    const char *bytes;
    size_t count;
} cjson_text;

typedef enum __attribute__((enum_extensibility(closed))) {
    cjson_kind_null,
    cjson_kind_bool,
    cjson_kind_integer,
    /// An integer above INT64_MAX, at most UINT64_MAX.
    cjson_kind_unsigned,
    cjson_kind_double,
    cjson_kind_text,
    cjson_kind_array,
    cjson_kind_object
} cjson_kind;

/// Documents are at most `bytes_max` long. Memory is taken as documents need it.
cjson_parser *cjson_make(size_t bytes_max);
void cjson_free(cjson_parser *parser);

/// Parses exactly one JSON value, strictly (UTF-8 checked, nothing may follow but white space).
/// NULL and the root on success; else what is wrong, in words.
const char *cjson_parse(cjson_parser *parser, const char *text, size_t count, cjson_value *root);

cjson_kind cjson_kind_of(cjson_value value);
int cjson_bool(cjson_value value);
int64_t cjson_integer(cjson_value value);
uint64_t cjson_unsigned(cjson_value value);
/// Of any number.
double cjson_double(cjson_value value);
/// Unescaped UTF-8; may hold zero bytes.
cjson_text cjson_text_of(cjson_value value);

/// Of an object or an array.
cjson_cursor cjson_begin(cjson_value container);
/// The next field of an object, in document order; repeated keys are all given. 0 at the end.
int cjson_next_field(cjson_cursor *cursor, cjson_text *key, cjson_value *value);
/// The next element of an array. 0 at the end.
int cjson_next_element(cjson_cursor *cursor, cjson_value *value);

/// The value as compact JSON text, kept in the parser until the next call.
cjson_text cjson_compact(cjson_parser *parser, cjson_value value);

#ifdef __cplusplus
}
#endif
#endif
