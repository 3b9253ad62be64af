/*
 * What the kernel says of its interfaces.
 */
#include "config.h"

#include "shared/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX 64

static bool
is_useful(const struct ifaddrs *item)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	const struct sockaddr_in6 *in6;

	if (item->ifa_addr == NULL || (item->ifa_flags & up) != up ||
	    (item->ifa_flags & IFF_LOOPBACK))
		return false;
	if (item->ifa_addr->sa_family == AF_INET)
		return true;
	if (item->ifa_addr->sa_family != AF_INET6)
		return false;
	in6 = (const struct sockaddr_in6 *)(const void *)item->ifa_addr;
	return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

static bool
write_text(const struct sockaddr *sa, char out[INTERFACES_ADDRESS_BYTES])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	const void *address =
	    sa->sa_family == AF_INET ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr;

	return inet_ntop(sa->sa_family, address, out, INTERFACES_ADDRESS_BYTES) != NULL;
}

static bool
is_up(int fd, const struct ifreq *item)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	struct ifreq request = *item;

	return item->ifr_addr.sa_family == AF_INET && ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
	       ((unsigned)request.ifr_flags & up) == up && (request.ifr_flags & IFF_LOOPBACK) == 0;
}

/* Where netlink is closed to us: those of IPv4. */
static unsigned
ask_socket(char out[][INTERFACES_ADDRESS_BYTES], unsigned max)
{
	struct ifreq list[REQUESTS_MAX];
	struct ifconf all = { .ifc_len = sizeof(list), .ifc_req = list };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned n = 0;

	if (fd < 0)
		return 0;
	if (ioctl(fd, SIOCGIFCONF, &all) < 0)
		all.ifc_len = 0;
	for (size_t i = 0; i < (size_t)all.ifc_len / sizeof(list[0]) && n < max; i++)
		n += is_up(fd, &list[i]) && write_text(&list[i].ifr_addr, out[n]);
	close(fd);
	return n;
}

unsigned
interfaces_addresses(char out[][INTERFACES_ADDRESS_BYTES], unsigned max)
{
	struct ifaddrs *list, *item;
	unsigned n = 0;

	if (getifaddrs(&list) < 0)
		return ask_socket(out, max);
	for (item = list; item != NULL && n < max; item = item->ifa_next)
		n += is_useful(item) && write_text(item->ifa_addr, out[n]);
	freeifaddrs(list);
	return n;
}
