/*
 * Addresses of this machine at which others may reach it.
 */
#ifndef CAMHUB_SHARED_INTERFACES_H
#define CAMHUB_SHARED_INTERFACES_H

#define INTERFACES_ADDRESS_BYTES 46 /* numeric, with its NUL */

/* Of the interfaces that are up, but for loopback and link-local ones. Returns how many, 0 also
 * when the kernel does not tell. */
unsigned interfaces_addresses(char out[][INTERFACES_ADDRESS_BYTES], unsigned max);

#endif
