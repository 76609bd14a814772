/* The kernels themselves, as the emulated device has them. */
#include "../rsie.cu"

#include "emu.h"

const emu_kernel emu_kernels[] = {
#define X(name) {"rsie_" #name, (emu_entry)rsie_##name},
#include "../kernels.def"
#undef X
};
const int emu_kernel_count = sizeof emu_kernels / sizeof *emu_kernels;
