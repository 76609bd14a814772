// Package bench holds what is checked about the project as a whole: the direction of imports
// and the layout of the tree, whole runs against an independent library, that every command in the
// documentation works, and that backends of 32 bits have the same bits: [Conform], for their tests.
//
// # Reading the benchmarks
//
// make bench runs the benchmarks of every package, beside the code they time; BENCHTIME=1x is a
// quick look, and -cpuprofile on a single one says where its time goes (perf for the kernels in C).
// Names are Benchmark<Op>/backend=/R=/N=/net=/S=: R runs of N members on S samples; RSIE_CPU chooses
// the variant of the native backend. make bench-peers puts the same benchmarks beside other
// libraries. They print
//
//   - ns/op of one call, on the wall. All other rates are per second of CPU time of the process, on
//     one core unless the name says workers=2: other work on the machine lengthens that less;
//   - GB/s of the numbers an operation has to read and write at least, with their share of what a
//     copy of as many bytes moves in the same process (%copy), and elements/s, parameters of rows
//     that it works on (rows for the ranking);
//   - evaluations/s, member-samples/s or live-steps/s of evaluations, with GFLOP/s of the matrix
//     products alone and their share of the fused multiplications and additions that the core does
//     in the same process (%peak);
//   - evaluations/s of BenchmarkGeneration and BenchmarkSuite in cpu, and %outside: the share of
//     wall time in everything but the evaluation. 15 is the aim;
//   - wall-evaluations/s of BenchmarkRuns: workers=2 over workers=1 is what a second core is worth;
//   - commits/s of the run store, which waits for the disk at every commit;
//   - B/op and allocs/op. A generation allocates nothing: a few bytes are what the first call
//     allocated, spread over all of them.
//
// Other work on the machine makes every figure worse, %outside by little. Compare two versions
// in one sitting, and take the best of several repetitions (-count 5).
package bench
