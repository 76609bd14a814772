/* The functions of libcuda that package gpu uses, over the emulated device. */
#include <cuda.h>

#include "emu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mutex>
#include <string>

static std::mutex lock;
#define LOCKED std::lock_guard<std::mutex> guard(lock)

/* Every device has one context. */
enum { MOST_DEVICES = 8 };
struct CUctx_st {
	int users;
};
static CUctx_st contexts[MOST_DEVICES];
static int devices()
{
	const char *n = getenv("RSIE_EMU_DEVICES");
	return n ? atoi(n) : 1;
}
static thread_local CUcontext current;
static bool initialised;

struct CUmod_st {
	std::string image;
	int functions;
};
struct CUfunc_st {
	const emu_kernel *kernel;
	size_t parameters; /* bytes */
};

static const struct {
	CUresult code;
	const char *name, *text;
} errors[] = {
	{CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
	{CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
	{CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
	{CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
};

CUresult cuGetErrorName(CUresult code, const char **name)
{
	*name = "CUDA_ERROR";
	for (auto &e : errors)
		if (e.code == code) *name = e.name;
	return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult code, const char **text)
{
	*text = "error";
	for (auto &e : errors)
		if (e.code == code) *text = e.text;
	return CUDA_SUCCESS;
}

enum { MOST_THREADS = 1024 };

static int processors()
{
	const char *n = getenv("RSIE_EMU_PROCESSORS");
	return n ? atoi(n) : 2;
}

/* What a kernel that failed leaves behind: every later call returns it. RSIE_EMU_FAULT=kernel makes the
 * next launch of a kernel fail so. */
static CUresult sticky = CUDA_SUCCESS;

#define NEED_CONTEXT \
	if (!current || current->users == 0) return CUDA_ERROR_INVALID_CONTEXT; \
	if (sticky != CUDA_SUCCESS) return sticky

CUresult cuInit(unsigned flags)
{
	LOCKED;
	if (!initialised) emu_watch_faults();
	initialised = true;
	return flags ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) { return *version = 11080, CUDA_SUCCESS; }
CUresult cuDeviceGetCount(int *count) { return *count = devices(), CUDA_SUCCESS; }

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
	if (ordinal < 0 || ordinal >= devices()) return CUDA_ERROR_INVALID_DEVICE;
	*device = ordinal;
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int room, CUdevice)
{
	snprintf(name, (size_t)room, "emulated device");
	return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) { return *bytes = emu_memory_total(), CUDA_SUCCESS; }

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute a, CUdevice)
{
	switch (a) {
	case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = processors(); break;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = 7; break;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = 0; break;
	default: emu_fail("cuDeviceGetAttribute of %d is not emulated", (int)a);
	}
	return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *out, CUdevice d)
{
	LOCKED;
	if (!initialised) return CUDA_ERROR_NOT_INITIALIZED;
	contexts[d].users++;
	*out = &contexts[d];
	return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice d)
{
	LOCKED;
	CUctx_st *c = &contexts[d];
	if (c->users == 0) emu_fail("cuDevicePrimaryCtxRelease of a context that nobody holds");
	emu_check_zones("cuDevicePrimaryCtxRelease");
	emu_log();
	if (--c->users > 0) return CUDA_SUCCESS;
	if (sticky != CUDA_SUCCESS) {
		emu_free_all(c);
		sticky = CUDA_SUCCESS;
	} else if (emu_allocations(c) > 0) {
		emu_fail("cuDevicePrimaryCtxRelease with %d allocations that were not freed", emu_allocations(c));
	}
	return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext c) { return current = c, CUDA_SUCCESS; }
CUresult cuCtxGetCurrent(CUcontext *c) { return *c = current, CUDA_SUCCESS; }

CUresult cuCtxSynchronize(void)
{
	NEED_CONTEXT;
	return CUDA_SUCCESS;
}

CUresult cuMemGetInfo(size_t *free, size_t *total)
{
	NEED_CONTEXT;
	LOCKED;
	*total = emu_memory_total();
	*free = *total - emu_memory_used(current);
	return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr *p, size_t bytes)
{
	NEED_CONTEXT;
	LOCKED;
	if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
	void *data = emu_alloc(current, bytes);
	if (!data) return CUDA_ERROR_OUT_OF_MEMORY;
	*p = (CUdeviceptr)data;
	return CUDA_SUCCESS;
}

CUresult cuMemFree(CUdeviceptr p)
{
	NEED_CONTEXT;
	LOCKED;
	emu_free(current, (void *)p);
	return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD(CUdeviceptr to, const void *from, size_t bytes)
{
	NEED_CONTEXT;
	LOCKED;
	emu_check_range(current, "cuMemcpyHtoD", (void *)to, bytes);
	memcpy((void *)to, from, bytes);
	return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoH(void *to, CUdeviceptr from, size_t bytes)
{
	NEED_CONTEXT;
	LOCKED;
	emu_check_range(current, "cuMemcpyDtoH", (void *)from, bytes);
	memcpy(to, (void *)from, bytes);
	return CUDA_SUCCESS;
}

CUresult cuMemsetD8(CUdeviceptr to, unsigned char value, size_t bytes)
{
	NEED_CONTEXT;
	LOCKED;
	emu_check_range(current, "cuMemsetD8", (void *)to, bytes);
	memset((void *)to, value, bytes);
	return CUDA_SUCCESS;
}

CUresult cuModuleLoadData(CUmodule *module, const void *image)
{
	NEED_CONTEXT;
	LOCKED;
	if (!strstr((const char *)image, ".version")) return CUDA_ERROR_INVALID_IMAGE;
	*module = new CUmod_st{(const char *)image, 0};
	return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule module)
{
	NEED_CONTEXT;
	LOCKED;
	delete module;
	return CUDA_SUCCESS;
}

/* Sums the sizes of the parameters of an entry of the image, placed as they are in a buffer; 0 without
 * the entry. */
static size_t parameters_of(const std::string &image, const std::string &name)
{
	size_t at = image.find(".entry " + name + "("), size = 0;
	if (at == std::string::npos) return 0;
	size_t end = image.find(")", image.find("(", at) + 1);
	for (at = image.find(".param .", at); at < end; at = image.find(".param .", at + 1)) {
		size_t bytes = (size_t)atoi(image.c_str() + at + 9) / 8;
		if (bytes == 0) emu_fail("parameters of %s: a type that is not emulated", name.c_str());
		size = (size + bytes - 1) / bytes * bytes + bytes;
	}
	return size;
}

CUresult cuModuleGetFunction(CUfunction *f, CUmodule module, const char *name)
{
	NEED_CONTEXT;
	LOCKED;
	static CUfunc_st functions[256];
	size_t size = parameters_of(module->image, name);
	for (int i = 0; size > 0 && i < emu_kernel_count; i++)
		if (!strcmp(emu_kernels[i].name, name)) {
			functions[i] = {&emu_kernels[i], size};
			*f = &functions[i];
			return CUDA_SUCCESS;
		}
	return CUDA_ERROR_NOT_FOUND;
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
	unsigned shared, CUstream stream, void **parameters, void **extra)
{
	NEED_CONTEXT;
	LOCKED;
	const char *name = f->kernel->name;
	if (gx == 0 || gy != 1 || gz != 1 || bx == 0 || by != 1 || bz != 1 || bx > MOST_THREADS || stream)
		emu_fail("cuLaunchKernel of %s: %u x %u x %u blocks of %u x %u x %u threads on stream %p", name, gx, gy, gz, bx,
			by, bz, (void *)stream);
	if (shared) emu_fail("cuLaunchKernel of %s with %u bytes of dynamic shared memory, which is not emulated", name, shared);
	if (parameters || !extra || extra[0] != CU_LAUNCH_PARAM_BUFFER_POINTER || extra[2] != CU_LAUNCH_PARAM_BUFFER_SIZE ||
		extra[4] != CU_LAUNCH_PARAM_END)
		emu_fail("cuLaunchKernel of %s: only a buffer of parameters is emulated", name);
	struct {
		void *call, *spans;
		int count;
	} p;
	size_t size = *(size_t *)extra[3];
	if (size != f->parameters || size != offsetof(decltype(p), count) + sizeof p.count)
		emu_fail("cuLaunchKernel of %s with %zu bytes of parameters, want %zu", name, size, f->parameters);
	memcpy(&p, extra[1], size);
	const char *fault = getenv("RSIE_EMU_FAULT");
	if (fault && !strcmp(fault, name)) {
		sticky = CUDA_ERROR_ILLEGAL_ADDRESS;
		return CUDA_SUCCESS;
	}
	emu_launch(f->kernel, gx, bx, p.call, p.spans, p.count);
	emu_check_zones(name);
	return CUDA_SUCCESS;
}
