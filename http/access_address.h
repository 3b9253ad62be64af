/*
 * Who is at the other end of a connection when a trusted proxy stands between. Pure.
 */
#ifndef CAMHUB_HTTP_ACCESS_ADDRESS_H
#define CAMHUB_HTTP_ACCESS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ACCESS_ADDRESS_BYTES 46 /* of an address in numbers, with its NUL */

/* Whether address lies in net (shared/network.h). IPv4 mapped into IPv6 is that IPv4. false for
 * what is neither. */
bool access_address_is_in(const char *address, const char *net);

/*
 * The client of a request from peer with this X-Forwarded-For (all its lines joined by commas;
 * NULL: none). Only trusted proxies (nets, ends with NULL) are believed, from the right to the
 * left: the first that is none of them is the client. What is no address is not believed, and nor
 * is anything left of it. Writes an address, always.
 */
void access_address_of(const char *peer, char *const *trusted, const char *forwarded,
		       char address[ACCESS_ADDRESS_BYTES]);

#endif
