/* TLS in front of a server on loopback that speaks cleartext, on a thread of its own: what comes
 * encrypted goes there in the clear, and back. A connection ends at both sides when it ends at one.
 * The certificate is "good" of the test directory, so the program needs WEFT_TEST_CERTS. */
#ifndef TESTS_SUPPORT_TLS_FRONT_H
#define TESTS_SUPPORT_TLS_FRONT_H

#include <stdint.h>

struct tls_front;

/* Listens on 127.0.0.1 @port, or any when that is 0, for the server on @behind_port, and agrees on
 * @alpn only. Aborts when that cannot be done. */
struct tls_front *tls_front_new(uint16_t port, uint16_t behind_port, const char *alpn);
void tls_front_free(struct tls_front *front);

#endif
