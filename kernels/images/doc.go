// Package images holds the kernels as CUDA drivers load them, in programs built with the tag cuda. It
// stands beside package kernels so that the objects in C are the same with and without the tag, and are
// compiled once.
package images
