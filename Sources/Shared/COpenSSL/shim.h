#ifndef HYDRANT_COPENSSL_SHIM_H
#define HYDRANT_COPENSSL_SHIM_H
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

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
#endif
