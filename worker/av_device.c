/*
 * dlopen() of the very version that this was compiled for.
 */
#include "config.h"

#include "worker/av_device.h"

#include "shared/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <libavdevice/avdevice.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define LIBRARY    "libavdevice.so." TEXT(LIBAVDEVICE_VERSION_MAJOR)

int
av_device_load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL), *symbol = NULL;

	if (library != NULL)
		symbol = dlsym(library, "avdevice_register_all");
	if (symbol == NULL) {
		log_debug("%s: %s", LIBRARY, dlerror());
		return -ENOENT;
	}
	((void (*)(void))(uintptr_t)symbol)();
	return 0;
}
