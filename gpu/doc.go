// Package gpu is the CUDA backend: the kernels of package kernels on one device, with the bits of
// the native backend. It exists in programs built with the tag cuda; without it [New] says how to
// get one.
//
// State stays on the device. One [Backend.Do] records the phases of its operations on the host, by
// the functions that the native backend runs, then copies the call, the run table and the spans to
// the device in one piece and launches one kernel per phase, in one crossing to C.
//
// # Errors
//
// Every error of the driver carries its name and that of the call or the kernel. After one that
// leaves the device unusable, as an access outside its memory, every call fails: the program has to
// start again.
package gpu
