// Package bench holds what is checked about the project as a whole: the direction of imports
// and the layout of the tree, whole runs against an independent library, that every command in the
// documentation works, and that backends of 32 bits have the same bits: [Conform], for their tests.
//
// # Reading the benchmarks
//
// make bench runs the benchmarks of every package, beside the code they time; BENCHTIME=1x is a
// quick look, and -cpuprofile on a single one says where its time goes. They print
//
//   - ns/op of one call, MB/s of the numbers an operation has to read and write at least, and
//     elements/s, parameters of rows that it works on (rows for the ranking);
//   - evaluations/s and member-samples/s or steps/s of BenchmarkEvaluate, on one core, with
//     GFLOP/s of the matrix products alone;
//   - evaluations/s of BenchmarkGeneration, on all cores, and %outside: the share of wall time
//     of 600 runs in everything but the evaluation. 15 is the aim. On the networks of the suite
//     8 to 31 were seen: normal numbers cost about 9 ns each, so it is highest for small data,
//     for unmirrored sampling and, at 70, for svd mutation;
//   - commits/s of the run store, which waits for the disk at every commit;
//   - B/op and allocs/op. A generation allocates nothing: a few bytes are what the first call
//     allocated, spread over all of them.
//
// Other work on the machine makes every figure worse, %outside by little. Compare two versions
// in one sitting, and take the best of several repetitions (-count 5).
package bench
