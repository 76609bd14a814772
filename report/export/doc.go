// Package export writes runs and models as files of other tools: tables as CSV, Parquet and JSON;
// learning curves for TensorBoard; strategies as trials of an Optuna study; curves for IOHanalyzer;
// networks as ONNX, safetensors and NumPy archives.
//
// [Read] makes the rows of a run once; a function per format writes them. Numbers are written in
// full, so that a reader gets the value that the run holds; TensorBoard alone has float32.
//
// # Errors
//
// What a format cannot hold is [rsie.ErrUnsupported] with the reason.
package export
