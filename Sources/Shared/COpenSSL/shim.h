#ifndef HYDRANT_COPENSSL_SHIM_H
#define HYDRANT_COPENSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// EVP's digests allocate each time they begin (OpenSSL 3.0). These work in the caller's memory; they
// are deprecated in favour of EVP, not about to go.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static inline int cossl_sha256_init(SHA256_CTX *context) { return SHA256_Init(context); }
static inline int cossl_sha256_update(SHA256_CTX *context, const void *bytes, size_t count) {
    return SHA256_Update(context, bytes, count);
}
static inline int cossl_sha256_final(unsigned char *digest, SHA256_CTX *context) {
    return SHA256_Final(digest, context);
}
#pragma clang diagnostic pop

// Macros over SSL_ctrl and SSL_CTX_ctrl, which Swift does not see as functions.
static inline int cossl_ctx_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline void cossl_ctx_no_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline int cossl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
// A constant that is a shift of a 64-bit cast: Swift imports no such macro.
static inline uint64_t cossl_no_renegotiation(void) { return SSL_OP_NO_RENEGOTIATION; }
// A macro; the number behind such an error is an errno, and has no words of OpenSSL's.
static inline int cossl_is_system_error(unsigned long error) { return ERR_SYSTEM_ERROR(error); }
#endif
