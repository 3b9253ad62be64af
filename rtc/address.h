/*
 * Socket addresses as values: to be compared, hashed, told to people.
 */
#ifndef CAMHUB_RTC_ADDRESS_H
#define CAMHUB_RTC_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RTC_ADDRESS_TEXT 46 /* with its NUL; no port */

/* family AF_UNSPEC: none. Only what its family has is set, the rest is zero. */
union rtc_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Of what the kernel said. Returns false for other families. */
bool rtc_address_from(const struct sockaddr *sa, size_t len, union rtc_address *address);
/* To which that socket is bound. Returns 0 or a negative errno. */
int rtc_address_of(int fd, union rtc_address *address);
/* A numeric address, without port. Returns false when it is none. */
bool rtc_address_parse(const char *text, uint16_t port, union rtc_address *address);
socklen_t rtc_address_len(const union rtc_address *address);
uint16_t rtc_address_port(const union rtc_address *address);

/* Address, port and scope. */
bool rtc_address_is_same(const union rtc_address *a, const union rtc_address *b);
/* The same but for the port. */
bool rtc_address_is_same_host(const union rtc_address *a, const union rtc_address *b);
/* Keyed, because peers choose what is hashed. */
uint32_t rtc_address_hash(const union rtc_address *address, uint64_t key);
/* Numeric, v4-mapped ones as IPv4; "" for none. */
void rtc_address_text(const union rtc_address *address, char out[RTC_ADDRESS_TEXT]);

#endif
