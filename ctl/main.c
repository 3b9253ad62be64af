/*
 * camctl: everything is in the library, so that tests link the same code.
 */
#include "config.h"

#include "ctl/ctl.h"

int
main(int argc, char **argv)
{
	return ctl_main(argc, argv);
}
