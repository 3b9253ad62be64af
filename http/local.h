/*
 * Of a connection: which address of ours was reached (a candidate for the packets that are sent
 * there), and whether anybody is still at its other end.
 */
#ifndef CAMHUB_HTTP_LOCAL_H
#define CAMHUB_HTTP_LOCAL_H

#include <netinet/in.h>
#include <stdbool.h>

#define LOCAL_ADDRESS_BYTES INET6_ADDRSTRLEN

struct evhttp_request;

/* Numeric, without port, IPv4 also where it came over an IPv6 socket; "" when it is neither. */
void local_address_of(int fd, char out[LOCAL_ADDRESS_BYTES]);
void local_address_of_request(struct evhttp_request *req, char out[LOCAL_ADDRESS_BYTES]);

/* The client has hung up: nobody reads an answer. evhttp does not look while a request is handled.
 */
bool local_has_left(struct evhttp_request *req);

#endif
