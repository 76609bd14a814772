/* Every function of the driver that is not emulated ends the program with its name. */
#include "emu.h"

#define X(name) \
	extern "C" __attribute__((weak)) int name(void) { emu_fail("%s is not emulated", #name); }
#include "driver.def"
#undef X
