/*
 * camhub-rtc: started by the supervisor, with its name as the only argument.
 */
#include "config.h"

#include "rtc/rtc.h"

int
main(int argc, char **argv)
{
	return front_main(&front_rtc, argc, argv);
}
