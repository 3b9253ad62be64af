/*
 * main() of camhub-supervisor.
 */
#include "config.h"

#include "supervisor/sup.h"

int
main(int argc, char **argv)
{
	return sup_main(argc, argv);
}
