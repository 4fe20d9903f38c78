#include "CJSON.h"

#include <simdjson.h>

#include <cstring>
#include <new>
#include <string>
#include <type_traits>

using namespace simdjson;

struct cjson_parser {
    dom::parser parser;
    std::string compact;

    explicit cjson_parser(size_t bytes_max) : parser(bytes_max) {}
};

namespace {

// simdjson's handles are two words, trivially copied: so they can travel through C as two words.
template <class Handle, class Opaque> Handle unwrap(const Opaque *from) {
    static_assert(std::is_trivially_copyable<Handle>::value, "handles travel as bytes");
    Handle handle;
    std::memcpy(static_cast<void *>(&handle), from, sizeof handle);
    return handle;
}

template <class Handle, class Opaque> void wrap(const Handle &handle, Opaque *into) {
    static_assert(std::is_trivially_copyable<Handle>::value, "handles travel as bytes");
    std::memcpy(into, static_cast<const void *>(&handle), sizeof handle);
}

static_assert(sizeof(dom::element) == sizeof(cjson_value), "cjson_value holds an element");
static_assert(2 * sizeof(dom::object::iterator) == sizeof(cjson_cursor), "and a cursor two places");
static_assert(2 * sizeof(dom::array::iterator) == sizeof(cjson_cursor), "and a cursor two places");

dom::element element(const cjson_value &value) { return unwrap<dom::element>(&value); }

cjson_value value(const dom::element &element) {
    cjson_value out;
    wrap(element, &out);
    return out;
}

template <class Container> cjson_cursor begin(const Container &container) {
    cjson_cursor cursor;
    wrap(container.begin(), &cursor.opaque[0]);
    wrap(container.end(), &cursor.opaque[2]);
    return cursor;
}

} // namespace

extern "C" {

cjson_parser *cjson_make(size_t bytes_max) { return new (std::nothrow) cjson_parser(bytes_max); }

void cjson_free(cjson_parser *parser) { delete parser; }

const char *cjson_parse(cjson_parser *parser, const char *text, size_t count, cjson_value *root) {
    dom::element parsed;
    // `false`: the caller's text is padded already, so it is not copied.
    error_code error = parser->parser.parse(text, count, false).get(parsed);
    if (error) return error_message(error);
    *root = value(parsed);
    return nullptr;
}

cjson_kind cjson_kind_of(cjson_value value) {
    switch (element(value).type()) {
    case dom::element_type::BOOL: return cjson_kind_bool;
    case dom::element_type::INT64: return cjson_kind_integer;
    case dom::element_type::UINT64: return cjson_kind_unsigned;
    case dom::element_type::DOUBLE: return cjson_kind_double;
    case dom::element_type::STRING: return cjson_kind_text;
    case dom::element_type::ARRAY: return cjson_kind_array;
    case dom::element_type::OBJECT: return cjson_kind_object;
    default: return cjson_kind_null;
    }
}

int cjson_bool(cjson_value value) {
    bool out = false;
    (void)element(value).get_bool().get(out);
    return out;
}

int64_t cjson_integer(cjson_value value) {
    int64_t out = 0;
    (void)element(value).get_int64().get(out);
    return out;
}

uint64_t cjson_unsigned(cjson_value value) {
    uint64_t out = 0;
    (void)element(value).get_uint64().get(out);
    return out;
}

double cjson_double(cjson_value value) {
    double out = 0;
    (void)element(value).get_double().get(out);
    return out;
}

cjson_text cjson_text_of(cjson_value value) {
    std::string_view out;
    if (element(value).get_string().get(out)) return {"", 0};
    return {out.data(), out.size()};
}

cjson_cursor cjson_begin(cjson_value container) {
    dom::object object;
    if (!element(container).get_object().get(object)) return begin(object);
    dom::array array;
    if (!element(container).get_array().get(array)) return begin(array);
    return {};
}

int cjson_next_field(cjson_cursor *cursor, cjson_text *key, cjson_value *out) {
    auto at = unwrap<dom::object::iterator>(&cursor->opaque[0]);
    if (!(at != unwrap<dom::object::iterator>(&cursor->opaque[2]))) return 0;
    std::string_view name = at.key();
    *key = {name.data(), name.size()};
    *out = value(at.value());
    ++at;
    wrap(at, &cursor->opaque[0]);
    return 1;
}

int cjson_next_element(cjson_cursor *cursor, cjson_value *out) {
    auto at = unwrap<dom::array::iterator>(&cursor->opaque[0]);
    if (!(at != unwrap<dom::array::iterator>(&cursor->opaque[2]))) return 0;
    *out = value(*at);
    ++at;
    wrap(at, &cursor->opaque[0]);
    return 1;
}

cjson_text cjson_compact(cjson_parser *parser, cjson_value value) {
    parser->compact = minify(element(value));
    return {parser->compact.data(), parser->compact.size()};
}
}
