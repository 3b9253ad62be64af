/*
 * camhub-http: started by the supervisor, with its name as the only argument.
 */
#include "config.h"

#include "http/front.h"

int
main(int argc, char **argv)
{
	return front_main(&front_http, argc, argv);
}
